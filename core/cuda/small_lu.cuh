/*
 * small_lu.cuh - P L U of each matrix, with pivots as LAPACK counts them; info: the first pivot that is 0. A thread has a row, or
 * each WIDE-th element of it.
 */
#include "cuda/small.cuh"

/* The largest element of column k from its diagonal on, the first of them. */
#if SIZE <= 32
CNI_INLINE int find_pivot(const TYPE *m, int n, int k, REAL *most)
{
    int at = k;
    *most = size_of(AT(k, k));
    for (int i = k + 1; i < n; i++) { /* by each thread: sooner than to ask each other */
        const REAL size = size_of(AT(i, k));
        if (size > *most) {
            *most = size;
            at = i;
        }
    }
    return at;
}
#else
CNI_INLINE int find_pivot(const TYPE *m, int n, int k, REAL *most)
{
    enum { WARP = 32 };
    const int lane = (int)threadIdx.x % WARP;
    int at = k;
    REAL here = -1; /* NaNs are none */
    for (int i = k + lane; i < n; i += WARP) {
        const REAL size = size_of(AT(i, k));
        if (size > here) {
            here = size;
            at = i;
        }
    }
    for (int step = WARP / 2; step > 0; step /= 2) {
        REAL other;
        CNI_SHUFFLE(REAL, other, 0xFFFFFFFFu, here, lane ^ step);
        const int there = (int)cni_shuffle_word(0xFFFFFFFFu, (unsigned)at, lane ^ step);
        if (other > here || (other == here && there < at)) {
            here = other;
            at = there;
        }
    }
    *most = here;
    return at;
}
#endif

CNI_KERNEL(cni_kernel, parameters)
{
    MATRICES()
    ROWS()
    int info = 0;
    for (int k = 0; k < n; k++) {
        REAL most;
        const int at = find_pivot(m, n, k, &most);
        const TYPE pivot = AT(at, k);
        TYPE l = pivot;
        TEAM_BARRIER();
        for (int j = mine; at != k && j < n; j += TEAM) {
            const TYPE x = AT(k, j);
            AT(k, j) = AT(at, j);
            AT(at, j) = x;
        }
        if (mine == 0 && matrix < p.batch) {
            ((int64_t *)p.arrays[1])[matrix * n + k] = at + 1;
        }
        info = info == 0 && most == 0 ? k + 1 : info;
        TEAM_BARRIER();
        const bool below = row > k && row < n && most != 0;
        if (below) {
            l = over(AT(row, k), pivot);
            for (int j = k + 1 + phase; j < n; j += WIDE) {
                AT(row, j) = less_times(AT(row, j), l, AT(k, j));
            }
        }
        TEAM_BARRIER();
        if (below && phase == 0) {
            AT(row, k) = l;
        }
    }
    CNI_BARRIER();
    matrices_move(&p, all, true);
    if (mine == 0 && matrix < p.batch) {
        p.info[matrix] = info;
    }
}
