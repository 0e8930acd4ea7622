/* launcher.h - how this process was started: by whom, as which of how many. */
#ifndef CNI_LAUNCHER_H
#define CNI_LAUNCHER_H

#include <stdbool.h>

typedef enum cni_mpi_kind { CNI_MPI_ANY, CNI_MPI_OPEN_MPI, CNI_MPI_MPICH } cni_mpi_kind;

typedef struct cni_launch {
    int rank, size;
    cni_mpi_kind kind; /* of the launcher, as far as it tells */
} cni_launch;

/* From the launcher's variables. {0, 1}: alone, also if the program, or one that started this one, uses MPI itself. */
cni_launch cni_launch_find(void);

/* Programs that this process starts from now on are no ranks. */
void cni_launch_claim(void);

/* Has this process initialised MPI (a program that uses mpi4py, say)? */
bool cni_mpi_initialised(void);

#endif
