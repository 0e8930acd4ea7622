/*
 * joint_sort.cuh - of a place's sorted values that several places put in order together (exec/joint_device.h): for each
 * place, how many of those that may be the first of its piece have each digit; and what sorted places name (cni_finish).
 *
 * BITS, FLOATING, SIGNED and INDICES as radix.cuh has them. A block of cni_kernel is a place's, a thread has some digits.
 */
enum { THREADS = 256 };
#include "cuda/radix_key.cuh"

typedef struct parameters {
    const BITS *values;
    const int64_t *low, *high; /* by place: the values that may be it */
    int64_t *counts;           /* [place][digit] */
    int64_t shift, digits;
    const BITS *from; /* what places name */
    BITS *to;
    int64_t *places;
    int64_t n, first; /* first: added to places */
} parameters;

/* The first of values [low, high) whose digit is greater; they have all digits before it in common. */
CNI_INLINE int64_t behind(const parameters *p, int64_t low, int64_t high, int64_t digit)
{
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if ((int64_t)((uint64_t)key_of(p->values[middle]) >> p->shift & (uint64_t)(p->digits - 1)) <= digit) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

CNI_KERNEL(cni_kernel, parameters)
{
    const int64_t place = (int64_t)blockIdx.x, low = p.low[place], high = p.high[place];
    for (int64_t digit = threadIdx.x; digit < p.digits; digit += THREADS) {
        const int64_t before = digit == 0 ? low : behind(&p, low, high, digit - 1);
        p.counts[place * p.digits + digit] = behind(&p, low, high, digit) - before;
    }
}

/* CNI_FINISH */
CNI_KERNEL(cni_finish, parameters)
{
    const int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (i < p.n) {
        const int64_t place = p.places[i];
        p.to[i] = p.from[place];
        p.places[i] = p.first + place;
    }
}
