/*
 * elsewhere.c - will a value be on the device when it has been computed? Work follows values and sizes (exec's binding.c), so
 * what is pending is guessed from what it is computed from.
 */
#include "base/settings.h"
#include "record/record.h"

enum { DEPTH = 6 }; /* pending ops that are looked through, one behind the other */

static bool base_elsewhere(const cni_base *base, int depth);

/* Is an operand of the op there, or large enough to be brought? */
static bool op_elsewhere(const cni_window *w, const cni_op *op, int depth)
{
    bool there = false;
    for (int k = op->nout; k < op->nout + op->nin && !there; k++) {
        if ((op->args[k] & CNI_SCALAR) == 0) {
            const cni_base *base = w->bases[cni_window_views(w)[op->args[k]].base];
            there = base->nbytes >= cni_settings[CNI_SETTING_GPU_BYTES] || base_elsewhere(base, depth - 1);
        }
    }
    return there;
}

static bool base_elsewhere(const cni_base *base, int depth)
{
    const cni_window *w = base->window;
    if (!base->pending_write || w == NULL || depth == 0) {
        return cni_buffer_away(base->buffer);
    }
    const cni_op *ops = cni_window_ops(w);
    for (size_t i = w->nops; i-- > 0;) {
        for (int k = 0; k < ops[i].nout; k++) {
            if (cni_window_views(w)[ops[i].args[k]].base == base->index) {
                return op_elsewhere(w, &ops[i], depth);
            }
        }
    }
    return false;
}

bool cni_array_elsewhere(const cn_array *array)
{
    bool device = cni_process_device != NULL && cni_settings[CNI_SETTING_GPU] != 0;
    return device && !cni_base_shared(array->base) && base_elsewhere(array->base, DEPTH);
}

bool cn_array_elsewhere(const cn_array *array)
{
    return cni_settings[CNI_SETTING_LAZY_SCALARS] != 0 && cni_array_elsewhere(array);
}
