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

/* Four chains side by side: one alone waits for its multiplications. */
static inline uint64_t cni_hash_words(uint64_t hash, const uint64_t *words, size_t count)
{
    uint64_t chain[4] = {hash, hash + 1, hash + 2, hash + 3};
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        for (int k = 0; k < 4; k++) {
            chain[k] = cni_hash_mix(chain[k], words[i + (size_t)k]);
        }
    }
    for (; i < count; i++) {
        chain[0] = cni_hash_mix(chain[0], words[i]);
    }
    return cni_hash_mix(cni_hash_mix(chain[0], chain[1]), cni_hash_mix(chain[2], chain[3]));
}

#endif
