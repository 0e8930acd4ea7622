/*
 * rounds.h - products whose operands are both spread: each place multiplies what it owns of one with panels of the other.
 *
 *     round     |    0    |    1    |    2    |         columns of the other operand: whole sums, the same bits
 *     place 0   |x x x x x|         |         |
 *     place 1   |x x x x x|         |         |         x: pieces of a panel, from whoever has them
 *     place 2   |x x x x x|         |         |
 *
 * A panel lies dense in the order of its elements in memory, so what one place has of it is one run, which goes as it lies
 * from its sender's panel. Where panels are rather places' own than everybody's (its columns follow each other in memory),
 * places take them in turn, each beginning with its own, so that all send as much.
 *
 * How many there are follows from shapes, places and the size of what is spread alone.
 */
#ifndef CNI_ROUNDS_H
#define CNI_ROUNDS_H

#include "plan/library_axes.h"
#include "plan/transfers.h"

/* Fills out->rounds of a part whose shares are known, if it is worth it. False without memory. */
bool cni_rounds_make(cni_partitioning *p, const cni_operands *operands, const cni_work_axes *axes,
                     cni_shared_part *out);

/* What the panel of a place's round is of the dimension. */
void cni_rounds_panel(const cni_rounds *rounds, int place, int round, int64_t *from, int64_t *to);

/* The strides (2) of so many rows or columns of the operand, as they lie dense. */
void cni_dense_strides(const cni_dense *dense, const cni_geometry *operand, int64_t count, int64_t *strides);

/* Does anything of the access come in rounds, instead of before the stage? */
static inline bool cni_rounds_bring(const cni_rounds *rounds, uint32_t access)
{
    return rounds != NULL &&
           (rounds->panels.access == access || (rounds->other.nbytes > 0 && rounds->other.access == access));
}

/* Adds pairs of places that exchange something, round by round, and bytes, also of what the root receives. */
void cni_rounds_count(const cni_rounds *rounds, cni_partition *out);

#endif
