/*
 * sorting.c - sort, argsort, partition, searchsorted, interp, bincount, counts, unique_sorted: the core's, for the package to compose from.
 *
 * They take arrays of ours and arguments that the package has checked. What the core does not have raises
 * cnumeric._fallback.Unsupported; other errors are raised plainly, and the package lets NumPy put them in its words.
 */
#include "ext.h"

/* Raises what the core said. */
static PyObject *refuse(cn_status status)
{
    if (status != CN_ERROR_UNSUPPORTED && status != CN_ERROR_NO_LOOP) {
        return cnx_raise_plain(status);
    }
    PyObject *unsupported = cnx_fallback("Unsupported");
    if (unsupported != NULL) {
        PyErr_SetString(unsupported, cn_error_message());
        Py_DECREF(unsupported);
    }
    return NULL;
}

static PyObject *give(cn_status status, cn_array *result)
{
    return status == CN_OK ? cnx_end(cnx_new(result)) : refuse(status);
}

/* "O&": an array of ours. */
static int read_array(PyObject *object, void *out)
{
    if (!cnx_array_check(object)) {
        PyErr_SetString(PyExc_TypeError, "an array of cnumeric is needed");
        return 0;
    }
    *(cn_array **)out = cnx_get(object);
    return 1;
}

/* "O&": an array of ours or None. */
static int read_optional(PyObject *object, void *out)
{
    *(cn_array **)out = NULL;
    return object == Py_None ? 1 : read_array(object, out);
}

/* The call (array, axis): false with an exception. */
static bool read_line(PyObject *const *args, Py_ssize_t count, cn_array **array, int *axis)
{
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "an array and an axis are needed");
        return false;
    }
    *axis = (int)PyLong_AsLong(args[1]);
    return (*axis != -1 || !PyErr_Occurred()) && read_array(args[0], array);
}

static PyObject *sort(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    cn_array *array, *result = NULL;
    int axis;
    (void)module;
    if (!read_line(args, count, &array, &axis)) {
        return NULL;
    }
    cnx_begin();
    cn_status status = cn_sort(array, axis, &result);
    return give(status, result);
}

static PyObject *argsort(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    cn_array *array, *result = NULL;
    int axis;
    (void)module;
    if (!read_line(args, count, &array, &axis)) {
        return NULL;
    }
    cnx_begin();
    cn_status status = cn_argsort(array, axis, &result);
    return give(status, result);
}

/* The ranks of a tuple of ints; freed with PyMem_Free. */
static int64_t *read_ranks(PyObject *tuple)
{
    Py_ssize_t count = PyTuple_GET_SIZE(tuple);
    int64_t *ranks = PyMem_Malloc((size_t)(count > 0 ? count : 1) * sizeof *ranks);
    if (ranks == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        ranks[i] = PyLong_AsLongLong(PyTuple_GET_ITEM(tuple, i));
        if (ranks[i] == -1 && PyErr_Occurred()) {
            PyMem_Free(ranks);
            return NULL;
        }
    }
    return ranks;
}

static PyObject *partition(PyObject *module, PyObject *args)
{
    cn_array *array, *result = NULL;
    PyObject *tuple;
    int axis;
    (void)module;
    if (!PyArg_ParseTuple(args, "O&O!i:partition", read_array, &array, &PyTuple_Type, &tuple, &axis)) {
        return NULL;
    }
    int64_t *ranks = read_ranks(tuple);
    if (ranks == NULL) {
        return NULL;
    }
    cnx_begin();
    cn_status status = cn_partition(array, ranks, PyTuple_GET_SIZE(tuple), axis, &result);
    PyMem_Free(ranks);
    return give(status, result);
}

static PyObject *searchsorted(PyObject *module, PyObject *args)
{
    cn_array *sorted, *values, *result = NULL;
    int right;
    (void)module;
    if (!PyArg_ParseTuple(args, "O&O&p:searchsorted", read_array, &sorted, read_array, &values, &right)) {
        return NULL;
    }
    cnx_begin();
    cn_status status = cn_searchsorted(sorted, values, right != 0, &result);
    return give(status, result);
}

static PyObject *bincount(PyObject *module, PyObject *args)
{
    cn_array *array, *weights, *result = NULL;
    long long minlength;
    (void)module;
    if (!PyArg_ParseTuple(args, "O&O&L:bincount", read_array, &array, read_optional, &weights, &minlength)) {
        return NULL;
    }
    cnx_begin();
    cn_status status = cn_bincount(array, weights, minlength, &result);
    return give(status, result);
}

static PyObject *unique_sorted(PyObject *module, PyObject *args)
{
    cn_array *array, *results[3] = {NULL, NULL, NULL};
    int numbers;
    (void)module;
    if (!PyArg_ParseTuple(args, "O&p:unique_sorted", read_array, &array, &numbers)) {
        return NULL;
    }
    cnx_begin();
    cn_status status = cn_unique_sorted(array, &results[0], numbers ? &results[1] : NULL, numbers ? &results[2] : NULL);
    if (status != CN_OK) {
        return refuse(status);
    }
    if (!numbers) {
        return cnx_end(cnx_new(results[0]));
    }
    PyObject *tuple = PyTuple_New(3);
    for (int i = 0; i < 3; i++) {
        PyObject *made = cnx_new(results[i]);
        if (tuple != NULL && made != NULL) {
            PyTuple_SET_ITEM(tuple, i, made);
        } else {
            Py_XDECREF(made);
            Py_CLEAR(tuple);
        }
    }
    return cnx_end(tuple);
}

static PyObject *count_at_hand(PyObject *module, PyObject *object)
{
    cn_scalar count = {.dtype = CN_INT64};
    (void)module;
    if (!cnx_array_check_exact(object) || !cn_count_at_hand(cnx_get(object), &count.value.i64)) {
        Py_RETURN_NONE;
    }
    return cnx_scalar(&count);
}

/* "O&": a number or None. */
typedef struct end {
    bool given;
    double value;
} end;

static int read_end(PyObject *object, void *out)
{
    end *e = out;
    e->given = object != Py_None;
    e->value = e->given ? PyFloat_AsDouble(object) : 0;
    return e->value != -1 || !PyErr_Occurred();
}

static PyObject *interpolated(PyObject *module, PyObject *args)
{
    cn_array *at, *x, *y, *result = NULL;
    end left, right;
    (void)module;
    if (!PyArg_ParseTuple(args, "O&O&O&O&O&:interpolated", read_array, &at, read_array, &x, read_array, &y, read_end,
                          &left, read_end, &right)) {
        return NULL;
    }
    cnx_begin();
    cn_status status =
        cn_interpolate(at, x, y, left.given ? &left.value : NULL, right.given ? &right.value : NULL, &result);
    if (status == CN_OK && result == NULL) {
        return cnx_end(Py_NewRef(Py_None));
    }
    return give(status, result);
}

static PyMethodDef functions[] = {
    {"interpolated", interpolated, METH_VARARGS,
     "interpolated(at, x, y, left, right): numpy.interp, if that needs no plan; else None."},
    {"count_at_hand", count_at_hand, METH_O,
     "count_at_hand(array): how many are not zero, if that needs no computing; else None."},
    {"sort", CNX_KEYWORDS(sort), METH_FASTCALL, "sort(array, axis): a sorted copy; the axis counts from the front."},
    {"argsort", CNX_KEYWORDS(argsort), METH_FASTCALL, "argsort(array, axis): the int64 indices that sort, stable."},
    {"partition", partition, METH_VARARGS,
     "partition(array, ranks, axis): a copy with the elements of these ranks in place."},
    {"searchsorted", searchsorted, METH_VARARGS,
     "searchsorted(sorted, values, right): how many are less, or not greater."},
    {"bincount", bincount, METH_VARARGS, "bincount(array, weights, minlength): counts, or sums of weights."},
    {"unique_sorted", unique_sorted, METH_VARARGS,
     "unique_sorted(sorted, numbers): the values once; numbers: and where each is first, and how often it is."},
    {NULL, NULL, 0, NULL},
};

int cnx_sorting_init(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
