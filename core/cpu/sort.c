/* sort.c - see sort.h. */
#include "cpu/sort.h"

#include <string.h>

#include "base/threads.h"
#include "cpu/group.h"
#include "cpu/library.h"

enum {
    STREAM_ABOVE = 8 << 20, /* bytes of keys that are distributed past the cache */
    SAMPLES = 4096,
    CHUNK = 4096,       /* keys loaded together */
    SORTED_LEAST = 256, /* keys that may be found to be sorted */
    SELECT_THREADS = 4, /* that are worth distributing keys for, to select some */
    WORK = 16           /* element operations that sorting a key counts for */
};

typedef struct distribution {
    const cni_sort_run *run;
    const cni_key_kernels *k;
    size_t size;
    int threads;
    int64_t *tally;
    uint64_t splitters[CNI_BUCKETS];
    int64_t start[CNI_BUCKETS + 1];
} distribution;

static void *at(void *keys, size_t size, int64_t i)
{
    return (char *)keys + (size_t)i * size;
}

static void chunk(const distribution *d, int t, int64_t *first, int64_t *n)
{
    *first = cni_lane_begin(d->run->n, t, d->threads);
    *n = cni_lane_begin(d->run->n, t + 1, d->threads) - *first;
}

/* Keys [first, first + n), n <= CHUNK: where they lie, or in the buffer. */
static const void *keys_of(const distribution *d, int64_t first, int64_t n, void *buffer)
{
    if (d->run->load == NULL) {
        return at(d->run->keys, d->size, first);
    }
    d->run->load(d->run->context, first, n, buffer);
    return buffer;
}

/* From keys at equal distances, sorted in the spare memory. Were they sorted before? */
static bool choose_splitters(distribution *d)
{
    const cni_sort_run *r = d->run;
    int64_t step = r->n / SAMPLES > 0 ? r->n / SAMPLES : 1, count = r->n / step < SAMPLES ? r->n / step : SAMPLES;
    char *sample = r->spare;
    uint64_t one;
    for (int64_t i = 0; i < count; i++) {
        memcpy(sample + (size_t)i * d->size, keys_of(d, i * step, 1, &one), d->size);
    }
    bool sorted = d->k->sorted(sample, count);
    d->k->sort(sample, sample + (size_t)count * d->size, count, false, NULL, NULL);
    for (int b = 1; b < CNI_BUCKETS; b++) {
        memcpy((char *)d->splitters + (size_t)(b - 1) * d->size, sample + (size_t)(count * b / CNI_BUCKETS) * d->size,
               d->size);
    }
    return sorted;
}

static void classify(void *context, int t)
{
    const distribution *d = context;
    int64_t first, n, *tally = d->tally + t * CNI_BUCKETS;
    uint64_t buffer[CHUNK];
    chunk(d, t, &first, &n);
    memset(tally, 0, CNI_BUCKETS * sizeof *tally);
    for (int64_t i = first, some; i < first + n; i += some) {
        some = first + n - i < CHUNK ? first + n - i : CHUNK;
        d->k->classify(keys_of(d, i, some, buffer), some, d->splitters, d->run->bucket + i, tally);
    }
}

/* From counts to where each thread's keys of each bucket begin. */
static void place_buckets(distribution *d)
{
    int64_t before = 0;
    for (int b = 0; b < CNI_BUCKETS; b++) {
        d->start[b] = before;
        for (int t = 0; t < d->threads; t++) {
            int64_t count = d->tally[t * CNI_BUCKETS + b];
            d->tally[t * CNI_BUCKETS + b] = before;
            before += count;
        }
    }
    d->start[CNI_BUCKETS] = before;
}

static void scatter(void *context, int t)
{
    const distribution *d = context;
    int64_t first, n;
    uint64_t buffer[CHUNK];
    cni_scatter s;
    chunk(d, t, &first, &n);
    d->k->scatter_begin(&s, d->tally + t * CNI_BUCKETS, d->run->spare, d->run->n * (int64_t)d->size > STREAM_ABOVE);
    for (int64_t i = first, some; i < first + n; i += some) {
        some = first + n - i < CHUNK ? first + n - i : CHUNK;
        d->k->scatter(&s, keys_of(d, i, some, buffer), some, d->run->bucket + i);
    }
    d->k->scatter_end(&s);
}

/* Sorts n keys from `from` to `to` (move) or in `from`. */
static void sort_part(const cni_sort_run *r, const cni_key_kernels *k, size_t size, void *from, void *to, bool move,
                      int64_t first, int64_t n)
{
    char *keys = at(from, size, first), *spare = at(to, size, first);
    bool more = first + n < r->n;
    if (r->kth != NULL) {
        k->select(keys, spare, n, move, r->kth, r->nkth, first);
    } else {
        k->sort(keys, spare, n, move, more ? keys + (size_t)n * size : NULL, more ? spare + (size_t)n * size : NULL);
    }
    if (r->finish != NULL) {
        r->finish(r->context, first, n);
    }
}

/* The buckets that begin in the thread's share. */
static void sort_buckets(void *context, int t)
{
    const distribution *d = context;
    int64_t first = cni_lane_begin(d->run->n, t, d->threads), end = cni_lane_begin(d->run->n, t + 1, d->threads);
    for (int b = 0; b < CNI_BUCKETS; b++) {
        int64_t n = d->start[b + 1] - d->start[b];
        if (n > 0 && d->start[b] >= first && d->start[b] < end) {
            sort_part(d->run, d->k, d->size, d->run->spare, d->run->keys, true, d->start[b], n);
        }
    }
}

static void load_share(void *context, int t)
{
    const distribution *d = context;
    int64_t first, n;
    chunk(d, t, &first, &n);
    d->run->load(d->run->context, first, n, at(d->run->keys, d->size, first));
}

/* If all keys are in order, that is all. */
static bool done_when_sorted(const distribution *d)
{
    if (!d->k->sorted(d->run->keys, d->run->n)) {
        return false;
    }
    if (d->run->finish != NULL) {
        d->run->finish(d->run->context, 0, d->run->n);
    }
    return true;
}

void cni_sort_keys(const cni_sort_run *run)
{
    const cni_order_kernels *kernels = cni_order_kernels_get();
    distribution d = {.run = run, .k = run->wide ? &kernels->key_64 : &kernels->key_32, .size = run->wide ? 8 : 4};
    int64_t own[CNI_BUCKETS];
    d.threads = run->n >= CNI_DISTRIBUTE_LEAST ? cni_library_threads(run->n, WORK, run->threads) : 1;
    if (run->kth != NULL && d.threads < SELECT_THREADS) {
        d.threads = 1;
    }
    d.tally = d.threads > 1 ? run->tally : own;
    if (d.threads == 1 && (run->n * (int64_t)d.size <= d.k->alone || run->kth != NULL)) {
        if (run->load != NULL) {
            load_share(&d, 0);
        }
        if (run->n < SORTED_LEAST || !done_when_sorted(&d)) {
            sort_part(run, d.k, d.size, run->keys, run->spare, false, 0, run->n);
        }
        return;
    }
    if (choose_splitters(&d)) {
        if (run->load != NULL) {
            cni_threads_run(d.threads, load_share, &d);
        }
        if (done_when_sorted(&d)) {
            return;
        }
    }
    cni_threads_run(d.threads, classify, &d);
    place_buckets(&d);
    cni_threads_run(d.threads, scatter, &d);
    cni_threads_run(d.threads, sort_buckets, &d);
}
