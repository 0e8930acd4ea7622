/*
 * count.cuh - how often numbers occur. SMALL 1: the table is so small that each block has one of its own first. Order does not
 * matter to sums of integers.
 */
enum { THREADS = 256, TABLE = 8192 };

typedef struct parameters {
    const int64_t *numbers;
    int64_t *table; /* 0 before */
    int64_t n, size, threads; /* of all blocks */
} parameters;

CNI_KERNEL(cni_kernel, parameters)
{
#if SMALL
    CNI_SHARED unsigned own[TABLE];
    for (int64_t k = threadIdx.x; k < p.size; k += THREADS) {
        own[k] = 0;
    }
    CNI_BARRIER();
    for (int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x; i < p.n; i += p.threads) {
        cni_shared_add(&own[p.numbers[i]], 1);
    }
    CNI_BARRIER();
    for (int64_t k = threadIdx.x; k < p.size; k += THREADS) {
        if (own[k] != 0) {
            cni_atomic_add(&p.table[k], (int64_t)own[k]);
        }
    }
#else
    for (int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x; i < p.n; i += p.threads) {
        cni_atomic_add(&p.table[p.numbers[i]], 1);
    }
#endif
}
