/*
 * reduce_chain.c - rows that several places reduce one after the other (last axis kept): what reduce.c would have done
 * with all of them, row by row.
 *
 * Sums of long runs, and what may be done in any order, are reduced apart: each place has the sums of its own runs, and
 * only those are added up along the chain. Else the rows themselves are, and a share goes on where the one before ended.
 */
#include "cpu/reduce_chain.h"

#include <string.h>

static bool is_exact(const cni_reduction *r)
{
    return r->kind == CNI_REDUCE_ANY_ORDER || (r->kind == CNI_REDUCE_SUM && r->dtype < CN_FLOAT16);
}

static int64_t results_of(const cni_group_binding *g)
{
    return cni_group_extent(g, 0, g->nkept) * g->shape[g->ndim - 1];
}

static int64_t rows_of(const cni_group_binding *g)
{
    return cni_group_extent(g, g->nkept, g->ndim - 1);
}

/* Sums of a reduction that a share keeps apart: whole runs, and what is left over. */
static int64_t runs_of(const cni_group_binding *g, const cni_reduction *r)
{
    return r->large ? rows_of(g) / CNI_LEAF + 1 : 1;
}

/* Rows of a reduction that are handed on: its own, and the total of whole runs. */
static int64_t handed_on(const cni_reduction *r, bool apart)
{
    return r->large && !apart ? 2 : 1;
}

/* What a reduction takes of a share's own memory, and of what is handed on; others of other types come behind it. */
static int64_t aligned(int64_t nbytes)
{
    return (nbytes + 7) / 8 * 8;
}

static int64_t own_bytes(const cni_group_binding *g, const cni_reduction *r, bool apart)
{
    return apart ? aligned(runs_of(g, r) * results_of(g) * (int64_t)r->itemsize) : 0;
}

static int64_t state_bytes(const cni_group_binding *g, const cni_reduction *r, bool apart)
{
    return aligned(handed_on(r, apart) * results_of(g) * (int64_t)r->itemsize);
}

cni_chain_rule cni_reduce_chain_rule(const cni_group_binding *g)
{
    cni_chain_rule rule = {
        .may = g->nreductions > 0 && g->last_kept && g->ndim - 1 > g->nkept, .apart = true, .quantum = 1};
    for (uint32_t i = 0; i < g->nreductions && rule.may; i++) {
        const cni_reduction *r = &g->lanes[0].reductions[i];
        rule.apart &= r->large || is_exact(r);
        rule.mixed |= r->large;
        rule.quantum = r->large ? CNI_LEAF : rule.quantum;
    }
    rule.quantum = rule.apart ? rule.quantum : 1;
    rule.mixed &= !rule.apart;
    return rule;
}

void cni_reduce_chain_bind(cni_group_binding *g, const cni_group_binding *whole, int64_t *own, int64_t *state)
{
    bool apart = cni_reduce_chain_rule(whole).apart;
    *own = *state = 0;
    for (uint32_t i = 0; i < g->nreductions; i++) {
        for (int k = 0; k < g->nlanes; k++) { /* it has few rows, but they are some of many */
            g->lanes[k].reductions[i].large = whole->lanes[0].reductions[i].large;
        }
        const cni_reduction *r = &g->lanes[0].reductions[i];
        *own += own_bytes(g, r, apart);
        *state += state_bytes(g, r, apart);
    }
}

/* ---- While rows are reduced ---- */

/* The number of the result that the lane is at. */
static int64_t result_number(const cni_group_binding *g, const cni_lane *lane)
{
    int64_t number = 0;
    for (int d = 0; d < g->nkept; d++) {
        number = number * g->shape[d] + lane->index[d];
    }
    return number * g->shape[g->ndim - 1] + lane->index[g->ndim - 1];
}

static void fill(const cni_reduction *r, char *row, const void *value, int64_t columns)
{
    cni_cpu_kernels_get()->copies[__builtin_ctzll(r->itemsize)](columns, row, (int64_t)r->itemsize, value, 0);
}

void cni_reduce_share_begin(const cni_group_binding *g, cni_lane *lane, int64_t columns)
{
    const cni_reduce_share *s = g->share;
    int64_t results = results_of(g), at = result_number(g, lane);
    char *own = s->own, *state = s->state;
    for (uint32_t i = 0; i < g->nreductions; i++) {
        cni_reduction *r = &lane->reductions[i];
        int64_t size = (int64_t)r->itemsize;
        r->seen = s->before;
        r->runs = s->apart && r->large ? own + at * size : NULL;
        r->runs_step = results * size;
        if (s->before > 0 && s->apart && r->has_initial) { /* it counts once */
            r->begun = r->has_identity;
            fill(r, r->row, r->identity.value.bytes, columns);
        } else if (s->before > 0 && !s->apart) {
            r->begun = true;
            r->filled = r->large ? s->before / CNI_LEAF : 0;
            memcpy(r->row, state + at * size, (size_t)(columns * size));
            memcpy(r->total, state + (r->large ? results + at : at) * size, (size_t)(columns * size));
        }
        own += own_bytes(g, r, s->apart);
        state += state_bytes(g, r, s->apart);
    }
}

void cni_reduce_share_end(const cni_group_binding *g, cni_lane *lane, int64_t columns)
{
    const cni_reduce_share *s = g->share;
    int64_t results = results_of(g), at = result_number(g, lane);
    char *own = s->own, *state = s->state;
    for (uint32_t i = 0; i < g->nreductions; i++) {
        cni_reduction *r = &lane->reductions[i];
        int64_t size = (int64_t)r->itemsize;
        if (s->apart) {
            int64_t run = r->large ? r->filled : 0;
            memcpy(own + (run * results + at) * size, r->row, (size_t)(columns * size));
        } else {
            memcpy(state + at * size, r->row, (size_t)(columns * size));
            memcpy(state + (r->large ? results + at : at) * size, r->large ? r->total : r->row,
                   (size_t)(columns * size));
        }
        own += own_bytes(g, r, s->apart);
        state += state_bytes(g, r, s->apart);
        r->runs = NULL;
    }
}

/* ---- A share ---- */

static void combine(const cni_reduction *r, char *to, const char *from, int64_t n)
{
    void *p[3] = {to, to, (void *)(uintptr_t)from};
    r->combine(n, p, 0);
}

static void reduce_rows(const cni_part *part, cni_group_binding *g, const cni_run *run, const cni_link *link,
                        bool apart)
{
    cni_reduce_share share = {.apart = apart, .before = link->before, .own = link->own, .state = link->state};
    g->share = &share;
    cni_group_run(part, g, run);
    g->share = NULL;
}

void cni_reduce_chain_rows(const cni_group_binding *g, const cni_link *link, void **rows)
{
    bool apart = cni_reduce_chain_rule(g).apart;
    int64_t results = results_of(g);
    char *own = link->own, *state = link->state;
    for (uint32_t i = 0; i < g->nreductions && i < CNI_ROWS_MOST; i++) {
        const cni_reduction *r = &g->lanes[0].reductions[i];
        rows[i] = apart ? own : state;
        if (apart && r->large && rows_of(g) % CNI_LEAF == 0) { /* nothing is left over */
            fill(r, own + (runs_of(g, r) - 1) * results * (int64_t)r->itemsize, r->identity.value.bytes, results);
        }
        own += own_bytes(g, r, apart);
        state += state_bytes(g, r, apart);
    }
}

/* Adds the sums of the share's runs to what comes along the chain. */
static void add_runs(const cni_group_binding *g, const cni_link *link)
{
    int64_t results = results_of(g);
    const char *own = link->own;
    char *state = link->state;
    for (uint32_t i = 0; i < g->nreductions; i++) {
        const cni_reduction *r = &g->lanes[0].reductions[i];
        int64_t runs = runs_of(g, r), step = results * (int64_t)r->itemsize;
        int64_t count = r->large && !link->last ? runs - 1 : runs; /* only the last share has a run that is not whole */
        for (int64_t k = 0; k < count; k++) {
            if (link->first && k == 0) {
                memcpy(state, own, (size_t)step);
            } else {
                combine(r, state, own + k * step, results);
            }
        }
        own += own_bytes(g, r, true);
        state += state_bytes(g, r, true);
    }
}

/* Stores what has come to the end of the chain: rows of results. */
static void store(cni_group_binding *g, const cni_run *run, const cni_reduction *r, const char *from)
{
    cni_lane *lane = &g->lanes[0];
    const cni_bound_access *a = &g->access[r->access];
    int last = g->ndim - 1;
    int64_t width = g->shape[last], rows = cni_group_extent(g, 0, g->nkept);
    memset(lane->index, 0, (size_t)g->ndim * sizeof *lane->index);
    for (int64_t k = 0; k < rows; k++) {
        int64_t rest = k;
        for (int d = g->nkept - 1; d >= 0; d--) {
            lane->index[d] = rest % g->shape[d];
            rest /= g->shape[d];
        }
        cni_lane_point(g, lane, run);
        cni_cpu_kernels_get()->copies[a->log2_size](width, lane->pointers[r->access], a->strides[last],
                                                    from + k * width * (int64_t)r->itemsize, (int64_t)r->itemsize);
    }
}

static void finish(cni_group_binding *g, const cni_run *run, const cni_link *link, bool apart)
{
    char *state = link->state;
    int64_t results = results_of(g);
    for (uint32_t i = 0; i < g->nreductions; i++) {
        const cni_reduction *r = &g->lanes[0].reductions[i];
        int64_t step = results * (int64_t)r->itemsize;
        bool folded = !apart && r->large && link->before + rows_of(g) >= CNI_LEAF;
        if (folded) {
            combine(r, state + step, state, results);
        }
        store(g, run, r, folded ? state + step : state);
        state += state_bytes(g, r, apart);
    }
}

void cni_reduce_chain(const cni_part *part, cni_group_binding *g, const cni_run *run, const cni_link *link,
                      cni_link_phase phase)
{
    bool apart = cni_reduce_chain_rule(g).apart;
    if (phase == (apart ? CNI_LINK_BEGIN : CNI_LINK_STEP)) {
        reduce_rows(part, g, run, link, apart);
    }
    if (phase == CNI_LINK_STEP && apart) {
        add_runs(g, link);
    }
    if (phase == CNI_LINK_END && link->last) {
        finish(g, run, link, apart);
    }
}
