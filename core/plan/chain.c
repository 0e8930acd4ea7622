/*
 * chain.c - see chain.h.
 *
 *   place 0   |box 0|box 1|box 2|          what a box leaves is handed on to the same box of the next place, which has
 *   place 1         |box 0|box 1|box 2|    begun with another one by then
 */
#include "plan/chain.h"

#include <string.h>

enum { BLOCK_LEAST = 64 };

/* The longest axis that may be cut beside the way, and into how many boxes; -1: none. */
static int blocks_axis(const cni_chain *c, int places, int *nblocks)
{
    int axis = -1;
    for (int d = 0; d < c->ndim && !c->rule.apart; d++) {
        if (!c->folded[d] && d != c->way && (axis < 0 || c->extent[d] > c->extent[axis])) {
            axis = d;
        }
    }
    int64_t most = axis >= 0 ? c->extent[axis] / BLOCK_LEAST : 1;
    *nblocks = (int)(most < 1 ? 1 : most < 2 * places ? most : 2 * places);
    return axis;
}

static bool boxes_make(cni_partitioning *p, const cni_chain *c, int64_t from, int64_t to, cni_share *share)
{
    int nblocks, axis = blocks_axis(c, p->places, &nblocks);
    cni_box all = {{0}, {0}}, *boxes = NULL;
    memcpy(all.stop, c->extent, (size_t)c->ndim * sizeof *all.stop);
    all.start[c->way] = from;
    all.stop[c->way] = to;
    share->nboxes = nblocks;
    share->all = cni_arena_copy(p->arena, &all, sizeof all);
    if (share->all == NULL || !cni_partition_local(p, share->place)) {
        return share->all != NULL;
    }
    boxes = cni_arena_alloc(p->arena, (size_t)nblocks * sizeof *boxes);
    for (int b = 0; b < nblocks && boxes != NULL; b++) {
        for (int d = 0; d < c->ndim; d++) {
            boxes[b].start[d] = d == c->way ? from : d == axis ? c->extent[d] * b / nblocks : 0;
            boxes[b].stop[d] = d == c->way ? to : d == axis ? c->extent[d] * (b + 1) / nblocks : c->extent[d];
        }
    }
    share->boxes = boxes;
    return boxes != NULL;
}

/* Where the place's rows along the way begin. */
static int64_t way_begin(const cni_chain *c, int64_t quantum, int place)
{
    int64_t total = c->extent[c->way], begin = cni_share_begin(&c->view, c->layout, total, quantum, place);
    return total - begin < c->least ? total : begin;
}

bool cni_chain_share(cni_partitioning *p, const cni_chain *c, cni_shared_part *out)
{
    cni_share *shares = cni_arena_alloc(p->arena, (size_t)p->places * sizeof *shares);
    int64_t quantum = c->rule.quantum / cni_gcd(c->inner, c->rule.quantum);
    quantum = quantum % c->least == 0 ? quantum : quantum * c->least;
    out->kind = CNI_SHARE_CHAIN;
    out->shares = shares;
    out->nshares = 0;
    for (int place = 0; place < p->places && shares != NULL; place++) {
        int64_t from = way_begin(c, quantum, place), to = way_begin(c, quantum, place + 1);
        if (from < to) {
            cni_share *share = &shares[out->nshares++];
            *share = (cni_share){.place = place, .from = from * c->inner, .to = to * c->inner};
            if (!boxes_make(p, c, from, to, share)) {
                return false;
            }
        }
    }
    return shares != NULL;
}
