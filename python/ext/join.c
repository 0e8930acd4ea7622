/*
 * join.c - concatenate, stack, roll, where, broadcast_to, copyto.
 *
 * Arguments that the core does not take leave the call to NumPy as it came.
 */
#include "ext.h"

/* ---- concatenate ---------------------------------------------------------------------------------------- */

typedef struct parts {
    Py_ssize_t count;
    cn_array **arrays; /* borrowed from keep or the arguments; made one-dimensional for axis None: then owned */
    PyObject **keep;
    PyObject *sequence;
    bool flat;
} parts;

static void parts_release(parts *p)
{
    for (Py_ssize_t i = 0; i < p->count; i++) {
        Py_XDECREF(p->keep[i]);
        if (p->flat) {
            cn_array_unref(p->arrays[i]);
        }
    }
    PyMem_Free(p->arrays);
    PyMem_Free(p->keep);
    Py_XDECREF(p->sequence);
}

/* False: NumPy's business. */
static bool parts_read(parts *p, PyObject *sequence)
{
    p->sequence = PySequence_Fast(sequence, "");
    Py_ssize_t count = p->sequence != NULL ? PySequence_Fast_GET_SIZE(p->sequence) : 0;
    if (count == 0) {
        return false;
    }
    p->arrays = PyMem_Calloc((size_t)count, sizeof *p->arrays);
    p->keep = PyMem_Calloc((size_t)count, sizeof *p->keep);
    if (p->arrays == NULL || p->keep == NULL) {
        return false;
    }
    p->count = count;
    for (Py_ssize_t i = 0; i < count; i++) {
        cn_operand operand;
        if (cnx_operand(PySequence_Fast_GET_ITEM(p->sequence, i), &operand, &p->keep[i]) != 1 ||
            operand.array == NULL) {
            return false;
        }
        p->arrays[i] = operand.array;
    }
    return true;
}

static cn_status parts_flatten(parts *p)
{
    for (Py_ssize_t i = 0; i < p->count; i++) {
        int64_t size = cn_array_size(p->arrays[i]);
        cn_array *flat = NULL;
        cn_status status = cnx_reshape(p->arrays[i], 1, &size, NULL, &flat);
        if (status != CN_OK) {
            while (i-- > 0) {
                cn_array_unref(p->arrays[i]);
            }
            return status;
        }
        p->arrays[i] = flat;
    }
    p->flat = true;
    return CN_OK;
}

/* The result's shape; false: they do not fit. */
static bool parts_shape(const parts *p, int axis, int64_t *shape)
{
    int ndim = cn_array_ndim(p->arrays[0]);
    memcpy(shape, cn_array_shape(p->arrays[0]), (size_t)ndim * sizeof *shape);
    for (Py_ssize_t i = 1; i < p->count; i++) {
        if (cn_array_ndim(p->arrays[i]) != ndim) {
            return false;
        }
        for (int d = 0; d < ndim; d++) {
            int64_t extent = cn_array_shape(p->arrays[i])[d];
            if (d == axis) {
                shape[d] += extent;
            } else if (shape[d] != extent) {
                return false;
            }
        }
    }
    return true;
}

static bool parts_castable(const parts *p, cn_dtype dtype, cn_casting casting)
{
    for (Py_ssize_t i = 0; i < p->count; i++) {
        if (!cn_can_cast(cn_array_dtype(p->arrays[i]), dtype, casting)) {
            return false;
        }
    }
    return true;
}

static cn_status parts_copy(const parts *p, int axis, cn_array *result)
{
    int64_t offset = cn_array_offset(result);
    for (Py_ssize_t i = 0; i < p->count; i++) {
        cn_array *part;
        cn_operand source = {.array = p->arrays[i]};
        cn_status status = cn_array_view(result, cn_array_dtype(result), offset, cn_array_ndim(result),
                                         cn_array_shape(p->arrays[i]), cn_array_strides(result), true, &part);
        if (status == CN_OK) {
            status = cn_copy(part, &source, CN_CAST_UNSAFE);
            cn_array_unref(part);
        }
        if (status != CN_OK) {
            return status;
        }
        offset += cn_array_shape(p->arrays[i])[axis] * cn_array_strides(result)[axis];
    }
    return CN_OK;
}

/* Does the output share memory with an input? Then NumPy's own order of copying decides. */
static bool parts_overlap(const parts *p, const cn_array *out)
{
    for (Py_ssize_t i = 0; i < p->count; i++) {
        if (cn_array_may_overlap(p->arrays[i], out)) {
            return true;
        }
    }
    return false;
}

typedef struct join {
    PyObject *axis_object, *out_object;
    cn_dtype dtype;
    cn_casting casting;
} join;

/* *out: a new reference. CN_ERROR_UNSUPPORTED: NumPy's business. */
static cn_status join_parts(parts *p, const join *j, cn_array *out, cn_array **result)
{
    int axis = 0;
    int64_t shape[CN_MAX_DIMS];
    cn_dtype dtype = j->dtype;
    if (j->axis_object == Py_None) {
        cn_status status = parts_flatten(p);
        if (status != CN_OK) {
            return status;
        }
    } else if (j->axis_object != NULL && cnx_parse_axis(j->axis_object, cn_array_ndim(p->arrays[0]), &axis) < 0) {
        return CN_ERROR_UNSUPPORTED;
    }
    int ndim = cn_array_ndim(p->arrays[0]);
    if (ndim == 0 || !parts_shape(p, axis, shape)) {
        return CN_ERROR_UNSUPPORTED;
    }
    if (out != NULL) {
        bool fits = cn_array_ndim(out) == ndim && memcmp(cn_array_shape(out), shape, (size_t)ndim * sizeof *shape) == 0;
        if (!fits || dtype != CN_DTYPE_NONE || !cn_array_writeable(out) || parts_overlap(p, out)) {
            return CN_ERROR_UNSUPPORTED;
        }
        dtype = cn_array_dtype(out);
    }
    for (Py_ssize_t i = 0; j->dtype == CN_DTYPE_NONE && out == NULL && i < p->count; i++) {
        cn_dtype own = cn_array_dtype(p->arrays[i]);
        dtype = i == 0 ? own : cn_promote(dtype, own);
    }
    if (!parts_castable(p, dtype, j->casting)) {
        return CN_ERROR_UNSUPPORTED;
    }
    cn_array *made = out != NULL ? cn_array_ref(out) : NULL;
    cn_status status = out != NULL ? CN_OK : cn_array_empty_as(dtype, ndim, shape, (int)p->count, p->arrays, &made);
    if (status == CN_OK) {
        status = parts_copy(p, axis, made);
        if (status == CN_OK) {
            *result = made;
        } else {
            cn_array_unref(made);
        }
    }
    return status;
}

static PyObject *concatenate(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"", "axis", "out", "dtype", "casting", NULL};
    PyObject *sequence, *dtype_object = NULL, *casting_object = NULL, *keep = NULL;
    join j = {.dtype = CN_DTYPE_NONE, .casting = CN_CAST_SAME_KIND};
    parts p = {.count = 0};
    cn_array *out = NULL, *result = NULL;
    cn_status status = CN_ERROR_UNSUPPORTED;
    (void)module;
    bool good = PyArg_ParseTupleAndKeywords(args, kwargs, "O|OO$OO", names, &sequence, &j.axis_object, &j.out_object,
                                            &dtype_object, &casting_object) &&
                cnx_parse_casting(casting_object, &j.casting) &&
                (!cnx_given(dtype_object) || (j.dtype = cnx_dtype_of(dtype_object)) != CN_DTYPE_NONE) &&
                (!cnx_given(j.out_object) || cnx_output(j.out_object, &out, &keep) == 1) && parts_read(&p, sequence);
    PyErr_Clear();
    if (good) {
        cnx_begin();
        status = join_parts(&p, &j, out, &result);
    }
    PyObject *made;
    if (status == CN_OK && out != NULL) {
        cn_array_unref(result);
        made = cnx_end(Py_NewRef(j.out_object));
    } else if (status == CN_OK) {
        PyObject *const *items = PySequence_Fast_ITEMS(p.sequence);
        made = cnx_end(cnx_as_subclass(cnx_subclass_of(items, p.count), cnx_new(result)));
    } else if (status == CN_ERROR_UNSUPPORTED) {
        made = cnx_call_function("concatenate", args, kwargs);
    } else {
        made = cnx_raise_function(status, "concatenate", args, kwargs);
    }
    parts_release(&p);
    Py_XDECREF(keep);
    return made;
}

/* ---- stack ---------------------------------------------------------------------------------------------- */

/* Copies the arrays, all of one shape, each to an index of the new axis: in their own shape, so that they can be computed there. */
static cn_status stack_copy(cn_array *const *arrays, Py_ssize_t count, int axis, cn_array *result)
{
    int ndim = cn_array_ndim(arrays[0]);
    int64_t strides[CN_MAX_DIMS], offset = cn_array_offset(result);
    for (int d = 0; d < ndim; d++) {
        strides[d] = cn_array_strides(result)[d < axis ? d : d + 1];
    }
    cn_status status = CN_OK;
    for (Py_ssize_t i = 0; i < count && status == CN_OK; i++) {
        cn_array *place;
        status = cn_array_view(result, cn_array_dtype(result), offset, ndim, cn_array_shape(arrays[0]), strides, true,
                               &place);
        if (status == CN_OK) {
            status = cn_copy(place, &(cn_operand){.array = arrays[i]}, CN_CAST_UNSAFE);
            cn_array_unref(place);
        }
        offset += cn_array_strides(result)[axis];
    }
    return status;
}

/* A view with a new axis of one element. */
static cn_status widened(cn_array *array, int axis, cn_array **out)
{
    int ndim = cn_array_ndim(array);
    int64_t shape[CN_MAX_DIMS], strides[CN_MAX_DIMS];
    for (int d = 0; d <= ndim; d++) {
        shape[d] = d == axis ? 1 : cn_array_shape(array)[d < axis ? d : d - 1];
        strides[d] = d == axis ? 0 : cn_array_strides(array)[d < axis ? d : d - 1];
    }
    return cn_array_view(array, cn_array_dtype(array), cn_array_offset(array), ndim + 1, shape, strides, false, out);
}

/* The result's memory, in the order of the arrays'. */
static cn_status stack_empty(cn_array *const *arrays, Py_ssize_t count, int axis, cn_dtype dtype, const int64_t *shape,
                             cn_array **out)
{
    int ndim = cn_array_ndim(arrays[0]);
    bool plain = true;
    for (Py_ssize_t i = 0; i < count; i++) {
        plain &= cnx_order_holds(arrays[i], 'C');
    }
    if (plain) {
        return cn_array_empty(dtype, ndim + 1, shape, out);
    }
    cn_array **views = PyMem_Calloc((size_t)count, sizeof *views);
    cn_status status = views != NULL ? CN_OK : CN_ERROR_MEMORY;
    for (Py_ssize_t i = 0; i < count && status == CN_OK; i++) {
        status = widened(arrays[i], axis, &views[i]);
    }
    if (status == CN_OK) {
        status = cn_array_empty_as(dtype, ndim + 1, shape, (int)count, views, out);
    }
    for (Py_ssize_t i = 0; views != NULL && i < count && views[i] != NULL; i++) {
        cn_array_unref(views[i]);
    }
    PyMem_Free(views);
    return status;
}

static cn_status stack_arrays(cn_array *const *arrays, Py_ssize_t count, int axis, cn_array **result)
{
    int ndim = cn_array_ndim(arrays[0]);
    int64_t shape[CN_MAX_DIMS];
    cn_dtype dtype = cn_array_dtype(arrays[0]);
    for (Py_ssize_t i = 1; i < count; i++) {
        dtype = cn_promote(dtype, cn_array_dtype(arrays[i]));
    }
    for (int d = 0; d <= ndim; d++) {
        shape[d] = d == axis ? count : cn_array_shape(arrays[0])[d < axis ? d : d - 1];
    }
    cn_array *made;
    cn_status status = stack_empty(arrays, count, axis, dtype, shape, &made);
    if (status == CN_OK) {
        status = stack_copy(arrays, count, axis, made);
        if (status == CN_OK) {
            *result = made;
        } else {
            cn_array_unref(made);
        }
    }
    return status;
}

/* stacked(arrays, axis): a list of arrays of one shape, at most CN_MAX_DIMS - 1 dimensions; the axis counted from the front. */
static PyObject *stacked(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    Py_ssize_t n = count == 2 && PyList_Check(args[0]) ? PyList_GET_SIZE(args[0]) : 0;
    cn_array **arrays = PyMem_Calloc((size_t)n + 1, sizeof *arrays), *result = NULL;
    Py_ssize_t known = 0;
    for (; known < n && arrays != NULL && cnx_array_check(PyList_GET_ITEM(args[0], known)); known++) {
        arrays[known] = cnx_get(PyList_GET_ITEM(args[0], known));
    }
    long axis = count == 2 ? PyLong_AsLong(args[1]) : -1;
    if (known == 0 || known < n || axis < 0 || axis > cn_array_ndim(arrays[0]) ||
        cn_array_ndim(arrays[0]) == CN_MAX_DIMS) {
        PyMem_Free(arrays);
        PyErr_SetString(PyExc_ValueError, "stacked(arrays, axis)");
        return NULL;
    }
    cnx_begin();
    cn_status status = stack_arrays(arrays, n, (int)axis, &result);
    PyMem_Free(arrays);
    return status == CN_OK ? cnx_end(cnx_new(result)) : cnx_raise_plain(status);
}

/* ---- roll ----------------------------------------------------------------------------------------------- */

/*
 * Copies one of the boxes that a roll is made of. `wraps` has a bit for each axis: the end of the axis comes to its front
 * (shift elements), or the rest goes behind it.
 */
static cn_status roll_box(cn_array *result, cn_array *array, const int64_t *shifts, uint64_t wraps)
{
    int ndim = cn_array_ndim(array);
    int64_t shape[CN_MAX_DIMS], from = cn_array_offset(array), to = cn_array_offset(result);
    for (int d = 0; d < ndim; d++) {
        int64_t rest = cn_array_shape(array)[d] - shifts[d];
        bool wrapped = (wraps >> d & 1) != 0;
        shape[d] = wrapped ? shifts[d] : rest;
        from += wrapped ? rest * cn_array_strides(array)[d] : 0;
        to += wrapped ? 0 : shifts[d] * cn_array_strides(result)[d];
    }
    cn_array *source = NULL, *box = NULL;
    cn_dtype dtype = cn_array_dtype(array);
    cn_status status = cn_array_view(array, dtype, from, ndim, shape, cn_array_strides(array), true, &source);
    if (status == CN_OK) {
        status = cn_array_view(result, dtype, to, ndim, shape, cn_array_strides(result), true, &box);
    }
    if (status == CN_OK) {
        status = cn_copy(box, &(cn_operand){.array = source}, CN_CAST_UNSAFE);
        cn_array_unref(box);
    }
    if (source != NULL) {
        cn_array_unref(source);
    }
    return status;
}

static cn_status roll_boxes(cn_array *result, cn_array *array, const int64_t *shifts)
{
    uint64_t axes = 0, wraps = 0;
    for (int d = 0; d < cn_array_ndim(array); d++) {
        axes |= shifts[d] != 0 ? UINT64_C(1) << d : 0;
    }
    do { /* every subset of the axes that are rolled */
        cn_status status = roll_box(result, array, shifts, wraps);
        if (status != CN_OK) {
            return status;
        }
        wraps = (wraps - axes) & axes;
    } while (wraps != 0);
    return CN_OK;
}

/* The shift as one to the back of less than the extent; -1: an exception. */
static int64_t shift_of(PyObject *item, int64_t extent)
{
    int overflow;
    int64_t shift = PyLong_AsLongLongAndOverflow(item, &overflow);
    if (overflow != 0) {
        PyObject *size = PyLong_FromLongLong(extent), *rest = size != NULL ? PyNumber_Remainder(item, size) : NULL;
        shift = rest != NULL ? PyLong_AsLongLong(rest) : -1;
        Py_XDECREF(size);
        Py_XDECREF(rest);
    }
    return PyErr_Occurred() ? -1 : (shift % extent + extent) % extent;
}

/* rolled(result, array, shifts): fills the result, an array of the same shape and dtype; shifts: one an axis. */
static PyObject *rolled(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count != 3 || !cnx_array_check(args[0]) || !cnx_array_check(args[1]) || !PyTuple_Check(args[2]) ||
        PyTuple_GET_SIZE(args[2]) != cn_array_ndim(cnx_get(args[1]))) {
        PyErr_SetString(PyExc_TypeError, "rolled(result, array, shifts)");
        return NULL;
    }
    cn_array *result = cnx_get(args[0]), *array = cnx_get(args[1]);
    int64_t shifts[CN_MAX_DIMS];
    for (int d = 0; d < cn_array_ndim(array); d++) {
        int64_t extent = cn_array_shape(array)[d];
        shifts[d] = extent == 0 ? 0 : shift_of(PyTuple_GET_ITEM(args[2], d), extent);
        if (shifts[d] < 0) {
            return NULL;
        }
    }
    cnx_begin();
    cn_status status = cn_array_size(array) == 0 ? CN_OK : roll_boxes(result, array, shifts);
    return status == CN_OK ? cnx_end(Py_NewRef(args[0])) : cnx_raise_plain(status);
}

/* ---- where ---------------------------------------------------------------------------------------------- */

static PyObject *where_nonzero(PyObject *args)
{
    PyObject *condition = PyTuple_GET_ITEM(args, 0), *keep = NULL;
    cn_operand operand;
    if (cnx_operand(condition, &operand, &keep) != 1 || operand.array == NULL) {
        PyErr_Clear();
        Py_XDECREF(keep);
        return cnx_call_function("where", args, NULL);
    }
    PyObject *array = keep != NULL ? keep : Py_NewRef(condition);
    PyObject *found = PyObject_CallMethod(array, "nonzero", NULL);
    Py_DECREF(array);
    return found;
}

/* Both of the dtype that the result has: NumPy's promotion, with Python's numbers weak. */
static bool where_dtype(const cn_operand *x, const cn_operand *y, cn_dtype *out)
{
    if (x->array == NULL && y->array == NULL && x->weak != CN_STRONG && y->weak != CN_STRONG) {
        *out = cn_promote(x->scalar.dtype, y->scalar.dtype);
        return true;
    }
    cn_dtype in[2] = {x->array != NULL ? cn_array_dtype(x->array) : x->scalar.dtype,
                      y->array != NULL ? cn_array_dtype(y->array) : y->scalar.dtype};
    cn_weak weak[2] = {x->array != NULL ? CN_STRONG : x->weak, y->array != NULL ? CN_STRONG : y->weak};
    if (weak[0] == CN_STRONG && weak[1] == CN_STRONG) {
        *out = cn_promote(in[0], in[1]);
        return true;
    }
    static cn_op op = -1;
    op = op < 0 ? cn_op_find("maximum") : op; /* it has a loop for every dtype and no other rule */
    cn_dtype dtypes[3];
    if (cn_op_resolve(op, in, weak, CN_DTYPE_NONE, CN_CAST_SAME_KIND, dtypes) != CN_OK) {
        return false;
    }
    *out = dtypes[2];
    return true;
}

/* The operand, in the dtype; *owned: a cast array to be released. */
static cn_status cast_operand(cn_operand *operand, cn_dtype dtype, cn_array **owned)
{
    *owned = NULL;
    if (operand->array == NULL) {
        cn_scalar cast;
        cn_status status = cn_scalar_cast(&operand->scalar, operand->weak, dtype, &cast);
        if (status == CN_OK) {
            *operand = (cn_operand){.scalar = cast};
        }
        return status;
    }
    if (cn_array_dtype(operand->array) == dtype) {
        return CN_OK;
    }
    cn_status status = cn_array_copy(operand->array, dtype, true, owned);
    operand->array = status == CN_OK ? *owned : operand->array;
    return status;
}

static cn_status choose(cn_operand *in, cn_array **result)
{
    static cn_op op = -1;
    op = op < 0 ? cn_op_find("_select") : op;
    cn_dtype dtype;
    if (!where_dtype(&in[1], &in[2], &dtype)) {
        return CN_ERROR_UNSUPPORTED;
    }
    cn_array *owned[3] = {NULL, NULL, NULL};
    cn_status status = cast_operand(&in[0], CN_BOOL, &owned[0]);
    for (int i = 1; i < 3 && status == CN_OK; i++) {
        status = cast_operand(&in[i], dtype, &owned[i]);
    }
    if (status == CN_OK) {
        status = cn_elementwise(op, in, NULL, NULL, result);
    }
    for (int i = 0; i < 3; i++) {
        cn_array_unref(owned[i]);
    }
    return status;
}

static PyObject *where(PyObject *module, PyObject *args, PyObject *kwargs)
{
    cn_operand in[3];
    PyObject *keep[3] = {NULL, NULL, NULL};
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    (void)module;
    bool keywords = kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0, known = count == 3 && !keywords, arrays = false;
    if (count == 1 && !keywords) {
        return where_nonzero(args);
    }
    for (int i = 0; i < 3 && known; i++) {
        known = cnx_operand(PyTuple_GET_ITEM(args, i), &in[i], &keep[i]) == 1;
        arrays = arrays || (known && in[i].array != NULL);
    }
    PyErr_Clear();
    cn_array *result = NULL;
    cn_status status = CN_ERROR_UNSUPPORTED;
    if (known && arrays) {
        cnx_begin();
        status = choose(in, &result);
    }
    PyObject *made;
    if (status == CN_OK) {
        made = cnx_end(cnx_new(result));
    } else if (status == CN_ERROR_UNSUPPORTED && known && !arrays) {
        made = cnx_call_quietly("where", args, kwargs); /* of numbers alone */
    } else if (status == CN_ERROR_UNSUPPORTED) {
        made = cnx_call_function("where", args, kwargs);
    } else {
        made = cnx_raise_function(status, "where", args, kwargs);
    }
    for (int i = 0; i < 3; i++) {
        Py_XDECREF(keep[i]);
    }
    return made;
}

/* ---- broadcast_to, copyto -------------------------------------------------------------------------------- */

static PyObject *broadcast_to(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"array", "shape", "subok", NULL};
    PyObject *object, *shape_object, *array = NULL;
    int subok = 0, ndim;
    int64_t shape[CN_MAX_DIMS];
    (void)module;
    bool good = PyArg_ParseTupleAndKeywords(args, kwargs, "OO|p", names, &object, &shape_object, &subok) &&
                cnx_parse_shape(shape_object, &ndim, shape) == 0 &&
                !(PyArray_Check(object) && !PyArray_CheckExact(object)) &&
                (cnx_array_check_exact(object) || !cnx_array_check(object));
    if (good) {
        array = PyObject_CallMethod(module, "asarray", "O", object);
    }
    if (array == NULL || !cnx_array_check(array)) {
        PyErr_Clear();
        Py_XDECREF(array);
        return cnx_call_function("broadcast_to", args, kwargs);
    }
    for (int d = 0; d < ndim && good; d++) {
        good = shape[d] >= 0;
    }
    cn_array *view;
    PyObject *made;
    cn_status status = good ? cn_array_broadcast_to(cnx_get(array), ndim, shape, &view) : CN_ERROR_UNSUPPORTED;
    if (status == CN_OK) {
        PyObject *base = ((cnx_array *)array)->base;
        made = subok ? cnx_view(array, view) : cnx_new_based(view, base != NULL ? base : array);
    } else if (status == CN_ERROR_UNSUPPORTED) {
        made = cnx_call_function("broadcast_to", args, kwargs);
    } else {
        made = cnx_raise_function(status, "broadcast_to", args, kwargs);
    }
    Py_DECREF(array);
    return made;
}

static PyObject *copyto(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"dst", "src", "casting", "where", NULL};
    PyObject *destination, *object, *casting_object = NULL, *where_object = NULL, *keep = NULL, *keep_where = NULL;
    cn_operand source, mask = {.array = NULL};
    cn_casting casting = CN_CAST_SAME_KIND;
    (void)module;
    bool good = PyArg_ParseTupleAndKeywords(args, kwargs, "OO|OO", names, &destination, &object, &casting_object,
                                            &where_object) &&
                cnx_array_check(destination) && cnx_parse_casting(casting_object, &casting) &&
                cnx_operand(object, &source, &keep) == 1;
    if (good && where_object != NULL && where_object != Py_True) {
        good = cnx_operand(where_object, &mask, &keep_where) == 1 && mask.array != NULL &&
               cn_array_dtype(mask.array) == CN_BOOL;
    }
    if (good && source.array == NULL) { /* a number casts by its own rule, and is refused by numpy's */
        cn_dtype have = source.scalar.dtype, want = cn_array_dtype(cnx_get(destination));
        good = (source.weak == CN_WEAK_INT && want != CN_BOOL) || cn_can_cast(have, want, casting);
    }
    PyObject *made;
    if (good) {
        cnx_begin();
        cn_status status = cn_copy_where(cnx_get(destination), &source, mask.array, casting);
        made = status == CN_OK ? cnx_end(Py_NewRef(Py_None)) : cnx_raise_function(status, "copyto", args, kwargs);
    } else {
        PyErr_Clear();
        made = cnx_call_function("copyto", args, kwargs);
    }
    Py_XDECREF(keep);
    Py_XDECREF(keep_where);
    return made;
}

/* What NumPy has no function for. */
static PyMethodDef helpers[] = {
    {"stacked", (PyCFunction)(void (*)(void))stacked, METH_FASTCALL, "Arrays of one shape along a new axis."},
    {"rolled", (PyCFunction)(void (*)(void))rolled, METH_FASTCALL,
     "Fill an array with another, rolled by so much an axis."},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef functions[] = {
    {"concatenate", CNX_KEYWORDS(concatenate), METH_VARARGS | METH_KEYWORDS, NULL},
    {"where", CNX_KEYWORDS(where), METH_VARARGS | METH_KEYWORDS, NULL},
    {"broadcast_to", CNX_KEYWORDS(broadcast_to), METH_VARARGS | METH_KEYWORDS, NULL},
    {"copyto", CNX_KEYWORDS(copyto), METH_VARARGS | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

int cnx_join_init(PyObject *module)
{
    for (PyMethodDef *row = functions; row->ml_name != NULL; row++) {
        row->ml_doc = cnx_numpy_doc(row->ml_name);
    }
    return PyModule_AddFunctions(module, helpers) < 0 ? -1 : PyModule_AddFunctions(module, functions);
}
