/* copy.c - recording assignments, copies, fills and arange. */
#include <string.h>

#include "base/status.h"
#include "record/at_once.h"
#include "record/follow.h"
#include "record/record.h"

static cn_status fail_assign(const cn_array *source, const cn_array *destination)
{
    char a[256], b[256];
    return cni_fail(CN_ERROR_VALUE, "could not broadcast input array from shape %s into shape %s",
                    cni_shape_text(source->ndim, cni_shape(source), a, sizeof a),
                    cni_shape_text(destination->ndim, cni_shape(destination), b, sizeof b));
}

/* The source without leading axes of one that the destination lacks. New reference. */
static cn_status source_fit(cn_array *source, const cn_array *destination, cn_array **out)
{
    int extra = source->ndim - destination->ndim;
    for (int d = 0; d < extra; d++) {
        if (cni_shape(source)[d] != 1) {
            return fail_assign(source, destination);
        }
    }
    if (extra <= 0) {
        *out = cn_array_ref(source);
        return CN_OK;
    }
    return cni_array_make(source->base, (cn_dtype)source->dtype, source->offset, destination->ndim,
                          cni_shape(source) + extra, cni_strides(source) + extra, true, out);
}

static bool fits(const cn_array *source, const cn_array *destination)
{
    int64_t joined[CN_MAX_DIMS];
    int n;
    return cni_broadcast_shape(source->ndim, cni_shape(source), destination->ndim, cni_shape(destination), &n,
                               joined) &&
           n == destination->ndim && memcmp(joined, cni_shape(destination), (size_t)n * sizeof *joined) == 0;
}

static bool same_view(const cn_array *a, const cn_array *b)
{
    return a->base == b->base && a->offset == b->offset && a->ndim == b->ndim && a->dtype == b->dtype &&
           memcmp(a->dims, b->dims, (size_t)a->ndim * 2 * sizeof(int64_t)) == 0;
}

static cn_status record_copy(cn_array *destination, const cni_operand *source, cn_array *where)
{
    cni_op op = {.kind = CNI_COPY, .nout = 1, .nin = 1};
    int64_t strides[CN_MAX_DIMS];
    cni_operand operands[3] = {{.array = destination}, *source};
    if (where != NULL) {
        if (!fits(where, destination)) {
            return fail_assign(where, destination);
        }
        op.flags |= CNI_FLAG_WHERE;
        op.nin = 2;
        cni_operand_broadcast(&operands[2], where, destination->ndim, cni_shape(destination), strides);
    }
    return cni_record(&op, operands);
}

static cn_status copy_array(cn_array *destination, cn_array *source, cn_array *where)
{
    int64_t strides[CN_MAX_DIMS];
    cni_operand operand;
    bool where_overlaps = where != NULL && cn_array_may_overlap(destination, where) && !same_view(destination, where);
    if (where_overlaps) {
        cn_array *mask;
        CN_TRY(cn_array_copy(where, CN_BOOL, false, &mask));
        cn_status status = copy_array(destination, source, mask);
        cn_array_unref(mask);
        return status;
    }
    if (same_view(destination, source)) {
        return CN_OK;
    }
    if (cn_array_may_overlap(destination, source)) {
        cn_array *aside;
        CN_TRY(cn_array_copy(source, (cn_dtype)source->dtype, true, &aside));
        cni_operand_broadcast(&operand, aside, destination->ndim, cni_shape(destination), strides);
        cn_status status = record_copy(destination, &operand, where);
        cn_array_unref(aside);
        return status;
    }
    cni_operand_broadcast(&operand, source, destination->ndim, cni_shape(destination), strides);
    return record_copy(destination, &operand, where);
}

cn_status cn_copy_where(cn_array *destination, const cn_operand *source, cn_array *where, cn_casting casting)
{
    bool done = false;
    if (!destination->writeable) {
        return cni_fail(CN_ERROR_READ_ONLY, "assignment destination is read-only");
    }
    if (where == NULL && source->array != NULL && cni_my_recorder != NULL &&
        cni_follow_copy(cni_my_recorder, destination, source->array)) {
        return CN_OK;
    }
    if (source->array == NULL) {
        cni_operand operand = {0};
        CN_TRY(cn_scalar_cast(&source->scalar, source->weak, (cn_dtype)destination->dtype, &operand.scalar));
        CN_TRY(where == NULL ? cni_fill_at_once(destination, &operand.scalar, &done) : CN_OK);
        return done ? CN_OK : record_copy(destination, &operand, where);
    }
    if (!cn_can_cast((cn_dtype)source->array->dtype, (cn_dtype)destination->dtype, casting)) {
        return cni_fail(CN_ERROR_TYPE, "Cannot cast array data from dtype('%s') to dtype('%s')",
                        cn_dtype_name((cn_dtype)source->array->dtype), cn_dtype_name((cn_dtype)destination->dtype));
    }
    CN_TRY(where == NULL ? cni_copy_at_once(destination, source->array, &done) : CN_OK);
    if (done) {
        return CN_OK;
    }
    cn_array *fitted;
    CN_TRY(source_fit(source->array, destination, &fitted));
    cn_status status =
        fits(fitted, destination) ? copy_array(destination, fitted, where) : fail_assign(source->array, destination);
    cn_array_unref(fitted);
    return status;
}

cn_status cn_copy(cn_array *destination, const cn_operand *source, cn_casting casting)
{
    return cn_copy_where(destination, source, NULL, casting);
}

cn_status cn_array_copy(cn_array *array, cn_dtype dtype, bool keep_order, cn_array **out)
{
    int order[CN_MAX_DIMS];
    const int *axis_order = keep_order ? cni_axis_order(1, &array, array->ndim, order) : NULL;
    cn_array *made;
    CN_TRY(cn_array_empty_ordered(dtype, array->ndim, cni_shape(array), axis_order, &made));
    cni_operand source = {.array = array};
    bool done;
    cn_status status = cni_copy_at_once(made, array, &done);
    status = status == CN_OK && !done ? record_copy(made, &source, NULL) : status;
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *out = made;
    return CN_OK;
}

/* 1: the later axis is the slower one of all arrays that tell, -1: not of all, 0: none tells. */
static int later_is_slower(int narrays, cn_array *const *arrays, int later, int earlier)
{
    int known = 0;
    for (int i = 0; i < narrays; i++) {
        int64_t a = cni_strides(arrays[i])[later], b = cni_strides(arrays[i])[earlier];
        if (cni_shape(arrays[i])[later] != 1 && cni_shape(arrays[i])[earlier] != 1) {
            if ((a < 0 ? -a : a) <= (b < 0 ? -b : b)) {
                return -1;
            }
            known = 1;
        }
    }
    return known;
}

cn_status cn_array_empty_as(cn_dtype dtype, int ndim, const int64_t *shape, int narrays, cn_array *const *arrays,
                            cn_array **out)
{
    int order[CN_MAX_DIMS];
    for (int axis = 0; axis < ndim; axis++) { /* insertion: an axis goes before those that it is slower than */
        int at = axis;
        for (int j = axis - 1; j >= 0; j--) {
            int known = later_is_slower(narrays, arrays, axis, order[j]);
            if (known < 0) {
                break;
            }
            at = known > 0 ? j : at;
        }
        memmove(order + at + 1, order + at, (size_t)(axis - at) * sizeof *order);
        order[at] = axis;
    }
    bool plain = true;
    for (int d = 0; d < ndim; d++) {
        plain = plain && order[d] == d;
    }
    return cn_array_empty_ordered(dtype, ndim, shape, plain ? NULL : order, out);
}

cn_status cni_array_turned(cn_array *array, int *axis, int *back, cn_array **out)
{
    int order[CN_MAX_DIMS];
    if (cni_axis_order(1, &array, array->ndim, order) == NULL) {
        back[0] = -1;
        *out = cn_array_ref(array);
        return CN_OK;
    }
    for (int d = 0; d < array->ndim; d++) {
        back[order[d]] = d;
    }
    *axis = back[*axis];
    return cn_array_transpose(array, order, out);
}

cn_status cni_array_turn_back(cn_array *made, const int *back, cn_array **out)
{
    if (back[0] < 0) {
        *out = made;
        return CN_OK;
    }
    cn_status status = cn_array_transpose(made, back, out);
    cn_array_unref(made);
    return status;
}

cn_status cn_arange(const cn_scalar *start, const cn_scalar *step, int64_t n, cn_array **out)
{
    cn_array *made;
    CN_TRY(cn_array_empty(start->dtype, 1, &n, &made));
    bool done;
    cn_status status = cni_arange_at_once(made, start, step, &done);
    if (status == CN_OK && !done) {
        cni_op op = {.kind = CNI_ARANGE, .nout = 1, .nin = 2};
        cni_operand operands[3] = {{.array = made}, {.scalar = *start}, {.scalar = *step}};
        status = cni_record(&op, operands);
    }
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *out = made;
    return CN_OK;
}
