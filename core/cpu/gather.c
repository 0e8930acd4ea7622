/*
 * gather.c - elements and rows by index. Gathers are shared out over threads; scatters run in order, so that the last
 * of equal indices wins, and so does ufunc.at, which accumulates.
 */
#include <string.h>

#include "cpu/events.h"
#include "cpu/group.h"
#include "cpu/library.h"
#include "cpu/loops.h"
#include "op/op.h"
#include "record/window.h"

typedef cni_library_operand operand;

typedef struct sixteen {
    uint64_t low, high;
} sixteen;

#define T uint8_t
#define F(name) name##_1
#include "cpu/gather_size.h"
#define T uint16_t
#define F(name) name##_2
#include "cpu/gather_size.h"
#define T uint32_t
#define F(name) name##_4
#include "cpu/gather_size.h"
#define T uint64_t
#define F(name) name##_8
#include "cpu/gather_size.h"
#define T sixteen
#define F(name) name##_16
#include "cpu/gather_size.h"

typedef void (*pick_loop)(const char *from, int64_t stride, const int64_t *index, int64_t n, void *to);
typedef void (*put_loop)(char *to, int64_t stride, const int64_t *index, int64_t n, const char *from,
                         int64_t from_stride);
static const pick_loop loads[5] = {pick_1, pick_2, pick_4, pick_8, pick_16};
static const put_loop stores[5] = {put_1, put_2, put_4, put_8, put_16};

/* An indexed side (array) and the other one, whose first axes are those of the indices (no axes: there is none). */
typedef struct indexed {
    operand array, other, flat;
    int nindex, rest;
    int64_t row;                                     /* elements behind an index */
    int64_t stride;                                  /* bytes from index to index, if `even` */
    bool dense_picks;                                /* what one index array picks lies as the indices do */
    bool even, dense_index, dense_rows, dense_other; /* indices, rows of both sides, the other side: contiguous */
} indexed;

static bool contiguous(int ndim, const int64_t *shape, const int64_t *strides, int64_t itemsize)
{
    return cni_is_contiguous(ndim, shape, strides, itemsize, false);
}

static indexed indexed_of(operand array, operand other, operand flat, int nindex)
{
    indexed x = {
        .array = array, .other = other, .flat = flat, .nindex = nindex, .rest = array.g.ndim - nindex, .even = true};
    int nd = flat.g.ndim;
    x.row = cni_element_count(x.rest, array.g.shape + nindex);
    x.stride = array.g.strides[nindex - 1];
    for (int d = 0; d < nindex - 1; d++) {
        x.even &= array.g.strides[d] == array.g.strides[d + 1] * array.g.shape[d + 1];
    }
    x.dense_index = contiguous(nd, flat.g.shape, flat.g.strides, 8);
    x.dense_other = contiguous(other.g.ndim, other.g.shape, other.g.strides, other.g.itemsize);
    x.dense_picks = other.g.ndim > 0 && contiguous(nd, flat.g.shape, other.g.strides, other.g.itemsize);
    x.dense_rows =
        contiguous(x.rest, array.g.shape + nindex, array.g.strides + nindex, array.g.itemsize) &&
        (other.g.ndim == 0 || contiguous(x.rest, other.g.shape + nd, other.g.strides + nd, other.g.itemsize));
    return x;
}

/* Byte offset of the element that a flat index of the first axes names. */
static int64_t flat_offset(const indexed *x, int64_t flat)
{
    if (x->even) {
        return flat * x->stride;
    }
    int64_t offset = 0;
    for (int d = x->nindex - 1; d >= 0; d--) {
        offset += flat % x->array.g.shape[d] * x->array.g.strides[d];
        flat /= x->array.g.shape[d];
    }
    return offset;
}

/* Moves the elements behind one index. */
static void move_row(const indexed *x, char *array, char *other, bool into_other)
{
    size_t itemsize = (size_t)x->array.g.itemsize;
    if (x->dense_rows) {
        memcpy(into_other ? other : array, into_other ? array : other, (size_t)x->row * itemsize);
        return;
    }
    const cni_copy_loop copy = cni_cpu_kernels_get()->copies[__builtin_ctzll(itemsize)];
    const int64_t *shape = x->array.g.shape + x->nindex, *a = x->array.g.strides + x->nindex,
                  *o = x->other.g.strides + x->flat.g.ndim;
    int64_t index[CN_MAX_DIMS] = {0};
    int last = x->rest - 1;
    do {
        char *in_array = array + cni_offset_of(last, a, index), *in_other = other + cni_offset_of(last, o, index);
        if (into_other) {
            copy(shape[last], in_other, o[last], in_array, a[last]);
        } else {
            copy(shape[last], in_array, a[last], in_other, o[last]);
        }
    } while (cni_next_index(last, shape, index));
}

/* Indices [first, end), in C order. */
static void move_rows(const indexed *x, int64_t first, int64_t end, bool into_other)
{
    const cni_geometry *g = &x->flat.g;
    int64_t index[CN_MAX_DIMS] = {0}, rest = first;
    for (int d = g->ndim - 1; d >= 0; d--) {
        index[d] = rest % g->shape[d];
        rest /= g->shape[d];
    }
    for (int64_t i = first; i < end; i++) {
        int64_t flat = *(const int64_t *)(const void *)(x->flat.data + cni_offset_of(g->ndim, g->strides, index));
        move_row(x, x->array.data + flat_offset(x, flat),
                 x->other.data + cni_offset_of(g->ndim, x->other.g.strides, index), into_other);
        cni_next_index(g->ndim, g->shape, index);
    }
}

static void gather_share(void *context, int64_t first, int64_t end)
{
    const indexed *x = context;
    int64_t size = x->array.g.itemsize;
    const int64_t *index = (const int64_t *)(const void *)x->flat.data;
    if (x->rest == 0 && x->even && x->dense_index && x->dense_other) {
        loads[__builtin_ctzll((uint64_t)size)](x->array.data, x->stride, index + first, end - first,
                                               x->other.data + first * size);
    } else if (x->even && x->dense_rows && x->dense_index && x->dense_other) {
        for (int64_t i = first; i < end; i++) {
            memcpy(x->other.data + i * x->row * size, x->array.data + index[i] * x->stride, (size_t)(x->row * size));
        }
    } else {
        move_rows(x, first, end, true);
    }
}

/* Places [first, end) behind the indices, in C order: all that the indices pick there. */
static void gather_planes(void *context, int64_t first, int64_t end)
{
    const indexed *x = context;
    const cni_geometry *g = &x->array.g, *o = &x->other.g;
    const pick_loop load = loads[__builtin_ctzll((uint64_t)g->itemsize)];
    int64_t count = cni_element_count(x->flat.g.ndim, x->flat.g.shape);
    for (int64_t k = first; k < end; k++) {
        int64_t from = 0, to = 0, rest = k;
        for (int d = x->rest - 1; d >= 0; d--) {
            int64_t i = rest % g->shape[x->nindex + d];
            rest /= g->shape[x->nindex + d];
            from += i * g->strides[x->nindex + d];
            to += i * o->strides[x->flat.g.ndim + d];
        }
        load(x->array.data + from, x->stride, (const int64_t *)(const void *)x->flat.data, count, x->other.data + to);
    }
}

void cni_library_gather(const cni_part *part, const cni_run *run)
{
    indexed x = indexed_of(cni_library_operand_get(part, 1, run), cni_library_operand_get(part, 0, run),
                           cni_library_operand_get(part, 2, run), run->window->ops[part->op].parameter);
    int64_t count = cni_element_count(x.flat.g.ndim, x.flat.g.shape);
    bool planes = x.rest > 0 && x.even && x.dense_index && x.dense_picks && !(x.dense_rows && x.dense_other);
    if (count > 0 && x.row > 0 && planes) {
        cni_library_lines(x.row, count, gather_planes, &x);
    } else if (count > 0 && x.row > 0) {
        cni_library_lines(count, x.row, gather_share, &x);
    }
}

void cni_library_scatter(const cni_part *part, const cni_run *run)
{
    indexed x = indexed_of(cni_library_operand_get(part, 0, run), cni_library_operand_get(part, 2, run),
                           cni_library_operand_get(part, 1, run), run->window->ops[part->op].parameter);
    int64_t count = cni_element_count(x.flat.g.ndim, x.flat.g.shape);
    if (count == 0 || x.row == 0) {
        return;
    }
    if (x.rest == 0 && x.even && x.dense_index && (x.dense_other || x.flat.g.ndim == 1)) {
        stores[__builtin_ctzll((uint64_t)x.array.g.itemsize)](
            x.array.data, x.stride, (const int64_t *)(const void *)x.flat.data, count, x.other.data,
            x.dense_other ? x.other.g.itemsize : x.other.g.strides[0]);
    } else {
        move_rows(&x, 0, count, false);
    }
}

/* ---- ufunc.at ---- */

typedef struct application {
    indexed x; /* other: the values */
    bool unary;
    cni_loop loop, load,
        store; /* load, store: casts of the array's dtype to the loop's and back; NULL: it is the loop's */
} application;

static void apply_element(const application *a, char *element, const char *value)
{
    _Alignas(16) unsigned char in[16], out[16];
    void *p[3] = {a->store != NULL ? (void *)out : element, element, (char *)(uintptr_t)value};
    if (a->load != NULL) {
        void *cast[2] = {in, element};
        a->load(1, cast, 0);
        p[1] = in;
    }
    a->loop(1, p, 0);
    if (a->store != NULL) {
        void *cast[2] = {element, out};
        a->store(1, cast, 0);
    }
}

/* The elements behind one index; value: of the first of them. */
static void apply_row(const application *a, char *array, const char *value)
{
    const indexed *x = &a->x;
    int64_t index[CN_MAX_DIMS] = {0};
    const int64_t *shape = x->array.g.shape + x->nindex, *strides = x->array.g.strides + x->nindex;
    if (x->dense_rows && a->load == NULL && a->store == NULL) {
        void *p[3] = {array, array, (char *)(uintptr_t)value};
        a->loop(x->row, p, 0);
        return;
    }
    do {
        int64_t at = a->unary ? 0 : cni_offset_of(x->rest, x->other.g.strides + x->flat.g.ndim, index);
        apply_element(a, array + cni_offset_of(x->rest, strides, index), value + at);
    } while (cni_next_index(x->rest, shape, index));
}

static void apply_all(const application *a, int64_t count)
{
    const indexed *x = &a->x;
    const cni_geometry *g = &x->flat.g;
    int64_t index[CN_MAX_DIMS] = {0};
    for (int64_t i = 0; i < count; i++) {
        int64_t flat = *(const int64_t *)(const void *)(x->flat.data + cni_offset_of(g->ndim, g->strides, index));
        int64_t at = a->unary ? 0 : cni_offset_of(g->ndim, x->other.g.strides, index);
        apply_row(a, x->array.data + flat_offset(x, flat), x->other.data + at);
        cni_next_index(g->ndim, g->shape, index);
    }
}

/* Bytes from value to value, if the values of all indices lie evenly; else -1. */
static int64_t value_step(const indexed *x)
{
    bool still = true;
    for (int d = 0; d < x->other.g.ndim; d++) {
        still &= x->other.g.strides[d] == 0;
    }
    return still ? 0 : x->dense_other ? 1 : -1;
}

static void report(const cni_part *part, const cni_run *run)
{
    uint32_t kinds = cni_events_seen() & run->window->ops[part->op].fp_kinds;
    for (uint32_t kind = 1; kind <= CN_FP_INVALID; kind <<= 1) {
        if ((kinds & kind) != 0) {
            cni_run_event(run, part->op, kind);
        }
    }
}

void cni_apply_rows(const cni_part *part, const cni_run *run, const cni_library_operand *array,
                    const cni_library_operand *given, const cni_library_operand *numbers, int nindex)
{
    const cni_op *op = &run->window->ops[part->op];
    const cni_cpu_kernels *kernels = cni_cpu_kernels_get();
    const cni_op_info *info = &cni_ops[op->opcode];
    const uint8_t *dtypes = info->signatures[op->loop].dtypes;
    int loop = info->first_loop + op->loop;
    application a = {.unary = info->nin == 1, .loop = kernels->loops[loop]};
    operand values = given != NULL ? *given : (operand){.data = array->data};
    a.x = indexed_of(*array, values, *numbers, nindex);
    a.load = kernels->casts[array->dtype][dtypes[0]];
    a.store = kernels->casts[dtypes[info->nin]][array->dtype];
    if (array->dtype == dtypes[0]) {
        a.load = NULL;
    }
    if (array->dtype == dtypes[info->nin]) {
        a.store = NULL;
    }
    int64_t count = cni_element_count(a.x.flat.g.ndim, a.x.flat.g.shape), step = a.unary ? -1 : value_step(&a.x);
    if (count == 0 || a.x.row == 0) {
        return;
    }
    cni_events_clear();
    bool direct = a.load == NULL && a.store == NULL && a.x.rest == 0 && a.x.even && a.x.dense_index;
    if (direct && step >= 0 && kernels->applies[loop] != NULL) {
        kernels->applies[loop](count, array->data, a.x.stride, (const int64_t *)(const void *)a.x.flat.data,
                               a.x.other.data, step);
    } else {
        apply_all(&a, count);
    }
    report(part, run);
}

void cni_library_apply(const cni_part *part, const cni_run *run)
{
    const cni_op *op = &run->window->ops[part->op];
    operand array = cni_library_operand_get(part, 0, run), numbers = cni_library_operand_get(part, 1, run);
    operand values = op->nin > 1 ? cni_library_operand_get(part, 2, run) : array;
    cni_apply_rows(part, run, &array, op->nin > 1 ? &values : NULL, &numbers, op->parameter);
}
