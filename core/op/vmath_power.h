/* vmath_power.h - pow, cbrt, hypot; included by vmath.h for each type. */

/*
 * x**y = e**(y log|x|), the logarithm to some 13 digits more than the type's. A pole and an undefined power are
 * results of a division, which raises their flag: float64's logarithm has one.
 */
#if DIGITS == 53
/* log(m 2**n) from m - 1 and 1 / (m + 1). */
static inline F(pair) F(pow_log)(T n, T top, T inverse)
{
    T bottom = 2 + top, bottom_low = top - (bottom - 2);
    T q = top * inverse, q_low = FMA(-q, bottom_low, FMA(-q, bottom, top)) * inverse;
    T z = q * q, z_low = FMA(q, q, -z) + 2 * (q * q_low);
    T above = z * F(poly_pow)(z), factor = C(TWO_THIRDS) + above;
    T factor_low = ((C(TWO_THIRDS) - factor) + above) + C(TWO_THIRDS_LO);
    T second = z * factor, second_low = FMA(z, factor, -second) + FMA(z, factor_low, z_low * factor);
    T third = q * second, third_low = FMA(q, second, -third) + FMA(q, second_low, q_low * second);
    T near = 2 * q + third, near_low = ((2 * q - near) + third) + (third_low + 2 * q_low);
    T far = n * C(LN2), hi = far + near;
    return F(pair_of)(hi, ((far - hi) + near) + FMA(n, C(LN2_LO), near_low));
}

/* e**(product + low) is this times a power of two, whose exponent is in *magic. */
static inline double cni_pow_part_f64(double product, double low, double *magic)
{
    *magic = CNI_FMA(product, CNI_LOG2_E_f64, 0x1.8p52);
    double k = *magic - 0x1.8p52, rest = CNI_FMA(-k, CNI_LN2_f64, product), tail = CNI_FMA(-k, CNI_LN2_LO_f64, low);
    double r = rest + tail, r_low = (rest - r) + tail;
    return 1 + (r + CNI_FMA(r * r, cni_poly_exp_f64(r), r_low));
}

static inline double cni_pow_near_f64(double x, double y)
{
    double n, m = cni_mantissa_f64(x, &n), top = m - 1, magic;
    cni_pair_f64 log = cni_pow_log_f64(n, top, 1 / (2 + top));
    double product = log.hi * y, low = CNI_FMA(log.hi, y, -product) + log.lo * y;
    double p = cni_pow_part_f64(product, low, &magic);
    return p * cni_power2_f64(magic);
}

/* base**y, or 1 if still; *special: 1, or outside what the result is half of. */
static inline double cni_pow_magnitude_f64(double base, double y, bool still, bool undefined, bool outside,
                                           double *special)
{
    bool tiny = CNI_LESS(base, 0x1p-1022);
    double n, m = cni_mantissa_f64(base * cni_pick_f64(tiny, 0x1p54, 1), &n), top = m - 1, magic;
    n -= cni_pick_f64(tiny, 54.0, 0);
    *special = cni_pick_f64(undefined, 0, 1) / cni_pick_f64(outside, 0, 2 + top);
    cni_pair_f64 log = cni_pow_log_f64(n, top, cni_log_finite_f64(*special));
    log.hi = cni_pick_f64(still, 0, log.hi);
    log.lo = cni_pick_f64(still, 0, log.lo);
    double product = log.hi * y, low = CNI_FMA(log.hi, y, -product) + log.lo * y;
    double inside = cni_clamped_f64(product, -746, 710);
    low = cni_pick_f64(inside == product, low, 0);
    double p = cni_pow_part_f64(inside, low, &magic);
    return cni_scaled_f64(p, magic, false, 0);
}
#else
static inline float cni_pow_near_f32(float x, float y)
{
    float n, m = cni_mantissa_f32(x, &n);
    return cni_short_exp2(cni_short_log2(m - 1, n) * (double)y);
}

static inline float cni_pow_magnitude_f32(float base, float y, bool still, bool undefined, bool outside, float *special)
{
    bool tiny = CNI_LESS(base, 0x1p-126f);
    float n, m = cni_mantissa_f32(cni_pick_f32(still, 1, base) * cni_pick_f32(tiny, 0x1p25f, 1), &n);
    *special = cni_pick_f32(undefined, 0, 1) / cni_pick_f32(outside, 0, 1);
    double exponent = cni_short_log2(m - 1, n - cni_pick_f32(tiny, 25, 0)) * (double)y;
    return cni_short_exp2(cni_clamped_f64(exponent, -200, 200));
}
#endif

/* The base is not positive, normal and finite, or the result perhaps not normal, or the power a NaN. */
static inline bool F(pow_far)(T x, T y)
{
    T exponent = F(value)((F(bits)(x) >> (DIGITS - 1)) | F(bits)(K(0x1p52, 0x1p23))) - (K(0x1p52, 0x1p23) + (T)BIAS);
    T power = F(pick)(CNI_LESS(B(fabs)(y), K(1020.0, 125.0)), B(fabs)(y), K(1020.0, 125.0)); /* no flag may rise here */
    return F(log_far)(x) | !CNI_LESS(power * (B(fabs)(exponent) + 1), K(1020.0, 125.0));
}

static inline T F(pow)(T x, T y)
{
    T base = B(fabs)(x), power = B(fabs)(y), half = K(0.5, 0.5) * power;
    bool whole = B(rint)(power) == power, odd = whole & (B(rint)(half) != half); /* gcc has no vector trunc here */
    bool negative = CNI_LESS(x, 0), down = CNI_LESS(y, 0), endless = base == INF, limit = power == INF;
    bool pole = (base == 0) & down & !limit, undefined = negative & !whole & !endless & (y == y);
    bool still = (base == 0) | endless | limit | undefined | (x != x); /* results of their own: no flag may rise here */
    bool outside = pole | undefined;
    T bounded = F(clamped)(y, K(-0x1p66, -0x1p34), K(0x1p66, 0x1p34)), special;
    T result = F(pow_magnitude)(base, bounded, still, undefined, outside, &special);

    bool grows = (endless | (CNI_LESS(1, base) & (base != 0))) != down;
    T ends = F(pick)(grows, INF, 0);
    ends = F(pick)(limit & (base == 1), 1, ends);
    result = F(pick)(still, ends, result);
    bool flips = odd & (F(bits)(x) >> (sizeof(T) * 8 - 1) != 0);
    result = F(pick)(outside, special + special, result);
    result = F(pick)(flips, -result, result);
    result = F(pick)(x != x, x, F(pick)(y != y, y, result));
    return F(pick)((y == 0) | (x == 1), 1, result);
}

/*
 * x = m 2**(3 k), m in [1, 8): r = m**(-1/3) from a polynomial and one step of third order, m r**2, and one Newton
 * step with the residual in two parts.
 */
static inline T F(cbrt_of)(T x, U bits, T more)
{
    T exponent = F(value)((bits >> (DIGITS - 1)) | F(bits)(K(0x1p52, 0x1p23))) - (K(0x1p52, 0x1p23) + (T)BIAS);
    T k = FMA(exponent - 1, C(THIRD), MAGIC) - MAGIC, left = FMA(K(-3.0, -3.0), k, exponent);
    T mantissa = F(value)((bits & (((U)1 << (DIGITS - 1)) - 1)) | (U)BIAS << (DIGITS - 1));
    T m = mantissa * F(pick)(left == 0, 1, F(pick)(left == 1, 2, 4));
    T r = F(poly_cbrt)(mantissa) * F(pick)(left == 0, 1, F(pick)(left == 1, C(CBRT_HALF), C(CBRT_QUARTER)));
    T error = FMA(-m * r, r * r, 1);
    r = FMA(r * error, FMA(error, C(TWO_NINTHS), C(THIRD)), r);
    T inverse = r * r, y = m * inverse, square = y * y, square_low = FMA(y, y, -square);
    T residual = FMA(-square_low, y, FMA(-square, y, m));
    y = FMA(residual * C(THIRD), inverse, y);
    return B(copysign)(y * F(power2)((k - more) + MAGIC), x);
}

static inline T F(cbrt)(T x)
{
    T magnitude = B(fabs)(x);
    bool special = (x == 0) | (magnitude == INF) | (x != x), tiny = CNI_LESS(magnitude, K(0x1p-1022, 0x1p-126));
    U bits = F(bits)(magnitude * F(pick)(tiny, K(0x1p54, 0x1p24), 1));
    return F(pick)(special, x, F(cbrt_of)(x, bits, F(pick)(tiny, K(18.0, 8.0), 0)));
}

static inline bool F(cbrt_far)(T x)
{
    return F(log_far)(B(fabs)(x));
}

static inline T F(cbrt_near)(T x)
{
    return F(cbrt_of)(x, F(bits)(B(fabs)(x)), 0);
}

/* The root of the sum of squares in two parts, after scaling by a power of two, corrected once. */
static inline T F(hypot)(T x, T y)
{
    const T infinity = INF;
    T of_x = B(fabs)(x), of_y = B(fabs)(y);
    bool infinite = (of_x == infinity) | (of_y == infinity), swap = CNI_LESS(of_x, of_y),
         apart = infinite | (x != x) | (y != y);
    T high = F(pick)(apart, 1, F(pick)(swap, of_y, of_x)), low = F(pick)(apart, 0, F(pick)(swap, of_x, of_y));
    bool big = CNI_LESS(K(0x1p510, 0x1p62), high), small = CNI_LESS(high, K(0x1p-450, 0x1p-48));
    T scale = F(pick)(big, K(0x1p-600, 0x1p-72), F(pick)(small, K(0x1p700, 0x1p100), 1));
    T back = F(pick)(big, K(0x1p600, 0x1p72), F(pick)(small, K(0x1p-700, 0x1p-100), 1));
    T a = high * scale, b = low * scale;
    T first = a * a, first_low = FMA(a, a, -first), second = b * b, second_low = FMA(b, b, -second);
    T sum = first + second, sum_low = ((first - sum) + second) + (first_low + second_low);
    T root = B(sqrt)(sum), twice = F(pick)(root == 0, 1, 2 * root);
    T result = (root + (FMA(-root, root, sum) + sum_low) / twice) * back;
    result = F(pick)(y != y, y, F(pick)(x != x, x, result));
    return F(pick)(infinite, infinity, result);
}
