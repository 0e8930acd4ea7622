/* transfers.h - pass of a partition: what moves between places before and after each launch. */
#ifndef CNI_TRANSFERS_H
#define CNI_TRANSFERS_H

#include "plan/partition.h"

/* A partition being made. */
typedef struct cni_partitioning {
    const cni_partition_request *request;
    const cni_plan *plan;
    const cni_window *w;
    const cni_skeleton *s;
    int places, first, end; /* local: [first, end) */
    cni_arena *arena;
    cni_slot_layout *slots;
    uint64_t looked; /* as the partition's */
} cni_partitioning;

static inline cni_geometry cni_partition_home(const cni_partitioning *p, uint32_t base)
{
    const cni_base *b = p->w->bases[base];
    const int64_t *numbers = p->w->geometry + p->s->homes[base];
    return (cni_geometry){b->home_ndim, b->home_itemsize, 0, numbers, numbers + b->home_ndim};
}

static inline bool cni_partition_local(const cni_partitioning *p, int place)
{
    return place >= p->first && place < p->end;
}

/* What any place, local or not, does of a part that is shared as BOXES, RANGE, CHAIN or BYTES; false: nothing. (partition.c) */
bool cni_share_at(cni_partitioning *p, const cni_shared_part *shared, int place, cni_share *share, cni_box *boxes);

/* Where a place's reduced elements begin in a part shared as RANGE; of place = places: all of them. */
int64_t cni_range_begin(const cni_partitioning *p, const cni_shared_part *shared, int place);

/* Axes that the part's reductions fold (CNI_LATTICE_DIMS of them). */
void cni_part_folds(const cni_partitioning *p, const cni_part *part, bool *folded);

enum { CNI_SPLIT_MOST = 8 };

/*
 * Parts that together do what the part does, each of which stores what places own alike (at most CNI_SPLIT_MOST; the part
 * itself where that is not possible). False without memory. (split.c)
 */
bool cni_part_split(cni_partitioning *p, const cni_part *part, uint32_t *nparts, cni_part *parts);

/*
 * Where the place's share of `total` things along a view begins: as much of all as its bytes are of the view's, in whole
 * quanta.
 */
int64_t cni_share_begin(const cni_geometry *view, const cni_layout *layout, int64_t total, int64_t quantum, int place);

/* Fills the adoptions and the transfers of the stages, whose shares are known. */
cn_status cni_transfers_make(cni_partitioning *p, cni_partition *out, cni_stage *stages);

#endif
