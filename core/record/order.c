/*
 * order.c - recording what has to do with order: sort, argsort, partition, searchsorted, bincount, and what makes
 * sorted values unique.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "op/op.h"
#include "record/record.h"

static cn_status check_axis(const cn_array *array, int axis)
{
    if (axis < 0 || axis >= array->ndim) {
        return cni_fail(CN_ERROR_AXIS, "axis %d is out of bounds for array of dimension %d", axis, array->ndim);
    }
    return CN_OK;
}

/* Records the op on a new array, its only output, and inputs. */
static cn_status record_new(cni_op op, cn_dtype dtype, int ndim, const int64_t *shape, int nin, cn_array *const *in,
                            cn_array **result)
{
    cn_array *made;
    cni_operand operands[3] = {{.array = NULL}};
    CN_TRY(cn_array_empty(dtype, ndim, shape, &made));
    op.nout = 1;
    op.nin = (uint8_t)nin;
    operands[0].array = made;
    for (int i = 0; i < nin; i++) {
        operands[i + 1].array = in[i];
    }
    cn_status status = cni_record(&op, operands);
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *result = made;
    return CN_OK;
}

/* The op along an axis of in[0], for a result of its dtype and shape that lies in memory as it does. */
static cn_status record_along(cni_op op, int axis, int nin, cn_array **in, cn_array **result)
{
    int back[CN_MAX_DIMS];
    cn_array *made, *all[2] = {NULL, nin > 1 ? in[1] : NULL};
    CN_TRY(cni_array_turned(in[0], &axis, back, &all[0]));
    op.parameter = (uint8_t)axis;
    cn_status status = record_new(op, (cn_dtype)in[0]->dtype, in[0]->ndim, cni_shape(all[0]), nin, all, &made);
    cn_array_unref(all[0]);
    return status == CN_OK ? cni_array_turn_back(made, back, result) : status;
}

cn_status cn_sort(cn_array *array, int axis, cn_array **result)
{
    CN_TRY(check_axis(array, axis));
    return record_along((cni_op){.kind = CNI_SORT}, axis, 1, &array, result);
}

cn_status cn_argsort(cn_array *array, int axis, cn_array **result)
{
    CN_TRY(check_axis(array, axis));
    return record_new((cni_op){.kind = CNI_ARGSORT, .parameter = (uint8_t)axis}, CN_INT64, array->ndim,
                      cni_shape(array), 1, &array, result);
}

static int compare_ranks(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* The ranks in [0, length), ascending, each once. New reference. */
static cn_status ranks_array(const int64_t *kth, int64_t nkth, int64_t length, cn_array **out)
{
    int64_t *ranks = cni_alloc((size_t)(nkth > 0 ? nkth : 1) * sizeof *ranks), count = 0;
    if (ranks == NULL) {
        return cni_fail_memory(nkth * (int64_t)sizeof *ranks);
    }
    for (int64_t i = 0; i < nkth; i++) {
        ranks[i] = kth[i] < 0 ? kth[i] + length : kth[i];
        if (ranks[i] < 0 || ranks[i] >= length) {
            cni_free(ranks);
            return cni_fail(CN_ERROR_VALUE, "kth(=%lld) out of bounds (%lld)", (long long)kth[i], (long long)length);
        }
    }
    qsort(ranks, (size_t)nkth, sizeof *ranks, compare_ranks);
    for (int64_t i = 0; i < nkth; i++) {
        if (count == 0 || ranks[i] != ranks[count - 1]) {
            ranks[count++] = ranks[i];
        }
    }
    cn_status status = cn_array_from_memory(ranks, CN_INT64, 1, &count, out);
    cni_free(ranks);
    return status;
}

cn_status cn_partition(cn_array *array, const int64_t *kth, int64_t nkth, int axis, cn_array **result)
{
    cn_array *in[2] = {array, NULL};
    CN_TRY(check_axis(array, axis));
    CN_TRY(ranks_array(kth, nkth, cni_shape(array)[axis], &in[1]));
    cn_status status = record_along((cni_op){.kind = CNI_PARTITION}, axis, 2, in, result);
    cn_array_unref(in[1]);
    return status;
}

cn_status cn_searchsorted(cn_array *sorted, cn_array *values, bool right, cn_array **result)
{
    cn_array *in[2] = {NULL, NULL};
    if (sorted->ndim != 1) {
        return cni_fail(CN_ERROR_VALUE, sorted->ndim > 1 ? "object too deep for desired array"
                                                         : "object of too small depth for desired array");
    }
    cn_dtype dtype = cn_promote((cn_dtype)sorted->dtype, (cn_dtype)values->dtype);
    cn_status status = cni_array_dense(sorted, dtype, &in[0]);
    if (status == CN_OK) {
        status = cni_array_dense(values, dtype, &in[1]);
    }
    if (status == CN_OK) {
        status = record_new((cni_op){.kind = CNI_SEARCH, .flags = right ? CNI_FLAG_RIGHT : 0}, CN_INT64, values->ndim,
                            cni_shape(values), 2, in, result);
    }
    cn_array_unref(in[0]);
    cn_array_unref(in[1]);
    return status;
}

/* ---- Counts ---- */

static cn_status reduce_all(cni_opcode op, cn_array *array, int64_t *out)
{
    cn_reduce_options options = {.naxes = -1, .dtype = CN_DTYPE_NONE};
    cn_array *made;
    cn_scalar value;
    CN_TRY(cn_reduce((cn_op)op, array, &options, &made));
    cn_status status = cn_array_item(made, cn_array_offset(made), &value);
    cn_array_unref(made);
    if (status == CN_OK) {
        *out = value.value.i64;
    }
    return status;
}

/* Least and greatest of a dense array of numbers; planned reductions, where they are, if that pays. */
static cn_status extent_of(cn_array *array, int64_t *least, int64_t *most)
{
    enum { PLANNED = 16384 };
    if (array->size >= PLANNED) {
        CN_TRY(reduce_all(CNI_OP_MINIMUM, array, least));
        return reduce_all(CNI_OP_MAXIMUM, array, most);
    }
    CN_TRY(cni_base_ready(array->base));
    const int64_t *numbers = (const int64_t *)(void *)((char *)array->base->buffer->data + array->offset);
    *least = *most = numbers[0];
    for (int64_t i = 1; i < array->size; i++) {
        *least = numbers[i] < *least ? numbers[i] : *least;
        *most = numbers[i] > *most ? numbers[i] : *most;
    }
    return CN_OK;
}

static cn_status zeros(cn_dtype dtype, int64_t n, cn_array **result)
{
    cn_array *made;
    cn_operand zero = {.scalar = {.dtype = CN_INT64}};
    CN_TRY(cn_array_empty(dtype, 1, &n, &made));
    cn_status status = n > 0 ? cn_copy(made, &zero, CN_CAST_UNSAFE) : CN_OK;
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *result = made;
    return CN_OK;
}

static cn_status check_counting(const cn_array *array, const cn_array *weights, int64_t minlength)
{
    if (array->ndim != 1) {
        return cni_fail(CN_ERROR_VALUE, array->ndim > 1 ? "object too deep for desired array"
                                                        : "object of too small depth for desired array");
    }
    if (!cn_can_cast((cn_dtype)array->dtype, CN_INT64, CN_CAST_SAFE)) {
        return cni_fail(CN_ERROR_TYPE,
                        "Cannot cast array data from dtype('%s') to dtype('int64') according to the rule 'safe'",
                        cn_dtype_name((cn_dtype)array->dtype));
    }
    if (minlength < 0) {
        return cni_fail(CN_ERROR_VALUE, "'minlength' must not be negative");
    }
    if (weights != NULL && !cn_can_cast((cn_dtype)weights->dtype, CN_FLOAT64, CN_CAST_SAFE)) {
        return cni_fail(CN_ERROR_TYPE,
                        "Cannot cast array data from dtype('%s') to dtype('float64') according to the rule 'safe'",
                        cn_dtype_name((cn_dtype)weights->dtype));
    }
    if (weights != NULL && (weights->ndim != 1 || weights->size != array->size)) {
        return cni_fail(CN_ERROR_VALUE, "The weights and list don't have the same length.");
    }
    return CN_OK;
}

cn_status cn_bincount(cn_array *array, cn_array *weights, int64_t minlength, cn_array **result)
{
    cn_array *in[2] = {NULL, NULL};
    int64_t least = 0, most = 0;
    CN_TRY(check_counting(array, weights, minlength));
    if (array->size == 0) {
        return zeros(CN_INT64, minlength, result);
    }
    CN_TRY(cni_array_dense(array, CN_INT64, &in[0]));
    cn_status status = extent_of(in[0], &least, &most);
    if (status == CN_OK && weights != NULL) {
        status = cni_array_dense(weights, CN_FLOAT64, &in[1]);
    }
    if (status == CN_OK && least < 0) {
        status = cni_fail(CN_ERROR_VALUE, "'list' argument must have no negative elements");
    }
    if (status == CN_OK) {
        int64_t length = most < minlength ? minlength : most == INT64_MAX ? most : most + 1;
        status = record_new((cni_op){.kind = weights != NULL ? CNI_COUNT_WEIGHTS : CNI_COUNT},
                            weights != NULL ? CN_FLOAT64 : CN_INT64, 1, &length, weights != NULL ? 2 : 1, in, result);
    }
    cn_array_unref(in[0]);
    cn_array_unref(in[1]);
    return status;
}

/* ---- Unique values ---- */

static cn_status part_of(cn_array *array, int64_t first, int64_t n, cn_array **out)
{
    int64_t stride = cni_strides(array)[0];
    return cn_array_view(array, (cn_dtype)array->dtype, array->offset + first * stride, 1, &n, &stride, true, out);
}

static cn_status apply(cni_opcode op, cn_operand a, cn_operand b, cn_array *out, cn_array **result)
{
    cn_operand in[2] = {a, b};
    return cn_elementwise((cn_op)op, in, out != NULL ? &out : NULL, NULL, result);
}

/* out[i] = b differs from a (NaNs do not: b of sorted values is NaN where a is). */
static cn_status differs(cn_array *a, cn_array *b, cn_array *out)
{
    cn_array *unequal = NULL, *odd = NULL, *same = NULL;
    cn_status status = apply(CNI_OP_NOT_EQUAL, (cn_operand){.array = a}, (cn_operand){.array = b}, NULL, &unequal);
    if (status == CN_OK) {
        cn_operand in[1] = {{.array = a}};
        status = cn_elementwise((cn_op)CNI_OP_ISNAN, in, NULL, NULL, &odd);
    }
    if (status == CN_OK) {
        status = apply(CNI_OP_GREATER, (cn_operand){.array = unequal}, (cn_operand){.array = odd}, out, &same);
    }
    cn_array_unref(unequal);
    cn_array_unref(odd);
    cn_array_unref(same);
    return status;
}

/* True where a value differs from the one before. New reference. */
static cn_status first_flags(cn_array *sorted, cn_array **out)
{
    int64_t n = sorted->size;
    cn_array *flags, *parts[4] = {NULL};
    cn_operand yes = {.scalar = {.dtype = CN_BOOL, .value = {.b = 1}}};
    CN_TRY(cn_array_empty(CN_BOOL, 1, &n, &flags));
    cn_status status = n > 0 ? part_of(flags, 0, 1, &parts[0]) : CN_OK;
    if (status == CN_OK && n > 0) {
        status = cn_copy(parts[0], &yes, CN_CAST_NO);
    }
    if (status == CN_OK && n > 1) {
        status = part_of(flags, 1, n - 1, &parts[1]);
        status = status == CN_OK ? part_of(sorted, 0, n - 1, &parts[2]) : status;
        status = status == CN_OK ? part_of(sorted, 1, n - 1, &parts[3]) : status;
        status = status == CN_OK ? differs(parts[2], parts[3], parts[1]) : status;
    }
    for (int i = 0; i < 4; i++) {
        cn_array_unref(parts[i]);
    }
    if (status != CN_OK) {
        cn_array_unref(flags);
        return status;
    }
    *out = flags;
    return CN_OK;
}

/* Distances between the positions, the last one to n. New reference. */
static cn_status distances(cn_array *positions, int64_t n, cn_array **out)
{
    int64_t m = positions->size;
    cn_array *made, *parts[5] = {NULL}, *same = NULL;
    cn_operand end = {.scalar = {.dtype = CN_INT64, .value = {.i64 = n}}};
    CN_TRY(cn_array_empty(CN_INT64, 1, &m, &made));
    cn_status status = CN_OK;
    if (m > 0) {
        status = part_of(positions, m - 1, 1, &parts[0]);
        status = status == CN_OK ? part_of(made, m - 1, 1, &parts[1]) : status;
        status =
            status == CN_OK ? apply(CNI_OP_SUBTRACT, end, (cn_operand){.array = parts[0]}, parts[1], &same) : status;
        cn_array_unref(same);
        same = NULL;
    }
    if (status == CN_OK && m > 1) {
        status = part_of(positions, 1, m - 1, &parts[2]);
        status = status == CN_OK ? part_of(positions, 0, m - 1, &parts[3]) : status;
        status = status == CN_OK ? part_of(made, 0, m - 1, &parts[4]) : status;
        status = status == CN_OK ? apply(CNI_OP_SUBTRACT, (cn_operand){.array = parts[2]},
                                         (cn_operand){.array = parts[3]}, parts[4], &same)
                                 : status;
        cn_array_unref(same);
    }
    for (int i = 0; i < 5; i++) {
        cn_array_unref(parts[i]);
    }
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *out = made;
    return CN_OK;
}

cn_status cn_unique_sorted(cn_array *sorted, cn_array **values, cn_array **first, cn_array **counts)
{
    cn_array *flags, *positions = NULL, *chosen = NULL, *lengths = NULL;
    if (sorted->ndim != 1) {
        return cni_fail(CN_ERROR_VALUE, "unique values are taken of a 1-dimensional array");
    }
    CN_TRY(first_flags(sorted, &flags));
    if (first == NULL && counts == NULL) {
        cn_status status = cn_compress(sorted, flags, values);
        cn_array_unref(flags);
        return status;
    }
    cn_status status = cn_nonzero(flags, &positions);
    cn_array_unref(flags);
    if (status == CN_OK) {
        status = cn_gather(sorted, 1, &positions, &chosen);
    }
    if (status == CN_OK && counts != NULL) {
        status = distances(positions, sorted->size, &lengths);
    }
    if (status != CN_OK) {
        cn_array_unref(positions);
        cn_array_unref(chosen);
        return status;
    }
    *values = chosen;
    if (counts != NULL) {
        *counts = lengths;
    }
    if (first != NULL) {
        *first = positions;
    } else {
        cn_array_unref(positions);
    }
    return CN_OK;
}
