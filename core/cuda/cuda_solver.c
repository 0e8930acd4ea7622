/*
 * cuda_solver.c - factorisations: many small matrices at once (cuda_small.h), others by cuSOLVER, one matrix of a batch after
 * the other in the stream. Its matrices lie by columns, as the caller's do (cn_factorize). A row of the table says how much memory a matrix takes for work, and does one.
 */
#include <string.h>

#include "base/memory.h"
#include "base/settings.h"
#include "base/status.h"
#include "cuda/cuda_call.h"
#include "cuda/cuda_driver.h"
#include "cuda/cuda_graph.h"
#include "cuda/cuda_memory.h"
#include "cuda/cuda_small.h"
#include "cuda/cuda_spread.h"
#include "op/op.h"

typedef cni_cuda_handle handle;

/* Entries of the 64-bit interface: a handle, options, sizes, and each operand with its kind of number and its address. */
#define SOLVER(X)                                                                                                      \
    X(create, "cusolverDnCreate", (handle * h))                                                                        \
    X(set_stream, "cusolverDnSetStream", (handle h, handle stream))                                                    \
    X(options, "cusolverDnCreateParams", (handle * options))                                                           \
    X(lu_size, "cusolverDnXgetrf_bufferSize",                                                                          \
      (handle h, handle options, int64_t m, int64_t n, int kind, const void *a, int64_t lda, int work, size_t *device, \
       size_t *host))                                                                                                  \
    X(lu, "cusolverDnXgetrf",                                                                                          \
      (handle h, handle options, int64_t m, int64_t n, int kind, void *a, int64_t lda, int64_t *pivots, int work,      \
       void *device, size_t ndevice, void *host, size_t nhost, int *info))                                             \
    X(lu_solve, "cusolverDnXgetrs",                                                                                    \
      (handle h, handle options, int turn, int64_t n, int64_t columns, int kind, const void *a, int64_t lda,           \
       const int64_t *pivots, int kind_b, void *b, int64_t ldb, int *info))                                            \
    X(cholesky_size, "cusolverDnXpotrf_bufferSize",                                                                    \
      (handle h, handle options, int upper, int64_t n, int kind, const void *a, int64_t lda, int work, size_t *device, \
       size_t *host))                                                                                                  \
    X(cholesky, "cusolverDnXpotrf",                                                                                    \
      (handle h, handle options, int upper, int64_t n, int kind, void *a, int64_t lda, int work, void *device,         \
       size_t ndevice, void *host, size_t nhost, int *info))                                                           \
    X(qr_size, "cusolverDnXgeqrf_bufferSize",                                                                          \
      (handle h, handle options, int64_t m, int64_t n, int kind, const void *a, int64_t lda, int kind_tau,             \
       const void *tau, int work, size_t *device, size_t *host))                                                       \
    X(qr, "cusolverDnXgeqrf",                                                                                          \
      (handle h, handle options, int64_t m, int64_t n, int kind, void *a, int64_t lda, int kind_tau, void *tau,        \
       int work, void *device, size_t ndevice, void *host, size_t nhost, int *info))                                   \
    X(svd_size, "cusolverDnXgesvd_bufferSize",                                                                         \
      (handle h, handle options, signed char u_too, signed char v_too, int64_t m, int64_t n, int kind, const void *a,  \
       int64_t lda, int kind_s, const void *s, int kind_u, const void *u, int64_t ldu, int kind_v, const void *v,      \
       int64_t ldv, int work, size_t *device, size_t *host))                                                           \
    X(svd, "cusolverDnXgesvd",                                                                                         \
      (handle h, handle options, signed char u_too, signed char v_too, int64_t m, int64_t n, int kind, void *a,        \
       int64_t lda, int kind_s, void *s, int kind_u, void *u, int64_t ldu, int kind_v, void *v, int64_t ldv, int work, \
       void *device, size_t ndevice, void *host, size_t nhost, int *info))                                             \
    X(eigh_size, "cusolverDnXsyevd_bufferSize",                                                                        \
      (handle h, handle options, int vectors, int upper, int64_t n, int kind, const void *a, int64_t lda, int kind_w,  \
       const void *w, int work, size_t *device, size_t *host))                                                         \
    X(eigh, "cusolverDnXsyevd",                                                                                        \
      (handle h, handle options, int vectors, int upper, int64_t n, int kind, void *a, int64_t lda, int kind_w,        \
       void *w, int work, void *device, size_t ndevice, void *host, size_t nhost, int *info))

/* Columns of Q: an entry for each kind of number, with int sizes. */
#define COLUMNS(X) X(q32, "Sorgqr") X(q64, "Dorgqr") X(c64, "Cungqr") X(c128, "Zungqr")

#define MEMBER(name, symbol, parameters) int(*name) parameters;
#define COLUMNS_MEMBER(name, symbol)                                                                                   \
    int (*name##_size)(handle h, int m, int n, int k, const void *a, int lda, const void *tau, int *elements);         \
    int (*name)(handle h, int m, int n, int k, void *a, int lda, const void *tau, void *work, int elements, int *info);
typedef struct entries {
    SOLVER(MEMBER)
    COLUMNS(COLUMNS_MEMBER)
} entries;

#define ENTRY(name, symbol, parameters) {symbol, offsetof(entries, name)},
#define COLUMNS_ENTRY(name, symbol)                                                                                    \
    {"cusolverDn" symbol "_bufferSize", offsetof(entries, name##_size)}, {"cusolverDn" symbol, offsetof(entries, name)},
static const cni_cuda_entry all_entries[] = {SOLVER(ENTRY) COLUMNS(COLUMNS_ENTRY)};

static entries solver;
static handle solver_handle, solver_options;

static bool solver_begin(void)
{
    return solver.create(&solver_handle) == 0 && solver.set_stream(solver_handle, cni_cuda_gpu.stream) == 0 &&
           solver.options(&solver_options) == 0;
}

static cni_cuda_opening opening = {
    .setting = CNI_TEXT_SETTING_CUDA_SOLVER,
    .names = (const char *const[]){"libcusolver.so.12", "libcusolver.so.11", "libcusolver.so", NULL},
    .table = &solver,
    .entries = all_entries,
    .count = sizeof all_entries / sizeof *all_entries,
    .begin = solver_begin};

/* ---- One matrix ---- */

/* The arrays of one matrix of the batch, and what it works with. */
typedef struct matrix {
    const cni_device_call *call;
    int64_t rows, columns; /* of the first array */
    int kind, kind_real;   /* cudaDataType */
    void *arrays[CNI_CALL_ARRAYS];
    void *device, *host;
    size_t ndevice, nhost;
    int *info; /* on the device */
} matrix;

static int64_t extent(const cni_device_call *call, int array, int from_last)
{
    const cni_call_array *a = &call->arrays[array];
    return a->shape[a->ndim - from_last];
}

static bool lu_size(matrix *m)
{
    return solver.lu_size(solver_handle, solver_options, m->rows, m->columns, m->kind, m->arrays[0], m->rows, m->kind,
                          &m->ndevice, &m->nhost) == 0;
}

static bool lu(const matrix *m)
{
    return solver.lu(solver_handle, solver_options, m->rows, m->columns, m->kind, m->arrays[0], m->rows, m->arrays[1],
                     m->kind, m->device, m->ndevice, m->host, m->nhost, m->info) == 0;
}

static bool no_size(matrix *m)
{
    m->ndevice = m->nhost = 0;
    return true;
}

static bool lu_solve(const matrix *m)
{
    return solver.lu_solve(solver_handle, solver_options, m->call->option & 1, m->rows, extent(m->call, 2, 2), m->kind,
                           m->arrays[0], m->rows, m->arrays[1], m->kind, m->arrays[2], m->rows, m->info) == 0;
}

static bool cholesky_size(matrix *m)
{
    return solver.cholesky_size(solver_handle, solver_options, m->call->option & 1, m->rows, m->kind, m->arrays[0],
                                m->rows, m->kind, &m->ndevice, &m->nhost) == 0;
}

static bool cholesky(const matrix *m)
{
    return solver.cholesky(solver_handle, solver_options, m->call->option & 1, m->rows, m->kind, m->arrays[0], m->rows,
                           m->kind, m->device, m->ndevice, m->host, m->nhost, m->info) == 0;
}

static bool qr_size(matrix *m)
{
    return solver.qr_size(solver_handle, solver_options, m->rows, m->columns, m->kind, m->arrays[0], m->rows, m->kind,
                          m->arrays[1], m->kind, &m->ndevice, &m->nhost) == 0;
}

static bool qr(const matrix *m)
{
    return solver.qr(solver_handle, solver_options, m->rows, m->columns, m->kind, m->arrays[0], m->rows, m->kind,
                     m->arrays[1], m->kind, m->device, m->ndevice, m->host, m->nhost, m->info) == 0;
}

typedef struct columns_of_q {
    int (*size)(handle h, int m, int n, int k, const void *a, int lda, const void *tau, int *elements);
    int (*make)(handle h, int m, int n, int k, void *a, int lda, const void *tau, void *work, int elements, int *info);
} columns_of_q;

static columns_of_q columns_for(cn_dtype dtype)
{
    switch (dtype) {
    case CN_FLOAT32:
        return (columns_of_q){solver.q32_size, solver.q32};
    case CN_FLOAT64:
        return (columns_of_q){solver.q64_size, solver.q64};
    case CN_COMPLEX64:
        return (columns_of_q){solver.c64_size, solver.c64};
    default:
        return (columns_of_q){solver.c128_size, solver.c128};
    }
}

static bool q_size(matrix *m)
{
    int elements = 0, rows = (int)m->rows;
    cn_dtype dtype = m->call->arrays[0].dtype;
    bool fine = columns_for(dtype).size(solver_handle, rows, (int)m->columns, (int)extent(m->call, 1, 1), m->arrays[0],
                                        rows, m->arrays[1], &elements) == 0;
    m->ndevice = (size_t)elements * cn_dtype_size(dtype);
    m->nhost = 0;
    return fine;
}

static bool q(const matrix *m)
{
    int rows = (int)m->rows;
    cn_dtype dtype = m->call->arrays[0].dtype;
    return columns_for(dtype).make(solver_handle, rows, (int)m->columns, (int)extent(m->call, 1, 1), m->arrays[0], rows,
                                   m->arrays[1], m->device, (int)(m->ndevice / cn_dtype_size(dtype)), m->info) == 0;
}

/* Vectors: none, as many as there are columns, or all. */
static signed char vectors_of(const matrix *m)
{
    bool none = m->call->narrays < 4;
    return (signed char)(none ? 'N' : extent(m->call, 2, 2) == m->columns ? 'S' : 'A');
}

static bool svd_size(matrix *m)
{
    signed char vectors = vectors_of(m);
    return solver.svd_size(solver_handle, solver_options, vectors, vectors, m->rows, m->columns, m->kind, m->arrays[0],
                           m->rows, m->kind_real, m->arrays[1], m->kind, m->arrays[2], m->rows, m->kind, m->arrays[3],
                           m->columns, m->kind, &m->ndevice, &m->nhost) == 0;
}

static bool svd(const matrix *m)
{
    signed char vectors = vectors_of(m);
    return solver.svd(solver_handle, solver_options, vectors, vectors, m->rows, m->columns, m->kind, m->arrays[0],
                      m->rows, m->kind_real, m->arrays[1], m->kind, m->arrays[2], m->rows, m->kind, m->arrays[3],
                      m->columns, m->kind, m->device, m->ndevice, m->host, m->nhost, m->info) == 0;
}

static bool eigh_size(matrix *m)
{
    int vectors = (m->call->option & 2) == 0, upper = m->call->option & 1;
    return solver.eigh_size(solver_handle, solver_options, vectors, upper, m->rows, m->kind, m->arrays[0], m->rows,
                            m->kind_real, m->arrays[1], m->kind, &m->ndevice, &m->nhost) == 0;
}

static bool eigh(const matrix *m)
{
    int vectors = (m->call->option & 2) == 0, upper = m->call->option & 1;
    return solver.eigh(solver_handle, solver_options, vectors, upper, m->rows, m->kind, m->arrays[0], m->rows,
                       m->kind_real, m->arrays[1], m->kind, m->device, m->ndevice, m->host, m->nhost, m->info) == 0;
}

static const struct {
    bool (*size)(matrix *m);
    bool (*run)(const matrix *m);
    bool asks;        /* info says something that the caller needs */
    int narrays[2];   /* least and most */
    int8_t dims[4];   /* of each array without the batch */
    unsigned written; /* bits of the arrays */
} rows[CN_FACTOR_COUNT] = {
    [CN_FACTOR_LU] = {lu_size, lu, true, {2, 2}, {2, 1}, 3},
    [CN_FACTOR_LU_SOLVE] = {no_size, lu_solve, false, {3, 3}, {2, 1, 2}, 4},
    [CN_FACTOR_CHOLESKY] = {cholesky_size, cholesky, true, {1, 1}, {2}, 1},
    [CN_FACTOR_QR] = {qr_size, qr, true, {2, 2}, {2, 1}, 3},
    [CN_FACTOR_QR_Q] = {q_size, q, false, {2, 2}, {2, 1}, 1},
    [CN_FACTOR_SVD] = {svd_size, svd, true, {2, 4}, {2, 1, 2, 2}, 15},
    [CN_FACTOR_EIGH] = {eigh_size, eigh, true, {2, 2}, {2, 1}, 3},
};

/* ---- Batches ---- */

static bool kinds_of(cn_dtype dtype, matrix *m)
{
    static const struct {
        bool known;
        int kind, real; /* CUDA_R_32F and so on */
    } kinds[CN_DTYPE_COUNT] = {[CN_FLOAT32] = {true, 0, 0},
                               [CN_FLOAT64] = {true, 1, 1},
                               [CN_COMPLEX64] = {true, 4, 0},
                               [CN_COMPLEX128] = {true, 5, 1}};
    m->kind = kinds[dtype].kind;
    m->kind_real = kinds[dtype].real;
    return kinds[dtype].known;
}

static int64_t batch_of(const cni_device_call *call)
{
    const cni_call_array *a = &call->arrays[0];
    int64_t n = 1;
    for (int d = 0; d < a->ndim - rows[call->factor].dims[0]; d++) {
        n *= a->shape[d];
    }
    return n;
}

/* Bytes of one matrix of the array. */
static int64_t step_of(const cni_device_call *call, int array)
{
    const cni_call_array *a = &call->arrays[array];
    int64_t n = (int64_t)cn_dtype_size(a->dtype);
    for (int d = a->ndim - rows[call->factor].dims[array]; d < a->ndim; d++) {
        n *= a->shape[d];
    }
    return n;
}

static bool run_all(const matrix *first, int64_t batch)
{
    matrix m = *first;
    bool fine = true;
    for (int64_t k = 0; k < batch && fine; k++) {
        for (int i = 0; i < m.call->narrays; i++) {
            m.arrays[i] = (char *)first->arrays[i] + k * step_of(m.call, i);
        }
        m.info = first->info + k;
        fine = rows[m.call->factor].run(&m);
    }
    return fine;
}

/* What the first matrix reports that is not 0. */
static cn_status read_info(const int *info, int64_t batch, int64_t *out)
{
    int *values = cni_alloc((size_t)batch * sizeof *values);
    if (values == NULL) {
        return cni_fail_memory(batch * (int64_t)sizeof *values);
    }
    cn_status status = cni_cuda_device.download(values, info, batch * (int64_t)sizeof *values);
    *out = 0;
    for (int64_t k = 0; k < batch && status == CN_OK && *out == 0; k++) {
        *out = values[k];
    }
    cni_free(values);
    return status;
}

static cn_status run_with(const matrix *m, int64_t batch)
{
    cni_cuda_foreign();
    if (!run_all(m, batch)) {
        cni_cuda_device.finish();
        return CN_ERROR_UNSUPPORTED;
    }
    bool waits = m->nhost > 0 && !rows[m->call->factor].asks; /* the host's part may be in use */
    return waits ? cni_cuda_device.finish() : CN_OK;
}

/* Of an array that lies on several GPUs; else 0. */
static size_t far_bytes(const matrix *m, int64_t batch, int array)
{
    bool far = cni_cuda_spread_find((uintptr_t)m->call->arrays[array].data) != NULL;
    return far ? (size_t)(step_of(m->call, array) * batch) : 0;
}

/*
 * What lies on several GPUs is in the first one's own memory for the time of the call, and so is what the library works in: it
 * goes over both many times. False: nothing is far, or there is no memory.
 */
static bool come_near(matrix *m, int64_t batch)
{
    size_t all = (size_t)cni_cuda_aligned((int64_t)m->ndevice), far = 0;
    for (int i = 0; i < m->call->narrays; i++) {
        far += (size_t)cni_cuda_aligned((int64_t)far_bytes(m, batch, i));
    }
    cni_cuda_address at = far > 0 ? cni_cuda_local(0, all + far) : 0;
    if (at == 0) {
        return false;
    }
    cni_cuda_foreign();
    m->device = (void *)(uintptr_t)at;
    at += all;
    for (int i = 0; i < m->call->narrays; i++) {
        size_t n = far_bytes(m, batch, i);
        if (n > 0) {
            m->arrays[i] = (void *)(uintptr_t)at;
            cni_cuda_copy_owned(at, (uintptr_t)m->call->arrays[i].data, n, cni_cuda_gpu.stream);
            at += (cni_cuda_address)cni_cuda_aligned((int64_t)n);
        }
    }
    return true;
}

/* What it has written of that goes where it belongs. */
static void go_back(const matrix *m, int64_t batch)
{
    for (int i = 0; i < m->call->narrays; i++) {
        size_t n = (rows[m->call->factor].written >> i & 1) != 0 ? far_bytes(m, batch, i) : 0;
        if (n > 0) {
            cni_cuda_copy_owned((uintptr_t)m->call->arrays[i].data, (uintptr_t)m->arrays[i], n, cni_cuda_gpu.stream);
        }
    }
}

/* m->info is there. */
static cn_status run_by_library(matrix *m, int64_t batch)
{
    for (int i = 0; i < m->call->narrays; i++) {
        m->arrays[i] = m->call->arrays[i].data;
    }
    if (!cni_cuda_ready(&opening) || !rows[m->call->factor].size(m)) {
        return CN_ERROR_UNSUPPORTED;
    }
    bool near = come_near(m, batch);
    m->device = near ? m->device : cni_device_take((int64_t)m->ndevice);
    m->host = m->nhost > 0 ? cni_alloc(m->nhost) : NULL;
    bool got = m->device != NULL && (m->nhost == 0 || m->host != NULL);
    cn_status status = got ? run_with(m, batch) : cni_fail_memory((int64_t)m->ndevice);
    if (near && status == CN_OK) {
        go_back(m, batch);
    }
    cni_free(m->host);
    if (m->device != NULL && !near) {
        cni_cuda_free(m->device, (int64_t)m->ndevice);
    }
    return status;
}

cn_status cni_cuda_factorize(cni_device_call *call)
{
    matrix m = {.call = call, .rows = extent(call, 0, 1), .columns = extent(call, 0, 2)};
    int64_t batch = batch_of(call), reports = batch * (int64_t)sizeof(int);
    const int *narrays = rows[call->factor].narrays;
    bool fits = call->narrays >= narrays[0] && call->narrays <= narrays[1] && kinds_of(call->arrays[0].dtype, &m) &&
                batch > 0 && m.rows > 0 && m.columns > 0 && m.rows <= INT32_MAX && m.columns <= INT32_MAX;
    if (!fits) {
        return CN_ERROR_UNSUPPORTED;
    }
    m.info = cni_device_take(reports);
    if (m.info == NULL) {
        return cni_fail_memory(reports);
    }
    cni_cuda_fill((uintptr_t)m.info, 0, (size_t)reports);
    bool done = batch > 1 && cni_cuda_small_run(call, batch, m.info);
    cn_status status = done ? CN_OK : run_by_library(&m, batch);
    if (status == CN_OK && rows[call->factor].asks) {
        status = read_info(m.info, batch, &call->info);
    }
    cni_cuda_free(m.info, reports);
    return status;
}
