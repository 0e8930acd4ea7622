/*
 * device_call.c - see device_call.h: brings the arrays of a call to the device and has its place run it.
 */
#include "base/settings.h"
#include "base/stats.h"
#include "base/status.h"
#include "exec/place.h"
#include "exec/world.h"
#include "record/window.h"

/* More than one matrix, and too little work in each for a device that does them one after the other? */
static bool small_matrices(const cni_place *place, const cn_array *a, bool together)
{
    int64_t least = cni_settings[CNI_SETTING_GPU_MATRIX];
    if (a->ndim < 3) {
        return false;
    }
    int64_t rows = cni_shape(a)[a->ndim - 2], columns = cni_shape(a)[a->ndim - 1];
    bool large = rows >= least && columns >= least;
    together = together && place->together != NULL;
    return rows * columns < a->size && !large &&
           !(together && place->together(rows, columns, cni_dtype_size(a->dtype)));
}

cn_status cn_array_for_device(cn_array *array, cn_matrices matrices, bool *out)
{
    const cni_base *base = array->base;
    const cni_place *place = cni_settings[CNI_SETTING_GPU] != 0 ? cni_device_place() : NULL;
    *out = false;
    bool spread = cni_world_get()->places > 1 && base->nbytes >= cni_settings[CNI_SETTING_SPREAD_BYTES];
    if (place == NULL || place->call == NULL ||
        (matrices != CN_NO_MATRICES ? small_matrices(place, array, matrices == CN_MATRICES_TOGETHER) : spread) ||
        (cni_base_shared(base) && !cn_array_device_shared(array))) {
        return CN_OK;
    }
    if (base->nbytes < cni_settings[CNI_SETTING_GPU_BYTES]) {
        CN_TRY(cni_base_compute(base)); /* small: where its values come to be decides */
    }
    *out = base->nbytes >= cni_settings[CNI_SETTING_GPU_BYTES] ||
           (cni_buffer_away(base->buffer) && (base->buffer->valid & CNI_ON_DEVICE) != 0);
    return CN_OK;
}

static cn_status to_device(cn_array *array, bool written)
{
    cni_base *base = array->base;
    bool whole = array->size * cni_dtype_size(array->dtype) == base->nbytes;
    bool shared = cni_base_shared(base) && (written || !cn_array_device_shared(array));
    if (!array->c_contiguous || (written && !whole) || shared) {
        return CN_ERROR_UNSUPPORTED;
    }
    CN_TRY(cni_base_flush(base));
    if (base->buffer == NULL) {
        CN_TRY(cni_buffer_create_at(base->nbytes, CNI_ON_DEVICE, &base->buffer));
        base->buffer->valid = CNI_ON_DEVICE;
        return CN_OK;
    }
    if ((base->buffer->valid & CNI_ON_PLACES) != 0) { /* the places forget it: the device's copy is the root's */
        CN_TRY(cni_buffer_to_host(base->buffer, true));
    }
    CN_TRY(cni_buffer_refresh(base->buffer));
    CN_TRY(cni_buffer_reserve(base->buffer, CNI_ON_DEVICE));
    CN_TRY(cni_buffer_bring(base->buffer, CNI_ON_DEVICE));
    return written ? cni_base_sole_on_device(base) : CN_OK;
}

/* written: bits of the arrays that the call changes. */
static cn_status bring_all(cni_device_call *call, cn_array *const *arrays, unsigned written)
{
    cni_device_turn();
    for (int i = 0; i < call->narrays; i++) {
        CN_TRY(to_device(arrays[i], (written >> i & 1) != 0));
    }
    for (int i = 0; i < call->narrays; i++) {
        const cn_array *a = arrays[i];
        call->arrays[i] =
            (cni_call_array){(char *)a->base->buffer->device + a->offset, (cn_dtype)a->dtype, a->ndim, cni_shape(a)};
    }
    return CN_OK;
}

/* A device without room for it is no device for it. */
static cn_status run(cni_device_call *call, cn_array *const *arrays, unsigned written)
{
    const cni_place *place = cni_settings[CNI_SETTING_GPU] != 0 ? cni_device_place() : NULL;
    if (place == NULL || place->call == NULL) {
        return CN_ERROR_UNSUPPORTED;
    }
    cn_status status = bring_all(call, arrays, written);
    if (status == CN_OK) {
        status = place->call(call);
        for (int i = 0; i < call->narrays; i++) {
            if ((written >> i & 1) != 0) {
                arrays[i]->base->buffer->valid = CNI_ON_DEVICE;
            }
        }
        cni_stats.device_calls += status == CN_OK;
    }
    return status == CN_ERROR_MEMORY ? CN_ERROR_UNSUPPORTED : status;
}

cn_status cn_factorize(cn_factor factor, int option, int narrays, cn_array *const *arrays, int64_t *info)
{
    /* LU_SOLVE reads the factors and pivots, QR_Q the scales of its reflectors */
    static const unsigned written[CN_FACTOR_COUNT] = {
        [CN_FACTOR_LU] = 3,   [CN_FACTOR_LU_SOLVE] = 4, [CN_FACTOR_CHOLESKY] = 1, [CN_FACTOR_QR] = 3,
        [CN_FACTOR_QR_Q] = 1, [CN_FACTOR_SVD] = 15,     [CN_FACTOR_EIGH] = 3};
    if (narrays < 1 || narrays > CNI_CALL_ARRAYS) {
        return cni_fail(CN_ERROR_VALUE, "a factorisation has 1 to %d arrays", CNI_CALL_ARRAYS);
    }
    cni_device_call call = {.kind = CNI_CALL_FACTOR, .factor = factor, .option = option, .narrays = narrays};
    CN_TRY(run(&call, arrays, written[factor]));
    *info = call.info;
    return CN_OK;
}

cn_status cn_fourier(cn_array *in, cn_array *out, int axis, int naxes, bool inverse)
{
    cn_array *const arrays[] = {in, out};
    bool real = out->dtype == CN_FLOAT32 || out->dtype == CN_FLOAT64;
    if (in->ndim != out->ndim || axis < 0 || naxes < 1 || naxes > 3 || axis + naxes > in->ndim) {
        return cni_fail(CN_ERROR_VALUE, "no such axes");
    }
    cni_device_call call = {.kind = CNI_CALL_FOURIER, .axis = axis, .naxes = naxes, .inverse = inverse, .narrays = 2};
    return run(&call, arrays, real ? 3 : 2);
}
