/*
 * local_part.h - a library op as one place does it: the part, and a window whose views are boxes of its operands.
 *
 * One view may be two operands, of which a place needs different boxes (x @ x); so every access has a view of its own.
 */
#ifndef CNI_LOCAL_PART_H
#define CNI_LOCAL_PART_H

#include "exec/place.h"
#include "plan/partition.h"

typedef struct cni_local_part {
    cni_part part;
    cni_box box;                     /* of the first operand, */
    int64_t whole[CNI_LATTICE_DIMS]; /* whose shape is this as a whole */
    cni_access access[CNI_OP_ARGS];
    cni_view views[CNI_OP_ARGS];
    cni_shape_entry shapes[CNI_OP_ARGS];
    int64_t geometry[CNI_OP_ARGS * (1 + 2 * CNI_LATTICE_DIMS)];
} cni_local_part;

/* The part with box i of the share. */
void cni_local_part_make(const cni_part *part, const cni_window *w, const cni_share *share, int i, cni_local_part *out);

/* The window as the part sees it; all but its views is the given one's. */
cni_window cni_local_window(cni_local_part *local, const cni_window *w);

/* Runs a binding of the part, or a phase of it. */
void cni_local_part_run(cni_local_part *local, const cni_place *place, void *binding, const cni_run *run);
void cni_local_part_chain(cni_local_part *local, void *binding, const cni_run *run, const cni_link *link,
                          cni_link_phase phase);
cn_status cni_local_part_rows(cni_local_part *local, void *binding, const cni_run *run, const cni_link *link,
                              cni_link_phase phase, void *const *rows);

/* The window as a box of a group's indices shows it; geometry: room for all that it has (all_geometry). */
cni_window cni_window_of_box(const cni_window *w, const cni_part *part, const cni_box *box, int64_t *geometry);

#endif
