/*
 * joint.h - a library op that places do together: what moves between them is known from values only, so the op itself says
 * what does, while it runs. Every process takes part in every move, in the same order.
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
    void **const *addresses; /* [local place][slot] */
    cni_alltoall *moves;
    void *scratch; /* of one place at a time */
    uint8_t *told; /* as cni_run's */
} cni_joint;

/* The share of a place of this process; NULL: it has none. */
const cni_share *cni_joint_share(const cni_joint *joint, int local);

/* How the slot of the access is spread; NULL: the root has it. */
const cni_layout *cni_joint_layout(const cni_joint *joint, uint32_t access);

/* Where the first element of the access is at a place of this process. */
char *cni_joint_data(const cni_joint *joint, uint32_t access, int local);

#endif
