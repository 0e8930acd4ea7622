/*
 * unplanned_op.c - one op of a small window at once: no plan, no tile, no binding (exec/unplanned.h).
 *
 * The loops are tier 0's, on the same elements in the same order, and so are the bits. An operand that does not lie as one
 * run of memory is copied to one, or from one, of the runs below.
 */
#include <string.h>

#include "cpu/unplanned_op.h"
#include "cpu/events.h"
#include "cpu/loop_events.h"
#include "cpu/group.h"
#include "cpu/library.h"
#include "op/op.h"
#include "plan/reduction_axes.h"
#include "record/at_once.h"

enum { RUNS = 2 * (CNI_MAX_NIN + CNI_MAX_NOUT), WIDEST = 16 };

/* Windows run one at a time. */
static _Alignas(64) char runs[RUNS][CNI_UNPLANNED_ELEMENTS * WIDEST];

/* ---- How operands lie ---- */

typedef enum lie { LIES_RUN, LIES_STILL, LIES_APART } lie;

/* One run in C order, or one element for all? */
static inline lie lie_of(const cni_geometry *g)
{
    int64_t expected = g->itemsize;
    bool run = true, still = true;
    for (int d = g->ndim - 1; d >= 0; d--) {
        if (g->shape[d] != 1) {
            run &= g->strides[d] == expected;
            still &= g->strides[d] == 0;
            expected *= g->shape[d];
        }
    }
    return run ? LIES_RUN : still ? LIES_STILL : LIES_APART;
}

static inline char *address(const cni_run *run, uint32_t view)
{
    const cni_view *v = &run->window->views[view];
    return (char *)run->slots[v->base] + run->window->geometry[v->geometry];
}

/* Between two views of one shape and element size: planes of the last two dimensions. */
static void move(int ndim, const int64_t *shape, int64_t size, char *to, const int64_t *to_strides, const char *from,
                 const int64_t *from_strides)
{
    const cni_plane_loop plane = cni_cpu_kernels_get()->planes[__builtin_ctzll((unsigned long long)size)];
    int64_t index[CN_MAX_DIMS];
    int outer = ndim - 2;
    if (ndim < 2) {
        plane(1, ndim == 1 ? shape[0] : 1, to, 0, ndim == 1 ? to_strides[0] : size, from, 0,
              ndim == 1 ? from_strides[0] : size);
        return;
    }
    memset(index, 0, (size_t)ndim * sizeof *index);
    do {
        plane(shape[outer], shape[outer + 1], to + cni_offset_of(outer, to_strides, index), to_strides[outer],
              to_strides[outer + 1], from + cni_offset_of(outer, from_strides, index), from_strides[outer],
              from_strides[outer + 1]);
    } while (outer > 0 && cni_next_index(outer, shape, index));
}

/* Between a view and a run. */
static void move_run(const cni_geometry *g, char *memory, char *run, bool into_run)
{
    int64_t strides[CN_MAX_DIMS];
    cni_strides_fill(g->ndim, g->shape, g->itemsize, strides);
    if (into_run) {
        move(g->ndim, g->shape, g->itemsize, run, strides, memory, g->strides);
    } else {
        move(g->ndim, g->shape, g->itemsize, memory, g->strides, run, strides);
    }
}

bool cni_elements_copy(cn_array *to, char *out, const cn_array *from, const char *in)
{
    if (to->size == 0) {
        return true;
    }
    if (to->dtype == from->dtype) {
        move(to->ndim, cni_shape(to), cni_dtype_size((cn_dtype)to->dtype), out, cni_strides(to), in, cni_strides(from));
        return true;
    }
    void *p[2] = {out, (void *)in};
    cni_events_clear();
    cni_cpu_kernels_get()->casts[from->dtype][to->dtype](to->size, p, 0);
    bool quiet = cni_events_seen() == 0;
    cni_events_clear();
    return quiet;
}

/* ---- Operands as runs ---- */

typedef struct operand {
    char *data;
    uint8_t dtype;
    bool still; /* one element for all */
} operand;

/* The view's elements in C order of this geometry of it; `own` takes them if they lie apart. */
static inline operand operand_as(const cni_run *run, uint32_t view, const cni_geometry *g, char *own)
{
    operand o = {address(run, view), run->window->views[view].dtype, false};
    lie how = lie_of(g);
    o.still = how == LIES_STILL;
    if (how == LIES_APART) {
        move_run(g, o.data, own, true);
        o.data = own;
    }
    return o;
}

/* What the argument is, likewise. */
static inline operand operand_of(const cni_run *run, uint32_t arg, char *own)
{
    const cni_window *w = run->window;
    if ((arg & CNI_SCALAR) != 0) {
        const cn_scalar *value = &w->scalars[arg & ~CNI_SCALAR];
        return (operand){(char *)(uintptr_t)value->value.bytes, (uint8_t)value->dtype, true};
    }
    cni_geometry g = cni_window_geometry(w, arg);
    return operand_as(run, arg, &g, own);
}

static inline void cast(operand *o, int64_t n, uint8_t dtype, char *own)
{
    if (o->dtype != dtype) {
        void *p[2] = {own, o->data};
        cni_cpu_kernels_get()->casts[o->dtype][dtype](o->still ? 1 : n, p, 0);
        o->data = own;
        o->dtype = dtype;
    }
}

/* One element for all becomes a run of n. */
static inline void splat(operand *o, int64_t n, char *own)
{
    if (o->still && n > 1) {
        int64_t size = cni_dtype_size((cn_dtype)o->dtype);
        cni_cpu_kernels_get()->copies[__builtin_ctzll((unsigned long long)size)](n, own, size, o->data, 0);
        o->data = own;
    }
    o->still = false;
}

/* Where the loop writes n elements of this dtype that the view is to have: the view itself, or `own`. */
static inline char *destination(const cni_run *run, uint32_t view, uint8_t dtype, char *own)
{
    cni_geometry g = cni_window_geometry(run->window, view);
    bool itself = run->window->views[view].dtype == dtype && lie_of(&g) == LIES_RUN;
    return itself ? address(run, view) : own;
}

static void deliver(const cni_run *run, uint32_t view, int64_t n, operand made, char *own)
{
    char *memory = address(run, view);
    if (made.data == memory) {
        return;
    }
    cni_geometry g = cni_window_geometry(run->window, view);
    cast(&made, n, run->window->views[view].dtype, lie_of(&g) == LIES_RUN ? memory : own);
    if (made.data != memory) {
        move_run(&g, memory, made.data, false);
    }
}

/* ---- Ops ---- */

enum { COST_COMPARES = 7 }; /* from there on loops may compare, and say that a NaN is invalid (loop_events.c) */

/* The loop's inputs stay as they are: one that the loop would overwrite is copied. */
static void keep_inputs(const cni_op_info *info, const uint8_t *dtypes, int64_t n, void **p)
{
    for (int i = 0; i < info->nin && info->cost >= COST_COMPARES; i++) {
        for (int k = 0; k < info->nout; k++) {
            if (p[k] == p[info->nout + i]) {
                p[info->nout + i] = memcpy(runs[2 * i], p[k], (size_t)(n * cni_dtype_size(dtypes[i])));
            }
        }
    }
}

/* Gives the kinds of its events. */
static uint32_t run_loop(int loop, int64_t n, void **p, unsigned scalars)
{
    uint32_t before = cni_events_seen(); /* casts of the inputs */
    if (before != 0) {
        cni_events_clear();
    }
    cni_cpu_kernels_get()->loops[loop](n, p, scalars);
    uint32_t seen = cni_events_seen();
    if (seen != 0) {
        seen = cni_loop_confirm(loop, n, p, scalars, seen);
        cni_events_clear();
    }
    return before | seen;
}

static uint32_t run_elementwise(const cni_run *run, const cni_op *op, int64_t n)
{
    const cni_op_info *info = &cni_ops[op->opcode];
    const cni_cpu_kernels *kernels = cni_cpu_kernels_get();
    const uint8_t *dtypes = info->signatures[op->loop].dtypes;
    int loop = info->first_loop + op->loop, nin = info->nin, nout = info->nout;
    unsigned scalars = 0, allowed = n > 1 ? kernels->loop_scalars[loop] : 0;
    bool any_run = false;
    operand in[CNI_MAX_NIN];
    void *p[CNI_MAX_NOUT + CNI_MAX_NIN];
    for (int i = 0; i < nin; i++) {
        in[i] = operand_of(run, op->args[nout + i], runs[2 * i]);
        cast(&in[i], n, dtypes[i], runs[2 * i + 1]);
        any_run |= !in[i].still;
    }
    for (int i = 0; i < nin; i++) {
        if (in[i].still && any_run && (allowed >> i & 1) != 0) {
            scalars |= 1U << i;
        } else {
            splat(&in[i], n, runs[2 * i]);
        }
        p[nout + i] = in[i].data;
    }
    for (int k = 0; k < nout; k++) {
        p[k] = destination(run, op->args[k], dtypes[nin + k], runs[2 * (nin + k)]);
    }
    keep_inputs(info, dtypes, n, p);
    uint32_t seen = run_loop(loop, n, p, scalars);
    for (int k = 0; k < nout; k++) {
        deliver(run, op->args[k], n, (operand){p[k], dtypes[nin + k], false}, runs[2 * (nin + k) + 1]);
    }
    return seen;
}

static void run_copy(const cni_run *run, const cni_op *op, int64_t n)
{
    const cni_window *w = run->window;
    uint32_t to = op->args[0], from = op->args[1];
    cni_geometry g = cni_window_geometry(w, to);
    bool scalar = (from & CNI_SCALAR) != 0;
    uint8_t have = scalar ? (uint8_t)w->scalars[from & ~CNI_SCALAR].dtype : w->views[from].dtype;
    if (have != w->views[to].dtype) {
        operand value = operand_of(run, from, runs[0]);
        splat(&value, n, runs[1]);
        deliver(run, to, n, value, runs[2]);
        return;
    }
    static const int64_t still[CN_MAX_DIMS];
    cni_geometry source = {.strides = still};
    const char *data = (const char *)w->scalars[from & ~CNI_SCALAR].value.bytes;
    bool whole = lie_of(&g) == LIES_RUN;
    if (!scalar) {
        source = cni_window_geometry(w, from);
        data = address(run, from);
        whole &= lie_of(&source) == LIES_RUN;
    }
    if (whole && !scalar) {
        memcpy(address(run, to), data, (size_t)(n * g.itemsize));
    } else if (whole) {
        cni_cpu_kernels_get()->copies[__builtin_ctzll((unsigned long long)g.itemsize)](n, address(run, to), g.itemsize,
                                                                                       data, 0);
    } else {
        move(g.ndim, g.shape, g.itemsize, address(run, to), g.strides, data, source.strides);
    }
}

/* All elements to one, in the blocks that reduce.c takes. */
static void run_reduce(const cni_run *run, const cni_op *op, int64_t n)
{
    const cni_op_info *info = &cni_ops[op->opcode];
    uint8_t dtype = info->signatures[op->loop].dtypes[0];
    const cni_reduce_loop reduce = cni_cpu_kernels_get()->reduces[info->first_loop + op->loop];
    int order[CN_MAX_DIMS];
    int64_t shape[CN_MAX_DIMS], strides[CN_MAX_DIMS];
    cni_geometry written = cni_window_geometry(run->window, op->args[1]);
    cni_geometry_axes(&written, order);
    cni_geometry taken = cni_geometry_turned(&written, order, shape, strides);
    operand in = operand_as(run, op->args[1], &taken, runs[0]);
    cast(&in, n, dtype, runs[1]);
    splat(&in, n, runs[2]);
    int64_t size = cni_dtype_size((cn_dtype)dtype), block = n, first = 0;
    cn_scalar identity, begin;
    char *to = address(run, op->args[0]);
    if (info->reduce_kind == CNI_REDUCE_SUM && dtype >= CN_FLOAT16) {
        block = cni_reduction_block(run->window, op, op->args[0]);
    }
    if (cni_op_identity(op->opcode, &identity) &&
        cn_scalar_cast(&identity, CN_STRONG, (cn_dtype)dtype, &begin) == CN_OK) {
        memcpy(to, begin.value.bytes, (size_t)size);
    } else {
        memcpy(to, in.data, (size_t)size);
        first = 1;
    }
    for (int64_t i = first; i < n; i += block) {
        reduce(n - i < block ? n - i : block, in.data + i * size, to);
    }
}

/* The op as the only one of a part. */
static cni_part library_part(const cni_window *w, uint32_t *number, cni_access *access)
{
    const cni_op *op = &w->ops[*number];
    uint32_t n = (uint32_t)op->nout + op->nin;
    for (uint32_t i = 0; i < n; i++) {
        bool scalar = (op->args[i] & CNI_SCALAR) != 0;
        access[i] = (cni_access){.slot = scalar ? CNI_NONE : w->views[op->args[i]].base,
                                 .view = scalar ? CNI_NONE : op->args[i],
                                 .written = i < op->nout};
    }
    return (cni_part){
        .kind = CNI_PART_LIBRARY, .naccess = n, .access = access, .op = *number, .nops = 1, .ops = number};
}

static void run_library(const cni_run *run, uint32_t number)
{
    cni_access access[CNI_OP_ARGS];
    cni_part part = library_part(run->window, &number, access);
    cni_library_run(&part, run);
}

/* There is no memory beside the runs above. */
static bool takes_scratch(const cni_window *w, uint32_t number)
{
    cni_access access[CNI_OP_ARGS];
    if (!cni_library_takes_scratch(w->ops[number].kind)) {
        return false;
    }
    cni_part part = library_part(w, &number, access);
    return cni_library_scratch(&part, w) > 0;
}

/* ---- The place's functions ---- */

bool cni_unplanned_op_takes(const cni_window *w, uint32_t number)
{
    const cni_op *op = &w->ops[number];
    if (op->kind == CNI_ELEMENTWISE || op->kind == CNI_COPY) {
        return op->flags == 0;
    }
    if (op->kind == CNI_REDUCE) {
        cni_geometry out = cni_window_geometry(w, op->args[0]);
        return op->flags == 0 && (op->args[1] & CNI_SCALAR) == 0 &&
               (lie_of(&out) == LIES_STILL || w->views[op->args[0]].size == 1);
    }
    bool any_empty = false;
    for (int i = 0; i < op->nout + op->nin; i++) {
        any_empty |= (op->args[i] & CNI_SCALAR) == 0 && w->views[op->args[i]].size == 0;
    }
    return !any_empty && !takes_scratch(w, number);
}

void cni_unplanned_op_run(const cni_run *run, uint32_t number)
{
    static const uint32_t kinds[] = {CN_FP_DIVIDE, CN_FP_OVERFLOW, CN_FP_UNDERFLOW, CN_FP_INVALID};
    const cni_op *op = &run->window->ops[number];
    int64_t n = run->window->views[op->args[0]].size;
    bool grouped = op->kind == CNI_ELEMENTWISE || op->kind == CNI_COPY;
    if (!grouped && op->kind != CNI_REDUCE) {
        run_library(run, number);
        return;
    }
    if (n == 0) {
        return;
    }
    if (op->kind == CNI_REDUCE) {
        run_reduce(run, op, n);
        return;
    }
    uint32_t seen = 0;
    cni_events_clear();
    if (op->kind == CNI_ELEMENTWISE) {
        seen = run_elementwise(run, op, n);
    } else {
        run_copy(run, op, n);
    }
    seen = op->fp_kinds != 0 ? (seen | cni_events_seen()) & op->fp_kinds : 0;
    for (size_t i = 0; seen != 0 && i < sizeof kinds / sizeof *kinds; i++) {
        if ((seen & kinds[i]) != 0) {
            cni_run_event(run, number, kinds[i]);
        }
    }
}
