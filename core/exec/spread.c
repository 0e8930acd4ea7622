/* spread.c - see spread.h: storage at the places of this process. */
#include "exec/spread.h"

#include <string.h>

#include "base/memory.h"
#include "base/settings.h"
#include "base/stats.h"
#include "base/status.h"
#include "exec/spread_binding.h"
#include "exec/spread_memory.h"
#include "exec/trace.h"

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

void cni_spread_forget(cni_buffer *b)
{
    if (b->spread->number != 0) {
        *number_link(b->spread->number) = b->spread->next;
        b->spread->number = 0;
    }
}

void cni_spread_name(cni_buffer *b)
{
    if (cni_world_get()->net->size > 1) {
        cni_spread_forget(b);
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

static cn_status slot_at(cni_spread_run *r, uint32_t slot, int k, bool *fresh)
{
    cni_buffer *b = r->buffers[slot];
    cni_place_slots *at = &r->b->at[k];
    if (r->b->touched[k][slot]) {
        CN_TRY(cni_place_host(b, k, &r->b->partition->slots[slot].layout, fresh));
    }
    if (at->on_device[slot] && !cni_place_device(b, k, r->b->partition->slots[slot].spread, &at->spans[slot])) {
        r->no_room = true;
        return cni_fail_memory(b->nbytes);
    }
    r->addresses[k][slot] = at->host[slot] = *cni_spread_memory(b, k);
    at->device[slot] = b->spread->at[k].device;
    at->valid[slot] = &b->spread->at[k].valid;
    return CN_OK;
}

static cn_status slot_memory(cni_spread_run *r, uint32_t slot, bool *fresh)
{
    cni_buffer *b = r->buffers[slot];
    CN_TRY(cni_spread_attach(b));
    for (int k = 0; k < r->world->local; k++) {
        CN_TRY(slot_at(r, slot, k, fresh));
    }
    r->of[slot] = b;
    return cni_place_beside(b) ? cni_place_more(b, r->b->more[slot]) : CN_OK;
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

/* Where places have values of what is there when the run begins. */
static void entry_valid(const cni_spread_run *r, uint32_t slot)
{
    const cni_slot_layout *layout = &r->b->partition->slots[slot];
    cni_buffer *b = r->buffers[slot];
    bool places = layout->spread && !layout->adopted;
    for (int k = 0; k < r->world->local; k++) {
        uint8_t *valid = &b->spread->at[k].valid;
        *valid = places ? *valid : 0;
        if (r->world->first + k == 0 && (b->valid & CNI_ON_HOST) != 0) {
            *valid |= CNI_ON_HOST;
        }
    }
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
    entry_valid(r, slot);
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

static cn_status scratch_take(cni_spread_run *r)
{
    int64_t host = r->b->scratch, device = r->b->device_scratch;
    if (host > 0 && (r->scratch = cni_storage_alloc(host)) == NULL) {
        return cni_fail_memory(host);
    }
    if (device > 0 && (r->device_scratch = cni_device_take(device)) == NULL) {
        r->no_room = true;
        return cni_fail_memory(device);
    }
    return CN_OK;
}

static cn_status storage_take(cni_spread_run *r, bool *fresh)
{
    size_t n = r->plan->nslots, rows = (size_t)r->world->local;
    memset(r->b->pointers, 0, (3 * n + rows) * sizeof *r->b->pointers);
    memset(r->b->told, 0, r->w->nops);
    r->buffers = (cni_buffer **)r->b->pointers;
    r->of = r->buffers + n;
    r->idle = r->buffers + 2 * n;
    r->addresses = (void ***)(r->buffers + 3 * n);
    for (size_t k = 0; k < rows; k++) {
        r->addresses[k] = r->b->at[k].host;
    }
    CN_TRY(r->world->net->size > 1 ? cni_rank_memory_get(&r->ranks) : CN_OK);
    cni_device_turn();
    CN_TRY(slots_take(r, fresh));
    return scratch_take(r);
}

static cn_status prepare(cni_plan *plan, const cni_window *w, const cni_skeleton *s, bool on_host, cni_spread_run *r,
                         bool *fresh)
{
    *r = (cni_spread_run){0};
    CN_TRY(cni_spread_bind(plan, w, s, on_host, fresh));
    *r = (cni_spread_run){.plan = plan, .w = w, .s = s, .b = plan->spread, .world = cni_world_get()};
    cn_status status = storage_take(r, fresh);
    if (status != CN_OK) {
        cni_spread_finish(r);
    }
    return status;
}

cn_status cni_spread_prepare(cni_plan *plan, const cni_window *w, const cni_skeleton *s, cni_spread_run *r, bool *fresh)
{
    cni_process_places = &cni_spread_places;
    cn_status status = prepare(plan, w, s, false, r, fresh);
    return status == CN_ERROR_MEMORY && r->no_room ? prepare(plan, w, s, true, r, fresh) : status;
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
    if (r->device_scratch != NULL) {
        cni_process_device->free(r->device_scratch, r->b->device_scratch);
    }
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
    CN_TRY(cni_place_host(b, 0, layout, &fresh));
    CN_TRY(b->spread->reserved ? cni_place_more(b, not_of_root(layout, low, high)) : CN_OK);
    for (int k = 0; k < world->local && (b->valid & CNI_ON_HOST) == 0; k++) {
        CN_TRY(cni_place_show(b, k, low, high));
    }
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
            memcpy((char *)b->data + begin, (char *)*cni_spread_memory(b, owner) + begin, (size_t)(end - begin));
        }
    }
    cni_trace_bytes(began, 0, "fetch", high - low);
    return CN_OK;
}
