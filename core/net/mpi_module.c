/*
 * mpi_module.c - the net over MPI (3.1): compiled by the mpicc of the MPI that launched the program, not with the library.
 *
 * An error of MPI ends every rank: no rank can go on alone. Waiting is polling that slows down, so that ranks that share
 * a core leave it to those that compute. Three communicators keep log, exchanges and collective calls apart.
 *
 * The log goes down a binomial tree: rank r has the parent r & (r - 1). An entry is one message or, if it is large,
 * several; before every MARK_EVERYth goes a mark whose send ends when it has been received, and before the next mark
 * this one is waited for: so nobody runs ahead of a child by more than two such distances.
 */
#include "net/mpi_module.h"

#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

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

enum { CHILDREN = 32, MARK_EVERY = 64, SPINS_ALONE = 3000, SPINS_SHARED = 10 };

typedef enum tag { TAG_LAST, TAG_MORE, TAG_MARK, TAG_DATA } tag;

static struct {
    const cni_mpi_host *host;
    MPI_Comm log, data, all;
    unsigned spins; /* polls before a wait gives the core to others */
    int parent, nchildren, children[CHILDREN];
    uint64_t entries; /* sent down */
    MPI_Request marks[CHILDREN];
    char *entry; /* received last */
    size_t entry_capacity;
    MPI_Request *requests; /* of exchanges begun: pieces in their order */
    int *expected;         /* bytes of the piece that a request receives, -1: it sends */
    MPI_Status *statuses;
    int nrequests, capacity;
} m;

/* ---- Failing ---- */

static void stop_all(const char *message)
{
    fprintf(stderr, "cnumeric: rank %d: %s\n", m.host->rank, message);
    fflush(stderr);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL); /* launchers stop listening when they hear of the end */
    MPI_Abort(MPI_COMM_WORLD, 1);
}

static void must(int code, const char *what)
{
    char reason[MPI_MAX_ERROR_STRING] = "", message[MPI_MAX_ERROR_STRING + 64];
    int length;
    if (code != MPI_SUCCESS) {
        MPI_Error_string(code, reason, &length);
        snprintf(message, sizeof message, "MPI failed to %s: %s", what, reason);
        stop_all(message);
    }
}

static void *resized(void *memory, size_t size)
{
    void *larger = m.host->resize(memory, size);
    if (larger == NULL) {
        char message[64];
        snprintf(message, sizeof message, "Unable to allocate %zu bytes", size);
        stop_all(message);
    }
    return larger;
}

/* ---- Waiting ---- */

/* After a poll without success: nothing at first, then others may run, then up to 0.1 ms or, for an idle rank, 1 ms. */
static void pause_after(unsigned turn, bool idle)
{
    if (turn < m.spins) {
        return;
    }
    turn -= m.spins;
    if (turn < 200) {
        sched_yield();
        return;
    }
    long nanoseconds = turn < 400 ? 20000 : turn < 1000 || !idle ? 100000 : 1000000;
    nanosleep(&(struct timespec){.tv_nsec = nanoseconds}, NULL);
}

static void wait_all(int n, MPI_Request *requests, MPI_Status *statuses)
{
    int finished = 0;
    for (unsigned turn = 0;; turn++) {
        int code = MPI_Testall(n, requests, &finished, statuses);
        if (code == MPI_ERR_IN_STATUS) {
            for (int i = 0; i < n && statuses != MPI_STATUSES_IGNORE; i++) {
                must(statuses[i].MPI_ERROR == MPI_ERR_PENDING ? MPI_SUCCESS : statuses[i].MPI_ERROR, "exchange");
            }
        }
        must(code, "wait for messages");
        if (finished) {
            return;
        }
        pause_after(turn, false);
    }
}

static int piece(int64_t left)
{
    return (int)(left < m.host->message_most ? left : m.host->message_most);
}

/* ---- The log ---- */

static void send_mark(void)
{
    wait_all(m.nchildren, m.marks, MPI_STATUSES_IGNORE);
    for (int i = 0; i < m.nchildren; i++) {
        must(MPI_Issend(NULL, 0, MPI_BYTE, m.children[i], TAG_MARK, m.log, &m.marks[i]), "send the log");
    }
}

static void send_down(const char *entry, int64_t nbytes)
{
    MPI_Request requests[CHILDREN];
    if (++m.entries % MARK_EVERY == 0) {
        send_mark();
    }
    do {
        int size = piece(nbytes), which = size < nbytes ? TAG_MORE : TAG_LAST;
        for (int i = 0; i < m.nchildren; i++) {
            must(MPI_Isend(entry, size, MPI_BYTE, m.children[i], which, m.log, &requests[i]), "send the log");
        }
        wait_all(m.nchildren, requests, MPI_STATUSES_IGNORE);
        entry += size;
        nbytes -= size;
    } while (nbytes > 0);
}

static cn_status log_send(const void *entry, int64_t nbytes)
{
    send_down(entry != NULL ? entry : "", nbytes);
    return CN_OK;
}

/* The next message of the parent, behind the bytes that the entry has; its tag. */
static int receive_piece(size_t *have)
{
    MPI_Message message;
    MPI_Status status;
    int found = 0, size;
    for (unsigned turn = 0;; turn++) {
        must(MPI_Improbe(m.parent, MPI_ANY_TAG, m.log, &found, &message, &status), "look for the log");
        if (found) {
            break;
        }
        pause_after(turn, true);
    }
    must(MPI_Get_count(&status, MPI_BYTE, &size), "measure the log");
    size_t need = *have + (size_t)size;
    if (need > m.entry_capacity) {
        m.entry_capacity = need > 2 * m.entry_capacity ? need : 2 * m.entry_capacity;
        m.entry = resized(m.entry, m.entry_capacity);
    }
    must(MPI_Mrecv(m.entry + *have, size, MPI_BYTE, &message, &status), "receive the log");
    *have = need;
    return status.MPI_TAG;
}

static cn_status log_receive(const void **entry, int64_t *nbytes)
{
    size_t have = 0;
    if (m.host->rank == 0) {
        return m.host->fail(CN_ERROR_INTERNAL, "rank 0 has no log to receive");
    }
    while (receive_piece(&have) != TAG_LAST) {
    }
    send_down(m.entry, (int64_t)have);
    *entry = m.entry;
    *nbytes = (int64_t)have;
    return CN_OK;
}

/* ---- Exchanges ---- */

static void grow_requests(void)
{
    if (m.nrequests == m.capacity) {
        m.capacity = m.capacity == 0 ? 64 : 2 * m.capacity;
        size_t n = (size_t)m.capacity;
        m.requests = resized(m.requests, n * sizeof *m.requests);
        m.expected = resized(m.expected, n * sizeof *m.expected);
        m.statuses = resized(m.statuses, n * sizeof *m.statuses);
    }
}

static void start(const cni_message *message, bool receives)
{
    char *data = message->data;
    int64_t left = message->nbytes;
    do {
        int size = piece(left);
        grow_requests();
        MPI_Request *request = &m.requests[m.nrequests];
        m.expected[m.nrequests++] = receives ? size : -1;
        if (receives) {
            must(MPI_Irecv(data, size, MPI_BYTE, message->peer, TAG_DATA, m.data, request), "receive a message");
        } else {
            must(MPI_Isend(data, size, MPI_BYTE, message->peer, TAG_DATA, m.data, request), "send a message");
        }
        data += size;
        left -= size;
    } while (left > 0);
}

static cn_status exchange_begin(int nreceives, const cni_message *receives, int nsends, const cni_message *sends)
{
    for (int i = 0; i < nreceives; i++) {
        start(&receives[i], true);
    }
    for (int i = 0; i < nsends; i++) {
        start(&sends[i], false);
    }
    return CN_OK;
}

static cn_status exchange_end(void)
{
    int n = m.nrequests, size;
    m.nrequests = 0;
    wait_all(n, m.requests, m.statuses);
    for (int i = 0; i < n; i++) {
        if (m.expected[i] < 0) {
            continue;
        }
        must(MPI_Get_count(&m.statuses[i], MPI_BYTE, &size), "measure a message");
        if (size != m.expected[i]) {
            return m.host->fail(CN_ERROR_INTERNAL, "a message of rank %d has %d bytes, not %d",
                                m.statuses[i].MPI_SOURCE, size, m.expected[i]);
        }
    }
    return CN_OK;
}

/* ---- Collective calls ---- */

static cn_status agree(uint32_t mine, uint32_t *all)
{
    MPI_Request request;
    uint32_t result = 0;
    must(MPI_Iallreduce(&mine, &result, 1, MPI_UINT32_T, MPI_BOR, m.all, &request), "agree");
    wait_all(1, &request, MPI_STATUSES_IGNORE);
    *all = result;
    return CN_OK;
}

/* What is too large for one message goes as an exchange. */
static cn_status gather_large(const void *mine, int64_t nbytes, char *all)
{
    cni_message message = {.peer = 0, .data = (void *)mine, .nbytes = nbytes};
    if (m.host->rank == 0) {
        memcpy(all, mine, (size_t)nbytes);
    } else {
        start(&message, false);
    }
    for (int r = 1; m.host->rank == 0 && r < m.host->size; r++) {
        message = (cni_message){.peer = r, .data = all + r * nbytes, .nbytes = nbytes};
        start(&message, true);
    }
    return exchange_end();
}

static cn_status gather(const void *mine, int64_t nbytes, void *all)
{
    MPI_Request request;
    if (nbytes > m.host->message_most) {
        return gather_large(mine, nbytes, all);
    }
    int size = (int)nbytes;
    must(MPI_Igather(mine, size, MPI_BYTE, all, size, MPI_BYTE, 0, m.all, &request), "gather");
    wait_all(1, &request, MPI_STATUSES_IGNORE);
    return CN_OK;
}

/* ---- Beginning and end ---- */

static void close_net(void)
{
    wait_all(m.nchildren, m.marks, MPI_STATUSES_IGNORE);
    must(MPI_Comm_free(&m.log), "close");
    must(MPI_Comm_free(&m.data), "close");
    must(MPI_Comm_free(&m.all), "close");
    MPI_Finalize();
}

static void make_tree(int rank, int size)
{
    int lowest = rank == 0 ? 1 << 30 : rank & -rank;
    m.parent = rank & (rank - 1);
    for (int bit = 1 << 29; bit > 0; bit >>= 1) {
        if (bit < lowest && bit < size - rank) {
            m.marks[m.nchildren] = MPI_REQUEST_NULL;
            m.children[m.nchildren++] = rank + bit;
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
    must(MPI_Comm_split_type(m.all, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine), "start");
    must(MPI_Comm_rank(machine, local_rank), "start");
    must(MPI_Comm_size(machine, local_size), "start");
    must(MPI_Allreduce(MPI_IN_PLACE, &cores, sizeof cores, MPI_BYTE, MPI_BOR, machine), "start");
    must(MPI_Comm_free(&machine), "start");
    m.spins = CPU_COUNT(&cores) >= *local_size ? SPINS_ALONE : SPINS_SHARED;
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
    m.host = host;
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
    must(MPI_Comm_dup(MPI_COMM_WORLD, &m.log), "start");
    must(MPI_Comm_dup(MPI_COMM_WORLD, &m.data), "start");
    must(MPI_Comm_dup(MPI_COMM_WORLD, &m.all), "start");
    make_tree(rank, size);
    know_machine(&local_rank, &local_size);
    table = (cni_net){.name = version(),
                      .rank = rank,
                      .size = size,
                      .local_rank = local_rank,
                      .local_size = local_size,
                      .log_send = log_send,
                      .log_receive = log_receive,
                      .exchange_begin = exchange_begin,
                      .exchange_end = exchange_end,
                      .agree = agree,
                      .gather = gather,
                      .abort = stop_all,
                      .close = close_net};
    *net = &table;
    return CN_OK;
}
