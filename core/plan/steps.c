/*
 * steps.c - pass 4: from groups to launches: storage slots, which groups share a launch, and the program of each.
 *
 * A program is in SSA form over registers; equal instructions are made once. Whether a register is memory itself or a
 * tile of its own is left to the place that runs it.
 */
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "plan/draft.h"

/* The register that has a content's values: of which program, and at which origin. */
typedef struct computed {
    uint32_t program, origin;
    uint16_t value;
} computed;

/* What the programs of all parts are made with. */
typedef struct emission {
    computed *contents;
    uint32_t programs; /* so far */
} emission;

typedef struct program {
    cni_draft *d;
    uint32_t group;
    cni_access *access;
    cni_instr *instr;
    size_t naccess, ninstr, access_capacity, instr_capacity;
    uint32_t nregister;
    computed *contents;
    uint32_t number;
    const cni_split *split; /* the group's; then the program is that of one box, with the views of a cut */
    uint32_t box, cut;
    uint32_t origin; /* a piece whose source is being computed: its views begin there; CNI_NONE: 0 */
    bool reduces, no_memory;
} program;

/* ---- Instructions ---- */

/* What lies of the view in the program's cut. */
static uint32_t derive(program *p, uint32_t view)
{
    cni_draft *d = p->d;
    for (size_t i = d->nderived; i-- > 0;) {
        const cni_derived *x = &d->derived[i];
        if (x->view == view && x->origin == p->origin && x->cut == p->cut) {
            return (uint32_t)(d->w->nviews + i);
        }
    }
    if (!cni_grow((void **)&d->derived, &d->derived_capacity, d->nderived + 1, sizeof *d->derived)) {
        p->no_memory = true;
        return view;
    }
    d->derived[d->nderived] = (cni_derived){.view = view, .origin = p->origin, .cut = p->cut};
    return (uint32_t)(d->w->nviews + d->nderived++);
}

static uint32_t access_of(program *p, uint32_t segment, uint32_t view, bool written)
{
    uint32_t slot = p->d->segments[segment].slot;
    view = p->split != NULL ? derive(p, view) : view;
    for (size_t i = 0; i < p->naccess; i++) {
        if (p->access[i].slot == slot && p->access[i].view == view && p->access[i].written == written) {
            return (uint32_t)i;
        }
    }
    if (!cni_grow((void **)&p->access, &p->access_capacity, p->naccess + 1, sizeof *p->access)) {
        p->no_memory = true;
        return 0;
    }
    p->access[p->naccess] = (cni_access){.slot = slot, .view = view, .written = written};
    return (uint32_t)p->naccess++;
}

static bool same_instr(const cni_instr *a, const cni_instr *b)
{
    return a->kind == b->kind && a->dtype == b->dtype && a->from == b->from && a->loop == b->loop &&
           a->nsrc == b->nsrc && a->access == b->access && memcmp(a->src, b->src, a->nsrc * sizeof *a->src) == 0;
}

/* Appends the instruction, or finds its equal; its first destination. */
static uint16_t emit(program *p, cni_instr instr)
{
    bool pure = instr.kind != CNI_INSTR_STORE && instr.kind != CNI_INSTR_REDUCE;
    for (size_t i = p->ninstr; pure && i-- > 0;) {
        if (same_instr(&p->instr[i], &instr)) {
            return p->instr[i].dst[0];
        }
    }
    if (!cni_grow((void **)&p->instr, &p->instr_capacity, p->ninstr + 1, sizeof *p->instr) ||
        p->nregister + CNI_INSTR_DST > UINT16_MAX) {
        p->no_memory = true;
        return 0;
    }
    for (int k = 0; k < instr.ndst; k++) {
        instr.dst[k] = (uint16_t)p->nregister++;
    }
    p->instr[p->ninstr++] = instr;
    return instr.dst[0];
}

static uint16_t emit_cast(program *p, uint16_t value, uint8_t from, uint8_t to, uint32_t op)
{
    if (from == to) {
        return value;
    }
    return emit(p, (cni_instr){.kind = CNI_INSTR_CAST,
                               .dtype = to,
                               .from = from,
                               .ndst = 1,
                               .nsrc = 1,
                               .src = {value},
                               .access = CNI_NONE,
                               .op = op});
}

static void emit_op(program *p, uint32_t op);

/* What an op of this group has computed; an op that is here for a piece computes it when asked, at the piece's place. */
static uint16_t emit_forward(program *p, uint32_t content)
{
    const computed *c = &p->contents[content];
    if (c->program != p->number || c->origin != p->origin) {
        emit_op(p, p->d->contents[content].op);
    }
    return c->value;
}

static uint16_t emit_read(program *p, const cni_read *r, uint8_t want);

static uint16_t emit_piece(program *p, const cni_read *r)
{
    const cni_piece *piece = cni_split_piece(p->split, p->box, r);
    uint32_t origin = p->origin;
    p->origin = piece->view;
    uint16_t value = emit_read(p, &piece->source, p->d->w->views[r->view].dtype);
    p->origin = origin;
    return value;
}

/* The register with what the op reads, in the dtype it wants. */
static uint16_t emit_read(program *p, const cni_read *r, uint8_t want)
{
    const cni_window *w = p->d->w;
    const cni_content *c = &p->d->contents[r->content];
    uint8_t have = r->kind == CNI_READ_SCALAR ? 0 : w->views[r->view].dtype;
    uint16_t value;
    if (r->kind == CNI_READ_SCALAR) {
        have = r->scalar == CNI_NONE ? want : (uint8_t)w->scalars[r->scalar].dtype;
        value =
            emit(p, (cni_instr){.kind = CNI_INSTR_SCALAR, .dtype = have, .ndst = 1, .access = r->scalar, .op = r->op});
    } else if (r->kind == CNI_READ_PIECES) {
        value = emit_piece(p, r);
    } else if (r->kind == CNI_READ_FORWARD && p->d->ops[c->op].group == p->group) {
        value = emit_forward(p, r->content);
    } else {
        value = emit(p, (cni_instr){.kind = CNI_INSTR_LOAD,
                                    .dtype = have,
                                    .ndst = 1,
                                    .access = access_of(p, c->segment, r->view, false),
                                    .op = r->op});
    }
    return emit_cast(p, value, have, want, r->op);
}

static uint16_t select_loop(uint8_t dtype)
{
    const cni_op_info *info = &cni_ops[CNI_OP_SELECT];
    for (uint16_t i = 0; i < info->nloops; i++) {
        if (info->signatures[i].dtypes[1] == dtype) {
            return (uint16_t)(info->first_loop + i);
        }
    }
    return 0;
}

/* Under a mask, the old value elsewhere. */
static uint16_t emit_mask(program *p, const cni_draft_op *x, uint16_t value, uint8_t dtype)
{
    if ((x->op->flags & CNI_FLAG_WHERE) == 0) {
        return value;
    }
    uint16_t mask = emit_read(p, &x->reads[x->op->nout + x->op->nin - 1], CN_BOOL);
    uint16_t old = emit_read(p, &x->reads[CNI_READ_OLD], dtype);
    return emit(p, (cni_instr){.kind = CNI_INSTR_OP,
                               .dtype = dtype,
                               .ndst = 1,
                               .nsrc = 3,
                               .loop = select_loop(dtype),
                               .src = {mask, value, old},
                               .access = CNI_NONE,
                               .op = x->reads[CNI_READ_OLD].op});
}

static bool view_written_by_group(const program *p, uint32_t segment, uint32_t view)
{
    const cni_group *group = &p->d->groups[p->group];
    for (uint32_t i = 0; i < group->nops; i++) {
        const cni_draft_op *x = &p->d->ops[group->ops[i]];
        for (int k = 0; k < x->op->nout; k++) {
            const cni_content *c = &p->d->contents[x->made[k]];
            if (c->segment == segment && c->view == view) {
                return true;
            }
        }
    }
    return false;
}

/* A copied value must not change with the memory it came from. */
static uint16_t emit_own(program *p, const cni_draft_op *x, uint16_t value, uint8_t dtype)
{
    const cni_read *r = &x->reads[1];
    bool loaded = r->kind == CNI_READ_MEMORY ||
                  (r->kind == CNI_READ_FORWARD && p->d->ops[p->d->contents[r->content].op].group != p->group);
    if (!loaded || !view_written_by_group(p, p->d->contents[r->content].segment, r->view)) {
        return value;
    }
    return emit(p, (cni_instr){.kind = CNI_INSTR_MOVE,
                               .dtype = dtype,
                               .ndst = 1,
                               .nsrc = 1,
                               .src = {value},
                               .access = CNI_NONE,
                               .op = r->op});
}

static void emit_result(program *p, const cni_draft_op *x, uint32_t op, int k, uint16_t value, uint8_t have)
{
    const cni_content *c = &p->d->contents[x->made[k]];
    uint8_t dtype = p->d->w->views[c->view].dtype;
    value = emit_cast(p, value, have, dtype, op);
    value = emit_mask(p, x, value, dtype);
    p->contents[x->made[k]] = (computed){p->number, p->origin, value};
    if (c->stored) {
        uint32_t access = access_of(p, c->segment, c->view, true);
        emit(p, (cni_instr){
                    .kind = CNI_INSTR_STORE, .dtype = dtype, .nsrc = 1, .src = {value}, .access = access, .op = op});
    }
}

static void emit_elementwise(program *p, const cni_draft_op *x, uint32_t op)
{
    const cni_op_info *info = &cni_ops[x->op->opcode];
    const uint8_t *dtypes = info->signatures[x->op->loop].dtypes;
    cni_instr instr = {.kind = CNI_INSTR_OP,
                       .dtype = dtypes[info->nin],
                       .ndst = info->nout,
                       .nsrc = info->nin,
                       .loop = (uint16_t)(info->first_loop + x->op->loop),
                       .access = CNI_NONE,
                       .op = op};
    for (int i = 0; i < info->nin; i++) {
        instr.src[i] = emit_read(p, &x->reads[info->nout + i], dtypes[i]);
    }
    uint16_t first = emit(p, instr);
    for (int k = 0; k < info->nout; k++) {
        emit_result(p, x, op, k, (uint16_t)(first + k), dtypes[info->nin + k]);
    }
}

static void emit_op(program *p, uint32_t op)
{
    const cni_draft_op *x = &p->d->ops[op];
    if (x->op->kind == CNI_ELEMENTWISE) {
        emit_elementwise(p, x, op);
    } else if (x->op->kind == CNI_COPY) {
        uint8_t dtype = p->d->w->views[x->op->args[0]].dtype;
        uint16_t value = emit_read(p, &x->reads[1], dtype);
        emit_result(p, x, op, 0, emit_own(p, x, value, dtype), dtype);
    } else {
        const cni_op_info *info = &cni_ops[x->op->opcode];
        const cni_content *c = &p->d->contents[x->made[0]];
        if (!c->stored) { /* later writes cover it */
            return;
        }
        uint8_t dtype = info->signatures[x->op->loop].dtypes[0];
        uint16_t value = emit_read(p, &x->reads[1], dtype);
        emit(p, (cni_instr){.kind = CNI_INSTR_REDUCE,
                            .dtype = dtype,
                            .nsrc = 1,
                            .src = {value},
                            .loop = (uint16_t)(info->first_loop + x->op->loop),
                            .access = access_of(p, c->segment, c->view, true),
                            .op = op});
        p->reduces = true;
    }
}

/* Can the store's value be computed right into memory? Nothing else of the place may be read after that, or stored. */
static bool store_is_direct(const program *p, size_t store)
{
    const cni_instr *s = &p->instr[store];
    size_t made = p->ninstr;
    for (size_t i = 0; i < store; i++) {
        const cni_instr *x = &p->instr[i];
        bool computes = x->kind == CNI_INSTR_OP || x->kind == CNI_INSTR_CAST || x->kind == CNI_INSTR_MOVE;
        for (int k = 0; k < x->ndst; k++) {
            made = x->dst[k] == s->src[0] ? (computes ? i : p->ninstr) : made;
        }
        if (x->kind == CNI_INSTR_STORE && (x->src[0] == s->src[0] || x->access == s->access)) {
            return false;
        }
    }
    if (made == p->ninstr) {
        return false;
    }
    const cni_access *place = &p->access[s->access];
    for (size_t i = 0; i < p->ninstr; i++) {
        const cni_instr *x = &p->instr[i];
        if (x->kind == CNI_INSTR_STORE && i > store && x->access == s->access) {
            return false;
        }
        if (x->kind != CNI_INSTR_LOAD || p->access[x->access].slot != place->slot ||
            p->access[x->access].view != place->view) {
            continue;
        }
        for (size_t j = made + 1; j < p->ninstr; j++) {
            for (int k = 0; k < p->instr[j].nsrc; k++) {
                if (p->instr[j].src[k] == x->dst[0]) {
                    return false;
                }
            }
        }
    }
    return true;
}

/* ---- Parts ---- */

/* The group's part, or that of one box of it. */
static bool part_group(cni_draft *d, uint32_t g, uint32_t box, emission *e, cni_part *out)
{
    cni_group *group = &d->groups[g];
    program p = {.d = d,
                 .group = g,
                 .contents = e->contents,
                 .number = ++e->programs,
                 .split = group->split,
                 .box = box,
                 .origin = CNI_NONE};
    p.cut = group->split != NULL ? cni_split_cut(d, group->split, box) : 0;
    p.no_memory = p.cut == CNI_NONE;
    for (uint32_t i = 0; i < group->nops; i++) {
        if (d->ops[group->ops[i]].shape == group->shape) {
            emit_op(&p, group->ops[i]);
        }
    }
    for (size_t i = 0; i < p.ninstr && !p.no_memory; i++) {
        if (p.instr[i].kind == CNI_INSTR_STORE) {
            p.instr[i].direct = store_is_direct(&p, i);
        }
    }
    cni_arena *arena = &d->plan->arena;
    *out = (cni_part){.kind = CNI_PART_GROUP,
                      .reduces = p.reduces,
                      .naccess = (uint32_t)p.naccess,
                      .ninstr = (uint32_t)p.ninstr,
                      .nregister = p.nregister,
                      .nops = group->nops};
    out->shape = group->split != NULL ? (uint32_t)d->w->nshapes + p.cut : group->shape;
    out->access = cni_arena_copy(arena, p.access, p.naccess * sizeof *p.access);
    out->instr = cni_arena_copy(arena, p.instr, p.ninstr * sizeof *p.instr);
    out->ops = cni_arena_copy(arena, group->ops, group->nops * sizeof *group->ops);
    cni_free(p.access);
    cni_free(p.instr);
    return !p.no_memory && out->access != NULL && out->instr != NULL && out->ops != NULL;
}

static bool part_library(cni_draft *d, uint32_t g, cni_part *out)
{
    const cni_draft_op *x = &d->ops[d->groups[g].ops[0]];
    cni_access access[CNI_OP_ARGS];
    int n = x->op->nout + x->op->nin;
    for (int i = 0; i < n; i++) {
        uint32_t content = i < x->op->nout ? x->made[i] : x->reads[i].content;
        bool memory = i < x->op->nout || x->reads[i].kind == CNI_READ_MEMORY || x->reads[i].kind == CNI_READ_FORWARD;
        access[i] = (cni_access){.slot = memory ? d->segments[d->contents[content].segment].slot : CNI_NONE,
                                 .view = (x->op->args[i] & CNI_SCALAR) != 0 ? CNI_NONE : x->op->args[i],
                                 .written = i < x->op->nout};
    }
    *out = (cni_part){
        .kind = CNI_PART_LIBRARY, .shape = x->shape, .naccess = (uint32_t)n, .op = d->groups[g].ops[0], .nops = 1};
    out->access = cni_arena_copy(&d->plan->arena, access, (size_t)n * sizeof *access);
    out->ops = cni_arena_copy(&d->plan->arena, d->groups[g].ops, sizeof *out->ops);
    return out->access != NULL && out->ops != NULL;
}

static cni_part part_carry(const cni_draft *d, const cni_segment *s)
{
    uint32_t source = s->carry == CNI_PART_CARRY ? d->segments[s->carry_source].slot : s->carry_source;
    return (cni_part){
        .kind = s->carry, .slot = s->slot, .source = source, .base = s->base, .nlist = s->nlist, .list = s->list};
}

/* ---- Slots ---- */

static bool slots_make(cni_draft *d)
{
    for (uint32_t c = 0; c < d->ncontents; c++) {
        const cni_content *content = &d->contents[c];
        if (content->segment != CNI_NONE && content->stored) {
            d->segments[content->segment].used = true;
        }
    }
    for (uint32_t b = 0; b < d->w->nbases; b++) {
        uint32_t segment = d->contents[d->final[b]].segment;
        if (d->s->live[b] && segment != CNI_NONE) {
            d->segments[segment].used = true;
        }
    }
    cni_slot *slots = cni_arena_alloc(&d->plan->arena, (d->nsegments + 1) * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    for (uint32_t s = 0; s < d->nsegments; s++) {
        if (d->segments[s].used) {
            d->segments[s].slot = d->plan->nslots;
            slots[d->plan->nslots++] =
                (cni_slot){.base = d->segments[s].base, .entry = d->segments[s].entry, .first = CNI_NONE};
        }
    }
    d->plan->slots = slots;
    return true;
}

static void slot_touch(cni_slot *slots, uint32_t slot, uint32_t launch)
{
    if (slot != CNI_NONE) {
        slots[slot].first = slots[slot].first == CNI_NONE ? launch : slots[slot].first;
        slots[slot].last = launch;
    }
}

static void slots_lifetimes(const cni_plan *plan, cni_slot *slots)
{
    for (uint32_t l = 0; l < plan->nlaunches; l++) {
        for (uint32_t k = 0; k < plan->launches[l].nparts; k++) {
            const cni_part *part = &plan->launches[l].parts[k];
            for (uint32_t a = 0; a < part->naccess; a++) {
                slot_touch(slots, part->access[a].slot, l);
            }
            if (part->kind == CNI_PART_CARRY) {
                slot_touch(slots, part->source, l);
            }
            if (part->kind == CNI_PART_CARRY || part->kind == CNI_PART_FILL) {
                slot_touch(slots, part->slot, l);
            }
        }
    }
    for (uint32_t i = 0; i < plan->ncommits; i++) {
        cni_slot *slot = &slots[plan->commits[i].slot];
        slot->last = plan->nlaunches;
        slot->first = slot->first == CNI_NONE ? 0 : slot->first;
    }
}

/* The plan's own slots by first and by last launch. */
static bool slots_order(cni_plan *plan)
{
    uint32_t *begins = cni_arena_alloc(&plan->arena, (plan->nslots + 1) * sizeof *begins);
    uint32_t *ends = cni_arena_alloc(&plan->arena, (plan->nslots + 1) * sizeof *ends);
    if (begins == NULL || ends == NULL) {
        return false;
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < plan->nslots; i++) {
        if (plan->slots[i].entry || plan->slots[i].first == CNI_NONE) {
            continue;
        }
        uint32_t at = n, last = n;
        for (; at > 0 && plan->slots[begins[at - 1]].first > plan->slots[i].first; at--) {
            begins[at] = begins[at - 1];
        }
        for (; last > 0 && plan->slots[ends[last - 1]].last > plan->slots[i].last; last--) {
            ends[last] = ends[last - 1];
        }
        begins[at] = ends[last] = i;
        n++;
    }
    plan->begins = begins;
    plan->ends = ends;
    plan->nbegins = n;
    return true;
}

static bool commits_make(cni_draft *d)
{
    cni_commit *commits = cni_arena_alloc(&d->plan->arena, (d->w->nbases + 1) * sizeof *commits);
    if (commits == NULL) {
        return false;
    }
    for (uint32_t b = 0; b < d->w->nbases; b++) {
        uint32_t segment = d->contents[d->final[b]].segment;
        if (!d->s->live[b] || segment == CNI_NONE) {
            continue;
        }
        if (!d->segments[segment].entry || d->segments[segment].base != b) {
            commits[d->plan->ncommits++] = (cni_commit){.base = b, .slot = d->segments[segment].slot};
        }
    }
    d->plan->commits = commits;
    return true;
}

/* ---- Launches ---- */

static bool may_join(const cni_draft *d, uint32_t first, uint32_t g)
{
    for (uint32_t h = first; h < g; h++) {
        if (d->groups[h].library || d->depends[(size_t)g * d->ngroups_most + h]) {
            return false;
        }
    }
    return !d->groups[g].library;
}

static uint32_t carries_of(const cni_draft *d, uint32_t first, uint32_t end, cni_part *parts)
{
    uint32_t n = 0;
    for (uint32_t s = 0; s < d->nsegments; s++) {
        const cni_segment *segment = &d->segments[s];
        if (segment->carry != 0 && segment->carry_group >= first && segment->carry_group < end && segment->used) {
            if (parts != NULL) {
                parts[n] = part_carry(d, segment);
            }
            n++;
        }
    }
    return n;
}

static uint32_t parts_of(const cni_group *group)
{
    return group->nops == 0 ? 0 /* there for its carry */ : group->split != NULL ? group->split->nboxes : 1;
}

static bool launch_make(cni_draft *d, uint32_t first, uint32_t end, emission *e, cni_launch *out)
{
    uint32_t most = carries_of(d, first, end, NULL);
    for (uint32_t g = first; g < end; g++) {
        most += parts_of(&d->groups[g]);
    }
    cni_part *parts = cni_arena_alloc(&d->plan->arena, (most + 1) * sizeof *parts);
    if (parts == NULL) {
        return false;
    }
    uint32_t nparts = carries_of(d, first, end, parts);
    for (uint32_t g = first; g < end; g++) {
        for (uint32_t box = 0; box < parts_of(&d->groups[g]); box++) {
            cni_part *part = &parts[nparts++];
            if (!(d->groups[g].library ? part_library(d, g, part) : part_group(d, g, box, e, part))) {
                return false;
            }
        }
    }
    *out = (cni_launch){.nparts = nparts, .parts = parts};
    return true;
}

static bool launches_make(cni_draft *d)
{
    cni_launch *launches = cni_arena_alloc(&d->plan->arena, (d->ngroups + 1) * sizeof *launches);
    emission e = {.contents = cni_arena_alloc(&d->arena, (d->ncontents + 1) * sizeof *e.contents)};
    if (launches == NULL || e.contents == NULL) {
        return false;
    }
    d->plan->launches = launches;
    for (uint32_t first = 0, end; first < d->ngroups; first = end) {
        for (end = first + 1; end < d->ngroups && may_join(d, first, end); end++) {
        }
        if (!launch_make(d, first, end, &e, &launches[d->plan->nlaunches])) {
            return false;
        }
        d->plan->nlaunches +=
            launches[d->plan->nlaunches].nparts > 0; /* all of a group may have moved to its readers */
    }
    for (uint32_t g = 0; g < d->ngroups; g++) {
        d->plan->ngroups += d->groups[g].nops > 0;
    }
    return true;
}

cn_status cni_pass_steps(cni_draft *d)
{
    if (!slots_make(d) || !commits_make(d) || !launches_make(d)) {
        return cni_fail_memory(d->nops);
    }
    slots_lifetimes(d->plan, (cni_slot *)d->plan->slots);
    return slots_order(d->plan) ? CN_OK : cni_fail_memory(d->nops);
}
