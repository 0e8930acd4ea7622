/*
 * sort_axis.c - sort, argsort and partition along an axis.
 *
 * Lines (all elements along the axis) are taken in blocks. One long line is worked on by all threads, many lines are
 * shared out. A block goes through these arrays, of which those that are not needed are left out:
 *
 *   input --> raw (if strided) --> ranks --> packed (rank and index in one key) --> indices     argsort, complex sort
 *                              --> keys  --> sorted keys --> values --> output                  sort, partition
 *
 * Indices are packed below as many high bits of (rank - lowest rank) as there is room for. Runs that are equal in those
 * bits are packed again from the bits that are left, until index order alone decides: that makes it stable.
 */
#include <string.h>
#include <unistd.h>

#include "base/threads.h"
#include "cpu/group.h"
#include "cpu/library.h"
#include "cpu/loops.h"
#include "cpu/sort.h"
#include "op/op.h"

enum {
    BLOCK = 4096,         /* elements in a block of short lines */
    STRIDED_LINES = 8,    /* that are taken together because they share cache lines */
    COUNT_8_LEAST = 256,  /* elements of a line that is sorted by counting its values */
    COUNT_16_LEAST = 1 << 15,
    VALUES_16 = 1 << 16,
    TURN = 64
};

typedef enum what { SORT, ARGSORT, PARTITION } what;

/* What follows from the geometry: the same when memory is declared and when it is used. */
typedef struct shape {
    what what;
    cn_dtype dtype;
    cni_geometry out, in;
    int axis;
    int64_t length, lines, count; /* count: lines in a block */
    size_t itemsize, out_size;
    bool complex, indices; /* indices: by packed ranks */
    bool wide;             /* keys of 64 bits */
    bool in_runs, out_runs; /* blocks lie as they should in the input, in the output */
    bool direct;           /* keys are sorted in the output's memory */
    int counting;          /* 0, or the size of values to be counted */
    int64_t workers;
    int64_t keys, spare, ranks, ranks_low, raw, bucket, tables, worker_bytes; /* offsets in a worker's memory */
} shape;

static int64_t take(int64_t *at, bool needed, int64_t nbytes)
{
    int64_t begin = *at;
    *at += needed ? (nbytes + 255) & ~INT64_C(63) : 0;
    return begin;
}

/* Do lines follow each other without gaps? */
static bool lines_run(const shape *s, const cni_geometry *g, size_t itemsize)
{
    int64_t next = (int64_t)itemsize;
    bool last = true; /* the axis is the innermost one that matters */
    for (int d = g->ndim - 1; d >= 0; d--) {
        if (g->shape[d] == 1) {
            continue;
        }
        if (last && d != s->axis) {
            return false;
        }
        last = false;
        if (g->strides[d] != next) {
            return d != s->axis && s->count == 1;
        }
        next *= g->shape[d];
    }
    return true;
}

static int64_t processors(void)
{
    static int64_t known; /* not a setting: memory is declared once, settings change */
    if (known == 0) {
        int64_t count = sysconf(_SC_NPROCESSORS_CONF);
        known = count < 8 ? 8 : count > CNI_SORT_THREADS ? CNI_SORT_THREADS : count;
    }
    return known;
}

static void memory_layout(shape *s)
{
    int64_t n = s->count * s->length, at = 0, key = s->wide || s->indices ? 8 : 4;
    s->keys = take(&at, !s->direct && s->counting == 0, n * key);
    s->spare = take(&at, s->counting == 0, n * key);
    s->ranks = take(&at, s->indices, n * 8);
    s->ranks_low = take(&at, s->dtype == CN_COMPLEX128, n * 8);
    s->raw = take(&at, !s->in_runs || !s->out_runs, n * (int64_t)(s->itemsize > s->out_size ? s->itemsize : s->out_size));
    s->bucket = take(&at, s->length >= CNI_DISTRIBUTE_LEAST && s->counting == 0, s->length);
    int64_t tables = s->counting == 2 ? (s->workers > 1 ? 1 : processors()) * VALUES_16
                     : s->length >= CNI_DISTRIBUTE_LEAST || s->counting == 1 ? processors() * CNI_BUCKETS : 0;
    s->tables = take(&at, tables > 0, tables * (int64_t)sizeof(int64_t));
    s->worker_bytes = at;
}

static shape shape_of(what what, cn_dtype dtype, cni_geometry out, cni_geometry in, int axis)
{
    shape s = {.what = what, .dtype = dtype, .out = out, .in = in, .axis = axis, .itemsize = (size_t)in.itemsize, .out_size = (size_t)out.itemsize};
    s.length = in.shape[axis];
    s.lines = s.length == 0 ? 0 : cni_element_count(in.ndim, in.shape) / s.length;
    s.complex = dtype == CN_COMPLEX64 || dtype == CN_COMPLEX128;
    s.indices = what == ARGSORT || s.complex;
    s.wide = cni_key_size(dtype) == 8;
    if (!s.indices && ((s.itemsize == 1 && s.length >= COUNT_8_LEAST) || (s.itemsize == 2 && s.length >= COUNT_16_LEAST))) {
        s.counting = (int)s.itemsize;
    }
    s.count = s.length == 0 ? 1 : BLOCK / s.length;
    if (s.count < STRIDED_LINES && s.length <= VALUES_16 && in.ndim > 1 && in.strides[axis] > in.itemsize) {
        s.count = STRIDED_LINES;
    }
    s.count = s.counting != 0 || s.count < 1 ? 1 : s.count;
    s.count = s.count < s.lines || s.lines == 0 ? s.count : s.lines;
    s.in_runs = lines_run(&s, &in, s.itemsize);
    s.out_runs = lines_run(&s, &out, s.out_size);
    s.direct = s.out_runs && s.counting == 0 && (what == ARGSORT || (!s.indices && s.itemsize == (s.wide ? 8 : 4)));
    int64_t blocks = (s.lines + s.count - 1) / s.count;
    s.workers = blocks < processors() ? blocks : processors();
    s.workers = s.workers < 1 ? 1 : s.workers;
    memory_layout(&s);
    return s;
}

typedef struct job {
    shape s;
    const cni_order_kernels *kernels;
    char *out, *in, *scratch;
    const int64_t *kth;
    int64_t nkth;
    int threads;
} job;

/* Work on one block: count lines of length elements from `line` on. */
typedef struct block {
    const job *j;
    int64_t line, count;
    int threads; /* to share the block's one line */
    char *in, *out; /* where the block is contiguous */
    void *keys, *spare;
    void *ranks;
    uint64_t *ranks_low;
    char *raw;
    uint8_t *bucket;
    int64_t *tables;
    /* packed keys */
    bool packed_wide;
    uint64_t low, high;
    int shift, bits;
    int64_t *bounds;  /* of the threads' shares */
    uint64_t *ranges; /* lowest and highest rank of each share */
} block;

/* Share t of n elements. */
typedef struct share {
    const block *b;
    void (*run)(const block *b, int t, int64_t first, int64_t n);
    int64_t n;
} share;

static void run_share(void *context, int t)
{
    const share *x = context;
    int64_t first = cni_lane_begin(x->n, t, x->b->threads), end = cni_lane_begin(x->n, t + 1, x->b->threads);
    x->run(x->b, t, first, end - first);
}

static void shared(const block *b, int64_t n, void (*run)(const block *b, int t, int64_t first, int64_t n))
{
    share x = {b, run, n};
    cni_threads_run(b->threads, run_share, &x);
}

/* ---- Between strided memory and a block ---- */

static int64_t line_offset(const shape *s, const cni_geometry *g, int64_t line)
{
    int64_t offset = 0;
    for (int d = g->ndim - 1; d >= 0; d--) {
        if (d != s->axis) {
            offset += line % g->shape[d] * g->strides[d];
            line /= g->shape[d];
        }
    }
    return offset;
}

/* Elements [first, first + n) of each line, TURN at a time: neighbouring lines share cache lines. */
static void copy_block(const block *b, const cni_geometry *g, char *strided, size_t size, bool into, int64_t first, int64_t n)
{
    const shape *s = &b->j->s;
    const cni_copy_loop copy = cni_cpu_kernels_get()->copies[__builtin_ctzll(size)];
    int64_t stride = g->strides[s->axis], item = (int64_t)size, offsets[BLOCK];
    for (int64_t k = 0; k < b->count; k++) {
        offsets[k] = line_offset(s, g, b->line + k);
    }
    for (int64_t i = first; i < first + n; i += TURN) {
        int64_t some = first + n - i < TURN ? first + n - i : TURN;
        for (int64_t k = 0; k < b->count; k++) {
            char *outside = strided + offsets[k] + i * stride, *inside = b->raw + (k * s->length + i) * item;
            if (into) {
                copy(some, inside, item, outside, stride);
            } else {
                copy(some, outside, stride, inside, item);
            }
        }
    }
}

/* Elements [first, first + n) of the block (of its only line, where it is not the whole): contiguous. */
static const char *load(const block *b, int64_t first, int64_t n)
{
    const shape *s = &b->j->s;
    if (!s->in_runs) {
        int64_t length = b->count == 1 ? n : s->length;
        copy_block(b, &s->in, b->j->in, s->itemsize, true, b->count == 1 ? first : 0, length);
    }
    return (s->in_runs ? b->in : b->raw) + (size_t)first * s->itemsize;
}

/* Where the block's results [first, ...) are to be written, before store. */
static char *result(const block *b, int64_t first)
{
    const shape *s = &b->j->s;
    return (s->out_runs ? b->out : b->raw) + (size_t)first * s->out_size;
}

static void store(const block *b, int64_t first, int64_t n)
{
    const shape *s = &b->j->s;
    if (!s->out_runs) {
        int64_t length = b->count == 1 ? n : s->length;
        copy_block(b, &s->out, b->j->out, s->out_size, false, b->count == 1 ? first : 0, length);
    }
}

static void *at(void *keys, bool wide, int64_t i)
{
    return (char *)keys + i * (wide ? 8 : 4);
}

static const cni_key_kernels *key_kernels(const block *b, bool wide)
{
    return wide ? &b->j->kernels->key_64 : &b->j->kernels->key_32;
}

/* ---- Sort and partition by keys ---- */

static void make_keys(const block *b, int t, int64_t first, int64_t n)
{
    (void)t;
    const shape *s = &b->j->s;
    b->j->kernels->keys[s->dtype](n, load(b, first, n), at(b->keys, s->wide, first));
}

static void finish_values(void *context, int64_t first, int64_t n)
{
    const block *b = context;
    const shape *s = &b->j->s;
    b->j->kernels->values[s->dtype](n, at(b->keys, s->wide, first), result(b, first));
    store(b, first, n);
}

/* Sorts every line of the block; the last act on the only line of a block is finish. */
static void sort_lines(const block *b, void *keys, void *spare, bool wide, void (*finish)(void *context, int64_t first, int64_t n))
{
    const shape *s = &b->j->s;
    const cni_key_kernels *k = key_kernels(b, wide);
    if (b->count == 1) {
        cni_sort_run run = {.wide = wide, .keys = keys, .spare = spare, .n = s->length, .threads = b->threads, .bucket = b->bucket,
                            .tally = b->tables, .kth = b->j->kth, .nkth = b->j->nkth, .finish = finish, .context = (void *)(uintptr_t)b};
        cni_sort_keys(&run);
        return;
    }
    if (s->length > 1 && s->length <= CNI_SHORT_LINE) {
        k->lines(keys, b->count, s->length);
    }
    for (int64_t i = 0; i < b->count && s->length > CNI_SHORT_LINE; i++) {
        void *line = at(keys, wide, i * s->length);
        if (b->j->kth != NULL) {
            k->select(line, spare, s->length, false, b->j->kth, b->j->nkth, 0);
        } else {
            k->sort(line, spare, s->length, false);
        }
    }
    if (finish != NULL) {
        finish((void *)(uintptr_t)b, 0, b->count * s->length);
    }
}

static void sort_block(const block *b)
{
    int64_t n = b->count * b->j->s.length;
    shared(b, n, make_keys);
    sort_lines(b, b->keys, b->spare, b->j->s.wide, finish_values);
}

/* ---- Sort of small values by counting them ---- */

static void count_values(const block *b, int t, int64_t first, int64_t n)
{
    const shape *s = &b->j->s;
    const void *values = load(b, first, n);
    int64_t *table = b->tables + t * (s->counting == 1 ? CNI_BUCKETS : VALUES_16);
    memset(table, 0, (s->counting == 1 ? CNI_BUCKETS : VALUES_16) * sizeof *table);
    if (s->counting == 2) {
        const uint16_t *v = values;
        for (int64_t i = 0; i < n; i++) {
            table[v[i]]++;
        }
        return;
    }
    const uint8_t *v = values;
    int64_t apart[3][256] = {{0}}, i = 0; /* equal neighbours must not wait for each other */
    for (; i + 4 <= n; i += 4) {
        table[v[i]]++;
        apart[0][v[i + 1]]++;
        apart[1][v[i + 2]]++;
        apart[2][v[i + 3]]++;
    }
    for (; i < n; i++) {
        table[v[i]]++;
    }
    for (int k = 0; k < 256; k++) {
        table[k] += apart[0][k] + apart[1][k] + apart[2][k];
    }
}

/* Results [first, first + n): the values in order, each as often as it was counted (tables[0] has the sums). */
static void write_counted(const block *b, int t, int64_t first, int64_t n)
{
    (void)t;
    const shape *s = &b->j->s;
    int64_t before = 0, end = first + n;
    char *out = result(b, 0);
    for (uint32_t k = 0; k < (s->counting == 1 ? CNI_BUCKETS : VALUES_16) && before < end; k++) {
        uint8_t byte = 0;
        uint16_t word = 0;
        b->j->kernels->values[s->dtype](1, &k, s->counting == 1 ? (void *)&byte : (void *)&word);
        int64_t count = b->tables[s->counting == 1 ? byte : word], i = before > first ? before : first;
        before += count;
        int64_t stop = before < end ? before : end;
        if (s->counting == 1 && i < stop) {
            memset(out + i, byte, (size_t)(stop - i));
        }
        for (; s->counting == 2 && i < stop; i++) {
            ((uint16_t *)(void *)out)[i] = word;
        }
    }
    store(b, first, n);
}

static void count_block(const block *b)
{
    int64_t values = b->j->s.counting == 1 ? CNI_BUCKETS : VALUES_16;
    shared(b, b->j->s.length, count_values);
    for (int t = 1; t < b->threads; t++) {
        for (int64_t k = 0; k < values; k++) {
            b->tables[k] += b->tables[t * values + k];
        }
    }
    shared(b, b->j->s.length, write_counted);
}

/* ---- Indices by packed ranks ---- */

static int bits_of(uint64_t x)
{
    return x == 0 ? 0 : 64 - __builtin_clzll(x);
}

static uint64_t index_mask(const block *b)
{
    return ((uint64_t)1 << b->bits) - 1;
}

/* Packed indices whose ranks are equal so far: packs them by what is left of this word of their ranks, or by the next. */
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
    b->j->kernels->key_64.sort(packed, spare, n, false);
    for (int64_t i = 0, end; i < n && (shift > 0 || more); i = end) {
        uint64_t top = packed[i] >> b->bits;
        for (end = i + 1; end < n && packed[end] >> b->bits == top; end++) {
        }
        if (end - i > 1) {
            order_run(b, packed + i, end - i, shift == 0, spare);
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

static bool exact(const block *b)
{
    return b->shift == 0 && b->j->s.dtype != CN_COMPLEX128;
}

static void order_shares(const block *b, int t, int64_t first, int64_t n)
{
    (void)first;
    (void)n;
    order_runs(b, 0, b->bounds[t], b->bounds[t + 1]);
}

/* Every line's runs; those of one long line by all threads, none cut in two. */
static void order_all_runs(block *b)
{
    const shape *s = &b->j->s;
    int64_t bounds[CNI_SORT_THREADS + 1];
    const uint64_t *packed = b->keys;
    if (b->count > 1) {
        for (int64_t i = 0; i < b->count; i++) {
            order_runs(b, i * s->length, i * s->length, (i + 1) * s->length);
        }
        return;
    }
    for (int t = 0; t <= b->threads; t++) {
        int64_t i = cni_lane_begin(s->length, t, b->threads);
        while (i > 0 && i < s->length && packed[i] >> b->bits == packed[i - 1] >> b->bits) {
            i++;
        }
        bounds[t] = i;
    }
    b->bounds = bounds;
    shared(b, s->length, order_shares);
}

static void write_indices(const block *b, int t, int64_t first, int64_t n)
{
    (void)t;
    const shape *s = &b->j->s;
    const cni_order_kernels *k = b->j->kernels;
    uint64_t mask = index_mask(b);
    if (s->what == ARGSORT) {
        int64_t *out = (int64_t *)(void *)result(b, first);
        if (b->packed_wide) {
            k->unpack_64((uint64_t *)b->keys + first, n, mask, out);
        } else {
            k->unpack_32((uint32_t *)b->keys + first, n, (uint32_t)mask, out);
        }
    }
    store(b, first, n);
}

/* A complex sort: the values at the indices, line by line. */
static void write_chosen(const block *b, int t, int64_t first, int64_t n)
{
    (void)t;
    const shape *s = &b->j->s;
    uint64_t mask = index_mask(b);
    const uint64_t *packed = b->keys;
    const char *in = s->in_runs ? b->in : b->raw;
    char *out = s->out_runs ? b->out : (char *)b->ranks; /* raw is being read; 16 bytes: ranks and ranks_low */
    for (int64_t i = first; i < first + n; i++) {
        int64_t line = b->count == 1 ? 0 : i / s->length * s->length, from = line + (int64_t)(packed[i] & mask);
        memcpy(out + (size_t)i * s->itemsize, in + (size_t)from * s->itemsize, s->itemsize);
    }
}

/* A piece at a time, which is in the cache when its range is taken. */
static void make_ranks(const block *b, int t, int64_t first, int64_t n)
{
    const shape *s = &b->j->s;
    const char *values = load(b, first, n);
    uint64_t lowest = UINT64_MAX, highest = 0;
    for (int64_t i = 0; i < n; i += BLOCK) {
        int64_t some = n - i < BLOCK ? n - i : BLOCK;
        uint64_t low, high;
        void *ranks = at(b->ranks, s->wide, first + i);
        b->j->kernels->ranks[s->dtype](some, values + (size_t)i * s->itemsize, ranks, b->ranks_low + first + i);
        key_kernels(b, s->wide)->range(ranks, some, &low, &high);
        lowest = low < lowest ? low : lowest;
        highest = high > highest ? high : highest;
    }
    b->ranges[2 * t] = lowest;
    b->ranges[2 * t + 1] = highest;
}

static void pack(const block *b, int t, int64_t first, int64_t n)
{
    (void)t;
    const shape *s = &b->j->s;
    const cni_key_kernels *k = key_kernels(b, s->wide);
    for (int64_t i = first, some; i < first + n; i += some) {
        int64_t in_line = b->count == 1 ? i : i % s->length;
        some = b->count == 1 ? n : s->length;
        if (b->packed_wide) {
            k->pack_64(at(b->ranks, s->wide, i), some, b->low, b->shift, b->bits, in_line, (uint64_t *)b->keys + i);
        } else {
            k->pack_32(at(b->ranks, s->wide, i), some, b->low, b->shift, b->bits, in_line, (uint32_t *)b->keys + i);
        }
    }
}

static void finish_indices(void *context, int64_t first, int64_t n)
{
    const block *b = context;
    if (exact(b) && b->j->s.what == ARGSORT) {
        write_indices(b, 0, first, n);
    }
}

static void argsort_block(block *b)
{
    const shape *s = &b->j->s;
    int64_t n = b->count * s->length;
    uint64_t ranges[2 * CNI_SORT_THREADS];
    b->ranges = ranges;
    shared(b, n, make_ranks);
    b->low = ranges[0];
    b->high = ranges[1];
    for (int t = 1; t < b->threads; t++) {
        b->low = ranges[2 * t] < b->low ? ranges[2 * t] : b->low;
        b->high = ranges[2 * t + 1] > b->high ? ranges[2 * t + 1] : b->high;
    }
    b->bits = bits_of((uint64_t)s->length - 1);
    int room = bits_of(b->high - b->low) + b->bits;
    b->packed_wide = room > 32 || s->complex;
    b->shift = room > 64 ? room - 64 : 0;
    if (!b->packed_wide) { /* not in the output, where 64 bits are to be written */
        b->keys = b->spare;
        b->spare = (uint32_t *)b->spare + n;
    }
    shared(b, n, pack);
    sort_lines(b, b->keys, b->spare, b->packed_wide, finish_indices);
    if (!exact(b)) {
        order_all_runs(b);
    }
    if (s->complex && s->what != ARGSORT) {
        shared(b, n, write_chosen);
        if (!s->out_runs) {
            memcpy(b->raw, b->ranks, (size_t)n * s->itemsize);
            store(b, 0, n);
        }
    } else if (!exact(b)) {
        shared(b, n, write_indices);
    }
}

/* ---- Blocks ---- */

static void run_block(const job *j, int64_t index, int worker, int threads)
{
    const shape *s = &j->s;
    char *memory = j->scratch + worker * s->worker_bytes;
    block b = {.j = j, .line = index * s->count, .threads = threads, .keys = memory + s->keys, .spare = memory + s->spare,
               .ranks = memory + s->ranks, .ranks_low = (uint64_t *)(void *)(memory + s->ranks_low), .raw = memory + s->raw,
               .bucket = (uint8_t *)memory + s->bucket, .tables = (int64_t *)(void *)(memory + s->tables)};
    b.count = s->lines - b.line < s->count ? s->lines - b.line : s->count;
    b.in = j->in + line_offset(s, &s->in, b.line);
    b.out = j->out + line_offset(s, &s->out, b.line);
    if (s->direct) {
        b.keys = b.out;
    }
    if (s->counting != 0) {
        count_block(&b);
    } else if (s->indices) {
        argsort_block(&b);
    } else {
        sort_block(&b);
    }
}

static void run_blocks(void *context, int t)
{
    const job *j = context;
    int64_t blocks = (j->s.lines + j->s.count - 1) / j->s.count;
    int64_t first = cni_lane_begin(blocks, t, j->threads), end = cni_lane_begin(blocks, t + 1, j->threads);
    for (int64_t i = first; i < end; i++) {
        run_block(j, i, t, 1);
    }
}

static void run_job(job *j)
{
    enum { WORK = 16 };
    const shape *s = &j->s;
    int64_t blocks = s->lines == 0 ? 0 : (s->lines + s->count - 1) / s->count;
    int all = cni_library_threads(s->lines * s->length, WORK, (int)processors());
    if (s->count == 1 && blocks < all) {
        int threads = s->length >= CNI_DISTRIBUTE_LEAST ? all : 1;
        threads = s->counting == 2 && s->workers > 1 ? 1 : threads; /* one table only */
        for (int64_t i = 0; i < blocks; i++) {
            run_block(j, i, 0, threads);
        }
        return;
    }
    j->threads = all < s->workers ? all : (int)s->workers;
    j->threads = j->threads < 1 ? 1 : j->threads;
    if (blocks > 0) {
        cni_threads_run(j->threads, run_blocks, j);
    }
}

/* ---- The ops ---- */

static shape op_shape(what what, const cni_part *part, const cni_window *w)
{
    uint32_t out = part->access[0].view, in = part->access[1].view;
    return shape_of(what, (cn_dtype)w->views[in].dtype, cni_window_geometry(w, out), cni_window_geometry(w, in),
                    w->ops[part->op].parameter);
}

static int64_t op_scratch(what what, const cni_part *part, const cni_window *w)
{
    shape s = op_shape(what, part, w);
    return s.worker_bytes * s.workers;
}

static void op_run(what what, const cni_part *part, const cni_run *run)
{
    job j = {.s = op_shape(what, part, run->window), .kernels = cni_order_kernels_get(), .scratch = run->scratch};
    j.out = cni_library_operand_get(part, 0, run).data;
    j.in = cni_library_operand_get(part, 1, run).data;
    if (what == PARTITION && !j.s.complex) {
        cni_library_operand kth = cni_library_operand_get(part, 2, run);
        j.kth = (const int64_t *)(const void *)kth.data;
        j.nkth = kth.g.shape[0];
    }
    run_job(&j);
}

int64_t cni_library_sort_scratch(const cni_part *part, const cni_window *w)
{
    return op_scratch(SORT, part, w);
}

void cni_library_sort(const cni_part *part, const cni_run *run)
{
    op_run(SORT, part, run);
}

int64_t cni_library_argsort_scratch(const cni_part *part, const cni_window *w)
{
    return op_scratch(ARGSORT, part, w);
}

void cni_library_argsort(const cni_part *part, const cni_run *run)
{
    op_run(ARGSORT, part, run);
}

int64_t cni_library_partition_scratch(const cni_part *part, const cni_window *w)
{
    return op_scratch(PARTITION, part, w);
}

void cni_library_partition(const cni_part *part, const cni_run *run)
{
    op_run(PARTITION, part, run);
}
