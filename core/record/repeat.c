/* repeat.c - see repeat.h. */
#include "record/repeat.h"

#include "base/hash.h"
#include "base/memory.h"

#define BASE UINT64_C(0x9E3779B97F4A7C15)

/* BASE to the power of CNI_REPEAT_SEQUENCE: what the oldest op of a sequence weighs in the rolling hash. */
static uint64_t oldest_weight(void)
{
    uint64_t weight = 1;
    for (int i = 0; i < CNI_REPEAT_SEQUENCE; i++) {
        weight *= BASE;
    }
    return weight;
}

bool cni_repeat_create(cni_repeat *repeat)
{
    *repeat = (cni_repeat){0};
    repeat->hashes = cni_alloc_zero(CNI_REPEAT_HISTORY, sizeof *repeat->hashes);
    repeat->live = cni_alloc_zero(CNI_REPEAT_HISTORY, sizeof *repeat->live);
    repeat->crossing = cni_alloc_zero(CNI_REPEAT_HISTORY, sizeof *repeat->crossing);
    repeat->table = cni_alloc_zero((size_t)2 * CNI_REPEAT_TABLE, sizeof *repeat->table);
    if (repeat->hashes == NULL || repeat->live == NULL || repeat->crossing == NULL || repeat->table == NULL) {
        cni_repeat_destroy(repeat);
        return false;
    }
    return true;
}

void cni_repeat_destroy(cni_repeat *repeat)
{
    cni_free(repeat->hashes);
    cni_free(repeat->live);
    cni_free(repeat->crossing);
    cni_free(repeat->table);
    *repeat = (cni_repeat){0};
}

static uint64_t at(uint64_t op)
{
    return op % CNI_REPEAT_HISTORY;
}

/*
 * The best place of the last period but one, of which all is known: what crosses a place shows when it is used again. The
 * latest of equals.
 */
static uint64_t best_boundary(const cni_repeat *r)
{
    uint64_t begin = r->count - 2 * r->lag + 1, end = r->count - r->lag;
    begin = begin < r->gap ? r->gap : begin;
    uint64_t best = begin;
    int64_t crossing = 0, least = 0;
    for (uint64_t i = begin; i <= end; i++) {
        crossing += i == begin ? 0 : r->crossing[at(i)];
        if (crossing < least || (crossing == least && r->live[at(i)] <= r->live[at(best)])) {
            best = i;
            least = crossing;
        }
    }
    return best;
}

static void confirm(cni_repeat *r, uint64_t period_ops)
{
    r->period = (period_ops + r->lag - 1) / r->lag * r->lag;
    r->next_cut = best_boundary(r);
    while (r->next_cut <= r->count) {
        r->next_cut += r->lag;
    }
}

/* The last place of the current sequence, and the present one in its stead. 0: not seen. */
static uint64_t recall(cni_repeat *r)
{
    uint64_t key = cni_hash_mix(r->rolling, 0);
    uint64_t *entry = r->table + 2 * (key % CNI_REPEAT_TABLE);
    uint64_t last = entry[0] == r->rolling ? entry[1] : 0;
    entry[0] = r->rolling;
    entry[1] = r->count;
    return last;
}

/*
 * Takes up the op's hash, and what the table proposes. A lag holds until an op differs. A shorter one takes over (an inner
 * loop goes before the one around it) when it has held for two periods: stretches of an outer period may be alike.
 */
static void follow(cni_repeat *r, uint64_t hash, uint64_t nearest)
{
    bool same = r->lag != 0 && r->hashes[at(r->count - r->lag)] == hash;
    bool inner_same = r->inner != 0 && r->hashes[at(r->count - r->inner)] == hash;
    r->matches += same;
    r->inner_matches += inner_same;
    if (!inner_same || (nearest != 0 && nearest < r->inner)) {
        r->inner = same && nearest < r->lag ? nearest : 0;
        r->inner_matches = CNI_REPEAT_SEQUENCE;
    }
    if (!same) {
        r->period = 0;
        r->lag = r->inner != 0 ? r->inner : nearest;
        r->matches = r->inner != 0 ? r->inner_matches : CNI_REPEAT_SEQUENCE;
        r->inner = 0;
    } else if (r->inner != 0 && r->inner_matches >= 2 * r->inner) {
        r->period = 0;
        r->lag = r->inner;
        r->matches = r->inner_matches;
        r->inner = 0;
    }
}

void cni_repeat_resume(cni_repeat *r)
{
    r->gap = r->count;
}

void cni_repeat_append(cni_repeat *r, uint64_t hash, int64_t live, uint64_t period_ops)
{
    static uint64_t weight;
    if (weight == 0) {
        weight = oldest_weight();
    }
    if (r->count == r->next_cut) {
        r->next_cut += r->period;
    }
    uint64_t leaving = r->count >= CNI_REPEAT_SEQUENCE ? r->hashes[at(r->count - CNI_REPEAT_SEQUENCE)] : 0;
    r->live[at(r->count)] = live;
    r->rolling = r->rolling * BASE + hash - leaving * weight;
    uint64_t last = r->count >= CNI_REPEAT_SEQUENCE ? recall(r) : 0;
    follow(r, hash, last != 0 && r->count - last < CNI_REPEAT_HISTORY / 2 ? r->count - last : 0);
    r->hashes[at(r->count)] = hash;
    if (r->lag != 0 && r->period == 0 && r->matches >= r->lag && period_ops != 0) {
        confirm(r, period_ops);
    }
    r->count++;
    r->crossing[at(r->count)] = 0;
}
