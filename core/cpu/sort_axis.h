/*
 * sort_axis.h - what the files that sort along an axis share.
 *
 * Lines (all elements along the axis) are taken in blocks. One long line, or the few lines of a block that are long and
 * strided, are worked on by all threads; many short blocks are shared out. A block goes through these arrays, of which
 * those that are not needed are left out:
 *
 *   input --> raw (if strided) --> ranks --> packed (rank and index in one key) --> indices     argsort, complex sort
 *                              --> keys  --> sorted keys --> values --> raw --> output          sort, partition
 */
#ifndef CNI_SORT_AXIS_H
#define CNI_SORT_AXIS_H

#include "cpu/library.h"
#include "cpu/sort.h"

enum { CNI_SORT_BLOCK = 4096 /* elements in a block of short lines */ };

typedef enum cni_sort_task { CNI_TASK_SORT, CNI_TASK_ARGSORT, CNI_TASK_PARTITION } cni_sort_task;

/* What follows from the geometry: the same when memory is declared and when it is used. */
typedef struct cni_sort_shape {
    cni_sort_task task;
    cn_dtype dtype;
    cni_geometry out, in;
    int axis;
    int64_t length, lines, count; /* count: lines in a block */
    size_t itemsize, out_size;
    bool complex, indices;  /* indices: by packed ranks */
    bool wide;              /* keys of 64 bits */
    bool in_runs, out_runs; /* a block is contiguous in the input, in the output */
    bool direct;            /* keys are sorted in the output's memory */
    bool together;          /* all threads work on one block */
    int counting;           /* 0, or the size of values to be counted */
    int64_t workers;
    int64_t keys, spare, ranks, ranks_low, raw, bucket, tables, worker_bytes; /* offsets in a worker's memory */
} cni_sort_shape;

typedef struct cni_sort_job {
    cni_sort_shape s;
    const cni_order_kernels *kernels;
    char *out, *in, *scratch;
    const int64_t *kth;
    int64_t nkth;
    int threads;
} cni_sort_job;

/* Work on the lines [line, line + count). */
typedef struct cni_sort_block {
    const cni_sort_job *j;
    int64_t line, count;
    int threads;
    char *in, *out; /* where the block is contiguous */
    void *keys, *spare;
    void *ranks;
    uint64_t *ranks_low;
    char *raw;
    uint8_t *bucket;
    int64_t *tables;
    /* indices below `bits` bits of keys that hold (rank - low) >> shift */
    bool packed_wide;
    uint64_t low;
    int shift, bits;
    int64_t *bounds;  /* of the threads' shares */
    uint64_t *ranges; /* lowest and highest rank of each share */
} cni_sort_block;

typedef void (*cni_sort_step)(const cni_sort_block *b, int t, int64_t first, int64_t n);

/* Calls step(b, t, first, n) for the threads' shares of n. */
void cni_sort_shared(const cni_sort_block *b, int64_t n, cni_sort_step step);

/* How much there is to share in loading: elements of the block, or of each line. */
int64_t cni_sort_load_extent(const cni_sort_block *b);

/* For such a share: brings it to contiguous memory, and calls step for every contiguous piece of it. */
void cni_sort_load(const cni_sort_block *b, int t, int64_t first, int64_t n, cni_sort_step step);

/* Address of the block's element i, once loaded; of its result i, before store. */
const char *cni_sort_source(const cni_sort_block *b, int64_t i);
char *cni_sort_result(const cni_sort_block *b, int64_t i);

/*
 * Sorts every line of keys. load (or NULL: they are there; for blocks of one line) writes keys [first, first + n) to
 * `to`; finish (or NULL) is called for all parts of the block as they are done.
 */
typedef void (*cni_sort_load_keys)(const cni_sort_block *b, int64_t first, int64_t n, void *to);
void cni_sort_block_lines(const cni_sort_block *b, bool wide, cni_sort_load_keys load, cni_sort_step finish);

/*
 * One run of n values, `stride` bytes apart, sorted to contiguous memory: values, or (ARGSORT) int64 indices. It takes as
 * many bytes of scratch memory; no fewer for more values.
 */
int64_t cni_sort_line_scratch(cni_sort_task task, cn_dtype dtype, int64_t n);
void cni_sort_line(cni_sort_task task, cn_dtype dtype, int64_t n, const char *in, int64_t stride, void *out,
                   void *scratch);

/* The block by packed ranks: its results, before store (argsort.c). */
void cni_argsort_block(cni_sort_block *b);

static inline void *cni_key_at(void *keys, bool wide, int64_t i)
{
    return (char *)keys + i * (wide ? 8 : 4);
}

static inline const cni_key_kernels *cni_sort_key_kernels(const cni_sort_block *b, bool wide)
{
    return wide ? &b->j->kernels->key_64 : &b->j->kernels->key_32;
}

#endif
