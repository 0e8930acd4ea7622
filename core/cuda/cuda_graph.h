/*
 * cuda_graph.h - all that is sent to the GPUs' streams: kernels, fills and copies; and plans that are replayed as CUDA
 * graphs. See cuda_graph.c.
 */
#ifndef CNI_CUDA_GRAPH_H
#define CNI_CUDA_GRAPH_H

#include "cuda/cuda_driver.h"

/* Starts a kernel on the first GPU: functions by GPU; one parameter, a struct of that size. Zero blocks: nothing. */
void cni_cuda_launch(const cni_cuda_handle *functions, int64_t blocks, unsigned x, unsigned y, const void *parameters,
                     size_t size);

/* The same, with so many bytes for each block beside those that its text declares: CNI_SHARED_MORE. */
void cni_cuda_launch_shared(const cni_cuda_handle *functions, int64_t blocks, unsigned x, unsigned shared,
                            const void *parameters, size_t size);

/* The same on every GPU that has blocks of it, at once; parameters[k]: of GPU k. */
void cni_cuda_launch_each(const cni_cuda_handle *functions, const int64_t *blocks, unsigned x, unsigned y,
                          const void *const *parameters, size_t size);

/* n bytes become this byte, or what is at the other address; each GPU does those that it has. */
void cni_cuda_fill(cni_cuda_address to, unsigned char byte, size_t n);
void cni_cuda_copy(cni_cuda_address to, cni_cuda_address from, size_t n);

/* A library is about to send work of its own: the plan that is being run is no graph. */
void cni_cuda_foreign(void);

/* What the plan sends now is not what it will send the next time: this run makes no graph. */
void cni_cuda_unsettled(void);

/*
 * Around the run of a plan whose parts are all the device's: memory is kept with the plan's binding (NULL at first), key
 * says all addresses. The plan sends the same work each time, but for the kernels' parameters.
 */
void cni_cuda_plan_begin(void **memory, uint64_t key);
void cni_cuda_plan_end(void **memory);
void cni_cuda_plan_forget(void *memory);

#endif
