/*
 * index.h - indexing: what its three files share.
 *
 * index_parse.c reads keys of ints, slices, None and Ellipsis; index_advanced.c keys with arrays; index.c is the
 * mapping and sequence protocol, and assignment. Whatever none of them takes, errors included, is done by NumPy on
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

/* self[key] and self[key] = value with arrays in the key. */
PyObject *cnx_get_advanced(PyObject *self, PyObject *key);
int cnx_set_advanced(PyObject *self, PyObject *key, PyObject *value);

/* The same, done by NumPy. */
PyObject *cnx_get_by_numpy(PyObject *self, PyObject *key);
int cnx_set_by_numpy(PyObject *self, PyObject *key, PyObject *value);

#endif
