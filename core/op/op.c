/* op.c - the rows of ops.def as tables. */
#include "op/op.h"

#include <math.h>
#include <string.h>

#include "base/status.h"

/* ---- Signatures: one list a row, in the order of dtypes.def ---- */

#define SIG_S11(D) {{D, D}},
#define SIG_S21(D) {{D, D, D}},
#define SIG_S31(D) {{D, D, D, D}},
#define SIG_S22(D) {{D, D, D, D}},
#define SIG_S12(D) {{D, D, D}},
#define SIG_G11(D) SIG_S11(D)
#define SIG_G21(D) SIG_S21(D)
#define SIG_G22(D) SIG_S22(D)
#define SIG_H11(D) SIG_S11(D)
#define SIG_H21(D) SIG_S21(D)
#define SIG_T11(D) {{D, CN_BOOL}},
#define SIG_T21(D) {{D, D, CN_BOOL}},
#define SIG_K11(D) {{D, CN_UINT8}},
#define SIG_Q11(D) {{D, D}},
#define SIG_Q21(D) {{D, D, D}},
#define SIG_R11(D) {{D, D == CN_COMPLEX64 ? CN_FLOAT32 : CN_FLOAT64}},
#define SIG_X31(D) {{CN_BOOL, D, D, D}},
#define SIG_X12(D) {{D, D, CN_INT32}},
#define SIG_X21(D) {{D, CN_INT32, D}}, {{D, CN_INT64, D}},
#define SIG_N11(D)
#define SIG_N21(D)
#define SIG_N31(D)
#define SIG_N22(D)
#define SIG_N12(D)

/* W: only the widest of a family. */
#define SIG_W21(D) SIG_W_##D
#define SIG_W_CN_FLOAT16
#define SIG_W_CN_FLOAT32
#define SIG_W_CN_FLOAT64 {{CN_FLOAT64, CN_FLOAT64, CN_FLOAT64}},
#define SIG_W_CN_COMPLEX64
#define SIG_W_CN_COMPLEX128 {{CN_COMPLEX128, CN_COMPLEX128, CN_COMPLEX128}},

/* C: comparisons, which meet int64 and uint64 without a common dtype. */
#define SIG_C21(D) SIG_T21(D) SIG_C_##D
#define SIG_C_CN_UINT8
#define SIG_C_CN_UINT16
#define SIG_C_CN_UINT32
#define SIG_C_CN_UINT64 {{CN_INT64, CN_UINT64, CN_BOOL}}, {{CN_UINT64, CN_INT64, CN_BOOL}},

#define ROW(kind, nin, nout, D) SIG_##kind##nin##nout(D)
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef,  \
              kc, ec, raises, carries, spreads, pole, doc)                                                             \
    static const cni_signature rows_##id[] = {                                                                         \
        ROW(kb, nin, nout, CN_BOOL) ROW(ki, nin, nout, CN_INT8) ROW(ku, nin, nout, CN_UINT8)                           \
            ROW(ki, nin, nout, CN_INT16) ROW(ku, nin, nout, CN_UINT16) ROW(ki, nin, nout, CN_INT32)                    \
                ROW(ku, nin, nout, CN_UINT32) ROW(ki, nin, nout, CN_INT64) ROW(ku, nin, nout, CN_UINT64)               \
                    ROW(kf, nin, nout, CN_FLOAT16) ROW(kf, nin, nout, CN_FLOAT32) ROW(kf, nin, nout, CN_FLOAT64)       \
                        ROW(kc, nin, nout, CN_COMPLEX64) ROW(kc, nin, nout, CN_COMPLEX128)};
#include "op/ops.def"
#undef CN_OP

/* The same rows as text, for generated code. */
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef,  \
              kc, ec, raises, carries, spreads, pole, doc)                                                             \
    static const char *const expressions_##id[] = {#eb, #ei, #eu, #ef, #ec};
#include "op/ops.def"
#undef CN_OP

/* Loops are numbered over all rows: a row begins where the one before ends. */
enum {
#define CN_OP(id, ...) FIRST_##id, LAST_##id = FIRST_##id + (int)(sizeof rows_##id / sizeof *rows_##id) - 1,
#include "op/ops.def"
#undef CN_OP
    LOOP_COUNT
};
_Static_assert(LOOP_COUNT <= UINT16_MAX, "loops are numbered in 16 bits");

const cni_op_info cni_ops[CNI_OP_COUNT] = {
#define CN_OP(id, op_name, op_nin, op_nout, op_identity, reduce, op_cost, op_ulp, op_commutative, scalars, kb, eb, ki, \
              ei, ku, eu, kf, ef, kc, ec, op_raises, op_carries, op_spreads, op_pole, op_doc)                          \
    [CNI_OP_##id] = {.row = #id,                                                                                       \
                     .name = op_name,                                                                                  \
                     .nin = op_nin,                                                                                    \
                     .nout = op_nout,                                                                                  \
                     .identity = CNI_IDENTITY_##op_identity,                                                           \
                     .reduce_kind = CNI_REDUCE_##reduce,                                                               \
                     .cost = op_cost,                                                                                  \
                     .ulp = op_ulp,                                                                                    \
                     .commutative = op_commutative,                                                                    \
                     .nloops = LAST_##id + 1 - FIRST_##id,                                                             \
                     .first_loop = FIRST_##id,                                                                         \
                     .signatures = rows_##id,                                                                          \
                     .raises = #op_raises,                                                                             \
                     .carries = op_carries,                                                                            \
                     .spreads = op_spreads,                                                                            \
                     .pole = #op_pole,                                                                                 \
                     .doc = op_doc,                                                                                    \
                     .kinds = #kb #ki #ku #kf #kc,                                                                     \
                     .expressions = expressions_##id},
#include "op/ops.def"
#undef CN_OP
};

#define FAMILY_B CNI_FAMILY_BOOL
#define FAMILY_I CNI_FAMILY_SIGNED
#define FAMILY_U CNI_FAMILY_UNSIGNED
#define FAMILY_F CNI_FAMILY_REAL
#define FAMILY_C CNI_FAMILY_COMPLEX
const cni_dtype_info cni_dtypes[CN_DTYPE_COUNT] = {
#define CN_DTYPE(id, dtype_suffix, T, W, wsuffix, dtype_family, character, name)                                       \
    [CN_##id] = {.suffix = #dtype_suffix,                                                                              \
                 .type = #T,                                                                                           \
                 .work_suffix = #wsuffix,                                                                              \
                 .work_type = #W,                                                                                      \
                 .family = FAMILY_##dtype_family},
#include "op/dtypes.def"
#undef CN_DTYPE
};

cni_opcode cni_op_of_loop(int loop)
{
    int op = CNI_OP_COUNT - 1;
    while (op > 0 && cni_ops[op].first_loop > loop) {
        op--;
    }
    return (cni_opcode)op;
}

bool cni_loop_raises(int loop)
{
    static const char letters[] = {[CNI_FAMILY_BOOL] = 'I',
                                   [CNI_FAMILY_SIGNED] = 'I',
                                   [CNI_FAMILY_UNSIGNED] = 'I',
                                   [CNI_FAMILY_REAL] = 'F',
                                   [CNI_FAMILY_COMPLEX] = 'C'};
    const cni_op_info *info = &cni_ops[cni_op_of_loop(loop)];
    uint8_t dtype = info->signatures[loop - info->first_loop].dtypes[0];
    return strchr(info->raises, letters[cni_dtypes[dtype].family]) != NULL;
}

/* ---- The public view of the rows ---- */

static bool valid(cn_op op)
{
    return op >= 0 && op < CNI_OP_COUNT;
}

cn_op cn_op_find(const char *name)
{
    for (int i = 0; i < CNI_OP_COUNT; i++) {
        if (strcmp(cni_ops[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

int cn_op_count(void)
{
    return CNI_OP_COUNT;
}

const char *cn_op_name(cn_op op)
{
    return valid(op) ? cni_ops[op].name : NULL;
}

int cn_op_nin(cn_op op)
{
    return valid(op) ? cni_ops[op].nin : 0;
}

int cn_op_nout(cn_op op)
{
    return valid(op) ? cni_ops[op].nout : 0;
}

const char *cn_op_doc(cn_op op)
{
    return valid(op) ? cni_ops[op].doc : NULL;
}

int cn_op_ntypes(cn_op op)
{
    return valid(op) ? cni_ops[op].nloops : 0;
}

const char *cn_op_type(cn_op op, int i)
{
    static _Thread_local char text[CNI_MAX_ARGS + 3];
    if (!valid(op) || i < 0 || i >= cni_ops[op].nloops) {
        return NULL;
    }
    const cni_op_info *info = &cni_ops[op];
    size_t used = 0;
    for (int k = 0; k < info->nin + info->nout; k++) {
        if (k == info->nin) {
            text[used++] = '-';
            text[used++] = '>';
        }
        text[used++] = cn_dtype_char((cn_dtype)info->signatures[i].dtypes[k]);
    }
    text[used] = '\0';
    return text;
}

bool cni_op_identity(int op, cn_scalar *out)
{
    if (cni_ops[op].identity == CNI_IDENTITY_NONE) {
        return false;
    }
    cn_scalar value = {.dtype = CN_INT64};
    switch ((cni_identity)cni_ops[op].identity) {
    case CNI_IDENTITY_ONE:
        value.value.i64 = 1;
        break;
    case CNI_IDENTITY_MINUS_ONE:
        value.value.i64 = -1;
        break;
    case CNI_IDENTITY_MINUS_INFINITY:
        value = (cn_scalar){.dtype = CN_FLOAT64, .value = {.f64 = -(double)INFINITY}};
        break;
    case CNI_IDENTITY_TRUE:
        value = (cn_scalar){.dtype = CN_BOOL, .value = {.b = 1}};
        break;
    case CNI_IDENTITY_FALSE:
        value = (cn_scalar){.dtype = CN_BOOL, .value = {.b = 0}};
        break;
    default:
        break;
    }
    *out = value;
    return true;
}

cn_status cn_op_identity(cn_op op, cn_scalar *out)
{
    if (!valid(op) || !cni_op_identity((int)op, out)) {
        return cni_fail(CN_ERROR_UNSUPPORTED, "ufunc '%s' has no identity", valid(op) ? cni_ops[op].name : "?");
    }
    return CN_OK;
}

bool cn_op_reducible(cn_op op)
{
    return valid(op) && cni_ops[op].reduce_kind > CNI_REDUCE_FOLD;
}
