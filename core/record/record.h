/* record.h - what the files that record calls share. */
#ifndef CNI_RECORD_H
#define CNI_RECORD_H

#include "record/window.h"

/* NumPy's 'K' order of a result of these inputs: order[0] the slowest axis; NULL: C order. */
const int *cni_axis_order(int narrays, cn_array *const *arrays, int ndim, int *order);

/* The array seen with this shape, which it fits; strides has room for ndim and lives as long as the operand. */
void cni_operand_broadcast(cni_operand *operand, cn_array *array, int ndim, const int64_t *shape, int64_t *strides);

#endif
