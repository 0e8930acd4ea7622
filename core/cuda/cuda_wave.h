/*
 * cuda_wave.h - rows that lie on several GPUs and are to be taken in their order: each GPU goes on where the one before it
 * has ended, columns by columns.
 *
 *     GPU 0, rows before   | columns 0 | columns 1 | columns 2 |
 *     GPU 1, rows behind               | columns 0 | columns 1 | columns 2 |
 *
 * Every GPU reads its own memory; what the next one goes on from is a row.
 */
#ifndef CNI_CUDA_WAVE_H
#define CNI_CUDA_WAVE_H

#include "cuda/cuda_driver.h"

/* The GPUs that have rows, in the order of these: gpu[i] has [from[i], to[i]). */
typedef struct cni_cuda_wave {
    int count, gpu[CNI_CUDA_GPUS];
    int64_t from[CNI_CUDA_GPUS], to[CNI_CUDA_GPUS];
} cni_cuda_wave;

/* From shares of the rows, between 0 and 1, by GPU. */
cni_cuda_wave cni_cuda_wave_of(const double *from, const double *to, int64_t rows);

/* In how many pieces the blocks go, of which each reads or writes so many bytes in all: no piece has fewer than least. */
int64_t cni_cuda_wave_pieces(const cni_cuda_wave *wave, int64_t bytes, int64_t blocks, int64_t least);

/* Blocks [first, first + count) of the kernel for member i of the wave are next: sets that GPU's parameters. */
typedef void cni_cuda_wave_set(void *context, int i, int64_t first, int64_t count);

/* Sends all; functions and parameters by GPU. */
void cni_cuda_wave_send(const cni_cuda_wave *wave, const cni_cuda_handle *functions, int64_t blocks, int64_t pieces,
                        unsigned x, unsigned y, const void *const *parameters, size_t size, cni_cuda_wave_set *set,
                        void *context);

#endif
