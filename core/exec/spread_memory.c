/* spread_memory.c - see spread_memory.h. */
#include "exec/spread_memory.h"

#include <string.h>

#include "base/memory.h"
#include "base/settings.h"
#include "base/stats.h"
#include "base/status.h"
#include "exec/spread.h"

enum { POISON = 0xA5, POISON_MOST = 1 << 20 };

/* ---- Memory on the device ---- */

static int64_t own_begin(const cni_buffer *b, int local, bool spread)
{
    const cni_world *world = cni_world_get();
    int place = world->first + local;
    return spread ? cni_layout_begin(&b->spread->layout, place) : place == 0 ? 0 : b->nbytes;
}

static int64_t own_end(const cni_buffer *b, int local, bool spread)
{
    return spread ? cni_layout_begin(&b->spread->layout, cni_world_get()->first + local + 1) : b->nbytes;
}

static bool spill(cni_buffer *b)
{
    for (int k = 0; k < cni_world_get()->local; k++) {
        cni_place_memory *at = &b->spread->at[k];
        if (at->device == NULL) {
            continue;
        }
        bool away = (b->valid & CNI_ON_PLACES) != 0 && at->valid == CNI_ON_DEVICE;
        if (away && cni_place_show(b, k, 0, b->nbytes) != CN_OK) {
            return false;
        }
        cni_stats.spills++;
        cni_stats.spill_bytes += away ? (uint64_t)(own_end(b, k, true) - own_begin(b, k, true)) : 0;
        cni_process_device->unreserve(at->device);
        at->device = NULL;
        at->valid &= CNI_ON_HOST;
    }
    return true;
}

typedef struct wanted {
    cni_place_memory *at;
    int64_t nbytes, low, high;
    const cni_spans *spans;
} wanted;

static bool take_pages(void *context)
{
    const wanted *x = context;
    cni_place_memory *at = x->at;
    if (at->device == NULL) {
        at->device = cni_process_device->reserve(x->nbytes, x->low, x->high);
        at->valid &= CNI_ON_HOST;
    }
    bool fine = at->device != NULL;
    for (int i = 0; i < x->spans->n && fine; i++) {
        fine = cni_process_device->touch(at->device, x->spans->at[i].low, x->spans->at[i].high);
    }
    return fine;
}

bool cni_place_device(cni_buffer *b, int local, bool spread, const cni_spans *spans)
{
    cni_place_memory *at = &b->spread->at[local];
    wanted pages = {at, b->nbytes, own_begin(b, local, spread), own_end(b, local, spread), spans};
    cni_buffer_used(b);
    bool fine = cni_device_room(take_pages, &pages);
    if (!fine && at->device != NULL && (at->valid & CNI_ON_DEVICE) == 0) {
        cni_process_device->unreserve(at->device); /* what it has got of it is others' */
        at->device = NULL;
    }
    return fine;
}

/* ---- Memory on the host ---- */

static void release(cni_buffer *b)
{
    const cni_world *world = cni_world_get();
    int64_t counted = b->nbytes / world->places;
    cni_storage_touch(b->nbytes, -b->spread->beside);
    if (b->device == NULL) {
        cni_buffer_leave(b);
    }
    for (int k = world->local - 1; k >= 0; k--) { /* what is taken next is taken by place 0 first */
        cni_place_memory *at = &b->spread->at[k];
        if (at->host != NULL) {
            cni_storage_unreserve(at->host, b->nbytes, counted);
        }
        if (at->device != NULL) {
            cni_process_device->unreserve(at->device);
        }
    }
    if (b->spread->reserved && b->data != NULL) {
        cni_storage_unreserve(b->data, b->nbytes, counted);
        b->data = NULL;
    }
    cni_spread_forget(b);
    cni_free(b->spread);
    b->spread = NULL;
}

const cni_places cni_spread_places = {
    .fetch = cni_spread_fetch, .spill = spill, .release = release, .forget = cni_log_forget, .settle = cni_log_settle};

cn_status cni_spread_attach(cni_buffer *b)
{
    const cni_world *world = cni_world_get();
    if (b->spread != NULL) {
        return CN_OK;
    }
    b->spread = cni_alloc_zero(1, sizeof *b->spread + (size_t)world->local * sizeof *b->spread->at);
    return b->spread != NULL ? CN_OK : cni_fail_memory((int64_t)sizeof *b->spread);
}

cn_status cni_place_host(cni_buffer *b, int local, const cni_layout *layout, bool *fresh)
{
    const cni_world *world = cni_world_get();
    void **memory = cni_spread_memory(b, local);
    int place = world->first + local;
    if (*memory != NULL) {
        return CN_OK;
    }
    int64_t low = cni_layout_begin(layout, place), high = cni_layout_begin(layout, place + 1);
    *memory = cni_storage_reserve(b->nbytes, low, high, b->nbytes / world->places, fresh);
    if (*memory != NULL && cni_settings[CNI_SETTING_VERIFY] != 0 && b->nbytes <= POISON_MOST) {
        memset(*memory, POISON, (size_t)b->nbytes); /* what nobody brings shows */
    }
    b->spread->reserved |= local == 0 && *memory != NULL;
    return *memory != NULL ? CN_OK : cni_fail_memory(b->nbytes);
}

bool cni_place_beside(const cni_buffer *b)
{
    return b->spread->reserved || cni_world_get()->local > 1 || cni_world_get()->first > 0;
}

cn_status cni_place_more(cni_buffer *b, int64_t more)
{
    int64_t grows = more - b->spread->beside;
    if (grows <= 0) {
        return CN_OK;
    }
    if (!cni_storage_touch(b->nbytes, grows)) {
        return cni_fail_memory(grows);
    }
    b->spread->beside = more;
    return CN_OK;
}

/* ---- Moves ---- */

static cn_status move(cni_buffer *b, int local, uint8_t where, int64_t low, int64_t high)
{
    char *host = (char *)*cni_spread_memory(b, local) + low, *device = (char *)b->spread->at[local].device + low;
    cni_stats.moves++;
    cni_stats.move_bytes += (uint64_t)(high - low);
    return where == CNI_ON_HOST ? cni_process_device->download(host, device, high - low)
                                : cni_process_device->upload(device, host, high - low);
}

cn_status cni_place_bring(cni_buffer *b, int local, uint8_t where, const cni_spans *spans)
{
    cni_place_memory *at = &b->spread->at[local];
    if ((at->valid & where) != 0 || at->valid == 0) {
        return CN_OK;
    }
    for (int i = 0; i < spans->n; i++) {
        CN_TRY(move(b, local, where, spans->at[i].low, spans->at[i].high));
    }
    at->valid |= where;
    return CN_OK;
}

cn_status cni_place_complete(cni_buffer *b, const cni_spans *spans)
{
    int64_t begin = own_begin(b, 0, true), end = own_end(b, 0, true);
    for (int i = 0; i < spans->n; i++) {
        int64_t low = spans->at[i].low, high = spans->at[i].high;
        CN_TRY(low < begin ? move(b, 0, CNI_ON_DEVICE, low, high < begin ? high : begin) : CN_OK);
        CN_TRY(high > end ? move(b, 0, CNI_ON_DEVICE, low > end ? low : end, high) : CN_OK);
    }
    return CN_OK;
}

cn_status cni_place_show(cni_buffer *b, int local, int64_t low, int64_t high)
{
    cni_place_memory *at = &b->spread->at[local];
    int64_t begin = own_begin(b, local, true), end = own_end(b, local, true);
    if ((at->valid & CNI_ON_HOST) != 0 || at->valid == 0) {
        return CN_OK;
    }
    int64_t from = begin > low ? begin : low, to = end < high ? end : high;
    CN_TRY(from < to ? move(b, local, CNI_ON_HOST, from, to) : CN_OK);
    at->valid |= from == begin && to == end ? CNI_ON_HOST : 0;
    return CN_OK;
}
