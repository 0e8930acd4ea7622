/* radix_start.cuh - counts of digits become where each begins: a block of 256 threads a pass. */
typedef struct parameters {
    uint64_t *counts;
} parameters;

CNI_KERNEL(cni_kernel, parameters)
{
    CNI_SHARED uint64_t sums[256];
    uint64_t *const counts = p.counts + (int64_t)blockIdx.x * 256;
    const int t = (int)threadIdx.x;
    const uint64_t own = counts[t];
    sums[t] = own;
    for (int d = 1; d < 256; d *= 2) {
        CNI_BARRIER();
        const uint64_t below = t >= d ? sums[t - d] : 0;
        CNI_BARRIER();
        sums[t] += below;
    }
    counts[t] = sums[t] - own;
}
