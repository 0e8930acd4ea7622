/*
 * reduce.cuh - what kernels of both kinds of reductions share; included by generated text, which says
 *
 *     SUMS(X), OTHERS(X)       X(k, type, work type, bin, begins, identity): the group's reductions. Sums are those of
 *                              inexact numbers, whose order is fixed; others may take their elements in any order.
 *     values element(&p, &offsets, e)   element e of a result: v<k> is what reduction k takes
 *     loads fetch(&p, &offsets, e); values value_of(&p, &offsets, e, &loads)      its two halves
 *     offsets result_at(&p, r)
 *     fold_<k>(a, b)           the op
 *     WIDEN_<k>, NARROW_<k>    to the type that sums are computed in, and back
 *     SCALAR_<k>               its place among the scalars: what it begins with, then its identity
 *     BLOCK                    the block's number; a launch on one of several GPUs has some of them
 */
#define OUT(k, type) (*(type *)(p.a[ACCESS_##k] + base.o[CLASS_##k]))
#define BEGIN(k, type) (*(const type *)p.scalars[SCALAR_##k])
#define IDENTITY(k, type) (*(const type *)p.scalars[SCALAR_##k + 1])
#define NO_FIELD int none;
