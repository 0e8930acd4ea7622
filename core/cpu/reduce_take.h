/*
 * reduce_take.h - what a reduction has taken so far (reduce.c), for what walks the elements (reduce_walk.c).
 */
#ifndef CNI_REDUCE_TAKE_H
#define CNI_REDUCE_TAKE_H

#include "cpu/group.h"

static inline bool cni_is_inexact(uint8_t dtype)
{
    return dtype >= CN_FLOAT16;
}

/* One result: begins, takes n contiguous elements that follow those before, and is stored. */
void cni_result_begin(cni_reduction *r, const cni_run *run);
void cni_result_take(cni_reduction *r, int64_t n, const char *values);
/* The same of n whole leaves, given their sums; none has been begun. */
void cni_leaves_take(cni_reduction *r, int64_t n, const void *sums);
void cni_result_finish(cni_reduction *r, char *out);

/* A row of results: likewise, takes rows that lie `stride` bytes apart. */
void cni_row_begin(cni_reduction *r, const cni_run *run, int64_t columns);
void cni_rows_take(cni_reduction *r, int64_t columns, int64_t rows, const char *values, int64_t stride);
/* Somebody else added so many rows, not more than are left before the accumulators are folded. */
void cni_rows_taken(cni_reduction *r, int64_t columns, int64_t rows);
int64_t cni_rows_left(const cni_reduction *r);
void cni_rows_returned(cni_reduction *r, int64_t rows); /* they count as not taken; the accumulators are the caller's */
void cni_row_finish(cni_reduction *r, const cni_group_binding *g, const cni_lane *lane, int64_t columns);

#endif
