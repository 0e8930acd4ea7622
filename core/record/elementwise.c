/*
 * elementwise.c - recording ufunc calls: loop, broadcast shape, results.
 *
 * An output that overlaps an input at other positions behaves as if the inputs were read first: such a call is
 * recorded as the op into a new array and a copy, and planning decides whether the new array needs memory.
 */
#include <string.h>

#include "base/settings.h"
#include "base/status.h"
#include "op/op.h"
#include "record/follow.h"
#include "record/record.h"

/* ---- Choice of the loop, remembered ---- */

static inline uint64_t choice_key(cni_opcode op, int nin, const cn_operand *in, cn_dtype dtype, cn_casting casting)
{
    uint64_t key = (uint64_t)op + 1;
    for (int i = 0; i < nin; i++) {
        uint32_t one = in[i].array != NULL ? in[i].array->dtype | (uint32_t)CN_STRONG << 5
                                           : (uint32_t)in[i].scalar.dtype | (uint32_t)in[i].weak << 5;
        key = key << 8 | one;
    }
    return (key << 8 | dtype) << 4 | casting;
}

static cn_status choose(cni_opcode op, int nin, const cn_operand *in, cn_dtype dtype, cn_casting casting, int *loop)
{
    cni_recorder *r;
    CN_TRY(cni_recorder_get(&r));
    uint64_t key = r->choice = choice_key(op, nin, in, dtype, casting);
    cni_choice *known = &r->choices[(size_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 54) % CNI_CHOICES];
    if (known->key != key) {
        int chosen;
        cn_dtype dtypes[CNI_MAX_NIN];
        cn_weak weak[CNI_MAX_NIN];
        for (int i = 0; i < nin; i++) {
            dtypes[i] = in[i].array != NULL ? (cn_dtype)in[i].array->dtype : in[i].scalar.dtype;
            weak[i] = in[i].array != NULL ? CN_STRONG : in[i].weak;
        }
        CN_TRY(cni_op_choose(op, dtypes, weak, dtype, casting, &chosen));
        *known = (cni_choice){key, chosen};
    }
    *loop = known->loop;
    return CN_OK;
}

/* ---- Broadcast shape ---- */

static bool has_shape(const cn_array *a, int ndim, const int64_t *shape)
{
    bool same = a->ndim == ndim;
    for (int d = 0; d < ndim && same; d++) {
        same = cni_shape(a)[d] == shape[d];
    }
    return same;
}

static cn_status fail_broadcast(int narrays, cn_array *const *arrays)
{
    char text[480];
    size_t used = 0;
    for (int i = 0; i < narrays && used < sizeof text - 64; i++) {
        cni_shape_text(arrays[i]->ndim, cni_shape(arrays[i]), text + used, sizeof text - used - 2);
        used += strlen(text + used);
        text[used++] = ' ';
        text[used] = '\0';
    }
    return cni_fail(CN_ERROR_VALUE, "operands could not be broadcast together with shapes %s", text);
}

static cn_status broadcast_all(int narrays, cn_array *const *arrays, int *ndim, int64_t *shape)
{
    *ndim = 0;
    if (narrays > 0) {
        *ndim = arrays[0]->ndim;
        memcpy(shape, cni_shape(arrays[0]), (size_t)*ndim * sizeof *shape);
    }
    for (int i = 1; i < narrays; i++) {
        if (!has_shape(arrays[i], *ndim, shape) &&
            !cni_broadcast_shape(*ndim, shape, arrays[i]->ndim, cni_shape(arrays[i]), ndim, shape)) {
            return fail_broadcast(narrays, arrays);
        }
    }
    return CN_OK;
}

/* ---- Axis order of new results: NumPy's 'K' ---- */

/* 1: the first is the faster axis of an array at least (C order wins where they differ), -1: of none, 0: not known. */
static int stride_compare(int narrays, cn_array *const *arrays, int ndim, int fast, int slow)
{
    int known = 0;
    for (int i = 0; i < narrays; i++) {
        int skip = ndim - arrays[i]->ndim;
        if (fast < skip || slow < skip) {
            continue;
        }
        int64_t f = cni_strides(arrays[i])[fast - skip], s = cni_strides(arrays[i])[slow - skip];
        f = cni_shape(arrays[i])[fast - skip] == 1 ? 0 : f < 0 ? -f : f;
        s = cni_shape(arrays[i])[slow - skip] == 1 ? 0 : s < 0 ? -s : s;
        if (f != 0 && s != 0) {
            if (f <= s) {
                return 1;
            }
            known = -1;
        }
    }
    return known;
}

/* order[0] is the slowest axis. NULL if C order fits. */
const int *cni_axis_order(int narrays, cn_array *const *arrays, int ndim, int *order)
{
    bool plain = true;
    for (int i = 0; i < narrays; i++) {
        plain = plain && (arrays[i]->c_contiguous || arrays[i]->ndim < 2);
    }
    if (plain || ndim < 2) {
        return NULL;
    }
    int fast_first[CN_MAX_DIMS];
    for (int k = 0; k < ndim; k++) {
        int axis = ndim - 1 - k, at = k;
        for (int j = k - 1; j >= 0;
             j--) { /* insertion: axis is slower than those it cannot be shown to be faster than */
            int order_known = stride_compare(narrays, arrays, ndim, fast_first[j], axis);
            if (order_known > 0) {
                break;
            }
            if (order_known < 0) {
                at = j;
            }
        }
        memmove(fast_first + at + 1, fast_first + at, (size_t)(k - at) * sizeof *fast_first);
        fast_first[at] = axis;
    }
    for (int k = 0; k < ndim; k++) {
        order[k] = fast_first[ndim - 1 - k];
    }
    return order;
}

/* ---- The call ---- */

typedef struct call {
    const cni_op_info *info;
    cn_array *where;
    char order; /* of new results, as in cn_elementwise_options */
    int loop;
    int narrays; /* inputs that are arrays, then the mask */
    cn_array *arrays[CNI_MAX_NIN + 1];
    int ndim;
    int64_t shape[CN_MAX_DIMS];
} call;

static cn_status check_output(const call *c, cn_array *out, cn_dtype from, cn_casting casting)
{
    char a[256], b[256];
    if (!out->writeable) {
        return cni_fail(CN_ERROR_READ_ONLY, "output array is read-only");
    }
    if (!has_shape(out, c->ndim, c->shape)) {
        return cni_fail(
            CN_ERROR_VALUE, "non-broadcastable output operand with shape %s doesn't match the broadcast shape %s",
            cni_shape_text(out->ndim, cni_shape(out), a, sizeof a), cni_shape_text(c->ndim, c->shape, b, sizeof b));
    }
    if (!cn_can_cast(from, (cn_dtype)out->dtype, casting)) {
        return cni_fail(CN_ERROR_CASTING, "Cannot cast ufunc '%s' output from dtype('%s') to dtype('%s')",
                        c->info->name, cn_dtype_name(from), cn_dtype_name((cn_dtype)out->dtype));
    }
    return CN_OK;
}

/* Does an input share memory with the output other than element by element? */
static bool overlaps(const call *c, const cn_array *out)
{
    for (int i = 0; i < c->narrays; i++) {
        const cn_array *a = c->arrays[i];
        if (a->base != out->base) {
            continue;
        }
        bool same = a->offset == out->offset && a->dtype == out->dtype && has_shape(a, out->ndim, cni_shape(out)) &&
                    memcmp(cni_strides(a), cni_strides(out), (size_t)out->ndim * sizeof(int64_t)) == 0;
        if (!same && cn_array_may_overlap(a, out)) {
            return true;
        }
    }
    return false;
}

/* Gives the operand the call's shape; strides has room for c->ndim. */
void cni_operand_broadcast(cni_operand *operand, cn_array *array, int ndim, const int64_t *shape, int64_t *strides)
{
    *operand = (cni_operand){.array = array};
    if (!has_shape(array, ndim, shape)) {
        cni_broadcast_strides(array->ndim, cni_shape(array), cni_strides(array), ndim, shape, strides);
        operand->broadcast = true;
        operand->ndim = ndim;
        operand->shape = shape;
        operand->strides = strides;
    }
}

static cn_status record_call(const call *c, const cn_operand *in, const cn_scalar *scalars, cn_array *const *results)
{
    int nin = c->info->nin, nout = c->info->nout;
    cni_operand operands[CNI_OP_ARGS];
    int64_t strides[CNI_MAX_NIN + 1][CN_MAX_DIMS];
    cni_op op = {.kind = CNI_ELEMENTWISE,
                 .nout = (uint8_t)nout,
                 .nin = (uint8_t)nin,
                 .opcode = (uint16_t)(c->info - cni_ops),
                 .loop = (uint16_t)c->loop};
    for (int i = 0; i < nout; i++) {
        operands[i] = (cni_operand){.array = results[i]};
    }
    for (int i = 0; i < nin; i++) {
        if (in[i].array == NULL) {
            operands[nout + i] = (cni_operand){.scalar = scalars[i]};
        } else {
            cni_operand_broadcast(&operands[nout + i], in[i].array, c->ndim, c->shape, strides[i]);
        }
    }
    if (c->where != NULL) {
        op.flags |= CNI_FLAG_WHERE;
        cni_operand_broadcast(&operands[nout + nin], c->where, c->ndim, c->shape, strides[nin]);
        op.nin++;
    }
    return cni_record(&op, operands);
}

/* The order of new results that was asked for, or the one that fits the inputs. NULL: C order. */
static const int *results_order(const call *c, int *order)
{
    if (c->order == 'F') {
        for (int d = 0; d < c->ndim; d++) {
            order[d] = c->ndim - 1 - d;
        }
        return order;
    }
    return c->order == 'C' ? NULL : cni_axis_order(c->narrays, c->arrays, c->ndim, order);
}

static cn_status results_create(const call *c, const cni_signature *signature, cn_array *const *out, bool *through_new,
                                cn_array **results)
{
    int order[CN_MAX_DIMS];
    const int *axis_order = results_order(c, order);
    for (int i = 0; i < c->info->nout; i++) {
        cn_array *given = out != NULL ? out[i] : NULL;
        if (given != NULL && !overlaps(c, given)) {
            results[i] = cn_array_ref(given);
            continue;
        }
        cn_dtype dtype = (cn_dtype)signature->dtypes[c->info->nin + i];
        *through_new |= given != NULL;
        cn_status status = cn_array_empty_ordered(dtype, c->ndim, c->shape, axis_order, &results[i]);
        if (status != CN_OK) {
            while (i-- > 0) {
                cn_array_unref(results[i]);
            }
            return status;
        }
    }
    return CN_OK;
}

/* Copies what was computed into new arrays into the outputs that were given. */
static cn_status results_deliver(const call *c, cn_array *const *out, cn_casting casting, cn_array **results)
{
    for (int i = 0; i < c->info->nout; i++) {
        if (out != NULL && out[i] != NULL && results[i] != out[i]) {
            cn_operand source = {.array = results[i]};
            CN_TRY(c->where != NULL ? cn_copy_where(out[i], &source, c->where, casting)
                                    : cn_copy(out[i], &source, casting));
            cn_array_unref(results[i]);
            results[i] = cn_array_ref(out[i]);
        }
    }
    return CN_OK;
}

static cn_status scalar_fit(const cn_operand *in, cn_dtype dtype, cn_scalar *out)
{
    if (in->scalar.dtype == dtype) {
        *out = in->scalar;
        return CN_OK;
    }
    return cn_scalar_cast(&in->scalar, in->weak, dtype, out);
}

static cn_status call_prepare(call *c, const cn_operand *in, cn_array *const *out,
                              const cn_elementwise_options *options, cn_scalar *scalars)
{
    cn_dtype dtype = options != NULL ? options->dtype : CN_DTYPE_NONE;
    cn_casting casting = options != NULL ? options->casting : CN_CAST_SAME_KIND;
    CN_TRY(choose((cni_opcode)(c->info - cni_ops), c->info->nin, in, dtype, casting, &c->loop));
    const cni_signature *signature = &c->info->signatures[c->loop];
    for (int i = 0; i < c->info->nin; i++) {
        if (in[i].array != NULL) {
            c->arrays[c->narrays++] = in[i].array;
        } else {
            CN_TRY(scalar_fit(&in[i], (cn_dtype)signature->dtypes[i], &scalars[i]));
        }
    }
    if (c->where != NULL) {
        c->arrays[c->narrays++] = c->where;
    }
    CN_TRY(broadcast_all(c->narrays, c->arrays, &c->ndim, c->shape));
    for (int i = 0; i < c->info->nout && out != NULL; i++) {
        if (out[i] != NULL) {
            int joined;
            if (!cni_broadcast_shape(c->ndim, c->shape, out[i]->ndim, cni_shape(out[i]), &joined, c->shape)) {
                cn_array *all[CNI_MAX_NIN + 2];
                memcpy(all, c->arrays, sizeof c->arrays);
                all[c->narrays] = out[i];
                return fail_broadcast(c->narrays + 1, all);
            }
            c->ndim = joined;
        }
    }
    for (int i = 0; i < c->info->nout && out != NULL; i++) {
        if (out[i] != NULL) {
            CN_TRY(check_output(c, out[i], (cn_dtype)signature->dtypes[c->info->nin + i], casting));
        }
    }
    return CN_OK;
}

/* ---- The commonest call: one new result, and inputs that are scalars or C-order arrays of one shape ---- */

static bool is_plain(const cni_op_info *info, const cn_operand *in, cn_array **like)
{
    *like = NULL;
    for (int i = 0; i < info->nin; i++) {
        cn_array *a = in[i].array;
        if (a == NULL || a == *like) {
            continue;
        }
        if (!a->c_contiguous || (*like != NULL && !has_shape(a, (*like)->ndim, cni_shape(*like)))) {
            return false;
        }
        *like = a;
    }
    return info->nout == 1 && *like != NULL;
}

static cn_status call_plain(const cni_op_info *info, const cn_operand *in, cn_array *like, cn_array **result)
{
    int loop;
    cni_operand operands[1 + CNI_MAX_NIN];
    CN_TRY(choose((cni_opcode)(info - cni_ops), info->nin, in, CN_DTYPE_NONE, CN_CAST_SAME_KIND, &loop));
    const uint8_t *dtypes = info->signatures[loop].dtypes;
    for (int i = 0; i < info->nin; i++) {
        cni_operand *o = &operands[1 + i];
        o->array = in[i].array;
        o->broadcast = false;
        if (o->array == NULL) {
            CN_TRY(scalar_fit(&in[i], (cn_dtype)dtypes[i], &o->scalar));
        }
    }
    cn_array *made;
    CN_TRY(cni_array_like(like, (cn_dtype)dtypes[info->nin], &made));
    operands[0].array = made;
    operands[0].broadcast = false;
    cni_op op = {.kind = CNI_ELEMENTWISE,
                 .nout = 1,
                 .nin = info->nin,
                 .opcode = (uint16_t)(info - cni_ops),
                 .loop = (uint16_t)loop};
    cn_status status = cni_record(&op, operands);
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *result = made;
    return CN_OK;
}

/* ---- The call that is expected (follow.h) ---- */

/* NULL: it is another one, or something has gone wrong that the call will say itself. */
static cn_array *call_expected(cni_opcode op, const cn_operand *in)
{
    cni_recorder *r = cni_my_recorder;
    const cni_op_info *info = &cni_ops[op];
    const cni_op *next = r != NULL ? cni_follow_next(r) : NULL;
    if (next == NULL || next->kind != CNI_ELEMENTWISE || next->flags != 0 ||
        next->choice != choice_key(op, info->nin, in, CN_DTYPE_NONE, CN_CAST_SAME_KIND)) {
        return NULL;
    }
    cni_operand inputs[CNI_MAX_NIN];
    const uint8_t *dtypes = info->signatures[next->loop].dtypes;
    for (int i = 0; i < info->nin; i++) {
        cni_operand *o = &inputs[i];
        o->array = in[i].array;
        o->broadcast = false;
        if (o->array == NULL && scalar_fit(&in[i], (cn_dtype)dtypes[i], &o->scalar) != CN_OK) {
            return NULL;
        }
    }
    return cni_follow_new(r, inputs);
}

cn_status cn_elementwise(cn_op op, const cn_operand *in, cn_array *const *out, const cn_elementwise_options *options,
                         cn_array **results)
{
    if (op < 0 || op >= CNI_OP_COUNT) {
        return cni_fail(CN_ERROR_VALUE, "no such op");
    }
    cn_array *like;
    if (out == NULL && options == NULL && (results[0] = call_expected((cni_opcode)op, in)) != NULL) {
        return CN_OK;
    }
    if (out == NULL && options == NULL && is_plain(&cni_ops[op], in, &like)) {
        return call_plain(&cni_ops[op], in, like, &results[0]);
    }
    call c;
    c.info = &cni_ops[op];
    c.where = options != NULL ? options->where : NULL;
    c.order = options != NULL ? options->order : 0;
    c.narrays = 0;
    cn_scalar scalars[CNI_MAX_NIN];
    cn_array *made[CNI_MAX_NOUT] = {NULL};
    bool through_new = false;
    CN_TRY(call_prepare(&c, in, out, options, scalars));
    CN_TRY(results_create(&c, &c.info->signatures[c.loop], out, &through_new, made));
    cn_array *where = c.where;
    if (through_new || out == NULL) {
        c.where = NULL; /* elsewhere a new array's values are unspecified */
    }
    cn_status status = record_call(&c, in, scalars, made);
    c.where = where;
    if (status == CN_OK && through_new) {
        status = results_deliver(&c, out, options != NULL ? options->casting : CN_CAST_SAME_KIND, made);
    }
    for (int i = 0; i < c.info->nout; i++) {
        if (status == CN_OK) {
            results[i] = made[i];
        } else {
            cn_array_unref(made[i]);
        }
    }
    return status;
}
