/*
 * fourier_pass.h - passes over planes; included by fourier_body.h.
 *
 * A pass of radix R takes x[q + S (p + m j)] to y[q + S (R p + k)], j and k in [0, R), p in [0, m), q in [0, S): S is the
 * product of the radices before, times the lanes. Vectors go along q, where they are contiguous on both sides. The first
 * pass of a single lane has S = 1: there they go along p, and what is made is turned. Tails are vectors like others: they
 * overlap the ones before, which computes the same again, or write what is written over later.
 */

typedef struct planes {
    double *re, *im;
} planes;

/* ---- Butterflies: R numbers to their transform, in place and in order ---- */

INLINE void butterfly_2(vector *re, vector *im)
{
    vector r = re[0] - re[1], i = im[0] - im[1];
    re[0] += re[1], im[0] += im[1];
    re[1] = r, im[1] = i;
}

INLINE void butterfly_4(vector *re, vector *im)
{
    vector sr = re[0] + re[2], si = im[0] + im[2], dr = re[0] - re[2], di = im[0] - im[2];
    vector tr = re[1] + re[3], ti = im[1] + im[3], er = re[1] - re[3], ei = im[1] - im[3];
    re[0] = sr + tr, im[0] = si + ti;
    re[1] = dr + ei, im[1] = di - er;
    re[2] = sr - tr, im[2] = si - ti;
    re[3] = dr - ei, im[3] = di + er;
}

INLINE void butterfly_8(vector *re, vector *im)
{
    const double half = 0.70710678118654752440;
    vector er[4] = {re[0] + re[4], re[1] + re[5], re[2] + re[6], re[3] + re[7]};
    vector ei[4] = {im[0] + im[4], im[1] + im[5], im[2] + im[6], im[3] + im[7]};
    vector r0 = re[0] - re[4], r1 = re[1] - re[5], r2 = re[2] - re[6], r3 = re[3] - re[7];
    vector i0 = im[0] - im[4], i1 = im[1] - im[5], i2 = im[2] - im[6], i3 = im[3] - im[7];
    butterfly_4(er, ei);
    vector ur = r1 - r3, ui = i1 - i3, vr = r1 + r3, vi = i1 + i3;
    vector pr = half * (ur + vi), pi = half * (ui - vr); /* the odd ones of an eighth: their sum and difference */
    vector mr = half * (vr + ui), mi = half * (vi - ur);
    vector ar = r0 + i2, ai = i0 - r2, br = r0 - i2, bi = i0 + r2;
    re[0] = er[0], im[0] = ei[0];
    re[2] = er[1], im[2] = ei[1];
    re[4] = er[2], im[4] = ei[2];
    re[6] = er[3], im[6] = ei[3];
    re[1] = ar + pr, im[1] = ai + pi;
    re[5] = ar - pr, im[5] = ai - pi;
    re[3] = br + mi, im[3] = bi - mr;
    re[7] = br - mi, im[7] = bi + mr;
}

/* An odd radix: x[j] and x[R - j] are added and subtracted first. */
INLINE void butterfly_odd(int64_t radix, vector *re, vector *im, const double *cosines, const double *sines)
{
    vector sr[CNI_FOURIER_RADIX / 2 + 1], si[CNI_FOURIER_RADIX / 2 + 1], dr[CNI_FOURIER_RADIX / 2 + 1],
        di[CNI_FOURIER_RADIX / 2 + 1];
    vector zr = re[0], zi = im[0], tr = zr, ti = zi;
#pragma GCC unroll 8
    for (int64_t j = 1; j <= radix / 2; j++) {
        sr[j] = re[j] + re[radix - j], si[j] = im[j] + im[radix - j];
        dr[j] = re[j] - re[radix - j], di[j] = im[j] - im[radix - j];
        tr += sr[j], ti += si[j];
    }
    re[0] = tr, im[0] = ti;
#pragma GCC unroll 8
    for (int64_t k = 1; k <= radix / 2; k++) {
        vector ar = zr + cosines[k] * sr[1], ai = zi + cosines[k] * si[1], br = sines[k] * dr[1], bi = sines[k] * di[1];
        int64_t e = k;
#pragma GCC unroll 8
        for (int64_t j = 2; j <= radix / 2; j++) {
            e += k;
            e -= e >= radix ? radix : 0;
            ar += cosines[e] * sr[j], ai += cosines[e] * si[j];
            br += sines[e] * dr[j], bi += sines[e] * di[j];
        }
        re[k] = ar + bi, im[k] = ai - br;
        re[radix - k] = ar - bi, im[radix - k] = ai + br;
    }
}

INLINE void butterfly(int64_t radix, vector *re, vector *im, const double *roots)
{
    if (radix == 2) {
        butterfly_2(re, im);
    } else if (radix == 4) {
        butterfly_4(re, im);
    } else if (radix == 8) {
        butterfly_8(re, im);
    } else {
        butterfly_odd(radix, re, im, roots, roots + radix);
    }
}

/* ---- Passes ---- */

/* One vector of a pass along q: all of a butterfly. c, s: its twiddles, NULL: none. */
INLINE void pass_vector(int64_t radix, const double *roots, const double *c, const double *s, planes from, planes to,
                        int64_t step, int64_t apart)
{
    vector re[CNI_FOURIER_RADIX], im[CNI_FOURIER_RADIX];
    re[0] = load(from.re), im[0] = load(from.im);
#pragma GCC unroll 8
    for (int64_t j = 1; j < radix; j++) {
        re[j] = load(from.re + j * step), im[j] = load(from.im + j * step);
    }
    butterfly(radix, re, im, roots);
    store(to.re, re[0]), store(to.im, im[0]);
#pragma GCC unroll 8
    for (int64_t k = 1; k < radix; k++) {
        vector r = re[k], i = im[k];
        if (c != NULL) {
            re[k] = r * c[k] - i * s[k], im[k] = r * s[k] + i * c[k];
        }
        store(to.re + k * apart, re[k]), store(to.im + k * apart, im[k]);
    }
}

/* All q of one p. */
INLINE void pass_row(int64_t radix, const double *roots, const double *c, const double *s, planes x, planes y,
                     int64_t step, int64_t apart)
{
    pass_vector(radix, roots, c, s, x, y, step, apart);
    for (int64_t q = LANES; q < apart; q += LANES) {
        int64_t at = q + LANES <= apart ? q : apart - LANES;
        planes from = {x.re + at, x.im + at}, to = {y.re + at, y.im + at};
        pass_vector(radix, roots, c, s, from, to, step, apart);
    }
}

INLINE void pass_along(int64_t radix, const cni_fourier_pass *p, int64_t apart, planes x, planes y)
{
    const double *twiddles = p->twiddles, *roots = p->roots;
    int64_t m = p->m, step = apart * m;
    if (m == 1) {
        pass_row(radix, roots, NULL, NULL, x, y, step, apart);
        return;
    }
    for (int64_t i = 0; i < m; i++) {
        double c[CNI_FOURIER_RADIX], s[CNI_FOURIER_RADIX];
#pragma GCC unroll 8
        for (int64_t k = 1; k < radix; k++) {
            c[k] = twiddles[2 * (k - 1) * m + i], s[k] = twiddles[(2 * k - 1) * m + i];
        }
        planes from = {x.re + i * apart, x.im + i * apart}, to = {y.re + i * radix * apart, y.im + i * radix * apart};
        pass_row(radix, roots, c, s, from, to, step, apart);
    }
}

/* Vectors by k to elements by p, then k; count of them. */
INLINE void store_in_turn(int64_t radix, vector *v, int64_t count, double *to)
{
    if (radix <= 8 && (radix & (radix - 1)) == 0 && count == LANES) {
        in_turn(radix, v);
#pragma GCC unroll 8
        for (int64_t k = 0; k < radix; k++) {
            store(to + k * LANES, v[k]);
        }
        return;
    }
    double turned[CNI_FOURIER_RADIX * LANES];
#pragma GCC unroll 8
    for (int64_t k = 0; k < radix; k++) {
        store(turned + k * LANES, v[k]);
    }
    for (int64_t i = 0; i < count; i++) {
#pragma GCC unroll 8
        for (int64_t k = 0; k < radix; k++) {
            to[i * radix + k] = turned[k * LANES + i];
        }
    }
}

/* S = 1 */
INLINE void pass_turned(int64_t radix, const cni_fourier_pass *p, planes x, planes y)
{
    const double *twiddles = p->twiddles, *roots = p->roots;
    int64_t m = p->m, count = m < LANES ? m : LANES;
    for (int64_t first = 0; first < m; first += LANES) {
        int64_t at = first + LANES <= m || m < LANES ? first : m - LANES;
        vector re[CNI_FOURIER_RADIX], im[CNI_FOURIER_RADIX];
        re[0] = load(x.re + at), im[0] = load(x.im + at);
#pragma GCC unroll 8
        for (int64_t j = 1; j < radix; j++) {
            re[j] = load(x.re + at + j * m), im[j] = load(x.im + at + j * m);
        }
        butterfly(radix, re, im, roots);
#pragma GCC unroll 8
        for (int64_t k = 1; k < radix && m > 1; k++) {
            vector r = re[k], i = im[k], c = load(twiddles + 2 * (k - 1) * m + at),
                   s = load(twiddles + (2 * k - 1) * m + at);
            re[k] = r * c - i * s, im[k] = r * s + i * c;
        }
        store_in_turn(radix, re, count, y.re + at * radix);
        store_in_turn(radix, im, count, y.im + at * radix);
    }
}

INLINE void pass(int64_t radix, const cni_fourier_pass *p, int64_t s, planes x, planes y)
{
    if (s == 1) {
        pass_turned(radix, p, x, y);
    } else {
        pass_along(radix, p, s, x, y);
    }
}

#define PASS(radix)                                                                                                    \
    static __attribute__((noinline)) void pass_##radix(const cni_fourier_pass *p, int64_t s, planes x, planes y)       \
    {                                                                                                                  \
        pass(radix, p, s, x, y);                                                                                       \
    }
PASS(2)
PASS(3)
PASS(4)
PASS(5)
PASS(7)
PASS(8)
PASS(11)
PASS(13)
#undef PASS

static __attribute__((noinline)) void pass_any(const cni_fourier_pass *p, int64_t s, planes x, planes y)
{
    pass(p->radix, p, s, x, y);
}

static bool run_passes(const cni_fourier_plan *plan, int64_t s, planes a, planes b)
{
    static void (*const passes[14])(const cni_fourier_pass *p, int64_t s, planes x,
                                    planes y) = {[2] = pass_2, [3] = pass_3, [4] = pass_4,   [5] = pass_5,
                                                 [7] = pass_7, [8] = pass_8, [11] = pass_11, [13] = pass_13};
    bool in_b = false;
    for (int i = 0; i < plan->npasses; i++, in_b = !in_b) {
        const cni_fourier_pass *p = &plan->passes[i];
        planes x = in_b ? b : a, y = in_b ? a : b;
        if (p->radix < 14 && passes[p->radix] != NULL) {
            passes[p->radix](p, s, x, y);
        } else {
            pass_any(p, s, x, y);
        }
        s *= p->radix;
    }
    return in_b;
}

/* ---- Bluestein ---- */

/* x *= table, element by element of so many lanes. */
static void times(planes x, int64_t n, int64_t lanes, const double *cosines, const double *sines)
{
    for (int64_t i = 0; i < n; i++) {
        double c = cosines[i], s = sines[i], *restrict re = x.re + i * lanes, *restrict im = x.im + i * lanes;
        for (int64_t l = 0; l < lanes; l++) {
            double r = re[l] * c - im[l] * s, j = re[l] * s + im[l] * c;
            re[l] = r, im[l] = j;
        }
    }
}

static void times_one(planes x, int64_t n, const double *restrict c, const double *restrict s)
{
    double *restrict re = x.re, *restrict im = x.im;
    for (int64_t i = 0; i < n; i++) {
        double r = re[i] * c[i] - im[i] * s[i], j = re[i] * s[i] + im[i] * c[i];
        re[i] = r, im[i] = j;
    }
}

static void times_table(planes x, int64_t n, int64_t lanes, const double *table, int64_t entries)
{
    const double *c = table, *s = c + entries + CNI_FOURIER_PAD;
    if (lanes == 1) {
        times_one(x, n, c, s);
    } else {
        times(x, n, lanes, c, s);
    }
}

static bool run_chirp(const cni_fourier_plan *plan, int64_t lanes, planes a, planes b)
{
    int64_t n = plan->n, m = plan->convolution->n;
    times_table(a, n, lanes, plan->chirp, n);
    memset(a.re + n * lanes, 0, (size_t)((m - n) * lanes) * sizeof(double));
    memset(a.im + n * lanes, 0, (size_t)((m - n) * lanes) * sizeof(double));
    bool in_b = run_passes(plan->convolution, lanes, a, b);
    planes x = in_b ? b : a, y = in_b ? a : b;
    times_table(x, m, lanes, plan->spectrum, m);
    in_b ^= run_passes(plan->convolution, lanes, (planes){x.im, x.re}, (planes){y.im, y.re});
    times_table(in_b ? b : a, n, lanes, plan->chirp, n);
    return in_b;
}

static bool run(const cni_fourier_plan *plan, int64_t lanes, planes a, planes b)
{
    return plan->way == CNI_FOURIER_CHIRP ? run_chirp(plan, lanes, a, b) : run_passes(plan, lanes, a, b);
}

static bool run_planes(const cni_fourier_plan *plan, int lanes, double *a_re, double *a_im, double *b_re, double *b_im)
{
    return run(plan, lanes, (planes){a_re, a_im}, (planes){b_re, b_im});
}
