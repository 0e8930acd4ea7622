/*
 * reduce.c - reductions at the end of a group. The order of additions follows from the shape of the reduced array
 * alone, never from tiles, threads or fusion:
 *
 *   last axis reduced   A result takes its elements in C order, in blocks (the trailing reduced axes that lie as one run
 *                       in the array as the program wrote it). Up to CNI_SMALL_SUM elements: each block in NumPy's
 *                       pairwise tree, blocks one after the other. More: leaves of at most CNI_LEAF elements of a block,
 *                       added up exactly.
 *   last axis kept      Rows are added one after the other; more than CNI_SMALL_SUM of them in runs of CNI_LEAF.
 */
#include <string.h>

#include "base/status.h"
#include "base/threads.h"
#include "cpu/events.h"
#include "cpu/group.h"
#include "cpu/reduce_chain.h"
#include "exec/nest.h"
#include "op/op.h"

enum { ROWS_TOGETHER = 16 };

static bool is_inexact(uint8_t dtype)
{
    return dtype >= CN_FLOAT16;
}

static bool is_float_sum(const cni_reduction *r)
{
    return r->kind == CNI_REDUCE_SUM && is_inexact(r->dtype);
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

/* Accumulators of a tile of results, and their totals. */
static bool rows_room(cni_group_binding *g, cni_reduction *r, size_t row)
{
    row = (row + 63) / 64 * 64;
    if (!cni_group_room(g, &r->row, &r->row_room, 2 * row)) {
        return false;
    }
    r->total = r->row + row;
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
    r->has_identity = cn_op_identity(opcode, &identity) == CN_OK &&
                      cn_scalar_cast(&identity, CN_STRONG, (cn_dtype)x->dtype, &r->identity) == CN_OK;
    r->initial = r->has_initial ? op->args[2] & ~CNI_SCALAR : 0;
    r->count = count_of(&out);
    r->block = cni_reduction_block(w, op, part->access[x->access].view);
    r->large = is_float_sum(r) && r->count > CNI_SMALL_SUM;
    int64_t leaf = r->large ? CNI_LEAF : CNI_SMALL_SUM;
    leaf = leaf < r->block ? leaf : r->block;
    size_t row = g->last_kept ? (size_t)g->columns * r->itemsize + 64 : 64;
    size_t leaf_bytes = is_float_sum(r) && !g->last_kept ? (size_t)leaf * r->itemsize : 64;
    r->exact = r->large && r->exact == NULL ? cni_arena_raw(&g->arena, 2 * sizeof *r->exact) : r->exact;
    return cni_group_room(g, &r->scratch, &r->scratch_room, leaf_bytes) && rows_room(g, r, row) && (r->exact != NULL || !r->large);
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

static void result_begin(cni_reduction *r, const cni_run *run)
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
    int64_t position = r->seen % r->block, left = r->block - position;
    if (!r->large) {
        return left < CNI_SMALL_SUM ? left : CNI_SMALL_SUM;
    }
    return left < CNI_LEAF ? left : CNI_LEAF;
}

/* Whole leaves of one block, as many as there are; returns how many elements they have. */
static int64_t take_whole_leaves(cni_reduction *r, int64_t n, const char *values)
{
    int64_t position = r->seen % r->block, left = r->block - position;
    int64_t taken = (n < left ? n : left) / CNI_LEAF * CNI_LEAF;
    for (int64_t i = 0; i < taken; i += CNI_LEAF) {
        take_leaf(r, CNI_LEAF, values + (size_t)i * r->itemsize);
    }
    r->seen += taken;
    return taken;
}

static void take_float_sum(cni_reduction *r, int64_t n, const char *values)
{
    if (r->large && r->filled == 0) {
        int64_t taken = take_whole_leaves(r, n, values);
        values += (size_t)taken * r->itemsize;
        n -= taken;
    }
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

static void result_take(cni_reduction *r, int64_t n, const char *values)
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

static void result_finish(cni_reduction *r, char *out)
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

static void row_begin(cni_reduction *r, const cni_run *run, int64_t columns)
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

/* Rows that lie `stride` bytes apart, one after the other. */
static void rows_take(cni_reduction *r, int64_t columns, int64_t rows, const char *values, int64_t stride)
{
    if (!r->begun) {
        memcpy(r->row, values, (size_t)columns * r->itemsize);
        r->begun = true;
        r->seen++;
        values += stride;
        rows--;
    }
    while (rows > 0) {
        int64_t left = CNI_LEAF - r->seen % CNI_LEAF, count = r->large && left < rows ? left : rows;
        r->rows(columns, count, values, stride, r->row);
        r->seen += count;
        values += count * stride;
        rows -= count;
        if (r->large && r->seen % CNI_LEAF == 0) {
            row_fold(r, columns);
        }
    }
}

static void row_finish(cni_reduction *r, const cni_group_binding *g, const cni_lane *lane, int64_t columns)
{
    const cni_bound_access *a = &g->access[r->access];
    if (r->filled > 0) {
        row_combine(r, r->total, r->row, columns);
    }
    cni_cpu_kernels_get()->copies[a->log2_size](columns, lane->pointers[r->access], a->strides[g->ndim - 1],
                                                r->filled > 0 ? r->total : r->row, (int64_t)r->itemsize);
}

/* ---- Driving ---- */

void cni_reduce_tile(const cni_group_binding *g, cni_lane *lane, cni_reduction *r, const cni_run *run, int64_t rows, int64_t columns)
{
    const char *values = lane->registers[r->value];
    if (g->last_kept) {
        rows_take(r, columns, rows, values, columns * (int64_t)r->itemsize);
        return;
    }
    int64_t bytes = columns * (int64_t)r->itemsize;
    if (g->blocked) {
        for (int64_t i = 0; i < rows; i++) {
            result_take(r + i * g->nreductions, columns, values + i * bytes);
        }
        return;
    }
    if (g->across) {
        int64_t last = g->shape[1];
        for (int64_t i = 0; i < rows; i++) {
            r->seen = (lane->index[0] + i) * last + lane->index[1];
            result_take(r, columns, values + i * bytes);
        }
        return;
    }
    if (g->rows == 1) {
        result_take(r, columns, values);
        return;
    }
    int64_t row = g->access[r->access].strides[g->ndim - 2];
    for (int64_t i = 0; i < rows; i++) {
        result_begin(r, run);
        result_take(r, columns, values + i * bytes);
        result_finish(r, lane->pointers[r->access] + i * row);
    }
}

/* Puts dimensions [first, end) at a place counted in C order. */
static void seek(const cni_group_binding *g, cni_lane *lane, int first, int end, int64_t place)
{
    for (int d = end - 1; d >= first; d--) {
        lane->index[d] = place % g->shape[d];
        place /= g->shape[d];
    }
}

/* Advances dimensions [first, end) in C order; false when they begin anew. */
static bool advance(const cni_group_binding *g, cni_lane *lane, int first, int end)
{
    int d = end - 1;
    while (d >= first && ++lane->index[d] == g->shape[d]) {
        lane->index[d--] = 0;
    }
    return d >= first;
}

/* Units [first, end): tiles of results by whole reductions. */
static void run_rows(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t first, int64_t end)
{
    int last = g->nkept - 1;
    int64_t tiles = (g->shape[last] + g->rows - 1) / g->rows;
    for (int64_t unit = first; unit < end; unit++) {
        seek(g, lane, 0, last, unit / tiles);
        lane->index[last] = unit % tiles * g->rows;
        int64_t left = g->shape[last] - lane->index[last];
        cni_lane_point(g, lane, run);
        cni_tile_run(g, lane, run, left < g->rows ? left : g->rows, g->columns);
    }
}

/* Tiles of the one result there is: rows [from, to) of the reduced array. */
static void take_across(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t from, int64_t to)
{
    for (int64_t row = from; row < to; row += g->rows) {
        int64_t rows = to - row < g->rows ? to - row : g->rows;
        lane->index[0] = row;
        for (int64_t column = 0; column < g->shape[1]; column += g->columns) {
            int64_t left = g->shape[1] - column;
            lane->index[1] = column;
            cni_lane_point(g, lane, run);
            cni_tile_run(g, lane, run, rows, left < g->columns ? left : g->columns);
        }
    }
    lane->index[0] = lane->index[1] = 0;
}

/* The reduced elements [from, to), in C order, of the result that the lane is at. */
static void take_elements(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t from, int64_t to)
{
    int inner = g->ndim - 1;
    if (g->across) {
        take_across(g, lane, run, from / g->shape[1], to / g->shape[1]);
        return;
    }
    if (g->ndim == g->nkept) { /* nothing but extents of one */
        cni_lane_point(g, lane, run);
        cni_tile_run(g, lane, run, 1, 1);
        return;
    }
    seek(g, lane, g->nkept, g->ndim, from);
    while (from < to) {
        int64_t left = g->shape[inner] - lane->index[inner], columns = left < g->columns ? left : g->columns;
        columns = columns < to - from ? columns : to - from;
        cni_lane_point(g, lane, run);
        cni_tile_run(g, lane, run, 1, columns);
        from += columns;
        lane->index[inner] += columns;
        if (lane->index[inner] == g->shape[inner]) {
            lane->index[inner] = 0;
            advance(g, lane, g->nkept, inner);
        }
    }
    seek(g, lane, g->nkept, g->ndim, 0);
}

/* Units [first, end): results, each by all its elements. */
static void run_results(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t first, int64_t end)
{
    int64_t elements = cni_group_extent(g, g->nkept, g->ndim);
    for (int64_t unit = first; unit < end; unit++) {
        seek(g, lane, 0, g->nkept, unit);
        for (uint32_t i = 0; i < g->nreductions; i++) {
            result_begin(&lane->reductions[i], run);
        }
        if (elements > 0) {
            take_elements(g, lane, run, 0, elements);
        }
        cni_lane_point(g, lane, run);
        for (uint32_t i = 0; i < g->nreductions; i++) {
            result_finish(&lane->reductions[i], lane->pointers[lane->reductions[i].access]);
        }
    }
}

/* Units [first, end): tiles of results that are taken side by side. */
static void run_blocks(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t first, int64_t end)
{
    int kept = g->nkept - 1, inner = g->ndim - 1;
    int64_t tiles = (g->shape[kept] + g->rows - 1) / g->rows;
    for (int64_t unit = first; unit < end; unit++) {
        seek(g, lane, 0, kept, unit / tiles);
        lane->index[kept] = unit % tiles * g->rows;
        int64_t left = g->shape[kept] - lane->index[kept], rows = left < g->rows ? left : g->rows;
        int64_t count = rows * g->nreductions;
        for (int64_t i = 0; i < count; i++) {
            result_begin(&lane->reductions[i], run);
        }
        for (; lane->index[inner] < g->shape[inner]; lane->index[inner] += g->columns) {
            int64_t rest = g->shape[inner] - lane->index[inner];
            cni_lane_point(g, lane, run);
            cni_tile_run(g, lane, run, rows, rest < g->columns ? rest : g->columns);
        }
        lane->index[inner] = 0;
        cni_lane_point(g, lane, run);
        for (int64_t i = 0; i < count; i++) {
            cni_reduction *r = &lane->reductions[i];
            result_finish(r, lane->pointers[r->access] + i / g->nreductions * g->access[r->access].strides[kept]);
        }
    }
}

/* Units [first, end): neighbouring results, whose runs along the innermost dimension are taken in turn. */
static void run_turns(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t first, int64_t end)
{
    int inner = g->ndim - 1;
    int64_t results = cni_group_extent(g, 0, g->nkept), outer = cni_group_extent(g, g->nkept, inner);
    cni_reduction *all = lane->reductions;
    for (int64_t unit = first; unit < end; unit++) {
        int64_t begin = unit * g->together, left = results - begin, count = left < g->together ? left : g->together;
        for (int64_t i = 0; i < count * g->nreductions; i++) {
            result_begin(&all[i], run);
        }
        for (int64_t turn = 0; turn < outer * count; turn++) {
            seek(g, lane, g->nkept, inner, turn / count);
            seek(g, lane, 0, g->nkept, begin + turn % count);
            lane->reductions = all + turn % count * g->nreductions;
            for (int64_t c = 0; c < g->shape[inner]; c += g->columns) {
                int64_t rest = g->shape[inner] - c;
                lane->index[inner] = c;
                cni_lane_point(g, lane, run);
                cni_tile_run(g, lane, run, 1, rest < g->columns ? rest : g->columns);
            }
            lane->index[inner] = 0;
        }
        lane->reductions = all;
        seek(g, lane, g->nkept, inner, 0);
        for (int64_t k = 0; k < count; k++) {
            seek(g, lane, 0, g->nkept, begin + k);
            cni_lane_point(g, lane, run);
            for (uint32_t i = 0; i < g->nreductions; i++) {
                cni_reduction *r = &all[k * g->nreductions + i];
                result_finish(r, lane->pointers[r->access]);
            }
        }
    }
}

/* Is all that there is to do to reduce what lies in memory? */
static bool memory_alone(const cni_group_binding *g)
{
    bool alone = g->nsteps == g->nreductions;
    for (uint32_t i = 0; i < g->nreductions; i++) {
        alone &= g->lanes[0].reductions[i].memory != CNI_NONE;
    }
    return alone;
}

/* The rows along the innermost reduced dimension, from memory. */
static void memory_rows(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t columns)
{
    int inner = g->ndim - 2;
    int64_t rows = inner >= g->nkept ? g->shape[inner] : 1;
    int64_t together = g->nreductions > 1 ? ROWS_TOGETHER : rows; /* the next reduction finds them in the cache */
    cni_lane_point(g, lane, run);
    for (int64_t row = 0; row < rows; row += together) {
        int64_t count = rows - row < together ? rows - row : together;
        for (uint32_t i = 0; i < g->nreductions; i++) {
            cni_reduction *r = &lane->reductions[i];
            int64_t stride = rows > 1 ? g->access[r->memory].strides[inner] : 0;
            rows_take(r, columns, count, lane->pointers[r->memory] + row * stride, stride);
        }
    }
}

/* Advances by a tile's rows; false when the reduced dimensions begin anew. */
static bool next_rows(const cni_group_binding *g, cni_lane *lane)
{
    int inner = g->ndim - 2;
    if (inner >= g->nkept && (lane->index[inner] += g->rows) < g->shape[inner]) {
        return true;
    }
    if (inner >= g->nkept) {
        lane->index[inner] = 0;
    }
    return advance(g, lane, g->nkept, inner);
}

/* Units [first, end): tiles of results, to which whole rows are added. */
static void run_columns(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t first, int64_t end)
{
    int last = g->ndim - 1;
    int64_t tiles = (g->shape[last] + g->columns - 1) / g->columns;
    bool any = cni_group_extent(g, g->nkept, last) > 0, alone = memory_alone(g);
    for (int64_t unit = first; unit < end; unit++) {
        seek(g, lane, 0, g->nkept, unit / tiles);
        lane->index[last] = unit % tiles * g->columns;
        int64_t left = g->shape[last] - lane->index[last], columns = left < g->columns ? left : g->columns;
        for (uint32_t i = 0; i < g->nreductions; i++) {
            row_begin(&lane->reductions[i], run, columns);
        }
        if (g->share != NULL) {
            cni_reduce_share_begin(g, lane, columns);
        }
        for (bool more = any; more && !alone; more = next_rows(g, lane)) {
            int64_t rows = g->rows > 1 ? g->shape[last - 1] - lane->index[last - 1] : 1;
            cni_lane_point(g, lane, run);
            cni_tile_run(g, lane, run, rows < g->rows ? rows : g->rows, columns);
        }
        for (bool more = any; more && alone; more = advance(g, lane, g->nkept, last - 1)) {
            memory_rows(g, lane, run, columns);
        }
        cni_lane_point(g, lane, run);
        if (g->share != NULL) {
            cni_reduce_share_end(g, lane, columns);
            continue;
        }
        for (uint32_t i = 0; i < g->nreductions; i++) {
            row_finish(&lane->reductions[i], g, lane, columns);
        }
    }
}

/* ---- Threads ---- */

typedef struct reduce_run {
    const cni_group_binding *g;
    const cni_run *run;
    void (*units)(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t first, int64_t end);
    int64_t count, quantum; /* quantum: elements that stay together when one result is shared out */
    int64_t first;          /* the quantum that the share begins with */
    int lanes;
} reduce_run;

static void run_lane(void *context, int k)
{
    const reduce_run *r = context;
    cni_events_clear();
    r->units(r->g, &r->g->lanes[k], r->run, cni_lane_begin(r->count, k, r->lanes), cni_lane_begin(r->count, k + 1, r->lanes));
}

/* A share of one result's elements, from a place where leaves begin. */
static void run_share(void *context, int k)
{
    const reduce_run *r = context;
    cni_lane *lane = &r->g->lanes[k];
    int64_t elements = cni_group_extent(r->g, r->g->nkept, r->g->ndim);
    int64_t from = (r->first + cni_lane_begin(r->count, k, r->lanes)) * r->quantum;
    int64_t to = (r->first + cni_lane_begin(r->count, k + 1, r->lanes)) * r->quantum;
    cni_events_clear();
    for (uint32_t i = 0; i < r->g->nreductions; i++) {
        cni_reduction *reduction = &lane->reductions[i];
        result_begin(reduction, r->run);
        if (from > 0 && reduction->has_initial) { /* it counts once */
            reduction->begun = reduction->has_identity;
            reduction->accumulator = reduction->identity;
        }
        reduction->seen = from;
    }
    take_elements(r->g, lane, r->run, from, to < elements ? to : elements);
}

static void share_merge(cni_reduction *into, cni_reduction *from)
{
    if (into->large) {
        cni_superacc_merge(&into->exact[0], &from->exact[0]);
        cni_superacc_merge(&into->exact[1], &from->exact[1]);
    } else if (from->begun) {
        result_take(into, 1, (const char *)from->accumulator.value.bytes);
    }
}

/* How many elements must stay together so that a result may be shared out without changing bits; 0: all of them. */
static int64_t share_quantum(const cni_group_binding *g)
{
    int64_t quantum = CNI_LEAF;
    for (uint32_t i = 0; i < g->nreductions; i++) {
        const cni_reduction *r = &g->lanes[0].reductions[i];
        bool exact = r->kind == CNI_REDUCE_ANY_ORDER || (r->kind == CNI_REDUCE_SUM && !is_inexact(r->dtype));
        if (!exact && !r->large) {
            return 0;
        }
        if (r->large && r->block != r->count) { /* leaves begin anew with every block */
            quantum = r->block % quantum == 0 ? r->block : quantum % r->block == 0 ? quantum : r->block * quantum;
        }
    }
    return quantum;
}

/* Quanta [first, first + count) of the result at this place of the kept axes, into lane 0. */
static void share_result(reduce_run *r, int64_t unit)
{
    const cni_group_binding *g = r->g;
    for (int k = 0; k < r->lanes; k++) {
        seek(g, &g->lanes[k], 0, g->nkept, unit);
    }
    cni_threads_run(r->lanes, run_share, r);
    for (uint32_t i = 0; i < g->nreductions; i++) {
        for (int k = 1; k < r->lanes; k++) {
            share_merge(&g->lanes[0].reductions[i], &g->lanes[k].reductions[i]);
        }
    }
    cni_lane_point(g, &g->lanes[0], r->run);
}

static void results_finish(const cni_group_binding *g)
{
    for (uint32_t i = 0; i < g->nreductions; i++) {
        cni_reduction *reduction = &g->lanes[0].reductions[i];
        result_finish(reduction, g->lanes[0].pointers[reduction->access]);
    }
}

static void share_out(cni_group_binding *g, const cni_run *run, int64_t quantum)
{
    reduce_run r = {.g = g, .run = run, .quantum = quantum, .count = (cni_group_extent(g, g->nkept, g->ndim) + quantum - 1) / quantum};
    r.lanes = r.count < g->nlanes ? (int)r.count : g->nlanes;
    int64_t results = cni_group_extent(g, 0, g->nkept);
    for (int64_t unit = 0; unit < results; unit++) {
        share_result(&r, unit);
        results_finish(g);
    }
}

/* ---- Shares of several places ---- */

enum { PARTIAL_RESULTS = 256 };

typedef struct partial_state {
    cni_superacc exact[2];
    cn_scalar accumulator;
    bool begun;
} partial_state;

int64_t cni_reduce_quantum(const cni_group_binding *g)
{
    bool whole = g->nreductions == 0 || g->last_kept || cni_group_extent(g, 0, g->nkept) > PARTIAL_RESULTS || g->ndim == g->nkept;
    return whole ? 0 : share_quantum(g);
}

int64_t cni_reduce_partial_bytes(const cni_group_binding *g)
{
    return cni_group_extent(g, 0, g->nkept) * g->nreductions * (int64_t)sizeof(partial_state);
}

void cni_reduce_partial(cni_group_binding *g, const cni_run *run, int64_t from, int64_t to, void *state)
{
    int64_t quantum = share_quantum(g), results = cni_group_extent(g, 0, g->nkept);
    reduce_run r = {.g = g, .run = run, .quantum = quantum, .first = from / quantum};
    r.count = (to + quantum - 1) / quantum - r.first;
    r.lanes = r.count < g->nlanes ? (int)r.count : g->nlanes;
    partial_state *left = state;
    for (int64_t unit = 0; unit < results; unit++) {
        share_result(&r, unit);
        for (uint32_t i = 0; i < g->nreductions; i++, left++) {
            const cni_reduction *reduction = &g->lanes[0].reductions[i];
            *left = (partial_state){.accumulator = reduction->accumulator, .begun = reduction->begun};
            if (reduction->large) {
                left->exact[0] = reduction->exact[0];
                left->exact[1] = reduction->exact[1];
            }
        }
    }
}

/* The reduction as a share left it, its sums in the state's own memory. */
static cni_reduction partial_reduction(const cni_reduction *of, partial_state *state)
{
    cni_reduction r = *of;
    r.accumulator = state->accumulator;
    r.begun = state->begun;
    r.exact = state->exact;
    return r;
}

void cni_reduce_finish(cni_group_binding *g, const cni_run *run, int n, const void *states)
{
    int64_t results = cni_group_extent(g, 0, g->nkept), stride = results * g->nreductions;
    const partial_state *all = states;
    cni_lane *lane = &g->lanes[0];
    for (int64_t unit = 0; unit < results; unit++) {
        seek(g, lane, 0, g->ndim, unit * cni_group_extent(g, g->nkept, g->ndim));
        cni_lane_point(g, lane, run);
        for (uint32_t i = 0; i < g->nreductions; i++) {
            partial_state sum = all[unit * g->nreductions + i];
            cni_reduction into = partial_reduction(&lane->reductions[i], &sum);
            for (int k = 1; k < n; k++) {
                partial_state other = all[k * stride + unit * g->nreductions + i];
                cni_reduction from = partial_reduction(&lane->reductions[i], &other);
                if (!into.large && !into.begun) {
                    into = from;
                } else {
                    share_merge(&into, &from);
                }
            }
            result_finish(&into, lane->pointers[into.access]);
        }
    }
}

void cni_reduce_run(cni_group_binding *g, const cni_run *run)
{
    int64_t results = cni_group_extent(g, 0, g->nkept), last = g->ndim > 0 ? g->shape[g->ndim - 1] : 1;
    reduce_run r = {.g = g, .run = run, .units = run_results, .count = results};
    if (results == 0 || (g->last_kept && last == 0)) {
        return;
    }
    if (g->last_kept) {
        r.units = run_columns;
        r.count = results * ((last + g->columns - 1) / g->columns);
    } else if (g->across) {
        share_out(g, run, g->rows * g->shape[1]);
        return;
    } else if (g->together > 1 && !g->blocked) {
        r.units = run_turns;
        r.count = (results + g->together - 1) / g->together;
    } else if (g->blocked || g->rows > 1) {
        r.units = g->blocked ? run_blocks : run_rows;
        r.count = results / g->shape[g->nkept - 1] * ((g->shape[g->nkept - 1] + g->rows - 1) / g->rows);
    } else if (results < g->nlanes && share_quantum(g) > 0) {
        share_out(g, run, share_quantum(g));
        return;
    }
    r.lanes = r.count < g->nlanes ? (int)r.count : g->nlanes;
    cni_threads_run(r.lanes, run_lane, &r);
}
