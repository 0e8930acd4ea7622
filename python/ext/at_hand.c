/*
 * at_hand.c - calls of a few elements whose values are at hand: NumPy computes them at once, on our memory.
 *
 * Where a function is composed of many calls, recording them takes longer than its work on few elements. Only functions whose
 * results are NumPy's bit for bit go this way: whether values are at hand depends on what ran before.
 */
#include "ext.h"

enum { MOST_ARGS = 12, MOST_ITEMS = 64 };

static int64_t most_bytes(void)
{
    static int row = -1;
    return cnx_setting("numpy_bytes", &row);
}

static bool is_plain(PyObject *object)
{
    return object == Py_None || PyBool_Check(object) || PyLong_CheckExact(object) || PyFloat_CheckExact(object) ||
           PyComplex_CheckExact(object) || PyUnicode_CheckExact(object) || PyType_Check(object) ||
           PyArray_DescrCheck(object) || PyArray_CheckAnyScalarExact(object);
}

static bool is_list(PyObject *object)
{
    return PyList_CheckExact(object) || PyTuple_CheckExact(object);
}

/* Can NumPy have the argument at once? Counts arrays of ours. */
static bool takes(PyObject *object, int64_t most, bool pending_too, int depth, int *ours)
{
    if (cnx_array_check_exact(object)) {
        ++*ours;
        return cn_array_size(cnx_get(object)) > 0 && cn_array_at_hand(cnx_get(object), most, pending_too);
    }
    if (cnx_is_native_numpy(object)) {
        return PyArray_NBYTES((PyArrayObject *)object) <= most;
    }
    if (!is_list(object)) {
        return is_plain(object);
    }
    Py_ssize_t count = PySequence_Fast_GET_SIZE(object);
    bool good = count <= MOST_ITEMS && depth < 2;
    for (Py_ssize_t i = 0; good && i < count; i++) {
        good = takes(PySequence_Fast_GET_ITEM(object, i), most, pending_too, depth + 1, ours);
    }
    return good;
}

/* The argument with NumPy's arrays on our memory. */
static PyObject *given(PyObject *object)
{
    if (cnx_array_check_exact(object)) {
        return cnx_to_numpy(object);
    }
    if (!is_list(object)) {
        return Py_NewRef(object);
    }
    Py_ssize_t count = PySequence_Fast_GET_SIZE(object);
    PyObject *made = PyTuple_CheckExact(object) ? PyTuple_New(count) : PyList_New(count);
    for (Py_ssize_t i = 0; made != NULL && i < count; i++) {
        PyObject *item = given(PySequence_Fast_GET_ITEM(object, i));
        if (item == NULL) {
            Py_CLEAR(made);
        } else if (PyTuple_CheckExact(object)) {
            PyTuple_SET_ITEM(made, i, item);
        } else {
            PyList_SET_ITEM(made, i, item);
        }
    }
    return made;
}

/* What NumPy made, in memory of ours. */
static PyObject *own(PyObject *made)
{
    if (!cnx_is_native_numpy(made)) {
        return Py_NewRef(made);
    }
    PyArrayObject *array = (PyArrayObject *)made;
    if (PyArray_IS_C_CONTIGUOUS(array) || PyArray_IS_F_CONTIGUOUS(array)) {
        return cnx_copy_of(made, NPY_KEEPORDER);
    }
    PyObject *dense = PyArray_NewCopy(array, NPY_KEEPORDER);
    PyObject *copy = dense != NULL ? cnx_copy_of(dense, NPY_KEEPORDER) : NULL;
    Py_XDECREF(dense);
    return copy;
}

/* The same, of several, named ones too; made is taken. */
static PyObject *all_own(PyObject *made)
{
    if (made == NULL || !PyTuple_Check(made)) {
        PyObject *result = made != NULL ? own(made) : NULL;
        Py_XDECREF(made);
        return result;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(made);
    PyObject *result = PyTuple_New(count);
    for (Py_ssize_t i = 0; result != NULL && i < count; i++) {
        PyObject *item = own(PyTuple_GET_ITEM(made, i));
        if (item == NULL) {
            Py_CLEAR(result);
        } else {
            PyTuple_SET_ITEM(result, i, item);
        }
    }
    if (result != NULL && !PyTuple_CheckExact(made)) {
        Py_SETREF(result, PyObject_CallObject((PyObject *)Py_TYPE(made), result));
    }
    Py_DECREF(made);
    return result;
}

bool cnx_at_hand(const cnx_few *few, PyObject *const *args, Py_ssize_t count, PyObject *names, PyObject **result)
{
    Py_ssize_t all = count + (names != NULL ? PyTuple_GET_SIZE(names) : 0), n = 0;
    PyObject *taken[MOST_ARGS];
    int64_t most = (int64_t)((double)most_bytes() * few->times);
    int ours = 0;
    bool good = all <= MOST_ARGS && most > 0;
    for (Py_ssize_t i = 0; good && i < all; i++) {
        good = takes(args[i], most, few->pending_too, 0, &ours);
    }
    if (!good || ours == 0) {
        return false;
    }
    cnx_begin();
    while (n < all && (taken[n] = given(args[n])) != NULL) {
        n++;
    }
    PyObject *made = n == all ? PyObject_Vectorcall(few->function, taken, (size_t)count, names) : NULL;
    *result = NULL;
    while (n > 0) {
        if (taken[--n] == made && made != NULL && made != args[n]) { /* an output comes back as the caller has it */
            *result = Py_NewRef(args[n]);
        }
        Py_DECREF(taken[n]);
    }
    if (*result == NULL) {
        *result = all_own(made);
    } else {
        Py_DECREF(made);
    }
    *result = cnx_end(*result);
    return true;
}
