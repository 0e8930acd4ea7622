/*
 * Sorting, searching and counting against simple loops: all dtypes, many lengths, NaNs, infinities and both zeros,
 * strided and reversed views, axes that are not the last, and the same bits for every number of threads.
 */
#include "cnumeric.h"

#include <math.h>
#include <string.h>

#include "check.h"

enum { THREADS_MOST = 4 };

static void ok(cn_status status)
{
    if (status != CN_OK) {
        fprintf(stderr, "%s\n", cn_error_message());
        failures++;
    }
}

static void threads(int64_t n)
{
    ok(cn_setting_set("threads", n));
}

/* ---- Values ---- */

static double half_value(uint16_t h)
{
    cn_scalar from = {.dtype = CN_FLOAT16, .value = {.f16 = h}}, to;
    cn_scalar_cast(&from, CN_STRONG, CN_FLOAT64, &to);
    return to.value.f64;
}

/* Real and imaginary part; integers are exact, being compared as such below. */
static void parts_of(cn_dtype dtype, const void *at, double *re, double *im)
{
    cn_scalar from = {.dtype = dtype}, to;
    memcpy(from.value.bytes, at, cn_dtype_size(dtype));
    cn_scalar_cast(&from, CN_STRONG, CN_COMPLEX128, &to);
    *re = dtype == CN_FLOAT16 ? half_value(from.value.f16) : to.value.c128[0];
    *im = to.value.c128[1];
}

static bool real_less(double a, double b)
{
    return a < b || (isnan(b) && !isnan(a));
}

/* NumPy's order: its complex less, written as NumPy writes it. */
static bool less(cn_dtype dtype, const void *a, const void *b)
{
    if (dtype == CN_INT64) {
        return *(const int64_t *)a < *(const int64_t *)b;
    }
    if (dtype == CN_UINT64) {
        return *(const uint64_t *)a < *(const uint64_t *)b;
    }
    double ar, ai, br, bi;
    parts_of(dtype, a, &ar, &ai);
    parts_of(dtype, b, &br, &bi);
    if (dtype < CN_COMPLEX64) {
        return real_less(ar, br);
    }
    if (ar < br) {
        return !isnan(ai) || isnan(bi);
    }
    if (ar > br) {
        return isnan(bi) && !isnan(ai);
    }
    if (ar == br || (isnan(ar) && isnan(br))) {
        return real_less(ai, bi);
    }
    return isnan(br);
}

static cn_dtype sorted_dtype;

static int compare(const void *a, const void *b)
{
    return less(sorted_dtype, a, b) ? -1 : less(sorted_dtype, b, a) ? 1 : 0;
}

typedef struct indexed {
    unsigned char value[16];
    int64_t index;
} indexed;

static int compare_indexed(const void *a, const void *b)
{
    const indexed *x = a, *y = b;
    int order = compare(x->value, y->value);
    return order != 0 ? order : x->index < y->index ? -1 : 1;
}

/* kind 0: all bit patterns; 1: few values; 2: ascending; 3: descending; 4: equal; 5: floats near each other. */
static void fill(cn_dtype dtype, int kind, int64_t n, unsigned char *to)
{
    size_t size = cn_dtype_size(dtype);
    for (int64_t i = 0; i < n; i++, to += size) {
        cn_scalar small = {.dtype = CN_FLOAT64, .value = {.f64 = 0}}, out;
        if (kind == 0) {
            for (size_t k = 0; k < size; k++) {
                to[k] = (unsigned char)below(dtype == CN_BOOL ? 2 : 256);
            }
            if (dtype >= CN_FLOAT16 && below(8) != 0) {
                kind = 6; /* mostly ordinary numbers */
            }
        }
        if (kind == 0) {
            continue;
        }
        small.value.f64 = kind == 1   ? (double)below(7)
                          : kind == 2 ? (double)(i / 3 % 120)
                          : kind == 3 ? (double)((n - i) % 120)
                          : kind == 4 ? 5
                          : kind == 5 ? 1 + (double)below(1000) * 0x1p-50
                                      : (double)(below(200000) - 100000) / 1024;
        cn_scalar_cast(&small, CN_STRONG, dtype, &out);
        memcpy(to, out.value.bytes, size);
        if (dtype >= CN_COMPLEX64) {
            cn_scalar im;
            small.value.f64 = (double)below(3) - 1;
            cn_scalar_cast(&small, CN_STRONG, dtype == CN_COMPLEX64 ? CN_FLOAT32 : CN_FLOAT64, &im);
            memcpy(to + size / 2, im.value.bytes, size / 2);
        }
        if (dtype >= CN_FLOAT16 && kind == 1 && below(6) == 0) { /* special values */
            double special[5] = {NAN, -NAN, INFINITY, -INFINITY, -0.0};
            size_t part = dtype >= CN_COMPLEX64 ? size / 2 : size;
            small.value.f64 = special[below(5)];
            cn_scalar_cast(&small, CN_STRONG, part == 2 ? CN_FLOAT16 : part == 4 ? CN_FLOAT32 : CN_FLOAT64, &out);
            memcpy(to + (dtype >= CN_COMPLEX64 ? (size_t)below(2) * part : 0), out.value.bytes, part);
        }
        kind = kind == 6 ? 0 : kind;
    }
}

/* ---- Sorting ---- */

typedef struct results {
    unsigned char *sorted;
    int64_t *indices;
} results;

/* A 1-d view of a base with gaps, or backwards. */
static cn_array *view_of(cn_dtype dtype, const unsigned char *values, int64_t n, int64_t step)
{
    size_t size = cn_dtype_size(dtype);
    int64_t wide = n * llabs(step) + 1, stride = step * (int64_t)size,
            offset = step < 0 ? (wide - 1) * (int64_t)size : 0;
    cn_array *whole, *view;
    unsigned char *spread = calloc((size_t)wide, size);
    for (int64_t i = 0; i < n; i++) {
        memcpy(spread + offset + i * stride, values + (size_t)i * size, size);
    }
    ok(cn_array_from_memory(spread, dtype, 1, &wide, &whole));
    ok(cn_array_view(whole, dtype, offset, 1, &n, &stride, true, &view));
    cn_array_unref(whole);
    free(spread);
    return view;
}

static void check_same(const char *what, cn_dtype dtype, int64_t n, const void *a, const void *b, size_t nbytes)
{
    if (nbytes > 0 && memcmp(a, b, nbytes) != 0) {
        fprintf(stderr, "%s of %lld %s differs\n", what, (long long)n, cn_dtype_name(dtype));
        failures++;
    }
}

/* Equal in order, and the same values: bits of the wanted one, but for what is equal in it. */
static void check_order(cn_dtype dtype, int64_t n, const unsigned char *got, const unsigned char *want)
{
    size_t size = cn_dtype_size(dtype);
    for (int64_t i = 0; i < n; i++) {
        const unsigned char *a = got + (size_t)i * size, *b = want + (size_t)i * size;
        if (less(dtype, a, b) || less(dtype, b, a)) {
            fprintf(stderr, "sort of %lld %s is wrong at %lld\n", (long long)n, cn_dtype_name(dtype), (long long)i);
            failures++;
            return;
        }
    }
}

static void check_partition(cn_dtype dtype, int64_t n, cn_array *array, const unsigned char *want)
{
    size_t size = cn_dtype_size(dtype);
    int64_t kth[3] = {n / 2, -1, n / 3};
    cn_array *made;
    unsigned char *got = malloc((size_t)n * size + 1);
    ok(cn_partition(array, kth, 3, 0, &made));
    ok(cn_array_read(made, got, n * (int64_t)size));
    for (int k = 0; k < 3; k++) {
        int64_t at = kth[k] < 0 ? kth[k] + n : kth[k];
        const unsigned char *middle = got + (size_t)at * size;
        bool good = !less(dtype, middle, want + (size_t)at * size) && !less(dtype, want + (size_t)at * size, middle);
        for (int64_t i = 0; i < n && good; i++) {
            good = i < at ? !less(dtype, middle, got + (size_t)i * size) : !less(dtype, got + (size_t)i * size, middle);
        }
        if (!good) {
            fprintf(stderr, "partition of %lld %s is wrong\n", (long long)n, cn_dtype_name(dtype));
            failures++;
        }
    }
    sorted_dtype = dtype;
    qsort(got, (size_t)n, size, compare);
    check_order(dtype, n, got, want); /* nothing lost */
    cn_array_unref(made);
    free(got);
}

static void sort_line(cn_dtype dtype, int kind, int64_t n, int64_t step)
{
    size_t size = cn_dtype_size(dtype), bytes = (size_t)n * size;
    unsigned char *values = malloc(bytes + 1), *want = malloc(bytes + 1), *got = malloc(bytes + 1),
                  *first = malloc(bytes + 1);
    int64_t *indices = malloc((size_t)n * 8 + 1), *first_indices = malloc((size_t)n * 8 + 1);
    indexed *pairs = malloc((size_t)(n + 1) * sizeof *pairs);
    fill(dtype, kind, n, values);
    for (int64_t i = 0; i < n; i++) {
        memcpy(pairs[i].value, values + (size_t)i * size, size);
        pairs[i].index = i;
    }
    sorted_dtype = dtype;
    qsort(pairs, (size_t)n, sizeof *pairs, compare_indexed);
    for (int64_t i = 0; i < n; i++) {
        memcpy(want + (size_t)i * size, pairs[i].value, size);
    }
    cn_array *array = view_of(dtype, values, n, step);
    for (int t = 1; t <= (n < 1000 ? 1 : THREADS_MOST); t++) {
        cn_array *sorted, *order;
        threads(t);
        ok(cn_sort(array, 0, &sorted));
        ok(cn_argsort(array, 0, &order));
        ok(cn_array_read(sorted, got, (int64_t)bytes));
        ok(cn_array_read(order, indices, n * 8));
        check_order(dtype, n, got, want);
        for (int64_t i = 0; i < n; i++) {
            if (indices[i] != pairs[i].index) {
                fprintf(stderr, "argsort of %lld %s (kind %d, step %lld, %d threads) is wrong at %lld\n", (long long)n,
                        cn_dtype_name(dtype), kind, (long long)step, t, (long long)i);
                failures++;
                break;
            }
        }
        if (t == 1) {
            memcpy(first, got, bytes);
            memcpy(first_indices, indices, (size_t)n * 8);
            unsigned char *bits = malloc(bytes + 1); /* the same multiset of bits */
            memcpy(bits, values, bytes);
            uint64_t sum_got = 0, sum_values = 0;
            for (size_t i = 0; i < bytes; i++) {
                sum_got += got[i] * (i % size + 1);
                sum_values += bits[i] * (i % size + 1);
            }
            EXPECT(sum_got == sum_values);
            free(bits);
        }
        check_same("sort", dtype, n, got, first, bytes);
        check_same("argsort", dtype, n, indices, first_indices, (size_t)n * 8);
        if (n > 0) {
            check_partition(dtype, n, array, want);
        }
        cn_array_unref(sorted);
        cn_array_unref(order);
    }
    threads(1);
    cn_array_unref(array);
    free(values);
    free(want);
    free(got);
    free(first);
    free(indices);
    free(first_indices);
    free(pairs);
}

static void test_lines(void)
{
    for (int d = 0; d < CN_DTYPE_COUNT; d++) {
        for (int64_t n = 0; n <= 300; n += n < 70 ? 1 : 23) {
            sort_line((cn_dtype)d, (int)(n % 6), n, 1);
            sort_line((cn_dtype)d, 0, n, n % 2 == 0 ? 2 : -1);
        }
        for (int kind = 0; kind < 6; kind++) {
            sort_line((cn_dtype)d, kind, 1000, kind % 2 == 0 ? 1 : -3);
        }
        sort_line((cn_dtype)d, 0, 100000, 1);
        sort_line((cn_dtype)d, 1, 40000, -2);
        sort_line((cn_dtype)d, 5, 20000, 1);
        if (cn_dtype_size((cn_dtype)d) == 2) {
            sort_line((cn_dtype)d, 0, 150000, -1);
        }
    }
}

/* Beyond the cache, where keys are distributed past it: ascending, nothing lost, stable. */
static void sort_large(cn_dtype dtype, int64_t n, uint64_t range)
{
    size_t size = cn_dtype_size(dtype);
    unsigned char *values = malloc((size_t)n * size), *got = malloc((size_t)n * size), *seen = malloc((size_t)n);
    int64_t *indices = malloc((size_t)n * 8);
    cn_array *array, *made;
    for (int64_t i = 0; i < n; i++) {
        uint64_t bits = (uint64_t)below(INT64_MAX) * 3 % range;
        memcpy(values + (size_t)i * size, &bits, size);
    }
    ok(cn_array_from_memory(values, dtype, 1, &n, &array));
    for (int t = 1; t <= THREADS_MOST; t += t) {
        threads(t);
        ok(cn_argsort(array, 0, &made));
        ok(cn_array_read(made, indices, n * 8));
        cn_array_unref(made);
        ok(cn_sort(array, 0, &made));
        ok(cn_array_read(made, got, n * (int64_t)size));
        cn_array_unref(made);
        memset(seen, 0, (size_t)n);
        int64_t wrong = 0;
        for (int64_t i = 0; i < n; i++) {
            const unsigned char *a = values + (size_t)indices[i] * size;
            wrong += seen[indices[i]] != 0 || memcmp(a, got + (size_t)i * size, size) != 0;
            seen[indices[i]] = 1;
            if (i > 0) {
                const unsigned char *before = values + (size_t)indices[i - 1] * size;
                wrong += less(dtype, a, before) || (!less(dtype, before, a) && indices[i] < indices[i - 1]);
            }
        }
        EXPECT(wrong == 0);
    }
    threads(1);
    cn_array_unref(array);
    free(values);
    free(got);
    free(seen);
    free(indices);
}

/* Sorts of (a, b, c) along each axis against sorts of copied-out lines. */
static void sort_box(cn_dtype dtype, const int64_t *shape, int axis, bool transposed)
{
    size_t size = cn_dtype_size(dtype);
    int64_t count = shape[0] * shape[1] * shape[2], strides[3], line = shape[axis];
    unsigned char *values = malloc((size_t)count * size + 1), *got = malloc((size_t)count * size + 1),
                  *want = malloc((size_t)line * size + 1);
    int64_t *indices = malloc((size_t)count * 8 + 1);
    indexed *pairs = malloc((size_t)(line + 1) * sizeof *pairs);
    cn_array *array, *turned, *sorted, *order;
    int64_t stored[3] = {shape[0], shape[1], shape[2]};
    int axes[3] = {2, 1, 0};
    if (transposed) {
        stored[0] = shape[2];
        stored[2] = shape[0];
    }
    fill(dtype, 1, count, values);
    ok(cn_array_from_memory(values, dtype, 3, stored, &array));
    if (transposed) {
        ok(cn_array_transpose(array, axes, &turned));
        cn_array_unref(array);
        array = turned;
    }
    unsigned char *plain = malloc((size_t)count * size + 1);
    ok(cn_array_read(array, plain, count * (int64_t)size));
    strides[2] = 1;
    strides[1] = shape[2];
    strides[0] = shape[1] * shape[2];
    for (int t = 1; t <= 3; t++) {
        threads(t);
        ok(cn_sort(array, axis, &sorted));
        ok(cn_argsort(array, axis, &order));
        ok(cn_array_read(sorted, got, count * (int64_t)size));
        ok(cn_array_read(order, indices, count * 8));
        for (int64_t k = 0; k < count; k++) {
            int64_t at[3] = {k / strides[0], k / strides[1] % shape[1], k % shape[2]};
            if (at[axis] != 0) {
                continue;
            }
            for (int64_t i = 0; i < line; i++) {
                memcpy(pairs[i].value, plain + (size_t)(k + i * strides[axis]) * size, size);
                pairs[i].index = i;
            }
            sorted_dtype = dtype;
            qsort(pairs, (size_t)line, sizeof *pairs, compare_indexed);
            for (int64_t i = 0; i < line; i++) {
                const unsigned char *a = got + (size_t)(k + i * strides[axis]) * size;
                EXPECT(!less(dtype, a, pairs[i].value) && !less(dtype, pairs[i].value, a));
                EXPECT(indices[k + i * strides[axis]] == pairs[i].index);
            }
        }
        cn_array_unref(sorted);
        cn_array_unref(order);
    }
    threads(1);
    cn_array_unref(array);
    free(values);
    free(got);
    free(want);
    free(plain);
    free(indices);
    free(pairs);
}

static void test_boxes(void)
{
    static const int64_t shapes[5][3] = {{3, 17, 5}, {40, 1, 9}, {2, 300, 3}, {70, 8, 8}, {5, 4, 600}};
    for (int d = 0; d < CN_DTYPE_COUNT; d++) {
        for (int k = 0; k < 5; k++) {
            for (int axis = 0; axis < 3; axis++) {
                sort_box((cn_dtype)d, shapes[k], axis, (k + axis + d) % 2 == 0);
            }
        }
    }
    int64_t large[3] = {1, 20000, 3}, rows[3] = {1, 3, 20000};
    sort_box(CN_FLOAT64, large, 1, false);
    int64_t tall[3] = {70000, 1, 3};
    sort_box(CN_FLOAT64, tall, 0, false);
    sort_box(CN_COMPLEX64, tall, 0, false);
    sort_box(CN_COMPLEX128, large, 1, false);
    sort_box(CN_FLOAT32, rows, 2, false);
    sort_box(CN_COMPLEX64, rows, 2, true);
}

/* ---- Searching ---- */

static void search(cn_dtype dtype, int64_t n, int64_t count)
{
    size_t size = cn_dtype_size(dtype);
    unsigned char *values = malloc((size_t)n * size + 1), *wanted = malloc((size_t)count * size + 1);
    int64_t *got = malloc((size_t)count * 8 + 1);
    cn_array *sorted, *keys, *made;
    fill(dtype, 1, n, values);
    fill(dtype, 1, count / 2, wanted);
    fill(dtype, 0, count - count / 2, wanted + (size_t)(count / 2) * size);
    sorted_dtype = dtype;
    qsort(values, (size_t)n, size, compare);
    ok(cn_array_from_memory(values, dtype, 1, &n, &sorted));
    ok(cn_array_from_memory(wanted, dtype, 1, &count, &keys));
    for (int side = 0; side < 6; side++) {
        threads(side / 2 + 1);
        ok(cn_searchsorted(sorted, keys, side % 2 == 1, &made));
        ok(cn_array_read(made, got, count * 8));
        for (int64_t i = 0; i < count; i++) {
            int64_t place = 0;
            const unsigned char *key = wanted + (size_t)i * size;
            while (place < n && (side % 2 == 1 ? !less(dtype, key, values + (size_t)place * size)
                                               : less(dtype, values + (size_t)place * size, key))) {
                place++;
            }
            EXPECT(got[i] == place);
        }
        cn_array_unref(made);
    }
    threads(1);
    cn_array_unref(sorted);
    cn_array_unref(keys);
    free(values);
    free(wanted);
    free(got);
}

/* ---- Counting ---- */

static void count(int64_t n, int64_t most)
{
    int64_t *numbers = malloc((size_t)n * 8 + 1), *want = calloc((size_t)most + 8, 8),
            *got = malloc((size_t)(most + 8) * 8), top = -1;
    double *weights = malloc((size_t)n * 8 + 1), *sums = calloc((size_t)most + 8, 8),
           *got_sums = malloc((size_t)(most + 8) * 8);
    cn_array *array, *w, *made;
    for (int64_t i = 0; i < n; i++) {
        numbers[i] = below(most);
        weights[i] = (double)below(1000) / 7;
        want[numbers[i]]++;
        sums[numbers[i]] += weights[i];
        top = numbers[i] > top ? numbers[i] : top;
    }
    ok(cn_array_from_memory(numbers, CN_INT64, 1, &n, &array));
    ok(cn_array_from_memory(weights, CN_FLOAT64, 1, &n, &w));
    for (int t = 1; t <= THREADS_MOST; t++) {
        threads(t);
        ok(cn_bincount(array, NULL, 3, &made));
        int64_t length = cn_array_size(made);
        EXPECT(length == (top + 1 < 3 ? 3 : top + 1));
        ok(cn_array_read(made, got, length * 8));
        EXPECT(memcmp(got, want, (size_t)length * 8) == 0);
        cn_array_unref(made);
        ok(cn_bincount(array, n > 0 ? w : NULL, 0, &made));
        length = cn_array_size(made);
        ok(cn_array_read(made, got_sums, length * 8));
        EXPECT(n == 0 || memcmp(got_sums, sums, (size_t)length * 8) == 0);
        cn_array_unref(made);
    }
    threads(1);
    cn_array_unref(array);
    cn_array_unref(w);
    free(numbers);
    free(want);
    free(got);
    free(weights);
    free(sums);
    free(got_sums);
}

static void test_count_refuses(void)
{
    int64_t numbers[2] = {3, -1}, n = 2;
    cn_array *array, *made;
    ok(cn_array_from_memory(numbers, CN_INT64, 1, &n, &array));
    EXPECT(cn_bincount(array, NULL, 0, &made) == CN_ERROR_VALUE);
    EXPECT(cn_sort(array, 1, &made) == CN_ERROR_AXIS);
    int64_t kth = 2;
    EXPECT(cn_partition(array, &kth, 1, 0, &made) == CN_ERROR_VALUE);
    cn_array_unref(array);
}

static void unique(cn_dtype dtype, int kind, int64_t n)
{
    size_t size = cn_dtype_size(dtype);
    unsigned char *values = malloc((size_t)n * size + 1), *got = malloc((size_t)n * size + 1);
    int64_t *first = malloc((size_t)n * 8 + 1), *counts = malloc((size_t)n * 8 + 1), m = 0;
    cn_array *array, *sorted, *made, *places, *lengths;
    fill(dtype, kind, n, values);
    ok(cn_array_from_memory(values, dtype, 1, &n, &array));
    ok(cn_sort(array, 0, &sorted));
    ok(cn_array_read(sorted, values, n * (int64_t)size));
    ok(cn_unique_sorted(sorted, &made, &places, &lengths));
    int64_t found = cn_array_size(made);
    ok(cn_array_read(made, got, found * (int64_t)size));
    ok(cn_array_read(places, first, found * 8));
    ok(cn_array_read(lengths, counts, found * 8));
    for (int64_t i = 0, end; i < n; i = end, m++) {
        double re, im, other_re, other_im;
        parts_of(dtype, values + (size_t)i * size, &re, &im);
        for (end = i + 1; end < n; end++) {
            const unsigned char *a = values + (size_t)i * size, *b = values + (size_t)end * size;
            parts_of(dtype, b, &other_re, &other_im);
            bool both_nan = (isnan(re) || isnan(im)) && (isnan(other_re) || isnan(other_im));
            if (!both_nan && (less(dtype, a, b) || less(dtype, b, a))) {
                break;
            }
        }
        EXPECT(m < found && first[m] == i && counts[m] == end - i &&
               memcmp(got + (size_t)m * size, values + (size_t)i * size, size) == 0);
    }
    EXPECT(m == found);
    cn_array_unref(array);
    cn_array_unref(sorted);
    cn_array_unref(made);
    cn_array_unref(places);
    cn_array_unref(lengths);
    free(values);
    free(got);
    free(first);
    free(counts);
}

/* ---- Extremes ---- */

static bool is_nan(cn_dtype dtype, const void *at)
{
    double re, im;
    parts_of(dtype, at, &re, &im);
    return dtype >= CN_FLOAT16 && (isnan(re) || isnan(im));
}

/* Comparisons of argmin and argmax: NaNs apart, complex numbers lexicographically. */
static int64_t extreme_of(cn_dtype dtype, const unsigned char *values, int64_t n, int64_t step, bool maximum)
{
    size_t size = cn_dtype_size(dtype);
    int64_t best = 0;
    for (int64_t i = 0; i < n; i++) {
        const unsigned char *a = values + (size_t)(i * step) * size, *b = values + (size_t)(best * step) * size;
        if (is_nan(dtype, b)) {
            return best;
        }
        if (is_nan(dtype, a) || (maximum ? less(dtype, b, a) : less(dtype, a, b))) {
            best = i;
        }
    }
    return best;
}

static void extremes(cn_dtype dtype, int kind, int64_t rows, int64_t columns)
{
    size_t size = cn_dtype_size(dtype);
    int64_t shape[2] = {rows, columns}, n = rows * columns;
    unsigned char *values = malloc((size_t)n * size);
    int64_t *got = malloc((size_t)(n + 1) * 8);
    cn_array *array, *made;
    fill(dtype, kind, n, values);
    ok(cn_array_from_memory(values, dtype, 2, shape, &array));
    for (int k = 0; k < 6; k++) {
        bool maximum = k % 2 == 1;
        threads(k / 2 + 1);
        ok(cn_arg_reduce(maximum, array, -1, false, &made));
        ok(cn_array_read(made, got, 8));
        EXPECT(got[0] == extreme_of(dtype, values, n, 1, maximum));
        cn_array_unref(made);
        ok(cn_arg_reduce(maximum, array, 1, false, &made));
        ok(cn_array_read(made, got, rows * 8));
        for (int64_t i = 0; i < rows; i++) {
            EXPECT(got[i] == extreme_of(dtype, values + (size_t)(i * columns) * size, columns, 1, maximum));
        }
        cn_array_unref(made);
        ok(cn_arg_reduce(maximum, array, 0, false, &made));
        ok(cn_array_read(made, got, columns * 8));
        for (int64_t i = 0; i < columns; i++) {
            EXPECT(got[i] == extreme_of(dtype, values + (size_t)i * size, rows, columns, maximum));
        }
        cn_array_unref(made);
    }
    threads(1);
    cn_array_unref(array);
    free(values);
    free(got);
}

/* ---- Truth and indices ---- */

static void truths(cn_dtype dtype, int kind, const int64_t *shape)
{
    size_t size = cn_dtype_size(dtype);
    int64_t n = shape[0] * shape[1], found, *got[2] = {malloc((size_t)n * 8 + 1), malloc((size_t)n * 8 + 1)};
    unsigned char *values = malloc((size_t)n * size + 1), zero[16] = {0};
    cn_array *array, *made[2];
    fill(dtype, kind, n, values);
    ok(cn_array_from_memory(values, dtype, 2, shape, &array));
    for (int t = 1; t <= THREADS_MOST; t++) {
        threads(t);
        int64_t m = 0;
        ok(cn_count_nonzero(array, &found));
        ok(cn_nonzero(array, made));
        EXPECT(cn_array_size(made[0]) == found && cn_array_size(made[1]) == found);
        for (int k = 0; k < 2; k++) {
            ok(cn_array_read(made[k], got[k], found * 8));
            cn_array_unref(made[k]);
        }
        for (int64_t i = 0; i < n; i++) {
            const unsigned char *at = values + (size_t)i * size;
            if (less(dtype, at, zero) || less(dtype, zero, at)) {
                EXPECT(m < found && got[0][m] == i / shape[1] && got[1][m] == i % shape[1]);
                m++;
            }
        }
        EXPECT(m == found);
    }
    threads(1);
    cn_array_unref(array);
    free(values);
    free(got[0]);
    free(got[1]);
}

static void gathers(cn_dtype dtype, int64_t n, int64_t count_of)
{
    size_t size = cn_dtype_size(dtype);
    unsigned char *values = malloc((size_t)n * size), *got = malloc((size_t)count_of * size + 1);
    int64_t *index = malloc((size_t)count_of * 8 + 1);
    cn_array *array, *indices, *made;
    fill(dtype, 0, n, values);
    for (int64_t i = 0; i < count_of; i++) {
        index[i] = below(2 * n) - n;
    }
    array = view_of(dtype, values, n, below(2) == 0 ? 1 : -2);
    ok(cn_array_from_memory(index, CN_INT64, 1, &count_of, &indices));
    for (int t = 1; t <= 3; t++) {
        threads(t);
        ok(cn_gather(array, 1, &indices, &made));
        ok(cn_array_read(made, got, count_of * (int64_t)size));
        for (int64_t i = 0; i < count_of; i++) {
            EXPECT(memcmp(got + (size_t)i * size, values + (size_t)(index[i] < 0 ? index[i] + n : index[i]) * size,
                          size) == 0);
        }
        cn_operand source = {.array = made};
        ok(cn_scatter(array, 1, &indices, &source, CN_CAST_SAME_KIND)); /* writes what is there */
        cn_array_unref(made);
    }
    unsigned char *after = malloc((size_t)n * size);
    ok(cn_array_read(array, after, n * (int64_t)size));
    EXPECT(memcmp(after, values, (size_t)n * size) == 0);
    index[count_of - 1] = n;
    cn_array_unref(indices);
    ok(cn_array_from_memory(index, CN_INT64, 1, &count_of, &indices));
    EXPECT(cn_gather(array, 1, &indices, &made) == CN_ERROR_INDEX);
    threads(1);
    cn_array_unref(indices);
    cn_array_unref(array);
    free(after);
    free(values);
    free(got);
    free(index);
}

int main(void)
{
    ok(cn_setting_set("thread_work", 1));
    test_lines();
    test_boxes();
    sort_large(CN_UINT64, 1200001, UINT64_MAX);
    sort_large(CN_INT64, 1200001, 999);
    sort_large(CN_INT32, 2200003, UINT64_MAX);
    for (int d = 0; d < CN_DTYPE_COUNT; d++) {
        static const int64_t shapes[4][2] = {{1, 1}, {7, 100}, {1, 3001}, {500, 3}};
        for (int64_t n = 0; n < 70; n += 1 + n / 8) {
            search((cn_dtype)d, n, 1 + n % 40);
            unique((cn_dtype)d, (int)(n % 5), n);
        }
        search((cn_dtype)d, 1000, 200);
        unique((cn_dtype)d, 1, 5000);
        for (int k = 0; k < 4; k++) {
            extremes((cn_dtype)d, k == 2 ? 6 : k % 2, shapes[k][0], shapes[k][1]);
            truths((cn_dtype)d, k % 2, shapes[k]);
        }
        extremes((cn_dtype)d, 5, 3, 20000);
        gathers((cn_dtype)d, 50, 1000);
    }
    for (int64_t n = 0; n < 100000; n = n * 3 + 1) {
        count(n, 1 + n % 5000);
    }
    count(50000, 20000);
    test_count_refuses();
    return finish("test_order");
}
