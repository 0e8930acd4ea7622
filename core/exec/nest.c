/* nest.c - see nest.h. */
#include "exec/nest.h"

#include <string.h>

#include "plan/reduction_axes.h"

static int64_t *stride_at(cni_nest *n, uint32_t access, int dim)
{
    return &n->strides[(size_t)access * CN_MAX_DIMS + (size_t)dim];
}

static void move_dim(cni_nest *n, int from, int to)
{
    n->shape[to] = n->shape[from];
    n->reduced[to] = n->reduced[from];
    for (uint32_t a = 0; a < n->naccess; a++) {
        *stride_at(n, a, to) = *stride_at(n, a, from);
    }
}

void cni_nest_swap(cni_nest *n, int x, int y)
{
    int64_t extent = n->shape[x];
    bool reduced = n->reduced[x];
    n->shape[x] = n->shape[y];
    n->shape[y] = extent;
    n->reduced[x] = n->reduced[y];
    n->reduced[y] = reduced;
    for (uint32_t a = 0; a < n->naccess; a++) {
        int64_t stride = *stride_at(n, a, x);
        *stride_at(n, a, x) = *stride_at(n, a, y);
        *stride_at(n, a, y) = stride;
    }
}

static void drop_ones(cni_nest *n)
{
    int kept = 0;
    for (int d = 0; d < n->ndim; d++) {
        if (n->shape[d] != 1) {
            move_dim(n, d, kept++);
        }
    }
    n->ndim = kept;
}

/* Walk every dimension upwards in memory where all accesses that move agree to go down. */
static void flip_negative(cni_nest *n)
{
    for (int d = 0; d < n->ndim; d++) {
        bool up = false, down = false;
        for (uint32_t a = 0; a < n->naccess; a++) {
            up |= *stride_at(n, a, d) > 0;
            down |= *stride_at(n, a, d) < 0;
        }
        for (uint32_t a = 0; a < n->naccess && down && !up; a++) {
            n->offsets[a] += *stride_at(n, a, d) * (n->shape[d] - 1);
            *stride_at(n, a, d) = -*stride_at(n, a, d);
        }
    }
}

/* 1: dimension x is to be inside of y; -1: outside; 0: no access tells. */
static int compare_dims(cni_nest *n, int x, int y)
{
    for (uint32_t a = n->naccess; a-- > 0;) { /* stores come last, and count first */
        int64_t i = *stride_at(n, a, x), j = *stride_at(n, a, y);
        i = i < 0 ? -i : i;
        j = j < 0 ? -j : j;
        if (i != 0 && j != 0 && i != j) {
            return i < j ? 1 : -1;
        }
    }
    return 0;
}

static void sort_dims(cni_nest *n)
{
    for (int d = 1; d < n->ndim; d++) {
        for (int k = d; k > 0 && compare_dims(n, k - 1, k) > 0; k--) {
            cni_nest_swap(n, k - 1, k);
        }
    }
}

static bool mergeable(cni_nest *n, int outer, int inner)
{
    if (n->reduced[outer] != n->reduced[inner]) {
        return false;
    }
    for (uint32_t a = 0; a < n->naccess; a++) {
        if (*stride_at(n, a, outer) != *stride_at(n, a, inner) * n->shape[inner]) {
            return false;
        }
    }
    return true;
}

static void merge_dims(cni_nest *n, int first, int *end)
{
    int kept = first;
    for (int d = first + 1; d < *end; d++) {
        if (mergeable(n, kept, d)) {
            int64_t extent = n->shape[kept] * n->shape[d];
            move_dim(n, d, kept);
            n->shape[kept] = extent;
        } else {
            move_dim(n, d, ++kept);
        }
    }
    int gone = *end - (kept + 1);
    for (int d = *end; d < n->ndim && gone > 0; d++) {
        move_dim(n, d, d - gone);
    }
    if (*end > first) {
        n->ndim -= gone;
        *end -= gone;
    }
}

/* The dimensions as the reduction takes them. */
static void turn_dims(cni_nest *n, const int *order)
{
    int from[CN_MAX_DIMS]; /* where the dimensions are by now */
    memcpy(from, order, (size_t)n->ndim * sizeof *from);
    for (int to = 0; to < n->ndim; to++) {
        for (int d = from[to]; d > to; d--) {
            cni_nest_swap(n, d - 1, d);
        }
        for (int later = to + 1; later < n->ndim; later++) {
            from[later] += from[later] < from[to] ? 1 : 0;
        }
    }
}

/* Kept dimensions first, each kind in its order; a kept last axis stays last. */
static void order_reduction(cni_nest *n)
{
    int order[CN_MAX_DIMS], count = 0, end = n->ndim;
    merge_dims(n, 0, &end);
    n->last_kept = n->ndim > 0 && !n->reduced[n->ndim - 1];
    n->nkept = 0;
    int last = n->last_kept ? n->ndim - 1 : n->ndim;
    for (int pass = 0; pass < 2; pass++) {
        for (int d = 0; d < last; d++) {
            if (n->reduced[d] == (pass == 1)) {
                order[count++] = d;
                n->nkept += pass == 0;
            }
        }
    }
    if (n->last_kept) {
        order[count] = last;
    }
    turn_dims(n, order);
    end = n->nkept;
    merge_dims(n, 0, &end);
    n->nkept = end;
    end = n->last_kept ? n->ndim - 1 : n->ndim;
    merge_dims(n, n->nkept, &end);
}

static void fill_access(const cni_part *part, const cni_window *w, cni_nest *n)
{
    for (uint32_t a = 0; a < part->naccess; a++) {
        cni_geometry g = cni_window_geometry(w, part->access[a].view);
        n->offsets[a] = g.offset;
        for (int d = 0; d < g.ndim; d++) {
            *stride_at(n, a, d) = g.shape[d] == 1 ? 0 : g.strides[d];
        }
    }
}

/* The view of the part's first result; CNI_NONE: it does not reduce. */
static uint32_t reduction_view(const cni_part *part)
{
    for (uint32_t i = 0; part->reduces && i < part->ninstr; i++) {
        if (part->instr[i].kind == CNI_INSTR_REDUCE) {
            return part->access[part->instr[i].access].view;
        }
    }
    return CNI_NONE;
}

bool cni_nest_make(const cni_part *part, const cni_window *w, cni_arena *arena, cni_nest *n)
{
    uint32_t reduce_view = reduction_view(part);
    const cni_shape_entry *shape = &w->shapes[part->shape];
    *n = (cni_nest){.ndim = shape->ndim, .naccess = part->naccess};
    memcpy(n->shape, w->geometry + shape->geometry, shape->ndim * sizeof *n->shape);
    n->offsets = cni_arena_raw(arena, part->naccess * sizeof *n->offsets);
    n->strides = cni_arena_raw(arena, (size_t)part->naccess * CN_MAX_DIMS * sizeof *n->strides);
    if (n->offsets == NULL || n->strides == NULL) {
        return false;
    }
    fill_access(part, w, n);
    if (reduce_view != CNI_NONE) {
        cni_geometry out = cni_window_geometry(w, reduce_view);
        for (int d = 0; d < out.ndim; d++) {
            n->reduced[d] = out.strides[d] == 0 && out.shape[d] != 1;
        }
        int order[CN_MAX_DIMS];
        cni_part_axes(w, part, order);
        turn_dims(n, order);
        drop_ones(n);
        order_reduction(n);
        return true;
    }
    drop_ones(n);
    flip_negative(n);
    sort_dims(n);
    int end = n->ndim;
    merge_dims(n, 0, &end);
    return true;
}
