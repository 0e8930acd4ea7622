/* world.h - the places of the program, and which of them are this process's. */
#ifndef CNI_WORLD_H
#define CNI_WORLD_H

#include "exec/net.h"
#include "plan/partition.h"

typedef struct cni_world {
    int places;       /* of the whole program */
    int first, local; /* this process has places [first, first + local) */
    const cni_net *net;
} cni_world;

/* Known from the first call on. */
const cni_world *cni_world_get(void);

static inline bool cni_world_has(const cni_world *world, int place)
{
    return place >= world->first && place < world->first + world->local;
}

/* Memory of a buffer at a place of this process. */
static inline void **cni_spread_memory(cni_buffer *buffer, int local)
{
    return local == 0 ? &buffer->data : &buffer->spread->at[local].host;
}

/* Bytes of a slot that memory on the device is there for: sorted, apart. */
enum { CNI_SPANS = 8 };

typedef struct cni_spans {
    int n;
    struct {
        int64_t low, high;
    } at[CNI_SPANS];
} cni_spans;

/* Adds bytes [low, high); where there are too many spans, those nearest to each other become one. */
void cni_spans_add(cni_spans *spans, int64_t low, int64_t high);

/* Are all of them in, or any? */
bool cni_spans_have(const cni_spans *spans, int64_t low, int64_t high);
bool cni_spans_meet(const cni_spans *spans, int64_t low, int64_t high);

/* The slots of a plan at one place of this process. */
typedef struct cni_place_slots {
    void **host, **device; /* addresses */
    uint8_t **valid;       /* which of them have the values that the place has (CNI_ON_ bits) */
    cni_spans *spans;      /* what the device's are there for */
    bool *on_device;       /* what comes goes there, where neither has values yet */
    uint32_t panels;       /* behind the plan's: the first of CNI_PANEL_SLOTS that are no base's (spread_rounds.h) */
} cni_place_slots;

/* What exchanges need besides the arrays: messages of one exchange, by peer. */
typedef struct cni_exchange cni_exchange;

cn_status cni_exchange_create(const cni_world *world, cni_exchange **out);
void cni_exchange_destroy(cni_exchange *exchange);

/* Makes room for the messages of these transfers; device: its memory takes part. */
cn_status cni_exchange_reserve(cni_exchange *exchange, const cni_transfer *transfers, uint32_t n, bool device);

/*
 * Moves what they say between slots, by local place. Room must have been made. After begin, what goes may be written again;
 * after go it travels; until end, what is to come is not there yet, and no other call of the net may be made. The device may
 * be given work between begin and go, which waits for what it had before. alone: nothing is done before the end.
 */
cn_status cni_exchange_begin(cni_exchange *exchange, const cni_transfer *transfers, uint32_t n,
                             const cni_place_slots *slots, bool alone);
cn_status cni_exchange_go(cni_exchange *exchange);
cn_status cni_exchange_end(cni_exchange *exchange, const cni_transfer *transfers, uint32_t n,
                           const cni_place_slots *slots);
cn_status cni_exchange_run(cni_exchange *exchange, const cni_transfer *transfers, uint32_t n,
                           const cni_place_slots *slots);

#endif
