/*
 * standin_fft.c - cuFFT on the processor: sums as they are defined, an axis after the other. As cuFFT may, a transform to real
 * numbers leaves its input spoilt.
 */
#include "standin.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#define API STANDIN_API

enum { PLANS = 64, AXES = 3, FORWARD = -1, INVERSE = 1 };

typedef double complex number;

typedef struct plan {
    bool used, set;
    int naxes, type;
    long long n[AXES], in[AXES], out[AXES], in_step, in_distance, out_step, out_distance, batch;
    void *memory, *stream;
} plan;

static plan plans[PLANS];

API int cufftCreate(int *number_of)
{
    for (int i = 0; i < PLANS; i++) {
        if (!plans[i].used) {
            plans[i] = (plan){.used = true};
            *number_of = i;
            return 0;
        }
    }
    return 1;
}

API int cufftDestroy(int p)
{
    plans[p] = (plan){.used = false};
    return 0;
}

API int cufftSetStream(int p, void *stream)
{
    plans[p].stream = stream;
    return 0;
}

API int cufftSetAutoAllocation(int p, int its_own)
{
    (void)p;
    return its_own == 0 ? 0 : 1;
}

API int cufftSetWorkArea(int p, void *memory)
{
    plans[p].memory = memory;
    return memory != NULL ? 0 : 1;
}

API int cufftMakePlanMany64(int number_of, int rank, long long *n, long long *in, long long in_step,
                            long long in_distance, long long *out, long long out_step, long long out_distance, int type,
                            long long batch, size_t *work)
{
    plan *p = &plans[number_of];
    *p = (plan){.used = true,
                .set = true,
                .naxes = rank,
                .type = type,
                .in_step = in_step,
                .in_distance = in_distance,
                .out_step = out_step,
                .out_distance = out_distance,
                .batch = batch};
    for (int d = 0; d < rank; d++) {
        p->n[d] = n[d];
        p->in[d] = in[d];
        p->out[d] = out[d];
    }
    *work = 4096;
    return standin_fails("fft") ? 5 : 0;
}

/* ---- One transform ---- */

static void line(number *x, long long n, long long step, int direction)
{
    number *sums = malloc((size_t)n * sizeof *sums);
    for (long long k = 0; k < n; k++) {
        sums[k] = 0;
        for (long long j = 0; j < n; j++) {
            sums[k] += x[j * step] * cexp(direction * 2 * acos(-1) * I * (double)(j * k % n) / (double)n);
        }
    }
    for (long long k = 0; k < n; k++) {
        x[k * step] = sums[k];
    }
    free(sums);
}

static long long count(const plan *p)
{
    long long n = 1;
    for (int d = 0; d < p->naxes; d++) {
        n *= p->n[d];
    }
    return n;
}

static void all_axes(const plan *p, number *x, int direction)
{
    long long total = count(p), step = 1;
    for (int d = p->naxes - 1; d >= 0; d--) {
        for (long long i = 0; i < total; i++) {
            if (i / step % p->n[d] == 0) {
                line(x + i, p->n[d], step, direction);
            }
        }
        step *= p->n[d];
    }
}

/* The place in memory of element i of the whole, or -1 if it is in the half that is not there; mirror: of its conjugate. */
static long long place_of(const plan *p, const long long *extents, long long i, bool mirror)
{
    long long place = 0, step = 1;
    for (int d = p->naxes - 1; d >= 0; d--) {
        long long k = i % p->n[d];
        k = mirror ? (p->n[d] - k) % p->n[d] : k;
        if (k >= extents[d]) {
            return -1;
        }
        place += k * step;
        step *= extents[d];
        i /= p->n[d];
    }
    return place;
}

static number load(const void *from, long long i, bool real, bool single)
{
    const float *f = from;
    const double *d = from;
    if (real) {
        return single ? f[i] : d[i];
    }
    return single ? CMPLX(f[2 * i], f[2 * i + 1]) : CMPLX(d[2 * i], d[2 * i + 1]);
}

static void store(void *to, long long i, number x, bool real, bool single)
{
    float *f = to;
    double *d = to;
    if (real && single) {
        f[i] = (float)creal(x);
    } else if (real) {
        d[i] = creal(x);
    } else if (single) {
        f[2 * i] = (float)creal(x);
        f[2 * i + 1] = (float)cimag(x);
    } else {
        d[2 * i] = creal(x);
        d[2 * i + 1] = cimag(x);
    }
}

typedef struct call {
    const plan *p;
    void *from, *to;
    int direction;
    bool single, from_real, to_real;
} call;

static void one(const call *c, long long k)
{
    const plan *p = c->p;
    long long total = count(p), from = k * p->in_distance, to = k * p->out_distance;
    number *x = malloc((size_t)total * sizeof *x);
    for (long long i = 0; i < total; i++) {
        long long place = place_of(p, p->in, i, false);
        bool other = place < 0;
        place = other ? place_of(p, p->in, i, true) : place;
        number value = load(c->from, from + place * p->in_step, c->from_real, c->single);
        x[i] = other ? conj(value) : value;
    }
    all_axes(p, x, c->direction);
    for (long long i = 0; i < total && c->to_real; i++) { /* spoils the input */
        long long place = place_of(p, p->in, i, false);
        if (place >= 0) {
            store(c->from, from + place * p->in_step, -1e30, false, c->single);
        }
    }
    for (long long i = 0; i < total; i++) {
        long long place = place_of(p, p->out, i, false);
        if (place >= 0) {
            store(c->to, to + place * p->out_step, x[i], c->to_real, c->single);
        }
    }
    free(x);
}

static int run(void *context)
{
    const call *c = context;
    if (!c->p->set || c->p->memory == NULL) {
        return 1;
    }
    for (long long k = 0; k < c->p->batch; k++) {
        one(c, k);
    }
    return 0;
}

API int cufftExecC2C(int p, void *from, void *to, int direction)
{
    return standin_now(plans[p].stream, run, &(call){&plans[p], from, to, direction, true, false, false});
}

API int cufftExecZ2Z(int p, void *from, void *to, int direction)
{
    return standin_now(plans[p].stream, run, &(call){&plans[p], from, to, direction, false, false, false});
}

API int cufftExecR2C(int p, void *from, void *to)
{
    return standin_now(plans[p].stream, run, &(call){&plans[p], from, to, FORWARD, true, true, false});
}

API int cufftExecD2Z(int p, void *from, void *to)
{
    return standin_now(plans[p].stream, run, &(call){&plans[p], from, to, FORWARD, false, true, false});
}

API int cufftExecC2R(int p, void *from, void *to)
{
    return standin_now(plans[p].stream, run, &(call){&plans[p], from, to, INVERSE, true, false, true});
}

API int cufftExecZ2D(int p, void *from, void *to)
{
    return standin_now(plans[p].stream, run, &(call){&plans[p], from, to, INVERSE, false, false, true});
}
