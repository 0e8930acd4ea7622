/* cuda_memory.h - memory of the device, and moves to and from it. See cuda_memory.c. */
#ifndef CNI_CUDA_MEMORY_H
#define CNI_CUDA_MEMORY_H

#include "record/array.h"

/* NULL without memory. What is freed may be in use by work in the stream: who gets it next comes later in it. */
void *cni_cuda_alloc(int64_t nbytes);
void cni_cuda_free(void *memory, int64_t nbytes);

/* Gives large free blocks back to the driver, which waits until they are not in use. */
void cni_cuda_trim(void);

/* Would so many more bytes of the GPU be within the setting gpu_memory? */
bool cni_cuda_may_take(int gpu, int64_t nbytes);

extern const cni_device cni_cuda_device;

#endif
