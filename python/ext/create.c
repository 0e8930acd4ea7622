/*
 * create.c - new arrays: array, asarray, empty, zeros, ones, progression.
 *
 * Whatever is no array yet is read by NumPy itself, with NumPy's meaning of every argument, and its result becomes
 * ours; dtypes that are not native give NumPy's own arrays.
 */
#include "ext.h"

/* ---- From other objects -------------------------------------------------------------------------------- */

typedef struct request {
    PyObject *object, *dtype_object, *copy, *order_object, *like; /* borrowed; NULL or None: not given */
    cn_dtype dtype;                                               /* CN_DTYPE_NONE: as it is */
    char order;
    int subok, ndmin;
} request;

/* The object's __array__ may give an array of ours, which NumPy does not take: cnumeric._fallback.call sees to it. */
static bool makes_arrays(PyObject *args)
{
    PyObject *object = PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0) : NULL;
    if (object == NULL || PyArray_CheckAnyScalar(object) || PyArray_Check(object) || PyList_CheckExact(object)) {
        return false;
    }
    int has = PyObject_HasAttrString((PyObject *)Py_TYPE(object), "__array__");
    return has == 1;
}

/* numpy.array with the call's own arguments, as ours; an argument that comes back itself is wrapped, not copied. */
static PyObject *by_numpy(const char *function, PyObject *args, PyObject *kwargs)
{
    if (makes_arrays(args)) {
        return cnx_call_quietly(function, args, kwargs);
    }
    PyObject *numpy = cnx_numpy(function), *ours = NULL;
    PyObject *made = numpy != NULL ? PyObject_Call(numpy, args, kwargs) : NULL;
    bool nested = PyTuple_GET_SIZE(args) > 0 && PyList_CheckExact(PyTuple_GET_ITEM(args, 0));
    if (made == NULL && nested && PyErr_ExceptionMatches(PyExc_ValueError)) { /* perhaps of arrays that are in it */
        PyErr_Clear();
        Py_DECREF(numpy);
        return cnx_call_quietly(function, args, kwargs);
    }
    if (made != NULL) {
        bool same = PyTuple_GET_SIZE(args) > 0 && PyTuple_GET_ITEM(args, 0) == made && cnx_is_native_numpy(made);
        ours = same ? cnx_wrap(made) : cnx_from_numpy(made);
    }
    Py_XDECREF(numpy);
    Py_XDECREF(made);
    return cnx_end(ours);
}

/* With leading axes of one until there are ndmin. array is taken. */
static cn_status pad_axes(cn_array *array, int ndmin, cn_array **out)
{
    int ndim = cn_array_ndim(array), extra = ndmin - ndim;
    int64_t shape[CN_MAX_DIMS], strides[CN_MAX_DIMS];
    if (extra <= 0) {
        *out = array;
        return CN_OK;
    }
    for (int d = 0; d < ndmin; d++) {
        shape[d] = d < extra ? 1 : cn_array_shape(array)[d - extra];
        strides[d] = d < extra ? (int64_t)cn_dtype_size(cn_array_dtype(array)) : cn_array_strides(array)[d - extra];
    }
    cn_status status =
        cn_array_view(array, cn_array_dtype(array), cn_array_offset(array), ndmin, shape, strides, true, out);
    cn_array_unref(array);
    return status;
}

static PyObject *copy_array(const request *q)
{
    cn_array *array = cnx_get(q->object), *copy, *made;
    cnx_begin();
    cn_status status =
        cnx_copy_order(array, q->dtype != CN_DTYPE_NONE ? q->dtype : cn_array_dtype(array), q->order, &copy);
    if (status == CN_OK) {
        status = pad_axes(copy, q->ndmin, &made);
    }
    if (status != CN_OK) {
        return cnx_raise_plain(status);
    }
    return cnx_end(q->subok ? cnx_like(q->object, made) : cnx_new(made));
}

/* An array of ours as asked for; NULL without an exception: NumPy must say what is wrong. */
static PyObject *from_ours(const request *q)
{
    cn_array *array = cnx_get(q->object), *made;
    bool retype = q->dtype != CN_DTYPE_NONE && q->dtype != cn_array_dtype(array);
    bool must = retype || !(q->order == 'A' || cnx_order_holds(array, q->order)) || q->copy == Py_True;
    if (must) {
        return q->copy == Py_False ? NULL : copy_array(q);
    }
    if (q->ndmin <= cn_array_ndim(array) && (q->subok || cnx_array_check_exact(q->object))) {
        return Py_NewRef(q->object);
    }
    cn_status status = pad_axes(cn_array_ref(array), q->ndmin, &made);
    if (status != CN_OK) {
        return cnx_raise_plain(status);
    }
    PyObject *base = ((cnx_array *)q->object)->base;
    return q->subok ? cnx_view(q->object, made) : cnx_new_based(made, base != NULL ? base : q->object);
}

/* Fills order and dtype; false: not for us. */
static bool read_request(request *q, char order)
{
    q->dtype = CN_DTYPE_NONE;
    if (cnx_given(q->like) || cnx_parse_order(q->order_object, order, &q->order) < 0 || q->ndmin > CN_MAX_DIMS) {
        return false;
    }
    q->copy = q->copy == NULL ? Py_True : q->copy;
    if (!PyBool_Check(q->copy) && q->copy != Py_None) {
        return false;
    }
    if (cnx_given(q->dtype_object)) {
        q->dtype = cnx_dtype_of(q->dtype_object);
        PyErr_Clear(); /* no dtype at all: NumPy says so again */
        return q->dtype != CN_DTYPE_NONE;
    }
    return true;
}

/* Does the call ask for the values of a NumPy array as they are? */
static bool is_plain_copy(const request *q)
{
    PyArrayObject *numpy = (PyArrayObject *)q->object;
    bool same = q->dtype == CN_DTYPE_NONE || q->dtype == cnx_dtype_of_descr(PyArray_DESCR(numpy));
    return q->copy == Py_True && same && q->order != 'F' && PyArray_IS_C_CONTIGUOUS(numpy) &&
           q->ndmin <= PyArray_NDIM(numpy);
}

/* What is neither NumPy's, nor Python's own, may have its values on a GPU. NULL without an exception: it has not. */
static PyObject *seen_on_device(PyObject *object)
{
    bool plain =
        PyArray_Check(object) || PyArray_CheckAnyScalar(object) || PyList_Check(object) || PyTuple_Check(object);
    return plain ? NULL : cnx_see_device(object);
}

static PyObject *make_array(request *q, char order, const char *function, PyObject *args, PyObject *kwargs)
{
    PyObject *made = NULL, *object = q->object, *seen;
    if (read_request(q, order)) {
        if (cnx_array_check(object)) {
            made = from_ours(q);
        } else if (cnx_is_native_numpy(object) && is_plain_copy(q)) {
            made = cnx_copy_of(object, NPY_KEEPORDER); /* records nothing, so what is pending need not run */
        } else if (cnx_is_native_numpy(object)) {
            PyObject *wrapped = cnx_wrap(object);
            q->object = wrapped;
            made = wrapped != NULL ? from_ours(q) : NULL;
            Py_XDECREF(wrapped);
        } else if ((seen = seen_on_device(object)) != NULL) {
            q->object = seen;
            made = from_ours(q);
            Py_DECREF(seen);
        }
    }
    return made != NULL || PyErr_Occurred() ? made : by_numpy(function, args, kwargs);
}

static PyObject *array_of_call(PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"object", "dtype", "copy", "order", "subok", "ndmin", "ndmax", "like", NULL};
    request q = {.object = NULL};
    PyObject *ndmax = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O$OOpiOO", names, &q.object, &q.dtype_object, &q.copy,
                                     &q.order_object, &q.subok, &q.ndmin, &ndmax, &q.like) ||
        ndmax != NULL) {
        PyErr_Clear();
        return by_numpy("array", args, kwargs);
    }
    return make_array(&q, 'K', "array", args, kwargs);
}

static PyObject *asarray_of_call(PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"a", "dtype", "order", "device", "copy", "like", NULL};
    request q = {.copy = Py_None};
    PyObject *device = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OO$OOO", names, &q.object, &q.dtype_object, &q.order_object,
                                     &device, &q.copy, &q.like) ||
        (cnx_given(device) && (!PyUnicode_Check(device) || PyUnicode_CompareWithASCIIString(device, "cpu") != 0))) {
        PyErr_Clear();
        return by_numpy("asarray", args, kwargs);
    }
    return make_array(&q, 'K', "asarray", args, kwargs);
}

/* A call without a tuple as one with it. */
static PyObject *call_packed(PyObject *(*function)(PyObject *args, PyObject *kwargs), PyObject *const *args,
                             Py_ssize_t count, PyObject *names)
{
    PyObject *given = PyTuple_New(count), *named = names != NULL ? PyDict_New() : NULL, *made = NULL;
    bool good = given != NULL && (names == NULL || named != NULL);
    for (Py_ssize_t i = 0; given != NULL && i < count; i++) {
        PyTuple_SET_ITEM(given, i, Py_NewRef(args[i]));
    }
    for (Py_ssize_t i = 0; good && names != NULL && i < PyTuple_GET_SIZE(names); i++) {
        good = PyDict_SetItem(named, PyTuple_GET_ITEM(names, i), args[count + i]) == 0;
    }
    if (good) {
        made = function(given, named);
    }
    Py_XDECREF(given);
    Py_XDECREF(named);
    return made;
}

/* Is it a call of an object alone, or of that and a dtype (NULL: none)? */
static bool object_and_dtype(Py_ssize_t count, PyObject *const *args, PyObject *names, PyObject **dtype)
{
    bool named = names != NULL && PyTuple_GET_SIZE(names) == 1 && count == 1 &&
                 PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "dtype") == 0;
    bool two = named || (names == NULL && count == 2);
    *dtype = two && cnx_given(args[1]) ? args[1] : NULL;
    return two || (names == NULL && count == 1);
}

/* The commonest calls, of a list. NULL without an exception: it is another, or NumPy does not take what is in it. */
static PyObject *of_list(PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *dtype_object;
    if (!object_and_dtype(count, args, names, &dtype_object) ||
        !(PyList_CheckExact(args[0]) || PyTuple_CheckExact(args[0]))) {
        return NULL;
    }
    cn_dtype dtype = dtype_object != NULL ? cnx_dtype_of(dtype_object) : CN_DTYPE_NONE;
    if (dtype_object != NULL && dtype == CN_DTYPE_NONE) {
        PyErr_Clear();
        return NULL;
    }
    PyArray_Descr *descr = dtype != CN_DTYPE_NONE ? cnx_descr(dtype) : NULL;
    Py_XINCREF(descr);
    cnx_begin();
    PyObject *made = PyArray_FromAny(args[0], descr, 0, 0, NPY_ARRAY_DEFAULT | NPY_ARRAY_FORCECAST, NULL);
    PyObject *ours = made != NULL ? cnx_from_numpy(made) : NULL;
    Py_XDECREF(made);
    if (made == NULL && (PyErr_ExceptionMatches(PyExc_ValueError) || PyErr_ExceptionMatches(PyExc_TypeError))) {
        PyErr_Clear(); /* an __array__ that gives an array of ours, say */
    }
    return made != NULL ? cnx_end(ours) : NULL;
}

static PyObject *create_array(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    (void)module;
    PyObject *made = of_list(args, count, names);
    return made != NULL || PyErr_Occurred() ? made : call_packed(array_of_call, args, count, names);
}

static PyObject *create_asarray(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    (void)module;
    if (count == 1 && names == NULL && cnx_array_check_exact(args[0])) {
        return Py_NewRef(args[0]);
    }
    PyObject *made = of_list(args, count, names);
    return made != NULL || PyErr_Occurred() ? made : call_packed(asarray_of_call, args, count, names);
}

/* ---- Of a shape ----------------------------------------------------------------------------------------- */

cn_status cnx_make_filled(const cn_operand *fill, cn_dtype dtype, int ndim, const int64_t *shape, const int *axis_order,
                          cn_array **out)
{
    cn_status status = cn_array_empty_ordered(dtype, ndim, shape, axis_order, out);
    if (status == CN_OK && fill != NULL) {
        status = cn_copy(*out, fill, CN_CAST_UNSAFE);
        if (status != CN_OK) {
            cn_array_unref(*out);
        }
    }
    return status;
}

/* Extents whose product, in bytes, the core refuses are for NumPy to judge. */
static PyObject *make_empty(const char *name, const cn_operand *fill, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"shape", "dtype", "order", "device", "like", NULL};
    PyObject *shape_object, *dtype_object = NULL, *order_object = NULL, *device = NULL, *like = NULL;
    int ndim, reversed[CN_MAX_DIMS];
    int64_t shape[CN_MAX_DIMS];
    char order = 'C';
    cn_dtype dtype = CN_FLOAT64;
    cn_array *array;
    bool good =
        PyArg_ParseTupleAndKeywords(args, kwargs, "O|OO$OO", names, &shape_object, &dtype_object, &order_object,
                                    &device, &like) &&
        !cnx_given(like) && cnx_parse_order(order_object, 'C', &order) == 0 && (order == 'C' || order == 'F') &&
        (!cnx_given(device) || (PyUnicode_Check(device) && PyUnicode_CompareWithASCIIString(device, "cpu") == 0)) &&
        (!cnx_given(dtype_object) || (dtype = cnx_dtype_of(dtype_object)) != CN_DTYPE_NONE) &&
        cnx_parse_shape(shape_object, &ndim, shape) == 0;
    if (!good) {
        PyErr_Clear();
        return by_numpy(name, args, kwargs);
    }
    for (int d = 0; d < ndim; d++) {
        reversed[d] = ndim - 1 - d;
    }
    cnx_begin();
    cn_status status = cnx_make_filled(fill, dtype, ndim, shape, order == 'F' ? reversed : NULL, &array);
    if (status != CN_OK) {
        return cnx_raise_function(status, name, args, kwargs);
    }
    return cnx_end(cnx_new(array));
}

/* A call without a tuple: the commonest, of a shape alone, needs none. */
static PyObject *make_of_vector(const cn_operand *fill, PyObject *(*otherwise)(PyObject *args, PyObject *kwargs),
                                PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    int ndim;
    int64_t shape[CN_MAX_DIMS];
    cn_array *array;
    if (count == 1 && names == NULL && cnx_parse_shape(args[0], &ndim, shape) == 0) {
        cnx_begin();
        if (cnx_make_filled(fill, CN_FLOAT64, ndim, shape, NULL, &array) == CN_OK) {
            return cnx_end(cnx_new(array));
        }
    }
    PyErr_Clear();
    return call_packed(otherwise, args, count, names);
}

static const cn_operand zero = {.scalar = {.dtype = CN_BOOL}};
static const cn_operand one = {.scalar = {.dtype = CN_BOOL, .value = {.b = 1}}};

static PyObject *empty_of_call(PyObject *args, PyObject *kwargs)
{
    return make_empty("empty", NULL, args, kwargs);
}

static PyObject *zeros_of_call(PyObject *args, PyObject *kwargs)
{
    return make_empty("zeros", &zero, args, kwargs);
}

static PyObject *ones_of_call(PyObject *args, PyObject *kwargs)
{
    return make_empty("ones", &one, args, kwargs);
}

static PyObject *create_empty(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    (void)module;
    return make_of_vector(NULL, empty_of_call, args, count, names);
}

static PyObject *create_zeros(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    (void)module;
    return make_of_vector(&zero, zeros_of_call, args, count, names);
}

static PyObject *create_ones(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    (void)module;
    return make_of_vector(&one, ones_of_call, args, count, names);
}

/* progression(start, step, n): start and step are NumPy scalars of one dtype; the package's arange decides on them. */
static PyObject *progression(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"start", "step", "n", NULL};
    PyObject *objects[2], *keep[2] = {NULL, NULL}, *made = NULL;
    cn_operand numbers[2];
    Py_ssize_t n;
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOn:progression", names, &objects[0], &objects[1], &n)) {
        return NULL;
    }
    bool good = cnx_operand(objects[0], &numbers[0], &keep[0]) == 1 &&
                cnx_operand(objects[1], &numbers[1], &keep[1]) == 1 && numbers[0].array == NULL &&
                numbers[1].array == NULL;
    cn_scalar step;
    if (!good) {
        PyErr_SetString(PyExc_TypeError, "progression: start and step must be NumPy scalars of a native dtype");
    } else {
        cn_array *array;
        cnx_begin();
        cn_status status = cn_scalar_cast(&numbers[1].scalar, CN_STRONG, numbers[0].scalar.dtype, &step);
        if (status == CN_OK) {
            status = cn_arange(&numbers[0].scalar, &step, n, &array);
        }
        made = status == CN_OK ? cnx_end(cnx_new(array)) : cnx_raise_plain(status);
    }
    Py_XDECREF(keep[0]);
    Py_XDECREF(keep[1]);
    return made;
}

/* Unpickles: an array of the class with the values of a NumPy array. */
static PyObject *rebuild(PyObject *module, PyObject *args)
{
    PyObject *class, *numpy;
    (void)module;
    if (!PyArg_ParseTuple(args, "OO:_rebuild", &class, &numpy)) {
        return NULL;
    }
    if (!PyType_Check(class) || !PyType_IsSubtype((PyTypeObject *)class, &cnx_array_type) ||
        !cnx_is_native_numpy(numpy)) {
        PyErr_SetString(PyExc_TypeError, "_rebuild: a class of cnumeric arrays and a NumPy array are needed");
        return NULL;
    }
    PyObject *plain = cnx_copy_of(numpy, NPY_KEEPORDER);
    if (plain == NULL || class == (PyObject *)&cnx_array_type) {
        return plain;
    }
    PyObject *made = cnx_new_as((PyTypeObject *)class, NULL, cn_array_ref(cnx_get(plain)));
    Py_DECREF(plain);
    return made;
}

static PyMethodDef functions[] = {
    {"array", CNX_KEYWORDS(create_array), METH_FASTCALL | METH_KEYWORDS, NULL},
    {"asarray", CNX_KEYWORDS(create_asarray), METH_FASTCALL | METH_KEYWORDS, NULL},
    {"empty", CNX_KEYWORDS(create_empty), METH_FASTCALL | METH_KEYWORDS, NULL},
    {"zeros", CNX_KEYWORDS(create_zeros), METH_FASTCALL | METH_KEYWORDS, NULL},
    {"ones", CNX_KEYWORDS(create_ones), METH_FASTCALL | METH_KEYWORDS,
     "ones(shape, dtype=None, order='C', *, device=None, like=None)\n--\n\n"},
    {"progression", CNX_KEYWORDS(progression), METH_VARARGS | METH_KEYWORDS,
     "progression(start, step, n): n values from start."},
    {"_rebuild", rebuild, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

/* The signature that the row has, and NumPy's text, where that has none of its own. */
static const char *joined(const char *signature, const char *text)
{
    size_t length = strlen(signature), more = strlen(text);
    char *both = malloc(length + more + 1); /* kept */
    if (both != NULL) {
        memcpy(both, signature, length);
        memcpy(both + length, text, more + 1);
    }
    return both;
}

int cnx_add_as_numpy(PyObject *module, PyMethodDef *rows)
{
    for (PyMethodDef *row = rows; row->ml_name != NULL; row++) {
        const char *text = row->ml_name[0] != '_' ? cnx_numpy_doc(row->ml_name) : NULL;
        if (text != NULL) {
            row->ml_doc = row->ml_doc == NULL ? text : joined(row->ml_doc, text);
        }
        PyErr_Clear();
    }
    return PyModule_AddFunctions(module, rows);
}

int cnx_create_init(PyObject *module)
{
    return cnx_add_as_numpy(module, functions);
}
