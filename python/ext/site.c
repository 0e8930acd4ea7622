/*
 * site.c - call sites: a number for the place in the user's program that makes the current call.
 *
 * A place is a code object and an instruction in it. A code object has a table of its instructions' numbers, made when it
 * is first seen, and is kept alive, so that its address never stands for two; what ran last is found without looking.
 * Places inside this package are passed over: the caller outside it is the site. Number 0 is "unknown"; when MOST_SITES
 * places are known, new ones are unknown.
 */
#include "ext.h"

enum { FIRST_CODES = 256, MOST_SITES = 1 << 16 };

/* A number for a place inside this package. */
#define INSIDE UINT32_MAX

typedef struct code_sites {
    PyCodeObject *code; /* NULL: free; held */
    Py_ssize_t count;   /* of instructions */
    uint32_t *sites;    /* of each; 0: none yet */
} code_sites;

typedef struct place {
    PyCodeObject *code; /* held by its table */
    int offset;         /* in bytes */
} place;

static code_sites *codes;         /* open addressing */
static size_t ncodes, codes_size; /* the size is a power of two */
static code_sites newest;         /* seen last */
static size_t nseen;              /* places, those inside too */
static place *places;             /* of site i + 1 */
static uint32_t nplaces, places_capacity;
static PyObject *package; /* prefix of the names of this package's files */

/* Where the code object is, or belongs. */
static code_sites *codes_find(code_sites *table, size_t size, const PyCodeObject *code)
{
    uint64_t key = (uint64_t)(uintptr_t)code >> 4;
    size_t at = (size_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (size - 1);
    while (table[at].code != NULL && table[at].code != code) {
        at = (at + 1) & (size - 1);
    }
    return &table[at];
}

static bool codes_grow(void)
{
    size_t size = codes_size * 2;
    code_sites *table = PyMem_Calloc(size, sizeof *table);
    if (table == NULL) {
        return false;
    }
    for (size_t i = 0; i < codes_size; i++) {
        if (codes[i].code != NULL) {
            *codes_find(table, size, codes[i].code) = codes[i];
        }
    }
    PyMem_Free(codes);
    codes = table;
    codes_size = size;
    return true;
}

/* Makes the code object the newest; false if there is no room for a table. */
static bool code_seen(PyCodeObject *code)
{
    code_sites *found = codes_find(codes, codes_size, code);
    if (found->code == NULL) {
        if (nseen >= MOST_SITES || (ncodes * 2 >= codes_size && !codes_grow())) {
            return false;
        }
        Py_ssize_t count = Py_SIZE(code);
        uint32_t *sites = PyMem_Calloc((size_t)count, sizeof *sites);
        if (sites == NULL) {
            return false;
        }
        found = codes_find(codes, codes_size, code);
        *found = (code_sites){(PyCodeObject *)Py_NewRef((PyObject *)code), count, sites};
        ncodes++;
    }
    newest = *found;
    return true;
}

static bool places_grow(void)
{
    if (nplaces < places_capacity) {
        return true;
    }
    uint32_t capacity = places_capacity == 0 ? 256 : places_capacity * 2;
    place *larger = PyMem_Realloc(places, capacity * sizeof *larger);
    if (larger == NULL) {
        return false;
    }
    places = larger;
    places_capacity = capacity;
    return true;
}

static bool is_inside(const PyCodeObject *code)
{
    return package != NULL && PyUnicode_Tailmatch(code->co_filename, package, 0, PY_SSIZE_T_MAX, -1) > 0;
}

/* Numbers an instruction of the newest code object that has no number. 0 if there is no room. */
static uint32_t place_add(int offset, uint32_t *number)
{
    if (nseen >= MOST_SITES || !places_grow()) {
        return 0;
    }
    if (is_inside(newest.code)) {
        *number = INSIDE;
    } else {
        places[nplaces] = (place){newest.code, offset};
        *number = ++nplaces;
    }
    nseen++;
    return *number;
}

static uint32_t frame_site(PyFrameObject *frame)
{
    PyCodeObject *code = PyFrame_GetCode(frame);
    Py_DECREF(code); /* the frame has it */
    if (code != newest.code && !code_seen(code)) {
        return 0;
    }
    int offset = PyFrame_GetLasti(frame);
    Py_ssize_t instruction = offset / 2;
    if (offset < 0 || instruction >= newest.count) {
        return 0;
    }
    uint32_t *number = &newest.sites[instruction];
    return *number != 0 ? *number : place_add(offset, number);
}

uint32_t cnx_site_current(PyThreadState *thread)
{
    PyFrameObject *frame = PyThreadState_GetFrame(thread);
    if (frame == NULL) {
        return 0;
    }
    uint32_t site = frame_site(frame);
    while (site == INSIDE) {
        PyFrameObject *outer = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        if (outer == NULL) {
            return 0;
        }
        frame = outer;
        site = frame_site(frame);
    }
    Py_DECREF(frame);
    return site;
}

bool cnx_site_place(uint32_t site, PyObject **file, int *line)
{
    if (site == 0 || site > nplaces) {
        return false;
    }
    const place *p = &places[site - 1];
    *file = p->code->co_filename;
    *line = PyCode_Addr2Line(p->code, p->offset);
    return true;
}

/* "file.py:12" */
static void print_site(uint32_t site, char *text, size_t size)
{
    PyObject *file;
    int line;
    if (size == 0) {
        return;
    }
    const char *name = cnx_site_place(site, &file, &line) ? PyUnicode_AsUTF8(file) : NULL;
    if (name == NULL) {
        PyErr_Clear();
        text[0] = '\0';
        return;
    }
    const char *slash = strrchr(name, '/');
    PyOS_snprintf(text, size, "%s:%d", slash != NULL ? slash + 1 : name, line);
}

/* The module's own file lies in the package's folder. */
static PyObject *package_folder(PyObject *module)
{
    PyObject *file = PyObject_GetAttrString(module, "__file__");
    if (file == NULL || !PyUnicode_Check(file)) {
        PyErr_Clear();
        Py_XDECREF(file);
        return NULL;
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(file);
    Py_ssize_t slash = PyUnicode_FindChar(file, '/', 0, length, -1);
    PyObject *folder = slash >= 0 ? PyUnicode_Substring(file, 0, slash + 1) : NULL;
    Py_DECREF(file);
    return folder;
}

int cnx_site_init(PyObject *module)
{
    codes = PyMem_Calloc(FIRST_CODES, sizeof *codes);
    if (codes == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    codes_size = FIRST_CODES;
    package = package_folder(module);
    cn_set_site_printer(print_site);
    return PyErr_Occurred() ? -1 : 0;
}
