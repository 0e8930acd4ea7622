/*
 * choose.c - NumPy's choice of a loop: the first, in the table's order, that every input can be cast to safely.
 *
 * Python's own numbers (weak) have no width: an integer goes to any loop of numbers, a float to any inexact one, after
 * the arrays have decided the kind (NEP 50).
 */
#include "base/status.h"
#include "op/op.h"

static bool is_integer(cn_dtype dtype)
{
    return dtype > CN_BOOL && dtype < CN_FLOAT16;
}

/* The common dtype of the strong inputs; CN_DTYPE_NONE if there are none. */
static cn_dtype strong_dtype(int nin, const cn_dtype *in, const cn_weak *weak)
{
    cn_dtype common = CN_DTYPE_NONE;
    for (int i = 0; i < nin; i++) {
        if (weak[i] == CN_STRONG) {
            common = common == CN_DTYPE_NONE ? in[i] : cn_promote(common, in[i]);
        }
    }
    return common;
}

/* What a weak input counts as: a dtype if the arrays are of a lesser kind, else CN_DTYPE_NONE: it takes theirs. */
static cn_dtype weak_dtype(cn_weak weak, cn_dtype common)
{
    bool inexact = common != CN_DTYPE_NONE && common >= CN_FLOAT16;
    switch (weak) {
    case CN_WEAK_INT:
        return common == CN_DTYPE_NONE || common == CN_BOOL ? CN_INT64 : CN_DTYPE_NONE;
    case CN_WEAK_FLOAT:
        return inexact ? CN_DTYPE_NONE : CN_FLOAT64;
    default:
        return inexact ? CN_DTYPE_NONE : CN_COMPLEX128;
    }
}

static bool takes_weak(cn_weak weak, cn_dtype loop)
{
    return weak == CN_WEAK_INT ? loop != CN_BOOL : weak == CN_WEAK_FLOAT ? loop >= CN_FLOAT16 : loop >= CN_COMPLEX64;
}

typedef struct question {
    const cni_op_info *info;
    cn_dtype in[CNI_MAX_NIN]; /* CN_DTYPE_NONE: weak, takes what the loop has */
    cn_weak weak[CNI_MAX_NIN];
    cn_dtype dtype;
} question;

static int first_loop(const question *q, cn_casting casting)
{
    for (int i = 0; i < q->info->nloops; i++) {
        const uint8_t *d = q->info->signatures[i].dtypes;
        bool fits = q->dtype == CN_DTYPE_NONE || d[q->info->nin] == q->dtype;
        for (int k = 0; k < q->info->nin && fits; k++) {
            fits = q->in[k] == CN_DTYPE_NONE ? takes_weak(q->weak[k], (cn_dtype)d[k])
                                             : cn_can_cast(q->in[k], (cn_dtype)d[k], casting);
        }
        if (fits) {
            return i;
        }
    }
    return -1;
}

static cn_status refuse_bools(cni_opcode op, const question *q)
{
    bool bools = q->dtype == CN_DTYPE_NONE || q->dtype == CN_BOOL;
    for (int k = 0; k < q->info->nin; k++) {
        bools &= q->in[k] == CN_BOOL;
    }
    if (bools && op == CNI_OP_SUBTRACT) {
        return cni_fail(CN_ERROR_TYPE, "numpy boolean subtract, the `-` operator, is not supported, use the "
                                       "bitwise_xor, the `^` operator, or the logical_xor function instead.");
    }
    if (bools && op == CNI_OP_NEGATIVE) {
        return cni_fail(CN_ERROR_TYPE, "The numpy boolean negative, the `-` operator, is not supported, use the `~` "
                                       "operator or the logical_not function instead.");
    }
    static const cni_opcode number_only[] = {CNI_OP_GCD, CNI_OP_LCM, CNI_OP_POSITIVE, CNI_OP_SIGN};
    for (size_t i = 0; bools && i < sizeof number_only / sizeof *number_only; i++) {
        if (op == number_only[i]) {
            return cni_fail(CN_ERROR_NO_LOOP, "ufunc '%s' did not contain a loop with signature matching types",
                            q->info->name);
        }
    }
    return CN_OK;
}

cn_status cni_op_choose(cni_opcode op, const cn_dtype *in, const cn_weak *weak, cn_dtype dtype, cn_casting casting,
                        int *loop)
{
    question q = {.info = &cni_ops[op], .dtype = dtype};
    cn_dtype common = strong_dtype(q.info->nin, in, weak);
    bool all_exact = true;
    for (int k = 0; k < q.info->nin; k++) {
        q.in[k] = weak[k] == CN_STRONG ? in[k] : weak_dtype(weak[k], common);
        q.weak[k] = weak[k];
        all_exact &= q.in[k] == CN_DTYPE_NONE ? weak[k] == CN_WEAK_INT : q.in[k] == CN_BOOL || is_integer(q.in[k]);
    }
    CN_TRY(refuse_bools(op, &q));
    if (op == CNI_OP_DIVIDE && all_exact && dtype == CN_DTYPE_NONE) { /* integers divide in float64, however narrow */
        for (int k = 0; k < q.info->nin; k++) {
            q.in[k] = CN_FLOAT64;
        }
    }
    int found = first_loop(&q, casting < CN_CAST_SAFE ? casting : CN_CAST_SAFE);
    if (found < 0 && dtype != CN_DTYPE_NONE) {
        found = first_loop(&q, casting);
    }
    if (found < 0) {
        bool exists = false;
        for (int i = 0; i < q.info->nloops && dtype != CN_DTYPE_NONE; i++) {
            exists |= q.info->signatures[i].dtypes[q.info->nin] == dtype;
        }
        return exists ? cni_fail(CN_ERROR_CASTING, "Cannot cast ufunc '%s' inputs to the loop with dtype('%s')",
                                 q.info->name, cn_dtype_name(dtype))
                      : cni_fail(CN_ERROR_NO_LOOP,
                                 "ufunc '%s' not supported for the input types, and the inputs could not be safely "
                                 "coerced to any supported types according to the casting rule ''safe''",
                                 q.info->name);
    }
    *loop = found;
    return CN_OK;
}

cn_status cn_op_resolve(cn_op op, const cn_dtype *in, const cn_weak *weak, cn_dtype dtype, cn_casting casting,
                        cn_dtype *dtypes)
{
    int loop;
    if (op < 0 || op >= CNI_OP_COUNT) {
        return cni_fail(CN_ERROR_VALUE, "no such op");
    }
    CN_TRY(cni_op_choose((cni_opcode)op, in, weak, dtype, casting, &loop));
    for (int k = 0; k < cni_ops[op].nin + cni_ops[op].nout; k++) {
        dtypes[k] = (cn_dtype)cni_ops[op].signatures[loop].dtypes[k];
    }
    return CN_OK;
}
