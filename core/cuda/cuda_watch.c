/* cuda_watch.c - see cuda_watch.h. */
#include "cuda/cuda_watch.h"

#include <stdio.h>
#include <string.h>

#include "op/op.h"

enum { IN_WORD = 16 }; /* ops whose kinds a word has while a thread asks */

static cni_family family(uint8_t dtype)
{
    return cni_dtypes[dtype].family;
}

static bool is_inexact(uint8_t dtype)
{
    return family(dtype) >= CNI_FAMILY_REAL;
}

static bool is_complex(uint8_t dtype)
{
    return family(dtype) == CNI_FAMILY_COMPLEX;
}

static int64_t part_size(uint8_t dtype)
{
    return cni_dtype_size(dtype) / (is_complex(dtype) ? 2 : 1);
}

/* The dtype of the parts, or itself. */
static uint8_t real_of(uint8_t dtype)
{
    return dtype == CN_COMPLEX64 ? CN_FLOAT32 : dtype == CN_COMPLEX128 ? CN_FLOAT64 : dtype;
}

static const cni_op_info *info_of(const cni_instr *i)
{
    return &cni_ops[cni_op_of_loop(i->loop)];
}

static const uint8_t *signature_of(const cni_instr *i)
{
    return info_of(i)->signatures[i->loop - info_of(i)->first_loop].dtypes;
}

/* ---- Which instructions have events ---- */

static bool cast_raises(const cni_instr *i)
{
    if (i->dtype == CN_BOOL) {
        return false;
    }
    if (is_inexact(i->dtype)) { /* overflow */
        return is_inexact(i->from) ? part_size(i->dtype) < part_size(i->from)
                                   : i->dtype == CN_FLOAT16 && part_size(i->from) > 1;
    }
    return is_inexact(i->from);
}

/* As core/cpu has it: casts of a masked call tell of their events, the call itself does not. */
static uint8_t kinds_of(const cni_window *w, const cni_instr *i)
{
    const cni_op *op = &w->ops[i->op];
    if (i->kind == CNI_INSTR_CAST) {
        return cast_raises(i) ? op->fp_kinds : 0;
    }
    bool asks = i->kind == CNI_INSTR_OP && (op->flags & CNI_FLAG_WHERE) == 0;
    /* The spacing of an infinity is not a number, and says nothing of it. */
    unsigned silent = info_of(i) == &cni_ops[CNI_OP_SPACING] ? CN_FP_INVALID : 0;
    return asks && cni_loop_raises(i->loop) ? (uint8_t)(op->fp_kinds & ~silent) : 0;
}

bool cni_cuda_watch_make(const cni_statements *x, uint32_t first, cni_arena *arena, cni_cuda_watch *out)
{
    const cni_part *part = x->part;
    cni_cuda_watch watch = {.x = x, .first = first};
    watch.ops = cni_arena_alloc(arena, (part->ninstr + 1) * sizeof *watch.ops);
    watch.word = cni_arena_alloc(arena, (part->ninstr + 1) * sizeof *watch.word);
    watch.kinds = cni_arena_alloc(arena, part->ninstr + 1);
    if (watch.ops == NULL || watch.word == NULL || watch.kinds == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < part->ninstr; i++) {
        watch.kinds[i] = kinds_of(x->w, &part->instr[i]);
        watch.word[i] = CNI_NONE;
        if (watch.kinds[i] != 0) {
            watch.word[i] = first + watch.count;
            watch.ops[watch.count++] = part->instr[i].op;
        }
    }
    bool made = cni_cuda_looks_make(x, watch.kinds, arena, &watch.looks);
    *out = watch;
    return made;
}

/* ---- Text ---- */

/* What the values of an instruction are called. */
typedef struct names {
    char result[2][16], source[CNI_INSTR_SRC][16];
} names;

static names registers_of(const cni_instr *i)
{
    names n;
    for (int k = 0; k < i->ndst; k++) {
        snprintf(n.result[k], sizeof n.result[k], "r%u", i->dst[k]);
    }
    for (int k = 0; k < i->nsrc; k++) {
        snprintf(n.source[k], sizeof n.source[k], "r%u", i->src[k]);
    }
    return n;
}

static const names parameters = {{"q.r", "q.r2"}, {"x0", "x1", "x2"}};

static const char *suffix_of(uint8_t dtype)
{
    return cni_dtypes[dtype].suffix;
}

static const char *widened(uint8_t dtype)
{
    return dtype == CN_FLOAT16 ? "half_to_float" : "";
}

static bool is_floor(const cni_instr *i)
{
    cni_opcode op = cni_op_of_loop(i->loop);
    return op == CNI_OP_FLOOR_DIVIDE || op == CNI_OP_DIVMOD;
}

/* The operands as the row's expressions name them. */
static void write_operands(const cni_instr *i, const names *n, cni_text *text)
{
    const uint8_t *d = signature_of(i);
    for (int k = 0; k < i->nsrc && k < 2 && !is_complex(d[k]); k++) {
        cni_text_add(text, "const %s %c = %s(%s); (void)%c; ", cni_dtypes[d[k]].work_type, "ab"[k], widened(d[k]),
                     n -> source[k], "ab"[k]);
    }
}

/* An expression: of an integer division by zero, or of the smallest number by -1. */
static void write_integer(const cni_instr *i, cni_text *text)
{
    cni_text_add(text, "(%s) ? CNI_DIVIDE : ", info_of(i)->pole);
    if (is_floor(i) && family(i->dtype) == CNI_FAMILY_SIGNED) {
        cni_text_add(text, "b == -1 && a != 0 && a == (%s)(0 - (uint64_t)a) ? CNI_OVERFLOW : 0",
                     cni_dtypes[i->dtype].type);
    } else {
        cni_text_add(text, "0");
    }
}

/* An expression: is the cast's operand outside of what the processor's conversion to the integer takes? */
static void write_outside(const cni_instr *i, const names *n, cni_text *text)
{
    bool is_long = part_size(i->dtype) == 8 || i->dtype == CN_UINT32;
    char value[48];
    snprintf(value, sizeof value, "(double)%s(%s%s)", widened(i->from), n->source[0], is_complex(i->from) ? ".re" : "");
    cni_text_add(text, "!(%s %s && %s < %s)", value, is_long ? ">= -0x1p63" : "> -2147483649.0", value,
                 i->dtype == CN_UINT64 ? "0x1p64"
                 : is_long             ? "0x1p63"
                                       : "0x1p31");
}

/* Is underflow asked for, of what can have it? */
static bool may_vanish(const cni_instr *i, uint8_t kinds)
{
    return (kinds & CN_FP_UNDERFLOW) != 0 && family(i->dtype) == CNI_FAMILY_REAL &&
           (i->kind == CNI_INSTR_OP || is_inexact(i->from));
}

void cni_cuda_watch_value(const cni_cuda_watch *watch, uint32_t i, cni_text *text)
{
    const cni_instr *x = &watch->x->part->instr[i];
    const names n = registers_of(x);
    uint8_t kinds = watch->kinds[i];
    if (kinds != 0 && !is_inexact(x->dtype)) {
        cni_text_add(text, "{ ");
        if (x->kind == CNI_INSTR_CAST) {
            cni_text_add(text, "odd |= ");
            write_outside(x, &n, text);
        } else {
            write_operands(x, &n, text);
            cni_text_add(text, "odd |= ");
            write_integer(x, text);
        }
        cni_text_add(text, "; }\n");
    } else if (kinds != 0 && may_vanish(x, kinds)) {
        cni_text_add(text, "odd |= CNI_TINY_%s(%s);\n", suffix_of(x->dtype), n.result[0]);
    }
    for (int k = 0; k < x->ndst; k++) {
        cni_cuda_look_write(&watch->looks, watch->x, x->dst[k], text);
    }
}

/* An expression: what the sources are, together. */
static void write_odd_sources(const cni_instr *i, const names *n, cni_text *text)
{
    cni_text_add(text, "(0");
    for (int k = 0; k < i->nsrc; k++) {
        uint8_t dtype = i->kind == CNI_INSTR_CAST ? i->from : signature_of(i)[k];
        bool towards = k == 1 && i->kind == CNI_INSTR_OP && cni_op_of_loop(i->loop) == CNI_OP_NEXTAFTER;
        if (is_inexact(dtype)) { /* what lies next to a number, on the way to infinity, may be infinite */
            cni_text_add(text, " | %s(CNI_ODD_%s(%s))", towards ? "CNI_NO_NUMBER & " : "", suffix_of(dtype),
                         n->source[k]);
        }
    }
    cni_text_add(text, ")");
}

/* An expression: did a tiny result of finite operands lose something? */
static void write_lost(const cni_instr *i, const names *n, cni_text *text)
{
    const char *value = widened(i->dtype), *r = n->result[0];
    if (i->kind == CNI_INSTR_CAST) {
        cni_text_add(text, "%s(%s) != %s(%s)", value, r, widened(i->from), n->source[0]);
        return;
    }
    switch (cni_op_of_loop(i->loop)) {
    case CNI_OP_MULTIPLY:
    case CNI_OP_SQUARE:
        cni_text_add(text, "cni_inexact_product(%s(%s), a, %c)", value, r, "ab"[i->nsrc - 1]);
        break;
    case CNI_OP_DIVIDE:
        cni_text_add(text, "cni_inexact_quotient(%s(%s), a, b)", value, r);
        break;
    case CNI_OP_RECIPROCAL:
        cni_text_add(text, "cni_inexact_quotient(%s(%s), 1, a)", value, r);
        break;
    case CNI_OP_LDEXP:
        cni_text_add(text, "ldexp((double)%s(%s), (int)-b) != a", value, r);
        break;
    case CNI_OP_POWER:
    case CNI_OP_FLOAT_POWER:
        cni_text_add(text, "a != 0 && b != 1");
        break;
    case CNI_OP_EXP:
    case CNI_OP_EXP2:
    case CNI_OP_DEG2RAD:
    case CNI_OP_RAD2DEG:
        cni_text_add(text, "a != 0");
        break;
    default: /* exact, or tiny only where the operand is */
        cni_text_add(text, "0");
        break;
    }
}

/* Products and quotients of complex numbers have steps that say more than results; sums have parts that do not meet. */
static bool write_complex(const cni_instr *i, const names *n, cni_text *text)
{
    const char *suffix = suffix_of(signature_of(i)[0]), *real = suffix_of(real_of(signature_of(i)[0]));
    switch (cni_op_of_loop(i->loop)) {
    case CNI_OP_MULTIPLY:
    case CNI_OP_SQUARE:
        cni_text_add(text, "cni_product_%s(%s, %s, %s)", suffix, n->source[0], n->source[i->nsrc - 1], n->result[0]);
        return true;
    case CNI_OP_DIVIDE:
        cni_text_add(text, "cni_quotient_%s(%s, %s)", suffix, n->source[0], n->source[1]);
        return true;
    case CNI_OP_RECIPROCAL:
        cni_text_add(text, "cni_reciprocal_%s(%s)", suffix, n->source[0]);
        return true;
    case CNI_OP_ADD:
    case CNI_OP_SUBTRACT:
        for (int k = 0; k < 2; k++) {
            const char *m = k == 0 ? "re" : "im";
            cni_text_add(text, "%scni_raised(CNI_ODD_%s(%s.%s), CNI_ODD_%s(%s.%s) | CNI_ODD_%s(%s.%s), 0)",
                         k == 0 ? "" : " | ", real, n->result[0], m, real, n->source[0], m, real, n->source[1], m);
        }
        return true;
    default:
        return false;
    }
}

/* An expression: the kinds of an op whose result is no integer. */
static void write_op(const cni_instr *i, const names *n, cni_text *text)
{
    const uint8_t *d = signature_of(i);
    if (is_complex(d[0]) && write_complex(i, n, text)) {
        return;
    }
    const char *pole = is_complex(d[0]) && strcmp(info_of(i)->pole, "1") != 0 ? "0" : info_of(i)->pole;
    for (int k = 0; k < i->ndst; k++) {
        cni_text_add(text, "%scni_raised(CNI_ODD_%s(%s), ", k == 0 ? "" : " | ", suffix_of(d[i->nsrc + k]),
                     n->result[k]);
        write_odd_sources(i, n, text);
        cni_text_add(text, ", %s)", pole);
    }
    if (is_floor(i) && i->dtype != CN_FLOAT16) { /* its steps: infinity is taken from infinity */
        cni_text_add(text, " | (CNI_ODD_%s(%s) == CNI_INFINITE && b != 0 && ", suffix_of(i->dtype), n->result[0]);
        write_odd_sources(i, n, text);
        cni_text_add(text, " == 0 ? CNI_INVALID : 0)");
    }
}

static void write_cast(const cni_instr *i, const names *n, cni_text *text)
{
    if (!is_inexact(i->dtype)) {
        write_outside(i, n, text);
        cni_text_add(text, " ? CNI_INVALID : 0");
        return;
    }
    bool parts = is_complex(i->from) && is_complex(i->dtype);
    for (int k = 0; k < (parts ? 2 : 1); k++) {
        const char *m = k == 0 ? ".re" : ".im";
        cni_text_add(text, "%scni_raised(CNI_ODD_%s(%s%s), ", k == 0 ? "" : " | ", suffix_of(real_of(i->dtype)),
                     n->result[0], is_complex(i->dtype) ? m : "");
        if (is_inexact(i->from)) {
            cni_text_add(text, "CNI_ODD_%s(%s%s), 0)", suffix_of(real_of(i->from)), n->source[0],
                         is_complex(i->from) ? m : "");
        } else {
            cni_text_add(text, "0, 0)");
        }
    }
}

/* An expression: the kinds that the instruction has; a and b are its operands. */
static void write_kinds(const cni_instr *i, const names *n, uint8_t kinds, cni_text *text)
{
    if (i->kind == CNI_INSTR_CAST) {
        write_cast(i, n, text);
    } else if (!is_inexact(i->dtype)) {
        write_integer(i, text);
    } else {
        write_op(i, n, text);
    }
    if (may_vanish(i, kinds) && !(i->kind == CNI_INSTR_CAST && is_complex(i->from))) {
        cni_text_add(text, " | (CNI_TINY_%s(%s) && (", suffix_of(i->dtype), n->result[0]);
        write_lost(i, n, text);
        cni_text_add(text, ") && ");
        write_odd_sources(i, n, text);
        cni_text_add(text, " == 0 ? CNI_UNDERFLOW : 0)");
    }
}

/* A function for the loop that gives results and kinds, called: a program has many calls of few loops. */
static void write_function(const cni_instr *i, uint8_t kinds, cni_text *text)
{
    const uint8_t *d = signature_of(i);
    int lossy = may_vanish(i, kinds);
    cni_text_add(text, "#ifndef ASK_%u_%d\n#define ASK_%u_%d\ntypedef struct { %s r; ", i->loop, lossy, i->loop, lossy,
                 cni_dtypes[d[i->nsrc]].type);
    if (i->ndst == 2) {
        cni_text_add(text, "%s r2; ", cni_dtypes[d[i->nsrc + 1]].type);
    }
    cni_text_add(text, "unsigned kinds; } asked_%u_%d;\nCNI_CALLED asked_%u_%d ask_%u_%d(", i->loop, lossy, i->loop,
                 lossy, i->loop, lossy);
    for (int k = 0; k < i->nsrc; k++) {
        cni_text_add(text, "%s%s x%d", k > 0 ? ", " : "", cni_dtypes[d[k]].type, k);
    }
    cni_text_add(text, ")\n{\n    asked_%u_%d q;\n    q.r = loop_%u(", i->loop, lossy, i->loop);
    for (int k = 0; k < i->nsrc; k++) {
        cni_text_add(text, "%sx%d", k > 0 ? ", " : "", k);
    }
    cni_text_add(text, "%s);\n    ", i->ndst == 2 ? ", &q.r2" : "");
    write_operands(i, &parameters, text);
    cni_text_add(text, "q.kinds = ");
    write_kinds(i, &parameters, kinds, text);
    cni_text_add(text, ";\n    return q;\n}\n#endif\n\n");
}

/* Has an instruction before asked the same function? Other parts of a text may have, too: so there are guards. */
static bool is_known(const cni_cuda_watch *watch, uint32_t i)
{
    const cni_instr *instr = watch->x->part->instr;
    bool known = false;
    for (uint32_t k = 0; k < i && !known; k++) {
        known = watch->kinds[k] != 0 && instr[k].kind == CNI_INSTR_OP && instr[k].loop == instr[i].loop &&
                may_vanish(&instr[k], watch->kinds[k]) == may_vanish(&instr[i], watch->kinds[i]);
    }
    return known;
}

void cni_cuda_watch_functions(const cni_cuda_watch *watch, cni_text *text)
{
    const cni_part *part = watch->x->part;
    for (uint32_t i = 0; i < part->ninstr; i++) {
        if (watch->kinds[i] != 0 && part->instr[i].kind == CNI_INSTR_OP && !is_known(watch, i)) {
            write_function(&part->instr[i], watch->kinds[i], text);
        }
    }
}

static void write_asked(const cni_cuda_watch *watch, const cni_instr *i, uint8_t kinds, cni_text *text)
{
    int lossy = may_vanish(i, kinds);
    uint32_t q = i->dst[0];
    cni_text_add(text, "const asked_%u_%d q%u = ask_%u_%d(", i->loop, lossy, q, i->loop, lossy);
    for (int k = 0; k < i->nsrc; k++) {
        cni_text_add(text, "%sr%u", k > 0 ? ", " : "", i->src[k]);
    }
    cni_text_add(text, "); const %s r%u = q%u.r; ", cni_dtypes[watch->x->dtypes[q]].type, q, q);
    if (i->ndst == 2) {
        cni_text_add(text, "const %s r%u = q%u.r2; ", cni_dtypes[watch->x->dtypes[i->dst[1]]].type, i->dst[1], q);
    }
}

void cni_cuda_watch_ask(const cni_cuda_watch *watch, cni_statements *x, uint32_t i, cni_text *text)
{
    const cni_instr *instr = &x->part->instr[i];
    uint8_t kinds = watch->kinds[i];
    if (kinds == 0) {
        cni_statement(x, instr);
        return;
    }
    uint32_t k = watch->word[i] - watch->first;
    if (instr->kind == CNI_INSTR_OP) {
        write_asked(watch, instr, kinds, text);
        cni_text_add(text, "seen%u |= (uint64_t)(q%u.kinds & %uu)", k / IN_WORD, instr->dst[0], kinds);
    } else {
        const names n = registers_of(instr);
        cni_statement(x, instr);
        cni_text_add(text, "seen%u |= (uint64_t)((", k / IN_WORD);
        write_kinds(instr, &n, kinds, text);
        cni_text_add(text, ") & %uu)", kinds);
    }
    cni_text_add(text, " << %u;\n", k % IN_WORD * 4);
}

void cni_cuda_watch_begin(const cni_cuda_watch *watch, cni_text *text)
{
    for (uint32_t k = 0; k < watch->count; k += IN_WORD) {
        cni_text_add(text, "    uint64_t seen%u = 0;\n", k / IN_WORD);
    }
}

void cni_cuda_watch_end(const cni_cuda_watch *watch, const char *table, cni_text *text)
{
    for (uint32_t k = 0; k < watch->count; k += IN_WORD) {
        cni_text_add(text, "    cni_events(%s, %u, seen%u);\n", table, watch->first + k, k / IN_WORD);
    }
}
