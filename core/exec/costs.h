/*
 * costs.h - what work takes: the one table of constants by which it is decided where work runs, and how much work a part is.
 *
 * Rough figures, in nanoseconds, of an H100 and of 16 processors beside it (bench/larger.py); where work runs is a function
 * of the program, of how many threads there are and of these, never of time.
 */
#ifndef CNI_COSTS_H
#define CNI_COSTS_H

#include "plan/plan.h"

typedef struct cni_costs {
    double unit, byte, multiplication; /* for a thread: a unit of ops.def's costs; a byte of memory; one of a product */
    double moved_byte;                 /* between host and device, of a buffer that moves as a whole */
    double link_byte;            /* in either direction, while others go the other way and the device works (turns.h) */
    double there_multiplication; /* of a product on the device; its other work is less than its memory takes */
} cni_costs;

extern const cni_costs cni_cost;

/* Threads that figures are for, at most: with more of them memory is the limit. */
int cni_cost_threads(void);

/* Units of cost in ops.def; of library ops a guess. */
double cni_part_units(const cni_part *part, const cni_window *w);

/* Multiplications of real doubles that a product of matrices takes; 0: the part is none. */
double cni_part_multiplications(const cni_part *part, const cni_window *w);

#endif
