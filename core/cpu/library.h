/* library.h - see library.c and blas.c. */
#ifndef CNI_LIBRARY_H
#define CNI_LIBRARY_H

#include "exec/place.h"

void cni_library_run(const cni_part *part, const cni_run *run);

typedef struct cni_matrix {
    cn_dtype dtype;
    int64_t rows, columns, row_stride, column_stride; /* strides in bytes */
    char *data;
} cni_matrix;

/* c = a b. BLAS for floating dtypes when one is loaded, plain loops otherwise; integers wrap, bools are or-ed ands. */
void cni_matrix_multiply(const cni_matrix *a, const cni_matrix *b, const cni_matrix *c);

#endif
