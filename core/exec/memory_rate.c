/* memory_rate.c - see memory_rate.h. */
#include "exec/memory_rate.h"

#include <stdbool.h>
#include <time.h>

#include "base/memory.h"
#include "base/threads.h"

enum { LEAST_LOG2 = 14, MOST_LOG2 = 28, ROUNDS = 5 };

typedef struct sweep {
    double *values;
    int64_t n;
    int threads;
} sweep;

static void walk(void *context, int t)
{
    const sweep *s = context;
    int64_t begin = s->n * t / s->threads, end = s->n * (t + 1) / s->threads;
    for (int64_t i = begin; i < end; i++) {
        s->values[i] += 1;
    }
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The least of some rounds, each of as many walks as pass over a megabyte or more. */
static double measure(int64_t bytes)
{
    int64_t walks = bytes < 1 << 20 ? (1 << 20) / bytes : 1;
    sweep s = {.values = cni_storage_alloc(bytes), .n = bytes / (int64_t)sizeof(double)};
    double best = 0;
    if (s.values == NULL) {
        return 0;
    }
    s.threads = bytes < 1 << 20 ? 1 : cni_threads_count();
    for (int64_t i = 0; i < s.n; i++) {
        s.values[i] = 0;
    }
    for (int round = 0; round < ROUNDS; round++) {
        double began = now();
        for (int64_t k = 0; k < walks; k++) {
            cni_threads_run(s.threads, walk, &s);
        }
        double took = now() - began;
        best = round == 0 || took < best ? took : best;
    }
    cni_storage_free(s.values, bytes);
    return best / (2.0 * (double)bytes * (double)walks);
}

double cni_memory_seconds(int64_t bytes)
{
    static double known[MOST_LOG2 + 1];
    int log2 = LEAST_LOG2;
    while (log2 < MOST_LOG2 && (int64_t)1 << log2 < bytes) {
        log2++;
    }
    if (known[log2] == 0) {
        known[log2] = measure((int64_t)1 << log2);
    }
    return known[log2];
}
