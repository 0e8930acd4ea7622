/*
 * vmath_short.h - what some functions of float32 are made of: logarithm and power in float64, to a little more than
 * float32's digits. No division, no second words; included by vmath.h, once.
 */

/* log2(m 2**n) from m - 1 of float32's mantissas, 2**-32 in relation to it. */
static inline double cni_short_log2(float f, float n)
{
    return CNI_FMA((double)f, cni_poly_short_log2_f64((double)f), (double)n);
}

/* 2**x, |x| < 1000 or a NaN, to 2**-28 before it is rounded, with the flags of that. */
static inline float cni_short_exp2(double x)
{
    double magic = x + 0x1.8p52, r = x - (magic - 0x1.8p52);
    return (float)(cni_poly_short_exp2_f64(r) * cni_power2_f64(magic));
}
