/*
 * shared.c - memory that others know: wrapped (theirs), exported (ours, shown), and the reads and writes of single
 * elements on the host.
 */
#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "base/status.h"
#include "record/record.h"

/* ---- Wrapped blocks: one base a block ---- */

enum { BUCKETS = 1024 };

typedef struct wrapped_block {
    struct wrapped_block *next;
    cni_base *base;
    void *block;
    void (*release)(void *owner);
    void *owner;
} wrapped_block;

static wrapped_block *buckets[BUCKETS];

static wrapped_block **bucket_of(const void *block)
{
    return &buckets[((uintptr_t)block >> 6) % BUCKETS];
}

static wrapped_block *wrapped_find(const void *block, int64_t nbytes)
{
    for (wrapped_block *w = *bucket_of(block); w != NULL; w = w->next) {
        if (w->block == block && w->base->nbytes == nbytes) {
            return w;
        }
    }
    return NULL;
}

static void wrapped_release(void *owner)
{
    wrapped_block *w = owner;
    wrapped_block **link = bucket_of(w->block);
    while (*link != w) {
        link = &(*link)->next;
    }
    *link = w->next;
    if (w->release != NULL) {
        w->release(w->owner);
    }
    cni_free(w);
}

/* The base whose memory is the block: bytes at home, so that views of any dtype are judged by their ranges. */
static cn_status wrapped_create(uint8_t place, void *block, int64_t nbytes, int ndim, const int64_t *shape,
                                cn_dtype dtype, wrapped_block **out)
{
    wrapped_block *w = cni_alloc(sizeof *w);
    cni_buffer *buffer = cni_alloc(sizeof *buffer);
    cn_array *first = NULL;
    bool whole = cni_element_count(ndim, shape) * cni_dtype_size(dtype) == nbytes;
    cn_status status = w != NULL && buffer != NULL ? CN_OK : cni_fail_memory((int64_t)sizeof *w);
    if (status == CN_OK) {
        status = whole ? cn_array_empty(dtype, ndim, shape, &first) : cn_array_empty(CN_UINT8, 1, &nbytes, &first);
    }
    if (status != CN_OK) {
        cni_free(w);
        cni_free(buffer);
        return status;
    }
    cni_base *base = first->base;
    *buffer = (cni_buffer){.nbytes = nbytes, .refs = 1, .foreign = place, .valid = place};
    if (place == CNI_ON_DEVICE) {
        buffer->device = block;
        buffer->shown = true;
    } else {
        buffer->data = block;
    }
    *w = (wrapped_block){.next = *bucket_of(block), .base = base, .block = block};
    *bucket_of(block) = w;
    base->buffer = buffer;
    base->wrapped = true;
    base->release = wrapped_release;
    base->owner = w;
    base->windows++; /* held until the caller's view is there */
    cn_array_unref(first);
    base->windows--;
    *out = w;
    return CN_OK;
}

static cn_status wrap(uint8_t place, void *block, int64_t nbytes, bool writeable, void (*release)(void *owner),
                      void *owner, void *data, cn_dtype dtype, int ndim, const int64_t *shape, const int64_t *strides,
                      cn_array **out)
{
    wrapped_block *w = wrapped_find(block, nbytes);
    bool known = w != NULL;
    if (!known) {
        CN_TRY(wrapped_create(place, block, nbytes, ndim, shape, dtype, &w));
    }
    int64_t offset = (char *)data - (char *)block;
    cn_status status = cni_array_make(w->base, dtype, offset, ndim, shape, strides, writeable, out);
    if (status != CN_OK) {
        cni_base_drop(w->base);
    } else if (!known) {
        w->release = release;
        w->owner = owner;
    } else if (release != NULL) {
        release(owner); /* the block is held already */
    }
    return status;
}

cn_status cn_array_wrap(void *block, int64_t nbytes, bool writeable, void (*release)(void *owner), void *owner,
                        void *data, cn_dtype dtype, int ndim, const int64_t *shape, const int64_t *strides,
                        cn_array **out)
{
    return wrap(CNI_ON_HOST, block, nbytes, writeable, release, owner, data, dtype, ndim, shape, strides, out);
}

cn_status cn_array_wrap_device(void *block, int64_t nbytes, bool writeable, void (*release)(void *owner), void *owner,
                               void *data, cn_dtype dtype, int ndim, const int64_t *shape, const int64_t *strides,
                               cn_array **out)
{
    if (cni_process_device == NULL) {
        return cni_fail(CN_ERROR_UNSUPPORTED, "there is no GPU");
    }
    return wrap(CNI_ON_DEVICE, block, nbytes, writeable, release, owner, data, dtype, ndim, shape, strides, out);
}

/* ---- Exports ---- */

static bool shown(const cni_base *base)
{
    return base->buffer != NULL && base->buffer->shown;
}

bool cn_array_device_shared(const cn_array *array)
{
    return shown(array->base);
}

cn_status cn_array_export(cn_array *array, void **data)
{
    cni_base *base = array->base;
    CN_TRY(cni_base_flush(base));
    if (shown(base)) {
        return cni_fail(CN_ERROR_VALUE, "the array's memory is the GPU's, and known to another library");
    }
    CN_TRY(cni_base_make_sole(base));
    CN_TRY(cni_places_settle());
    base->exports++;
    base->arrays++;
    cni_stats.exports++;
    *data = (char *)base->buffer->data + array->offset;
    return CN_OK;
}

cn_status cn_array_on_device(const cn_array *array, bool *out)
{
    const cni_base *base = array->base;
    *out = false;
    if (cni_process_device == NULL || (cni_base_shared(base) && !shown(base))) {
        return CN_OK;
    }
    CN_TRY(cni_base_compute(base));
    *out = base->buffer != NULL && (base->buffer->valid & CNI_ON_DEVICE) != 0;
    return CN_OK;
}

cn_status cn_array_export_device(cn_array *array, void **data, int *number)
{
    cni_base *base = array->base;
    bool there;
    CN_TRY(cn_array_on_device(array, &there));
    if (!there) {
        return cni_fail(CN_ERROR_UNSUPPORTED, "the array's values are not on the GPU");
    }
    CN_TRY(cni_base_flush(base));
    cni_device_turn();
    CN_TRY(cni_base_sole_on_device(base));
    base->buffer->shown = true;
    CN_TRY(cni_buffer_settle(base->buffer));
    base->exports++;
    base->arrays++;
    cni_stats.exports++;
    *data = (char *)base->buffer->device + array->offset;
    *number = cni_process_device->number();
    return CN_OK;
}

void cn_array_unexport(cn_array *array)
{
    cni_base *base = array->base;
    if (--base->exports == 0 && !base->wrapped && shown(base)) {
        cni_buffer_refresh(base->buffer); /* a failing device is told of when a value is read */
        base->buffer->shown = false;
    }
    if (--base->arrays == 0) {
        cni_base_drop(base);
    }
}

/* ---- Host reads ---- */

/* Runs what is pending on the base; it has a buffer, of zeros if it was never written. */
static cn_status settle(cni_base *base)
{
    cni_stats.reads++;
    if (base->window != NULL) {
        CN_TRY(cni_base_compute(base));
    }
    if (base->buffer == NULL) {
        CN_TRY(cni_base_materialise(base));
        memset(base->buffer->data, 0, (size_t)base->nbytes);
    }
    return cni_buffer_refresh(base->buffer);
}

cn_status cni_base_ready(cni_base *base)
{
    CN_TRY(settle(base));
    CN_TRY(cni_buffer_to_host(base->buffer, false));
    return cni_places_settle();
}

cn_status cn_array_item(const cn_array *array, int64_t offset, cn_scalar *out)
{
    CN_TRY(settle(array->base));
    out->dtype = (cn_dtype)array->dtype;
    CN_TRY(
        cni_buffer_peek(array->base->buffer, offset, out->value.bytes, (int64_t)cn_dtype_size((cn_dtype)array->dtype)));
    return cni_places_settle();
}

static void read_strided(int ndim, const int64_t *shape, const int64_t *strides, size_t itemsize, const char *from,
                         char **to)
{
    if (ndim == 0) {
        memcpy(*to, from, itemsize);
        *to += itemsize;
        return;
    }
    if (ndim == 1 && strides[0] == (int64_t)itemsize) {
        memcpy(*to, from, itemsize * (size_t)shape[0]);
        *to += itemsize * (size_t)shape[0];
        return;
    }
    for (int64_t i = 0; i < shape[0]; i++) {
        read_strided(ndim - 1, shape + 1, strides + 1, itemsize, from + i * strides[0], to);
    }
}

cn_status cn_array_read(const cn_array *array, void *data, int64_t nbytes)
{
    size_t itemsize = cn_dtype_size((cn_dtype)array->dtype);
    if (nbytes != array->size * (int64_t)itemsize) {
        return cni_fail(CN_ERROR_VALUE, "the array has %lld bytes", (long long)array->size * (long long)itemsize);
    }
    cni_geometry g = cni_array_geometry(array);
    int64_t low, high;
    cni_geometry_range(&g, &low, &high);
    CN_TRY(settle(array->base));
    if (array->c_contiguous && array->base->buffer->valid == CNI_ON_DEVICE && nbytes > 0) {
        return cni_buffer_peek(array->base->buffer, array->offset, data, nbytes);
    }
    CN_TRY(cni_buffer_range_to_host(array->base->buffer, low, high));
    CN_TRY(cni_places_settle());
    const char *from = (char *)array->base->buffer->data + array->offset;
    char *to = data;
    if (array->size > 0) {
        read_strided(array->ndim, cni_shape(array), cni_strides(array), itemsize, from, &to);
    }
    return CN_OK;
}

static inline void put(const cn_array *array, int64_t offset, const cn_scalar *value)
{
    char *to = (char *)array->base->buffer->data + offset;
    int64_t size = cni_dtype_size(array->dtype);
    if (size == 8) { /* of a known size: a store, no call */
        memcpy(to, value->value.bytes, 8);
    } else {
        memcpy(to, value->value.bytes, (size_t)size);
    }
}

bool cn_array_poke(cn_array *array, int64_t offset, const cn_scalar *value)
{
    const cni_base *base = array->base;
    const cni_buffer *buffer = base->buffer;
    bool clean = base->window == NULL && buffer != NULL && buffer->refs == 1 && buffer->valid == CNI_ON_HOST;
    if (clean && array->writeable) {
        put(array, offset, value);
        return true;
    }
    return false;
}

cn_status cn_array_store(cn_array *array, int64_t offset, const cn_scalar *value)
{
    cni_base *base = array->base;
    if (!array->writeable) {
        return cni_fail(CN_ERROR_READ_ONLY, "assignment destination is read-only");
    }
    bool here = base->buffer == NULL ||
                (base->buffer->refs == 1 && (base->buffer->valid & CNI_ON_PLACES) == 0 && !base->buffer->shown);
    if (base->window == NULL && here) {
        CN_TRY(cni_base_materialise(base));
        return cni_buffer_poke(base->buffer, offset, value->value.bytes,
                               (int64_t)cn_dtype_size((cn_dtype)array->dtype));
    }
    cn_array *element;
    CN_TRY(cni_array_make(base, (cn_dtype)array->dtype, offset, 0, NULL, NULL, true, &element));
    cn_operand source = {.scalar = *value};
    cn_status status = cn_copy(element, &source, CN_CAST_UNSAFE);
    cn_array_unref(element);
    return status;
}
