/*
 * cuda_library.h - ops of library.def on the device, a row each in cuda_library.c's table; what has no row, or cannot be
 * bound, is the processor's.
 */
#ifndef CNI_CUDA_LIBRARY_H
#define CNI_CUDA_LIBRARY_H

#include "cuda/cuda_graph.h"
#include "cuda/cuda_kernel.h"
#include "exec/place.h"

enum { CNI_CUDA_DIMS = 8 };

/* As tall.cuh has it. */
typedef struct cni_cuda_tall_words {
    int64_t begin, rows, columns, row_stride;
    uint64_t matrix, v, r, z, g, sums;
    int64_t v_stride, r_stride, z_stride, g_stride;
} cni_cuda_tall_words;

typedef struct cni_cuda_library_binding {
    const struct cni_cuda_library_row *row;
    const cni_cuda_module *module, *second, *third;
    int64_t blocks, finish_blocks, second_blocks; /* of 256 threads */
    int64_t scratch;
    union {
        int64_t begin; /* of what GPUs share out: the launch's first block */
        struct {
            int64_t begin;
            uint64_t out;
            int64_t n, stride, at; /* at: the number of the first element */
            uint64_t first[2], step[2];
        } arange;
        struct {
            int64_t begin;
            uint64_t array, side, flat, winners;
            int64_t count, row;
            struct {
                int64_t n, shape[CNI_CUDA_DIMS], a[CNI_CUDA_DIMS], b[CNI_CUDA_DIMS];
            } index, rest, named;
        } gather;
        struct {
            int64_t begin;
            uint64_t array, flat, side, kept, runs;
            int64_t count, tiles, groups, shift, flat_step;
        } regions; /* gather_regions.cuh */
        struct {
            int64_t begin;
            uint64_t in, out, found;
            int64_t lines, length, shares, across;
            int64_t nouter, outer[CNI_CUDA_DIMS], in_outer[CNI_CUDA_DIMS], out_outer[CNI_CUDA_DIMS];
            int64_t ninner, inner[CNI_CUDA_DIMS], in_inner[CNI_CUDA_DIMS];
            int64_t before;
        } extreme;
        struct {
            uint64_t numbers, table;
            int64_t n, size, threads;
        } count;
        struct {
            uint64_t matrix, vector, out, parts;
            int64_t count, segment, columns, row_step, column_step, vector_step, width;
        } across;
        struct {
            int64_t begin;
            uint64_t in, out, scratch;
            int64_t lines, length, in_step, out_step, per_line;
            int64_t nouter, outer[CNI_CUDA_DIMS], in_outer[CNI_CUDA_DIMS], out_outer[CNI_CUDA_DIMS];
            uint64_t link;
            int64_t goes_on;
            uint64_t identity;
        } scan; /* scan_long.cuh likewise */
        cni_cuda_tall_words tall;
        struct {
            int64_t begin;
            uint64_t parts, out;
            int64_t rows, columns, row_stride, column_stride;
        } segments;
        struct {
            uint64_t truth, array, out, scratch;
            int64_t n, aligned, begin, stop;
            uint64_t counts;
            int64_t gpu, threads;
        } select;
        struct {
            int64_t begin;
            uint64_t sorted, values, out;
            int64_t n, count;
        } search;
        struct {
            int64_t n, lines, itemsize;
            bool indices;
            int64_t nouter, outer[CNI_CUDA_DIMS], in_outer[CNI_CUDA_DIMS], out_outer[CNI_CUDA_DIMS];
        } sort;    /* no parameters: cuda_sort.c */
    } p;           /* as the .cuh of the same name has it */
    int64_t marks; /* bytes of scratch memory that are set before each run */
    void *more;    /* the row's own */
} cni_cuda_library_binding;

typedef struct cni_cuda_library_row {
    bool (*bind)(const cni_part *part, const cni_window *w, cni_cuda_library_binding *b);
    void (*run)(const cni_part *part, cni_cuda_library_binding *b, const cni_run *run);
    bool shares;                                 /* can do a box of what several places do */
    void (*unbind)(cni_cuda_library_binding *b); /* what bind made, or began to (NULL: nothing) */
    /* cni_place's (NULL: the processor's) */
    bool (*bind_rows)(const cni_part *part, const cni_window *w, const cni_chain_rule *rule,
                      cni_cuda_library_binding *b);
    cn_status (*rows)(const cni_part *part, cni_cuda_library_binding *b, const cni_run *run, int64_t before,
                      cni_link_phase phase, void *const *rows);
} cni_cuda_library_row;

bool cni_cuda_library_supports(const cni_part *part, const cni_window *w);
bool cni_cuda_library_shares(const cni_part *part, const cni_window *w);
cn_status cni_cuda_library_bind(const cni_part *part, const cni_window *w, cni_cuda_library_binding **out);
void cni_cuda_library_unbind(cni_cuda_library_binding *binding); /* NULL: nothing */
int64_t cni_cuda_library_scratch(const cni_cuda_library_binding *binding);
void cni_cuda_library_run(const cni_part *part, cni_cuda_library_binding *binding, const cni_run *run);

/* cni_place's bind_rows and rows. */
cn_status cni_cuda_library_rows_bind(const cni_part *part, const cni_window *w, const cni_chain_rule *rule,
                                     cni_cuda_library_binding **out);
cn_status cni_cuda_library_rows(const cni_part *part, cni_cuda_library_binding *binding, const cni_run *run,
                                int64_t before, cni_link_phase phase, void *const *rows);

/* ---- For rows ---- */

static inline cni_geometry cni_cuda_operand(const cni_part *part, const cni_window *w, int k)
{
    return cni_window_geometry(w, part->access[k].view);
}

static inline cn_dtype cni_cuda_operand_dtype(const cni_part *part, const cni_window *w, int k)
{
    return (cn_dtype)w->views[part->access[k].view].dtype;
}

/* Address of operand k's first element. */
static inline uint64_t cni_cuda_operand_address(const cni_part *part, const cni_run *run, int k)
{
    return (uint64_t)(uintptr_t)run->slots[part->access[k].slot] +
           (uint64_t)cni_cuda_operand(part, run->window, k).offset;
}

/* Launches; where this memory, which blocks go through in order, lies on several GPUs, each does its part of the kernel. */
void cni_cuda_library_launch(const cni_cuda_library_binding *b, size_t size, uint64_t through);

/* What a share leaves, or is given (up): counted; waits if it is left. */
cn_status cni_cuda_library_link(uint64_t there, void *host, int64_t nbytes, bool up);

/* Compiles the text; frees it. */
bool cni_cuda_library_compiled(cni_cuda_library_binding *b, struct cni_text *text);

/* n dimensions with one or two sets of strides, merged where they allow; false: too many are left. */
bool cni_cuda_merge_axes(int n, const int64_t *shape, const int64_t *a, const int64_t *b, int64_t *count,
                         int64_t *to_shape, int64_t *to_a, int64_t *to_b);

/* All axes of in but one, those of extent 1 left out; out has as many. False: too many. */
bool cni_cuda_outer_axes(const cni_geometry *in, const cni_geometry *out, int axis, int64_t *n, int64_t *shape,
                         int64_t *in_strides, int64_t *out_strides);

/* Accumulations; elements at which bytes are true. */
bool cni_cuda_scan_bind(const cni_part *part, const cni_window *w, cni_cuda_library_binding *b);
void cni_cuda_scan_run(const cni_part *part, cni_cuda_library_binding *b, const cni_run *run);
bool cni_cuda_select_bind(const cni_part *part, const cni_window *w, cni_cuda_library_binding *b);
void cni_cuda_select_run(const cni_part *part, cni_cuda_library_binding *b, const cni_run *run);

/* Their rows of several places. */
bool cni_cuda_scan_rows_bind(const cni_part *part, const cni_window *w, const cni_chain_rule *rule,
                             cni_cuda_library_binding *b);
cn_status cni_cuda_scan_rows_run(const cni_part *part, cni_cuda_library_binding *b, const cni_run *run, int64_t before,
                                 cni_link_phase phase, void *const *rows);

/* argmin and argmax; how often numbers occur, and sums of weights by number; products whose sums several places have. */
bool cni_cuda_extreme_bind(const cni_part *part, const cni_window *w, cni_cuda_library_binding *b);
void cni_cuda_extreme_run(const cni_part *part, cni_cuda_library_binding *b, const cni_run *run);
bool cni_cuda_extreme_rows_bind(const cni_part *part, const cni_window *w, const cni_chain_rule *rule,
                                cni_cuda_library_binding *b);
cn_status cni_cuda_extreme_rows_run(const cni_part *part, cni_cuda_library_binding *b, const cni_run *run,
                                    int64_t before, cni_link_phase phase, void *const *rows);
bool cni_cuda_count_bind(const cni_part *part, const cni_window *w, cni_cuda_library_binding *b);
void cni_cuda_count_run(const cni_part *part, cni_cuda_library_binding *b, const cni_run *run);
bool cni_cuda_count_rows_bind(const cni_part *part, const cni_window *w, const cni_chain_rule *rule,
                              cni_cuda_library_binding *b);
cn_status cni_cuda_count_rows_run(const cni_part *part, cni_cuda_library_binding *b, const cni_run *run, int64_t before,
                                  cni_link_phase phase, void *const *rows);
bool cni_cuda_across_bind(const cni_part *part, const cni_window *w, const cni_chain_rule *rule,
                          cni_cuda_library_binding *b);
cn_status cni_cuda_across_run(const cni_part *part, cni_cuda_library_binding *b, const cni_run *run, int64_t before,
                              cni_link_phase phase, void *const *rows);

/* sort and argsort: of a line of n elements at most, of which b->p.sort.n says how many it has; and what a text of kernels
   says of the dtype. */
bool cni_cuda_sort_line_bind(cn_dtype dtype, bool indices, int64_t n, cni_cuda_library_binding *b);
void cni_cuda_sort_line(const cni_cuda_library_binding *b, uint64_t from, uint64_t to, uint64_t scratch);
void cni_cuda_sort_text(cn_dtype dtype, int64_t itemsize, bool indices, const char *kernels, struct cni_text *text);

bool cni_cuda_sort_bind(const cni_part *part, const cni_window *w, cni_cuda_library_binding *b);
void cni_cuda_sort_run(const cni_part *part, cni_cuda_library_binding *b, const cni_run *run);

/* Where values go in a sorted vector. */
bool cni_cuda_search_bind(const cni_part *part, const cni_window *w, cni_cuda_library_binding *b);
void cni_cuda_search_run(const cni_part *part, cni_cuda_library_binding *b, const cni_run *run);

/* Fourier transforms, by cuFFT. */
bool cni_cuda_fourier_bind(const cni_part *part, const cni_window *w, cni_cuda_library_binding *b);
void cni_cuda_fourier_unbind(cni_cuda_library_binding *b);
void cni_cuda_fourier_run(const cni_part *part, cni_cuda_library_binding *b, const cni_run *run);

/* Matrix products, by cuBLAS. */
bool cni_cuda_matmul_bind(const cni_part *part, const cni_window *w, cni_cuda_library_binding *b);
void cni_cuda_matmul_run(const cni_part *part, cni_cuda_library_binding *b, const cni_run *run);

#endif
