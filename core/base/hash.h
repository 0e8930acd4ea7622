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

static inline uint64_t cni_hash_words(uint64_t hash, const uint64_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hash = cni_hash_mix(hash, words[i]);
    }
    return hash;
}

#endif
