/*
 * cuda_turns.c - see cuda_turns.h.
 *
 *     host     pack 0 | pack 1 | unpack 0 | pack 2 | unpack 1 | ...      threads of the pool
 *     up              | 0      | 1        | 2      |
 *     down     | 0 |  1 |      | 2        |                              streams of their own
 *     work     ----------------------------------------------            the order of all work
 *
 * Each direction has a ring of pinned pieces. While the host packs one, the one before it is on its way.
 */
#include "cuda/cuda_turns.h"

#include <string.h>

#include "base/settings.h"
#include "base/status.h"
#include "base/threads.h"
#include "cuda/cuda_driver.h"
#include "cuda/cuda_memory.h"
#include "cuda/cuda_stream.h"

enum { PIECES = 4, WITHOUT_TIMING = 2, NON_BLOCKING = 1 };

#define PIECE ((int64_t)16 << 20)
#define SHARE ((int64_t)256 << 10) /* bytes from which on a thread more pays */

typedef struct piece {
    char *memory;
    cni_cuda_handle event; /* it has been read, or filled */
    bool pending;
} piece;

/* Where a list of copies is: elements of the next one that have been sent. */
typedef struct cursor {
    const cni_turn_copies *copies;
    uint32_t next;
    int64_t done;
} cursor;

/* Elements of a copy, in C order. */
typedef struct chunk {
    const cni_turn_copy *copy;
    int64_t from, to;
} chunk;

static struct {
    cni_cuda_handle up, down; /* streams */
    piece up_pieces[PIECES], down_pieces[PIECES];
    chunk coming[PIECES]; /* in down_pieces */
    cni_cuda_handle work, arrived[CNI_TURN_LANES], done[CNI_TURN_LANES];
    bool open;
} t;

static cn_status fail(void)
{
    const char *text = cni_cuda_failure();
    return cni_fail(CN_ERROR_INTERNAL, "the GPU failed: %s", text != NULL ? text : "no copies");
}

/* ---- Opening ---- */

static bool make_event(cni_cuda_handle *event)
{
    return *event != NULL || cni_cuda.event_create(event, WITHOUT_TIMING) == 0;
}

static bool make_pieces(piece *pieces)
{
    for (int i = 0; i < PIECES; i++) {
        void *memory = pieces[i].memory;
        if (!make_event(&pieces[i].event) || (memory == NULL && cni_cuda.memory_host(&memory, (size_t)PIECE) != 0)) {
            return false;
        }
        pieces[i].memory = memory;
    }
    return true;
}

static bool make_stream(cni_cuda_handle *stream)
{
    return *stream != NULL || cni_cuda.stream_create(stream, NON_BLOCKING) == 0;
}

static bool open_copies(void)
{
    if (!cni_cuda_enter() || cni_cuda_failure() != NULL) {
        return false;
    }
    bool made = t.open || (make_stream(&t.up) && make_stream(&t.down) && make_pieces(t.up_pieces) &&
                           make_pieces(t.down_pieces) && make_event(&t.work));
    for (int i = 0; i < CNI_TURN_LANES && made; i++) {
        made = make_event(&t.arrived[i]) && make_event(&t.done[i]);
    }
    t.open = made;
    return made;
}

static int64_t capacity(void)
{
    static size_t all;
    int64_t limit = cni_settings[CNI_SETTING_GPU_MEMORY];
    if (all == 0 && (!cni_cuda_enter() || cni_cuda.memory_total(&all, cni_cuda_gpu.devices[0]) != 0)) {
        return 0;
    }
    return (limit > 0 && limit < (int64_t)all ? limit : (int64_t)all) * cni_cuda_gpu.gpus;
}

/* ---- Pieces ---- */

typedef struct packing {
    const chunk *chunk;
    char *packed;
    int64_t threads;
    bool up;
} packing;

static void pack_share(void *context, int i)
{
    const packing *p = context;
    const cni_region *all = &p->chunk->copy->region;
    int64_t count = p->chunk->to - p->chunk->from;
    int64_t from = p->chunk->from + count * i / p->threads, to = p->chunk->from + count * (i + 1) / p->threads;
    char *packed = p->packed + (from - p->chunk->from) * all->itemsize;
    cni_box boxes[CNI_CUT_BOXES];
    int n = cni_range_boxes(all->ndim, all->shape, from, to, boxes);
    for (int k = 0; k < n; k++) {
        cni_region region = *all;
        for (int d = 0; d < all->ndim; d++) {
            region.offset += boxes[k].start[d] * all->strides[d];
            region.shape[d] = boxes[k].stop[d] - boxes[k].start[d];
        }
        (p->up ? cni_region_pack(&region, packed, p->chunk->copy->host)
               : cni_region_unpack(&region, p->chunk->copy->host, packed));
        packed += cni_region_size(&region);
    }
}

/* Between memory of the host and a piece. */
static void pack(const chunk *c, char *packed, bool up)
{
    int64_t size = (c->to - c->from) * c->copy->region.itemsize, threads = cni_threads_count();
    threads = size / SHARE < threads ? size / SHARE + 1 : threads;
    cni_threads_run((int)threads, pack_share, &(packing){c, packed, threads, up});
}

static bool left(const cursor *c)
{
    return c->next < c->copies->n;
}

/* The next elements, as many as a piece has room for. */
static chunk take(cursor *c)
{
    const cni_turn_copy *copy = &c->copies->at[c->next];
    int64_t all = cni_region_size(&copy->region) / copy->region.itemsize, most = PIECE / copy->region.itemsize;
    chunk out = {copy, c->done, all - c->done < most ? all : c->done + most};
    c->done = out.to < all ? out.to : 0;
    c->next += out.to == all;
    return out;
}

static bool piece_wait(piece *p)
{
    bool fine = !p->pending || cni_cuda_check(cni_cuda.event_wait(p->event), "waiting");
    p->pending = false;
    return fine;
}

static bool piece_mark(piece *p, cni_cuda_handle stream)
{
    p->pending = true;
    return cni_cuda_check(cni_cuda.event_record(p->event, stream), "an event");
}

static bool send_up(cursor *c, int *number)
{
    piece *p = &t.up_pieces[(*number)++ % PIECES];
    chunk x = take(c);
    int64_t size = x.copy->region.itemsize;
    if (!piece_wait(p)) {
        return false;
    }
    pack(&x, p->memory, true);
    cni_cuda_address to = (uintptr_t)x.copy->device + (cni_cuda_address)(x.from * size);
    return cni_cuda_check(cni_cuda.upload(to, p->memory, (size_t)((x.to - x.from) * size), t.up), "an upload") &&
           piece_mark(p, t.up);
}

static bool send_down(cursor *c, int number)
{
    chunk x = take(c);
    int64_t size = x.copy->region.itemsize;
    piece *p = &t.down_pieces[number % PIECES];
    t.coming[number % PIECES] = x;
    cni_cuda_address from = (uintptr_t)x.copy->device + (cni_cuda_address)(x.from * size);
    return cni_cuda_check(cni_cuda.download(p->memory, from, (size_t)((x.to - x.from) * size), t.down), "a download") &&
           piece_mark(p, t.down);
}

static bool take_down(int number)
{
    piece *p = &t.down_pieces[number % PIECES];
    bool fine = piece_wait(p);
    if (fine) {
        pack(&t.coming[number % PIECES], p->memory, false);
    }
    return fine;
}

/* ---- Copies ---- */

static bool mark(cni_cuda_handle event, cni_cuda_handle stream)
{
    return cni_cuda_check(cni_cuda.event_record(event, stream), "an event");
}

static bool follow(cni_cuda_handle stream, cni_cuda_handle event)
{
    return cni_cuda_check(cni_cuda.stream_wait_event(stream, event, 0), "a wait");
}

/* The order of all work, as the first GPU's stream has it. */
static bool mark_work(cni_cuda_handle event)
{
    cni_cuda_step(1);
    bool fine = mark(event, cni_cuda_stream(0));
    cni_cuda_step_end();
    return fine;
}

static cn_status copy(const cni_turn_copies *up, const cni_turn_copies *down)
{
    cursor comes = {.copies = up}, goes = {.copies = down};
    int sent_up = 0, sent = 0, taken = 0; /* pieces */
    bool fine = cni_cuda_enter() && cni_cuda_failure() == NULL;
    fine = fine && (!up->behind || (mark_work(t.work) && follow(t.up, t.work)));
    fine = fine && (down->n == 0 || follow(t.down, t.done[down->lane]));
    while (fine && (left(&comes) || left(&goes) || taken < sent)) {
        while (fine && left(&goes) && sent - taken < PIECES) {
            fine = send_down(&goes, sent++);
        }
        if (fine && left(&comes)) {
            fine = send_up(&comes, &sent_up);
        }
        bool there = taken < sent && (!left(&comes) || cni_cuda.event_query(t.down_pieces[taken % PIECES].event) == 0);
        if (fine && there) {
            fine = take_down(taken++);
        }
    }
    fine = fine && mark(t.arrived[up->lane], t.up);
    return fine ? CN_OK : fail();
}

static void begin(int lane)
{
    if (cni_cuda_enter()) {
        cni_cuda_step(1);
        follow(cni_cuda_stream(0), t.arrived[lane]);
        cni_cuda_step_end();
    }
}

static void end(int lane)
{
    if (cni_cuda_enter()) {
        mark_work(t.done[lane]);
    }
}

const cni_turn_device cni_cuda_turns = {
    .capacity = capacity, .open = open_copies, .copy = copy, .begin = begin, .end = end};
