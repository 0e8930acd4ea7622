/* spread_device.c - see spread_device.h. */
#include "exec/spread_device.h"

#include "base/memory.h"
#include "base/settings.h"
#include "base/status.h"
#include "exec/part_slots.h"

/* ---- Where shares run ---- */

typedef struct part_size {
    const cni_spread_binding *b;
    const cni_plan *plan;
    const cni_window *w;
    const cni_skeleton *s;
    int64_t largest; /* bytes that a place has of an operand */
    bool spread, shared, away;
} part_size;

static void measure(void *context, uint32_t slot, bool reads, bool writes)
{
    part_size *size = context;
    const cni_slot *x = &size->plan->slots[slot];
    const cni_slot_layout *layout = &size->b->partition->slots[slot];
    int64_t nbytes = size->w->bases[x->base]->nbytes / (layout->spread ? size->b->partition->places : 1);
    (void)reads, (void)writes;
    size->largest = layout->spread && nbytes > size->largest ? nbytes : size->largest;
    size->spread |= layout->spread;
    size->shared |= x->entry && !layout->spread && (size->s->states[x->base] & CNI_BASE_SHARED) != 0;
    size->away |= size->b->at[0].on_device[slot];
}

static bool kind_may(const cni_shared_part *shared, const cni_place *device, const cni_window *w)
{
    if (shared->kind == CNI_SHARE_BYTES || shared->kind == CNI_SHARE_CHAIN) {
        return true;
    }
    if (shared->kind == CNI_SHARE_RANGE) {
        return shared->part->kind == CNI_PART_GROUP;
    }
    if (shared->kind == CNI_SHARE_JOINT) {
        return device->joint != NULL;
    }
    return shared->kind == CNI_SHARE_BOXES &&
           (shared->part->kind != CNI_PART_LIBRARY || device->shares(shared->part, w));
}

const cni_place *cni_share_place(const cni_spread_binding *b, const cni_plan *plan, const cni_shared_part *shared,
                                 const cni_window *w, const cni_skeleton *s)
{
    bool here = b->on_host || b->compiles != 0;
    const cni_place *device = cni_settings[CNI_SETTING_GPU] != 0 && !here ? cni_device_place() : NULL;
    if (device == NULL || !kind_may(shared, device, w) || !device->supports(shared->part, w, s)) {
        return &cni_cpu_place;
    }
    part_size size = {.b = b, .plan = plan, .w = w, .s = s};
    cni_part_slots(shared->part, measure, &size);
    int64_t least = cni_settings[CNI_SETTING_GPU_BYTES] / (b->repeats ? CNI_REPEATED_PART : 1);
    return size.spread && !size.shared && (size.away || size.largest >= least) ? device : &cni_cpu_place;
}

bool cni_share_asks(cni_spread_binding *b)
{
    b->runs += b->runs < CNI_REPEATS;
    bool asks = b->runs == CNI_REPEATS && !b->repeats && b->uses_host && b->gpu != 0 && cni_device_place() != NULL;
    b->repeats |= asks;
    return asks;
}

/* ---- What they touch ---- */

/* What they point to is in one block. */
cn_status cni_share_slots(cni_spread_binding *b, size_t plans, const cni_world *world)
{
    size_t rows = (size_t)world->local, slots = plans + CNI_PANEL_SLOTS;
    size_t each = slots * (sizeof(cni_spans) + 3 * sizeof(void *) + sizeof(bool)) + CNI_PANEL_SLOTS;
    cni_place_slots *at = b->at = cni_alloc_zero(1, rows * (sizeof *at + each));
    if (at == NULL) {
        return cni_fail_memory((int64_t)(rows * slots * sizeof(cni_spans)));
    }
    cni_spans *spans = (cni_spans *)(at + rows);
    void **pointers = (void **)(spans + rows * slots);
    bool *on_device = (bool *)(pointers + 3 * rows * slots);
    uint8_t *valid = (uint8_t *)(on_device + rows * slots);
    for (size_t r = 0; r < rows; r++, pointers += 3 * slots) {
        at[r] = (cni_place_slots){.host = pointers,
                                  .device = pointers + slots,
                                  .valid = (uint8_t **)pointers + 2 * slots,
                                  .spans = spans + r * slots,
                                  .on_device = on_device + r * slots,
                                  .panels = (uint32_t)plans};
        for (size_t i = 0; i < CNI_PANEL_SLOTS; i++) {
            at[r].valid[plans + i] = &valid[r * CNI_PANEL_SLOTS + i];
        }
    }
    return CN_OK;
}

static void touch(cni_place_slots *at, uint32_t slot, int64_t low, int64_t high)
{
    at->on_device[slot] = true;
    cni_spans_add(&at->spans[slot], low, high);
}

void cni_share_touches(cni_spread_binding *b, int local, const cni_shared_part *shared, const cni_part *part,
                       const cni_window *w, const cni_span *span)
{
    cni_place_slots *at = &b->at[local];
    /* a processor stores results: the root's, or that of the chain's end */
    bool range = shared->kind == CNI_SHARE_RANGE || shared->kind == CNI_SHARE_CHAIN;
    for (uint32_t a = 0; a < part->naccess; a++) {
        if (part->access[a].slot != CNI_NONE && !(range && cni_share_gives(shared, a))) {
            cni_geometry g = cni_window_geometry(w, part->access[a].view);
            int64_t low, high;
            cni_geometry_range(&g, &low, &high);
            touch(at, part->access[a].slot, low, high);
        }
    }
    if (part->kind == CNI_PART_CARRY) {
        touch(at, part->source, span->low, span->high);
    }
    if (part->kind == CNI_PART_CARRY || part->kind == CNI_PART_FILL) {
        touch(at, part->slot, span->low, span->high);
    }
}

static void touch_box(cni_place_slots *at, const cni_access *access, const cni_window *w, const cni_box *box)
{
    cni_geometry g = cni_window_geometry(w, access->view);
    int64_t shape[CNI_LATTICE_DIMS], low, high;
    for (int d = 0; d < g.ndim; d++) {
        shape[d] = box->stop[d] - box->start[d];
        g.offset += box->start[d] * g.strides[d];
    }
    g.shape = shape;
    cni_geometry_range(&g, &low, &high);
    if (low < high) {
        touch(at, access->slot, low, high);
    }
}

/* Of what is moved by the op itself a place has what it owns, of other operands what its share needs. */
void cni_share_touches_joint(cni_spread_binding *b, const cni_world *world, const cni_shared_part *shared,
                             const cni_window *w)
{
    for (int k = 0; k < world->local; k++) {
        int place = world->first + k;
        for (uint32_t a = 0; a < shared->part->naccess; a++) {
            const cni_access *access = &shared->part->access[a];
            const cni_slot_layout *slot = &b->partition->slots[access->slot];
            if ((shared->dynamic >> a & 1) == 0) {
                continue;
            }
            int64_t low = slot->spread ? cni_layout_begin(&slot->layout, place) : 0;
            int64_t high = slot->spread ? cni_layout_begin(&slot->layout, place + 1)
                           : place == 0 ? slot->layout.nbytes
                                        : 0;
            if (low < high) {
                touch(&b->at[k], access->slot, low, high);
            }
        }
    }
    for (uint32_t i = 0; i < shared->nshares; i++) {
        const cni_share *share = &shared->shares[i];
        for (uint32_t a = 0; a < shared->part->naccess && cni_world_has(world, share->place); a++) {
            for (int box = 0; box < share->nboxes && (shared->dynamic >> a & 1) == 0; box++) {
                touch_box(&b->at[share->place - world->first], &shared->part->access[a], w,
                          cni_share_box(share, box, a));
            }
        }
    }
}

/* What comes goes where it meets what shares touch; as it comes in one piece, all of it. */
static void receive(cni_spread_binding *b, const cni_world *world, const cni_transfer *transfers, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const cni_transfer *t = &transfers[i];
        if (cni_world_has(world, t->to) && b->at[t->to - world->first].on_device[t->slot]) {
            cni_spans *spans = &b->at[t->to - world->first].spans[t->slot];
            cni_geometry g = cni_region_geometry(&t->region);
            int64_t low, high;
            cni_geometry_range(&g, &low, &high);
            if (cni_spans_meet(spans, low, high)) {
                cni_spans_add(spans, low, high);
            }
        }
    }
}

void cni_share_spans(cni_spread_binding *b, const cni_plan *plan, const cni_world *world)
{
    const cni_partition *p = b->partition;
    for (int k = 0; k < world->local; k++) {
        int place = world->first + k;
        for (uint32_t i = 0; i < plan->nslots; i++) {
            const cni_slot_layout *s = &p->slots[i];
            if (s->spread) {
                cni_spans_add(&b->at[k].spans[i], cni_layout_begin(&s->layout, place),
                              cni_layout_begin(&s->layout, place + 1));
            } else if (place == 0) {
                cni_spans_add(&b->at[k].spans[i], 0, s->layout.nbytes);
            }
        }
    }
    for (int again = 0; again < 2; again++) { /* what one brings may meet what another has brought */
        for (uint32_t l = 0; l < p->nstages; l++) {
            receive(b, world, p->stages[l].before, p->stages[l].nbefore);
            receive(b, world, p->stages[l].after, p->stages[l].nafter);
        }
    }
}
