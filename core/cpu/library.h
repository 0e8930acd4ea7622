/* library.h - see library.c, matmul.c and blas.c. */
#ifndef CNI_LIBRARY_H
#define CNI_LIBRARY_H

#include "exec/place.h"

/* Bytes of scratch memory (run->scratch) that the op takes with the window's geometry. */
int64_t cni_library_scratch(const cni_part *part, const cni_window *w);
bool cni_library_takes_scratch(int kind);
void cni_library_run(const cni_part *part, const cni_run *run);

/* Ops that places may do one after the other: cni_sharing's chain functions. */
cni_chain_rule cni_library_chain_rule(const cni_part *part, const cni_window *w);
void cni_library_chain_bind(const cni_part *part, const cni_window *w, int64_t *own, int64_t *state);
void cni_library_chain(const cni_part *part, const cni_run *run, const cni_link *link, cni_link_phase phase);

/* place.h's chain_rows. */
void cni_library_chain_rows(const cni_part *part, const cni_window *w, const cni_link *link, cni_link_phase phase,
                            void **rows);

/* The same, and chain_left after BEGIN, of accumulations. */
void cni_scan_chain_rows(const cni_part *part, const cni_window *w, const cni_link *link, cni_link_phase phase,
                         void **rows);
void cni_scan_chain_left(const cni_part *part, const cni_window *w, const cni_link *link);

/* With chain 1: how, of this geometry; bytes of what is a share's own and of what is handed on, and a phase. */
#define CN_LIBRARY(id, name, scratch, share, chain)                                                                    \
    void cni_library_##name(const cni_part *part, const cni_run *run);                                                 \
    int64_t cni_library_##name##_scratch(const cni_part *part, const cni_window *w);     /* if scratch */              \
    cni_chain_rule cni_library_##name##_rule(const cni_part *part, const cni_window *w); /* these if chain */          \
    void cni_library_##name##_link(const cni_part *part, const cni_window *w, int64_t *own, int64_t *state);           \
    void cni_library_##name##_chain(const cni_part *part, const cni_run *run, const cni_link *link,                    \
                                    cni_link_phase phase);
#include "op/library.def"
#undef CN_LIBRARY

/* ---- For those functions ---- */

/* Operand k of the op (outputs first): its view, and the address of its first element. */
typedef struct cni_library_operand {
    cni_geometry g;
    cn_dtype dtype;
    char *data;
} cni_library_operand;

cni_library_operand cni_library_operand_get(const cni_part *part, int k, const cni_run *run);
const cn_scalar *cni_library_scalar(const cni_part *part, int k, const cni_run *run);

/* Advances a C-order index; false when it begins anew. */
static inline bool cni_next_index(int ndim, const int64_t *shape, int64_t *index)
{
    int d = ndim - 1;
    while (d >= 0 && ++index[d] == shape[d]) {
        index[d--] = 0;
    }
    return d >= 0;
}

static inline int64_t cni_offset_of(int ndim, const int64_t *strides, const int64_t *index)
{
    int64_t offset = 0;
    for (int d = 0; d < ndim; d++) {
        offset += index[d] * strides[d];
    }
    return offset;
}

/* How many threads n elements of `work` element operations each pay for; 1 to most. */
int cni_library_threads(int64_t n, int64_t work, int most);

/*
 * Calls run(context, line) for the lines along one axis, shared out over threads: line k counts the other axes in C
 * order. work: element operations of a line.
 */
void cni_library_lines(int64_t lines, int64_t work, void (*run)(void *context, int64_t first, int64_t end),
                       void *context);

/* ufunc.at of the part's op, in order: array's rows by numbers (one axis, or nindex of them as one); values: NULL if unary. */
void cni_apply_rows(const cni_part *part, const cni_run *run, const cni_library_operand *array,
                    const cni_library_operand *values, const cni_library_operand *numbers, int nindex);

typedef struct cni_matrix {
    cn_dtype dtype;
    int64_t rows, columns, row_stride, column_stride; /* strides in bytes */
    char *data;
} cni_matrix;

/* c = a b of bools or integers; false: they are others. */
bool cni_multiply_whole(const cni_matrix *a, const cni_matrix *b, const cni_matrix *c);

/*
 * c = a b. BLAS for floating dtypes when one is loaded, plain loops otherwise; integers wrap, bools are or-ed ands. c may
 * be some of a result with so many rows and columns, which decide by which routine. whole: c is all of it, however many
 * places there are.
 */
void cni_matrix_multiply(const cni_matrix *a, const cni_matrix *b, const cni_matrix *c, int64_t rows, int64_t columns,
                         bool whole);

#endif
