/*
 * follow.h - a window that repeats one before is not built anew.
 *
 * A window that has come twice is kept as a *model*: its ops, views, shapes and geometry, without bases and values. The
 * window that is expected next *follows* its model: while each op is the one that the model has next, the window takes
 * bases, scalars and counts of its own, and for all else the model stands. An op that differs, or a cut, makes it a window
 * like any other, as if each of its ops had been appended (cni_follow_end).
 *
 * What is expected: the model that came after the one before. Nothing is lost by a wrong guess but the comparison. A window
 * that is followed to its end ends where its model did, and the detector of repeats does not hear of it: to it, that
 * much of the program has not been. Of others it hears the ops that they have taken (cni_repeat_resume).
 *
 * Invariants: a window with a model has no ops, views, shapes, geometry, table and hash of its own; every view and base
 * that it mentions has the number that appending would have given it. A model that is followed does not change.
 */
#ifndef CNI_FOLLOW_H
#define CNI_FOLLOW_H

#include "record/window.h"

enum {
    CNI_MODEL_FAILS = 4, /* in a row: then its geometry is thought to change */
    CNI_MODEL_AGAIN = 64 /* sights until it is tried again */
};

/* The op that the current window's model has next; NULL: it follows none, or something must be cut first. */
const cni_op *cni_follow_next(const cni_recorder *r);

/*
 * Takes the op if it is the one that comes next; else the window is like any other from now on. Nothing is to be cut
 * before it.
 */
cn_status cni_follow(cni_recorder *r, const cni_op *op, const cni_operand *operands, bool *taken);

/*
 * The next op (cni_follow_next), if these are its inputs: makes its only result, a new array. NULL: they are others; then
 * nothing has changed.
 */
cn_array *cni_follow_new(cni_recorder *r, const cni_operand *inputs);

/* Takes a copy between views of one shape and dtype, if it comes next; else nothing has changed. */
bool cni_follow_copy(cni_recorder *r, cn_array *destination, cn_array *source);

/* Does the window end here, as its model did where a period ended? */
static inline bool cni_follow_cut_here(const cni_window *w)
{
    return w->nops == w->model->nops && w->model->repeats;
}

/* The window gets what it has left to its model; goes_on: more ops will be appended. Fails if a verifier finds it wrong. */
cn_status cni_follow_end(cni_window *w, bool goes_on);

/* The window has been cut, another one is current: learns from the one, and says what the other will follow. */
void cni_follow_cut(cni_recorder *r, cni_window *cut);

#endif
