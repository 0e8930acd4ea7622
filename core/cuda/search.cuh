/*
 * search.cuh - where values go in sorted ones: before their equals or, RIGHT 1, behind them. BITS, FLOATING, SIGNED and
 * INDICES 1 as radix.cuh has them.
 */
#include "cuda/radix_key.cuh"

/* The first of n sorted values that does not come before it. */
CNI_INLINE int64_t place_among(const BITS *sorted, int64_t n, BITS value)
{
    const BITS key = key_of(value);
    int64_t low = 0, high = n;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        const BITS other = key_of(sorted[middle]);
#if RIGHT
        const bool before = other <= key;
#else
        const bool before = other < key;
#endif
        low = before ? middle + 1 : low;
        high = before ? high : middle;
    }
    return low;
}

#ifndef PLACES
enum { THREADS = 256 };

typedef struct parameters {
    int64_t begin; /* the launch's first block */
    const BITS *sorted, *values;
    int64_t *out;
    int64_t n, count;
} parameters;

CNI_KERNEL(cni_kernel, parameters)
{
    const int64_t i = (p.begin + (int64_t)blockIdx.x) * THREADS + threadIdx.x;
    if (i < p.count) {
        p.out[i] = place_among(p.sorted, p.n, p.values[i]);
    }
}
#endif
