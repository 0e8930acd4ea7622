/*
 * scan_shared.c - one line of an accumulation by all threads, block by block: every thread sums up its share of the block,
 * and knows by the others' sums what stands before it; then it accumulates the share, which is still in its cache. The order
 * of additions is that of one thread: it follows from places in the line (scan_tree.h), or does not matter.
 */
#include <string.h>

#include "base/threads.h"
#include "cpu/scan_shared.h"

enum {
    SHARES_MOST = 64,
    SHARE_TILES = 32, /* of a block */
    LEAST_TILES = 4   /* of a line, for each thread */
};

typedef struct block {
    cni_scan *s;
    const char *in;
    char *out;
    int64_t n, each;             /* elements, and those of a share */
    const cni_scan_state *state; /* before the block */
    const unsigned char *total;
    double sums[SHARES_MOST * SHARE_TILES]; /* of tiles */
    unsigned char totals[SHARES_MOST][16];  /* of shares */
} block;

int cni_scan_shares(const cni_scan *s, int64_t lines)
{
    bool dense = s->in.g.strides[s->axis] == (int64_t)s->itemsize && s->out.g.strides[s->axis] == (int64_t)s->itemsize;
    int64_t most = s->length / (LEAST_TILES * CNI_SCAN_TILE);
    int threads = cni_library_threads(s->length, 1, most < SHARES_MOST ? (int)most : SHARES_MOST);
    return (s->tree || (s->adds && dense && s->loop != NULL)) && 2 * lines <= threads ? threads : 1;
}

static void go_on(const cni_scan *s, int64_t n, const char *in, char *out, cni_scan_state *state, unsigned char *total)
{
    if (s->tree) {
        bool wide = s->out.dtype == CN_FLOAT64;
        (wide ? cni_scan_tree_f64 : cni_scan_tree_f32)(state, n, in, s->in.g.strides[s->axis], out,
                                                       s->out.g.strides[s->axis]);
    } else {
        s->loop(n, in, out, total);
    }
}

static int64_t share_length(const block *b, int t)
{
    int64_t left = b->n - t * b->each;
    return left < b->each ? left : b->each;
}

static void sum_up(void *context, int t)
{
    block *b = context;
    const cni_scan *s = b->s;
    int64_t step = s->in.g.strides[s->axis], n = share_length(b, t);
    const char *in = b->in + t * b->each * step;
    if (!s->tree) {
        memcpy(b->totals[t], in, s->itemsize);
        s->reduce(n - 1, in + step, b->totals[t]);
        return;
    }
    double *sums = b->sums + t * b->each / CNI_SCAN_TILE;
    for (int64_t i = 0; i < n / CNI_SCAN_TILE; i++, in += CNI_SCAN_TILE * step) {
        sums[i] = s->out.dtype == CN_FLOAT64 ? cni_scan_tile_f64(in, step) : cni_scan_tile_f32(in, step);
    }
}

/* The state behind the block's first n elements. */
static void pass(const block *b, int64_t n, cni_scan_state *state)
{
    bool wide = b->s->out.dtype == CN_FLOAT64;
    (wide ? cni_scan_tree_skip_f64 : cni_scan_tree_skip_f32)(state, n / CNI_SCAN_TILE, b->sums);
}

static void pass_totals(const block *b, int shares, unsigned char *total)
{
    for (int k = 0; k < shares; k++) {
        b->s->reduce(1, b->totals[k], total);
    }
}

static void accumulate(void *context, int t)
{
    block *b = context;
    cni_scan *s = b->s;
    int64_t first = t * b->each, n = share_length(b, t);
    const char *in = b->in + first * s->in.g.strides[s->axis];
    char *out = b->out + first * s->out.g.strides[s->axis];
    cni_scan_state state;
    unsigned char total[16];
    cni_shared_events_begin(&s->events);
    if (s->tree) {
        state = *b->state;
        pass(b, first, &state);
    } else {
        memcpy(total, b->total, s->itemsize);
        pass_totals(b, t, total);
    }
    go_on(s, n, in, out, &state, total);
    cni_shared_events_note(&s->events);
}

/* As much as are whole tiles, by all threads. */
static void run_block(block *b, int64_t tiles, cni_scan_state *state, unsigned char *total)
{
    int threads = b->s->threads;
    b->n = tiles * CNI_SCAN_TILE;
    b->each = (tiles + threads - 1) / threads * CNI_SCAN_TILE;
    int shares = (int)((b->n + b->each - 1) / b->each);
    cni_threads_run(shares, sum_up, b);
    cni_threads_run(shares, accumulate, b);
    if (b->s->tree) {
        pass(b, b->n, state);
    } else {
        pass_totals(b, shares, total);
    }
}

void cni_scan_on(cni_scan *s, int64_t n, const char *in, char *out, cni_scan_state *state, unsigned char *total)
{
    if (s->threads == 1) {
        go_on(s, n, in, out, state, total);
        return;
    }
    int64_t in_step = s->in.g.strides[s->axis], out_step = s->out.g.strides[s->axis];
    int64_t begun = s->tree ? state->n % CNI_SCAN_TILE : 0, at = begun != 0 ? CNI_SCAN_TILE - begun : 0;
    block b = {.s = s, .in = in, .out = out, .state = state, .total = total};
    at = at < n ? at : n;
    go_on(s, at, in, out, state, total);
    cni_shared_events_note(&s->events);
    while (n - at >= CNI_SCAN_TILE) {
        int64_t tiles = (n - at) / CNI_SCAN_TILE, most = (int64_t)s->threads * SHARE_TILES;
        b.in = in + at * in_step;
        b.out = out + at * out_step;
        run_block(&b, tiles < most ? tiles : most, state, total);
        at += b.n;
    }
    go_on(s, n - at, in + at * in_step, out + at * out_step, state, total);
}
