/*
 * carry.c - parts that give new storage what nobody else writes into it: the elements of older storage, or a scalar.
 */
#include "cpu/carry.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "cpu/library.h"
#include "cpu/loops.h"

enum { LIST_MOST = 64 };

struct cni_carry_binding {
    int ndim;
    size_t itemsize;
    int64_t nbytes;
    int64_t strides[CNI_LATTICE_DIMS];
    int nboxes; /* -1: everything in the span */
    cni_span span;
    cni_box boxes[CNI_COVER_BOXES * CNI_CUT_BOXES];
};

void cni_carry_rebind(const cni_part *part, const cni_window *w, const cni_skeleton *s, const cni_span *span,
                      cni_carry_binding *b)
{
    cni_geometry views[LIST_MOST];
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
    b->span = span != NULL ? *span : (cni_span){0, b->nbytes};
    if (span != NULL && b->nboxes > 0) {
        cni_box whole[CNI_COVER_BOXES];
        memcpy(whole, b->boxes, (size_t)b->nboxes * sizeof *whole);
        int within = cni_boxes_within(&home, span->low, span->high, b->nboxes, whole, b->boxes);
        b->nboxes = within > 0 ? within : 0;
    }
}

cn_status cni_carry_bind(const cni_part *part, const cni_window *w, const cni_skeleton *s, const cni_span *span,
                         cni_carry_binding **out)
{
    cni_carry_binding *b = cni_alloc_zero(1, sizeof *b);
    if (b == NULL) {
        return cni_fail_memory((int64_t)sizeof *b);
    }
    cni_carry_rebind(part, w, s, span, b);
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

typedef struct carry_run {
    const cni_carry_binding *b;
    const cni_box *box;
    char *to;
    const char *from;
    bool fill;
    int inner;
} carry_run;

/* Lines [first, end) of a box: its other dimensions in C order. */
static void run_lines(void *context, int64_t first, int64_t end)
{
    const carry_run *r = context;
    const cni_carry_binding *b = r->b;
    const cni_copy_loop copy = cni_cpu_kernels_get()->copies[__builtin_ctzll(b->itemsize)];
    int64_t width = r->box->stop[r->inner] - r->box->start[r->inner], step = b->strides[r->inner];
    for (int64_t line = first; line < end; line++) {
        int64_t offset = r->box->start[r->inner] * step, rest = line;
        for (int k = b->ndim - 1; k >= 0; k--) {
            if (k != r->inner) {
                int64_t extent = r->box->stop[k] - r->box->start[k];
                offset += (r->box->start[k] + rest % extent) * b->strides[k];
                rest /= extent;
            }
        }
        copy(width, r->to + offset, step, r->fill ? r->from : r->from + offset, r->fill ? 0 : step);
    }
}

static void run_box(const cni_carry_binding *b, const cni_box *box, char *to, const char *from, bool fill)
{
    carry_run r = {.b = b, .box = box, .to = to, .from = from, .fill = fill, .inner = fastest(b)};
    int64_t lines = 1;
    for (int k = 0; k < b->ndim; k++) {
        lines *= k == r.inner ? 1 : box->stop[k] - box->start[k];
    }
    cni_library_lines(lines, box->stop[r.inner] - box->start[r.inner], run_lines, &r);
}

/* Elements [first, end) of everything. */
static void run_all(void *context, int64_t first, int64_t end)
{
    const carry_run *r = context;
    int64_t size = (int64_t)r->b->itemsize;
    cni_cpu_kernels_get()->copies[__builtin_ctzll(r->b->itemsize)](
        end - first, r->to + first * size, size, r->fill ? r->from : r->from + first * size, r->fill ? 0 : size);
}

void cni_carry_run(const cni_part *part, const cni_carry_binding *b, const cni_run *run)
{
    bool fill = part->kind == CNI_PART_FILL;
    char *to = run->slots[part->slot];
    const char *from = fill ? (const char *)run->window->scalars[part->source].value.bytes : run->slots[part->source];
    if (b->nboxes < 0) {
        carry_run r = {.b = b, .to = to + b->span.low, .from = fill ? from : from + b->span.low, .fill = fill};
        cni_library_lines((b->span.high - b->span.low) / (int64_t)b->itemsize, 1, run_all, &r);
    }
    for (int i = 0; i < b->nboxes; i++) {
        run_box(b, &b->boxes[i], to, from, fill);
    }
}
