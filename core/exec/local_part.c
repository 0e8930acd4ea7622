/* local_part.c - see local_part.h. */
#include "exec/local_part.h"

#include <string.h>

/* A view of its own for the access: the box of the view that it has. Returns how many numbers it took. */
static uint32_t restrict_access(cni_local_part *l, uint32_t a, const cni_window *w, const cni_box *box, uint32_t used)
{
    const cni_view *view = &w->views[l->access[a].view];
    cni_geometry g = cni_window_geometry(w, l->access[a].view);
    int64_t *numbers = l->geometry + used;
    numbers[0] = g.offset;
    for (int d = 0; d < g.ndim; d++) {
        numbers[0] += box->start[d] * g.strides[d];
        numbers[1 + d] = g.strides[d];
        numbers[1 + g.ndim + d] = box->stop[d] - box->start[d];
    }
    l->access[a].view = a;
    l->views[a] = *view;
    l->views[a].shape = a;
    l->views[a].geometry = used;
    l->views[a].whole = false;
    l->views[a].size = cni_element_count(g.ndim, numbers + 1 + g.ndim);
    l->shapes[a] = (cni_shape_entry){.geometry = used + 1 + (uint32_t)g.ndim, .ndim = (uint8_t)g.ndim};
    return 1 + 2 * (uint32_t)g.ndim;
}

void cni_local_part_make(const cni_part *part, const cni_window *w, const cni_share *share, int i, cni_local_part *out)
{
    cni_geometry first = cni_window_geometry(w, part->access[0].view);
    uint32_t used = 0;
    out->part = *part;
    out->box = *cni_share_box(share, i, 0);
    memcpy(out->whole, first.shape, (size_t)first.ndim * sizeof *out->whole);
    memcpy(out->access, part->access, part->naccess * sizeof *out->access);
    for (uint32_t a = 0; a < part->naccess; a++) {
        if (out->access[a].view != CNI_NONE) {
            used += restrict_access(out, a, w, cni_share_box(share, i, a), used);
        }
    }
    out->part.access = out->access;
    out->part.shape = 0;
}

cni_window cni_local_window(cni_local_part *l, const cni_window *w)
{
    cni_window local = *w;
    local.views = l->views;
    local.shapes = l->shapes;
    local.geometry = l->geometry;
    local.nviews = local.nshapes = l->part.naccess;
    local.ngeometry = sizeof l->geometry / sizeof *l->geometry;
    return local;
}

/* The run with that window, for which the caller has room. */
static cni_run local_run(cni_local_part *l, const cni_run *run, cni_window *local)
{
    cni_run here = *run;
    *local = cni_local_window(l, run->window);
    here.window = local;
    here.box = &l->box;
    here.whole = l->whole;
    return here;
}

void cni_local_part_run(cni_local_part *l, const cni_place *place, void *binding, const cni_run *run)
{
    cni_window local;
    cni_run here = local_run(l, run, &local);
    place->run(&l->part, binding, &here);
}

void cni_local_part_chain(cni_local_part *l, void *binding, const cni_run *run, const cni_link *link,
                          cni_link_phase phase)
{
    cni_window local;
    cni_run here = local_run(l, run, &local);
    cni_cpu_place.sharing->chain(&l->part, binding, &here, link, phase);
}

cn_status cni_local_part_rows(cni_local_part *l, void *binding, const cni_run *run, const cni_link *link,
                              cni_link_phase phase, void *const *rows)
{
    cni_window local;
    cni_run here = local_run(l, run, &local);
    return cni_device_place()->rows(&l->part, binding, &here, link->before, phase, rows);
}

cni_window cni_window_of_box(const cni_window *w, const cni_part *part, const cni_box *box, int64_t *geometry)
{
    cni_window local = *w;
    const cni_shape_entry *shape = &local.shapes[part->shape];
    memcpy(geometry, local.geometry, local.all_geometry * sizeof *geometry);
    local.geometry = geometry;
    for (size_t v = 0; v < local.all_views; v++) {
        if (local.views[v].shape == part->shape) {
            int64_t *numbers = geometry + local.views[v].geometry;
            for (int d = 0; d < shape->ndim; d++) {
                numbers[0] += box->start[d] * numbers[1 + d];
            }
        }
    }
    for (int d = 0; d < shape->ndim; d++) {
        geometry[shape->geometry + (uint32_t)d] = box->stop[d] - box->start[d];
    }
    return local;
}
