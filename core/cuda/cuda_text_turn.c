/*
 * cuda_text_turn.c - a group that does not reduce and loads something that runs along another dimension than the rest (a
 * transpose): its elements come through shared memory, so that memory is read along its rows and written along its rows.
 *
 *     a block    SIDE x SIDE elements of the innermost dimension and the turned one, HIGH rows of SIDE threads
 *     p->n[]     tiles along the innermost dimension, along the turned one, (free), (free), blocks
 *
 * Where a matrix lies on several GPUs and is only turned, each stores what it has, wherever that belongs: links are faster
 * that way (365 GB/s both ways at once, 337 by loads).
 */
#include <string.h>

#include "cuda/cuda_layout.h"
#include "cuda/cuda_spread.h"

enum { SIDE = 32, HIGH = 8, EACH = SIDE / HIGH, LEAST = 16, SHARED_MOST = 48 << 10 };

typedef struct turner {
    cni_cuda_layout *l;
    cni_statements *x;
    cni_text *text;
    uint32_t number;  /* of the part in its kernel */
    int turned, last; /* dimensions */
    int64_t shared;   /* bytes of the tiles */
} turner;

static int64_t stride(const turner *t, uint32_t access, int dim)
{
    return t->l->nest.strides[(size_t)access * CN_MAX_DIMS + (size_t)dim];
}

static int64_t item_size(const turner *t, uint32_t access)
{
    return (int64_t)cn_dtype_size((cn_dtype)t->l->w->views[t->l->part->access[access].view].dtype);
}

/* Does the access run along that dimension, and jump along the innermost one? */
static bool turns(const turner *t, uint32_t access, int dim)
{
    int64_t size = item_size(t, access), jump = stride(t, access, t->last);
    return !t->l->part->access[access].written && stride(t, access, dim) == size && (jump > size || jump < -size);
}

/* The dimension along which most loads run; false if there is none, or if their tiles have no room beside what is taken. */
static bool choose(turner *t, int64_t taken)
{
    const cni_nest *n = &t->l->nest;
    int most = 0;
    t->last = n->ndim - 1;
    for (int d = 0; d < t->last; d++) {
        int count = 0;
        int64_t bytes = 0;
        for (uint32_t a = 0; a < t->l->part->naccess; a++) {
            count += turns(t, a, d);
            bytes += turns(t, a, d) ? SIDE * (SIDE + 1) * item_size(t, a) : 0;
        }
        if (count > most && n->shape[d] >= LEAST && taken + bytes <= SHARED_MOST) {
            most = count;
            t->turned = d;
            t->shared = bytes;
        }
    }
    return most > 0 && n->shape[t->last] >= LEAST;
}

/* The one operand that is loaded, if it is a matrix that lies on several GPUs. */
static uint32_t pushed(const turner *t)
{
    const cni_nest *n = &t->l->nest;
    uint32_t found = CNI_NONE;
    int loads = 0;
    for (uint32_t a = 0; a < t->l->part->naccess && n->ndim == 2; a++) {
        const cni_access *access = &t->l->part->access[a];
        loads += !access->written && access->slot != CNI_NONE;
        if (turns(t, a, t->turned) && stride(t, a, t->last) > 0) {
            found = a;
        }
    }
    bool far = found != CNI_NONE && cni_cuda_spread_wanted(stride(t, found, t->last) * n->shape[t->last]);
    return far && loads == 1 ? found : CNI_NONE;
}

static void set_shape(turner *t, cni_cuda_shape *shape)
{
    const cni_nest *n = &t->l->nest;
    int64_t across = (n->shape[t->last] + SIDE - 1) / SIDE, down = (n->shape[t->turned] + SIDE - 1) / SIDE;
    shape->x = SIDE * HIGH;
    shape->y = 1;
    shape->blocks = across * down;
    for (int d = 0; d < t->last; d++) {
        shape->blocks *= d == t->turned ? 1 : n->shape[d];
    }
    t->l->words[0] = across;
    t->l->words[1] = down;
    t->l->words[4] = shape->blocks;
    t->l->pushed = pushed(t);
}

/* ---- Text ---- */

/* Where the block's tile is, and where each access begins but for the two dimensions. */
static void write_place(const turner *t)
{
    bool pushes = t->l->pushed != CNI_NONE; /* then the nest is a matrix */
    cni_text_add(t->text,
                 "    const index_t across = (index_t)p->n[0], down = (index_t)p->n[1];\n"
                 "    const index_t columns = (index_t)p->shape[%d], rows = (index_t)p->shape[%d];\n"
                 "    const index_t column0 = %s * %d, x = threadIdx.x %% %d, y = threadIdx.x / %d;\n"
                 "    index_t rest = %s;\n    (void)across;\n",
                 t->last, t->turned, pushes ? "block / down" : "block % across", (int)SIDE, (int)SIDE, (int)SIDE,
                 pushes ? "block" : "block / across");
    for (int d = t->last - 1; d >= 0; d--) { /* blocks go through the nest in its order */
        if (d == t->turned) {
            cni_text_add(t->text, "    const index_t row0 = rest %% down * %d;\n    rest /= down;\n", (int)SIDE);
        } else {
            cni_cuda_index_write(d, t->text);
        }
    }
    for (uint32_t k = 0; k < t->l->nclass; k++) {
        cni_text_add(t->text, "    const int64_t o%u = 0", k);
        for (int d = 0; d < t->last; d++) {
            if (d != t->turned) {
                cni_text_add(t->text, " + (int64_t)i%d * p->strides[%u][%d]", d, k, d);
            }
        }
        cni_text_add(t->text, ";\n    (void)o%u;\n", k);
    }
}

/* The element at row, column of the two dimensions. */
static void write_element(const turner *t, uint32_t access, const char *row, const char *column)
{
    uint32_t k = t->l->class_of[access];
    cni_text_add(t->text,
                 "*(%s *)(p->a[%u] + o%u + (int64_t)(%s) * p->strides[%u][%d] + (int64_t)(%s) * "
                 "p->strides[%u][%d])",
                 cni_cuda_type(t->l, access), access, k, row, k, t->turned, column, k, t->last);
}

/* Turned loads: along their rows into shared memory, a tile each. */
static void write_turned(const turner *t)
{
    const cni_part *part = t->l->part;
    for (uint32_t i = 0; i < part->ninstr; i++) {
        const cni_instr *x = &part->instr[i];
        if (x->kind == CNI_INSTR_LOAD && turns(t, x->access, t->turned)) {
            cni_text_add(t->text,
                         "    CNI_SHARED %s tile%u[%d][%d];\n    {\n        %s ahead[%d];\n        CNI_UNROLL\n"
                         "        for (int k = 0; k < %d; k++) {\n            const index_t row = row0 + x, column = "
                         "column0 + y + %d * (index_t)k;\n            if (row < rows && column < columns) {\n"
                         "                ahead[k] = ",
                         cni_cuda_type(t->l, x->access), i, (int)SIDE, SIDE + 1, cni_cuda_type(t->l, x->access),
                         (int)EACH, (int)EACH, (int)HIGH);
            write_element(t, x->access, "row", "column");
            cni_text_add(t->text,
                         ";\n            }\n        }\n        CNI_UNROLL\n        for (int k = 0; k < %d; k++) {\n"
                         "            tile%u[y + %d * (index_t)k][x] = ahead[k];\n        }\n    }\n",
                         (int)EACH, i, (int)HIGH);
        }
    }
    cni_text_add(t->text, "    CNI_BARRIER();\n");
}

static void write_loop(const turner *t, const char *unroll)
{
    cni_text_add(t->text,
                 "    %s\n    for (int k = 0; k < %d; k++) {\n        const index_t row = row0 + y + %d * "
                 "(index_t)k, column = column0 + x;\n        if (row < rows && column < columns) {\n",
                 unroll, (int)EACH, (int)HIGH);
}

/* What happened in the thread's elements, of which nothing is stored yet; from memory, since all that is turned is read only. */
static void write_events(const turner *t)
{
    cni_text_add(t->text, "\nCNI_CALLED void events_%u(const parameters *p, index_t block)\n{\n", t->number);
    write_place(t);
    cni_cuda_scalars_write(t->l, "p->", t->text);
    cni_cuda_watch_begin(&t->l->watch, t->text);
    write_loop(t, "CNI_ROLLED");
    for (uint32_t i = 0; i < t->l->part->ninstr; i++) {
        const cni_instr *x = &t->l->part->instr[i];
        cni_text_add(t->text, "            ");
        if (x->kind == CNI_INSTR_LOAD) {
            cni_text_add(t->text, "const %s r%u = ", cni_dtypes[x->dtype].type, x->dst[0]);
            write_element(t, x->access, "row", "column");
            cni_text_add(t->text, ";\n");
        } else if (x->kind != CNI_INSTR_SCALAR && x->kind != CNI_INSTR_STORE) {
            cni_cuda_statement(t->l, t->x, i, true, t->text);
        }
    }
    cni_text_add(t->text, "        }\n    }\n");
    cni_cuda_events_write(t->l, t->text);
    cni_text_add(t->text, "}\n");
}

/* The other loads, all before the program runs; then the program; then what it stores. */
static void write_rest(const turner *t)
{
    const cni_part *part = t->l->part;
    for (uint32_t i = 0; i < part->ninstr; i++) {
        const cni_instr *x = &part->instr[i];
        bool moves = x->kind == CNI_INSTR_STORE || (x->kind == CNI_INSTR_LOAD && !turns(t, x->access, t->turned));
        if (moves) {
            cni_text_add(t->text, "    %s m%u[%d];\n", cni_cuda_type(t->l, x->access), i, (int)EACH);
        }
    }
    bool events = t->l->watch.count > 0;
    for (int pass = 0; pass < 3; pass++) {
        cni_text_add(t->text, "%s", pass == 1 && events ? "    CNI_WATCH;\n" : "");
        write_loop(t, "CNI_UNROLL");
        for (uint32_t i = 0; i < part->ninstr; i++) {
            const cni_instr *x = &part->instr[i];
            bool load = x->kind == CNI_INSTR_LOAD, turned = load && turns(t, x->access, t->turned);
            if (pass == 0 && load && !turned) {
                cni_text_add(t->text, "            m%u[k] = ", i);
                write_element(t, x->access, "row", "column");
                cni_text_add(t->text, ";\n");
            } else if (pass == 1 && turned) {
                cni_text_add(t->text, "            const %s r%u = tile%u[x][y + %d * (index_t)k];\n",
                             cni_dtypes[x->dtype].type, x->dst[0], i, (int)HIGH);
            } else if (pass == 1 && load) {
                cni_text_add(t->text, "            const %s r%u = m%u[k];\n", cni_dtypes[x->dtype].type, x->dst[0], i);
            } else if (pass == 1 && x->kind == CNI_INSTR_STORE) {
                cni_text_add(t->text, "            m%u[k] = r%u;\n", i, x->src[0]);
            } else if (pass == 1 && x->kind != CNI_INSTR_SCALAR) {
                cni_text_add(t->text, "            ");
                cni_cuda_statement(t->l, t->x, i, false, t->text);
            } else if (pass == 2 && x->kind == CNI_INSTR_STORE) {
                cni_text_add(t->text, "            ");
                write_element(t, x->access, "row", "column");
                cni_text_add(t->text, " = m%u[k];\n", i);
            }
        }
        cni_text_add(t->text, "        }\n    }\n");
        if (pass == 1 && events) {
            cni_text_add(t->text, "    if (CNI_HIT) {\n        events_%u(p, block);\n    }\n", t->number);
        }
    }
}

bool cni_cuda_text_turn(cni_cuda_layout *l, cni_statements *x, uint32_t number, cni_text *text, cni_cuda_shape *shape)
{
    turner t = {.l = l, .x = x, .text = text, .number = number};
    if (cni_cuda_loads_what_it_stored(l->part) || !choose(&t, shape->shared)) {
        return false;
    }
    shape->shared += t.shared;
    shape->several = true;
    set_shape(&t, shape);
    cni_cuda_layout_names(number, text);
    cni_cuda_layout_write(l, text);
    if (l->watch.count > 0) {
        write_events(&t);
    }
    cni_text_add(text, "#define CNI_COOPERATIVE\n\nCNI_INLINE void part_%u(const parameters *p, index_t block)\n{\n",
                 number);
    write_place(&t);
    cni_cuda_scalars_write(l, "p->", text);
    write_turned(&t);
    write_rest(&t);
    cni_text_add(text, "}\n");
    return true;
}
