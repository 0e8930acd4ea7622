/*
 * loops_reduce.h - included by loops_dtype.h: *accumulator = *accumulator op x[0] op ... op x[n-1], for the rows that
 * reduce. What may be reordered runs in lanes; sums of inexact numbers follow NumPy's pairwise tree; the rest is in
 * order.
 */
enum { CNI_JOIN(LANES, SUFFIX) = 128 / sizeof(WORK) };

#define REDUCE_HEAD(id) static void REDUCE_NAME(id)(int64_t n, const void *in, void *accumulator)

#define IN_ORDER(id, expr)                                           \
    REDUCE_HEAD(id)                                                  \
    {                                                                \
        const TYPE *x = in;                                          \
        WORK a = LOAD(*(const TYPE *)accumulator);                   \
        for (int64_t i = 0; i < n; i++) { const WORK b = LOAD(x[i]); a = (WORK)(expr); } \
        *(TYPE *)accumulator = STORE(a);                             \
    }

#define IN_LANES(id, expr)                                           \
    REDUCE_HEAD(id)                                                  \
    {                                                                \
        const TYPE *x = in;                                          \
        WORK total = LOAD(*(const TYPE *)accumulator), lane[CNI_JOIN(LANES, SUFFIX)]; \
        const int lanes = CNI_JOIN(LANES, SUFFIX);                   \
        int64_t i = 0;                                               \
        if (n >= 2 * lanes) {                                        \
            for (int k = 0; k < lanes; k++) { lane[k] = LOAD(x[k]); } \
            for (i = lanes; i + lanes <= n; i += lanes) {            \
                for (int k = 0; k < lanes; k++) { const WORK a = lane[k], b = LOAD(x[i + k]); lane[k] = (WORK)(expr); } \
            }                                                        \
            for (int k = 0; k < lanes; k++) { const WORK a = total, b = lane[k]; total = (WORK)(expr); } \
        }                                                            \
        for (; i < n; i++) { const WORK a = total, b = LOAD(x[i]); total = (WORK)(expr); } \
        *(TYPE *)accumulator = STORE(total);                         \
    }

/* Results are rounded to the dtype at every step. */
#define SCAN(id, expr)                                               \
    static void CNI_JOIN(scan_##id, SUFFIX)(int64_t n, const void *in, void *out, void *accumulator) \
    {                                                                \
        const TYPE *x = in;                                          \
        TYPE *y = out, total = *(const TYPE *)accumulator;           \
        for (int64_t i = 0; i < n; i++) { const WORK a = LOAD(total), b = LOAD(x[i]); total = STORE(expr); y[i] = total; } \
        *(TYPE *)accumulator = total;                                \
    }

#if FAMILY == FAMILY_REAL
static WORK CNI_JOIN(pairwise, SUFFIX)(int64_t n, const TYPE *x)
{
    if (n < 8) {
        WORK sum = -(WORK)0;
        for (int64_t i = 0; i < n; i++) {
            sum += LOAD(x[i]);
        }
        return sum;
    }
    if (n <= 128) {
        WORK lane[8];
        for (int k = 0; k < 8; k++) {
            lane[k] = LOAD(x[k]);
        }
        int64_t i = 8;
        for (; i < n - n % 8; i += 8) {
            for (int k = 0; k < 8; k++) {
                lane[k] += LOAD(x[i + k]);
            }
        }
        WORK sum = ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
        for (; i < n; i++) {
            sum += LOAD(x[i]);
        }
        return sum;
    }
    int64_t half = n / 2;
    half -= half % 8;
    return CNI_JOIN(pairwise, SUFFIX)(half, x) + CNI_JOIN(pairwise, SUFFIX)(n - half, x + half);
}

#define PAIRWISE(id)                                                 \
    REDUCE_HEAD(id)                                                  \
    {                                                                \
        *(TYPE *)accumulator = STORE(LOAD(*(const TYPE *)accumulator) + CNI_JOIN(pairwise, SUFFIX)(n, in)); \
    }
#elif FAMILY == FAMILY_COMPLEX
/* n counts parts, two for each number. */
static WORK CNI_JOIN(pairwise, SUFFIX)(int64_t n, const REAL_OF *x)
{
    if (n < 8) {
        WORK sum = {-(REAL_OF)0, -(REAL_OF)0};
        for (int64_t i = 0; i < n; i += 2) {
            sum.re += x[i];
            sum.im += x[i + 1];
        }
        return sum;
    }
    if (n <= 128) {
        REAL_OF lane[8];
        for (int k = 0; k < 8; k++) {
            lane[k] = x[k];
        }
        int64_t i = 8;
        for (; i < n - n % 8; i += 8) {
            for (int k = 0; k < 8; k++) {
                lane[k] += x[i + k];
            }
        }
        WORK sum = {(lane[0] + lane[2]) + (lane[4] + lane[6]), (lane[1] + lane[3]) + (lane[5] + lane[7])};
        for (; i < n; i += 2) {
            sum.re += x[i];
            sum.im += x[i + 1];
        }
        return sum;
    }
    int64_t half = n / 2;
    half -= half % 8;
    WORK first = CNI_JOIN(pairwise, SUFFIX)(half, x), second = CNI_JOIN(pairwise, SUFFIX)(n - half, x + half);
    return (WORK){first.re + second.re, first.im + second.im};
}

#define PAIRWISE(id)                                                 \
    REDUCE_HEAD(id)                                                  \
    {                                                                \
        TYPE *total = accumulator;                                   \
        WORK sum = CNI_JOIN(pairwise, SUFFIX)(2 * n, in);            \
        total->re += sum.re;                                         \
        total->im += sum.im;                                         \
    }
#endif

#if FAMILY == FAMILY_REAL || FAMILY == FAMILY_COMPLEX
#define REDUCE_SUM_S(id, expr) PAIRWISE(id) SCAN(id, expr)
#else
#define REDUCE_SUM_S(id, expr) IN_LANES(id, expr) SCAN(id, expr)
#endif
#if FAMILY == FAMILY_COMPLEX
#undef IN_LANES /* structures do not cast */
#undef IN_ORDER
#define IN_ORDER(id, expr)                                           \
    REDUCE_HEAD(id)                                                  \
    {                                                                \
        const TYPE *x = in;                                          \
        WORK a = *(const TYPE *)accumulator;                         \
        for (int64_t i = 0; i < n; i++) { const WORK b = x[i]; a = (expr); } \
        *(TYPE *)accumulator = a;                                    \
    }
#define IN_LANES(id, expr) IN_ORDER(id, expr)
#endif
#define REDUCE_ORDERED_S(id, expr) IN_ORDER(id, expr) SCAN(id, expr)
#define REDUCE_ANY_ORDER_S(id, expr) IN_LANES(id, expr) SCAN(id, expr)
#if FAMILY == FAMILY_BOOL
#define REDUCE_ANY_ORDER_T(id, expr) IN_LANES(id, expr) SCAN(id, expr)
#else
#define REDUCE_ANY_ORDER_T(id, expr)
#endif
#define REDUCE_SUM_N(id, expr)
#define REDUCE_ORDERED_N(id, expr)
#define REDUCE_ANY_ORDER_N(id, expr)
#define REDUCE_NONE_S(id, expr)
#define REDUCE_NONE_T(id, expr)
#define REDUCE_NONE_C(id, expr)
#define REDUCE_NONE_G(id, expr)
#define REDUCE_NONE_K(id, expr)
#define REDUCE_NONE_N(id, expr)
#define REDUCE_NONE_Q(id, expr)
#define REDUCE_NONE_R(id, expr)
#define REDUCE_NONE_W(id, expr)
#define REDUCE_NONE_X(id, expr)

#if FAMILY == FAMILY_BOOL
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef, kc, ec, doc) REDUCE_##reduce##_##kb(id, eb)
#elif FAMILY == FAMILY_SIGNED
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef, kc, ec, doc) REDUCE_##reduce##_##ki(id, ei)
#elif FAMILY == FAMILY_UNSIGNED
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef, kc, ec, doc) REDUCE_##reduce##_##ku(id, eu)
#elif FAMILY == FAMILY_REAL
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef, kc, ec, doc) REDUCE_##reduce##_##kf(id, ef)
#else
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef, kc, ec, doc) REDUCE_##reduce##_##kc(id, ec)
#endif
#include "op/ops.def"
#undef CN_OP

#undef REDUCE_HEAD
#undef IN_ORDER
#undef IN_LANES
#undef PAIRWISE
#undef SCAN
#undef REDUCE_SUM_S
#undef REDUCE_ORDERED_S
#undef REDUCE_ANY_ORDER_S
#undef REDUCE_ANY_ORDER_T
#undef REDUCE_SUM_N
#undef REDUCE_ORDERED_N
#undef REDUCE_ANY_ORDER_N
#undef REDUCE_NONE_S
#undef REDUCE_NONE_T
#undef REDUCE_NONE_C
#undef REDUCE_NONE_G
#undef REDUCE_NONE_K
#undef REDUCE_NONE_N
#undef REDUCE_NONE_Q
#undef REDUCE_NONE_R
#undef REDUCE_NONE_W
#undef REDUCE_NONE_X
