/*
 * cold.h - what the processor does of a plan in the time that the device's compiler takes.
 *
 * Where work runs is else a function of the program alone. Here it is of time, too: a plan whose kernels are being compiled
 * runs on the processor if that is sooner, and goes to the device when they are there. Results have the same bits at both.
 */
#ifndef CNI_COLD_H
#define CNI_COLD_H

#include "plan/plan.h"

/*
 * Is the window done by the processor before kernels would be there, values that only the device has brought here and back?
 * It moves so many bytes, of which this process has one part in `share`. Never with products of matrices.
 */
bool cni_cold_runs_here(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, uint64_t bytes, int share);

#endif
