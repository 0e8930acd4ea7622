/*
 * codegen.h - tier 1: a group as one C function over a tile.
 *
 * The text depends on the program, on dtypes and on the classes of the innermost strides (one element, all the same, any),
 * never on extents; so one kernel serves every extent. It does for every element what tier 0 does, in the same
 * order and with the same functions: same bits.
 */
#ifndef CNI_CODEGEN_H
#define CNI_CODEGEN_H

#include "base/text.h"
#include "cpu/group.h"

/*
 * rows x columns elements. p: address of each access' first element, with its strides in bytes; scalars: addresses in
 * the order of the program's scalars; scratch: runs of rows x columns elements for the values that reductions take, or
 * rows of accumulators to which each row is added, or the sum of each leaf.
 * Not 0: an argument was far (ops.def, kind G), and the tile is to be run by tier 0.
 */
typedef uint64_t (*cni_kernel)(int64_t rows, int64_t columns, char *const *p, const int64_t *row_strides,
                               const int64_t *column_strides, const void *const *scalars, void *const *scratch);

/* May kernels of the part find arguments that are far? */
bool cni_codegen_far(const cni_part *part);

/* Does the part write there what it also reads? */
bool cni_codegen_updates(const cni_part *part, uint32_t access);

/* Does the group's kernel accumulate itself? It then takes any number of rows and columns, not only a tile. */
bool cni_codegen_accumulates(const cni_part *part, const cni_group_binding *g);

/* Does it add up leaves itself? It then takes one row of whole leaves, CNI_LEAVES at the most. */
bool cni_codegen_leaves(const cni_part *part, const cni_group_binding *g);

/* Appends the kernel's source. False if the group is not worth one or cannot be said in C. */
bool cni_codegen(const cni_part *part, const cni_window *w, const cni_group_binding *g, cni_text *text);

#endif
