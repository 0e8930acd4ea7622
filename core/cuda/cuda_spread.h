/*
 * cuda_spread.h - memory made of pages under one run of addresses: on all GPUs, which each of them can use; and what one of
 * several places has of an array.
 *
 *     address    |. . . . . . . . . .|. . . . . . . . . .|        |- - - - - -|. . . . .|. . . . .|. - - - - -|
 *     pages of    GPU 0               GPU 1                        none         GPU 0     GPU 1     (a halo)
 *
 * Every kernel works on it as on any memory; it is faster on the GPU that has the pages. So what GPU does which part of a
 * launch is a matter of speed, never of results. Borders are multiples of the pages' size, nearest to equal shares of what
 * is shared out: arrays of nearly the same size are cut alike. A place has the addresses of the whole array, and pages
 * where it owns or reads something.
 */
#ifndef CNI_CUDA_SPREAD_H
#define CNI_CUDA_SPREAD_H

#include "cuda/cuda_driver.h"

typedef struct cni_cuda_pages {
    size_t begin, end;
    int gpu;
} cni_cuda_pages;

typedef struct cni_cuda_spread {
    cni_cuda_address address;
    size_t nbytes;
    size_t low, high;                /* the bytes that the GPUs share out */
    size_t begin[CNI_CUDA_GPUS + 1]; /* GPU k has what there is of bytes [begin[k], begin[k + 1]) */
    bool free;
    cni_cuda_pages *pages; /* that are there */
    size_t npages, capacity;
} cni_cuda_spread;

/* Do blocks of this size lie on several GPUs? */
bool cni_cuda_spread_wanted(int64_t nbytes);

/* A block of at least so many bytes, made of pages, or one of that size that was given back. 0: no memory. */
cni_cuda_address cni_cuda_spread_alloc(int64_t nbytes);

/* Addresses for nbytes of which the GPUs share out [low, high); nothing is there yet, unless it was before. 0: none. */
cni_cuda_address cni_cuda_spread_reserve(int64_t nbytes, int64_t low, int64_t high);

/* Bytes [low, high) of such addresses are there from now on; false: no memory for them. */
bool cni_cuda_spread_touch(cni_cuda_address address, int64_t low, int64_t high);

/* Keeps the block for the next one of its size; false: it is none of these. */
bool cni_cuda_spread_free(cni_cuda_address address);

/* Gives blocks that are free back to the driver, once no work uses them. */
void cni_cuda_spread_trim(void);

/* The block that has this address; NULL: the memory is the first GPU's. */
const cni_cuda_spread *cni_cuda_spread_find(cni_cuda_address address);

/*
 * Memory of the GPU's own for the time of one step, at least n bytes: what a library reads many times is copied there. The
 * same memory again for the next step. Its context is the thread's. 0: no memory.
 */
cni_cuda_address cni_cuda_local(int gpu, size_t n);

/* Bytes that the GPU has of all blocks. */
int64_t cni_cuda_spread_taken(int gpu);

/* The GPU that has the address, and how many of n bytes from there on are its. */
int cni_cuda_owner(cni_cuda_address address, size_t n, size_t *here);

/* Of n rows, so many bytes each, from the address on, the GPU does those from `from` on of which it has the beginning: up to
   which, with the last GPU all that are left. */
int64_t cni_cuda_spread_end(const cni_cuda_spread *memory, int gpu, cni_cuda_address address, int64_t step,
                            int64_t from, int64_t n);

/* A copy on the stream; of each GPU's bytes on their own: one of several GPUs' at once is six times slower. */
void cni_cuda_copy_owned(cni_cuda_address to, cni_cuda_address from, size_t n, cni_cuda_handle stream);

#endif
