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

/* Where the place's rows along the way begin. */
static int64_t way_begin(const cni_chain_cut *cut, int place)
{
    const cni_chain *c = &cut->chain;
    int64_t total = c->extent[c->way], begin = cni_share_begin(&c->view, c->layout, total, cut->quantum, place);
    return total - begin < c->least ? total : begin;
}

int cni_chain_place(const cni_partitioning *p, const cni_chain_cut *cut, int64_t index)
{
    int low = 0, high = p->places; /* begin(low) <= index < begin(high) */
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (way_begin(cut, middle) <= index) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static cni_chain_cut *cut_make(cni_partitioning *p, const cni_chain *c)
{
    cni_chain_cut cut = {.chain = *c};
    cni_box space = {{0}, {0}};
    int64_t quantum = c->rule.quantum / cni_gcd(c->inner, c->rule.quantum);
    memcpy(space.stop, c->extent, (size_t)c->ndim * sizeof *space.stop);
    cut.quantum = quantum % c->least == 0 ? quantum : quantum * c->least;
    cut.axis = blocks_axis(c, p->places, &cut.blocks);
    cut.chain.extent = cni_arena_copy(p->arena, c->extent, (size_t)c->ndim * sizeof *c->extent);
    cut.chain.folded = NULL; /* has said what it has to */
    cut.whole = cni_arena_copy(p->arena, &space, sizeof space);
    return cut.chain.extent != NULL && cut.whole != NULL ? cni_arena_copy(p->arena, &cut, sizeof cut) : NULL;
}

/* The boxes of a share that has all of these rows. */
static bool boxes_make(cni_partitioning *p, const cni_chain_cut *cut, cni_share *share, const cni_box *all)
{
    cni_box *boxes = cni_arena_alloc(p->arena, (size_t)cut->blocks * sizeof *boxes);
    for (int b = 0; b < cut->blocks && boxes != NULL; b++) {
        boxes[b] = *all;
        if (cut->axis >= 0) {
            boxes[b].start[cut->axis] = cut->chain.extent[cut->axis] * b / cut->blocks;
            boxes[b].stop[cut->axis] = cut->chain.extent[cut->axis] * (b + 1) / cut->blocks;
        }
    }
    share->boxes = boxes;
    share->all = cni_arena_copy(p->arena, all, sizeof *all);
    return boxes != NULL && share->all != NULL;
}

bool cni_chain_share_at(const cni_partitioning *p, const cni_shared_part *part, int place, cni_share *share,
                        cni_box *boxes)
{
    const cni_chain_cut *cut = part->chain;
    int64_t from = way_begin(cut, place), to = way_begin(cut, place + 1);
    (void)p;
    *share = (cni_share){.place = place,
                         .nboxes = cut->blocks,
                         .all = boxes,
                         .naccess = (uint32_t)cut->noperands,
                         .from = from * cut->chain.inner,
                         .to = to * cut->chain.inner};
    for (int k = 0; k == 0 || k < cut->noperands; k++) {
        int dim = cut->noperands == 0 ? cut->chain.way : cut->follows[k];
        boxes[k] = cut->whole[k];
        if (dim >= 0) {
            boxes[k].start[dim] = from;
            boxes[k].stop[dim] = to;
        }
    }
    return from < to;
}

bool cni_chain_share(cni_partitioning *p, const cni_chain *c, cni_shared_part *part, cni_chain_cut **out)
{
    cni_share *shares = cni_arena_alloc(p->arena, (size_t)(p->end - p->first) * sizeof *shares);
    cni_chain_cut *cut = cut_make(p, c);
    int64_t total = c->extent[c->way];
    if (shares == NULL || cut == NULL) {
        return false;
    }
    part->kind = CNI_SHARE_CHAIN;
    part->nshares = 0; /* some may have been listed before another place could not have what it owns */
    part->chain = *out = cut;
    part->shares = shares;
    for (int place = p->first; place < p->end; place++) {
        cni_box all;
        p->looked++;
        if (cni_chain_share_at(p, part, place, &shares[part->nshares], &all) &&
            !boxes_make(p, cut, &shares[part->nshares++], &all)) {
            return false;
        }
    }
    int64_t from = way_begin(cut, p->first), to = way_begin(cut, p->end);
    part->before = from > 0 ? cni_chain_place(p, cut, from - 1) : -1;
    part->behind = to < total ? cni_chain_place(p, cut, to) : -1;
    part->end = cni_chain_place(p, cut, total - 1);
    return true;
}
