/* vmath_poly.h - the constants and polynomials of vmath.h. Written by tools/vmath_fit.py; edit that. */
/* clang-format off */
#ifndef CNI_VMATH_POLY_H
#define CNI_VMATH_POLY_H

#include "op/vmath_bits.h"

/* NAME + NAME_LO (+ NAME_LO2) is the value; LN2 and LOG10_2 are short: exact times an exponent. */
#define CNI_LN2_f64 0x1.62e42fefa4p-1
#define CNI_LN2_LO_f64 -0x1.8432a1b0e2634p-43
#define CNI_LOG10_2_f64 0x1.34413509f8p-2
#define CNI_LOG10_2_LO_f64 -0x1.80433b83b532ap-44
#define CNI_LOG2_E_f64 0x1.71547652b82fep+0
#define CNI_LOG2_E_LO_f64 0x1.777d0ffda0d24p-56
#define CNI_LOG10_E_f64 0x1.bcb7b1526e50ep-2
#define CNI_LOG10_E_LO_f64 0x1.95355baaafad3p-57
#define CNI_LN2_FULL_f64 0x1.62e42fefa39efp-1
#define CNI_LN2_FULL_LO_f64 0x1.abc9e3b39803fp-56
#define CNI_TWO_THIRDS_f64 0x1.5555555555555p-1
#define CNI_TWO_THIRDS_LO_f64 0x1.5555555555555p-55
#define CNI_HALF_PI_f64 0x1.921fb54442d18p+0
#define CNI_HALF_PI_LO_f64 0x1.1a62633145c07p-54
#define CNI_HALF_PI_LO2_f64 -0x1.f1976b7ed8fbcp-110
#define CNI_QUARTER_PI_f64 0x1.921fb54442d18p-1
#define CNI_QUARTER_PI_LO_f64 0x1.1a62633145c07p-55
#define CNI_PI_f64 0x1.921fb54442d18p+1
#define CNI_PI_LO_f64 0x1.1a62633145c07p-53
#define CNI_TWO_OVER_PI_f64 0x1.45f306dc9c883p-1
#define CNI_SQRT_HALF_f64 0x1.6a09e667f3bcdp-1
#define CNI_CBRT_HALF_f64 0x1.965fea53d6e3dp-1
#define CNI_CBRT_QUARTER_f64 0x1.428a2f98d728bp-1
#define CNI_THIRD_f64 0x1.5555555555555p-2
#define CNI_TWO_NINTHS_f64 0x1.c71c71c71c71cp-3
#define CNI_TAN_EIGHTH_f64 0x1.a827999fcef32p-2
#define CNI_LN2_f32 0x1.62e4p-1f
#define CNI_LN2_LO_f32 0x1.7f7d1cp-20f
#define CNI_LOG10_2_f32 0x1.344p-2f
#define CNI_LOG10_2_LO_f32 0x1.3509f8p-18f
#define CNI_LOG2_E_f32 0x1.715476p+0f
#define CNI_LOG2_E_LO_f32 0x1.4ae0cp-26f
#define CNI_LOG10_E_f32 0x1.bcb7b2p-2f
#define CNI_LOG10_E_LO_f32 -0x1.5b235ep-27f
#define CNI_LN2_FULL_f32 0x1.62e43p-1f
#define CNI_LN2_FULL_LO_f32 -0x1.05c61p-29f
#define CNI_TWO_THIRDS_f32 0x1.555556p-1f
#define CNI_TWO_THIRDS_LO_f32 -0x1.555556p-26f
#define CNI_HALF_PI_f32 0x1.921fb6p+0f
#define CNI_HALF_PI_LO_f32 -0x1.777a5cp-25f
#define CNI_HALF_PI_LO2_f32 -0x1.ee59dap-50f
#define CNI_QUARTER_PI_f32 0x1.921fb6p-1f
#define CNI_QUARTER_PI_LO_f32 -0x1.777a5cp-26f
#define CNI_PI_f32 0x1.921fb6p+1f
#define CNI_PI_LO_f32 -0x1.777a5cp-24f
#define CNI_TWO_OVER_PI_f32 0x1.45f306p-1f
#define CNI_SQRT_HALF_f32 0x1.6a09e6p-1f
#define CNI_CBRT_HALF_f32 0x1.965feap-1f
#define CNI_CBRT_QUARTER_f32 0x1.428a3p-1f
#define CNI_THIRD_f32 0x1.555556p-2f
#define CNI_TWO_NINTHS_f32 0x1.c71c72p-3f
#define CNI_TAN_EIGHTH_f32 0x1.a8279ap-2f

/* 32 zero bits, then the first 1280 bits of 2/pi. */
#define CNI_TWO_OVER_PI_WORDS \
    0x00000000, 0xA2F9836E, 0x4E441529, 0xFC2757D1, 0xF534DDC0, 0xDB629599, 0x3C439041, 0xFE5163AB, \
    0xDEBBC561, 0xB7246E3A, 0x424DD2E0, 0x06492EEA, 0x09D1921C, 0xFE1DEB1C, 0xB129A73E, 0xE88235F5, \
    0x2EBB4484, 0xE99C7026, 0xB45F7E41, 0x3991D639, 0x835339F4, 0x9C845F8B, 0xBDF9283B, 0x1FF897FF, \
    0xDE05980F, 0xEF2F118B, 0x5A0A6D1F, 0x6D367ECF, 0x27CB09B7, 0x4F463F66, 0x9E5FEA2D, 0x7527BAC7, \
    0xEBE5F17B, 0x3D0739F7, 0x8A5292EA, 0x6BFB5FB1, 0x1F8D5D08, 0x56033046, 0xFC7B6BAB, 0xF0CFBC20, \
    0x9AF4361D

/* (2**r - 1 - r ln 2) / r**2 on [-0.501, 0.501]; error 2**-58.1 */
static inline double cni_poly_exp2_f64(double z)
{
    double even = 0x1.c4904e1e94586p-36, odd = 0x1.e9d50e594c8e7p-32, square = z * z;
    even = CNI_FMA(even, square, 0x1.e4cf1c64949f7p-28);
    even = CNI_FMA(even, square, 0x1.62c022402d57ap-20);
    even = CNI_FMA(even, square, 0x1.430912f86bf3p-13);
    even = CNI_FMA(even, square, 0x1.3b2ab6fba4e78p-7);
    even = CNI_FMA(even, square, 0x1.ebfbdff82c58fp-3);
    odd = CNI_FMA(odd, square, 0x1.b524fa5dd26a3p-24);
    odd = CNI_FMA(odd, square, 0x1.ffcbfc673a9fdp-17);
    odd = CNI_FMA(odd, square, 0x1.5d87fe78a522p-10);
    odd = CNI_FMA(odd, square, 0x1.c6b08d704a0c2p-5);
    return CNI_FMA(odd, z, even);
}

/* (2**r - 1 - r ln 2) / r**2 on [-0.501, 0.501]; error 2**-30.7 */
static inline float cni_poly_exp2_f32(float z)
{
    float even = 0x1.44149ap-13f, odd = 0x1.008ac8p-16f, square = z * z;
    even = CNI_FMAF(even, square, 0x1.3b2a52p-7f);
    even = CNI_FMAF(even, square, 0x1.ebfbep-3f);
    odd = CNI_FMAF(odd, square, 0x1.5d87cp-10f);
    odd = CNI_FMAF(odd, square, 0x1.c6b08ep-5f);
    return CNI_FMAF(odd, z, even);
}

/* (e**r - 1 - r) / r**2 on [-0.3476, 0.3476]; error 2**-60.3 */
static inline double cni_poly_exp_f64(double z)
{
    double even = 0x1.1f73c9e1e5555p-29, odd = 0x1.af4f451d9ec2bp-26, square = z * z;
    even = CNI_FMA(even, square, 0x1.27e4db04b53c8p-22);
    even = CNI_FMA(even, square, 0x1.a01a01a6f6cefp-16);
    even = CNI_FMA(even, square, 0x1.6c16c16c1629dp-10);
    even = CNI_FMA(even, square, 0x1.5555555555556p-5);
    even = CNI_FMA(even, square, 0x1p-1);
    odd = CNI_FMA(odd, square, 0x1.71de018a0d245p-19);
    odd = CNI_FMA(odd, square, 0x1.a01a01ac1cfa8p-13);
    odd = CNI_FMA(odd, square, 0x1.111111111007ap-7);
    odd = CNI_FMA(odd, square, 0x1.5555555555557p-3);
    return CNI_FMA(odd, z, even);
}

/* (e**r - 1 - r) / r**2 on [-0.3476, 0.3476]; error 2**-29.3 */
static inline float cni_poly_exp_f32(float z)
{
    float even = 0x1.6d44e4p-10f, odd = 0x1.a1267ep-13f, square = z * z;
    even = CNI_FMAF(even, square, 0x1.5554e8p-5f);
    even = CNI_FMAF(even, square, 0x1p-1f);
    odd = CNI_FMAF(odd, square, 0x1.1110ep-7f);
    odd = CNI_FMAF(odd, square, 0x1.555556p-3f);
    return CNI_FMAF(odd, z, even);
}

/* (2 atanh(s) / s - 2) / z, z = s**2 on [0.0, 0.02953]; error 2**-57.5 */
static inline double cni_poly_log_f64(double z)
{
    double even = 0x1.2b6ed12e8b85ap-3, odd = 0x1.39fc8d210b697p-3, square = z * z;
    even = CNI_FMA(even, square, 0x1.7462c2bf92bebp-3);
    even = CNI_FMA(even, square, 0x1.2492492e1832dp-2);
    even = CNI_FMA(even, square, 0x1.5555555555558p-1);
    odd = CNI_FMA(odd, square, 0x1.c71c62b3f3758p-3);
    odd = CNI_FMA(odd, square, 0x1.9999999995182p-2);
    return CNI_FMA(odd, z, even);
}

/* (2 atanh(s) / s - 2) / z, z = s**2 on [0.0, 0.02953]; error 2**-28.5 */
static inline float cni_poly_log_f32(float z)
{
    float p = 0x1.2eeeaap-2f;
    p = CNI_FMAF(p, z, 0x1.997cp-2f);
    p = CNI_FMAF(p, z, 0x1.55555cp-1f);
    return p;
}

/* (2 atanh(s) / s - 2 - 2/3 z) / z**2 on [0.0, 0.02953]; error 2**-66.3 */
static inline double cni_poly_pow_f64(double z)
{
    double even = 0x1.df78db5b08e17p-4, odd = 0x1.e05772ccb637p-4, square = z * z;
    even = CNI_FMA(even, square, 0x1.3b13957973784p-3);
    even = CNI_FMA(even, square, 0x1.c71c71c6e9b07p-3);
    even = CNI_FMA(even, square, 0x1.999999999999ap-2);
    odd = CNI_FMA(odd, square, 0x1.1118dab2859d3p-3);
    odd = CNI_FMA(odd, square, 0x1.745d177b6abdbp-3);
    odd = CNI_FMA(odd, square, 0x1.2492492492525p-2);
    return CNI_FMA(odd, z, even);
}

/* (2 atanh(s) / s - 2 - 2/3 z) / z**2 on [0.0, 0.02953]; error 2**-38.3 */
static inline float cni_poly_pow_f32(float z)
{
    float p = 0x1.87a5ep-3f;
    p = CNI_FMAF(p, z, 0x1.c6c054p-3f);
    p = CNI_FMAF(p, z, 0x1.24929p-2f);
    p = CNI_FMAF(p, z, 0x1.99999ap-2f);
    return p;
}

/* (sin(r) - r) / r**3, z = r**2 on [0.0, 0.6416]; error 2**-57.0 */
static inline double cni_poly_sin_f64(double z)
{
    double even = -0x1.aaf4f3414bd9bp-41, odd = 0x1.612142b058074p-33, square = z * z;
    even = CNI_FMA(even, square, -0x1.ae6453c512cadp-26);
    even = CNI_FMA(even, square, -0x1.a01a01a0197b9p-13);
    even = CNI_FMA(even, square, -0x1.5555555555555p-3);
    odd = CNI_FMA(odd, square, 0x1.71de3a5432f05p-19);
    odd = CNI_FMA(odd, square, 0x1.111111111111p-7);
    return CNI_FMA(odd, z, even);
}

/* (sin(r) - r) / r**3, z = r**2 on [0.0, 0.6416]; error 2**-28.1 */
static inline float cni_poly_sin_f32(float z)
{
    float p = 0x1.6d93d4p-19f;
    p = CNI_FMAF(p, z, -0x1.a01322p-13f);
    p = CNI_FMAF(p, z, 0x1.11110ep-7f);
    p = CNI_FMAF(p, z, -0x1.555556p-3f);
    return p;
}

/* (cos(r) - 1 + z/2) / z**2 on [0.0, 0.6416]; error 2**-59.4 */
static inline double cni_poly_cos_f64(double z)
{
    double even = 0x1.1eeb3beeb001ap-29, odd = -0x1.905ddef81d69ap-37, square = z * z;
    even = CNI_FMA(even, square, 0x1.a01a019f2c0a2p-16);
    even = CNI_FMA(even, square, 0x1.5555555555555p-5);
    odd = CNI_FMA(odd, square, -0x1.27e4f9ebd1121p-22);
    odd = CNI_FMA(odd, square, -0x1.6c16c16c168d1p-10);
    return CNI_FMA(odd, z, even);
}

/* (cos(r) - 1 + z/2) / z**2 on [0.0, 0.6416]; error 2**-29.7 */
static inline float cni_poly_cos_f32(float z)
{
    float p = 0x1.9bad12p-16f;
    p = CNI_FMAF(p, z, -0x1.6c128p-10f);
    p = CNI_FMAF(p, z, 0x1.555554p-5f);
    return p;
}

/* (arcsin(s) - s) / s**3, z = s**2 on [0.0, 0.2501]; error 2**-57.3 */
static inline double cni_poly_arcsin_f64(double z)
{
    double even = 0x1.d78189767524ep-6, odd = -0x1.e7a24f548c99fp-7, square = z * z;
    even = CNI_FMA(even, square, 0x1.1d661531b222ep-6);
    even = CNI_FMA(even, square, 0x1.524ea8b3aad31p-7);
    even = CNI_FMA(even, square, 0x1.c9cf3759fd8ffp-7);
    even = CNI_FMA(even, square, 0x1.6e8bb1d89492bp-6);
    even = CNI_FMA(even, square, 0x1.6db6db6e3292ep-5);
    even = CNI_FMA(even, square, 0x1.5555555555556p-3);
    odd = CNI_FMA(odd, square, 0x1.653a8f8cfd43cp-8);
    odd = CNI_FMA(odd, square, 0x1.78246f32d075cp-7);
    odd = CNI_FMA(odd, square, 0x1.1c4d343fa57f6p-6);
    odd = CNI_FMA(odd, square, 0x1.f1c71c1d4aa0dp-6);
    odd = CNI_FMA(odd, square, 0x1.3333333332ec4p-4);
    return CNI_FMA(odd, z, even);
}

/* (arcsin(s) - s) / s**3, z = s**2 on [0.0, 0.2501]; error 2**-28.5 */
static inline float cni_poly_arcsin_f32(float z)
{
    float even = 0x1.18e1f6p-6f, odd = 0x1.14138cp-5f, square = z * z;
    even = CNI_FMAF(even, square, 0x1.6d5b8ep-5f);
    even = CNI_FMAF(even, square, 0x1.555554p-3f);
    odd = CNI_FMAF(odd, square, 0x1.fd921ap-6f);
    odd = CNI_FMAF(odd, square, 0x1.333432p-4f);
    return CNI_FMAF(odd, z, even);
}

/* (arctan(t) - t) / t**3, z = t**2 on [0.0, 0.1716]; error 2**-58.2 */
static inline double cni_poly_arctan_f64(double z)
{
    double even = -0x1.1b32e90dc1b73p-5, odd = 0x1.0ad19d106080cp-6, square = z * z;
    even = CNI_FMA(even, square, -0x1.ac7a81ce7905cp-5);
    even = CNI_FMA(even, square, -0x1.110e87efaa766p-4);
    even = CNI_FMA(even, square, -0x1.745d165de6c19p-4);
    even = CNI_FMA(even, square, -0x1.249249248d7e8p-3);
    even = CNI_FMA(even, square, -0x1.5555555555555p-2);
    odd = CNI_FMA(odd, square, 0x1.74dd831f5c013p-5);
    odd = CNI_FMA(odd, square, 0x1.e19a11516d8ebp-5);
    odd = CNI_FMA(odd, square, 0x1.3b1392d8695c8p-4);
    odd = CNI_FMA(odd, square, 0x1.c71c71c304728p-4);
    odd = CNI_FMA(odd, square, 0x1.9999999999953p-3);
    return CNI_FMA(odd, z, even);
}

/* (arctan(t) - t) / t**3, z = t**2 on [0.0, 0.1716]; error 2**-28.5 */
static inline float cni_poly_arctan_f32(float z)
{
    float p = -0x1.0844bp-4f;
    p = CNI_FMAF(p, z, 0x1.b80ffcp-4f);
    p = CNI_FMAF(p, z, -0x1.242032p-3f);
    p = CNI_FMAF(p, z, 0x1.99973p-3f);
    p = CNI_FMAF(p, z, -0x1.555554p-2f);
    return p;
}

/* (sinh(r) - r) / r**3, z = r**2 on [0.0, 0.1208]; error 2**-58.8 */
static inline double cni_poly_sinh_f64(double z)
{
    double p = 0x1.af39e5ac082a8p-26;
    p = CNI_FMA(p, z, 0x1.71de0d2924871p-19);
    p = CNI_FMA(p, z, 0x1.a01a01a7e6841p-13);
    p = CNI_FMA(p, z, 0x1.1111111110987p-7);
    p = CNI_FMA(p, z, 0x1.5555555555556p-3);
    return p;
}

/* (sinh(r) - r) / r**3, z = r**2 on [0.0, 0.1208]; error 2**-30.7 */
static inline float cni_poly_sinh_f32(float z)
{
    float p = 0x1.a1267ep-13f;
    p = CNI_FMAF(p, z, 0x1.1110ep-7f);
    p = CNI_FMAF(p, z, 0x1.555556p-3f);
    return p;
}

/* (cosh(r) - 1) / z on [0.0, 0.1208]; error 2**-65.5 */
static inline double cni_poly_cosh_f64(double z)
{
    double even = 0x1.27e4d3a3eca9ap-22, odd = 0x1.1f800023fe31fp-29, square = z * z;
    even = CNI_FMA(even, square, 0x1.6c16c16c159fep-10);
    even = CNI_FMA(even, square, 0x1p-1);
    odd = CNI_FMA(odd, square, 0x1.a01a01aa159acp-16);
    odd = CNI_FMA(odd, square, 0x1.5555555555557p-5);
    return CNI_FMA(odd, z, even);
}

/* (cosh(r) - 1) / z on [0.0, 0.1208]; error 2**-31.5 */
static inline float cni_poly_cosh_f32(float z)
{
    float p = 0x1.6d44e4p-10f;
    p = CNI_FMAF(p, z, 0x1.5554e8p-5f);
    p = CNI_FMAF(p, z, 0x1p-1f);
    return p;
}

/* m**(-1/3) on [1.0, 2.0]; error 2**-17.1 */
static inline double cni_poly_cbrt_f64(double z)
{
    double even = 0x1.37ce9e9ed0a1dp-3, odd = -0x1.0e87006cbe6bbp-6, square = z * z;
    even = CNI_FMA(even, square, 0x1.3a267a3d49ad4p+0);
    even = CNI_FMA(even, square, 0x1.c713e2847cbe6p+0);
    odd = CNI_FMA(odd, square, -0x1.2c4b958d54c08p-1);
    odd = CNI_FMA(odd, square, -0x1.8dd4bd7d34771p+0);
    return CNI_FMA(odd, z, even);
}

/* m**(-1/3) on [1.0, 2.0]; error 2**-14.4 */
static inline float cni_poly_cbrt_f32(float z)
{
    float p = 0x1.c73184p-6f;
    p = CNI_FMAF(p, z, -0x1.bb1becp-3f);
    p = CNI_FMAF(p, z, 0x1.5e8accp-1f);
    p = CNI_FMAF(p, z, -0x1.2992ep+0f);
    p = CNI_FMAF(p, z, 0x1.aa913ep+0f);
    return p;
}

/* log2(1 + f) / f on [-0.2929, 0.4142]; error 2**-32.8 */
static inline double cni_poly_short_log2_f64(double z)
{
    double even = 0x1.3a457f7b873b6p-3, odd = -0x1.596fe0ad18378p-4, square = z * z;
    even = CNI_FMA(even, square, 0x1.4645e59a19474p-3);
    even = CNI_FMA(even, square, 0x1.a608e4d0d409cp-3);
    even = CNI_FMA(even, square, 0x1.2777694c44dfdp-2);
    even = CNI_FMA(even, square, 0x1.ec709b5b33c1ap-2);
    even = CNI_FMA(even, square, 0x1.715476530458cp+0);
    odd = CNI_FMA(odd, square, -0x1.41fffb9965927p-3);
    odd = CNI_FMA(odd, square, -0x1.6eb2698f21315p-3);
    odd = CNI_FMA(odd, square, -0x1.ec8cbb28a46d3p-3);
    odd = CNI_FMA(odd, square, -0x1.715438ed50d73p-2);
    odd = CNI_FMA(odd, square, -0x1.71547678f1feep-1);
    return CNI_FMA(odd, z, even);
}

/* 2**r on [-0.501, 0.501]; error 2**-28.5 */
static inline double cni_poly_short_exp2_f64(double z)
{
    double even = 0x1.44413f0666543p-13, odd = 0x1.5f4a8d42a60a7p-10, square = z * z;
    even = CNI_FMA(even, square, 0x1.3b2a1a3178a01p-7);
    even = CNI_FMA(even, square, 0x1.ebfbe046e529dp-3);
    even = CNI_FMA(even, square, 0x1p+0);
    odd = CNI_FMA(odd, square, 0x1.c6aec8caf51a1p-5);
    odd = CNI_FMA(odd, square, 0x1.62e430d2ea714p-1);
    return CNI_FMA(odd, z, even);
}

#endif
