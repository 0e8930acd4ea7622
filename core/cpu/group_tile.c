/* group_tile.c - the tile of a group: how many rows and columns, and how a reduction takes them. */
#include "base/settings.h"
#include "cpu/binder.h"
#include "exec/world.h"
#include "op/op.h"
#include "plan/reduction_axes.h"

enum {
    MEMORY_LEAVES = 32, /* in a tile of what is reduced where it lies */
    ACROSS_ROWS = 64,   /* the same, of what lies along the rows' dimension */
    ACROSS_COLUMNS = 32,
    WIDE_BYTES = 1 << 18, /* of accumulators of a kernel that takes whole rows */
    TALL_ROWS = 64,
    ACROSS_RESULTS = 32, /* whose elements are gathered at once from what lies so */
    COPIED = 1 << 15,    /* elements of a tile that is copied */
    COPIED_LEAST = 1024, /* the same, rather than more tiles */
    TURNED_ROWS = 64,    /* the same, turned */
    TURNED_COLUMNS = 256,
    LINE = 8 /* the same, where each has accumulators: elements of a line of the cache */
};

/* Elements of a tile whose runs stay in the level-1 cache. */
static int64_t tile_elements(const cni_binder *b)
{
    const cni_group_layout *l = &b->g->layout;
    int64_t per_element = (int64_t)(l->row_nruns > 0 ? l->row_nruns : 1) * l->row_size;
    int64_t tile = cni_settings[CNI_SETTING_TILE_BYTES] / per_element / 64 * 64;
    int64_t least = cni_settings[CNI_SETTING_TILE_MIN], most = cni_settings[CNI_SETTING_TILE_MAX];
    tile = tile < least ? least : tile > most ? most : tile;
    if (b->part->reduces) {
        tile = tile >= CNI_LEAF       ? CNI_LEAF
               : tile >= CNI_LEAF / 2 ? CNI_LEAF / 2
               : tile >= CNI_LEAF / 4 ? CNI_LEAF / 4
                                      : tile;
        tile = l->row_nruns == 0 ? tile * MEMORY_LEAVES : tile;
    }
    return tile;
}

/* Does what is read lie along the rows' dimension rather than along a row? */
static bool lies_across(const cni_binder *b)
{
    bool across = false;
    for (uint32_t a = 0; a < b->part->naccess; a++) {
        int64_t column = cni_nest_stride(b, a, 0), row = cni_nest_stride(b, a, 1);
        column = column < 0 ? -column : column;
        row = row < 0 ? -row : row;
        across |= !b->part->access[a].written && row != 0 && row < column;
    }
    return across;
}

/* May rows of the reduced array be taken in any order, in pieces of CNI_LEAF? */
static bool rows_commute(const cni_binder *b, int64_t last)
{
    for (uint32_t i = 0; i < b->part->ninstr; i++) {
        const cni_instr *x = &b->part->instr[i];
        if (x->kind != CNI_INSTR_REDUCE) {
            continue;
        }
        const cni_op *op = &b->w->ops[x->op];
        uint8_t kind = cni_ops[op->opcode].reduce_kind;
        bool exact = kind == CNI_REDUCE_ANY_ORDER || (kind == CNI_REDUCE_SUM && x->dtype < CN_FLOAT16);
        bool leaves = kind == CNI_REDUCE_SUM && last * b->nest.shape[0] > CNI_SMALL_SUM &&
                      cni_reduction_block(b->w, op, b->part->access[x->access].view) == last;
        if (!exact && !leaves) {
            return false;
        }
    }
    return true;
}

/*
 * Is what one result takes cut up by what its neighbours take? Then they take their runs in turn: [results][outer][inner]
 * lies as [outer][results][inner].
 */
static bool results_alternate(const cni_binder *b)
{
    const cni_nest *n = &b->nest;
    bool alternate = false;
    if (n->last_kept || n->nkept == 0 || n->ndim - n->nkept < 2) {
        return false;
    }
    for (uint32_t a = 0; a < b->part->naccess; a++) {
        int64_t outer = n->strides[(size_t)a * CN_MAX_DIMS + (size_t)n->nkept];
        int64_t kept = n->strides[(size_t)a * CN_MAX_DIMS + (size_t)n->nkept - 1];
        outer = outer < 0 ? -outer : outer;
        kept = kept < 0 ? -kept : kept;
        alternate |= !b->part->access[a].written && kept != 0 && kept < outer;
    }
    return alternate && n->shape[n->nkept - 1] >= b->g->nlanes;
}

/* A reduction along what lies far apart takes several rows at once, so that whole lines of the cache are used. */
static bool tile_across(cni_binder *b, int64_t last, int64_t tile)
{
    cni_group_binding *g = b->g;
    const cni_nest *n = &b->nest;
    g->blocked = g->across = false;
    g->together = 1;
    if (!b->part->reduces || n->ndim < 2 || cni_world_get()->places > 1 || !lies_across(b)) {
        return false;
    }
    int64_t rows = n->shape[n->ndim - 2];
    if (n->last_kept) {
        bool sums = n->nkept < n->ndim - 1;
        g->columns = last < ACROSS_COLUMNS ? last : ACROSS_COLUMNS;
        g->rows = rows < ACROSS_ROWS ? rows : ACROSS_ROWS;
        return sums;
    }
    bool results = n->nkept == n->ndim - 1 && 2 * last > tile && rows >= LINE * g->nlanes;
    g->blocked = results && last > CNI_SMALL_SUM;
    g->across = n->nkept == 0 && n->ndim == 2 && rows >= LINE && rows_commute(b, last);
    g->columns = last > CNI_SMALL_SUM ? CNI_LEAF : last;
    g->rows = g->blocked ? LINE : rows < ACROSS_RESULTS ? rows : ACROSS_RESULTS;
    g->together = g->blocked ? LINE : 1;
    return results || g->across;
}

/* Does every reduction take leaves of real numbers from long runs, one after the other? */
static bool takes_leaves(const cni_binder *b, int64_t last)
{
    const cni_group_binding *g = b->g;
    bool all = b->part->reduces && !b->nest.last_kept && !g->blocked && !g->across && g->together == 1 &&
               g->rows == 1 && last > CNI_SMALL_SUM;
    for (uint32_t i = 0; i < b->part->ninstr && all; i++) {
        const cni_instr *x = &b->part->instr[i];
        if (x->kind == CNI_INSTR_REDUCE) {
            const cni_op *op = &b->w->ops[x->op];
            all = cni_ops[op->opcode].reduce_kind == CNI_REDUCE_SUM &&
                  (x->dtype == CN_FLOAT32 || x->dtype == CN_FLOAT64) &&
                  cni_reduction_block(b->w, op, b->part->access[x->access].view) == last;
        }
    }
    return all;
}

/* What a kernel takes that accumulates rows: long stretches of memory. */
static void widen(cni_binder *b, int64_t last)
{
    cni_group_binding *g = b->g;
    int64_t wide = WIDE_BYTES / (int64_t)sizeof(double), share = cni_round_up((last + g->nlanes - 1) / g->nlanes, 8);
    wide = last < wide ? last : wide;
    wide = g->nlanes > 1 && share < wide ? share : wide;
    g->wide = wide > g->columns ? wide : g->columns;
    g->tall = TALL_ROWS > g->rows ? TALL_ROWS : g->rows;
}

/* A tile of memory as rows of it lie. */
static void tile_along(cni_binder *b, int64_t last, int64_t tile)
{
    cni_group_binding *g = b->g;
    const cni_nest *n = &b->nest;
    if (b->part->reduces && cni_world_get()->places == 1 && results_alternate(b)) {
        g->together = CNI_SIDE_BY_SIDE;
    }
    g->rows = 1;
    g->columns = last;
    if (n->last_kept && n->nkept < n->ndim - 1 && g->layout.row_nruns > 0) {
        int64_t reduced = n->shape[n->ndim - 2], rows = 2 * last <= tile ? tile / (last > 0 ? last : 1) : 1;
        g->rows = rows < reduced ? rows : reduced;
        g->columns = last < tile ? last : tile;
    } else if (last > tile) {
        int64_t pieces = (last + tile - 1) / tile;
        g->columns = b->part->reduces ? tile : cni_round_up((last + pieces - 1) / pieces, 8);
    } else if (n->ndim >= 2 && 2 * last <= tile) {
        bool rows_are_free = !b->part->reduces || (!n->last_kept && n->nkept == n->ndim - 1);
        int64_t rows = tile / (last > 0 ? last : 1);
        g->rows = rows_are_free ? (rows < n->shape[n->ndim - 2] ? rows : n->shape[n->ndim - 2]) : 1;
    }
    if (n->last_kept && g->nlanes > 1) { /* tiles are what threads share out */
        int64_t share = cni_round_up((last + g->nlanes - 1) / g->nlanes, 8);
        g->columns = share < g->columns ? share : g->columns;
    }
    g->columns = g->columns < 1 ? 1 : g->columns;
    g->rows = g->rows < 1 ? 1 : g->rows;
}

/* Short rows of a copy, of which each tile would have a few, are taken along the longest dimension. */
static void longest_as_rows(cni_nest *n)
{
    int rows = n->ndim - 2, longest = rows;
    for (int d = 0; d < rows; d++) {
        longest = n->shape[d] > n->shape[longest] ? d : longest;
    }
    if (rows > 0 && longest != rows && n->shape[rows] * n->shape[rows + 1] < COPIED_LEAST) {
        cni_nest_swap(n, rows, longest);
    }
}

/* A copy from memory to memory: no run limits the tile; one that turns is a block on both sides. */
static void tile_copy(cni_binder *b, int64_t last)
{
    cni_group_binding *g = b->g;
    longest_as_rows(&b->nest);
    bool turns = lies_across(b);
    int64_t rows = b->nest.ndim >= 2 ? b->nest.shape[b->nest.ndim - 2] : 1, most = turns ? TURNED_COLUMNS : COPIED;
    g->columns = last < most ? last : most;
    most = turns ? TURNED_ROWS : g->columns < last ? 1 : COPIED / (last > 0 ? last : 1);
    g->rows = rows < most ? rows : most;
    g->columns = g->columns < 1 ? 1 : g->columns;
    g->rows = g->rows < 1 ? 1 : g->rows;
}

void cni_group_tile_choose(cni_binder *b)
{
    cni_group_binding *g = b->g;
    const cni_nest *n = &b->nest;
    int64_t last = n->ndim > 0 ? n->shape[n->ndim - 1] : 1, tile = tile_elements(b);
    bool copies = cni_group_copies(b->part), across = !copies && tile_across(b, last, tile);
    if (copies) {
        g->blocked = g->across = false;
        g->together = 1;
        tile_copy(b, last);
    } else if (!across) {
        tile_along(b, last, tile);
    }
    g->wide = g->columns;
    g->tall = g->rows;
    g->leaves = takes_leaves(b, last);
    if (!across && b->part->reduces && n->last_kept && n->nkept < n->ndim - 1) {
        widen(b, last);
    }
}
