/*
 * ext.h - what the files of the CPython extension share.
 *
 * The extension turns Python calls into calls of cnumeric.h and adds nothing of its own: arrays are handles, whatever
 * is not native is NumPy's (cnumeric._fallback), and whatever the core refuses is raised as NumPy raises it
 * (cnumeric._errors). The GIL is held throughout.
 *
 * Conventions
 *   - PyObject * results are new references, NULL with an exception set; int results are 0, or -1 with an exception.
 *   - A cn_array parameter described as "taken" is released by the function, also when it fails.
 *   - A call that records or reads stands between cnx_begin() and cnx_end(): the first names the call site and the
 *     floating-point context to the core, the second delivers floating-point events that have come up.
 */
#ifndef CNX_EXT_H
#define CNX_EXT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#define PY_ARRAY_UNIQUE_SYMBOL cnx_numpy_array_api
#define PY_UFUNC_UNIQUE_SYMBOL cnx_numpy_ufunc_api
#ifndef CNX_IMPORTS_NUMPY
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#endif
#include <numpy/arrayobject.h>
#include <numpy/arrayscalars.h>
#include <numpy/ufuncobject.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "cnumeric.h"

_Static_assert(sizeof(npy_intp) == sizeof(int64_t), "extents and strides are passed as they are");
_Static_assert(sizeof(Py_ssize_t) == sizeof(int64_t), "extents and strides are passed as they are");

#define CNX_KEYWORDS(function) (PyCFunction)(void (*)(void)) function

/* ---- Arrays (ndarray.c) ------------------------------------------------------------------------------- */

typedef struct cnx_array {
    PyObject_HEAD cn_array *array; /* never NULL */
    PyObject *base;                /* NULL, or the object whose memory this is a view of: what .base gives */
    PyObject *weakrefs;
    cn_array *unlocked; /* the writeable form behind flags.writeable = False, else NULL */
    bool pinned;        /* exported until deallocation, because the address was given away as a number */
} cnx_array;

extern PyTypeObject cnx_array_type;

static inline bool cnx_array_check_exact(PyObject *object)
{
    return Py_IS_TYPE(object, &cnx_array_type);
}

/* Arrays of ours, subclasses included; not NumPy's, unlike isinstance in Python. */
static inline bool cnx_array_check(PyObject *object)
{
    return cnx_array_check_exact(object) || PyType_IsSubtype(Py_TYPE(object), &cnx_array_type);
}

static inline cn_array *cnx_get(PyObject *object)
{
    return ((cnx_array *)object)->array;
}

/*
 * Does the object seem to be held by the running call alone, so that it dies when the call returns? A hint: names that
 * lend their reference to a call (Python 3.14) are told from temporaries, other borrowers are not.
 */
static inline bool cnx_is_temporary(PyObject *object)
{
#if PY_VERSION_HEX >= 0x030E0000
    return PyUnstable_Object_IsUniqueReferencedTemporary(object) != 0;
#else
    return Py_REFCNT(object) == 1;
#endif
}

PyObject *cnx_new(cn_array *array);                                          /* array taken */
PyObject *cnx_new_as(PyTypeObject *type, PyObject *parent, cn_array *array); /* array taken; calls __array_finalize__ */

/* A view of the parent's memory, or (like) new memory, of the parent's class. array is taken. */
PyObject *cnx_view(PyObject *parent, cn_array *array);
PyObject *cnx_like(PyObject *parent, cn_array *array);

/* The same of what an index has copied: of a subclass it is a view of an array of ours, as NumPy makes it. */
PyObject *cnx_like_copied(PyObject *parent, cn_array *array);

/* A view on NumPy's memory: base is what .base gives. array is taken. */
PyObject *cnx_new_based(cn_array *array, PyObject *base);

/* What a ufunc or reduction gives: the scalar for 0-d (reads it), else an array. array is taken. */
PyObject *cnx_result(cn_array *array);

/*
 * Scalars that stay on the device (lazy.c): for a 0-d array for which it is wanted; array is taken. cnx_lazy_array: of one.
 */
extern PyTypeObject cnx_lazy_type;
bool cnx_lazy_wanted(const cn_array *array);
PyObject *cnx_lazy_new(cn_array *array);
cn_array *cnx_lazy_array(PyObject *scalar);

/* A subclass's array whose class has an __array_ufunc__ or __array_wrap__ of its own: results are its business. */
bool cnx_overrides(PyObject *object);

/* Among operands: the one whose subclass the result takes, or NULL. Borrowed. */
PyObject *cnx_subclass_of(PyObject *const *operands, Py_ssize_t count);

/* The result object as an instance of that operand's class; result is taken. */
PyObject *cnx_as_subclass(PyObject *operand, PyObject *result);

int cnx_array_init(PyObject *module);

/* ---- Dtypes, scalars, operands (convert.c) ------------------------------------------------------------ */

/* For a NumPy dtype object: CN_DTYPE_NONE if the core has no such dtype. */
cn_dtype cnx_dtype_of_descr(PyArray_Descr *descr);

/* For whatever names a dtype. CN_DTYPE_NONE: not native, or (exception set) no dtype at all. */
cn_dtype cnx_dtype_of(PyObject *object);

PyArray_Descr *cnx_descr(cn_dtype dtype); /* borrowed, lives forever */

PyObject *cnx_scalar(const cn_scalar *value);              /* NumPy's scalar */
PyObject *cnx_item(const cn_array *array, int64_t offset); /* NumPy's scalar of the element; reads */

/*
 * An input of a call: 1 and *out for an array or number that the core takes, 0 for what NumPy must see to, -1 for a
 * conversion that raised. *keep: NULL, or the owner of out->array, to be released after the call. Small arrays of
 * NumPy's are copied; larger ones are wrapped.
 */
int cnx_operand(PyObject *object, cn_operand *out, PyObject **keep);

/* The same where only values count (indices, what is stored): subclasses' arrays, too. */
int cnx_values(PyObject *object, cn_operand *out, PyObject **keep);

/* The same for ufuncs, which give subclasses their results: their arrays, too, unless cnx_overrides. */
int cnx_ufunc_operand(PyObject *object, cn_operand *out, PyObject **keep);

/* An output of a call: an array of ours or NumPy's, wrapped. As cnx_operand. */
int cnx_output(PyObject *object, cn_array **out, PyObject **keep);

/* A mask: an array of truth values, or one truth value. As cnx_operand; *keep is NULL for an array of ours. */
int cnx_mask(PyObject *object, cn_array **out, PyObject **keep);

/* A value to be stored into an array of this dtype, as NumPy's assignment takes it. As cnx_operand. */
int cnx_stored(PyObject *object, cn_dtype dtype, cn_operand *out, PyObject **keep);

/* Exactly numpy.ndarray, of a native dtype, aligned and in the machine's byte order. */
bool cnx_is_native_numpy(PyObject *object);

/* The value of the setting of this name; *row: -1 at first, then where it is. */
int64_t cnx_setting(const char *name, int *row);

int cnx_convert_init(void);

/* ---- Memory shared with NumPy (share.c) --------------------------------------------------------------- */

/* The view of ours on a native NumPy array's memory (cnx_is_native_numpy). */
PyObject *cnx_wrap(PyObject *numpy);

/* An array of ours with a copy of a native NumPy array's values; order: NPY_CORDER or NPY_KEEPORDER. */
PyObject *cnx_copy_of(PyObject *numpy, NPY_ORDER order);

/*
 * What NumPy made, as ours: memory of its own is copied, views are wrapped. Objects that are no native NumPy array
 * come back as they are.
 */
PyObject *cnx_from_numpy(PyObject *numpy);

/* A NumPy array on our array's memory; pending calls run. */
PyObject *cnx_to_numpy(PyObject *array);

/* Exports the memory for the array's lifetime. */
int cnx_pin(cnx_array *array);

extern PyBufferProcs cnx_as_buffer;
int cnx_share_init(void);

/*
 * A function that NumPy computes for a few elements whose values are at hand (at_hand.c): of operands of up to the setting
 * numpy_bytes times `times`; pending_too: what is pending on them runs first.
 */
typedef struct cnx_few {
    PyObject *function; /* of NumPy */
    bool pending_too;
    double times;
} cnx_few;

/* Is the call such a one? Then *result is what NumPy's function gives, NULL with its exception. */
bool cnx_at_hand(const cnx_few *few, PyObject *const *args, Py_ssize_t count, PyObject *names, PyObject **result);

/* ---- Memory of a GPU shared with others (device_share.c) ---------------------------------------------- */

int cnx_on_device(PyObject *self, bool *there);               /* are the values of the array there? */
PyObject *cnx_device_interface(PyObject *self, void *unused); /* __cuda_array_interface__ */
/* A DLPack capsule of the array's memory on the GPU, or of a copy. */
PyObject *cnx_show_device(PyObject *self, PyObject *max_version, bool copy);
/* The view of ours on what has a __cuda_array_interface__; NULL without an exception: NumPy must see to it. */
PyObject *cnx_see_device(PyObject *object);
int cnx_device_share_init(PyObject *module);

/* ---- Call sites and floating-point state (site.c, fpstate.c) ------------------------------------------- */

uint32_t cnx_site_current(PyThreadState *thread);
/* File (borrowed) and line of a site; false if unknown. */
bool cnx_site_place(uint32_t site, PyObject **file, int *line);
int cnx_site_init(PyObject *module);

void cnx_begin(void);
PyObject *cnx_end(PyObject *result); /* returns result, or NULL with an exception (result is then released) */
int cnx_end_int(int status);         /* the same for slots that return -1 */
int cnx_fpstate_init(void);

/* ---- Errors and fallbacks (errors.c) ------------------------------------------------------------------ */

/*
 * Raises what NumPy raises for reference(*args, **kwargs); if NumPy would not raise, the exception of the status with
 * the core's message. kwargs may be NULL. Returns NULL.
 */
PyObject *cnx_raise(cn_status status, PyObject *reference, PyObject *args, PyObject *kwargs);

/* The exception of the status, without NumPy. Returns NULL. */
PyObject *cnx_raise_plain(cn_status status);

/* cnx_raise with numpy.ndarray's method; a call without keywords. */
PyObject *cnx_raise_method(cn_status status, const char *method, PyObject *self, PyObject *args, PyObject *kwargs);

/* cnx_raise with numpy's function. */
PyObject *cnx_raise_function(cn_status status, const char *name, PyObject *args, PyObject *kwargs);

/* NumPy computes the method, or numpy's function of this name. kwargs may be NULL. */
PyObject *cnx_call_method(PyObject *self, const char *method, PyObject *args, PyObject *kwargs);
PyObject *cnx_call_function(const char *name, PyObject *args, PyObject *kwargs);
PyObject *cnx_call_quietly(const char *name, PyObject *args, PyObject *kwargs); /* it is no fallback */

/* An attribute of the module of this name, which is imported when *module is NULL and kept there. */
PyObject *cnx_module_attribute(PyObject **module, const char *module_name, const char *name);

/* numpy.<name>, numpy.ndarray.<name>, and a function of cnumeric._fallback. */
PyObject *cnx_numpy(const char *name);
PyObject *cnx_numpy_method(const char *name);
PyObject *cnx_fallback(const char *name);

const char *cnx_numpy_doc(const char *name); /* the text of numpy.<name>.__doc__, kept forever; NULL: none */

PyObject *cnx_no_value(void); /* numpy._NoValue, borrowed */

static inline bool cnx_given(PyObject *argument)
{
    return argument != NULL && argument != Py_None && argument != cnx_no_value();
}

/* ---- Numbers (number.c) ------------------------------------------------------------------------------- */

extern PyNumberMethods cnx_as_number;
PyObject *cnx_compare(PyObject *a, PyObject *b, int comparison);
int cnx_number_bool(PyObject *self); /* number_value.c */
PyObject *cnx_number_int(PyObject *self);
PyObject *cnx_number_float(PyObject *self);
PyObject *cnx_number_index(PyObject *self);

/* The ufunc object of the extension with NumPy's name; borrowed, NULL with an exception if there is none. */
PyObject *cnx_ufunc_named(const char *name);
PyObject *cnx_call_ufunc(const char *name, PyObject *a, PyObject *b, PyObject *out); /* b, out may be NULL */

cn_op cnx_power_op(void);
/* NumPy refuses integers to negative integer powers: CN_ERROR_VALUE. Reads an array of exponents. */
cn_status cnx_power_check(const cn_operand *in);

int cnx_number_init(PyObject *module);

/* ---- Indexing (index.c, index_parse.c, index_advanced.c) ----------------------------------------------- */

extern PyMappingMethods cnx_as_mapping;
extern PySequenceMethods cnx_as_sequence;

/* destination[...] = value by NumPy's rules; replayed as numpy.ndarray.__setitem__(self, key, value) if refused. */
int cnx_assign(cn_array *destination, PyObject *value, PyObject *self, PyObject *key);

/* self.<attribute> = value for real, imag and flat: destination[...] = value. */
int cnx_assign_all(cn_array *destination, PyObject *value);

/* ---- Methods and attributes ---------------------------------------------------------------------------- */

extern PyGetSetDef cnx_array_getset[];
extern PyMethodDef cnx_init_subclass;   /* ndarray.c */
extern PyMethodDef cnx_array_methods[]; /* filled by cnx_methods_init from method.c's own and the tables below */
extern const PyMethodDef cnx_shape_methods[], cnx_reduce_methods[], cnx_protocol_methods[];
int cnx_methods_init(PyObject *module);

PyObject *cnx_flat(PyObject *array); /* flat.c: what .flat gives */
int cnx_flat_put_all(PyObject *array, PyObject *value);
int cnx_flat_init(PyObject *module);

PyObject *cnx_flags(PyObject *array); /* flags.c */
int cnx_set_writeable(cnx_array *array, bool writeable);
int cnx_flags_init(void);

/* Arguments (arguments.c). Nothing is said of what is wrong with one: NumPy says it. */
int cnx_parse_axis(PyObject *object, int ndim, int *axis);              /* -1, without exception */
bool cnx_parse_axes(PyObject *object, int ndim, int *naxes, int *axes); /* None: *naxes = -1; no exception */
int cnx_parse_shape(PyObject *object, int *ndim, int64_t *shape);       /* an int or a sequence; raises */
int cnx_parse_order(PyObject *object, char fallback, char *order);      /* 'C', 'F', 'A', 'K'; -1, without exception */
bool cnx_order_holds(const cn_array *array, char order);                /* does its memory have it? */
bool cnx_parse_casting(PyObject *object, cn_casting *casting);          /* NULL: left as it is */
bool cnx_resolve_shape(int64_t size, int ndim, int64_t *shape);         /* fills a -1; false: impossible */

/* Shapes as Python has them */
PyObject *cnx_tuple(int n, const int64_t *values);

/* Reshaped in C order, copied where no view exists; *copied may be NULL. New reference. */
cn_status cnx_reshape(cn_array *array, int ndim, const int64_t *shape, bool *copied, cn_array **out);
/* The same in an order of NumPy's: 'C' or 'F'. */
cn_status cnx_reshape_order(cn_array *array, int ndim, const int64_t *shape, char order, bool *copied, cn_array **out);
/* A new array with the values in the order of memory named: 'C', 'F', 'A', 'K'. */
cn_status cnx_copy_order(cn_array *array, cn_dtype dtype, char order, cn_array **out);

/* numpy.dot; out may be NULL. (product.c) */
PyObject *cnx_dot(PyObject *a, PyObject *b, PyObject *out);

/* self.strides = value: the view that self is then, *out. (strided.c) */
int cnx_set_strides(PyObject *object, PyObject *value, cn_array **out);

/* Functions of the module (create.c, join.c, product.c, sorting.c, random_draw.c, strided.c, library_call.c) */
int cnx_create_init(PyObject *module);
int cnx_create_quick_init(PyObject *module);
/* Adds functions whose documentation is that of NumPy's of the same names, behind the row's own, a signature or NULL. */
int cnx_add_as_numpy(PyObject *module, PyMethodDef *rows);
/* A new array with this in every element (NULL: with nothing); axis_order: slowest first, NULL: C order. */
cn_status cnx_make_filled(const cn_operand *fill, cn_dtype dtype, int ndim, const int64_t *shape, const int *axis_order,
                          cn_array **out);
int cnx_join_init(PyObject *module);
int cnx_product_init(PyObject *module);
int cnx_sorting_init(PyObject *module);
int cnx_random_init(PyObject *module);
int cnx_strided_init(PyObject *module);
int cnx_direct_init(PyObject *module);
int cnx_entry_init(PyObject *module);

/* ---- long_variance.c ---- */

/*
 * The sum of squares of what differs from the mean, along an axis of 512 elements or more; dtype: float32 or float64, what
 * the array's promotes to. Reads the array once. New reference.
 */
cn_status cnx_long_deviations(cn_array *array, int axis, cn_dtype dtype, bool keepdims, cn_array **out);

#endif
