/*
 * cuda_join.h - launches that follow each other as one kernel: x.T @ f(x @ v), where f is nothing, or a group that goes row
 * by row. It reads x once, and writes all that the launches write.
 */
#ifndef CNI_CUDA_JOIN_H
#define CNI_CUDA_JOIN_H

#include "exec/place.h"

typedef struct cni_cuda_join cni_cuda_join;

/* How many of the launches go together; 0: none do. */
uint32_t cni_cuda_join_bind(const cni_launch *launches, uint32_t count, const cni_window *w, cni_cuda_join **out);
void cni_cuda_join_unbind(cni_cuda_join *j);
int64_t cni_cuda_join_scratch(const cni_cuda_join *j);
void cni_cuda_join_run(cni_cuda_join *j, const cni_launch *launches, const cni_run *run);

#endif
