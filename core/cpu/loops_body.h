/*
 * loops_body.h - all loops of tier 0, included by one file for each instruction set with CNI_KERNELS the table's name
 * and CNI_KERNELS_NAME its text. Compiled with that set's flags; everything but the table is static.
 */
#include <stdint.h>
#include <string.h>

#include "cpu/loops.h"
#include "op/convert.h"
#include "op/op.h"
#include "op/scalar.h"

/* Iterations depend on each other at most at the same index (an output may be an input). */
#if defined(__clang__)
#define CNI_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define CNI_INDEPENDENT _Pragma("GCC ivdep")
#endif

#define FAMILY_BOOL 1
#define FAMILY_SIGNED 2
#define FAMILY_UNSIGNED 3
#define FAMILY_REAL 4
#define FAMILY_COMPLEX 5

enum { FAR_CHUNK = 256 };

/* ---- The dtypes ---- */

#define PLAIN(x) (x)

#define TYPE uint8_t
#define WORK uint8_t
#define SUFFIX b
#define WORK_SUFFIX b
#define FAMILY FAMILY_BOOL
#define LOAD PLAIN
#define STORE(x) ((uint8_t)(x))
#include "cpu/loops_dtype.h"

#define TYPE int8_t
#define WORK int8_t
#define SUFFIX i8
#define WORK_SUFFIX i8
#define FAMILY FAMILY_SIGNED
#define LOAD PLAIN
#define STORE(x) ((int8_t)(x))
#include "cpu/loops_dtype.h"

#define TYPE uint8_t
#define WORK uint8_t
#define SUFFIX u8
#define WORK_SUFFIX u8
#define FAMILY FAMILY_UNSIGNED
#define LOAD PLAIN
#define STORE(x) ((uint8_t)(x))
#include "cpu/loops_dtype.h"

#define TYPE int16_t
#define WORK int16_t
#define SUFFIX i16
#define WORK_SUFFIX i16
#define FAMILY FAMILY_SIGNED
#define LOAD PLAIN
#define STORE(x) ((int16_t)(x))
#include "cpu/loops_dtype.h"

#define TYPE uint16_t
#define WORK uint16_t
#define SUFFIX u16
#define WORK_SUFFIX u16
#define FAMILY FAMILY_UNSIGNED
#define LOAD PLAIN
#define STORE(x) ((uint16_t)(x))
#include "cpu/loops_dtype.h"

#define TYPE int32_t
#define WORK int32_t
#define SUFFIX i32
#define WORK_SUFFIX i32
#define FAMILY FAMILY_SIGNED
#define LOAD PLAIN
#define STORE(x) ((int32_t)(x))
#include "cpu/loops_dtype.h"

#define TYPE uint32_t
#define WORK uint32_t
#define SUFFIX u32
#define WORK_SUFFIX u32
#define FAMILY FAMILY_UNSIGNED
#define LOAD PLAIN
#define STORE(x) ((uint32_t)(x))
#include "cpu/loops_dtype.h"

#define TYPE int64_t
#define WORK int64_t
#define SUFFIX i64
#define WORK_SUFFIX i64
#define FAMILY FAMILY_SIGNED
#define LOAD PLAIN
#define STORE(x) ((int64_t)(x))
#include "cpu/loops_dtype.h"

#define TYPE uint64_t
#define WORK uint64_t
#define SUFFIX u64
#define WORK_SUFFIX u64
#define FAMILY FAMILY_UNSIGNED
#define LOAD PLAIN
#define STORE(x) ((uint64_t)(x))
#define COMPARE_MIXED
#include "cpu/loops_dtype.h"

#define TYPE float
#define WORK float
#define SUFFIX f32
#define WORK_SUFFIX f32
#define FAMILY FAMILY_REAL
#define LOAD PLAIN
#define STORE(x) ((float)(x))
#define FAR_BITS uint32_t
#include "cpu/loops_dtype.h"

#include "cpu/loops_half.h"

#define TYPE cni_f16
#define WORK float
#define SUFFIX f16
#define WORK_SUFFIX f32
#define FAMILY FAMILY_REAL
#define LOAD half_to_float
#define STORE(x) float_to_half(x)
#define IS_HALF
#define FAR_BITS uint32_t
#include "cpu/loops_dtype.h"

#define TYPE double
#define WORK double
#define SUFFIX f64
#define WORK_SUFFIX f64
#define FAMILY FAMILY_REAL
#define LOAD PLAIN
#define STORE(x) ((double)(x))
#define WIDEST
#define FAR_BITS uint64_t
#include "cpu/loops_dtype.h"

#define TYPE cni_c64
#define WORK cni_c64
#define SUFFIX c64
#define WORK_SUFFIX c64
#define FAMILY FAMILY_COMPLEX
#define LOAD PLAIN
#define STORE PLAIN
#define REAL_OF float
#include "cpu/loops_dtype.h"

#define TYPE cni_c128
#define WORK cni_c128
#define SUFFIX c128
#define WORK_SUFFIX c128
#define FAMILY FAMILY_COMPLEX
#define LOAD PLAIN
#define STORE PLAIN
#define REAL_OF double
#define WIDEST
#include "cpu/loops_dtype.h"

/* ---- Copies ---- */

typedef struct {
    uint64_t low, high;
} sixteen;

enum { FEW = 128 }; /* bytes that are copied without a call */

static inline __attribute__((always_inline)) void copy_ends(char *to, const char *from, size_t n, const size_t part)
{
    char first[64], last[64];
    memcpy(first, from, part);
    memcpy(last, from + n - part, part);
    memcpy(to, first, part);
    memcpy(to + n - part, last, part);
}

/* At most FEW bytes, by two moves that may overlap each other. */
static inline __attribute__((always_inline)) void copy_few(char *to, const char *from, size_t n)
{
    if (n >= 64) {
        copy_ends(to, from, n, 64);
    } else if (n >= 32) {
        copy_ends(to, from, n, 32);
    } else if (n >= 16) {
        copy_ends(to, from, n, 16);
    } else if (n >= 8) {
        copy_ends(to, from, n, 8);
    } else if (n >= 4) {
        copy_ends(to, from, n, 4);
    } else if (n >= 2) {
        copy_ends(to, from, n, 2);
    } else {
        *to = *from;
    }
}

#define T uint8_t
#define F(name) name##_1
#include "cpu/copies_size.h"
#define T uint16_t
#define F(name) name##_2
#include "cpu/copies_size.h"
#define BY_FOUR
#define T uint32_t
#define F(name) name##_4
#include "cpu/copies_size.h"
#define T uint64_t
#define F(name) name##_8
#include "cpu/copies_size.h"
#undef BY_FOUR
#define T sixteen
#define F(name) name##_16
#include "cpu/copies_size.h"

#include "cpu/loops_select.h"

/* ---- The table ---- */

#define LOOP_S11(id, s) loop_##id##_##s,
#define LOOP_S21(id, s) loop_##id##_##s,
#define LOOP_S31(id, s) loop_##id##_##s,
#define LOOP_S12(id, s) loop_##id##_##s,
#define LOOP_S22(id, s) loop_##id##_##s,
#define LOOP_G11(id, s) loop_##id##_##s,
#define LOOP_G21(id, s) loop_##id##_##s,
#define LOOP_G22(id, s) loop_##id##_##s,
#define LOOP_H11(id, s) loop_##id##_##s,
#define LOOP_H21(id, s) loop_##id##_##s,
#define LOOP_T11(id, s) loop_##id##_##s,
#define LOOP_T21(id, s) loop_##id##_##s,
#define LOOP_K11(id, s) loop_##id##_##s,
#define LOOP_Q11(id, s) loop_##id##_##s,
#define LOOP_Q21(id, s) loop_##id##_##s,
#define LOOP_R11(id, s) loop_##id##_##s,
#define LOOP_X31(id, s) loop_##id##_##s,
#define LOOP_X12(id, s) loop_##id##_##s,
#define LOOP_X21(id, s) loop_##id##_i32_##s, loop_##id##_i64_##s,
#define LOOP_W21(id, s) LOOP_W_##s(id)
#define LOOP_W_f16(id)
#define LOOP_W_f32(id)
#define LOOP_W_f64(id) loop_##id##_f64,
#define LOOP_W_c64(id)
#define LOOP_W_c128(id) loop_##id##_c128,
#define LOOP_C21(id, s) loop_##id##_##s, LOOP_C_##s(id)
#define LOOP_C_u8(id)
#define LOOP_C_u16(id)
#define LOOP_C_u32(id)
#define LOOP_C_u64(id) loop_##id##_iu, loop_##id##_ui,
#define LOOP_N11(id, s)
#define LOOP_N21(id, s)
#define LOOP_N31(id, s)
#define LOOP_N12(id, s)
#define LOOP_N22(id, s)

static const cni_loop all_loops[] = {
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef,  \
              kc, ec, raises, carries, spreads, pole, doc)                                                             \
    LOOP_##kb##nin##nout(id, b) LOOP_##ki##nin##nout(id, i8) LOOP_##ku##nin##nout(id, u8)                              \
        LOOP_##ki##nin##nout(id, i16) LOOP_##ku##nin##nout(id, u16) LOOP_##ki##nin##nout(id, i32)                      \
            LOOP_##ku##nin##nout(id, u32) LOOP_##ki##nin##nout(id, i64) LOOP_##ku##nin##nout(id, u64)                  \
                LOOP_##kf##nin##nout(id, f16) LOOP_##kf##nin##nout(id, f32) LOOP_##kf##nin##nout(id, f64)              \
                    LOOP_##kc##nin##nout(id, c64) LOOP_##kc##nin##nout(id, c128)
#include "op/ops.def"
#undef CN_OP
};

enum { LOOP_COUNT = sizeof all_loops / sizeof *all_loops };

/* Reductions of S rows; of T rows for bool alone. A row has them for all its dtypes or for none. */
typedef struct {
    cn_dtype dtype;
    cni_reduce_loop loop;
    cni_rows_loop rows;
    cni_scan_loop scan;
    cni_apply_loop apply;
} reduce_entry;

#define ENTRY_S(id, D, s) {D, reduce_##id##_##s, rows_##id##_##s, scan_##id##_##s, apply_##id##_##s},
#define ENTRY_G ENTRY_S
#define ENTRY_N(id, D, s)
#define ENTRY_T(id, D, s) ENTRY_T_##s(id, D)
#define ENTRY_T_b(id, D) {D, reduce_##id##_b, rows_##id##_b, scan_##id##_b, apply_##id##_b},
#define ENTRY_T_i8(id, D)
#define ENTRY_T_u8(id, D)
#define ENTRY_T_i16(id, D)
#define ENTRY_T_u16(id, D)
#define ENTRY_T_i32(id, D)
#define ENTRY_T_u32(id, D)
#define ENTRY_T_i64(id, D)
#define ENTRY_T_u64(id, D)
#define ENTRY_T_f16(id, D)
#define ENTRY_T_f32(id, D)
#define ENTRY_T_f64(id, D)
#define ENTRY_T_c64(id, D)
#define ENTRY_T_c128(id, D)
#define ENTRIES_NONE(id, kb, ki, ku, kf, kc)
#define ENTRIES_SUM(id, kb, ki, ku, kf, kc)                                                                            \
    static const reduce_entry entries_##id[] = {                                                                       \
        ENTRY_##kb(id, CN_BOOL, b) ENTRY_##ki(id, CN_INT8, i8) ENTRY_##ku(id, CN_UINT8, u8)                            \
            ENTRY_##ki(id, CN_INT16, i16) ENTRY_##ku(id, CN_UINT16, u16) ENTRY_##ki(id, CN_INT32, i32)                 \
                ENTRY_##ku(id, CN_UINT32, u32) ENTRY_##ki(id, CN_INT64, i64) ENTRY_##ku(id, CN_UINT64, u64)            \
                    ENTRY_##kf(id, CN_FLOAT16, f16) ENTRY_##kf(id, CN_FLOAT32, f32) ENTRY_##kf(id, CN_FLOAT64, f64)    \
                        ENTRY_##kc(id, CN_COMPLEX64, c64) ENTRY_##kc(id, CN_COMPLEX128, c128)};
#define ENTRIES_FOLD ENTRIES_SUM
#define ENTRIES_ORDERED ENTRIES_SUM
#define ENTRIES_ANY_ORDER ENTRIES_SUM
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef,  \
              kc, ec, raises, carries, spreads, pole, doc)                                                             \
    ENTRIES_##reduce(id, kb, ki, ku, kf, kc)
#include "op/ops.def"
#undef CN_OP

#define ROW_NONE(id) {NULL, 0},
#define ROW_SUM(id) {entries_##id, sizeof entries_##id / sizeof *entries_##id},
#define ROW_FOLD ROW_SUM
#define ROW_ORDERED ROW_SUM
#define ROW_ANY_ORDER ROW_SUM
static const struct {
    const reduce_entry *entries;
    size_t count;
} reduce_rows[CNI_OP_COUNT] = {
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef,  \
              kc, ec, raises, carries, spreads, pole, doc)                                                             \
    ROW_##reduce(id)
#include "op/ops.def"
#undef CN_OP
};

static const uint8_t takes_scalars[CNI_OP_COUNT] = {
#define CN_OP(id, name, nin, nout, identity, reduce, cost, ulp, commutative, scalars, kb, eb, ki, ei, ku, eu, kf, ef,  \
              kc, ec, raises, carries, spreads, pole, doc)                                                             \
    scalars ? 3 : 0,
#include "op/ops.def"
#undef CN_OP
};

static cni_reduce_loop all_reduces[LOOP_COUNT];
static cni_rows_loop all_rows[LOOP_COUNT];
static cni_scan_loop all_scans[LOOP_COUNT];
static cni_apply_loop all_applies[LOOP_COUNT];
static uint8_t all_scalars[LOOP_COUNT];

cni_cpu_kernels CNI_KERNELS = {
    .name = CNI_KERNELS_NAME,
    .loops = all_loops,
    .loop_scalars = all_scalars,
    .reduces = all_reduces,
    .rows = all_rows,
    .scans = all_scans,
    .applies = all_applies,
    .casts =
        {
#define CAST_ROW(s)                                                                                                    \
    {cast_##s##_b,   cast_##s##_i8,  cast_##s##_u8,  cast_##s##_i16, cast_##s##_u16, cast_##s##_i32, cast_##s##_u32,   \
     cast_##s##_i64, cast_##s##_u64, cast_##s##_f16, cast_##s##_f32, cast_##s##_f64, cast_##s##_c64, cast_##s##_c128},
            CAST_ROW(b) CAST_ROW(i8) CAST_ROW(u8) CAST_ROW(i16) CAST_ROW(u16) CAST_ROW(i32) CAST_ROW(u32) CAST_ROW(i64)
                CAST_ROW(u64) CAST_ROW(f16) CAST_ROW(f32) CAST_ROW(f64) CAST_ROW(c64) CAST_ROW(c128)},
    .copies = {copy_1, copy_2, copy_4, copy_8, copy_16},
    .planes = {plane_1, plane_2, plane_4, plane_8, plane_16},
    .selects = {select_1, select_2, select_4, select_8, select_16},
    .select_places = select_places,
    .combines = {combine_b, combine_i8, combine_u8, combine_i16, combine_u16, combine_i32, combine_u32, combine_i64,
                 combine_u64},
    .dots = {dot_b, dot_i8, dot_u8, dot_i16, dot_u16, dot_i32, dot_u32, dot_i64, dot_u64},
};

/* What is known by row, by loop. */
__attribute__((constructor)) static void fill_by_loop(void)
{
    for (int op = 0; op < CNI_OP_COUNT; op++) {
        for (int i = 0; i < cni_ops[op].nloops; i++) {
            const uint8_t *dtypes = cni_ops[op].signatures[i].dtypes;
            all_scalars[cni_ops[op].first_loop + i] = takes_scalars[op];
            for (size_t k = 0; k < reduce_rows[op].count; k++) {
                if (reduce_rows[op].entries[k].dtype == dtypes[0] && dtypes[0] == dtypes[1]) {
                    all_reduces[cni_ops[op].first_loop + i] = reduce_rows[op].entries[k].loop;
                    all_rows[cni_ops[op].first_loop + i] = reduce_rows[op].entries[k].rows;
                    all_scans[cni_ops[op].first_loop + i] = reduce_rows[op].entries[k].scan;
                    all_applies[cni_ops[op].first_loop + i] = reduce_rows[op].entries[k].apply;
                }
            }
        }
    }
}
