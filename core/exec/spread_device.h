/*
 * spread_device.h - what places of this process do on the device: which shares, and which bytes are touched there.
 *
 * Where a share runs is a function of the program (sizes and repeats), the same at every process. It is each process's own
 * matter, though: messages are the same either way, so what one cannot do on its device, its processor does.
 */
#ifndef CNI_SPREAD_DEVICE_H
#define CNI_SPREAD_DEVICE_H

#include "exec/place.h"
#include "exec/spread_binding.h"

/* The place for shares of the part: the device, or the processor. */
const cni_place *cni_share_place(const cni_spread_binding *b, const cni_plan *plan, const cni_shared_part *shared,
                                 const cni_window *w, const cni_skeleton *s);

/* Room for what is known of the plan's slots, and of panels, at places; none touches any yet. */
cn_status cni_share_slots(cni_spread_binding *b, size_t plans, const cni_world *world);

/* A share was bound at the device: what it touches, in the geometry of this window. */
void cni_share_touches(cni_spread_binding *b, int local, const cni_shared_part *shared, const cni_part *part,
                       const cni_window *w, const cni_span *span);

/* The device does a part that places do together: what it touches at each of them. */
void cni_share_touches_joint(cni_spread_binding *b, const cni_world *world, const cni_shared_part *shared,
                             const cni_window *w);

/* All shares are bound: what places own, and what comes to them there. */
void cni_share_spans(cni_spread_binding *b, const cni_plan *plan, const cni_world *world);

/* Is it time to ask anew where shares run, of a binding that has run so often? */
bool cni_share_asks(cni_spread_binding *b);

#endif
