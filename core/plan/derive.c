/*
 * derive.c - the shapes and views that a plan has beside those of its windows: what of a view lies in a box of the
 * iteration space, computed for every window that the plan is used for.
 */
#include "base/memory.h"
#include "base/status.h"
#include "plan/plan.h"

bool cni_view_box(const cni_skeleton *s, const cni_window *w, uint32_t view, cni_lattice *box, int *axes)
{
    cni_geometry home = cni_skeleton_home(s, w, w->views[view].base), g = cni_window_geometry(w, view);
    if (w->views[view].size == 0 || !cni_lattice_make(&home, &g, box)) {
        return false;
    }
    int left = 0;
    for (int d = 0; d < g.ndim; d++) {
        left += g.shape[d] > 1;
    }
    for (int k = 0; k < home.ndim; k++) {
        axes[k] = -1;
        for (int d = 0; d < g.ndim && box->count[k] > 1 && axes[k] < 0; d++) {
            if (g.shape[d] == box->count[k] && g.strides[d] == home.strides[k]) {
                axes[k] = d;
                left--;
            }
        }
        if (box->count[k] > 1 && axes[k] < 0) {
            return false;
        }
    }
    return left == 0;
}

/* The same of a view that is one: a guard says so. */
static cni_lattice box_of(const cni_skeleton *s, const cni_window *w, uint32_t view, int *axes)
{
    cni_lattice box = {0};
    (void)cni_view_box(s, w, view, &box, axes);
    return box;
}

/* Writes the extents of the cut, and then where it begins. */
static int64_t *cut_write(const cni_cut *cut, const cni_skeleton *s, const cni_window *w, int64_t *to, int *ndim)
{
    int axes[CNI_LATTICE_DIMS];
    cni_lattice box = box_of(s, w, cut->list[0], axes);
    for (uint32_t i = 1; i < cut->nlist; i++) {
        cni_lattice other = box_of(s, w, cut->list[i], axes);
        for (int k = 0; k < box.ndim; k++) {
            int64_t start = box.start[k] > other.start[k] ? box.start[k] : other.start[k];
            int64_t end = box.start[k] + box.count[k], other_end = other.start[k] + other.count[k];
            box.start[k] = start;
            box.count[k] = (end < other_end ? end : other_end) - start;
        }
    }
    *ndim = box.ndim;
    for (int k = 0; k < box.ndim; k++) {
        to[k] = box.count[k];
        to[box.ndim + k] = box.start[k];
    }
    return to + 2 * box.ndim;
}

static int64_t *view_write(const cni_derived *x, const cni_skeleton *s, cni_window *w, cni_view *view, int64_t *to)
{
    const cni_view *from = &w->views[x->view];
    uint32_t shape = (uint32_t)w->nshapes + x->cut;
    int ndim = w->shapes[shape].ndim;
    const int64_t *extents = w->geometry + w->shapes[shape].geometry, *start = extents + ndim;
    const int64_t *numbers = w->geometry + from->geometry;
    *view = (cni_view){.base = from->base,
                       .shape = shape,
                       .geometry = (uint32_t)(to - w->geometry),
                       .dtype = from->dtype,
                       .ndim = (uint8_t)ndim,
                       .folded = from->folded,
                       .size = cni_element_count(ndim, extents)};
    int64_t *strides = to + 1;
    int axes[CNI_LATTICE_DIMS];
    cni_lattice origin = {0};
    if (x->origin != CNI_NONE) {
        origin = box_of(s, w, x->origin, axes);
    }
    to[0] = numbers[0];
    for (int k = 0; k < ndim; k++) { /* a view of the origin's shape has the origin's dimensions */
        int d = x->origin == CNI_NONE ? k : axes[k];
        strides[k] = d < 0 ? 0 : numbers[1 + d];
        to[0] += (start[k] - origin.start[k]) * strides[k];
    }
    return strides + ndim;
}

cn_status cni_plan_derive(const cni_plan *plan, const cni_skeleton *s, cni_window *w)
{
    w->all_views = w->nviews + plan->nderived;
    w->all_geometry = w->ngeometry;
    if (plan->ncuts == 0) {
        return CN_OK;
    }
    size_t numbers = w->ngeometry + (2 * plan->ncuts + 2 * plan->nderived) * (CNI_LATTICE_DIMS + 1);
    size_t nshapes = w->nshapes + plan->ncuts;
    if (!cni_grow((void **)&w->views, &w->views_capacity, w->all_views, sizeof *w->views) ||
        !cni_grow((void **)&w->shapes, &w->shapes_capacity, nshapes, sizeof *w->shapes) ||
        !cni_grow((void **)&w->geometry, &w->geometry_capacity, numbers, sizeof *w->geometry)) {
        return cni_fail_memory((int64_t)(numbers * sizeof *w->geometry));
    }
    int64_t *to = w->geometry + w->ngeometry;
    for (uint32_t c = 0; c < plan->ncuts; c++) {
        cni_shape_entry *shape = &w->shapes[w->nshapes + c];
        int ndim;
        shape->geometry = (uint32_t)(to - w->geometry);
        to = cut_write(&plan->cuts[c], s, w, to, &ndim);
        shape->ndim = (uint8_t)ndim;
    }
    for (uint32_t i = 0; i < plan->nderived; i++) {
        to = view_write(&plan->derived[i], s, w, &w->views[w->nviews + i], to);
    }
    w->all_geometry = (size_t)(to - w->geometry);
    return CN_OK;
}
