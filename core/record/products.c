/* products.c - matrix products, batches of them, and products of vectors. */
#include "base/status.h"
#include "op/op.h"
#include "record/record.h"

enum { DOT_SUMMED = 1 << 17 }; /* elements: fewer stay in the cache, where BLAS is faster */

static cn_status fail_matmul(const cn_array *a, const cn_array *b)
{
    int64_t n = b->ndim == 1 ? cni_shape(b)[0] : cni_shape(b)[b->ndim - 2];
    return cni_fail(CN_ERROR_VALUE,
                    "matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature "
                    "(n?,k),(k,m?)->(n?,m?) (size %lld is different from %lld)",
                    (long long)n, (long long)cni_shape(a)[a->ndim - 1]);
}

/* Result shape; batch shape in the first *nbatch entries. */
static cn_status matmul_shape(const cn_array *a, const cn_array *b, int *ndim, int64_t *shape)
{
    if (a->ndim == 0 || b->ndim == 0) {
        return cni_fail(CN_ERROR_VALUE, "matmul: Input operand %d does not have enough dimensions",
                        a->ndim == 0 ? 0 : 1);
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

/* The last `core` extents of an output are the result's; only those before them may be broadcast. */
static cn_status matmul_fits(const cn_array *out, int ndim, const int64_t *shape, int core)
{
    for (int d = 1; out != NULL && d <= core; d++) {
        if (d > cn_array_ndim(out) || cn_array_shape(out)[cn_array_ndim(out) - d] != shape[ndim - d]) {
            return cni_fail(CN_ERROR_VALUE, "matmul: Output operand 0 has a mismatch in its core dimensions");
        }
    }
    return CN_OK;
}

/* Is the output such that the product may be made in it: a matrix of the result's dtype, by rows, beside the operands? */
static bool takes_product(const cn_array *out, const cn_array *a, const cn_array *b, int ndim, const int64_t *shape)
{
    return ndim == 2 && out->ndim == 2 && cni_shape(out)[0] == shape[0] && out->dtype == a->dtype && out->writeable &&
           out->base != a->base && out->base != b->base &&
           cni_strides(out)[1] == (int64_t)cn_dtype_size((cn_dtype)out->dtype) &&
           cni_strides(out)[0] >= shape[1] * cni_strides(out)[1];
}

/*
 * Long vectors are multiplied and added up as sums are: in one sweep with what makes them or follows, and the same bits
 * wherever parts of them are. Products tell of no events.
 */
static cn_status record_dot(cn_array *a, cn_array *b, cn_array **result)
{
    cni_recorder *r;
    CN_TRY(cni_recorder_get(&r));
    const uint8_t kinds = r->fp_kinds;
    cn_array *products = NULL;
    r->fp_kinds = 0;
    cn_status status =
        cn_elementwise(CNI_OP_MULTIPLY, (const cn_operand[2]){{.array = a}, {.array = b}}, NULL, NULL, &products);
    if (status == CN_OK) {
        status =
            cn_reduce(CNI_OP_ADD, products, &(const cn_reduce_options){.naxes = -1, .dtype = CN_DTYPE_NONE}, result);
        cn_array_unref(products);
    }
    r->fp_kinds = kinds;
    return status;
}

static bool is_long_dot(const cn_array *a, const cn_array *b)
{
    return a->ndim == 1 && b->ndim == 1 && a->size >= DOT_SUMMED && (a->dtype == CN_FLOAT32 || a->dtype == CN_FLOAT64);
}

cn_status cn_matmul(cn_array *a, cn_array *b, cn_array *out, cn_array **result)
{
    int ndim = 0;
    int64_t shape[CN_MAX_DIMS];
    CN_TRY(matmul_shape(a, b, &ndim, shape));
    CN_TRY(matmul_fits(out, ndim, shape, (a->ndim > 1) + (b->ndim > 1)));
    if (a->dtype != b->dtype) {
        return cni_fail(CN_ERROR_UNSUPPORTED, "matmul of two dtypes");
    }
    if (out == NULL && is_long_dot(a, b)) {
        return record_dot(a, b, result);
    }
    bool here = out != NULL && takes_product(out, a, b, ndim, shape);
    cn_array *made = here ? cn_array_ref(out) : NULL;
    if (!here) {
        CN_TRY(cn_array_empty((cn_dtype)a->dtype, ndim, shape, &made));
    }
    cni_op op = {.kind = CNI_MATMUL, .nout = 1, .nin = 2};
    cni_operand operands[3] = {{.array = made}, {.array = a}, {.array = b}};
    cn_status status = cni_record(&op, operands);
    if (status == CN_OK && out != NULL && !here) {
        cn_operand source = {.array = made};
        status = cn_copy(out, &source, CN_CAST_SAME_KIND);
    }
    if (status == CN_OK) {
        *result = cn_array_ref(out != NULL ? out : made);
    }
    cn_array_unref(made);
    return status;
}
