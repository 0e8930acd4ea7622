/*
 * run.c - runs a window: finds or makes its plan, gives it storage, runs its launches, and hands the results to their
 * bases. Decides nothing.
 *
 * All storage is taken before the first launch, so that a window either runs as a whole or leaves everything as it was.
 */
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/settings.h"
#include "base/stats.h"
#include "base/status.h"
#include "exec/explain.h"
#include "exec/part_slots.h"
#include "exec/place.h"
#include "exec/simulate.h"
#include "exec/spread.h"
#include "exec/unplanned.h"
#include "exec/trace.h"

/* The geometry a plan was last run with, and what follows from it. */
typedef struct bound_part {
    const cni_place *place; /* NULL: not bound */
    void *binding;
    const cni_part *part; /* the first of */
    uint32_t count;       /* parts of the launch that it is a binding of */
    void *joined;         /* of so many launches from its own on, if their storage allows; else NULL */
    uint32_t njoined;
} bound_part;

/* Storage of one run, by slot. */
typedef struct storage {
    cni_buffer **buffers;                /* of those that live on; own reference unless entry */
    cni_buffer **of;                     /* whether it has ended or not */
    cni_buffer **idle;                   /* of slots that have ended, for those that begin later */
    void **addresses[CNI_ON_DEVICE + 1]; /* by place, by slot */
    uint32_t nidle;
    bool moves; /* more places than the host are involved */
    void *scratch[CNI_ON_DEVICE + 1];
} storage;

typedef struct binding {
    bool complete; /* the parts are bound to the geometry */
    bool on_host;  /* the device had no room for what they use */
    size_t ngeometry, geometry_capacity;
    int64_t *geometry;
    uint32_t nparts;
    bound_part *parts;
    int64_t gpu, gpu_bytes; /* the settings that places were chosen by */
    bool uses_device, uses_host;
    int64_t largest;    /* bytes of the largest operand */
    uint32_t runs;      /* with this geometry, up to REPEATS */
    uint32_t moved;     /* the last runs, one after the other, that brought values to the device or back */
    bool repeats, back; /* smaller operands count as large; or they went back and forth */
    void *plan_memory;  /* the device's, if it does all */
    uint8_t *touched;   /* by slot: places that use it (CNI_ON_ bits) */
    int64_t scratch[CNI_ON_DEVICE + 1]; /* by place: the most that a part takes */
    uint64_t bytes_read, bytes_written; /* of one run */
    storage store;                      /* of the present run */
    cni_arena arena;                    /* what the plan alone says how much of there is */
} binding;

static void part_unbind(bound_part *bound)
{
    if (bound->place != NULL) {
        bound->place->unbind(bound->binding);
    }
    if (bound->joined != NULL) {
        bound->place->unbind(bound->joined);
    }
    *bound = (bound_part){0};
}

/* What the device keeps of runs with this geometry. */
static void plan_memory_forget(binding *b)
{
    if (b->plan_memory != NULL) {
        cni_device_place()->plan_forget(b->plan_memory);
        b->plan_memory = NULL;
    }
}

static void binding_destroy(void *opaque)
{
    binding *b = opaque;
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

static bool geometry_unchanged(const cni_plan *plan, const cni_window *w)
{
    const binding *b = plan->binding;
    return b != NULL && b->complete && b->ngeometry == w->ngeometry && b->gpu == cni_settings[CNI_SETTING_GPU] &&
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
 * ---- Where parts run: a matter of sizes and of where values are, never of time ----
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
    const binding *b;
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
                                     const cni_skeleton *s, const binding *b)
{
    const cni_place *device = cni_settings[CNI_SETTING_GPU] != 0 && !b->on_host ? cni_device_place() : NULL;
    if (device == NULL) {
        return &cni_cpu_place;
    }
    part_size size = {.plan = plan, .w = w, .s = s, .b = b};
    cni_part_slots(part, measure, &size);
    int64_t least = cni_settings[CNI_SETTING_GPU_BYTES] / (b->repeats ? REPEATED_PART : 1);
    bool worth = (size.away && !b->back) || size.largest >= least;
    return worth && !size.shared && device->supports(part, w, s) ? device : &cni_cpu_place;
}

typedef struct part_touch {
    binding *b;
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
                         bound_part *bound)
{
    bool same = bound->place == place && bound->part == part && bound->count == 1;
    if (same && place->rebind != NULL) {
        return place->rebind(part, w, s, NULL, bound->binding);
    }
    part_unbind(bound);
    CN_TRY(place->bind(part, w, s, NULL, &bound->binding));
    *bound = (bound_part){.place = place, .part = part, .binding = bound->binding, .count = 1};
    return CN_OK;
}

/* The first of count parts, and those behind it that the place takes together with it. */
static cn_status bind_together(const cni_place *place, const cni_part *part, uint32_t count, const cni_window *w,
                               const cni_skeleton *s, bound_part *bound)
{
    cni_placed_part placed[CNI_PARTS_TOGETHER];
    uint32_t taken;
    part_unbind(bound);
    for (uint32_t k = 0; k < count; k++) {
        placed[k] = (cni_placed_part){&part[k], w};
    }
    CN_TRY(place->bind_parts(placed, count, s, NULL, &taken, &bound->binding));
    *bound = (bound_part){.place = place, .part = part, .binding = bound->binding, .count = taken};
    return CN_OK;
}

static void need_scratch(binding *b, const cni_place *place, const void *bound)
{
    int64_t scratch = place->scratch(bound), *most = &b->scratch[place->where];
    *most = scratch > *most ? scratch : *most;
}

/* Binds the first of count parts of a launch, and perhaps some behind it. */
static cn_status bind_part(const cni_part *part, uint32_t count, const cni_plan *plan, const cni_window *w,
                           const cni_skeleton *s, binding *b, bound_part *bound)
{
    uint32_t n = 1;
    cn_status status = CN_ERROR_UNSUPPORTED;
    const cni_place *place = choose_place(part, plan, w, s, b);
    if (place->bind_parts != NULL) {
        while (n < count && n < CNI_PARTS_TOGETHER && choose_place(&part[n], plan, w, s, b) == place) {
            n++;
        }
        status = bind_together(place, part, n, w, s, bound);
    }
    if (status == CN_ERROR_UNSUPPORTED) {
        status = bind_at(&cni_cpu_place, part, w, s, bound);
    }
    CN_TRY(status);
    b->uses_device |= bound->place->where == CNI_ON_DEVICE;
    b->uses_host |= bound->place->where == CNI_ON_HOST;
    need_scratch(b, bound->place, bound->binding);
    for (uint32_t k = 0; k < bound->count; k++) {
        cni_part_slots(&part[k], touch, &(part_touch){b, bound->place->where});
    }
    return CN_OK;
}

static bool binding_create(cni_plan *plan)
{
    binding *b = cni_alloc_zero(1, sizeof *b);
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

/* The bindings that follow those of the launch. */
static bound_part *behind(const cni_launch *launch, bound_part *bound)
{
    for (uint32_t k = 0; k < launch->nparts; k += bound++->count) {
    }
    return bound;
}

/* Where all is the device's, it may do some launches as one. */
static void launches_join(const cni_plan *plan, const cni_window *w, binding *b)
{
    const cni_place *place = b->uses_device && !b->uses_host ? cni_device_place() : NULL;
    bound_part *bound = b->parts;
    uint32_t n;
    for (uint32_t l = 0; l < plan->nlaunches && place != NULL && place->join != NULL; l += n > 0 ? n : 1) {
        bound_part *first = bound;
        n = place->join(&plan->launches[l], plan->nlaunches - l, w, &first->joined);
        first->njoined = n;
        if (n > 0) {
            need_scratch(b, place, first->joined);
        }
        for (uint32_t k = 0; k == 0 || k < n; k++) {
            bound = behind(&plan->launches[l + k], bound);
        }
    }
}

static cn_status parts_bind(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, binding *b)
{
    memset(b->touched, 0, plan->nslots);
    memset(b->scratch, 0, sizeof b->scratch);
    b->uses_device = b->uses_host = false;
    b->bytes_read = b->bytes_written = 0;
    bound_part *bound = b->parts;
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

static cn_status binding_fill(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, binding *b)
{
    if (!cni_grow((void **)&b->geometry, &b->geometry_capacity, w->ngeometry, sizeof *b->geometry)) {
        return cni_fail_memory((int64_t)(w->ngeometry * sizeof *b->geometry));
    }
    memcpy(b->geometry, w->geometry, w->ngeometry * sizeof *b->geometry);
    b->ngeometry = w->ngeometry;
    b->gpu = cni_settings[CNI_SETTING_GPU];
    b->gpu_bytes = cni_settings[CNI_SETTING_GPU_BYTES];
    b->largest = 0;
    for (uint32_t i = 0; i < plan->nslots; i++) {
        int64_t nbytes = w->bases[plan->slots[i].base]->nbytes;
        b->largest = nbytes > b->largest ? nbytes : b->largest;
    }
    plan_memory_forget(b);
    cn_status status;
    bool good;
    do { /* kernels of all parts are compiled side by side; one that cannot be is not asked for again */
        status = parts_bind(plan, w, s, b);
        const cni_place *device = b->gpu != 0 ? cni_device_place() : NULL;
        good = device == NULL || device->bound == NULL || device->bound();
    } while (status == CN_OK && !good);
    return status;
}

/* Is it time to ask anew where the parts of a plan run that has met this geometry before? */
static bool place_changes(binding *b)
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

/* The plan's binding follows the window's geometry, in the memory that it has. */
static cn_status bind(cni_plan *plan, const cni_window *w, const cni_skeleton *s, bool on_host)
{
    bool unchanged = geometry_unchanged(plan, w);
    if (!on_host && unchanged && !place_changes(plan->binding)) {
        return CN_OK;
    }
    if (plan->binding == NULL && !binding_create(plan)) {
        return cni_fail_memory((int64_t)sizeof(binding));
    }
    binding *b = plan->binding;
    if (!unchanged) {
        b->repeats = b->back = false;
    }
    b->runs = b->moved = 0;
    b->complete = false;
    b->on_host = on_host;
    cn_status status = binding_fill(plan, w, s, b);
    if (status != CN_OK) {
        binding_destroy(b);
        plan->binding = NULL;
        return status;
    }
    b->complete = !on_host; /* the next run tries the device again */
    return CN_OK;
}

/* ---- Storage ---- */

static void storage_release(const cni_plan *plan)
{
    binding *b = plan->binding;
    storage *s = &b->store;
    for (uint32_t i = 0; i < plan->nbegins; i++) {
        cni_buffer_unref(s->buffers[plan->begins[i]]);
        s->buffers[plan->begins[i]] = NULL;
    }
    for (uint32_t i = 0; i < s->nidle; i++) {
        cni_buffer_unref(s->idle[i]);
    }
    cni_storage_free(s->scratch[CNI_ON_HOST], b->scratch[CNI_ON_HOST]);
    if (s->scratch[CNI_ON_DEVICE] != NULL) {
        cni_process_device->free(s->scratch[CNI_ON_DEVICE], b->scratch[CNI_ON_DEVICE]);
    }
    s->scratch[CNI_ON_HOST] = s->scratch[CNI_ON_DEVICE] = NULL;
    s->nidle = 0;
}

static inline void slot_address(storage *s, uint32_t slot)
{
    s->of[slot] = s->buffers[slot];
    s->addresses[CNI_ON_HOST][slot] = s->buffers[slot]->data;
    s->addresses[CNI_ON_DEVICE][slot] = s->buffers[slot]->device;
}

static cn_status slot_begin(storage *s, uint32_t slot, int64_t nbytes, uint8_t places)
{
    for (uint32_t i = 0; i < s->nidle; i++) {
        cni_buffer *b = s->idle[i];
        bool has =
            ((places & CNI_ON_HOST) == 0 || b->data != NULL) && ((places & CNI_ON_DEVICE) == 0 || b->device != NULL);
        if (b->nbytes == nbytes && has) {
            s->buffers[slot] = b;
            s->idle[i] = s->idle[--s->nidle];
            slot_address(s, slot);
            return CN_OK;
        }
    }
    CN_TRY(cni_buffer_create_at(nbytes, places != 0 ? places : CNI_ON_HOST, &s->buffers[slot]));
    slot_address(s, slot);
    return CN_OK;
}

static void slot_end(storage *s, uint32_t slot)
{
    s->idle[s->nidle++] = s->buffers[slot];
    s->buffers[slot] = NULL;
}

/*
 * Storage that a base has when the plan begins, and not when it ends, serves slots that begin after its last use. Not
 * where a launch can fail (moves), nor where the window may run again.
 */
static void entry_end(const cni_plan *plan, const cni_window *w, storage *s, uint32_t slot)
{
    const cni_base *base = w->bases[plan->slots[slot].base];
    bool leaves = base->arrays == 0 && base->windows == 1;
    for (uint32_t i = 0; i < plan->ncommits; i++) {
        leaves |= plan->commits[i].base == plan->slots[slot].base;
    }
    bool alone = base->buffer->refs == 1 && base->buffer->spread == NULL && !cni_base_shared(base);
    if (leaves && alone && !s->moves && w->fading == NULL) {
        base->buffer->refs++;
        s->idle[s->nidle++] = base->buffer;
    }
}

static cn_status scratch_take(const binding *b, storage *s)
{
    int64_t host = b->scratch[CNI_ON_HOST], device = b->scratch[CNI_ON_DEVICE];
    if (host > 0 && (s->scratch[CNI_ON_HOST] = cni_storage_alloc(host)) == NULL) {
        return cni_fail_memory(host);
    }
    if (device > 0 && (s->scratch[CNI_ON_DEVICE] = cni_device_take(device)) == NULL) {
        return cni_fail_memory(device);
    }
    return CN_OK;
}

static cn_status entries_take(const cni_plan *plan, const cni_window *w, const binding *b, storage *s)
{
    for (uint32_t i = 0; i < plan->nslots; i++) {
        if (plan->slots[i].entry && (b->touched[i] & CNI_ON_DEVICE) != 0 &&
            w->bases[plan->slots[i].base]->buffer->device != NULL) {
            cni_buffer_used(w->bases[plan->slots[i].base]->buffer); /* stays there while room is made */
        }
    }
    for (uint32_t i = 0; i < plan->nslots; i++) {
        if (plan->slots[i].entry) {
            s->buffers[i] = w->bases[plan->slots[i].base]->buffer;
            CN_TRY(cni_buffer_reserve(s->buffers[i], b->touched[i]));
            s->moves |= s->buffers[i]->device != NULL;
            slot_address(s, i);
        }
    }
    return CN_OK;
}

static cn_status storage_take(const cni_plan *plan, const cni_window *w)
{
    binding *b = plan->binding;
    storage *s = &b->store;
    s->moves = b->uses_device;
    cni_device_turn();
    CN_TRY(entries_take(plan, w, b, s));
    CN_TRY(scratch_take(b, s));
    uint32_t begun = 0, ended = 0;
    for (uint32_t l = 0; begun < plan->nbegins; l++) {
        for (; begun < plan->nbegins && plan->slots[plan->begins[begun]].first == l; begun++) {
            uint32_t slot = plan->begins[begun];
            CN_TRY(slot_begin(s, slot, w->bases[plan->slots[slot].base]->nbytes, b->touched[slot]));
        }
        for (; ended < plan->nbegins && plan->slots[plan->ends[ended]].last == l; ended++) {
            slot_end(s, plan->ends[ended]);
        }
        for (uint32_t i = 0; i < plan->nslots && l + 1 < plan->nlaunches; i++) {
            if (plan->slots[i].entry && plan->slots[i].last == l) {
                entry_end(plan, w, s, i);
            }
        }
    }
    return CN_OK;
}

static void commit(const cni_plan *plan, const cni_window *w, const storage *s)
{
    for (uint32_t i = 0; i < plan->ncommits; i++) {
        s->buffers[plan->commits[i].slot]->refs++;
    }
    for (uint32_t i = 0; i < plan->ncommits; i++) {
        cni_base *base = w->bases[plan->commits[i].base];
        cni_buffer *old = base->buffer;
        base->buffer = s->buffers[plan->commits[i].slot];
        cni_buffer_unref(old);
    }
}

/* ---- Running ---- */

void cni_run_event(const cni_run *run, uint32_t op, uint32_t kind)
{
    const cni_op *o = &run->window->ops[op];
    if (run->told != NULL) {
        if ((run->told[op] & kind) != 0) {
            return;
        }
        run->told[op] |= (uint8_t)kind;
    }
    static const cn_op names[CNI_KIND_COUNT] = {[CNI_COPY] = CN_FP_IN_CAST,
                                                [CNI_REDUCE] = CN_FP_IN_REDUCE,
                                                [CNI_APPLY] = CN_FP_IN_AT,
                                                [CNI_SCAN] = CN_FP_IN_ACCUMULATE,
                                                [CNI_SEGMENTS] = CN_FP_IN_REDUCEAT};
    cn_op where = names[o->kind] < 0 ? names[o->kind] : o->opcode;
    if (o->kind == CNI_APPLY && (o->flags & CNI_FLAG_NAMED) != 0) {
        where = o->opcode;
    } else if (o->kind == CNI_SEGMENTS && (o->flags & CNI_FLAG_FOLD) != 0) {
        where = CN_FP_IN_REDUCE;
    }
    cni_recorder_event(run->window->recorder,
                       &(cn_fp_event){.kind = kind, .context = o->fp_context, .site = o->site, .op = where});
}

/* Values come to where a part runs; what it writes is there alone. */
typedef struct part_move {
    const storage *store;
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

static cn_status move_parts(const cni_part *parts, const bound_part *bound, const cni_window *w, const storage *store)
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
static bool may_join(const cni_launch *launches, const bound_part *bound, const storage *store)
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

static void run_bound(const cni_part *parts, const bound_part *bound, bool joined, const cni_window *w,
                      const cni_skeleton *s, const storage *store)
{
    uint8_t where = bound->place->where;
    cni_run run = {.window = w, .skeleton = s, .slots = store->addresses[where], .scratch = store->scratch[where]};
    uint64_t begin = cni_trace_begin();
    bound->place->run(parts, joined ? bound->joined : bound->binding, &run);
    cni_trace_part(begin, 0, where == CNI_ON_DEVICE, parts, w);
}

/* Storage that a launch is the first to use has no values yet: it may have been another slot's. */
static void slots_begin(const cni_plan *plan, const storage *store, uint32_t launch, uint32_t *begun)
{
    for (; *begun < plan->nbegins && plan->slots[plan->begins[*begun]].first == launch; (*begun)++) {
        store->of[plan->begins[*begun]]->valid = 0;
    }
}

/* Moves what the parts need, runs them, or both. */
enum { MOVE = 1, RUN = 2 };

static cn_status walk(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, const storage *store, int what)
{
    const bound_part *bound = ((const binding *)plan->binding)->parts;
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
static uint64_t address_key(const cni_plan *plan, const storage *store)
{
    uint64_t key = cni_hash_mix(1, (uintptr_t)store->scratch[CNI_ON_DEVICE]);
    for (uint32_t i = 0; i < plan->nslots; i++) {
        key = cni_hash_mix(key, (uintptr_t)store->addresses[CNI_ON_DEVICE][i]);
    }
    return key;
}

static cn_status launch_all(const cni_plan *plan, const cni_window *w, const cni_skeleton *s)
{
    binding *b = plan->binding;
    const storage *store = &b->store;
    if (b->uses_device && !b->uses_host) {
        CN_TRY(walk(plan, w, s, store, MOVE)); /* nothing goes to the host between its parts */
        cni_device_place()->plan_begin(&b->plan_memory, address_key(plan, store));
        CN_TRY(walk(plan, w, s, store, RUN));
        cni_device_place()->plan_end(&b->plan_memory);
    } else {
        CN_TRY(walk(plan, w, s, store, store->moves ? MOVE | RUN : RUN));
    }
    cni_stats.windows++;
    cni_stats.launches += plan->nlaunches;
    cni_stats.groups += plan->ngroups;
    cni_stats.bytes_read += b->bytes_read;
    cni_stats.bytes_written += b->bytes_written;
    return CN_OK;
}

/* What place_changes asks about. */
static void count_run(binding *b, uint64_t moves)
{
    b->runs += b->runs < REPEATS;
    b->moved = moves != cni_stats.moves ? b->moved + 1 : 0;
}

/* Storage for a run; at the host alone, if the device has no room for it. */
static cn_status plan_prepare(cni_plan *plan, const cni_window *w, const cni_skeleton *s)
{
    CN_TRY(bind(plan, w, s, false));
    cn_status status = storage_take(plan, w);
    if (status == CN_ERROR_MEMORY && ((const binding *)plan->binding)->uses_device) {
        storage_release(plan);
        CN_TRY(bind(plan, w, s, true));
        status = storage_take(plan, w);
    }
    return status;
}

static cn_status plan_run(cni_plan *plan, const cni_window *w, const cni_skeleton *s)
{
    uint64_t moves = cni_stats.moves;
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
        commit(plan, w, &((const binding *)plan->binding)->store);
        count_run(plan->binding, moves);
        cni_explain_add(plan, w, s);
    }
    storage_release(plan);
    return status;
}

static cn_status plan_get(cni_window *w, const cni_skeleton *s, bool spread, bool loosely, cni_plan **plan)
{
    *plan = cni_plan_find(w, s, loosely, spread ? cni_spread_unchanged : geometry_unchanged);
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
    CN_TRY(plan_get(w, s, true, true, &plan));
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
