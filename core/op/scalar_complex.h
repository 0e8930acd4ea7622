/* scalar_complex.h - included by scalar.h for both complex types: T, C, SUFFIX, REAL the suffix of its parts. */
#define FN(name) CNI_JOIN(name, SUFFIX)
#define RE(name) CNI_JOIN(name, REAL)
#define MAKE CNI_JOIN(cni_make, SUFFIX)
#define PICK CNI_JOIN(cni_pick, REAL)
#define FUSED(a, b, c)                                                                                                 \
    (sizeof(T) == 4 ? (T)CNI_FMAF((float)(a), (float)(b), (float)(c))                                                  \
                    : (T)CNI_FMA((double)(a), (double)(b), (double)(c)))

static inline C FN(add)(C a, C b)
{
    return MAKE(a.re + b.re, a.im + b.im);
}

static inline C FN(sub)(C a, C b)
{
    return MAKE(a.re - b.re, a.im - b.im);
}

static inline C FN(mul)(C a, C b)
{
    return MAKE(FUSED(a.re, b.re, -(a.im * b.im)), FUSED(a.re, b.im, a.im * b.re));
}

/* Every product is rounded: as fma with nothing added, because gcc 12 joins plain ones into fma whatever it is told. */
static inline C FN(mulplain)(C a, C b)
{
    return MAKE(FUSED(a.re, b.re, -0.0) - a.im * b.im, FUSED(a.re, b.im, -0.0) + a.im * b.re);
}

static inline C FN(square)(C a)
{
    return FN(mul)(a, a);
}

/* Smith's division. */
static inline C FN(div)(C a, C b)
{
    T re = RE(absolute)(b.re), im = RE(absolute)(b.im);
    if (re >= im) {
        if (re == 0 && im == 0) {
            return MAKE(a.re / re, a.im / re);
        }
        T ratio = b.im / b.re, scale = 1 / (b.re + b.im * ratio);
        return MAKE((a.re + a.im * ratio) * scale, (a.im - a.re * ratio) * scale);
    }
    T ratio = b.re / b.im, scale = 1 / (b.im + b.re * ratio);
    return MAKE((a.re * ratio + a.im) * scale, (a.im * ratio - a.re) * scale);
}

static inline C FN(reciprocal)(C a)
{
    if (RE(absolute)(a.im) <= RE(absolute)(a.re)) {
        T ratio = a.im / a.re, scale = a.re + a.im * ratio;
        return MAKE(1 / scale, -ratio / scale);
    }
    T ratio = a.re / a.im, scale = a.re * ratio + a.im;
    return MAKE(ratio / scale, -1 / scale);
}

static inline C FN(negative)(C a)
{
    return MAKE(-a.re, -a.im);
}

static inline C FN(conjugate)(C a)
{
    return MAKE(a.re, -a.im);
}

/* NumPy's steps: the greater part times the root of one plus the square of the quotient. Vectors compare NaNs by bits. */
static inline T FN(absolute)(C a)
{
    T re = RE(absolute)(a.re), im = RE(absolute)(a.im), infinite = (T)INFINITY;
    bool steep = CNI_JOIN(cni_bits, REAL)(re) < CNI_JOIN(cni_bits, REAL)(im),
         any_infinite = (re == infinite) | (im == infinite);
    T most = PICK(steep, im, re), least = PICK(steep, re, im);
    T divisor = PICK((most == 0) | any_infinite, 1, most);
    T ratio = PICK(any_infinite, 0, least) / divisor;
    T length = most * RE(sqrt)(FUSED(ratio, ratio, 1));
    return PICK(any_infinite, infinite, length);
}

static inline bool FN(truth)(C a)
{
    return (a.re != 0) | (a.im != 0);
}

static inline bool FN(equal)(C a, C b)
{
    return (a.re == b.re) & (a.im == b.im);
}

static inline bool FN(hasnan)(C a)
{
    return (a.re != a.re) | (a.im != a.im);
}

/* Lexicographic, false with a NaN in what decides. */
static inline bool FN(less)(C a, C b)
{
    return (__builtin_isless(a.re, b.re) && a.im == a.im && b.im == b.im) ||
           (a.re == b.re && __builtin_isless(a.im, b.im));
}

static inline bool FN(lessequal)(C a, C b)
{
    return (__builtin_isless(a.re, b.re) && a.im == a.im && b.im == b.im) ||
           (a.re == b.re && __builtin_islessequal(a.im, b.im));
}

static inline C FN(maximum)(C a, C b)
{
    return FN(hasnan)(a) || FN(lessequal)(b, a) ? a : b;
}

static inline C FN(minimum)(C a, C b)
{
    return FN(hasnan)(a) || FN(lessequal)(a, b) ? a : b;
}

static inline C FN(fmax)(C a, C b)
{
    return FN(hasnan)(b) || FN(lessequal)(b, a) ? a : b;
}

static inline C FN(fmin)(C a, C b)
{
    return FN(hasnan)(b) || FN(lessequal)(a, b) ? a : b;
}

static inline C FN(clip)(C a, C low, C high)
{
    C raised = FN(hasnan)(a) || FN(less)(low, a) ? a : low;
    return FN(hasnan)(raised) || FN(less)(raised, high) ? raised : high;
}

static inline bool FN(isinf)(C a)
{
    return RE(isinf)(a.re) | RE(isinf)(a.im);
}

static inline bool FN(isfinite)(C a)
{
    return RE(isfinite)(a.re) & RE(isfinite)(a.im);
}

/*
 * a / |a|; along what is infinite, or the second part if only the modulus is. Without branches, so that loops become
 * vectors, which would tell of a NaN that is compared: tests are on bits.
 */
CNI_WHOLE C FN(sign)(C a)
{
#define MAGNITUDE(x) CNI_JOIN(cni_bits, REAL)(RE(absolute)(x))
    bool far_re = MAGNITUDE(a.re) == MAGNITUDE((T)INFINITY), far_im = MAGNITUDE(a.im) == MAGNITUDE((T)INFINITY);
    bool no_re = MAGNITUDE(a.re) > MAGNITUDE((T)INFINITY), no_im = MAGNITUDE(a.im) > MAGNITUDE((T)INFINITY);
    bool apart = far_re | far_im | no_re | no_im, none = (far_re & far_im) | (apart & !far_re & !far_im);
    T modulus = RE(hypot)(PICK(apart, 1, a.re), PICK(apart, 1, a.im));
    bool over = modulus == (T)INFINITY, plain = (modulus != 0) & !apart & !over;
#undef MAGNITUDE
    T divisor = PICK(plain, modulus, 1);
    T re = PICK(plain, a.re, PICK(far_re, RE(copysign)(1, a.re), 0)) / divisor;
    T im = PICK(plain, a.im, PICK((far_im & !far_re) | over, RE(copysign)(1, a.im), 0)) / divisor;
    return MAKE(PICK(none, (T)NAN, re), PICK(none, (T)NAN, im));
}

static inline C FN(rint)(C a)
{
    return MAKE(RE(rint)(a.re), RE(rint)(a.im));
}

#define VECTOR_MATH1(name)                                                                                             \
    static inline C FN(name)(C a)                                                                                      \
    {                                                                                                                  \
        return CNI_JOIN(cni_##name, SUFFIX)(a);                                                                        \
    }
/* clang-format off */
VECTOR_MATH1(sqrt) VECTOR_MATH1(exp) VECTOR_MATH1(exp2) VECTOR_MATH1(expm1) VECTOR_MATH1(log) VECTOR_MATH1(log2)
VECTOR_MATH1(log10) VECTOR_MATH1(log1p) VECTOR_MATH1(sin) VECTOR_MATH1(cos) VECTOR_MATH1(tan) VECTOR_MATH1(arcsin)
VECTOR_MATH1(arccos) VECTOR_MATH1(arctan) VECTOR_MATH1(sinh) VECTOR_MATH1(cosh) VECTOR_MATH1(tanh) VECTOR_MATH1(arcsinh)
VECTOR_MATH1(arccosh) VECTOR_MATH1(arctanh)
/* clang-format on */
#undef VECTOR_MATH1

                static inline C FN(pow)(C a, C b)
{
    return CNI_JOIN(cni_pow, SUFFIX)(a, b);
}

/* Of rows of kinds G and H, as scalar_real.h has them; complex64 by complex128. */
#define WIDE(a) cni_make_c128((double)a.re, (double)a.im)
#define FAST_FORM(id, name, far)                                                                                       \
    CNI_WHOLE C FN(near_##id)(C a)                                                                                     \
    {                                                                                                                  \
        cni_c128 result = cni_##name##_near_c128(WIDE(a));                                                             \
        return MAKE((T)result.re, (T)result.im);                                                                       \
    }                                                                                                                  \
    CNI_WHOLE uint64_t FN(far_##id)(C a)                                                                               \
    {                                                                                                                  \
        return cni_##far##_far_c128(WIDE(a));                                                                          \
    }
/* clang-format off */
FAST_FORM(EXP, exp, exp) FAST_FORM(EXP2, exp2, exp2) FAST_FORM(EXPM1, expm1, expm1) FAST_FORM(LOG, log, log)
FAST_FORM(LOG2, log2, log) FAST_FORM(LOG10, log10, log) FAST_FORM(LOG1P, log1p, log1p) FAST_FORM(SINH, sinh, sinh)
FAST_FORM(COSH, cosh, sinh) FAST_FORM(TANH, tanh, tanh) FAST_FORM(SIN, sin, sin) FAST_FORM(COS, cos, sin)
FAST_FORM(TAN, tan, tan) FAST_FORM(ARCSIN, arcsin, arc) FAST_FORM(ARCCOS, arccos, arc)
FAST_FORM(ARCSINH, arcsinh, arcsinh) FAST_FORM(ARCCOSH, arccosh, arc) FAST_FORM(ARCTANH, arctanh, arctanh)
FAST_FORM(ARCTAN, arctan, arctan)
    /* clang-format on */

    CNI_WHOLE C FN(near_POWER)(C a, C b)
{
    cni_c128 result = cni_pow_near_c128(WIDE(a), WIDE(b));
    return MAKE((T)result.re, (T)result.im);
}

CNI_WHOLE uint64_t FN(far_POWER)(C a, C b)
{
    return cni_pow_far_c128(WIDE(a), WIDE(b));
}
#undef FAST_FORM
#undef WIDE

#undef FN
#undef RE
#undef MAKE
#undef PICK
#undef FUSED
#undef T
#undef C
#undef SUFFIX
#undef REAL
