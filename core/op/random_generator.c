/*
 * random_generator.c - PCG64 (XSL-RR 128/64) and MT19937 as NumPy runs them.
 *
 * PCG64 steps s -> s * M + c and gives a word of the new state, so n steps are one step with other constants; four
 * interleaved streams hide the latency of the multiplication.
 */
#include <string.h>

#include "op/random.h"

/* ---- PCG64 ---- */

enum { LANES = 4, BLOCK = 512 };

typedef struct step {
    cni_uint128 multiplier, increment;
} step;

static step one_step(const cni_pcg64 *g)
{
    return (step){cni_uint128_of(UINT64_C(0x2360ED051FC65DA4), UINT64_C(0x4385DF649FCCF645)), g->increment};
}

/* delta steps as one, by squaring: (m, c) twice is (m * m, (m + 1) * c). */
static step steps(const cni_pcg64 *g, cni_uint128 delta)
{
    step all = {1, 0}, power = one_step(g);
    for (; delta > 0; delta >>= 1) {
        if ((delta & 1) != 0) {
            all = (step){all.multiplier * power.multiplier, all.increment * power.multiplier + power.increment};
        }
        power = (step){power.multiplier * power.multiplier, (power.multiplier + 1) * power.increment};
    }
    return all;
}

void cni_pcg64_advance(cni_pcg64 *g, cni_uint128 delta)
{
    step s = steps(g, delta);
    g->state = g->state * s.multiplier + s.increment;
}

static inline uint64_t word_of(cni_uint128 state)
{
    uint64_t x = (uint64_t)(state >> 64) ^ (uint64_t)state;
    unsigned turn = (unsigned)(state >> 122);
    return x >> turn | x << (-turn & 63);
}

uint64_t cni_pcg64_last(const cni_pcg64 *g)
{
    return word_of(g->state);
}

void cni_pcg64_words(cni_pcg64 *g, int64_t n, uint64_t *words)
{
    step one = one_step(g), four = steps(g, LANES);
    int64_t i = 0;
    if (n >= LANES) {
        cni_uint128 a = g->state * one.multiplier + one.increment, b = a * one.multiplier + one.increment;
        cni_uint128 c = b * one.multiplier + one.increment, d = c * one.multiplier + one.increment;
        for (;;) {
            words[i] = word_of(a);
            words[i + 1] = word_of(b);
            words[i + 2] = word_of(c);
            words[i + 3] = word_of(d);
            i += LANES;
            if (i + LANES > n) {
                break;
            }
            a = a * four.multiplier + four.increment;
            b = b * four.multiplier + four.increment;
            c = c * four.multiplier + four.increment;
            d = d * four.multiplier + four.increment;
        }
        g->state = d;
    }
    for (; i < n; i++) {
        g->state = g->state * one.multiplier + one.increment;
        words[i] = word_of(g->state);
    }
}

void cni_pcg64_uniform(cni_pcg64 *g, int64_t n, double low, double range, double *out)
{
    uint64_t words[BLOCK];
    while (n > 0) {
        int64_t count = n < BLOCK ? n : BLOCK;
        cni_pcg64_words(g, count, words);
        for (int64_t i = 0; i < count; i++) {
            out[i] = low + range * ((double)(int64_t)(words[i] >> 11) * 0x1p-53);
        }
        out += count;
        n -= count;
    }
}

/* ---- MT19937 ---- */

enum { N = CNI_MT19937_WORDS, M = 397 };

static inline uint32_t twist(uint32_t upper, uint32_t lower)
{
    uint32_t y = (upper & UINT32_C(0x80000000)) | (lower & UINT32_C(0x7fffffff));
    return y >> 1 ^ (-(lower & 1) & UINT32_C(0x9908b0df));
}

/* The next block, in loops whose iterations do not wait for each other's results. */
static void next_block(uint32_t *key)
{
    int i = 0;
    for (; i < N - M; i++) {
        key[i] = key[i + M] ^ twist(key[i], key[i + 1]);
    }
    for (; i < 2 * (N - M); i++) {
        key[i] = key[i - (N - M)] ^ twist(key[i], key[i + 1]);
    }
    for (; i < N - 1; i++) {
        key[i] = key[i - (N - M)] ^ twist(key[i], key[i + 1]);
    }
    key[N - 1] = key[M - 1] ^ twist(key[N - 1], key[0]);
}

void cni_mt19937_words(cni_mt19937 *g, int64_t n, uint32_t *words)
{
    while (n > 0) {
        if (g->position >= N) {
            next_block(g->key);
            g->position = 0;
        }
        int64_t count = n < N - g->position ? n : N - g->position;
        memcpy(words, g->key + g->position, (size_t)count * sizeof *words);
        g->position += (int)count;
        words += count;
        n -= count;
    }
}

void cni_mt19937_temper(int64_t n, uint32_t *words)
{
    for (int64_t i = 0; i < n; i++) {
        uint32_t y = words[i];
        y ^= y >> 11;
        y ^= y << 7 & UINT32_C(0x9d2c5680);
        y ^= y << 15 & UINT32_C(0xefc60000);
        words[i] = y ^ y >> 18;
    }
}
