/*
 * array.h - bases, their storage, and the views that callers hold.
 *
 *   cn_array (view) --> cni_base (logical bytes) --> cni_buffer (storage; several bases may hold one buffer:
 *                                                    a copy costs nothing until one side is written)
 *
 * A base without buffer has never been computed: its values are unspecified, or pending in a window. A base is freed
 * when no array and no window mentions it. Shared bases (wrapped or exported memory) keep their buffer for life.
 */
#ifndef CNI_ARRAY_H
#define CNI_ARRAY_H

#include "cnumeric.h"
#include "record/geometry.h"

/* Where a buffer's values are: both, if both have them. */
enum { CNI_ON_HOST = 1, CNI_ON_DEVICE = 2 };

typedef struct cni_buffer {
    void *data;    /* host memory; NULL: none */
    void *device;  /* memory of the process's device; NULL: none */
    int64_t nbytes;
    uint32_t refs;
    bool foreign;  /* data belongs to somebody else */
    uint8_t valid; /* CNI_ON_ bits; 0: unspecified values */
} cni_buffer;

/* What record needs of the process's device, if it has one (exec sets it). Moves wait until they are done. */
typedef struct cni_device {
    void *(*alloc)(int64_t nbytes); /* NULL without memory */
    void (*free)(void *memory, int64_t nbytes);
    cn_status (*upload)(void *device, const void *host, int64_t nbytes);
    cn_status (*download)(void *host, const void *device, int64_t nbytes);
    cn_status (*finish)(void); /* waits for all work */
} cni_device;

extern const cni_device *cni_process_device; /* NULL: none */

typedef struct cni_base {
    uint32_t arrays;  /* handles */
    uint32_t windows; /* windows that mention it */
    uint32_t exports;
    bool wrapped, writeable;
    bool pending_write; /* a window has yet to write it; counted in its recorder's pending_bytes */
    uint8_t home_ndim;
    uint8_t home_itemsize;
    int64_t nbytes;
    cni_buffer *buffer;
    struct cni_window *window; /* the newest window that mentions it, and its number there */
    uint32_t index;
    uint64_t last_touch;       /* number of the last recorded op that mentioned it */
    void (*release)(void *owner);
    void *owner;
    int64_t *home; /* shape, then strides */
    int64_t home_inline[8];
} cni_base;

struct cn_array {
    uint32_t refs;
    uint8_t dtype, ndim;
    bool writeable, c_contiguous, f_contiguous;
    uint8_t capacity; /* dimensions that dims has room for */
    cni_base *base;
    int64_t offset;
    int64_t size;
    uint64_t window_serial; /* the window where this view has the number view_index */
    uint32_t view_index;
    int64_t dims[]; /* shape, then strides */
};

static inline const int64_t *cni_shape(const cn_array *a)
{
    return a->dims;
}

static inline const int64_t *cni_strides(const cn_array *a)
{
    return a->dims + a->ndim;
}

static inline bool cni_base_shared(const cni_base *base)
{
    return base->wrapped || base->exports > 0;
}

cni_geometry cni_array_geometry(const cn_array *a);
cni_geometry cni_base_home(const cni_base *base);

/* Views the base's memory: no checks. writeable is and-ed with the base's. */
cn_status cni_array_make(cni_base *base, cn_dtype dtype, int64_t offset, int ndim, const int64_t *shape,
                         const int64_t *strides, bool writeable, cn_array **out);

/* A new C-order array on a base of its own, of the shape of one in C order. */
cn_status cni_array_like(const cn_array *like, cn_dtype dtype, cn_array **out);

/* Gives the base a buffer of its own, uninitialised, if it has none. */
cn_status cni_base_materialise(cni_base *base);

/* Frees the base if nothing mentions it any more. */
void cni_base_drop(cni_base *base);

/* Host memory with unspecified values. */
cn_status cni_buffer_create(int64_t nbytes, cni_buffer **out);

/* Gives the buffer memory in these places (CNI_ON_ bits), if it has none there. */
cn_status cni_buffer_reserve(cni_buffer *buffer, uint8_t places);

/* Moves values to the place, where there must be memory; counted. */
cn_status cni_buffer_bring(cni_buffer *buffer, uint8_t place);

/* Values on the host, in memory; alone: about to be changed there by somebody. */
cn_status cni_buffer_to_host(cni_buffer *buffer, bool alone);
void cni_buffer_unref(cni_buffer *buffer);

#endif
