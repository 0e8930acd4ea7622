/* arange.cuh - out[i] = first + (at + i) * step in the dtype's own arithmetic; VALUE(i) is the text's, of the sum. */
typedef struct parameters {
    int64_t begin; /* the launch's first block */
    char *out;
    int64_t n, stride, at;
    uint64_t first[2], step[2];
} parameters;

#define FIRST(type) ((const type *)p.first)
#define STEP(type) ((const type *)p.step)

CNI_KERNEL(cni_kernel, parameters)
{
    const int64_t i = (p.begin + (int64_t)blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < p.n) {
        *(TYPE *)(p.out + i * p.stride) = VALUE(p.at + i);
    }
}
