/*
 * library.c - recording what is no row of ops.def: gather, scatter, nonzero, matmul.
 *
 * Indices are read and checked at the call, as NumPy raises there; what is recorded is one flat index array that is
 * known to be in range.
 */
#include <string.h>

#include "base/status.h"
#include "record/record.h"

/* ---- Indices ---- */

/* Reads an index array into host memory: an array with its buffer, C order. New reference. */
static cn_status index_read(cn_array *index, cn_array **out)
{
    cn_array *flat;
    CN_TRY(cn_array_empty(CN_INT64, index->ndim, cni_shape(index), &flat));
    cn_status status = cni_base_materialise(flat->base);
    if (status == CN_OK) {
        status = cn_array_read(index, flat->base->buffer->data, flat->base->nbytes);
    }
    if (status != CN_OK) {
        cn_array_unref(flat);
        return status;
    }
    *out = flat;
    return CN_OK;
}

static cn_status index_combine(int64_t *flat, const int64_t *index, int64_t count, int64_t extent, int axis)
{
    for (int64_t i = 0; i < count; i++) {
        int64_t k = index[i];
        if (k < -extent || k >= extent) {
            return cni_fail(CN_ERROR_INDEX, "index %lld is out of bounds for axis %d with size %lld", (long long)k, axis,
                            (long long)extent);
        }
        flat[i] = flat[i] * extent + (k < 0 ? k + extent : k);
    }
    return CN_OK;
}

/* One index into the flattened first nindex axes, checked and made non-negative. New reference. */
static cn_status index_flatten(cn_array *array, int nindex, cn_array *const *index, cn_array **out)
{
    cn_array *flat;
    if (nindex < 1 || nindex > array->ndim) {
        return cni_fail(CN_ERROR_INDEX, "too many indices for array: array is %d-dimensional, but %d were indexed",
                        array->ndim, nindex);
    }
    CN_TRY(cn_array_empty(CN_INT64, index[0]->ndim, cni_shape(index[0]), &flat));
    cn_status status = cni_base_materialise(flat->base);
    if (status != CN_OK) {
        goto fail;
    }
    int64_t *numbers = flat->base->buffer->data;
    memset(numbers, 0, (size_t)flat->base->nbytes);
    for (int k = 0; k < nindex; k++) {
        cn_array *host;
        CN_TRY_GOTO(index_read(index[k], &host), fail);
        status = index_combine(numbers, host->base->buffer->data, flat->size, cni_shape(array)[k], k);
        cn_array_unref(host);
        if (status != CN_OK) {
            goto fail;
        }
    }
    *out = flat;
    return CN_OK;
fail:
    cn_array_unref(flat);
    return status;
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

cn_status cn_gather(cn_array *array, int nindex, cn_array *const *index, cn_array **out)
{
    int ndim;
    int64_t shape[2 * CN_MAX_DIMS];
    cn_array *flat = NULL, *made = NULL;
    CN_TRY(index_flatten(array, nindex, index, &flat));
    indexed_shape(array, nindex, flat, &ndim, shape);
    cn_status status = cn_array_empty((cn_dtype)array->dtype, ndim, shape, &made);
    if (status == CN_OK) {
        cni_op op = {.kind = CNI_GATHER, .nout = 1, .nin = 2, .parameter = (uint8_t)nindex};
        cni_operand operands[3] = {{.array = made}, {.array = array}, {.array = flat}};
        status = cni_record(&op, operands);
    }
    cn_array_unref(flat);
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *out = made;
    return CN_OK;
}

/* values as an array of the shape and dtype that the scatter takes. New reference. */
static cn_status scatter_values(cn_array *array, int ndim, const int64_t *shape, const cn_operand *values,
                                cn_casting casting, cn_array **out)
{
    cn_array *made;
    CN_TRY(cn_array_empty((cn_dtype)array->dtype, ndim, shape, &made));
    cn_status status = cn_copy(made, values, casting);
    if (status != CN_OK) {
        cn_array_unref(made);
        if (values->array != NULL && status == CN_ERROR_VALUE) {
            char a[256], b[256];
            return cni_fail(CN_ERROR_VALUE, "shape mismatch: value array of shape %s could not be broadcast to indexing result of shape %s",
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
    CN_TRY(index_flatten(array, nindex, index, &flat));
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

/* ---- Data-dependent shapes ---- */

/* The array as bools on the host, C order. New reference. */
static cn_status truth_read(cn_array *array, cn_array **out)
{
    cn_array *truth, *host;
    if (array->dtype == CN_BOOL) {
        truth = cn_array_ref(array);
    } else {
        CN_TRY(cn_array_copy(array, CN_BOOL, false, &truth));
    }
    cn_status status = cn_array_empty(CN_BOOL, array->ndim, cni_shape(array), &host);
    if (status == CN_OK) {
        status = cni_base_materialise(host->base);
        if (status == CN_OK) {
            status = cn_array_read(truth, host->base->buffer->data, host->base->nbytes);
        }
        if (status != CN_OK) {
            cn_array_unref(host);
        }
    }
    cn_array_unref(truth);
    if (status == CN_OK) {
        *out = host;
    }
    return status;
}

static int64_t truth_count(const cn_array *truth)
{
    const uint8_t *bytes = truth->base->buffer->data;
    int64_t count = 0;
    for (int64_t i = 0; i < truth->size; i++) {
        count += bytes[i] != 0;
    }
    return count;
}

cn_status cn_count_nonzero(cn_array *array, int64_t *out)
{
    cn_array *truth;
    CN_TRY(truth_read(array, &truth));
    *out = truth_count(truth);
    cn_array_unref(truth);
    return CN_OK;
}

static void nonzero_fill(const cn_array *truth, cn_array **out)
{
    const uint8_t *bytes = truth->base->buffer->data;
    int64_t position[CN_MAX_DIMS] = {0}, found = 0;
    for (int64_t i = 0; i < truth->size; i++) {
        if (bytes[i] != 0) {
            for (int d = 0; d < truth->ndim; d++) {
                ((int64_t *)out[d]->base->buffer->data)[found] = position[d];
            }
            found++;
        }
        for (int d = truth->ndim - 1; d >= 0 && ++position[d] == cni_shape(truth)[d]; d--) {
            position[d] = 0;
        }
    }
}

cn_status cn_nonzero(cn_array *array, cn_array **out)
{
    cn_array *truth, *made[CN_MAX_DIMS] = {NULL};
    if (array->ndim == 0) {
        return cni_fail(CN_ERROR_VALUE, "Calling nonzero on 0d arrays is not allowed. Use np.atleast_1d(scalar).nonzero() instead. If the context of this error is of the form `arr[nonzero(cond)]`, just use `arr[cond]`.");
    }
    CN_TRY(truth_read(array, &truth));
    int64_t count = truth_count(truth);
    cn_status status = CN_OK;
    for (int d = 0; d < array->ndim && status == CN_OK; d++) {
        status = cn_array_empty(CN_INT64, 1, &count, &made[d]);
        if (status == CN_OK) {
            status = cni_base_materialise(made[d]->base);
        }
    }
    if (status == CN_OK) {
        nonzero_fill(truth, made);
    }
    for (int d = 0; d < array->ndim; d++) {
        if (status == CN_OK) {
            out[d] = made[d];
        } else {
            cn_array_unref(made[d]);
        }
    }
    cn_array_unref(truth);
    return status;
}

/* ---- Matrix products ---- */

static cn_status fail_matmul(const cn_array *a, const cn_array *b)
{
    int64_t n = b->ndim == 1 ? cni_shape(b)[0] : cni_shape(b)[b->ndim - 2];
    return cni_fail(CN_ERROR_VALUE,
                    "matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature (n?,k),(k,m?)->(n?,m?) (size %lld is different from %lld)",
                    (long long)n, (long long)cni_shape(a)[a->ndim - 1]);
}

/* Result shape; batch shape in the first *nbatch entries. */
static cn_status matmul_shape(const cn_array *a, const cn_array *b, int *ndim, int64_t *shape)
{
    if (a->ndim == 0 || b->ndim == 0) {
        return cni_fail(CN_ERROR_VALUE, "matmul: Input operand %d does not have enough dimensions", a->ndim == 0 ? 0 : 1);
    }
    int64_t inner = b->ndim == 1 ? cni_shape(b)[0] : cni_shape(b)[b->ndim - 2];
    if (cni_shape(a)[a->ndim - 1] != inner) {
        return fail_matmul(a, b);
    }
    int nbatch;
    if (!cni_broadcast_shape(a->ndim > 2 ? a->ndim - 2 : 0, cni_shape(a), b->ndim > 2 ? b->ndim - 2 : 0, cni_shape(b),
                             &nbatch, shape)) {
        return cni_fail(CN_ERROR_VALUE, "operands could not be broadcast together with remapped shapes");
    }
    *ndim = nbatch;
    if (a->ndim > 1) {
        shape[(*ndim)++] = cni_shape(a)[a->ndim - 2];
    }
    if (b->ndim > 1) {
        shape[(*ndim)++] = cni_shape(b)[b->ndim - 1];
    }
    return CN_OK;
}

cn_status cn_matmul(cn_array *a, cn_array *b, cn_array *out, cn_array **result)
{
    int ndim = 0;
    int64_t shape[CN_MAX_DIMS];
    CN_TRY(matmul_shape(a, b, &ndim, shape));
    if (a->dtype != b->dtype) {
        return cni_fail(CN_ERROR_UNSUPPORTED, "matmul of two dtypes");
    }
    cn_array *made;
    CN_TRY(cn_array_empty((cn_dtype)a->dtype, ndim, shape, &made));
    cni_op op = {.kind = CNI_MATMUL, .nout = 1, .nin = 2};
    cni_operand operands[3] = {{.array = made}, {.array = a}, {.array = b}};
    cn_status status = cni_record(&op, operands);
    if (status == CN_OK && out != NULL) {
        cn_operand source = {.array = made};
        status = cn_copy(out, &source, CN_CAST_SAME_KIND);
    }
    if (status != CN_OK || out != NULL) {
        cn_array_unref(made);
    }
    if (status == CN_OK) {
        *result = out != NULL ? cn_array_ref(out) : made;
    }
    return status;
}
