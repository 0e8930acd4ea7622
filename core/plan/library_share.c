/*
 * library_share.c - how ops of library.def are shared out. Places take boxes of the work (library_axes.h): such that what
 * they own of the result, or of the largest operand, is theirs. Of a dimension that follows no axis every place that works
 * needs all. Where a box follows from its place alone, nobody lists them.
 */
#include "plan/library_share.h"

#include <string.h>

#include "plan/chain.h"
#include "plan/cuts.h"
#include "plan/library_axes.h"
#include "plan/rounds.h"

/* ---- Boxes ---- */

typedef struct sharing {
    cni_partitioning *p;
    const cni_part *part;
    cni_operands o;
    cni_work_axes axes;
    cni_shared_part *out;
    cni_share *shares;
} sharing;

/* What the box of the work is of an operand. */
static cni_box box_of_operand(const sharing *s, int k, const cni_box *work)
{
    cni_box box = {{0}, {0}};
    for (int d = 0; s->o.array[k] && d < s->o.g[k].ndim; d++) {
        int axis = s->axes.follows[k][d];
        bool whole = axis == CNI_NO_AXIS || s->o.g[k].shape[d] != s->axes.extent[axis]; /* or broadcast */
        box.start[d] = whole ? 0 : work->start[axis];
        box.stop[d] = whole ? s->o.g[k].shape[d] : work->stop[axis];
    }
    return box;
}

/* The work that an operand's box is; false: more than that box would be needed for it. */
static bool box_of_work(const sharing *s, int k, const cni_box *box, cni_box *work)
{
    for (int axis = 0; axis < s->axes.n; axis++) {
        work->start[axis] = 0;
        work->stop[axis] = s->axes.extent[axis];
    }
    for (int d = 0; d < s->o.g[k].ndim; d++) {
        int axis = s->axes.follows[k][d];
        if (axis != CNI_NO_AXIS && s->o.g[k].shape[d] == s->axes.extent[axis] && !s->axes.uncut[axis]) {
            work->start[axis] = box->start[d];
            work->stop[axis] = box->stop[d];
        } else if (box->start[d] != 0 || box->stop[d] != s->o.g[k].shape[d]) {
            return false;
        }
    }
    return true;
}

/* Boxes of the work as the operands see them; NULL without memory. */
static const cni_box *boxes_of_operands(sharing *s, int n, const cni_box *work)
{
    cni_box *boxes = cni_arena_alloc(s->p->arena, (size_t)(n * s->o.n) * sizeof *boxes);
    for (int i = 0; i < n && boxes != NULL; i++) {
        for (int k = 0; k < s->o.n; k++) {
            boxes[i * s->o.n + k] = box_of_operand(s, k, &work[i]);
        }
    }
    return boxes;
}

static bool share_add(sharing *s, int place, int n, const cni_box *work)
{
    const cni_box *boxes = boxes_of_operands(s, n, work);
    if (boxes == NULL) {
        return false;
    }
    s->shares[s->out->nshares++] =
        (cni_share){.place = place, .nboxes = n, .boxes = boxes, .naccess = (uint32_t)s->o.n};
    return true;
}

/* Of an axis that is cut evenly, what stays together. */
static int64_t piece_of(const sharing *s, int axis)
{
    int64_t piece = s->axes.evenly, work = piece;
    for (int i = 0; i < s->axes.n; i++) {
        work *= i != axis && work < s->axes.least ? s->axes.extent[i] : 1;
    }
    return work < s->axes.least ? (s->axes.least + work - 1) / work * piece : piece;
}

/* The op's work cut along an axis: by the owners of operand k (CNI_NO_AXIS: evenly). *made: any place's box follows. */
static bool cut_along(sharing *s, int k, int axis, bool *made)
{
    cni_library_cut cut = {.extent = s->axes.extent[axis], .by = k, .noperands = s->o.n};
    cni_box work = {{0}, {0}};
    memcpy(work.stop, s->axes.extent, (size_t)s->axes.n * sizeof *work.stop);
    *made = false;
    for (int i = 0; i < s->o.n; i++) {
        cut.whole[i] = box_of_operand(s, i, &work);
        cut.follows[i] = CNI_NO_AXIS;
        for (int d = 0; s->o.array[i] && d < s->o.g[i].ndim; d++) {
            if (s->axes.follows[i][d] == axis && s->o.g[i].shape[d] == cut.extent) {
                if (cut.follows[i] != CNI_NO_AXIS) {
                    return true;
                }
                cut.follows[i] = (int8_t)d;
            }
        }
    }
    cut.quantum = k == CNI_NO_AXIS ? piece_of(s, axis) : 1;
    cni_library_cut *kept = cni_arena_copy(s->p->arena, &cut, sizeof cut);
    s->out->cut = kept;
    *made = kept != NULL;
    return kept != NULL;
}

/* By owners whose borders cut no row along one axis of the work. */
static bool by_whole_rows(sharing *s, int k, bool *made)
{
    int dim, axis;
    *made = false;
    if (s->axes.joint || !cni_cut_leaves_rows(&s->p->slots[s->part->access[k].slot].layout, &s->o.g[k], &dim)) {
        return true;
    }
    axis = s->axes.follows[k][dim];
    bool follows = axis != CNI_NO_AXIS && !s->axes.uncut[axis] && s->o.g[k].shape[dim] == s->axes.extent[axis];
    return !follows || cut_along(s, k, axis, made);
}

/* By who owns what of an operand. */
static bool by_owners(sharing *s, int k, bool *fits)
{
    if (!by_whole_rows(s, k, fits)) {
        return false;
    }
    if (*fits) {
        return true;
    }
    const cni_layout *layout = &s->p->slots[s->part->access[k].slot].layout;
    cni_box own[CNI_CUT_BOXES], work[CNI_CUT_BOXES];
    *fits = true;
    s->out->nshares = 0;
    for (int place = 0; place < s->p->places && *fits; place++) {
        int n = cni_geometry_cut(&s->o.g[k], cni_layout_begin(layout, place), cni_layout_begin(layout, place + 1), own);
        *fits = n >= 0;
        for (int i = 0; i < n && *fits; i++) {
            *fits = box_of_work(s, k, &own[i], &work[i]);
        }
        if (n > 0 && *fits && !share_add(s, place, n, work)) {
            return false;
        }
    }
    s->out->nshares = *fits ? s->out->nshares : 0; /* whoever tries next lists others, or none */
    return true;
}

/* The longest axis that something follows, as much for each place. */
static bool evenly(sharing *s, bool *fits)
{
    int longest = CNI_NO_AXIS;
    for (int d = 0; d < s->o.g[0].ndim; d++) {
        int axis = s->axes.follows[0][d];
        if (axis != CNI_NO_AXIS && !s->axes.uncut[axis] &&
            (longest == CNI_NO_AXIS || s->axes.extent[axis] > s->axes.extent[longest])) {
            longest = axis;
        }
    }
    bool wanted = longest != CNI_NO_AXIS && s->axes.extent[longest] >= 2 * piece_of(s, longest);
    *fits = false;
    return !wanted || cut_along(s, CNI_NO_AXIS, longest, fits);
}

/* ---- Whose layout ---- */

static bool is_empty(const cni_partitioning *p, const cni_access *access)
{
    cni_geometry g = cni_window_geometry(p->w, access->view);
    return cni_element_count(g.ndim, g.shape) == 0;
}

static bool operands_of(const cni_partitioning *p, const cni_part *part, cni_operands *o)
{
    *o = (cni_operands){.op = &p->w->ops[part->op], .n = (int)part->naccess, .places = p->places};
    for (int k = 0; k < o->n; k++) {
        const cni_access *access = &part->access[k];
        o->array[k] = access->slot != CNI_NONE && access->view != CNI_NONE;
        if (o->array[k]) {
            o->g[k] = cni_window_geometry(p->w, access->view);
            o->spread[k] = p->slots[access->slot].spread;
            o->layout[k] = &p->slots[access->slot].layout;
            if (o->g[k].ndim > CNI_LATTICE_DIMS || cni_element_count(o->g[k].ndim, o->g[k].shape) == 0) {
                return false;
            }
        } else if (access->view != CNI_NONE) { /* an array without storage */
            return false;
        }
    }
    return o->array[0];
}

/* The result if it is spread, then the largest operand that is. */
static int next_candidate(const cni_operands *o, const bool *tried)
{
    int best = -1;
    for (int k = 0; k < o->n; k++) {
        if (o->array[k] && o->spread[k] && !tried[k] &&
            (best < 0 || (best > 0 && cni_view_bytes(&o->g[k]) > cni_view_bytes(&o->g[best])))) {
            best = k;
        }
    }
    return best;
}

/* Which of its dimensions goes along the way; CNI_NO_AXIS: none. */
static int along_way(const sharing *s, int k)
{
    for (int d = 0; s->o.array[k] && d < s->o.g[k].ndim; d++) {
        if (s->axes.follows[k][d] == s->axes.way && s->o.g[k].strides[d] != 0) {
            return d;
        }
    }
    return CNI_NO_AXIS;
}

/* What a chain has made of the work, as the operands see it. */
static bool chain_of_operands(sharing *s, cni_chain_cut *cut)
{
    cut->whole = boxes_of_operands(s, 1, cut->whole);
    cut->noperands = s->o.n;
    for (int k = 0; k < s->o.n; k++) {
        cut->follows[k] = CNI_NO_AXIS;
        for (int d = 0; s->o.array[k] && d < s->o.g[k].ndim; d++) {
            bool along = s->axes.follows[k][d] == s->axes.way && s->o.g[k].shape[d] == s->axes.extent[s->axes.way];
            cut->follows[k] = along ? (int8_t)d : cut->follows[k];
        }
    }
    const cni_share *made = s->out->shares;
    s->out->shares = s->shares;
    for (uint32_t i = 0; i < s->out->nshares; i++) {
        cni_share *share = &s->shares[i];
        *share = made[i];
        share->naccess = (uint32_t)s->o.n;
        share->all = boxes_of_operands(s, 1, made[i].all);
        share->boxes = boxes_of_operands(s, made[i].nboxes, made[i].boxes);
        if (share->all == NULL || share->boxes == NULL) {
            return false;
        }
    }
    return cut->whole != NULL;
}

/* One after the other: by the layout of the largest operand along the way. */
static bool in_a_chain(sharing *s, const cni_chain_rule *rule, bool *fits)
{
    int best = CNI_NO_AXIS;
    for (int k = 0; k < s->o.n; k++) {
        if (along_way(s, k) != CNI_NO_AXIS && s->o.spread[k] &&
            (best == CNI_NO_AXIS || cni_view_bytes(&s->o.g[k]) > cni_view_bytes(&s->o.g[best]))) {
            best = k;
        }
    }
    *fits = best != CNI_NO_AXIS;
    if (!*fits) {
        return true;
    }
    cni_chain chain = {.rule = *rule,
                       .ndim = s->axes.n,
                       .extent = s->axes.extent,
                       .way = s->axes.way,
                       .least = 1,
                       .inner = 1,
                       .folded = s->axes.uncut,
                       .view = s->o.g[best],
                       .layout = &s->p->slots[s->part->access[best].slot].layout};
    for (int d = s->axes.way + 1; d < s->axes.n; d++) {
        chain.inner *= s->axes.uncut[d] ? s->axes.extent[d] : 1;
    }
    s->out->at_end = along_way(s, 0) == CNI_NO_AXIS;
    cni_chain_cut *cut;
    return cni_chain_share(s->p, &chain, s->out, &cut) && chain_of_operands(s, cut);
}

/* Do boxes follow each other in C order? */
static bool in_order(const sharing *s, uint32_t access)
{
    const cni_geometry *g = &s->o.g[access];
    int64_t next = 0;
    for (uint32_t i = 0; i < s->out->nshares; i++) {
        for (int k = 0; k < s->shares[i].nboxes; k++) {
            const cni_box *box = cni_share_box(&s->shares[i], k, access);
            int64_t first = 0, count = 1;
            for (int d = 0; d < g->ndim; d++) {
                first = first * g->shape[d] + box->start[d];
                count *= box->stop[d] - box->start[d];
            }
            if (first != next) {
                return false;
            }
            next += count;
        }
    }
    return true;
}

/* As many of the first axis for each place. */
static bool in_turn(sharing *s, const cni_box *all, bool *fits)
{
    cni_box work = *all;
    s->out->nshares = 0;
    *fits = true;
    for (int place = 0; place < s->p->places; place++) {
        work.start[0] = all->stop[0] * place / s->p->places;
        work.stop[0] = all->stop[0] * (place + 1) / s->p->places;
        if (work.start[0] < work.stop[0] && !share_add(s, place, 1, &work)) {
            return false;
        }
    }
    return true;
}

/* What the shares of such an op are, with all of the work at the root if it has no better place. */
static bool joint(sharing *s, bool *fits)
{
    cni_box work = {{0}, {0}};
    memcpy(work.stop, s->axes.extent, (size_t)s->axes.n * sizeof *work.stop);
    if (!*fits && s->axes.evenly > 0 && !in_turn(s, &work, fits)) {
        return false;
    }
    if (!*fits || (s->axes.ordered > 0 && !in_order(s, (uint32_t)s->axes.ordered - 1))) {
        s->out->nshares = 0;
        *fits = true;
        if (!share_add(s, 0, 1, &work)) {
            return false;
        }
    }
    s->out->kind = CNI_SHARE_JOINT;
    s->out->dynamic = s->axes.dynamic;
    return true;
}

/* One place has all of the operand, and much less than others have of another: it would do all the work. */
static bool alone(const sharing *s, int k)
{
    int64_t most = 0, low, high;
    for (int i = 0; i < s->o.n; i++) {
        int64_t bytes = s->o.array[i] && s->o.spread[i] ? cni_view_bytes(&s->o.g[i]) : 0;
        most = bytes > most ? bytes : most;
    }
    cni_geometry_range(&s->o.g[k], &low, &high);
    return cni_view_bytes(&s->o.g[k]) <= most / s->p->places &&
           cni_layout_owner(s->o.layout[k], low) == cni_layout_owner(s->o.layout[k], high - 1);
}

bool cni_library_share(cni_partitioning *p, const cni_part *part, const cni_chain_rule *rule, cni_shared_part *out,
                       bool *fits)
{
    sharing s = {.p = p, .part = part, .out = out};
    bool tried[CNI_OP_ARGS] = {false};
    *fits = false;
    if (is_empty(p, &part->access[0])) { /* nothing to do */
        out->kind = CNI_SHARE_BOXES;
        *fits = true;
        return true;
    }
    if (!operands_of(p, part, &s.o)) {
        return true;
    }
    if (!cni_library_axes(&s.o, &s.axes) || next_candidate(&s.o, tried) < 0) {
        return true;
    }
    s.shares = cni_arena_alloc(p->arena, (size_t)p->places * sizeof *s.shares);
    out->kind = CNI_SHARE_BOXES;
    out->shares = s.shares;
    bool chains = rule->may && s.axes.way != CNI_NO_AXIS;
    for (int k = 0; k < s.o.n; k++) { /* with a chain, the result is less than what it is made of */
        tried[k] = (k == 0 && chains && along_way(&s, 0) == CNI_NO_AXIS) ||
                   (s.axes.joint && !s.axes.as_result && (s.axes.dynamic >> k & 1) != 0);
    }
    for (int k; s.shares != NULL && !*fits && (k = next_candidate(&s.o, tried)) >= 0;) {
        tried[k] = true;
        if (!(s.axes.evenly > 0 && alone(&s, k)) && !by_owners(&s, k, fits)) {
            return false;
        }
    }
    if (s.shares != NULL && !*fits && chains && !in_a_chain(&s, rule, fits)) {
        return false;
    }
    if (s.shares != NULL && s.axes.joint) {
        return joint(&s, fits);
    }
    bool made = s.shares != NULL && (*fits || s.axes.evenly == 0 || evenly(&s, fits));
    return made && (!*fits || cni_rounds_make(p, &s.o, &s.axes, out));
}
