/* net_mpi.h - the MPI module: found in the cache or compiled, and loaded. */
#ifndef CNI_NET_MPI_H
#define CNI_NET_MPI_H

#include "exec/net.h"
#include "net/launcher.h"

/* The module's path, compiled if need be; fails with what to do about it. */
cn_status cni_net_mpi_module(cni_mpi_kind kind, char *path, size_t size);

/* For a path that cni_net_mpi_module gave: removes what was made for this process alone. */
void cni_net_mpi_release(char *path);

/* Initialises MPI and gives its net. */
cn_status cni_net_mpi_open(const cni_launch *launch, const cni_net **net);

/* The compiler wrapper that would be tried first, "" if there is none. */
const char *cni_net_mpi_compiler(cni_mpi_kind kind);

#endif
