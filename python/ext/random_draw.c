/*
 * random_draw.c - random(what, state, shape, ...): an array of ours and the state behind it, for the package's generators.
 *
 * State goes in and comes out as a tuple: of PCG64 (state's and increment's halves, has_uint32, uinteger), of MT19937
 * (key, position, has_gauss, gauss).
 */
#include "ext.h"

static bool read_pcg64(PyObject *state, cn_random *r)
{
    unsigned long long words[4];
    int has;
    unsigned int half;
    if (!PyArg_ParseTuple(state, "KKKKpI", &words[0], &words[1], &words[2], &words[3], &has, &half)) {
        return false;
    }
    r->generator = CN_PCG64;
    for (int i = 0; i < 2; i++) {
        r->state[i] = words[i];
        r->increment[i] = words[2 + i];
    }
    r->has_uint32 = has != 0;
    r->uinteger = half;
    return true;
}

static bool read_mt19937(PyObject *state, cn_random *r)
{
    PyObject *key;
    int has;
    if (!PyArg_ParseTuple(state, "O!ipd", &PyArray_Type, &key, &r->position, &has, &r->gauss)) {
        return false;
    }
    PyArrayObject *words = (PyArrayObject *)key;
    if (PyArray_TYPE(words) != NPY_UINT32 || !PyArray_IS_C_CONTIGUOUS(words) ||
        PyArray_NBYTES(words) != sizeof r->key) {
        PyErr_SetString(PyExc_ValueError, "the key of MT19937 is 624 numbers of uint32");
        return false;
    }
    memcpy(r->key, PyArray_DATA(words), sizeof r->key);
    r->generator = CN_MT19937;
    r->has_gauss = has != 0;
    return true;
}

static PyObject *give_state(const cn_random *r)
{
    if (r->generator == CN_PCG64) {
        return Py_BuildValue("(KKKKiI)", (unsigned long long)r->state[0], (unsigned long long)r->state[1],
                             (unsigned long long)r->increment[0], (unsigned long long)r->increment[1],
                             (int)r->has_uint32, (unsigned int)r->uinteger);
    }
    npy_intp length = 624;
    PyObject *key = PyArray_SimpleNew(1, &length, NPY_UINT32);
    if (key == NULL) {
        return NULL;
    }
    memcpy(PyArray_DATA((PyArrayObject *)key), r->key, sizeof r->key);
    return Py_BuildValue("(Niid)", key, r->position, (int)r->has_gauss, r->gauss);
}

typedef struct arguments {
    double low, range;
    unsigned long long first, span; /* integers */
    cn_dtype dtype;
} arguments;

static bool read_arguments(const char *what, PyObject *rest, arguments *a)
{
    PyObject *dtype;
    if (strcmp(what, "uniform") == 0) {
        return PyArg_ParseTuple(rest, "dd", &a->low, &a->range);
    }
    if (strcmp(what, "integers") != 0) {
        return true;
    }
    if (!PyArg_ParseTuple(rest, "OKK", &dtype, &a->first, &a->span)) {
        return false;
    }
    a->dtype = cnx_dtype_of(dtype);
    return PyErr_Occurred() == NULL;
}

static cn_status draw(const char *what, cn_random *r, const arguments *a, int ndim, const int64_t *shape,
                      cn_array **out)
{
    switch (what[0]) {
    case 'u':
        return cn_random_uniform(r, a->low, a->range, ndim, shape, out);
    case 's':
        return cn_random_single(r, ndim, shape, out);
    case 'n':
        return cn_random_normal(r, ndim, shape, out);
    case 'e':
        return cn_random_exponential(r, ndim, shape, out);
    case 'i':
        return cn_random_integers(r, a->dtype, a->first, a->span, ndim, shape, out);
    default:
        return cn_random_permutation(r, ndim == 1 ? shape[0] : 0, out);
    }
}

static PyObject *random_draw(PyObject *module, PyObject *args)
{
    const char *what;
    PyObject *state, *shape_object;
    cn_random r = {.generator = CN_PCG64};
    arguments a = {.dtype = CN_INT64};
    int ndim;
    int64_t shape[CN_MAX_DIMS];
    cn_array *array;
    (void)module;
    PyObject *head = PyTuple_GetSlice(args, 0, 3), *rest = PyTuple_GetSlice(args, 3, PyTuple_GET_SIZE(args)),
             *made = NULL;
    bool good = head != NULL && rest != NULL &&
                PyArg_ParseTuple(head, "sO!O:random", &what, &PyTuple_Type, &state, &shape_object) &&
                cnx_parse_shape(shape_object, &ndim, shape) == 0 && read_arguments(what, rest, &a) &&
                (PyTuple_GET_SIZE(state) == 4 ? read_mt19937(state, &r) : read_pcg64(state, &r));
    if (good) {
        cnx_begin();
        cn_status status = draw(what, &r, &a, ndim, shape, &array);
        made = status == CN_OK ? cnx_end(cnx_new(array)) : cnx_raise_plain(status);
    }
    Py_XDECREF(head);
    Py_XDECREF(rest);
    PyObject *after = made != NULL ? give_state(&r) : NULL;
    if (after == NULL) {
        Py_XDECREF(made);
        return NULL;
    }
    return Py_BuildValue("(NN)", made, after);
}

static PyMethodDef functions[] = {
    {"random", random_draw, METH_VARARGS,
     "random(what, state, shape, ...): an array, and the generator's state behind it."},
    {NULL, NULL, 0, NULL},
};

int cnx_random_init(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
