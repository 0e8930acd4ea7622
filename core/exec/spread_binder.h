/*
 * spread_binder.h - shares being bound (spread_binding.c): to the processor at once; groups for the device when all of their
 * stage are known, so that boxes and parts that can run at the same time are one kernel.
 */
#ifndef CNI_SPREAD_BINDER_H
#define CNI_SPREAD_BINDER_H

#include "exec/place.h"
#include "exec/spread_binding.h"

/* A box of a group that the device is to do. */
typedef struct cni_pending_box {
    cni_bound_share *bound; /* NULL: bound */
    cni_box box;
} cni_pending_box;

typedef struct cni_binder {
    cni_spread_binding *b;
    const cni_plan *plan;
    const cni_window *w;
    const cni_skeleton *s;
    const cni_world *world;
    int64_t *geometry;        /* the window's, for a box; as often as boxes are bound together */
    cni_pending_box *pending; /* of the stage at hand */
    size_t npending, pending_capacity;
    const cni_stage *stage; /* at hand */
    const cni_place *place; /* of the shares at hand */
    bool waits;             /* so does the share at hand */
} cni_binder;

/* Binds the part at the processor. */
cn_status cni_bind_host(cni_binder *k, const cni_part *part, const cni_window *w, const cni_span *span, void **out);

/* A share at its place; what the device refuses is the processor's. */
cn_status cni_bind_alone(cni_binder *k, const cni_part *part, const cni_window *w, const cni_span *span,
                         cni_bound_share *bound);

/* A range of a reduction, which its processor does unless the device can. */
cn_status cni_bind_range(cni_binder *k, const cni_share *share, cni_bound_share *bound);

/* A share of a chain: its processor's, for which the device does most if it can. */
cn_status cni_bind_link(cni_binder *k, const cni_part *part, const cni_window *w, cni_bound_share *bound);

/* A box of a group: at once or, for the device, by cni_bind_pending. */
cn_status cni_bind_box(cni_binder *k, const cni_part *part, const cni_box *box, cni_bound_share *bound);

/* The stage's groups for the device, as many as one as it takes. */
cn_status cni_bind_pending(cni_binder *k);

#endif
