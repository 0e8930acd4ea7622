/*
 * spread_run.c - runs a plan over places (spread.h): the order in which shares and exchanges run, and where values are for
 * that.
 */
#include "base/stats.h"
#include "base/status.h"
#include "exec/direct.h"
#include "exec/explain.h"
#include "exec/part_slots.h"
#include "exec/spread.h"
#include "exec/spread_chain.h"
#include "exec/spread_memory.h"
#include "exec/spread_rounds.h"
#include "exec/trace.h"

cni_run cni_spread_run_at(const cni_spread_run *r, int local)
{
    return (cni_run){
        .window = r->w, .skeleton = r->s, .slots = r->addresses[local], .scratch = r->scratch, .told = r->b->told};
}

/* What shares of other ranks left comes to the root behind its own, and the events that they saw. */
static cn_status collect_at_root(cni_spread_run *r, const cni_shared_part *shared, int64_t size)
{
    cni_message *messages = r->ranks.messages;
    int nranks = 0;
    for (uint32_t i = 0; i < shared->nshares; i++) {
        int place = shared->shares[i].place;
        if (place != 0) {
            messages[2 * nranks] = (cni_message){place, r->b->states + (int64_t)i * size, size};
            messages[2 * nranks + 1] = (cni_message){place, &r->ranks.events[nranks], sizeof *r->ranks.events};
            nranks++;
        }
    }
    CN_TRY(r->world->net->exchange_begin(2 * nranks, messages, 0, NULL));
    CN_TRY(r->world->net->exchange_end());
    return cni_rank_events_hear(r->ranks.events, nranks, nranks == r->world->places - 1);
}

static cn_status send_to_root(cni_spread_run *r, const cni_shared_part *shared, int64_t size)
{
    cni_rank_events events;
    for (uint32_t i = 0; i < shared->nshares; i++) {
        if (shared->shares[i].place == r->world->first) {
            cni_rank_events_take(&events);
            cni_message sends[2] = {{0, r->b->states + (int64_t)i * size, size}, {0, &events, sizeof events}};
            CN_TRY(r->world->net->exchange_begin(0, NULL, 2, sends));
            CN_TRY(r->world->net->exchange_end());
        }
    }
    return CN_OK;
}

static cn_status collect_states(cni_spread_run *r, const cni_shared_part *shared, int64_t size)
{
    const cni_net *net = r->world->net;
    if (net->size == 1) {
        return CN_OK;
    }
    if (net->rank != 0) {
        return send_to_root(r, shared, size);
    }
    return collect_at_root(r, shared, size);
}

/* ---- Values at the host and the device ---- */

typedef struct part_move {
    const cni_spread_run *r;
    int local;
    uint8_t where;
    cn_status status;
} part_move;

/* Of a part that places do together the device may have nothing to do with a slot of which the host has some. */
static bool takes(const part_move *m, uint32_t slot)
{
    return m->where == CNI_ON_HOST || m->r->b->at[m->local].on_device[slot];
}

static void bring(void *context, uint32_t slot, bool reads, bool writes)
{
    part_move *m = context;
    (void)reads, (void)writes;
    if (m->status == CN_OK && takes(m, slot)) {
        m->status = cni_place_bring(m->r->of[slot], m->local, m->where, &m->r->b->at[m->local].spans[slot]);
    }
}

static void settle(void *context, uint32_t slot, bool reads, bool writes)
{
    part_move *m = context;
    (void)reads;
    if (writes && takes(m, slot)) {
        *m->r->b->at[m->local].valid[slot] = m->where;
    }
}

/* What the part reads, and writes into, is where a share of it runs; what it writes is then there alone. */
static cn_status move_to(const cni_spread_run *r, const cni_part *part, int local, uint8_t where)
{
    part_move m = {.r = r, .local = local, .where = where};
    cni_part_slots(part, bring, &m);
    return m.status;
}

static void moved(const cni_spread_run *r, const cni_part *part, int local, uint8_t where)
{
    part_move m = {.r = r, .local = local, .where = where};
    cni_part_slots(part, settle, &m);
}

/* What processors are about to need beside what the exchange brings them, before it does. */
static cn_status move_early(cni_spread_run *r, const cni_bound_shared *bound)
{
    bool apart = bound->nbound > 0 && bound->shared->kind != CNI_SHARE_CHAIN;
    if (bound->rows_there || bound->room.there != NULL) {
        return CN_OK;
    }
    for (uint32_t i = 0; i < bound->nbound && apart; i++) {
        if (bound->bound[i].place->where == CNI_ON_HOST) {
            CN_TRY(move_to(r, bound->shared->part, bound->bound[i].local, CNI_ON_HOST));
        }
    }
    for (int k = 0; k < r->world->local && !apart; k++) {
        CN_TRY(move_to(r, bound->shared->part, k, CNI_ON_HOST));
    }
    return CN_OK;
}

/* Parts that places do together: all that they need, before they begin. */
static cn_status all_to(cni_spread_run *r, const cni_bound_shared *bound, uint8_t where)
{
    for (int k = 0; k < r->world->local; k++) {
        CN_TRY(move_to(r, bound->shared->part, k, where));
        moved(r, bound->shared->part, k, where);
    }
    return CN_OK;
}

static cn_status run_joint(cni_spread_run *r, const cni_bound_shared *bound)
{
    bool there = bound->room.there != NULL;
    cni_joint joint = {.part = bound->shared->part,
                       .shared = bound->shared,
                       .slots = r->b->partition->slots,
                       .window = r->w,
                       .world = r->world,
                       .at = r->b->at,
                       .moves = bound->moves,
                       .scratch = r->scratch,
                       .there = bound->room.there,
                       .memory = r->device_scratch,
                       .memory_bytes = cni_joint_memory_bytes(&bound->room),
                       .asked_there = bound->room.asked_there,
                       .heard_there = bound->room.heard_there,
                       .direct = r->b->direct,
                       .told = r->b->told,
                       .buffers = r->of,
                       .more = r->b->more,
                       .refused = &r->refused};
    CN_TRY(all_to(r, bound, there ? CNI_ON_DEVICE : CNI_ON_HOST));
    uint64_t begin = cni_trace_begin();
    CN_TRY(cni_cpu_place.sharing->joint(&joint));
    cni_trace_part(begin, r->world->first, there, joint.part, r->w);
    return CN_OK;
}

/* What only the root has is on its host when the run ends. */
static cn_status root_to_host(cni_spread_run *r)
{
    for (uint32_t i = 0; i < r->plan->nslots && r->world->first == 0; i++) {
        if (!r->b->partition->slots[i].spread && *r->b->at[0].valid[i] == CNI_ON_DEVICE) {
            CN_TRY(cni_place_bring(r->of[i], 0, CNI_ON_HOST, &r->b->at[0].spans[i]));
        }
    }
    return CN_OK;
}

/* ---- Ranges of reductions ---- */

/* What a range reads and stores by element is where it runs: all but the results. */
static cn_status move_range(const cni_spread_run *r, const cni_shared_part *shared, int local, uint8_t where,
                            bool after)
{
    const cni_part *part = shared->part;
    part_move m = {.r = r, .local = local, .where = where};
    for (uint32_t a = 0; a < part->naccess; a++) {
        if (part->access[a].slot != CNI_NONE && !cni_share_gives(shared, a)) {
            (after ? settle : bring)(&m, part->access[a].slot, true, part->access[a].written);
        }
    }
    return m.status;
}

/* Results are stored by the processor of the place. */
static cn_status move_results(const cni_spread_run *r, const cni_shared_part *shared, int local)
{
    const cni_part *part = shared->part;
    part_move m = {.r = r, .local = local, .where = CNI_ON_HOST};
    for (uint32_t a = 0; a < part->naccess; a++) {
        if (part->access[a].slot != CNI_NONE && cni_share_gives(shared, a)) {
            bring(&m, part->access[a].slot, true, true);
            settle(&m, part->access[a].slot, true, true);
        }
    }
    return m.status;
}

static cn_status range_share(cni_spread_run *r, const cni_bound_shared *bound, const cni_bound_share *mine, void *state)
{
    const cni_share *share = mine->share;
    const cni_part *part = bound->shared->part;
    cni_run run = cni_spread_run_at(r, mine->local);
    uint8_t where = mine->place->where;
    CN_TRY(move_range(r, bound->shared, mine->local, where, false));
    uint64_t begin = cni_trace_begin();
    if (where == CNI_ON_DEVICE) {
        const cni_left *left;
        cni_run there = run;
        there.slots = r->b->at[mine->local].device;
        there.scratch = r->device_scratch;
        CN_TRY(mine->place->range(mine->binding, &there, share->from, share->to, &left));
        cni_cpu_place.sharing->take(bound->whole, &run, share->from, left, state);
    } else {
        cni_cpu_place.sharing->partial(part, bound->whole, &run, share->from, share->to, state);
    }
    cni_trace_part(begin, share->place, where == CNI_ON_DEVICE, part, r->w);
    return move_range(r, bound->shared, mine->local, where, true);
}

static cn_status run_range(cni_spread_run *r, const cni_bound_shared *bound)
{
    const cni_shared_part *shared = bound->shared;
    int64_t size = cni_cpu_place.sharing->partial_bytes(bound->whole);
    for (uint32_t i = 0, mine = 0; i < shared->nshares; i++) {
        if (cni_world_has(r->world, shared->shares[i].place)) {
            CN_TRY(range_share(r, bound, &bound->bound[mine++], r->b->states + (int64_t)i * size));
        }
    }
    CN_TRY(collect_states(r, shared, size));
    if (r->world->first != 0) {
        return CN_OK;
    }
    CN_TRY(move_results(r, shared, 0));
    cni_run run = cni_spread_run_at(r, 0);
    cni_cpu_place.sharing->finish(shared->part, bound->whole, &run, (int)shared->nshares, r->b->states);
    return CN_OK;
}

/* ---- Chains ---- */

/* A place without a share has no memory for what it would read. */
static bool takes_part(const cni_bound_shared *bound, int local)
{
    bool any = false;
    for (uint32_t i = 0; i < bound->nbound; i++) {
        any |= bound->bound[i].local == local;
    }
    return any;
}

/* Rows that the device reduces are there, their results on the host. */
static cn_status run_chain(cni_spread_run *r, const cni_bound_shared *bound)
{
    if (!bound->rows_there) {
        CN_TRY(all_to(r, bound, CNI_ON_HOST));
        return cni_chain_run(r, bound);
    }
    for (int k = 0; k < r->world->local; k++) {
        if (takes_part(bound, k)) {
            CN_TRY(move_range(r, bound->shared, k, CNI_ON_DEVICE, false));
        }
        CN_TRY(move_results(r, bound->shared, k));
    }
    CN_TRY(cni_chain_run(r, bound));
    for (int k = 0; k < r->world->local; k++) {
        if (takes_part(bound, k)) {
            CN_TRY(move_range(r, bound->shared, k, CNI_ON_DEVICE, true));
        }
    }
    return CN_OK;
}

/* ---- Shares ---- */

/* And those that its binding does too. */
cn_status cni_spread_run_share(cni_spread_run *r, const cni_bound_share *share)
{
    const cni_part *part = share->shared->part;
    uint8_t where = share->place->where;
    cni_run run = cni_spread_run_at(r, share->local);
    if (where == CNI_ON_DEVICE) {
        run.slots = r->b->at[share->local].device;
        run.scratch = r->device_scratch;
    }
    for (const cni_bound_share *x = share; x != NULL; x = x->next) {
        CN_TRY(move_to(r, x->shared->part, x->local, where));
    }
    uint64_t begin = cni_trace_begin();
    if (share->part != NULL) {
        cni_local_part_run(share->part, share->place, share->binding, &run);
    } else {
        share->place->run(part, share->binding, &run);
    }
    cni_trace_part(begin, r->world->first + share->local, where == CNI_ON_DEVICE, part, r->w);
    for (const cni_bound_share *x = share; x != NULL; x = x->next) {
        moved(r, x->shared->part, x->local, where);
    }
    return CN_OK;
}

/* Shares that places do for themselves: those that wait for messages or those that do not, at these places (CNI_ON_ bits). */
static cn_status run_own(cni_spread_run *r, const cni_bound_shared *bound, bool waits, int places)
{
    for (uint32_t i = 0; i < bound->nbound; i++) {
        const cni_bound_share *share = &bound->bound[i];
        if (share->waits == waits && !share->follows && (share->place->where & places) != 0) {
            CN_TRY(cni_spread_run_share(r, share));
        }
    }
    return CN_OK;
}

static bool together(const cni_bound_shared *bound)
{
    return bound->shared->kind == CNI_SHARE_RANGE || bound->shared->kind == CNI_SHARE_JOINT ||
           bound->shared->kind == CNI_SHARE_CHAIN;
}

/* What is left of the part once all is there. */
static cn_status run_shared(cni_spread_run *r, const cni_bound_shared *bound, bool begun)
{
    if (bound->shared->kind == CNI_SHARE_RANGE) {
        return run_range(r, bound);
    }
    if (bound->shared->kind == CNI_SHARE_CHAIN) {
        return run_chain(r, bound);
    }
    if (bound->shared->kind == CNI_SHARE_JOINT) {
        return run_joint(r, bound);
    }
    if (bound->shared->rounds != NULL) {
        return cni_rounds_run(r, bound);
    }
    if (!begun) {
        CN_TRY(run_own(r, bound, false, CNI_ON_HOST | CNI_ON_DEVICE));
    }
    return run_own(r, bound, true, CNI_ON_HOST | CNI_ON_DEVICE);
}

static void mark_written(const cni_spread_run *r, uint32_t slot)
{
    bool spread = r->b->partition->slots[slot].spread;
    r->of[slot]->valid = spread ? CNI_ON_PLACES : CNI_ON_HOST;
}

static void mark_part(const cni_spread_run *r, const cni_part *part)
{
    for (uint32_t a = 0; a < part->naccess; a++) {
        if (part->access[a].written && part->access[a].slot != CNI_NONE) {
            mark_written(r, part->access[a].slot);
        }
    }
    if (part->kind == CNI_PART_CARRY || part->kind == CNI_PART_FILL) {
        mark_written(r, part->slot);
    }
}

/* What the root has all of, nobody sends it: on its device that is not there yet. */
static cn_status complete(cni_spread_run *r)
{
    const cni_place_slots *at = &r->b->at[0];
    for (uint32_t i = 0; i < r->plan->nslots && r->world->first == 0; i++) {
        bool whole = r->plan->slots[i].entry && r->of[i]->valid == (CNI_ON_PLACES | CNI_ON_HOST);
        if (whole && at->on_device[i] && (*at->valid[i] & CNI_ON_DEVICE) != 0) {
            CN_TRY(cni_place_complete(r->of[i], &at->spans[i]));
        }
    }
    return CN_OK;
}

/* Arrays of the root are shared out. */
static cn_status adopt(cni_spread_run *r)
{
    const cni_partition *p = r->b->partition;
    CN_TRY(complete(r));
    CN_TRY(cni_exchange_run(r->b->exchange, p->adopt, p->nadopt, r->b->at));
    for (uint32_t i = 0; i < r->plan->nslots; i++) {
        if (p->slots[i].adopted) {
            r->of[i]->valid = CNI_ON_PLACES | CNI_ON_HOST;
            cni_spread_name(r->of[i]);
        }
    }
    return CN_OK;
}

/* Slots that the launch is the first to use have no values yet: their storage may have been another's. */
static void slots_clear(const cni_spread_run *r, uint32_t launch, uint32_t *begun)
{
    const cni_plan *plan = r->plan;
    for (; *begun < plan->nbegins && plan->slots[plan->begins[*begun]].first == launch; (*begun)++) {
        for (int k = 0; k < r->world->local; k++) {
            *r->b->at[k].valid[plan->begins[*begun]] = 0;
        }
    }
}

/* The exchange before the stage; while it lasts, what needs nothing of it. */
static cn_status exchange_before(cni_spread_run *r, const cni_stage *stage, const cni_bound_shared *bound,
                                 bool overlaps)
{
    static const int order[] = {CNI_ON_DEVICE, CNI_ON_HOST}; /* the device is only told */
    for (uint32_t i = 0; i < stage->nparts && r->b->uses_host; i++) {
        CN_TRY(move_early(r, &bound[i]));
    }
    CN_TRY(cni_exchange_begin(r->b->exchange, stage->before, stage->nbefore, r->b->at, !overlaps));
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < stage->nparts && overlaps; i++) {
            bool later = together(&bound[i]) || bound[i].shared->rounds != NULL;
            CN_TRY(later ? CN_OK : run_own(r, &bound[i], false, order[pass]));
        }
        CN_TRY(pass == 0 ? cni_exchange_go(r->b->exchange) : CN_OK);
    }
    cni_stats.overlapped += overlaps;
    return cni_exchange_end(r->b->exchange, stage->before, stage->nbefore, r->b->at);
}

static cn_status run_stages(cni_spread_run *r)
{
    const cni_partition *p = r->b->partition;
    const cni_bound_shared *bound = r->b->parts;
    uint32_t begun = 0;
    for (uint32_t l = 0; l < p->nstages; l++) {
        const cni_stage *stage = &p->stages[l];
        bool overlaps = r->b->overlaps[l];
        slots_clear(r, l, &begun);
        CN_TRY(exchange_before(r, stage, bound, overlaps));
        for (uint32_t i = 0; i < stage->nparts; i++, bound++) {
            CN_TRY(run_shared(r, bound, overlaps));
            mark_part(r, stage->parts[i].part);
        }
        CN_TRY(cni_exchange_run(r->b->exchange, stage->after, stage->nafter, r->b->at));
    }
    return root_to_host(r);
}

static void commit(const cni_spread_run *r)
{
    const cni_plan *plan = r->plan;
    for (uint32_t i = 0; i < plan->ncommits; i++) {
        r->buffers[plan->commits[i].slot]->refs++;
        if (!plan->slots[plan->commits[i].slot].entry) { /* may have been another base's: what it holds is new */
            cni_spread_forget(r->buffers[plan->commits[i].slot]);
        }
    }
    for (uint32_t i = 0; i < plan->ncommits; i++) {
        cni_base *base = r->w->bases[plan->commits[i].base];
        cni_buffer *old = base->buffer;
        base->buffer = r->buffers[plan->commits[i].slot];
        if ((base->buffer->valid & CNI_ON_PLACES) != 0 && base->buffer->spread->number == 0) {
            cni_spread_name(base->buffer);
        }
        cni_buffer_unref(old);
    }
}

/* The most bytes that a place has of a spread array. */
static int64_t largest_part(const cni_spread_run *r)
{
    int64_t most = 0;
    for (uint32_t i = 0; i < r->plan->nslots; i++) {
        const cni_slot_layout *slot = &r->b->partition->slots[i];
        int64_t nbytes = slot->spread ? slot->layout.nbytes / r->world->places : 0;
        most = nbytes > most ? nbytes : most;
    }
    return most;
}

cn_status cni_spread_go(cni_spread_run *r)
{
    const cni_partition *p = r->b->partition;
    cni_explained_messages messages = {.count = p->messages + r->b->chain_messages,
                                       .bytes = p->message_bytes + r->b->chain_bytes};
    cn_status status = cni_direct_decide(largest_part(r));
    status = status == CN_OK ? adopt(r) : status;
    uint64_t direct = cni_stats.direct_messages, direct_bytes = cni_stats.direct_bytes;
    status = status == CN_OK ? run_stages(r) : status;
    if (status != CN_OK && !r->refused && r->world->net->size > 1) {
        r->world->net->abort(cn_error_message()); /* a net or a device is lost: others would wait for ever */
    }
    CN_TRY(status);
    commit(r);
    cni_stats.windows++;
    cni_stats.launches += r->plan->nlaunches;
    cni_stats.groups += r->plan->ngroups;
    cni_stats.bytes_read += r->b->bytes_read;
    cni_stats.bytes_written += r->b->bytes_written;
    cni_stats.messages += messages.count;
    cni_stats.message_bytes += messages.bytes;
    cni_stats.root_bytes += p->root_bytes;
    messages.direct = cni_stats.direct_messages - direct;
    messages.direct_bytes = cni_stats.direct_bytes - direct_bytes;
    cni_explain_add_spread(r->plan, r->w, r->s, p, &messages);
    return CN_OK;
}
