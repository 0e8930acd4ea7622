/*
 * attribute.c - the attributes of arrays: geometry, views such as .T and .real, and what shows the memory.
 *
 * Geometry is the core's; nothing is computed for it. Assigning .shape, .strides or .dtype gives the handle another
 * view of the same base.
 */
#include "ext.h"

/* ---- Geometry ----------------------------------------------------------------------------------------- */

static PyObject *get_shape(PyObject *self, void *closure)
{
    (void)closure;
    return cnx_tuple(cn_array_ndim(cnx_get(self)), cn_array_shape(cnx_get(self)));
}

static PyObject *get_strides(PyObject *self, void *closure)
{
    (void)closure;
    return cnx_tuple(cn_array_ndim(cnx_get(self)), cn_array_strides(cnx_get(self)));
}

static PyObject *get_ndim(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromLong(cn_array_ndim(cnx_get(self)));
}

static PyObject *get_size(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromLongLong(cn_array_size(cnx_get(self)));
}

static PyObject *get_itemsize(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromSize_t(cn_dtype_size(cn_array_dtype(cnx_get(self))));
}

static PyObject *get_nbytes(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromLongLong(cn_array_size(cnx_get(self)) * (int64_t)cn_dtype_size(cn_array_dtype(cnx_get(self))));
}

static PyObject *get_dtype(PyObject *self, void *closure)
{
    (void)closure;
    return Py_NewRef((PyObject *)cnx_descr(cn_array_dtype(cnx_get(self))));
}

/* ---- Assigned geometry -------------------------------------------------------------------------------- */

/* The handle takes the view; it stays locked if it was. view is taken. */
static int become(cnx_array *self, cn_array *view)
{
    bool locked = self->unlocked != NULL;
    cn_array_unref(self->array);
    if (locked) {
        cn_array_unref(self->unlocked);
        self->unlocked = NULL;
    }
    self->array = view;
    return locked ? cnx_set_writeable(self, false) : 0;
}

/* What NumPy says about the assignment, on a stand-in. */
static int refuse(PyObject *self, const char *name, PyObject *value)
{
    PyObject *setattr = PyObject_GetAttrString((PyObject *)&PyArray_Type, "__setattr__");
    PyObject *args = Py_BuildValue("(OsO)", self, name, value);
    if (setattr != NULL && args != NULL) {
        cnx_raise(CN_ERROR_VALUE, setattr, args, NULL);
    }
    Py_XDECREF(setattr);
    Py_XDECREF(args);
    return -1;
}

static int no_delete(const char *name)
{
    PyErr_Format(PyExc_AttributeError, "Cannot delete array %s", name);
    return -1;
}

static int set_shape(PyObject *object, PyObject *value, void *closure)
{
    (void)closure;
    cnx_array *self = (cnx_array *)object;
    cn_array *of = self->unlocked != NULL ? self->unlocked : self->array, *view;
    int ndim;
    int64_t shape[CN_MAX_DIMS];
    if (value == NULL) {
        return no_delete("shape");
    }
    if (cnx_parse_shape(value, &ndim, shape) < 0 || !cnx_resolve_shape(cn_array_size(of), ndim, shape)) {
        PyErr_Clear();
        return refuse(object, "shape", value);
    }
    cn_status status = cn_array_reshape_view(of, ndim, shape, &view);
    return status == CN_OK && view != NULL ? become(self, view) : refuse(object, "shape", value);
}

static int set_strides(PyObject *object, PyObject *value, void *closure)
{
    (void)closure;
    cn_array *view;
    if (value == NULL) {
        return no_delete("strides");
    }
    return cnx_set_strides(object, value, &view) == 0 ? become((cnx_array *)object, view) : -1;
}

/* a.dtype = d is a view of a, kept by the handle. */
static int set_dtype(PyObject *object, PyObject *value, void *closure)
{
    (void)closure;
    if (value == NULL) {
        return no_delete("dtype");
    }
    PyObject *view = PyObject_CallMethod(object, "view", "O", value);
    if (view == NULL) {
        return -1;
    }
    int status = -1;
    if (cnx_array_check(view)) {
        status = become((cnx_array *)object, cn_array_ref(cnx_get(view)));
    } else {
        PyErr_SetString(PyExc_TypeError, "an array of cnumeric can only be given a dtype that is native to it");
    }
    Py_DECREF(view);
    return status;
}

/* ---- Views -------------------------------------------------------------------------------------------- */

static PyObject *get_transposed(PyObject *self, void *closure)
{
    (void)closure;
    cn_array *view;
    cn_status status = cn_array_transpose(cnx_get(self), NULL, &view);
    return status == CN_OK ? cnx_view(self, view) : cnx_raise_plain(status);
}

static PyObject *get_matrix_transposed(PyObject *self, void *closure)
{
    (void)closure;
    cn_array *array = cnx_get(self), *view;
    int ndim = cn_array_ndim(array), axes[CN_MAX_DIMS];
    if (ndim < 2) {
        PyErr_SetString(PyExc_ValueError, "matrix transpose with ndim < 2 is undefined");
        return NULL;
    }
    for (int d = 0; d < ndim; d++) {
        axes[d] = d;
    }
    axes[ndim - 2] = ndim - 1;
    axes[ndim - 1] = ndim - 2;
    cn_status status = cn_array_transpose(array, axes, &view);
    return status == CN_OK ? cnx_view(self, view) : cnx_raise_plain(status);
}

static bool is_complex(const cn_array *array)
{
    return cn_array_dtype(array) == CN_COMPLEX64 || cn_array_dtype(array) == CN_COMPLEX128;
}

/* The real or imaginary parts of a complex array, where they lie. */
static cn_status part_view(cn_array *array, bool imaginary, cn_array **out)
{
    cn_dtype dtype = cn_array_dtype(array) == CN_COMPLEX64 ? CN_FLOAT32 : CN_FLOAT64;
    int64_t offset = cn_array_offset(array) + (imaginary ? (int64_t)cn_dtype_size(dtype) : 0);
    return cn_array_view(array, dtype, offset, cn_array_ndim(array), cn_array_shape(array), cn_array_strides(array),
                         true, out);
}

static PyObject *get_real(PyObject *self, void *closure)
{
    (void)closure;
    cn_array *view;
    if (!is_complex(cnx_get(self))) {
        return Py_NewRef(self);
    }
    cn_status status = part_view(cnx_get(self), false, &view);
    return status == CN_OK ? cnx_view(self, view) : cnx_raise_plain(status);
}

/* The imaginary parts of real numbers: zeros that cannot be written. */
static cn_status zeros_like(cn_array *array, cn_array **out)
{
    cn_array *made;
    cn_operand zero = {.scalar = {.dtype = CN_BOOL}};
    cnx_begin();
    cn_status status =
        cnx_copy_order(array, cn_array_dtype(array), 'A', &made); /* for its order; nobody sees the values */
    if (status != CN_OK) {
        return status;
    }
    status = cn_copy(made, &zero, CN_CAST_UNSAFE);
    if (status == CN_OK) {
        status = cn_array_view(made, cn_array_dtype(made), 0, cn_array_ndim(made), cn_array_shape(made),
                               cn_array_strides(made), false, out);
    }
    cn_array_unref(made);
    return status;
}

static PyObject *get_imag(PyObject *self, void *closure)
{
    (void)closure;
    cn_array *made;
    if (is_complex(cnx_get(self))) {
        cn_status status = part_view(cnx_get(self), true, &made);
        return status == CN_OK ? cnx_view(self, made) : cnx_raise_plain(status);
    }
    cn_status status = zeros_like(cnx_get(self), &made);
    return status == CN_OK ? cnx_like(self, made) : cnx_raise_plain(status);
}

static int set_part(PyObject *self, PyObject *value, bool imaginary)
{
    cn_array *view;
    cn_status status = part_view(cnx_get(self), imaginary, &view);
    if (status != CN_OK) {
        cnx_raise_plain(status);
        return -1;
    }
    int done = cnx_assign_all(view, value);
    cn_array_unref(view);
    return done;
}

static int set_real(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    if (value == NULL) {
        return no_delete("real");
    }
    return is_complex(cnx_get(self)) ? set_part(self, value, false) : cnx_assign_all(cnx_get(self), value);
}

static int set_imag(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    if (value == NULL) {
        return no_delete("imag");
    }
    if (!is_complex(cnx_get(self))) { /* an error, in NumPy's words */
        PyObject *numpy = cnx_to_numpy(self);
        int status = numpy != NULL ? PyObject_SetAttrString(numpy, "imag", value) : -1;
        Py_XDECREF(numpy);
        return status;
    }
    return set_part(self, value, true);
}

/* ---- Memory ------------------------------------------------------------------------------------------- */

/* An attribute of the NumPy array on the same memory. */
static PyObject *of_numpy(PyObject *self, const char *name)
{
    PyObject *numpy = cnx_to_numpy(self);
    PyObject *value = numpy != NULL ? PyObject_GetAttrString(numpy, name) : NULL;
    Py_XDECREF(numpy);
    return cnx_end(value);
}

static PyObject *get_flat(PyObject *self, void *closure)
{
    (void)closure;
    return cnx_flat(self);
}

static int set_flat(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    if (value == NULL) {
        return no_delete("flat iterator");
    }
    return cnx_flat_put_all(self, value);
}

static PyObject *get_ctypes(PyObject *self, void *closure)
{
    (void)closure;
    return of_numpy(self, "ctypes");
}

static PyObject *get_data(PyObject *self, void *closure)
{
    (void)closure;
    return cnx_end(PyMemoryView_FromObject(self));
}

/* Addresses given away as numbers are good for as long as the array is. */
static PyObject *get_interface(PyObject *self, void *closure)
{
    (void)closure;
    return cnx_pin((cnx_array *)self) == 0 ? of_numpy(self, "__array_interface__") : NULL;
}

static PyObject *get_struct(PyObject *self, void *closure)
{
    (void)closure;
    return cnx_pin((cnx_array *)self) == 0 ? of_numpy(self, "__array_struct__") : NULL;
}

static PyObject *get_base(PyObject *self, void *closure)
{
    (void)closure;
    PyObject *base = ((cnx_array *)self)->base;
    return Py_NewRef(base != NULL ? base : Py_None);
}

static PyObject *get_flags(PyObject *self, void *closure)
{
    (void)closure;
    return cnx_flags(self);
}

static PyObject *get_device(PyObject *self, void *closure)
{
    (void)self;
    (void)closure;
    return PyUnicode_FromString("cpu");
}

/* Python's own words would name the class differently from NumPy's. */
static int set_device(PyObject *self, PyObject *value, void *closure)
{
    (void)self;
    (void)value;
    (void)closure;
    PyErr_SetString(PyExc_AttributeError, "attribute 'device' of 'numpy.ndarray' objects is not writable");
    return -1;
}

static PyObject *get_priority(PyObject *self, void *closure)
{
    (void)self;
    (void)closure;
    return PyFloat_FromDouble(NPY_PRIORITY);
}

PyGetSetDef cnx_array_getset[] = {
    {"shape", get_shape, set_shape, "Extents, a tuple of ints.", NULL},
    {"strides", get_strides, set_strides, "Bytes from one element to the next along each dimension.", NULL},
    {"ndim", get_ndim, NULL, "Number of dimensions.", NULL},
    {"size", get_size, NULL, "Number of elements.", NULL},
    {"itemsize", get_itemsize, NULL, "Bytes of an element.", NULL},
    {"nbytes", get_nbytes, NULL, "Bytes of all elements.", NULL},
    {"dtype", get_dtype, set_dtype, "NumPy's dtype.", NULL},
    {"T", get_transposed, NULL, "View with the dimensions reversed.", NULL},
    {"mT", get_matrix_transposed, NULL, "View with the last two dimensions exchanged.", NULL},
    {"real", get_real, set_real, "View of the real parts.", NULL},
    {"imag", get_imag, set_imag, "View of the imaginary parts.", NULL},
    {"flat", get_flat, set_flat, "The elements in C order: iterated, read and stored by one number.", NULL},
    {"base", get_base, NULL, "The object whose memory this is a view of, or None.", NULL},
    {"flags", get_flags, NULL, "Memory layout.", NULL},
    {"data", get_data, NULL, "A memoryview.", NULL},
    {"ctypes", get_ctypes, NULL, "NumPy's object for ctypes.", NULL},
    {"device", get_device, set_device, "Where the array API puts it: \"cpu\".", NULL},
    {"__array_interface__", get_interface, NULL, NULL, NULL},
    {"__cuda_array_interface__", cnx_device_interface, NULL, NULL, NULL},
    {"__array_struct__", get_struct, NULL, NULL, NULL},
    {"__array_priority__", get_priority, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
