/*
 * joint.h - a library op that places do together: what moves between them is known from values only, so the op itself says
 * what does, while it runs. Every process takes part in every move, in the same order. What a place does between moves its
 * processor or its device does (joint_device.h): its process's own matter, since moves are the same.
 */
#ifndef CNI_JOINT_H
#define CNI_JOINT_H

#include "exec/alltoall.h"

typedef struct cni_joint {
    const cni_part *part;
    const cni_shared_part *shared;
    const cni_slot_layout *slots;
    const cni_window *window;
    const cni_world *world;
    const cni_place_slots *at; /* by local place */
    cni_alltoall *moves;
    void *scratch;     /* of one place at a time */
    const void *there; /* what the device has bound, which does the work of all places here; NULL: the processor does */
    char *memory;      /* of the device, for all of them: */
    int64_t memory_bytes; /* of one, behind what it asks and hears: */
    int64_t asked_there, heard_there;
    bool direct;                /* all ranks have direct messages, and use them here: rounds may be large */
    uint8_t *told;              /* as cni_run's */
    cni_buffer *const *buffers; /* by slot */
    const int64_t *more;        /* by slot, as cni_spread_binding's */
    bool *refused;              /* nobody does the op: there is no memory */
} cni_joint;

/* Bytes that a place takes: that it asks and hears, the most; scratch memory. there: as above, freed with cni_free; then
   also of the device's memory: for itself, and of what is asked and heard there. */
typedef struct cni_joint_room {
    int64_t asked, heard, scratch;
    void *there;
    int64_t memory, asked_there, heard_there;
} cni_joint_room;

static inline int64_t cni_joint_memory_bytes(const cni_joint_room *room)
{
    return (room->asked_there + room->heard_there + room->memory + 255) / 256 * 256;
}

/* The share of a place of this process; NULL: it has none. */
const cni_share *cni_joint_share(const cni_joint *joint, int local);

/* How the slot of the access is spread; NULL: the root has it. */
const cni_layout *cni_joint_layout(const cni_joint *joint, uint32_t access);

/* Where the first element of the access is at a place of this process, in the memory where its work is done. */
char *cni_joint_data(const cni_joint *joint, uint32_t access, int local);

/* The device's memory for the place. */
static inline char *cni_joint_memory(const cni_joint *joint, int local)
{
    return joint->memory + local * joint->memory_bytes + joint->asked_there + joint->heard_there;
}

/*
 * Collective: memory for so many bytes of the access that places of this process neither own nor are brought. Before the op
 * writes anything: where one process has none, it fails at all of them, and the window can be tried again.
 */
cn_status cni_joint_hold(const cni_joint *joint, uint32_t access, int64_t more);

#endif
