/*
 * carry.cuh - boxes of new storage take the elements of older storage, or a scalar. TYPE is a word of the element's
 * size. A thread an element; box k has the blocks from first[k] on, of which a launch on one of
 * several GPUs has some, from `begin` on.
 */
enum { BOXES = 8, DIMS = 8 };

typedef struct parameters {
    char *to;
    const char *from; /* 0: the scalar */
    uint64_t scalar[2];
    int64_t strides[DIMS]; /* slowest first; unused dimensions first, of extent 1 */
    int64_t nboxes, begin;
    int64_t first[BOXES], offset[BOXES], count[BOXES], shape[BOXES][DIMS];
} parameters;

CNI_KERNEL(cni_kernel, parameters)
{
    int box = 0;
    const int64_t block = p.begin + (int64_t)blockIdx.x;
    while (box + 1 < (int)p.nboxes && block >= p.first[box + 1]) {
        box++;
    }
    const uint64_t element = (uint64_t)(block - p.first[box]) * blockDim.x + threadIdx.x;
    if (element < (uint64_t)p.count[box]) {
        uint64_t rest = element;
        int64_t offset = p.offset[box];
        for (int d = DIMS - 1; d >= 0; d--) {
            if (p.shape[box][d] > 1) {
                offset += (int64_t)(rest % (uint64_t)p.shape[box][d]) * p.strides[d];
                rest /= (uint64_t)p.shape[box][d];
            }
        }
        *(TYPE *)(p.to + offset) = p.from != 0 ? *(const TYPE *)(p.from + offset) : *(const TYPE *)p.scalar;
    }
}
