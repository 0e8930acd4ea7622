/* imagined.c - see imagined.h. */
#include "exec/imagined.h"

#include "base/memory.h"
#include "base/status.h"

typedef struct imagined {
    cni_layout layout;
    bool used, whole;
} imagined;

static imagined *bases; /* by number - 1 */
static size_t nbases, bases_capacity;

static void forget(cni_base *base)
{
    bases[base->known - 1].used = false;
    base->known = 0;
}

static cn_status settle(void)
{
    return CN_OK;
}

static const cni_places places = {.forget = forget, .settle = settle};

static imagined *of_base(cni_base *base)
{
    size_t at = 0;
    if (base->known != 0) {
        return &bases[base->known - 1];
    }
    while (at < nbases && bases[at].used) {
        at++;
    }
    if (!cni_grow((void **)&bases, &bases_capacity, at + 1, sizeof *bases)) {
        return NULL;
    }
    nbases = at < nbases ? nbases : at + 1;
    bases[at] = (imagined){.used = true};
    base->known = at + 1;
    cni_process_places = &places;
    return &bases[at];
}

void cni_imagined_states(const cni_window *w, uint8_t *states, const cni_layout **layouts)
{
    for (size_t i = 0; i < w->nbases; i++) {
        cni_base *base = w->bases[i];
        if (base->known != 0 && (states[i] & CNI_BASE_SHARED) != 0) {
            forget(base);
        }
        if (base->known != 0) {
            const imagined *b = &bases[base->known - 1];
            states[i] |= (uint8_t)(CNI_BASE_SPREAD | (b->whole ? CNI_BASE_WHOLE : 0));
            layouts[i] = &b->layout;
        }
    }
}

cn_status cni_imagined_set(cni_base *base, const cni_slot_layout *slot, bool whole)
{
    if (!slot->spread) {
        if (base->known != 0) {
            forget(base);
        }
        return CN_OK;
    }
    imagined *b = of_base(base);
    if (b == NULL) {
        return cni_fail_memory((int64_t)sizeof *b);
    }
    b->layout = slot->layout;
    b->whole = whole;
    return CN_OK;
}
