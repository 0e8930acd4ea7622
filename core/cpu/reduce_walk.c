/*
 * reduce_walk.c - runs a group that reduces: how its elements are walked, and shared out over threads and places, so that
 * every result takes them in its own order (reduce.c) while memory is read as it lies.
 */
#include <string.h>

#include "base/threads.h"
#include "cpu/events.h"
#include "cpu/group.h"
#include "cpu/reduce_chain.h"
#include "cpu/reduce_take.h"
#include "cpu/tier1.h"

enum { ROWS_TOGETHER = 16 };

/*
 * Is all that a result takes one row, which the loop adds to what it begins with? A single row may be a share's, whose state
 * is asked for.
 */
static bool takes_rows(const cni_reduction *r, int64_t rows, int64_t columns)
{
    bool float_sum = r->kind == CNI_REDUCE_SUM && cni_is_inexact(r->dtype);
    return rows > 1 && columns > 0 && (!float_sum || (!r->large && r->block == r->count && r->count == columns));
}

/* Rows that are a result each, `step` bytes apart: nothing of the reduction is kept from one to the next. */
static void take_rows(const cni_reduction *r, const cni_run *run, int64_t rows, int64_t columns, const char *values,
                      char *out, int64_t step)
{
    const cn_scalar *begin = r->has_initial ? &run->window->scalars[r->initial] : r->has_identity ? &r->identity : NULL;
    int64_t bytes = columns * (int64_t)r->itemsize, first = begin == NULL ? 1 : 0;
    for (int64_t i = 0; i < rows; i++, values += bytes, out += step) {
        cn_scalar result = {0};
        memcpy(result.value.bytes, begin == NULL ? (const void *)values : begin->value.bytes, r->itemsize);
        if (columns > first) {
            r->reduce(columns - first, values + first * (int64_t)r->itemsize, result.value.bytes);
        }
        memcpy(out, result.value.bytes, r->itemsize);
    }
}

void cni_reduce_tile(const cni_group_binding *g, cni_lane *lane, cni_reduction *r, const cni_run *run, int64_t rows,
                     int64_t columns)
{
    const char *values = lane->registers[r->value];
    if (g->last_kept) {
        cni_rows_take(r, columns, rows, values, columns * (int64_t)r->itemsize);
        return;
    }
    int64_t bytes = columns * (int64_t)r->itemsize;
    if (g->blocked) {
        for (int64_t i = 0; i < rows; i++) {
            cni_result_take(r + i * g->nreductions, columns, values + i * bytes);
        }
        return;
    }
    if (g->across) {
        int64_t last = g->shape[1];
        for (int64_t i = 0; i < rows; i++) {
            r->seen = (lane->index[0] + i) * last + lane->index[1];
            cni_result_take(r, columns, values + i * bytes);
        }
        return;
    }
    if (g->rows == 1) {
        cni_result_take(r, columns, values);
        return;
    }
    int64_t row = g->access[r->access].strides[g->ndim - 2];
    if (takes_rows(r, rows, columns)) {
        take_rows(r, run, rows, columns, values, lane->pointers[r->access], row);
        return;
    }
    for (int64_t i = 0; i < rows; i++) {
        cni_result_begin(r, run);
        cni_result_take(r, columns, values + i * bytes);
        cni_result_finish(r, lane->pointers[r->access] + i * row);
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

/* How many of the elements that are left along a row are taken at once. */
static int64_t stretch(const cni_group_binding *g, int64_t left)
{
    int64_t leaves = cni_tier1_leaves(g);
    if (leaves > 0 && left >= CNI_LEAF) {
        return left < leaves ? left - left % CNI_LEAF : leaves;
    }
    return left < g->columns ? left : g->columns;
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
        int64_t left = g->shape[inner] - lane->index[inner];
        int64_t columns = stretch(g, left < to - from ? left : to - from);
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
            cni_result_begin(&lane->reductions[i], run);
        }
        if (elements > 0) {
            take_elements(g, lane, run, 0, elements);
        }
        cni_lane_point(g, lane, run);
        for (uint32_t i = 0; i < g->nreductions; i++) {
            cni_result_finish(&lane->reductions[i], lane->pointers[lane->reductions[i].access]);
        }
    }
}

static void results_begin(cni_lane *lane, const cni_run *run, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        cni_result_begin(&lane->reductions[i], run);
    }
}

/* Stores results that are neighbours along the last kept dimension; the lane is at the first. */
static void results_end(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t count)
{
    cni_lane_point(g, lane, run);
    for (int64_t i = 0; i < count * g->nreductions; i++) {
        cni_reduction *r = &lane->reductions[i];
        int64_t step = g->access[r->access].strides[g->nkept - 1];
        cni_result_finish(r, lane->pointers[r->access] + i / g->nreductions * step);
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
        results_begin(lane, run, rows * g->nreductions);
        for (; lane->index[inner] < g->shape[inner]; lane->index[inner] += g->columns) {
            int64_t rest = g->shape[inner] - lane->index[inner];
            cni_lane_point(g, lane, run);
            cni_tile_run(g, lane, run, rows, rest < g->columns ? rest : g->columns);
        }
        lane->index[inner] = 0;
        results_end(g, lane, run, rows);
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

/* What `count` neighbouring results take along the innermost dimension, one after the other; the lane is at the first. */
static void take_turns(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t count, bool alone)
{
    int kept = g->nkept - 1, inner = g->ndim - 1;
    int64_t first = lane->index[kept], length = g->shape[inner];
    cni_reduction *all = lane->reductions;
    if (alone) {
        cni_lane_point(g, lane, run);
    }
    for (int64_t k = 0; k < count && alone; k++) {
        for (uint32_t i = 0; i < g->nreductions; i++) {
            cni_reduction *r = &all[k * g->nreductions + i];
            cni_result_take(r, length, lane->pointers[r->memory] + k * g->access[r->memory].strides[kept]);
        }
    }
    for (int64_t k = 0; k < count && !alone; k++) {
        lane->index[kept] = first + k;
        lane->reductions = all + k * g->nreductions;
        for (; lane->index[inner] < length; lane->index[inner] += g->columns) {
            int64_t rest = length - lane->index[inner];
            cni_lane_point(g, lane, run);
            cni_tile_run(g, lane, run, 1, rest < g->columns ? rest : g->columns);
        }
        lane->index[inner] = 0;
    }
    lane->reductions = all;
    lane->index[kept] = first;
}

/* Units [first, end): neighbouring results, whose runs along the innermost dimension are taken in turn. */
static void run_turns(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t first, int64_t end)
{
    int kept = g->nkept - 1, inner = g->ndim - 1;
    int64_t tiles = (g->shape[kept] + g->together - 1) / g->together;
    bool any = cni_group_extent(g, g->nkept, g->ndim) > 0, alone = memory_alone(g);
    for (int64_t unit = first; unit < end; unit++) {
        seek(g, lane, 0, kept, unit / tiles);
        lane->index[kept] = unit % tiles * g->together;
        int64_t left = g->shape[kept] - lane->index[kept], count = left < g->together ? left : g->together;
        results_begin(lane, run, count * g->nreductions);
        for (bool more = any; more; more = advance(g, lane, g->nkept, inner)) {
            take_turns(g, lane, run, count, alone);
        }
        results_end(g, lane, run, count);
    }
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
            cni_rows_take(r, columns, count, lane->pointers[r->memory] + row * stride, stride);
        }
    }
}

/* Advances by so many rows; false when the reduced dimensions begin anew. */
static bool next_rows(const cni_group_binding *g, cni_lane *lane, int64_t rows)
{
    int inner = g->ndim - 2;
    if (inner >= g->nkept && (lane->index[inner] += rows) < g->shape[inner]) {
        return true;
    }
    if (inner >= g->nkept) {
        lane->index[inner] = 0;
    }
    return advance(g, lane, g->nkept, inner);
}

/* Results that are taken together. */
static int64_t unit_columns(const cni_group_binding *g)
{
    return cni_tier1_accumulates(g) ? g->wide : g->columns;
}

/* Units [first, end): neighbouring results, to which whole rows are added. */
static void run_columns(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t first, int64_t end)
{
    int last = g->ndim - 1;
    int64_t wide = unit_columns(g), tall = cni_tier1_accumulates(g) ? g->tall : g->rows;
    int64_t tiles = (g->shape[last] + wide - 1) / wide;
    bool any = cni_group_extent(g, g->nkept, last) > 0, alone = memory_alone(g);
    for (int64_t unit = first; unit < end; unit++) {
        seek(g, lane, 0, g->nkept, unit / tiles);
        lane->index[last] = unit % tiles * wide;
        int64_t left = g->shape[last] - lane->index[last], columns = left < wide ? left : wide;
        for (uint32_t i = 0; i < g->nreductions; i++) {
            cni_row_begin(&lane->reductions[i], run, columns);
        }
        if (g->share != NULL) {
            cni_reduce_share_begin(g, lane, columns);
        }
        for (bool more = any; more && !alone; more = next_rows(g, lane, tall)) {
            int64_t rows = tall > 1 ? g->shape[last - 1] - lane->index[last - 1] : 1;
            cni_lane_point(g, lane, run);
            cni_tile_run(g, lane, run, rows < tall ? rows : tall, columns);
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
            cni_row_finish(&lane->reductions[i], g, lane, columns);
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
    r->units(r->g, &r->g->lanes[k], r->run, cni_lane_begin(r->count, k, r->lanes),
             cni_lane_begin(r->count, k + 1, r->lanes));
}

/* What is before the elements from there on. */
static void share_begin(cni_reduction *r, const cni_run *run, int64_t from)
{
    cni_result_begin(r, run);
    if (from > 0 && r->has_initial) { /* it counts once */
        r->begun = r->has_identity;
        r->accumulator = r->identity;
    }
    r->seen = from;
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
        share_begin(&lane->reductions[i], r->run, from);
    }
    take_elements(r->g, lane, r->run, from, to < elements ? to : elements);
}

static void share_merge(cni_reduction *into, cni_reduction *from)
{
    if (into->large) {
        cni_superacc_merge(&into->exact[0], &from->exact[0]);
        cni_superacc_merge(&into->exact[1], &from->exact[1]);
    } else if (from->begun) {
        cni_result_take(into, 1, (const char *)from->accumulator.value.bytes);
    }
}

/* How many elements must stay together so that a result may be shared out without changing bits; 0: all of them. */
static int64_t share_quantum(const cni_group_binding *g)
{
    int64_t quantum = CNI_LEAF;
    for (uint32_t i = 0; i < g->nreductions; i++) {
        const cni_reduction *r = &g->lanes[0].reductions[i];
        bool exact = r->kind == CNI_REDUCE_ANY_ORDER || (r->kind == CNI_REDUCE_SUM && !cni_is_inexact(r->dtype));
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
        cni_result_finish(reduction, g->lanes[0].pointers[reduction->access]);
    }
}

static void share_out(cni_group_binding *g, const cni_run *run, int64_t quantum)
{
    reduce_run r = {.g = g,
                    .run = run,
                    .quantum = quantum,
                    .count = (cni_group_extent(g, g->nkept, g->ndim) + quantum - 1) / quantum};
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
    bool whole = g->nreductions == 0 || g->last_kept || cni_group_extent(g, 0, g->nkept) > PARTIAL_RESULTS ||
                 g->ndim == g->nkept;
    return whole ? 0 : share_quantum(g);
}

int64_t cni_reduce_partial_bytes(const cni_group_binding *g)
{
    return cni_group_extent(g, 0, g->nkept) * g->nreductions * (int64_t)sizeof(partial_state);
}

static partial_state state_of(const cni_reduction *r)
{
    partial_state state = {.accumulator = r->accumulator, .begun = r->begun};
    if (r->large) {
        state.exact[0] = r->exact[0];
        state.exact[1] = r->exact[1];
    }
    return state;
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
            *left = state_of(&g->lanes[0].reductions[i]);
        }
    }
}

void cni_reduce_take_left(cni_group_binding *g, const cni_run *run, int64_t from, const cni_left *left, void *state)
{
    int64_t results = cni_group_extent(g, 0, g->nkept);
    partial_state *out = state;
    for (int64_t unit = 0; unit < results; unit++) {
        for (uint32_t i = 0; i < g->nreductions; i++, left++, out++) {
            cni_reduction *r = &g->lanes[0].reductions[i];
            share_begin(r, run, from);
            if (r->large) {
                cni_superacc_set(&r->exact[0], left->exact[0]);
                cni_superacc_set(&r->exact[1], left->exact[1]);
            } else if (left->begun) {
                cni_result_take(r, 1, (const char *)left->value);
            }
            *out = state_of(r);
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
            cni_result_finish(&into, lane->pointers[into.access]);
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
        r.count = results * ((last + unit_columns(g) - 1) / unit_columns(g));
    } else if (g->across) {
        share_out(g, run, g->rows * g->shape[1]);
        return;
    } else if (g->together > 1 && !g->blocked) {
        r.units = run_turns;
        r.count = results / g->shape[g->nkept - 1] * ((g->shape[g->nkept - 1] + g->together - 1) / g->together);
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
