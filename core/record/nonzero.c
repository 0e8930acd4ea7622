/*
 * nonzero.c - where elements are true, and how many: sizes that depend on data, so these calls read. Threads take
 * shares of the elements in C order; the counts of earlier shares say where a share's positions begin.
 */
#include <string.h>

#include "base/settings.h"
#include "base/status.h"
#include "base/threads.h"
#include "record/record.h"

enum { THREADS = 64, CHUNK = 64 };

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
static int64_t count_true(const uint8_t *bytes, int64_t n)
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
    x->counts[t] = count_true(x->bytes + first, share_begin(x, t + 1) - first);
}

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
    cn_array *host;
    truth x;
    CN_TRY(truth_read(array, &x, &host));
    *out = truth_count(&x);
    cn_array_unref(host);
    return CN_OK;
}

/* first + i for the true ones of n bytes; how many. Positions are made without branches, whether they count or not. */
static int64_t positions(const uint8_t *bytes, int64_t n, int64_t first, int64_t *out)
{
    int64_t found = 0, chunk[CHUNK + 1];
    for (int64_t i = 0; i < n; i += CHUNK) {
        int64_t end = n - i < CHUNK ? n : i + CHUNK, here = 0;
        uint64_t any = 0, word;
        int64_t k = i;
        for (; k + 8 <= end; k += 8) {
            memcpy(&word, bytes + k, sizeof word);
            any |= word;
        }
        for (; k < end; k++) {
            any |= bytes[k];
        }
        for (k = i; k < end && any != 0; k++) {
            chunk[here] = first + k;
            here += bytes[k] != 0;
        }
        memcpy(out + found, chunk, (size_t)here * sizeof *out);
        found += here;
    }
    return found;
}

static void positions_share(void *context, int t)
{
    truth *x = context;
    int64_t i = share_begin(x, t), end = share_begin(x, t + 1), found = 0, index[CN_MAX_DIMS];
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
        int64_t here = positions(x->bytes + i, n, index[last], x->out[last] + found);
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
    CN_TRY(truth_read(array, &x, &host));
    int64_t count = truth_count(&x);
    cn_status status = CN_OK;
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
