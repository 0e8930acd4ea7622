/*
 * scalar.h - what the expressions of ops.def use, for one element: M(f) in a row is f_<dtype> here. Every tier
 * compiles these functions; they raise the floating-point flags that NumPy's loops raise, and no others.
 */
#ifndef CNI_SCALAR_H
#define CNI_SCALAR_H

#include <fenv.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef __F16C__
#include <immintrin.h>
#endif

#include "op/complex.h"

#define CNI_JOIN2(a, b) a##_##b
#define CNI_JOIN(a, b) CNI_JOIN2(a, b)

/* By arithmetic: fenv.h would raise it in the coprocessor, where nobody looks (cpu/events.h). */
static inline void cni_raise_overflow(void)
{
#ifndef CNI_PRELUDE /* a GPU: it has no flags */
    volatile float huge = 0x1p127f;
    huge = huge * huge;
#endif
}

/* ---- float16 ---- */

static inline cni_f16 half_of_bits(unsigned bits)
{
    cni_f16 half;
    half.bits = (uint16_t)bits;
    return half;
}

static inline float half_to_float(cni_f16 h)
{
#ifdef __F16C__
    return _cvtsh_ss(h.bits);
#else
    uint32_t sign = (uint32_t)(h.bits & 0x8000) << 16, exponent = (h.bits >> 10) & 31, mantissa = h.bits & 1023u, bits;
    if (exponent == 31) {
        bits = sign | 0x7F800000u | mantissa << 13;
        bits |= mantissa != 0 ? 0x00400000u : 0;
    } else if (exponent != 0) {
        bits = sign | (exponent + 112) << 23 | mantissa << 13;
    } else {
        float value = (float)mantissa * 0x1p-24f; /* exact */
        memcpy(&bits, &value, sizeof bits);
        bits |= sign;
    }
    float result;
    memcpy(&result, &bits, sizeof result);
    return result;
#endif
}

/* Rounds a positive finite double to a half's bits, to nearest even, in one step. */
static inline uint16_t half_round(double x)
{
    if (x < 0x1p-14) {
        double units = x * 0x1p24, whole = __builtin_floor(units), rest = units - whole;
        uint16_t bits = (uint16_t)whole;
        bits = (uint16_t)(bits + (rest > 0.5 || (rest == 0.5 && (bits & 1) != 0)));
        return bits;
    }
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint64_t low = bits & ((UINT64_C(1) << 42) - 1), half = UINT64_C(1) << 41;
    uint64_t top = (bits >> 42) - (UINT64_C(1008) << 10);
    top += low > half || (low == half && (top & 1) != 0);
    return top >= 0x7C00 ? 0x7C00 : (uint16_t)top;
}

static inline cni_f16 double_to_half(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 48 & 0x8000);
    if (x != x) {
        return half_of_bits(sign | 0x7E00 | (bits >> 42 & 0x1FF));
    }
    double magnitude = __builtin_fabs(x);
    if (magnitude > 0x1.fffffffffffffp+1023) {
        return half_of_bits(sign | 0x7C00);
    }
    if (magnitude >= 65520.0) {
        cni_raise_overflow();
        return half_of_bits(sign | 0x7C00);
    }
    return half_of_bits(sign | half_round(magnitude));
}

static inline cni_f16 float_to_half(float x)
{
#ifdef __F16C__
    return half_of_bits(_cvtss_sh(x, 0));
#else
    return double_to_half((double)x);
#endif
}

#include "op/vmath.h"

/* ---- Integers ---- */

#define T int8_t
#define UT uint8_t
#define SUFFIX i8
#define SIGNED 1
#define WIDE 0
#include "op/scalar_integer.h"
#define T int16_t
#define UT uint16_t
#define SUFFIX i16
#define SIGNED 1
#define WIDE 0
#include "op/scalar_integer.h"
#define T int32_t
#define UT uint32_t
#define SUFFIX i32
#define SIGNED 1
#define WIDE 0
#include "op/scalar_integer.h"
#define T int64_t
#define UT uint64_t
#define SUFFIX i64
#define SIGNED 1
#define WIDE 1
#include "op/scalar_integer.h"
#define T uint8_t
#define UT uint8_t
#define SUFFIX u8
#define SIGNED 0
#define WIDE 0
#include "op/scalar_integer.h"
#define T uint16_t
#define UT uint16_t
#define SUFFIX u16
#define SIGNED 0
#define WIDE 0
#include "op/scalar_integer.h"
#define T uint32_t
#define UT uint32_t
#define SUFFIX u32
#define SIGNED 0
#define WIDE 1
#include "op/scalar_integer.h"
#define T uint64_t
#define UT uint64_t
#define SUFFIX u64
#define SIGNED 0
#define WIDE 1
#include "op/scalar_integer.h"

/* ---- Reals and complex numbers ---- */

#define T float
#define U uint32_t
#define SUFFIX f32
#define B(name) name##f
#include "op/scalar_real.h"
#define T double
#define U uint64_t
#define SUFFIX f64
#define B(name) name
#include "op/scalar_real.h"

#include "op/vmath_complex.h"

#define T float
#define C cni_c64
#define SUFFIX c64
#define REAL f32
#include "op/scalar_complex.h"
#define T double
#define C cni_c128
#define SUFFIX c128
#define REAL f64
#include "op/scalar_complex.h"

/* ---- float16's own forms, by the names that rows of kind Q ask for ---- */

static inline cni_f16 half_ABSOLUTE(cni_f16 x)
{
    return half_of_bits(x.bits & 0x7FFF);
}

static inline cni_f16 half_FABS(cni_f16 x)
{
    return half_of_bits(x.bits & 0x7FFF);
}

static inline cni_f16 half_NEGATIVE(cni_f16 x)
{
    return half_of_bits(x.bits ^ 0x8000);
}

static inline cni_f16 half_NEXTAFTER(cni_f16 x, cni_f16 y)
{
    unsigned a = x.bits, b = y.bits, of_a = a & 0x7FFF, of_b = b & 0x7FFF;
    unsigned away = (((a ^ b) & 0x8000) == 0) & (of_b > of_a), none = of_a == 0;
    unsigned moved = none ? (b & 0x8000) | 1 : a - 1 + 2 * away;
    bool other = (of_b > 0x7C00) | (a == b) | ((of_a | of_b) == 0);
    unsigned result = other ? b : moved;
    result = of_a > 0x7C00 ? a : result;
    if ((of_a < 0x7C00) & ((result & 0x7FFF) == 0x7C00)) {
        cni_raise_overflow();
    }
    return half_of_bits(result);
}

/* To the next number upwards: less for a negative power of two than for a positive one, as NumPy has it. */
static inline cni_f16 half_SPACING(cni_f16 x)
{
    unsigned magnitude = x.bits & 0x7FFF, less = x.bits > 0x8000;
    unsigned exponent = (magnitude - less) >> 10;
    unsigned step = exponent > 10 ? (exponent - 10) << 10 : exponent > 0 ? 1u << (exponent - 1) : 1;
    if (x.bits == 0x7BFF) {
        cni_raise_overflow();
    }
    return half_of_bits(magnitude >= 0x7C00 ? 0x7E00 : x.bits == 0x7BFF ? 0x7C00 : step);
}

#endif
