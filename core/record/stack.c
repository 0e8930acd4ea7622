/* stack.c - recording what LAPACK makes of each of many matrices (core/cpu/each_matrix.c). */
#include "base/status.h"
#include "record/record.h"

/* Elements of what there is of a matrix of m rows and n columns, with so many right-hand sides. */
static int64_t result_size(cn_each kind, int64_t m, int64_t n, int64_t right)
{
    int64_t k = m < n ? m : n;
    switch (kind) {
    case CN_EACH_SOLVE:
        return n * right;
    case CN_EACH_DETERMINANT:
        return 2;
    case CN_EACH_R:
        return k * n;
    case CN_EACH_QR:
        return k * n + m * k;
    case CN_EACH_QR_COMPLETE:
        return m * n + m * m;
    case CN_EACH_SINGULAR:
        return k;
    case CN_EACH_SVD:
        return k + m * k + k * n;
    case CN_EACH_SVD_FULL:
        return k + m * m + n * n;
    case CN_EACH_EIGVALSH:
    case CN_EACH_EIGVALSH_UPPER:
    case CN_EACH_EIGVALS:
        return n;
    case CN_EACH_SCHUR:
        return 2 * n * n;
    case CN_EACH_DEFLATE:
        return 2 * n * n + 2 + 2 * n;
    case CN_EACH_EIGH:
    case CN_EACH_EIGH_UPPER:
    case CN_EACH_EIG:
        return n + n * n;
    default:
        return n * n;
    }
}

static bool is_stack(const cn_array *a)
{
    bool double_precision = a->dtype == CN_FLOAT64 || a->dtype == CN_COMPLEX128;
    return a->ndim == 3 && a->size > 0 && double_precision;
}

static bool fits(cn_each kind, const cn_array *a, const cn_array *b)
{
    bool any = kind == CN_EACH_R || kind == CN_EACH_QR || kind == CN_EACH_QR_COMPLETE || kind == CN_EACH_SINGULAR ||
               kind == CN_EACH_SVD || kind == CN_EACH_SVD_FULL;
    if (!is_stack(a) || (!any && cni_shape(a)[1] != cni_shape(a)[2]) || (kind == CN_EACH_SOLVE) != (b != NULL)) {
        return false;
    }
    return b == NULL || (is_stack(b) && b->dtype == a->dtype && cni_shape(b)[0] == cni_shape(a)[0] &&
                         cni_shape(b)[1] == cni_shape(a)[1]);
}

cn_status cn_each_matrix(cn_each kind, cn_array *a, cn_array *b, cn_array **result)
{
    bool general = kind == CN_EACH_EIGVALS || kind == CN_EACH_EIG;
    if (!fits(kind, a, b)) {
        return cni_fail(CN_ERROR_VALUE, "stacks of matrices of one double precision are needed");
    }
    const int64_t *shape = cni_shape(a);
    int64_t out[2] = {shape[0], 1 + result_size(kind, shape[1], shape[2], b != NULL ? cni_shape(b)[2] : 0)};
    cn_array *made;
    CN_TRY(cn_array_empty(general ? CN_COMPLEX128 : (cn_dtype)a->dtype, 2, out, &made));
    cni_operand operands[3] = {{.array = made}, {.array = a}, {.array = b}};
    cni_op op = {.kind = CNI_EACH_MATRIX, .parameter = (uint8_t)kind, .nout = 1, .nin = b != NULL ? 2 : 1};
    cn_status status = cni_record(&op, operands);
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *result = made;
    return CN_OK;
}
