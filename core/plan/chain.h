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

/* Fills the part's shares. Where rows themselves are handed on, several boxes, so that places need not wait for all of it: listed of local places. */
bool cni_chain_share(cni_partitioning *p, const cni_chain *chain, cni_shared_part *out);

#endif
