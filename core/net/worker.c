/* worker.c - see worker.h. */
#include "net/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/status.h"
#include "exec/net.h"
#include "net/greeting.h"
#include "net/launcher.h"
#include "net/net_mpi.h"
#include "net/telling.h"

/* Ctrl-C and what the driver makes of it concern the program, which ends the workers; its input is not theirs. */
static void become_deaf(void)
{
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    signal(SIGINT, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    if (nothing > 0) {
        dup2(nothing, STDIN_FILENO);
        close(nothing);
    }
    prctl(PR_SET_TIMERSLACK, 5000UL, 0UL, 0UL, 0UL); /* short waits for the next entry are meant to be short */
}

/* Tests make the n-th allocation of the workers fail. */
static void fault_read(void)
{
    const char *nth = getenv("CNUMERIC_WORKER_FAULT");
    cn_fault_set(nth != NULL ? strtoull(nth, NULL, 10) : 0);
}

/* What rank 0 would warn of. */
static void tell_notices(const cni_net *net)
{
    for (const char *notice = cn_notice_take(); notice != NULL; notice = cn_notice_take()) {
        fprintf(stderr, "%s (rank %d)\n", notice, net->rank);
    }
}

static cn_status follow_log(const cni_net *net)
{
    const void *entry;
    int64_t nbytes;
    CN_TRY(cni_greeting_receive(net));
    fault_read();
    for (bool stop = false; !stop;) {
        CN_TRY(net->log_receive(&entry, &nbytes));
        CN_TRY(cni_log_apply(entry, nbytes, &stop));
        tell_notices(net);
    }
    return CN_OK;
}

int cni_worker_run(void)
{
    const cni_net *opened;
    static cni_net net;
    cni_launch launch = cni_launch_find();
    if (launch.rank == 0) {
        fputs("cnumeric-worker: this is started for every rank but the first of a program that uses cnumeric, by\n"
              "`cnumeric run` or by the program's import under mpirun, not by hand\n",
              stderr);
        return 2;
    }
    become_deaf();
    if (cni_net_mpi_open(&launch, &opened) != CN_OK) {
        fprintf(stderr, "cnumeric: rank %d of %d: %s\n", launch.rank, launch.size, cn_error_message());
        return 1;
    }
    cni_launch_claim();
    net = *opened;
    cni_net_tell(&net);
    cni_process_net = &net;
    if (follow_log(&net) != CN_OK) {
        net.abort(cn_error_message());
    }
    net.close();
    cn_close();
    return 0;
}
