/* vmath_complex_more.h - included by vmath_complex.h for both types: pow as NumPy does it. */

static inline C S(cni_times)(C a, C b)
{
    return S(cni_make)(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re);
}

/* 1 / a by the ratio of its parts. */
static inline C S(cni_inverse)(C a)
{
    if ((a.re < 0 ? -a.re : a.re) >= (a.im < 0 ? -a.im : a.im)) {
        T ratio = a.im / a.re, scale = 1 / (a.re + a.im * ratio);
        return S(cni_make)(scale, -ratio * scale);
    }
    T ratio = a.re / a.im, scale = 1 / (a.im + a.re * ratio);
    return S(cni_make)(ratio * scale, -scale);
}

/* a**n by squaring, n not 0 */
static inline C S(cni_whole_power)(C a, int n)
{
    C result = {1, 0}, power = a;
    for (unsigned left = (unsigned)(n < 0 ? -n : n);; power = S(cni_times)(power, power)) {
        result = (left & 1) != 0 ? S(cni_times)(result, power) : result;
        left >>= 1;
        if (left == 0) {
            break;
        }
    }
    return n < 0 ? S(cni_inverse)(result) : result;
}

/* Small whole exponents by multiplication; zero to a power as NumPy has it. */
static inline C S(cni_pow)(C a, C b)
{
    if (b.re == 0 && b.im == 0) {
        return S(cni_make)(1, 0);
    }
    if (a.re == 0 && a.im == 0) {
        if (b.re > 0) {
            return S(cni_make)(0, 0);
        }
        double infinity = INF, nan = infinity - infinity;
        return S(cni_make)((T)nan, (T)nan);
    }
    int n = b.im == 0 && b.re > -100 && b.re < 100 ? (int)b.re : 0;
    if (n != 0 && (T)n == b.re) {
        return n == 1   ? a
               : n == 2 ? S(cni_times)(a, a)
               : n == 3 ? S(cni_times)(a, S(cni_times)(a, a))
                        : S(cni_whole_power)(a, n);
    }
    cni_c128 z = cni_pow_general(cni_make_c128((double)a.re, (double)a.im), cni_make_c128((double)b.re, (double)b.im));
    return S(cni_make)((T)z.re, (T)z.im);
}

#undef T
#undef C
#undef S
