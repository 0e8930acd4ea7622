/*
 * sink.c - pass 3b: temporaries are computed where they are used.
 *
 * Placing goes forwards and puts an op into the first group that can have it; its only readers may have had to wait, and
 * then its value would go through memory. Such an op moves into its readers' group, together with the temporaries that
 * only it reads, if what they read is still there. What a split group reads as a piece moves there likewise, although its
 * iteration space is the piece's: it is computed at the piece's place.
 */
#include <string.h>

#include "base/settings.h"
#include "base/status.h"
#include "plan/draft.h"

enum { SET_MOST = 64 };

typedef struct sinking {
    cni_draft *d;
    const uint8_t *pinned; /* by content: kept, or part of what another write makes */
    uint32_t target;
    uint32_t count;
    uint32_t set[SET_MOST]; /* ops that move */
} sinking;

static bool lives(const cni_draft_op *x)
{
    return !x->dead && !x->alias && !x->fill;
}

/* A value that is written as a whole, that nothing else is written over, and that is gone at the end. */
static bool is_temporary(const sinking *s, uint32_t op)
{
    const cni_draft *d = s->d;
    const cni_draft_op *x = &d->ops[op];
    if (!lives(x) || !cni_op_elementwise(x->op) || x->op->nout != 1 || cni_reads_pieces(x)) {
        return false;
    }
    const cni_content *c = &d->contents[x->made[0]];
    return d->w->views[c->view].whole && !s->pinned[x->made[0]] && (d->s->states[c->base] & CNI_BASE_SHARED) == 0 &&
           d->contents[c->parent].kind == CNI_CONTENT_UNDEFINED;
}

static bool in_set(const sinking *s, uint32_t op)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->set[i] == op) {
            return true;
        }
    }
    return false;
}

/* The one group that all readers are in or will be in; CNI_NONE: several, or it is read from memory. */
static uint32_t group_of_readers(const sinking *s, uint32_t op)
{
    const cni_draft *d = s->d;
    uint32_t made = d->ops[op].made[0], group = CNI_NONE;
    for (uint32_t i = op + 1; i < d->nops; i++) {
        for (uint32_t k = 0; k < d->ops[i].nneeds && lives(&d->ops[i]); k++) {
            const cni_read *r = &d->ops[i].needs[k];
            if ((r->kind != CNI_READ_FORWARD && r->kind != CNI_READ_MEMORY) || r->content != made) {
                continue;
            }
            uint32_t there = in_set(s, i) ? s->target : d->ops[i].group;
            if (r->kind == CNI_READ_MEMORY || (group != CNI_NONE && group != there)) {
                return CNI_NONE;
            }
            group = there;
        }
    }
    return group;
}

static bool is_ancestor(const cni_draft *d, uint32_t ancestor, uint32_t content)
{
    while (content != ancestor && d->contents[content].kind == CNI_CONTENT_WRITE) {
        content = d->contents[content].parent;
    }
    return content == ancestor;
}

/* Is what the read takes from memory overwritten before the target has run? */
static bool overwritten(const sinking *s, const cni_read *r)
{
    cni_draft *d = s->d;
    uint32_t segment = d->contents[r->content].segment;
    for (uint32_t c = 0; c < d->ncontents; c++) {
        const cni_content *write = &d->contents[c];
        if (write->kind != CNI_CONTENT_WRITE || write->segment != segment || d->ops[write->op].group > s->target ||
            is_ancestor(d, c, r->content)) {
            continue;
        }
        bool in_step = write->view == r->view && d->ops[write->op].group == s->target &&
                       cni_op_elementwise(d->ops[write->op].op) && d->ops[write->op].shape == d->ops[r->op].shape;
        if (!in_step && (write->view == r->view || !cni_ask_disjoint(d, write->view, r->view))) {
            return true;
        }
    }
    return false;
}

/* Adds the op, and what must go with it, to the set. False if it cannot move. */
static bool gather(sinking *s, uint32_t op)
{
    const cni_draft *d = s->d;
    const cni_draft_op *x = &d->ops[op];
    if (s->count == SET_MOST) {
        return false;
    }
    s->set[s->count++] = op;
    for (int k = 0; k < CNI_READS; k++) {
        const cni_read *r = &x->reads[k];
        if (r->kind != CNI_READ_FORWARD && r->kind != CNI_READ_MEMORY) {
            continue;
        }
        uint32_t producer = d->contents[r->content].op;
        bool from_group = r->kind == CNI_READ_FORWARD && d->ops[producer].group == x->group;
        if (from_group && in_set(s, producer)) {
            continue;
        }
        if (from_group && is_temporary(s, producer) && d->ops[producer].shape == x->shape &&
            group_of_readers(s, producer) == s->target) {
            if (!gather(s, producer)) {
                return false;
            }
        } else if ((from_group && !d->contents[r->content].stored) || overwritten(s, r)) {
            return false;
        }
    }
    return true;
}

static void remove_op(cni_group *group, uint32_t op)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < group->nops; i++) {
        if (group->ops[i] != op) {
            group->ops[kept++] = group->ops[i];
        }
    }
    group->nops = kept;
}

/* Moves the set, in program order. False without memory. */
static bool move(sinking *s)
{
    cni_draft *d = s->d;
    cni_group *target = &d->groups[s->target];
    uint32_t *ops = cni_arena_alloc(&d->arena, (target->nops + s->count) * sizeof *ops), n = target->nops;
    if (ops == NULL) {
        return false;
    }
    memcpy(ops, target->ops, n * sizeof *ops);
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t op = s->set[i], from = d->ops[op].group, at = n++;
        for (; at > 0 && ops[at - 1] > op; at--) {
            ops[at] = ops[at - 1];
        }
        ops[at] = op;
        remove_op(&d->groups[from], op);
        d->ops[op].group = s->target;
        cni_content *made = &d->contents[d->ops[op].made[0]];
        made->stored = false;
        d->segments[made->segment].used = false;
        for (uint32_t h = 0; h < d->ngroups; h++) {
            uint8_t *depends = d->depends;
            depends[(size_t)s->target * d->ngroups_most + h] |=
                h != s->target && depends[(size_t)from * d->ngroups_most + h];
            if (h > s->target) { /* what waits for readers in the old group waits for the new one */
                depends[(size_t)h * d->ngroups_most + s->target] |= depends[(size_t)h * d->ngroups_most + from];
            }
        }
    }
    target->ops = ops;
    target->nops = target->capacity = n;
    return true;
}

/* What the set reads from ops that stay goes through memory. */
static void settle(const sinking *s)
{
    cni_draft *d = s->d;
    for (uint32_t i = 0; i < s->count; i++) {
        for (int k = 0; k < CNI_READS; k++) {
            const cni_read *r = &d->ops[s->set[i]].reads[k];
            if (r->kind == CNI_READ_FORWARD && d->ops[d->contents[r->content].op].group != s->target) {
                d->contents[r->content].stored = true;
                d->segments[d->contents[r->content].segment].used = true;
            }
        }
    }
}

cn_status cni_pass_sink(cni_draft *d)
{
    uint8_t *pinned = cni_arena_alloc(&d->arena, d->ncontents + 1);
    if (pinned == NULL) {
        return cni_fail_memory(d->ncontents);
    }
    for (uint32_t c = 0; c < d->ncontents; c++) {
        if (d->contents[c].kind == CNI_CONTENT_WRITE) {
            pinned[d->contents[c].parent] = 1;
        }
    }
    for (uint32_t b = 0; b < d->w->nbases; b++) {
        pinned[d->final[b]] |= d->s->live[b];
    }
    for (uint32_t op = d->nops; op-- > 0 && cni_settings[CNI_SETTING_FUSE];) {
        sinking s = {.d = d, .pinned = pinned};
        if (!is_temporary(&s, op)) {
            continue;
        }
        s.target = CNI_NONE;
        s.target = group_of_readers(&s, op);
        if (s.target == CNI_NONE || s.target == d->ops[op].group || d->groups[s.target].library ||
            (d->groups[s.target].shape != d->ops[op].shape && d->groups[s.target].split == NULL)) {
            continue;
        }
        bool room =
            gather(&s, op) && d->groups[s.target].nops + s.count <= (uint32_t)cni_settings[CNI_SETTING_GROUP_OPS];
        if (room && !move(&s)) {
            return cni_fail_memory(d->nops);
        }
        if (room) {
            settle(&s);
        }
    }
    return CN_OK;
}
