/*
 * vmath_complex.h - the complex functions on top of vmath.h's: exp, logarithms, sqrt here, the rest in the files
 * included.
 *
 * Special values as C's Annex G. Everything is computed in float64, complex64 too. All but sqrt branch: loops of theirs
 * are vector code by near forms (vmath_complex_near.h). The error is a few ulp of the modulus, near branch points and |z| = 1 too: docs/vmath.md.
 */
#ifndef CNI_VMATH_COMPLEX_H
#define CNI_VMATH_COMPLEX_H

#include "op/complex.h"
#include "op/vmath.h"

#define INF cni_value_f64(0x7FF0000000000000u)
#define NOT_A_NUMBER cni_value_f64(0x7FF8000000000000u)

static inline cni_c128 cni_make_c128(double re, double im)
{
    cni_c128 z = {re, im};
    return z;
}

static inline cni_c64 cni_make_c64(float re, float im)
{
    cni_c64 z = {re, im};
    return z;
}

static inline bool cni_is_nan(double x)
{
    return x != x;
}

static inline bool cni_is_finite(double x)
{
    return CNI_BUILTIN(isfinite)(x) != 0;
}

/* The sum a + b + c + d, accurate where it cancels. */
static inline cni_pair_f64 cni_sum_of_four(double a, double b, double c, double d)
{
    cni_pair_f64 first = cni_two_sum_f64(a, b), second = cni_two_sum_f64(c, d);
    cni_pair_f64 sum = cni_two_sum_f64(first.hi, second.hi);
    return cni_two_sum_f64(sum.hi, sum.lo + (first.lo + second.lo));
}

/* e**x (cos y + i sin y) * scale, without overflow on the way; x and y finite, scale 1, -1, 1/2 or -1/2. */
static inline cni_c128 cni_exp_polar(double x, double y, double scale)
{
    double half = CNI_BUILTIN(fabs)(x) > 700 ? cni_exp_f64(0.5 * x) : cni_exp_f64(x),
           other = CNI_BUILTIN(fabs)(x) > 700 ? half : 1;
    return cni_make_c128(half * scale * cni_cos_f64(y) * other, half * scale * cni_sin_f64(y) * other);
}

static inline cni_c128 cni_exp_c128(cni_c128 z)
{
    if (z.im == 0) {
        return cni_make_c128(cni_exp_f64(z.re), z.im);
    }
    if (cni_is_finite(z.im)) {
        if (cni_is_finite(z.re)) {
            return cni_exp_polar(z.re, z.im, 1);
        }
        if (cni_is_nan(z.re)) {
            return cni_make_c128(z.re, z.re);
        }
        double size = z.re > 0 ? INF : 0;
        return cni_make_c128(size * cni_cos_f64(z.im), size * cni_sin_f64(z.im));
    }
    double nothing = z.im - z.im; /* invalid for an infinity */
    if (CNI_BUILTIN(isinf)(z.re)) {
        return z.re > 0 ? cni_make_c128(z.re, nothing) : cni_make_c128(0, CNI_BUILTIN(copysign)(0.0, z.im));
    }
    return cni_make_c128(nothing, nothing);
}

static inline cni_c128 cni_exp2_c128(cni_c128 z)
{
    if (z.im == 0) {
        return cni_make_c128(cni_exp2_f64(z.re), z.im);
    }
    double angle = z.im * CNI_LN2_FULL_f64;
    if (!(CNI_BUILTIN(fabs)(z.re) < 1000) || !(CNI_BUILTIN(fabs)(z.im) < 0x1p500)) {
        return cni_exp_c128(cni_make_c128(z.re * CNI_LN2_FULL_f64, angle));
    }
    double lost = CNI_FMA(z.im, CNI_LN2_FULL_f64, -angle) + z.im * CNI_LN2_FULL_LO_f64; /* the angle's rounding */
    double size = cni_exp2_f64(z.re), cosine = cni_cos_f64(angle), sine = cni_sin_f64(angle);
    return cni_make_c128(size * CNI_FMA(-lost, sine, cosine), size * CNI_FMA(lost, cosine, sine));
}

/* (e**x - 1) cos y - 2 sin(y/2)**2 + i e**x sin y */
static inline cni_c128 cni_expm1_c128(cni_c128 z)
{
    if (z.im == 0) {
        return cni_make_c128(cni_expm1_f64(z.re), z.im);
    }
    if (!cni_is_finite(z.re) || !cni_is_finite(z.im) || z.re > 700) {
        cni_c128 e = cni_exp_c128(z);
        return cni_make_c128(e.re - 1, e.im);
    }
    double half = cni_sin_f64(0.5 * z.im), grown = cni_expm1_f64(z.re), cosine = cni_cos_f64(z.im);
    double first = grown * cosine, second = half * half;
    double lost = CNI_FMA(grown, cosine, -first) - 2 * CNI_FMA(half, half, -second);
    cni_pair_f64 sum = cni_two_sum_f64(first, -2 * second);
    return cni_make_c128(sum.hi + (sum.lo + lost), cni_exp_f64(z.re) * cni_sin_f64(z.im));
}

/* log|z| for what is finite and not 0; near 1 from |z|**2 - 1, which is summed exactly. */
static inline double cni_log_modulus(double x, double y)
{
    double high = CNI_BUILTIN(fabs)(x), low = CNI_BUILTIN(fabs)(y);
    if (high < low) {
        double other = high;
        high = low;
        low = other;
    }
    if (high > 0.5 && high < 1.5 && low < 1.5) {
        double p = high * high, q = low * low;
        double p_low = CNI_FMA(high, high, -p), q_low = CNI_FMA(low, low, -q);
        cni_pair_f64 less = cni_two_sum_f64(p, -1), excess = cni_sum_of_four(less.hi, q, p_low + less.lo, q_low);
        if (excess.hi > -0.5 && excess.hi < 2) {
            return 0.5 * cni_log_plus_f64(excess.hi, excess.lo, 0);
        }
    }
    double scale = high > 0x1p1000   ? 0x1p-64
                   : high < 0x1p-900 ? 0x1p128
                                     : 1,
           more = high > 0x1p1000   ? 64
                  : high < 0x1p-900 ? -128
                                    : 0;
    double logarithm = cni_log_f64(cni_hypot_f64(high * scale, low * scale));
    return more == 0 ? logarithm : CNI_FMA(more, CNI_LN2_FULL_f64, logarithm);
}

static inline cni_c128 cni_log_c128(cni_c128 z)
{
    double angle = cni_arctan2_f64(z.im, z.re);
    if (CNI_BUILTIN(isinf)(z.re) || CNI_BUILTIN(isinf)(z.im)) {
        return cni_make_c128(INF, angle);
    }
    if (cni_is_nan(z.re) || cni_is_nan(z.im)) {
        return cni_make_c128(NOT_A_NUMBER, NOT_A_NUMBER);
    }
    if (z.re == 0 && z.im == 0) {
        return cni_make_c128(-1 / CNI_BUILTIN(fabs)(z.re), angle);
    }
    return cni_make_c128(cni_log_modulus(z.re, z.im), angle);
}

static inline cni_c128 cni_log2_c128(cni_c128 z)
{
    cni_c128 natural = cni_log_c128(z);
    return cni_make_c128(natural.re * CNI_LOG2_E_f64, natural.im * CNI_LOG2_E_f64);
}

static inline cni_c128 cni_log10_c128(cni_c128 z)
{
    cni_c128 natural = cni_log_c128(z);
    return cni_make_c128(natural.re * CNI_LOG10_E_f64, natural.im * CNI_LOG10_E_f64);
}

/* log(1 + z); where |1 + z| is near 1, from |1 + z|**2 - 1 = 2 x + x**2 + y**2. */
static inline cni_c128 cni_log1p_c128(cni_c128 z)
{
    double x = z.re, y = z.im;
    if (CNI_LESS(CNI_BUILTIN(fabs)(x), 3) && CNI_LESS(CNI_BUILTIN(fabs)(y), 2)) {
        double p = x * x, q = y * y;
        cni_pair_f64 excess = cni_sum_of_four(2 * x, q, p, CNI_FMA(x, x, -p) + CNI_FMA(y, y, -q));
        if (excess.hi > -0.5 && excess.hi < 2) {
            return cni_make_c128(0.5 * cni_log_plus_f64(excess.hi, excess.lo, 0), cni_arctan2_f64(y, 1 + x));
        }
    }
    return cni_log_c128(cni_make_c128(x + 1, y));
}

/*
 * Half the sum of |z| and |x| under a root, the other part by division; scaled where the sum or its parts would not be
 * normal. Without branches, as vmath.h's functions.
 */
CNI_WHOLE cni_c128 cni_sqrt_c128(cni_c128 z)
{
    double x = z.re, y = z.im, right = CNI_BUILTIN(fabs)(x), up = CNI_BUILTIN(fabs)(y);
    /* By bits: vectors would tell of a NaN that is compared. */
    uint64_t of_x = cni_bits_f64(right), of_y = cni_bits_f64(up), endless = cni_bits_f64(INF);
    bool apart = (of_x >= endless) | (of_y >= endless), left = cni_bits_f64(x) > cni_bits_f64(-0.0);
    double a = cni_pick_f64(apart, 1, right), b = cni_pick_f64(apart, 0, up);
    double most = cni_pick_f64(CNI_LESS(a, b), b, a);
    bool big = CNI_LESS(0x1p1000, most), small = CNI_LESS(most, 0x1p-900);
    double scale = cni_pick_f64(big, 0x1p-110, cni_pick_f64(small, 0x1p110, 1));
    double back = cni_pick_f64(big, 0x1p55, cni_pick_f64(small, 0x1p-55, 1));
    a *= scale;
    b *= scale;
    double root = CNI_BUILTIN(sqrt)(0.5 * (a + cni_hypot_f64(a, b)));
    double other = b / cni_pick_f64(root == 0, 1, 2 * root);
    double re = cni_pick_f64(left, other, root) * back, im = cni_pick_f64(left, root, other) * back;
    /* Apart: beside an infinite imaginary part nothing counts, beside an infinite real one 0 or a NaN is left. */
    bool level = of_y != endless, far = level & (of_x == endless);
    double rest = cni_pick_f64(of_y > endless, y, 0),
           beside = cni_pick_f64(far, cni_pick_f64(left, INF, rest), NOT_A_NUMBER);
    double ahead = cni_pick_f64(far, cni_pick_f64(left, rest, INF), NOT_A_NUMBER);
    re = cni_pick_f64(apart, cni_pick_f64(level, ahead, INF), re);
    im = cni_pick_f64(apart, cni_pick_f64(level, beside, INF), im);
    return cni_make_c128(re, CNI_BUILTIN(copysign)(im, y));
}

#include "op/vmath_complex_trig.h"
#include "op/vmath_complex_arc.h"

/* e**(b log(a)), a not 0, b not a small whole number. */
static inline cni_c128 cni_pow_general(cni_c128 a, cni_c128 b)
{
    cni_c128 log = cni_log_c128(a);
    return cni_exp_c128(cni_make_c128(b.re * log.re - b.im * log.im, CNI_FMA(b.re, log.im, b.im * log.re)));
}

#include "op/vmath_complex_near.h"

/* complex64 by complex128 */
#define CNI_COMPLEX64(name)                                                                                            \
    static inline cni_c64 cni_##name##_c64(cni_c64 z)                                                                  \
    {                                                                                                                  \
        cni_c128 result = cni_##name##_c128(cni_make_c128((double)z.re, (double)z.im));                                \
        return cni_make_c64((float)result.re, (float)result.im);                                                       \
    }
/* clang-format off */
CNI_COMPLEX64(exp) CNI_COMPLEX64(exp2) CNI_COMPLEX64(expm1) CNI_COMPLEX64(log) CNI_COMPLEX64(log2) CNI_COMPLEX64(log10)
CNI_COMPLEX64(log1p) CNI_COMPLEX64(sin) CNI_COMPLEX64(cos) CNI_COMPLEX64(tan) CNI_COMPLEX64(arcsin)
CNI_COMPLEX64(arccos) CNI_COMPLEX64(arctan) CNI_COMPLEX64(sinh) CNI_COMPLEX64(cosh) CNI_COMPLEX64(tanh)
CNI_COMPLEX64(arcsinh) CNI_COMPLEX64(arccosh) CNI_COMPLEX64(arctanh)
/* clang-format on */
#undef CNI_COMPLEX64

                CNI_WHOLE cni_c64 cni_sqrt_c64(cni_c64 z)
{
    cni_c128 result = cni_sqrt_c128(cni_make_c128((double)z.re, (double)z.im));
    return cni_make_c64((float)result.re, (float)result.im);
}

#define T double
#define C cni_c128
#define S(name) name##_c128
#include "op/vmath_complex_more.h"
#define T float
#define C cni_c64
#define S(name) name##_c64
#include "op/vmath_complex_more.h"

#undef INF
#undef NOT_A_NUMBER

#endif
