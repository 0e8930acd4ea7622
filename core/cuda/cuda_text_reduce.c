/*
 * cuda_text_reduce.c - the kernel of a group that reduces: the program as a function of one element, and words for
 * reduce_leaf.cuh or reduce_columns.cuh, which bring the elements in the right order.
 *
 *     p.n[]: results, elements of a result, block, shares or runs, leaves of a block or rows of a run, leaves, depth; of large
 *     ones [1] and [6] are the leaves that are done; of a share of rows [5] is how many are before it, of a GPU's also [6]
 *     where it ends; cuda_layout.h has the rest
 */
#include <string.h>

#include "cuda/cuda_driver.h"
#include "cuda/cuda_layout.h"
#include "cuda/cuda_spread.h"
#include "exec/nest.h"
#include "op/op.h"
#include "plan/reduction_axes.h"

enum { THREADS = 256, LEAF = 1024, SMALL_SUM = 8192, BINS_MOST = 10, EXACT_WORDS = 69, ENOUGH = 1024 };
enum { COST_COPIED = 60 }; /* most that is copied, as ops.def has it */
enum { ROWS_LEAST = 4 /* of each GPU */ };
enum { CHUNK_EACH = 16, FETCHED_MOST = 256 /* bytes */ };
enum {
    SHARES_OF_SUMS = 128,
    SHARES = 8
}; /* for each processor: sums go to one place, and others' shares are read again */
enum { WIDE = 32, TALL = 8, TILE = 64, SHARED_MOST = 48 << 10 }; /* as reduce_columns.cuh has them */

typedef struct reduction {
    const cni_instr *instr;
    bool sum, ordered, begins, identity;
    int bin;
    int64_t block;
} reduction;

typedef struct reducer {
    cni_cuda_layout *l;
    cni_statements *x;
    cni_text *text;
    reduction of[CNI_CUDA_REDUCTIONS];
    uint32_t count, nsums, nbins;
    int64_t results, elements, block;
    bool columns, complex, stores; /* columns: a thread a result; stores: of elements */
} reducer;

/* ---- What is reduced ---- */

static void read_reduction(const reducer *t, const cni_instr *x, reduction *r)
{
    const cni_window *w = t->l->w;
    const cni_op *op = &w->ops[x->op];
    int opcode = (int)cni_op_of_loop(x->loop);
    cn_scalar unused;
    bool inexact = x->dtype >= CN_FLOAT16;
    *r = (reduction){.instr = x, .identity = cni_op_identity(opcode, &unused), .block = t->elements};
    r->sum = inexact && cni_ops[opcode].reduce_kind == CNI_REDUCE_SUM;
    r->ordered = inexact && cni_ops[opcode].reduce_kind == CNI_REDUCE_ORDERED;
    r->begins = r->identity || (op->flags & CNI_FLAG_INITIAL) != 0;
    if (r->sum) {
        r->block = cni_reduction_block(w, op, t->l->part->access[x->access].view);
    }
}

static int64_t extent(const cni_nest *n, int first, int end)
{
    int64_t count = 1;
    for (int d = first; d < end; d++) {
        count *= n->shape[d];
    }
    return count;
}

/* Can the reductions go together, and in one of the two ways? */
static bool choose(reducer *t)
{
    const cni_nest *n = &t->l->nest;
    const cni_part *part = t->l->part;
    int last = n->last_kept ? n->ndim - 1 : n->ndim;
    bool ordered = false, serial_half = false, sums = false;
    t->results = extent(n, 0, n->nkept) * extent(n, last, n->ndim);
    t->elements = t->block = extent(n, n->nkept, last);
    for (uint32_t i = 0; i < part->ninstr; i++) {
        t->stores |= part->instr[i].kind == CNI_INSTR_STORE;
        if (part->instr[i].kind != CNI_INSTR_REDUCE) {
            continue;
        }
        reduction *r = &t->of[t->count++];
        read_reduction(t, &part->instr[i], r);
        bool parts = r->instr->dtype >= CN_COMPLEX64;
        if (r->sum && sums && (t->complex != parts || r->block != t->block) && !n->last_kept) {
            return false; /* leaves that differ */
        }
        if (r->sum) {
            sums = true;
            t->complex = parts;
            t->block = r->block;
            r->bin = (int)t->nbins;
            t->nbins += parts ? 2 : 1;
            t->nsums++;
        }
        ordered |= r->ordered;
        serial_half |= r->ordered && r->instr->dtype == CN_FLOAT16; /* rounded where the processor's loops end */
    }
    t->columns = n->last_kept || ordered;
    return !ordered || n->last_kept || (!sums && !serial_half && t->results >= ENOUGH);
}

static bool is_large(const reducer *t)
{
    return t->nsums > 0 ? t->elements > SMALL_SUM
                        : t->elements > SMALL_SUM || (t->elements > LEAF && t->results < ENOUGH);
}

/* ---- Text ---- */

static const char *type_of(uint8_t dtype)
{
    return cni_dtypes[dtype].type;
}

static void write_result_at(const reducer *t)
{
    const cni_nest *n = &t->l->nest;
    cni_text_add(t->text, "CNI_INLINE offsets result_at(const parameters *p, index_t r)\n{\n    offsets base;\n    "
                          "index_t rest = r;\n    (void)rest, (void)p;\n");
    bool any = false;
    for (int d = n->ndim - 1; d >= 0; d--) {
        if (d < n->nkept || (n->last_kept && d == n->ndim - 1)) {
            cni_cuda_index_write(d, t->text);
            any = true;
        }
    }
    for (uint32_t k = 0; k < t->l->nclass; k++) {
        cni_text_add(t->text, "    base.o[%u] = 0", k);
        for (int d = 0; d < n->ndim && any; d++) {
            if (d < n->nkept || (n->last_kept && d == n->ndim - 1)) {
                cni_text_add(t->text, " + (int64_t)i%d * p->strides[%u][%d]", d, k, d);
            }
        }
        cni_text_add(t->text, ";\n");
    }
    cni_text_add(t->text, "    return base;\n}\n\n");
}

/* Programs that compute much are called: the leaves' code has dozens of copies, and would take seconds to compile. */
static bool is_called(const cni_part *part)
{
    int cost = 0;
    for (uint32_t i = 0; i < part->ninstr; i++) {
        cost += part->instr[i].kind == CNI_INSTR_OP ? cni_ops[cni_op_of_loop(part->instr[i].loop)].cost : 0;
    }
    return cost > COST_COPIED;
}

/* Offsets of element e: o<class>. */
static void write_offsets(const reducer *t)
{
    const cni_nest *n = &t->l->nest;
    int first = n->nkept, end = n->last_kept ? n->ndim - 1 : n->ndim;
    cni_text_add(t->text, "    index_t rest = e;\n    (void)rest, (void)p, (void)base;\n");
    for (int d = end - 1; d > first; d--) {
        cni_cuda_index_write(d, t->text);
    }
    for (uint32_t c = 0; c < t->l->nclass; c++) {
        cni_text_add(t->text, "    const int64_t o%u = base->o[%u]", c, c);
        for (int d = first; d < end; d++) {
            if (n->strides[(size_t)t->l->member[c] * CN_MAX_DIMS + (size_t)d] == 0) {
                continue;
            }
            if (d == first) {
                cni_text_add(t->text, " + (int64_t)rest * p->strides[%u][%d]", c, d);
            } else {
                cni_text_add(t->text, " + (int64_t)i%d * p->strides[%u][%d]", d, c, d);
            }
        }
        cni_text_add(t->text, ";\n    (void)o%u;\n", c);
    }
}

static void write_load(const reducer *t, const cni_instr *x)
{
    cni_text_add(t->text, "*(const %s *)(p->a[%u] + o%u);\n", cni_cuda_type(t->l, x->access), x->access,
                 t->l->class_of[x->access]);
}

/* What is loaded for an element, and how: all in one function, so that loads of many elements can be on their way together. */
static void write_fetch(const reducer *t, bool ahead)
{
    const cni_part *part = t->l->part;
    cni_text_add(t->text, "typedef struct loads {\n");
    for (uint32_t i = 0; i < part->ninstr && ahead; i++) {
        if (part->instr[i].kind == CNI_INSTR_LOAD) {
            cni_text_add(t->text, "    %s r%u;\n", type_of(part->instr[i].dtype), part->instr[i].dst[0]);
        }
    }
    cni_text_add(t->text, "    int none;\n} loads;\n\nCNI_INLINE loads fetch(const parameters *p, const offsets *base, "
                          "index_t e)\n{\n    loads l;\n");
    write_offsets(t);
    for (uint32_t i = 0; i < part->ninstr && ahead; i++) {
        if (part->instr[i].kind == CNI_INSTR_LOAD) {
            cni_text_add(t->text, "    l.r%u = ", part->instr[i].dst[0]);
            write_load(t, &part->instr[i]);
        }
    }
    cni_text_add(t->text, "    l.none = 0;\n    return l;\n}\n\n");
}

/* The program's loads and what it computes; ahead: from *l; ask: what events each op has, behind it. Not what it stores. */
static void write_program(const reducer *t, bool ahead, bool ask)
{
    const cni_part *part = t->l->part;
    for (uint32_t i = 0; i < part->ninstr; i++) {
        const cni_instr *x = &part->instr[i];
        if (x->kind == CNI_INSTR_LOAD) {
            cni_text_add(t->text, "    const %s r%u = ", type_of(x->dtype), x->dst[0]);
            if (ahead) {
                cni_text_add(t->text, "l->r%u;\n", x->dst[0]);
            } else {
                write_load(t, x);
            }
        } else if (x->kind != CNI_INSTR_STORE && x->kind != CNI_INSTR_REDUCE && x->kind != CNI_INSTR_SCALAR) {
            cni_text_add(t->text, "    ");
            cni_cuda_statement(t->l, t->x, i, ask, t->text);
        }
    }
}

static void write_store(const reducer *t, const cni_instr *x)
{
    cni_text_add(t->text, "    *(%s *)(p->a[%u] + o%u) = r%u;\n", cni_cuda_type(t->l, x->access), x->access,
                 t->l->class_of[x->access], x->src[0]);
}

/* What happened in an element, of which nothing is stored yet. */
static void write_events(const reducer *t)
{
    cni_text_add(t->text, "CNI_CALLED void events_of(const parameters *p, const offsets *base, index_t e)\n{\n");
    write_offsets(t);
    cni_cuda_scalars_write(t->l, "p->", t->text);
    cni_cuda_watch_begin(&t->l->watch, t->text);
    write_program(t, false, true);
    cni_cuda_events_write(t->l, t->text);
    cni_text_add(t->text, "}\n\n");
}

/* In the program's order: what is loaded where it was stored before is asked at once. */
static void write_ordered(const reducer *t)
{
    const cni_part *part = t->l->part;
    cni_cuda_watch_begin(&t->l->watch, t->text);
    for (uint32_t i = 0; i < part->ninstr; i++) {
        const cni_instr *x = &part->instr[i];
        if (x->kind == CNI_INSTR_LOAD) {
            cni_text_add(t->text, "    const %s r%u = ", type_of(x->dtype), x->dst[0]);
            write_load(t, x);
        } else if (x->kind == CNI_INSTR_STORE) {
            write_store(t, x);
        } else if (x->kind != CNI_INSTR_REDUCE && x->kind != CNI_INSTR_SCALAR) {
            cni_text_add(t->text, "    ");
            cni_cuda_statement(t->l, t->x, i, true, t->text);
        }
    }
    cni_cuda_events_write(t->l, t->text);
}

/* All at once, then what it stores. */
static void write_together(const reducer *t)
{
    const cni_part *part = t->l->part;
    bool events = t->l->watch.count > 0;
    cni_text_add(t->text, "%s", events ? "    CNI_WATCH;\n" : "");
    write_program(t, true, false);
    cni_text_add(t->text, "%s", events ? "    if (CNI_HIT) {\n        events_of(p, base, e);\n    }\n" : "");
    for (uint32_t i = 0; i < part->ninstr; i++) {
        if (part->instr[i].kind == CNI_INSTR_STORE) {
            write_store(t, &part->instr[i]);
        }
    }
}

static void write_value(const reducer *t, bool ahead)
{
    const cni_part *part = t->l->part;
    uint32_t k = 0;
    if (ahead && t->l->watch.count > 0) {
        write_events(t);
    }
    cni_text_add(t->text,
                 "%s values value_of(const parameters *p, const offsets *base, index_t e, const loads *l)\n{\n    "
                 "values v;\n    (void)l;\n",
                 is_called(part) ? "CNI_CALLED" : "CNI_INLINE");
    write_offsets(t);
    cni_cuda_scalars_write(t->l, "p->", t->text);
    (ahead ? write_together : write_ordered)(t);
    for (uint32_t i = 0; i < part->ninstr; i++) {
        if (part->instr[i].kind == CNI_INSTR_REDUCE) {
            cni_text_add(t->text, "    v.v%u = r%u;\n", k++, part->instr[i].src[0]);
        }
    }
    cni_text_add(t->text, "    return v;\n}\n\n");
}

/* Elements that a thread of a leaf has on their way together: one where it stores beside sums, and has few registers, so
   that there are many threads. */
static int fetched_together(const reducer *t)
{
    int64_t size = 0;
    int together = t->stores && !t->columns && t->nsums > 0 ? 1 : CHUNK_EACH;
    for (uint32_t i = 0; i < t->l->part->ninstr; i++) {
        const cni_instr *x = &t->l->part->instr[i];
        size += x->kind == CNI_INSTR_LOAD ? (int64_t)cn_dtype_size((cn_dtype)x->dtype) : 0;
    }
    while (together > 1 && size * together > FETCHED_MOST) {
        together /= 2;
    }
    return together;
}

/* The program on an element. What is loaded where it was stored before is loaded in the program's order. */
static void write_element(const reducer *t)
{
    bool ahead = !cni_cuda_loads_what_it_stored(t->l->part);
    write_fetch(t, ahead);
    write_value(t, ahead);
    cni_text_add(
        t->text,
        "CNI_INLINE values element(const parameters *p, const offsets *base, index_t e)\n{\n    const loads l = "
        "fetch(p, base, e);\n    return value_of(p, base, e, &l);\n}\n\n#define FETCHED %d\n",
        fetched_together(t));
}

/* What a sum is computed in. */
static const char *work_of(uint8_t dtype)
{
    return dtype == CN_FLOAT16 ? "float" : type_of(dtype);
}

static void write_sum(const reducer *t, uint32_t k)
{
    uint8_t dtype = t->of[k].instr->dtype;
    const char *work = work_of(dtype);
    bool half = dtype == CN_FLOAT16, single = dtype == CN_COMPLEX64;
    cni_text_add(t->text, "#define WIDEN_%u(x) %s(x)\n#define NARROW_%u(x) %s(x)\n", k, half ? "half_to_float" : "", k,
                 half ? "float_to_half" : "");
    cni_text_add(t->text, "CNI_INLINE %s plus_%u(%s a, %s b)\n{\n", work, k, work, work);
    if (dtype < CN_COMPLEX64) {
        cni_text_add(t->text, "    return a + b;\n}\n#define NOTHING_%u (-(%s)0)\n#define ZERO_%u ((%s)0)\n", k, work,
                     k, work);
        cni_text_add(t->text, "#define ADD_EXACT_%u(bin, x) exact_add(bin, (double)(x));\n", k);
        cni_text_add(t->text, "#define FROM_EXACT_%u(bin) %s(exact_round(bin, low, high))\n", k,
                     half                  ? "double_to_half"
                     : dtype == CN_FLOAT32 ? "(float)"
                                           : "");
        return;
    }
    const char *suffix = cni_dtypes[dtype].suffix, *real = single ? "float" : "double";
    cni_text_add(t->text, "    return cni_make_%s(a.re + b.re, a.im + b.im);\n}\n", suffix);
    cni_text_add(t->text, "#define NOTHING_%u cni_make_%s(-(%s)0, -(%s)0)\n#define ZERO_%u cni_make_%s(0, 0)\n", k,
                 suffix, real, real, k, suffix);
    cni_text_add(t->text,
                 "#define ADD_EXACT_%u(bin, x) { const %s sum_ = (x); exact_add(bin, (double)sum_.re); exact_add((bin) "
                 "+ EXACT_WORDS, (double)sum_.im); }\n",
                 k, work);
    cni_text_add(t->text,
                 "#define FROM_EXACT_%u(bin) cni_make_%s((%s)exact_round(bin, low, high), (%s)exact_round((bin) + "
                 "EXACT_WORDS, low, high))\n",
                 k, suffix, real, real);
}

static void write_lists(const reducer *t)
{
    for (int pass = 0; pass < 2; pass++) {
        cni_text_add(t->text, "#define %s(X)", pass == 0 ? "SUMS" : "OTHERS");
        for (uint32_t k = 0; k < t->count; k++) {
            const reduction *r = &t->of[k];
            if (r->sum == (pass == 0)) {
                cni_text_add(t->text, " X(%u, %s, %s, %d, %d, %d)", k, type_of(r->instr->dtype),
                             work_of(r->instr->dtype), r->bin, (int)r->begins, (int)r->identity);
            }
        }
        cni_text_add(t->text, "\n");
    }
}

static void write_words(const reducer *t, bool large)
{
    cni_text_add(t->text, "typedef struct offsets { int64_t o[%u]; } offsets;\ntypedef struct values {\n",
                 t->l->nclass > 0 ? t->l->nclass : 1);
    for (uint32_t k = 0; k < t->count; k++) {
        cni_text_add(t->text, "    %s v%u;\n", type_of(t->of[k].instr->dtype), k);
    }
    cni_text_add(t->text, "} values;\n\n");
    write_result_at(t);
    write_element(t);
    write_lists(t);
    cni_text_add(t->text, "#define NBINS %u\n#define NOTHERS %u\n", t->nbins, t->count - t->nsums);
    for (uint32_t k = 0; k < t->count; k++) {
        const reduction *r = &t->of[k];
        cni_text_add(t->text,
                     "#define SCALAR_%u %u\n#define ACCESS_%u %u\n#define CLASS_%u %u\n#define NUMBER_%u %u\n#define "
                     "FOLDS_%u %d\n#define fold_%u loop_%u\n",
                     k, t->l->nscalar + 2 * k, k, r->instr->access, k, t->l->class_of[r->instr->access], k, k, k,
                     (int)(r->sum && large), k, (unsigned)r->instr->loop);
        if (r->sum) {
            write_sum(t, k);
        }
    }
    cni_text_add(t->text, "#define BLOCK (blockIdx.x + (unsigned)p.n[%d])\n#include \"cuda/reduce.cuh\"\n",
                 CNI_CUDA_FIRST);
}

/* ---- The two ways ---- */

/* Halvings after which no chunk of n elements is larger than it may be. */
static int depth_of(int64_t n, int64_t chunk)
{
    int depth = 0;
    while (n > chunk && (n >> depth) + 16 > chunk) {
        depth++;
    }
    return depth;
}

/* Where what is left of a reduction lies: behind all else in the scratch memory. */
static void say_left(const reducer *t, int64_t leaves, cni_cuda_shape *shape)
{
    uint32_t others = 0;
    shape->left.results = t->results;
    shape->left.elements = t->elements;
    shape->left.leaves = leaves;
    shape->left.count = t->count;
    for (uint32_t k = 0; k < t->count; k++) {
        const reduction *r = &t->of[k];
        shape->left.sum[k] = r->sum;
        shape->left.parts[k] = r->instr->dtype >= CN_COMPLEX64;
        shape->left.word[k] = r->sum ? (uint32_t)r->bin * EXACT_WORDS : t->nbins * EXACT_WORDS + 4 * others++;
    }
    shape->left.words = t->nbins * EXACT_WORDS + 4 * others;
    shape->scratch += t->results * shape->left.words * 8;
}

static bool say_leaves(reducer *t, cni_cuda_shape *shape)
{
    int64_t *words = t->l->words;
    bool large = is_large(t);
    int lanes = large && t->nsums == 0 ? 32 : t->complex ? 4 : 8; /* without a sum no tree: rows of memory */
    int64_t chunk = 16 * lanes;
    int depth = depth_of(large ? LEAF : t->block, chunk);
    int group = !large && t->elements <= 4 * chunk ? lanes : 32;
    if (t->nbins > BINS_MOST || t->block < 1 || t->elements % t->block != 0 || (shape->range && !large)) {
        return false;
    }
    cni_text_add(t->text,
                 "#define CNI_COOPERATIVE\n#define LANES %d\n#define LARGE %d\n#define GROUP %d\n#define DEPTH "
                 "%d\n#define RANGE %d\n%s",
                 lanes, (int)large, group, depth, (int)shape->range, t->stores ? "" : CNI_CUDA_TWO_BLOCKS);
    write_words(t, large);
    cni_text_add(t->text, "#include \"cuda/reduce_leaf.cuh\"\n%s", large ? "/* CNI_FINISH */\n" : "");
    words[2] = t->block;
    words[6] = depth;
    shape->x = THREADS;
    shape->y = 1;
    if (!large) {
        shape->blocks = (t->results + THREADS / group - 1) / (THREADS / group);
        return true;
    }
    int64_t in_block = (t->block + LEAF - 1) / LEAF, leaves = in_block * (t->elements / t->block);
    int64_t wanted = (int64_t)cni_cuda_gpu.processors * (t->nsums == t->count ? SHARES_OF_SUMS : SHARES),
            shares = (wanted + t->results - 1) / t->results, most = (leaves + 7) / 8;
    shares = shares > most ? most : shares;
    words[3] = shares;
    words[4] = in_block;
    words[5] = words[6] = leaves;
    words[1] = 0;
    shape->blocks = t->results * shares;
    shape->finish_x = 128;
    shape->finish_y = 1;
    shape->finish_blocks = (t->results + 3) / 4;
    shape->zeroed = t->results * t->nbins * EXACT_WORDS * 8;
    shape->scratch = shape->zeroed + t->results * shares * (int64_t)(t->count - t->nsums + 1) * 32;
    if (shape->range) {
        say_left(t, leaves, shape);
    }
    return true;
}

/* Bytes of what an element gives to the reductions. */
static int64_t values_size(const reducer *t)
{
    int64_t size = 0, widest = 1;
    for (uint32_t k = 0; k < t->count; k++) {
        int64_t item = (int64_t)cn_dtype_size((cn_dtype)t->of[k].instr->dtype);
        widest = item > widest ? item : widest;
        size += item;
    }
    return (size + (int64_t)t->count * (widest - 1) + widest - 1) / widest * widest;
}

/* Bytes that are read of rows that lie on several GPUs, if they may; else 0. */
static int64_t cut_rows(const reducer *t)
{
    const cni_nest *n = &t->l->nest;
    int64_t most = 0, each = 0;
    for (uint32_t a = 0; a < t->l->part->naccess && n->nkept == 0; a++) {
        int64_t stride = n->strides[(size_t)a * CN_MAX_DIMS], span = (stride < 0 ? -stride : stride) * n->shape[0];
        if (t->l->part->access[a].slot != CNI_NONE && stride != 0) {
            most = span > most ? span : most;
            each += (int64_t)cn_dtype_size((cn_dtype)t->l->w->views[t->l->part->access[a].view].dtype);
        }
    }
    return most > 0 && cni_cuda_spread_wanted(most) ? each * t->elements * t->results : 0;
}

/* How many runs a result is made of by threads of their own. */
static int64_t runs_of(const reducer *t, cni_cuda_link link, bool large, bool cut)
{
    bool ordered = false;
    for (uint32_t k = 0; k < t->count; k++) {
        ordered |= t->of[k].ordered;
    }
    bool apart = !ordered && (large || (t->nsums == 0 && t->elements > 2 * LEAF)) &&
                 (cut || t->results < (int64_t)cni_cuda_gpu.processors * 2048);
    return link == CNI_CUDA_APART || (link == CNI_CUDA_WHOLE && apart) ? (t->elements + LEAF - 1) / LEAF : 1;
}

/* What a share of rows leaves: by reduction, values of so many runs. */
static void say_rows(const reducer *t, int64_t runs, cni_cuda_shape *shape)
{
    shape->rows = (cni_cuda_rows){.results = t->results, .runs = runs, .count = t->count};
    for (uint32_t k = 0; k < t->count; k++) {
        shape->rows.bytes[k] = t->results * (int64_t)cn_dtype_size((cn_dtype)t->of[k].instr->dtype);
        shape->rows.apart[k] = t->of[k].sum && shape->link == CNI_CUDA_APART;
    }
}

static bool say_columns(reducer *t, cni_cuda_shape *shape)
{
    cni_cuda_link link = shape->link;
    int64_t *words = t->l->words, x = THREADS, y = 1;
    bool large = link == CNI_CUDA_WHOLE ? t->nsums > 0 && t->elements > SMALL_SUM : link == CNI_CUDA_APART;
    int64_t cut = link == CNI_CUDA_WHOLE ? cut_rows(t) : 0, runs = runs_of(t, link, large, cut > 0);
    if (cut > 0 && runs == 1 && !large && t->elements >= ROWS_LEAST * cni_cuda_gpu.gpus) {
        link = CNI_CUDA_THROUGH;
        shape->through = cut;
        words[6] = t->elements;
    }
    while (x > WIDE && (x / 2 >= t->results || (runs == 1 && t->results / x < 2 * cni_cuda_gpu.processors))) {
        x /= 2; /* few results: every processor gets some */
    }
    bool fits = values_size(t) * TILE * WIDE <= SHARED_MOST;
    bool few = shape->through > 0 ? t->elements >= 2 * TILE * cni_cuda_gpu.gpus
                                  : t->elements >= 2 * TILE && t->results < (int64_t)cni_cuda_gpu.processors * 512;
    bool staged = runs == 1 && !large && fits && few;
    bool finishes = runs > 1 && (link == CNI_CUDA_WHOLE || t->nsums < t->count);
    if (finishes && !fits) {
        return false;
    }
    y = runs > 1 ? THREADS / x : staged ? TALL : 1;
    x = staged ? WIDE : x;
    cni_text_add(t->text, "#define LINK %d\n#define STAGED %d\n#define SPLIT %d\n%s", (int)link, (int)staged,
                 (int)finishes, staged || finishes ? "#define CNI_COOPERATIVE\n" : "");
    write_words(t, large);
    cni_text_add(t->text, "#include \"cuda/reduce_columns.cuh\"\n%s", finishes ? "/* CNI_FINISH */\n" : "");
    words[2] = runs;
    words[3] = runs > 1 ? LEAF : t->elements;
    words[5] = 0;
    words[4] = (t->results + x - 1) / x;
    shape->x = (unsigned)x;
    shape->y = (unsigned)y;
    shape->blocks = words[4] * ((runs + y - 1) / y);
    if (finishes) {
        shape->finish_x = WIDE;
        shape->finish_y = TALL;
        shape->finish_blocks = (t->results + WIDE - 1) / WIDE;
    }
    if (runs > 1 || shape->link != CNI_CUDA_WHOLE) {
        shape->scratch = 16 * (int64_t)t->count * runs * t->results;
    }
    say_rows(t, runs, shape);
    return true;
}

bool cni_cuda_text_reduce(cni_cuda_layout *l, cni_statements *x, cni_text *text, cni_cuda_shape *shape)
{
    reducer t = {.l = l, .x = x, .text = text};
    if (!choose(&t)) {
        return false;
    }
    l->words[0] = t.results;
    l->words[1] = t.elements;
    for (uint32_t k = 0; k < t.count; k++) {
        x->headers |= t.of[k].instr->dtype == CN_FLOAT16 || t.of[k].instr->dtype >= CN_COMPLEX64;
    }
    cni_cuda_layout_write(l, text);
    if (shape->link != CNI_CUDA_WHOLE) {
        return l->nest.last_kept && say_columns(&t, shape);
    }
    return !t.columns ? say_leaves(&t, shape) : !shape->range && say_columns(&t, shape);
}
