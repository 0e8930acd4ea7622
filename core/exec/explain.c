/* explain.c - see explain.h. */
#include "exec/explain.h"

#include <stdio.h>
#include <string.h>

#include "base/debug.h"
#include "base/memory.h"
#include "base/stats.h"
#include "base/status.h"
#include "base/text.h"
#include "op/op.h"

static bool collecting;
static cni_text collected;
static void (*site_printer)(uint32_t site, char *text, size_t size);

void cn_set_site_printer(void (*print)(uint32_t site, char *text, size_t size))
{
    site_printer = print;
}

void cni_site_text(uint32_t site, char *text, size_t size)
{
    text[0] = '\0';
    if (site_printer != NULL && site != 0) {
        site_printer(site, text, size);
    }
}

void cn_explain_start(void)
{
    collecting = true;
    collected.length = 0;
    collected.lost = false;
}

cn_status cn_explain(char **text)
{
    if (text == NULL) {
        collecting = false;
        return CN_OK;
    }
    char *copy = cni_alloc(collected.length + 1);
    if (copy == NULL) {
        return cni_fail_memory((int64_t)collected.length);
    }
    if (collected.length > 0) {
        memcpy(copy, collected.data, collected.length);
    }
    copy[collected.length] = '\0';
    *text = copy;
    return CN_OK;
}

bool cni_explaining(void)
{
    return collecting;
}

/* ---- Bytes ---- */

/* Elements that the view names, counting a repeated one once. */
static int64_t view_bytes(const cni_window *w, uint32_t view)
{
    cni_geometry g = cni_window_geometry(w, view);
    int64_t count = g.itemsize;
    for (int d = 0; d < g.ndim; d++) {
        count *= g.strides[d] == 0 && g.shape[d] > 1 ? 1 : g.shape[d];
    }
    return count;
}

/* What the accesses of one slot move together: at most the slot. 0 but for the first of them. */
static int64_t slot_bytes(const cni_launch *launch, const cni_plan *plan, const cni_window *w, const cni_access *first)
{
    int64_t sum = 0;
    bool met = false;
    for (uint32_t k = 0; k < launch->nparts; k++) {
        const cni_part *part = &launch->parts[k];
        for (const cni_access *a = part->access; a < part->access + part->naccess; a++) {
            if (a->slot != first->slot || a->written != first->written) {
                continue;
            }
            if (!met && a != first) {
                return 0;
            }
            met = true;
            sum += view_bytes(w, a->view);
        }
    }
    int64_t all = w->bases[plan->slots[first->slot].base]->nbytes;
    return sum < all ? sum : all;
}

static int64_t carry_bytes(const cni_part *part, const cni_window *w, const cni_skeleton *s)
{
    const cni_base *base = w->bases[part->base];
    const int64_t *numbers = w->geometry + s->homes[part->base];
    cni_geometry home = {base->home_ndim, base->home_itemsize, 0, numbers, numbers + base->home_ndim};
    cni_geometry views[64];
    cni_box boxes[CNI_COVER_BOXES];
    int nboxes, n = part->nlist < 64 ? (int)part->nlist : 64;
    for (int i = 0; i < n; i++) {
        views[i] = cni_window_geometry(w, part->list[i]);
    }
    cni_geometry_uncovered(&home, n, views, &nboxes, boxes);
    int64_t bytes = nboxes < 0 ? base->nbytes : 0;
    for (int i = 0; i < nboxes; i++) {
        int64_t size = base->home_itemsize;
        for (int d = 0; d < home.ndim; d++) {
            size *= boxes[i].stop[d] - boxes[i].start[d];
        }
        bytes += size;
    }
    return bytes;
}

void cni_launch_bytes(const cni_launch *launch, const cni_plan *plan, const cni_window *w, const cni_skeleton *s,
                      uint64_t *read, uint64_t *written)
{
    for (uint32_t k = 0; k < launch->nparts; k++) {
        const cni_part *part = &launch->parts[k];
        for (uint32_t a = 0; a < part->naccess; a++) {
            if (part->access[a].slot != CNI_NONE) {
                *(part->access[a].written ? written : read) += (uint64_t)slot_bytes(launch, plan, w, &part->access[a]);
            }
        }
        if (part->kind == CNI_PART_CARRY || part->kind == CNI_PART_FILL) {
            uint64_t bytes = (uint64_t)carry_bytes(part, w, s);
            *written += bytes;
            *read += part->kind == CNI_PART_CARRY ? bytes : 0;
        }
    }
}

/* ---- Text ---- */

static void add_plan(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, cni_text *text)
{
    uint64_t read = 0, written = 0;
    for (uint32_t l = 0; l < plan->nlaunches; l++) {
        cni_launch_bytes(&plan->launches[l], plan, w, s, &read, &written);
    }
    cni_plan_print(plan, w, s, text);
    if (site_printer != NULL && w->nops > 0) {
        char first[128], last[128];
        site_printer(w->ops[0].site, first, sizeof first);
        site_printer(w->ops[w->nops - 1].site, last, sizeof last);
        cni_text_add(text, "  from %s to %s\n", first, last);
    }
    cni_text_add(text, "  reads %llu bytes, writes %llu", (unsigned long long)read, (unsigned long long)written);
}

void cni_explain_add(const cni_plan *plan, const cni_window *w, const cni_skeleton *s)
{
    if (collecting) {
        add_plan(plan, w, s, &collected);
        cni_text_add(&collected, "\n");
    }
}

void cni_explain_turns(uint64_t boxes, uint64_t up, uint64_t down)
{
    if (collecting && boxes > 0) {
        cni_text_add(&collected, "  on the device in %llu boxes, one after the other: %llu bytes up, %llu down\n",
                     (unsigned long long)boxes, (unsigned long long)up, (unsigned long long)down);
    }
}

void cni_explain_add_spread(const cni_plan *plan, const cni_window *w, const cni_skeleton *s,
                            const cni_partition *partition, const cni_explained_messages *messages)
{
    if (!collecting) {
        return;
    }
    cni_explain_add(plan, w, s);
    cni_partition_print(partition, &collected);
    cni_text_add(&collected, "\n  messages: %llu of %llu bytes through hosts, %llu of %llu bytes from GPU to GPU\n",
                 (unsigned long long)(messages->count - messages->direct),
                 (unsigned long long)(messages->bytes - messages->direct_bytes), (unsigned long long)messages->direct,
                 (unsigned long long)messages->direct_bytes);
}

static void tell(cni_text *text)
{
    if (text->data != NULL) {
        cni_debug(CNI_DEBUG_PLAN, "%s", text->data);
    }
    cni_text_free(text);
}

void cni_explain_planned(const cni_plan *plan, const cni_window *w, const cni_skeleton *s)
{
    if (cni_debug_on(CNI_DEBUG_PLAN)) {
        cni_text text = {0};
        add_plan(plan, w, s, &text);
        tell(&text);
    }
}

void cni_explain_partition(const cni_partition *partition)
{
    if (cni_debug_on(CNI_DEBUG_PLAN)) {
        cni_text text = {0};
        cni_partition_print(partition, &text);
        tell(&text);
    }
}

cn_status cni_fail_naming(const cni_window *w)
{
    enum { NAMED = 3 };
    char said[128], site[160], shapes[NAMED][64];
    const cni_base *most[NAMED] = {NULL};
    snprintf(said, sizeof said, "%s", cn_error_message());
    for (size_t i = 0; i < w->nbases; i++) {
        const cni_base *base = w->bases[i];
        for (int k = 0; k < NAMED && base != NULL; k++) {
            if (most[k] == NULL || base->nbytes > most[k]->nbytes) {
                const cni_base *less = most[k];
                most[k] = base;
                base = less;
            }
        }
    }
    for (int k = 0; k < NAMED; k++) {
        shapes[k][0] = '\0';
        if (most[k] != NULL) {
            char shape[40];
            cni_shape_text(most[k]->home_ndim, most[k]->home, shape, sizeof shape);
            snprintf(shapes[k], sizeof shapes[k], "%s %s, %lld bytes", k > 0 ? ";" : "", shape,
                     (long long)most[k]->nbytes);
        }
    }
    cni_site_text(w->nops > 0 ? w->ops[w->nops - 1].site : 0, site, sizeof site);
    return cni_fail(CN_ERROR_MEMORY, "%s%s%s (the largest arrays:%s%s%s)", said,
                    site[0] != '\0' ? " in calls up to " : "", site, shapes[0], shapes[1], shapes[2]);
}
