/*
 * threads.c - see threads.h.
 *
 * Workers wait for a run's number to change: for some microseconds awake, since runs come one after the other, then
 * asleep. A run has a number, and every worker answers it by counting down.
 */
#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/settings.h"

enum { MOST = 256, SPINS = 4000 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t begun;
    int started; /* workers that exist */
    bool registered;
    _Atomic bool awake_pays;
    _Atomic uint64_t run; /* number of the present run */
    _Atomic int left;     /* workers that have not finished it */
    int count;
    void (*work)(void *context, int i);
    void *context;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .begun = PTHREAD_COND_INITIALIZER};

static int processors(void)
{
    static int known;
    if (known == 0) {
        cpu_set_t set;
        known = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    }
    return known;
}

int cni_threads_count(void)
{
    int64_t wanted = cni_settings[CNI_SETTING_THREADS];
    int count = wanted > 0 ? (wanted < MOST ? (int)wanted : MOST) : processors();
    return count < 1 ? 1 : count > MOST ? MOST : count;
}

static void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* Until a run later than `seen` begins; its number. */
static uint64_t wait_for_run(uint64_t seen)
{
    for (int i = 0; i < SPINS && pool.awake_pays; i++) {
        if (atomic_load_explicit(&pool.run, memory_order_acquire) != seen) {
            return atomic_load_explicit(&pool.run, memory_order_acquire);
        }
        pause_briefly();
    }
    pthread_mutex_lock(&pool.lock);
    while (atomic_load_explicit(&pool.run, memory_order_acquire) == seen) {
        pthread_cond_wait(&pool.begun, &pool.lock);
    }
    uint64_t run = atomic_load_explicit(&pool.run, memory_order_acquire);
    pthread_mutex_unlock(&pool.lock);
    return run;
}

typedef struct worker_start {
    int index;
    uint64_t seen;
} worker_start;

static worker_start starts[MOST];

static void *worker(void *argument)
{
    const worker_start *start = argument;
    uint64_t seen = start->seen;
    for (;;) {
        seen = wait_for_run(seen);
        if (start->index < pool.count) {
            pool.work(pool.context, start->index);
        }
        atomic_fetch_sub_explicit(&pool.left, 1, memory_order_release);
    }
    return NULL;
}

/* The child of a fork has no workers. */
static void forked(void)
{
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.begun, NULL);
    pool.started = 0;
}

static void start_workers(int count)
{
    sigset_t all, before;
    if (!pool.registered) {
        pthread_atfork(NULL, NULL, forked);
        pool.registered = true;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the program's */
    while (pool.started < count - 1) {
        worker_start *start = &starts[pool.started + 1];
        pthread_t thread;
        *start = (worker_start){pool.started + 1, atomic_load(&pool.run)};
        if (pthread_create(&thread, NULL, worker, start) != 0) {
            break;
        }
        pthread_detach(thread);
        pool.started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pool.awake_pays = pool.started + 1 <= processors();
}

void cni_threads_run(int count, void (*work)(void *context, int i), void *context)
{
    if (count > pool.started + 1) {
        start_workers(count);
    }
    int together = count < pool.started + 1 ? count : pool.started + 1;
    if (together > 1) {
        pool.count = together;
        pool.work = work;
        pool.context = context;
        atomic_store_explicit(&pool.left, pool.started, memory_order_relaxed);
        pthread_mutex_lock(&pool.lock);
        atomic_fetch_add_explicit(&pool.run, 1, memory_order_release);
        pthread_cond_broadcast(&pool.begun);
        pthread_mutex_unlock(&pool.lock);
    }
    work(context, 0);
    for (int i = together; i < count; i++) {
        work(context, i);
    }
    for (int i = 0; together > 1 && atomic_load_explicit(&pool.left, memory_order_acquire) > 0; i++) {
        if (i < SPINS && pool.awake_pays) {
            pause_briefly();
        } else {
            sched_yield();
        }
    }
}
