/*
 * reduce_columns.cuh - a thread a result, which takes its elements one after the other: reductions that keep the last
 * axis (threads beside each other read beside each other), and ops whose order is fixed.
 *
 * Sums of more than 8,192 elements (FOLDS of the reduction) are made of runs of 1,024; with several runs a result (n[2]),
 * each has a thread of its own, and cni_finish folds what they found.
 *
 * Of rows that places reduce one after the other, one has some (LINK). What it leaves is no result: APART, that of each run of
 * 1,024, or of all of them where order does not matter; ON, the rows so far, from what n[5] rows before them left.
 *
 * Of rows that lie on several GPUs each does elements [n[5], n[6]) (THROUGH): the results go from one to the next where they
 * are stored (cuda_wave.h).
 *
 * Few results (STAGED) keep few threads busy: then TALL threads fetch for each, through the block's memory, a tile ahead
 * of the one that adds. cni_finish does so too.
 */
#define APART 1
#define ON 2
#define THROUGH 3
#define LEAVES (LINK == APART || LINK == ON) /* what is no result */
enum { RUN = 1024, AHEAD = 8, WIDE = 32, TALL = 8, TILE = TALL * AHEAD, TOGETHER = FETCHED < AHEAD ? FETCHED : AHEAD };

#define STATE(k, type, work, bin, begins, identity) type a##k, t##k; int b##k = 0, f##k = 0;
#if LINK == ON
#define START(k, type, work, bin, begins, identity) \
    memset(&a##k, 0, sizeof a##k); t##k = a##k; (void)run; \
    if (p.n[5] > 0) { a##k = PARTIAL(p, k, type)[r < (index_t)p.n[0] ? r : 0]; b##k = 1; } else if (begins) { a##k = BEGIN(k, type); b##k = 1; }
#elif LINK == THROUGH
#define START(k, type, work, bin, begins, identity) \
    memset(&a##k, 0, sizeof a##k); t##k = a##k; (void)run; \
    if (p.n[5] > 0) { a##k = OUT(k, type); b##k = 1; } else if (begins) { a##k = BEGIN(k, type); b##k = 1; }
#else
#define FIRST_RUN (run == 0 && (LINK != APART || p.n[5] == 0))
#define START(k, type, work, bin, begins, identity) \
    memset(&a##k, 0, sizeof a##k); t##k = a##k; \
    if (FIRST_RUN && begins) { a##k = BEGIN(k, type); b##k = 1; } else if (!FIRST_RUN && identity) { a##k = IDENTITY(k, type); b##k = 1; }
#endif
#define TAKE(k, type, work, bin, begins, identity) a##k = b##k ? fold_##k(a##k, v.v##k) : v.v##k; b##k = 1;
#define FOLD(k, type, work, bin, begins, identity) \
    if (FOLDS_##k) { t##k = f##k ? fold_##k(t##k, a##k) : a##k; f##k = 1; a##k = IDENTITY(k, type); }
#define STORE(k, type, work, bin, begins, identity) OUT(k, type) = f##k ? fold_##k(t##k, a##k) : a##k;
#define PARTIAL(p, k, type) ((type *)((char *)(p).n[7] + (index_t)16 * NUMBER_##k * (index_t)(p).n[2] * (index_t)(p).n[0]))
#define KEEP(k, type, work, bin, begins, identity) PARTIAL(p, k, type)[run * (index_t)p.n[0] + r] = a##k;
#define ALL(X) SUMS(X) OTHERS(X)

/* Elements [0, count) of result r, from `fetch`, in order; a state of the reductions in scope takes them as `v`. */
#define STAGED_TAKE(count, there, fetch)                                                                 \
    CNI_SHARED values tile[TILE][WIDE];                                                                  \
    values mine[AHEAD];                                                                                  \
    for (index_t e0 = 0; e0 < (count); e0 += TILE) {                                                     \
        if (e0 == 0) {                                                                                   \
            CNI_UNROLL for (int j = 0; j < AHEAD; j++) {                                                 \
                const index_t e = (index_t)(j * TALL) + threadIdx.y;                                     \
                if ((there) && e < (count)) { mine[j] = (fetch); }                                       \
            }                                                                                            \
        }                                                                                                \
        CNI_BARRIER();                                                                                   \
        CNI_UNROLL for (int j = 0; j < AHEAD; j++) { tile[j * TALL + (int)threadIdx.y][threadIdx.x] = mine[j]; } \
        CNI_BARRIER();                                                                                   \
        CNI_UNROLL for (int j = 0; j < AHEAD; j++) {                                                     \
            const index_t e = e0 + TILE + (index_t)(j * TALL) + threadIdx.y;                             \
            if ((there) && e < (count)) { mine[j] = (fetch); }                                           \
        }                                                                                                \
        if (threadIdx.y == 0) {                                                                          \
            const int n = (count) - e0 < TILE ? (int)((count) - e0) : TILE;                              \
            CNI_UNROLL_16                                                                                \
            for (int j = 0; j < n; j++) {                                                                \
                const values v = tile[j][threadIdx.x];                                                   \
                ALL(TAKE)                                                                                \
            }                                                                                            \
        }                                                                                                \
    }

#if STAGED

CNI_KERNEL(cni_kernel, parameters)
{
    const index_t r = (index_t)BLOCK * WIDE + threadIdx.x, run = 0;
    const index_t first = LINK == THROUGH ? (index_t)p.n[5] : 0, end = (index_t)p.n[LINK == THROUGH ? 6 : 1];
    const int there = r < (index_t)p.n[0];
    const offsets base = result_at(&p, there ? r : 0);
    ALL(STATE)
    ALL(START)
    STAGED_TAKE(end - first, there, element(&p, &base, first + e))
    if (there && threadIdx.y == 0) {
#if LEAVES
        ALL(KEEP)
#else
        ALL(STORE)
#endif
    }
}

#else

CNI_KERNEL(cni_kernel, parameters)
{
    const index_t results = (index_t)p.n[0], blocks = (index_t)p.n[4], run = BLOCK / blocks * blockDim.y + threadIdx.y;
    const index_t r = BLOCK % blocks * blockDim.x + threadIdx.x, first = LINK == THROUGH ? (index_t)p.n[5] : run * (index_t)p.n[3];
    const index_t all = (index_t)p.n[LINK == THROUGH ? 6 : 1], end = first + (index_t)p.n[3] < all ? first + (index_t)p.n[3] : all;
    if (r >= results || run >= (index_t)p.n[2]) {
        return;
    }
    const int alone = p.n[2] == 1 && !LEAVES;
    const offsets base = result_at(&p, r);
    ALL(STATE)
    ALL(START)
    index_t e = first;
    for (; e + TOGETHER <= end; e += TOGETHER) {
        loads ahead[TOGETHER];
        CNI_UNROLL
        for (int k = 0; k < TOGETHER; k++) {
            ahead[k] = fetch(&p, &base, e + (index_t)k);
        }
        CNI_UNROLL
        for (int k = 0; k < TOGETHER; k++) {
            const values v = value_of(&p, &base, e + (index_t)k, &ahead[k]);
            ALL(TAKE)
        }
        if (alone && (e + TOGETHER) % RUN == 0) {
            ALL(FOLD)
        }
    }
    for (; e < end; e++) {
        const values v = element(&p, &base, e);
        ALL(TAKE)
    }
    if (alone) {
        ALL(STORE)
    } else {
        ALL(KEEP)
    }
}

#if SPLIT
#define FETCH(k, type, work, bin, begins, identity) v.v##k = PARTIAL((*q), k, type)[run * (index_t)q->n[0] + r];
CNI_INLINE values partial_at(const parameters *q, index_t run, index_t r)
{
    values v;
    ALL(FETCH)
    return v;
}

/* CNI_FINISH: TALL threads a result. */
#define LAST(k, type, work, bin, begins, identity) if (FOLDS_##k && p.n[1] % RUN == 0) { a##k = fold_##k(a##k, IDENTITY(k, type)); }
#define CLEAR(k, type, work, bin, begins, identity) type a##k, t##k; int b##k = 0, f##k = 0; memset(&a##k, 0, sizeof a##k); t##k = a##k;

CNI_KERNEL(cni_finish, parameters)
{
    const index_t r = (index_t)blockIdx.x * WIDE + threadIdx.x;
    const int there = r < (index_t)p.n[0];
    const offsets base = result_at(&p, there ? r : 0);
    ALL(CLEAR)
    STAGED_TAKE((index_t)p.n[2], there, partial_at(&p, e, r))
    if (there && threadIdx.y == 0) {
#if LEAVES
        const index_t run = 0; /* whose place nobody reads any more */
        OTHERS(KEEP)
        (void)base, (void)run;
#else
        ALL(LAST)
        ALL(STORE)
#endif
    }
}
#endif
#endif
