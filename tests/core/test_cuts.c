/* test_cuts.c - what cuts.h says of all places at once, against a look at every one. */
#include "plan/cuts.h"

#include <string.h>

#include "check.h"

enum { PLACES = 9 };

typedef struct a_view {
    cni_geometry g;
    int64_t shape[3], strides[3];
} a_view;

/* What of an array: its dimensions turned, and some of them backwards. */
typedef struct slice {
    int turn;
    int64_t start[3], step[3], count[3];
    bool down[3];
} slice;

static cni_layout layout_of(int places, const int64_t *shape, int64_t *strides)
{
    int64_t stride = 8;
    for (int d = 2; d >= 0; d--) {
        strides[d] = stride;
        stride *= shape[d];
    }
    cni_geometry home = {3, 8, 0, shape, strides};
    return cni_layout_make(&home, stride, places);
}

static void random_shape(int64_t *shape)
{
    shape[0] = 1 + below(below(2) == 0 ? 9 : 400);
    shape[1] = 1 + below(6);
    shape[2] = 1 + below(6);
}

static slice random_slice(const int64_t *shape)
{
    slice s = {.turn = (int)below(3)};
    for (int d = 0; d < 3; d++) {
        s.start[d] = below(shape[d] > 2 ? 2 : 1);
        s.step[d] = 1 + (below(3) == 0);
        s.count[d] = (shape[d] - 1 - s.start[d]) / s.step[d] + 1;
        s.down[d] = below(4) == 0;
    }
    return s;
}

static void view_of(const slice *s, const int64_t *strides, a_view *v)
{
    v->g = (cni_geometry){.ndim = 3, .itemsize = 8, .shape = v->shape, .strides = v->strides};
    for (int k = 0; k < 3; k++) {
        int d = (k + s->turn) % 3;
        v->g.offset += (s->start[d] + (s->down[d] ? (s->count[d] - 1) * s->step[d] : 0)) * strides[d];
        v->shape[k] = s->count[d];
        v->strides[k] = (s->down[d] ? -s->step[d] : s->step[d]) * strides[d];
    }
}

static int cut(const cni_layout *l, const a_view *v, int place, cni_box *boxes)
{
    return cni_geometry_cut(&v->g, cni_layout_begin(l, place), cni_layout_begin(l, place + 1), boxes);
}

/* The order of a sum is kept if folded axes stay whole, and kept ones have not one index left. */
static bool every_place_keeps(const cni_layout *l, const a_view *v, const bool *folded)
{
    cni_box boxes[CNI_CUT_BOXES];
    bool keeps = true;
    for (int place = 0; place < l->places; place++) {
        int n = cut(l, v, place, boxes);
        for (int i = 0; i < n; i++) {
            for (int d = 0; d < v->g.ndim; d++) {
                int64_t count = boxes[i].stop[d] - boxes[i].start[d];
                keeps &= count == v->shape[d] || (!folded[d] && count > 1);
            }
        }
    }
    return keeps;
}

static void test_rows(void)
{
    int yes = 0, missed = 0;
    for (int round = 0; round < 20000; round++) {
        int64_t shape[3], strides[3];
        bool folded[CNI_LATTICE_DIMS] = {below(2) == 0, below(2) == 0, below(2) == 0};
        random_shape(shape);
        cni_layout layout = layout_of(2 + (int)below(PLACES), shape, strides);
        slice s = random_slice(shape);
        a_view v;
        view_of(&s, strides, &v);
        bool truth = every_place_keeps(&layout, &v, folded), said = cni_cut_keeps_rows(&layout, &v.g, folded);
        EXPECT(truth || !said);
        yes += said;
        missed += truth && !said;
    }
    EXPECT(yes > 4000 && missed < yes / 10);
}

static bool every_place_alike(const cni_layout *x, const a_view *u, const cni_layout *y, const a_view *v)
{
    cni_box left[CNI_CUT_BOXES], right[CNI_CUT_BOXES];
    for (int place = 0; place < x->places; place++) {
        int n = cut(x, u, place, left);
        bool equal = n == cut(y, v, place, right);
        for (int i = 0; i < n && equal; i++) {
            equal = memcmp(left[i].start, right[i].start, 3 * sizeof(int64_t)) == 0 &&
                    memcmp(left[i].stop, right[i].stop, 3 * sizeof(int64_t)) == 0;
        }
        if (!equal) {
            return false;
        }
    }
    return true;
}

/* The same slice, or one beside it, of the same array or a wider one. */
static void test_alike(void)
{
    int yes = 0, missed = 0;
    for (int round = 0; round < 20000; round++) {
        int64_t shape[3], strides[3], wide_strides[3];
        int places = 2 + (int)below(PLACES);
        random_shape(shape);
        int64_t wide[3] = {shape[0] + below(2), shape[1], shape[2] + below(2)};
        cni_layout x = layout_of(places, shape, strides), y = layout_of(places, wide, wide_strides);
        slice s = random_slice(shape), t = s;
        int d = (int)below(3);
        t.start[d] += t.start[d] + 1 + (t.count[d] - 1) * t.step[d] < wide[d] ? below(2) : 0;
        a_view u, v;
        view_of(&s, strides, &u);
        view_of(&t, wide_strides, &v);
        bool truth = every_place_alike(&x, &u, &y, &v), said = cni_cuts_alike(&x, &u.g, &y, &v.g);
        EXPECT(truth || !said);
        yes += said;
        missed += truth && !said;
    }
    EXPECT(yes > 4000 && missed < yes / 2);
}

int main(void)
{
    test_rows();
    test_alike();
    return finish("cuts");
}
