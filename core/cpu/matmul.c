/*
 * matmul.c - matrix products, batch by batch; each by blas.c.
 *
 * A sum that is long beside the result goes segment by segment, added in their order: so places can each take some of it,
 * and the bits are the same. How long a segment is follows from the result's shape: such that adding its result costs little
 * beside its product, and calling for it too. Whole shapes decide, also where a place does a part of the result.
 */
#include <string.h>

#include "base/settings.h"
#include "cpu/group.h"
#include "cpu/library.h"
#include "cpu/loops.h"
#include "op/op.h"
#include "plan/partition.h"

enum { SEGMENT_LEAST = 256, SEGMENT_FULL = 4096, MULTIPLICATIONS_LEAST = 1 << 22, OPERANDS_PER_RESULT = 4 };

typedef cni_library_operand operand;

/* The segment of a product's sum of `count` that has so many multiplications at least; 0: it is not cut. */
static int64_t segment_with(int64_t multiplications, cn_dtype dtype, int64_t rows, int64_t columns, int64_t count)
{
    int64_t segment = SEGMENT_LEAST;
    __int128 result = (__int128)rows * columns;
    while (segment <= count && (result * OPERANDS_PER_RESULT > (__int128)segment * (rows + columns) ||
                                (segment < SEGMENT_FULL && result * segment < multiplications))) {
        segment *= 2;
    }
    return dtype != CN_FLOAT16 && count >= 2 * segment ? segment : 0; /* half is added in double, and rounded once */
}

static int64_t segment_of(cn_dtype dtype, int64_t rows, int64_t columns, int64_t count)
{
    return segment_with(MULTIPLICATIONS_LEAST, dtype, rows, columns, count);
}

/* Views an operand as batches of matrices: a vector is a row (left) or a column (right). */
static cni_matrix matrix_of(const cni_geometry *g, cn_dtype dtype, char *data, bool left)
{
    int n = g->ndim;
    cni_matrix m = {.dtype = dtype, .data = data};
    if (n == 1) {
        m.rows = left ? 1 : g->shape[0];
        m.columns = left ? g->shape[0] : 1;
        m.row_stride = left ? 0 : g->strides[0];
        m.column_stride = left ? g->strides[0] : 0;
    } else {
        m.rows = g->shape[n - 2];
        m.columns = g->shape[n - 1];
        m.row_stride = g->strides[n - 2];
        m.column_stride = g->strides[n - 1];
    }
    return m;
}

/* One product: x y = z, of a result with so many rows and columns, of which this may be some. */
typedef struct product {
    cni_matrix x, y, z;
    int nbatch;
    int64_t rows, columns;
    bool small_result, small_sum; /* no place has a part of the result; of the first operand */
} product;

static product product_of(const operand *out, const operand *a, const operand *b, const int64_t *whole)
{
    bool left = a->g.ndim > 1, right = b->g.ndim > 1;
    product p = {.x = matrix_of(&a->g, a->dtype, a->data, true), .y = matrix_of(&b->g, b->dtype, b->data, false)};
    p.nbatch = out->g.ndim - left - right;
    p.z = (cni_matrix){.dtype = out->dtype, .rows = p.x.rows, .columns = p.y.columns, .data = out->data};
    p.z.row_stride = left ? out->g.strides[p.nbatch] : 0;
    p.z.column_stride = right ? out->g.strides[out->g.ndim - 1] : 0;
    p.rows = left ? whole[p.nbatch] : 1;
    p.columns = right ? whole[out->g.ndim - 1] : 1;
    return p;
}

/* Is the operand at one place, however many there are? */
static bool is_small(const cni_part *part, int which, const cni_window *w)
{
    return !cni_base_may_spread(w->bases[w->views[part->access[which].view].base],
                                cni_settings[CNI_SETTING_SPREAD_BYTES]);
}

/* Is each product that is made for it all of the result, however many places there are? segment: of its sum, or 0: borders
   of places that lie across the sum are those of segments. */
static bool is_whole(const product *p, int64_t segment)
{
    bool across = segment > 0 && p->x.column_stride >= p->x.rows * p->x.row_stride && p->x.row_stride > 0;
    return p->small_result && (p->small_sum || across);
}

/* And its operands, the result first. */
static product product_get(const cni_part *part, const cni_run *run, operand *o)
{
    for (int k = 0; k < 3; k++) {
        o[k] = cni_library_operand_get(part, k, run);
    }
    product p = product_of(&o[0], &o[1], &o[2], run->whole != NULL ? run->whole : o[0].g.shape);
    p.small_result = is_small(part, 0, run->window);
    p.small_sum = is_small(part, 1, run->window);
    return p;
}

/* As a place is asked before it has data. */
static product product_shape(const cni_part *part, const cni_window *w)
{
    operand o[3];
    for (int k = 0; k < 3; k++) {
        uint32_t view = part->access[k].view;
        o[k] = (operand){.g = cni_window_geometry(w, view), .dtype = (cn_dtype)w->views[view].dtype};
    }
    return product_of(&o[0], &o[1], &o[2], o[0].g.shape);
}

static int64_t result_bytes(const product *p)
{
    return p->z.rows * p->z.columns * (int64_t)cn_dtype_size(p->z.dtype);
}

/* ---- Segments ---- */

static int64_t dense_at(const product *p, char *data, cni_matrix *out)
{
    int64_t size = (int64_t)cn_dtype_size(p->z.dtype);
    *out = (cni_matrix){p->z.dtype, p->z.rows, p->z.columns, p->z.columns * size, size, data};
    return size;
}

/* Elements [from, to) of the sum alone. */
static void segment_product(const product *p, int64_t segment, int64_t from, int64_t to, const cni_matrix *z)
{
    cni_matrix x = p->x, y = p->y;
    x.data += from * x.column_stride;
    y.data += from * y.row_stride;
    x.columns = y.rows = to - from;
    cni_matrix_multiply(&x, &y, z, p->rows, p->columns, is_whole(p, segment));
}

static cni_loop add_loop(cn_dtype dtype)
{
    const cni_op_info *add = &cni_ops[CNI_OP_ADD];
    int loop = 0;
    while (add->signatures[loop].dtypes[2] != (uint8_t)dtype) {
        loop++;
    }
    return cni_cpu_kernels_get()->loops[add->first_loop + loop];
}

/* z += what lies dense there. */
static void add_to(const cni_matrix *z, char *dense)
{
    int64_t size = (int64_t)cn_dtype_size(z->dtype);
    cni_loop add = add_loop(z->dtype);
    bool rows_dense = z->columns == 1 || z->column_stride == size;
    bool all_dense = rows_dense && (z->rows == 1 || z->row_stride == z->columns * size);
    int64_t runs = all_dense ? 1 : rows_dense ? z->rows : z->rows * z->columns;
    int64_t count = z->rows * z->columns / runs;
    for (int64_t i = 0; i < runs; i++, dense += count * size) {
        char *to = z->data + (rows_dense ? i * z->row_stride
                                         : i / z->columns * z->row_stride + i % z->columns * z->column_stride);
        void *p[3] = {to, to, dense};
        add(count, p, 0);
    }
}

/* Segment k of the sum, to the k-th of results that lie one after the other. */
static void segment_to(const product *p, int64_t segment, int64_t k, char *results)
{
    int64_t from = k * segment, to = from + segment < p->x.columns ? from + segment : p->x.columns;
    cni_matrix z;
    dense_at(p, results + k * result_bytes(p), &z);
    segment_product(p, segment, from, to, &z);
}

static int64_t segments_of(const product *p, int64_t segment)
{
    return (p->x.columns + segment - 1) / segment;
}

/* BLAS takes a matrix to its threads; segments that are a number each are shared out here. */
typedef struct dots {
    const product *p;
    int64_t segment;
    char *results;
} dots;

static void dots_share(void *context, int64_t first, int64_t end)
{
    const dots *d = context;
    for (int64_t k = first; k < end; k++) {
        segment_to(d->p, d->segment, k, d->results);
    }
}

static bool is_number(const product *p)
{
    return p->z.rows == 1 && p->z.columns == 1;
}

static void multiply(const product *p, char *scratch)
{
    int64_t count = p->x.columns, segment = segment_of(p->z.dtype, p->rows, p->columns, count);
    if (segment == 0) {
        cni_matrix_multiply(&p->x, &p->y, &p->z, p->rows, p->columns, is_whole(p, 0));
        return;
    }
    if (is_number(p)) {
        dots d = {p, segment, scratch};
        cni_library_lines(segments_of(p, segment), segment, dots_share, &d);
        memcpy(p->z.data, scratch, (size_t)result_bytes(p));
        for (int64_t k = 1; k < segments_of(p, segment); k++) {
            add_to(&p->z, scratch + k * result_bytes(p));
        }
        return;
    }
    cni_matrix next;
    dense_at(p, scratch, &next);
    segment_product(p, segment, 0, segment, &p->z);
    for (int64_t from = segment; from < count; from += segment) {
        segment_product(p, segment, from, from + segment < count ? from + segment : count, &next);
        add_to(&p->z, scratch);
    }
}

/* This may be some of a result that has more rows or columns, and so more multiplications a segment: there is room if any
   such whole is cut. */
int64_t cni_library_matmul_scratch(const cni_part *part, const cni_window *w)
{
    product p = product_shape(part, w);
    int64_t segment = segment_of(p.z.dtype, p.rows, p.columns, p.x.columns);
    if (is_number(&p) && segment > 0) {
        return segments_of(&p, segment) * result_bytes(&p);
    }
    return segment_with(0, p.z.dtype, p.rows, p.columns, p.x.columns) > 0 ? result_bytes(&p) : 0;
}

static void multiply_batch(product *p, const operand *o, char *scratch)
{
    const cni_geometry *out = &o[0].g, *a = &o[1].g, *b = &o[2].g;
    int64_t a_strides[CN_MAX_DIMS], b_strides[CN_MAX_DIMS], index[CN_MAX_DIMS] = {0};
    cni_broadcast_strides(a->ndim > 2 ? a->ndim - 2 : 0, a->shape, a->strides, p->nbatch, out->shape, a_strides);
    cni_broadcast_strides(b->ndim > 2 ? b->ndim - 2 : 0, b->shape, b->strides, p->nbatch, out->shape, b_strides);
    do {
        p->x.data = o[1].data + cni_offset_of(p->nbatch, a_strides, index);
        p->y.data = o[2].data + cni_offset_of(p->nbatch, b_strides, index);
        p->z.data = o[0].data + cni_offset_of(p->nbatch, out->strides, index);
        multiply(p, scratch);
    } while (cni_next_index(p->nbatch, out->shape, index));
}

void cni_library_matmul(const cni_part *part, const cni_run *run)
{
    operand o[3];
    product p = product_get(part, run, o);
    if (cni_element_count(o[0].g.ndim, o[0].g.shape) == 0) {
        return;
    }
    if (p.nbatch == 0) {
        multiply(&p, run->scratch);
    } else {
        multiply_batch(&p, o, run->scratch);
    }
}

/* ---- Along several places: each has the products of its segments, and adds them to those before ---- */

cni_chain_rule cni_library_matmul_rule(const cni_part *part, const cni_window *w)
{
    product p = product_shape(part, w);
    int64_t segment = p.nbatch == 0 ? segment_of(p.z.dtype, p.rows, p.columns, p.x.columns) : 0;
    return (cni_chain_rule){.may = segment > 0, .apart = true, .adds = true, .quantum = segment > 0 ? segment : 1};
}

/* A share has all of the result, and segments are as long as those of the whole. */
static int64_t share_segment(const product *p)
{
    return segment_of(p->z.dtype, p->rows, p->columns, INT64_MAX / 4);
}

void cni_library_matmul_link(const cni_part *part, const cni_window *w, int64_t *own, int64_t *state)
{
    product p = product_shape(part, w);
    int64_t segment = share_segment(&p);
    *state = result_bytes(&p);
    *own = segments_of(&p, segment) * *state;
}

void cni_library_matmul_chain(const cni_part *part, const cni_run *run, const cni_link *link, cni_link_phase phase)
{
    operand o[3];
    product p = product_get(part, run, o);
    int64_t segment = share_segment(&p), size = result_bytes(&p), item;
    cni_matrix z;
    item = dense_at(&p, link->state, &z);
    for (int64_t k = 0; k < segments_of(&p, segment) && phase != CNI_LINK_END; k++) {
        if (phase == CNI_LINK_BEGIN) {
            segment_to(&p, segment, k, link->own);
        } else if (k == 0 && link->first) {
            memcpy(link->state, link->own, (size_t)size);
        } else {
            add_to(&z, link->own + k * size);
        }
    }
    if (phase == CNI_LINK_END && link->last) {
        for (int64_t i = 0; i < z.rows; i++) {
            for (int64_t j = 0; j < z.columns; j++) {
                memcpy(p.z.data + i * p.z.row_stride + j * p.z.column_stride,
                       z.data + i * z.row_stride + j * z.column_stride, (size_t)item);
            }
        }
    }
}
