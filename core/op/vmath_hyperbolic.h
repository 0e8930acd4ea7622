/*
 * vmath_hyperbolic.h - sinh, cosh, tanh; included by vmath.h for each type.
 *
 * |x| = n ln 2 + r; with w = 4**-n, 2 sinh and 2 cosh of |x| are 2**n times (1 -+ w) cosh(r) + (1 +- w) sinh(r).
 * Nothing cancels, and for n = 0 what is left of sinh is small with x.
 */

/* 2 sinh / 2**n and 2 cosh / 2**n, each a large and a small part; MAGIC + n. */
static inline void F(hyperbolic)(T magnitude, T *magic, F(pair) * sine, F(pair) * cosine)
{
    *magic = FMA(magnitude, C(LOG2_E), MAGIC);
    T n = *magic - MAGIC;
    T rest = FMA(-n, C(LN2), magnitude), r = FMA(-n, C(LN2_LO), rest), z = r * r;
    T w = F(pick)(CNI_LESS(K(40.0, 20.0), n), 0, F(power2)(FMA(n, -2, MAGIC)));
    T less = 1 - w, more = 1 + w, less_low = (1 - less) - w, more_low = (1 - more) + w;
    T cosh = z * F(poly_cosh)(z), sinh = FMA(r * z, F(poly_sinh)(z), FMA(-n, C(LN2_LO), rest - r)); /* less 1 and r */
    sine->hi = FMA(more, r, less);
    sine->lo = FMA(more, r, less - sine->hi) + FMA(less, cosh, FMA(more, sinh, less_low));
    cosine->hi = FMA(less, r, more);
    cosine->lo = FMA(less, r, more - cosine->hi) + FMA(more, cosh, FMA(less, sinh, more_low));
}

static inline T F(sinh)(T x)
{
    T magnitude = B(fabs)(x), magic;
    bool over = CNI_LESS(K(710.5, 89.5), magnitude);
    F(pair) sine, cosine;
    F(hyperbolic)(F(pick)(over, 0, magnitude), &magic, &sine, &cosine);
    return B(copysign)(F(scaled)(sine.hi + sine.lo, magic - 1, over, magnitude), x);
}

static inline T F(cosh)(T x)
{
    T magnitude = B(fabs)(x), magic;
    bool over = CNI_LESS(K(710.5, 89.5), magnitude);
    F(pair) sine, cosine;
    F(hyperbolic)(F(pick)(over, 0, magnitude), &magic, &sine, &cosine);
    return F(scaled)(cosine.hi + cosine.lo, magic - 1, over, magnitude);
}

static inline bool F(hyperbolic_far)(T x)
{
    return F(bits)(B(fabs)(x)) >= F(bits)(K(708.0, 87.0));
}

static inline T F(sinh_near)(T x)
{
    T magic;
    F(pair) sine, cosine;
    F(hyperbolic)(B(fabs)(x), &magic, &sine, &cosine);
    return B(copysign)((sine.hi + sine.lo) * F(power2)(magic - 1), x);
}

static inline T F(cosh_near)(T x)
{
    T magic;
    F(pair) sine, cosine;
    F(hyperbolic)(B(fabs)(x), &magic, &sine, &cosine);
    return (cosine.hi + cosine.lo) * F(power2)(magic - 1);
}

/* With u = e**(2 |x|) - 1: u / (u + 2), in half the steps; float64 would lose 2.2 ulp, float32 1.9. */
static inline T F(tanh_grown)(T x)
{
    T magnitude = B(fabs)(x), twice = 2 * F(pick)(CNI_LESS(K(22.0, 10.0), magnitude), K(22.0, 10.0), magnitude);
    T magic = FMA(twice, C(LOG2_E), MAGIC), n = magic - MAGIC, power = F(power2)(magic);
    T r = FMA(-n, C(LN2_LO), FMA(-n, C(LN2), twice));
    T u = FMA(power, r * r * F(poly_exp)(r), FMA(power, r, power - 1));
    return B(copysign)(u / (u + 2), x);
}

/* The quotient, corrected for the rounding of its numerator by an inverse of some bits: 1 <= bottom < 3. */
static inline T F(tanh)(T x)
{
    T magnitude = B(fabs)(x), magic;
    if (sizeof(T) == 4) {
        return F(tanh_grown)(x);
    }
    F(pair) sine, cosine;
    F(hyperbolic)(F(pick)(CNI_LESS(K(22.0, 10.0), magnitude), K(22.0, 10.0), magnitude), &magic, &sine, &cosine);
    T top = sine.hi + sine.lo, top_low = (sine.hi - top) + sine.lo, bottom = cosine.hi + cosine.lo;
    T inverse = FMA(FMA(K(0.15, 0.15), bottom, K(-0.9, -0.9)), bottom, K(1.7, 1.7));
    return B(copysign)(FMA(top_low, inverse, top / bottom), x);
}
