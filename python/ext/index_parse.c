/*
 * index_parse.c - keys of ints, slices, None and Ellipsis, read on the C stack into a view's geometry.
 *
 * No object is made and nothing is recorded. A key that needs more is reported as such; whether it has a meaning at
 * all is found out elsewhere.
 */
#include "index.h"

typedef struct parse {
    const int64_t *shape, *strides; /* of the array */
    int ndim, axis;                 /* the array's, and the next one of them */
    bool plain_ints;                /* nothing but ints so far */
    Py_ssize_t count;               /* of items */
    cnx_view_geometry *out;
} parse;

/* The value of a plain int, if it is a small one: most are; else *overflow may be set. */
static inline int64_t int_value(PyObject *object, int *overflow)
{
#if PY_VERSION_HEX >= 0x030C0000
    if (PyUnstable_Long_IsCompact((PyLongObject *)object)) {
        *overflow = 0;
        return PyUnstable_Long_CompactValue((PyLongObject *)object);
    }
#else
    Py_ssize_t digits = Py_SIZE(object);
    if (digits >= -1 && digits <= 1) {
        *overflow = 0;
        return digits * (int64_t)((PyLongObject *)object)->ob_digit[0];
    }
#endif
    return PyLong_AsLongAndOverflow(object, overflow);
}

/* An end of a slice that is None or a plain int, cut to the extent; false: something else. */
static inline bool slice_end(PyObject *object, int64_t otherwise, int64_t extent, int64_t *out)
{
    int overflow = 0;
    if (object == Py_None) {
        *out = otherwise;
        return true;
    }
    if (!PyLong_CheckExact(object)) {
        return false;
    }
    int64_t value = int_value(object, &overflow);
    value += value < 0 ? extent : 0;
    *out = value < 0 ? 0 : value > extent ? extent : value;
    return overflow == 0;
}

/* A slice of step 1 between such ends; false: another one. */
static inline bool plain_slice(PyObject *slice, int64_t extent, int64_t *start, int64_t *length)
{
    const PySliceObject *s = (const PySliceObject *)slice;
    int64_t stop;
    if (s->step != Py_None || !slice_end(s->start, 0, extent, start) || !slice_end(s->stop, extent, extent, &stop)) {
        return false;
    }
    *length = stop > *start ? stop - *start : 0;
    *start = stop > *start ? *start : 0; /* the start may lie past the end */
    return true;
}

static inline int64_t slice_of(PyObject *slice, int64_t extent, int64_t *start, int64_t *step)
{
    Py_ssize_t stop;
    int64_t length;
    if (plain_slice(slice, extent, start, &length)) {
        *step = 1;
        return length;
    }
    if (PySlice_Unpack(slice, start, &stop, step) < 0) {
        return -1;
    }
    length = PySlice_AdjustIndices(extent, start, &stop, *step);
    if (length == 0) { /* likewise */
        *start = 0;
        *step = 1;
    }
    return length;
}

int64_t cnx_slice(PyObject *slice, int64_t extent, int64_t *start, int64_t *step)
{
    return slice_of(slice, extent, start, step);
}

int cnx_index_int(PyObject *object, int64_t *out)
{
    if (!PyLong_CheckExact(object)) {
        bool number = PyArray_IsScalar(object, Integer);
        if (PyBool_Check(object) || PyArray_IsScalar(object, Bool) || cnx_array_check(object) ||
            PyArray_Check(object) || (!number && (!PyIndex_Check(object) || PySequence_Check(object)))) {
            return 0;
        }
    }
    Py_ssize_t value = PyNumber_AsSsize_t(object, PyExc_IndexError);
    if (value == -1 && PyErr_Occurred()) {
        return -1;
    }
    *out = value;
    return 1;
}

static cnx_key out_of_bounds(int64_t index, int axis, int64_t extent)
{
    PyErr_Format(PyExc_IndexError, "index %zd is out of bounds for axis %d with size %zd", (Py_ssize_t)index, axis,
                 (Py_ssize_t)extent);
    return CNX_KEY_RAISED;
}

/* CNX_KEY_VIEW: go on. */
static inline cnx_key take_int(parse *p, int64_t index)
{
    if (p->axis >= p->ndim) {
        return CNX_KEY_NUMPY;
    }
    int64_t extent = p->shape[p->axis];
    if (index < -extent || index >= extent) {
        return p->count > p->ndim ? CNX_KEY_NUMPY
                                  : out_of_bounds(index, p->axis, extent); /* which fault comes first? */
    }
    p->out->offset += (index < 0 ? index + extent : index) * p->strides[p->axis];
    p->axis++;
    return CNX_KEY_VIEW;
}

static inline cnx_key add_axis(parse *p, int64_t extent, int64_t stride)
{
    if (p->out->ndim >= CN_MAX_DIMS) {
        return CNX_KEY_NUMPY;
    }
    p->out->shape[p->out->ndim] = extent;
    p->out->strides[p->out->ndim++] = stride;
    return CNX_KEY_VIEW;
}

static inline cnx_key take_slice(parse *p, PyObject *slice)
{
    int64_t start, step;
    if (p->axis >= p->ndim) {
        return CNX_KEY_NUMPY;
    }
    int64_t length = slice_of(slice, p->shape[p->axis], &start, &step);
    if (length < 0 && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        return CNX_KEY_NUMPY; /* it may see another fault first */
    }
    if (length < 0) {
        return CNX_KEY_RAISED;
    }
    int64_t stride = p->strides[p->axis++];
    p->out->offset += start * stride;
    return add_axis(p, length, step * stride);
}

static cnx_key take_axes(parse *p, int count)
{
    cnx_key status = count < 0 ? CNX_KEY_NUMPY : CNX_KEY_VIEW;
    for (int i = 0; i < count && status == CNX_KEY_VIEW; i++, p->axis++) {
        status = add_axis(p, p->shape[p->axis], p->strides[p->axis]);
    }
    return status;
}

/* The Ellipsis stands for what the items after it leave. */
static cnx_key take_ellipsis(parse *p, PyObject *const *rest, Py_ssize_t count)
{
    int consumed = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (rest[i] == Py_Ellipsis) {
            return CNX_KEY_NUMPY;
        }
        consumed += rest[i] != Py_None;
    }
    return take_axes(p, p->ndim - p->axis - consumed);
}

static cnx_key take_other(parse *p, PyObject *item)
{
    int64_t index;
    int is_int = cnx_index_int(item, &index);
    if (is_int < 0) {
        return CNX_KEY_RAISED;
    }
    return is_int == 1 ? take_int(p, index) : CNX_KEY_ADVANCED;
}

static inline cnx_key take(parse *p, PyObject *item, PyObject *const *rest, Py_ssize_t count)
{
    if (PyLong_CheckExact(item)) {
        int overflow;
        int64_t index = int_value(item, &overflow);
        return overflow == 0 ? take_int(p, index) : CNX_KEY_NUMPY;
    }
    if (PySlice_Check(item)) {
        p->plain_ints = false;
        return take_slice(p, item);
    }
    if (item == Py_None) {
        p->plain_ints = false;
        return add_axis(p, 1, 0);
    }
    if (item == Py_Ellipsis) {
        p->plain_ints = false;
        return take_ellipsis(p, rest, count);
    }
    return take_other(p, item);
}

static cnx_key parse_any(const cn_array *array, PyObject *const *items, Py_ssize_t count, cnx_view_geometry *out)
{
    parse p = {.shape = cn_array_shape(array),
               .strides = cn_array_strides(array),
               .ndim = cn_array_ndim(array),
               .plain_ints = true,
               .count = count,
               .out = out};
    out->ndim = 0;
    out->offset = cn_array_offset(array);
    for (Py_ssize_t i = 0; i < count; i++) {
        cnx_key status = take(&p, items[i], items + i + 1, count - i - 1);
        if (status != CNX_KEY_VIEW) {
            return status;
        }
    }
    if (p.plain_ints && p.axis == p.ndim) {
        return CNX_KEY_ELEMENT;
    }
    return take_axes(&p, p.ndim - p.axis);
}

/*
 * Most keys: small ints, and slices from and to small ints or nothing, at most one for each axis. False: any other key, or
 * an int that is out of bounds; what is in out then means nothing.
 */
static inline bool parse_plain(const cn_array *array, PyObject *const *items, Py_ssize_t count, cnx_view_geometry *out)
{
    const int64_t *shape = cn_array_shape(array), *strides = cn_array_strides(array);
    int64_t offset = cn_array_offset(array);
    int ndim = cn_array_ndim(array), made = 0;
    if (count > ndim) {
        return false;
    }
    for (int axis = 0; axis < ndim; axis++) {
        int64_t extent = shape[axis], stride = strides[axis], start = 0, length = extent;
        PyObject *item = axis < count ? items[axis] : NULL;
        if (item != NULL && PySlice_Check(item)) {
            if (!plain_slice(item, extent, &start, &length)) {
                return false;
            }
        } else if (item != NULL) {
            int overflow = 0;
            int64_t index = PyLong_CheckExact(item) ? int_value(item, &overflow) : extent;
            index += index < 0 ? extent : 0;
            if (overflow != 0 || index < 0 || index >= extent) {
                return false;
            }
            offset += index * stride;
            continue;
        }
        offset += start * stride;
        out->shape[made] = length;
        out->strides[made++] = stride;
    }
    out->ndim = made;
    out->offset = offset;
    return true;
}

cnx_key cnx_key_parse(const cn_array *array, PyObject *key, cnx_view_geometry *out)
{
    PyObject *single[1] = {key};
    PyObject *const *items = single;
    Py_ssize_t count = 1;
    if (PyTuple_CheckExact(key)) {
        items = &PyTuple_GET_ITEM(key, 0);
        count = PyTuple_GET_SIZE(key);
    }
    if (parse_plain(array, items, count, out)) {
        return out->ndim == 0 ? CNX_KEY_ELEMENT : CNX_KEY_VIEW;
    }
    return parse_any(array, items, count, out);
}
