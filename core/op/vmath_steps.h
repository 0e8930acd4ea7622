/*
 * vmath_steps.h - nextafter, spacing, ldexp, frexp; included by vmath.h for each type.
 *
 * On bits, so that loops become vector code and no comparison says anything of a NaN; exact, with the flags of C's functions.
 */

#define SIGN ((U)1 << (sizeof(T) * 8 - 1))
#define LEAST ((U)1 << (DIGITS - 1)) /* of normal numbers */
#define ENDLESS ((U)(2 * BIAS + 1) << (DIGITS - 1))

/* The number of these bits, which is infinite where over; with overflow, or underflow. */
static inline T F(stepped)(U bits, bool over, bool tiny)
{
    T factor = F(pick)(over, K(0x1p1023, 0x1p127), F(pick)(tiny, K(0x1p-1000, 0x1p-120), 0));
    return F(value)(bits | F(bits)(factor * factor)); /* infinity, or 0 */
}

static inline T F(nextafter)(T x, T y)
{
    U a = F(bits)(x), b = F(bits)(y), of_a = a & ~SIGN, of_b = b & ~SIGN;
    bool none = (of_a > ENDLESS) | (of_b > ENDLESS), same = (a == b) | ((of_a | of_b) == 0);
    bool away = (((a ^ b) & SIGN) == 0) & (of_b > of_a);
    U moved = of_a == 0 ? (b & SIGN) | 1 : away ? a + 1 : a - 1;
    U result = none ? (of_a > ENDLESS ? a : b) : same ? b : moved;
    U magnitude = result & ~SIGN;
    bool stepped = !(none | same);
    return F(stepped)(result, stepped & (magnitude == ENDLESS), stepped & (magnitude < LEAST));
}

/* To the next number away from 0; NaN for infinities. */
static inline T F(spacing)(T x)
{
    U a = F(bits)(x), magnitude = a & ~SIGN;
    bool none = magnitude >= ENDLESS, last = magnitude == ENDLESS - 1;
    U low = magnitude & ((U)(none | last) - 1);
    T step = F(pick)(last, INF, F(value)(low + 1) - F(value)(low));
    U sign = a & SIGN & (U) - (U)((magnitude != 0) & !none);
    T nothing = F(value)(magnitude | LEAST >> 1); /* a NaN, if it is none */
    return F(stepped)(F(bits)(F(pick)(none, nothing, step)) | sign, last, magnitude + 1 < LEAST);
}

/* Of what is not 0 and finite: m in [1, 2) with x's sign; the result is n with |x| = |m| 2**n. */
static inline U F(split)(T x, T *m)
{
    const U field = ENDLESS;
    bool tiny = (F(bits)(x) & ~SIGN) < LEAST;
    U bits = F(bits)(x * F(pick)(tiny, K(0x1p54, 0x1p25), 1));
    *m = F(value)((bits & ~field) | ((U)BIAS << (DIGITS - 1)));
    return ((bits & field) >> (DIGITS - 1)) - (tiny ? (U)(BIAS + (DIGITS == 53 ? 54 : 25)) : (U)BIAS);
}

static inline bool F(is_split)(T x)
{
    return (F(bits)(x) & ~SIGN) - 1 < ENDLESS - 1;
}

/* x 2**exponent with one rounding, |exponent| <= CNI_LDEXP_MOST: more would change nothing. */
static inline T F(ldexp)(T x, int32_t exponent)
{
    const int32_t most = DIGITS == 53 ? 1200 : 240;
    T m;
    int32_t n = (int32_t)F(split)(x, &m) + exponent;
    bool some = F(is_split)(x);
    n = n < -most ? -most : n > most ? most : n;
    n = some ? n : 0;
    T result = F(scaled)(m, F(value)(F(bits)(MAGIC) + (U)n), false, 0);
    return F(pick)(some, result, x);
}

/* x, or the result, is neither normal nor 0. The exponent's bits, not beyond those of int32_t. */
static inline U F(ldexp_far)(T x, U exponent)
{
    U magnitude = F(bits)(x) & ~SIGN, field = magnitude >> (DIGITS - 1), sum = field + exponent;
    return (U)(magnitude != 0) & ((U)(field - 1 >= 2 * BIAS) | (U)(sum - 1 >= 2 * BIAS));
}

static inline T F(ldexp_near)(T x, U exponent)
{
    U bits = F(bits)(x), move = exponent << (DIGITS - 1);
    return F(value)(bits + ((bits & ~SIGN) != 0 ? move : 0));
}

static inline T F(frexp)(T x, int32_t *exponent)
{
    T m;
    int32_t n = (int32_t)F(split)(x, &m) + 1;
    bool some = F(is_split)(x);
    *exponent = some ? n : 0;
    return F(pick)(some, K(0.5, 0.5) * m, x);
}

#undef SIGN
#undef LEAST
#undef ENDLESS
