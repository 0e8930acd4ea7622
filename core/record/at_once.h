/*
 * at_once.h - small runs whose values are at hand: done when called, as loads and stores of elements are.
 *
 * At hand: on the host, alone, with nothing pending that writes them; written: nor mentions them. Small: at most the
 * setting copy_bytes. What a loop body makes is pending when its next turn uses it, so that bodies are recorded whole.
 */
#ifndef CNI_AT_ONCE_H
#define CNI_AT_ONCE_H

#include "record/array.h"

/* On the host, alone, and nothing pending writes it. */
bool cni_is_at_hand(const cni_base *base);

/* *done: it has been done. Fails without memory for what has none yet. */

/* to = from, of one shape; of other dtypes only in one contiguous order, and if it raises no floating-point event. */
cn_status cni_copy_at_once(cn_array *to, const cn_array *from, bool *done);

/*
 * The same between memory that does not overlap, by the loops of the processor, which defines it. Events that were raised
 * are cleared; then it is false, and the elements are any.
 */
bool cni_elements_copy(cn_array *to, char *out, const cn_array *from, const char *in);

/* to = the value, of its dtype. */
cn_status cni_fill_at_once(cn_array *to, const cn_scalar *value, bool *done);

/* to = start + i * step, of its dtype. */
cn_status cni_arange_at_once(cn_array *to, const cn_scalar *start, const cn_scalar *step, bool *done);

/* A new array with the elements of a vector at these int64 indices; *out: NULL if it has not been done, as where one of
   them is negative or out of range. */
cn_status cni_gather_at_once(const cn_array *from, const cn_array *index, cn_array **out);

/* The elements of a vector at these int64 indices are the values: of its dtype, or a number that it takes without an event. */
cn_status cni_scatter_at_once(cn_array *to, const cn_array *index, const cn_operand *values, bool *done);

/* A new array with the elements at which the mask is true; *out: NULL if it has not been done. */
cn_status cni_compress_at_once(const cn_array *from, const cn_array *mask, cn_array **out);

#endif
