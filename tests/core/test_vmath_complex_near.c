/*
 * test_vmath_complex_near.c - near forms of the complex functions: where they are not far they have the bits of the full
 * ones and raise nothing else, one by one and in loops; tests for far arguments raise nothing.
 */
#include <fenv.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "op/scalar.h"

#define WATCHED (FE_DIVBYZERO | FE_OVERFLOW | FE_INVALID)

enum { RUN = 64, RUNS = 1500 };

static double some(void)
{
    static const double ends[] = {0,   -0.0, 1,    -1,    INFINITY, -INFINITY, NAN,     1e-320,         1e300,
                                  700, -700, 22.0, -40.0, 0.5,      2,         0x1p-60, 0x1.fffffep127, 88.5};
    double fraction = (double)below(INT64_C(1) << 52) * 0x1p-52, sign = below(2) == 0 ? -1 : 1;
    switch (below(6)) {
    case 0:
        return ends[below(sizeof ends / sizeof *ends)];
    case 1:
        return sign * (1 + (fraction - 0.5) * exp2(-(double)below(52))); /* near 1 */
    case 2:
        return sign * (1 + fraction) * exp2((double)below(2098) - 1074);
    case 3:
        return (double)below(9) * 0.5 - 2;
    default:
        return sign * fraction * 4;
    }
}

static cni_c128 some_complex(void)
{
    cni_c128 z = {some(), some()};
    if (below(4) == 0) { /* |z| near 1 */
        double angle = (double)below(1000) * 0.007, size = 1 + (some() < 0 ? -0x1p-40 : 0x1p-30) * (double)below(1000);
        z = cni_make_c128(size * cos(angle), size * sin(angle));
    }
    return z;
}

/* As the places do: a narrow one is computed from what the wide one rounds to. */
static cni_c64 narrow(cni_c128 z)
{
    return cni_make_c64((float)z.re, (float)z.im);
}

static bool same(double a, double b)
{
    return a != a ? b != b : memcmp(&a, &b, sizeof a) == 0;
}

#define FLAGS(result, expression) (feclearexcept(FE_ALL_EXCEPT), result = (expression), fetestexcept(WATCHED))

#define ALIKE(a, b) (same((double)(a).re, (double)(b).re) && same((double)(a).im, (double)(b).im))

/* One by one with flags; then a loop over those that are near. */
#define CHECK(id, function, suffix, make)                                                                              \
    static __attribute__((flatten)) void run_##id##_##suffix(cni_##suffix *out, const cni_##suffix *z)                 \
    {                                                                                                                  \
        for (int i = 0; i < RUN; i++) {                                                                                \
            out[i] = near_##id##_##suffix(z[i]);                                                                       \
        }                                                                                                              \
    }                                                                                                                  \
    static void check_##id##_##suffix(void)                                                                            \
    {                                                                                                                  \
        cni_##suffix kept[RUN], out[RUN];                                                                              \
        for (int i = 0, tries = 0; i < RUN * RUNS && tries < RUN * RUNS * 4; tries++) {                                \
            volatile cni_##suffix z = make(some_complex()), near, full;                                                \
            volatile uint64_t far;                                                                                     \
            EXPECT(FLAGS(far, far_##id##_##suffix(z)) == 0);                                                           \
            if (far != 0) {                                                                                            \
                continue;                                                                                              \
            }                                                                                                          \
            int of_full = FLAGS(full, function##_##suffix(z)), of_near = FLAGS(near, near_##id##_##suffix(z));         \
            EXPECT(ALIKE(near, full) && of_near == of_full);                                                           \
            kept[i % RUN] = z;                                                                                         \
            if (++i % RUN == 0) {                                                                                      \
                run_##id##_##suffix(out, kept);                                                                        \
                for (int k = 0; k < RUN; k++) {                                                                        \
                    cni_##suffix alone = function##_##suffix(kept[k]);                                                 \
                    EXPECT(ALIKE(out[k], alone));                                                                      \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }
/* clang-format off */
#define EACH(X)                                                                                                        \
    X(EXP, exp) X(EXP2, exp2) X(EXPM1, expm1) X(LOG, log) X(LOG2, log2) X(LOG10, log10) X(LOG1P, log1p) X(SIN, sin)    \
    X(COS, cos) X(TAN, tan) X(SINH, sinh) X(COSH, cosh) X(TANH, tanh) X(ARCSIN, arcsin) X(ARCCOS, arccos)              \
    X(ARCTAN, arctan) X(ARCSINH, arcsinh) X(ARCCOSH, arccosh) X(ARCTANH, arctanh)
/* clang-format on */
#define ITSELF(z) (z)
#define BOTH(id, name) CHECK(id, name, c128, ITSELF) CHECK(id, name, c64, narrow)
EACH(BOTH)

static void powers_are_near(void)
{
    int seen = 0;
    for (int i = 0; i < RUN * RUNS; i++) {
        volatile cni_c128 a = some_complex(), b = some_complex(), near, full;
        volatile uint64_t far;
        b.im = below(3) == 0 ? 0 : b.im;
        EXPECT(FLAGS(far, far_POWER_c128(a, b)) == 0);
        if (far == 0) {
            int of_full = FLAGS(full, pow_c128(a, b)), of_near = FLAGS(near, near_POWER_c128(a, b));
            EXPECT(ALIKE(near, full) && of_near == of_full);
            seen++;
        }
        volatile cni_c64 c = narrow(a), d = narrow(b), single, whole;
        EXPECT(FLAGS(far, far_POWER_c64(c, d)) == 0);
        if (far == 0) {
            int of_full = FLAGS(whole, pow_c64(c, d)), of_near = FLAGS(single, near_POWER_c64(c, d));
            EXPECT(ALIKE(single, whole) && of_near == of_full);
        }
    }
    EXPECT(seen > RUN * RUNS / 4);
}

static void axes_and_ends_are_far(void)
{
    EXPECT(far_LOG_c128(cni_make_c128(0, 0)) && far_LOG_c128(cni_make_c128(NAN, 1)) &&
           far_LOG1P_c128(cni_make_c128(-1, 0)));
    EXPECT(far_EXP_c128(cni_make_c128(1, INFINITY)) && !far_EXP_c128(cni_make_c128(-700, 0)));
    EXPECT(far_ARCSIN_c128(cni_make_c128(0.5, 0)) && !far_ARCSIN_c128(cni_make_c128(1, 1e-9)));
    EXPECT(far_POWER_c128(cni_make_c128(2, 1), cni_make_c128(3, 0)) &&
           !far_POWER_c128(cni_make_c128(2, 1), cni_make_c128(0.5, 0)));
}

int main(void)
{
#define RUN_BOTH(id, name) check_##id##_c128(), check_##id##_c64();
    EACH(RUN_BOTH)
    powers_are_near();
    axes_and_ends_are_far();
    return finish("vmath complex near");
}
