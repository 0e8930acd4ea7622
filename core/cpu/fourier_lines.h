/*
 * fourier_lines.h - some short lines: from memory to planes, transformed, and back; included by fourier_body.h.
 */

/* ---- Into planes ---- */

/* Numbers from each line to the next, of lines that are runs of doubles and lie evenly; 0: others. */
static int64_t apart_of(const some *x, int64_t apart, int64_t stride, int64_t size)
{
    const int64_t number = sizeof(double);
    return x->job->number == number && stride == size && apart % number == 0 ? apart / number : 0;
}

static void load_complex(const some *x, int64_t count, planes to)
{
    int64_t apart = apart_of(x, x->at->in_apart, x->job->in_stride, x->job->in_size);
    if (apart != 0) {
        load_turned((const double *)(const void *)x->at->in[0], apart, count, x->lanes, to.re, to.im);
    } else if (x->job->number == sizeof(double)) {
        load_complex_f64(x, count, to);
    } else {
        load_complex_f32(x, count, to);
    }
}

static void load_real(const some *x, int64_t count, int64_t first, int64_t step, double *to)
{
    if (x->job->number == sizeof(double)) {
        load_real_f64(x, count, first, step, to);
    } else {
        load_real_f32(x, count, first, step, to);
    }
}

static void clear(planes to, int64_t from, int64_t end)
{
    memset(to.re + from, 0, (size_t)(end - from) * sizeof(double));
    memset(to.im + from, 0, (size_t)(end - from) * sizeof(double));
}

static void negate(double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] = -x[i];
    }
}

/* Real lines: of an even number as pairs. */
static void load_numbers(const some *x, bool pairs, planes to)
{
    int64_t have = x->job->have, count = pairs ? (have + 1) / 2 : have;
    clear(to, (count > 0 ? count - 1 : 0) * x->lanes, x->n * x->lanes);
    int64_t apart = apart_of(x, x->at->in_apart, x->job->in_stride, x->job->in_size);
    bool run = x->lanes == 1 && x->job->in_stride == x->job->in_size;
    if (pairs && (run || apart != 0)) {
        if (apart != 0) {
            load_turned((const double *)(const void *)x->at->in[0], apart, have / 2, x->lanes, to.re, to.im);
        } else if (x->job->number == sizeof(double)) {
            load_pairs_f64((const double *)(const void *)x->at->in[0], have / 2, to.re, to.im);
        } else {
            load_pairs_f32((const float *)(const void *)x->at->in[0], have / 2, to.re, to.im);
        }
        if (have % 2 != 0) {
            load_real(x, 1, have - 1, 1, to.re + have / 2 * x->lanes);
        }
    } else if (pairs) {
        load_real(x, count, 0, 2, to.re);
        load_real(x, have / 2, 1, 2, to.im);
    } else {
        load_real(x, have, 0, 1, to.re);
        clear((planes){to.im, to.im}, 0, x->n * x->lanes);
    }
}

/* ---- Halves of a spectrum: elements k and h - k of a transform of h pairs ---- */

typedef struct pair {
    vector ar, ai, br, bi;
} pair;

/* To X[k] and X[h - k]. */
INLINE pair halve(pair z, vector wr, vector wi)
{
    vector er = 0.5 * (z.ar + z.br), ei = 0.5 * (z.ai - z.bi), or = 0.5 * (z.ai + z.bi), oi = 0.5 * (z.br - z.ar);
    vector tr = wr * or -wi * oi, ti = wr * oi + wi * or ;
    return (pair){er + tr, ei + ti, er - tr, ti - ei};
}

/* From them. */
INLINE pair unhalve(pair x, vector wr, vector wi)
{
    vector er = x.ar + x.br, ei = x.ai - x.bi, dr = x.ar - x.br, di = x.ai + x.bi;
    vector or = dr * wr + di * wi, oi = di * wr - dr * wi;
    return (pair){er - oi, ei + or, er + oi, or -ei};
}

INLINE pair turn(bool back, pair p, vector wr, vector wi)
{
    return back ? unhalve(p, wr, wi) : halve(p, wr, wi);
}

/* e / n turns backwards; e + i for element i of the vectors. */
INLINE void root(const cni_fourier_roots *r, int64_t e, double *c, double *s)
{
    const double *low = r->low, *high = r->high;
    if (high == NULL) {
        *c = low[e], *s = low[r->low_room + e];
        return;
    }
    int64_t l = e & ((INT64_C(1) << r->shift) - 1), h = e >> r->shift;
    double lc = low[l], ls = low[r->low_room + l], hc = high[h], hs = high[r->high_room + h];
    *c = lc * hc - ls * hs, *s = lc * hs + ls * hc;
}

/* Numbers a and b of the planes, with one root: vectors of lanes, or one. */
INLINE void pair_vector(bool back, planes z, int64_t a, int64_t b, double c, double s)
{
    pair p = {load(z.re + a), load(z.im + a), load(z.re + b), load(z.im + b)};
    p = turn(back, p, splat(c), splat(s));
    store(z.re + a, p.ar), store(z.im + a, p.ai);
    store(z.re + b, p.br), store(z.im + b, p.bi);
}

INLINE void pair_number(bool back, planes z, int64_t a, int64_t b, double c, double s)
{
    pair p = {{z.re[a]}, {z.im[a]}, {z.re[b]}, {z.im[b]}};
    p = turn(back, p, (vector){c}, (vector){s});
    z.re[a] = p.ar[0], z.im[a] = p.ai[0];
    z.re[b] = p.br[0], z.im[b] = p.bi[0];
}

INLINE void pair_element(bool back, const cni_fourier_roots *roots, planes z, int64_t h, int64_t lanes, int64_t k)
{
    int64_t a = k * lanes, b = (h - k) * lanes, l = 0;
    double c, s;
    root(roots, k, &c, &s);
    for (; l + LANES <= lanes; l += LANES) {
        pair_vector(back, z, a + l, b + l, c, s);
    }
    for (; l < lanes; l++) {
        pair_number(back, z, a + l, b + l, c, s);
    }
}

/* Elements k in [1, h / 2) with theirs; vectors along k where there is one lane. */
INLINE void pair_all(bool back, const cni_fourier_roots *roots, planes z, int64_t h, int64_t lanes)
{
    const double *low = roots->low;
    int64_t k = 1;
    for (; lanes == 1 && roots->high == NULL && 2 * (k + LANES) <= h; k += LANES) {
        double *ar = z.re + k, *ai = z.im + k, *br = z.re + h - k - LANES + 1, *bi = z.im + h - k - LANES + 1;
        pair p = {load(ar), load(ai), reversed(load(br)), reversed(load(bi))};
        p = turn(back, p, load(low + k), load(low + roots->low_room + k));
        store(ar, p.ar), store(ai, p.ai);
        store(br, reversed(p.br)), store(bi, reversed(p.bi));
    }
    for (; 2 * k < h; k++) {
        pair_element(back, roots, z, h, lanes, k);
    }
}

/* The first and the middle one. */
static void halve_ends(planes z, int64_t h, int64_t lanes)
{
    for (int64_t l = 0; l < lanes; l++) {
        double r = z.re[l], i = z.im[l];
        z.re[l] = r + i, z.im[l] = 0;
        z.re[h * lanes + l] = r - i, z.im[h * lanes + l] = 0;
        if (h % 2 == 0 && h > 0) {
            z.im[h / 2 * lanes + l] = -z.im[h / 2 * lanes + l];
        }
    }
}

static void unhalve_ends(planes z, int64_t h, int64_t lanes)
{
    for (int64_t l = 0; l < lanes; l++) {
        double r = z.re[l], i = z.re[h * lanes + l];
        z.re[l] = r + i, z.im[l] = r - i;
        if (h % 2 == 0 && h > 0) {
            double *re = z.re + h / 2 * lanes + l, *im = z.im + h / 2 * lanes + l;
            *re = 2 * *re, *im = -2 * *im;
        }
    }
}

static __attribute__((noinline)) void halve_all(const cni_fourier *f, planes z, int64_t lanes)
{
    halve_ends(z, f->n / 2, lanes);
    pair_all(false, &f->halves, z, f->n / 2, lanes);
}

static __attribute__((noinline)) void unhalve_all(const cni_fourier *f, planes z, int64_t lanes)
{
    unhalve_ends(z, f->n / 2, lanes);
    pair_all(true, &f->halves, z, f->n / 2, lanes);
}

/* A spectrum's first half to all of it. */
static void mirror(planes z, int64_t n, int64_t lanes)
{
    for (int64_t l = 0; l < lanes; l++) {
        z.im[l] = 0;
    }
    for (int64_t k = 1; 2 * k < n; k++) {
        for (int64_t l = 0; l < lanes; l++) {
            z.re[(n - k) * lanes + l] = z.re[k * lanes + l];
            z.im[(n - k) * lanes + l] = -z.im[k * lanes + l];
        }
    }
}

/* ---- Out of planes ---- */

static void store_complex(const some *x, planes z, int64_t count, int64_t first, int64_t step)
{
    int64_t apart = first == 0 && step == 1 ? apart_of(x, x->at->out_apart, x->job->out_stride, x->job->out_size) : 0;
    if (apart != 0) {
        store_turned((double *)(void *)x->at->out[0], apart, count, x->lanes, z.re, z.im, x->job->scale);
    } else if (x->job->number == sizeof(double)) {
        store_complex_f64(x, z, count, first, step);
    } else {
        store_complex_f32(x, z, count, first, step);
    }
}

static void store_real(const some *x, const double *from, int64_t count, int64_t first, int64_t step)
{
    if (x->job->number == sizeof(double)) {
        store_real_f64(x, from, count, first, step);
    } else {
        store_real_f32(x, from, count, first, step);
    }
}

static void store_numbers(const some *x, bool pairs, planes z)
{
    const cni_fourier_job *job = x->job;
    int64_t apart = apart_of(x, x->at->out_apart, job->out_stride, job->out_size);
    bool run = pairs && x->lanes == 1 && job->out_stride == job->out_size;
    if (pairs && apart != 0) {
        store_turned((double *)(void *)x->at->out[0], apart, x->n, x->lanes, z.re, z.im, job->scale);
    } else if (run && job->number == sizeof(double)) {
        store_pairs_f64((double *)(void *)x->at->out[0], x->n, z.re, z.im, job->scale);
    } else if (run) {
        store_pairs_f32((float *)(void *)x->at->out[0], x->n, z.re, z.im, job->scale);
    } else if (pairs) {
        store_real(x, z.re, x->n, 0, 2);
        store_real(x, z.im, x->n, 1, 2);
    } else {
        store_real(x, z.re, x->n, 0, 1);
    }
}

/* ---- Kinds ---- */

static void load_lines(const some *x, bool pairs, planes to)
{
    const cni_fourier_job *job = x->job;
    if (job->kind == CNI_FOURIER_HALF || job->kind == CNI_FOURIER_WHOLE) {
        load_numbers(x, pairs, to);
        return;
    }
    bool half = job->kind == CNI_FOURIER_REAL;
    int64_t points = half ? job->f->n / 2 + 1 : x->n;
    load_complex(x, job->have, to);
    clear(to, job->have * x->lanes, (points > x->n ? points : x->n) * x->lanes);
    if (half && !job->backward) {
        negate(to.im, points * x->lanes);
    }
    if (half && pairs) {
        unhalve_all(job->f, to, x->lanes);
    } else if (half) {
        mirror(to, x->n, x->lanes);
    }
}

static void store_lines(const some *x, bool pairs, planes z)
{
    const cni_fourier_job *job = x->job;
    if (job->kind == CNI_FOURIER_COMPLEX) {
        store_complex(x, z, x->n, 0, 1);
        return;
    }
    if (job->kind == CNI_FOURIER_REAL) {
        store_numbers(x, pairs, z);
        return;
    }
    int64_t n = job->f->n, half = n / 2 + 1;
    if (pairs) {
        halve_all(job->f, z, x->lanes);
    } else {
        clear((planes){z.im, z.im}, 0, x->lanes);
    }
    if (job->backward) {
        negate(z.im, half * x->lanes);
    }
    store_complex(x, z, half, 0, 1);
    if (job->kind == CNI_FOURIER_WHOLE && n > 2) {
        planes rest = {z.re + x->lanes, z.im + x->lanes};
        negate(rest.im, (n - half) * x->lanes);
        store_complex(x, rest, n - half, n - 1, -1);
    }
}

/* Planes of so many points and one more; what is behind is read, and must be numbers. */
static void planes_of(int64_t points, int64_t lanes, void *work, planes *a, planes *b)
{
    int64_t room = cni_fourier_plane(points, lanes), unused = room - points * lanes;
    double *first = work;
    *a = (planes){first, first + room};
    *b = (planes){first + 2 * room, first + 3 * room};
    for (int i = 1; i <= 4; i++) {
        memset(first + i * room - unused, 0, (size_t)unused * sizeof *first);
    }
}

static void lines(const cni_fourier_job *job, const cni_fourier_lines *lines, void *work)
{
    const cni_fourier_plan *plan = job->f->plan;
    some x = {.job = job, .at = lines, .n = plan->n, .lanes = lines->lanes};
    planes a, b;
    planes_of(cni_fourier_inner(plan)->n, x.lanes, work, &a, &b);
    bool pairs = job->f->real && job->f->n % 2 == 0;
    bool swap = job->backward ? job->kind == CNI_FOURIER_COMPLEX || job->kind == CNI_FOURIER_REAL
                              : job->kind == CNI_FOURIER_REAL;
    load_lines(&x, pairs, a);
    planes sa = swap ? (planes){a.im, a.re} : a, sb = swap ? (planes){b.im, b.re} : b;
    store_lines(&x, pairs, run(plan, x.lanes, sa, sb) ? b : a);
}
