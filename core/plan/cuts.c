/* cuts.c - see cuts.h. */
#include "plan/cuts.h"

#include <string.h>

#include "plan/chain.h"
#include "plan/reduction_axes.h"

/* ---- Rows ---- */

/* Bytes of the smallest place but the first and last that have some. */
static int64_t least_bytes(const cni_layout *l)
{
    return l->count / l->places / l->step * l->step * l->unit;
}

/* From a row's first element to its last, both beginning there. */
static int64_t row_reach(const cni_order *o)
{
    int64_t reach = 0;
    for (int k = 1; k < o->n; k++) {
        reach += o->stride[k] * (o->shape[k] - 1);
    }
    return reach;
}

static int64_t last_element(const cni_order *o)
{
    return o->n > 0 ? o->base + o->stride[0] * (o->shape[0] - 1) + row_reach(o) : o->base;
}

/* Bytes of which all borders are multiples: places' shares, if those are equal, or the least. */
static int64_t border_bytes(const cni_layout *l)
{
    int64_t shared = cni_layout_shared_units(l), each = shared / l->places;
    return (shared % l->places == 0 && each > 0 && each % l->step == 0 ? each : l->step) * l->unit;
}

/* Is no row cut by a border? */
static bool rows_whole(const cni_layout *l, const cni_order *o)
{
    int64_t apart = cni_gcd(border_bytes(l), o->stride[0]);
    int64_t behind = o->base % apart; /* the row begins so far behind such a border */
    return behind + row_reach(o) < apart;
}

/* Has the place whole rows, none or two and more, or all? */
static bool rows_at(const cni_layout *l, const cni_geometry *view, const cni_order *o, int place)
{
    cni_box boxes[CNI_CUT_BOXES];
    int n = cni_geometry_cut(view, cni_layout_begin(l, place), cni_layout_begin(l, place + 1), boxes);
    if (n != 1) {
        return n == 0;
    }
    for (int k = 0; k < o->n; k++) {
        int64_t count = boxes[0].stop[o->dim[k]] - boxes[0].start[o->dim[k]];
        if (count != o->shape[k] && (k > 0 || count == 1)) {
            return false;
        }
    }
    return true;
}

bool cni_cut_keeps_rows(const cni_layout *l, const cni_geometry *view, const bool *folded)
{
    cni_order o;
    if (!cni_geometry_order(view, &o)) {
        return false;
    }
    int first = cni_layout_owner(l, o.base), last = cni_layout_owner(l, last_element(&o));
    if (first == last) {
        return true;
    }
    bool between = last - first < 2 || least_bytes(l) / o.stride[0] >= 2;
    return between && !folded[o.dim[0]] && rows_whole(l, &o) && rows_at(l, view, &o, first) &&
           rows_at(l, view, &o, last);
}

bool cni_cut_leaves_rows(const cni_layout *l, const cni_geometry *view, int *dim)
{
    cni_order o;
    if (!cni_geometry_order(view, &o) || o.n == 0 || !rows_whole(l, &o)) {
        return false;
    }
    *dim = o.dim[0];
    return true;
}

/* ---- Views cut alike ---- */

/* Are both cut at the same numbers of units? */
static bool same_borders(const cni_layout *x, const cni_layout *y)
{
    return x->places == y->places && x->step == y->step && cni_layout_shared_units(x) == cni_layout_shared_units(y);
}

/* Does a row lie in one unit, and whole units from the next? */
static bool rows_in_units(const cni_layout *l, const cni_order *o)
{
    return o->stride[0] % l->unit == 0 && o->base % l->unit + row_reach(o) < l->unit;
}

static bool same_walk(const cni_order *a, const cni_order *b)
{
    size_t n = (size_t)a->n;
    return a->n == b->n && memcmp(a->dim, b->dim, n * sizeof *a->dim) == 0 &&
           memcmp(a->down, b->down, n * sizeof *a->down) == 0;
}

bool cni_cuts_alike(const cni_layout *x, const cni_geometry *u, const cni_layout *y, const cni_geometry *v)
{
    cni_order a, b;
    if (!cni_geometry_order(u, &a) || !cni_geometry_order(v, &b)) {
        return false;
    }
    int first = cni_layout_owner(x, a.base), last = cni_layout_owner(x, last_element(&a));
    if (first == last || cni_layout_owner(y, b.base) == cni_layout_owner(y, last_element(&b))) {
        return first == last && cni_layout_owner(y, b.base) == first && cni_layout_owner(y, last_element(&b)) == first;
    }
    if (!same_borders(x, y) || !same_walk(&a, &b)) {
        return false;
    }
    if (x->unit == y->unit && a.base == b.base && memcmp(a.stride, b.stride, (size_t)a.n * sizeof *a.stride) == 0) {
        return true;
    }
    return rows_in_units(x, &a) && rows_in_units(y, &b) && a.stride[0] / x->unit == b.stride[0] / y->unit &&
           a.base / x->unit == b.base / y->unit;
}

/* ---- Neighbours ---- */

/* A view over the indices of a part, walked in the order in which the part is cut. */
typedef struct walk {
    int n;
    int64_t extent[CNI_LATTICE_DIMS], stride[CNI_LATTICE_DIMS];
    int64_t low, span; /* bytes of all elements */
    bool gaps;         /* a share may move bytes between its elements too */
} walk;

static int64_t magnitude(int64_t value)
{
    return value < 0 ? -value : value;
}

/* Indices [from, to) whose bytes [at + i stride, ... + span) meet [low, high). */
static void touching(const walk *k, int d, int64_t at, int64_t span, int64_t low, int64_t high, int64_t *from,
                     int64_t *to)
{
    int64_t stride = k->stride[d], extent = k->extent[d];
    if (stride == 0) {
        *from = 0;
        *to = at < high && at + span > low ? extent : 0;
        return;
    }
    int64_t step = magnitude(stride);
    int64_t bottom = stride < 0 ? at + stride * (extent - 1) : at;
    int64_t before = low - span - bottom; /* elements up to here do not reach low */
    int64_t first = before < 0 ? 0 : before / step + 1;
    int64_t end = high <= bottom ? 0 : (high - 1 - bottom) / step + 1;
    end = end < extent ? end : extent;
    *from = stride < 0 ? extent - end : first;
    *to = stride < 0 ? extent - first : end;
}

/* The first, or last, position in the walk that may meet [low, high). False: none does. */
static bool position(const walk *k, int64_t low, int64_t high, bool last, int64_t *index)
{
    int64_t at = k->low, span = k->span, margin = k->gaps && k->n > 0 ? magnitude(k->stride[0]) : 0;
    bool more = true;
    for (int d = 0; d < k->n; d++) {
        int64_t stride = k->stride[d], reach = stride * (k->extent[d] - 1), from = 0, to = 0;
        span -= magnitude(reach);
        at -= reach < 0 ? reach : 0;
        if (more) {
            touching(k, d, at, span, low - margin, high + margin, &from, &to);
            more = from < to;
        }
        if (d == 0 && !more) {
            return false;
        }
        index[d] = more ? (last ? to - 1 : from) : (last ? k->extent[d] - 1 : 0);
        at += index[d] * stride;
        more &= !k->gaps;
    }
    return true;
}

static walk walk_of(const cni_geometry *view)
{
    cni_order order;
    walk k = {.gaps = !cni_geometry_order(view, &order)};
    int64_t high;
    cni_geometry_range(view, &k.low, &high);
    k.span = high - k.low;
    return k;
}

static void walk_dim(walk *k, const cni_geometry *view, int d, bool down)
{
    k->extent[k->n] = view->shape[d];
    k->stride[k->n++] = down ? -view->strides[d] : view->strides[d];
}

/* Bytes of the slot that local places own. */
static bool owned(const cni_partitioning *p, uint32_t slot, int64_t *low, int64_t *high)
{
    const cni_slot_layout *s = &p->slots[slot];
    *low = s->spread ? cni_layout_begin(&s->layout, p->first) : 0;
    *high = s->spread ? cni_layout_begin(&s->layout, p->end) : s->layout.nbytes;
    return *low < *high && (s->spread || p->first == 0);
}

static cni_place_range near_boxes(const cni_partitioning *p, const cni_shared_part *shared, const cni_geometry *view,
                                  int64_t low, int64_t high)
{
    const cni_access *primary = &shared->part->access[shared->primary];
    const cni_layout *layout = &p->slots[primary->slot].layout;
    cni_geometry cut = cni_window_geometry(p->w, primary->view);
    cni_order o;
    int64_t first[CNI_LATTICE_DIMS], last[CNI_LATTICE_DIMS];
    if (!cni_geometry_order(&cut, &o)) {
        return (cni_place_range){0, p->places};
    }
    walk k = walk_of(view);
    for (int i = 0; i < o.n; i++) {
        walk_dim(&k, view, o.dim[i], o.down[i]);
    }
    if (!position(&k, low, high, false, first) || !position(&k, low, high, true, last)) {
        return (cni_place_range){0, 0};
    }
    int64_t from = o.base, to = o.base;
    for (int i = 0; i < o.n; i++) {
        from += first[i] * o.stride[i];
        to += last[i] * o.stride[i];
    }
    return (cni_place_range){cni_layout_owner(layout, from), cni_layout_owner(layout, to) + 1};
}

/* The last place whose reduced elements begin at or before this one. */
static int place_of_reduced(const cni_partitioning *p, const cni_shared_part *shared, int64_t index)
{
    int low = 0, high = p->places;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (cni_range_begin(p, shared, middle) <= index) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static cni_place_range near_range(const cni_partitioning *p, const cni_shared_part *shared, const cni_geometry *view,
                                  int64_t low, int64_t high)
{
    bool folded[CNI_LATTICE_DIMS];
    int64_t first[CNI_LATTICE_DIMS], last[CNI_LATTICE_DIMS], from = 0, to = 0;
    int order[CN_MAX_DIMS];
    cni_part_folds(p, shared->part, folded);
    cni_part_axes(p->w, shared->part, order);
    walk k = walk_of(view);
    for (int i = 0; i < view->ndim; i++) {
        if (folded[order[i]]) {
            walk_dim(&k, view, order[i], false);
        }
    }
    if (!position(&k, low, high, false, first) || !position(&k, low, high, true, last)) {
        return (cni_place_range){0, 0};
    }
    for (int i = 0; i < k.n; i++) {
        from = from * k.extent[i] + first[i];
        to = to * k.extent[i] + last[i];
    }
    return (cni_place_range){place_of_reduced(p, shared, from), place_of_reduced(p, shared, to) + 1};
}

/* ---- Library ops ---- */

/* Of an axis that is cut evenly; the last one has what is left beyond it, too. */
static int64_t pieces_of(const cni_library_cut *cut)
{
    int64_t pieces = cut->extent / cut->quantum;
    return pieces > 1 ? pieces : 1;
}

void cni_library_cut_at(const cni_partitioning *p, const cni_shared_part *shared, int place, int64_t *from, int64_t *to)
{
    const cni_library_cut *cut = shared->cut;
    int64_t pieces = pieces_of(cut), first = pieces * place / p->places, end = pieces * (place + 1) / p->places;
    *from = first < pieces ? first * cut->quantum : cut->extent;
    *to = end < pieces ? end * cut->quantum : cut->extent;
    if (cut->by >= 0) {
        const cni_access *access = &shared->part->access[cut->by];
        const cni_layout *layout = &p->slots[access->slot].layout;
        cni_geometry view = cni_window_geometry(p->w, access->view);
        cni_box own[CNI_CUT_BOXES];
        int n = cni_geometry_cut(&view, cni_layout_begin(layout, place), cni_layout_begin(layout, place + 1), own);
        *from = n > 0 ? own[0].start[cut->follows[cut->by]] : 0;
        *to = n > 0 ? own[0].stop[cut->follows[cut->by]] : 0;
    }
}

/* The place that does this index of the axis. */
static int place_of_index(const cni_partitioning *p, const cni_shared_part *shared, int64_t index)
{
    const cni_library_cut *cut = shared->cut;
    if (cut->by < 0) {
        int64_t pieces = pieces_of(cut), piece = index / cut->quantum < pieces ? index / cut->quantum : pieces - 1;
        return (int)(((piece + 1) * p->places - 1) / pieces);
    }
    const cni_access *access = &shared->part->access[cut->by];
    cni_geometry view = cni_window_geometry(p->w, access->view);
    cni_order o;
    cni_geometry_order(&view, &o);
    int64_t step = o.down[0] ? o.shape[0] - 1 - index : index;
    return cni_layout_owner(&p->slots[access->slot].layout, o.base + step * o.stride[0]);
}

/* Along one dimension, the first and last index of the view's elements in bytes [low, high); false: it has none there. */
static bool positions(const cni_geometry *view, int dim, int64_t low, int64_t high, int64_t *first, int64_t *last)
{
    int64_t begin[CNI_LATTICE_DIMS], end[CNI_LATTICE_DIMS];
    walk k = walk_of(view);
    walk_dim(&k, view, dim, false);
    if (!position(&k, low, high, false, begin) || !position(&k, low, high, true, end)) {
        return false;
    }
    *first = begin[0];
    *last = end[0];
    return true;
}

static cni_place_range near_cut(const cni_partitioning *p, const cni_shared_part *shared, uint32_t access,
                                const cni_geometry *view, int64_t low, int64_t high)
{
    int64_t first, last;
    int dim = shared->cut->follows[access];
    if (dim < 0) {
        return (cni_place_range){0, p->places};
    }
    if (!positions(view, dim, low, high, &first, &last)) {
        return (cni_place_range){0, 0};
    }
    int a = place_of_index(p, shared, first), b = place_of_index(p, shared, last);
    return (cni_place_range){a < b ? a : b, (a < b ? b : a) + 1};
}

static cni_place_range near_chain(const cni_partitioning *p, const cni_shared_part *shared, uint32_t access,
                                  const cni_geometry *view, int64_t low, int64_t high)
{
    const cni_chain_cut *cut = shared->chain;
    int64_t first, last;
    int dim = cut->noperands == 0 ? cut->chain.way : cut->follows[access];
    if (dim < 0) {
        return (cni_place_range){0, p->places};
    }
    if (!positions(view, dim, low, high, &first, &last)) {
        return (cni_place_range){0, 0};
    }
    return (cni_place_range){cni_chain_place(p, cut, first), cni_chain_place(p, cut, last) + 1};
}

cni_place_range cni_places_near(const cni_partitioning *p, const cni_shared_part *shared, uint32_t access)
{
    int64_t low, high;
    cni_geometry view = cni_window_geometry(p->w, shared->part->access[access].view);
    if (!owned(p, shared->part->access[access].slot, &low, &high)) {
        return (cni_place_range){0, 0};
    }
    if (shared->cut != NULL) {
        return near_cut(p, shared, access, &view, low, high);
    }
    switch ((cni_share_kind)shared->kind) {
    case CNI_SHARE_ROOT:
        return (cni_place_range){0, 1};
    case CNI_SHARE_BOXES:
        return near_boxes(p, shared, &view, low, high);
    case CNI_SHARE_RANGE:
        return near_range(p, shared, &view, low, high);
    case CNI_SHARE_CHAIN:
        return near_chain(p, shared, access, &view, low, high);
    default:
        return (cni_place_range){0, p->places};
    }
}

cni_place_range cni_places_near_source(const cni_partitioning *p, const cni_shared_part *shared)
{
    const cni_slot_layout *slot = &p->slots[shared->part->slot];
    int64_t low, high;
    if (!owned(p, shared->part->source, &low, &high)) {
        return (cni_place_range){0, 0};
    }
    if (shared->kind == CNI_SHARE_ROOT) {
        return (cni_place_range){0, 1};
    }
    return (cni_place_range){cni_layout_owner(&slot->layout, low), cni_layout_owner(&slot->layout, high - 1) + 1};
}
