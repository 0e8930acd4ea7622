/* cuda_group.c - a group bound to one geometry: its compiled kernel, and the parameters that stay. */
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "cuda/cuda_kernel.h"
#include "cuda/cuda_layout.h"
#include "exec/place.h"
#include "op/op.h"

struct cni_cuda_group {
    cni_arena arena;
    cni_cuda_layout layout;
    cni_cuda_shape shape;
    const cni_cuda_module *module;
    uint32_t *scalars; /* of the window, by scalar of the program; CNI_NONE: any value */
    bool empty;
};

/* ---- What a reduction begins with, and its identity ---- */

static void set_begin(cni_cuda_group *g, const cni_instr *x, uint32_t k, const cni_window *w)
{
    const cni_op *op = &w->ops[x->op];
    cn_scalar identity, value;
    int64_t *begin = g->layout.words + cni_cuda_layout_scalar(&g->layout, g->layout.nscalar + 2 * k);
    if (cn_op_identity((cn_op)cni_op_of_loop(x->loop), &identity) == CN_OK &&
        cn_scalar_cast(&identity, CN_STRONG, (cn_dtype)x->dtype, &value) == CN_OK) {
        memcpy(begin, value.value.bytes, 16);
        memcpy(begin + 2, value.value.bytes, 16);
    }
    if ((op->flags & CNI_FLAG_INITIAL) != 0) {
        memcpy(begin, w->scalars[op->args[2] & ~CNI_SCALAR].value.bytes, 16);
    }
}

static void set_scalars(const cni_cuda_group *g, int64_t *words, const cni_window *w)
{
    const cni_part *part = g->layout.part;
    uint32_t reduction = 0;
    for (uint32_t k = 0; k < g->layout.nscalar; k++) {
        if (g->scalars[k] != CNI_NONE) {
            memcpy(words + cni_cuda_layout_scalar(&g->layout, k), w->scalars[g->scalars[k]].value.bytes, 16);
        }
    }
    for (uint32_t i = 0; i < part->ninstr && g->layout.nreduction > 0; i++) {
        if (part->instr[i].kind == CNI_INSTR_REDUCE) {
            const cni_op *op = &w->ops[part->instr[i].op];
            if ((op->flags & CNI_FLAG_INITIAL) != 0) {
                memcpy(words + cni_cuda_layout_scalar(&g->layout, g->layout.nscalar + 2 * reduction),
                       w->scalars[op->args[2] & ~CNI_SCALAR].value.bytes, 16);
            }
            reduction++;
        }
    }
}

/* ---- Binding ---- */

static bool write_text(cni_cuda_group *g, cni_arena *work, cni_text *text)
{
    cni_text functions = {0}, kernel = {0};
    cni_statements x;
    bool made = cni_statements_begin(&x, g->layout.part, g->layout.w, work);
    if (made) {
        x.reductions = g->layout.part->reduces;
        x.text = &functions;
        cni_statements_functions(&x);
        x.text = &kernel;
        made = g->layout.part->reduces ? cni_cuda_text_reduce(&g->layout, &x, &kernel, &g->shape)
                                       : cni_cuda_text_map(&g->layout, &x, &kernel, &g->shape);
    }
    if (made) {
        cni_text_add(text, "#include \"cuda/prelude.cuh\"\n#include \"op/%s.h\"\n\n",
                     x.headers ? "convert" : "complex");
        cni_text_add(text, "%s%s", functions.length > 0 ? functions.data : "", kernel.data);
        made = text->data != NULL;
    }
    cni_text_free(&functions);
    cni_text_free(&kernel);
    return made;
}

static bool fill(cni_cuda_group *g, const cni_part *part, const cni_window *w)
{
    cni_arena work = {0};
    cni_text text = {0};
    uint32_t n = 0, reduction = 0;
    bool made = cni_cuda_layout_make(part, w, &g->arena, &g->layout);
    for (int d = 0; made && d < g->layout.nest.ndim; d++) {
        g->empty |= g->layout.nest.shape[d] == 0;
    }
    made = made && (g->scalars = cni_arena_alloc(&g->arena, (g->layout.nscalar + 1) * sizeof *g->scalars)) != NULL;
    for (uint32_t i = 0; made && i < part->ninstr; i++) {
        if (part->instr[i].kind == CNI_INSTR_SCALAR) {
            g->scalars[n++] = part->instr[i].access;
        } else if (part->instr[i].kind == CNI_INSTR_REDUCE) {
            set_begin(g, &part->instr[i], reduction++, w);
        }
    }
    made = made && !(g->empty && part->reduces); /* rare: the processor's */
    if (made && !g->empty) {
        made = write_text(g, &work, &text) && g->shape.blocks <= INT32_MAX &&
               (g->module = cni_cuda_module_get(text.data)) != NULL;
    }
    cni_text_free(&text);
    cni_arena_destroy(&work);
    return made;
}

cn_status cni_cuda_group_bind(const cni_part *part, const cni_window *w, cni_cuda_group **out)
{
    cni_cuda_group *g = cni_alloc_zero(1, sizeof *g);
    if (g == NULL) {
        return cni_fail_memory((int64_t)sizeof *g);
    }
    if (!fill(g, part, w)) {
        cni_cuda_group_unbind(g);
        return CN_ERROR_UNSUPPORTED;
    }
    g->layout.w = NULL; /* of this run alone */
    *out = g;
    return CN_OK;
}

void cni_cuda_group_unbind(cni_cuda_group *g)
{
    cni_arena_destroy(&g->arena);
    cni_free(g);
}

int64_t cni_cuda_group_scratch(const cni_cuda_group *g)
{
    return g->shape.scratch;
}

/* ---- Running ---- */

void cni_cuda_group_run(const cni_cuda_group *g, const cni_run *run)
{
    const cni_cuda_layout *l = &g->layout;
    int64_t *words = l->words;
    if (g->empty) {
        return;
    }
    set_scalars(g, words, run->window);
    for (uint32_t a = 0; a < l->part->naccess; a++) {
        char *address = (char *)run->slots[l->part->access[a].slot] + l->nest.offsets[a];
        memcpy(&words[cni_cuda_layout_address(l, a)], &address, sizeof address);
    }
    words[CNI_CUDA_COUNTS - 1] = (int64_t)(uintptr_t)run->scratch;
    if (g->shape.zeroed > 0) {
        cni_cuda_check(cni_cuda.memory_fill((uintptr_t)run->scratch, 0, (size_t)g->shape.zeroed, cni_cuda_gpu.stream),
                       "a fill");
    }
    cni_cuda_launch(g->module->kernel, g->shape.blocks, g->shape.x, g->shape.y, words, l->size);
    if (g->shape.finish_blocks > 0) {
        cni_cuda_launch(g->module->finish, g->shape.finish_blocks, g->shape.finish_x, g->shape.finish_y, words,
                        l->size);
    }
}
