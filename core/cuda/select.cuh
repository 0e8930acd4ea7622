/*
 * select.cuh - the elements at which bytes are true, in order: their places, or (TYPE given) the elements of an array. A
 * thread has RUN bytes.
 */
#define VALUE int64_t
#define FOLD(a, b) ((a) + (b))
#include "cuda/lookback.cuh"

enum { THREADS = 256, WARPS = THREADS / WARP, RUN = 16, TILE = THREADS * RUN, AHEAD = 8 };

typedef struct CNI_ALIGN(16) run_of_bytes {
    uint8_t b[RUN];
} run_of_bytes;

typedef struct parameters {
    const uint8_t *truth;
    const char *array;
    char *out, *scratch;
    int64_t n, tiles, aligned;
} parameters;

CNI_KERNEL(cni_kernel, parameters)
{
    CNI_SHARED uint16_t chosen[TILE];
    CNI_SHARED int totals[WARPS];
    const int lane = (int)(threadIdx.x % WARP), warp = (int)(threadIdx.x / WARP);
    const tiles t = tiles_at(p.scratch);
    const int64_t tile = tile_take(&t), first = tile * TILE, mine = first + (int64_t)threadIdx.x * RUN;
    run_of_bytes run;
    if (p.aligned != 0 && mine + RUN <= p.n) {
        run = *(const run_of_bytes *)(p.truth + mine);
    } else {
        for (int k = 0; k < RUN; k++) {
            run.b[k] = mine + k < p.n ? p.truth[mine + k] : 0;
        }
    }
    int count = 0;
    CNI_UNROLL
    for (int k = 0; k < RUN; k++) {
        count += run.b[k] != 0;
    }
    int upto = count;
    CNI_UNROLL
    for (int d = 1; d < WARP; d *= 2) {
        const int below = (int)cni_shuffle_word(ALL_LANES, (unsigned)upto, lane - d < 0 ? lane : lane - d);
        upto += lane >= d ? below : 0;
    }
    if (lane == WARP - 1) {
        totals[warp] = upto;
    }
    CNI_BARRIER();
    int own = 0, before = 0;
    int64_t earlier = 0;
    for (int w = 0; w < WARPS; w++) {
        before += w < warp ? totals[w] : 0;
        own += totals[w];
    }
    int at = before + upto - count;
    CNI_UNROLL
    for (int k = 0; k < RUN; k++) {
        if (run.b[k] != 0) {
            chosen[at++] = (uint16_t)((int)threadIdx.x * RUN + k);
        }
    }
    tile_own(&t, tile, tile == 0, own);
    CNI_BARRIER();
#ifdef TYPE /* on their way while the tile waits for those before it */
    TYPE v[AHEAD];
    CNI_UNROLL
    for (int k = 0; k < AHEAD; k++) {
        const int i = (int)threadIdx.x + k * THREADS;
        if (i < own) {
            v[k] = ((const TYPE *)p.array)[first + chosen[i]];
        }
    }
#endif
    const int64_t place = tile_before(&t, tile, tile == 0, own, &earlier) ? earlier : 0;
#ifdef TYPE
    CNI_UNROLL
    for (int k = 0; k < RUN; k += AHEAD) {
        CNI_UNROLL
        for (int j = 0; j < AHEAD; j++) {
            const int i = (int)threadIdx.x + (k + j) * THREADS;
            if (i < own) {
                ((TYPE *)p.out)[place + i] = v[j];
            }
        }
        CNI_UNROLL
        for (int j = 0; j < AHEAD; j++) {
            const int i = (int)threadIdx.x + (k + AHEAD + j) * THREADS;
            if (k + AHEAD < RUN && i < own) {
                v[j] = ((const TYPE *)p.array)[first + chosen[i]];
            }
        }
    }
#else
    CNI_UNROLL
    for (int k = 0; k < RUN; k++) {
        const int i = (int)threadIdx.x + k * THREADS;
        if (i < own) {
            ((int64_t *)p.out)[place + i] = first + chosen[i];
        }
    }
#endif
}
