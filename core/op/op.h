/*
 * op.h - what exists: the rows of ops.def as C tables, and NumPy's rules for choosing a loop.
 */
#ifndef CNI_OP_H
#define CNI_OP_H

#include "cnumeric.h"

enum { CNI_MAX_NIN = 3, CNI_MAX_NOUT = 2, CNI_MAX_ARGS = CNI_MAX_NIN + CNI_MAX_NOUT };

typedef enum cni_opcode {
#define CN_OP(id, ...) CNI_OP_##id,
#include "op/ops.def"
#undef CN_OP
    CNI_OP_COUNT
} cni_opcode;

typedef struct cni_signature {
    uint8_t dtypes[CNI_MAX_ARGS]; /* inputs, then outputs (cn_dtype) */
} cni_signature;

typedef enum cni_identity {
    CNI_IDENTITY_NONE,
    CNI_IDENTITY_ZERO,
    CNI_IDENTITY_ONE,
    CNI_IDENTITY_MINUS_ONE,
    CNI_IDENTITY_MINUS_INFINITY,
    CNI_IDENTITY_TRUE,
    CNI_IDENTITY_FALSE,
} cni_identity;

/* How reductions with the op may be reordered without changing bits. */
typedef enum cni_reduce_kind {
    CNI_REDUCE_NONE,
    CNI_REDUCE_FOLD,
    CNI_REDUCE_SUM,
    CNI_REDUCE_ORDERED,
    CNI_REDUCE_ANY_ORDER
} cni_reduce_kind;

typedef struct cni_op_info {
    const char *row, *name; /* the row's, NumPy's */
    uint8_t nin, nout;
    uint8_t identity;    /* cni_identity */
    uint8_t reduce_kind; /* cni_reduce_kind */
    uint8_t cost;        /* about cycles an element of float64 with AVX2 */
    uint8_t ulp;         /* most units in the last place from the true value; 0: NumPy's bits */
    bool commutative;
    uint16_t nloops;
    uint16_t first_loop;
    const cni_signature *signatures; /* in NumPy's order */
    const char *raises;              /* letters of the families whose loops raise floating-point events: I F C */
    uint8_t carries;                 /* bit k: while operand k is not finite, the result is not */
    uint8_t spreads;                 /* bit k: while real operand k is a NaN, so are real results */
    const char *pole;                /* C expression of the operands, as ops.def says */
    const char *doc;
    const char *kinds;              /* by family: the row's letter */
    const char *const *expressions; /* by family: the row's C expression */
} cni_op_info;

/* Families of dtypes: the columns of ops.def. */
typedef enum cni_family {
    CNI_FAMILY_BOOL,
    CNI_FAMILY_SIGNED,
    CNI_FAMILY_UNSIGNED,
    CNI_FAMILY_REAL,
    CNI_FAMILY_COMPLEX
} cni_family;

extern const cni_op_info cni_ops[CNI_OP_COUNT];

/* A row of dtypes.def, as text for generated code. */
typedef struct cni_dtype_info {
    const char *suffix, *type;           /* in memory: "f64", "double" */
    const char *work_suffix, *work_type; /* to compute in */
    cni_family family;
} cni_dtype_info;

extern const cni_dtype_info cni_dtypes[CN_DTYPE_COUNT];

/* cn_dtype_size without a call. */
extern const uint8_t cni_dtype_sizes[CN_DTYPE_COUNT];
static inline int64_t cni_dtype_size(unsigned dtype)
{
    return cni_dtype_sizes[dtype];
}

cni_opcode cni_op_of_loop(int loop); /* loop: number over all rows */

/* Can the loop have floating-point events (the row's raises)? */
bool cni_loop_raises(int loop);

/* cn_op_identity for who only asks: no failure is noted. */
bool cni_op_identity(int op, cn_scalar *out);

/*
 * NumPy's choice of a loop for inputs of these dtypes (weak[i]: Python's number, dtype then bool/int64/float64/
 * complex128); dtype: CN_DTYPE_NONE, or that of the loop's first output. CN_ERROR_NO_LOOP, CN_ERROR_CASTING,
 * CN_ERROR_TYPE for what NumPy refuses although loops exist (differences of bools).
 */
cn_status cni_op_choose(cni_opcode op, const cn_dtype *in, const cn_weak *weak, cn_dtype dtype, cn_casting casting,
                        int *loop);

#endif
