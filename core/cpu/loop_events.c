/*
 * loop_events.c - see loop_events.h.
 *
 * Compilers compare vectors with instructions that say "invalid" of a NaN, also where the source asks for quiet ones. So
 * rows that raise nothing are not asked at all, and of real numbers an op was invalid only if it made a NaN of operands
 * without one (or was floor_divide, which takes infinity from infinity).
 */
#include "cpu/loop_events.h"

#include <string.h>

#include "cpu/events.h"
#include "op/op.h"

enum { CHUNK = 512, WIDEST_REAL = 8 };

static bool is_real(uint8_t dtype)
{
    return cni_dtypes[dtype].family == CNI_FAMILY_REAL;
}

/* ORs into found what elements of `size` bytes are, without their sign: bit 0: infinite, bit 1: a NaN. */
static inline __attribute__((always_inline)) void look_of(size_t size, uint64_t infinite, int64_t n, const char *from,
                                                          int64_t step, uint8_t *found)
{
    for (int64_t i = 0; i < n; i++) {
        uint64_t bits = 0; /* x86-64's order; other processors have no vectors that need this */
        memcpy(&bits, from + i * step * (int64_t)size, size);
        bits &= infinite | (infinite - 1);
        found[i] = (uint8_t)(found[i] | (bits > infinite) << 1 | (bits == infinite));
    }
}

/* step: 1, or 0: one element for all. */
static void look(uint8_t dtype, int64_t n, const char *from, int64_t step, uint8_t *found)
{
    if (dtype == CN_FLOAT16) {
        look_of(2, 0x7C00, n, from, step, found);
    } else if (dtype == CN_FLOAT32) {
        look_of(4, 0x7F800000, n, from, step, found);
    } else if (step == 1) {
        look_of(8, UINT64_C(0x7FF) << 52, n, from, 1, found);
    } else {
        look_of(8, UINT64_C(0x7FF) << 52, n, from, step, found);
    }
}

static void look_at_operands(const uint8_t *dtypes, int nin, int64_t n, const void *const *in, unsigned scalars,
                             uint8_t *found)
{
    memset(found, 0, (size_t)n);
    for (int k = 0; k < nin; k++) {
        if (is_real(dtypes[k])) {
            look(dtypes[k], n, in[k], (scalars >> k & 1) != 0 ? 0 : 1, found);
        }
    }
}

/* Did the op make what only an invalid operation makes? */
static bool made(cni_opcode op, const uint8_t *dtypes, int nout, int64_t n, void *const *out, const uint8_t *found)
{
    bool floor = op == CNI_OP_FLOOR_DIVIDE || op == CNI_OP_DIVMOD;
    unsigned any = 0;
    for (int k = 0; k < nout; k++) {
        uint8_t result[CHUNK] = {0};
        if (is_real(dtypes[k])) {
            look(dtypes[k], n, out[k], 1, result);
        }
        for (int64_t i = 0; i < n; i++) {
            any |= (result[i] & ~found[i] & 2U) | (floor && found[i] == 0 ? result[i] : 0U);
        }
    }
    return any != 0;
}

/* The loop's inputs; those that it will write over are copied, unless it has run (NULL). */
static void keep_inputs(const uint8_t *dtypes, int nin, int nout, int64_t n, void *const *p,
                        char (*copies)[CHUNK * WIDEST_REAL], const void **in)
{
    for (int i = 0; i < nin; i++) {
        in[i] = p[nout + i];
        for (int k = 0; copies != NULL && k < nout; k++) {
            if (p[k] == p[nout + i] && is_real(dtypes[i])) {
                in[i] = memcpy(copies[i], p[k], (size_t)(n * cni_dtype_size(dtypes[i])));
            }
        }
    }
}

/* The loop on n elements, chunk by chunk; loop: NULL: it has run, and this was seen. Elements are looked at only then. */
static uint32_t walk(int number, cni_loop loop, int64_t n, void **p, unsigned scalars, uint32_t all)
{
    cni_opcode op = cni_op_of_loop(number);
    const cni_op_info *info = &cni_ops[op];
    const uint8_t *dtypes = info->signatures[number - info->first_loop].dtypes;
    int nin = info->nin, nout = info->nout;
    uint32_t kinds = all & ~(uint32_t)CN_FP_INVALID;
    for (int64_t done = 0; done < n; done += CHUNK) {
        int64_t m = n - done < CHUNK ? n - done : CHUNK;
        uint8_t found[CHUNK];
        _Alignas(64) char copies[CNI_MAX_NIN][CHUNK * WIDEST_REAL];
        void *q[CNI_MAX_NIN + CNI_MAX_NOUT];
        const void *in[CNI_MAX_NIN];
        for (int k = 0; k < nout + nin; k++) {
            bool still = k >= nout && (scalars >> (k - nout) & 1) != 0;
            q[k] = (char *)p[k] + (still ? 0 : done * cni_dtype_size(dtypes[k < nout ? nin + k : k - nout]));
        }
        keep_inputs(dtypes, nin, nout, m, q, loop != NULL ? copies : NULL, in);
        uint32_t seen = all;
        if (loop != NULL) {
            cni_events_clear();
            loop(m, q, scalars);
            seen = cni_events_seen();
        }
        kinds |= seen & ~(uint32_t)CN_FP_INVALID;
        if ((seen & CN_FP_INVALID) != 0) {
            look_at_operands(dtypes, nin, m, in, scalars, found);
            kinds |= made(op, dtypes + nin, nout, m, q, found) ? CN_FP_INVALID : 0U;
        }
    }
    return kinds;
}

static bool needs_a_look(int number)
{
    const cni_op_info *info = &cni_ops[cni_op_of_loop(number)];
    return cni_loop_raises(number) && is_real(info->signatures[number - info->first_loop].dtypes[0]);
}

uint32_t cni_loop_events(int number, cni_loop loop, int64_t n, void **p, unsigned scalars)
{
    if (needs_a_look(number)) {
        return walk(number, loop, n, p, scalars, 0);
    }
    cni_events_clear();
    loop(n, p, scalars);
    return cni_loop_raises(number) ? cni_events_seen() : 0;
}

uint32_t cni_loop_confirm(int number, int64_t n, void **p, unsigned scalars, uint32_t seen)
{
    if ((seen & CN_FP_INVALID) != 0 && needs_a_look(number)) {
        return walk(number, NULL, n, p, scalars, seen);
    }
    return cni_loop_raises(number) ? seen : 0;
}
