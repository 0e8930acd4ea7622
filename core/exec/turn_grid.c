/* turn_grid.c - see turn_grid.h. */
#include "exec/turn_grid.h"

#include <string.h>

#include "exec/costs.h"
#include "exec/part_slots.h"
#include "plan/reduction_axes.h"

/*
 * Boxes have about BOX_BYTES, so that copies take much longer than to begin them, but where there were more than BOXES_MOST
 * of them. Pieces of products are multiples of PRODUCT_UNIT rows or columns where there are many.
 */
#define BOX_BYTES ((int64_t)128 << 20)
enum { BOXES_MOST = 256, PRODUCT_UNIT = 64, PRODUCT_LONG = 1024 };

/* ---- Boxes ---- */

static int64_t unit_of(const cni_turn_grid *g, int axis)
{
    return g->range || g->axes.extent[axis] >= PRODUCT_LONG ? g->unit : 1;
}

static void cut(const cni_turn_grid *g, int axis, int64_t n, int64_t i, cni_box *work)
{
    int64_t extent = g->axes.extent[axis], unit = unit_of(g, axis);
    work->start[axis] = extent / unit * i / n * unit;
    work->stop[axis] = i + 1 < n ? extent / unit * (i + 1) / n * unit : extent;
}

void cni_turn_box(const cni_turn_grid *g, int64_t number, cni_box *work)
{
    for (int d = 0; d < g->axes.n; d++) {
        work->start[d] = 0;
        work->stop[d] = g->axes.extent[d];
    }
    cut(g, g->inner, g->ninner, number % g->ninner, work);
    if (g->outer != CNI_NO_AXIS) {
        cut(g, g->outer, g->nouter, number / g->ninner, work);
    }
}

void cni_turn_operand_box(const cni_turn_grid *g, uint32_t access, const cni_box *work, cni_box *box)
{
    *box = (cni_box){{0}, {0}};
    for (int d = 0; g->operands.array[access] && d < g->operands.g[access].ndim; d++) {
        int axis = g->axes.follows[access][d];
        int64_t extent = g->operands.g[access].shape[d];
        bool whole = axis == CNI_NO_AXIS || extent != g->axes.extent[axis]; /* or broadcast */
        box->start[d] = whole ? 0 : work->start[axis];
        box->stop[d] = whole ? extent : work->stop[axis];
    }
}

/* ---- What boxes have ---- */

static void range_of(const cni_part *part, const cni_window *w, uint32_t slot, const cni_box *work, bool written,
                     int64_t *low, int64_t *high)
{
    *low = INT64_MAX;
    *high = 0;
    for (uint32_t a = 0; a < part->naccess; a++) {
        if (part->access[a].slot != slot || (written && !part->access[a].written)) {
            continue;
        }
        cni_geometry view = cni_window_geometry(w, part->access[a].view);
        int64_t shape[CNI_LATTICE_DIMS], from, to;
        for (int d = 0; d < view.ndim; d++) {
            shape[d] = work->stop[d] - work->start[d];
            view.offset += work->start[d] * view.strides[d];
        }
        view.shape = shape;
        cni_geometry_range(&view, &from, &to);
        *low = from < *low ? from : *low;
        *high = to > *high ? to : *high;
    }
}

void cni_turn_region(const cni_turn_grid *g, const cni_part *part, const cni_window *w, uint32_t area,
                     const cni_box *work, bool down, cni_region *out)
{
    const cni_turn_area *x = &g->areas[area];
    if (part->kind == CNI_PART_LIBRARY) {
        cni_box box;
        cni_geometry view = cni_window_geometry(w, part->access[x->access].view);
        cni_turn_operand_box(g, x->access, work, &box);
        cni_region_make(&view, &box, out);
        return;
    }
    int64_t low, high;
    range_of(part, w, x->slot, work, down, &low, &high);
    *out = cni_region_bytes(low, high);
}

/* Is all that the box has of the range of what it writes written? */
static bool fills(const cni_part *part, const cni_window *w, uint32_t slot, const cni_box *work)
{
    int64_t low, high, written = 0;
    int count = 0;
    range_of(part, w, slot, work, true, &low, &high);
    for (uint32_t a = 0; a < part->naccess; a++) {
        if (part->access[a].slot == slot && part->access[a].written) {
            cni_geometry view = cni_window_geometry(w, part->access[a].view);
            written = view.itemsize;
            for (int d = 0; d < view.ndim; d++) {
                written *= view.strides[d] == 0 ? 1 : work->stop[d] - work->start[d];
            }
            count++;
        }
    }
    return count == 1 && written == high - low;
}

static bool same_region(const cni_region *a, const cni_region *b)
{
    size_t n = (size_t)a->ndim * sizeof *a->shape;
    return a->offset == b->offset && a->ndim == b->ndim && memcmp(a->shape, b->shape, n) == 0 &&
           memcmp(a->strides, b->strides, n) == 0;
}

/* ---- Areas ---- */

static bool add_area(cni_turn_grid *g, cni_turn_area area)
{
    if (g->nareas == CNI_TURN_AREAS) {
        return false;
    }
    g->areas[g->nareas++] = area;
    return true;
}

static bool group_areas(cni_turn_grid *g, const cni_part *part, const cni_window *w)
{
    for (uint32_t a = 0; a < part->naccess; a++) {
        const cni_access *access = &part->access[a];
        uint32_t k = 0;
        if (g->range && cni_part_reduces_into(part, a)) {
            continue;
        }
        if (access->slot == CNI_NONE || w->views[access->view].shape != part->shape) {
            return false;
        }
        while (k < g->nareas && g->areas[k].slot != access->slot) {
            k++;
        }
        if (k == g->nareas && !add_area(g, (cni_turn_area){.slot = access->slot})) {
            return false;
        }
        g->areas[k].up |= !access->written;
        g->areas[k].down |= access->written;
    }
    return g->nareas > 0;
}

static bool library_areas(cni_turn_grid *g, const cni_part *part)
{
    for (uint32_t a = 0; a < part->naccess; a++) {
        bool down = part->access[a].written;
        cni_turn_area area = {.slot = part->access[a].slot, .access = a, .up = !down, .down = down};
        if (g->operands.array[a] && !add_area(g, area)) {
            return false;
        }
    }
    return g->nareas > 0;
}

/* ---- Axes along which there may be cuts, slowest first ---- */

static bool folds(const cni_part *part, const cni_window *w, int dim)
{
    for (uint32_t a = 0; a < part->naccess; a++) {
        if (cni_part_reduces_into(part, a)) {
            cni_geometry out = cni_window_geometry(w, part->access[a].view);
            if (out.strides[dim] == 0) {
                return true;
            }
        }
    }
    return false;
}

/* Where all axes are reduced, boxes are ranges of the elements in the order in which they are taken. */
static bool find_range(cni_turn_grid *g, const cni_part *part, const cni_window *w, int64_t quantum, int *found)
{
    int order[CN_MAX_DIMS], n = 0;
    int64_t behind = 1;
    cni_part_axes(w, part, order);
    for (int k = g->axes.n - 1; k >= 0; k--) {
        int d = order[k];
        if (g->axes.extent[d] > 1) {
            behind *= n > 0 ? g->axes.extent[*found] : 1;
            *found = d;
            n++;
        }
        if (g->axes.extent[d] > 1 && !folds(part, w, d)) {
            return false;
        }
    }
    g->range = n > 0 && quantum > 0;
    g->unit = g->range ? quantum / cni_gcd(quantum, behind) : 1;
    return g->range;
}

/* As what is written lies, or what is reduced: so that what a box has of arrays that lie alike is little. */
static int group_axes(cni_turn_grid *g, const cni_part *part, const cni_window *w, int64_t quantum, int *found)
{
    const cni_shape_entry *shape = &w->shapes[part->shape];
    uint32_t primary = CNI_NONE;
    if (shape->ndim > CNI_LATTICE_DIMS) {
        return 0;
    }
    for (uint32_t a = 0; a < part->naccess; a++) {
        primary = part->access[a].written != part->reduces && primary == CNI_NONE ? a : primary;
    }
    g->axes.n = shape->ndim;
    memcpy(g->axes.extent, w->geometry + shape->geometry, shape->ndim * sizeof *g->axes.extent);
    cni_order order;
    cni_geometry view;
    if (part->reduces && find_range(g, part, w, quantum, found)) {
        return 1;
    }
    if (primary != CNI_NONE) {
        view = cni_window_geometry(w, part->access[primary].view);
    }
    if (primary == CNI_NONE || !cni_geometry_order(&view, &order)) {
        return 0;
    }
    int n = 0;
    for (int k = 0; k < order.n && !(part->reduces && folds(part, w, order.dim[k])); k++) {
        found[n] = order.dim[k];
        n += g->axes.extent[found[n]] > 1;
    }
    return n;
}

static bool operands_make(cni_operands *o, const cni_part *part, const cni_window *w)
{
    *o = (cni_operands){.op = &w->ops[part->op], .n = (int)part->naccess, .places = 1};
    for (int k = 0; k < o->n; k++) {
        const cni_access *access = &part->access[k];
        o->array[k] = access->slot != CNI_NONE && access->view != CNI_NONE;
        if (!o->array[k]) {
            return false;
        }
        o->g[k] = cni_window_geometry(w, access->view);
        if (o->g[k].ndim > CNI_LATTICE_DIMS || cni_element_count(o->g[k].ndim, o->g[k].shape) == 0) {
            return false;
        }
    }
    return true;
}

static int library_axes(cni_turn_grid *g, const cni_part *part, const cni_window *w, int *found)
{
    int n = 0;
    if (!operands_make(&g->operands, part, w) || !cni_library_axes(&g->operands, &g->axes) || g->axes.joint) {
        return 0;
    }
    for (int axis = 0; axis < g->axes.n; axis++) {
        found[n] = axis;
        n += !g->axes.uncut[axis] && g->axes.extent[axis] > 1;
    }
    return n;
}

/* ---- How many ---- */

typedef struct maker {
    cni_turn_grid *g;
    const cni_part *part;
    const cni_window *w;
    int64_t room;
    int naxes, axes[CNI_LATTICE_DIMS];
} maker;

/* What boxes write lies apart, one behind the other or before it: so none takes old values of another's back. */
static bool apart(const cni_region *last, const cni_region *now, int *direction)
{
    int64_t behind = last->offset + cni_region_size(last), end = now->offset + cni_region_size(now);
    int found = now->offset >= behind ? 1 : end <= last->offset ? -1 : 0;
    bool fine = found != 0 && (*direction == 0 || *direction == found);
    *direction = found;
    return fine;
}

/* Sizes of areas with these pieces, and what moves. False: they cannot be. */
static bool measure(const maker *m)
{
    cni_turn_grid *g = m->g;
    cni_region last[CNI_TURN_AREAS], written[CNI_TURN_AREAS];
    int direction[CNI_TURN_AREAS] = {0};
    bool group = m->part->kind == CNI_PART_GROUP;
    g->boxes = g->ninner * g->nouter;
    g->up_bytes = g->down_bytes = 0;
    for (uint32_t k = 0; k < g->nareas; k++) {
        g->areas[k].nbytes = 0;
        g->areas[k].stays = !g->areas[k].down;
    }
    for (int64_t i = 0; i < g->boxes; i++) {
        cni_box work;
        cni_turn_box(g, i, &work);
        for (uint32_t k = 0; k < g->nareas; k++) {
            cni_turn_area *x = &g->areas[k];
            cni_region now;
            cni_turn_region(g, m->part, m->w, k, &work, false, &now);
            int64_t size = cni_region_size(&now) + (group ? CNI_TURN_ALIGNMENT : 0);
            bool same = i > 0 && same_region(&last[k], &now);
            x->stays &= same || i % g->ninner == 0;
            x->nbytes = size > x->nbytes ? size : x->nbytes;
            g->up_bytes += x->up && !same ? cni_region_size(&now) : 0;
            last[k] = now;
            if (!x->down) {
                continue;
            }
            cni_turn_region(g, m->part, m->w, k, &work, true, &now);
            if (group && i > 0 && !apart(&written[k], &now, &direction[k])) {
                return false;
            }
            written[k] = now;
            x->up |= group && !fills(m->part, m->w, x->slot, &work);
            g->down_bytes += cni_region_size(&now);
        }
    }
    return true;
}

static int64_t bytes_of(const cni_turn_grid *g, bool stays)
{
    int64_t sum = 0;
    for (uint32_t k = 0; k < g->nareas; k++) {
        sum += g->areas[k].stays == stays ? cni_turn_aligned(g->areas[k].nbytes) : 0;
    }
    return sum;
}

/* At least two rows of what is reduced: the order of a sum follows from the axes that have a length. */
static int64_t most_pieces(const maker *m, int axis)
{
    return m->g->axes.extent[axis] / unit_of(m->g, axis) / (m->part->reduces && !m->g->range ? 2 : 1);
}

static int64_t most_stays(const maker *m)
{
    return m->room / 4 * 3;
}

/* What stays for boxes along the inner axis takes most of the room: then what moves moves seldom. */
static bool outer_fits(const maker *m)
{
    cni_turn_grid *g = m->g;
    int last = m->axes[m->naxes - 1];
    g->ninner = most_pieces(m, g->inner) > 1 ? 2 : 1; /* of one box everything stays */
    if (!measure(m)) {
        return false;
    }
    if (bytes_of(g, true) <= most_stays(m)) {
        return true;
    }
    if (g->outer != CNI_NO_AXIS || last == g->inner) {
        return false;
    }
    g->outer = last;
    while (bytes_of(g, true) > most_stays(m)) {
        int64_t wanted = (bytes_of(g, true) + most_stays(m) - 1) / (most_stays(m)) * g->nouter;
        g->nouter = wanted > g->nouter ? wanted : g->nouter + 1;
        if (g->nouter > most_pieces(m, last) || g->nouter > BOXES_MOST || !measure(m)) {
            return false;
        }
    }
    return true;
}

/* The next number of pieces to try; 0: there is none. */
static int64_t more(int64_t pieces, int64_t most)
{
    return pieces == most ? 0 : 2 * pieces < most ? 2 * pieces : most;
}

static bool fits(const maker *m)
{
    cni_turn_grid *g = m->g;
    if (!outer_fits(m)) {
        return false;
    }
    int64_t most = most_pieces(m, g->inner), wanted = bytes_of(g, false) / BOX_BYTES;
    most = most < BOXES_MOST / g->nouter ? most : BOXES_MOST / g->nouter;
    for (g->ninner = wanted < 1 ? 1 : wanted < most ? wanted : most; g->ninner > 0; g->ninner = more(g->ninner, most)) {
        if (!measure(m)) {
            return false;
        }
        if (bytes_of(g, true) + CNI_TURN_LANES * bytes_of(g, false) <= m->room) {
            return true;
        }
    }
    return false;
}

bool cni_turn_grid_make(const cni_part *part, const cni_window *w, int64_t room, int64_t quantum, cni_turn_grid *g)
{
    maker m = {.g = g, .part = part, .w = w, .room = room};
    bool product = cni_part_multiplications(part, w) > 0;
    *g = (cni_turn_grid){.unit = product ? PRODUCT_UNIT : 1};
    if (part->kind == CNI_PART_GROUP) {
        m.naxes = group_axes(g, part, w, quantum, m.axes);
    } else if (part->kind == CNI_PART_LIBRARY) {
        m.naxes = library_axes(g, part, w, m.axes);
    }
    bool known = m.naxes > 0 && (part->kind == CNI_PART_GROUP ? group_areas(g, part, w) : library_areas(g, part));
    for (int k = 0; k < 2 && k < m.naxes && known; k++) { /* a slowest axis that is short is cut up */
        g->inner = m.axes[k];
        g->outer = k > 0 ? m.axes[0] : CNI_NO_AXIS;
        g->nouter = k > 0 ? most_pieces(&m, m.axes[0]) : 1;
        if (g->nouter > 0 && g->nouter <= BOXES_MOST && fits(&m)) {
            return true;
        }
    }
    return false;
}
