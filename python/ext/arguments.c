/*
 * arguments.c - shapes, axes and orders as Python programs give them, and reshaping.
 *
 * What is wrong with an argument is for NumPy to say: these functions only tell that it is.
 */
#include "ext.h"

PyObject *cnx_tuple(int n, const int64_t *values)
{
    PyObject *tuple = PyTuple_New(n);
    for (int i = 0; tuple != NULL && i < n; i++) {
        PyObject *value = PyLong_FromLongLong(values[i]);
        if (value == NULL) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, i, value);
    }
    return tuple;
}

static int parse_extent(PyObject *object, int64_t *out)
{
    if (PyLong_CheckExact(object)) {
        *out = PyLong_AsLongLong(object);
    } else if (PyBool_Check(object)) {
        PyErr_SetString(PyExc_TypeError, "an integer is required");
        return -1;
    } else {
        *out = PyNumber_AsSsize_t(object, PyExc_OverflowError);
    }
    return *out == -1 && PyErr_Occurred() ? -1 : 0;
}

int cnx_parse_shape(PyObject *object, int *ndim, int64_t *shape)
{
    if (PyLong_Check(object) || (PyIndex_Check(object) && !PySequence_Check(object))) {
        *ndim = 1;
        return parse_extent(object, shape);
    }
    PyObject *items = PySequence_Fast(object, "expected a sequence of integers or a single integer");
    if (items == NULL) {
        return -1;
    }
    Py_ssize_t count = PySequence_Fast_GET_SIZE(items);
    int status = 0;
    if (count > CN_MAX_DIMS) {
        PyErr_SetString(PyExc_ValueError, "too many dimensions");
        status = -1;
    }
    for (Py_ssize_t i = 0; status == 0 && i < count; i++) {
        status = parse_extent(PySequence_Fast_GET_ITEM(items, i), &shape[i]);
    }
    *ndim = (int)count;
    Py_DECREF(items);
    return status;
}

int cnx_parse_axis(PyObject *object, int ndim, int *axis)
{
    if (!PyIndex_Check(object) || PyBool_Check(object)) {
        return -1;
    }
    Py_ssize_t value = PyNumber_AsSsize_t(object, PyExc_IndexError);
    if (value == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        return -1;
    }
    value = value < 0 ? value + ndim : value;
    if (value < 0 || value >= ndim) {
        return -1;
    }
    *axis = (int)value;
    return 0;
}

bool cnx_parse_axes(PyObject *object, int ndim, int *naxes, int *axes)
{
    if (object == NULL || object == Py_None) {
        *naxes = -1;
        return true;
    }
    if (!PyTuple_Check(object)) {
        if (ndim == 0) { /* axis 0 and -1 of a number are all there is */
            *naxes = -1;
            int axis;
            return cnx_parse_axis(object, 1, &axis) == 0;
        }
        *naxes = 1;
        return cnx_parse_axis(object, ndim, axes) == 0;
    }
    uint64_t used = 0;
    *naxes = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(object); i++) {
        int axis;
        if (cnx_parse_axis(PyTuple_GET_ITEM(object, i), ndim, &axis) < 0 || (used >> axis & 1) != 0) {
            return false;
        }
        used |= UINT64_C(1) << axis;
        axes[(*naxes)++] = axis;
    }
    return true;
}

int cnx_parse_order(PyObject *object, char fallback, char *order)
{
    *order = fallback;
    if (object == NULL || object == Py_None) {
        return 0;
    }
    if (!PyUnicode_Check(object) || PyUnicode_GET_LENGTH(object) != 1) {
        return -1;
    }
    Py_UCS4 letter = Py_TOUPPER(PyUnicode_READ_CHAR(object, 0) & 0x7F);
    if (letter != 'C' && letter != 'F' && letter != 'A' && letter != 'K') {
        return -1;
    }
    *order = (char)letter;
    return 0;
}

bool cnx_parse_casting(PyObject *object, cn_casting *casting)
{
    static const char *const names[] = {[CN_CAST_NO] = "no",
                                        [CN_CAST_EQUIV] = "equiv",
                                        [CN_CAST_SAFE] = "safe",
                                        [CN_CAST_SAME_KIND] = "same_kind",
                                        [CN_CAST_UNSAFE] = "unsafe"};
    for (int i = 0; object != NULL && PyUnicode_Check(object) && i <= CN_CAST_UNSAFE; i++) {
        if (PyUnicode_CompareWithASCIIString(object, names[i]) == 0) {
            *casting = (cn_casting)i;
            return true;
        }
    }
    return object == NULL;
}

bool cnx_order_holds(const cn_array *array, char order)
{
    return order == 'K' || (order == 'A' && (cn_array_c_contiguous(array) || cn_array_f_contiguous(array))) ||
           (order == 'C' && cn_array_c_contiguous(array)) || (order == 'F' && cn_array_f_contiguous(array));
}

bool cnx_resolve_shape(int64_t size, int ndim, int64_t *shape)
{
    int unknown = -1;
    int64_t known = 1;
    for (int d = 0; d < ndim; d++) {
        if (shape[d] < 0) {
            if (shape[d] != -1 || unknown >= 0) {
                return false;
            }
            unknown = d;
        } else if (__builtin_mul_overflow(known, shape[d], &known)) {
            return false;
        }
    }
    if (unknown < 0) {
        return known == size;
    }
    if (known == 0 || size % known != 0) {
        return false;
    }
    shape[unknown] = size / known;
    return true;
}

/* ---- Reshaping ---------------------------------------------------------------------------------------- */

cn_status cnx_reshape(cn_array *array, int ndim, const int64_t *shape, bool *copied, cn_array **out)
{
    cn_array *view = NULL, *copy;
    cn_status status = cn_array_reshape_view(array, ndim, shape, &view);
    if (copied != NULL) {
        *copied = view == NULL;
    }
    if (status != CN_OK || view != NULL) {
        *out = view;
        return status;
    }
    status = cn_array_copy(array, cn_array_dtype(array), false, &copy);
    if (status == CN_OK) {
        status = cn_array_reshape_view(copy, ndim, shape, out);
        cn_array_unref(copy);
    }
    return status;
}

/* Fortran order is C order of the transposes. */
cn_status cnx_reshape_order(cn_array *array, int ndim, const int64_t *shape, char order, bool *copied, cn_array **out)
{
    if (order != 'F') {
        return cnx_reshape(array, ndim, shape, copied, out);
    }
    int64_t reversed[CN_MAX_DIMS];
    for (int d = 0; d < ndim; d++) {
        reversed[d] = shape[ndim - 1 - d];
    }
    cn_array *turned, *made;
    cn_status status = cn_array_transpose(array, NULL, &turned);
    if (status != CN_OK) {
        return status;
    }
    status = cnx_reshape(turned, ndim, reversed, copied, &made);
    cn_array_unref(turned);
    if (status == CN_OK) {
        status = cn_array_transpose(made, NULL, out);
        cn_array_unref(made);
    }
    return status;
}

cn_status cnx_copy_order(cn_array *array, cn_dtype dtype, char order, cn_array **out)
{
    bool fortran = cn_array_f_contiguous(array) && !cn_array_c_contiguous(array);
    if (order == 'C' || order == 'K' || (order == 'A' && !fortran)) {
        return cn_array_copy(array, dtype, order == 'K', out);
    }
    cn_array *turned, *copy;
    cn_status status = cn_array_transpose(array, NULL, &turned);
    if (status != CN_OK) {
        return status;
    }
    status = cn_array_copy(turned, dtype, false, &copy);
    cn_array_unref(turned);
    if (status == CN_OK) {
        status = cn_array_transpose(copy, NULL, out);
        cn_array_unref(copy);
    }
    return status;
}
