/*
 * scan_tree.h - running sums of float32 and float64 along long lines (CNI_FLAG_TREE). Their order follows from an element's
 * place in its line alone, and needs no chain of additions as long as the line:
 *
 *     run      CNI_SCAN_RUN elements, one after the other
 *     tile     CNI_SCAN_TILE elements. What stands before a run of it: the nodes that make up the run's number in binary,
 *              the largest first. A node of 2**b leaves is the sum of two of half the size
 *     line     tiles; what stands before a tile likewise
 *     result   (what stands before the tile) + ((before the run) + (the run up to the element))
 *
 * core/cuda/scan_long.cuh does the same. A state is a line up to some element: it goes on from there.
 */
#ifndef CNI_SCAN_TREE_H
#define CNI_SCAN_TREE_H

#include "record/window.h"

enum { CNI_SCAN_RUNS = CNI_SCAN_TILE / CNI_SCAN_RUN, CNI_SCAN_STACK = 40 };

/* The nodes of a number, the largest first, and the sum up to each. */
typedef struct cni_scan_nodes {
    int64_t count;
    double node[CNI_SCAN_STACK], upto[CNI_SCAN_STACK];
} cni_scan_nodes;

typedef struct cni_scan_state {
    int64_t n;                  /* elements before */
    double run;                 /* the sum of those in the present run */
    cni_scan_nodes runs, tiles; /* that are complete: of the present tile, of the line */
} cni_scan_state;               /* begins as zeros */

/* Goes on with n elements; steps in bytes. out may be in. */
void cni_scan_tree_f64(cni_scan_state *s, int64_t n, const char *in, int64_t in_step, char *out, int64_t out_step);
void cni_scan_tree_f32(cni_scan_state *s, int64_t n, const char *in, int64_t in_step, char *out, int64_t out_step);

/* The sum of a tile, as it stands before the next one. */
double cni_scan_tile_f64(const char *in, int64_t in_step);
double cni_scan_tile_f32(const char *in, int64_t in_step);

/* Goes on with whole tiles of these sums, from where a tile begins. */
void cni_scan_tree_skip_f64(cni_scan_state *s, int64_t ntiles, const double *sums);
void cni_scan_tree_skip_f32(cni_scan_state *s, int64_t ntiles, const double *sums);

#endif
