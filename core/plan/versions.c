/*
 * versions.c - pass 1: what every operand reads.
 *
 * Walks the ops in order and keeps, for every base, its present content. A read looks back through the writes that it
 * does not touch; it ends at the op that wrote exactly the view (forward), at a value that fills the whole base
 * (scalar), or at memory. What copies alone made is read in pieces (pieces.c).
 */
#include "base/settings.h"
#include "base/status.h"
#include "plan/draft.h"

enum { LOOK_BACK = 256 };

static uint32_t content_add(cni_draft *d, cni_content content)
{
    content.segment = CNI_NONE;
    d->contents[d->ncontents] = content;
    return d->ncontents++;
}

static bool shared(const cni_draft *d, uint32_t base)
{
    return (d->s->states[base] & CNI_BASE_SHARED) != 0;
}

/* A fill that is read in another dtype must be in memory after all. */
static void fill_becomes_write(cni_draft *d, uint32_t content)
{
    cni_content *c = &d->contents[content];
    c->kind = CNI_CONTENT_WRITE;
    d->ops[c->op].fill = false;
}

static cni_read resolve(cni_draft *d, uint32_t op, uint32_t content, uint32_t view)
{
    const uint32_t top = content;
    for (int steps = 0; steps < LOOK_BACK; steps++) {
        cni_content *c = &d->contents[content];
        if (c->kind == CNI_CONTENT_UNDEFINED) {
            return (cni_read){.kind = CNI_READ_SCALAR, .op = op, .view = view, .scalar = CNI_NONE};
        }
        if (c->kind == CNI_CONTENT_FILL) {
            if (d->w->views[view].dtype == d->w->scalars[c->scalar].dtype) {
                return (cni_read){.kind = CNI_READ_SCALAR, .op = op, .view = view, .scalar = c->scalar};
            }
            fill_becomes_write(d, content);
        }
        if (c->kind == CNI_CONTENT_ENTRY) {
            return (cni_read){.kind = CNI_READ_MEMORY, .op = op, .view = view, .content = content};
        }
        if (c->view == view) {
            return (cni_read){.kind = CNI_READ_FORWARD, .op = op, .view = view, .content = content};
        }
        if (!cni_ask_disjoint(d, c->view, view)) {
            return (cni_read){.kind = CNI_READ_MEMORY, .op = op, .view = view, .content = content};
        }
        content = c->parent;
    }
    return (cni_read){.kind = CNI_READ_MEMORY, .op = op, .view = view, .content = top};
}

/* The same for ops that read memory whatever it holds: values that were never stored must be. */
static cni_read resolve_memory(cni_draft *d, uint32_t op, uint32_t content, uint32_t view)
{
    cni_read r = resolve(d, op, content, view);
    if (r.kind != CNI_READ_SCALAR) {
        return r;
    }
    for (uint32_t c = content; d->contents[c].kind == CNI_CONTENT_WRITE || d->contents[c].kind == CNI_CONTENT_FILL;
         c = d->contents[c].parent) {
        if (d->contents[c].kind == CNI_CONTENT_FILL) {
            fill_becomes_write(d, c);
        }
    }
    r = resolve(d, op, content, view);
    return r.kind == CNI_READ_SCALAR ? (cni_read){.kind = CNI_READ_MEMORY, .op = op, .view = view, .content = content}
                                     : r;
}

/* A copy of a whole base into a whole base of the same layout. */
static bool is_alias(cni_draft *d, const cni_op *op)
{
    if (op->kind != CNI_COPY || op->flags != 0 || (op->args[1] & CNI_SCALAR) != 0 ||
        !cni_settings[CNI_SETTING_RENAME]) {
        return false;
    }
    const cni_view *out = &d->w->views[op->args[0]], *in = &d->w->views[op->args[1]];
    return out->whole && in->whole && out->dtype == in->dtype && out->shape == in->shape && !shared(d, out->base) &&
           !shared(d, in->base) && cni_ask_same_layout(d, op->args[0], op->args[1]);
}

static bool is_fill(const cni_draft *d, const cni_op *op)
{
    return op->kind == CNI_COPY && op->flags == 0 && (op->args[1] & CNI_SCALAR) != 0 &&
           d->w->views[op->args[0]].whole && !shared(d, d->w->views[op->args[0]].base) &&
           cni_settings[CNI_SETTING_RENAME];
}

static bool read_inputs(cni_draft *d, uint32_t index)
{
    cni_draft_op *x = &d->ops[index];
    for (int i = x->op->nout; i < x->op->nout + x->op->nin; i++) {
        uint32_t arg = x->op->args[i];
        if ((arg & CNI_SCALAR) != 0) {
            x->reads[i] = (cni_read){.kind = CNI_READ_SCALAR, .op = index, .scalar = arg & ~CNI_SCALAR};
        } else if (cni_op_groups(x->op)) {
            x->reads[i] = resolve(d, index, d->final[d->w->views[arg].base], arg);
        } else {
            x->reads[i] = resolve_memory(d, index, d->final[d->w->views[arg].base], arg);
        }
    }
    x->needs = x->reads;
    x->nneeds = CNI_READS;
    bool keeps_old = (x->op->flags & CNI_FLAG_WHERE) != 0;
    if (keeps_old && cni_op_groups(x->op)) {
        x->reads[CNI_READ_OLD] = resolve(d, index, d->final[d->w->views[x->op->args[0]].base], x->op->args[0]);
    }
    return cni_pieces_find(d, x);
}

static void write_outputs(cni_draft *d, uint32_t index)
{
    cni_draft_op *x = &d->ops[index];
    if (is_alias(d, x->op)) {
        x->alias = true;
        d->final[d->w->views[x->op->args[0]].base] = d->final[d->w->views[x->op->args[1]].base];
        return;
    }
    x->fill = is_fill(d, x->op);
    for (int i = 0; i < x->op->nout; i++) {
        uint32_t view = x->op->args[i], base = d->w->views[view].base;
        x->made[i] = content_add(d, (cni_content){.kind = x->fill ? CNI_CONTENT_FILL : CNI_CONTENT_WRITE,
                                                  .base = base,
                                                  .parent = d->final[base],
                                                  .op = index,
                                                  .view = view,
                                                  .scalar = x->fill ? x->op->args[1] & ~CNI_SCALAR : CNI_NONE});
        d->final[base] = x->made[i];
    }
}

static uint32_t iteration_shape(const cni_draft *d, const cni_op *op)
{
    return d->w->views[op->args[0]].shape;
}

cn_status cni_pass_versions(cni_draft *d)
{
    for (uint32_t b = 0; b < d->w->nbases; b++) {
        bool stored = (d->s->states[b] & CNI_BASE_STORED) != 0;
        d->entry[b] =
            content_add(d, (cni_content){.kind = stored ? CNI_CONTENT_ENTRY : CNI_CONTENT_UNDEFINED, .base = b});
        d->final[b] = d->entry[b];
    }
    for (uint32_t i = 0; i < d->nops; i++) {
        d->ops[i].op = &d->w->ops[i];
        d->ops[i].group = CNI_NONE;
        d->ops[i].shape = iteration_shape(d, &d->w->ops[i]);
        if (!read_inputs(d, i)) {
            return cni_fail_memory(d->nops);
        }
        write_outputs(d, i);
    }
    return CN_OK;
}
