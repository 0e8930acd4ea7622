/* codegen.c - see codegen.h. */
#include "cpu/codegen.h"

#include <string.h>

#include "op/op.h"

typedef struct writer {
    const cni_part *part;
    const cni_window *w;
    const cni_group_binding *g;
    cni_text *text;
    uint8_t *dtypes; /* by register */
    bool headers;    /* needs the scalar functions */
} writer;

static const char *type_of(uint8_t dtype)
{
    return cni_dtypes[dtype].type;
}

static cn_dtype access_dtype(const writer *x, uint32_t access)
{
    return (cn_dtype)x->w->views[x->part->access[access].view].dtype;
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

static void write_parameter(writer *x, uint8_t dtype, int k)
{
    const cni_dtype_info *t = &cni_dtypes[dtype];
    static const char letters[] = "abc";
    if (dtype == CN_FLOAT16) {
        cni_text_add(x->text, "    const float %c = half_to_float(x%d);\n    (void)%c;\n", letters[k], k, letters[k]);
    } else {
        cni_text_add(x->text, "    const %s %c = x%d;\n    (void)%c;\n", t->work_type, letters[k], k, letters[k]);
    }
}

static void write_return(writer *x, uint8_t result, const char *expression)
{
    if (result == CN_FLOAT16) {
        cni_text_add(x->text, "    return float_to_half(%s);\n", expression);
    } else if (cni_dtypes[result].family == CNI_FAMILY_COMPLEX) {
        cni_text_add(x->text, "    return %s;\n", expression);
    } else {
        cni_text_add(x->text, "    return (%s)(%s);\n", type_of(result), expression);
    }
}

/* Ops with loops of their own in ops.def (kind X), and the neighbours of float16 (kind Q). */
static bool write_special(writer *x, int op, const uint8_t *d, char kind)
{
    if (op == CNI_OP_SELECT) {
        cni_text_add(x->text, "    return x0 != 0 ? x1 : x2;\n");
    } else if (op == CNI_OP_LDEXP && d[0] == CN_FLOAT16) {
        cni_text_add(x->text, "    return float_to_half(ldexp_f32(half_to_float(x0), (int64_t)x1));\n");
    } else if (op == CNI_OP_LDEXP) {
        cni_text_add(x->text, "    return ldexp_%s(x0, (int64_t)x1);\n", cni_dtypes[d[0]].suffix);
    } else if (op == CNI_OP_FREXP && d[0] == CN_FLOAT16) {
        cni_text_add(x->text, "    return float_to_half(frexp_f32(half_to_float(x0), second));\n");
    } else if (op == CNI_OP_FREXP) {
        cni_text_add(x->text, "    return frexp_%s(x0, second);\n", cni_dtypes[d[0]].suffix);
    } else if (kind == 'Q' && d[0] == CN_FLOAT16) {
        cni_text_add(x->text, op == CNI_OP_SPACING ? "    return half_spacing(x0);\n" : "    return half_nextafter(x0, x1);\n");
    } else {
        return false;
    }
    x->headers |= op != CNI_OP_SELECT;
    return true;
}

static void write_body(writer *x, const cni_op_info *info, const uint8_t *d, const char *expression)
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
    cni_text_add(x->text, "    %s r, r2;\n    (void)(%s);\n    *second = %s(r2);\n", work, expression, half ? "float_to_half" : "");
    cni_text_add(x->text, "    return %s(r);\n", half ? "float_to_half" : "");
}

static void write_function(writer *x, uint16_t loop)
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
    cni_text_add(x->text, ")\n{\n");
    if (!write_special(x, op, d, info->kinds[family])) {
        x->headers |= strstr(expression, "M(") != NULL;
        write_body(x, info, d, expression);
    }
    for (int k = 0; k < info->nin + info->nout; k++) {
        x->headers |= !is_plain(d[k]);
    }
    cni_text_add(x->text, "}\n\n");
}

static void write_functions(writer *x)
{
    for (uint32_t i = 0; i < x->part->ninstr; i++) {
        const cni_instr *instr = &x->part->instr[i];
        bool known = instr->kind != CNI_INSTR_OP;
        for (uint32_t k = 0; k < i && !known; k++) {
            known = x->part->instr[k].kind == CNI_INSTR_OP && x->part->instr[k].loop == instr->loop;
        }
        if (!known) {
            write_function(x, instr->loop);
        }
    }
}

/* ---- The loop nest ---- */

static int64_t column_stride(const writer *x, uint32_t access)
{
    return x->g->ndim > 0 ? x->g->access[access].strides[x->g->ndim - 1] : 0;
}

static bool is_run(const writer *x, uint32_t access)
{
    return column_stride(x, access) == (int64_t)1 << x->g->access[access].log2_size;
}

static void write_place(writer *x, uint32_t access)
{
    if (is_run(x, access)) {
        cni_text_add(x->text, "a%u[j]", access);
    } else if (column_stride(x, access) == 0) {
        cni_text_add(x->text, "a%u[0]", access);
    } else {
        cni_text_add(x->text, "*(%s *)((char *)a%u + j * column_strides[%u])", type_of((uint8_t)access_dtype(x, access)), access, access);
    }
}

static void write_cast(writer *x, const cni_instr *instr)
{
    cni_text_add(x->text, "            const %s r%u = ", type_of(instr->dtype), instr->dst[0]);
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
    cni_text_add(x->text, "%s_TO_%s(%sr%u);\n", complex_source ? "COMPLEX" : "REAL", cni_dtypes[instr->dtype].suffix,
                 instr->from == CN_FLOAT16 ? "half_to_float" : "", instr->src[0]);
}

static void write_op(writer *x, const cni_instr *instr)
{
    if (instr->ndst == 2) {
        cni_text_add(x->text, "            %s r%u;\n", type_of(x->dtypes[instr->dst[1]]), instr->dst[1]);
    }
    cni_text_add(x->text, "            const %s r%u = loop_%u(", type_of(x->dtypes[instr->dst[0]]), instr->dst[0], instr->loop);
    for (int k = 0; k < instr->nsrc; k++) {
        cni_text_add(x->text, "%sr%u", k > 0 ? ", " : "", instr->src[k]);
    }
    if (instr->ndst == 2) {
        cni_text_add(x->text, ", &r%u", instr->dst[1]);
    }
    cni_text_add(x->text, ");\n");
}

static void write_instr(writer *x, const cni_instr *instr, uint32_t *nscratch)
{
    switch ((cni_instr_kind)instr->kind) {
    case CNI_INSTR_LOAD:
        cni_text_add(x->text, "            const %s r%u = ", type_of(instr->dtype), instr->dst[0]);
        write_place(x, instr->access);
        cni_text_add(x->text, ";\n");
        break;
    case CNI_INSTR_OP:
        write_op(x, instr);
        break;
    case CNI_INSTR_CAST:
        write_cast(x, instr);
        break;
    case CNI_INSTR_MOVE:
        cni_text_add(x->text, "            const %s r%u = r%u;\n", type_of(instr->dtype), instr->dst[0], instr->src[0]);
        break;
    case CNI_INSTR_STORE:
        cni_text_add(x->text, "            ");
        write_place(x, instr->access);
        cni_text_add(x->text, " = r%u;\n", instr->src[0]);
        break;
    case CNI_INSTR_REDUCE:
        if (x->g->lanes[0].reductions[*nscratch].in_run) {
            cni_text_add(x->text, "            t%u[i * columns + j] = r%u;\n", *nscratch, instr->src[0]);
        }
        (*nscratch)++;
        break;
    default: /* scalars stand before the loops */
        break;
    }
}

static void write_scalars(writer *x)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < x->part->ninstr; i++) {
        const cni_instr *instr = &x->part->instr[i];
        if (instr->kind == CNI_INSTR_SCALAR) {
            cni_text_add(x->text, "    const %s r%u = *(const %s *)scalars[%u];\n", type_of(instr->dtype), instr->dst[0], type_of(instr->dtype), n++);
        }
    }
}

static void write_scratch(writer *x)
{
    for (uint32_t k = 0; k < x->g->nreductions; k++) {
        if (x->g->lanes[0].reductions[k].in_run) {
            const char *type = type_of(x->g->lanes[0].reductions[k].dtype);
            cni_text_add(x->text, "    %s *const t%u = (%s *)scratch[%u];\n", type, k, type, k);
        }
    }
}

static void write_kernel(writer *x)
{
    cni_text_add(x->text, "void cni_kernel(int64_t rows, int64_t columns, char *const *p, const int64_t *row_strides,\n"
                          "                const int64_t *column_strides, const void *const *scalars, void *const *scratch)\n{\n"
                          "    (void)p, (void)row_strides, (void)column_strides, (void)scalars, (void)scratch;\n");
    write_scalars(x);
    write_scratch(x);
    cni_text_add(x->text, "    for (int64_t i = 0; i < rows; i++) {\n");
    for (uint32_t a = 0; a < x->part->naccess; a++) {
        const char *type = type_of((uint8_t)access_dtype(x, a));
        cni_text_add(x->text, "        %s *const a%u = (%s *)(p[%u] + i * row_strides[%u]);\n", type, a, type, a, a);
        cni_text_add(x->text, "        (void)a%u;\n", a);
    }
    cni_text_add(x->text, "        CNI_INDEPENDENT\n        for (int64_t j = 0; j < columns; j++) {\n");
    uint32_t nscratch = 0;
    for (uint32_t i = 0; i < x->part->ninstr; i++) {
        write_instr(x, &x->part->instr[i], &nscratch);
    }
    cni_text_add(x->text, "        }\n    }\n}\n");
}

/* ---- */

static void find_dtypes(writer *x)
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

bool cni_codegen(const cni_part *part, const cni_window *w, const cni_group_binding *g, cni_text *text)
{
    cni_arena work = {0};
    cni_text functions = {0}, body = {0};
    writer x = {.part = part, .w = w, .g = g, .text = &functions};
    bool computes = false;
    for (uint32_t i = 0; i < part->ninstr; i++) {
        computes |= part->instr[i].kind == CNI_INSTR_OP || part->instr[i].kind == CNI_INSTR_CAST;
    }
    x.dtypes = computes ? cni_arena_alloc(&work, part->nregister + 1) : NULL;
    bool made = x.dtypes != NULL;
    if (made) {
        find_dtypes(&x);
        write_functions(&x);
        x.text = &body;
        write_kernel(&x);
        made = body.data != NULL;
    }
    if (made) {
        cni_text_add(text, "%s", x.headers ? "#include \"op/convert.h\"\n" : "#include <stdint.h>\n");
        cni_text_add(text, "#if defined(__clang__)\n#define CNI_INDEPENDENT _Pragma(\"clang loop vectorize(assume_safety)\")\n"
                           "#else\n#define CNI_INDEPENDENT _Pragma(\"GCC ivdep\")\n#endif\n\n");
        cni_text_add(text, "%s%s", functions.length > 0 ? functions.data : "", body.data);
    }
    cni_text_free(&functions);
    cni_text_free(&body);
    cni_arena_destroy(&work);
    return made;
}
