/* loop_events.h - which floating-point events a loop had. See loop_events.c. */
#ifndef CNI_LOOP_EVENTS_H
#define CNI_LOOP_EVENTS_H

#include "cpu/loops.h"

/*
 * Runs the loop of an op on n elements and gives the kinds (CN_FP_ bits) of its events. number: over all rows; p and
 * scalars: as of cni_loop. Slower than the loop: for where an event may have happened.
 */
uint32_t cni_loop_events(int number, cni_loop loop, int64_t n, void **p, unsigned scalars);

/* Of kinds seen while the loop ran, those that were events. Its operands are as they were. */
uint32_t cni_loop_confirm(int number, int64_t n, void **p, unsigned scalars, uint32_t seen);

#endif
