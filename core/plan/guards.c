/*
 * guards.c - what planning asks of the geometry, answered and logged; and the same questions asked again when a plan
 * meets other extents.
 */
#include <string.h>

#include "base/memory.h"
#include "plan/draft.h"

enum { LIST_MOST = 64 };

/* Boxes of the base that the listed views leave; -1: too many to say. */
static int uncovered(const cni_window *w, const cni_skeleton *s, uint32_t base, uint32_t nlist, const uint32_t *list,
                     cni_box *boxes)
{
    cni_geometry views[LIST_MOST], home = cni_skeleton_home(s, w, base);
    uint32_t n = nlist < LIST_MOST ? nlist : LIST_MOST;
    for (uint32_t i = 0; i < n; i++) {
        views[i] = cni_window_geometry(w, list[i]);
    }
    int nboxes;
    cni_geometry_uncovered(&home, (int)n, views, &nboxes, boxes);
    return nboxes;
}

static int64_t box_size(int ndim, const cni_box *box)
{
    int64_t size = 1;
    for (int k = 0; k < ndim; k++) {
        size *= box->stop[k] - box->start[k];
    }
    return size;
}

static bool box_meets(int ndim, const cni_box *box, const cni_lattice *l)
{
    for (int k = 0; k < ndim; k++) {
        int64_t last = l->start[k] + l->step[k] * (l->count[k] - 1);
        if (last < box->start[k] || l->start[k] >= box->stop[k]) {
            return false;
        }
    }
    return true;
}

static bool same_axes(const cni_geometry *a, const cni_geometry *b)
{
    for (int k = 0; k < a->ndim; k++) {
        if ((a->strides[k] == 0) != (b->strides[k] == 0) && a->shape[k] > 1) {
            return false;
        }
    }
    return true;
}

static bool same_order(const cni_geometry *a, const cni_geometry *b)
{
    int x[CN_MAX_DIMS], y[CN_MAX_DIMS];
    cni_geometry_axes(a, x);
    cni_geometry_axes(b, y);
    return memcmp(x, y, (size_t)a->ndim * sizeof *x) == 0;
}

static bool boxes_meet(const cni_lattice *a, const cni_lattice *b)
{
    for (int k = 0; k < a->ndim; k++) {
        if (a->start[k] + a->count[k] <= b->start[k] || b->start[k] + b->count[k] <= a->start[k]) {
            return false;
        }
    }
    return true;
}

static bool tiled(const cni_window *w, const cni_skeleton *s, uint32_t nlist, const uint32_t *list)
{
    cni_lattice boxes[LIST_MOST];
    int axes[CNI_LATTICE_DIMS];
    cni_geometry home = cni_skeleton_home(s, w, w->views[list[0]].base);
    int64_t left = cni_element_count(home.ndim, home.shape);
    for (uint32_t i = 0; i < nlist; i++) {
        if (i == LIST_MOST || !cni_view_box(s, w, list[i], &boxes[i], axes)) {
            return false;
        }
        for (uint32_t k = 0; k < i; k++) {
            if (boxes_meet(&boxes[i], &boxes[k])) {
                return false;
            }
        }
        left -= w->views[list[i]].size;
    }
    return left == 0;
}

static bool same_box(const cni_lattice *a, const cni_lattice *b)
{
    size_t size = (size_t)a->ndim * sizeof *a->start;
    return memcmp(a->start, b->start, size) == 0 && memcmp(a->count, b->count, size) == 0;
}

/* What is asked of boxes of two bases. */
static bool evaluate_boxes(const cni_guard *g, const cni_window *w, const cni_skeleton *s)
{
    cni_lattice a, b;
    int axes[CNI_LATTICE_DIMS];
    return cni_view_box(s, w, g->a, &a, axes) && cni_view_box(s, w, g->b, &b, axes) && a.ndim == b.ndim &&
           (g->kind == CNI_GUARD_MEETS ? boxes_meet(&a, &b) : same_box(&a, &b));
}

static bool evaluate(const cni_guard *g, const cni_window *w, const cni_skeleton *s)
{
    cni_box boxes[CNI_COVER_BOXES];
    uint32_t base = g->kind == CNI_GUARD_COVERED ? g->a : w->views[g->a].base;
    cni_geometry home = cni_skeleton_home(s, w, base), a = {0}, b = {0};
    if (g->kind != CNI_GUARD_COVERED) {
        a = cni_window_geometry(w, g->a);
    }
    if (g->b != CNI_NONE) {
        b = cni_window_geometry(w, g->b);
    }
    switch ((cni_guard_kind)g->kind) {
    case CNI_GUARD_DISJOINT:
        return cni_geometry_disjoint(&home, &a, &b);
    case CNI_GUARD_CONTAINS:
        return cni_geometry_contains(&home, &a, &b);
    case CNI_GUARD_BOX:
        return cni_geometry_box(&home, &a);
    case CNI_GUARD_SAME_AXES:
        return same_axes(&a, &b);
    case CNI_GUARD_SAME_ORDER:
        return same_order(&a, &b);
    case CNI_GUARD_SAME_LAYOUT:
        return memcmp(a.strides, b.strides, (size_t)a.ndim * sizeof *a.strides) == 0;
    case CNI_GUARD_COVERED:
        return uncovered(w, s, base, g->nlist, g->list, boxes) == 0;
    case CNI_GUARD_INSIDE: {
        cni_lattice lattice;
        int n = uncovered(w, s, base, g->nlist, g->list, boxes);
        if (n <= 0 || w->views[g->a].size == 0) {
            return n == 0 || w->views[g->a].size == 0;
        }
        bool inside = cni_lattice_make(&home, &a, &lattice);
        for (int i = 0; i < n && inside; i++) {
            inside = !box_meets(home.ndim, &boxes[i], &lattice);
        }
        return inside;
    }
    case CNI_GUARD_CHEAP: {
        int n = uncovered(w, s, base, g->nlist, g->list, boxes);
        int64_t left = 0;
        for (int i = 0; i < n; i++) {
            left += box_size(home.ndim, &boxes[i]);
        }
        return n >= 0 && 2 * left <= w->views[g->a].size;
    }
    case CNI_GUARD_TILED:
        return tiled(w, s, g->nlist, g->list);
    case CNI_GUARD_MEETS:
    case CNI_GUARD_SAME_BOX:
        return evaluate_boxes(g, w, s);
    default:
        return false;
    }
}

bool cni_guards_hold(const cni_plan *plan, const cni_window *w, const cni_skeleton *s)
{
    for (uint32_t i = 0; i < plan->nguards; i++) {
        if (evaluate(&plan->guards[i], w, s) != plan->guards[i].holds) {
            return false;
        }
    }
    return true;
}

static bool ask(cni_draft *d, cni_guard g)
{
    g.holds = evaluate(&g, d->w, d->s);
    for (size_t i = 0; i < d->nguards; i++) {
        const cni_guard *known = &d->guards[i];
        if (known->kind == g.kind && known->a == g.a && known->b == g.b && known->nlist == g.nlist &&
            (g.nlist == 0 || memcmp(known->list, g.list, g.nlist * sizeof *g.list) == 0)) {
            return g.holds;
        }
    }
    if (g.nlist > 0) {
        g.list = cni_arena_copy(&d->plan->arena, g.list, g.nlist * sizeof *g.list);
    }
    if ((g.nlist > 0 && g.list == NULL) ||
        !cni_grow((void **)&d->guards, &d->guards_capacity, d->nguards + 1, sizeof *d->guards)) {
        d->no_memory = true;
        return g.holds;
    }
    d->guards[d->nguards++] = g;
    return g.holds;
}

bool cni_ask_disjoint(cni_draft *d, uint32_t a, uint32_t b)
{
    if (a == b) {
        return false;
    }
    return ask(d, (cni_guard){.kind = CNI_GUARD_DISJOINT, .a = a < b ? a : b, .b = a < b ? b : a});
}

bool cni_ask_contains(cni_draft *d, uint32_t a, uint32_t b)
{
    return a == b || d->w->views[a].whole || ask(d, (cni_guard){.kind = CNI_GUARD_CONTAINS, .a = a, .b = b});
}

bool cni_ask_box(cni_draft *d, uint32_t a)
{
    return d->w->views[a].whole || ask(d, (cni_guard){.kind = CNI_GUARD_BOX, .a = a, .b = CNI_NONE});
}

bool cni_ask_covered(cni_draft *d, uint32_t base, uint32_t nlist, const uint32_t *list)
{
    for (uint32_t i = 0; i < nlist; i++) {
        if (d->w->views[list[i]].whole) {
            return true;
        }
    }
    return nlist > 0 &&
           ask(d, (cni_guard){.kind = CNI_GUARD_COVERED, .a = base, .b = CNI_NONE, .nlist = nlist, .list = list});
}

bool cni_ask_inside(cni_draft *d, uint32_t a, uint32_t nlist, const uint32_t *list)
{
    for (uint32_t i = 0; i < nlist; i++) {
        if (list[i] == a || d->w->views[list[i]].whole) {
            return true;
        }
    }
    return nlist > 0 &&
           ask(d, (cni_guard){.kind = CNI_GUARD_INSIDE, .a = a, .b = CNI_NONE, .nlist = nlist, .list = list});
}

bool cni_ask_cheap(cni_draft *d, uint32_t a, uint32_t nlist, const uint32_t *list)
{
    return ask(d, (cni_guard){.kind = CNI_GUARD_CHEAP, .a = a, .b = CNI_NONE, .nlist = nlist, .list = list});
}

bool cni_ask_same_axes(cni_draft *d, uint32_t a, uint32_t b)
{
    return a == b || ask(d, (cni_guard){.kind = CNI_GUARD_SAME_AXES, .a = a, .b = b});
}

bool cni_ask_same_order(cni_draft *d, uint32_t a, uint32_t b)
{
    return a == b || ask(d, (cni_guard){.kind = CNI_GUARD_SAME_ORDER, .a = a, .b = b});
}

bool cni_ask_same_layout(cni_draft *d, uint32_t a, uint32_t b)
{
    return ask(d, (cni_guard){.kind = CNI_GUARD_SAME_LAYOUT, .a = a, .b = b});
}

bool cni_ask_tiled(cni_draft *d, uint32_t nlist, const uint32_t *list)
{
    return ask(d, (cni_guard){.kind = CNI_GUARD_TILED, .a = list[0], .b = CNI_NONE, .nlist = nlist, .list = list});
}

bool cni_ask_meets(cni_draft *d, uint32_t a, uint32_t b)
{
    return ask(d, (cni_guard){.kind = CNI_GUARD_MEETS, .a = a, .b = b});
}

bool cni_ask_same_box(cni_draft *d, uint32_t a, uint32_t b)
{
    return a == b || ask(d, (cni_guard){.kind = CNI_GUARD_SAME_BOX, .a = a, .b = b});
}
