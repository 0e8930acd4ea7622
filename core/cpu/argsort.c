/*
 * argsort.c - indices that sort, stable, by sorting keys alone: each key holds an index below as many high bits of
 * (rank - lowest rank) as there is room for. Runs that are equal in those bits are packed again from the bits that are
 * left, until the order of indices alone decides.
 */
#include <string.h>

#include "cpu/group.h"
#include "cpu/sort_axis.h"

typedef cni_sort_block block;

static int bits_of(uint64_t x)
{
    return x == 0 ? 0 : 64 - __builtin_clzll(x);
}

static uint64_t index_mask(const block *b)
{
    return ((uint64_t)1 << b->bits) - 1;
}

/* Packed indices whose ranks are equal so far: by what is left of this word of their ranks, or by the next. */
static void order_run(const block *b, uint64_t *packed, int64_t n, bool second, uint64_t *spare)
{
    const uint64_t *ranks = second ? b->ranks_low : b->ranks;
    uint64_t mask = index_mask(b), low = UINT64_MAX, high = 0;
    for (int64_t i = 0; i < n; i++) {
        uint64_t rank = ranks[packed[i] & mask];
        low = rank < low ? rank : low;
        high = rank > high ? rank : high;
    }
    bool more = !second && b->j->s.dtype == CN_COMPLEX128;
    if (low == high) {
        if (more) {
            order_run(b, packed, n, true, spare);
        }
        return;
    }
    int shift = bits_of(high - low) + b->bits - 64;
    shift = shift < 0 ? 0 : shift;
    for (int64_t i = 0; i < n; i++) {
        uint64_t index = packed[i] & mask;
        packed[i] = (ranks[index] - low) >> shift << b->bits | index;
    }
    b->j->kernels->key_64.sort(packed, spare, n, false, NULL, NULL);
    for (int64_t i = 0, end; i < n && (shift > 0 || more); i = end) {
        uint64_t top = packed[i] >> b->bits;
        for (end = i + 1; end < n && packed[end] >> b->bits == top; end++) {
        }
        if (end - i > 1) {
            order_run(b, packed + i, end - i, second || shift == 0, spare);
        }
    }
}

/* Orders the runs of the packed indices [first, end) of a line that begins at `line`. */
static void order_runs(const block *b, int64_t line, int64_t first, int64_t end)
{
    uint64_t *packed = b->keys, *spare = b->spare;
    block here = *b; /* ranks of the line, as indices are */
    here.ranks = (uint64_t *)b->ranks + line;
    here.ranks_low = b->ranks_low + line;
    for (int64_t i = first, next; i < end; i = next) {
        uint64_t top = packed[i] >> b->bits;
        for (next = i + 1; next < end && packed[next] >> b->bits == top; next++) {
        }
        if (next - i > 1) {
            order_run(&here, packed + i, next - i, b->shift == 0, spare + i);
        }
    }
}

static void order_share(const block *b, int t, int64_t first, int64_t n)
{
    (void)first;
    (void)n;
    order_runs(b, 0, b->bounds[t], b->bounds[t + 1]);
}

static void order_lines(const block *b, int t, int64_t first, int64_t n)
{
    (void)t;
    for (int64_t k = first; k < first + n; k++) {
        order_runs(b, k * b->j->s.length, k * b->j->s.length, (k + 1) * b->j->s.length);
    }
}

/* Every line's runs; those of one long line by all threads, none cut in two. */
static void order_all_runs(block *b)
{
    int64_t bounds[CNI_SORT_THREADS + 1], length = b->j->s.length;
    const uint64_t *packed = b->keys;
    if (b->count > 1) {
        cni_sort_shared(b, b->count, order_lines);
        return;
    }
    for (int t = 0; t <= b->threads; t++) {
        int64_t i = cni_lane_begin(length, t, b->threads);
        while (i > 0 && i < length && packed[i] >> b->bits == packed[i - 1] >> b->bits) {
            i++;
        }
        bounds[t] = i;
    }
    b->bounds = bounds;
    cni_sort_shared(b, length, order_share);
}

/* Does the order of packed keys leave nothing open? */
static bool exact(const block *b)
{
    return b->shift == 0 && b->j->s.dtype != CN_COMPLEX128;
}

static void write_indices(const block *b, int t, int64_t first, int64_t n)
{
    (void)t;
    int64_t *out = (int64_t *)(void *)cni_sort_result(b, first);
    void *packed = cni_key_at(b->keys, b->packed_wide, first);
    if (b->packed_wide) {
        b->j->kernels->unpack_64(packed, n, index_mask(b), out);
    } else {
        b->j->kernels->unpack_32(packed, n, (uint32_t)index_mask(b), out);
    }
}

/* A complex sort: the values at the indices of [first, first + n) of each line; in the ranks' memory while raw is read. */
static void write_chosen(const block *b, int t, int64_t first, int64_t n)
{
    (void)t;
    const cni_sort_shape *s = &b->j->s;
    uint64_t mask = index_mask(b);
    char *out = s->out_runs ? b->out : (char *)b->ranks;
    for (int64_t line = 0; line < b->count * s->length; line += s->length) {
        const uint64_t *packed = (const uint64_t *)b->keys + line;
        const char *in = cni_sort_source(b, line);
        for (int64_t i = first; i < first + n; i++) {
            memcpy(out + (size_t)(line + i) * s->itemsize, in + (size_t)(packed[i] & mask) * s->itemsize, s->itemsize);
        }
    }
}

/* A piece at a time, which is in the cache when its range is taken. */
static void rank_piece(const block *b, int t, int64_t first, int64_t n)
{
    const cni_sort_shape *s = &b->j->s;
    for (int64_t i = first, some; i < first + n; i += some) {
        uint64_t low, high;
        void *ranks = cni_key_at(b->ranks, s->wide, i);
        some = first + n - i < CNI_SORT_BLOCK ? first + n - i : CNI_SORT_BLOCK;
        b->j->kernels->ranks[s->dtype](some, cni_sort_source(b, i), ranks, b->ranks_low + i);
        cni_sort_key_kernels(b, s->wide)->range(ranks, some, &low, &high);
        b->ranges[2 * t] = low < b->ranges[2 * t] ? low : b->ranges[2 * t];
        b->ranges[2 * t + 1] = high > b->ranges[2 * t + 1] ? high : b->ranges[2 * t + 1];
    }
}

static void make_ranks(const block *b, int t, int64_t first, int64_t n)
{
    b->ranges[2 * t] = UINT64_MAX;
    b->ranges[2 * t + 1] = 0;
    cni_sort_load(b, t, first, n, rank_piece);
}

/* Elements [first, first + n) of the block, whose index in their line is `index` and on. */
static void pack_piece(const block *b, int64_t first, int64_t n, int64_t index, void *to)
{
    bool wide = b->j->s.wide;
    const void *ranks = cni_key_at(b->ranks, wide, first);
    if (b->packed_wide) {
        cni_sort_key_kernels(b, wide)->pack_64(ranks, n, b->low, b->shift, b->bits, index, to);
    } else {
        cni_sort_key_kernels(b, wide)->pack_32(ranks, n, b->low, b->shift, b->bits, index, to);
    }
}

static void load_packed(const block *b, int64_t first, int64_t n, void *to)
{
    pack_piece(b, first, n, first, to);
}

/* [first, first + n) of each line. */
static void pack(const block *b, int t, int64_t first, int64_t n)
{
    (void)t;
    for (int64_t line = 0; line < b->count * b->j->s.length; line += b->j->s.length) {
        pack_piece(b, line + first, n, first, cni_key_at(b->keys, b->packed_wide, line + first));
    }
}

/* Ranks, their range, and where index and rank lie in a packed key. */
static void choose_packing(block *b)
{
    const cni_sort_shape *s = &b->j->s;
    uint64_t ranges[2 * CNI_SORT_THREADS], high;
    b->ranges = ranges;
    cni_sort_shared(b, cni_sort_load_extent(b), make_ranks);
    b->low = ranges[0];
    high = ranges[1];
    for (int t = 1; t < b->threads; t++) {
        b->low = ranges[2 * t] < b->low ? ranges[2 * t] : b->low;
        high = ranges[2 * t + 1] > high ? ranges[2 * t + 1] : high;
    }
    b->bits = bits_of((uint64_t)s->length - 1);
    int room = bits_of(high - b->low) + b->bits;
    b->packed_wide = room > 32 || s->complex;
    b->shift = room > 64 ? room - 64 : 0;
    if (!b->packed_wide) { /* not in the output, where 64 bits are to be written */
        b->keys = b->spare;
        b->spare = (uint32_t *)b->spare + b->count * s->length;
    }
}

void cni_argsort_block(block *b)
{
    const cni_sort_shape *s = &b->j->s;
    int64_t n = b->count * s->length;
    bool argsort = s->task == CNI_TASK_ARGSORT;
    choose_packing(b);
    if (b->count > 1) {
        cni_sort_shared(b, s->length, pack);
    }
    cni_sort_block_lines(b, b->packed_wide, b->count == 1 ? load_packed : NULL,
                         argsort && exact(b) ? write_indices : NULL);
    if (!exact(b)) {
        order_all_runs(b);
    }
    if (!argsort) {
        cni_sort_shared(b, s->length, write_chosen);
        if (!s->out_runs) {
            memcpy(b->raw, b->ranks, (size_t)n * s->itemsize);
        }
    } else if (!exact(b)) {
        cni_sort_shared(b, n, write_indices);
    }
}
