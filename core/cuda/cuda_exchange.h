/* cuda_exchange.h - what a place has for others, between its memory on the device and messages. */
#ifndef CNI_CUDA_EXCHANGE_H
#define CNI_CUDA_EXCHANGE_H

#include "record/array.h"

/* The entries of cni_device for places (record/array.h). */
void *cni_cuda_reserve(int64_t nbytes, int64_t low, int64_t high);
bool cni_cuda_touch(void *memory, int64_t low, int64_t high);
void cni_cuda_unreserve(void *memory);
void *cni_cuda_pinned(int64_t nbytes);
void cni_cuda_unpin(void *memory);
void cni_cuda_pack(const cni_region *region, void *packed, const void *device);
void cni_cuda_unpack(const cni_region *region, void *device, const void *packed);
void cni_cuda_mark(void);
cn_status cni_cuda_reach(void);

/* Of messages that are in the device's memory, too (exec/direct.h). */
void cni_cuda_pack_near(const cni_region *region, void *packed, const void *device);
void cni_cuda_unpack_near(const cni_region *region, void *device, const void *packed);

#endif
