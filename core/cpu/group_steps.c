/* group_steps.c - from where the registers of a group live: its program over tiles (tier 0). */
#include "cpu/binder.h"
#include "op/op.h"

static bool is_scalar_place(const cni_binder *b, uint16_t reg)
{
    return b->places[reg].kind == PLACE_SCALAR;
}

static void step_loop(cni_binder *b, const cni_instr *x, cni_step *step)
{
    step->kind = CNI_STEP_LOOP;
    step->op = x->op;
    step->npointers = (uint8_t)(x->ndst + x->nsrc);
    for (int k = 0; k < x->ndst; k++) {
        step->registers[k] = x->dst[k];
    }
    for (int k = 0; k < x->nsrc; k++) {
        step->registers[x->ndst + k] = x->src[k];
        step->scalars = (uint16_t)(step->scalars | (is_scalar_place(b, x->src[k]) ? 1U << k : 0));
    }
    if (x->kind == CNI_INSTR_OP) {
        step->loop = b->kernels->loops[x->loop];
        bool masked = (b->w->ops[x->op].flags & CNI_FLAG_WHERE) != 0;
        step->fp_kinds = masked || !cni_loop_raises(x->loop) ? 0 : b->w->ops[x->op].fp_kinds;
        step->number = x->loop;
    } else {
        step->number = -1;
        step->loop = b->kernels->casts[x->from][x->dtype];
        step->fp_kinds = b->w->ops[x->op].fp_kinds;
    }
}

static void step_move(const cni_instr *x, uint8_t kind, uint16_t reg, cni_step *step)
{
    step->kind = kind;
    step->registers[0] = reg;
    step->access = (uint16_t)x->access;
    step->op = x->op;
}

bool cni_group_copies(const cni_part *part)
{
    const cni_instr *x = part->instr;
    return part->ninstr == 2 && x[0].kind == CNI_INSTR_LOAD && x[1].kind == CNI_INSTR_STORE &&
           x[1].src[0] == x[0].dst[0];
}

/* A copy needs no run between memory and memory. */
static void join_moves(const cni_part *part, cni_group_binding *g)
{
    if (g->nsteps == 2 && cni_group_copies(part)) {
        g->steps[0].kind = CNI_STEP_COPY;
        g->steps[0].registers[0] = g->steps[0].access;
        g->steps[0].access = g->steps[1].access;
        g->nsteps = 1;
    }
}

bool cni_group_steps_make(cni_binder *b)
{
    cni_group_binding *g = b->g;
    const cni_part *part = b->part;
    g->steps = cni_arena_alloc(&g->arena, (part->ninstr + 1) * sizeof *g->steps);
    g->direct = cni_arena_alloc(&g->arena, (part->nregister + 1) * sizeof *g->direct);
    if (g->steps == NULL || g->direct == NULL) {
        return false;
    }
    g->nsteps = g->ndirect = g->nreductions = 0;
    g->fp_kinds = 0;
    for (uint32_t i = 0; i < part->ninstr; i++) {
        const cni_instr *x = &part->instr[i];
        cni_step *step = &g->steps[g->nsteps];
        const cni_register_place *first = x->ndst > 0 ? &b->places[x->dst[0]] : NULL;
        switch ((cni_instr_kind)x->kind) {
        case CNI_INSTR_LOAD:
            if (first->kind == PLACE_RUN) {
                step_move(x, CNI_STEP_LOAD, x->dst[0], step);
                g->nsteps++;
            }
            break;
        case CNI_INSTR_OP:
        case CNI_INSTR_CAST:
            step_loop(b, x, step);
            g->fp_kinds |= step->fp_kinds;
            g->nsteps++;
            break;
        case CNI_INSTR_MOVE:
            step->kind = CNI_STEP_LOOP;
            step->loop = NULL;
            step->npointers = 2;
            step->registers[0] = x->dst[0];
            step->registers[1] = x->src[0];
            step->access = cni_log2_size((cn_dtype)x->dtype);
            g->nsteps++;
            break;
        case CNI_INSTR_STORE: {
            const cni_register_place *source = &b->places[x->src[0]];
            bool done = x->direct && source->kind == PLACE_DIRECT && source->access == x->access;
            if (!done) {
                step_move(x, CNI_STEP_STORE, x->src[0], step);
                g->nsteps++;
            }
            break;
        }
        case CNI_INSTR_REDUCE:
            step_move(x, CNI_STEP_REDUCE, x->src[0], step);
            step->npointers = b->places[x->src[0]].kind == PLACE_RUN;
            step->reduction = g->nreductions++;
            g->nsteps++;
            break;
        default:
            break;
        }
        for (int k = 0; k < x->ndst; k++) {
            const cni_register_place *p = &b->places[x->dst[k]];
            if (p->kind == PLACE_DIRECT || (p->kind == PLACE_SCALAR && x->kind == CNI_INSTR_LOAD)) {
                g->direct[g->ndirect].reg = x->dst[k];
                g->direct[g->ndirect++].access = (uint16_t)p->access;
            }
        }
    }
    join_moves(part, g);
    return true;
}

/* Which registers have runs of the tile, and which are scalars. */
bool cni_group_registers_make(cni_binder *b)
{
    cni_group_binding *g = b->g;
    g->nregister = b->part->nregister;
    g->nscalars = 0;
    g->scalars = cni_arena_alloc(&g->arena, (g->nregister + 1) * sizeof *g->scalars);
    g->layout.run_of = cni_arena_alloc(&g->arena, (g->nregister + 1) * sizeof *g->layout.run_of);
    if (g->scalars == NULL || g->layout.run_of == NULL) {
        return false;
    }
    for (uint32_t r = 0; r < g->nregister; r++) {
        const cni_register_place *p = &b->places[r];
        g->layout.run_of[r] = p->kind == PLACE_RUN || p->kind == PLACE_SPLAT ? p->run : CNI_NONE;
        if (p->kind == PLACE_SPLAT || (p->kind == PLACE_SCALAR && !p->memory)) {
            g->scalars[g->nscalars].reg = (uint16_t)r;
            g->scalars[g->nscalars].splat = p->kind == PLACE_SPLAT;
            g->scalars[g->nscalars].log2_size = p->log2_size;
            g->scalars[g->nscalars].scalar = p->scalar;
            g->nscalars++;
        }
    }
    return true;
}
