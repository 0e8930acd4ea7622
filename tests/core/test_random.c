/* test_random.c - jumps equal steps, the known first words, and the same draws however a stream is cut. */
#include <string.h>

#include "cnumeric.h"

#include "check.h"
#include "op/random.h"
#include "record/random_rounds.h"

static cni_pcg64 some_pcg64(void)
{
    return (cni_pcg64){cni_uint128_of(UINT64_C(0x1234567890abcdef), UINT64_C(0xfedcba0987654321)),
                       cni_uint128_of(UINT64_C(0x0f1e2d3c4b5a6978), UINT64_C(0x8796a5b4c3d2e1f1))};
}

static bool same_pcg64(cni_pcg64 a, cni_pcg64 b)
{
    return a.state == b.state && a.increment == b.increment;
}

static void test_jumps(void)
{
    uint64_t words[1000];
    for (int i = 0; i < 200; i++) {
        int64_t n = below(1000);
        cni_pcg64 stepped = some_pcg64(), jumped = stepped, start = stepped;
        cni_pcg64_words(&stepped, n, words);
        cni_pcg64_advance(&jumped, (cni_uint128)n);
        EXPECT(same_pcg64(stepped, jumped));
        EXPECT(n == 0 || cni_pcg64_last(&jumped) == words[n - 1]);
        cni_pcg64_advance(&jumped, -(cni_uint128)n);
        EXPECT(same_pcg64(jumped, start));
        cni_pcg64_advance(&jumped, (cni_uint128)1 << 100);
        cni_pcg64_advance(&jumped, (cni_uint128)n - ((cni_uint128)1 << 100));
        EXPECT(same_pcg64(jumped, stepped));
    }
}

static void test_words_in_parts(void)
{
    uint64_t whole[1000], parts[1000];
    cni_pcg64 g = some_pcg64();
    cni_pcg64_words(&g, 1000, whole);
    g = some_pcg64();
    for (int64_t at = 0; at < 1000;) {
        int64_t n = 1 + below(9), left = 1000 - at;
        n = n < left ? n : left;
        cni_pcg64_words(&g, n, parts + at);
        at += n;
    }
    EXPECT(memcmp(whole, parts, sizeof whole) == 0);
}

/* The reference program's seeding with one number; the standard's 10000th word after seed 5489 is 4123659995. */
static cni_mt19937 seeded(uint32_t seed)
{
    cni_mt19937 g = {.position = CNI_MT19937_WORDS};
    g.key[0] = seed;
    for (uint32_t i = 1; i < CNI_MT19937_WORDS; i++) {
        g.key[i] = UINT32_C(1812433253) * (g.key[i - 1] ^ g.key[i - 1] >> 30) + i;
    }
    return g;
}

static void test_mt19937(void)
{
    static uint32_t whole[10000], parts[10000];
    cni_mt19937 g = seeded(5489);
    cni_mt19937_words(&g, 10000, whole);
    cni_mt19937_temper(10000, whole);
    EXPECT(whole[9999] == UINT32_C(4123659995));
    g = seeded(5489);
    for (int64_t at = 0; at < 10000;) {
        int64_t n = 1 + below(900), left = 10000 - at;
        n = n < left ? n : left;
        cni_mt19937_words(&g, n, parts + at);
        at += n;
    }
    cni_mt19937_temper(10000, parts);
    EXPECT(memcmp(whole, parts, sizeof whole) == 0);
}

enum { DRAWS = 500000 };

static cni_stream some_stream(bool mersenne)
{
    cni_stream s = {.mersenne = mersenne, .pcg64 = some_pcg64(), .mt19937 = seeded(7)};
    return s;
}

static bool same_stream(const cni_stream *a, const cni_stream *b)
{
    bool same = a->mersenne ? a->mt19937.position == b->mt19937.position &&
                                  memcmp(a->mt19937.key, b->mt19937.key, sizeof a->mt19937.key) == 0
                            : same_pcg64(a->pcg64, b->pcg64);
    return same && a->offset == b->offset;
}

/* All at once by so many threads, and a few at a time by one. */
static void test_draw(bool mersenne, const cni_draw *draw)
{
    size_t size = (size_t)DRAWS * (size_t)draw->item;
    unsigned char *whole = malloc(size), *parts = malloc(size);
    cni_stream one = some_stream(mersenne);
    for (int64_t at = 0; at < DRAWS;) {
        int64_t n = 1 + below(20000), left = DRAWS - at;
        n = n < left ? n : left;
        EXPECT(cni_stream_draw(&one, draw, n, parts + at * draw->item, 1) == CN_OK);
        at += n;
    }
    for (int threads = 1; threads <= 5; threads++) {
        cni_stream s = some_stream(mersenne);
        EXPECT(cn_setting_set("threads", threads) == CN_OK);
        EXPECT(cni_stream_draw(&s, draw, DRAWS, whole, threads) == CN_OK);
        EXPECT(memcmp(whole, parts, size) == 0);
        EXPECT(same_stream(&s, &one));
    }
    free(whole);
    free(parts);
}

/* A ziggurat whose draws reach far: every third unit or so needs another. */
static int64_t parse_far(const cni_draw *draw, cni_parse *p)
{
    uint64_t *out = (uint64_t *)(void *)p->out, word, sum;
    int64_t k = 0;
    for (; k < p->room && p->at < p->end; k++) {
        if (p->starts != NULL && k < CNI_DRAW_STARTS) {
            p->starts[k] = p->at;
        }
        sum = 0;
        do {
            word = 0;
            if (p->at < p->limit) {
                memcpy(&word, p->raw + p->at, sizeof word);
            }
            p->at += draw->unit;
            sum = sum * 3 + word;
        } while (word % 3 == 1);
        out[k] = sum;
    }
    return k;
}

int main(void)
{
    test_jumps();
    test_words_in_parts();
    test_mt19937();
    const cni_draw draws[] = {cni_draw_normal(),
                              cni_draw_exponential(),
                              cni_draw_integers(8, 5, 999, false),
                              cni_draw_integers(8, 5, (UINT64_C(1) << 63) + 9, false),
                              cni_draw_integers(4, 0, 3000000000, false),
                              cni_draw_integers(2, 1, 40000, false),
                              cni_draw_integers(1, 1, 140, false),
                              cni_draw_single()};
    for (size_t i = 0; i < sizeof draws / sizeof *draws; i++) {
        test_draw(false, &draws[i]);
    }
    const cni_draw mersenne[] = {cni_draw_pair_uniform(-1, 3),
                                 cni_draw_polar(),
                                 cni_draw_log(),
                                 cni_draw_integers(8, 5, 600, true),
                                 cni_draw_integers(8, 5, UINT64_C(3) << 40, true),
                                 cni_draw_integers(4, 0, 2200000000, true)};
    for (size_t i = 0; i < sizeof mersenne / sizeof *mersenne; i++) {
        test_draw(true, &mersenne[i]);
    }
    test_draw(false, &(cni_draw){.unit = 8, .item = 8, .linked = true, .parse = parse_far});
    return finish("random");
}
