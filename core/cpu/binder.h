/*
 * binder.h - what the files that bind a group share: where each register lives, and the program made from that.
 */
#ifndef CNI_BINDER_H
#define CNI_BINDER_H

#include "cpu/group.h"
#include "exec/nest.h"

typedef enum cni_register_kind { PLACE_NONE, PLACE_RUN, PLACE_DIRECT, PLACE_SCALAR, PLACE_SPLAT } cni_register_kind;

typedef struct cni_register_place {
    uint8_t kind;
    uint8_t log2_size;
    bool memory;     /* SCALAR: one element of an access */
    uint32_t access; /* DIRECT; SCALAR of a broadcast access */
    uint32_t scalar; /* SCALAR, SPLAT of a recorded scalar; CNI_NONE otherwise */
    uint32_t last;   /* instruction that uses it last */
    uint32_t run;    /* RUN, SPLAT: number in the tile arena */
} cni_register_place;

typedef struct cni_binder {
    const cni_part *part;
    const cni_window *w;
    const cni_cpu_kernels *kernels;
    cni_group_binding *g;
    cni_nest nest;
    cni_register_place *places;
    uint32_t nruns, largest; /* tile runs, and the widest element */
    uint32_t *free_runs;
} cni_binder;

static inline uint8_t cni_log2_size(cn_dtype dtype)
{
    return (uint8_t)__builtin_ctzll((unsigned long long)cni_dtype_size(dtype));
}

/* The access's stride along a dimension, counted from the last. */
static inline int64_t cni_nest_stride(const cni_binder *b, uint32_t access, int from_last)
{
    int d = b->nest.ndim - 1 - from_last;
    return d < 0 ? 0 : b->nest.strides[(size_t)access * CN_MAX_DIMS + (size_t)d];
}

static inline int64_t cni_round_up(int64_t x, int64_t to)
{
    return (x + to - 1) / to * to;
}

/* From the nest, and the runs that a row takes: the tile. */
void cni_group_tile_choose(cni_binder *b);

/* From the places: which registers have runs of the tile, and which are scalars. False without memory. */
bool cni_group_registers_make(cni_binder *b);

/* Does the part copy, and nothing else? */
bool cni_group_copies(const cni_part *part);

/* From the places: the program over tiles. False without memory. */
bool cni_group_steps_make(cni_binder *b);

#endif
