/* partition.c - see partition.h: who does what. What moves is transfers.c's. */
#include "plan/partition.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "op/op.h"
#include "plan/chain.h"
#include "plan/cuts.h"
#include "plan/library_share.h"
#include "plan/reduction_axes.h"

/* ---- Slots ---- */

bool cni_base_may_spread(const cni_base *base, int64_t spread_bytes)
{
    int64_t nbytes = base->nbytes, itemsize = base->home_itemsize;
    return nbytes >= spread_bytes || (itemsize > 0 && itemsize < 8 && nbytes / itemsize >= spread_bytes / 8);
}

bool cni_base_spreads(const cni_window *w, const cni_skeleton *s, uint32_t base, int64_t spread_bytes)
{
    if ((s->states[base] & CNI_BASE_SPREAD) != 0) {
        return true;
    }
    return cni_base_may_spread(w->bases[base], spread_bytes) && w->bases[base]->nbytes > 0 &&
           (s->states[base] & CNI_BASE_SHARED) == 0;
}

static void slot_layout(const cni_partitioning *p, uint32_t slot, cni_slot_layout *out)
{
    const cni_slot *info = &p->plan->slots[slot];
    const cni_base *base = p->w->bases[info->base];
    bool away = info->entry && (p->s->states[info->base] & CNI_BASE_SPREAD) != 0;
    *out = (cni_slot_layout){.spread = cni_base_spreads(p->w, p->s, info->base, p->request->spread_bytes)};
    if (away) {
        const cni_layout *const *layouts = p->request->layouts;
        out->layout = layouts != NULL ? *layouts[info->base] : base->buffer->spread->layout;
        return;
    }
    cni_geometry home = cni_partition_home(p, info->base);
    out->layout = cni_layout_make(&home, base->nbytes, p->places);
    out->adopted = out->spread && info->entry;
}

/* ---- Which access says where a part's elements belong ---- */

static int64_t view_bytes(const cni_partitioning *p, uint32_t view)
{
    return p->w->views[view].size * (int64_t)cn_dtype_size((cn_dtype)p->w->views[view].dtype);
}

static bool reduces_into(const cni_part *part, uint32_t access)
{
    for (uint32_t i = 0; i < part->ninstr; i++) {
        if (part->instr[i].kind == CNI_INSTR_REDUCE && part->instr[i].access == access) {
            return true;
        }
    }
    return false;
}

/* 3: an array that is stored, 2: a spread result of a reduction, 1: what a reduction reads; 0: says nothing. */
static int rank_of(const cni_partitioning *p, const cni_part *part, uint32_t a)
{
    const cni_access *access = &part->access[a];
    if (!p->slots[access->slot].spread) {
        return 0;
    }
    if (access->written) {
        return reduces_into(part, a) ? 2 : 3;
    }
    return part->reduces ? 1 : 0;
}

/* The access of at most this rank whose owners do the work; CNI_NONE: the root does it. */
static uint32_t primary_access(const cni_partitioning *p, const cni_part *part, int most)
{
    uint32_t best = CNI_NONE;
    int best_rank = 0;
    int64_t best_bytes = 0;
    for (uint32_t a = 0; a < part->naccess; a++) {
        int rank = rank_of(p, part, a);
        int64_t bytes = view_bytes(p, part->access[a].view);
        if (rank > most) {
            continue;
        }
        if (rank > best_rank || (rank > 0 && rank == best_rank && bytes > best_bytes)) {
            best = a;
            best_rank = rank;
            best_bytes = bytes;
        }
    }
    return best;
}

/* ---- Cutting a group ---- */

/* Is every access a view over the part's own indices, and what is written in an order that can be cut? */
static bool one_space(const cni_partitioning *p, const cni_part *part)
{
    cni_box boxes[CNI_CUT_BOXES];
    for (uint32_t a = 0; a < part->naccess; a++) {
        const cni_access *access = &part->access[a];
        cni_geometry view = cni_window_geometry(p->w, access->view);
        if (p->w->views[access->view].shape != part->shape || access->slot == CNI_NONE ||
            (access->written && cni_geometry_cut(&view, 0, 0, boxes) < 0)) {
            return false;
        }
    }
    return p->w->shapes[part->shape].ndim <= CNI_LATTICE_DIMS;
}

void cni_part_folds(const cni_partitioning *p, const cni_part *part, bool *folded)
{
    memset(folded, 0, CNI_LATTICE_DIMS * sizeof *folded);
    for (uint32_t i = 0; i < part->ninstr; i++) {
        if (part->instr[i].kind == CNI_INSTR_REDUCE) {
            cni_geometry out = cni_window_geometry(p->w, part->access[part->instr[i].access].view);
            for (int d = 0; d < out.ndim; d++) {
                folded[d] |= out.strides[d] == 0 && out.shape[d] != 1;
            }
        }
    }
}

/* Can every place do the indices of what it owns of the access? */
static bool boxes_fit(const cni_partitioning *p, const cni_part *part, uint32_t access)
{
    cni_geometry view = cni_window_geometry(p->w, part->access[access].view);
    bool folded[CNI_LATTICE_DIMS];
    cni_box boxes[CNI_CUT_BOXES];
    if (!part->reduces) {
        return cni_geometry_cut(&view, 0, 0, boxes) >= 0;
    }
    cni_part_folds(p, part, folded);
    return cni_cut_keeps_rows(&p->slots[part->access[access].slot].layout, &view, folded);
}

/* ---- Sharing out the elements of results ---- */

typedef struct range_cut {
    int nfolded, folded[CNI_LATTICE_DIMS]; /* in the order in which they are taken */
    int64_t shape[CNI_LATTICE_DIMS];       /* of the folded axes */
    int64_t total;
} range_cut;

static range_cut range_of(const cni_partitioning *p, const cni_part *part, const cni_geometry *view)
{
    range_cut cut = {.total = 1};
    bool folded[CNI_LATTICE_DIMS];
    int order[CN_MAX_DIMS];
    cni_part_folds(p, part, folded);
    cni_part_axes(p->w, part, order);
    for (int k = 0; k < view->ndim; k++) {
        int d = order[k];
        if (folded[d]) {
            cut.folded[cut.nfolded] = d;
            cut.shape[cut.nfolded++] = view->shape[d];
            cut.total *= view->shape[d];
        }
    }
    return cut;
}

int64_t cni_share_begin(const cni_geometry *view, const cni_layout *layout, int64_t total, int64_t quantum, int place)
{
    int64_t low, high, begin = cni_layout_begin(layout, place);
    cni_geometry_range(view, &low, &high);
    if (place >= layout->places || begin >= high) {
        return total;
    }
    if (begin <= low) {
        return 0;
    }
    return (int64_t)((__int128)total * (begin - low) / (high - low)) / quantum * quantum;
}

int64_t cni_range_begin(const cni_partitioning *p, const cni_shared_part *shared, int place)
{
    const cni_access *primary = &shared->part->access[shared->primary];
    cni_geometry view = cni_window_geometry(p->w, primary->view);
    int64_t total = range_of(p, shared->part, &view).total;
    return cni_share_begin(&view, &p->slots[primary->slot].layout, total, shared->quantum, place);
}

static int range_in_space(const range_cut *cut, const cni_geometry *view, int64_t from, int64_t to, cni_box *boxes)
{
    cni_box found[CNI_CUT_BOXES];
    int n = cni_range_boxes(cut->nfolded, cut->shape, from, to, found);
    for (int i = 0; i < n; i++) {
        for (int d = 0; d < view->ndim; d++) {
            boxes[i].start[d] = 0;
            boxes[i].stop[d] = view->shape[d];
        }
        for (int k = 0; k < cut->nfolded; k++) {
            boxes[i].start[cut->folded[k]] = found[i].start[k];
            boxes[i].stop[cut->folded[k]] = found[i].stop[k];
        }
    }
    return n;
}

/* ---- Shares ---- */

static int boxes_at(const cni_partitioning *p, const cni_shared_part *shared, cni_share *share, cni_box *boxes)
{
    const cni_access *primary = &shared->part->access[shared->primary];
    const cni_layout *layout = &p->slots[primary->slot].layout;
    cni_geometry view = cni_window_geometry(p->w, primary->view);
    int place = share->place;
    if (shared->kind == CNI_SHARE_BOXES) {
        return cni_geometry_cut(&view, cni_layout_begin(layout, place), cni_layout_begin(layout, place + 1), boxes);
    }
    share->from = cni_range_begin(p, shared, place);
    share->to = cni_range_begin(p, shared, place + 1);
    range_cut cut = range_of(p, shared->part, &view);
    return share->from < share->to ? range_in_space(&cut, &view, share->from, share->to, boxes) : 0;
}

static bool cut_at(const cni_partitioning *p, const cni_shared_part *shared, cni_share *share, cni_box *boxes)
{
    const cni_library_cut *cut = shared->cut;
    int64_t from, to;
    cni_library_cut_at(p, shared, share->place, &from, &to);
    for (int k = 0; k < cut->noperands; k++) {
        boxes[k] = cut->whole[k];
        if (cut->follows[k] >= 0) {
            boxes[k].start[cut->follows[k]] = from;
            boxes[k].stop[cut->follows[k]] = to;
        }
    }
    share->naccess = (uint32_t)cut->noperands;
    share->nboxes = 1;
    return from < to;
}

bool cni_share_at(cni_partitioning *p, const cni_shared_part *shared, int place, cni_share *share, cni_box *boxes)
{
    p->looked++;
    if (shared->kind == CNI_SHARE_CHAIN) {
        return cni_chain_share_at(p, shared, place, share, boxes);
    }
    *share = (cni_share){.place = place, .boxes = boxes};
    if (shared->kind == CNI_SHARE_BYTES) {
        const cni_layout *layout = &p->slots[shared->part->slot].layout;
        share->from = cni_layout_begin(layout, place);
        share->to = cni_layout_begin(layout, place + 1);
        return share->from < share->to;
    }
    if (shared->cut != NULL) {
        return cut_at(p, shared, share, boxes);
    }
    share->nboxes = boxes_at(p, shared, share, boxes);
    return share->nboxes > 0;
}

/* The shares of local places; of a range, the root lists all, since it hears of all. */
static bool list_shares(cni_partitioning *p, cni_shared_part *out)
{
    int end = out->kind == CNI_SHARE_RANGE && p->first == 0 ? p->places : p->end;
    cni_share *shares = cni_arena_alloc(p->arena, (size_t)(end - p->first) * sizeof *shares);
    cni_box boxes[CNI_CUT_BOXES];
    out->shares = shares;
    for (int place = p->first; place < end && shares != NULL; place++) {
        cni_share *share = &shares[out->nshares];
        if (cni_share_at(p, out, place, share, boxes)) {
            size_t each = share->naccess > 0 ? share->naccess : 1;
            share->boxes = cni_arena_copy(p->arena, boxes, (size_t)share->nboxes * each * sizeof *boxes);
            out->nshares++;
            if (share->boxes == NULL) {
                return false;
            }
        }
    }
    return shares != NULL;
}

/* ---- Parts ---- */

static bool at_root(cni_partitioning *p, cni_shared_part *out)
{
    cni_share *share = cni_arena_alloc(p->arena, sizeof *share);
    if (share == NULL) {
        return false;
    }
    *share = (cni_share){0};
    out->kind = CNI_SHARE_ROOT;
    out->nshares = 1;
    out->shares = share;
    return true;
}

static bool is_empty(const cni_partitioning *p, const cni_part *part)
{
    const cni_shape_entry *shape = &p->w->shapes[part->shape];
    return cni_element_count(shape->ndim, p->w->geometry + shape->geometry) == 0;
}

/* Along the first folded axis, its others in the order in which they follow. */
static bool chain_group(cni_partitioning *p, const cni_part *part, uint32_t access, const cni_chain_rule *rule,
                        cni_shared_part *out)
{
    cni_geometry view = cni_window_geometry(p->w, part->access[access].view);
    bool folded[CNI_LATTICE_DIMS];
    cni_chain chain = {.rule = *rule,
                       .ndim = view.ndim,
                       .extent = view.shape,
                       .way = -1,
                       .least = 2, /* an axis of one row would be none */
                       .inner = 1,
                       .folded = folded,
                       .view = view,
                       .layout = &p->slots[part->access[access].slot].layout};
    int order[CN_MAX_DIMS];
    cni_part_folds(p, part, folded);
    cni_part_axes(p->w, part, order);
    for (int k = view.ndim - 1; k >= 0; k--) {
        int d = order[k];
        if (folded[d] && view.shape[d] > 1) {
            chain.inner *= chain.way >= 0 ? view.shape[chain.way] : 1;
            chain.way = d;
        }
    }
    cni_chain_cut *cut;
    return cni_chain_share(p, &chain, out, &cut);
}

/* How much of an access's slot the part reads, where views of one slot may lie over each other; 0: an access before it
   has counted it, or it is written. */
static int64_t slot_bytes_read(const cni_partitioning *p, const cni_part *part, uint32_t access)
{
    int64_t sum = 0, least = INT64_MAX, most = 0;
    for (uint32_t a = 0; a < part->naccess; a++) {
        if (part->access[a].written || part->access[a].slot != part->access[access].slot) {
            continue;
        }
        if (a < access) {
            return 0;
        }
        int64_t low, high;
        cni_geometry view = cni_window_geometry(p->w, part->access[a].view);
        cni_geometry_range(&view, &low, &high);
        sum += view_bytes(p, part->access[a].view);
        least = low < least ? low : least;
        most = high > most ? high : most;
    }
    return sum < most - least ? sum : most - least;
}

/* Of a part whose results are all the root's, the largest spread array that it reads, if what it reads of such arrays is
   more than the results are, and what else it reads: then owners and root send each other less than the root would have to
   fetch. */
static uint32_t larger_read(const cni_partitioning *p, const cni_part *part)
{
    int64_t fetched = 0, sent = 0, most = 0;
    uint32_t best = CNI_NONE;
    for (uint32_t a = 0; a < part->naccess; a++) {
        int64_t bytes = view_bytes(p, part->access[a].view);
        bool written = part->access[a].written, spread = p->slots[part->access[a].slot].spread;
        if (written || !spread) {
            sent += written ? bytes : slot_bytes_read(p, part, a);
            continue;
        }
        fetched += slot_bytes_read(p, part, a);
        best = bytes > most ? a : best;
        most = bytes > most ? bytes : most;
    }
    return fetched > sent ? best : CNI_NONE;
}

static bool share_group(cni_partitioning *p, const cni_part *part, cni_shared_part *out)
{
    const cni_chain_rule *rule = &p->request->chains[out->origin];
    bool may = one_space(p, part) && !is_empty(p, part);
    uint32_t access = may ? primary_access(p, part, 3) : CNI_NONE;
    access = may && access == CNI_NONE && !part->reduces ? larger_read(p, part) : access;
    uint32_t read = access;
    if (access == CNI_NONE) {
        return at_root(p, out);
    }
    if (rank_of(p, part, access) == 2) { /* what is reduced is more than what it is reduced to */
        read = primary_access(p, part, 1);
    }
    out->kind = CNI_SHARE_BOXES;
    out->primary = read;
    if (read != CNI_NONE && boxes_fit(p, part, read)) {
        return list_shares(p, out);
    }
    if (read != CNI_NONE && rule->may) {
        return chain_group(p, part, read, rule, out);
    }
    out->primary = access;
    if (read != access && boxes_fit(p, part, access)) {
        return list_shares(p, out);
    }
    out->quantum = p->request->quantum[out->origin];
    if (!part->reduces || out->quantum == 0) {
        return at_root(p, out);
    }
    out->kind = CNI_SHARE_RANGE;
    return list_shares(p, out);
}

static bool share_library(cni_partitioning *p, const cni_part *part, cni_shared_part *out)
{
    bool fits;
    if (!cni_library_share(p, part, &p->request->chains[out->origin], out, &fits)) {
        return false;
    }
    if (fits && out->cut != NULL) {
        return list_shares(p, out);
    }
    out->listed = fits && out->kind != CNI_SHARE_CHAIN;
    return fits || at_root(p, out);
}

static bool share_bytes(cni_partitioning *p, const cni_part *part, cni_shared_part *out)
{
    if (!p->slots[part->slot].spread) {
        return at_root(p, out);
    }
    out->kind = CNI_SHARE_BYTES;
    return list_shares(p, out);
}

static bool share_part(cni_partitioning *p, cni_shared_part *out)
{
    switch ((cni_part_kind)out->part->kind) {
    case CNI_PART_GROUP:
        return share_group(p, out->part, out);
    case CNI_PART_CARRY:
    case CNI_PART_FILL:
        return share_bytes(p, out->part, out);
    default:
        return share_library(p, out->part, out);
    }
}

static bool stage_share(cni_partitioning *p, uint32_t launch, uint32_t origin, cni_stage *stage)
{
    const cni_launch *l = &p->plan->launches[launch];
    cni_part *pieces = cni_arena_alloc(p->arena, (l->nparts * CNI_SPLIT_MOST + 1) * sizeof *pieces);
    cni_shared_part *parts = cni_arena_alloc(p->arena, (l->nparts * CNI_SPLIT_MOST + 1) * sizeof *parts);
    if (pieces == NULL || parts == NULL) {
        return false;
    }
    for (uint32_t k = 0; k < l->nparts; k++) {
        uint32_t n;
        if (!cni_part_split(p, &l->parts[k], &n, pieces)) {
            return false;
        }
        for (uint32_t i = 0; i < n; i++, pieces++) {
            cni_shared_part *out = &parts[stage->nparts++];
            *out = (cni_shared_part){.part = pieces, .origin = origin + k};
            if (!share_part(p, out)) {
                return false;
            }
        }
    }
    stage->parts = parts;
    return true;
}

/* Slots that no share but the root's touches stay at, or go to, the root. */
static void keep_at_root(cni_partitioning *p, const cni_stage *stages)
{
    bool *worked = cni_arena_alloc(p->arena, p->plan->nslots + 1);
    if (worked == NULL) {
        return;
    }
    memset(worked, 0, p->plan->nslots);
    for (uint32_t l = 0; l < p->plan->nlaunches; l++) {
        for (uint32_t k = 0; k < stages[l].nparts; k++) {
            const cni_shared_part *shared = &stages[l].parts[k];
            for (uint32_t a = 0; a < shared->part->naccess && shared->kind != CNI_SHARE_ROOT; a++) {
                uint32_t slot = shared->part->access[a].slot;
                worked[slot != CNI_NONE ? slot : p->plan->nslots] = true;
            }
            if (shared->kind == CNI_SHARE_BYTES) {
                worked[shared->part->slot] = true;
                worked[shared->part->source] |= shared->part->kind == CNI_PART_CARRY;
            }
        }
    }
    for (uint32_t i = 0; i < p->plan->nslots; i++) {
        bool spread_already = p->slots[i].spread && p->plan->slots[i].entry && !p->slots[i].adopted;
        if (!worked[i] && !spread_already) {
            p->slots[i].spread = p->slots[i].adopted = false;
        }
    }
}

static cn_status partition(cni_partitioning *p, cni_partition *out)
{
    uint32_t nlaunches = p->plan->nlaunches;
    cni_stage *stages = cni_arena_alloc(p->arena, (nlaunches + 1) * sizeof *stages);
    p->slots = cni_arena_alloc(p->arena, (p->plan->nslots + 1) * sizeof *p->slots);
    if (stages == NULL || p->slots == NULL) {
        return cni_fail_memory((int64_t)nlaunches);
    }
    for (uint32_t i = 0; i < p->plan->nslots; i++) {
        slot_layout(p, i, &p->slots[i]);
    }
    uint32_t origin = 0;
    for (uint32_t l = 0; l < nlaunches; l++) {
        stages[l] = (cni_stage){0};
        if (!stage_share(p, l, origin, &stages[l])) {
            return cni_fail_memory((int64_t)nlaunches);
        }
        origin += p->plan->launches[l].nparts;
    }
    keep_at_root(p, stages);
    out->slots = p->slots;
    out->nstages = nlaunches;
    out->stages = stages;
    return cni_transfers_make(p, out, stages);
}

cn_status cni_partition_make(const cni_partition_request *request, cni_partition **out)
{
    cni_partition *made = cni_alloc_zero(1, sizeof *made);
    if (made == NULL) {
        return cni_fail_memory((int64_t)sizeof *made);
    }
    made->places = request->places;
    made->first = request->first;
    made->end = request->end;
    cni_partitioning p = {.request = request,
                          .plan = request->plan,
                          .w = request->window,
                          .s = request->skeleton,
                          .places = request->places,
                          .first = request->first,
                          .end = request->end,
                          .arena = &made->arena};
    cn_status status = partition(&p, made);
    made->looked = p.looked;
    if (status != CN_OK) {
        cni_partition_destroy(made);
        return status;
    }
    *out = made;
    return CN_OK;
}

void cni_partition_destroy(cni_partition *partition)
{
    if (partition != NULL) {
        cni_arena_destroy(&partition->arena);
        cni_free(partition);
    }
}
