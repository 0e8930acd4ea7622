/*
 * protocol.c - the ways by which other code meets arrays: NumPy's dispatch, DLPack, pickle, copy, typing.
 */
#include "ext.h"
#include "ufunc.h"

/* ---- NumPy's dispatch ------------------------------------------------------------------------------------ */

static PyObject *to_numpy_array(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"dtype", "copy", NULL};
    PyObject *dtype = NULL, *copy = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO:__array__", names, &dtype, &copy)) {
        return NULL;
    }
    PyObject *numpy = cnx_to_numpy(self);
    if (numpy == NULL || (!cnx_given(dtype) && copy != Py_True)) {
        return cnx_end(numpy);
    }
    PyObject *array = cnx_numpy("array"), *empty = PyTuple_Pack(1, numpy), *result = NULL;
    PyObject *keywords =
        Py_BuildValue("{sOsO}", "dtype", dtype != NULL ? dtype : Py_None, "copy", copy != NULL ? copy : Py_None);
    if (array != NULL && empty != NULL && keywords != NULL) {
        result = PyObject_Call(array, empty, keywords);
    }
    Py_XDECREF(array);
    Py_XDECREF(empty);
    Py_XDECREF(keywords);
    Py_DECREF(numpy);
    return cnx_end(result);
}

/*
 * The commonest way here: a NumPy scalar or array met an array of ours in an operator. Ours for that ufunc, borrowed, if
 * it may be called with these inputs as they are; else NULL.
 */
static PyObject *plain_ufunc(PyObject *args, PyObject *kwargs)
{
    PyObject *method = PyTuple_GET_ITEM(args, 1);
    if ((kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) || !PyUnicode_Check(method) ||
        PyUnicode_CompareWithASCIIString(method, "__call__") != 0) {
        return NULL;
    }
    for (Py_ssize_t i = 2; i < PyTuple_GET_SIZE(args); i++) {
        PyObject *input = PyTuple_GET_ITEM(args, i);
        bool plain = Py_IS_TYPE(input, &cnx_array_type) || PyArray_CheckExact(input) || PyArray_CheckScalar(input) ||
                     PyFloat_CheckExact(input) || PyLong_CheckExact(input);
        if (!plain) {
            return NULL;
        }
    }
    return cnx_ufunc_of(PyTuple_GET_ITEM(args, 0));
}

/* self.__array_ufunc__(ufunc, method, *inputs, **kwargs) */
static PyObject *array_ufunc(PyObject *self, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) < 2) {
        PyErr_SetString(PyExc_TypeError, "__array_ufunc__ requires at least 2 arguments");
        return NULL;
    }
    PyObject *ours = plain_ufunc(args, kwargs);
    if (ours != NULL) {
        return PyObject_Vectorcall(ours, &PyTuple_GET_ITEM(args, 2), (size_t)PyTuple_GET_SIZE(args) - 2, NULL);
    }
    if (PyErr_Occurred()) {
        return NULL;
    }
    PyObject *function = cnx_fallback("array_ufunc"), *result = NULL;
    PyObject *inputs = PyTuple_GetSlice(args, 2, PyTuple_GET_SIZE(args));
    PyObject *keywords = kwargs != NULL ? Py_NewRef(kwargs) : PyDict_New();
    if (function != NULL && inputs != NULL && keywords != NULL) {
        result = PyObject_CallFunctionObjArgs(function, self, PyTuple_GET_ITEM(args, 0), PyTuple_GET_ITEM(args, 1),
                                              inputs, keywords, NULL);
    }
    Py_XDECREF(function);
    Py_XDECREF(inputs);
    Py_XDECREF(keywords);
    return result;
}

static PyObject *array_function(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"func", "types", "args", "kwargs", NULL};
    PyObject *function, *types, *arguments, *keywords;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOOO:__array_function__", names, &function, &types, &arguments,
                                     &keywords)) {
        return NULL;
    }
    PyObject *serve = cnx_fallback("array_function");
    PyObject *result =
        serve != NULL ? PyObject_CallFunctionObjArgs(serve, self, function, types, arguments, keywords, NULL) : NULL;
    Py_XDECREF(serve);
    return result;
}

static PyObject *array_wrap(PyObject *self, PyObject *args)
{
    PyObject *array, *context = NULL, *return_scalar = NULL;
    if (!PyArg_ParseTuple(args, "O|OO:__array_wrap__", &array, &context, &return_scalar)) {
        return NULL;
    }
    PyObject *ours = cnx_from_numpy(array);
    if (ours == NULL || !cnx_array_check(ours)) {
        return ours;
    }
    if (return_scalar == Py_True && cn_array_ndim(cnx_get(ours)) == 0) {
        PyObject *scalar = cnx_item(cnx_get(ours), cn_array_offset(cnx_get(ours)));
        Py_DECREF(ours);
        return cnx_end(scalar);
    }
    return cnx_array_check_exact(self) ? ours : cnx_as_subclass(self, ours);
}

static PyObject *array_finalize(PyObject *self, PyObject *parent)
{
    (void)self;
    (void)parent;
    Py_RETURN_NONE;
}

static PyObject *array_namespace(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"api_version", NULL};
    PyObject *version = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$O:__array_namespace__", names, &version)) {
        return NULL;
    }
    if (cnx_given(version)) { /* NumPy knows which there are */
        PyObject *numpy = cnx_to_numpy(self), *method = NULL, *found = NULL, *empty = PyTuple_New(0);
        method = numpy != NULL ? PyObject_GetAttrString(numpy, "__array_namespace__") : NULL;
        found = method != NULL && empty != NULL ? PyObject_Call(method, empty, kwargs) : NULL;
        Py_XDECREF(numpy);
        Py_XDECREF(method);
        Py_XDECREF(empty);
        if (found == NULL) {
            return NULL;
        }
        Py_DECREF(found);
    }
    return PyImport_ImportModule("cnumeric");
}

/* ---- Devices --------------------------------------------------------------------------------------------- */

/*
 * A GPU's memory goes to who asks for that device, or names one of its streams; to all others, NumPy among them, goes the
 * host's.
 */
static PyObject *dlpack(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"stream", "max_version", "dl_device", "copy", NULL};
    PyObject *stream = NULL, *max_version = NULL, *device = NULL, *copy = NULL;
    int kind = 0, number;
    bool there = false;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OOOO:__dlpack__", names, &stream, &max_version, &device, &copy)) {
        return NULL;
    }
    bool asked = cnx_given(device) ? PyArg_Parse(device, "(ii)", &kind, &number) && kind != 1 : cnx_given(stream);
    PyErr_Clear(); /* NumPy says what is wrong */
    if (asked && cnx_on_device(self, &there) < 0) {
        return NULL;
    }
    if (there) {
        return cnx_show_device(self, max_version, copy == Py_True);
    }
    PyObject *numpy = cnx_to_numpy(self);
    PyObject *method = numpy != NULL ? PyObject_GetAttrString(numpy, "__dlpack__") : NULL;
    PyObject *capsule = method != NULL ? PyObject_Call(method, args, kwargs) : NULL;
    Py_XDECREF(numpy);
    Py_XDECREF(method);
    return cnx_end(capsule);
}

static PyObject *dlpack_device(PyObject *self, PyObject *unused)
{
    bool there;
    int number;
    (void)unused;
    if (cnx_on_device(self, &there) < 0) {
        return NULL;
    }
    return there && cn_device_open(&number) ? Py_BuildValue("(ii)", 2, number) /* kDLCUDA */
                                            : Py_BuildValue("(ii)", 1, 0);     /* kDLCPU */
}

static PyObject *to_device(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"device", "stream", NULL};
    PyObject *device, *stream = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$O:to_device", names, &device, &stream)) {
        return NULL;
    }
    if (stream != Py_None) {
        PyErr_SetString(PyExc_ValueError, "The stream argument in to_device() is not supported");
        return NULL;
    }
    if (!PyUnicode_Check(device) || PyUnicode_CompareWithASCIIString(device, "cpu") != 0) {
        return PyErr_Format(PyExc_ValueError, "Unsupported device: %S. Only 'cpu' is accepted.", device);
    }
    return Py_NewRef(self);
}

/* ---- copy, pickle ---------------------------------------------------------------------------------------- */

static PyObject *copy_values(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyObject_CallMethod(self, "copy", "s", "K");
}

/* (rebuild, (class, numpy array), attributes or None) */
static PyObject *reduce_ex(PyObject *self, PyObject *protocol)
{
    (void)protocol;
    PyObject *module = PyImport_ImportModule("cnumeric._cnumeric");
    PyObject *rebuild = module != NULL ? PyObject_GetAttrString(module, "_rebuild") : NULL;
    PyObject *numpy = rebuild != NULL ? cnx_to_numpy(self) : NULL;
    PyObject *state = numpy != NULL && !cnx_array_check_exact(self) ? PyObject_GetAttrString(self, "__dict__") : NULL;
    PyObject *result = NULL;
    if (numpy != NULL) {
        PyErr_Clear(); /* no __dict__ */
        result = Py_BuildValue("O(OO)O", rebuild, (PyObject *)Py_TYPE(self), numpy, state != NULL ? state : Py_None);
    }
    Py_XDECREF(module);
    Py_XDECREF(rebuild);
    Py_XDECREF(numpy);
    Py_XDECREF(state);
    return cnx_end(result);
}

static PyObject *reduce(PyObject *self, PyObject *unused)
{
    return reduce_ex(self, unused);
}

/* ---- Numbers and sizes ------------------------------------------------------------------------------------ */

static PyObject *to_complex(PyObject *self, PyObject *unused)
{
    (void)unused;
    PyObject *numpy = cnx_to_numpy(self);
    PyObject *value = numpy != NULL ? PyObject_CallMethod(numpy, "__complex__", NULL) : NULL;
    Py_XDECREF(numpy);
    return cnx_end(value);
}

static PyObject *size_of(PyObject *self, PyObject *unused)
{
    (void)unused;
    const cnx_array *array = (const cnx_array *)self;
    int64_t bytes = array->base == NULL ? cn_array_base_bytes(array->array) : 0;
    return PyLong_FromLongLong((long long)Py_TYPE(self)->tp_basicsize + bytes +
                               2LL * cn_array_ndim(cnx_get(self)) * (long long)sizeof(int64_t));
}

const PyMethodDef cnx_protocol_methods[] = {
    {"__array__", CNX_KEYWORDS(to_numpy_array), METH_VARARGS | METH_KEYWORDS, "A NumPy array on the same memory."},
    {"__array_ufunc__", CNX_KEYWORDS(array_ufunc), METH_VARARGS | METH_KEYWORDS, NULL},
    {"__array_function__", CNX_KEYWORDS(array_function), METH_VARARGS | METH_KEYWORDS, NULL},
    {"__array_wrap__", array_wrap, METH_VARARGS, NULL},
    {"__array_finalize__", array_finalize, METH_O, NULL},
    {"__array_namespace__", CNX_KEYWORDS(array_namespace), METH_VARARGS | METH_KEYWORDS, NULL},
    {"__dlpack__", CNX_KEYWORDS(dlpack), METH_VARARGS | METH_KEYWORDS, NULL},
    {"__dlpack_device__", dlpack_device, METH_NOARGS, NULL},
    {"to_device", CNX_KEYWORDS(to_device), METH_VARARGS | METH_KEYWORDS, "to_device(device, /, *, stream=None)"},
    {"__copy__", copy_values, METH_NOARGS, NULL},
    {"__deepcopy__", copy_values, METH_O, NULL},
    {"__reduce__", reduce, METH_NOARGS, NULL},
    {"__reduce_ex__", reduce_ex, METH_O, NULL},
    {"__complex__", to_complex, METH_NOARGS, NULL},
    {"__sizeof__", size_of, METH_NOARGS, NULL},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL, NULL, 0, NULL},
};
