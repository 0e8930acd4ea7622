/*
 * cuda_memory.c - see cuda_memory.h.
 *
 * Nothing is reserved up front. Sizes come in classes, eight to each power of two; a freed block goes to the list of its
 * class, the lowest address first, and is given out again: so a program that repeats itself has the same addresses again,
 * whatever the order in which it lets them go. Small blocks are cut from slabs, large ones are the driver's own
 * and go back to it when another size finds no memory. All work is in one order, so a freed block can be given out while
 * old work still uses it. Blocks are the first GPU's, but for large ones where there are several (cuda_spread.h).
 *
 * Moves pass through a ring of pinned pieces: uploads return when the host's memory has been read, downloads when it has
 * been written.
 */
#include "cuda/cuda_memory.h"

#include <string.h>

#include "base/memory.h"
#include "base/settings.h"
#include "base/status.h"
#include "cuda/cuda_events.h"
#include "cuda/cuda_exchange.h"
#include "cuda/cuda_graph.h"
#include "cuda/cuda_spread.h"
#include "cuda/cuda_stream.h"

enum { LEAST_BITS = 9, CLASSES = 8 * (48 - LEAST_BITS) + 1, PIECES = 4, MOST_HOPS = 64 };

#define SLAB_BLOCK ((int64_t)1 << 20) /* blocks below this are cut from slabs */
#define SLAB ((int64_t)8 << 20)
#define PIECE ((size_t)4 << 20)

typedef struct free_block {
    struct free_block *next;
    cni_cuda_address address;
} free_block;

static struct {
    free_block *lists[CLASSES], *spare;
    int64_t taken; /* from the driver */
    cni_cuda_address slab;
    int64_t slab_left;
} pool;

static int class_of(int64_t nbytes, int64_t *size)
{
    uint64_t n = nbytes < (1 << LEAST_BITS) ? 1 << LEAST_BITS : (uint64_t)nbytes;
    if (n == 1 << LEAST_BITS) {
        *size = 1 << LEAST_BITS;
        return 0;
    }
    int exponent = 63 - __builtin_clzll(n - 1); /* 2^exponent < n <= 2^(exponent + 1) */
    uint64_t step = exponent - 3 < LEAST_BITS ? (uint64_t)1 << LEAST_BITS : (uint64_t)1 << (exponent - 3);
    uint64_t rounded = (n + step - 1) / step * step;
    *size = (int64_t)rounded;
    return 8 * (exponent - LEAST_BITS) + (int)((rounded - ((uint64_t)1 << exponent)) >> (exponent - 3));
}

bool cni_cuda_may_take(int gpu, int64_t nbytes)
{
    int64_t limit = cni_settings[CNI_SETTING_GPU_MEMORY], pooled = gpu == 0 ? pool.taken : 0;
    return limit <= 0 || cni_cuda_spread_taken(gpu) + pooled + nbytes <= limit;
}

static bool take(int64_t size, cni_cuda_address *out)
{
    if (!cni_cuda_may_take(0, size) || cni_cuda.memory_alloc(out, (size_t)size) != 0) {
        return false;
    }
    pool.taken += size;
    return true;
}

void cni_cuda_trim(void)
{
    int64_t unused;
    int first = class_of(SLAB_BLOCK, &unused);
    cni_cuda_spread_trim();
    for (int k = first; k < CLASSES; k++) {
        int64_t size =
            ((int64_t)1 << ((k - 1) / 8 + LEAST_BITS)) + ((int64_t)((k - 1) % 8 + 1) << ((k - 1) / 8 + LEAST_BITS - 3));
        for (free_block *b = pool.lists[k]; b != NULL; b = pool.lists[k]) {
            pool.lists[k] = b->next;
            cni_cuda_check(cni_cuda.memory_free(b->address), "freeing memory");
            pool.taken -= size;
            b->next = pool.spare;
            pool.spare = b;
        }
    }
}

static bool cut(int64_t size, cni_cuda_address *out)
{
    if (pool.slab_left < size) { /* what is left of the old one is lost: less than a small block */
        if (!take(SLAB, &pool.slab)) {
            return false;
        }
        pool.slab_left = SLAB;
    }
    *out = pool.slab;
    pool.slab += (cni_cuda_address)size;
    pool.slab_left -= size;
    return true;
}

void *cni_cuda_alloc(int64_t nbytes)
{
    int64_t size;
    cni_cuda_address address;
    if (!cni_cuda_enter() || nbytes > (int64_t)1 << 46) {
        return NULL;
    }
    if (cni_cuda_spread_wanted(nbytes)) {
        address = cni_cuda_spread_alloc(nbytes);
        if (address == 0) {
            cni_cuda_trim();
            address = cni_cuda_spread_alloc(nbytes);
        }
        return (void *)(uintptr_t)address;
    }
    int index = class_of(nbytes, &size);
    free_block *b = pool.lists[index];
    if (b != NULL) {
        pool.lists[index] = b->next;
        b->next = pool.spare;
        pool.spare = b;
        return (void *)(uintptr_t)b->address;
    }
    bool small = size < SLAB_BLOCK;
    bool got = small ? cut(size, &address) : take(size, &address);
    if (!got) {
        cni_cuda_trim();
        got = small ? cut(size, &address) : take(size, &address);
    }
    return got ? (void *)(uintptr_t)address : NULL;
}

void cni_cuda_free(void *memory, int64_t nbytes)
{
    int64_t size;
    if (cni_cuda_gpu.gpus > 1 && cni_cuda_spread_free((uintptr_t)memory)) {
        return;
    }
    int index = class_of(nbytes, &size);
    free_block *b = pool.spare;
    if (b != NULL) {
        pool.spare = b->next;
    } else if ((b = cni_alloc(sizeof *b)) == NULL) {
        if (size >= SLAB_BLOCK && cni_cuda_enter() &&
            cni_cuda_check(cni_cuda.memory_free((uintptr_t)memory), "freeing memory")) {
            pool.taken -= size;
        }
        return;
    }
    free_block **at = &pool.lists[index];
    for (int hops = 0; hops < MOST_HOPS && *at != NULL && (*at)->address < (uintptr_t)memory; hops++) {
        at = &(*at)->next;
    }
    *b = (free_block){.next = *at, .address = (uintptr_t)memory};
    *at = b;
}

/* ---- Moves ---- */

typedef struct piece {
    void *memory;
    size_t used;
    int gpu; /* whose stream moves it */
    cni_cuda_handle events[CNI_CUDA_GPUS];
    bool pending; /* the event was recorded */
} piece;

static struct {
    piece pieces[PIECES];
    int current;
    bool made;
} ring;

static bool ring_make(void)
{
    for (int i = 0; i < PIECES && !ring.made; i++) {
        piece *p = &ring.pieces[i];
        if (p->memory == NULL && cni_cuda.memory_host(&p->memory, PIECE) != 0) {
            return false;
        }
    }
    ring.made = true;
    return true;
}

static bool piece_wait(piece *p)
{
    bool fine = !p->pending || cni_cuda_check(cni_cuda.event_wait(p->events[p->gpu]), "waiting");
    p->pending = false;
    return fine;
}

/* The GPU's context is the thread's. */
static bool piece_mark(piece *p)
{
    cni_cuda_handle *event = &p->events[p->gpu];
    p->pending = true;
    return (*event != NULL || cni_cuda_check(cni_cuda.event_create(event, 2 /* without timing */), "an event")) &&
           cni_cuda_check(cni_cuda.event_record(*event, cni_cuda_gpu.streams[p->gpu]), "an event");
}

/* A piece of the ring with that much room, for moves by this GPU. */
static piece *piece_get(size_t nbytes, int gpu)
{
    piece *p = &ring.pieces[ring.current];
    if (p->used + nbytes > PIECE || p->gpu != gpu) {
        ring.current = (ring.current + 1) % PIECES;
        p = &ring.pieces[ring.current];
        p->used = 0;
        bool fine = piece_wait(p);
        p->gpu = gpu;
        return fine ? p : NULL;
    }
    return p;
}

static cn_status fail(void)
{
    const char *text = cni_cuda_failure();
    return cni_fail(CN_ERROR_INTERNAL, "the GPU failed: %s", text != NULL ? text : "no pinned memory");
}

static cn_status upload(void *device, const void *host, int64_t nbytes)
{
    if (!cni_cuda_enter() || !ring_make() || cni_cuda_failure() != NULL) {
        return fail();
    }
    for (size_t done = 0, n; done < (size_t)nbytes; done += n) {
        n = (size_t)nbytes - done < PIECE ? (size_t)nbytes - done : PIECE;
        int gpu = cni_cuda_owner((uintptr_t)device + done, n, &n);
        piece *p = piece_get(n, gpu);
        if (p == NULL) {
            return fail();
        }
        char *from = (char *)p->memory + p->used;
        memcpy(from, (const char *)host + done, n);
        p->used += (n + 63) / 64 * 64;
        cni_cuda_step(1u << gpu);
        bool sent =
            cni_cuda_check(cni_cuda.upload((uintptr_t)device + done, from, n, cni_cuda_stream(gpu)), "an upload");
        sent = sent && piece_mark(p);
        cni_cuda_step_end();
        if (!sent) {
            return fail();
        }
    }
    return CN_OK;
}

typedef struct incoming {
    piece *piece;
    void *to;
    size_t nbytes;
} incoming;

static bool incoming_take(incoming *in)
{
    bool fine = in->piece == NULL || piece_wait(in->piece);
    if (in->piece != NULL && fine) {
        memcpy(in->to, in->piece->memory, in->nbytes);
    }
    in->piece = NULL;
    return fine;
}

/* One piece arrives while the one before it is copied out. */
static cn_status download(void *host, const void *device, int64_t nbytes)
{
    incoming before = {0};
    if (!cni_cuda_enter() || !ring_make()) {
        return fail();
    }
    for (size_t done = 0, n; done < (size_t)nbytes; done += n) {
        n = (size_t)nbytes - done < PIECE ? (size_t)nbytes - done : PIECE;
        int gpu = cni_cuda_owner((uintptr_t)device + done, n, &n);
        ring.pieces[ring.current].used = PIECE; /* whole pieces */
        piece *p = piece_get(n, gpu);
        if (p == NULL) {
            return fail();
        }
        p->used = PIECE;
        incoming now = {.piece = p, .to = (char *)host + done, .nbytes = n};
        cni_cuda_step(1u << gpu);
        bool sent = cni_cuda_check(cni_cuda.download(p->memory, (uintptr_t)device + done, n, cni_cuda_stream(gpu)),
                                   "a download");
        sent = sent && piece_mark(p);
        cni_cuda_step_end();
        if (!sent || !incoming_take(&before)) {
            return fail();
        }
        before = now;
    }
    if (!incoming_take(&before) || cni_cuda_failure() != NULL) {
        return fail();
    }
    cni_cuda_events_look();
    return CN_OK;
}

static cn_status finish(void)
{
    bool done = cni_cuda_is_idle();
    if (!done && cni_cuda_enter()) {
        cni_cuda_step(1);
        done = cni_cuda_check(cni_cuda.stream_wait(cni_cuda_gpu.stream), "waiting");
    }
    if (done) {
        cni_cuda_idle();
        cni_cuda_events_look();
    }
    return done && cni_cuda_failure() == NULL ? CN_OK : fail();
}

static cn_status join(void)
{
    bool done = cni_cuda_enter();
    for (int k = 0; k < cni_cuda_gpu.gpus && done; k++) {
        cni_cuda_stream(k);
        done = cni_cuda_check(cni_cuda.context_wait(), "waiting");
    }
    cni_cuda_step_end();
    if (done) {
        cni_cuda_events_look();
    }
    return done && cni_cuda_failure() == NULL ? CN_OK : fail();
}

static cn_status events(void)
{
    return cni_cuda_events_pending() ? finish() : CN_OK;
}

static int number(void)
{
    return cni_cuda_gpu.devices[0];
}

static void copy(void *to, const void *from, int64_t nbytes)
{
    if (cni_cuda_enter()) {
        cni_cuda_copy((uintptr_t)to, (uintptr_t)from, (size_t)nbytes);
    }
}

const cni_device cni_cuda_device = {.alloc = cni_cuda_alloc,
                                    .free = cni_cuda_free,
                                    .upload = upload,
                                    .download = download,
                                    .copy = copy,
                                    .finish = finish,
                                    .events = events,
                                    .join = join,
                                    .number = number,
                                    .reserve = cni_cuda_reserve,
                                    .touch = cni_cuda_touch,
                                    .unreserve = cni_cuda_unreserve,
                                    .pinned = cni_cuda_pinned,
                                    .unpin = cni_cuda_unpin,
                                    .pack = cni_cuda_pack,
                                    .unpack = cni_cuda_unpack,
                                    .mark = cni_cuda_mark,
                                    .reach = cni_cuda_reach};
