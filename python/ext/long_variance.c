/*
 * long_variance.c - the sum of squares of what differs from the mean, of more elements than are added in NumPy's order, in
 * one reading.
 *
 * Elements go by leaves. A leaf's are taken as they differ from its first: their sum and the sum of their squares give its
 * mean and what differs from that. The first is an element of its leaf, so what is lost when the two are subtracted is at
 * most LEAF times a rounding, wherever the numbers lie. Then leaves are put together: what differs within them, and their
 * means, as they differ from the first element of all, from the mean of all.
 */
#include "ext.h"

enum { LEAF = 512, ROWS = 32, MADE_MOST = 128 };

/* Arrays of the computation so far; once a step has failed, nothing is done any more. */
typedef struct work {
    cn_status status;
    int count;
    cn_array *made[MADE_MOST];
} work;

static cn_array *keep(work *w, cn_array *made)
{
    if (w->status != CN_OK) {
        return NULL;
    }
    w->made[w->count++] = made;
    return made;
}

static void release(work *w)
{
    for (int i = 0; i < w->count; i++) {
        cn_array_unref(w->made[i]);
    }
}

static cn_operand number(double value)
{
    return (cn_operand){.scalar = {.value.f64 = value, .dtype = CN_FLOAT64}, .weak = CN_WEAK_FLOAT};
}

/* Where the operand has no array, it is a number, or none. */
static cn_array *call(work *w, const char *name, cn_array *a, cn_operand b)
{
    cn_operand in[2] = {{.array = a}, b};
    cn_array *made = NULL;
    w->status = w->status == CN_OK ? cn_elementwise(cn_op_find(name), in, NULL, NULL, &made) : w->status;
    return keep(w, made);
}

static cn_array *call_arrays(work *w, const char *name, cn_array *a, cn_array *b)
{
    return call(w, name, a, (cn_operand){.array = b});
}

static cn_array *square(work *w, cn_array *a)
{
    return call(w, "square", a, (cn_operand){.array = NULL});
}

static cn_array *sum(work *w, cn_array *a, int axis, bool keepdims)
{
    cn_reduce_options options = {.naxes = 1, .axes = &axis, .keepdims = keepdims, .dtype = CN_DTYPE_NONE};
    cn_array *made = NULL;
    w->status = w->status == CN_OK ? cn_reduce(cn_op_find("add"), a, &options, &made) : w->status;
    return keep(w, made);
}

static cn_array *view(work *w, cn_array *a, int axis, int64_t first, int nextents, const int64_t *extents);

/* The sum of many rows, some at a time: one after the other they would wait for each other. */
static cn_array *sum_rows(work *w, cn_array *a, int axis, bool keepdims)
{
    int64_t count = w->status == CN_OK ? cn_array_shape(a)[axis] : 0, whole = count / ROWS, rest = count % ROWS;
    if (count < ROWS * ROWS || axis == cn_array_ndim(a) - 1) {
        return sum(w, a, axis, keepdims);
    }
    cn_array *runs = sum(w, view(w, a, axis, 0, 2, (const int64_t[]){whole, ROWS}), axis + 1, false);
    cn_array *total = sum_rows(w, runs, axis, keepdims);
    return rest == 0 ? total
                     : call_arrays(w, "add", total, sum(w, view(w, a, axis, whole * ROWS, 1, &rest), axis, keepdims));
}

/* What begins at `first` along the axis, which becomes as many axes as there are extents: none, one, or two, the second inside. */
static cn_array *view(work *w, cn_array *a, int axis, int64_t first, int nextents, const int64_t *extents)
{
    int64_t shape[CN_MAX_DIMS], strides[CN_MAX_DIMS], stride;
    int ndim = 0;
    cn_array *made = NULL;
    if (w->status != CN_OK) {
        return NULL;
    }
    for (int d = 0; d < cn_array_ndim(a); d++) {
        stride = cn_array_strides(a)[d];
        for (int k = 0; k < (d == axis ? nextents : 1); k++) {
            shape[ndim] = d == axis ? extents[k] : cn_array_shape(a)[d];
            strides[ndim++] = d == axis && k == 0 && nextents == 2 ? stride * extents[1] : stride;
        }
    }
    w->status = cn_array_view(a, cn_array_dtype(a), cn_array_offset(a) + first * cn_array_strides(a)[axis], ndim, shape,
                              strides, false, &made);
    return keep(w, made);
}

/* The first element along the axis. */
static cn_array *first_of(work *w, cn_array *x, int axis, cn_dtype dtype)
{
    cn_array *first = view(w, x, axis, 0, 1, (const int64_t[]){1}), *there = NULL;
    if (w->status != CN_OK || cn_array_dtype(first) == dtype) {
        return first;
    }
    w->status = cn_array_copy(first, dtype, true, &there);
    return keep(w, there);
}

typedef struct leaves {
    cn_array *mean, *squares; /* mean: from the origin */
} leaves;

/* So many leaves from element `at` on along the axis. */
static leaves leaves_of(work *w, cn_array *array, int axis, int64_t at, int64_t count, int64_t length, cn_array *origin)
{
    cn_array *x = view(w, array, axis, at, 2, (const int64_t[]){count, length});
    cn_array *first = first_of(w, x, axis + 1, w->status == CN_OK ? cn_array_dtype(origin) : CN_DTYPE_NONE);
    cn_array *away = call_arrays(w, "subtract", x, first), *total = sum(w, away, axis + 1, false);
    cn_array *squares = sum(w, square(w, away), axis + 1, false);
    cn_array *offset = call(w, "divide", total, number((double)length));
    cn_array *start = call_arrays(w, "subtract", view(w, first, axis + 1, 0, 0, NULL), origin);
    leaves found = {.mean = call_arrays(w, "add", start, offset)};
    found.squares = call_arrays(w, "subtract", squares, call_arrays(w, "multiply", total, offset));
    return found;
}

/* What leaves of so many elements differ from the mean of all, with what differs within them. */
static cn_array *from_mean(work *w, const leaves *l, cn_array *mean, int64_t length)
{
    cn_array *apart = square(w, call_arrays(w, "subtract", l->mean, mean));
    return call_arrays(w, "add", l->squares, call(w, "multiply", apart, number((double)length)));
}

static cn_array *deviations(work *w, cn_array *x, int axis, cn_dtype dtype, bool keepdims)
{
    int64_t count = cn_array_shape(x)[axis], whole = count / LEAF, rest = count % LEAF;
    cn_array *origin = first_of(w, x, axis, dtype);
    leaves many = leaves_of(w, x, axis, 0, whole, LEAF, origin), last = {NULL, NULL};
    cn_array *mean = call(w, "multiply", sum_rows(w, many.mean, axis, true), number(LEAF));
    if (rest > 0) {
        last = leaves_of(w, x, axis, whole * LEAF, 1, rest, origin);
        mean = call_arrays(w, "add", mean, call(w, "multiply", last.mean, number((double)rest)));
    }
    mean = call(w, "divide", mean, number((double)count));
    cn_array *total = sum_rows(w, from_mean(w, &many, mean, LEAF), axis, keepdims);
    if (rest > 0) {
        cn_array *more = from_mean(w, &last, mean, rest);
        total = call_arrays(w, "add", total, keepdims ? more : view(w, more, axis, 0, 0, NULL));
    }
    return total;
}

cn_status cnx_long_deviations(cn_array *array, int axis, cn_dtype dtype, bool keepdims, cn_array **out)
{
    work w = {.status = CN_OK};
    cn_array *total = deviations(&w, array, axis, dtype, keepdims);
    if (w.status == CN_OK) {
        *out = cn_array_ref(total);
    }
    release(&w);
    return w.status;
}
