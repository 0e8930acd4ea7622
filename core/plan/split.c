/*
 * split.c - a group that stores what different places own becomes several: each place stores its own, and nothing has to
 * be sent to an owner afterwards. (Rows at both ends of an array, written in one group, lie at the first and last place.)
 */
#include <string.h>

#include "plan/cuts.h"

/* Do places own the elements of both stores alike? */
static bool same_owners(const cni_partitioning *p, const cni_access *a, const cni_access *b)
{
    cni_geometry u = cni_window_geometry(p->w, a->view), v = cni_window_geometry(p->w, b->view);
    const cni_slot_layout *x = &p->slots[a->slot], *y = &p->slots[b->slot];
    return x->spread == y->spread && cni_cuts_alike(&x->layout, &u, &y->layout, &v);
}

/* The stores' numbers of their sets; stores that places own alike are one set. Returns how many. */
static uint32_t sets_of_stores(const cni_partitioning *p, const cni_part *part, uint32_t *set)
{
    uint32_t nsets = 0, firsts[CNI_SPLIT_MOST];
    for (uint32_t i = 0; i < part->ninstr; i++) {
        if (part->instr[i].kind != CNI_INSTR_STORE) {
            continue;
        }
        const cni_access *store = &part->access[part->instr[i].access];
        uint32_t k = 0;
        while (k < nsets && !same_owners(p, &part->access[part->instr[firsts[k]].access], store)) {
            k++;
        }
        if (k == CNI_SPLIT_MOST) {
            return 1;
        }
        if (k == nsets) {
            firsts[nsets++] = i;
        }
        set[i] = k;
    }
    return nsets;
}

/* Would a part of one set read what another writes? */
static bool reads_a_store(const cni_part *part)
{
    for (uint32_t a = 0; a < part->naccess; a++) {
        for (uint32_t b = 0; b < part->naccess; b++) {
            if (!part->access[a].written && part->access[b].written && part->access[a].slot == part->access[b].slot &&
                part->access[a].view == part->access[b].view) {
                return true;
            }
        }
    }
    return false;
}

/* The part with the stores of one set, and what they need. False without memory. */
static bool part_of_set(cni_partitioning *p, const cni_part *part, const uint32_t *set, uint32_t k, cni_part *out)
{
    bool *wanted = cni_arena_alloc(p->arena, part->nregister + 1);
    bool *kept = cni_arena_alloc(p->arena, part->ninstr + 1);
    cni_instr *instr = cni_arena_alloc(p->arena, (part->ninstr + 1) * sizeof *instr);
    cni_access *access = cni_arena_alloc(p->arena, (part->naccess + 1) * sizeof *access);
    uint32_t *number = cni_arena_alloc(p->arena, (part->naccess + 1) * sizeof *number);
    if (wanted == NULL || kept == NULL || instr == NULL || access == NULL || number == NULL) {
        return false;
    }
    for (uint32_t i = part->ninstr; i-- > 0;) {
        const cni_instr *x = &part->instr[i];
        kept[i] = x->kind == CNI_INSTR_STORE && set[i] == k;
        for (int d = 0; d < x->ndst; d++) {
            kept[i] |= wanted[x->dst[d]];
        }
        for (int s = 0; s < x->nsrc && kept[i]; s++) {
            wanted[x->src[s]] = true;
        }
    }
    *out = *part;
    out->access = access;
    out->instr = instr;
    out->naccess = out->ninstr = 0;
    memset(number, 0xFF, part->naccess * sizeof *number);
    for (uint32_t i = 0; i < part->ninstr; i++) {
        cni_instr x = part->instr[i];
        if (!kept[i]) {
            continue;
        }
        if (x.kind == CNI_INSTR_LOAD || x.kind == CNI_INSTR_STORE) {
            if (number[x.access] == CNI_NONE) {
                number[x.access] = out->naccess;
                access[out->naccess++] = part->access[x.access];
            }
            x.access = number[x.access];
        }
        instr[out->ninstr++] = x;
    }
    return true;
}

bool cni_part_split(cni_partitioning *p, const cni_part *part, uint32_t *nparts, cni_part *parts)
{
    uint32_t *set = cni_arena_alloc(p->arena, (part->ninstr + 1) * sizeof *set);
    if (set == NULL) {
        return false;
    }
    *nparts = part->kind == CNI_PART_GROUP && !part->reduces ? sets_of_stores(p, part, set) : 1;
    if (*nparts < 2 || reads_a_store(part)) {
        *nparts = 1;
        parts[0] = *part;
        return true;
    }
    for (uint32_t k = 0; k < *nparts; k++) {
        if (!part_of_set(p, part, set, k, &parts[k])) {
            return false;
        }
    }
    return true;
}
