/* shared_events.h - the floating-point events of an op that several threads run, each of which has its own flags. */
#ifndef CNI_SHARED_EVENTS_H
#define CNI_SHARED_EVENTS_H

#include <stdatomic.h>

#include "cpu/events.h"
#include "exec/place.h"

typedef struct cni_shared_events {
    unsigned wanted; /* kinds */
    atomic_uint seen;
} cni_shared_events;

/* Around what a thread does. */
static inline void cni_shared_events_begin(const cni_shared_events *e)
{
    if (e->wanted != 0) {
        cni_events_clear();
    }
}

static inline void cni_shared_events_note(cni_shared_events *e)
{
    if (e->wanted != 0) {
        atomic_fetch_or_explicit(&e->seen, cni_events_seen() & e->wanted, memory_order_relaxed);
    }
}

/* When all threads are done. */
static inline void cni_shared_events_report(cni_shared_events *e, const cni_run *run, uint32_t op)
{
    unsigned seen = atomic_load(&e->seen);
    for (uint32_t kind = 1; kind <= CN_FP_INVALID; kind <<= 1) {
        if ((seen & kind) != 0) {
            cni_run_event(run, op, kind);
        }
    }
}

#endif
