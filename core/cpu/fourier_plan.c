/*
 * fourier_plan.c - what a length needs: its factors and tables; see fourier.h. Tables are rounded from long double.
 *
 * A plan is made twice by the same steps: first without memory, to know how much it takes.
 */
#include <math.h>
#include <string.h>

#include "cpu/fourier.h"
#include "cpu/loops.h"

extern const cni_fourier_kernels cni_fourier_baseline;
#if defined(__x86_64__)
extern const cni_fourier_kernels cni_fourier_avx2, cni_fourier_avx512;
#endif

const cni_fourier_kernels *cni_fourier_kernels_get(void)
{
#if defined(__x86_64__)
    const char *name = cni_cpu_kernels_get()->name;
    if (strcmp(name, "avx512") == 0) {
        return &cni_fourier_avx512;
    }
    if (strcmp(name, "avx2") == 0) {
        return &cni_fourier_avx2;
    }
#endif
    return &cni_fourier_baseline;
}

/* ---- Which way ---- */

/* Radices in the order of passes: the first ones make runs for vectors. 0 ends them. */
static const int radices[] = {8, 4, 2, 3, 5, 7, 11, 13};

/* Fills the factors; what no pass takes is left. */
static int64_t factors_of(int64_t n, int *count, int64_t *factors)
{
    *count = 0;
    for (size_t i = 0; i < sizeof radices / sizeof *radices; i++) {
        int64_t r = radices[i];
        while (n % r == 0 && !(r == 8 && n % 16 == 0 && n % 32 != 0)) { /* 16: two passes of 4 */
            factors[(*count)++] = r;
            n /= r;
        }
    }
    for (int64_t r = 17; r <= CNI_FOURIER_RADIX && n > 1; r += 2) {
        while (n % r == 0) {
            factors[(*count)++] = r;
            n /= r;
        }
    }
    return n;
}

/* About what passes cost, a point. */
static double cost_of(int64_t n)
{
    static const double costs[14] = {[2] = 3, [3] = 5, [4] = 5, [5] = 8, [7] = 12, [8] = 8, [11] = 22, [13] = 26};
    int64_t factors[CNI_FOURIER_PASSES * 2];
    int count;
    double cost = factors_of(n, &count, factors) == 1 ? 0 : HUGE_VAL;
    for (int i = 0; i < count; i++) {
        cost += factors[i] < 14 ? costs[factors[i]] : 2.5 * (double)factors[i];
    }
    return cost;
}

/* The cheapest length of passes for a convolution of n points. */
static int64_t convolution_of(int64_t n, double *cost)
{
    int64_t best = 0, least = 2 * n - 1;
    *cost = HUGE_VAL;
    for (int64_t five = 1; five < 8 * least; five *= 5) {
        for (int64_t three = five; three < 8 * least; three *= 3) {
            int64_t m = three;
            while (m < least) {
                m *= 2;
            }
            double all = (2 * cost_of(m) + 10) * (double)m;
            if (m < 2 * least && all < *cost) {
                best = m;
                *cost = all;
            }
        }
    }
    return best;
}

/* The points of the passes: n, or those of a convolution. */
static int64_t inner_of(int64_t n)
{
    double convolving, cost = cost_of(n);
    int64_t convolution = n > CNI_FOURIER_RADIX && cost > 60 ? convolution_of(n, &convolving) : 0;
    return convolution > 0 && convolving < cost * (double)n ? convolution : n;
}

static int64_t divisor_of(int64_t n)
{
    int64_t d = (int64_t)sqrt((double)n) + 1;
    while (d > 1 && (n % d != 0 || d > n / d)) {
        d--;
    }
    return d;
}

/* ---- Tables ---- */

typedef cni_fourier_circle circle;

/* A plan being made, or counted. */
typedef struct making {
    char *base, *spare; /* NULL: counted */
    int64_t used, spare_most;
    bool bare;
} making;

/* Memory in its order; base NULL: only counted, NULL. */
static void *take(making *m, int64_t bytes)
{
    void *memory = m->base != NULL ? m->base + m->used : NULL;
    m->used += (bytes + 63) & ~INT64_C(63);
    return memory;
}

static double *take_numbers(making *m, int64_t count)
{
    double *numbers = take(m, count * (int64_t)sizeof(double));
    for (int64_t i = 0; i < count && numbers != NULL; i++) {
        numbers[i] = 0;
    }
    return numbers;
}

static void need_spare(making *m, int64_t bytes)
{
    m->spare_most = bytes > m->spare_most ? bytes : m->spare_most;
}

static int64_t circle_entries(int64_t n, int *shift)
{
    *shift = 1;
    while ((INT64_C(1) << (2 * *shift)) < n) {
        ++*shift;
    }
    return (INT64_C(1) << *shift) + (n >> *shift) + 1;
}

int64_t cni_fourier_circle_bytes(int64_t n)
{
    int shift;
    return 2 * circle_entries(n, &shift) * (int64_t)sizeof(long double);
}

void cni_fourier_circle_make(int64_t n, void *memory, circle *c)
{
    const long double eighth = 0.785398163397448309615660845819875721L;
    circle_entries(n, &c->shift);
    c->n = n;
    c->mask = (INT64_C(1) << c->shift) - 1;
    c->low = memory;
    c->high = c->low + 2 * (c->mask + 1);
    for (int64_t i = 0; i <= c->mask; i++) {
        long double angle = eighth * (long double)i / (long double)n;
        c->low[2 * i] = cosl(angle), c->low[2 * i + 1] = sinl(angle);
    }
    for (int64_t i = 0; i <= n >> c->shift; i++) {
        long double angle = eighth * (long double)(i << c->shift) / (long double)n;
        c->high[2 * i] = cosl(angle), c->high[2 * i + 1] = sinl(angle);
    }
}

static void circle_begin(making *m, int64_t n, circle *c)
{
    need_spare(m, cni_fourier_circle_bytes(n));
    if (m->base != NULL) {
        cni_fourier_circle_make(n, m->spare, c);
    }
}

static void circle_eighth(const circle *c, int64_t e, long double *cosine, long double *sine)
{
    const long double *l = c->low + 2 * (e & c->mask), *h = c->high + 2 * (e >> c->shift);
    *cosine = l[0] * h[0] - l[1] * h[1];
    *sine = l[0] * h[1] + l[1] * h[0];
}

/* e / n turns, e in [0, n). */
static void circle_root(const circle *c, int64_t e, long double *cosine, long double *sine)
{
    int64_t x = 8 * e, n = c->n;
    bool down = x > 4 * n, left, steep;
    x = down ? 8 * n - x : x;
    left = x > 2 * n;
    x = left ? 4 * n - x : x;
    steep = x > n;
    x = steep ? 2 * n - x : x;
    circle_eighth(c, x, steep ? sine : cosine, steep ? cosine : sine);
    *cosine = left ? -*cosine : *cosine;
    *sine = down ? -*sine : *sine;
}

static void put_root(const circle *c, int64_t e, double *cosines, double *sines, int64_t i, bool backward)
{
    long double cosine, sine;
    circle_root(c, e, &cosine, &sine);
    cosines[i] = (double)cosine;
    sines[i] = (double)(backward ? -sine : sine);
}

/* Backward roots of e = first, first + step, ... of the circle; returns where the sines begin. */
static double *make_roots(making *m, const circle *c, int64_t count, int64_t step, int64_t *room)
{
    *room = count + CNI_FOURIER_PAD;
    double *table = take_numbers(m, 2 * *room);
    for (int64_t i = 0; i < count && table != NULL; i++) {
        put_root(c, i * step, table, table + *room, i, true);
    }
    return table;
}

/* Of e in [0, most]. */
static void roots_make(making *m, const circle *c, int64_t most, cni_fourier_roots *roots)
{
    roots->shift = 0;
    while (most >= CNI_FOURIER_DIRECT_MOST && (INT64_C(1) << (2 * roots->shift)) < most) {
        roots->shift++;
    }
    int64_t step = INT64_C(1) << roots->shift;
    roots->low = make_roots(m, c, roots->shift == 0 ? most + 1 : step, 1, &roots->low_room);
    roots->high = NULL;
    if (roots->shift > 0) {
        roots->high = make_roots(m, c, (most >> roots->shift) + 1, step, &roots->high_room);
    }
}

/* ---- Ways ---- */

static void pass_make(making *m, const circle *c, int64_t n, int64_t radix, int64_t left, cni_fourier_pass *pass)
{
    int64_t rest = left / radix, step = n / left;
    pass->radix = radix;
    pass->m = rest;
    pass->twiddles = take_numbers(m, 2 * (radix - 1) * rest + CNI_FOURIER_PAD);
    pass->roots = radix % 2 != 0 ? take_numbers(m, 2 * radix) : NULL;
    if (m->base == NULL) {
        return;
    }
    for (int64_t k = 1; k < radix && rest > 1; k++) {
        double *cosines = pass->twiddles + 2 * (k - 1) * rest;
        for (int64_t i = 0; i < rest; i++) {
            put_root(c, i * k * step, cosines, cosines + rest, i, true);
        }
    }
    for (int64_t j = 0; j < radix && pass->roots != NULL; j++) {
        put_root(c, j * (n / radix), pass->roots, pass->roots + radix, j, false);
    }
}

static void passes_make(making *m, cni_fourier_plan *plan)
{
    int64_t n = plan->n, factors[CNI_FOURIER_PASSES * 2], left = n;
    circle c = {0};
    circle_begin(m, n, &c);
    plan->way = CNI_FOURIER_DIRECT;
    factors_of(n, &plan->npasses, factors);
    for (int i = 0; i < plan->npasses; i++) {
        pass_make(m, &c, n, factors[i], left, &plan->passes[i]);
        left /= factors[i];
    }
}

static cni_fourier_plan *direct_make(making *m, int64_t n)
{
    cni_fourier_plan counted, *made = take(m, (int64_t)sizeof *made), *plan = made != NULL ? made : &counted;
    *plan = (cni_fourier_plan){.n = n};
    passes_make(m, plan);
    return made;
}

static void split_make(making *m, cni_fourier_plan *plan)
{
    int64_t n = plan->n, d = divisor_of(n);
    circle c = {0};
    plan->way = CNI_FOURIER_SPLIT;
    plan->columns = direct_make(m, d);
    plan->rows = direct_make(m, n / d);
    circle_begin(m, n, &c);
    roots_make(m, &c, n - 1, &plan->roots);
}

void cni_fourier_chirp(const circle *c, int64_t begin, int64_t end, double *cosines, double *sines)
{
    int64_t square = (int64_t)((__int128)begin * begin % c->n);
    for (int64_t i = begin; i < end; i++) {
        put_root(c, square, cosines, sines, i - begin, true);
        square = (square + 2 * i + 1) % c->n;
    }
}

static void chirp_table(making *m, const circle *c, cni_fourier_plan *plan)
{
    int64_t room = plan->n + CNI_FOURIER_PAD;
    plan->chirp = take_numbers(m, 2 * room);
    if (plan->chirp != NULL) {
        cni_fourier_chirp(c, 0, plan->n, plan->chirp, plan->chirp + room);
    }
}

/* The chirp the other way round, wrapped and scaled, at every step-th number of cleared memory. */
static void wrap_chirp(const cni_fourier_plan *plan, double *re, double *im, int64_t step)
{
    int64_t n = plan->n, points = plan->convolution->n;
    const double *c = plan->chirp, *s = c + n + CNI_FOURIER_PAD;
    for (int64_t i = 0; i < n; i++) {
        int64_t other = (points - i) % points;
        re[step * i] = re[step * other] = c[i] / (double)points;
        im[step * i] = im[step * other] = -s[i] / (double)points;
    }
}

/* Its transform is what a convolution multiplies by. */
static void spectrum_direct(const making *m, const cni_fourier_plan *plan)
{
    int64_t points = plan->convolution->n, room = points + CNI_FOURIER_PAD;
    double *a = (double *)(void *)m->spare, *b = a + 2 * room;
    memset(a, 0, (size_t)(4 * room) * sizeof *a);
    wrap_chirp(plan, a, a + room, 1);
    bool in_b = cni_fourier_kernels_get()->run(plan->convolution, 1, a, a + room, b, b + room);
    memcpy(plan->spectrum, in_b ? b : a, (size_t)(2 * room) * sizeof *a);
}

/* Likewise by pairs in memory. */
static void spectrum_split(const making *m, const cni_fourier_plan *plan)
{
    int64_t points = plan->convolution->n, rows = plan->convolution->rows->n;
    double *pairs = (double *)(void *)m->spare, *between = pairs + 2 * points;
    cni_shared_events events = {0}; /* nobody asks for those of a plan */
    cni_fourier_crew crew = {.threads = 1,
                             .events = &events,
                             .work = (char *)(between + 2 * points),
                             .work_bytes = cni_fourier_planes(rows, cni_fourier_lanes(rows)),
                             .kernels = cni_fourier_kernels_get()};
    memset(pairs, 0, (size_t)(2 * points) * sizeof *pairs);
    wrap_chirp(plan, pairs, pairs + 1, 2);
    cni_fourier_split(&crew, plan->convolution, pairs, between, pairs, false, false, 1);
    for (int64_t i = 0; i < points; i++) {
        plan->spectrum[i] = pairs[2 * i];
        plan->spectrum[points + CNI_FOURIER_PAD + i] = pairs[2 * i + 1];
    }
}

static cni_fourier_plan *plan_make(making *m, int64_t n);

static void chirp_make(making *m, int64_t convolution, cni_fourier_plan *plan)
{
    circle c = {0};
    int64_t rows = convolution / divisor_of(convolution);
    bool split = convolution > CNI_FOURIER_DIRECT_MOST;
    plan->way = CNI_FOURIER_CHIRP;
    plan->convolution = plan_make(m, convolution);
    if (m->bare) {
        return;
    }
    plan->spectrum = take_numbers(m, 2 * (convolution + CNI_FOURIER_PAD));
    circle_begin(m, 2 * plan->n, &c);
    chirp_table(m, &c, plan);
    need_spare(m, split ? 4 * convolution * (int64_t)sizeof(double) + cni_fourier_planes(rows, cni_fourier_lanes(rows))
                        : 4 * (convolution + CNI_FOURIER_PAD) * (int64_t)sizeof(double));
    if (m->base != NULL && split) {
        spectrum_split(m, plan);
    } else if (m->base != NULL) {
        spectrum_direct(m, plan);
    }
}

static cni_fourier_plan *plan_make(making *m, int64_t n)
{
    cni_fourier_plan counted, *made = take(m, (int64_t)sizeof *made), *plan = made != NULL ? made : &counted;
    int64_t inner = inner_of(n);
    *plan = (cni_fourier_plan){.n = n};
    if (inner != n) {
        chirp_make(m, inner, plan);
    } else if (n > CNI_FOURIER_DIRECT_MOST) {
        split_make(m, plan);
    } else {
        passes_make(m, plan);
    }
    return made;
}

static cni_fourier *fourier_make(making *m, int64_t n, bool real)
{
    cni_fourier counted, *made = take(m, (int64_t)sizeof *made), *f = made != NULL ? made : &counted;
    bool pairs = real && n % 2 == 0;
    *f = (cni_fourier){.n = n, .real = real};
    f->plan = plan_make(m, pairs ? n / 2 : n);
    if (pairs) {
        circle c = {0};
        circle_begin(m, n, &c);
        roots_make(m, &c, n / 4, &f->halves);
    }
    return made;
}

static cni_fourier_size measure(making m, int64_t n, bool real)
{
    cni_fourier_size size = {.points = real && n % 2 == 0 ? n / 2 : n};
    fourier_make(&m, n, real);
    size.bytes = m.used;
    size.spare = m.spare_most;
    size.inner = inner_of(size.points);
    size.rows = size.inner > CNI_FOURIER_DIRECT_MOST ? size.inner / divisor_of(size.inner) : 0;
    return size;
}

cni_fourier_size cni_fourier_measure(int64_t n, bool real)
{
    return measure((making){0}, n, real);
}

cni_fourier_size cni_fourier_measure_bare(int64_t n, bool real)
{
    return measure((making){.bare = true}, n, real);
}

cni_fourier *cni_fourier_make(int64_t n, bool real, void *memory, void *spare)
{
    making m = {.base = memory, .spare = spare};
    return fourier_make(&m, n, real);
}

cni_fourier *cni_fourier_make_bare(int64_t n, bool real, void *memory, void *spare)
{
    making m = {.base = memory, .spare = spare, .bare = true};
    return fourier_make(&m, n, real);
}
