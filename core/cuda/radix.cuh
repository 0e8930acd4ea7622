/*
 * radix.cuh - sorts a line by eight bits at a time, least significant first; each pass reads and writes the keys once.
 *
 *     cni_finish     counts of every digit of every pass, in one reading; then (COUNTED) where each digit begins
 *     cni_kernel     one pass: a tile counts its digits, looks back for how many stand before it (as lookback.cuh, but
 *                    a word a digit), puts its keys in order in shared memory, and writes runs of equal digits. Counts
 *                    are said before the keys are put in order: those behind need not wait for that
 *
 * BITS is the key's type, FLOATING, SIGNED say how its order comes from bits, INDICES whether places are sorted along.
 */
enum { WARP = 32, THREADS = 256, WARPS = THREADS / WARP, DIGITS = 256, ITEMS = sizeof(BITS) == 8 && !INDICES ? 20 : 16,
       TILE = THREADS * ITEMS, PASSES = sizeof(BITS) };
#define ALL_LANES 0xFFFFFFFFu
#define OWN (1u << 30)
#define UPTO (2u << 30)
#define COUNT_OF(word) ((word) & (OWN - 1))
#include "cuda/radix_key.cuh"
#include "cuda/sums.cuh"

typedef struct parameters {
    const BITS *from;
    BITS *to;
    const uint32_t *from_places;
    uint32_t *to_places;
    int64_t *indices;       /* of the last pass with places */
    uint64_t *counts;       /* [pass][digit] */
    unsigned *words;        /* [tile][digit] */
    unsigned *ticket;
    int64_t n, pass, first, last, offset; /* offset: how many of the line stand before these */
} parameters;

/* Lanes whose digit is this lane's. */
CNI_INLINE unsigned equal_lanes(unsigned digit)
{
    unsigned equal = ALL_LANES;
    CNI_UNROLL
    for (unsigned bit = 1; bit < DIGITS; bit *= 2) {
        equal &= cni_alike(digit, bit);
    }
    return equal;
}

CNI_KERNEL(cni_finish, parameters)
{
    CNI_SHARED unsigned counts[PASSES * DIGITS];
    for (int i = (int)threadIdx.x; i < PASSES * DIGITS; i += THREADS) {
        counts[i] = 0;
    }
    CNI_BARRIER();
    const int64_t share = ((p.n + p.pass - 1) / p.pass + THREADS - 1) / THREADS * THREADS, begin = (int64_t)blockIdx.x * share;
    const int64_t end = begin + share < p.n ? begin + share : p.n;
    CNI_UNROLL_4
    for (int64_t i = begin + threadIdx.x; i < end; i += THREADS) {
        const BITS key = key_of(p.from[i]);
        CNI_UNROLL
        for (int d = 0; d < PASSES; d++) {
            cni_shared_add(&counts[d * DIGITS + (int)(key >> 8 * d & 255)], 1);
        }
    }
    CNI_BARRIER();
    for (int i = (int)threadIdx.x; i < PASSES * DIGITS; i += THREADS) {
        if (counts[i] != 0) {
            cni_atomic_add((int64_t *)&p.counts[i], (int64_t)counts[i]);
        }
    }
}

/*
 * How many of the digit stand before the tile, which has said its own; says how many stand before the next. One tile at a
 * time: several on their way at once were slower, for whoever asks takes the time of those who are to answer.
 */
CNI_INLINE unsigned digit_before(unsigned *words, int64_t tile, unsigned own)
{
    unsigned before = 0, seen = tile == 0 ? UPTO : 0;
    for (int64_t at = tile - 1; (seen & UPTO) == 0; at--) {
        for (;;) {
            seen = cni_observe_word(&words[at * DIGITS]);
            if (seen != 0) {
                break;
            }
            cni_pause();
        }
        before += COUNT_OF(seen);
    }
    cni_publish_word(&words[tile * DIGITS], UPTO | (before + own));
    return before;
}

CNI_KERNEL(cni_kernel, parameters)
{
    CNI_SHARED union CNI_ALIGN(16) {
        BITS keys[TILE];
        uint32_t places[INDICES ? TILE : 1];
        unsigned counts[WARPS * DIGITS]; /* before the keys are there */
    } shared;
    CNI_SHARED int64_t bases[DIGITS];
    CNI_SHARED unsigned taken;
    unsigned *const counts = shared.counts;
    BITS *const keys = shared.keys;
    const int lane = (int)(threadIdx.x % WARP), warp = (int)(threadIdx.x / WARP), shift = 8 * (int)p.pass;
    if (threadIdx.x == 0) {
        taken = cni_ticket(p.ticket);
    }
    for (int i = (int)threadIdx.x; i < WARPS * DIGITS; i += THREADS) {
        counts[i] = 0;
    }
    CNI_BARRIER();
    const int64_t tile = (int64_t)taken, start = tile * TILE, first = start + (int64_t)warp * WARP * ITEMS + lane;
    const int count = (int)(p.n - start < TILE ? p.n - start : TILE);
    BITS mine[ITEMS];
    uint16_t rank[ITEMS];
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) { /* what is behind the end has the last digit, and stands last */
        const int64_t i = first + k * WARP;
        mine[k] = i < p.n ? p.from[i] : (BITS)-1;
    }
    if (p.first != 0) {
        CNI_UNROLL
        for (int k = 0; k < ITEMS; k++) {
            mine[k] = first + k * WARP < p.n ? key_of(mine[k]) : (BITS)-1;
        }
    }
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) { /* counts first: those behind the tile need them, and ranks take long */
        cni_shared_add(&counts[warp * DIGITS + (int)(mine[k] >> shift & 255)], 1);
    }
    CNI_BARRIER();
    const unsigned digit = threadIdx.x;
    unsigned all = 0;
    for (int w = 0; w < WARPS; w++) {
        all += counts[w * DIGITS + digit];
    }
    const unsigned real = digit == DIGITS - 1 ? all - (unsigned)(TILE - count) : all;
    unsigned *const words = p.words + digit;
    if (tile > 0) {
        cni_publish_word(&words[tile * DIGITS], OWN | real);
    }
    const unsigned at = sum_before(all);
    for (unsigned w = 0, before = at; w < WARPS; w++) {
        const unsigned here = counts[w * DIGITS + digit];
        counts[w * DIGITS + digit] = before;
        before += here;
    }
    CNI_BARRIER();
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        unsigned *const next = &counts[warp * DIGITS + (int)(mine[k] >> shift & 255)];
        const unsigned equal = equal_lanes((unsigned)(mine[k] >> shift & 255)), below = equal & ((1u << lane) - 1);
        const unsigned before = *next;
        CNI_WARP_BARRIER();
        if (below == 0) {
            *next = before + (unsigned)__builtin_popcount(equal);
        }
        rank[k] = (uint16_t)(before + (unsigned)__builtin_popcount(below));
        CNI_WARP_BARRIER();
    }
    CNI_BARRIER();
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        keys[rank[k]] = mine[k];
    }
    bases[digit] = (int64_t)p.counts[p.pass * DIGITS + digit] + (int64_t)digit_before(words, tile, real) - (int64_t)at;
    CNI_BARRIER();
#if INDICES
    int64_t to[ITEMS];
#endif
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        const int i = (int)threadIdx.x + k * THREADS;
        if (i < count) {
            const BITS key = keys[i];
            const int64_t place = bases[key >> shift & 255] + i;
#if INDICES
            to[k] = place;
            if (p.last == 0) {
                p.to[place] = key;
            }
#else
            p.to[place] = p.last != 0 ? bits_of(key) : key;
#endif
        }
    }
#if INDICES
    uint32_t *const places = shared.places;
    CNI_BARRIER();
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        const int64_t i = first + k * WARP;
        if (i < p.n) {
            places[rank[k]] = p.first != 0 ? (uint32_t)(p.offset + i) : p.from_places[i];
        }
    }
    CNI_BARRIER();
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        const int i = (int)threadIdx.x + k * THREADS;
        if (i < count && p.last != 0) {
            p.indices[to[k]] = (int64_t)places[i];
        } else if (i < count) {
            p.to_places[to[k]] = places[i];
        }
    }
#endif
}
