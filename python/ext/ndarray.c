/*
 * ndarray.c - the type cnumeric.ndarray: life of handles, the constructor, subclasses.
 *
 * A handle owns one cn_array; all else is asked of the core. Handles of the exact type are kept on a free list.
 * A Python subclass's instances carry a __dict__ and are made through cnx_new_as, which calls __array_finalize__ as
 * numpy does. isinstance(x, cnumeric.ndarray) is true for numpy's arrays too (metaclass); C code tests exact types.
 */
#include "ext.h"

enum { FREE_HANDLES = 256 };

static cnx_array *free_handles[FREE_HANDLES];
static int free_count;
static PyObject *finalize_name; /* "__array_finalize__" */

/* ---- Life --------------------------------------------------------------------------------------------- */

static inline void handle_set(cnx_array *self, cn_array *array, PyObject *base)
{
    self->array = array;
    self->base = base;
    self->weakrefs = NULL;
    self->unlocked = NULL;
    self->pinned = false;
}

/* array and base are taken. */
static inline PyObject *handle_new(cn_array *array, PyObject *base)
{
    cnx_array *self;
    if (free_count > 0) {
        self = free_handles[--free_count]; /* its type is set */
        _Py_NewReference((PyObject *)self);
    } else {
        self = PyObject_New(cnx_array, &cnx_array_type);
        if (self == NULL) {
            cn_array_unref(array);
            Py_XDECREF(base);
            return NULL;
        }
    }
    handle_set(self, array, base);
    return (PyObject *)self;
}

static void array_dealloc(PyObject *object)
{
    cnx_array *self = (cnx_array *)object;
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    if (self->pinned) {
        cn_array_unexport(self->array);
    }
    if (self->unlocked != NULL) {
        cn_array_unref(self->unlocked);
    }
    cn_array_unref(self->array);
    Py_XDECREF(self->base);
    if (Py_IS_TYPE(object, &cnx_array_type) && free_count < FREE_HANDLES) {
        free_handles[free_count++] = self;
    } else {
        Py_TYPE(object)->tp_free(object);
    }
}

PyObject *cnx_new(cn_array *array)
{
    return handle_new(array, NULL);
}

PyObject *cnx_new_based(cn_array *array, PyObject *base)
{
    return handle_new(array, Py_NewRef(base));
}

/* ---- Subclasses --------------------------------------------------------------------------------------- */

static int finalize(PyObject *made, PyObject *parent)
{
    PyObject *method = PyObject_GetAttr((PyObject *)Py_TYPE(made), finalize_name);
    if (method == NULL) {
        PyErr_Clear();
        return 0;
    }
    PyObject *done = method == Py_None || PyCFunction_Check(method) || Py_IS_TYPE(method, &PyMethodDescr_Type)
                         ? Py_NewRef(Py_None)
                         : PyObject_CallFunctionObjArgs(method, made, parent, NULL);
    Py_DECREF(method);
    Py_XDECREF(done);
    return done != NULL ? 0 : -1;
}

static PyObject *subclass_new(PyTypeObject *type, PyObject *parent, cn_array *array, PyObject *base)
{
    cnx_array *self = (cnx_array *)type->tp_alloc(type, 0);
    if (self == NULL) {
        cn_array_unref(array);
        return NULL;
    }
    handle_set(self, array, Py_XNewRef(base));
    if (finalize((PyObject *)self, parent != NULL ? parent : Py_None) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

PyObject *cnx_new_as(PyTypeObject *type, PyObject *parent, cn_array *array)
{
    return type == &cnx_array_type ? cnx_new(array) : subclass_new(type, parent, array, NULL);
}

PyObject *cnx_view(PyObject *parent, cn_array *array)
{
    PyObject *base = parent, *next;
    while (cnx_array_check(base) && (next = ((cnx_array *)base)->base) != NULL &&
           (Py_TYPE(next) == Py_TYPE(parent) || !cnx_array_check(next))) {
        base = next; /* as far as NumPy goes: to what owns the memory, unless that is of another class */
    }
    return cnx_array_check_exact(parent) ? handle_new(array, Py_NewRef(base))
                                         : subclass_new(Py_TYPE(parent), parent, array, base);
}

PyObject *cnx_like(PyObject *parent, cn_array *array)
{
    return cnx_new_as(Py_TYPE(parent), parent, array);
}

PyObject *cnx_like_copied(PyObject *parent, cn_array *array)
{
    if (cnx_array_check_exact(parent)) {
        return cnx_new(array);
    }
    cn_array_ref(array);
    PyObject *base = cnx_new(array);
    PyObject *made = base != NULL ? subclass_new(Py_TYPE(parent), parent, array, base) : NULL;
    Py_XDECREF(base);
    return made;
}

PyObject *cnx_result(cn_array *array)
{
    if (cn_array_ndim(array) > 0) {
        return handle_new(array, NULL);
    }
    if (cnx_lazy_wanted(array)) {
        return cnx_lazy_new(array);
    }
    PyObject *scalar = cnx_item(array, cn_array_offset(array));
    cn_array_unref(array);
    return scalar;
}

static double priority_of(PyObject *object)
{
    PyObject *value = PyObject_GetAttrString(object, "__array_priority__");
    double priority = value != NULL ? PyFloat_AsDouble(value) : 0.0;
    Py_XDECREF(value);
    if (PyErr_Occurred()) {
        PyErr_Clear();
        return 0.0;
    }
    return priority;
}

static bool has_own(PyTypeObject *type, const char *name)
{
    PyObject *theirs = PyObject_GetAttrString((PyObject *)type, name), *ours = NULL;
    if (theirs != NULL) {
        ours = PyObject_GetAttrString((PyObject *)&cnx_array_type, name);
    }
    bool own = theirs != ours;
    PyErr_Clear();
    Py_XDECREF(theirs);
    Py_XDECREF(ours);
    return own;
}

bool cnx_overrides(PyObject *object)
{
    return !cnx_array_check_exact(object) && cnx_array_check(object) &&
           (has_own(Py_TYPE(object), "__array_ufunc__") || has_own(Py_TYPE(object), "__array_wrap__"));
}

PyObject *cnx_subclass_of(PyObject *const *operands, Py_ssize_t count)
{
    PyObject *best = NULL;
    double most = 0.0;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *operand = operands[i];
        if (cnx_array_check_exact(operand) || !cnx_array_check(operand)) {
            continue;
        }
        double priority = priority_of(operand);
        if (best == NULL || priority > most) {
            best = operand;
            most = priority;
        }
    }
    return best;
}

PyObject *cnx_as_subclass(PyObject *operand, PyObject *result)
{
    if (operand == NULL || result == NULL || !cnx_array_check_exact(result)) {
        return result;
    }
    PyObject *made = cnx_new_as(Py_TYPE(operand), operand, cn_array_ref(cnx_get(result)));
    Py_DECREF(result);
    return made;
}

/* as_subclass(type, parent, array): the array as an instance of the class, finalized from the parent (or None). */
static PyObject *as_subclass(PyObject *module, PyObject *args)
{
    PyObject *type, *parent, *array;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!OO!:as_subclass", &PyType_Type, &type, &parent, &cnx_array_type, &array)) {
        return NULL;
    }
    if (!PyType_IsSubtype((PyTypeObject *)type, &cnx_array_type)) {
        PyErr_SetString(PyExc_TypeError, "as_subclass() takes a subclass of ndarray");
        return NULL;
    }
    return subclass_new((PyTypeObject *)type, parent, cn_array_ref(cnx_get(array)), ((cnx_array *)array)->base);
}

static PyMethodDef functions[] = {
    {"as_subclass", as_subclass, METH_VARARGS,
     "as_subclass(type, parent, array): the array as an instance of the class."},
    {NULL, NULL, 0, NULL},
};

/* A subclass is entered where the Python part looks for them. */
static PyObject *init_subclass(PyObject *type, PyObject *args, PyObject *kwargs)
{
    (void)kwargs;
    if (PyTuple_GET_SIZE(args) > 0) {
        PyErr_SetString(PyExc_TypeError, "__init_subclass__() takes no positional arguments");
        return NULL;
    }
    PyObject *known = cnx_fallback("subclasses");
    int status = known != NULL ? PySet_Add(known, type) : -1;
    Py_XDECREF(known);
    return status == 0 ? Py_NewRef(Py_None) : NULL;
}

PyMethodDef cnx_init_subclass = {"__init_subclass__", CNX_KEYWORDS(init_subclass),
                                 METH_VARARGS | METH_KEYWORDS | METH_CLASS, NULL};

/* ---- The constructor ---------------------------------------------------------------------------------- */

/* numpy.ndarray(shape, dtype, buffer, offset, strides, order) as a view of ours. */
static PyObject *new_on_buffer(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *numpy = PyObject_Call((PyObject *)&PyArray_Type, args, kwargs);
    if (numpy == NULL || !cnx_is_native_numpy(numpy)) {
        return numpy;
    }
    PyObject *ours = cnx_from_numpy(numpy);
    Py_DECREF(numpy);
    if (ours == NULL || type == &cnx_array_type) {
        return ours;
    }
    PyObject *made = subclass_new(type, NULL, cn_array_ref(cnx_get(ours)), ((cnx_array *)ours)->base);
    Py_DECREF(ours);
    return made;
}

static PyObject *array_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"shape", "dtype", "buffer", "offset", "strides", "order", NULL};
    PyObject *shape, *dtype_object = NULL, *buffer = NULL, *offset = NULL, *strides = NULL, *order = NULL;
    int ndim;
    int64_t extents[CN_MAX_DIMS];
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OOOOO:ndarray", names, &shape, &dtype_object, &buffer, &offset,
                                     &strides, &order)) {
        return NULL;
    }
    cn_dtype dtype = dtype_object == NULL ? CN_FLOAT64 : cnx_dtype_of(dtype_object);
    bool simple = !cnx_given(buffer) && !cnx_given(strides) && !cnx_given(order) && dtype != CN_DTYPE_NONE;
    cn_array *array;
    if (!simple || cnx_parse_shape(shape, &ndim, extents) < 0) {
        PyErr_Clear();
        return new_on_buffer(type, args, kwargs);
    }
    cn_status status = cn_array_empty(dtype, ndim, extents, &array);
    if (status != CN_OK) {
        return cnx_raise(status, (PyObject *)&PyArray_Type, args, kwargs);
    }
    return cnx_new_as(type, NULL, array);
}

/* ---- The metaclass ------------------------------------------------------------------------------------ */

static PyObject *meta_instancecheck(PyObject *type, PyObject *object)
{
    if (type == (PyObject *)&cnx_array_type) {
        return PyBool_FromLong(cnx_array_check(object) || PyArray_Check(object));
    }
    return PyBool_FromLong(PyType_IsSubtype(Py_TYPE(object), (PyTypeObject *)type));
}

static PyObject *meta_subclasscheck(PyObject *type, PyObject *other)
{
    if (!PyType_Check(other)) {
        PyErr_SetString(PyExc_TypeError, "issubclass() arg 1 must be a class");
        return NULL;
    }
    bool numpys = type == (PyObject *)&cnx_array_type && PyType_IsSubtype((PyTypeObject *)other, &PyArray_Type);
    return PyBool_FromLong(numpys || PyType_IsSubtype((PyTypeObject *)other, (PyTypeObject *)type));
}

static PyMethodDef meta_methods[] = {
    {"__instancecheck__", meta_instancecheck, METH_O, NULL},
    {"__subclasscheck__", meta_subclasscheck, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject meta_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "cnumeric._cnumeric.array_type",
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = meta_methods,
    .tp_doc = "The class of cnumeric.ndarray: numpy's arrays count as its instances.",
};

/* ---- The type ----------------------------------------------------------------------------------------- */

static PyObject *array_text(PyObject *self, PyObject *(*text)(PyObject *))
{
    PyObject *numpy = cnx_to_numpy(self);
    PyObject *result = numpy != NULL ? text(numpy) : NULL;
    Py_XDECREF(numpy);
    return cnx_end(result);
}

static PyObject *array_repr(PyObject *self)
{
    return array_text(self, PyObject_Repr);
}

static PyObject *array_str(PyObject *self)
{
    return array_text(self, PyObject_Str);
}

static PyObject *array_iter(PyObject *self)
{
    if (cn_array_ndim(cnx_get(self)) == 0) {
        PyErr_SetString(PyExc_TypeError, "iteration over a 0-d array");
        return NULL;
    }
    return PySeqIter_New(self);
}

PyTypeObject cnx_array_type = {
    PyVarObject_HEAD_INIT(&meta_type, 0).tp_name = "cnumeric.ndarray",
    .tp_basicsize = sizeof(cnx_array),
    .tp_dealloc = array_dealloc,
    .tp_repr = array_repr,
    .tp_str = array_str,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_as_number = &cnx_as_number,
    .tp_as_sequence = &cnx_as_sequence,
    .tp_as_mapping = &cnx_as_mapping,
    .tp_as_buffer = &cnx_as_buffer,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_richcompare = cnx_compare,
    .tp_weaklistoffset = offsetof(cnx_array, weakrefs),
    .tp_iter = array_iter,
    .tp_methods = cnx_array_methods,
    .tp_getset = cnx_array_getset,
    .tp_new = array_new,
};

/* The documentation is numpy.ndarray's. */
static int set_doc(void)
{
    PyObject *doc = PyObject_GetAttrString((PyObject *)&PyArray_Type, "__doc__");
    int status = doc != NULL ? PyDict_SetItemString(cnx_array_type.tp_dict, "__doc__", doc) : -1;
    Py_XDECREF(doc);
    PyType_Modified(&cnx_array_type);
    return status;
}

int cnx_array_init(PyObject *module)
{
    meta_type.tp_base = &PyType_Type;
    finalize_name = PyUnicode_InternFromString("__array_finalize__");
    if (finalize_name == NULL || PyType_Ready(&meta_type) < 0 || cnx_methods_init(module) < 0 ||
        PyType_Ready(&cnx_array_type) < 0 || PyType_Ready(&cnx_lazy_type) < 0 || set_doc() < 0 ||
        PyModule_AddFunctions(module, functions) < 0) {
        return -1;
    }
    return PyModule_AddObjectRef(module, "ndarray", (PyObject *)&cnx_array_type);
}
