/* library_axes.c - see library_axes.h: a function for each name in the column. */
#include "plan/library_axes.h"

#include <string.h>

#include "plan/cuts.h"

static bool dense_from(const cni_geometry *g, int first)
{
    return cni_is_contiguous(g->ndim - first, g->shape + first, g->strides + first, g->itemsize, false);
}

/* The work's axes are an operand's. */
static void axes_of(const cni_operands *o, int operand, cni_work_axes *axes)
{
    axes->n = o->g[operand].ndim;
    memcpy(axes->extent, o->g[operand].shape, (size_t)axes->n * sizeof *axes->extent);
}

static void follow(cni_work_axes *axes, int operand, int dim, int axis)
{
    axes->follows[operand][dim] = (int8_t)axis;
}

static bool share_each(const cni_operands *o, cni_work_axes *axes)
{
    for (int d = 0; d < o->g[0].ndim; d++) {
        follow(axes, 0, d, d);
    }
    return true;
}

/* Operands of the result's dimensions, each as the result; the op goes along one axis, or all. */
static bool share_lines(const cni_operands *o, cni_work_axes *axes)
{
    bool all = o->op->parameter == CNI_FIRST_AXIS_ALL;
    axes->evenly = 1;
    for (int k = 0; k < o->n; k++) {
        for (int d = 0; d < axes->n && o->array[k] && o->g[k].ndim == axes->n; d++) {
            follow(axes, k, d, d);
        }
    }
    for (int d = axes->n - 1; d >= 0; d--) {
        axes->uncut[d] = all || d == o->op->parameter;
        axes->way = axes->uncut[d] && (axes->way == CNI_NO_AXIS || axes->extent[d] > 1) ? d : axes->way;
    }
    return axes->way != CNI_NO_AXIS;
}

/* Lines, but that places do long ones together where borders cut them: if there are fewer than places, or they lie so close
   that a place with some of them would have the pages of all. */
static bool share_transform(const cni_operands *o, cni_work_axes *axes)
{
    enum { LONG = 32770, PAGE = 4096 }; /* elements of a line that is split, also if two are a point */
    const cni_geometry *out = &o->g[0], *in = &o->g[1];
    int along = o->op->parameter, dim;
    int64_t length = out->shape[along], lines = cni_view_bytes(out) / (length * out->itemsize);
    bool close = lines * out->itemsize < (int64_t)PAGE * o->places && o->spread[0] &&
                 cni_cut_leaves_rows(o->layout[0], out, &dim) && dim == along;
    if (!share_lines(o, axes) || length < LONG || !o->spread[0] || (lines >= o->places && !close) ||
        out->strides[along] <= 0 || in->strides[along] <= 0) {
        return axes->way != CNI_NO_AXIS;
    }
    axes->joint = axes->as_result = true;
    axes->dynamic = 1 | 1 << 1;
    return true;
}

/* Lines that go down the rows and are so long that finding where places' pieces begin costs little beside sorting them. If
   places did some of the lines each, they would touch most pages of the whole array: rows are seldom so wide. */
static bool are_tall(const cni_operands *o)
{
    enum { LONG = 32768 }; /* elements of a line at a place */
    int dim;
    return o->op->parameter == 0 && o->g[0].shape[0] >= LONG * (int64_t)o->places && o->g[0].strides[0] > 0 &&
           cni_cut_leaves_rows(o->layout[0], &o->g[0], &dim) && dim == 0;
}

/* Lines, but that a single one is done together: each place has a piece of the input, and gets one of the result. */
static bool share_sorted(const cni_operands *o, cni_work_axes *axes)
{
    int64_t length = o->g[0].shape[o->op->parameter];
    bool single = cni_view_bytes(&o->g[0]) == length * o->g[0].itemsize;
    if (o->spread[0] && (single || are_tall(o))) {
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
static bool share_ranks(const cni_operands *o, cni_work_axes *axes)
{
    bool may = share_sorted(o, axes);
    follow(axes, 2, 0, CNI_NO_AXIS);
    return may;
}

/* As lines; but what is reduced has the axis last. Segments of a vector are found by their indices. */
static bool share_segments(const cni_operands *o, cni_work_axes *axes)
{
    int along = o->op->parameter;
    axes->evenly = 1;
    if (axes->n == 1 && axes->extent[0] > 1 && o->spread[1] && dense_from(&o->g[1], 0) && dense_from(&o->g[2], 0)) {
        follow(axes, 0, 0, 0);
        follow(axes, 2, 0, 0);
        axes->joint = true;
        axes->dynamic = 1 << 1;
        return true;
    }
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
static bool share_numbers(const cni_operands *o, cni_work_axes *axes)
{
    axes_of(o, 1, axes);
    for (int k = 1; k < o->n; k++) {
        follow(axes, k, 0, 0);
    }
    axes->uncut[0] = true;
    axes->way = 0;
    return true;
}

/* Of a small sorted vector every place has all; else values go to the place that has those beside them. */
static bool share_search(const cni_operands *o, cni_work_axes *axes)
{
    int64_t values = cni_view_bytes(&o->g[0]) + cni_view_bytes(&o->g[2]);
    for (int d = 0; d < axes->n; d++) {
        follow(axes, 0, d, d);
        follow(axes, 2, d, d);
    }
    axes->joint = o->spread[1] && cni_view_bytes(&o->g[1]) > values / o->places && dense_from(&o->g[0], 0) &&
                  dense_from(&o->g[1], 0) && dense_from(&o->g[2], 0);
    axes->dynamic = 1 << 1;
    return true;
}

/* What the result costs to be handed from place to place beside what its operands would, which every place would need. */
static bool hands_on_less(const cni_operands *o)
{
    int64_t operands = (o->spread[1] ? cni_view_bytes(&o->g[1]) : 0) + (o->spread[2] ? cni_view_bytes(&o->g[2]) : 0);
    return cni_view_bytes(&o->g[0]) <= 4 * operands / o->places;
}

/* BLAS takes rows and columns by a few, and small products otherwise: pieces as these have the bits of the whole. */
enum { ROWS_TOGETHER = 192, MULTIPLICATIONS_TOGETHER = 1 << 21 };

static bool share_matrix(const cni_operands *o, cni_work_axes *axes)
{
    int a = o->g[1].ndim, b = o->g[2].ndim, n = axes->n - (a > 1) - (b > 1);
    axes->evenly = ROWS_TOGETHER;
    axes->rounds = a > 1 && b > 1;
    axes->least = axes->rounds ? MULTIPLICATIONS_TOGETHER : 1;
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
        axes->way = hands_on_less(o) ? axis : CNI_NO_AXIS;
        follow(axes, 1, a - 1, axis);
        follow(axes, 2, b > 1 ? b - 2 : 0, axis);
    }
    return true;
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
static bool share_indexed(const cni_operands *o, cni_work_axes *axes, int w, int i, int a)
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
static bool share_rows(const cni_operands *o, cni_work_axes *axes)
{
    int nindex = o->op->parameter, before = o->g[2].ndim;
    share_indexed(o, axes, 0, 2, 1);
    if (!o->spread[1] || cni_view_bytes(&o->g[1]) <= cni_view_bytes(&o->g[2]) / o->places) {
        axes->joint = false;
        memset(axes->uncut, 0, sizeof axes->uncut);
        for (int d = nindex; d < o->g[1].ndim; d++) {
            follow(axes, 1, d, before + d - nindex);
        }
        return true;
    }
    return axes->joint;
}

static bool share_puts(const cni_operands *o, cni_work_axes *axes)
{
    share_indexed(o, axes, 2, 1, 0);
    return axes->joint;
}

/* Puts that each find what the ones before left. An op of one operand has indices alone. */
static bool share_applied(const cni_operands *o, cni_work_axes *axes)
{
    share_indexed(o, axes, o->n > 2 ? 2 : 1, 1, 0);
    axes->ordered = o->n > 2 ? 3 : 2;
    return axes->joint;
}

/* What is selected of elements goes to where its number belongs. */
static bool share_selected(const cni_operands *o, cni_work_axes *axes)
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
    return same && (o->spread[1] || (o->n > 2 && o->spread[2])) && dense_from(&o->g[1], 0) && dense_from(&o->g[0], 0);
}

/* Matrices, one behind the other along the first dimension of all operands. */
static bool share_stack(const cni_operands *o, cni_work_axes *axes)
{
    axes->evenly = 1;
    axes->uncut[1] = true;
    for (int k = 0; k < o->n; k++) {
        follow(axes, k, 0, 0);
    }
    return true;
}

typedef bool (*share_row)(const cni_operands *o, cni_work_axes *axes);
static const share_row rows[CNI_KIND_COUNT] = {
#define CN_LIBRARY(id, name, scratch, share, chain) [CNI_##id] = share_##share,
#include "op/library.def"
#undef CN_LIBRARY
};

bool cni_library_axes(const cni_operands *o, cni_work_axes *axes)
{
    memset(axes->follows, CNI_NO_AXIS, sizeof axes->follows);
    axes->way = CNI_NO_AXIS;
    axes_of(o, 0, axes);
    return rows[o->op->kind](o, axes);
}
