/* joint.c - see joint.h. */
#include "exec/joint.h"

#include "base/memory.h"
#include "exec/spread.h"
#include "exec/spread_memory.h"

const cni_share *cni_joint_share(const cni_joint *j, int local)
{
    for (uint32_t i = 0; i < j->shared->nshares; i++) {
        if (j->shared->shares[i].place == j->world->first + local) {
            return &j->shared->shares[i];
        }
    }
    return NULL;
}

const cni_layout *cni_joint_layout(const cni_joint *j, uint32_t access)
{
    const cni_slot_layout *slot = &j->slots[j->part->access[access].slot];
    return slot->spread ? &slot->layout : NULL;
}

char *cni_joint_data(const cni_joint *j, uint32_t access, int local)
{
    const cni_access *a = &j->part->access[access];
    void *const *slots = j->there != NULL ? j->at[local].device : j->at[local].host;
    return (char *)slots[a->slot] + cni_window_geometry(j->window, a->view).offset;
}

cn_status cni_joint_hold(const cni_joint *j, uint32_t access, int64_t more)
{
    uint32_t slot = j->part->access[access].slot;
    cni_buffer *b = j->buffers[slot];
    int64_t before = b->spread->beside;
    cn_status mine = cni_place_beside(b) ? cni_place_more(b, j->more[slot] + more) : CN_OK;
    cn_status all = j->world->net->size > 1 ? cni_spread_agree(mine) : mine;
    if (mine == CN_OK && all != CN_OK) {
        cni_storage_touch(b->nbytes, before - b->spread->beside);
        b->spread->beside = before;
    }
    *j->refused = all == CN_ERROR_MEMORY;
    return all;
}
