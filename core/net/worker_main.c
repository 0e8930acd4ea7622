/*
 * worker_main.c - the program cnumeric-worker.
 *
 *   cnumeric-worker                            a rank other than 0
 *   cnumeric-worker --ranks P program ...      any of P ranks: 0 goes on as the program
 *   cnumeric-worker --module any|openmpi|mpich compiles the MPI module if need be, and prints its path
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/launcher.h"
#include "net/net_mpi.h"
#include "net/worker.h"

static int print_module(const char *name)
{
    char path[PATH_MAX];
    cni_mpi_kind kind = strcmp(name, "openmpi") == 0 ? CNI_MPI_OPEN_MPI
                        : strcmp(name, "mpich") == 0 ? CNI_MPI_MPICH
                                                     : CNI_MPI_ANY;
    if (cni_net_mpi_module(kind, path, sizeof path) != CN_OK) {
        fprintf(stderr, "%s\n", cn_error_message());
        return 1;
    }
    puts(path);
    cni_net_mpi_release(path);
    return 0;
}

/* A launcher that this library does not know would make every rank run the program by itself. */
static int run_ranked(long ranks, char **program)
{
    cni_launch launch = cni_launch_find();
    if (launch.size != ranks) {
        fprintf(stderr, "cnumeric-worker: the launcher was asked for %ld processes, but says that this is %d of %d\n",
                ranks, launch.rank, launch.size);
        return 1;
    }
    if (launch.rank > 0) {
        return cni_worker_run();
    }
    execvp(program[0], program);
    fprintf(stderr, "cnumeric-worker: %s cannot be started: %s\n", program[0], strerror(errno));
    return 1;
}

int main(int argc, char **argv)
{
    if (argc > 3 && strcmp(argv[1], "--ranks") == 0) {
        return run_ranked(strtol(argv[2], NULL, 10), argv + 3);
    }
    if (argc == 3 && strcmp(argv[1], "--module") == 0) {
        return print_module(argv[2]);
    }
    return cni_worker_run();
}
