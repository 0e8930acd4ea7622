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
    cni_free(w->words);
    cni_free(w->views);
    cni_free(w->bases);
    cni_free(w->shapes);
    cni_free(w->scalars);
    cni_free(w->geometry);
    cni_free(w->table);
    cni_free(w);
}

static inline uint64_t view_hash(uint32_t base, uint8_t dtype, const cni_geometry *g)
{
    uint64_t hash = cni_hash_mix(((uint64_t)base << 16) | dtype, (uint64_t)g->offset);
    for (int d = 0; d < g->ndim; d++) {
        hash = cni_hash_mix(hash, (uint64_t)g->shape[d] * UINT64_C(0xC2B2AE3D27D4EB4F) + (uint64_t)g->strides[d]);
    }
    return hash;
}

static inline void table_put(cni_window *w, uint32_t view, uint64_t hash)
{
    size_t mask = w->table_size - 1, slot = hash & mask;
    while (w->table[slot] >> 32 == (w->serial & UINT32_MAX)) {
        slot = (slot + 1) & mask;
    }
    w->table[slot] = (w->serial & UINT32_MAX) << 32 | (view + 1);
}

void cni_window_tabulate(cni_window *w)
{
    uint32_t nbases = 0;
    for (uint32_t v = 0; v < w->nviews; v++) {
        if (w->views[v].base == nbases) { /* its first */
            nbases++;
            continue;
        }
        cni_geometry g = cni_window_geometry(w, v);
        table_put(w, v, view_hash(w->views[v].base, w->views[v].dtype, &g));
    }
}

/* For so many views and those of one more op. */
static bool grow_table(cni_window *w, size_t nviews)
{
    size_t size = w->table_size == 0 ? TABLE_FIRST : w->table_size;
    while (size <= 2 * (nviews + CNI_OP_ARGS)) {
        size *= 2;
    }
    if (size == w->table_size) {
        return true;
    }
    uint64_t *table = cni_alloc_zero(size, sizeof *table);
    if (table == NULL) {
        return false;
    }
    cni_free(w->table);
    w->table = table;
    w->table_size = size;
    if (w->model == NULL) {
        cni_window_tabulate(w);
    }
    return true;
}

/* Numbers of the pool that the views of one op take at most: the homes of bases follow when the window is run. */
enum { OP_NUMBERS = CNI_OP_ARGS * (1 + 2 * CN_MAX_DIMS) };

bool cni_window_room(cni_window *w, const cni_model *m)
{
    return cni_grow((void **)&w->ops, &w->ops_capacity, m->nops + 1, sizeof *w->ops) &&
           cni_grow((void **)&w->words, &w->words_capacity, m->nops + 1, sizeof *w->words) &&
           cni_grow((void **)&w->views, &w->views_capacity, m->nviews + CNI_OP_ARGS, sizeof *w->views) &&
           cni_grow((void **)&w->bases, &w->bases_capacity, m->nbases + CNI_OP_ARGS, sizeof *w->bases) &&
           cni_grow((void **)&w->shapes, &w->shapes_capacity, m->nshapes + CNI_OP_ARGS, sizeof *w->shapes) &&
           cni_grow((void **)&w->scalars, &w->scalars_capacity, m->nscalars + CNI_OP_ARGS, sizeof *w->scalars) &&
           cni_grow((void **)&w->geometry, &w->geometry_capacity, m->ngeometry + OP_NUMBERS, sizeof *w->geometry) &&
           grow_table(w, m->nviews);
}

bool cni_window_reserve(cni_window *w)
{
    if (w->nops < w->ops_capacity && w->nops < w->words_capacity && w->nviews + CNI_OP_ARGS <= w->views_capacity &&
        w->nbases + CNI_OP_ARGS <= w->bases_capacity && w->nshapes + CNI_OP_ARGS <= w->shapes_capacity &&
        w->nscalars + CNI_OP_ARGS <= w->scalars_capacity && w->ngeometry + OP_NUMBERS <= w->geometry_capacity &&
        w->table_size > 2 * (w->nviews + CNI_OP_ARGS)) {
        return true;
    }
    return cni_window_room(w, &(cni_model){.nops = w->nops,
                                           .nviews = w->nviews,
                                           .nbases = w->nbases,
                                           .nshapes = w->nshapes,
                                           .nscalars = w->nscalars,
                                           .ngeometry = w->ngeometry});
}

/* A few numbers: no call. */
static inline bool same_numbers(int n, const int64_t *a, const int64_t *b)
{
    for (int d = 0; d < n; d++) {
        if (a[d] != b[d]) {
            return false;
        }
    }
    return true;
}

static inline void append_numbers(cni_window *w, int n, const int64_t *numbers)
{
    for (int d = 0; d < n; d++) {
        w->geometry[w->ngeometry++] = numbers[d];
    }
}

static uint32_t intern_shape(cni_window *w, int ndim, const int64_t *shape)
{
    for (size_t s = w->nshapes; s-- > 0;) {
        if (w->shapes[s].ndim == ndim && same_numbers(ndim, w->geometry + w->shapes[s].geometry, shape)) {
            return (uint32_t)s;
        }
    }
    w->shapes[w->nshapes] = (cni_shape_entry){(uint32_t)w->ngeometry, (uint8_t)ndim};
    append_numbers(w, ndim, shape);
    return (uint32_t)w->nshapes++;
}

bool cni_view_is_whole(const cni_base *base, const cni_geometry *g)
{
    return g->offset == 0 && g->itemsize == base->home_itemsize && g->ndim == base->home_ndim &&
           same_numbers(g->ndim, g->shape, base->home) && same_numbers(g->ndim, g->strides, base->home + g->ndim);
}

static inline uint64_t hash_with_view(uint64_t before, const cni_view *v)
{
    cni_hash_sum hash = cni_hash_begin(before);
    cni_hash_add(&hash, (uint64_t)v->base << 32 | v->shape);
    cni_hash_add(&hash,
                 (uint64_t)v->dtype << 16 | (uint64_t)v->ndim << 8 | (uint64_t)v->whole << 1 | (uint64_t)v->folded);
    return hash.sum;
}

static inline uint32_t view_append(cni_window *w, uint32_t base, uint8_t dtype, const cni_geometry *g)
{
    uint32_t shape = intern_shape(w, g->ndim, g->shape);
    bool whole = cni_view_is_whole(w->bases[base], g);
    cni_view *v = &w->views[w->nviews];
    v->base = base;
    v->shape = shape;
    v->geometry = (uint32_t)w->ngeometry;
    v->dtype = dtype;
    v->ndim = (uint8_t)g->ndim;
    v->whole = whole;
    v->folded = !whole && cni_geometry_self_overlap(g);
    v->size = 1;
    for (int d = 0; d < g->ndim; d++) {
        v->size *= g->shape[d];
    }
    w->geometry[w->ngeometry++] = g->offset;
    append_numbers(w, g->ndim, g->strides);
    w->hash = hash_with_view(w->hash, v);
    return (uint32_t)w->nviews++;
}

static bool view_equals(const cni_window *w, uint32_t view, uint32_t base, uint8_t dtype, const cni_geometry *g)
{
    const cni_view *v = &w->views[view];
    const int64_t *numbers = w->geometry + v->geometry;
    return v->base == base && v->dtype == dtype && v->ndim == g->ndim && numbers[0] == g->offset &&
           same_numbers(g->ndim, numbers + 1, g->strides) &&
           same_numbers(g->ndim, w->geometry + w->shapes[v->shape].geometry, g->shape);
}

static uint32_t intern_geometry(cni_window *w, const cni_base *base, uint8_t dtype, const cni_geometry *g)
{
    if (view_equals(w, base->first_view, base->index, dtype, g)) {
        return base->first_view;
    }
    uint64_t hash = view_hash(base->index, dtype, g);
    size_t mask = w->table_size - 1;
    for (size_t slot = hash & mask; w->table[slot] >> 32 == (w->serial & UINT32_MAX); slot = (slot + 1) & mask) {
        uint32_t view = (uint32_t)w->table[slot] - 1;
        if (view_equals(w, view, base->index, dtype, g)) {
            return view;
        }
    }
    uint32_t view = view_append(w, base->index, dtype, g);
    table_put(w, view, hash);
    return view;
}

uint32_t cni_window_intern_new(cni_window *w, const cni_operand *operand)
{
    cn_array *a = operand->array;
    cni_base *base = a->base;
    bool own = !operand->broadcast;
    cni_geometry g = {own ? a->ndim : operand->ndim, cni_dtype_size(a->dtype), a->offset,
                      own ? cni_shape(a) : operand->shape, own ? cni_strides(a) : operand->strides};
    uint32_t view;
    if (base->window != w) {
        cni_window_intern_base(w, base);
        view = base->first_view = view_append(w, base->index, a->dtype, &g);
    } else {
        view = intern_geometry(w, base, a->dtype, &g);
    }
    if (own) {
        a->view_index = view;
        a->window_serial = w->serial;
    }
    return view;
}

/* What appending its ops one after the other has made of w->hash. */
uint64_t cni_window_hash(const cni_window *w)
{
    uint64_t hash = 0;
    uint32_t nviews = 0;
    for (size_t k = 0; k < w->nops; k++) {
        const cni_op *op = &w->ops[k];
        for (int i = 0; i < op->nout + op->nin; i++) {
            if (op->args[i] == nviews) {
                hash = hash_with_view(hash, &w->views[nviews++]);
            }
        }
        hash = cni_hash_mix(hash, cni_op_hash(op));
    }
    return hash;
}

void cni_window_clear(cni_window *w, uint64_t serial)
{
    w->serial = serial;
    w->nops = w->nviews = w->nbases = w->nshapes = w->nscalars = w->ngeometry = 0;
    w->new_bytes = w->largest = 0;
    w->hash = 0;
    w->fading = NULL;
    w->ran = w->repeats = w->full = false;
    w->model = w->followed = NULL;
    w->content = 0;
}
