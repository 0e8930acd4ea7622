/* fourier_shuffle.h - elements of vectors in another order, and pairs of numbers to vectors of each; included by fourier_body.h. */

typedef double vector __attribute__((vector_size(VECTOR_BYTES)));
typedef double anywhere __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(double)), may_alias));

INLINE vector load(const double *p)
{
    return (vector) * (const anywhere *)(const void *)p;
}

INLINE void store(double *p, vector v)
{
    *(anywhere *)(void *)p = v;
}

INLINE vector splat(double value)
{
    return value - (vector){0}; /* keeps the sign of a zero */
}

#if LANES == 2
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 2)
#define HIGH(a, b) __builtin_shufflevector(a, b, 1, 3)
#define EVEN(a, b) LOW(a, b)
#define ODD(a, b) HIGH(a, b)
#define REVERSED(a) __builtin_shufflevector(a, a, 1, 0)
#elif LANES == 4
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define EVEN(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6)
#define ODD(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7)
#define REVERSED(a) __builtin_shufflevector(a, a, 3, 2, 1, 0)
#else
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define EVEN(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14)
#define ODD(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15)
#define REVERSED(a) __builtin_shufflevector(a, a, 7, 6, 5, 4, 3, 2, 1, 0)
#endif

INLINE vector reversed(vector v)
{
    return REVERSED(v);
}

/* radix (2, 4 or 8) vectors to one run that takes an element of each in turn. */
INLINE void in_turn(int64_t radix, vector *v)
{
    vector w[8] = {0};
    for (int64_t step = 1; step < radix; step *= 2) {
#pragma GCC unroll 8
        for (int64_t k = 0; k < radix / 2; k++) {
            w[2 * k] = LOW(v[k], v[k + radix / 2]), w[2 * k + 1] = HIGH(v[k], v[k + radix / 2]);
        }
#pragma GCC unroll 8
        for (int64_t k = 0; k < radix; k++) {
            v[k] = w[k];
        }
    }
}

/* Pairs that follow each other, to planes; and back. */
INLINE void load_pairs_f64(const double *restrict from, int64_t count, double *restrict re, double *restrict im)
{
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        vector a = load(from + 2 * i), b = load(from + 2 * i + LANES);
        store(re + i, EVEN(a, b)), store(im + i, ODD(a, b));
    }
    for (; i < count; i++) {
        re[i] = from[2 * i], im[i] = from[2 * i + 1];
    }
}

INLINE void store_pairs_f64(double *restrict to, int64_t count, const double *restrict re, const double *restrict im,
                            double scale)
{
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        vector r = scale * load(re + i), j = scale * load(im + i);
        store(to + 2 * i, LOW(r, j)), store(to + 2 * i + LANES, HIGH(r, j));
    }
    for (; i < count; i++) {
        to[2 * i] = scale * re[i], to[2 * i + 1] = scale * im[i];
    }
}

/* The same of single precision. */
INLINE void load_pairs_f32(const float *restrict from, int64_t count, double *restrict re, double *restrict im)
{
    for (int64_t i = 0; i < count; i++) {
        re[i] = from[2 * i], im[i] = from[2 * i + 1];
    }
}

INLINE void store_pairs_f32(float *restrict to, int64_t count, const double *restrict re, const double *restrict im,
                            double scale)
{
    for (int64_t i = 0; i < count; i++) {
        to[2 * i] = (float)(scale * re[i]), to[2 * i + 1] = (float)(scale * im[i]);
    }
}

/* LANES vectors, each a run, to LANES that have an element of each. */
INLINE void transpose(vector *v)
{
    in_turn(LANES, v);
}

/* Elements [i, i + LANES) of LANES lines of pairs (`apart` numbers), to planes of so many lanes; and back. */
INLINE void load_square(const double *restrict from, int64_t apart, int64_t lanes, double *restrict re,
                        double *restrict im)
{
    vector r[LANES], j[LANES];
#pragma GCC unroll 8
    for (int64_t l = 0; l < LANES; l++) {
        vector a = load(from + l * apart), b = load(from + l * apart + LANES);
        r[l] = EVEN(a, b), j[l] = ODD(a, b);
    }
    transpose(r), transpose(j);
#pragma GCC unroll 8
    for (int64_t i = 0; i < LANES; i++) {
        store(re + i * lanes, r[i]), store(im + i * lanes, j[i]);
    }
}

INLINE void store_square(double *restrict to, int64_t apart, int64_t lanes, const double *restrict re,
                         const double *restrict im, double scale)
{
    vector r[LANES], j[LANES];
#pragma GCC unroll 8
    for (int64_t i = 0; i < LANES; i++) {
        r[i] = scale * load(re + i * lanes), j[i] = scale * load(im + i * lanes);
    }
    transpose(r), transpose(j);
#pragma GCC unroll 8
    for (int64_t l = 0; l < LANES; l++) {
        store(to + l * apart, LOW(r[l], j[l])), store(to + l * apart + LANES, HIGH(r[l], j[l]));
    }
}

/* Lines of pairs, `apart` numbers from each to the next, to planes; and back. */
static void load_turned(const double *restrict from, int64_t apart, int64_t count, int64_t lanes, double *restrict re,
                        double *restrict im)
{
    int64_t squares = lanes / LANES * LANES, runs = count / LANES * LANES;
    for (int64_t i = 0; i < runs; i += LANES) {
        for (int64_t l = 0; l < squares; l += LANES) {
            load_square(from + l * apart + 2 * i, apart, lanes, re + i * lanes + l, im + i * lanes + l);
        }
    }
    for (int64_t i = 0; i < count; i++) {
        for (int64_t l = i < runs ? squares : 0; l < lanes; l++) {
            re[i * lanes + l] = from[l * apart + 2 * i], im[i * lanes + l] = from[l * apart + 2 * i + 1];
        }
    }
}

static void store_turned(double *restrict to, int64_t apart, int64_t count, int64_t lanes, const double *restrict re,
                         const double *restrict im, double scale)
{
    int64_t squares = lanes / LANES * LANES, runs = count / LANES * LANES;
    for (int64_t i = 0; i < runs; i += LANES) {
        for (int64_t l = 0; l < squares; l += LANES) {
            store_square(to + l * apart + 2 * i, apart, lanes, re + i * lanes + l, im + i * lanes + l, scale);
        }
    }
    for (int64_t i = 0; i < count; i++) {
        for (int64_t l = i < runs ? squares : 0; l < lanes; l++) {
            to[l * apart + 2 * i] = scale * re[i * lanes + l], to[l * apart + 2 * i + 1] = scale * im[i * lanes + l];
        }
    }
}

#undef LOW
#undef HIGH
#undef EVEN
#undef ODD
#undef REVERSED
