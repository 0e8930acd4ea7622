/* binding.c - see binding.h: where the parts of a plan run. */
#include "exec/binding.h"

#include <string.h>

#include "base/settings.h"
#include "base/status.h"
#include "exec/cold.h"
#include "exec/explain.h"
#include "exec/part_slots.h"
#include "exec/turns.h"

static void part_unbind(cni_bound_part *bound)
{
    if (bound->place != NULL) {
        bound->place->unbind(bound->binding);
    }
    if (bound->joined != NULL) {
        bound->place->unbind(bound->joined);
    }
    *bound = (cni_bound_part){0};
}

/* What the device keeps of runs with this geometry. */
static void plan_memory_forget(cni_binding *b)
{
    if (b->plan_memory != NULL) {
        cni_device_place()->plan_forget(b->plan_memory);
        b->plan_memory = NULL;
    }
}

static void binding_destroy(void *opaque)
{
    cni_binding *b = opaque;
    if (b == NULL) {
        return;
    }
    plan_memory_forget(b);
    for (uint32_t i = 0; i < b->nparts; i++) {
        part_unbind(&b->parts[i]);
    }
    cni_free(b->geometry);
    cni_arena_destroy(&b->arena);
    cni_free(b);
}

bool cni_binding_fits(const cni_plan *plan, const cni_window *w)
{
    const cni_binding *b = plan->binding;
    return b != NULL && b->complete && b->ngeometry == w->ngeometry && b->gpu == cni_settings[CNI_SETTING_GPU] &&
           b->gpu_memory == cni_settings[CNI_SETTING_GPU_MEMORY] &&
           b->gpu_bytes == cni_settings[CNI_SETTING_GPU_BYTES] &&
           memcmp(b->geometry, w->geometry, w->ngeometry * sizeof *w->geometry) == 0;
}

static uint32_t part_count(const cni_plan *plan)
{
    uint32_t n = 0;
    for (uint32_t l = 0; l < plan->nlaunches; l++) {
        n += plan->launches[l].nparts;
    }
    return n;
}

/*
 * ---- Where parts run: a matter of sizes and of where values are; of time only while kernels are compiled (cold.h) ----
 *
 * Values of gpu_bytes go to the device; what is there stays there. What a plan does again and again pays for a move of less:
 * after REPEATS runs on one geometry a part of it is enough. Unless values keep going back and forth: after MOVES such runs
 * a plan of smaller values is the processor's, for good.
 */

enum { REPEATS = CNI_REPEATS, REPEATED_PART = CNI_REPEATED_PART, MOVES = 4 };

typedef struct part_size {
    const cni_plan *plan;
    const cni_window *w;
    const cni_skeleton *s;
    const cni_binding *b;
    int64_t largest;
    bool shared, away; /* memory of the host that others see; values that are on the device */
} part_size;

static void measure(void *context, uint32_t slot, bool reads, bool writes)
{
    part_size *size = context;
    const cni_slot *s = &size->plan->slots[slot];
    uint8_t state = size->s->states[s->base];
    int64_t nbytes = size->w->bases[s->base]->nbytes;
    (void)reads, (void)writes;
    size->largest = nbytes > size->largest ? nbytes : size->largest;
    size->shared |= s->entry && (state & CNI_BASE_SHARED) != 0 && (state & CNI_BASE_AWAY) == 0;
    size->away |= (s->entry && (state & CNI_BASE_AWAY) != 0) || (size->b->touched[slot] & CNI_ON_DEVICE) != 0;
}

static const cni_place *choose_place(const cni_part *part, const cni_plan *plan, const cni_window *w,
                                     const cni_skeleton *s, const cni_binding *b)
{
    bool here = b->room == CNI_ROOM_NONE || b->compiles != 0;
    const cni_place *device = cni_settings[CNI_SETTING_GPU] != 0 && !here ? cni_device_place() : NULL;
    if (device == NULL) {
        return &cni_cpu_place;
    }
    part_size size = {.plan = plan, .w = w, .s = s, .b = b};
    cni_part_slots(part, measure, &size);
    int64_t least = cni_settings[CNI_SETTING_GPU_BYTES] / (b->repeats ? REPEATED_PART : 1);
    bool worth = (size.away && !b->back) || size.largest >= least;
    device = b->room == CNI_ROOM_BOXES ? &cni_turn_place : device;
    return worth && !size.shared && device->supports(part, w, s) ? device : &cni_cpu_place;
}

typedef struct part_touch {
    cni_binding *b;
    uint8_t where;
} part_touch;

static void touch(void *context, uint32_t slot, bool reads, bool writes)
{
    const part_touch *t = context;
    (void)reads, (void)writes;
    t->b->touched[slot] |= t->where;
}

/* Binds the part at this place, alone: what is bound already follows. */
static cn_status bind_at(const cni_place *place, const cni_part *part, const cni_window *w, const cni_skeleton *s,
                         cni_bound_part *bound)
{
    bool same = bound->place == place && bound->part == part && bound->count == 1;
    if (same && place->rebind != NULL) {
        return place->rebind(part, w, s, NULL, bound->binding);
    }
    part_unbind(bound);
    CN_TRY(place->bind(part, w, s, NULL, &bound->binding));
    *bound = (cni_bound_part){.place = place, .part = part, .binding = bound->binding, .count = 1};
    return CN_OK;
}

/* The first of count parts, and those behind it that the place takes together with it. */
static cn_status bind_together(const cni_place *place, const cni_part *part, uint32_t count, const cni_window *w,
                               const cni_skeleton *s, cni_bound_part *bound)
{
    cni_placed_part placed[CNI_PARTS_TOGETHER];
    uint32_t taken;
    part_unbind(bound);
    for (uint32_t k = 0; k < count; k++) {
        placed[k] = (cni_placed_part){&part[k], w};
    }
    CN_TRY(place->bind_parts(placed, count, s, NULL, &taken, &bound->binding));
    *bound = (cni_bound_part){.place = place, .part = part, .binding = bound->binding, .count = taken};
    return CN_OK;
}

static void need_scratch(cni_binding *b, const cni_place *place, const void *bound)
{
    int64_t scratch = place->scratch(bound);
    int64_t *most = &b->scratch[place->scratch_on_device ? CNI_ON_DEVICE : place->where];
    *most = scratch > *most ? scratch : *most;
}

/* Binds the first of count parts of a launch, and perhaps some behind it. */
static cn_status bind_part(const cni_part *part, uint32_t count, const cni_plan *plan, const cni_window *w,
                           const cni_skeleton *s, cni_binding *b, cni_bound_part *bound)
{
    uint32_t n = 1;
    cn_status status = CN_ERROR_UNSUPPORTED;
    const cni_place *place = choose_place(part, plan, w, s, b);
    if (place->bind_parts != NULL) {
        while (n < count && n < CNI_PARTS_TOGETHER && choose_place(&part[n], plan, w, s, b) == place) {
            n++;
        }
        status = bind_together(place, part, n, w, s, bound);
    } else if (place != &cni_cpu_place) {
        status = bind_at(place, part, w, s, bound);
    }
    if (status == CN_ERROR_UNSUPPORTED) {
        status = bind_at(&cni_cpu_place, part, w, s, bound);
    }
    CN_TRY(status);
    b->uses_device |= bound->place->where == CNI_ON_DEVICE;
    b->uses_host |= bound->place->where == CNI_ON_HOST;
    b->uses_turns |= bound->place == &cni_turn_place;
    need_scratch(b, bound->place, bound->binding);
    for (uint32_t k = 0; k < bound->count; k++) {
        cni_part_slots(&part[k], touch, &(part_touch){b, bound->place->where});
    }
    return CN_OK;
}

static bool binding_create(cni_plan *plan)
{
    cni_binding *b = cni_alloc_zero(1, sizeof *b);
    if (b == NULL) {
        return false;
    }
    size_t n = plan->nslots;
    uint32_t nparts = part_count(plan);
    b->parts = cni_arena_alloc(&b->arena, (nparts + 1) * sizeof *b->parts);
    b->touched = cni_arena_alloc(&b->arena, n + 1);
    void **slots = cni_arena_alloc(&b->arena, (n * 5 + 1) * sizeof *slots);
    if (b->parts == NULL || b->touched == NULL || slots == NULL) {
        binding_destroy(b);
        return false;
    }
    b->nparts = nparts;
    b->store.buffers = (cni_buffer **)slots;
    b->store.idle = (cni_buffer **)slots + n;
    b->store.of = (cni_buffer **)slots + 2 * n;
    b->store.addresses[CNI_ON_HOST] = slots + 3 * n;
    b->store.addresses[CNI_ON_DEVICE] = slots + 4 * n;
    plan->binding = b;
    plan->binding_destroy = binding_destroy;
    return true;
}

cni_bound_part *cni_binding_behind(const cni_launch *launch, cni_bound_part *bound)
{
    for (uint32_t k = 0; k < launch->nparts; k += bound++->count) {
    }
    return bound;
}

/* Where all is the device's, it may do some launches as one. */
static void launches_join(const cni_plan *plan, const cni_window *w, cni_binding *b)
{
    const cni_place *place = b->uses_device && !b->uses_host ? cni_device_place() : NULL;
    cni_bound_part *bound = b->parts;
    uint32_t n;
    for (uint32_t l = 0; l < plan->nlaunches && place != NULL && place->join != NULL; l += n > 0 ? n : 1) {
        cni_bound_part *first = bound;
        n = place->join(&plan->launches[l], plan->nlaunches - l, w, &first->joined);
        first->njoined = n;
        if (n > 0) {
            need_scratch(b, place, first->joined);
        }
        for (uint32_t k = 0; k == 0 || k < n; k++) {
            bound = cni_binding_behind(&plan->launches[l + k], bound);
        }
    }
}

static cn_status parts_bind(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, cni_binding *b)
{
    memset(b->touched, 0, plan->nslots);
    memset(b->scratch, 0, sizeof b->scratch);
    b->uses_device = b->uses_host = b->uses_turns = false;
    b->bytes_read = b->bytes_written = 0;
    cni_bound_part *bound = b->parts;
    for (uint32_t l = 0; l < plan->nlaunches; l++) {
        const cni_launch *launch = &plan->launches[l];
        for (uint32_t k = 0; k < launch->nparts; k += bound++->count) {
            CN_TRY(bind_part(&launch->parts[k], launch->nparts - k, plan, w, s, b, bound));
        }
        cni_launch_bytes(launch, plan, w, s, &b->bytes_read, &b->bytes_written);
    }
    launches_join(plan, w, b);
    return CN_OK;
}

/*
 * Kernels of all parts are compiled side by side; one that cannot be is not asked for again. They are waited for, unless the
 * processor does the whole plan before they would be there: then it is bound at the processor.
 */
static cn_status parts_bind_ready(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, cni_binding *b)
{
    cni_bound_state state;
    b->compiles = 0;
    do {
        uint64_t number = 0;
        CN_TRY(parts_bind(plan, w, s, b));
        const cni_place *device = b->uses_device || b->uses_turns ? cni_device_place() : NULL;
        if (device == NULL || device->bound == NULL) {
            return CN_OK;
        }
        state = device->bound(&number, !cni_cold_runs_here(plan, w, s, b->bytes_read + b->bytes_written, 1));
        b->compiles = state == CNI_BOUND_LATER ? number : 0;
    } while (state != CNI_BOUND);
    return CN_OK;
}

/* What the run needs of the device at a time, at least: slots that have ended serve those that begin. */
static int64_t launch_bytes(const cni_plan *plan, const cni_window *w, const cni_binding *b, uint32_t launch, bool all)
{
    int64_t sum = b->scratch[CNI_ON_DEVICE];
    for (uint32_t i = 0; i < plan->nslots; i++) {
        const cni_slot *slot = &plan->slots[i];
        bool live = all || slot->entry || (slot->first <= launch && slot->last >= launch);
        sum += live && (b->touched[i] & CNI_ON_DEVICE) != 0 ? w->bases[slot->base]->nbytes : 0;
    }
    return sum;
}

static bool device_has_room(const cni_plan *plan, const cni_window *w, const cni_binding *b, int64_t capacity)
{
    bool fits = true;
    if (capacity == 0 || launch_bytes(plan, w, b, 0, true) <= capacity) {
        return true; /* as nearly always, without a look at each launch; or nobody knows */
    }
    for (uint32_t l = 0; l < plan->nlaunches && fits; l++) {
        fits = launch_bytes(plan, w, b, l, false) <= capacity;
    }
    return fits;
}

static cn_status binding_fill(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, cni_binding *b)
{
    if (!cni_grow((void **)&b->geometry, &b->geometry_capacity, w->ngeometry, sizeof *b->geometry)) {
        return cni_fail_memory((int64_t)(w->ngeometry * sizeof *b->geometry));
    }
    memcpy(b->geometry, w->geometry, w->ngeometry * sizeof *b->geometry);
    b->ngeometry = w->ngeometry;
    b->gpu = cni_settings[CNI_SETTING_GPU];
    b->gpu_bytes = cni_settings[CNI_SETTING_GPU_BYTES];
    b->gpu_memory = cni_settings[CNI_SETTING_GPU_MEMORY];
    b->largest = 0;
    for (uint32_t i = 0; i < plan->nslots; i++) {
        int64_t nbytes = w->bases[plan->slots[i].base]->nbytes;
        b->largest = nbytes > b->largest ? nbytes : b->largest;
    }
    plan_memory_forget(b);
    CN_TRY(parts_bind_ready(plan, w, s, b));
    if (b->room == CNI_ROOM_PLAN && b->uses_device && !device_has_room(plan, w, b, cni_turn_capacity())) {
        b->room = CNI_ROOM_BOXES; /* nothing has to make room to see that */
        return parts_bind_ready(plan, w, s, b);
    }
    return CN_OK;
}

/* Is it time to ask anew where the parts of a plan run that has met this geometry before? */
static bool place_changes(cni_binding *b)
{
    if (b->moved >= MOVES && b->uses_device && !b->back && b->largest < b->gpu_bytes) {
        b->repeats = false;
        b->back = true;
        return true;
    }
    bool asks = b->runs == REPEATS && b->uses_host && !b->repeats && !b->back && b->gpu != 0 &&
                b->largest >= b->gpu_bytes / REPEATED_PART && cni_device_place() != NULL;
    b->repeats |= asks;
    return asks;
}

/* Are the kernels there for which the plan ran at the processor so far? */
static bool compiled(cni_binding *b)
{
    return b->compiles != 0 && cni_device_place()->bound(&b->compiles, false) != CNI_BOUND_LATER;
}

bool cni_binding_wait(const cni_plan *plan)
{
    cni_binding *b = plan->binding;
    return b->compiles != 0 && cni_device_place()->bound(&b->compiles, true) != CNI_BOUND_LATER;
}

cn_status cni_binding_follow(cni_plan *plan, const cni_window *w, const cni_skeleton *s, cni_room room)
{
    bool unchanged = cni_binding_fits(plan, w);
    if (room == CNI_ROOM_PLAN && unchanged && !compiled(plan->binding) && !place_changes(plan->binding)) {
        return CN_OK;
    }
    if (plan->binding == NULL && !binding_create(plan)) {
        return cni_fail_memory((int64_t)sizeof(cni_binding));
    }
    cni_binding *b = plan->binding;
    if (!unchanged) {
        b->repeats = b->back = false;
    }
    b->runs = b->moved = 0;
    b->complete = false;
    b->room = (uint8_t)room;
    cn_status status = binding_fill(plan, w, s, b);
    if (status != CN_OK) {
        binding_destroy(b);
        plan->binding = NULL;
        return status;
    }
    b->complete = room == CNI_ROOM_PLAN; /* else the next run tries the device again */
    return CN_OK;
}
