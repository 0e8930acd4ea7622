/*
 * scalar_divide.h - included by scalar_real.h for each type: quotients of whole numbers and remainders, as NumPy's steps
 * give them.
 *
 * Near: with a whole number q beside the quotient of a and b, a - q b is a remainder and exact in one fused step as long
 * as q has fewer bits than the type. No loop as in fmod, no branch: loops of it become vector code. Elsewhere, and for
 * what division has no answer, fmod.
 */

/* Not 0: two bits or fewer would be left of the quotient's fraction, or an operand is 0, subnormal, infinite or a NaN. */
static inline U FN(far_quotient)(T a, T b)
{
    const int digits = sizeof(T) == 8 ? 52 : 23;
    const U endless = sizeof(T) == 8 ? 2047 : 255, below = sizeof(T) == 8 ? 1000 : 120; /* no quotient underflows */
    U of_a = CNI_JOIN(cni_bits, SUFFIX)(a) << 1 >> (digits + 1),
      of_b = CNI_JOIN(cni_bits, SUFFIX)(b) << 1 >> (digits + 1);
    return (U)(of_a - of_b + below >= below + (U)digits - 2) | (U)(of_a == endless) | (U)(of_b - 1 >= endless - 1);
}

/* C's fmod. */
static inline T FN(near_cmod)(T a, T b)
{
    T rest = BUILTIN(B(fma))(-FN(rint)(a / b), b, a);
    bool other = ((CNI_JOIN(cni_bits, SUFFIX)(rest) ^ CNI_JOIN(cni_bits, SUFFIX)(a)) >> (sizeof(T) * 8 - 1)) != 0;
    return FN(copysign)(PICK(other & (rest != 0), rest + FN(copysign)(b, a), rest), a);
}

/* Quotient rounded down and rest with the divisor's sign, from one exact remainder. */
static inline T FN(near_divmod)(T a, T b, T *rest)
{
    T mod = FN(near_cmod)(a, b), whole = (a - mod) / b;
    bool turned = (mod != 0) & (__builtin_isless(b, 0) != __builtin_isless(mod, 0));
    *rest = PICK(turned, mod + b, PICK(mod == 0, FN(copysign)(0, b), mod));
    T quotient = PICK(turned, whole - 1, whole), down = FN(floor)(quotient);
    down = PICK(__builtin_isgreater(quotient - down, (T)0.5), down + 1, down);
    return PICK(quotient != 0, down, FN(copysign)(0, a / b));
}

static inline T FN(near_mod)(T a, T b)
{
    T rest;
    FN(near_divmod)(a, b, &rest);
    return rest;
}

static inline T FN(near_floordiv)(T a, T b)
{
    T rest;
    return FN(near_divmod)(a, b, &rest);
}

/* The division says that it is invalid also where a compiler writes fmod out, with flags that nobody reads. */
static inline T FN(cmod)(T a, T b)
{
    if (FN(far_quotient)(a, b) == 0) {
        return FN(near_cmod)(a, b);
    }
    if (b == 0 || __builtin_isinf(a)) {
        return a * b / (a * b);
    }
    return B(fmod)(a, b);
}

static inline T FN(divmod)(T a, T b, T *rest)
{
    if (FN(far_quotient)(a, b) == 0) {
        return FN(near_divmod)(a, b, rest);
    }
    T mod = FN(cmod)(a, b);
    if (b == 0) {
        *rest = mod;
        return a / b;
    }
    T quotient = (a - mod) / b;
    if (mod != 0) {
        if (__builtin_isless(b, 0) != __builtin_isless(mod, 0)) {
            mod += b;
            quotient -= 1;
        }
    } else {
        mod = FN(copysign)(0, b);
    }
    if (quotient != 0) {
        T down = FN(floor)(quotient);
        quotient = __builtin_isgreater(quotient - down, (T)0.5) ? down + 1 : down;
    } else {
        quotient = FN(copysign)(0, a / b);
    }
    *rest = mod;
    return quotient;
}

static inline T FN(floordiv)(T a, T b)
{
    if (b == 0) {
        return a / b;
    }
    T rest;
    return FN(divmod)(a, b, &rest);
}

static inline T FN(mod)(T a, T b)
{
    if (b == 0) {
        return FN(cmod)(a, b);
    }
    T rest;
    FN(divmod)(a, b, &rest);
    return rest;
}
