/*
 * small_solve.cuh - right-hand sides of the transposed matrices, whose P L U small_lu.cuh has made: U' y = b, L' z = y, x = P' z.
 * PHASES threads, which the text says, have a right-hand side, each every PHASES-th element, in registers; or, of FEW, a thread
 * has a row of each in turn.
 */
#include "cuda/small.cuh"

#if FEW

CNI_KERNEL(cni_kernel, parameters)
{
    CNI_SHARED TYPE right[TEAMS * SIZE];
    MATRICES()
    const int n = (int)p.rows;
    const int64_t here = matrix < p.batch ? matrix : p.batch - 1; /* who has none does another's, and stores nothing */
    const int64_t *const pivots = (const int64_t *)p.arrays[1] + here * n;
    TYPE *const x = right + team * SIZE;
    for (int64_t c = 0; c < p.others; c++) {
        TYPE *const b = (TYPE *)p.arrays[2] + (here * p.others + c) * n;
        for (int i = mine; i < n; i += TEAM) {
            x[i] = b[i];
        }
        TEAM_BARRIER();
        for (int k = 0; k < n; k++) {
            const TYPE y = over(x[k], AT(k, k));
            TEAM_BARRIER();
            for (int i = mine; i < n; i += TEAM) {
                x[i] = i > k ? less_times(x[i], AT(k, i), y) : i == k ? y : x[i];
            }
            TEAM_BARRIER();
        }
        for (int k = n - 1; k >= 0; k--) {
            const TYPE z = x[k];
            for (int i = mine; i < k; i += TEAM) {
                x[i] = less_times(x[i], AT(k, i), z);
            }
            TEAM_BARRIER();
        }
        for (int k = n - 1; k >= 0 && mine == 0; k--) {
            const int at = (int)pivots[k] - 1;
            const TYPE there = x[at];
            x[at] = x[k];
            x[k] = there;
        }
        TEAM_BARRIER();
        for (int i = mine; i < n && matrix < p.batch; i += TEAM) {
            b[i] = x[i];
        }
        TEAM_BARRIER();
    }
}

#else

enum { WARP = 32, EACH = SIZE / PHASES };
#define ALL_LANES 0xFFFFFFFFu

/* x[j] of the thread of this phase that has the same right-hand side. */
CNI_INLINE TYPE of_phase(TYPE x, int phase)
{
    TYPE result;
    CNI_SHUFFLE(TYPE, result, ALL_LANES, x, (int)threadIdx.x % WARP / PHASES * PHASES + phase);
    return result;
}

/* U' y = b, L' z = y; x[j]: element j * PHASES + phase. */
CNI_INLINE void substitute(const TYPE *m, int n, int phase, TYPE *x)
{
    CNI_UNROLL
    for (int j = 0; j < EACH; j++) {
        CNI_ROLLED
        for (int q = 0; q < PHASES && j * PHASES + q < n; q++) {
            const int k = j * PHASES + q;
            const TYPE y = over(of_phase(x[j], q), AT(k, k));
            x[j] = phase > q ? less_times(x[j], AT(k, j * PHASES + phase), y) : phase == q ? y : x[j];
            CNI_UNROLL
            for (int i = j + 1; i < EACH; i++) {
                x[i] = less_times(x[i], AT(k, i * PHASES + phase), y);
            }
        }
    }
    CNI_UNROLL
    for (int j = EACH - 1; j >= 0; j--) {
        CNI_ROLLED
        for (int q = n - j * PHASES < PHASES ? n - j * PHASES - 1 : PHASES - 1; q >= 0; q--) {
            const int k = j * PHASES + q;
            const TYPE z = of_phase(x[j], q);
            x[j] = phase < q ? less_times(x[j], AT(k, j * PHASES + phase), z) : x[j];
            CNI_UNROLL
            for (int i = 0; i < j; i++) {
                x[i] = less_times(x[i], AT(k, i * PHASES + phase), z);
            }
        }
    }
}

CNI_KERNEL(cni_kernel, parameters)
{
    CNI_SHARED uint8_t places[TEAMS * SIZE]; /* of rows, once they have changed places */
    MATRICES()
    const int n = (int)p.rows, phase = mine % PHASES;
    const int64_t here = matrix < p.batch ? matrix : p.batch - 1; /* who has none does another's, and stores nothing */
    const int64_t *const pivots = (const int64_t *)p.arrays[1] + here * n;
    for (int i = mine; i < n; i += TEAM) {
        int at = i;
        for (int k = n - 1; k >= 0; k--) {
            const int there = (int)pivots[k] - 1;
            at = at == k ? there : at == there ? k : at;
        }
        places[team * SIZE + i] = (uint8_t)at;
    }
    TEAM_BARRIER();
    for (int64_t first = 0; first < p.others; first += TEAM / PHASES) {
        const int64_t c = first + mine / PHASES;
        TYPE *const b = (TYPE *)p.arrays[2] + (here * p.others + (c < p.others ? c : 0)) * n;
        TYPE x[EACH];
        CNI_UNROLL
        for (int j = 0; j < EACH; j++) {
            x[j] = j * PHASES + phase < n ? b[j * PHASES + phase] : make(0, 0);
        }
        substitute(m, n, phase, x);
        CNI_UNROLL
        for (int j = 0; j < EACH; j++) {
            if (j * PHASES + phase < n && c < p.others && matrix < p.batch) {
                b[places[team * SIZE + j * PHASES + phase]] = x[j];
            }
        }
    }
}

#endif
