/* random_parse.c - draws that take units of fixed size, each judged by itself; and the bounds of a shuffle. */
#include <math.h>
#include <string.h>

#include "op/random.h"

/* Units that can be tried without making more draws than wanted. */
static inline int64_t batch(const cni_parse *p, int64_t done, int64_t unit)
{
    int64_t room = p->room - done, left = p->at < p->end ? (p->end - p->at + unit - 1) / unit : 0;
    return room < left ? room : left;
}

#define UNIT uint8_t
#define WIDE uint16_t
#define ITEM uint8_t
#define MULTIPLY multiply_1
#define MASK mask_1
#include "op/random_integers.h"
#define UNIT uint16_t
#define WIDE uint32_t
#define ITEM uint16_t
#define MULTIPLY multiply_2
#define MASK mask_2
#include "op/random_integers.h"
#define UNIT uint32_t
#define WIDE uint64_t
#define ITEM uint32_t
#define MULTIPLY multiply_4
#define MASK mask_4
#include "op/random_integers.h"
#define UNIT uint32_t
#define WIDE uint64_t
#define ITEM uint64_t
#define MULTIPLY multiply_4_8
#define MASK mask_4_8
#include "op/random_integers.h"
#define UNIT uint64_t
#define WIDE cni_uint128
#define ITEM uint64_t
#define MULTIPLY multiply_8
#define MASK mask_8
#include "op/random_integers.h"

/* The least number of the form 2^k - 1 that is not below range. */
static uint64_t mask_of(uint64_t range)
{
    return range == 0 ? 0 : UINT64_MAX >> __builtin_clzll(range);
}

cni_draw cni_draw_integers(size_t itemsize, uint64_t low, uint64_t range, bool masked)
{
    bool narrow = itemsize == 8 && range <= UINT32_MAX; /* 64-bit numbers of a 32-bit range take 32-bit words */
    size_t unit = narrow ? 4 : itemsize;
    uint64_t most = UINT64_MAX >> (64 - 8 * unit);
    cni_draw draw = {.unit = (int)unit, .item = (int)itemsize, .whole = unit == 8, .low = low, .range = range};
    if (masked || range == most) {
        draw.mask = mask_of(range);
        draw.parse = unit == 1 ? mask_1 : unit == 2 ? mask_2 : unit == 8 ? mask_8 : narrow ? mask_4_8 : mask_4;
    } else {
        draw.parse = unit == 1   ? multiply_1
                     : unit == 2 ? multiply_2
                     : unit == 8 ? multiply_8
                     : narrow    ? multiply_4_8
                                 : multiply_4;
    }
    draw.dense = masked ? draw.mask == range : range <= most >> 12;
    return draw;
}

static int64_t parse_single(const cni_draw *draw, cni_parse *p)
{
    float *out = (float *)(void *)p->out;
    int64_t n = batch(p, 0, draw->unit);
    const unsigned char *raw = p->raw + p->at;
    for (int64_t i = 0; i < n; i++) {
        uint32_t word;
        memcpy(&word, raw + 4 * i, sizeof word);
        out[i] = (float)(int32_t)(word >> 8) * 0x1p-24f;
    }
    p->at += n * draw->unit;
    return n;
}

cni_draw cni_draw_single(void)
{
    return (cni_draw){.unit = 4, .item = 4, .dense = true, .parse = parse_single};
}

/* The double in [0, 1) of two 32-bit words: 27 bits, then 26. */
static inline double pair_double(const unsigned char *raw)
{
    uint32_t words[2];
    memcpy(words, raw, sizeof words);
    return ((double)(int32_t)(words[0] >> 5) * 67108864.0 + (double)(int32_t)(words[1] >> 6)) * 0x1p-53;
}

static int64_t parse_pair_uniform(const cni_draw *draw, cni_parse *p)
{
    double *out = (double *)(void *)p->out, low = draw->low_value, range = draw->range_value;
    int64_t n = batch(p, 0, draw->unit);
    const unsigned char *raw = p->raw + p->at;
    for (int64_t i = 0; i < n; i++) {
        out[i] = low + range * pair_double(raw + 8 * i);
    }
    p->at += n * draw->unit;
    return n;
}

cni_draw cni_draw_pair_uniform(double low, double range)
{
    return (cni_draw){
        .unit = 8, .item = 8, .dense = true, .parse = parse_pair_uniform, .low_value = low, .range_value = range};
}

static int64_t parse_log(const cni_draw *draw, cni_parse *p)
{
    double *out = (double *)(void *)p->out;
    int64_t n = batch(p, 0, draw->unit);
    const unsigned char *raw = p->raw + p->at;
    for (int64_t i = 0; i < n; i++) {
        out[i] = -log(1.0 - pair_double(raw + 8 * i));
    }
    p->at += n * draw->unit;
    return n;
}

cni_draw cni_draw_log(void)
{
    return (cni_draw){.unit = 8, .item = 8, .dense = true, .parse = parse_log};
}

/* Marsaglia's polar method: the second of a pair is drawn first. */
static int64_t parse_polar(const cni_draw *draw, cni_parse *p)
{
    double *out = (double *)(void *)p->out;
    int64_t k = 0;
    for (; k < p->room && p->at < p->end; p->at += draw->unit) {
        double x = 2.0 * pair_double(p->raw + p->at) - 1.0, y = 2.0 * pair_double(p->raw + p->at + 8) - 1.0,
               r = x * x + y * y;
        if (r < 1.0 && r != 0.0) {
            double f = sqrt(-2.0 * log(r) / r);
            out[2 * k] = f * y;
            out[2 * k + 1] = f * x;
            k++;
        }
    }
    return k;
}

cni_draw cni_draw_polar(void)
{
    return (cni_draw){.unit = 16, .item = 16, .parse = parse_polar};
}

/* ---- The places that a shuffle swaps with ---- */

static int64_t parse_interval(const cni_draw *draw, cni_parse *p)
{
    uint32_t *out = (uint32_t *)(void *)p->out, word;
    uint64_t bound = *draw->bound;
    uint32_t mask = (uint32_t)mask_of(bound);
    int64_t k = 0;
    for (; k < p->room && p->at < p->end; p->at += draw->unit) {
        memcpy(&word, p->raw + p->at, sizeof word);
        word &= mask;
        if (word <= bound) {
            out[k++] = word;
            bound--;
            mask = bound <= mask >> 1 ? mask >> 1 : mask;
        }
    }
    *draw->bound = bound;
    return k;
}

cni_draw cni_draw_interval(uint64_t *bound)
{
    return (cni_draw){.unit = 4, .item = 4, .parse = parse_interval, .bound = bound};
}
