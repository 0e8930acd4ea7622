/*
 * joint_ops.h - library ops of several places together: cni_sharing's joint functions. See joint_rows.c, joint_sort.c,
 * joint_segments.c, joint_search.c, joint_fourier.c, select.c. *scratch is 0 when they are asked for room; what is then there
 * has room.there if the device can do its work, and room.memory for what it needs beside asked and heard. Whether devices may,
 * as far as shapes and dtypes say, all places find alike.
 */
#ifndef CNI_JOINT_OPS_H
#define CNI_JOINT_OPS_H

#include "cpu/fourier.h"
#include "exec/joint.h"
#include "exec/place.h"

void cni_joint_measure(const cni_joint *joint, const cni_joint_device *device, cni_joint_room *room);
cn_status cni_joint_run(const cni_joint *joint);

void cni_select_room(const cni_joint *joint, int64_t *asked, int64_t *heard, int64_t *scratch);
void cni_select_there(const cni_joint *joint, const cni_joint_device *device, cni_joint_room *room);
cn_status cni_select_run(const cni_joint *joint);

void cni_rows_room(const cni_joint *joint, int64_t *asked, int64_t *heard, int64_t *scratch);
bool cni_rows_may(const cni_joint *joint);
void cni_rows_there(const cni_joint *joint, const cni_joint_device *device, cni_joint_room *room);
cn_status cni_gather_run(const cni_joint *joint);
cn_status cni_scatter_run(const cni_joint *joint);
cn_status cni_apply_run(const cni_joint *joint);

void cni_sorted_room(const cni_joint *joint, int64_t *asked, int64_t *heard, int64_t *scratch);
bool cni_sorted_may(const cni_joint *joint);
void cni_sorted_there(const cni_joint *joint, const cni_joint_device *device, cni_joint_room *room);
cn_status cni_sorted_run(const cni_joint *joint);

void cni_segments_room(const cni_joint *joint, int64_t *asked, int64_t *heard, int64_t *scratch);
cn_status cni_segments_run(const cni_joint *joint);

void cni_search_room(const cni_joint *joint, int64_t *asked, int64_t *heard, int64_t *scratch);
bool cni_search_may(const cni_joint *joint);
void cni_search_there(const cni_joint *joint, const cni_joint_device *device, cni_joint_room *room);
cn_status cni_search_run(const cni_joint *joint);

void cni_fourier_room(const cni_joint *joint, int64_t *asked, int64_t *heard, int64_t *scratch);
cn_status cni_fourier_run(const cni_joint *joint);

/* What a transform does with lines along its axis, but the plan, of n points, and the scale; and the most threads that are
   counted on, whatever is set (fourier.c). */
cni_fourier_job cni_fourier_job_of(const cni_op *op, const cni_geometry *out, cn_dtype out_dtype,
                                   const cni_geometry *in, cn_dtype in_dtype, int64_t *n, bool *real);
int cni_fourier_workers(void);

/* Where `count` values go in a sorted vector of n; right: behind its equals. Threads share the values (search.c). */
void cni_search_sorted(cn_dtype dtype, const char *sorted, int64_t n, const char *values, int64_t count, bool right,
                       int64_t *out);

/* Results [first, end) of the part alone (scan.c). */
void cni_segments_range(const cni_part *part, const cni_run *run, int64_t first, int64_t end);

#endif
