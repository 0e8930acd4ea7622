/*
 * reduce_columns.cuh - a thread a result, which takes its elements one after the other: reductions that keep the last
 * axis (threads beside each other read beside each other), and ops whose order is fixed.
 *
 * Sums of more than 8,192 elements (FOLDS of the reduction) are made of runs of 1,024; with several runs a result (n[2]),
 * each has a thread of its own, and cni_finish folds what they found.
 */
enum { RUN = 1024, FINISH_AHEAD = 32 }; /* AHEAD: elements on their way at once, told by the text */

#define STATE(k, type, work, bin, begins, identity) type a##k, t##k; int b##k = 0, f##k = 0;
#define START(k, type, work, bin, begins, identity) \
    memset(&a##k, 0, sizeof a##k); t##k = a##k; \
    if (run == 0 && begins) { a##k = BEGIN(k, type); b##k = 1; } else if (run > 0 && identity) { a##k = IDENTITY(k, type); b##k = 1; }
#define TAKE(k, type, work, bin, begins, identity) a##k = b##k ? fold_##k(a##k, v.v##k) : v.v##k; b##k = 1;
#define FOLD(k, type, work, bin, begins, identity) \
    if (FOLDS_##k) { t##k = f##k ? fold_##k(t##k, a##k) : a##k; f##k = 1; a##k = IDENTITY(k, type); }
#define STORE(k, type, work, bin, begins, identity) OUT(k, type) = f##k ? fold_##k(t##k, a##k) : a##k;
#define PARTIAL(k, type) ((type *)((char *)p.n[7] + (index_t)16 * NUMBER_##k * (index_t)p.n[2] * (index_t)p.n[0]))
#define KEEP(k, type, work, bin, begins, identity) PARTIAL(k, type)[run * (index_t)p.n[0] + r] = a##k;
#define ALL(X) SUMS(X) OTHERS(X)

CNI_KERNEL(cni_kernel, parameters)
{
    const index_t results = (index_t)p.n[0], blocks = (index_t)p.n[4], run = blockIdx.x / blocks * blockDim.y + threadIdx.y;
    const index_t r = blockIdx.x % blocks * blockDim.x + threadIdx.x, first = run * (index_t)p.n[3];
    const index_t end = first + (index_t)p.n[3] < (index_t)p.n[1] ? first + (index_t)p.n[3] : (index_t)p.n[1];
    if (r >= results || run >= (index_t)p.n[2]) {
        return;
    }
    const int alone = p.n[2] == 1;
    const offsets base = result_at(&p, r);
    ALL(STATE)
    ALL(START)
    index_t e = first;
    for (; e + AHEAD <= end; e += AHEAD) {
        values ahead[AHEAD];
        CNI_UNROLL
        for (int k = 0; k < AHEAD; k++) {
            ahead[k] = element(&p, &base, e + (index_t)k);
        }
        CNI_UNROLL
        for (int k = 0; k < AHEAD; k++) {
            const values v = ahead[k];
            ALL(TAKE)
        }
        if (alone && (e + AHEAD) % RUN == 0) {
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

/* CNI_FINISH: a thread a result. */
#define GATHER(k, type, work, bin, begins, identity) \
    type a##k = PARTIAL(k, type)[r]; \
    index_t run##k = 1; \
    for (; run##k + FINISH_AHEAD <= (index_t)p.n[2]; run##k += FINISH_AHEAD) { \
        type ahead[FINISH_AHEAD]; \
        CNI_UNROLL for (int j = 0; j < FINISH_AHEAD; j++) { ahead[j] = PARTIAL(k, type)[(run##k + (index_t)j) * (index_t)p.n[0] + r]; } \
        CNI_UNROLL for (int j = 0; j < FINISH_AHEAD; j++) { a##k = fold_##k(a##k, ahead[j]); } \
    } \
    for (; run##k < (index_t)p.n[2]; run##k++) { a##k = fold_##k(a##k, PARTIAL(k, type)[run##k * (index_t)p.n[0] + r]); } \
    if (FOLDS_##k && p.n[1] % RUN == 0) { a##k = fold_##k(a##k, IDENTITY(k, type)); } \
    OUT(k, type) = a##k;

CNI_KERNEL(cni_finish, parameters)
{
    const index_t r = (index_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (r < (index_t)p.n[0]) {
        const offsets base = result_at(&p, r);
        ALL(GATHER)
    }
}
