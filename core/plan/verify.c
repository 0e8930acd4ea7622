/* verify.c - what must hold after each pass; run in debug builds and tests. */
#include "base/status.h"
#include "plan/draft.h"

static bool op_lives(const cni_draft_op *x)
{
    return !x->dead && !x->alias && !x->fill;
}

cn_status cni_verify_versions(const cni_draft *d)
{
    for (uint32_t c = 0; c < d->ncontents; c++) {
        const cni_content *content = &d->contents[c];
        CN_CHECK(content->kind != CNI_CONTENT_WRITE || content->parent < c);
        CN_CHECK(content->base < d->w->nbases);
    }
    for (uint32_t i = 0; i < d->nops; i++) {
        for (uint32_t k = 0; k < d->ops[i].nneeds; k++) {
            const cni_read *r = &d->ops[i].needs[k];
            CN_CHECK(r->kind != CNI_READ_PIECES);
            if (r->kind == CNI_READ_FORWARD) {
                CN_CHECK(d->contents[r->content].op < i && d->contents[r->content].view == r->view);
            }
            if (r->kind == CNI_READ_MEMORY && d->contents[r->content].kind == CNI_CONTENT_WRITE) {
                CN_CHECK(d->contents[r->content].op < i);
            }
        }
    }
    return CN_OK;
}

cn_status cni_verify_simplify(const cni_draft *d)
{
    for (uint32_t i = 0; i < d->nops; i++) {
        for (uint32_t k = 0; k < d->ops[i].nneeds && op_lives(&d->ops[i]); k++) {
            const cni_read *r = &d->ops[i].needs[k];
            if (r->kind == CNI_READ_FORWARD) {
                CN_CHECK(!d->ops[d->contents[r->content].op].dead);
            }
        }
    }
    return CN_OK;
}

static cn_status verify_read(const cni_draft *d, uint32_t op, const cni_read *r)
{
    const cni_content *c = &d->contents[r->content];
    uint32_t group = d->ops[op].group;
    if (r->kind == CNI_READ_MEMORY) {
        CN_CHECK(c->segment != CNI_NONE && d->segments[c->segment].used);
        CN_CHECK(c->kind != CNI_CONTENT_WRITE || d->ops[c->op].group < group);
    }
    if (r->kind == CNI_READ_FORWARD) {
        CN_CHECK(d->ops[c->op].group <= group);
        CN_CHECK(d->ops[c->op].group == group || c->stored);
    }
    return CN_OK;
}

cn_status cni_verify_fuse(const cni_draft *d)
{
    for (uint32_t i = 0; i < d->nops; i++) {
        const cni_draft_op *x = &d->ops[i];
        if (!op_lives(x)) {
            continue;
        }
        CN_CHECK(x->group < d->ngroups);
        CN_CHECK(d->groups[x->group].library || d->groups[x->group].shape == x->shape ||
                 d->groups[x->group].split != NULL);
        for (uint32_t k = 0; k < x->nneeds; k++) {
            CN_TRY(verify_read(d, i, &x->needs[k]));
        }
        CN_CHECK(!cni_reads_pieces(x) ||
                 (d->groups[x->group].split != NULL && d->groups[x->group].reduction == CNI_NONE));
        for (int k = 0; k < x->op->nout; k++) {
            CN_CHECK(d->contents[x->made[k]].segment != CNI_NONE);
        }
    }
    return CN_OK;
}

cn_status cni_verify_plan(const cni_plan *plan, const cni_window *w)
{
    for (uint32_t l = 0; l < plan->nlaunches; l++) {
        for (uint32_t k = 0; k < plan->launches[l].nparts; k++) {
            const cni_part *part = &plan->launches[l].parts[k];
            for (uint32_t a = 0; a < part->naccess; a++) {
                CN_CHECK(part->access[a].slot == CNI_NONE || part->access[a].slot < plan->nslots);
                CN_CHECK(part->access[a].view == CNI_NONE || part->access[a].view < w->nviews + plan->nderived);
            }
            for (uint32_t i = 0; i < part->ninstr; i++) {
                const cni_instr *x = &part->instr[i];
                for (int s = 0; s < x->nsrc; s++) {
                    CN_CHECK(x->src[s] < part->nregister);
                    CN_CHECK(x->ndst == 0 || x->src[s] < x->dst[0]);
                }
            }
        }
    }
    for (uint32_t i = 0; i < plan->nslots; i++) {
        CN_CHECK(plan->slots[i].entry || plan->slots[i].first <= plan->slots[i].last);
    }
    return CN_OK;
}
