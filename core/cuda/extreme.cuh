/*
 * extreme.cuh - argmin and argmax: the first extreme of a line, or its first NaN. Blocks take shares of lines, line by line
 * or, across, share by share; cni_finish finds the best of a line's shares. IS_NAN(x), BEYOND(x, y): x is further than y;
 * both are the text's. FOUND 1: a line's value stands behind its index.
 */
enum { THREADS = 256, DIMS = 8 };

typedef struct parameters {
    int64_t begin; /* the launch's first block */
    const char *in;
    char *out;
    int64_t *found; /* by line, by share: the index */
    int64_t lines, length, shares, across;
    int64_t nouter, outer[DIMS], in_outer[DIMS], out_outer[DIMS]; /* the axes that are kept */
    int64_t ninner, inner[DIMS], in_inner[DIMS];                  /* those along which is looked, slowest first */
    int64_t before;                                               /* of the line, at other places */
} parameters;

CNI_INLINE TYPE element_at(const parameters *p, const char *line, int64_t i)
{
    for (int d = (int)p->ninner - 1; d >= 0; d--) {
        const int64_t at = d > 0 ? i % p->inner[d] : i;
        i = d > 0 ? i / p->inner[d] : 0;
        line += at * p->in_inner[d];
    }
    return *(const TYPE *)line;
}

CNI_INLINE void line_at(const parameters *p, int64_t line, const char **in, char **out)
{
    *in = p->in;
    *out = p->out;
    for (int d = (int)p->nouter - 1; d >= 0; d--) {
        const int64_t at = line % p->outer[d];
        line /= p->outer[d];
        *in += at * p->in_outer[d];
        *out += at * p->out_outer[d];
    }
}

/* Is element x at i to be preferred to y at j? */
CNI_INLINE int better(TYPE x, int64_t i, TYPE y, int64_t j)
{
    if (j < 0 || i < 0) {
        return i >= 0;
    }
    const int x_nan = IS_NAN(x), y_nan = IS_NAN(y);
    if (x_nan || y_nan) {
        return x_nan && (!y_nan || i < j);
    }
    return BEYOND(x, y) || (!BEYOND(y, x) && i < j);
}

/* The block's best is the first. */
CNI_INLINE void best_of_block(TYPE *values, int64_t *places)
{
    for (unsigned half = THREADS / 2; half > 0; half /= 2) {
        CNI_BARRIER();
        if (threadIdx.x < half && better(values[threadIdx.x + half], places[threadIdx.x + half], values[threadIdx.x], places[threadIdx.x])) {
            values[threadIdx.x] = values[threadIdx.x + half];
            places[threadIdx.x] = places[threadIdx.x + half];
        }
    }
}

CNI_INLINE void leave(const parameters *p, char *out, int64_t i, TYPE x)
{
    *(int64_t *)out = p->before + i;
#if FOUND
    *(TYPE *)(out + 8) = x;
#endif
}

CNI_KERNEL(cni_kernel, parameters)
{
    CNI_SHARED TYPE values[THREADS];
    CNI_SHARED int64_t places[THREADS];
    const int64_t block = p.begin + (int64_t)blockIdx.x;
    const int64_t line = p.across != 0 ? block % p.lines : block / p.shares;
    const int64_t share = p.across != 0 ? block / p.lines : block % p.shares;
    const int64_t first = p.length * share / p.shares, end = p.length * (share + 1) / p.shares;
    const char *in;
    char *out;
    int64_t best = -1;
    line_at(&p, line, &in, &out);
    TYPE extreme = element_at(&p, in, first);
    for (int64_t i = first + threadIdx.x; i < end; i += THREADS) {
        const TYPE x = element_at(&p, in, i);
        if (better(x, i, extreme, best)) {
            extreme = x;
            best = i;
        }
    }
    values[threadIdx.x] = extreme;
    places[threadIdx.x] = best;
    best_of_block(values, places);
    if (threadIdx.x == 0 && p.shares == 1) {
        leave(&p, out, places[0], values[0]);
    } else if (threadIdx.x == 0) {
        p.found[line * p.shares + share] = places[0];
    }
}

/* The best of a line's shares, of those that the thread looks at: each of so many. */
CNI_INLINE int64_t best_of_shares(const parameters *p, int64_t line, const char *in, int64_t from, int64_t step, TYPE *out)
{
    int64_t best = -1;
    TYPE extreme = element_at(p, in, p->found[line * p->shares]);
    for (int64_t share = from; share < p->shares; share += step) {
        const int64_t i = p->found[line * p->shares + share];
        const TYPE x = element_at(p, in, i);
        if (better(x, i, extreme, best)) {
            extreme = x;
            best = i;
        }
    }
    *out = extreme;
    return best;
}

#if MANY
/* CNI_FINISH: a block a line. */
CNI_KERNEL(cni_finish, parameters)
{
    CNI_SHARED TYPE values[THREADS];
    CNI_SHARED int64_t places[THREADS];
    const char *in;
    char *out;
    TYPE extreme;
    line_at(&p, (int64_t)blockIdx.x, &in, &out);
    places[threadIdx.x] = best_of_shares(&p, (int64_t)blockIdx.x, in, threadIdx.x, THREADS, &extreme);
    values[threadIdx.x] = extreme;
    best_of_block(values, places);
    if (threadIdx.x == 0) {
        leave(&p, out, places[0], values[0]);
    }
}
#else
/* CNI_FINISH: a thread a line. */
CNI_KERNEL(cni_finish, parameters)
{
    const int64_t line = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (line < p.lines) {
        const char *in;
        char *out;
        TYPE extreme;
        line_at(&p, line, &in, &out);
        const int64_t best = best_of_shares(&p, line, in, 0, 1, &extreme);
        leave(&p, out, best, extreme);
    }
}
#endif
