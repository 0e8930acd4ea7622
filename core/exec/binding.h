/*
 * binding.h - what a plan knows of the geometry it ran with last: where each of its parts runs and what that place has made
 * of it; and the storage of the present run.
 *
 * A binding belongs to its plan (plan->binding) and follows the geometry of the window at hand in the memory that it has.
 */
#ifndef CNI_BINDING_H
#define CNI_BINDING_H

#include "base/memory.h"
#include "exec/place.h"

/* A part, or several of one launch, and how a place runs it. */
typedef struct cni_bound_part {
    const cni_place *place; /* NULL: not bound */
    void *binding;
    const cni_part *part; /* the first of */
    uint32_t count;       /* parts of the launch that it is a binding of */
    void *joined;         /* of so many launches from its own on, if their storage allows; else NULL */
    uint32_t njoined;
} cni_bound_part;

/* Storage of one run, by slot. */
typedef struct cni_run_storage {
    cni_buffer **buffers;                /* of those that live on; own reference unless entry */
    cni_buffer **of;                     /* whether it has ended or not */
    cni_buffer **idle;                   /* of slots that have ended, for those that begin later */
    void **addresses[CNI_ON_DEVICE + 1]; /* by place, by slot */
    uint32_t nidle;
    bool moves; /* more places than the host are involved */
    void *scratch[CNI_ON_DEVICE + 1];
} cni_run_storage;

/* What the device has room for: all that a plan uses; the boxes of a part (turns.h); nothing. */
typedef enum cni_room { CNI_ROOM_PLAN, CNI_ROOM_BOXES, CNI_ROOM_NONE } cni_room;

/* The geometry a plan was last run with, and what follows from it. */
typedef struct cni_binding {
    bool complete; /* the parts are bound to the geometry */
    uint8_t room;  /* cni_room: what the device had no room for */
    size_t ngeometry, geometry_capacity;
    int64_t *geometry;
    uint32_t nparts;
    cni_bound_part *parts;
    int64_t gpu, gpu_bytes, gpu_memory; /* the settings that places were chosen by */
    bool uses_device, uses_host, uses_turns;
    int64_t largest;    /* bytes of the largest operand */
    uint32_t runs;      /* with this geometry, up to REPEATS */
    uint32_t moved;     /* the last runs, one after the other, that brought values to the device or back */
    bool repeats, back; /* smaller operands count as large; or they went back and forth */
    uint64_t
        compiles; /* the device's number of kernels that are not there: till then the plan is the processor's; else 0 */
    void *plan_memory;                  /* the device's, if it does all */
    uint8_t *touched;                   /* by slot: places that use it (CNI_ON_ bits) */
    int64_t scratch[CNI_ON_DEVICE + 1]; /* by place: the most that a part takes */
    uint64_t bytes_read, bytes_written; /* of one run */
    cni_run_storage store;              /* of the present run */
    cni_arena arena;                    /* what the plan alone says how much of there is */
} cni_binding;
/* Is the window's geometry the one that the plan is bound to? */
bool cni_binding_fits(const cni_plan *plan, const cni_window *w);

/* Makes it so; room: that the device has at most. On failure the plan is not bound. */
cn_status cni_binding_follow(cni_plan *plan, const cni_window *w, const cni_skeleton *s, cni_room room);

/* Was the plan bound at the processor only until its kernels are there? Then they are now. */
bool cni_binding_wait(const cni_plan *plan);

/* The bindings that follow those of the launch. */
cni_bound_part *cni_binding_behind(const cni_launch *launch, cni_bound_part *bound);

/* All storage of a run, before it begins (run_storage.c); also after a failure it is to be released. */
cn_status cni_run_storage_take(const cni_plan *plan, const cni_window *w);
void cni_run_storage_release(const cni_plan *plan);

/* Bases take the slots that hold their results. */
void cni_run_storage_commit(const cni_plan *plan, const cni_window *w, const cni_run_storage *s);

#endif
