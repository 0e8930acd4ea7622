/* geometry.c - see geometry.h. */
#include "record/geometry.h"

#include <string.h>

#include "base/status.h"

int64_t cni_element_count(int ndim, const int64_t *shape)
{
    int64_t count = 1;
    for (int d = 0; d < ndim; d++) {
        count *= shape[d];
    }
    return count;
}

cn_status cni_shape_check(int ndim, const int64_t *shape, int64_t itemsize, int64_t *nbytes)
{
    if (ndim < 0 || ndim > CN_MAX_DIMS) {
        return cni_fail(CN_ERROR_VALUE, "maximum supported dimension for an ndarray is currently %d, found %d",
                        CN_MAX_DIMS, ndim);
    }
    int64_t total = itemsize;
    bool empty = false;
    for (int d = 0; d < ndim; d++) {
        if (shape[d] < 0) {
            return cni_fail(CN_ERROR_VALUE, "negative dimensions are not allowed");
        }
        if (shape[d] == 0) {
            empty = true;
        } else if (__builtin_mul_overflow(total, shape[d], &total)) {
            return cni_fail(
                CN_ERROR_VALUE,
                "array is too big; `arr.size * arr.dtype.itemsize` is larger than the maximum possible size.");
        }
    }
    *nbytes = empty ? 0 : total;
    return CN_OK;
}

void cni_strides_fill(int ndim, const int64_t *shape, int64_t itemsize, int64_t *strides)
{
    int64_t stride = itemsize;
    for (int d = ndim - 1; d >= 0; d--) {
        strides[d] = stride;
        stride *= shape[d] > 1 ? shape[d] : 1;
    }
}

bool cni_is_contiguous(int ndim, const int64_t *shape, const int64_t *strides, int64_t itemsize, bool fortran)
{
    int64_t expected = itemsize;
    bool contiguous = true;
    for (int k = 0; k < ndim; k++) {
        int d = fortran ? k : ndim - 1 - k;
        if (shape[d] == 0) {
            return true;
        }
        contiguous = contiguous && (shape[d] == 1 || strides[d] == expected);
        expected *= shape[d];
    }
    return contiguous;
}

/* 1: axis a is slower than b, -1: faster; 0: one of them does not move. */
static int slower(const cni_geometry *g, int a, int b)
{
    int64_t x = g->shape[a] == 1 ? 0 : g->strides[a], y = g->shape[b] == 1 ? 0 : g->strides[b];
    x = x < 0 ? -x : x;
    y = y < 0 ? -y : y;
    return x == 0 || y == 0 ? 0 : x >= y ? 1 : -1;
}

void cni_geometry_axes(const cni_geometry *g, int *order)
{
    for (int d = g->ndim - 1, n = 0; d >= 0; d--, n++) { /* behind the axes that it is slower than */
        int *sorted = order + d + 1, at = 0;
        for (int k = 0, known = 0; k < n && known <= 0; k++) {
            known = slower(g, d, sorted[k]);
            at = known < 0 ? k + 1 : at;
        }
        memmove(order + d, sorted, (size_t)at * sizeof *order);
        order[d + at] = d;
    }
}

void cni_geometry_range(const cni_geometry *g, int64_t *low, int64_t *high)
{
    int64_t first = g->offset, last = g->offset + g->itemsize;
    for (int d = 0; d < g->ndim; d++) {
        if (g->shape[d] == 0) {
            *low = *high = g->offset;
            return;
        }
        int64_t reach = g->strides[d] * (g->shape[d] - 1);
        *(reach < 0 ? &first : &last) += reach;
    }
    *low = first;
    *high = last;
}

bool cni_geometry_self_overlap(const cni_geometry *g)
{
    /* Sorted by stride, every dimension must step over all that the faster ones reach. */
    int64_t reach = g->itemsize;
    bool used[CN_MAX_DIMS] = {false};
    for (int k = 0; k < g->ndim; k++) {
        int best = -1;
        int64_t best_stride = INT64_MAX;
        for (int d = 0; d < g->ndim; d++) {
            if (g->shape[d] == 0) {
                return false;
            }
            int64_t stride = g->strides[d] < 0 ? -g->strides[d] : g->strides[d];
            if (!used[d] && g->shape[d] > 1 && stride < best_stride) {
                best = d;
                best_stride = stride;
            }
        }
        if (best < 0) {
            return false;
        }
        used[best] = true;
        if (best_stride < reach) {
            return true;
        }
        reach += best_stride * (g->shape[best] - 1);
    }
    return false;
}

/* Drops extents of one, and merges neighbours that are one run; returns the number of dimensions left. */
static int simplify(const cni_geometry *view, int64_t *shape, int64_t *strides)
{
    int n = 0;
    for (int d = 0; d < view->ndim; d++) {
        if (view->shape[d] == 1 || view->strides[d] == 0) {
            continue;
        }
        shape[n] = view->shape[d];
        strides[n] = view->strides[d];
        n++;
    }
    return n;
}

static int merge_runs(int n, int64_t *shape, int64_t *strides)
{
    int kept = 0;
    for (int d = 0; d < n; d++) {
        if (kept > 0 && strides[kept - 1] == strides[d] * shape[d]) {
            shape[kept - 1] *= shape[d];
            strides[kept - 1] = strides[d];
        } else {
            shape[kept] = shape[d];
            strides[kept] = strides[d];
            kept++;
        }
    }
    return kept;
}

/* The home dimension in which steps of this stride stay; -1: none. */
static int home_dimension(const cni_geometry *home, const bool *taken, int64_t stride, int64_t extent)
{
    int best = -1;
    for (int k = 0; k < home->ndim; k++) {
        if (taken[k] || home->shape[k] <= 1 || stride % home->strides[k] != 0) {
            continue;
        }
        if (stride / home->strides[k] * (extent - 1) < home->shape[k] &&
            (best < 0 || home->strides[k] > home->strides[best])) {
            best = k;
        }
    }
    return best;
}

static bool lattice_place(const cni_geometry *home, int n, const int64_t *shape, const int64_t *strides, int64_t offset,
                          cni_lattice *out)
{
    bool taken[CNI_LATTICE_DIMS] = {false};
    out->ndim = home->ndim;
    for (int k = 0; k < home->ndim; k++) {
        out->step[k] = 1;
        out->count[k] = 1;
    }
    for (int d = 0; d < n; d++) {
        int64_t stride = strides[d] < 0 ? -strides[d] : strides[d];
        offset += strides[d] < 0 ? strides[d] * (shape[d] - 1) : 0;
        int k = home_dimension(home, taken, stride, shape[d]);
        if (k < 0) {
            return false;
        }
        taken[k] = true;
        out->step[k] = stride / home->strides[k];
        out->count[k] = shape[d];
    }
    /* Home dimensions from the slowest to the fastest give the digits of the offset. */
    bool done[CNI_LATTICE_DIMS] = {false};
    for (int i = 0; i < home->ndim; i++) {
        int slowest = -1;
        for (int k = 0; k < home->ndim; k++) {
            if (!done[k] && (slowest < 0 || home->strides[k] > home->strides[slowest] ||
                             (home->strides[k] == home->strides[slowest] && home->shape[k] < home->shape[slowest]))) {
                slowest = k;
            }
        }
        done[slowest] = true;
        out->start[slowest] = home->shape[slowest] > 1 ? offset / home->strides[slowest] : 0;
        offset -= out->start[slowest] * home->strides[slowest];
        int64_t last = out->start[slowest] + out->step[slowest] * (out->count[slowest] - 1);
        if (last >= home->shape[slowest]) {
            return false;
        }
    }
    return offset == 0;
}

/* The commonest case of that, a slice of a vector. */
static bool line_place(const cni_geometry *home, int n, const int64_t *shape, const int64_t *strides, int64_t offset,
                       cni_lattice *out)
{
    int64_t unit = home->strides[0], stride = n == 0 ? unit : strides[0] < 0 ? -strides[0] : strides[0];
    int64_t count = n == 0 ? 1 : shape[0];
    offset += n == 1 && strides[0] < 0 ? strides[0] * (count - 1) : 0;
    out->ndim = 1;
    out->start[0] = home->shape[0] > 1 ? offset / unit : 0;
    out->step[0] = stride == unit ? 1 : stride / unit;
    out->count[0] = count;
    return (n == 0 || home->shape[0] > 1) && offset == out->start[0] * unit && stride == out->step[0] * unit &&
           out->start[0] >= 0 && out->start[0] + out->step[0] * (count - 1) < home->shape[0];
}

bool cni_lattice_make(const cni_geometry *home, const cni_geometry *view, cni_lattice *out)
{
    int64_t shape[CN_MAX_DIMS], strides[CN_MAX_DIMS];
    if (home->ndim > CNI_LATTICE_DIMS || home->itemsize != view->itemsize) {
        return false;
    }
    int n = simplify(view, shape, strides);
    if (home->ndim == 1 && n <= 1) {
        return line_place(home, n, shape, strides, view->offset, out);
    }
    if (lattice_place(home, n, shape, strides, view->offset, out)) {
        return true;
    }
    n = merge_runs(n, shape, strides);
    return lattice_place(home, n, shape, strides, view->offset, out);
}

/* Do start1 + step1*i (count1 of them) and start2 + step2*j (count2) share a number? */
static bool progressions_meet(int64_t start1, int64_t step1, int64_t count1, int64_t start2, int64_t step2,
                              int64_t count2)
{
    int64_t low = start1 > start2 ? start1 : start2;
    int64_t high1 = start1 + step1 * (count1 - 1), high2 = start2 + step2 * (count2 - 1);
    int64_t high = high1 < high2 ? high1 : high2;
    if (low > high) {
        return false;
    }
    if (step1 < step2) {
        int64_t t = step1;
        step1 = step2;
        step2 = t;
        t = start1;
        start1 = start2;
        start2 = t;
    }
    /* Walk the wider steps; the residues modulo the narrower ones recur after at most step2 of them. */
    int64_t first = start1 + (low - start1 + step1 - 1) / step1 * step1;
    int64_t tries = 0;
    for (int64_t x = first; x <= high && tries < step2; x += step1, tries++) {
        if ((x - start2) % step2 == 0) {
            return true;
        }
    }
    return false;
}

static bool is_empty(const cni_geometry *g)
{
    for (int d = 0; d < g->ndim; d++) {
        if (g->shape[d] == 0) {
            return true;
        }
    }
    return false;
}

bool cni_geometry_disjoint(const cni_geometry *home, const cni_geometry *a, const cni_geometry *b)
{
    if (is_empty(a) || is_empty(b)) {
        return true;
    }
    int64_t a_low, a_high, b_low, b_high;
    cni_geometry_range(a, &a_low, &a_high);
    cni_geometry_range(b, &b_low, &b_high);
    if (a_high <= b_low || b_high <= a_low) {
        return true;
    }
    cni_lattice x, y;
    if (!cni_lattice_make(home, a, &x) || !cni_lattice_make(home, b, &y)) {
        return false;
    }
    for (int k = 0; k < x.ndim; k++) {
        if (!progressions_meet(x.start[k], x.step[k], x.count[k], y.start[k], y.step[k], y.count[k])) {
            return true;
        }
    }
    return false;
}

bool cni_geometry_contains(const cni_geometry *home, const cni_geometry *outer, const cni_geometry *inner)
{
    if (is_empty(inner)) {
        return true;
    }
    cni_lattice x, y;
    if (is_empty(outer) || !cni_lattice_make(home, outer, &x) || !cni_lattice_make(home, inner, &y)) {
        return false;
    }
    for (int k = 0; k < x.ndim; k++) {
        int64_t ahead = y.start[k] - x.start[k];
        int64_t last = ahead + y.step[k] * (y.count[k] - 1);
        bool on_steps = ahead % x.step[k] == 0 && (y.count[k] == 1 || y.step[k] % x.step[k] == 0);
        if (ahead < 0 || last > x.step[k] * (x.count[k] - 1) || !on_steps) {
            return false;
        }
    }
    return true;
}

/* Cuts `cut` out of box; appends what is left to boxes. False if there is no room. */
static bool box_subtract(int ndim, const cni_box *box, const cni_box *cut, int *nboxes, cni_box *boxes)
{
    cni_box rest = *box;
    for (int k = 0; k < ndim; k++) {
        if (cut->stop[k] <= box->start[k] || cut->start[k] >= box->stop[k]) {
            if (*nboxes >= CNI_COVER_BOXES) {
                return false;
            }
            boxes[(*nboxes)++] = *box;
            return true;
        }
    }
    for (int k = 0; k < ndim; k++) {
        if (cut->start[k] > rest.start[k]) {
            if (*nboxes >= CNI_COVER_BOXES) {
                return false;
            }
            boxes[*nboxes] = rest;
            boxes[(*nboxes)++].stop[k] = cut->start[k];
            rest.start[k] = cut->start[k];
        }
        if (cut->stop[k] < rest.stop[k]) {
            if (*nboxes >= CNI_COVER_BOXES) {
                return false;
            }
            boxes[*nboxes] = rest;
            boxes[(*nboxes)++].start[k] = cut->stop[k];
            rest.stop[k] = cut->stop[k];
        }
    }
    return true;
}

static bool unit_box(const cni_geometry *home, const cni_geometry *view, cni_box *out)
{
    cni_lattice lattice;
    if (is_empty(view) || !cni_lattice_make(home, view, &lattice)) {
        return false;
    }
    for (int k = 0; k < home->ndim; k++) {
        if (lattice.step[k] != 1 && lattice.count[k] != 1) {
            return false;
        }
        out->start[k] = lattice.start[k];
        out->stop[k] = lattice.start[k] + lattice.count[k];
    }
    return true;
}

bool cni_geometry_box(const cni_geometry *home, const cni_geometry *view)
{
    cni_box box;
    return is_empty(view) || unit_box(home, view, &box);
}

void cni_geometry_uncovered(const cni_geometry *home, int nviews, const cni_geometry *views, int *nboxes,
                            cni_box *boxes)
{
    cni_box work[CNI_COVER_BOXES];
    if (home->ndim > CNI_LATTICE_DIMS) {
        *nboxes = -1;
        return;
    }
    int count = is_empty(home) ? 0 : 1;
    for (int k = 0; k < home->ndim; k++) {
        boxes[0].start[k] = 0;
        boxes[0].stop[k] = home->shape[k];
    }
    for (int v = 0; v < nviews && count > 0; v++) {
        cni_box cut;
        if (!unit_box(home, &views[v], &cut)) {
            continue;
        }
        int left = 0;
        for (int b = 0; b < count; b++) {
            if (!box_subtract(home->ndim, &boxes[b], &cut, &left, work)) {
                *nboxes = -1;
                return;
            }
        }
        count = left;
        memcpy(boxes, work, (size_t)left * sizeof *boxes);
    }
    *nboxes = count;
}

bool cni_broadcast_shape(int na, const int64_t *a, int nb, const int64_t *b, int *nout, int64_t *out)
{
    int n = na > nb ? na : nb;
    for (int k = 1; k <= n; k++) { /* from the last axis: out may alias the longer operand */
        int64_t x = k <= na ? a[na - k] : 1, y = k <= nb ? b[nb - k] : 1;
        if (x != y && x != 1 && y != 1) {
            return false;
        }
        out[n - k] = x == 1 ? y : x;
    }
    *nout = n;
    return true;
}

void cni_broadcast_strides(int ndim, const int64_t *shape, const int64_t *strides, int nout, const int64_t *out_shape,
                           int64_t *out)
{
    for (int d = 0; d < nout; d++) {
        int s = d - (nout - ndim);
        out[d] = s < 0 || (shape[s] == 1 && out_shape[d] != 1) ? 0 : strides[s];
    }
}
