/*
 * nonzero.c - where elements are true, and how many: sizes that depend on data, so these calls read. Threads take
 * shares of the elements in C order; the counts of earlier shares say where a share's positions begin.
 */
#include <string.h>

#include "base/settings.h"
#include "base/status.h"
#include "base/threads.h"
#include "op/op.h"
#include "record/at_once.h"
#include "record/record.h"

enum { THREADS = 64 };

int cni_host_threads(int64_t n)
{
    int64_t pays = cni_settings[CNI_SETTING_THREAD_WORK] > 0 ? cni_settings[CNI_SETTING_THREAD_WORK] : 1;
    int64_t paid = n / pays, threads = paid > 1 ? cni_threads_count() : 1;
    return (int)(threads < paid ? threads : paid < 1 ? 1 : paid);
}

typedef struct truth {
    const uint8_t *bytes;
    int64_t n;
    int ndim;
    const int64_t *shape;
    int threads;
    int64_t counts[THREADS];
    int64_t *out[CN_MAX_DIMS];
} truth;

/* Eight bytes at a time, their truth added up in eight bytes. */
int64_t cni_count_true(const uint8_t *bytes, int64_t n)
{
    const uint64_t low = UINT64_C(0x7F7F7F7F7F7F7F7F), ones = UINT64_C(0x0101010101010101);
    int64_t count = 0, i = 0;
    while (i + 8 <= n) {
        uint64_t sums = 0;
        int64_t stop = n - i > 8 * 255 ? i + 8 * 255 : n;
        for (; i + 8 <= stop; i += 8) {
            uint64_t word;
            memcpy(&word, bytes + i, sizeof word);
            sums += (((word & low) + low) | word) >> 7 & ones;
        }
        uint64_t pairs = (sums & UINT64_C(0x00FF00FF00FF00FF)) + (sums >> 8 & UINT64_C(0x00FF00FF00FF00FF));
        count += (int64_t)(pairs * UINT64_C(0x0001000100010001) >> 48);
    }
    for (; i < n; i++) {
        count += bytes[i] != 0;
    }
    return count;
}

static int64_t share_begin(const truth *x, int t)
{
    return (int64_t)((__int128)x->n * t / x->threads);
}

static void count_share(void *context, int t)
{
    truth *x = context;
    int64_t first = share_begin(x, t);
    x->counts[t] = cni_count_true(x->bytes + first, share_begin(x, t + 1) - first);
}

/* ---- On the device: counted and listed where they are ---- */

/* The array as contiguous bools. New reference. Those of the host have been computed; those that come to be on the device
   may be pending: what makes them counts them. */
static cn_status truth_ready(cn_array *array, cn_array **out, bool *away)
{
    cn_array *dense;
    CN_TRY(cni_array_dense(array, CN_BOOL, &dense));
    *away = cni_array_elsewhere(dense);
    cn_status status = *away ? CN_OK : cni_base_flush(dense->base);
    if (status != CN_OK) {
        cn_array_unref(dense);
        return status;
    }
    *away = *away || cni_buffer_away(dense->base->buffer);
    *out = dense;
    return CN_OK;
}

static cn_status count_there(cn_array *bools, int64_t *out)
{
    cn_reduce_options options = {.naxes = -1, .dtype = CN_INT64};
    cn_array *made;
    cn_scalar value;
    CN_TRY(cn_reduce(CNI_OP_ADD, bools, &options, &made));
    cn_status status = cn_array_item(made, cn_array_offset(made), &value);
    cn_array_unref(made);
    if (status == CN_OK) {
        *out = value.value.i64;
    }
    return status;
}

/* A new array of so many elements, recorded as the result of the op. */
static cn_status record_selection(uint8_t kind, cn_dtype dtype, int64_t count, cn_array *bools, cn_array *array,
                                  cn_array **out)
{
    cn_array *made;
    CN_TRY(cn_array_empty(dtype, 1, &count, &made));
    cni_op op = {.kind = kind, .nout = 1, .nin = array != NULL ? 2 : 1};
    cni_operand operands[3] = {{.array = made}, {.array = bools}, {.array = array}};
    cn_status status = cni_record(&op, operands);
    if (status != CN_OK) {
        cn_array_unref(made);
        return status;
    }
    *out = made;
    return CN_OK;
}

/* flat = flat / extent; its remainder is the index along the axis. */
static cn_status split_index(cn_array **flat, int64_t extent, cn_array **index)
{
    cn_operand in[2] = {{.array = *flat}, {.scalar = {.value = {.i64 = extent}, .dtype = CN_INT64}}};
    cn_array *rest;
    CN_TRY(cn_elementwise(CNI_OP_REMAINDER, in, NULL, NULL, index));
    CN_TRY(cn_elementwise(CNI_OP_FLOOR_DIVIDE, in, NULL, NULL, &rest));
    cn_array_unref(*flat);
    *flat = rest;
    return CN_OK;
}

/* out begins as NULLs. */
static cn_status nonzero_there(cn_array *array, cn_array *bools, cn_array **out)
{
    int64_t count;
    cn_array *flat;
    CN_TRY(count_there(bools, &count));
    CN_TRY(record_selection(CNI_NONZERO, CN_INT64, count, bools, NULL, &flat));
    cn_status status = CN_OK;
    for (int d = array->ndim - 1; d > 0 && status == CN_OK; d--) {
        status = split_index(&flat, cni_shape(array)[d], &out[d]);
    }
    out[0] = flat;
    for (int d = 0; d < array->ndim && status != CN_OK; d++) {
        cn_array_unref(out[d]);
    }
    return status;
}

cn_status cn_compress(cn_array *array, cn_array *mask, cn_array **out)
{
    int64_t count;
    cn_array *bools, *dense;
    CN_TRY(cni_compress_at_once(array, mask, out));
    if (*out != NULL) {
        return CN_OK;
    }
    CN_TRY(cni_array_dense(array, (cn_dtype)array->dtype, &dense));
    cn_status status = cni_array_dense(mask, CN_BOOL, &bools);
    if (status == CN_OK) {
        status = cn_count_nonzero(bools, &count);
        status =
            status != CN_OK ? status : record_selection(CNI_COMPRESS, (cn_dtype)array->dtype, count, bools, dense, out);
        cn_array_unref(bools);
    }
    cn_array_unref(dense);
    return status;
}

/* ---- On the host ---- */

/* The array as contiguous bools, counted. host: new reference. */
static cn_status truth_read(cn_array *array, truth *x, cn_array **host)
{
    void *data;
    CN_TRY(cni_array_host(array, CN_BOOL, host, &data));
    *x = (truth){.bytes = data,
                 .n = array->size,
                 .ndim = array->ndim,
                 .shape = cni_shape(array),
                 .threads = cni_host_threads(array->size)};
    x->threads = x->threads < THREADS ? x->threads : THREADS;
    cni_threads_run(x->threads, count_share, x);
    return CN_OK;
}

static int64_t truth_count(const truth *x)
{
    int64_t count = 0;
    for (int t = 0; t < x->threads; t++) {
        count += x->counts[t];
    }
    return count;
}

cn_status cn_count_nonzero(cn_array *array, int64_t *out)
{
    cn_array *host, *dense;
    truth x;
    bool away;
    CN_TRY(truth_ready(array, &dense, &away));
    cn_status status = away ? count_there(dense, out) : truth_read(dense, &x, &host);
    if (status == CN_OK && !away) {
        *out = truth_count(&x);
        cn_array_unref(host);
    }
    cn_array_unref(dense);
    return status;
}

/* ---- Of any dtype, at hand ---- */

typedef struct word_count {
    const char *data;
    int64_t n; /* words */
    int threads;
    uint64_t mask; /* of a float: all but its sign */
    int64_t counts[THREADS];
} word_count;

static void count_words_4(void *context, int t)
{
    word_count *x = context;
    const uint32_t *words = (const uint32_t *)(const void *)x->data, mask = (uint32_t)x->mask;
    int64_t end = x->n * (t + 1) / x->threads, count = 0;
    for (int64_t i = x->n * t / x->threads; i < end; i++) {
        count += (words[i] & mask) != 0;
    }
    x->counts[t] = count;
}

static void count_words_8(void *context, int t)
{
    word_count *x = context;
    const uint64_t *words = (const uint64_t *)(const void *)x->data, mask = x->mask;
    int64_t end = x->n * (t + 1) / x->threads, count = 0;
    for (int64_t i = x->n * t / x->threads; i < end; i++) {
        count += (words[i] & mask) != 0;
    }
    x->counts[t] = count;
}

bool cn_count_at_hand(const cn_array *array, int64_t *out)
{
    int64_t size = cni_dtype_size((cn_dtype)array->dtype), count = 0;
    bool real = array->dtype == CN_FLOAT32 || array->dtype == CN_FLOAT64, byte = size == 1;
    bool words = (size == 4 || size == 8) && (array->dtype < CN_FLOAT16 || real);
    if ((!byte && !words) || !(array->c_contiguous || array->f_contiguous) || !cni_is_at_hand(array->base)) {
        return false;
    }
    const char *data = (const char *)array->base->buffer->data + array->offset;
    word_count w = {.data = data, .n = array->size, .threads = cni_host_threads(array->size), .mask = UINT64_MAX};
    w.threads = byte ? 1 : w.threads < THREADS ? w.threads : THREADS;
    if (real) {
        w.mask = size == 8 ? UINT64_MAX >> 1 : UINT32_MAX >> 1;
    }
    w.counts[0] = byte ? cni_count_true((const uint8_t *)data, w.n) : 0;
    if (!byte) {
        cni_threads_run(w.threads, size == 8 ? count_words_8 : count_words_4, &w);
    }
    for (int t = 0; t < w.threads; t++) {
        count += w.counts[t];
    }
    *out = count;
    return true;
}

static void positions_share(void *context, int t)
{
    truth *x = context;
    int64_t i = share_begin(x, t), end = share_begin(x, t + 1), all = end - i, found = 0, index[CN_MAX_DIMS];
    int last = x->ndim - 1;
    for (int k = 0; k < t; k++) {
        found += x->counts[k];
    }
    for (int64_t d = last, rest = i; d >= 0; d--) {
        index[d] = x->shape[d] == 0 ? 0 : rest % x->shape[d];
        rest /= x->shape[d] == 0 ? 1 : x->shape[d];
    }
    while (i < end) { /* what is left of a line along the last axis */
        int64_t n = x->shape[last] - index[last] < end - i ? x->shape[last] - index[last] : end - i;
        int64_t here = n == all ? x->counts[t] : cni_count_true(x->bytes + i, n);
        cni_places_of_true(here, x->bytes + i, index[last], x->out[last] + found);
        for (int d = 0; d < last; d++) {
            for (int64_t k = found; k < found + here; k++) {
                x->out[d][k] = index[d];
            }
        }
        found += here;
        i += n;
        index[last] = 0;
        for (int d = last - 1; d >= 0 && ++index[d] == x->shape[d]; d--) {
            index[d] = 0;
        }
    }
}

cn_status cn_nonzero(cn_array *array, cn_array **out)
{
    cn_array *host, *made[CN_MAX_DIMS] = {NULL};
    truth x;
    if (array->ndim == 0) {
        return cni_fail(CN_ERROR_VALUE,
                        "Calling nonzero on 0d arrays is not allowed. Use np.atleast_1d(scalar).nonzero() instead. If "
                        "the context of this error is of the form `arr[nonzero(cond)]`, just use `arr[cond]`.");
    }
    cn_array *dense;
    bool away;
    CN_TRY(truth_ready(array, &dense, &away));
    cn_status status = away ? nonzero_there(array, dense, made) : truth_read(dense, &x, &host);
    cn_array_unref(dense);
    if (away || status != CN_OK) {
        memcpy(out, made, status == CN_OK ? (size_t)array->ndim * sizeof *out : 0);
        return status;
    }
    int64_t count = truth_count(&x);
    for (int d = 0; d < array->ndim && status == CN_OK; d++) {
        status = cn_array_empty(CN_INT64, 1, &count, &made[d]);
        if (status == CN_OK) {
            status = cni_base_materialise(made[d]->base);
        }
        if (status == CN_OK) {
            x.out[d] = made[d]->base->buffer->data;
        }
    }
    if (status == CN_OK) {
        cni_threads_run(x.threads, positions_share, &x);
    }
    for (int d = 0; d < array->ndim; d++) {
        if (status == CN_OK) {
            out[d] = made[d];
        } else {
            cn_array_unref(made[d]);
        }
    }
    cn_array_unref(host);
    return status;
}
