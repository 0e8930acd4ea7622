/*
 * standin_blas.c - cuBLAS's products by plain sums in double precision, if STANDIN_BLAS is set: their last bits are no other
 * library's, so programs that compare those leave products to the processor.
 */
#include "standin.h"

#include <complex.h>
#include <stdint.h>
#include <stdlib.h>

#define API STANDIN_API

/* A handle is the stream. */
API int cublasCreate_v2(void **handle)
{
    *handle = getenv("STANDIN_BLAS") != NULL ? calloc(1, sizeof(void *)) : NULL;
    return *handle != NULL ? 0 : 1;
}

API int cublasSetStream_v2(void *handle, void *stream)
{
    *(void **)handle = stream;
    return 0;
}

typedef enum number { SINGLE, DOUBLE, SINGLE_COMPLEX, DOUBLE_COMPLEX } number;

/* c = a b, by columns; turned: by rows. Callers scale by 1, and add to nothing. Steps: elements from one of a batch to the next. */
typedef struct call {
    number kind;
    int turn_a, turn_b;
    int64_t m, n, k, lda, ldb, ldc;
    const void *a, *b;
    void *c;
    int64_t count, step_a, step_b, step_c;
} call;

static double complex load(number kind, const void *data, int64_t i)
{
    switch (kind) {
    case SINGLE:
        return ((const float *)data)[i];
    case DOUBLE:
        return ((const double *)data)[i];
    case SINGLE_COMPLEX:
        return ((const float complex *)data)[i];
    default:
        return ((const double complex *)data)[i];
    }
}

static void store(number kind, void *data, int64_t i, double complex value)
{
    switch (kind) {
    case SINGLE:
        ((float *)data)[i] = (float)creal(value);
        return;
    case DOUBLE:
        ((double *)data)[i] = creal(value);
        return;
    case SINGLE_COMPLEX:
        ((float complex *)data)[i] = (float complex)value;
        return;
    default:
        ((double complex *)data)[i] = value;
    }
}

static void multiply(const call *x, int64_t of)
{
    for (int64_t j = 0; j < x->n; j++) {
        for (int64_t i = 0; i < x->m; i++) {
            double complex sum = 0;
            for (int64_t l = 0; l < x->k; l++) {
                int64_t a = x->turn_a != 0 ? i * x->lda + l : l * x->lda + i;
                int64_t b = x->turn_b != 0 ? l * x->ldb + j : j * x->ldb + l;
                sum += load(x->kind, x->a, of * x->step_a + a) * load(x->kind, x->b, of * x->step_b + b);
            }
            store(x->kind, x->c, of * x->step_c + j * x->ldc + i, sum);
        }
    }
}

static bool run(void *context)
{
    call *x = context;
    for (int64_t k = 0; k < x->count; k++) {
        multiply(x, k);
    }
    free(x);
    return true;
}

static int gemm(void *handle, call x)
{
    call *kept = malloc(sizeof *kept);
    if (kept == NULL) {
        return 1;
    }
    *kept = x;
    standin_queue(*(void **)handle, run, kept);
    return 0;
}

#define GEMM(name, kind)                                                                                               \
    API int name(void *handle, int turn_a, int turn_b, int m, int n, int k, const void *alpha, const void *a, int lda, \
                 const void *b, int ldb, const void *beta, void *c, int ldc)                                           \
    {                                                                                                                  \
        return (void)alpha, (void)beta,                                                                                \
               gemm(handle, (call){kind, turn_a, turn_b, m, n, k, lda, ldb, ldc, a, b, c, 1, 0, 0, 0});                \
    }

GEMM(cublasSgemm_v2, SINGLE)
GEMM(cublasDgemm_v2, DOUBLE)
GEMM(cublasCgemm_v2, SINGLE_COMPLEX)
GEMM(cublasZgemm_v2, DOUBLE_COMPLEX)

#define GEMM_BATCH(name, kind)                                                                                         \
    API int name(void *handle, int turn_a, int turn_b, int m, int n, int k, const void *alpha, const void *a, int lda, \
                 long long step_a, const void *b, int ldb, long long step_b, const void *beta, void *c, int ldc,       \
                 long long step_c, int count)                                                                          \
    {                                                                                                                  \
        return (void)alpha, (void)beta,                                                                                \
               gemm(handle,                                                                                            \
                    (call){kind, turn_a, turn_b, m, n, k, lda, ldb, ldc, a, b, c, count, step_a, step_b, step_c});     \
    }

GEMM_BATCH(cublasSgemmStridedBatched, SINGLE)
GEMM_BATCH(cublasDgemmStridedBatched, DOUBLE)
GEMM_BATCH(cublasCgemmStridedBatched, SINGLE_COMPLEX)
GEMM_BATCH(cublasZgemmStridedBatched, DOUBLE_COMPLEX)
