/*
 * scan_long.cuh - accumulations along long lines, in the order that core/cpu/scan.c states for sums of floating-point
 * numbers. TYPE (8 bytes at most) and FOLD(a, b) are the text's.
 *
 *     run      RUN elements, one after the other
 *     tile     THREADS runs; what stands before a run: the nodes that make up its number, the largest first
 *     line     tiles; what stands before a tile likewise
 *     result   (what stands before the tile) + ((before the run) + (the run up to it))
 *
 * Node k of a tree is the fold of the 2**b leaves that end with leaf k, b the number of ones that k ends with. Half of the
 * tiles say theirs without waiting; nobody waits for a chain of tiles longer than the tree is high. A thread has a run;
 * elements go through shared memory, so that memory is read in rows.
 *
 * Of lines that go on elsewhere tiles wait for nobody: p.link has, by tile, what each comes to (LINK SUMS), or what stands
 * before it (LINK BEFORE; before the first of a line something, if goes_on). Where that is not for the processor to find out,
 * LINK TREE makes the one of the other, a thread a tile.
 */
#define SUMS 1
#define BEFORE 2
#define TREE 3
#define VALUE TYPE
#include "cuda/tiles.cuh"

enum { DIMS = 8, THREADS = 256, WARPS = THREADS / WARP, RUN = 16, TILE = THREADS * RUN, PER = 16 / sizeof(TYPE), PAD = RUN + PER };
enum { AHEAD = RUN / PER < 2 ? RUN / PER : 2 };

typedef struct CNI_ALIGN(16) some {
    TYPE v[PER];
} some;

typedef struct parameters {
    int64_t begin; /* LINK SUMS, BEFORE: the launch's first tile */
    const char *in;
    char *out, *scratch;
    int64_t lines, length, in_step, out_step, per_line; /* per_line: tiles */
    int64_t nouter, outer[DIMS], in_outer[DIMS], out_outer[DIMS];
    char *link;
    int64_t goes_on;
    uint64_t identity; /* what is behind a line's end, if it counts */
} parameters;

CNI_INLINE TYPE shuffled(TYPE v, int lane)
{
    TYPE from;
    CNI_SHUFFLE(TYPE, from, ALL_LANES, v, lane);
    return from;
}

/* Which leaf's node is the sum of the part of `leaf` that its bit b stands for. */
CNI_INLINE int node_of(int leaf, int b)
{
    return (leaf & ~((2 << b) - 1)) + (1 << b) - 1;
}

/* The lanes' sums become nodes. */
CNI_INLINE TYPE nodes(TYPE v, int lane, int width)
{
    CNI_UNROLL
    for (int d = 1; d < width; d *= 2) {
        const TYPE left = shuffled(v, lane >= d ? lane - d : lane);
        v = (lane & (2 * d - 1)) == 2 * d - 1 ? FOLD(left, v) : v;
    }
    return v;
}

/* before, if there is any, and the nodes of the leaf's bits, the largest first. */
CNI_INLINE TYPE leaves_before(TYPE v, int leaf, int width, TYPE before, bool *any)
{
    CNI_UNROLL
    for (int b = 4; b >= 0; b--) {
        if (1 << b < width) {
            const TYPE node = shuffled(v, node_of(leaf, b) & (WARP - 1));
            if ((leaf >> b & 1) != 0) {
                before = *any ? FOLD(before, node) : node;
                *any = true;
            }
        }
    }
    return before;
}

/* A warp's: waits for the nodes that stand before the tile and says its own. Gives what stands before; false: nothing. */
CNI_INLINE bool tile_nodes(const tiles *t, int64_t line, int64_t within, TYPE own, int lane, TYPE *before)
{
    const bool wanted = (within >> lane & 1) != 0, inner = lane < 31 && (within & (((int64_t)1 << (lane + 1)) - 1)) == ((int64_t)1 << (lane + 1)) - 1;
    uint64_t state;
    TYPE node = own, sum = own;
    if (inner) { /* what is left of the tile's own node */
        node = tile_wait(t, line + within - ((int64_t)1 << lane), &state);
    }
    for (int b = 0; (within >> b & 1) != 0; b++) {
        sum = FOLD(shuffled(node, b), sum);
    }
    if (lane == 0) {
        tile_say(t, line + within, 1, sum);
    }
    if (wanted && !inner) {
        node = tile_wait(t, line + (within >> lane >> 1 << 1 << lane) + ((int64_t)1 << lane) - 1, &state);
    }
    bool any = false;
    *before = own;
    for (int b = 31 - __builtin_clz((unsigned)within | 1); b >= 0; b--) {
        const TYPE part = shuffled(node, b);
        if ((within >> b & 1) != 0) {
            *before = any ? FOLD(*before, part) : part;
            any = true;
        }
    }
    return any;
}

CNI_INLINE TYPE run_fold(const some *mine)
{
    some x = mine[0];
    TYPE total = x.v[0];
    CNI_UNROLL
    for (int k = 0; k < RUN / PER; k++) {
        x = mine[k];
        CNI_UNROLL
        for (int j = k == 0; j < PER; j++) {
            total = FOLD(total, x.v[j]);
        }
    }
    return total;
}

#if LINK == TREE

CNI_KERNEL(cni_kernel, parameters)
{
    CNI_SHARED TYPE totals[WARPS], found;
    const int lane = (int)(threadIdx.x % WARP), warp = (int)(threadIdx.x / WARP);
    const tiles t = tiles_at(p.scratch);
    const int64_t block = tile_take(&t), blocks = (p.per_line + THREADS - 1) / THREADS, within = block % blocks;
    const int64_t at = within * THREADS + (int64_t)threadIdx.x;
    TYPE *const link = (TYPE *)p.link + block / blocks * p.per_line + at;
    TYPE own;
    memcpy(&own, &p.identity, sizeof own);
    if (at < p.per_line) {
        own = *link;
    }
    const TYPE node = nodes(own, lane, WARP);
    if (lane == WARP - 1) {
        totals[warp] = node;
    }
    CNI_BARRIER();
    const TYPE above = nodes(totals[lane % WARPS], lane % WARPS, WARPS);
    if (warp == 0) {
        TYPE earlier;
        tile_nodes(&t, block - within, within, shuffled(above, WARPS - 1), lane, &earlier);
        if (lane == 0) {
            found = earlier;
        }
    }
    CNI_BARRIER();
    bool any = within > 0;
    TYPE before = leaves_before(above, warp, WARPS, found, &any);
    before = leaves_before(node, lane, WARP, before, &any);
    if (at < p.per_line) {
        *link = before;
    }
}

#else

/* Where element e of a warp's, and those behind it that move together, are in shared memory. */
#define PLACE(e) (rows + (warp * WARP + (e) / RUN) * PAD + (e) % RUN)

CNI_KERNEL(cni_kernel, parameters)
{
    CNI_SHARED CNI_ALIGN(16) TYPE rows[THREADS * PAD];
    CNI_SHARED TYPE totals[WARPS], found;
    const int lane = (int)(threadIdx.x % WARP), warp = (int)(threadIdx.x / WARP);
#if LINK
    const int64_t tile = p.begin + (int64_t)blockIdx.x;
#else
    const tiles t = tiles_at(p.scratch);
    const int64_t tile = tile_take(&t);
#endif
    int64_t line = 0, within = tile;
    const char *in = p.in;
    char *out = p.out;
    if (p.lines > 1) {
        line = tile / p.per_line;
        within = tile % p.per_line;
        for (int d = (int)p.nouter - 1; d >= 0; d--) {
            const int64_t at = line % p.outer[d];
            line /= p.outer[d];
            in += at * p.in_outer[d];
            out += at * p.out_outer[d];
        }
    }
    const int64_t first = within * TILE + warp * WARP * RUN;
    const bool together = p.in_step == sizeof(TYPE) && p.out_step == sizeof(TYPE) && ((uint64_t)in | (uint64_t)out) % 16 == 0 &&
                          (within + 1) * TILE <= p.length;
    if (together) {
        CNI_UNROLL
        for (int k = 0; k < RUN / PER; k += AHEAD) {
            some ahead[AHEAD];
            CNI_UNROLL
            for (int j = 0; j < AHEAD; j++) {
                ahead[j] = *(const some *)((const TYPE *)in + first + ((k + j) * WARP + lane) * PER);
            }
            CNI_UNROLL
            for (int j = 0; j < AHEAD; j++) {
                *(some *)PLACE(((k + j) * WARP + lane) * PER) = ahead[j];
            }
        }
    } else {
        TYPE behind; /* the end: folded into nothing that is stored, or into a sum */
        memcpy(&behind, &p.identity, sizeof behind);
        CNI_ROLLED
        for (int e = lane; e < RUN * WARP; e += WARP) {
            *PLACE(e) = first + e < p.length ? *(const TYPE *)(in + (first + e) * p.in_step) : behind;
        }
    }
    CNI_WARP_BARRIER();
    some *const mine = (some *)(rows + (int)threadIdx.x * PAD); /* not kept: registers are what processors lack */
    TYPE total = run_fold(mine);
    const TYPE node = nodes(total, lane, WARP);
    if (lane == WARP - 1) {
        totals[warp] = node;
    }
    CNI_BARRIER();
    const TYPE above = nodes(totals[lane % WARPS], lane % WARPS, WARPS);
#if LINK == SUMS
    if (warp == 0) {
        const TYPE sum = shuffled(above, WARPS - 1);
        if (lane == 0) {
            ((TYPE *)p.link)[tile] = sum;
        }
    }
#else
#if LINK == BEFORE
    if (threadIdx.x == 0) {
        found = ((const TYPE *)p.link)[tile];
    }
#else
    if (warp == 0) {
        TYPE earlier;
        tile_nodes(&t, tile - within, within, shuffled(above, WARPS - 1), lane, &earlier);
        if (lane == 0) {
            found = earlier;
        }
    }
#endif
    bool any = false;
    TYPE before = leaves_before(above, warp, WARPS, node, &any);
    before = leaves_before(node, lane, WARP, before, &any);
    CNI_BARRIER();
    const TYPE earlier = found;
    CNI_UNROLL
    for (int k = 0; k < RUN / PER; k++) {
        some x = mine[k];
        CNI_UNROLL
        for (int j = 0; j < PER; j++) {
            total = k + j == 0 ? x.v[j] : FOLD(total, x.v[j]);
            const TYPE here = any ? FOLD(before, total) : total;
            x.v[j] = within > 0 || (LINK != 0 && p.goes_on != 0) ? FOLD(earlier, here) : here;
        }
        mine[k] = x;
    }
    CNI_WARP_BARRIER();
    if (together) {
        CNI_UNROLL
        for (int k = 0; k < RUN / PER; k++) {
            *(some *)((TYPE *)out + first + (k * WARP + lane) * PER) = *(const some *)PLACE((k * WARP + lane) * PER);
        }
    } else {
        CNI_ROLLED
        for (int e = lane; e < RUN * WARP; e += WARP) {
            if (first + e < p.length) {
                *(TYPE *)(out + (first + e) * p.out_step) = *PLACE(e);
            }
        }
    }
#endif
}

#endif
