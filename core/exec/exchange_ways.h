/*
 * exchange_ways.h - one side of an exchange between processes: what goes, or what comes, and the way of each message.
 *
 *     ........|= peer 1 =|= peer 2 =|= peer 4 =|        a parcel: messages one after the other, on the host; of those that
 *                                                       are packed on the device, the same places in memory there
 */
#ifndef CNI_EXCHANGE_WAYS_H
#define CNI_EXCHANGE_WAYS_H

#include "exec/direct.h"
#include "exec/world.h"

/*
 * HOST: through the net, in the parcel; LYING: where it belongs on the host. The others are direct messages; where this rank has the bytes: STAGED: in the parcel on its host;
 * PACKED: packed on its device; HELD, STRAIGHT: on its host or its device where they belong. Several regions of a message
 * go the first of their ways.
 */
typedef enum cni_way {
    CNI_WAY_HOST,
    CNI_WAY_LYING,
    CNI_WAY_STAGED,
    CNI_WAY_PACKED,
    CNI_WAY_HELD,
    CNI_WAY_STRAIGHT
} cni_way;

/* Memory for messages. */
typedef struct cni_parcel {
    char *data;
    int64_t capacity;
    bool pinned;
} cni_parcel;

typedef struct cni_exchange_side {
    cni_parcel parcel;
    int64_t *sizes, *marks; /* by peer: of its message; where in the parcel its next region is */
    cni_way *ways;          /* by peer */
    cni_message *messages;  /* for the net, by number */
    cni_direct_message *direct_messages;
    int n, ndirect;
    const cni_direct *direct; /* that carries them */
    bool staged;              /* some of them are on the host */
    char *device; /* memory of the device for the exchange at hand, as large as the parcel; NULL: nothing is packed */
    int64_t device_bytes;
} cni_exchange_side;

bool cni_side_make(cni_exchange_side *side, int places);
void cni_side_free(cni_exchange_side *side); /* but not the parcel */

/* The messages of an exchange, of this rank: those it sends, or those it receives. alone: nothing is done while they travel. */
void cni_side_lay_out(cni_exchange_side *side, const cni_world *world, const cni_transfer *transfers, uint32_t n,
                      const cni_place_slots *slots, bool sending, bool alone);

/* Memory of the device. */
void cni_side_give_back(cni_exchange_side *side);

/* The slot and the elements of what a transfer moves, where it comes from or goes to. */
typedef struct cni_end {
    uint32_t slot;
    cni_region region;
} cni_end;

cni_end cni_transfer_end(const cni_transfer *transfer, const cni_place_slots *slots, bool sending);

/* Is it one run of bytes, with all else of its message? Pieces that a place has of a panel are. */
bool cni_transfer_lies(const cni_transfer *transfer, bool several, bool sending);

/* Is what comes for the device, with memory there? */
bool cni_arrives_on_device(const cni_transfer *transfer, const cni_place_slots *to);

#endif
