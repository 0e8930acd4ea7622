/*
 * loops_dtype.h - included by loops_body.h once for each dtype: the loops of every row of ops.def that has one for it,
 * its reductions, and its casts to all dtypes.
 *
 * Given: TYPE in memory, WORK to compute in, SUFFIX, WORK_SUFFIX, FAMILY, LOAD(x), STORE(x), REAL_OF (complex: the
 * type of its parts), FAR_BITS (real: what far_<id> gives; of others uint64_t). Names of one letter are kinds of rows, so none of them may be a macro here.
 */
#if !defined(FAR_BITS)
#define FAR_BITS uint64_t
#endif
#define M(f) CNI_JOIN(f, WORK_SUFFIX)
#define NAME(id) CNI_JOIN(loop_##id, SUFFIX)
#define REDUCE_NAME(id) CNI_JOIN(reduce_##id, SUFFIX)
/* Functions that are called in many loops would be calls, and the loops no vectors. */
#if FAMILY == FAMILY_REAL && !defined(IS_HALF)
#define HEAD(name) static __attribute__((flatten)) void name(int64_t n, void *const *p, unsigned scalars)
#else
#define HEAD(name) static void name(int64_t n, void *const *p, unsigned scalars)
#endif
#define EACH CNI_INDEPENDENT for (int64_t i = 0; i < n; i++)
#define BYTE(x) ((uint8_t)(x))
#define SAME(x) (x)

/* ---- One result ---- */

#define UNARY(name, result, keep, expr)                                                                                \
    HEAD(name)                                                                                                         \
    {                                                                                                                  \
        result *out = p[0];                                                                                            \
        const TYPE *x = p[1];                                                                                          \
        (void)scalars;                                                                                                 \
        EACH                                                                                                           \
        {                                                                                                              \
            const WORK a = LOAD(x[i]);                                                                                 \
            (void)a;                                                                                                   \
            out[i] = keep(expr);                                                                                       \
        }                                                                                                              \
    }

#define BINARY(name, result, keep, expr)                                                                               \
    HEAD(name)                                                                                                         \
    {                                                                                                                  \
        result *out = p[0];                                                                                            \
        const TYPE *x = p[1], *y = p[2];                                                                               \
        (void)scalars;                                                                                                 \
        EACH                                                                                                           \
        {                                                                                                              \
            const WORK a = LOAD(x[i]), b = LOAD(y[i]);                                                                 \
            out[i] = keep(expr);                                                                                       \
        }                                                                                                              \
    }

/* One side may be a single element. */
#define FIRST_SCALAR(keep, expr)                                                                                       \
    {                                                                                                                  \
        const WORK a = LOAD(x[0]);                                                                                     \
        EACH                                                                                                           \
        {                                                                                                              \
            const WORK b = LOAD(y[i]);                                                                                 \
            out[i] = keep(expr);                                                                                       \
        }                                                                                                              \
    }
#define SECOND_SCALAR(keep, expr)                                                                                      \
    {                                                                                                                  \
        const WORK b = LOAD(y[0]);                                                                                     \
        EACH                                                                                                           \
        {                                                                                                              \
            const WORK a = LOAD(x[i]);                                                                                 \
            out[i] = keep(expr);                                                                                       \
        }                                                                                                              \
    }
#define BOTH_RUNS(keep, expr)                                                                                          \
    {EACH{const WORK a = LOAD(x[i]), b = LOAD(y[i]);                                                                   \
    out[i] = keep(expr);                                                                                               \
    }                                                                                                                  \
    }
#define BINARY_SCALARS(name, result, keep, expr)                                                                       \
    HEAD(name)                                                                                                         \
    {                                                                                                                  \
        result *out = p[0];                                                                                            \
        const TYPE *x = p[1], *y = p[2];                                                                               \
        if ((scalars & 1) != 0)                                                                                        \
            FIRST_SCALAR(keep, expr)                                                                                   \
        else if ((scalars & 2) != 0)                                                                                   \
            SECOND_SCALAR(keep, expr)                                                                                  \
        else                                                                                                           \
            BOTH_RUNS(keep, expr)                                                                                      \
    }

#define TERNARY(name, result, keep, expr)                                                                              \
    HEAD(name)                                                                                                         \
    {                                                                                                                  \
        result *out = p[0];                                                                                            \
        const TYPE *x = p[1], *y = p[2], *z = p[3];                                                                    \
        (void)scalars;                                                                                                 \
        EACH                                                                                                           \
        {                                                                                                              \
            const WORK a = LOAD(x[i]), b = LOAD(y[i]), c = LOAD(z[i]);                                                 \
            out[i] = keep(expr);                                                                                       \
        }                                                                                                              \
    }

/* ---- Two results ---- */

#define UNARY_TWO(name, expr)                                                                                          \
    HEAD(name)                                                                                                         \
    {                                                                                                                  \
        TYPE *out = p[0], *second = p[1];                                                                              \
        const TYPE *x = p[2];                                                                                          \
        (void)scalars;                                                                                                 \
        EACH                                                                                                           \
        {                                                                                                              \
            const WORK a = LOAD(x[i]);                                                                                 \
            WORK r, r2;                                                                                                \
            (void)(expr);                                                                                              \
            out[i] = STORE(r);                                                                                         \
            second[i] = STORE(r2);                                                                                     \
        }                                                                                                              \
    }

#define BINARY_TWO(name, expr)                                                                                         \
    HEAD(name)                                                                                                         \
    {                                                                                                                  \
        TYPE *out = p[0], *second = p[1];                                                                              \
        const TYPE *x = p[2], *y = p[3];                                                                               \
        (void)scalars;                                                                                                 \
        EACH                                                                                                           \
        {                                                                                                              \
            const WORK a = LOAD(x[i]), b = LOAD(y[i]);                                                                 \
            WORK r, r2;                                                                                                \
            (void)(expr);                                                                                              \
            out[i] = STORE(r);                                                                                         \
            second[i] = STORE(r2);                                                                                     \
        }                                                                                                              \
    }

/* ---- Kinds of rows ---- */

#if defined(IS_HALF)
#define BY_FLOATS(id, nin, nout, truths)                                                                               \
    HEAD(NAME(id))                                                                                                     \
    {                                                                                                                  \
        by_floats(n, p, scalars, CNI_JOIN(loop_##id, f32), nin, nout, truths);                                         \
    }
#define LOOP_S11_0(id, expr) BY_FLOATS(id, 1, 1, false)
#define LOOP_S21_0(id, expr) BY_FLOATS(id, 2, 1, false)
#define LOOP_S21_1(id, expr) BY_FLOATS(id, 2, 1, false)
#define LOOP_S31_0(id, expr) BY_FLOATS(id, 3, 1, false)
#define LOOP_S12_0(id, expr) BY_FLOATS(id, 1, 2, false)
#define LOOP_S22_0(id, expr) BY_FLOATS(id, 2, 2, false)
#define LOOP_T11_0(id, expr) BY_FLOATS(id, 1, 1, true)
#define LOOP_T21_1(id, expr) BY_FLOATS(id, 2, 1, true)
#else
#define LOOP_S11_0(id, expr) UNARY(NAME(id), TYPE, STORE, expr)
#define LOOP_S21_0(id, expr) BINARY(NAME(id), TYPE, STORE, expr)
#define LOOP_S21_1(id, expr) BINARY_SCALARS(NAME(id), TYPE, STORE, expr)
#define LOOP_S31_0(id, expr) TERNARY(NAME(id), TYPE, STORE, expr)
#define LOOP_S12_0(id, expr) UNARY_TWO(NAME(id), expr)
#define LOOP_S22_0(id, expr) BINARY_TWO(NAME(id), expr)
#define LOOP_T11_0(id, expr) UNARY(NAME(id), uint8_t, BYTE, expr)
#define LOOP_T21_1(id, expr) BINARY_SCALARS(NAME(id), uint8_t, BYTE, expr)
#endif
#define LOOP_K11_0(id, expr) UNARY(NAME(id), uint8_t, BYTE, expr)
#define LOOP_N11_0(id, expr)
#define LOOP_N21_0(id, expr)
#define LOOP_N21_1(id, expr)
#define LOOP_N31_0(id, expr)
#define LOOP_N12_0(id, expr)
#define LOOP_N22_0(id, expr)
#define LOOP_X31_0(id, expr)                                                                                           \
    HEAD(NAME(id))                                                                                                     \
    {                                                                                                                  \
        TYPE *out = p[0];                                                                                              \
        const uint8_t *mask = p[1];                                                                                    \
        const TYPE *x = p[2], *y = p[3];                                                                               \
        (void)scalars;                                                                                                 \
        EACH                                                                                                           \
        {                                                                                                              \
            const TYPE a = x[i], b = y[i];                                                                             \
            out[i] = mask[i] != 0 ? a : b;                                                                             \
        }                                                                                                              \
    }

#if FAMILY == FAMILY_COMPLEX
#define LOOP_R11_0(id, expr) UNARY(NAME(id), REAL_OF, SAME, expr)
#endif

/* Rows with loops for the widest dtypes only. */
#if defined(WIDEST)
#define LOOP_W21_0(id, expr) BINARY(NAME(id), TYPE, STORE, expr)
#else
#define LOOP_W21_0(id, expr)
#endif

/* Comparisons of int64 with uint64 are those of whole numbers. */
#if defined(COMPARE_MIXED)
#define COMPARE(name, first, second, expr)                                                                             \
    HEAD(name)                                                                                                         \
    {                                                                                                                  \
        uint8_t *out = p[0];                                                                                           \
        const first *x = p[1];                                                                                         \
        const second *y = p[2];                                                                                        \
        int64_t xs = (scalars & 1) == 0, ys = (scalars & 2) == 0;                                                      \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const __int128 a = x[i * xs], b = y[i * ys];                                                               \
            out[i] = BYTE(expr);                                                                                       \
        }                                                                                                              \
    }
#define LOOP_C21_1(id, expr)                                                                                           \
    LOOP_T21_1(id, expr)                                                                                               \
    COMPARE(loop_##id##_iu, int64_t, uint64_t, expr)                                                                   \
    COMPARE(loop_##id##_ui, uint64_t, int64_t, expr)
#else
#define LOOP_C21_1(id, expr) LOOP_T21_1(id, expr)
#endif

#if defined(IS_HALF)
#define LOOP_G11_0(id, expr) BY_FLOATS(id, 1, 1, false)
#define LOOP_G21_0(id, expr) BY_FLOATS(id, 2, 1, false)
#define LOOP_G22_0(id, expr) BY_FLOATS(id, 2, 2, false)
#elif FAMILY != FAMILY_BOOL
/*
 * Far arguments are rare: a pass over a chunk looks for them, another then has no branch. The chunks' loops are those of
 * other kinds of rows, by the expression and by the near form.
 */
#define NEAR(id) CNI_JOIN(near_##id, WORK_SUFFIX)
#define CHUNKS(id, nin, nout, test)                                                                                    \
    HEAD(NAME(id))                                                                                                     \
    {                                                                                                                  \
        const TYPE *x = p[nout], *y = p[nout + nin - 1];                                                               \
        for (int64_t from = 0; from < n; from += FAR_CHUNK) {                                                          \
            const int64_t end = n - from < FAR_CHUNK ? n : from + FAR_CHUNK;                                           \
            void *part[nin + nout];                                                                                    \
            FAR_BITS far = 0;                                                                                          \
            for (int64_t i = from; i < end; i++) {                                                                     \
                const WORK a = LOAD(x[i]), b = LOAD(y[i]);                                                             \
                (void)b;                                                                                               \
                far |= CNI_JOIN(far_##id, WORK_SUFFIX) test;                                                           \
            }                                                                                                          \
            for (int k = 0; k < nin + nout; k++) {                                                                     \
                part[k] = (TYPE *)p[k] + from;                                                                         \
            }                                                                                                          \
            (far != 0 ? CNI_JOIN(all_##id, SUFFIX) : CNI_JOIN(close_##id, SUFFIX))(end - from, part, scalars);         \
        }                                                                                                              \
    }
/* Near forms have no branches, whatever they call. */
#define FLAT(name) static __attribute__((flatten)) void name(int64_t n, void *const *p, unsigned scalars);
#define LOOP_G11_0(id, expr)                                                                                           \
    FLAT(CNI_JOIN(close_##id, SUFFIX))                                                                                 \
    UNARY(CNI_JOIN(all_##id, SUFFIX), TYPE, STORE, expr)                                                               \
    UNARY(CNI_JOIN(close_##id, SUFFIX), TYPE, STORE, NEAR(id)(a))                                                      \
    CHUNKS(id, 1, 1, (a))
#define LOOP_G21_0(id, expr)                                                                                           \
    FLAT(CNI_JOIN(close_##id, SUFFIX))                                                                                 \
    BINARY(CNI_JOIN(all_##id, SUFFIX), TYPE, STORE, expr)                                                              \
    BINARY(CNI_JOIN(close_##id, SUFFIX), TYPE, STORE, NEAR(id)(a, b))                                                  \
    CHUNKS(id, 2, 1, (a, b))
#define LOOP_G22_0(id, expr)                                                                                           \
    BINARY_TWO(CNI_JOIN(all_##id, SUFFIX), expr)                                                                       \
    BINARY_TWO(CNI_JOIN(close_##id, SUFFIX), (r = NEAR(id)(a, b, &r2)))                                                \
    CHUNKS(id, 2, 2, (a, b))
#endif

#define LOOP_H11_0(id, expr) LOOP_G11_0(id, expr)
#define LOOP_H21_0(id, expr) LOOP_G21_0(id, expr)

#if FAMILY == FAMILY_REAL
/* Of float16: its neighbours are its own, not those of the float that it is computed in; and what bits alone say. */
#if defined(IS_HALF)
#define LOOP_Q11_0(id, expr)                                                                                           \
    HEAD(NAME(id))                                                                                                     \
    {                                                                                                                  \
        TYPE *out = p[0];                                                                                              \
        const TYPE *x = p[1];                                                                                          \
        (void)scalars;                                                                                                 \
        EACH                                                                                                           \
        {                                                                                                              \
            out[i] = half_##id(x[i]);                                                                                  \
        }                                                                                                              \
    }
#define LOOP_Q21_0(id, expr)                                                                                           \
    HEAD(NAME(id))                                                                                                     \
    {                                                                                                                  \
        TYPE *out = p[0];                                                                                              \
        const TYPE *x = p[1], *y = p[2];                                                                               \
        (void)scalars;                                                                                                 \
        EACH                                                                                                           \
        {                                                                                                              \
            out[i] = half_##id(x[i], y[i]);                                                                            \
        }                                                                                                              \
    }
#else
#define LOOP_Q11_0(id, expr) LOOP_S11_0(id, expr)
#define LOOP_Q21_0(id, expr) LOOP_S21_0(id, expr)
#endif
#if defined(IS_HALF)
#define LDEXP(power, type, bounded)                                                                                    \
    HEAD(CNI_JOIN(loop_LDEXP, CNI_JOIN(power, SUFFIX)))                                                                \
    {                                                                                                                  \
        (void)scalars;                                                                                                 \
        halves_ldexp(n, p, CNI_JOIN(loop_LDEXP, CNI_JOIN(power, f32)), sizeof(type));                                  \
    }
#define LOOP_X12_0(id, expr)                                                                                           \
    HEAD(NAME(id))                                                                                                     \
    {                                                                                                                  \
        (void)scalars;                                                                                                 \
        halves_frexp(n, p, CNI_JOIN(loop_##id, f32));                                                                  \
    }
#else
#define LDEXP(power, type, bounded)                                                                                    \
    HEAD(CNI_JOIN(loop_LDEXP, CNI_JOIN(power, SUFFIX)))                                                                \
    {                                                                                                                  \
        TYPE *out = p[0];                                                                                              \
        const TYPE *x = p[1];                                                                                          \
        const type *y = p[2];                                                                                          \
        (void)scalars;                                                                                                 \
        for (int64_t from = 0; from < n; from += FAR_CHUNK) {                                                          \
            const int64_t end = n - from < FAR_CHUNK ? n : from + FAR_CHUNK;                                           \
            FAR_BITS far = 0;                                                                                          \
            for (int64_t i = from; i < end; i++) {                                                                     \
                far |= CNI_JOIN(cni_ldexp_far, SUFFIX)(x[i], (FAR_BITS)bounded(y[i]));                                 \
            }                                                                                                          \
            CNI_INDEPENDENT for (int64_t i = from; far == 0 && i < end; i++)                                           \
            {                                                                                                          \
                out[i] = CNI_JOIN(cni_ldexp_near, SUFFIX)(x[i], (FAR_BITS)bounded(y[i]));                              \
            }                                                                                                          \
            CNI_INDEPENDENT for (int64_t i = from; far != 0 && i < end; i++)                                           \
            {                                                                                                          \
                out[i] = M(ldexp)(x[i], CNI_JOIN(cni_ldexp_power, power)(y[i]));                                       \
            }                                                                                                          \
        }                                                                                                              \
    }
#define LOOP_X12_0(id, expr)                                                                                           \
    HEAD(NAME(id))                                                                                                     \
    {                                                                                                                  \
        TYPE *out = p[0];                                                                                              \
        int32_t *exponent = p[1];                                                                                      \
        const TYPE *x = p[2];                                                                                          \
        (void)scalars;                                                                                                 \
        EACH                                                                                                           \
        {                                                                                                              \
            int32_t e;                                                                                                 \
            out[i] = M(frexp)(x[i], &e);                                                                               \
            exponent[i] = e;                                                                                           \
        }                                                                                                              \
    }
#endif
#define LOOP_X21_0(id, expr) LDEXP(i32, int32_t, PLAIN) LDEXP(i64, int64_t, cni_ldexp_power_i64)
#endif

#if FAMILY == FAMILY_BOOL
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef,  \
              kc, ec, raises, carries, spreads, pole, doc)                                                             \
    LOOP_##kb##nin##nout##_##scalars(id, eb)
#elif FAMILY == FAMILY_SIGNED
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef,  \
              kc, ec, raises, carries, spreads, pole, doc)                                                             \
    LOOP_##ki##nin##nout##_##scalars(id, ei)
#elif FAMILY == FAMILY_UNSIGNED
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef,  \
              kc, ec, raises, carries, spreads, pole, doc)                                                             \
    LOOP_##ku##nin##nout##_##scalars(id, eu)
#elif FAMILY == FAMILY_REAL
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef,  \
              kc, ec, raises, carries, spreads, pole, doc)                                                             \
    LOOP_##kf##nin##nout##_##scalars(id, ef)
#else
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef,  \
              kc, ec, raises, carries, spreads, pole, doc)                                                             \
    LOOP_##kc##nin##nout##_##scalars(id, ec)
#endif
#include "op/ops.def"
#undef CN_OP

#include "cpu/loops_reduce.h"
#if FAMILY == FAMILY_BOOL || FAMILY == FAMILY_SIGNED || FAMILY == FAMILY_UNSIGNED
#include "cpu/loops_whole.h"
#endif

/* ---- Casts ---- */

#define CN_DTYPE(id, to, to_type, to_work, to_work_suffix, family, character, name)                                    \
    HEAD(CNI_JOIN(CNI_JOIN(cast, SUFFIX), to))                                                                         \
    {                                                                                                                  \
        to_type *out = p[0];                                                                                           \
        const TYPE *x = p[1];                                                                                          \
        (void)scalars;                                                                                                 \
        EACH                                                                                                           \
        {                                                                                                              \
            const WORK a = LOAD(x[i]);                                                                                 \
            out[i] = CONVERT(to, a);                                                                                   \
        }                                                                                                              \
    }
#if FAMILY == FAMILY_COMPLEX
#define CONVERT(to, a) COMPLEX_TO_##to(a)
#else
#define CONVERT(to, a) REAL_TO_##to(a)
#endif
#include "op/dtypes.def"
#undef CN_DTYPE
#undef CONVERT

#undef M
#undef NAME
#undef REDUCE_NAME
#undef HEAD
#undef EACH
#undef BYTE
#undef SAME
#undef UNARY
#undef BINARY
#undef FIRST_SCALAR
#undef SECOND_SCALAR
#undef BOTH_RUNS
#undef BINARY_SCALARS
#undef TERNARY
#undef UNARY_TWO
#undef BINARY_TWO
#undef BY_FLOATS
#undef LOOP_S11_0
#undef LOOP_S21_0
#undef LOOP_S21_1
#undef LOOP_S31_0
#undef LOOP_S12_0
#undef LOOP_S22_0
#undef LOOP_T11_0
#undef LOOP_T21_1
#undef LOOP_K11_0
#undef LOOP_N11_0
#undef LOOP_N21_0
#undef LOOP_N21_1
#undef LOOP_N31_0
#undef LOOP_N12_0
#undef LOOP_N22_0
#undef LOOP_X31_0
#undef LOOP_R11_0
#undef LOOP_W21_0
#undef LOOP_C21_1
#undef COMPARE
#undef LOOP_G11_0
#undef LOOP_G21_0
#undef LOOP_G22_0
#undef LOOP_H11_0
#undef LOOP_H21_0
#undef NEAR
#undef FLAT
#undef CHUNKS
#undef LOOP_Q11_0
#undef LOOP_Q21_0
#undef LDEXP
#undef LOOP_X21_0
#undef LOOP_X12_0
#undef TYPE
#undef WORK
#undef SUFFIX
#undef WORK_SUFFIX
#undef FAMILY
#undef LOAD
#undef STORE
#undef REAL_OF
#undef WIDEST
#undef COMPARE_MIXED
#undef IS_HALF
#undef FAR_BITS
