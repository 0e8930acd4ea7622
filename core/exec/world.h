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
    return local == 0 ? &buffer->data : &buffer->spread->more[local - 1];
}

/* What exchanges need besides the arrays: messages of one exchange, by peer. */
typedef struct cni_exchange cni_exchange;

cn_status cni_exchange_create(const cni_world *world, cni_exchange **out);
void cni_exchange_destroy(cni_exchange *exchange);

/* Makes room for the messages of these transfers. */
cn_status cni_exchange_reserve(cni_exchange *exchange, const cni_transfer *transfers, uint32_t n);

/*
 * Moves what they say: addresses[local place][slot]. Room must have been made. Between begin and end, what is to come is
 * not there yet, and no other call of the net may be made; what goes may be written again.
 */
cn_status cni_exchange_begin(cni_exchange *exchange, const cni_transfer *transfers, uint32_t n,
                             void **const *addresses);
cn_status cni_exchange_end(cni_exchange *exchange, const cni_transfer *transfers, uint32_t n, void **const *addresses);
cn_status cni_exchange_run(cni_exchange *exchange, const cni_transfer *transfers, uint32_t n, void **const *addresses);

#endif
