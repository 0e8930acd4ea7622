/*
 * reduction_axes.h - the order in which a reduction takes its elements, which its result's bits depend on: C order of its
 * operand's axes as they lie in memory, as the program wrote it, whatever a group makes of it.
 */
#ifndef CNI_REDUCTION_AXES_H
#define CNI_REDUCTION_AXES_H

#include "plan/plan.h"

/* The axes of the op's operand, order[0] the outermost. */
void cni_reduction_axes(const cni_window *w, const cni_op *op, int *order);

/* The same of a part that reduces: its reductions agree (CNI_GUARD_SAME_ORDER). Of another part: C order. */
void cni_part_axes(const cni_window *w, const cni_part *part, int *order);

/* The view with its axes in that order; shape and strides have room for them. */
cni_geometry cni_geometry_turned(const cni_geometry *g, const int *order, int64_t *shape, int64_t *strides);

/*
 * Elements of the op's reduction that are summed as one run, in NumPy's tree: the trailing reduced axes that lie as one
 * run in the operand; all elements of a result if it is no array. out: the view of its result.
 */
int64_t cni_reduction_block(const cni_window *w, const cni_op *op, uint32_t out);

#endif
