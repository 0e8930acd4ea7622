/*
 * tier1.c - see tier1.h.
 *
 * A kernel does not tell which op raised a floating-point event, and has no answer for far arguments of sin and its
 * like: then tier 0 runs the tile again, and asks. A group that writes where it reads keeps a copy of such tiles for
 * that, and one that accumulates rows a copy of the accumulators.
 */
#include "cpu/tier1.h"

#include <stdio.h>
#include <string.h>

#include "base/debug.h"
#include "base/settings.h"
#include "cpu/codegen.h"
#include "cpu/compiler.h"
#include "cpu/events.h"
#include "cpu/reduce_take.h"
#include "exec/explain.h"

typedef struct cni_tier1 {
    cni_compiled *compiled;
    cni_kernel kernel;
    int64_t *row_strides, *column_strides; /* by access */
    const void **scalars;
    uint32_t nscalars;
    uint32_t *scalar_numbers; /* of the window; CNI_NONE: any value */
    uint32_t nsaved;
    uint32_t *saved; /* accesses whose tiles are kept */
    size_t *room;    /* [lane * nsaved + saved]: bytes of its copy */
    bool accumulates, leaves, far;
} cni_tier1;

/* Which tiles are kept, and what each lane needs. */
static bool lanes_prepare(const cni_part *part, cni_group_binding *g, cni_tier1 *t)
{
    t->saved = cni_arena_alloc(&g->arena, (g->naccess + 1) * sizeof *t->saved);
    t->far = cni_codegen_far(part);
    bool again = g->fp_kinds != 0 || t->far;
    for (uint32_t a = 0; a < g->naccess && t->saved != NULL; a++) {
        if (again && cni_codegen_updates(part, a)) {
            t->saved[t->nsaved++] = a;
        }
    }
    t->room = cni_arena_alloc(&g->arena, ((size_t)g->layout.nlanes * t->nsaved + 1) * sizeof *t->room);
    for (int k = 0; k < g->layout.nlanes && t->saved != NULL; k++) {
        cni_lane *lane = &g->lanes[k];
        lane->copies = cni_arena_alloc(&g->arena, (t->nsaved + 1) * sizeof *lane->copies);
        lane->scratch = cni_arena_alloc(&g->arena, (g->nreductions + 1) * sizeof *lane->scratch);
        bool made = lane->copies != NULL && lane->scratch != NULL;
        for (uint32_t n = 0; n < g->nreductions && made && t->leaves; n++) {
            made = (lane->scratch[n] = cni_arena_alloc(&g->arena, CNI_LEAVES * sizeof(double))) != NULL;
        }
        if (!made) {
            return false;
        }
    }
    return t->saved != NULL && t->room != NULL;
}

/* What follows the extents and strides of the group. */
static bool follow(cni_group_binding *g, cni_tier1 *t)
{
    for (uint32_t a = 0; a < g->naccess; a++) {
        t->row_strides[a] = g->rows > 1 || g->tall > 1 ? g->access[a].strides[g->ndim - 2] : 0;
        t->column_strides[a] = g->ndim > 0 ? g->access[a].strides[g->ndim - 1] : 0;
    }
    for (int k = 0; k < g->layout.nlanes; k++) {
        cni_lane *lane = &g->lanes[k];
        for (uint32_t n = 0; n < t->nsaved; n++) {
            size_t need = (size_t)(g->rows * g->columns) << g->access[t->saved[n]].log2_size;
            if (!cni_group_room(g, &lane->copies[n], &t->room[(size_t)k * t->nsaved + n], need)) {
                return false;
            }
        }
        for (uint32_t n = 0; n < g->nreductions; n++) {
            cni_reduction *r = &lane->reductions[n];
            if (t->accumulates && !cni_reduce_rows_room(g, r, g->wide)) {
                return false;
            }
            if (!t->leaves) {
                lane->scratch[n] = t->accumulates ? r->row : r->in_run ? lane->registers[r->value] : NULL;
            }
        }
    }
    return true;
}

bool cni_tier1_follow(cni_group_binding *g)
{
    return g->asked == NULL || follow(g, g->asked);
}

static cni_tier1 *create(const cni_part *part, cni_group_binding *g)
{
    cni_tier1 *t = cni_arena_alloc(&g->arena, sizeof *t);
    if (t == NULL) {
        return NULL;
    }
    t->accumulates = cni_codegen_accumulates(part, g);
    t->leaves = cni_codegen_leaves(part, g);
    t->row_strides = cni_arena_alloc(&g->arena, (g->naccess + 1) * sizeof *t->row_strides);
    t->column_strides = cni_arena_alloc(&g->arena, (g->naccess + 1) * sizeof *t->column_strides);
    t->scalars = cni_arena_alloc(&g->arena, (part->ninstr + 1) * sizeof *t->scalars);
    t->scalar_numbers = cni_arena_alloc(&g->arena, (part->ninstr + 1) * sizeof *t->scalar_numbers);
    if (t->row_strides == NULL || t->column_strides == NULL || t->scalars == NULL || t->scalar_numbers == NULL ||
        !lanes_prepare(part, g, t) || !follow(g, t)) {
        return NULL;
    }
    for (uint32_t i = 0; i < part->ninstr; i++) {
        if (part->instr[i].kind == CNI_INSTR_SCALAR) {
            t->scalar_numbers[t->nscalars++] = part->instr[i].access;
        }
    }
    return t;
}

/* For who is told of new kernels. */
static void describe(const cni_part *part, const cni_window *w, char *text, size_t size)
{
    char first[160], last[160];
    if (cni_debug_on(CNI_DEBUG_KERNEL) && part->nops > 0) {
        cni_site_text(w->ops[part->ops[0]].site, first, sizeof first);
        cni_site_text(w->ops[part->ops[part->nops - 1]].site, last, sizeof last);
        snprintf(text, size, "group of %u ops%s%s%s%s", part->nops, first[0] != '\0' ? ", from " : "", first,
                 last[0] != '\0' ? " to " : "", last);
    }
}

static cni_tier1 *ask(const cni_part *part, cni_group_binding *g, const cni_window *w)
{
    cni_text source = {0};
    cni_tier1 *t = NULL;
    if (cni_codegen(part, w, g, &source) && (t = create(part, g)) != NULL) {
        char what[400] = "";
        describe(part, w, what, sizeof what);
        t->compiled = cni_compiler_ask(source.data, what);
    }
    cni_text_free(&source);
    return t != NULL && t->compiled != NULL ? t : NULL;
}

bool cni_tier1_accumulates(const cni_group_binding *g)
{
    return g->tier1 != NULL && g->tier1->accumulates;
}

int64_t cni_tier1_leaves(const cni_group_binding *g)
{
    return g->tier1 != NULL && g->tier1->leaves ? CNI_LEAVES * (int64_t)CNI_LEAF : 0;
}

bool cni_tier1_takes(const cni_group_binding *g, int64_t columns)
{
    return g->tier1 != NULL && (!g->tier1->leaves || columns % CNI_LEAF == 0);
}

void cni_tier1_prepare(const cni_part *part, cni_group_binding *g, const cni_run *run)
{
    int64_t tier = cni_settings[CNI_SETTING_TIER];
    if (g->tier1 != NULL) {
        cni_tier1 *t = g->tier1;
        static const cn_scalar any;
        for (uint32_t i = 0; i < t->nscalars; i++) {
            t->scalars[i] = t->scalar_numbers[i] == CNI_NONE ? any.value.bytes
                                                             : run->window->scalars[t->scalar_numbers[i]].value.bytes;
        }
        return;
    }
    if (tier == 0 || g->no_tier1) {
        return;
    }
    g->work += g->run_work;
    if (tier < 2 && g->work < cni_settings[CNI_SETTING_COMPILE_AFTER]) {
        return;
    }
    if (g->asked == NULL) {
        g->asked = ask(part, g, run->window);
        g->no_tier1 = g->asked == NULL;
    }
    if (g->asked != NULL) {
        bool failed;
        void *function = cni_compiler_result(g->asked->compiled, tier == 2, &failed);
        g->no_tier1 = failed;
        if (function != NULL) {
            memcpy(&g->asked->kernel, &function, sizeof function); /* POSIX lets a symbol be a function */
            g->tier1 = g->asked;
            cni_tier1_prepare(part, g, run);
        }
    }
}

/* ---- Running ---- */

/* Copies a tile of the access to its copy, or back. */
static void save(const cni_group_binding *g, const cni_lane *lane, uint32_t n, int64_t rows, int64_t columns, bool back)
{
    const cni_tier1 *t = g->tier1;
    uint32_t a = t->saved[n];
    int64_t size = (int64_t)1 << g->access[a].log2_size;
    const cni_copy_loop copy = cni_cpu_kernels_get()->copies[g->access[a].log2_size];
    for (int64_t r = 0; r < rows; r++) {
        char *memory = lane->pointers[a] + r * t->row_strides[a], *kept = lane->copies[n] + r * columns * size;
        if (back) {
            copy(columns, memory, t->column_strides[a], kept, size);
        } else {
            copy(columns, kept, size, memory, t->column_strides[a]);
        }
    }
}

/* Moves the pointers; back by negative numbers. */
static void move(const cni_group_binding *g, cni_lane *lane, int64_t rows, int64_t columns)
{
    for (uint32_t a = 0; a < g->naccess; a++) {
        lane->pointers[a] += rows * g->tier1->row_strides[a] + columns * g->tier1->column_strides[a];
    }
}

static void shift_accumulators(const cni_group_binding *g, cni_lane *lane, int64_t columns)
{
    for (uint32_t i = 0; i < g->nreductions; i++) {
        cni_reduction *r = &lane->reductions[i];
        int64_t bytes = columns * (int64_t)r->itemsize;
        r->row += bytes;
        r->total += bytes;
        r->runs = r->runs != NULL ? r->runs + bytes : NULL;
    }
}

/* Tier 0 takes the rows, tile by tile. */
static void take_again(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t rows, int64_t columns)
{
    for (int64_t column = 0; column < columns; column += g->columns) {
        int64_t width = columns - column < g->columns ? columns - column : g->columns;
        for (int64_t row = 0; row < rows; row += g->rows) {
            cni_tile_registers(g, lane);
            cni_tile_run_asking(g, lane, run, rows - row < g->rows ? rows - row : g->rows, width);
            move(g, lane, g->rows, 0);
        }
        move(g, lane, -((rows + g->rows - 1) / g->rows * g->rows), width);
        shift_accumulators(g, lane, width);
        for (uint32_t i = 0; i < g->nreductions && column + width < columns; i++) {
            cni_rows_returned(&lane->reductions[i], rows);
        }
    }
    move(g, lane, 0, -columns);
    shift_accumulators(g, lane, -columns);
}

/* Runs the kernel; false: tier 0 is to take these rows again, and to ask. */
static bool run_kernel(const cni_group_binding *g, const cni_lane *lane, int64_t rows, int64_t columns)
{
    const cni_tier1 *t = g->tier1;
    uint64_t far =
        t->kernel(rows, columns, lane->pointers, t->row_strides, t->column_strides, t->scalars, lane->scratch);
    return far == 0 && (g->fp_kinds == 0 || (cni_events_seen() & g->fp_kinds) == 0);
}

/* As many of the rows as come before accumulators are folded. */
static int64_t accumulate(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t rows, int64_t columns)
{
    const cni_tier1 *t = g->tier1;
    bool ask = g->fp_kinds != 0 || t->far;
    for (uint32_t i = 0; i < g->nreductions; i++) {
        cni_reduction *r = &lane->reductions[i];
        rows = cni_rows_left(r) < rows ? cni_rows_left(r) : rows;
        if (ask) {
            memcpy(r->kept, r->row, (size_t)columns * r->itemsize);
        }
    }
    bool again = !run_kernel(g, lane, rows, columns);
    for (uint32_t i = 0; i < g->nreductions; i++) {
        cni_reduction *r = &lane->reductions[i];
        if (again) {
            memcpy(r->row, r->kept, (size_t)columns * r->itemsize);
        } else {
            cni_rows_taken(r, columns, rows);
        }
    }
    if (again) {
        take_again(g, lane, run, rows, columns);
    }
    return rows;
}

/* One row of whole leaves. */
static void take_leaves(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t columns)
{
    if (run_kernel(g, lane, 1, columns)) {
        for (uint32_t i = 0; i < g->nreductions; i++) {
            cni_leaves_take(&lane->reductions[i], columns / CNI_LEAF, lane->scratch[i]);
        }
        return;
    }
    for (int64_t column = 0; column < columns; column += g->columns) {
        int64_t left = columns - column, width = left < g->columns ? left : g->columns;
        cni_tile_registers(g, lane);
        cni_tile_run_asking(g, lane, run, 1, width);
        move(g, lane, 0, width);
    }
}

void cni_tier1_run(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t rows, int64_t columns)
{
    const cni_tier1 *t = g->tier1;
    if (t->accumulates) {
        while (rows > 0) {
            int64_t taken = accumulate(g, lane, run, rows, columns);
            move(g, lane, taken, 0);
            rows -= taken;
        }
        return;
    }
    if (t->leaves) {
        take_leaves(g, lane, run, columns);
        return;
    }
    for (uint32_t n = 0; n < t->nsaved; n++) {
        save(g, lane, n, rows, columns, false);
    }
    if (!run_kernel(g, lane, rows, columns)) {
        for (uint32_t n = 0; n < t->nsaved; n++) {
            save(g, lane, n, rows, columns, true);
        }
        cni_tile_run_asking(g, lane, run, rows, columns);
        return;
    }
    for (uint32_t i = 0; g->nreductions > 0 && i < g->nsteps; i++) {
        if (g->steps[i].kind == CNI_STEP_REDUCE) {
            cni_reduce_tile(g, lane, &lane->reductions[g->steps[i].reduction], run, rows, columns);
        }
    }
}
