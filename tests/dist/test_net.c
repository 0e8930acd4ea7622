/*
 * test_net.c - the net over MPI: order and contents of the log, exchanges of many sizes, collective calls, idle waits, and what
 * goes on while a rank computes.
 *
 *   mpirun -n 3 build/test_net        every rank runs this; with CNUMERIC_MESSAGE_BYTES=1000 messages are split
 *   mpirun -n 3 build/test_net fail   rank 1 ends all
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/settings.h"
#include "base/stats.h"
#include "net/launcher.h"
#include "net/net_mpi.h"

#include "../core/check.h"

enum { ENTRIES = 700, ROUNDS = 40, MOST_MESSAGES = 5, SKIPPED = 77 };

static const cni_net *net;

/* ---- Contents that sender and receiver know ---- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t x = (a + 1) * UINT64_C(0x9E3779B97F4A7C15) ^ (b + 1) * UINT64_C(0xC2B2AE3D27D4EB4F);
    return x ^ x >> 29;
}

static void fill(unsigned char *data, int64_t nbytes, uint64_t seed)
{
    for (int64_t i = 0; i < nbytes; i++) {
        data[i] = (unsigned char)(mix(seed, (uint64_t)i) >> 16);
    }
}

static bool filled(const unsigned char *data, int64_t nbytes, uint64_t seed)
{
    for (int64_t i = 0; i < nbytes; i++) {
        if (data[i] != (unsigned char)(mix(seed, (uint64_t)i) >> 16)) {
            return false;
        }
    }
    return true;
}

/* ---- The log ---- */

static int64_t entry_size(int i)
{
    return i % 100 == 99 ? 300000 + i : (int64_t)(mix(7, (uint64_t)i) % 3000);
}

static void test_log(void)
{
    unsigned char *entry = cni_alloc(400000);
    const void *received;
    int64_t nbytes;
    for (int i = 0; i < ENTRIES; i++) {
        if (net->rank == 0) {
            fill(entry, entry_size(i), (uint64_t)i);
            EXPECT(net->log_send(entry, entry_size(i)) == CN_OK);
            memset(entry, 0xEE, (size_t)entry_size(i)); /* the memory is the sender's again */
        } else {
            EXPECT(net->log_receive(&received, &nbytes) == CN_OK);
            EXPECT(nbytes == entry_size(i) && filled(received, nbytes, (uint64_t)i));
        }
    }
    cni_free(entry);
}

/* A worker that waits leaves its core to others. */
static void test_idle(void)
{
    const void *received;
    int64_t nbytes;
    if (net->rank == 0) {
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
        EXPECT(net->log_send(NULL, 0) == CN_OK);
        return;
    }
    struct timespec before, after;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    EXPECT(net->log_receive(&received, &nbytes) == CN_OK && nbytes == 0);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    double seconds = (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec);
    EXPECT(seconds < 0.25);
}

/* ---- Exchanges ---- */

static uint64_t message_seed(int round, int from, int to, int k)
{
    return mix(mix((uint64_t)round, (uint64_t)from), mix((uint64_t)to, (uint64_t)k));
}

static int message_count(int round, int from, int to)
{
    return (int)(message_seed(round, from, to, 99) % (MOST_MESSAGES + 1));
}

static int64_t message_size(int round, int from, int to, int k)
{
    static const int64_t scales[] = {1, 10, 5000, 100000, 2000000};
    uint64_t seed = message_seed(round, from, to, k);
    return (int64_t)(seed % (uint64_t)scales[(seed >> 40) % (round % 8 == 0 ? 5 : 4)]);
}

/* Messages between this rank and all, its own included; sends have contents. */
static int list_messages(int round, bool sends, cni_message *messages)
{
    int n = 0;
    for (int peer = 0; peer < net->size; peer++) {
        int from = sends ? net->rank : peer, to = sends ? peer : net->rank;
        for (int k = 0; k < message_count(round, from, to); k++) {
            cni_message *m = &messages[n++];
            *m = (cni_message){.peer = peer, .nbytes = message_size(round, from, to, k)};
            m->data = cni_alloc((size_t)m->nbytes + 1);
            if (sends) {
                fill(m->data, m->nbytes, message_seed(round, from, to, k));
            }
        }
    }
    return n;
}

static void check_messages(int round, const cni_message *received)
{
    int n = 0;
    for (int peer = 0; peer < net->size; peer++) {
        for (int k = 0; k < message_count(round, peer, net->rank); k++, n++) {
            EXPECT(filled(received[n].data, received[n].nbytes, message_seed(round, peer, net->rank, k)));
        }
    }
}

static void test_exchanges(void)
{
    size_t most = (size_t)(MOST_MESSAGES * net->size);
    cni_message *receives = cni_alloc(most * sizeof *receives), *sends = cni_alloc(most * sizeof *sends);
    for (int round = 0; round < ROUNDS; round++) {
        int nreceives = list_messages(round, false, receives), nsends = list_messages(round, true, sends);
        int half = round % 2 == 0 ? nreceives : nreceives / 2; /* begun in two steps */
        EXPECT(net->exchange_begin(half, receives, 0, NULL) == CN_OK);
        EXPECT(net->exchange_begin(nreceives - half, receives + half, nsends, sends) == CN_OK);
        EXPECT(net->exchange_end() == CN_OK);
        check_messages(round, receives);
        for (int i = 0; i < nreceives; i++) {
            cni_free(receives[i].data);
        }
        for (int i = 0; i < nsends; i++) {
            cni_free(sends[i].data);
        }
    }
    cni_free(receives);
    cni_free(sends);
}

static void test_wrong_size(void)
{
    char small[4] = "abc", large[8];
    cni_message message = {.peer = net->rank == 0 ? 1 : 0};
    if (net->rank == 0) {
        message.data = small;
        message.nbytes = sizeof small;
        EXPECT(net->exchange_begin(0, NULL, 1, &message) == CN_OK);
        EXPECT(net->exchange_end() == CN_OK);
    } else if (net->rank == 1) {
        message.data = large;
        message.nbytes = sizeof large;
        EXPECT(net->exchange_begin(1, &message, 0, NULL) == CN_OK);
        EXPECT(net->exchange_end() == CN_ERROR_INTERNAL);
        EXPECT(strstr(cn_error_message(), "has 4 bytes, not 8") != NULL);
    }
}

/* ---- While a rank computes ---- */

enum { LARGE = 8 << 20, LARGE_ROUNDS = 5, STALLED = 2, BELOW = 3, ENTRIES_STALLED = 20 };

/* Computes, calling nothing of the net, until the byte is there; false: it does not come. That is a race, and meant. */
__attribute__((no_sanitize("thread"))) static bool comes(const volatile unsigned char *byte, unsigned char value)
{
    for (int turn = 0; turn < 20000 && *byte != value; turn++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return *byte == value;
}

/* A message that needs both ends' calls of MPI comes while both compute. */
static void test_progress(void)
{
    unsigned char *in = cni_alloc(LARGE), *out = cni_alloc(LARGE);
    int peer = net->rank ^ 1;
    uint64_t carried = cni_stats.carried;
    for (int round = 0; round < LARGE_ROUNDS && peer < net->size; round++) {
        uint64_t mine = mix((uint64_t)round, (uint64_t)net->rank), theirs = mix((uint64_t)round, (uint64_t)peer);
        cni_message receive = {peer, in, LARGE}, send = {peer, out, LARGE};
        fill(out, LARGE, mine);
        memset(in, 0, LARGE);
        out[LARGE - 1] = 77;
        EXPECT(net->exchange_begin(1, &receive, 1, &send) == CN_OK);
        EXPECT(comes(in + LARGE - 1, 77));
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL); /* for the last word of what was sent */
        EXPECT(net->exchange_end() == CN_OK);
        EXPECT(filled(in, LARGE - 1, theirs));
    }
    EXPECT(peer >= net->size || cni_stats.carried > carried);
    cni_free(in);
    cni_free(out);
}

/* What is not very large is there although its sender calls nothing of the net. */
enum { MEDIUM = 60000, MEDIUM_ENTRY = 12000 };

static unsigned char *shared_byte(const char *path)
{
    int file = open(path, O_RDWR);
    unsigned char *byte = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    EXPECT(file >= 0 && byte != MAP_FAILED);
    close(file);
    return byte;
}

static void send_medium(char *path, size_t size, unsigned char *data)
{
    unsigned char entry[MEDIUM_ENTRY];
    cni_message sends[2] = {{.peer = 1, .data = path, .nbytes = (int64_t)size},
                            {.peer = 1, .data = data, .nbytes = MEDIUM}};
    int file = mkstemp(path);
    EXPECT(file >= 0 && write(file, "", 1) == 1 && close(file) == 0);
    unsigned char *heard = shared_byte(path);
    fill(data, MEDIUM, 5);
    fill(entry, sizeof entry, 6);
    EXPECT(net->log_send(entry, sizeof entry) == CN_OK);
    EXPECT(net->exchange_begin(0, NULL, 2, sends) == CN_OK);
    EXPECT(comes(heard, 1));
    EXPECT(net->exchange_end() == CN_OK);
    munmap(heard, 1);
    unlink(path);
}

static void test_medium(void)
{
    char path[] = "/tmp/cnumeric-net-XXXXXX";
    unsigned char *data = cni_alloc(MEDIUM);
    const void *entry;
    int64_t nbytes;
    cni_message receives[2] = {{.data = path, .nbytes = sizeof path}, {.data = data, .nbytes = MEDIUM}};
    if (net->rank == 0) {
        send_medium(path, sizeof path, data);
    } else {
        EXPECT(net->log_receive(&entry, &nbytes) == CN_OK && nbytes == MEDIUM_ENTRY && filled(entry, nbytes, 6));
    }
    if (net->rank == 1) {
        EXPECT(net->exchange_begin(2, receives, 0, NULL) == CN_OK);
        EXPECT(net->exchange_end() == CN_OK && filled(data, MEDIUM, 5));
        unsigned char *heard = shared_byte(path);
        *heard = 1;
        munmap(heard, 1);
    }
    cni_free(data);
}

/* Entries go on to the rank below one that computes or, without: waits for a message. */
static void test_stalled(bool computes)
{
    unsigned char entry[100], done = 0;
    const void *received;
    int64_t nbytes;
    cni_message message = {.data = &done, .nbytes = 1};
    if (net->rank == 0) {
        for (int i = 0; i < ENTRIES_STALLED; i++) {
            fill(entry, sizeof entry, (uint64_t)i);
            EXPECT(net->log_send(entry, sizeof entry) == CN_OK);
        }
        return;
    }
    if (net->rank == STALLED && net->size > BELOW) {
        message.peer = BELOW;
        EXPECT(net->exchange_begin(1, &message, 0, NULL) == CN_OK);
        EXPECT(!computes || comes(&done, 1));
        EXPECT(net->exchange_end() == CN_OK && done == 1);
    }
    for (int i = 0; i < ENTRIES_STALLED; i++) {
        EXPECT(net->log_receive(&received, &nbytes) == CN_OK);
        EXPECT(nbytes == sizeof entry && filled(received, nbytes, (uint64_t)i));
    }
    if (net->rank == BELOW) {
        message.peer = STALLED;
        done = 1;
        EXPECT(net->exchange_begin(0, NULL, 1, &message) == CN_OK);
        EXPECT(net->exchange_end() == CN_OK);
    }
}

/* ---- Collective calls ---- */

static void test_agree(void)
{
    uint32_t all = 0, expected = 0;
    for (int r = 0; r < net->size; r++) {
        expected |= UINT32_C(1) << r;
    }
    EXPECT(net->agree(UINT32_C(1) << net->rank, &all) == CN_OK && all == expected);
    EXPECT(net->agree(0, &all) == CN_OK && all == 0);
    EXPECT(net->agree(net->rank == net->size - 1 ? 0x80000000u : 0, &all) == CN_OK && all == 0x80000000u);
}

static void test_gather(int64_t nbytes)
{
    unsigned char *mine = cni_alloc((size_t)nbytes + 1), *all = NULL;
    fill(mine, nbytes, (uint64_t)net->rank);
    if (net->rank == 0) {
        all = cni_alloc((size_t)(nbytes * net->size) + 1);
    }
    EXPECT(net->gather(mine, nbytes, all) == CN_OK);
    for (int r = 0; net->rank == 0 && r < net->size; r++) {
        EXPECT(filled(all + r * nbytes, nbytes, (uint64_t)r));
    }
    cni_free(mine);
    cni_free(all);
}

/* Rank 1 fails while the others wait for it. */
static void fail_on_one_rank(void)
{
    char data[8];
    cni_message message = {.peer = 1, .data = data, .nbytes = sizeof data};
    if (net->rank == 1) {
        net->abort("there is no memory left");
    } else {
        net->exchange_begin(1, &message, 0, NULL);
        net->exchange_end();
    }
}

int main(int argc, char **argv)
{
    cni_launch launch = cni_launch_find();
    if (launch.size < 2) {
        puts("test_net: run it with several ranks: mpirun -n 3 test_net");
        return SKIPPED;
    }
    if (cni_net_mpi_open(&launch, &net) != CN_OK) {
        fprintf(stderr, "rank %d: %s\n", launch.rank, cn_error_message());
        return 1;
    }
    if (argc > 1 && strcmp(argv[1], "fail") == 0) {
        fail_on_one_rank();
        return 0;
    }
    EXPECT(net->rank == launch.rank && net->size == launch.size && cni_mpi_initialised());
    test_log();
    test_exchanges();
    test_wrong_size();
    if (cni_settings[CNI_SETTING_MESSAGE_BYTES] >= MEDIUM) { /* MPI keeps few pieces, of whatever size */
        test_medium();
    }
    if (cni_settings[CNI_SETTING_PROGRESS] > 0) {
        test_progress();
        test_stalled(true);
    }
    test_stalled(false);
    test_agree();
    test_gather(0);
    test_gather(13);
    test_gather(50000);
    test_log();
    test_idle();
    char name[64]; /* one line, said at once: those of other ranks come between pieces */
    snprintf(name, sizeof name, "rank %d of %d, %s: test_net", launch.rank, launch.size, net->name);
    net->close();
    return finish(name);
}
