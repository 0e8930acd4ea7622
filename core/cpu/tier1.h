/* tier1.h - running a group by its compiled kernel, once there is one. */
#ifndef CNI_TIER1_H
#define CNI_TIER1_H

#include "cpu/group.h"

/* Before a run: asks for the kernel when the group has done enough work, and takes it when it is there. */
void cni_tier1_prepare(const cni_part *part, cni_group_binding *g, const cni_run *run);

/* The group has met other geometry, its layout is the same. False without memory. */
bool cni_tier1_follow(cni_group_binding *g);

/* Is there a kernel that takes rows of wide x tall elements? */
bool cni_tier1_accumulates(const cni_group_binding *g);

/* Elements of a row that a kernel takes at once which adds up whole leaves itself; 0: there is no such. */
int64_t cni_tier1_leaves(const cni_group_binding *g);

/* Is there a kernel that takes a tile of so many columns? */
bool cni_tier1_takes(const cni_group_binding *g, int64_t columns);

/* One tile; the pointers and registers are set. */
void cni_tier1_run(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t rows, int64_t columns);

#endif
