/*
 * joint_device.h - what a device does of the work of a place, between the moves of a library op that places do together
 * (joint.h). The processor's function for the op says what comes after what.
 *
 * Addresses are the device's, unless said otherwise. Work is in the order of the device's; what fills memory of the host
 * waits for it. `memory` is what is left of the place's (cni_joint_room), as much as bind asked for.
 */
#ifndef CNI_JOINT_DEVICE_H
#define CNI_JOINT_DEVICE_H

#include "exec/joint.h"

/*
 * Bytes that are true, and elements of an array (NULL: their own numbers, from `at` on). Of all that places choose, this
 * one's are those from `first` on: what is of [low, high) goes to out, where number 0 would be, the others to asked, one
 * after the other.
 */
typedef struct cni_choosing {
    const void *truth, *array;
    int64_t n, at, first, low, high;
    void *out, *asked, *memory;
} cni_choosing;

/*
 * Rows by index in a round, or pieces of rows (joint_rows.c): piece i of the place's is number
 * index[(piece + i) / pieces] * pieces + (piece + i) % pieces of the array, and the row that it is of has the number
 * order + (piece + i) / pieces. Asked and heard: first the items (a number; of what is put also that of the row), then the
 * pieces. What the place itself owns is in neither.
 */
typedef struct cni_moving {
    char *array, *own; /* own: of this round's first piece */
    const char *index; /* of its row */
    int64_t index_step, step, bytes;
    int64_t piece, pieces, count, order;
    int me;
    const int64_t *cuts; /* on the host; by place: the first piece that it owns, and the end of all */
    char *asked, *asked_rows, *heard, *heard_rows;
    int64_t nheard;
    void *memory;
} cni_moving;

/*
 * A line sorted. The place's own elements are n from `in` on, which follow each other, and the first of them has the number
 * `first`; sorted they and (INDICES) their numbers are asked. Of what was heard, runs[place] elements of each place are
 * sorted; they become out.
 */
typedef struct cni_sorting {
    const void *in;
    int64_t n, first;
    char *asked, *asked_indices, *heard, *heard_indices;
    const int64_t *runs; /* on the host */
    void *out, *memory;
} cni_sorting;

/*
 * A round of a search. The place has n elements of the sorted vector, the first of which has the number `from`; of its own
 * values what it does not have itself is asked, and its answers are where that is. Pieces: of the places that have any.
 */
typedef struct cni_searching {
    const void *sorted;
    int64_t n, from;
    const char *values;
    int64_t *results;
    int64_t count, pieces;
    int me;
    char *asked, *asked_answers, *heard, *heard_answers;
    int64_t nheard;
    void *memory;
} cni_searching;

/*
 * After asking. Of what is fetched: what the place has itself is taken; what it was asked for is answered; what it asked for
 * is taken. Of what is put: its pieces are sent; the last row of each piece is found, among its own pieces and those heard;
 * these are put.
 */
typedef enum cni_moving_step {
    CNI_MOVE_OWN,
    CNI_MOVE_ANSWER,
    CNI_MOVE_TAKE,
    CNI_MOVE_SEND,
    CNI_MOVE_LAST,
    CNI_MOVE_PUT
} cni_moving_step;

typedef struct cni_joint_device {
    /* What functions of choosing take; NULL: the device has none. *memory: bytes that they need. */
    void *(*choose_bind)(int64_t itemsize, bool places, int64_t n, int64_t *memory);
    cn_status (*choose_count)(const void *there, const cni_choosing *x, int64_t *count);
    void (*choose)(const void *there, const cni_choosing *x);
    /* Of moving `most` pieces a round, of an array of which a place owns `owned` at most. */
    void *(*move_bind)(int64_t bytes, bool puts, int places, int64_t most, int64_t owned, int64_t *memory);
    cn_status (*move_begin)(const void *there, const cni_moving *x); /* before the first round */
    cn_status (*ask)(const void *there, const cni_moving *x, int64_t *sent /* by place */);
    void (*move)(const void *there, const cni_moving *x, cni_moving_step step);
    /* Of sorting `most` elements that a place has, and as many at most that it gets. */
    void *(*sort_bind)(cn_dtype dtype, bool indices, int places, int64_t most, int64_t *memory);
    void (*sort_own)(const void *there, const cni_sorting *x);
    /* counts[place][digit]: of own elements [low[place], high[place]) those with each digit, `shift` bits from the end of keys
       (cpu/order.h has them). */
    cn_status (*sort_tally)(const void *there, const cni_sorting *x, const int64_t *low, const int64_t *high, int shift,
                            int bits, int64_t *counts);
    void (*sort_merge)(const void *there, const cni_sorting *x);
    /* Of searching `most` values a round; the place's first element; before the first round, on the host: with which element
       each piece begins, and whose it is. */
    void *(*search_bind)(cn_dtype dtype, bool right, int places, int64_t most, int64_t *memory);
    cn_status (*search_first)(const void *there, const cni_searching *x, void *first);
    cn_status (*search_begin)(const void *there, const cni_searching *x, const void *firsts, const int *owners);
    cn_status (*search_ask)(const void *there, const cni_searching *x, int64_t *sent);
    void (*search_answer)(const void *there, const cni_searching *x); /* what was heard */
    void (*search_take)(const void *there, const cni_searching *x);   /* what was asked */
} cni_joint_device;

#endif
