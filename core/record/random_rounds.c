/*
 * random_rounds.c - draws that take an unknown number of words, in parallel.
 *
 *     words    |---- segment 0 ----|---- segment 1 ----|---- segment 2 ----|
 *     draws    | | | || | | |  | | | | |   || | | | | |  | | | | | | | || |
 *                                ^ a draw may reach into the next segment
 *
 * A round hands one segment of the stream to each thread, which parses it into draws as if one began at its first word.
 * Where the draw before reaches into it, the true draws are parsed from there until one of them begins where a supposed
 * one does: from then on they are the same. What the draws of segment k > 0 are is known then, and where they go; they
 * are copied there. Segment 0 begins where the last round ended and needs neither.
 */
#include "record/random_rounds.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "base/threads.h"

enum {
    MOST_THREADS = 64,
    SEGMENT_BYTES = 128 << 10,
    ALONE_BYTES = 16 << 10, /* one thread: the words stay in the level-1 cache */
    SLACK_BYTES = 64 * 8,   /* readable behind a segment, for the draw that reaches over its end */
    THREAD_BYTES = 32 << 10 /* of words pay for a thread */
};

typedef struct segment {
    unsigned char *raw, *draws;
    int64_t starts[CNI_DRAW_STARTS];
    int64_t begin, end;     /* bytes: of the first true draw, behind the last */
    int64_t count, skipped; /* supposed draws; how many of them are not true */
    int64_t fixed;          /* draws in `fix`, which come first */
    uint64_t fix[CNI_DRAW_STARTS];
    int64_t place; /* of its first draw among the round's */
} segment;

typedef struct round_state {
    const cni_stream *stream;
    const cni_draw *draw;
    unsigned char *out;
    int64_t bytes, wanted, total; /* bytes of a segment; draws wanted; draws found */
    segment *segments;
} round_state;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void fill(const round_state *r, int k, unsigned char *raw)
{
    const cni_stream *s = r->stream;
    if (s->mersenne) { /* the words are there already */
        cni_mt19937_temper(r->bytes / 4, (uint32_t *)(void *)raw);
        uint32_t *words = (uint32_t *)(void *)raw;
        for (int64_t i = 0; r->draw->whole && i < r->bytes / 4; i += 2) {
            uint32_t high = words[i];
            words[i] = words[i + 1];
            words[i + 1] = high;
        }
        return;
    }
    cni_pcg64 g = s->pcg64;
    cni_pcg64_advance(&g, (cni_uint128)(r->bytes / 8) * (unsigned)k);
    cni_pcg64_words(&g, (r->bytes + (r->draw->linked ? SLACK_BYTES : 0)) / 8, (uint64_t *)(void *)raw);
    if (k == 0 && s->has_half) {
        memcpy(raw + 4, &s->half, sizeof s->half);
    }
}

static int64_t parse(const round_state *r, const segment *s, int64_t *at, int64_t room, void *out, int64_t *starts)
{
    cni_parse p = {.raw = s->raw, .at = *at, .end = r->bytes, .limit = r->bytes + SLACK_BYTES, .room = room, .out = out,
                   .starts = starts};
    int64_t count = r->draw->parse(r->draw, &p);
    *at = p.at;
    return count;
}

static void run_segment(void *context, int k)
{
    const round_state *r = context;
    segment *s = &r->segments[k];
    fill(r, k, s->raw);
    s->begin = k == 0 ? r->stream->offset : 0;
    s->end = s->begin;
    s->skipped = s->fixed = 0;
    s->count = parse(r, s, &s->end, k == 0 ? r->wanted : INT64_MAX, k == 0 ? r->out : s->draws, r->draw->linked && k > 0 ? s->starts : NULL);
}

/* The segment's true draws, which begin at s->begin: those that differ from the supposed ones go to fix, or all anew. */
static void correct(const round_state *r, segment *s)
{
    int64_t at = s->begin, known = s->count < CNI_DRAW_STARTS ? s->count : CNI_DRAW_STARTS;
    for (int64_t i = 0; s->fixed < CNI_DRAW_STARTS; s->fixed++) {
        while (i < known && s->starts[i] < at) {
            i++;
        }
        if (i < known && s->starts[i] == at) {
            s->skipped = i;
            return;
        }
        if (i == known || parse(r, s, &at, 1, &s->fix[s->fixed], NULL) == 0) {
            break;
        }
    }
    s->fixed = s->skipped = 0;
    s->end = s->begin;
    s->count = parse(r, s, &s->end, INT64_MAX, s->draws, NULL);
}

/* Draws wanted end inside the segment: those behind are no draws of this call. */
static void shorten(const round_state *r, segment *s, int64_t count)
{
    s->skipped = s->fixed = 0;
    s->end = s->begin;
    s->count = parse(r, s, &s->end, count, s->draws, NULL);
}

static void copy_segment(void *context, int k)
{
    const round_state *r = context;
    const segment *s = &r->segments[k];
    size_t item = (size_t)r->draw->item;
    if (k > 0 && s->count - s->skipped + s->fixed > 0) {
        unsigned char *to = r->out + (size_t)s->place * item;
        memcpy(to, s->fix, (size_t)s->fixed * item);
        memcpy(to + (size_t)s->fixed * item, s->draws + (size_t)s->skipped * item, (size_t)(s->count - s->skipped) * item);
    }
}

/* Puts the segments' draws together; gives the byte behind the last, from the beginning of segment 0. */
static int64_t join(round_state *r, int count)
{
    int64_t end = r->segments[0].end;
    r->total = r->segments[0].count;
    int used = 1;
    for (; used < count && r->total < r->wanted; used++) {
        segment *s = &r->segments[used];
        s->begin = end - used * r->bytes;
        s->place = r->total;
        if (s->begin > 0) {
            correct(r, s);
        }
        if (s->count - s->skipped + s->fixed > r->wanted - r->total) {
            shorten(r, s, r->wanted - r->total);
        }
        r->total += s->count - s->skipped + s->fixed;
        end = used * r->bytes + s->end;
    }
    cni_threads_run(used, copy_segment, r);
    return end;
}

/* The stream behind that many bytes; `made` have been taken from MT19937. scratch has room for ALONE_BYTES. */
static void go_on(cni_stream *s, const cni_mt19937 *before, int64_t bytes, int64_t made, void *scratch)
{
    int64_t word = s->mersenne ? 4 : 8;
    if (!s->mersenne) {
        cni_pcg64_advance(&s->pcg64, (cni_uint128)(bytes / word));
    } else if (bytes / word < made / word) {
        s->mt19937 = *before;
        for (int64_t left = bytes / word; left > 0; left -= ALONE_BYTES / 4) {
            cni_mt19937_words(&s->mt19937, least(left, ALONE_BYTES / 4), scratch);
        }
    }
    s->offset = bytes % word;
    s->has_half = s->has_half && bytes < 8;
}

/* One round of at most n draws; returns how many. */
static int64_t draw_round(cni_stream *stream, const cni_draw *draw, int64_t n, unsigned char *out, int threads,
                          segment *segments)
{
    int64_t bytes = n * draw->unit + stream->offset;
    int count = (int)least(threads, 1 + bytes / THREAD_BYTES);
    bytes = (bytes / count + 63) / 64 * 64;
    round_state r = {.stream = stream, .draw = draw, .out = out, .wanted = n, .segments = segments};
    r.bytes = least(bytes, threads > 1 ? SEGMENT_BYTES : ALONE_BYTES); /* threads as given to every round */
    cni_mt19937 before;
    if (stream->mersenne) {
        before = stream->mt19937;
        for (int k = 0; k < count; k++) {
            cni_mt19937_words(&stream->mt19937, r.bytes / 4, (uint32_t *)(void *)segments[k].raw);
        }
    }
    cni_threads_run(count, run_segment, &r);
    int64_t end = join(&r, count);
    go_on(stream, &before, end, stream->mersenne ? count * r.bytes : 0, segments[0].draws);
    return r.total;
}

cn_status cni_stream_draw(cni_stream *stream, const cni_draw *draw, int64_t n, void *out, int threads)
{
    int count = threads < MOST_THREADS ? threads : MOST_THREADS;
    count = (int)least(count, 1 + n * draw->unit / THREAD_BYTES);
    size_t raw = (size_t)(count > 1 ? SEGMENT_BYTES : ALONE_BYTES) + 64, each = raw + SLACK_BYTES + 2 * raw;
    size_t size = (sizeof(segment) + each) * (size_t)count;
    unsigned char *memory = cni_alloc(size);
    if (memory == NULL) {
        return cni_fail_memory((int64_t)size);
    }
    segment *segments = (segment *)(void *)memory;
    for (int k = 0; k < count; k++) {
        segments[k].raw = memory + sizeof(segment) * (size_t)count + each * (size_t)k;
        segments[k].draws = segments[k].raw + raw + SLACK_BYTES;
    }
    for (unsigned char *to = out; n > 0;) {
        int64_t made = draw_round(stream, draw, n, to, count, segments);
        to += made * draw->item;
        n -= made;
    }
    cni_free(memory);
    return CN_OK;
}
