/*
 * test_vmath_complex.c - the complex functions of the vector-math source against the C library's: special values with
 * the signs of their zeros, and ordinary ones to some ulp of the modulus. tools/vmath_ulp.py --complex measures
 * accuracy.
 */
#include <complex.h>
#undef I
#include <fenv.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "op/vmath_complex.h"

/* CMPLX, which not every compiler has. */
static double complex make(double re, double im)
{
    double parts[2] = {re, im};
    double complex z;
    memcpy(&z, parts, sizeof z);
    return z;
}

/* clang-format off */
#define EACH(X)                                                                                       \
    X(exp, cexp) X(log, clog) X(sqrt, csqrt) X(sin, csin) X(cos, ccos) X(tan, ctan) X(arcsin, casin)  \
    X(arccos, cacos) X(arctan, catan) X(sinh, csinh) X(cosh, ccosh) X(tanh, ctanh)                    \
    X(arcsinh, casinh) X(arccosh, cacosh) X(arctanh, catanh)
/* clang-format on */

typedef struct function {
    const char *name;
    cni_c128 (*of)(cni_c128);
    double complex (*reference)(double complex);
    cni_c64 (*single)(cni_c64);
} function;

#define ROW(name, c) {#name, cni_##name##_c128, c, cni_##name##_c64},
static const function functions[] = {EACH(ROW)};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static const double parts[] = {0.0,
                               -0.0,
                               1.0,
                               -1.0,
                               0.5,
                               -2.0,
                               INFINITY,
                               -INFINITY,
                               NAN,
                               3.0,
                               -20.0,
                               800.0,
                               -800.0,
                               1e-20,
                               -1e-20,
                               1e-300,
                               1e300,
                               -1e300,
                               1e-320,
                               1e10,
                               0.75,
                               -0.9999999,
                               0x1.fffffffffffffp+1023};
enum { PARTS = sizeof parts / sizeof *parts };

/* A NaN's and an unspecified zero's sign do not count; of a NaN's partner only its kind does. */
static bool part_alike(double got, double want, double size)
{
    if (got != got || want != want) {
        return got != got && want != want;
    }
    if (isinf(want) || isinf(got)) {
        return got == want;
    }
    if (want == 0 && got == 0) {
        return !signbit(got) == !signbit(want);
    }
    return fabs(got - want) <= size * 0x1p-49 + 0x1p-1073;
}

static void special_values_are_those_of_c(void)
{
    for (int k = 0; k < FUNCTIONS; k++) {
        for (int i = 0; i < PARTS; i++) {
            for (int j = 0; j < PARTS; j++) {
                cni_c128 z = {parts[i], parts[j]};
                double complex want = functions[k].reference(make(z.re, z.im));
                cni_c128 got = functions[k].of(z);
                double size = hypot(isfinite(creal(want)) ? creal(want) : 0, isfinite(cimag(want)) ? cimag(want) : 0);
                bool partner_free = creal(want) != creal(want) || cimag(want) != cimag(want);
                bool re = part_alike(got.re, creal(want), size) || (partner_free && fabs(got.re) == fabs(creal(want)));
                bool im = part_alike(got.im, cimag(want), size) || (partner_free && fabs(got.im) == fabs(cimag(want)));
                if (!re || !im) {
                    fprintf(stderr, "%s(%a, %a): (%a, %a), expected (%a, %a)\n", functions[k].name, z.re, z.im, got.re,
                            got.im, creal(want), cimag(want));
                    failures++;
                }
            }
        }
    }
}

static void ordinary_values_are_near_those_of_c(void)
{
    for (int i = 0; i < 20000; i++) {
        double x = (double)(below(20001) - 10000) / (double)(1 + below(20000)),
               y = (double)(below(20001) - 10000) / (double)(1 + below(20000));
        if (fabs(x) > 30 || fabs(y) > 30) {
            continue;
        }
        for (int k = 0; k < FUNCTIONS; k++) {
            double complex want = functions[k].reference(make(x, y));
            cni_c128 got = functions[k].of((cni_c128){x, y});
            EXPECT(cabs(make(got.re, got.im) - want) <= cabs(want) * 0x1p-49);
            volatile float xf = (float)x,
                           yf = (float)y; /* gcc 12 takes a pair of such conversions there and back for nothing */
            want = functions[k].reference(make((double)xf, (double)yf));
            cni_c64 single = functions[k].single((cni_c64){xf, yf});
            EXPECT(cabs(make((double)single.re, (double)single.im) - want) <= cabs(want) * 0x1p-23);
        }
    }
}

static bool raises(cni_c128 (*of)(cni_c128), double re, double im, int flag)
{
    volatile double x = re, y = im;
    feclearexcept(FE_ALL_EXCEPT);
    volatile cni_c128 result = of((cni_c128){x, y});
    (void)result;
    return fetestexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW) == flag;
}

static void flags_are_raised_where_due(void)
{
    EXPECT(raises(cni_log_c128, 0, 0, FE_DIVBYZERO));
    EXPECT(raises(cni_arctanh_c128, 1, 0, FE_DIVBYZERO));
    EXPECT(raises(cni_exp_c128, 800, 1, FE_OVERFLOW));
    EXPECT(raises(cni_exp_c128, 1, INFINITY, FE_INVALID));
    EXPECT(raises(cni_exp_c128, 710, 0.78, 0));
    EXPECT(raises(cni_sinh_c128, -710, 1.5, 0));
    EXPECT(raises(cni_sqrt_c128, -4, 0, 0) && raises(cni_sqrt_c128, 1e308, 1e308, 0));
    EXPECT(raises(cni_log_c128, -1, 0, 0) && raises(cni_log_c128, 1e308, 1e308, 0));
    EXPECT(raises(cni_arcsin_c128, 2, 0, 0) && raises(cni_arccos_c128, 1e308, 1, 0) &&
           raises(cni_tanh_c128, 500, 1, 0));
}

static bool power_is(cni_c128 a, cni_c128 b, double re, double im)
{
    cni_c128 r = cni_pow_c128(a, b);
    return hypot(r.re - re, r.im - im) <= 0x1p-48 * hypot(re, im);
}

static void powers(void)
{
    cni_c128 i = {0, 1}, zero = {0, 0}, one = {1, 0};
    EXPECT(power_is(i, (cni_c128){2, 0}, -1, 0) && power_is(i, (cni_c128){-3, 0}, 0, 1) &&
           power_is(i, i, exp(-1.5707963267948966), 0));
    EXPECT(power_is(zero, zero, 1, 0) && power_is(zero, one, 0, 0) &&
           power_is((cni_c128){2, 0}, (cni_c128){0.5, 0}, sqrt(2.0), 0));
    EXPECT(power_is((cni_c128){1, 1}, (cni_c128){8, 0}, 16, 0) && cni_pow_c128(zero, i).re != cni_pow_c128(zero, i).re);
    EXPECT(power_is((cni_c128){3, 4}, (cni_c128){-1, 0}, 0.12, -0.16) &&
           power_is((cni_c128){3, 4}, (cni_c128){3, 0}, -117, 44));
}

int main(void)
{
    special_values_are_those_of_c();
    ordinary_values_are_near_those_of_c();
    flags_are_raised_where_due();
    powers();
    return finish("vmath complex");
}
