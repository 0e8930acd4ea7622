/*
 * extreme.c - argmin and argmax: the first extreme, or the first NaN. Over everything, threads take shares whose winners
 * meet in order; along an axis that is not the innermost one, rows are compared with the best so far.
 */
#include <string.h>

#include "base/threads.h"
#include "cpu/group.h"
#include "cpu/library.h"
#include "cpu/loops.h"
#include "cpu/order.h"
#include "record/window.h"

enum { RUN_BYTES = 4096, SHARES_MOST = 64, COLUMNS = 128, ROWS_LEAST = 16 };

typedef struct extreme {
    const cni_order_kernels *kernels;
    cni_library_operand out, in;
    cn_dtype dtype;
    bool maximum;
    int axis;
    size_t itemsize;
    int64_t n, stride; /* of a line */
    int shares;
    int64_t found[SHARES_MOST];
} extreme;

/* Index of the extreme among n strided elements. */
static int64_t along(const extreme *e, const char *data, int64_t n, int64_t stride)
{
    if (stride == (int64_t)e->itemsize) {
        return e->kernels->extreme[e->dtype](data, n, e->maximum);
    }
    const cni_copy_loop copy = cni_cpu_kernels_get()->copies[__builtin_ctzll(e->itemsize)];
    unsigned char run[RUN_BYTES] __attribute__((aligned(16)));
    int64_t best = -1, most = RUN_BYTES / (int64_t)e->itemsize;
    for (int64_t i = 0; i < n; i += most) {
        int64_t some = n - i < most ? n - i : most;
        copy(some, run, (int64_t)e->itemsize, data + i * stride, stride);
        int64_t here = i + e->kernels->extreme[e->dtype](run, some, e->maximum);
        if (best < 0 || e->kernels->better[e->dtype](data + here * stride, data + best * stride, e->maximum)) {
            best = here;
        }
    }
    return best;
}

static void run_share(void *context, int t)
{
    extreme *e = context;
    int64_t first = cni_lane_begin(e->n, t, e->shares), end = cni_lane_begin(e->n, t + 1, e->shares);
    e->found[t] = first + along(e, e->in.data + first * e->stride, end - first, e->stride);
}

/* One line, by all threads. */
static int64_t along_shared(extreme *e, int shares)
{
    e->shares = shares;
    cni_threads_run(shares, run_share, e);
    int64_t best = e->found[0];
    for (int t = 1; t < shares; t++) {
        if (e->kernels->better[e->dtype](e->in.data + e->found[t] * e->stride, e->in.data + best * e->stride,
                                         e->maximum)) {
            best = e->found[t];
        }
    }
    return best;
}

/* Elements that are not one strided run: in C order, line by line. */
static int64_t over_all(const extreme *e)
{
    const cni_geometry *g = &e->in.g;
    int last = g->ndim - 1;
    int64_t index[CN_MAX_DIMS] = {0}, best = -1, at = 0;
    const char *best_at = NULL;
    do {
        const char *line = e->in.data + cni_offset_of(last, g->strides, index);
        int64_t here = along(e, line, g->shape[last], g->strides[last]);
        const char *here_at = line + here * g->strides[last];
        if (best < 0 || e->kernels->better[e->dtype](here_at, best_at, e->maximum)) {
            best = at + here;
            best_at = here_at;
        }
        at += g->shape[last];
    } while (cni_next_index(last, g->shape, index));
    return best;
}

static void whole(extreme *e)
{
    const cni_geometry *g = &e->in.g;
    int last = g->ndim - 1;
    int64_t count = cni_element_count(g->ndim, g->shape), *out = (int64_t *)(void *)e->out.data;
    bool run = true;
    for (int d = 0; d < last; d++) {
        run &= g->strides[d] == g->strides[d + 1] * g->shape[d + 1];
    }
    if (last < 0) {
        *out = 0;
    } else if (run) {
        e->n = count;
        e->stride = g->strides[last];
        *out = along_shared(e, cni_library_threads(count, 1, SHARES_MOST));
    } else {
        *out = over_all(e);
    }
}

/* The places of line k: all axes but the one that goes, in C order. */
static void line_place(const extreme *e, int64_t k, int64_t *out, int64_t *in)
{
    *out = *in = 0;
    for (int d = e->in.g.ndim - 1; d >= 0; d--) {
        if (d != e->axis) {
            int64_t i = k % e->in.g.shape[d];
            k /= e->in.g.shape[d];
            *out += i * e->out.g.strides[d];
            *in += i * e->in.g.strides[d];
        }
    }
}

/* Lines in C order, their places stepped through. */
static void run_lines(void *context, int64_t first, int64_t end)
{
    const extreme *e = context;
    int ndim = e->in.g.ndim, last = e->axis == ndim - 1 ? ndim - 2 : ndim - 1;
    int64_t out, in, index = e->in.g.shape[last];
    for (int64_t k = first; k < end; k++) {
        if (index == e->in.g.shape[last]) {
            line_place(e, k, &out, &in);
            index = k % index;
        }
        *(int64_t *)(void *)(e->out.data + out) = along(e, e->in.data + in, e->n, e->stride);
        out += e->out.g.strides[last];
        in += e->in.g.strides[last];
        index++;
    }
}

/* Lines that lie side by side in memory, COLUMNS of them together. */
static void run_rows(void *context, int64_t first, int64_t end)
{
    const extreme *e = context;
    int last = e->in.g.ndim - 1;
    int64_t width = e->in.g.shape[last], index[COLUMNS];
    unsigned char best[COLUMNS * 16] __attribute__((aligned(64)));
    for (int64_t k = first, n; k < end; k += n) {
        int64_t column = k % width, out, in;
        n = width - column < end - k ? width - column : end - k;
        n = n < COLUMNS ? n : COLUMNS;
        line_place(e, k, &out, &in);
        memcpy(best, e->in.data + in, (size_t)n * e->itemsize);
        memset(index, 0, sizeof index);
        for (int64_t i = 1; i < e->n; i++) {
            e->kernels->extreme_row[e->dtype](e->in.data + in + i * e->stride, n, e->maximum, i, best, index);
        }
        for (int64_t i = 0; i < n; i++) {
            *(int64_t *)(void *)(e->out.data + out + i * e->out.g.strides[last]) = index[i];
        }
    }
}

static extreme extreme_get(const cni_part *part, const cni_run *run)
{
    extreme e = {.kernels = cni_order_kernels_get(),
                 .out = cni_library_operand_get(part, 0, run),
                 .in = cni_library_operand_get(part, 1, run),
                 .maximum = (run->window->ops[part->op].flags & CNI_FLAG_MAXIMUM) != 0};
    e.dtype = e.in.dtype;
    e.itemsize = (size_t)e.in.g.itemsize;
    return e;
}

/* Finds them, along the axis. */
static void find(extreme e, int parameter)
{
    int64_t count = cni_element_count(e.in.g.ndim, e.in.g.shape);
    int last = e.in.g.ndim - 1;
    if (count == 0) {
        return;
    }
    if (parameter == CNI_FIRST_AXIS_ALL) {
        whole(&e);
        return;
    }
    e.axis = parameter;
    e.n = e.in.g.shape[e.axis];
    e.stride = e.in.g.strides[e.axis];
    bool rows = e.axis != last && e.in.g.strides[last] == e.in.g.itemsize && e.in.g.shape[last] >= ROWS_LEAST;
    if (count == e.n) {
        int64_t out, in;
        line_place(&e, 0, &out, &in);
        *(int64_t *)(void *)(e.out.data + out) = along_shared(&e, cni_library_threads(count, 1, SHARES_MOST));
    } else {
        cni_library_lines(count / e.n, e.n, rows ? run_rows : run_lines, &e);
    }
}

void cni_library_arg_reduce(const cni_part *part, const cni_run *run)
{
    find(extreme_get(part, run), run->window->ops[part->op].parameter);
}

/* ---- Along several places: the best of every line so far, and where it is ---- */

typedef struct found {
    int64_t index;
    unsigned char value[16];
} found;

cni_chain_rule cni_library_arg_reduce_rule(const cni_part *part, const cni_window *w)
{
    (void)part, (void)w;
    return (cni_chain_rule){.may = true, .apart = true, .quantum = 1};
}

static int64_t lines_of(const cni_geometry *in, int parameter)
{
    return parameter == CNI_FIRST_AXIS_ALL ? 1 : cni_element_count(in->ndim, in->shape) / in->shape[parameter];
}

void cni_library_arg_reduce_link(const cni_part *part, const cni_window *w, int64_t *own, int64_t *state)
{
    cni_geometry in = cni_window_geometry(w, part->access[1].view);
    *own = *state = lines_of(&in, w->ops[part->op].parameter) * (int64_t)sizeof(found);
}

/* Finds the lines' extremes as a list. */
static void find_own(extreme e, int parameter, int64_t before, found *own)
{
    const cni_geometry *g = &e.in.g;
    int64_t strides[CN_MAX_DIMS] = {0}, step = (int64_t)sizeof *own, lines = lines_of(g, parameter), out, in;
    for (int d = g->ndim - 1; d >= 0 && parameter != CNI_FIRST_AXIS_ALL; d--) {
        strides[d] = d == parameter ? 0 : step;
        step *= d == parameter ? 1 : g->shape[d];
    }
    e.out.g.strides = strides;
    e.out.data = (char *)&own[0].index;
    find(e, parameter);
    e.axis = parameter;
    for (int64_t k = 0; k < lines; k++) {
        int64_t rest = own[k].index;
        in = 0;
        if (parameter != CNI_FIRST_AXIS_ALL) {
            line_place(&e, k, &out, &in);
            in += rest * g->strides[parameter];
        }
        for (int d = g->ndim - 1; d >= 0 && parameter == CNI_FIRST_AXIS_ALL; d--) {
            in += rest % g->shape[d] * g->strides[d];
            rest /= g->shape[d];
        }
        memcpy(own[k].value, e.in.data + in, e.itemsize);
        own[k].index += before;
    }
}

void cni_library_arg_reduce_chain(const cni_part *part, const cni_run *run, const cni_link *link, cni_link_phase phase)
{
    int parameter = run->window->ops[part->op].parameter;
    extreme e = extreme_get(part, run);
    found *own = (found *)(void *)link->own, *best = (found *)(void *)link->state;
    int64_t lines = lines_of(&e.in.g, parameter), out = 0, in;
    e.axis = parameter;
    if (phase == CNI_LINK_BEGIN) {
        find_own(e, parameter, link->before, own);
    }
    for (int64_t k = 0; k < lines && phase == CNI_LINK_STEP; k++) {
        if (link->first || e.kernels->better[e.dtype](own[k].value, best[k].value, e.maximum)) {
            best[k] = own[k];
        }
    }
    for (int64_t k = 0; k < lines && phase == CNI_LINK_END && link->last; k++) {
        if (parameter != CNI_FIRST_AXIS_ALL) {
            line_place(&e, k, &out, &in);
        }
        *(int64_t *)(void *)(e.out.data + out) = best[k].index;
    }
}
