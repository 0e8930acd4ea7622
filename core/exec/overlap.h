/* overlap.h - which parts of a share need nothing of the exchange before their stage. */
#ifndef CNI_OVERLAP_H
#define CNI_OVERLAP_H

#include "exec/spread_binding.h"

/* Does the exchange before the stage bring something of what the part reads or writes to this process's place? */
bool cni_overlap_waits(const cni_stage *stage, const cni_part *part, int place);

enum { CNI_OVERLAP_BOXES = 1 + 2 * CNI_LATTICE_DIMS };

/*
 * The box of a group's share as boxes, the first of which reads what the place owns alone; returns how many, 1: the box
 * stays as it is.
 */
int cni_overlap_split(const cni_partition *partition, const cni_stage *stage, const cni_part *part, const cni_window *w,
                      int place, const cni_box *box, cni_box *out);

#endif
