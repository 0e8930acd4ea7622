/*
 * small_lu.cuh - P L U of each matrix, with pivots as LAPACK counts them; info: the first pivot that is 0. A thread has a row, or
 * each WIDE-th element of it.
 */
#include "cuda/small.cuh"

CNI_KERNEL(cni_kernel, parameters)
{
    MATRICES()
    ROWS()
    int info = 0;
    for (int k = 0; k < n; k++) {
        TYPE pivot = AT(k, k), l = pivot;
        REAL most = size_of(pivot);
        int at = k;
        for (int i = k + 1; i < n; i++) { /* by all of them: sooner than to ask each other */
            const TYPE x = AT(i, k);
            if (size_of(x) > most) {
                most = size_of(x);
                pivot = x;
                at = i;
            }
        }
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
