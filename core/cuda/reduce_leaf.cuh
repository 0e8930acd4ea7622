/*
 * reduce_leaf.cuh - reductions whose last axis is reduced, in the order of core/cpu/reduce.c.
 *
 * A run of elements is summed in NumPy's pairwise tree: chunks of at most CHUNK elements by LANES threads, each a lane of
 * the chunk; a chunk's place in the tree is a slot, from left to right. Slots that the tree does not have count -0, which
 * changes nothing.
 *
 *   LARGE 0   GROUP threads a result; its blocks one after the other
 *   LARGE 1   a warp a leaf; leaves are added up exactly, in the block's memory, then in the device's; cni_finish rounds
 *   RANGE 1   likewise, but what is left of leaves [n[1], n[6]) is handed on, since others have more of the result
 *
 * Loops that run seldom are rolled: the compiler unrolls what it may, and takes a third longer for it.
 */
enum { WARP = 32, WARPS = 8, LEAF = 1024, CHUNK = 16 * LANES, AT_ONCE = 4 };

typedef struct sums {
#define FIELD(k, type, work, bin, begins, identity) work s##k;
    SUMS(FIELD) NO_FIELD
#undef FIELD
} sums;

typedef struct others {
#define FIELD(k, type, work, bin, begins, identity) type m##k; int b##k;
    OTHERS(FIELD) NO_FIELD
#undef FIELD
} others;

CNI_INLINE void others_none(others *m)
{
#define CLEAR(k, type, work, bin, begins, identity) memset(&m->m##k, 0, sizeof m->m##k); m->b##k = 0;
    OTHERS(CLEAR)
#undef CLEAR
    (void)m;
}

CNI_INLINE void others_take(others *m, const values *v)
{
#define TAKE(k, type, work, bin, begins, identity) m->m##k = m->b##k ? fold_##k(m->m##k, v->v##k) : v->v##k; m->b##k = 1;
    OTHERS(TAKE)
#undef TAKE
    (void)m, (void)v;
}

/* The same of FETCHED elements. */
CNI_INLINE void others_take_all(others *m, const values *v)
{
#define TAKE_ALL(k, type, work, bin, begins, identity) \
    { \
        type all_ = v[0].v##k; \
        CNI_UNROLL for (int i = 1; i < FETCHED; i++) { all_ = fold_##k(all_, v[i].v##k); } \
        m->m##k = m->b##k ? fold_##k(m->m##k, all_) : all_; m->b##k = 1; \
    }
    OTHERS(TAKE_ALL)
#undef TAKE_ALL
    (void)m, (void)v;
}

CNI_INLINE void others_join(others *m, const others *other)
{
#define JOIN(k, type, work, bin, begins, identity) \
    if (other->b##k) { m->m##k = m->b##k ? fold_##k(m->m##k, other->m##k) : other->m##k; m->b##k = 1; }
    OTHERS(JOIN)
#undef JOIN
    (void)m, (void)other;
}

/* All threads of the mask get what all of them have; those of a group of `width` threads, a power of two. */
CNI_INLINE void others_all(others *m, unsigned mask, int lane, int width)
{
    for (int k = 1; k < width; k <<= 1) {
        others from;
        others_none(&from);
#define MOVE(n, type, work, bin, begins, identity) CNI_SHUFFLE(type, from.m##n, mask, m->m##n, lane ^ k); from.b##n = (int)cni_shuffle_word(mask, (unsigned)m->b##n, lane ^ k);
        OTHERS(MOVE)
#undef MOVE
        others_join(m, &from);
    }
    (void)mask, (void)lane;
}

CNI_INLINE sums sums_none(void)
{
    sums s;
#define CLEAR(k, type, work, bin, begins, identity) s.s##k = NOTHING_##k;
    SUMS(CLEAR)
#undef CLEAR
    s.none = 0;
    return s;
}

CNI_INLINE sums sums_of(const values *v)
{
    sums s;
#define SET(k, type, work, bin, begins, identity) s.s##k = WIDEN_##k(v->v##k);
    SUMS(SET)
#undef SET
    s.none = 0;
    (void)v;
    return s;
}

CNI_INLINE sums sums_plus(sums a, sums b)
{
#define PLUS(k, type, work, bin, begins, identity) a.s##k = plus_##k(a.s##k, b.s##k);
    SUMS(PLUS)
#undef PLUS
    (void)b;
    return a;
}

CNI_INLINE sums sums_from(sums a, unsigned mask, int lane)
{
    sums from = a;
#define MOVE(k, type, work, bin, begins, identity) CNI_SHUFFLE(work, from.s##k, mask, a.s##k, lane);
    SUMS(MOVE)
#undef MOVE
    (void)mask, (void)lane;
    return from;
}

/* ---- A chunk, by the LANES threads of the mask; lane: of the warp. All of them get the sum. ---- */

CNI_INLINE sums lanes_sum(sums s, unsigned mask, int lane)
{
    CNI_UNROLL
    for (int k = 1; k < LANES; k <<= 1) {
        s = sums_plus(s, sums_from(s, mask, lane ^ k));
    }
    return s;
}

CNI_INLINE unsigned lanes_mask(int lane)
{
    return LANES == WARP ? 0xFFFFFFFFu : ((1u << LANES % WARP) - 1) << (lane - lane % LANES);
}

/* A whole one; the mask may have other lanes, too. */
CNI_INLINE sums chunk_whole(const parameters *p, const offsets *base, index_t first, unsigned mask, int lane, others *m)
{
    const index_t mine = first + (index_t)(lane % LANES);
    sums s = sums_none();
    CNI_UNROLL
    for (int j = 0; j < CHUNK / LANES; j += FETCHED) {
        loads l[FETCHED];
        values v[FETCHED];
        CNI_UNROLL
        for (int i = 0; i < FETCHED; i++) {
            l[i] = fetch(p, base, mine + (index_t)((j + i) * LANES));
        }
        CNI_UNROLL
        for (int i = 0; i < FETCHED; i++) {
            v[i] = value_of(p, base, mine + (index_t)((j + i) * LANES), &l[i]);
            s = i + j == 0 ? sums_of(&v[i]) : sums_plus(s, sums_of(&v[i]));
        }
        others_take_all(m, v);
    }
    return lanes_sum(s, mask, lane);
}

/* One of any length. */
CNI_INLINE sums chunk_any(const parameters *p, const offsets *base, index_t first, int n, int lane, others *m)
{
    enum { AHEAD = LARGE ? 1 : FETCHED < 8 ? FETCHED : 8 };
    const int mine = lane % LANES, whole = n - n % LANES;
    const unsigned mask = lanes_mask(lane);
    sums s = sums_none();
    CNI_ROLLED
    for (int i = 0; i < whole; i += AHEAD * LANES) {
        loads l[AHEAD];
        CNI_UNROLL
        for (int k = 0; k < AHEAD; k++) {
            if (i + k * LANES < whole) {
                l[k] = fetch(p, base, first + (index_t)(i + k * LANES + mine));
            }
        }
        CNI_UNROLL
        for (int k = 0; k < AHEAD; k++) {
            if (i + k * LANES < whole) {
                const values v = value_of(p, base, first + (index_t)(i + k * LANES + mine), &l[k]);
                s = i + k == 0 ? sums_of(&v) : sums_plus(s, sums_of(&v));
                others_take(m, &v);
            }
        }
    }
    if (whole > 0) {
        s = lanes_sum(s, mask, lane);
    }
    if (whole < n) {
        sums rest = sums_none();
        if (mine < n - whole) {
            const values v = element(p, base, first + (index_t)(whole + mine));
            rest = sums_of(&v);
            others_take(m, &v);
        }
        CNI_ROLLED
        for (int i = 0; i < n - whole; i++) {
            s = sums_plus(s, sums_from(rest, mask, lane - mine + i));
        }
    }
    return s;
}

#if LARGE /* few are not whole: the ends of what has no whole leaf. What others use stays in registers. */
CNI_CALLED sums chunk_called(const parameters *p, const offsets *base, index_t first, int n, int lane, others *m)
{
    return chunk_any(p, base, first, n, lane, m);
}

CNI_INLINE sums chunk_sum(const parameters *p, const offsets *base, index_t first, int n, int lane, others *m)
{
    const offsets there = *base;
    others found = *m;
    const sums s = chunk_called(p, &there, first, n, lane, &found);
    *m = found;
    return s;
}
#else
CNI_INLINE sums chunk_sum(const parameters *p, const offsets *base, index_t first, int n, int lane, others *m)
{
    return n == CHUNK ? chunk_whole(p, base, first, lanes_mask(lane), lane, m) : chunk_any(p, base, first, n, lane, m);
}
#endif

/* Where slot `slot` of the tree over n elements lies; false if the tree has no such slot. */
CNI_INLINE int slot_find(int slot, int depth, int n, int *first, int *length)
{
    *first = 0;
    *length = n;
    CNI_ROLLED
    for (int level = depth - 1; level >= 0; level--) {
        if (*length <= CHUNK) {
            return (slot & ((2 << level) - 1)) == 0;
        }
        const int half = LANES == 8 ? *length / 2 - *length / 2 % 8 : (*length - *length % 8) / 2;
        if ((slot >> level & 1) != 0) {
            *first += half;
            *length -= half;
        } else {
            *length = half;
        }
    }
    return 1;
}

/* The pairwise sum of n elements by `width` threads. Depth: no chunk is larger after so many halvings. */
CNI_INLINE sums pairwise_sum(const parameters *p, const offsets *base, index_t first, int n, int depth, int width, int lane, others *m)
{
    const int part = lane % width / LANES, parts = width / LANES, slots = 1 << depth, each = slots > parts ? slots / parts : 1;
    const unsigned mask = width == WARP ? 0xFFFFFFFFu : ((1u << width % WARP) - 1) << (lane - lane % width);
    sums stack[8];
    int top = 0;
    CNI_ROLLED
    for (int j = 0; j < each; j++) {
        int start, length;
        const int slot = part * each + j;
        sums s = sums_none();
        if (slot < slots && slot_find(slot, depth, n, &start, &length)) {
            s = chunk_sum(p, base, first + (index_t)start, length, lane, m);
        }
        CNI_ROLLED
        for (int x = j; (x & 1) != 0; x >>= 1) {
            s = sums_plus(stack[--top], s);
        }
        stack[top++] = s;
    }
    sums s = stack[0];
    for (int k = LANES; k < width; k <<= 1) {
        s = sums_plus(s, sums_from(s, mask, lane ^ k));
    }
    return s;
}

/* A whole leaf by a warp: what pairwise_sum gives, without looking for slots. */
CNI_INLINE sums leaf_sum(const parameters *p, const offsets *base, index_t first, int lane, others *m)
{
    enum { PARTS = WARP / LANES, EACH = LEAF / CHUNK / PARTS };
    sums part[EACH];
    CNI_UNROLL
    for (int j = 0; j < EACH; j++) {
        part[j] = chunk_whole(p, base, first + (index_t)((lane / LANES * EACH + j) * CHUNK), 0xFFFFFFFFu, lane, m);
    }
    CNI_UNROLL
    for (int k = 1; k < EACH; k <<= 1) {
        CNI_UNROLL
        for (int j = 0; j < EACH; j += 2 * k) {
            part[j] = sums_plus(part[j], part[j + k]);
        }
    }
    sums s = part[0];
    for (int k = LANES; k < WARP; k <<= 1) {
        s = sums_plus(s, sums_from(s, 0xFFFFFFFFu, lane ^ k));
    }
    return s;
}

/* ---- Results ---- */

#define OTHER_FINISH(k, type, work, bin, begins, identity) \
    if (begins) { m.m##k = m.b##k ? fold_##k(BEGIN(k, type), m.m##k) : BEGIN(k, type); } \
    OUT(k, type) = m.m##k;

#if !LARGE

CNI_KERNEL(cni_kernel, parameters)
{
    const index_t r = (index_t)BLOCK * (256 / GROUP) + threadIdx.x / GROUP;
    const int lane = (int)(threadIdx.x % WARP);
    if (r >= (index_t)p.n[0]) {
        return;
    }
    const offsets base = result_at(&p, r);
    const int block = (int)p.n[2], depth = (int)p.n[6];
    others m;
    others_none(&m);
#define DECLARE(k, type, work, bin, begins, identity) type a##k = BEGIN(k, type);
    SUMS(DECLARE)
#undef DECLARE
    for (index_t e = 0; e < (index_t)p.n[1]; e += (index_t)block) {
        const sums s = pairwise_sum(&p, &base, e, block, depth, GROUP, lane, &m);
#define ADD(k, type, work, bin, begins, identity) a##k = NARROW_##k(plus_##k(WIDEN_##k(a##k), s.s##k));
        SUMS(ADD)
#undef ADD
        (void)s;
    }
    others_all(&m, GROUP == WARP ? 0xFFFFFFFFu : ((1u << GROUP % WARP) - 1) << (lane - lane % GROUP), lane, GROUP);
    if (lane % GROUP == 0) {
#define STORE(k, type, work, bin, begins, identity) OUT(k, type) = a##k;
        SUMS(STORE)
        OTHERS(OTHER_FINISH)
#undef STORE
    }
}

#else
#include "cuda/exact.cuh"

/* Scratch memory: by GPU, exact sums by result; then what the shares of a result found of the others. */
#define EXACT(gpu, r) ((int64_t *)p.n[7] + ((index_t)(gpu) * (index_t)p.n[0] + (r)) * NBINS * EXACT_WORDS)
#define SHARE(r, share) ((others *)EXACT(p.n[10], 0) + (r) * (index_t)p.n[3] + (share))

CNI_KERNEL(cni_kernel, parameters)
{
    const int warp = (int)(threadIdx.x / WARP), lane = (int)(threadIdx.x % WARP);
    const index_t shares = (index_t)p.n[3], r = BLOCK / shares, share = BLOCK % shares;
    const uint64_t leaves = (uint64_t)p.n[5], in_block = (uint64_t)p.n[4], block = (uint64_t)p.n[2];
    const uint64_t begin = (uint64_t)p.n[1], some = (uint64_t)p.n[6] - begin;
    const uint64_t first = begin + some * share / shares, end = begin + some * (share + 1) / shares;
    const offsets base = result_at(&p, r);
    others m;
    others_none(&m);
#if NBINS > 0
    CNI_SHARED int64_t bins[WARPS][NBINS][EXACT_WORDS];
    CNI_ROLLED
    for (unsigned i = threadIdx.x; i < WARPS * NBINS * EXACT_WORDS; i += 256) {
        (&bins[0][0][0])[i] = 0;
    }
    CNI_BARRIER();
#endif
    for (uint64_t leaf = first + (uint64_t)warp; leaf < end; leaf += WARPS) {
        const uint64_t which = in_block == leaves ? 0 : leaf / in_block, at = (leaf - which * in_block) * LEAF;
        const int n = block - at < LEAF ? (int)(block - at) : LEAF;
        const index_t e = (index_t)(which * block + at);
        const sums s = n == LEAF ? leaf_sum(&p, &base, e, lane, &m) : pairwise_sum(&p, &base, e, n, DEPTH, WARP, lane, &m);
#define ADD(k, type, work, bin, begins, identity) ADD_EXACT_##k(bins[warp][bin], plus_##k(ZERO_##k, s.s##k))
        if (lane == 0) {
            SUMS(ADD)
        }
#undef ADD
        (void)s;
    }
#if NBINS > 0
    CNI_BARRIER();
    CNI_ROLLED
    for (unsigned i = threadIdx.x; i < NBINS * EXACT_WORDS; i += 256) {
        const int flags = i % EXACT_WORDS == DIGITS;
        int64_t total = 0;
        for (int k = 0; k < WARPS; k++) {
            const int64_t word = (&bins[k][0][0])[i];
            total = flags != 0 ? total | word : total + word;
        }
        if (total != 0 && flags != 0) {
            cni_atomic_or(EXACT(p.n[9], r) + i, total);
        } else if (total != 0) {
            cni_atomic_add(EXACT(p.n[9], r) + i, total);
        }
    }
#endif
#if NOTHERS > 0
    CNI_SHARED others of_warps[WARPS];
    others_all(&m, 0xFFFFFFFFu, lane, WARP);
    if (lane == 0) {
        of_warps[warp] = m;
    }
    CNI_BARRIER();
    if (threadIdx.x == 0) {
        for (int k = 1; k < WARPS; k++) {
            others_join(&m, &of_warps[k]);
        }
        *SHARE(r, share) = m;
    }
#endif
}

#if RANGE
/* What is left of each result: its exact sums; then of each of the others a value in two words, and whether there is one. */
enum { LEFT_WORDS = NBINS * EXACT_WORDS + 4 * NOTHERS };
#define LEFT(r) ((int64_t *)((char *)EXACT(p.n[10], 0) + p.n[0] * p.n[3] * (NOTHERS + 1) * 32) + (r) * LEFT_WORDS)
#define LEAVE(k, type, work, bin, begins, identity) \
    memcpy(left, &m.m##k, sizeof m.m##k); left[2] = m.b##k; left += 4;
#endif

/* CNI_FINISH: a warp a result, four a block. */
CNI_KERNEL(cni_finish, parameters)
{
    const int warp = (int)(threadIdx.x / WARP), lane = (int)(threadIdx.x % WARP);
    const index_t r = (index_t)blockIdx.x * 4 + (index_t)warp;
    const int there = r < (index_t)p.n[0];
    others m;
    others_none(&m);
#if NBINS > 0
    CNI_SHARED int64_t bins[4][NBINS][EXACT_WORDS];
    int low = DIGITS, high = -1; /* digits that any of the sums has */
    CNI_ROLLED
    for (int i = lane; i < NBINS * EXACT_WORDS && there; i += WARP) {
        const int digit = i % EXACT_WORDS;
        int64_t total = 0;
        CNI_ROLLED
        for (int64_t gpu = 0; gpu < p.n[10]; gpu++) {
            const int64_t word = EXACT(gpu, r)[i];
            total = digit == DIGITS ? total | word : total + word;
        }
        (&bins[warp][0][0])[i] = total;
        if (total != 0 && digit < DIGITS) {
            low = digit < low ? digit : low;
            high = digit > high ? digit : high;
        }
    }
    CNI_ROLLED
    for (int k = 1; k < WARP; k <<= 1) {
        const int other_low = (int)cni_shuffle_word(0xFFFFFFFFu, (unsigned)low, lane ^ k);
        const int other_high = (int)cni_shuffle_word(0xFFFFFFFFu, (unsigned)high, lane ^ k);
        low = other_low < low ? other_low : low;
        high = other_high > high ? other_high : high;
    }
    CNI_BARRIER();
#endif
    if (!there) {
        return;
    }
    const offsets base = result_at(&p, r);
#if NOTHERS > 0
    for (index_t share = (index_t)lane; share < (index_t)p.n[3]; share += AT_ONCE * WARP) {
        others found[AT_ONCE];
        CNI_UNROLL
        for (int k = 0; k < AT_ONCE; k++) {
            others_none(&found[k]);
            if (share + (index_t)(k * WARP) < (index_t)p.n[3]) {
                found[k] = *SHARE(r, share + (index_t)(k * WARP));
            }
        }
        CNI_UNROLL
        for (int k = 0; k < AT_ONCE; k++) {
            others_join(&m, &found[k]);
        }
    }
    others_all(&m, 0xFFFFFFFFu, lane, WARP);
#endif
#if RANGE
    int64_t *left = LEFT(r);
#if NBINS > 0
    for (int i = lane; i < NBINS * EXACT_WORDS; i += WARP) {
        left[i] = (&bins[warp][0][0])[i];
    }
    left += NBINS * EXACT_WORDS;
#endif
    if (lane == 0) {
        OTHERS(LEAVE)
    }
    (void)base;
#else
    if (lane == 0) {
#define FINISH(k, type, work, bin, begins, identity) OUT(k, type) = fold_##k(BEGIN(k, type), FROM_EXACT_##k(bins[warp][bin]));
        SUMS(FINISH)
        OTHERS(OTHER_FINISH)
#undef FINISH
    }
#endif
}
#endif
