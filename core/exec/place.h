/*
 * place.h - the table of a place: what an executor of parts must be able to do.
 *
 * A binding holds what follows from the geometry alone (strides, tiles); it is made once for a plan and an extent, and
 * used with changing storage and scalars.
 */
#ifndef CNI_PLACE_H
#define CNI_PLACE_H

#include "plan/plan.h"

/* What a run of parts sees of its window. */
typedef struct cni_run {
    const cni_window *window;
    const cni_skeleton *skeleton;
    void *const *slots; /* storage, by slot */
    void *scratch;      /* memory for the time of one part: at least what the place's scratch says of its binding */
} cni_run;

typedef struct cni_place {
    const char *name;
    uint8_t where; /* CNI_ON_HOST or CNI_ON_DEVICE: the memory that its slots are in */
    /* Can it run the part (NULL: every part)? */
    bool (*supports)(const cni_part *part, const cni_window *w, const cni_skeleton *s);
    /* CN_ERROR_UNSUPPORTED from a device's: the processor takes the part. */
    cn_status (*bind)(const cni_part *part, const cni_window *w, const cni_skeleton *s, void **binding);
    void (*unbind)(void *binding);
    int64_t (*scratch)(const void *binding); /* bytes */
    /* Cannot fail: all memory is in the binding, the slots and the scratch. May return before the work is done. */
    void (*run)(const cni_part *part, void *binding, const cni_run *run);
    /* Scratch memory of the place; NULL: host memory. */
    void *(*scratch_alloc)(int64_t nbytes);
    void (*scratch_free)(void *memory, int64_t nbytes);
} cni_place;

extern const cni_place cni_cpu_place;

/* Implemented by core/cuda: NULL without a driver or a GPU. Sets cni_process_device. */
const cni_place *cni_cuda_place_open(void);

/* The place of the process's device, NULL without one; opens it when first asked. Sets cni_process_device. */
const cni_place *cni_device_place(void);

/* A place saw this floating-point event (one CN_FP_ bit) in an op of the window. */
void cni_run_event(const cni_run *run, uint32_t op, uint32_t kind);

#endif
