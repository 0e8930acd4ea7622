/* vmath_parts.h - included by vmath.h for each type: steps that several functions share. */

/* A number as an unevaluated sum. */
typedef struct F(pair) {
    T hi, lo;
} F(pair);

static inline F(pair) F(pair_of)(T hi, T lo)
{
    F(pair) pair = {hi, lo};
    return pair;
}

/* 2**n from MAGIC + n; -BIAS < n <= BIAS, other n give any bits. */
static inline T F(power2)(T magic)
{
    return F(value)((F(bits)(magic) << (DIGITS - 1)) + ((U)BIAS << (DIGITS - 1)));
}

/*
 * p * 2**n from MAGIC + n, with one rounding and the flags of it; 0.5 < p < 4 and |n| < 2 BIAS, or p NaN. By two
 * powers of two: the first product is exact. Where over: x times a large number, which overflows unless x is infinite.
 */
static inline T F(scaled)(T p, T magic, bool over, T x)
{
    U n = F(bits)(magic), first = n >> 1, second = n - first;
    const U one = (U)BIAS << (DIGITS - 1);
    T factor = F(value)((second << (DIGITS - 1)) + one);
    p *= F(value)((first << (DIGITS - 1)) + one);
    return F(pick)(over, x, p) * F(pick)(over, K(0x1p1023, 0x1p127), factor);
}

/* x within [low, high]; a NaN stays. */
static inline T F(clamped)(T x, T low, T high)
{
    T below = F(pick)(CNI_LESS(high, x), high, x);
    return F(pick)(CNI_LESS(x, low), low, below);
}

/* a + b exactly. */
static inline F(pair) F(two_sum)(T a, T b)
{
    T sum = a + b, of_b = sum - a;
    return F(pair_of)(sum, (a - (sum - of_b)) + (b - of_b));
}

/* m in [sqrt(1/2), sqrt(2)) and whole n with x = m * 2**n, for x positive and normal; otherwise some such m and n. */
static inline T F(mantissa)(T x, T *n)
{
    const U half = F(bits)(C(SQRT_HALF)), one = (U)BIAS << (DIGITS - 1);
    U shifted = F(bits)(x) + (one - half);
    T biased = F(value)((shifted >> (DIGITS - 1)) | F(bits)(K(0x1p52, 0x1p23)));
    *n = biased - (K(0x1p52, 0x1p23) + (T)BIAS);
    return F(value)((shifted & (((U)1 << (DIGITS - 1)) - 1)) + half);
}
