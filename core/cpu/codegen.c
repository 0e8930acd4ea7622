/* codegen.c - see codegen.h. */
#include "cpu/codegen.h"

#include "exec/statement.h"
#include "op/op.h"

typedef struct writer {
    const cni_part *part;
    const cni_window *w;
    const cni_group_binding *g;
    cni_text *text;
    cni_statements statements;
    bool accumulates, leaves;
} writer;

static const char *type_of(uint8_t dtype)
{
    return cni_dtypes[dtype].type;
}

static cn_dtype access_dtype(const writer *x, uint32_t access)
{
    return (cn_dtype)x->w->views[x->part->access[access].view].dtype;
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
        cni_text_add(x->text, "*(%s *)((char *)a%u + j * column_strides[%u])",
                     type_of((uint8_t)access_dtype(x, access)), access, access);
    }
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
    case CNI_INSTR_CAST:
    case CNI_INSTR_MOVE:
        if (cni_statement_near(instr)) {
            cni_text_add(x->text, "            far |= ");
            cni_statement_far(&x->statements, instr);
            cni_text_add(x->text, ";\n");
        }
        cni_text_add(x->text, "            ");
        cni_statement(&x->statements, instr);
        break;
    case CNI_INSTR_STORE:
        cni_text_add(x->text, "            ");
        write_place(x, instr->access);
        cni_text_add(x->text, " = r%u;\n", instr->src[0]);
        break;
    case CNI_INSTR_REDUCE:
        if (x->accumulates) {
            cni_text_add(x->text, "            t%u[j] = loop_%u(t%u[j], r%u);\n", *nscratch, instr->loop, *nscratch,
                         instr->src[0]);
        } else if (x->leaves) {
            cni_text_add(x->text, "            t%u[j - from] = r%u;\n", *nscratch, instr->src[0]);
        } else if (x->g->lanes[0].reductions[*nscratch].in_run) {
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
            cni_text_add(x->text, "    const %s r%u = *(const %s *)scalars[%u];\n", type_of(instr->dtype),
                         instr->dst[0], type_of(instr->dtype), n++);
        }
    }
}

static void write_scratch(writer *x)
{
    for (uint32_t k = 0; k < x->g->nreductions; k++) {
        const char *type = type_of(x->g->lanes[0].reductions[k].dtype);
        if (x->leaves) {
            cni_text_add(x->text, "    %s *const s%u = (%s *)scratch[%u], t%u[128] __attribute__((aligned(64)));\n",
                         type, k, type, k, k);
        } else if (x->accumulates || x->g->lanes[0].reductions[k].in_run) {
            cni_text_add(x->text, "    %s *const t%u = (%s *)scratch[%u];\n", type, k, type, k);
        }
    }
}

static bool raises(const cni_part *part)
{
    bool any = false;
    for (uint32_t i = 0; i < part->ninstr; i++) {
        const cni_instr *x = &part->instr[i];
        any |= x->kind == CNI_INSTR_CAST || (x->kind == CNI_INSTR_OP && cni_loop_raises(x->loop));
    }
    return any;
}

static bool reads_run(const writer *x, uint32_t access)
{
    return !x->part->access[access].written && is_run(x, access);
}

/* Intel's ask for lines ahead by themselves, but not over the end of a page; AMD's lose by being told. */
static bool prefetch_ends_with_page(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_is("intel");
#else
    return false;
#endif
}

/* Values are added up only when the stretch is done, and nothing else keeps memory busy meanwhile. */
static bool asks_ahead(const writer *x)
{
    bool any = false;
    for (uint32_t a = 0; a < x->part->naccess; a++) {
        any |= reads_run(x, a);
    }
    return any && prefetch_ends_with_page() && x->g->nreductions > 0 && !x->accumulates;
}

/* Where a stretch of 128 elements begins a page, asks for the first kilobyte of the page behind it. */
static void write_ahead(writer *x)
{
    for (uint32_t a = 0; a < x->part->naccess; a++) {
        if (reads_run(x, a)) {
            cni_text_add(x->text,
                         "            if (((uintptr_t)(a%u + from) & 4095) < 128 * sizeof *a%u) {\n"
                         "                for (int line = 0; line < 16; line++) {\n"
                         "                    __builtin_prefetch((const char *)(a%u + from) + 4096 + 64 * line);\n"
                         "                }\n            }\n",
                         a, a, a);
        }
    }
}

static void write_elements(writer *x, const char *from, const char *end)
{
    cni_text_add(x->text, "        CNI_INDEPENDENT\n        for (int64_t j = %s; j < %s; j++) {\n", from, end);
    uint32_t nscratch = 0;
    for (uint32_t i = 0; i < x->part->ninstr; i++) {
        write_instr(x, &x->part->instr[i], &nscratch);
    }
    cni_text_add(x->text, "        }\n");
}

/* NumPy's sum of 128 elements (loops_reduce.h), of each dtype that is added up. */
static void write_sums(writer *x)
{
    cni_text_add(x->text, "#if defined(__AVX512F__)\n#define VECTOR_BYTES 64\n#elif defined(__AVX__)\n"
                          "#define VECTOR_BYTES 32\n#else\n#define VECTOR_BYTES 16\n#endif\n\n");
    bool written[CN_DTYPE_COUNT] = {false};
    for (uint32_t k = 0; k < x->g->nreductions; k++) {
        uint8_t dtype = x->g->lanes[0].reductions[k].dtype;
        const char *type = type_of(dtype), *suffix = cni_dtypes[dtype].suffix;
        if (!written[dtype]) {
            cni_text_add(
                x->text,
                "#define IN_VECTOR (VECTOR_BYTES < 8 * sizeof(%s) ? VECTOR_BYTES / sizeof(%s) : 8)\n"
                "#define LANE(k) v[(k) / IN_VECTOR][(k) %% IN_VECTOR]\n"
                "typedef %s vector_%s __attribute__((vector_size(IN_VECTOR * sizeof(%s)), may_alias));\n"
                "static inline %s sum_%s(const %s *x)\n{\n"
                "    vector_%s v[8 / IN_VECTOR];\n"
                "    for (uint64_t k = 0; k < 8; k += IN_VECTOR) {\n"
                "        v[k / IN_VECTOR] = *(const vector_%s *)(x + k);\n    }\n"
                "    for (uint64_t i = 8; i < 128; i += IN_VECTOR) {\n"
                "        v[i %% 8 / IN_VECTOR] += *(const vector_%s *)(x + i);\n    }\n"
                "    return ((LANE(0) + LANE(1)) + (LANE(2) + LANE(3))) +\n"
                "           ((LANE(4) + LANE(5)) + (LANE(6) + LANE(7)));\n}\n#undef IN_VECTOR\n#undef LANE\n\n",
                type, type, type, suffix, type, type, suffix, type, suffix, suffix, suffix);
            written[dtype] = true;
        }
    }
}

/* A row of whole leaves: their eighths are added up while they are in the cache. */
static void write_leaves(writer *x)
{
    cni_text_add(x->text, "        for (int64_t leaf = 0; leaf < columns; leaf += %d) {\n", CNI_LEAF);
    for (uint32_t k = 0; k < x->g->nreductions; k++) {
        cni_text_add(x->text, "        %s q%u[8];\n", type_of(x->g->lanes[0].reductions[k].dtype), k);
    }
    cni_text_add(x->text, "        for (int64_t eighth = 0; eighth < 8; eighth++) {\n"
                          "            const int64_t from = leaf + 128 * eighth, end = from + 128;\n");
    if (asks_ahead(x)) {
        write_ahead(x);
    }
    write_elements(x, "from", "end");
    for (uint32_t k = 0; k < x->g->nreductions; k++) {
        const char *suffix = cni_dtypes[x->g->lanes[0].reductions[k].dtype].suffix;
        cni_text_add(x->text, "            q%u[eighth] = sum_%s(t%u);\n", k, suffix, k);
    }
    cni_text_add(x->text, "        }\n");
    for (uint32_t k = 0; k < x->g->nreductions; k++) {
        cni_text_add(x->text,
                     "        s%u[leaf / %d] = ((q%u[0] + q%u[1]) + (q%u[2] + q%u[3])) +\n"
                     "            ((q%u[4] + q%u[5]) + (q%u[6] + q%u[7]));\n",
                     k, CNI_LEAF, k, k, k, k, k, k, k, k);
    }
    cni_text_add(x->text, "        }\n");
}

/* A row; one that is added up later goes in stretches. */
static void write_row(writer *x)
{
    if (!asks_ahead(x)) {
        write_elements(x, "0", "columns");
        return;
    }
    cni_text_add(x->text, "        for (int64_t from = 0; from < columns; from += 128) {\n"
                          "            const int64_t end = columns - from < 128 ? columns : from + 128;\n");
    write_ahead(x);
    write_elements(x, "from", "end");
    cni_text_add(x->text, "        }\n");
}

static void write_kernel(writer *x)
{
    if (x->leaves) {
        write_sums(x);
    }
    cni_text_add(
        x->text,
        "uint64_t cni_kernel(int64_t rows, int64_t columns, char *const *p, const int64_t *row_strides,\n"
        "                    const int64_t *column_strides, const void *const *scalars, void *const *scratch)\n{\n"
        "    uint64_t far = 0;\n"
        "    (void)p, (void)row_strides, (void)column_strides, (void)scalars, (void)scratch;\n");
    if (x->statements.opaque) {
        cni_text_add(
            x->text,
            "    static volatile const uint64_t zero;\n    const uint64_t opaque = zero;\n    (void)opaque;\n");
    }
    write_scalars(x);
    write_scratch(x);
    cni_text_add(x->text, "    for (int64_t i = 0; i < rows; i++) {\n");
    for (uint32_t a = 0; a < x->part->naccess; a++) {
        const char *type = type_of((uint8_t)access_dtype(x, a));
        cni_text_add(x->text, "        %s *const a%u = (%s *)(p[%u] + i * row_strides[%u]);\n", type, a, type, a, a);
        cni_text_add(x->text, "        (void)a%u;\n", a);
    }
    if (x->leaves) {
        write_leaves(x);
    } else {
        write_row(x);
    }
    cni_text_add(x->text, "    }\n    return far;\n}\n");
}

bool cni_codegen_far(const cni_part *part)
{
    bool any = false;
    for (uint32_t i = 0; i < part->ninstr; i++) {
        any |= cni_statement_near(&part->instr[i]);
    }
    return any;
}

bool cni_codegen_updates(const cni_part *part, uint32_t access)
{
    bool read = false;
    for (uint32_t o = 0; o < part->naccess; o++) {
        read |= !part->access[o].written && part->access[o].slot == part->access[access].slot;
    }
    return part->access[access].written && read;
}

static bool updates_any(const cni_part *part)
{
    bool any = false;
    for (uint32_t a = 0; a < part->naccess; a++) {
        any |= cni_codegen_updates(part, a);
    }
    return any;
}

bool cni_codegen_leaves(const cni_part *part, const cni_group_binding *g)
{
    return g->leaves && !updates_any(part);
}

bool cni_codegen_accumulates(const cni_part *part, const cni_group_binding *g)
{
    bool all = g->nreductions > 0 && g->last_kept && !updates_any(part);
    for (uint32_t k = 0; k < g->nreductions; k++) {
        all &= g->lanes[0].reductions[k].has_identity;
    }
    return all;
}

/* Compilers make no vectors of halves, tier 0 does (loops_half.h); and a loop alone, on memory as it lies, is tier 0's. */
static bool is_worth_it(const writer *x)
{
    const cni_part *part = x->part;
    bool halves = false, runs = true;
    int computes = 0;
    for (uint32_t i = 0; i < part->ninstr; i++) {
        const cni_instr *instr = &part->instr[i];
        const cni_op_info *info = &cni_ops[instr->kind == CNI_INSTR_OP ? cni_op_of_loop(instr->loop) : 0];
        computes += instr->kind == CNI_INSTR_OP || instr->kind == CNI_INSTR_CAST;
        halves |=
            instr->kind == CNI_INSTR_OP && info->signatures[instr->loop - info->first_loop].dtypes[0] == CN_FLOAT16;
    }
    for (uint32_t a = 0; a < part->naccess; a++) {
        runs &= is_run(x, a) || column_stride(x, a) == 0;
    }
    return !halves && (computes > 1 || (computes == 1 && (!runs || part->reduces)));
}

bool cni_codegen(const cni_part *part, const cni_window *w, const cni_group_binding *g, cni_text *text)
{
    cni_arena work = {0};
    cni_text functions = {0}, body = {0};
    writer x = {.part = part, .w = w, .g = g};
    x.accumulates = cni_codegen_accumulates(part, g);
    x.leaves = cni_codegen_leaves(part, g);
    bool made = is_worth_it(&x) && cni_statements_begin(&x.statements, part, w, &work);
    if (made) {
        x.statements.text = &functions;
        x.statements.fast = true;
        x.statements.opaque = raises(part);
        x.statements.reductions = x.accumulates;
        cni_statements_functions(&x.statements);
        x.statements.text = x.text = &body;
        write_kernel(&x);
        made = body.data != NULL;
    }
    if (made) {
        cni_text_add(text, "%s", x.statements.headers ? "#include \"op/convert.h\"\n" : "#include <stdint.h>\n");
        cni_text_add(
            text, "#if defined(__clang__)\n#define CNI_INDEPENDENT _Pragma(\"clang loop vectorize(assume_safety)\")\n"
                  "#else\n#define CNI_INDEPENDENT _Pragma(\"GCC ivdep\")\n#endif\n\n");
        cni_text_join(text, &functions);
        cni_text_join(text, &body);
        made = text->data != NULL;
    }
    cni_text_free(&functions);
    cni_text_free(&body);
    cni_arena_destroy(&work);
    return made;
}
