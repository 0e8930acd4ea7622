/*
 * small_cholesky.cuh - L of L L' in the lower triangle of each matrix; info: the first row at which it is not positive definite.
 * A thread has a row, or each WIDE-th element of it. Columns keep the square root of their diagonal as a factor until all is done,
 * so that a step reads the column that the one before has left, and nobody waits but for that.
 */
#include "cuda/small.cuh"

CNI_KERNEL(cni_kernel, parameters)
{
    MATRICES()
    ROWS()
    int info = 0;
    for (int k = 0; k < n; k++) {
        const REAL square = real_of(AT(k, k));
        info = info == 0 && !(square > 0) ? k + 1 : info;
        if (info == 0 && row > k && row < n) {
            const TYPE l = make(real_of(AT(row, k)) / square, imaginary_of(AT(row, k)) / square);
            for (int j = k + 1 + phase; j <= row; j += WIDE) {
                AT(row, j) = less_times(AT(row, j), l, conjugate(AT(j, k)));
            }
        }
        TEAM_BARRIER();
    }
    if (phase == 0 && row < n) {
        AT(row, row) = make((REAL)sqrt(real_of(AT(row, row))), 0);
    }
    TEAM_BARRIER();
    for (int k = phase; k < row && row < n; k += WIDE) {
        const REAL root = real_of(AT(k, k));
        AT(row, k) = make(real_of(AT(row, k)) / root, imaginary_of(AT(row, k)) / root);
    }
    CNI_BARRIER();
    matrices_move(&p, all, true);
    if (mine == 0 && matrix < p.batch) {
        p.info[matrix] = info;
    }
}
