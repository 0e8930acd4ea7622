/*
 * lazy.c - scalars that stay on the device: what a reduction gives whose value the host would have to wait for.
 *
 * One behaves as the NumPy scalar that it will be: its class, attributes, text and hash are that scalar's. Arithmetic with
 * it is recorded like that of any 0-d array, and gives lazy scalars again; the value is fetched when it is used as a number
 * of Python's. `alpha = rs / p.dot(q); x += alpha * p` waits for nothing.
 */
#include "ext.h"

typedef struct lazy {
    PyObject_HEAD PyObject *array; /* 0-d, nobody else's */
    PyObject *value;               /* NULL until it is fetched */
} lazy;

static bool is_lazy(PyObject *object)
{
    return Py_IS_TYPE(object, &cnx_lazy_type);
}

/* Borrowed. */
static PyObject *value_of(PyObject *object)
{
    lazy *self = (lazy *)object;
    if (self->value == NULL) {
        cn_array *array = cnx_get(self->array);
        cnx_begin();
        self->value = cnx_end(cnx_item(array, cn_array_offset(array)));
    }
    return self->value;
}

/* What takes part in arithmetic: the value, once it is known. Borrowed. */
static PyObject *operand_of(PyObject *object)
{
    if (!is_lazy(object)) {
        return object;
    }
    lazy *self = (lazy *)object;
    return self->value != NULL ? self->value : self->array;
}

cn_array *cnx_lazy_array(PyObject *object)
{
    return cnx_get(((lazy *)object)->array);
}

PyObject *cnx_lazy_new(cn_array *array)
{
    PyObject *handle = cnx_new(array);
    lazy *self = handle != NULL ? PyObject_New(lazy, &cnx_lazy_type) : NULL;
    if (self == NULL) {
        Py_XDECREF(handle);
        return NULL;
    }
    self->array = handle;
    self->value = NULL;
    return (PyObject *)self;
}

static void destroy(PyObject *object)
{
    Py_DECREF(((lazy *)object)->array);
    Py_XDECREF(((lazy *)object)->value);
    PyObject_Free(object);
}

/* ---- Arithmetic ----------------------------------------------------------------------------------------- */

#define BINARY(slot, function)                                                                                         \
    static PyObject *slot(PyObject *a, PyObject *b)                                                                    \
    {                                                                                                                  \
        return function(operand_of(a), operand_of(b));                                                                 \
    }
BINARY(add, PyNumber_Add)
BINARY(subtract, PyNumber_Subtract)
BINARY(multiply, PyNumber_Multiply)
BINARY(remainder_of, PyNumber_Remainder)
BINARY(both, PyNumber_Divmod)
BINARY(divide, PyNumber_TrueDivide)
BINARY(floor_divide, PyNumber_FloorDivide)
BINARY(matmul, PyNumber_MatrixMultiply)

#define UNARY(slot, function)                                                                                          \
    static PyObject *slot(PyObject *a)                                                                                 \
    {                                                                                                                  \
        return function(operand_of(a));                                                                                \
    }
UNARY(negative, PyNumber_Negative)
UNARY(positive, PyNumber_Positive)
UNARY(absolute, PyNumber_Absolute)

static PyObject *power(PyObject *a, PyObject *b, PyObject *modulus)
{
    return PyNumber_Power(operand_of(a), operand_of(b), modulus);
}

static PyObject *compare(PyObject *a, PyObject *b, int comparison)
{
    return PyObject_RichCompare(operand_of(a), operand_of(b), comparison);
}

/* ---- The value ------------------------------------------------------------------------------------------ */

#define OF_VALUE(slot, function)                                                                                       \
    static PyObject *slot(PyObject *self)                                                                              \
    {                                                                                                                  \
        PyObject *value = value_of(self);                                                                              \
        return value != NULL ? function(value) : NULL;                                                                 \
    }
OF_VALUE(as_int, PyNumber_Long)
OF_VALUE(as_float, PyNumber_Float)
OF_VALUE(repr, PyObject_Repr)
OF_VALUE(text, PyObject_Str)

static int as_bool(PyObject *self)
{
    PyObject *value = value_of(self);
    return value != NULL ? PyObject_IsTrue(value) : -1;
}

static Py_hash_t hash(PyObject *self)
{
    PyObject *value = value_of(self);
    return value != NULL ? PyObject_Hash(value) : -1;
}

/* scalar[()] is the scalar; whatever else may be asked of one is the value's matter. */
static PyObject *subscript(PyObject *self, PyObject *index)
{
    if (PyTuple_CheckExact(index) && PyTuple_GET_SIZE(index) == 0) {
        return Py_NewRef(self);
    }
    PyObject *value = value_of(self);
    return value != NULL ? PyObject_GetItem(value, index) : NULL;
}

/* Methods that Python looks for in the class. */
static PyObject *forward(PyObject *self, const char *name, PyObject *args)
{
    PyObject *value = value_of(self), *method = value != NULL ? PyObject_GetAttrString(value, name) : NULL;
    PyObject *result = method != NULL ? PyObject_CallObject(method, args) : NULL;
    Py_XDECREF(method);
    return result;
}

#define FORWARD(name)                                                                                                  \
    static PyObject *forward_##name(PyObject *self, PyObject *args)                                                    \
    {                                                                                                                  \
        return forward(self, "__" #name "__", args);                                                                   \
    }
FORWARD(format)
FORWARD(reduce_ex)
FORWARD(reduce)
FORWARD(round)
FORWARD(trunc)
FORWARD(floor)
FORWARD(ceil)
FORWARD(copy)
FORWARD(deepcopy)

static PyObject *forward_complex(PyObject *self, PyObject *unused)
{
    PyObject *value = value_of(self);
    (void)unused;
    return value != NULL ? PyObject_CallOneArg((PyObject *)&PyComplex_Type, value) : NULL;
}

#define METHOD(name) {"__" #name "__", forward_##name, METH_VARARGS, NULL}
static PyMethodDef methods[] = {METHOD(format),
                                METHOD(reduce_ex),
                                METHOD(reduce),
                                METHOD(round),
                                METHOD(trunc),
                                METHOD(floor),
                                METHOD(ceil),
                                METHOD(complex),
                                METHOD(copy),
                                METHOD(deepcopy),
                                {0}};

static PyObject *get_class(PyObject *self, void *unused)
{
    (void)unused;
    return Py_NewRef((PyObject *)cnx_descr(cn_array_dtype(cnx_lazy_array(self)))->typeobj);
}

static PyGetSetDef attributes[] = {{"__class__", get_class, NULL, NULL, NULL}, {0}};

/* What the shape and dtype say is known; everything else is the value's. */
static PyObject *get_attribute(PyObject *self, PyObject *name)
{
    static const char *const known[] = {"dtype", "shape", "ndim", "size", "itemsize", "nbytes", "strides"};
    PyObject *found = PyObject_GenericGetAttr(self, name);
    if (found != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return found;
    }
    PyErr_Clear();
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (PyUnicode_CompareWithASCIIString(name, known[i]) == 0) {
            return PyObject_GetAttr(((lazy *)self)->array, name);
        }
    }
    PyObject *value = value_of(self);
    return value != NULL ? PyObject_GetAttr(value, name) : NULL;
}

static PyNumberMethods as_number = {
    .nb_add = add,
    .nb_subtract = subtract,
    .nb_multiply = multiply,
    .nb_remainder = remainder_of,
    .nb_divmod = both,
    .nb_power = power,
    .nb_negative = negative,
    .nb_positive = positive,
    .nb_absolute = absolute,
    .nb_bool = as_bool,
    .nb_int = as_int,
    .nb_float = as_float,
    .nb_floor_divide = floor_divide,
    .nb_true_divide = divide,
    .nb_matrix_multiply = matmul,
};

static PyMappingMethods as_mapping = {.mp_subscript = subscript};

PyTypeObject cnx_lazy_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "cnumeric.lazy_scalar",
    .tp_basicsize = sizeof(lazy),
    .tp_dealloc = destroy,
    .tp_repr = repr,
    .tp_str = text,
    .tp_hash = hash,
    .tp_as_number = &as_number,
    .tp_as_mapping = &as_mapping,
    .tp_richcompare = compare,
    .tp_getattro = get_attribute,
    .tp_methods = methods,
    .tp_getset = attributes,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "A NumPy scalar whose value is still on the device.",
};

bool cnx_lazy_wanted(const cn_array *array)
{
    return cn_array_dtype(array) >= CN_FLOAT16 && cn_array_elsewhere(array);
}
