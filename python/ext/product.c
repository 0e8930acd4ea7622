/*
 * product.c - numpy.dot for arrays of any rank, on cn_matmul.
 *
 * dot(a, b) sums over the last axis of a and the last but one of b: with a as a matrix (rows, k) and b as (k, columns)
 * it is one matrix product. Python's numbers and other foreign operands are NumPy's, or a multiplication.
 */
#include "ext.h"

typedef struct product {
    cn_array *a, *b; /* of one dtype, one or two dimensions, owned */
    int ndim;        /* of the result */
    int64_t shape[CN_MAX_DIMS];
} product;

static cn_status cast(cn_array *array, cn_dtype dtype, cn_array **out)
{
    if (cn_array_dtype(array) == dtype) {
        *out = cn_array_ref(array);
        return CN_OK;
    }
    return cn_array_copy(array, dtype, true, out);
}

/* (..., k) as (rows, k); a vector stays one. array is taken. */
static cn_status left_matrix(cn_array *array, cn_array **out)
{
    int last = cn_array_ndim(array) - 1;
    int64_t k = cn_array_shape(array)[last], rows = 1;
    if (last < 2) {
        *out = array;
        return CN_OK;
    }
    for (int d = 0; d < last; d++) {
        rows *= cn_array_shape(array)[d];
    }
    cn_status status = cnx_reshape(array, 2, (const int64_t[2]){rows, k}, NULL, out);
    cn_array_unref(array);
    return status;
}

/* (..., k, n) as (k, columns) with the columns in the order of the result. array is taken. */
static cn_status right_matrix(cn_array *array, cn_array **out)
{
    int ndim = cn_array_ndim(array), axes[CN_MAX_DIMS];
    if (ndim < 3) {
        *out = array;
        return CN_OK;
    }
    int64_t k = cn_array_shape(array)[ndim - 2], columns = 1;
    axes[0] = ndim - 2;
    for (int d = 0; d < ndim; d++) {
        if (d != ndim - 2) {
            axes[d < ndim - 2 ? d + 1 : d] = d;
            columns *= cn_array_shape(array)[d];
        }
    }
    cn_array *turned;
    cn_status status = cn_array_transpose(array, axes, &turned);
    cn_array_unref(array);
    if (status == CN_OK) {
        status = cnx_reshape(turned, 2, (const int64_t[2]){k, columns}, NULL, out);
        cn_array_unref(turned);
    }
    return status;
}

/* CN_ERROR_VALUE without a message: the shapes do not fit; NumPy has the words. */
static cn_status product_shape(const cn_array *a, const cn_array *b, product *p)
{
    int na = cn_array_ndim(a), nb = cn_array_ndim(b), inner = nb == 1 ? 0 : nb - 2;
    p->ndim = 0;
    if (na + nb - 2 > CN_MAX_DIMS || cn_array_shape(a)[na - 1] != cn_array_shape(b)[inner]) {
        return CN_ERROR_VALUE;
    }
    for (int d = 0; d < na - 1; d++) {
        p->shape[p->ndim++] = cn_array_shape(a)[d];
    }
    for (int d = 0; d < nb; d++) {
        if (d != inner) {
            p->shape[p->ndim++] = cn_array_shape(b)[d];
        }
    }
    return CN_OK;
}

static cn_status multiply(cn_array *a, cn_array *b, cn_array **out)
{
    product p = {.a = NULL};
    cn_dtype dtype = cn_promote(cn_array_dtype(a), cn_array_dtype(b));
    cn_status status = product_shape(a, b, &p);
    bool plain = cn_array_dtype(a) == cn_array_dtype(b) && cn_array_ndim(a) <= 2 && cn_array_ndim(b) <= 2;
    if (status == CN_OK && plain) {
        return cn_matmul(a, b, NULL, out);
    }
    if (status != CN_OK || (status = cast(a, dtype, &p.a)) != CN_OK) {
        return status;
    }
    status = left_matrix(p.a, &p.a);
    if (status != CN_OK) {
        return status;
    }
    status = cast(b, dtype, &p.b);
    if (status == CN_OK) {
        status = right_matrix(p.b, &p.b);
    }
    if (status != CN_OK) {
        cn_array_unref(p.a);
        return status;
    }
    cn_array *made;
    status = cn_matmul(p.a, p.b, NULL, &made);
    cn_array_unref(p.a);
    cn_array_unref(p.b);
    if (status == CN_OK && cn_array_ndim(made) == p.ndim) {
        *out = made;
    } else if (status == CN_OK) {
        status = cnx_reshape(made, p.ndim, p.shape, NULL, out);
        cn_array_unref(made);
    }
    return status;
}

/* NumPy takes only an out that the result fits exactly. */
static bool out_fits(const cn_array *out, const cn_array *result)
{
    int ndim = cn_array_ndim(result);
    return cn_array_ndim(out) == ndim && cn_array_dtype(out) == cn_array_dtype(result) && cn_array_c_contiguous(out) &&
           cn_array_writeable(out) &&
           memcmp(cn_array_shape(out), cn_array_shape(result), (size_t)ndim * sizeof(int64_t)) == 0;
}

static PyObject *by_numpy(PyObject *a, PyObject *b, PyObject *out)
{
    PyObject *args = out != NULL ? PyTuple_Pack(3, a, b, out) : PyTuple_Pack(2, a, b);
    PyObject *made = args != NULL ? cnx_call_function("dot", args, NULL) : NULL;
    Py_XDECREF(args);
    return made;
}

static PyObject *refuse(cn_status status, PyObject *a, PyObject *b, PyObject *out)
{
    PyObject *args = out != NULL ? PyTuple_Pack(3, a, b, out) : PyTuple_Pack(2, a, b);
    if (args != NULL) {
        cnx_raise_function(status, "dot", args, NULL);
        Py_DECREF(args);
    }
    return NULL;
}

static PyObject *give(cn_array *made, PyObject *a, PyObject *b, PyObject *out)
{
    if (out == NULL) {
        PyObject *operands[2] = {a, b};
        return cnx_end(cnx_as_subclass(cnx_subclass_of(operands, 2), cnx_result(made)));
    }
    PyObject *keep = NULL;
    cn_array *destination;
    int known = cnx_output(out, &destination, &keep);
    bool fits = known == 1 && out_fits(destination, made);
    cn_operand source = {.array = made};
    cn_status status = fits ? cn_copy(destination, &source, CN_CAST_NO) : CN_ERROR_UNSUPPORTED;
    cn_array_unref(made);
    if (status == CN_OK) {
        bool number = cn_array_ndim(destination) == 0; /* NumPy gives what is in an output without dimensions */
        PyObject *given = number ? cnx_item(destination, cn_array_offset(destination)) : Py_NewRef(out);
        Py_XDECREF(keep);
        return cnx_end(given);
    }
    Py_XDECREF(keep);
    PyErr_Clear();
    return status == CN_ERROR_UNSUPPORTED ? by_numpy(a, b, out) : cnx_raise_plain(status);
}

/* With a number or an array without dimensions dot multiplies, numbers as arrays: none is weak. */
static PyObject *scaled(PyObject *a, PyObject *b, PyObject *out)
{
    PyObject *x = cnx_array_check(a) ? Py_NewRef(a) : PyArray_FROM_O(a);
    PyObject *y = cnx_array_check(b) ? Py_NewRef(b) : PyArray_FROM_O(b);
    PyObject *args = x != NULL && y != NULL ? PyTuple_Pack(2, x, y) : NULL,
             *order = Py_BuildValue("{ss}", "order", "C");
    PyObject *multiply = cnx_ufunc_named("multiply"), *made = NULL;
    if (args != NULL && order != NULL && multiply != NULL) {
        made = PyObject_Call(multiply, args, order);
    }
    Py_XDECREF(x);
    Py_XDECREF(y);
    Py_XDECREF(args);
    Py_XDECREF(order);
    if (made != NULL && out != NULL && cnx_array_check_exact(made)) {
        cn_array *result = cn_array_ref(cnx_get(made));
        Py_DECREF(made);
        cnx_begin();
        return give(result, a, b, out);
    }
    if (made != NULL && out != NULL) {
        Py_DECREF(made);
        return by_numpy(a, b, out);
    }
    return made;
}

PyObject *cnx_dot(PyObject *a, PyObject *b, PyObject *out)
{
    cn_operand in[2];
    PyObject *keep[2] = {NULL, NULL}, *made = NULL;
    cn_array *result;
    int known = cnx_operand(a, &in[0], &keep[0]);
    known = known == 1 ? cnx_operand(b, &in[1], &keep[1]) : known;
    if (known != 1) {
        PyErr_Clear();
        made = by_numpy(a, b, out);
    } else if (in[0].array == NULL || in[1].array == NULL || cn_array_ndim(in[0].array) == 0 ||
               cn_array_ndim(in[1].array) == 0) {
        made = scaled(a, b, out);
    } else {
        cnx_begin();
        cn_status status = multiply(in[0].array, in[1].array, &result);
        made = status == CN_OK                  ? give(result, a, b, out)
               : status == CN_ERROR_UNSUPPORTED ? by_numpy(a, b, out)
                                                : refuse(status, a, b, out);
    }
    Py_XDECREF(keep[0]);
    Py_XDECREF(keep[1]);
    return made;
}

/* Arguments with names; -1 with an exception. */
static int parse_named(PyObject *const *args, Py_ssize_t count, PyObject *names, PyObject **out)
{
    static char *keywords[] = {"a", "b", "out", NULL};
    PyObject *given = PyTuple_New(count), *named = PyDict_New();
    for (Py_ssize_t i = 0; given != NULL && i < count; i++) {
        PyTuple_SET_ITEM(given, i, Py_NewRef(args[i]));
    }
    int status = given != NULL && named != NULL ? 0 : -1;
    for (Py_ssize_t i = 0; status == 0 && names != NULL && i < PyTuple_GET_SIZE(names); i++) {
        status = PyDict_SetItem(named, PyTuple_GET_ITEM(names, i), args[count + i]);
    }
    if (status == 0 && !PyArg_ParseTupleAndKeywords(given, named, "OO|O:dot", keywords, &out[0], &out[1], &out[2])) {
        status = -1;
    }
    Py_XDECREF(given); /* the caller has what is in them */
    Py_XDECREF(named);
    return status;
}

static PyObject *dot(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *operands[3] = {NULL, NULL, NULL};
    (void)module;
    if (names == NULL && count >= 2 && count <= 3) {
        for (Py_ssize_t i = 0; i < count; i++) {
            operands[i] = args[i];
        }
    } else if (parse_named(args, count, names, operands) < 0) {
        return NULL;
    }
    return cnx_dot(operands[0], operands[1], cnx_given(operands[2]) ? operands[2] : NULL);
}

static PyMethodDef functions[] = {
    {"dot", CNX_KEYWORDS(dot), METH_FASTCALL | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

int cnx_product_init(PyObject *module)
{
    functions[0].ml_doc = cnx_numpy_doc("dot");
    return PyModule_AddFunctions(module, functions);
}
