/*
 * across_add.cuh - values that are added to; ALONE: results of segments, one after the other, added to what is handed on (if
 * it goes on: else they begin it). TYPE; COMPLEX 1: it has an imaginary part.
 */
CNI_INLINE void add(TYPE *sum, TYPE other)
{
#if COMPLEX
    sum->re += other.re;
    sum->im += other.im;
#else
    *sum += other;
#endif
}

#ifdef ALONE
enum { THREADS = 256 };

typedef struct parameters {
    const TYPE *own;
    TYPE *state;
    int64_t n, segments, goes_on;
} parameters;

CNI_KERNEL(cni_kernel, parameters)
{
    const int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (i < p.n) {
        TYPE sum = p.own[i];
        if (p.goes_on != 0) {
            sum = p.state[i];
            add(&sum, p.own[i]);
        }
        for (int64_t k = 1; k < p.segments; k++) {
            add(&sum, p.own[k * p.n + i]);
        }
        p.state[i] = sum;
    }
}
#endif
