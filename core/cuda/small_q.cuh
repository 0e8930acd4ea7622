/* small_q.cuh - columns of Q, from the reflectors that small_qr.cuh has left in the first ones. A thread has a column. */
#include "cuda/small.cuh"

CNI_KERNEL(cni_kernel, parameters)
{
    MATRICES()
    const int rows = (int)p.rows, columns = (int)p.columns, reflectors = (int)p.others;
    const TYPE *const scales = (const TYPE *)p.arrays[1] + (matrix < p.batch ? matrix : 0) * reflectors;
    for (int j = reflectors + mine; j < columns; j += TEAM) {
        for (int i = 0; i < rows; i++) {
            AT(i, j) = make(i == j, 0);
        }
    }
    TEAM_BARRIER();
    for (int k = reflectors - 1; k >= 0; k--) {
        const TYPE tau = scales[k];
        for (int j = mine; j < columns; j += TEAM) {
            if (j > k) {
                TYPE sum = AT(k, j);
                for (int i = k + 1; i < rows; i++) {
                    sum = plus_times(sum, conjugate(AT(i, k)), AT(i, j));
                }
                sum = plus_times(make(0, 0), tau, sum);
                AT(k, j) = make(real_of(AT(k, j)) - real_of(sum), imaginary_of(AT(k, j)) - imaginary_of(sum));
                for (int i = k + 1; i < rows; i++) {
                    AT(i, j) = less_times(AT(i, j), AT(i, k), sum);
                }
            }
        }
        TEAM_BARRIER();
        for (int i = mine; i < rows; i += TEAM) {
            AT(i, k) = i < k ? make(0, 0)
                     : i > k ? negative(plus_times(make(0, 0), tau, AT(i, k)))
                             : make(1 - real_of(tau), -imaginary_of(tau));
        }
        TEAM_BARRIER();
    }
    CNI_BARRIER();
    matrices_move(&p, all, true);
}
