/*
 * gather.cuh - elements and rows by index. TYPE is a word of the element's size, index_t holds every count.
 *
 *     place = (k over the index's dimensions) * row + (r over the row's dimensions)
 *
 * PUT 0: side[place] = array[flat[k], r]; a thread has ITEMS places, all loads on their way before the first store.
 * VECTORS 1: there is one dimension of indices, one that they name, and no row: the rest takes ten times as long to compile.
 * PUT 1: array[flat[k], r] = side[place], where k is the last of equal indices: cni_kernel finds out which is, in a word
 * for each place that an index can name; cni_finish writes.
 */
enum { DIMS = 8, THREADS = 256, ITEMS = 4 };

typedef struct extents {
    int64_t n, shape[DIMS], a[DIMS], b[DIMS]; /* n dimensions, slowest first; strides of two sides, bytes */
} extents;

typedef struct parameters {
    int64_t begin; /* the launch's first block */
    char *array, *side;
    const char *flat;
    int64_t *winners;
    int64_t count, row; /* indices; elements behind one */
    extents index;      /* a: flat, b: side */
    extents rest;       /* a: array, b: side */
    extents named;      /* the array's indexed axes: a */
} parameters;

/* Offsets of element e, counted in C order. */
CNI_INLINE void offsets_of(const extents *x, index_t e, int64_t *a, int64_t *b)
{
    CNI_ROLLED
    for (int d = (int)x->n - 1; d >= 0; d--) {
        index_t i = e;
        if (d > 0) {
            i = e % (index_t)x->shape[d];
            e /= (index_t)x->shape[d];
        }
        *a += (int64_t)i * x->a[d];
        *b += (int64_t)i * x->b[d];
    }
}

CNI_INLINE int64_t index_at(const parameters *p, index_t k, int64_t *side)
{
    int64_t at = 0;
    offsets_of(&p->index, k, &at, side);
    return *(const int64_t *)(p->flat + at);
}

CNI_INLINE TYPE *named_at(const parameters *p, int64_t flat, int64_t more)
{
    int64_t unused = 0;
    offsets_of(&p->named, (index_t)flat, &more, &unused);
    return (TYPE *)(p->array + more);
}

#if !PUT && VECTORS
CNI_KERNEL(cni_kernel, parameters)
{
    const index_t first = (index_t)(p.begin + (int64_t)blockIdx.x) * (THREADS * ITEMS) + threadIdx.x, all = (index_t)p.count;
    int64_t at[ITEMS];
    TYPE x[ITEMS];
    CNI_UNROLL
    for (int i = 0; i < ITEMS; i++) {
        const index_t e = first + (index_t)(i * THREADS);
        at[i] = e < all ? *(const int64_t *)(p.flat + (int64_t)e * p.index.a[0]) * p.named.a[0] : 0;
    }
    CNI_UNROLL
    for (int i = 0; i < ITEMS; i++) {
        if (first + (index_t)(i * THREADS) < all) {
            x[i] = *(const TYPE *)(p.array + at[i]);
        }
    }
    CNI_UNROLL
    for (int i = 0; i < ITEMS; i++) {
        const index_t e = first + (index_t)(i * THREADS);
        if (e < all) {
            *(TYPE *)(p.side + (int64_t)e * p.index.b[0]) = x[i];
        }
    }
}
#elif !PUT
CNI_KERNEL(cni_kernel, parameters)
{
    const index_t first = (index_t)(p.begin + (int64_t)blockIdx.x) * (THREADS * ITEMS) + threadIdx.x, all = (index_t)(p.count * p.row);
    int64_t side[ITEMS], array[ITEMS], flat[ITEMS];
    TYPE v[ITEMS];
    CNI_UNROLL
    for (int i = 0; i < ITEMS; i++) {
        const index_t e = first + (index_t)(i * THREADS);
        side[i] = array[i] = flat[i] = 0;
        if (e < all) {
            const index_t k = p.row == 1 ? e : e / (index_t)p.row;
            offsets_of(&p.rest, e - k * (index_t)p.row, &array[i], &side[i]);
            flat[i] = index_at(&p, k, &side[i]);
        }
    }
    CNI_UNROLL
    for (int i = 0; i < ITEMS; i++) {
        if (first + (index_t)(i * THREADS) < all) {
            v[i] = *named_at(&p, flat[i], array[i]);
        }
    }
    CNI_UNROLL
    for (int i = 0; i < ITEMS; i++) {
        if (first + (index_t)(i * THREADS) < all) {
            *(TYPE *)(p.side + side[i]) = v[i];
        }
    }
}
#else
CNI_KERNEL(cni_kernel, parameters)
{
    const index_t k = (index_t)(p.begin + (int64_t)blockIdx.x) * THREADS + threadIdx.x;
    if (k < (index_t)p.count) {
        int64_t side = 0;
        cni_atomic_max(&p.winners[index_at(&p, k, &side)], (int64_t)k);
    }
}

/* CNI_FINISH */
CNI_KERNEL(cni_finish, parameters)
{
    const index_t e = (index_t)(p.begin + (int64_t)blockIdx.x) * THREADS + threadIdx.x;
    if (e < (index_t)(p.count * p.row)) {
        const index_t k = p.row == 1 ? e : e / (index_t)p.row;
        int64_t side = 0, array = 0;
        offsets_of(&p.rest, e - k * (index_t)p.row, &array, &side);
        const int64_t flat = index_at(&p, k, &side);
        if (p.winners[flat] == (int64_t)k) {
            *named_at(&p, flat, array) = *(const TYPE *)(p.side + side);
        }
    }
}
#endif
