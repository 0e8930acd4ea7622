/*
 * index_advanced.c - a[key] and a[key] = value with arrays in the key.
 *
 * The key has been made ready (index_arrays.c): what is left is a gather or a scatter over leading axes, with the index
 * axes moved where the result has them. An assignment under a mask is one without reading the mask, where it can be.
 */
#include "index.h"

/* ---- Getting ------------------------------------------------------------------------------------------ */

/* Axes of the gathered array in the order of the result. */
static void result_order(const cnx_advanced *x, int *order)
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

static cnx_step gather(cnx_advanced *x, cn_array **out)
{
    cn_array *made;
    cnx_step done = cnx_step_of(cn_gather(x->front, x->nindex, x->index, &made));
    if (done != CNX_STEP_DONE || x->place == 0) {
        *out = done == CNX_STEP_DONE ? made : NULL;
        return done;
    }
    int order[CN_MAX_DIMS];
    result_order(x, order);
    done = cnx_step_of(cn_array_transpose(made, order, out));
    cn_array_unref(made);
    return done;
}

/* Without arrays of one or more dimensions the key is basic, but the result is no view. */
static cnx_step copy_basic(const cnx_advanced *x, cn_array **out)
{
    cn_array *view;
    cnx_step done = cnx_step_of(cn_array_view(x->array, cn_array_dtype(x->array), x->view.offset, x->view.ndim,
                                              x->view.shape, x->view.strides, true, &view));
    if (done == CNX_STEP_DONE) {
        done = cnx_step_of(cn_array_copy(view, cn_array_dtype(view), true, out));
        cn_array_unref(view);
    }
    return done;
}

/* a[mask] of all dimensions: what is chosen, without places. CNX_STEP_NUMPY: not of this form. */
static cnx_step compress(const cnx_advanced *x, cn_array **out)
{
    const cn_array *mask = x->nitems == 1 && x->items[0].kind == CNX_ITEM_MASK ? x->items[0].array : NULL;
    int ndim = cn_array_ndim(x->array);
    bool whole = mask != NULL && cn_array_ndim(mask) == ndim &&
                 memcmp(cn_array_shape(mask), cn_array_shape(x->array), (size_t)ndim * sizeof(int64_t)) == 0;
    return whole ? cnx_step_of(cn_compress(x->array, x->items[0].array, out)) : CNX_STEP_NUMPY;
}

static cnx_step choose(cnx_advanced *x, cn_array **out)
{
    cnx_step done = compress(x, out);
    if (done != CNX_STEP_NUMPY) {
        return done;
    }
    done = cnx_advanced_apply(x);
    return done != CNX_STEP_DONE ? done : x->nindex > 0 ? gather(x, out) : copy_basic(x, out);
}

static PyObject *give(const cnx_advanced *x, PyObject *self, cn_array *made)
{
    bool element = x->nindex == 0 && x->view.ndim == 0 && x->ellipsis < 0 && cn_array_ndim(made) == 0;
    return cnx_end(element ? cnx_result(made) : cnx_like_copied(self, made));
}

/* The commonest key: an array of int64 alone, of the first axis. CNX_STEP_NUMPY: another, or it is refused. */
static cnx_step gather_first(cn_array *array, PyObject *key, cn_array **out)
{
    cn_array *index = cnx_array_check_exact(key) ? cnx_get(key) : NULL;
    bool plain = index != NULL && cn_array_dtype(index) == CN_INT64 && cn_array_ndim(index) > 0 &&
                 cn_array_ndim(array) > 0 && cn_array_ndim(index) + cn_array_ndim(array) - 1 <= CN_MAX_DIMS;
    return plain ? cnx_step_of(cn_gather(array, 1, &index, out)) : CNX_STEP_NUMPY;
}

PyObject *cnx_get_advanced(PyObject *self, PyObject *key)
{
    cnx_advanced x;
    cn_array *made = NULL;
    cnx_begin();
    cnx_step first = gather_first(cnx_get(self), key, &made);
    if (first != CNX_STEP_NUMPY) {
        return first == CNX_STEP_DONE ? cnx_end(cnx_like(self, made)) : NULL;
    }
    cnx_step done = cnx_advanced_read(&x, self, key);
    done = done == CNX_STEP_DONE ? choose(&x, &made) : done;
    PyObject *result = done == CNX_STEP_DONE ? give(&x, self, made) : NULL;
    cnx_advanced_release(&x);
    return done == CNX_STEP_NUMPY ? cnx_get_by_numpy(self, key) : result;
}

/* ---- Setting ------------------------------------------------------------------------------------------ */

cnx_step cnx_advanced_values(const cnx_advanced *x, cn_array *values, cn_array **out)
{
    int ndim = x->index_ndim + x->view.ndim - x->nindex, order[CN_MAX_DIMS], inverse[CN_MAX_DIMS];
    int64_t shape[CN_MAX_DIMS];
    result_order(x, order);
    for (int d = 0; d < ndim; d++) {
        int from = order[d];
        shape[d] =
            from < x->index_ndim ? x->index_shape[from] : cn_array_shape(x->front)[from - x->index_ndim + x->nindex];
        inverse[from] = d;
    }
    int extra = cn_array_ndim(values) - ndim;
    for (int d = 0; d < extra; d++) {
        if (cn_array_shape(values)[d] != 1) {
            return CNX_STEP_NUMPY;
        }
    }
    cn_array *fitted = cn_array_ref(values), *wide = NULL;
    cnx_step done = CNX_STEP_DONE;
    if (extra > 0) {
        cn_array_unref(fitted);
        done =
            cnx_step_of(cn_array_view(values, cn_array_dtype(values), cn_array_offset(values), ndim,
                                      cn_array_shape(values) + extra, cn_array_strides(values) + extra, true, &fitted));
    }
    if (done == CNX_STEP_DONE) {
        done = cnx_step_of(cn_array_broadcast_to(fitted, ndim, shape, &wide));
        cn_array_unref(fitted);
    }
    if (done == CNX_STEP_DONE) {
        done = cnx_step_of(cn_array_transpose(wide, inverse, out));
        cn_array_unref(wide);
    }
    return done;
}

static cnx_step scatter(cnx_advanced *x, const cn_operand *values)
{
    if (values->array == NULL) {
        return cnx_step_of(cn_scatter(x->front, x->nindex, x->index, values, CN_CAST_UNSAFE));
    }
    cn_operand arranged = {.array = NULL};
    cnx_step done = cnx_advanced_values(x, values->array, &arranged.array);
    if (done == CNX_STEP_DONE) {
        done = cnx_step_of(cn_scatter(x->front, x->nindex, x->index, &arranged, CN_CAST_UNSAFE));
        cn_array_unref(arranged.array);
    }
    return done;
}

/*
 * a[mask] = value where no element of the value belongs to one element of the mask in particular: an assignment under
 * the mask, which reads nothing. CNX_STEP_NUMPY: not of this form.
 */
static cnx_step assign_masked(const cnx_advanced *x, const cn_operand *values)
{
    cn_array *mask = x->nitems == 1 && x->items[0].kind == CNX_ITEM_MASK ? x->items[0].array : NULL, *wide;
    int64_t shape[CN_MAX_DIMS], strides[CN_MAX_DIMS];
    if (mask == NULL) {
        return CNX_STEP_NUMPY;
    }
    int ndim = cn_array_ndim(x->array), indexed = cn_array_ndim(mask);
    if ((values->array != NULL && cn_array_ndim(values->array) > ndim - indexed) ||
        memcmp(cn_array_shape(mask), cn_array_shape(x->array), (size_t)indexed * sizeof *shape) != 0) {
        return CNX_STEP_NUMPY;
    }
    for (int d = 0; d < ndim; d++) {
        shape[d] = d < indexed ? cn_array_shape(mask)[d] : 1;
        strides[d] = d < indexed ? cn_array_strides(mask)[d] : 0;
    }
    cnx_step done = cnx_step_of(cn_array_view(mask, CN_BOOL, cn_array_offset(mask), ndim, shape, strides, true, &wide));
    if (done == CNX_STEP_DONE) {
        done = cnx_step_of(cn_copy_where(x->array, values, wide, CN_CAST_UNSAFE));
        cn_array_unref(wide);
    }
    return done;
}

/* A mask of all dimensions takes a number or a line of values, nothing with more dimensions. */
static bool is_refused_by_mask(const cnx_advanced *x, const cn_operand *values)
{
    const cnx_key_item *only = &x->items[0];
    return x->nitems == 1 && only->kind == CNX_ITEM_MASK && cn_array_ndim(only->array) == cn_array_ndim(x->array) &&
           values->array != NULL && cn_array_ndim(values->array) > 1;
}

static cnx_step assign_basic(const cnx_advanced *x, const cn_operand *values)
{
    cn_array *view;
    cnx_step done = cnx_step_of(cn_array_view(x->array, cn_array_dtype(x->array), x->view.offset, x->view.ndim,
                                              x->view.shape, x->view.strides, true, &view));
    if (done == CNX_STEP_DONE) {
        done = cnx_step_of(cn_copy(view, values, CN_CAST_UNSAFE));
        cn_array_unref(view);
    }
    return done;
}

/* The commonest key likewise, with values for each of its elements, or one for all. */
static cnx_step scatter_first(cn_array *array, PyObject *key, const cn_operand *values)
{
    cn_array *index = cnx_array_check_exact(key) ? cnx_get(key) : NULL, *given = values->array;
    bool plain = index != NULL && cn_array_dtype(index) == CN_INT64 && cn_array_ndim(index) > 0 &&
                 cn_array_ndim(array) == 1 && (given == NULL || cn_array_ndim(given) <= cn_array_ndim(index));
    return plain ? cnx_step_of(cn_scatter(array, 1, &index, values, CN_CAST_UNSAFE)) : CNX_STEP_NUMPY;
}

static cnx_step assign(cnx_advanced *x, PyObject *self, PyObject *key, const cn_operand *values)
{
    cnx_step done = cnx_advanced_read(x, self, key);
    if (done != CNX_STEP_DONE) {
        return done;
    }
    done = assign_masked(x, values);
    if (done != CNX_STEP_NUMPY || is_refused_by_mask(x, values)) {
        return done;
    }
    done = cnx_advanced_apply(x);
    if (done == CNX_STEP_DONE) {
        done = x->nindex > 0 ? scatter(x, values) : assign_basic(x, values);
    }
    return done;
}

int cnx_set_advanced(PyObject *self, PyObject *key, PyObject *value)
{
    cnx_advanced x;
    cn_operand values;
    PyObject *keep = NULL;
    int known =
        cn_array_writeable(cnx_get(self)) ? cnx_stored(value, cn_array_dtype(cnx_get(self)), &values, &keep) : 0;
    if (known != 1) {
        PyErr_Clear();
        Py_XDECREF(keep);
        return cnx_set_by_numpy(self, key, value);
    }
    cnx_begin();
    cnx_step done = scatter_first(cnx_get(self), key, &values);
    if (done == CNX_STEP_NUMPY) {
        done = assign(&x, self, key, &values);
        cnx_advanced_release(&x);
    }
    Py_XDECREF(keep);
    return done == CNX_STEP_NUMPY ? cnx_set_by_numpy(self, key, value) : cnx_end_int(done == CNX_STEP_DONE ? 0 : -1);
}
