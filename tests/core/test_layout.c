/* test_layout.c - cuts of bases and of views along them, and moving regions, against looking at every element. */
#include "record/layout.h"

#include <string.h>

#include "check.h"

enum { MOST = 1 << 15, PLACES = 7 };

typedef struct random_view {
    cni_geometry g;
    int64_t shape[4], strides[4];
} random_view;

static cni_geometry random_home(int64_t *shape, int64_t *strides)
{
    int ndim = 1 + (int)below(4);
    int64_t size = 1, stride = 8;
    bool fortran = below(3) == 0;
    for (int d = 0; d < ndim; d++) {
        shape[d] = 1 + below(ndim == 1 ? 100 : 7);
        size *= shape[d];
    }
    for (int k = 0; k < ndim; k++) {
        int d = fortran ? k : ndim - 1 - k;
        strides[d] = stride;
        stride *= shape[d] > 1 ? shape[d] : 1;
    }
    EXPECT(size * 8 < MOST);
    return (cni_geometry){ndim, 8, 0, shape, strides};
}

static void random_slice(const cni_geometry *home, random_view *v)
{
    v->g = (cni_geometry){.ndim = home->ndim, .itemsize = 8, .shape = v->shape, .strides = v->strides};
    for (int d = 0; d < home->ndim; d++) {
        int64_t start = below(home->shape[d]), step = 1 + below(3);
        int64_t count = 1 + below((home->shape[d] - 1 - start) / step + 1);
        bool down = below(3) == 0;
        v->g.offset += (start + (down ? (count - 1) * step : 0)) * home->strides[d];
        v->shape[d] = count;
        v->strides[d] = (down ? -step : step) * home->strides[d];
    }
}

typedef void visit(const cni_geometry *g, int64_t offset, void *context);

static void each(const cni_geometry *g, const cni_box *box, int d, int64_t offset, visit *f, void *context)
{
    if (d == g->ndim) {
        f(g, offset, context);
        return;
    }
    int64_t start = box != NULL ? box->start[d] : 0, stop = box != NULL ? box->stop[d] : g->shape[d];
    for (int64_t i = start; i < stop; i++) {
        each(g, box, d + 1, offset + i * g->strides[d], f, context);
    }
}

typedef struct counts {
    int64_t low, high;
    unsigned char seen[MOST];
    int64_t inside;
} counts;

static void count(const cni_geometry *g, int64_t offset, void *context)
{
    counts *c = context;
    (void)g;
    EXPECT(offset >= c->low && offset < c->high);
    EXPECT(c->seen[offset / 8]++ == 0);
    c->inside++;
}

/* The boxes of all places name every element once, each at its owner. */
static void test_cuts(void)
{
    for (int round = 0; round < 3000; round++) {
        int64_t shape[4], strides[4];
        cni_geometry home = random_home(shape, strides);
        int64_t nbytes = 8 * cni_element_count(home.ndim, shape);
        int places = 1 + (int)below(PLACES);
        cni_layout layout = cni_layout_make(&home, nbytes, places);
        random_view v;
        counts c = {0};
        random_slice(&home, &v);
        for (int place = 0; place < places; place++) {
            cni_box boxes[CNI_CUT_BOXES];
            c.low = cni_layout_begin(&layout, place);
            c.high = cni_layout_begin(&layout, place + 1);
            EXPECT(c.low <= c.high && c.low % 8 == 0);
            EXPECT(c.low == c.high || cni_layout_owner(&layout, c.low) == place);
            int n = cni_geometry_cut(&v.g, c.low, c.high, boxes);
            EXPECT(n >= 0 && n <= CNI_CUT_BOXES);
            for (int i = 0; i < n; i++) {
                each(&v.g, &boxes[i], 0, v.g.offset, count, &c);
            }
        }
        EXPECT(c.inside == cni_element_count(v.g.ndim, v.shape));
    }
}

static void test_alignment(void)
{
    for (int64_t n = 4093; n <= 4099; n++) { /* staggered grids lie alike, to the row */
        int64_t tall[2] = {n, 512}, tall_strides[2] = {4096, 8}, wide[2] = {4096, 513}, wide_strides[2] = {4104, 8};
        cni_geometry a = {2, 8, 0, tall, tall_strides}, b = {2, 8, 0, wide, wide_strides};
        for (int places = 1; places < 60; places++) {
            cni_layout x = cni_layout_make(&a, n * 4096, places), y = cni_layout_make(&b, 4096 * 4104, places);
            for (int place = 0; place < places; place++) {
                EXPECT(cni_layout_begin(&x, place) / 4096 == cni_layout_begin(&y, place) / 4104);
            }
        }
    }
}

static void test_unordered(void)
{
    int64_t shape[2] = {4, 4}, strides[2] = {8, 8};
    cni_geometry window = {2, 8, 0, shape, strides};
    cni_box boxes[CNI_CUT_BOXES];
    EXPECT(cni_geometry_cut(&window, 0, 16, boxes) == -1);
    shape[1] = 0;
    EXPECT(cni_geometry_cut(&window, 0, 16, boxes) == 0);
}

static void fill_in(const cni_geometry *g, int64_t offset, void *context)
{
    (void)g;
    memcpy((char *)context + offset, "marked!", 8);
}

static void test_regions(void)
{
    static char from[MOST], to[MOST], expected[MOST], packed[MOST];
    for (int round = 0; round < 2000; round++) {
        int64_t shape[4], strides[4];
        cni_geometry home = random_home(shape, strides);
        random_view v;
        cni_region region;
        cni_box box;
        random_slice(&home, &v);
        for (int d = 0; d < v.g.ndim; d++) {
            box.start[d] = below(v.shape[d]);
            box.stop[d] = box.start[d] + 1 + below(v.shape[d] - box.start[d]);
        }
        memset(from, 1, sizeof from);
        memset(to, 0, sizeof to);
        memset(expected, 0, sizeof expected);
        each(&v.g, &box, 0, v.g.offset, fill_in, from);
        each(&v.g, &box, 0, v.g.offset, fill_in, expected);
        EXPECT(cni_region_make(&v.g, &box, &region));
        for (int d = 1; d < region.ndim; d++) {
            EXPECT(llabs(region.strides[d]) <= llabs(region.strides[d - 1]));
        }
        cni_region_copy(&region, to, from);
        EXPECT(memcmp(to, expected, sizeof to) == 0);
        memset(to, 0, sizeof to);
        cni_region_pack(&region, packed, from);
        cni_region_unpack(&region, to, packed);
        EXPECT(memcmp(to, expected, sizeof to) == 0);
    }
}

int main(void)
{
    test_cuts();
    test_alignment();
    test_unordered();
    test_regions();
    return finish("layout");
}
