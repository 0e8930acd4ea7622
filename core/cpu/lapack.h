/*
 * lapack.h - LAPACK, if the library that blas.c has loaded brings it.
 *
 * Its integers have 64 bits or 32: where one is given, the 64-bit one serves both on machines that store the low half first;
 * where some are filled in, cni_lapack_number reads them.
 */
#ifndef CNI_LAPACK_H
#define CNI_LAPACK_H

#include <stdbool.h>
#include <stdint.h>

typedef int64_t cni_lapack_int;

typedef struct cni_lapack {
#define I cni_lapack_int
#define CN_LAPACK(routine, arguments) void(*routine) arguments;
#include "cpu/lapack.def"
#undef CN_LAPACK
#undef I
    bool wide; /* 64 bits */
} cni_lapack;

/* NULL: there is none. */
const cni_lapack *cni_lapack_get(void);

static inline int64_t cni_lapack_number(const cni_lapack *l, const cni_lapack_int *numbers, int64_t i)
{
    return l->wide ? numbers[i] : ((const int32_t *)(const void *)numbers)[i];
}

#endif
