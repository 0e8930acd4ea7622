/* sort_avx512_64.h - what sort_avx512.h needs of vectors of 64-bit keys. */

ONE_LINE V iota_64(void)
{
    return _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
}

ONE_LINE V set1_64(uint64_t x)
{
    return _mm512_set1_epi64((long long)x);
}

ONE_LINE V min_64(V a, V b)
{
    return _mm512_min_epu64(a, b);
}

/* The greater of a and b, of which low is the lesser: what is left of both; minima alone would keep one port busy. */
ONE_LINE V other_64(V a, V b, V low)
{
    return _mm512_ternarylogic_epi64(a, b, low, 0x96);
}

/* That in the lanes of m, low in the others. */
ONE_LINE V mask_other_64(MASK m, V a, V b, V low)
{
    return _mm512_mask_ternarylogic_epi64(low, m, a, b, 0x96);
}

ONE_LINE V xor_64(V a, V b)
{
    return _mm512_xor_si512(a, b);
}

ONE_LINE V add_64(V a, V b)
{
    return _mm512_add_epi64(a, b);
}

ONE_LINE V mask_add_64(V otherwise, MASK m, V a, V b)
{
    return _mm512_mask_add_epi64(otherwise, m, a, b);
}

ONE_LINE V permute_64(V v, V lanes)
{
    return _mm512_permutexvar_epi64(lanes, v);
}

ONE_LINE V permute_two_64(V a, V lanes, V b)
{
    return _mm512_permutex2var_epi64(a, lanes, b);
}

ONE_LINE V blend_64(MASK m, V a, V b)
{
    return _mm512_mask_blend_epi64(m, a, b);
}

ONE_LINE MASK less_64(V a, V b)
{
    return _mm512_cmplt_epu64_mask(a, b);
}

ONE_LINE MASK at_least_64(V a, V b)
{
    return _mm512_cmpge_epu64_mask(a, b);
}

ONE_LINE V gather_64(const uint64_t *from, V index)
{
    return _mm512_i64gather_epi64(index, from, 8);
}

ONE_LINE V load_all_64(const uint64_t *from)
{
    return _mm512_loadu_si512(from);
}

ONE_LINE V load_64(V otherwise, MASK m, const uint64_t *from)
{
    return _mm512_mask_loadu_epi64(otherwise, m, from);
}

ONE_LINE void store_64(uint64_t *to, MASK m, V v)
{
    _mm512_mask_storeu_epi64(to, m, v);
}

ONE_LINE void compress_store_64(uint64_t *to, MASK m, V v)
{
    _mm512_mask_compressstoreu_epi64(to, m, v);
}

ONE_LINE void store_bytes_64(uint8_t *to, MASK m, V v)
{
    _mm512_mask_cvtepi64_storeu_epi8(to, m, v);
}

/* Both halves have a place for the whole vector; each overwrites no more than is free. */
ONE_LINE void store_both_64(uint64_t *left, uint64_t *right, V v, MASK below, int count)
{
    (void)count;
    V lanes = _mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)(const void *)split_lanes[below]));
    V turned = _mm512_permutexvar_epi64(lanes, v);
    _mm512_storeu_si512(left, turned);
    _mm512_storeu_si512(right - 8, turned);
}

/* The low halves of a and b. */
ONE_LINE V halves_64(V a, V b)
{
    return _mm512_inserti64x4(a, _mm512_castsi512_si256(b), 1);
}

ONE_LINE void transpose_64(V *v)
{
    V a[8], b[8];
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
        a[2 * k] = _mm512_unpacklo_epi64(v[2 * k], v[2 * k + 1]);
        a[2 * k + 1] = _mm512_unpackhi_epi64(v[2 * k], v[2 * k + 1]);
    }
#pragma GCC unroll 2
    for (int k = 0; k < 2; k++) { /* quarters of 4 rows */
#pragma GCC unroll 2
        for (int c = 0; c < 2; c++) {
            b[4 * k + c] = _mm512_shuffle_i64x2(a[4 * k + c], a[4 * k + 2 + c], 0x88);
            b[4 * k + 2 + c] = _mm512_shuffle_i64x2(a[4 * k + c], a[4 * k + 2 + c], 0xDD);
        }
    }
#pragma GCC unroll 2
    for (int c = 0; c < 2; c++) {
        v[c] = _mm512_shuffle_i64x2(b[c], b[4 + c], 0x88);
        v[4 + c] = _mm512_shuffle_i64x2(b[c], b[4 + c], 0xDD);
        v[2 + c] = _mm512_shuffle_i64x2(b[2 + c], b[6 + c], 0x88);
        v[6 + c] = _mm512_shuffle_i64x2(b[2 + c], b[6 + c], 0xDD);
    }
}
