/* reduction_axes.c - see reduction_axes.h. */
#include "plan/reduction_axes.h"

static void c_order(int ndim, int *order)
{
    for (int d = 0; d < ndim; d++) {
        order[d] = d;
    }
}

void cni_reduction_axes(const cni_window *w, const cni_op *op, int *order)
{
    if ((op->args[1] & CNI_SCALAR) != 0) {
        c_order(w->views[op->args[0]].ndim, order);
        return;
    }
    cni_geometry in = cni_window_geometry(w, op->args[1]);
    cni_geometry_axes(&in, order);
}

void cni_part_axes(const cni_window *w, const cni_part *part, int *order)
{
    for (uint32_t i = 0; i < part->ninstr && part->reduces; i++) {
        if (part->instr[i].kind == CNI_INSTR_REDUCE) {
            cni_reduction_axes(w, &w->ops[part->instr[i].op], order);
            return;
        }
    }
    c_order(w->shapes[part->shape].ndim, order);
}

cni_geometry cni_geometry_turned(const cni_geometry *g, const int *order, int64_t *shape, int64_t *strides)
{
    for (int d = 0; d < g->ndim; d++) {
        shape[d] = g->shape[order[d]];
        strides[d] = g->strides[order[d]];
    }
    return (cni_geometry){g->ndim, g->itemsize, g->offset, shape, strides};
}

/* ---- Blocks of sums ---- */

static int64_t reduced_count(const cni_geometry *out)
{
    int64_t count = 1;
    for (int d = 0; d < out->ndim; d++) {
        count *= out->strides[d] == 0 ? out->shape[d] : 1;
    }
    return count;
}

static int64_t trailing_run(const cni_geometry *in, const cni_geometry *out, const int *order)
{
    int64_t block = 1, expected = 0;
    for (int k = in->ndim - 1; k >= 0; k--) {
        int d = order[k];
        if (in->shape[d] == 1) {
            continue;
        }
        if (out->strides[d] != 0 || (expected != 0 && in->strides[d] != expected)) {
            break;
        }
        block *= in->shape[d];
        expected = in->strides[d] * in->shape[d];
    }
    return block;
}

int64_t cni_reduction_block(const cni_window *w, const cni_op *op, uint32_t view)
{
    cni_geometry out = cni_window_geometry(w, view);
    int64_t block = reduced_count(&out);
    if ((op->args[1] & CNI_SCALAR) == 0) {
        int order[CN_MAX_DIMS];
        cni_geometry in = cni_window_geometry(w, op->args[1]);
        cni_geometry_axes(&in, order);
        block = trailing_run(&in, &out, order);
    }
    return block < 1 ? 1 : block;
}
