/* limit.c - what this machine's memory gives: the triad of STREAM, compiled for this processor. */
#include <stddef.h>

/* a = b + s * c, so many times over. */
void triad(double *restrict a, const double *restrict b, const double *restrict c, double s, size_t n, size_t times)
{
    for (size_t t = 0; t < times; t++) {
#pragma omp parallel for schedule(static)
        for (size_t i = 0; i < n; i++) {
            a[i] = b[i] + s * c[i];
        }
        s += 1e-9; /* no two the same */
    }
}
