/* scalar_complex.h - included by scalar.h for both complex types: T, C, SUFFIX, REAL the suffix of its parts. */
#define FN(name) CNI_JOIN(name, SUFFIX)
#define RE(name) CNI_JOIN(name, REAL)
#define MAKE CNI_JOIN(cni_make, SUFFIX)
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

/* NumPy's steps: the greater part times the root of one plus the square of the quotient. */
static inline T FN(absolute)(C a)
{
    T re = RE(absolute)(a.re), im = RE(absolute)(a.im), infinite = (T)INFINITY;
    T most = __builtin_isgreater(re, im) ? re : im, least = __builtin_isgreater(re, im) ? im : re;
    bool any_infinite = (re == infinite) | (im == infinite);
    T divisor = (most == 0) | any_infinite ? 1 : most;
    T ratio = (any_infinite ? 0 : least) / divisor;
    T length = most * RE(sqrt)(FUSED(ratio, ratio, 1));
    return any_infinite ? infinite : length;
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

static inline C FN(sign)(C a)
{
    T magnitude = FN(absolute)(a);
    if (magnitude != magnitude) {
        return MAKE((T)NAN, (T)NAN);
    }
    if (RE(isinf)(magnitude)) {
        if (RE(isinf)(a.re) && RE(isinf)(a.im)) {
            return MAKE((T)NAN, (T)NAN);
        }
        return RE(isinf)(a.re) ? MAKE(RE(copysign)(1, a.re), 0) : MAKE(0, RE(copysign)(1, a.im));
    }
    return magnitude == 0 ? MAKE(0, 0) : MAKE(a.re / magnitude, a.im / magnitude);
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

#undef FN
#undef RE
#undef MAKE
#undef FUSED
#undef T
#undef C
#undef SUFFIX
#undef REAL
