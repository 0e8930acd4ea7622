/*
 * radix.cuh - sorts a line by eight bits at a time, least significant first; each pass reads and writes the keys once.
 *
 *     cni_finish     counts of every digit of every pass, in one reading; then (COUNTED) where each digit begins
 *     cni_kernel     one pass: a tile counts its digits, looks back for how many stand before it (as lookback.cuh, but
 *                    a word a digit), puts its keys in order in shared memory, and writes runs of equal digits
 *
 * BITS is the key's type, FLOATING, SIGNED say how its order comes from bits, INDICES whether places are sorted along.
 */
enum { WARP = 32, THREADS = 256, WARPS = THREADS / WARP, DIGITS = 256, ITEMS = sizeof(BITS) == 8 ? 14 : 16,
       TILE = THREADS * ITEMS, PASSES = sizeof(BITS) };
#define ALL_LANES 0xFFFFFFFFu
#define OWN ((uint64_t)1 << 62)
#define UPTO ((uint64_t)2 << 62)
#define COUNT_OF(word) ((word) & (OWN - 1))

typedef struct parameters {
    const BITS *from;
    BITS *to;
    const uint32_t *from_places;
    uint32_t *to_places;
    int64_t *indices;       /* of the last pass with places */
    uint64_t *counts;       /* [pass][digit] */
    uint64_t *words;        /* [tile][digit] */
    unsigned *ticket;
    int64_t n, pass, first, last;
} parameters;

CNI_INLINE BITS key_of(BITS bits)
{
    const BITS sign = (BITS)((BITS)1 << (8 * sizeof(BITS) - 1));
#if FLOATING && INDICES
    const BITS size = (BITS)(bits & (BITS)(sign - 1)), whole = size == 0 ? 0 : bits;
    const BITS flip = (whole & sign) != 0 ? (BITS)-1 : sign, below = (BITS)(sign - 1 - INFINITY_BITS);
    return size > INFINITY_BITS ? (BITS)-1 : (BITS)((BITS)(whole ^ flip) - below);
#elif FLOATING
    const BITS flip = (bits & sign) != 0 ? (BITS)-1 : sign, below = (BITS)(sign - 1 - INFINITY_BITS);
    return (BITS)((BITS)(bits ^ flip) - below);
#else
    return SIGNED ? (BITS)(bits ^ sign) : bits;
#endif
}

CNI_INLINE BITS bits_of(BITS key)
{
    const BITS sign = (BITS)((BITS)1 << (8 * sizeof(BITS) - 1));
#if FLOATING
    const BITS turned = (BITS)(key + (BITS)(sign - 1 - INFINITY_BITS)), flip = (turned & sign) != 0 ? sign : (BITS)-1;
    return (BITS)(turned ^ flip);
#else
    return SIGNED ? (BITS)(key ^ sign) : key;
#endif
}

/* Lanes whose digit is this lane's. */
CNI_INLINE unsigned equal_lanes(unsigned digit)
{
    unsigned equal = ALL_LANES;
    CNI_UNROLL
    for (int b = 0; b < 8; b++) {
        const unsigned bit = digit >> b & 1, with = cni_ballot((int)bit);
        equal &= bit != 0 ? with : ~with;
    }
    return equal;
}

/* Exclusive sums of a word of each thread; total in `all`. */
CNI_INLINE unsigned sum_before(unsigned mine)
{
    CNI_SHARED unsigned sums[WARPS];
    const int lane = (int)(threadIdx.x % WARP), warp = (int)(threadIdx.x / WARP);
    unsigned v = mine, before = 0;
    CNI_UNROLL
    for (int d = 1; d < WARP; d *= 2) {
        const unsigned below = cni_shuffle_word(ALL_LANES, v, lane - d < 0 ? lane : lane - d);
        v += lane >= d ? below : 0;
    }
    if (lane == WARP - 1) {
        sums[warp] = v;
    }
    CNI_BARRIER();
    for (int w = 0; w < warp; w++) {
        before += sums[w];
    }
    return before + v - mine;
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

/* How many of the digit stand before the tile; says how many stand before the next. */
CNI_INLINE uint64_t digit_before(const parameters *p, int64_t tile, unsigned digit, uint64_t own)
{
    volatile uint64_t *word = p->words + digit;
    uint64_t before = 0;
    if (tile > 0) {
        word[tile * DIGITS] = OWN | own;
        for (int64_t at = tile - 1;; at--) {
            uint64_t seen;
            do {
                seen = word[at * DIGITS];
            } while (seen == 0);
            before += COUNT_OF(seen);
            if ((seen & UPTO) != 0) {
                break;
            }
        }
    }
    word[tile * DIGITS] = UPTO | (before + own);
    return before;
}

CNI_KERNEL(cni_kernel, parameters)
{
    CNI_SHARED CNI_ALIGN(16) BITS keys[TILE * (INDICES && sizeof(BITS) < 4 ? 4 / sizeof(BITS) : 1)]; /* or places */
    CNI_SHARED unsigned counts[WARPS * DIGITS];
    CNI_SHARED int64_t bases[DIGITS];
    CNI_SHARED unsigned taken;
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
    unsigned rank[ITEMS];
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) { /* what is behind the end has the last digit, and stands last */
        const int64_t i = first + k * WARP;
        mine[k] = i < p.n ? (p.first != 0 ? key_of(p.from[i]) : p.from[i]) : (BITS)-1;
    }
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        const unsigned digit = (unsigned)(mine[k] >> shift & 255), equal = equal_lanes(digit);
        const unsigned below = (unsigned)__builtin_popcount(equal & ((1u << lane) - 1));
        const int leader = __builtin_ctz(equal);
        unsigned before = 0;
        if (lane == leader) {
            before = counts[warp * DIGITS + digit];
            counts[warp * DIGITS + digit] = before + (unsigned)__builtin_popcount(equal);
        }
        rank[k] = cni_shuffle_word(ALL_LANES, before, leader) + below;
        CNI_WARP_BARRIER(); /* another lane may lead the digit next */
    }
    CNI_BARRIER();
    const unsigned digit = threadIdx.x;
    unsigned all = 0;
    for (int w = 0; w < WARPS; w++) {
        const unsigned here = counts[w * DIGITS + digit];
        counts[w * DIGITS + digit] = all;
        all += here;
    }
    const unsigned at = sum_before(all), real = digit == DIGITS - 1 ? all - (unsigned)(TILE - count) : all;
    for (int w = 0; w < WARPS; w++) {
        counts[w * DIGITS + digit] += at;
    }
    bases[digit] = (int64_t)(p.counts[p.pass * DIGITS + digit] + digit_before(&p, tile, digit, real)) - (int64_t)at;
    CNI_BARRIER();
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        rank[k] += counts[warp * DIGITS + (int)(mine[k] >> shift & 255)];
        keys[rank[k]] = mine[k];
    }
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
    uint32_t *const places = (uint32_t *)keys;
    CNI_BARRIER();
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        const int64_t i = first + k * WARP;
        if (i < p.n) {
            places[rank[k]] = p.first != 0 ? (uint32_t)i : p.from_places[i];
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
