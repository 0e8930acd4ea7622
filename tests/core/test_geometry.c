/* test_geometry.c - the exact tests between views, against marking every element. */
#include "record/geometry.h"

#include <string.h>

#include "check.h"

enum { MOST = 4096 };

typedef struct random_view {
    cni_geometry g;
    int64_t shape[4], strides[4];
} random_view;

static void mark(const cni_geometry *g, int dim, int64_t offset, unsigned char *bytes)
{
    if (dim == g->ndim) {
        bytes[offset / 8] = 1;
        return;
    }
    for (int64_t i = 0; i < g->shape[dim]; i++) {
        mark(g, dim + 1, offset + i * g->strides[dim], bytes);
    }
}

/* A slice of home: start, stop, step of either sign in each dimension, axes dropped and permuted. */
static void slice(const cni_geometry *home, random_view *v)
{
    int order[4], n = 0;
    v->g = (cni_geometry){.itemsize = 8, .shape = v->shape, .strides = v->strides};
    for (int d = 0; d < home->ndim; d++) {
        order[d] = d;
    }
    for (int d = home->ndim - 1; d > 0; d--) {
        int k = (int)below(d + 1), t = order[d];
        order[d] = order[k];
        order[k] = t;
    }
    for (int k = 0; k < home->ndim; k++) {
        int d = order[k];
        int64_t start = below(home->shape[d]), step = 1 + below(3);
        int64_t count = 1 + below((home->shape[d] - 1 - start) / step + 1);
        v->g.offset += start * home->strides[d];
        if (below(4) == 0) {
            continue; /* an integer index */
        }
        bool down = below(3) == 0;
        v->g.offset += down ? (count - 1) * step * home->strides[d] : 0;
        v->shape[n] = count;
        v->strides[n++] = (down ? -step : step) * home->strides[d];
    }
    v->g.ndim = n;
}

static void compare(const cni_geometry *home, const random_view *a, const random_view *b)
{
    static unsigned char x[MOST], y[MOST];
    memset(x, 0, sizeof x);
    memset(y, 0, sizeof y);
    mark(&a->g, 0, a->g.offset, x);
    mark(&b->g, 0, b->g.offset, y);
    bool meet = false, inside = true;
    for (int i = 0; i < MOST; i++) {
        meet |= x[i] && y[i];
        inside &= x[i] || !y[i];
    }
    EXPECT(cni_geometry_disjoint(home, &a->g, &b->g) == !meet);
    EXPECT(!cni_geometry_contains(home, &a->g, &b->g) || inside);
    bool full = cni_geometry_contains(home, &a->g, &b->g) == inside;
    EXPECT(full || !inside); /* slices of one home are always decided exactly */
    EXPECT(full);
}

static void cover(const cni_geometry *home, int n, const random_view *views)
{
    static unsigned char x[MOST];
    cni_geometry list[6];
    cni_box boxes[CNI_COVER_BOXES];
    int nboxes;
    int64_t total = cni_element_count(home->ndim, home->shape), left = 0, boxed = 0;
    memset(x, 0, sizeof x);
    for (int i = 0; i < n; i++) {
        list[i] = views[i].g;
        bool unit = true;
        for (int d = 0; d < list[i].ndim; d++) {
            bool known = false;
            for (int k = 0; k < home->ndim; k++) {
                known |= llabs(list[i].strides[d]) == home->strides[k];
            }
            unit &= known || list[i].shape[d] == 1;
        }
        if (unit) {
            mark(&list[i], 0, list[i].offset, x);
        }
    }
    for (int64_t i = 0; i < total; i++) {
        left += !x[i];
    }
    cni_geometry_uncovered(home, n, list, &nboxes, boxes);
    for (int i = 0; i < nboxes; i++) {
        int64_t size = 1;
        for (int k = 0; k < home->ndim; k++) {
            size *= boxes[i].stop[k] - boxes[i].start[k];
        }
        boxed += size;
    }
    EXPECT(nboxes < 0 || boxed == left);
}

static void test_random_slices(void)
{
    for (int round = 0; round < 20000 && failures < 5; round++) {
        int64_t shape[3], strides[3];
        int ndim = 1 + (int)below(3);
        for (int d = 0; d < ndim; d++) {
            shape[d] = 2 + below(9);
        }
        cni_strides_fill(ndim, shape, 8, strides);
        cni_geometry home = {ndim, 8, 0, shape, strides};
        random_view v[6];
        for (int i = 0; i < 6; i++) {
            slice(&home, &v[i]);
        }
        compare(&home, &v[0], &v[1]);
        cover(&home, 6, v);
    }
}

static void test_channel_boundaries(void)
{
    int64_t shape[2] = {41, 41}, strides[2] = {328, 8};
    cni_geometry home = {2, 8, 0, shape, strides};
    int64_t inner[2] = {39, 39}, row[1] = {41}, column[1] = {39}, along[1] = {8}, down[1] = {328};
    cni_geometry views[5] = {{2, 8, 328 + 8, inner, strides},
                             {1, 8, 328 + 320, column, down},
                             {1, 8, 328, column, down},
                             {1, 8, 40 * 328, row, along},
                             {1, 8, 0, row, along}};
    cni_box boxes[CNI_COVER_BOXES];
    int nboxes;
    cni_geometry_uncovered(&home, 5, views, &nboxes, boxes);
    EXPECT(nboxes == 0);
    cni_geometry_uncovered(&home, 4, views, &nboxes, boxes);
    EXPECT(nboxes == 1 && boxes[0].stop[0] == 1);
}

static void test_self_overlap(void)
{
    int64_t shape[2] = {3, 4}, folded[2] = {8, 8}, spread[2] = {32, 8}, broadcast[2] = {0, 8};
    cni_geometry g = {2, 8, 0, shape, folded};
    EXPECT(cni_geometry_self_overlap(&g));
    g.strides = spread;
    EXPECT(!cni_geometry_self_overlap(&g));
    g.strides = broadcast;
    EXPECT(cni_geometry_self_overlap(&g));
}

static void test_broadcast(void)
{
    int64_t a[2] = {3, 1}, b[3] = {2, 1, 4}, out[3];
    int n;
    EXPECT(cni_broadcast_shape(2, a, 3, b, &n, out) && n == 3 && out[0] == 2 && out[1] == 3 && out[2] == 4);
    int64_t c[1] = {5};
    EXPECT(!cni_broadcast_shape(1, c, 3, b, &n, out));
}

int main(void)
{
    test_random_slices();
    test_channel_boundaries();
    test_self_overlap();
    test_broadcast();
    return finish("geometry");
}
