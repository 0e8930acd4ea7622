/* skeleton.c - a window without its numbers: the key of its plan. */
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/status.h"
#include "plan/plan.h"

enum { WORDS_PER_OP = 4 };

void cni_skeleton_destroy(cni_skeleton *s)
{
    cni_free(s->words);
    cni_free(s->states);
    cni_free(s->live);
    cni_free(s->homes);
    *s = (cni_skeleton){0};
}

static bool reserve(const cni_window *w, cni_skeleton *s)
{
    size_t words = 2 + WORDS_PER_OP * w->nops + w->nviews + w->nbases + w->nscalars;
    return cni_grow((void **)&s->words, &s->capacity, words, sizeof *s->words) &&
           cni_grow((void **)&s->states, &s->states_capacity, w->nbases, sizeof *s->states) &&
           cni_grow((void **)&s->live, &s->live_capacity, w->nbases, sizeof *s->live) &&
           cni_grow((void **)&s->homes, &s->homes_capacity, w->nbases + 1, sizeof *s->homes);
}

static bool append_homes(cni_window *w, cni_skeleton *s)
{
    size_t need = w->ngeometry;
    for (size_t i = 0; i < w->nbases; i++) {
        need += 2 * (size_t)w->bases[i]->home_ndim;
    }
    if (!cni_grow((void **)&w->geometry, &w->geometry_capacity, need, sizeof *w->geometry)) {
        return false;
    }
    size_t at = w->ngeometry;
    for (size_t i = 0; i < w->nbases; i++) {
        size_t count = 2 * (size_t)w->bases[i]->home_ndim;
        s->homes[i] = (uint32_t)at;
        memcpy(w->geometry + at, w->bases[i]->home, count * sizeof *w->geometry);
        at += count;
    }
    s->homes[w->nbases] = (uint32_t)at;
    w->ngeometry = at; /* a binding is of these homes, too */
    return true;
}

static void op_words(const cni_op *op, uint64_t *words)
{
    uint64_t args[CNI_OP_ARGS + 1] = {0};
    for (int i = 0; i < op->nout + op->nin; i++) {
        args[i] = (op->args[i] & 0xFFFFFF) | op->args[i] >> 31 << 23;
    }
    words[0] = (uint64_t)op->kind | (uint64_t)op->flags << 8 | (uint64_t)op->opcode << 16 | (uint64_t)op->loop << 32 |
               (uint64_t)(op->nout * 16 + op->nin) << 48 | (uint64_t)op->parameter << 56;
    words[1] = args[0] | args[1] << 24 | (uint64_t)op->fp_kinds << 48;
    words[2] = args[2] | args[3] << 24;
    words[3] = args[4] | args[5] << 24;
}

static uint8_t state_of(const cni_base *base)
{
    const cni_buffer *buffer = base->buffer;
    uint8_t state = cni_base_shared(base) ? CNI_BASE_SHARED : 0;
    if (buffer == NULL) {
        return state;
    }
    state |= CNI_BASE_STORED;
    state |= buffer->refs > 1 ? CNI_BASE_COMMON : 0;
    state |= buffer->valid == CNI_ON_DEVICE ? CNI_BASE_AWAY : 0;
    state |= (buffer->valid & CNI_ON_PLACES) != 0 ? CNI_BASE_SPREAD : 0;
    state |= buffer->valid == (CNI_ON_PLACES | CNI_ON_HOST) ? CNI_BASE_WHOLE : 0;
    return state;
}

/* The words, once states and live are there. */
static void words_fill(const cni_window *w, cni_skeleton *s)
{
    uint64_t *word = s->words;
    *word++ = (uint64_t)w->nops | (uint64_t)w->nviews << 32;
    *word++ = (uint64_t)w->nbases | (uint64_t)w->nscalars << 20 | (uint64_t)w->nshapes << 40;
    for (size_t i = 0; i < w->nops; i++, word += WORDS_PER_OP) {
        op_words(&w->ops[i], word);
    }
    for (size_t i = 0; i < w->nviews; i++) {
        const cni_view *v = &w->views[i];
        *word++ = (uint64_t)v->base | (uint64_t)v->shape << 24 | (uint64_t)v->dtype << 48 | (uint64_t)v->ndim << 54 |
                  (uint64_t)v->whole << 62 | (uint64_t)v->folded << 63;
    }
    for (size_t i = 0; i < w->nbases; i++) {
        const cni_base *base = w->bases[i];
        *word++ = (uint64_t)s->states[i] | (uint64_t)base->home_ndim << 8 | (uint64_t)base->home_itemsize << 16;
    }
    for (size_t i = 0; i < w->nscalars; i++) {
        *word++ = w->scalars[i].dtype;
    }
    s->nwords = (size_t)(word - s->words);
    s->hash = cni_hash_words(0, s->words, s->nwords);
}

cn_status cni_skeleton_build(cni_window *w, cni_skeleton *s)
{
    if (!reserve(w, s) || !append_homes(w, s)) {
        return cni_fail_memory((int64_t)(w->nops * WORDS_PER_OP * sizeof(uint64_t)));
    }
    for (size_t i = 0; i < w->nbases; i++) {
        s->states[i] = state_of(w->bases[i]);
        s->live[i] = w->bases[i]->arrays > 0 || w->bases[i]->windows > 1;
    }
    words_fill(w, s);
    return CN_OK;
}

cn_status cni_skeleton_build_as(cni_window *w, const uint8_t *states, const uint8_t *live, cni_skeleton *s)
{
    if (!reserve(w, s) || !append_homes(w, s)) {
        return cni_fail_memory((int64_t)(w->nops * WORDS_PER_OP * sizeof(uint64_t)));
    }
    if (w->nbases > 0) {
        memcpy(s->states, states, w->nbases);
        memcpy(s->live, live, w->nbases);
    }
    words_fill(w, s);
    return CN_OK;
}
