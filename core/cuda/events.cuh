/*
 * events.cuh - floating-point events of a program's ops, which a GPU keeps no flags of. See cuda_watch.h.
 *
 * Kinds are the bits CN_FP_ of cnumeric.h. What an operand or a result is: bit 0: infinite, bit 1: not a number; of a
 * complex one both parts together.
 */
enum { CNI_DIVIDE = 1, CNI_OVERFLOW = 2, CNI_UNDERFLOW = 4, CNI_INVALID = 8, CNI_INFINITE = 1, CNI_NO_NUMBER = 2 };

CNI_INLINE uint32_t cni_top_f16(cni_f16 x)
{
    return x.bits;
}

CNI_INLINE uint32_t cni_top_f32(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

CNI_INLINE uint32_t cni_top_f64(double x) /* the upper half: sign and exponent */
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint32_t)(bits >> 32);
}

/* ---- Two instructions a value: the largest exponent so far, by size of the element ---- */

#define CNI_WATCH uint32_t top16 = 0, top32 = 0, top64 = 0, odd = 0
#define CNI_HIT ((top64 >= 0x7FF00000u) | (top32 >= 0x7F800000u) | (top16 >= 0x7C00u) | (odd != 0))
#define CNI_UNUSED_WATCH ((void)top16, (void)top32, (void)top64, (void)odd)

CNI_INLINE uint32_t cni_most(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

#define CNI_TOP_f16(x) top16 = cni_most(top16, cni_top_f16(x) & 0x7FFFu)
#define CNI_TOP_f32(x) top32 = cni_most(top32, cni_top_f32(x) & 0x7FFFFFFFu)
#define CNI_TOP_f64(x) top64 = cni_most(top64, cni_top_f64(x) & 0x7FFFFFFFu)
#define CNI_TOP_c64(x) CNI_TOP_f32((x).re), CNI_TOP_f32((x).im)
#define CNI_TOP_c128(x) CNI_TOP_f64((x).re), CNI_TOP_f64((x).im)

/* Not a number. */
#define CNI_NAN_f16(x) ((cni_top_f16(x) & 0x7FFFu) > 0x7C00u)
#define CNI_NAN_f32(x) ((x) != (x))
#define CNI_NAN_f64(x) ((x) != (x))

/* Zero or less than any normal number. */
#define CNI_TINY_f16(x) ((cni_top_f16(x) & 0x7C00u) == 0)
#define CNI_TINY_f32(x) ((cni_top_f32(x) & 0x7F800000u) == 0)
#define CNI_TINY_f64(x) ((cni_top_f64(x) & 0x7FF00000u) == 0)

/* ---- What happened ---- */

#define CNI_ODD_f16(x) cni_odd(cni_top_f16(x) & 0x7FFFu, 0x7C00u)
#define CNI_ODD_f32(x) cni_odd(cni_top_f32(x) & 0x7FFFFFFFu, 0x7F800000u)
#define CNI_ODD_f64(x) cni_odd_f64(x)
#define CNI_ODD_c64(x) (CNI_ODD_f32((x).re) | CNI_ODD_f32((x).im))
#define CNI_ODD_c128(x) (CNI_ODD_f64((x).re) | CNI_ODD_f64((x).im))

CNI_INLINE int cni_odd(uint32_t bits, uint32_t infinite)
{
    return bits < infinite ? 0 : bits == infinite ? CNI_INFINITE : CNI_NO_NUMBER;
}

CNI_INLINE int cni_odd_f64(double x)
{
    return x != x ? CNI_NO_NUMBER : cni_odd(cni_top_f64(x) & 0x7FFFFFFFu, 0x7FF00000u);
}

/* Of an operation: what the result is, what the operands are, and whether an infinite result is a division by zero. */
CNI_INLINE unsigned cni_raised(int result, int operands, int pole)
{
    const unsigned invalid = (result & CNI_NO_NUMBER) != 0 && (operands & CNI_NO_NUMBER) == 0 ? CNI_INVALID : 0;
    return (result & CNI_INFINITE) == 0 || operands != 0 ? invalid : invalid | (pole ? CNI_DIVIDE : CNI_OVERFLOW);
}

/* Is a tiny product or quotient not what it would be with any exponent? Operands are finite. */
CNI_INLINE int cni_inexact_product(double result, double a, double b)
{
    int ea = 0, eb = 0;
    const double x = frexp(a, &ea), y = frexp(b, &eb), product = x * y;
    return product != 0 && (ldexp(result, -(ea + eb)) != product || __builtin_fma(x, y, -product) != 0);
}

CNI_INLINE int cni_inexact_quotient(double result, double a, double b)
{
    int ea = 0, eb = 0;
    const double x = frexp(a, &ea), y = frexp(b, &eb);
    return a != 0 && b != 0 && __builtin_fma(ldexp(result, eb - ea), y, -x) != 0;
}

/* The steps of products and quotients of complex numbers (op/scalar_complex.h), each for itself. */
#define CNI_STEPS(T, C, real, complex)                                                                                 \
    CNI_INLINE T cni_times_##real(T a, T b, unsigned *kinds)                                                           \
    {                                                                                                                  \
        const T r = a * b;                                                                                             \
        *kinds |= cni_raised(CNI_ODD_##real(r), CNI_ODD_##real(a) | CNI_ODD_##real(b), 0);                             \
        return r;                                                                                                      \
    }                                                                                                                  \
    CNI_INLINE T cni_plus_##real(T a, T b, unsigned *kinds)                                                            \
    {                                                                                                                  \
        const T r = a + b;                                                                                             \
        *kinds |= cni_raised(CNI_ODD_##real(r), CNI_ODD_##real(a) | CNI_ODD_##real(b), 0);                             \
        return r;                                                                                                      \
    }                                                                                                                  \
    CNI_INLINE T cni_over_##real(T a, T b, unsigned *kinds)                                                            \
    {                                                                                                                  \
        const T r = a / b;                                                                                             \
        *kinds |= cni_raised(CNI_ODD_##real(r), CNI_ODD_##real(a) | CNI_ODD_##real(b), b == 0);                        \
        return r;                                                                                                      \
    }                                                                                                                  \
    CNI_CALLED unsigned cni_product_##complex(C a, C b, C r)                                                           \
    {                                                                                                                  \
        unsigned kinds = 0;                                                                                            \
        const T p = cni_times_##real(a.im, b.im, &kinds), q = cni_times_##real(a.im, b.re, &kinds);                    \
        kinds |= cni_raised(CNI_ODD_##real(r.re), CNI_ODD_##real(a.re) | CNI_ODD_##real(b.re) | CNI_ODD_##real(p), 0); \
        return kinds |                                                                                                 \
               cni_raised(CNI_ODD_##real(r.im), CNI_ODD_##real(a.re) | CNI_ODD_##real(b.im) | CNI_ODD_##real(q), 0);   \
    }                                                                                                                  \
    CNI_CALLED unsigned cni_quotient_##complex(C a, C b)                                                               \
    {                                                                                                                  \
        unsigned kinds = (CNI_ODD_##complex(b) & CNI_NO_NUMBER) != 0 ? CNI_INVALID : 0; /* compared */                 \
        const T re = b.re < 0 ? -b.re : b.re, im = b.im < 0 ? -b.im : b.im;                                            \
        if (re == 0 && im == 0) {                                                                                      \
            cni_over_##real(a.re, re, &kinds);                                                                         \
            cni_over_##real(a.im, re, &kinds);                                                                         \
            return kinds;                                                                                              \
        }                                                                                                              \
        const int wide = re >= im;                                                                                     \
        const T more = wide ? b.re : b.im, less = wide ? b.im : b.re, x = wide ? a.re : a.im;                          \
        const T y = wide ? a.im : a.re, ratio = cni_over_##real(less, more, &kinds);                                   \
        const T scale =                                                                                                \
            cni_over_##real(1, cni_plus_##real(more, cni_times_##real(less, ratio, &kinds), &kinds), &kinds);          \
        cni_times_##real(cni_plus_##real(x, cni_times_##real(y, ratio, &kinds), &kinds), scale, &kinds);               \
        cni_times_##real(cni_plus_##real(y, -cni_times_##real(x, ratio, &kinds), &kinds), scale, &kinds);              \
        return kinds;                                                                                                  \
    }                                                                                                                  \
    CNI_CALLED unsigned cni_reciprocal_##complex(C a)                                                                  \
    {                                                                                                                  \
        unsigned kinds = (CNI_ODD_##complex(a) & CNI_NO_NUMBER) != 0 ? CNI_INVALID : 0; /* compared */                 \
        const T re = a.re < 0 ? -a.re : a.re, im = a.im < 0 ? -a.im : a.im;                                            \
        const T more = im <= re ? a.re : a.im, less = im <= re ? a.im : a.re;                                          \
        const T ratio = cni_over_##real(less, more, &kinds);                                                           \
        const T scale = cni_plus_##real(more, cni_times_##real(less, ratio, &kinds), &kinds);                          \
        cni_over_##real(1, scale, &kinds);                                                                             \
        cni_over_##real(ratio, scale, &kinds);                                                                         \
        return kinds;                                                                                                  \
    }

#ifdef CNI_COMPLEX_EVENTS
CNI_STEPS(float, cni_c64, f32, c64)
CNI_STEPS(double, cni_c128, f64, c128)
#endif

/*
 * The table of a launch, 0: nobody asks: where on the host it is said that something is in it (cuda_events.c), then a word
 * of kinds for each op. Who sees nothing new writes nothing.
 */
CNI_INLINE void cni_events(int64_t table, int k, uint64_t seen) /* seen: 4 bits of each word from k on */
{
    CNI_ROLLED
    for (; seen != 0 && table != 0; seen >>= 4, k++) {
        unsigned *const word = (unsigned *)(table + 16) + k;
        const unsigned kinds = (unsigned)seen & 15u;
        if ((cni_observe_word(word) & kinds) != kinds) {
            cni_word_or(word, kinds);
            **(volatile unsigned **)table = 1;
        }
    }
}

/* A trial of cold kernels (cuda_trial.h): is anything odd? */
CNI_INLINE void cni_tried(int64_t said, int hit)
{
    if (hit) {
        *(volatile unsigned *)said = 1;
    }
}
