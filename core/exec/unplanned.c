/* unplanned.c - see unplanned.h. */
#include "exec/unplanned.h"

#include "base/settings.h"
#include "base/stats.h"
#include "base/status.h"
#include "exec/explain.h"
#include "exec/place.h"
#include "exec/simulate.h"
#include "exec/world.h"

enum {
    MOST_OPS = 8,
    MOST_BASES = MOST_OPS * CNI_OP_ARGS,
    MOST_WORK = 4096,     /* elements of all ops: from there on fused loops win back what a plan costs */
    MOST_MOVED = 1 << 15, /* of an op alone that needs no runs: a plan would do the same */
    COPIED_BYTES = 65536
};

/* On the host, and what a device would not take either. */
static bool base_fits(const cni_base *base)
{
    const cni_buffer *b = base->buffer;
    bool device = base->nbytes >= cni_settings[CNI_SETTING_GPU_BYTES] && cni_settings[CNI_SETTING_GPU] != 0 &&
                  cni_device_place() != NULL;
    return !device && (b == NULL || (b->valid == CNI_ON_HOST && !b->shown && b->spread == NULL));
}

/* Storage that a copy holds too is copied before it is written: of what is small. */
static bool outputs_fit(const cni_window *w, const cni_op *op)
{
    for (int k = 0; k < op->nout; k++) {
        const cni_base *base = w->bases[w->views[op->args[k]].base];
        if (base->buffer != NULL && base->buffer->refs > 1 && base->nbytes > COPIED_BYTES) {
            return false;
        }
    }
    return true;
}

/* Is all that there is to do to move elements, of which no loop makes others? */
static bool moves_alone(const cni_window *w)
{
    const cni_op *op = &w->ops[0];
    bool copy = op->kind == CNI_COPY && (op->args[1] & CNI_SCALAR) == 0 &&
                w->views[op->args[0]].dtype == w->views[op->args[1]].dtype;
    return w->nops == 1 && (copy || op->kind == CNI_GATHER || op->kind == CNI_COMPRESS);
}

static bool sizes_fit(const cni_window *w)
{
    int64_t most = MOST_WORK / (int64_t)w->nops;
    most = moves_alone(w) ? MOST_MOVED : most < CNI_UNPLANNED_ELEMENTS ? most : CNI_UNPLANNED_ELEMENTS;
    for (size_t i = 0; i < w->nviews; i++) {
        if (w->views[i].size > most) {
            return false;
        }
    }
    return true;
}

bool cni_unplanned_wanted(const cni_window *w)
{
    if ((int64_t)w->nops > cni_settings[CNI_SETTING_UNPLANNED_OPS] || w->nops > MOST_OPS || w->ran ||
        cni_world_get()->places > 1 || cni_explaining() || cni_simulate_wanted() || !sizes_fit(w)) {
        return false;
    }
    for (size_t i = 0; i < w->nbases; i++) {
        if (!base_fits(w->bases[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < w->nops; i++) {
        if (!cni_cpu_place.takes_op(w, i) || !outputs_fit(w, &w->ops[i])) {
            return false;
        }
    }
    return true;
}

static bool mentions(const cni_window *w, uint32_t op, uint32_t base)
{
    const cni_op *o = &w->ops[op];
    for (int i = 0; i < o->nout + o->nin; i++) {
        if ((o->args[i] & CNI_SCALAR) == 0 && w->views[o->args[i]].base == base) {
            return true;
        }
    }
    return false;
}

/* Can anybody see what the op makes? */
static bool is_seen(const cni_window *w, uint32_t op)
{
    for (int k = 0; k < w->ops[op].nout; k++) {
        uint32_t number = w->views[w->ops[op].args[k]].base;
        const cni_base *base = w->bases[number];
        bool seen = base->arrays > 0 || base->windows > 1;
        for (uint32_t later = op + 1; later < w->nops && !seen; later++) {
            seen = mentions(w, later, number);
        }
        if (seen) {
            return true;
        }
    }
    return false;
}

/* Storage for every base that an op seen mentions, the results' own. */
static cn_status storage_take(const cni_window *w, const bool *seen)
{
    for (uint32_t i = 0; i < w->nops; i++) {
        const cni_op *op = &w->ops[i];
        for (int k = 0; seen[i] && k < op->nout + op->nin; k++) {
            if ((op->args[k] & CNI_SCALAR) == 0) {
                cni_base *base = w->bases[w->views[op->args[k]].base];
                CN_TRY(cni_base_materialise(base));
                CN_TRY(k < op->nout && base->buffer->refs > 1 ? cni_base_make_sole(base) : CN_OK);
            }
        }
    }
    return CN_OK;
}

static void count_bytes(const cni_window *w, const cni_op *op)
{
    for (int k = 0; k < op->nout + op->nin; k++) {
        if ((op->args[k] & CNI_SCALAR) == 0) {
            const cni_view *v = &w->views[op->args[k]];
            uint64_t bytes = (uint64_t)(v->size * cni_dtype_size((cn_dtype)v->dtype));
            *(k < op->nout ? &cni_stats.bytes_written : &cni_stats.bytes_read) += bytes;
        }
    }
}

cn_status cni_unplanned_run(cni_window *w)
{
    void *slots[MOST_BASES];
    bool seen[MOST_OPS];
    for (uint32_t i = 0; i < w->nops; i++) {
        seen[i] = is_seen(w, i);
    }
    CN_TRY(storage_take(w, seen));
    for (size_t i = 0; i < w->nbases; i++) {
        slots[i] = w->bases[i]->buffer != NULL ? w->bases[i]->buffer->data : NULL;
    }
    cni_run run = {.window = w, .slots = slots};
    for (uint32_t i = 0; i < w->nops; i++) {
        if (seen[i]) {
            cni_cpu_place.run_op(&run, i);
            cni_stats.launches++;
            count_bytes(w, &w->ops[i]);
        }
    }
    cni_stats.windows++;
    cni_stats.unplanned++;
    return CN_OK;
}
