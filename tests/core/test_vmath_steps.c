/* test_vmath_steps.c - nextafter, spacing, ldexp and frexp: the bits and the floating-point flags of the C library's. */
#include <fenv.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "op/vmath.h"

#define WATCHED (FE_DIVBYZERO | FE_OVERFLOW | FE_UNDERFLOW | FE_INVALID)

enum { ROUNDS = 200000 };

static uint64_t some_bits(void)
{
    return (uint64_t)below(INT64_C(1) << 32) << 32 | (uint64_t)below(INT64_C(1) << 32);
}

static const double ends[] = {0,
                              -0.0,
                              INFINITY,
                              -INFINITY,
                              NAN,
                              0x1p-1074,
                              -0x1p-1074,
                              0x1p-1022,
                              -0x1p-1022,
                              0x1p-149,
                              0x1p-126,
                              1,
                              -1,
                              0x1.fffffep127,
                              -0x1p127,
                              0x1.fp-1023,
                              0x1.fffffffffffffp1023,
                              -0x1.fffffffffffffp1023};

static double some(void)
{
    double x;
    uint64_t bits = some_bits();
    switch (below(4)) {
    case 0:
        return ends[below(sizeof ends / sizeof *ends)];
    case 1:
        bits &= ~(UINT64_C(0x7F0) << 52); /* small ones */
        break;
    case 2:
        return (double)below(16) - 8;
    default:
        break;
    }
    memcpy(&x, &bits, sizeof x);
    return x != x ? (double)NAN : x; /* quiet ones */
}

static int some_power(void)
{
    return below(8) == 0 ? (int)(int32_t)some_bits()
                         : (int)below(below(2) == 0 ? 4400 : 60) - (below(2) == 0 ? 2200 : 30);
}

static bool same(double a, double b)
{
    return a != a ? b != b : memcmp(&a, &b, sizeof a) == 0;
}

static bool same_single(float a, float b)
{
    return a != a ? b != b : memcmp(&a, &b, sizeof a) == 0;
}

/* The value of an expression whose flags are watched; volatile: nothing is computed beforehand. */
#define FLAGS(result, expression) (feclearexcept(FE_ALL_EXCEPT), result = (expression), fetestexcept(WATCHED))

#define BOTH(expression, reference, alike)                                                                             \
    do {                                                                                                               \
        int ours = FLAGS(got, expression), theirs = FLAGS(want, reference);                                            \
        EXPECT(alike(got, want));                                                                                      \
        EXPECT(ours == theirs);                                                                                        \
    } while (0)

static double reference_spacing(double x)
{
    return !isfinite(x) ? (double)NAN : (nextafter(fabs(x), (double)INFINITY) - fabs(x)) * (x < 0 ? -1 : 1);
}

static float reference_spacing_single(float x)
{
    return !isfinite(x) ? NAN : (nextafterf(fabsf(x), INFINITY) - fabsf(x)) * (x < 0 ? -1 : 1);
}

static void doubles(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        volatile double x = some(), y = some(), got, want;
        int power = some_power(), e = 0;
        int32_t f = 0;
        BOTH(cni_nextafter_f64(x, y), nextafter(x, y), same);
        BOTH(cni_spacing_f64(x), reference_spacing(x), same);
        BOTH(cni_ldexp_f64(x, cni_ldexp_power_i32(power)), ldexp(x, power), same);
        EXPECT(cni_ldexp_far_f64(x, (uint64_t)power) != 0 || same(cni_ldexp_near_f64(x, (uint64_t)power), want));
        BOTH(cni_frexp_f64(x, &f), frexp(x, &e), same);
        EXPECT(f == (isfinite(x) ? e : 0));
    }
}

static void singles(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t bits = (uint32_t)some_bits();
        float other;
        memcpy(&other, &bits, sizeof other);
        volatile float x = below(2) == 0 || other != other ? (float)some() : other, y = (float)some(), got, want;
        int power = some_power(), e = 0;
        int32_t f = 0;
        BOTH(cni_nextafter_f32(x, y), nextafterf(x, y), same_single);
        BOTH(cni_spacing_f32(x), reference_spacing_single(x), same_single);
        BOTH(cni_ldexp_f32(x, cni_ldexp_power_i32(power)), ldexpf(x, power), same_single);
        EXPECT(cni_ldexp_far_f32(x, (uint32_t)power) != 0 || same_single(cni_ldexp_near_f32(x, (uint32_t)power), want));
        BOTH(cni_frexp_f32(x, &f), frexpf(x, &e), same_single);
        EXPECT(f == (isfinite(x) ? e : 0));
    }
}

static void powers_are_bounded(void)
{
    EXPECT(cni_ldexp_power_i64(INT64_MIN) == -CNI_LDEXP_MOST && cni_ldexp_power_i64(INT64_MAX) == CNI_LDEXP_MOST);
    EXPECT(cni_ldexp_power_i64((INT64_C(1) << 32) + 1) == CNI_LDEXP_MOST && cni_ldexp_power_i64(-7) == -7);
    EXPECT(cni_ldexp_power_i32(INT32_MIN) == -CNI_LDEXP_MOST && cni_ldexp_power_i32(7) == 7);
    EXPECT(cni_ldexp_f64(0x1p-1074, cni_ldexp_power_i32(2097)) == 0x1p1023);
}

int main(void)
{
    doubles();
    singles();
    powers_are_bounded();
    return finish("vmath_steps");
}
