/*
 * imagined.h - how bases are spread over places that are not there (simulate.h). A base has a number while it is spread, as
 * it has one with other processes: behind it is its layout. What a window does to that follows from its partition.
 */
#ifndef CNI_IMAGINED_H
#define CNI_IMAGINED_H

#include "plan/partition.h"

/* Of the window's bases: their states as several places know them, and the layouts of those that are spread. */
void cni_imagined_states(const cni_window *w, uint8_t *states, const cni_layout **layouts);

/* The base is spread as the slot is, or not at all; whole: the root has all of it, too. */
cn_status cni_imagined_set(cni_base *base, const cni_slot_layout *slot, bool whole);

#endif
