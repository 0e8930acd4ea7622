/*
 * lookback.cuh - what stands before each tile of a long line, in one pass: a tile says its own fold at once, then folds
 * those before it, up to one that knows everything before itself. VALUE and FOLD (associative and commutative) are the
 * text's. Tiles are taken in order by a ticket, so that a tile waits only for tiles that run.
 *
 *     scratch:  ticket, flags[tiles] (zeroed), own[tiles], upto[tiles]
 */
enum { WARP = 32, NOTHING = 0, OWN = 1, UPTO = 2 };
#define ALL_LANES 0xFFFFFFFFu

typedef struct tiles {
    unsigned *ticket, *flags;
    VALUE *own, *upto;
} tiles;

CNI_INLINE tiles tiles_at(char *scratch, int64_t count)
{
    tiles t;
    t.ticket = (unsigned *)scratch;
    t.flags = t.ticket + 4;
    t.own = (VALUE *)(scratch + (16 + 4 * count + 15) / 16 * 16);
    t.upto = t.own + count;
    return t;
}

CNI_INLINE int64_t tile_take(const tiles *t)
{
    CNI_SHARED unsigned taken;
    if (threadIdx.x == 0) {
        taken = cni_ticket(t->ticket);
    }
    CNI_BARRIER();
    return (int64_t)taken;
}

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
    VALUE before = t->own[tile];
    bool some = false;
    for (int64_t at = tile - 1 - lane;; at -= WARP) {
        unsigned flag = UPTO;
        VALUE v = before;
        if (at >= 0) {
            do {
                flag = cni_observe(&t->flags[at]);
            } while (flag == NOTHING);
            v = flag == UPTO ? *(const volatile VALUE *)&t->upto[at] : *(const volatile VALUE *)&t->own[at];
        }
        const unsigned ends = cni_ballot(flag == UPTO);
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
        *(first ? &t->upto[tile] : &t->own[tile]) = own;
        cni_publish(&t->flags[tile], first ? UPTO : OWN);
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
            t->upto[tile] = FOLD(v, own);
            cni_publish(&t->flags[tile], UPTO);
        }
    }
    CNI_BARRIER();
    *before = found;
    return !first;
}
