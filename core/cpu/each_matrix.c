/*
 * each_matrix.c - what LAPACK makes of each of many matrices: solutions, factors, eigenvalues.
 *
 *     out[k] = | info | result | result | ...        each dense, by rows; info as LAPACK says it
 *
 * LAPACK has matrices by columns, so they are copied. A routine below runs once without memory, to measure how much it
 * takes, and then for every matrix. Threads share the matrices out.
 */
#include <math.h>
#include <string.h>

#include "base/threads.h"
#include "cpu/group.h"
#include "cpu/lapack.h"
#include "cpu/library.h"

enum { THREADS_MOST = 64, NO_LAPACK = -1000, BLOCK = 64 };

typedef cni_library_operand operand;
typedef cni_lapack_int number;

typedef struct job {
    const cni_lapack *l;
    cn_each kind;
    number m, n, right; /* rows, columns, right-hand sides */
    bool is_complex;
    int64_t words, out_words; /* doubles of an element, and of one of the result */
    char *room;               /* NULL: to be measured */
    int64_t used;
    cni_matrix a, b;
    double *out; /* where the next result goes */
} job;

static void *take(job *j, int64_t count)
{
    void *at = j->room != NULL ? j->room + j->used : NULL;
    j->used += (count * (int64_t)sizeof(double) + 63) / 64 * 64;
    return at;
}

static int64_t least(const job *j)
{
    return j->m < j->n ? j->m : j->n;
}

static int64_t most(const job *j)
{
    return j->m > j->n ? j->m : j->n;
}

/* ---- Matrices in and out ---- */

static void by_columns(const job *j, const cni_matrix *from, double *to)
{
    size_t size = (size_t)j->words * sizeof *to;
    for (int64_t c = 0; c < from->columns; c++) {
        for (int64_t r = 0; r < from->rows; r++, to += j->words) {
            memcpy(to, from->data + r * from->row_stride + c * from->column_stride, size);
        }
    }
}

/* The next result: the matrix of so many rows in memory. upper: what is below the diagonal is 0; lower: likewise. */
static void put(job *j, const double *from, int64_t rows, int64_t columns, int64_t leading, bool upper, bool lower)
{
    size_t size = (size_t)j->words * sizeof *from;
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < columns; c++, j->out += j->words) {
            if ((upper && r > c) || (lower && r < c)) {
                memset(j->out, 0, size);
            } else {
                memcpy(j->out, from + (c * leading + r) * j->words, size);
            }
        }
    }
}

static void put_number(job *j, double re, double im)
{
    j->out[0] = re;
    if (j->out_words == 2) {
        j->out[1] = im;
    }
    j->out += j->out_words;
}

static void set_identity(const job *j, double *to)
{
    memset(to, 0, (size_t)(j->n * j->n * j->words) * sizeof *to);
    for (int64_t i = 0; i < j->n; i++) {
        to[(i * j->n + i) * j->words] = 1;
    }
}

/* ---- Systems of equations ---- */

static number solve(job *j)
{
    number n = j->n, right = j->kind == CN_EACH_INV ? n : j->right, info = 0;
    double *a = take(j, n * n * j->words), *b = take(j, n * right * j->words);
    number *pivots = take(j, n);
    if (j->room == NULL) {
        return 0;
    }
    by_columns(j, &j->a, a);
    if (j->kind == CN_EACH_SOLVE) {
        by_columns(j, &j->b, b);
    } else {
        set_identity(j, b);
    }
    (j->is_complex ? j->l->zgesv : j->l->dgesv)(&n, &right, a, &n, pivots, b, &n, &info);
    put(j, b, n, right, n, false, false);
    return info;
}

/* Sign and logarithm of the size; a singular matrix has none and minus infinity. */
static number determinant(job *j)
{
    number n = j->n, info = 0;
    double *a = take(j, n * n * j->words), re = 1, im = 0, log_size = 0;
    number *pivots = take(j, n);
    if (j->room == NULL) {
        return 0;
    }
    by_columns(j, &j->a, a);
    (j->is_complex ? j->l->zgetrf : j->l->dgetrf)(&n, &n, a, &n, pivots, &info);
    for (int64_t i = 0; i < n && info == 0; i++) {
        const double *x = a + (i * n + i) * j->words;
        double turn = cni_lapack_number(j->l, pivots, i) != i + 1 ? -1 : 1;
        double size = j->is_complex ? hypot(x[0], x[1]) : fabs(x[0]), u = turn * (x[0] / size);
        double v = j->is_complex ? turn * (x[1] / size) : 0, real = re * u - im * v;
        im = re * v + im * u;
        re = real;
        log_size += log(size);
    }
    put_number(j, info == 0 ? re : 0, info == 0 ? im : 0);
    put_number(j, info == 0 ? log_size : -INFINITY, 0);
    return 0;
}

static number cholesky(job *j)
{
    number n = j->n, info = 0;
    double *a = take(j, n * n * j->words);
    if (j->room == NULL) {
        return 0;
    }
    by_columns(j, &j->a, a);
    (j->is_complex ? j->l->zpotrf : j->l->dpotrf)("L", &n, a, &n, &info);
    put(j, a, n, n, n, false, true);
    return info;
}

/* ---- Orthogonal factors ---- */

/* R, and then as many columns of Q. */
static number qr(job *j)
{
    number m = j->m, n = j->n, k = least(j), info = 0, lwork = BLOCK * most(j);
    number columns = j->kind == CN_EACH_R ? 0 : j->kind == CN_EACH_QR ? k : m;
    double *a = take(j, m * most(j) * j->words), *tau = take(j, k * j->words), *work = take(j, lwork * j->words);
    if (j->room == NULL) {
        return 0;
    }
    by_columns(j, &j->a, a);
    (j->is_complex ? j->l->zgeqrf : j->l->dgeqrf)(&m, &n, a, &m, tau, work, &lwork, &info);
    put(j, a, columns > k ? m : k, n, m, true, false);
    if (columns > 0 && info == 0) {
        (j->is_complex ? j->l->zungqr : j->l->dorgqr)(&m, &columns, &k, a, &m, tau, work, &lwork, &info);
        put(j, a, m, columns, m, false, false);
    }
    return info;
}

/* Singular values, and then u and vt. */
static number svd(job *j)
{
    number m = j->m, n = j->n, k = least(j), info = 0, lwork = 5 * k * k + (3 * k + most(j)) * BLOCK;
    bool full = j->kind == CN_EACH_SVD_FULL, vectors = j->kind != CN_EACH_SINGULAR;
    number columns = full ? m : k, rows = full ? n : k;
    double *a = take(j, m * n * j->words), *s = take(j, k), *work = take(j, lwork * j->words);
    double *u = take(j, vectors ? m * columns * j->words : 1), *vt = take(j, vectors ? rows * n * j->words : 1);
    double *rwork = take(j, j->is_complex ? 5 * k * k + 5 * k + 2 * most(j) * k + 2 * k * k + k : 1);
    number *iwork = take(j, 8 * k);
    if (j->room == NULL) {
        return 0;
    }
    const char *how = full ? "A" : vectors ? "S" : "N";
    by_columns(j, &j->a, a);
    if (j->is_complex) {
        j->l->zgesdd(how, &m, &n, a, &m, s, u, &m, vt, &rows, work, &lwork, rwork, iwork, &info);
    } else {
        j->l->dgesdd(how, &m, &n, a, &m, s, u, &m, vt, &rows, work, &lwork, iwork, &info);
    }
    for (int64_t i = 0; i < k; i++) {
        put_number(j, s[i], 0);
    }
    if (vectors) {
        put(j, u, m, columns, m, false, false);
        put(j, vt, rows, n, rows, false, false);
    }
    return info;
}

/* ---- Eigenvalues ---- */

/* Of a Hermitian matrix, of which a triangle is read; then its vectors. */
static number eigh(job *j)
{
    bool vectors = j->kind == CN_EACH_EIGH || j->kind == CN_EACH_EIGH_UPPER;
    bool upper = j->kind == CN_EACH_EIGVALSH_UPPER || j->kind == CN_EACH_EIGH_UPPER;
    number n = j->n, info = 0, lwork = 2 * n * n + (BLOCK + 6) * n + 1, lrwork = 2 * n * n + 5 * n + 1,
           liwork = 5 * n + 3;
    double *a = take(j, n * n * j->words), *w = take(j, n), *work = take(j, lwork * j->words);
    double *rwork = take(j, j->is_complex ? lrwork : 1);
    number *iwork = take(j, liwork);
    if (j->room == NULL) {
        return 0;
    }
    by_columns(j, &j->a, a);
    const char *how = vectors ? "V" : "N", *triangle = upper ? "U" : "L";
    if (j->is_complex) {
        j->l->zheevd(how, triangle, &n, a, &n, w, work, &lwork, rwork, &lrwork, iwork, &liwork, &info);
    } else {
        j->l->dsyevd(how, triangle, &n, a, &n, w, work, &lwork, iwork, &liwork, &info);
    }
    for (int64_t i = 0; i < n; i++) {
        put_number(j, w[i], 0);
    }
    if (vectors) {
        put(j, a, n, n, n, false, false);
    }
    return info;
}

/* Vectors of a real matrix: those of a pair of conjugate values are the sum and difference of two columns. */
static void put_pairs(job *j, const double *vectors, const double *im, int64_t n)
{
    for (int64_t r = 0; r < n; r++) {
        for (int64_t c = 0; c < n; c++) {
            const double *x = vectors + c * n + r;
            if (im[c] != 0 && c + 1 < n) {
                put_number(j, x[0], x[n]);
                put_number(j, x[0], -x[n]);
                c++;
            } else {
                put_number(j, x[0], 0);
            }
        }
    }
}

/* Of any matrix, complex; then its vectors. */
static number eig(job *j)
{
    bool vectors = j->kind == CN_EACH_EIG;
    number n = j->n, one = 1, info = 0, lwork = (BLOCK + 4) * n;
    double *a = take(j, n * n * j->words), *re = take(j, n * j->words), *im = take(j, 2 * n);
    double *v = take(j, vectors ? n * n * j->words : 1), *work = take(j, lwork * j->words), none[2];
    if (j->room == NULL) {
        return 0;
    }
    by_columns(j, &j->a, a);
    const char *how = vectors ? "V" : "N";
    if (j->is_complex) {
        j->l->zgeev("N", how, &n, a, &n, re, none, &one, v, &n, work, &lwork, im, &info);
    } else {
        j->l->dgeev("N", how, &n, a, &n, re, im, none, &one, v, &n, work, &lwork, &info);
    }
    for (int64_t i = 0; i < n; i++) {
        put_number(j, re[i * j->words], j->is_complex ? re[2 * i + 1] : im[i]);
    }
    if (vectors && j->is_complex) {
        put(j, v, n, n, n, false, false);
    } else if (vectors) {
        put_pairs(j, v, im, n);
    }
    return info;
}

static number schur(job *j)
{
    number n = j->n, one = 1, info = 0, lwork = 16 * n;
    double *h = take(j, n * n * j->words), *z = take(j, n * n * j->words);
    double *w = take(j, 2 * n), *work = take(j, lwork * j->words);
    if (j->room == NULL) {
        return 0;
    }
    by_columns(j, &j->a, h);
    if (j->is_complex) {
        j->l->zhseqr("S", "I", &n, &one, &n, h, &n, w, z, &n, work, &lwork, &info);
    } else {
        j->l->dhseqr("S", "I", &n, &one, &n, h, &n, w, w + n, z, &n, work, &lwork, &info);
    }
    put(j, h, n, n, n, false, false);
    put(j, z, n, n, n, false, false);
    return info;
}

/* What couples the window is what is left in the first column, below the first element. */
static number deflate(job *j)
{
    number n = j->n, one = 1, nw = n - 1, ns = 0, nd = 0, lwork = BLOCK * n;
    double *h = take(j, n * n * j->words), *z = take(j, n * n * j->words), *v = take(j, n * n * j->words);
    double *t = take(j, n * n * j->words), *wv = take(j, n * n * j->words);
    double *w = take(j, 2 * n), *work = take(j, lwork * j->words);
    if (j->room == NULL) {
        return 0;
    }
    by_columns(j, &j->a, h);
    set_identity(j, z);
    memset(w, 0, (size_t)(2 * n) * sizeof *w);
    if (j->is_complex) {
        j->l->zlaqr3(&one, &one, &n, &one, &n, &nw, h, &n, &one, &n, z, &n, &ns, &nd, w, v, &n, &n, t, &n, &n, wv, &n,
                     work, &lwork);
    } else {
        j->l->dlaqr3(&one, &one, &n, &one, &n, &nw, h, &n, &one, &n, z, &n, &ns, &nd, w, w + n, v, &n, &n, t, &n, &n,
                     wv, &n, work, &lwork);
    }
    put(j, h, n, n, n, false, false);
    put(j, z, n, n, n, false, false);
    put_number(j, (double)cni_lapack_number(j->l, &ns, 0), 0);
    put_number(j, (double)cni_lapack_number(j->l, &nd, 0), 0);
    for (int64_t part = 0; part < 2; part++) {
        for (int64_t i = 0; i < n; i++) {
            put_number(j, j->is_complex ? w[2 * i + part] : w[part * n + i], 0);
        }
    }
    return 0;
}

static number (*const routines[CN_EACH_COUNT])(job *j) = {
    [CN_EACH_SOLVE] = solve,
    [CN_EACH_INV] = solve,
    [CN_EACH_DETERMINANT] = determinant,
    [CN_EACH_CHOLESKY] = cholesky,
    [CN_EACH_R] = qr,
    [CN_EACH_QR] = qr,
    [CN_EACH_QR_COMPLETE] = qr,
    [CN_EACH_SINGULAR] = svd,
    [CN_EACH_SVD] = svd,
    [CN_EACH_SVD_FULL] = svd,
    [CN_EACH_EIGVALSH] = eigh,
    [CN_EACH_EIGH] = eigh,
    [CN_EACH_EIGVALSH_UPPER] = eigh,
    [CN_EACH_EIGH_UPPER] = eigh,
    [CN_EACH_EIGVALS] = eig,
    [CN_EACH_EIG] = eig,
    [CN_EACH_SCHUR] = schur,
    [CN_EACH_DEFLATE] = deflate,
};

/* ---- The op ---- */

static cni_matrix matrix_of(const cni_geometry *g, cn_dtype dtype)
{
    return (cni_matrix){.dtype = dtype,
                        .rows = g->shape[1],
                        .columns = g->shape[2],
                        .row_stride = g->strides[1],
                        .column_stride = g->strides[2]};
}

static job job_of(const cni_part *part, const cni_window *w)
{
    const cni_op *op = &w->ops[part->op];
    cni_geometry a = cni_window_geometry(w, part->access[1].view);
    cn_dtype dtype = (cn_dtype)w->views[part->access[1].view].dtype;
    bool wide = w->views[part->access[0].view].dtype == CN_COMPLEX128;
    job j = {.l = cni_lapack_get(),
             .kind = (cn_each)op->parameter,
             .m = a.shape[1],
             .n = a.shape[2],
             .is_complex = dtype == CN_COMPLEX128,
             .words = dtype == CN_COMPLEX128 ? 2 : 1,
             .out_words = wide ? 2 : 1,
             .a = matrix_of(&a, dtype)};
    if (op->nin > 1) {
        cni_geometry b = cni_window_geometry(w, part->access[2].view);
        j.b = matrix_of(&b, dtype);
        j.right = b.shape[2];
    }
    return j;
}

/* Threads that so many matrices pay for. */
static int threads_for(const job *j, int64_t count)
{
    return cni_library_threads(count, 8 * j->m * j->n * least(j), THREADS_MOST);
}

int64_t cni_library_each_matrix_scratch(const cni_part *part, const cni_window *w)
{
    job j = job_of(part, w);
    cni_geometry out = cni_window_geometry(w, part->access[0].view);
    routines[j.kind](&j);
    return j.used * threads_for(&j, out.shape[0]);
}

typedef struct each {
    job job;
    operand out, a, b;
    int64_t room;
    char *scratch;
    int threads;
} each;

static void run_share(void *context, int t)
{
    const each *e = context;
    int64_t count = e->out.g.shape[0], end = cni_lane_begin(count, t + 1, e->threads);
    for (int64_t k = cni_lane_begin(count, t, e->threads); k < end; k++) {
        job j = e->job;
        double *info = (double *)(void *)(e->out.data + k * e->out.g.strides[0]);
        j.room = e->scratch + t * e->room;
        j.out = info + j.out_words;
        j.a.data = e->a.data + k * e->a.g.strides[0];
        j.b.data = j.right > 0 ? e->b.data + k * e->b.g.strides[0] : NULL;
        memset(info, 0, (size_t)j.out_words * sizeof *info);
        *info = j.l != NULL ? (double)cni_lapack_number(j.l, (const number[]){routines[j.kind](&j)}, 0) : NO_LAPACK;
    }
}

void cni_library_each_matrix(const cni_part *part, const cni_run *run)
{
    each e = {.job = job_of(part, run->window),
              .out = cni_library_operand_get(part, 0, run),
              .a = cni_library_operand_get(part, 1, run),
              .scratch = run->scratch};
    if (e.job.right > 0) {
        e.b = cni_library_operand_get(part, 2, run);
    }
    job measured = e.job;
    routines[e.job.kind](&measured);
    e.room = measured.used;
    e.threads = threads_for(&e.job, e.out.g.shape[0]);
    cni_threads_run(e.threads, run_share, &e);
}
