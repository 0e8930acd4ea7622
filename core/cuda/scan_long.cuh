/*
 * scan_long.cuh - accumulations along few, long lines whose fold may be taken in any order. A warp of a tile has a run of
 * WARP * ITEMS elements. TYPE and FOLD(a, b) are the text's.
 */
#define VALUE TYPE
#include "cuda/lookback.cuh"

enum { DIMS = 8, THREADS = 256, WARPS = THREADS / WARP, ITEMS = 8, TILE = THREADS * ITEMS };

typedef struct parameters {
    const char *in;
    char *out, *scratch;
    int64_t lines, length, in_step, out_step, per_line; /* per_line: tiles */
    int64_t nouter, outer[DIMS], in_outer[DIMS], out_outer[DIMS];
} parameters;

CNI_KERNEL(cni_kernel, parameters)
{
    CNI_SHARED TYPE totals[WARPS];
    const int lane = (int)(threadIdx.x % WARP), warp = (int)(threadIdx.x / WARP);
    const tiles t = tiles_at(p.scratch, p.lines * p.per_line);
    const int64_t tile = tile_take(&t), within = tile % p.per_line;
    int64_t line = tile / p.per_line;
    const char *in = p.in;
    char *out = p.out;
    for (int d = (int)p.nouter - 1; d >= 0; d--) {
        const int64_t at = line % p.outer[d];
        line /= p.outer[d];
        in += at * p.in_outer[d];
        out += at * p.out_outer[d];
    }
    const int64_t first = within * TILE + (int64_t)warp * WARP * ITEMS + lane;
    TYPE v[ITEMS];
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) { /* what is behind the end is folded into nothing that is stored */
        const int64_t i = first + k * WARP;
        v[k] = *(const TYPE *)(in + (i < p.length ? i : p.length - 1) * p.in_step);
    }
    TYPE carry = v[0];
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        v[k] = warp_upto(v[k], lane);
        v[k] = k > 0 ? FOLD(carry, v[k]) : v[k];
        CNI_SHUFFLE(TYPE, carry, ALL_LANES, v[k], WARP - 1);
    }
    if (lane == 0) {
        totals[warp] = carry;
    }
    CNI_BARRIER();
    TYPE own = totals[0], before = own;
    for (int w = 1; w < WARPS; w++) {
        before = w == warp ? own : before;
        own = FOLD(own, totals[w]);
    }
    TYPE earlier;
    const bool some = tile_before(&t, tile, within == 0, own, &earlier);
    if (some) {
        before = warp > 0 ? FOLD(earlier, before) : earlier;
    }
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        const int64_t i = first + k * WARP;
        if (i < p.length) {
            *(TYPE *)(out + i * p.out_step) = some || warp > 0 ? FOLD(before, v[k]) : v[k];
        }
    }
}
