/* vmath_arc.h - arcsin, arccos, arctan, arctan2; included by vmath.h for each type. */

/*
 * The argument s of arcsin(s) = s + s z poly(z) with s <= 1/2: |x|, or, above 1/2, sqrt((1 - |x|) / 2), half the angle
 * from 1. Beyond 1 the root raises invalid. Returns s, and s z poly(z) as the second part.
 */
static inline F(pair) F(arcsin_parts)(T magnitude, bool *upper)
{
    *upper = CNI_LESS(K(0.5, 0.5), magnitude);
    T bounded = F(pick)(CNI_LESS(2, magnitude), 2, magnitude); /* no overflow where the result is NaN */
    T half = FMA(K(-0.5, -0.5), bounded, K(0.5, 0.5)), root = B(sqrt)(half);
    T z = F(pick)(*upper, half, bounded * bounded), s = F(pick)(*upper, root, magnitude);
    return F(pair_of)(s, s * z * F(poly_arcsin)(z));
}

static inline T F(arcsin)(T x)
{
    bool upper;
    F(pair) s = F(arcsin_parts)(B(fabs)(x), &upper);
    T sum = C(HALF_PI) - 2 * s.hi, low = (C(HALF_PI) - sum) - 2 * s.hi;
    T above = sum + (low + (C(HALF_PI_LO) - 2 * s.lo));
    return B(copysign)(F(pick)(upper, above, s.hi + s.lo), x);
}

static inline T F(arccos)(T x)
{
    bool upper, negative = CNI_LESS(x, 0);
    F(pair) s = F(arcsin_parts)(B(fabs)(x), &upper);
    T base = F(pick)(upper, F(pick)(negative, C(PI), 0), C(HALF_PI));
    T base_low = F(pick)(upper, F(pick)(negative, C(PI_LO), 0), C(HALF_PI_LO));
    T factor = F(pick)(upper, F(pick)(negative, -2, 2), F(pick)(negative, 1, -1));
    T part = factor * s.hi, sum = base + part, low = (base - sum) + part;
    return sum + (low + FMA(factor, s.lo, base_low));
}

/* base + turn * (arctan(t) + nothing lost of base), |t| <= tan(pi/8). */
static inline T F(arctan_sum)(T base, T base_low, T t, T turn)
{
    T z = t * t, signed_t = turn * t;
    return base + (signed_t + FMA(signed_t * z, F(poly_arctan)(z), base_low));
}

/* Around 0, pi/4 or pi/2: t = x, (x - 1) / (x + 1) or -1 / x. */
static inline T F(arctan)(T x)
{
    T magnitude = B(fabs)(x);
    bool above = CNI_LESS(C(TAN_EIGHTH), magnitude), high = CNI_LESS(C(TAN_EIGHTH) + 2, magnitude);
    T top = F(pick)(high, -1, F(pick)(above, magnitude - 1, magnitude));
    T bottom = F(pick)(high, magnitude, F(pick)(above, magnitude + 1, 1));
    T base = F(pick)(high, C(HALF_PI), F(pick)(above, C(QUARTER_PI), 0));
    T base_low = F(pick)(high, C(HALF_PI_LO), F(pick)(above, C(QUARTER_PI_LO), 0));
    return B(copysign)(F(arctan_sum)(base, base_low, top / bottom, 1), x);
}

/*
 * The angle is c pi/4 + turn * arctan(t): low / high or (low - high) / (low + high) of the magnitudes, then mirrored
 * at the diagonal where y is the larger one and at the y axis where x is negative.
 */
static inline T F(arctan2)(T y, T x)
{
    T of_y = B(fabs)(y), of_x = B(fabs)(x);
    bool steep = CNI_LESS(of_x, of_y), negative = F(bits)(x) >> (sizeof(T) * 8 - 1) != 0;
    T high = F(pick)(steep, of_y, of_x), low = F(pick)(steep, of_x, of_y);
    bool infinite = high == INF;
    low = F(pick)(infinite, F(pick)(low == INF, 1, 0), low);
    high = F(pick)(infinite | (high == 0), 1, high);
    T scale = F(pick)(CNI_LESS(K(0x1p1000, 0x1p120), high), K(0x1p-60, 0x1p-30), 1);
    scale = F(pick)(CNI_LESS(high, K(0x1p-900, 0x1p-90)), K(0x1p60, 0x1p30), scale);
    low *= scale;
    high *= scale;
    bool above = CNI_LESS(C(TAN_EIGHTH) * high, low);
    T t = F(pick)(above, low - high, low) / F(pick)(above, low + high, high);
    T eighths = F(pick)(above, 1, 0), turn = F(pick)(steep != negative, -1, 1);
    eighths = F(pick)(steep, 2 - eighths, eighths);
    eighths = F(pick)(negative, 4 - eighths, eighths);
    T base = eighths * C(QUARTER_PI), base_low = FMA(eighths, C(QUARTER_PI), -base) + eighths * C(QUARTER_PI_LO);
    T result = B(copysign)(F(arctan_sum)(base, base_low, t, turn), y);
    return F(pick)(x != x, x, F(pick)(y != y, y, result));
}
