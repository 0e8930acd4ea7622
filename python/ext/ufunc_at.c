/*
 * ufunc_at.c - ufunc.at: a[key] op= b, where elements that the key names several times take every value in turn.
 *
 * A key without arrays names each element once: an elementwise call into the view. Others are cn_scatter_apply. b is an
 * array in NumPy's eyes also where it is a number, and what the array's dtype cannot hold is lost, as there. Whatever is
 * not covered, wrong calls included, is NumPy's on the array's memory; nothing has been written then.
 */
#include "index.h"
#include "ufunc.h"

/* ComplexWarning is NumPy's to give. */
static bool loses_imaginary_part(cn_op op, const cn_array *array, const cn_operand *values)
{
    cn_dtype in[2] = {cn_array_dtype(array), CN_BOOL}, loop[3];
    cn_weak weak[2] = {CN_STRONG, CN_STRONG};
    if (values != NULL) {
        in[1] = values->array != NULL ? cn_array_dtype(values->array) : values->scalar.dtype;
    }
    return cn_op_resolve(op, in, weak, CN_DTYPE_NONE, CN_CAST_SAME_KIND, loop) != CN_OK ||
           (loop[cn_op_nin(op)] >= CN_COMPLEX64 && in[0] < CN_COMPLEX64);
}

/* Do several elements of the view lie at one address? */
static bool is_folded(const cnx_view_geometry *g)
{
    bool folded = false;
    for (int d = 0; d < g->ndim; d++) {
        folded |= g->strides[d] == 0 && g->shape[d] > 1;
    }
    return folded;
}

static cnx_step apply_basic(cn_op op, const cnx_advanced *x, const cn_operand *values)
{
    cn_array *view, *result;
    if (is_folded(&x->view) || loses_imaginary_part(op, x->array, values)) {
        return CNX_STEP_NUMPY;
    }
    cnx_step done = cnx_step_of(cn_array_view(x->array, cn_array_dtype(x->array), x->view.offset, x->view.ndim,
                                              x->view.shape, x->view.strides, true, &view));
    if (done != CNX_STEP_DONE) {
        return done;
    }
    cn_operand in[2] = {{.array = view}};
    if (values != NULL) {
        in[1] = *values;
    }
    cn_elementwise_options options = {.dtype = CN_DTYPE_NONE, .casting = CN_CAST_UNSAFE};
    done = cnx_step_of(cn_elementwise(op, in, &view, &options, &result));
    if (done == CNX_STEP_DONE) {
        cn_array_unref(result);
    }
    cn_array_unref(view);
    return done;
}

static cnx_step apply_indexed(cn_op op, const cnx_advanced *x, const cn_operand *values)
{
    if (values == NULL || values->array == NULL) {
        return cnx_step_of(cn_scatter_apply(op, x->front, x->nindex, x->index, values));
    }
    if (cn_array_ndim(values->array) > x->index_ndim + x->view.ndim - x->nindex) {
        PyErr_SetString(PyExc_ValueError, "array is not broadcastable to correct shape"); /* NumPy may crash instead */
        return CNX_STEP_RAISED;
    }
    cn_operand arranged = {.array = NULL};
    cnx_step done = cnx_advanced_values(x, values->array, &arranged.array);
    if (done == CNX_STEP_DONE) {
        done = cnx_step_of(cn_scatter_apply(op, x->front, x->nindex, x->index, &arranged));
        cn_array_unref(arranged.array);
    }
    return done;
}

static cnx_step apply(cn_op op, PyObject *array, PyObject *key, const cn_operand *values)
{
    cnx_advanced x;
    if (op == cnx_power_op() && values != NULL) {
        cn_operand in[2] = {{.array = cnx_get(array)}, *values};
        if (cnx_power_check(in) != CN_OK) {
            return CNX_STEP_NUMPY;
        }
    }
    cnx_step done = cnx_advanced_read(&x, array, key);
    done = done == CNX_STEP_DONE ? cnx_advanced_apply(&x) : done;
    if (done == CNX_STEP_DONE) {
        done = x.nindex > 0 ? apply_indexed(op, &x, values) : apply_basic(op, &x, values);
    }
    cnx_advanced_release(&x);
    return done;
}

/* An operand as NumPy's at sees it: an array, never a number that takes the array's dtype. */
static bool read_values(PyObject *object, cn_operand *out, PyObject **keep)
{
    if (cnx_operand(object, out, keep) != 1) {
        PyErr_Clear();
        return false;
    }
    out->weak = CN_STRONG;
    return true;
}

PyObject *cnx_ufunc_at(PyObject *object, PyObject *args, PyObject *kwargs)
{
    cnx_ufunc *self = (cnx_ufunc *)object;
    Py_ssize_t nargs = PyTuple_GET_SIZE(args);
    cn_operand values;
    PyObject *keep = NULL, *array = nargs > 0 ? PyTuple_GET_ITEM(args, 0) : NULL;
    bool covered = self->op >= 0 && self->nout == 1 && nargs == self->nin + 1 && (nargs == 2 || nargs == 3) &&
                   (kwargs == NULL || PyDict_GET_SIZE(kwargs) == 0) && cnx_array_check(array) &&
                   cn_array_writeable(cnx_get(array));
    cnx_step done = CNX_STEP_NUMPY;
    if (covered && (nargs == 2 || read_values(PyTuple_GET_ITEM(args, 2), &values, &keep))) {
        cnx_begin();
        done = apply(self->op, array, PyTuple_GET_ITEM(args, 1), nargs == 3 ? &values : NULL);
    }
    Py_XDECREF(keep);
    if (done == CNX_STEP_NUMPY) {
        return cnx_ufunc_fallback(self, "at", args, kwargs);
    }
    return cnx_end(done == CNX_STEP_DONE ? Py_NewRef(Py_None) : NULL);
}
