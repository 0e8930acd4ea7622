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
 * Fills the nest for the part's accesses. Of a part that reduces, kept dimensions come first, and reduced ones in the order
 * in which the reduction takes them (plan/reduction_axes.h). False without memory.
 */
bool cni_nest_make(const cni_part *part, const cni_window *w, cni_arena *arena, cni_nest *out);

/* Exchanges two dimensions. */
void cni_nest_swap(cni_nest *n, int x, int y);

#endif
