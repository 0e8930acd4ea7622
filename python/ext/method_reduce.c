/*
 * method_reduce.c - sum, prod, min, max, any, all, mean, var, std, argmin, argmax, cumsum, cumprod.
 *
 * mean, var and std are composed as numpy composes them, step by step, so that they have its bits; var and std of more
 * elements than are summed in NumPy's order go another way (long_variance.c). Everything stays recorded until a scalar is
 * asked for. Arguments that are not covered leave the call to NumPy as it came.
 */
#include "ext.h"

enum { MOST_KEPT = 4, IN_ORDER_MOST = 8192 /* elements that are summed in NumPy's order */ };

typedef struct reduction {
    PyObject *self;
    PyObject *axis, *dtype, *out, *keepdims, *initial, *where, *ddof; /* borrowed; NULL: not given */
    cn_reduce_options options;
    int axes[CN_MAX_DIMS];
    cn_scalar initial_value;
    bool place; /* the result is an index: a scalar for subclasses, too */
    PyObject *keep[MOST_KEPT];
    int nkeep;
} reduction;

static void release(reduction *r)
{
    for (int i = 0; i < r->nkeep; i++) {
        Py_XDECREF(r->keep[i]);
    }
}

/* ---- Arguments ----------------------------------------------------------------------------------------- */

static bool read_array(reduction *r, PyObject *object, bool output, cn_array **out)
{
    cn_operand operand = {.array = NULL};
    PyObject *keep = NULL;
    int known = output ? cnx_output(object, &operand.array, &keep) : cnx_operand(object, &operand, &keep);
    r->keep[r->nkeep++] = keep;
    *out = operand.array;
    return known == 1 && operand.array != NULL;
}

static bool read_initial(reduction *r)
{
    cn_operand operand;
    PyObject *keep = NULL;
    if (!cnx_given(r->initial)) {
        return r->initial != Py_None || cn_array_size(cnx_get(r->self)) > 0;
    }
    int known = cnx_operand(r->initial, &operand, &keep);
    r->keep[r->nkeep++] = keep;
    if (known != 1 || operand.array != NULL) {
        return false;
    }
    r->initial_value = operand.scalar;
    r->options.initial = &r->initial_value;
    r->options.initial_weak = operand.weak;
    return true;
}

static bool read_where(reduction *r)
{
    if (r->where == NULL || r->where == Py_True || r->where == cnx_no_value()) {
        return true;
    }
    PyObject *keep = NULL;
    int known = cnx_mask(r->where, &r->options.where, &keep);
    r->keep[r->nkeep++] = keep;
    return known == 1 && cn_array_ndim(r->options.where) <= cn_array_ndim(cnx_get(r->self)) && r->initial != Py_None;
}

static bool read_truth(PyObject *object, bool *out)
{
    *out = false;
    if (object == NULL || object == cnx_no_value()) {
        return true;
    }
    int truth = PyObject_IsTrue(object);
    *out = truth > 0;
    return truth >= 0;
}

/* False, without an exception: NumPy's business, errors included. */
static bool read_options(reduction *r)
{
    r->options.axes = r->axes;
    r->options.dtype = CN_DTYPE_NONE;
    bool good = cnx_parse_axes(r->axis == cnx_no_value() ? NULL : r->axis, cn_array_ndim(cnx_get(r->self)),
                               &r->options.naxes, r->axes) &&
                read_truth(r->keepdims, &r->options.keepdims) && !cnx_overrides(r->self);
    if (good && cnx_given(r->dtype)) {
        r->options.dtype = cnx_dtype_of(r->dtype);
        good = r->options.dtype != CN_DTYPE_NONE;
    }
    good = good && (!cnx_given(r->out) || read_array(r, r->out, true, &r->options.out)) && read_initial(r) &&
           read_where(r);
    PyErr_Clear();
    return good;
}

static PyObject *give(const reduction *r, cn_array *result)
{
    if (r->options.out != NULL) {
        cn_array_unref(result);
        return cnx_end(Py_NewRef(r->out));
    }
    if (cn_array_ndim(result) == 0 && cnx_is_temporary(r->self)) {
        cn_array_fade(cnx_get(r->self));
    }
    bool subclass = !cnx_array_check_exact(r->self) && (cn_array_ndim(result) > 0 || !r->place);
    return cnx_end(subclass ? cnx_like(r->self, result) : cnx_result(result));
}

static PyObject *finish(reduction *r, cn_status status, cn_array *result, const char *name, PyObject *args,
                        PyObject *kwargs)
{
    PyObject *made;
    if (status == CN_OK) {
        made = give(r, result);
    } else if (status == CN_ERROR_UNSUPPORTED || status == CN_ERROR_NO_LOOP) {
        made = cnx_call_method(r->self, name, args, kwargs);
    } else {
        made = cnx_raise_method(status, name, r->self, args, kwargs);
    }
    release(r);
    return made;
}

static PyObject *by_numpy(reduction *r, const char *name, PyObject *args, PyObject *kwargs)
{
    PyErr_Clear();
    release(r);
    return cnx_call_method(r->self, name, args, kwargs);
}

/* ---- One ufunc ------------------------------------------------------------------------------------------ */

typedef struct simple {
    const char *name; /* of the method */
    const char *ufunc;
    bool has_dtype; /* among the arguments, between axis and out */
    cn_op op;
} simple;

static simple simples[] = {{"sum", "add", true, -1},         {"prod", "multiply", true, -1},
                           {"min", "minimum", false, -1},    {"max", "maximum", false, -1},
                           {"any", "logical_or", false, -1}, {"all", "logical_and", false, -1}};
enum { SUM, PROD, MIN, MAX, ANY, ALL, SIMPLES };

static cn_op op_of(int which)
{
    if (simples[which].op < 0) {
        simples[which].op = cn_op_find(simples[which].ufunc);
    }
    return simples[which].op;
}

static PyObject *reduce_simple(int which, PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *with_dtype[] = {"axis", "dtype", "out", "keepdims", "initial", "where", NULL};
    static char *extremes[] = {"axis", "out", "keepdims", "initial", "where", NULL};
    static char *truths[] = {"axis", "out", "keepdims", "where", NULL};
    reduction r = {.self = self};
    const simple *s = &simples[which];
    bool parsed;
    if (s->has_dtype) {
        parsed = PyArg_ParseTupleAndKeywords(args, kwargs, "|OOOOOO", with_dtype, &r.axis, &r.dtype, &r.out,
                                             &r.keepdims, &r.initial, &r.where);
    } else if (which == ANY || which == ALL) {
        parsed = PyArg_ParseTupleAndKeywords(args, kwargs, "|OOO$O", truths, &r.axis, &r.out, &r.keepdims, &r.where);
    } else {
        parsed = PyArg_ParseTupleAndKeywords(args, kwargs, "|OOOOO", extremes, &r.axis, &r.out, &r.keepdims, &r.initial,
                                             &r.where);
    }
    if (!parsed || !read_options(&r)) {
        return by_numpy(&r, s->name, args, kwargs);
    }
    cn_array *result = NULL;
    cnx_begin();
    cn_status status = cn_reduce(op_of(which), cnx_get(self), &r.options, &result);
    return finish(&r, status, result, s->name, args, kwargs);
}

#define SIMPLE(name, which)                                                                                            \
    static PyObject *method_##name(PyObject *self, PyObject *args, PyObject *kwargs)                                   \
    {                                                                                                                  \
        return reduce_simple(which, self, args, kwargs);                                                               \
    }

SIMPLE(sum, SUM)
SIMPLE(prod, PROD)
SIMPLE(min, MIN)
SIMPLE(max, MAX)
SIMPLE(any, ANY)
SIMPLE(all, ALL)

/* ---- Mean and variance ---------------------------------------------------------------------------------- */

static bool is_exact(cn_dtype dtype)
{
    return dtype < CN_FLOAT16;
}

static int64_t count_reduced(const reduction *r)
{
    const int64_t *shape = cn_array_shape(cnx_get(r->self));
    int64_t count = 1;
    for (int i = 0; i < r->options.naxes; i++) {
        count *= shape[r->axes[i]];
    }
    return r->options.naxes < 0 ? cn_array_size(cnx_get(r->self)) : count;
}

static cn_status call(const char *name, const cn_operand *in, cn_array *out, cn_array **result)
{
    static const cn_elementwise_options unsafe = {.dtype = CN_DTYPE_NONE, .casting = CN_CAST_UNSAFE};
    return cn_elementwise(cn_op_find(name), in, out != NULL ? &out : NULL, &unsafe, result);
}

/* What mean and its like leave to the package: axes of a number, a mask, nothing to count, an out of another shape. */
static bool counts(const reduction *r)
{
    int ndim = cn_array_ndim(cnx_get(r->self));
    int kept = r->options.naxes < 0 ? 0 : ndim - r->options.naxes;
    bool fits = r->options.out == NULL || cn_array_ndim(r->options.out) == (r->options.keepdims ? ndim : kept);
    return r->options.where == NULL && count_reduced(r) > 0 && fits && (ndim > 0 || !cnx_given(r->axis));
}

/* The dtype in which an array is added up: the one given, or one for both it and the output. */
static cn_dtype working_dtype(const reduction *r, const cn_array *array)
{
    cn_dtype have = cn_array_dtype(array);
    bool from_out = r->options.dtype == CN_DTYPE_NONE && r->options.out != NULL && !is_exact(have);
    return from_out ? cn_promote(have, cn_array_dtype(r->options.out)) : r->options.dtype;
}

/* array /= count, as numpy: in the dtype that the division has, cast back. */
static cn_status divide_by(cn_array *array, int64_t count)
{
    cn_operand in[2] = {{.array = array}, {.scalar = {.value.i64 = count, .dtype = CN_INT64}}};
    cn_array *same;
    cn_status status = call("divide", in, array, &same);
    if (status == CN_OK) {
        cn_array_unref(same);
    }
    return status;
}

/* A new array, also where out is given: what is in out stays if a later step fails. */
static cn_status sum(const reduction *r, cn_array *array, cn_dtype dtype, bool keepdims, cn_array **out)
{
    cn_reduce_options options = r->options;
    options.dtype = dtype;
    options.keepdims = keepdims;
    options.out = NULL;
    return cn_reduce(op_of(SUM), array, &options, out);
}

static cn_status mean(const reduction *r, cn_dtype dtype, bool keepdims, cn_array **out)
{
    cn_array *total;
    cn_status status = sum(r, cnx_get(r->self), dtype, keepdims, &total);
    if (status == CN_OK) {
        status = divide_by(total, count_reduced(r));
        if (status == CN_OK) {
            *out = total;
        } else {
            cn_array_unref(total);
        }
    }
    return status;
}

/* The result where it was asked for, or of the dtype that it has. made is taken. */
static cn_status deliver(const reduction *r, cn_array *made, cn_dtype dtype, cn_array **out)
{
    cn_status status = CN_OK;
    if (r->options.out != NULL) {
        cn_operand source = {.array = made};
        status = cn_copy(r->options.out, &source, CN_CAST_UNSAFE);
        *out = status == CN_OK ? cn_array_ref(r->options.out) : NULL;
    } else if (dtype != CN_DTYPE_NONE && dtype != cn_array_dtype(made)) {
        status = cn_array_copy(made, dtype, true, out);
    } else {
        *out = made;
        return CN_OK;
    }
    cn_array_unref(made);
    return status;
}

static PyObject *method_mean(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"axis", "dtype", "out", "keepdims", "where", NULL};
    reduction r = {.self = self};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOOO$O", names, &r.axis, &r.dtype, &r.out, &r.keepdims,
                                     &r.where) ||
        !read_options(&r) || !counts(&r)) {
        return by_numpy(&r, "mean", args, kwargs);
    }
    cn_dtype have = cn_array_dtype(cnx_get(self)), dtype = working_dtype(&r, cnx_get(self)), back = CN_DTYPE_NONE;
    if (dtype == CN_DTYPE_NONE && is_exact(have)) {
        dtype = CN_FLOAT64;
    } else if (dtype == CN_DTYPE_NONE && have == CN_FLOAT16) {
        dtype = CN_FLOAT32;
        back = CN_FLOAT16;
    }
    cn_array *made = NULL, *result = NULL;
    cnx_begin();
    cn_status status = mean(&r, dtype, r.options.keepdims, &made);
    if (status == CN_OK) {
        status = deliver(&r, made, back, &result);
    }
    return finish(&r, status, result, "mean", args, kwargs);
}

static cn_status part(cn_array *array, int64_t at, cn_dtype dtype, cn_array **out)
{
    return cn_array_view(array, dtype, cn_array_offset(array) + at, cn_array_ndim(array), cn_array_shape(array),
                         cn_array_strides(array), true, out);
}

/* |x|**2 of complex numbers, into a new real array; x is overwritten. */
static cn_status square_complex(cn_array *x, cn_array **out)
{
    cn_dtype dtype = cn_array_dtype(x) == CN_COMPLEX64 ? CN_FLOAT32 : CN_FLOAT64;
    cn_array *parts[2] = {NULL, NULL};
    cn_status status = part(x, 0, dtype, &parts[0]);
    if (status == CN_OK) {
        status = part(x, (int64_t)cn_dtype_size(dtype), dtype, &parts[1]);
    }
    for (int i = 0; i < 2 && status == CN_OK; i++) {
        cn_operand in = {.array = parts[i]};
        cn_array *same;
        status = call("square", &in, parts[i], &same);
        if (status == CN_OK) {
            cn_array_unref(same);
        }
    }
    if (status == CN_OK) {
        cn_operand in[2] = {{.array = parts[0]}, {.array = parts[1]}};
        status = call("add", in, NULL, out);
    }
    cn_array_unref(parts[0]);
    cn_array_unref(parts[1]);
    return status;
}

/* (a - mean)**2, a new array. */
static cn_status squared_deviations(const reduction *r, cn_dtype dtype, cn_array **out)
{
    cn_array *center, *away;
    cn_status status = mean(r, dtype, true, &center);
    if (status != CN_OK) {
        return status;
    }
    cn_operand in[2] = {{.array = cnx_get(r->self)}, {.array = center}};
    status = call("subtract", in, NULL, &away);
    cn_array_unref(center);
    if (status != CN_OK) {
        return status;
    }
    if (cn_array_dtype(away) >= CN_COMPLEX64) {
        status = square_complex(away, out);
        cn_array_unref(away);
        return status;
    }
    cn_operand operand = {.array = away};
    status = call("square", &operand, away, out);
    cn_array_unref(away);
    return status;
}

/* The one axis along which there are more elements than are added in NumPy's order; else CN_MAX_DIMS. */
static int long_axis(const reduction *r, cn_dtype dtype)
{
    const cn_array *array = cnx_get(r->self);
    cn_dtype have = cn_array_dtype(array);
    int ndim = cn_array_ndim(array), axis = r->options.naxes == 1 ? r->axes[0] : ndim == 1 ? 0 : CN_MAX_DIMS;
    bool floating = dtype == CN_FLOAT32 || dtype == CN_FLOAT64, widens = cn_promote(have, dtype) == dtype;
    bool other = r->options.out != NULL && cn_array_dtype(r->options.out) != dtype;
    return floating && widens && !other && axis < ndim && ndim < CN_MAX_DIMS &&
                   cn_array_shape(array)[axis] > IN_ORDER_MOST
               ? axis
               : CN_MAX_DIMS;
}

static cn_status summed_deviations(const reduction *r, cn_dtype dtype, cn_array **out)
{
    cn_array *squares;
    cn_dtype work = dtype != CN_DTYPE_NONE ? dtype : cn_array_dtype(cnx_get(r->self));
    int axis = long_axis(r, work);
    if (axis < CN_MAX_DIMS) {
        return cnx_long_deviations(cnx_get(r->self), axis, work, r->options.keepdims, out);
    }
    cn_status status = squared_deviations(r, dtype, &squares);
    if (status != CN_OK) {
        return status;
    }
    status = sum(r, squares, dtype != CN_DTYPE_NONE ? dtype : working_dtype(r, squares), r->options.keepdims, out);
    cn_array_unref(squares);
    return status;
}

static cn_status variance(const reduction *r, cn_dtype dtype, int64_t freedom, bool root, cn_array **out)
{
    cn_array *made;
    cn_status status = summed_deviations(r, dtype, &made);
    if (status != CN_OK) {
        return status;
    }
    status = divide_by(made, freedom);
    if (status == CN_OK && root) {
        cn_operand operand = {.array = made};
        cn_array *same;
        status = call("sqrt", &operand, made, &same);
        if (status == CN_OK) {
            cn_array_unref(same);
        }
    }
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    return deliver(r, made, CN_DTYPE_NONE, out);
}

static PyObject *reduce_variance(bool root, PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"axis", "dtype", "out", "ddof", "keepdims", "where", "mean", "correction", NULL};
    const char *name = root ? "std" : "var";
    reduction r = {.self = self};
    PyObject *given_mean = NULL, *correction = NULL;
    bool good = PyArg_ParseTupleAndKeywords(args, kwargs, "|OOOOO$OOO", names, &r.axis, &r.dtype, &r.out, &r.ddof,
                                            &r.keepdims, &r.where, &given_mean, &correction) &&
                read_options(&r) && counts(&r) && !cnx_given(given_mean) && !cnx_given(correction) &&
                (r.ddof == NULL || r.ddof == cnx_no_value() || PyLong_CheckExact(r.ddof));
    int overflow = 0;
    int64_t ddof =
        good && r.ddof != NULL && r.ddof != cnx_no_value() ? PyLong_AsLongLongAndOverflow(r.ddof, &overflow) : 0;
    cn_dtype have = cn_array_dtype(cnx_get(self)), dtype = r.options.dtype;
    bool complex_dtype = have >= CN_COMPLEX64 && dtype != CN_DTYPE_NONE;
    if (!good || overflow != 0 || complex_dtype || count_reduced(&r) <= ddof || ddof < 0) {
        return by_numpy(&r, name, args, kwargs);
    }
    if (dtype == CN_DTYPE_NONE && is_exact(have)) {
        dtype = CN_FLOAT64;
    }
    cn_array *result = NULL;
    cnx_begin();
    cn_status status = variance(&r, dtype, count_reduced(&r) - ddof, root, &result);
    return finish(&r, status, result, name, args, kwargs);
}

static PyObject *method_var(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return reduce_variance(false, self, args, kwargs);
}

static PyObject *method_std(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return reduce_variance(true, self, args, kwargs);
}

/* ---- Places of extremes ---------------------------------------------------------------------------------- */

static PyObject *reduce_place(bool maximum, PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"axis", "out", "keepdims", NULL};
    const char *name = maximum ? "argmax" : "argmin";
    reduction r = {.self = self, .place = true};
    int axis = -1;
    bool good = PyArg_ParseTupleAndKeywords(args, kwargs, "|OO$O", names, &r.axis, &r.out, &r.keepdims) &&
                !cnx_overrides(self) && !cnx_given(r.out) && read_truth(r.keepdims, &r.options.keepdims) &&
                (!cnx_given(r.axis) || cnx_parse_axis(r.axis, cn_array_ndim(cnx_get(self)), &axis) == 0);
    if (!good) {
        return by_numpy(&r, name, args, kwargs);
    }
    cn_array *result = NULL;
    cnx_begin();
    cn_status status = cn_arg_reduce(maximum, cnx_get(self), axis, r.options.keepdims, &result);
    return finish(&r, status, result, name, args, kwargs);
}

static PyObject *method_argmin(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return reduce_place(false, self, args, kwargs);
}

static PyObject *method_argmax(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return reduce_place(true, self, args, kwargs);
}

/* ---- Running sums and products ---------------------------------------------------------------------------- */

static cn_status accumulate(const reduction *r, int which, cn_array **out)
{
    cn_array *array = cnx_get(r->self), *flat = NULL;
    int64_t size = cn_array_size(array);
    cn_status status = CN_OK;
    if (r->options.naxes < 0) {
        status = cnx_reshape(array, 1, &size, NULL, &flat);
        array = flat;
    }
    if (status == CN_OK) {
        status = cn_accumulate(op_of(which), array, r->options.naxes < 0 ? 0 : r->axes[0], r->options.dtype, out);
    }
    cn_array_unref(flat);
    return status;
}

static PyObject *reduce_running(int which, const char *name, PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"axis", "dtype", "out", NULL};
    reduction r = {.self = self};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOO", names, &r.axis, &r.dtype, &r.out) || cnx_given(r.out) ||
        (cnx_given(r.axis) && !PyIndex_Check(r.axis)) || !read_options(&r)) {
        return by_numpy(&r, name, args, kwargs);
    }
    cn_array *result = NULL;
    cnx_begin();
    cn_status status = accumulate(&r, which, &result);
    return finish(&r, status, result, name, args, kwargs);
}

static PyObject *method_cumsum(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return reduce_running(SUM, "cumsum", self, args, kwargs);
}

static PyObject *method_cumprod(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return reduce_running(PROD, "cumprod", self, args, kwargs);
}

#define ROW(name, text) {#name, CNX_KEYWORDS(method_##name), METH_VARARGS | METH_KEYWORDS, #name text}

const PyMethodDef cnx_reduce_methods[] = {
    ROW(sum, "(axis=None, dtype=None, out=None, keepdims=False, initial=0, where=True)"),
    ROW(prod, "(axis=None, dtype=None, out=None, keepdims=False, initial=1, where=True)"),
    ROW(min, "(axis=None, out=None, keepdims=False, initial=<no value>, where=True)"),
    ROW(max, "(axis=None, out=None, keepdims=False, initial=<no value>, where=True)"),
    ROW(any, "(axis=None, out=None, keepdims=False, *, where=True)"),
    ROW(all, "(axis=None, out=None, keepdims=False, *, where=True)"),
    ROW(mean, "(axis=None, dtype=None, out=None, keepdims=False, *, where=True)"),
    ROW(var, "(axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, mean=<no value>)"),
    ROW(std, "(axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, mean=<no value>)"),
    ROW(cumsum, "(axis=None, dtype=None, out=None)"),
    ROW(cumprod, "(axis=None, dtype=None, out=None)"),
    ROW(argmin, "(axis=None, out=None, *, keepdims=False)"),
    ROW(argmax, "(axis=None, out=None, *, keepdims=False)"),
    {NULL, NULL, 0, NULL},
};
