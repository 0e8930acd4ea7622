/* intern.h - between window.c (data), follow.c and recorder.c (when): how an operand gets its number. */
#ifndef CNI_INTERN_H
#define CNI_INTERN_H

#include "base/hash.h"
#include "base/stats.h"
#include "record/window.h"

extern uint64_t cni_op_clock; /* ops recorded so far, by all threads */

/* Room for one more op; false without memory, then nothing has changed. */
bool cni_window_reserve(cni_window *w);

/* Room for as much as the model has, and one more op. */
bool cni_window_room(cni_window *w, const cni_model *m);

/* Gives an array operand's view its number; cannot fail after cni_window_reserve. */
uint32_t cni_window_intern_new(cni_window *w, const cni_operand *operand);

/* The number of an array operand's view. */
static inline uint32_t cni_window_intern(cni_window *w, const cni_operand *operand)
{
    const cn_array *a = operand->array;
    return !operand->broadcast && a->window_serial == w->serial ? a->view_index : cni_window_intern_new(w, operand);
}

static inline void cni_window_intern_base(cni_window *w, cni_base *base)
{
    base->window = w;
    base->index = (uint32_t)w->nbases;
    base->windows++;
    w->bases[w->nbases++] = base;
    int64_t fresh = base->buffer == NULL ? base->nbytes : 0;
    w->new_bytes += fresh;
    w->largest = fresh > w->largest ? fresh : w->largest;
}

/* Is the view the whole base, as it lies? */
bool cni_view_is_whole(const cni_base *base, const cni_geometry *g);

/* Views by what they are, anew; and the hash of ops and views. */
void cni_window_tabulate(cni_window *w);
uint64_t cni_window_hash(const cni_window *w);

void cni_window_clear(cni_window *w, uint64_t serial);

/* ---- What every op does to what it mentions ---- */

/* What an op is, in one word: all but operands and context. */
static inline uint64_t cni_op_word(const cni_op *op)
{
    return (uint64_t)op->kind | (uint64_t)op->flags << 8 | (uint64_t)op->opcode << 16 | (uint64_t)op->loop << 32 |
           (uint64_t)op->nin << 48 | (uint64_t)op->parameter << 56;
}

/* The op's part of its window's hash. */
static inline uint64_t cni_op_hash(const cni_op *op)
{
    cni_hash_sum hash = cni_hash_begin(cni_op_word(op));
    cni_hash_add(&hash, op->fp_kinds);
    for (int i = 0; i < op->nout + op->nin; i++) {
        cni_hash_add(&hash, op->args[i]);
    }
    return hash.sum;
}

/* What an operand adds to the hash that repeats are found by: how long ago it was touched, no extents, no addresses. */
static inline uint64_t cni_operand_word(const cni_operand *o)
{
    if (o->array == NULL) {
        return 0;
    }
    uint64_t last = o->array->base->last_touch;
    return (last == 0 ? UINT32_MAX : cni_op_clock - last) << 16 | (uint64_t)o->array->dtype << 8 | o->array->ndim;
}

static inline void cni_touch(cni_recorder *r, cni_base *base, bool written)
{
    base->last_touch = cni_op_clock;
    if (written && !base->pending_write) {
        base->pending_write = true;
        r->pending_bytes += base->nbytes;
    }
}

static inline void cni_op_recorded(cni_window *w)
{
    w->nops++;
    cni_op_clock++;
    cni_stats.ops++;
}

/* Bytes that pending results may take before they run. */
int64_t cni_pinned_limit(void);

/* Do the window's take more? Not a few alone of those that are beyond the limit each: then nothing would be fused. */
static inline bool cni_window_pins_much(const cni_window *w, int64_t limit)
{
    enum { FEW = 8 };
    return w->new_bytes > limit && (w->largest <= limit || w->new_bytes / FEW > w->largest);
}

#endif
