/*
 * library_share.c - how ops of library.def are shared out: the last column of their rows, by name.
 *
 * The work of an op has axes of its own, and each dimension of an operand follows one of them or none. Places take boxes
 * of the work: such that what they own of the result, or of the largest operand, is theirs. Of a dimension that follows no
 * axis every place that works needs all.
 */
#include "plan/library_share.h"

#include "plan/chain.h"

#include <string.h>

enum { NO_AXIS = -1 };

typedef struct work_axes {
    int n;
    int64_t extent[CNI_LATTICE_DIMS];
    int8_t follows[CNI_OP_ARGS][CNI_LATTICE_DIMS]; /* by operand, by dimension */
    bool uncut[CNI_LATTICE_DIMS];                  /* axes that only a chain goes along piece by piece */
    int way;                                       /* the first of them, NO_AXIS: none */
    bool joint;                                    /* moved by the op itself: */
    uint8_t dynamic;                               /* bits of operands */
    bool as_result;                                /* and places do what they own of the result, all the same */
    int ordered;                                   /* shares must follow each other in this operand (less 1) */
    bool evenly;                                   /* where layouts do not help, the longest axis is cut evenly */
} work_axes;

typedef struct operands {
    const cni_op *op;
    int n;
    cni_geometry g[CNI_OP_ARGS]; /* of those that are arrays */
    bool array[CNI_OP_ARGS], spread[CNI_OP_ARGS];
    const cni_layout *layout[CNI_OP_ARGS];
    int places;
} operands;

static int64_t bytes_of(const cni_geometry *g)
{
    return g->itemsize * cni_element_count(g->ndim, g->shape);
}

/* ---- Rows of the table: which axes operands follow; false: the op stays at the root ---- */

/* The work's axes are an operand's. */
static void axes_of(const operands *o, int operand, work_axes *axes)
{
    axes->n = o->g[operand].ndim;
    memcpy(axes->extent, o->g[operand].shape, (size_t)axes->n * sizeof *axes->extent);
}

static void follow(work_axes *axes, int operand, int dim, int axis)
{
    axes->follows[operand][dim] = (int8_t)axis;
}

static bool share_each(const operands *o, work_axes *axes)
{
    for (int d = 0; d < o->g[0].ndim; d++) {
        follow(axes, 0, d, d);
    }
    return true;
}

/* Operands of the result's dimensions, each as the result; the op goes along one axis, or all. */
static bool share_lines(const operands *o, work_axes *axes)
{
    bool all = o->op->parameter == CNI_FIRST_AXIS_ALL;
    axes->evenly = true;
    for (int k = 0; k < o->n; k++) {
        for (int d = 0; d < axes->n && o->array[k] && o->g[k].ndim == axes->n; d++) {
            follow(axes, k, d, d);
        }
    }
    for (int d = axes->n - 1; d >= 0; d--) {
        axes->uncut[d] = all || d == o->op->parameter;
        axes->way = axes->uncut[d] && (axes->way == NO_AXIS || axes->extent[d] > 1) ? d : axes->way;
    }
    return axes->way != NO_AXIS;
}

/* Lines, but that a single one is done together: each place has a piece of the input, and gets one of the result. */
static bool share_sorted(const operands *o, work_axes *axes)
{
    int64_t length = o->g[0].shape[o->op->parameter];
    if (bytes_of(&o->g[0]) == length * o->g[0].itemsize && o->spread[0]) {
        for (int k = 0; k < 2; k++) {
            for (int d = 0; d < axes->n; d++) {
                follow(axes, k, d, d);
            }
        }
        axes->joint = axes->as_result = true;
        axes->dynamic = 1;
        return true;
    }
    return share_lines(o, axes);
}

/* The ranks of a partition are of no axis, although they may have as many dimensions as what is partitioned. */
static bool share_ranks(const operands *o, work_axes *axes)
{
    bool may = share_sorted(o, axes);
    follow(axes, 2, 0, NO_AXIS);
    return may;
}

/* As lines; but what is reduced has the axis last. */
static bool share_segments(const operands *o, work_axes *axes)
{
    int along = o->op->parameter;
    axes->evenly = true;
    axes->uncut[along] = true;
    for (int d = 0; d < axes->n; d++) {
        follow(axes, 0, d, d);
        if (d != along) {
            follow(axes, 1, d < along ? d : d - 1, d);
        }
    }
    return true;
}

/* A table of the numbers that operands have, which follow each other. */
static bool share_numbers(const operands *o, work_axes *axes)
{
    axes_of(o, 1, axes);
    for (int k = 1; k < o->n; k++) {
        follow(axes, k, 0, 0);
    }
    axes->uncut[0] = true;
    axes->way = 0;
    return true;
}

static bool share_search(const operands *o, work_axes *axes)
{
    (void)o;
    for (int d = 0; d < axes->n; d++) {
        follow(axes, 0, d, d);
        follow(axes, 2, d, d);
    }
    return true;
}

static bool share_matrix(const operands *o, work_axes *axes)
{
    int a = o->g[1].ndim, b = o->g[2].ndim, n = axes->n - (a > 1) - (b > 1);
    for (int d = 0; d < axes->n; d++) {
        follow(axes, 0, d, d);
    }
    for (int d = 0; d < n; d++) { /* batches, from the last */
        if (a > 2 + d) {
            follow(axes, 1, a - 3 - d, n - 1 - d);
        }
        if (b > 2 + d) {
            follow(axes, 2, b - 3 - d, n - 1 - d);
        }
    }
    if (a > 1) {
        follow(axes, 1, a - 2, n);
    }
    if (b > 1) {
        follow(axes, 2, b - 1, axes->n - 1);
    }
    if (axes->n < CNI_LATTICE_DIMS) { /* what is summed over */
        int axis = axes->n++;
        axes->extent[axis] = o->g[1].shape[a - 1];
        axes->uncut[axis] = true;
        axes->way = axis;
        follow(axes, 1, a - 1, axis);
        follow(axes, 2, b > 1 ? b - 2 : 0, axis);
    }
    return true;
}

static bool dense_from(const cni_geometry *g, int first)
{
    return cni_is_contiguous(g->ndim - first, g->shape + first, g->strides + first, g->itemsize, false);
}

int64_t cni_row_piece(const cni_geometry *g, int nindex, const cni_layout *l)
{
    int64_t count = cni_element_count(g->ndim - nindex, g->shape + nindex), row = g->itemsize * count;
    int64_t step = nindex > 0 ? g->strides[nindex - 1] : row;
    bool even = dense_from(g, nindex);
    for (int d = 0; d < nindex - 1; d++) {
        even &= g->strides[d] == g->strides[d + 1] * g->shape[d + 1];
    }
    if (l == NULL || !even) {
        return even ? count : 0;
    }
    int64_t low, high, apart = cni_gcd(l->step * l->unit, step);
    cni_geometry_range(g, &low, &high);
    if (cni_layout_owner(l, low) == cni_layout_owner(l, high - 1) || (step >= row && low % apart + row <= apart)) {
        return count;
    }
    int64_t piece = cni_gcd(cni_gcd(l->step * l->unit, row), low);
    return step == row && piece % g->itemsize == 0 ? piece / g->itemsize : 0;
}

/* Rows by index (first operand of the work: w, the indices: i), an array of them that places have rows of: a. */
static bool share_indexed(const operands *o, work_axes *axes, int w, int i, int a)
{
    int nindex = o->op->parameter, before = o->g[i].ndim;
    axes_of(o, w, axes);
    for (int d = 0; d < axes->n; d++) {
        follow(axes, w, d, d);
    }
    for (int d = 0; d < before; d++) {
        follow(axes, i, d, d);
    }
    bool rows = o->spread[a] && o->g[a].strides[nindex - 1] > 0 && cni_row_piece(&o->g[a], nindex, o->layout[a]) > 0;
    axes->joint = rows && dense_from(&o->g[w], before);
    axes->dynamic = (uint8_t)(1 << a);
    int64_t row = cni_element_count(o->g[a].ndim - nindex, o->g[a].shape + nindex);
    bool cut = o->g[a].strides[nindex - 1] == row * o->g[a].itemsize && o->spread[w] &&
               cni_row_piece(&o->g[w], before, o->layout[w]) > 0; /* places do what they own of rows */
    for (int d = before; d < axes->n; d++) {
        axes->uncut[d] = axes->joint && !cut;
    }
    return true;
}

/* Of a small array every place has all; else the rows that are asked for are sent. */
static bool share_rows(const operands *o, work_axes *axes)
{
    int nindex = o->op->parameter, before = o->g[2].ndim;
    share_indexed(o, axes, 0, 2, 1);
    if (!o->spread[1] || bytes_of(&o->g[1]) <= bytes_of(&o->g[2]) / o->places) {
        axes->joint = false;
        memset(axes->uncut, 0, sizeof axes->uncut);
        for (int d = nindex; d < o->g[1].ndim; d++) {
            follow(axes, 1, d, before + d - nindex);
        }
        return true;
    }
    return axes->joint;
}

static bool share_puts(const operands *o, work_axes *axes)
{
    share_indexed(o, axes, 2, 1, 0);
    return axes->joint;
}

/* Puts that each find what the ones before left. An op of one operand has indices alone. */
static bool share_applied(const operands *o, work_axes *axes)
{
    share_indexed(o, axes, o->n > 2 ? 2 : 1, 1, 0);
    axes->ordered = o->n > 2 ? 3 : 2;
    return axes->joint;
}

/* What is selected of elements goes to where its number belongs. */
static bool share_selected(const operands *o, work_axes *axes)
{
    axes_of(o, 1, axes);
    bool same = o->n < 3 || (o->g[2].ndim == axes->n && dense_from(&o->g[2], 0) &&
                             memcmp(o->g[2].shape, axes->extent, (size_t)axes->n * sizeof *axes->extent) == 0);
    for (int k = 1; k < o->n; k++) {
        for (int d = 0; d < axes->n && same; d++) {
            follow(axes, k, d, d);
        }
    }
    axes->joint = true;
    axes->dynamic = 1;
    return same && o->spread[1] && dense_from(&o->g[1], 0) && dense_from(&o->g[0], 0);
}

typedef bool (*share_row)(const operands *o, work_axes *axes);
static const share_row rows[CNI_KIND_COUNT] = {
#define CN_LIBRARY(id, name, scratch, share, chain) [CNI_##id] = share_##share,
#include "op/library.def"
#undef CN_LIBRARY
};

/* ---- Boxes ---- */

typedef struct sharing {
    cni_partitioning *p;
    const cni_part *part;
    operands o;
    work_axes axes;
    cni_shared_part *out;
    cni_share *shares;
} sharing;

/* What the box of the work is of an operand. */
static cni_box box_of_operand(const sharing *s, int k, const cni_box *work)
{
    cni_box box = {{0}, {0}};
    for (int d = 0; s->o.array[k] && d < s->o.g[k].ndim; d++) {
        int axis = s->axes.follows[k][d];
        bool whole = axis == NO_AXIS || s->o.g[k].shape[d] != s->axes.extent[axis]; /* or broadcast */
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
        if (axis != NO_AXIS && s->o.g[k].shape[d] == s->axes.extent[axis] && !s->axes.uncut[axis]) {
            work->start[axis] = box->start[d];
            work->stop[axis] = box->stop[d];
        } else if (box->start[d] != 0 || box->stop[d] != s->o.g[k].shape[d]) {
            return false;
        }
    }
    return true;
}

static bool share_add(sharing *s, int place, int n, const cni_box *work)
{
    cni_box *boxes = cni_arena_alloc(s->p->arena, (size_t)(n * s->o.n) * sizeof *boxes);
    if (boxes == NULL) {
        return false;
    }
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < s->o.n; k++) {
            boxes[i * s->o.n + k] = box_of_operand(s, k, &work[i]);
        }
    }
    s->shares[s->out->nshares++] =
        (cni_share){.place = place, .nboxes = n, .boxes = boxes, .naccess = (uint32_t)s->o.n};
    return true;
}

/* By who owns what of an operand. */
static bool by_owners(sharing *s, int k, bool *fits)
{
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
    return true;
}

/* The longest axis that something follows, as much for each place. */
static bool evenly(sharing *s, bool *fits)
{
    int longest = NO_AXIS;
    cni_box work;
    for (int d = 0; d < s->o.g[0].ndim; d++) {
        int axis = s->axes.follows[0][d];
        if (axis != NO_AXIS && !s->axes.uncut[axis] &&
            (longest == NO_AXIS || s->axes.extent[axis] > s->axes.extent[longest])) {
            longest = axis;
        }
    }
    *fits = longest != NO_AXIS && s->axes.extent[longest] > 1;
    s->out->nshares = 0;
    for (int axis = 0; axis < s->axes.n; axis++) {
        work.start[axis] = 0;
        work.stop[axis] = s->axes.extent[axis];
    }
    for (int place = 0; place < s->p->places && *fits; place++) {
        work.start[longest] = s->axes.extent[longest] * place / s->p->places;
        work.stop[longest] = s->axes.extent[longest] * (place + 1) / s->p->places;
        if (work.start[longest] < work.stop[longest] && !share_add(s, place, 1, &work)) {
            return false;
        }
    }
    return true;
}

/* ---- Whose layout ---- */

static bool is_empty(const cni_partitioning *p, const cni_access *access)
{
    cni_geometry g = cni_window_geometry(p->w, access->view);
    return cni_element_count(g.ndim, g.shape) == 0;
}

static bool operands_of(const cni_partitioning *p, const cni_part *part, operands *o)
{
    *o = (operands){.op = &p->w->ops[part->op], .n = (int)part->naccess, .places = p->places};
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
static int next_candidate(const operands *o, const bool *tried)
{
    int best = -1;
    for (int k = 0; k < o->n; k++) {
        if (o->array[k] && o->spread[k] && !tried[k] &&
            (best < 0 || (best > 0 && bytes_of(&o->g[k]) > bytes_of(&o->g[best])))) {
            best = k;
        }
    }
    return best;
}

/* Which of its dimensions goes along the way; NO_AXIS: none. */
static int along_way(const sharing *s, int k)
{
    for (int d = 0; s->o.array[k] && d < s->o.g[k].ndim; d++) {
        if (s->axes.follows[k][d] == s->axes.way && s->o.g[k].strides[d] != 0) {
            return d;
        }
    }
    return NO_AXIS;
}

/* Boxes of the work that a chain has made, as the operands see them. */
static bool boxes_of_operands(sharing *s)
{
    const cni_share *made = s->out->shares;
    uint32_t n = s->out->nshares;
    s->out->shares = s->shares;
    s->out->nshares = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!share_add(s, made[i].place, made[i].nboxes, made[i].boxes)) {
            return false;
        }
        s->shares[i].from = made[i].from;
        s->shares[i].to = made[i].to;
    }
    return true;
}

/* One after the other: by the layout of the largest operand along the way. */
static bool in_a_chain(sharing *s, const cni_chain_rule *rule, bool *fits)
{
    int best = NO_AXIS;
    for (int k = 0; k < s->o.n; k++) {
        if (along_way(s, k) != NO_AXIS && s->o.spread[k] &&
            (best == NO_AXIS || bytes_of(&s->o.g[k]) > bytes_of(&s->o.g[best]))) {
            best = k;
        }
    }
    *fits = best != NO_AXIS;
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
    s->out->at_end = along_way(s, 0) == NO_AXIS;
    return cni_chain_share(s->p, &chain, s->out) && boxes_of_operands(s);
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

/* What the shares of such an op are, with all of the work at the root if it has no better place. */
static bool joint(sharing *s, bool *fits)
{
    cni_box work = {{0}, {0}};
    memcpy(work.stop, s->axes.extent, (size_t)s->axes.n * sizeof *work.stop);
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
    memset(s.axes.follows, NO_AXIS, sizeof s.axes.follows);
    s.axes.way = NO_AXIS;
    axes_of(&s.o, 0, &s.axes);
    if (!rows[s.o.op->kind](&s.o, &s.axes) || next_candidate(&s.o, tried) < 0) {
        return true;
    }
    s.shares = cni_arena_alloc(p->arena, (size_t)p->places * sizeof *s.shares);
    out->kind = CNI_SHARE_BOXES;
    out->shares = s.shares;
    for (int k = 0; k < s.o.n; k++) { /* with a chain, the result is less than what it is made of */
        tried[k] =
            (k == 0 && rule->may && along_way(&s, 0) == NO_AXIS) ||
            (s.axes.joint && !s.axes.as_result && (s.axes.dynamic >> k & 1) != 0);
    }
    for (int k; s.shares != NULL && !*fits && (k = next_candidate(&s.o, tried)) >= 0;) {
        tried[k] = true;
        if (!by_owners(&s, k, fits)) {
            return false;
        }
    }
    if (s.shares != NULL && !*fits && rule->may && !in_a_chain(&s, rule, fits)) {
        return false;
    }
    if (s.shares != NULL && s.axes.joint) {
        return joint(&s, fits);
    }
    return s.shares != NULL && (*fits || !s.axes.evenly || evenly(&s, fits));
}
