/*
 * vmath_trig.h - sin, cos, tan; included by vmath.h for each type.
 *
 * x = k pi/2 + r with pi/2 in three parts: x - k P1 is exact, the rounding of k P2 is kept. See vmath.h for the
 * contract of cni_far and the near functions.
 */

static inline U F(far)(T x)
{
    return (U)CNI_LESS(K(0x1p45, 0x1p17), B(fabs)(x));
}

/* r as a pair; the lowest bits of *magic are k. */
static inline F(pair) F(reduce_near)(T x, T *magic)
{
    *magic = FMA(x, C(TWO_OVER_PI), MAGIC);
    T k = *magic - MAGIC;
    T first = FMA(-k, C(HALF_PI), x);
    T product = k * C(HALF_PI_LO), product_low = FMA(k, C(HALF_PI_LO), -product);
    F(pair) r = F(two_sum)(first, -product);
    r.lo = FMA(-k, C(HALF_PI_LO2), r.lo - product_low);
    return r;
}

static inline T F(sin_reduced)(F(pair) r)
{
    T z = r.hi * r.hi;
    return r.hi + FMA(z * r.hi, F(poly_sin)(z), r.lo);
}

static inline T F(cos_reduced)(F(pair) r)
{
    T z = r.hi * r.hi, half = K(0.5, 0.5) * z, one = 1 - half;
    return one + (((1 - one) - half) + FMA(z * z, F(poly_cos)(z), -(r.hi * r.lo)));
}

/* sin of r + quadrant pi/2; only the two lowest bits of the quadrant count. */
static inline T F(sin_quadrant)(F(pair) r, U quadrant)
{
    T value = F(pick)((quadrant & 1) != 0, F(cos_reduced)(r), F(sin_reduced)(r));
    return F(value)(F(bits)(value) ^ (quadrant & 2) << (sizeof(T) * 8 - 2));
}

static inline T F(tan_quadrant)(F(pair) r, U quadrant)
{
    bool odd = (quadrant & 1) != 0;
    T sin = F(sin_reduced)(r), cos = F(cos_reduced)(r);
    return F(pick)(odd, -cos, sin) / F(pick)(odd, sin, cos);
}

static inline T F(sin_near)(T x)
{
    T magic;
    F(pair) r = F(reduce_near)(x, &magic);
    return F(pick)(x == 0, x, F(sin_quadrant)(r, F(bits)(magic)));
}

static inline T F(cos_near)(T x)
{
    T magic;
    F(pair) r = F(reduce_near)(x, &magic);
    return F(sin_quadrant)(r, F(bits)(magic) + 1);
}

static inline T F(tan_near)(T x)
{
    T magic;
    F(pair) r = F(reduce_near)(x, &magic);
    return F(pick)(x == 0, x, F(tan_quadrant)(r, F(bits)(magic)));
}

#if DIGITS == 53
#define FAR(name, quadrant_function, turn)                                                                             \
    CNI_SLOW double cni_##name##_far_f64(double x)                                                                     \
    {                                                                                                                  \
        if (CNI_BUILTIN(fabs)(x) == INF) {                                                                             \
            return x - x;                                                                                              \
        }                                                                                                              \
        int quadrant;                                                                                                  \
        cni_pair_f64 r = cni_reduce_huge(x, &quadrant);                                                                \
        return quadrant_function(r, (uint64_t)quadrant + turn);                                                        \
    }
FAR(sin, cni_sin_quadrant_f64, 0)
FAR(cos, cni_sin_quadrant_f64, 1)
FAR(tan, cni_tan_quadrant_f64, 0)
#undef FAR
#else
CNI_SLOW float cni_sin_far_f32(float x)
{
    return (float)cni_sin_f64((double)x);
}

CNI_SLOW float cni_cos_far_f32(float x)
{
    return (float)cni_cos_f64((double)x);
}

CNI_SLOW float cni_tan_far_f32(float x)
{
    return (float)cni_tan_f64((double)x);
}
#endif

static inline T F(sin)(T x)
{
    return F(far)(x) ? F(sin_far)(x) : F(sin_near)(x);
}

static inline T F(cos)(T x)
{
    return F(far)(x) ? F(cos_far)(x) : F(cos_near)(x);
}

static inline T F(tan)(T x)
{
    return F(far)(x) ? F(tan_far)(x) : F(tan_near)(x);
}
