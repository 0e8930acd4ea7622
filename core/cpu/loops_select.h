/*
 * loops_select.h - included by loops_body.h: the first `room` elements whose bytes are true, in order, or their places.
 * The caller knows that there are so many, so nothing is written behind them; no branch depends on the bytes.
 */
#if defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#include <immintrin.h>
#define BY_MASKS
#endif

/* size is a constant where it is called. */
static inline __attribute__((always_inline)) void select_each(int64_t room, const uint8_t *truth, const char *in,
                                                              char *out, size_t size)
{
    for (int64_t i = 0, count = 0; count < room; i++) {
        memcpy(out + (size_t)count * size, in + (size_t)i * size, size);
        count += truth[i] != 0;
    }
}

static void select_1(int64_t room, const uint8_t *truth, const void *in, void *out)
{
    select_each(room, truth, in, out, 1);
}

static void select_2(int64_t room, const uint8_t *truth, const void *in, void *out)
{
    select_each(room, truth, in, out, 2);
}

static void select_4(int64_t room, const uint8_t *truth, const void *in, void *out)
{
    const uint32_t *x = in;
    uint32_t *y = out;
    int64_t i = 0, count = 0;
#if defined(BY_MASKS)
    for (; count + 16 <= room; i += 16) {
        const __m128i bytes = _mm_loadu_si128((const void *)(truth + i));
        const __mmask16 some = _mm_test_epi8_mask(bytes, bytes);
        _mm512_storeu_si512(y + count, _mm512_maskz_compress_epi32(some, _mm512_loadu_si512(x + i)));
        count += __builtin_popcount(some);
    }
#endif
    select_each(room - count, truth + i, (const char *)(x + i), (char *)(y + count), 4);
}

static void select_8(int64_t room, const uint8_t *truth, const void *in, void *out)
{
    const uint64_t *x = in;
    uint64_t *y = out;
    int64_t i = 0, count = 0;
#if defined(BY_MASKS)
    for (; count + 8 <= room; i += 8) {
        const __m128i bytes = _mm_loadl_epi64((const void *)(truth + i));
        const __mmask8 some = (__mmask8)_mm_test_epi8_mask(bytes, bytes);
        _mm512_storeu_si512(y + count, _mm512_maskz_compress_epi64(some, _mm512_loadu_si512(x + i)));
        count += __builtin_popcount(some);
    }
#endif
    select_each(room - count, truth + i, (const char *)(x + i), (char *)(y + count), 8);
}

static void select_16(int64_t room, const uint8_t *truth, const void *in, void *out)
{
    select_each(room, truth, in, out, 16);
}

static void select_places(int64_t room, const uint8_t *truth, int64_t first, int64_t *out)
{
    int64_t i = 0, count = 0;
#if defined(BY_MASKS)
    const __m512i eight = _mm512_set1_epi64(8);
    __m512i place = _mm512_add_epi64(_mm512_set1_epi64(first), _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7));
    for (; count + 8 <= room; i += 8, place = _mm512_add_epi64(place, eight)) {
        const __m128i bytes = _mm_loadl_epi64((const void *)(truth + i));
        const __mmask8 some = (__mmask8)_mm_test_epi8_mask(bytes, bytes);
        _mm512_storeu_si512(out + count, _mm512_maskz_compress_epi64(some, place));
        count += __builtin_popcount(some);
    }
#endif
    for (; count < room; i++) {
        out[count] = first + i;
        count += truth[i] != 0;
    }
}

#undef BY_MASKS
