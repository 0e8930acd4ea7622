/*
 * vmath_log.h - logarithms and what is made of them; included by vmath.h for each type.
 *
 * log(m) = 2 atanh(q), q = (m - 1) / (m + 1), |q| < 0.172. The one division also raises divide-by-zero or invalid where
 * the argument is outside: there its operands are replaced, and its result is the function's.
 */

/*
 * log((bottom + top) / (bottom - top)) for q = top / bottom, both with a correction, bottom in [1.4, 2.9]. The first
 * part is 2 q, the second has what q's rounding lost.
 */
static inline F(pair) F(log_quotient)(T q, F(pair) top, F(pair) bottom)
{
    T rest = FMA(-q, bottom.hi, top.hi) + FMA(-q, bottom.lo, top.lo);
    T inverse = FMA(K(-0.25, -0.25), bottom.hi - 2, K(0.5, 0.5)); /* five bits do: rest is below q's last bit */
    T z = q * q;
    return (F(pair)){2 * q, FMA(q * z, F(poly_log)(z), 2 * (rest * inverse))};
}

/* n ln 2 + log. */
static inline T F(log_sum)(T n, F(pair) log)
{
    T whole = n * C(LN2), sum = whole + log.hi, low = (whole - sum) + log.hi;
    return sum + (low + FMA(n, C(LN2_LO), log.lo));
}

/*
 * The quotient as log_quotient may have it: the same where |quotient| < 2, something finite where it is infinite or NaN.
 * (A choice would do, but gcc makes a second, masked division of it.)
 */
static inline T F(log_finite)(T quotient)
{
    return F(value)(F(bits)(quotient) & ~((U)1 << (sizeof(T) * 8 - 2)));
}

/* log of the mantissa and the exponent of x; where x is not positive, *special is the logarithm. */
static inline F(pair) F(log_parts)(T x, T *n, T *special)
{
    bool outside = CNI_LESS_EQUAL(x, 0), tiny = CNI_LESS(x, K(0x1p-1022, 0x1p-126));
    T exponent, m = F(mantissa)(F(pick)(outside, 1, x) * F(pick)(tiny, K(0x1p54, 0x1p25), 1), &exponent);
    *n = exponent - F(pick)(tiny, K(54.0, 25.0), 0);
    T top = m - 1, bottom = 2 + top;
    T quotient = F(pick)(outside, F(pick)(x == 0, -1, 0), top) / F(pick)(outside, 0, bottom);
    *special = quotient + quotient;
    return F(log_quotient)(F(log_finite)(quotient), (F(pair)){top, 0}, (F(pair)){bottom, top - (bottom - 2)});
}

static inline T F(log_ends)(T x, T special, T result)
{
    return F(pick)(CNI_LESS(x, INF), F(pick)(CNI_LESS_EQUAL(x, 0), special, result), x);
}

static inline T F(log)(T x)
{
    T n, special;
    F(pair) log = F(log_parts)(x, &n, &special);
    return F(log_ends)(x, special, F(log_sum)(n, log));
}

/* hi + lo times a constant given in two parts, plus a number that is 0 or not smaller than the product. */
static inline T F(log_times)(F(pair) log, T scale, T scale_low, T whole, T whole_low)
{
    T hi = log.hi + log.lo, lo = (log.hi - hi) + log.lo;
    T product = hi * scale, low = FMA(hi, scale, -product) + FMA(hi, scale_low, lo * scale);
    T sum = whole + product;
    return sum + (((whole - sum) + product) + (low + whole_low));
}

static inline T F(log2)(T x)
{
    T n, special;
    F(pair) log = F(log_parts)(x, &n, &special);
    return F(log_ends)(x, special, F(log_times)(log, C(LOG2_E), C(LOG2_E_LO), n, 0));
}

static inline T F(log10)(T x)
{
    T n, special;
    F(pair) log = F(log_parts)(x, &n, &special);
    return F(log_ends)(x, special, F(log_times)(log, C(LOG10_E), C(LOG10_E_LO), n * C(LOG10_2), n * C(LOG10_2_LO)));
}

/* log(1 + f + low) + more ln 2; low is a rounding error of f. */
static inline T F(log_plus)(T f, T low, T more)
{
    bool outside = CNI_LESS_EQUAL(f, -1);
    T a = F(pick)(B(fabs)(f) == INF, 1, f);
    T u = 1 + a, lost = F(pick)(CNI_LESS(B(fabs)(a), 1), a - (u - 1), 1 - (u - a));
    T n, m = F(mantissa)(u, &n);
    bool near = n == 0;
    T down = F(pick)(CNI_LESS(K(100.0, 60.0), n), 0, F(power2)(MAGIC - n));
    T top = F(pick)(near, a, m - 1), top_low = F(pick)(near, low, (lost + low) * down), bottom = 2 + top;
    T quotient = F(pick)(outside, F(pick)(f == -1, -1, 0), top) / F(pick)(outside, 0, bottom);
    F(pair) log = F(log_quotient)(F(log_finite)(quotient), (F(pair)){top, top_low},
                                  (F(pair)){bottom, (top - (bottom - 2)) + top_low});
    T result = F(pick)(outside, quotient + quotient, F(log_sum)(n + more, log));
    return F(pick)(CNI_LESS(K(0x1p-54, 0x1p-25), B(fabs)(f)) & CNI_LESS(f, INF), result, f);
}

static inline T F(log1p)(T x)
{
    return F(log_plus)(x, 0, 0);
}

/* x - y; 0 for equal infinities, and bounded, so that nothing is raised. */
static inline T F(log_gap)(T x, T y)
{
    const T most = K(0x1p1022, 0x1p126);
    return F(clamped)(x, -most, most) - F(clamped)(y, -most, most);
}

static inline T F(logaddexp)(T x, T y)
{
    T gap = F(log_gap)(x, y);
    T result = F(pick)(CNI_LESS(y, x), x, y) + F(log1p)(F(exp)(-B(fabs)(gap)));
    return F(pick)(gap != gap, gap, result);
}

static inline T F(logaddexp2)(T x, T y)
{
    T gap = F(log_gap)(x, y);
    T result = F(pick)(CNI_LESS(y, x), x, y) + C(LOG2_E) * F(log1p)(F(exp2)(-B(fabs)(gap)));
    return F(pick)(gap != gap, gap, result);
}

/* log(a + sqrt(a**2 + 1)), with the root in two parts; log(2 a) where 1 is lost. */
static inline T F(arcsinh)(T x)
{
    T magnitude = B(fabs)(x);
    bool big = CNI_LESS(K(0x1p30, 0x1p13), magnitude);
    T a = F(pick)(big, 1, magnitude);
    T square = a * a, square_low = FMA(a, a, -square), sum = 1 + square;
    T sum_low = F(pick)(CNI_LESS(a, 1), (1 - sum) + square, (square - sum) + 1) + square_low;
    T root = B(sqrt)(sum), root_low = (FMA(-root, root, sum) + sum_low) / (2 * root);
    T f = a + (root - 1), low = ((a - f) + (root - 1)) + root_low;
    T result = F(log_plus)(F(pick)(big, magnitude - 1, f), F(pick)(big, 0, low), F(pick)(big, 1, 0));
    return B(copysign)(result, x);
}

/* log(1 + u + sqrt(x**2 - 1)), u = x - 1. Below 1 the root raises invalid. */
static inline T F(arccosh)(T x)
{
    bool below = CNI_LESS(x, 1), big = CNI_LESS(K(0x1p30, 0x1p13), x);
    T a = F(pick)(below | big, 2, x);
    T root = B(sqrt)(F(pick)(below, x - 1, FMA(a, a, -1)));
    T u = a - 1, f = u + root, low = (root - f) + u;
    return F(log_plus)(F(pick)(big, x - 1, f), F(pick)(big, 0, low), F(pick)(big, 1, 0));
}

/* Half of log((1 + a) / (1 - a)), powers of two taken out before the one division; below 1/6, atanh(q) with q = a. */
static inline T F(arctanh)(T x)
{
    T magnitude = B(fabs)(x);
    bool outside = CNI_LESS_EQUAL(1, magnitude);
    T a = F(pick)(outside, 0, magnitude);
    T over = 1 + a, over_low = a - (over - 1), under = 1 - a, under_low = (1 - under) - a;
    T n, m = F(mantissa)(under, &n);
    T m_low = under_low * F(power2)(MAGIC - n);
    T half = F(pick)(CNI_LESS(2 * C(SQRT_HALF) * m, over), K(0.5, 0.5), 1);
    T exponent = (2 - 2 * half) - n;
    bool near = exponent == 0;
    F(pair) bottom = F(two_sum)(over * half, m);
    bottom.lo = F(pick)(near, 0, bottom.lo + (over_low * half + m_low));
    bottom.hi = F(pick)(near, 2, bottom.hi);
    T top = F(pick)(near, 2 * a, over * half - m), top_low = F(pick)(near, 0, over_low * half - m_low);
    T quotient = F(pick)(outside, F(pick)(magnitude == 1, 1, 0), top) / F(pick)(outside, 0, bottom.hi);
    F(pair) log = F(log_quotient)(F(log_finite)(quotient), (F(pair)){top, top_low}, bottom);
    T result = K(0.5, 0.5) * F(pick)(outside, quotient + quotient, F(log_sum)(exponent, log));
    return B(copysign)(F(pick)(CNI_LESS(K(0x1p-28, 0x1p-13), magnitude), result, magnitude), x);
}
