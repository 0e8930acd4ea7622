/*
 * spread_chain.c - see spread_chain.h. All that needs nothing of the others comes first; then box b of share i is step
 * i + b, so that places work at once although each box waits for the one before it.
 *
 * Places of one process have a box's state in common; processes hand it on after each step.
 */
#include "exec/spread_chain.h"

#include "base/status.h"
#include "exec/trace.h"

typedef struct chain {
    cni_spread_run *r;
    const cni_bound_shared *bound;
    const cni_shared_part *shared;
    int nblocks;
} chain;

/* The number of share i among those of this process; -1: another's. */
static int bound_of(const chain *c, int i)
{
    if (i < 0 || i >= (int)c->shared->nshares || !cni_world_has(c->r->world, c->shared->shares[i].place)) {
        return -1;
    }
    int first = i;
    while (first > 0 && cni_world_has(c->r->world, c->shared->shares[first - 1].place)) {
        first--;
    }
    return (i - first) * c->nblocks;
}

static void run_phase(const chain *c, int i, int block, cni_link_phase phase)
{
    const cni_bound_share *b = &c->bound->bound[bound_of(c, i) + block];
    cni_link link = {.first = i == 0,
                     .last = i + 1 == (int)c->shared->nshares,
                     .before = b->share->from,
                     .own = c->r->b->states + b->own,
                     .state = c->r->b->states + b->state};
    cni_run run = cni_spread_run_at(c->r, b->local);
    uint64_t begin = cni_trace_begin();
    if (b->part == NULL) {
        cni_cpu_place.sharing->chain(c->shared->part, b->binding, &run, &link, phase);
    } else {
        cni_local_part_chain(b->part, b->binding, &run, &link, phase);
    }
    cni_trace_part(begin, c->r->world->first + b->local, false, c->shared->part, c->r->w);
}

static void run_all(const chain *c, cni_link_phase phase)
{
    for (int i = 0; i < (int)c->shared->nshares; i++) {
        for (int block = 0; block < c->nblocks && bound_of(c, i) >= 0; block++) {
            run_phase(c, i, block, phase);
        }
    }
}

/* After a step: to the next process the box that is done, from the one before the box that is next. */
static cn_status hand_on(const chain *c, int i, int step)
{
    const cni_net *net = c->r->world->net;
    cni_message out, in;
    int done = step - i, next = step - i + 1, nout = 0, nin = 0;
    const cni_bound_share *own = &c->bound->bound[bound_of(c, i)];
    if (done >= 0 && done < c->nblocks && i + 1 < (int)c->shared->nshares) {
        out = (cni_message){c->shared->shares[i + 1].place, c->r->b->states + own[done].state, own[done].state_bytes};
        nout = out.nbytes > 0;
    }
    if (next >= 0 && next < c->nblocks && i > 0) {
        in = (cni_message){c->shared->shares[i - 1].place, c->r->b->states + own[next].state, own[next].state_bytes};
        nin = in.nbytes > 0;
    }
    if (nout + nin == 0) {
        return CN_OK;
    }
    CN_TRY(net->exchange_begin(nin, &in, nout, &out));
    return net->exchange_end();
}

cn_status cni_chain_run(cni_spread_run *r, const cni_bound_shared *bound)
{
    chain c = {.r = r, .bound = bound, .shared = bound->shared, .nblocks = bound->shared->shares[0].nboxes};
    int steps = (int)c.shared->nshares + c.nblocks - 1;
    run_all(&c, CNI_LINK_BEGIN);
    for (int step = 0; step < steps; step++) {
        for (int i = 0; i < (int)c.shared->nshares; i++) {
            int block = step - i;
            if (bound_of(&c, i) < 0) {
                continue;
            }
            if (block >= 0 && block < c.nblocks) {
                run_phase(&c, i, block, CNI_LINK_STEP);
            }
            CN_TRY(r->world->net->size > 1 ? hand_on(&c, i, step) : CN_OK);
        }
    }
    run_all(&c, CNI_LINK_END);
    return CN_OK;
}
