/*
 * random.c - random numbers: uniform ones of PCG64 are recorded, since what they take of the stream is known; the
 * others are drawn into new memory at once.
 */
#include "base/memory.h"
#include "base/status.h"
#include "record/random_rounds.h"
#include "record/record.h"

/* ---- The stream of a generator ---- */

static cni_uint128 pcg64_state(const cn_random *r)
{
    return cni_uint128_of(r->state[0], r->state[1]);
}

/* narrow: 32-bit halves of PCG64's words are taken, of which one may be waiting. */
static cn_status stream_open(const cn_random *r, bool narrow, cni_stream *s)
{
    s->mersenne = r->generator == CN_MT19937;
    s->offset = 0;
    s->has_half = false;
    if (s->mersenne) {
        if (r->position < 0 || r->position > CNI_MT19937_WORDS) {
            return cni_fail(CN_ERROR_VALUE, "the position in MT19937's key is out of range");
        }
        for (int i = 0; i < CNI_MT19937_WORDS; i++) {
            s->mt19937.key[i] = r->key[i];
        }
        s->mt19937.position = r->position;
        return CN_OK;
    }
    s->pcg64 = (cni_pcg64){pcg64_state(r), cni_uint128_of(r->increment[0], r->increment[1])};
    if (narrow && r->has_uint32) {
        cni_pcg64_advance(&s->pcg64, ~(cni_uint128)0);
        s->offset = 4;
        s->has_half = true;
        s->half = r->uinteger;
    }
    return CN_OK;
}

/* Parts of a 32-bit word that are left over are lost, as in NumPy. */
static void stream_close(cni_stream *s, bool narrow, cn_random *r)
{
    s->offset = (s->offset + 3) / 4 * 4;
    if (s->mersenne) {
        uint32_t rest;
        cni_mt19937_words(&s->mt19937, s->offset / 4, &rest);
        for (int i = 0; i < CNI_MT19937_WORDS; i++) {
            r->key[i] = s->mt19937.key[i];
        }
        r->position = s->mt19937.position;
        return;
    }
    bool begun = s->offset > 0, half = s->offset == 4, untouched = half && s->has_half;
    cni_pcg64_advance(&s->pcg64, begun ? 1 : 0);
    bool moved = s->pcg64.state != pcg64_state(r);
    r->state[0] = (uint64_t)(s->pcg64.state >> 64);
    r->state[1] = (uint64_t)s->pcg64.state;
    if (narrow && !untouched) {
        r->has_uint32 = half;
        r->uinteger = moved ? (uint32_t)(cni_pcg64_last(&s->pcg64) >> 32) : r->uinteger;
    }
}

/* ---- At once ---- */

/* Fills n items of memory. */
static cn_status draw_into(cn_random *r, const cni_draw *draw, int64_t n, void *out, int threads)
{
    cni_stream stream;
    bool narrow = draw->unit < 8;
    CN_TRY(stream_open(r, narrow, &stream));
    CN_TRY(cni_stream_draw(&stream, draw, n, out, threads));
    stream_close(&stream, narrow, r);
    return CN_OK;
}

static cn_status array_of_memory(cn_dtype dtype, int ndim, const int64_t *shape, cn_array **out)
{
    cn_array *made;
    CN_TRY(cn_array_empty(dtype, ndim, shape, &made));
    cn_status status = cni_base_materialise(made->base);
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *out = made;
    return CN_OK;
}

static cn_status draw_array(cn_random *r, const cni_draw *draw, cn_dtype dtype, int ndim, const int64_t *shape,
                            cn_array **out)
{
    cn_array *made;
    CN_TRY(array_of_memory(dtype, ndim, shape, &made));
    cn_status status =
        draw_into(r, draw, made->size, made->base->buffer->data, cni_host_threads(made->size * draw->unit));
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *out = made;
    return CN_OK;
}

cn_status cn_random_single(cn_random *r, int ndim, const int64_t *shape, cn_array **out)
{
    cni_draw draw = cni_draw_single();
    if (r->generator == CN_MT19937) {
        return cni_fail(CN_ERROR_UNSUPPORTED, "float32 numbers are the Generator's");
    }
    return draw_array(r, &draw, CN_FLOAT32, ndim, shape, out);
}

cn_status cn_random_exponential(cn_random *r, int ndim, const int64_t *shape, cn_array **out)
{
    cni_draw draw = r->generator == CN_PCG64 ? cni_draw_exponential() : cni_draw_log();
    return draw_array(r, &draw, CN_FLOAT64, ndim, shape, out);
}

/* Pairs, of which the first may be half used and the last is kept by half. */
static cn_status draw_polar(cn_random *r, double *out, int64_t n)
{
    cni_draw draw = cni_draw_polar();
    cn_random after = *r;
    double pair[2];
    int64_t given = n > 0 && r->has_gauss ? 1 : 0, left = n - given;
    CN_TRY(draw_into(&after, &draw, left / 2, out + given, cni_host_threads(left * 8)));
    if (left % 2 != 0) {
        CN_TRY(draw_into(&after, &draw, 1, pair, 1));
        out[n - 1] = pair[0];
    }
    if (given > 0) {
        out[0] = r->gauss;
    }
    after.has_gauss = left % 2 != 0 || (n == 0 && r->has_gauss);
    after.gauss = left % 2 != 0 ? pair[1] : n == 0 ? r->gauss : 0.0;
    *r = after;
    return CN_OK;
}

cn_status cn_random_normal(cn_random *r, int ndim, const int64_t *shape, cn_array **out)
{
    if (r->generator == CN_PCG64) {
        cni_draw draw = cni_draw_normal();
        return draw_array(r, &draw, CN_FLOAT64, ndim, shape, out);
    }
    cn_array *made;
    CN_TRY(array_of_memory(CN_FLOAT64, ndim, shape, &made));
    cn_status status = draw_polar(r, made->base->buffer->data, made->size);
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *out = made;
    return CN_OK;
}

static cn_status draw_constant(cn_dtype dtype, uint64_t value, int ndim, const int64_t *shape, cn_array **out)
{
    cn_array *made;
    cn_operand same = {.scalar = {.value.u64 = value, .dtype = CN_UINT64}};
    CN_TRY(cn_array_empty(dtype, ndim, shape, &made));
    cn_status status = cn_copy(made, &same, CN_CAST_UNSAFE);
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *out = made;
    return CN_OK;
}

cn_status cn_random_integers(cn_random *r, cn_dtype dtype, uint64_t low, uint64_t range, int ndim, const int64_t *shape,
                             cn_array **out)
{
    if (dtype < CN_INT8 || dtype > CN_UINT64) {
        return cni_fail(CN_ERROR_UNSUPPORTED, "random integers of dtype('%s')", cn_dtype_name(dtype));
    }
    size_t size = cn_dtype_size(dtype);
    if (range > UINT64_MAX >> (64 - 8 * size)) {
        return cni_fail(CN_ERROR_VALUE, "the range of integers is wider than dtype('%s')", cn_dtype_name(dtype));
    }
    if (range == 0) { /* takes nothing of the stream */
        return draw_constant(dtype, low, ndim, shape, out);
    }
    cni_draw draw = cni_draw_integers(size, low, range, r->generator == CN_MT19937);
    return draw_array(r, &draw, dtype, ndim, shape, out);
}

/* ---- Uniform ---- */

static cn_status record_uniform(cn_random *r, double low, double range, int ndim, const int64_t *shape, cn_array **out)
{
    cn_array *made;
    CN_TRY(cn_array_empty(CN_FLOAT64, ndim, shape, &made));
    cni_op op = {.kind = CNI_RANDOM_UNIFORM, .nout = 1, .nin = 6};
    cni_operand operands[7] = {{.array = made}};
    const uint64_t words[4] = {r->state[0], r->state[1], r->increment[0], r->increment[1]};
    for (int i = 0; i < 4; i++) {
        operands[1 + i].scalar = (cn_scalar){.value.u64 = words[i], .dtype = CN_UINT64};
    }
    operands[5].scalar = (cn_scalar){.value.f64 = low, .dtype = CN_FLOAT64};
    operands[6].scalar = (cn_scalar){.value.f64 = range, .dtype = CN_FLOAT64};
    cn_status status = made->size > 0 ? cni_record(&op, operands) : CN_OK;
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    cni_pcg64 g = {pcg64_state(r), cni_uint128_of(r->increment[0], r->increment[1])};
    cni_pcg64_advance(&g, (cni_uint128)made->size);
    r->state[0] = (uint64_t)(g.state >> 64);
    r->state[1] = (uint64_t)g.state;
    *out = made;
    return CN_OK;
}

cn_status cn_random_uniform(cn_random *r, double low, double range, int ndim, const int64_t *shape, cn_array **out)
{
    if (r->generator == CN_PCG64) {
        return record_uniform(r, low, range, ndim, shape, out);
    }
    cni_draw draw = cni_draw_pair_uniform(low, range);
    return draw_array(r, &draw, CN_FLOAT64, ndim, shape, out);
}

/* ---- Permutations ---- */

enum { AHEAD = 16 }; /* swaps whose memory is asked for in advance */

static void swap_all(int64_t *numbers, const uint32_t *with, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        numbers[i] = i;
    }
    for (int64_t k = 0; k < n - 1; k++) {
        int64_t i = n - 1 - k, j = with[k], kept = numbers[i];
        __builtin_prefetch(&numbers[with[k + AHEAD < n - 1 ? k + AHEAD : k]], 1);
        numbers[i] = numbers[j];
        numbers[j] = kept;
    }
}

cn_status cn_random_permutation(cn_random *r, int64_t n, cn_array **out)
{
    if (n > UINT32_MAX) {
        return cni_fail(CN_ERROR_UNSUPPORTED, "permutations of more than 2^32 numbers");
    }
    cn_array *made;
    uint64_t bound = n > 1 ? (uint64_t)n - 1 : 0;
    cni_draw draw = cni_draw_interval(&bound);
    uint32_t *with = cni_alloc((size_t)(n > 1 ? n : 1) * sizeof *with);
    cn_random after = *r;
    if (with == NULL) {
        return cni_fail_memory(n * (int64_t)sizeof *with);
    }
    cn_status status = array_of_memory(CN_INT64, 1, &n, &made);
    if (status == CN_OK) {
        status = draw_into(&after, &draw, n > 1 ? n - 1 : 0, with, 1);
        if (status != CN_OK) {
            cn_array_unref(made);
        }
    }
    if (status == CN_OK) {
        swap_all(made->base->buffer->data, with, n);
        *r = after;
        *out = made;
    }
    cni_free(with);
    return status;
}
