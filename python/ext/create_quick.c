/*
 * create_quick.c - full, arange and what is made like an array: the commonest calls, without Python code. Whatever else
 * there is to decide, and all errors, are those of cnumeric._creation's functions of the same names.
 */
#include "ext.h"

#include <math.h>

/* The same call of the package's function. */
static PyObject *by_package(const char *name, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static PyObject *module;
    PyObject *function = cnx_module_attribute(&module, "cnumeric._creation", name), *made = NULL;
    if (function != NULL) {
        made = PyObject_Vectorcall(function, args, (size_t)count, names);
    }
    Py_XDECREF(function);
    return made;
}

/* ---- Ranges -------------------------------------------------------------------------------------------- */

enum { EXACT_BITS = 52 };

/* A plain int or float that a double holds, and so do sums of two. */
static bool read_bound(PyObject *object, double *value, bool *whole)
{
    if (PyLong_CheckExact(object)) {
        int overflow;
        *value = (double)PyLong_AsLongLongAndOverflow(object, &overflow);
        return overflow == 0 && fabs(*value) < (double)(INT64_C(1) << EXACT_BITS);
    }
    *whole = false;
    *value = PyFloat_CheckExact(object) ? PyFloat_AS_DOUBLE(object) : NAN;
    return fabs(*value) < (double)(INT64_C(1) << EXACT_BITS);
}

/* The range of one to three plain numbers. False: not for us. */
static bool quick_range(PyObject *const *args, Py_ssize_t count, cn_array **out)
{
    double start = 0, stop, step = 1;
    bool whole = true;
    if (count == 1) {
        if (!read_bound(args[0], &stop, &whole)) {
            return false;
        }
    } else if (count < 1 || count > 3 || !read_bound(args[0], &start, &whole) || !read_bound(args[1], &stop, &whole) ||
               (count == 3 && !read_bound(args[2], &step, &whole))) {
        return false;
    }
    double length = ceil((stop - start) / step), second = start + step, difference = second - start;
    bool plain = length > 0 && length < (double)(INT64_C(1) << EXACT_BITS) && !(start == 0 && signbit(start));
    if (!plain || start + difference != second) {
        return false;
    }
    cn_scalar first = {.dtype = whole ? CN_INT64 : CN_FLOAT64}, by = first;
    if (whole) {
        first.value.i64 = (int64_t)start;
        by.value.i64 = (int64_t)step;
    } else {
        first.value.f64 = start;
        by.value.f64 = difference;
    }
    return cn_arange(&first, &by, (int64_t)length, out) == CN_OK;
}

static PyObject *quick_arange(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    cn_array *array;
    (void)module;
    if (names == NULL) {
        cnx_begin();
        if (quick_range(args, count, &array)) {
            return cnx_end(cnx_new(array));
        }
        PyErr_Clear();
    }
    return by_package("arange", args, count, names);
}

/* ---- Filled -------------------------------------------------------------------------------------------- */

static bool read_fill(PyObject *object, cn_operand *fill)
{
    PyObject *keep;
    bool number = PyFloat_CheckExact(object) || PyLong_CheckExact(object) || PyBool_Check(object) ||
                  PyComplex_CheckExact(object) || PyArray_IsScalar(object, Generic);
    bool read = number && cnx_operand(object, fill, &keep) == 1;
    fill->weak = CN_STRONG;
    return read;
}

/* May an array of the dtype have it, without a look at what it loses? */
static bool takes_fill(cn_dtype dtype, const cn_operand *fill)
{
    return dtype == fill->scalar.dtype || (dtype == CN_FLOAT64 && fill->scalar.dtype <= CN_FLOAT64);
}

static PyObject *quick_full(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    cn_operand fill;
    int ndim;
    int64_t shape[CN_MAX_DIMS];
    cn_array *array;
    (void)module;
    bool named = names != NULL && PyTuple_GET_SIZE(names) == 1 && count == 2 &&
                 PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "dtype") == 0;
    if (((names == NULL && (count == 2 || count == 3)) || named) && cnx_parse_shape(args[0], &ndim, shape) == 0 &&
        read_fill(args[1], &fill)) {
        bool asked = (named || count == 3) && cnx_given(args[2]);
        cn_dtype dtype = asked ? cnx_dtype_of(args[2]) : fill.scalar.dtype;
        cnx_begin();
        if (takes_fill(dtype, &fill) && cnx_make_filled(&fill, dtype, ndim, shape, NULL, &array) == CN_OK) {
            return cnx_end(cnx_new(array));
        }
    }
    PyErr_Clear();
    return by_package("full", args, count, names);
}

/* ---- Like an array ------------------------------------------------------------------------------------- */

/* Like an array in one run of memory. False: not for us. */
static bool like_run(cn_array *as, const cn_operand *fill, cn_array **out)
{
    int ndim = cn_array_ndim(as), reversed[CN_MAX_DIMS];
    bool c_order = cnx_order_holds(as, 'C');
    if (!c_order && !cnx_order_holds(as, 'F')) {
        return false;
    }
    for (int d = 0; d < ndim; d++) {
        reversed[d] = ndim - 1 - d;
    }
    return cnx_make_filled(fill, cn_array_dtype(as), ndim, cn_array_shape(as), c_order ? NULL : reversed, out) == CN_OK;
}

/* The call with a prototype alone, or with what fills the result (fill_at: its place among the arguments, or 0). */
static PyObject *quick_like(const char *name, const cn_operand *fill, int fill_at, PyObject *const *args,
                            Py_ssize_t count, PyObject *names)
{
    cn_operand given;
    cn_array *made;
    if (names == NULL && count == fill_at + 1 && cnx_array_check_exact(args[0]) &&
        (fill_at == 0 || (read_fill(args[fill_at], &given) && takes_fill(cn_array_dtype(cnx_get(args[0])), &given)))) {
        cnx_begin();
        if (like_run(cnx_get(args[0]), fill_at > 0 ? &given : fill, &made)) {
            return cnx_end(cnx_new(made));
        }
    }
    PyErr_Clear();
    return by_package(name, args, count, names);
}

static PyObject *quick_empty_like(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    (void)module;
    return quick_like("empty_like", NULL, 0, args, count, names);
}

static PyObject *quick_zeros_like(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const cn_operand zero = {.scalar = {.dtype = CN_BOOL}};
    (void)module;
    return quick_like("zeros_like", &zero, 0, args, count, names);
}

static PyObject *quick_ones_like(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const cn_operand one = {.scalar = {.dtype = CN_BOOL, .value = {.b = 1}}};
    (void)module;
    return quick_like("ones_like", &one, 0, args, count, names);
}

static PyObject *quick_full_like(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    (void)module;
    return quick_like("full_like", NULL, 1, args, count, names);
}

static PyMethodDef functions[] = {
    {"full", CNX_KEYWORDS(quick_full), METH_FASTCALL | METH_KEYWORDS,
     "full(shape, fill_value, dtype=None, order='C', *, device=None, like=None)\n--\n\n"},
    {"empty_like", CNX_KEYWORDS(quick_empty_like), METH_FASTCALL | METH_KEYWORDS,
     "empty_like(prototype, /, dtype=None, order='K', subok=True, shape=None, *, device=None)\n--\n\n"},
    {"zeros_like", CNX_KEYWORDS(quick_zeros_like), METH_FASTCALL | METH_KEYWORDS,
     "zeros_like(a, dtype=None, order='K', subok=True, shape=None, *, device=None)\n--\n\n"},
    {"ones_like", CNX_KEYWORDS(quick_ones_like), METH_FASTCALL | METH_KEYWORDS,
     "ones_like(a, dtype=None, order='K', subok=True, shape=None, *, device=None)\n--\n\n"},
    {"full_like", CNX_KEYWORDS(quick_full_like), METH_FASTCALL | METH_KEYWORDS,
     "full_like(a, fill_value, dtype=None, order='K', subok=True, shape=None, *, device=None)\n--\n\n"},
    {"arange", CNX_KEYWORDS(quick_arange), METH_FASTCALL | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

int cnx_create_quick_init(PyObject *module)
{
    return cnx_add_as_numpy(module, functions);
}
