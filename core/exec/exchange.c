/*
 * exchange.c - moves elements between places: by a copy inside this process, by messages between processes. All that two
 * processes have for each other in one exchange is one message, in the order of the transfers, which both know.
 *
 * Where values are on the device, their bytes alone come from there, and go there, through the messages' memory: pinned,
 * unless messages are so large that it would be felt.
 *
 *     device | pack . . . . |  what begin and go have between them . . .
 *     host          begin   |  go: waits for pack, messages travel  |  end: unpack is sent to the device
 */
#include <string.h>

#include "base/debug.h"
#include "base/memory.h"
#include "base/stats.h"
#include "base/status.h"
#include "exec/trace.h"
#include "exec/world.h"

#define PINNED_MOST ((int64_t)64 << 20)

/* Memory for messages. */
typedef struct parcel {
    char *data;
    int64_t capacity;
    bool pinned;
} parcel;

struct cni_exchange {
    const cni_world *world;
    int64_t *sizes;                /* by peer, of the exchange at hand */
    char **marks;                  /* by peer: where the next region is packed or taken from */
    parcel out, in;                /* all messages, one peer after the other */
    cni_message *sends, *receives; /* by number */
    int nsends, nreceives;
    bool packs;   /* the device still fills what goes */
    bool unpacks; /* the device may still read what came before */
    bool travels; /* begun, and there is some */
};

cn_status cni_exchange_create(const cni_world *world, cni_exchange **out)
{
    cni_exchange *x = cni_alloc_zero(1, sizeof *x);
    size_t peers = (size_t)world->places;
    if (x == NULL) {
        return cni_fail_memory((int64_t)sizeof *x);
    }
    x->world = world;
    if (world->net->size > 1) {
        x->sizes = cni_alloc_zero(peers, sizeof *x->sizes);
        x->marks = cni_alloc_zero(peers, sizeof *x->marks);
        x->sends = cni_alloc_zero(peers, sizeof *x->sends);
        x->receives = cni_alloc_zero(peers, sizeof *x->receives);
        if (x->sizes == NULL || x->marks == NULL || x->sends == NULL || x->receives == NULL) {
            cni_exchange_destroy(x);
            return cni_fail_memory((int64_t)peers);
        }
    }
    *out = x;
    return CN_OK;
}

static void parcel_free(parcel *p)
{
    if (p->pinned) {
        cni_process_device->unpin(p->data);
    } else {
        cni_free(p->data);
    }
    *p = (parcel){0};
}

void cni_exchange_destroy(cni_exchange *x)
{
    if (x != NULL) {
        if (x->unpacks) {
            (void)cni_process_device->reach(); /* a failure is told by who reads next */
        }
        cni_free(x->sizes);
        cni_free(x->marks);
        cni_free(x->sends);
        cni_free(x->receives);
        parcel_free(&x->out);
        parcel_free(&x->in);
        cni_free(x);
    }
}

static cn_status parcel_grow(parcel *p, int64_t need, bool device)
{
    if (need <= p->capacity && (p->pinned || !device || need > PINNED_MOST)) {
        return CN_OK;
    }
    void *pinned = device && need <= PINNED_MOST ? cni_process_device->pinned(need) : NULL;
    char *data = pinned != NULL ? pinned : need > p->capacity ? cni_alloc((size_t)need) : NULL;
    if (data == NULL) {
        return need <= p->capacity ? CN_OK : cni_fail_memory(need);
    }
    parcel_free(p);
    *p = (parcel){data, need, pinned != NULL};
    return CN_OK;
}

/* Places of this process have one transfer at a time between them. */
static cn_status reserve_one(cni_exchange *x, const cni_transfer *transfers, uint32_t n, bool device)
{
    int64_t most = 0;
    for (uint32_t i = 0; i < n && device; i++) {
        int64_t size = cni_region_size(&transfers[i].region);
        most = size > most ? size : most;
    }
    return most > 0 ? parcel_grow(&x->out, most, true) : CN_OK;
}

cn_status cni_exchange_reserve(cni_exchange *x, const cni_transfer *transfers, uint32_t n, bool device)
{
    int64_t out = 0, in = 0;
    if (x->world->net->size == 1) {
        return reserve_one(x, transfers, n, device);
    }
    for (uint32_t i = 0; i < n; i++) {
        int64_t size = cni_region_size(&transfers[i].region);
        out += transfers[i].from == x->world->first ? size : 0;
        in += transfers[i].to == x->world->first ? size : 0;
    }
    CN_TRY(out > 0 ? parcel_grow(&x->out, out, device) : CN_OK);
    return in > 0 ? parcel_grow(&x->in, in, device) : CN_OK;
}

/* ---- A region, at a place ---- */

static void count(const cni_transfer *t)
{
    cni_stats.moves++;
    cni_stats.move_bytes += (uint64_t)cni_region_size(&t->region);
}

/* True: the device packs it, later. */
static bool pack(const cni_transfer *t, const cni_place_slots *from, char *packed)
{
    if ((*from->valid[t->slot] & CNI_ON_DEVICE) == 0 || (*from->valid[t->slot] & CNI_ON_HOST) != 0) {
        cni_region_pack(&t->region, packed, from->host[t->slot]);
        return false;
    }
    cni_process_device->pack(&t->region, packed, from->device[t->slot]);
    count(t);
    return true;
}

/* It goes to wherever the place has values of the slot. True: to the device, later. */
static bool unpack(const cni_transfer *t, const cni_place_slots *to, const char *packed)
{
    uint8_t valid = *to->valid[t->slot];
    cni_geometry g = cni_region_geometry(&t->region);
    int64_t low, high;
    cni_geometry_range(&g, &low, &high);
    bool can = to->device[t->slot] != NULL && cni_spans_have(&to->spans[t->slot], low, high);
    bool device = can && (valid == 0 ? to->on_device[t->slot] : (valid & CNI_ON_DEVICE) != 0);
    if (!device || (valid & CNI_ON_HOST) != 0) {
        cni_region_unpack(&t->region, to->host[t->slot], packed);
    }
    if (device) {
        cni_process_device->unpack(&t->region, to->device[t->slot], packed);
        count(t);
    }
    *to->valid[t->slot] = valid != 0 ? valid : device ? CNI_ON_DEVICE : CNI_ON_HOST;
    return device;
}

/* ---- Messages ---- */

/* Messages for, or from, the peers: their sizes, and one after the other their places in memory. */
static int lay_out(cni_exchange *x, const cni_transfer *transfers, uint32_t n, bool sending, char *memory,
                   cni_message *messages)
{
    int me = x->world->first, count = 0;
    memset(x->sizes, 0, (size_t)x->world->places * sizeof *x->sizes);
    for (uint32_t i = 0; i < n; i++) {
        const cni_transfer *t = &transfers[i];
        if ((sending ? t->from : t->to) == me) {
            x->sizes[sending ? t->to : t->from] += cni_region_size(&t->region);
        }
    }
    for (int peer = 0; peer < x->world->places; peer++) {
        x->marks[peer] = memory;
        if (x->sizes[peer] > 0) {
            messages[count++] = (cni_message){peer, memory, x->sizes[peer]};
            memory += x->sizes[peer];
        }
    }
    return count;
}

static cn_status set_out(cni_exchange *x, const cni_transfer *transfers, uint32_t n, const cni_place_slots *slots)
{
    int me = x->world->first;
    x->nsends = lay_out(x, transfers, n, true, x->out.data, x->sends);
    x->packs = false;
    for (uint32_t i = 0; i < n; i++) {
        const cni_transfer *t = &transfers[i];
        if (t->from == me) {
            x->packs |= pack(t, slots, x->marks[t->to]);
            x->marks[t->to] += cni_region_size(&t->region);
        }
    }
    x->nreceives = lay_out(x, transfers, n, false, x->in.data, x->receives);
    x->travels = x->nsends + x->nreceives > 0;
    if (x->packs) {
        cni_process_device->mark();
        return CN_OK;
    }
    return cni_exchange_go(x);
}

cn_status cni_exchange_go(cni_exchange *x)
{
    if (!x->travels) {
        return CN_OK;
    }
    if (x->packs || x->unpacks) {
        CN_TRY(cni_process_device->reach());
        x->unpacks = false;
    }
    x->packs = false;
    int nsends = x->nsends, nreceives = x->nreceives;
    x->nsends = x->nreceives = 0;
    return nsends + nreceives > 0 ? x->world->net->exchange_begin(nreceives, x->receives, nsends, x->sends) : CN_OK;
}

/* Messages are there. */
static cn_status receive(cni_exchange *x, const cni_transfer *transfers, uint32_t n, const cni_place_slots *slots)
{
    if (!x->travels) {
        return CN_OK;
    }
    CN_TRY(x->world->net->exchange_end());
    x->travels = false;
    for (uint32_t i = 0; i < n; i++) {
        const cni_transfer *t = &transfers[i];
        if (t->to == x->world->first) {
            x->unpacks |= unpack(t, slots, x->marks[t->from]);
            x->marks[t->from] += cni_region_size(&t->region);
        }
    }
    if (x->unpacks) {
        cni_process_device->mark();
    }
    return CN_OK;
}

/* Between places of this process. */
static cn_status copy(cni_exchange *x, const cni_transfer *t, const cni_place_slots *from, const cni_place_slots *to)
{
    bool host = (*to->valid[t->slot] & CNI_ON_DEVICE) == 0 && !to->on_device[t->slot];
    if (host && (*from->valid[t->slot] & CNI_ON_DEVICE) == 0) {
        cni_region_copy(&t->region, to->host[t->slot], from->host[t->slot]);
        *to->valid[t->slot] |= CNI_ON_HOST;
        return CN_OK;
    }
    if (pack(t, from, x->out.data)) {
        cni_process_device->mark();
        CN_TRY(cni_process_device->reach());
    }
    if (unpack(t, to, x->out.data)) {
        cni_process_device->mark();
        CN_TRY(cni_process_device->reach());
    }
    return CN_OK;
}

static void trace(const cni_exchange *x, uint64_t begin, const cni_transfer *transfers, uint32_t n)
{
    int64_t bytes = 0;
    for (uint32_t i = 0; i < n && begin != 0; i++) {
        bytes += cni_region_size(&transfers[i].region);
    }
    cni_trace_bytes(begin, x->world->first, "exchange", bytes);
}

cn_status cni_exchange_begin(cni_exchange *x, const cni_transfer *transfers, uint32_t n, const cni_place_slots *slots)
{
    x->travels = false;
    if (x->world->net->size > 1) {
        return n > 0 ? set_out(x, transfers, n, slots) : CN_OK;
    }
    for (uint32_t i = 0; i < n; i++) {
        const cni_transfer *t = &transfers[i];
        cni_debug(CNI_DEBUG_COMM, "from place %d to %d: %lld bytes", t->from, t->to,
                  (long long)cni_region_size(&t->region));
        CN_TRY(copy(x, t, &slots[t->from], &slots[t->to]));
    }
    return CN_OK;
}

cn_status cni_exchange_end(cni_exchange *x, const cni_transfer *transfers, uint32_t n, const cni_place_slots *slots)
{
    uint64_t begin = n > 0 ? cni_trace_begin() : 0;
    if (n > 0 && x->world->net->size > 1) {
        CN_TRY(cni_exchange_go(x));
        CN_TRY(receive(x, transfers, n, slots));
    }
    trace(x, begin, transfers, n);
    return CN_OK;
}

cn_status cni_exchange_run(cni_exchange *x, const cni_transfer *transfers, uint32_t n, const cni_place_slots *slots)
{
    CN_TRY(cni_exchange_begin(x, transfers, n, slots));
    return cni_exchange_end(x, transfers, n, slots);
}
