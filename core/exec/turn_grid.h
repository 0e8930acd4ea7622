/*
 * turn_grid.h - how a part is cut into boxes that the device has room for, three at a time, and what each of them has of the
 * arrays.
 *
 *     outer    |  a @ b: columns         |
 *     inner    |  rows |  rows |  rows   |       boxes in turn; what follows no inner axis stays for all of them
 *
 * Of a group a box has, for each slot, the bytes from the first to the last that it touches; of a library op, for each
 * operand, its elements, densely. That is an area; where a box has the same of it as the box before, it is not copied again.
 */
#ifndef CNI_TURN_GRID_H
#define CNI_TURN_GRID_H

#include "exec/local_part.h"
#include "exec/turn_copies.h"
#include "plan/library_axes.h"

enum { CNI_TURN_AREAS = 32 };

typedef struct cni_turn_area {
    uint32_t slot, access; /* access: of a library op */
    bool up, down;
    bool stays; /* boxes along the inner axis have the same; there is one copy of it */
    int64_t nbytes;
} cni_turn_area;

typedef struct cni_turn_grid {
    cni_operands operands;
    cni_work_axes axes;           /* of the work; of a group the operands' follow them */
    bool range;                   /* boxes reduce parts of all results, which are put together at the end */
    int inner, outer;             /* CNI_NO_AXIS: none */
    int64_t ninner, nouter, unit; /* pieces; they begin at multiples of so many */
    uint32_t nareas;
    cni_turn_area areas[CNI_TURN_AREAS];
    int64_t boxes, up_bytes, down_bytes; /* of a run */
} cni_turn_grid;

/* Areas of the device's memory begin at multiples of it, where bytes of slots that are such multiples lie. */
enum { CNI_TURN_ALIGNMENT = 256 };

static inline int64_t cni_turn_aligned(int64_t nbytes)
{
    return (nbytes + CNI_TURN_ALIGNMENT - 1) / CNI_TURN_ALIGNMENT * CNI_TURN_ALIGNMENT;
}

/* Finds the fewest boxes, or somewhat more, that so many bytes are enough for. quantum: reduced elements that stay together,
   0: all of a result's. False: there are none, or the part is not of a kind that is cut so. */
bool cni_turn_grid_make(const cni_part *part, const cni_window *w, int64_t room, int64_t quantum, cni_turn_grid *out);

/* The box of the work. */
void cni_turn_box(const cni_turn_grid *grid, int64_t number, cni_box *work);

/* Of that what an operand of a library op sees. */
void cni_turn_operand_box(const cni_turn_grid *grid, uint32_t access, const cni_box *work, cni_box *box);

/* What the area has of its slot when the box is done there, and (down) what of it is new. */
void cni_turn_region(const cni_turn_grid *grid, const cni_part *part, const cni_window *w, uint32_t area,
                     const cni_box *work, bool down, cni_region *out);

#endif
