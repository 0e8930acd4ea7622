/*
 * scan_long.cuh - accumulations along few, long lines whose fold may be taken in any order. A warp of a tile has ROUNDS
 * runs of WARP * PER elements, a lane PER of each: 16 bytes, moved as one where both sides are contiguous. TYPE (8 bytes
 * at most) and FOLD(a, b) are the text's.
 */
#define VALUE TYPE
#include "cuda/lookback.cuh"

enum { DIMS = 8, THREADS = 256, WARPS = THREADS / WARP, PER = 16 / sizeof(TYPE), ROUNDS = sizeof(TYPE), ITEMS = PER * ROUNDS };
enum { TILE = THREADS * ITEMS };

typedef struct CNI_ALIGN(16) some {
    TYPE v[PER];
} some;

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
    const int64_t first = within * TILE + (int64_t)warp * WARP * ITEMS + lane * PER;
    const bool together = p.in_step == sizeof(TYPE) && p.out_step == sizeof(TYPE) && ((uint64_t)in | (uint64_t)out) % 16 == 0 &&
                          (within + 1) * TILE <= p.length;
    some x[ROUNDS];
    CNI_UNROLL
    for (int k = 0; k < ROUNDS; k++) { /* what is behind the end is folded into nothing that is stored */
        const int64_t i = first + k * WARP * PER;
        if (together) {
            x[k] = *(const some *)((const TYPE *)in + i);
        } else {
            CNI_UNROLL
            for (int j = 0; j < PER; j++) {
                x[k].v[j] = *(const TYPE *)(in + (i + j < p.length ? i + j : p.length - 1) * p.in_step);
            }
        }
    }
    TYPE carry = x[0].v[0];
    CNI_UNROLL
    for (int k = 0; k < ROUNDS; k++) {
        CNI_UNROLL
        for (int j = 1; j < PER; j++) {
            x[k].v[j] = FOLD(x[k].v[j - 1], x[k].v[j]);
        }
        TYPE ahead;
        const TYPE upto = warp_upto(x[k].v[PER - 1], lane);
        CNI_SHUFFLE(TYPE, ahead, ALL_LANES, upto, lane > 0 ? lane - 1 : 0);
        if (k > 0) {
            ahead = lane > 0 ? FOLD(carry, ahead) : carry;
        }
        CNI_UNROLL
        for (int j = 0; j < PER; j++) {
            x[k].v[j] = k > 0 || lane > 0 ? FOLD(ahead, x[k].v[j]) : x[k].v[j];
        }
        CNI_SHUFFLE(TYPE, carry, ALL_LANES, x[k].v[PER - 1], WARP - 1);
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
    tile_own(&t, tile, within == 0, own);
    TYPE earlier;
    const bool any = tile_before(&t, tile, within == 0, own, &earlier);
    if (any) {
        before = warp > 0 ? FOLD(earlier, before) : earlier;
    }
    CNI_UNROLL
    for (int k = 0; k < ROUNDS; k++) {
        const int64_t i = first + k * WARP * PER;
        CNI_UNROLL
        for (int j = 0; j < PER; j++) {
            x[k].v[j] = any || warp > 0 ? FOLD(before, x[k].v[j]) : x[k].v[j];
            if (!together && i + j < p.length) {
                *(TYPE *)(out + (i + j) * p.out_step) = x[k].v[j];
            }
        }
        if (together) {
            *(some *)((TYPE *)out + i) = x[k];
        }
    }
}
