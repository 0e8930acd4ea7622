/*
 * method.c - methods that convert, copy, pick and write; and the assembly of the method table.
 *
 * Methods without a form here are the package's (_fallback.call_method), which composes them or calls NumPy; they are
 * listed in fallback_methods.
 */
#include "ext.h"

/* ---- astype, copy ---------------------------------------------------------------------------------------- */

static bool is_complex(cn_dtype dtype)
{
    return dtype == CN_COMPLEX64 || dtype == CN_COMPLEX128;
}

static int warn_of_loss(void)
{
    PyObject *exceptions = cnx_numpy("exceptions");
    PyObject *category = exceptions != NULL ? PyObject_GetAttrString(exceptions, "ComplexWarning") : NULL;
    int status =
        category != NULL ? PyErr_WarnEx(category, "Casting complex values to real discards the imaginary part", 1) : -1;
    Py_XDECREF(category);
    Py_XDECREF(exceptions);
    return status;
}

static PyObject *method_astype(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"dtype", "order", "casting", "subok", "copy", NULL};
    cn_array *array = cnx_get(self), *made;
    PyObject *dtype_object, *order_object = NULL, *casting_object = NULL;
    int subok = 1, copy = 1;
    char order = 'K';
    cn_casting casting = CN_CAST_UNSAFE;
    cn_dtype dtype = CN_DTYPE_NONE;
    bool good = PyArg_ParseTupleAndKeywords(args, kwargs, "O|OOpp", names, &dtype_object, &order_object,
                                            &casting_object, &subok, &copy) &&
                cnx_parse_order(order_object, 'K', &order) == 0 && cnx_parse_casting(casting_object, &casting) &&
                (dtype = cnx_dtype_of(dtype_object)) != CN_DTYPE_NONE &&
                cn_can_cast(cn_array_dtype(array), dtype, casting);
    if (!good) {
        PyErr_Clear();
        return cnx_call_method(self, "astype", args, kwargs);
    }
    cn_dtype have = cn_array_dtype(array);
    if (!copy && dtype == have && cnx_order_holds(array, order) && (subok || cnx_array_check_exact(self))) {
        return Py_NewRef(self);
    }
    if (is_complex(have) && !is_complex(dtype) && dtype != CN_BOOL && warn_of_loss() < 0) {
        return NULL;
    }
    cnx_begin();
    cn_status status = cnx_copy_order(array, dtype, order, &made);
    if (status != CN_OK) {
        return cnx_raise_method(status, "astype", self, args, kwargs);
    }
    return cnx_end(subok ? cnx_like(self, made) : cnx_new(made));
}

static PyObject *method_copy(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"order", NULL};
    PyObject *object = NULL;
    char order;
    cn_array *made;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O", names, &object) || cnx_parse_order(object, 'C', &order) < 0) {
        PyErr_Clear();
        return cnx_call_method(self, "copy", args, kwargs);
    }
    cnx_begin();
    cn_status status = cnx_copy_order(cnx_get(self), cn_array_dtype(cnx_get(self)), order, &made);
    return status == CN_OK ? cnx_end(cnx_like(self, made)) : cnx_raise_plain(status);
}

/* ---- Elements -------------------------------------------------------------------------------------------- */

/* Python's number. */
static PyObject *python_number(const cn_scalar *value)
{
    cn_dtype dtype = value->dtype;
    bool without_sign = dtype == CN_UINT8 || dtype == CN_UINT16 || dtype == CN_UINT32 || dtype == CN_UINT64;
    cn_dtype wide = dtype == CN_BOOL        ? CN_BOOL
                    : dtype >= CN_COMPLEX64 ? CN_COMPLEX128
                    : dtype >= CN_FLOAT16   ? CN_FLOAT64
                    : without_sign          ? CN_UINT64
                                            : CN_INT64;
    cn_scalar number;
    cn_status status = cn_scalar_cast(value, CN_STRONG, wide, &number);
    if (status != CN_OK) {
        return cnx_raise_plain(status);
    }
    switch (wide) {
    case CN_BOOL:
        return PyBool_FromLong(number.value.b);
    case CN_INT64:
        return PyLong_FromLongLong(number.value.i64);
    case CN_UINT64:
        return PyLong_FromUnsignedLongLong(number.value.u64);
    case CN_FLOAT64:
        return PyFloat_FromDouble(number.value.f64);
    default:
        return PyComplex_FromDoubles(number.value.c128[0], number.value.c128[1]);
    }
}

static PyObject *python_item(const cn_array *array, int64_t offset)
{
    cn_scalar value;
    cnx_begin();
    cn_status status = cn_array_item(array, offset, &value);
    return status == CN_OK ? cnx_end(python_number(&value)) : cnx_raise_plain(status);
}

/* Byte offset of the element with this number in C order. */
static int64_t offset_of(const cn_array *array, int64_t index)
{
    int64_t offset = cn_array_offset(array);
    for (int d = cn_array_ndim(array) - 1; d >= 0; d--) {
        offset += index % cn_array_shape(array)[d] * cn_array_strides(array)[d];
        index /= cn_array_shape(array)[d];
    }
    return offset;
}

/* One int a dimension: the byte offset of that element; false: NumPy's business. */
static bool offset_at(const cn_array *array, PyObject *indices, int64_t *offset)
{
    int ndim = cn_array_ndim(array);
    *offset = cn_array_offset(array);
    for (int d = 0; d < ndim; d++) {
        int64_t index, extent = cn_array_shape(array)[d];
        PyObject *object = PyTuple_GET_ITEM(indices, d);
        if (!PyLong_CheckExact(object)) {
            return false;
        }
        index = PyLong_AsLongLong(object);
        if (index < -extent || index >= extent) {
            return false;
        }
        *offset += (index < 0 ? index + extent : index) * cn_array_strides(array)[d];
    }
    return true;
}

static PyObject *method_item(PyObject *self, PyObject *args)
{
    cn_array *array = cnx_get(self);
    PyObject *indices =
        PyTuple_GET_SIZE(args) == 1 && PyTuple_CheckExact(PyTuple_GET_ITEM(args, 0)) ? PyTuple_GET_ITEM(args, 0) : args;
    Py_ssize_t count = PyTuple_GET_SIZE(indices);
    int64_t size = cn_array_size(array), index = 0, offset;
    if (count > 1 && count == cn_array_ndim(array) && offset_at(array, indices, &offset)) {
        return python_item(array, offset);
    }
    PyErr_Clear();
    if (count == 1 && indices == args && PyLong_CheckExact(PyTuple_GET_ITEM(args, 0))) {
        index = PyLong_AsLongLong(PyTuple_GET_ITEM(args, 0));
        index = index < 0 ? index + size : index;
    } else if (count != 0 || size != 1) {
        return cnx_call_method(self, "item", args, NULL);
    }
    if (index < 0 || index >= size) {
        PyErr_Clear();
        return cnx_call_method(self, "item", args, NULL);
    }
    return python_item(array, offset_of(array, index));
}

static PyObject *method_fill(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"value", NULL};
    PyObject *value;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:fill", names, &value)) {
        return NULL;
    }
    bool single = PyLong_CheckExact(value) || PyFloat_CheckExact(value) || PyArray_CheckAnyScalarExact(value) ||
                  (cnx_array_check(value) && cn_array_ndim(cnx_get(value)) == 0);
    if (!single) {
        return cnx_call_method(self, "fill", args, kwargs);
    }
    return cnx_assign(cnx_get(self), value, self, Py_Ellipsis) == 0 ? Py_NewRef(Py_None) : NULL;
}

static PyObject *method_tolist(PyObject *self, PyObject *unused)
{
    (void)unused;
    static PyObject *name;
    name = name != NULL ? name : PyUnicode_InternFromString("tolist");
    PyObject *numpy = name != NULL ? cnx_to_numpy(self) : NULL;
    PyObject *list = numpy != NULL ? PyObject_CallMethodNoArgs(numpy, name) : NULL;
    Py_XDECREF(numpy);
    return cnx_end(list);
}

static PyObject *method_nonzero(PyObject *self, PyObject *unused)
{
    (void)unused;
    cn_array *array = cnx_get(self), *indices[CN_MAX_DIMS];
    int ndim = cn_array_ndim(array);
    cnx_begin();
    cn_status status = cn_nonzero(array, indices);
    if (status != CN_OK) {
        return cnx_raise_method(status, "nonzero", self, NULL, NULL);
    }
    PyObject *tuple = PyTuple_New(ndim);
    for (int d = 0; d < ndim; d++) {
        PyObject *made = cnx_new(indices[d]);
        if (tuple != NULL && made != NULL) {
            PyTuple_SET_ITEM(tuple, d, made);
        } else {
            Py_XDECREF(made);
            Py_CLEAR(tuple);
        }
    }
    return cnx_end(tuple);
}

/* The elements in C order; other orders are NumPy's business. */
static PyObject *method_tobytes(PyObject *self, PyObject *args, PyObject *kwargs)
{
    const cn_array *array = cnx_get(self);
    if (kwargs != NULL || PyTuple_GET_SIZE(args) > 0) {
        return cnx_call_method(self, "tobytes", args, kwargs);
    }
    int64_t nbytes = cn_array_size(array) * (int64_t)cn_dtype_size(cn_array_dtype(array));
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, nbytes);
    if (bytes == NULL) {
        return NULL;
    }
    cnx_begin();
    cn_status status = cn_array_read(array, PyBytes_AS_STRING(bytes), nbytes);
    if (status != CN_OK) {
        Py_DECREF(bytes);
        return cnx_raise_plain(status);
    }
    return cnx_end(bytes);
}

static bool is_integers(PyObject *object)
{
    if (cnx_array_check(object)) {
        return cn_array_dtype(cnx_get(object)) >= CN_INT8 && cn_array_dtype(cnx_get(object)) <= CN_INT64;
    }
    return cnx_is_native_numpy(object) && PyArray_ISINTEGER((PyArrayObject *)object);
}

/* Elements of the array, or of all in C order (axis -1), by an array of integers. */
static cn_status take(cn_array *array, int axis, cn_array *index, cn_array **out)
{
    cn_array *flat = NULL, *numbers = NULL;
    int64_t size = cn_array_size(array);
    cn_status status = axis < 0 ? cnx_reshape(array, 1, &size, NULL, &flat) : CN_OK;
    if (status == CN_OK && cn_array_dtype(index) != CN_INT64) {
        status = cn_array_copy(index, CN_INT64, false, &numbers);
    }
    if (status == CN_OK) {
        status = cn_take(flat != NULL ? flat : array, axis < 0 ? 0 : axis, numbers != NULL ? numbers : index, out);
    }
    cn_array_unref(flat);
    cn_array_unref(numbers);
    return status;
}

/* Takes with mode "raise" and no out, by integers; the package has the others, and errors. */
static PyObject *method_take(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"indices", "axis", "out", "mode", NULL};
    PyObject *indices, *axis_object = NULL, *out = NULL, *mode = NULL, *keep = NULL;
    int axis = -1, ndim = cn_array_ndim(cnx_get(self));
    cn_operand index = {.array = NULL};
    cn_array *taken;
    bool good = PyArg_ParseTupleAndKeywords(args, kwargs, "O|OOO", names, &indices, &axis_object, &out, &mode) &&
                !cnx_given(out) && ndim > 0 && cnx_array_check_exact(self) && is_integers(indices) &&
                (mode == NULL || (PyUnicode_Check(mode) && PyUnicode_CompareWithASCIIString(mode, "raise") == 0)) &&
                (!cnx_given(axis_object) || cnx_parse_axis(axis_object, ndim, &axis) == 0) &&
                cnx_operand(indices, &index, &keep) == 1 && index.array != NULL && cn_array_ndim(index.array) > 0 &&
                cn_array_ndim(index.array) + ndim - 1 <= CN_MAX_DIMS;
    if (good) {
        cnx_begin();
        cn_status status = take(cnx_get(self), axis, index.array, &taken);
        Py_XDECREF(keep);
        if (status == CN_OK) {
            return cnx_end(cnx_new(taken));
        }
        return status == CN_ERROR_MEMORY ? cnx_raise_plain(status) : cnx_call_method(self, "take", args, kwargs);
    }
    Py_XDECREF(keep);
    PyErr_Clear();
    return cnx_call_method(self, "take", args, kwargs);
}

/* ---- Elementwise ----------------------------------------------------------------------------------------- */

static PyObject *call_with(const char *ufunc, PyObject *const *operands, Py_ssize_t count, PyObject *out,
                           PyObject *kwargs)
{
    PyObject *function = cnx_ufunc_named(ufunc), *args = PyTuple_New(count), *result = NULL;
    PyObject *keywords = kwargs != NULL ? PyDict_Copy(kwargs) : PyDict_New();
    for (Py_ssize_t i = 0; args != NULL && i < count; i++) {
        PyTuple_SET_ITEM(args, i, Py_NewRef(operands[i]));
    }
    if (function != NULL && args != NULL && keywords != NULL &&
        (!cnx_given(out) || PyDict_SetItemString(keywords, "out", out) == 0)) {
        result = PyObject_Call(function, args, keywords);
    }
    Py_XDECREF(args);
    Py_XDECREF(keywords);
    return result;
}

/* Bounds that no integer of the dtype passes are none (NumPy's rule for Python's ints). */
static bool is_no_bound(PyObject *self, PyObject *bound, bool lower)
{
    cn_dtype dtype = cn_array_dtype(cnx_get(self));
    if (!cnx_given(bound)) {
        return true;
    }
    if (!PyLong_CheckExact(bound) || dtype < CN_INT8 || dtype > CN_UINT64) {
        return false;
    }
    bool is_unsigned = dtype == CN_UINT8 || dtype == CN_UINT16 || dtype == CN_UINT32 || dtype == CN_UINT64;
    int bits = 8 * (int)cn_dtype_size(dtype), overflow;
    int64_t most = INT64_MAX >> (64 - bits), least = is_unsigned ? 0 : -most - 1;
    long long value = PyLong_AsLongLongAndOverflow(bound, &overflow);
    if (lower) {
        return overflow < 0 || (overflow == 0 && value <= least);
    }
    if (dtype == CN_UINT64) {
        return overflow > 0; /* 2**63 .. 2**64 - 2 are bounds; clip takes them or raises */
    }
    most = is_unsigned ? (int64_t)(UINT64_MAX >> (64 - bits)) : most;
    return overflow > 0 || (overflow == 0 && value >= most);
}

static PyObject *method_clip(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"min", "max", "out", NULL};
    static const char *const own[] = {"min", "max", "out"};
    PyObject *known = PyDict_New(), *others = kwargs != NULL ? PyDict_Copy(kwargs) : PyDict_New(), *result = NULL;
    PyObject *low = NULL, *high = NULL, *out = NULL;
    bool good = known != NULL && others != NULL;
    for (size_t i = 0; good && i < sizeof own / sizeof *own; i++) {
        PyObject *value = PyDict_GetItemString(others, own[i]);
        good = value == NULL ||
               (PyDict_SetItemString(known, own[i], value) == 0 && PyDict_DelItemString(others, own[i]) == 0);
    }
    if (good && PyArg_ParseTupleAndKeywords(args, known, "|OOO:clip", names, &low, &high, &out)) {
        bool no_low = is_no_bound(self, low, true), no_high = is_no_bound(self, high, false);
        PyObject *operands[3] = {self, no_low ? high : low, high};
        Py_ssize_t count = no_low && no_high ? 1 : no_low || no_high ? 2 : 3;
        const char *ufunc = count == 1 ? "positive" : count == 3 ? "clip" : no_low ? "minimum" : "maximum";
        result = call_with(ufunc, operands, count, out, others);
    }
    Py_XDECREF(known);
    Py_XDECREF(others);
    return result;
}

/* round(x * 10**d) / 10**d, in the order of operations that numpy has. */
static PyObject *round_scaled(PyObject *self, int decimals)
{
    double power = 1;
    for (int i = 0; i < (decimals < 0 ? -decimals : decimals); i++) {
        power *= 10;
    }
    const char *first = decimals < 0 ? "divide" : "multiply", *second = decimals < 0 ? "multiply" : "divide";
    PyObject *scale = PyFloat_FromDouble(power);
    PyObject *scaled = scale != NULL ? cnx_call_ufunc(first, self, scale, NULL) : NULL;
    PyObject *rounded =
        scaled != NULL ? cnx_call_ufunc("rint", scaled, NULL, cnx_array_check(scaled) ? scaled : NULL) : NULL;
    PyObject *result =
        rounded != NULL ? cnx_call_ufunc(second, rounded, scale, cnx_array_check(rounded) ? rounded : NULL) : NULL;
    Py_XDECREF(scale);
    Py_XDECREF(scaled);
    Py_XDECREF(rounded);
    return result;
}

static PyObject *method_round(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"decimals", "out", NULL};
    cn_dtype dtype = cn_array_dtype(cnx_get(self));
    int decimals = 0;
    PyObject *out = NULL;
    bool good = PyArg_ParseTupleAndKeywords(args, kwargs, "|iO", names, &decimals, &out);
    bool integer = dtype >= CN_INT8 && dtype <= CN_UINT64;
    const cn_array *array = cnx_get(self);
    bool in_order = cn_array_c_contiguous(array) || cn_array_f_contiguous(array);
    if (!good || !cnx_array_check_exact(self) || is_complex(dtype) || (integer && decimals < 0) || cnx_given(out) ||
        decimals < -22 || decimals > 22 || (decimals != 0 && (dtype == CN_BOOL || !in_order)) ||
        cn_array_ndim(array) == 0) {
        PyErr_Clear();
        return cnx_call_method(self, "round", args, kwargs);
    }
    if (integer) {
        return PyObject_CallMethod(self, "copy", "s", "K");
    }
    return decimals == 0 ? cnx_call_ufunc("rint", self, NULL, NULL) : round_scaled(self, decimals);
}

static PyObject *method_conjugate(PyObject *self, PyObject *args)
{
    PyObject *out = NULL;
    if (!PyArg_ParseTuple(args, "|O:conjugate", &out)) {
        return NULL;
    }
    if (!is_complex(cn_array_dtype(cnx_get(self))) && !cnx_given(out)) {
        return Py_NewRef(self);
    }
    return cnx_call_ufunc("conjugate", self, NULL, cnx_given(out) ? out : NULL);
}

static PyObject *method_dot(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"b", "out", NULL};
    PyObject *other, *out = NULL;
    if (kwargs == NULL && PyTuple_GET_SIZE(args) == 1 && cnx_array_check_exact(self)) {
        return cnx_dot(self, PyTuple_GET_ITEM(args, 0), NULL);
    }
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:dot", names, &other, &out)) {
        return NULL;
    }
    if (!cnx_array_check_exact(self)) {
        return cnx_call_method(self, "dot", args, kwargs);
    }
    return cnx_dot(self, other, cnx_given(out) ? out : NULL);
}

/* ---- resize ---------------------------------------------------------------------------------------------- */

/* New memory with as many of the values as fit, then zeros. */
static cn_status resized(cn_array *array, int ndim, const int64_t *shape, cn_array **out)
{
    cn_array *made, *from = NULL, *to = NULL, *flat = NULL;
    cn_dtype dtype = cn_array_dtype(array);
    cn_status status = cn_array_empty(dtype, ndim, shape, &made);
    if (status != CN_OK) {
        return status;
    }
    int64_t size = cn_array_size(made), have = cn_array_size(array), kept = size < have ? size : have;
    int64_t stride = (int64_t)cn_dtype_size(dtype);
    cn_operand zero = {.scalar = {.dtype = CN_BOOL}}, source;
    status = cn_copy(made, &zero, CN_CAST_UNSAFE);
    if (status == CN_OK && kept > 0) {
        status = cnx_reshape(array, 1, &have, NULL, &flat);
        if (status == CN_OK) {
            status = cn_array_view(flat, dtype, cn_array_offset(flat), 1, &kept, cn_array_strides(flat), true, &from);
        }
        if (status == CN_OK) {
            status = cn_array_view(made, dtype, 0, 1, &kept, &stride, true, &to);
        }
        if (status == CN_OK) {
            source = (cn_operand){.array = from};
            status = cn_copy(to, &source, CN_CAST_NO);
        }
    }
    cn_array_unref(flat);
    cn_array_unref(from);
    cn_array_unref(to);
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *out = made;
    return CN_OK;
}

static bool is_count(int ndim, const int64_t *shape, int64_t size)
{
    int64_t count = 1;
    for (int d = 0; d < ndim; d++) {
        if (shape[d] < 0 || __builtin_mul_overflow(count, shape[d], &count)) {
            return false;
        }
    }
    return count == size;
}

/* Memory in Fortran's order is C order of the transposes. */
static cn_status resized_in_order(cn_array *array, int ndim, const int64_t *shape, cn_array **out)
{
    int64_t reversed[CN_MAX_DIMS];
    cn_array *turned, *made;
    if (cn_array_c_contiguous(array)) {
        return resized(array, ndim, shape, out);
    }
    for (int d = 0; d < ndim; d++) {
        reversed[d] = shape[ndim - 1 - d];
    }
    cn_status status = cn_array_transpose(array, NULL, &turned);
    if (status == CN_OK) {
        status = resized(turned, ndim, reversed, &made);
        cn_array_unref(turned);
    }
    if (status == CN_OK) {
        status = cn_array_transpose(made, NULL, out);
        cn_array_unref(made);
    }
    return status;
}

static PyObject *method_resize(PyObject *object, PyObject *args, PyObject *kwargs)
{
    cnx_array *self = (cnx_array *)object;
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    PyObject *shape_object = count == 1 ? PyTuple_GET_ITEM(args, 0) : args;
    int ndim;
    int64_t shape[CN_MAX_DIMS];
    PyObject *refcheck = kwargs != NULL ? PyDict_GetItemString(kwargs, "refcheck") : NULL;
    bool only_refcheck = kwargs == NULL || (PyDict_GET_SIZE(kwargs) == (refcheck != NULL) &&
                                            (refcheck == NULL || PyLong_Check(refcheck)));
    if (only_refcheck && (count == 0 || shape_object == Py_None)) {
        Py_RETURN_NONE;
    }
    if (self->base != NULL && only_refcheck && cn_array_c_contiguous(self->array) &&
        cnx_parse_shape(shape_object, &ndim, shape) == 0 && is_count(ndim, shape, cn_array_size(self->array))) {
        return PyObject_SetAttrString(object, "shape", shape_object) == 0 ? Py_NewRef(Py_None) : NULL;
    }
    PyErr_Clear();
    if (count == 0 || !only_refcheck || self->base != NULL || self->pinned || self->unlocked != NULL ||
        cn_array_shared(self->array) || cnx_parse_shape(shape_object, &ndim, shape) < 0) {
        PyErr_Clear();
        return cnx_call_method(object, "resize", args, kwargs); /* it raises */
    }
    cn_array *made;
    cnx_begin();
    cn_status status = resized_in_order(self->array, ndim, shape, &made);
    if (status != CN_OK) {
        return cnx_raise_method(status, "resize", object, args, kwargs);
    }
    cn_array_unref(self->array);
    self->array = made;
    return cnx_end(Py_NewRef(Py_None));
}

static PyObject *method_setflags(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"write", "align", "uic", NULL};
    static const char *const attributes[] = {"writeable", "aligned", "writebackifcopy"};
    PyObject *values[3] = {NULL, NULL, NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOO:setflags", names, &values[0], &values[1], &values[2])) {
        return NULL;
    }
    PyObject *flags = cnx_flags(self);
    int status = flags != NULL ? 0 : -1;
    for (int i = 0; i < 3 && status == 0; i++) {
        status = cnx_given(values[i]) ? PyObject_SetAttrString(flags, attributes[i], values[i]) : 0;
    }
    Py_XDECREF(flags);
    return status == 0 ? Py_NewRef(Py_None) : NULL;
}

/* ---- Left to the package: composed there, or NumPy's ------------------------------------------------------ */

/* The commonest call, along the last axis; else the package's. */
static PyObject *by_numpy_argsort(PyObject *self, PyObject *args, PyObject *kwargs)
{
    cn_array *array = cnx_get(self), *made;
    if (kwargs != NULL || PyTuple_GET_SIZE(args) > 0 || cn_array_ndim(array) == 0 || !cnx_array_check_exact(self)) {
        return cnx_call_method(self, "argsort", args, kwargs);
    }
    cnx_begin();
    cn_status status = cn_argsort(array, cn_array_ndim(array) - 1, &made);
    return status == CN_OK ? cnx_end(cnx_new(made)) : cnx_call_method(self, "argsort", args, kwargs);
}

/* NumPy's method, if the call has a few elements at hand, else the package's. */
static PyObject *few_or_package(cnx_few *few, PyObject *self, const char *name, PyObject *args, PyObject *kwargs)
{
    enum { MOST = 4 };
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    PyObject *all[1 + MOST] = {self}, *result;
    if (count > MOST || (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) || !cnx_array_check_exact(self)) {
        return cnx_call_method(self, name, args, kwargs);
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        all[1 + i] = PyTuple_GET_ITEM(args, i);
    }
    if (few->function == NULL && (few->function = cnx_numpy_method(name)) == NULL) {
        return NULL;
    }
    return cnx_at_hand(few, all, 1 + count, NULL, &result) ? result : cnx_call_method(self, name, args, kwargs);
}

#define BY_NUMPY(name)                                                                                                 \
    static PyObject *by_numpy_##name(PyObject *self, PyObject *args, PyObject *kwargs)                                 \
    {                                                                                                                  \
        return cnx_call_method(self, #name, args, kwargs);                                                             \
    }
#define FEW(name, pending_too, times)                                                                                  \
    static PyObject *by_numpy_##name(PyObject *self, PyObject *args, PyObject *kwargs)                                 \
    {                                                                                                                  \
        static cnx_few few = {NULL, pending_too, times};                                                               \
        return few_or_package(&few, self, #name, args, kwargs);                                                        \
    }
#define LONGER(X) X(argpartition) X(byteswap) X(getfield) X(partition) X(searchsorted) X(setfield) X(sort)
#define FALLBACKS(X) LONGER(X) X(argsort) X(choose) X(compress) X(put) X(repeat)
#define QUIET(X) X(dump) X(dumps) X(tofile) X(__format__)

LONGER(BY_NUMPY)
FEW(choose, true, 1 / 8.)
FEW(compress, true, 1)
FEW(put, true, 1)
FEW(repeat, false, 1 / 4.)
QUIET(BY_NUMPY)

#define ROW(name) {#name, CNX_KEYWORDS(by_numpy_##name), METH_VARARGS | METH_KEYWORDS, NULL},
#define NAME(name) #name,

static const PyMethodDef fallback_rows[] = {FALLBACKS(ROW) QUIET(ROW){NULL, NULL, 0, NULL}};
static const char *const fallback_names[] = {FALLBACKS(NAME) NULL};

static const PyMethodDef own_rows[] = {
    {"astype", CNX_KEYWORDS(method_astype), METH_VARARGS | METH_KEYWORDS,
     "astype(dtype, order='K', casting='unsafe', subok=True, copy=True)"},
    {"copy", CNX_KEYWORDS(method_copy), METH_VARARGS | METH_KEYWORDS, "copy(order='C')"},
    {"item", method_item, METH_VARARGS, "item(*args)"},
    {"dot", CNX_KEYWORDS(method_dot), METH_VARARGS | METH_KEYWORDS, "dot(other, out=None)"},
    {"fill", CNX_KEYWORDS(method_fill), METH_VARARGS | METH_KEYWORDS, "fill(value)"},
    {"tobytes", CNX_KEYWORDS(method_tobytes), METH_VARARGS | METH_KEYWORDS, "tobytes(order='C')"},
    {"tolist", method_tolist, METH_NOARGS, "tolist()"},
    {"nonzero", method_nonzero, METH_NOARGS, "nonzero()"},
    {"take", CNX_KEYWORDS(method_take), METH_VARARGS | METH_KEYWORDS,
     "take(indices, axis=None, out=None, mode='raise')"},
    {"clip", CNX_KEYWORDS(method_clip), METH_VARARGS | METH_KEYWORDS, "clip(min=None, max=None, out=None, **kwargs)"},
    {"round", CNX_KEYWORDS(method_round), METH_VARARGS | METH_KEYWORDS, "round(decimals=0, out=None)"},
    {"conj", method_conjugate, METH_VARARGS, "conj()"},
    {"conjugate", method_conjugate, METH_VARARGS, "conjugate()"},
    {"setflags", CNX_KEYWORDS(method_setflags), METH_VARARGS | METH_KEYWORDS,
     "setflags(write=None, align=None, uic=None)"},
    {"resize", CNX_KEYWORDS(method_resize), METH_VARARGS | METH_KEYWORDS, "resize(new_shape, refcheck=True)"},
    {NULL, NULL, 0, NULL},
};

/* ---- The table ------------------------------------------------------------------------------------------- */

enum { MOST_METHODS = 96 };

PyMethodDef cnx_array_methods[MOST_METHODS + 1];

/* fallback_methods: what coverage() reports. */
static int add_names(PyObject *module)
{
    Py_ssize_t count = 0;
    while (fallback_names[count] != NULL) {
        count++;
    }
    PyObject *names = PyTuple_New(count);
    for (Py_ssize_t i = 0; names != NULL && i < count; i++) {
        PyObject *name = PyUnicode_InternFromString(fallback_names[i]);
        if (name == NULL) {
            Py_CLEAR(names);
            break;
        }
        PyTuple_SET_ITEM(names, i, name);
    }
    int status = names != NULL ? PyModule_AddObjectRef(module, "fallback_methods", names) : -1;
    Py_XDECREF(names);
    return status;
}

/* The text and signature of numpy.ndarray's method of this name; else the row's own. */
static const char *doc_of(const PyMethodDef *row)
{
    PyObject *theirs = PyDict_GetItemString(PyArray_Type.tp_dict, row->ml_name);
    bool is_method = theirs != NULL && Py_IS_TYPE(theirs, &PyMethodDescr_Type);
    const char *doc = is_method ? ((PyMethodDescrObject *)theirs)->d_method->ml_doc : NULL;
    return doc != NULL ? doc : row->ml_doc;
}

int cnx_methods_init(PyObject *module)
{
    const PyMethodDef *tables[] = {own_rows, cnx_shape_methods, cnx_reduce_methods, cnx_protocol_methods,
                                   fallback_rows};
    int n = 0;
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        for (const PyMethodDef *row = tables[t]; row->ml_name != NULL; row++) {
            if (n == MOST_METHODS) {
                PyErr_SetString(PyExc_SystemError, "MOST_METHODS is too small");
                return -1;
            }
            cnx_array_methods[n] = *row;
            cnx_array_methods[n++].ml_doc = doc_of(row);
        }
    }
    if (n == MOST_METHODS) {
        PyErr_SetString(PyExc_SystemError, "MOST_METHODS is too small");
        return -1;
    }
    cnx_array_methods[n] = cnx_init_subclass;
    return add_names(module);
}
