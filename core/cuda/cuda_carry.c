/* cuda_carry.c - parts that give new storage what nobody else writes into it: elements of older storage, or a scalar. */
#include "cuda/cuda_carry.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "cuda/cuda_graph.h"
#include "cuda/cuda_kernel.h"
#include "cuda/cuda_split.h"

enum { LIST_MOST = 64, THREADS = 256, TOGETHER = 8, LAUNCHES = 2 * (CNI_COVER_BOXES + TOGETHER - 1) / TOGETHER };

/* As carry.cuh has it. */
typedef struct parameters {
    uint64_t to, from;
    uint64_t scalar[2];
    int64_t strides[CNI_LATTICE_DIMS];
    int64_t nboxes, begin;
    int64_t first[TOGETHER], offset[TOGETHER], count[TOGETHER], shape[TOGETHER][CNI_LATTICE_DIMS];
} parameters;

typedef struct carry_launch {
    int64_t blocks;
    parameters parameters;
} carry_launch;

struct cni_cuda_carry {
    const cni_cuda_module *module;
    cni_span span; /* of the storage */
    bool whole;    /* a copy of everything: no kernel's work */
    int nlaunches;
    carry_launch launches[LAUNCHES];
};

static const cni_cuda_module *module_of(int64_t itemsize)
{
    char text[160];
    snprintf(text, sizeof text,
             "#include \"cuda/prelude.cuh\"\n#include \"op/complex.h\"\n#define TYPE %s\n#include \"cuda/carry.cuh\"\n",
             cni_cuda_word(itemsize));
    return cni_cuda_module_begin(text);
}

/* Home dimensions from the slowest to the fastest, so that threads beside each other touch elements beside each other. */
static void order_dims(const cni_geometry *home, int *order)
{
    for (int d = 0; d < home->ndim; d++) {
        order[d] = d;
        for (int k = d; k > 0 && home->strides[order[k - 1]] < home->strides[order[k]]; k--) {
            int swapped = order[k];
            order[k] = order[k - 1];
            order[k - 1] = swapped;
        }
    }
}

static void add_box(cni_cuda_carry *c, const cni_geometry *home, const cni_box *box)
{
    int order[CNI_LATTICE_DIMS], unused = CNI_LATTICE_DIMS - home->ndim;
    carry_launch *l = c->nlaunches > 0 ? &c->launches[c->nlaunches - 1] : NULL;
    if (l == NULL || l->parameters.nboxes == TOGETHER) {
        l = &c->launches[c->nlaunches++];
    }
    parameters *p = &l->parameters;
    int64_t k = p->nboxes++;
    order_dims(home, order);
    p->count[k] = 1;
    for (int d = 0; d < unused; d++) {
        p->shape[k][d] = 1;
    }
    for (int d = 0; d < home->ndim; d++) {
        int64_t extent = box->stop[order[d]] - box->start[order[d]];
        p->strides[unused + d] = home->strides[order[d]];
        p->shape[k][unused + d] = extent;
        p->offset[k] += box->start[order[d]] * home->strides[order[d]];
        p->count[k] *= extent;
    }
    p->first[k] = l->blocks;
    l->blocks += (p->count[k] + THREADS - 1) / THREADS;
}

/* All of the span as one run. */
static void add_all(cni_cuda_carry *c, int64_t itemsize)
{
    const int64_t stride[1] = {itemsize}, count[1] = {c->span.high / itemsize};
    cni_geometry run = {1, itemsize, 0, count, stride};
    cni_box all = {.start = {c->span.low / itemsize}, .stop = {count[0]}};
    add_box(c, &run, &all);
}

/* What of the boxes lies in the span; false: too many. */
static bool add_boxes(cni_cuda_carry *c, const cni_geometry *home, int n, const cni_box *boxes)
{
    cni_box within[CNI_COVER_BOXES * CNI_CUT_BOXES];
    n = cni_boxes_within(home, c->span.low, c->span.high, n, boxes, within);
    for (int i = 0; i < n && n <= LAUNCHES * TOGETHER; i++) {
        add_box(c, home, &within[i]);
    }
    return n >= 0 && n <= LAUNCHES * TOGETHER;
}

cn_status cni_cuda_carry_bind(const cni_part *part, const cni_window *w, const cni_skeleton *s, const cni_span *span,
                              cni_cuda_carry **out)
{
    cni_geometry views[LIST_MOST];
    cni_box boxes[CNI_COVER_BOXES];
    const cni_base *base = w->bases[part->base];
    const int64_t *numbers = w->geometry + s->homes[part->base];
    cni_geometry home = {base->home_ndim, base->home_itemsize, 0, numbers, numbers + base->home_ndim};
    int n = part->nlist < LIST_MOST ? (int)part->nlist : LIST_MOST, nboxes;
    cni_cuda_carry *c = cni_alloc_zero(1, sizeof *c);
    if (c == NULL) {
        return cni_fail_memory((int64_t)sizeof *c);
    }
    for (int i = 0; i < n; i++) {
        views[i] = cni_window_geometry(w, part->list[i]);
    }
    cni_geometry_uncovered(&home, n, views, &nboxes, boxes);
    bool everything = nboxes < 0 || (nboxes > 0 && (n == 0 || home.ndim == 0)), fits = true;
    c->span = span != NULL ? *span : (cni_span){0, base->nbytes};
    c->whole = everything && part->kind == CNI_PART_CARRY;
    if (everything && !c->whole) {
        add_all(c, base->home_itemsize);
    } else if (!everything) {
        fits = add_boxes(c, &home, nboxes, boxes);
    }
    c->module = fits ? module_of(base->home_itemsize) : NULL;
    if (c->module == NULL) {
        cni_free(c);
        return CN_ERROR_UNSUPPORTED;
    }
    *out = c;
    return CN_OK;
}

/* One box is written where it lies: by each GPU its part. Several boxes are borders, and small. */
static void launch(const cni_cuda_carry *c, const carry_launch *l)
{
    const cni_cuda_spread *memory = l->parameters.nboxes == 1 ? cni_cuda_spread_find(l->parameters.to) : NULL;
    parameters each[CNI_CUDA_GPUS];
    const void *of_gpus[CNI_CUDA_GPUS] = {&l->parameters};
    double from[CNI_CUDA_GPUS], to[CNI_CUDA_GPUS];
    int64_t first[CNI_CUDA_GPUS], blocks[CNI_CUDA_GPUS] = {l->blocks};
    if (memory != NULL) {
        cni_cuda_split_memory(memory, from, to);
        cni_cuda_split_blocks(l->blocks, from, to, first, blocks);
    }
    for (int k = 0; memory != NULL && k < cni_cuda_gpu.gpus; k++) {
        each[k] = l->parameters;
        each[k].begin = first[k];
        of_gpus[k] = &each[k];
    }
    cni_cuda_launch_each(c->module->kernel, blocks, THREADS, 1, of_gpus, sizeof *each);
}

void cni_cuda_carry_run(const cni_part *part, cni_cuda_carry *c, const cni_run *run)
{
    const cn_scalar *fill = part->kind == CNI_PART_FILL ? &run->window->scalars[part->source] : NULL;
    uint64_t to = (uintptr_t)run->slots[part->slot], from = fill == NULL ? (uintptr_t)run->slots[part->source] : 0;
    if (c->whole) {
        cni_cuda_copy(to + (uint64_t)c->span.low, from + (uint64_t)c->span.low, (size_t)(c->span.high - c->span.low));
        return;
    }
    for (int i = 0; i < c->nlaunches; i++) {
        parameters *p = &c->launches[i].parameters;
        p->to = to;
        p->from = from;
        if (fill != NULL) {
            memcpy(p->scalar, fill->value.bytes, sizeof p->scalar);
        }
        launch(c, &c->launches[i]);
    }
}
