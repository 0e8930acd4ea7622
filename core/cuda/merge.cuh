/*
 * merge.cuh - two sorted runs of keys, one behind the other, become one; of equal keys those of the first come first. A GPU
 * has the results [first, stop), a block a tile of them: what of either run belongs there is found by halving.
 *
 * BITS, FLOATING, SIGNED and INDICES as radix.cuh has them; the last merge leaves values, or the indices alone. RAW 1: what
 * is merged are values, and places are those of a line of several places.
 */
enum { THREADS = 256, ITEMS = 16, TILE = THREADS * ITEMS };
#include "cuda/radix_key.cuh"

#if RAW
typedef int64_t place_t;
#define KEY_IN(x) key_of(x)
#else
typedef uint32_t place_t;
#define KEY_IN(x) (x)
#endif

typedef struct parameters {
    const BITS *from;
    BITS *to;
    const place_t *from_places;
    place_t *to_places;
    int64_t *indices;
    int64_t begin, middle, end; /* runs [begin, middle) and [middle, end) */
    int64_t first, stop, last;
} parameters;

/* How many of the n keys of a are among the first `count` of both; in: they lie as they came. */
CNI_INLINE int64_t among_first(const BITS *a, int64_t n, const BITS *b, int64_t m, int64_t count, bool in)
{
    int64_t low = count > m ? count - m : 0, high = count < n ? count : n;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        const BITS mine = a[middle], other = b[count - 1 - middle];
        if (in ? KEY_IN(mine) <= KEY_IN(other) : mine <= other) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

CNI_KERNEL(cni_kernel, parameters)
{
    CNI_SHARED BITS keys[TILE];
    CNI_SHARED uint16_t sources[TILE];
    CNI_SHARED int64_t ends[2];
    const int mine = (int)threadIdx.x;
    const int64_t at = p.first + (int64_t)blockIdx.x * TILE;
    const int count = (int)(p.stop - at < TILE ? p.stop - at : TILE);
    const BITS *const a = p.from + p.begin, *const b = p.from + p.middle;
    if (mine < 2) {
        ends[mine] = among_first(a, p.middle - p.begin, b, p.end - p.middle, at - p.begin + (mine == 0 ? 0 : count), true);
    }
    CNI_BARRIER();
    const int64_t in_a = p.begin + ends[0], in_b = p.middle + (at - p.begin - ends[0]);
    const int of_a = (int)(ends[1] - ends[0]);
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        const int i = mine + k * THREADS;
        if (i < count) {
            keys[i] = KEY_IN(i < of_a ? p.from[in_a + i] : p.from[in_b + i - of_a]);
        }
    }
    CNI_BARRIER();
    const int start = mine * ITEMS < count ? mine * ITEMS : count;
    int i = (int)among_first(keys, of_a, keys + of_a, count - of_a, start, false), j = of_a + start - i;
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        if (start + k < count) {
            const bool first = j >= count || (i < of_a && keys[i] <= keys[j]);
            sources[start + k] = (uint16_t)(first ? i : j);
            i += first;
            j += !first;
        }
    }
    CNI_BARRIER();
    CNI_UNROLL
    for (int k = 0; k < ITEMS; k++) {
        const int o = mine + k * THREADS;
        if (o < count) {
            const int source = sources[o];
#if INDICES
            const int64_t from = source < of_a ? in_a + source : in_b + source - of_a;
            if (p.last != 0) {
                p.indices[at + o] = (int64_t)p.from_places[from];
            } else {
                p.to[at + o] = RAW ? p.from[from] : keys[source];
                p.to_places[at + o] = p.from_places[from];
            }
#else
            p.to[at + o] = RAW || p.last != 0 ? bits_of(keys[source]) : keys[source];
#endif
        }
    }
}
