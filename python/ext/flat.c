/*
 * flat.c - a.flat: the elements of an array in C order, wherever they lie.
 *
 * It holds the array and a place in it. Elements are read and stored one by one without a copy; keys that name several
 * go to cnumeric._flat, which gathers and scatters. As in NumPy, an access by key sets the place back.
 */
#include "index.h"

typedef struct flat {
    PyObject_HEAD PyObject *array;
    int64_t index; /* of the next element */
} flat;

static PyTypeObject flat_type;

static const cn_array *array_of(PyObject *self)
{
    return cnx_get(((flat *)self)->array);
}

/* The index along each dimension of element k; one past the end counts on in the first. */
static void coordinates(const cn_array *array, int64_t k, int64_t *out)
{
    for (int d = cn_array_ndim(array) - 1; d >= 0; d--) {
        int64_t extent = cn_array_shape(array)[d];
        bool wraps = d > 0 && extent > 0;
        out[d] = wraps ? k % extent : k;
        k = wraps ? k / extent : k;
    }
}

static int64_t offset_of(const cn_array *array, int64_t k)
{
    int64_t index[CN_MAX_DIMS], offset = cn_array_offset(array);
    coordinates(array, k, index);
    for (int d = 0; d < cn_array_ndim(array); d++) {
        offset += index[d] * cn_array_strides(array)[d];
    }
    return offset;
}

/* ---- Iteration ---------------------------------------------------------------------------------------- */

static PyObject *flat_next(PyObject *object)
{
    flat *self = (flat *)object;
    const cn_array *array = array_of(object);
    if (self->index >= cn_array_size(array)) {
        return NULL;
    }
    return cnx_end(cnx_item(array, offset_of(array, self->index++)));
}

static Py_ssize_t flat_length(PyObject *self)
{
    return cn_array_size(array_of(self));
}

/* ---- Keys --------------------------------------------------------------------------------------------- */

/* 1: *out is the element that the key names; 0: it is no int; -1: an exception. */
static int element_of(const cn_array *array, PyObject *key, int64_t *out)
{
    int known = cnx_index_int(key, out);
    if (known != 1) {
        return known;
    }
    int64_t size = cn_array_size(array);
    if (*out < -size || *out >= size) {
        PyErr_Format(PyExc_IndexError, "index %zd is out of bounds for size %zd", (Py_ssize_t)*out, (Py_ssize_t)size);
        return -1;
    }
    *out += *out < 0 ? size : 0;
    return 1;
}

static PyObject *call_helper(const char *name, PyObject *self, PyObject *key, PyObject *value)
{
    static PyObject *module;
    PyObject *function = cnx_module_attribute(&module, "cnumeric._flat", name), *result = NULL;
    if (function != NULL) {
        result = PyObject_CallFunctionObjArgs(function, ((flat *)self)->array, key, value, NULL);
    }
    Py_XDECREF(function);
    return result;
}

static PyObject *flat_subscript(PyObject *self, PyObject *key)
{
    const cn_array *array = array_of(self);
    int64_t index;
    ((flat *)self)->index = 0;
    int known = element_of(array, key, &index);
    if (known < 0) {
        return NULL;
    }
    return known == 1 ? cnx_end(cnx_item(array, offset_of(array, index))) : call_helper("get", self, key, NULL);
}

/* The value as an element of the array; false: NumPy's assignment must see to it. */
static bool element_value(const cn_array *array, PyObject *value, cn_scalar *out)
{
    cn_operand source;
    PyObject *keep = NULL;
    bool known = cnx_stored(value, cn_array_dtype(array), &source, &keep) == 1 && source.array == NULL &&
                 cn_scalar_cast(&source.scalar, source.weak, cn_array_dtype(array), out) == CN_OK;
    PyErr_Clear();
    Py_XDECREF(keep);
    return known;
}

static int flat_assign(PyObject *self, PyObject *key, PyObject *value)
{
    cn_array *array = cnx_get(((flat *)self)->array);
    int64_t index;
    cn_scalar element;
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "Cannot delete iterator elements");
        return -1;
    }
    ((flat *)self)->index = 0;
    if (!cn_array_writeable(array)) {
        PyErr_SetString(PyExc_ValueError, "underlying array is read-only");
        return -1;
    }
    int known = element_of(array, key, &index);
    if (known < 0) {
        return -1;
    }
    if (known == 1 && element_value(array, value, &element)) {
        cnx_begin();
        cn_status status = cn_array_store(array, offset_of(array, index), &element);
        if (status != CN_OK) {
            cnx_raise_plain(status);
            return -1;
        }
        return cnx_end_int(0);
    }
    PyObject *done = call_helper("put", self, key, value);
    Py_XDECREF(done);
    return done != NULL ? 0 : -1;
}

/* ---- Attributes and methods --------------------------------------------------------------------------- */

static PyObject *get_coords(PyObject *self, void *closure)
{
    (void)closure;
    int64_t index[CN_MAX_DIMS];
    coordinates(array_of(self), ((flat *)self)->index, index);
    return cnx_tuple(cn_array_ndim(array_of(self)), index);
}

static PyObject *get_index(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromLongLong(((flat *)self)->index);
}

static PyObject *get_base(PyObject *self, void *closure)
{
    (void)closure;
    return Py_NewRef(((flat *)self)->array);
}

static PyObject *flat_copy(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyObject_CallMethod(((flat *)self)->array, "flatten", NULL);
}

/* For NumPy: a line of the same memory, or one of its own, which is not to be written. */
static PyObject *flat_array(PyObject *self, PyObject *args, PyObject *kwargs)
{
    bool view = cn_array_c_contiguous(array_of(self));
    PyObject *line = view ? PyObject_CallMethod(((flat *)self)->array, "ravel", NULL) : flat_copy(self, NULL);
    PyObject *frozen = view || line == NULL ? Py_NewRef(Py_None) : PyObject_CallMethod(line, "setflags", "O", Py_False);
    PyObject *result = NULL;
    if (frozen == NULL) {
        Py_CLEAR(line);
    }
    Py_XDECREF(frozen);
    PyObject *method = line != NULL ? PyObject_GetAttrString(line, "__array__") : NULL;
    if (method != NULL) {
        result = PyObject_Call(method, args, kwargs);
    }
    Py_XDECREF(method);
    Py_XDECREF(line);
    return result;
}

static PyObject *flat_compare(PyObject *self, PyObject *other, int operation)
{
    PyObject *line = flat_copy(self, NULL);
    PyObject *result = line != NULL ? PyObject_RichCompare(line, other, operation) : NULL;
    Py_XDECREF(line);
    return result;
}

static void flat_dealloc(PyObject *self)
{
    Py_DECREF(((flat *)self)->array);
    Py_TYPE(self)->tp_free(self);
}

static PyGetSetDef flat_getset[] = {
    {"coords", get_coords, NULL, "Index of the next element, a tuple.", NULL},
    {"index", get_index, NULL, "Number of the next element in C order.", NULL},
    {"base", get_base, NULL, "The array.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef flat_methods[] = {
    {"copy", flat_copy, METH_NOARGS, "copy()\n--\n\nThe elements as a new array of one dimension."},
    {"__array__", CNX_KEYWORDS(flat_array), METH_VARARGS | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMappingMethods flat_as_mapping = {
    .mp_length = flat_length, .mp_subscript = flat_subscript, .mp_ass_subscript = flat_assign};

static PyTypeObject flat_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "cnumeric.flatiter",
    .tp_basicsize = sizeof(flat),
    .tp_dealloc = flat_dealloc,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_as_mapping = &flat_as_mapping,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_richcompare = flat_compare,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = flat_next,
    .tp_methods = flat_methods,
    .tp_getset = flat_getset,
    .tp_doc = "The elements of an array in C order, as numpy.flatiter.",
};

PyObject *cnx_flat(PyObject *array)
{
    flat *made = PyObject_New(flat, &flat_type);
    if (made != NULL) {
        made->array = Py_NewRef(array);
        made->index = 0;
    }
    return (PyObject *)made;
}

int cnx_flat_put_all(PyObject *array, PyObject *value)
{
    if (!cn_array_writeable(cnx_get(array))) {
        PyErr_SetString(PyExc_ValueError, "array is read-only");
        return -1;
    }
    PyObject *self = cnx_flat(array), *all = self != NULL ? PySlice_New(NULL, NULL, NULL) : NULL;
    int status = all != NULL ? flat_assign(self, all, value) : -1;
    Py_XDECREF(self);
    Py_XDECREF(all);
    return status;
}

/* NumPy's text of the member, with the signature that its __doc__ lacks; else the row's own. */
static const char *doc_of(const char *name, const char *own)
{
    PyObject *theirs = PyDict_GetItemString(PyArrayIter_Type.tp_dict, name);
    const char *doc = NULL;
    if (theirs != NULL && Py_IS_TYPE(theirs, &PyMethodDescr_Type)) {
        doc = ((PyMethodDescrObject *)theirs)->d_method->ml_doc;
    } else if (theirs != NULL && Py_IS_TYPE(theirs, &PyGetSetDescr_Type)) {
        doc = ((PyGetSetDescrObject *)theirs)->d_getset->doc;
    }
    return doc != NULL ? doc : own;
}

int cnx_flat_init(PyObject *module)
{
    for (PyMethodDef *row = flat_methods; row->ml_name != NULL; row++) {
        row->ml_doc = doc_of(row->ml_name, row->ml_doc);
    }
    for (PyGetSetDef *row = flat_getset; row->name != NULL; row++) {
        row->doc = doc_of(row->name, row->doc);
    }
    return PyType_Ready(&flat_type) < 0 ? -1 : PyModule_AddObjectRef(module, "flatiter", (PyObject *)&flat_type);
}
