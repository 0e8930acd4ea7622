/*
 * index.h - indexing: what its files share.
 *
 * index_parse.c reads keys of ints, slices, None and Ellipsis; index_arrays.c keys with arrays, by which
 * index_advanced.c gathers and scatters; index.c is the mapping and sequence protocol, and assignment. Whatever none of them takes, errors included, is done by NumPy on
 * the array's memory: then the exception is NumPy's.
 */
#ifndef CNX_INDEX_H
#define CNX_INDEX_H

#include "ext.h"

typedef enum cnx_key {
    CNX_KEY_ELEMENT,  /* an int for every dimension: offset alone */
    CNX_KEY_VIEW,     /* a basic view */
    CNX_KEY_ADVANCED, /* perhaps arrays are in it */
    CNX_KEY_RAISED,   /* an exception is set */
    CNX_KEY_NUMPY     /* NumPy's business, most likely its exception */
} cnx_key;

/* A view, by value; offset counts from the base. */
typedef struct cnx_view_geometry {
    int ndim;
    int64_t offset;
    int64_t shape[CN_MAX_DIMS];
    int64_t strides[CN_MAX_DIMS];
} cnx_view_geometry;

cnx_key cnx_key_parse(const cn_array *array, PyObject *key, cnx_view_geometry *out);

/* Applies a slice to an extent: the length; *start and *step are set. -1 with an exception. */
int64_t cnx_slice(PyObject *slice, int64_t extent, int64_t *start, int64_t *step);

/* An int in any form that NumPy takes for one in an index: 1, else 0, -1 with an exception. */
int cnx_index_int(PyObject *object, int64_t *out);

/* ---- Keys with arrays ---------------------------------------------------------------------------------- */

enum { CNX_MAX_ITEMS = 2 * CN_MAX_DIMS };

typedef enum cnx_item_kind {
    CNX_ITEM_INT,
    CNX_ITEM_SLICE,
    CNX_ITEM_NEWAXIS,
    CNX_ITEM_ELLIPSIS,
    CNX_ITEM_ARRAY,
    CNX_ITEM_MASK,
    CNX_ITEM_TRUTH
} cnx_item_kind;

typedef struct cnx_key_item {
    cnx_item_kind kind;
    PyObject *slice; /* borrowed */
    int64_t index;
    cn_array *array; /* owned; of a truth value: as many zeros as it is true */
} cnx_key_item;

typedef struct cnx_advanced {
    cn_array *array; /* borrowed */
    int nitems;
    cnx_key_item items[CNX_MAX_ITEMS];
    int consumed; /* dimensions that the items name; the Ellipsis takes the others */
    int ellipsis; /* its number, or -1 */

    cnx_view_geometry view;
    int nindex; /* index arrays, in the order of their axes */
    int axes[CN_MAX_DIMS];
    cn_array *index[CN_MAX_DIMS]; /* owned; broadcast to one shape in the end */
    int place;                    /* where the index axes go among the others */
    int index_ndim;
    int64_t index_shape[CN_MAX_DIMS];
    cn_array *front; /* V, indexed axes first; owned */
} cnx_advanced;

/* What the steps below return: done; NumPy must see to it (no exception); or an exception is set. */
typedef enum cnx_step { CNX_STEP_RAISED = -1, CNX_STEP_DONE, CNX_STEP_NUMPY } cnx_step;

cnx_step cnx_step_of(cn_status status);

/* Reads the key: items and how many dimensions they name. Nothing is applied yet. */
cnx_step cnx_advanced_read(cnx_advanced *x, PyObject *self, PyObject *key);

/* Applies the basic items and makes the index arrays ready: view, index, place, and (with index arrays) front. */
cnx_step cnx_advanced_apply(cnx_advanced *x);

/* The values as cn_scatter takes them: broadcast to the result's shape, index axes in front. *out is owned. */
cnx_step cnx_advanced_values(const cnx_advanced *x, cn_array *values, cn_array **out);

/* After a read, whatever came of it. */
void cnx_advanced_release(cnx_advanced *x);

/* self[key] and self[key] = value with arrays in the key. */
PyObject *cnx_get_advanced(PyObject *self, PyObject *key);
int cnx_set_advanced(PyObject *self, PyObject *key, PyObject *value);

/* The same, done by NumPy. */
PyObject *cnx_get_by_numpy(PyObject *self, PyObject *key);
int cnx_set_by_numpy(PyObject *self, PyObject *key, PyObject *value);

#endif
