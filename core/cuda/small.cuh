/*
 * small.cuh - what factorisations of many small matrices share. A team of threads has a matrix, by columns, in the block's
 * memory; all teams of a block do the same steps, as matrices of a batch have one shape.
 *
 * The text says TYPE, REAL, PARTS (2: complex), FMA, LEAST and MOST (squares between them add up well), SIZE (the most rows
 * and columns, even), TEAM and TEAMS. Teams of less than a warp share one in full.
 */
enum { STEP = SIZE + 1 /* columns begin in other banks */, THREADS = TEAM * TEAMS };

#undef CNI_BOUNDS
#define CNI_BOUNDS __launch_bounds__(TEAM * TEAMS)

typedef struct parameters {
    char *arrays[3];
    int *info; /* by matrix */
    int64_t batch, rows, columns, others; /* of the first array; columns of the last, or the reflectors */
} parameters;

/* Of a team; teams of one warp wait for nobody else. */
#define TEAM_BARRIER() do { if (TEAM <= 32) { CNI_WARP_BARRIER(); } else { CNI_BARRIER(); } } while (0)

#if PARTS == 2

CNI_INLINE TYPE make(REAL re, REAL im)
{
    TYPE x;
    x.re = re;
    x.im = im;
    return x;
}

CNI_INLINE REAL real_of(TYPE x)
{
    return x.re;
}

CNI_INLINE REAL imaginary_of(TYPE x)
{
    return x.im;
}

CNI_INLINE TYPE conjugate(TYPE x)
{
    return make(x.re, -x.im);
}

/* c + a b */
CNI_INLINE TYPE plus_times(TYPE c, TYPE a, TYPE b)
{
    return make(FMA(-a.im, b.im, FMA(a.re, b.re, c.re)), FMA(a.im, b.re, FMA(a.re, b.im, c.im)));
}

CNI_INLINE TYPE scaled(TYPE x, REAL by)
{
    return make(x.re * by, x.im * by);
}

/* Smith's. */
CNI_INLINE TYPE over(TYPE a, TYPE b)
{
    if (fabs(b.re) >= fabs(b.im)) {
        const REAL ratio = b.im / b.re, scale = b.re + b.im * ratio;
        return make((a.re + a.im * ratio) / scale, (a.im - a.re * ratio) / scale);
    }
    const REAL ratio = b.re / b.im, scale = b.im + b.re * ratio;
    return make((a.re * ratio + a.im) / scale, (a.im * ratio - a.re) / scale);
}

CNI_INLINE REAL size_of(TYPE x)
{
    return (REAL)(fabs(x.re) + fabs(x.im));
}

#else

CNI_INLINE TYPE make(REAL re, REAL im)
{
    (void)im;
    return re;
}

CNI_INLINE REAL real_of(TYPE x)
{
    return x;
}

CNI_INLINE REAL imaginary_of(TYPE x)
{
    (void)x;
    return 0;
}

CNI_INLINE TYPE conjugate(TYPE x)
{
    return x;
}

CNI_INLINE TYPE plus_times(TYPE c, TYPE a, TYPE b)
{
    return FMA(a, b, c);
}

CNI_INLINE TYPE scaled(TYPE x, REAL by)
{
    return x * by;
}

CNI_INLINE TYPE over(TYPE a, TYPE b)
{
    return a / b;
}

CNI_INLINE REAL size_of(TYPE x)
{
    return (REAL)fabs(x);
}

#endif

CNI_INLINE TYPE negative(TYPE x)
{
    return make(-real_of(x), -imaginary_of(x));
}

/* c - a b */
CNI_INLINE TYPE less_times(TYPE c, TYPE a, TYPE b)
{
    return plus_times(c, negative(a), b);
}

/* The first matrix of the block, and how many it has. */
CNI_INLINE int64_t block_first(void)
{
    return (int64_t)blockIdx.x * TEAMS;
}

CNI_INLINE int block_count(const parameters *p)
{
    const int64_t left = p->batch - block_first();
    return left < TEAMS ? (int)left : TEAMS;
}

/* The block's matrices into its memory, or back. */
CNI_INLINE void matrices_move(const parameters *p, TYPE *all, bool back)
{
    const int rows = (int)p->rows, each = rows * (int)p->columns, n = block_count(p) * each;
    TYPE *const there = (TYPE *)p->arrays[0] + block_first() * each;
    for (int e = (int)threadIdx.x; e < n; e += THREADS) {
        const int matrix = e / each, rest = e - matrix * each, column = rest / rows;
        TYPE *const here = all + matrix * SIZE * STEP + column * STEP + (rest - column * rows);
        if (back) {
            there[e] = *here;
        } else {
            *here = there[e];
        }
    }
}

#define MATRICES() \
    CNI_SHARED_MORE(TYPE, all, TEAMS * SIZE * STEP); \
    const int team = (int)threadIdx.x / TEAM, mine = (int)threadIdx.x % TEAM; \
    const int64_t matrix = block_first() + team; \
    TYPE *const m = all + team * SIZE * STEP; \
    matrices_move(&p, all, false); \
    CNI_BARRIER();
#define AT(i, j) m[(j) * STEP + (i)]

/* Of a square matrix a thread has a row, or, of teams that are larger, each WIDE-th element of it. */
enum { WIDE = TEAM / SIZE };
#define ROWS() const int n = (int)p.rows, row = mine % SIZE, phase = mine / SIZE;
