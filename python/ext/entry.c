/*
 * entry.c - the type of the package's functions: what stands between a call and the Python function that computes it.
 *
 * entry(function, otherwise, method, numpy, pending, times) calls the function with the arguments as they came. NumPy's
 * function `numpy` (None, or its full name) is called instead for a few elements at hand (at_hand.c; pending: what is
 * pending on them runs for it). `otherwise(error, args, kwargs)` is called instead for arrays of a subclass of our ndarray
 * (error: None), and afterwards for an exception that the function raised. For a method of arrays it is called, instead,
 * unless the first argument is an array of ours, and what the method raises goes to the caller.
 */
#include "ext.h"

#include <structmember.h>

typedef struct entry {
    PyObject_HEAD PyObject *function, *otherwise, *subclasses, *dict, *weakrefs;
    PyObject *numpy; /* NumPy's function for a few elements, its full name before the first call, or None */
    int method, pending;
    double times;
    vectorcallfunc call;
} entry;

static PyObject *call_otherwise(const entry *self, PyObject *error, PyObject *const *args, Py_ssize_t count,
                                PyObject *names)
{
    PyObject *tuple = PyTuple_New(count), *keywords = PyDict_New(), *result = NULL;
    Py_ssize_t named = names != NULL ? PyTuple_GET_SIZE(names) : 0;
    bool good = tuple != NULL && keywords != NULL;
    for (Py_ssize_t i = 0; good && i < count; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    }
    for (Py_ssize_t i = 0; good && i < named; i++) {
        good = PyDict_SetItem(keywords, PyTuple_GET_ITEM(names, i), args[count + i]) == 0;
    }
    if (good) {
        PyObject *all[3] = {error, tuple, keywords};
        result = PyObject_Vectorcall(self->otherwise, all, 3, NULL);
    }
    Py_XDECREF(tuple);
    Py_XDECREF(keywords);
    return result;
}

/* The exception that is set, taken. */
static PyObject *take_error(void)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL) {
        PyException_SetTraceback(value, traceback);
    }
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
}

/* The object of this full name: modules are imported. */
static PyObject *find_named(PyObject *full)
{
    PyObject *parts = PyObject_CallMethod(full, "rpartition", "s", ".");
    PyObject *module = parts != NULL ? PyImport_Import(PyTuple_GET_ITEM(parts, 0)) : NULL;
    PyObject *found = module != NULL ? PyObject_GetAttr(module, PyTuple_GET_ITEM(parts, 2)) : NULL;
    Py_XDECREF(module);
    Py_XDECREF(parts);
    return found;
}

static bool by_numpy(entry *self, PyObject *const *args, Py_ssize_t count, PyObject *names, PyObject **result)
{
    if (PyUnicode_CheckExact(self->numpy)) {
        PyObject *found = find_named(self->numpy);
        if (found == NULL) {
            PyErr_Clear();
            return false;
        }
        Py_SETREF(self->numpy, found);
    }
    cnx_few few = {self->numpy, self->pending != 0, self->times};
    return cnx_at_hand(&few, args, count, names, result);
}

/* Is an array of a subclass among the values, or in a list or tuple among them? Also of what nests without end. */
static bool has_subclass(PyObject *subclasses, PyObject *const *values, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *value = values[i];
        if (PyList_CheckExact(value) || PyTuple_CheckExact(value)) {
            if (Py_EnterRecursiveCall(" in a list") != 0) {
                PyErr_Clear();
                return true;
            }
            bool inside = has_subclass(subclasses, PySequence_Fast_ITEMS(value), PySequence_Fast_GET_SIZE(value));
            Py_LeaveRecursiveCall();
            if (inside) {
                return true;
            }
        } else if (!cnx_array_check_exact(value) && PySet_Contains(subclasses, (PyObject *)Py_TYPE(value)) == 1) {
            return true;
        }
    }
    return false;
}

static bool is_for_otherwise(const entry *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    if (self->method) {
        return count == 0 || !cnx_array_check_exact(args[0]);
    }
    Py_ssize_t named = names != NULL ? PyTuple_GET_SIZE(names) : 0;
    return PySet_GET_SIZE(self->subclasses) > 0 && has_subclass(self->subclasses, args, count + named);
}

static PyObject *entry_call(PyObject *object, PyObject *const *args, size_t flags, PyObject *names)
{
    entry *self = (entry *)object;
    Py_ssize_t count = PyVectorcall_NARGS(flags);
    if (is_for_otherwise(self, args, count, names)) {
        return call_otherwise(self, Py_None, args, count, names);
    }
    PyObject *result = NULL;
    if (self->numpy != Py_None && by_numpy(self, args, count, names, &result)) {
        return result;
    }
    result = PyObject_Vectorcall(self->function, args, flags, names);
    if (result != NULL || self->method || !PyErr_ExceptionMatches(PyExc_Exception)) {
        return result;
    }
    PyObject *error = take_error();
    result = call_otherwise(self, error, args, count, names);
    Py_DECREF(error);
    return result;
}

static PyObject *entry_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *function, *otherwise, *numpy;
    int method, pending;
    double times;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "OOpOpd:entry", &function, &otherwise, &method, &numpy, &pending, &times)) {
        return NULL;
    }
    PyObject *subclasses = cnx_fallback("subclasses");
    entry *self = subclasses != NULL ? (entry *)type->tp_alloc(type, 0) : NULL;
    if (self == NULL) {
        Py_XDECREF(subclasses);
        return NULL;
    }
    self->function = Py_NewRef(function);
    self->otherwise = Py_NewRef(otherwise);
    self->subclasses = subclasses;
    self->numpy = Py_NewRef(numpy);
    self->method = method;
    self->pending = pending;
    self->times = times;
    self->call = entry_call;
    return (PyObject *)self;
}

static int entry_traverse(PyObject *object, visitproc visit, void *arg)
{
    entry *self = (entry *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->function);
    Py_VISIT(self->otherwise);
    Py_VISIT(self->subclasses);
    Py_VISIT(self->numpy);
    Py_VISIT(self->dict);
    return 0;
}

static int entry_clear(PyObject *object)
{
    entry *self = (entry *)object;
    Py_CLEAR(self->function);
    Py_CLEAR(self->otherwise);
    Py_CLEAR(self->subclasses);
    Py_CLEAR(self->numpy);
    Py_CLEAR(self->dict);
    return 0;
}

static void entry_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (((entry *)object)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    entry_clear(object);
    type->tp_free(object);
    Py_DECREF(type);
}

/* As an attribute of a class it is a method, as functions are. */
static PyObject *entry_bind(PyObject *self, PyObject *object, PyObject *type)
{
    (void)type;
    return object != NULL && object != Py_None ? PyMethod_New(self, object) : Py_NewRef(self);
}

static PyObject *entry_repr(PyObject *self)
{
    PyObject *name = PyObject_GetAttrString(self, "__qualname__");
    PyObject *text = name != NULL ? PyUnicode_FromFormat("<function %U at %p>", name, (void *)self) : NULL;
    Py_XDECREF(name);
    return text;
}

/* Pickled and copied by name. */
static PyObject *entry_reduce(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyObject_GetAttrString(self, "__qualname__");
}

static PyMethodDef methods[] = {
    {"__reduce__", entry_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(entry, call), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(entry, dict), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(entry, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef attributes[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, (void *)entry_new},
    {Py_tp_call, (void *)PyVectorcall_Call},
    {Py_tp_traverse, (void *)entry_traverse},
    {Py_tp_clear, (void *)entry_clear},
    {Py_tp_dealloc, (void *)entry_dealloc},
    {Py_tp_descr_get, (void *)entry_bind},
    {Py_tp_repr, (void *)entry_repr},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_tp_getset, attributes},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "cnumeric._cnumeric.entry",
    .basicsize = (int)sizeof(entry),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = slots,
};

int cnx_entry_init(PyObject *module)
{
    PyObject *type = PyType_FromSpec(&spec);
    int status = type != NULL ? PyModule_AddObjectRef(module, "entry", type) : -1;
    Py_XDECREF(type);
    return status;
}
