/* vmath_bits.h - what the vector-math source stands on: builtins by name, numbers as bits, selection without a branch. */
#ifndef CNI_VMATH_BITS_H
#define CNI_VMATH_BITS_H

#include <stdint.h>

#ifdef __CUDACC_RTC__ /* with --fmad=false --device-as-default-execution-space, and a stdint.h: it has none */
#define CNI_BUILTIN(f) f
#define CNI_SLOW static __device__ __noinline__
#define CNI_WHOLE static inline
#define CNI_LESS(a, b) ((a) < (b))
#define CNI_LESS_EQUAL(a, b) ((a) <= (b))
#else
#include <stdbool.h>
#include <string.h>
#define CNI_BUILTIN(f) __builtin_##f
#define CNI_SLOW static __attribute__((noinline, cold, unused))
#define CNI_WHOLE static inline __attribute__((always_inline, flatten)) /* part of the loop, with all that it calls */
#define CNI_LESS(a, b) __builtin_isless(a, b)                           /* quiet for a NaN */
#define CNI_LESS_EQUAL(a, b) __builtin_islessequal(a, b)
#endif
#define CNI_FMA CNI_BUILTIN(fma)
#define CNI_FMAF CNI_BUILTIN(fmaf)

static inline uint64_t cni_bits_f64(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double cni_value_f64(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint32_t cni_bits_f32(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float cni_value_f32(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* a where the condition holds, else b; both have been computed. */
static inline double cni_pick_f64(bool condition, double a, double b)
{
    uint64_t mask = -(uint64_t)condition;
    return cni_value_f64((cni_bits_f64(a) & mask) | (cni_bits_f64(b) & ~mask));
}

static inline float cni_pick_f32(bool condition, float a, float b)
{
    uint32_t mask = -(uint32_t)condition;
    return cni_value_f32((cni_bits_f32(a) & mask) | (cni_bits_f32(b) & ~mask));
}

/* Beyond, powers of two are infinite or nothing, whatever they are multiplied with. */
#define CNI_LDEXP_MOST 5000

static inline int32_t cni_ldexp_power_i32(int32_t power)
{
    return power > CNI_LDEXP_MOST ? CNI_LDEXP_MOST : power < -CNI_LDEXP_MOST ? -CNI_LDEXP_MOST : power;
}

static inline int32_t cni_ldexp_power_i64(int64_t power)
{
    return (int32_t)(power > CNI_LDEXP_MOST ? CNI_LDEXP_MOST : power < -CNI_LDEXP_MOST ? -CNI_LDEXP_MOST : power);
}

#endif
