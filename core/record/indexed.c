/*
 * indexed.c - recording what is no row of ops.def: gather, scatter, ufunc.at.
 *
 * Indices are read and checked at the call, as NumPy raises there; what is recorded is one flat index array that is
 * known to be in range.
 */
#include <string.h>

#include "base/status.h"
#include "base/threads.h"
#include "op/op.h"
#include "record/at_once.h"
#include "record/record.h"

/* ---- Indices ---- */

enum { INDEX_THREADS = 64, CHECKED_THERE = 1 << 20 };

cn_status cni_array_dense(cn_array *array, cn_dtype dtype, cn_array **out)
{
    if (array->dtype == dtype && array->c_contiguous) {
        *out = cn_array_ref(array);
        return CN_OK;
    }
    return cn_array_copy(array, dtype, false, out);
}

cn_status cni_array_host(cn_array *array, cn_dtype dtype, cn_array **out, void **data)
{
    cn_array *dense;
    CN_TRY(cni_array_dense(array, dtype, &dense));
    cn_status status = cni_base_ready(dense->base);
    if (status != CN_OK) {
        cn_array_unref(dense);
        return status;
    }
    *out = dense;
    *data = (char *)dense->base->buffer->data + dense->offset;
    return CN_OK;
}

typedef struct combine {
    int64_t *flat;
    const int64_t *index;
    int64_t count, extent;
    bool first; /* nothing combined so far */
    int threads;
    bool wrong[INDEX_THREADS];
} combine;

/* Negative unless 0 <= k < extent: in a form that vectors of every instruction set have. */
static inline int64_t outside(int64_t k, int64_t extent)
{
    return k | (extent - 1 - k);
}

static void combine_share(void *context, int t)
{
    combine *c = context;
    int64_t i = c->count * t / c->threads, end = c->count * (t + 1) / c->threads, extent = c->extent, wrong = 0;
    if (c->first) {
        for (; i < end; i++) {
            int64_t k = c->index[i];
            k += k >> 63 & extent;
            wrong |= outside(k, extent);
            c->flat[i] = k;
        }
    }
    for (; i < end; i++) {
        int64_t k = c->index[i];
        k += k >> 63 & extent;
        wrong |= outside(k, extent);
        c->flat[i] = c->flat[i] * extent + k;
    }
    c->wrong[t] = wrong < 0;
}

static cn_status index_combine(int64_t *flat, const int64_t *index, int64_t count, int64_t extent, int axis)
{
    combine c = {.flat = flat,
                 .index = index,
                 .count = count,
                 .extent = extent,
                 .first = axis == 0,
                 .threads = cni_host_threads(count)};
    bool wrong = false;
    c.threads = c.threads < INDEX_THREADS ? c.threads : INDEX_THREADS;
    cni_threads_run(c.threads, combine_share, &c);
    for (int t = 0; t < c.threads; t++) {
        wrong |= c.wrong[t];
    }
    for (int64_t i = 0; wrong && i < count; i++) {
        if (index[i] < -extent || index[i] >= extent) {
            return cni_fail(CN_ERROR_INDEX, "index %lld is out of bounds for axis %d with size %lld",
                            (long long)index[i], axis, (long long)extent);
        }
    }
    return CN_OK;
}

typedef struct range_check {
    const int64_t *index;
    int64_t count, extent;
    int threads;
    bool wrong[INDEX_THREADS];
} range_check;

static void check_share(void *context, int t)
{
    range_check *c = context;
    int64_t i = c->count * t / c->threads, end = c->count * (t + 1) / c->threads, extent = c->extent, any = 0;
    for (; i < end; i++) {
        any |= outside(c->index[i], extent);
    }
    c->wrong[t] = any < 0;
}

/* Are all indices in [0, extent)? */
static bool in_range(const int64_t *index, int64_t count, int64_t extent)
{
    range_check c = {.index = index, .count = count, .extent = extent, .threads = cni_host_threads(count)};
    bool wrong = false;
    c.threads = c.threads < INDEX_THREADS ? c.threads : INDEX_THREADS;
    cni_threads_run(c.threads, check_share, &c);
    for (int t = 0; t < c.threads; t++) {
        wrong |= c.wrong[t];
    }
    return !wrong;
}

/* ---- On the device: only the extremes are read ---- */

static cn_status extreme_there(cn_op op, cn_array *index, cn_array **out)
{
    cn_reduce_options options = {.naxes = -1, .dtype = CN_DTYPE_NONE};
    return cn_reduce(op, index, &options, out);
}

static cn_status extremes_there(cn_array *index, int64_t *least, int64_t *most)
{
    cn_array *low = NULL, *high = NULL;
    cn_scalar a, b;
    cn_status status = extreme_there(CNI_OP_MINIMUM, index, &low);
    status = status == CN_OK ? extreme_there(CNI_OP_MAXIMUM, index, &high) : status;
    status = status == CN_OK ? cn_array_item(low, cn_array_offset(low), &a) : status;
    status = status == CN_OK ? cn_array_item(high, cn_array_offset(high), &b) : status;
    cn_array_unref(low);
    cn_array_unref(high);
    if (status == CN_OK) {
        *least = a.value.i64;
        *most = b.value.i64;
    }
    return status;
}

/*
 * The extremes of an index that was used before: good while no op has mentioned its base since the one that used it. Who
 * writes memory without an op leaves it valid on the host alone, and who else may write it shares it: neither is asked here.
 */
enum { KNOWN = 8 };

typedef struct known_extremes {
    const cni_base *base;
    uint64_t touch; /* the base's last */
    int64_t offset, size, least, most;
} known_extremes;

static known_extremes known[KNOWN], *in_use; /* in_use: of the index whose op is being recorded */
static unsigned next_known;

static cn_status extremes_known(cn_array *index, int64_t *least, int64_t *most)
{
    const cni_base *base = index->base;
    bool lasts = index->c_contiguous && !cni_base_shared(base);
    for (int k = 0; k < KNOWN && lasts && in_use == NULL; k++) {
        bool same = known[k].base == base && known[k].touch == base->last_touch;
        in_use = same && known[k].offset == index->offset && known[k].size == index->size ? &known[k] : NULL;
    }
    if (in_use == NULL) {
        CN_TRY(extremes_there(index, least, most));
        if (!lasts) {
            return CN_OK;
        }
        in_use = &known[next_known++ % KNOWN];
        *in_use = (known_extremes){base, UINT64_MAX, index->offset, index->size, *least, *most};
    }
    *least = in_use->least;
    *most = in_use->most;
    return CN_OK;
}

/* The op that reads the index is recorded. */
static void extremes_used(void)
{
    if (in_use != NULL) {
        in_use->touch = in_use->base->last_touch;
    }
}

/* index + extent * (index < 0) */
static cn_status wrap_there(cn_array *index, int64_t extent, cn_array **out)
{
    cn_operand in[2] = {{.array = index}, {.scalar = {.dtype = CN_INT64}}};
    cn_array *below = NULL, *more = NULL;
    cn_status status = cn_elementwise(CNI_OP_LESS, in, NULL, NULL, &below);
    if (status == CN_OK) {
        cn_operand both[2] = {{.array = below}, {.scalar = {.value = {.i64 = extent}, .dtype = CN_INT64}}};
        status = cn_elementwise(CNI_OP_MULTIPLY, both, NULL, NULL, &more);
    }
    if (status == CN_OK) {
        cn_operand both[2] = {{.array = index}, {.array = more}};
        status = cn_elementwise(CNI_OP_ADD, both, NULL, NULL, out);
    }
    cn_array_unref(below);
    cn_array_unref(more);
    return status;
}

/* Of those that are on the device, too, only many are checked there. */
cn_status cni_index_there(cn_array *index, int64_t extent, bool wraps, cn_array **out)
{
    int64_t least, most;
    const cni_base *base = index->base;
    *out = NULL;
    if (index->dtype != CN_INT64 || index->size == 0) {
        return CN_OK;
    }
    CN_TRY(cni_base_flush(base));
    bool both = base->buffer != NULL && (base->buffer->valid & CNI_ON_DEVICE) != 0 && index->size >= CHECKED_THERE;
    if (!cni_buffer_away(base->buffer) && !both) {
        return CN_OK;
    }
    CN_TRY(
        (wraps ? extremes_known : extremes_there)(index, &least, &most)); /* who wraps tells of the op that reads it */
    if (least < (wraps ? -extent : 0) || most >= extent) {
        return CN_OK;
    }
    if (least < 0) {
        return wrap_there(index, extent, out);
    }
    return cni_array_dense(index, CN_INT64, out);
}

/* flat * extent + next */
static cn_status combine_there(cn_array *flat, int64_t extent, cn_array *next, cn_array **out)
{
    cn_operand in[2] = {{.array = flat}, {.scalar = {.value = {.i64 = extent}, .dtype = CN_INT64}}};
    cn_array *rows;
    CN_TRY(cn_elementwise(CNI_OP_MULTIPLY, in, NULL, NULL, &rows));
    cn_operand both[2] = {{.array = rows}, {.array = next}};
    cn_status status = cn_elementwise(CNI_OP_ADD, both, NULL, NULL, out);
    cn_array_unref(rows);
    return status;
}

/* Axis k's index, checked and made non-negative; *out stays NULL if it is out of range. */
static cn_status axis_there(cn_array *index, int64_t extent, cn_array **out)
{
    int64_t least, most;
    cn_array *wide;
    *out = NULL;
    CN_TRY(cni_array_dense(index, CN_INT64, &wide));
    cn_status status = extremes_there(wide, &least, &most);
    if (status != CN_OK || least < -extent || most >= extent) {
        cn_array_unref(wide);
        return status;
    }
    if (least >= 0) {
        *out = wide;
        return CN_OK;
    }
    status = wrap_there(wide, extent, out);
    cn_array_unref(wide);
    return status;
}

/* Several indices as one, computed where they are; *out stays NULL if none is away, or one is out of range. */
static cn_status indices_there(cn_array *array, int nindex, cn_array *const *index, cn_array **out)
{
    bool away = false;
    cn_array *flat = NULL;
    *out = NULL;
    for (int k = 0; k < nindex; k++) {
        CN_TRY(cni_base_flush(index[k]->base));
        away |= index[k]->base->buffer != NULL && cni_buffer_away(index[k]->base->buffer);
    }
    for (int k = 0; k < nindex && away && index[0]->size > 0; k++) {
        cn_array *next, *before = flat;
        cn_status status = axis_there(index[k], cni_shape(array)[k], &next);
        if (status == CN_OK && next != NULL && before != NULL) {
            status = combine_there(before, cni_shape(array)[k], next, &flat);
            cn_array_unref(next);
            next = status == CN_OK ? flat : NULL;
        }
        cn_array_unref(before);
        flat = next;
        if (status != CN_OK || flat == NULL) {
            return status;
        }
    }
    *out = flat;
    return CN_OK;
}

/*
 * One index into the flattened first nindex axes, checked and made non-negative: the only index itself, if it is so
 * already (what is recorded reads what it holds now) and the op does not write it. New reference.
 */
static cn_status index_flatten(cn_array *array, bool written, int nindex, cn_array *const *index, cn_array **out)
{
    cn_array *flat;
    in_use = NULL;
    if (nindex < 1 || nindex > array->ndim) {
        return cni_fail(CN_ERROR_INDEX, "too many indices for array: array is %d-dimensional, but %d were indexed",
                        array->ndim, nindex);
    }
    if (nindex == 1 && !(written && index[0]->base == array->base)) {
        void *numbers;
        CN_TRY(cni_index_there(index[0], cni_shape(array)[0], true, &flat));
        if (flat != NULL) {
            *out = flat;
            return CN_OK;
        }
        CN_TRY(cni_array_host(index[0], CN_INT64, &flat, &numbers));
        if (in_range(numbers, flat->size, cni_shape(array)[0])) {
            *out = flat;
            return CN_OK;
        }
        cn_array_unref(flat);
    } else if (nindex > 1) {
        CN_TRY(indices_there(array, nindex, index, out));
        if (*out != NULL) {
            return CN_OK;
        }
    }
    CN_TRY(cn_array_empty(CN_INT64, index[0]->ndim, cni_shape(index[0]), &flat));
    cn_status status = cni_base_materialise(flat->base);
    for (int k = 0; k < nindex && status == CN_OK; k++) {
        cn_array *host;
        void *numbers;
        status = cni_array_host(index[k], CN_INT64, &host, &numbers);
        if (status == CN_OK) {
            status = index_combine(flat->base->buffer->data, numbers, flat->size, cni_shape(array)[k], k);
            cn_array_unref(host);
        }
    }
    if (status != CN_OK) {
        cn_array_unref(flat);
        return status;
    }
    *out = flat;
    return CN_OK;
}

static void indexed_shape(const cn_array *array, int nindex, const cn_array *index, int *ndim, int64_t *shape)
{
    *ndim = 0;
    for (int d = 0; d < index->ndim; d++) {
        shape[(*ndim)++] = cni_shape(index)[d];
    }
    for (int d = nindex; d < array->ndim; d++) {
        shape[(*ndim)++] = cni_shape(array)[d];
    }
}

static cn_status record_gather(cn_array *to, cn_array *array, int nindex, cn_array *flat)
{
    cni_op op = {.kind = CNI_GATHER, .nout = 1, .nin = 2, .parameter = (uint8_t)nindex};
    cni_operand operands[3] = {{.array = to}, {.array = array}, {.array = flat}};
    CN_TRY(cni_record(&op, operands));
    extremes_used();
    return CN_OK;
}

static cn_status gather(cn_array *array, int nindex, cn_array *const *index, cn_array **out)
{
    int ndim;
    int64_t shape[2 * CN_MAX_DIMS];
    cn_array *flat = NULL, *made = NULL;
    CN_TRY(nindex == 1 ? cni_gather_at_once(array, index[0], out) : CN_OK);
    if (nindex == 1 && *out != NULL) {
        return CN_OK;
    }
    CN_TRY(index_flatten(array, false, nindex, index, &flat));
    indexed_shape(array, nindex, flat, &ndim, shape);
    cn_status status = cn_array_empty((cn_dtype)array->dtype, ndim, shape, &made);
    status = status == CN_OK ? record_gather(made, array, nindex, flat) : status;
    cn_array_unref(flat);
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *out = made;
    return CN_OK;
}

/* The array with these axes in front, the others behind them in their order. */
static cn_status axes_to_front(cn_array *array, int first, int count, cn_array **out)
{
    int order[CN_MAX_DIMS], n = 0;
    for (int d = first; d < first + count; d++) {
        order[n++] = d;
    }
    for (int d = 0; d < array->ndim; d++) {
        if (d < first || d >= first + count) {
            order[n++] = d;
        }
    }
    return cn_array_transpose(array, order, out);
}

/* A new array of the result's shape, as it is and with the index's axes in front. */
static cn_status taken_empty(const cn_array *array, int axis, const cn_array *index, cn_array **made, cn_array **front)
{
    int64_t shape[2 * CN_MAX_DIMS];
    int ndim = index->ndim + array->ndim - 1;
    memcpy(shape, cni_shape(array), (size_t)axis * sizeof *shape);
    memcpy(shape + axis, cni_shape(index), (size_t)index->ndim * sizeof *shape);
    memcpy(shape + axis + index->ndim, cni_shape(array) + axis + 1, (size_t)(array->ndim - axis - 1) * sizeof *shape);
    CN_TRY(cn_array_empty((cn_dtype)array->dtype, ndim, shape, made));
    cn_status status = axes_to_front(*made, axis, index->ndim, front);
    if (status != CN_OK) {
        cn_array_unref(*made);
        *made = NULL;
    }
    return status;
}

cn_status cn_take(cn_array *array, int axis, cn_array *index, cn_array **out)
{
    cn_array *turned, *flat = NULL, *made = NULL, *front = NULL;
    if (axis == 0) {
        return gather(array, 1, &index, out);
    }
    CN_TRY(axes_to_front(array, axis, 1, &turned));
    cn_status status = index_flatten(turned, false, 1, &index, &flat);
    status = status == CN_OK ? taken_empty(array, axis, flat, &made, &front) : status;
    status = status == CN_OK ? record_gather(front, turned, 1, flat) : status;
    cn_array_unref(flat);
    cn_array_unref(front);
    cn_array_unref(turned);
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *out = made;
    return CN_OK;
}

/* axes[k] = first + order[k] behind first axes that stay; false if nothing changes. */
static bool axes_turned(const int *order, int first, int count, int *axes)
{
    bool turned = false;
    for (int d = 0; d < first; d++) {
        axes[d] = d;
    }
    for (int d = 0; d < count && order != NULL; d++) {
        axes[first + d] = first + order[d];
        turned = turned || order[d] != d;
    }
    return turned;
}

/* Turns made, which is taken, so that its axis k becomes axes[k]. */
static cn_status gathered_back(cn_array *made, const int *axes, cn_array **out)
{
    int back[CN_MAX_DIMS];
    for (int d = 0; d < made->ndim; d++) {
        back[axes[d]] = d;
    }
    return cni_array_turn_back(made, back, out);
}

/* The axes that are not indexed lie in the result as they lie in the array. *done: they did not lie in C order. */
static cn_status gather_rows(cn_array *array, int nindex, cn_array *const *index, bool *done, cn_array **out)
{
    int order[CN_MAX_DIMS], axes[CN_MAX_DIMS], count = array->ndim - nindex;
    cn_array *rows, *turned, *made;
    CN_TRY(cn_array_view(array, (cn_dtype)array->dtype, array->offset, count, cni_shape(array) + nindex,
                         cni_strides(array) + nindex, true, &rows));
    *done = axes_turned(cni_axis_order(1, &rows, count, order), nindex, count, axes);
    cn_array_unref(rows);
    if (!*done) {
        return CN_OK;
    }
    CN_TRY(cn_array_transpose(array, axes, &turned));
    cn_status status = gather(turned, nindex, index, &made);
    cn_array_unref(turned);
    if (status != CN_OK) {
        return status;
    }
    axes_turned(order, index[0]->ndim, count, axes);
    return gathered_back(made, axes, out);
}

/* Single elements lie in the result as their indices do. *done: these do not lie in C order. */
static cn_status gather_elements(cn_array *array, int nindex, cn_array *const *index, bool *done, cn_array **out)
{
    int order[CN_MAX_DIMS], axes[CN_MAX_DIMS], count = index[0]->ndim, n = 0;
    cn_array *turned[CN_MAX_DIMS], *made;
    *done = axes_turned(cni_axis_order(nindex, index, count, order), 0, count, axes);
    if (!*done) {
        return CN_OK;
    }
    cn_status status = CN_OK;
    for (; n < nindex && status == CN_OK; n++) {
        turned[n] = NULL;
        status = cn_array_transpose(index[n], axes, &turned[n]);
    }
    status = status == CN_OK ? gather(array, nindex, turned, &made) : status;
    for (int k = 0; k < n; k++) {
        cn_array_unref(turned[k]);
    }
    return status == CN_OK ? gathered_back(made, axes, out) : status;
}

cn_status cn_gather(cn_array *array, int nindex, cn_array *const *index, cn_array **out)
{
    bool done = false;
    if (nindex > 0 && nindex <= array->ndim - 2 && !array->c_contiguous) {
        CN_TRY(gather_rows(array, nindex, index, &done, out));
    } else if (nindex > 0 && nindex == array->ndim && index[0]->ndim > 1) {
        CN_TRY(gather_elements(array, nindex, index, &done, out));
    }
    return done ? CN_OK : gather(array, nindex, index, out);
}

/* values as an array of the shape and dtype that the scatter takes. New reference. */
static cn_status scatter_values(cn_array *array, int ndim, const int64_t *shape, const cn_operand *values,
                                cn_casting casting, cn_array **out)
{
    cn_array *given = values->array, *made;
    bool fits = given != NULL && given->dtype == array->dtype && given->c_contiguous && given->ndim == ndim &&
                memcmp(cni_shape(given), shape, (size_t)ndim * sizeof *shape) == 0;
    if (fits && !cn_array_may_overlap(array, given)) {
        *out = cn_array_ref(given);
        return CN_OK;
    }
    CN_TRY(cn_array_empty((cn_dtype)array->dtype, ndim, shape, &made));
    cn_status status = cn_copy(made, values, casting);
    if (status != CN_OK) {
        cn_array_unref(made);
        if (values->array != NULL && status == CN_ERROR_VALUE) {
            char a[256], b[256];
            return cni_fail(
                CN_ERROR_VALUE,
                "shape mismatch: value array of shape %s could not be broadcast to indexing result of shape %s",
                cni_shape_text(values->array->ndim, cni_shape(values->array), a, sizeof a),
                cni_shape_text(ndim, shape, b, sizeof b));
        }
        return status;
    }
    *out = made;
    return CN_OK;
}

cn_status cn_scatter(cn_array *array, int nindex, cn_array *const *index, const cn_operand *values, cn_casting casting)
{
    int ndim;
    int64_t shape[2 * CN_MAX_DIMS];
    cn_array *flat = NULL, *source = NULL;
    if (!array->writeable) {
        return cni_fail(CN_ERROR_READ_ONLY, "assignment destination is read-only");
    }
    bool done = false;
    CN_TRY(nindex == 1 ? cni_scatter_at_once(array, index[0], values, &done) : CN_OK);
    if (done) {
        return CN_OK;
    }
    CN_TRY(index_flatten(array, true, nindex, index, &flat));
    indexed_shape(array, nindex, flat, &ndim, shape);
    cn_status status = scatter_values(array, ndim, shape, values, casting, &source);
    if (status == CN_OK) {
        cni_op op = {.kind = CNI_SCATTER, .nout = 1, .nin = 2, .parameter = (uint8_t)nindex};
        cni_operand operands[3] = {{.array = array}, {.array = flat}, {.array = source}};
        status = cni_record(&op, operands);
    }
    cn_array_unref(source);
    cn_array_unref(flat);
    return status;
}

/* ---- ufunc.at ---- */

/* The loop that the op takes for the array and the values, and whether its result can be put into the array. */
static cn_status apply_loop(cni_opcode op, const cn_array *array, const cn_operand *values, int *loop)
{
    const cni_op_info *info = &cni_ops[op];
    cn_dtype in[CNI_MAX_NIN] = {(cn_dtype)array->dtype};
    cn_weak weak[CNI_MAX_NIN] = {CN_STRONG, CN_STRONG};
    if (info->nout != 1 || info->nin != (values != NULL ? 2 : 1)) {
        return cni_fail(CN_ERROR_UNSUPPORTED, "%s.at takes %d operands", info->name, info->nin);
    }
    if (values != NULL) {
        in[1] = values->array != NULL ? (cn_dtype)values->array->dtype : values->scalar.dtype;
    }
    CN_TRY(cni_op_choose(op, in, weak, CN_DTYPE_NONE, CN_CAST_SAME_KIND, loop));
    bool complex_result = info->signatures[*loop].dtypes[info->nin] >= CN_COMPLEX64;
    if (complex_result && array->dtype != CN_BOOL && array->dtype < CN_COMPLEX64) {
        return cni_fail(CN_ERROR_UNSUPPORTED, "the imaginary part of a result would be discarded");
    }
    return CN_OK;
}

/*
 * The values as the op takes them, of its dtype: of the whole shape in C order, or one element if each index names one
 * element. New reference.
 */
static cn_status apply_values(const cn_array *array, int nindex, int ndim, const int64_t *shape, cn_dtype dtype,
                              const cn_operand *values, cn_array **out)
{
    cn_array *given = values->array, *made;
    bool one = array->ndim == nindex && (given == NULL || given->size == 1);
    bool fits = given != NULL && given->dtype == dtype && given->c_contiguous && given->ndim == ndim &&
                memcmp(cni_shape(given), shape, (size_t)ndim * sizeof *shape) == 0;
    if (fits && !cn_array_may_overlap(array, given)) {
        *out = cn_array_ref(given);
        return CN_OK;
    }
    CN_TRY(cn_array_empty(dtype, one && !fits ? 0 : ndim, shape, &made));
    cn_operand source = *values;
    source.weak = CN_STRONG;
    cn_array *element = NULL;
    cn_status status = CN_OK;
    if (one && !fits && given != NULL) {
        status = cn_array_view(given, (cn_dtype)given->dtype, given->offset, 0, NULL, NULL, false, &element);
        source.array = element;
    }
    status = status == CN_OK ? cn_copy(made, &source, CN_CAST_UNSAFE) : status;
    cn_array_unref(element);
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *out = made;
    return CN_OK;
}

/* NumPy names the ufunc, not "at", in warnings of its fast path: loops of its own over one index into one dimension. */
static bool is_named(cn_op op, int loop, const cn_array *array)
{
    static const cni_opcode named[] = {CNI_OP_ADD, CNI_OP_SUBTRACT, CNI_OP_MULTIPLY, CNI_OP_DIVIDE,
                                       CNI_OP_FLOOR_DIVIDE};
    const uint8_t *dtypes = cni_ops[op].signatures[loop].dtypes;
    bool found = false;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        found |= (cni_opcode)op == named[i];
    }
    return found && array->ndim == 1 && dtypes[0] == array->dtype && dtypes[2] == array->dtype;
}

static cn_status record_apply(cn_op opcode, int loop, cn_array *array, int nindex, cn_array *flat, cn_array *source,
                              int ndim, const int64_t *shape)
{
    static const int64_t still[2 * CN_MAX_DIMS];
    cni_op op = {.kind = CNI_APPLY,
                 .nout = 1,
                 .nin = source != NULL ? 2 : 1,
                 .opcode = (uint16_t)opcode,
                 .loop = (uint16_t)loop,
                 .parameter = (uint8_t)nindex,
                 .flags = is_named(opcode, loop, array) ? CNI_FLAG_NAMED : 0};
    cni_operand operands[3] = {{.array = array}, {.array = flat}, {.array = source}};
    if (source != NULL && source->ndim == 0) {
        operands[2] = (cni_operand){.array = source, .broadcast = true, .ndim = ndim, .shape = shape, .strides = still};
    }
    return cni_record(&op, operands);
}

cn_status cn_scatter_apply(cn_op op, cn_array *array, int nindex, cn_array *const *index, const cn_operand *values)
{
    int loop, ndim;
    int64_t shape[2 * CN_MAX_DIMS];
    cn_array *flat = NULL, *source = NULL;
    if (!array->writeable) {
        return cni_fail(CN_ERROR_READ_ONLY, "output array is read-only");
    }
    CN_TRY(apply_loop((cni_opcode)op, array, values, &loop));
    CN_TRY(index_flatten(array, true, nindex, index, &flat));
    indexed_shape(array, nindex, flat, &ndim, shape);
    cn_status status = CN_OK;
    if (values != NULL) {
        cn_dtype dtype = (cn_dtype)cni_ops[op].signatures[loop].dtypes[1];
        status = apply_values(array, nindex, ndim, shape, dtype, values, &source);
    }
    status = status == CN_OK ? record_apply(op, loop, array, nindex, flat, source, ndim, shape) : status;
    cn_array_unref(source);
    cn_array_unref(flat);
    return status;
}
