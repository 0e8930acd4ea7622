/*
 * The device against the processor: the same values, in the same bits, for elementwise ops, reductions of every kind,
 * shape and dtype, library ops and fills. Without a device there is nothing to do. On a machine with a GPU this runs on
 * it; elsewhere on the stand-in (CNUMERIC_CUDA_DRIVER, CNUMERIC_CUDA_COMPILER: tests/cuda).
 *
 *     test_device [quick | many | dtype]
 */
#include "cnumeric.h"

#include <math.h>
#include <string.h>

#include "check.h"

enum { MOST = 1 << 22 };

static double numbers[MOST];
static bool far_apart; /* numbers of all sizes */

static void set(const char *name, int64_t value)
{
    EXPECT(cn_setting_set(name, value) == CN_OK);
}

static cn_array *fresh(cn_dtype dtype, int ndim, const int64_t *shape)
{
    int64_t n = 1;
    for (int d = 0; d < ndim; d++) {
        n *= shape[d];
    }
    for (int64_t i = 0; i < n; i++) {
        double x = (double)(below(2000001) - 1000000) / 65536;
        numbers[i] = far_apart ? ldexp(x, (int)below(40) - 20) : x;
    }
    cn_array *wide, *made;
    EXPECT(cn_array_from_memory(numbers, CN_FLOAT64, ndim, shape, &wide) == CN_OK);
    EXPECT(cn_array_copy(wide, dtype, false, &made) == CN_OK);
    cn_array_unref(wide);
    EXPECT(cn_flush() == CN_OK);
    return made;
}

static void *values_of(const cn_array *a, int64_t *nbytes)
{
    *nbytes = cn_array_size(a) * (int64_t)cn_dtype_size(cn_array_dtype(a));
    void *values = malloc((size_t)*nbytes + 1);
    EXPECT(cn_array_read(a, values, *nbytes) == CN_OK);
    return values;
}

/* Equal bits, but that NaNs are all one. */
static bool same(const void *a, const void *b, int64_t nbytes, cn_dtype dtype)
{
    if (memcmp(a, b, (size_t)nbytes) == 0) {
        return true;
    }
    for (int64_t i = 0; i < nbytes / 2 && dtype == CN_FLOAT16; i++) {
        uint16_t x = ((const uint16_t *)a)[i], y = ((const uint16_t *)b)[i];
        if (x != y && ((x & 0x7FFF) <= 0x7C00 || (y & 0x7FFF) <= 0x7C00)) {
            return false;
        }
    }
    const bool wide = dtype == CN_FLOAT64 || dtype == CN_COMPLEX128,
               single = dtype == CN_FLOAT32 || dtype == CN_COMPLEX64;
    if (!wide && !single) {
        return dtype == CN_FLOAT16;
    }
    for (int64_t i = 0; i < nbytes / (wide ? 8 : 4); i++) {
        double x = wide ? ((const double *)a)[i] : (double)((const float *)a)[i];
        double y = wide ? ((const double *)b)[i] : (double)((const float *)b)[i];
        if (!(isnan(x) && isnan(y)) && (x != y || signbit(x) != signbit(y))) {
            fprintf(stderr, "  element %lld: processor %a, device %a\n", (long long)i, x, y);
            return false;
        }
    }
    return true;
}

typedef cn_array *(*work)(cn_array *a, cn_array *b, int variant);

static uint64_t device_moves, compared, on_processor;

/* Runs the work on both, with operands of the shape; a transposed operand if the variant says so. */
static void compare(const char *what, work run, cn_array *a, cn_array *b, int variant)
{
    int64_t nbytes[2];
    void *values[2];
    cn_dtype dtype = CN_FLOAT64;
    for (int device = 0; device < 2; device++) {
        set("gpu", device);
        cn_stats before, after;
        cn_stats_get(&before);
        cn_array *result = run(a, b, variant);
        EXPECT(cn_flush() == CN_OK);
        values[device] = values_of(result, &nbytes[device]);
        cn_stats_get(&after);
        device_moves += after.moves - before.moves;
        on_processor += device == 1 && after.moves == before.moves; /* a result of the device's moves when it is read */
        dtype = cn_array_dtype(result);
        cn_array_unref(result);
    }
    compared++;
    if (nbytes[0] != nbytes[1] || !same(values[0], values[1], nbytes[0], dtype)) {
        fprintf(stderr, "%s of %s, variant %d: the device differs\n", what, cn_dtype_name(cn_array_dtype(a)), variant);
        failures++;
    }
    free(values[0]);
    free(values[1]);
}

/* ---- Elementwise ---- */

static cn_array *apply(cn_array *a, cn_array *b, int op)
{
    cn_operand in[3] = {{.array = a}, {.array = b}, {.array = b}};
    cn_array *results[2] = {NULL, NULL};
    cn_status status = cn_elementwise(op, in, NULL, NULL, results);
    if (status != CN_OK) { /* no such loop */
        return cn_array_ref(a);
    }
    if (cn_op_nout(op) == 2) {
        cn_array_unref(results[1]);
    }
    return results[0];
}

static void elementwise(cn_dtype dtype, int64_t rows, int64_t columns)
{
    int64_t shape[2] = {rows, columns};
    cn_array *a = fresh(dtype, 2, shape), *b = fresh(dtype, 2, shape), *turned;
    int64_t itemsize = (int64_t)cn_dtype_size(dtype), inner[2] = {rows - 1, columns - 2},
            strides[2] = {columns * itemsize, itemsize};
    cn_array *part;
    EXPECT(cn_array_view(a, dtype, itemsize, 2, inner, strides, false, &part) == CN_OK);
    cn_array *other;
    EXPECT(cn_array_view(b, dtype, columns * itemsize, 2, inner, strides, false, &other) == CN_OK);
    EXPECT(cn_array_transpose(b, NULL, &turned) == CN_OK);
    for (cn_op op = 0; op < cn_op_count(); op++) {
        if (cn_op_name(op)[0] != '_') {
            compare(cn_op_name(op), apply, a, b, op);
        }
    }
    compare("slices", apply, part, other, cn_op_find("subtract"));
    if (rows == columns) {
        compare("transposed", apply, a, turned, cn_op_find("add"));
    }
    cn_array_unref(a);
    cn_array_unref(b);
    cn_array_unref(part);
    cn_array_unref(other);
    cn_array_unref(turned);
}

/* ---- Reductions ---- */

static const char *const reducers[] = {"add", "maximum", "minimum", "multiply", "logical_or"};

/* variant: op * 16 + axes as bits, of the difference of a and b if they are two. */
static cn_array *reduce(cn_array *a, cn_array *b, int variant)
{
    int axes[4], naxes = 0;
    for (int d = 0; d < 4; d++) {
        if ((variant >> d & 1) != 0) {
            axes[naxes++] = d;
        }
    }
    cn_array *from = cn_array_ref(a), *result;
    if (b != NULL) {
        cn_array_unref(from);
        from = apply(a, b, cn_op_find("subtract"));
    }
    cn_reduce_options options = {.naxes = naxes, .axes = axes, .dtype = CN_DTYPE_NONE};
    cn_status status = cn_reduce(cn_op_find(reducers[variant >> 4]), from, &options, &result);
    if (status != CN_OK) {
        return from;
    }
    cn_array_unref(from);
    return result;
}

static void reductions(cn_dtype dtype, int ndim, const int64_t *shape)
{
    cn_array *a = fresh(dtype, ndim, shape), *b = fresh(dtype, ndim, shape), *turned, *turned_b;
    EXPECT(cn_array_transpose(a, NULL, &turned) == CN_OK);
    EXPECT(cn_array_transpose(b, NULL, &turned_b) == CN_OK);
    for (int op = 0; op < 5; op++) {
        for (int axes = 1; axes < 1 << ndim; axes++) {
            char what[64];
            snprintf(what, sizeof what, "%s over axes %d, %lldx%lld", reducers[op], axes, (long long)shape[0],
                     ndim > 1 ? (long long)shape[1] : 1);
            compare(what, reduce, a, NULL, op * 16 + axes);
            if (dtype != CN_BOOL && op < 2) {
                compare(what, reduce, a, b, op * 16 + axes);
                compare("turned", reduce, turned, turned_b, op * 16 + axes);
            }
        }
    }
    cn_array_unref(a);
    cn_array_unref(b);
    cn_array_unref(turned);
    cn_array_unref(turned_b);
}

/* ---- Library ---- */

static cn_array *take(cn_array *a, cn_array *index, int variant)
{
    cn_array *result;
    if (variant == 0) {
        EXPECT(cn_gather(a, 1, &index, &result) == CN_OK);
        return result;
    }
    EXPECT(cn_array_copy(a, cn_array_dtype(a), false, &result) == CN_OK);
    cn_array *values;
    EXPECT(cn_gather(a, 1, &index, &values) == CN_OK);
    cn_array *more = apply(values, values, cn_op_find("add"));
    EXPECT(cn_scatter(result, 1, &index, &(cn_operand){.array = more}, CN_CAST_UNSAFE) == CN_OK);
    cn_array_unref(values);
    cn_array_unref(more);
    return result;
}

static cn_array *count_up(cn_array *a, cn_array *unused, int variant)
{
    cn_array *result;
    cn_scalar start = {.dtype = CN_FLOAT64}, step = {.dtype = CN_FLOAT64}, first, delta;
    (void)unused;
    start.value.f64 = variant;
    step.value.f64 = 2.5;
    EXPECT(cn_scalar_cast(&start, CN_STRONG, cn_array_dtype(a), &first) == CN_OK);
    EXPECT(cn_scalar_cast(&step, CN_STRONG, cn_array_dtype(a), &delta) == CN_OK);
    first.dtype = delta.dtype = cn_array_dtype(a);
    EXPECT(cn_arange(&first, &delta, 5000, &result) == CN_OK);
    cn_array *sum = apply(result, result, cn_op_find("add"));
    cn_array_unref(result);
    return sum;
}

static cn_array *extreme(cn_array *a, cn_array *unused, int variant)
{
    cn_array *result;
    (void)unused;
    EXPECT(cn_arg_reduce(variant % 2 != 0, a, variant / 2 - 1, false, &result) == CN_OK);
    return result;
}

static cn_array *accumulate(cn_array *a, cn_array *unused, int axis)
{
    cn_array *result;
    (void)unused;
    EXPECT(cn_accumulate(cn_op_find("add"), a, axis, CN_DTYPE_NONE, &result) == CN_OK);
    return result;
}

static cn_array *chosen(cn_array *a, cn_array *unused, int variant)
{
    cn_array *mask, *result[2] = {NULL, NULL};
    cn_operand in[2] = {{.array = a}, {.scalar = {.dtype = CN_INT64}}};
    (void)unused;
    EXPECT(cn_elementwise(cn_op_find("greater"), in, NULL, NULL, &mask) == CN_OK);
    if (variant == 0) {
        EXPECT(cn_compress(a, mask, &result[0]) == CN_OK);
    } else {
        EXPECT(cn_nonzero(mask, result) == CN_OK);
        result[0] = variant == 1 ? result[0] : (cn_array_unref(result[0]), result[1]);
        if (variant == 1) {
            cn_array_unref(result[1]);
        }
    }
    cn_array_unref(mask);
    return result[0];
}

static cn_array *ordered(cn_array *a, cn_array *unused, int variant)
{
    cn_array *result;
    (void)unused;
    EXPECT((variant % 2 == 0 ? cn_sort(a, variant / 2, &result) : cn_argsort(a, variant / 2, &result)) == CN_OK);
    return result;
}

static cn_array *searched(cn_array *sorted, cn_array *values, int right)
{
    cn_array *result;
    EXPECT(cn_searchsorted(sorted, values, right != 0, &result) == CN_OK);
    return result;
}

/* Long lines, of numbers of which many are equal; in floating dtypes both zeros, and NaNs of both signs. */
static void sorts(cn_dtype dtype)
{
    int64_t n = 40000, shape[2] = {2, 33000};
    cn_array *a = fresh(dtype, 1, &n), *zeros = apply(a, a, cn_op_find("subtract")),
             *odd = dtype >= CN_FLOAT16 ? apply(zeros, zeros, cn_op_find("divide")) : cn_array_ref(a);
    cn_array *lines = fresh(dtype, 2, shape), *root = apply(lines, lines, cn_op_find("sqrt"));
    for (int variant = 0; variant < 2; variant++) {
        compare("sort", ordered, a, NULL, variant);
        compare("sort of NaN", ordered, odd, NULL, variant);
        compare("sort of lines", ordered, lines, NULL, 2 + variant);
        compare("sort of some NaN", ordered, root, NULL, 2 + variant);
        cn_array *in_order = ordered(a, NULL, 0);
        compare("search", searched, in_order, lines, variant);
        compare("search of NaN", searched, in_order, odd, variant);
        cn_array_unref(in_order);
    }
    cn_array_unref(a);
    cn_array_unref(zeros);
    cn_array_unref(odd);
    cn_array_unref(lines);
    cn_array_unref(root);
}

/* What looks back from tile to tile, on so many of them that they meet. */
static void many_tiles(cn_dtype dtype)
{
    int64_t n = MOST;
    cn_array *a = fresh(dtype, 1, &n);
    for (int round = 0; round < 3; round++) {
        compare("long sort", ordered, a, NULL, 0);
        compare("long argsort", ordered, a, NULL, 1);
        compare("long scan", accumulate, a, NULL, 0);
        compare("long choice", chosen, a, NULL, 0);
    }
    cn_array_unref(a);
}

static void library(cn_dtype dtype)
{
    int64_t shape[2] = {300, 70}, count = 1000, index[1000];
    cn_array *a = fresh(dtype, 2, shape), *rows;
    for (int64_t i = 0; i < count; i++) {
        index[i] = below(300);
    }
    EXPECT(cn_array_from_memory(index, CN_INT64, 1, &count, &rows) == CN_OK);
    compare("gather", take, a, rows, 0);
    compare("scatter", take, a, rows, 1);
    compare("arange", count_up, a, NULL, 3);
    for (int variant = 0; variant < 6; variant++) {
        compare("arg_reduce", extreme, a, NULL, variant);
    }
    compare("scan", accumulate, a, NULL, 0);
    compare("scan", accumulate, a, NULL, 1);
    for (int variant = 0; variant < 3 && dtype < CN_COMPLEX64; variant++) {
        compare("chosen", chosen, a, NULL, variant);
    }
    int64_t deep[2] = {3, 20000};
    cn_array *lines = fresh(dtype, 2, deep);
    compare("scan of few lines", accumulate, lines, NULL, 1);
    if (dtype < CN_COMPLEX64) {
        compare("chosen of many", chosen, lines, NULL, 0);
        compare("chosen of many", chosen, lines, NULL, 2);
    }
    cn_array_unref(lines);
    cn_array_unref(a);
    cn_array_unref(rows);
}

/* Products are a library's: near the processor's, and the same each time. */
static void products(cn_dtype dtype)
{
    int64_t shape[3] = {3, 120, 80}, bytes[3];
    cn_array *a = fresh(dtype, 3, shape), *b = fresh(dtype, 3, shape), *turned;
    EXPECT(cn_array_transpose(b, (const int[]){0, 2, 1}, &turned) == CN_OK);
    void *values[3];
    for (int device = 0; device < 3; device++) {
        cn_array *c;
        set("gpu", device > 0);
        EXPECT(cn_matmul(a, turned, NULL, &c) == CN_OK);
        values[device] = values_of(c, &bytes[device]);
        cn_array_unref(c);
    }
    EXPECT(memcmp(values[1], values[2], (size_t)bytes[1]) == 0);
    double worst = 0, most = 0;
    for (int64_t i = 0; i < bytes[0] / (dtype == CN_FLOAT64 ? 8 : 4); i++) {
        double x = dtype == CN_FLOAT64 ? ((double *)values[0])[i] : (double)((float *)values[0])[i];
        double y = dtype == CN_FLOAT64 ? ((double *)values[1])[i] : (double)((float *)values[1])[i];
        worst = fabs(x - y) > worst ? fabs(x - y) : worst;
        most = fabs(x) > most ? fabs(x) : most;
    }
    EXPECT(worst <= most * (dtype == CN_FLOAT64 ? 1e-13 : 1e-5));
    for (int k = 0; k < 3; k++) {
        free(values[k]);
    }
    cn_array_unref(a);
    cn_array_unref(b);
    cn_array_unref(turned);
}

int main(int argc, char **argv)
{
    bool quick = argc > 1 && strcmp(argv[1], "quick") == 0;
    bool many = argc > 1 && strcmp(argv[1], "many") == 0; /* too many threads for the stand-in */
    static const cn_dtype dtypes[] = {CN_FLOAT64, CN_FLOAT32, CN_INT32,     CN_COMPLEX128, CN_FLOAT16,
                                      CN_INT64,   CN_UINT8,   CN_COMPLEX64, CN_BOOL};
    static const int64_t shapes[][3] = {{1, 100, 0}, {1, 1024, 0}, {1, 30000, 0}, {1, 8192, 0},
                                        {1, 5, 0},   {2, 40, 300}, {2, 3, 9000},  {2, 9000, 3},
                                        {2, 1, 77},  {2, 1030, 7}, {2, 200, 1},   {2, 128, 20000}};
    set("gpu_bytes", 1);
    set("tier", 0);
    int ndtypes = quick ? 2 : (int)(sizeof dtypes / sizeof *dtypes);
    for (int k = 0; k < ndtypes && many; k++) {
        if (dtypes[k] < CN_COMPLEX64 && dtypes[k] != CN_BOOL) {
            many_tiles(dtypes[k]);
        }
    }
    for (int k = 0; k < ndtypes && !many; k++) {
        if (argc > 1 && !quick && strcmp(argv[1], cn_dtype_name(dtypes[k])) != 0) {
            continue;
        }
        far_apart = k % 2 == 0;
        if (!quick || k == 0) {
            elementwise(dtypes[k], 33, 65);
        }
        if (!quick) {
            elementwise(dtypes[k], 64, 64);
        }
        library(dtypes[k]);
        if (dtypes[k] < CN_COMPLEX64 && dtypes[k] != CN_BOOL && (!quick || k == 0)) {
            sorts(dtypes[k]);
        }
        if (dtypes[k] == CN_FLOAT64 || dtypes[k] == CN_FLOAT32) {
            products(dtypes[k]);
        }
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            if (!quick || i < 7) {
                reductions(dtypes[k], (int)shapes[i][0], &shapes[i][1]);
            }
        }
        reductions(dtypes[k], 3, (const int64_t[]){5, 40, 60});
    }
    printf("%llu comparisons, %llu of them with the processor alone; %llu moves\n", (unsigned long long)compared,
           (unsigned long long)on_processor, (unsigned long long)device_moves);
    EXPECT(on_processor < compared / 2 || on_processor == compared);
    return finish("device");
}
