/* cuda_small.h - factorisations of many small matrices at once, by kernels of our own: a team of threads has a matrix. */
#ifndef CNI_CUDA_SMALL_H
#define CNI_CUDA_SMALL_H

#include "exec/device_call.h"

/*
 * Runs the call on so many matrices; info: of each, on the device, 0 or what LAPACK says. False: it has no kernel for it, and
 * nothing has been done.
 */
bool cni_cuda_small_run(const cni_device_call *call, int64_t batch, int *info);

/* Does a matrix of that size fit in a block's memory, and its threads in the block? */
bool cni_cuda_small_fits(int64_t height, int64_t width, int64_t itemsize);

#endif
