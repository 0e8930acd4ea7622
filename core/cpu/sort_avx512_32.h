/* sort_avx512_32.h - what sort_avx512.h needs of vectors of 32-bit keys. */

ONE_LINE V iota_32(void)
{
    return _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}

ONE_LINE V set1_32(uint32_t x)
{
    return _mm512_set1_epi32((int)x);
}

ONE_LINE V min_32(V a, V b)
{
    return _mm512_min_epu32(a, b);
}

/* The greater of a and b, of which low is the lesser: what is left of both; minima alone would keep one port busy. */
ONE_LINE V other_32(V a, V b, V low)
{
    return _mm512_ternarylogic_epi32(a, b, low, 0x96);
}

/* That in the lanes of m, low in the others. */
ONE_LINE V mask_other_32(MASK m, V a, V b, V low)
{
    return _mm512_mask_ternarylogic_epi32(low, m, a, b, 0x96);
}

ONE_LINE V xor_32(V a, V b)
{
    return _mm512_xor_si512(a, b);
}

ONE_LINE V add_32(V a, V b)
{
    return _mm512_add_epi32(a, b);
}

ONE_LINE V mask_add_32(V otherwise, MASK m, V a, V b)
{
    return _mm512_mask_add_epi32(otherwise, m, a, b);
}

ONE_LINE V permute_32(V v, V lanes)
{
    return _mm512_permutexvar_epi32(lanes, v);
}

ONE_LINE V permute_two_32(V a, V lanes, V b)
{
    return _mm512_permutex2var_epi32(a, lanes, b);
}

ONE_LINE V blend_32(MASK m, V a, V b)
{
    return _mm512_mask_blend_epi32(m, a, b);
}

ONE_LINE MASK less_32(V a, V b)
{
    return _mm512_cmplt_epu32_mask(a, b);
}

ONE_LINE MASK at_least_32(V a, V b)
{
    return _mm512_cmpge_epu32_mask(a, b);
}

ONE_LINE V gather_32(const uint32_t *from, V index)
{
    return _mm512_i32gather_epi32(index, from, 4);
}

ONE_LINE V load_all_32(const uint32_t *from)
{
    return _mm512_loadu_si512(from);
}

ONE_LINE V load_32(V otherwise, MASK m, const uint32_t *from)
{
    return _mm512_mask_loadu_epi32(otherwise, m, from);
}

ONE_LINE void store_32(uint32_t *to, MASK m, V v)
{
    _mm512_mask_storeu_epi32(to, m, v);
}

ONE_LINE void compress_store_32(uint32_t *to, MASK m, V v)
{
    _mm512_mask_compressstoreu_epi32(to, m, v);
}

ONE_LINE void store_bytes_32(uint8_t *to, MASK m, V v)
{
    _mm512_mask_cvtepi32_storeu_epi8(to, m, v);
}

/* The left half has a place for the whole vector. */
ONE_LINE void store_both_32(uint32_t *left, uint32_t *right, V v, MASK below, int count)
{
    V high = _mm512_maskz_compress_epi32((MASK)~below, v);
    _mm512_storeu_si512(left, _mm512_maskz_compress_epi32(below, v));
    _mm512_mask_storeu_epi32(right - (16 - count), (MASK)(0xFFFFu >> count), high);
}

/* The low halves of a and b. */
ONE_LINE V halves_32(V a, V b)
{
    return _mm512_inserti64x4(a, _mm512_castsi512_si256(b), 1);
}

ONE_LINE void transpose_32(V *v)
{
    V a[16];
#pragma GCC unroll 8
    for (int k = 0; k < 8; k++) {
        a[2 * k] = _mm512_unpacklo_epi32(v[2 * k], v[2 * k + 1]);
        a[2 * k + 1] = _mm512_unpackhi_epi32(v[2 * k], v[2 * k + 1]);
    }
    /* quarter q of b[4 k + c]: column 4 q + c of rows 4 k .. 4 k + 3 */
    V b[16];
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
        b[4 * k] = _mm512_unpacklo_epi64(a[4 * k], a[4 * k + 2]);
        b[4 * k + 1] = _mm512_unpackhi_epi64(a[4 * k], a[4 * k + 2]);
        b[4 * k + 2] = _mm512_unpacklo_epi64(a[4 * k + 1], a[4 * k + 3]);
        b[4 * k + 3] = _mm512_unpackhi_epi64(a[4 * k + 1], a[4 * k + 3]);
    }
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++) {
        V even_low = _mm512_shuffle_i32x4(b[c], b[4 + c], 0x88), odd_low = _mm512_shuffle_i32x4(b[c], b[4 + c], 0xDD);
        V even_high = _mm512_shuffle_i32x4(b[8 + c], b[12 + c], 0x88),
          odd_high = _mm512_shuffle_i32x4(b[8 + c], b[12 + c], 0xDD);
        v[c] = _mm512_shuffle_i32x4(even_low, even_high, 0x88);
        v[8 + c] = _mm512_shuffle_i32x4(even_low, even_high, 0xDD);
        v[4 + c] = _mm512_shuffle_i32x4(odd_low, odd_high, 0x88);
        v[12 + c] = _mm512_shuffle_i32x4(odd_low, odd_high, 0xDD);
    }
}
