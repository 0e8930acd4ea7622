/*
 * overlap.c - see overlap.h. Where rows of neighbours are needed, the inside of a share is computed while they travel:
 *
 *   before | h |  boundary  |     interior      |  boundary  | h |        h: halo, in a message
 */
#include "exec/overlap.h"

#include "base/settings.h"

static bool comes(const cni_stage *stage, uint32_t slot, int place)
{
    for (uint32_t i = 0; i < stage->nbefore; i++) {
        if (stage->before[i].to == place && stage->before[i].slot == slot) {
            return true;
        }
    }
    return false;
}

bool cni_overlap_waits(const cni_stage *stage, const cni_part *part, int place)
{
    bool waits = part->kind == CNI_PART_CARRY && comes(stage, part->source, place);
    waits |= (part->kind == CNI_PART_CARRY || part->kind == CNI_PART_FILL) && comes(stage, part->slot, place);
    for (uint32_t a = 0; a < part->naccess && !waits; a++) {
        waits = part->access[a].slot != CNI_NONE && comes(stage, part->access[a].slot, place);
    }
    return waits;
}

/* Makes the box less: of what comes, only elements that the place owns. False: nothing is left, or no box. */
static bool own_part(const cni_slot_layout *slot, const cni_geometry *view, int place, cni_box *box)
{
    cni_box own[CNI_CUT_BOXES];
    int64_t low = cni_layout_begin(&slot->layout, place), high = cni_layout_begin(&slot->layout, place + 1);
    if (!slot->spread || cni_geometry_cut(view, low, high, own) != 1) {
        return false;
    }
    for (int d = 0; d < view->ndim; d++) {
        box->start[d] = own[0].start[d] > box->start[d] ? own[0].start[d] : box->start[d];
        box->stop[d] = own[0].stop[d] < box->stop[d] ? own[0].stop[d] : box->stop[d];
        if (box->start[d] >= box->stop[d]) {
            return false;
        }
    }
    return true;
}

/* What is left of the outer box without the inner one, behind it. */
static int around(int ndim, const cni_box *outer, const cni_box *inner, cni_box *out)
{
    cni_box rest = *outer;
    int n = 0;
    for (int d = 0; d < ndim; d++) {
        if (inner->start[d] > rest.start[d]) {
            out[n] = rest;
            out[n++].stop[d] = inner->start[d];
        }
        if (inner->stop[d] < rest.stop[d]) {
            out[n] = rest;
            out[n++].start[d] = inner->stop[d];
        }
        rest.start[d] = inner->start[d];
        rest.stop[d] = inner->stop[d];
    }
    return n;
}

int cni_overlap_split(const cni_partition *partition, const cni_stage *stage, const cni_part *part, const cni_window *w,
                      int place, const cni_box *box, cni_box *out)
{
    int64_t least = cni_settings[CNI_SETTING_OVERLAP], count = 1;
    int ndim = w->shapes[part->shape].ndim;
    out[0] = *box;
    if (least == 0 || part->kind != CNI_PART_GROUP || part->reduces || !cni_overlap_waits(stage, part, place)) {
        return 1;
    }
    for (uint32_t a = 0; a < part->naccess; a++) {
        uint32_t slot = part->access[a].slot;
        cni_geometry view = cni_window_geometry(w, part->access[a].view);
        if (comes(stage, slot, place) && !own_part(&partition->slots[slot], &view, place, &out[0])) {
            out[0] = *box;
            return 1;
        }
    }
    for (int d = 0; d < ndim; d++) {
        count *= out[0].stop[d] - out[0].start[d];
    }
    if (count < least) {
        out[0] = *box;
        return 1;
    }
    return 1 + around(ndim, box, &out[0], out + 1);
}
