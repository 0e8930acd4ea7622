/* hash.h - mixing of 64-bit words (multiply and fold), for keys of plans and repeats. Not for untrusted input. */
#ifndef CNI_HASH_H
#define CNI_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t cni_hash_mix(uint64_t hash, uint64_t word)
{
    uint64_t x = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return x ^ (x >> 32);
}

/* A running hash takes a few words: one multiplication waits for the one before, whatever their number. */
static inline uint64_t cni_hash_take(uint64_t hash, const void *words, size_t count)
{
    uint64_t sum = hash * UINT64_C(0x9E3779B97F4A7C15), factor = UINT64_C(0xC2B2AE3D27D4EB4F);
    for (size_t i = 0; i < count; i++) {
        uint64_t word;
        memcpy(&word, (const char *)words + i * sizeof word, sizeof word);
        sum += (word ^ word >> 32) * factor;
        factor *= UINT64_C(0xD6E8FEB86659FD93);
    }
    return sum;
}

#endif
