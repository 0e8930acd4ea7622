/*
 * run_storage.c - see binding.h: storage of a run, taken before its first launch, and handed to bases after its last. Slots
 * that have ended serve those that begin later.
 */
#include "base/status.h"
#include "exec/binding.h"

void cni_run_storage_release(const cni_plan *plan)
{
    cni_binding *b = plan->binding;
    cni_run_storage *s = &b->store;
    for (uint32_t i = 0; i < plan->nbegins; i++) {
        cni_buffer_unref(s->buffers[plan->begins[i]]);
        s->buffers[plan->begins[i]] = NULL;
    }
    for (uint32_t i = 0; i < s->nidle; i++) {
        cni_buffer_unref(s->idle[i]);
    }
    cni_storage_free(s->scratch[CNI_ON_HOST], b->scratch[CNI_ON_HOST]);
    if (s->scratch[CNI_ON_DEVICE] != NULL) {
        cni_process_device->free(s->scratch[CNI_ON_DEVICE], b->scratch[CNI_ON_DEVICE]);
    }
    s->scratch[CNI_ON_HOST] = s->scratch[CNI_ON_DEVICE] = NULL;
    s->nidle = 0;
}

static inline void slot_address(cni_run_storage *s, uint32_t slot)
{
    s->of[slot] = s->buffers[slot];
    s->addresses[CNI_ON_HOST][slot] = s->buffers[slot]->data;
    s->addresses[CNI_ON_DEVICE][slot] = s->buffers[slot]->device;
}

static cn_status slot_begin(cni_run_storage *s, uint32_t slot, int64_t nbytes, uint8_t places)
{
    for (uint32_t i = 0; i < s->nidle; i++) {
        cni_buffer *b = s->idle[i];
        bool has =
            ((places & CNI_ON_HOST) == 0 || b->data != NULL) && ((places & CNI_ON_DEVICE) == 0 || b->device != NULL);
        if (b->nbytes == nbytes && has) {
            s->buffers[slot] = b;
            s->idle[i] = s->idle[--s->nidle];
            slot_address(s, slot);
            return CN_OK;
        }
    }
    CN_TRY(cni_buffer_create_at(nbytes, places != 0 ? places : CNI_ON_HOST, &s->buffers[slot]));
    slot_address(s, slot);
    return CN_OK;
}

static void slot_end(cni_run_storage *s, uint32_t slot)
{
    s->idle[s->nidle++] = s->buffers[slot];
    s->buffers[slot] = NULL;
}

/*
 * Storage that a base has when the plan begins, and not when it ends, serves slots that begin after its last use. Not
 * where a launch can fail (moves), nor where the window may run again.
 */
static void entry_end(const cni_plan *plan, const cni_window *w, cni_run_storage *s, uint32_t slot)
{
    const cni_base *base = w->bases[plan->slots[slot].base];
    bool leaves = base->arrays == 0 && base->windows == 1;
    for (uint32_t i = 0; i < plan->ncommits; i++) {
        leaves |= plan->commits[i].base == plan->slots[slot].base;
    }
    bool alone = base->buffer->refs == 1 && base->buffer->spread == NULL && !cni_base_shared(base);
    if (leaves && alone && !s->moves && w->fading == NULL) {
        base->buffer->refs++;
        s->idle[s->nidle++] = base->buffer;
    }
}

static cn_status scratch_take(const cni_binding *b, cni_run_storage *s)
{
    int64_t host = b->scratch[CNI_ON_HOST], device = b->scratch[CNI_ON_DEVICE];
    if (host > 0 && (s->scratch[CNI_ON_HOST] = cni_storage_alloc(host)) == NULL) {
        return cni_fail_memory(host);
    }
    if (device > 0 && (s->scratch[CNI_ON_DEVICE] = cni_device_take(device)) == NULL) {
        return cni_fail_memory(device);
    }
    return CN_OK;
}

static cn_status entries_take(const cni_plan *plan, const cni_window *w, const cni_binding *b, cni_run_storage *s)
{
    for (uint32_t i = 0; i < plan->nslots; i++) {
        if (plan->slots[i].entry && (b->touched[i] & CNI_ON_DEVICE) != 0 &&
            w->bases[plan->slots[i].base]->buffer->device != NULL) {
            cni_buffer_used(w->bases[plan->slots[i].base]->buffer); /* stays there while room is made */
        }
    }
    for (uint32_t i = 0; i < plan->nslots; i++) {
        if (plan->slots[i].entry) {
            s->buffers[i] = w->bases[plan->slots[i].base]->buffer;
            CN_TRY(cni_buffer_reserve(s->buffers[i], b->touched[i]));
            s->moves |= s->buffers[i]->device != NULL;
            slot_address(s, i);
        }
    }
    return CN_OK;
}

cn_status cni_run_storage_take(const cni_plan *plan, const cni_window *w)
{
    cni_binding *b = plan->binding;
    cni_run_storage *s = &b->store;
    s->moves = b->uses_device;
    cni_device_turn();
    CN_TRY(entries_take(plan, w, b, s));
    CN_TRY(scratch_take(b, s));
    uint32_t begun = 0, ended = 0;
    for (uint32_t l = 0; begun < plan->nbegins; l++) {
        for (; begun < plan->nbegins && plan->slots[plan->begins[begun]].first == l; begun++) {
            uint32_t slot = plan->begins[begun];
            CN_TRY(slot_begin(s, slot, w->bases[plan->slots[slot].base]->nbytes, b->touched[slot]));
        }
        for (; ended < plan->nbegins && plan->slots[plan->ends[ended]].last == l; ended++) {
            slot_end(s, plan->ends[ended]);
        }
        for (uint32_t i = 0; i < plan->nslots && l + 1 < plan->nlaunches; i++) {
            if (plan->slots[i].entry && plan->slots[i].last == l) {
                entry_end(plan, w, s, i);
            }
        }
    }
    return CN_OK;
}

void cni_run_storage_commit(const cni_plan *plan, const cni_window *w, const cni_run_storage *s)
{
    for (uint32_t i = 0; i < plan->ncommits; i++) {
        s->buffers[plan->commits[i].slot]->refs++;
    }
    for (uint32_t i = 0; i < plan->ncommits; i++) {
        cni_base *base = w->bases[plan->commits[i].base];
        cni_buffer *old = base->buffer;
        base->buffer = s->buffers[plan->commits[i].slot];
        cni_buffer_unref(old);
    }
}
