/*
 * vmath.h - the one source of the mathematical functions: every tier, instruction set, compiler and GPU compiles it
 * and gets the same bits. cni_<f>_f64 and cni_<f>_f32 are one text, included for both types:
 *
 *     vmath_exp.h         exp exp2 expm1
 *     vmath_log.h         log log2 log10 log1p logaddexp logaddexp2 arcsinh arccosh arctanh
 *     vmath_trig.h        sin cos tan
 *     vmath_arc.h         arcsin arccos arctan arctan2
 *     vmath_hyperbolic.h  sinh cosh tanh
 *     vmath_power.h       pow cbrt hypot
 *     vmath_short.h       what functions of float32 take of float64
 *     vmath_steps.h       nextafter spacing ldexp frexp
 *     vmath_huge.h        sin cos tan of what is too large for vmath_trig.h's reduction (float64 only)
 *     vmath_bits.h        builtins, the bits of numbers, selection
 *     vmath_poly.h        constants and polynomials, written by tools/vmath_fit.py
 *
 * Contracts
 * - Bits: only + - * / sqrt and explicit fused steps, no contraction (-ffp-contract=off), no tables to gather from, no
 *   calls: the same argument gives the same bits wherever it stands in an array.
 * - Loops: all but sin, cos and tan have no branch, so that `for (i) out[i] = cni_exp_f64(in[i])` becomes vector code
 *   (gcc does so where the target has fused steps). Choices are made by cni_pick, on bits, after both sides have been
 *   computed: a conditional expression may become a branch.
 * - sin, cos, tan branch to a slow exact path where cni_far_<type>(x), that is |x| > 0x1p45 (float64) or 0x1p17
 *   (float32). A loop that is to become vector code tests its run first:
 *       uint64_t far = 0; (uint32_t for float32)
 *       for (i) far |= cni_far_f64(in[i]);
 *       if (far) for (i) out[i] = cni_sin_f64(in[i]); else for (i) out[i] = cni_sin_near_f64(in[i]);
 *   cni_sin_near_<type> is cni_sin_<type> without the branch: the same bits where not far; where far, meaningless and
 *   with any flags. A NaN is not far.
 * - Other functions with a near form have a test of their own, cni_<f>_far_<type> or cni_log_far_<type>: of what takes steps that
 *   others can do without.
 * - Flags: divide-by-zero, overflow and invalid are raised where NumPy warns and nowhere else; NaN arguments are quiet.
 *   Underflow may be raised where the exact result is normal. Compilers' comparisons of vectors are
 *   not quiet, so that loops may raise invalid for a NaN (core/cpu/loop_events.c).
 * - Special values as C's Annex F. Accuracy: docs/vmath.md, measured by tools/vmath_ulp.py.
 */
#ifndef CNI_VMATH_H
#define CNI_VMATH_H

#include "op/vmath_bits.h"
#include "op/vmath_poly.h"

/*
 * What the included files use: F(name) the function or constant of this type, K(d, f) one of two constants, B(f) a
 * builtin, T the type, U the unsigned integer of its size, BIAS its exponents' bias and DIGITS its precision.
 * MAGIC + n, for a whole |n| < 2**(DIGITS - 2), has n in its lowest bits: rounding, and conversion to and from
 * integers, without instructions for them.
 */
#define FMA B(fma)
#define MAGIC K(0x1.8p52, 0x1.8p23)

#define T double
#define U uint64_t
#define F(name) cni_##name##_f64
#define C(name) CNI_##name##_f64
#define K(d, single) d
#define DIGITS 53
#define BIAS 1023
#define B(name) CNI_BUILTIN(name)
#define INF cni_value_f64(0x7FF0000000000000u)
#include "op/vmath_parts.h"
#include "op/vmath_exp.h"
#include "op/vmath_log.h"
#include "op/vmath_huge.h"
#include "op/vmath_trig.h"
#include "op/vmath_arc.h"
#include "op/vmath_hyperbolic.h"
#include "op/vmath_power.h"
#include "op/vmath_steps.h"
#undef T
#undef U
#undef F
#undef C
#undef K
#undef DIGITS
#undef BIAS
#undef B
#undef INF

#include "op/vmath_short.h"

#define T float
#define U uint32_t
#define F(name) cni_##name##_f32
#define C(name) CNI_##name##_f32
#define K(d, single) single##f
#define DIGITS 24
#define BIAS 127
#define B(name) CNI_BUILTIN(name##f)
#define INF cni_value_f32(0x7F800000u)
#include "op/vmath_parts.h"
#include "op/vmath_exp.h"
#include "op/vmath_log.h"
#include "op/vmath_trig.h"
#include "op/vmath_arc.h"
#include "op/vmath_hyperbolic.h"
#include "op/vmath_power.h"
#include "op/vmath_steps.h"
#undef T
#undef U
#undef F
#undef C
#undef K
#undef DIGITS
#undef BIAS
#undef B
#undef INF
#undef FMA
#undef MAGIC

#endif
