/*
 * scan_chain.c - accumulations along an axis of which several places have some, one after the other.
 *
 * Apart, where a total is all that a share needs of those before it, or tiles of the tree (scan_tree.h) are: every place has
 * totals of its own lines, or of their tiles; those are handed on, and then it accumulates with what stands before it. Else a
 * share goes on where the one before ended.
 *
 *     own:    by line: what stands before the share (a total, or a state); then by line and tile 8 bytes: what it comes to
 */
#include <string.h>

#include "cpu/scan_shared.h"
#include "exec/scan_lines.h"
#include "op/op.h"

typedef struct lines {
    const cni_op *op;
    cn_dtype dtype;
    cni_geometry in;
    bool tree;
    int64_t count, length, tiles; /* tiles: the last may not be whole */
    int64_t itemsize, each;       /* each: of what stands before a line */
} lines;

static lines lines_of(const cni_part *part, const cni_window *w)
{
    const cni_op *op = &w->ops[part->op];
    cni_geometry in = cni_window_geometry(w, part->access[1].view);
    lines l = {.op = op,
               .dtype = (cn_dtype)w->views[part->access[0].view].dtype,
               .in = in,
               .tree = (op->flags & CNI_FLAG_TREE) != 0,
               .length = in.shape[op->parameter],
               .itemsize = in.itemsize};
    l.count = cni_element_count(in.ndim, in.shape) / (l.length > 0 ? l.length : 1);
    l.tiles = (l.length + CNI_SCAN_TILE - 1) / CNI_SCAN_TILE;
    l.each = l.tree ? (int64_t)sizeof(cni_scan_state) : l.itemsize;
    return l;
}

/* Bytes of what stands before the share. */
static int64_t before_bytes(const lines *l)
{
    return (l->count * l->each + 15) / 16 * 16;
}

static char *tiles_in(const lines *l, char *own)
{
    return own + before_bytes(l);
}

bool cni_scan_totals_add(const cni_op *op)
{
    const cni_op_info *info = &cni_ops[op->opcode];
    uint8_t kind = info->reduce_kind, dtype = info->signatures[op->loop].dtypes[2];
    return kind == CNI_REDUCE_ANY_ORDER || (kind == CNI_REDUCE_SUM && dtype < CN_FLOAT16);
}

static bool is_apart(const cni_op *op)
{
    return (op->flags & CNI_FLAG_TREE) != 0 || cni_scan_totals_add(op);
}

cni_chain_rule cni_library_scan_rule(const cni_part *part, const cni_window *w)
{
    const cni_op *op = &w->ops[part->op];
    bool tree = (op->flags & CNI_FLAG_TREE) != 0;
    return (cni_chain_rule){.may = true, .apart = is_apart(op), .quantum = tree ? CNI_SCAN_TILE : 1};
}

void cni_library_scan_link(const cni_part *part, const cni_window *w, int64_t *own, int64_t *state)
{
    lines l = lines_of(part, w);
    *state = l.count * l.each;
    *own = is_apart(l.op) ? before_bytes(&l) + l.count * l.tiles * 8 : 0;
}

/* ---- Totals ---- */

static void add(const lines *l, const void *a, const void *b, void *out)
{
    void *p[3] = {out, (void *)(uintptr_t)a, (void *)(uintptr_t)b};
    cni_cpu_kernels_get()->loops[cni_ops[l->op->opcode].first_loop + l->op->loop](1, p, 0);
}

/* Hands on the totals with the share's own, which become those of all before it. */
static void add_totals(const lines *l, const cni_link *link)
{
    for (int64_t at = 0; at < l->count * l->itemsize; at += l->itemsize) {
        unsigned char before[16];
        memcpy(before, link->state + at, (size_t)l->itemsize);
        if (link->first) {
            memcpy(link->state + at, link->own + at, (size_t)l->itemsize);
        } else {
            add(l, before, link->own + at, link->state + at);
        }
        memcpy(link->own + at, before, (size_t)l->itemsize);
    }
}

/* ---- Tiles of the tree ---- */

typedef struct tile_work {
    const lines *l;
    const char *in;
    double *sums;
} tile_work;

static void sum_tiles(void *context, int64_t first, int64_t end)
{
    const tile_work *t = context;
    const lines *l = t->l;
    int axis = l->op->parameter;
    int64_t step = l->in.strides[axis];
    for (int64_t k = first; k < end; k++) {
        int64_t at = k % l->tiles * CNI_SCAN_TILE * step, rest = k / l->tiles;
        for (int d = l->in.ndim - 1; d >= 0; d--) {
            if (d != axis) {
                at += rest % l->in.shape[d] * l->in.strides[d];
                rest /= l->in.shape[d];
            }
        }
        if ((k % l->tiles + 1) * CNI_SCAN_TILE <= l->length) { /* what is behind the others nobody needs */
            t->sums[k] = (l->dtype == CN_FLOAT64 ? cni_scan_tile_f64 : cni_scan_tile_f32)(t->in + at, step);
        }
    }
}

static void skip(const lines *l, cni_scan_state *state, int64_t tiles, const double *sums)
{
    (l->dtype == CN_FLOAT64 ? cni_scan_tree_skip_f64 : cni_scan_tree_skip_f32)(state, tiles, sums);
}

/* Hands on the states, over all whole tiles of the share. */
static void hand_on_states(const lines *l, const cni_link *link)
{
    const double *sums = (const double *)(const void *)tiles_in(l, link->own);
    for (int64_t k = 0; k < l->count; k++) {
        cni_scan_state state = {0};
        char *at = link->state + k * l->each;
        if (!link->first) {
            memcpy(&state, at, sizeof state);
        }
        memcpy(link->own + k * l->each, &state, sizeof state);
        skip(l, &state, l->length / CNI_SCAN_TILE, sums + k * l->tiles);
        memcpy(at, &state, sizeof state);
    }
}

/* ---- What a device leaves, and is given ---- */

/* By tile, what stands before it, in place of what it comes to; of the first of all, nothing that counts. */
static void tiles_before(const lines *l, const cni_link *link)
{
    char *tiles = tiles_in(l, link->own);
    for (int64_t k = 0; k < l->count * l->tiles; k++) {
        const char *before = link->own + k / l->tiles * l->each;
        if (l->tree) {
            cni_scan_state *state = (cni_scan_state *)(void *)(uintptr_t)before;
            double sum = ((double *)(void *)tiles)[k],
                   upto = state->tiles.count > 0 ? state->tiles.upto[state->tiles.count - 1] : 0;
            float single = (float)upto;
            memcpy(tiles + k * l->itemsize, l->dtype == CN_FLOAT64 ? (void *)&upto : (void *)&single,
                   (size_t)l->itemsize);
            skip(l, state, 1, &sum);
        } else {
            char *total = (char *)(uintptr_t)before, *here = tiles + k * l->itemsize;
            unsigned char own[16];
            memcpy(own, here, (size_t)l->itemsize);
            memcpy(here, total, (size_t)l->itemsize);
            if (link->first && k % l->tiles == 0) {
                memcpy(total, own, (size_t)l->itemsize);
            } else {
                add(l, here, own, total);
            }
        }
    }
}

void cni_scan_chain_rows(const cni_part *part, const cni_window *w, const cni_link *link, cni_link_phase phase,
                         void **rows)
{
    lines l = lines_of(part, w);
    rows[0] = phase == CNI_LINK_STEP ? link->state : link->own;
    rows[1] = is_apart(l.op) ? tiles_in(&l, link->own) : NULL;
    if (phase == CNI_LINK_END && cni_scan_by_tiles(l.op, l.dtype, l.count)) {
        tiles_before(&l, link);
    }
}

void cni_scan_chain_left(const cni_part *part, const cni_window *w, const cni_link *link)
{
    lines l = lines_of(part, w);
    char *tiles = is_apart(l.op) ? tiles_in(&l, link->own) : NULL;
    if (!cni_scan_by_tiles(l.op, l.dtype, l.count)) {
        return;
    }
    for (int64_t k = l.count * l.tiles - 1; k >= 0 && l.tree && l.dtype == CN_FLOAT32; k--) {
        float sum;
        memcpy(&sum, tiles + k * (int64_t)sizeof sum, sizeof sum);
        ((double *)(void *)tiles)[k] = (double)sum;
    }
    for (int64_t k = 0; k < l.count * l.tiles && !l.tree; k++) {
        char *total = link->own + k / l.tiles * l.itemsize, *here = tiles + k * l.itemsize;
        unsigned char before[16];
        memcpy(before, total, (size_t)l.itemsize);
        if (k % l.tiles == 0) {
            memcpy(total, here, (size_t)l.itemsize);
        } else {
            add(&l, before, here, total);
        }
    }
}

/* ---- Phases ---- */

static void begin(const cni_part *part, const cni_run *run, const lines *l, const cni_link *link)
{
    if (!l->tree) {
        cni_scan_run(part, run, NULL, link->own);
        return;
    }
    tile_work t = {l, cni_library_operand_get(part, 1, run).data, (double *)(void *)tiles_in(l, link->own)};
    cni_library_lines(l->count * l->tiles, CNI_SCAN_TILE, sum_tiles, &t);
}

void cni_library_scan_chain(const cni_part *part, const cni_run *run, const cni_link *link, cni_link_phase phase)
{
    lines l = lines_of(part, run->window);
    bool apart = is_apart(l.op);
    if (phase == CNI_LINK_BEGIN && apart) {
        begin(part, run, &l, link);
    } else if (phase == CNI_LINK_STEP && apart) {
        (l.tree ? hand_on_states : add_totals)(&l, link);
    } else if (phase == CNI_LINK_STEP) {
        cni_scan_run(part, run, link->first ? NULL : link->state, link->state);
    } else if (apart && (l.tree || !link->first)) {
        cni_scan_run(part, run, link->own, NULL);
    }
}
