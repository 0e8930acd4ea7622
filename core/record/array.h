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
#include "record/layout.h"

/* Where a buffer's values are: all of those, if several have them. CNI_ON_PLACES: each place has its part. */
enum { CNI_ON_HOST = 1, CNI_ON_DEVICE = 2, CNI_ON_PLACES = 4 };

typedef struct cni_base cni_base;

/* What a place of this process has of it. */
typedef struct cni_place_memory {
    void *host;    /* of places behind the first, whose is the buffer's data; NULL: none yet */
    void *device;  /* addresses of the whole buffer, of which a part is there; NULL: none */
    uint8_t valid; /* CNI_ON_HOST, CNI_ON_DEVICE: where its part is, while the buffer's valid says CNI_ON_PLACES */
} cni_place_memory;

/* What places have of a buffer that is spread, or that they have needed to read. */
typedef struct cni_spread {
    cni_layout layout;       /* while valid says CNI_ON_PLACES */
    bool reserved;           /* data, too, is addresses of which only a part is touched */
    int64_t beside;          /* bytes that places of this process have beside what they own */
    uint64_t number;         /* its name among the processes; 0: it needs none */
    struct cni_buffer *next; /* numbered alike (exec) */
    cni_place_memory at[];   /* by place of this process */
} cni_spread;

typedef struct cni_buffer {
    void *data;   /* host memory; NULL: none */
    void *device; /* memory of the process's device; NULL: none */
    int64_t nbytes;
    uint32_t refs;
    uint8_t foreign;                  /* CNI_ON_ bits: memory that belongs to somebody else */
    bool shown;                       /* others know the device's memory: it alone counts (device_memory.c) */
    uint8_t valid;                    /* CNI_ON_ bits; 0: unspecified values */
    cni_spread *spread;               /* NULL: it has never left the root */
    struct cni_buffer *older, *newer; /* of those with device memory, places' too, by their last use */
    uint64_t turn;                    /* of that use; 0: in no list */
} cni_buffer;

/* What record needs of the process's device, if it has one (exec sets it). Moves wait until they are done. */
typedef struct cni_device {
    void *(*alloc)(int64_t nbytes); /* NULL without memory */
    void (*free)(void *memory, int64_t nbytes);
    cn_status (*upload)(void *device, const void *host, int64_t nbytes);
    cn_status (*download)(void *host, const void *device, int64_t nbytes);
    void (*copy)(void *to, const void *from, int64_t nbytes); /* in the order of the device's work; does not wait */
    cn_status (*finish)(void);                                /* waits for all work */
    cn_status (*events)(
        void); /* the same, if its floating-point events may not be known yet; all waits make them known */
    cn_status (*join)(void); /* waits for all work on the device, other libraries' too */
    int (*number)(void);     /* what CUDA calls it */
    /* What a place has of a buffer that is spread (exec): addresses of the whole, of which it needs [low, high) most; NULL:
       none. Bytes that are touched are there; false: no memory for them. */
    void *(*reserve)(int64_t nbytes, int64_t low, int64_t high);
    bool (*touch)(void *memory, int64_t low, int64_t high);
    void (*unreserve)(void *memory);
    /*
     * Elements for other places, in C order: between there and memory of the host, pinned if there is such. In the order of
     * the device's work; reach waits for what began before mark.
     */
    void *(*pinned)(int64_t nbytes);
    void (*unpin)(void *memory);
    void (*pack)(const cni_region *region, void *packed, const void *device);
    void (*unpack)(const cni_region *region, void *device, const void *packed);
    void (*mark)(void);
    cn_status (*reach)(void);
} cni_device;

extern const cni_device *cni_process_device; /* NULL: none */

/*
 * Memory of the process's device (device_memory.c). What there is no room for takes the place of what was used longest ago,
 * whose values go to the host; not of what has been used since cni_device_turn. NULL without memory.
 */
void *cni_device_take(int64_t nbytes);
void cni_device_turn(void);

/* The same for whatever take(context) takes, until it says that it has it. False: there is no room. */
bool cni_device_room(bool (*take)(void *context), void *context);

/* What record needs of the places that arrays are spread over, if there are several (exec sets it). */
typedef struct cni_places {
    /* Brings bytes [low, high) of a spread buffer to data; alone: the others forget it. */
    cn_status (*fetch)(cni_buffer *buffer, int64_t low, int64_t high, bool alone);
    /* What places own of it is on their hosts, and their memory on the device is free; false: it cannot be had from there. */
    bool (*spill)(cni_buffer *buffer);
    void (*release)(cni_buffer *buffer); /* frees buffer->spread, and data if it was the places' */
    void (*forget)(cni_base *base);      /* a base that others know is gone */
    cn_status (*settle)(void);           /* what others noticed of the windows run so far is known here */
} cni_places;

extern const cni_places *cni_process_places; /* NULL: one place */

static inline cn_status cni_places_settle(void)
{
    return cni_process_places != NULL ? cni_process_places->settle() : CN_OK;
}

struct cni_base {
    uint32_t arrays;  /* handles */
    uint32_t windows; /* windows that mention it */
    uint32_t exports;
    bool wrapped, writeable;
    bool pending_write; /* a window has yet to write it; counted in its recorder's pending_bytes */
    uint8_t home_ndim;
    uint8_t home_itemsize;
    int64_t nbytes;
    cni_buffer *buffer;
    struct cni_window *window; /* the newest window that mentions it, its number there, and that of its first view */
    uint32_t index, first_view;
    uint64_t last_touch; /* number of the last recorded op that mentioned it */
    void (*release)(void *owner);
    void *owner;
    uint64_t known; /* its number with the other processes; 0: they do not know it */
    int64_t *home;  /* shape, then strides */
    int64_t home_inline[8];
};

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

/* Values that the host would have to fetch. */
static inline bool cni_buffer_away(const cni_buffer *buffer)
{
    return buffer != NULL && buffer->valid != 0 && (buffer->valid & CNI_ON_HOST) == 0;
}

cni_geometry cni_array_geometry(const cn_array *a);
cni_geometry cni_base_home(const cni_base *base);

/* Views the base's memory: no checks. writeable is and-ed with the base's. */
cn_status cni_array_make(cni_base *base, cn_dtype dtype, int64_t offset, int ndim, const int64_t *shape,
                         const int64_t *strides, bool writeable, cn_array **out);

/* A new C-order array on a base of its own, of the shape of one in C order. */
cn_status cni_array_like(const cn_array *like, cn_dtype dtype, cn_array **out);

/* Is what lies so contiguous, in C order or Fortran's? */
enum { CNI_ORDER_C = 1, CNI_ORDER_F = 2 };
uint8_t cni_order_of(int ndim, const int64_t *shape, const int64_t *strides, int64_t itemsize, int64_t size);

/*
 * A new array of few dimensions and of a size that is not 0, on a base that it is the whole of; order: what it is known to
 * have. NULL: it is not made.
 */
cn_array *cni_array_again(cn_dtype dtype, const cni_geometry *g, int64_t size, uint8_t order);

/* A base without storage and without arrays. */
cn_status cni_base_create(int ndim, const int64_t *shape, const int64_t *strides, int64_t itemsize, int64_t nbytes,
                          cni_base **out);

/* Another home of the same bytes, in few dimensions (of a base whose own has few, too; else it stays). */
void cni_base_set_home(cni_base *base, int ndim, const int64_t *shape, const int64_t *strides);

/* Gives the base a buffer of its own, uninitialised, if it has none. */
cn_status cni_base_materialise(cni_base *base);

/* Memory of its own on the host, if the base shares its buffer with a copy made of it. */
cn_status cni_base_make_sole(cni_base *base);

/* Device memory of its own, with the values, if the base shares its buffer with a copy made of it. */
cn_status cni_base_sole_on_device(cni_base *base);

/* Frees the base if nothing mentions it any more. */
void cni_base_drop(cni_base *base);

/* Host memory with unspecified values; or memory in these places (CNI_ON_ bits). */
cn_status cni_buffer_create(int64_t nbytes, cni_buffer **out);
cn_status cni_buffer_create_at(int64_t nbytes, uint8_t places, cni_buffer **out);

/* Gives the buffer memory in these places (CNI_ON_ bits), if it has none there. */
cn_status cni_buffer_reserve(cni_buffer *buffer, uint8_t places);

/* Moves values to the place, where there must be memory; counted. */
cn_status cni_buffer_bring(cni_buffer *buffer, uint8_t place);

/* The bytes at the offset, from and to where values are; counted. */
cn_status cni_buffer_peek(cni_buffer *buffer, int64_t offset, void *data, int64_t nbytes);
cn_status cni_buffer_poke(cni_buffer *buffer, int64_t offset, const void *data, int64_t nbytes);

/* Others may have changed the device's memory that they know: what the host has of it is old. Waits for them. */
cn_status cni_buffer_refresh(cni_buffer *buffer);

/* The other way: values are in memory that others know, and there when this returns. */
cn_status cni_buffer_settle(cni_buffer *buffer);

/* The buffer has got device memory, or it is used; it is about to lose it. */
void cni_buffer_used(cni_buffer *buffer);
void cni_buffer_leave(cni_buffer *buffer);

/* Values on the host, in memory; alone: about to be changed there by somebody. */
cn_status cni_buffer_to_host(cni_buffer *buffer, bool alone);

/* The same for bytes [low, high), which are to be read only. */
cn_status cni_buffer_range_to_host(cni_buffer *buffer, int64_t low, int64_t high);
void cni_buffer_unref(cni_buffer *buffer);

#endif
