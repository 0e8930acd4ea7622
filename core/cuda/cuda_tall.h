/*
 * cuda_tall.h - products of a matrix of many short rows with a vector, in one reading of the matrix (tall.cuh); also two of
 * them and what lies between, x.T @ f(x @ v), where f goes row by row.
 */
#ifndef CNI_CUDA_TALL_H
#define CNI_CUDA_TALL_H

#include "base/text.h"
#include "cuda/cuda_library.h"

/* Such a product: which of its operands are what. */
typedef struct cni_cuda_tall {
    bool back;
    int matrix, vector;
    int64_t rows, columns, row_stride, vector_stride, out_stride;
    int elements; /* that are loaded as one */
    cn_dtype dtype;
} cni_cuda_tall;

/* Is the part such a product? */
bool cni_cuda_tall_of(const cni_part *part, const cni_window *w, cni_cuda_tall *out);

/* Fills in what follows from the product's geometry; one of each kind may share the words. */
void cni_cuda_tall_set(const cni_cuda_tall *t, cni_cuda_tall_words *words);

/* Appends the words that tall.cuh wants of a kernel that does one of them, or both. */
void cni_cuda_tall_text(const cni_cuda_tall *t, bool forward, bool back, cni_text *text);

int64_t cni_cuda_tall_blocks(const cni_cuda_tall *t);
int64_t cni_cuda_tall_scratch(const cni_cuda_tall *t); /* with a product that is summed down the columns */

/* One alone: false if it is none, or cannot be compiled. */
bool cni_cuda_tall_bind(const cni_part *part, const cni_window *w, cni_cuda_library_binding *b);
void cni_cuda_tall_run(const cni_part *part, cni_cuda_library_binding *b, const cni_run *run);

#endif
