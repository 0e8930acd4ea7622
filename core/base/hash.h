/* hash.h - mixing of 64-bit words (multiply and fold), for keys of plans and repeats. Not for untrusted input. */
#ifndef CNI_HASH_H
#define CNI_HASH_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t cni_hash_mix(uint64_t hash, uint64_t word)
{
    uint64_t x = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return x ^ (x >> 32);
}

/*
 * A running hash takes a few words, as a sum of products: nothing waits but for the multiplication that begins it.
 *     cni_hash_sum sum = cni_hash_begin(hash);
 *     cni_hash_add(&sum, word); ...
 *     hash = sum.sum;
 */
typedef struct cni_hash_sum {
    uint64_t sum, factor;
} cni_hash_sum;

static inline cni_hash_sum cni_hash_begin(uint64_t hash)
{
    return (cni_hash_sum){hash * UINT64_C(0x9E3779B97F4A7C15), UINT64_C(0xC2B2AE3D27D4EB4F)};
}

static inline void cni_hash_add(cni_hash_sum *s, uint64_t word)
{
    s->sum += (word ^ word >> 29) * s->factor;
    s->factor = s->factor << 13 | s->factor >> 51;
}

#endif
