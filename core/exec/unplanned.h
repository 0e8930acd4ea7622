/*
 * unplanned.h - small windows, op by op: what planning, looking up and binding would cost is more than it saves.
 *
 * A window of at most `unplanned_ops` ops on few elements, all of whose values are on the
 * host. Its loops have the bits of the planned ones. A window that the program repeats is longer (`period_ops`): it
 * has a plan, is fused and compiled.
 */
#ifndef CNI_UNPLANNED_H
#define CNI_UNPLANNED_H

#include "record/window.h"

/* Does the window run so? */
bool cni_unplanned_wanted(const cni_window *w);

/* Runs it: all or nothing, as every window. */
cn_status cni_unplanned_run(cni_window *w);

#endif
