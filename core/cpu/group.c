/*
 * group.c - binding a group: which registers are memory, which are runs of the tile, how large the tile is.
 */
#include "cpu/binder.h"

#include <string.h>

#include "base/memory.h"
#include "base/settings.h"
#include "base/status.h"
#include "base/threads.h"
#include "cpu/tier1.h"
#include "op/op.h"

enum { CALL_ELEMENTS = 64 }; /* calling a loop takes about as long as so many elements */

/* ---- Accesses ---- */

static inline cni_touch touch_of(const cni_binder *b, uint32_t access, int64_t columns, int64_t rows)
{
    int64_t size = cni_dtype_size(b->w->views[b->part->access[access].view].dtype);
    int64_t column = cni_nest_stride(b, access, 0), row = cni_nest_stride(b, access, 1);
    bool one_column = columns == 1;
    if (rows == 1) {
        return column == size || one_column ? CNI_TOUCH_DIRECT : column == 0 ? CNI_TOUCH_SPLAT : CNI_TOUCH_COPY;
    }
    bool whole_rows = columns == b->nest.shape[b->nest.ndim - 1];
    if ((column == size || one_column) && row == columns * size && whole_rows) {
        return CNI_TOUCH_DIRECT;
    }
    return column == 0 && row == 0 ? CNI_TOUCH_SPLAT : CNI_TOUCH_COPY;
}

/* ---- Where registers live ---- */

/* May every use of the register take one element for all? */
static bool uses_take_scalar(const cni_binder *b, uint16_t reg)
{
    for (uint32_t i = 0; i < b->part->ninstr; i++) {
        const cni_instr *x = &b->part->instr[i];
        bool any_run = false, used = false, takes = true;
        for (int k = 0; k < x->nsrc; k++) {
            bool scalar = b->places[x->src[k]].kind == PLACE_SCALAR || x->src[k] == reg;
            any_run |= !scalar;
            if (x->src[k] == reg) {
                used = true;
                takes &= x->kind == CNI_INSTR_OP && (b->kernels->loop_scalars[x->loop] >> k & 1) != 0;
            }
        }
        if (used && (!takes || !any_run)) {
            return false;
        }
    }
    return true;
}

static const cni_instr *direct_store_of(const cni_binder *b, uint16_t reg)
{
    for (uint32_t i = 0; i < b->part->ninstr; i++) {
        const cni_instr *x = &b->part->instr[i];
        if (x->kind == CNI_INSTR_STORE && x->direct && x->src[0] == reg) {
            return x;
        }
    }
    return NULL;
}

/* Does a reduction take what is loaded, and a store overwrite it? Tier 1 reduces when all stores of the tile are done. */
static bool reduced_then_overwritten(const cni_binder *b, const cni_instr *load)
{
    bool reduced = false, overwritten = false;
    for (const cni_instr *x = load + 1; x < b->part->instr + b->part->ninstr; x++) {
        reduced |= x->kind == CNI_INSTR_REDUCE && x->src[0] == load->dst[0];
        overwritten |=
            x->kind == CNI_INSTR_STORE && b->part->access[x->access].slot == b->part->access[load->access].slot;
    }
    return reduced && overwritten;
}

static void place_load(cni_binder *b, const cni_instr *x, int64_t columns, int64_t rows)
{
    cni_register_place *p = &b->places[x->dst[0]];
    cni_touch touch = touch_of(b, x->access, columns, rows);
    p->access = x->access;
    p->kind = PLACE_RUN;
    if (touch == CNI_TOUCH_DIRECT && !reduced_then_overwritten(b, x)) {
        p->kind = PLACE_DIRECT;
    } else if (touch == CNI_TOUCH_SPLAT && uses_take_scalar(b, x->dst[0])) {
        p->kind = PLACE_SCALAR;
        p->memory = true;
    }
}

static cn_dtype output_dtype(const cni_instr *x, int k)
{
    if (x->kind != CNI_INSTR_OP || k == 0) {
        return (cn_dtype)x->dtype;
    }
    const cni_op_info *info = &cni_ops[cni_op_of_loop(x->loop)];
    return (cn_dtype)info->signatures[x->loop - info->first_loop].dtypes[x->nsrc + k];
}

static void places_classify(cni_binder *b, int64_t columns, int64_t rows)
{
    b->largest = 1;
    memset(b->places, 0, b->part->nregister * sizeof *b->places);
    for (uint32_t i = 0; i < b->part->ninstr; i++) {
        const cni_instr *x = &b->part->instr[i];
        for (int k = 0; k < x->ndst; k++) {
            cni_register_place *p = &b->places[x->dst[k]];
            p->scalar = CNI_NONE;
            p->last = i;
            p->log2_size = cni_log2_size(output_dtype(x, k));
            if (x->kind == CNI_INSTR_LOAD) {
                place_load(b, x, columns, rows);
            } else if (x->kind == CNI_INSTR_SCALAR) {
                p->scalar = x->access;
                p->kind = uses_take_scalar(b, x->dst[0]) ? PLACE_SCALAR : PLACE_SPLAT;
            } else {
                const cni_instr *store = direct_store_of(b, x->dst[k]);
                bool direct = store != NULL && touch_of(b, store->access, columns, rows) == CNI_TOUCH_DIRECT;
                p->kind = direct ? PLACE_DIRECT : PLACE_RUN;
                p->access = direct ? store->access : 0;
            }
            uint32_t size = 1U << p->log2_size;
            b->largest = size > b->largest ? size : b->largest;
        }
        for (int k = 0; k < x->nsrc; k++) {
            cni_register_place *p = &b->places[x->src[k]];
            uint32_t last =
                x->kind == CNI_INSTR_REDUCE ? b->part->ninstr : i; /* tier 1 reduces when the tile is done */
            p->last = last > p->last ? last : p->last;
        }
    }
}

/* Gives runs to registers, the same run to registers whose lives do not meet. Splats keep theirs. */
static void runs_assign(cni_binder *b)
{
    uint32_t nfree = 0;
    b->nruns = 0;
    for (uint32_t i = 0; i < b->part->ninstr; i++) {
        const cni_instr *x = &b->part->instr[i];
        for (int k = 0; k < x->ndst; k++) {
            cni_register_place *p = &b->places[x->dst[k]];
            if (p->kind == PLACE_RUN) {
                p->run = nfree > 0 ? b->free_runs[--nfree] : b->nruns++;
            } else if (p->kind == PLACE_SPLAT) {
                p->run = b->nruns++;
            }
        }
        for (int k = 0; k < x->nsrc; k++) {
            cni_register_place *p = &b->places[x->src[k]];
            bool again = k > 0 && (x->src[k] == x->src[0] || (k > 1 && x->src[k] == x->src[1]));
            if (p->kind == PLACE_RUN && p->last == i && !again) {
                b->free_runs[nfree++] = p->run;
            }
        }
        for (int k = 0; k < x->ndst; k++) {
            cni_register_place *p = &b->places[x->dst[k]];
            if (p->kind == PLACE_RUN && p->last == i) {
                b->free_runs[nfree++] = p->run;
            }
        }
    }
}

/* Threads pay when each has enough to do. */
static int lanes_wanted(const cni_part *part, const cni_nest *n)
{
    int64_t work = part->ninstr;
    for (int d = 0; d < n->ndim; d++) {
        work *= n->shape[d];
    }
    int64_t most = work / (cni_settings[CNI_SETTING_THREAD_WORK] > 0 ? cni_settings[CNI_SETTING_THREAD_WORK] : 1);
    int threads = most > 1 ? cni_threads_count() : 1;
    return most < threads ? (most < 1 ? 1 : (int)most) : threads;
}

/* How the access meets the tile, and whether generated code sees its columns as a run, as one element, or by a stride. */
static inline uint8_t touch_key(const cni_binder *b, uint32_t access, int64_t columns, int64_t rows)
{
    int64_t size = cni_dtype_size(b->w->views[b->part->access[access].view].dtype),
            column = cni_nest_stride(b, access, 0);
    return (uint8_t)(touch_of(b, access, columns, rows) | (column == size ? 4 : column == 0 ? 8 : 0));
}

/* Are the touches of this tile those in keys? They are from now on. */
static bool touches_same(const cni_binder *b, uint8_t *keys, int64_t columns, int64_t rows)
{
    bool same = true;
    for (uint32_t a = 0; a < b->part->naccess; a++) {
        uint8_t key = touch_key(b, a, columns, rows);
        same &= keys[a] == key;
        keys[a] = key;
    }
    return same;
}

/* ---- The layout ---- */

static bool lanes_make(cni_binder *b)
{
    cni_group_binding *g = b->g;
    size_t dims = (size_t)b->w->shapes[b->part->shape].ndim + 1;
    g->layout.nlanes = g->nlanes;
    g->layout.run_room = 0;
    size_t nreductions = (size_t)g->nreductions * CNI_SIDE_BY_SIDE;
    g->lanes = cni_arena_alloc(&g->arena, (size_t)g->nlanes * sizeof *g->lanes);
    for (int k = 0; k < g->nlanes && g->lanes != NULL; k++) {
        cni_lane *lane = &g->lanes[k];
        lane->registers = cni_arena_alloc(&g->arena, (g->nregister + 1) * sizeof *lane->registers);
        lane->pointers = cni_arena_alloc(&g->arena, (g->naccess + 1) * sizeof *lane->pointers);
        lane->index = cni_arena_alloc(&g->arena, dims * sizeof *lane->index);
        lane->told = cni_arena_alloc(&g->arena, (g->nsteps + 1) * sizeof *lane->told);
        lane->reductions = cni_arena_alloc(&g->arena, (nreductions + 1) * sizeof *lane->reductions);
        if (lane->registers == NULL || lane->pointers == NULL || lane->index == NULL || lane->told == NULL ||
            lane->reductions == NULL) {
            return false;
        }
    }
    return g->lanes != NULL;
}

static bool access_make(cni_binder *b)
{
    cni_group_binding *g = b->g;
    const cni_part *part = b->part;
    size_t dims = (size_t)b->w->shapes[part->shape].ndim + 1;
    g->naccess = part->naccess;
    g->shape = cni_arena_alloc(&g->arena, dims * sizeof *g->shape);
    g->access = cni_arena_alloc(&g->arena, (part->naccess + 1) * sizeof *g->access);
    int64_t *strides = cni_arena_alloc(&g->arena, (part->naccess + 1) * dims * sizeof *strides);
    if (g->shape == NULL || g->access == NULL || strides == NULL) {
        return false;
    }
    g->rerunnable = !part->reduces;
    for (uint32_t a = 0; a < part->naccess; a++) {
        cni_bound_access *bound = &g->access[a];
        bound->slot = part->access[a].slot;
        bound->log2_size = cni_log2_size((cn_dtype)b->w->views[part->access[a].view].dtype);
        bound->strides = strides + a * dims;
        for (uint32_t o = 0; o < a; o++) {
            g->rerunnable &=
                part->access[o].slot != part->access[a].slot || part->access[o].written == part->access[a].written;
        }
    }
    return true;
}

static bool layout_make(cni_binder *b)
{
    cni_group_binding *g = b->g;
    g->layout.made = false;
    cni_arena_reset(&g->arena);
    g->tier1 = g->asked = NULL;
    g->no_tier1 = cni_group_copies(b->part); /* loops are as fast */
    g->work = 0;
    places_classify(b, g->columns, g->rows);
    runs_assign(b);
    g->layout.nruns = b->nruns;
    g->layout.run_size = b->largest;
    g->layout.made = cni_group_registers_make(b) && access_make(b) && cni_group_steps_make(b) && lanes_make(b);
    return g->layout.made;
}

/* ---- What follows extents ---- */

bool cni_group_room(cni_group_binding *g, char **memory, size_t *room, size_t need)
{
    if (need > *room) {
        need = need > 2 * *room ? need : 2 * *room;
        char *larger = cni_arena_raw(&g->arena, need);
        if (larger == NULL) {
            return false;
        }
        *memory = larger;
        *room = need;
    }
    return true;
}

/* The runs of the tile, of every lane. */
static bool runs_place(cni_group_binding *g)
{
    cni_group_layout *l = &g->layout;
    size_t need =
        (size_t)cni_round_up(g->rows * g->columns * l->run_size, 64) + 64; /* odd lines: no aliasing of sets */
    if (need <= l->run_room || l->nruns == 0) {
        return true;
    }
    need = need + 64 > 2 * l->run_room ? need : 2 * l->run_room - 64;
    for (int k = 0; k < l->nlanes; k++) {
        char *runs = cni_arena_raw(&g->arena, l->nruns * need + 128);
        if (runs == NULL) {
            return false;
        }
        runs += 64 - (uintptr_t)runs % 64;
        for (uint32_t r = 0; r < g->nregister; r++) {
            if (l->run_of[r] != CNI_NONE) {
                g->lanes[k].registers[r] = runs + l->run_of[r] * need;
            }
        }
    }
    l->run_room = need;
    return true;
}

static void nest_take(cni_binder *b)
{
    cni_group_binding *g = b->g;
    const cni_nest *n = &b->nest;
    g->ndim = n->ndim;
    g->nkept = n->nkept;
    g->last_kept = n->last_kept;
    g->tiles = 1;
    int64_t elements = 1;
    for (int d = 0; d < n->ndim; d++) {
        int64_t step = d == n->ndim - 1 ? g->columns : d == n->ndim - 2 ? g->rows : 1;
        g->shape[d] = n->shape[d];
        g->tiles *= (n->shape[d] + step - 1) / step;
        elements *= n->shape[d];
    }
    g->run_work = (elements + g->tiles * CALL_ELEMENTS) * g->nsteps;
    for (uint32_t a = 0; a < g->naccess; a++) {
        const int64_t *strides = &n->strides[(size_t)a * CN_MAX_DIMS];
        g->access[a].offset = n->offsets[a];
        for (int d = 0; d < n->ndim; d++) {
            g->access[a].strides[d] = strides[d];
        }
    }
}

/* The layout is made again only when an access meets the tile in another way, or more threads pay. */
static bool layout_follow(cni_binder *b)
{
    cni_group_binding *g = b->g;
    int64_t last = b->nest.ndim > 0 ? b->nest.shape[b->nest.ndim - 1] : 1;
    g->nlanes = lanes_wanted(b->part, &b->nest);
    bool same = touches_same(b, g->touches, last, 1) && g->layout.made && g->layout.last_kept == b->nest.last_kept;
    g->layout.last_kept = b->nest.last_kept;
    if (!same) {
        places_classify(b, last, 1);
        runs_assign(b);
        g->layout.row_nruns = b->nruns;
        g->layout.row_size = b->largest;
    }
    cni_group_tile_choose(b);
    same &= touches_same(b, g->touches + b->part->naccess, g->columns, g->rows) && g->nlanes <= g->layout.nlanes &&
            g->layout.leaves == g->leaves;
    g->layout.leaves = g->leaves;
    return same || layout_make(b);
}

cn_status cni_group_rebind(const cni_part *part, const cni_window *w, cni_group_binding *g)
{
    static cni_arena work; /* kept from bind to bind */
    cni_arena_reset(&work);
    cni_binder b = {.part = part, .w = w, .kernels = cni_cpu_kernels_get(), .g = g};
    b.places = cni_arena_raw(&work, (part->nregister + 1) * sizeof *b.places);
    b.free_runs = cni_arena_raw(&work, (2 * part->nregister + 8) * sizeof *b.free_runs);
    bool made = b.places != NULL && b.free_runs != NULL && cni_nest_make(part, w, &work, &b.nest) && layout_follow(&b);
    if (made) {
        nest_take(&b);
        made = runs_place(g);
    }
    for (int k = 0; made && part->reduces && k < g->nlanes; k++) {
        made = cni_reduce_bind(part, w, g, &g->lanes[k]);
    }
    made = made && cni_tier1_follow(g);
    return made ? CN_OK : cni_fail_memory((int64_t)sizeof *g);
}

cn_status cni_group_bind(const cni_part *part, const cni_window *w, cni_group_binding **out)
{
    cni_group_binding *g = cni_alloc_zero(1, sizeof *g + 2 * (size_t)part->naccess);
    if (g == NULL) {
        return cni_fail_memory((int64_t)sizeof *g);
    }
    cn_status status = cni_group_rebind(part, w, g);
    if (status != CN_OK) {
        cni_group_unbind(g);
        return status;
    }
    *out = g;
    return CN_OK;
}

void cni_group_unbind(cni_group_binding *g)
{
    cni_arena_destroy(&g->arena);
    cni_free(g);
}
