/*
 * mpi_module.h - between the library and its MPI module: a library of its own, compiled with the mpicc of the MPI that
 * launched the program, so that one installed package works with any.
 */
#ifndef CNI_MPI_MODULE_H
#define CNI_MPI_MODULE_H

#include <stddef.h>

#include "exec/net.h"

/* What the library gives to the module. */
typedef struct cni_mpi_host {
    int rank, size;       /* as the launcher says */
    int64_t message_most; /* bytes; larger messages travel in pieces */
    int64_t progress;     /* microseconds until messages are seen to by another thread; 0: none does */
    uint64_t *carried;    /* counts exchanges that it saw to their end; the thread's that executes */
    void *(*resize)(void *memory, size_t size);
    void (*release)(void *memory);
    cn_status (*fail)(cn_status code, const char *format, ...);
} cni_mpi_host;

/* The module's one function: initialises MPI. host stays the caller's, and is used as long as the net is. */
#define CNI_MPI_MODULE_OPEN "cni_mpi_module_open"
typedef cn_status cni_mpi_module_open_function(const cni_mpi_host *host, const cni_net **net);

#endif
