/*
 * net_open.c - rank 0's beginning and end of the net, and how the other ranks become workers.
 *
 * Every rank starts as the program or, started by `cnumeric run`, as the worker. The first entry of the log is rank 0's
 * greeting: the library's version, settings and BLAS, which must be the same everywhere, since all ranks plan alike.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/settings.h"
#include "base/status.h"
#include "exec/info.h"
#include "exec/net.h"
#include "net/greeting.h"
#include "net/launcher.h"
#include "net/net_mpi.h"
#include "net/telling.h"

static cni_net opened; /* others may keep its address */
static bool is_open;

/* ---- Becoming a worker ---- */

/* The worker lies beside the library or, for a program that holds the library, beside the program. */
static void exec_worker(void)
{
    Dl_info info;
    char path[PATH_MAX] = "";
    char *const argv[] = {"cnumeric-worker", NULL};
    if (dladdr((void *)(uintptr_t)cn_net_join, &info) != 0 && realpath(info.dli_fname, path) != NULL) {
        snprintf(strrchr(path, '/'), 32, "/cnumeric-worker");
        execv(path, argv);
    }
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 32);
    if (length > 0) {
        path[length] = '\0';
        snprintf(strrchr(path, '/'), 32, "/cnumeric-worker");
        execv(path, argv);
    }
    execvp(argv[0], argv);
}

void cn_net_join(void)
{
    cni_launch launch = cni_launch_find();
    if (launch.rank > 0) {
        exec_worker();
        fprintf(stderr, "cnumeric: rank %d: cnumeric-worker cannot be started: %s\n", launch.rank, strerror(errno));
        _exit(1);
    }
}

/* ---- Where there is no net any more ---- */

static const char *refusal; /* why */

static cn_status refuse(void)
{
    return cni_fail(CN_ERROR_INTERNAL, "%s", refusal);
}

static cn_status refuse_send(const void *entry, int64_t nbytes)
{
    (void)entry;
    (void)nbytes;
    return refuse();
}

static cn_status refuse_exchange(int nreceives, const cni_message *receives, int nsends, const cni_message *sends)
{
    (void)nreceives;
    (void)receives;
    (void)nsends;
    (void)sends;
    return refuse();
}

static cn_status refuse_agree(uint32_t mine, uint32_t *all)
{
    (void)mine;
    (void)all;
    return refuse();
}

static cn_status refuse_gather(const void *mine, int64_t nbytes, void *all)
{
    (void)mine;
    (void)nbytes;
    (void)all;
    return refuse();
}

static void refuse_all(const char *why)
{
    refusal = why;
    is_open = false;
    opened.log_send = refuse_send;
    opened.exchange_begin = refuse_exchange;
    opened.exchange_end = refuse;
    opened.agree = refuse_agree;
    opened.gather = refuse_gather;
}

static void forked(void)
{
    if (is_open) {
        refuse_all("a forked process cannot use arrays that are distributed over MPI");
    }
}

/* ---- Rank 0 ---- */

cn_status cn_net_open(void)
{
    const cni_net *net;
    cn_net_join();
    cni_launch launch = cni_launch_find();
    if (is_open || launch.size == 1) {
        return CN_OK;
    }
    cn_status status = cni_net_mpi_open(&launch, &net);
    if (status != CN_OK) {
        char reason[400];
        snprintf(reason, sizeof reason, "%s", cn_error_message());
        return cni_fail(status, "launched as rank %d of %d, but %s", launch.rank, launch.size, reason);
    }
    cni_launch_claim();
    pthread_atfork(NULL, NULL, forked);
    opened = *net;
    cni_net_tell(&opened);
    is_open = true;
    cni_process_net = &opened;
    return cni_greeting_send(&opened);
}

cn_status cn_net_close(void)
{
    if (!is_open) {
        return CN_OK;
    }
    cn_status status = cn_synchronize();
    cn_status sent = opened.log_send(NULL, 0);
    opened.close();
    refuse_all("the other processes have ended");
    return status != CN_OK ? status : sent;
}

int cn_net_rank(void)
{
    return cni_process_net->rank;
}

int cn_net_size(void)
{
    return cni_process_net->size;
}

const char *cni_net_description(void)
{
    static char text[PATH_MAX + 64];
    if (is_open) {
        snprintf(text, sizeof text, "%s, %d ranks", cni_process_net->name, cni_process_net->size);
        return text;
    }
    const char *compiler = cni_net_mpi_compiler(CNI_MPI_ANY);
    if (compiler[0] == '\0') {
        return "none (no mpicc on the PATH)";
    }
    snprintf(text, sizeof text, "not in use; %s", compiler);
    return text;
}
