/* sums.cuh - sums over the threads of a block. The text says WARP, WARPS and ALL_LANES. */

/* Exclusive sums of a word of each thread. */
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
