/*
 * match.c - see match.h. A digest of what goes from one place to another is added when it is sent and taken away when it
 * is received: what remains is zero, but for a chance of 2^-64.
 */
#include "plan/match.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/status.h"

typedef struct pair {
    uint64_t digest;
    bool met;
} pair;

struct cni_match {
    int places;
    uint32_t nexchanges;
    uint64_t *rest; /* by exchange */
    pair *pairs[2]; /* of the place at hand with others, by direction and peer */
};

cn_status cni_match_create(int places, uint32_t nstages, cni_match **out)
{
    cni_match *m = cni_alloc_zero(1, sizeof *m);
    if (m == NULL) {
        return cni_fail_memory((int64_t)sizeof *m);
    }
    m->places = places;
    m->nexchanges = cni_exchange_count(nstages);
    m->rest = cni_alloc_zero(m->nexchanges, sizeof *m->rest);
    m->pairs[0] = cni_alloc_zero(2 * (size_t)places, sizeof *m->pairs[0]);
    if (m->rest == NULL || m->pairs[0] == NULL) {
        cni_match_destroy(m);
        return cni_fail_memory((int64_t)places);
    }
    m->pairs[1] = m->pairs[0] + places;
    *out = m;
    return CN_OK;
}

void cni_match_destroy(cni_match *m)
{
    if (m != NULL) {
        cni_free(m->rest);
        cni_free(m->pairs[0]);
        cni_free(m);
    }
}

static uint64_t digest_of(uint64_t digest, const cni_transfer *t)
{
    digest = cni_hash_mix(cni_hash_mix(digest, t->slot + 1), (uint64_t)t->region.offset);
    digest = cni_hash_mix(digest, (uint64_t)t->region.itemsize << 8 | (uint64_t)t->region.ndim);
    digest = cni_hash_mix(cni_hash_mix(digest, t->panel), (uint64_t)t->at);
    for (int d = 0; d < t->region.ndim; d++) {
        digest = cni_hash_mix(cni_hash_mix(digest, (uint64_t)t->region.shape[d]), (uint64_t)t->region.strides[d]);
    }
    return digest;
}

cni_traffic cni_match_add(cni_match *m, int place, uint32_t exchange, const cni_transfer *transfers, uint32_t n)
{
    cni_traffic traffic = {0};
    for (uint32_t i = 0; i < n; i++) {
        const cni_transfer *t = &transfers[i];
        bool sending = t->from == place;
        pair *with = &m->pairs[sending][sending ? t->to : t->from];
        with->digest = digest_of(with->digest, t);
        *(sending ? &traffic.sends : &traffic.receives) += !with->met;
        *(sending ? &traffic.sent : &traffic.received) += cni_region_size(&t->region);
        with->met = true;
    }
    for (uint32_t i = 0; i < n; i++) {
        const cni_transfer *t = &transfers[i];
        bool sending = t->from == place;
        pair *with = &m->pairs[sending][sending ? t->to : t->from];
        if (with->met) {
            uint64_t both = cni_hash_mix(with->digest, (uint64_t)t->from << 32 | (uint64_t)t->to);
            m->rest[exchange] += sending ? both : 0 - both;
        }
        *with = (pair){0};
    }
    return traffic;
}

/* What comes in rounds is part of the exchange before the stage; they are matched one by one. */
static void add_rounds(cni_match *m, const cni_partition *p, uint32_t exchange, const cni_rounds *r, cni_traffic *sum)
{
    for (int i = 0; i < r->exchanges; i++) {
        cni_traffic t = cni_match_add(m, p->first, exchange, r->transfers + r->begin[i], r->begin[i + 1] - r->begin[i]);
        sum->sends += t.sends;
        sum->receives += t.receives;
        sum->sent += t.sent;
        sum->received += t.received;
    }
}

void cni_match_partition(cni_match *m, const cni_partition *p, cni_traffic *traffic)
{
    cni_traffic unasked;
    for (uint32_t e = 0; e < m->nexchanges; e++) {
        const cni_stage *stage = e > 0 ? &p->stages[(e - 1) / 2] : NULL;
        const cni_transfer *transfers = stage == NULL ? p->adopt : e % 2 == 1 ? stage->before : stage->after;
        uint32_t n = stage == NULL ? p->nadopt : e % 2 == 1 ? stage->nbefore : stage->nafter;
        cni_traffic *sum = traffic != NULL ? &traffic[e] : &unasked;
        *sum = cni_match_add(m, p->first, e, transfers, n);
        for (uint32_t k = 0; e % 2 == 1 && k < stage->nparts; k++) {
            if (stage->parts[k].rounds != NULL) {
                add_rounds(m, p, e, stage->parts[k].rounds, sum);
            }
        }
    }
}

cn_status cni_match_end(const cni_match *m)
{
    for (uint32_t e = 0; e < m->nexchanges; e++) {
        if (m->rest[e] != 0) {
            return cni_fail(CN_ERROR_INTERNAL, "places do not agree on what moves %s launch %u of %u",
                            e % 2 == 1 ? "before"
                            : e == 0   ? "to begin with, before"
                                       : "after",
                            e > 0 ? (e - 1) / 2 : 0, (m->nexchanges - 1) / 2);
        }
    }
    return CN_OK;
}

static cn_status verify_place(const cni_partition_request *request, int place, cni_match *m, uint64_t *sent)
{
    cni_partition_request one = *request;
    cni_partition *p;
    one.first = place;
    one.end = place + 1;
    CN_TRY(cni_partition_make(&one, &p));
    cni_traffic *traffic = cni_alloc_zero(m->nexchanges, sizeof *traffic);
    if (traffic != NULL) {
        cni_match_partition(m, p, traffic);
        for (uint32_t e = 1; e < m->nexchanges; e++) {
            *sent += (uint64_t)traffic[e].sent;
        }
    }
    cni_free(traffic);
    cni_partition_destroy(p);
    return traffic != NULL ? CN_OK : cni_fail_memory((int64_t)m->nexchanges);
}

cn_status cni_partitions_verify(const cni_partition_request *request, const cni_partition *whole)
{
    cni_match *m;
    uint64_t sent = 0;
    CN_TRY(cni_match_create(request->places, whole->nstages, &m));
    cn_status status = CN_OK;
    for (int place = 0; place < request->places && status == CN_OK; place++) {
        status = verify_place(request, place, m, &sent);
    }
    status = status == CN_OK ? cni_match_end(m) : status;
    cni_match_destroy(m);
    if (status == CN_OK && sent != whole->message_bytes) {
        return cni_fail(CN_ERROR_INTERNAL, "places that plan apart send %llu bytes, all together %llu",
                        (unsigned long long)sent, (unsigned long long)whole->message_bytes);
    }
    return status;
}
