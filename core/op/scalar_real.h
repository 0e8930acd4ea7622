/* scalar_real.h - included by scalar.h for float and double: T, U the unsigned integer of its size, SUFFIX, B(f) the builtin's name. */
#define FN(name) CNI_JOIN(name, SUFFIX)
#define BUILTIN2(name) __builtin_##name
#define BUILTIN(name) BUILTIN2(name)
#define PICK CNI_JOIN(cni_pick, SUFFIX)

static inline T FN(absolute)(T a)
{
    return BUILTIN(B(fabs))(a);
}

static inline T FN(sqrt)(T a)
{
    return BUILTIN(B(sqrt))(a);
}

static inline T FN(rint)(T a)
{
    return BUILTIN(B(rint))(a);
}

static inline T FN(copysign)(T a, T b)
{
    return BUILTIN(B(copysign))(a, b);
}

/* Compilers make vectors of rint alone while flags matter. */
static inline T FN(floor)(T a)
{
    T near = FN(rint)(a), below = near - 1;
    return FN(copysign)(__builtin_isgreater(near, a) ? below : near, a);
}

static inline T FN(ceil)(T a)
{
    T near = FN(rint)(a), above = near + 1;
    return FN(copysign)(__builtin_isless(near, a) ? above : near, a);
}

static inline T FN(trunc)(T a)
{
    return FN(copysign)(FN(floor)(FN(absolute)(a)), a);
}

static inline bool FN(less)(T a, T b)
{
    return __builtin_isless(a, b);
}

static inline bool FN(lessequal)(T a, T b)
{
    return __builtin_islessequal(a, b);
}

static inline bool FN(isinf)(T a)
{
    return __builtin_isinf(a) != 0;
}

static inline bool FN(isfinite)(T a)
{
    return __builtin_isfinite(a) != 0;
}

static inline bool FN(signbit)(T a)
{
    return CNI_JOIN(cni_bits, SUFFIX)(a) >> (sizeof(T) * 8 - 1) != 0;
}

/* By masks: conditions in conditions become branches, and loops no vectors. */
static inline T FN(maximum)(T a, T b)
{
    return PICK(__builtin_isgreater(a, b) | (a != a), a, b);
}

static inline T FN(minimum)(T a, T b)
{
    return PICK(__builtin_isless(a, b) | (a != a), a, b);
}

static inline T FN(fmax)(T a, T b)
{
    return PICK(__builtin_isgreater(a, b) | (b != b), a, b);
}

static inline T FN(fmin)(T a, T b)
{
    return PICK(__builtin_isless(a, b) | (b != b), a, b);
}

static inline T FN(clip)(T a, T low, T high)
{
    return FN(minimum)(FN(maximum)(a, low), high);
}

static inline T FN(sign)(T a)
{
    T of_number = PICK(__builtin_isgreater(a, 0), 1, PICK(__builtin_isless(a, 0), -1, 0));
    return PICK(a != a, a, of_number);
}

static inline T FN(heaviside)(T a, T at_zero)
{
    T of_number = PICK(a == 0, at_zero, PICK(__builtin_isgreater(a, 0), 1, 0));
    return PICK(a != a, a, of_number);
}

#include "op/scalar_divide.h"

static inline T FN(modf)(T a, T *whole)
{
    if (a != a) {
        *whole = a;
        return a;
    }
    *whole = FN(trunc)(a);
    return __builtin_isinf(a) ? FN(copysign)(0, a) : FN(copysign)(a - *whole, a);
}

/* By a power of two that is bounded. */
static inline T FN(ldexp)(T a, int32_t power)
{
    return CNI_JOIN(cni_ldexp, SUFFIX)(a, power);
}

static inline T FN(frexp)(T a, int32_t *exponent)
{
    return CNI_JOIN(cni_frexp, SUFFIX)(a, exponent);
}

static inline T FN(deg2rad)(T a)
{
    return a * ((T)3.14159265358979323846 / (T)180.0);
}

static inline T FN(rad2deg)(T a)
{
    return a * ((T)180.0 / (T)3.14159265358979323846);
}

/* Of rows of kinds G and H: the form for arguments that are not far, and whether they are (not 0). */
static inline T FN(near_POWER)(T a, T b)
{
    return CNI_JOIN(cni_pow_near, SUFFIX)(a, b);
}

static inline U FN(far_POWER)(T a, T b)
{
    return CNI_JOIN(cni_pow_far, SUFFIX)(a, b);
}

#define FAR FN(far_quotient)
#define FAR_T U
#include "op/scalar_near.h"

#define VECTOR_MATH1(name)                                                                                             \
    static inline T FN(name)(T a)                                                                                      \
    {                                                                                                                  \
        return CNI_JOIN(cni_##name, SUFFIX)(a);                                                                        \
    }
#define VECTOR_MATH2(name)                                                                                             \
    static inline T FN(name)(T a, T b)                                                                                 \
    {                                                                                                                  \
        return CNI_JOIN(cni_##name, SUFFIX)(a, b);                                                                     \
    }
/* clang-format off */
VECTOR_MATH1(exp) VECTOR_MATH1(exp2) VECTOR_MATH1(expm1) VECTOR_MATH1(log) VECTOR_MATH1(log2) VECTOR_MATH1(log10)
VECTOR_MATH1(log1p) VECTOR_MATH1(sin) VECTOR_MATH1(cos) VECTOR_MATH1(tan) VECTOR_MATH1(arcsin) VECTOR_MATH1(arccos)
VECTOR_MATH1(arctan) VECTOR_MATH1(sinh) VECTOR_MATH1(cosh) VECTOR_MATH1(tanh) VECTOR_MATH1(arcsinh)
VECTOR_MATH1(arccosh) VECTOR_MATH1(arctanh) VECTOR_MATH1(cbrt) VECTOR_MATH2(pow) VECTOR_MATH2(hypot)
VECTOR_MATH2(arctan2) VECTOR_MATH2(logaddexp) VECTOR_MATH2(logaddexp2) VECTOR_MATH2(nextafter)
VECTOR_MATH1(spacing)
/* clang-format on */
#undef VECTOR_MATH1
#undef VECTOR_MATH2

#define FAST_FORM(id, near, far)                                                                                       \
    static inline T FN(near_##id)(T a)                                                                                 \
    {                                                                                                                  \
        return CNI_JOIN(cni_##near, SUFFIX)(a);                                                                        \
    }                                                                                                                  \
    static inline U FN(far_##id)(T a)                                                                                  \
    {                                                                                                                  \
        return CNI_JOIN(cni_##far, SUFFIX)(a);                                                                         \
    }
    /* clang-format off */
FAST_FORM(SIN, sin_near, far) FAST_FORM(COS, cos_near, far) FAST_FORM(TAN, tan_near, far)
FAST_FORM(EXP, exp_near, exp_far) FAST_FORM(EXP2, exp2_near, exp2_far) FAST_FORM(CBRT, cbrt_near, cbrt_far)
FAST_FORM(LOG, log_near, log_far) FAST_FORM(LOG2, log2_near, log_far) FAST_FORM(LOG10, log10_near, log_far)
FAST_FORM(LOG1P, log1p_near, log1p_far) FAST_FORM(ARCSINH, arcsinh_near, arcsinh_far)
FAST_FORM(ARCCOSH, arccosh_near, arccosh_far) FAST_FORM(ARCTANH, arctanh_near, arctanh_far)
FAST_FORM(EXPM1, expm1_near, expm1_far) FAST_FORM(SINH, sinh_near, hyperbolic_far)
FAST_FORM(COSH, cosh_near, hyperbolic_far)
/* clang-format on */
#undef FAST_FORM

#undef FN
#undef BUILTIN
#undef BUILTIN2
#undef PICK
#undef T
#undef U
#undef SUFFIX
#undef B
