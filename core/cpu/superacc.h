/*
 * superacc.h - a sum of doubles without rounding: the same bits in whatever order the terms come.
 *
 * The 2,098 bits between the least subnormal and the greatest double are cut into digits of 32 bits; each is kept in
 * 64, so that 2^30 terms fit before carries have to be passed on. Infinities and NaN are added up aside.
 */
#ifndef CNI_SUPERACC_H
#define CNI_SUPERACC_H

#include <stdint.h>

enum { CNI_SUPERACC_DIGITS = 68, CNI_SUPERACC_TERMS = 1 << 30 };

typedef struct cni_superacc {
    int64_t digits[CNI_SUPERACC_DIGITS]; /* digit k counts 2^(32 k - 1074) */
    int64_t terms;                       /* since carries were passed on last */
    double special;                      /* sum of the terms that are not finite */
    int any_special, any_finite;         /* any_finite: a term that is not -0 */
} cni_superacc;

void cni_superacc_init(cni_superacc *acc);
void cni_superacc_add(cni_superacc *acc, double x);
void cni_superacc_merge(cni_superacc *acc, const cni_superacc *other);

/* Digits, then flags: 1 plus infinity, 2 minus infinity, 4 NaN, 8 a term that is not -0. */
void cni_superacc_set(cni_superacc *acc, const int64_t *words);

/* The sum, rounded once to nearest, ties to even; -0.0 if every term was. */
double cni_superacc_round(cni_superacc *acc);

#endif
