/*
 * vmath_log.h - logarithms and what is made of them; included by vmath.h for each type.
 *
 * With f = m - 1 and q = f / (2 + f), |q| < 0.172: log(m) = 2 atanh(q) = f - q (f - q**2 poly(q**2)). f is exact, so
 * that the rounding errors of q and the polynomial count little. The one division also raises divide-by-zero or
 * invalid where the argument is outside: there its operands are replaced, and its result is the function's.
 */

/* log(1 + f) - f, to some bits more than the type's in relation to f; q = f / (2 + f). */
static inline T F(log_rest)(T q, T f)
{
    T z = q * q;
    return q * FMA(z, F(poly_log)(z), -f);
}

/* n ln 2 + log. */
static inline T F(log_sum)(T n, F(pair) log)
{
    T sum = FMA(n, C(LN2), log.hi), low = FMA(n, C(LN2), -sum) + log.hi;
    return sum + (low + FMA(n, C(LN2_LO), log.lo));
}

/*
 * The quotient as polynomials may have it: the same where |quotient| < 2, something finite where it is infinite or
 * NaN. (A choice would do, but gcc makes a second, masked division of it.)
 */
static inline T F(log_finite)(T quotient)
{
    return F(value)(F(bits)(quotient) & ~((U)1 << (sizeof(T) * 8 - 2)));
}

/* log of the mantissa and the exponent of x; where x is not positive, *special is the logarithm. */
static inline F(pair) F(log_parts)(T x, T *n, T *special)
{
    bool outside = CNI_LESS_EQUAL(x, 0), tiny = CNI_LESS(x, K(0x1p-1022, 0x1p-126));
    T exponent, m = F(mantissa)(F(pick)(outside, 1, x) * F(pick)(tiny, K(0x1p54, 0x1p25), 1), &exponent), f = m - 1;
    *n = exponent - F(pick)(tiny, K(54.0, 25.0), 0);
    T quotient = F(pick)(outside, F(pick)(x == 0, -1, 0), f) / F(pick)(outside, 0, m + 1);
    *special = quotient + quotient;
    return F(pair_of)(f, F(log_rest)(F(log_finite)(quotient), f));
}

/* Not positive, normal and finite. */
static inline bool F(log_far)(T x)
{
    return F(bits)(x) - F(bits)(K(0x1p-1022, 0x1p-126)) >= F(bits)(INF) - F(bits)(K(0x1p-1022, 0x1p-126));
}

/* log_parts of what is not far. */
static inline F(pair) F(log_near_parts)(T x, T *n)
{
    T m = F(mantissa)(x, n), f = m - 1;
    return F(pair_of)(f, F(log_rest)(f / (m + 1), f));
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

static inline T F(log_near)(T x)
{
    T n;
    F(pair) log = F(log_near_parts)(x, &n);
    return F(log_sum)(n, log);
}

/* The logarithm in another base: times a constant given in two parts. */
static inline F(pair) F(log_scaled)(F(pair) log, T scale, T scale_low)
{
    T product = log.hi * scale, low = FMA(log.hi, scale_low, FMA(log.hi, scale, -product));
    return F(pair_of)(product, FMA(log.lo, scale, low));
}

/* A number that is 0 or not smaller than hi, plus hi + lo. */
static inline T F(log_join)(T whole, F(pair) log)
{
    T sum = whole + log.hi;
    return sum + (((whole - sum) + log.hi) + log.lo);
}

static inline T F(log2_of)(T n, F(pair) log)
{
    return F(log_join)(n, F(log_scaled)(log, C(LOG2_E), C(LOG2_E_LO)));
}

static inline T F(log2)(T x)
{
    T n, special;
    F(pair) log = F(log_parts)(x, &n, &special);
    return F(log_ends)(x, special, F(log2_of)(n, log));
}

static inline T F(log2_near)(T x)
{
    T n;
    F(pair) log = F(log_near_parts)(x, &n);
    return F(log2_of)(n, log);
}

static inline T F(log10_of)(T n, F(pair) log)
{
    F(pair) scaled = F(log_scaled)(log, C(LOG10_E), C(LOG10_E_LO));
    scaled.lo = FMA(n, C(LOG10_2_LO), scaled.lo);
    return F(log_join)(n * C(LOG10_2), scaled);
}

static inline T F(log10)(T x)
{
    T n, special;
    F(pair) log = F(log_parts)(x, &n, &special);
    return F(log_ends)(x, special, F(log10_of)(n, log));
}

static inline T F(log10_near)(T x)
{
    T n;
    F(pair) log = F(log_near_parts)(x, &n);
    return F(log10_of)(n, log);
}

/* log(1 + f + low) + more ln 2; low is a rounding error of f. outside: f <= -1; endless: it is infinity. */
static inline T F(log_plus_of)(T f, T low, T more, bool outside, bool endless)
{
    T a = F(pick)(outside | endless, 1, f);
    F(pair) u = F(two_sum)(1, a);
    T n, m = F(mantissa)(u.hi, &n);
    bool near = n == 0;
    T down = K(0.5, 0.5) * F(power2)((MAGIC + 1) - n); /* 2**-n, or 0 for the largest n */
    T top = F(pick)(near, a, m - 1), top_low = F(pick)(near, low, (u.lo + low) * down);
    T quotient = F(pick)(outside, F(pick)(f == -1, -1, 0), top) / F(pick)(outside, 0, 2 + top);
    T q = F(log_finite)(quotient),
      slope = FMA(2 * q, q - 1, 1); /* 1 / (1 + top) to five bits: top_low is a rounding error */
    F(pair) log = {top, FMA(top_low, slope, F(log_rest)(q, top))};
    T result = F(pick)(outside, quotient + quotient, F(log_sum)(n + more, log));
    return F(pick)(CNI_LESS(K(0x1p-54, 0x1p-25), B(fabs)(f)) & !endless, result, f);
}

static inline T F(log_plus)(T f, T low, T more)
{
    return F(log_plus_of)(f, low, more, CNI_LESS_EQUAL(f, -1), f == INF);
}

static inline T F(log1p)(T x)
{
    return F(log_plus)(x, 0, 0);
}

static inline bool F(log1p_far)(T x)
{
    return !(CNI_LESS(-1, x) & CNI_LESS(x, INF));
}

static inline T F(log1p_near)(T x)
{
    return F(log_plus_of)(x, 0, 0, false, false);
}

/*
 * The smaller less the larger one, at most the limit (where it underflows) below; 0 for equal infinities. Nothing is
 * raised.
 */
static inline T F(log_gap)(T x, T y, T limit)
{
    const T most = K(0x1p1022, 0x1p126);
    T gap = B(fabs)(F(clamped)(x, -most, most) - F(clamped)(y, -most, most));
    return -F(pick)(CNI_LESS(limit, gap), limit, gap);
}

static inline T F(logaddexp)(T x, T y)
{
    T gap = F(log_gap)(x, y, K(746.0, 104.0));
    T result = F(pick)(CNI_LESS(y, x), x, y) + F(log1p)(F(exp_bounded)(gap, false, 0));
    return F(pick)(gap != gap, gap, result);
}

static inline T F(logaddexp2)(T x, T y)
{
    T gap = F(log_gap)(x, y, K(1080.0, 152.0));
    T larger = F(pick)(CNI_LESS(y, x), x, y), rest = F(log1p)(F(exp2_bounded)(gap, false, 0));
    T result = F(pick)(gap == 0, larger + 1, FMA(C(LOG2_E), rest, larger));
    return F(pick)(gap != gap, gap, result);
}

/* a + sqrt(a**2 + 1) - 1 and what it lacks, with the root in two parts. */
static inline F(pair) F(arcsinh_plus)(T a)
{
    T square = a * a, square_low = FMA(a, a, -square), sum = 1 + square;
    T root = B(sqrt)(sum), beyond = root - 1;
    T inverse = FMA(FMA(K(0.5, 0.5), beyond, K(-0.5, -0.5)), beyond, K(0.5, 0.5)); /* of 2 root, better for smaller a */
    T root_low = (FMA(-root, root, sum) + (((1 - sum) + square) + square_low)) * inverse;
    T f = a + beyond, low = ((a - f) + beyond) + F(pick)(CNI_LESS(a, 1), root_low, 0);
    return F(pair_of)(f, low);
}

static inline bool F(arcsinh_far)(T x)
{
    return !CNI_LESS_EQUAL(B(fabs)(x), K(0x1p30, 0x1p13));
}

/* The logarithm of a + sqrt(a**2 + 1); of 2 a where 1 is lost. */
static inline T F(arcsinh)(T x)
{
    T magnitude = B(fabs)(x);
    bool big = CNI_LESS(K(0x1p30, 0x1p13), magnitude);
    F(pair) plus = F(arcsinh_plus)(F(pick)(big, 1, magnitude));
    T result = F(log_plus)(F(pick)(big, magnitude - 1, plus.hi), F(pick)(big, 0, plus.lo), F(pick)(big, 1, 0));
    return B(copysign)(result, x);
}

static inline T F(arcsinh_near)(T x)
{
    F(pair) plus = F(arcsinh_plus)(B(fabs)(x));
    return B(copysign)(F(log_plus_of)(plus.hi, plus.lo, 0, false, false), x);
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

static inline bool F(arccosh_far)(T x)
{
    return !(CNI_LESS_EQUAL(1, x) & CNI_LESS_EQUAL(x, K(0x1p30, 0x1p13)));
}

static inline T F(arccosh_near)(T x)
{
    T root = B(sqrt)(FMA(x, x, -1)), u = x - 1, f = u + root;
    return F(log_plus_of)(f, (root - f) + u, 0, false, false);
}

/* Half of log((1 + a) / (1 - a)), powers of two taken out before the one division; below 1/6, atanh(q) with q = a. */
static inline T F(arctanh_of)(T x, bool outside)
{
    T magnitude = B(fabs)(x);
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
    T q = F(log_finite)(quotient), z = q * q, lost = FMA(-q, bottom.hi, top) + FMA(-q, bottom.lo, top_low);
    T inverse = FMA(K(-0.5, -0.5), bottom.hi - 2, 1); /* 2 / bottom to a few bits */
    F(pair) log = {2 * q, FMA(q * z, F(poly_log)(z), lost * inverse)};
    T result = K(0.5, 0.5) * F(pick)(outside, quotient + quotient, F(log_sum)(exponent, log));
    return B(copysign)(F(pick)(CNI_LESS(K(0x1p-28, 0x1p-13), magnitude), result, magnitude), x);
}

static inline T F(arctanh)(T x)
{
    return F(arctanh_of)(x, CNI_LESS_EQUAL(1, B(fabs)(x)));
}

static inline bool F(arctanh_far)(T x)
{
    return !CNI_LESS(B(fabs)(x), 1);
}

static inline T F(arctanh_near)(T x)
{
    return F(arctanh_of)(x, false);
}
