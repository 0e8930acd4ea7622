/* window.c - see window.h: windows as data (interning), without when they run (recorder.c). */
#include "record/window.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/status.h"
#include "record/intern.h"

enum { TABLE_FIRST = 256 };

void cni_window_destroy(cni_window *w)
{
    if (w == NULL) {
        return;
    }
    cni_free(w->ops);
    cni_free(w->views);
    cni_free(w->bases);
    cni_free(w->shapes);
    cni_free(w->scalars);
    cni_free(w->geometry);
    cni_free(w->table);
    cni_free(w);
}

static bool grow_table(cni_window *w)
{
    if (w->table_size > 2 * (w->nviews + CNI_OP_ARGS)) {
        return true;
    }
    size_t size = w->table_size == 0 ? TABLE_FIRST : w->table_size * 2;
    uint64_t *table = cni_alloc_zero(size, sizeof *table);
    if (table == NULL) {
        return false;
    }
    cni_free(w->table);
    w->table = table;
    w->table_size = size;
    for (uint32_t v = 0; v < w->nviews; v++) {
        cni_geometry g = cni_window_geometry(w, v);
        cni_window_table_put(w, v, cni_view_hash(w->views[v].base, w->views[v].dtype, &g));
    }
    return true;
}

bool cni_window_reserve(cni_window *w, const cni_op *op, const cni_operand *operands)
{
    size_t nargs = (size_t)op->nout + op->nin, numbers = 0;
    for (size_t i = 0; i < nargs; i++) {
        const cni_operand *o = &operands[i];
        numbers += o->array == NULL ? 0 : 1 + 2 * (size_t)(o->broadcast ? o->ndim : o->array->ndim);
        /* the home shape and strides of a base new to the window follow when it is sealed */
    }
    if (w->nops < w->ops_capacity && w->nviews + nargs <= w->views_capacity && w->nbases + nargs <= w->bases_capacity &&
        w->nshapes + nargs <= w->shapes_capacity && w->nscalars + nargs <= w->scalars_capacity &&
        w->ngeometry + numbers <= w->geometry_capacity && w->table_size > 2 * (w->nviews + CNI_OP_ARGS)) {
        return true;
    }
    return cni_grow((void **)&w->ops, &w->ops_capacity, w->nops + 1, sizeof *w->ops) &&
           cni_grow((void **)&w->views, &w->views_capacity, w->nviews + nargs, sizeof *w->views) &&
           cni_grow((void **)&w->bases, &w->bases_capacity, w->nbases + nargs, sizeof *w->bases) &&
           cni_grow((void **)&w->shapes, &w->shapes_capacity, w->nshapes + nargs, sizeof *w->shapes) &&
           cni_grow((void **)&w->scalars, &w->scalars_capacity, w->nscalars + nargs, sizeof *w->scalars) &&
           cni_grow((void **)&w->geometry, &w->geometry_capacity, w->ngeometry + numbers, sizeof *w->geometry) &&
           grow_table(w);
}

static uint32_t intern_base(cni_window *w, cni_base *base)
{
    base->window = w;
    base->index = (uint32_t)w->nbases;
    base->windows++;
    w->bases[w->nbases++] = base;
    w->new_bytes += base->buffer == NULL ? base->nbytes : 0;
    return base->index;
}

static uint32_t intern_shape(cni_window *w, int ndim, const int64_t *shape)
{
    size_t size = (size_t)ndim * sizeof *shape;
    for (size_t s = w->nshapes; s-- > 0;) {
        if (w->shapes[s].ndim == ndim && memcmp(w->geometry + w->shapes[s].geometry, shape, size) == 0) {
            return (uint32_t)s;
        }
    }
    w->shapes[w->nshapes] = (cni_shape_entry){(uint32_t)w->ngeometry, (uint8_t)ndim};
    memcpy(w->geometry + w->ngeometry, shape, size);
    w->ngeometry += (size_t)ndim;
    return (uint32_t)w->nshapes++;
}

static bool view_is_whole(const cni_base *base, const cni_geometry *g)
{
    cni_geometry home = cni_base_home(base);
    return g->offset == 0 && g->itemsize == home.itemsize && g->ndim == home.ndim &&
           memcmp(g->shape, home.shape, (size_t)g->ndim * sizeof *g->shape) == 0 &&
           memcmp(g->strides, home.strides, (size_t)g->ndim * sizeof *g->strides) == 0;
}

static uint32_t view_append(cni_window *w, uint32_t base, uint8_t dtype, const cni_geometry *g)
{
    uint32_t shape = intern_shape(w, g->ndim, g->shape);
    cni_view *v = &w->views[w->nviews];
    *v = (cni_view){.base = base, .shape = shape, .geometry = (uint32_t)w->ngeometry, .dtype = dtype,
                    .ndim = (uint8_t)g->ndim, .size = cni_element_count(g->ndim, g->shape)};
    v->whole = view_is_whole(w->bases[base], g);
    v->folded = !v->whole && cni_geometry_self_overlap(g);
    w->geometry[w->ngeometry++] = g->offset;
    memcpy(w->geometry + w->ngeometry, g->strides, (size_t)g->ndim * sizeof *g->strides);
    w->ngeometry += (size_t)g->ndim;
    w->hash = cni_hash_take(w->hash, v, CNI_VIEW_WORDS);
    return (uint32_t)w->nviews++;
}

static bool view_equals(const cni_window *w, uint32_t view, uint32_t base, uint8_t dtype, const cni_geometry *g)
{
    const cni_view *v = &w->views[view];
    if (v->base != base || v->dtype != dtype || v->ndim != g->ndim) {
        return false;
    }
    cni_geometry have = cni_window_geometry(w, view);
    size_t size = (size_t)g->ndim * sizeof *g->shape;
    return have.offset == g->offset && memcmp(have.shape, g->shape, size) == 0 &&
           memcmp(have.strides, g->strides, size) == 0;
}

uint64_t cni_view_hash(uint32_t base, uint8_t dtype, const cni_geometry *g)
{
    uint64_t hash = cni_hash_mix(((uint64_t)base << 16) | dtype, (uint64_t)g->offset);
    for (int d = 0; d < g->ndim; d++) {
        hash = cni_hash_mix(hash, (uint64_t)g->shape[d] * UINT64_C(0xC2B2AE3D27D4EB4F) + (uint64_t)g->strides[d]);
    }
    return hash;
}

void cni_window_table_put(cni_window *w, uint32_t view, uint64_t hash)
{
    size_t mask = w->table_size - 1, slot = hash & mask;
    while (w->table[slot] >> 32 == (w->serial & UINT32_MAX)) {
        slot = (slot + 1) & mask;
    }
    w->table[slot] = (w->serial & UINT32_MAX) << 32 | (view + 1);
}

/* fresh: the window has no view on the base yet. */
static uint32_t intern_geometry(cni_window *w, uint32_t base, bool fresh, uint8_t dtype, const cni_geometry *g)
{
    uint64_t hash = cni_view_hash(base, dtype, g);
    size_t mask = w->table_size - 1;
    for (size_t slot = hash & mask; !fresh && w->table[slot] >> 32 == (w->serial & UINT32_MAX); slot = (slot + 1) & mask) {
        uint32_t view = (uint32_t)w->table[slot] - 1;
        if (view_equals(w, view, base, dtype, g)) {
            return view;
        }
    }
    uint32_t view = view_append(w, base, dtype, g);
    cni_window_table_put(w, view, hash);
    return view;
}

uint32_t cni_window_intern(cni_window *w, const cni_operand *operand)
{
    cn_array *a = operand->array;
    if (!operand->broadcast && a->window_serial == w->serial) {
        return a->view_index;
    }
    bool fresh = a->base->window != w;
    uint32_t base = fresh ? intern_base(w, a->base) : a->base->index;
    cni_geometry g = cni_array_geometry(a);
    if (operand->broadcast) {
        g.ndim = operand->ndim;
        g.shape = operand->shape;
        g.strides = operand->strides;
        return intern_geometry(w, base, fresh, a->dtype, &g);
    }
    a->view_index = intern_geometry(w, base, fresh, a->dtype, &g);
    a->window_serial = w->serial;
    return a->view_index;
}

void cni_window_clear(cni_window *w, uint64_t serial)
{
    w->serial = serial;
    w->nops = w->nviews = w->nbases = w->nshapes = w->nscalars = w->ngeometry = 0;
    w->new_bytes = 0;
    w->hash = 0;
}
