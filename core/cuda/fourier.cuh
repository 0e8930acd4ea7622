/*
 * fourier.cuh - elements of lines, between memory and the lines that cuFFT takes or gives. NUMBER: float or double; REAL_FROM,
 * REAL_TO: an element is one of them, not two. What is behind the first `have` elements of a line is 0.
 */
enum { THREADS = 256, DIMS = 8 };

typedef struct parameters {
    const char *from;
    char *to;
    int64_t lines, length, have, from_step, to_step;              /* steps: bytes from element to element */
    int64_t nouter, outer[DIMS], from_outer[DIMS], to_outer[DIMS]; /* the other axes, slowest first */
    int64_t across;                                               /* neighbours in memory are of different lines */
    int64_t conjugate, ends;                                      /* ends: 2: elements 0 and length - 1 are real; 1: 0 is */
    double scale;
} parameters;

CNI_KERNEL(cni_kernel, parameters)
{
    const int64_t e = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (e < p.lines * p.length) {
        int64_t line = p.across ? e % p.lines : e / p.length;
        const int64_t k = p.across ? e / p.lines : e % p.length;
        const char *from = p.from + k * p.from_step;
        char *to = p.to + k * p.to_step;
        for (int d = (int)p.nouter - 1; d >= 0; d--) {
            const int64_t at = d > 0 ? line % p.outer[d] : line;
            line = d > 0 ? line / p.outer[d] : 0;
            from += at * p.from_outer[d];
            to += at * p.to_outer[d];
        }
        NUMBER re = 0, im = 0;
        if (k < p.have) {
            re = ((const NUMBER *)from)[0];
#if !REAL_FROM
            im = ((const NUMBER *)from)[1];
#endif
        }
        if ((p.ends > 0 && k == 0) || (p.ends > 1 && k == p.length - 1)) {
            im = 0;
        }
        if (p.scale != 1) {
            re = (NUMBER)(p.scale * re);
            im = (NUMBER)(p.scale * im);
        }
        ((NUMBER *)to)[0] = re;
#if !REAL_TO
        ((NUMBER *)to)[1] = p.conjugate ? -im : im;
#endif
    }
}
