/*
 * exchange.c - moves elements between places: by a copy inside this process, by messages between processes. All that two
 * processes have for each other in one exchange is one message, in the order of the transfers, which both know.
 */
#include <string.h>

#include "base/debug.h"
#include "base/memory.h"
#include "base/stats.h"
#include "base/status.h"
#include "exec/trace.h"
#include "exec/world.h"

struct cni_exchange {
    const cni_world *world;
    int64_t *sizes; /* by peer, of the exchange at hand */
    char **marks;   /* by peer: where the next region is packed or taken from */
    char *out, *in; /* all messages, one peer after the other */
    int64_t out_capacity, in_capacity;
    cni_message *sends, *receives; /* by number */
    bool travels;                  /* begun, and there is some */
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

void cni_exchange_destroy(cni_exchange *x)
{
    if (x != NULL) {
        cni_free(x->sizes);
        cni_free(x->marks);
        cni_free(x->sends);
        cni_free(x->receives);
        cni_free(x->out);
        cni_free(x->in);
        cni_free(x);
    }
}

static cn_status grow(char **memory, int64_t *capacity, int64_t need)
{
    if (need > *capacity) {
        char *larger = cni_alloc((size_t)need);
        if (larger == NULL) {
            return cni_fail_memory(need);
        }
        cni_free(*memory);
        *memory = larger;
        *capacity = need;
    }
    return CN_OK;
}

cn_status cni_exchange_reserve(cni_exchange *x, const cni_transfer *transfers, uint32_t n)
{
    int64_t out = 0, in = 0;
    if (x->world->net->size == 1) {
        return CN_OK;
    }
    for (uint32_t i = 0; i < n; i++) {
        int64_t size = cni_region_size(&transfers[i].region);
        out += transfers[i].from == x->world->first ? size : 0;
        in += transfers[i].to == x->world->first ? size : 0;
    }
    CN_TRY(grow(&x->out, &x->out_capacity, out));
    return grow(&x->in, &x->in_capacity, in);
}

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

/* Messages begin to travel. */
static cn_status send(cni_exchange *x, const cni_transfer *transfers, uint32_t n, void **addresses)
{
    int me = x->world->first;
    int nsends = lay_out(x, transfers, n, true, x->out, x->sends);
    for (uint32_t i = 0; i < n; i++) {
        const cni_transfer *t = &transfers[i];
        if (t->from == me) {
            cni_region_pack(&t->region, x->marks[t->to], addresses[t->slot]);
            x->marks[t->to] += cni_region_size(&t->region);
        }
    }
    int nreceives = lay_out(x, transfers, n, false, x->in, x->receives);
    x->travels = nsends + nreceives > 0;
    return x->travels ? x->world->net->exchange_begin(nreceives, x->receives, nsends, x->sends) : CN_OK;
}

/* Messages are there. */
static cn_status receive(cni_exchange *x, const cni_transfer *transfers, uint32_t n, void **addresses)
{
    if (!x->travels) {
        return CN_OK;
    }
    CN_TRY(x->world->net->exchange_end());
    for (uint32_t i = 0; i < n; i++) {
        const cni_transfer *t = &transfers[i];
        if (t->to == x->world->first) {
            cni_region_unpack(&t->region, addresses[t->slot], x->marks[t->from]);
            x->marks[t->from] += cni_region_size(&t->region);
        }
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

cn_status cni_exchange_begin(cni_exchange *x, const cni_transfer *transfers, uint32_t n, void **const *addresses)
{
    if (x->world->net->size > 1) {
        return n > 0 ? send(x, transfers, n, addresses[0]) : CN_OK;
    }
    for (uint32_t i = 0; i < n; i++) {
        const cni_transfer *t = &transfers[i];
        cni_debug(CNI_DEBUG_COMM, "from place %d to %d: %lld bytes", t->from, t->to,
                  (long long)cni_region_size(&t->region));
        cni_region_copy(&t->region, addresses[t->to][t->slot], addresses[t->from][t->slot]);
    }
    return CN_OK;
}

cn_status cni_exchange_end(cni_exchange *x, const cni_transfer *transfers, uint32_t n, void **const *addresses)
{
    uint64_t begin = n > 0 ? cni_trace_begin() : 0;
    if (n > 0 && x->world->net->size > 1) {
        CN_TRY(receive(x, transfers, n, addresses[0]));
    }
    trace(x, begin, transfers, n);
    return CN_OK;
}

cn_status cni_exchange_run(cni_exchange *x, const cni_transfer *transfers, uint32_t n, void **const *addresses)
{
    CN_TRY(cni_exchange_begin(x, transfers, n, addresses));
    return cni_exchange_end(x, transfers, n, addresses);
}
