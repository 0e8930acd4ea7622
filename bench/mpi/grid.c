/* grid.c - see grid.h. */
#include "grid.h"

#include <stdlib.h>

int rank, ranks;

/* ---- Rows ---- */

long begin_of(long rows, int place)
{
    int many = rows / ranks >= 64;
    long shared = many ? (rows + 8) / 16 * 16 : rows, step = many ? 8 : 1;
    return place >= ranks ? rows : shared * place / ranks / step * step;
}

grid grid_make_rows(long n, long first, long end)
{
    grid g = {n, first, end, calloc((size_t)((end - first + 2) * n), sizeof *g.data)};
    if (g.data == NULL) {
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    return g;
}

grid grid_make(long n)
{
    return grid_make_rows(n, begin_of(n, rank), begin_of(n, rank + 1));
}

void swap(grid *a, grid *b)
{
    grid c = *a;
    *a = *b;
    *b = c;
}

static MPI_Request requests[32];
static int nrequests;

void send_row(const grid *g, long i, int peer, int tag)
{
    MPI_Isend(row(g, i), (int)g->n, MPI_DOUBLE, peer, tag, MPI_COMM_WORLD, &requests[nrequests++]);
}

void receive_row(const grid *g, long i, int peer, int tag)
{
    MPI_Irecv(row(g, i), (int)g->n, MPI_DOUBLE, peer, tag, MPI_COMM_WORLD, &requests[nrequests++]);
}

void begin_halos(const grid *g, int tag)
{
    if (rank > 0) {
        receive_row(g, g->first - 1, rank - 1, tag);
        send_row(g, g->first, rank - 1, tag);
    }
    if (rank < ranks - 1) {
        receive_row(g, g->end, rank + 1, tag);
        send_row(g, g->end - 1, rank + 1, tag);
    }
}

void end_halos(void)
{
    MPI_Waitall(nrequests, requests, MPI_STATUSES_IGNORE);
    nrequests = 0;
}

void halos(const grid *g)
{
    begin_halos(g, 0);
    end_halos();
}

double total(const grid *g)
{
    double sum = 0, all;
    for (long i = 0; i < (g->end - g->first) * g->n; i++) {
        sum += row(g, g->first)[i];
    }
    MPI_Allreduce(&sum, &all, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    return all;
}
