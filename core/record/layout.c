/* layout.c - see layout.h. */
#include "record/layout.h"

#include <stdlib.h>
#include <string.h>

enum { FINE_UNITS = 64, COARSE_STEP = 8, ROUND_TO = 16, ALIGNMENT = 16 };

/* ---- Cuts ---- */

/* Home dimensions from the slowest to the fastest. */
static int slowest_first(const cni_geometry *home, int *order)
{
    int n = 0;
    for (int d = 0; d < home->ndim; d++) {
        if (home->shape[d] == 1) {
            continue;
        }
        int k = n++;
        for (; k > 0 && home->strides[order[k - 1]] < home->strides[d]; k--) {
            order[k] = order[k - 1];
        }
        order[k] = d;
    }
    return n;
}

cni_layout cni_layout_make(const cni_geometry *home, int64_t nbytes, int places)
{
    int order[CN_MAX_DIMS], n = slowest_first(home, order);
    cni_layout layout = {.nbytes = nbytes, .unit = nbytes, .count = nbytes > 0, .step = 1, .places = places};
    int64_t wanted = 2 * (int64_t)places;
    for (int k = 0; k < n && layout.count < wanted && nbytes > 0; k++) {
        layout.unit = home->strides[order[k]];
        layout.count = nbytes / layout.unit;
    }
    int64_t aligned = ALIGNMENT / cni_gcd(layout.unit > 0 ? layout.unit : ALIGNMENT, ALIGNMENT);
    bool fine = layout.count / places >= FINE_UNITS && aligned < COARSE_STEP;
    layout.step = fine ? COARSE_STEP : aligned;
    return layout;
}

int64_t cni_layout_shared_units(const cni_layout *l)
{
    bool many = l->count / l->places >= FINE_UNITS;
    return many ? (l->count + ROUND_TO / 2) / ROUND_TO * ROUND_TO : l->count;
}

int64_t cni_layout_begin(const cni_layout *l, int place)
{
    if (place >= l->places) {
        return l->nbytes;
    }
    int64_t units = (int64_t)((__int128)cni_layout_shared_units(l) * place / l->places);
    return units / l->step * l->step * l->unit;
}

int cni_layout_owner(const cni_layout *l, int64_t byte)
{
    int low = 0, high = l->places; /* begin(low) <= byte < begin(high) */
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (cni_layout_begin(l, middle) <= byte) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* ---- Ordered views ---- */

static void insert(cni_order *o, const cni_geometry *view, int d)
{
    int64_t stride = view->strides[d] < 0 ? -view->strides[d] : view->strides[d];
    int k = o->n++;
    for (; k > 0 && o->stride[k - 1] < stride; k--) {
        o->dim[k] = o->dim[k - 1];
        o->down[k] = o->down[k - 1];
        o->shape[k] = o->shape[k - 1];
        o->stride[k] = o->stride[k - 1];
    }
    o->dim[k] = d;
    o->down[k] = view->strides[d] < 0;
    o->shape[k] = view->shape[d];
    o->stride[k] = stride;
}

bool cni_geometry_order(const cni_geometry *view, cni_order *o)
{
    *o = (cni_order){.base = view->offset};
    if (view->ndim > CNI_LATTICE_DIMS) {
        return false;
    }
    for (int d = 0; d < view->ndim; d++) {
        if (view->shape[d] > 1 && view->strides[d] != 0) {
            o->base += view->strides[d] < 0 ? view->strides[d] * (view->shape[d] - 1) : 0;
            insert(o, view, d);
        }
    }
    int64_t reach = view->itemsize, count = 1;
    for (int k = o->n - 1; k >= 0; k--) {
        if (o->stride[k] < reach) {
            return false;
        }
        reach += o->stride[k] * (o->shape[k] - 1);
        o->inner[k] = count;
        count *= o->shape[k];
    }
    return true;
}

/* How many elements begin before the byte. */
static int64_t elements_before(const cni_order *o, int64_t byte)
{
    int64_t rest = byte - o->base, count = 0;
    for (int k = 0; k < o->n; k++) {
        if (rest <= 0) {
            return count;
        }
        int64_t i = (rest - 1) / o->stride[k];
        if (i >= o->shape[k]) {
            return count + o->shape[k] * o->inner[k];
        }
        count += i * o->inner[k];
        rest -= i * o->stride[k];
    }
    return count + (rest > 0);
}

/* ---- Ranges as boxes ---- */

typedef struct ranges {
    int ndim, n;
    const int64_t *shape;
    cni_box *boxes;
    cni_box open; /* the digits chosen so far */
} ranges;

static void emit(ranges *r, int d, int64_t start, int64_t stop)
{
    cni_box *box = &r->boxes[r->n++];
    *box = r->open;
    box->start[d] = start;
    box->stop[d] = stop;
    for (int k = d + 1; k < r->ndim; k++) {
        box->start[k] = 0;
        box->stop[k] = r->shape[k];
    }
}

static void split(ranges *r, int d, int64_t from, int64_t to)
{
    if (from >= to) {
        return;
    }
    if (d == r->ndim - 1) {
        emit(r, d, from, to);
        return;
    }
    int64_t inner = 1;
    for (int k = d + 1; k < r->ndim; k++) {
        inner *= r->shape[k];
    }
    int64_t first = from / inner, last = to / inner;
    if (from % inner != 0) {
        int64_t end = (first + 1) * inner < to ? (first + 1) * inner : to;
        r->open.start[d] = first;
        r->open.stop[d] = first + 1;
        split(r, d + 1, from - first * inner, end - first * inner);
        first++;
    }
    if (first < last) {
        emit(r, d, first, last);
    }
    if (to % inner != 0 && last >= first) {
        r->open.start[d] = last;
        r->open.stop[d] = last + 1;
        split(r, d + 1, 0, to - last * inner);
    }
}

int cni_boxes_within(const cni_geometry *home, int64_t low, int64_t high, int n, const cni_box *boxes, cni_box *out)
{
    cni_box within[CNI_CUT_BOXES];
    int nwithin = cni_geometry_cut(home, low, high, within), count = 0;
    for (int i = 0; i < n && nwithin >= 0; i++) {
        for (int k = 0; k < nwithin; k++) {
            cni_box *box = &out[count];
            bool any = true;
            for (int d = 0; d < home->ndim; d++) {
                box->start[d] = boxes[i].start[d] > within[k].start[d] ? boxes[i].start[d] : within[k].start[d];
                box->stop[d] = boxes[i].stop[d] < within[k].stop[d] ? boxes[i].stop[d] : within[k].stop[d];
                any &= box->start[d] < box->stop[d];
            }
            count += any;
        }
    }
    return nwithin >= 0 ? count : -1;
}

int cni_range_boxes(int ndim, const int64_t *shape, int64_t from, int64_t to, cni_box *boxes)
{
    ranges r = {.ndim = ndim, .shape = shape, .boxes = boxes};
    if (from >= to) {
        return 0;
    }
    if (ndim == 0) {
        boxes[0] = r.open;
        return 1;
    }
    split(&r, 0, from, to);
    return r.n;
}

int cni_geometry_cut(const cni_geometry *view, int64_t low, int64_t high, cni_box *boxes)
{
    cni_order o;
    cni_box found[CNI_CUT_BOXES];
    for (int d = 0; d < view->ndim; d++) {
        if (view->shape[d] == 0) {
            return 0;
        }
    }
    if (!cni_geometry_order(view, &o)) {
        return -1;
    }
    int n = cni_range_boxes(o.n, o.shape, elements_before(&o, low), elements_before(&o, high), found);
    for (int i = 0; i < n; i++) {
        for (int d = 0; d < view->ndim; d++) {
            boxes[i].start[d] = 0;
            boxes[i].stop[d] = view->shape[d];
        }
        for (int k = 0; k < o.n; k++) {
            int64_t extent = o.shape[k], start = found[i].start[k], stop = found[i].stop[k];
            boxes[i].start[o.dim[k]] = o.down[k] ? extent - stop : start;
            boxes[i].stop[o.dim[k]] = o.down[k] ? extent - start : stop;
        }
    }
    return n;
}

/* ---- Regions ---- */

/* Behind those that move further in memory: runs of bytes come last, as they are copied best. */
static void add_dim(cni_region *r, int64_t count, int64_t stride)
{
    int d = r->ndim++;
    for (; d > 0 && llabs(r->strides[d - 1]) < llabs(stride); d--) {
        r->shape[d] = r->shape[d - 1];
        r->strides[d] = r->strides[d - 1];
    }
    r->shape[d] = count;
    r->strides[d] = stride;
}

bool cni_region_make(const cni_geometry *view, const cni_box *box, cni_region *out)
{
    *out = (cni_region){.itemsize = view->itemsize, .offset = view->offset};
    for (int d = 0; d < view->ndim; d++) {
        int64_t start = box != NULL ? box->start[d] : 0, count = (box != NULL ? box->stop[d] : view->shape[d]) - start;
        out->offset += start * view->strides[d];
        if (view->strides[d] == 0) {
            count = count > 1 ? 1 : count;
        }
        if (count == 1) {
            continue;
        }
        if (out->ndim == CNI_LATTICE_DIMS) {
            return false;
        }
        add_dim(out, count, view->strides[d]);
    }
    return true;
}

cni_region cni_region_bytes(int64_t low, int64_t high)
{
    return (cni_region){.ndim = 1, .itemsize = 1, .offset = low, .shape = {high - low}, .strides = {1}};
}

cni_geometry cni_region_geometry(const cni_region *r)
{
    return (cni_geometry){r->ndim, r->itemsize, r->offset, r->shape, r->strides};
}

int64_t cni_region_size(const cni_region *r)
{
    return r->itemsize * cni_element_count(r->ndim, r->shape);
}

typedef struct walk {
    const cni_region *region;
    char *to;
    const char *from;
    bool packs, unpacks; /* that side is contiguous, and moves on */
} walk;

/* One run along the last dimension, beginning at this offset. */
static void walk_run(walk *w, int64_t offset, int64_t count, int64_t stride)
{
    size_t size = (size_t)w->region->itemsize;
    char *to = w->packs ? w->to : w->to + offset;
    const char *from = w->unpacks ? w->from : w->from + offset;
    if (stride == (int64_t)size) {
        memcpy(to, from, (size_t)count * size);
    } else {
        int64_t to_step = w->packs ? (int64_t)size : stride, from_step = w->unpacks ? (int64_t)size : stride;
        for (int64_t i = 0; i < count; i++) {
            memcpy(to + i * to_step, from + i * from_step, size);
        }
    }
    w->to += w->packs ? count * (int64_t)size : 0;
    w->from += w->unpacks ? count * (int64_t)size : 0;
}

static void walk_dims(walk *w, int d, int64_t offset)
{
    const cni_region *r = w->region;
    if (d >= r->ndim - 1) {
        walk_run(w, offset, r->ndim > 0 ? r->shape[d] : 1, r->ndim > 0 ? r->strides[d] : r->itemsize);
        return;
    }
    for (int64_t i = 0; i < r->shape[d]; i++) {
        walk_dims(w, d + 1, offset + i * r->strides[d]);
    }
}

void cni_region_copy(const cni_region *region, char *to, const char *from)
{
    walk_dims(&(walk){.region = region, .to = to, .from = from}, 0, region->offset);
}

void cni_region_pack(const cni_region *region, char *packed, const char *from)
{
    walk_dims(&(walk){.region = region, .to = packed, .from = from, .packs = true}, 0, region->offset);
}

void cni_region_unpack(const cni_region *region, char *to, const char *packed)
{
    walk_dims(&(walk){.region = region, .to = to, .from = packed, .unpacks = true}, 0, region->offset);
}
