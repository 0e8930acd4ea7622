/*
 * small_qr.cuh - Householder's reflectors below the diagonal of each matrix, R above, and the reflectors' scales, as LAPACK has
 * them: H = I - scale v v', v[k] = 1. A thread has a column.
 */
#include "cuda/small.cuh"

/* The length of n numbers. */
CNI_INLINE REAL length_of(const TYPE *x, int n)
{
    REAL sum = 0, most = 0;
    for (int i = 0; i < n; i++) {
        sum = FMA(real_of(x[i]), real_of(x[i]), FMA(imaginary_of(x[i]), imaginary_of(x[i]), sum));
    }
    if (sum > LEAST && sum < MOST) {
        return (REAL)sqrt(sum);
    }
    for (int i = 0; i < n; i++) {
        most = size_of(x[i]) > most ? size_of(x[i]) : most;
    }
    sum = 0;
    for (int i = 0; i < n && most > 0; i++) {
        const REAL re = real_of(x[i]) / most, im = imaginary_of(x[i]) / most;
        sum = FMA(re, re, FMA(im, im, sum));
    }
    return most * (REAL)sqrt(sum);
}

CNI_KERNEL(cni_kernel, parameters)
{
    MATRICES()
    const int rows = (int)p.rows, columns = (int)p.columns, least = rows < columns ? rows : columns;
    for (int k = 0; k < least; k++) {
        const TYPE alpha = AT(k, k);
        TYPE tau = make(0, 0), scale = tau;
        REAL beta = real_of(alpha);
        const bool reflects = length_of(&AT(k + 1, k), rows - k - 1) != 0 || imaginary_of(alpha) != 0;
        if (reflects) {
            const REAL length = length_of(&AT(k, k), rows - k);
            beta = real_of(alpha) >= 0 ? -length : length;
            tau = make((beta - real_of(alpha)) / beta, -imaginary_of(alpha) / beta);
            scale = over(make(1, 0), make(real_of(alpha) - beta, imaginary_of(alpha)));
        }
        TEAM_BARRIER();
        for (int i = k + 1 + mine; reflects && i < rows; i += TEAM) {
            AT(i, k) = plus_times(make(0, 0), AT(i, k), scale);
        }
        if (mine == 0) {
            AT(k, k) = reflects ? make(beta, 0) : alpha;
        }
        if (mine == 0 && matrix < p.batch) {
            ((TYPE *)p.arrays[1])[matrix * least + k] = tau;
        }
        TEAM_BARRIER();
        for (int j = mine; reflects && j < columns; j += TEAM) {
            if (j > k) {
                TYPE sum = AT(k, j);
                for (int i = k + 1; i < rows; i++) {
                    sum = plus_times(sum, conjugate(AT(i, k)), AT(i, j));
                }
                sum = plus_times(make(0, 0), conjugate(tau), sum);
                AT(k, j) = make(real_of(AT(k, j)) - real_of(sum), imaginary_of(AT(k, j)) - imaginary_of(sum));
                for (int i = k + 1; i < rows; i++) {
                    AT(i, j) = less_times(AT(i, j), AT(i, k), sum);
                }
            }
        }
        TEAM_BARRIER();
    }
    CNI_BARRIER();
    matrices_move(&p, all, true);
    if (mine == 0 && matrix < p.batch) {
        p.info[matrix] = 0;
    }
}
