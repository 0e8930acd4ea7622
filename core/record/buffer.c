/* buffer.c - see array.h: storage of bases, on the host and on the device, and what moves between them. */
#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "base/status.h"
#include "record/array.h"
#include "record/free_list.h"

static cni_free_list free_buffers;

const cni_device *cni_process_device;
const cni_places *cni_process_places;

cn_status cni_buffer_reserve(cni_buffer *b, uint8_t places)
{
    if ((places & CNI_ON_HOST) != 0 && b->data == NULL && (b->data = cni_storage_alloc(b->nbytes)) == NULL) {
        return cni_fail_memory(b->nbytes);
    }
    if ((places & CNI_ON_DEVICE) != 0) {
        if (b->device == NULL && (b->device = cni_device_take(b->nbytes)) == NULL) {
            return cni_fail_memory(b->nbytes);
        }
        cni_buffer_used(b);
    }
    return CN_OK;
}

static void count_move(int64_t nbytes)
{
    cni_stats.moves++;
    cni_stats.move_bytes += (uint64_t)nbytes;
}

cn_status cni_buffer_create_at(int64_t nbytes, uint8_t places, cni_buffer **out)
{
    cni_buffer *buffer = cni_free_list_pop(&free_buffers);
    if (buffer == NULL && (buffer = cni_alloc(sizeof *buffer)) == NULL) {
        return cni_fail_memory(nbytes);
    }
    *buffer = (cni_buffer){.nbytes = nbytes, .refs = 1, .valid = CNI_ON_HOST};
    cn_status status = cni_buffer_reserve(buffer, places);
    if (status != CN_OK) {
        cni_buffer_unref(buffer);
        return status;
    }
    *out = buffer;
    return CN_OK;
}

cn_status cni_buffer_create(int64_t nbytes, cni_buffer **out)
{
    return cni_buffer_create_at(nbytes, CNI_ON_HOST, out);
}

cn_status cni_buffer_bring(cni_buffer *b, uint8_t place)
{
    if ((b->valid & place) != 0 || b->valid == 0 || b->nbytes == 0) {
        return CN_OK;
    }
    if ((b->valid & CNI_ON_PLACES) != 0) {
        CN_TRY(cni_process_places->fetch(b, 0, b->nbytes, false));
        b->valid |= CNI_ON_HOST;
        return CN_OK;
    }
    CN_TRY(place == CNI_ON_HOST ? cni_process_device->download(b->data, b->device, b->nbytes)
                                : cni_process_device->upload(b->device, b->data, b->nbytes));
    b->valid |= place;
    count_move(b->nbytes);
    return CN_OK;
}

cn_status cni_buffer_peek(cni_buffer *b, int64_t offset, void *data, int64_t nbytes)
{
    if (b->valid != CNI_ON_DEVICE) {
        CN_TRY(cni_buffer_range_to_host(b, offset, offset + nbytes));
        memcpy(data, (char *)b->data + offset, (size_t)nbytes);
        return CN_OK;
    }
    count_move(nbytes);
    return cni_process_device->download(data, (char *)b->device + offset, nbytes);
}

cn_status cni_buffer_poke(cni_buffer *b, int64_t offset, const void *data, int64_t nbytes)
{
    if ((b->valid & CNI_ON_DEVICE) != 0 && b->nbytes > nbytes) {
        count_move(nbytes);
        CN_TRY(cni_process_device->upload((char *)b->device + offset, data, nbytes));
    } else {
        CN_TRY(cni_buffer_to_host(b, true));
    }
    if (b->valid != CNI_ON_DEVICE) {
        memcpy((char *)b->data + offset, data, (size_t)nbytes);
    }
    return CN_OK;
}

cn_status cni_buffer_to_host(cni_buffer *b, bool alone)
{
    if (alone && (b->valid & CNI_ON_PLACES) != 0) {
        CN_TRY(cni_process_places->fetch(b, 0, b->nbytes, true));
        b->valid = CNI_ON_HOST;
        return CN_OK;
    }
    CN_TRY(cni_buffer_reserve(b, CNI_ON_HOST));
    CN_TRY(cni_buffer_bring(b, CNI_ON_HOST));
    b->valid = alone ? CNI_ON_HOST : (uint8_t)(b->valid | CNI_ON_HOST);
    return CN_OK;
}

cn_status cni_buffer_range_to_host(cni_buffer *b, int64_t low, int64_t high)
{
    if ((b->valid & CNI_ON_HOST) != 0) {
        return CN_OK;
    }
    bool some = (b->valid & CNI_ON_PLACES) != 0 && high - low < b->nbytes;
    return some ? cni_process_places->fetch(b, low, high, false) : cni_buffer_to_host(b, false);
}

void cni_buffer_unref(cni_buffer *buffer)
{
    if (buffer == NULL || --buffer->refs > 0) {
        return;
    }
    if (buffer->spread != NULL) {
        cni_process_places->release(buffer);
    }
    if ((buffer->foreign & CNI_ON_HOST) == 0) {
        cni_storage_free(buffer->data, buffer->nbytes);
    }
    cni_buffer_leave(buffer);
    if (buffer->device != NULL && (buffer->foreign & CNI_ON_DEVICE) == 0) {
        cni_process_device->free(buffer->device, buffer->nbytes);
    }
    cni_free_list_push(&free_buffers, buffer);
}
