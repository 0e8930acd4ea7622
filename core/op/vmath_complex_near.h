/*
 * vmath_complex_near.h - forms of complex functions without branches, which loops are made vectors of; included by
 * vmath_complex.h, of whose functions these are the bits where cni_<f>_far_c128 gives 0.
 *
 * Tests are on bits, NaNs and infinities are far: events that a complex loop has are believed. So no step may have one
 * whose result is not used; operands are replaced first.
 */

#define BITS(x) cni_bits_f64(x)
#define SIZE(x) cni_bits_f64(CNI_BUILTIN(fabs)(x))
#define ABOVE(x, limit) (SIZE(x) > BITS(limit))
#define ANGLE 0x1p45 /* cni_far_f64 */

/* ---- Exponentials ---- */

CNI_WHOLE uint64_t cni_exp_far_c128(cni_c128 z)
{
    return ABOVE(z.re, 700.0) | ABOVE(z.im, ANGLE);
}

CNI_WHOLE cni_c128 cni_exp_near_c128(cni_c128 z)
{
    double size = cni_exp_near_f64(z.re);
    return cni_make_c128(size * cni_cos_near_f64(z.im), size * cni_sin_near_f64(z.im));
}

CNI_WHOLE uint64_t cni_exp2_far_c128(cni_c128 z)
{
    return ABOVE(z.re, 999.0) | ABOVE(z.im, ANGLE);
}

CNI_WHOLE cni_c128 cni_exp2_near_c128(cni_c128 z)
{
    double angle = z.im * CNI_LN2_FULL_f64;
    double lost = CNI_FMA(z.im, CNI_LN2_FULL_f64, -angle) + z.im * CNI_LN2_FULL_LO_f64;
    double size = cni_exp2_near_f64(z.re), cosine = cni_cos_near_f64(angle), sine = cni_sin_near_f64(angle);
    double im = size * CNI_FMA(lost, cosine, sine);
    return cni_make_c128(size * CNI_FMA(-lost, sine, cosine), cni_pick_f64(z.im == 0, z.im, im));
}

CNI_WHOLE uint64_t cni_expm1_far_c128(cni_c128 z)
{
    return ABOVE(z.re, 700.0) | (BITS(z.re) > BITS(-40.0)) | ABOVE(z.im, ANGLE);
}

CNI_WHOLE cni_c128 cni_expm1_near_c128(cni_c128 z)
{
    double half = cni_sin_near_f64(0.5 * z.im), grown = cni_expm1_near_f64(z.re), cosine = cni_cos_near_f64(z.im);
    double first = grown * cosine, second = half * half;
    double lost = CNI_FMA(grown, cosine, -first) - 2 * CNI_FMA(half, half, -second);
    cni_pair_f64 sum = cni_two_sum_f64(first, -2 * second);
    return cni_make_c128(cni_pick_f64(z.im == 0, grown, sum.hi + (sum.lo + lost)),
                         cni_exp_near_f64(z.re) * cni_sin_near_f64(z.im));
}

/* ---- Logarithms ---- */

/* The modulus is 0, not finite, or scaled by cni_log_modulus. */
CNI_WHOLE uint64_t cni_log_far_c128(cni_c128 z)
{
    uint64_t re = SIZE(z.re), im = SIZE(z.im), most = re < im ? im : re;
    return most - BITS(0x1p-900) > BITS(0x1p1000) - BITS(0x1p-900);
}

/* Whether |z| is near 1, and |z|**2 - 1 there. */
CNI_WHOLE bool cni_log_close(double high, double low, cni_pair_f64 *excess)
{
    bool close = CNI_LESS(0.5, high) & CNI_LESS(high, 1.5);
    double x = cni_pick_f64(close, high, 1), y = cni_pick_f64(close, low, 0), p = x * x, q = y * y;
    double p_low = CNI_FMA(x, x, -p), q_low = CNI_FMA(y, y, -q);
    cni_pair_f64 less = cni_two_sum_f64(p, -1);
    *excess = cni_sum_of_four(less.hi, q, p_low + less.lo, q_low);
    return close & CNI_LESS(-0.5, excess->hi) & CNI_LESS(excess->hi, 2);
}

/* log|z|, from |z|**2 - 1 where close. */
CNI_WHOLE double cni_log_modulus_near(double high, double low, bool close, cni_pair_f64 excess)
{
    double f = cni_pick_f64(close, excess.hi, 0), f_low = cni_pick_f64(close, excess.lo, 0);
    double far = cni_log_near_f64(cni_hypot_f64(high, low));
    return cni_pick_f64(close, 0.5 * cni_log_plus_of_f64(f, f_low, 0, false, false), far);
}

CNI_WHOLE cni_c128 cni_log_near_c128(cni_c128 z)
{
    double re = CNI_BUILTIN(fabs)(z.re), im = CNI_BUILTIN(fabs)(z.im);
    bool swap = CNI_LESS(re, im);
    double high = cni_pick_f64(swap, im, re), low = cni_pick_f64(swap, re, im);
    cni_pair_f64 excess;
    bool close = cni_log_close(high, low, &excess);
    return cni_make_c128(cni_log_modulus_near(high, low, close, excess), cni_arctan2_f64(z.im, z.re));
}

CNI_WHOLE cni_c128 cni_log2_near_c128(cni_c128 z)
{
    cni_c128 natural = cni_log_near_c128(z);
    return cni_make_c128(natural.re * CNI_LOG2_E_f64, natural.im * CNI_LOG2_E_f64);
}

CNI_WHOLE cni_c128 cni_log10_near_c128(cni_c128 z)
{
    cni_c128 natural = cni_log_near_c128(z);
    return cni_make_c128(natural.re * CNI_LOG10_E_f64, natural.im * CNI_LOG10_E_f64);
}

CNI_WHOLE uint64_t cni_log1p_far_c128(cni_c128 z)
{
    return cni_log_far_c128(cni_make_c128(z.re + 1, z.im));
}

CNI_WHOLE cni_c128 cni_log1p_near_c128(cni_c128 z)
{
    double one = z.re + 1, re = CNI_BUILTIN(fabs)(one), im = CNI_BUILTIN(fabs)(z.im);
    bool inside = CNI_LESS(CNI_BUILTIN(fabs)(z.re), 3) & CNI_LESS(im, 2), swap = CNI_LESS(re, im);
    double x = cni_pick_f64(inside, z.re, 0), y = cni_pick_f64(inside, z.im, 0), p = x * x, q = y * y;
    cni_pair_f64 excess = cni_sum_of_four(2 * x, q, p, CNI_FMA(x, x, -p) + CNI_FMA(y, y, -q)), other;
    inside &= CNI_LESS(-0.5, excess.hi) & CNI_LESS(excess.hi, 2);
    double high = cni_pick_f64(swap, im, re), low = cni_pick_f64(swap, re, im);
    bool close = cni_log_close(high, low, &other) | inside;
    excess.hi = cni_pick_f64(inside, excess.hi, other.hi);
    excess.lo = cni_pick_f64(inside, excess.lo, other.lo);
    return cni_make_c128(cni_log_modulus_near(high, low, close, excess), cni_arctan2_f64(z.im, one));
}

/* ---- Hyperbolics and, turned by i, sines ---- */

CNI_WHOLE uint64_t cni_sinh_far_c128(cni_c128 z)
{
    return (SIZE(z.re) >= BITS(700.0)) | ABOVE(z.im, ANGLE);
}

CNI_WHOLE cni_c128 cni_sinh_near_c128(cni_c128 z)
{
    return cni_make_c128(cni_sinh_near_f64(z.re) * cni_cos_near_f64(z.im),
                         cni_cosh_near_f64(z.re) * cni_sin_near_f64(z.im));
}

CNI_WHOLE cni_c128 cni_cosh_near_c128(cni_c128 z)
{
    return cni_make_c128(cni_cosh_near_f64(z.re) * cni_cos_near_f64(z.im),
                         cni_sinh_near_f64(z.re) * cni_sin_near_f64(z.im));
}

CNI_WHOLE uint64_t cni_sin_far_c128(cni_c128 z)
{
    return cni_sinh_far_c128(cni_make_c128(z.im, z.re));
}

CNI_WHOLE cni_c128 cni_sin_near_c128(cni_c128 z)
{
    cni_c128 turned = cni_sinh_near_c128(cni_make_c128(-z.im, z.re));
    return cni_make_c128(turned.im, -turned.re);
}

CNI_WHOLE cni_c128 cni_cos_near_c128(cni_c128 z)
{
    return cni_cosh_near_c128(cni_make_c128(-z.im, z.re));
}

/* The imaginary part is 0, too: there the function of real numbers has its own bits. */
CNI_WHOLE uint64_t cni_tanh_far_c128(cni_c128 z)
{
    return ABOVE(z.re, 22.0) | ABOVE(z.im, ANGLE) | (SIZE(z.im) == 0);
}

CNI_WHOLE cni_c128 cni_tanh_near_c128(cni_c128 z)
{
    double t = cni_tan_near_f64(z.im), s = cni_sinh_near_f64(z.re), beta = 1 + t * t, d = 1 + beta * s * s;
    return cni_make_c128(beta * s * cni_cosh_near_f64(z.re) / d, t / d);
}

CNI_WHOLE uint64_t cni_tan_far_c128(cni_c128 z)
{
    return cni_tanh_far_c128(cni_make_c128(z.im, z.re));
}

CNI_WHOLE cni_c128 cni_tan_near_c128(cni_c128 z)
{
    cni_c128 turned = cni_tanh_near_c128(cni_make_c128(-z.im, z.re));
    return cni_make_c128(turned.im, -turned.re);
}

/* ---- Inverses ---- */

/* Near the real axis, or large: cni_arc_quadrant has other formulas there. */
CNI_WHOLE uint64_t cni_arc_far_c128(cni_c128 z)
{
    uint64_t level = SIZE(0x1p-60 * (CNI_BUILTIN(fabs)(z.re) - 1)), y = SIZE(z.im);
    return (y <= level) | (y < BITS(0x1p-500)) | (y > BITS(0x1p500)) | ABOVE(z.re, 0x1p500);
}

/* Of cni_arc_quadrant the height, and what the angle is the arctangent of: `base` over `across`, where b > 0.64. */
CNI_WHOLE double cni_arc_height(double x, double y, double *b, double *across)
{
    double one = x + 1, beside = x - 1, r = cni_hypot_f64(one, y), s = cni_hypot_f64(beside, y), a = 0.5 * (r + s);
    *b = x / a;
    bool below = CNI_LESS(x, 1), low = CNI_LESS_EQUAL(a, 1.5), inside = CNI_LESS_EQUAL(x, 1);
    double left = y * (y / (r + one));
    double right = cni_pick_f64(below, y * (y / cni_pick_f64(below, s - beside, 1)), s + beside);
    double above = cni_pick_f64(low, 0.5 * (left + right), 0), large = cni_pick_f64(low, 2, a);
    double few = cni_log1p_near_f64(above + CNI_BUILTIN(sqrt)(above * (a + 1)));
    double many = cni_log_near_f64(large + CNI_BUILTIN(sqrt)(large * large - 1));
    double sum = a + x, beyond = sum / (r + one) + sum / cni_pick_f64(inside, 1, s + beside);
    double in = CNI_BUILTIN(sqrt)(0.5 * sum * (left + cni_pick_f64(inside, s - beside, 0)));
    *across = cni_pick_f64(inside, in, y * CNI_BUILTIN(sqrt)(0.5 * beyond));
    return cni_pick_f64(low, few, many);
}

CNI_WHOLE cni_c128 cni_arcsin_near_c128(cni_c128 z)
{
    double x = CNI_BUILTIN(fabs)(z.re), b, across, height = cni_arc_height(x, CNI_BUILTIN(fabs)(z.im), &b, &across);
    bool flat = CNI_LESS_EQUAL(b, 0.64);
    double direct = cni_arcsin_f64(cni_pick_f64(flat, b, 0));
    double sine = cni_pick_f64(flat, direct, cni_arctan_f64(cni_pick_f64(flat, 0, x) / cni_pick_f64(flat, 1, across)));
    return cni_make_c128(CNI_BUILTIN(copysign)(sine, z.re), CNI_BUILTIN(copysign)(height, z.im));
}

CNI_WHOLE cni_c128 cni_arccos_near_c128(cni_c128 z)
{
    double x = CNI_BUILTIN(fabs)(z.re), b, across, height = cni_arc_height(x, CNI_BUILTIN(fabs)(z.im), &b, &across);
    bool flat = CNI_LESS_EQUAL(b, 0.64), left = BITS(z.re) >> 63 != 0;
    double direct = cni_arccos_f64(cni_pick_f64(flat, b, 0));
    double steep = cni_arctan_f64(cni_pick_f64(flat, 0, across) / cni_pick_f64(flat, 1, x));
    double cosine = cni_pick_f64(flat, direct, steep);
    return cni_make_c128(cni_pick_f64(left, CNI_PI_f64 - (cosine - CNI_PI_LO_f64), cosine),
                         CNI_BUILTIN(copysign)(height, -z.im));
}

CNI_WHOLE uint64_t cni_arcsinh_far_c128(cni_c128 z)
{
    return cni_arc_far_c128(cni_make_c128(z.im, z.re));
}

CNI_WHOLE cni_c128 cni_arcsinh_near_c128(cni_c128 z)
{
    cni_c128 turned = cni_arcsin_near_c128(cni_make_c128(z.im, z.re));
    return cni_make_c128(turned.im, turned.re);
}

CNI_WHOLE cni_c128 cni_arccosh_near_c128(cni_c128 z)
{
    cni_c128 arc = cni_arccos_near_c128(z);
    return cni_make_c128(CNI_BUILTIN(fabs)(arc.im), CNI_BUILTIN(copysign)(arc.re, z.im));
}

/* On the real axis, near 1, or large. */
CNI_WHOLE uint64_t cni_arctanh_far_c128(cni_c128 z)
{
    return ABOVE(z.re, 0x1p60) | ABOVE(z.im, 0x1p60) | (SIZE(z.im) < BITS(0x1p-28));
}

CNI_WHOLE cni_c128 cni_arctanh_near_c128(cni_c128 z)
{
    double x = CNI_BUILTIN(fabs)(z.re), y = CNI_BUILTIN(fabs)(z.im), beside = 1 - x;
    double re = 0.25 * cni_log1p_near_f64(4 * (x / CNI_FMA(beside, beside, y * y)));
    double im = 0.5 * cni_arctan2_f64(2 * y, CNI_FMA(beside, 1 + x, -(y * y)));
    return cni_make_c128(CNI_BUILTIN(copysign)(re, z.re), CNI_BUILTIN(copysign)(im, z.im));
}

CNI_WHOLE uint64_t cni_arctan_far_c128(cni_c128 z)
{
    return cni_arctanh_far_c128(cni_make_c128(z.im, z.re));
}

CNI_WHOLE cni_c128 cni_arctan_near_c128(cni_c128 z)
{
    cni_c128 turned = cni_arctanh_near_c128(cni_make_c128(z.im, z.re));
    return cni_make_c128(turned.im, turned.re);
}

/* ---- Powers ---- */

/* The power is whole and small, the base one that logarithms are far of, or the result perhaps one of exp. */
CNI_WHOLE uint64_t cni_pow_far_c128(cni_c128 a, cni_c128 b)
{
    const uint64_t most = BITS(0x1p100);
    uint64_t re = SIZE(b.re), im = SIZE(b.im), a_re = SIZE(a.re), a_im = SIZE(a.im);
    bool whole = (im == 0) & (CNI_BUILTIN(rint)(b.re) == b.re) & (re < BITS(100.0));
    uint64_t field = (a_re < a_im ? a_im : a_re) >> 52;
    double exponent = CNI_BUILTIN(fabs)(cni_value_f64(field | BITS(0x1p52)) - (0x1p52 + 1023));
    double power = cni_value_f64(re < most ? re : most) + cni_value_f64(im < most ? im : most);
    return cni_log_far_c128(a) | whole | (re > most) | (im > most) | ABOVE(power * (0.7 * exponent + 5), 700.0);
}

CNI_WHOLE cni_c128 cni_pow_near_c128(cni_c128 a, cni_c128 b)
{
    cni_c128 log = cni_log_near_c128(a);
    return cni_exp_near_c128(cni_make_c128(b.re * log.re - b.im * log.im, CNI_FMA(b.re, log.im, b.im * log.re)));
}

#undef BITS
#undef SIZE
#undef ABOVE
#undef ANGLE
