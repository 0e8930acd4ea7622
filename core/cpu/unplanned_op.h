/* unplanned_op.h - see unplanned_op.c: what cni_place's takes_op and run_op are on the processor. */
#ifndef CNI_UNPLANNED_OP_H
#define CNI_UNPLANNED_OP_H

#include "exec/place.h"

bool cni_unplanned_op_takes(const cni_window *w, uint32_t op);
void cni_unplanned_op_run(const cni_run *run, uint32_t op);

#endif
