/*
 * memory_rate.c - see memory_rate.h. All walkers add two arrays to a third at once, each in memory of its own, which its
 * threads share; a round takes as long as the last of them, by the processor's time: who else is on this machine counts only
 * as far as memory is slower for it.
 */
#include "exec/memory_rate.h"

#include <pthread.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/threads.h"

enum { LEAST_LOG2 = 14, MOST_LOG2 = 28, ALL_LOG2 = 30, ROUNDS_MOST = 60, NO_BETTER = 6, THREADS_MOST = 256 };

typedef struct crew {
    pthread_mutex_t gate;         /* open once all threads are there, or not to be had */
    bool going;                   /* there is a next round */
    pthread_barrier_t begin, end; /* of a round: the threads, and who times them */
} crew;

typedef struct walker {
    crew *crew;
    double *values;
    int64_t n, times; /* n numbers in each of three arrays */
    double took;      /* seconds of the last round */
} walker;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void walk(walker *w)
{
    double began = now();
    const double *x = w->values, *y = x + w->n;
    double *z = w->values + 2 * w->n;
    for (int64_t k = 0; k < w->times; k++) {
        for (int64_t i = 0; i < w->n; i++) {
            z[i] = x[i] + y[i];
        }
        __asm__ volatile("" ::: "memory");
    }
    w->took = now() - began;
}

static void *work(void *context)
{
    walker *w = context;
    pthread_mutex_lock(&w->crew->gate);
    bool going = w->crew->going;
    pthread_mutex_unlock(&w->crew->gate);
    for (int64_t i = 0; i < 3 * w->n && going; i++) {
        w->values[i] = 0;
    }
    while (going) {
        pthread_barrier_wait(&w->crew->begin);
        going = w->crew->going;
        if (going) {
            walk(w);
            pthread_barrier_wait(&w->crew->end);
        }
    }
    return NULL;
}

/* The least of rounds until some in a row were no better. */
static double least_of_rounds(crew *c, const walker *walkers, int count)
{
    double best = 0;
    for (int round = 0, no_better = 0; round < ROUNDS_MOST && no_better < NO_BETTER; round++) {
        pthread_barrier_wait(&c->begin);
        pthread_barrier_wait(&c->end);
        double took = 0;
        for (int t = 0; t < count; t++) {
            took = walkers[t].took > took ? walkers[t].took : took;
        }
        no_better = round == 0 || took < 0.99 * best ? 0 : no_better + 1;
        best = round == 0 || took < best ? took : best;
    }
    c->going = false;
    pthread_barrier_wait(&c->begin);
    return best;
}

/* 0 if there are fewer threads to be had. */
static double time_rounds(crew *c, walker *walkers, int count)
{
    pthread_t threads[THREADS_MOST];
    int made = 0;
    pthread_mutex_lock(&c->gate);
    while (made < count && pthread_create(&threads[made], NULL, work, &walkers[made]) == 0) {
        made++;
    }
    c->going = made == count;
    pthread_mutex_unlock(&c->gate);
    double best = made == count ? least_of_rounds(c, walkers, count) : 0;
    while (made > 0) {
        pthread_join(threads[--made], NULL);
    }
    return best;
}

/* Each of count threads over so many bytes, several times if they are few. */
static double measure(int count, int64_t bytes)
{
    int64_t times = bytes < 1 << 20 ? (1 << 20) / bytes : 1;
    crew c = {.going = false};
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
        walkers[t] = (walker){.crew = &c, .values = values + t * n, .n = n / 3, .times = times};
    }
    double took = time_rounds(&c, walkers, count);
    pthread_barrier_destroy(&c.begin);
    pthread_barrier_destroy(&c.end);
    pthread_mutex_destroy(&c.gate);
    cni_storage_free(values, bytes * count);
    return took / ((double)bytes * (double)times);
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
