/* cuda_join.c - see cuda_join.h. The storage of what is joined is all apart: the caller sees to it. */
#include "cuda/cuda_join.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cuda/cuda_events.h"
#include "cuda/cuda_graph.h"
#include "cuda/cuda_kernel.h"
#include "cuda/cuda_layout.h"
#include "cuda/cuda_tall.h"
#include "op/op.h"

enum { THREADS = 256 };

struct cni_cuda_join {
    cni_arena arena;
    uint32_t count; /* launches */
    cni_cuda_tall forward, back;
    cni_cuda_layout layout; /* of the group between, if there are three */
    const cni_cuda_module *module;
    cni_cuda_tall_words *words; /* and the group's behind them */
    size_t size;
    cni_cuda_tables tables; /* events of the group */
};

/* ---- What goes together ---- */

static const cni_access *operand(const cni_part *part, int k)
{
    return &part->access[k];
}

/* Do both name the same elements? */
static bool same_elements(const cni_window *w, const cni_access *a, const cni_access *b)
{
    cni_geometry x = cni_window_geometry(w, a->view), y = cni_window_geometry(w, b->view);
    return a->slot == b->slot && x.offset == y.offset && w->views[a->view].dtype == w->views[b->view].dtype;
}

static bool is_tall(const cni_launch *launch, const cni_window *w, bool back, cni_cuda_tall *t)
{
    const cni_part *part = launch->parts;
    return launch->nparts == 1 && part->kind == CNI_PART_LIBRARY && w->ops[part->op].kind == CNI_MATMUL &&
           cni_cuda_tall_of(part, w, t) && t->back == back;
}

static bool same_matrix(const cni_window *w, const cni_part *first, const cni_part *last, const cni_cuda_join *j)
{
    return same_elements(w, operand(first, j->forward.matrix), operand(last, j->back.matrix)) &&
           j->forward.rows == j->back.rows && j->forward.columns == j->back.columns &&
           j->forward.row_stride == j->back.row_stride && j->forward.dtype == j->back.dtype;
}

/* Element i of the access is the vector's row i. */
static bool is_vector(const cni_cuda_layout *l, uint32_t a, const cni_access *vector, int64_t stride)
{
    return same_elements(l->w, &l->part->access[a], vector) &&
           l->nest.offsets[a] == cni_window_geometry(l->w, vector->view).offset &&
           cni_cuda_layout_inner(l, a) == stride;
}

/* The group reads z and writes r, row by row, and nothing of it is another row's. */
static bool is_between(const cni_cuda_join *j, const cni_part *first, const cni_part *last)
{
    const cni_cuda_layout *l = &j->layout;
    const cni_access *z = operand(first, 0), *r = operand(last, j->back.vector);
    bool reads = false, writes = false;
    if (l->part->reduces || l->nest.ndim != 1 || l->nest.shape[0] != j->forward.rows ||
        cni_cuda_loads_what_it_stored(l->part)) {
        return false;
    }
    for (uint32_t a = 0; a < l->part->naccess; a++) {
        const cni_access *x = &l->part->access[a];
        bool is_z = is_vector(l, a, z, j->forward.out_stride);
        reads |= is_z && !x->written;
        writes |= x->written && is_vector(l, a, r, j->back.vector_stride);
        bool others = x->slot == operand(first, 1)->slot || x->slot == operand(first, 2)->slot;
        if ((x->slot == z->slot && !is_z) || (x->written && others)) {
            return false;
        }
    }
    return reads && writes;
}

/* How many of the launches go together. */
static uint32_t find(cni_cuda_join *j, const cni_launch *launches, uint32_t count, const cni_window *w)
{
    if (count < 2 || !is_tall(&launches[0], w, false, &j->forward)) {
        return 0;
    }
    const cni_part *first = launches[0].parts, *next = launches[1].parts;
    if (is_tall(&launches[1], w, true, &j->back)) {
        bool direct = same_elements(w, operand(first, 0), operand(next, j->back.vector)) &&
                      j->forward.out_stride == j->back.vector_stride;
        return direct && same_matrix(w, first, next, j) ? 2 : 0;
    }
    bool group = count > 2 && launches[1].nparts == 1 && next->kind == CNI_PART_GROUP &&
                 is_tall(&launches[2], w, true, &j->back) && same_matrix(w, first, launches[2].parts, j) &&
                 cni_cuda_layout_make(next, w, &j->arena, &j->layout);
    return group && is_between(j, first, launches[2].parts) ? 3 : 0;
}

/* ---- Text ---- */

/* The group's program on one row: gives what it stores for the second product. */
static void write_program(const cni_cuda_join *j, const cni_part *first, cni_statements *x, bool ask, cni_text *text)
{
    const cni_cuda_layout *l = &j->layout;
    cni_cuda_scalars_write(l, "p->", text);
    for (uint32_t i = 0; i < l->part->ninstr; i++) {
        const cni_instr *instr = &l->part->instr[i];
        uint32_t a = instr->access;
        cni_text_add(text, "    ");
        if (instr->kind == CNI_INSTR_LOAD && is_vector(l, a, operand(first, 0), j->forward.out_stride)) {
            cni_text_add(text, "const %s r%u = z;\n", cni_cuda_type(l, a), instr->dst[0]);
        } else if (instr->kind == CNI_INSTR_LOAD) {
            cni_text_add(text, "const %s r%u = *(const %s *)(p->a[%u] + row * p->strides[%u][0]);\n",
                         cni_cuda_type(l, a), instr->dst[0], cni_cuda_type(l, a), a, l->class_of[a]);
        } else if (instr->kind != CNI_INSTR_STORE && instr->kind != CNI_INSTR_SCALAR) {
            cni_cuda_statement(l, x, i, ask, text);
        }
    }
}

static void write_row(const cni_cuda_join *j, const cni_part *first, const cni_part *last, cni_statements *x,
                      cni_text *text)
{
    const cni_cuda_layout *l = &j->layout;
    const char *type = cni_dtypes[j->forward.dtype].type;
    bool events = l->watch.count > 0;
    if (events) {
        cni_text_add(text, "\nCNI_CALLED void events_0(const parameters *p, int64_t row, %s z)\n{\n", type);
        cni_cuda_watch_begin(&l->watch, text);
        write_program(j, first, x, true, text);
        cni_cuda_events_write(l, text);
        cni_text_add(text, "}\n");
    }
    cni_text_add(text, "\nCNI_INLINE %s row_value(const parameters *p, int64_t row, %s z)\n{\n    %s result = 0;\n%s",
                 type, type, type, events ? "    CNI_WATCH;\n" : "");
    write_program(j, first, x, false, text);
    cni_text_add(text, "%s", events ? "    if (CNI_HIT) {\n        events_0(p, row, z);\n    }\n" : "");
    for (uint32_t i = 0; i < l->part->ninstr; i++) {
        const cni_instr *instr = &l->part->instr[i];
        uint32_t a = instr->access;
        if (instr->kind == CNI_INSTR_STORE) {
            cni_text_add(text, "    *(%s *)(p->a[%u] + row * p->strides[%u][0]) = r%u;\n", cni_cuda_type(l, a), a,
                         l->class_of[a], instr->src[0]);
            if (is_vector(l, a, operand(last, j->back.vector), j->back.vector_stride)) {
                cni_text_add(text, "    result = r%u;\n", instr->src[0]);
            }
        }
    }
    cni_text_add(text, "    return result;\n}\n#undef parameters\n#undef index_t\n#define ROW_VALUE(row, z) "
                       "row_value(&p.more, row, z)\n#define MORE parameters_0 more;\n");
}

static bool write_group(cni_cuda_join *j, const cni_launch *launches, const cni_window *w, cni_text *text)
{
    cni_arena work = {0};
    cni_text functions = {0}, kernel = {0};
    cni_statements x;
    bool made =
        cni_statements_begin(&x, j->layout.part, w, &work) && cni_cuda_watch_make(&x, 0, &j->arena, &j->layout.watch);
    if (made) {
        x.text = &functions;
        cni_statements_functions(&x);
        cni_cuda_watch_functions(&j->layout.watch, &functions);
        x.text = &kernel;
        cni_cuda_layout_names(0, &kernel);
        cni_cuda_layout_write(&j->layout, &kernel);
        write_row(j, launches[0].parts, launches[2].parts, &x, &kernel);
        cni_cuda_layout_headers(x.headers, j->layout.watch.count > 0, text);
        cni_text_join(text, &functions);
        cni_text_join(text, &kernel);
    }
    cni_text_free(&functions);
    cni_text_free(&kernel);
    cni_arena_destroy(&work);
    return made;
}

static bool fill(cni_cuda_join *j, const cni_launch *launches, const cni_window *w)
{
    cni_text text = {0};
    size_t more = j->count == 3 ? j->layout.size : 0;
    j->size = sizeof *j->words + more;
    j->words = cni_arena_alloc(&j->arena, j->size);
    if (j->words == NULL || j->size > cni_cuda_gpu.parameter_bytes) {
        return false;
    }
    memset(j->words, 0, sizeof *j->words);
    cni_cuda_tall_set(&j->forward, j->words);
    cni_cuda_tall_set(&j->back, j->words);
    if (more > 0) {
        j->layout.words = memcpy(j->words + 1, j->layout.words, more);
    }
    cni_text_add(&text, "#include \"cuda/prelude.cuh\"\n");
    bool made = more == 0 || write_group(j, launches, w, &text);
    cni_cuda_tall_text(&j->forward, true, true, &text);
    made = made && cni_cuda_tables_make(&j->tables, j->layout.watch.count, j->layout.watch.ops) && text.data != NULL &&
           (j->module = cni_cuda_module_begin(text.data)) != NULL;
    cni_text_free(&text);
    j->layout.w = NULL; /* of this run alone */
    return made;
}

uint32_t cni_cuda_join_bind(const cni_launch *launches, uint32_t count, const cni_window *w, cni_cuda_join **out)
{
    cni_cuda_join *j = cni_cuda_gpu.gpus == 1 ? cni_alloc_zero(1, sizeof *j) : NULL;
    if (j == NULL) {
        return 0;
    }
    j->count = find(j, launches, count, w);
    if (j->count == 0 || !fill(j, launches, w)) {
        cni_cuda_join_unbind(j);
        return 0;
    }
    *out = j;
    return j->count;
}

void cni_cuda_join_unbind(cni_cuda_join *j)
{
    cni_cuda_tables_free(&j->tables);
    cni_arena_destroy(&j->arena);
    cni_free(j);
}

int64_t cni_cuda_join_scratch(const cni_cuda_join *j)
{
    return cni_cuda_tall_scratch(&j->back);
}

/* ---- Running ---- */

static void set_group(cni_cuda_join *j, const cni_part *part, const cni_run *run)
{
    const cni_cuda_layout *l = &j->layout;
    uint32_t n = 0;
    for (uint32_t i = 0; i < part->ninstr; i++) {
        if (part->instr[i].kind == CNI_INSTR_SCALAR) {
            uint32_t scalar = part->instr[i].access;
            if (scalar != CNI_NONE) {
                memcpy(l->words + cni_cuda_layout_scalar(l, n), run->window->scalars[scalar].value.bytes, 16);
            }
            n++;
        }
    }
    for (uint32_t a = 0; a < part->naccess; a++) {
        char *address = (char *)run->slots[part->access[a].slot] + l->nest.offsets[a];
        memcpy(&l->words[cni_cuda_layout_address(l, a)], &address, sizeof address);
    }
    j->layout.words[CNI_CUDA_EVENTS] = cni_cuda_events_begin(&j->tables, run);
}

void cni_cuda_join_run(cni_cuda_join *j, const cni_launch *launches, const cni_run *run)
{
    const cni_part *first = launches[0].parts, *last = launches[j->count - 1].parts;
    j->words->matrix = cni_cuda_operand_address(first, run, j->forward.matrix);
    j->words->v = cni_cuda_operand_address(first, run, j->forward.vector);
    j->words->z = cni_cuda_operand_address(first, run, 0);
    j->words->r = cni_cuda_operand_address(last, run, j->back.vector);
    j->words->g = cni_cuda_operand_address(last, run, 0);
    j->words->sums = (uintptr_t)run->scratch;
    if (j->count == 3) {
        set_group(j, launches[1].parts, run);
    }
    cni_cuda_launch(j->module->kernel, cni_cuda_tall_blocks(&j->forward), THREADS, 1, j->words, j->size);
    cni_cuda_launch(j->module->finish, j->back.columns, THREADS, 1, j->words, j->size);
}
