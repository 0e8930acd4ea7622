/*
 * cuda_split.h - which of a launch's blocks each GPU does: those whose elements lie in its memory.
 *
 * Blocks go through a nest in its order, so a share of the nest's elements is about that share of the blocks. What is near a
 * border may be done on either side.
 */
#ifndef CNI_CUDA_SPLIT_H
#define CNI_CUDA_SPLIT_H

#include "cuda/cuda_layout.h"
#include "cuda/cuda_spread.h"

/*
 * Shares [from[k], to[k]) of the nest, between 0 and 1, for each GPU, going by the largest operand that lies on several:
 * one that is written, if there is one, unless that is mostly one GPU's and what is read is not (a part of a join). False:
 * all operands are the first GPU's.
 */
bool cni_cuda_split(const cni_cuda_layout *layout, void *const *slots, double *from, double *to);

/* The shares of blocks that go through all of this memory in order: those of the memory. */
void cni_cuda_split_memory(const cni_cuda_spread *memory, double *from, double *to);

/* Blocks [first[k], first[k] + count[k]) of so many, for each GPU. */
void cni_cuda_split_blocks(int64_t blocks, const double *from, const double *to, int64_t *first, int64_t *count);

#endif
