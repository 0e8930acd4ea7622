/*
 * layout.h - which place owns which bytes of a base, and cutting views along such borders.
 *
 *   base          |0 . . . . . . |1 . . . . . . |2 . . . . . . |      three places, cut along the leading dimensions
 *   memory of 1    - - - - - h h h|x x x x x x x|h - - - - - -        same addresses everywhere: own part, halo, untouched
 *
 * Every place reserves the addresses of the whole base and touches only what it owns or reads, so a view is the same
 * offset and strides at every place, and a halo of any width lies where its elements belong. Cuts lie between units:
 * rows of the leading dimensions, as many of them joined as give every place some; with many of them, multiples of 8 of a number
 * rounded to 16, so that the arrays (n, m), (n + 1, m) and (n - 1, m) of a staggered grid are cut alike.
 */
#ifndef CNI_LAYOUT_H
#define CNI_LAYOUT_H

#include "record/geometry.h"

typedef struct cni_layout {
    int64_t nbytes;
    int64_t unit;  /* bytes that stay together */
    int64_t count; /* units */
    int64_t step;  /* cuts are multiples of it, in units */
    int places;
} cni_layout;

/* The layout of a base with this home, C-order or a permutation of it. */
cni_layout cni_layout_make(const cni_geometry *home, int64_t nbytes, int places);

static inline int64_t cni_gcd(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Units that are shared out evenly; the last place has the rest, or lacks as many. */
int64_t cni_layout_shared_units(const cni_layout *layout);

/* The first byte that a place owns; of place = places: all bytes. */
int64_t cni_layout_begin(const cni_layout *layout, int place);

/* The place that owns the byte. */
int cni_layout_owner(const cni_layout *layout, int64_t byte);

/* Some elements of a base, in its own numbers (a view of at most CNI_LATTICE_DIMS dimensions). */
typedef struct cni_region {
    int ndim;
    int64_t itemsize, offset;
    int64_t shape[CNI_LATTICE_DIMS], strides[CNI_LATTICE_DIMS];
} cni_region;

enum { CNI_CUT_BOXES = 2 * CNI_LATTICE_DIMS };

/* A view's dimensions that move in memory, slowest first, walked upwards. */
typedef struct cni_order {
    int n;
    int64_t base; /* byte of the lowest element */
    int dim[CNI_LATTICE_DIMS];
    bool down[CNI_LATTICE_DIMS];
    int64_t shape[CNI_LATTICE_DIMS], stride[CNI_LATTICE_DIMS];
    int64_t inner[CNI_LATTICE_DIMS]; /* elements that one step passes over */
} cni_order;

/* False: the view has too many dimensions, or its elements do not follow each other in memory in an order of them. */
bool cni_geometry_order(const cni_geometry *view, cni_order *out);

/*
 * The indices of the view whose elements begin in bytes [low, high), as boxes (at most CNI_CUT_BOXES). Dimensions of
 * stride 0 stay whole. -1: the view has more than CNI_LATTICE_DIMS dimensions, or its elements do not follow each other in
 * memory in an order of its dimensions.
 */
int cni_geometry_cut(const cni_geometry *view, int64_t low, int64_t high, cni_box *boxes);

/*
 * What of n boxes of the home's indices lies in bytes [low, high): at most CNI_CUT_BOXES times as many boxes. -1: as
 * cni_geometry_cut.
 */
int cni_boxes_within(const cni_geometry *home, int64_t low, int64_t high, int n, const cni_box *boxes, cni_box *out);

/* Flat indices [from, to), in C order over dimensions of this shape, as boxes: at most 2 ndim - 1. */
int cni_range_boxes(int ndim, const int64_t *shape, int64_t from, int64_t to, cni_box *boxes);

/* The view's elements with indices in the box, slowest dimension first; those that do not move in memory are left out. False:
   too many left. */
bool cni_region_make(const cni_geometry *view, const cni_box *box, cni_region *out);

/* The bytes between the region's first and last as a region. */
cni_region cni_region_bytes(int64_t low, int64_t high);

cni_geometry cni_region_geometry(const cni_region *region);
int64_t cni_region_size(const cni_region *region); /* bytes of its elements */

/* Copies the region's elements from one memory of the base to another. */
void cni_region_copy(const cni_region *region, char *to, const char *from);

/* The elements, in C order of the region, to, or from, contiguous memory. */
void cni_region_pack(const cni_region *region, char *packed, const char *from);
void cni_region_unpack(const cni_region *region, char *to, const char *packed);

#endif
