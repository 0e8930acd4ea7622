/* chain.h - pass of a partition: shares that follow each other along an axis. */
#ifndef CNI_CHAIN_H
#define CNI_CHAIN_H

#include "plan/transfers.h"

typedef struct cni_chain {
    cni_chain_rule rule;
    int ndim; /* of the work */
    const int64_t *extent;
    int way, least;           /* the axis, and how much of it a share has at least */
    int64_t inner;            /* elements that follow each other at one place of the way */
    const bool *folded;       /* axes that stay whole, the way among them */
    cni_geometry view;        /* the array, */
    const cni_layout *layout; /* whose owners do the work */
} cni_chain;

/* From which any place's share follows. */
struct cni_chain_cut {
    cni_chain chain;
    int64_t quantum;             /* of the way */
    int axis, blocks;            /* beside the way, which a share's boxes cut (-1: none), and into how many */
    int noperands;               /* of a library op; 0: boxes are of a group's space */
    const cni_box *whole;        /* by operand, or of the space: what is needed of it, along all of the way */
    int8_t follows[CNI_OP_ARGS]; /* by operand: its dimension along the way, -1: none */
};

/*
 * Fills the part's local shares, as boxes of the work, and the places beside them. Where rows themselves are handed on, several
 * boxes, so that places need not wait for all of it. *out is for the caller to say what operands see of it.
 */
bool cni_chain_share(cni_partitioning *p, const cni_chain *chain, cni_shared_part *part, cni_chain_cut **out);

/* What any place does of it; false: nothing. */
bool cni_chain_share_at(const cni_partitioning *p, const cni_shared_part *part, int place, cni_share *share,
                        cni_box *boxes);

/* The place whose share has this index of the way. */
int cni_chain_place(const cni_partitioning *p, const cni_chain_cut *cut, int64_t index);

#endif
