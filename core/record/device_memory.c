/*
 * device_memory.c - memory of the process's device: buffers in the order of their last use, so that there is room for what
 * is used now; and memory of the device that other libraries know.
 *
 * A buffer that must make room keeps its values: the host has them, or gets them now; so do those of places, each on its
 * host. Buffers of one turn (a window's run, a call of a library) stay, whatever comes.
 *
 * What others know (shown) is where its values are: before each use the work of all libraries on the device is waited for,
 * since nothing says in which stream they wrote, and a copy on the host is forgotten; after it, ours is waited for.
 */
#include "base/stats.h"
#include "base/status.h"
#include "record/array.h"

static cni_buffer *oldest, *newest;
static uint64_t turn = 1;

void cni_device_turn(void)
{
    turn++;
}

void cni_buffer_leave(cni_buffer *b)
{
    if (b->turn == 0) {
        return; /* in no list */
    }
    *(b->older != NULL ? &b->older->newer : &oldest) = b->newer;
    *(b->newer != NULL ? &b->newer->older : &newest) = b->older;
    b->older = b->newer = NULL;
    b->turn = 0;
}

void cni_buffer_used(cni_buffer *b)
{
    if (b->turn == turn || (b->foreign & CNI_ON_DEVICE) != 0) {
        return;
    }
    cni_buffer_leave(b);
    b->turn = turn;
    b->older = newest;
    *(newest != NULL ? &newest->newer : &oldest) = b;
    newest = b;
}

/* The root's memory of the device is free, and the values are on the host; false if there is no memory for them. */
static bool spill_whole(cni_buffer *b)
{
    bool away = b->valid == CNI_ON_DEVICE;
    if (away && (cni_buffer_reserve(b, CNI_ON_HOST) != CN_OK || cni_buffer_bring(b, CNI_ON_HOST) != CN_OK)) {
        return false;
    }
    cni_process_device->free(b->device, b->nbytes);
    b->device = NULL;
    b->valid &= (uint8_t)~CNI_ON_DEVICE;
    cni_stats.spills++;
    cni_stats.spill_bytes += away ? (uint64_t)b->nbytes : 0;
    return true;
}

static bool spill(cni_buffer *b)
{
    bool free = (b->device == NULL || spill_whole(b)) && (b->spread == NULL || cni_process_places->spill(b));
    if (free) {
        cni_buffer_leave(b);
    }
    return free;
}

bool cni_device_room(bool (*take)(void *context), void *context)
{
    bool taken = take(context);
    for (cni_buffer *b = oldest, *next; !taken && b != NULL && b->turn != turn; b = next) {
        next = b->newer;
        taken = !b->shown && spill(b) && take(context);
    }
    return taken;
}

typedef struct block {
    int64_t nbytes;
    void *memory;
} block;

static bool take_block(void *context)
{
    block *wanted = context;
    wanted->memory = cni_process_device->alloc(wanted->nbytes);
    return wanted->memory != NULL;
}

void *cni_device_take(int64_t nbytes)
{
    block wanted = {.nbytes = nbytes};
    return cni_device_room(take_block, &wanted) ? wanted.memory : NULL;
}

/* ---- Memory that others know ---- */

cn_status cni_buffer_refresh(cni_buffer *b)
{
    if (!b->shown) {
        return CN_OK;
    }
    b->valid = CNI_ON_DEVICE;
    return cni_process_device->join();
}

cn_status cni_buffer_settle(cni_buffer *b)
{
    if (!b->shown) {
        return CN_OK;
    }
    CN_TRY(cni_buffer_bring(b, CNI_ON_DEVICE));
    b->valid = CNI_ON_DEVICE;
    return cni_process_device->finish();
}

cn_status cni_base_sole_on_device(cni_base *base)
{
    cni_buffer *own;
    if (base->buffer->refs == 1) {
        return CN_OK;
    }
    cni_buffer_used(base->buffer);
    CN_TRY(cni_buffer_create_at(base->nbytes, CNI_ON_DEVICE, &own));
    cni_process_device->copy(own->device, base->buffer->device, base->nbytes);
    own->valid = CNI_ON_DEVICE;
    cni_buffer_unref(base->buffer);
    base->buffer = own;
    return CN_OK;
}
