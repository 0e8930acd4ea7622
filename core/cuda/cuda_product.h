/* cuda_product.h - matrix products by cuBLAS (cuda_matmul.c), for those that go segment by segment (cuda_across.c). */
#ifndef CNI_CUDA_PRODUCT_H
#define CNI_CUDA_PRODUCT_H

#include "exec/place.h"

/* Does the library multiply what the part multiplies? Then, of a product of two matrices, segments of the sum of so many
   elements, each a dense result in memory from `to` on. */
bool cni_cuda_multiplies(const cni_part *part, const cni_window *w);
void cni_cuda_multiply_segments(const cni_part *part, const cni_run *run, int64_t segment, uint64_t to);

#endif
