/*
 * loops.h - the compiled inner loops of tier 0: one table an instruction set, chosen at start.
 *
 * Every row of ops.def gives one loop for each of its dtype signatures; loops are numbered over all rows
 * (cni_op_info.first_loop + index). A loop works on contiguous runs. An output may be the very same run as an input
 * (in place); otherwise runs do not overlap. n > 0.
 */
#ifndef CNI_LOOPS_H
#define CNI_LOOPS_H

#include "cnumeric.h"

/*
 * p: outputs, then inputs. Bit k of scalars: input k is one element for all (allowed only where
 * cni_cpu_kernels.loop_scalars has the bit).
 */
typedef void (*cni_loop)(int64_t n, void *const *p, unsigned scalars);

/* *accumulator = *accumulator op (in[0] op ... in[n-1]), contiguous; add sums in NumPy's pairwise order. */
typedef void (*cni_reduce_loop)(int64_t n, const void *in, void *accumulator);

/* accumulators[i] = accumulators[i] op first row[i] op second row[i] ..., of rows that lie `stride` bytes apart. */
typedef void (*cni_rows_loop)(int64_t n, int64_t rows, const void *in, int64_t stride, void *accumulators);

/* out[i] = *accumulator op in[0] op ... op in[i], one after the other, which is left in *accumulator; may be in place. */
typedef void (*cni_scan_loop)(int64_t n, const void *in, void *out, void *accumulator);

/* The element at to + index[i] * stride takes op(it, in[i * step]), one after the other; step 0: one element for all. */
typedef void (*cni_apply_loop)(int64_t n, char *to, int64_t stride, const int64_t *index, const void *in, int64_t step);

/* Copies n elements of one size between strided runs (bytes; stride 0 and negative allowed). */
typedef void (*cni_copy_loop)(int64_t n, void *destination, int64_t destination_stride, const void *source,
                              int64_t source_stride);

/* The same of rows x columns elements: for each side the bytes from row to row, and from column to column. */
typedef void (*cni_plane_loop)(int64_t rows, int64_t columns, void *destination, int64_t to_row, int64_t to_column,
                               const void *source, int64_t from_row, int64_t from_column);

/* The first `room` elements whose bytes are true, in order; there are so many. */
typedef void (*cni_select_loop)(int64_t room, const uint8_t *truth, const void *in, void *out);

/* Their places instead, counted from `first`. */
typedef void (*cni_select_places_loop)(int64_t room, const uint8_t *truth, int64_t first, int64_t *out);

/* out[i] += factor 0 * row 0[i] + factor 1 * row 1[i] ..., `count` of them (bools: | and &); strides in bytes. */
typedef void (*cni_combine_loop)(int64_t n, int64_t count, const char *factors, int64_t factor_stride, const char *rows,
                                 int64_t row_stride, void *out);

/* *out = the sum of x[i] * y[i] (bools: | and &); strides in bytes. */
typedef void (*cni_dot_loop)(int64_t n, const char *x, int64_t x_stride, const char *y, int64_t y_stride, void *out);

typedef struct cni_cpu_kernels {
    const char *name;                               /* "baseline", "avx2", "avx512" */
    const cni_loop *loops;                          /* by loop number */
    const uint8_t *loop_scalars;                    /* by loop number: inputs that may be scalars */
    const cni_reduce_loop *reduces;                 /* by loop number; NULL where the row is no reduction */
    const cni_rows_loop *rows;                      /* the same, for rows of results */
    const cni_scan_loop *scans;                     /* the same for accumulations */
    const cni_apply_loop *applies;                  /* the same for ufunc.at */
    cni_loop casts[CN_DTYPE_COUNT][CN_DTYPE_COUNT]; /* [from][to]; p[0] to, p[1] from; NULL on the diagonal */
    cni_copy_loop copies[5];                        /* by log2 of the element size */
    cni_plane_loop planes[5];                       /* likewise */
    cni_select_loop selects[5];                     /* likewise */
    cni_select_places_loop select_places;
    cni_combine_loop combines[CN_FLOAT16]; /* bools and whole numbers */
    cni_dot_loop dots[CN_FLOAT16];
} cni_cpu_kernels;

/* The table for this processor; the setting instruction_set (0 best, 1 baseline, 2 avx2, 3 avx512) may lower it. */
const cni_cpu_kernels *cni_cpu_kernels_get(void);

#endif
