/*
 * blas.c - dense matrix products through a BLAS that is loaded at run time, by its CBLAS interface; and its LAPACK.
 *
 * Which library: the one named with cn_blas_set (the Python package names NumPy's own), else the system's OpenBLAS.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "cpu/lapack.h"
#include "cpu/library.h"
#include "cpu/loops.h"
#include "exec/info.h"
#include "op/op.h"

enum { ROW_MAJOR = 101, COLUMN_MAJOR = 102, NO_TRANSPOSE = 111, TRANSPOSE = 112, UPPER = 121 };

typedef void (*gemm64)(int64_t order, int64_t ta, int64_t tb, int64_t m, int64_t n, int64_t k, double alpha,
                       const double *a, int64_t lda, const double *b, int64_t ldb, double beta, double *c, int64_t ldc);
typedef void (*gemm32)(int64_t order, int64_t ta, int64_t tb, int64_t m, int64_t n, int64_t k, float alpha,
                       const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);
typedef void (*gemm_complex)(int64_t order, int64_t ta, int64_t tb, int64_t m, int64_t n, int64_t k, const void *alpha,
                             const void *a, int64_t lda, const void *b, int64_t ldb, const void *beta, void *c,
                             int64_t ldc);
typedef void (*syrk64)(int64_t order, int64_t uplo, int64_t trans, int64_t n, int64_t k, double alpha, const double *a,
                       int64_t lda, double beta, double *c, int64_t ldc);
typedef void (*syrk32)(int64_t order, int64_t uplo, int64_t trans, int64_t n, int64_t k, float alpha, const float *a,
                       int64_t lda, float beta, float *c, int64_t ldc);
typedef void (*syrk_complex)(int64_t order, int64_t uplo, int64_t trans, int64_t n, int64_t k, const void *alpha,
                             const void *a, int64_t lda, const void *beta, void *c, int64_t ldc);

typedef double (*dot64)(int64_t n, const double *x, int64_t incx, const double *y, int64_t incy);
typedef float (*dot32)(int64_t n, const float *x, int64_t incx, const float *y, int64_t incy);
typedef void (*dot_complex)(int64_t n, const void *x, int64_t incx, const void *y, int64_t incy, void *out);
typedef void (*gemv64)(int64_t order, int64_t ta, int64_t m, int64_t n, double alpha, const double *a, int64_t lda,
                       const double *x, int64_t incx, double beta, double *y, int64_t incy);
typedef void (*gemv32)(int64_t order, int64_t ta, int64_t m, int64_t n, float alpha, const float *a, int64_t lda,
                       const float *x, int64_t incx, float beta, float *y, int64_t incy);

static struct {
    bool tried;
    cni_blas_choice choice;
    char name[1100];
    gemm64 dgemm;
    gemm32 sgemm;
    gemm_complex cgemm, zgemm;
    syrk64 dsyrk;
    syrk32 ssyrk;
    syrk_complex csyrk, zsyrk;
    dot64 ddot;
    dot32 sdot;
    dot_complex cdot, zdot;
    gemv64 dgemv;
    gemv32 sgemv;
    bool has_lapack;
    cni_lapack lapack;
} blas;

void cn_blas_set(const char *path, const char *prefix, const char *suffix, bool ilp64)
{
    snprintf(blas.choice.path, sizeof blas.choice.path, "%s", path);
    snprintf(blas.choice.prefix, sizeof blas.choice.prefix, "%s", prefix);
    snprintf(blas.choice.suffix, sizeof blas.choice.suffix, "%s", suffix);
    blas.choice.ilp64 = ilp64;
    blas.tried = false;
}

void cni_blas_choice_get(cni_blas_choice *choice)
{
    *choice = blas.choice;
}

static void *symbol(void *library, const char *routine)
{
    char name[128];
    snprintf(name, sizeof name, "%scblas_%s%s", blas.choice.prefix, routine, blas.choice.suffix);
    return dlsym(library, name);
}

/* POSIX lets dlsym's result be a function; ISO C has no conversion, hence the copies. */
static void lapack_open(void *library)
{
    static const char *const routines[] = {
#define CN_LAPACK(routine, arguments) #routine,
#include "cpu/lapack.def"
#undef CN_LAPACK
    };
    blas.has_lapack = true;
    for (size_t i = 0; i < sizeof routines / sizeof *routines && blas.has_lapack; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s_%s", blas.choice.prefix, routines[i], blas.choice.suffix);
        void *address = dlsym(library, name);
        blas.has_lapack = address != NULL;
        memcpy((char *)&blas.lapack + i * sizeof address, &address, sizeof address);
    }
    blas.lapack.wide = blas.choice.ilp64;
}

static bool blas_open(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        return false;
    }
    const struct {
        const char *routine;
        void *place;
    } routines[] = {{"dgemm", &blas.dgemm}, {"sgemm", &blas.sgemm},    {"cgemm", &blas.cgemm},
                    {"zgemm", &blas.zgemm}, {"ddot", &blas.ddot},      {"sdot", &blas.sdot},
                    {"dsyrk", &blas.dsyrk}, {"ssyrk", &blas.ssyrk},    {"csyrk", &blas.csyrk},
                    {"zsyrk", &blas.zsyrk}, {"cdotu_sub", &blas.cdot}, {"zdotu_sub", &blas.zdot},
                    {"dgemv", &blas.dgemv}, {"sgemv", &blas.sgemv}};
    for (size_t i = 0; i < sizeof routines / sizeof *routines; i++) {
        void *address = symbol(library, routines[i].routine);
        if (address == NULL) {
            blas.dgemm = NULL;
            dlclose(library);
            return false;
        }
        memcpy(routines[i].place, &address, sizeof address);
    }
    snprintf(blas.name, sizeof blas.name, "%s", path);
    lapack_open(library);
    return true;
}

static bool blas_ready(void)
{
    if (!blas.tried) {
        blas.tried = true;
        if (blas.choice.path[0] == '\0' || !blas_open(blas.choice.path)) {
            blas.choice.prefix[0] = blas.choice.suffix[0] = '\0';
            blas.choice.ilp64 = false;
            if (!blas_open("libopenblas.so.0")) {
                blas_open("libcblas.so.3");
            }
        }
    }
    return blas.dgemm != NULL;
}

const char *cni_blas_name(void)
{
    return blas_ready() ? blas.name : "none";
}

const cni_lapack *cni_lapack_get(void)
{
    return blas_ready() && blas.has_lapack ? &blas.lapack : NULL;
}

/* ---- Layouts ---- */

/* Can BLAS take the matrix, and how: leading dimension, transposed against row-major? */
static bool blas_layout(const cni_matrix *m, int64_t itemsize, int64_t *leading, bool *transposed)
{
    int64_t row = m->row_stride, column = m->column_stride;
    bool row_major = (column == itemsize || m->columns == 1) && row % itemsize == 0 &&
                     (m->rows == 1 || row >= m->columns * itemsize);
    bool column_major = (row == itemsize || m->rows == 1) && column % itemsize == 0 &&
                        (m->columns == 1 || column >= m->rows * itemsize);
    if (row_major) {
        *leading = m->rows == 1 ? m->columns : row / itemsize;
        *transposed = false;
    } else if (column_major) {
        *leading = m->columns == 1 ? m->rows : column / itemsize;
        *transposed = true;
    }
    return (row_major || column_major) && *leading <= INT32_MAX;
}

static const float one32[2] = {1, 0}, zero32[2] = {0, 0};
static const double one64[2] = {1, 0}, zero64[2] = {0, 0};

/* The elements below the diagonal are those above it, block by block. */
static void mirror(const cni_matrix *c)
{
    enum { BLOCK = 32 };
    int64_t size = cni_dtype_size(c->dtype), n = c->rows, row = c->row_stride, column = c->column_stride;
    const cni_plane_loop plane = cni_cpu_kernels_get()->planes[__builtin_ctzll((unsigned long long)size)];
    for (int64_t from = 0; from < n; from += BLOCK) {
        int64_t to = from + BLOCK < n ? from + BLOCK : n;
        for (int64_t i = from + 1; i < to; i++) {
            plane(1, i - from, c->data + i * row + from * column, 0, column, c->data + from * row + i * column, 0, row);
        }
        if (to < n) {
            plane(n - to, to - from, c->data + to * row + from * column, row, column,
                  c->data + from * row + to * column, column, row);
        }
    }
}

/* A matrix times its own transpose: half of the result is computed. Its bits are others than a product's. */
static bool multiply_own(const cni_matrix *a, const cni_matrix *b, const cni_matrix *c, int64_t lda, bool ta,
                         int64_t ldc)
{
    bool own = a->data == b->data && a->rows == b->columns && a->row_stride == b->column_stride &&
               a->column_stride == b->row_stride && a->rows > 1;
    if (!own) {
        return false;
    }
    int64_t how = ta ? TRANSPOSE : NO_TRANSPOSE, n = c->rows, k = a->columns;
    void *x = a->data, *z = c->data;
    switch (a->dtype) {
    case CN_FLOAT64:
        blas.dsyrk(ROW_MAJOR, UPPER, how, n, k, 1, x, lda, 0, z, ldc);
        break;
    case CN_FLOAT32:
        blas.ssyrk(ROW_MAJOR, UPPER, how, n, k, 1, x, lda, 0, z, ldc);
        break;
    case CN_COMPLEX64:
        blas.csyrk(ROW_MAJOR, UPPER, how, n, k, one32, x, lda, zero32, z, ldc);
        break;
    default:
        blas.zsyrk(ROW_MAJOR, UPPER, how, n, k, one64, x, lda, zero64, z, ldc);
        break;
    }
    mirror(c);
    return true;
}

static bool multiply_blas(const cni_matrix *a, const cni_matrix *b, const cni_matrix *c, bool whole)
{
    int64_t size = (int64_t)cn_dtype_size(a->dtype), lda, ldb, ldc;
    bool ta, tb, tc;
    bool inexact =
        a->dtype == CN_FLOAT32 || a->dtype == CN_FLOAT64 || a->dtype == CN_COMPLEX64 || a->dtype == CN_COMPLEX128;
    if (!inexact || a->columns == 0 || !blas_ready() || !blas_layout(a, size, &lda, &ta) ||
        !blas_layout(b, size, &ldb, &tb) || !blas_layout(c, size, &ldc, &tc) || tc) {
        return false;
    }
    if (whole && multiply_own(a, b, c, lda, ta, ldc)) {
        return true;
    }
    int64_t m = c->rows, n = c->columns, k = a->columns;
    int64_t xa = ta ? TRANSPOSE : NO_TRANSPOSE, xb = tb ? TRANSPOSE : NO_TRANSPOSE;
    void *x = a->data, *y = b->data, *z = c->data;
    switch (a->dtype) {
    case CN_FLOAT64:
        blas.dgemm(ROW_MAJOR, xa, xb, m, n, k, 1, x, lda, y, ldb, 0, z, ldc);
        break;
    case CN_FLOAT32:
        blas.sgemm(ROW_MAJOR, xa, xb, m, n, k, 1, x, lda, y, ldb, 0, z, ldc);
        break;
    case CN_COMPLEX64:
        blas.cgemm(ROW_MAJOR, xa, xb, m, n, k, one32, x, lda, y, ldb, zero32, z, ldc);
        break;
    default:
        blas.zgemm(ROW_MAJOR, xa, xb, m, n, k, one64, x, lda, y, ldb, zero64, z, ldc);
        break;
    }
    return true;
}

/* BLAS counts a negative step from the lowest address. */
static void *lowest(char *data, int64_t n, int64_t stride)
{
    return stride < 0 ? data + (n - 1) * stride : data;
}

/* A row times a column: strides may be anything but 0. */
static bool multiply_dot(const cni_matrix *a, const cni_matrix *b, const cni_matrix *c)
{
    int64_t size = cni_dtype_size(a->dtype), n = a->columns;
    int64_t incx = a->column_stride / size, incy = b->row_stride / size;
    bool fits = c->rows == 1 && c->columns == 1 && n > 0 && n <= INT32_MAX && a->column_stride % size == 0 &&
                b->row_stride % size == 0 && incx != 0 && incy != 0 && incx <= INT32_MAX && incy <= INT32_MAX &&
                incx >= -INT32_MAX && incy >= -INT32_MAX;
    if (!fits || !blas_ready()) {
        return false;
    }
    void *x = lowest(a->data, n, a->column_stride), *y = lowest(b->data, n, b->row_stride), *z = c->data;
    switch (a->dtype) {
    case CN_FLOAT64:
        *(double *)z = blas.ddot(n, x, incx, y, incy);
        return true;
    case CN_FLOAT32:
        *(float *)z = blas.sdot(n, x, incx, y, incy);
        return true;
    case CN_COMPLEX64:
        blas.cdot(n, x, incx, y, incy, z);
        return true;
    case CN_COMPLEX128:
        blas.zdot(n, x, incx, y, incy, z);
        return true;
    default:
        return false;
    }
}

/* A matrix times a column. */
static bool multiply_column(const cni_matrix *a, const cni_matrix *b, const cni_matrix *c)
{
    int64_t size = cni_dtype_size(a->dtype), leading;
    bool transposed;
    bool fits = (a->dtype == CN_FLOAT64 || a->dtype == CN_FLOAT32) && c->columns == 1 && a->columns > 0 &&
                a->rows <= INT32_MAX && a->columns <= INT32_MAX && b->row_stride > 0 && b->row_stride % size == 0 &&
                c->row_stride > 0 && c->row_stride % size == 0 && b->row_stride / size <= INT32_MAX &&
                c->row_stride / size <= INT32_MAX;
    if (!fits || !blas_ready() || !blas_layout(a, size, &leading, &transposed)) {
        return false;
    }
    int64_t m = transposed ? a->columns : a->rows, n = transposed ? a->rows : a->columns;
    int64_t how = transposed ? TRANSPOSE : NO_TRANSPOSE, incx = b->row_stride / size, incy = c->row_stride / size;
    void *x = a->data, *y = b->data, *z = c->data;
    if (a->dtype == CN_FLOAT64) {
        blas.dgemv(ROW_MAJOR, how, m, n, 1, x, leading, y, incx, 0, z, incy);
    } else {
        blas.sgemv(ROW_MAJOR, how, m, n, 1, x, leading, y, incx, 0, z, incy);
    }
    return true;
}

/* A row times a matrix is the transposed matrix times a column. */
static bool multiply_row(const cni_matrix *a, const cni_matrix *b, const cni_matrix *c)
{
    cni_matrix t = {b->dtype, b->columns, b->rows, b->column_stride, b->row_stride, b->data};
    cni_matrix x = {a->dtype, a->columns, 1, a->column_stride, 0, a->data};
    cni_matrix y = {c->dtype, c->columns, 1, c->column_stride, 0, c->data};
    return multiply_column(&t, &x, &y);
}

/* ---- Plain loops ---- */

/* Of float16, or without BLAS. */
static void multiply_element(const cni_matrix *a, const cni_matrix *b, const char *x, const char *y, char *to)
{
    double re = 0, im = 0;
    cn_scalar s = {.dtype = a->dtype}, p, q;
    for (int64_t k = 0; k < a->columns; k++, x += a->column_stride, y += b->row_stride) {
        memcpy(s.value.bytes, x, cn_dtype_size(a->dtype));
        cn_scalar_cast(&s, CN_STRONG, CN_COMPLEX128, &p);
        memcpy(s.value.bytes, y, cn_dtype_size(a->dtype));
        cn_scalar_cast(&s, CN_STRONG, CN_COMPLEX128, &q);
        re += p.value.c128[0] * q.value.c128[0] - p.value.c128[1] * q.value.c128[1];
        im += p.value.c128[0] * q.value.c128[1] + p.value.c128[1] * q.value.c128[0];
    }
    cn_scalar sum = {.dtype = CN_COMPLEX128, .value = {.c128 = {re, im}}}, out;
    cn_scalar_cast(&sum, CN_STRONG, a->dtype, &out);
    memcpy(to, out.value.bytes, cn_dtype_size(a->dtype));
}

void cni_matrix_multiply(const cni_matrix *a, const cni_matrix *b, const cni_matrix *c, int64_t rows, int64_t columns,
                         bool whole)
{
    if ((rows == 1 && columns == 1 && multiply_dot(a, b, c)) ||
        (rows > 1 && columns == 1 && multiply_column(a, b, c)) || (rows == 1 && multiply_row(a, b, c)) ||
        multiply_blas(a, b, c, whole) || cni_multiply_whole(a, b, c)) {
        return;
    }
    for (int64_t i = 0; i < c->rows; i++) {
        for (int64_t j = 0; j < c->columns; j++) {
            multiply_element(a, b, a->data + i * a->row_stride, b->data + j * b->column_stride,
                             c->data + i * c->row_stride + j * c->column_stride);
        }
    }
}
