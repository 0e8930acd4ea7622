/*
 * vmath_exp.h - exp, exp2, expm1; included by vmath.h for each type.
 *
 * x = n ln 2 + r, |r| <= ln 2 / 2 (Cody and Waite, the first product exact); e**r = 1 + r + r**2 poly(r); scaling by
 * two powers, of which the second product rounds and raises overflow or underflow.
 */

static inline T F(exp)(T x)
{
    bool infinite = B(fabs)(x) == INF;
    T finite = F(pick)(infinite, 0, F(clamped)(x, K(-746.0, -104.0), K(710.0, 89.0)));
    T magic = FMA(finite, C(LOG2_E), MAGIC), n = magic - MAGIC;
    T r = FMA(-n, C(LN2_LO), FMA(-n, C(LN2), finite));
    T p = 1 + FMA(r * r, F(poly_exp)(r), r);
    p = F(pick)(infinite, F(pick)(x == INF, x, 0), p); /* infinity times a power of two raises nothing */
    return F(scaled)(p, n);
}

static inline T F(exp2)(T x)
{
    bool infinite = B(fabs)(x) == INF;
    T finite = F(pick)(infinite, 0, F(clamped)(x, K(-1080.0, -152.0), K(1025.0, 129.0)));
    T n = (finite + MAGIC) - MAGIC, r = finite - n;
    T p = 1 + FMA(r, C(LN2_FULL), r * FMA(r, F(poly_exp2)(r), C(LN2_FULL_LO)));
    p = F(pick)(infinite, F(pick)(x == INF, x, 0), p);
    return F(scaled)(p, n);
}

/* 2**n ((e**r - 1) + (1 - 2**-n)): for n = 0 only the first term, which is small with x. */
static inline T F(expm1)(T x)
{
    bool infinite = B(fabs)(x) == INF;
    T finite = F(pick)(infinite, 0, F(clamped)(x, K(-40.0, -20.0), K(710.0, 89.0)));
    T magic = FMA(finite, C(LOG2_E), MAGIC), n = magic - MAGIC;
    T r = FMA(-n, C(LN2_LO), FMA(-n, C(LN2), finite));
    T inverse = F(pick)(CNI_LESS(K(64.0, 32.0), n), 0, F(power2)(MAGIC - n));
    T p = FMA(r * r, F(poly_exp)(r), r) + (1 - inverse);
    T result = F(scaled)(p, n);
    result = F(pick)(infinite, F(pick)(x == INF, x, -1), result);
    return B(copysign)(result, x);
}
