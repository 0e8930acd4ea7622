/*
 * index_arrays.c - keys with integer or boolean arrays, alone or among ints, slices, None and Ellipsis, made ready.
 *
 * The basic items are applied first, as a view V that keeps the indexed axes whole. V transposed to have those axes
 * first is what cn_gather and cn_scatter take; a mask counts as the index arrays of its true elements. The result's
 * index axes come first, or, when all index items (ints among them) stand side by side, where the first one stood:
 *
 *     a[:, i, j, :]    V = a    gathered: i.shape + (a.shape[0], a.shape[3])    result: index axes moved to 1
 */
#include "index.h"

cnx_step cnx_step_of(cn_status status)
{
    if (status == CN_OK) {
        return CNX_STEP_DONE;
    }
    if (status != CN_ERROR_MEMORY && status != CN_ERROR_INTERNAL) {
        return CNX_STEP_NUMPY;
    }
    cnx_raise_plain(status);
    return CNX_STEP_RAISED;
}

void cnx_advanced_release(cnx_advanced *x)
{
    for (int i = 0; i < x->nitems; i++) {
        cn_array_unref(x->items[i].array);
    }
    for (int i = 0; i < x->nindex; i++) {
        cn_array_unref(x->index[i]);
    }
    cn_array_unref(x->front);
}

/* ---- Reading the key ---------------------------------------------------------------------------------- */

/* A truth value without dimensions: a new axis, of which it takes the one element or none. */
static cnx_step read_truth(cnx_key_item *it, const cn_array *truth)
{
    const int64_t zero = 0;
    cn_scalar value;
    cnx_step done = cnx_step_of(cn_array_item(truth, cn_array_offset(truth), &value));
    if (done == CNX_STEP_DONE) {
        const int64_t count = value.value.b != 0;
        it->kind = CNX_ITEM_TRUTH;
        done = cnx_step_of(cn_array_from_memory(&zero, CN_INT64, 1, &count, &it->array));
    }
    return done;
}

static cnx_step read_array(cnx_advanced *x, cnx_key_item *it, PyObject *object)
{
    cn_operand operand;
    PyObject *keep = NULL;
    int known = cnx_values(object, &operand, &keep);
    if (known == 1 && operand.array == NULL && operand.scalar.dtype == CN_BOOL) {
        cn_array *truth = NULL;
        cnx_step made = cnx_step_of(cn_array_from_memory(operand.scalar.value.bytes, CN_BOOL, 0, NULL, &truth));
        made = made == CNX_STEP_DONE ? read_truth(it, truth) : made;
        cn_array_unref(truth);
        Py_XDECREF(keep);
        return made;
    }
    if (known != 1 || operand.array == NULL) { /* what is no index, what cannot be an array */
        PyErr_Clear();
        Py_XDECREF(keep);
        return CNX_STEP_NUMPY;
    }
    cn_array *array = operand.array;
    cn_dtype dtype = cn_array_dtype(array);
    bool empty_list = cn_array_size(array) == 0 && (PyList_CheckExact(object) || PyTuple_CheckExact(object));
    cnx_step done = CNX_STEP_DONE;
    if (dtype == CN_BOOL && cn_array_ndim(array) == 0) {
        done = read_truth(it, array);
    } else if (dtype == CN_BOOL) {
        it->kind = CNX_ITEM_MASK;
        it->array = cn_array_ref(array);
        x->consumed += cn_array_ndim(array);
    } else if ((dtype >= CN_INT8 && dtype <= CN_UINT64) || empty_list) {
        it->kind = CNX_ITEM_ARRAY;
        done = dtype == CN_INT64 ? (it->array = cn_array_ref(array), CNX_STEP_DONE)
                                 : cnx_step_of(cn_array_copy(array, CN_INT64, false, &it->array));
        x->consumed++;
    } else {
        done = CNX_STEP_NUMPY;
    }
    Py_XDECREF(keep);
    return done;
}

/* An integer array without dimensions is an int, except that what it indexes is copied. */
static cnx_step read_zero_d(cnx_key_item *it)
{
    cn_scalar value;
    cnx_step done = cnx_step_of(cn_array_item(it->array, cn_array_offset(it->array), &value));
    if (done == CNX_STEP_DONE) {
        it->kind = CNX_ITEM_INT;
        it->index = value.value.i64;
        cn_array_unref(it->array);
        it->array = NULL;
    }
    return done;
}

static cnx_step read_item(cnx_advanced *x, PyObject *object)
{
    cnx_key_item *it = &x->items[x->nitems++];
    *it = (cnx_key_item){.kind = CNX_ITEM_INT};
    if (PySlice_Check(object)) {
        it->kind = CNX_ITEM_SLICE;
        it->slice = object;
        x->consumed++;
        return CNX_STEP_DONE;
    }
    if (object == Py_None) {
        it->kind = CNX_ITEM_NEWAXIS;
        return CNX_STEP_DONE;
    }
    if (object == Py_Ellipsis) {
        it->kind = CNX_ITEM_ELLIPSIS;
        bool second = x->ellipsis >= 0;
        x->ellipsis = x->nitems - 1;
        return second ? CNX_STEP_NUMPY : CNX_STEP_DONE;
    }
    int is_int = cnx_index_int(object, &it->index);
    if (is_int != 0) {
        x->consumed++;
        return is_int < 0 ? CNX_STEP_RAISED : CNX_STEP_DONE;
    }
    cnx_step done = read_array(x, it, object);
    if (done == CNX_STEP_DONE && it->kind == CNX_ITEM_ARRAY && cn_array_ndim(it->array) == 0) {
        return read_zero_d(it);
    }
    return done;
}

static cnx_step read_key(cnx_advanced *x, PyObject *key)
{
    bool tuple = PyTuple_Check(key);
    Py_ssize_t count = tuple ? PyTuple_GET_SIZE(key) : 1;
    if (count > CNX_MAX_ITEMS) {
        return CNX_STEP_NUMPY;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        cnx_step done = read_item(x, tuple ? PyTuple_GET_ITEM(key, i) : key);
        if (done != CNX_STEP_DONE) {
            return done;
        }
    }
    int arrays = 0;
    for (int i = 0; i < x->nitems; i++) {
        const cnx_key_item *it = &x->items[i];
        arrays += it->kind == CNX_ITEM_ARRAY ? 1 : it->kind == CNX_ITEM_MASK ? cn_array_ndim(it->array) : 0;
    }
    bool numpy_takes = x->consumed <= cn_array_ndim(x->array) && arrays < CN_MAX_DIMS; /* else it has words for it */
    return numpy_takes ? CNX_STEP_DONE : CNX_STEP_NUMPY;
}

/* ---- The view ----------------------------------------------------------------------------------------- */

static bool add_axis(cnx_advanced *x, int64_t extent, int64_t stride)
{
    if (x->view.ndim >= CN_MAX_DIMS) {
        return false;
    }
    x->view.shape[x->view.ndim] = extent;
    x->view.strides[x->view.ndim++] = stride;
    return true;
}

static cnx_step apply_slice(cnx_advanced *x, const cnx_key_item *it, int axis)
{
    int64_t start, step_size, stride = cn_array_strides(x->array)[axis];
    int64_t length = cnx_slice(it->slice, cn_array_shape(x->array)[axis], &start, &step_size);
    if (length < 0) {
        return CNX_STEP_RAISED;
    }
    x->view.offset += start * stride;
    return add_axis(x, length, step_size * stride) ? CNX_STEP_DONE : CNX_STEP_NUMPY;
}

static cnx_step apply_int(cnx_advanced *x, const cnx_key_item *it, int axis)
{
    int64_t extent = cn_array_shape(x->array)[axis];
    if (it->index < -extent || it->index >= extent) {
        return CNX_STEP_NUMPY;
    }
    x->view.offset += (it->index < 0 ? it->index + extent : it->index) * cn_array_strides(x->array)[axis];
    return CNX_STEP_DONE;
}

/* Enters the axes that an array or mask indexes, and its index arrays. */
static cnx_step apply_array(cnx_advanced *x, cnx_key_item *it, int axis)
{
    int count = it->kind == CNX_ITEM_MASK ? cn_array_ndim(it->array) : 1;
    if (it->kind == CNX_ITEM_MASK) {
        if (memcmp(cn_array_shape(it->array), cn_array_shape(x->array) + axis, (size_t)count * sizeof(int64_t)) != 0) {
            return CNX_STEP_NUMPY;
        }
        cnx_step done = cnx_step_of(cn_nonzero(it->array, x->index + x->nindex));
        if (done != CNX_STEP_DONE) {
            return done;
        }
    } else {
        x->index[x->nindex] = it->array;
        it->array = NULL;
    }
    bool fits = true;
    for (int i = 0; i < count; i++) {
        x->axes[x->nindex++] = x->view.ndim;
        fits = add_axis(x, cn_array_shape(x->array)[axis + i], cn_array_strides(x->array)[axis + i]) && fits;
    }
    return fits ? CNX_STEP_DONE : CNX_STEP_NUMPY;
}

/* Where the index axes go: side by side, at the first item; else in front. */
typedef struct run {
    bool begun, ended, broken;
} run;

static void run_note(run *r, cnx_advanced *x, const cnx_key_item *it)
{
    if (it->kind == CNX_ITEM_ARRAY || it->kind == CNX_ITEM_MASK || it->kind == CNX_ITEM_INT ||
        it->kind == CNX_ITEM_TRUTH) {
        if (!r->begun) {
            x->place = x->view.ndim;
        }
        r->broken = r->broken || r->ended;
        r->begun = true;
    } else {
        r->ended = r->begun;
    }
}

static cnx_step apply_items(cnx_advanced *x)
{
    int axis = 0, rest = cn_array_ndim(x->array) - x->consumed;
    run r = {false, false, false};
    x->view.ndim = 0;
    x->view.offset = cn_array_offset(x->array);
    for (int i = 0; i < x->nitems; i++) {
        cnx_key_item *it = &x->items[i];
        cnx_step done = CNX_STEP_DONE;
        run_note(&r, x, it);
        switch (it->kind) {
        case CNX_ITEM_INT:
            done = apply_int(x, it, axis++);
            break;
        case CNX_ITEM_SLICE:
            done = apply_slice(x, it, axis++);
            break;
        case CNX_ITEM_NEWAXIS:
            done = add_axis(x, 1, 0) ? CNX_STEP_DONE : CNX_STEP_NUMPY;
            break;
        case CNX_ITEM_ELLIPSIS:
            for (; rest > 0 && done == CNX_STEP_DONE; rest--, axis++) {
                done = add_axis(x, cn_array_shape(x->array)[axis], cn_array_strides(x->array)[axis]) ? CNX_STEP_DONE
                                                                                                     : CNX_STEP_NUMPY;
            }
            break;
        case CNX_ITEM_TRUTH:
            x->index[x->nindex] = it->array;
            it->array = NULL;
            x->axes[x->nindex++] = x->view.ndim;
            done = add_axis(x, 1, 0) ? CNX_STEP_DONE : CNX_STEP_NUMPY;
            break;
        case CNX_ITEM_ARRAY:
        case CNX_ITEM_MASK: {
            int count = it->kind == CNX_ITEM_MASK ? cn_array_ndim(it->array) : 1;
            done = apply_array(x, it, axis);
            axis += count;
            break;
        }
        }
        if (done != CNX_STEP_DONE) {
            return done;
        }
    }
    for (; axis < cn_array_ndim(x->array); axis++) {
        if (!add_axis(x, cn_array_shape(x->array)[axis], cn_array_strides(x->array)[axis])) {
            return CNX_STEP_NUMPY;
        }
    }
    x->place = r.broken ? 0 : x->place;
    return CNX_STEP_DONE;
}

/* ---- The index arrays --------------------------------------------------------------------------------- */

static bool broadcast_shape(cnx_advanced *x, const cn_array *index)
{
    int ndim = cn_array_ndim(index), shift = x->index_ndim - ndim;
    if (shift < 0) { /* more axes in front */
        memmove(x->index_shape - shift, x->index_shape, (size_t)x->index_ndim * sizeof *x->index_shape);
        memcpy(x->index_shape, cn_array_shape(index), (size_t)-shift * sizeof *x->index_shape);
        x->index_ndim = ndim;
    }
    for (int d = shift < 0 ? -shift : 0; d < ndim; d++) {
        int64_t extent = cn_array_shape(index)[d], *into = &x->index_shape[d + (shift > 0 ? shift : 0)];
        if (extent != 1 && *into != 1 && *into != extent) {
            return false;
        }
        *into = *into == 1 ? extent : *into;
    }
    return true;
}

static cnx_step broadcast_indices(cnx_advanced *x)
{
    x->index_ndim = 0;
    for (int i = 0; i < x->nindex; i++) {
        if (!broadcast_shape(x, x->index[i])) {
            return CNX_STEP_NUMPY;
        }
    }
    if (x->index_ndim + x->view.ndim - x->nindex > CN_MAX_DIMS) {
        return CNX_STEP_NUMPY;
    }
    for (int i = 0; i < x->nindex; i++) {
        cn_array *wide;
        cnx_step done = cnx_step_of(cn_array_broadcast_to(x->index[i], x->index_ndim, x->index_shape, &wide));
        if (done != CNX_STEP_DONE) {
            return done;
        }
        cn_array_unref(x->index[i]);
        x->index[i] = wide;
    }
    return CNX_STEP_DONE;
}

/* V with the indexed axes in front; others keep their order. place counts those of them before the first. */
static cnx_step make_front(cnx_advanced *x)
{
    int order[CN_MAX_DIMS], n = 0;
    cn_array *view;
    for (int i = 0; i < x->nindex; i++) {
        order[n++] = x->axes[i];
    }
    for (int d = 0, i = 0; d < x->view.ndim; d++) {
        if (i < x->nindex && x->axes[i] == d) {
            i++;
        } else {
            order[n++] = d;
        }
    }
    cnx_step done = cnx_step_of(cn_array_view(x->array, cn_array_dtype(x->array), x->view.offset, x->view.ndim,
                                              x->view.shape, x->view.strides, true, &view));
    if (done == CNX_STEP_DONE) {
        done = cnx_step_of(cn_array_transpose(view, order, &x->front));
        cn_array_unref(view);
    }
    return done;
}

cnx_step cnx_advanced_read(cnx_advanced *x, PyObject *self, PyObject *key)
{
    x->array = cnx_get(self);
    x->nitems = x->consumed = x->nindex = x->place = x->index_ndim = 0;
    x->ellipsis = -1;
    x->front = NULL;
    return read_key(x, key);
}

cnx_step cnx_advanced_apply(cnx_advanced *x)
{
    cnx_step done = apply_items(x);
    done = done == CNX_STEP_DONE && x->nindex > 0 ? broadcast_indices(x) : done;
    return done == CNX_STEP_DONE && x->nindex > 0 ? make_front(x) : done;
}
