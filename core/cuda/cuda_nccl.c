/*
 * cuda_nccl.c - messages between the GPUs of ranks, by NCCL (exec/direct.h): one communicator of all ranks, and a stream of
 * its own, which goes on beside the other work.
 *
 *     work       ---- pack ----\------- inside of shares -------/---- what waits for messages ----
 *     messages                  \---- sends and receives ------/
 *
 * The communicator is opened by a thread, since a rank that fails would let the others wait for ever. The thread then looks
 * after it: a rank that NCCL has lost is the end of all ranks, whatever they wait for. What is on a host goes through memory
 * of the device that is kept for it, a piece of each message at a time.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/settings.h"
#include "base/stats.h"
#include "base/status.h"
#include "cuda/cuda_driver.h"
#include "cuda/cuda_exchange.h"
#include "cuda/cuda_memory.h"
#include "cuda/cuda_stream.h"
#include "exec/direct.h"

enum { WATCH_NANOSECONDS = 200000000 };
enum { BYTES = 0, IN_PROGRESS = 7, NOT_READY = 600, NON_BLOCKING = 1, WITHOUT_TIMING = 2, MOST_URGENT = -100 };

/*
 * Memory for what is on hosts, of each direction: so many bytes, or that part of what may be taken of a GPU. It has room for
 * a piece of each rank's message, of that many ranks at most; a rank that has more of them on its host takes more.
 */
#define BOUNCE ((int64_t)64 << 20)
enum { BOUNCE_PART = 16, BOUNCE_PIECES = 16 };

typedef struct unique_id {
    char bytes[CNI_DIRECT_ID];
} unique_id;

/* name, symbol, parameters. All return 0 when they succeed. */
#define NCCL(X)                                                                                                        \
    X(version, "ncclGetVersion", (int *version))                                                                       \
    X(id, "ncclGetUniqueId", (unique_id * id))                                                                         \
    X(open, "ncclCommInitRank", (cni_cuda_handle * all, int ranks, unique_id id, int rank))                            \
    X(abort, "ncclCommAbort", (cni_cuda_handle all))                                                                   \
    X(error, "ncclCommGetAsyncError", (cni_cuda_handle all, int *error))                                               \
    X(group_begin, "ncclGroupStart", (void))                                                                           \
    X(group_end, "ncclGroupEnd", (void))                                                                               \
    X(send, "ncclSend",                                                                                                \
      (const void *data, size_t count, int type, int peer, cni_cuda_handle all, cni_cuda_handle stream))               \
    X(receive, "ncclRecv", (void *data, size_t count, int type, int peer, cni_cuda_handle all, cni_cuda_handle stream))

#define MEMBER(name, symbol, parameters) int(*name) parameters;
typedef struct entries {
    NCCL(MEMBER)
} entries;
#define ENTRY(name, symbol, parameters) {symbol, offsetof(entries, name)},
static const cni_cuda_entry all_entries[] = {NCCL(ENTRY)};

static entries nccl;
static cni_cuda_opening opening = {.setting = CNI_TEXT_SETTING_CUDA_NCCL,
                                   .names = (const char *const[]){"libnccl.so.2", "libnccl.so", NULL},
                                   .table = &nccl,
                                   .entries = all_entries,
                                   .count = sizeof all_entries / sizeof *all_entries};

static struct {
    cni_cuda_handle all, stream;
    cni_cuda_handle ready, done; /* work that messages wait for; messages that work waits for */
    char *out, *in;              /* for pieces that are on hosts */
    int64_t bounce, piece;
    unique_id id;
    int rank, ranks;
    atomic_int state;  /* cni_direct_state */
    atomic_bool begun; /* there have been messages */
} m;

/* ---- Opening ---- */

static void self(cni_direct_self *out)
{
    int version = 0;
    bool usable = cni_cuda_enter() && cni_cuda_failure() == NULL &&
                  cni_cuda.device_identity(out->device, cni_cuda_gpu.devices[0]) == 0;
    out->has_device = usable;
    out->version = usable && cni_cuda_ready(&opening) && nccl.version(&version) == 0 ? version : 0;
}

static bool make_id(void *id)
{
    return nccl.id(id) == 0;
}

static cni_direct_state opened(void)
{
    return (cni_direct_state)atomic_load(&m.state);
}

/* While messages are on their way: has NCCL lost any? Afterwards its opinion is nobody's concern. Who waits for them must not
   go on without. */
static void watch(void)
{
    int error = 0;
    char message[80];
    while (opened() == CNI_DIRECT_OPEN) {
        nanosleep(&(struct timespec){.tv_nsec = WATCH_NANOSECONDS}, NULL);
        bool waits = atomic_load(&m.begun) && cni_cuda.event_query(m.done) == NOT_READY;
        if (waits && (nccl.error(m.all, &error) != 0 || (error != 0 && error != IN_PROGRESS))) {
            snprintf(message, sizeof message, "messages between GPUs are lost (NCCL error %d)", error);
            cni_process_net->abort(message);
        }
    }
}

static void *open_all(void *unused)
{
    (void)unused;
    bool fine = cni_cuda.context_set(cni_cuda_gpu.contexts[0]) == 0 && nccl.open(&m.all, m.ranks, m.id, m.rank) == 0;
    atomic_store(&m.state, fine ? CNI_DIRECT_OPEN : CNI_DIRECT_FAILED);
    watch();
    return NULL;
}

static bool open_direct(const void *id, int rank, int ranks)
{
    pthread_t thread;
    int64_t limit = cni_settings[CNI_SETTING_GPU_MEMORY] / BOUNCE_PART;
    memcpy(&m.id, id, sizeof m.id);
    m.rank = rank;
    m.ranks = ranks;
    m.bounce = limit > 0 && limit < BOUNCE ? limit : BOUNCE;
    m.piece = m.bounce / (ranks < BOUNCE_PIECES ? ranks : BOUNCE_PIECES) / 4096 * 4096;
    bool fine =
        m.piece > 0 && cni_cuda_enter() && cni_cuda.stream_create_first(&m.stream, NON_BLOCKING, MOST_URGENT) == 0 &&
        cni_cuda.event_create(&m.ready, WITHOUT_TIMING) == 0 && cni_cuda.event_create(&m.done, WITHOUT_TIMING) == 0 &&
        (m.out = cni_cuda_alloc(m.bounce)) != NULL && (m.in = cni_cuda_alloc(m.bounce)) != NULL;
    if (!fine || pthread_create(&thread, NULL, open_all, NULL) != 0) {
        return false;
    }
    pthread_detach(thread);
    return true;
}

/* A thread that still waits for the others is left alone. */
static void close_direct(void)
{
    if (opened() == CNI_DIRECT_OPEN) {
        atomic_store(&m.state, CNI_DIRECT_FAILED);
        nccl.abort(m.all);
    }
    for (int k = 0; k < 2; k++) {
        char **memory = k == 0 ? &m.out : &m.in;
        if (*memory != NULL) {
            cni_cuda_free(*memory, m.bounce);
        }
        *memory = NULL;
    }
}

/* ---- Messages ---- */

/* The messages' stream waits for all work. */
static bool follow_work(void)
{
    cni_cuda_step(1);
    bool fine = cni_cuda_check(cni_cuda.event_record(m.ready, cni_cuda_stream(0)), "an event") &&
                cni_cuda_check(cni_cuda.stream_wait_event(m.stream, m.ready, 0), "a wait");
    cni_cuda_step_end();
    return fine;
}

/* All work to come waits for the messages. */
static void arrive(void)
{
    if (cni_cuda_enter()) {
        cni_cuda_step(1);
        cni_cuda_check(cni_cuda.stream_wait_event(cni_cuda_stream(0), m.done, 0), "a wait");
        cni_cuda_step_end();
    }
}

static int64_t piece_of(const cni_direct_message *x, int64_t at)
{
    int64_t left = x->nbytes - at;
    return left < 0 ? 0 : left < m.piece ? left : m.piece;
}

static bool check(int code)
{
    return cni_cuda_check(code, "a message between GPUs (by NCCL)");
}

/* What goes, or what comes, in one exchange. */
typedef struct side {
    int n, staged; /* messages; of them, those on the host */
    const cni_direct_message *messages;
    bool out;
    char *bounce; /* memory for pieces of those */
    int64_t most; /* bytes of a message */
} side;

/* A piece of every message; of those on the host in memory kept for them, one after the other. */
static bool send_pieces(const side *s, int64_t at)
{
    char *bounce = s->bounce;
    bool fine = true;
    for (int i = 0; i < s->n && fine; i++) {
        const cni_direct_message *x = &s->messages[i];
        size_t size = (size_t)piece_of(x, at);
        char *data = x->device != NULL ? (char *)x->device + at : bounce;
        bounce += x->device != NULL ? 0 : m.piece;
        if (size > 0) {
            fine = check(s->out ? nccl.send(data, size, BYTES, x->peer, m.all, m.stream)
                                : nccl.receive(data, size, BYTES, x->peer, m.all, m.stream));
        }
    }
    return fine;
}

/* What is on the host goes to the device, or comes from there. */
static bool move_pieces(const side *s, int64_t at)
{
    char *bounce = s->bounce;
    bool fine = true;
    for (int i = 0; i < s->n && fine; i++) {
        const cni_direct_message *x = &s->messages[i];
        if (x->device == NULL) {
            int64_t size = piece_of(x, at);
            char *host = (char *)x->host + at;
            fine = size == 0 || (s->out ? cni_cuda_device.upload(bounce, host, size)
                                        : cni_cuda_device.download(host, bounce, size)) == CN_OK;
            bounce += m.piece;
            cni_stats.moves += size > 0;
            cni_stats.move_bytes += (uint64_t)size;
        }
    }
    return fine;
}

/* The pieces that begin there: everybody who has such a piece for another has it in this round. */
static bool round_at(int64_t at, const side *in, const side *out)
{
    bool fine = move_pieces(out, at) && follow_work() && check(nccl.group_begin());
    if (!fine) {
        return false;
    }
    fine = send_pieces(in, at) && send_pieces(out, at);
    fine = check(nccl.group_end()) && fine;
    fine = fine && cni_cuda_check(cni_cuda.event_record(m.done, m.stream), "an event");
    atomic_store(&m.begun, true);
    if (in->staged + out->staged > 0 && fine) {
        arrive();
        fine = move_pieces(in, at);
    }
    return fine;
}

/* False: there is no memory for so many messages. */
static bool side_make(side *s, int n, const cni_direct_message *messages, bool out)
{
    *s = (side){.n = n, .messages = messages, .out = out, .bounce = out ? m.out : m.in};
    for (int i = 0; i < n; i++) {
        s->most = messages[i].nbytes > s->most ? messages[i].nbytes : s->most;
        s->staged += messages[i].device == NULL;
    }
    if (s->staged > BOUNCE_PIECES) {
        s->bounce = cni_cuda_alloc(s->staged * m.piece);
    }
    return s->bounce != NULL;
}

static void side_end(side *s)
{
    if (s->staged > BOUNCE_PIECES && s->bounce != NULL) {
        cni_cuda_free(s->bounce, s->staged * m.piece);
    }
}

static cn_status exchange(int nreceives, const cni_direct_message *receives, int nsends,
                          const cni_direct_message *sends)
{
    side in = {0}, out = {0};
    bool fine = cni_cuda_enter() && cni_cuda_failure() == NULL && side_make(&in, nreceives, receives, false) &&
                side_make(&out, nsends, sends, true);
    for (int64_t at = 0; at < (in.most > out.most ? in.most : out.most) && fine; at += m.piece) {
        fine = round_at(at, &in, &out);
    }
    side_end(&in);
    side_end(&out);
    const char *failure = cni_cuda_failure();
    return fine ? CN_OK
                : cni_fail(CN_ERROR_INTERNAL, "the GPU failed: %s",
                           failure != NULL ? failure : "no memory for messages");
}

static const cni_direct table = {.self = self,
                                 .id = make_id,
                                 .open = open_direct,
                                 .opened = opened,
                                 .close = close_direct,
                                 .pack = cni_cuda_pack_near,
                                 .unpack = cni_cuda_unpack_near,
                                 .exchange = exchange,
                                 .arrive = arrive};

const cni_direct *cni_cuda_direct(void)
{
    return &table;
}
