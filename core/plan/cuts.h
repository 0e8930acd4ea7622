/*
 * cuts.h - how layouts cut the views of a part, answered without a look at every place.
 *
 * A row is what one step of a view's slowest dimension passes over. Answers may be "no" where a look at every place would
 * have found "yes" (rows that are cut, but happen to be whole at all places there are); never the other way.
 */
#ifndef CNI_CUTS_H
#define CNI_CUTS_H

#include "plan/transfers.h"

/*
 * Has every place whole rows, either none or at least two, or one place everything? Then a reduction that folds none of
 * the slowest dimension can be done place by place: the order of a sum follows from the axes that have a length.
 */
bool cni_cut_keeps_rows(const cni_layout *layout, const cni_geometry *view, const bool *folded);

/* Do borders lie between what steps of one dimension (*dim) pass over, wherever they lie? */
bool cni_cut_leaves_rows(const cni_layout *layout, const cni_geometry *view, int *dim);

/* The place's part [*from, *to) of the axis along which the op is cut. */
void cni_library_cut_at(const cni_partitioning *p, const cni_shared_part *shared, int place, int64_t *from,
                        int64_t *to);

/* Do places own the same indices of both views, which have one shape? */
bool cni_cuts_alike(const cni_layout *x, const cni_geometry *u, const cni_layout *y, const cni_geometry *v);

/* Places [first, end). */
typedef struct cni_place_range {
    int first, end;
} cni_place_range;

/* Places of which some may meet, with their share of the part and by this access, what the local places own. */
cni_place_range cni_places_near(const cni_partitioning *p, const cni_shared_part *shared, uint32_t access);

/* The same for the source of a carry. */
cni_place_range cni_places_near_source(const cni_partitioning *p, const cni_shared_part *shared);

#endif
