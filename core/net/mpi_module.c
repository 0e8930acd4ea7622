/*
 * mpi_module.c - the net over MPI (3.1): exchanges, collective calls, beginning and end.
 *
 * An error of MPI ends every rank: no rank can go on alone. Waiting is polling that slows down, so that ranks that share
 * a core leave it to those that compute. Three communicators keep log, exchanges and collective calls apart.
 */
#include "net/mpi_module.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "net/mpi_state.h"

#ifdef OPEN_MPI
#define IS_OPEN_MPI 1
#else
#define IS_OPEN_MPI 0
#endif
#if defined(CN_WANTED_OPEN_MPI) && CN_WANTED_OPEN_MPI != IS_OPEN_MPI
#error "this compiler is not of the MPI that launched the program"
#endif
#if MPI_VERSION < 3
#error "MPI 3.1 or newer is needed"
#endif

enum { SPINS_ALONE = 3000, SPINS_SHARED = 10 };

cni_mpi cni_mpi_this;
static cni_mpi *const m = &cni_mpi_this;

/* ---- Failing ---- */

void cni_mpi_stop(const char *message)
{
    fprintf(stderr, "cnumeric: rank %d: %s\n", m->host->rank, message);
    fflush(stderr);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL); /* launchers stop listening when they hear of the end */
    MPI_Abort(MPI_COMM_WORLD, 1);
}

void cni_mpi_must(int code, const char *what)
{
    char reason[MPI_MAX_ERROR_STRING] = "", message[MPI_MAX_ERROR_STRING + 64];
    int length;
    if (code != MPI_SUCCESS) {
        MPI_Error_string(code, reason, &length);
        snprintf(message, sizeof message, "MPI failed to %s: %s", what, reason);
        cni_mpi_stop(message);
    }
}

void *cni_mpi_resized(void *memory, size_t size)
{
    void *larger = m->host->resize(memory, size);
    if (larger == NULL) {
        char message[64];
        snprintf(message, sizeof message, "Unable to allocate %zu bytes", size);
        cni_mpi_stop(message);
    }
    return larger;
}

/* ---- Exchanges ---- */

static struct wrong_message {
    bool is;
    int source, size, expected;
} wrong; /* the first of an exchange */

static void grow_requests(void)
{
    if (m->nrequests == m->capacity) {
        m->capacity = m->capacity == 0 ? 64 : 2 * m->capacity;
        size_t n = (size_t)m->capacity;
        m->requests = cni_mpi_resized(m->requests, n * sizeof *m->requests);
        m->expected = cni_mpi_resized(m->expected, n * sizeof *m->expected);
        m->statuses = cni_mpi_resized(m->statuses, n * sizeof *m->statuses);
    }
}

static void start(const cni_message *message, bool receives)
{
    char *data = message->data;
    int64_t left = message->nbytes;
    m->large |= !cni_mpi_at_once(left);
    do {
        int size = cni_mpi_piece(message->nbytes, left);
        grow_requests();
        MPI_Request *request = &m->requests[m->nrequests];
        m->expected[m->nrequests++] = receives ? size : -1;
        if (receives) {
            cni_mpi_must(MPI_Irecv(data, size, MPI_BYTE, message->peer, CNI_MPI_DATA, m->data, request),
                         "receive a message");
        } else {
            cni_mpi_must(MPI_Isend(data, size, MPI_BYTE, message->peer, CNI_MPI_DATA, m->data, request),
                         "send a message");
        }
        data += size;
        left -= size;
    } while (left > 0);
}

/* Of complete ones: has every message the bytes that its receiver expects? Forgets them all. */
static void settle(void)
{
    for (int i = 0, size; i < m->nrequests; i++) {
        if (m->expected[i] < 0) {
            continue;
        }
        cni_mpi_must(MPI_Get_count(&m->statuses[i], MPI_BYTE, &size), "measure a message");
        if (size != m->expected[i] && !wrong.is) {
            wrong = (struct wrong_message){true, m->statuses[i].MPI_SOURCE, size, m->expected[i]};
        }
    }
    m->nrequests = 0;
    m->large = m->finished = false;
}

bool cni_mpi_exchange_look(void)
{
    m->finished = m->finished || cni_mpi_test(m->nrequests, m->requests, m->statuses);
    return m->finished;
}

static cn_status exchange_begin(int nreceives, const cni_message *receives, int nsends, const cni_message *sends)
{
    cni_mpi_enter();
    if (m->finished) { /* what was begun before */
        settle();
    }
    for (int i = 0; i < nreceives; i++) {
        start(&receives[i], true);
    }
    for (int i = 0; i < nsends; i++) {
        start(&sends[i], false);
    }
    cni_mpi_leave();
    return CN_OK;
}

static cn_status wait_for_exchange(void)
{
    if (!m->finished) {
        cni_mpi_wait(m->nrequests, m->requests, m->statuses);
    }
    settle();
    if (wrong.is) {
        wrong.is = false;
        return m->host->fail(CN_ERROR_INTERNAL, "a message of rank %d has %d bytes, not %d", wrong.source, wrong.size,
                             wrong.expected);
    }
    return CN_OK;
}

static cn_status exchange_end(void)
{
    cni_mpi_enter();
    *m->host->carried += cni_mpi_carried();
    cn_status status = wait_for_exchange();
    cni_mpi_leave();
    return status;
}

/* ---- Collective calls ---- */

static cn_status agree(uint32_t mine, uint32_t *all)
{
    MPI_Request request;
    uint32_t result = 0;
    cni_mpi_enter();
    cni_mpi_must(MPI_Iallreduce(&mine, &result, 1, MPI_UINT32_T, MPI_BOR, m->all, &request), "agree");
    cni_mpi_wait(1, &request, MPI_STATUSES_IGNORE);
    cni_mpi_leave();
    *all = result;
    return CN_OK;
}

/* What is too large for one message goes as an exchange. */
static cn_status gather_large(const void *mine, int64_t nbytes, void *all)
{
    cni_message message = {.peer = 0, .data = (void *)mine, .nbytes = nbytes};
    if (m->host->rank == 0) {
        memcpy(all, mine, (size_t)nbytes);
    } else {
        start(&message, false);
    }
    for (int r = 1; m->host->rank == 0 && r < m->host->size; r++) {
        message = (cni_message){.peer = r, .data = (char *)all + r * nbytes, .nbytes = nbytes};
        start(&message, true);
    }
    return wait_for_exchange();
}

static cn_status gather_small(const void *mine, int64_t nbytes, void *all)
{
    MPI_Request request;
    int size = (int)nbytes;
    cni_mpi_must(MPI_Igather(mine, size, MPI_BYTE, all, size, MPI_BYTE, 0, m->all, &request), "gather");
    cni_mpi_wait(1, &request, MPI_STATUSES_IGNORE);
    return CN_OK;
}

static cn_status gather(const void *mine, int64_t nbytes, void *all)
{
    cni_mpi_enter();
    cn_status status = (nbytes > m->host->message_most ? gather_large : gather_small)(mine, nbytes, all);
    cni_mpi_leave();
    return status;
}

/* ---- Beginning and end ---- */

static void abort_net(const char *message)
{
    cni_mpi_seize();
    cni_mpi_stop(message);
}

static void close_net(void)
{
    cni_mpi_carry_stop();
    cni_mpi_log_finish();
    cni_mpi_must(MPI_Comm_free(&m->log), "close");
    cni_mpi_must(MPI_Comm_free(&m->data), "close");
    cni_mpi_must(MPI_Comm_free(&m->all), "close");
    MPI_Finalize();
}

static void make_tree(int rank, int size)
{
    int lowest = rank == 0 ? 1 << 30 : rank & -rank;
    m->parent = rank & (rank - 1);
    for (int bit = 1 << 29; bit > 0; bit >>= 1) {
        if (bit < lowest && bit < size - rank) {
            m->marks[m->nchildren] = MPI_REQUEST_NULL;
            m->children[m->nchildren++] = rank + bit;
        }
    }
}

/* Which of how many ranks of its machine this is. Those that share cores give them up early: the message may be another's
   to send. */
static void know_machine(int *local_rank, int *local_size)
{
    MPI_Comm machine;
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof cores, &cores) != 0) {
        CPU_ZERO(&cores);
    }
    cni_mpi_must(MPI_Comm_split_type(m->all, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine), "start");
    cni_mpi_must(MPI_Comm_rank(machine, local_rank), "start");
    cni_mpi_must(MPI_Comm_size(machine, local_size), "start");
    cni_mpi_must(MPI_Allreduce(MPI_IN_PLACE, &cores, sizeof cores, MPI_BYTE, MPI_BOR, machine), "start");
    cni_mpi_must(MPI_Comm_free(&machine), "start");
    m->spins = CPU_COUNT(&cores) >= *local_size ? SPINS_ALONE : SPINS_SHARED;
}

static const char *version(void)
{
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;
    if (MPI_Get_library_version(text, &length) != MPI_SUCCESS) {
        return "MPI";
    }
    text[strcspn(text, ",\n")] = '\0';
    for (char *tab = text; (tab = strchr(tab, '\t')) != NULL;) {
        *tab = ' ';
    }
    return text;
}

cni_mpi_module_open_function cni_mpi_module_open;
cn_status cni_mpi_module_open(const cni_mpi_host *host, const cni_net **net)
{
    static cni_net table;
    int provided, rank, size, local_rank, local_size;
    m->host = host;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided) != MPI_SUCCESS) {
        return host->fail(CN_ERROR_INTERNAL, "MPI cannot be initialised");
    }
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN); /* communicators made of it inherit this */
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank != host->rank || size != host->size) {
        MPI_Finalize();
        return host->fail(CN_ERROR_INTERNAL,
                          "%s says that this is rank %d of %d: it is not the MPI that launched the "
                          "program",
                          version(), rank, size);
    }
    cni_mpi_must(MPI_Comm_dup(MPI_COMM_WORLD, &m->log), "start");
    cni_mpi_must(MPI_Comm_dup(MPI_COMM_WORLD, &m->data), "start");
    cni_mpi_must(MPI_Comm_dup(MPI_COMM_WORLD, &m->all), "start");
    make_tree(rank, size);
    know_machine(&local_rank, &local_size);
    table = (cni_net){.name = version(),
                      .rank = rank,
                      .size = size,
                      .local_rank = local_rank,
                      .local_size = local_size,
                      .log_send = cni_mpi_log_send,
                      .log_receive = cni_mpi_log_receive,
                      .exchange_begin = exchange_begin,
                      .exchange_end = exchange_end,
                      .agree = agree,
                      .gather = gather,
                      .abort = abort_net,
                      .close = close_net};
    *net = &table;
    if (provided >= MPI_THREAD_SERIALIZED) {
        cni_mpi_carry_on();
    }
    return CN_OK;
}
