/* cuda_joint.h - the device's part of what places do together (exec/joint_device.h). */
#ifndef CNI_CUDA_JOINT_H
#define CNI_CUDA_JOINT_H

#include "cuda/cuda_kernel.h"
#include "exec/joint_device.h"

extern const cni_joint_device cni_cuda_joint;

/* A few numbers from the device, or to it: counted; waits. */
cn_status cni_cuda_joint_fetch(void *host, uint64_t device, int64_t nbytes);
cn_status cni_cuda_joint_tell(uint64_t device, const void *host, int64_t nbytes);

/*
 * What count items are asked of each place, in order (asking.cuh): the kernel counts, then places; sent: by place. placing is
 * the word of its parameters that says which; counts, and cursors behind them, are 4 bytes a place.
 */
enum { CNI_CUDA_ASKING_PLACES = 1024, CNI_CUDA_ASKING_THREADS = 256, CNI_CUDA_ASKING_ITEMS = 4 };
cn_status cni_cuda_joint_ask(const cni_cuda_module *kernels, int64_t count, const void *words, size_t size,
                             int64_t *placing, uint64_t counts, int64_t places, int64_t *sent);

/* Its entries for sorts. (cuda_joint_sort.c) */
void *cni_cuda_joint_sort_bind(cn_dtype dtype, bool indices, int places, int64_t most, int64_t *memory);
void cni_cuda_joint_sort_own(const void *there, const cni_sorting *x);
cn_status cni_cuda_joint_sort_tally(const void *there, const cni_sorting *x, const int64_t *low, const int64_t *high,
                                    int shift, int bits, int64_t *counts);
void cni_cuda_joint_sort_merge(const void *there, const cni_sorting *x);

/* Of searches. (cuda_search.c) */
void *cni_cuda_joint_search_bind(cn_dtype dtype, bool right, int places, int64_t most, int64_t *memory);
cn_status cni_cuda_joint_search_first(const void *there, const cni_searching *x, void *first);
cn_status cni_cuda_joint_search_begin(const void *there, const cni_searching *x, const void *firsts, const int *owners);
cn_status cni_cuda_joint_search_ask(const void *there, const cni_searching *x, int64_t *sent);
void cni_cuda_joint_search_answer(const void *there, const cni_searching *x);
void cni_cuda_joint_search_take(const void *there, const cni_searching *x);

#endif
