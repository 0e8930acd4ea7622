/* spread_chain.h - runs parts that places do one after the other. */
#ifndef CNI_SPREAD_CHAIN_H
#define CNI_SPREAD_CHAIN_H

#include "exec/spread.h"
#include "exec/spread_binding.h"

/* What a part sees of the run at a place of this process. */
cni_run cni_spread_run_at(const cni_spread_run *run, int local);

/* Does this process's shares of the part. Fails only if the net does. */
cn_status cni_chain_run(cni_spread_run *run, const cni_bound_shared *bound);

#endif
