/*
 * strided.c - views with strides of the caller's: as_strided for the package, and the assignment of .strides.
 *
 * A view here stays within the memory of its base and has its elements aligned; what else NumPy allows is NumPy's.
 */
#include "ext.h"

static bool add_product(int64_t count, int64_t stride, int64_t *sum)
{
    int64_t product;
    return !__builtin_mul_overflow(count, stride, &product) && !__builtin_add_overflow(*sum, product, sum);
}

/* Do all elements lie within the base, each where its dtype may stand? */
static bool lies_within(const cn_array *array, cn_dtype dtype, int64_t offset, int ndim, const int64_t *shape,
                        const int64_t *strides)
{
    int64_t size = (int64_t)cn_dtype_size(dtype), first = offset, last = offset;
    bool aligned = offset % size == 0;
    for (int d = 0; d < ndim; d++) {
        if (shape[d] == 0) {
            return true;
        }
        if (shape[d] > 1) {
            aligned = aligned && strides[d] % size == 0;
            if (!add_product(shape[d] - 1, strides[d], strides[d] < 0 ? &first : &last)) {
                return false;
            }
        }
    }
    return aligned && first >= 0 && last <= cn_array_base_bytes(array) - size;
}

static bool read_numbers(PyObject *object, int *count, int64_t *out)
{
    PyObject *items = PySequence_Fast(object, "");
    Py_ssize_t n = items != NULL ? PySequence_Fast_GET_SIZE(items) : -1;
    bool good = n >= 0 && n <= CN_MAX_DIMS;
    for (Py_ssize_t i = 0; good && i < n; i++) {
        out[i] = PyNumber_AsSsize_t(PySequence_Fast_GET_ITEM(items, i), PyExc_OverflowError);
        good = out[i] != -1 || !PyErr_Occurred();
    }
    Py_XDECREF(items);
    *count = (int)n;
    return good;
}

/* as_strided(array, dtype, offset, shape, strides, writeable): a view; None where it is not ours to give. */
static PyObject *as_strided(PyObject *module, PyObject *args)
{
    PyObject *object, *dtype_object, *shape_object, *strides_object;
    Py_ssize_t offset;
    int writeable, ndim, count;
    int64_t shape[CN_MAX_DIMS], strides[CN_MAX_DIMS];
    (void)module;
    if (!PyArg_ParseTuple(args, "O!OnOOp:as_strided", &cnx_array_type, &object, &dtype_object, &offset, &shape_object,
                          &strides_object, &writeable)) {
        return NULL;
    }
    cn_array *array = cnx_get(object), *view;
    cn_dtype dtype = cnx_dtype_of(dtype_object);
    bool good = dtype != CN_DTYPE_NONE && read_numbers(shape_object, &ndim, shape) &&
                read_numbers(strides_object, &count, strides) && count == ndim;
    for (int d = 0; good && d < ndim; d++) {
        good = shape[d] >= 0;
    }
    PyErr_Clear();
    offset += cn_array_offset(array);
    if (!good || !lies_within(array, dtype, offset, ndim, shape, strides)) {
        Py_RETURN_NONE;
    }
    cn_status status = cn_array_view(array, dtype, offset, ndim, shape, strides, writeable != 0, &view);
    return status == CN_OK ? cnx_view(object, view) : cnx_raise_plain(status);
}

/* NumPy assigns first, to an array on the same memory: it knows what is wrong, and warns. */
int cnx_set_strides(PyObject *object, PyObject *value, cn_array **out)
{
    PyObject *numpy = cnx_to_numpy(object), *given = NULL;
    int count = 0, status = -1;
    int64_t strides[CN_MAX_DIMS];
    if (numpy != NULL && PyObject_SetAttrString(numpy, "strides", value) == 0) {
        given = PyObject_GetAttrString(numpy, "strides");
    }
    cn_array *array = cnx_get(object);
    if (given != NULL && read_numbers(given, &count, strides)) {
        if (lies_within(array, cn_array_dtype(array), cn_array_offset(array), count, cn_array_shape(array), strides)) {
            cn_status made = cn_array_view(array, cn_array_dtype(array), cn_array_offset(array), count,
                                           cn_array_shape(array), strides, true, out);
            status = made == CN_OK ? 0 : (cnx_raise_plain(made), -1);
        } else {
            PyErr_SetString(PyExc_ValueError, "strides is not compatible with available memory");
        }
    }
    Py_XDECREF(given);
    Py_XDECREF(numpy);
    return cnx_end_int(status);
}

static PyMethodDef functions[] = {
    {"as_strided", as_strided, METH_VARARGS,
     "as_strided(array, dtype, offset, shape, strides, writeable): a view within the array's base, or None."},
    {NULL, NULL, 0, NULL},
};

int cnx_strided_init(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
