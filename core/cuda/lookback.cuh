/*
 * lookback.cuh - what stands before each tile of a long line, in one pass: a tile says its own fold at once, then folds
 * those before it, up to one that knows everything before itself. VALUE (8 bytes at most) and FOLD (associative and
 * commutative) are the text's. Tiles are taken in order by a ticket, so that a tile waits only for tiles that run.
 *
 *     scratch:  ticket, words[tiles] (zeroed): what is known, and the value, as one
 */
enum { NOTHING = 0, OWN = 1, UPTO = 2 };
#include "cuda/tiles.cuh"

/* A warp's: v becomes the fold of its lanes up to each. */
CNI_INLINE VALUE warp_upto(VALUE v, int lane)
{
    CNI_UNROLL
    for (int d = 1; d < WARP; d *= 2) {
        VALUE below;
        CNI_SHUFFLE(VALUE, below, ALL_LANES, v, lane - d < 0 ? lane : lane - d);
        v = lane >= d ? FOLD(below, v) : v;
    }
    return v;
}

/* A warp's: what stands before the tile, which is not the first of its line. */
CNI_INLINE VALUE tiles_before(const tiles *t, int64_t tile, int lane)
{
    VALUE before;
    memset(&before, 0, sizeof before);
    bool some = false;
    for (int64_t at = tile - 1 - lane;; at -= WARP) {
        uint64_t state = UPTO;
        VALUE v = before;
        if (at >= 0) {
            v = tile_wait(t, at, &state);
        }
        const unsigned ends = cni_ballot(state == UPTO);
        const int last = ends != 0 ? __builtin_ctz(ends) : WARP - 1; /* the nearest that knows all before it */
        CNI_UNROLL
        for (int d = 1; d < WARP; d *= 2) { /* lane k: the fold of lanes k to last */
            VALUE above;
            CNI_SHUFFLE(VALUE, above, ALL_LANES, v, lane + d >= WARP ? lane : lane + d);
            v = lane + d <= last ? FOLD(above, v) : v;
        }
        VALUE all;
        CNI_SHUFFLE(VALUE, all, ALL_LANES, v, 0);
        before = some ? FOLD(all, before) : all;
        some = true;
        if (ends != 0) {
            return before;
        }
    }
}

/* Every thread calls it, as soon as the tile's own fold is known: those behind need not wait for more. */
CNI_INLINE void tile_own(const tiles *t, int64_t tile, bool first, VALUE own)
{
    if (threadIdx.x == 0) {
        tile_say(t, tile, first ? UPTO : OWN, own);
    }
}

/* Then every thread calls it; before: what stands before the tile in its line. False: it is the line's first. */
CNI_INLINE bool tile_before(const tiles *t, int64_t tile, bool first, VALUE own, VALUE *before)
{
    CNI_SHARED VALUE found;
    if (threadIdx.x < WARP && !first) {
        const VALUE v = tiles_before(t, tile, (int)threadIdx.x);
        if (threadIdx.x == 0) {
            found = v;
            tile_say(t, tile, UPTO, FOLD(v, own));
        }
    }
    CNI_BARRIER();
    *before = found;
    return !first;
}
