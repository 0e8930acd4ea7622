/*
 * standin_solver.c - cuSOLVER on the processor, by a LAPACK with 64-bit integers: the one in the library that STANDIN_LAPACK
 * names, with symbols like scipy_dgetrf_64_ (NumPy's wheels bring it). Double precision alone: callers compute in no other.
 */
#include "standin.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API STANDIN_API

enum { REAL = 1, COMPLEX = 5 };

typedef void (*routine)();

static void *lapack(void)
{
    static void *library;
    const char *path = getenv("STANDIN_LAPACK");
    if (library == NULL && path != NULL) {
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    return library;
}

/* The routine for real or for complex numbers. */
static routine find(int kind, const char *real, const char *complex_name)
{
    char name[64];
    routine found;
    snprintf(name, sizeof name, "scipy_%s_64_", kind == REAL ? real : complex_name);
    void *symbol = dlsym(lapack(), name);
    memcpy(&found, &symbol, sizeof found);
    return found;
}

static size_t bytes_of(int kind)
{
    return kind == REAL ? 8 : 16;
}

API int cusolverDnCreate(void **handle)
{
    *handle = lapack();
    return *handle != NULL ? 0 : 1;
}

API int cusolverDnSetStream(void *handle, void *stream)
{
    (void)handle, (void)stream;
    return 0;
}

API int cusolverDnCreateParams(void **options)
{
    *options = NULL;
    return 0;
}

/* What a routine is called with. */
typedef struct call {
    int kind, upper, turn, vectors;
    signed char want;
    int64_t m, n, k;
    char *a, *b, *s, *u, *v;
    int64_t *pivots;
    int *info;
} call;

/* ---- LU ---- */

API int cusolverDnXgetrf_bufferSize(void *h, void *o, int64_t m, int64_t n, int kind, const void *a, int64_t lda,
                                    int work, size_t *device, size_t *host)
{
    (void)h, (void)o, (void)m, (void)n, (void)a, (void)lda, (void)work;
    *device = *host = 64;
    return kind == REAL || kind == COMPLEX ? 0 : 1;
}

static int run_lu(void *context)
{
    const call *c = context;
    int64_t info = 0;
    find(c->kind, "dgetrf", "zgetrf")(&c->m, &c->n, c->a, &c->m, c->pivots, &info);
    *c->info = (int)info;
    return 0;
}

API int cusolverDnXgetrf(void *h, void *o, int64_t m, int64_t n, int kind, void *a, int64_t lda, int64_t *pivots,
                         int work, void *device, size_t ndevice, void *host, size_t nhost, int *info)
{
    (void)h, (void)o, (void)lda, (void)work, (void)device, (void)ndevice, (void)host, (void)nhost;
    return standin_now(NULL, run_lu, &(call){.kind = kind, .m = m, .n = n, .a = a, .pivots = pivots, .info = info});
}

static int run_lu_solve(void *context)
{
    const call *c = context;
    int64_t info = 0;
    find(c->kind, "dgetrs", "zgetrs")(c->turn ? "T" : "N", &c->n, &c->k, c->a, &c->n, c->pivots, c->b, &c->n, &info,
                                      (size_t)1);
    *c->info = (int)info;
    return 0;
}

API int cusolverDnXgetrs(void *h, void *o, int turn, int64_t n, int64_t k, int kind, const void *a, int64_t lda,
                         const int64_t *pivots, int kind_b, void *b, int64_t ldb, int *info)
{
    (void)h, (void)o, (void)lda, (void)kind_b, (void)ldb;
    return standin_now(NULL, run_lu_solve, &(call){.kind = kind,
                                             .turn = turn,
                                             .n = n,
                                             .k = k,
                                             .a = (char *)(uintptr_t)a,
                                             .b = b,
                                             .pivots = (int64_t *)(uintptr_t)pivots,
                                             .info = info});
}

/* ---- Cholesky ---- */

API int cusolverDnXpotrf_bufferSize(void *h, void *o, int upper, int64_t n, int kind, const void *a, int64_t lda,
                                    int work, size_t *device, size_t *host)
{
    (void)upper;
    return cusolverDnXgetrf_bufferSize(h, o, n, n, kind, a, lda, work, device, host);
}

static int run_cholesky(void *context)
{
    const call *c = context;
    int64_t info = 0;
    find(c->kind, "dpotrf", "zpotrf")(c->upper ? "U" : "L", &c->n, c->a, &c->n, &info, (size_t)1);
    *c->info = (int)info;
    return 0;
}

API int cusolverDnXpotrf(void *h, void *o, int upper, int64_t n, int kind, void *a, int64_t lda, int work,
                         void *device, size_t ndevice, void *host, size_t nhost, int *info)
{
    (void)h, (void)o, (void)lda, (void)work, (void)device, (void)ndevice, (void)host, (void)nhost;
    return standin_now(NULL, run_cholesky, &(call){.kind = kind, .upper = upper, .n = n, .a = a, .info = info});
}

/* ---- QR ---- */

API int cusolverDnXgeqrf_bufferSize(void *h, void *o, int64_t m, int64_t n, int kind, const void *a, int64_t lda,
                                    int kind_tau, const void *tau, int work, size_t *device, size_t *host)
{
    (void)kind_tau, (void)tau;
    return cusolverDnXgetrf_bufferSize(h, o, m, n, kind, a, lda, work, device, host);
}

static int run_qr(void *context)
{
    const call *c = context;
    int64_t info = 0, size = 64 * c->n;
    void *work = malloc((size_t)size * bytes_of(c->kind));
    find(c->kind, "dgeqrf", "zgeqrf")(&c->m, &c->n, c->a, &c->m, c->b, work, &size, &info);
    free(work);
    *c->info = (int)info;
    return 0;
}

API int cusolverDnXgeqrf(void *h, void *o, int64_t m, int64_t n, int kind, void *a, int64_t lda, int kind_tau,
                         void *tau, int work, void *device, size_t ndevice, void *host, size_t nhost, int *info)
{
    (void)h, (void)o, (void)lda, (void)kind_tau, (void)work, (void)device, (void)ndevice, (void)host, (void)nhost;
    return standin_now(NULL, run_qr, &(call){.kind = kind, .m = m, .n = n, .a = a, .b = tau, .info = info});
}

static int run_columns(void *context)
{
    const call *c = context;
    int64_t info = 0, size = 64 * c->n;
    void *work = malloc((size_t)size * bytes_of(c->kind));
    find(c->kind, "dorgqr", "zungqr")(&c->m, &c->n, &c->k, c->a, &c->m, c->b, work, &size, &info);
    free(work);
    *c->info = (int)info;
    return 0;
}

static int columns(int kind, int m, int n, int k, void *a, const void *tau, int *info)
{
    return standin_now(NULL, run_columns, &(call){.kind = kind,
                                            .m = m,
                                            .n = n,
                                            .k = k,
                                            .a = a,
                                            .b = (char *)(uintptr_t)tau,
                                            .info = info});
}

#define COLUMNS(name, kind)                                                                                            \
    API int name##_bufferSize(void *h, int m, int n, int k, const void *a, int lda, const void *tau, int *elements)    \
    {                                                                                                                  \
        (void)h, (void)m, (void)n, (void)k, (void)a, (void)lda, (void)tau;                                             \
        *elements = 8;                                                                                                 \
        return 0;                                                                                                      \
    }                                                                                                                  \
    API int name(void *h, int m, int n, int k, void *a, int lda, const void *tau, void *work, int elements, int *info) \
    {                                                                                                                  \
        (void)h, (void)lda, (void)work, (void)elements;                                                                \
        return columns(kind, m, n, k, a, tau, info);                                                                   \
    }
COLUMNS(cusolverDnSorgqr, 0)
COLUMNS(cusolverDnDorgqr, REAL)
COLUMNS(cusolverDnCungqr, 0)
COLUMNS(cusolverDnZungqr, COMPLEX)

/* ---- Singular values ---- */

API int cusolverDnXgesvd_bufferSize(void *h, void *o, signed char u_too, signed char v_too, int64_t m, int64_t n,
                                    int kind, const void *a, int64_t lda, int kind_s, const void *s, int kind_u,
                                    const void *u, int64_t ldu, int kind_v, const void *v, int64_t ldv, int work,
                                    size_t *device, size_t *host)
{
    (void)u_too, (void)v_too, (void)kind_s, (void)s, (void)kind_u, (void)u, (void)ldu, (void)kind_v, (void)v, (void)ldv;
    return m < n ? 1 : cusolverDnXgetrf_bufferSize(h, o, m, n, kind, a, lda, work, device, host);
}

static int run_svd(void *context)
{
    const call *c = context;
    int64_t info = 0, size = 64 * (c->m + c->n);
    void *work = malloc((size_t)size * bytes_of(c->kind)), *real = malloc((size_t)c->n * 5 * 8);
    const signed char *want = &c->want;
    if (c->kind == REAL) {
        find(c->kind, "dgesvd", "")(want, want, &c->m, &c->n, c->a, &c->m, c->s, c->u, &c->m, c->v, &c->n, work, &size,
                                    &info, (size_t)1, (size_t)1);
    } else {
        find(c->kind, "", "zgesvd")(want, want, &c->m, &c->n, c->a, &c->m, c->s, c->u, &c->m, c->v, &c->n, work, &size,
                                    real, &info, (size_t)1, (size_t)1);
    }
    free(work);
    free(real);
    *c->info = (int)info;
    return 0;
}

API int cusolverDnXgesvd(void *h, void *o, signed char u_too, signed char v_too, int64_t m, int64_t n, int kind,
                         void *a, int64_t lda, int kind_s, void *s, int kind_u, void *u, int64_t ldu, int kind_v,
                         void *v, int64_t ldv, int work, void *device, size_t ndevice, void *host, size_t nhost,
                         int *info)
{
    (void)h, (void)o, (void)v_too, (void)lda, (void)kind_s, (void)kind_u, (void)ldu, (void)kind_v, (void)ldv;
    (void)work, (void)device, (void)ndevice, (void)host, (void)nhost;
    return standin_now(NULL, run_svd,
        &(call){.kind = kind, .want = u_too, .m = m, .n = n, .a = a, .s = s, .u = u, .v = v, .info = info});
}

/* ---- Eigenvalues ---- */

API int cusolverDnXsyevd_bufferSize(void *h, void *o, int vectors, int upper, int64_t n, int kind, const void *a,
                                    int64_t lda, int kind_w, const void *w, int work, size_t *device, size_t *host)
{
    (void)vectors, (void)upper, (void)kind_w, (void)w;
    return cusolverDnXgetrf_bufferSize(h, o, n, n, kind, a, lda, work, device, host);
}

static int run_eigh(void *context)
{
    const call *c = context;
    int64_t info = 0, size = 66 * c->n;
    void *work = malloc((size_t)size * bytes_of(c->kind)), *real = malloc((size_t)c->n * 3 * 8);
    const char *vectors = c->vectors ? "V" : "N", *half = c->upper ? "U" : "L";
    if (c->kind == REAL) {
        find(c->kind, "dsyev", "")(vectors, half, &c->n, c->a, &c->n, c->s, work, &size, &info, (size_t)1, (size_t)1);
    } else {
        find(c->kind, "", "zheev")(vectors, half, &c->n, c->a, &c->n, c->s, work, &size, real, &info, (size_t)1,
                                   (size_t)1);
    }
    free(work);
    free(real);
    *c->info = (int)info;
    return 0;
}

API int cusolverDnXsyevd(void *h, void *o, int vectors, int upper, int64_t n, int kind, void *a, int64_t lda,
                         int kind_w, void *w, int work, void *device, size_t ndevice, void *host, size_t nhost,
                         int *info)
{
    (void)h, (void)o, (void)lda, (void)kind_w, (void)work, (void)device, (void)ndevice, (void)host, (void)nhost;
    return standin_now(NULL, run_eigh, &(call){.kind = kind, .vectors = vectors, .upper = upper, .n = n, .a = a, .s = w, .info = info});
}
