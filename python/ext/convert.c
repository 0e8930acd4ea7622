/*
 * convert.c - Python's and NumPy's objects as dtypes, scalars and operands of the core, and scalars back.
 *
 * Python's int, float and complex are weak (NEP 50); bool and NumPy's scalars are strong. What the core cannot hold
 * (other dtypes, ints beyond 64 bits, byte-swapped or misaligned arrays, subclasses of numpy.ndarray) is foreign:
 * NumPy must see to the call.
 */
#include "ext.h"

/* ---- Dtypes ------------------------------------------------------------------------------------------- */

#define WORD(signed_name, unsigned_name, type)                                                                         \
    [signed_name] = sizeof(type) == 8 ? CN_INT64 : CN_INT32, [unsigned_name] = sizeof(type) == 8 ? CN_UINT64 : CN_UINT32

static const uint8_t dtypes[] = {
    [NPY_BOOL] = CN_BOOL,
    [NPY_BYTE] = CN_INT8,
    [NPY_UBYTE] = CN_UINT8,
    [NPY_SHORT] = CN_INT16,
    [NPY_USHORT] = CN_UINT16,
    [NPY_INT] = CN_INT32,
    [NPY_UINT] = CN_UINT32,
    WORD(NPY_LONG, NPY_ULONG, long),
    WORD(NPY_LONGLONG, NPY_ULONGLONG, long long),
    [NPY_FLOAT] = CN_FLOAT32,
    [NPY_DOUBLE] = CN_FLOAT64,
    [NPY_LONGDOUBLE] = CN_DTYPE_NONE,
    [NPY_CFLOAT] = CN_COMPLEX64,
    [NPY_CDOUBLE] = CN_COMPLEX128,
    [NPY_CLONGDOUBLE] = CN_DTYPE_NONE,
    [NPY_OBJECT] = CN_DTYPE_NONE,
    [NPY_STRING] = CN_DTYPE_NONE,
    [NPY_UNICODE] = CN_DTYPE_NONE,
    [NPY_VOID] = CN_DTYPE_NONE,
    [NPY_DATETIME] = CN_DTYPE_NONE,
    [NPY_TIMEDELTA] = CN_DTYPE_NONE,
    [NPY_HALF] = CN_FLOAT16,
};

static const int type_numbers[CN_DTYPE_COUNT] = {
    [CN_BOOL] = NPY_BOOL,           [CN_INT8] = NPY_INT8,
    [CN_UINT8] = NPY_UINT8,         [CN_INT16] = NPY_INT16,
    [CN_UINT16] = NPY_UINT16,       [CN_INT32] = NPY_INT32,
    [CN_UINT32] = NPY_UINT32,       [CN_INT64] = NPY_INT64,
    [CN_UINT64] = NPY_UINT64,       [CN_FLOAT16] = NPY_FLOAT16,
    [CN_FLOAT32] = NPY_FLOAT32,     [CN_FLOAT64] = NPY_FLOAT64,
    [CN_COMPLEX64] = NPY_COMPLEX64, [CN_COMPLEX128] = NPY_COMPLEX128,
};

static PyArray_Descr *descrs[CN_DTYPE_COUNT];

static cn_dtype dtype_of_number(int number)
{
    return number >= 0 && number < (int)(sizeof dtypes / sizeof *dtypes) ? (cn_dtype)dtypes[number] : CN_DTYPE_NONE;
}

cn_dtype cnx_dtype_of_descr(PyArray_Descr *descr)
{
    return PyDataType_ISNOTSWAPPED(descr) ? dtype_of_number(descr->type_num) : CN_DTYPE_NONE;
}

cn_dtype cnx_dtype_of(PyObject *object)
{
    if (PyArray_DescrCheck(object)) {
        return cnx_dtype_of_descr((PyArray_Descr *)object);
    }
    if (object == (PyObject *)&PyFloat_Type) {
        return CN_FLOAT64;
    }
    PyArray_Descr *descr = NULL;
    if (PyArray_DescrConverter(object, &descr) != NPY_SUCCEED) {
        return CN_DTYPE_NONE;
    }
    cn_dtype dtype = cnx_dtype_of_descr(descr);
    Py_DECREF(descr);
    return dtype;
}

PyArray_Descr *cnx_descr(cn_dtype dtype)
{
    return descrs[dtype];
}

/* ---- Scalars to Python -------------------------------------------------------------------------------- */

PyObject *cnx_scalar(const cn_scalar *value)
{
    if (value->dtype == CN_FLOAT64) {
        PyObject *made = PyArrayScalar_New(Double);
        if (made != NULL) {
            PyArrayScalar_ASSIGN(made, Double, value->value.f64);
        }
        return made;
    }
    if (value->dtype == CN_BOOL) {
        PyArrayScalar_RETURN_BOOL_FROM_LONG(value->value.b);
    }
    cn_scalar copy = *value; /* PyArray_Scalar takes a pointer to non-const */
    return PyArray_Scalar(copy.value.bytes, descrs[copy.dtype], NULL);
}

PyObject *cnx_item(const cn_array *array, int64_t offset)
{
    cn_scalar value;
    cn_status status = cn_array_item(array, offset, &value);
    return status == CN_OK ? cnx_scalar(&value) : cnx_raise_plain(status);
}

/* ---- Numbers ------------------------------------------------------------------------------------------ */

/* 1, or 0 if it does not fit 64 bits. */
static int read_int(PyObject *object, cn_operand *out)
{
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(object, &overflow);
    out->weak = CN_WEAK_INT;
    if (overflow == 0) {
        out->scalar.dtype = CN_INT64;
        out->scalar.value.i64 = value;
        return 1;
    }
    if (overflow < 0) {
        return 0;
    }
    unsigned long long large = PyLong_AsUnsignedLongLong(object);
    if (large == (unsigned long long)-1 && PyErr_Occurred()) {
        PyErr_Clear();
        return 0;
    }
    out->scalar.dtype = CN_UINT64;
    out->scalar.value.u64 = large;
    return 1;
}

static int read_complex(PyObject *object, cn_operand *out)
{
    Py_complex value = PyComplex_AsCComplex(object);
    out->weak = CN_WEAK_COMPLEX;
    out->scalar.dtype = CN_COMPLEX128;
    out->scalar.value.c128[0] = value.real;
    out->scalar.value.c128[1] = value.imag;
    return 1;
}

/* NumPy's scalars, by their exact types. */
static int read_generic(PyObject *object, cn_operand *out)
{
    if (Py_IS_TYPE(object, &PyDoubleArrType_Type)) {
        out->scalar.dtype = CN_FLOAT64;
        out->scalar.value.f64 = PyArrayScalar_VAL(object, Double);
        return 1;
    }
    if (!PyArray_CheckScalar(object) || !PyObject_TypeCheck(object, &PyGenericArrType_Type)) {
        return 0;
    }
    PyArray_Descr *descr = PyArray_DescrFromScalar(object);
    if (descr == NULL) {
        PyErr_Clear();
        return 0;
    }
    cn_dtype dtype = cnx_dtype_of_descr(descr);
    Py_DECREF(descr);
    if (dtype == CN_DTYPE_NONE) {
        return 0;
    }
    out->scalar.dtype = dtype;
    PyArray_ScalarAsCtype(object, out->scalar.value.bytes);
    return 1;
}

/* 1 for numbers that the core can hold. */
static int read_number(PyObject *object, cn_operand *out)
{
    out->array = NULL;
    out->weak = CN_STRONG;
    if (PyFloat_CheckExact(object)) {
        out->weak = CN_WEAK_FLOAT;
        out->scalar.dtype = CN_FLOAT64;
        out->scalar.value.f64 = PyFloat_AS_DOUBLE(object);
        return 1;
    }
    if (PyLong_CheckExact(object)) {
        return read_int(object, out);
    }
    if (PyBool_Check(object)) {
        out->scalar.dtype = CN_BOOL;
        out->scalar.value.b = object == Py_True;
        return 1;
    }
    return PyComplex_CheckExact(object) ? read_complex(object, out) : read_generic(object, out);
}

/* ---- Arrays ------------------------------------------------------------------------------------------- */

bool cnx_is_native_numpy(PyObject *object)
{
    if (!PyArray_CheckExact(object)) {
        return false;
    }
    PyArrayObject *array = (PyArrayObject *)object;
    return cnx_dtype_of_descr(PyArray_DESCR(array)) != CN_DTYPE_NONE && PyArray_ISALIGNED(array);
}

int64_t cnx_setting(const char *name, int *row)
{
    cn_setting setting;
    for (int i = 0; *row < 0 && i < cn_setting_count(); i++) {
        cn_setting_get(i, &setting);
        if (strcmp(setting.name, name) == 0) {
            *row = i;
        }
    }
    if (*row < 0) {
        return 0;
    }
    cn_setting_get(*row, &setting);
    return setting.value;
}

static int64_t most_copied(void)
{
    static int row = -1;
    return cnx_setting("copy_bytes", &row);
}

static int take_array(PyObject *made, cn_array **out, PyObject **keep)
{
    if (made == NULL) {
        return -1;
    }
    *keep = made;
    *out = cnx_get(made);
    return 1;
}

/* A sequence becomes an array as NumPy makes it; of the dtype, if one is given. */
static int read_sequence(PyObject *object, PyArray_Descr *descr, cn_operand *out, PyObject **keep)
{
    Py_XINCREF(descr);
    PyObject *made = PyArray_FromAny(object, descr, 0, 0, NPY_ARRAY_DEFAULT | NPY_ARRAY_FORCECAST, NULL);
    if (made == NULL) {
        return -1;
    }
    int known = 0;
    if (cnx_is_native_numpy(made)) {
        known = take_array(cnx_copy_of(made, NPY_CORDER), &out->array, keep);
    }
    Py_DECREF(made);
    return known;
}

static int read_numpy(PyObject *object, cn_operand *out, PyObject **keep)
{
    bool small = PyArray_NBYTES((PyArrayObject *)object) <= most_copied();
    return take_array(small ? cnx_copy_of(object, NPY_KEEPORDER) : cnx_wrap(object), &out->array, keep);
}

int cnx_operand(PyObject *object, cn_operand *out, PyObject **keep)
{
    *keep = NULL;
    if (cnx_array_check_exact(object)) {
        out->array = cnx_get(object);
        out->weak = CN_STRONG;
        return 1;
    }
    int known = read_number(object, out);
    if (known != 0) {
        return known;
    }
    if (cnx_is_native_numpy(object)) {
        return read_numpy(object, out, keep);
    }
    if (Py_IS_TYPE(object, &cnx_lazy_type)) {
        *out = (cn_operand){.array = cnx_lazy_array(object)};
        return 1;
    }
    bool sequence = PyList_CheckExact(object) || PyTuple_CheckExact(object) || PyRange_Check(object);
    return sequence ? read_sequence(object, NULL, out, keep) : 0;
}

int cnx_values(PyObject *object, cn_operand *out, PyObject **keep)
{
    if (!cnx_array_check(object)) {
        return cnx_operand(object, out, keep);
    }
    *keep = NULL;
    *out = (cn_operand){.array = cnx_get(object)};
    return 1;
}

int cnx_ufunc_operand(PyObject *object, cn_operand *out, PyObject **keep)
{
    if (PyFloat_CheckExact(object) || PyLong_CheckExact(object)) {
        return cnx_operand(object, out, keep); /* no question of a class */
    }
    return cnx_overrides(object) ? (*keep = NULL, 0) : cnx_values(object, out, keep);
}

int cnx_output(PyObject *object, cn_array **out, PyObject **keep)
{
    *keep = NULL;
    if (cnx_array_check(object)) {
        *out = cnx_get(object);
        return 1;
    }
    return cnx_is_native_numpy(object) ? take_array(cnx_wrap(object), out, keep) : 0;
}

int cnx_mask(PyObject *object, cn_array **out, PyObject **keep)
{
    cn_operand operand;
    int known = cnx_values(object, &operand, keep);
    if (known != 1) {
        return known;
    }
    if (operand.array == NULL && operand.scalar.dtype == CN_BOOL) {
        bool made = cn_array_from_memory(operand.scalar.value.bytes, CN_BOOL, 0, NULL, &operand.array) == CN_OK;
        *keep = made ? cnx_new(operand.array) : NULL;
        operand.array = *keep != NULL ? operand.array : NULL;
    }
    *out = operand.array;
    return operand.array != NULL && cn_array_dtype(operand.array) == CN_BOOL;
}

/* ---- Values to be stored ------------------------------------------------------------------------------ */

static bool is_complex(cn_dtype dtype)
{
    return dtype == CN_COMPLEX64 || dtype == CN_COMPLEX128;
}

static bool is_integer(cn_dtype dtype)
{
    return dtype >= CN_INT8 && dtype <= CN_UINT64;
}

static bool is_signed(cn_dtype dtype)
{
    return dtype == CN_INT8 || dtype == CN_INT16 || dtype == CN_INT32 || dtype == CN_INT64;
}

static bool fits_int64(double value)
{
    return value > -0x1p63 && value < 0x1p63; /* false for NaN */
}

/*
 * Assignment converts Python's numbers by int(), float() and bool(), which differ from casts: what those would refuse
 * is left to NumPy.
 */
static int adapt_number(cn_operand *out, cn_dtype dtype)
{
    const cn_scalar *s = &out->scalar;
    cn_scalar wide;
    if (is_complex(s->dtype) && !is_complex(dtype)) {
        return 0;
    }
    if (out->weak == CN_WEAK_INT && dtype == CN_BOOL) {
        *out = (cn_operand){.scalar = {.value.b = s->value.u64 != 0, .dtype = CN_BOOL}};
    } else if (out->weak == CN_WEAK_FLOAT && dtype == CN_BOOL) {
        *out = (cn_operand){.scalar = {.value.b = s->value.f64 != 0, .dtype = CN_BOOL}};
    } else if (out->weak == CN_STRONG && is_signed(dtype) && s->dtype >= CN_FLOAT16 && s->dtype <= CN_FLOAT64) {
        return cn_scalar_cast(s, CN_STRONG, CN_FLOAT64, &wide) == CN_OK && fits_int64(wide.value.f64); /* by int() */
    } else if (out->weak == CN_STRONG && is_signed(dtype) && s->dtype == CN_UINT64) {
        return s->value.u64 <= INT64_MAX;
    } else if (out->weak == CN_WEAK_FLOAT && is_integer(dtype)) {
        if (!fits_int64(s->value.f64)) {
            return 0;
        }
        *out = (cn_operand){.scalar = {.value.i64 = (int64_t)s->value.f64, .dtype = CN_INT64}, .weak = CN_WEAK_INT};
    }
    return 1;
}

int cnx_stored(PyObject *object, cn_dtype dtype, cn_operand *out, PyObject **keep)
{
    int known = PyList_CheckExact(object) || PyTuple_CheckExact(object) || PyRange_Check(object)
                    ? (*keep = NULL, read_sequence(object, cnx_descr(dtype), out, keep))
                    : cnx_values(object, out, keep);
    if (known <= 0) {
        return known;
    }
    if (out->array == NULL) {
        return adapt_number(out, dtype);
    }
    return is_complex(cn_array_dtype(out->array)) && !is_complex(dtype) ? 0 : 1; /* NumPy warns of the loss */
}

int cnx_convert_init(void)
{
    for (int i = 0; i < CN_DTYPE_COUNT; i++) {
        descrs[i] = PyArray_DescrFromType(type_numbers[i]);
        if (descrs[i] == NULL) {
            return -1;
        }
    }
    return 0;
}
