/*
 * library_call.c - factorize, fourier, for_device: what the libraries of a device compute at the call, for the package to
 * compose from. Where there is no such thing they raise cnumeric._fallback.Unsupported, and NumPy computes. And what is
 * recorded of libraries: transform, each_matrix.
 */
#include "ext.h"

static PyObject *refuse(cn_status status)
{
    if (status != CN_ERROR_UNSUPPORTED) {
        return cnx_raise_plain(status);
    }
    PyObject *unsupported = cnx_fallback("Unsupported");
    if (unsupported != NULL) {
        PyErr_SetNone(unsupported);
        Py_DECREF(unsupported);
    }
    return NULL;
}

/* for_device(array, matrices, together) -> bool */
static PyObject *for_device(PyObject *module, PyObject *args)
{
    PyObject *array;
    int matrices, together;
    bool there = false;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!pp:for_device", &cnx_array_type, &array, &matrices, &together)) {
        return NULL;
    }
    cn_matrices how = together != 0 ? CN_MATRICES_TOGETHER : matrices != 0 ? CN_MATRICES : CN_NO_MATRICES;
    cnx_begin();
    cn_status status = cn_array_for_device(cnx_get(array), how, &there);
    return status == CN_OK ? cnx_end(PyBool_FromLong(there)) : cnx_raise_plain(status);
}

/* factorize(factor, option, *arrays) -> info */
static PyObject *factorize(PyObject *module, PyObject *args)
{
    enum { MOST = 4 };
    PyObject *given[MOST] = {NULL};
    cn_array *arrays[MOST];
    int factor, option, count = 0;
    int64_t info = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "iiO|OOO:factorize", &factor, &option, &given[0], &given[1], &given[2], &given[3])) {
        return NULL;
    }
    for (; count < MOST && given[count] != NULL; count++) {
        if (!cnx_array_check(given[count])) {
            PyErr_SetString(PyExc_TypeError, "arrays of cnumeric are needed");
            return NULL;
        }
        arrays[count] = cnx_get(given[count]);
    }
    if (factor < 0 || factor >= CN_FACTOR_COUNT) {
        PyErr_SetString(PyExc_ValueError, "no such factorisation");
        return NULL;
    }
    cnx_begin();
    cn_status status = cn_factorize((cn_factor)factor, option, count, arrays, &info);
    return status == CN_OK ? cnx_end(PyLong_FromLongLong(info)) : refuse(status);
}

/* fourier(in, out, axis, naxes, inverse) */
static PyObject *fourier(PyObject *module, PyObject *args)
{
    PyObject *in, *out;
    int axis, naxes, inverse;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!iip:fourier", &cnx_array_type, &in, &cnx_array_type, &out, &axis, &naxes,
                          &inverse)) {
        return NULL;
    }
    cnx_begin();
    cn_status status = cn_fourier(cnx_get(in), cnx_get(out), axis, naxes, inverse != 0);
    return status == CN_OK ? cnx_end(Py_NewRef(Py_None)) : refuse(status);
}

/* transform(array, axis, n, kind, backward, scale, out or None) -> array; kind: 0 complex, 1 to half, 2 from half */
static PyObject *transform(PyObject *module, PyObject *args)
{
    PyObject *in, *out;
    cn_array *result = NULL;
    Py_ssize_t n;
    int axis, kind, backward;
    double scale;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!inipdO:transform", &cnx_array_type, &in, &axis, &n, &kind, &backward, &scale,
                          &out)) {
        return NULL;
    }
    if (out != Py_None && !cnx_array_check(out)) {
        PyErr_SetString(PyExc_TypeError, "an array of cnumeric is needed");
        return NULL;
    }
    cnx_begin();
    cn_status status = cn_transform(cnx_get(in), axis, n, (cn_transform_kind)kind, backward != 0, scale,
                                    out != Py_None ? cnx_get(out) : NULL, &result);
    if (status != CN_OK) {
        return refuse(status);
    }
    if (out != Py_None) {
        cn_array_unref(result);
        return cnx_end(Py_NewRef(out));
    }
    return cnx_end(cnx_new(result));
}

/* each_matrix(kind, a, b or None) -> array */
static PyObject *each_matrix(PyObject *module, PyObject *args)
{
    PyObject *a, *b;
    cn_array *result = NULL;
    int kind;
    (void)module;
    if (!PyArg_ParseTuple(args, "iO!O:each_matrix", &kind, &cnx_array_type, &a, &b)) {
        return NULL;
    }
    if ((b != Py_None && !cnx_array_check(b)) || kind < 0 || kind >= CN_EACH_COUNT) {
        PyErr_SetString(PyExc_TypeError, "a kind of result and arrays of cnumeric are needed");
        return NULL;
    }
    cnx_begin();
    cn_status status = cn_each_matrix((cn_each)kind, cnx_get(a), b != Py_None ? cnx_get(b) : NULL, &result);
    return status == CN_OK ? cnx_end(cnx_new(result)) : refuse(status);
}

static PyMethodDef functions[] = {
    {"for_device", for_device, METH_VARARGS, NULL},   {"factorize", factorize, METH_VARARGS, NULL},
    {"fourier", fourier, METH_VARARGS, NULL},         {"transform", transform, METH_VARARGS, NULL},
    {"each_matrix", each_matrix, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL},
};

static int add_numbers(PyObject *module, int count, const char *const *names)
{
    for (int i = 0; i < count; i++) {
        if (PyModule_AddIntConstant(module, names[i], i) < 0) {
            return -1;
        }
    }
    return 0;
}

int cnx_direct_init(PyObject *module)
{
    static const char *const factors[CN_FACTOR_COUNT] = {
        [CN_FACTOR_LU] = "LU",    [CN_FACTOR_LU_SOLVE] = "LU_SOLVE", [CN_FACTOR_CHOLESKY] = "CHOLESKY",
        [CN_FACTOR_QR] = "QR",    [CN_FACTOR_QR_Q] = "QR_Q",         [CN_FACTOR_SVD] = "SVD",
        [CN_FACTOR_EIGH] = "EIGH"};
    static const char *const each[CN_EACH_COUNT] = {
        [CN_EACH_SOLVE] = "EACH_SOLVE",
        [CN_EACH_INV] = "EACH_INV",
        [CN_EACH_DETERMINANT] = "EACH_DETERMINANT",
        [CN_EACH_CHOLESKY] = "EACH_CHOLESKY",
        [CN_EACH_R] = "EACH_R",
        [CN_EACH_QR] = "EACH_QR",
        [CN_EACH_QR_COMPLETE] = "EACH_QR_COMPLETE",
        [CN_EACH_SINGULAR] = "EACH_SINGULAR",
        [CN_EACH_SVD] = "EACH_SVD",
        [CN_EACH_SVD_FULL] = "EACH_SVD_FULL",
        [CN_EACH_EIGVALSH] = "EACH_EIGVALSH",
        [CN_EACH_EIGH] = "EACH_EIGH",
        [CN_EACH_EIGVALSH_UPPER] = "EACH_EIGVALSH_UPPER",
        [CN_EACH_EIGH_UPPER] = "EACH_EIGH_UPPER",
        [CN_EACH_EIGVALS] = "EACH_EIGVALS",
        [CN_EACH_EIG] = "EACH_EIG",
        [CN_EACH_SCHUR] = "EACH_SCHUR",
        [CN_EACH_DEFLATE] = "EACH_DEFLATE",
    };
    if (add_numbers(module, CN_FACTOR_COUNT, factors) < 0 || add_numbers(module, CN_EACH_COUNT, each) < 0) {
        return -1;
    }
    return PyModule_AddFunctions(module, functions);
}
