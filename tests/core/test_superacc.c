/* Exact sums: any order gives the same bits, and those of the true sum rounded once. */
#include "cpu/superacc.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "check.h"

enum { MOST = 4000 };

static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static double sum(int n, const double *x)
{
    cni_superacc acc;
    cni_superacc_init(&acc);
    for (int i = 0; i < n; i++) {
        cni_superacc_add(&acc, x[i]);
    }
    return cni_superacc_round(&acc);
}

static void shuffle(int n, double *x)
{
    for (int i = n - 1; i > 0; i--) {
        int j = (int)below(i + 1);
        double t = x[i];
        x[i] = x[j];
        x[j] = t;
    }
}

static void known_values(void)
{
    EXPECT(same(sum(0, NULL), -0.0));
    EXPECT(same(sum(2, (double[]){-0.0, -0.0}), -0.0));
    EXPECT(same(sum(2, (double[]){-0.0, 0.0}), 0.0));
    EXPECT(same(sum(3, (double[]){1e100, 1.0, -1e100}), 1.0));
    EXPECT(same(sum(2, (double[]){DBL_MAX, DBL_MAX}), INFINITY));
    EXPECT(same(sum(3, (double[]){DBL_MAX, DBL_MAX, -DBL_MAX}), DBL_MAX));
    EXPECT(same(sum(2, (double[]){INFINITY, 1}), INFINITY));
    EXPECT(isnan(sum(2, (double[]){INFINITY, -INFINITY})));
    EXPECT(same(sum(2, (double[]){0x1p-1074, 0x1p-1074}), 0x1p-1073));
    EXPECT(same(sum(2, (double[]){1.0, 0x1p-53}), 1.0));                      /* tie to even */
    EXPECT(same(sum(3, (double[]){1.0, 0x1p-53, 0x1p-1074}), 1.0 + 0x1p-52)); /* just above the tie */
    EXPECT(same(sum(2, (double[]){1.0 + 0x1p-52, 0x1p-53}), 1.0 + 0x1p-51));
    EXPECT(same(sum(2, (double[]){-1.0, -0x1p-53}), -1.0));
}

/* Whole numbers of up to 62 bits add up exactly in an int64_t. */
static void whole_numbers(void)
{
    static double x[MOST];
    for (int round = 0; round < 50; round++) {
        int64_t exact = 0;
        for (int i = 0; i < MOST; i++) {
            int64_t term = below(INT64_C(1) << 50) - (INT64_C(1) << 49);
            exact += term;
            x[i] = ldexp((double)term, -60);
        }
        EXPECT(same(sum(MOST, x), ldexp((double)exact, -60)));
    }
}

static void any_order(void)
{
    static double x[MOST];
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < MOST; i++) {
            x[i] = ldexp((double)below(INT64_C(1) << 53) - 0x1p52, (int)below(1800) - 950);
        }
        double first = sum(MOST, x);
        shuffle(MOST, x);
        EXPECT(same(sum(MOST, x), first));
        cni_superacc a, b;
        cni_superacc_init(&a);
        cni_superacc_init(&b);
        for (int i = 0; i < MOST; i++) {
            cni_superacc_add(i % 3 == 0 ? &a : &b, x[i]);
        }
        cni_superacc_merge(&a, &b);
        EXPECT(same(cni_superacc_round(&a), first));
    }
}

int main(void)
{
    known_values();
    whole_numbers();
    any_order();
    return finish("superacc");
}
