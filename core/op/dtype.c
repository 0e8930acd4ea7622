/* dtype.c - the rows of dtypes.def: sizes, names, casting rules, promotion, and the conversion of one value. */
#include "base/status.h"
#include "op/op.h"
#include "op/scalar.h"

static const struct {
    size_t size;
    char family, character;
    const char *name;
} rows[CN_DTYPE_COUNT] = {
#define CN_DTYPE(id, suffix, T, W, wsuffix, family, character, name)                                                   \
    [CN_##id] = {sizeof(T), #family[0], character, name},
#include "op/dtypes.def"
#undef CN_DTYPE
};

const uint8_t cni_dtype_sizes[CN_DTYPE_COUNT] = {
#define CN_DTYPE(id, suffix, T, W, wsuffix, family, character, name) [CN_##id] = sizeof(T),
#include "op/dtypes.def"
#undef CN_DTYPE
};

size_t cn_dtype_size(cn_dtype dtype)
{
    return rows[dtype].size;
}

const char *cn_dtype_name(cn_dtype dtype)
{
    return rows[dtype].name;
}

char cn_dtype_char(cn_dtype dtype)
{
    return rows[dtype].character;
}

/* ---- Casting rules ---- */

/* NumPy's kinds in their order; a cast to an earlier one is never of the same kind. */
static int kind_rank(cn_dtype dtype)
{
    switch (rows[dtype].family) {
    case 'B':
        return 0;
    case 'U':
        return 1;
    case 'I':
        return 2;
    case 'F':
        return 3;
    default:
        return 4;
    }
}

/* Bytes of the real type that holds the dtype's values, as NumPy counts: 64-bit integers go into float64. */
static size_t real_bytes(cn_dtype dtype)
{
    size_t size = rows[dtype].size;
    switch (rows[dtype].family) {
    case 'B':
        return 1;
    case 'C':
        return size / 2;
    case 'F':
        return size;
    default:
        return size < 8 ? 2 * size : 8;
    }
}

static bool is_safe(cn_dtype from, cn_dtype to)
{
    char a = rows[from].family, b = rows[to].family;
    size_t from_size = rows[from].size, to_size = rows[to].size;
    if (from == to || a == 'B') {
        return true;
    }
    if (b == 'B') {
        return false;
    }
    if (b == 'F' || b == 'C') {
        return (a != 'C' || b == 'C') && real_bytes(from) <= real_bytes(to);
    }
    if (a == 'F' || a == 'C') {
        return false;
    }
    return a == b ? from_size <= to_size : a == 'U' && from_size < to_size;
}

bool cn_can_cast(cn_dtype from, cn_dtype to, cn_casting casting)
{
    switch (casting) {
    case CN_CAST_NO:
    case CN_CAST_EQUIV:
        return from == to;
    case CN_CAST_SAFE:
        return is_safe(from, to);
    case CN_CAST_SAME_KIND:
        return is_safe(from, to) || kind_rank(from) <= kind_rank(to);
    default:
        return true;
    }
}

cn_dtype cn_promote(cn_dtype a, cn_dtype b)
{
    for (int d = a == b ? (int)a : 0; d < CN_DTYPE_COUNT; d++) {
        if (is_safe(a, (cn_dtype)d) && is_safe(b, (cn_dtype)d)) {
            return (cn_dtype)d;
        }
    }
    return CN_COMPLEX128;
}

/* ---- One value ---- */

/* A value in the widest type of its family; the other members follow from it. */
typedef struct wide {
    char family;
    int64_t i;
    uint64_t u;
    double re, im;
} wide;

static wide widen(const cn_scalar *s)
{
    wide w = {.family = rows[s->dtype].family};
    switch (s->dtype) {
    case CN_BOOL:
        w.i = s->value.b != 0;
        break;
    case CN_INT8:
        w.i = s->value.i8;
        break;
    case CN_UINT8:
        w.i = s->value.u8;
        break;
    case CN_INT16:
        w.i = s->value.i16;
        break;
    case CN_UINT16:
        w.i = s->value.u16;
        break;
    case CN_INT32:
        w.i = s->value.i32;
        break;
    case CN_UINT32:
        w.i = s->value.u32;
        break;
    case CN_INT64:
        w.i = s->value.i64;
        break;
    case CN_UINT64:
        w.u = s->value.u64;
        w.re = (double)w.u;
        return w;
    case CN_FLOAT16:
        w.re = (double)half_to_float((cni_f16){s->value.f16});
        return w;
    case CN_FLOAT32:
        w.re = (double)s->value.f32;
        return w;
    case CN_FLOAT64:
        w.re = s->value.f64;
        return w;
    case CN_COMPLEX64:
        w.re = (double)s->value.c64[0];
        w.im = (double)s->value.c64[1];
        return w;
    default:
        w.re = s->value.c128[0];
        w.im = s->value.c128[1];
        return w;
    }
    w.u = (uint64_t)w.i;
    w.re = (double)w.i;
    return w;
}

/* Out of range, x86's answer: the lowest integer. */
static int64_t to_int64(double x)
{
    return x >= -0x1p63 && x < 0x1p63 ? (int64_t)x : INT64_MIN;
}

static uint64_t to_uint64(double x)
{
    return x >= 0x1p63 && x < 0x1p64 ? (uint64_t)x : (uint64_t)to_int64(x);
}

static bool fits(const wide *w, cn_dtype to)
{
    int bits = (int)rows[to].size * 8;
    bool large = w->family == 'U' && w->u > INT64_MAX;
    if (rows[to].family == 'U') {
        return large ? bits == 64 : w->i >= 0 && (bits == 64 || w->u >> bits == 0);
    }
    int64_t most = INT64_MAX >> (64 - bits);
    return !large && w->i <= most && w->i >= -most - 1;
}

static cn_status check_weak(const wide *w, cn_weak weak, cn_dtype to)
{
    bool integer = rows[to].family == 'I' || rows[to].family == 'U';
    if (weak != CN_WEAK_INT || !integer || fits(w, to)) {
        return CN_OK;
    }
    if (w->family == 'U') {
        return cni_fail(CN_ERROR_OVERFLOW, "Python integer %llu out of bounds for %s", (unsigned long long)w->u,
                        rows[to].name);
    }
    return cni_fail(CN_ERROR_OVERFLOW, "Python integer %lld out of bounds for %s", (long long)w->i, rows[to].name);
}

static void narrow_integer(const wide *w, cn_dtype to, cn_scalar *out)
{
    bool inexact = w->family == 'F' || w->family == 'C';
    uint64_t bits = !inexact ? w->u : to == CN_UINT64 ? to_uint64(w->re) : (uint64_t)to_int64(w->re);
    memcpy(out->value.bytes, &bits, rows[to].size); /* little endian: the low bytes */
}

cn_status cn_scalar_cast(const cn_scalar *from, cn_weak weak, cn_dtype to, cn_scalar *out)
{
    wide w = widen(from);
    if (w.family == 'I' || w.family == 'B') {
        w.u = (uint64_t)w.i;
    } else if (w.family == 'U' && from->dtype == CN_UINT64) {
        w.i = (int64_t)w.u;
    }
    CN_TRY(check_weak(&w, weak, to));
    cn_scalar made = {.dtype = to};
    switch (to) {
    case CN_BOOL:
        made.value.b = w.family == 'F' || w.family == 'C' ? (uint8_t)((w.re != 0) | (w.im != 0)) : (uint8_t)(w.u != 0);
        break;
    case CN_FLOAT16:
        made.value.f16 =
            w.family == 'F' || w.family == 'C' ? double_to_half(w.re).bits : float_to_half((float)w.re).bits;
        break;
    case CN_FLOAT32:
        made.value.f32 = w.family == 'F' || w.family == 'C' ? (float)w.re
                         : from->dtype == CN_UINT64         ? (float)w.u
                                                            : (float)w.i;
        break;
    case CN_FLOAT64:
        made.value.f64 = w.re;
        break;
    case CN_COMPLEX64:
        made.value.c64[0] = w.family == 'F' || w.family == 'C' ? (float)w.re
                            : from->dtype == CN_UINT64         ? (float)w.u
                                                               : (float)w.i;
        made.value.c64[1] = (float)w.im;
        break;
    case CN_COMPLEX128:
        made.value.c128[0] = w.re;
        made.value.c128[1] = w.im;
        break;
    default:
        narrow_integer(&w, to, &made);
        break;
    }
    *out = made;
    return CN_OK;
}
