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
 * are copied there. Segment 0 begins where the last round ended and needs neither. Where nearly every unit makes a draw,
 * each segment's go where they belong if all do, and are moved if not; segments are as long as the call then.
 */
#include "record/random_rounds.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "base/threads.h"

enum {
    MOST_THREADS = 64,
    SEGMENT_BYTES = 512 << 10,
    PIECE_BYTES = 16 << 10, /* words made and parsed at a time: they stay in the level-1 cache */
    SLACK_BYTES = 64 * 8,   /* readable behind a piece, for the draw that reaches over its end */
    THREAD_BYTES = 32 << 10 /* of words pay for a thread */
};

typedef struct segment {
    uint64_t piece[(PIECE_BYTES + SLACK_BYTES) / 8];
    int64_t starts[CNI_DRAW_STARTS];
    uint64_t fix[CNI_DRAW_STARTS];
    unsigned char *words, *buffer; /* MT19937's words, before tempering; for draws that cannot go where they belong */
    unsigned char *draws;
    int64_t begin, end;     /* bytes: of the first true draw, behind the last */
    int64_t count, skipped; /* supposed draws; how many of them are not true */
    int64_t fixed;          /* draws in `fix`, which come first */
    int64_t place;          /* of its first draw among the round's */
    int64_t room;           /* draws that `draws` takes */
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

/* ---- The words of a segment, piece by piece ---- */

typedef struct feed {
    segment *segment;
    cni_pcg64 pcg64;
    int64_t at, bytes; /* where the piece begins in the segment; its bytes */
} feed;

static feed feed_begin(const round_state *r, int k)
{
    feed f = {.segment = &r->segments[k], .pcg64 = r->stream->pcg64};
    if (!r->stream->mersenne) {
        cni_pcg64_advance(&f.pcg64, (cni_uint128)(r->bytes / 8) * (unsigned)k);
    }
    return f;
}

static void swap_halves(int64_t n, uint32_t *words)
{
    for (int64_t i = 0; i < n; i += 2) {
        uint32_t high = words[i];
        words[i] = words[i + 1];
        words[i + 1] = high;
    }
}

/* Makes the next piece; the generator then stands behind it, not behind the slack. */
static void feed_piece(const round_state *r, feed *f)
{
    segment *s = f->segment;
    f->at += f->bytes;
    f->bytes = least(PIECE_BYTES, r->bytes - f->at);
    if (r->stream->mersenne) {
        uint32_t *words = (uint32_t *)(void *)s->piece;
        memcpy(words, s->words + f->at, (size_t)f->bytes);
        cni_mt19937_temper(f->bytes / 4, words);
        if (r->draw->whole) {
            swap_halves(f->bytes / 4, words);
        }
        return;
    }
    cni_pcg64_words(&f->pcg64, f->bytes / 8, s->piece);
    if (r->draw->linked) {
        cni_pcg64 behind = f->pcg64;
        cni_pcg64_words(&behind, SLACK_BYTES / 8, s->piece + f->bytes / 8);
    }
    if (s == r->segments && f->at == 0 && r->stream->has_half) {
        memcpy((unsigned char *)s->piece + 4, &r->stream->half, sizeof r->stream->half);
    }
}

static int64_t parse_piece(const round_state *r, const feed *f, int64_t *at, int64_t room, void *out, int64_t *starts)
{
    cni_parse p = {.raw = (const unsigned char *)f->segment->piece,
                   .at = *at - f->at,
                   .end = f->bytes,
                   .limit = f->bytes + SLACK_BYTES,
                   .room = room,
                   .out = out,
                   .starts = starts};
    int64_t count = r->draw->parse(r->draw, &p);
    *at = f->at + p.at;
    return count;
}

/* Parses segment k from s->begin: sets s->count and s->end. */
static void parse_segment(const round_state *r, int k, int64_t room, unsigned char *out, int64_t *starts)
{
    segment *s = &r->segments[k];
    feed f = feed_begin(r, k);
    s->count = s->skipped = s->fixed = 0;
    s->end = s->begin;
    while (f.at + f.bytes < r->bytes && s->count < room) {
        feed_piece(r, &f);
        s->count +=
            parse_piece(r, &f, &s->end, room - s->count, out + s->count * r->draw->item, f.at == 0 ? starts : NULL);
    }
}

static void run_segment(void *context, int k)
{
    const round_state *r = context;
    segment *s = &r->segments[k];
    s->begin = k == 0 ? r->stream->offset : 0;
    if (k == 0) {
        parse_segment(r, k, r->wanted, r->out, NULL);
    } else {
        parse_segment(r, k, s->room, s->draws, r->draw->linked ? s->starts : NULL);
    }
}

/* ---- Putting segments together ---- */

/* The segment's true draws, which begin at s->begin: those that differ from the supposed ones go to fix, or all anew. */
static void correct(const round_state *r, int k)
{
    segment *s = &r->segments[k];
    feed f = feed_begin(r, k);
    int64_t at = s->begin, known = least(s->count, CNI_DRAW_STARTS);
    feed_piece(r, &f);
    for (int64_t i = 0; s->fixed < CNI_DRAW_STARTS; s->fixed++) {
        while (i < known && s->starts[i] < at) {
            i++;
        }
        if (i < known && s->starts[i] == at) {
            s->skipped = i;
            return;
        }
        if (i == known || parse_piece(r, &f, &at, 1, &s->fix[s->fixed], NULL) == 0) {
            break;
        }
    }
    parse_segment(r, k, s->room, s->draws, NULL);
}

static void copy_segment(void *context, int k)
{
    const round_state *r = context;
    const segment *s = &r->segments[k];
    size_t item = (size_t)r->draw->item;
    unsigned char *to = r->out + s->place * r->draw->item;
    if (k > 0 && to != s->draws && s->count - s->skipped + s->fixed > 0) {
        memcpy(to, s->fix, (size_t)s->fixed * item);
        memmove(to + (size_t)s->fixed * item, s->draws + (size_t)s->skipped * item,
                (size_t)(s->count - s->skipped) * item);
    }
}

/* Puts the segments' draws together; gives the byte behind the last, from the beginning of segment 0. */
static int64_t join(round_state *r, int count)
{
    int64_t end = r->segments[0].end;
    r->segments[0].place = 0;
    r->total = r->segments[0].count;
    int used = 1;
    bool more = true; /* the segment before reached its end */
    for (; used < count && more && r->total < r->wanted; used++) {
        segment *s = &r->segments[used];
        s->begin = end - used * r->bytes;
        s->place = r->total;
        if (s->begin > 0) {
            correct(r, used);
        }
        if (s->count - s->skipped + s->fixed > r->wanted - r->total) { /* those behind are no draws of this call */
            parse_segment(r, used, r->wanted - r->total, s->draws, NULL);
        }
        r->total += s->count - s->skipped + s->fixed;
        end = used * r->bytes + s->end;
        more = s->end >= r->bytes; /* else there was no room, and the next round goes on there */
        if (r->draw->dense) {      /* in turn, as they move into each other's places */
            copy_segment(r, used);
        }
    }
    if (!r->draw->dense) {
        cni_threads_run(used, copy_segment, r);
    }
    return end;
}

/* The stream behind that many bytes; `made` have been taken from MT19937. scratch has room for PIECE_BYTES. */
static void go_on(cni_stream *s, const cni_mt19937 *before, int64_t bytes, int64_t made, void *scratch)
{
    int64_t word = s->mersenne ? 4 : 8;
    if (!s->mersenne) {
        cni_pcg64_advance(&s->pcg64, (cni_uint128)(bytes / word));
    } else if (bytes / word < made / word) {
        s->mt19937 = *before;
        for (int64_t left = bytes / word; left > 0; left -= PIECE_BYTES / 4) {
            cni_mt19937_words(&s->mt19937, least(left, PIECE_BYTES / 4), scratch);
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
    bool whole = draw->dense && !stream->mersenne;
    r.bytes = whole ? bytes : least(bytes, SEGMENT_BYTES);
    for (int k = 1; k < count; k++) {
        int64_t place = draw->dense ? (k * r.bytes - stream->offset) / draw->unit : 0; /* if no unit is refused */
        segments[k].draws = draw->dense ? out + place * draw->item : segments[k].buffer;
        segments[k].room = draw->dense ? (n > place ? n - place : 0) : INT64_MAX;
    }
    cni_mt19937 before;
    if (stream->mersenne) {
        before = stream->mt19937;
        for (int k = 0; k < count; k++) {
            cni_mt19937_words(&stream->mt19937, r.bytes / 4, (uint32_t *)(void *)segments[k].words);
        }
    }
    cni_threads_run(count, run_segment, &r);
    int64_t end = join(&r, count);
    go_on(stream, &before, end, stream->mersenne ? count * r.bytes : 0, segments[0].piece);
    return r.total;
}

cn_status cni_stream_draw(cni_stream *stream, const cni_draw *draw, int64_t n, void *out, int threads)
{
    int count = threads < MOST_THREADS ? threads : MOST_THREADS;
    count = (int)least(count, 1 + n * draw->unit / THREAD_BYTES);
    size_t words = stream->mersenne ? SEGMENT_BYTES : 0, draws = count > 1 && !draw->dense ? 2 * SEGMENT_BYTES : 0;
    size_t size = (sizeof(segment) + words + draws) * (size_t)count;
    unsigned char *memory = cni_alloc(size);
    if (memory == NULL) {
        return cni_fail_memory((int64_t)size);
    }
    segment *segments = (segment *)(void *)memory;
    for (int k = 0; k < count; k++) {
        segments[k].words = memory + sizeof(segment) * (size_t)count + (words + draws) * (size_t)k;
        segments[k].buffer = segments[k].words + words;
    }
    for (unsigned char *to = out; n > 0;) {
        int64_t made = draw_round(stream, draw, n, to, count, segments);
        to += made * draw->item;
        n -= made;
    }
    cni_free(memory);
    return CN_OK;
}
