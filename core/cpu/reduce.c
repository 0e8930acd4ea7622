/*
 * reduce.c - reductions at the end of a group. The order of additions follows from the shape of the reduced array, as the
 * program wrote it, and the order in which its axes lie in memory (plan/reduction_axes.h), never from tiles, threads or
 * fusion. With axes in that order:
 *
 *   last axis reduced   A result takes its elements in C order, in blocks (the trailing reduced axes that lie as one
 *                       run). Up to CNI_SMALL_SUM elements: each block in NumPy's pairwise tree, blocks one after the
 *                       other. More: leaves of at most CNI_LEAF elements of a block, added up exactly.
 *   last axis kept      Rows are added one after the other; more than CNI_SMALL_SUM of them in runs of CNI_LEAF.
 */
#include <string.h>

#include "base/status.h"
#include "cpu/group.h"
#include "cpu/reduce_take.h"
#include "op/op.h"
#include "plan/reduction_axes.h"

static bool is_float_sum(const cni_reduction *r)
{
    return r->kind == CNI_REDUCE_SUM && cni_is_inexact(r->dtype);
}

/* ---- Binding ---- */

static int64_t count_of(const cni_geometry *out)
{
    int64_t count = 1;
    for (int d = 0; d < out->ndim; d++) {
        count *= out->strides[d] == 0 ? out->shape[d] : 1;
    }
    return count;
}

bool cni_reduce_rows_room(cni_group_binding *g, cni_reduction *r, int64_t columns)
{
    size_t row = ((size_t)columns * r->itemsize + 127) / 64 * 64;
    if (!cni_group_room(g, &r->rows_memory, &r->rows_room, 3 * row + 64)) {
        return false;
    }
    r->row = r->rows_memory + (64 - (uintptr_t)r->rows_memory % 64) % 64; /* lines of the cache */
    r->total = r->row + row;
    r->kept = r->total + row;
    return true;
}

static bool reduction_bind(const cni_instr *x, const cni_part *part, const cni_window *w, cni_group_binding *g,
                           cni_reduction *r)
{
    const cni_cpu_kernels *kernels = cni_cpu_kernels_get();
    const cni_op *op = &w->ops[x->op];
    cni_geometry out = cni_window_geometry(w, part->access[x->access].view);
    int opcode = op->opcode;
    r->access = (uint16_t)x->access;
    r->value = x->src[0];
    r->dtype = x->dtype;
    r->kind = cni_ops[opcode].reduce_kind;
    r->itemsize = cn_dtype_size((cn_dtype)x->dtype);
    r->reduce = kernels->reduces[x->loop];
    r->rows = kernels->rows[x->loop];
    r->combine = kernels->loops[x->loop];
    r->has_initial = (op->flags & CNI_FLAG_INITIAL) != 0;
    cn_scalar identity;
    r->has_identity = cni_op_identity(opcode, &identity) &&
                      cn_scalar_cast(&identity, CN_STRONG, (cn_dtype)x->dtype, &r->identity) == CN_OK;
    r->initial = r->has_initial ? op->args[2] & ~CNI_SCALAR : 0;
    r->count = count_of(&out);
    r->block = cni_reduction_block(w, op, part->access[x->access].view);
    r->large = is_float_sum(r) && r->count > CNI_SMALL_SUM;
    int64_t leaf = r->large ? CNI_LEAF : CNI_SMALL_SUM;
    leaf = leaf < r->block ? leaf : r->block;
    size_t leaf_bytes = is_float_sum(r) && !g->last_kept ? (size_t)leaf * r->itemsize : 64;
    r->exact = r->large && r->exact == NULL ? cni_arena_raw(&g->arena, 2 * sizeof *r->exact) : r->exact;
    return cni_group_room(g, &r->scratch, &r->scratch_room, leaf_bytes) &&
           cni_reduce_rows_room(g, r, g->last_kept ? g->columns : 0) && (r->exact != NULL || !r->large);
}

/* The access whose memory the register is; CNI_NONE for a run of the tile. */
static uint32_t memory_of(const cni_group_binding *g, uint16_t reg)
{
    for (uint32_t i = 0; i < g->ndirect; i++) {
        if (g->direct[i].reg == reg) {
            return g->direct[i].access;
        }
    }
    return CNI_NONE;
}

static bool reductions_bind(const cni_part *part, const cni_window *w, cni_group_binding *g, cni_reduction *reductions)
{
    cni_reduction *r = reductions;
    for (uint32_t i = 0; i < part->ninstr; i++) {
        if (part->instr[i].kind == CNI_INSTR_REDUCE && !reduction_bind(&part->instr[i], part, w, g, r++)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < g->nsteps; i++) {
        if (g->steps[i].kind == CNI_STEP_REDUCE) {
            reductions[g->steps[i].reduction].in_run = g->steps[i].npointers != 0;
        }
    }
    for (uint32_t i = 0; i < g->nreductions; i++) {
        reductions[i].memory = memory_of(g, reductions[i].value);
    }
    return true;
}

bool cni_reduce_bind(const cni_part *part, const cni_window *w, cni_group_binding *g, cni_lane *lane)
{
    for (uint32_t k = 0; k < g->together; k++) {
        if (!reductions_bind(part, w, g, lane->reductions + k * g->nreductions)) {
            return false;
        }
    }
    return true;
}

/* ---- One result ---- */

void cni_result_begin(cni_reduction *r, const cni_run *run)
{
    r->seen = r->filled = 0;
    r->begun = true;
    if (r->has_initial) {
        r->accumulator = run->window->scalars[r->initial];
    } else if (r->has_identity) {
        r->accumulator = r->identity;
    } else {
        r->begun = false;
    }
    if (r->large) {
        cni_superacc_init(&r->exact[0]);
        cni_superacc_init(&r->exact[1]);
    }
}

/* The sum of a leaf as doubles: real, imaginary. */
static void leaf_sum(const cni_reduction *r, int64_t n, const char *values, double *sum)
{
    cn_scalar s = {.value = {.bytes = {0}}};
    sum[1] = 0;
    if (r->dtype == CN_FLOAT16) {
        float wide[CNI_LEAF];
        const cni_cpu_kernels *kernels = cni_cpu_kernels_get();
        void *p[2] = {wide, (void *)values};
        kernels->casts[CN_FLOAT16][CN_FLOAT32](n, p, 0);
        for (int i = 0; i < cni_ops[CNI_OP_ADD].nloops; i++) {
            if (cni_ops[CNI_OP_ADD].signatures[i].dtypes[0] == CN_FLOAT32) {
                kernels->reduces[cni_ops[CNI_OP_ADD].first_loop + i](n, wide, s.value.bytes);
            }
        }
        sum[0] = (double)s.value.f32;
        return;
    }
    r->reduce(n, values, s.value.bytes);
    switch (r->dtype) {
    case CN_FLOAT32:
        sum[0] = (double)s.value.f32;
        break;
    case CN_COMPLEX64:
        sum[0] = (double)s.value.c64[0];
        sum[1] = (double)s.value.c64[1];
        break;
    case CN_COMPLEX128:
        sum[0] = s.value.c128[0];
        sum[1] = s.value.c128[1];
        break;
    default:
        sum[0] = s.value.f64;
        break;
    }
}

static void take_leaf(cni_reduction *r, int64_t n, const char *values)
{
    if (!r->large) {
        r->reduce(n, values, r->accumulator.value.bytes);
        return;
    }
    if (r->dtype == CN_FLOAT64) {
        double total = 0;
        r->reduce(n, values, &total);
        cni_superacc_add(&r->exact[0], total);
        return;
    }
    double sum[2];
    leaf_sum(r, n, values, sum);
    cni_superacc_add(&r->exact[0], sum[0]);
    if (r->dtype >= CN_COMPLEX64) {
        cni_superacc_add(&r->exact[1], sum[1]);
    }
}

/* Elements of the leaf that begins where `seen` is. */
static int64_t leaf_length(const cni_reduction *r)
{
    int64_t position = r->block == r->count ? r->seen : r->seen % r->block, left = r->block - position;
    int64_t most = r->large ? CNI_LEAF : CNI_SMALL_SUM;
    return left < most ? left : most;
}

static void take_float_sum(cni_reduction *r, int64_t n, const char *values)
{
    while (n > 0) {
        int64_t leaf = leaf_length(r);
        if (r->filled == 0 && n >= leaf) {
            take_leaf(r, leaf, values);
            r->seen += leaf;
            values += (size_t)leaf * r->itemsize;
            n -= leaf;
            continue;
        }
        int64_t room = leaf - r->filled, part = n < room ? n : room;
        memcpy(r->scratch + (size_t)r->filled * r->itemsize, values, (size_t)part * r->itemsize);
        r->filled += part;
        values += (size_t)part * r->itemsize;
        n -= part;
        if (r->filled == leaf) {
            take_leaf(r, leaf, r->scratch);
            r->seen += leaf;
            r->filled = 0;
        }
    }
}

void cni_result_take(cni_reduction *r, int64_t n, const char *values)
{
    if (is_float_sum(r)) {
        take_float_sum(r, n, values);
        return;
    }
    if (!r->begun) {
        memcpy(r->accumulator.value.bytes, values, r->itemsize);
        r->begun = true;
        values += r->itemsize;
        n--;
    }
    if (n > 0) {
        r->reduce(n, values, r->accumulator.value.bytes);
    }
}

void cni_leaves_take(cni_reduction *r, int64_t n, const void *sums)
{
    for (int64_t i = 0; i < n; i++) {
        double sum = r->dtype == CN_FLOAT32 ? (double)((const float *)sums)[i] : ((const double *)sums)[i];
        cni_superacc_add(&r->exact[0], 0.0 + sum);
    }
    r->seen += n * CNI_LEAF;
}

static void add_double(cn_scalar *accumulator, uint8_t dtype, const double *sum)
{
    cn_scalar exact = {.dtype = dtype >= CN_COMPLEX64 ? CN_COMPLEX128 : CN_FLOAT64}, value;
    exact.value.c128[0] = sum[0];
    if (dtype >= CN_COMPLEX64) {
        exact.value.c128[1] = sum[1];
    }
    cn_scalar_cast(&exact, CN_STRONG, (cn_dtype)dtype, &value);
    switch (dtype) {
    case CN_FLOAT32:
        accumulator->value.f32 += value.value.f32;
        break;
    case CN_FLOAT64:
        accumulator->value.f64 += value.value.f64;
        break;
    case CN_COMPLEX64:
        accumulator->value.c64[0] += value.value.c64[0];
        accumulator->value.c64[1] += value.value.c64[1];
        break;
    case CN_COMPLEX128:
        accumulator->value.c128[0] += value.value.c128[0];
        accumulator->value.c128[1] += value.value.c128[1];
        break;
    default: {
        void *p[3] = {accumulator->value.bytes, accumulator->value.bytes, value.value.bytes};
        for (int i = 0; i < cni_ops[CNI_OP_ADD].nloops; i++) {
            if (cni_ops[CNI_OP_ADD].signatures[i].dtypes[0] == dtype) {
                cni_cpu_kernels_get()->loops[cni_ops[CNI_OP_ADD].first_loop + i](1, p, 0);
            }
        }
        break;
    }
    }
}

void cni_result_finish(cni_reduction *r, char *out)
{
    if (r->large) {
        double sum[2] = {cni_superacc_round(&r->exact[0]), 0};
        if (r->dtype >= CN_COMPLEX64) {
            sum[1] = cni_superacc_round(&r->exact[1]);
        }
        add_double(&r->accumulator, r->dtype, sum);
    }
    memcpy(out, r->accumulator.value.bytes, r->itemsize);
}

/* ---- A row of results: last axis kept ---- */

static void row_copy(const cni_reduction *r, char *to, const void *from, int64_t stride, int64_t n)
{
    int64_t size = (int64_t)r->itemsize;
    cni_cpu_kernels_get()->copies[__builtin_ctzll(r->itemsize)](n, to, size, from, stride);
}

void cni_row_begin(cni_reduction *r, const cni_run *run, int64_t columns)
{
    r->seen = 0;
    r->filled = 0; /* runs already in the total */
    r->begun = true;
    if (r->has_initial) {
        row_copy(r, r->row, run->window->scalars[r->initial].value.bytes, 0, columns);
    } else if (r->has_identity) {
        row_copy(r, r->row, r->identity.value.bytes, 0, columns);
    } else {
        r->begun = false;
    }
}

static void row_combine(const cni_reduction *r, char *to, const char *from, int64_t columns)
{
    void *p[3] = {to, to, (void *)from};
    r->combine(columns, p, 0);
}

static void row_fold(cni_reduction *r, int64_t columns)
{
    if (r->runs != NULL) {
        memcpy(r->runs + r->filled++ * r->runs_step, r->row, (size_t)columns * r->itemsize);
    } else if (r->filled++ == 0) {
        memcpy(r->total, r->row, (size_t)columns * r->itemsize);
    } else {
        row_combine(r, r->total, r->row, columns);
    }
    row_copy(r, r->row, r->identity.value.bytes, 0, columns);
}

int64_t cni_rows_left(const cni_reduction *r)
{
    return r->large ? CNI_LEAF - r->seen % CNI_LEAF : INT64_MAX;
}

void cni_rows_taken(cni_reduction *r, int64_t columns, int64_t rows)
{
    r->seen += rows;
    if (r->large && r->seen % CNI_LEAF == 0) {
        row_fold(r, columns);
    }
}

void cni_rows_returned(cni_reduction *r, int64_t rows)
{
    r->filled -= r->large && r->seen % CNI_LEAF == 0;
    r->seen -= rows;
}

/* Rows that lie `stride` bytes apart, one after the other. */
void cni_rows_take(cni_reduction *r, int64_t columns, int64_t rows, const char *values, int64_t stride)
{
    if (!r->begun) {
        memcpy(r->row, values, (size_t)columns * r->itemsize);
        r->begun = true;
        r->seen++;
        values += stride;
        rows--;
    }
    while (rows > 0) {
        int64_t left = cni_rows_left(r), count = left < rows ? left : rows;
        r->rows(columns, count, values, stride, r->row);
        cni_rows_taken(r, columns, count);
        values += count * stride;
        rows -= count;
    }
}

void cni_row_finish(cni_reduction *r, const cni_group_binding *g, const cni_lane *lane, int64_t columns)
{
    const cni_bound_access *a = &g->access[r->access];
    if (r->filled > 0) {
        row_combine(r, r->total, r->row, columns);
    }
    cni_cpu_kernels_get()->copies[a->log2_size](columns, lane->pointers[r->access], a->strides[g->ndim - 1],
                                                r->filled > 0 ? r->total : r->row, (int64_t)r->itemsize);
}
