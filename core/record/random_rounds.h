/* random_rounds.h - draws from a stream in rounds of segments, one for each thread; see random_rounds.c. */
#ifndef CNI_RANDOM_ROUNDS_H
#define CNI_RANDOM_ROUNDS_H

#include "op/random.h"

/* Where a generator stands, to the byte. */
typedef struct cni_stream {
    bool mersenne;
    cni_pcg64 pcg64;
    cni_mt19937 mt19937;
    int64_t offset; /* bytes of the next word (PCG64: 8, MT19937: 4) that are taken already */
    bool has_half;  /* offset is 4, and the word's upper half is `half`, whatever the generator says */
    uint32_t half;
} cni_stream;

/*
 * n draws in the order of the stream, which stands behind the last of them then; the same numbers with any number of
 * threads. The stream is as before on failure.
 */
cn_status cni_stream_draw(cni_stream *stream, const cni_draw *draw, int64_t n, void *out, int threads);

#endif
