/*
 * print.c - a plan as text: launches, parts, programs. Names are numbers of the plan (s slot, v view, r register), so
 * that the text of a known program does not change with extents or addresses. Parts of one split group show the same views:
 * each means what lies of them in its cut.
 */
#include <string.h>

#include "base/text.h"
#include "op/op.h"
#include "plan/partition.h"
#include "plan/plan.h"

const char *cni_op_kind_name(const cni_op *op)
{
    static const char *const names[CNI_KIND_COUNT] = {
        [CNI_COPY] = "copy",
#define CN_LIBRARY(id, name, scratch, share, chain) [CNI_##id] = #name,
#include "op/library.def"
#undef CN_LIBRARY
    };
    return names[op->kind] != NULL ? names[op->kind] : cni_ops[op->opcode].name;
}

static void print_view(const cni_plan *plan, const cni_window *w, uint32_t view, cni_text *text)
{
    const cni_view *v = &w->views[view];
    view = view < w->nviews ? view : plan->derived[view - w->nviews].view; /* what lies of it in the cut */
    cni_text_add(text, "v%u %s%s", view, cn_dtype_name((cn_dtype)v->dtype), v->whole ? " whole" : "");
}

static void print_instr(const cni_plan *plan, const cni_part *part, const cni_instr *x, const cni_window *w,
                        cni_text *text)
{
    static const char *const names[CNI_INSTR_KIND_COUNT] = {"load", "scalar", "op", "cast", "move", "store", "reduce"};
    cni_text_add(text, "      ");
    for (int k = 0; k < x->ndst; k++) {
        cni_text_add(text, "%sr%u", k > 0 ? ", " : "", x->dst[k]);
    }
    bool named = x->kind == CNI_INSTR_OP || x->kind == CNI_INSTR_REDUCE;
    cni_text_add(text, "%s%s%s", x->ndst > 0 ? " = " : "", x->kind == CNI_INSTR_REDUCE ? "reduce " : "",
                 named ? cni_ops[cni_op_of_loop(x->loop)].name : names[x->kind]);
    for (int k = 0; k < x->nsrc; k++) {
        cni_text_add(text, " r%u", x->src[k]);
    }
    if (x->kind == CNI_INSTR_SCALAR) {
        cni_text_add(text, " #%d %s", x->access == CNI_NONE ? -1 : (int)x->access, cn_dtype_name((cn_dtype)x->dtype));
    } else if (x->kind == CNI_INSTR_CAST) {
        cni_text_add(text, " to %s", cn_dtype_name((cn_dtype)x->dtype));
    } else if (x->access != CNI_NONE && x->kind != CNI_INSTR_OP && x->kind != CNI_INSTR_MOVE) {
        const cni_access *a = &part->access[x->access];
        cni_text_add(text, " s%u[", a->slot);
        print_view(plan, w, a->view, text);
        cni_text_add(text, "]%s", x->direct ? " direct" : "");
    }
    cni_text_add(text, "\n");
}

static void print_part(const cni_plan *plan, const cni_part *part, const cni_window *w, cni_text *text)
{
    if (part->kind == CNI_PART_CARRY || part->kind == CNI_PART_FILL) {
        cni_text_add(text, "    %s s%u from %s%u except %u views\n", part->kind == CNI_PART_CARRY ? "carry" : "fill",
                     part->slot, part->kind == CNI_PART_CARRY ? "s" : "#", part->source, part->nlist);
        return;
    }
    if (part->kind == CNI_PART_LIBRARY) {
        cni_text_add(text, "    %s", cni_op_kind_name(&w->ops[part->op]));
        for (uint32_t a = 0; a < part->naccess; a++) {
            if (part->access[a].view != CNI_NONE) {
                cni_text_add(text, " s%d[", part->access[a].slot == CNI_NONE ? -1 : (int)part->access[a].slot);
                print_view(plan, w, part->access[a].view, text);
                cni_text_add(text, "]");
            }
        }
        cni_text_add(text, "\n");
        return;
    }
    cni_text_add(text, "    group of %u ops, %u dimensions%s", part->nops, w->shapes[part->shape].ndim,
                 part->reduces ? ", reduces" : "");
    if (part->shape >= w->nshapes) {
        cni_text_add(text, ", cut %zu", part->shape - w->nshapes);
    }
    cni_text_add(text, "\n");
    for (uint32_t i = 0; i < part->ninstr; i++) {
        print_instr(plan, part, &part->instr[i], w, text);
    }
}

static void print_transfers(const char *when, const cni_transfer *transfers, uint32_t n, cni_text *text)
{
    int64_t bytes = 0;
    for (uint32_t i = 0; i < n; i++) {
        bytes += cni_region_size(&transfers[i].region);
    }
    if (n > 0) {
        cni_text_add(text, "; %s it %u transfers, %lld bytes", when, n, (long long)bytes);
    }
}

void cni_partition_print(const cni_partition *p, cni_text *text)
{
    static const char *const kinds[] = {
        [CNI_SHARE_ROOT] = "root",   [CNI_SHARE_BOXES] = "boxes", [CNI_SHARE_RANGE] = "range",
        [CNI_SHARE_CHAIN] = "chain", [CNI_SHARE_JOINT] = "joint", [CNI_SHARE_BYTES] = "bytes"};
    cni_text_add(text, "partition over %d places, of which %d to %d are here", p->places, p->first, p->end - 1);
    print_transfers("before", p->adopt, p->nadopt, text);
    for (uint32_t l = 0; l < p->nstages; l++) {
        const cni_stage *stage = &p->stages[l];
        cni_text_add(text, "\n  launch %u:", l);
        for (uint32_t k = 0; k < stage->nparts; k++) {
            const cni_rounds *rounds = stage->parts[k].rounds;
            cni_text_add(text, " %s", kinds[stage->parts[k].kind]);
            if (rounds != NULL) {
                cni_text_add(text, " in %d rounds of operand %u", rounds->n, rounds->panels.access);
                print_transfers("with", rounds->transfers, rounds->begin[rounds->exchanges], text);
            }
        }
        print_transfers("before", stage->before, stage->nbefore, text);
        print_transfers("after", stage->after, stage->nafter, text);
    }
}

void cni_plan_print(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, cni_text *text)
{
    (void)s;
    cni_text_add(text, "plan: %zu ops, %u launches, %u groups, %u slots, %u guards\n", w->nops, plan->nlaunches,
                 plan->ngroups, plan->nslots, plan->nguards);
    for (uint32_t i = 0; i < plan->nslots; i++) {
        const cni_slot *slot = &plan->slots[i];
        cni_text_add(text, "  s%u: base %u%s\n", i, slot->base,
                     slot->entry                     ? ", stored before"
                     : slot->last == plan->nlaunches ? ", kept"
                                                     : "");
    }
    for (uint32_t l = 0; l < plan->nlaunches; l++) {
        cni_text_add(text, "  launch %u\n", l);
        for (uint32_t k = 0; k < plan->launches[l].nparts; k++) {
            print_part(plan, &plan->launches[l].parts[k], w, text);
        }
    }
    for (uint32_t i = 0; i < plan->ncommits; i++) {
        cni_text_add(text, "  base %u takes s%u\n", plan->commits[i].base, plan->commits[i].slot);
    }
}
