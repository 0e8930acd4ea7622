/*
 * spread_binding.c - see spread_binding.h. A share is bound like a whole part: of a window whose geometry says nothing but
 * the share's box.
 */
#include "exec/spread_binding.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/settings.h"
#include "base/status.h"
#include "exec/cold.h"
#include "exec/direct.h"
#include "exec/explain.h"
#include "exec/overlap.h"
#include "exec/spread.h"
#include "exec/spread_binder.h"
#include "exec/spread_device.h"
#include "exec/spread_rounds.h"
#include "exec/trace.h"
#include "plan/match.h"

enum { VERIFIED_PLACES = 16 };

/* ---- Is it the same still? ---- */

static uint64_t layout_word(const cni_window *w, const cni_skeleton *s, uint32_t base)
{
    if ((s->states[base] & CNI_BASE_SPREAD) == 0) {
        return 0;
    }
    const cni_layout *l = &w->bases[base]->buffer->spread->layout;
    return cni_hash_mix(cni_hash_mix((uint64_t)l->unit, (uint64_t)l->count), (uint64_t)l->step) | 1;
}

static bool geometry_same(const cni_spread_binding *b, const cni_window *w)
{
    return b != NULL && b->ngeometry == w->ngeometry && b->spread_bytes == cni_settings[CNI_SETTING_SPREAD_BYTES] &&
           b->overlap == cni_settings[CNI_SETTING_OVERLAP] && b->gpu == cni_settings[CNI_SETTING_GPU] &&
           b->gpu_bytes == cni_settings[CNI_SETTING_GPU_BYTES] && (!b->joint || b->direct == cni_direct_open()) &&
           memcmp(b->geometry, w->geometry, w->ngeometry * sizeof *w->geometry) == 0;
}

bool cni_spread_unchanged(const cni_plan *plan, const cni_window *w)
{
    return geometry_same(plan->spread, w);
}

static bool same(const cni_spread_binding *b, const cni_window *w, const cni_skeleton *s)
{
    bool equal = geometry_same(b, w);
    for (uint32_t i = 0; equal && i < b->nbases; i++) {
        equal = b->layouts[i] == layout_word(w, s, i);
    }
    return equal;
}

/* ---- Bindings ---- */

static void binding_destroy(void *opaque)
{
    cni_spread_binding *b = opaque;
    if (b == NULL) {
        return;
    }
    for (uint32_t i = 0; b->parts != NULL && i < b->nparts; i++) {
        for (uint32_t k = 0; k < b->parts[i].nbound; k++) {
            if (b->parts[i].bound[k].binding != NULL) {
                b->parts[i].bound[k].place->unbind(b->parts[i].bound[k].binding);
            }
            if (b->parts[i].bound[k].rows != NULL) {
                cni_device_place()->unbind(b->parts[i].bound[k].rows);
            }
            cni_free(b->parts[i].bound[k].part);
        }
        cni_free(b->parts[i].bound);
        cni_alltoall_destroy(b->parts[i].moves);
        cni_free(b->parts[i].room.there);
    }
    for (uint32_t i = 0; b->whole != NULL && i < b->norigins; i++) {
        if (b->whole[i] != NULL) {
            cni_cpu_place.unbind(b->whole[i]);
        }
    }
    cni_free(b->whole);
    cni_exchange_destroy(b->exchange);
    cni_partition_destroy(b->partition);
    cni_free(b->parts);
    cni_free(b->touched);
    cni_free(b->more);
    cni_free(b->overlaps);
    cni_free(b->at);
    cni_free(b->pointers);
    cni_free(b->states);
    cni_free(b->told);
    cni_free(b->geometry);
    cni_free(b->layouts);
    cni_free(b);
}

/* A box of a group's share: what need not wait for messages apart. */
static cn_status bind_boxes(cni_binder *k, cni_bound_shared *out, const cni_share *share, int i)
{
    const cni_part *part = out->shared->part;
    cni_box boxes[CNI_OVERLAP_BOXES];
    int n = 1;
    boxes[0] = share->boxes[i];
    if (k->world->net->size > 1 && out->shared->kind == CNI_SHARE_BOXES) {
        n = cni_overlap_split(k->b->partition, k->stage, part, k->w, share->place, &share->boxes[i], boxes);
    }
    for (int b = 0; b < n; b++) {
        cni_bound_share *bound = &out->bound[out->nbound++];
        *bound = (cni_bound_share){.shared = out->shared,
                                   .local = share->place - k->world->first,
                                   .place = k->place,
                                   .share = share,
                                   .waits = (b > 0 || n == 1) && k->waits};
        k->b->overlaps[k->stage - k->b->partition->stages] |= n > 1 && b == 0;
        CN_TRY(cni_bind_box(k, part, &boxes[b], bound));
    }
    return CN_OK;
}

static cn_status bind_operands(cni_binder *k, const cni_part *part, const cni_share *share, int i,
                               cni_bound_share *bound)
{
    cni_window local;
    bound->part = cni_alloc(sizeof *bound->part);
    if (bound->part == NULL) {
        return cni_fail_memory((int64_t)sizeof *bound->part);
    }
    cni_local_part_make(part, k->w, share, i, bound->part);
    local = cni_local_window(bound->part, k->w);
    return bound->shared->kind == CNI_SHARE_CHAIN ? cni_bind_link(k, &bound->part->part, &local, bound)
                                                  : cni_bind_alone(k, &bound->part->part, &local, NULL, bound);
}

static cn_status bind_share(cni_binder *k, cni_bound_shared *out, const cni_share *share)
{
    const cni_shared_part *shared = out->shared;
    int local = share->place - k->world->first;
    bool boxes = shared->kind == CNI_SHARE_BOXES || shared->kind == CNI_SHARE_CHAIN;
    int count = boxes ? share->nboxes : 1;
    k->waits = k->world->net->size == 1 || cni_overlap_waits(k->stage, shared->part, share->place);
    for (int i = 0; i < count; i++) {
        if (boxes && shared->part->kind != CNI_PART_LIBRARY) {
            CN_TRY(bind_boxes(k, out, share, i));
            continue;
        }
        cni_bound_share *bound = &out->bound[out->nbound++];
        *bound =
            (cni_bound_share){.shared = shared, .local = local, .place = k->place, .share = share, .waits = k->waits};
        if (shared->kind == CNI_SHARE_RANGE) {
            CN_TRY(cni_bind_range(k, share, bound));
        } else if (boxes) {
            CN_TRY(bind_operands(k, shared->part, share, i, bound));
        } else if (shared->kind == CNI_SHARE_BYTES) {
            cni_span span = {share->from, share->to};
            CN_TRY(cni_bind_alone(k, shared->part, k->w, &span, bound));
        } else if (shared->kind == CNI_SHARE_ROOT) {
            bound->binding = k->b->whole[shared->origin]; /* bound to ask whether it can be shared out */
            k->b->whole[shared->origin] = NULL;
            CN_TRY(bound->binding != NULL ? CN_OK : cni_bind_host(k, shared->part, k->w, NULL, &bound->binding));
        }
    }
    return CN_OK;
}

/* Where in the states each box of a chain has what it keeps and hands on: the same box's, the same memory. */
static void bind_chain(cni_binder *k, cni_bound_shared *out)
{
    const cni_shared_part *shared = out->shared;
    uint32_t nblocks = shared->nshares > 0 ? (uint32_t)shared->shares[0].nboxes : 0;
    uint32_t links = shared->nshares > 0 ? shared->nshares - 1 + (shared->before >= 0) + (shared->behind >= 0) : 0;
    int64_t used = 0, own, handed = 0;
    for (uint32_t i = 0; i < out->nbound; i++) {
        cni_bound_share *bound = &out->bound[i];
        const cni_part *part = bound->part != NULL ? &bound->part->part : shared->part;
        cni_window local = bound->part != NULL ? cni_local_window(bound->part, k->w) : *k->w;
        cni_cpu_place.sharing->chain_bind(part, &local, bound->binding, out->whole, &own, &bound->state_bytes);
        bound->state = i < nblocks ? used : out->bound[i - nblocks].state;
        used += i < nblocks ? (bound->state_bytes + 15) / 16 * 16 : 0;
        handed += i < nblocks ? bound->state_bytes : 0;
        bound->own = used;
        used += (own + 15) / 16 * 16;
    }
    k->b->state_bytes = used > k->b->state_bytes ? used : k->b->state_bytes;
    k->b->chain_messages += links * nblocks;
    k->b->chain_bytes += (uint64_t)handed * links;
}

static cn_status bind_joint(cni_binder *k, cni_bound_shared *out)
{
    cni_joint joint = {.part = out->shared->part,
                       .shared = out->shared,
                       .slots = k->b->partition->slots,
                       .window = k->w,
                       .world = k->world,
                       .direct = k->b->direct};
    cni_joint_room *room = &out->room;
    cni_cpu_place.sharing->joint_room(&joint, k->place->joint, room);
    k->b->joint = true;
    k->b->scratch = room->scratch > k->b->scratch ? room->scratch : k->b->scratch;
    k->b->uses_host |= room->there == NULL;
    if (room->there != NULL) {
        int64_t memory = cni_joint_memory_bytes(room) * k->world->local;
        k->b->uses_device = true;
        k->b->device_scratch = memory > k->b->device_scratch ? memory : k->b->device_scratch;
        cni_share_touches_joint(k->b, k->world, out->shared, k->w);
    }
    return cni_alltoall_create(k->world, room->asked, room->heard, &out->moves);
}

static cn_status bind_shared(cni_binder *k, const cni_shared_part *shared, cni_bound_shared *out)
{
    size_t most = 1;
    out->shared = shared;
    k->place = cni_share_place(k->b, k->plan, shared, k->w, k->s);
    if (shared->kind == CNI_SHARE_JOINT) {
        return bind_joint(k, out);
    }
    k->b->uses_host |= k->place == &cni_cpu_place;
    for (uint32_t i = 0; i < shared->nshares; i++) {
        size_t each = shared->rounds != NULL ? (size_t)shared->rounds->n * (size_t)shared->shares[i].nboxes
                                             : ((size_t)shared->shares[i].nboxes + 1) * CNI_OVERLAP_BOXES;
        most += cni_world_has(k->world, shared->shares[i].place) ? each : 0;
    }
    out->bound = cni_alloc_zero(most, sizeof *out->bound);
    if (out->bound == NULL) {
        return cni_fail_memory((int64_t)most);
    }
    if (shared->rounds != NULL) {
        return cni_rounds_bind(k, out);
    }
    for (uint32_t i = 0; i < shared->nshares; i++) {
        if (cni_world_has(k->world, shared->shares[i].place)) {
            CN_TRY(bind_share(k, out, &shared->shares[i]));
        }
    }
    if (shared->kind == CNI_SHARE_CHAIN) {
        out->whole = k->b->whole[shared->origin];
        out->rows_there = out->nbound > 0;
        for (uint32_t i = 0; i < out->nbound; i++) {
            out->rows_there &= out->bound[i].rows != NULL;
        }
        bind_chain(k, out);
    }
    if (shared->kind == CNI_SHARE_RANGE) {
        out->whole = k->b->whole[shared->origin];
        int64_t state = cni_cpu_place.sharing->partial_bytes(out->whole) * shared->nshares;
        k->b->state_bytes = state > k->b->state_bytes ? state : k->b->state_bytes;
    }
    return CN_OK;
}

/* ---- What is touched where ---- */

static void touch(cni_binder *k, int place, uint32_t slot)
{
    if (slot != CNI_NONE && cni_world_has(k->world, place)) {
        k->b->touched[place - k->world->first][slot] = true;
    }
}

/* brought: by slot, bytes that this exchange brings; what counts is the most of all, which bring the same places again. */
static void touch_transfers(cni_binder *k, const cni_transfer *transfers, uint32_t n, int64_t *brought)
{
    memset(brought, 0, k->plan->nslots * sizeof *brought);
    for (uint32_t i = 0; i < n; i++) {
        int64_t *sum = &brought[transfers[i].slot], *more = &k->b->more[transfers[i].slot];
        *sum += cni_world_has(k->world, transfers[i].to) ? cni_region_size(&transfers[i].region) : 0;
        *more = *sum > *more ? *sum : *more;
        touch(k, transfers[i].from, transfers[i].slot);
        touch(k, transfers[i].to, transfers[i].slot);
    }
}

static void touch_part(cni_binder *k, const cni_shared_part *shared)
{
    const cni_part *part = shared->part;
    for (uint32_t i = 0; i <= shared->nshares; i++) {
        bool finishing = i == shared->nshares; /* the root stores what ranges add up to */
        if (finishing && shared->kind != CNI_SHARE_RANGE) {
            break;
        }
        int place = finishing ? 0 : shared->shares[i].place;
        for (uint32_t a = 0; a < part->naccess; a++) {
            touch(k, place, part->access[a].slot);
        }
        if (part->kind == CNI_PART_CARRY) {
            touch(k, place, part->source);
        }
        if (part->kind == CNI_PART_CARRY || part->kind == CNI_PART_FILL) {
            touch(k, place, part->slot);
        }
    }
}

static cn_status touch_all(cni_binder *k)
{
    const cni_partition *p = k->b->partition;
    size_t nslots = k->plan->nslots, rows = (size_t)k->world->local;
    k->b->touched = cni_alloc_zero(1, rows * sizeof(bool *) + rows * nslots + 1);
    k->b->more = cni_alloc_zero(2 * nslots + 1, sizeof *k->b->more);
    if (k->b->touched == NULL || k->b->more == NULL) {
        return cni_fail_memory((int64_t)(rows * nslots));
    }
    for (size_t r = 0; r < rows; r++) {
        k->b->touched[r] = (bool *)(k->b->touched + rows) + r * nslots;
    }
    int64_t *brought = k->b->more + nslots;
    for (uint32_t i = 0; i < nslots; i++) {
        for (int place = k->world->first; place < k->world->first + k->world->local; place++) {
            if (p->slots[i].spread || place == 0) {
                touch(k, place, i);
            }
        }
    }
    touch_transfers(k, p->adopt, p->nadopt, brought);
    memset(k->b->more, 0, nslots * sizeof *brought); /* what is adopted is owned */
    for (uint32_t l = 0; l < p->nstages; l++) {
        touch_transfers(k, p->stages[l].before, p->stages[l].nbefore, brought);
        touch_transfers(k, p->stages[l].after, p->stages[l].nafter, brought);
        for (uint32_t i = 0; i < p->stages[l].nparts; i++) {
            touch_part(k, &p->stages[l].parts[i]);
        }
    }
    for (uint32_t i = 0; i < nslots && k->world->first == 0; i++) {
        const cni_layout *layout = &p->slots[i].layout;
        k->b->more[i] += p->slots[i].spread ? 0 : layout->nbytes - layout->nbytes / k->world->places;
    }
    return CN_OK;
}

/* ---- Making one ---- */

/* Parts that reduce are bound as a whole first: how they may be shared out is the place's to say. */
static cn_status ask_place(cni_binder *k, int64_t *quantum, cni_chain_rule *chains)
{
    uint32_t n = 0;
    for (uint32_t l = 0; l < k->plan->nlaunches; l++) {
        const cni_launch *launch = &k->plan->launches[l];
        for (uint32_t i = 0; i < launch->nparts; i++, n++) {
            if (launch->parts[i].reduces) {
                CN_TRY(cni_bind_host(k, &launch->parts[i], k->w, NULL, &k->b->whole[n]));
                quantum[n] = cni_cpu_place.sharing->quantum(k->b->whole[n]);
            }
            if (launch->parts[i].reduces || launch->parts[i].kind == CNI_PART_LIBRARY) {
                chains[n] = cni_cpu_place.sharing->chain_rule(&launch->parts[i], k->w, k->b->whole[n]);
            }
        }
    }
    return CN_OK;
}

static cn_status reserve_rounds(cni_binder *k, const cni_rounds *r, bool device)
{
    for (int i = 0; i < r->exchanges; i++) {
        uint32_t count = r->begin[i + 1] - r->begin[i];
        CN_TRY(cni_exchange_reserve(k->b->exchange, r->transfers + r->begin[i], count, device));
    }
    return CN_OK;
}

static cn_status reserve_messages(cni_binder *k)
{
    const cni_partition *p = k->b->partition;
    CN_TRY(cni_exchange_create(k->world, &k->b->exchange));
    bool device = k->b->uses_device || (k->world->net->size == 1 && cni_process_device != NULL);
    CN_TRY(cni_exchange_reserve(k->b->exchange, p->adopt, p->nadopt, device));
    for (uint32_t l = 0; l < p->nstages; l++) {
        CN_TRY(cni_exchange_reserve(k->b->exchange, p->stages[l].before, p->stages[l].nbefore, device));
        CN_TRY(cni_exchange_reserve(k->b->exchange, p->stages[l].after, p->stages[l].nafter, device));
        for (uint32_t i = 0; i < p->stages[l].nparts; i++) {
            const cni_rounds *rounds = p->stages[l].parts[i].rounds;
            CN_TRY(rounds != NULL ? reserve_rounds(k, rounds, device) : CN_OK);
        }
    }
    return CN_OK;
}

/* What every run needs for itself. */
static cn_status reserve_work(cni_binder *k)
{
    cni_spread_binding *b = k->b;
    size_t slots = k->plan->nslots, rows = (size_t)k->world->local;
    b->pointers = cni_alloc((3 * slots + rows + 1) * sizeof *b->pointers);
    b->states = cni_alloc((size_t)b->state_bytes);
    b->told = cni_alloc(k->w->nops);
    return b->pointers != NULL && b->states != NULL && b->told != NULL ? CN_OK : cni_fail_memory(b->state_bytes);
}

static cn_status binding_fill(cni_binder *k, int64_t *quantum, cni_chain_rule *chains)
{
    cni_spread_binding *b = k->b;
    CN_TRY(ask_place(k, quantum, chains));
    cni_partition_request request = {.plan = k->plan,
                                     .window = k->w,
                                     .skeleton = k->s,
                                     .places = k->world->places,
                                     .first = k->world->first,
                                     .end = k->world->first + k->world->local,
                                     .spread_bytes = b->spread_bytes,
                                     .quantum = quantum,
                                     .chains = chains};
    CN_TRY(cni_partition_make(&request, &b->partition));
    cni_explain_partition(b->partition);
    if (cni_settings[CNI_SETTING_VERIFY] != 0 && request.end - request.first == request.places &&
        request.places <= VERIFIED_PLACES) {
        CN_TRY(cni_partitions_verify(&request, b->partition));
    }
    for (uint32_t l = 0; l < b->partition->nstages; l++) {
        b->nparts += b->partition->stages[l].nparts;
    }
    b->parts = cni_alloc_zero(b->nparts, sizeof *b->parts);
    b->overlaps = cni_alloc_zero(b->partition->nstages + 1, sizeof *b->overlaps);
    CN_TRY(cni_share_slots(b, k->plan->nslots, k->world));
    CN_TRY(b->parts != NULL && b->overlaps != NULL ? CN_OK : cni_fail_memory((int64_t)b->nparts));
    cni_bound_shared *next = b->parts;
    for (uint32_t l = 0; l < b->partition->nstages; l++) {
        const cni_stage *stage = k->stage = &b->partition->stages[l];
        for (uint32_t i = 0; i < stage->nparts; i++) {
            CN_TRY(bind_shared(k, &stage->parts[i], next++));
        }
        CN_TRY(cni_bind_pending(k));
        cni_launch_bytes(&k->plan->launches[l], k->plan, k->w, k->s, &b->bytes_read, &b->bytes_written);
    }
    cni_share_spans(b, k->plan, k->world);
    CN_TRY(touch_all(k));
    CN_TRY(reserve_work(k));
    return reserve_messages(k);
}

static cn_status binding_make(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, cni_spread_binding *b)
{
    for (uint32_t l = 0; l < plan->nlaunches; l++) {
        b->norigins += plan->launches[l].nparts;
    }
    b->ngeometry = w->ngeometry;
    b->nbases = (uint32_t)w->nbases;
    b->spread_bytes = cni_settings[CNI_SETTING_SPREAD_BYTES];
    b->overlap = cni_settings[CNI_SETTING_OVERLAP];
    b->gpu = cni_settings[CNI_SETTING_GPU];
    b->gpu_bytes = cni_settings[CNI_SETTING_GPU_BYTES];
    b->direct = cni_direct_open();
    b->whole = cni_alloc_zero(b->norigins, sizeof *b->whole);
    b->geometry = cni_alloc(w->ngeometry * sizeof *b->geometry);
    b->layouts = cni_alloc_zero(w->nbases, sizeof *b->layouts);
    size_t boxes = cni_settings[CNI_SETTING_GPU] != 0 && cni_device_place() != NULL ? CNI_PARTS_TOGETHER : 1;
    size_t ngeometry = boxes * w->all_geometry;
    int64_t *work = cni_alloc_zero(ngeometry + b->norigins, sizeof *work);
    cni_chain_rule *chains = cni_alloc_zero(b->norigins, sizeof *chains);
    cn_status status = CN_OK;
    if (b->whole == NULL || b->geometry == NULL || b->layouts == NULL || work == NULL || chains == NULL) {
        status = cni_fail_memory((int64_t)(w->ngeometry * sizeof *b->geometry));
    } else {
        memcpy(b->geometry, w->geometry, w->ngeometry * sizeof *b->geometry);
        for (uint32_t i = 0; i < b->nbases; i++) {
            b->layouts[i] = layout_word(w, s, i);
        }
        cni_binder k = {.b = b, .plan = plan, .w = w, .s = s, .world = cni_world_get(), .geometry = work};
        status = binding_fill(&k, work + ngeometry, chains);
        cni_free(k.pending);
    }
    cni_free(work);
    cni_free(chains);
    return status;
}

/* Kernels of all shares are compiled side by side: are they there, are they waited for, or does the processor do it? */
static cni_bound_state kernels_state(const cni_plan *plan, const cni_window *w, const cni_skeleton *s,
                                     cni_spread_binding *b)
{
    const cni_place *device = b->uses_device ? cni_device_place() : NULL;
    if (device == NULL || device->bound == NULL) {
        return CNI_BOUND;
    }
    uint64_t number = 0;
    const cni_world *world = cni_world_get();
    bool here = cni_cold_runs_here(plan, w, s, b->bytes_read + b->bytes_written, world->places / world->local);
    cni_bound_state state = device->bound(&number, !here);
    b->compiles = state == CNI_BOUND_LATER ? number : 0;
    return state;
}

static cn_status make(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, bool on_host, bool repeats,
                      cni_spread_binding **out)
{
    cn_status status = CN_OK;
    cni_spread_binding *made = NULL;
    uint64_t compiles = 0;
    cni_bound_state state = CNI_BOUND;
    do { /* a kernel that cannot be compiled is not asked for again */
        binding_destroy(made);
        made = cni_alloc_zero(1, sizeof *made);
        if (made == NULL) {
            return cni_fail_memory((int64_t)sizeof *made);
        }
        made->on_host = on_host;
        made->repeats = repeats;
        made->compiles = compiles;
        status = binding_make(plan, w, s, made);
        state = status == CN_OK ? kernels_state(plan, w, s, made) : CNI_BOUND;
        compiles = made->compiles;
    } while (state != CNI_BOUND);
    if (status != CN_OK) {
        binding_destroy(made);
        return status;
    }
    *out = made;
    return CN_OK;
}

/* Are the kernels there for which the processor did all shares so far? */
static bool compiled(cni_spread_binding *b)
{
    return b->compiles != 0 && cni_device_place()->bound(&b->compiles, false) != CNI_BOUND_LATER;
}

cn_status cni_spread_bind(cni_plan *plan, const cni_window *w, const cni_skeleton *s, bool on_host, bool *fresh)
{
    cni_spread_binding *old = plan->spread, *made = NULL;
    bool unchanged = same(old, w, s), asks = unchanged && (compiled(old) || cni_share_asks(old));
    if (unchanged && !asks && old->on_host == on_host) {
        return CN_OK;
    }
    *fresh = true;
    uint64_t begin = cni_trace_begin();
    cn_status status = make(plan, w, s, on_host, unchanged && old->repeats, &made);
    cni_trace_plan(begin, cni_world_get()->first, w);
    CN_TRY(status);
    binding_destroy(old);
    plan->spread = made;
    plan->spread_destroy = binding_destroy;
    return CN_OK;
}
