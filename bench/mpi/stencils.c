/*
 * stencils.c - the examples jacobi, channel_flow and gray_scott by hand, over MPI: the same arithmetic, and rows cut
 * as cNumeric cuts them (multigrid.c: multigrid). One exchange with each neighbour a sweep, no array is read or written more often than it must be.
 *
 *     mpirun -n P stencils NAME SIZE STEPS      prints: seconds a step, sum of the results
 */
#include "grid.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Jacobi ---- */

static double jacobi(long n, int steps)
{
    grid t = grid_make(n), new = grid_make(n);
    for (long j = 0; j < n && t.first == 0; j++) {
        row(&t, 0)[j] = row(&new, 0)[j] = 100;
    }
    for (long j = 0; j < n && t.end == n; j++) {
        row(&t, n - 1)[j] = row(&new, n - 1)[j] = -20;
    }
    for (int step = 1; step <= steps; step++) {
        double change = 0, most;
        halos(&t);
        for (long i = low(&t); i < high(&t); i++) {
            const double *c = row(&t, i), *up = row(&t, i - 1), *down = row(&t, i + 1);
            double *out = row(&new, i);
            for (long j = 1; j < n - 1; j++) {
                out[j] = 0.25 * (c[j - 1] + c[j + 1] + up[j] + down[j]);
            }
            for (long j = 1; j < n - 1 && step % 50 == 0; j++) {
                change = fmax(change, fabs(out[j] - c[j]));
            }
        }
        swap(&t, &new);
        if (step % 50 == 0) {
            MPI_Allreduce(&change, &most, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
            if (most < 1e-6) {
                break;
            }
        }
    }
    double sum = total(&t);
    free(t.data);
    free(new.data);
    return sum;
}

/* ---- Channel flow ---- */

typedef struct channel {
    long n;
    double dx, dt; /* dy = dx */
    grid u, v, p, b, old_u, old_v, old_p;
} channel;

static void source_row(channel *c, long i)
{
    const double *u = row(&c->u, i), *us = row(&c->u, i - 1), *un = row(&c->u, i + 1);
    const double *v = row(&c->v, i), *vs = row(&c->v, i - 1), *vn = row(&c->v, i + 1);
    double *b = row(&c->b, i), dx = c->dx, dt = c->dt;
    long n = c->n;
#define SOURCE(j, w, e)                                                                                                \
    do {                                                                                                               \
        double ux = (u[e] - u[w]) / (2 * dx), uy = (un[j] - us[j]) / (2 * dx);                                         \
        double vx = (v[e] - v[w]) / (2 * dx), vy = (vn[j] - vs[j]) / (2 * dx);                                         \
        b[j] = 1.0 * ((ux + vy) / dt - ux * ux - 2 * (uy * vx) - vy * vy);                                             \
    } while (0)
    for (long j = 1; j < n - 1; j++) {
        SOURCE(j, j - 1, j + 1);
    }
    SOURCE(0, n - 1, 1);
    SOURCE(n - 1, n - 2, 0);
}

static void pressure_sweep(channel *c)
{
    long n = c->n;
    double dx2 = c->dx * c->dx, half = 2 * (dx2 + dx2), source = dx2 * dx2 / half;
    swap(&c->p, &c->old_p);
    halos(&c->old_p);
    for (long i = low(&c->p); i < high(&c->p); i++) {
        const double *o = row(&c->old_p, i), *s = row(&c->old_p, i - 1), *k = row(&c->old_p, i + 1), *b = row(&c->b, i);
        double *p = row(&c->p, i);
#define SWEEP(j, w, e) p[j] = ((o[e] + o[w]) * dx2 + (k[j] + s[j]) * dx2) / half - source * b[j]
        for (long j = 1; j < n - 1; j++) {
            SWEEP(j, j - 1, j + 1);
        }
        SWEEP(0, n - 1, 1);
        SWEEP(n - 1, n - 2, 0);
    }
    if (c->p.first == 0) {
        memcpy(row(&c->p, 0), row(&c->p, 1), (size_t)n * sizeof(double));
    }
    if (c->p.end == n) {
        memcpy(row(&c->p, n - 1), row(&c->p, n - 2), (size_t)n * sizeof(double));
    }
}

static void velocity_row(channel *c, long i)
{
    const double *u = row(&c->old_u, i), *us = row(&c->old_u, i - 1), *un = row(&c->old_u, i + 1);
    const double *v = row(&c->old_v, i), *vs = row(&c->old_v, i - 1), *vn = row(&c->old_v, i + 1);
    const double *p = row(&c->p, i), *ps = row(&c->p, i - 1), *pn = row(&c->p, i + 1);
    double *new_u = row(&c->u, i), *new_v = row(&c->v, i), dx = c->dx, dt = c->dt, nu = 0.1;
    double across = dt / (2 * 1.0 * dx), spread = dt / (dx * dx);
    long n = c->n;
#define VELOCITY(j, w, e)                                                                                              \
    do {                                                                                                               \
        new_u[j] = u[j] - u[j] * dt / dx * (u[j] - u[w]) - v[j] * dt / dx * (u[j] - us[j]) - across * (p[e] - p[w]) +  \
                   nu * (spread * (u[e] - 2 * u[j] + u[w]) + spread * (un[j] - 2 * u[j] + us[j])) + 1.0 * dt;          \
        new_v[j] = v[j] - u[j] * dt / dx * (v[j] - v[w]) - v[j] * dt / dx * (v[j] - vs[j]) -                           \
                   across * (pn[j] - ps[j]) +                                                                          \
                   nu * (spread * (v[e] - 2 * v[j] + v[w]) + spread * (vn[j] - 2 * v[j] + vs[j]));                     \
    } while (0)
    for (long j = 1; j < n - 1; j++) {
        VELOCITY(j, j - 1, j + 1);
    }
    VELOCITY(0, n - 1, 1);
    VELOCITY(n - 1, n - 2, 0);
}

static void channel_step(channel *c)
{
    begin_halos(&c->u, 1);
    begin_halos(&c->v, 2);
    end_halos();
    for (long i = low(&c->u); i < high(&c->u); i++) {
        source_row(c, i);
    }
    for (int sweep = 0; sweep < 50; sweep++) {
        pressure_sweep(c);
    }
    swap(&c->u, &c->old_u);
    swap(&c->v, &c->old_v);
    halos(&c->p); /* u and v have theirs */
    for (long i = low(&c->u); i < high(&c->u); i++) {
        velocity_row(c, i);
    }
}

static double channel_flow(long n, int steps)
{
    channel c = {.n = n, .dx = 2.0 / (double)(n - 1)};
    grid *all[] = {&c.u, &c.v, &c.p, &c.b, &c.old_u, &c.old_v, &c.old_p};
    for (int k = 0; k < 7; k++) {
        *all[k] = grid_make(n);
    }
    c.dt = 0.2 / (0.1 * (1 / (c.dx * c.dx) + 1 / (c.dx * c.dx)));
    for (long i = c.v.first; i < c.v.end; i++) {
        for (long j = 0; j < n; j++) {
            double x = 2.0 * (double)j / (double)(n - 1), y = 2.0 * (double)i / (double)(n - 1);
            row(&c.v, i)[j] = 0.05 * (x * (2.0 - x)) * (y * (2.0 - y));
        }
    }
    for (int step = 0; step < steps; step++) {
        channel_step(&c); /* rows at the walls are zero from the beginning */
    }
    double sum = total(&c.u) + total(&c.p);
    for (int k = 0; k < 7; k++) {
        free(all[k]->data);
    }
    return sum;
}

/* ---- Gray-Scott ---- */

/* Halos, and the first and last row, which are copies of the last but one and the second. */
static void close_rows(const grid *g, int tag)
{
    long n = g->n;
    if (ranks == 1) {
        memcpy(row(g, 0), row(g, n - 2), (size_t)n * sizeof(double));
        memcpy(row(g, n - 1), row(g, 1), (size_t)n * sizeof(double));
        return;
    }
    if (rank == 0) {
        receive_row(g, 0, ranks - 1, tag + 8);
        send_row(g, 1, ranks - 1, tag + 8);
    }
    if (rank == ranks - 1) {
        receive_row(g, n - 1, 0, tag + 8);
        send_row(g, n - 2, 0, tag + 8);
    }
    begin_halos(g, tag);
}

static void reaction_row(const grid *u, const grid *v, const grid *new_u, const grid *new_v, long i)
{
    const double *a = row(u, i), *an = row(u, i - 1), *as = row(u, i + 1);
    const double *b = row(v, i), *bn = row(v, i - 1), *bs = row(v, i + 1);
    double *c = row(new_u, i), *d = row(new_v, i), feed = 0.04, kill = 0.06;
    long n = u->n;
    for (long j = 1; j < n - 1; j++) {
        double reaction = a[j] * b[j] * b[j];
        double da = 0.16 * (an[j] + as[j] + a[j - 1] + a[j + 1] - 4 * a[j]) - reaction + feed * (1 - a[j]);
        double db = 0.08 * (bn[j] + bs[j] + b[j - 1] + b[j + 1] - 4 * b[j]) + reaction - (feed + kill) * b[j];
        c[j] = a[j] + da;
        d[j] = b[j] + db;
    }
    c[0] = c[n - 2];
    c[n - 1] = c[1];
    d[0] = d[n - 2];
    d[n - 1] = d[1];
}

static double gray_scott(long size, int steps)
{
    long n = size + 2, from = size / 2 - size / 10, to = size / 2 + size / 10;
    grid u = grid_make(n), v = grid_make(n), new_u = grid_make(n), new_v = grid_make(n);
    for (long i = u.first; i < u.end; i++) {
        for (long j = 0; j < n; j++) {
            int inside = i >= from && i < to && j >= from && j < to;
            row(&u, i)[j] = inside ? 0.5 : 1;
            row(&v, i)[j] = inside ? 0.25 : 0;
        }
    }
    begin_halos(&u, 1);
    begin_halos(&v, 2);
    end_halos();
    for (int step = 0; step < steps; step++) {
        for (long i = low(&u); i < high(&u); i++) {
            reaction_row(&u, &v, &new_u, &new_v, i);
        }
        close_rows(&new_u, 1);
        close_rows(&new_v, 2);
        end_halos();
        swap(&u, &new_u);
        swap(&v, &new_v);
    }
    double sum = total(&u) + total(&v);
    grid *all[] = {&u, &v, &new_u, &new_v};
    for (int k = 0; k < 4; k++) {
        free(all[k]->data);
    }
    return sum;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        double (*run)(long size, int steps);
    } programs[] = {
        {"jacobi", jacobi}, {"channel_flow", channel_flow}, {"gray_scott", gray_scott}, {"multigrid", multigrid}};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    for (size_t k = 0; argc == 4 && k < sizeof programs / sizeof *programs; k++) {
        if (strcmp(argv[1], programs[k].name) == 0) {
            long size = atol(argv[2]);
            int steps = atoi(argv[3]);
            programs[k].run(size, 1); /* memory and connections */
            MPI_Barrier(MPI_COMM_WORLD);
            double began = MPI_Wtime();
            double sum = programs[k].run(size, steps);
            double seconds = MPI_Wtime() - began, most;
            MPI_Reduce(&seconds, &most, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
            if (rank == 0) {
                printf("{\"seconds\": %.9g, \"sum\": %.17g}\n", most / steps, sum);
            }
        }
    }
    MPI_Finalize();
    return 0;
}
