/*
 * carry.c - parts that give new storage what nobody else writes into it: the elements of older storage, or a scalar.
 */
#include "cpu/carry.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "cpu/loops.h"

enum { LIST_MOST = 64 };

struct cni_carry_binding {
    int ndim;
    size_t itemsize;
    int64_t nbytes;
    int64_t strides[CNI_LATTICE_DIMS];
    int nboxes; /* -1: everything */
    cni_box boxes[CNI_COVER_BOXES];
};

cn_status cni_carry_bind(const cni_part *part, const cni_window *w, const cni_skeleton *s, cni_carry_binding **out)
{
    cni_carry_binding *b = cni_alloc_zero(1, sizeof *b);
    cni_geometry views[LIST_MOST];
    if (b == NULL) {
        return cni_fail_memory((int64_t)sizeof *b);
    }
    const cni_base *base = w->bases[part->base];
    const int64_t *numbers = w->geometry + s->homes[part->base];
    cni_geometry home = {base->home_ndim, base->home_itemsize, 0, numbers, numbers + base->home_ndim};
    uint32_t n = part->nlist < LIST_MOST ? part->nlist : LIST_MOST;
    for (uint32_t i = 0; i < n; i++) {
        views[i] = cni_window_geometry(w, part->list[i]);
    }
    cni_geometry_uncovered(&home, (int)n, views, &b->nboxes, b->boxes);
    b->nbytes = base->nbytes;
    b->itemsize = base->home_itemsize;
    b->ndim = home.ndim;
    for (int k = 0; k < home.ndim && home.ndim <= CNI_LATTICE_DIMS; k++) {
        b->strides[k] = home.strides[k];
    }
    if (n == 0 || home.ndim == 0) {
        b->nboxes = b->nboxes == 0 ? 0 : -1;
    }
    *out = b;
    return CN_OK;
}

void cni_carry_unbind(cni_carry_binding *binding)
{
    cni_free(binding);
}

/* The home dimension that runs fastest. */
static int fastest(const cni_carry_binding *b)
{
    int best = 0;
    for (int k = 1; k < b->ndim; k++) {
        best = b->strides[k] < b->strides[best] ? k : best;
    }
    return best;
}

static void run_box(const cni_carry_binding *b, const cni_box *box, char *to, const char *from, bool fill)
{
    const cni_copy_loop copy = cni_cpu_kernels_get()->copies[__builtin_ctzll(b->itemsize)];
    int64_t index[CNI_LATTICE_DIMS];
    int inner = fastest(b);
    memcpy(index, box->start, sizeof index);
    for (;;) {
        int64_t offset = 0;
        for (int k = 0; k < b->ndim; k++) {
            offset += index[k] * b->strides[k];
        }
        copy(box->stop[inner] - box->start[inner], to + offset, b->strides[inner], fill ? from : from + offset,
             fill ? 0 : b->strides[inner]);
        int d = b->ndim - 1;
        while (d >= 0 && (d == inner || ++index[d] == box->stop[d])) {
            index[d] = box->start[d];
            d--;
        }
        if (d < 0) {
            return;
        }
    }
}

void cni_carry_run(const cni_part *part, const cni_carry_binding *b, const cni_run *run)
{
    bool fill = part->kind == CNI_PART_FILL;
    char *to = run->slots[part->slot];
    const char *from = fill ? (const char *)run->window->scalars[part->source].value.bytes : run->slots[part->source];
    if (b->nboxes < 0 && fill) {
        cni_cpu_kernels_get()->copies[__builtin_ctzll(b->itemsize)](b->nbytes / (int64_t)b->itemsize, to,
                                                                    (int64_t)b->itemsize, from, 0);
    } else if (b->nboxes < 0) {
        memcpy(to, from, (size_t)b->nbytes);
    }
    for (int i = 0; i < b->nboxes; i++) {
        run_box(b, &b->boxes[i], to, from, fill);
    }
}
