/*
 * library_axes.h - ops of library.def have work with axes of its own, and each dimension of an operand follows one of them
 * or none: the column `share` of their rows says which.
 */
#ifndef CNI_LIBRARY_AXES_H
#define CNI_LIBRARY_AXES_H

#include "record/layout.h"
#include "record/window.h"

enum { CNI_NO_AXIS = -1 };

typedef struct cni_work_axes {
    int n;
    int64_t extent[CNI_LATTICE_DIMS];
    int8_t follows[CNI_OP_ARGS][CNI_LATTICE_DIMS]; /* by operand, by dimension */
    bool uncut[CNI_LATTICE_DIMS];                  /* axes that only a chain goes along piece by piece */
    int way;                                       /* the first of them, CNI_NO_AXIS: none */
    bool joint;                                    /* moved by the op itself: */
    uint8_t dynamic;                               /* bits of operands */
    bool as_result;                                /* and places do what they own of the result, all the same */
    int ordered;                                   /* shares must follow each other in this operand (less 1) */
    int evenly;    /* where layouts do not help, the longest axis is cut evenly in pieces of so many; 0: it is not */
    int64_t least; /* of the work, in a piece */
    bool rounds;   /* pieces of an operand that places would need whole may come one after the other (rounds.h) */
} cni_work_axes;

typedef struct cni_operands {
    const cni_op *op;
    int n;
    cni_geometry g[CNI_OP_ARGS]; /* of those that are arrays */
    bool array[CNI_OP_ARGS], spread[CNI_OP_ARGS];
    const cni_layout *layout[CNI_OP_ARGS];
    int places;
} cni_operands;

static inline int64_t cni_view_bytes(const cni_geometry *g)
{
    return g->itemsize * cni_element_count(g->ndim, g->shape);
}

/* Fills the axes, which come as: those of the result, nothing followed. False: the op stays at the root. */
bool cni_library_axes(const cni_operands *operands, cni_work_axes *axes);

/*
 * Elements of a row, which is all behind the first nindex axes, that no place cuts, wherever borders may lie: those of the
 * row, or a divisor of them; 0: rows are not dense, or not even. layout: NULL: one place has all.
 */
int64_t cni_row_piece(const cni_geometry *g, int nindex, const cni_layout *layout);

#endif
