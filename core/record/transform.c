/* transform.c - recording Fourier transforms along an axis. */
#include <string.h>

#include "base/status.h"
#include "op/op.h"
#include "record/record.h"

static bool is_single(cn_dtype dtype)
{
    return dtype == CN_FLOAT16 || dtype == CN_FLOAT32 || dtype == CN_COMPLEX64;
}

static bool is_complex(cn_dtype dtype)
{
    return dtype == CN_COMPLEX64 || dtype == CN_COMPLEX128;
}

/* The array in a dtype that transforms take, and no more of it along the axis than they need. New reference. */
static cn_status source_of(cn_array *array, int axis, int64_t needs, bool complex, cn_array **out)
{
    bool single = is_single((cn_dtype)array->dtype);
    cn_dtype dtype = complex ? (single ? CN_COMPLEX64 : CN_COMPLEX128) : (single ? CN_FLOAT32 : CN_FLOAT64);
    int64_t shape[CN_MAX_DIMS];
    cn_array *some;
    memcpy(shape, cni_shape(array), (size_t)array->ndim * sizeof *shape);
    shape[axis] = shape[axis] < needs ? shape[axis] : needs;
    CN_TRY(cn_array_view(array, (cn_dtype)array->dtype, array->offset, array->ndim, shape, cni_strides(array), true,
                         &some));
    if (some->dtype == dtype) {
        *out = some;
        return CN_OK;
    }
    cn_status status = cn_array_copy(some, dtype, false, out);
    cn_array_unref(some);
    return status;
}

static cn_status fill_zero(cn_array *array)
{
    cn_operand zero = {.scalar = {.dtype = CN_INT64}};
    return array->size > 0 ? cn_copy(array, &zero, CN_CAST_UNSAFE) : CN_OK;
}

/* The op from source to made, which share no memory. */
static cn_status record_to(cni_op op, cn_array *source, double scale, cn_array *made)
{
    cni_operand operands[3] = {
        {.array = made}, {.array = source}, {.scalar = {.dtype = CN_FLOAT64, .value = {.f64 = scale}}}};
    if (source->size == 0 || made->size == 0) {
        return fill_zero(made);
    }
    op.kind = CNI_FOURIER;
    op.nout = 1;
    op.nin = 2;
    return cni_record(&op, operands);
}

static cn_status transform_new(cni_op op, cn_array *in, int axis, int64_t needs, bool complex, cn_dtype dtype,
                               int64_t length, double scale, cn_array **result)
{
    int back[CN_MAX_DIMS];
    int64_t shape[CN_MAX_DIMS];
    cn_array *turned, *source, *made;
    CN_TRY(cni_array_turned(in, &axis, back, &turned));
    cn_status status = source_of(turned, axis, needs, complex, &source);
    cn_array_unref(turned);
    CN_TRY(status);
    memcpy(shape, cni_shape(source), (size_t)source->ndim * sizeof *shape);
    shape[axis] = length;
    op.parameter = (uint8_t)axis;
    status = cn_array_empty(dtype, source->ndim, shape, &made);
    if (status == CN_OK) {
        status = record_to(op, source, scale, made);
        if (status != CN_OK) {
            cn_array_unref(made);
        }
    }
    cn_array_unref(source);
    return status == CN_OK ? cni_array_turn_back(made, back, result) : status;
}

/* What NumPy calls the loop. */
static int loop_name(cn_transform_kind kind, bool backward, int64_t n)
{
    if (kind == CN_TRANSFORM_HALF) {
        return n % 2 == 0 ? CN_FP_IN_RFFT_EVEN : CN_FP_IN_RFFT_ODD;
    }
    return kind == CN_TRANSFORM_REAL ? CN_FP_IN_IRFFT : backward ? CN_FP_IN_IFFT : CN_FP_IN_FFT;
}

cn_status cn_transform(cn_array *in, int axis, int64_t n, cn_transform_kind kind, bool backward, double scale,
                       cn_array *out, cn_array **result)
{
    bool complex = is_complex((cn_dtype)in->dtype), single = is_single((cn_dtype)in->dtype);
    if (axis < 0 || axis >= in->ndim) {
        return cni_fail(CN_ERROR_AXIS, "axis %d is out of bounds for array of dimension %d", axis, in->ndim);
    }
    if (n < 1) {
        return cni_fail(CN_ERROR_VALUE, "Invalid number of FFT data points (%lld) specified.", (long long)n);
    }
    if (complex && kind == CN_TRANSFORM_HALF) {
        return cni_fail(CN_ERROR_TYPE, "the spectrum of complex numbers has no half that tells all");
    }
    bool from_half = kind == CN_TRANSFORM_REAL, to_half = kind == CN_TRANSFORM_HALF;
    cn_dtype dtype = from_half ? (single ? CN_FLOAT32 : CN_FLOAT64) : (single ? CN_COMPLEX64 : CN_COMPLEX128);
    int64_t needs = from_half ? n / 2 + 1 : n, length = to_half ? n / 2 + 1 : n;
    cni_op op = {.opcode = (uint16_t)-loop_name(kind, backward, n),
                 .parameter = (uint8_t)axis,
                 .flags = (uint8_t)((backward ? CNI_FLAG_BACKWARD : 0) | (to_half && n % 2 != 0 ? CNI_FLAG_ODD : 0) |
                                    (!complex && kind == CN_TRANSFORM_COMPLEX ? CNI_FLAG_WHOLE : 0))};
    if (out == NULL || out->base == in->base) {
        cn_array *made;
        CN_TRY(transform_new(op, in, axis, needs, complex || from_half, dtype, length, scale, &made));
        if (out == NULL) {
            *result = made;
            return CN_OK;
        }
        cn_operand source = {.array = made};
        cn_status status = cn_copy(out, &source, CN_CAST_NO);
        cn_array_unref(made);
        CN_TRY(status);
    } else {
        cn_array *source;
        CN_TRY(source_of(in, axis, needs, complex || from_half, &source));
        cn_status status = record_to(op, source, scale, out);
        cn_array_unref(source);
        CN_TRY(status);
    }
    *result = cn_array_ref(out);
    return CN_OK;
}
