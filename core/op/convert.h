/*
 * convert.h - one value from a dtype to another, as NumPy's astype: REAL_TO_<suffix>(a) of any number that is not
 * complex, COMPLEX_TO_<suffix>(a) of a complex one (its real part, but for bool and complex targets).
 */
#ifndef CNI_CONVERT_H
#define CNI_CONVERT_H

#include "op/scalar.h"

static inline cni_f16 half_of_float(float x)
{
    return float_to_half(x);
}

static inline cni_f16 half_of_double(double x)
{
    return double_to_half(x);
}

#ifdef __CUDACC_RTC__ /* C++ */
template <typename number> static inline cni_f16 half_of(number x)
{
    return sizeof(number) == sizeof(double) && (number)0.5 != 0 ? half_of_double((double)x) : half_of_float((float)x);
}
#define HALF_OF(a) half_of(a)
#else
#define HALF_OF(a) _Generic((a), double: half_of_double((double)(a)), default: half_of_float((float)(a)))
#endif
#define REAL_TO_b(a) ((uint8_t)((a) != 0))
#define REAL_TO_i8(a) ((int8_t)(a))
#define REAL_TO_u8(a) ((uint8_t)(a))
#define REAL_TO_i16(a) ((int16_t)(a))
#define REAL_TO_u16(a) ((uint16_t)(a))
#define REAL_TO_i32(a) ((int32_t)(a))
#define REAL_TO_u32(a) ((uint32_t)(a))
#define REAL_TO_i64(a) ((int64_t)(a))
#define REAL_TO_u64(a) ((uint64_t)(a))
#define REAL_TO_f16(a) HALF_OF(a)
#define REAL_TO_f32(a) ((float)(a))
#define REAL_TO_f64(a) ((double)(a))
#define REAL_TO_c64(a) cni_make_c64((float)(a), 0)
#define REAL_TO_c128(a) cni_make_c128((double)(a), 0)
#define COMPLEX_TO_b(a) ((uint8_t)(((a).re != 0) | ((a).im != 0)))
#define COMPLEX_TO_i8(a) REAL_TO_i8((a).re)
#define COMPLEX_TO_u8(a) REAL_TO_u8((a).re)
#define COMPLEX_TO_i16(a) REAL_TO_i16((a).re)
#define COMPLEX_TO_u16(a) REAL_TO_u16((a).re)
#define COMPLEX_TO_i32(a) REAL_TO_i32((a).re)
#define COMPLEX_TO_u32(a) REAL_TO_u32((a).re)
#define COMPLEX_TO_i64(a) REAL_TO_i64((a).re)
#define COMPLEX_TO_u64(a) REAL_TO_u64((a).re)
#define COMPLEX_TO_f16(a) HALF_OF((a).re)
#define COMPLEX_TO_f32(a) ((float)(a).re)
#define COMPLEX_TO_f64(a) ((double)(a).re)
#define COMPLEX_TO_c64(a) cni_make_c64((float)(a).re, (float)(a).im)
#define COMPLEX_TO_c128(a) cni_make_c128((double)(a).re, (double)(a).im)

#endif
