/*
 * sort.h - a run of keys sorted in memory. Several threads, or one where the keys are too many for it (`alone` of
 * order.h), distribute them to buckets between sampled splitters, once, and every bucket is then sorted in the cache.
 * Equal keys are alike, so the result does not depend on splitters or threads.
 */
#ifndef CNI_SORT_H
#define CNI_SORT_H

#include "cpu/order.h"

enum {
    CNI_SORT_THREADS = 64,
    CNI_DISTRIBUTE_LEAST = 8192 /* keys; bucket numbers are needed from here on */
};

typedef struct cni_sort_run {
    bool wide;          /* keys of 64 bits */
    void *keys, *spare; /* n of them, and room for n; the result is in keys */
    int64_t n;
    /* Writes keys [first, first + n) to `to`, of any of them at any time; NULL: they are there. */
    void (*load)(void *context, int64_t first, int64_t n, void *to);
    int threads;        /* to be used at most; 1: the caller alone */
    uint8_t *bucket;    /* room for n (n >= CNI_DISTRIBUTE_LEAST) */
    int64_t *tally;     /* room for threads * CNI_BUCKETS */
    const int64_t *kth; /* NULL: sort all; else only select these ranks, ascending */
    int64_t nkth;
    void (*finish)(void *context, int64_t first, int64_t n); /* once for each part of keys when it is done; or NULL */
    void *context;
} cni_sort_run;

void cni_sort_keys(const cni_sort_run *run);

#endif
