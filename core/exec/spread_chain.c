/*
 * spread_chain.c - see spread_chain.h. All that needs nothing of the others comes first; then box after box, each of which
 * waits for the same box of the place before: so places work at once, box b of share i as step i + b.
 *
 * Places of one process have a box's state in common; processes hand it on after each step.
 */
#include "exec/spread_chain.h"

#include "base/status.h"
#include "exec/trace.h"
#include "plan/chain.h"

typedef struct chain {
    cni_spread_run *r;
    const cni_bound_shared *bound;
    const cni_shared_part *shared;
    int nblocks;
} chain;

/* Does the device keep what it has begun until the step? Nothing else uses its scratch memory before then. */
static bool keeps(const chain *c)
{
    return c->bound->rows_there && c->bound->nbound == 1 && c->shared->chain->chain.rule.adds;
}

/* The device does the box's phase, with what the link has. */
static cn_status run_there(const chain *c, const cni_bound_share *b, const cni_link *link, cni_link_phase phase)
{
    void *rows[CNI_ROWS_MOST];
    const cni_sharing *sharing = cni_cpu_place.sharing;
    const cni_part *part = b->part != NULL ? &b->part->part : c->shared->part;
    cni_window w = b->part != NULL ? cni_local_window(b->part, c->r->w) : *c->r->w;
    cni_run run = cni_spread_run_at(c->r, b->local);
    run.slots = c->r->b->at[b->local].device;
    run.scratch = c->r->device_scratch;
    sharing->chain_rows(part, &w, b->binding, link, phase, rows);
    rows[0] = phase == CNI_LINK_BEGIN && keeps(c) ? NULL : rows[0];
    CN_TRY(b->part != NULL ? cni_local_part_rows(b->part, b->rows, &run, link, phase, rows)
                           : cni_device_place()->rows(part, b->rows, &run, link->before, phase, rows));
    sharing->chain_left(part, &w, link, phase);
    return CN_OK;
}

/* Of what the device has a part in, the phases that are the processor's: handing on, and storing what rows were reduced to. */
static bool is_there(const chain *c, cni_link_phase phase)
{
    bool apart = c->shared->chain->chain.rule.apart,
         ends = c->shared->part->kind == CNI_PART_LIBRARY && !c->shared->at_end;
    bool does = apart
                    ? phase == CNI_LINK_BEGIN || (phase == CNI_LINK_END && ends) || (phase == CNI_LINK_STEP && keeps(c))
                    : phase == CNI_LINK_STEP;
    return c->bound->rows_there && does;
}

static cn_status run_phase(const chain *c, int i, int block, cni_link_phase phase)
{
    const cni_bound_share *b = &c->bound->bound[i * c->nblocks + block];
    cni_link link = {.first = i == 0 && c->shared->before < 0,
                     .last = i + 1 == (int)c->shared->nshares && c->shared->behind < 0,
                     .before = b->share->from,
                     .own = c->r->b->states + b->own,
                     .state = c->r->b->states + b->state};
    cni_run run = cni_spread_run_at(c->r, b->local);
    uint64_t begin = cni_trace_begin();
    bool there = is_there(c, phase);
    if (there) {
        CN_TRY(run_there(c, b, &link, phase));
    } else if (b->part == NULL) {
        cni_cpu_place.sharing->chain(c->shared->part, b->binding, &run, &link, phase);
    } else {
        cni_local_part_chain(b->part, b->binding, &run, &link, phase);
    }
    cni_trace_part(begin, c->r->world->first + b->local, there, c->shared->part, c->r->w);
    return CN_OK;
}

static cn_status run_all(const chain *c, cni_link_phase phase)
{
    for (int i = 0; i < (int)c->shared->nshares; i++) {
        for (int block = 0; block < c->nblocks; block++) {
            CN_TRY(run_phase(c, i, block, phase));
        }
    }
    return CN_OK;
}

/* After a step, from the process before it the box that is next, to the one behind the box that is done; -1: none of them. */
static cn_status hand_on(const chain *c, int done, int next)
{
    const cni_net *net = c->r->world->net;
    cni_message out, in;
    int nout = 0, nin = 0;
    if (done >= 0 && c->shared->behind >= 0) {
        const cni_bound_share *b = &c->bound->bound[done];
        out = (cni_message){c->shared->behind, c->r->b->states + b->state, b->state_bytes};
        nout = out.nbytes > 0;
    }
    if (next < c->nblocks && c->shared->before >= 0) {
        const cni_bound_share *b = &c->bound->bound[next];
        in = (cni_message){c->shared->before, c->r->b->states + b->state, b->state_bytes};
        nin = in.nbytes > 0;
    }
    if (nout + nin == 0) {
        return CN_OK;
    }
    CN_TRY(net->exchange_begin(nin, &in, nout, &out));
    return net->exchange_end();
}

/* The one share of a process among several. */
static cn_status run_between(const chain *c)
{
    CN_TRY(hand_on(c, -1, 0));
    for (int block = 0; block < c->nblocks; block++) {
        CN_TRY(run_phase(c, 0, block, CNI_LINK_STEP));
        CN_TRY(hand_on(c, block, block + 1));
    }
    return CN_OK;
}

static cn_status run_steps(const chain *c)
{
    int nshares = (int)c->shared->nshares;
    for (int step = 0; step < nshares + c->nblocks - 1; step++) {
        for (int i = 0; i < nshares; i++) {
            int block = step - i;
            if (block >= 0 && block < c->nblocks) {
                CN_TRY(run_phase(c, i, block, CNI_LINK_STEP));
            }
        }
    }
    return CN_OK;
}

cn_status cni_chain_run(cni_spread_run *r, const cni_bound_shared *bound)
{
    if (bound->shared->nshares == 0) {
        return CN_OK;
    }
    chain c = {.r = r, .bound = bound, .shared = bound->shared, .nblocks = bound->shared->shares[0].nboxes};
    CN_TRY(run_all(&c, CNI_LINK_BEGIN));
    CN_TRY(r->world->net->size > 1 ? run_between(&c) : run_steps(&c));
    return run_all(&c, CNI_LINK_END);
}
