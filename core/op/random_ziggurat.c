/*
 * random_ziggurat.c - standard normals and exponentials by the ziggurat of Marsaglia and Tsang, 256 strips of one area.
 *
 * Strip i reaches from x[i] outwards to x[i + 1], the last one to r; strip 0 is the base with the tail. The tables are
 * computed when first needed from f(x[i]) = f(x[i + 1]) + area / x[i + 1] and must have NumPy's bits: those for normals
 * are the recurrence in double, whose rounding errors NumPy's table has, those for exponentials that in higher precision.
 */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "op/random.h"

enum { STRIPS = 256, MEET = 160 };

static const double normal_r = 3.6541528853610088, exponential_r = 7.6971174701310497140446280481;

typedef struct table {
    double width[STRIPS], height[STRIPS]; /* x[i] per unit of the mantissa; f(x[i]) */
    uint64_t inside[STRIPS];              /* mantissas below lie under the curve */
} table;

static table normal, exponential;

static double rounded_exp(double x)
{
    return (double)expl((long double)x);
}

static double rounded_log(double x)
{
    return (double)logl((long double)x);
}

static void make_normal(void)
{
    const double mantissas = 0x1p52,
                 area = 0.004928673233974652; /* r f(r) + the tail's integral, as NumPy's table has it */
    double x = normal_r;
    table *t = &normal;
    t->width[STRIPS - 1] = x / mantissas;
    t->height[STRIPS - 1] = rounded_exp(-0.5 * x * x);
    t->inside[0] = (uint64_t)(x * t->height[STRIPS - 1] / area * mantissas);
    t->width[0] = area / t->height[STRIPS - 1] / mantissas;
    t->height[0] = 1;
    for (int i = STRIPS - 2; i >= 1; i--) {
        double inner = sqrt(-2 * rounded_log(area / x + t->height[i + 1]));
        t->inside[i + 1] = (uint64_t)nearbyint(inner / x * mantissas);
        t->width[i] = inner / mantissas;
        t->height[i] = rounded_exp(-0.5 * inner * inner);
        if (i == 38) { /* 0.498 of a unit above this number: NumPy's table was made by an exp that rounds it up */
            t->height[i] = nextafter(t->height[i], 1);
        }
        x = inner;
    }
    t->inside[1] = 0;
}

/* Where exp(-x) - 1 + area / x is y: from the left, on which the curve is convex. */
static long double next_edge(long double x, long double area, long double y)
{
    for (int i = 0; i < 64; i++) {
        long double f = expm1l(-x), more = (f + area / x - y) / (f + 1 + area / (x * x));
        x += more;
        if (more < x * 1e-19L) {
            break;
        }
    }
    return x;
}

/*
 * Rounding errors grow towards the top and towards the tail, so the edges are computed from both ends: met between 150
 * and 170, all 512 numbers are the nearest ones, as in NumPy's table.
 */
static void make_exponential(void)
{
    const long double r = 7.6971174701310497140446280481L, area = (r + 1) * expl(-r);
    long double x[STRIPS];
    table *t = &exponential;
    x[STRIPS - 1] = r;
    for (int i = STRIPS - 2; i >= MEET; i--) {
        x[i] = -logl(area / x[i + 1] + expl(-x[i + 1]));
    }
    x[1] = next_edge(area, area, 0);
    for (int i = 2; i < MEET; i++) {
        x[i] = next_edge(x[i - 1], area, expm1l(-x[i - 1]));
    }
    x[0] = area / expl(-r); /* as if the base were a rectangle */
    for (int i = 0; i < STRIPS; i++) {
        t->width[i] = (double)(x[i] * 0x1p-53L);
        t->height[i] = i == 0 ? 1 : (double)expl(-x[i]);
        long double inner = i == 0 ? r : i == 1 ? 0 : x[i - 1];
        t->inside[i] = 2 * (uint64_t)(inner / x[i] * 0x1p52L); /* NumPy's are those of 52 bits, doubled */
    }
}

static void make_tables(void)
{
    make_normal();
    make_exponential();
}

/* ---- Draws ---- */

/* Behind the limit, which one draw in 10^80 reaches, come words that end it. */
static inline uint64_t next_word(cni_parse *p)
{
    uint64_t word = UINT64_C(1) << 63;
    if (p->at < p->limit) {
        memcpy(&word, p->raw + p->at, sizeof word);
    }
    p->at += (int64_t)sizeof word;
    return word;
}

static inline double next_double(cni_parse *p)
{
    return (double)(int64_t)(next_word(p) >> 11) * 0x1p-53;
}

static double normal_tail(cni_parse *p, bool negative)
{
    for (;;) {
        double x = -(1 / normal_r) * log1p(-next_double(p)), y = -log1p(-next_double(p));
        if (y + y > x * x) {
            return negative ? -(normal_r + x) : normal_r + x;
        }
    }
}

static double draw_normal(cni_parse *p)
{
    for (;;) {
        uint64_t word = next_word(p), mantissa = word >> 9 & UINT64_C(0xfffffffffffff);
        int strip = (int)(word & 0xff);
        double x = (double)(int64_t)mantissa * normal.width[strip];
        x = (word & 0x100) != 0 ? -x : x;
        if (mantissa < normal.inside[strip]) {
            return x;
        }
        if (strip == 0) {
            return normal_tail(p, (mantissa & 0x100) != 0);
        }
        if ((normal.height[strip - 1] - normal.height[strip]) * next_double(p) + normal.height[strip] <
            exp(-0.5 * x * x)) {
            return x;
        }
    }
}

static double draw_exponential(cni_parse *p)
{
    for (;;) {
        uint64_t mantissa = next_word(p) >> 3;
        int strip = (int)(mantissa & 0xff);
        mantissa >>= 8;
        double x = (double)(int64_t)mantissa * exponential.width[strip];
        if (mantissa < exponential.inside[strip]) {
            return x;
        }
        if (strip == 0) {
            return exponential_r - log1p(-next_double(p));
        }
        if ((exponential.height[strip - 1] - exponential.height[strip]) * next_double(p) + exponential.height[strip] <
            exp(-x)) {
            return x;
        }
    }
}

/* The first draws, whose beginnings are noted. */
static int64_t parse_noted(cni_parse *p, double (*draw)(cni_parse *p))
{
    int64_t k = 0;
    double *out = (double *)(void *)p->out;
    for (; p->starts != NULL && k < CNI_DRAW_STARTS && k < p->room && p->at < p->end; k++) {
        p->starts[k] = p->at;
        out[k] = draw(p);
    }
    return k;
}

static int64_t parse_normal(const cni_draw *draw, cni_parse *p)
{
    int64_t k = parse_noted(p, draw_normal);
    double *out = (double *)(void *)p->out;
    (void)draw;
    while (k < p->room && p->at < p->end) {
        uint64_t word;
        memcpy(&word, p->raw + p->at, sizeof word);
        uint64_t mantissa = word >> 9 & UINT64_C(0xfffffffffffff), sign = (word & 0x100) << 55, bits;
        double x = (double)(int64_t)mantissa * normal.width[word & 0xff];
        if (__builtin_expect(mantissa < normal.inside[word & 0xff], 1)) {
            memcpy(&bits, &x, sizeof bits);
            bits ^= sign;
            memcpy(&out[k++], &bits, sizeof bits);
            p->at += (int64_t)sizeof word;
        } else {
            out[k++] = draw_normal(p);
        }
    }
    return k;
}

static int64_t parse_exponential(const cni_draw *draw, cni_parse *p)
{
    int64_t k = parse_noted(p, draw_exponential);
    double *out = (double *)(void *)p->out;
    (void)draw;
    while (k < p->room && p->at < p->end) {
        uint64_t word;
        memcpy(&word, p->raw + p->at, sizeof word);
        uint64_t mantissa = word >> 11, strip = word >> 3 & 0xff;
        if (__builtin_expect(mantissa < exponential.inside[strip], 1)) {
            out[k++] = (double)(int64_t)mantissa * exponential.width[strip];
            p->at += (int64_t)sizeof word;
        } else {
            out[k++] = draw_exponential(p);
        }
    }
    return k;
}

static cni_draw ziggurat(int64_t (*parse)(const cni_draw *draw, cni_parse *p))
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_tables);
    return (cni_draw){.unit = 8, .item = 8, .linked = true, .parse = parse};
}

cni_draw cni_draw_normal(void)
{
    return ziggurat(parse_normal);
}

cni_draw cni_draw_exponential(void)
{
    return ziggurat(parse_exponential);
}
