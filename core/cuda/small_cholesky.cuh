/*
 * small_cholesky.cuh - L of L L' in the lower triangle of each matrix; info: the first row at which it is not positive definite.
 * A thread has a row, or each WIDE-th element of it.
 */
#include "cuda/small.cuh"

CNI_KERNEL(cni_kernel, parameters)
{
    MATRICES()
    ROWS()
    int info = 0;
    for (int k = 0; k < n; k++) {
        const REAL square = real_of(AT(k, k)), root = (REAL)sqrt(square);
        info = info == 0 && !(square > 0) ? k + 1 : info;
        TEAM_BARRIER();
        if (info == 0 && phase == 0 && row == k) {
            AT(k, k) = make(root, 0);
        } else if (info == 0 && phase == 0 && row > k && row < n) {
            AT(row, k) = make(real_of(AT(row, k)) / root, imaginary_of(AT(row, k)) / root);
        }
        TEAM_BARRIER();
        if (info == 0 && row > k && row < n) {
            const TYPE l = AT(row, k);
            for (int j = k + 1 + phase; j <= row; j += WIDE) {
                AT(row, j) = less_times(AT(row, j), l, conjugate(AT(j, k)));
            }
        }
        TEAM_BARRIER();
    }
    CNI_BARRIER();
    matrices_move(&p, all, true);
    if (mine == 0 && matrix < p.batch) {
        p.info[matrix] = info;
    }
}
