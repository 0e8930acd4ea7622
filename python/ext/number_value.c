/*
 * number_value.c - bool(a), int(a), float(a), operator.index(a): reads of one value.
 *
 * Arrays of other sizes are refused, or converted, as NumPy does it.
 */
#include "ext.h"

int cnx_number_bool(PyObject *self)
{
    cn_array *array = cnx_get(self);
    int64_t size = cn_array_size(array);
    if (size != 1) {
        PyErr_SetString(
            PyExc_ValueError,
            size == 0 ? "The truth value of an empty array is ambiguous. Use `array.size > 0` to check that an array "
                        "is not empty."
                      : "The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()");
        return -1;
    }
    cn_scalar item, truth;
    cn_status status = cn_array_item(array, cn_array_offset(array), &item);
    if (status == CN_OK) {
        status = cn_scalar_cast(&item, CN_STRONG, CN_BOOL, &truth);
    }
    if (status != CN_OK) {
        cnx_raise_plain(status);
        return -1;
    }
    return cnx_end_int(truth.value.b != 0);
}

/* The value as a NumPy scalar or, for other than 0-d, what NumPy makes of such an array. */
static PyObject *convert(PyObject *self, const char *method, PyObject *(*number)(PyObject *))
{
    cn_array *array = cnx_get(self);
    if (cn_array_size(array) != 1) {
        return cnx_raise_method(CN_ERROR_TYPE, method, self, NULL, NULL);
    }
    PyObject *value = cn_array_ndim(array) == 0 ? cnx_item(array, cn_array_offset(array)) : cnx_to_numpy(self);
    PyObject *result = value != NULL ? number(value) : NULL;
    Py_XDECREF(value);
    return cnx_end(result);
}

PyObject *cnx_number_int(PyObject *self)
{
    return convert(self, "__int__", PyNumber_Long);
}

PyObject *cnx_number_float(PyObject *self)
{
    return convert(self, "__float__", PyNumber_Float);
}

PyObject *cnx_number_index(PyObject *self)
{
    const cn_array *array = cnx_get(self);
    cn_dtype dtype = cn_array_dtype(array);
    if (cn_array_ndim(array) != 0 || dtype < CN_INT8 || dtype > CN_UINT64) {
        PyErr_SetString(PyExc_TypeError, "only integer scalar arrays can be converted to a scalar index");
        return NULL;
    }
    return convert(self, "__index__", PyNumber_Index);
}
