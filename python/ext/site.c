/*
 * site.c - call sites: a number for the place in the user's program that makes the current call.
 *
 * A place is a code object and an instruction offset. Places are numbered when first seen and keep their code object
 * alive, so that a code object's address never stands for two. Places inside this package are passed over: the
 * caller outside it is the site. Number 0 is "unknown"; when MOST_SITES places are known, new ones are unknown.
 */
#include "ext.h"

enum { FIRST_SLOTS = 1024, MOST_SITES = 1 << 16 };

/* Table value for a place inside this package. */
#define INSIDE UINT32_MAX

typedef struct slot {
    PyCodeObject *code; /* NULL: free; held */
    int offset;         /* of the instruction, in bytes */
    uint32_t site;
} slot;

typedef struct place {
    PyCodeObject *code; /* held by the slot */
    int offset;
} place;

static slot *slots;
static size_t nslots; /* a power of two */
static size_t nused;
static place *places; /* of site i + 1 */
static uint32_t nplaces, places_capacity;
static PyObject *package; /* prefix of the names of this package's files */

static size_t hash_of(const PyCodeObject *code, int offset)
{
    uint64_t key = ((uint64_t)(uintptr_t)code >> 4) ^ (uint64_t)(unsigned)offset * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)((key * UINT64_C(0xC2B2AE3D27D4EB4F)) >> 20);
}

/* The slot of the place, or the free one where it belongs. */
static slot *slot_find(slot *table, size_t size, const PyCodeObject *code, int offset)
{
    size_t at = hash_of(code, offset) & (size - 1);
    while (table[at].code != NULL && (table[at].code != code || table[at].offset != offset)) {
        at = (at + 1) & (size - 1);
    }
    return &table[at];
}

static bool slots_grow(void)
{
    size_t size = nslots * 2;
    slot *table = PyMem_Calloc(size, sizeof *table);
    if (table == NULL) {
        return false;
    }
    for (size_t i = 0; i < nslots; i++) {
        if (slots[i].code != NULL) {
            *slot_find(table, size, slots[i].code, slots[i].offset) = slots[i];
        }
    }
    PyMem_Free(slots);
    slots = table;
    nslots = size;
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

/* Numbers a new place: its slot's value. 0 if there is no room. */
static uint32_t place_add(PyCodeObject *code, int offset)
{
    if (nused >= MOST_SITES || (nused * 2 >= nslots && !slots_grow())) {
        return 0;
    }
    uint32_t site = INSIDE;
    if (!is_inside(code)) {
        if (!places_grow()) {
            return 0;
        }
        places[nplaces] = (place){code, offset};
        site = ++nplaces;
    }
    *slot_find(slots, nslots, code, offset) = (slot){(PyCodeObject *)Py_NewRef((PyObject *)code), offset, site};
    nused++;
    return site;
}

static uint32_t frame_site(PyFrameObject *frame)
{
    PyCodeObject *code = PyFrame_GetCode(frame);
    int offset = PyFrame_GetLasti(frame);
    const slot *found = slot_find(slots, nslots, code, offset);
    uint32_t site = found->code != NULL ? found->site : place_add(code, offset);
    Py_DECREF(code); /* the frame has it */
    return site;
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
    slots = PyMem_Calloc(FIRST_SLOTS, sizeof *slots);
    if (slots == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    nslots = FIRST_SLOTS;
    package = package_folder(module);
    cn_set_site_printer(print_site);
    return PyErr_Occurred() ? -1 : 0;
}
