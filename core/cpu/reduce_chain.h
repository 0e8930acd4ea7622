/* reduce_chain.h - see reduce_chain.c. */
#ifndef CNI_REDUCE_CHAIN_H
#define CNI_REDUCE_CHAIN_H

#include "cpu/group.h"

/* What reduce.c needs to know while it reduces the rows of a share (cni_group_binding.share). */
typedef struct cni_reduce_share {
    bool apart;
    int64_t before; /* rows of the shares before */
    char *own;      /* apart: [reduction][run][result] */
    char *state;    /* else: [reduction][row, total][result], as the shares before left it */
} cni_reduce_share;

/* A tile of results begins, with its row as for a whole reduction, or ends; the lane is at the first of them. */
void cni_reduce_share_begin(const cni_group_binding *g, cni_lane *lane, int64_t columns);
void cni_reduce_share_end(const cni_group_binding *g, cni_lane *lane, int64_t columns);

/* place.h's chain_rows. */
void cni_reduce_chain_rows(const cni_group_binding *g, const cni_link *link, void **rows);

cni_chain_rule cni_reduce_chain_rule(const cni_group_binding *g);
void cni_reduce_chain_bind(cni_group_binding *g, const cni_group_binding *whole, int64_t *own, int64_t *state);
void cni_reduce_chain(const cni_part *part, cni_group_binding *g, const cni_run *run, const cni_link *link,
                      cni_link_phase phase);

#endif
