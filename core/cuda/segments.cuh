/*
 * segments.cuh - a matrix product whose sums go over many rows: PARTS products of a run of the rows each, added in their
 * order. PLUS(a, b) is the text's.
 */
typedef struct parameters {
    int64_t begin; /* none */
    const TYPE *parts;
    char *out;
    int64_t rows, columns, row_stride, column_stride;
} parameters;

CNI_KERNEL(cni_kernel, parameters)
{
    const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x, all = p.rows * p.columns;
    if (i < all) {
        TYPE sum = p.parts[i];
        CNI_UNROLL
        for (int k = 1; k < PARTS; k++) {
            const TYPE part = p.parts[k * all + i];
            sum = PLUS(sum, part);
        }
        *(TYPE *)(p.out + i / p.columns * p.row_stride + i % p.columns * p.column_stride) = sum;
    }
}
