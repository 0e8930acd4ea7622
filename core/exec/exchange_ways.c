/* exchange_ways.c - see exchange_ways.h. */
#include "exec/exchange_ways.h"

#include <string.h>

#include "base/memory.h"

bool cni_side_make(cni_exchange_side *side, int places)
{
    size_t n = (size_t)places;
    side->sizes = cni_alloc_zero(2 * n, sizeof *side->sizes);
    side->ways = cni_alloc_zero(n, sizeof *side->ways);
    side->messages = cni_alloc_zero(n, sizeof *side->messages);
    side->direct_messages = cni_alloc_zero(n, sizeof *side->direct_messages);
    side->marks = side->sizes + n;
    return side->sizes != NULL && side->ways != NULL && side->messages != NULL && side->direct_messages != NULL;
}

void cni_side_free(cni_exchange_side *side)
{
    cni_free(side->sizes);
    cni_free(side->ways);
    cni_free(side->messages);
    cni_free(side->direct_messages);
}

void cni_side_give_back(cni_exchange_side *side)
{
    if (side->device != NULL) {
        cni_process_device->free(side->device, side->device_bytes);
        side->device = NULL;
    }
}

cni_end cni_transfer_end(const cni_transfer *t, const cni_place_slots *slots, bool sending)
{
    if (t->panel != 0 && (!sending || t->packed)) {
        return (cni_end){slots->panels + t->panel - 1, cni_transfer_dense(t)};
    }
    return (cni_end){t->slot, t->region};
}

bool cni_arrives_on_device(const cni_transfer *t, const cni_place_slots *to)
{
    cni_end end = cni_transfer_end(t, to, false);
    uint8_t valid = *to->valid[end.slot];
    cni_geometry g = cni_region_geometry(&end.region);
    int64_t low, high;
    cni_geometry_range(&g, &low, &high);
    bool can = to->device[end.slot] != NULL && cni_spans_have(&to->spans[end.slot], low, high);
    return can && (valid == 0 ? to->on_device[end.slot] : (valid & CNI_ON_DEVICE) != 0);
}

/* Are the region's elements one run of bytes? */
static bool one_run(const cni_region *r)
{
    int64_t width = r->itemsize;
    for (int d = r->ndim - 1; d >= 0; width *= r->shape[d--]) {
        if (r->shape[d] != 1 && r->strides[d] != width) {
            return false;
        }
    }
    return true;
}

bool cni_transfer_lies(const cni_transfer *t, bool several, bool sending)
{
    bool dense = t->panel != 0 && (!sending || t->packed);
    return dense || (!several && one_run(&t->region));
}

/* How a direct message can be where this region of it is. */
static cni_way direct_way(const cni_transfer *t, const cni_place_slots *slots, bool sending, bool as_it_lies)
{
    uint8_t valid = *slots->valid[cni_transfer_end(t, slots, sending).slot];
    bool there = sending ? (valid & CNI_ON_DEVICE) != 0 : cni_arrives_on_device(t, slots);
    bool host_too = !sending && (valid & CNI_ON_HOST) != 0;
    if (there && host_too) {
        return CNI_WAY_STAGED;
    }
    if (there) {
        return as_it_lies ? CNI_WAY_STRAIGHT : CNI_WAY_PACKED;
    }
    return as_it_lies ? CNI_WAY_HELD : CNI_WAY_STAGED;
}

/* And one through the net. */
static cni_way host_way(const cni_transfer *t, const cni_place_slots *slots, bool sending, bool as_it_lies)
{
    uint8_t valid = *slots->valid[cni_transfer_end(t, slots, sending).slot];
    bool there = sending ? valid == CNI_ON_DEVICE : cni_arrives_on_device(t, slots);
    return as_it_lies && !there ? CNI_WAY_LYING : CNI_WAY_HOST;
}

static void choose_ways(cni_exchange_side *side, int me, const cni_transfer *transfers, uint32_t n,
                        const cni_place_slots *slots, bool sending, bool alone)
{
    for (uint32_t i = 0; i < n; i++) {
        const cni_transfer *t = &transfers[i];
        int peer = sending ? t->to : t->from;
        if ((sending ? t->from : t->to) == me) {
            bool several = cni_region_size(&t->region) != side->sizes[peer];
            bool lies = alone && cni_transfer_lies(t, several, sending), direct = side->ways[peer] > CNI_WAY_LYING;
            cni_way way = (direct ? direct_way : host_way)(t, slots, sending, lies);
            side->ways[peer] = way < side->ways[peer] ? way : side->ways[peer];
        }
    }
}

/* Memory for what is packed; where there is none, it goes through the host's. */
static void take_device(cni_exchange_side *side, int places, int64_t nbytes)
{
    bool packed = false;
    for (int peer = 0; peer < places; peer++) {
        packed |= side->ways[peer] == CNI_WAY_PACKED;
    }
    side->device = packed ? cni_process_device->alloc(nbytes) : NULL;
    side->device_bytes = nbytes;
    for (int peer = 0; peer < places && packed && side->device == NULL; peer++) {
        side->ways[peer] = side->ways[peer] == CNI_WAY_PACKED ? CNI_WAY_STAGED : side->ways[peer];
    }
}

/* Where the message's one region is. */
static void *place_of(const cni_end *end, void *const *addresses)
{
    return (char *)addresses[end->slot] + end->region.offset;
}

/* first: where the message's first region is. */
static void add_message(cni_exchange_side *side, int peer, const cni_end *first, const cni_place_slots *slots)
{
    cni_way way = side->ways[peer];
    bool lies = way == CNI_WAY_LYING || way == CNI_WAY_HELD;
    char *host = lies ? place_of(first, slots->host) : side->parcel.data + side->marks[peer];
    if (way == CNI_WAY_HOST || way == CNI_WAY_LYING) {
        side->messages[side->n++] = (cni_message){peer, host, side->sizes[peer]};
        return;
    }
    cni_direct_message *x = &side->direct_messages[side->ndirect++];
    *x = (cni_direct_message){.peer = peer, .host = host, .nbytes = side->sizes[peer]};
    if (way == CNI_WAY_STRAIGHT) {
        x->device = place_of(first, slots->device);
    } else if (way == CNI_WAY_PACKED) {
        x->device = side->device + side->marks[peer];
    }
    side->staged |= x->device == NULL;
}

static const cni_transfer *first_of(int from, int to, const cni_transfer *transfers)
{
    while (transfers->from != from || transfers->to != to) {
        transfers++;
    }
    return transfers;
}

void cni_side_lay_out(cni_exchange_side *side, const cni_world *world, const cni_transfer *transfers, uint32_t n,
                      const cni_place_slots *slots, bool sending, bool alone)
{
    int me = world->first;
    int64_t total = 0;
    memset(side->sizes, 0, (size_t)world->places * sizeof *side->sizes);
    for (uint32_t i = 0; i < n; i++) {
        const cni_transfer *t = &transfers[i];
        if ((sending ? t->from : t->to) == me) {
            side->sizes[sending ? t->to : t->from] += cni_region_size(&t->region);
        }
    }
    side->direct = NULL;
    for (int peer = 0; peer < world->places; peer++) {
        const cni_direct *direct = side->sizes[peer] > 0 ? cni_direct_for(side->sizes[peer]) : NULL;
        side->ways[peer] = direct != NULL ? CNI_WAY_STRAIGHT : CNI_WAY_LYING;
        side->direct = direct != NULL ? direct : side->direct;
    }
    choose_ways(side, me, transfers, n, slots, sending, alone);
    for (int peer = 0; peer < world->places; peer++) {
        cni_way way = side->ways[peer];
        side->marks[peer] = total;
        total += way == CNI_WAY_HOST || way == CNI_WAY_STAGED || way == CNI_WAY_PACKED ? side->sizes[peer] : 0;
    }
    if (side->direct != NULL) {
        take_device(side, world->places, total);
    }
    side->n = side->ndirect = 0;
    side->staged = false;
    for (int peer = 0; peer < world->places; peer++) {
        if (side->sizes[peer] > 0) {
            const cni_transfer *first = first_of(sending ? me : peer, sending ? peer : me, transfers);
            cni_end end = cni_transfer_end(first, slots, sending);
            add_message(side, peer, &end, slots);
        }
    }
}
