/*
 * turns.h - parts whose arrays the device has no room for: it does them in boxes, one after the other, while the one before
 * goes to the host and the one behind comes from there.
 *
 *     up      | box 0 | box 1 | box 2 | box 3 |
 *     work            | box 0 | box 1 | box 2 | box 3 |
 *     down                    | box 0 | box 1 | box 2 | box 3 |
 *
 * To plans this is a place whose arrays are on the host. It takes a part only where that is sooner than the processor, by
 * the constants of costs.h. Boxes are shares of a part like those of several places: the same bits.
 */
#ifndef CNI_TURNS_H
#define CNI_TURNS_H

#include "exec/place.h"

extern const cni_place cni_turn_place;

/* Bytes that arrays may have on the device together; 0: there is none that does boxes in turn. */
int64_t cni_turn_capacity(void);

#endif
