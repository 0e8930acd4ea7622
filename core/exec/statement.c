/* statement.c - see statement.h. */
#include "exec/statement.h"

#include <stdio.h>
#include <string.h>

#include "op/op.h"

static const char *type_of(uint8_t dtype)
{
    return cni_dtypes[dtype].type;
}

static bool is_plain(uint8_t dtype)
{
    return dtype != CN_FLOAT16 && dtype < CN_COMPLEX64;
}

/* ---- Functions: one for each loop that the program uses ---- */

/* The family whose column of the row the loop comes from. */
static cni_family loop_family(const cni_op_info *info, const uint8_t *dtypes)
{
    return cni_dtypes[info == &cni_ops[CNI_OP_SELECT] ? dtypes[1] : dtypes[0]].family;
}

static void write_parameter(cni_statements *x, uint8_t dtype, int k)
{
    const cni_dtype_info *t = &cni_dtypes[dtype];
    static const char letters[] = "abc";
    if (dtype == CN_FLOAT16) {
        cni_text_add(x->text, "    const float %c = half_to_float(x%d);\n    (void)%c;\n", letters[k], k, letters[k]);
    } else {
        cni_text_add(x->text, "    const %s %c = x%d;\n    (void)%c;\n", t->work_type, letters[k], k, letters[k]);
    }
}

static void write_return(cni_statements *x, uint8_t result, const char *expression)
{
    if (result == CN_FLOAT16) {
        cni_text_add(x->text, "    return float_to_half(%s);\n", expression);
    } else if (cni_dtypes[result].family == CNI_FAMILY_COMPLEX) {
        cni_text_add(x->text, "    return %s;\n", expression);
    } else {
        cni_text_add(x->text, "    return (%s)(%s);\n", type_of(result), expression);
    }
}

/*
 * Compilers compute what a selection leaves out for the elements that it takes alone; then a division by zero, say, raises
 * nothing. They do not see through a mask that could be any.
 */
static void write_opaque_selection(cni_statements *x, uint8_t dtype)
{
    int parts = dtype >= CN_COMPLEX64 ? 2 : 1, bits = 8 * (int)cn_dtype_size((cn_dtype)dtype) / parts;
    cni_text_add(x->text, "    uint%d_t a[%d], b[%d], m = (uint%d_t)(-(uint64_t)(x0 != 0) ^ opaque);\n", bits, parts,
                 parts, bits);
    cni_text_add(x->text, "    __builtin_memcpy(a, &x1, sizeof a);\n    __builtin_memcpy(b, &x2, sizeof b);\n");
    for (int k = 0; k < parts; k++) {
        cni_text_add(x->text, "    a[%d] = (uint%d_t)((a[%d] & m) | (b[%d] & ~m));\n", k, bits, k, k);
    }
    cni_text_add(x->text, "    __builtin_memcpy(&x1, a, sizeof a);\n    return x1;\n");
}

/* Ops with loops of their own in ops.def (kind X), and the forms of float16 (kind Q). */
static bool write_special(cni_statements *x, int op, const uint8_t *d, char kind)
{
    if (op == CNI_OP_SELECT && x->opaque) {
        write_opaque_selection(x, d[1]);
    } else if (op == CNI_OP_SELECT) {
        cni_text_add(x->text, "    return x0 != 0 ? x1 : x2;\n");
    } else if (op == CNI_OP_LDEXP && d[0] == CN_FLOAT16) {
        cni_text_add(x->text, "    return float_to_half(ldexp_f32(half_to_float(x0), cni_ldexp_power_%s(x1)));\n",
                     cni_dtypes[d[1]].suffix);
    } else if (op == CNI_OP_LDEXP) {
        cni_text_add(x->text, "    return ldexp_%s(x0, cni_ldexp_power_%s(x1));\n", cni_dtypes[d[0]].suffix,
                     cni_dtypes[d[1]].suffix);
    } else if (op == CNI_OP_FREXP && d[0] == CN_FLOAT16) {
        cni_text_add(x->text, "    return float_to_half(frexp_f32(half_to_float(x0), second));\n");
    } else if (op == CNI_OP_FREXP) {
        cni_text_add(x->text, "    return frexp_%s(x0, second);\n", cni_dtypes[d[0]].suffix);
    } else if (kind == 'Q' && d[0] == CN_FLOAT16) {
        cni_text_add(x->text, "    return half_%s(x0%s);\n", cni_ops[op].row, cni_ops[op].nin == 2 ? ", x1" : "");
    } else {
        return false;
    }
    x->headers |= op != CNI_OP_SELECT;
    return true;
}

static bool is_near(int op, const uint8_t *dtypes)
{
    return cni_ops[op].kinds[loop_family(&cni_ops[op], dtypes)] == 'G';
}

static void write_body(cni_statements *x, const cni_op_info *info, const uint8_t *d, const char *expression)
{
    bool mixed = info->nin == 2 && ((d[0] == CN_INT64 && d[1] == CN_UINT64) || (d[0] == CN_UINT64 && d[1] == CN_INT64));
    for (int k = 0; k < info->nin; k++) {
        if (mixed) {
            cni_text_add(x->text, "    const __int128 %c = x%d;\n", "ab"[k], k);
        } else {
            write_parameter(x, d[k], k);
        }
    }
    if (info->nout == 1) {
        write_return(x, d[info->nin], expression);
        return;
    }
    const char *work = cni_dtypes[d[info->nin]].work_type;
    bool half = d[info->nin] == CN_FLOAT16;
    cni_text_add(x->text, "    %s r, r2;\n    (void)(%s);\n    *second = %s(r2);\n", work, expression,
                 half ? "float_to_half" : "");
    cni_text_add(x->text, "    return %s(r);\n", half ? "float_to_half" : "");
}

static void write_function(cni_statements *x, uint16_t loop)
{
    int op = (int)cni_op_of_loop(loop);
    const cni_op_info *info = &cni_ops[op];
    const uint8_t *d = info->signatures[loop - info->first_loop].dtypes;
    cni_family family = loop_family(info, d);
    const char *expression = info->expressions[family];
    cni_text_add(x->text, "/* %s */\n#undef M\n#define M(f) f##_%s\n", info->name, cni_dtypes[d[0]].work_suffix);
    cni_text_add(x->text, "static inline %s loop_%u(", type_of(d[info->nin]), loop);
    for (int k = 0; k < info->nin; k++) {
        cni_text_add(x->text, "%s%s x%d", k > 0 ? ", " : "", type_of(d[k]), k);
    }
    if (info->nout == 2) {
        cni_text_add(x->text, ", %s *second", type_of(d[info->nin + 1]));
    }
    cni_text_add(x->text, "%s)\n{\n", op == CNI_OP_SELECT && x->opaque ? ", uint64_t opaque" : "");
    char near[80];
    if (x->fast && is_near(op, d)) {
        const char *two = info->nout == 2 ? "r = " : "", *arguments = info->nout == 2  ? "a, b, &r2"
                                                                      : info->nin == 2 ? "a, b"
                                                                                       : "a";
        snprintf(near, sizeof near, "%snear_%s_%s(%s)", two, info->row, cni_dtypes[d[0]].work_suffix, arguments);
        x->headers = true;
        write_body(x, info, d, near);
    } else if (!write_special(x, op, d, info->kinds[family])) {
        x->headers |= strstr(expression, "M(") != NULL;
        write_body(x, info, d, expression);
    }
    for (int k = 0; k < info->nin + info->nout; k++) {
        x->headers |= !is_plain(d[k]);
    }
    cni_text_add(x->text, "}\n\n");
}

static bool calls_loop(const cni_statements *x, const cni_instr *instr)
{
    return instr->kind == CNI_INSTR_OP || (x->reductions && instr->kind == CNI_INSTR_REDUCE);
}

void cni_statements_functions(cni_statements *x)
{
    for (uint32_t i = 0; i < x->part->ninstr; i++) {
        const cni_instr *instr = &x->part->instr[i];
        bool known = !calls_loop(x, instr) || (x->written != NULL && x->written[instr->loop] != 0);
        for (uint32_t k = 0; k < i && !known; k++) {
            known = calls_loop(x, &x->part->instr[k]) && x->part->instr[k].loop == instr->loop;
        }
        if (!known) {
            write_function(x, instr->loop);
        }
        if (x->written != NULL && calls_loop(x, instr)) {
            x->written[instr->loop] = 1;
        }
    }
}

/* ---- Statements ---- */

static void write_cast(cni_statements *x, const cni_instr *instr)
{
    cni_text_add(x->text, "const %s r%u = ", type_of(instr->dtype), instr->dst[0]);
    if (is_plain(instr->from) && is_plain(instr->dtype)) {
        if (instr->dtype == CN_BOOL) {
            cni_text_add(x->text, "(uint8_t)(r%u != 0);\n", instr->src[0]);
        } else {
            cni_text_add(x->text, "(%s)r%u;\n", type_of(instr->dtype), instr->src[0]);
        }
        return;
    }
    x->headers = true;
    bool complex_source = instr->from >= CN_COMPLEX64;
    cni_text_add(x->text, "%s_TO_%s(%s(r%u));\n", complex_source ? "COMPLEX" : "REAL", cni_dtypes[instr->dtype].suffix,
                 instr->from == CN_FLOAT16 ? "half_to_float" : "", instr->src[0]);
}

static void write_op(cni_statements *x, const cni_instr *instr)
{
    if (instr->ndst == 2) {
        cni_text_add(x->text, "%s r%u;\n", type_of(x->dtypes[instr->dst[1]]), instr->dst[1]);
    }
    cni_text_add(x->text, "const %s r%u = loop_%u(", type_of(x->dtypes[instr->dst[0]]), instr->dst[0], instr->loop);
    for (int k = 0; k < instr->nsrc; k++) {
        cni_text_add(x->text, "%sr%u", k > 0 ? ", " : "", instr->src[k]);
    }
    if (instr->ndst == 2) {
        cni_text_add(x->text, ", &r%u", instr->dst[1]);
    }
    bool selects = cni_op_of_loop(instr->loop) == CNI_OP_SELECT;
    cni_text_add(x->text, selects && x->opaque ? ", opaque);\n" : ");\n");
}

void cni_statement(cni_statements *x, const cni_instr *instr)
{
    if (instr->kind == CNI_INSTR_OP) {
        write_op(x, instr);
    } else if (instr->kind == CNI_INSTR_CAST) {
        write_cast(x, instr);
    } else if (instr->kind == CNI_INSTR_MOVE) {
        cni_text_add(x->text, "const %s r%u = r%u;\n", type_of(instr->dtype), instr->dst[0], instr->src[0]);
    }
}

static const uint8_t *signature_of(const cni_instr *instr, int *op)
{
    *op = (int)cni_op_of_loop(instr->loop);
    return cni_ops[*op].signatures[instr->loop - cni_ops[*op].first_loop].dtypes;
}

bool cni_statement_near(const cni_instr *instr)
{
    int op = 0;
    const uint8_t *d = instr->kind == CNI_INSTR_OP ? signature_of(instr, &op) : NULL;
    return d != NULL && is_near(op, d);
}

void cni_statement_far(cni_statements *x, const cni_instr *instr)
{
    int op;
    const uint8_t *d = signature_of(instr, &op);
    cni_text_add(x->text, "far_%s_%s(", cni_ops[op].row, cni_dtypes[d[0]].work_suffix);
    for (int k = 0; k < instr->nsrc; k++) {
        cni_text_add(x->text, "%s%s(r%u)", k > 0 ? ", " : "", d[k] == CN_FLOAT16 ? "half_to_float" : "", instr->src[k]);
    }
    cni_text_add(x->text, ")");
}

/* ---- */

static void find_dtypes(cni_statements *x)
{
    for (uint32_t i = 0; i < x->part->ninstr; i++) {
        const cni_instr *instr = &x->part->instr[i];
        for (int k = 0; k < instr->ndst; k++) {
            x->dtypes[instr->dst[k]] = instr->dtype;
            if (instr->kind == CNI_INSTR_OP && k > 0) {
                const cni_op_info *info = &cni_ops[cni_op_of_loop(instr->loop)];
                x->dtypes[instr->dst[k]] = info->signatures[instr->loop - info->first_loop].dtypes[info->nin + k];
            }
        }
    }
}

bool cni_statements_begin(cni_statements *x, const cni_part *part, const cni_window *w, cni_arena *arena)
{
    *x = (cni_statements){.part = part, .w = w, .dtypes = cni_arena_alloc(arena, part->nregister + 1)};
    if (x->dtypes == NULL) {
        return false;
    }
    find_dtypes(x);
    return true;
}
