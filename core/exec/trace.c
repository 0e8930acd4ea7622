/*
 * trace.c - see trace.h. Slices are kept in memory, as many as there is room for, and come to rank 0 when it writes them:
 * by the clocks of their machines. On a device they are what was asked of it, not when it was done.
 */
#include "exec/trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/status.h"
#include "exec/explain.h"
#include "exec/net.h"
#include "op/op.h"

enum { SLICES_MOST = 1 << 20, DEVICE_TRACK = 1 << 20 };

typedef enum slice_kind {
    SLICE_GROUP,
    SLICE_CARRY,
    SLICE_FILL,
    SLICE_LIBRARY,
    SLICE_PLAN,
    SLICE_EXCHANGE,
    SLICE_FETCH
} slice_kind;

typedef struct slice {
    uint64_t begin, end; /* nanoseconds */
    int64_t bytes;
    uint32_t first, last, count; /* sites, ops */
    int32_t track;               /* a place, or DEVICE_TRACK more */
    uint16_t opcode;
    uint8_t kind, op;
} slice;

static slice *slices;
static size_t nslices, capacity;

uint64_t cni_trace_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static void keep(slice s)
{
    s.end = cni_trace_now();
    if (nslices < SLICES_MOST && cni_grow((void **)&slices, &capacity, nslices + 1, sizeof *slices)) {
        slices[nslices++] = s;
    }
}

void cni_trace_part(uint64_t begin, int place, bool device, const cni_part *part, const cni_window *w)
{
    static const uint8_t kinds[CNI_PART_KIND_COUNT] = {SLICE_GROUP, SLICE_CARRY, SLICE_FILL, SLICE_LIBRARY};
    if (begin == 0) {
        return;
    }
    slice s = {.begin = begin, .kind = kinds[part->kind], .track = place + (device ? DEVICE_TRACK : 0)};
    const cni_op *first = NULL, *last = NULL;
    if (part->kind == CNI_PART_LIBRARY) {
        first = last = &w->ops[part->op];
        s.count = 1;
    } else if (part->kind == CNI_PART_GROUP && part->nops > 0) {
        first = &w->ops[part->ops[0]];
        last = &w->ops[part->ops[part->nops - 1]];
        s.count = part->nops;
    }
    if (first != NULL) {
        s.first = first->site;
        s.last = last->site;
        s.opcode = last->opcode;
        s.op = last->kind;
    }
    keep(s);
}

void cni_trace_plan(uint64_t begin, int place, const cni_window *w)
{
    if (begin != 0 && w->nops > 0) {
        keep((slice){.begin = begin,
                     .kind = SLICE_PLAN,
                     .track = place,
                     .first = w->ops[0].site,
                     .last = w->ops[w->nops - 1].site,
                     .count = (uint32_t)w->nops});
    }
}

void cni_trace_bytes(uint64_t begin, int place, const char *what, int64_t bytes)
{
    if (begin != 0) {
        uint8_t kind = what[0] == 'f' ? SLICE_FETCH : SLICE_EXCHANGE;
        keep((slice){.begin = begin, .kind = kind, .track = place, .bytes = bytes});
    }
}

/* ---- From the other processes ---- */

cn_status cni_trace_send(void)
{
    const cni_net *net = cni_process_net;
    int64_t bytes = (int64_t)(nslices * sizeof *slices);
    cni_message message = {0, slices, bytes};
    CN_TRY(net->gather(&bytes, sizeof bytes, NULL));
    CN_TRY(net->exchange_begin(0, NULL, bytes > 0, &message));
    CN_TRY(net->exchange_end());
    nslices = 0;
    return CN_OK;
}

static cn_status receive(const int64_t *bytes, cni_message *messages)
{
    size_t count = nslices;
    int n = 0;
    for (int rank = 1; rank < cni_process_net->size; rank++) {
        count += (size_t)bytes[rank] / sizeof *slices;
    }
    if (!cni_grow((void **)&slices, &capacity, count, sizeof *slices)) {
        return cni_fail_memory((int64_t)(count * sizeof *slices));
    }
    for (int rank = 1; rank < cni_process_net->size; rank++) {
        if (bytes[rank] > 0) {
            messages[n++] = (cni_message){rank, slices + nslices, bytes[rank]};
            nslices += (size_t)bytes[rank] / sizeof *slices;
        }
    }
    CN_TRY(cni_process_net->exchange_begin(n, messages, 0, NULL));
    return cni_process_net->exchange_end();
}

/* A rank without memory for it ends the program: the others are sending. */
static cn_status collect(void)
{
    size_t ranks = (size_t)cni_process_net->size;
    if (ranks == 1) {
        return CN_OK;
    }
    CN_TRY(cni_log_trace());
    int64_t own = 0, *bytes = cni_alloc_zero(ranks, sizeof *bytes);
    cni_message *messages = cni_alloc_zero(ranks, sizeof *messages);
    cn_status status = bytes != NULL && messages != NULL ? CN_OK : cni_fail_memory((int64_t)(ranks * sizeof *messages));
    status = status == CN_OK ? cni_process_net->gather(&own, sizeof own, bytes) : status;
    status = status == CN_OK ? receive(bytes, messages) : status;
    cni_free(bytes);
    cni_free(messages);
    if (status != CN_OK) {
        cni_process_net->abort("no memory for the trace");
    }
    return status;
}

/* ---- The file ---- */

static void put_text(FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            fputc('\\', file);
        }
        fputc((unsigned char)*text < ' ' ? ' ' : *text, file);
    }
}

/* "name file.py:12-18" of what there is of it. */
static void put_name(FILE *file, const char *name, const slice *s)
{
    char first[160], last[160];
    cni_site_text(s->first, first, sizeof first);
    cni_site_text(s->last, last, sizeof last);
    const char *line = strrchr(last, ':');
    bool alike = line != NULL && strncmp(first, last, (size_t)(line - last) + 1) == 0;
    put_text(file, name);
    fputs(name[0] != '\0' && first[0] != '\0' ? " " : "", file);
    put_text(file, first);
    if (last[0] != '\0' && strcmp(first, last) != 0) {
        fputc('-', file);
        put_text(file, alike ? line + 1 : last);
    }
}

static void put_slice(FILE *file, const slice *s, uint64_t zero)
{
    static const char *const names[] = {"", "carry", "fill", "", "plan", "exchange", "fetch"};
    static const char *const kinds[] = {"group", "carry", "fill", "op", "plan", "exchange", "fetch"};
    bool unknown = s->first == 0 && s->kind <= SLICE_LIBRARY && names[s->kind][0] == '\0';
    cni_op op = {.kind = s->op, .opcode = s->opcode};
    const char *name = s->kind == SLICE_LIBRARY || unknown ? cni_op_kind_name(&op) : names[s->kind];
    fprintf(file, ",\n{\"ph\":\"X\",\"pid\":1,\"tid\":%d,\"cat\":\"%s\",\"ts\":%.3f,\"dur\":%.3f,\"name\":\"", s->track,
            kinds[s->kind], (double)(s->begin - zero) / 1e3, (double)(s->end - s->begin) / 1e3);
    put_name(file, name, s);
    fprintf(file, "\",\"args\":{\"%s\":%lld}}", s->kind >= SLICE_EXCHANGE ? "bytes" : "ops",
            s->kind >= SLICE_EXCHANGE ? (long long)s->bytes : (long long)s->count);
}

/* A track's name, where its first slice is. */
static void put_tracks(FILE *file)
{
    fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n"
          "{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"cnumeric\"}}",
          file);
    for (size_t i = 0; i < nslices; i++) {
        bool met = false;
        for (size_t k = i; k > 0 && i - k < 64 && !met; k--) { /* most come in runs; a name twice does no harm */
            met = slices[k - 1].track == slices[i].track;
        }
        if (!met) {
            int place = slices[i].track % DEVICE_TRACK;
            fprintf(
                file,
                ",\n{\"ph\":\"M\",\"pid\":1,\"tid\":%d,\"name\":\"thread_name\",\"args\":{\"name\":\"place %d%s\"}}",
                slices[i].track, place, slices[i].track >= DEVICE_TRACK ? " (asked of its GPU)" : "");
        }
    }
}

cn_status cn_trace_write(const char *path)
{
    CN_TRY(collect());
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        return cni_fail(CN_ERROR_FILE, "%s: %s", path, strerror(errno));
    }
    uint64_t zero = nslices > 0 ? slices[0].begin : 0;
    for (size_t i = 0; i < nslices; i++) {
        zero = slices[i].begin < zero ? slices[i].begin : zero;
    }
    put_tracks(file);
    for (size_t i = 0; i < nslices; i++) {
        put_slice(file, &slices[i], zero);
    }
    fputs("\n]}\n", file);
    nslices = 0;
    bool failed = ferror(file) != 0;
    failed |= fclose(file) != 0;
    return failed ? cni_fail(CN_ERROR_FILE, "%s: %s", path, strerror(errno)) : CN_OK;
}
