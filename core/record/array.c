/* array.c - see array.h: life of bases and views, and the views that need no data. */
#include "record/array.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "record/free_list.h"
#include "record/window.h"

enum { INLINE_DIMS = 4 };

static cni_free_list free_arrays /* of up to INLINE_DIMS dimensions */, free_bases;

/* All but its home's extents and strides. */
static inline void base_begin(cni_base *base, int ndim, int64_t itemsize, int64_t nbytes)
{
    memset(base, 0, offsetof(cni_base, home_inline));
    base->writeable = true;
    base->home_ndim = (uint8_t)ndim;
    base->home_itemsize = (uint8_t)itemsize;
    base->nbytes = nbytes;
    base->home = base->home_inline;
}

cn_status cni_base_create(int ndim, const int64_t *shape, const int64_t *strides, int64_t itemsize, int64_t nbytes,
                          cni_base **out)
{
    cni_base *base = cni_free_list_pop(&free_bases);
    if (base == NULL) {
        base = cni_alloc(sizeof *base);
        if (base == NULL) {
            return cni_fail_memory((int64_t)sizeof *base);
        }
    }
    base_begin(base, ndim, itemsize, nbytes);
    if (ndim > INLINE_DIMS) {
        base->home = cni_alloc((size_t)ndim * 2 * sizeof(int64_t));
        if (base->home == NULL) {
            cni_free(base);
            return cni_fail_memory((int64_t)ndim * 16);
        }
    }
    if (ndim > 0) {
        memcpy(base->home, shape, (size_t)ndim * sizeof(int64_t));
        memcpy(base->home + ndim, strides, (size_t)ndim * sizeof(int64_t));
    }
    *out = base;
    return CN_OK;
}

void cni_base_set_home(cni_base *base, int ndim, const int64_t *shape, const int64_t *strides)
{
    if (ndim <= INLINE_DIMS && base->home == base->home_inline) {
        memcpy(base->home, shape, (size_t)ndim * sizeof *shape);
        memcpy(base->home + ndim, strides, (size_t)ndim * sizeof *strides);
        base->home_ndim = (uint8_t)ndim;
    }
}

void cni_base_drop(cni_base *base)
{
    if (base->arrays > 0 || base->windows > 0) {
        return;
    }
    cni_buffer_unref(base->buffer);
    if (base->known != 0) {
        cni_process_places->forget(base);
    }
    if (base->release != NULL) {
        base->release(base->owner);
    }
    if (base->home != base->home_inline) {
        cni_free(base->home);
    }
    cni_free_list_push(&free_bases, base);
}

cn_status cni_base_materialise(cni_base *base)
{
    return base->buffer != NULL ? CN_OK : cni_buffer_create(base->nbytes, &base->buffer);
}

cn_status cni_base_make_sole(cni_base *base)
{
    CN_TRY(cni_base_materialise(base));
    CN_TRY(cni_buffer_to_host(base->buffer, base->buffer->refs == 1));
    if (base->buffer->refs == 1) {
        return CN_OK;
    }
    cni_buffer *own;
    CN_TRY(cni_buffer_create(base->nbytes, &own));
    memcpy(own->data, base->buffer->data, (size_t)base->nbytes);
    cni_buffer_unref(base->buffer);
    base->buffer = own;
    return CN_OK;
}

cni_geometry cni_base_home(const cni_base *base)
{
    return (cni_geometry){base->home_ndim, base->home_itemsize, 0, base->home, base->home + base->home_ndim};
}

cni_geometry cni_array_geometry(const cn_array *a)
{
    return (cni_geometry){a->ndim, cni_dtype_size(a->dtype), a->offset, cni_shape(a), cni_strides(a)};
}

static cn_array *array_alloc(int ndim)
{
    if (ndim <= INLINE_DIMS) {
        cn_array *a = cni_free_list_pop(&free_arrays);
        if (a != NULL) {
            return a;
        }
        ndim = INLINE_DIMS;
    }
    cn_array *a = cni_alloc(sizeof *a + (size_t)ndim * 2 * sizeof(int64_t));
    if (a != NULL) {
        a->capacity = (uint8_t)ndim;
    }
    return a;
}

/* Of an array with elements, C order or Fortran's: most are found out by the first axis. */
static inline bool in_order(int ndim, const int64_t *shape, const int64_t *strides, int64_t itemsize, bool fortran)
{
    int64_t expected = itemsize;
    for (int k = 0; k < ndim; k++) {
        int d = fortran ? k : ndim - 1 - k;
        if (shape[d] != 1 && strides[d] != expected) {
            return false;
        }
        expected *= shape[d];
    }
    return true;
}

uint8_t cni_order_of(int ndim, const int64_t *shape, const int64_t *strides, int64_t itemsize, int64_t size)
{
    bool c_order = size == 0 || in_order(ndim, shape, strides, itemsize, false);
    bool f_order = ndim < 2 ? c_order : size == 0 || in_order(ndim, shape, strides, itemsize, true);
    return (uint8_t)((c_order ? CNI_ORDER_C : 0) | (f_order ? CNI_ORDER_F : 0));
}

cn_status cni_array_make(cni_base *base, cn_dtype dtype, int64_t offset, int ndim, const int64_t *shape,
                         const int64_t *strides, bool writeable, cn_array **out)
{
    cn_array *a = array_alloc(ndim);
    if (a == NULL) {
        return cni_fail_memory((int64_t)sizeof *a);
    }
    int64_t itemsize = cni_dtype_size(dtype);
    int64_t size = 1;
    int64_t *a_shape = a->dims, *a_strides = a->dims + ndim;
    for (int d = 0; d < ndim; d++) {
        a_shape[d] = shape[d];
        a_strides[d] = strides[d];
        size *= shape[d];
    }
    a->refs = 1;
    a->dtype = (uint8_t)dtype;
    a->ndim = (uint8_t)ndim;
    a->writeable = writeable && base->writeable;
    uint8_t order = cni_order_of(ndim, shape, strides, itemsize, size);
    a->c_contiguous = (order & CNI_ORDER_C) != 0;
    a->f_contiguous = (order & CNI_ORDER_F) != 0;
    a->base = base;
    a->offset = offset;
    a->size = size;
    a->window_serial = 0;
    base->arrays++;
    *out = a;
    return CN_OK;
}

/* The whole of a new base, all but its extents and strides; order: CNI_ORDER_ bits. */
static inline void array_begin(cn_array *a, cni_base *base, cn_dtype dtype, int ndim, int64_t size, int order)
{
    uint8_t capacity = a->capacity;
    *a = (cn_array){.refs = 1,
                    .dtype = (uint8_t)dtype,
                    .ndim = (uint8_t)ndim,
                    .writeable = true,
                    .c_contiguous = (order & CNI_ORDER_C) != 0,
                    .f_contiguous = (order & CNI_ORDER_F) != 0,
                    .capacity = capacity,
                    .base = base,
                    .size = size};
}

/*
 * A C-order array on a base of its own, in one pass over the extents: the commonest thing that a call makes.
 * ndim is at most INLINE_DIMS.
 */
static cn_status array_fresh(cn_dtype dtype, int ndim, const int64_t *shape, cn_array **out)
{
    cni_base *base = cni_free_list_pop(&free_bases);
    cn_array *a = array_alloc(ndim);
    if (base == NULL) {
        base = cni_alloc(sizeof *base);
    }
    if (a == NULL || base == NULL) {
        cni_free(a);
        cni_free(base);
        return cni_fail_memory((int64_t)sizeof *base);
    }
    int64_t itemsize = cni_dtype_size(dtype), stride = itemsize, size = 1;
    int long_axes = 0;
    base_begin(base, ndim, itemsize, 0);
    base->arrays = 1;
    for (int d = ndim - 1; d >= 0; d--) {
        base->home[d] = a->dims[d] = shape[d];
        base->home[ndim + d] = a->dims[ndim + d] = stride;
        size *= shape[d];
        stride *= shape[d] > 1 ? shape[d] : 1;
        long_axes += shape[d] != 1;
    }
    base->nbytes = size * itemsize;
    for (int d = 0; d < ndim && size == 0; d++) {
        a->dims[ndim + d] = 0; /* as NumPy has it for what has no elements */
    }
    array_begin(a, base, dtype, ndim, size, CNI_ORDER_C | (long_axes < 2 || size == 0 ? CNI_ORDER_F : 0));
    *out = a;
    return CN_OK;
}

cn_status cni_array_like(const cn_array *like, cn_dtype dtype, cn_array **out)
{
    if (like->ndim > INLINE_DIMS) {
        return cn_array_empty_ordered(dtype, like->ndim, cni_shape(like), NULL, out);
    }
    return array_fresh(dtype, like->ndim, cni_shape(like), out);
}

cn_array *cni_array_again(cn_dtype dtype, const cni_geometry *g, int64_t size, uint8_t order)
{
    int ndim = g->ndim;
    if (free_arrays.first == NULL || free_bases.first == NULL || ndim > INLINE_DIMS) {
        return NULL;
    }
    cn_array *a = cni_free_list_pop(&free_arrays);
    cni_base *base = cni_free_list_pop(&free_bases);
    base_begin(base, ndim, g->itemsize, size * g->itemsize);
    base->arrays = 1;
    for (int d = 0; d < ndim; d++) {
        base->home[d] = a->dims[d] = g->shape[d];
        base->home[ndim + d] = a->dims[ndim + d] = g->strides[d];
    }
    array_begin(a, base, dtype, ndim, size, order);
    return a;
}

cn_status cn_array_empty(cn_dtype dtype, int ndim, const int64_t *shape, cn_array **out)
{
    return cn_array_empty_ordered(dtype, ndim, shape, NULL, out);
}

cn_status cn_array_empty_ordered(cn_dtype dtype, int ndim, const int64_t *shape, const int *axis_order, cn_array **out)
{
    int64_t nbytes, strides[CN_MAX_DIMS];
    int64_t itemsize = cni_dtype_size(dtype);
    CN_TRY(cni_shape_check(ndim, shape, itemsize, &nbytes));
    if (axis_order == NULL && ndim <= INLINE_DIMS) {
        return array_fresh(dtype, ndim, shape, out);
    }
    if (axis_order == NULL) {
        cni_strides_fill(ndim, shape, itemsize, strides);
    } else {
        int64_t stride = itemsize;
        for (int k = ndim - 1; k >= 0; k--) {
            strides[axis_order[k]] = stride;
            stride *= shape[axis_order[k]] > 1 ? shape[axis_order[k]] : 1;
        }
    }
    cni_base *base = NULL;
    CN_TRY(cni_base_create(ndim, shape, strides, itemsize, nbytes, &base));
    for (int d = 0; d < ndim && nbytes == 0; d++) {
        strides[d] = 0;
    }
    cn_status status = cni_array_make(base, dtype, 0, ndim, shape, strides, true, out);
    if (status != CN_OK) {
        cni_base_drop(base);
    }
    return status;
}

cn_status cn_array_from_memory(const void *data, cn_dtype dtype, int ndim, const int64_t *shape, cn_array **out)
{
    cn_array *a;
    CN_TRY(cn_array_empty(dtype, ndim, shape, &a));
    cn_status status = cni_base_materialise(a->base);
    if (status != CN_OK) {
        cn_array_unref(a);
        return status;
    }
    if (a->base->nbytes > 0) {
        memcpy(a->base->buffer->data, data, (size_t)a->base->nbytes);
    }
    *out = a;
    return CN_OK;
}

cn_array *cn_array_ref(cn_array *array)
{
    array->refs++;
    return array;
}

void cn_array_unref(cn_array *array)
{
    if (array == NULL || --array->refs > 0) {
        return;
    }
    cni_base *base = array->base;
    if (array->capacity == INLINE_DIMS) {
        cni_free_list_push(&free_arrays, array);
    } else {
        cni_free(array);
    }
    if (--base->arrays == 0) {
        cni_window_base_forgotten(base);
        cni_base_drop(base);
    }
}

cn_status cn_array_view(cn_array *array, cn_dtype dtype, int64_t offset, int ndim, const int64_t *shape,
                        const int64_t *strides, bool writeable, cn_array **out)
{
    return cni_array_make(array->base, dtype, offset, ndim, shape, strides, writeable && array->writeable, out);
}

cn_status cn_array_transpose(cn_array *array, const int *axes, cn_array **out)
{
    int64_t shape[CN_MAX_DIMS], strides[CN_MAX_DIMS];
    for (int d = 0; d < array->ndim; d++) {
        int from = axes != NULL ? axes[d] : array->ndim - 1 - d;
        shape[d] = cni_shape(array)[from];
        strides[d] = cni_strides(array)[from];
    }
    return cni_array_make(array->base, array->dtype, array->offset, array->ndim, shape, strides, array->writeable, out);
}

cn_status cn_array_broadcast_to(cn_array *array, int ndim, const int64_t *shape, cn_array **out)
{
    int64_t joined[CN_MAX_DIMS], strides[CN_MAX_DIMS];
    int n;
    if (!cni_broadcast_shape(array->ndim, cni_shape(array), ndim, shape, &n, joined) || n != ndim ||
        (ndim > 0 && memcmp(joined, shape, (size_t)ndim * sizeof *shape) != 0)) {
        char from[256], to[256];
        return cni_fail(CN_ERROR_VALUE,
                        "operands could not be broadcast together with remapped shapes [original->remapped]: %s  and "
                        "requested shape %s",
                        cni_shape_text(array->ndim, cni_shape(array), from, sizeof from),
                        cni_shape_text(ndim, shape, to, sizeof to));
    }
    cni_broadcast_strides(array->ndim, cni_shape(array), cni_strides(array), ndim, shape, strides);
    return cni_array_make(array->base, array->dtype, array->offset, ndim, shape, strides, false, out);
}

/*
 * Strides of a reshaped view: runs of old axes that are contiguous among themselves are split into new axes.
 * False if some new axis would cross a gap.
 */
static bool reshape_strides(const cn_array *a, int ndim, const int64_t *shape, int64_t *out)
{
    int64_t old_shape[CN_MAX_DIMS], old_strides[CN_MAX_DIMS];
    int nold = 0;
    for (int d = 0; d < a->ndim; d++) {
        if (cni_shape(a)[d] != 1) {
            old_shape[nold] = cni_shape(a)[d];
            old_strides[nold] = cni_strides(a)[d];
            nold++;
        }
    }
    int oi = 0, oj = 1, ni = 0, nj = 1;
    while (ni < ndim && oi < nold) {
        int64_t new_count = shape[ni], old_count = old_shape[oi];
        while (new_count != old_count) {
            if (new_count < old_count) {
                new_count *= shape[nj++];
            } else {
                old_count *= old_shape[oj++];
            }
        }
        for (int d = oi; d < oj - 1; d++) {
            if (old_strides[d] != old_shape[d + 1] * old_strides[d + 1]) {
                return false;
            }
        }
        out[nj - 1] = old_strides[oj - 1];
        for (int d = nj - 1; d > ni; d--) {
            out[d - 1] = out[d] * shape[d];
        }
        ni = nj++;
        oi = oj++;
    }
    int64_t last = ni > 0 ? out[ni - 1] : cni_dtype_size(a->dtype);
    for (int d = ni; d < ndim; d++) {
        out[d] = last;
    }
    return true;
}

/* A whole base seen in another shape: later slices are lattices of that shape. */
static void base_rehome(cn_array *a, int ndim, const int64_t *shape, const int64_t *strides)
{
    cni_base *base = a->base;
    bool whole = a->c_contiguous && a->size * cni_dtype_size(a->dtype) == base->nbytes && a->size > 0;
    if (whole && ndim <= INLINE_DIMS && base->home == base->home_inline && ndim > base->home_ndim &&
        cn_dtype_size(a->dtype) == base->home_itemsize) {
        cni_base_set_home(base, ndim, shape, strides);
    }
}

cn_status cn_array_reshape_view(cn_array *array, int ndim, const int64_t *shape, cn_array **out)
{
    int64_t strides[CN_MAX_DIMS], nbytes;
    CN_TRY(cni_shape_check(ndim, shape, cni_dtype_size(array->dtype), &nbytes));
    if (cni_element_count(ndim, shape) != array->size) {
        char text[256];
        return cni_fail(CN_ERROR_VALUE, "cannot reshape array of size %lld into shape %s", (long long)array->size,
                        cni_shape_text(ndim, shape, text, sizeof text));
    }
    if (array->size == 0) {
        cni_strides_fill(ndim, shape, cni_dtype_size(array->dtype), strides);
    } else if (!reshape_strides(array, ndim, shape, strides)) {
        *out = NULL;
        return CN_OK;
    }
    CN_TRY(cni_array_make(array->base, array->dtype, array->offset, ndim, shape, strides, array->writeable, out));
    base_rehome(array, ndim, shape, strides);
    return CN_OK;
}

cn_dtype cn_array_dtype(const cn_array *array)
{
    return (cn_dtype)array->dtype;
}

int cn_array_ndim(const cn_array *array)
{
    return array->ndim;
}

const int64_t *cn_array_shape(const cn_array *array)
{
    return cni_shape(array);
}

const int64_t *cn_array_strides(const cn_array *array)
{
    return cni_strides(array);
}

int64_t cn_array_offset(const cn_array *array)
{
    return array->offset;
}

int64_t cn_array_size(const cn_array *array)
{
    return array->size;
}

bool cn_array_writeable(const cn_array *array)
{
    return array->writeable;
}

bool cn_array_c_contiguous(const cn_array *array)
{
    return array->c_contiguous;
}

bool cn_array_f_contiguous(const cn_array *array)
{
    return array->f_contiguous;
}

bool cn_array_same_base(const cn_array *a, const cn_array *b)
{
    return a->base == b->base;
}

bool cn_array_shared(const cn_array *array)
{
    return cni_base_shared(array->base);
}

int64_t cn_array_base_bytes(const cn_array *array)
{
    return array->base->nbytes;
}

bool cn_array_may_overlap(const cn_array *a, const cn_array *b)
{
    if (a->base != b->base) {
        return false;
    }
    cni_geometry home = cni_base_home(a->base), x = cni_array_geometry(a), y = cni_array_geometry(b);
    return !cni_geometry_disjoint(&home, &x, &y);
}
