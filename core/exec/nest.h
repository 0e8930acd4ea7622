/* nest.h - the order in which a group's elements are visited: dimensions merged and sorted for locality. */
#ifndef CNI_NEST_H
#define CNI_NEST_H

#include "plan/plan.h"

typedef struct cni_nest {
    int ndim;
    uint32_t naccess;
    int64_t shape[CN_MAX_DIMS];
    int64_t *offsets; /* by access */
    int64_t *strides; /* [access * CN_MAX_DIMS + dimension], up to ndim */
    bool reduced[CN_MAX_DIMS];
    int nkept;
    bool last_kept;
} cni_nest;

/*
 * Fills the nest for the part's accesses. reduce_view: CNI_NONE, or a view whose zero strides are the reduced axes;
 * then kept dimensions come first and the order of reduced ones is C order. False without memory.
 */
bool cni_nest_make(const cni_part *part, const cni_window *w, uint32_t reduce_view, cni_arena *arena, cni_nest *out);

/*
 * Elements of the op's reduction that are summed as one run, in NumPy's tree: the trailing reduced axes that lie as one
 * run in the array as the program wrote it; all elements of a result if the operand is no array of its own. out: the
 * view of its result.
 */
int64_t cni_reduction_block(const cni_window *w, const cni_op *op, uint32_t out);

#endif
