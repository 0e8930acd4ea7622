/*
 * spread_rounds.h - runs products in rounds (plan/rounds.h): while a panel is multiplied, the next one travels.
 *
 *     scratch  |= the op's own =|= panel 1 =|= panel 2 =|= of the other operand =|
 *
 * On the host or the device, wherever the place multiplies. Messages between GPUs are the exception: they are kernels, and a
 * product that has all of a GPU is held up by as much as they take, and more, so they come between products.
 */
#ifndef CNI_SPREAD_ROUNDS_H
#define CNI_SPREAD_ROUNDS_H

#include "exec/spread.h"
#include "exec/spread_binder.h"

/* Binds the boxes of local shares, round by round, and makes room for the panels. */
cn_status cni_rounds_bind(cni_binder *binder, cni_bound_shared *out);

/* Does this process's rounds. Fails only if the net or a device does. */
cn_status cni_rounds_run(cni_spread_run *run, const cni_bound_shared *bound);

/* A bound share, with what it needs brought to where it runs. (spread_run.c) */
cn_status cni_spread_run_share(cni_spread_run *run, const cni_bound_share *share);

#endif
