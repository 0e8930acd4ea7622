/* library_share.h - pass of a partition: ops of library.def by places. */
#ifndef CNI_LIBRARY_SHARE_H
#define CNI_LIBRARY_SHARE_H

#include "plan/transfers.h"

/* Fills the part's shares; *fits = false: the op cannot be shared out with these layouts. False without memory. */
bool cni_library_share(cni_partitioning *p, const cni_part *part, const cni_chain_rule *rule, cni_shared_part *out,
                       bool *fits);


/*
 * Elements of a row, which is all behind the first nindex axes, that no place cuts, wherever borders may lie: those of the
 * row, or a divisor of them; 0: rows are not dense, or not even. layout: NULL: one place has all.
 */
int64_t cni_row_piece(const cni_geometry *g, int nindex, const cni_layout *layout);

#endif
