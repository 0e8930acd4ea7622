/*
 * fpstate.c - numpy.errstate for recorded calls.
 *
 * A call is recorded with its floating-point context: how each kind of event is to be reported, and under which
 * warning filters. The core gives the context back with an event, possibly much later; the report then names the line
 * that recorded the call. When some kind is to be raised, called, printed or logged, calls are precise: they run
 * before they return.
 *
 * NumPy keeps the state in a context variable holding an immutable object; it is decoded when the object's identity,
 * or that of the list of warning filters, is not the one seen last. A context number is
 *     bits 0-11   a mode of three bits for each kind, in the order of `kinds`
 *     bits 12-31  serial number of the entry with the error handler and the filters, in a ring of recent ones
 */
#include "ext.h"

enum { MODE_BITS = 3, MODES_BITS = 12, SERIALS = 1 << 20, ENTRIES = 256 };

typedef enum mode { MODE_IGNORE, MODE_WARN, MODE_RAISE, MODE_CALL, MODE_PRINT, MODE_LOG, MODE_COUNT } mode;

static const char *const mode_names[MODE_COUNT] = {"ignore", "warn", "raise", "call", "print", "log"};

typedef struct kind {
    uint32_t bit;
    const char *name; /* in numpy.geterr() */
    const char *text;
} kind;

static const kind kinds[] = {{CN_FP_DIVIDE, "divide", "divide by zero"},
                             {CN_FP_OVERFLOW, "over", "overflow"},
                             {CN_FP_UNDERFLOW, "under", "underflow"},
                             {CN_FP_INVALID, "invalid", "invalid value"}};
enum { KINDS = sizeof kinds / sizeof *kinds };

typedef struct entry {
    uint32_t serial;
    PyObject *handler; /* numpy.geterrcall(), or NULL */
    PyObject *filters; /* or NULL */
} entry;

static entry entries[ENTRIES];
static uint32_t next_serial;

/* What was seen last, and on which thread. */
static struct {
    uint64_t thread;
    PyObject *errstate; /* held, so that its address stays its own */
    PyObject *filters;
    bool precise;
} seen;

static PyObject *errstate_variable; /* NULL: this NumPy has none that we know */
static PyObject *warnings_module, *warnings_names, *filters_name;
static PyObject *registries; /* file name -> the registry of warnings that were shown */

/* ---- Contexts ----------------------------------------------------------------------------------------- */

static int read_mode(PyObject *state, const char *name, uint32_t *out)
{
    PyObject *value = PyDict_GetItemString(state, name); /* borrowed */
    for (uint32_t m = 0; value != NULL && PyUnicode_Check(value) && m < MODE_COUNT; m++) {
        if (PyUnicode_CompareWithASCIIString(value, mode_names[m]) == 0) {
            *out = m;
            return 0;
        }
    }
    PyErr_SetString(PyExc_RuntimeError, "numpy.geterr() gave a mode that is not known");
    return -1;
}

static int read_modes(uint32_t *modes, uint32_t *bits, bool *precise)
{
    PyObject *geterr = cnx_numpy("geterr");
    PyObject *state = geterr != NULL ? PyObject_CallNoArgs(geterr) : NULL;
    Py_XDECREF(geterr);
    if (state == NULL) {
        return -1;
    }
    int status = 0;
    *modes = *bits = 0;
    *precise = false;
    for (int k = 0; k < KINDS && status == 0; k++) {
        uint32_t m = MODE_IGNORE;
        status = read_mode(state, kinds[k].name, &m);
        *modes |= m << (k * MODE_BITS);
        *bits |= m != MODE_IGNORE ? kinds[k].bit : 0;
        *precise = *precise || m > MODE_WARN;
    }
    Py_DECREF(state);
    return status;
}

static PyObject *read_handler(void)
{
    PyObject *geterrcall = cnx_numpy("geterrcall");
    PyObject *handler = geterrcall != NULL ? PyObject_CallNoArgs(geterrcall) : NULL;
    Py_XDECREF(geterrcall);
    return handler;
}

/* Tells the core the context that holds now. */
static int context_change(PyObject *errstate, PyObject *filters)
{
    uint32_t modes, bits;
    bool precise;
    PyObject *handler = NULL;
    if (read_modes(&modes, &bits, &precise) < 0 || (precise && (handler = read_handler()) == NULL)) {
        return -1;
    }
    next_serial = (next_serial + 1) % SERIALS;
    entry *e = &entries[next_serial % ENTRIES];
    e->serial = next_serial;
    Py_XSETREF(e->handler, handler);
    Py_XSETREF(e->filters, Py_XNewRef(filters));
    seen.precise = precise;
    Py_XSETREF(seen.errstate, Py_XNewRef(errstate));
    Py_XSETREF(seen.filters, Py_XNewRef(filters));
    cn_set_fp_context(bits, modes | next_serial << MODES_BITS);
    return 0;
}

/* warnings.filters, borrowed. It is looked up again only when a name of that module has been bound since. */
static PyObject *filters_now(void)
{
#if PY_VERSION_HEX < 0x030C0000
    static uint64_t version;
    static PyObject *found;
    uint64_t now = ((PyDictObject *)warnings_names)->ma_version_tag;
    if (now != version) {
        version = now;
        found = PyDict_GetItemWithError(warnings_names, filters_name);
    }
    return found;
#else
    return PyDict_GetItemWithError(warnings_names, filters_name);
#endif
}

void cnx_begin(void)
{
    PyThreadState *thread = PyThreadState_Get();
    cn_set_site(cnx_site_current(thread));
    PyObject *errstate = NULL;
    if (errstate_variable != NULL && PyContextVar_Get(errstate_variable, NULL, &errstate) < 0) {
        PyErr_Clear();
    }
    PyObject *filters = filters_now();
    uint64_t number = PyThreadState_GetID(thread);
    if (errstate != seen.errstate || filters != seen.filters || number != seen.thread) {
        seen.thread = number;
        if (context_change(errstate, filters) < 0) {
            PyErr_Clear(); /* the call keeps the context of the one before */
        }
    }
    Py_XDECREF(errstate);
}

/* ---- Events ------------------------------------------------------------------------------------------- */

static PyObject *event_text(const cn_fp_event *event, const kind *k)
{
    static const char *const others[] = {[-CN_FP_IN_REDUCE] = "reduce",
                                         [-CN_FP_IN_CAST] = "cast",
                                         [-CN_FP_IN_AT] = "at",
                                         [-CN_FP_IN_ACCUMULATE] = "accumulate",
                                         [-CN_FP_IN_REDUCEAT] = "reduceat",
                                         [-CN_FP_IN_FFT] = "fft",
                                         [-CN_FP_IN_IFFT] = "ifft",
                                         [-CN_FP_IN_RFFT_EVEN] = "rfft_n_even",
                                         [-CN_FP_IN_RFFT_ODD] = "rfft_n_odd",
                                         [-CN_FP_IN_IRFFT] = "irfft"};
    return PyUnicode_FromFormat("%s encountered in %s", k->text,
                                event->op >= 0 ? cn_op_name(event->op) : others[-event->op]);
}

static PyObject *registry_of(PyObject *file)
{
    PyObject *registry = PyDict_GetItemWithError(registries, file); /* borrowed */
    if (registry != NULL || PyErr_Occurred()) {
        return registry;
    }
    registry = PyDict_New();
    if (registry == NULL || PyDict_SetItem(registries, file, registry) < 0) {
        Py_XDECREF(registry);
        return NULL;
    }
    Py_DECREF(registry);
    return registry;
}

/* Puts the program's filters back; an exception that is set stays. */
static void restore_filters(PyObject *filters)
{
#if PY_VERSION_HEX >= 0x030C0000
    PyObject *raised = PyErr_GetRaisedException();
#else
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
#endif
    if (PyObject_SetAttr(warnings_module, filters_name, filters) < 0) {
        PyErr_Clear();
    }
#if PY_VERSION_HEX >= 0x030C0000
    PyErr_SetRaisedException(raised);
#else
    PyErr_Restore(type, value, trace);
#endif
}

/* Under the filters that held when the call was recorded. */
static int warn(const cn_fp_event *event, PyObject *text, PyObject *filters)
{
    PyObject *file, *now = PyDict_GetItemWithError(warnings_names, filters_name);
    int line;
    if (!cnx_site_place(event->site, &file, &line)) {
        return PyErr_WarnEx(PyExc_RuntimeWarning, PyUnicode_AsUTF8(text), 1);
    }
    PyObject *registry = registry_of(file);
    if (registry == NULL) {
        return -1;
    }
    bool other = filters != NULL && now != NULL && filters != now;
    Py_XINCREF(now);
    Py_INCREF(file);
    if (other && PyObject_SetAttr(warnings_module, filters_name, filters) < 0) {
        PyErr_Clear();
    }
    int status = PyErr_WarnExplicitObject(PyExc_RuntimeWarning, text, file, line, NULL, registry);
    if (other) {
        restore_filters(now);
    }
    Py_DECREF(file);
    Py_XDECREF(now);
    return status;
}

static int call_handler(PyObject *handler, const kind *k)
{
    if (handler == NULL || handler == Py_None) {
        PyErr_Format(PyExc_NameError, "python callback specified for %s (in  a ufunc) but no function found.", k->text);
        return -1;
    }
    PyObject *result = PyObject_CallFunction(handler, "sI", k->text, k->bit);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

static int write_line(PyObject *to, PyObject *text)
{
    if (to == NULL || to == Py_None) {
        PyErr_SetString(PyExc_NameError,
                        "log specified for a floating-point error but no object with write method found.");
        return -1;
    }
    PyObject *line = PyUnicode_FromFormat("Warning: %U\n", text);
    PyObject *result = line != NULL ? PyObject_CallMethod(to, "write", "O", line) : NULL;
    Py_XDECREF(line);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

static int report(const cn_fp_event *event)
{
    int k = 0;
    while (k < KINDS && kinds[k].bit != event->kind) {
        k++;
    }
    if (k == KINDS) {
        return 0;
    }
    const entry *e = &entries[(event->context >> MODES_BITS) % ENTRIES];
    bool known = e->serial == event->context >> MODES_BITS;
    PyObject *handler = known ? Py_XNewRef(e->handler) : NULL, *filters = known ? Py_XNewRef(e->filters) : NULL;
    PyObject *text = event_text(event, &kinds[k]);
    int status = text != NULL ? 0 : -1;
    if (status == 0) {
        switch ((mode)(event->context >> (k * MODE_BITS) & 7)) {
        case MODE_WARN:
            status = warn(event, text, filters);
            break;
        case MODE_RAISE:
            PyErr_SetObject(PyExc_FloatingPointError, text);
            status = -1;
            break;
        case MODE_CALL:
            status = call_handler(handler, &kinds[k]);
            break;
        case MODE_PRINT:
            PySys_FormatStderr("Warning: %U\n", text);
            break;
        case MODE_LOG:
            status = write_line(handler, text);
            break;
        case MODE_IGNORE:
        case MODE_COUNT:
            break;
        }
    }
    Py_XDECREF(text);
    Py_XDECREF(handler);
    Py_XDECREF(filters);
    return status;
}

/* Delivers what has come up. After one that raises, the others of the same call are dropped, as by NumPy. */
static int deliver(cn_fp_event *event)
{
    int status = 0;
    do {
        if (status == 0) {
            status = report(event);
        }
    } while (cn_fp_event_take(event));
    return status;
}

int cnx_end_int(int status)
{
    if (status < 0 || !(seen.precise || cn_attention())) {
        return status;
    }
    cn_status flushed = seen.precise ? cn_flush() : CN_OK;
    flushed = seen.precise && flushed == CN_OK ? cn_fp_events_wait() : flushed;
    if (flushed != CN_OK) {
        cnx_raise_plain(flushed);
        return -1;
    }
    const char *notice = cn_notice_take();
    if (notice != NULL && PyErr_WarnEx(PyExc_RuntimeWarning, notice, 1) < 0) {
        return -1;
    }
    cn_fp_event event;
    return cn_fp_event_take(&event) && deliver(&event) < 0 ? -1 : status;
}

PyObject *cnx_end(PyObject *result)
{
    if (result != NULL && cnx_end_int(0) < 0) {
        Py_DECREF(result);
        return NULL;
    }
    return result;
}

/* ---- Start -------------------------------------------------------------------------------------------- */

static PyObject *find_variable(void)
{
    PyObject *umath = PyImport_ImportModule("numpy._core.umath");
    PyObject *variable = umath != NULL ? PyObject_GetAttrString(umath, "_extobj_contextvar") : NULL;
    Py_XDECREF(umath);
    if (variable != NULL && !PyContextVar_CheckExact(variable)) {
        Py_CLEAR(variable);
    }
    PyErr_Clear();
    return variable;
}

int cnx_fpstate_init(void)
{
    errstate_variable = find_variable();
    filters_name = PyUnicode_InternFromString("filters");
    warnings_module = PyImport_ImportModule("warnings");
    registries = PyDict_New();
    if (filters_name == NULL || warnings_module == NULL || registries == NULL) {
        return -1;
    }
    warnings_names = Py_NewRef(PyModule_GetDict(warnings_module));
    return 0;
}
