/* grid.h - square grids cut into slabs of rows, as cNumeric cuts them, with a row more on each side. */
#ifndef GRID_H
#define GRID_H

#include <mpi.h>

extern int rank, ranks;

/* This rank has rows [first, end) of n. */
typedef struct grid {
    long n, first, end;
    double *data;
} grid;

long begin_of(long rows, int place);
grid grid_make(long n);
grid grid_make_rows(long n, long first, long end);
void swap(grid *a, grid *b);

static inline double *row(const grid *g, long i)
{
    return g->data + (i - g->first + 1) * g->n;
}

/* Inner rows of this rank: [low, high). */
static inline long low(const grid *g)
{
    return g->first > 1 ? g->first : 1;
}

static inline long high(const grid *g)
{
    return g->end < g->n - 1 ? g->end : g->n - 1;
}

/* Exchanges are begun, any number of them with tags of their own, and ended together. */
void send_row(const grid *g, long i, int peer, int tag);
void receive_row(const grid *g, long i, int peer, int tag);
void begin_halos(const grid *g, int tag);
void end_halos(void);
void halos(const grid *g);

double total(const grid *g);

double multigrid(long n, int steps);

#endif
