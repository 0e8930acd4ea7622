/*
 * memory_rate.c - see memory_rate.h. All walkers walk at once, each over memory of its own, which its threads share; a round
 * takes as long as the last of them.
 */
#include "exec/memory_rate.h"

#include <pthread.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/threads.h"

enum { LEAST_LOG2 = 14, MOST_LOG2 = 28, ALL_LOG2 = 30, ROUNDS = 5, THREADS_MOST = 256 };

typedef struct crew {
    pthread_mutex_t gate; /* open once all threads are there, or not to be had */
    bool complete;
    pthread_barrier_t begin, end; /* of a round: the threads, and who times them */
} crew;

typedef struct walker {
    crew *crew;
    double *values;
    int64_t n, times;
} walker;

static void walk(const walker *w)
{
    for (int64_t k = 0; k < w->times; k++) {
        for (int64_t i = 0; i < w->n; i++) {
            w->values[i] += 1;
        }
        __asm__ volatile("" ::: "memory");
    }
}

static void *work(void *context)
{
    const walker *w = context;
    pthread_mutex_lock(&w->crew->gate);
    bool complete = w->crew->complete;
    pthread_mutex_unlock(&w->crew->gate);
    for (int64_t i = 0; i < w->n && complete; i++) {
        w->values[i] = 0;
    }
    for (int round = 0; round < ROUNDS && complete; round++) {
        pthread_barrier_wait(&w->crew->begin);
        walk(w);
        pthread_barrier_wait(&w->crew->end);
    }
    return NULL;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The least of the rounds; 0 if there are fewer threads to be had. */
static double time_rounds(crew *c, walker *walkers, int count)
{
    pthread_t threads[THREADS_MOST];
    int made = 0;
    double best = 0;
    pthread_mutex_lock(&c->gate);
    while (made < count && pthread_create(&threads[made], NULL, work, &walkers[made]) == 0) {
        made++;
    }
    c->complete = made == count;
    pthread_mutex_unlock(&c->gate);
    for (int round = 0; round < ROUNDS && c->complete; round++) {
        pthread_barrier_wait(&c->begin);
        double began = now();
        pthread_barrier_wait(&c->end);
        double took = now() - began;
        best = round == 0 || took < best ? took : best;
    }
    while (made > 0) {
        pthread_join(threads[--made], NULL);
    }
    return best;
}

/* Each of count threads over so many bytes, several times if they are few. */
static double measure(int count, int64_t bytes)
{
    int64_t times = bytes < 1 << 20 ? (1 << 20) / bytes : 1;
    crew c = {.complete = false};
    walker walkers[THREADS_MOST];
    double *values = cni_storage_alloc(bytes * count);
    if (values == NULL) {
        return 0;
    }
    pthread_mutex_init(&c.gate, NULL);
    pthread_barrier_init(&c.begin, NULL, (unsigned)count + 1);
    pthread_barrier_init(&c.end, NULL, (unsigned)count + 1);
    int64_t n = bytes / (int64_t)sizeof *values;
    for (int t = 0; t < count; t++) {
        walkers[t] = (walker){&c, values + t * n, n, times};
    }
    double took = time_rounds(&c, walkers, count);
    pthread_barrier_destroy(&c.begin);
    pthread_barrier_destroy(&c.end);
    pthread_mutex_destroy(&c.gate);
    cni_storage_free(values, bytes * count);
    return took / (2.0 * (double)bytes * (double)times);
}

/* Threads that a walker has, and all together: not more than there are processors. */
static int threads_of(int walkers, int *all)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int most = processors < 1 ? 1 : processors > THREADS_MOST ? THREADS_MOST : (int)processors;
    int each = cni_threads_count() < most ? cni_threads_count() : most;
    *all = walkers > most / each ? most : walkers * each;
    return each;
}

double cni_memory_seconds(int64_t bytes, int walkers)
{
    static double known[2][MOST_LOG2 + 1]; /* of one walker, and of as many as were asked for last */
    static int many;
    int log2 = LEAST_LOG2, all, each = threads_of(walkers, &all);
    for (int k = 0; k <= MOST_LOG2 && walkers > 1 && walkers != many; k++) {
        known[1][k] = 0;
    }
    many = walkers > 1 ? walkers : many;
    while (log2 < MOST_LOG2 && (int64_t)1 << log2 < bytes && (int64_t)all << (log2 + 1) <= (int64_t)each << ALL_LOG2) {
        log2++;
    }
    double *seconds = &known[walkers > 1][log2];
    if (*seconds == 0) { /* of a walker, by the bytes of all its threads */
        *seconds = measure(all, ((int64_t)1 << log2) / each / 64 * 64) / each;
    }
    return *seconds;
}
