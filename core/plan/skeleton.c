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

cn_status cni_skeleton_build(cni_window *w, cni_skeleton *s)
{
    if (!reserve(w, s) || !append_homes(w, s)) {
        return cni_fail_memory((int64_t)(w->nops * WORDS_PER_OP * sizeof(uint64_t)));
    }
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
        uint8_t state = base->buffer != NULL ? CNI_BASE_STORED : 0;
        state |= base->buffer != NULL && base->buffer->refs > 1 ? CNI_BASE_COMMON : 0;
        state |= cni_base_shared(base) ? CNI_BASE_SHARED : 0;
        state |= base->buffer != NULL && base->buffer->valid == CNI_ON_DEVICE ? CNI_BASE_AWAY : 0;
        s->states[i] = state;
        s->live[i] = base->arrays > 0 || base->windows > 1;
        *word++ = (uint64_t)state | (uint64_t)base->home_ndim << 8 | (uint64_t)base->home_itemsize << 16;
    }
    for (size_t i = 0; i < w->nscalars; i++) {
        *word++ = w->scalars[i].dtype;
    }
    s->nwords = (size_t)(word - s->words);
    s->hash = cni_hash_words(0, s->words, s->nwords);
    return CN_OK;
}
