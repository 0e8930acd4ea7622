/* spread.c - see spread.h: storage at the places of this process, and the order in which shares and exchanges run. */
#include "exec/spread.h"

#include <string.h>

#include "base/memory.h"
#include "base/settings.h"
#include "base/stats.h"
#include "base/status.h"
#include "exec/explain.h"
#include "exec/spread_chain.h"
#include "exec/trace.h"

enum { POISON = 0xA5, POISON_MOST = 1 << 20 };

/* ---- Numbers of spread buffers ---- */

enum { NUMBER_BUCKETS = 1024 };

static cni_buffer *numbered[NUMBER_BUCKETS];
static uint64_t last_number;

/* Where the buffer with this number is linked; its content is NULL if there is none. */
static cni_buffer **number_link(uint64_t number)
{
    cni_buffer **link = &numbered[number % NUMBER_BUCKETS];
    while (*link != NULL && (*link)->spread->number != number) {
        link = &(*link)->spread->next;
    }
    return link;
}

static void number_free(cni_buffer *b)
{
    if (b->spread->number != 0) {
        *number_link(b->spread->number) = b->spread->next;
        b->spread->number = 0;
    }
}

/* Numbers are given in the order of windows that run, the same everywhere. */
static void number_give(cni_buffer *b)
{
    if (cni_world_get()->net->size > 1) {
        number_free(b);
        cni_buffer **link = number_link(++last_number);
        b->spread->number = last_number;
        b->spread->next = NULL;
        *link = b;
    }
}

cni_buffer *cni_spread_find(uint64_t number)
{
    return number > 0 ? *number_link(number) : NULL;
}

/* ---- Buffers at places ---- */

static void release(cni_buffer *b)
{
    const cni_world *world = cni_world_get();
    int64_t counted = b->nbytes / world->places;
    cni_storage_touch(b->nbytes, -b->spread->beside);
    for (int k = world->local - 1; k > 0; k--) { /* what is taken next is taken by place 0 first */
        if (b->spread->more[k - 1] != NULL) {
            cni_storage_unreserve(b->spread->more[k - 1], b->nbytes, counted);
        }
    }
    if (b->spread->reserved && b->data != NULL) {
        cni_storage_unreserve(b->data, b->nbytes, counted);
        b->data = NULL;
    }
    number_free(b);
    cni_free(b->spread);
    b->spread = NULL;
}

static const cni_places places = {
    .fetch = cni_spread_fetch, .release = release, .forget = cni_log_forget, .settle = cni_log_settle};

cn_status cni_spread_attach(cni_buffer *b)
{
    const cni_world *world = cni_world_get();
    if (b->spread != NULL) {
        return CN_OK;
    }
    b->spread = cni_alloc_zero(1, sizeof *b->spread + (size_t)(world->local - 1) * sizeof(void *));
    return b->spread != NULL ? CN_OK : cni_fail_memory((int64_t)sizeof *b->spread);
}

/* Memory of the buffer at a place of this process, which has a part of it by the layout. */
static cn_status memory_at(cni_buffer *b, int local, const cni_layout *layout, bool *fresh)
{
    void **memory = cni_spread_memory(b, local);
    const cni_world *world = cni_world_get();
    int place = world->first + local;
    if (*memory != NULL) {
        return CN_OK;
    }
    int64_t low = cni_layout_begin(layout, place), high = cni_layout_begin(layout, place + 1);
    *memory = cni_storage_reserve(b->nbytes, low, high, b->nbytes / world->places, fresh);
    if (*memory != NULL && cni_settings[CNI_SETTING_VERIFY] != 0 && b->nbytes <= POISON_MOST) {
        memset(*memory, POISON, (size_t)b->nbytes); /* what nobody brings shows */
    }
    b->spread->reserved |= local == 0 && *memory != NULL;
    return *memory != NULL ? CN_OK : cni_fail_memory(b->nbytes);
}

/* Places have so many bytes of it that they do not own; memory once touched stays. */
static cn_status memory_more(cni_buffer *b, int64_t more)
{
    int64_t grows = more - b->spread->beside;
    if (grows <= 0) {
        return CN_OK;
    }
    if (!cni_storage_touch(b->nbytes, grows)) {
        return cni_fail_memory(grows);
    }
    b->spread->beside = more;
    return CN_OK;
}

/* ---- Is there anything for others to do? ---- */

bool cni_spread_wanted(const cni_window *w, const cni_skeleton *s)
{
    if (cni_world_get()->places == 1) {
        return false;
    }
    for (uint32_t i = 0; i < w->nbases; i++) {
        if (cni_base_spreads(w, s, i, cni_settings[CNI_SETTING_SPREAD_BYTES])) {
            return true;
        }
    }
    return false;
}

/* ---- Storage of a run ---- */

static bool same_layout(const cni_layout *a, const cni_layout *b)
{
    return a->unit == b->unit && a->count == b->count && a->step == b->step;
}

static cn_status slot_memory(cni_spread_run *r, uint32_t slot, bool *fresh)
{
    cni_buffer *b = r->buffers[slot];
    CN_TRY(cni_spread_attach(b));
    for (int k = 0; k < r->world->local; k++) {
        if (r->b->touched[k][slot]) {
            CN_TRY(memory_at(b, k, &r->b->partition->slots[slot].layout, fresh));
        }
        r->addresses[k][slot] = *cni_spread_memory(b, k);
    }
    r->of[slot] = b;
    return b->spread->reserved || r->world->local > 1 || r->world->first > 0 ? memory_more(b, r->b->more[slot]) : CN_OK;
}

static cn_status slot_begin(cni_spread_run *r, uint32_t slot, bool *fresh)
{
    const cni_slot_layout *layout = &r->b->partition->slots[slot];
    for (uint32_t i = 0; i < r->nidle; i++) {
        cni_buffer *b = r->idle[i];
        if (b->nbytes == layout->layout.nbytes && same_layout(&b->spread->layout, &layout->layout)) {
            r->buffers[slot] = b;
            r->idle[i] = r->idle[--r->nidle];
            return slot_memory(r, slot, fresh);
        }
    }
    cni_buffer *b;
    CN_TRY(cni_buffer_create_at(layout->layout.nbytes, 0, &b));
    b->valid = 0;
    r->buffers[slot] = b;
    CN_TRY(cni_spread_attach(b));
    b->spread->layout = layout->layout;
    return slot_memory(r, slot, fresh);
}

static cn_status entry_take(cni_spread_run *r, uint32_t slot, bool *fresh)
{
    cni_base *base = r->w->bases[r->plan->slots[slot].base];
    if (base->buffer == NULL) { /* storage that only the root has */
        CN_TRY(cni_buffer_create_at(base->nbytes, 0, &base->buffer));
    }
    cni_buffer *b = base->buffer;
    if (b->valid == CNI_ON_DEVICE) {
        CN_TRY(cni_buffer_to_host(b, true));
    }
    if (r->b->partition->slots[slot].adopted && b->refs > 1) { /* the others know of no copies made here */
        CN_TRY(cni_base_make_sole(base));
        b = base->buffer;
    }
    r->buffers[slot] = b;
    CN_TRY(slot_memory(r, slot, fresh));
    if (r->b->partition->slots[slot].adopted) {
        b->spread->layout = r->b->partition->slots[slot].layout;
    }
    return CN_OK;
}

/*
 * Storage that a base has when the plan begins, and not when it ends, serves slots that begin after its last use: where it is
 * addresses at every place. All processes find the same, from what rank 0 says of the base.
 */
static void entry_end(cni_spread_run *r, uint32_t slot)
{
    uint32_t base = r->plan->slots[slot].base;
    uint8_t not_spare = CNI_BASE_COMMON | CNI_BASE_SHARED | CNI_BASE_FILLED;
    bool leaves = !r->plan->live[base];
    for (uint32_t i = 0; i < r->plan->ncommits; i++) {
        leaves |= r->plan->commits[i].base == base;
    }
    if (leaves && r->b->partition->slots[slot].spread && !r->b->partition->slots[slot].adopted &&
        (r->s->states[base] & not_spare) == 0 && r->buffers[slot]->refs == 1) {
        r->buffers[slot]->refs++;
        r->idle[r->nidle++] = r->buffers[slot];
    }
}

static cn_status entries_take(cni_spread_run *r, bool *fresh)
{
    for (uint32_t i = 0; i < r->plan->nslots; i++) {
        if (r->plan->slots[i].entry) {
            CN_TRY(entry_take(r, i, fresh));
        }
    }
    return CN_OK;
}

static cn_status slots_take(cni_spread_run *r, bool *fresh)
{
    const cni_plan *plan = r->plan;
    const cni_slot *slots = plan->slots;
    uint32_t begun = 0, ended = 0;
    CN_TRY(entries_take(r, fresh));
    for (uint32_t l = 0; begun < plan->nbegins; l++) {
        for (; begun < plan->nbegins && slots[plan->begins[begun]].first == l; begun++) {
            CN_TRY(slot_begin(r, plan->begins[begun], fresh));
        }
        for (; ended < plan->nbegins && slots[plan->ends[ended]].last == l; ended++) {
            uint32_t slot = plan->ends[ended];
            r->idle[r->nidle++] = r->buffers[slot];
            r->buffers[slot] = NULL;
        }
        for (uint32_t i = 0; i < plan->nslots && l + 1 < plan->nlaunches; i++) {
            if (slots[i].entry && slots[i].last == l) {
                entry_end(r, i);
            }
        }
    }
    return CN_OK;
}

static cn_status storage_take(cni_spread_run *r, bool *fresh)
{
    size_t n = r->plan->nslots, rows = (size_t)r->world->local;
    memset(r->b->pointers, 0, ((3 + rows) * n + rows) * sizeof *r->b->pointers);
    memset(r->b->told, 0, r->w->nops);
    r->buffers = (cni_buffer **)r->b->pointers;
    r->of = r->buffers + n;
    r->idle = r->buffers + 2 * n;
    r->addresses = (void ***)(r->buffers + 3 * n);
    for (size_t k = 0; k < rows; k++) {
        r->addresses[k] = r->b->pointers + 3 * n + rows + k * n;
    }
    CN_TRY(r->world->net->size > 1 ? cni_rank_memory_get(&r->ranks) : CN_OK);
    CN_TRY(slots_take(r, fresh));
    r->scratch = r->b->scratch > 0 ? cni_storage_alloc(r->b->scratch) : NULL;
    return r->scratch != NULL || r->b->scratch == 0 ? CN_OK : cni_fail_memory(r->b->scratch);
}

cn_status cni_spread_prepare(cni_plan *plan, const cni_window *w, const cni_skeleton *s, cni_spread_run *r, bool *fresh)
{
    cni_process_places = &places;
    CN_TRY(cni_spread_bind(plan, w, s, fresh));
    *r = (cni_spread_run){.plan = plan, .w = w, .s = s, .b = plan->spread, .world = cni_world_get()};
    cn_status status = storage_take(r, fresh);
    if (status != CN_OK) {
        cni_spread_finish(r);
    }
    return status;
}

void cni_spread_finish(cni_spread_run *r)
{
    for (uint32_t i = 0; i < r->plan->nslots; i++) {
        if (!r->plan->slots[i].entry) {
            cni_buffer_unref(r->buffers[i]);
        }
    }
    for (uint32_t i = 0; i < r->nidle; i++) {
        cni_buffer_unref(r->idle[i]);
    }
    cni_storage_free(r->scratch, r->b->scratch);
}

/* ---- Running ---- */

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

static cn_status run_range(cni_spread_run *r, const cni_bound_shared *bound)
{
    const cni_shared_part *shared = bound->shared;
    int64_t size = cni_cpu_place.sharing->partial_bytes(bound->whole);
    for (uint32_t i = 0; i < shared->nshares; i++) {
        const cni_share *share = &shared->shares[i];
        if (cni_world_has(r->world, share->place)) {
            cni_run run = cni_spread_run_at(r, share->place - r->world->first);
            uint64_t begin = cni_trace_begin();
            cni_cpu_place.sharing->partial(shared->part, bound->whole, &run, share->from, share->to,
                                           r->b->states + (int64_t)i * size);
            cni_trace_part(begin, share->place, false, shared->part, r->w);
        }
    }
    CN_TRY(collect_states(r, shared, size));
    if (r->world->first == 0) {
        cni_run run = cni_spread_run_at(r, 0);
        cni_cpu_place.sharing->finish(shared->part, bound->whole, &run, (int)shared->nshares, r->b->states);
    }
    return CN_OK;
}

static cn_status run_joint(cni_spread_run *r, const cni_bound_shared *bound)
{
    cni_joint joint = {.part = bound->shared->part,
                       .shared = bound->shared,
                       .slots = r->b->partition->slots,
                       .window = r->w,
                       .world = r->world,
                       .addresses = r->addresses,
                       .moves = bound->moves,
                       .scratch = r->scratch,
                       .told = r->b->told};
    uint64_t begin = cni_trace_begin();
    CN_TRY(cni_cpu_place.sharing->joint(&joint));
    cni_trace_part(begin, r->world->first, false, joint.part, r->w);
    return CN_OK;
}

/* Shares that places do for themselves, of those that wait for messages or of those that do not. */
static void run_own(cni_spread_run *r, const cni_bound_shared *bound, bool waits)
{
    for (uint32_t i = 0; i < bound->nbound; i++) {
        const cni_bound_share *share = &bound->bound[i];
        if (share->waits != waits) {
            continue;
        }
        cni_run run = cni_spread_run_at(r, share->local);
        uint64_t begin = cni_trace_begin();
        if (share->part != NULL) {
            cni_local_part_run(share->part, share->binding, &run);
        } else {
            cni_cpu_place.run(bound->shared->part, share->binding, &run);
        }
        cni_trace_part(begin, r->world->first + share->local, false, bound->shared->part, r->w);
    }
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
    if (bound->shared->kind == CNI_SHARE_JOINT) {
        return run_joint(r, bound);
    }
    if (bound->shared->kind == CNI_SHARE_CHAIN) {
        return cni_chain_run(r, bound);
    }
    if (!begun) {
        run_own(r, bound, false);
    }
    run_own(r, bound, true);
    return CN_OK;
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

static cn_status run_stages(cni_spread_run *r)
{
    const cni_partition *p = r->b->partition;
    const cni_bound_shared *bound = r->b->parts;
    CN_TRY(cni_exchange_run(r->b->exchange, p->adopt, p->nadopt, r->addresses));
    for (uint32_t i = 0; i < r->plan->nslots; i++) {
        if (p->slots[i].adopted) {
            r->of[i]->valid = CNI_ON_PLACES | CNI_ON_HOST;
            number_give(r->of[i]);
        }
    }
    for (uint32_t l = 0; l < p->nstages; l++) {
        const cni_stage *stage = &p->stages[l];
        bool overlaps = r->b->overlaps[l];
        CN_TRY(cni_exchange_begin(r->b->exchange, stage->before, stage->nbefore, r->addresses));
        for (uint32_t i = 0; i < stage->nparts && overlaps; i++) {
            if (!together(&bound[i])) {
                run_own(r, &bound[i], false);
            }
        }
        cni_stats.overlapped += overlaps;
        CN_TRY(cni_exchange_end(r->b->exchange, stage->before, stage->nbefore, r->addresses));
        for (uint32_t i = 0; i < stage->nparts; i++, bound++) {
            CN_TRY(run_shared(r, bound, overlaps));
            mark_part(r, stage->parts[i].part);
        }
        CN_TRY(cni_exchange_run(r->b->exchange, stage->after, stage->nafter, r->addresses));
    }
    return CN_OK;
}

static void commit(const cni_spread_run *r)
{
    const cni_plan *plan = r->plan;
    for (uint32_t i = 0; i < plan->ncommits; i++) {
        r->buffers[plan->commits[i].slot]->refs++;
        if (!plan->slots[plan->commits[i].slot].entry) { /* may have been another base's: what it holds is new */
            number_free(r->buffers[plan->commits[i].slot]);
        }
    }
    for (uint32_t i = 0; i < plan->ncommits; i++) {
        cni_base *base = r->w->bases[plan->commits[i].base];
        cni_buffer *old = base->buffer;
        base->buffer = r->buffers[plan->commits[i].slot];
        if ((base->buffer->valid & CNI_ON_PLACES) != 0 && base->buffer->spread->number == 0) {
            number_give(base->buffer);
        }
        cni_buffer_unref(old);
    }
}

cn_status cni_spread_go(cni_spread_run *r)
{
    CN_TRY(run_stages(r));
    commit(r);
    cni_stats.windows++;
    cni_stats.launches += r->plan->nlaunches;
    cni_stats.groups += r->plan->ngroups;
    cni_stats.bytes_read += r->b->bytes_read;
    cni_stats.bytes_written += r->b->bytes_written;
    cni_stats.messages += r->b->partition->messages + r->b->chain_messages;
    cni_stats.message_bytes += r->b->partition->message_bytes + r->b->chain_bytes;
    cni_stats.root_bytes += r->b->partition->root_bytes;
    cni_explain_add(r->plan, r->w, r->s);
    return CN_OK;
}

/* ---- Fetching ---- */

/* Of bytes [low, high), those that are not the root's own. */
static int64_t not_of_root(const cni_layout *layout, int64_t low, int64_t high)
{
    int64_t own = cni_layout_begin(layout, 1);
    return high <= own ? 0 : high - (low > own ? low : own);
}

cn_status cni_spread_fetch(cni_buffer *b, int64_t low, int64_t high, bool alone)
{
    const cni_world *world = cni_world_get();
    const cni_layout *layout = &b->spread->layout;
    bool fresh = false;
    uint64_t began = cni_trace_begin();
    CN_TRY(memory_at(b, 0, layout, &fresh));
    CN_TRY(b->spread->reserved ? memory_more(b, not_of_root(layout, low, high)) : CN_OK);
    if (world->net->size > 1) {
        CN_TRY(cni_log_fetch(b, low, high, alone));
    }
    for (int owner = cni_layout_owner(layout, low); owner < layout->places && cni_layout_begin(layout, owner) < high;
         owner++) {
        int64_t begin = cni_layout_begin(layout, owner), end = cni_layout_begin(layout, owner + 1);
        begin = begin > low ? begin : low;
        end = end < high ? end : high;
        if (owner == 0 || begin >= end || (b->valid & CNI_ON_HOST) != 0) {
            continue;
        }
        cni_stats.messages++;
        cni_stats.message_bytes += (uint64_t)(end - begin);
        cni_stats.root_bytes += (uint64_t)(end - begin);
        if (world->net->size == 1) {
            memcpy((char *)b->data + begin, (char *)b->spread->more[owner - 1] + begin, (size_t)(end - begin));
        }
    }
    cni_trace_bytes(began, 0, "fetch", high - low);
    return CN_OK;
}
