/*
 * multigrid.c - the example multigrid by hand, over MPI. Coarse rows belong to who has the fine ones beneath; once a rank
 * would have few of them, the root has all, and goes on alone.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "grid.h"

enum { LEVELS = 32, ROWS_LEAST = 16, SWEEPS = 2 };

typedef struct level {
    long n;
    int alone; /* the root has all of it */
    grid u, f, next, r;
    grid part;            /* alone: what a rank makes or needs of f and u */
    int *counts, *begins; /* alone: elements of all ranks' parts */
} level;

static level levels[LEVELS];

static void level_halos(const level *l, const grid *g)
{
    if (!l->alone) {
        halos(g);
    }
}

/* ---- Sweeps ---- */

static void smooth(level *l)
{
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        level_halos(l, &l->u);
        for (long i = low(&l->u); i < high(&l->u); i++) {
            const double *u = row(&l->u, i), *n = row(&l->u, i - 1), *s = row(&l->u, i + 1), *f = row(&l->f, i);
            double *out = row(&l->next, i);
            for (long j = 1; j < l->n - 1; j++) {
                out[j] = 0.2 * u[j] + 0.2 * (f[j] + n[j] + s[j] + u[j - 1] + u[j + 1]);
            }
        }
        swap(&l->u, &l->next);
    }
}

static void residual(level *l)
{
    level_halos(l, &l->u);
    for (long i = low(&l->u); i < high(&l->u); i++) {
        const double *u = row(&l->u, i), *n = row(&l->u, i - 1), *s = row(&l->u, i + 1), *f = row(&l->f, i);
        double *r = row(&l->r, i);
        for (long j = 1; j < l->n - 1; j++) {
            r[j] = f[j] - (4 * u[j] - n[j] - s[j] - u[j - 1] - u[j + 1]);
        }
    }
    level_halos(l, &l->r);
}

/* ---- From level to level ---- */

static void restrict_to(const level *fine, const grid *coarse)
{
    for (long i = low(coarse); i < high(coarse); i++) {
        const double *a = row(&fine->r, 2 * i - 1), *b = row(&fine->r, 2 * i), *c = row(&fine->r, 2 * i + 1);
        double *f = row(coarse, i);
        for (long j = 1; j < coarse->n - 1; j++) {
            double west = a[2 * j - 1] + 2 * b[2 * j - 1] + c[2 * j - 1], middle = a[2 * j] + 2 * b[2 * j] + c[2 * j];
            double east = a[2 * j + 1] + 2 * b[2 * j + 1] + c[2 * j + 1];
            f[j] = 0.25 * (west + 2 * middle + east);
        }
    }
}

static void prolong(const grid *e, level *fine)
{
    for (long i = fine->u.first; i < fine->u.end; i++) {
        const double *a = row(e, i / 2), *b = row(e, (i + 1) / 2);
        double *u = row(&fine->u, i);
        for (long j = 0; j < e->n; j++) {
            u[2 * j] += i % 2 == 0 ? a[j] : 0.5 * (a[j] + b[j]);
        }
        for (long j = 0; j < e->n - 1; j++) {
            u[2 * j + 1] += i % 2 == 0 ? 0.5 * (a[j] + a[j + 1]) : 0.25 * (a[j] + b[j] + a[j + 1] + b[j + 1]);
        }
    }
}

static void clear(const grid *g)
{
    memset(g->data, 0, (size_t)((g->end - g->first + 2) * g->n) * sizeof(double));
}

static void cycle(level *l);

/* The next level is the root's alone: it gets the right side from all, and gives all the correction. */
static void cycle_at_root(level *l)
{
    grid *part = &l->part;
    int mine = l->counts[rank];
    double *f = rank == 0 ? row(&l->f, 0) : NULL;
    MPI_Gatherv(row(part, part->first), mine, MPI_DOUBLE, f, l->counts, l->begins, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    if (rank == 0) {
        clear(&l->u);
        cycle(l);
    }
    double *u = rank == 0 ? row(&l->u, 0) : NULL;
    MPI_Scatterv(u, l->counts, l->begins, MPI_DOUBLE, row(part, part->first), mine, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    halos(part);
}

static void cycle(level *l)
{
    smooth(l);
    if (l->n > 5) {
        level *coarse = l + 1;
        int first_alone = coarse->alone && !l->alone;
        residual(l);
        restrict_to(l, first_alone ? &coarse->part : &coarse->f);
        if (first_alone) {
            cycle_at_root(coarse);
        } else {
            clear(&coarse->u);
            cycle(coarse);
            level_halos(coarse, &coarse->u);
        }
        prolong(first_alone ? &coarse->part : &coarse->u, l);
    }
    smooth(l);
}

/* ---- Levels ---- */

static long halved(long row_number, int times)
{
    return (row_number + (1L << times) - 1) >> times;
}

static void level_make(level *l, long finest, int depth)
{
    long first = halved(begin_of(finest, rank), depth), end = halved(begin_of(finest, rank + 1), depth);
    *l = (level){.n = ((finest - 1) >> depth) + 1};
    end = rank == ranks - 1 ? l->n : end;
    l->alone = ranks > 1 && depth > 0 && l->n / ranks < ROWS_LEAST;
    if (l->alone) {
        l->part = grid_make_rows(l->n, first, end);
        l->counts = calloc(2 * (size_t)ranks, sizeof *l->counts);
        l->begins = l->counts + ranks;
        for (int k = 0; k < ranks; k++) {
            long from = halved(begin_of(finest, k), depth);
            long to = k == ranks - 1 ? l->n : halved(begin_of(finest, k + 1), depth);
            l->begins[k] = (int)(from * l->n);
            l->counts[k] = (int)((to - from) * l->n);
        }
        first = rank == 0 ? 0 : l->n;
        end = l->n;
    }
    grid *grids[] = {&l->u, &l->f, &l->next, &l->r};
    for (int k = 0; k < 4; k++) {
        *grids[k] = grid_make_rows(l->n, first, end);
    }
}

static void level_free(level *l)
{
    free(l->u.data);
    free(l->f.data);
    free(l->next.data);
    free(l->r.data);
    free(l->part.data);
    free(l->counts);
}

double multigrid(long n, int steps)
{
    int depth = 0;
    do {
        level_make(&levels[depth], n, depth);
    } while (levels[depth++].n > 5);
    level *finest = &levels[0];
    for (long i = finest->f.first; i < finest->f.end; i++) {
        for (long j = 0; j < n; j++) {
            double x = (double)j / (double)(n - 1) - 0.3, y = (double)i / (double)(n - 1) - 0.6;
            row(&finest->f, i)[j] = exp(-50 * (x * x + y * y)) / ((double)(n - 1) * (double)(n - 1));
        }
    }
    for (int step = 0; step < steps; step++) {
        cycle(finest);
    }
    residual(finest);
    double sum = total(&finest->u);
    for (int k = 0; k < depth; k++) {
        level_free(&levels[k]);
    }
    return sum;
}
