/*
 * fuse.c - pass 3: which ops share a group, and which writes get storage of their own.
 *
 * Ops are placed in program order. Every dependence of an op on an earlier one gives a least group: the earlier op's
 * own group if both work element by element on the same positions, the next one otherwise. A write that could join its
 * producers only by overwriting what the group still reads elsewhere begins a new segment, if that is allowed and what
 * must be carried over is cheap. What a piece of a made-up array is read from is at other positions, always.
 */
#include <string.h>

#include "base/settings.h"
#include "base/status.h"
#include "plan/draft.h"

enum { LIST_MOST = 48, LOADS_MOST = 40, SHARE_MOST = 24 };

/* What the op being placed depends on. */
typedef struct placing {
    cni_draft *d;
    uint32_t op;
    uint32_t least; /* group */
    uint32_t ndepends;
    uint32_t *depends; /* groups; may repeat */
    uint32_t capacity;
} placing;

static void after(placing *p, uint32_t group, bool same_group_is_fine)
{
    uint32_t least = same_group_is_fine ? group : group + 1;
    p->least = least > p->least ? least : p->least;
    for (uint32_t i = 0; i < p->ndepends; i++) {
        if (p->depends[i] == group) {
            return;
        }
    }
    if (p->ndepends < p->capacity) {
        p->depends[p->ndepends++] = group;
    }
}

static bool is_write(const cni_draft *d, uint32_t content)
{
    return d->contents[content].kind == CNI_CONTENT_WRITE;
}

/* Do both ops touch the view's elements at the same position of the same iteration space? */
static bool in_step(const cni_draft *d, uint32_t a, uint32_t b)
{
    return cni_op_elementwise(d->ops[a].op) && cni_op_groups(d->ops[b].op) && d->ops[a].shape == d->ops[b].shape;
}

static uint32_t segment_add(cni_draft *d, cni_segment segment)
{
    segment.slot = CNI_NONE;
    segment.carry_group = CNI_NONE;
    d->segments[d->nsegments] = segment;
    return d->nsegments++;
}

/* ---- Reads ---- */

/* Everything in memory that the content's segment holds of the view must have been written. */
static void after_chain(placing *p, uint32_t content, uint32_t view)
{
    cni_draft *d = p->d;
    uint32_t segment = d->contents[content].segment;
    for (uint32_t c = content; is_write(d, c); c = d->contents[c].parent) {
        cni_content *write = &d->contents[c];
        if (write->segment != segment) {
            break;
        }
        if (view != CNI_NONE && write->view != view && cni_ask_disjoint(d, write->view, view)) {
            continue;
        }
        write->stored = true;
        after(p, d->ops[write->op].group, false);
        if (view != CNI_NONE && cni_ask_contains(d, write->view, view) && !cni_op_scatters(d->ops[write->op].op)) {
            return;
        }
    }
    if (d->segments[segment].carry_group != CNI_NONE) {
        after(p, d->segments[segment].carry_group, false);
    }
}

static void place_read(placing *p, const cni_read *r)
{
    cni_draft *d = p->d;
    if (r->kind == CNI_READ_MEMORY) {
        if (d->contents[r->content].segment == CNI_NONE) { /* never written: any memory will do */
            d->contents[r->content].segment = segment_add(d, (cni_segment){.base = d->contents[r->content].base});
        }
        d->segments[d->contents[r->content].segment].used = true;
        after_chain(p, r->content, r->view);
    } else if (r->kind == CNI_READ_FORWARD) {
        uint32_t writer = d->contents[r->content].op;
        if (in_step(d, writer, p->op)) {
            after(p, d->ops[writer].group, true);
        } else {
            after(p, d->ops[writer].group, false);
        }
    }
}

/* ---- Writes ---- */

static bool reads_memory(const cni_draft *d, const cni_read *r)
{
    return r->kind == CNI_READ_MEMORY ||
           (r->kind == CNI_READ_FORWARD && d->ops[r->op].group != d->ops[d->contents[r->content].op].group);
}

/* Hazards of writing the view into the parent's segment, against everything placed so far. */
static void after_hazards(placing *p, uint32_t segment, uint32_t parent, uint32_t view)
{
    cni_draft *d = p->d;
    for (uint32_t c = parent; is_write(d, c) && d->contents[c].segment == segment; c = d->contents[c].parent) {
        const cni_content *write = &d->contents[c];
        if (write->view == view || !cni_ask_disjoint(d, write->view, view)) {
            after(p, d->ops[write->op].group, write->view == view && in_step(d, write->op, p->op));
        }
    }
    for (uint32_t i = 0; i < p->op; i++) {
        const cni_draft_op *reader = &d->ops[i];
        for (uint32_t k = 0; k < reader->nneeds && reader->group != CNI_NONE; k++) {
            const cni_read *r = &reader->needs[k];
            if ((r->kind != CNI_READ_MEMORY && r->kind != CNI_READ_FORWARD) ||
                d->contents[r->content].segment != segment || !reads_memory(d, r)) {
                continue;
            }
            if (r->view == view || !cni_ask_disjoint(d, r->view, view)) {
                after(p, reader->group, r->view == view && in_step(d, p->op, i));
            }
        }
    }
    const cni_segment *own = &d->segments[segment];
    if (own->carry_group != CNI_NONE) {
        bool listed = false;
        for (uint32_t i = 0; i < own->nlist; i++) {
            listed |= own->list[i] == view;
        }
        if (!listed) {
            after(p, own->carry_group, false);
        }
    }
    for (uint32_t s = 0; s < d->nsegments; s++) { /* others that carry elements over from here */
        if (d->segments[s].carry == CNI_PART_CARRY && d->segments[s].carry_source == segment) {
            after(p, d->segments[s].carry_group, false);
        }
    }
}

/* Marks the contents that come from `content` without another whole-base copy in between. */
static void mark_descendants(const cni_draft *d, uint32_t content, uint8_t *marks)
{
    memset(marks, 0, d->ncontents);
    marks[content] = 1;
    for (uint32_t c = content + 1; c < d->ncontents; c++) {
        marks[c] = is_write(d, c) && marks[d->contents[c].parent];
    }
}

/* The segment that has, or will hand on, the content's elements; CNI_NONE if later writes replace them all. */
static uint32_t segment_behind(const cni_draft *d, uint32_t content)
{
    while (is_write(d, content) && d->contents[content].segment == CNI_NONE) {
        const cni_content *c = &d->contents[content];
        if (d->w->views[c->view].whole && cni_op_groups(d->ops[c->op].op)) {
            return CNI_NONE;
        }
        content = c->parent;
    }
    return d->contents[content].segment;
}

/*
 * Must what the segment holds at the view survive the write? It is read later, kept under another name, or read at
 * other places by the op itself (through an alias).
 */
static bool old_is_needed(cni_draft *d, uint32_t op, uint32_t content, uint32_t segment, uint8_t *marks)
{
    const cni_content *c = &d->contents[content];
    mark_descendants(d, content, marks);
    for (uint32_t b = 0; b < d->w->nbases; b++) {
        uint32_t last = d->final[b];
        if (d->s->live[b] && !marks[last] && segment_behind(d, last) == segment) {
            return true;
        }
    }
    for (uint32_t i = op; i < d->nops; i++) {
        bool in_place = i == op && cni_op_elementwise(d->ops[op].op);
        for (uint32_t k = 0; k < d->ops[i].nneeds && !d->ops[i].dead && !d->ops[i].alias; k++) {
            const cni_read *r = &d->ops[i].needs[k];
            if ((r->kind == CNI_READ_MEMORY || r->kind == CNI_READ_FORWARD) && !marks[r->content] &&
                segment_behind(d, r->content) == segment && !(in_place && r->view == c->view) &&
                (r->view == c->view || !cni_ask_disjoint(d, r->view, c->view))) {
                return true;
            }
        }
    }
    return false;
}

/*
 * Will the write x, which comes from a content of the new segment (of_segment marks what does), begin a segment of its
 * own? As strict as old_is_needed will be.
 */
static bool will_branch(cni_draft *d, uint32_t x, const uint8_t *of_segment, uint8_t *of_x)
{
    const cni_content *c = &d->contents[x];
    mark_descendants(d, x, of_x);
    for (uint32_t b = 0; b < d->w->nbases; b++) {
        if (d->s->live[b] && of_segment[d->final[b]] && !of_x[d->final[b]]) {
            return true;
        }
    }
    for (uint32_t i = c->op; i < d->nops; i++) {
        bool in_place = i == c->op && cni_op_elementwise(d->ops[i].op);
        for (uint32_t k = 0; k < d->ops[i].nneeds && !d->ops[i].dead && !d->ops[i].alias; k++) {
            const cni_read *r = &d->ops[i].needs[k];
            if ((r->kind == CNI_READ_MEMORY || r->kind == CNI_READ_FORWARD) && of_segment[r->content] &&
                !of_x[r->content] && !(in_place && r->view == c->view) &&
                (r->view == c->view || !cni_ask_disjoint(d, r->view, c->view))) {
                return true;
            }
        }
    }
    return false;
}

/*
 * Lists the writes that go into a new segment, beginning with this content, before anything else of it is read.
 * *covers: nothing needs to be carried over.
 */
static void written_first(cni_draft *d, uint32_t content, const uint8_t *marks, uint8_t *work, uint32_t *nlist,
                          uint32_t *list, bool *covers)
{
    uint32_t base = d->contents[content].base, views[LIST_MOST], n = 0;
    *nlist = 0;
    *covers = false;
    for (uint32_t i = d->contents[content].op; i < d->nops; i++) {
        const cni_draft_op *x = &d->ops[i];
        if (x->dead || x->alias) {
            continue;
        }
        for (uint32_t k = 0; k < x->nneeds; k++) {
            if (x->needs[k].kind == CNI_READ_MEMORY && marks[x->needs[k].content] &&
                !cni_ask_inside(d, x->needs[k].view, n, views)) {
                return;
            }
        }
        for (int k = 0; k < x->op->nout; k++) {
            uint32_t made = x->made[k];
            if (!marks[made]) {
                continue;
            }
            bool follows = made != content;
            if (n == LIST_MOST || !cni_op_groups(x->op) || (follows && will_branch(d, made, marks, work))) {
                *covers = cni_ask_covered(d, base, n, views);
                return; /* a scatter writes who knows where; a branch takes over what is there by then */
            }
            if (cni_ask_box(d, d->contents[made].view)) { /* else it follows the carry, which does not leave it out */
                views[n] = d->contents[made].view;
                list[n++] = made;
                *nlist = n;
            }
            if (d->w->views[d->contents[made].view].whole) { /* nothing to carry, whatever is written later */
                *covers = true;
                return;
            }
        }
    }
    bool kept = false;
    for (uint32_t b = 0; b < d->w->nbases; b++) {
        kept |= d->s->live[b] && marks[d->final[b]];
    }
    *covers = !kept || cni_ask_covered(d, base, n, views);
}

/* A group of its own for a carry that the op being placed must wait for. */
static uint32_t carry_alone(placing *p)
{
    cni_draft *d = p->d;
    uint32_t g = d->ngroups++;
    d->groups[g] = (cni_group){.shape = d->ops[p->op].shape, .reduction = CNI_NONE};
    for (uint32_t i = 0; i < p->ndepends; i++) { /* what it reads is among them */
        d->depends[(size_t)g * d->ngroups_most + p->depends[i]] = 1;
    }
    after(p, g, false);
    return g;
}

/* A new segment for the content; what is carried over comes first. False without memory. */
static bool begin_segment(placing *p, uint32_t content, const uint8_t *marks, uint8_t *work)
{
    cni_draft *d = p->d;
    cni_content *c = &d->contents[content];
    const cni_content *parent = &d->contents[c->parent];
    uint32_t list[LIST_MOST], views[LIST_MOST], nlist;
    bool covers;
    written_first(d, content, marks, work, &nlist, list, &covers);
    for (uint32_t i = 0; i < nlist; i++) {
        views[i] = d->contents[list[i]].view;
        d->contents[list[i]].listed = true;
    }
    cni_segment segment = {.base = c->base, .carry_content = c->parent};
    if (!covers && parent->kind != CNI_CONTENT_UNDEFINED) {
        segment.carry = parent->kind == CNI_CONTENT_FILL ? CNI_PART_FILL : CNI_PART_CARRY;
        segment.carry_source = parent->kind == CNI_CONTENT_FILL ? parent->scalar : parent->segment;
        segment.nlist = nlist;
        segment.list = cni_arena_copy(&d->plan->arena, views, nlist * sizeof *views);
        segment.used = true;
        if (segment.list == NULL) {
            return false;
        }
        if (segment.carry == CNI_PART_CARRY) {
            d->segments[parent->segment].used = true;
            after_chain(p, c->parent, CNI_NONE);
        }
    }
    c->segment = segment_add(d, segment);
    if (segment.carry != 0 && !c->listed) {
        d->segments[c->segment].carry_group = carry_alone(p);
    }
    return true;
}

/* A group that is split has no reductions: what is reduced would be cut. */
static bool pieces_fit(cni_draft *d, const cni_group *group, const cni_draft_op *x)
{
    if (!cni_reads_pieces(x)) {
        return group->split == NULL || x->op->kind != CNI_REDUCE;
    }
    return group->reduction == CNI_NONE && cni_split_with(d, group->split, x) != NULL;
}

/* Do two reductions fold the same axes, and take them in the same order? */
static bool reduce_alike(cni_draft *d, const cni_op *a, const cni_op *b)
{
    return ((a->args[1] | b->args[1]) & CNI_SCALAR) == 0 && cni_ask_same_axes(d, a->args[0], b->args[0]) &&
           cni_ask_same_order(d, a->args[1], b->args[1]);
}

/* The best group from p->least on; CNI_NONE: a new one. */
static uint32_t choose_group(placing *p, uint32_t least)
{
    cni_draft *d = p->d;
    const cni_draft_op *x = &d->ops[p->op];
    if (!cni_op_groups(x->op) || !cni_settings[CNI_SETTING_FUSE]) {
        return CNI_NONE;
    }
    uint32_t best = CNI_NONE, best_score = 0;
    for (uint32_t g = least; g < d->ngroups; g++) {
        const cni_group *group = &d->groups[g];
        if (group->library || group->shape != x->shape ||
            group->nops >= (uint32_t)cni_settings[CNI_SETTING_GROUP_OPS] || group->nloads > LOADS_MOST) {
            continue;
        }
        if (x->op->kind == CNI_REDUCE && group->reduction != CNI_NONE &&
            !reduce_alike(d, d->ops[group->reduction].op, x->op)) {
            continue;
        }
        if (!pieces_fit(d, group, x)) {
            continue;
        }
        uint32_t score = group->nloads <= SHARE_MOST ? 1 : 0;
        for (int k = 0; k < CNI_READS; k++) {
            const cni_read *r = &x->reads[k];
            if (r->kind == CNI_READ_FORWARD && d->ops[d->contents[r->content].op].group == g) {
                score += 8;
            }
        }
        if (score > best_score) {
            best = g;
            best_score = score;
        }
    }
    return best;
}

static bool rename_allowed(const cni_draft *d, uint32_t base)
{
    return cni_settings[CNI_SETTING_RENAME] && (d->s->states[base] & CNI_BASE_SHARED) == 0;
}

/* Storage of one written content; false without memory. */
static bool place_write(placing *p, uint32_t content, uint8_t *marks, uint8_t *work)
{
    cni_draft *d = p->d;
    cni_content *c = &d->contents[content];
    uint32_t segment = d->contents[c->parent].segment;
    bool whole = d->w->views[c->view].whole && cni_op_groups(d->ops[p->op].op);
    if (segment == CNI_NONE) {
        mark_descendants(d, content, marks);
        return begin_segment(p, content, marks, work);
    }
    bool may_rename = rename_allowed(d, c->base);
    if (d->segments[segment].common || old_is_needed(d, p->op, content, segment, marks)) {
        mark_descendants(d, content, marks);
        return begin_segment(p, content, marks, work);
    }
    placing in_place = *p;
    in_place.depends = cni_arena_alloc(&d->arena, p->capacity * sizeof *p->depends);
    if (in_place.depends == NULL) {
        return false;
    }
    memcpy(in_place.depends, p->depends, p->ndepends * sizeof *p->depends);
    after_hazards(&in_place, segment, c->parent, c->view);
    uint32_t list[LIST_MOST], nlist;
    bool covers, better = may_rename && !c->listed && choose_group(p, p->least) != CNI_NONE &&
                          choose_group(p, p->least) < in_place.least;
    if (better && !whole) {
        mark_descendants(d, content, marks);
        written_first(d, content, marks, work, &nlist, list, &covers);
        for (uint32_t i = 0; i < nlist; i++) {
            list[i] = d->contents[list[i]].view;
        }
        better = covers || (nlist > 0 && cni_ask_cheap(d, c->view, nlist, list));
    }
    if (better) {
        mark_descendants(d, content, marks);
        return begin_segment(p, content, marks, work);
    }
    p->least = in_place.least;
    p->ndepends = in_place.ndepends;
    memcpy(p->depends, in_place.depends, in_place.ndepends * sizeof *p->depends);
    c->segment = segment;
    return true;
}

/* ---- Groups ---- */

static void count_load(const cni_draft *d, cni_group *group, const cni_read *r)
{
    if (!reads_memory(d, r) || group->nloads == CNI_GROUP_LOADS) {
        return;
    }
    uint32_t segment = d->contents[r->content].segment;
    for (uint32_t i = 0; i < group->nloads; i++) {
        if (group->loads[i].segment == segment && group->loads[i].view == r->view) {
            return;
        }
    }
    group->loads[group->nloads].segment = segment;
    group->loads[group->nloads++].view = r->view;
}

static bool group_append(cni_draft *d, uint32_t g, uint32_t op)
{
    cni_group *group = &d->groups[g];
    if (group->nops == group->capacity) {
        uint32_t larger = group->capacity == 0 ? 8 : group->capacity * 2;
        uint32_t *ops = cni_arena_alloc(&d->arena, larger * sizeof *ops);
        if (ops == NULL) {
            return false;
        }
        if (group->nops > 0) {
            memcpy(ops, group->ops, group->nops * sizeof *ops);
        }
        group->ops = ops;
        group->capacity = larger;
    }
    group->ops[group->nops++] = op;
    d->ops[op].group = g;
    for (int k = 0; k < CNI_READS; k++) { /* of pieces one stands for all: a box has one */
        const cni_read *r = &d->ops[op].reads[k];
        count_load(d, group, r->kind == CNI_READ_PIECES ? &r->pieces[0].source : r);
    }
    group->split = cni_split_with(d, group->split, &d->ops[op]);
    if (d->ops[op].op->kind == CNI_REDUCE && group->reduction == CNI_NONE) {
        group->reduction = op;
    }
    return true;
}

/* What comes from another group comes through memory. */
static void settle_forwards(cni_draft *d, uint32_t op)
{
    for (uint32_t k = 0; k < d->ops[op].nneeds; k++) {
        const cni_read *r = &d->ops[op].needs[k];
        if (r->kind == CNI_READ_FORWARD && reads_memory(d, r)) {
            d->contents[r->content].stored = true;
            d->segments[d->contents[r->content].segment].used = true;
        }
    }
}

static bool join_group(placing *p, uint32_t first_new_segment)
{
    cni_draft *d = p->d;
    cni_draft_op *x = &d->ops[p->op];
    uint32_t g = choose_group(p, p->least);
    if (g == CNI_NONE) {
        g = d->ngroups++;
        d->groups[g] = (cni_group){.library = !cni_op_groups(x->op), .shape = x->shape, .reduction = CNI_NONE};
    }
    for (uint32_t i = 0; i < p->ndepends; i++) {
        if (p->depends[i] != g) {
            d->depends[(size_t)g * d->ngroups_most + p->depends[i]] = 1;
        }
    }
    for (uint32_t s = first_new_segment; s < d->nsegments; s++) {
        if (d->segments[s].carry != 0 && d->segments[s].carry_group == CNI_NONE) {
            d->segments[s].carry_group = g;
        }
    }
    if (!group_append(d, g, p->op)) {
        return false;
    }
    settle_forwards(d, p->op);
    return true;
}

static bool place(cni_draft *d, uint32_t op, uint32_t *depends, uint8_t *marks, uint8_t *work)
{
    placing p = {.d = d, .op = op, .depends = depends, .capacity = d->ngroups_most};
    cni_draft_op *x = &d->ops[op];
    uint32_t first_new_segment = d->nsegments;
    for (uint32_t k = 0; k < x->nneeds; k++) {
        place_read(&p, &x->needs[k]);
    }
    for (int k = 0; k < x->op->nout; k++) {
        if (!place_write(&p, x->made[k], marks, work)) {
            return false;
        }
        bool shown = (d->s->states[d->contents[x->made[k]].base] & CNI_BASE_SHARED) != 0;
        d->contents[x->made[k]].stored |= shown || !cni_op_groups(x->op);
    }
    if (!cni_op_groups(x->op)) {
        /* A library op updates its output's memory: the parent's elements must be there. */
        uint32_t parent = d->contents[x->made[0]].parent;
        if (cni_op_scatters(x->op) && is_write(d, parent) &&
            d->contents[parent].segment == d->contents[x->made[0]].segment) {
            after_chain(&p, parent, CNI_NONE);
        }
        p.least = d->ngroups;
    }
    return join_group(&p, first_new_segment);
}

static void entry_segments(cni_draft *d)
{
    for (uint32_t b = 0; b < d->w->nbases; b++) {
        if (d->contents[d->entry[b]].kind == CNI_CONTENT_ENTRY) {
            uint8_t state = d->s->states[b];
            d->contents[d->entry[b]].segment = segment_add(d, (cni_segment){.base = b,
                                                                            .entry = true,
                                                                            .common = (state & CNI_BASE_COMMON) != 0,
                                                                            .shared = (state & CNI_BASE_SHARED) != 0});
        }
    }
}

/* Contents that are kept must be in memory, whole. */
static void keep_results(cni_draft *d)
{
    for (uint32_t b = 0; b < d->w->nbases; b++) {
        uint32_t segment = d->contents[d->final[b]].segment;
        for (uint32_t c = d->final[b]; d->s->live[b] && is_write(d, c) && d->contents[c].segment == segment;
             c = d->contents[c].parent) {
            d->contents[c].stored = true;
            if (d->w->views[d->contents[c].view].whole && cni_op_groups(d->ops[d->contents[c].op].op)) {
                break;
            }
        }
    }
}

/* Fills whose value is kept as it is. */
static bool place_fills(cni_draft *d, uint32_t *depends)
{
    for (uint32_t b = 0; b < d->w->nbases; b++) {
        cni_content *c = &d->contents[d->final[b]];
        if (d->s->live[b] && c->kind == CNI_CONTENT_FILL && c->segment == CNI_NONE) {
            c->segment = segment_add(d, (cni_segment){.base = c->base, .used = true});
            c->stored = true;
            placing p = {.d = d, .op = c->op, .depends = depends, .capacity = d->ngroups_most};
            if (!join_group(&p, d->nsegments)) {
                return false;
            }
        }
    }
    return true;
}

cn_status cni_pass_fuse(cni_draft *d)
{
    uint32_t *depends = cni_arena_alloc(&d->arena, d->ngroups_most * sizeof *depends);
    uint8_t *marks = cni_arena_alloc(&d->arena, d->ncontents), *work = cni_arena_alloc(&d->arena, d->ncontents);
    if (depends == NULL || marks == NULL || work == NULL) {
        return cni_fail_memory(d->ncontents);
    }
    entry_segments(d);
    for (uint32_t i = 0; i < d->nops; i++) {
        const cni_draft_op *x = &d->ops[i];
        if (!x->dead && !x->alias && !x->fill && !place(d, i, depends, marks, work)) {
            return cni_fail_memory(d->ncontents);
        }
    }
    if (!place_fills(d, depends)) {
        return cni_fail_memory(d->ncontents);
    }
    keep_results(d);
    return CN_OK;
}
