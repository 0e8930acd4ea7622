/* part_slots.h - the slots of a part. */
#ifndef CNI_PART_SLOTS_H
#define CNI_PART_SLOTS_H

#include "plan/partition.h"

/* Calls visit for every slot of the part; reads: it needs the values that are there. */
static inline void cni_part_slots(const cni_part *part,
                                  void (*visit)(void *context, uint32_t slot, bool reads, bool writes), void *context)
{
    for (uint32_t a = 0; a < part->naccess; a++) {
        if (part->access[a].slot != CNI_NONE) {
            visit(context, part->access[a].slot, true, part->access[a].written);
        }
    }
    if (part->kind == CNI_PART_CARRY) {
        visit(context, part->source, true, false);
    }
    if (part->kind == CNI_PART_CARRY || part->kind == CNI_PART_FILL) {
        visit(context, part->slot, true, true);
    }
}

/* Does the access take what a reduction gives? */
static inline bool cni_part_reduces_into(const cni_part *part, uint32_t access)
{
    for (uint32_t i = 0; i < part->ninstr; i++) {
        if (part->instr[i].kind == CNI_INSTR_REDUCE && part->instr[i].access == access) {
            return true;
        }
    }
    return false;
}

/* Likewise, or what the end of such a share stores: the processor does. */
static inline bool cni_share_gives(const cni_shared_part *shared, uint32_t access)
{
    bool library = shared->part->kind == CNI_PART_LIBRARY && shared->at_end;
    return (library && access == 0) || cni_part_reduces_into(shared->part, access);
}

#endif
