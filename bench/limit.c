/* limit.c - what this machine's memory gives: the triad of STREAM, compiled for this processor. */
#include <stddef.h>

void triad(double *restrict a, const double *restrict b, const double *restrict c, double s, size_t n)
{
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        a[i] = b[i] + s * c[i];
    }
}
