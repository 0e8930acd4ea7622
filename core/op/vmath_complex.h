/* vmath_complex.h - complex functions by the C library; those it lacks composed of others. */
#ifndef CNI_VMATH_COMPLEX_H
#define CNI_VMATH_COMPLEX_H

#include <complex.h>
#undef I

#include "op/complex.h"

#define CNI_LIBM1(name, libm)                                  \
    static inline cni_c128 cni_##name##_c128(cni_c128 x)    \
    {                                                       \
        double complex y = libm(CMPLX(x.re, x.im));            \
        return (cni_c128){creal(y), cimag(y)};              \
    }                                                       \
    static inline cni_c64 cni_##name##_c64(cni_c64 x)       \
    {                                                       \
        float complex y = libm##f(CMPLXF(x.re, x.im));         \
        return (cni_c64){crealf(y), cimagf(y)};             \
    }

CNI_LIBM1(sqrt, csqrt) CNI_LIBM1(exp, cexp) CNI_LIBM1(log, clog) CNI_LIBM1(sin, csin) CNI_LIBM1(cos, ccos) CNI_LIBM1(tan, ctan)
CNI_LIBM1(arcsin, casin) CNI_LIBM1(arccos, cacos) CNI_LIBM1(arctan, catan) CNI_LIBM1(sinh, csinh) CNI_LIBM1(cosh, ccosh)
CNI_LIBM1(tanh, ctanh) CNI_LIBM1(arcsinh, casinh) CNI_LIBM1(arccosh, cacosh) CNI_LIBM1(arctanh, catanh)
#undef CNI_LIBM1

#define T double
#define C cni_c128
#define S(name) name##_c128
#define M(f) f
#define R(name) name##_f64
#define MAKE CMPLX
#define PART(f) f
#include "op/vmath_complex_more.h"
#define T float
#define C cni_c64
#define S(name) name##_c64
#define M(name) name##f
#define R(name) name##_f32
#define MAKE CMPLXF
#define PART(name) name##f
#include "op/vmath_complex_more.h"

#endif
