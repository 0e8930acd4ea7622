/*
 * index.c - a[key], a[key] = value, len(a), iteration, x in a.
 *
 * A basic key gives a view, which records nothing; a full set of ints reads or stores one element. Assignment
 * converts as numpy does: Python's numbers by int() and float(), sequences by their elements, arrays by C casts.
 */
#include "index.h"

/* ---- Reading ------------------------------------------------------------------------------------------ */

static PyObject *view(PyObject *self, const cnx_view_geometry *g)
{
    cn_array *array = cnx_get(self), *made;
    cn_status status =
        cn_array_view(array, cn_array_dtype(array), g->offset, g->ndim, g->shape, g->strides, true, &made);
    return status == CN_OK ? cnx_view(self, made) : cnx_raise_plain(status);
}

PyObject *cnx_get_by_numpy(PyObject *self, PyObject *key)
{
    PyObject *args = PyTuple_Pack(1, key);
    PyObject *result = args != NULL ? cnx_call_method(self, "__getitem__", args, NULL) : NULL;
    Py_XDECREF(args);
    return result;
}

static PyObject *subscript(PyObject *self, PyObject *key)
{
    cnx_view_geometry g;
    switch (cnx_key_parse(cnx_get(self), key, &g)) {
    case CNX_KEY_ELEMENT:
        return cnx_end(cnx_item(cnx_get(self), g.offset));
    case CNX_KEY_VIEW:
        return view(self, &g);
    case CNX_KEY_ADVANCED:
        return cnx_get_advanced(self, key);
    case CNX_KEY_NUMPY:
        return cnx_get_by_numpy(self, key);
    case CNX_KEY_RAISED:
        break;
    }
    return NULL;
}

/* ---- Writing ------------------------------------------------------------------------------------------ */

int cnx_set_by_numpy(PyObject *self, PyObject *key, PyObject *value)
{
    PyObject *args = PyTuple_Pack(2, key, value);
    PyObject *result = args != NULL ? cnx_call_method(self, "__setitem__", args, NULL) : NULL;
    Py_XDECREF(args);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

static int refused(cn_status status, PyObject *self, PyObject *key, PyObject *value)
{
    if (status == CN_ERROR_MEMORY || status == CN_ERROR_INTERNAL) {
        cnx_raise_plain(status);
        return -1;
    }
    return cnx_set_by_numpy(self, key, value);
}

int cnx_assign(cn_array *destination, PyObject *value, PyObject *self, PyObject *key)
{
    cn_operand source;
    PyObject *keep = NULL;
    if (cnx_array_check_exact(value) && cn_array_dtype(cnx_get(value)) == cn_array_dtype(destination)) {
        source.array = cnx_get(value);
        source.weak = CN_STRONG;
    } else if (cnx_stored(value, cn_array_dtype(destination), &source, &keep) != 1) {
        PyErr_Clear();
        Py_XDECREF(keep);
        return cnx_set_by_numpy(self, key, value);
    }
    cnx_begin();
    cn_status status = cn_copy(destination, &source, CN_CAST_UNSAFE);
    int done = status == CN_OK ? cnx_end_int(0) : refused(status, self, key, value);
    Py_XDECREF(keep);
    return done;
}

int cnx_assign_all(cn_array *destination, PyObject *value)
{
    PyObject *view_object = cnx_new(cn_array_ref(destination));
    int status = view_object != NULL ? cnx_assign(destination, value, view_object, Py_Ellipsis) : -1;
    Py_XDECREF(view_object);
    return status;
}

/* a[key] op= x ends with a[key] = the view that a[key] was: nothing is left to be done, so nothing can fail. */
static bool is_same_view(PyObject *self, const cnx_view_geometry *g, PyObject *value)
{
    if (!cnx_array_check(value)) {
        return false;
    }
    const cn_array *array = cnx_get(self), *v = cnx_get(value);
    size_t size = (size_t)g->ndim * sizeof *g->shape;
    return cn_array_offset(v) == g->offset && cn_array_ndim(v) == g->ndim &&
           cn_array_dtype(v) == cn_array_dtype(array) && cn_array_same_base(v, array) &&
           memcmp(cn_array_shape(v), g->shape, size) == 0 && memcmp(cn_array_strides(v), g->strides, size) == 0 &&
           cn_array_writeable(array);
}

static int assign_view(PyObject *self, const cnx_view_geometry *g, PyObject *key, PyObject *value)
{
    if (is_same_view(self, g, value)) {
        return 0;
    }
    cn_array *array = cnx_get(self), *destination;
    cn_status status =
        cn_array_view(array, cn_array_dtype(array), g->offset, g->ndim, g->shape, g->strides, true, &destination);
    if (status != CN_OK) {
        cnx_raise_plain(status);
        return -1;
    }
    int done = cnx_assign(destination, value, self, key);
    cn_array_unref(destination);
    return done;
}

static int assign_element(PyObject *self, const cnx_view_geometry *g, PyObject *key, PyObject *value)
{
    cn_array *array = cnx_get(self);
    cn_operand source;
    PyObject *keep = NULL;
    if (cnx_stored(value, cn_array_dtype(array), &source, &keep) != 1 ||
        (source.array != NULL && cn_array_ndim(source.array) > 0)) {
        PyErr_Clear();
        Py_XDECREF(keep);
        return cnx_set_by_numpy(self, key, value);
    }
    int done;
    if (source.array != NULL) {
        done = assign_view(self, g, key, value); /* a 0-d array may be pending: it is copied, not read */
    } else {
        cn_scalar cast = source.scalar;
        cn_status status = cast.dtype == cn_array_dtype(array)
                               ? CN_OK
                               : cn_scalar_cast(&source.scalar, source.weak, cn_array_dtype(array), &cast);
        if (status == CN_OK && cn_array_poke(array, g->offset, &cast)) {
            return 0; /* a number keeps nothing */
        }
        if (status == CN_OK) {
            cnx_begin();
            status = cn_array_store(array, g->offset, &cast);
        }
        done = status == CN_OK ? cnx_end_int(0) : refused(status, self, key, value);
    }
    Py_XDECREF(keep);
    return done;
}

static int assign_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    cnx_view_geometry g;
    if (value == NULL) {
        PyErr_SetString(PyExc_ValueError, "cannot delete array elements");
        return -1;
    }
    switch (cnx_key_parse(cnx_get(self), key, &g)) {
    case CNX_KEY_ELEMENT:
        return assign_element(self, &g, key, value);
    case CNX_KEY_VIEW:
        return assign_view(self, &g, key, value);
    case CNX_KEY_ADVANCED:
        return cnx_set_advanced(self, key, value);
    case CNX_KEY_NUMPY:
        return cnx_set_by_numpy(self, key, value);
    case CNX_KEY_RAISED:
        break;
    }
    return -1;
}

/* ---- The protocols ------------------------------------------------------------------------------------ */

static Py_ssize_t length(PyObject *self)
{
    const cn_array *array = cnx_get(self);
    if (cn_array_ndim(array) == 0) {
        PyErr_SetString(PyExc_TypeError, "len() of unsized object");
        return -1;
    }
    return cn_array_shape(array)[0];
}

/* self[index], for iteration: the IndexError that ends it is cheap. */
static PyObject *item(PyObject *self, Py_ssize_t index)
{
    const cn_array *array = cnx_get(self);
    int ndim = cn_array_ndim(array);
    if (ndim == 0) {
        PyErr_SetString(PyExc_IndexError, "too many indices for array: array is 0-dimensional, but 1 were indexed");
        return NULL;
    }
    int64_t extent = cn_array_shape(array)[0];
    if (index < 0 || index >= extent) {
        return PyErr_Format(PyExc_IndexError, "index %zd is out of bounds for axis 0 with size %zd", index,
                            (Py_ssize_t)extent);
    }
    cnx_view_geometry g; /* large: not cleared */
    g.ndim = ndim - 1;
    g.offset = cn_array_offset(array) + index * cn_array_strides(array)[0];
    if (ndim == 1) {
        return cnx_end(cnx_item(array, g.offset));
    }
    memcpy(g.shape, cn_array_shape(array) + 1, (size_t)g.ndim * sizeof *g.shape);
    memcpy(g.strides, cn_array_strides(array) + 1, (size_t)g.ndim * sizeof *g.strides);
    return view(self, &g);
}

static int contains(PyObject *self, PyObject *value)
{
    PyObject *same = PyObject_RichCompare(self, value, Py_EQ);
    PyObject *any = same != NULL ? PyObject_CallMethod(same, "any", NULL) : NULL;
    int found = any != NULL ? PyObject_IsTrue(any) : -1;
    Py_XDECREF(same);
    Py_XDECREF(any);
    return found;
}

PyMappingMethods cnx_as_mapping = {
    .mp_length = length, .mp_subscript = subscript, .mp_ass_subscript = assign_subscript};
/* The slot is there so that operator.concat does not add. */
static PyObject *no_concat(PyObject *self, PyObject *other)
{
    (void)self;
    (void)other;
    PyErr_SetString(PyExc_TypeError,
                    "Concatenation operation is not implemented for NumPy arrays, use np.concatenate() "
                    "instead. Please do not rely on this error; it may not be given on all Python "
                    "implementations.");
    return NULL;
}

PySequenceMethods cnx_as_sequence = {
    .sq_length = length, .sq_concat = no_concat, .sq_item = item, .sq_contains = contains};
