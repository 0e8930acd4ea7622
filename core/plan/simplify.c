/*
 * simplify.c - pass 2: ops whose results nobody can see are dead.
 *
 * Goes backwards: a content is wanted as a value (forwarded to a living op) or in memory (read otherwise, kept, or part
 * of a content wanted in memory).
 */
#include <string.h>

#include "base/status.h"
#include "plan/draft.h"

enum { WANTED_VALUE = 1, WANTED_MEMORY = 2 };

static void want_reads(const cni_draft_op *x, uint8_t *wanted)
{
    for (uint32_t i = 0; i < x->nneeds; i++) {
        const cni_read *r = &x->needs[i];
        if (r->kind == CNI_READ_FORWARD) {
            wanted[r->content] |= WANTED_VALUE;
        } else if (r->kind == CNI_READ_MEMORY) {
            wanted[r->content] |= WANTED_MEMORY;
        }
    }
}

static bool op_wanted(const cni_draft *d, const cni_draft_op *x, uint8_t *wanted)
{
    bool any = false;
    for (int k = 0; k < x->op->nout; k++) {
        const cni_content *c = &d->contents[x->made[k]];
        if ((d->s->states[c->base] & CNI_BASE_SHARED) != 0) {
            wanted[x->made[k]] |= WANTED_MEMORY;
        }
        bool in_memory =
            (wanted[x->made[k]] & WANTED_MEMORY) != 0 || (wanted[x->made[k]] != 0 && !cni_op_groups(x->op));
        bool partly = !d->w->views[c->view].whole || cni_op_scatters(x->op);
        if (in_memory && partly && !x->fill) {
            wanted[c->parent] |= WANTED_MEMORY;
        }
        any |= wanted[x->made[k]] != 0;
    }
    return any;
}

cn_status cni_pass_simplify(cni_draft *d)
{
    uint8_t *wanted = cni_arena_alloc(&d->arena, d->ncontents);
    if (wanted == NULL) {
        return cni_fail_memory(d->ncontents);
    }
    for (uint32_t b = 0; b < d->w->nbases; b++) {
        if (d->s->live[b]) {
            wanted[d->final[b]] |= WANTED_MEMORY;
        }
    }
    for (uint32_t i = d->nops; i-- > 0;) {
        cni_draft_op *x = &d->ops[i];
        if (x->alias) {
            continue;
        }
        x->dead = !op_wanted(d, x, wanted);
        if (!x->dead) {
            want_reads(x, wanted);
        }
    }
    return CN_OK;
}
