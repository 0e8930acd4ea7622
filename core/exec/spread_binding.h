/* spread_binding.h - a plan's partition for one geometry, with every share bound to its place. */
#ifndef CNI_SPREAD_BINDING_H
#define CNI_SPREAD_BINDING_H

#include "exec/joint.h"
#include "exec/local_part.h"
#include "exec/world.h"

/* One share of this process, or a box of it. */
typedef struct cni_bound_share {
    const cni_shared_part *shared;
    struct cni_bound_share *next; /* what its binding does too; NULL: no more */
    bool follows;                 /* another's binding does it */
    int local;                    /* place of this process */
    const cni_place *place;       /* its processor, or its device */
    const cni_share *share;
    void *binding;
    int64_t own, state, state_bytes; /* CHAIN: where in the binding's states what it keeps and hands on is */
    void *rows;                      /* CHAIN: of the device, which does most of it; NULL: the processor does */
    cni_local_part *part;            /* of a library op that is shared out; NULL: the shared part as it is */
    bool waits;                      /* needs what the exchange before its stage brings */
} cni_bound_share;

typedef struct cni_bound_shared {
    const cni_shared_part *shared;
    uint32_t nbound;
    cni_bound_share *bound;
    cni_alltoall *moves;            /* JOINT */
    cni_joint_room room;            /* JOINT */
    int64_t panels_at, panel_bytes; /* of rounds: in the scratch memory, and from one to the next */
    void *whole;                    /* RANGE, CHAIN: the part bound as a whole (borrowed) */
    bool rows_there;                /* CHAIN: the device has a part in all shares here */
} cni_bound_shared;

typedef struct cni_spread_binding {
    size_t ngeometry;
    int64_t *geometry;
    uint64_t *layouts; /* by base: what of its layout the partition was made for */
    uint32_t nbases;
    int64_t spread_bytes, overlap;
    cni_partition *partition;
    uint32_t nparts;
    cni_bound_shared *parts; /* by stage and part */
    uint32_t norigins;
    void **whole; /* by part of the plan: bound as a whole; NULL: not, or no longer */
    cni_exchange *exchange;
    int64_t gpu, gpu_bytes; /* the settings that shares were placed by */
    bool on_host;           /* the device had no room for what they use */
    bool repeats;           /* smaller operands count as large */
    uint64_t
        compiles; /* the device's number of kernels that are not there: till then shares are the processor's; else 0 */
    bool uses_device, uses_host;
    bool joint, direct;           /* there are joint parts; bound for direct messages */
    uint32_t runs;                /* up to CNI_REPEATS */
    int64_t scratch, state_bytes; /* the most that a part takes; that the shares of a reduction leave */
    int64_t device_scratch;       /* likewise, on the device */
    bool **touched;               /* [local place][slot] */
    int64_t *more;                /* by slot: bytes that local places have of it and do not own */
    bool *overlaps;               /* by stage: enough of it needs nothing of the exchange before */
    cni_place_slots *at;          /* by local place; addresses are of the run at hand */
    void **pointers;              /* of the run at hand: buffers and addresses (spread.c) */
    char *states;                 /* what shares of a reduction leave */
    uint8_t *told;                /* by op: floating-point events */
    uint64_t bytes_read, bytes_written;
    uint64_t chain_messages, chain_bytes; /* of one run */
} cni_spread_binding;

/* The plan's binding for the window, made if there is none for this geometry and these layouts (*fresh); on_host: without
   the device, for this run. */
cn_status cni_spread_bind(cni_plan *plan, const cni_window *w, const cni_skeleton *s, bool on_host, bool *fresh);

#endif
