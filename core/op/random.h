/*
 * random.h - NumPy's generators and what NumPy makes of their words.
 *
 * A generator gives a stream of words; a draw takes one or more units (1, 2, 4, 8 or 16 bytes) of it. Streams are seen
 * as bytes in memory order, which on little-endian machines is the order in which NumPy takes halves, quarters and
 * eighths of a word.
 */
#ifndef CNI_RANDOM_H
#define CNI_RANDOM_H

#include "cnumeric.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the parts of a word are taken lowest first");

/* ---- Generators (random_generator.c) ---- */

__extension__ typedef unsigned __int128 cni_uint128;

typedef struct cni_pcg64 {
    cni_uint128 state, increment;
} cni_pcg64;

static inline cni_uint128 cni_uint128_of(uint64_t high, uint64_t low)
{
    return (cni_uint128)high << 64 | low;
}

/* As if delta words had been taken; delta modulo 2^128 goes back, too. */
void cni_pcg64_advance(cni_pcg64 *g, cni_uint128 delta);
uint64_t cni_pcg64_last(const cni_pcg64 *g); /* the word taken last */
void cni_pcg64_words(cni_pcg64 *g, int64_t n, uint64_t *words);
/* low + range * u for n doubles u of [0, 1). */
void cni_pcg64_uniform(cni_pcg64 *g, int64_t n, double low, double range, double *out);

enum { CNI_MT19937_WORDS = 624 };

typedef struct cni_mt19937 {
    uint32_t key[CNI_MT19937_WORDS];
    int position; /* of the next word in key; CNI_MT19937_WORDS: a new block is due */
} cni_mt19937;

/* n words before tempering, and the tempering of them. */
void cni_mt19937_words(cni_mt19937 *g, int64_t n, uint32_t *words);
void cni_mt19937_temper(int64_t n, uint32_t *words);

/* ---- Draws (random_parse.c, random_ziggurat.c) ---- */

typedef struct cni_draw cni_draw;

enum { CNI_DRAW_STARTS = 64 };

/* Where a parser stands. */
typedef struct cni_parse {
    const unsigned char *raw;
    int64_t at, end, limit; /* bytes: the next draw's first; no draw begins at or behind end; readable up to limit */
    int64_t room;           /* draws wanted */
    unsigned char *out;
    int64_t *starts; /* NULL, or where the first CNI_DRAW_STARTS draws begin */
} cni_parse;

struct cni_draw {
    int unit, item; /* bytes taken from the stream at a time; bytes of a draw */
    bool linked;    /* a draw may take several units, so that it matters where the one before it ended */
    bool dense;     /* all units but one in thousands make a draw, judged by themselves */
    bool whole;     /* units are 64-bit words: MT19937 gives the upper half of one first */
    /* Draws until there are room of them or at reaches end; returns how many. */
    int64_t (*parse)(const cni_draw *draw, cni_parse *p);
    uint64_t low, range, mask; /* integers: low + [0, range]; mask 0: by multiplication */
    double low_value, range_value;
    uint64_t *bound; /* intervals: the bound of the next draw, counting down */
};

cni_draw cni_draw_normal(void);
cni_draw cni_draw_exponential(void);
cni_draw cni_draw_integers(size_t itemsize, uint64_t low, uint64_t range, bool masked);
cni_draw cni_draw_single(void);                           /* float32 in [0, 1) */
cni_draw cni_draw_pair_uniform(double low, double range); /* two 32-bit words each */
cni_draw cni_draw_polar(void);                            /* pairs of normals from four 32-bit words */
cni_draw cni_draw_log(void);                              /* exponentials from two 32-bit words each */
cni_draw cni_draw_interval(uint64_t *bound);              /* uint32 in [0, *bound], the bound less by one each time */

#endif
