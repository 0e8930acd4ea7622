/* scalar_integer.h - included by scalar.h once for each integer type: T, UT its unsigned, SUFFIX, SIGNED. */
#define FN(name) CNI_JOIN(name, SUFFIX)
#define BITS ((int)sizeof(T) * 8)

static inline T FN(mul)(T a, T b)
{
    return (T)((uint64_t)a * (uint64_t)b);
}

static inline T FN(negative)(T a)
{
    return (T)(0 - (UT)a);
}

static inline T FN(absolute)(T a)
{
#if SIGNED
    return a < 0 ? (T)(0 - (UT)a) : a;
#else
    return a;
#endif
}

static inline T FN(floordiv)(T a, T b)
{
    if (b == 0) {
        feraiseexcept(FE_DIVBYZERO);
        return 0;
    }
#if SIGNED
    if (b == -1) {
        if (a != 0 && a == (T)(0 - (UT)a)) {
            cni_raise_overflow();
        }
        return (T)(0 - (UT)a);
    }
    T quotient = (T)(a / b);
    return (T)(quotient - ((a % b != 0) & ((a < 0) != (b < 0))));
#else
    return (T)(a / b);
#endif
}

static inline T FN(cmod)(T a, T b)
{
    if (b == 0) {
        feraiseexcept(FE_DIVBYZERO);
        return 0;
    }
#if SIGNED
    return b == -1 ? 0 : (T)(a % b);
#else
    return (T)(a % b);
#endif
}

static inline T FN(mod)(T a, T b)
{
    T rest = FN(cmod)(a, b);
#if SIGNED
    T to_sign = (T)((rest != 0) & ((rest < 0) != (b < 0)) ? b : 0); /* no branch: nobody foresees it */
    return (T)(rest + to_sign);
#else
    return rest;
#endif
}

/* Negative exponents are refused where the call is recorded. */
static inline T FN(pow)(T a, T b)
{
    UT base = (UT)a, result = 1;
    for (UT n = (UT)b; n != 0; n = (UT)(n >> 1)) {
        result = (n & 1) != 0 ? (UT)((uint64_t)result * base) : result;
        base = (UT)((uint64_t)base * base);
    }
    return (T)result;
}

static inline T FN(reciprocal)(T a)
{
    if (a == 0) {
        feraiseexcept(FE_DIVBYZERO);
#if SIGNED
        return sizeof(T) >= 4 ? (T)((UT)1 << (BITS - 1)) : 0;
#else
        return 0;
#endif
    }
#if SIGNED
    return a == 1 || a == -1 ? a : 0;
#else
    return a == 1;
#endif
}

static inline T FN(shl)(T a, T b)
{
    return (uint64_t)b < (uint64_t)BITS ? (T)((UT)a << (int)b) : 0;
}

static inline T FN(shr)(T a, T b)
{
#if SIGNED
    return (T)(a >> ((uint64_t)b < (uint64_t)BITS ? (int)b : BITS - 1));
#else
    return (uint64_t)b < (uint64_t)BITS ? (T)(a >> (int)b) : 0;
#endif
}

static inline uint8_t FN(popcount)(T a)
{
    return (uint8_t)__builtin_popcountll((uint64_t)(UT)FN(absolute)(a));
}

static inline T FN(gcd)(T a, T b)
{
    UT x = (UT)FN(absolute)(a), y = (UT)FN(absolute)(b);
    while (y != 0) {
        UT rest = (UT)(x % y);
        x = y;
        y = rest;
    }
    return (T)x;
}

static inline T FN(lcm)(T a, T b)
{
    UT divisor = (UT)FN(gcd)(a, b), size = (UT)FN(absolute)(a);
    return divisor == 0 ? 0 : (T)((uint64_t)(size / divisor) * (UT)FN(absolute)(b));
}

static inline T FN(clip)(T a, T low, T high)
{
    T raised = a > low ? a : low;
    return raised < high ? raised : high;
}

#undef FN
#undef BITS
#undef T
#undef UT
#undef SUFFIX
#undef SIGNED
