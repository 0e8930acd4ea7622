/*
 * share.c - memory known to both sides: NumPy's arrays seen as ours (wrapped), ours seen as NumPy's or as buffers
 * (exported). Nothing is copied here unless the name says so.
 *
 * All views of one block of NumPy's must reach one base of the core. The block is that of the ultimate owner, found by
 * following .base; when that owner is memory of ours that was exported, the view is simply one more view of ours.
 */
#include "ext.h"

/* Keeps an array of ours exported for as long as a NumPy array lives. */
typedef struct export
{
    PyObject_HEAD PyObject *array;
}
export;

static void export_dealloc(PyObject *self)
{
    PyObject *array = ((export *)self)->array;
    cn_array_unexport(cnx_get(array));
    Py_DECREF(array);
    Py_TYPE(self)->tp_free(self);
}

static PyTypeObject export_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "cnumeric._cnumeric.export",
    .tp_basicsize = sizeof(export),
    .tp_dealloc = export_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "Keeps memory of an array in place.",
};

/* ---- Ours as NumPy's ---------------------------------------------------------------------------------- */

/* A copy, to be read: the memory is a GPU's, and others know it. */
static PyObject *values_of(cn_array *array)
{
    PyArray_Descr *descr = cnx_descr(cn_array_dtype(array));
    Py_INCREF(descr);
    PyObject *numpy =
        PyArray_SimpleNewFromDescr(cn_array_ndim(array), (npy_intp *)(uintptr_t)cn_array_shape(array), descr);
    if (numpy == NULL) {
        return NULL;
    }
    PyArrayObject *values = (PyArrayObject *)numpy;
    cn_status status = cn_array_read(array, PyArray_DATA(values), PyArray_NBYTES(values));
    if (status != CN_OK) {
        Py_DECREF(numpy);
        return cnx_raise_plain(status);
    }
    PyArray_CLEARFLAGS(values, NPY_ARRAY_WRITEABLE);
    return numpy;
}

PyObject *cnx_to_numpy(PyObject *object)
{
    cn_array *array = cnx_get(object);
    void *data;
    if (cn_array_device_shared(array)) {
        return values_of(array);
    }
    cn_status status = cn_array_export(array, &data);
    if (status != CN_OK) {
        return cnx_raise_plain(status);
    }
    export *owner = PyObject_New(export, &export_type);
    if (owner == NULL) {
        cn_array_unexport(array);
        return NULL;
    }
    owner->array = Py_NewRef(object);
    PyArray_Descr *descr = cnx_descr(cn_array_dtype(array));
    Py_INCREF(descr);
    int flags = cn_array_writeable(array) ? NPY_ARRAY_WRITEABLE : 0;
    PyObject *numpy = PyArray_NewFromDescr(&PyArray_Type, descr, cn_array_ndim(array), cn_array_shape(array),
                                           data != NULL ? cn_array_strides(array) : NULL, data, flags, NULL);
    if (numpy == NULL || data == NULL) {
        Py_DECREF(owner);
        return numpy;
    }
    if (PyArray_SetBaseObject((PyArrayObject *)numpy, (PyObject *)owner) < 0) { /* takes owner, also here */
        Py_DECREF(numpy);
        return NULL;
    }
    return numpy;
}

int cnx_pin(cnx_array *self)
{
    void *data;
    if (cn_array_device_shared(self->array)) {
        PyErr_SetString(PyExc_AttributeError, "the array's memory is a GPU's, and known to another library");
        return -1;
    }
    if (self->pinned) {
        return 0;
    }
    cn_status status = cn_array_export(self->array, &data);
    if (status != CN_OK) {
        cnx_raise_plain(status);
        return -1;
    }
    self->pinned = true;
    return 0;
}

/* ---- Buffers ------------------------------------------------------------------------------------------ */

static const char *const formats[CN_DTYPE_COUNT] = {
    [CN_BOOL] = "?",    [CN_INT8] = "b",    [CN_UINT8] = "B",      [CN_INT16] = "h",       [CN_UINT16] = "H",
    [CN_INT32] = "i",   [CN_UINT32] = "I",  [CN_INT64] = "l",      [CN_UINT64] = "L",      [CN_FLOAT16] = "e",
    [CN_FLOAT32] = "f", [CN_FLOAT64] = "d", [CN_COMPLEX64] = "Zf", [CN_COMPLEX128] = "Zd",
};

static int refuse(const char *message)
{
    PyErr_SetString(PyExc_ValueError, message); /* not BufferError: NumPy's choice */
    return -1;
}

static int check_request(const cn_array *array, int flags)
{
    bool c = cn_array_c_contiguous(array), f = cn_array_f_contiguous(array);
    if ((flags & PyBUF_WRITABLE) != 0 && !cn_array_writeable(array)) {
        return refuse("buffer source array is read-only");
    }
    if ((flags & PyBUF_C_CONTIGUOUS) == PyBUF_C_CONTIGUOUS && !c) {
        return refuse("ndarray is not C-contiguous");
    }
    if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS && !f) {
        return refuse("ndarray is not Fortran contiguous");
    }
    if ((flags & PyBUF_ANY_CONTIGUOUS) == PyBUF_ANY_CONTIGUOUS && !c && !f) {
        return refuse("ndarray is not contiguous");
    }
    if ((flags & PyBUF_STRIDES) != PyBUF_STRIDES && !c) {
        return refuse("ndarray is not C-contiguous");
    }
    return 0;
}

static void release_buffer(PyObject *self, Py_buffer *view)
{
    (void)self;
    cn_array *array = view->internal;
    cn_array_unexport(array);
    cn_array_unref(array);
}

/* The view holds the cn_array, whose shape and strides it shows: the handle may be given another shape. */
static int get_buffer(PyObject *self, Py_buffer *view, int flags)
{
    cn_array *array = cnx_get(self);
    view->obj = NULL;
    if (check_request(array, flags) < 0) {
        return -1;
    }
    cn_status status = cn_array_export(array, &view->buf);
    if (status != CN_OK) {
        cnx_raise_plain(status);
        return -1;
    }
    cn_dtype dtype = cn_array_dtype(array);
    static char nothing;
    view->buf = view->buf != NULL ? view->buf : &nothing;
    view->obj = Py_NewRef(self);
    view->itemsize = (Py_ssize_t)cn_dtype_size(dtype);
    view->len = cn_array_size(array) * view->itemsize;
    view->readonly = !cn_array_writeable(array);
    view->ndim = cn_array_ndim(array);
    view->format = (flags & PyBUF_FORMAT) != 0 ? (char *)(uintptr_t)formats[dtype] : NULL;
    view->shape = (flags & PyBUF_ND) != 0 ? (Py_ssize_t *)(uintptr_t)cn_array_shape(array) : NULL;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? (Py_ssize_t *)(uintptr_t)cn_array_strides(array) : NULL;
    view->suboffsets = NULL;
    view->internal = cn_array_ref(array);
    if (cnx_end_int(0) < 0) { /* what was pending has run, and a warning has become an exception */
        release_buffer(self, view);
        Py_CLEAR(view->obj);
        return -1;
    }
    return 0;
}

PyBufferProcs cnx_as_buffer = {.bf_getbuffer = get_buffer, .bf_releasebuffer = release_buffer};

/* ---- NumPy's as ours ---------------------------------------------------------------------------------- */

typedef struct block {
    char *start, *end;
    PyObject *owner; /* borrowed: reachable from the array for as long as it lives */
    PyObject *ours;  /* not NULL: the memory is that of an exported array of ours; borrowed likewise */
} block;

static void extent_of(PyArrayObject *array, char **start, char **end)
{
    *start = *end = PyArray_BYTES(array);
    *end += PyArray_ITEMSIZE(array);
    for (int d = 0; d < PyArray_NDIM(array); d++) {
        npy_intp span = (PyArray_DIM(array, d) - 1) * PyArray_STRIDE(array, d);
        *(span < 0 ? start : end) += span;
    }
}

/* The object behind numpy.lib.stride_tricks' stand-in, which has no memory itself; borrowed, NULL for other types. */
static PyObject *behind_stand_in(PyObject *object)
{
    const char *name = strrchr(Py_TYPE(object)->tp_name, '.');
    name = name != NULL ? name + 1 : Py_TYPE(object)->tp_name;
    if (strcmp(name, "DummyArray") != 0) {
        return NULL;
    }
    PyObject *base = PyObject_GetAttrString(object, "base");
    if (base == NULL) {
        PyErr_Clear();
        return NULL;
    }
    Py_DECREF(base); /* the stand-in keeps it */
    return base;
}

/* Does the owner end the search? Then it is entered into the block. */
static bool ends_search(PyObject *owner, block *b)
{
    if (Py_IS_TYPE(owner, &export_type)) {
        b->ours = ((export *)owner)->array;
        return true;
    }
    if (cnx_array_check(owner)) {
        b->ours = owner;
        return true;
    }
    if (PyMemoryView_Check(owner)) {
        const Py_buffer *buffer = PyMemoryView_GET_BUFFER(owner);
        if (buffer->obj != NULL && cnx_array_check(buffer->obj)) {
            b->ours = buffer->obj;
        } else if (PyBuffer_IsContiguous(buffer, 'A')) {
            b->start = buffer->buf;
            b->end = b->start + buffer->len;
            b->owner = owner;
        }
        return true;
    }
    return false;
}

static void block_find(PyArrayObject *array, block *b)
{
    *b = (block){.owner = (PyObject *)array};
    extent_of(array, &b->start, &b->end);
    char *start = b->start, *end = b->end;
    PyArrayObject *last = array;
    PyObject *owner = PyArray_BASE(last);
    while (owner != NULL && !ends_search(owner, b)) {
        if (PyArray_Check(owner)) {
            last = (PyArrayObject *)owner;
            extent_of(last, &b->start, &b->end);
            b->owner = owner;
            owner = PyArray_BASE(last);
        } else {
            owner = behind_stand_in(owner);
        }
    }
    if (b->ours == NULL && (start < b->start || end > b->end)) { /* strides that leave the owner's memory */
        *b = (block){.start = start, .end = end, .owner = (PyObject *)array};
    }
}

static void release_owner(void *owner)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    Py_DECREF((PyObject *)owner);
    PyGILState_Release(gil);
}

/* A view on memory of ours that NumPy has been shown; it does not keep NumPy's array, so the export can end. */
static PyObject *view_ours(const block *b, PyArrayObject *array, cn_dtype dtype)
{
    cn_array *ours = cnx_get(b->ours), *made;
    PyObject *base = ((cnx_array *)b->ours)->base;
    void *first;
    cn_status status = cn_array_export(ours, &first);
    if (status == CN_OK) {
        cn_array_unexport(ours); /* NumPy's array keeps it exported meanwhile */
        int64_t offset = PyArray_BYTES(array) - (char *)first + cn_array_offset(ours);
        status = cn_array_view(ours, dtype, offset, PyArray_NDIM(array), PyArray_DIMS(array), PyArray_STRIDES(array),
                               PyArray_ISWRITEABLE(array), &made);
    }
    return status == CN_OK ? cnx_new_based(made, base != NULL ? base : b->ours) : cnx_raise_plain(status);
}

PyObject *cnx_wrap(PyObject *numpy)
{
    PyArrayObject *array = (PyArrayObject *)numpy;
    cn_dtype dtype = cnx_dtype_of_descr(PyArray_DESCR(array));
    cn_array *made;
    cn_status status;
    block b;
    block_find(array, &b);
    if (b.ours != NULL) {
        return view_ours(&b, array, dtype);
    }
    if (PyArray_SIZE(array) == 0) {
        cn_array *nothing;
        status = cn_array_empty(dtype, PyArray_NDIM(array), PyArray_DIMS(array), &nothing);
        if (status == CN_OK) {
            status = cn_array_view(nothing, dtype, 0, PyArray_NDIM(array), PyArray_DIMS(array), PyArray_STRIDES(array),
                                   PyArray_ISWRITEABLE(array), &made);
            cn_array_unref(nothing);
        }
        return status == CN_OK ? cnx_new_based(made, numpy) : cnx_raise_plain(status);
    }
    status = cn_array_wrap(b.start, b.end - b.start, PyArray_ISWRITEABLE(array), release_owner, Py_NewRef(b.owner),
                           PyArray_DATA(array), dtype, PyArray_NDIM(array), PyArray_DIMS(array), PyArray_STRIDES(array),
                           &made);
    if (status != CN_OK) {
        Py_DECREF(b.owner);
        return cnx_raise_plain(status);
    }
    return cnx_new_based(made, numpy);
}

PyObject *cnx_copy_of(PyObject *numpy, NPY_ORDER order)
{
    PyArrayObject *array = (PyArrayObject *)numpy;
    cn_dtype dtype = cnx_dtype_of_descr(PyArray_DESCR(array));
    cn_array *made;
    if (PyArray_IS_C_CONTIGUOUS(array)) {
        cn_status status =
            cn_array_from_memory(PyArray_DATA(array), dtype, PyArray_NDIM(array), PyArray_DIMS(array), &made);
        return status == CN_OK ? cnx_new(made) : cnx_raise_plain(status);
    }
    PyObject *wrapped = cnx_wrap(numpy);
    if (wrapped == NULL) {
        return NULL;
    }
    cn_status status = cn_array_copy(cnx_get(wrapped), dtype, order == NPY_KEEPORDER, &made);
    Py_DECREF(wrapped);
    return status == CN_OK ? cnx_new(made) : cnx_raise_plain(status);
}

PyObject *cnx_from_numpy(PyObject *object)
{
    if (!cnx_is_native_numpy(object)) {
        return Py_NewRef(object);
    }
    PyObject *base = PyArray_BASE((PyArrayObject *)object);
    if (base == NULL) {
        return cnx_copy_of(object, NPY_KEEPORDER);
    }
    PyObject *wrapped = cnx_wrap(object);
    cnx_array *made = (cnx_array *)wrapped;
    if (made != NULL && (made->base == object || PyMemoryView_Check(base))) {
        Py_SETREF(made->base, Py_NewRef(base)); /* the object came from a call: nobody else knows it */
    }
    return wrapped;
}

int cnx_share_init(void)
{
    return PyType_Ready(&export_type);
}
