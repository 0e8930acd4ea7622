/*
 * geometry.h - where the elements of a view lie: contiguity, broadcasting, and exact tests between views of one base.
 *
 * A view whose strides are multiples of its base's home strides is a lattice: in every home dimension the indices
 * start, start + step, ... (count of them). Overlap, containment and cover of lattices are integer tests; every other
 * view (retyped, flattened, folded) is judged by its byte range, so that an answer is never optimistic.
 */
#ifndef CNI_GEOMETRY_H
#define CNI_GEOMETRY_H

#include "cnumeric.h"

enum { CNI_LATTICE_DIMS = 8, CNI_COVER_BOXES = 48 };

typedef struct cni_geometry {
    int ndim;
    int64_t itemsize;
    int64_t offset; /* bytes from the start of the base */
    const int64_t *shape;
    const int64_t *strides;
} cni_geometry;

typedef struct cni_lattice {
    int ndim;
    int64_t start[CNI_LATTICE_DIMS], step[CNI_LATTICE_DIMS], count[CNI_LATTICE_DIMS];
} cni_lattice;

typedef struct cni_box {
    int64_t start[CNI_LATTICE_DIMS], stop[CNI_LATTICE_DIMS];
} cni_box;

int64_t cni_element_count(int ndim, const int64_t *shape);

/* False if ndim, the number of elements or of bytes is out of range; message as NumPy's. */
cn_status cni_shape_check(int ndim, const int64_t *shape, int64_t itemsize, int64_t *nbytes);

void cni_strides_fill(int ndim, const int64_t *shape, int64_t itemsize, int64_t *strides);
bool cni_is_contiguous(int ndim, const int64_t *shape, const int64_t *strides, int64_t itemsize, bool fortran);

/* The view's axes as they lie in memory, order[0] the slowest, as NumPy walks one array; C order where strides do not tell. */
void cni_geometry_axes(const cni_geometry *g, int *order);

/* Lowest and one past the highest byte; empty views give low == high. */
void cni_geometry_range(const cni_geometry *g, int64_t *low, int64_t *high);

/* Two elements at one address? (conservative: true when unsure) */
bool cni_geometry_self_overlap(const cni_geometry *g);

bool cni_lattice_make(const cni_geometry *home, const cni_geometry *view, cni_lattice *out);

bool cni_geometry_disjoint(const cni_geometry *home, const cni_geometry *a, const cni_geometry *b);
bool cni_geometry_contains(const cni_geometry *home, const cni_geometry *outer, const cni_geometry *inner);

/* Is the view a lattice of unit steps (or without elements)? */
bool cni_geometry_box(const cni_geometry *home, const cni_geometry *view);

/*
 * The home elements that none of the views touches, as boxes of home indices. *nboxes = -1: more than
 * CNI_COVER_BOXES, or home has too many dimensions. Views that are no unit-step lattices are taken as touching nothing.
 */
void cni_geometry_uncovered(const cni_geometry *home, int nviews, const cni_geometry *views, int *nboxes,
                            cni_box *boxes);

/* Broadcast shape of a and b (NumPy's rule); false if they do not fit. out may be one of them. */
bool cni_broadcast_shape(int na, const int64_t *a, int nb, const int64_t *b, int *nout, int64_t *out);

/* Strides of g over a broadcast shape that it is known to fit. */
void cni_broadcast_strides(int ndim, const int64_t *shape, const int64_t *strides, int nout, const int64_t *out_shape,
                           int64_t *out);

#endif
