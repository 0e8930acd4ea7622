/*
 * vmath_exp.h - exp, exp2, expm1; included by vmath.h for each type.
 *
 * x = n ln 2 + r, |r| <= ln 2 / 2 (Cody and Waite, the first product exact); e**r = 1 + r + r**2 poly(r); scaling by
 * two powers, of which the second product rounds and raises overflow or underflow.
 */

/* e**bounded, bounded not far beyond underflow; or, where over, infinity as scaled makes it of x. */
static inline T F(exp_bounded)(T bounded, bool over, T x)
{
    T magic = FMA(bounded, C(LOG2_E), MAGIC), n = magic - MAGIC;
    T r = FMA(-n, C(LN2_LO), FMA(-n, C(LN2), bounded));
    return F(scaled)(1 + FMA(r * r, F(poly_exp)(r), r), magic, over, x);
}

static inline T F(exp)(T x)
{
    bool over = CNI_LESS(K(709.8, 88.8), x);
    T bounded = F(pick)(CNI_LESS(x, K(-746.0, -104.0)), K(-746.0, -104.0), F(pick)(over, 0, x));
    return F(exp_bounded)(bounded, over, x);
}

/* Results are normal. */
static inline bool F(exp_far)(T x)
{
    return F(bits)(B(fabs)(x)) >= F(bits)(K(708.0, 87.0));
}

static inline T F(exp_near)(T x)
{
    T magic = FMA(x, C(LOG2_E), MAGIC), n = magic - MAGIC;
    T r = FMA(-n, C(LN2_LO), FMA(-n, C(LN2), x));
    return (1 + FMA(r * r, F(poly_exp)(r), r)) * F(power2)(magic);
}

static inline T F(exp2_bounded)(T bounded, bool over, T x)
{
    T magic = bounded + MAGIC, r = bounded - (magic - MAGIC);
    T p = 1 + FMA(r, C(LN2_FULL), r * FMA(r, F(poly_exp2)(r), C(LN2_FULL_LO)));
    return F(scaled)(p, magic, over, x);
}

static inline T F(exp2)(T x)
{
    bool over = CNI_LESS_EQUAL(K(1024.0, 128.0), x);
    T bounded = F(pick)(CNI_LESS(x, K(-1080.0, -152.0)), K(-1080.0, -152.0), F(pick)(over, 0, x));
    return F(exp2_bounded)(bounded, over, x);
}

static inline bool F(exp2_far)(T x)
{
    return F(bits)(B(fabs)(x)) >= F(bits)(K(1021.0, 125.0));
}

static inline T F(exp2_near)(T x)
{
    T magic = x + MAGIC, r = x - (magic - MAGIC);
    return (1 + FMA(r, C(LN2_FULL), r * FMA(r, F(poly_exp2)(r), C(LN2_FULL_LO)))) * F(power2)(magic);
}

/* e**bounded - 1 is this times a power of two, whose exponent is in *magic: 2**n ((e**r - 1) + (1 - 2**-n)); for n = 0
   only the first term, which is small with x. */
static inline T F(expm1_part)(T bounded, T *magic)
{
    *magic = FMA(bounded, C(LOG2_E), MAGIC);
    T n = *magic - MAGIC, r = FMA(-n, C(LN2_LO), FMA(-n, C(LN2), bounded));
    T inverse = F(pick)(CNI_LESS(K(64.0, 32.0), n), 0, F(power2)(MAGIC - n));
    return FMA(r * r, F(poly_exp)(r), r) + (1 - inverse);
}

static inline T F(expm1)(T x)
{
    bool over = CNI_LESS(K(709.8, 88.8), x);
    T bounded = F(pick)(CNI_LESS(x, K(-40.0, -20.0)), K(-40.0, -20.0), F(pick)(over, 0, x)), magic;
    T p = F(expm1_part)(bounded, &magic);
    return B(copysign)(F(scaled)(p, magic, over, x), x);
}

static inline bool F(expm1_far)(T x)
{
    return !(CNI_LESS_EQUAL(K(-40.0, -20.0), x) & CNI_LESS(x, K(708.0, 87.0)));
}

static inline T F(expm1_near)(T x)
{
    T magic, p = F(expm1_part)(x, &magic);
    return B(copysign)(p * F(power2)(magic), x);
}
