/*
 * method_shape.c - methods that give another form: views where numpy gives views, copies elsewhere.
 *
 * Arguments that make no sense are handed to NumPy as they came, for its exception.
 */
#include "ext.h"

static PyObject *give_view(PyObject *self, cn_status status, cn_array *view)
{
    return status == CN_OK ? cnx_view(self, view) : cnx_raise_plain(status);
}

/* ---- reshape, ravel, flatten ---------------------------------------------------------------------------- */

/* reshape(*shape, order='C', copy=None); false: NumPy's business. */
static bool read_reshape(PyObject *args, PyObject *kwargs, int *ndim, int64_t *shape, char *order, PyObject **copy)
{
    *copy = NULL;
    *order = 'C';
    if (kwargs != NULL) {
        PyObject *order_object = PyDict_GetItemString(kwargs, "order");
        *copy = PyDict_GetItemString(kwargs, "copy");
        if (PyDict_GET_SIZE(kwargs) != (order_object != NULL) + (*copy != NULL) ||
            cnx_parse_order(order_object, 'C', order) < 0 || *order == 'K') {
            return false;
        }
        *copy = *copy == Py_None ? NULL : *copy;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    PyObject *shape_object = count == 1 ? PyTuple_GET_ITEM(args, 0) : args;
    return count > 0 && shape_object != Py_None && (*copy == NULL || PyBool_Check(*copy)) &&
           cnx_parse_shape(shape_object, ndim, shape) == 0;
}

static PyObject *reshape(PyObject *self, PyObject *args, PyObject *kwargs)
{
    cn_array *array = cnx_get(self), *made;
    int ndim;
    int64_t shape[CN_MAX_DIMS];
    char order;
    PyObject *copy;
    if (!read_reshape(args, kwargs, &ndim, shape, &order, &copy) ||
        !cnx_resolve_shape(cn_array_size(array), ndim, shape)) {
        PyErr_Clear();
        return cnx_call_method(self, "reshape", args, kwargs);
    }
    if (order == 'A') {
        order = cn_array_f_contiguous(array) && !cn_array_c_contiguous(array) ? 'F' : 'C';
    }
    bool copied = true;
    cn_array *source = cn_array_ref(array);
    cn_status status = CN_OK;
    cnx_begin();
    if (copy == Py_True) {
        cn_array_unref(source);
        status = cnx_copy_order(array, cn_array_dtype(array), order, &source);
    }
    if (status == CN_OK) {
        status = cnx_reshape_order(source, ndim, shape, order, &copied, &made);
        cn_array_unref(source);
    }
    if (status == CN_OK && copied && copy == Py_False) {
        cn_array_unref(made);
        status = CN_ERROR_VALUE; /* NumPy has the words */
    }
    if (status != CN_OK) {
        return cnx_raise_method(status, "reshape", self, args, kwargs);
    }
    return cnx_end(copied || copy == Py_True ? cnx_like(self, made) : cnx_view(self, made));
}

/* The values in one dimension, in a new array. order: 'C', 'F', or 'K': as they lie in memory. */
static cn_status flat_copy(cn_array *array, char order, cn_array **out)
{
    cn_array *copy;
    int64_t size = cn_array_size(array), step = (int64_t)cn_dtype_size(cn_array_dtype(array));
    if (size == 0) {
        return cn_array_empty(cn_array_dtype(array), 1, &size, out);
    }
    cn_status status = cnx_copy_order(array, cn_array_dtype(array), order, &copy);
    if (status == CN_OK && order == 'K') {
        status = cn_array_view(copy, cn_array_dtype(copy), 0, 1, &size, &step, true, out);
        cn_array_unref(copy);
    } else if (status == CN_OK) {
        status = cnx_reshape_order(copy, 1, &size, order, NULL, out);
        cn_array_unref(copy);
    }
    return status;
}

/* Which of C and F the order means for this array; 'K': neither. */
static char plain_order(const cn_array *array, char order)
{
    bool c = cn_array_c_contiguous(array), f = cn_array_f_contiguous(array);
    if (order == 'A') {
        return f && !c ? 'F' : 'C';
    }
    return order != 'K' ? order : c ? 'C' : f ? 'F' : 'K';
}

static char read_order(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"order", NULL};
    PyObject *object = NULL;
    char order;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O", names, &object) || cnx_parse_order(object, 'C', &order) < 0) {
        PyErr_Clear();
        return 0;
    }
    return plain_order(cnx_get(self), order);
}

/* Do the elements lie as one run upwards, in some order of the axes? */
static bool is_run(const cn_array *array)
{
    int64_t reach = (int64_t)cn_dtype_size(cn_array_dtype(array)), found = 1;
    int64_t whole = cn_array_size(array);
    for (bool more = true; more && found < whole;) {
        more = false;
        for (int d = 0; d < cn_array_ndim(array); d++) {
            if (cn_array_shape(array)[d] > 1 && cn_array_strides(array)[d] == reach) {
                reach *= cn_array_shape(array)[d];
                found *= cn_array_shape(array)[d];
                more = true;
            }
        }
    }
    return found == whole;
}

static PyObject *ravel(PyObject *self, PyObject *args, PyObject *kwargs)
{
    cn_array *array = cnx_get(self), *made;
    int64_t size = cn_array_size(array);
    char order = read_order(self, args, kwargs);
    if (order == 0) {
        return cnx_call_method(self, "ravel", args, kwargs);
    }
    bool run = order == 'K' && size > 0 && is_run(array);
    bool view = run || (order == 'F' ? cn_array_f_contiguous(array) : order == 'C' && cn_array_c_contiguous(array));
    int64_t step = (int64_t)cn_dtype_size(cn_array_dtype(array));
    cnx_begin();
    cn_status status =
        run    ? cn_array_view(array, cn_array_dtype(array), cn_array_offset(array), 1, &size, &step, true, &made)
        : view ? cnx_reshape_order(array, 1, &size, order, NULL, &made)
               : flat_copy(array, order, &made);
    if (status != CN_OK) {
        return cnx_raise_plain(status);
    }
    return cnx_end(view ? cnx_view(self, made) : cnx_like(self, made));
}

static PyObject *flatten(PyObject *self, PyObject *args, PyObject *kwargs)
{
    cn_array *made;
    char order = read_order(self, args, kwargs);
    if (order == 0) {
        return cnx_call_method(self, "flatten", args, kwargs);
    }
    cnx_begin();
    cn_status status = flat_copy(cnx_get(self), order, &made);
    return status == CN_OK ? cnx_end(cnx_like(self, made)) : cnx_raise_plain(status);
}

/* ---- Order of the axes --------------------------------------------------------------------------------- */

/* A permutation of the axes; false: NumPy's business. */
static bool read_axes(PyObject *object, int ndim, int *axes)
{
    PyObject *items = PySequence_Fast(object, "");
    bool good = items != NULL && PySequence_Fast_GET_SIZE(items) == ndim;
    uint64_t used = 0;
    for (int d = 0; good && d < ndim; d++) {
        good = cnx_parse_axis(PySequence_Fast_GET_ITEM(items, d), ndim, &axes[d]) == 0 && (used >> axes[d] & 1) == 0;
        used |= good ? UINT64_C(1) << axes[d] : 0;
    }
    Py_XDECREF(items);
    return good;
}

static PyObject *transpose(PyObject *self, PyObject *args)
{
    cn_array *array = cnx_get(self), *view = NULL;
    int axes[CN_MAX_DIMS];
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    PyObject *first = count == 1 ? PyTuple_GET_ITEM(args, 0) : NULL;
    bool reversed = count == 0 || first == Py_None;
    bool sequence = first != NULL && !PyIndex_Check(first);
    if (!reversed && !read_axes(sequence ? first : args, cn_array_ndim(array), axes)) {
        PyErr_Clear();
        return cnx_call_method(self, "transpose", args, NULL);
    }
    cn_status status = cn_array_transpose(array, reversed ? NULL : axes, &view);
    return give_view(self, status, view);
}

static PyObject *swapaxes(PyObject *self, PyObject *args)
{
    cn_array *array = cnx_get(self), *view = NULL;
    int ndim = cn_array_ndim(array), axes[CN_MAX_DIMS], one, two;
    if (PyTuple_GET_SIZE(args) != 2 || cnx_parse_axis(PyTuple_GET_ITEM(args, 0), ndim, &one) < 0 ||
        cnx_parse_axis(PyTuple_GET_ITEM(args, 1), ndim, &two) < 0) {
        return cnx_call_method(self, "swapaxes", args, NULL);
    }
    for (int d = 0; d < ndim; d++) {
        axes[d] = d == one ? two : d == two ? one : d;
    }
    cn_status status = cn_array_transpose(array, axes, &view);
    return give_view(self, status, view);
}

static PyObject *squeeze(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"axis", NULL};
    cn_array *array = cnx_get(self), *view = NULL;
    int ndim = cn_array_ndim(array), naxes, axes[CN_MAX_DIMS], kept = 0;
    const int64_t *shape = cn_array_shape(array), *strides = cn_array_strides(array);
    int64_t kept_shape[CN_MAX_DIMS], kept_strides[CN_MAX_DIMS];
    PyObject *axis = NULL;
    bool good =
        PyArg_ParseTupleAndKeywords(args, kwargs, "|O", names, &axis) && cnx_parse_axes(axis, ndim, &naxes, axes);
    uint64_t named = 0;
    for (int i = 0; good && i < naxes; i++) {
        named |= UINT64_C(1) << axes[i];
        good = shape[axes[i]] == 1;
    }
    if (!good) {
        PyErr_Clear();
        return cnx_call_method(self, "squeeze", args, kwargs);
    }
    for (int d = 0; d < ndim; d++) {
        if (shape[d] != 1 || (naxes >= 0 && (named >> d & 1) == 0)) {
            kept_shape[kept] = shape[d];
            kept_strides[kept++] = strides[d];
        }
    }
    if (kept == ndim) {
        return Py_NewRef(self);
    }
    cn_status status = cn_array_view(array, cn_array_dtype(array), cn_array_offset(array), kept, kept_shape,
                                     kept_strides, true, &view);
    return give_view(self, status, view);
}

/* ---- Diagonals ----------------------------------------------------------------------------------------- */

/* Two axes become one last axis along the diagonal; read-only, as numpy's. */
static cn_status diagonal_view(cn_array *array, int64_t by, int one, int two, cn_array **out)
{
    const int64_t *shape = cn_array_shape(array), *strides = cn_array_strides(array);
    int64_t new_shape[CN_MAX_DIMS], new_strides[CN_MAX_DIMS];
    int n = 0;
    for (int d = 0; d < cn_array_ndim(array); d++) {
        if (d != one && d != two) {
            new_shape[n] = shape[d];
            new_strides[n++] = strides[d];
        }
    }
    int64_t rows = shape[one] + (by < 0 ? by : 0), columns = shape[two] - (by > 0 ? by : 0);
    int64_t length = rows < columns ? rows : columns;
    int64_t start = by >= 0 ? by * strides[two] : -by * strides[one];
    new_shape[n] = length > 0 ? length : 0;
    new_strides[n++] = strides[one] + strides[two];
    return cn_array_view(array, cn_array_dtype(array), cn_array_offset(array) + (length > 0 ? start : 0), n, new_shape,
                         new_strides, false, out);
}

static PyObject *make_diagonal(PyObject *self, Py_ssize_t by, PyObject *axis1, PyObject *axis2)
{
    cn_array *array = cnx_get(self), *view = NULL;
    int ndim = cn_array_ndim(array), one = 0, two = 1;
    bool good = ndim >= 2 && (axis1 == NULL || cnx_parse_axis(axis1, ndim, &one) == 0) &&
                (axis2 == NULL || cnx_parse_axis(axis2, ndim, &two) == 0) && one != two;
    if (!good) {
        return NULL;
    }
    cn_status status = diagonal_view(array, by, one, two, &view);
    return give_view(self, status, view);
}

static PyObject *diagonal(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"offset", "axis1", "axis2", NULL};
    Py_ssize_t by = 0;
    PyObject *axis1 = NULL, *axis2 = NULL, *made = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "|nOO", names, &by, &axis1, &axis2)) {
        made = make_diagonal(self, by, axis1, axis2);
    }
    if (made == NULL) {
        PyErr_Clear();
        return cnx_call_method(self, "diagonal", args, kwargs);
    }
    return made;
}

static PyObject *trace(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"offset", "axis1", "axis2", "dtype", "out", NULL};
    Py_ssize_t by = 0;
    PyObject *axis1 = NULL, *axis2 = NULL, *dtype = Py_None, *out = Py_None, *line = NULL;
    if (cnx_array_check_exact(self) &&
        PyArg_ParseTupleAndKeywords(args, kwargs, "|nOOOO", names, &by, &axis1, &axis2, &dtype, &out)) {
        line = make_diagonal(self, by, axis1, axis2);
    }
    if (line == NULL) {
        PyErr_Clear();
        return cnx_call_method(self, "trace", args, kwargs);
    }
    PyObject *sum = PyObject_CallMethod(line, "sum", "iOO", -1, dtype, out);
    Py_DECREF(line);
    return sum;
}

/* ---- view ----------------------------------------------------------------------------------------------- */

/* The view with another element size, by numpy's rule; false: none, or one that is not aligned. */
static bool retype(const cn_array *array, int64_t size, int64_t *shape, int64_t *strides)
{
    int last = cn_array_ndim(array) - 1;
    int64_t itemsize = (int64_t)cn_dtype_size(cn_array_dtype(array));
    for (int d = 0; d <= last; d++) {
        shape[d] = cn_array_shape(array)[d];
        strides[d] = cn_array_strides(array)[d];
    }
    if (size != itemsize) {
        if (last < 0 || (strides[last] != itemsize && shape[last] != 1) || shape[last] * itemsize % size != 0) {
            return false;
        }
        shape[last] = shape[last] * itemsize / size;
        strides[last] = size;
    }
    bool aligned = cn_array_offset(array) % size == 0;
    for (int d = 0; d <= last; d++) {
        aligned = aligned && (strides[d] % size == 0 || shape[d] <= 1);
    }
    return aligned;
}

static bool is_class_of_ours(PyObject *object)
{
    return object != NULL && PyType_Check(object) && PyType_IsSubtype((PyTypeObject *)object, &cnx_array_type);
}

static PyObject *view(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"dtype", "type", NULL};
    cn_array *array = cnx_get(self), *made;
    PyObject *dtype_object = NULL, *type = NULL;
    int64_t shape[CN_MAX_DIMS], strides[CN_MAX_DIMS];
    bool good = PyArg_ParseTupleAndKeywords(args, kwargs, "|OO", names, &dtype_object, &type);
    if (good && is_class_of_ours(dtype_object) && type == NULL) {
        type = dtype_object;
        dtype_object = NULL;
    }
    cn_dtype dtype = good && cnx_given(dtype_object) ? cnx_dtype_of(dtype_object) : cn_array_dtype(array);
    good = good && dtype != CN_DTYPE_NONE && (type == NULL || is_class_of_ours(type)) &&
           retype(array, (int64_t)cn_dtype_size(dtype), shape, strides);
    if (!good) {
        PyErr_Clear();
        return cnx_call_method(self, "view", args, kwargs);
    }
    cn_status status =
        cn_array_view(array, dtype, cn_array_offset(array), cn_array_ndim(array), shape, strides, true, &made);
    if (status != CN_OK) {
        return cnx_raise_plain(status);
    }
    if (type == NULL || type == (PyObject *)Py_TYPE(self)) {
        return cnx_view(self, made);
    }
    PyObject *result = cnx_new_as((PyTypeObject *)type, self, made);
    if (result != NULL) {
        PyObject *base = ((cnx_array *)self)->base;
        ((cnx_array *)result)->base = Py_NewRef(base != NULL ? base : self);
    }
    return result;
}

const PyMethodDef cnx_shape_methods[] = {
    {"reshape", CNX_KEYWORDS(reshape), METH_VARARGS | METH_KEYWORDS, "reshape(*shape, order='C', copy=None)"},
    {"ravel", CNX_KEYWORDS(ravel), METH_VARARGS | METH_KEYWORDS, "ravel(order='C')"},
    {"flatten", CNX_KEYWORDS(flatten), METH_VARARGS | METH_KEYWORDS, "flatten(order='C')"},
    {"transpose", transpose, METH_VARARGS, "transpose(*axes)"},
    {"swapaxes", swapaxes, METH_VARARGS, "swapaxes(axis1, axis2)"},
    {"squeeze", CNX_KEYWORDS(squeeze), METH_VARARGS | METH_KEYWORDS, "squeeze(axis=None)"},
    {"diagonal", CNX_KEYWORDS(diagonal), METH_VARARGS | METH_KEYWORDS, "diagonal(offset=0, axis1=0, axis2=1)"},
    {"trace", CNX_KEYWORDS(trace), METH_VARARGS | METH_KEYWORDS,
     "trace(offset=0, axis1=0, axis2=1, dtype=None, out=None)"},
    {"view", CNX_KEYWORDS(view), METH_VARARGS | METH_KEYWORDS, "view([dtype][, type])"},
    {NULL, NULL, 0, NULL},
};
