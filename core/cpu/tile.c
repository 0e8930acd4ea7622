/* tile.c - tier 0: interprets a group's program tile by tile, and finds out which op raised a floating-point event. */
#include <fenv.h>
#include <string.h>

#include "cpu/group.h"
#include "cpu/tier1.h"

/* ---- Moving between memory and runs ---- */

static void load(const cni_group_binding *g, const cni_step *step, int64_t rows, int64_t columns)
{
    const cni_bound_access *a = &g->access[step->access];
    const cni_copy_loop copy = cni_cpu_kernels_get()->copies[a->log2_size];
    int64_t size = (int64_t)1 << a->log2_size;
    int64_t column = g->ndim > 0 ? a->strides[g->ndim - 1] : 0, row = rows > 1 ? a->strides[g->ndim - 2] : 0;
    char *to = g->registers[step->registers[0]], *from = g->pointers[step->access];
    for (int64_t r = 0; r < rows; r++) {
        copy(columns, to + r * columns * size, size, from + r * row, column);
    }
}

static void store(const cni_group_binding *g, const cni_step *step, int64_t rows, int64_t columns)
{
    const cni_bound_access *a = &g->access[step->access];
    const cni_copy_loop copy = cni_cpu_kernels_get()->copies[a->log2_size];
    int64_t size = (int64_t)1 << a->log2_size;
    int64_t column = g->ndim > 0 ? a->strides[g->ndim - 1] : size, row = rows > 1 ? a->strides[g->ndim - 2] : 0;
    char *from = g->registers[step->registers[0]], *to = g->pointers[step->access];
    for (int64_t r = 0; r < rows; r++) {
        copy(columns, to + r * row, column, from + r * columns * size, size);
    }
}

static void loop(const cni_group_binding *g, const cni_step *step, int64_t n)
{
    void *p[6];
    if (step->loop == NULL) { /* move */
        memcpy(g->registers[step->registers[0]], g->registers[step->registers[1]], (size_t)n << step->access);
        return;
    }
    for (int k = 0; k < step->npointers; k++) {
        p[k] = g->registers[step->registers[k]];
    }
    step->loop(n, p, step->scalars);
}

/* ---- Floating-point events ---- */

static const struct {
    int flag;
    uint32_t kind;
} events[] = {{FE_DIVBYZERO, CN_FP_DIVIDE}, {FE_OVERFLOW, CN_FP_OVERFLOW}, {FE_UNDERFLOW, CN_FP_UNDERFLOW}, {FE_INVALID, CN_FP_INVALID}};

uint32_t cni_fp_events_seen(void)
{
    int flags = fetestexcept(FE_ALL_EXCEPT);
    uint32_t kinds = 0;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        kinds |= (flags & events[i].flag) != 0 ? events[i].kind : 0;
    }
    return kinds;
}

static void report(const cni_step *step, const cni_run *run, uint32_t kinds)
{
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if ((kinds & step->fp_kinds & events[i].kind) != 0) {
            cni_run_event(run, step->op, events[i].kind);
        }
    }
}

void cni_tile_run_asking(cni_group_binding *g, const cni_run *run, int64_t rows, int64_t columns)
{
    uint32_t *told = g->told;
    for (uint32_t i = 0; i < g->nsteps; i++) {
        const cni_step *step = &g->steps[i];
        if (step->kind == CNI_STEP_LOOP) {
            feclearexcept(FE_ALL_EXCEPT);
            loop(g, step, rows * columns);
            uint32_t kinds = step->loop != NULL ? cni_fp_events_seen() & step->fp_kinds & ~told[i] : 0;
            if (kinds != 0) {
                report(step, run, kinds);
                told[i] |= kinds;
            }
        } else if (step->kind == CNI_STEP_LOAD) {
            load(g, step, rows, columns);
        } else if (step->kind == CNI_STEP_STORE) {
            store(g, step, rows, columns);
        } else {
            cni_reduce_tile(g, &g->reductions[step->reduction], run, rows, columns);
        }
    }
    feclearexcept(FE_ALL_EXCEPT);
}

static void run_steps(cni_group_binding *g, const cni_run *run, int64_t rows, int64_t columns)
{
    for (uint32_t i = 0; i < g->nsteps; i++) {
        const cni_step *step = &g->steps[i];
        switch ((cni_step_kind)step->kind) {
        case CNI_STEP_LOOP:
            loop(g, step, rows * columns);
            break;
        case CNI_STEP_LOAD:
            load(g, step, rows, columns);
            break;
        case CNI_STEP_STORE:
            store(g, step, rows, columns);
            break;
        case CNI_STEP_REDUCE:
            cni_reduce_tile(g, &g->reductions[step->reduction], run, rows, columns);
            break;
        }
    }
}

void cni_tile_run(cni_group_binding *g, const cni_run *run, int64_t rows, int64_t columns)
{
    for (uint32_t i = 0; i < g->ndirect; i++) {
        g->registers[g->direct[i].reg] = g->pointers[g->direct[i].access];
    }
    if (g->tier1 != NULL) {
        cni_tier1_run(g, run, rows, columns);
    } else if (g->fp_kinds == 0) {
        run_steps(g, run, rows, columns);
    } else if (!g->rerunnable) {
        cni_tile_run_asking(g, run, rows, columns);
    } else {
        run_steps(g, run, rows, columns);
        if ((cni_fp_events_seen() & g->fp_kinds & ~g->all_told) != 0) {
            cni_tile_run_asking(g, run, rows, columns);
        }
    }
}

/* ---- The nest ---- */

static void scalars_set(cni_group_binding *g, const cni_run *run)
{
    static const cn_scalar zero;
    for (uint32_t i = 0; i < g->nscalars; i++) {
        const cn_scalar *value = g->scalars[i].scalar == CNI_NONE ? &zero : &run->window->scalars[g->scalars[i].scalar];
        if (!g->scalars[i].splat) {
            g->registers[g->scalars[i].reg] = (void *)value->value.bytes;
            continue;
        }
        int64_t size = (int64_t)1 << g->scalars[i].log2_size;
        cni_cpu_kernels_get()->copies[g->scalars[i].log2_size](g->rows * g->columns, g->registers[g->scalars[i].reg], size,
                                                               value->value.bytes, 0);
    }
}

void cni_group_point(cni_group_binding *g, const cni_run *run)
{
    for (uint32_t a = 0; a < g->naccess; a++) {
        const cni_bound_access *access = &g->access[a];
        int64_t offset = access->offset;
        for (int d = 0; d < g->ndim; d++) {
            offset += g->index[d] * access->strides[d];
        }
        g->pointers[a] = (char *)run->slots[access->slot] + offset;
    }
}

static void run_nest(cni_group_binding *g, const cni_run *run)
{
    int columns_dim = g->ndim - 1, rows_dim = g->rows > 1 ? g->ndim - 2 : -1;
    int outer = rows_dim >= 0 ? rows_dim : columns_dim;
    for (;;) {
        int64_t left_rows = rows_dim >= 0 ? g->shape[rows_dim] - g->index[rows_dim] : 1;
        int64_t left_columns = columns_dim >= 0 ? g->shape[columns_dim] - g->index[columns_dim] : 1;
        int64_t rows = left_rows < g->rows ? left_rows : g->rows;
        int64_t columns = left_columns < g->columns ? left_columns : g->columns;
        cni_group_point(g, run);
        cni_tile_run(g, run, rows, columns);
        if (columns_dim >= 0 && (g->index[columns_dim] += columns) < g->shape[columns_dim]) {
            continue;
        }
        if (columns_dim >= 0) {
            g->index[columns_dim] = 0;
        }
        if (rows_dim >= 0) {
            if ((g->index[rows_dim] += rows) < g->shape[rows_dim]) {
                continue;
            }
            g->index[rows_dim] = 0;
        }
        int d = outer - 1;
        while (d >= 0 && ++g->index[d] == g->shape[d]) {
            g->index[d--] = 0;
        }
        if (d < 0) {
            return;
        }
    }
}

void cni_group_run(const cni_part *part, cni_group_binding *g, const cni_run *run)
{
    bool empty = false;
    for (int d = 0; d < g->ndim; d++) {
        empty |= g->shape[d] == 0;
        g->index[d] = 0;
    }
    if (empty && !part->reduces) {
        return;
    }
    scalars_set(g, run);
    cni_tier1_prepare(part, g, run);
    if (g->fp_kinds != 0) {
        memset(g->told, 0, g->nsteps * sizeof *g->told);
        g->all_told = 0;
        feclearexcept(FE_ALL_EXCEPT);
    }
    if (part->reduces) {
        cni_reduce_run(g, run);
    } else {
        run_nest(g, run);
    }
}
