/*
 * gather_regions.cuh - elements of an array larger than the cache, by indices of which many name what lies far apart. Read
 * as they come, each costs the memory a line of which one element is used; read region by region, of REGIONS that each
 * fit into the cache, a line comes once for all that want something of it. Of several GPUs each does the tiles of its places,
 * but those regions that it has: indices and elements cross the link in rows.
 *
 *     cni_kernel   each tile of places puts its indices in order of their regions, and says where a region's begin
 *     fetch        (FETCH 1: a text of its own) region by region, of all tiles: the elements take their indices' turns
 *     cni_finish   each tile puts its elements in their places
 *
 * A tile of which most neighbours name elements less than a region apart takes them at once: such reads are good as they are.
 */
enum { WARP = 32, THREADS = 256, WARPS = THREADS / WARP, ITEMS = 16, TILE = THREADS * ITEMS, RUNS = 4 /* tiles of a warp */ };
#define ALL_LANES 0xFFFFFFFFu

typedef struct parameters {
    int64_t begin; /* the launch's first block */
    const TYPE *array;
    const char *flat;
    TYPE *side;
    char *kept;     /* of a tile: its indices in their order, then each place's turn in it */
    uint32_t *runs; /* [region][tile]: where a tile's run begins, and its length in the upper half */
    int64_t count, tiles, groups, shift, flat_step; /* groups of WARPS * RUNS tiles; a region: 2^shift elements */
} parameters;

CNI_INLINE uint32_t *indices_of(const parameters *p, int64_t tile)
{
    return (uint32_t *)(p->kept + tile * (TILE * 6));
}

CNI_INLINE uint16_t *turns_of(const parameters *p, int64_t tile)
{
    return (uint16_t *)(indices_of(p, tile) + TILE);
}

#if FETCH

CNI_KERNEL(cni_kernel, parameters)
{
    const int lane = (int)(threadIdx.x % WARP), warp = (int)(threadIdx.x / WARP);
    const int64_t block = p.begin + (int64_t)blockIdx.x, region = block / p.groups;
    const int64_t tile = (block % p.groups * WARPS + warp) * RUNS;
    int begin[RUNS], length[RUNS], longest = 0;
    CNI_UNROLL
    for (int k = 0; k < RUNS; k++) {
        const uint32_t run = tile + k < p.tiles ? p.runs[region * p.tiles + tile + k] : 0;
        begin[k] = (int)(run & 0xFFFFu);
        length[k] = (int)(run >> 16);
        longest = length[k] > longest ? length[k] : longest;
    }
    for (int i = lane; i < longest; i += 2 * WARP) {
        uint32_t index[2 * RUNS];
        TYPE v[2 * RUNS];
        CNI_UNROLL
        for (int k = 0; k < 2 * RUNS; k++) {
            const int at = i + k % 2 * WARP;
            index[k] = at < length[k / 2] ? indices_of(&p, tile + k / 2)[begin[k / 2] + at] : 0;
        }
        CNI_UNROLL
        for (int k = 0; k < 2 * RUNS; k++) {
            if (i + k % 2 * WARP < length[k / 2]) {
                v[k] = p.array[index[k]];
            }
        }
        CNI_UNROLL
        for (int k = 0; k < 2 * RUNS; k++) {
            const int at = i + k % 2 * WARP;
            if (at < length[k / 2]) {
                p.side[(tile + k / 2) * TILE + begin[k / 2] + at] = v[k];
            }
        }
    }
}

#else

#include "cuda/sums.cuh"

/* How many lanes of a warp name an element at least a region away from that of the lane below. */
CNI_INLINE unsigned far_neighbours(uint32_t index, int lane, int shift)
{
    const uint32_t below = cni_shuffle_word(ALL_LANES, index, lane > 0 ? lane - 1 : 0);
    return (unsigned)__builtin_popcount(cni_ballot((index > below ? index - below : below - index) >> shift != 0));
}

CNI_KERNEL(cni_kernel, parameters)
{
    CNI_SHARED uint32_t sorted[TILE];
    CNI_SHARED unsigned counts[REGIONS], far;
    const int lane = (int)(threadIdx.x % WARP), mine = (int)threadIdx.x, shift = (int)p.shift;
    const int64_t tile = p.begin + (int64_t)blockIdx.x, first = tile * TILE;
    const int count = (int)(p.count - first < TILE ? p.count - first : TILE);
    uint32_t index[ITEMS];
    unsigned turn[ITEMS], apart = 0;
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        const int i = mine + k * THREADS;
        index[k] = i < count ? (uint32_t)*(const int64_t *)(p.flat + (first + i) * p.flat_step) : 0;
    }
    if (mine < REGIONS) {
        counts[mine] = 0;
    }
    if (mine == 0) {
        far = 0;
    }
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        apart += far_neighbours(index[k], lane, shift);
    }
    CNI_BARRIER();
    if (lane == 0) {
        cni_shared_add(&far, apart);
    }
    CNI_BARRIER();
    if (2 * far < (unsigned)count) {
        CNI_UNROLL
        for (int k = 0; k < ITEMS; k++) {
            const int i = mine + k * THREADS;
            if (i < count) {
                p.side[first + i] = p.array[index[k]];
            }
        }
        if (mine < REGIONS) {
            p.runs[mine * p.tiles + tile] = 0;
        }
        return;
    }
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) { /* in any order: cni_finish knows it */
        if (mine + k * THREADS < count) {
            turn[k] = cni_ticket(&counts[index[k] >> shift]);
        }
    }
    CNI_BARRIER();
    const unsigned own = mine < REGIONS ? counts[mine] : 0, before = sum_before(own);
    if (mine < REGIONS) {
        p.runs[mine * p.tiles + tile] = before | own << 16;
        counts[mine] = before;
    }
    CNI_BARRIER();
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        const int i = mine + k * THREADS;
        if (i < count) {
            const unsigned at = counts[index[k] >> shift] + turn[k];
            sorted[at] = index[k];
            turns_of(&p, tile)[i] = (uint16_t)at;
        }
    }
    CNI_BARRIER();
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        const int i = mine + k * THREADS;
        if (i < count) {
            indices_of(&p, tile)[i] = sorted[i];
        }
    }
}

/* CNI_FINISH */
CNI_KERNEL(cni_finish, parameters)
{
    CNI_SHARED TYPE turned[TILE];
    const int mine = (int)threadIdx.x;
    const int64_t tile = p.begin + (int64_t)blockIdx.x, first = tile * TILE;
    const int count = (int)(p.count - first < TILE ? p.count - first : TILE);
    if (p.runs[(REGIONS - 1) * p.tiles + tile] == 0) {
        return; /* in place already */
    }
    uint16_t turn[ITEMS];
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        const int i = mine + k * THREADS;
        if (i < count) {
            turned[i] = p.side[first + i];
            turn[k] = turns_of(&p, tile)[i];
        }
    }
    CNI_BARRIER();
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        const int i = mine + k * THREADS;
        if (i < count) {
            p.side[first + i] = turned[turn[k]];
        }
    }
}

#endif
