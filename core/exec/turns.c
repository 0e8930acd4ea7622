/* turns.c - see turns.h. */
#include "exec/turns.h"

#include <string.h>

#include "base/memory.h"
#include "base/settings.h"
#include "base/stats.h"
#include "base/status.h"
#include "exec/costs.h"
#include "exec/turn_grid.h"

/* What boxes leave of the device at least: a part of it, or so many bytes. It is for small blocks, and for what sizes are
   rounded to. */
#define REST ((int64_t)8 << 20)
enum { REST_PART = 4 };

typedef struct bound_box {
    void *binding;
    cni_local_part *part; /* of a library op */
} bound_box;

/* The device's memory:  | what stays | lane 0 | lane 1 | lane 2 | the work's own | */
typedef struct turn_binding {
    cni_turn_grid grid;
    int64_t at[CNI_TURN_AREAS]; /* of the areas, in their lane or from the beginning */
    int64_t stays, lane, work;  /* bytes */
    bound_box *boxes;
    void **slots; /* of the box at hand */
    uint32_t nslots;
    void *whole, *range; /* of a range: bound by the processor and the device as a whole */
    char *states, *here; /* what boxes leave of it; the processor's scratch */
    int64_t state_bytes;
    uint8_t *told; /* by op: floating-point events */
    size_t nops;
} turn_binding;

static const cni_turn_device *turns(void)
{
    const cni_place *device = cni_device_place();
    return device != NULL ? device->turns : NULL;
}

int64_t cni_turn_capacity(void)
{
    return turns() != NULL ? turns()->capacity() : 0;
}

/* ---- Binding ---- */

static void unbind(void *opaque)
{
    turn_binding *b = opaque;
    for (int64_t i = 0; b->boxes != NULL && i < b->grid.boxes; i++) {
        if (b->boxes[i].binding != NULL) {
            cni_device_place()->unbind(b->boxes[i].binding);
        }
        cni_free(b->boxes[i].part);
    }
    cni_free(b->boxes);
    cni_free(b->slots);
    cni_free(b->told);
    if (b->range != NULL) {
        cni_device_place()->unbind(b->range);
    }
    if (b->whole != NULL) {
        cni_cpu_place.unbind(b->whole);
    }
    cni_free(b->states);
    cni_free(b->here);
    cni_free(b);
}

/* Is the device, with what has to go there and back, sooner than the processor? */
static bool pays(const turn_binding *b, const cni_part *part, const cni_window *w)
{
    const cni_turn_grid *g = &b->grid;
    double products = cni_part_multiplications(part, w), units = products > 0 ? 0 : cni_part_units(part, w);
    double bytes = 0, threads = cni_cost_threads(), packed = 2 * cni_cost.byte / threads;
    double moved = (double)(g->up_bytes + g->down_bytes) * (g->range ? 2 : 1); /* ranges are waited for */
    for (uint32_t a = 0; a < part->naccess; a++) {
        const cni_view *view = &w->views[part->access[a].view];
        bytes += (double)view->size * (double)cn_dtype_size((cn_dtype)view->dtype);
    }
    double here = (units * cni_cost.unit + bytes * cni_cost.byte + products * cni_cost.multiplication) / threads;
    double there = moved * (packed > cni_cost.link_byte ? packed : cni_cost.link_byte);
    return there + products * cni_cost.there_multiplication < here;
}

static void place_areas(turn_binding *b)
{
    for (uint32_t k = 0; k < b->grid.nareas; k++) {
        int64_t *end = b->grid.areas[k].stays ? &b->stays : &b->lane;
        b->at[k] = *end;
        *end += cni_turn_aligned(b->grid.areas[k].nbytes);
    }
}

/* The operand as its area has it: elements in the order of their region, which follow that of memory. */
static void make_dense(const cni_region *region, const cni_geometry *g, int64_t *numbers)
{
    bool given[CNI_LATTICE_DIMS] = {0};
    int64_t stride = g->itemsize;
    numbers[0] = 0;
    for (int d = 0; d < g->ndim; d++) {
        numbers[1 + d] = g->strides[d] == 0 ? 0 : g->itemsize;
    }
    for (int k = region->ndim - 1; k >= 0; k--) {
        int found = g->ndim - 1;
        while (found > 0 && (given[found] || g->strides[found] != region->strides[k] ||
                             numbers[1 + g->ndim + found] != region->shape[k])) {
            found--;
        }
        given[found] = true;
        numbers[1 + found] = stride;
        stride *= region->shape[k];
    }
}

static cn_status bind_operands(turn_binding *b, const cni_part *part, const cni_window *w, const cni_skeleton *s,
                               const cni_box *work, bound_box *out)
{
    cni_box boxes[CNI_OP_ARGS];
    uint32_t taken;
    cni_local_part *l = out->part = cni_alloc(sizeof *l);
    if (l == NULL) {
        return cni_fail_memory((int64_t)sizeof *l);
    }
    for (uint32_t a = 0; a < part->naccess; a++) {
        cni_turn_operand_box(&b->grid, a, work, &boxes[a]);
    }
    cni_local_part_make(part, w, &(cni_share){.nboxes = 1, .boxes = boxes, .naccess = part->naccess}, 0, l);
    for (uint32_t k = 0; k < b->grid.nareas; k++) {
        uint32_t a = b->grid.areas[k].access;
        cni_region region;
        cni_turn_region(&b->grid, part, w, k, work, false, &region);
        make_dense(&region, &b->grid.operands.g[a], l->geometry + l->views[a].geometry);
        l->access[a].slot = k;
    }
    cni_window local = cni_local_window(l, w);
    return cni_device_place()->bind_parts(&(cni_placed_part){&l->part, &local}, 1, s, NULL, &taken, &out->binding);
}

/* One binding does any range. */
static cn_status bind_range(turn_binding *b, const cni_part *part, const cni_window *w)
{
    b->state_bytes = cni_cpu_place.sharing->partial_bytes(b->whole);
    b->states = cni_alloc((size_t)(b->state_bytes * b->grid.boxes));
    b->here = cni_alloc((size_t)cni_cpu_place.scratch(b->whole) + 1);
    if (b->states == NULL || b->here == NULL) {
        return cni_fail_memory(b->state_bytes * b->grid.boxes);
    }
    CN_TRY(cni_device_place()->bind_range(part, w, &b->range));
    b->work = cni_turn_aligned(cni_device_place()->scratch(b->range));
    return CN_OK;
}

static cn_status bind_boxes(turn_binding *b, const cni_part *part, const cni_window *w, const cni_skeleton *s,
                            int64_t *geometry)
{
    for (int64_t i = 0; i < b->grid.boxes; i++) {
        bound_box *out = &b->boxes[i];
        cni_box work;
        uint32_t taken;
        cni_turn_box(&b->grid, i, &work);
        if (part->kind == CNI_PART_LIBRARY) {
            CN_TRY(bind_operands(b, part, w, s, &work, out));
        } else {
            cni_window local = cni_window_of_box(w, part, &work, geometry);
            cni_placed_part placed = {part, &local};
            CN_TRY(cni_device_place()->bind_parts(&placed, 1, s, NULL, &taken, &out->binding));
        }
        int64_t scratch = cni_turn_aligned(cni_device_place()->scratch(out->binding));
        b->work = scratch > b->work ? scratch : b->work;
    }
    return CN_OK;
}

static cn_status fill(turn_binding *b, const cni_part *part, const cni_window *w, const cni_skeleton *s)
{
    for (uint32_t a = 0; a < part->naccess; a++) {
        uint32_t slot = part->access[a].slot;
        b->nslots = slot != CNI_NONE && slot >= b->nslots ? slot + 1 : b->nslots;
    }
    b->nslots = b->nslots > CNI_TURN_AREAS ? b->nslots : CNI_TURN_AREAS;
    b->boxes = cni_alloc_zero((size_t)b->grid.boxes, sizeof *b->boxes);
    b->slots = cni_alloc_zero(b->nslots, sizeof *b->slots);
    b->told = cni_alloc(w->nops);
    b->nops = w->nops;
    int64_t *geometry = cni_alloc(w->all_geometry * sizeof *geometry);
    bool made = b->boxes != NULL && b->slots != NULL && b->told != NULL && geometry != NULL;
    cn_status status = !made           ? cni_fail_memory((int64_t)b->nslots)
                       : b->grid.range ? bind_range(b, part, w)
                                       : bind_boxes(b, part, w, s, geometry);
    cni_free(geometry);
    place_areas(b);
    return status;
}

static cn_status bind(const cni_part *part, const cni_window *w, const cni_skeleton *s, const cni_span *span,
                      void **out)
{
    (void)span;
    int64_t capacity = cni_turn_capacity(), part_of_it = capacity / REST_PART;
    int64_t room = capacity - (part_of_it > REST ? part_of_it : REST);
    turn_binding *b = cni_alloc_zero(1, sizeof *b);
    if (b == NULL) {
        return cni_fail_memory((int64_t)sizeof *b);
    }
    int64_t quantum = 0;
    cn_status status = CN_OK;
    if (part->reduces && (status = cni_cpu_place.bind(part, w, s, NULL, &b->whole)) == CN_OK) {
        quantum = cni_cpu_place.sharing->quantum(b->whole);
    }
    if (status != CN_OK) {
        unbind(b);
        return status;
    }
    status = CN_ERROR_UNSUPPORTED;
    if (room > 0 && cni_turn_grid_make(part, w, room, quantum, &b->grid) && pays(b, part, w) && turns()->open()) {
        status = fill(b, part, w, s);
    }
    if (status != CN_OK) {
        unbind(b);
        return status;
    }
    *out = b;
    return CN_OK;
}

static bool supports(const cni_part *part, const cni_window *w, const cni_skeleton *s)
{
    const cni_place *device = cni_device_place();
    return turns() != NULL && device->supports(part, w, s) &&
           (part->kind == CNI_PART_GROUP || (part->kind == CNI_PART_LIBRARY && device->shares(part, w)));
}

static int64_t scratch(const void *opaque)
{
    const turn_binding *b = opaque;
    return b->stays + CNI_TURN_LANES * b->lane + b->work;
}

/* ---- Running ---- */

typedef struct turn_run {
    turn_binding *b;
    const cni_part *part;
    const cni_run *run;
} turn_run;

static char *area_address(const turn_run *x, uint32_t k, int64_t number)
{
    const turn_binding *b = x->b;
    int64_t lane = b->grid.areas[k].stays ? 0 : b->stays + number % CNI_TURN_LANES * b->lane;
    return (char *)x->run->scratch + lane + b->at[k];
}

/* Of a group, an area begins with the aligned byte of its slot that is at or before the region's first. */
static int64_t lowest(const turn_run *x, uint32_t k, const cni_box *work)
{
    cni_region region;
    if (x->part->kind == CNI_PART_LIBRARY) {
        return 0;
    }
    cni_turn_region(&x->b->grid, x->part, x->run->window, k, work, false, &region);
    return region.offset / CNI_TURN_ALIGNMENT * CNI_TURN_ALIGNMENT;
}

/* What comes for the box, or goes. */
static void copies_of(const turn_run *x, int64_t number, bool down, cni_turn_copy *list, cni_turn_copies *out)
{
    const cni_turn_grid *g = &x->b->grid;
    cni_box work, before;
    *out = (cni_turn_copies){.lane = (int)(number % CNI_TURN_LANES), .at = list};
    if (number < 0 || number >= g->boxes) {
        return;
    }
    cni_turn_box(g, number, &work);
    cni_turn_box(g, number > 0 ? number - 1 : 0, &before);
    for (uint32_t k = 0; k < g->nareas; k++) {
        const cni_turn_area *area = &g->areas[k];
        cni_turn_copy copy = {.host = x->run->slots[area->slot], .device = area_address(x, k, number)};
        if (!(down ? area->down : area->up)) {
            continue;
        }
        cni_turn_region(g, x->part, x->run->window, k, &work, down, &copy.region);
        if (!down && area->stays && number > 0) {
            cni_region last;
            cni_turn_region(g, x->part, x->run->window, k, &before, false, &last);
            if (last.offset == copy.region.offset && cni_region_size(&last) == cni_region_size(&copy.region)) {
                continue; /* there is still what the box before had */
            }
            out->behind = true;
        }
        copy.device += x->part->kind == CNI_PART_GROUP ? copy.region.offset - lowest(x, k, &work) : 0;
        list[out->n++] = copy;
        uint64_t size = (uint64_t)cni_region_size(&copy.region);
        *(down ? &cni_stats.turn_down_bytes : &cni_stats.turn_up_bytes) += size;
    }
}

/* The range's elements, in the order in which they are taken: what lies behind the axis that is cut follows it. */
static cn_status range_of_box(const turn_run *x, const cni_box *work, int64_t number, const cni_run *run)
{
    turn_binding *b = x->b;
    const cni_left *left;
    cni_run here = *x->run;
    int64_t each = 1;
    for (int d = 0; d < b->grid.axes.n; d++) {
        each *= d != b->grid.inner ? b->grid.axes.extent[d] : 1;
    }
    int64_t from = work->start[b->grid.inner] * each, to = work->stop[b->grid.inner] * each;
    CN_TRY(cni_device_place()->range(b->range, run, from, to, &left));
    here.scratch = b->here;
    cni_cpu_place.sharing->take(b->whole, &here, from, left, b->states + number * b->state_bytes);
    return CN_OK;
}

/* Rounds what all have left, and stores it. */
static void finish_range(const turn_run *x)
{
    cni_run here = *x->run;
    here.scratch = x->b->here;
    cni_cpu_place.sharing->finish(x->part, x->b->whole, &here, (int)x->b->grid.boxes, x->b->states);
}

static cn_status work_on(const turn_run *x, int64_t number)
{
    turn_binding *b = x->b;
    cni_box work;
    cni_run run = *x->run;
    run.told = b->told; /* what one box has seen others need not tell again */
    cni_turn_box(&b->grid, number, &work);
    for (uint32_t k = 0; k < b->grid.nareas; k++) {
        uint32_t slot = x->part->kind == CNI_PART_LIBRARY ? k : b->grid.areas[k].slot;
        b->slots[slot] = area_address(x, k, number) - lowest(x, k, &work);
    }
    run.slots = b->slots;
    run.scratch = (char *)x->run->scratch + b->stays + CNI_TURN_LANES * b->lane;
    cni_stats.turns++;
    if (b->grid.range) {
        return range_of_box(x, &work, number, &run);
    }
    if (b->boxes[number].part != NULL) {
        cni_local_part_run(b->boxes[number].part, cni_device_place(), b->boxes[number].binding, &run);
    } else {
        cni_device_place()->run(x->part, b->boxes[number].binding, &run);
    }
    return CN_OK;
}

/*
 * A device that fails says so to whoever waits for it. The host waits for each box of a range; so it does that when the next
 * one is on its way (what stays is the same for all of them).
 */
static void run_turns(const cni_part *part, void *opaque, const cni_run *run)
{
    turn_run x = {.b = opaque, .part = part, .run = run};
    int64_t count = x.b->grid.boxes;
    memset(x.b->told, 0, x.b->nops);
    for (int64_t i = 0; i < count + CNI_TURN_LANES - 1; i++) {
        cni_turn_copy up[CNI_TURN_AREAS], down[CNI_TURN_AREAS];
        cni_turn_copies comes, goes;
        copies_of(&x, i, false, up, &comes);
        copies_of(&x, i - (CNI_TURN_LANES - 1), true, down, &goes);
        comes.behind |= i == 0; /* earlier work may use the memory still */
        if (turns()->copy(&comes, &goes) != CN_OK) {
            return;
        }
        int64_t at = x.b->grid.range ? i - 1 : i;
        if (at >= 0 && at < count) {
            turns()->begin((int)(at % CNI_TURN_LANES));
            if (work_on(&x, at) != CN_OK) {
                return;
            }
            turns()->end((int)(at % CNI_TURN_LANES));
        }
    }
    if (x.b->grid.range) {
        finish_range(&x);
    }
}

const cni_place cni_turn_place = {.name = "boxes in turn",
                                  .where = CNI_ON_HOST,
                                  .scratch_on_device = true,
                                  .supports = supports,
                                  .bind = bind,
                                  .unbind = unbind,
                                  .scratch = scratch,
                                  .run = run_turns};
