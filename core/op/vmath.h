/*
 * vmath.h - the mathematical functions of the rows, by the C library.
 *
 * One in-tree source for every tier (DESIGN 6) is to take this file's place: same names, same contracts.
 */
#ifndef CNI_VMATH_H
#define CNI_VMATH_H

#include <math.h>

#define CNI_LIBM1(name, libm)                            \
    static inline double cni_##name##_f64(double x)   \
    {                                                 \
        return libm(x);                                  \
    }                                                 \
    static inline float cni_##name##_f32(float x)     \
    {                                                 \
        return libm##f(x);                               \
    }
#define CNI_LIBM2(name, libm)                                     \
    static inline double cni_##name##_f64(double x, double y)  \
    {                                                          \
        return libm(x, y);                                        \
    }                                                          \
    static inline float cni_##name##_f32(float x, float y)     \
    {                                                          \
        return libm##f(x, y);                                     \
    }

CNI_LIBM1(exp, exp) CNI_LIBM1(exp2, exp2) CNI_LIBM1(expm1, expm1) CNI_LIBM1(log, log) CNI_LIBM1(log2, log2)
CNI_LIBM1(log10, log10) CNI_LIBM1(log1p, log1p) CNI_LIBM1(sin, sin) CNI_LIBM1(cos, cos) CNI_LIBM1(tan, tan)
CNI_LIBM1(arcsin, asin) CNI_LIBM1(arccos, acos) CNI_LIBM1(arctan, atan) CNI_LIBM1(sinh, sinh) CNI_LIBM1(cosh, cosh)
CNI_LIBM1(tanh, tanh) CNI_LIBM1(arcsinh, asinh) CNI_LIBM1(arccosh, acosh) CNI_LIBM1(arctanh, atanh) CNI_LIBM1(cbrt, cbrt)
CNI_LIBM2(pow, pow) CNI_LIBM2(hypot, hypot) CNI_LIBM2(arctan2, atan2)

#define CNI_LOGADD(T, s, b, log1p, exp, scale)                              \
    static inline T cni_logaddexp##b##_##s(T x, T y)                        \
    {                                                                       \
        T gap = x - y;                                                      \
        T more = gap > 0 ? x : y, rest = gap > 0 ? -gap : gap;              \
        return x == y ? x + (T)(scale) : gap != gap ? gap : more + log1p(exp(rest)); \
    }
static inline double cni_log2_1p_f64(double x)
{
    return 1.442695040888963407359924681001892137 * log1p(x);
}
static inline float cni_log2_1p_f32(float x)
{
    return 1.442695040888963407359924681001892137f * log1pf(x);
}
CNI_LOGADD(double, f64, , log1p, exp, 0.693147180559945309417232121458176568)
CNI_LOGADD(float, f32, , log1pf, expf, 0.693147180559945309417232121458176568)
CNI_LOGADD(double, f64, 2, cni_log2_1p_f64, exp2, 1)
CNI_LOGADD(float, f32, 2, cni_log2_1p_f32, exp2f, 1)

#undef CNI_LIBM1
#undef CNI_LIBM2
#undef CNI_LOGADD

#endif
