/*
 * ufunc.c - calls of ufunc objects.
 *
 * The fast path is an all-positional call on arrays of ours and Python numbers: operands are read on the C stack and
 * recorded at once. Keywords are parsed into the same form. Whatever is not covered is handed, unchanged, to NumPy
 * (_fallback.call_ufunc); calls without any array are NumPy's from the start, which is faster and exact.
 */
#include "ext.h"
#include "ufunc.h"

enum { MAX_ARGUMENTS = CN_MAX_OPERANDS };

typedef enum operand_kind { OPERAND_ERROR = -1, OPERAND_NUMBER, OPERAND_ARRAY, OPERAND_FOREIGN } operand_kind;

/* A call in the form of cn_elementwise. */
typedef struct call {
    cn_operand in[MAX_ARGUMENTS];
    PyObject *keep[2 * MAX_ARGUMENTS]; /* owners of arrays converted for this call */
    int nkeep;
    int narrays; /* arrays of ours or NumPy's among inputs and outputs */
    cn_array *out[MAX_ARGUMENTS];
    PyObject *out_objects[MAX_ARGUMENTS]; /* borrowed */
    bool has_out, positional_out;
    bool plain; /* no subclass among the inputs */
    cn_elementwise_options options;
    bool has_options;
} call;

static void call_release(call *c)
{
    for (int i = 0; i < c->nkeep; i++) {
        Py_DECREF(c->keep[i]);
    }
    c->nkeep = 0;
}

/* ---- Fallbacks ---------------------------------------------------------------------------------------- */

PyObject *cnx_ufunc_fallback(cnx_ufunc *self, const char *method, PyObject *args, PyObject *kwargs)
{
    PyObject *function = cnx_fallback("call_ufunc"), *result = NULL;
    PyObject *empty = kwargs == NULL ? PyDict_New() : Py_NewRef(kwargs);
    if (function != NULL && empty != NULL) {
        result = PyObject_CallFunction(function, "OsOO", (PyObject *)self, method, args, empty);
    }
    Py_XDECREF(function);
    Py_XDECREF(empty);
    return result;
}

PyObject *cnx_ufunc_fallback_vector(cnx_ufunc *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *tuple = PyTuple_New(nargs), *kwargs = NULL, *result = NULL;
    if (tuple == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < nargs; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    }
    if (kwnames != NULL) {
        kwargs = PyDict_New();
        if (kwargs == NULL) {
            goto done;
        }
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kwnames); i++) {
            if (PyDict_SetItem(kwargs, PyTuple_GET_ITEM(kwnames, i), args[nargs + i]) < 0) {
                goto done;
            }
        }
    }
    result = cnx_ufunc_fallback(self, "__call__", tuple, kwargs);
done:
    Py_XDECREF(kwargs);
    Py_DECREF(tuple);
    return result;
}

/* ---- Reading arguments -------------------------------------------------------------------------------- */

static operand_kind read_input(call *c, PyObject *object, cn_operand *in)
{
    if (Py_IS_TYPE(object, &cnx_array_type)) {
        *in = (cn_operand){.array = ((cnx_array *)object)->array};
        c->narrays++;
        return OPERAND_ARRAY;
    }
    PyObject *keep = NULL;
    int known = cnx_ufunc_operand(object, in, &keep);
    if (keep != NULL) {
        c->keep[c->nkeep++] = keep;
    }
    if (known < 0) {
        return OPERAND_ERROR;
    }
    if (known == 0) {
        return OPERAND_FOREIGN;
    }
    if (in->array == NULL) {
        return OPERAND_NUMBER;
    }
    c->narrays++;
    return OPERAND_ARRAY;
}

/* out=: None, or an array of ours or NumPy's. False: NumPy must see to it. */
static bool read_out(call *c, PyObject *object, int i)
{
    if (object == Py_None) {
        return true;
    }
    PyObject *keep = NULL;
    int known = cnx_overrides(object) ? 0 : cnx_output(object, &c->out[i], &keep);
    if (keep != NULL) {
        c->keep[c->nkeep++] = keep;
    }
    if (known != 1) {
        PyErr_Clear();
        c->out[i] = NULL;
        return false;
    }
    c->out_objects[i] = object;
    c->has_out = true;
    c->narrays++;
    return true;
}

static bool read_out_keyword(const cnx_ufunc *self, call *c, PyObject *object)
{
    if (!PyTuple_Check(object)) {
        return self->nout == 1 && read_out(c, object, 0);
    }
    if (PyTuple_GET_SIZE(object) != self->nout) {
        return false;
    }
    for (int i = 0; i < self->nout; i++) {
        if (!read_out(c, PyTuple_GET_ITEM(object, i), i)) {
            return false;
        }
    }
    return true;
}

static bool read_where(call *c, PyObject *object)
{
    if (object == Py_True) {
        return true;
    }
    PyObject *keep = NULL;
    int known = PyList_Check(object) || PyTuple_Check(object) ? 0 : cnx_mask(object, &c->options.where, &keep);
    if (keep != NULL) {
        c->keep[c->nkeep++] = keep;
    }
    PyErr_Clear();
    return known == 1;
}

static bool read_casting(call *c, PyObject *object)
{
    static const char *const names[] = {[CN_CAST_NO] = "no",
                                        [CN_CAST_EQUIV] = "equiv",
                                        [CN_CAST_SAFE] = "safe",
                                        [CN_CAST_SAME_KIND] = "same_kind",
                                        [CN_CAST_UNSAFE] = "unsafe"};
    if (!PyUnicode_Check(object)) {
        return false;
    }
    for (int i = 0; i <= CN_CAST_UNSAFE; i++) {
        if (PyUnicode_CompareWithASCIIString(object, names[i]) == 0) {
            c->options.casting = (cn_casting)i;
            return true;
        }
    }
    return false;
}

/* 'A' is 'F' if all inputs are Fortran's and not C's, as far as they are arrays. */
static bool read_order(const cnx_ufunc *self, call *c, PyObject *object)
{
    char order;
    if (!PyUnicode_Check(object) || cnx_parse_order(object, 'K', &order) < 0) {
        return false;
    }
    if (order == 'A') {
        order = 'F';
        for (int i = 0; i < self->nin; i++) {
            const cn_array *a = c->in[i].array;
            order = a != NULL && cn_array_ndim(a) > 1 && !cn_array_f_contiguous(a) ? 'C' : order;
        }
    }
    c->options.order = order == 'K' ? 0 : order;
    return true;
}

/* Do the inputs, or the outputs, of a loop differ in dtype? Then dtype= does not say which loop is meant. */
static bool mixes(const cnx_ufunc *self)
{
    const char *type = cn_op_type(self->op, 0);
    return type != NULL &&
           ((self->nin == 2 && type[0] != type[1]) || (self->nout == 2 && type[self->nin + 2] != type[self->nin + 3]));
}

static bool read_dtype(const cnx_ufunc *self, call *c, PyObject *object)
{
    if (object == Py_None) {
        return true;
    }
    if (mixes(self)) {
        return false;
    }
    c->options.dtype = cnx_dtype_of(object);
    PyErr_Clear();
    return c->options.dtype != CN_DTYPE_NONE;
}

/* False: this keyword, or its value, is NumPy's business. */
static bool read_keyword(const cnx_ufunc *self, call *c, PyObject *name, PyObject *value)
{
    if (PyUnicode_CompareWithASCIIString(name, "out") == 0) {
        return !c->positional_out && read_out_keyword(self, c, value); /* both ways at once: NumPy raises */
    }
    c->has_options = true;
    if (PyUnicode_CompareWithASCIIString(name, "where") == 0) {
        return read_where(c, value);
    }
    if (PyUnicode_CompareWithASCIIString(name, "dtype") == 0) {
        return read_dtype(self, c, value);
    }
    if (PyUnicode_CompareWithASCIIString(name, "casting") == 0) {
        return read_casting(c, value);
    }
    if (PyUnicode_CompareWithASCIIString(name, "subok") == 0) {
        return value == Py_True || (PyBool_Check(value) && c->plain);
    }
    if (PyUnicode_CompareWithASCIIString(name, "order") == 0) {
        return read_order(self, c, value);
    }
    return false;
}

/* ---- Calling ------------------------------------------------------------------------------------------ */

/* Results as NumPy gives them: out's own objects, scalars for 0-d, a tuple if there are several. */
static PyObject *give_results(const cnx_ufunc *self, const call *c, PyObject *const *args, cn_array **results)
{
    PyObject *operand = cnx_subclass_of(args, self->nin);
    PyObject *objects[MAX_ARGUMENTS] = {NULL};
    bool failed = false;
    for (int i = 0; i < self->nout; i++) {
        if (c->out_objects[i] != NULL) {
            cn_array_unref(results[i]);
            objects[i] = Py_NewRef(c->out_objects[i]);
        } else {
            objects[i] = operand != NULL ? cnx_like(operand, results[i]) : cnx_result(results[i]);
        }
        failed = failed || objects[i] == NULL;
    }
    if (self->nout == 1) {
        return objects[0];
    }
    PyObject *tuple = failed ? NULL : PyTuple_New(self->nout);
    for (int i = 0; i < self->nout; i++) {
        if (tuple != NULL) {
            PyTuple_SET_ITEM(tuple, i, objects[i]);
        } else {
            Py_XDECREF(objects[i]);
        }
    }
    return tuple;
}

static PyObject *replay_error(cnx_ufunc *self, cn_status status, PyObject *const *args, Py_ssize_t nargs,
                              PyObject *kwnames)
{
    PyObject *tuple = PyTuple_New(nargs), *kwargs = PyDict_New();
    if (tuple != NULL && kwargs != NULL) {
        for (Py_ssize_t i = 0; i < nargs; i++) {
            PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
        }
        for (Py_ssize_t i = 0; kwnames != NULL && i < PyTuple_GET_SIZE(kwnames); i++) {
            (void)PyDict_SetItem(kwargs, PyTuple_GET_ITEM(kwnames, i), args[nargs + i]);
        }
        cnx_raise(status, self->numpy, tuple, kwargs);
    }
    Py_XDECREF(tuple);
    Py_XDECREF(kwargs);
    return NULL;
}

static PyObject *record(cnx_ufunc *self, call *c, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    cn_array *results[MAX_ARGUMENTS];
    cnx_begin();
    cn_status status = self->op == cnx_power_op() ? cnx_power_check(c->in) : CN_OK;
    status = status != CN_OK ? status
                             : cn_elementwise(self->op, c->in, c->has_out ? c->out : NULL,
                                              c->has_options ? &c->options : NULL, results);
    if (status == CN_OK) {
        PyObject *given = give_results(self, c, args, results);
        return cnx_end(given);
    }
    if (status == CN_ERROR_UNSUPPORTED || status == CN_ERROR_OVERFLOW) { /* ints out of range can be compared */
        return cnx_ufunc_fallback_vector(self, args, nargs, kwnames);
    }
    return replay_error(self, status, args, nargs, kwnames);
}

/* Calls without arrays: NumPy's own result; what it makes of lists becomes an array of ours. */
static PyObject *call_numpy(cnx_ufunc *self, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *result = PyObject_Vectorcall(self->numpy, args, nargsf, kwnames);
    if (result == NULL || !PyArray_CheckExact(result) || kwnames != NULL) {
        return result;
    }
    PyObject *ours = cnx_from_numpy(result);
    Py_DECREF(result);
    return ours;
}

static PyObject *call_composed(cnx_ufunc *self, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (self->compose == NULL) {
        return cnx_ufunc_fallback_vector(self, args, nargs, kwnames);
    }
    return PyObject_Vectorcall(self->compose, args, nargsf, kwnames);
}

static cn_status multiply_matrices(const call *c, cn_array **result)
{
    cn_array *parts[2] = {NULL, NULL};
    cn_dtype dtype = cn_promote(cn_array_dtype(c->in[0].array), cn_array_dtype(c->in[1].array));
    cn_status status = CN_OK;
    for (int i = 0; i < 2 && status == CN_OK; i++) {
        if (cn_array_dtype(c->in[i].array) == dtype) {
            parts[i] = cn_array_ref(c->in[i].array);
        } else {
            status = cn_array_copy(c->in[i].array, dtype, true, &parts[i]);
        }
    }
    if (status == CN_OK && c->out[0] != NULL && cn_array_dtype(c->out[0]) != dtype) {
        status = CN_ERROR_UNSUPPORTED;
    }
    if (status == CN_OK) {
        status = cn_matmul(parts[0], parts[1], c->out[0], result);
    }
    cn_array_unref(parts[0]);
    cn_array_unref(parts[1]);
    return status;
}

/* matmul(a, b, out=None): two arrays; everything else is NumPy's. */
PyObject *cnx_ufunc_call_matmul(PyObject *object, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    cnx_ufunc *self = (cnx_ufunc *)object;
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    call c = {.positional_out = nargs > 2};
    bool covered = nargs == 2 || nargs == 3;
    for (int i = 0; covered && i < 2; i++) {
        covered = read_input(&c, args[i], &c.in[i]) == OPERAND_ARRAY;
    }
    if (covered && nargs == 3) {
        covered = read_out(&c, args[2], 0);
    }
    for (Py_ssize_t i = 0; covered && kwnames != NULL && i < PyTuple_GET_SIZE(kwnames); i++) {
        covered = read_keyword(self, &c, PyTuple_GET_ITEM(kwnames, i), args[nargs + i]) && !c.has_options;
    }
    PyErr_Clear();
    PyObject *given;
    cn_array *result;
    cn_status status = CN_ERROR_UNSUPPORTED;
    if (covered) {
        cnx_begin();
        status = multiply_matrices(&c, &result);
    }
    if (status == CN_OK) {
        given = cnx_end(give_results(self, &c, args, &result));
    } else if (status == CN_ERROR_UNSUPPORTED) {
        given = cnx_ufunc_fallback_vector(self, args, nargs, kwnames);
    } else {
        given = replay_error(self, status, args, nargs, kwnames);
    }
    call_release(&c);
    return given;
}

PyObject *cnx_ufunc_call(PyObject *object, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    cnx_ufunc *self = (cnx_ufunc *)object;
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (self->op < 0) {
        return call_composed(self, args, nargsf, kwnames);
    }
    if (nargs < self->nin || nargs > self->nin + self->nout) {
        return call_numpy(self, args, nargsf, kwnames); /* it raises */
    }
    call c;
    c.nkeep = c.narrays = 0;
    c.has_out = c.has_options = false;
    c.positional_out = nargs > self->nin;
    c.options = (cn_elementwise_options){.dtype = CN_DTYPE_NONE, .casting = CN_CAST_SAME_KIND};
    bool covered = true;
    c.plain = cnx_subclass_of(args, self->nin) == NULL;
    for (int i = 0; i < self->nin; i++) {
        operand_kind kind = read_input(&c, args[i], &c.in[i]);
        if (kind == OPERAND_ERROR) {
            PyErr_Clear();
        }
        covered = covered && kind >= 0 && kind != OPERAND_FOREIGN;
    }
    for (int i = 0; i < self->nout; i++) {
        c.out[i] = NULL;
        c.out_objects[i] = NULL;
    }
    for (Py_ssize_t i = self->nin; covered && i < nargs; i++) {
        covered = read_out(&c, args[i], (int)(i - self->nin));
    }
    for (Py_ssize_t i = 0; covered && kwnames != NULL && i < PyTuple_GET_SIZE(kwnames); i++) {
        covered = read_keyword(self, &c, PyTuple_GET_ITEM(kwnames, i), args[nargs + i]);
    }
    PyObject *result;
    if (!covered) {
        result = cnx_ufunc_fallback_vector(self, args, nargs, kwnames);
    } else if (c.narrays == 0) {
        result = call_numpy(self, args, nargsf, kwnames);
    } else {
        result = record(self, &c, args, nargs, kwnames);
    }
    call_release(&c);
    return result;
}
