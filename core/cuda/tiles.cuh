/*
 * tiles.cuh - tiles of a long line, a block each, that tell each other a VALUE (8 bytes at most) through a word that is
 * written as one with what it means. Taken in order by a ticket: a tile may wait for any that was taken before it.
 *
 *     scratch:  ticket, words[tiles] (zeroed)
 */
enum { WARP = 32 };
#define ALL_LANES 0xFFFFFFFFu

typedef struct tiles {
    unsigned *ticket;
    char *words;
} tiles;

CNI_INLINE tiles tiles_at(char *scratch)
{
    tiles t;
    t.ticket = (unsigned *)scratch;
    t.words = scratch + 16;
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

/* state: not 0. */
CNI_INLINE void tile_say(const tiles *t, int64_t tile, uint64_t state, VALUE value)
{
    uint64_t word = 0;
    memcpy(&word, &value, sizeof value);
    cni_publish(t->words + 16 * tile, state, word);
}

/* Waits until the tile has said something. */
CNI_INLINE VALUE tile_wait(const tiles *t, int64_t tile, uint64_t *state)
{
    uint64_t word;
    VALUE value;
    do {
        *state = cni_observe(t->words + 16 * tile, &word);
    } while (*state == 0);
    memcpy(&value, &word, sizeof value);
    return value;
}
