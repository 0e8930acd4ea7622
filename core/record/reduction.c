/*
 * reduction.c - recording reductions over any axes.
 *
 * The result is written through a view of the input's shape whose strides are 0 on the reduced axes; keepdims only
 * changes what the caller sees.
 */
#include <string.h>

#include "base/settings.h"
#include "base/status.h"
#include "op/op.h"
#include "record/record.h"

/* Small integers and bools add up and multiply in the machine's word, as in NumPy. */
static cn_dtype default_dtype(cni_opcode op, cn_dtype in)
{
    if (op != CNI_OP_ADD && op != CNI_OP_MULTIPLY) {
        return CN_DTYPE_NONE;
    }
    switch (in) {
    case CN_BOOL:
    case CN_INT8:
    case CN_INT16:
    case CN_INT32:
        return CN_INT64;
    case CN_UINT8:
    case CN_UINT16:
    case CN_UINT32:
        return CN_UINT64;
    default:
        return CN_DTYPE_NONE;
    }
}

/* For an op that is no reduction: the loop of two such arrays, if it gives what it takes. */
static cn_status fold_loop(cni_opcode op, cn_dtype in, cn_dtype dtype, int *loop)
{
    const cni_op_info *info = &cni_ops[op];
    int chosen;
    if (info->nin != 2 || info->nout != 1) {
        return cni_fail(CN_ERROR_UNSUPPORTED, "'%s' does not fold", info->name);
    }
    cn_dtype both[2] = {in, in};
    cn_weak weak[2] = {CN_STRONG, CN_STRONG};
    CN_TRY(cni_op_choose(op, both, weak, dtype, CN_CAST_UNSAFE, &chosen));
    const uint8_t *d = info->signatures[chosen].dtypes;
    if (d[0] == CN_FLOAT16) { /* NumPy rounds some of them at every step and others at the end */
        return cni_fail(CN_ERROR_UNSUPPORTED, "'%s' does not fold float16", info->name);
    }
    if (d[0] != d[1] || d[1] != d[2]) {
        return cni_fail(CN_ERROR_NO_LOOP, "the resolved dtypes of %s are not compatible with a reduction", info->name);
    }
    *loop = chosen;
    return CN_OK;
}

/* The loop T,T->T that the reduction runs, found from the input's dtype or the one asked for. */
static cn_status reduce_loop(cni_opcode op, cn_dtype in, cn_dtype dtype, int *loop)
{
    const cni_op_info *info = &cni_ops[op];
    if (!cn_op_reducible((cn_op)op)) {
        return fold_loop(op, in, dtype, loop);
    }
    bool logical = op == CNI_OP_LOGICAL_AND || op == CNI_OP_LOGICAL_OR || op == CNI_OP_LOGICAL_XOR;
    if (logical && dtype != CN_DTYPE_NONE && dtype != CN_BOOL) {
        return cni_fail(CN_ERROR_NO_LOOP, "ufunc '%s' gives truth values alone", info->name);
    }
    cn_dtype want = logical ? CN_BOOL : dtype != CN_DTYPE_NONE ? dtype : default_dtype(op, in);
    want = want != CN_DTYPE_NONE ? want : in;
    for (int i = 0; i < info->nloops; i++) {
        const uint8_t *d = info->signatures[i].dtypes;
        if (d[0] == want && d[1] == want && d[2] == want) {
            *loop = i;
            return CN_OK;
        }
    }
    if (dtype != CN_DTYPE_NONE) { /* no other will do */
        return cni_fail(CN_ERROR_NO_LOOP, "ufunc '%s' has no loop for dtype('%s')", info->name, cn_dtype_name(dtype));
    }
    const cn_dtype both[2] = {want, want};
    const cn_weak weak[2] = {CN_STRONG, CN_STRONG};
    CN_TRY(cni_op_choose(op, both, weak, CN_DTYPE_NONE, CN_CAST_SAME_KIND, loop)); /* refuses bools where NumPy does */
    for (int i = 0; i < info->nloops; i++) { /* a wider loop: float16 where there is none, and the like */
        const uint8_t *d = info->signatures[i].dtypes;
        bool counts = want == CN_BOOL && d[0] <= CN_UINT64; /* NumPy does not make integers of truth values here */
        if (d[0] == d[1] && d[1] == d[2] && !counts && cn_can_cast(want, (cn_dtype)d[0], CN_CAST_SAFE)) {
            *loop = i;
            return CN_OK;
        }
    }
    return cni_fail(CN_ERROR_NO_LOOP, "ufunc '%s' has no reduction for dtype('%s')", info->name, cn_dtype_name(in));
}

typedef struct reduction {
    uint64_t reduced; /* bit d: axis d goes */
    int result_ndim, kept_ndim;
    int64_t result_shape[CN_MAX_DIMS], kept_shape[CN_MAX_DIMS];
    int64_t count; /* elements that one result takes */
} reduction;

static void reduction_shape(const cn_array *in, int naxes, const int *axes, bool keepdims, reduction *r)
{
    *r = (reduction){.count = 1};
    for (int k = 0; k < naxes; k++) {
        r->reduced |= UINT64_C(1) << axes[k];
    }
    for (int d = 0; d < in->ndim; d++) {
        int64_t extent = cni_shape(in)[d];
        if (naxes < 0 || (r->reduced >> d & 1) != 0) {
            r->reduced |= UINT64_C(1) << d;
            r->count *= extent;
            if (keepdims) {
                r->result_shape[r->result_ndim++] = 1;
            }
        } else {
            r->kept_shape[r->kept_ndim++] = extent;
            r->result_shape[r->result_ndim++] = extent;
        }
    }
}

static void output_strides(const cn_array *in, const cn_array *out, const reduction *r, bool keepdims, int64_t *strides)
{
    int at = 0;
    for (int d = 0; d < in->ndim; d++) {
        bool gone = (r->reduced >> d & 1) != 0;
        strides[d] = gone ? 0 : cni_strides(out)[at];
        at += gone && !keepdims ? 0 : 1;
    }
}

static cn_status record_reduce(cni_opcode opcode, int loop, cn_array *in, cn_array *out, const reduction *r,
                               bool keepdims, const cn_scalar *initial)
{
    int64_t strides[CN_MAX_DIMS];
    output_strides(in, out, r, keepdims, strides);
    cni_op op = {.kind = CNI_REDUCE,
                 .nout = 1,
                 .nin = initial != NULL ? 2 : 1,
                 .opcode = (uint16_t)opcode,
                 .loop = (uint16_t)loop,
                 .flags = initial != NULL ? CNI_FLAG_INITIAL : 0};
    cni_operand operands[3] = {
        {.array = out, .broadcast = true, .ndim = in->ndim, .shape = cni_shape(in), .strides = strides}, {.array = in}};
    if (initial != NULL) {
        operands[2].scalar = *initial;
    }
    return cni_record(&op, operands);
}

/* A new array of in's values in the dtype of the loop, with the value that changes nothing where the mask is false. */
static cn_status apply_mask(cn_array *in, cn_dtype dtype, cn_array *where, const cn_scalar *neutral, cn_array **out)
{
    cn_array *cast = cn_array_ref(in);
    if (in->dtype != dtype) {
        cn_array_unref(cast);
        CN_TRY(cn_array_copy(in, dtype, true, &cast));
    }
    cn_operand operands[3] = {{.array = where}, {.array = cast}, {.scalar = *neutral}};
    cn_status status = cn_scalar_cast(neutral, CN_STRONG, dtype, &operands[2].scalar);
    operands[2].scalar.dtype = dtype;
    status = status == CN_OK ? cn_elementwise(cn_op_find("_select"), operands, NULL, NULL, out) : status;
    cn_array_unref(cast);
    return status;
}

/* In the order in which the input's axes lie in memory, as far as they stay. where: NULL if there is none. */
static cn_status result_create(cn_array *in, cn_array *where, const reduction *r, bool keepdims, cn_dtype dtype,
                               cn_array **out)
{
    cn_array *arrays[2] = {in, where};
    int order[CN_MAX_DIMS], kept[CN_MAX_DIMS], place[CN_MAX_DIMS], count = 0, at = 0;
    const int *axis_order = cni_axis_order(where != NULL ? 2 : 1, arrays, in->ndim, order);
    if (axis_order == NULL) {
        return cn_array_empty(dtype, r->result_ndim, r->result_shape, out);
    }
    for (int d = 0; d < in->ndim; d++) {
        place[d] = keepdims || (r->reduced >> d & 1) == 0 ? at++ : -1;
    }
    for (int k = 0; k < in->ndim; k++) {
        if (place[axis_order[k]] >= 0) {
            kept[count++] = place[axis_order[k]];
        }
    }
    return cn_array_empty_ordered(dtype, r->result_ndim, r->result_shape, kept, out);
}

static cn_status check_out(const cn_array *out, const reduction *r)
{
    if (!out->writeable) {
        return cni_fail(CN_ERROR_READ_ONLY, "output array is read-only");
    }
    if (out->ndim != r->result_ndim ||
        memcmp(cni_shape(out), r->result_shape, (size_t)r->result_ndim * sizeof(int64_t)) != 0) {
        return cni_fail(CN_ERROR_VALUE, "output parameter for reduction operation has the wrong shape");
    }
    return CN_OK;
}

/* Into a new array, then into out: out may be of another dtype, or be the input. */
static cn_status deliver(cn_array *computed, cn_array *out, cn_array **result)
{
    if (out == NULL) {
        *result = computed;
        return CN_OK;
    }
    cn_operand source = {.array = computed};
    cn_status status = cn_copy(out, &source, CN_CAST_UNSAFE);
    cn_array_unref(computed);
    if (status == CN_OK) {
        *result = cn_array_ref(out);
    }
    return status;
}

/* ---- Segments, and folds of ops that are no reductions ---- */

/* The input in the loop's dtype, the axis last and contiguous. New reference. */
static cn_status segment_source(cn_array *in, cn_dtype dtype, int axis, cn_array **out)
{
    int order[CN_MAX_DIMS], n = 0;
    cn_array *turned;
    for (int d = 0; d < in->ndim; d++) {
        if (d != axis) {
            order[n++] = d;
        }
    }
    order[n] = axis;
    CN_TRY(cn_array_transpose(in, order, &turned));
    if (turned->dtype == dtype && cni_strides(turned)[n] == cni_dtype_size(dtype)) {
        *out = turned;
        return CN_OK;
    }
    cn_status status = cn_array_copy(turned, dtype, false, out);
    cn_array_unref(turned);
    return status;
}

/* The indices, each in [0, extent): on the host, or where they are. New reference. */
static cn_status segment_indices(cn_op op, cn_array *indices, int64_t extent, cn_array **out)
{
    cn_array *host = NULL;
    void *data;
    CN_TRY(cni_index_there(indices, extent, false, &host));
    if (host != NULL) {
        *out = host;
        return CN_OK;
    }
    CN_TRY(cni_array_host(indices, CN_INT64, &host, &data));
    const int64_t *numbers = data;
    for (int64_t i = 0; i < host->size; i++) {
        if (numbers[i] < 0 || numbers[i] >= extent) {
            cn_array_unref(host);
            return cni_fail(CN_ERROR_INDEX, "index %lld out-of-bounds in %s.reduceat [0, %lld)", (long long)numbers[i],
                            cni_ops[op].name, (long long)extent);
        }
    }
    *out = host;
    return CN_OK;
}

static cn_status record_segments(cn_op op, cn_array *in, cn_array *indices, int axis, cn_dtype dtype, uint8_t flags,
                                 cn_array **result)
{
    int loop = 0;
    int64_t shape[CN_MAX_DIMS];
    cn_array *host = NULL, *source = NULL, *made = NULL;
    if (axis < 0 || axis >= in->ndim || indices->ndim != 1) {
        return cni_fail(CN_ERROR_AXIS, "axis %d is out of bounds for array of dimension %d", axis, in->ndim);
    }
    CN_TRY(reduce_loop((cni_opcode)op, (cn_dtype)in->dtype, dtype, &loop));
    bool alone = in->ndim == 1 && in->size >= cni_settings[CNI_SETTING_SPREAD_BYTES] / 8;
    CN_TRY(alone ? cn_flush()
                 : CN_OK); /* places that learn what memory they need while it runs have done nothing yet */
    dtype = (cn_dtype)cni_ops[op].signatures[loop].dtypes[2];
    memcpy(shape, cni_shape(in), (size_t)in->ndim * sizeof *shape);
    shape[axis] = indices->size;
    cn_status status = segment_indices(op, indices, cni_shape(in)[axis], &host);
    status = status == CN_OK ? segment_source(in, dtype, axis, &source) : status;
    status = status == CN_OK ? cn_array_empty(dtype, in->ndim, shape, &made) : status;
    if (status == CN_OK) {
        cni_op o = {.kind = CNI_SEGMENTS,
                    .flags = flags,
                    .nout = 1,
                    .nin = 2,
                    .opcode = (uint16_t)op,
                    .loop = (uint16_t)loop,
                    .parameter = (uint8_t)axis};
        cni_operand operands[3] = {{.array = made}, {.array = source}, {.array = host}};
        status = cni_record(&o, operands);
        status = status == CN_OK && alone ? cn_flush() : status;
    }
    cn_array_unref(host);
    cn_array_unref(source);
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *result = made;
    return CN_OK;
}

cn_status cn_reduce_segments(cn_op op, cn_array *in, cn_array *indices, int axis, cn_dtype dtype, cn_array **result)
{
    return record_segments(op, in, indices, axis, dtype, 0, result);
}

/* ---- Folds: of one axis, in order ---- */

/* The value, then what there is along the axis. New reference. */
static cn_status with_initial(cn_array *in, int axis, const cn_reduce_options *o, cn_dtype dtype, cn_array **out)
{
    int64_t shape[CN_MAX_DIMS], extent = cni_shape(in)[axis];
    cn_array *made, *part = NULL;
    cn_operand first = {.scalar = *o->initial, .weak = o->initial_weak}, others = {.array = in};
    memcpy(shape, cni_shape(in), (size_t)in->ndim * sizeof *shape);
    shape[axis] = extent + 1;
    CN_TRY(cn_array_empty(dtype, in->ndim, shape, &made));
    const int64_t *strides = cni_strides(made);
    shape[axis] = 1;
    cn_status status = cn_array_view(made, dtype, 0, in->ndim, shape, strides, true, &part);
    status = status == CN_OK ? cn_copy(part, &first, CN_CAST_UNSAFE) : status;
    cn_array_unref(part);
    part = NULL;
    shape[axis] = extent;
    status =
        status == CN_OK ? cn_array_view(made, dtype, strides[axis], in->ndim, shape, strides, true, &part) : status;
    status = status == CN_OK ? cn_copy(part, &others, CN_CAST_UNSAFE) : status;
    cn_array_unref(part);
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *out = made;
    return CN_OK;
}

/* The segment that begins with the first element, without its axis or with it as 1. */
static cn_status fold_line(cn_op op, cn_array *in, int axis, bool keepdims, cn_dtype dtype, cn_array **result)
{
    cn_array *first, *made;
    const cn_scalar zero = {.dtype = CN_INT64}, step = {.dtype = CN_INT64};
    reduction r;
    reduction_shape(in, 1, &axis, keepdims, &r);
    if (cni_element_count(r.result_ndim, r.result_shape) == 0) {
        return cn_array_empty(dtype, r.result_ndim, r.result_shape, result);
    }
    CN_TRY(cn_arange(&zero, &step, 1, &first));
    cn_status status = record_segments(op, in, first, axis, dtype, CNI_FLAG_FOLD, &made); /* dtype: the loop's */
    cn_array_unref(first);
    if (status == CN_OK) {
        status = cn_array_reshape_view(made, r.result_ndim, r.result_shape, result);
        cn_array_unref(made);
    }
    return status;
}

/* The same, lying in memory as in does. */
static cn_status fold_axis(cn_op op, cn_array *in, int axis, bool keepdims, cn_dtype dtype, cn_array **result)
{
    int back[CN_MAX_DIMS], kept[CN_MAX_DIMS], n = 0, turned_axis = axis;
    cn_array *turned, *made;
    CN_TRY(cni_array_turned(in, &turned_axis, back, &turned));
    cn_status status = fold_line(op, turned, turned_axis, keepdims, dtype, &made);
    cn_array_unref(turned);
    if (status != CN_OK) {
        return status;
    }
    for (int d = 0; d < in->ndim && back[0] >= 0; d++) {
        if (keepdims || d != axis) {
            kept[n++] = back[d] - (!keepdims && back[d] > turned_axis);
        }
    }
    if (n == 0) {
        *result = made;
        return CN_OK;
    }
    return cni_array_turn_back(made, kept, result);
}

static cn_status fold(cn_op op, cn_array *in, const cn_reduce_options *o, cn_array **result)
{
    int axis = o->naxes == 1 ? o->axes[0] : 0, loop;
    bool nothing = o->naxes == 0 || in->ndim == 0;
    cn_dtype want = o->dtype;
    if (want == CN_DTYPE_NONE && o->out != NULL) {
        want = cn_promote((cn_dtype)o->out->dtype, (cn_dtype)in->dtype);
    }
    CN_TRY(reduce_loop((cni_opcode)op, want == CN_DTYPE_NONE || o->out == NULL ? (cn_dtype)in->dtype : want, o->dtype,
                       &loop));
    cn_dtype dtype = (cn_dtype)cni_ops[op].signatures[loop].dtypes[2];
    if ((o->naxes != 1 && in->ndim != 1 && !nothing) || o->where != NULL || (nothing && o->initial != NULL)) {
        return cni_fail(CN_ERROR_UNSUPPORTED, "reduce of '%s' is native along one axis", cni_ops[op].name);
    }
    if (!nothing && cni_shape(in)[axis] == 0 && o->initial == NULL) {
        return cni_fail(CN_ERROR_VALUE, "zero-size array to reduction operation %s which has no identity",
                        cni_ops[op].name);
    }
    if (o->out != NULL) {
        reduction r;
        reduction_shape(in, nothing ? 0 : 1, &axis, o->keepdims, &r);
        CN_TRY(check_out(o->out, &r));
    }
    cn_array *source = NULL, *made;
    if (o->initial != NULL) {
        CN_TRY(with_initial(in, axis, o, dtype, &source));
    }
    cn_status status = nothing ? cn_array_copy(in, dtype, true, &made)
                               : fold_axis(op, source != NULL ? source : in, axis, o->keepdims, dtype, &made);
    cn_array_unref(source);
    return status == CN_OK ? deliver(made, o->out, result) : status;
}

cn_status cn_reduce(cn_op op, cn_array *in, const cn_reduce_options *o, cn_array **result)
{
    const cni_op_info *info = &cni_ops[op];
    if (!cn_op_reducible(op)) {
        return fold(op, in, o, result);
    }
    cn_dtype want = o->dtype;
    if (want == CN_DTYPE_NONE && o->out != NULL && info->signatures[info->nloops - 1].dtypes[2] != CN_BOOL) {
        want = cn_promote((cn_dtype)o->out->dtype, (cn_dtype)in->dtype);
    }
    int loop = 0;
    CN_TRY(reduce_loop((cni_opcode)op, (cn_dtype)in->dtype, want, &loop));
    reduction r;
    reduction_shape(in, o->naxes, o->axes, o->keepdims, &r);
    cn_scalar identity = {.dtype = CN_BOOL};
    bool has_identity = cni_op_identity((int)op, &identity);
    if (r.count == 0 && !has_identity && o->initial == NULL) {
        return cni_fail(CN_ERROR_VALUE, "zero-size array to reduction operation %s which has no identity", info->name);
    }
    if (info->reduce_kind == CNI_REDUCE_ORDERED && !has_identity && __builtin_popcountll(r.reduced) > 1) {
        return cni_fail(CN_ERROR_VALUE,
                        "reduction operation '%s' is not reorderable, so at most one axis may be specified",
                        info->name);
    }
    if (o->where != NULL && !has_identity && o->initial == NULL) {
        return cni_fail(
            CN_ERROR_VALUE,
            "reduction operation '%s' does not have an identity, so to use a where mask one has to specify 'initial'",
            info->name);
    }
    if (o->out != NULL) {
        CN_TRY(check_out(o->out, &r));
    }
    cn_scalar initial;
    if (o->initial != NULL) {
        CN_TRY(cn_scalar_cast(o->initial, o->initial_weak, (cn_dtype)info->signatures[loop].dtypes[0], &initial));
    }
    cn_array *masked = NULL, *made = NULL;
    if (o->where != NULL) {
        CN_TRY(apply_mask(in, (cn_dtype)info->signatures[loop].dtypes[0], o->where,
                          o->initial != NULL && !has_identity ? &initial : &identity, &masked));
    }
    cn_status status = result_create(in, o->where, &r, o->keepdims, (cn_dtype)info->signatures[loop].dtypes[2], &made);
    if (status == CN_OK && r.count == 0) { /* there is nothing to loop over */
        cn_operand nothing = {.scalar = o->initial != NULL ? initial : identity};
        status = cn_copy(made, &nothing, CN_CAST_UNSAFE);
    } else if (status == CN_OK) {
        status = record_reduce((cni_opcode)op, loop, masked != NULL ? masked : in, made, &r, o->keepdims,
                               o->initial != NULL ? &initial : NULL);
    }
    cn_array_unref(masked);
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    return deliver(made, o->out, result);
}

/* Long sums along the last axis: the order that places share (cpu/scan_tree.h). */
static bool is_tree(cn_op op, cn_dtype dtype, const cn_array *in, int axis)
{
    bool last = true;
    for (int d = axis + 1; d < in->ndim; d++) {
        last &= cni_shape(in)[d] == 1;
    }
    return last && cni_ops[op].reduce_kind == CNI_REDUCE_SUM && (dtype == CN_FLOAT32 || dtype == CN_FLOAT64) &&
           cni_shape(in)[axis] > CNI_SCAN_LEAST;
}

cn_status cn_accumulate(cn_op op, cn_array *in, int axis, cn_dtype dtype, cn_array **result)
{
    int loop = 0, back[CN_MAX_DIMS];
    cn_array *turned, *source, *made = NULL;
    if (axis < 0 || axis >= in->ndim) {
        return cni_fail(CN_ERROR_AXIS, "axis %d is out of bounds for array of dimension %d", axis, in->ndim);
    }
    CN_TRY(reduce_loop((cni_opcode)op, (cn_dtype)in->dtype, dtype, &loop));
    dtype = (cn_dtype)cni_ops[op].signatures[loop].dtypes[2];
    CN_TRY(cni_array_turned(in, &axis, back, &turned));
    cn_status status = CN_OK;
    if (in->dtype == dtype) {
        source = cn_array_ref(turned);
    } else {
        status = cn_array_copy(turned, dtype, false, &source);
    }
    cn_array_unref(turned);
    CN_TRY(status);
    status = cn_array_empty(dtype, in->ndim, cni_shape(source), &made);
    if (status == CN_OK) {
        cni_op o = {.kind = CNI_SCAN,
                    .nout = 1,
                    .nin = 1,
                    .opcode = (uint16_t)op,
                    .loop = (uint16_t)loop,
                    .flags = is_tree(op, dtype, in, axis) ? CNI_FLAG_TREE : 0,
                    .parameter = (uint8_t)axis};
        cni_operand operands[2] = {{.array = made}, {.array = source}};
        status = cni_record(&o, operands);
        if (status != CN_OK) {
            cn_array_unref(made);
        }
    }
    cn_array_unref(source);
    return status == CN_OK ? cni_array_turn_back(made, back, result) : status;
}

cn_status cn_arg_reduce(bool maximum, cn_array *in, int axis, bool keepdims, cn_array **result)
{
    reduction r;
    int axes[1] = {axis};
    reduction_shape(in, axis < 0 ? -1 : 1, axes, keepdims, &r);
    if (r.count == 0 && cni_element_count(r.kept_ndim, r.kept_shape) > 0) {
        return cni_fail(CN_ERROR_VALUE, "attempt to get %s of an empty sequence", maximum ? "argmax" : "argmin");
    }
    cn_array *made;
    CN_TRY(cn_array_empty(CN_INT64, r.result_ndim, r.result_shape, &made));
    int64_t strides[CN_MAX_DIMS];
    output_strides(in, made, &r, keepdims, strides);
    cni_op op = {.kind = CNI_ARG_REDUCE,
                 .nout = 1,
                 .nin = 1,
                 .flags = maximum ? CNI_FLAG_MAXIMUM : 0,
                 .parameter = axis < 0 ? CNI_FIRST_AXIS_ALL : (uint8_t)axis};
    cni_operand operands[2] = {
        {.array = made, .broadcast = true, .ndim = in->ndim, .shape = cni_shape(in), .strides = strides},
        {.array = in}};
    cn_status status = cni_record(&op, operands);
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *result = made;
    return CN_OK;
}
