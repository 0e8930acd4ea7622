/*
 * match.h - do places that plan apart agree on what moves between them? What one sends in an exchange another must
 * receive in it: the same transfers in the same order.
 */
#ifndef CNI_MATCH_H
#define CNI_MATCH_H

#include "plan/partition.h"

typedef struct cni_match cni_match;

cn_status cni_match_create(int places, uint32_t nstages, cni_match **out);
void cni_match_destroy(cni_match *match);

/* What a place does in one exchange. */
typedef struct cni_traffic {
    uint32_t sends, receives; /* messages */
    int64_t sent, received;   /* bytes */
} cni_traffic;

/* Exchanges of a partition: number 0 is the adoption, then every stage has one before it and one after. */
static inline uint32_t cni_exchange_count(uint32_t nstages)
{
    return 1 + 2 * nstages;
}

/* Notes the place's transfers of an exchange, and says how much they are. */
cni_traffic cni_match_add(cni_match *match, int place, uint32_t exchange, const cni_transfer *transfers, uint32_t n);

/* All exchanges of the partition, which is of one local place. traffic: by exchange; NULL: not asked for. */
void cni_match_partition(cni_match *match, const cni_partition *partition, cni_traffic *traffic);

/* Once all places are noted: CN_ERROR_INTERNAL, naming the first exchange where they do not agree. */
cn_status cni_match_end(const cni_match *match);

/* Plans for every place apart and matches. */
cn_status cni_partitions_verify(const cni_partition_request *request, const cni_partition *whole);

#endif
