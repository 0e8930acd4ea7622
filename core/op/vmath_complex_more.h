/* vmath_complex_more.h - included by vmath_complex.h for both types: what C has no function for, as NumPy composes it. */

static inline C S(cni_exp2)(C x)
{
    const T ln2 = (T)0.693147180559945309417232121458176568;
    return S(cni_exp)((C){x.re * ln2, x.im * ln2});
}

static inline C S(cni_expm1)(C x)
{
    T half = M(sin)(x.im / 2), grown = R(cni_expm1)(x.re);
    return (C){grown * M(cos)(x.im) - 2 * half * half, M(exp)(x.re) * M(sin)(x.im)};
}

static inline C S(cni_log2)(C x)
{
    const T scale = (T)1.442695040888963407359924681001892137;
    C natural = S(cni_log)(x);
    return (C){natural.re * scale, natural.im * scale};
}

static inline C S(cni_log10)(C x)
{
    const T scale = (T)0.434294481903251827651128918916605082;
    C natural = S(cni_log)(x);
    return (C){natural.re * scale, natural.im * scale};
}

static inline C S(cni_log1p)(C x)
{
    T magnitude = M(hypot)(x.re + 1, x.im);
    return (C){M(log)(magnitude), M(atan2)(x.im, x.re + 1)};
}

static inline C S(cni_times)(C a, C b)
{
    return (C){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/* Small whole exponents by multiplication, the rest by the library; zero to a power as NumPy has it. */
static inline C S(cni_pow)(C a, C b)
{
    if (b.re == 0 && b.im == 0) {
        return (C){1, 0};
    }
    if (a.re == 0 && a.im == 0) {
        if (b.re > 0) {
            return (C){0, 0};
        }
        T nan = (T)INFINITY - (T)INFINITY;
        return (C){nan, nan};
    }
    int n = b.im == 0 && b.re > -100 && b.re < 100 ? (int)b.re : 0;
    if (b.im == 0 && n != 0 && (T)n == b.re) {
        if (n == 1) {
            return a;
        }
        if (n == 2) {
            return S(cni_times)(a, a);
        }
        if (n == 3) {
            return S(cni_times)(a, S(cni_times)(a, a));
        }
        C result = {1, 0}, power = a;
        for (int mask = 1, left = n < 0 ? -n : n;; power = S(cni_times)(power, power)) {
            if ((left & mask) != 0) {
                result = S(cni_times)(result, power);
            }
            mask <<= 1;
            if (left < mask || mask <= 0) {
                break;
            }
        }
        if (n < 0) {
            T scale = result.re * result.re + result.im * result.im;
            T rr = (result.re < 0 ? -result.re : result.re), ri = (result.im < 0 ? -result.im : result.im);
            (void)scale;
            if (rr >= ri) {
                T ratio = result.im / result.re, s = 1 / (result.re + result.im * ratio);
                return (C){s, -ratio * s};
            }
            T ratio = result.re / result.im, s = 1 / (result.im + result.re * ratio);
            return (C){ratio * s, -s};
        }
        return result;
    }
    T _Complex z = M(cpow)(MAKE(a.re, a.im), MAKE(b.re, b.im));
    return (C){PART(creal)(z), PART(cimag)(z)};
}

#undef T
#undef C
#undef S
#undef M
#undef R
#undef MAKE
#undef PART
