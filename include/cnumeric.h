/*
 * cnumeric.h - the public interface of the cNumeric core.
 *
 * A call records; nothing is computed until a value is read (cn_array_item, cn_array_read, cn_array_export),
 * the window of recorded calls repeats or is full, or cn_flush is called. A program written against this
 * header needs no Python.
 *
 * Conventions
 *   - Functions that can fail return cn_status; output parameters come last and are written on success only.
 *     cn_error_message() then holds the text (of the calling thread, until its next failing call). A call that
 *     fails records nothing, and every array keeps its value.
 *   - cn_array is an immutable, reference-counted view on a base. "new reference" results are released with
 *     cn_array_unref. Arguments are borrowed.
 *   - Threads: each thread records into a window of its own. A thread must not use the library while another
 *     thread is inside a call on arrays of the same base; under CPython the GIL sees to that.
 *   - Shapes and strides are int64_t[ndim]; strides and offsets are in bytes; at most CN_MAX_DIMS dimensions.
 */
#ifndef CNUMERIC_H
#define CNUMERIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(CN_STATIC)
#define CN_API
#elif defined(__GNUC__)
#define CN_API __attribute__((visibility("default")))
#else
#define CN_API
#endif

#define CN_MAX_DIMS 64

/* ---- Status ------------------------------------------------------------------------------------------- */

typedef enum cn_status {
    CN_OK = 0,
    CN_ERROR_VALUE,          /* shapes, arguments                        Python: ValueError            */
    CN_ERROR_TYPE,           /* no such conversion, wrong kind           Python: TypeError             */
    CN_ERROR_INDEX,          /* index out of bounds                      Python: IndexError            */
    CN_ERROR_AXIS,           /* axis out of bounds                       Python: numpy AxisError       */
    CN_ERROR_OVERFLOW,       /* Python integer does not fit the dtype    Python: OverflowError         */
    CN_ERROR_NO_LOOP,        /* the ufunc has no loop for these dtypes   Python: numpy UFuncTypeError  */
    CN_ERROR_CASTING,        /* casting rule forbids the conversion      Python: numpy UFuncTypeError  */
    CN_ERROR_READ_ONLY,      /* assignment destination is read-only      Python: ValueError            */
    CN_ERROR_MEMORY,         /* out of memory; every array is intact     Python: MemoryError           */
    CN_ERROR_FLOATING_POINT, /* errstate says raise                      Python: FloatingPointError    */
    CN_ERROR_FILE,           /* a file cannot be read or written         Python: OSError               */
    CN_ERROR_UNSUPPORTED,    /* not native: the caller may fall back                                   */
    CN_ERROR_INTERNAL,       /* a broken invariant, or a failed verifier Python: RuntimeError          */
    CN_STATUS_COUNT
} cn_status;

CN_API const char *cn_error_message(void);

/* ---- Dtypes and scalars ------------------------------------------------------------------------------- */

typedef enum cn_dtype {
    CN_BOOL,
    CN_INT8,
    CN_UINT8,
    CN_INT16,
    CN_UINT16,
    CN_INT32,
    CN_UINT32,
    CN_INT64,
    CN_UINT64,
    CN_FLOAT16,
    CN_FLOAT32,
    CN_FLOAT64,
    CN_COMPLEX64,
    CN_COMPLEX128,
    CN_DTYPE_COUNT,
    CN_DTYPE_NONE = 255 /* "not given" */
} cn_dtype;

CN_API size_t cn_dtype_size(cn_dtype dtype);
CN_API const char *cn_dtype_name(cn_dtype dtype); /* "float64" */
CN_API char cn_dtype_char(cn_dtype dtype);        /* NumPy's character: 'd' */

typedef enum cn_casting { CN_CAST_NO, CN_CAST_EQUIV, CN_CAST_SAFE, CN_CAST_SAME_KIND, CN_CAST_UNSAFE } cn_casting;

CN_API bool cn_can_cast(cn_dtype from, cn_dtype to, cn_casting casting);
CN_API cn_dtype cn_promote(cn_dtype a, cn_dtype b); /* numpy.promote_types */

/* One value in the representation of its dtype, at the start of the union. */
typedef struct cn_scalar {
    union {
        uint8_t b;
        int8_t i8;
        uint8_t u8;
        int16_t i16;
        uint16_t u16;
        int32_t i32;
        uint32_t u32;
        int64_t i64;
        uint64_t u64;
        uint16_t f16; /* IEEE binary16 bits */
        float f32;
        double f64;
        float c64[2];
        double c128[2];
        unsigned char bytes[16];
    } value;
    cn_dtype dtype;
} cn_scalar;

/* Python's own numbers take the dtype of what they meet (NEP 50). */
typedef enum cn_weak { CN_STRONG, CN_WEAK_INT, CN_WEAK_FLOAT, CN_WEAK_COMPLEX } cn_weak;

/* Converts with C casts (NumPy's astype). CN_ERROR_OVERFLOW if a weak integer does not fit. */
CN_API cn_status cn_scalar_cast(const cn_scalar *from, cn_weak weak, cn_dtype to, cn_scalar *out);

/* ---- Arrays ------------------------------------------------------------------------------------------- */

typedef struct cn_array cn_array;

/* C-order array of unspecified values; no memory is taken until it is computed. New reference. */
CN_API cn_status cn_array_empty(cn_dtype dtype, int ndim, const int64_t *shape, cn_array **out);

/* The same with a home layout of any axis order: axis_order[0] is the slowest axis (NULL: C order). */
CN_API cn_status cn_array_empty_ordered(cn_dtype dtype, int ndim, const int64_t *shape, const int *axis_order,
                                        cn_array **out);

/* The same in the order of memory that NumPy gives to these arrays joined; all have ndim dimensions. */
CN_API cn_status cn_array_empty_as(cn_dtype dtype, int ndim, const int64_t *shape, int narrays, cn_array *const *arrays,
                                   cn_array **out);

/* A C-order array holding a copy of C-order host memory. New reference. */
CN_API cn_status cn_array_from_memory(const void *data, cn_dtype dtype, int ndim, const int64_t *shape, cn_array **out);

/*
 * Shared base: host memory that belongs to somebody else (NumPy). Calls that touch it complete before they
 * return. [block, block + nbytes) is the owner's whole block, so that views of one block share a base
 * (pass the block of the ultimate owner); the array is the view at `data`. release(owner) runs when the last
 * array on the base is gone. New reference.
 */
CN_API cn_status cn_array_wrap(void *block, int64_t nbytes, bool writeable, void (*release)(void *owner), void *owner,
                               void *data, cn_dtype dtype, int ndim, const int64_t *shape, const int64_t *strides,
                               cn_array **out);

CN_API cn_array *cn_array_ref(cn_array *array); /* returns array */
CN_API void cn_array_unref(cn_array *array);    /* NULL is allowed */

CN_API cn_dtype cn_array_dtype(const cn_array *array);
CN_API int cn_array_ndim(const cn_array *array);
CN_API const int64_t *cn_array_shape(const cn_array *array);
CN_API const int64_t *cn_array_strides(const cn_array *array);
CN_API int64_t cn_array_offset(const cn_array *array); /* bytes from the start of the base */
CN_API int64_t cn_array_size(const cn_array *array);   /* elements */
CN_API bool cn_array_writeable(const cn_array *array);
CN_API bool cn_array_c_contiguous(const cn_array *array); /* NumPy's relaxed rule */
CN_API bool cn_array_f_contiguous(const cn_array *array);
CN_API bool cn_array_same_base(const cn_array *a, const cn_array *b);
CN_API bool cn_array_shared(const cn_array *array);                     /* wrapped, or exported at the moment */
CN_API int64_t cn_array_base_bytes(const cn_array *array);              /* size of the base */
CN_API bool cn_array_may_overlap(const cn_array *a, const cn_array *b); /* exact where the views are lattices */

/* A view on the same base; the caller vouches that it lies inside. Writeable if array is and writeable is true. New reference. */
CN_API cn_status cn_array_view(cn_array *array, cn_dtype dtype, int64_t offset, int ndim, const int64_t *shape,
                               const int64_t *strides, bool writeable, cn_array **out);

/* Basic views, checked; each gives a new reference. */
CN_API cn_status cn_array_transpose(cn_array *array, const int *axes /* NULL: reversed */, cn_array **out);
CN_API cn_status cn_array_broadcast_to(cn_array *array, int ndim, const int64_t *shape, cn_array **out); /* read-only */
/* *out = NULL and CN_OK if no view of that shape exists (the caller then copies). No -1 in shape. C order. */
CN_API cn_status cn_array_reshape_view(cn_array *array, int ndim, const int64_t *shape, cn_array **out);

/*
 * A hint before a read: the caller thinks that the array dies before anything else is asked of it. Its values then need
 * not reach memory. Whoever uses them after all gets them: they are computed again, from what they were computed from.
 */
CN_API void cn_array_fade(const cn_array *array);

/*
 * Would the host have to wait for the array's value to come from a device? Of pending values it is a guess. No: setting
 * lazy_scalars is 0.
 */
CN_API bool cn_array_elsewhere(const cn_array *array);

/* Host reads: what they need is computed first. */
CN_API cn_status cn_array_item(const cn_array *array, int64_t offset /* bytes from the base */, cn_scalar *out);
CN_API cn_status cn_array_read(const cn_array *array, void *data, int64_t nbytes); /* values in C order */

/*
 * Stores a value of the array's dtype at a byte offset of its base, at once if nothing is pending on the base.
 * cn_array_poke does only that: false if it cannot, and nothing has happened.
 */
CN_API bool cn_array_poke(cn_array *array, int64_t offset, const cn_scalar *value);
CN_API cn_status cn_array_store(cn_array *array, int64_t offset, const cn_scalar *value);

/*
 * Shows the base's host memory to somebody else: from now until as many cn_array_unexport calls, the base is
 * shared. *data is the address of the array's first element. Pending calls on the base run first.
 */
CN_API cn_status cn_array_export(cn_array *array, void **data);
CN_API void cn_array_unexport(cn_array *array);

/*
 * The same of a device's memory, for values that are there (CN_ERROR_UNSUPPORTED: they are not; nothing moves). A base
 * is shared on the host or on the device, not both (CN_ERROR_VALUE). Ops on what is shared there wait for all that other
 * libraries have sent to the device, and are done when their call returns. number: CUDA's of the device.
 */
CN_API cn_status cn_array_on_device(const cn_array *array, bool *out); /* pending calls run, if there is a device */
CN_API cn_status cn_array_export_device(cn_array *array, void **data, int *number);
CN_API bool cn_array_device_shared(const cn_array *array);

/* cn_array_wrap for a device's memory. CN_ERROR_UNSUPPORTED without a device. */
CN_API cn_status cn_array_wrap_device(void *block, int64_t nbytes, bool writeable, void (*release)(void *owner),
                                      void *owner, void *data, cn_dtype dtype, int ndim, const int64_t *shape,
                                      const int64_t *strides, cn_array **out);
CN_API bool cn_device_open(int *number); /* false: there is none, or it is not to be used (setting gpu) */

/*
 * The memory of a contiguous array (CN_ERROR_UNSUPPORTED: it is not) to a file that is there, or from one, at this offset:
 * every process writes or reads what its places have, under this path. After CN_ERROR_FILE what was to be written may be
 * written in part; an array that was to be filled has unspecified values.
 */
CN_API cn_status cn_array_to_file(cn_array *array, const char *path, int64_t offset);
CN_API cn_status cn_array_from_file(cn_array *array, const char *path, int64_t offset);

/* ---- Recording ---------------------------------------------------------------------------------------- */

typedef int cn_op; /* index of a row of ops.def; -1: none */

CN_API cn_op cn_op_find(const char *name); /* NumPy's name: "add" */
CN_API int cn_op_count(void);
CN_API const char *cn_op_name(cn_op op);
CN_API int cn_op_nin(cn_op op);
CN_API int cn_op_nout(cn_op op);
CN_API const char *cn_op_doc(cn_op op);
CN_API int cn_op_ntypes(cn_op op);
CN_API const char *cn_op_type(cn_op op, int i); /* NumPy's form: "dd->d" */
/* Identity of the reduction; CN_ERROR_UNSUPPORTED if it has none. */
CN_API cn_status cn_op_identity(cn_op op, cn_scalar *out);
CN_API bool cn_op_reducible(cn_op op); /* cn_reduce is native for it */

#define CN_MAX_OPERANDS 8

/* An input: an array, or (array == NULL) a scalar. */
typedef struct cn_operand {
    cn_array *array;
    cn_scalar scalar;
    cn_weak weak;
} cn_operand;

typedef struct cn_elementwise_options {
    cn_dtype dtype;     /* CN_DTYPE_NONE, or the dtype of the loop's first output (NumPy's dtype=) */
    cn_casting casting; /* NumPy's default is CN_CAST_SAME_KIND */
    cn_array *where;    /* NULL, or a bool array: elsewhere results keep their value */
    char order;         /* of new results: 'C', 'F', or 0 for that of the inputs (NumPy's 'K') */
} cn_elementwise_options;

/*
 * results[i] = op(inputs...), broadcast and promoted as NumPy's ufunc. out: NULL, or nout entries of which each
 * may be NULL (a new array is made). options: NULL for the defaults. New references (out's arrays again if given).
 */
CN_API cn_status cn_elementwise(cn_op op, const cn_operand *in, cn_array *const *out,
                                const cn_elementwise_options *options, cn_array **results);

/* The loop that cn_elementwise would take: nin + nout dtypes. */
CN_API cn_status cn_op_resolve(cn_op op, const cn_dtype *in, const cn_weak *weak, cn_dtype dtype, cn_casting casting,
                               cn_dtype *dtypes);

typedef struct cn_reduce_options {
    int naxes;       /* -1: all axes */
    const int *axes; /* normalised, without duplicates */
    bool keepdims;
    cn_dtype dtype;           /* CN_DTYPE_NONE: as NumPy's ufunc.reduce (small integers add up in int64 / uint64) */
    cn_array *out;            /* NULL, or the array that takes the result */
    const cn_scalar *initial; /* NULL: the identity; with no identity an empty reduction is CN_ERROR_VALUE */
    cn_weak initial_weak;     /* CN_ERROR_OVERFLOW if it is a weak integer that does not fit */
    cn_array *where;          /* NULL, or bool mask, broadcast */
} cn_reduce_options;

/* ufunc.reduce. New reference. */
CN_API cn_status cn_reduce(cn_op op, cn_array *in, const cn_reduce_options *options, cn_array **result);

/*
 * ufunc.accumulate along an axis (of the flattened array: reshape first). dtype: CN_DTYPE_NONE as for cn_reduce.
 * CN_ERROR_UNSUPPORTED where cn_reduce is. New reference.
 */
CN_API cn_status cn_accumulate(cn_op op, cn_array *in, int axis, cn_dtype dtype, cn_array **result);

/*
 * ufunc.reduceat: element k along the axis reduces those from indices[k] up to indices[k + 1] (the end for the last one),
 * or is the element at indices[k] if that is no range. indices: 1-d, int64, each in [0, extent) (CN_ERROR_INDEX). dtype as
 * for cn_reduce. New reference.
 */
CN_API cn_status cn_reduce_segments(cn_op op, cn_array *in, cn_array *indices, int axis, cn_dtype dtype,
                                    cn_array **result);

/* Index of the first extreme along an axis (axis -1 means over the flattened array); int64. New reference. */
CN_API cn_status cn_arg_reduce(bool maximum, cn_array *in, int axis, bool keepdims, cn_array **result);

/* destination[...] = source, broadcast, cast under the rule; overlapping memory behaves as if source were copied first. */
CN_API cn_status cn_copy(cn_array *destination, const cn_operand *source, cn_casting casting);
CN_API cn_status cn_copy_where(cn_array *destination, const cn_operand *source, cn_array *where, cn_casting casting);

/* New array with the source's values in C order (or keeping its axis order). New reference. */
CN_API cn_status cn_array_copy(cn_array *array, cn_dtype dtype, bool keep_order, cn_array **out);

/* start + i * step for i in [0, n), with NumPy's rounding for arange. start and step are of the dtype. New reference. */
CN_API cn_status cn_arange(const cn_scalar *start, const cn_scalar *step, int64_t n, cn_array **out);

/*
 * Gather and scatter: nindex int64 index arrays of one common shape index the first nindex axes of array.
 * Result shape: the index shape, then array's remaining axes, which lie in memory as array's do; without any, the result
 * lies as the indices do. Indices are bounds-checked here (negative ones count from the end); the message is NumPy's.
 * Duplicates in scatter: the last one wins.
 */
CN_API cn_status cn_gather(cn_array *array, int nindex, cn_array *const *index, cn_array **out);
CN_API cn_status cn_scatter(cn_array *array, int nindex, cn_array *const *index, const cn_operand *values,
                            cn_casting casting);

/* Elements along an axis by one int64 index array, whose axes take the axis's place; the result is in C order. */
CN_API cn_status cn_take(cn_array *array, int axis, cn_array *index, cn_array **out);

/*
 * numpy.interp of few float64 values, each array in one run on the host; the points (x, y) are in order; reads. left,
 * right: what is outside; NULL: the ends. *out: NULL if they are not, and nothing was done.
 */
CN_API cn_status cn_interpolate(const cn_array *at, const cn_array *x, const cn_array *y, const double *left,
                                const double *right, cn_array **out);

/*
 * ufunc.at: the elements of array that the indices name take op(element, value), one after the other in the order of the
 * indices, so that repeated ones accumulate. values: NULL for ops of one operand; broadcast to the shape that cn_gather
 * gives. The loop is that of two arrays; results are cast to the array's dtype whatever is lost.
 * CN_ERROR_UNSUPPORTED for complex results in other dtypes.
 */
CN_API cn_status cn_scatter_apply(cn_op op, cn_array *array, int nindex, cn_array *const *index,
                                  const cn_operand *values);

/* int64 index arrays of the true elements, in C order; reads. out: ndim new references. */
CN_API cn_status cn_nonzero(cn_array *array, cn_array **out);
CN_API cn_status cn_count_nonzero(cn_array *array, int64_t *out);

/* Counts at once elements whose values are at hand, in one run; false: they are not, and nothing was done. */
CN_API bool cn_count_at_hand(const cn_array *array, int64_t *out);

/*
 * Could others work on the array's values at once: at most so many bytes, on the host, nobody else's, and nothing pending
 * mentions them? pending_too: what is pending may be run for it.
 */
CN_API bool cn_array_at_hand(const cn_array *array, int64_t most_bytes, bool pending_too);

/* The elements at which the mask, bools of the array's shape, is true: 1-d, in C order; reads the mask. */
CN_API cn_status cn_compress(cn_array *array, cn_array *mask, cn_array **out);

/*
 * A new array with the values sorted along an axis, in NumPy's order: NaNs last; complex numbers by their real parts,
 * then by their imaginary ones, those with NaNs behind: first where only the imaginary part is one, then where only the
 * real part is, then both. Elements that compare equal and differ in bits (zeros of either sign, NaNs) come in the order
 * of their bits. The axis is normalised. New reference.
 */
CN_API cn_status cn_sort(cn_array *array, int axis, cn_array **result);

/* The int64 indices along the axis that sort it in that order; stable: of equal elements the first comes first. New reference. */
CN_API cn_status cn_argsort(cn_array *array, int axis, cn_array **result);

/*
 * A new array with the values along the axis so arranged that, for each of the ranks kth (negative ones count from the
 * end; CN_ERROR_VALUE out of bounds), the element there is the one that sorting would put there, none before it is
 * greater and none behind it is less. The arrangement of the others is not NumPy's. New reference.
 */
CN_API cn_status cn_partition(cn_array *array, const int64_t *kth, int64_t nkth, int axis, cn_array **result);

/*
 * For each of values (any shape), how many elements of the sorted 1-d array are less than it, or (right) not greater:
 * int64, in the order of cn_sort. Both are taken in their common dtype. New reference.
 */
CN_API cn_status cn_searchsorted(cn_array *sorted, cn_array *values, bool right, cn_array **result);

/*
 * numpy.bincount of a 1-d array that casts safely to int64: int64 counts, or float64 sums of the weights (NULL: none)
 * in the order in which they stand. As long as the greatest number asks for, at least minlength: reads. CN_ERROR_VALUE
 * for negative numbers. New reference.
 */
CN_API cn_status cn_bincount(cn_array *array, cn_array *weights, int64_t minlength, cn_array **result);

/*
 * Of a sorted 1-d array: each value once (all NaNs are one value), where it stands first (int64), and how often it
 * occurs (int64). first, counts: NULL if not wanted. Reads. New references.
 */
CN_API cn_status cn_unique_sorted(cn_array *sorted, cn_array **values, cn_array **first, cn_array **counts);

/* numpy.matmul for two arrays of 1 or more dimensions, of one dtype. out NULL: a new array. New reference. */
CN_API cn_status cn_matmul(cn_array *a, cn_array *b, cn_array *out, cn_array **result);

/* ---- Many matrices --------------------------------------------------------------------------------------- */

/* What there is of a matrix of m rows and n columns; k is the less of them. Results in this order, each by rows. */
typedef enum cn_each {
    CN_EACH_SOLVE,       /* n x right */
    CN_EACH_INV,         /* n x n */
    CN_EACH_DETERMINANT, /* its sign, the logarithm of its size */
    CN_EACH_CHOLESKY,    /* n x n, lower; the lower triangle is read */
    CN_EACH_R,           /* k x n */
    CN_EACH_QR,          /* k x n, and q of m x k */
    CN_EACH_QR_COMPLETE, /* m x n, and q of m x m */
    CN_EACH_SINGULAR,    /* k singular values */
    CN_EACH_SVD,         /* those, u of m x k, vt of k x n */
    CN_EACH_SVD_FULL,    /* those, u of m x m, vt of n x n */
    CN_EACH_EIGVALSH,    /* n eigenvalues of a Hermitian matrix, whose lower triangle is read */
    CN_EACH_EIGH,        /* those, n x n */
    CN_EACH_EIGVALSH_UPPER,
    CN_EACH_EIGH_UPPER, /* likewise, but that the upper triangle is read */
    CN_EACH_EIGVALS,    /* n eigenvalues of any matrix, complex */
    CN_EACH_EIG,        /* those, n x n, complex */
    CN_EACH_SCHUR,      /* of a Hessenberg matrix its Schur form, n x n, and the vectors, n x n */
    CN_EACH_DEFLATE, /* of one, all but the first row and column in Schur form as far as what is beside it has no part in
                           it: n x n, the vectors, n x n; how many values are shifts, and how many are found, which are the
                           last; the values, n real and n imaginary parts, shifts before those that are found */
    CN_EACH_COUNT
} cn_each;

/*
 * Of each matrix of a stack (a: stack, m, n of float64 or complex128; b likewise with m rows, for CN_EACH_SOLVE alone) what
 * LAPACK makes of it, as a row of the result: LAPACK's info as a number (-1000: there is no LAPACK), then all that is said
 * above, which means nothing if the info is not 0. Each place does the matrices that it has. New reference.
 */
CN_API cn_status cn_each_matrix(cn_each kind, cn_array *a, cn_array *b, cn_array **result);

/* ---- Fourier transforms ---------------------------------------------------------------------------------- */

typedef enum cn_transform_kind {
    CN_TRANSFORM_COMPLEX, /* n complex or real numbers to n complex ones */
    CN_TRANSFORM_HALF,    /* n real numbers to the first n / 2 + 1 of a spectrum */
    CN_TRANSFORM_REAL     /* these to n real numbers */
} cn_transform_kind;

/*
 * scale times the Fourier transform along an axis (normalised): forward with exp(-2 pi i j k / n), backward with its
 * conjugate. What the axis has beyond what n asks for is left out, what it lacks is 0. Single precision of float16, float32
 * and complex64, else double. out: NULL, or of that dtype, the result's shape and no memory that the input overlaps but all
 * of its base. New reference.
 */
CN_API cn_status cn_transform(cn_array *in, int axis, int64_t n, cn_transform_kind kind, bool backward, double scale,
                              cn_array *out, cn_array **result);

/* ---- Factorisations and Fourier transforms on a device --------------------------------------------------- */

/*
 * These run at the call, by the libraries of the device, or not at all: CN_ERROR_UNSUPPORTED without a device or such a
 * library, or where it has no such case; what arrays are to hold is then unspecified. The host's are the caller's own.
 * Arrays are in C order, not shared, of float32, float64, complex64 or complex128, and what is written has its base to
 * itself; leading axes are batches. Matrices lie by columns: one of r rows and c columns is an array (c, r). What an array held is replaced.
 */
typedef enum cn_factor {
    CN_FACTOR_LU,       /* a (n, n), pivots (n) of int64: a becomes its factors */
    CN_FACTOR_LU_SOLVE, /* those, b (columns, n): b becomes the solution; option 1: of the transposed matrix */
    CN_FACTOR_CHOLESKY, /* a (n, n): its lower triangle becomes the factor, the other stays; option 1: the upper one */
    CN_FACTOR_QR,       /* a (c, r), tau (min(r, c)): R in the upper triangle, reflectors below it */
    CN_FACTOR_QR_Q,     /* q (k, r) with the reflectors, k <= r, tau: q becomes as many columns of Q */
    CN_FACTOR_SVD,      /* a (c, r), r >= c, s (c), u (c or r, r), vt (c, c): a is lost; u and vt left out: s alone */
    CN_FACTOR_EIGH,     /* a (n, n), w (n): a becomes the vectors; option 1: the upper triangle is read; 2: w alone */
    CN_FACTOR_COUNT
} cn_factor;

/* info: what LAPACK says of the first matrix for which it is not 0. Waits for it, but for LU_SOLVE and QR_Q. */
CN_API cn_status cn_factorize(cn_factor factor, int option, int narrays, cn_array *const *arrays, int64_t *info);

/*
 * out = the unscaled transform of in over naxes (1 to 3) adjacent axes from this one on: complex to complex, real to the
 * first half of the last of them, or, inverse, back; in is lost then. in and out may be one where both are complex.
 */
CN_API cn_status cn_fourier(cn_array *in, cn_array *out, int axis, int naxes, bool inverse);

/* An array is to be transformed, or holds matrices to factorise: LU, CHOLESKY and QR do small ones together. */
typedef enum cn_matrices { CN_NO_MATRICES, CN_MATRICES, CN_MATRICES_TOGETHER } cn_matrices;

/*
 * Would the device do work on the array, by its size and by where its values are (setting gpu_bytes)? Pending ones run.
 * Matrices of a batch that are done one after the other must not be too small (gpu_matrix). What is spread over places and
 * to be transformed they do themselves.
 */
CN_API cn_status cn_array_for_device(cn_array *array, cn_matrices matrices, bool *out);

/* ---- Random numbers ------------------------------------------------------------------------------------- */

typedef enum cn_generator { CN_PCG64, CN_MT19937 } cn_generator;

/* Where a generator of NumPy's stands, in the words of its bit generator's state. */
typedef struct cn_random {
    cn_generator generator;
    uint64_t state[2], increment[2]; /* PCG64: upper and lower half */
    bool has_uint32;
    uint32_t uinteger;
    uint32_t key[624]; /* MT19937 */
    int position;
    bool has_gauss; /* RandomState's: a normal drawn and not given */
    double gauss;
} cn_random;

/*
 * New C-order arrays with the numbers that NumPy's Generator (PCG64) or RandomState (MT19937) draws; the generator then
 * stands where NumPy's would. Where it will stand may depend on the numbers, so these, but for uniform numbers of
 * PCG64, are drawn at the call. CN_ERROR_UNSUPPORTED for what the generator's class draws otherwise. New references.
 */
CN_API cn_status cn_random_uniform(cn_random *random, double low, double range, int ndim, const int64_t *shape,
                                   cn_array **out); /* low + range * [0, 1) */
CN_API cn_status cn_random_single(cn_random *random, int ndim, const int64_t *shape, cn_array **out); /* float32 */
CN_API cn_status cn_random_normal(cn_random *random, int ndim, const int64_t *shape, cn_array **out);
CN_API cn_status cn_random_exponential(cn_random *random, int ndim, const int64_t *shape, cn_array **out);
/* Integers of the dtype in low + [0, range], low given modulo 2^64. */
CN_API cn_status cn_random_integers(cn_random *random, cn_dtype dtype, uint64_t low, uint64_t range, int ndim,
                                    const int64_t *shape, cn_array **out);
/* 0 to n - 1 as int64, shuffled. */
CN_API cn_status cn_random_permutation(cn_random *random, int64_t n, cn_array **out);

/* ---- Running ------------------------------------------------------------------------------------------ */

CN_API cn_status cn_flush(void);       /* plans and runs everything this thread has recorded */
CN_API cn_status cn_synchronize(void); /* the same, of all threads, and waits */
/*
 * The last call of a program, before main returns: waits for compilers that run behind, which may not bear the end of the
 * process. Under Python the extension makes it.
 */
CN_API void cn_close(void);

/*
 * One program, many processes. Rank 0 runs the program; every other rank is a worker, a program without Python that
 * does its share of what rank 0 says. A launcher of MPI (mpirun, srun) starts them, all as this program or the others as
 * cnumeric-worker. A process that was not launched as one of several, or that has initialised MPI by itself, is alone.
 */

/* First of all, before threads and large libraries: of several ranks, all but 0 become workers and do not return. */
CN_API void cn_net_join(void);
/*
 * Rank 0, after cn_blas_set, before arrays are made: initialises MPI, waits for the workers; joins first if that has not
 * been done. CN_ERROR_INTERNAL if there is no usable MPI: never runs the program once for every rank. Not collective:
 * the workers do their part by themselves, as for every call that follows.
 */
CN_API cn_status cn_net_open(void);
/* Runs what is pending, ends the workers and MPI; what is distributed fails from then on. Does nothing a second time. */
CN_API cn_status cn_net_close(void);
CN_API int cn_net_rank(void); /* 0 */
CN_API int cn_net_size(void); /* how many ranks there are, 1: this one alone */

/* Call site of the calls that follow on this thread: a number of the caller's, 0: unknown. */
CN_API void cn_set_site(uint32_t site);
/* The caller's way to print a site in explain and warnings; writes at most size bytes, NUL-terminated. */
CN_API void cn_set_site_printer(void (*print)(uint32_t site, char *text, size_t size));

/* Floating-point context of the calls that follow on this thread: bits of the kinds to report. */
enum { CN_FP_DIVIDE = 1, CN_FP_OVERFLOW = 2, CN_FP_UNDERFLOW = 4, CN_FP_INVALID = 8 };
CN_API void cn_set_fp_context(uint32_t kinds, uint32_t context /* the caller's number, given back in warnings */);

typedef struct cn_fp_event {
    uint32_t kind; /* one CN_FP_ bit */
    uint32_t context;
    uint32_t site;
    cn_op op; /* or one of CN_FP_IN_ */
} cn_fp_event;
enum {
    CN_FP_IN_REDUCE = -1,
    CN_FP_IN_CAST = -2,
    CN_FP_IN_AT = -3,
    CN_FP_IN_ACCUMULATE = -4,
    CN_FP_IN_REDUCEAT = -5,
    CN_FP_IN_FFT = -6, /* transforms have NumPy's names of their loops */
    CN_FP_IN_IFFT = -7,
    CN_FP_IN_RFFT_EVEN = -8,
    CN_FP_IN_RFFT_ODD = -9,
    CN_FP_IN_IRFFT = -10
};
/* Waits until the events of all that has run are known: those on a GPU, or of another rank, are, otherwise, when somebody
   waits for it anyway. */
CN_API cn_status cn_fp_events_wait(void);
/* Takes the oldest floating-point event of this thread; false if there is none. */
CN_API bool cn_fp_event_take(cn_fp_event *event);

/*
 * The next text, if there is one, that the user should see: something is missing or broken (a GPU's compiler, a cache that
 * is not private), and the program goes on without it. NULL: none. One thread at a time.
 */
CN_API const char *cn_notice_take(void);

/* Is there perhaps something to take, by either of the two? */
CN_API bool cn_attention(void);

typedef struct cn_stats {
    uint64_t ops, windows, plan_hits, plan_misses, plans, groups, launches;
    uint64_t bytes_read, bytes_written; /* by launches: every operand view that is loaded or stored, once a launch */
    uint64_t compilations, fallbacks, reads, exports;
    uint64_t live_bytes, peak_bytes;        /* memory of bases */
    uint64_t messages, message_bytes;       /* from or to places of this process */
    uint64_t root_bytes;                    /* of them, what the root has received */
    uint64_t overlapped;                    /* exchanges during which this process computed */
    uint64_t carried;                       /* exchanges that another thread had seen to the end of by then */
    uint64_t direct_messages, direct_bytes; /* between GPUs of ranks, by NCCL: from or to this process */
    uint64_t moves, move_bytes;             /* between host and device */
    uint64_t device_launches, graphs;       /* kernels sent to the device one by one; plans sent to it as a whole */
    uint64_t shared_launches;               /* kernels that several GPUs shared out, however they were sent */
    uint64_t device_calls;                  /* factorisations and Fourier transforms that a device did */
    uint64_t spills, spill_bytes;           /* arrays that made room on the device for others; bytes moved for that */
    uint64_t turns, turn_up_bytes,
        turn_down_bytes;      /* boxes of arrays larger than the device that it did in turn; bytes that
                                                       came there for them, and that went */
    uint64_t faded, restored; /* values left out of memory (cn_array_fade); of them, used after all */
    uint64_t followed;        /* windows that repeated one before, op by op, and were not built anew */
    uint64_t unplanned;       /* small windows that ran op by op, without a plan */
} cn_stats;

CN_API void cn_stats_get(cn_stats *out);
CN_API void cn_stats_reset(void);
CN_API void cn_stats_count_fallback(void);

/*
 * What the setting simulate found of a window that the program repeats: for one run of it, at a place with the most of it
 * and at the middle one. Messages and bytes of a place are those it sends and those it receives. Seconds.
 */
typedef struct cn_simulated {
    uint64_t places, runs, launches;
    uint64_t messages, message_bytes; /* of all places together, each once */
    uint64_t messages_most, messages_median, bytes_most, bytes_median;
    uint64_t looked_most, looked_median; /* what planning looked at: places, their owners, transfers */
    double planning_most, planning_median;
    double serial;    /* the least that it took here */
    double predicted; /* at that many places */
} cn_simulated;

/* The first count of them into out, in the order they were met; gives how many there are. */
CN_API size_t cn_simulation_get(size_t count, cn_simulated *out);

/* The text of the plans run since the last cn_explain_reset: steps, groups, bytes. Caller frees with cn_free. text NULL: ends it. */
CN_API cn_status cn_explain(char **text);
CN_API void cn_explain_start(void); /* begin to collect; explain returns "" until then */
/* What places did while the setting profile was on, as JSON trace events; what was kept is forgotten. */
CN_API cn_status cn_trace_write(const char *path);
CN_API void cn_free(void *memory);

/* Settings: one table, read from CNUMERIC_<NAME> when the library is first used. */
typedef struct cn_setting {
    const char *name; /* "threads"; the environment variable is CNUMERIC_THREADS */
    int64_t value;
    int64_t default_value;
    const char *doc;
} cn_setting;
CN_API int cn_setting_count(void);
CN_API void cn_setting_get(int i, cn_setting *out);
CN_API cn_status cn_setting_set(const char *name, int64_t value);

/* Settings that are text (paths): read from the environment only. */
typedef struct cn_text_setting {
    const char *name, *value, *doc;
} cn_text_setting;
CN_API int cn_text_setting_count(void);
CN_API void cn_text_setting_get(int i, cn_text_setting *out);

/* Path of a BLAS with a CBLAS interface to load (may be called before the first matmul); prefix and suffix are of its symbols. */
CN_API void cn_blas_set(const char *path, const char *prefix, const char *suffix, bool ilp64);
CN_API const char *
cn_info(const char *what); /* "version", "instruction_set", "blas", "compiler", "mpi", "nccl"; NULL if unknown */

/* Test hook: the n-th allocation from now fails (0: none). Returns how many have been made since the last call. */
CN_API uint64_t cn_fault_set(uint64_t nth_allocation);

#ifdef __cplusplus
}
#endif
#endif
