/*
 * ufunc.h - the ufunc objects: the type, shared by the files that make it up.
 *
 * A ufunc object stands for numpy.ufunc of the same name. A call either becomes cn_elementwise (a row of the core's
 * table exists and every operand is of a native dtype), or a Python function composed of such calls, or NumPy's.
 */
#ifndef CNX_UFUNC_H
#define CNX_UFUNC_H

#include <Python.h>

#include "cnumeric.h"

typedef struct cnx_ufunc {
    PyObject_HEAD vectorcallfunc vectorcall;
    cn_op op; /* -1: no row */
    int nin, nout;
    PyObject *name;
    PyObject *numpy;   /* NumPy's ufunc */
    PyObject *compose; /* NULL, or the Python function for a ufunc without a row */
} cnx_ufunc;

extern PyTypeObject cnx_ufunc_type;

/* The vector calls: of elementwise ufuncs, and of matmul. */
PyObject *cnx_ufunc_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *kwnames);
PyObject *cnx_ufunc_call_matmul(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *kwnames);

/* Lets NumPy compute: _fallback.call_ufunc(self, method, args, kwargs). method: "__call__", "reduce", ... */
PyObject *cnx_ufunc_fallback(cnx_ufunc *self, const char *method, PyObject *args, PyObject *kwargs);

/* The same for the arguments of a vector call. */
PyObject *cnx_ufunc_fallback_vector(cnx_ufunc *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);

/* ufunc.reduce(array, axis=0, dtype=None, out=None, keepdims=False, initial=<no value>, where=True) */
PyObject *cnx_ufunc_reduce(PyObject *self, PyObject *args, PyObject *kwargs);

/* ufunc.accumulate(array, axis=0, dtype=None, out=None) */
PyObject *cnx_ufunc_accumulate(PyObject *self, PyObject *args, PyObject *kwargs);

/* ufunc.reduceat(array, indices, axis=0, dtype=None, out=None) */
PyObject *cnx_ufunc_reduceat(PyObject *self, PyObject *args, PyObject *kwargs);

/* ufunc.at(a, indices, b=None, /) */
PyObject *cnx_ufunc_at(PyObject *self, PyObject *args, PyObject *kwargs);

/* Ours for NumPy's ufunc object, borrowed; NULL: none. */
PyObject *cnx_ufunc_of(PyObject *numpy_ufunc);

int cnx_ufunc_init(PyObject *module);

#endif
