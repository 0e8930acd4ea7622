/*
 * across.cuh - a matrix times a vector, whose sums go segment by segment: out[segment][column] is the sum over the segment's
 * rows of matrix[row][column] * vector[row]. TYPE; COMPLEX 1: it has an imaginary part. A block has a part of a
 * segment, so that there are enough of them; `width` threads have columns that follow each other, the others their next rows,
 * all of which they add up in an order that follows from that. cni_finish adds up the parts of each sum.
 */
enum { THREADS = 256, AHEAD = 4, PARTS = 8 };

typedef struct parameters {
    const char *matrix, *vector;
    TYPE *out, *parts;
    int64_t count, segment, columns, row_step, column_step, vector_step, width; /* count: rows; steps: bytes */
} parameters;

CNI_INLINE void add_product(TYPE *sum, TYPE a, TYPE b)
{
#if COMPLEX
    sum->re += a.re * b.re - a.im * b.im;
    sum->im += a.re * b.im + a.im * b.re;
#else
    *sum += a * b;
#endif
}

CNI_KERNEL(cni_kernel, parameters)
{
    CNI_SHARED TYPE sums[THREADS];
    const int64_t part = p.segment / PARTS, first = (int64_t)blockIdx.x * part;
    const int64_t end = first + part < p.count ? first + part : p.count;
    const int64_t rows = THREADS / p.width, row = threadIdx.x / p.width;
    for (int64_t from = 0; from < p.columns; from += p.width) {
        const int64_t column = from + threadIdx.x % p.width;
        TYPE sum[AHEAD] = {0};
        if (column < p.columns) {
            int64_t i = first + row;
            for (; i + (AHEAD - 1) * rows < end; i += AHEAD * rows) {
                CNI_UNROLL
                for (int k = 0; k < AHEAD; k++) {
                    const int64_t at = i + k * rows;
                    add_product(&sum[k], *(const TYPE *)(p.matrix + at * p.row_step + column * p.column_step),
                                *(const TYPE *)(p.vector + at * p.vector_step));
                }
            }
            for (; i < end; i += rows) {
                add_product(&sum[0], *(const TYPE *)(p.matrix + i * p.row_step + column * p.column_step),
                            *(const TYPE *)(p.vector + i * p.vector_step));
            }
            add(&sum[0], sum[1]);
            add(&sum[2], sum[3]);
            add(&sum[0], sum[2]);
        }
        sums[threadIdx.x] = sum[0];
        for (int64_t half = THREADS / 2; half >= p.width; half /= 2) {
            CNI_BARRIER();
            if (threadIdx.x < half) {
                add(&sums[threadIdx.x], sums[threadIdx.x + half]);
            }
        }
        if (row == 0 && column < p.columns) {
            p.parts[(int64_t)blockIdx.x * p.columns + column] = sums[threadIdx.x];
        }
        CNI_BARRIER();
    }
}

/* CNI_FINISH: a thread a sum. */
CNI_KERNEL(cni_finish, parameters)
{
    const int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x, segments = (p.count + p.segment - 1) / p.segment;
    if (i < segments * p.columns) {
        const TYPE *parts = p.parts + i / p.columns * PARTS * p.columns + i % p.columns;
        TYPE sum = parts[0];
        for (int k = 1; k < PARTS; k++) {
            add(&sum, parts[k * p.columns]);
        }
        p.out[i] = sum;
    }
}
