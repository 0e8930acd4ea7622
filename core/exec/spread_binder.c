/* spread_binder.c - see spread_binder.h. */
#include "exec/spread_binder.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "exec/spread_device.h"
#include "plan/chain.h"

/* number: of those that are needed at once. */
static cni_window window_of_box(cni_binder *k, const cni_part *part, const cni_box *box, uint32_t number)
{
    return cni_window_of_box(k->w, part, box, k->geometry + number * k->w->all_geometry);
}

cn_status cni_bind_host(cni_binder *k, const cni_part *part, const cni_window *w, const cni_span *span, void **out)
{
    CN_TRY(cni_cpu_place.bind(part, w, k->s, span, out));
    int64_t scratch = cni_cpu_place.scratch(*out);
    k->b->scratch = scratch > k->b->scratch ? scratch : k->b->scratch;
    return CN_OK;
}

static void bound_on_device(cni_binder *k, const cni_place *place, const void *binding)
{
    int64_t scratch = place->scratch(binding);
    k->b->uses_device = true;
    k->b->device_scratch = scratch > k->b->device_scratch ? scratch : k->b->device_scratch;
}

cn_status cni_bind_alone(cni_binder *k, const cni_part *part, const cni_window *w, const cni_span *span,
                         cni_bound_share *bound)
{
    cn_status status = CN_ERROR_UNSUPPORTED;
    uint32_t taken;
    if (bound->place != &cni_cpu_place) {
        status = bound->place->bind_parts(&(cni_placed_part){part, w}, 1, k->s, span, &taken, &bound->binding);
    }
    if (status == CN_ERROR_UNSUPPORTED) {
        bound->place = &cni_cpu_place;
        k->b->uses_host = true;
        return cni_bind_host(k, part, w, span, &bound->binding);
    }
    CN_TRY(status);
    bound_on_device(k, bound->place, bound->binding);
    cni_share_touches(k->b, bound->local, bound->shared, part, w, span);
    return CN_OK;
}

cn_status cni_bind_range(cni_binder *k, const cni_share *share, cni_bound_share *bound)
{
    cn_status status = CN_ERROR_UNSUPPORTED;
    if (bound->place != &cni_cpu_place) {
        status = bound->place->bind_range(bound->shared->part, k->w, &bound->binding);
    }
    if (status == CN_ERROR_UNSUPPORTED) {
        bound->place = &cni_cpu_place;
        k->b->uses_host = true;
        return CN_OK;
    }
    CN_TRY(status);
    bound_on_device(k, bound->place, bound->binding);
    for (int i = 0; i < share->nboxes; i++) {
        cni_window local = window_of_box(k, bound->shared->part, &share->boxes[i], 0);
        cni_share_touches(k->b, bound->local, bound->shared, bound->shared->part, &local, NULL);
    }
    return CN_OK;
}

cn_status cni_bind_link(cni_binder *k, const cni_part *part, const cni_window *w, cni_bound_share *bound)
{
    const cni_place *device = bound->place;
    bound->place = &cni_cpu_place;
    CN_TRY(cni_bind_host(k, part, w, NULL, &bound->binding));
    if (device == &cni_cpu_place) {
        return CN_OK;
    }
    const cni_chain_rule *rule = &bound->shared->chain->chain.rule;
    cn_status status = CN_ERROR_UNSUPPORTED;
    if (!rule->mixed) {
        status = device->bind_rows(part, w, rule, &bound->rows);
    }
    if (status == CN_ERROR_UNSUPPORTED) {
        k->b->uses_host = true;
        return CN_OK;
    }
    CN_TRY(status);
    bound_on_device(k, device, bound->rows);
    cni_share_touches(k->b, bound->local, bound->shared, part, w, NULL);
    return CN_OK;
}

cn_status cni_bind_box(cni_binder *k, const cni_part *part, const cni_box *box, cni_bound_share *bound)
{
    if (bound->place == &cni_cpu_place || part->reduces) {
        cni_window local = window_of_box(k, part, box, 0);
        bool chain = bound->shared->kind == CNI_SHARE_CHAIN;
        return chain ? cni_bind_link(k, part, &local, bound) : cni_bind_alone(k, part, &local, NULL, bound);
    }
    if (!cni_grow((void **)&k->pending, &k->pending_capacity, k->npending + 1, sizeof *k->pending)) {
        return cni_fail_memory((int64_t)sizeof *k->pending);
    }
    k->pending[k->npending++] = (cni_pending_box){bound, *box};
    return CN_OK;
}

/* Those that can run when the first can, at the same place, from there on: how many. */
static uint32_t find_together(const cni_binder *k, size_t first, cni_pending_box **list)
{
    const cni_bound_share *like = k->pending[first].bound;
    uint32_t n = 0;
    for (size_t i = first; i < k->npending && n < CNI_PARTS_TOGETHER; i++) {
        const cni_bound_share *other = k->pending[i].bound;
        if (other != NULL && other->local == like->local && other->waits == like->waits) {
            list[n++] = &k->pending[i];
        }
    }
    return n;
}

static cn_status bind_some(cni_binder *k, size_t first)
{
    cni_pending_box *list[CNI_PARTS_TOGETHER];
    cni_placed_part parts[CNI_PARTS_TOGETHER];
    cni_window windows[CNI_PARTS_TOGETHER];
    uint32_t n = find_together(k, first, list), taken;
    cni_bound_share *leader = k->pending[first].bound;
    for (uint32_t i = 0; i < n; i++) {
        const cni_part *part = list[i]->bound->shared->part;
        windows[i] = window_of_box(k, part, &list[i]->box, i);
        parts[i] = (cni_placed_part){part, &windows[i]};
    }
    cn_status status = leader->place->bind_parts(parts, n, k->s, NULL, &taken, &leader->binding);
    if (status == CN_ERROR_UNSUPPORTED) {
        k->pending[first].bound = NULL;
        leader->place = &cni_cpu_place;
        return cni_bind_alone(k, parts[0].part, &windows[0], NULL, leader);
    }
    CN_TRY(status);
    bound_on_device(k, leader->place, leader->binding);
    for (uint32_t i = 0; i < taken; i++) {
        cni_bound_share *bound = list[i]->bound;
        cni_share_touches(k->b, bound->local, bound->shared, parts[i].part, &windows[i], NULL);
        bound->follows = i > 0;
        bound->next = i + 1 < taken ? list[i + 1]->bound : NULL;
        list[i]->bound = NULL;
    }
    return CN_OK;
}

cn_status cni_bind_pending(cni_binder *k)
{
    for (size_t i = 0; i < k->npending; i++) {
        CN_TRY(k->pending[i].bound != NULL ? bind_some(k, i) : CN_OK);
    }
    k->npending = 0;
    return CN_OK;
}
