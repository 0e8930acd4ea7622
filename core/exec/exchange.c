/*
 * exchange.c - moves elements between places: by a copy inside this process, by messages between processes. All that two
 * processes have for each other in one exchange is one message, in the order of the transfers, which both know.
 *
 * A message goes through the hosts (the net) or, if it is large and the ranks can, from device to device (direct.h).
 * Through the hosts, where values are on the device, their bytes alone come from there, and go there, through the messages'
 * memory: pinned, unless messages are so large that it would be felt.
 *
 *     device | pack . . . . |  what begin and go have between them . . .
 *     host          begin   |  go: waits for pack, messages travel  |  end: unpack is sent to the device
 *
 * From device to device the host waits for nothing, unless an end has the bytes on its host. What is one run of bytes goes
 * from where it lies to where it belongs, if nothing is done meanwhile; so does a piece of a panel (plan/rounds.h).
 */
#include <string.h>

#include "base/debug.h"
#include "base/memory.h"
#include "base/stats.h"
#include "base/status.h"
#include "exec/exchange_ways.h"
#include "exec/trace.h"

#define PINNED_MOST ((int64_t)64 << 20)

struct cni_exchange {
    const cni_world *world;
    cni_exchange_side out, in;
    bool packs;   /* the device still fills what goes */
    bool unpacks; /* the device may still read what came before */
    bool travels; /* begun, and there is some */
    bool sent;    /* the direct messages of this exchange are on their way */
};

cn_status cni_exchange_create(const cni_world *world, cni_exchange **out)
{
    cni_exchange *x = cni_alloc_zero(1, sizeof *x);
    if (x == NULL) {
        return cni_fail_memory((int64_t)sizeof *x);
    }
    x->world = world;
    if (world->net->size > 1 && (!cni_side_make(&x->out, world->places) || !cni_side_make(&x->in, world->places))) {
        cni_exchange_destroy(x);
        return cni_fail_memory((int64_t)world->places);
    }
    *out = x;
    return CN_OK;
}

static void parcel_free(cni_parcel *p)
{
    if (p->pinned) {
        cni_process_device->unpin(p->data);
    } else {
        cni_free(p->data);
    }
    *p = (cni_parcel){0};
}

void cni_exchange_destroy(cni_exchange *x)
{
    if (x != NULL) {
        if (x->unpacks) {
            (void)cni_process_device->reach(); /* a failure is told by who reads next */
        }
        parcel_free(&x->out.parcel);
        parcel_free(&x->in.parcel);
        cni_side_free(&x->out);
        cni_side_free(&x->in);
        cni_free(x);
    }
}

static cn_status parcel_grow(cni_parcel *p, int64_t need, bool device)
{
    int64_t size = need > p->capacity ? need : p->capacity;
    bool pins =
        device && size <= PINNED_MOST && cni_direct_for(need) == NULL; /* little of a direct one is on the host */
    if (need <= p->capacity && (p->pinned || !pins)) {
        return CN_OK;
    }
    void *pinned = pins ? cni_process_device->pinned(size) : NULL;
    char *data = pinned != NULL ? pinned : need > p->capacity ? cni_alloc((size_t)need) : NULL;
    if (data == NULL) {
        return need <= p->capacity ? CN_OK : cni_fail_memory(need);
    }
    parcel_free(p);
    *p = (cni_parcel){data, size, pinned != NULL};
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
    return most > 0 ? parcel_grow(&x->out.parcel, most, true) : CN_OK;
}

cn_status cni_exchange_reserve(cni_exchange *x, const cni_transfer *transfers, uint32_t n, bool device)
{
    int64_t out = 0, in = 0;
    if (x->world->net->size == 1) {
        return reserve_one(x, transfers, n, device);
    }
    for (uint32_t i = 0; i < n; i++) {
        const cni_transfer *t = &transfers[i];
        int64_t size = cni_region_size(&t->region);
        bool panel = t->panel != 0 && !device; /* then it travels as it lies */
        out += t->from == x->world->first && !(panel && cni_transfer_lies(t, false, true)) ? size : 0;
        in += t->to == x->world->first && !panel ? size : 0;
    }
    CN_TRY(out > 0 ? parcel_grow(&x->out.parcel, out, device) : CN_OK);
    return in > 0 ? parcel_grow(&x->in.parcel, in, device) : CN_OK;
}

/* ---- A region, at a place ---- */

static void count(const cni_transfer *t)
{
    cni_stats.moves++;
    cni_stats.move_bytes += (uint64_t)cni_region_size(&t->region);
}

/* True: the device packs it, later. */
static bool pack(const cni_transfer *t, const cni_end *end, const cni_place_slots *from, char *packed)
{
    if ((*from->valid[end->slot] & CNI_ON_DEVICE) == 0 || (*from->valid[end->slot] & CNI_ON_HOST) != 0) {
        cni_region_pack(&end->region, packed, from->host[end->slot]);
        return false;
    }
    cni_process_device->pack(&end->region, packed, from->device[end->slot]);
    count(t);
    return true;
}

/* It goes to wherever the place has values of the slot. True: to the device, later. */
static bool unpack(const cni_transfer *t, const cni_place_slots *to, const char *packed)
{
    cni_end end = cni_transfer_end(t, to, false);
    uint8_t valid = *to->valid[end.slot];
    bool device = cni_arrives_on_device(t, to);
    if (!device || (valid & CNI_ON_HOST) != 0) {
        cni_region_unpack(&end.region, to->host[end.slot], packed);
    }
    if (device) {
        cni_process_device->unpack(&end.region, to->device[end.slot], packed);
        count(t);
    }
    *to->valid[end.slot] = valid != 0 ? valid : device ? CNI_ON_DEVICE : CNI_ON_HOST;
    return device;
}

/* What is not in the parcel on the host has come: its region goes on to wherever the place has values of the slot. */
static cn_status unpack_direct(cni_exchange *x, const cni_transfer *t, const cni_place_slots *to)
{
    const cni_exchange_side *in = &x->in;
    cni_end end = cni_transfer_end(t, to, false);
    uint8_t valid = *to->valid[end.slot];
    int64_t at = in->marks[t->from];
    bool packed = in->ways[t->from] == CNI_WAY_PACKED;
    bool device = packed ? cni_arrives_on_device(t, to) : in->ways[t->from] == CNI_WAY_STRAIGHT;
    if (packed && device) {
        in->direct->unpack(&end.region, to->device[end.slot], in->device + at);
    }
    if (packed && (!device || (valid & CNI_ON_HOST) != 0)) {
        CN_TRY(cni_process_device->download(in->parcel.data + at, in->device + at, cni_region_size(&t->region)));
        cni_region_unpack(&end.region, to->host[end.slot], in->parcel.data + at);
        count(t);
    }
    *to->valid[end.slot] = valid != 0 ? valid : device ? CNI_ON_DEVICE : CNI_ON_HOST;
    return CN_OK;
}

/* ---- Messages ---- */

/* What carries the direct messages of this exchange; NULL: there are none. */
static const cni_direct *direct_of(const cni_exchange *x)
{
    return x->out.direct != NULL ? x->out.direct : x->in.direct;
}

/* Is such a message in the parcel on the host? */
static bool in_parcel(cni_way way)
{
    return way == CNI_WAY_HOST || way == CNI_WAY_STAGED;
}

static void pack_out(cni_exchange *x, const cni_transfer *transfers, uint32_t n, const cni_place_slots *slots)
{
    cni_exchange_side *out = &x->out;
    x->packs = false;
    for (uint32_t i = 0; i < n; i++) {
        const cni_transfer *t = &transfers[i];
        if (t->from != x->world->first) {
            continue;
        }
        cni_end end = cni_transfer_end(t, slots, true);
        if (out->ways[t->to] == CNI_WAY_PACKED) {
            out->direct->pack(&end.region, out->device + out->marks[t->to], slots->device[end.slot]);
        } else if (in_parcel(out->ways[t->to])) {
            x->packs |= pack(t, &end, slots, out->parcel.data + out->marks[t->to]);
        }
        out->marks[t->to] += cni_region_size(&t->region);
    }
}

static cn_status send_direct(cni_exchange *x)
{
    x->sent = true;
    return cni_direct_exchange(direct_of(x), x->in.ndirect, x->in.direct_messages, x->out.ndirect,
                               x->out.direct_messages);
}

static cn_status set_out(cni_exchange *x, const cni_transfer *transfers, uint32_t n, const cni_place_slots *slots,
                         bool alone)
{
    cni_side_lay_out(&x->out, x->world, transfers, n, slots, true, alone);
    cni_side_lay_out(&x->in, x->world, transfers, n, slots, false, alone);
    pack_out(x, transfers, n, slots);
    x->travels = x->out.n + x->in.n > 0 || direct_of(x) != NULL;
    x->sent = direct_of(x) == NULL;
    if (!x->sent && !x->out.staged && !x->in.staged) {
        CN_TRY(send_direct(x));
    }
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
    int nsends = x->out.n, nreceives = x->in.n;
    bool host = nsends + nreceives > 0 || !x->sent;
    if (host && (x->packs || x->unpacks)) {
        CN_TRY(cni_process_device->reach());
        x->packs = x->unpacks = false;
    }
    x->out.n = x->in.n = 0;
    if (nsends + nreceives > 0) {
        CN_TRY(x->world->net->exchange_begin(nreceives, x->in.messages, nsends, x->out.messages));
    }
    return x->sent ? CN_OK : send_direct(x);
}

/* Messages are there. */
static cn_status receive(cni_exchange *x, const cni_transfer *transfers, uint32_t n, const cni_place_slots *slots)
{
    bool unpacks = false;
    if (!x->travels) {
        return CN_OK;
    }
    CN_TRY(x->world->net->exchange_end());
    if (direct_of(x) != NULL) {
        direct_of(x)->arrive();
    }
    x->travels = false;
    for (uint32_t i = 0; i < n; i++) {
        const cni_transfer *t = &transfers[i];
        if (t->to != x->world->first) {
            continue;
        }
        if (in_parcel(x->in.ways[t->from])) {
            unpacks |= unpack(t, slots, x->in.parcel.data + x->in.marks[t->from]);
        } else {
            CN_TRY(unpack_direct(x, t, slots));
        }
        x->in.marks[t->from] += cni_region_size(&t->region);
    }
    if (unpacks) {
        cni_process_device->mark();
    }
    x->unpacks |= unpacks;
    cni_side_give_back(&x->out);
    cni_side_give_back(&x->in);
    return CN_OK;
}

/* Between places of this process. No panel has anything for others then. */
static cn_status copy(cni_exchange *x, const cni_transfer *t, const cni_place_slots *from, const cni_place_slots *to)
{
    cni_end source = {t->slot, t->region}, end = cni_transfer_end(t, to, false);
    bool host = (*to->valid[end.slot] & CNI_ON_DEVICE) == 0 && !to->on_device[end.slot];
    if (host && (*from->valid[t->slot] & CNI_ON_DEVICE) == 0) {
        if (t->panel != 0) {
            cni_region_pack(&t->region, (char *)to->host[end.slot] + t->at, from->host[t->slot]);
        } else {
            cni_region_copy(&t->region, to->host[t->slot], from->host[t->slot]);
        }
        *to->valid[end.slot] |= CNI_ON_HOST;
        return CN_OK;
    }
    if (pack(t, &source, from, x->out.parcel.data)) {
        cni_process_device->mark();
        CN_TRY(cni_process_device->reach());
    }
    if (unpack(t, to, x->out.parcel.data)) {
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
    cni_trace_bytes(begin, x->world->first, direct_of(x) != NULL ? "exchange by GPUs" : "exchange", bytes);
}

cn_status cni_exchange_begin(cni_exchange *x, const cni_transfer *transfers, uint32_t n, const cni_place_slots *slots,
                             bool alone)
{
    x->travels = false;
    if (x->world->net->size > 1) {
        return n > 0 ? set_out(x, transfers, n, slots, alone) : CN_OK;
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
    CN_TRY(cni_exchange_begin(x, transfers, n, slots, true));
    return cni_exchange_end(x, transfers, n, slots);
}
