/*
 * number.c - operators: the number protocol and comparisons.
 *
 * An operator records the ufunc of NumPy's operator; operands are read on the C stack. When the other operand is not
 * one that the core takes, NumPy's rule decides whether it gets its chance (NotImplemented); if not, the ufunc object
 * is called, and with it NumPy. A subclass among the operands is what the result becomes.
 */
#include "ext.h"

typedef struct operation {
    const char *name;
    cn_op op;
    PyObject *ufunc; /* of this extension */
} operation;

typedef enum which {
    ADD,
    SUBTRACT,
    MULTIPLY,
    DIVIDE,
    FLOOR_DIVIDE,
    REMAINDER,
    DIVMOD,
    POWER,
    LEFT_SHIFT,
    RIGHT_SHIFT,
    BITWISE_AND,
    BITWISE_OR,
    BITWISE_XOR,
    MATMUL,
    NEGATIVE,
    POSITIVE,
    ABSOLUTE,
    INVERT,
    SQUARE,
    SQRT,
    RECIPROCAL,
    LESS,
    LESS_EQUAL,
    EQUAL,
    NOT_EQUAL,
    GREATER,
    GREATER_EQUAL,
    OPERATIONS
} which;

static operation operations[OPERATIONS] = {
    [ADD] = {.name = "add"},
    [SUBTRACT] = {.name = "subtract"},
    [MULTIPLY] = {.name = "multiply"},
    [DIVIDE] = {.name = "divide"},
    [FLOOR_DIVIDE] = {.name = "floor_divide"},
    [REMAINDER] = {.name = "remainder"},
    [DIVMOD] = {.name = "divmod"},
    [POWER] = {.name = "power"},
    [LEFT_SHIFT] = {.name = "left_shift"},
    [RIGHT_SHIFT] = {.name = "right_shift"},
    [BITWISE_AND] = {.name = "bitwise_and"},
    [BITWISE_OR] = {.name = "bitwise_or"},
    [BITWISE_XOR] = {.name = "bitwise_xor"},
    [MATMUL] = {.name = "matmul"},
    [NEGATIVE] = {.name = "negative"},
    [POSITIVE] = {.name = "positive"},
    [ABSOLUTE] = {.name = "absolute"},
    [INVERT] = {.name = "invert"},
    [SQUARE] = {.name = "square"},
    [SQRT] = {.name = "sqrt"},
    [RECIPROCAL] = {.name = "reciprocal"},
    [LESS] = {.name = "less"},
    [LESS_EQUAL] = {.name = "less_equal"},
    [EQUAL] = {.name = "equal"},
    [NOT_EQUAL] = {.name = "not_equal"},
    [GREATER] = {.name = "greater"},
    [GREATER_EQUAL] = {.name = "greater_equal"},
};

static PyObject *extension;
static PyObject *array_ufunc_name;

/* ---- Whose turn it is --------------------------------------------------------------------------------- */

static double priority_of(PyObject *object, double otherwise)
{
    PyObject *value = PyObject_GetAttrString(object, "__array_priority__");
    double priority = value != NULL ? PyFloat_AsDouble(value) : otherwise;
    Py_XDECREF(value);
    if (PyErr_Occurred()) {
        PyErr_Clear();
        priority = otherwise;
    }
    return priority;
}

/* NumPy's binop_should_defer. */
static bool defers(PyObject *self, PyObject *other, bool in_place)
{
    if (cnx_array_check(other) || PyArray_CheckExact(other) || PyArray_CheckAnyScalarExact(other) ||
        PyList_CheckExact(other) || PyTuple_CheckExact(other) || other == Py_None) {
        return false;
    }
    PyObject *protocol = PyObject_GetAttr((PyObject *)Py_TYPE(other), array_ufunc_name);
    if (protocol != NULL) {
        bool none = protocol == Py_None;
        Py_DECREF(protocol);
        return none && !in_place;
    }
    PyErr_Clear();
    return priority_of(self, 0.0) < priority_of(other, NPY_SCALAR_PRIORITY);
}

static PyObject *call_ufunc(const operation *o, PyObject *a, PyObject *b, PyObject *out)
{
    PyObject *arguments[3] = {a, b, out};
    size_t count = b == NULL ? 1 : out == NULL ? 2 : 3;
    if (b == NULL && out != NULL) {
        arguments[count++] = out;
    }
    return PyObject_Vectorcall(o->ufunc, arguments, count, NULL);
}

/* Some operand is not for the core. */
static PyObject *foreign(const operation *o, PyObject *a, PyObject *b, PyObject *out)
{
    bool reflected = !cnx_array_check(a);
    PyErr_Clear();
    if (defers(reflected ? b : a, reflected ? a : b, out != NULL)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return call_ufunc(o, a, b, out);
}

/* ---- Recording ---------------------------------------------------------------------------------------- */

static PyObject *refused(const operation *o, cn_status status, PyObject *a, PyObject *b, PyObject *out)
{
    if (status == CN_ERROR_UNSUPPORTED || status == CN_ERROR_OVERFLOW) {
        return call_ufunc(o, a, b, out); /* comparisons with ints out of range have values */
    }
    PyObject *args = b == NULL ? PyTuple_Pack(1, a) : PyTuple_Pack(2, a, b);
    PyObject *kwargs = out != NULL ? PyDict_New() : NULL;
    if (args != NULL && (out == NULL || (kwargs != NULL && PyDict_SetItemString(kwargs, "out", out) == 0))) {
        cnx_raise_function(status, o->name, args, kwargs);
    }
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    return NULL;
}

static inline bool is_subclass(PyObject *object)
{
    return PyType_HasFeature(Py_TYPE(object), Py_TPFLAGS_HEAPTYPE) && cnx_array_check(object);
}

static inline int read_operand(PyObject *object, cn_operand *in, PyObject **keep)
{
    if (cnx_array_check_exact(object)) {
        in->array = cnx_get(object);
        in->weak = CN_STRONG;
        return 1;
    }
    return cnx_ufunc_operand(object, in, keep);
}

static PyObject *binary(const operation *o, PyObject *a, PyObject *b)
{
    cn_operand in[2];
    PyObject *keep[2] = {NULL, NULL}, *made;
    if (read_operand(a, &in[0], &keep[0]) == 1 && read_operand(b, &in[1], &keep[1]) == 1) {
        cn_array *result;
        cnx_begin();
        cn_status status = cn_elementwise(o->op, in, NULL, NULL, &result);
        if (status != CN_OK) {
            made = refused(o, status, a, b, NULL);
        } else if (is_subclass(a) || is_subclass(b)) {
            PyObject *operands[2] = {a, b};
            made = cnx_end(cnx_like(cnx_subclass_of(operands, 2), result));
        } else {
            made = cnx_end(cnx_result(result));
        }
    } else {
        made = foreign(o, a, b, NULL);
    }
    Py_XDECREF(keep[0]);
    Py_XDECREF(keep[1]);
    return made;
}

static PyObject *give_self(PyObject *self, cn_array *result)
{
    cn_array_unref(result);
    return cnx_end(Py_NewRef(self));
}

static PyObject *binary_in_place(const operation *o, PyObject *a, PyObject *b)
{
    cn_operand in[2];
    PyObject *keep = NULL, *made;
    in[0].array = cnx_get(a);
    in[0].weak = CN_STRONG;
    if (!cnx_overrides(a) && read_operand(b, &in[1], &keep) == 1) {
        cn_array *result, *out[1] = {cnx_get(a)};
        cnx_begin();
        cn_status status = cn_elementwise(o->op, in, out, NULL, &result);
        made = status == CN_OK ? give_self(a, result) : refused(o, status, a, b, a);
    } else {
        made = foreign(o, a, b, a);
    }
    Py_XDECREF(keep);
    return made;
}

static PyObject *unary(const operation *o, PyObject *a)
{
    cn_operand in = {.array = cnx_get(a)};
    cn_array *result;
    if (cnx_overrides(a)) {
        return call_ufunc(o, a, NULL, NULL);
    }
    cnx_begin();
    cn_status status = cn_elementwise(o->op, &in, NULL, NULL, &result);
    if (status != CN_OK) {
        return refused(o, status, a, NULL, NULL);
    }
    return cnx_end(is_subclass(a) ? cnx_like(a, result) : cnx_result(result));
}

static PyObject *unary_in_place(const operation *o, PyObject *a)
{
    cn_operand in = {.array = cnx_get(a)};
    cn_array *result, *out[1] = {in.array};
    cnx_begin();
    cn_status status = cn_elementwise(o->op, &in, out, NULL, &result);
    return status == CN_OK ? give_self(a, result) : refused(o, status, a, NULL, a);
}

/* ---- The slots ---------------------------------------------------------------------------------------- */

#define BINARY(name, id)                                                                                               \
    static PyObject *number_##name(PyObject *a, PyObject *b)                                                           \
    {                                                                                                                  \
        return binary(&operations[id], a, b);                                                                          \
    }                                                                                                                  \
    static PyObject *number_in_place_##name(PyObject *a, PyObject *b)                                                  \
    {                                                                                                                  \
        return binary_in_place(&operations[id], a, b);                                                                 \
    }
#define UNARY(name, id)                                                                                                \
    static PyObject *number_##name(PyObject *a)                                                                        \
    {                                                                                                                  \
        return unary(&operations[id], a);                                                                              \
    }

BINARY(add, ADD)
BINARY(subtract, SUBTRACT)
BINARY(multiply, MULTIPLY)
BINARY(divide, DIVIDE)
BINARY(floor_divide, FLOOR_DIVIDE)
BINARY(remainder, REMAINDER)
BINARY(left_shift, LEFT_SHIFT)
BINARY(right_shift, RIGHT_SHIFT)
BINARY(and, BITWISE_AND)
BINARY(or, BITWISE_OR)
BINARY(xor, BITWISE_XOR)
UNARY(negative, NEGATIVE)
UNARY(positive, POSITIVE)
UNARY(absolute, ABSOLUTE)
UNARY(invert, INVERT)

/* Results that are several, or products: by way of the ufunc object. */
static PyObject *by_ufunc(const operation *o, PyObject *a, PyObject *b, PyObject *out)
{
    bool reflected = !cnx_array_check(a);
    if (defers(reflected ? b : a, reflected ? a : b, out != NULL)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return call_ufunc(o, a, b, out);
}

static PyObject *number_divmod(PyObject *a, PyObject *b)
{
    return by_ufunc(&operations[DIVMOD], a, b, NULL);
}

static PyObject *number_matmul(PyObject *a, PyObject *b)
{
    return by_ufunc(&operations[MATMUL], a, b, NULL);
}

static int dimensions(PyObject *object)
{
    return cnx_array_check(object) ? cn_array_ndim(cnx_get(object))
           : PyArray_Check(object) ? PyArray_NDIM((PyArrayObject *)object)
                                   : CN_MAX_DIMS;
}

static PyObject *number_in_place_matmul(PyObject *a, PyObject *b)
{
    if (dimensions(a) < 1 || dimensions(b) < 1) {
        return by_ufunc(&operations[MATMUL], a, b, NULL); /* it raises */
    }
    if (dimensions(b) < 2) {
        PyErr_SetString(PyExc_ValueError,
                        "inplace matrix multiplication requires the first operand to have at least one "
                        "and the second at least two dimensions.");
        return NULL;
    }
    return by_ufunc(&operations[MATMUL], a, b, a);
}

/* The simpler function that a power with this exponent is in NumPy (with its bits), or NULL. */
static const operation *simpler_power(PyObject *base, PyObject *exponent)
{
    bool whole = PyLong_CheckExact(exponent);
    if (!cnx_array_check(base) || (!whole && !PyFloat_CheckExact(exponent))) {
        return NULL;
    }
    int overflow = 0;
    double value = whole ? (double)PyLong_AsLongAndOverflow(exponent, &overflow) : PyFloat_AS_DOUBLE(exponent);
    cn_dtype dtype = cn_array_dtype(cnx_get(base));
    bool real = dtype >= CN_FLOAT16 && dtype <= CN_FLOAT64, inexact = dtype >= CN_FLOAT16;
    if (overflow != 0) {
        return NULL;
    }
    if (value == 2 && (whole || real)) {
        return &operations[SQUARE];
    }
    if (value == 1 && (whole || real) && dtype != CN_BOOL) {
        return &operations[POSITIVE];
    }
    if (value == 0.5 && inexact) {
        return &operations[SQRT];
    }
    return value == -1 && (real || (whole && inexact)) ? &operations[RECIPROCAL] : NULL;
}

cn_op cnx_power_op(void)
{
    return operations[POWER].op;
}

static bool is_signed(cn_dtype dtype)
{
    return dtype == CN_INT8 || dtype == CN_INT16 || dtype == CN_INT32 || dtype == CN_INT64;
}

static cn_status least_element(cn_array *array, cn_scalar *out)
{
    static cn_op minimum = -1;
    minimum = minimum < 0 ? cn_op_find("minimum") : minimum;
    cn_reduce_options options = {.naxes = -1, .dtype = CN_DTYPE_NONE};
    cn_array *least;
    cn_status status = cn_reduce(minimum, array, &options, &least);
    if (status == CN_OK) {
        status = cn_array_item(least, cn_array_offset(least), out);
        cn_array_unref(least);
    }
    return status;
}

cn_status cnx_power_check(const cn_operand *in)
{
    cn_dtype dtypes[2], loop[3];
    cn_weak weak[2];
    for (int i = 0; i < 2; i++) {
        if (in[i].array != NULL && cn_array_size(in[i].array) == 0) {
            return CN_OK; /* no exponents, or no results */
        }
        dtypes[i] = in[i].array != NULL ? cn_array_dtype(in[i].array) : in[i].scalar.dtype;
        weak[i] = in[i].array != NULL ? CN_STRONG : in[i].weak;
    }
    if (!is_signed(dtypes[1]) || dtypes[0] > CN_UINT64) {
        return CN_OK;
    }
    if (cn_op_resolve(operations[POWER].op, dtypes, weak, CN_DTYPE_NONE, CN_CAST_SAME_KIND, loop) != CN_OK ||
        loop[0] > CN_UINT64) {
        return CN_OK; /* not of integers */
    }
    cn_scalar least = in[1].scalar, wide;
    cn_status status = CN_OK;
    if (in[1].array != NULL) {
        status = least_element(in[1].array, &least);
    }
    if (status == CN_OK) {
        status = cn_scalar_cast(&least, CN_STRONG, CN_INT64, &wide);
    }
    return status == CN_OK && wide.value.i64 < 0 ? CN_ERROR_VALUE : status;
}

/* Of integers, by the ufunc object, which checks; in_place: into a. */
static PyObject *power(PyObject *a, PyObject *b, bool in_place)
{
    PyObject *base = cnx_array_check(a) ? a : b;
    bool real = cn_array_dtype(cnx_get(base)) >= CN_FLOAT16;
    if (real || PyFloat_CheckExact(b) || PyFloat_CheckExact(a)) {
        return in_place ? binary_in_place(&operations[POWER], a, b) : binary(&operations[POWER], a, b);
    }
    return by_ufunc(&operations[POWER], a, b, in_place ? a : NULL);
}

static PyObject *number_power(PyObject *a, PyObject *b, PyObject *modulus)
{
    if (modulus != Py_None) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    const operation *simpler = simpler_power(a, b);
    return simpler != NULL ? unary(simpler, a) : power(a, b, false);
}

static PyObject *number_in_place_power(PyObject *a, PyObject *b, PyObject *modulus)
{
    if (modulus != Py_None) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    const operation *simpler = simpler_power(a, b);
    return simpler != NULL ? unary_in_place(simpler, a) : power(a, b, true);
}

PyObject *cnx_compare(PyObject *a, PyObject *b, int comparison)
{
    static const which names[] = {[Py_LT] = LESS,      [Py_LE] = LESS_EQUAL, [Py_EQ] = EQUAL,
                                  [Py_NE] = NOT_EQUAL, [Py_GT] = GREATER,    [Py_GE] = GREATER_EQUAL};
    const operation *o = &operations[names[comparison]];
    cn_operand probe;
    PyObject *keep = NULL;
    int known = cnx_array_check_exact(b) ? 1 : cnx_operand(b, &probe, &keep);
    Py_XDECREF(keep);
    if (known == 1) {
        return binary(o, a, b);
    }
    PyErr_Clear();
    if (defers(a, b, false)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    /* NumPy's operator, which unlike its ufunc has an answer for things that are not numbers */
    PyObject *numpy = cnx_to_numpy(a), *ours = NULL;
    PyObject *result = numpy != NULL ? PyObject_RichCompare(numpy, b, comparison) : NULL;
    if (result != NULL) {
        ours = cnx_from_numpy(result);
    }
    Py_XDECREF(numpy);
    Py_XDECREF(result);
    return cnx_end(ours);
}

/* ---- The protocol -------------------------------------------------------------------------------------- */

PyNumberMethods cnx_as_number = {
    .nb_add = number_add,
    .nb_subtract = number_subtract,
    .nb_multiply = number_multiply,
    .nb_true_divide = number_divide,
    .nb_floor_divide = number_floor_divide,
    .nb_remainder = number_remainder,
    .nb_divmod = number_divmod,
    .nb_power = number_power,
    .nb_lshift = number_left_shift,
    .nb_rshift = number_right_shift,
    .nb_and = number_and,
    .nb_or = number_or,
    .nb_xor = number_xor,
    .nb_matrix_multiply = number_matmul,
    .nb_negative = number_negative,
    .nb_positive = number_positive,
    .nb_absolute = number_absolute,
    .nb_invert = number_invert,
    .nb_inplace_add = number_in_place_add,
    .nb_inplace_subtract = number_in_place_subtract,
    .nb_inplace_multiply = number_in_place_multiply,
    .nb_inplace_true_divide = number_in_place_divide,
    .nb_inplace_floor_divide = number_in_place_floor_divide,
    .nb_inplace_remainder = number_in_place_remainder,
    .nb_inplace_power = number_in_place_power,
    .nb_inplace_lshift = number_in_place_left_shift,
    .nb_inplace_rshift = number_in_place_right_shift,
    .nb_inplace_and = number_in_place_and,
    .nb_inplace_or = number_in_place_or,
    .nb_inplace_xor = number_in_place_xor,
    .nb_inplace_matrix_multiply = number_in_place_matmul,
    .nb_bool = cnx_number_bool,
    .nb_int = cnx_number_int,
    .nb_float = cnx_number_float,
    .nb_index = cnx_number_index,
};

/* ---- The ufunc objects -------------------------------------------------------------------------------- */

PyObject *cnx_ufunc_named(const char *name)
{
    PyObject *ufunc = PyObject_GetAttrString(extension, name);
    Py_XDECREF(ufunc); /* the module keeps it */
    return ufunc;
}

PyObject *cnx_call_ufunc(const char *name, PyObject *a, PyObject *b, PyObject *out)
{
    operation o = {.name = name, .ufunc = cnx_ufunc_named(name)};
    return o.ufunc != NULL ? call_ufunc(&o, a, b, out) : NULL;
}

int cnx_number_init(PyObject *module)
{
    extension = module;
    array_ufunc_name = PyUnicode_InternFromString("__array_ufunc__");
    for (int i = 0; i < OPERATIONS && array_ufunc_name != NULL; i++) {
        operations[i].op = cn_op_find(operations[i].name);
        operations[i].ufunc = cnx_ufunc_named(operations[i].name);
        if (operations[i].ufunc == NULL) {
            return -1;
        }
    }
    return array_ufunc_name != NULL ? 0 : -1;
}
