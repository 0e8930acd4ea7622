/*
 * run.c - runs a window: finds or makes its plan, gives it storage, runs its launches, and hands the results to their
 * bases. Decides nothing.
 *
 * All storage is taken before the first launch, so that a window either runs as a whole or leaves everything as it was.
 */
#include "base/hash.h"
#include "base/settings.h"
#include "base/stats.h"
#include "base/status.h"
#include "exec/binding.h"
#include "exec/explain.h"
#include "exec/part_slots.h"
#include "exec/place.h"
#include "exec/simulate.h"
#include "exec/spread.h"
#include "exec/unplanned.h"
#include "exec/trace.h"

/* ---- Running ---- */

cn_fp_event cni_run_event_of(const cni_window *w, uint32_t op)
{
    const cni_op *o = &w->ops[op];
    static const cn_op names[CNI_KIND_COUNT] = {[CNI_COPY] = CN_FP_IN_CAST,
                                                [CNI_REDUCE] = CN_FP_IN_REDUCE,
                                                [CNI_APPLY] = CN_FP_IN_AT,
                                                [CNI_SCAN] = CN_FP_IN_ACCUMULATE,
                                                [CNI_SEGMENTS] = CN_FP_IN_REDUCEAT};
    cn_op where = names[o->kind] < 0 ? names[o->kind] : o->opcode;
    if (o->kind == CNI_APPLY && (o->flags & CNI_FLAG_NAMED) != 0) {
        where = o->opcode;
    } else if (o->kind == CNI_FOURIER) {
        where = -(cn_op)o->opcode;
    } else if (o->kind == CNI_SEGMENTS && (o->flags & CNI_FLAG_FOLD) != 0) {
        where = CN_FP_IN_REDUCE;
    }
    return (cn_fp_event){.context = o->fp_context, .site = o->site, .op = where};
}

void cni_run_event(const cni_run *run, uint32_t op, uint32_t kind)
{
    if (run->window->recorder->ran != NULL) { /* told already, when it ran first */
        return;
    }
    if (run->told != NULL) {
        if ((run->told[op] & kind) != 0) {
            return;
        }
        run->told[op] |= (uint8_t)kind;
    }
    cn_fp_event event = cni_run_event_of(run->window, op);
    event.kind = kind;
    cni_recorder_event(run->window->recorder, &event);
}

/* Values come to where a part runs; what it writes is there alone. */
typedef struct part_move {
    const cni_run_storage *store;
    const cni_part *part;
    const cni_window *w;
    uint8_t where;
    cn_status status;
} part_move;

/* Does the part write every element of the slot, and read none? */
static bool overwrites(const cni_part *part, const cni_window *w, uint32_t slot, int64_t nbytes)
{
    int64_t written = 0;
    for (uint32_t a = 0; a < part->naccess; a++) {
        if (part->access[a].slot == slot) {
            cni_geometry g = cni_window_geometry(w, part->access[a].view);
            if (!part->access[a].written) {
                return false;
            }
            written = cni_element_count(g.ndim, g.shape) * g.itemsize;
        }
    }
    return written == nbytes && part->kind != CNI_PART_CARRY && part->kind != CNI_PART_FILL &&
           !(part->kind == CNI_PART_LIBRARY && w->ops[part->op].kind == CNI_SCATTER);
}

static void bring(void *context, uint32_t slot, bool reads, bool writes)
{
    part_move *m = context;
    cni_buffer *b = m->store->of[slot];
    bool there = (b->valid & m->where) != 0 || b->valid == 0;
    if (reads && !there && m->status == CN_OK && !(writes && overwrites(m->part, m->w, slot, b->nbytes))) {
        m->status = cni_buffer_bring(b, m->where);
    }
}

static void settle(void *context, uint32_t slot, bool reads, bool writes)
{
    part_move *m = context;
    (void)reads;
    if (writes) {
        m->store->of[slot]->valid = m->where;
    }
}

static cn_status move_parts(const cni_part *parts, const cni_bound_part *bound, const cni_window *w,
                            const cni_run_storage *store)
{
    part_move m = {.store = store, .w = w, .where = bound->place->where};
    for (uint32_t k = 0; k < bound->count; k++) {
        m.part = &parts[k];
        cni_part_slots(&parts[k], bring, &m);
    }
    for (uint32_t k = 0; k < bound->count && m.status == CN_OK; k++) {
        cni_part_slots(&parts[k], settle, &m);
    }
    return m.status;
}

/* Is the storage of all slots of the joined launches, which have a part each, apart? Then they may run as one. */
static bool may_join(const cni_launch *launches, const cni_bound_part *bound, const cni_run_storage *store)
{
    void *const *addresses = store->addresses[bound->place->where];
    for (uint32_t k = 0; k < bound->njoined; k++) {
        for (uint32_t a = 0; a < launches[k].parts->naccess; a++) {
            uint32_t slot = launches[k].parts->access[a].slot;
            for (uint32_t m = 0; m <= k; m++) {
                for (uint32_t o = 0; o < launches[m].parts->naccess; o++) {
                    uint32_t other = launches[m].parts->access[o].slot;
                    if (slot != other && slot != CNI_NONE && other != CNI_NONE && addresses[slot] == addresses[other]) {
                        return false;
                    }
                }
            }
        }
    }
    return bound->joined != NULL;
}

static void run_bound(const cni_part *parts, const cni_bound_part *bound, bool joined, const cni_window *w,
                      const cni_skeleton *s, const cni_run_storage *store)
{
    uint8_t where = bound->place->where;
    uint8_t scratch = bound->place->scratch_on_device ? CNI_ON_DEVICE : where;
    cni_run run = {.window = w, .skeleton = s, .slots = store->addresses[where], .scratch = store->scratch[scratch]};
    uint64_t begin = cni_trace_begin();
    bound->place->run(parts, joined ? bound->joined : bound->binding, &run);
    cni_trace_part(begin, 0, where == CNI_ON_DEVICE, parts, w);
}

/* Storage that a launch is the first to use has no values yet: it may have been another slot's. */
static void slots_begin(const cni_plan *plan, const cni_run_storage *store, uint32_t launch, uint32_t *begun)
{
    for (; *begun < plan->nbegins && plan->slots[plan->begins[*begun]].first == launch; (*begun)++) {
        store->of[plan->begins[*begun]]->valid = 0;
    }
}

/* Moves what the parts need, runs them, or both. */
enum { MOVE = 1, RUN = 2 };

static cn_status walk(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, const cni_run_storage *store,
                      int what)
{
    const cni_bound_part *bound = ((const cni_binding *)plan->binding)->parts;
    uint32_t begun = 0;
    for (uint32_t l = 0; l < plan->nlaunches; l++) {
        const cni_launch *launch = &plan->launches[l];
        if (what == RUN && bound->joined != NULL && may_join(launch, bound, store)) {
            run_bound(launch->parts, bound, true, w, s, store);
            l += bound->njoined - 1;
            bound += bound->njoined;
            continue;
        }
        if ((what & MOVE) != 0) {
            slots_begin(plan, store, l, &begun);
        }
        for (uint32_t k = 0; k < launch->nparts; k += bound++->count) {
            if ((what & MOVE) != 0) {
                CN_TRY(move_parts(&launch->parts[k], bound, w, store));
            }
            if ((what & RUN) != 0) {
                run_bound(&launch->parts[k], bound, false, w, s, store);
            }
        }
    }
    return CN_OK;
}

/* All addresses that the device sees. */
static uint64_t address_key(const cni_plan *plan, const cni_run_storage *store)
{
    uint64_t key = cni_hash_mix(1, (uintptr_t)store->scratch[CNI_ON_DEVICE]);
    for (uint32_t i = 0; i < plan->nslots; i++) {
        key = cni_hash_mix(key, (uintptr_t)store->addresses[CNI_ON_DEVICE][i]);
    }
    return key;
}

static cn_status launch_all(const cni_plan *plan, const cni_window *w, const cni_skeleton *s)
{
    cni_binding *b = plan->binding;
    const cni_run_storage *store = &b->store;
    if (b->uses_device && !b->uses_host) {
        CN_TRY(walk(plan, w, s, store, MOVE)); /* nothing goes to the host between its parts */
        cni_device_place()->plan_begin(&b->plan_memory, address_key(plan, store));
        CN_TRY(walk(plan, w, s, store, RUN));
        cni_device_place()->plan_end(&b->plan_memory);
    } else {
        CN_TRY(walk(plan, w, s, store, store->moves ? MOVE | RUN : RUN));
        CN_TRY(b->uses_turns ? cni_process_device->finish() : CN_OK);
    }
    cni_stats.windows++;
    cni_stats.launches += plan->nlaunches;
    cni_stats.groups += plan->ngroups;
    cni_stats.bytes_read += b->bytes_read;
    cni_stats.bytes_written += b->bytes_written;
    return CN_OK;
}

/* What place_changes asks about. */
static void count_run(cni_binding *b, uint64_t moves)
{
    b->runs += b->runs < CNI_REPEATS;
    b->moved = moves != cni_stats.moves ? b->moved + 1 : 0;
}

/* Storage for a run; if the device has no room for it, boxes in turn, or the host alone; and the other way round. */
static cn_status plan_prepare(cni_plan *plan, const cni_window *w, const cni_skeleton *s)
{
    CN_TRY(cni_binding_follow(plan, w, s, CNI_ROOM_PLAN));
    cn_status status = cni_run_storage_take(plan, w);
    if (status == CN_ERROR_MEMORY && cni_binding_wait(plan)) {
        cni_run_storage_release(plan);
        CN_TRY(cni_binding_follow(plan, w, s, CNI_ROOM_PLAN));
        status = cni_run_storage_take(plan, w);
    }
    for (uint8_t room = CNI_ROOM_BOXES; status == CN_ERROR_MEMORY && room <= CNI_ROOM_NONE; room++) {
        const cni_binding *b = plan->binding;
        if ((b->uses_device || b->uses_turns) && b->room < room) {
            cni_run_storage_release(plan);
            CN_TRY(cni_binding_follow(plan, w, s, room));
            status = cni_run_storage_take(plan, w);
        }
    }
    return status;
}

static cn_status plan_run(cni_plan *plan, const cni_window *w, const cni_skeleton *s)
{
    cn_stats before = cni_stats;
    cn_status status = plan_prepare(plan, w, s);
    if (status == CN_ERROR_MEMORY) {
        status = cni_fail_naming(w);
    }
    if (plan->binding == NULL) {
        return status;
    }
    if (status == CN_OK) {
        status = launch_all(plan, w, s);
    }
    if (status == CN_OK) {
        cni_run_storage_commit(plan, w, &((const cni_binding *)plan->binding)->store);
        count_run(plan->binding, before.moves);
        cni_explain_add(plan, w, s);
        cni_explain_turns(cni_stats.turns - before.turns, cni_stats.turn_up_bytes - before.turn_up_bytes,
                          cni_stats.turn_down_bytes - before.turn_down_bytes);
    }
    cni_run_storage_release(plan);
    return status;
}

static cn_status plan_get(cni_window *w, const cni_skeleton *s, bool spread, bool loosely, cni_plan **plan)
{
    *plan = cni_plan_find(w, s, loosely, spread ? cni_spread_unchanged : cni_binding_fits);
    if (*plan != NULL) {
        cni_stats.plan_hits++;
        return cni_plan_derive(*plan, s, w);
    }
    cni_stats.plan_misses++;
    uint64_t begin = cni_trace_begin();
    CN_TRY(cni_plan_make(w, s, plan));
    cni_plan_keep(*plan);
    cni_trace_plan(begin, cni_world_get()->first, w);
    CN_TRY(cni_plan_derive(*plan, s, w));
    cni_explain_planned(*plan, w, s);
    return CN_OK;
}

/* Runs the window over the places; rank 0 tells the others once it knows that it can. */
static cn_status spread_run(cni_window *w, const cni_skeleton *s)
{
    static bool refused; /* the others may lack what is there already */
    cni_plan *plan;
    cni_spread_run run;
    uint64_t missed = cni_stats.plan_misses;
    CN_TRY(plan_get(w, s, true, !refused, &plan)); /* what lacked memory may be kept by no more than another plan */
    bool fresh = cni_stats.plan_misses != missed || refused;
    refused = true;
    CN_TRY(cni_spread_prepare(plan, w, s, &run, &fresh));
    cn_status status = CN_OK;
    if (cni_process_net->size > 1) {
        status = cni_log_window(w, s, plan->live, fresh);
        status = status == CN_OK && fresh ? cni_spread_agree(CN_OK) : status;
    }
    refused = status != CN_OK;
    status = status == CN_OK ? cni_spread_go(&run) : status;
    refused |= run.refused;
    cni_spread_finish(&run);
    return status;
}

/* A window that rank 0 has sent. */
cn_status cni_window_run_here(cni_window *w, const cni_skeleton *s, bool agree)
{
    cni_plan *plan;
    cni_spread_run run;
    bool fresh = false;
    cn_status status = plan_get(w, s, true, false, &plan); /* rank 0's: it keeps just what was sent as alive */
    status = status == CN_OK ? cni_spread_prepare(plan, w, s, &run, &fresh) : status;
    if (agree) {
        cn_status all = cni_spread_agree(status);
        if (status == CN_OK && all != CN_OK) {
            cni_spread_finish(&run);
        }
        if (all != CN_OK) {
            return CN_OK; /* nobody does it: rank 0 has raised the error */
        }
    }
    if (status == CN_OK) {
        status = cni_spread_go(&run);
        status = run.refused ? CN_OK : status; /* by all, likewise */
        cni_spread_finish(&run);
    }
    return status;
}

static cn_status root_run(cni_window *w, const cni_skeleton *s)
{
    cni_plan *plan, *exact;
    CN_TRY(plan_get(w, s, false, true, &plan));
    if (cni_simulate_wanted()) {
        return cni_simulate(plan, w, s, plan_run);
    }
    cn_status status = plan_run(plan, w, s);
    if (status == CN_ERROR_MEMORY) { /* what it lacks may be for values that this plan alone keeps */
        CN_TRY(plan_get(w, s, false, false, &exact));
        status = exact != plan ? plan_run(exact, w, s) : status;
    }
    return status;
}

/* Memory of the device that others know: before and after the window (record/device_memory.c). */
static cn_status for_shown(const cni_window *w, cn_status (*visit)(cni_buffer *buffer))
{
    for (size_t i = 0; i < w->nbases && cni_process_device != NULL; i++) {
        if (w->bases[i]->buffer != NULL) {
            CN_TRY(visit(w->bases[i]->buffer));
        }
    }
    return CN_OK;
}

cn_status cni_window_run(cni_window *w)
{
    static cni_skeleton skeleton; /* memory is kept from window to window */
    size_t ngeometry = w->ngeometry;
    if (cni_world_get()->places > 1) {
        w->fading = NULL; /* every value is stored where there are several places */
    }
    CN_TRY(for_shown(w, cni_buffer_refresh));
    if (cni_unplanned_wanted(w)) {
        CN_TRY(cni_unplanned_run(w));
        return for_shown(w, cni_buffer_settle);
    }
    cn_status status = cni_skeleton_build(w, &skeleton);
    if (status == CN_OK) {
        status = cni_spread_wanted(w, &skeleton) ? spread_run(w, &skeleton) : root_run(w, &skeleton);
    }
    w->ngeometry = ngeometry; /* without the homes: the next try appends them again */
    return status == CN_OK ? for_shown(w, cni_buffer_settle) : status;
}
