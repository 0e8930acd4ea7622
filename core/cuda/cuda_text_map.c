/*
 * cuda_text_map.c - a group that does not reduce, as a function of a block.
 *
 *     blocks of  height rows  x  width threads (256 in all), each with UNROLL runs of VECTOR elements, width runs apart
 *
 * A row is the innermost dimension of the nest; one row means that everything is one run. A thread loads all, computes
 * all, then stores all, so that many loads are on their way at once. What does not fill a thread, or has a floating-point
 * event, goes element by element.
 *
 *     p->n[]: blocks in a row, columns, rows, log2 of the width; cuda_layout.h has the rest
 */
#include <string.h>

#include "cuda/cuda_layout.h"
#include "op/op.h"

enum { THREADS = 256, VECTOR_BYTES = 16, COST_LONG = 5, COST_MOST = 80 };

typedef struct writer {
    cni_cuda_layout *l;
    cni_statements *x;
    cni_text *text;
    int vector, unroll;
    uint32_t number; /* of the part in its kernel */
    bool ordered;    /* an element is loaded where it was stored before: everything in the program's order */
} writer;

static int64_t item_size(const writer *t, uint32_t access)
{
    return (int64_t)cn_dtype_size((cn_dtype)t->l->w->views[t->l->part->access[access].view].dtype);
}

static bool is_run(const writer *t, uint32_t access)
{
    return cni_cuda_layout_inner(t->l, access) == item_size(t, access);
}

static bool is_splat(const writer *t, uint32_t access)
{
    return cni_cuda_layout_inner(t->l, access) == 0;
}

static bool has_events(const writer *t)
{
    return t->l->watch.count > 0;
}

/* ---- Decisions ---- */

/* May runs of that many elements be moved as one? */
static bool aligned(const writer *t, uint32_t access, int vector)
{
    const cni_nest *n = &t->l->nest;
    int64_t bytes = item_size(t, access) * vector;
    bool fine = n->offsets[access] % bytes == 0;
    for (int d = 0; d < n->ndim - 1; d++) {
        fine &= n->strides[(size_t)access * CN_MAX_DIMS + (size_t)d] % bytes == 0;
    }
    return fine;
}

/*
 * The elements of a thread are code one after the other, which is to fit the first instruction cache of a processor's
 * quarter (12 KB or more; divisions and what is slower take about seven instructions of 16 bytes for a unit of cost):
 * programs that compute so much do not wait for memory. Accesses keep 8 bytes.
 */
static void keep_short(writer *t)
{
    const cni_part *part = t->l->part;
    int cost = 0;
    for (uint32_t i = 0; i < part->ninstr; i++) {
        int op = part->instr[i].kind == CNI_INSTR_OP ? cni_ops[cni_op_of_loop(part->instr[i].loop)].cost : 0;
        cost += op >= COST_LONG ? op : 0;
    }
    while (t->unroll > 1 && cost * t->unroll * t->vector > COST_MOST) {
        t->unroll /= 2;
    }
    if (t->vector > 1 && cost * t->vector > COST_MOST) {
        t->vector /= 2;
    }
}

static void choose(writer *t)
{
    const cni_part *part = t->l->part;
    int64_t widest = 1, columns = t->l->nest.ndim > 0 ? t->l->nest.shape[t->l->nest.ndim - 1] : 1;
    int runs = 0;
    bool vectors = true;
    for (uint32_t a = 0; a < part->naccess; a++) {
        if (!is_splat(t, a)) {
            widest = item_size(t, a) > widest ? item_size(t, a) : widest;
            vectors &= is_run(t, a);
            runs++;
        }
    }
    t->vector = (int)(VECTOR_BYTES / widest);
    for (uint32_t a = 0; a < part->naccess; a++) {
        vectors &= is_splat(t, a) || aligned(t, a, t->vector);
    }
    t->ordered = cni_cuda_loads_what_it_stored(part);
    if (!vectors || t->ordered || columns < 2 * t->vector) {
        t->vector = 1;
    }
    int most = runs <= 2 ? 4 : runs <= 6 ? 2 : 1; /* registers */
    t->unroll = t->ordered ? 1 : t->vector == 1 && runs <= 4 ? 2 * most : most;
    while (t->unroll > 1 && columns < 32 * (int64_t)t->unroll * t->vector) {
        t->unroll /= 2;
    }
    keep_short(t);
}

static void set_shape(writer *t, cni_cuda_shape *shape)
{
    const cni_nest *n = &t->l->nest;
    int64_t columns = n->ndim > 0 ? n->shape[n->ndim - 1] : 1, rows = 1, runs = (columns + t->vector - 1) / t->vector;
    for (int d = 0; d < n->ndim - 1; d++) {
        rows *= n->shape[d];
    }
    int64_t bits = rows > 1 ? 5 : 8;
    while (rows > 1 && bits > 0 && runs <= (int64_t)1 << (bits - 1)) {
        bits--;
    }
    int64_t width = (int64_t)1 << bits, height = THREADS / width;
    int64_t across = (runs + width * t->unroll - 1) / (width * t->unroll);
    shape->x = THREADS;
    shape->y = 1;
    shape->blocks = across * ((rows + height - 1) / height);
    t->l->words[0] = across;
    t->l->words[1] = columns;
    t->l->words[2] = rows;
    t->l->words[3] = bits;
}

/* ---- Text ---- */

static void write_vector_types(const writer *t)
{
    bool known[CN_DTYPE_COUNT] = {false};
    for (uint32_t a = 0; a < t->l->part->naccess; a++) {
        uint8_t dtype = t->l->w->views[t->l->part->access[a].view].dtype;
        if (!known[dtype] && is_run(t, a)) {
            known[dtype] = true;
            const char *name = cni_dtypes[dtype].suffix;
            cni_text_add(
                t->text,
                "#undef run_%s\n#define run_%s run_%s_%u\ntypedef struct CNI_ALIGN(%d) run_%s { %s v[VECTOR]; } "
                "run_%s;\n",
                name, name, name, t->number, (int)item_size(t, a) * t->vector, name, cni_dtypes[dtype].type, name);
        }
    }
}

static const char *suffix(const writer *t, uint32_t access)
{
    return cni_dtypes[t->l->w->views[t->l->part->access[access].view].dtype].suffix;
}

static void write_addresses(const writer *t, const char *more)
{
    for (uint32_t a = 0; a < t->l->part->naccess; a++) {
        cni_text_add(t->text, "    char *const a%u = p->a[%u] + o%u + %s;\n    (void)a%u;\n", a, a, t->l->class_of[a],
                     more, a);
    }
}

static void write_offsets(const writer *t)
{
    int last = t->l->nest.ndim - 1;
    cni_text_add(t->text, "    index_t rest = row;\n    (void)rest;\n");
    for (int d = last - 1; d >= 0; d--) {
        if (d == 0) {
            cni_text_add(t->text, "    const index_t i0 = rest;\n");
        } else {
            cni_cuda_index_write(d, t->text);
        }
    }
    for (uint32_t k = 0; k < t->l->nclass; k++) {
        cni_text_add(t->text, "    const int64_t o%u = 0", k);
        for (int d = 0; d < last; d++) {
            cni_text_add(t->text, " + (int64_t)i%d * p->strides[%u][%d]", d, k, d);
        }
        cni_text_add(t->text, ";\n    (void)o%u;\n", k);
    }
    write_addresses(t, "0");
}

/* The element of column c. */
static void write_element(const writer *t, uint32_t access)
{
    const char *type = cni_cuda_type(t->l, access);
    if (is_run(t, access)) {
        cni_text_add(t->text, "((%s *)a%u)[c]", type, access);
    } else if (is_splat(t, access)) {
        cni_text_add(t->text, "*(%s *)a%u", type, access);
    } else {
        cni_text_add(t->text, "*(%s *)(a%u + (int64_t)c * p->strides[%u][%d])", type, access, t->l->class_of[access],
                     t->l->nest.ndim - 1);
    }
}

static void write_store(const writer *t, const cni_instr *x)
{
    cni_text_add(t->text, "            ");
    write_element(t, x->access);
    cni_text_add(t->text, " = r%u;\n", x->src[0]);
}

/* The program on column c, in its order; ask: each op for its events, else stores are left out. */
static void write_program(const writer *t, bool ask)
{
    const cni_part *part = t->l->part;
    for (uint32_t i = 0; i < part->ninstr; i++) {
        const cni_instr *x = &part->instr[i];
        if (x->kind == CNI_INSTR_LOAD) {
            cni_text_add(t->text, "            const %s r%u = ", cni_dtypes[x->dtype].type, x->dst[0]);
            write_element(t, x->access);
            cni_text_add(t->text, ";\n");
        } else if (x->kind == CNI_INSTR_STORE && ask) {
            write_store(t, x);
        } else if (x->kind != CNI_INSTR_SCALAR && x->kind != CNI_INSTR_STORE) {
            cni_text_add(t->text, "            ");
            cni_cuda_statement(t->l, t->x, i, ask, t->text);
        }
    }
}

/* The stores of column c. */
static void write_stores(const writer *t)
{
    for (uint32_t i = 0; i < t->l->part->ninstr; i++) {
        if (t->l->part->instr[i].kind == CNI_INSTR_STORE) {
            write_store(t, &t->l->part->instr[i]);
        }
    }
}

/* Begins the body of a loop over a thread's elements, one after the other. */
static void write_loop(const writer *t)
{
    cni_text_add(t->text, "    CNI_ROLLED\n    for (int k = 0; k < UNROLL * VECTOR; k++) {\n"
                          "        const index_t c = first + (index_t)(k / VECTOR) * step + (index_t)(k %% VECTOR);\n"
                          "        if (c < columns) {\n");
}

/* A thread's only element: without runs, loads are where the compiler has registers for them. */
static void write_only(const writer *t)
{
    cni_text_add(t->text, "        const index_t c = first;\n        CNI_WATCH;\n");
    write_program(t, false);
    cni_text_add(t->text, "        if (!CNI_HIT) {\n");
    write_stores(t);
    cni_text_add(t->text, "            return;\n        }\n");
}

/* Moves of one whole run: instruction i's value is in m<i>[u]. */
static void write_moves(const writer *t, uint8_t kind)
{
    const cni_part *part = t->l->part;
    const char *loop = "        CNI_UNROLL\n        for (int u = 0; u < UNROLL; u++) {\n            const index_t c = "
                       "first + (index_t)u * step;\n            (void)c;\n";
    bool any = false;
    for (uint32_t i = 0; i < part->ninstr; i++) {
        const cni_instr *x = &part->instr[i];
        if (x->kind != kind) {
            continue;
        }
        bool run = is_run(t, x->access);
        if (run || kind == CNI_INSTR_STORE || !is_splat(t, x->access)) {
            cni_text_add(t->text, "%s            ", any ? "" : loop);
            any = true;
        } else {
            continue;
        }
        const char *name = suffix(t, x->access);
        if (kind == CNI_INSTR_LOAD && run) {
            cni_text_add(t->text, "m%u[u] = *(const run_%s *)((%s *)a%u + c);\n", i, name,
                         cni_cuda_type(t->l, x->access), x->access);
        } else if (kind == CNI_INSTR_LOAD) {
            cni_text_add(t->text, "m%u[u] = ", i);
            write_element(t, x->access);
            cni_text_add(t->text, ";\n");
        } else if (run) {
            cni_text_add(t->text, "*(run_%s *)((%s *)a%u + c) = m%u[u];\n", name, cni_cuda_type(t->l, x->access),
                         x->access, i);
        } else {
            write_element(t, x->access);
            cni_text_add(t->text, " = m%u[u];\n", i);
        }
    }
    if (any) {
        cni_text_add(t->text, "        }\n");
    }
}

static void write_runs(const writer *t)
{
    const cni_part *part = t->l->part;
    for (uint32_t i = 0; i < part->ninstr; i++) {
        const cni_instr *x = &part->instr[i];
        if (x->kind != CNI_INSTR_LOAD && x->kind != CNI_INSTR_STORE) {
            continue;
        }
        if (is_run(t, x->access)) {
            cni_text_add(t->text, "        run_%s m%u[UNROLL];\n", suffix(t, x->access), i);
        } else if (x->kind == CNI_INSTR_LOAD && is_splat(t, x->access)) {
            cni_text_add(t->text, "        const %s m%u = *(%s *)a%u;\n", cni_cuda_type(t->l, x->access), i,
                         cni_cuda_type(t->l, x->access), x->access);
        } else {
            cni_text_add(t->text, "        %s m%u[UNROLL];\n", cni_cuda_type(t->l, x->access), i);
        }
    }
    write_moves(t, CNI_INSTR_LOAD);
    cni_text_add(t->text, "%s", has_events(t) ? "        CNI_WATCH;\n" : "");
    cni_text_add(t->text, "        CNI_UNROLL\n        for (int k = 0; k < UNROLL * VECTOR; k++) {\n            const "
                          "int u = k / VECTOR, v = k %% VECTOR;\n            (void)u, (void)v;\n");
    for (uint32_t i = 0; i < part->ninstr; i++) {
        const cni_instr *x = &part->instr[i];
        if (x->kind == CNI_INSTR_LOAD) {
            const char *place = is_run(t, x->access) ? "[u].v[v]" : is_splat(t, x->access) ? "" : "[u]";
            cni_text_add(t->text, "            const %s r%u = m%u%s;\n", cni_dtypes[x->dtype].type, x->dst[0], i,
                         place);
        } else if (x->kind == CNI_INSTR_STORE) {
            cni_text_add(t->text, "            m%u%s = r%u;\n", i, is_run(t, x->access) ? "[u].v[v]" : "[u]",
                         x->src[0]);
        } else if (x->kind != CNI_INSTR_SCALAR) {
            cni_text_add(t->text, "            ");
            cni_cuda_statement(t->l, t->x, i, false, t->text);
        }
    }
    cni_text_add(t->text, "        }\n");
    cni_text_add(t->text, "%s", has_events(t) ? "        if (!CNI_HIT) {\n" : "");
    write_moves(t, CNI_INSTR_STORE);
    cni_text_add(t->text, "        return;\n%s", has_events(t) ? "        }\n" : "");
}

static void write_place(const writer *t)
{
    cni_text_add(t->text, "    const index_t across = (index_t)p->n[0], columns = (index_t)p->n[1];\n");
    if (t->l->nest.ndim > 1) {
        cni_text_add(t->text,
                     "    const index_t bits = (index_t)p->n[3], width = (index_t)1 << bits, step = width * VECTOR;\n"
                     "    const index_t row = (block / across << (8 - bits)) + (threadIdx.x >> bits);\n"
                     "    const index_t first = (block %% across * UNROLL * width + (threadIdx.x & (width - 1))) * "
                     "VECTOR;\n    if (row >= (index_t)p->n[2]) {\n        return;\n    }\n");
    } else {
        cni_text_add(t->text,
                     "    const index_t width = 256, step = width * VECTOR;\n    const index_t row = 0, first = "
                     "(block * UNROLL * width + threadIdx.x) * VECTOR;\n    (void)across;\n");
    }
    cni_text_add(t->text, "    (void)step;\n");
    write_offsets(t);
    cni_cuda_scalars_write(t->l, "p->", t->text);
}

/* Element by element, with no question but whether anything is odd: then, in a trial, that is said, and nothing stored. */
static void write_cold(const writer *t)
{
    cni_text_add(t->text, "    const int64_t trial = p->n[%d];\n", CNI_CUDA_EVENTS);
    write_loop(t);
    cni_text_add(t->text, "            CNI_WATCH;\n            CNI_UNUSED_WATCH;\n");
    write_program(t, false);
    cni_text_add(
        t->text,
        "            if (trial != 0) {\n                cni_tried(trial, CNI_HIT);\n                continue;\n"
        "            }\n");
    write_stores(t);
    cni_text_add(t->text, "        }\n    }\n");
}

static void write_warm(const writer *t)
{
    if (!t->ordered && (t->unroll * t->vector > 1 || has_events(t))) {
        cni_text_add(t->text, "    if (first + (UNROLL - 1) * step + VECTOR <= columns) {\n");
        (t->unroll * t->vector > 1 ? write_runs : write_only)(t);
        cni_text_add(t->text, "    }\n");
    }
    cni_cuda_watch_begin(&t->l->watch, t->text);
    write_loop(t);
    if (has_events(t) && !t->ordered) { /* rare: no registers are to be kept for it */
        cni_text_add(t->text, "    const int64_t nothing = cni_nothing();\n");
        write_addresses(t, "nothing");
    }
    write_program(t, true);
    cni_text_add(t->text, "        }\n    }\n");
    cni_cuda_events_write(t->l, t->text);
}

bool cni_cuda_text_map(cni_cuda_layout *l, cni_statements *x, uint32_t number, cni_text *text, cni_cuda_shape *shape)
{
    writer t = {.l = l, .x = x, .text = text, .number = number};
    if (cni_cuda_text_turn(l, x, number, text, shape)) {
        shape->no_trial = true;
        return true;
    }
    choose(&t);
    set_shape(&t, shape);
    shape->several |= t.unroll * t.vector > 1;
    shape->no_trial |= t.ordered;
    cni_cuda_layout_names(number, text);
    cni_text_add(text, "#undef VECTOR\n#undef UNROLL\n#define VECTOR %d\n#define UNROLL %d\n", t.vector, t.unroll);
    cni_cuda_layout_write(l, text);
    write_vector_types(&t);
    cni_text_add(text, "\nCNI_INLINE void part_%u(const parameters *p, index_t block)\n{\n", number);
    write_place(&t);
    if (!t.ordered) {
        cni_text_add(text, "#ifdef CNI_COLD\n");
        write_cold(&t);
        cni_text_add(text, "#else\n");
    }
    write_warm(&t);
    cni_text_add(text, "%s}\n", t.ordered ? "" : "#endif\n");
    return true;
}

void cni_cuda_text_map_end(uint32_t count, cni_text *text)
{
    cni_text_add(text, "#undef parameters\n#undef index_t\ntypedef struct parameters {\n");
    for (uint32_t k = 0; k < count; k++) {
        cni_text_add(text, "    parameters_%u p%u;\n", k, k);
    }
    cni_text_add(text, "} parameters;\n\nCNI_KERNEL(cni_kernel, parameters)\n{\n    int64_t block = blockIdx.x;\n");
    for (uint32_t k = count;
         k-- > 1;) { /* boundaries come last in programs: here first, so that no end waits for them */
        cni_text_add(text,
                     "    if (block < p.p%u.n[%d]) {\n        part_%u(&p.p%u, (index_t_%u)(block + p.p%u.n[%d]));\n    "
                     "    return;\n"
                     "    }\n    block -= p.p%u.n[%d];\n",
                     k, CNI_CUDA_BLOCKS, k, k, k, k, CNI_CUDA_FIRST, k, CNI_CUDA_BLOCKS);
    }
    cni_text_add(text, "    part_0(&p.p0, (index_t_0)(block + p.p0.n[%d]));\n}\n", CNI_CUDA_FIRST);
}
