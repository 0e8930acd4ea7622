/*
 * ufunc_reduce.c - ufunc.reduce on cn_reduce, ufunc.accumulate on cn_accumulate, ufunc.reduceat on cn_reduce_segments.
 *
 * Arguments that are not covered (a dtype without native loops, a reduction that the core does not have) leave the
 * call to NumPy as it came.
 */
#include "ext.h"
#include "ufunc.h"

typedef struct reduce_call {
    PyObject *array, *indices, *axis, *dtype, *out, *keepdims, *initial, *where; /* borrowed; NULL: not given */
    cn_reduce_options options;
    int axes[CN_MAX_DIMS];
    cn_scalar initial_value;
    PyObject *keep[4];
    int nkeep;
} reduce_call;

static bool convert(reduce_call *r, PyObject *object, cn_array **out)
{
    cn_operand operand;
    PyObject *keep = NULL;
    int known = cnx_operand(object, &operand, &keep);
    if (keep != NULL) {
        r->keep[r->nkeep++] = keep;
    }
    if (known <= 0 || operand.array == NULL) {
        PyErr_Clear();
        return false;
    }
    *out = operand.array;
    return true;
}

static bool add_axis(reduce_call *r, PyObject *object, int ndim)
{
    if (PyBool_Check(object)) {
        return false;
    }
    Py_ssize_t axis = PyNumber_AsSsize_t(object, PyExc_IndexError);
    if (axis == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        return false;
    }
    axis = axis < 0 ? axis + ndim : axis;
    if (axis < 0 || axis >= ndim || r->options.naxes >= CN_MAX_DIMS) {
        return false;
    }
    for (int i = 0; i < r->options.naxes; i++) {
        if (r->axes[i] == axis) {
            return false;
        }
    }
    r->axes[r->options.naxes++] = (int)axis;
    return true;
}

/* The axes, counted from the front. False also for wrong ones: NumPy then raises. */
static bool read_axes(reduce_call *r, int ndim)
{
    r->options.axes = r->axes;
    if (r->axis == Py_None || (r->axis == NULL && ndim == 0)) {
        r->options.naxes = -1;
        return true;
    }
    if (r->axis == NULL) {
        r->axes[0] = 0;
        r->options.naxes = 1;
        return true;
    }
    if (!PyTuple_Check(r->axis)) {
        if (ndim == 0) {
            r->options.naxes = -1;
            return PyLong_Check(r->axis) && (PyLong_AsLong(r->axis) == 0 || PyLong_AsLong(r->axis) == -1);
        }
        return add_axis(r, r->axis, ndim);
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(r->axis); i++) {
        if (!add_axis(r, PyTuple_GET_ITEM(r->axis, i), ndim)) {
            return false;
        }
    }
    return true;
}

static bool read_out(reduce_call *r)
{
    if (r->out == NULL || r->out == Py_None) {
        r->out = NULL;
        return true;
    }
    if (PyTuple_Check(r->out)) {
        if (PyTuple_GET_SIZE(r->out) != 1) {
            return false;
        }
        r->out = PyTuple_GET_ITEM(r->out, 0);
        return read_out(r);
    }
    PyObject *keep = NULL;
    int known = cnx_output(r->out, &r->options.out, &keep);
    if (keep != NULL) {
        r->keep[r->nkeep++] = keep;
    }
    PyErr_Clear();
    return known == 1;
}

static bool read_initial(reduce_call *r)
{
    if (!cnx_given(r->initial)) { /* None counts where there is nothing to begin with */
        return true;
    }
    cn_operand operand;
    PyObject *keep = NULL;
    int known = cnx_operand(r->initial, &operand, &keep);
    if (keep != NULL) {
        r->keep[r->nkeep++] = keep;
    }
    if (known <= 0 || operand.array != NULL) {
        PyErr_Clear();
        return false;
    }
    r->initial_value = operand.scalar;
    r->options.initial = &r->initial_value;
    r->options.initial_weak = operand.weak;
    return true;
}

static bool read_options(reduce_call *r)
{
    if (r->dtype != NULL && r->dtype != Py_None) {
        r->options.dtype = cnx_dtype_of(r->dtype);
        PyErr_Clear();
        if (r->options.dtype == CN_DTYPE_NONE) {
            return false;
        }
    }
    if (r->keepdims != NULL && r->keepdims != cnx_no_value()) {
        int truth = PyObject_IsTrue(r->keepdims);
        if (truth < 0) {
            PyErr_Clear();
            return false;
        }
        r->options.keepdims = truth != 0;
    }
    if (r->where != NULL && r->where != Py_True && r->where != cnx_no_value()) {
        PyObject *keep = NULL;
        int known = cnx_mask(r->where, &r->options.where, &keep);
        if (keep != NULL) {
            r->keep[r->nkeep++] = keep;
        }
        if (known != 1) {
            PyErr_Clear();
            return false;
        }
    }
    return read_out(r) && read_initial(r);
}

static PyObject *give(const reduce_call *r, cn_array *result)
{
    if (r->out != NULL) {
        cn_array_unref(result);
        return Py_NewRef(r->out);
    }
    return cnx_result(result);
}

/* Can the core reduce with it, or fold in order? */
static bool folds(const cnx_ufunc *self)
{
    return self->op >= 0 && self->nin == 2 && self->nout == 1;
}

/* NULL, with NumPy's exception, or without one: NumPy must compute this call. */
static PyObject *refused(cnx_ufunc *self, cn_status status, const char *name, PyObject *args, PyObject *kwargs)
{
    if (status != CN_ERROR_UNSUPPORTED && status != CN_ERROR_NO_LOOP) {
        PyObject *method = PyObject_GetAttrString(self->numpy, name);
        if (method != NULL) {
            cnx_raise(status, method, args, kwargs);
            Py_DECREF(method);
        }
    }
    return NULL;
}

/* The result, or NULL without an exception: NumPy must compute this call. */
static PyObject *reduce(cnx_ufunc *self, reduce_call *r, PyObject *args, PyObject *kwargs)
{
    cn_array *in, *result;
    if (!folds(self) || !convert(r, r->array, &in) || !read_axes(r, cn_array_ndim(in)) || !read_options(r) ||
        (r->initial == Py_None && (cn_array_size(in) == 0 || r->options.where != NULL)) ||
        (r->options.where != NULL && cn_array_ndim(r->options.where) > cn_array_ndim(in))) {
        return NULL;
    }
    cnx_begin();
    cn_status status = cn_reduce(self->op, in, &r->options, &result);
    return status == CN_OK ? cnx_end(give(r, result)) : refused(self, status, "reduce", args, kwargs);
}

/* The axis of a scan: an int of the array's; anything else is NumPy's business. */
static bool read_scan_axis(const reduce_call *r, const cn_array *in, int *axis)
{
    *axis = 0;
    return cn_array_ndim(in) > 0 && (r->axis == NULL || cnx_parse_axis(r->axis, cn_array_ndim(in), axis) == 0);
}

/* The dtype that a scan with an output computes in holds both, unless one is given. */
static cn_dtype scan_dtype(const cnx_ufunc *self, const reduce_call *r, const cn_array *in)
{
    const char *type = cn_op_type(self->op, cn_op_ntypes(self->op) - 1);
    bool truths = type != NULL && type[strlen(type) - 1] == '?'; /* they come of any dtype */
    bool from_out = r->options.dtype == CN_DTYPE_NONE && r->options.out != NULL && !truths;
    return from_out ? cn_promote(cn_array_dtype(r->options.out), cn_array_dtype(in)) : r->options.dtype;
}

/* What a scan has made, or the output that takes it. NULL without an exception: NumPy says what is wrong with it. */
static PyObject *give_scan(const reduce_call *r, cn_array *result)
{
    cn_array *out = r->options.out;
    if (out == NULL) {
        return cnx_as_subclass(cnx_subclass_of(&r->array, 1), cnx_result(result));
    }
    size_t size = (size_t)cn_array_ndim(result) * sizeof(int64_t);
    bool fits =
        cn_array_ndim(out) == cn_array_ndim(result) && memcmp(cn_array_shape(out), cn_array_shape(result), size) == 0;
    cn_operand source = {.array = result};
    cn_status status = fits ? cn_copy(out, &source, CN_CAST_UNSAFE) : CN_ERROR_VALUE;
    cn_array_unref(result);
    return status == CN_OK ? Py_NewRef(r->out) : NULL;
}

static PyObject *accumulate(cnx_ufunc *self, reduce_call *r, PyObject *args, PyObject *kwargs)
{
    cn_array *in, *result;
    int axis;
    if (!folds(self) || !convert(r, r->array, &in) || !read_scan_axis(r, in, &axis) || !read_options(r)) {
        return NULL;
    }
    cnx_begin();
    cn_status status = cn_accumulate(self->op, in, axis, scan_dtype(self, r, in), &result);
    return status == CN_OK ? cnx_end(give_scan(r, result)) : refused(self, status, "accumulate", args, kwargs);
}

/* The indices as int64; false for what is none. */
static bool read_indices(reduce_call *r, cn_array **out)
{
    cn_array *given;
    if (!convert(r, r->indices, &given) || cn_array_ndim(given) != 1) {
        return false;
    }
    cn_dtype dtype = cn_array_dtype(given);
    bool empty_list = cn_array_size(given) == 0 && PyList_CheckExact(r->indices);
    if ((dtype < CN_INT8 || dtype > CN_INT64) && !empty_list) {
        return false;
    }
    if (dtype == CN_INT64) {
        *out = cn_array_ref(given);
        return true;
    }
    return cn_array_copy(given, CN_INT64, false, out) == CN_OK;
}

static PyObject *reduceat(cnx_ufunc *self, reduce_call *r, PyObject *args, PyObject *kwargs)
{
    cn_array *in, *indices, *result;
    int axis;
    if (!folds(self) || !convert(r, r->array, &in) || !read_scan_axis(r, in, &axis) || !read_options(r) ||
        !read_indices(r, &indices)) {
        return NULL;
    }
    cnx_begin();
    cn_status status = cn_reduce_segments(self->op, in, indices, axis, scan_dtype(self, r, in), &result);
    cn_array_unref(indices);
    return status == CN_OK ? cnx_end(give_scan(r, result)) : refused(self, status, "reduceat", args, kwargs);
}

/* Lets NumPy compute where there is neither a result nor an exception; ends the call. */
static PyObject *finish(cnx_ufunc *self, reduce_call *r, const char *method, PyObject *result, PyObject *args,
                        PyObject *kwargs)
{
    if (result == NULL && !PyErr_Occurred()) {
        result = cnx_ufunc_fallback(self, method, args, kwargs);
    }
    for (int i = 0; i < r->nkeep; i++) {
        Py_DECREF(r->keep[i]);
    }
    return result;
}

PyObject *cnx_ufunc_accumulate(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"array", "axis", "dtype", "out", NULL};
    cnx_ufunc *self = (cnx_ufunc *)object;
    reduce_call r = {.options = {.dtype = CN_DTYPE_NONE}};
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O|OOO", names, &r.array, &r.axis, &r.dtype, &r.out)) {
        result = accumulate(self, &r, args, kwargs);
    } else {
        PyErr_Clear();
    }
    return finish(self, &r, "accumulate", result, args, kwargs);
}

PyObject *cnx_ufunc_reduceat(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"array", "indices", "axis", "dtype", "out", NULL};
    cnx_ufunc *self = (cnx_ufunc *)object;
    reduce_call r = {.options = {.dtype = CN_DTYPE_NONE}};
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "OO|OOO", names, &r.array, &r.indices, &r.axis, &r.dtype, &r.out)) {
        result = reduceat(self, &r, args, kwargs);
    } else {
        PyErr_Clear();
    }
    return finish(self, &r, "reduceat", result, args, kwargs);
}

PyObject *cnx_ufunc_reduce(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"array", "axis", "dtype", "out", "keepdims", "initial", "where", NULL};
    cnx_ufunc *self = (cnx_ufunc *)object;
    reduce_call r = {.options = {.dtype = CN_DTYPE_NONE}};
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O|OOOOOO", names, &r.array, &r.axis, &r.dtype, &r.out, &r.keepdims,
                                    &r.initial, &r.where)) {
        result = reduce(self, &r, args, kwargs);
    } else {
        PyErr_Clear();
    }
    return finish(self, &r, "reduce", result, args, kwargs);
}
