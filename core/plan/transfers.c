/*
 * transfers.c - see transfers.h.
 *
 * A transfer is asked for element by element's owner: what a share needs and does not own comes from those who do. What a
 * place has received stays good until the slot is written, and what is asked for twice, or lies beside what is asked
 * for already, travels once.
 *
 * Of all transfers, those from or to local places are made, in an order that does not depend on which are local: by part,
 * access, the place that does the work, owner. Places that are not local are asked for if they are near (cuts.h).
 */
#include "plan/transfers.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/status.h"
#include "plan/cuts.h"
#include "plan/draft.h"
#include "plan/rounds.h"

typedef struct list {
    cni_transfer *items;
    size_t *before; /* by transfer: 1 + the one before it with the same hash of sender and receiver, 0: none */
    size_t count, capacity, before_capacity;
} list;

typedef struct maker {
    cni_partitioning *p;
    list list;          /* of all stages so far */
    size_t first;       /* of the present stage and side */
    size_t *good_since; /* by slot: transfers before this one are of older contents */
    size_t *last;       /* by hash of sender and receiver: 1 + the last transfer with it, 0: none */
    size_t nlast;       /* a power of two, of more than there are transfers */
    bool *at_root;      /* by slot: the root has every element */
    uint64_t messages;  /* pairs of places that exchange something, stage by stage */
    bool no_memory;
} maker;

/* ---- Joining ---- */

static bool box_of(const maker *m, uint32_t slot, const cni_region *region, cni_box *box)
{
    cni_geometry home = cni_partition_home(m->p, m->p->plan->slots[slot].base), g = cni_region_geometry(region);
    cni_lattice lattice;
    if (!cni_lattice_make(&home, &g, &lattice)) {
        return false;
    }
    for (int k = 0; k < lattice.ndim; k++) {
        if (lattice.step[k] != 1 && lattice.count[k] != 1) {
            return false;
        }
        box->start[k] = lattice.start[k];
        box->stop[k] = lattice.start[k] + lattice.count[k];
    }
    return true;
}

static bool box_contains(const cni_box *outer, const cni_box *inner, int ndim)
{
    for (int k = 0; k < ndim; k++) {
        if (inner->start[k] < outer->start[k] || inner->stop[k] > outer->stop[k]) {
            return false;
        }
    }
    return true;
}

/* Grows the box by the other if together they are a box; they may overlap. */
static bool box_join(cni_box *box, const cni_box *other, int ndim)
{
    int differs = -1;
    for (int k = 0; k < ndim; k++) {
        if (box->start[k] != other->start[k] || box->stop[k] != other->stop[k]) {
            if (differs >= 0) {
                return false;
            }
            differs = k;
        }
    }
    if (differs < 0 || other->start[differs] > box->stop[differs] || other->stop[differs] < box->start[differs]) {
        return differs < 0;
    }
    box->start[differs] = other->start[differs] < box->start[differs] ? other->start[differs] : box->start[differs];
    box->stop[differs] = other->stop[differs] > box->stop[differs] ? other->stop[differs] : box->stop[differs];
    return true;
}

static bool same_region(const cni_region *a, const cni_region *b)
{
    size_t size = (size_t)a->ndim * sizeof *a->shape;
    return a->ndim == b->ndim && a->itemsize == b->itemsize && a->offset == b->offset &&
           memcmp(a->shape, b->shape, size) == 0 && memcmp(a->strides, b->strides, size) == 0;
}

static size_t pair_hash(const maker *m, int from, int to)
{
    return (size_t)cni_hash_mix((uint64_t)from + 1, (uint64_t)to) & (m->nlast - 1);
}

static size_t last_between(const maker *m, int from, int to)
{
    return m->nlast > 0 ? m->last[pair_hash(m, from, to)] : 0;
}

static void link_transfer(maker *m, size_t i)
{
    size_t *last = &m->last[pair_hash(m, m->list.items[i].from, m->list.items[i].to)];
    m->list.before[i] = *last;
    *last = i + 1;
}

/* Room for one more. */
static bool list_grow(maker *m)
{
    size_t count = m->list.count + 1;
    if (!cni_grow((void **)&m->list.items, &m->list.capacity, count, sizeof *m->list.items) ||
        !cni_grow((void **)&m->list.before, &m->list.before_capacity, count, sizeof *m->list.before)) {
        return false;
    }
    if (count < m->nlast) {
        return true;
    }
    size_t n = m->nlast > 0 ? 2 * m->nlast : 64, *fresh = cni_alloc_zero(n, sizeof *fresh);
    if (fresh == NULL) {
        return false;
    }
    cni_free(m->last);
    m->last = fresh;
    m->nlast = n;
    for (size_t i = 0; i < m->list.count; i++) {
        link_transfer(m, i);
    }
    return true;
}

/* Has an earlier transfer brought it, or can one of this stage bring it too? */
static bool joined(maker *m, const cni_transfer *t)
{
    cni_geometry home = cni_partition_home(m->p, m->p->plan->slots[t->slot].base);
    for (size_t next = last_between(m, t->from, t->to), i; next > m->good_since[t->slot]; next = m->list.before[i]) {
        i = next - 1;
        cni_transfer *known = &m->list.items[i];
        m->p->looked++;
        if (known->slot != t->slot || known->from != t->from || known->to != t->to) {
            continue;
        }
        if (t->boxed && known->boxed) {
            if (box_contains(&known->box, &t->box, home.ndim)) {
                return true;
            }
            if (i >= m->first && box_join(&known->box, &t->box, home.ndim)) {
                return cni_region_make(&home, &known->box, &known->region);
            }
        } else if (same_region(&known->region, &t->region)) {
            return true;
        }
    }
    return false;
}

/* Do the places have nothing else for each other in this exchange? */
static bool first_of_pair(const maker *m, int from, int to)
{
    for (size_t next = last_between(m, from, to); next > m->first; next = m->list.before[next - 1]) {
        if (m->list.items[next - 1].from == from && m->list.items[next - 1].to == to) {
            return false;
        }
    }
    return true;
}

/* Elements have the same addresses at both ends, so they may go in any order: upwards many are one run. */
static cni_region upward(const cni_region *region)
{
    cni_region r = *region;
    for (int d = 0; d < r.ndim; d++) {
        if (r.strides[d] < 0) {
            r.offset += r.strides[d] * (r.shape[d] - 1);
            r.strides[d] = -r.strides[d];
        }
    }
    return r;
}

static void transfer_add(maker *m, uint32_t slot, int from, int to, const cni_region *given)
{
    bool local = cni_partition_local(m->p, from) || cni_partition_local(m->p, to);
    cni_region region = upward(given);
    if (from == to || !local || cni_region_size(&region) == 0 || m->no_memory) {
        return;
    }
    cni_transfer t = {.slot = slot, .from = from, .to = to, .region = region};
    t.boxed = box_of(m, slot, &region, &t.box);
    if (joined(m, &t)) {
        return;
    }
    if (!list_grow(m)) {
        m->no_memory = true;
        return;
    }
    m->messages += first_of_pair(m, from, to);
    m->list.items[m->list.count] = t;
    link_transfer(m, m->list.count++);
}

/* ---- Who has it ---- */

/* Transfers between the place and all who own some of the region; of a place that is not local, with local owners. */
static void by_owner(maker *m, uint32_t slot, const cni_region *region, int place, bool to_owner)
{
    const cni_slot_layout *s = &m->p->slots[slot];
    if (!s->spread) {
        transfer_add(m, slot, to_owner ? place : 0, to_owner ? 0 : place, region);
        return;
    }
    if (!to_owner && place == 0 && m->at_root[slot]) {
        return;
    }
    cni_geometry g = cni_region_geometry(region);
    int64_t low, high;
    cni_geometry_range(&g, &low, &high);
    bool local = cni_partition_local(m->p, place);
    int owner = cni_layout_owner(&s->layout, low), last = local ? m->p->places : m->p->end;
    for (owner = local || owner > m->p->first ? owner : m->p->first; owner < last; owner++) {
        int64_t begin = cni_layout_begin(&s->layout, owner), end = cni_layout_begin(&s->layout, owner + 1);
        m->p->looked++;
        if (begin >= high) {
            break;
        }
        if (owner == place || begin == end) {
            continue;
        }
        cni_box boxes[CNI_CUT_BOXES];
        int n = cni_geometry_cut(&g, begin, end, boxes);
        for (int i = 0; i < n; i++) {
            cni_region own;
            if (cni_region_make(&g, &boxes[i], &own)) {
                transfer_add(m, slot, to_owner ? place : owner, to_owner ? owner : place, &own);
            }
        }
        if (n < 0) { /* elements in no order: every byte between */
            cni_region bytes = cni_region_bytes(low > begin ? low : begin, high < end ? high : end);
            transfer_add(m, slot, to_owner ? place : owner, to_owner ? owner : place, &bytes);
        }
    }
}

static void move_view(maker *m, uint32_t slot, uint32_t view, const cni_box *box, int place, bool to_owner)
{
    cni_geometry g = cni_window_geometry(m->p->w, view);
    cni_region region;
    int64_t low, high;
    cni_geometry_range(&g, &low, &high);
    if (low == high) {
        return;
    }
    if (!cni_region_make(&g, box, &region)) {
        region = cni_region_bytes(low, high);
    }
    by_owner(m, slot, &region, place, to_owner);
}

/* ---- Parts ---- */

/* Does what is written need what was there? Views in no order go back with all bytes between their elements. */
static bool updates(const maker *m, const cni_part *part, uint32_t view)
{
    cni_geometry g = cni_window_geometry(m->p->w, view);
    cni_box boxes[CNI_CUT_BOXES];
    return (part->kind == CNI_PART_LIBRARY && cni_op_scatters(&m->p->w->ops[part->op])) ||
           cni_geometry_cut(&g, 0, 0, boxes) < 0;
}

static void move_share(maker *m, const cni_shared_part *shared, uint32_t a, const cni_share *share, bool to_owner)
{
    const cni_access *access = &shared->part->access[a];
    int n = share->all != NULL ? 1 : share->nboxes;
    for (int k = 0; k < n; k++) {
        const cni_box *box = share->all == NULL ? cni_share_box(share, k, a) : &share->all[share->naccess > 0 ? a : 0];
        move_view(m, access->slot, access->view, box, share->place, to_owner);
    }
}

/* The next place from this one on that is local or near; places: none. */
static int next_place(const maker *m, cni_place_range near, int place)
{
    int local = place > m->p->first ? place : m->p->first, other = place > near.first ? place : near.first;
    local = local < m->p->end ? local : m->p->places;
    other = other < near.end ? other : m->p->places;
    return local < other ? local : other;
}

static void move_access(maker *m, const cni_shared_part *shared, uint32_t a, bool to_owner)
{
    const cni_access *access = &shared->part->access[a];
    if (access->slot == CNI_NONE || (shared->kind == CNI_SHARE_JOINT && (shared->dynamic >> a & 1) != 0) ||
        (!to_owner && cni_rounds_bring(shared->rounds, a))) {
        return;
    }
    for (uint32_t i = 0; i < shared->nshares && shared->listed; i++) {
        move_share(m, shared, a, &shared->shares[i], to_owner);
    }
    if (shared->listed) {
        return;
    }
    if (shared->kind == CNI_SHARE_ROOT) {
        move_view(m, access->slot, access->view, NULL, 0, to_owner);
        return;
    }
    cni_place_range near = cni_places_near(m->p, shared, a);
    for (int q = next_place(m, near, 0); q < m->p->places; q = next_place(m, near, q + 1)) {
        cni_share share;
        cni_box boxes[CNI_CUT_BOXES];
        if (cni_share_at(m->p, shared, q, &share, boxes)) {
            move_share(m, shared, a, &share, to_owner);
        }
    }
}

/* The place that makes all of what the access says; -1: every share makes its own. */
static int maker_of(const cni_shared_part *shared, uint32_t a)
{
    if (shared->kind != CNI_SHARE_RANGE && shared->kind != CNI_SHARE_CHAIN) {
        return -1;
    }
    int place = shared->kind == CNI_SHARE_RANGE ? 0 : shared->end;
    if (shared->part->kind == CNI_PART_LIBRARY) {
        return shared->at_end ? place : -1;
    }
    for (uint32_t i = 0; i < shared->part->ninstr; i++) {
        const cni_instr *x = &shared->part->instr[i];
        if (x->kind == CNI_INSTR_REDUCE && x->access == a) {
            return place;
        }
    }
    return -1;
}

static void carry_source(maker *m, const cni_shared_part *shared)
{
    uint32_t source = shared->part->source;
    if (shared->kind == CNI_SHARE_ROOT) {
        cni_region bytes = cni_region_bytes(0, m->p->slots[source].layout.nbytes);
        by_owner(m, source, &bytes, 0, false);
        return;
    }
    cni_place_range near = cni_places_near_source(m->p, shared);
    for (int q = next_place(m, near, 0); q < m->p->places; q = next_place(m, near, q + 1)) {
        cni_share share;
        if (cni_share_at(m->p, shared, q, &share, NULL)) {
            cni_region bytes = cni_region_bytes(share.from, share.to);
            by_owner(m, source, &bytes, q, false);
        }
    }
}

static void before_part(maker *m, const cni_shared_part *shared)
{
    const cni_part *part = shared->part;
    for (uint32_t a = 0; a < part->naccess; a++) {
        const cni_access *access = &part->access[a];
        if (access->slot != CNI_NONE && (!access->written || updates(m, part, access->view))) {
            move_access(m, shared, a, false);
        }
    }
    if (part->kind == CNI_PART_CARRY) {
        carry_source(m, shared);
    }
}

static void after_part(maker *m, const cni_shared_part *shared)
{
    const cni_part *part = shared->part;
    for (uint32_t a = 0; a < part->naccess; a++) {
        if (!part->access[a].written) {
            continue;
        }
        int place = maker_of(shared, a);
        if (place >= 0) {
            move_view(m, part->access[a].slot, part->access[a].view, NULL, place, true);
        } else {
            move_access(m, shared, a, true);
        }
    }
}

/* What places know of what the part writes is old now. */
static void forget(maker *m, const cni_part *part)
{
    for (uint32_t a = 0; a < part->naccess; a++) {
        if (part->access[a].written && part->access[a].slot != CNI_NONE) {
            m->good_since[part->access[a].slot] = m->list.count;
            m->at_root[part->access[a].slot] = false;
        }
    }
    if (part->kind == CNI_PART_CARRY || part->kind == CNI_PART_FILL) {
        m->good_since[part->slot] = m->list.count;
        m->at_root[part->slot] = false;
    }
}

/* ---- Stages ---- */

static void adopt(maker *m, cni_partition *out)
{
    for (uint32_t i = 0; i < m->p->plan->nslots; i++) {
        const cni_slot_layout *s = &m->p->slots[i];
        const cni_slot *info = &m->p->plan->slots[i];
        m->at_root[i] = s->adopted || (info->entry && (m->p->s->states[info->base] & CNI_BASE_WHOLE) != 0);
        int first = m->p->first > 0 ? m->p->first : 1, end = m->p->first > 0 ? m->p->end : m->p->places;
        for (int place = first; place < end && s->adopted; place++) {
            cni_region bytes =
                cni_region_bytes(cni_layout_begin(&s->layout, place), cni_layout_begin(&s->layout, place + 1));
            transfer_add(m, i, 0, place, &bytes);
        }
    }
    out->nadopt = (uint32_t)m->list.count;
}

static void stage_transfers(maker *m, cni_stage *stage)
{
    m->first = m->list.count;
    for (uint32_t k = 0; k < stage->nparts; k++) {
        before_part(m, &stage->parts[k]);
    }
    stage->nbefore = (uint32_t)(m->list.count - m->first);
    for (uint32_t k = 0; k < stage->nparts; k++) {
        forget(m, stage->parts[k].part);
    }
    m->first = m->list.count;
    for (uint32_t k = 0; k < stage->nparts; k++) {
        after_part(m, &stage->parts[k]);
    }
    stage->nafter = (uint32_t)(m->list.count - m->first);
    for (uint32_t k = 0; k < stage->nparts; k++) { /* a put is no copy that could be used again */
        forget(m, stage->parts[k].part);
    }
}

static void count_bytes(const cni_transfer *transfers, uint32_t n, cni_partition *out)
{
    for (uint32_t i = 0; i < n; i++) {
        uint64_t size = (uint64_t)cni_region_size(&transfers[i].region);
        out->message_bytes += size;
        out->root_bytes += transfers[i].to == 0 ? size : 0;
    }
}

static bool finish(maker *m, cni_partition *out, cni_stage *stages)
{
    cni_transfer *all = cni_arena_copy(m->p->arena, m->list.items, m->list.count * sizeof *all);
    if (all == NULL) {
        return false;
    }
    out->adopt = all;
    all += out->nadopt;
    for (uint32_t l = 0; l < out->nstages; l++) {
        stages[l].before = all;
        all += stages[l].nbefore;
        stages[l].after = all;
        all += stages[l].nafter;
        count_bytes(stages[l].before, stages[l].nbefore, out);
        count_bytes(stages[l].after, stages[l].nafter, out);
        for (uint32_t k = 0; k < stages[l].nparts; k++) {
            if (stages[l].parts[k].rounds != NULL) {
                cni_rounds_count(stages[l].parts[k].rounds, out);
            }
        }
    }
    return true;
}

cn_status cni_transfers_make(cni_partitioning *p, cni_partition *out, cni_stage *stages)
{
    maker m = {.p = p};
    m.good_since = cni_arena_alloc(p->arena, (p->plan->nslots + 1) * sizeof *m.good_since);
    m.at_root = cni_arena_alloc(p->arena, p->plan->nslots + 1);
    if (m.good_since == NULL || m.at_root == NULL) {
        return cni_fail_memory(p->plan->nslots);
    }
    adopt(&m, out);
    m.messages = 0;                                  /* adopting is done once */
    for (uint32_t i = 0; i < p->plan->nslots; i++) { /* halos of what is adopted are not there yet */
        m.good_since[i] = m.list.count;
    }
    for (uint32_t l = 0; l < out->nstages; l++) {
        stage_transfers(&m, &stages[l]);
    }
    out->messages = m.messages;
    bool made = !m.no_memory && finish(&m, out, stages);
    cni_free(m.list.items);
    cni_free(m.list.before);
    cni_free(m.last);
    return made ? CN_OK : cni_fail_memory((int64_t)m.list.count);
}
