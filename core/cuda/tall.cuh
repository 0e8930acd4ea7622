/*
 * tall.cuh - products of a matrix M of many short rows with vectors, each element of M read once:
 *
 *     FORWARD   z[i] = sum over j of M[i][j] v[j]
 *     BACK      g[j] = sum over i of M[i][j] r[i]
 *
 * With both, r[i] is what ROW_VALUE makes of z[i]: nothing but numbers of row i.
 *
 * A block has a segment of SEGMENT rows, a warp 32 rows at a time: eight threads beside each other have a row, CHUNKS times
 * VECTOR elements each, and eight rows, four apart. A row's sum goes over its threads by halves, and ends in the thread that
 * is alone with the row for what is done with z. Sums down the columns: a thread's, a warp's, the block's, in this order;
 * cni_finish adds segments up, likewise. So bits follow from the shape of M.
 *
 * The text says TYPE, FMA, VECTOR, CHUNKS, FORWARD and BACK; with both, ROW_VALUE(row, z), and MORE, what the parameters
 * have for it.
 */
enum { WARP = 32, WARPS = 8, LANES = 8, STEPS = 8, SEGMENT = 2048, WIDTH = LANES * VECTOR * CHUNKS };

typedef struct CNI_ALIGN(VECTOR * sizeof(TYPE)) lot {
    TYPE x[VECTOR];
} lot;

#ifndef ROW_VALUE
#define ROW_VALUE(row, z) (z)
#define MORE
#endif

typedef struct parameters {
    int64_t begin; /* the launch's first block */
    int64_t rows, columns, row_stride;
    const char *matrix, *v, *r;
    char *z, *g, *sums; /* sums: of each segment */
    int64_t v_stride, r_stride, z_stride, g_stride;
    MORE
} parameters;

/* This lane's column of chunk c. */
#define COLUMN(c) (((c) * LANES + lane % LANES) * VECTOR)

CNI_KERNEL(cni_kernel, parameters)
{
    const int lane = (int)(threadIdx.x % WARP), warp = (int)(threadIdx.x / WARP);
    const int64_t segment = (int64_t)blockIdx.x + p.begin, first = segment * SEGMENT;
    const int64_t end = first + SEGMENT < p.rows ? first + SEGMENT : p.rows;
#if FORWARD
    TYPE v[CHUNKS][VECTOR];
    CNI_UNROLL
    for (int c = 0; c < CHUNKS; c++) {
        CNI_UNROLL
        for (int i = 0; i < VECTOR; i++) {
            v[c][i] = COLUMN(c) + i < (int)p.columns ? *(const TYPE *)(p.v + (COLUMN(c) + i) * p.v_stride) : (TYPE)0;
        }
    }
#endif
#if BACK
    TYPE g[CHUNKS][VECTOR];
    CNI_UNROLL
    for (int c = 0; c < CHUNKS; c++) {
        CNI_UNROLL
        for (int i = 0; i < VECTOR; i++) {
            g[c][i] = 0;
        }
    }
#endif
    for (int64_t tile = first + warp * WARP; tile < end; tile += WARPS * WARP) {
        const int64_t row = tile + lane % LANES * (WARP / STEPS) + lane / LANES; /* whose z is this thread's */
        lot m[STEPS][CHUNKS];
        TYPE r = 0;
        CNI_UNROLL
        for (int s = 0; s < STEPS; s++) {
            const int64_t at = tile + s * (WARP / STEPS) + lane / LANES;
            const char *from = p.matrix + at * p.row_stride;
            CNI_UNROLL
            for (int c = 0; c < CHUNKS; c++) {
                if (at < end && COLUMN(c) < (int)p.columns) {
                    m[s][c] = *(const lot *)(from + COLUMN(c) * (int)sizeof(TYPE));
                } else {
                    memset(&m[s][c], 0, sizeof(lot));
                }
            }
        }
#if FORWARD
        TYPE z[STEPS];
        CNI_UNROLL
        for (int s = 0; s < STEPS; s++) {
            z[s] = m[s][0].x[0] * v[0][0];
            CNI_UNROLL
            for (int k = 1; k < CHUNKS * VECTOR; k++) {
                z[s] = FMA(m[s][k / VECTOR].x[k % VECTOR], v[k / VECTOR][k % VECTOR], z[s]);
            }
        }
        CNI_UNROLL
        for (int half = STEPS / 2; half > 0; half /= 2) { /* each half of the threads keeps half of the rows */
            const int upper = (lane & half) != 0;
            CNI_UNROLL
            for (int s = 0; s < half; s++) {
                const TYPE kept = upper ? z[s + half] : z[s], given = upper ? z[s] : z[s + half];
                TYPE other;
                CNI_SHUFFLE(TYPE, other, 0xFFFFFFFFu, given, lane ^ half);
                z[s] = kept + other;
            }
        }
        if (row < end) {
            *(TYPE *)(p.z + row * p.z_stride) = z[0];
        }
#endif
#if BACK
        if (row < end) {
#if FORWARD
            r = ROW_VALUE(row, z[0]);
#else
            r = *(const TYPE *)(p.r + row * p.r_stride);
#endif
        }
        CNI_UNROLL
        for (int s = 0; s < STEPS; s++) {
            TYPE of_row;
            CNI_SHUFFLE(TYPE, of_row, 0xFFFFFFFFu, r, lane - lane % LANES + s);
            CNI_UNROLL
            for (int k = 0; k < CHUNKS * VECTOR; k++) {
                g[k / VECTOR][k % VECTOR] = FMA(m[s][k / VECTOR].x[k % VECTOR], of_row, g[k / VECTOR][k % VECTOR]);
            }
        }
#endif
        (void)row, (void)r;
    }
#if BACK
    CNI_SHARED TYPE of_warps[WARPS][WIDTH];
    CNI_UNROLL
    for (int k = 0; k < CHUNKS * VECTOR; k++) {
        TYPE sum = g[k / VECTOR][k % VECTOR];
        CNI_UNROLL
        for (int other = LANES; other < WARP; other *= 2) {
            TYPE from;
            CNI_SHUFFLE(TYPE, from, 0xFFFFFFFFu, sum, lane ^ other);
            sum = sum + from;
        }
        if (lane < LANES) {
            of_warps[warp][COLUMN(k / VECTOR) + k % VECTOR] = sum;
        }
    }
    CNI_BARRIER();
    const int j = (int)threadIdx.x;
    if (j < (int)p.columns) {
        TYPE sum = of_warps[0][j];
        for (int k = 1; k < WARPS; k++) {
            sum = sum + of_warps[k][j];
        }
        ((TYPE *)p.sums)[segment * p.columns + j] = sum;
    }
#endif
}

#if BACK
/* CNI_FINISH: a block a column. */
CNI_KERNEL(cni_finish, parameters)
{
    const int64_t segments = (p.rows + SEGMENT - 1) / SEGMENT, column = (int64_t)blockIdx.x;
    CNI_SHARED TYPE sums[WARP * WARPS];
    TYPE sum = 0;
    for (int64_t k = (int64_t)threadIdx.x; k < segments; k += WARP * WARPS) {
        sum = sum + ((const TYPE *)p.sums)[k * p.columns + column];
    }
    sums[threadIdx.x] = sum;
    for (int half = WARP * WARPS / 2; half > 0; half /= 2) {
        CNI_BARRIER();
        if ((int)threadIdx.x < half) {
            sums[threadIdx.x] = sums[threadIdx.x] + sums[(int)threadIdx.x + half];
        }
    }
    if (threadIdx.x == 0) {
        *(TYPE *)(p.g + column * p.g_stride) = sums[0];
    }
}
#endif
