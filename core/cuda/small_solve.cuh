/*
 * small_solve.cuh - right-hand sides of the transposed matrices, whose P L U small_lu.cuh has made: U' y = b, L' z = y, x = P' z.
 * A thread has a right-hand side.
 */
#include "cuda/small.cuh"

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
