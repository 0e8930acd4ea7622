/*
 * select.cuh - the elements at which bytes are true, in order: their places, or (TYPE given) the elements of an array. A
 * thread has RUN bytes. Of several GPUs each has a run of tiles, among which it looks back; what those of the GPUs before it
 * choose is counted first (COUNTED 1: cni_finish). Of several places (PLACES 1) each has bytes from p.at on, and chooses
 * what is number p.before and on of all: what is of [p.low, p.high) goes to out, the rest to asked (exec/joint_device.h).
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
    int64_t n, aligned, begin, stop; /* the GPU's tiles, of all */
    int64_t *counts;                 /* by GPU */
    int64_t gpu, threads; /* threads: of cni_finish */
#if PLACES
    char *asked; /* where what is number 0 of all would be */
    int64_t at, before, low, high;
#endif
} parameters;

#ifdef TYPE
typedef TYPE chosen_t;
#else
typedef int64_t chosen_t;
#endif

/* Where what is chosen goes by its number. */
CNI_INLINE chosen_t *place_of(const parameters *p, int64_t number)
{
#if PLACES
    return (chosen_t *)(number >= p->low && number < p->high ? p->out : p->asked) + number;
#else
    return (chosen_t *)p->out + number;
#endif
}

#if COUNTED
/* CNI_FINISH */
CNI_KERNEL(cni_finish, parameters)
{
    CNI_SHARED unsigned all;
    const int64_t end = p.stop * TILE < p.n ? p.stop * TILE : p.n;
    unsigned count = 0;
    if (threadIdx.x == 0) {
        all = 0;
    }
    CNI_BARRIER();
    CNI_UNROLL_4
    for (int64_t i = p.begin * TILE + (int64_t)blockIdx.x * THREADS + threadIdx.x; i < end; i += p.threads) {
        count += p.truth[i] != 0;
    }
    cni_shared_add(&all, count);
    CNI_BARRIER();
    if (threadIdx.x == 0) {
        cni_atomic_add(&p.counts[p.gpu], (int64_t)all);
    }
}
#endif

CNI_KERNEL(cni_kernel, parameters)
{
    CNI_SHARED uint16_t chosen[TILE];
    CNI_SHARED int totals[WARPS];
    const int lane = (int)(threadIdx.x % WARP), warp = (int)(threadIdx.x / WARP);
    const tiles t = tiles_at(p.scratch);
    const int64_t tile = tile_take(&t), first = (p.begin + tile) * TILE, mine = first + (int64_t)threadIdx.x * RUN;
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
    int64_t place = tile_before(&t, tile, tile == 0, own, &earlier) ? earlier : 0;
    for (int64_t gpu = 0; gpu < p.gpu; gpu++) {
        place += p.counts[gpu];
    }
#if PLACES
    place += p.before;
#endif
#ifdef TYPE
    CNI_UNROLL
    for (int k = 0; k < RUN; k += AHEAD) {
        CNI_UNROLL
        for (int j = 0; j < AHEAD; j++) {
            const int i = (int)threadIdx.x + (k + j) * THREADS;
            if (i < own) {
                *place_of(&p, place + i) = v[j];
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
#if PLACES
            *place_of(&p, place + i) = p.at + first + chosen[i];
#else
            *place_of(&p, place + i) = first + chosen[i];
#endif
        }
    }
#endif
}
