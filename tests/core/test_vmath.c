/*
 * test_vmath.c - the vector-math source: special values and floating-point flags as the C library's, the same bits at
 * every position of a loop and alone, results that do not fall where the function rises. Accuracy is measured by
 * tools/vmath_ulp.py. Loops are compiled here for whatever instruction set the test is built for.
 */
#include <fenv.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "op/vmath.h"

#define WATCHED (FE_DIVBYZERO | FE_OVERFLOW | FE_INVALID)

/* The smaller less the larger argument, without overflow. */
static double reference_gap(double most, double least)
{
    return isinf(least) || isinf(most) ? -INFINITY : fmax(least, -1e307) - fmin(most, 1e307);
}

static double reference_logaddexp(double x, double y)
{
    double most = fmax(x, y), least = fmin(x, y);
    return x != x || y != y ? NAN : x == y ? x + log(2.0) : most + log1p(exp(reference_gap(most, least)));
}

static double reference_logaddexp2(double x, double y)
{
    double most = fmax(x, y), least = fmin(x, y);
    return x != x || y != y ? NAN
           : x == y         ? x + 1
                            : most + log1p(exp2(reference_gap(most, least))) * 1.4426950408889634074;
}

/* Functions of one argument: name, C's name, a range in which the function rises. */
/* clang-format off */
#define EACH1(X)                                                                                              \
    X(exp, exp, -700, 700) X(exp2, exp2, -1000, 1000) X(expm1, expm1, -36, 36) X(log, log, 1e-9, 9)           \
    X(log2, log2, 1e-9, 9) X(log10, log10, 1e-9, 9) X(log1p, log1p, -0.9, 9) X(arcsin, asin, -1, 1)           \
    X(arctan, atan, -9, 9) X(sinh, sinh, -9, 9) X(tanh, tanh, -9, 9) X(arcsinh, asinh, -9, 9)                 \
    X(arccosh, acosh, 1, 9) X(arctanh, atanh, -0.99, 0.99) X(cbrt, cbrt, -9, 9) X(sin, sin, -1.5, 1.5)        \
    X(tan, tan, -1.5, 1.5) X(cos, cos, -3.1, 0) X(cosh, cosh, 0, 9) X(arccos, acos, 1, -1)
/* clang-format on */
#define EACH2(X)                                                                                                       \
    X(pow, pow) X(hypot, hypot) X(arctan2, atan2) X(logaddexp, reference_logaddexp) X(logaddexp2, reference_logaddexp2)

typedef struct function {
    const char *name;
    double (*f64)(double), (*reference64)(double);
    float (*f32)(float), (*reference32)(float);
    void (*loop64)(int64_t n, double *out, const double *in);
    void (*loop32)(int64_t n, float *out, const float *in);
    double low, high;
} function;

typedef struct function2 {
    const char *name;
    double (*f64)(double, double), (*reference64)(double, double);
    float (*f32)(float, float);
    void (*loop64)(int64_t n, double *out, const double *x, const double *y);
    void (*loop32)(int64_t n, float *out, const float *x, const float *y);
} function2;

#define LOOP1(name, c, low, high)                                                                                      \
    static void loop64_##name(int64_t n, double *restrict out, const double *restrict in)                              \
    {                                                                                                                  \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            out[i] = cni_##name##_f64(in[i]);                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    static void loop32_##name(int64_t n, float *restrict out, const float *restrict in)                                \
    {                                                                                                                  \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            out[i] = cni_##name##_f32(in[i]);                                                                          \
        }                                                                                                              \
    }
EACH1(LOOP1)

#define LOOP2(name, c)                                                                                                 \
    static void loop64_##name(int64_t n, double *restrict out, const double *restrict x, const double *restrict y)     \
    {                                                                                                                  \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            out[i] = cni_##name##_f64(x[i], y[i]);                                                                     \
        }                                                                                                              \
    }                                                                                                                  \
    static void loop32_##name(int64_t n, float *restrict out, const float *restrict x, const float *restrict y)        \
    {                                                                                                                  \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            out[i] = cni_##name##_f32(x[i], y[i]);                                                                     \
        }                                                                                                              \
    }
EACH2(LOOP2)

/* The near functions where nothing is far: the loop that becomes vector code. */
#define NEAR_LOOP(name)                                                                                                \
    static void near64_##name(int64_t n, double *restrict out, const double *restrict in)                              \
    {                                                                                                                  \
        uint64_t far = 0;                                                                                              \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            far |= cni_far_f64(in[i]);                                                                                 \
        }                                                                                                              \
        for (int64_t i = 0; i < n && far == 0; i++) {                                                                  \
            out[i] = cni_##name##_near_f64(in[i]);                                                                     \
        }                                                                                                              \
    }                                                                                                                  \
    static void near32_##name(int64_t n, float *restrict out, const float *restrict in)                                \
    {                                                                                                                  \
        uint32_t far = 0;                                                                                              \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            far |= cni_far_f32(in[i]);                                                                                 \
        }                                                                                                              \
        for (int64_t i = 0; i < n && far == 0; i++) {                                                                  \
            out[i] = cni_##name##_near_f32(in[i]);                                                                     \
        }                                                                                                              \
    }
NEAR_LOOP(sin)
NEAR_LOOP(cos)
NEAR_LOOP(tan)

#define ROW1(name, c, low, high)                                                                                       \
    {#name, cni_##name##_f64, c, cni_##name##_f32, c##f, loop64_##name, loop32_##name, low, high},
static const function functions[] = {EACH1(ROW1)};
#define ROW2(name, c) {#name, cni_##name##_f64, c, cni_##name##_f32, loop64_##name, loop32_##name},
static const function2 functions2[] = {EACH2(ROW2)};

enum { FUNCTIONS = sizeof functions / sizeof *functions, FUNCTIONS2 = sizeof functions2 / sizeof *functions2 };

/* ---- special values and flags ---- */

static const double special[] = {
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -2.0,
    3.0,
    -3.0,
    INFINITY,
    -INFINITY,
    NAN,
    1.5,
    -1.5,
    1e10,
    -1e10,
    1e300,
    -1e300,
    88.0,
    -88.0,
    89.5,
    -104.5,
    710.0,
    -710.0,
    711.5,
    -750.0,
    1e-10,
    -1e-10,
    1e-300,
    -1e-300,
    1e-320,
    -1e-320,
    1023.5,
    1024.0,
    -1080.0,
    128.0,
    0x1.fffffffffffffp+1023,
    -0x1.fffffffffffffp+1023,
    0x1.fffffep+127,
    -0x1.fffffep+127,
    0x1p-149,
    -0x1p-149,
    0x1p-1074,
    1e22,
    9007199254740993.0,
    -9007199254740991.0,
    0x1p45,
    0x1.8p45,
    0x1p17,
    131073.0,
};
enum { SPECIALS = sizeof special / sizeof *special };

/* NaN with NaN, infinities and zeros with their signs, the rest to four parts in 2**bits of b or of size. */
static bool alike(double a, double b, double size, int bits)
{
    if (a != a || b != b) {
        return a != a && b != b;
    }
    if (isinf(a) || isinf(b) || a == 0 || b == 0) {
        return a == b ? signbit(a) == signbit(b) : fabs(a - b) <= (bits == 53 ? 0x1p-1073 : 0x1p-148);
    }
    return fabs(a - b) <= fmax(fabs(b), size) * ldexp(4, -bits) + (bits == 53 ? 0x1p-1073 : 0x1p-148);
}

static int flags_of(void)
{
    int flags = fetestexcept(WATCHED);
    feclearexcept(FE_ALL_EXCEPT);
    return flags;
}

static void compare(const char *name, double x, double y, double got, int got_flags, double want, int want_flags,
                    int bits)
{
#ifdef __clang__ /* its comparisons are not quiet */
    got_flags = x != x || y != y ? want_flags : got_flags;
#endif
    double size = strncmp(name, "logadd", 6) == 0 ? fmax(fabs(x), fabs(y)) : 0; /* both formulas cancel near zero */
    if (!alike(got, want, size, bits) || got_flags != want_flags) {
        fprintf(stderr, "%s f%d(%a, %a): %a flags %x, expected %a flags %x\n", name, bits == 53 ? 64 : 32, x, y, got,
                (unsigned)got_flags, want, (unsigned)want_flags);
        failures++;
    }
}

static void specials_are_those_of_c(void)
{
    for (int k = 0; k < FUNCTIONS; k++) {
        const function *f = &functions[k];
        for (int i = 0; i < SPECIALS; i++) {
            volatile double x = special[i];
            flags_of();
            volatile double want = f->reference64(x);
            int want_flags = flags_of();
            volatile double got = f->f64(x);
            compare(f->name, x, 0, got, flags_of(), want, want_flags, 53);
            volatile float single = (float)x;
            flags_of();
            volatile float want32 = f->reference32(single);
            want_flags = flags_of();
            volatile float got32 = f->f32(single);
            compare(f->name, (double)single, 0, (double)got32, flags_of(), (double)want32, want_flags, 24);
        }
    }
}

static void specials_of_two_are_those_of_c(void)
{
    for (int k = 0; k < FUNCTIONS2; k++) {
        const function2 *f = &functions2[k];
        for (int i = 0; i < SPECIALS; i++) {
            for (int j = 0; j < SPECIALS; j++) {
                volatile double x = special[i], y = special[j];
                flags_of();
                volatile double want = f->reference64(x, y);
                int want_flags = flags_of();
                volatile double got = f->f64(x, y);
                int got_flags = flags_of();
                compare(f->name, x, y, got, got_flags, want, want_flags, 53);
                volatile float a = (float)x, b = (float)y;
                flags_of();
                volatile float want32 = (float)f->reference64((double)a, (double)b);
                want_flags = flags_of();
                volatile float got32 = f->f32(a, b);
                compare(f->name, (double)a, (double)b, (double)got32, flags_of(), (double)want32, want_flags, 24);
            }
        }
    }
}

/* ---- the same bits everywhere ---- */

enum { RUN = 1031 };

static double some_double(void)
{
    uint64_t bits = (uint64_t)below(INT64_MAX) << 1 ^ (uint64_t)below(INT64_MAX);
    double x;
    memcpy(&x, &bits, sizeof x);
    return below(3) == 0 ? x : (double)(below(2000001) - 1000000) / (double)(1 + below(100000));
}

static void runs_give_the_bits_of_single_calls(void)
{
    static double x[RUN], y[RUN], out[RUN];
    static float xf[RUN], yf[RUN], outf[RUN];
    for (int i = 0; i < RUN; i++) {
        x[i] = i < SPECIALS ? special[i] : some_double();
        y[i] = i < SPECIALS ? special[(i * 7) % SPECIALS] : some_double();
        xf[i] = (float)x[i];
        yf[i] = (float)y[i];
    }
    for (int start = 0; start < 3; start++) {
        int64_t n = RUN - 5 * start;
        for (int k = 0; k < FUNCTIONS; k++) {
            functions[k].loop64(n, out, x + start);
            functions[k].loop32(n, outf, xf + start);
            for (int64_t i = 0; i < n; i++) {
                volatile double one = functions[k].f64(x[i + start]);
                volatile float onef = functions[k].f32(xf[i + start]);
                double copy = one;
                float copyf = onef;
                EXPECT(copy != copy ? out[i] != out[i] : memcmp(&copy, &out[i], sizeof copy) == 0);
                EXPECT(copyf != copyf ? outf[i] != outf[i] : memcmp(&copyf, &outf[i], sizeof copyf) == 0);
            }
        }
        for (int k = 0; k < FUNCTIONS2; k++) {
            functions2[k].loop64(n, out, x + start, y);
            functions2[k].loop32(n, outf, xf + start, yf);
            for (int64_t i = 0; i < n; i++) {
                double one = functions2[k].f64(x[i + start], y[i]);
                float onef = functions2[k].f32(xf[i + start], yf[i]);
                EXPECT(one != one ? out[i] != out[i] : memcmp(&one, &out[i], sizeof one) == 0);
                EXPECT(onef != onef ? outf[i] != outf[i] : memcmp(&onef, &outf[i], sizeof onef) == 0);
            }
        }
    }
}

static void near_functions_are_the_full_ones(void)
{
    static double x[RUN], out[3][RUN];
    static float xf[RUN], outf[3][RUN];
    for (int i = 0; i < RUN; i++) {
        double v = some_double();
        x[i] = fabs(v) <= 0x1p45 ? v : (double)(i - 500);
        xf[i] = fabs(v) <= 0x1p17 ? (float)v : (float)(i - 500);
    }
    x[7] = xf[7] = NAN;
    near64_sin(RUN, out[0], x);
    near64_cos(RUN, out[1], x);
    near64_tan(RUN, out[2], x);
    near32_sin(RUN, outf[0], xf);
    near32_cos(RUN, outf[1], xf);
    near32_tan(RUN, outf[2], xf);
    for (int i = 0; i < RUN; i++) {
        double full[3] = {cni_sin_f64(x[i]), cni_cos_f64(x[i]), cni_tan_f64(x[i])};
        float fullf[3] = {cni_sin_f32(xf[i]), cni_cos_f32(xf[i]), cni_tan_f32(xf[i])};
        for (int k = 0; k < 3; k++) {
            EXPECT(i == 7 ? out[k][i] != out[k][i] : full[k] == out[k][i]);
            EXPECT(i == 7 ? outf[k][i] != outf[k][i] : fullf[k] == outf[k][i]);
        }
    }
}

/* Wherever the test of far arguments says so: the same bits as the full form. */
#define NEAR_IS_FULL(name, far)                                                                                        \
    for (int i = 0; i < 200 * RUN; i++) {                                                                              \
        double x = i % 2 == 0 ? some_double() : (i % 3001 - 1500) * 0.5;                                               \
        float xf = (float)x;                                                                                           \
        double near = cni_##name##_near_f64(x), full = cni_##name##_f64(x);                                            \
        float nearf = cni_##name##_near_f32(xf), fullf = cni_##name##_f32(xf);                                         \
        EXPECT(cni_##far##_f64(x) || memcmp(&near, &full, sizeof full) == 0);                                          \
        EXPECT(cni_##far##_f32(xf) || memcmp(&nearf, &fullf, sizeof fullf) == 0);                                      \
        seen += !cni_##far##_f64(x) && !cni_##far##_f32(xf);                                                           \
    }

static void near_forms_are_the_full_ones(void)
{
    int seen = 0;
    NEAR_IS_FULL(exp, exp_far)
    NEAR_IS_FULL(exp2, exp2_far)
    NEAR_IS_FULL(log, log_far)
    NEAR_IS_FULL(log2, log_far)
    NEAR_IS_FULL(log10, log_far)
    NEAR_IS_FULL(cbrt, cbrt_far)
    NEAR_IS_FULL(log1p, log1p_far)
    NEAR_IS_FULL(arcsinh, arcsinh_far)
    NEAR_IS_FULL(arccosh, arccosh_far)
    NEAR_IS_FULL(arctanh, arctanh_far)
    NEAR_IS_FULL(expm1, expm1_far)
    NEAR_IS_FULL(sinh, hyperbolic_far)
    NEAR_IS_FULL(cosh, hyperbolic_far)
    for (int i = 0; i < 200 * RUN; i++) {
        double x = fabs(some_double()), y = i % 2 == 0 ? some_double() : (i % 61 - 30) * 0.5;
        float xf = (float)x, yf = (float)y, nearf = cni_pow_near_f32(xf, yf), fullf = cni_pow_f32(xf, yf);
        double near = cni_pow_near_f64(x, y), full = cni_pow_f64(x, y);
        EXPECT(cni_pow_far_f64(x, y) || memcmp(&near, &full, sizeof full) == 0);
        EXPECT(cni_pow_far_f32(xf, yf) || memcmp(&nearf, &fullf, sizeof fullf) == 0);
        seen += !cni_pow_far_f64(x, y) && !cni_pow_far_f32(xf, yf);
    }
    EXPECT(seen > 200 * RUN);
}

/*
 * A digest of many results: equal for every compiler and instruction set. Printed, compared by hand or by a script.
 */
static void print_digest(void)
{
    check_state = 88172645463325252u;
    uint64_t digest = 0;
    for (int i = 0; i < 20000; i++) {
        double x = some_double(), y = some_double();
        for (int k = 0; k < FUNCTIONS + FUNCTIONS2; k++) {
            double r = k < FUNCTIONS ? functions[k].f64(x) : functions2[k - FUNCTIONS].f64(x, y);
            float s = k < FUNCTIONS ? functions[k].f32((float)x) : functions2[k - FUNCTIONS].f32((float)x, (float)y);
            uint64_t bits = r != r ? 1 : cni_bits_f64(r), bitsf = s != s ? 1 : cni_bits_f32(s);
            digest = (digest ^ bits) * 0x100000001B3u;
            digest = (digest ^ bitsf) * 0x100000001B3u;
        }
    }
    printf("vmath digest %016llx\n", (unsigned long long)digest);
}

/* ---- shape ---- */

static void results_do_not_fall_where_the_function_rises(void)
{
    for (int k = 0; k < FUNCTIONS; k++) {
        const function *f = &functions[k];
        double step = (f->high - f->low) / 20000, last = -INFINITY;
        float last32 = -INFINITY;
        bool single = f->low >= -100 && f->high <= 100;
        for (int i = 0; i <= 20000; i++) {
            double x = f->low + step * i, y = f->f64(i == 20000 ? f->high : x);
            float y32 = f->f32((float)(i == 20000 ? f->high : x));
            EXPECT(y >= last);
            EXPECT(!single || y32 >= last32 - fabsf(last32) * 0x1p-22f);
            last = y;
            last32 = y32;
        }
    }
}

static void odd_and_even_functions_are(void)
{
    for (int i = 0; i < 2000; i++) {
        double x = some_double();
        if (x != x) {
            continue;
        }
        const double pairs[][2] = {{cni_sin_f64(-x), -cni_sin_f64(x)},        {cni_tan_f64(-x), -cni_tan_f64(x)},
                                   {cni_cos_f64(-x), cni_cos_f64(x)},         {cni_sinh_f64(-x), -cni_sinh_f64(x)},
                                   {cni_cosh_f64(-x), cni_cosh_f64(x)},       {cni_tanh_f64(-x), -cni_tanh_f64(x)},
                                   {cni_arctan_f64(-x), -cni_arctan_f64(x)},  {cni_cbrt_f64(-x), -cni_cbrt_f64(x)},
                                   {cni_arcsinh_f64(-x), -cni_arcsinh_f64(x)}};
        for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++) {
            EXPECT(pairs[k][0] == pairs[k][1] || pairs[k][0] != pairs[k][0]);
        }
    }
}

static void exact_cases_are_exact(void)
{
    for (int k = -1074; k < 1024; k++) {
        EXPECT(cni_exp2_f64(k) == ldexp(1, k));
        EXPECT(cni_log2_f64(ldexp(1, k)) == k);
    }
    double ten = 1;
    for (int k = 0; k <= 22; k++, ten *= 10) {
        EXPECT(cni_log10_f64(ten) == k);
        EXPECT(cni_pow_f64(10, k) == ten);
    }
    for (int k = 1; k < 1000; k++) {
        EXPECT(cni_cbrt_f64((double)k * k * k) == k);
        EXPECT(cni_hypot_f64(3.0 * k, 4.0 * k) == 5.0 * k);
        EXPECT(cni_pow_f64(k, 2) == (double)k * k);
        EXPECT(cni_pow_f64(-k, 3) == -(double)k * k * k);
        EXPECT(cni_pow_f32((float)k, 2) == (float)k * (float)k);
    }
    EXPECT(cni_exp_f64(0) == 1 && cni_cos_f64(0) == 1 && cni_cosh_f64(0) == 1 && cni_arccos_f64(1) == 0);
    EXPECT(cni_log1p_f64(0x1p-1074) == 0x1p-1074 && cni_expm1_f64(0x1p-1074) == 0x1p-1074);
}

int main(void)
{
    specials_are_those_of_c();
    specials_of_two_are_those_of_c();
    runs_give_the_bits_of_single_calls();
    near_functions_are_the_full_ones();
    near_forms_are_the_full_ones();
    results_do_not_fall_where_the_function_rises();
    odd_and_even_functions_are();
    exact_cases_are_exact();
    print_digest();
    return finish("vmath");
}
