/*
 * cuda_exchange.c - see cuda_exchange.h.
 *
 * A region's elements in C order are runs, at equal distances in the last dimension that is left: one copy of the driver
 * for all of those, which the GPU makes that has the first byte. It is in the order of all work; only mark and reach know
 * when it is done.
 */
#include "cuda/cuda_exchange.h"

#include "base/status.h"
#include "cuda/cuda_driver.h"
#include "cuda/cuda_memory.h"
#include "cuda/cuda_spread.h"
#include "cuda/cuda_stream.h"

enum { HOST = 1, DEVICE = 2, WITHOUT_TIMING = 2 };

#define PITCH_MOST ((int64_t)INT32_MAX)

static cni_cuda_handle marks[CNI_CUDA_GPUS];
static uint32_t sent, marked; /* by GPU: copies since the last mark; what the last mark is behind */

void *cni_cuda_reserve(int64_t nbytes, int64_t low, int64_t high)
{
    return cni_cuda_enter() && cni_cuda_failure() == NULL
               ? (void *)(uintptr_t)cni_cuda_spread_reserve(nbytes, low, high)
               : NULL;
}

bool cni_cuda_touch(void *memory, int64_t low, int64_t high)
{
    if (!cni_cuda_enter()) {
        return false;
    }
    if (!cni_cuda_spread_touch((uintptr_t)memory, low, high)) {
        cni_cuda_trim();
        return cni_cuda_spread_touch((uintptr_t)memory, low, high);
    }
    return true;
}

void cni_cuda_unreserve(void *memory)
{
    cni_cuda_spread_free((uintptr_t)memory);
}

void *cni_cuda_pinned(int64_t nbytes)
{
    void *memory;
    return cni_cuda_enter() && cni_cuda.memory_host(&memory, (size_t)nbytes) == 0 ? memory : NULL;
}

void cni_cuda_unpin(void *memory)
{
    if (cni_cuda_enter()) {
        cni_cuda_check(cni_cuda.memory_host_free(memory), "freeing pinned memory");
    }
}

/* ---- Copies ---- */

/* As the driver has it: rows of a matrix. */
typedef struct copy_side {
    size_t x, y;
    int kind;
    void *host;
    cni_cuda_address device;
    void *array;
    size_t pitch;
} copy_side;

typedef struct copy_rows {
    copy_side from, to;
    size_t width, height;
} copy_rows;

typedef struct walk {
    const cni_region *region;
    int outer;     /* dimensions outside of the rows */
    int64_t width; /* bytes of a row */
    int64_t height, pitch;
    char *packed; /* of the rows that are next */
    cni_cuda_address device;
    bool out;  /* from the device */
    bool near; /* what is packed is in the device's memory */
} walk;

static int copy_run(const walk *x, cni_cuda_address at, size_t n, cni_cuda_handle stream)
{
    cni_cuda_address packed = (uintptr_t)x->packed;
    if (x->near) {
        return cni_cuda.copy(x->out ? packed : at, x->out ? at : packed, n, stream);
    }
    return x->out ? cni_cuda.download(x->packed, at, n, stream) : cni_cuda.upload(at, x->packed, n, stream);
}

static void send(walk *x, int64_t offset, int64_t height)
{
    size_t unused;
    cni_cuda_address at = x->device + (cni_cuda_address)offset;
    int gpu = cni_cuda_owner(at, 1, &unused);
    copy_side packed = {.kind = HOST, .host = x->packed, .pitch = (size_t)x->width};
    copy_side device = {.kind = DEVICE, .device = at, .pitch = (size_t)x->pitch};
    if (x->near) {
        packed = (copy_side){.kind = DEVICE, .device = (uintptr_t)x->packed, .pitch = (size_t)x->width};
    }
    copy_rows rows = {x->out ? device : packed, x->out ? packed : device, (size_t)x->width, (size_t)height};
    cni_cuda_step(1u << gpu);
    cni_cuda_handle stream = cni_cuda_stream(gpu);
    cni_cuda_check(height > 1 ? cni_cuda.copy_rows(&rows, stream) : copy_run(x, at, (size_t)x->width, stream),
                   "an exchange");
    cni_cuda_step_end();
    sent |= x->near ? 0 : 1u << gpu;
    x->packed += x->width * height;
}

static void walk_rows(walk *x, int64_t offset, int dim)
{
    const cni_region *r = x->region;
    if (dim < x->outer) {
        for (int64_t i = 0; i < r->shape[dim]; i++) {
            walk_rows(x, offset + i * r->strides[dim], dim + 1);
        }
        return;
    }
    bool together = x->pitch >= x->width && x->pitch <= PITCH_MOST;
    for (int64_t i = 0; i < x->height; i += together ? x->height : 1) {
        send(x, offset + i * x->pitch, together ? x->height : 1);
    }
}

static void walk_region(const cni_region *r, const void *device, const void *packed, bool out, bool near)
{
    walk x = {.region = r, .width = r->itemsize, .height = 1, .out = out, .near = near};
    x.packed = (char *)(uintptr_t)packed;
    int dim = r->ndim;
    if (cni_region_size(r) == 0 || !cni_cuda_enter() || cni_cuda_failure() != NULL) {
        return;
    }
    while (dim > 0 && (r->strides[dim - 1] == x.width || r->shape[dim - 1] == 1)) {
        x.width *= r->shape[--dim];
    }
    if (dim > 0) {
        x.height = r->shape[--dim];
        x.pitch = r->strides[dim];
    }
    x.outer = dim;
    x.device = (uintptr_t)device;
    walk_rows(&x, r->offset, 0);
}

void cni_cuda_pack(const cni_region *region, void *packed, const void *device)
{
    walk_region(region, device, packed, true, false);
}

void cni_cuda_unpack(const cni_region *region, void *device, const void *packed)
{
    walk_region(region, device, packed, false, false);
}

void cni_cuda_pack_near(const cni_region *region, void *packed, const void *device)
{
    walk_region(region, device, packed, true, true);
}

void cni_cuda_unpack_near(const cni_region *region, void *device, const void *packed)
{
    walk_region(region, device, packed, false, true);
}

/* ---- Their end ---- */

void cni_cuda_mark(void)
{
    for (int k = 0; sent >> k != 0; k++) {
        if ((sent >> k & 1) == 0) {
            continue;
        }
        cni_cuda_handle stream = cni_cuda_stream(k);
        if (marks[k] != NULL || cni_cuda_check(cni_cuda.event_create(&marks[k], WITHOUT_TIMING), "an event")) {
            cni_cuda_check(cni_cuda.event_record(marks[k], stream), "an event");
            marked |= 1u << k;
        }
    }
    sent = 0;
    cni_cuda_step_end();
}

cn_status cni_cuda_reach(void)
{
    for (int k = 0; marked >> k != 0; k++) {
        if ((marked >> k & 1) != 0) {
            cni_cuda_check(cni_cuda.event_wait(marks[k]), "waiting");
        }
    }
    marked = 0;
    const char *failure = cni_cuda_failure();
    return failure == NULL ? CN_OK : cni_fail(CN_ERROR_INTERNAL, "the GPU failed: %s", failure);
}
