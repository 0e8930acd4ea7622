/*
 * vmath_complex_arc.h - arcsin arccos arcsinh arccosh arctan arctanh; included by vmath_complex.h.
 *
 * Arcsine and arccosine after T. Hull, T. Fairgrieve, P. Tang, "Implementing the complex arcsine and arccosine
 * functions using exception handling" (1997): with r and s the distances from -1 and 1 and a = (r + s) / 2, the
 * imaginary part is arccosh(a) and the real part that of x / a, each rewritten where it would cancel.
 */

typedef struct cni_arc_parts {
    double sine, cosine, height; /* the real parts of arcsin and arccos and the imaginary part of arcsin */
} cni_arc_parts;

static inline cni_arc_parts cni_arc_of(double sine, double cosine, double height)
{
    cni_arc_parts parts = {sine, cosine, height};
    return parts;
}

/* For finite x, y >= 0. */
static inline cni_arc_parts cni_arc_quadrant(double x, double y)
{
    const double quarter = CNI_HALF_PI_f64;
    if (x > 0x1p500 || y > 0x1p500) {
        double cosine = cni_arctan2_f64(y, x);
        return cni_arc_of(cni_arctan2_f64(x, y), cosine, cni_log_modulus(x, y) + CNI_LN2_FULL_f64);
    }
    double beside = x - 1;
    if (beside != 0 && y <= 0x1p-60 * CNI_BUILTIN(fabs)(beside)) { /* on the axis as far as these digits show */
        double root = CNI_BUILTIN(sqrt)(CNI_BUILTIN(fabs)(beside) * (x + 1));
        if (x < 1) {
            return cni_arc_of(cni_arcsin_f64(x), cni_arccos_f64(x), y / root);
        }
        return cni_arc_of(quarter, y / root, cni_log1p_f64(beside + root));
    }
    if (beside == 0 && y < 0x1p-500) {
        double root = CNI_BUILTIN(sqrt)(y);
        return cni_arc_of(quarter - root, root, root);
    }
    double r = cni_hypot_f64(x + 1, y), s = cni_hypot_f64(beside, y), a = 0.5 * (r + s), b = x / a, height;
    double left = y * (y / (r + (x + 1)));                      /* r - (x + 1) */
    double right = x < 1 ? y * (y / (s - beside)) : s + beside; /* s + (x - 1) */
    if (a <= 1.5) {
        double above = 0.5 * (left + right);
        height = cni_log1p_f64(above + CNI_BUILTIN(sqrt)(above * (a + 1)));
    } else {
        height = cni_log_f64(a + CNI_BUILTIN(sqrt)(a * a - 1));
    }
    if (b <= 0.64) {
        return cni_arc_of(cni_arcsin_f64(b), cni_arccos_f64(b), height);
    }
    double across =
        x <= 1
            ? CNI_BUILTIN(sqrt)(0.5 * (a + x) * (left + (s - beside)))
            : y * CNI_BUILTIN(sqrt)(0.5 * ((a + x) / (r + (x + 1)) + (a + x) / (s + beside))); /* sqrt(a**2 - x**2) */
    return cni_arc_of(cni_arctan_f64(x / across), cni_arctan_f64(across / x), height);
}

static inline cni_c128 cni_arcsin_c128(cni_c128 z)
{
    double x = z.re, y = z.im;
    if (cni_is_finite(x) && cni_is_finite(y)) {
        cni_arc_parts arc = cni_arc_quadrant(CNI_BUILTIN(fabs)(x), CNI_BUILTIN(fabs)(y));
        return cni_make_c128(CNI_BUILTIN(copysign)(arc.sine, x), CNI_BUILTIN(copysign)(arc.height, y));
    }
    if (CNI_BUILTIN(isinf)(y)) {
        return cni_make_c128(
            cni_is_nan(x) ? x : CNI_BUILTIN(copysign)(CNI_BUILTIN(isinf)(x) ? CNI_QUARTER_PI_f64 : 0, x), y);
    }
    if (CNI_BUILTIN(isinf)(x)) {
        return cni_is_nan(y) ? cni_make_c128(y, x)
                             : cni_make_c128(CNI_BUILTIN(copysign)(CNI_HALF_PI_f64, x), CNI_BUILTIN(copysign)(INF, y));
    }
    return cni_make_c128(x == 0 ? x : NOT_A_NUMBER, NOT_A_NUMBER);
}

static inline cni_c128 cni_arccos_c128(cni_c128 z)
{
    double x = z.re, y = z.im;
    if (cni_is_finite(x) && cni_is_finite(y)) {
        cni_arc_parts arc = cni_arc_quadrant(CNI_BUILTIN(fabs)(x), CNI_BUILTIN(fabs)(y));
        double angle = CNI_BUILTIN(signbit)(x) ? CNI_PI_f64 - (arc.cosine - CNI_PI_LO_f64) : arc.cosine;
        return cni_make_c128(angle, CNI_BUILTIN(copysign)(arc.height, CNI_BUILTIN(signbit)(y) ? 1.0 : -1.0));
    }
    if (CNI_BUILTIN(isinf)(y)) {
        double infinite = x > 0 ? CNI_QUARTER_PI_f64 : 3 * CNI_QUARTER_PI_f64;
        return cni_make_c128(cni_is_nan(x) ? x : CNI_BUILTIN(isinf)(x) ? infinite : CNI_HALF_PI_f64, -y);
    }
    if (CNI_BUILTIN(isinf)(x)) {
        return cni_is_nan(y) ? cni_make_c128(y, x)
                             : cni_make_c128(x > 0 ? 0 : CNI_PI_f64,
                                             CNI_BUILTIN(copysign)(INF, CNI_BUILTIN(signbit)(y) ? 1.0 : -1.0));
    }
    return cni_make_c128(x == 0 ? CNI_HALF_PI_f64 : NOT_A_NUMBER, NOT_A_NUMBER);
}

static inline cni_c128 cni_arcsinh_c128(cni_c128 z)
{
    cni_c128 turned = cni_arcsin_c128(cni_make_c128(z.im, z.re));
    return cni_make_c128(turned.im, turned.re);
}

static inline cni_c128 cni_arccosh_c128(cni_c128 z)
{
    cni_c128 arc = cni_arccos_c128(z);
    if (cni_is_nan(arc.re)) {
        return cni_make_c128(cni_is_nan(arc.im) ? arc.im : CNI_BUILTIN(fabs)(arc.im), arc.re);
    }
    if (cni_is_nan(arc.im)) {
        return cni_make_c128(arc.im, z.re == 0 ? arc.re : arc.im);
    }
    return cni_make_c128(CNI_BUILTIN(fabs)(arc.im), CNI_BUILTIN(copysign)(arc.re, z.im));
}

/* log1p(4 x / ((1 - x)**2 + y**2)) / 4 + i arctan2(2 y, (1 - x) (1 + x) - y**2) / 2 */
static inline cni_c128 cni_arctanh_c128(cni_c128 z)
{
    double x = CNI_BUILTIN(fabs)(z.re), y = CNI_BUILTIN(fabs)(z.im), re, im;
    if (CNI_BUILTIN(isinf)(z.re) || CNI_BUILTIN(isinf)(z.im)) {
        re = 0;
        im = cni_is_nan(y) ? y : CNI_HALF_PI_f64;
    } else if (cni_is_nan(x) || cni_is_nan(y)) {
        re = x == 0 ? x : NOT_A_NUMBER;
        im = NOT_A_NUMBER;
    } else if (y == 0 && x <= 1) {
        re = cni_arctanh_f64(x);
        im = 0;
    } else if (x > 0x1p60 || y > 0x1p60) {
        double size = cni_hypot_f64(0.5 * x, 0.5 * y); /* halves: no overflow */
        re = 0.25 * (x / size) / size;
        im = CNI_HALF_PI_f64;
    } else if (x == 1 && y < 0x1p-28) {
        re = 0.5 * (CNI_LN2_FULL_f64 - cni_log_f64(y));
        im = 0.5 * cni_arctan2_f64(2, -y);
    } else {
        double beside = 1 - x;
        re = 0.25 * cni_log1p_f64(4 * (x / CNI_FMA(beside, beside, y * y)));
        im = 0.5 * cni_arctan2_f64(2 * y, CNI_FMA(beside, 1 + x, -(y * y)));
    }
    return cni_make_c128(CNI_BUILTIN(copysign)(re, z.re), CNI_BUILTIN(copysign)(im, z.im));
}

static inline cni_c128 cni_arctan_c128(cni_c128 z)
{
    cni_c128 turned = cni_arctanh_c128(cni_make_c128(z.im, z.re));
    return cni_make_c128(turned.im, turned.re);
}
