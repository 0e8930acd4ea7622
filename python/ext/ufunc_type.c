/*
 * ufunc_type.c - the ufunc objects' type, and making one for each of NumPy's.
 *
 * Everything that a ufunc tells about itself (nin, types, identity, documentation) is NumPy's.
 */
#include "ext.h"
#include "ufunc.h"

/* ---- The type ----------------------------------------------------------------------------------------- */

static void ufunc_dealloc(PyObject *object)
{
    cnx_ufunc *self = (cnx_ufunc *)object;
    Py_XDECREF(self->name);
    Py_XDECREF(self->numpy);
    Py_XDECREF(self->compose);
    Py_TYPE(object)->tp_free(object);
}

static PyObject *ufunc_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<ufunc '%U'>", ((cnx_ufunc *)self)->name);
}

/* What is not here is NumPy's ufunc's. */
static PyObject *ufunc_getattro(PyObject *self, PyObject *name)
{
    PyObject *value = PyObject_GenericGetAttr(self, name);
    if (value != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return value;
    }
    PyErr_Clear();
    return PyObject_GetAttr(((cnx_ufunc *)self)->numpy, name);
}

static PyObject *ufunc_doc(PyObject *self, void *closure)
{
    (void)closure;
    return PyObject_GetAttrString(((cnx_ufunc *)self)->numpy, "__doc__");
}

/* The module by which a ufunc is pickled; without this, NumPy's own. */
static PyObject *ufunc_module(PyObject *self, void *closure)
{
    (void)self;
    (void)closure;
    return PyUnicode_FromString("cnumeric");
}

static PyObject *ufunc_native(PyObject *self, void *closure)
{
    (void)closure;
    const cnx_ufunc *ufunc = (const cnx_ufunc *)self;
    return PyBool_FromLong(ufunc->op >= 0 || ufunc->compose != NULL || ufunc->vectorcall == cnx_ufunc_call_matmul);
}

static PyObject *ufunc_compose(PyObject *self, PyObject *function)
{
    Py_XSETREF(((cnx_ufunc *)self)->compose, Py_NewRef(function));
    Py_RETURN_NONE;
}

static PyObject *ufunc_reduce_ex(PyObject *self, PyObject *protocol)
{
    (void)protocol;
    return Py_NewRef(((cnx_ufunc *)self)->name); /* pickled by name, from the module of __module__ */
}

/* NumPy's, of NumPy's ufunc. */
static PyObject *ufunc_resolve_dtypes(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *method = PyObject_GetAttrString(((cnx_ufunc *)self)->numpy, "resolve_dtypes");
    PyObject *result = method != NULL ? PyObject_Call(method, args, kwargs) : NULL;
    Py_XDECREF(method);
    return result;
}

static PyObject *ufunc_outer(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return cnx_ufunc_fallback((cnx_ufunc *)self, "outer", args, kwargs);
}

#define KEYWORDS(function) (PyCFunction)(void (*)(void)) function

static PyMethodDef ufunc_methods[] = {
    {"reduce", KEYWORDS(cnx_ufunc_reduce), METH_VARARGS | METH_KEYWORDS,
     "reduce(array, axis=0, dtype=None, out=None, keepdims=False, initial=<no value>, where=True)"},
    {"outer", KEYWORDS(ufunc_outer), METH_VARARGS | METH_KEYWORDS, "outer(A, B, /, **kwargs)"},
    {"accumulate", KEYWORDS(cnx_ufunc_accumulate), METH_VARARGS | METH_KEYWORDS,
     "accumulate(array, axis=0, dtype=None, out=None)"},
    {"reduceat", KEYWORDS(cnx_ufunc_reduceat), METH_VARARGS | METH_KEYWORDS,
     "reduceat(array, indices, axis=0, dtype=None, out=None)"},
    {"at", KEYWORDS(cnx_ufunc_at), METH_VARARGS | METH_KEYWORDS, "at(a, indices, b=None, /)"},
    {"resolve_dtypes", KEYWORDS(ufunc_resolve_dtypes), METH_VARARGS | METH_KEYWORDS, NULL},
    {"_compose", ufunc_compose, METH_O, "Sets the Python function that computes a ufunc without a row."},
    {"__reduce_ex__", ufunc_reduce_ex, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef ufunc_members[] = {
    {"__name__", T_OBJECT_EX, offsetof(cnx_ufunc, name), READONLY, NULL},
    {"__qualname__", T_OBJECT_EX, offsetof(cnx_ufunc, name), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

/* What NumPy's ufunc tells of itself, also as members of the type. */
static PyObject *ufunc_theirs(PyObject *self, void *name)
{
    return PyObject_GetAttrString(((cnx_ufunc *)self)->numpy, name);
}

static PyGetSetDef ufunc_getset[] = {
    {"identity", ufunc_theirs, NULL, NULL, "identity"},
    {"nargs", ufunc_theirs, NULL, NULL, "nargs"},
    {"nin", ufunc_theirs, NULL, NULL, "nin"},
    {"nout", ufunc_theirs, NULL, NULL, "nout"},
    {"ntypes", ufunc_theirs, NULL, NULL, "ntypes"},
    {"signature", ufunc_theirs, NULL, NULL, "signature"},
    {"types", ufunc_theirs, NULL, NULL, "types"},
    {"__doc__", ufunc_doc, NULL, NULL, NULL},
    {"__module__", ufunc_module, NULL, NULL, NULL},
    {"native", ufunc_native, NULL, "Whether the core computes it, directly or composed.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject cnx_ufunc_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "cnumeric.ufunc",
    .tp_basicsize = sizeof(cnx_ufunc),
    .tp_dealloc = ufunc_dealloc,
    .tp_repr = ufunc_repr,
    .tp_call = PyVectorcall_Call,
    .tp_vectorcall_offset = offsetof(cnx_ufunc, vectorcall),
    .tp_getattro = ufunc_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_methods = ufunc_methods,
    .tp_members = ufunc_members,
    .tp_getset = ufunc_getset,
};

/* ---- Making them -------------------------------------------------------------------------------------- */

/* The row for a ufunc of this name; some rows have two names in NumPy. */
static cn_op row_of(const char *name)
{
    if (strcmp(name, "degrees") == 0) {
        return cn_op_find("rad2deg");
    }
    return cn_op_find(strcmp(name, "radians") == 0 ? "deg2rad" : name);
}

static PyObject *make_ufunc(PyObject *numpy_ufunc, const char *name)
{
    cnx_ufunc *self = PyObject_New(cnx_ufunc, &cnx_ufunc_type);
    if (self == NULL) {
        return NULL;
    }
    self->vectorcall = cnx_ufunc_call;
    self->op = row_of(name);
    self->nin = ((PyUFuncObject *)numpy_ufunc)->nin;
    self->nout = ((PyUFuncObject *)numpy_ufunc)->nout;
    self->name = PyUnicode_InternFromString(name);
    self->numpy = Py_NewRef(numpy_ufunc);
    self->compose = NULL;
    if (strcmp(name, "matmul") == 0) {
        self->vectorcall = cnx_ufunc_call_matmul;
    }
    if (self->op >= 0 && (cn_op_nin(self->op) != self->nin || cn_op_nout(self->op) != self->nout)) {
        self->op = -1;
    }
    return (PyObject *)self;
}

/* One object for each ufunc in numpy's namespace; other names of the same ufunc (abs, conj) share it. */
static PyObject *by_numpy; /* NumPy's ufunc -> ours */

PyObject *cnx_ufunc_of(PyObject *numpy_ufunc)
{
    return by_numpy != NULL ? PyDict_GetItemWithError(by_numpy, numpy_ufunc) : NULL;
}

static int add_ufuncs(PyObject *module, PyObject *numpy, PyObject *ufunc_class)
{
    PyObject *made = PyDict_New(), *names = PyModule_GetDict(numpy);
    by_numpy = PyDict_New();
    if (made == NULL || by_numpy == NULL) {
        Py_XDECREF(made);
        return -1;
    }
    PyObject *key, *value;
    Py_ssize_t at = 0;
    int failed = 0;
    while (failed == 0 && PyDict_Next(names, &at, &key, &value)) {
        if ((PyObject *)Py_TYPE(value) != ufunc_class || PyUnicode_READ_CHAR(key, 0) == '_') {
            continue;
        }
        const char *name = ((PyUFuncObject *)value)->name;
        PyObject *ours = PyDict_GetItemString(made, name);
        if (ours == NULL) {
            ours = make_ufunc(value, name);
            failed =
                ours == NULL || PyDict_SetItemString(made, name, ours) < 0 || PyDict_SetItem(by_numpy, value, ours) < 0;
            Py_XDECREF(ours);
        }
        failed = failed || PyObject_SetAttr(module, key, ours) < 0;
    }
    Py_DECREF(made);
    return failed != 0 ? -1 : 0;
}

/* numpy.clip is a function around a ufunc that is not in the namespace. */
static int add_clip(PyObject *module)
{
    PyObject *umath = PyImport_ImportModule("numpy._core.umath");
    PyObject *numpy_ufunc = umath != NULL ? PyObject_GetAttrString(umath, "clip") : NULL;
    PyObject *ours = numpy_ufunc != NULL ? make_ufunc(numpy_ufunc, "clip") : NULL;
    int status = ours != NULL ? PyModule_AddObjectRef(module, "clip", ours) : -1;
    Py_XDECREF(umath);
    Py_XDECREF(numpy_ufunc);
    Py_XDECREF(ours);
    return status;
}

/* The texts of NumPy's members, of methods with their signatures. */
static void take_texts(PyObject *ufunc_class)
{
    for (PyMethodDef *row = ufunc_methods; row->ml_name != NULL; row++) {
        PyObject *theirs = PyDict_GetItemString(((PyTypeObject *)ufunc_class)->tp_dict, row->ml_name);
        if (theirs != NULL && Py_IS_TYPE(theirs, &PyMethodDescr_Type) && row->ml_name[0] != '_') {
            row->ml_doc = ((PyMethodDescrObject *)theirs)->d_method->ml_doc;
        }
    }
    for (PyGetSetDef *row = ufunc_getset; row->name != NULL; row++) {
        PyObject *theirs = PyDict_GetItemString(((PyTypeObject *)ufunc_class)->tp_dict, row->name);
        if (row->get == ufunc_theirs && theirs != NULL && Py_IS_TYPE(theirs, &PyGetSetDescr_Type)) {
            row->doc = ((PyGetSetDescrObject *)theirs)->d_getset->doc;
        }
    }
}

int cnx_ufunc_init(PyObject *module)
{
    PyObject *numpy = PyImport_ImportModule("numpy");
    PyObject *ufunc_class = numpy != NULL ? PyObject_GetAttrString(numpy, "ufunc") : NULL;
    int status = -1;
    if (ufunc_class != NULL) {
        take_texts(ufunc_class);
        status = PyType_Ready(&cnx_ufunc_type);
    }
    status = status == 0 ? PyModule_AddObjectRef(module, "ufunc", (PyObject *)&cnx_ufunc_type) : status;
    status = status == 0 ? add_ufuncs(module, numpy, ufunc_class) : status;
    status = status == 0 ? add_clip(module) : status;
    Py_XDECREF(ufunc_class);
    Py_XDECREF(numpy);
    return status;
}
