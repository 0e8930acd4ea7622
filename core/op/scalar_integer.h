/* scalar_integer.h - included by scalar.h once for each integer type: T, UT its unsigned, SUFFIX, SIGNED, WIDE: not all are int32_t. */
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

/*
 * Near: what float64 divides exactly enough. A whole number beside the quotient leaves a remainder that is exact, of which
 * the sign tells the rest. Processors have no vectors of integer divisions.
 */
static inline double FN(to_real)(T a)
{
#if WIDE
    return cni_value_f64((uint64_t)a + cni_bits_f64(0x1.8p52)) - 0x1.8p52;
#else
    return (double)a;
#endif
}

static inline T FN(of_real)(double a)
{
#if WIDE
    return (T)(cni_bits_f64(a + 0x1.8p52) - cni_bits_f64(0x1.8p52));
#else
    return (T)(int32_t)a;
#endif
}

/* Not 0: the divisor is 0 or -1, or an operand has more than 50 bits. */
static inline uint64_t FN(far_division)(T a, T b)
{
    const int bits = sizeof(T) == 8 ? 50 : 0;
#if SIGNED
    const uint64_t least = UINT64_C(1) << 50;
    uint64_t long_ones = bits == 0 ? 0 : ((uint64_t)a + least) >> 51 | ((uint64_t)b + least) >> 51;
    return long_ones | ((UT)(b + 1) <= 1);
#else
    return (bits == 0 ? 0 : (uint64_t)(a | b) >> bits) | (b == 0);
#endif
}

static inline T FN(near_divmod)(T a, T b, T *rest)
{
    double x = FN(to_real)(a), y = FN(to_real)(b), quotient = CNI_BUILTIN(rint)(x / y), left = CNI_FMA(-quotient, y, x);
    bool over = (left != 0) & ((left < 0) != (y < 0));
    *rest = FN(of_real)(left + cni_pick_f64(over, y, 0));
    return FN(of_real)(quotient - cni_pick_f64(over, 1, 0));
}

static inline T FN(near_floordiv)(T a, T b)
{
    T rest;
    return FN(near_divmod)(a, b, &rest);
}

static inline T FN(near_mod)(T a, T b)
{
    T rest;
    FN(near_divmod)(a, b, &rest);
    return rest;
}

/* C's %. */
static inline T FN(near_cmod)(T a, T b)
{
    double x = FN(to_real)(a), y = FN(to_real)(b), left = CNI_FMA(-CNI_BUILTIN(rint)(x / y), y, x);
    bool over = (left != 0) & ((left < 0) != (x < 0));
    return FN(of_real)(left + cni_pick_f64(over, CNI_BUILTIN(copysign)(y, x), 0));
}

#define FAR FN(far_division)
#define FAR_T uint64_t
#include "op/scalar_near.h"

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

/* Of up to 32 bits by sums of 2, 4, 8 ... bits beside each other: few processors have vectors of the instruction. */
static inline uint8_t FN(popcount)(T a)
{
    const UT ones = (UT)-1;
    UT x = (UT)FN(absolute)(a);
    if (BITS == 64) {
        return (uint8_t)__builtin_popcountll((uint64_t)x);
    }
    x = (UT)(x - (x >> 1 & ones / 3));
    x = (UT)((x & ones / 5) + (x >> 2 & ones / 5));
    x = (UT)((x + (x >> 4)) & ones / 17);
    x = BITS > 8 ? (UT)(x + (x >> (BITS > 8 ? 8 : 0))) : x;
    x = BITS > 16 ? (UT)(x + (x >> (BITS > 16 ? 16 : 0))) : x;
    return (uint8_t)(x & 0x3F);
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
#undef WIDE
