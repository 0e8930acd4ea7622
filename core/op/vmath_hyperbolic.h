/*
 * vmath_hyperbolic.h - sinh, cosh, tanh; included by vmath.h for each type.
 *
 * |x| = n ln 2 + r; with w = 4**-n, 2 sinh and 2 cosh of |x| are 2**n times (1 -+ w) cosh(r) + (1 +- w) sinh(r). Nothing
 * cancels, and for n = 0 what is left of sinh is small with x.
 */

/* hi: 2 sinh / 2**n; lo: 2 cosh / 2**n; MAGIC + n. */
static inline F(pair) F(hyperbolic)(T magnitude, T *magic)
{
    *magic = FMA(magnitude, C(LOG2_E), MAGIC);
    T n = *magic - MAGIC;
    T rest = FMA(-n, C(LN2), magnitude), r = FMA(-n, C(LN2_LO), rest), z = r * r;
    T w = F(pick)(CNI_LESS(K(40.0, 20.0), n), 0, F(power2)(FMA(n, -2, MAGIC)));
    T less = 1 - w, more = 1 + w, less_low = (1 - less) - w, more_low = (1 - more) + w;
    T cosh = z * F(poly_cosh)(z), sinh = FMA(r * z, F(poly_sinh)(z), FMA(-n, C(LN2_LO), rest - r)); /* less 1 and r */
    T first = FMA(more, r, less), first_low = FMA(more, r, less - first) + FMA(less, cosh, FMA(more, sinh, less_low));
    T second = FMA(less, r, more), second_low = FMA(less, r, more - second) + FMA(more, cosh, FMA(less, sinh, more_low));
    return (F(pair)){first + first_low, second + second_low};
}

static inline T F(sinh)(T x)
{
    T magnitude = B(fabs)(x), magic;
    bool over = CNI_LESS(K(710.5, 89.5), magnitude);
    F(pair) parts = F(hyperbolic)(F(pick)(over, 0, magnitude), &magic);
    return B(copysign)(F(scaled)(parts.hi, magic - 1, over, magnitude), x);
}

static inline T F(cosh)(T x)
{
    T magnitude = B(fabs)(x), magic;
    bool over = CNI_LESS(K(710.5, 89.5), magnitude);
    F(pair) parts = F(hyperbolic)(F(pick)(over, 0, magnitude), &magic);
    return F(scaled)(parts.lo, magic - 1, over, magnitude);
}

static inline T F(tanh)(T x)
{
    T magnitude = B(fabs)(x), magic;
    F(pair) parts = F(hyperbolic)(F(pick)(CNI_LESS(K(22.0, 10.0), magnitude), K(22.0, 10.0), magnitude), &magic);
    return B(copysign)(parts.hi / parts.lo, x);
}
