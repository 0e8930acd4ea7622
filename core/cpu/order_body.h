/*
 * order_body.h - all kernels of order.h, included by one file for each instruction set with CNI_KERNELS the table's
 * name. Compiled with that set's flags; everything but the table is static.
 */
#include <stdint.h>
#include <string.h>

#include "cpu/order.h"
#include "op/complex.h"

#ifdef __AVX512F__
#include <immintrin.h>
#endif

/* Iterations depend on each other at most at the same index (in place). */
#if defined(__clang__)
#define CNI_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define CNI_INDEPENDENT _Pragma("GCC ivdep")
#endif

/* ---- Keys ---- */

#ifdef __AVX512F__

/* Where a vector of 8 keys sends those of a mask (to the front) and the others (to the back). */
static uint8_t split_lanes[256][8];

__attribute__((constructor)) static void split_lanes_fill(void)
{
    for (int mask = 0; mask < 256; mask++) {
        int front = 0, back = __builtin_popcount((unsigned)mask);
        for (int l = 0; l < 8; l++) {
            split_lanes[mask][(mask >> l & 1) != 0 ? front++ : back++] = (uint8_t)l;
        }
    }
}

#define ALONE (INT64_C(256) << 20) /* quicksort in place reads memory in order */
#define V __m512i
#define ONE_LINE static inline __attribute__((always_inline))

#define KEY uint32_t
#define LANES 16
#define MASK __mmask16
#define F(name) name##_32
#include "cpu/sort_avx512_32.h"
#include "cpu/sort_avx512.h"
#define MOST_SMALL 256
#define RADIX_ABOVE INT64_MAX
#include "cpu/sort_keys.h"
#undef KEY
#undef LANES
#undef MASK
#undef F
#undef MOST_SMALL
#undef RADIX_ABOVE

#define KEY uint64_t
#define LANES 8
#define MASK __mmask8
#define F(name) name##_64
#include "cpu/sort_avx512_64.h"
#include "cpu/sort_avx512.h"
#define MOST_SMALL 128
#define RADIX_ABOVE INT64_MAX
#include "cpu/sort_keys.h"
#undef KEY
#undef F
#undef MOST_SMALL
#undef RADIX_ABOVE

#else

#define ALONE (INT64_C(4) << 20)
#define MOST_SMALL 32

#define KEY uint32_t
#define F(name) name##_32
#define RADIX_ABOVE 256
#include "cpu/sort_plain.h"
#include "cpu/sort_keys.h"
#undef KEY
#undef F
#undef RADIX_ABOVE

#define KEY uint64_t
#define F(name) name##_64
#define RADIX_ABOVE 1024
#include "cpu/sort_plain.h"
#include "cpu/sort_keys.h"
#undef KEY
#undef F
#undef RADIX_ABOVE

#endif

static void unpack_32(const uint32_t *packed, int64_t n, uint32_t mask, int64_t *out)
{
    CNI_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
        out[i] = (int64_t)(packed[i] & mask);
    }
}

static void unpack_64(const uint64_t *packed, int64_t n, uint64_t mask, int64_t *out)
{
    CNI_INDEPENDENT
    for (int64_t i = 0; i < n; i++) {
        out[i] = (int64_t)(packed[i] & mask);
    }
}

/* ---- Dtypes ---- */

#define KIND_UNSIGNED 1
#define KIND_SIGNED 2
#define KIND_FLOAT 3
#define KIND_COMPLEX 4

#define T uint8_t
#define BITS uint8_t
#define KEY uint32_t
#define KIND KIND_UNSIGNED
#define F(name) name##_u8
#include "cpu/order_dtype.h"

#define T int8_t
#define BITS uint8_t
#define KEY uint32_t
#define KIND KIND_SIGNED
#define F(name) name##_i8
#include "cpu/order_dtype.h"

#define T uint16_t
#define BITS uint16_t
#define KEY uint32_t
#define KIND KIND_UNSIGNED
#define F(name) name##_u16
#include "cpu/order_dtype.h"

#define T int16_t
#define BITS uint16_t
#define KEY uint32_t
#define KIND KIND_SIGNED
#define F(name) name##_i16
#include "cpu/order_dtype.h"

#define T uint32_t
#define BITS uint32_t
#define KEY uint32_t
#define KIND KIND_UNSIGNED
#define F(name) name##_u32
#include "cpu/order_dtype.h"

#define T int32_t
#define BITS uint32_t
#define KEY uint32_t
#define KIND KIND_SIGNED
#define F(name) name##_i32
#include "cpu/order_dtype.h"

#define T uint64_t
#define BITS uint64_t
#define KEY uint64_t
#define KIND KIND_UNSIGNED
#define F(name) name##_u64
#include "cpu/order_dtype.h"

#define T int64_t
#define BITS uint64_t
#define KEY uint64_t
#define KIND KIND_SIGNED
#define F(name) name##_i64
#include "cpu/order_dtype.h"

#define T uint16_t /* compared by rank */
#define BITS uint16_t
#define KEY uint32_t
#define INFINITY_BITS 0x7C00
#define KIND KIND_FLOAT
#define IS_HALF
#define F(name) name##_f16
#include "cpu/order_dtype.h"

#define T float
#define BITS uint32_t
#define KEY uint32_t
#define INFINITY_BITS UINT32_C(0x7F800000)
#define KIND KIND_FLOAT
#define F(name) name##_f32
#include "cpu/order_dtype.h"

#define T double
#define BITS uint64_t
#define KEY uint64_t
#define INFINITY_BITS UINT64_C(0x7FF0000000000000)
#define KIND KIND_FLOAT
#define F(name) name##_f64
#include "cpu/order_dtype.h"

#define T cni_c64
#define REAL_RANK rank_f32
#define NAN_RANK (rank_limit_f32 + 1)
#define KIND KIND_COMPLEX
#define F(name) name##_c64
#include "cpu/order_dtype.h"

#define T cni_c128
#define REAL_RANK rank_f64
#define NAN_RANK (rank_limit_f64 + 1)
#define KIND KIND_COMPLEX
#define F(name) name##_c128
#include "cpu/order_dtype.h"

/* ---- The table ---- */

/* ---- Extremes of truths: every byte that is not 0 is as true as another ---- */

static bool better_b(const void *a, const void *b, bool maximum)
{
    bool first = *(const uint8_t *)a != 0, second = *(const uint8_t *)b != 0;
    return first != second && first == maximum;
}

/* The first byte that is not 0, word by word; the first one if there is none. */
static int64_t first_true(const char *data, int64_t n)
{
    enum { WORDS = 8, BLOCK = 8 * WORDS };
    int64_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        uint64_t words[WORDS], any = 0;
        memcpy(words, data + i, sizeof words);
        for (int k = 0; k < WORDS; k++) {
            any |= words[k];
        }
        if (any != 0) {
            break;
        }
    }
    while (i < n && data[i] == 0) {
        i++;
    }
    return i < n ? i : 0;
}

static int64_t extreme_b(const void *values, int64_t n, bool maximum)
{
    if (maximum) {
        return first_true(values, n);
    }
    const char *found = memchr(values, 0, (size_t)n);
    return found != NULL ? found - (const char *)values : 0;
}

static void extreme_row_b(const void *values, int64_t n, bool maximum, int64_t at, void *best, int64_t *index)
{
    const uint8_t *from = values;
    uint8_t *kept = best;
    CNI_INDEPENDENT for (int64_t i = 0; i < n; i++)
    {
        uint8_t truth = from[i] != 0;
        bool take = (truth != (kept[i] != 0)) & (truth == maximum);
        kept[i] = take ? truth : kept[i];
        index[i] = take ? at : index[i];
    }
}

#define BY_DTYPE(name)                                                                                                 \
    {name##_u8,  name##_i8,  name##_u8,  name##_i16, name##_u16, name##_i32, name##_u32,                               \
     name##_i64, name##_u64, name##_f16, name##_f32, name##_f64, name##_c64, name##_c128}
#define BY_DTYPE_OR_TRUTH(name)                                                                                        \
    {name##_b,   name##_i8,  name##_u8,  name##_i16, name##_u16, name##_i32, name##_u32,                               \
     name##_i64, name##_u64, name##_f16, name##_f32, name##_f64, name##_c64, name##_c128}
#define BY_REAL(name)                                                                                                  \
    {name##_u8,  name##_i8,  name##_u8,  name##_i16, name##_u16, name##_i32,                                           \
     name##_u32, name##_i64, name##_u64, name##_f16, name##_f32, name##_f64}
#define BY_KEY(s)                                                                                                      \
    {.alone = ALONE,                                                                                                   \
     .sort = sort_##s,                                                                                                 \
     .select = select_##s,                                                                                             \
     .lines = lines_##s,                                                                                               \
     .sorted = sorted_##s,                                                                                             \
     .range = range_##s,                                                                                               \
     .classify = classify_##s,                                                                                         \
     .scatter_begin = scatter_begin_##s,                                                                               \
     .scatter = scatter_##s,                                                                                           \
     .scatter_end = scatter_end_##s,                                                                                   \
     .pack_32 = pack_32_##s,                                                                                           \
     .pack_64 = pack_64_##s}

const cni_order_kernels CNI_KERNELS = {
    .key_32 = BY_KEY(32),
    .key_64 = BY_KEY(64),
    .keys = BY_REAL(keys),
    .values = BY_REAL(values),
    .ranks = BY_DTYPE(ranks),
    .unpack_32 = unpack_32,
    .unpack_64 = unpack_64,
    .search = BY_DTYPE(search),
    .extreme = BY_DTYPE_OR_TRUTH(extreme),
    .better = BY_DTYPE_OR_TRUTH(better),
    .extreme_row = BY_DTYPE_OR_TRUTH(extreme_row),
};
