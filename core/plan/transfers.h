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
    int places;
    cni_arena *arena;
    cni_slot_layout *slots;
} cni_partitioning;

static inline cni_geometry cni_partition_home(const cni_partitioning *p, uint32_t base)
{
    const cni_base *b = p->w->bases[base];
    const int64_t *numbers = p->w->geometry + p->s->homes[base];
    return (cni_geometry){b->home_ndim, b->home_itemsize, 0, numbers, numbers + b->home_ndim};
}

enum { CNI_SPLIT_MOST = 8 };

/*
 * Parts that together do what the part does, each of which stores what places own alike (at most CNI_SPLIT_MOST; the part
 * itself where that is not possible). False without memory. (split.c)
 */
bool cni_part_split(cni_partitioning *p, const cni_part *part, uint32_t *nparts, cni_part *parts);

/* Fills the adoptions and the transfers of the stages, whose shares are known. */
cn_status cni_transfers_make(cni_partitioning *p, cni_partition *out, cni_stage *stages);

#endif
