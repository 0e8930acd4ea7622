/*
 * errors.c - what is raised when the core refuses a call, and the ways over to NumPy.
 *
 * The core says that a call is wrong; what the user sees must be NumPy's exception. So NumPy is asked to make the same
 * call on stand-ins of the operands (cnumeric._errors.replay). Exceptions are rare: nothing here is fast.
 */
#include "ext.h"

static PyObject *numpy_module, *fallback_module, *errors_module, *no_value;

PyObject *cnx_module_attribute(PyObject **module, const char *module_name, const char *name)
{
    if (*module == NULL) {
        *module = PyImport_ImportModule(module_name);
        if (*module == NULL) {
            return NULL;
        }
    }
    return PyObject_GetAttrString(*module, name);
}

PyObject *cnx_numpy(const char *name)
{
    return cnx_module_attribute(&numpy_module, "numpy", name);
}

const char *cnx_numpy_doc(const char *name)
{
    PyObject *function = cnx_numpy(name);
    if (function != NULL && PyCFunction_Check(function)) { /* with the signature, which __doc__ lacks */
        const char *whole = ((PyCFunctionObject *)function)->m_ml->ml_doc;
        Py_DECREF(function);
        return whole;
    }
    PyObject *doc = function != NULL ? PyObject_GetAttrString(function, "__doc__") : NULL; /* kept */
    const char *text = doc != NULL && PyUnicode_Check(doc) ? PyUnicode_AsUTF8(doc) : NULL;
    Py_XDECREF(function);
    PyErr_Clear();
    return text;
}

PyObject *cnx_numpy_method(const char *name)
{
    return PyObject_GetAttrString((PyObject *)&PyArray_Type, name);
}

PyObject *cnx_fallback(const char *name)
{
    return cnx_module_attribute(&fallback_module, "cnumeric._fallback", name);
}

PyObject *cnx_no_value(void)
{
    if (no_value == NULL) {
        no_value = cnx_numpy("_NoValue");
        if (no_value == NULL) {
            PyErr_Clear();
            no_value = Py_NewRef(Py_Ellipsis);
        }
    }
    return no_value;
}

/* ---- Exceptions --------------------------------------------------------------------------------------- */

/* A new reference to the class; the nearest builtin if NumPy has moved its own. */
static PyObject *exception_class(cn_status status)
{
    static const char *const numpys[CN_STATUS_COUNT] = {[CN_ERROR_AXIS] = "AxisError"};
    PyObject *builtin[CN_STATUS_COUNT] = {
        [CN_ERROR_VALUE] = PyExc_ValueError,       [CN_ERROR_TYPE] = PyExc_TypeError,
        [CN_ERROR_INDEX] = PyExc_IndexError,       [CN_ERROR_AXIS] = PyExc_ValueError,
        [CN_ERROR_OVERFLOW] = PyExc_OverflowError, [CN_ERROR_NO_LOOP] = PyExc_TypeError,
        [CN_ERROR_CASTING] = PyExc_TypeError,      [CN_ERROR_READ_ONLY] = PyExc_ValueError,
        [CN_ERROR_MEMORY] = PyExc_MemoryError,     [CN_ERROR_FLOATING_POINT] = PyExc_FloatingPointError,
        [CN_ERROR_FILE] = PyExc_OSError,           [CN_ERROR_UNSUPPORTED] = PyExc_NotImplementedError,
    };
    if (status < CN_STATUS_COUNT && numpys[status] != NULL) {
        PyObject *exceptions = cnx_numpy("exceptions");
        PyObject *found = exceptions != NULL ? PyObject_GetAttrString(exceptions, numpys[status]) : NULL;
        Py_XDECREF(exceptions);
        if (found != NULL) {
            return found;
        }
        PyErr_Clear();
    }
    PyObject *class = status < CN_STATUS_COUNT ? builtin[status] : NULL;
    return Py_NewRef(class != NULL ? class : PyExc_RuntimeError);
}

static PyObject *raise_message(cn_status status, const char *message)
{
    PyObject *class = exception_class(status);
    PyErr_SetString(class, message);
    Py_DECREF(class);
    return NULL;
}

PyObject *cnx_raise_plain(cn_status status)
{
    return raise_message(status, cn_error_message());
}

static void replay(PyObject *reference, PyObject *args, PyObject *kwargs)
{
    PyObject *function = cnx_module_attribute(&errors_module, "cnumeric._errors", "replay");
    if (function == NULL) {
        return;
    }
    PyObject *keywords = kwargs != NULL ? Py_NewRef(kwargs) : PyDict_New();
    PyObject *result =
        keywords != NULL ? PyObject_CallFunctionObjArgs(function, reference, args, keywords, NULL) : NULL;
    Py_XDECREF(result);
    Py_XDECREF(keywords);
    Py_DECREF(function);
}

PyObject *cnx_raise(cn_status status, PyObject *reference, PyObject *args, PyObject *kwargs)
{
    char message[512]; /* replaying may fail other calls */
    PyOS_snprintf(message, sizeof message, "%s", cn_error_message());
    if (status != CN_ERROR_MEMORY && status != CN_ERROR_INTERNAL && status != CN_ERROR_FLOATING_POINT &&
        reference != NULL && args != NULL) {
        replay(reference, args, kwargs);
    }
    return PyErr_Occurred() ? NULL : raise_message(status, message);
}

PyObject *cnx_raise_method(cn_status status, const char *method, PyObject *self, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t count = args != NULL ? PyTuple_GET_SIZE(args) : 0;
    PyObject *reference = cnx_numpy_method(method), *all = PyTuple_New(1 + count);
    if (all != NULL) {
        PyTuple_SET_ITEM(all, 0, Py_NewRef(self));
        for (Py_ssize_t i = 0; i < count; i++) {
            PyTuple_SET_ITEM(all, i + 1, Py_NewRef(PyTuple_GET_ITEM(args, i)));
        }
    }
    if (reference != NULL && all != NULL) {
        cnx_raise(status, reference, all, kwargs);
    }
    Py_XDECREF(reference);
    Py_XDECREF(all);
    return NULL;
}

PyObject *cnx_raise_function(cn_status status, const char *name, PyObject *args, PyObject *kwargs)
{
    PyObject *reference = cnx_numpy(name);
    if (reference != NULL) {
        cnx_raise(status, reference, args, kwargs);
        Py_DECREF(reference);
    }
    return NULL;
}

/* ---- NumPy computes ----------------------------------------------------------------------------------- */

PyObject *cnx_call_method(PyObject *self, const char *method, PyObject *args, PyObject *kwargs)
{
    PyObject *function = cnx_fallback("call_method");
    PyObject *positional = args != NULL ? Py_NewRef(args) : PyTuple_New(0);
    PyObject *keywords = kwargs != NULL ? Py_NewRef(kwargs) : PyDict_New();
    PyObject *result = NULL;
    if (function != NULL && positional != NULL && keywords != NULL) {
        result = PyObject_CallFunction(function, "sOOO", method, self, positional, keywords);
    }
    Py_XDECREF(function);
    Py_XDECREF(positional);
    Py_XDECREF(keywords);
    return cnx_end(result);
}

static PyObject *call_function(const char *name, const char *label, PyObject *args, PyObject *kwargs)
{
    PyObject *call = cnx_fallback("call"), *function = cnx_numpy(name);
    PyObject *keywords = kwargs != NULL ? Py_NewRef(kwargs) : PyDict_New();
    PyObject *result = NULL;
    PyObject *full = PyUnicode_FromFormat("%s%s", label, label[0] != '\0' ? name : "");
    if (call != NULL && function != NULL && keywords != NULL && full != NULL) {
        /* depth 1: there is no Python frame between _fallback.call and the user's */
        result = PyObject_CallFunction(call, "OOOOi", function, full, args, keywords, 1);
    }
    Py_XDECREF(call);
    Py_XDECREF(function);
    Py_XDECREF(keywords);
    Py_XDECREF(full);
    return cnx_end(result);
}

PyObject *cnx_call_function(const char *name, PyObject *args, PyObject *kwargs)
{
    return call_function(name, "numpy.", args, kwargs);
}

PyObject *cnx_call_quietly(const char *name, PyObject *args, PyObject *kwargs)
{
    return call_function(name, "", args, kwargs);
}
