/*
 * device_share.c - memory of a GPU known to both sides, without copies: __cuda_array_interface__ and DLPack, ours shown to
 * others and theirs seen as ours. What nobody holds on the GPU is shown as NumPy shows it.
 *
 * No stream is named on either side: what is shown is complete, and the core waits for all work on the device before
 * it touches what others know (cn_array_export_device).
 */
#include "ext.h"

/* ---- DLPack's structs ----------------------------------------------------------------------------------- */

enum { DL_CPU = 1, DL_CUDA = 2, DL_CUDA_MANAGED = 13 };
enum { DL_INT, DL_UINT, DL_FLOAT, DL_COMPLEX = 5, DL_BOOL };
enum { DL_READ_ONLY = 1, DL_COPIED = 2, DL_MAJOR = 1 };

typedef struct dl_tensor {
    void *data;
    int32_t device, number;
    int32_t ndim;
    uint8_t code, bits;
    uint16_t lanes;
    int64_t *shape, *strides; /* in elements; NULL: C order */
    uint64_t byte_offset;
} dl_tensor;

typedef struct dl_plain {
    dl_tensor tensor;
    void *owner;
    void (*deleter)(struct dl_plain *self);
} dl_plain;

typedef struct dl_versioned {
    uint32_t major, minor;
    void *owner;
    void (*deleter)(struct dl_versioned *self);
    uint64_t flags;
    dl_tensor tensor;
} dl_versioned;

static const struct {
    uint8_t code, bits;
} dl_dtypes[CN_DTYPE_COUNT] = {
    [CN_BOOL] = {DL_BOOL, 8},          [CN_INT8] = {DL_INT, 8},
    [CN_UINT8] = {DL_UINT, 8},         [CN_INT16] = {DL_INT, 16},
    [CN_UINT16] = {DL_UINT, 16},       [CN_INT32] = {DL_INT, 32},
    [CN_UINT32] = {DL_UINT, 32},       [CN_INT64] = {DL_INT, 64},
    [CN_UINT64] = {DL_UINT, 64},       [CN_FLOAT16] = {DL_FLOAT, 16},
    [CN_FLOAT32] = {DL_FLOAT, 32},     [CN_FLOAT64] = {DL_FLOAT, 64},
    [CN_COMPLEX64] = {DL_COMPLEX, 64}, [CN_COMPLEX128] = {DL_COMPLEX, 128},
};

static const char plain_name[] = "dltensor", versioned_name[] = "dltensor_versioned";

/* ---- Ours, shown ---------------------------------------------------------------------------------------- */

int cnx_on_device(PyObject *self, bool *there)
{
    cnx_begin();
    cn_status status = cn_array_on_device(cnx_get(self), there);
    if (status != CN_OK) {
        cnx_raise_plain(status);
        return -1;
    }
    return cnx_end_int(0);
}

PyObject *cnx_device_interface(PyObject *self, void *unused)
{
    cnx_array *array = (cnx_array *)self;
    const cn_array *a = array->array;
    bool there, dense = cn_array_c_contiguous(a);
    void *data;
    int number;
    (void)unused;
    if (cnx_on_device(self, &there) < 0) {
        return NULL;
    }
    if (!there) {
        return PyErr_Format(PyExc_AttributeError, "the array's values are not on a GPU: no __cuda_array_interface__");
    }
    cn_status status = cn_array_export_device(array->array, &data, &number);
    if (status != CN_OK) {
        return cnx_raise_plain(status);
    }
    if (array->pinned) {
        cn_array_unexport(array->array); /* it is exported for life already */
    }
    array->pinned = true;
    PyObject *shape = cnx_tuple(cn_array_ndim(a), cn_array_shape(a));
    PyObject *strides = dense ? Py_NewRef(Py_None) : cnx_tuple(cn_array_ndim(a), cn_array_strides(a));
    PyObject *dtype = PyObject_GetAttrString((PyObject *)cnx_descr(cn_array_dtype(a)), "str");
    return Py_BuildValue("{sNsNsNs(KO)sisO}", "shape", shape, "strides", strides, "typestr", dtype, "data",
                         (unsigned long long)(cn_array_size(a) > 0 ? (uintptr_t)data : 0),
                         cn_array_writeable(a) ? Py_False : Py_True, "version", 3, "stream", Py_None);
}

/* What a capsule shows, and keeps. */
typedef struct shown {
    union {
        dl_plain plain;
        dl_versioned versioned;
    } as;
    cn_array *array;
    int64_t extents[]; /* shape, strides */
} shown;

static void shown_free(shown *s)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    cn_array_unexport(s->array);
    cn_array_unref(s->array);
    PyMem_Free(s);
    PyGILState_Release(gil);
}

static void delete_plain(dl_plain *self)
{
    shown_free((shown *)self);
}

static void delete_versioned(dl_versioned *self)
{
    shown_free((shown *)self);
}

static void capsule_dropped(PyObject *capsule)
{
    for (int i = 0; i < 2; i++) { /* not if somebody has taken it */
        const char *name = i == 0 ? plain_name : versioned_name;
        if (PyCapsule_IsValid(capsule, name)) {
            shown_free(PyCapsule_GetPointer(capsule, name));
            return;
        }
    }
}

static void fill_tensor(dl_tensor *t, shown *s, void *data, int number)
{
    const cn_array *a = s->array;
    int ndim = cn_array_ndim(a);
    int64_t size = (int64_t)cn_dtype_size(cn_array_dtype(a));
    for (int d = 0; d < ndim; d++) {
        s->extents[d] = cn_array_shape(a)[d];
        s->extents[ndim + d] = cn_array_strides(a)[d] / size;
    }
    *t = (dl_tensor){.data = data,
                     .device = DL_CUDA,
                     .number = number,
                     .ndim = ndim,
                     .code = dl_dtypes[cn_array_dtype(a)].code,
                     .bits = dl_dtypes[cn_array_dtype(a)].bits,
                     .lanes = 1,
                     .shape = s->extents,
                     .strides = s->extents + ndim};
}

static PyObject *refuse_buffer(const char *why)
{
    PyErr_SetString(PyExc_BufferError, why);
    return NULL;
}

static bool whole_steps(const cn_array *a)
{
    int64_t size = (int64_t)cn_dtype_size(cn_array_dtype(a));
    for (int d = 0; d < cn_array_ndim(a); d++) {
        if (cn_array_strides(a)[d] % size != 0) {
            return false;
        }
    }
    return true;
}

/* array is taken. */
static PyObject *show(cn_array *array, bool versioned, uint64_t flags)
{
    void *data;
    int number;
    shown *s = PyMem_Calloc(1, sizeof *s + 2 * CN_MAX_DIMS * sizeof(int64_t));
    cn_status status = s != NULL ? cn_array_export_device(array, &data, &number) : CN_ERROR_MEMORY;
    if (status != CN_OK) {
        PyMem_Free(s);
        cn_array_unref(array);
        return cnx_raise_plain(status);
    }
    s->array = array;
    if (versioned) {
        s->as.versioned = (dl_versioned){.major = DL_MAJOR, .deleter = delete_versioned, .flags = flags};
        fill_tensor(&s->as.versioned.tensor, s, data, number);
    } else {
        s->as.plain.deleter = delete_plain;
        fill_tensor(&s->as.plain.tensor, s, data, number);
    }
    PyObject *capsule = PyCapsule_New(s, versioned ? versioned_name : plain_name, capsule_dropped);
    if (capsule == NULL) {
        shown_free(s);
    }
    return capsule;
}

PyObject *cnx_show_device(PyObject *self, PyObject *max_version, bool copy)
{
    cn_array *array = cnx_get(self), *copied;
    bool versioned = cnx_given(max_version) && PyTuple_Check(max_version) && PyTuple_GET_SIZE(max_version) > 0 &&
                     PyLong_AsLong(PyTuple_GET_ITEM(max_version, 0)) >= DL_MAJOR;
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (copy) {
        cnx_begin();
        cn_status status = cn_array_copy(array, cn_array_dtype(array), true, &copied);
        return status == CN_OK ? cnx_end(show(copied, versioned, DL_COPIED)) : cnx_raise_plain(status);
    }
    if (!cn_array_writeable(array) && !versioned) {
        return refuse_buffer("Cannot export readonly array since signalling readonly is unsupported by DLPack.");
    }
    if (!whole_steps(array)) {
        return refuse_buffer("DLPack only supports strides which are a multiple of itemsize.");
    }
    return show(cn_array_ref(array), versioned, cn_array_writeable(array) ? 0 : DL_READ_ONLY);
}

/* ---- Theirs, seen --------------------------------------------------------------------------------------- */

/* A view of memory of theirs; base is what .base gives. release and owner are as for cn_array_wrap. */
typedef struct seen {
    char *data;
    cn_dtype dtype;
    int ndim;
    int64_t shape[CN_MAX_DIMS], strides[CN_MAX_DIMS]; /* in bytes */
    bool writeable;
} seen;

static void steps_in_c_order(seen *s)
{
    int64_t step = (int64_t)cn_dtype_size(s->dtype);
    for (int d = s->ndim - 1; d >= 0; d--) {
        s->strides[d] = step;
        step *= s->shape[d];
    }
}

static cn_status see(const seen *s, void (*release)(void *owner), void *owner, cn_array **out)
{
    char *start = s->data, *end = s->data + cn_dtype_size(s->dtype);
    for (int d = 0; d < s->ndim; d++) {
        int64_t span = (s->shape[d] - 1) * s->strides[d];
        if (s->shape[d] == 0) {
            cn_status status = cn_array_empty(s->dtype, s->ndim, s->shape, out);
            if (status == CN_OK) {
                release(owner);
            }
            return status;
        }
        *(span < 0 ? &start : &end) += span;
    }
    return cn_array_wrap_device(start, end - start, s->writeable, release, owner, s->data, s->dtype, s->ndim, s->shape,
                                s->strides, out);
}

static void release_object(void *owner)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    Py_DECREF((PyObject *)owner);
    PyGILState_Release(gil);
}

static int read_extents(PyObject *tuple, int ndim, int64_t *out)
{
    for (int d = 0; d < ndim; d++) {
        out[d] = PyLong_AsLongLong(PyTuple_GET_ITEM(tuple, d));
        if (out[d] == -1 && PyErr_Occurred()) {
            return -1;
        }
    }
    return 0;
}

/* 1, 0: not for us, -1 with an exception. */
static int read_interface(PyObject *interface, seen *s)
{
    PyObject *shape = PyDict_GetItemString(interface, "shape"), *data = PyDict_GetItemString(interface, "data");
    PyObject *type = PyDict_GetItemString(interface, "typestr"), *strides = PyDict_GetItemString(interface, "strides");
    PyObject *mask = PyDict_GetItemString(interface, "mask");
    bool fits =
        shape != NULL && PyTuple_Check(shape) && PyTuple_GET_SIZE(shape) <= CN_MAX_DIMS && data != NULL &&
        PyTuple_Check(data) && PyTuple_GET_SIZE(data) == 2 && type != NULL && !cnx_given(mask) &&
        (!cnx_given(strides) || (PyTuple_Check(strides) && PyTuple_GET_SIZE(strides) == PyTuple_GET_SIZE(shape)));
    s->dtype = fits ? cnx_dtype_of(type) : CN_DTYPE_NONE;
    if (s->dtype == CN_DTYPE_NONE) {
        PyErr_Clear();
        return 0;
    }
    s->ndim = (int)PyTuple_GET_SIZE(shape);
    s->data = PyLong_AsVoidPtr(PyTuple_GET_ITEM(data, 0));
    s->writeable = PyObject_Not(PyTuple_GET_ITEM(data, 1)) == 1;
    if (PyErr_Occurred() || read_extents(shape, s->ndim, s->shape) < 0) {
        return -1;
    }
    if (!cnx_given(strides)) {
        steps_in_c_order(s);
        return 1;
    }
    return read_extents(strides, s->ndim, s->strides) < 0 ? -1 : 1;
}

PyObject *cnx_see_device(PyObject *object)
{
    int number;
    seen s;
    cn_array *made;
    PyObject *interface = PyObject_GetAttrString(object, "__cuda_array_interface__");
    if (interface == NULL || !PyDict_Check(interface)) {
        PyErr_Clear();
        Py_XDECREF(interface);
        return NULL;
    }
    int known = cn_device_open(&number) ? read_interface(interface, &s) : 0;
    Py_DECREF(interface);
    if (known != 1) {
        return NULL;
    }
    cn_status status = see(&s, release_object, Py_NewRef(object), &made);
    if (status != CN_OK) {
        Py_DECREF(object);
        return cnx_raise_plain(status);
    }
    return cnx_new_based(made, object);
}

static void release_plain(void *owner)
{
    dl_plain *p = owner;
    if (p->deleter != NULL) {
        p->deleter(p);
    }
}

static void release_versioned(void *owner)
{
    dl_versioned *p = owner;
    if (p->deleter != NULL) {
        p->deleter(p);
    }
}

/* NULL, or why it cannot be seen. */
static const char *read_tensor(const dl_tensor *t, seen *s)
{
    int number;
    if (t->device != DL_CUDA && t->device != DL_CUDA_MANAGED) {
        return "the capsule's memory is no GPU's";
    }
    if (!cn_device_open(&number) || number != t->number) {
        return "the capsule's GPU is not the one that is used here";
    }
    s->dtype = CN_DTYPE_NONE;
    for (int k = 0; k < CN_DTYPE_COUNT; k++) {
        if (dl_dtypes[k].code == t->code && dl_dtypes[k].bits == t->bits && t->lanes == 1) {
            s->dtype = (cn_dtype)k;
        }
    }
    if (s->dtype == CN_DTYPE_NONE || t->ndim < 0 || t->ndim > CN_MAX_DIMS) {
        return "the capsule's dtype or number of dimensions is unsupported";
    }
    s->ndim = t->ndim;
    s->data = (char *)t->data + t->byte_offset;
    for (int d = 0; d < s->ndim; d++) {
        s->shape[d] = t->shape[d];
        s->strides[d] = t->strides != NULL ? t->strides[d] * (int64_t)cn_dtype_size(s->dtype) : 0;
    }
    if (t->strides == NULL) {
        steps_in_c_order(s);
    }
    return NULL;
}

/* from_device_capsule(capsule): the memory that a DLPack capsule shows, which is used up */
static PyObject *from_device_capsule(PyObject *module, PyObject *capsule)
{
    bool versioned = PyCapsule_IsValid(capsule, versioned_name);
    void *held = PyCapsule_GetPointer(capsule, versioned ? versioned_name : plain_name);
    seen s;
    cn_array *made;
    (void)module;
    if (held == NULL) {
        return NULL;
    }
    if (versioned && ((dl_versioned *)held)->major != DL_MAJOR) {
        return refuse_buffer("the capsule is of another version of DLPack");
    }
    const char *why = read_tensor(versioned ? &((dl_versioned *)held)->tensor : &((dl_plain *)held)->tensor, &s);
    if (why != NULL) {
        return refuse_buffer(why);
    }
    s.writeable = !versioned || (((dl_versioned *)held)->flags & DL_READ_ONLY) == 0;
    cn_status status = see(&s, versioned ? release_versioned : release_plain, held, &made);
    if (status != CN_OK) {
        return cnx_raise_plain(status);
    }
    PyCapsule_SetName(capsule, versioned ? "used_dltensor_versioned" : "used_dltensor");
    return cnx_new(made);
}

static PyMethodDef functions[] = {
    {"from_device_capsule", from_device_capsule, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

int cnx_device_share_init(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
