/*
 * mpi_progress.c - who has MPI, and waiting.
 *
 * Messages of a window, unless they are small, move only while MPI is called; and entries of the log stay where they are
 * while a rank computes. So a thread of its own calls MPI in between, if MPI allows that (MPI_THREAD_SERIALIZED): it never
 * waits for MPI, and takes it only once the thread that executes has not had it for a while.
 *
 *     executes    | begin |      computes . . . . . . . . . . . . . | end |
 *     carries on          . look . look: away | test | test | test  |  .         .       . parked
 *
 * Looks cost a reading of two flags. They come at the setting's distance, more seldom where there is nothing to do, and not
 * at all where nothing is on its way: the one that executes wakes the other up when there is again.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <time.h>

#include "net/mpi_state.h"

enum { LOOKS_AT_REST = 8, DENSE_LOOKS = 100, DENSER = 8, SPARSER = 5 };

static struct {
    bool there;
    pthread_t thread;
    pthread_mutex_t mpi; /* who locked it has MPI */
    sem_t wake;
    atomic_bool stop, parked;
    atomic_bool inside;  /* the thread that executes has MPI, or waits for it */
    atomic_bool pending; /* it left something on its way */
    atomic_bool travels; /* of that: an exchange */
    atomic_uint entered; /* how often it took MPI */
    bool carried;        /* MPI's */
    long distance;       /* nanoseconds between looks */
} p = {.mpi = PTHREAD_MUTEX_INITIALIZER};

/* ---- Waiting ---- */

static void nap(long nanoseconds)
{
    nanosleep(&(struct timespec){.tv_nsec = nanoseconds}, NULL);
}

void cni_mpi_pause(unsigned turn, bool idle)
{
    if (turn < cni_mpi_this.spins) {
        return;
    }
    turn -= cni_mpi_this.spins;
    if (turn < 200) {
        sched_yield();
        return;
    }
    nap(turn < 400 ? 20000 : turn < 1000 || !idle ? 100000 : 1000000);
}

bool cni_mpi_test(int n, MPI_Request *requests, MPI_Status *statuses)
{
    int finished = 0, code = MPI_Testall(n, requests, &finished, statuses);
    if (code == MPI_ERR_IN_STATUS) {
        for (int i = 0; i < n && statuses != MPI_STATUSES_IGNORE; i++) {
            cni_mpi_must(statuses[i].MPI_ERROR == MPI_ERR_PENDING ? MPI_SUCCESS : statuses[i].MPI_ERROR, "exchange");
        }
    }
    cni_mpi_must(code, "wait for messages");
    return finished != 0;
}

void cni_mpi_wait(int n, MPI_Request *requests, MPI_Status *statuses)
{
    for (unsigned turn = 0; !cni_mpi_test(n, requests, statuses); turn++) {
        if (turn % 16 == 15 && cni_mpi_log_pending()) {
            cni_mpi_log_carry();
        }
        cni_mpi_pause(turn, false);
    }
}

/* ---- Who has MPI ---- */

void cni_mpi_enter(void)
{
    if (p.there) {
        atomic_store(&p.inside, true);
        atomic_fetch_add(&p.entered, 1);
        pthread_mutex_lock(&p.mpi);
    }
}

void cni_mpi_leave(void)
{
    if (p.there) {
        bool travels = cni_mpi_this.nrequests > 0 && cni_mpi_this.large && !cni_mpi_this.finished;
        atomic_store(&p.travels, travels);
        atomic_store(&p.pending, travels || cni_mpi_log_pending());
        p.carried = false;
        pthread_mutex_unlock(&p.mpi);
        atomic_store(&p.inside, false);
        if (atomic_load(&p.parked) && atomic_load(&p.pending) && atomic_exchange(&p.parked, false)) {
            sem_post(&p.wake);
        }
    }
}

bool cni_mpi_carried(void)
{
    return p.carried;
}

/* ---- The thread that carries on ---- */

/* MPI is there to be taken, unless the other comes at this moment: then it does what is to be done. */
static void carry(void)
{
    if (pthread_mutex_trylock(&p.mpi) != 0) {
        return;
    }
    if (cni_mpi_this.nrequests > 0 && !cni_mpi_this.finished && cni_mpi_exchange_look()) {
        p.carried = true;
        atomic_store(&p.travels, false);
    }
    cni_mpi_log_carry();
    atomic_store(&p.pending, atomic_load(&p.travels) || cni_mpi_log_pending());
    pthread_mutex_unlock(&p.mpi);
}

static bool nothing_to_do(void)
{
    return atomic_load(&p.inside) || !atomic_load(&p.pending);
}

static void park(void)
{
    atomic_store(&p.parked, true);
    if (atomic_load(&p.stop) || !nothing_to_do()) {
        if (atomic_exchange(&p.parked, false)) {
            return;
        }
    }
    while (sem_wait(&p.wake) != 0) { /* interrupted */
    }
}

typedef struct looks {
    unsigned entered; /* what the last one saw */
    unsigned without; /* in a row without use */
    unsigned carried; /* in a row that carried on */
    bool sparse;
} looks;

/* Nanoseconds to the next look. Where looks were of no use they are few, and each that sees an exchange travel has another
   soon behind it. */
static long distance(looks *x)
{
    bool travels = atomic_load(&p.travels);
    if (travels && x->carried > 0) {
        return x->carried < DENSE_LOOKS ? p.distance / DENSER : p.distance;
    }
    x->sparse = x->without >= LOOKS_AT_REST && !(x->sparse && travels);
    return x->sparse ? SPARSER * p.distance : p.distance;
}

static void look(looks *x)
{
    unsigned entered = atomic_load(&p.entered);
    bool away = entered == x->entered;
    x->entered = entered;
    if (away && !nothing_to_do()) {
        x->without = atomic_load(&p.travels) ? 0 : x->without + 1;
        x->carried++;
        carry();
        return;
    }
    x->carried = 0; /* it has been at MPI itself, or is */
    x->without++;
    if (x->without > 2 * LOOKS_AT_REST && (away || !atomic_load(&p.pending))) {
        park();
    }
}

static void *carry_on(void *unused)
{
    looks x = {0};
    prctl(PR_SET_NAME, "cnumeric-mpi", 0UL, 0UL, 0UL);
    prctl(PR_SET_TIMERSLACK, 5000UL, 0UL, 0UL, 0UL);
    while (!atomic_load(&p.stop)) {
        nap(distance(&x));
        look(&x);
    }
    return unused;
}

void cni_mpi_carry_on(void)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    int64_t distance_us = cni_mpi_this.host->progress;
    if (distance_us <= 0 || sem_init(&p.wake, 0, 0) != 0) {
        return;
    }
    p.distance = (distance_us < 100000 ? (long)distance_us : 100000) * 1000;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)256 << 10);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the program's matter */
    p.there = pthread_create(&p.thread, &attributes, carry_on, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
}

void cni_mpi_carry_stop(void)
{
    if (p.there) {
        atomic_store(&p.stop, true);
        sem_post(&p.wake);
        pthread_join(p.thread, NULL);
        p.there = false;
        sem_destroy(&p.wake);
    }
}

void cni_mpi_seize(void)
{
    struct timespec until;
    if (p.there && clock_gettime(CLOCK_REALTIME, &until) == 0) {
        until.tv_sec++;
        (void)pthread_mutex_timedlock(&p.mpi, &until);
    }
}
