/*
 * small_solve.cuh - right-hand sides of the transposed matrices, whose P L U small_lu.cuh has made: U' y = b, L' z = y, x = P' z.
 * A thread has a right-hand side; or, of FEW, a row of each in turn.
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

CNI_KERNEL(cni_kernel, parameters)
{
    MATRICES()
    const int n = (int)p.rows;
    if (matrix >= p.batch) {
        return;
    }
    const int64_t *const pivots = (const int64_t *)p.arrays[1] + matrix * n;
    for (int64_t c = mine; c < p.others; c += TEAM) {
        TYPE *const b = (TYPE *)p.arrays[2] + (matrix * p.others + c) * n;
        TYPE x[SIZE];
        for (int k = 0; k < n; k++) {
            TYPE sum = b[k];
            for (int i = 0; i < k; i++) {
                sum = less_times(sum, AT(i, k), x[i]);
            }
            x[k] = over(sum, AT(k, k));
        }
        for (int k = n - 1; k >= 0; k--) {
            TYPE sum = x[k];
            for (int i = k + 1; i < n; i++) {
                sum = less_times(sum, AT(i, k), x[i]);
            }
            x[k] = sum;
        }
        for (int k = n - 1; k >= 0; k--) {
            const int at = (int)pivots[k] - 1;
            const TYPE there = x[at];
            x[at] = x[k];
            x[k] = there;
        }
        for (int k = 0; k < n; k++) {
            b[k] = x[k];
        }
    }
}

#endif
