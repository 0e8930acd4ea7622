/* library_share.h - pass of a partition: ops of library.def by places. */
#ifndef CNI_LIBRARY_SHARE_H
#define CNI_LIBRARY_SHARE_H

#include "plan/transfers.h"

/*
 * Fills the part's shares, or says how they follow from places (out->cut); *fits = false: the op cannot be shared out with
 * these layouts. False without memory.
 */
bool cni_library_share(cni_partitioning *p, const cni_part *part, const cni_chain_rule *rule, cni_shared_part *out,
                       bool *fits);

#endif
