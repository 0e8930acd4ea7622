/*
 * skeleton.c - a window without its numbers: the key of its plan.
 *
 * Most of it is there already: the first words of the window's ops and views, hashed while they were recorded. What is
 * left for the moment when it runs: the states of its bases, and which of them are alive.
 */
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/status.h"
#include "plan/plan.h"

void cni_skeleton_destroy(cni_skeleton *s)
{
    cni_free(s->bases);
    cni_free(s->states);
    cni_free(s->live);
    cni_free(s->homes);
    *s = (cni_skeleton){0};
}

/* Room for the bases. */
static bool reserve(const cni_window *w, cni_skeleton *s)
{
    size_t n = w->nbases + 1;
    if (n <= s->capacity) {
        return true;
    }
    size_t bases = s->capacity, states = s->capacity, live = s->capacity, homes = s->capacity;
    bool grown = cni_grow((void **)&s->bases, &bases, n, sizeof *s->bases) &&
                 cni_grow((void **)&s->states, &states, n, sizeof *s->states) &&
                 cni_grow((void **)&s->live, &live, n, sizeof *s->live) &&
                 cni_grow((void **)&s->homes, &homes, n, sizeof *s->homes);
    s->capacity = grown ? homes : s->capacity;
    return grown;
}

static inline uint8_t state_of(const cni_base *base)
{
    const cni_buffer *buffer = base->buffer;
    uint32_t state = cni_base_shared(base) ? CNI_BASE_SHARED : 0;
    if (buffer != NULL) {
        state |= CNI_BASE_STORED | (buffer->refs > 1 ? CNI_BASE_COMMON : 0U) |
                 (buffer->valid == CNI_ON_DEVICE ? CNI_BASE_AWAY : 0U) |
                 ((buffer->valid & CNI_ON_PLACES) != 0 ? CNI_BASE_SPREAD : 0U) |
                 (buffer->valid == (CNI_ON_PLACES | CNI_ON_HOST) ? CNI_BASE_WHOLE : 0U) |
                 (buffer->spread == NULL || !buffer->spread->reserved ? CNI_BASE_FILLED : 0U);
    }
    return (uint8_t)state;
}

/* The homes, behind the window's own numbers, the words and the hash, once states and live are there. */
static cn_status finish(cni_window *w, cni_skeleton *s)
{
    cni_hash_sum hash = cni_hash_begin(w->hash);
    size_t to = w->ngeometry;
    for (size_t i = 0; i < w->nbases; i++) {
        const cni_base *base = w->bases[i];
        size_t n = 2 * (size_t)base->home_ndim;
        if (to + n > w->geometry_capacity &&
            !cni_grow((void **)&w->geometry, &w->geometry_capacity, to + n, sizeof *w->geometry)) {
            return cni_fail_memory((int64_t)(n * sizeof *w->geometry));
        }
        s->bases[i] = s->states[i] | (uint32_t)base->home_ndim << 8 | (uint32_t)base->home_itemsize << 16;
        s->homes[i] = (uint32_t)to;
        for (size_t k = 0; k < n; k++) {
            w->geometry[to++] = base->home[k];
        }
        cni_hash_add(&hash, s->bases[i]);
    }
    w->ngeometry = to; /* a binding is of these homes, too */
    s->homes[w->nbases] = (uint32_t)to;
    for (size_t i = 0; i < w->nscalars; i++) {
        cni_hash_add(&hash, w->scalars[i].dtype);
    }
    s->hash = cni_hash_mix(hash.sum, w->nops);
    return CN_OK;
}

cn_status cni_skeleton_build(cni_window *w, cni_skeleton *s)
{
    if (!reserve(w, s)) {
        return cni_fail_memory((int64_t)(w->nbases * sizeof *s->bases));
    }
    for (size_t i = 0; i < w->nbases; i++) {
        s->states[i] = state_of(w->bases[i]);
        const cni_base *base = w->bases[i];
        bool known = base->arrays > 0 || base->windows > 1;
        /* Again: what is known has its last version, and keeps it, since the plan writes it anew. */
        s->live[i] = w->ran ? base == w->fading || (known && base->buffer != NULL) : known && base != w->fading;
    }
    return finish(w, s);
}

cn_status cni_skeleton_build_as(cni_window *w, const uint8_t *states, const uint8_t *live, cni_skeleton *s)
{
    if (!reserve(w, s)) {
        return cni_fail_memory((int64_t)(w->nbases * sizeof *s->bases));
    }
    if (w->nbases > 0) {
        memcpy(s->states, states, w->nbases);
        memcpy(s->live, live, w->nbases);
    }
    return finish(w, s);
}

cni_geometry cni_skeleton_home(const cni_skeleton *s, const cni_window *w, uint32_t base)
{
    int ndim = w->bases[base]->home_ndim;
    const int64_t *numbers = w->geometry + s->homes[base];
    return (cni_geometry){ndim, w->bases[base]->home_itemsize, 0, numbers, numbers + ndim};
}

/* Are the first `words` words of every element equal? */
static bool heads_equal(const void *a, const void *b, size_t count, size_t size, size_t words)
{
    uint64_t differ = 0;
    for (size_t i = 0; i < count && differ == 0; i++) {
        const char *x = (const char *)a + i * size, *y = (const char *)b + i * size;
        for (size_t k = 0; k < words; k++) {
            uint64_t p, q;
            memcpy(&p, x + k * sizeof p, sizeof p);
            memcpy(&q, y + k * sizeof q, sizeof q);
            differ |= p ^ q;
        }
    }
    return differ == 0;
}

bool cni_skeleton_equals(cni_plan *plan, const cni_window *w, const cni_skeleton *s)
{
    if (plan->nops != w->nops || plan->nviews != w->nviews || plan->nbases != w->nbases ||
        plan->nscalars != w->nscalars || memcmp(plan->bases, s->bases, w->nbases * sizeof *s->bases) != 0) {
        return false;
    }
    for (size_t i = 0; i < w->nscalars; i++) {
        if (plan->scalars[i] != w->scalars[i].dtype) {
            return false;
        }
    }
    if (w->content != 0 && w->content == plan->content) {
        return true;
    }
    bool equal = heads_equal(plan->ops, w->ops, w->nops, sizeof *w->ops, CNI_OP_WORDS) &&
                 heads_equal(plan->views, w->views, w->nviews, sizeof *w->views, CNI_VIEW_WORDS);
    plan->content = equal && w->content != 0 ? w->content : plan->content;
    return equal;
}

bool cni_skeleton_keep(cni_plan *plan, const cni_window *w, const cni_skeleton *s)
{
    uint8_t *scalars = cni_arena_alloc(&plan->arena, w->nscalars);
    for (size_t i = 0; scalars != NULL && i < w->nscalars; i++) {
        scalars[i] = (uint8_t)w->scalars[i].dtype;
    }
    plan->hash = s->hash;
    plan->nops = (uint32_t)w->nops;
    plan->nviews = (uint32_t)w->nviews;
    plan->nbases = (uint32_t)w->nbases;
    plan->nscalars = (uint32_t)w->nscalars;
    plan->ops = cni_arena_copy(&plan->arena, w->ops, w->nops * sizeof *w->ops);
    plan->views = cni_arena_copy(&plan->arena, w->views, w->nviews * sizeof *w->views);
    plan->bases = cni_arena_copy(&plan->arena, s->bases, w->nbases * sizeof *s->bases);
    plan->scalars = scalars;
    return plan->ops != NULL && plan->views != NULL && plan->bases != NULL && scalars != NULL;
}
