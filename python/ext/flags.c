/*
 * flags.c - the object behind array.flags: what numpy's flagsobj has, asked of the array when read.
 *
 * An array that is locked (writeable = False) keeps its writeable form, so that it can be unlocked again.
 */
#include "ext.h"

typedef struct flags {
    PyObject_HEAD PyObject *array;
} flags;

/* NumPy's bits: C, F, OWNDATA, ALIGNED, WRITEABLE. */
static int bits_of(PyObject *object)
{
    const cnx_array *self = (const cnx_array *)object;
    return (cn_array_c_contiguous(self->array) ? NPY_ARRAY_C_CONTIGUOUS : 0) |
           (cn_array_f_contiguous(self->array) ? NPY_ARRAY_F_CONTIGUOUS : 0) |
           (self->base == NULL ? NPY_ARRAY_OWNDATA : 0) | NPY_ARRAY_ALIGNED |
           (cn_array_writeable(self->array) ? NPY_ARRAY_WRITEABLE : 0);
}

static int bits(PyObject *self)
{
    return bits_of(((flags *)self)->array);
}

/* ---- Locking ------------------------------------------------------------------------------------------ */

static cn_status same_view(cn_array *of, cn_array *like, bool writeable, cn_array **out)
{
    return cn_array_view(of, cn_array_dtype(like), cn_array_offset(like), cn_array_ndim(like), cn_array_shape(like),
                         cn_array_strides(like), writeable, out);
}

static int lock(cnx_array *self)
{
    cn_array *locked;
    cn_status status = same_view(self->array, self->array, false, &locked);
    if (status != CN_OK) {
        cnx_raise_plain(status);
        return -1;
    }
    self->unlocked = self->array;
    self->array = locked;
    return 0;
}

static int unlock(cnx_array *self)
{
    cn_array *writeable = NULL;
    if (self->unlocked != NULL) {
        writeable = self->unlocked;
        self->unlocked = NULL;
    } else if (self->base != NULL && cnx_array_check(self->base) && cn_array_writeable(cnx_get(self->base))) {
        cn_status status = same_view(cnx_get(self->base), self->array, true, &writeable);
        if (status != CN_OK) {
            cnx_raise_plain(status);
            return -1;
        }
    } else {
        PyErr_SetString(PyExc_ValueError, "cannot set WRITEABLE flag to True of this array");
        return -1;
    }
    cn_array_unref(self->array);
    self->array = writeable;
    return 0;
}

int cnx_set_writeable(cnx_array *self, bool writeable)
{
    if (cn_array_writeable(self->array) == writeable) {
        return 0;
    }
    return writeable ? unlock(self) : lock(self);
}

static int set_truth(PyObject *self, PyObject *value, const char *name)
{
    int truth = value != NULL ? PyObject_IsTrue(value) : -1;
    if (truth < 0) {
        if (value == NULL) {
            PyErr_Format(PyExc_AttributeError, "Cannot delete flags %s attribute", name);
        }
        return -1;
    }
    cnx_array *array = (cnx_array *)((flags *)self)->array;
    if (strcmp(name, "writeable") == 0) {
        return cnx_set_writeable(array, truth != 0);
    }
    if (truth != (strcmp(name, "aligned") == 0)) { /* memory of ours is always aligned and never a copy */
        bool copy = strcmp(name, "writebackifcopy") == 0;
        PyErr_SetString(PyExc_ValueError, copy ? "cannot set WRITEBACKIFCOPY flag to True" : "cannot set aligned flag");
        return -1;
    }
    return 0;
}

/* ---- By attribute and by name ------------------------------------------------------------------------- */

typedef struct flag {
    const char *attribute, *key, *short_key;
    int all; /* set if all of these bits are */
    bool settable;
} flag;

static const flag table[] = {
    {"c_contiguous", "C_CONTIGUOUS", "C", NPY_ARRAY_C_CONTIGUOUS, false},
    {"contiguous", "CONTIGUOUS", NULL, NPY_ARRAY_C_CONTIGUOUS, false},
    {"f_contiguous", "F_CONTIGUOUS", "F", NPY_ARRAY_F_CONTIGUOUS, false},
    {"fortran", "FORTRAN", NULL, NPY_ARRAY_F_CONTIGUOUS, false},
    {"owndata", "OWNDATA", "O", NPY_ARRAY_OWNDATA, false},
    {"writeable", "WRITEABLE", "W", NPY_ARRAY_WRITEABLE, true},
    {"aligned", "ALIGNED", "A", NPY_ARRAY_ALIGNED, true},
    {"writebackifcopy", "WRITEBACKIFCOPY", "X", NPY_ARRAY_WRITEBACKIFCOPY, true},
    {"behaved", "BEHAVED", "B", NPY_ARRAY_BEHAVED, false},
    {"carray", "CARRAY", "CA", NPY_ARRAY_CARRAY, false},
};
enum { FLAGS = sizeof table / sizeof *table };

static PyObject *get_flag(PyObject *self, void *closure)
{
    int all = ((const flag *)closure)->all;
    return PyBool_FromLong((bits(self) & all) == all);
}

static int set_flag(PyObject *self, PyObject *value, void *closure)
{
    return set_truth(self, value, ((const flag *)closure)->attribute);
}

static bool f_not_c(int b)
{
    return (b & NPY_ARRAY_F_CONTIGUOUS) != 0 && (b & NPY_ARRAY_C_CONTIGUOUS) == 0;
}

static PyObject *get_fnc(PyObject *self, void *closure)
{
    (void)closure;
    return PyBool_FromLong(f_not_c(bits(self)));
}

static PyObject *get_forc(PyObject *self, void *closure)
{
    (void)closure;
    return PyBool_FromLong((bits(self) & (NPY_ARRAY_F_CONTIGUOUS | NPY_ARRAY_C_CONTIGUOUS)) != 0);
}

static PyObject *get_farray(PyObject *self, void *closure)
{
    (void)closure;
    return PyBool_FromLong((bits(self) & NPY_ARRAY_FARRAY) != 0 &&
                           (bits(self) & NPY_ARRAY_C_CONTIGUOUS) == 0); /* NumPy's */
}

static PyObject *get_num(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromLong(bits(self));
}

/* The attribute for a key such as "WRITEABLE", "W" or "FNC"; NULL with KeyError. */
static const char *attribute_of(PyObject *key)
{
    static const char *const computed[][2] = {{"FNC", "fnc"}, {"FORC", "forc"}, {"FA", "farray"}, {"FARRAY", "farray"}};
    const char *text = PyUnicode_Check(key) ? PyUnicode_AsUTF8(key) : NULL;
    for (int i = 0; text != NULL && i < FLAGS; i++) {
        if (strcmp(text, table[i].key) == 0 || (table[i].short_key != NULL && strcmp(text, table[i].short_key) == 0)) {
            return table[i].attribute;
        }
    }
    for (size_t i = 0; text != NULL && i < sizeof computed / sizeof *computed; i++) {
        if (strcmp(text, computed[i][0]) == 0) {
            return computed[i][1];
        }
    }
    PyErr_SetString(PyExc_KeyError, "Unknown flag");
    return NULL;
}

static PyObject *flags_subscript(PyObject *self, PyObject *key)
{
    const char *attribute = attribute_of(key);
    return attribute != NULL ? PyObject_GetAttrString(self, attribute) : NULL;
}

static int flags_assign(PyObject *self, PyObject *key, PyObject *value)
{
    const char *attribute = attribute_of(key);
    return attribute != NULL ? PyObject_SetAttrString(self, attribute, value) : -1;
}

/* ---- The object --------------------------------------------------------------------------------------- */

static PyObject *flags_repr(PyObject *self)
{
    static const char *const shown[] = {"C_CONTIGUOUS", "F_CONTIGUOUS", "OWNDATA",
                                        "WRITEABLE",    "ALIGNED",      "WRITEBACKIFCOPY"};
    static const int masks[] = {NPY_ARRAY_C_CONTIGUOUS, NPY_ARRAY_F_CONTIGUOUS, NPY_ARRAY_OWNDATA,
                                NPY_ARRAY_WRITEABLE,    NPY_ARRAY_ALIGNED,      NPY_ARRAY_WRITEBACKIFCOPY};
    char text[256];
    size_t used = 0;
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        int n = PyOS_snprintf(text + used, sizeof text - used, "  %s : %s\n", shown[i],
                              (bits(self) & masks[i]) != 0 ? "True" : "False");
        used += n > 0 ? (size_t)n : 0;
    }
    return PyUnicode_FromStringAndSize(text, (Py_ssize_t)used);
}

static PyObject *flags_compare(PyObject *self, PyObject *other, int comparison)
{
    if (!Py_IS_TYPE(other, Py_TYPE(self)) || (comparison != Py_EQ && comparison != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return PyBool_FromLong((bits(self) == bits(other)) == (comparison == Py_EQ));
}

static void flags_dealloc(PyObject *self)
{
    Py_XDECREF(((flags *)self)->array);
    Py_TYPE(self)->tp_free(self);
}

static PyGetSetDef flags_getset[FLAGS + 5] = {
    [FLAGS] = {"fnc", get_fnc, NULL, NULL, NULL},
    [FLAGS + 1] = {"forc", get_forc, NULL, NULL, NULL},
    [FLAGS + 2] = {"farray", get_farray, NULL, NULL, NULL},
    [FLAGS + 3] = {"num", get_num, NULL, NULL, NULL},
};

static PyMappingMethods flags_mapping = {.mp_subscript = flags_subscript, .mp_ass_subscript = flags_assign};

static PyTypeObject flags_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "cnumeric._cnumeric.flagsobj",
    .tp_basicsize = sizeof(flags),
    .tp_dealloc = flags_dealloc,
    .tp_repr = flags_repr,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_as_mapping = &flags_mapping,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_richcompare = flags_compare,
    .tp_getset = flags_getset,
    .tp_doc = "Information about the memory layout of an array.",
};

PyObject *cnx_flags(PyObject *array)
{
    flags *made = PyObject_New(flags, &flags_type);
    if (made != NULL) {
        made->array = Py_NewRef(array);
    }
    return (PyObject *)made;
}

int cnx_flags_init(void)
{
    for (int i = 0; i < FLAGS; i++) {
        flags_getset[i] = (PyGetSetDef){table[i].attribute, get_flag, table[i].settable ? set_flag : NULL, NULL,
                                        (void *)(uintptr_t)&table[i]};
    }
    return PyType_Ready(&flags_type);
}
