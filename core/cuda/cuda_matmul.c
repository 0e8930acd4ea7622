/*
 * cuda_matmul.c - matrix products of floating dtypes: those of cuda_tall.h, and others by cuBLAS, loaded when the first one
 * comes. Its matrices are column-major: c = a b is computed as c' = b' a'. A batch is one call, or one for each step of the
 * dimensions that do not join. Where several GPUs have a, each does the rows of which it has most, with all of b in memory of
 * its own; of a batch, the matrices that it has of c. Sums over many rows of both (x.T @ y) are made of those over PARTS runs of
 * the rows, whatever GPUs there are, and each does the runs that it has.
 */
#include <string.h>

#include "base/settings.h"
#include "base/text.h"
#include "cuda/cuda_graph.h"
#include "cuda/cuda_library.h"
#include "cuda/cuda_product.h"
#include "cuda/cuda_spread.h"
#include "cuda/cuda_stream.h"
#include "cuda/cuda_tall.h"

enum { PARTS = 8, THREADS = 256 };

typedef struct matrix {
    int64_t rows, columns, row_stride, column_stride; /* strides in bytes */
} matrix;

typedef int (*gemm)(cni_cuda_handle handle, int turn_a, int turn_b, int m, int n, int k, const void *alpha,
                    const void *a, int lda, const void *b, int ldb, const void *beta, void *c, int ldc);
typedef int (*gemm_batch)(cni_cuda_handle handle, int turn_a, int turn_b, int m, int n, int k, const void *alpha,
                          const void *a, int lda, long long step_a, const void *b, int ldb, long long step_b,
                          const void *beta, void *c, int ldc, long long step_c, int count);

typedef struct table {
    int (*create)(cni_cuda_handle *handle);
    int (*set_stream)(cni_cuda_handle handle, cni_cuda_handle stream);
    gemm of[CN_DTYPE_COUNT];
    gemm_batch batch[CN_DTYPE_COUNT];
} table;

static table blas;

static const cni_cuda_entry entries[] = {{"cublasCreate_v2", offsetof(table, create)},
                                         {"cublasSetStream_v2", offsetof(table, set_stream)},
                                         {"cublasSgemm_v2", offsetof(table, of[CN_FLOAT32])},
                                         {"cublasDgemm_v2", offsetof(table, of[CN_FLOAT64])},
                                         {"cublasCgemm_v2", offsetof(table, of[CN_COMPLEX64])},
                                         {"cublasZgemm_v2", offsetof(table, of[CN_COMPLEX128])},
                                         {"cublasSgemmStridedBatched", offsetof(table, batch[CN_FLOAT32])},
                                         {"cublasDgemmStridedBatched", offsetof(table, batch[CN_FLOAT64])},
                                         {"cublasCgemmStridedBatched", offsetof(table, batch[CN_COMPLEX64])},
                                         {"cublasZgemmStridedBatched", offsetof(table, batch[CN_COMPLEX128])}};

static cni_cuda_handle handles[CNI_CUDA_GPUS];

static bool begin(void)
{
    bool made = true;
    for (int k = 0; k < cni_cuda_gpu.gpus && made; k++) {
        cni_cuda_handle stream = cni_cuda_stream(k);
        made = blas.create(&handles[k]) == 0 && blas.set_stream(handles[k], stream) == 0;
    }
    cni_cuda_step_end();
    return made;
}

static cni_cuda_opening opening = {
    .setting = CNI_TEXT_SETTING_CUDA_BLAS,
    .names = (const char *const[]){"libcublas.so.13", "libcublas.so.12", "libcublas.so", NULL},
    .table = &blas,
    .entries = entries,
    .count = sizeof entries / sizeof *entries,
    .begin = begin};

/* Views an operand as batches of matrices: a vector is a row (left) or a column (right). */
static matrix matrix_of(const cni_geometry *g, bool left)
{
    int n = g->ndim;
    if (n == 1) {
        return left ? (matrix){1, g->shape[0], g->shape[0] * g->itemsize, g->strides[0]}
                    : (matrix){g->shape[0], 1, g->strides[0], g->itemsize};
    }
    return (matrix){g->shape[n - 2], g->shape[n - 1], g->strides[n - 2], g->strides[n - 1]};
}

/* Row-major: 0; column-major: 1 (both with a leading dimension); -1: neither. */
static int layout(const matrix *m, int64_t itemsize, int64_t *leading)
{
    bool columns_run = m->column_stride == itemsize || m->columns == 1,
         rows_run = m->row_stride == itemsize || m->rows == 1;
    int64_t across = m->rows == 1 ? m->columns * itemsize : m->row_stride,
            down = m->columns == 1 ? m->rows * itemsize : m->column_stride;
    if (columns_run && across % itemsize == 0 && across >= m->columns * itemsize && across / itemsize <= INT32_MAX) {
        *leading = across / itemsize;
        return 0;
    }
    if (rows_run && down % itemsize == 0 && down >= m->rows * itemsize && down / itemsize <= INT32_MAX) {
        *leading = down / itemsize;
        return 1;
    }
    return -1;
}

typedef struct product {
    cni_geometry out, a, b;
    matrix x, y, z;
    int nbatch, turn_x, turn_y;
    int64_t lead_x, lead_y, lead_z;
} product;

static bool product_of(const cni_part *part, const cni_window *w, product *p)
{
    *p = (product){
        .out = cni_cuda_operand(part, w, 0), .a = cni_cuda_operand(part, w, 1), .b = cni_cuda_operand(part, w, 2)};
    p->x = matrix_of(&p->a, true);
    p->y = matrix_of(&p->b, false);
    p->nbatch = p->out.ndim - (p->a.ndim > 1) - (p->b.ndim > 1);
    int64_t itemsize = p->out.itemsize, n = p->out.ndim;
    p->z = (matrix){p->x.rows, p->y.columns, p->y.columns * itemsize, itemsize};
    if (p->a.ndim > 1) {
        p->z.row_stride = p->out.strides[p->nbatch];
    }
    if (p->b.ndim > 1) {
        p->z.column_stride = p->out.strides[n - 1];
    }
    p->turn_x = layout(&p->x, itemsize, &p->lead_x);
    p->turn_y = layout(&p->y, itemsize, &p->lead_y);
    bool fits = p->x.rows <= INT32_MAX && p->x.columns <= INT32_MAX && p->y.columns <= INT32_MAX;
    return fits && p->turn_x >= 0 && p->turn_y >= 0 && layout(&p->z, itemsize, &p->lead_z) == 0 &&
           cni_element_count(p->out.ndim, p->out.shape) > 0 && p->x.columns > 0;
}

/* Do both go along the rows that are summed, so many that all parts of the result are little beside them? */
static bool is_segmented(const product *p)
{
    int64_t k = p->x.columns, m = p->x.rows, n = p->y.columns, wide = m > n ? m : n;
    bool down = (p->turn_x == 1 || m == 1) && p->turn_y == 0 && p->x.column_stride > 0 && p->y.row_stride > 0;
    return down && p->nbatch == 0 && k * wide * p->out.itemsize >= cni_settings[CNI_SETTING_GPU_SPREAD_BYTES] &&
           m * n * PARTS <= k * (m + n) / 8;
}

static bool segments_bind(const product *p, cn_dtype dtype, cni_cuda_library_binding *b)
{
    cni_text text = {0};
    bool parts = dtype >= CN_COMPLEX64;
    cni_text_add(&text, "#include \"cuda/prelude.cuh\"\n#include \"op/%s.h\"\n#define TYPE %s\n#define PARTS %d\n",
                 parts ? "convert" : "complex", cni_dtypes[dtype].type, (int)PARTS);
    cni_text_add(&text,
                 parts ? "#define PLUS(a, b) cni_make_%s((a).re + (b).re, (a).im + (b).im)\n"
                       : "#define PLUS(a, b) ((a) + (b))\n",
                 cni_dtypes[dtype].suffix);
    cni_text_add(&text, "#include \"cuda/segments.cuh\"\n");
    b->scratch = PARTS * p->x.rows * p->y.columns * p->out.itemsize;
    bool made = cni_cuda_library_compiled(b, &text);
    b->second = b->module;
    b->module = NULL;
    return made;
}

bool cni_cuda_multiplies(const cni_part *part, const cni_window *w)
{
    product p;
    return cni_cuda_ready(&opening) && blas.of[cni_cuda_operand_dtype(part, w, 0)] != NULL && product_of(part, w, &p);
}

bool cni_cuda_matmul_bind(const cni_part *part, const cni_window *w, cni_cuda_library_binding *b)
{
    product p;
    if (cni_cuda_tall_bind(part, w, b)) {
        return true;
    }
    return cni_cuda_multiplies(part, w) && product_of(part, w, &p) &&
           (!is_segmented(&p) || segments_bind(&p, cni_cuda_operand_dtype(part, w, 0), b));
}

/* 1 and 0, as the library takes them. */
typedef struct factors {
    float of_floats[2][2];
    double of_doubles[2][2];
} factors;

static const factors one_zero = {{{1, 0}, {0, 0}}, {{1, 0}, {0, 0}}};

static const void *factor_of(cn_dtype dtype, int which)
{
    bool single = dtype == CN_FLOAT32 || dtype == CN_COMPLEX64;
    return single ? (const void *)one_zero.of_floats[which] : (const void *)one_zero.of_doubles[which];
}

/* Rows [from, to) of one matrix of the batch, on the GPU whose context is the thread's. */
static void multiply(const product *p, cn_dtype dtype, int gpu, int64_t from, int64_t to, uint64_t z, uint64_t x,
                     uint64_t y)
{
    z += (uint64_t)(from * p->z.row_stride);
    x += (uint64_t)(from * p->x.row_stride);
    cni_cuda_check(blas.of[dtype](handles[gpu], p->turn_y, p->turn_x, (int)p->y.columns, (int)(to - from),
                                  (int)p->x.columns, factor_of(dtype, 0), (const void *)(uintptr_t)y, (int)p->lead_y,
                                  (const void *)(uintptr_t)x, (int)p->lead_x, factor_of(dtype, 1), (void *)(uintptr_t)z,
                                  (int)p->lead_z),
                   "a matrix product");
}

/* Where matrices of the batch are: bytes from one to the next along each of its dimensions. */
typedef struct batches {
    int ndim;
    int64_t shape[CN_MAX_DIMS], z[CN_MAX_DIMS], x[CN_MAX_DIMS], y[CN_MAX_DIMS];
} batches;

/* Dimensions of one matrix are left out, and those along which all three go on become one. */
static void batches_of(const product *p, batches *b)
{
    int64_t x[CN_MAX_DIMS], y[CN_MAX_DIMS];
    cni_broadcast_strides(p->a.ndim > 2 ? p->a.ndim - 2 : 0, p->a.shape, p->a.strides, p->nbatch, p->out.shape, x);
    cni_broadcast_strides(p->b.ndim > 2 ? p->b.ndim - 2 : 0, p->b.shape, p->b.strides, p->nbatch, p->out.shape, y);
    b->ndim = 0;
    for (int d = 0; d < p->nbatch; d++) {
        int64_t n = p->out.shape[d];
        int k = b->ndim - 1;
        if (n == 1) {
            continue;
        }
        bool joins = k >= 0 && b->z[k] == n * p->out.strides[d] && b->x[k] == n * x[d] && b->y[k] == n * y[d];
        k += joins ? 0 : 1;
        b->ndim = k + 1;
        b->shape[k] = joins ? b->shape[k] * n : n;
        b->z[k] = p->out.strides[d];
        b->x[k] = x[d];
        b->y[k] = y[d];
    }
}

/* So many matrices along the last dimension of the batch, at once, on the GPU whose context is the thread's. */
static void multiply_batch(const product *p, const batches *b, cn_dtype dtype, int gpu, int64_t count, uint64_t z,
                           uint64_t x, uint64_t y)
{
    int64_t size = p->out.itemsize, last = b->ndim - 1;
    cni_cuda_check(blas.batch[dtype](handles[gpu], p->turn_y, p->turn_x, (int)p->y.columns, (int)p->x.rows,
                                     (int)p->x.columns, factor_of(dtype, 0), (const void *)(uintptr_t)y, (int)p->lead_y,
                                     b->y[last] / size, (const void *)(uintptr_t)x, (int)p->lead_x, b->x[last] / size,
                                     factor_of(dtype, 1), (void *)(uintptr_t)z, (int)p->lead_z, b->z[last] / size,
                                     (int)count),
                   "matrix products");
}

/* The same on all GPUs, each those of which it has the results. */
static void multiply_batches(const product *p, const batches *b, cn_dtype dtype, uint64_t z, uint64_t x, uint64_t y)
{
    int last = b->ndim - 1;
    int64_t from = 0, count = b->shape[last];
    const cni_cuda_spread *memory = cni_cuda_spread_find(z);
    if (memory == NULL) {
        multiply_batch(p, b, dtype, 0, count, z, x, y);
        return;
    }
    cni_cuda_step((1u << cni_cuda_gpu.gpus) - 1);
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        int64_t to = cni_cuda_spread_end(memory, k, z, b->z[last], from, count);
        if (to > from) {
            cni_cuda_stream(k);
            multiply_batch(p, b, dtype, k, to - from, z + (uint64_t)(from * b->z[last]),
                           x + (uint64_t)(from * b->x[last]), y + (uint64_t)(from * b->y[last]));
        }
        from = to;
    }
    cni_cuda_step_end();
}

/* Can the library go along the last dimension? */
static bool is_batch(const batches *b, int64_t itemsize)
{
    int last = b->ndim - 1;
    return last >= 0 && b->shape[last] <= INT32_MAX && b->z[last] > 0 && b->x[last] >= 0 && b->y[last] >= 0 &&
           b->z[last] % itemsize == 0 && b->x[last] % itemsize == 0 && b->y[last] % itemsize == 0;
}

static void multiply_all(const product *p, cn_dtype dtype, uint64_t to, uint64_t left, uint64_t right)
{
    batches b;
    batches_of(p, &b);
    bool together = is_batch(&b, p->out.itemsize);
    int outer = b.ndim - together;
    int64_t count = cni_element_count(outer, b.shape);
    for (int64_t k = 0; k < count; k++) {
        int64_t rest = k, z = 0, x = 0, y = 0;
        for (int d = outer - 1; d >= 0; d--) {
            int64_t i = rest % b.shape[d];
            rest /= b.shape[d];
            z += i * b.z[d];
            x += i * b.x[d];
            y += i * b.y[d];
        }
        if (together) {
            multiply_batches(p, &b, dtype, to + (uint64_t)z, left + (uint64_t)x, right + (uint64_t)y);
        } else {
            multiply(p, dtype, 0, 0, p->x.rows, to + (uint64_t)z, left + (uint64_t)x, right + (uint64_t)y);
        }
    }
}

/* Bytes from the matrix's first element to behind its last; 0: its elements do not follow each other upwards. */
static size_t reach(const matrix *m, int64_t itemsize)
{
    bool upwards = m->row_stride >= 0 && m->column_stride >= 0;
    return upwards ? (size_t)((m->rows - 1) * m->row_stride + (m->columns - 1) * m->column_stride + itemsize) : 0;
}

/* Each GPU the runs of rows that it has; the first adds up. */
static void multiply_segments(const product *p, cn_dtype dtype, cni_cuda_library_binding *b, uint64_t z, uint64_t x,
                              uint64_t y, uint64_t parts)
{
    int64_t rows = p->x.columns, size = p->x.rows * p->y.columns * p->out.itemsize;
    bool right = p->x.rows <= p->y.columns; /* which operand is the larger */
    product one = *p;
    one.lead_z = p->y.columns;
    cni_cuda_step((1u << cni_cuda_gpu.gpus) - 1);
    for (int i = 0; i < PARTS; i++) {
        int64_t from = rows * i / PARTS, to = rows * (i + 1) / PARTS, middle = (from + to) / 2;
        uint64_t left = x + (uint64_t)(from * p->x.column_stride), below = y + (uint64_t)(from * p->y.row_stride);
        size_t unused;
        int gpu = cni_cuda_owner(
            right ? y + (uint64_t)(middle * p->y.row_stride) : x + (uint64_t)(middle * p->x.column_stride), 1, &unused);
        one.x.columns = to - from;
        cni_cuda_stream(gpu);
        multiply(&one, dtype, gpu, 0, p->x.rows, parts + (uint64_t)(i * size), left, below);
    }
    cni_cuda_step_end();
    b->p.segments.parts = parts;
    b->p.segments.out = z;
    b->p.segments.rows = p->x.rows;
    b->p.segments.columns = p->y.columns;
    b->p.segments.row_stride = p->z.row_stride;
    b->p.segments.column_stride = p->z.column_stride;
    cni_cuda_launch(b->second->kernel, (p->x.rows * p->y.columns + THREADS - 1) / THREADS, THREADS, 1, &b->p,
                    sizeof b->p.segments);
}

/* Every GPU its rows, those of a turned matrix from a copy; false: it is the first one's work. */
static bool multiply_each(const product *p, cn_dtype dtype, uint64_t z, uint64_t x, uint64_t y)
{
    bool turned = p->turn_x != 0;
    const cni_cuda_spread *memory = cni_cuda_spread_find(turned ? z : x);
    size_t right = reach(&p->y, p->out.itemsize), left = turned ? reach(&p->x, p->out.itemsize) : 0;
    int64_t from = 0, rows = p->x.rows, stride = turned ? p->z.row_stride : p->x.row_stride;
    cni_cuda_address copies[CNI_CUDA_GPUS];
    right = (size_t)cni_cuda_aligned((int64_t)right);
    if (memory == NULL || p->nbatch > 0 || stride <= 0 || right == 0 || (turned && left == 0)) {
        return false;
    }
    cni_cuda_step((1u << cni_cuda_gpu.gpus) - 1);
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        cni_cuda_stream(k);
        copies[k] = cni_cuda_local(k, right + left);
        if (copies[k] == 0) {
            cni_cuda_step_end();
            return false;
        }
    }
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        int64_t to = cni_cuda_spread_end(memory, k, turned ? z : x, stride, from, rows);
        if (to > from) {
            cni_cuda_handle stream = cni_cuda_stream(k);
            cni_cuda_copy_owned(copies[k], y, reach(&p->y, p->out.itemsize), stream);
            if (turned) {
                cni_cuda_copy_owned(copies[k] + right, x, left, stream);
            }
            multiply(p, dtype, k, from, to, z, turned ? copies[k] + right : x, copies[k]);
        }
        from = to;
    }
    cni_cuda_step_end();
    return true;
}

void cni_cuda_matmul_run(const cni_part *part, cni_cuda_library_binding *b, const cni_run *run)
{
    product p;
    if (b->module != NULL) {
        cni_cuda_tall_run(part, b, run);
        return;
    }
    if (!product_of(part, run->window, &p)) {
        return;
    }
    cn_dtype dtype = cni_cuda_operand_dtype(part, run->window, 0);
    uint64_t to = cni_cuda_operand_address(part, run, 0), left = cni_cuda_operand_address(part, run, 1),
             right = cni_cuda_operand_address(part, run, 2);
    cni_cuda_foreign();
    if (b->second != NULL) {
        multiply_segments(&p, dtype, b, to, left, right, (uintptr_t)run->scratch);
        return;
    }
    if (cni_cuda_gpu.gpus > 1 && multiply_each(&p, dtype, to, left, right)) {
        return;
    }
    multiply_all(&p, dtype, to, left, right);
}

/* Whole segments are a batch, each a part of the rows of one operand and of the columns of the other; then what is left. */
void cni_cuda_multiply_segments(const cni_part *part, const cni_run *run, int64_t segment, uint64_t to)
{
    product p;
    if (!product_of(part, run->window, &p)) {
        return;
    }
    cn_dtype dtype = cni_cuda_operand_dtype(part, run->window, 0);
    uint64_t x = cni_cuda_operand_address(part, run, 1), y = cni_cuda_operand_address(part, run, 2);
    int64_t count = p.x.columns, all = count / segment, size = p.out.itemsize;
    p.lead_z = p.y.columns;
    p.z.row_stride = p.y.columns * size;
    batches b = {.ndim = 1,
                 .shape = {all},
                 .z = {p.x.rows * p.z.row_stride},
                 .x = {segment * p.x.column_stride},
                 .y = {segment * p.y.row_stride}};
    cni_cuda_foreign();
    p.x.columns = segment;
    if (all > 0) {
        multiply_batch(&p, &b, dtype, 0, all, to, x, y);
    }
    p.x.columns = count - all * segment;
    if (p.x.columns > 0) {
        multiply(&p, dtype, 0, 0, p.x.rows, to + (uint64_t)(all * b.z[0]), x + (uint64_t)(all * b.x[0]),
                 y + (uint64_t)(all * b.y[0]));
    }
}
