/*
 * pieces.c - arrays that copies make up of boxes (np.roll, np.concatenate, np.pad), read where the copies read.
 *
 * A group that reads such arrays is split: in every box of its iteration space each of them has one piece, whose source
 * is read at the box's place. The copies are dead then, unless somebody keeps what they make. Boxes meet if they do so
 * pair by pair, so that planning asks about pairs alone.
 */
#include <string.h>

#include "base/memory.h"
#include "base/settings.h"
#include "plan/draft.h"

enum { PIECES_MOST = 16 };

/* ---- What is made up of pieces ---- */

static bool shared(const cni_draft *d, uint32_t base)
{
    return (d->s->states[base] & CNI_BASE_SHARED) != 0;
}

/* Can what the copy reads be read later, by somebody else? */
static bool source_lasts(const cni_draft *d, const cni_read *r, uint32_t base)
{
    if (r->kind == CNI_READ_SCALAR) {
        return true;
    }
    if (r->kind != CNI_READ_MEMORY && r->kind != CNI_READ_FORWARD) {
        return false;
    }
    uint32_t source = d->contents[r->content].base;
    return source != base && !shared(d, source) && !shared(d, d->w->views[r->view].base);
}

/* Turns a read of memory into one of pieces, if copies alone made what is there. False without memory. */
static bool find(cni_draft *d, cni_read *r)
{
    const cni_window *w = d->w;
    uint32_t base = d->contents[r->content].base, views[PIECES_MOST], n = 0;
    cni_piece pieces[PIECES_MOST];
    int64_t left = w->views[r->view].size;
    if (shared(d, base) || shared(d, w->views[r->view].base)) {
        return true;
    }
    for (uint32_t c = r->content; left > 0; c = d->contents[c].parent) {
        const cni_content *made = &d->contents[c];
        if (n == PIECES_MOST || made->kind != CNI_CONTENT_WRITE) {
            return true;
        }
        const cni_draft_op *copy = &d->ops[made->op];
        if (copy->op->kind != CNI_COPY || copy->op->flags != 0 ||
            w->views[made->view].dtype != w->views[r->view].dtype || !source_lasts(d, &copy->reads[1], base)) {
            return true;
        }
        views[n] = made->view;
        pieces[n] = (cni_piece){.view = made->view, .source = copy->reads[1]};
        pieces[n++].source.op = r->op;
        left -= w->views[made->view].size;
    }
    if (left != 0 || n < 2 || !cni_ask_tiled(d, n, views)) {
        return true;
    }
    r->pieces = cni_arena_copy(&d->arena, pieces, n * sizeof *pieces);
    r->npieces = n;
    r->kind = CNI_READ_PIECES;
    return r->pieces != NULL;
}

/* Lists the op's reads with pieces one by one. */
static bool needs_list(cni_draft *d, cni_draft_op *x)
{
    uint32_t n = 0;
    for (int k = 0; k < CNI_READS; k++) {
        n += x->reads[k].kind == CNI_READ_PIECES ? x->reads[k].npieces : 1;
    }
    cni_read *needs = cni_arena_alloc(&d->arena, n * sizeof *needs);
    x->needs = needs;
    x->nneeds = n;
    for (int k = 0; k < CNI_READS && needs != NULL; k++) {
        const cni_read *r = &x->reads[k];
        for (uint32_t i = 0; i < r->npieces; i++) {
            *needs++ = r->pieces[i].source;
        }
        if (r->kind != CNI_READ_PIECES) {
            *needs++ = *r;
        }
    }
    return x->needs != NULL;
}

/* ---- Splits ---- */

static bool has_operand(const cni_split *split, uint32_t content)
{
    for (uint32_t i = 0; i < split->noperands; i++) {
        if (split->operands[i].content == content) {
            return true;
        }
    }
    return false;
}

static bool cut_alike(cni_draft *d, const cni_read *a, const cni_read *b)
{
    bool alike = a->npieces == b->npieces;
    for (uint32_t i = 0; i < a->npieces && alike; i++) {
        alike = cni_ask_same_box(d, a->pieces[i].view, b->pieces[i].view);
    }
    return alike;
}

/* Do the pieces that the box has so far meet this one? */
static bool meets_all(cni_draft *d, const cni_split *split, const uint8_t *box, uint32_t view)
{
    for (uint32_t k = 0; k < split->nclasses; k++) {
        if (!cni_ask_meets(d, split->classes[k]->pieces[box[k]].view, view)) {
            return false;
        }
    }
    return true;
}

/* Cuts every box by the pieces of a further class. False: too many. */
static bool cut_further(cni_draft *d, cni_split *split, const cni_read *r)
{
    uint8_t boxes[CNI_SPLIT_BOXES][CNI_SPLIT_CLASSES];
    uint32_t n = 0, before = split->nclasses == 0 ? 1 : split->nboxes;
    if (split->nclasses == CNI_SPLIT_CLASSES) {
        return false;
    }
    for (uint32_t b = 0; b < before; b++) {
        for (uint32_t i = 0; i < r->npieces; i++) {
            if (!meets_all(d, split, split->piece[b], r->pieces[i].view)) {
                continue;
            }
            if (n == CNI_SPLIT_BOXES) {
                return false;
            }
            memcpy(boxes[n], split->piece[b], sizeof *boxes);
            boxes[n++][split->nclasses] = (uint8_t)i;
        }
    }
    memcpy(split->piece, boxes, n * sizeof *boxes);
    split->nboxes = n;
    split->classes[split->nclasses++] = r;
    return true;
}

static bool take_operand(cni_draft *d, cni_split *split, const cni_read *r)
{
    if (has_operand(split, r->content)) {
        return true;
    }
    if (split->noperands == CNI_SPLIT_OPERANDS) {
        return false;
    }
    uint32_t like = 0;
    while (like < split->nclasses && !cut_alike(d, r, split->classes[like])) {
        like++;
    }
    if (like == split->nclasses && !cut_further(d, split, r)) {
        return false;
    }
    split->operands[split->noperands].content = r->content;
    split->operands[split->noperands++].like = like;
    return true;
}

const cni_split *cni_split_with(cni_draft *d, const cni_split *split, const cni_draft_op *x)
{
    bool known = true;
    for (int k = 0; k < CNI_READS; k++) {
        known &= x->reads[k].kind != CNI_READ_PIECES || (split != NULL && has_operand(split, x->reads[k].content));
    }
    if (known) {
        return split;
    }
    cni_split *larger = cni_arena_alloc(&d->arena, sizeof *larger);
    if (larger == NULL) {
        d->no_memory = true;
        return NULL;
    }
    if (split != NULL) {
        *larger = *split;
    }
    for (int k = 0; k < CNI_READS; k++) {
        if (x->reads[k].kind == CNI_READ_PIECES && !take_operand(d, larger, &x->reads[k])) {
            return NULL;
        }
    }
    return larger;
}

const cni_piece *cni_split_piece(const cni_split *split, uint32_t box, const cni_read *r)
{
    uint32_t i = 0;
    while (split->operands[i].content != r->content) {
        i++;
    }
    return &r->pieces[split->piece[box][split->operands[i].like]];
}

uint32_t cni_split_cut(cni_draft *d, const cni_split *split, uint32_t box)
{
    uint32_t list[CNI_SPLIT_CLASSES], n = split->nclasses;
    for (uint32_t k = 0; k < n; k++) {
        list[k] = split->classes[k]->pieces[split->piece[box][k]].view;
    }
    for (uint32_t c = 0; c < d->ncuts; c++) {
        if (d->cuts[c].nlist == n && memcmp(d->cuts[c].list, list, n * sizeof *list) == 0) {
            return c;
        }
    }
    const uint32_t *kept = cni_arena_copy(&d->plan->arena, list, n * sizeof *list);
    if (kept == NULL || !cni_grow((void **)&d->cuts, &d->cuts_capacity, d->ncuts + 1, sizeof *d->cuts)) {
        return CNI_NONE;
    }
    d->cuts[d->ncuts] = (cni_cut){n, kept};
    return (uint32_t)d->ncuts++;
}

/* ---- The pass ---- */

bool cni_pieces_find(cni_draft *d, cni_draft_op *x)
{
    bool any = false;
    if (!cni_op_elementwise(x->op) || !cni_settings[CNI_SETTING_RENAME] || !cni_settings[CNI_SETTING_FUSE]) {
        return true;
    }
    for (int k = 0; k < CNI_READ_OLD; k++) {
        cni_read *r = &x->reads[k];
        if (r->kind == CNI_READ_MEMORY && d->w->views[r->view].whole && d->w->views[r->view].shape == x->shape) {
            if (!find(d, r)) {
                return false;
            }
            any |= r->kind == CNI_READ_PIECES;
        }
    }
    if (any && cni_split_with(d, NULL, x) == NULL) { /* it would be cut too small, alone */
        for (int k = 0; k < CNI_READS; k++) {
            x->reads[k].kind = x->reads[k].kind == CNI_READ_PIECES ? CNI_READ_MEMORY : x->reads[k].kind;
        }
        any = false;
    }
    return !any || needs_list(d, x);
}
