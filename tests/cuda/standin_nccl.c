/*
 * standin_nccl.c - NCCL of the stand-in driver: messages between processes of one machine, each a file in a folder that the
 * communicator's id names. A group's messages are a piece of work of their stream; they go and come when it runs.
 *
 * Of two ranks both ends must agree on the number of messages and on the size of each. STANDIN_NCCL is its version.
 */
#include "standin.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define API STANDIN_API

enum { OK, UNHANDLED = 1, INTERNAL = 3, REMOTE = 6, MOST_RANKS = 64, GROUP_MOST = 4096 };

typedef struct unique_id {
    char folder[128];
} unique_id;

typedef struct communicator {
    char folder[96];
    int rank, ranks;
    uint64_t sent[MOST_RANKS], received[MOST_RANKS]; /* by peer */
    bool lost, aborted;
} communicator;

typedef struct message {
    bool sends, done;
    char *data;
    size_t nbytes;
    int peer;
    uint64_t number;
} message;

typedef struct group {
    communicator *all;
    void *stream;
    int n;
    message messages[];
} group;

static group *open_group;
static char made[96]; /* folder, to be removed */

static void complain(const char *what)
{
    fprintf(stderr, "standin: %s\n", what);
    abort();
}

static void clean(void)
{
    char command[160];
    snprintf(command, sizeof command, "rm -rf %s", made);
    if (system(command) != 0) {
        fprintf(stderr, "standin: %s is left\n", made);
    }
}

API int ncclGetVersion(int *version)
{
    const char *wish = getenv("STANDIN_NCCL");
    *version = wish != NULL ? atoi(wish) : 22705;
    return OK;
}

API int ncclGetUniqueId(unique_id *id)
{
    memset(id, 0, sizeof *id);
    const char *folder = getenv("STANDIN_FOLDER");
    snprintf(made, sizeof made, "%.64s/standin-nccl-XXXXXX", folder != NULL ? folder : "/tmp");
    if (standin_fails("nccl_id") || mkdtemp(made) == NULL) {
        return INTERNAL;
    }
    atexit(clean);
    snprintf(id->folder, sizeof id->folder, "%s", made);
    return OK;
}

/* Waits until all ranks are here. */
API int ncclCommInitRank(communicator **out, int ranks, unique_id id, int rank)
{
    char path[160];
    if (standin_fails("nccl_open") || ranks > MOST_RANKS) {
        return INTERNAL;
    }
    communicator *c = calloc(1, sizeof *c);
    snprintf(c->folder, sizeof c->folder, "%.95s", id.folder);
    c->rank = rank;
    c->ranks = ranks;
    snprintf(path, sizeof path, "%s/here-%d", c->folder, rank);
    fclose(fopen(path, "w"));
    for (int r = 0; r < ranks; r++) {
        snprintf(path, sizeof path, "%s/here-%d", c->folder, r);
        while (access(path, F_OK) != 0) {
            usleep(1000);
        }
    }
    *out = c;
    return OK;
}

API int ncclCommAbort(communicator *c)
{
    c->aborted = true;
    return OK;
}

/* STANDIN_FAIL=nccl_lost:3: from the third group on nothing comes, and this is why. */
API int ncclCommGetAsyncError(const communicator *c, int *error)
{
    *error = c->lost ? REMOTE : OK;
    return OK;
}

/* ---- Messages ---- */

static void path_of(const communicator *c, const message *x, char *path, size_t size)
{
    snprintf(path, size, "%s/%d-%d-%llu", c->folder, x->sends ? c->rank : x->peer, x->sends ? x->peer : c->rank,
             (unsigned long long)x->number);
}

static void send(const communicator *c, const message *x)
{
    char path[160], fresh[176];
    path_of(c, x, path, sizeof path);
    snprintf(fresh, sizeof fresh, "%s.fresh", path);
    FILE *file = fopen(fresh, "w");
    if (file == NULL || fwrite(x->data, 1, x->nbytes, file) != x->nbytes || fclose(file) != 0 ||
        rename(fresh, path) != 0) {
        complain("a message cannot be written");
    }
}

static bool receive(const communicator *c, const message *x)
{
    char path[160];
    struct stat s;
    path_of(c, x, path, sizeof path);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return false;
    }
    if (fstat(fileno(file), &s) != 0 || (size_t)s.st_size != x->nbytes) {
        complain("both ends of a message have other sizes");
    }
    if (fread(x->data, 1, x->nbytes, file) != x->nbytes) {
        complain("a message cannot be read");
    }
    fclose(file);
    unlink(path);
    return true;
}

static bool run(void *context)
{
    group *g = context;
    bool done = true;
    for (int i = 0; i < g->n && !g->all->aborted && !g->all->lost; i++) {
        message *x = &g->messages[i];
        if (x->sends && !x->done) {
            send(g->all, x);
            x->done = true;
        } else if (!x->done) {
            x->done = receive(g->all, x);
        }
        done &= x->done;
    }
    done = g->all->aborted || (done && !g->all->lost);
    if (done) {
        free(g);
    }
    return done;
}

API int ncclGroupStart(void)
{
    if (open_group != NULL) {
        complain("a group in a group");
    }
    open_group = calloc(1, sizeof *open_group + GROUP_MOST * sizeof *open_group->messages);
    return OK;
}

API int ncclGroupEnd(void)
{
    group *g = open_group;
    open_group = NULL;
    if (standin_fails("nccl_group")) {
        return UNHANDLED;
    }
    if (g->n == 0) {
        free(g);
        return OK;
    }
    g->all->lost |= standin_fails("nccl_lost");
    standin_queue(g->stream, run, g);
    return OK;
}

static int add(bool sends, const void *data, size_t count, int type, int peer, communicator *c, void *stream)
{
    group *g = open_group;
    if (g == NULL || g->n == GROUP_MOST || type != 0 || peer == c->rank || peer < 0 || peer >= c->ranks || count == 0) {
        complain("a message that is none");
    }
    if (g->n > 0 && (g->all != c || g->stream != stream)) {
        complain("a group over several communicators");
    }
    g->all = c;
    g->stream = stream;
    uint64_t *number = sends ? &c->sent[peer] : &c->received[peer];
    g->messages[g->n++] = (message){
        .sends = sends, .data = (char *)(uintptr_t)data, .nbytes = count, .peer = peer, .number = (*number)++};
    return OK;
}

API int ncclSend(const void *data, size_t count, int type, int peer, communicator *c, void *stream)
{
    return standin_fails("nccl_send") ? INTERNAL : add(true, data, count, type, peer, c, stream);
}

API int ncclRecv(void *data, size_t count, int type, int peer, communicator *c, void *stream)
{
    return add(false, data, count, type, peer, c, stream);
}
