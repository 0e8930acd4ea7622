/*
 * order.h - the kernels of sorting, selecting, searching, extremes: one table an instruction set, chosen at start.
 *
 * Sorting works on keys: unsigned integers (of 32 bits for dtypes of up to 4 bytes, of 64 for others) in the order of
 * NumPy's sort. `keys` is one to one (NaNs last, by their bits; -0.0 before 0.0), so that sorted keys give the values
 * back and there is one result. `ranks` is equal for what NumPy's sort takes as equal. The order of distinct keys
 * is all that matters: no kernel's result depends on the instruction set.
 */
#ifndef CNI_ORDER_H
#define CNI_ORDER_H

#include "cnumeric.h"

enum {
    CNI_BUCKETS = 256,
    CNI_SHORT_LINE = 16 /* keys of the longest line that `lines` takes */
};

/* A distribution under way: keys of each bucket that wait until they fill a cache line. */
typedef struct cni_scatter {
    uint64_t line[CNI_BUCKETS][8] __attribute__((aligned(64)));
    int64_t at[CNI_BUCKETS], begin[CNI_BUCKETS];
    void *to;
    bool stream; /* past the cache */
} cni_scatter;

/* For keys of one size. */
typedef struct cni_key_kernels {
    int64_t alone; /* bytes of keys that one thread sorts faster as they lie than distributed first */
    /*
     * Sorts n keys; spare has room for as many. The result is in spare if to_spare. ahead, ahead_spare (or NULL): the
     * memory of the next call for about as many keys, to be brought to the cache meanwhile.
     */
    void (*sort)(void *keys, void *spare, int64_t n, bool to_spare, const void *ahead, void *ahead_spare);
    /* Only as far as the keys of rank kth[0] < kth[1] < ... (rank first is the lowest here) are in place. */
    void (*select)(void *keys, void *spare, int64_t n, bool to_spare, const int64_t *kth, int64_t nkth, int64_t first);
    /* Sorts each of the lines of 2 to CNI_SHORT_LINE keys, one behind the other. */
    void (*lines)(void *keys, int64_t lines, int64_t length);
    bool (*sorted)(const void *keys, int64_t n);
    void (*range)(const void *keys, int64_t n, uint64_t *low, uint64_t *high); /* n > 0 */
    /* bucket[i]: how many of the CNI_BUCKETS - 1 ascending splitters are <= keys[i]; counts: of each bucket. */
    void (*classify)(const void *keys, int64_t n, const void *splitters, uint8_t *bucket, int64_t *counts);
    /*
     * to[at[bucket[i]]++] = keys[i], for all pieces of keys between begin and end, which see to what is kept back;
     * `to` is aligned to its keys.
     */
    void (*scatter_begin)(cni_scatter *s, const int64_t *at, void *to, bool stream);
    void (*scatter)(cni_scatter *s, const void *keys, int64_t n, const uint8_t *bucket);
    void (*scatter_end)(cni_scatter *s);
    /* out[i] = (keys[i] - low) >> shift << bits | (first + i), in 32 or in 64 bits */
    void (*pack_32)(const void *keys, int64_t n, uint64_t low, int shift, int bits, int64_t first, uint32_t *out);
    void (*pack_64)(const void *keys, int64_t n, uint64_t low, int shift, int bits, int64_t first, uint64_t *out);
} cni_key_kernels;

typedef struct cni_order_kernels {
    cni_key_kernels key_32, key_64;
    /* Contiguous; in place where both sides have one size. NULL for complex dtypes. */
    void (*keys[CN_DTYPE_COUNT])(int64_t n, const void *values, void *keys);
    void (*values[CN_DTYPE_COUNT])(int64_t n, const void *keys, void *values);
    /* low: the second word of complex128's ranks, not used for others. */
    void (*ranks[CN_DTYPE_COUNT])(int64_t n, const void *values, void *keys, uint64_t *low);
    /* out[i] = packed[i] & mask; in place for 64 bits */
    void (*unpack_32)(const uint32_t *packed, int64_t n, uint32_t mask, int64_t *out);
    void (*unpack_64)(const uint64_t *packed, int64_t n, uint64_t mask, int64_t *out);
    /* Where each of count values goes in the n sorted ones (all contiguous). */
    void (*search[CN_DTYPE_COUNT])(const void *sorted, int64_t n, const void *values, int64_t count, bool right,
                                   int64_t *out);
    /* Index of the first extreme of n > 0 contiguous values, or of the first NaN. Bools: truths, not bytes. */
    int64_t (*extreme[CN_DTYPE_COUNT])(const void *values, int64_t n, bool maximum);
    /* Is values[a] to be taken rather than the earlier values[b]? */
    bool (*better[CN_DTYPE_COUNT])(const void *a, const void *b, bool maximum);
    /* For each of n columns: takes row `at` of values where it is better than best, which it updates with index. */
    void (*extreme_row[CN_DTYPE_COUNT])(const void *values, int64_t n, bool maximum, int64_t at, void *best,
                                        int64_t *index);
} cni_order_kernels;

/* The table for this processor, under the setting instruction_set. */
const cni_order_kernels *cni_order_kernels_get(void);

/* 4 or 8 */
static inline size_t cni_key_size(cn_dtype dtype)
{
    return cn_dtype_size(dtype) <= 4 ? 4 : 8;
}

#endif
