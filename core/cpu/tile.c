/* tile.c - tier 0: interprets a group's program tile by tile, and finds out which op raised a floating-point event. */
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "cpu/events.h"
#include "cpu/group.h"
#include "cpu/loop_events.h"
#include "cpu/tier1.h"

/* ---- Moving between memory and runs ---- */

/* Bytes from row to row and from column to column of the tile where it lies in memory. */
typedef struct steps {
    int64_t row, column;
} steps;

static steps steps_of(const cni_group_binding *g, uint32_t access, int64_t rows)
{
    const int64_t *strides = g->access[access].strides;
    return (steps){.row = rows > 1 ? strides[g->ndim - 2] : 0, .column = g->ndim > 0 ? strides[g->ndim - 1] : 0};
}

static void load(const cni_group_binding *g, const cni_lane *lane, const cni_step *step, int64_t rows, int64_t columns)
{
    int log2_size = g->access[step->access].log2_size;
    int64_t size = (int64_t)1 << log2_size;
    steps from = steps_of(g, step->access, rows);
    cni_cpu_kernels_get()->planes[log2_size](rows, columns, lane->registers[step->registers[0]], columns * size, size,
                                             lane->pointers[step->access], from.row, from.column);
}

static void store(const cni_group_binding *g, const cni_lane *lane, const cni_step *step, int64_t rows, int64_t columns)
{
    int log2_size = g->access[step->access].log2_size;
    int64_t size = (int64_t)1 << log2_size;
    steps to = steps_of(g, step->access, rows);
    cni_cpu_kernels_get()->planes[log2_size](rows, columns, lane->pointers[step->access], to.row, to.column,
                                             lane->registers[step->registers[0]], columns * size, size);
}

/* From memory to memory. */
static void move(const cni_group_binding *g, const cni_lane *lane, const cni_step *step, int64_t rows, int64_t columns)
{
    uint32_t source = step->registers[0];
    steps to = steps_of(g, step->access, rows), from = steps_of(g, source, rows);
    cni_cpu_kernels_get()->planes[g->access[source].log2_size](
        rows, columns, lane->pointers[step->access], to.row, to.column, lane->pointers[source], from.row, from.column);
}

/* Gives the events that it had, if it is asked. */
static uint32_t loop(const cni_lane *lane, const cni_step *step, int64_t n, bool ask)
{
    void *p[6];
    if (step->loop == NULL) {
        memcpy(lane->registers[step->registers[0]], lane->registers[step->registers[1]], (size_t)n << step->access);
        return 0;
    }
    for (int k = 0; k < step->npointers; k++) {
        p[k] = lane->registers[step->registers[k]];
    }
    if (ask && step->number >= 0) {
        return cni_loop_events(step->number, step->loop, n, p, step->scalars);
    }
    if (ask) {
        cni_events_clear();
    }
    step->loop(n, p, step->scalars);
    return ask ? cni_events_seen() : 0;
}

/* ---- Floating-point events ---- */

void cni_tile_run_asking(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t rows, int64_t columns)
{
    for (uint32_t i = 0; i < g->nsteps; i++) {
        const cni_step *step = &g->steps[i];
        if (step->kind == CNI_STEP_LOOP) {
            lane->told[i] |= loop(lane, step, rows * columns, step->fp_kinds != 0) & step->fp_kinds;
        } else if (step->kind == CNI_STEP_LOAD) {
            load(g, lane, step, rows, columns);
        } else if (step->kind == CNI_STEP_STORE) {
            store(g, lane, step, rows, columns);
        } else {
            cni_reduce_tile(g, lane, &lane->reductions[step->reduction], run, rows, columns);
        }
    }
    cni_events_clear();
}

static void run_steps(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t rows, int64_t columns)
{
    for (uint32_t i = 0; i < g->nsteps; i++) {
        const cni_step *step = &g->steps[i];
        switch ((cni_step_kind)step->kind) {
        case CNI_STEP_LOOP:
            loop(lane, step, rows * columns, false);
            break;
        case CNI_STEP_LOAD:
            load(g, lane, step, rows, columns);
            break;
        case CNI_STEP_STORE:
            store(g, lane, step, rows, columns);
            break;
        case CNI_STEP_COPY:
            move(g, lane, step, rows, columns);
            break;
        case CNI_STEP_REDUCE:
            cni_reduce_tile(g, lane, &lane->reductions[step->reduction], run, rows, columns);
            break;
        }
    }
}

void cni_tile_registers(const cni_group_binding *g, cni_lane *lane)
{
    for (uint32_t i = 0; i < g->ndirect; i++) {
        lane->registers[g->direct[i].reg] = lane->pointers[g->direct[i].access];
    }
}

void cni_tile_run(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t rows, int64_t columns)
{
    cni_tile_registers(g, lane);
    if (cni_tier1_takes(g, columns)) {
        cni_tier1_run(g, lane, run, rows, columns);
    } else if (g->fp_kinds == 0) {
        run_steps(g, lane, run, rows, columns);
    } else if (!g->rerunnable) {
        cni_tile_run_asking(g, lane, run, rows, columns);
    } else {
        run_steps(g, lane, run, rows, columns);
        if ((cni_events_seen() & g->fp_kinds) != 0) {
            cni_tile_run_asking(g, lane, run, rows, columns);
        }
    }
}

/* What all lanes saw, in the order of the ops. */
static void report_events(const cni_group_binding *g, const cni_run *run)
{
    uint32_t any = 0;
    for (int k = 0; k < g->nlanes; k++) {
        for (uint32_t i = 0; i < g->nsteps; i++) {
            any |= g->lanes[k].told[i];
        }
    }
    if (any == 0) {
        return;
    }
    static const uint32_t events[] = {CN_FP_DIVIDE, CN_FP_OVERFLOW, CN_FP_UNDERFLOW, CN_FP_INVALID};
    for (uint32_t i = 0; i < g->nsteps; i++) {
        uint32_t kinds = 0;
        for (int k = 0; k < g->nlanes; k++) {
            kinds |= g->lanes[k].told[i];
            g->lanes[k].told[i] = 0;
        }
        for (size_t e = 0; kinds != 0 && e < sizeof events / sizeof *events; e++) {
            if ((kinds & events[e]) != 0) {
                cni_run_event(run, g->steps[i].op, events[e]);
            }
        }
    }
}

/* ---- The nest ---- */

static void scalars_set(const cni_group_binding *g, cni_lane *lane, const cni_run *run)
{
    static const cn_scalar zero;
    for (uint32_t i = 0; i < g->nscalars; i++) {
        const cn_scalar *value = g->scalars[i].scalar == CNI_NONE ? &zero : &run->window->scalars[g->scalars[i].scalar];
        if (!g->scalars[i].splat) {
            lane->registers[g->scalars[i].reg] = (void *)value->value.bytes;
            continue;
        }
        int64_t size = (int64_t)1 << g->scalars[i].log2_size;
        cni_cpu_kernels_get()->copies[g->scalars[i].log2_size](g->rows * g->columns, lane->registers[g->scalars[i].reg],
                                                               size, value->value.bytes, 0);
    }
}

void cni_lane_point(const cni_group_binding *g, cni_lane *lane, const cni_run *run)
{
    for (uint32_t a = 0; a < g->naccess; a++) {
        const cni_bound_access *access = &g->access[a];
        int64_t offset = access->offset;
        for (int d = 0; d < g->ndim; d++) {
            offset += lane->index[d] * access->strides[d];
        }
        lane->pointers[a] = (char *)run->slots[access->slot] + offset;
    }
}

/* Dimension d advances in steps of a tile. */
static int64_t tile_step(const cni_group_binding *g, int d)
{
    return d == g->ndim - 1 ? g->columns : d == g->ndim - 2 ? g->rows : 1;
}

/* Puts the lane at a tile, counted in C order. */
static void seek_tile(const cni_group_binding *g, cni_lane *lane, int64_t tile)
{
    for (int d = g->ndim - 1; d >= 0; d--) {
        int64_t step = tile_step(g, d), tiles = (g->shape[d] + step - 1) / step;
        lane->index[d] = tile % tiles * step;
        tile /= tiles;
    }
}

static void run_tiles(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t first, int64_t end)
{
    int columns_dim = g->ndim - 1, rows_dim = g->ndim - 2;
    if (first > 0 && first < end) {
        seek_tile(g, lane, first);
    }
    for (int64_t tile = first; tile < end; tile++) {
        int64_t left_columns = columns_dim >= 0 ? g->shape[columns_dim] - lane->index[columns_dim] : 1;
        int64_t left_rows = rows_dim >= 0 ? g->shape[rows_dim] - lane->index[rows_dim] : 1;
        cni_lane_point(g, lane, run);
        cni_tile_run(g, lane, run, left_rows < g->rows ? left_rows : g->rows,
                     left_columns < g->columns ? left_columns : g->columns);
        int d = columns_dim;
        while (d >= 0 && (lane->index[d] += tile_step(g, d)) >= g->shape[d]) {
            lane->index[d--] = 0;
        }
    }
}

typedef struct group_run {
    cni_group_binding *g;
    const cni_run *run;
    int64_t tiles;
    int lanes;
} group_run;

static void run_lane(void *context, int k)
{
    const group_run *r = context;
    cni_events_clear();
    run_tiles(r->g, &r->g->lanes[k], r->run, cni_lane_begin(r->tiles, k, r->lanes),
              cni_lane_begin(r->tiles, k + 1, r->lanes));
}

static void run_nest(cni_group_binding *g, const cni_run *run)
{
    if (g->nlanes == 1 || g->tiles == 1) {
        cni_events_clear();
        run_tiles(g, &g->lanes[0], run, 0, g->tiles);
        return;
    }
    group_run r = {.g = g, .run = run, .tiles = g->tiles};
    r.lanes = r.tiles < g->nlanes ? (int)r.tiles : g->nlanes;
    cni_threads_run(r.lanes, run_lane, &r);
}

static void begin(const cni_part *part, cni_group_binding *g, const cni_run *run)
{
    cni_tier1_prepare(part, g, run);
    for (int k = 0; k < g->nlanes; k++) {
        scalars_set(g, &g->lanes[k], run);
        for (int d = 0; d < g->ndim; d++) {
            g->lanes[k].index[d] = 0;
        }
    }
}

void cni_group_run(const cni_part *part, cni_group_binding *g, const cni_run *run)
{
    if (g->tiles == 0 && !part->reduces) {
        return;
    }
    begin(part, g, run);
    if (part->reduces) {
        cni_reduce_run(g, run);
    } else {
        run_nest(g, run);
    }
    if (g->fp_kinds != 0) {
        report_events(g, run);
    }
}

void cni_group_run_partial(const cni_part *part, cni_group_binding *g, const cni_run *run, int64_t from, int64_t to,
                           void *state)
{
    begin(part, g, run);
    cni_reduce_partial(g, run, from, to, state);
    if (g->fp_kinds != 0) {
        report_events(g, run);
    }
}
