/* at_once.c - see at_once.h. */
#include "record/at_once.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/settings.h"
#include "base/status.h"
#include "op/op.h"
#include "record/record.h"

static inline bool is_small(const cn_array *a)
{
    return a->size * cni_dtype_size((cn_dtype)a->dtype) <= cni_settings[CNI_SETTING_COPY_BYTES];
}

bool cni_is_at_hand(const cni_base *base)
{
    const cni_buffer *buffer = base->buffer;
    return buffer != NULL && !base->pending_write && buffer->valid == CNI_ON_HOST && !buffer->shown &&
           buffer->spread == NULL;
}

bool cn_array_at_hand(const cn_array *array, int64_t most_bytes, bool pending_too)
{
    const cni_base *base = array->base;
    const cni_buffer *buffer = base->buffer;
    pending_too = pending_too && cni_process_device == NULL; /* where it comes to be is not known */
    bool small = array->size * cni_dtype_size((cn_dtype)array->dtype) <= most_bytes &&
                 (base->nbytes <= most_bytes || (buffer != NULL && buffer->refs == 1));
    bool here = buffer != NULL && buffer->valid == CNI_ON_HOST && !buffer->shown && buffer->spread == NULL;
    return small && (here || (buffer == NULL && pending_too)) && (base->window == NULL || pending_too);
}

static inline char *memory(const cn_array *a)
{
    return (char *)a->base->buffer->data + a->offset;
}

/* Memory to be written: there already, or of a base that is all the array's and that nobody has mentioned. */
static bool can_be_written(const cn_array *a)
{
    const cni_base *base = a->base;
    if (base->window != NULL || base->known != 0) {
        return false;
    }
    if (base->buffer != NULL) {
        return base->buffer->refs == 1 && cni_is_at_hand(base);
    }
    return base->nbytes == a->size * cni_dtype_size((cn_dtype)a->dtype);
}

cn_status cni_copy_at_once(cn_array *to, const cn_array *from, bool *done)
{
    bool same = to->dtype == from->dtype,
         run = (to->c_contiguous && from->c_contiguous) || (to->f_contiguous && from->f_contiguous);
    bool fits = (same ? run || to->base != from->base : run) && is_small(from) && is_small(to) &&
                to->ndim == from->ndim && memcmp(to->dims, from->dims, (size_t)to->ndim * sizeof *to->dims) == 0;
    *done = fits && cni_is_at_hand(from->base) && can_be_written(to);
    if (!*done) {
        return CN_OK;
    }
    CN_TRY(cni_base_materialise(to->base));
    if (same && run) {
        memmove(memory(to), memory(from), (size_t)(to->size * cni_dtype_size((cn_dtype)to->dtype)));
    } else {
        *done = to->base != from->base && cni_elements_copy(to, memory(to), from, memory(from));
    }
    return CN_OK;
}

cn_status cni_fill_at_once(cn_array *to, const cn_scalar *value, bool *done)
{
    bool run = to->c_contiguous || to->f_contiguous;
    *done = run && is_small(to) && can_be_written(to);
    if (!*done) {
        return CN_OK;
    }
    CN_TRY(cni_base_materialise(to->base));
    char *bytes = memory(to);
    size_t size = (size_t)cni_dtype_size((cn_dtype)to->dtype), total = size * (size_t)to->size;
    static const char zero[16];
    if (memcmp(value->value.bytes, zero, size) == 0) {
        memset(bytes, 0, total);
        return CN_OK;
    }
    memcpy(bytes, value->value.bytes, total < size ? total : size);
    for (size_t filled = size; filled < total;) { /* what is there, behind it */
        size_t part = filled < total - filled ? filled : total - filled;
        memcpy(bytes + filled, bytes, part);
        filled += part;
    }
    return CN_OK;
}

cn_status cni_arange_at_once(cn_array *to, const cn_scalar *start, const cn_scalar *step, bool *done)
{
    bool plain = (to->dtype == CN_INT64 || to->dtype == CN_FLOAT64) && to->ndim == 1 && to->c_contiguous;
    *done = plain && is_small(to) && can_be_written(to);
    if (!*done) {
        return CN_OK;
    }
    CN_TRY(cni_base_materialise(to->base));
    if (to->dtype == CN_INT64) {
        int64_t *out = (int64_t *)(void *)memory(to);
        for (int64_t i = 0; i < to->size; i++) {
            out[i] = start->value.i64 + i * step->value.i64;
        }
    } else {
        double *out = (double *)(void *)memory(to);
        for (int64_t i = 0; i < to->size; i++) {
            out[i] = start->value.f64 + (double)i * step->value.f64;
        }
    }
    return CN_OK;
}

/* out[i] = in[numbers[i]]; false if an index is not in [0, extent). */
static bool pick_8(int64_t n, uint64_t *out, const uint64_t *in, const int64_t *numbers, uint64_t extent)
{
    for (int64_t i = 0; i < n; i++) {
        uint64_t k = (uint64_t)numbers[i];
        if (k >= extent) {
            return false;
        }
        out[i] = in[k];
    }
    return true;
}

static bool pick_4(int64_t n, uint32_t *out, const uint32_t *in, const int64_t *numbers, uint64_t extent)
{
    for (int64_t i = 0; i < n; i++) {
        uint64_t k = (uint64_t)numbers[i];
        if (k >= extent) {
            return false;
        }
        out[i] = in[k];
    }
    return true;
}

cn_status cni_gather_at_once(const cn_array *from, const cn_array *index, cn_array **out)
{
    int64_t size = cni_dtype_size((cn_dtype)from->dtype);
    bool plain = from->ndim == 1 && from->c_contiguous && (size == 8 || size == 4) && index->dtype == CN_INT64 &&
                 index->c_contiguous && is_small(index);
    cn_array *made;
    *out = NULL;
    if (!plain || !cni_is_at_hand(from->base) || !cni_is_at_hand(index->base)) {
        return CN_OK;
    }
    CN_TRY(cn_array_empty((cn_dtype)from->dtype, index->ndim, cni_shape(index), &made));
    cn_status status = cni_base_materialise(made->base);
    const int64_t *numbers = (const int64_t *)(const void *)memory(index);
    uint64_t extent = (uint64_t)from->size;
    bool picked = status == CN_OK &&
                  (size == 8 ? pick_8(made->size, (void *)memory(made), (const void *)memory(from), numbers, extent)
                             : pick_4(made->size, (void *)memory(made), (const void *)memory(from), numbers, extent));
    if (!picked) {
        cn_array_unref(made);
        return status;
    }
    *out = made;
    return CN_OK;
}

/* All in [-extent, extent)? */
static bool all_within(int64_t n, const int64_t *numbers, int64_t extent)
{
    bool within = true;
    for (int64_t i = 0; i < n; i++) {
        within &= numbers[i] >= -extent && numbers[i] < extent;
    }
    return within;
}

/* out[numbers[i]] = in[i * step], in their order. */
#define PUT(name, type)                                                                                                \
    static void name(int64_t n, type *out, const type *in, int64_t step, const int64_t *numbers, int64_t extent)       \
    {                                                                                                                  \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            out[numbers[i] < 0 ? numbers[i] + extent : numbers[i]] = in[i * step];                                     \
        }                                                                                                              \
    }
PUT(put_8, uint64_t)
PUT(put_4, uint32_t)
PUT(put_1, uint8_t)

/* Has the dtype the value, or one that is near, without an event? */
static bool takes_value(cn_dtype dtype, const cn_scalar *value)
{
    double size = value->dtype == CN_FLOAT64 ? fabs(value->value.f64) : -1;
    return value->dtype == dtype || (dtype == CN_FLOAT64 && value->dtype < CN_FLOAT16) ||
           (dtype == CN_FLOAT32 && (size == 0 || (size >= FLT_MIN && size <= FLT_MAX)));
}

/* The values as elements of the dtype: in an array of the index's shape, or one number, to *own; NULL: they are not. */
static const void *elements_of(const cn_operand *values, const cn_array *to, const cn_array *index, cn_scalar *own)
{
    const cn_array *array = values->array;
    cn_dtype dtype = (cn_dtype)to->dtype;
    if (array == NULL) {
        bool takes = takes_value(dtype, &values->scalar);
        return takes && cn_scalar_cast(&values->scalar, CN_STRONG, dtype, own) == CN_OK ? own->value.bytes : NULL;
    }
    bool alike = array->dtype == to->dtype && array->c_contiguous && array->ndim == index->ndim &&
                 memcmp(array->dims, index->dims, (size_t)index->ndim * sizeof *index->dims) == 0;
    return alike && array->base != to->base && cni_is_at_hand(array->base) ? memory(array) : NULL;
}

cn_status cni_scatter_at_once(cn_array *to, const cn_array *index, const cn_operand *values, bool *done)
{
    int64_t size = cni_dtype_size((cn_dtype)to->dtype), extent = to->size;
    bool plain = to->ndim == 1 && to->c_contiguous && (size == 8 || size == 4 || size == 1) &&
                 index->dtype == CN_INT64 && index->c_contiguous && is_small(index) && index->base != to->base;
    cn_scalar own;
    const void *from = NULL;
    *done = false;
    if (!plain || to->base->buffer == NULL || !can_be_written(to) || !cni_is_at_hand(index->base) ||
        (from = elements_of(values, to, index, &own)) == NULL) {
        return CN_OK;
    }
    const int64_t *numbers = (const int64_t *)(const void *)memory(index);
    int64_t n = index->size, step = values->array != NULL;
    *done = all_within(n, numbers, extent);
    if (!*done) {
        return CN_OK;
    }
    if (size == 8) {
        put_8(n, (void *)memory(to), from, step, numbers, extent);
    } else if (size == 4) {
        put_4(n, (void *)memory(to), from, step, numbers, extent);
    } else {
        put_1(n, (void *)memory(to), from, step, numbers, extent);
    }
    return CN_OK;
}

cn_status cni_compress_at_once(const cn_array *from, const cn_array *mask, cn_array **out)
{
    bool plain = from->c_contiguous && mask->c_contiguous && mask->dtype == CN_BOOL && mask->size == from->size &&
                 is_small(from);
    cn_array *made;
    *out = NULL;
    if (!plain || !cni_is_at_hand(from->base) || !cni_is_at_hand(mask->base)) {
        return CN_OK;
    }
    const uint8_t *truths = (const uint8_t *)memory(mask);
    int64_t count = cni_count_true(truths, mask->size);
    CN_TRY(cn_array_empty((cn_dtype)from->dtype, 1, &count, &made));
    cn_status status = cni_base_materialise(made->base);
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    cni_elements_of_true(cni_dtype_size((cn_dtype)from->dtype), count, truths, memory(from), memory(made));
    *out = made;
    return CN_OK;
}
