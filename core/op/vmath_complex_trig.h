/* vmath_complex_trig.h - sinh cosh tanh and, turned by i, sin cos tan; included by vmath_complex.h. */

static inline cni_c128 cni_sinh_c128(cni_c128 z)
{
    double x = z.re, y = z.im;
    if (y == 0) {
        return cni_make_c128(cni_sinh_f64(x), y);
    }
    if (cni_is_finite(x) && cni_is_finite(y)) {
        if (CNI_BUILTIN(fabs)(x) < 700) {
            return cni_make_c128(cni_sinh_f64(x) * cni_cos_f64(y), cni_cosh_f64(x) * cni_sin_f64(y));
        }
        cni_c128 half = cni_exp_polar(CNI_BUILTIN(fabs)(x), y, 0.5);
        return cni_make_c128(CNI_BUILTIN(copysign)(1.0, x) * half.re, half.im);
    }
    double nothing = cni_is_nan(x) ? x : y - y; /* 0, or invalid for an infinity */
    if (x == 0) {
        return cni_make_c128(x, nothing);
    }
    if (CNI_BUILTIN(isinf)(x)) {
        return cni_is_finite(y) ? cni_make_c128(x * cni_cos_f64(y), INF * cni_sin_f64(y)) : cni_make_c128(x, nothing);
    }
    return cni_make_c128(NOT_A_NUMBER, NOT_A_NUMBER);
}

static inline cni_c128 cni_cosh_c128(cni_c128 z)
{
    double x = z.re, y = z.im;
    if (y == 0) {
        return cni_make_c128(cni_cosh_f64(x), cni_is_nan(x) ? y : CNI_BUILTIN(copysign)(1.0, x) * y);
    }
    if (cni_is_finite(x) && cni_is_finite(y)) {
        if (CNI_BUILTIN(fabs)(x) < 700) {
            return cni_make_c128(cni_cosh_f64(x) * cni_cos_f64(y), cni_sinh_f64(x) * cni_sin_f64(y));
        }
        cni_c128 half = cni_exp_polar(CNI_BUILTIN(fabs)(x), y, 0.5);
        return cni_make_c128(half.re, CNI_BUILTIN(copysign)(1.0, x) * half.im);
    }
    double nothing = cni_is_nan(x) ? x : y - y;
    if (x == 0) {
        return cni_make_c128(nothing, x);
    }
    if (CNI_BUILTIN(isinf)(x)) {
        return cni_is_finite(y) ? cni_make_c128(INF * cni_cos_f64(y), x * cni_sin_f64(y)) : cni_make_c128(INF, nothing);
    }
    return cni_make_c128(NOT_A_NUMBER, NOT_A_NUMBER);
}

/*
 * With t = tan y, s = sinh x and d = 1 + (1 + t**2) s**2: (1 + t**2) s cosh(x) / d + i t / d. Beyond 22 the real part
 * is 1 and the imaginary part 4 sin y cos y e**(-2 |x|).
 */
static inline cni_c128 cni_tanh_c128(cni_c128 z)
{
    double x = z.re, y = z.im;
    if (y == 0) {
        return cni_make_c128(cni_tanh_f64(x), y);
    }
    if (CNI_BUILTIN(isinf)(x)) {
        double sign = cni_is_finite(y) ? cni_sin_f64(y) * cni_cos_f64(y) : CNI_BUILTIN(copysign)(1.0, y);
        return cni_make_c128(CNI_BUILTIN(copysign)(1.0, x), CNI_BUILTIN(copysign)(0.0, sign));
    }
    double nothing = y - y;
    if (cni_is_nan(x) || cni_is_nan(nothing)) {
        return cni_make_c128(x == 0 ? x : NOT_A_NUMBER, NOT_A_NUMBER);
    }
    if (CNI_BUILTIN(fabs)(x) > 22) {
        double e = cni_exp_f64(-CNI_BUILTIN(fabs)(x));
        return cni_make_c128(CNI_BUILTIN(copysign)(1.0, x), 4 * cni_sin_f64(y) * cni_cos_f64(y) * e * e);
    }
    double t = cni_tan_f64(y), s = cni_sinh_f64(x), beta = 1 + t * t, d = 1 + beta * s * s;
    return cni_make_c128(beta * s * cni_cosh_f64(x) / d, t / d);
}

static inline cni_c128 cni_sin_c128(cni_c128 z)
{
    cni_c128 turned = cni_sinh_c128(cni_make_c128(-z.im, z.re));
    return cni_make_c128(turned.im, -turned.re);
}

static inline cni_c128 cni_cos_c128(cni_c128 z)
{
    return cni_cosh_c128(cni_make_c128(-z.im, z.re));
}

static inline cni_c128 cni_tan_c128(cni_c128 z)
{
    cni_c128 turned = cni_tanh_c128(cni_make_c128(-z.im, z.re));
    return cni_make_c128(turned.im, -turned.re);
}
