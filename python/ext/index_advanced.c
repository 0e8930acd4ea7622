/*
 * index_advanced.c - keys with integer or boolean arrays, alone or among ints, slices, None and Ellipsis.
 *
 * The basic items are applied first, as a view V that keeps the indexed axes whole. V transposed to have those axes
 * first is what cn_gather and cn_scatter take; a mask counts as the index arrays of its true elements. The result's
 * index axes come first, or, when all index items (ints among them) stand side by side, where the first one stood:
 *
 *     a[:, i, j, :]    V = a    gathered: i.shape + (a.shape[0], a.shape[3])    result: index axes moved to 1
 */
#include "index.h"

enum { MAX_ITEMS = 2 * CN_MAX_DIMS };

typedef enum item_kind { ITEM_INT, ITEM_SLICE, ITEM_NEWAXIS, ITEM_ELLIPSIS, ITEM_ARRAY, ITEM_MASK } item_kind;

typedef struct item {
    item_kind kind;
    PyObject *slice;  /* borrowed */
    int64_t index;
    cn_array *array;  /* owned */
} item;

typedef struct advanced {
    cn_array *array; /* borrowed */
    int nitems;
    item items[MAX_ITEMS];
    int consumed;  /* dimensions that the items name; the Ellipsis takes the others */
    int ellipsis;  /* its number, or -1 */

    cnx_view_geometry view;
    int nindex; /* index arrays, in the order of their axes */
    int axes[CN_MAX_DIMS];
    cn_array *index[CN_MAX_DIMS]; /* owned; broadcast to one shape in the end */
    int place;     /* where the index axes go among the others */
    int index_ndim;
    int64_t index_shape[CN_MAX_DIMS];
    cn_array *front; /* V, indexed axes first; owned */
} advanced;

/* What the steps below return: done; NumPy must see to it (no exception); or an exception is set. */
typedef enum step { STEP_RAISED = -1, STEP_DONE, STEP_NUMPY } step;

static step step_of(cn_status status)
{
    if (status == CN_OK) {
        return STEP_DONE;
    }
    if (status != CN_ERROR_MEMORY && status != CN_ERROR_INTERNAL) {
        return STEP_NUMPY;
    }
    cnx_raise_plain(status);
    return STEP_RAISED;
}

static void advanced_release(advanced *x)
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

static step read_array(advanced *x, item *it, PyObject *object)
{
    cn_operand operand;
    PyObject *keep = NULL;
    int known = cnx_operand(object, &operand, &keep);
    if (known != 1 || operand.array == NULL) { /* bools, what is no index, what cannot be an array */
        PyErr_Clear();
        Py_XDECREF(keep);
        return STEP_NUMPY;
    }
    cn_array *array = operand.array;
    cn_dtype dtype = cn_array_dtype(array);
    bool empty_list = cn_array_size(array) == 0 && (PyList_CheckExact(object) || PyTuple_CheckExact(object));
    step done = STEP_DONE;
    if (dtype == CN_BOOL && cn_array_ndim(array) > 0) {
        it->kind = ITEM_MASK;
        it->array = cn_array_ref(array);
        x->consumed += cn_array_ndim(array);
    } else if ((dtype >= CN_INT8 && dtype <= CN_UINT64) || empty_list) {
        it->kind = ITEM_ARRAY;
        done = dtype == CN_INT64 ? (it->array = cn_array_ref(array), STEP_DONE)
                                 : step_of(cn_array_copy(array, CN_INT64, false, &it->array));
        x->consumed++;
    } else {
        done = STEP_NUMPY;
    }
    Py_XDECREF(keep);
    return done;
}

/* An integer array without dimensions is an int, except that what it indexes is copied. */
static step read_zero_d(item *it)
{
    cn_scalar value;
    step done = step_of(cn_array_item(it->array, cn_array_offset(it->array), &value));
    if (done == STEP_DONE) {
        it->kind = ITEM_INT;
        it->index = value.value.i64;
        cn_array_unref(it->array);
        it->array = NULL;
    }
    return done;
}

static step read_item(advanced *x, PyObject *object)
{
    item *it = &x->items[x->nitems++];
    *it = (item){.kind = ITEM_INT};
    if (PySlice_Check(object)) {
        it->kind = ITEM_SLICE;
        it->slice = object;
        x->consumed++;
        return STEP_DONE;
    }
    if (object == Py_None) {
        it->kind = ITEM_NEWAXIS;
        return STEP_DONE;
    }
    if (object == Py_Ellipsis) {
        it->kind = ITEM_ELLIPSIS;
        bool second = x->ellipsis >= 0;
        x->ellipsis = x->nitems - 1;
        return second ? STEP_NUMPY : STEP_DONE;
    }
    int is_int = cnx_index_int(object, &it->index);
    if (is_int != 0) {
        x->consumed++;
        return is_int < 0 ? STEP_RAISED : STEP_DONE;
    }
    step done = read_array(x, it, object);
    if (done == STEP_DONE && it->kind == ITEM_ARRAY && cn_array_ndim(it->array) == 0) {
        return read_zero_d(it);
    }
    return done;
}

static step read_key(advanced *x, PyObject *key)
{
    bool tuple = PyTuple_Check(key);
    Py_ssize_t count = tuple ? PyTuple_GET_SIZE(key) : 1;
    if (count > MAX_ITEMS) {
        return STEP_NUMPY;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        step done = read_item(x, tuple ? PyTuple_GET_ITEM(key, i) : key);
        if (done != STEP_DONE) {
            return done;
        }
    }
    return x->consumed <= cn_array_ndim(x->array) ? STEP_DONE : STEP_NUMPY;
}

/* ---- The view ----------------------------------------------------------------------------------------- */

static bool add_axis(advanced *x, int64_t extent, int64_t stride)
{
    if (x->view.ndim >= CN_MAX_DIMS) {
        return false;
    }
    x->view.shape[x->view.ndim] = extent;
    x->view.strides[x->view.ndim++] = stride;
    return true;
}

static step apply_slice(advanced *x, const item *it, int axis)
{
    int64_t start, step_size, stride = cn_array_strides(x->array)[axis];
    int64_t length = cnx_slice(it->slice, cn_array_shape(x->array)[axis], &start, &step_size);
    if (length < 0) {
        return STEP_RAISED;
    }
    x->view.offset += start * stride;
    return add_axis(x, length, step_size * stride) ? STEP_DONE : STEP_NUMPY;
}

static step apply_int(advanced *x, const item *it, int axis)
{
    int64_t extent = cn_array_shape(x->array)[axis];
    if (it->index < -extent || it->index >= extent) {
        return STEP_NUMPY;
    }
    x->view.offset += (it->index < 0 ? it->index + extent : it->index) * cn_array_strides(x->array)[axis];
    return STEP_DONE;
}

/* Enters the axes that an array or mask indexes, and its index arrays. */
static step apply_array(advanced *x, item *it, int axis)
{
    int count = it->kind == ITEM_MASK ? cn_array_ndim(it->array) : 1;
    if (it->kind == ITEM_MASK) {
        if (memcmp(cn_array_shape(it->array), cn_array_shape(x->array) + axis, (size_t)count * sizeof(int64_t)) != 0) {
            return STEP_NUMPY;
        }
        step done = step_of(cn_nonzero(it->array, x->index + x->nindex));
        if (done != STEP_DONE) {
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
    return fits ? STEP_DONE : STEP_NUMPY;
}

/* Where the index axes go: side by side, at the first item; else in front. */
typedef struct run {
    bool begun, ended, broken;
} run;

static void run_note(run *r, advanced *x, const item *it)
{
    if (it->kind == ITEM_ARRAY || it->kind == ITEM_MASK || it->kind == ITEM_INT) {
        if (!r->begun) {
            x->place = x->view.ndim;
        }
        r->broken = r->broken || r->ended;
        r->begun = true;
    } else {
        r->ended = r->begun;
    }
}

static step apply_items(advanced *x)
{
    int axis = 0, rest = cn_array_ndim(x->array) - x->consumed;
    run r = {false, false, false};
    x->view.ndim = 0;
    x->view.offset = cn_array_offset(x->array);
    for (int i = 0; i < x->nitems; i++) {
        item *it = &x->items[i];
        step done = STEP_DONE;
        run_note(&r, x, it);
        switch (it->kind) {
        case ITEM_INT:
            done = apply_int(x, it, axis++);
            break;
        case ITEM_SLICE:
            done = apply_slice(x, it, axis++);
            break;
        case ITEM_NEWAXIS:
            done = add_axis(x, 1, 0) ? STEP_DONE : STEP_NUMPY;
            break;
        case ITEM_ELLIPSIS:
            for (; rest > 0 && done == STEP_DONE; rest--, axis++) {
                done = add_axis(x, cn_array_shape(x->array)[axis], cn_array_strides(x->array)[axis]) ? STEP_DONE : STEP_NUMPY;
            }
            break;
        case ITEM_ARRAY:
        case ITEM_MASK: {
            int count = it->kind == ITEM_MASK ? cn_array_ndim(it->array) : 1;
            done = apply_array(x, it, axis);
            axis += count;
            break;
        }
        }
        if (done != STEP_DONE) {
            return done;
        }
    }
    for (; axis < cn_array_ndim(x->array); axis++) {
        if (!add_axis(x, cn_array_shape(x->array)[axis], cn_array_strides(x->array)[axis])) {
            return STEP_NUMPY;
        }
    }
    x->place = r.broken ? 0 : x->place;
    return STEP_DONE;
}

/* ---- The index arrays --------------------------------------------------------------------------------- */

static bool broadcast_shape(advanced *x, const cn_array *index)
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

static step broadcast_indices(advanced *x)
{
    x->index_ndim = 0;
    for (int i = 0; i < x->nindex; i++) {
        if (!broadcast_shape(x, x->index[i])) {
            return STEP_NUMPY;
        }
    }
    if (x->index_ndim + x->view.ndim - x->nindex > CN_MAX_DIMS) {
        return STEP_NUMPY;
    }
    for (int i = 0; i < x->nindex; i++) {
        cn_array *wide;
        step done = step_of(cn_array_broadcast_to(x->index[i], x->index_ndim, x->index_shape, &wide));
        if (done != STEP_DONE) {
            return done;
        }
        cn_array_unref(x->index[i]);
        x->index[i] = wide;
    }
    return STEP_DONE;
}

/* V with the indexed axes in front; others keep their order. place counts those of them before the first. */
static step make_front(advanced *x)
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
    step done = step_of(cn_array_view(x->array, cn_array_dtype(x->array), x->view.offset, x->view.ndim, x->view.shape,
                                      x->view.strides, true, &view));
    if (done == STEP_DONE) {
        done = step_of(cn_array_transpose(view, order, &x->front));
        cn_array_unref(view);
    }
    return done;
}

static step advanced_read(advanced *x, PyObject *self, PyObject *key)
{
    x->array = cnx_get(self);
    x->nitems = x->consumed = x->nindex = x->place = x->index_ndim = 0;
    x->ellipsis = -1;
    x->front = NULL;
    return read_key(x, key);
}

static step advanced_apply(advanced *x)
{
    step done = apply_items(x);
    done = done == STEP_DONE && x->nindex > 0 ? broadcast_indices(x) : done;
    return done == STEP_DONE && x->nindex > 0 ? make_front(x) : done;
}

/* ---- Getting ------------------------------------------------------------------------------------------ */

/* Axes of the gathered array in the order of the result. */
static void result_order(const advanced *x, int *order)
{
    int others = x->view.ndim - x->nindex, n = 0;
    for (int d = 0; d < x->place; d++) {
        order[n++] = x->index_ndim + d;
    }
    for (int d = 0; d < x->index_ndim; d++) {
        order[n++] = d;
    }
    for (int d = x->place; d < others; d++) {
        order[n++] = x->index_ndim + d;
    }
}

static step gather(advanced *x, cn_array **out)
{
    cn_array *made;
    step done = step_of(cn_gather(x->front, x->nindex, x->index, &made));
    if (done != STEP_DONE || x->place == 0) {
        *out = done == STEP_DONE ? made : NULL;
        return done;
    }
    int order[CN_MAX_DIMS];
    result_order(x, order);
    done = step_of(cn_array_transpose(made, order, out));
    cn_array_unref(made);
    return done;
}

/* Without arrays of one or more dimensions the key is basic, but the result is no view. */
static step copy_basic(const advanced *x, cn_array **out)
{
    cn_array *view;
    step done = step_of(cn_array_view(x->array, cn_array_dtype(x->array), x->view.offset, x->view.ndim, x->view.shape,
                                      x->view.strides, true, &view));
    if (done == STEP_DONE) {
        done = step_of(cn_array_copy(view, cn_array_dtype(view), true, out));
        cn_array_unref(view);
    }
    return done;
}

static PyObject *give(const advanced *x, PyObject *self, cn_array *made)
{
    bool element = x->nindex == 0 && x->view.ndim == 0 && x->ellipsis < 0;
    return cnx_end(element ? cnx_result(made) : cnx_like(self, made));
}

PyObject *cnx_get_advanced(PyObject *self, PyObject *key)
{
    advanced x;
    cn_array *made = NULL;
    cnx_begin();
    step done = advanced_read(&x, self, key);
    done = done == STEP_DONE ? advanced_apply(&x) : done;
    if (done == STEP_DONE) {
        done = x.nindex > 0 ? gather(&x, &made) : copy_basic(&x, &made);
    }
    PyObject *result = done == STEP_DONE ? give(&x, self, made) : NULL;
    advanced_release(&x);
    return done == STEP_NUMPY ? cnx_get_by_numpy(self, key) : result;
}

/* ---- Setting ------------------------------------------------------------------------------------------ */

/* The values as the scatter takes them: broadcast to the result's shape, index axes in front. *out is owned. */
static step arrange_values(const advanced *x, cn_array *values, cn_array **out)
{
    int ndim = x->index_ndim + x->view.ndim - x->nindex, order[CN_MAX_DIMS], inverse[CN_MAX_DIMS];
    int64_t shape[CN_MAX_DIMS];
    result_order(x, order);
    for (int d = 0; d < ndim; d++) {
        int from = order[d];
        shape[d] = from < x->index_ndim ? x->index_shape[from] : cn_array_shape(x->front)[from - x->index_ndim + x->nindex];
        inverse[from] = d;
    }
    int extra = cn_array_ndim(values) - ndim;
    for (int d = 0; d < extra; d++) {
        if (cn_array_shape(values)[d] != 1) {
            return STEP_NUMPY;
        }
    }
    cn_array *fitted = cn_array_ref(values), *wide = NULL;
    step done = STEP_DONE;
    if (extra > 0) {
        cn_array_unref(fitted);
        done = step_of(cn_array_view(values, cn_array_dtype(values), cn_array_offset(values), ndim,
                                     cn_array_shape(values) + extra, cn_array_strides(values) + extra, true, &fitted));
    }
    if (done == STEP_DONE) {
        done = step_of(cn_array_broadcast_to(fitted, ndim, shape, &wide));
        cn_array_unref(fitted);
    }
    if (done == STEP_DONE) {
        done = step_of(cn_array_transpose(wide, inverse, out));
        cn_array_unref(wide);
    }
    return done;
}

static step scatter(advanced *x, const cn_operand *values)
{
    if (values->array == NULL) {
        return step_of(cn_scatter(x->front, x->nindex, x->index, values, CN_CAST_UNSAFE));
    }
    cn_operand arranged = {.array = NULL};
    step done = arrange_values(x, values->array, &arranged.array);
    if (done == STEP_DONE) {
        done = step_of(cn_scatter(x->front, x->nindex, x->index, &arranged, CN_CAST_UNSAFE));
        cn_array_unref(arranged.array);
    }
    return done;
}

/*
 * a[mask] = value where no element of the value belongs to one element of the mask in particular: an assignment under
 * the mask, which reads nothing. STEP_NUMPY: not of this form.
 */
static step assign_masked(const advanced *x, const cn_operand *values)
{
    cn_array *mask = x->nitems == 1 && x->items[0].kind == ITEM_MASK ? x->items[0].array : NULL, *wide;
    int64_t shape[CN_MAX_DIMS], strides[CN_MAX_DIMS];
    if (mask == NULL) {
        return STEP_NUMPY;
    }
    int ndim = cn_array_ndim(x->array), indexed = cn_array_ndim(mask);
    if ((values->array != NULL && cn_array_ndim(values->array) > ndim - indexed) ||
        memcmp(cn_array_shape(mask), cn_array_shape(x->array), (size_t)indexed * sizeof *shape) != 0) {
        return STEP_NUMPY;
    }
    for (int d = 0; d < ndim; d++) {
        shape[d] = d < indexed ? cn_array_shape(mask)[d] : 1;
        strides[d] = d < indexed ? cn_array_strides(mask)[d] : 0;
    }
    step done = step_of(cn_array_view(mask, CN_BOOL, cn_array_offset(mask), ndim, shape, strides, true, &wide));
    if (done == STEP_DONE) {
        done = step_of(cn_copy_where(x->array, values, wide, CN_CAST_UNSAFE));
        cn_array_unref(wide);
    }
    return done;
}

/* A mask of all dimensions takes a number or a line of values, nothing with more dimensions. */
static bool is_refused_by_mask(const advanced *x, const cn_operand *values)
{
    const item *only = &x->items[0];
    return x->nitems == 1 && only->kind == ITEM_MASK && cn_array_ndim(only->array) == cn_array_ndim(x->array) &&
           values->array != NULL && cn_array_ndim(values->array) > 1;
}

static step assign_basic(const advanced *x, const cn_operand *values)
{
    cn_array *view;
    step done = step_of(cn_array_view(x->array, cn_array_dtype(x->array), x->view.offset, x->view.ndim, x->view.shape,
                                      x->view.strides, true, &view));
    if (done == STEP_DONE) {
        done = step_of(cn_copy(view, values, CN_CAST_UNSAFE));
        cn_array_unref(view);
    }
    return done;
}

static step assign(advanced *x, PyObject *self, PyObject *key, const cn_operand *values)
{
    step done = advanced_read(x, self, key);
    if (done != STEP_DONE) {
        return done;
    }
    done = assign_masked(x, values);
    if (done != STEP_NUMPY || is_refused_by_mask(x, values)) {
        return done;
    }
    done = advanced_apply(x);
    if (done == STEP_DONE) {
        done = x->nindex > 0 ? scatter(x, values) : assign_basic(x, values);
    }
    return done;
}

int cnx_set_advanced(PyObject *self, PyObject *key, PyObject *value)
{
    advanced x;
    cn_operand values;
    PyObject *keep = NULL;
    int known = cn_array_writeable(cnx_get(self)) ? cnx_stored(value, cn_array_dtype(cnx_get(self)), &values, &keep) : 0;
    if (known != 1) {
        PyErr_Clear();
        Py_XDECREF(keep);
        return cnx_set_by_numpy(self, key, value);
    }
    cnx_begin();
    step done = assign(&x, self, key, &values);
    advanced_release(&x);
    Py_XDECREF(keep);
    return done == STEP_NUMPY ? cnx_set_by_numpy(self, key, value) : cnx_end_int(done == STEP_DONE ? 0 : -1);
}
