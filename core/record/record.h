/* record.h - what the files that record calls share. */
#ifndef CNI_RECORD_H
#define CNI_RECORD_H

#include "record/window.h"

/* NumPy's 'K' order of a result of these inputs: order[0] the slowest axis; NULL: C order. */
const int *cni_axis_order(int narrays, cn_array *const *arrays, int ndim, int *order);

/* The array seen with this shape, which it fits; strides has room for ndim and lives as long as the operand. */
void cni_operand_broadcast(cni_operand *operand, cn_array *array, int ndim, const int64_t *shape, int64_t *strides);

/* Runs what is pending on the base; then its buffer is on the host, zeros if it was never written. */
cn_status cni_base_ready(cni_base *base);

/* The array's values in C order, of the dtype: itself, or a copy. New reference. */
cn_status cni_array_dense(cn_array *array, cn_dtype dtype, cn_array **out);

/* The same on the host: *data is the address of the first. */
cn_status cni_array_host(cn_array *array, cn_dtype dtype, cn_array **out, void **data);

/*
 * An int64 index checked where it is, if its values are not here: in [0, extent), or with wraps made so from -extent on.
 * *out (dense, new reference) stays NULL if they are here, or one is out of range.
 */
cn_status cni_index_there(cn_array *index, int64_t extent, bool wraps, cn_array **out);

/* A guess, from sizes: the array's values are, or will be, on the device. */
bool cni_array_elsewhere(const cn_array *array);

/* Threads that pay for simple work on n elements while a call is being recorded (what it reads has run). */
int cni_host_threads(int64_t n);

/* How many of the bytes are true. */
int64_t cni_count_true(const uint8_t *bytes, int64_t n);

/*
 * The elements of that size where the first `room` of them are, which there are, and the places of those, counted from
 * `first`. The place of processors defines both.
 */
void cni_elements_of_true(int64_t size, int64_t room, const uint8_t *bytes, const void *in, void *out);
void cni_places_of_true(int64_t room, const uint8_t *bytes, int64_t first, int64_t *out);

/*
 * For ops whose kernels know one order: the array with its axes from the slowest to the fastest, as they lie in memory,
 * and where axis is then. What the op makes of it (given away) is turned back to the order of the axes. New references;
 * back has room for all axes.
 */
cn_status cni_array_turned(cn_array *array, int *axis, int *back, cn_array **out);
cn_status cni_array_turn_back(cn_array *made, const int *back, cn_array **out);

#endif
