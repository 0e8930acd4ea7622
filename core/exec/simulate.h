/*
 * simulate.h - plans for places that are not there (setting simulate), beside running windows at the one that is.
 *
 * A window that is met for the third time is planned for every place, each as if it alone were local; sends are matched
 * with receives. cn_simulation_get tells what came of it.
 */
#ifndef CNI_SIMULATE_H
#define CNI_SIMULATE_H

#include "plan/plan.h"

/* Is there anything to simulate? */
bool cni_simulate_wanted(void);

/* Runs the window's plan with run, and simulates it. */
cn_status cni_simulate(cni_plan *plan, const cni_window *w, const cni_skeleton *s,
                       cn_status (*run)(cni_plan *plan, const cni_window *w, const cni_skeleton *s));

#endif
