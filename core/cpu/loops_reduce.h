/*
 * loops_reduce.h - included by loops_dtype.h: *accumulator = *accumulator op x[0] op ... op x[n-1], for the rows that
 * reduce or fold, and the same with every result kept (accumulate) or put where an index says (at). What may be reordered runs in lanes; sums of inexact numbers follow NumPy's pairwise tree; the rest is in
 * order.
 */
enum {
    CNI_JOIN(LANES, SUFFIX) = 256 / sizeof(WORK), /* more than compilers unroll: a loop that becomes vectors */
    CNI_JOIN(LEAST, SUFFIX) = sizeof(WORK) == 1 ? 16 : CNI_JOIN(LANES, SUFFIX) / 4
};

/* The element is what is needed next; what lies a page behind it, which the processor does not ask for by itself, is. */
#define AHEAD(x) __builtin_prefetch((const char *)(x) + 4096)

#define REDUCE_HEAD(id) static void REDUCE_NAME(id)(int64_t n, const void *in, void *accumulator)

#define IN_ORDER(id, expr)                                                                                             \
    REDUCE_HEAD(id)                                                                                                    \
    {                                                                                                                  \
        const TYPE *x = in;                                                                                            \
        WORK a = LOAD(*(const TYPE *)accumulator);                                                                     \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const WORK b = LOAD(x[i]);                                                                                 \
            a = (WORK)(expr);                                                                                          \
        }                                                                                                              \
        *(TYPE *)accumulator = STORE(a);                                                                               \
    }

/* As many lanes as there are, then fewer for what is left; few elements go one by one. */
#define TAKE_LANES(lanes, expr)                                                                                        \
    if (n - i >= (lanes)) {                                                                                            \
        WORK lane[lanes];                                                                                              \
        for (int k = 0; k < (lanes); k++) {                                                                            \
            lane[k] = LOAD(x[i + k]);                                                                                  \
        }                                                                                                              \
        for (i += (lanes); i + (lanes) <= n; i += (lanes)) {                                                           \
            for (int64_t line = 0; line < (lanes); line += 64 / (int)sizeof(TYPE)) {                                   \
                AHEAD(x + i + line);                                                                                   \
            }                                                                                                          \
            for (int k = 0; k < (lanes); k++) {                                                                        \
                const WORK a = lane[k], b = LOAD(x[i + k]);                                                            \
                lane[k] = (WORK)(expr);                                                                                \
            }                                                                                                          \
        }                                                                                                              \
        for (int half = (lanes) / 2; half >= 4; half /= 2) {                                                           \
            for (int k = 0; k < half; k++) {                                                                           \
                const WORK a = lane[k], b = lane[k + half];                                                            \
                lane[k] = (WORK)(expr);                                                                                \
            }                                                                                                          \
        }                                                                                                              \
        for (int k = 0; k < 4; k++) {                                                                                  \
            const WORK a = total, b = lane[k];                                                                         \
            total = (WORK)(expr);                                                                                      \
        }                                                                                                              \
    }
#define IN_LANES(id, expr)                                                                                             \
    REDUCE_HEAD(id)                                                                                                    \
    {                                                                                                                  \
        const TYPE *x = in;                                                                                            \
        WORK total = LOAD(*(const TYPE *)accumulator);                                                                 \
        int64_t i = 0;                                                                                                 \
        TAKE_LANES(CNI_JOIN(LANES, SUFFIX), expr)                                                                      \
        TAKE_LANES(CNI_JOIN(LANES, SUFFIX) / 4, expr)                                                                  \
        TAKE_LANES(CNI_JOIN(LEAST, SUFFIX), expr)                                                                      \
        for (; i < n; i++) {                                                                                           \
            const WORK a = total, b = LOAD(x[i]);                                                                      \
            total = (WORK)(expr);                                                                                      \
        }                                                                                                              \
        *(TYPE *)accumulator = STORE(total);                                                                           \
    }

/* Results are rounded to the dtype at every step. Four rows at a time stream in, while accumulators stay in the cache. */
#define ROWS(id, expr)                                                                                                 \
    static void CNI_JOIN(rows_##id, SUFFIX)(int64_t n, int64_t rows, const void *in, int64_t stride,                   \
                                            void *accumulators)                                                        \
    {                                                                                                                  \
        TYPE *to = accumulators;                                                                                       \
        for (int64_t first = 0; first < rows; first += 4) {                                                            \
            int64_t last = first + 4 < rows ? first + 4 : rows;                                                        \
            for (int64_t from = 0; from < n; from += 128) {                                                            \
                int64_t end = from + 128 < n ? from + 128 : n;                                                         \
                for (int64_t row = first; row < last; row++) {                                                         \
                    const TYPE *x = (const TYPE *)(const void *)((const char *)in + row * stride);                     \
                    for (int64_t line = from; line < end; line += 64 / (int)sizeof(TYPE)) {                            \
                        AHEAD(x + line);                                                                               \
                    }                                                                                                  \
                    CNI_INDEPENDENT for (int64_t i = from; i < end; i++)                                               \
                    {                                                                                                  \
                        const WORK a = LOAD(to[i]), b = LOAD(x[i]);                                                    \
                        to[i] = STORE(expr);                                                                           \
                    }                                                                                                  \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }
#define SCAN(id, expr)                                                                                                 \
    static void CNI_JOIN(scan_##id, SUFFIX)(int64_t n, const void *in, void *out, void *accumulator)                   \
    {                                                                                                                  \
        const TYPE *x = in;                                                                                            \
        TYPE *y = out, total = *(const TYPE *)accumulator;                                                             \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const WORK a = LOAD(total), b = LOAD(x[i]);                                                                \
            total = STORE(expr);                                                                                       \
            y[i] = total;                                                                                              \
        }                                                                                                              \
        *(TYPE *)accumulator = total;                                                                                  \
    }

/* As NumPy's: complex numbers are multiplied without fma here. */
#define APPLY(id, expr)                                                                                                \
    static void CNI_JOIN(apply_##id, SUFFIX)(int64_t n, char *to, int64_t stride, const int64_t *index,                \
                                             const void *in, int64_t step)                                             \
    {                                                                                                                  \
        const TYPE *x = in;                                                                                            \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            TYPE *const y = (TYPE *)(void *)(to + index[i] * stride);                                                  \
            const WORK a = LOAD(*y), b = LOAD(x[i * step]);                                                            \
            *y = STORE(expr);                                                                                          \
        }                                                                                                              \
    }

#if FAMILY == FAMILY_REAL || FAMILY == FAMILY_COMPLEX
/*
 * NumPy's tree: eight running sums over at most 128 elements, halves above. Real numbers are elements of one part,
 * complex ones of two; n counts parts.
 */
#if FAMILY == FAMILY_REAL
#define PART WORK
#define STORED TYPE
#define ONE_BY_ONE(sum, x, from, n)                                                                                    \
    for (int64_t i = from; i < (n); i++) {                                                                             \
        (sum) += LOAD((x)[i]);                                                                                         \
    }
#define PLUS(a, b) ((a) + (b))
#define NOTHING (-(WORK)0)
#define TREE(v)                                                                                                        \
    (((LANE(v, 0) + LANE(v, 1)) + (LANE(v, 2) + LANE(v, 3))) + ((LANE(v, 4) + LANE(v, 5)) + (LANE(v, 6) + LANE(v, 7))))
#else
#define PART REAL_OF
#define STORED REAL_OF
#define ONE_BY_ONE(sum, x, from, n)                                                                                    \
    for (int64_t i = from; i < (n); i += 2) {                                                                          \
        (sum).re += (x)[i];                                                                                            \
        (sum).im += (x)[i + 1];                                                                                        \
    }
#define PLUS(a, b) ((WORK){(a).re + (b).re, (a).im + (b).im})
#define NOTHING ((WORK){-(REAL_OF)0, -(REAL_OF)0})
#define TREE(v)                                                                                                        \
    ((WORK){(LANE(v, 0) + LANE(v, 2)) + (LANE(v, 4) + LANE(v, 6)),                                                     \
            (LANE(v, 1) + LANE(v, 3)) + (LANE(v, 5) + LANE(v, 7))})
#endif
/* Eight sums side by side, in the widest vectors that there are: compilers keep wider ones in memory. */
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
#define VECTOR CNI_JOIN(vector, SUFFIX)
#define IN_VECTOR (VECTOR_BYTES < 8 * sizeof(PART) ? VECTOR_BYTES / sizeof(PART) : 8)
typedef PART VECTOR __attribute__((vector_size(IN_VECTOR * sizeof(PART)), aligned(sizeof(PART)), may_alias));
#define LANE(v, k) ((v).vector[(k) / IN_VECTOR][(k) % IN_VECTOR])
#define EIGHT CNI_JOIN(eight, SUFFIX)
typedef struct {
    VECTOR vector[8 / IN_VECTOR];
} EIGHT;
#if defined(IS_HALF)
#define EIGHT_ADD(v, x)                                                                                                \
    for (size_t k = 0; k < 8; k++) {                                                                                   \
        LANE(v, k) += LOAD((x)[k]);                                                                                    \
    }
#else
#define EIGHT_ADD(v, x)                                                                                                \
    for (size_t part = 0; part < 8 / IN_VECTOR; part++) {                                                              \
        (v).vector[part] += *(const VECTOR *)(const void *)((x) + part * IN_VECTOR);                                   \
    }
#endif

/* At most 128 parts, a multiple of 8. */
static inline WORK CNI_JOIN(pairwise_leaf, SUFFIX)(int64_t n, const STORED *x)
{
    EIGHT v;
    for (size_t part = 0; part < 8 / IN_VECTOR; part++) {
        v.vector[part] = -(VECTOR){0};
    }
    for (int64_t i = 0; i < n; i += 8) {
        AHEAD(x + i);
        EIGHT_ADD(v, x + i);
    }
    return TREE(v);
}

/* 1,024 parts: none of the eight leaves waits for another's additions, and memory is read from one end to the other. */
static WORK CNI_JOIN(pairwise_leaves, SUFFIX)(const STORED *x)
{
    WORK sum[8];
    for (int k = 0; k < 8; k++) {
        sum[k] = CNI_JOIN(pairwise_leaf, SUFFIX)(128, x + 128 * k);
    }
    const WORK a = PLUS(sum[0], sum[1]), b = PLUS(sum[2], sum[3]), c = PLUS(sum[4], sum[5]), d = PLUS(sum[6], sum[7]);
    const WORK first = PLUS(a, b), second = PLUS(c, d);
    return PLUS(first, second);
}

static WORK CNI_JOIN(pairwise, SUFFIX)(int64_t n, const STORED *x)
{
    WORK sum = NOTHING;
    if (n < 8) {
        ONE_BY_ONE(sum, x, 0, n)
        return sum;
    }
    if (n <= 128) {
        int64_t whole = n - n % 8;
        sum = CNI_JOIN(pairwise_leaf, SUFFIX)(whole, x);
        ONE_BY_ONE(sum, x, whole, n)
        return sum;
    }
    if (n == 1024) {
        return CNI_JOIN(pairwise_leaves, SUFFIX)(x);
    }
    int64_t half = n / 2;
    half -= half % 8;
    const WORK first = CNI_JOIN(pairwise, SUFFIX)(half, x), second = CNI_JOIN(pairwise, SUFFIX)(n - half, x + half);
    return PLUS(first, second);
}

#if FAMILY == FAMILY_REAL
#define PAIRWISE(id)                                                                                                   \
    REDUCE_HEAD(id)                                                                                                    \
    {                                                                                                                  \
        *(TYPE *)accumulator = STORE(LOAD(*(const TYPE *)accumulator) + CNI_JOIN(pairwise, SUFFIX)(n, in));            \
    }
#else
#define PAIRWISE(id)                                                                                                   \
    REDUCE_HEAD(id)                                                                                                    \
    {                                                                                                                  \
        TYPE *total = accumulator;                                                                                     \
        WORK sum = CNI_JOIN(pairwise, SUFFIX)(2 * n, in);                                                              \
        total->re += sum.re;                                                                                           \
        total->im += sum.im;                                                                                           \
    }
#endif
#endif

#if FAMILY == FAMILY_REAL || FAMILY == FAMILY_COMPLEX
#define REDUCE_SUM_S(id, expr) PAIRWISE(id) ROWS(id, expr) SCAN(id, expr) APPLY(id, expr)
#else
#define REDUCE_SUM_S(id, expr) IN_LANES(id, expr) ROWS(id, expr) SCAN(id, expr) APPLY(id, expr)
#endif
#if FAMILY == FAMILY_COMPLEX
#undef IN_LANES /* structures do not cast */
#undef IN_ORDER
#define IN_ORDER(id, expr)                                                                                             \
    REDUCE_HEAD(id)                                                                                                    \
    {                                                                                                                  \
        const TYPE *x = in;                                                                                            \
        WORK a = *(const TYPE *)accumulator;                                                                           \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const WORK b = x[i];                                                                                       \
            a = (expr);                                                                                                \
        }                                                                                                              \
        *(TYPE *)accumulator = a;                                                                                      \
    }
#define IN_LANES(id, expr) IN_ORDER(id, expr)
#endif
#if FAMILY == FAMILY_COMPLEX
#define REDUCE_ORDERED_S(id, expr) IN_ORDER(id, expr) ROWS(id, expr) SCAN(id, expr) APPLY(id, M(mulplain)(a, b))
#else
#define REDUCE_ORDERED_S(id, expr) IN_ORDER(id, expr) ROWS(id, expr) SCAN(id, expr) APPLY(id, expr)
#endif
#define REDUCE_ANY_ORDER_S(id, expr) IN_LANES(id, expr) ROWS(id, expr) SCAN(id, expr) APPLY(id, expr)
#if FAMILY == FAMILY_BOOL
#define REDUCE_ANY_ORDER_T(id, expr) IN_LANES(id, expr) ROWS(id, expr) SCAN(id, expr) APPLY(id, expr)
#else
#define REDUCE_ANY_ORDER_T(id, expr)
#endif
#define REDUCE_FOLD_S(id, expr) IN_ORDER(id, expr) ROWS(id, expr) SCAN(id, expr) APPLY(id, expr)
#define REDUCE_FOLD_G(id, expr) REDUCE_FOLD_S(id, expr)
#define REDUCE_FOLD_N(id, expr)
#define REDUCE_SUM_N(id, expr)
#define REDUCE_ORDERED_N(id, expr)
#define REDUCE_ANY_ORDER_N(id, expr)
#define REDUCE_NONE_S(id, expr)
#define REDUCE_NONE_T(id, expr)
#define REDUCE_NONE_C(id, expr)
#define REDUCE_NONE_G(id, expr)
#define REDUCE_NONE_H(id, expr)
#define REDUCE_NONE_K(id, expr)
#define REDUCE_NONE_N(id, expr)
#define REDUCE_NONE_Q(id, expr)
#define REDUCE_NONE_R(id, expr)
#define REDUCE_NONE_W(id, expr)
#define REDUCE_NONE_X(id, expr)

#if FAMILY == FAMILY_BOOL
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef,  \
              kc, ec, raises, carries, spreads, pole, doc)                                                             \
    REDUCE_##reduce##_##kb(id, eb)
#elif FAMILY == FAMILY_SIGNED
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef,  \
              kc, ec, raises, carries, spreads, pole, doc)                                                             \
    REDUCE_##reduce##_##ki(id, ei)
#elif FAMILY == FAMILY_UNSIGNED
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef,  \
              kc, ec, raises, carries, spreads, pole, doc)                                                             \
    REDUCE_##reduce##_##ku(id, eu)
#elif FAMILY == FAMILY_REAL
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef,  \
              kc, ec, raises, carries, spreads, pole, doc)                                                             \
    REDUCE_##reduce##_##kf(id, ef)
#else
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef,  \
              kc, ec, raises, carries, spreads, pole, doc)                                                             \
    REDUCE_##reduce##_##kc(id, ec)
#endif
#include "op/ops.def"
#undef CN_OP

#undef REDUCE_HEAD
#undef AHEAD
#undef PART
#undef STORED
#undef ONE_BY_ONE
#undef PLUS
#undef NOTHING
#undef TREE
#undef EIGHT
#undef VECTOR_BYTES
#undef VECTOR
#undef IN_VECTOR
#undef LANE
#undef EIGHT_ADD
#undef IN_ORDER
#undef IN_LANES
#undef TAKE_LANES
#undef PAIRWISE
#undef SCAN
#undef ROWS
#undef APPLY
#undef REDUCE_SUM_S
#undef REDUCE_ORDERED_S
#undef REDUCE_ANY_ORDER_S
#undef REDUCE_ANY_ORDER_T
#undef REDUCE_FOLD_S
#undef REDUCE_FOLD_G
#undef REDUCE_FOLD_N
#undef REDUCE_SUM_N
#undef REDUCE_ORDERED_N
#undef REDUCE_ANY_ORDER_N
#undef REDUCE_NONE_S
#undef REDUCE_NONE_T
#undef REDUCE_NONE_C
#undef REDUCE_NONE_G
#undef REDUCE_NONE_H
#undef REDUCE_NONE_K
#undef REDUCE_NONE_N
#undef REDUCE_NONE_Q
#undef REDUCE_NONE_R
#undef REDUCE_NONE_W
#undef REDUCE_NONE_X
