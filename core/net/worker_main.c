/*
 * worker_main.c - the program cnumeric-worker.
 *
 *   cnumeric-worker                            a rank other than 0
 *   cnumeric-worker --module any|openmpi|mpich compiles the MPI module if need be, and prints its path
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

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

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--module") == 0) {
        return print_module(argv[2]);
    }
    return cni_worker_run();
}
