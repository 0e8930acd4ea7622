/*
 * module.c - the module _cnumeric: its start, and what concerns the library as a whole: running, counters, settings.
 *
 * State is static: there is one core a process, so there is one module. It is made once, in the main interpreter.
 */
#define CNX_IMPORTS_NUMPY
#include "ext.h"

#include <dirent.h>

#include "ufunc.h"

/* ---- Running --------------------------------------------------------------------------------------------- */

static PyObject *done(cn_status status)
{
    return status == CN_OK ? cnx_end(Py_NewRef(Py_None)) : cnx_raise_plain(status);
}

static PyObject *flush(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return done(cn_flush());
}

static PyObject *synchronize(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return done(cn_synchronize());
}

/* explain(True) begins to collect; explain() gives the text so far; explain(False), too, and ends it. */
static PyObject *explain(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"on", NULL};
    PyObject *on = Py_None;
    char *text;
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:explain", names, &on)) {
        return NULL;
    }
    int truth = PyObject_IsTrue(on);
    if (truth < 0) {
        return NULL;
    }
    if (truth > 0) {
        cn_explain_start();
    }
    cn_status status = cn_explain(&text);
    if (status != CN_OK) {
        return cnx_raise_plain(status);
    }
    if (on == Py_False) {
        cn_explain(NULL);
    }
    PyObject *result = PyUnicode_FromString(text);
    cn_free(text);
    return result;
}

static PyObject *trace_write(PyObject *module, PyObject *args)
{
    PyObject *path;
    (void)module;
    if (!PyArg_ParseTuple(args, "O&", PyUnicode_FSConverter, &path)) {
        return NULL;
    }
    cnx_begin();
    cn_status status = cn_trace_write(PyBytes_AS_STRING(path));
    Py_DECREF(path);
    return done(status);
}

/* ---- Files ----------------------------------------------------------------------------------------------- */

static PyObject *move_file(PyObject *args, cn_status (*move)(cn_array *array, const char *path, int64_t offset))
{
    PyObject *array, *path;
    long long offset;
    if (!PyArg_ParseTuple(args, "O!O&L", &cnx_array_type, &array, PyUnicode_FSConverter, &path, &offset)) {
        return NULL;
    }
    cnx_begin();
    cn_status status = move(cnx_get(array), PyBytes_AS_STRING(path), offset);
    Py_DECREF(path);
    return done(status);
}

static PyObject *to_file(PyObject *module, PyObject *args)
{
    (void)module;
    return move_file(args, cn_array_to_file);
}

static PyObject *from_file(PyObject *module, PyObject *args)
{
    (void)module;
    return move_file(args, cn_array_from_file);
}

/* ---- Counters -------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t offset;
} counters[] = {
#define COUNTER(name) {#name, offsetof(cn_stats, name)}
    COUNTER(ops),
    COUNTER(windows),
    COUNTER(plan_hits),
    COUNTER(plan_misses),
    COUNTER(plans),
    COUNTER(groups),
    COUNTER(launches),
    COUNTER(bytes_read),
    COUNTER(bytes_written),
    COUNTER(compilations),
    COUNTER(fallbacks),
    COUNTER(reads),
    COUNTER(exports),
    COUNTER(live_bytes),
    COUNTER(peak_bytes),
    COUNTER(messages),
    COUNTER(message_bytes),
    COUNTER(root_bytes),
    COUNTER(moves),
    COUNTER(move_bytes),
    COUNTER(device_launches),
    COUNTER(graphs),
    COUNTER(shared_launches),
    COUNTER(device_calls),
    COUNTER(spills),
    COUNTER(spill_bytes),
    COUNTER(overlapped),
    COUNTER(faded),
    COUNTER(restored),
    COUNTER(unplanned),
    COUNTER(followed),
    COUNTER(direct_messages),
    COUNTER(direct_bytes),
    COUNTER(carried),
    COUNTER(turns),
    COUNTER(turn_up_bytes),
    COUNTER(turn_down_bytes),
#undef COUNTER
};

_Static_assert(sizeof counters / sizeof *counters == sizeof(cn_stats) / sizeof(uint64_t), "a counter is missing");

static PyObject *stats(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    cn_stats values;
    cn_stats_get(&values);
    PyObject *result = PyDict_New();
    for (size_t i = 0; result != NULL && i < sizeof counters / sizeof *counters; i++) {
        uint64_t value;
        memcpy(&value, (const char *)&values + counters[i].offset, sizeof value);
        PyObject *number = PyLong_FromUnsignedLongLong(value);
        if (number == NULL || PyDict_SetItemString(result, counters[i].name, number) < 0) {
            Py_CLEAR(result);
        }
        Py_XDECREF(number);
    }
    return result;
}

static PyObject *stats_reset(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    cn_stats_reset();
    Py_RETURN_NONE;
}

/* One dict a window that repeats. */
static PyObject *simulated_dict(const cn_simulated *s)
{
#define COUNT(name) #name, (unsigned long long)s->name
    return Py_BuildValue("{s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:d,s:d,s:d,s:d}", COUNT(places), COUNT(runs),
                         COUNT(launches), COUNT(messages), COUNT(message_bytes), COUNT(messages_most),
                         COUNT(messages_median), COUNT(bytes_most), COUNT(bytes_median), COUNT(looked_most),
                         COUNT(looked_median), "planning_most", s->planning_most, "planning_median", s->planning_median,
                         "serial", s->serial, "predicted", s->predicted);
#undef COUNT
}

static PyObject *simulation(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    size_t n = cn_simulation_get(0, NULL);
    cn_simulated *found = PyMem_New(cn_simulated, n + 1);
    PyObject *list = found != NULL ? PyList_New(0) : PyErr_NoMemory();
    n = found != NULL ? cn_simulation_get(n, found) : 0;
    for (size_t i = 0; i < n && list != NULL; i++) {
        PyObject *each = simulated_dict(&found[i]);
        if (each == NULL || PyList_Append(list, each) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(each);
    }
    PyMem_Free(found);
    return list;
}

static PyObject *count_fallback(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    cn_stats_count_fallback();
    Py_RETURN_NONE;
}

/* ---- Settings -------------------------------------------------------------------------------------------- */

static bool is_setting(const char *name)
{
    cn_setting setting;
    for (int i = 0; i < cn_setting_count(); i++) {
        cn_setting_get(i, &setting);
        if (strcmp(setting.name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Names are checked before anything is set. */
static int check_settings(PyObject *kwargs)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    while (kwargs != NULL && PyDict_Next(kwargs, &at, &key, &value)) {
        const char *name = PyUnicode_AsUTF8(key);
        if (name == NULL) {
            return -1;
        }
        if (!is_setting(name)) {
            PyErr_Format(PyExc_TypeError, "settings() has no setting '%s'", name);
            return -1;
        }
        if (!PyLong_Check(value)) {
            PyErr_Format(PyExc_TypeError, "settings(): %s must be an int, not %.80s", name, Py_TYPE(value)->tp_name);
            return -1;
        }
    }
    return 0;
}

static int apply_settings(PyObject *kwargs)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    while (kwargs != NULL && PyDict_Next(kwargs, &at, &key, &value)) {
        long long number = PyLong_AsLongLong(value);
        if (number == -1 && PyErr_Occurred()) {
            return -1;
        }
        cn_status status = cn_setting_set(PyUnicode_AsUTF8(key), number);
        if (status != CN_OK) {
            cnx_raise_plain(status);
            return -1;
        }
    }
    return 0;
}

static PyObject *settings(PyObject *module, PyObject *args, PyObject *kwargs)
{
    (void)module;
    if (PyTuple_GET_SIZE(args) != 0) {
        PyErr_SetString(PyExc_TypeError, "settings() takes names and values as keywords");
        return NULL;
    }
    if (check_settings(kwargs) < 0 || apply_settings(kwargs) < 0) {
        return NULL;
    }
    PyObject *result = PyDict_New();
    for (int i = 0; result != NULL && i < cn_setting_count(); i++) {
        cn_setting setting;
        cn_setting_get(i, &setting);
        PyObject *value = PyLong_FromLongLong(setting.value);
        if (value == NULL || PyDict_SetItemString(result, setting.name, value) < 0) {
            Py_CLEAR(result);
        }
        Py_XDECREF(value);
    }
    return result;
}

/* (name, value, default, meaning) of every setting; those that are text come last, their default is "". */
static PyObject *settings_table(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    int numbers = cn_setting_count(), texts = cn_text_setting_count();
    PyObject *table = PyList_New(numbers + texts);
    for (int i = 0; table != NULL && i < numbers + texts; i++) {
        cn_setting setting;
        cn_text_setting text;
        PyObject *row;
        if (i < numbers) {
            cn_setting_get(i, &setting);
            row = Py_BuildValue("(sLLs)", setting.name, (long long)setting.value, (long long)setting.default_value,
                                setting.doc);
        } else {
            cn_text_setting_get(i - numbers, &text);
            row = Py_BuildValue("(ssss)", text.name, text.value != NULL ? text.value : "", "", text.doc);
        }
        if (row == NULL) {
            Py_CLEAR(table);
            break;
        }
        PyList_SET_ITEM(table, i, row);
    }
    return table;
}

static PyObject *info(PyObject *module, PyObject *what)
{
    (void)module;
    const char *name = PyUnicode_AsUTF8(what);
    if (name == NULL) {
        return NULL;
    }
    const char *text = cn_info(name);
    return text != NULL ? PyUnicode_FromString(text) : Py_NewRef(Py_None);
}

static PyObject *fault_set(PyObject *module, PyObject *number)
{
    (void)module;
    unsigned long long nth = PyLong_AsUnsignedLongLong(number);
    if (nth == (unsigned long long)-1 && PyErr_Occurred()) {
        return NULL;
    }
    return PyLong_FromUnsignedLongLong(cn_fault_set(nth));
}

/* ---- Several processes ----------------------------------------------------------------------------------- */

static PyObject *net_close(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return done(cn_net_close());
}

static PyObject *net_size(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyLong_FromLong(cn_net_size());
}

static PyMethodDef functions[] = {
    {"flush", flush, METH_NOARGS, "flush()\n--\n\nRun what this thread has recorded."},
    {"synchronize", synchronize, METH_NOARGS,
     "synchronize()\n--\n\nRun what all threads have recorded, and wait for it."},
    {"trace_write", trace_write, METH_VARARGS, NULL},
    {"explain", CNX_KEYWORDS(explain), METH_VARARGS | METH_KEYWORDS,
     "explain(on=None)\n--\n\nBegin to collect the plans that run (True), or give their text so far."},
    {"stats", stats, METH_NOARGS, "stats()\n--\n\nThe counters: name -> number."},
    {"simulation", simulation, METH_NOARGS,
     "simulation()\n--\n\nWhat the setting simulate found: a dict for each window that repeats."},
    {"stats_reset", stats_reset, METH_NOARGS, "stats_reset()\n--\n\nSet the counters to zero."},
    {"count_fallback", count_fallback, METH_NOARGS, "Count one call that NumPy computes."},
    {"settings", CNX_KEYWORDS(settings), METH_VARARGS | METH_KEYWORDS,
     "settings(**values)\n--\n\nSet what is given; give all settings: name -> value."},
    {"settings_table", settings_table, METH_NOARGS, "Every setting as (name, value, default, meaning)."},
    {"info", info, METH_O, "info(what)\n--\n\nA fact about this build and machine, or None."},
    {"net_close", net_close, METH_NOARGS, "net_close()\n--\n\nEnd the other ranks, after what is pending."},
    {"net_size", net_size, METH_NOARGS, "net_size()\n--\n\nHow many ranks there are."},
    {"to_file", to_file, METH_VARARGS,
     "to_file(array, path, offset)\n--\n\nWrite contiguous memory, each process what it has, into a file that is "
     "there."},
    {"from_file", from_file, METH_VARARGS,
     "from_file(array, path, offset)\n--\n\nFill contiguous memory, each process what it has, from a file."},
    {"fault_set", fault_set, METH_O,
     "Test hook: the n-th allocation of the core from now fails (0: none). Gives how many there were since the last "
     "call."},
    {NULL, NULL, 0, NULL},
};

/* ---- Surroundings ---------------------------------------------------------------------------------------- */

/* NumPy's wheels bring an OpenBLAS in a folder beside the package. */
static void name_blas(void)
{
    PyObject *file = cnx_numpy("__file__");
    const char *path = file != NULL && PyUnicode_Check(file) ? PyUnicode_AsUTF8(file) : NULL;
    char folder[1024];
    if (path != NULL) {
        const char *end = strstr(path, "/numpy/__init__.py");
        int length = end != NULL ? (int)(end - path) : 0;
        PyOS_snprintf(folder, sizeof folder, "%.*s/numpy.libs", length, path);
        DIR *directory = opendir(folder);
        for (struct dirent *found; directory != NULL && (found = readdir(directory)) != NULL;) {
            if (strncmp(found->d_name, "libscipy_openblas64_", 20) == 0) {
                char library[1400];
                PyOS_snprintf(library, sizeof library, "%s/%s", folder, found->d_name);
                cn_blas_set(library, "scipy_", "64_", true);
                break;
            }
        }
        if (directory != NULL) {
            closedir(directory);
        }
    }
    Py_XDECREF(file);
    PyErr_Clear();
}

/* A child of fork sees complete memory: what is recorded runs before. */
static int drain_before_fork(PyObject *module)
{
    PyObject *os = PyImport_ImportModule("os"), *synchronize_function = PyObject_GetAttrString(module, "synchronize");
    PyObject *method = os != NULL ? PyObject_GetAttrString(os, "register_at_fork") : NULL;
    PyObject *args = PyTuple_New(0), *kwargs = PyDict_New(), *result = NULL;
    if (method != NULL && synchronize_function != NULL && args != NULL && kwargs != NULL &&
        PyDict_SetItemString(kwargs, "before", synchronize_function) == 0) {
        result = PyObject_Call(method, args, kwargs);
    }
    Py_XDECREF(os);
    Py_XDECREF(synchronize_function);
    Py_XDECREF(method);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

/* ---- Start ----------------------------------------------------------------------------------------------- */

static int execute(PyObject *module)
{
    static bool made;
    if (made) {
        PyErr_SetString(PyExc_ImportError, "cnumeric cannot be loaded twice in one process");
        return -1;
    }
    made = true;
    if (PyArray_ImportNumPyAPI() < 0 || PyUFunc_ImportUFuncAPI() < 0) {
        return -1;
    }
    if (PyModule_AddFunctions(module, functions) < 0 || cnx_convert_init() < 0 || cnx_share_init() < 0 ||
        cnx_site_init(module) < 0 || cnx_fpstate_init() < 0 || cnx_flags_init() < 0 || cnx_flat_init(module) < 0 ||
        cnx_array_init(module) < 0 || cnx_ufunc_init(module) < 0 || cnx_number_init(module) < 0 ||
        cnx_create_init(module) < 0 || cnx_create_quick_init(module) < 0 || cnx_join_init(module) < 0 ||
        cnx_product_init(module) < 0 || cnx_strided_init(module) < 0 || cnx_sorting_init(module) < 0 ||
        cnx_random_init(module) < 0 || cnx_direct_init(module) < 0 || cnx_entry_init(module) < 0 ||
        cnx_device_share_init(module) < 0 || drain_before_fork(module) < 0) {
        return -1;
    }
    name_blas();
    cn_status status = cn_net_open();
    if (status != CN_OK) {
        cnx_raise_plain(status);
        return -1;
    }
    return 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)execute},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "cnumeric._cnumeric",
    .m_doc = "Arrays and ufuncs on the cNumeric core.",
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__cnumeric(void);
PyMODINIT_FUNC PyInit__cnumeric(void)
{
    Py_AtExit(cn_close);
    cn_net_join(); /* before NumPy is loaded: of several ranks, all but one go on as workers */
    return PyModuleDef_Init(&definition);
}
