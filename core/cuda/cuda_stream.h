/*
 * cuda_stream.h - the streams of the GPUs and their order.
 *
 *     GPU 0   ---- launch 1 ----\/---- launch 2 ----------------- launch 3 ----
 *     GPU 1   ---- launch 1 ----/\---- launch 2 ----/
 *
 * All that is sent comes in steps, and each waits for the whole of those before it, whichever GPUs they ran on. A step is
 * work for one GPU or for several at once. With one GPU nothing is waited for: its stream is the order.
 */
#ifndef CNI_CUDA_STREAM_H
#define CNI_CUDA_STREAM_H

#include "cuda/cuda_driver.h"

/* A step begins, for the GPUs of this set (bit k: GPU k). */
void cni_cuda_step(uint32_t set);

/* Where work of the step goes; the GPU's context is the thread's until cni_cuda_step_end. */
cni_cuda_handle cni_cuda_stream(int gpu);

/* The first GPU's context is the thread's again. */
void cni_cuda_step_end(void);

#endif
