/*
 * cuda_rows.c - memory-bound rows on the GPU through cnumeric.h, as fractions of the device's copy rate measured in the
 * same run: the least bytes of the row over its time, over the copy's. Built by cmake as cuda_rows; needs a GPU.
 *
 *     cuda_rows [log2 of the elements, 27]
 */
#include "cnumeric.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REPEATS = 20, WARM = 5 };

static int (*device_wait)(void);
static int (*device_alloc)(uint64_t *, size_t);
static int (*device_free)(uint64_t);
static int (*device_copy)(uint64_t, uint64_t, size_t, void *);

static void check(cn_status status)
{
    if (status != CN_OK) {
        fprintf(stderr, "%s\n", cn_error_message());
        exit(EXIT_FAILURE);
    }
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *entry(void *library, const char *name)
{
    void *symbol = dlsym(library, name);
    if (symbol == NULL) {
        exit(EXIT_FAILURE);
    }
    return symbol;
}

static bool open_driver(void)
{
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    if (library == NULL) {
        return false;
    }
    void *symbols[] = {entry(library, "cuCtxSynchronize"), entry(library, "cuMemAlloc_v2"),
                       entry(library, "cuMemFree_v2"), entry(library, "cuMemcpyDtoDAsync_v2")};
    memcpy(&device_wait, &symbols[0], sizeof device_wait);
    memcpy(&device_alloc, &symbols[1], sizeof device_alloc);
    memcpy(&device_free, &symbols[2], sizeof device_free);
    memcpy(&device_copy, &symbols[3], sizeof device_copy);
    return true;
}

/* Bytes a second, read and written. The library has made its context the thread's. */
static double copy_rate(size_t nbytes)
{
    uint64_t from, to;
    if (device_alloc(&from, nbytes) != 0 || device_alloc(&to, nbytes) != 0) {
        exit(EXIT_FAILURE);
    }
    double best = 1e9;
    for (int k = 0; k < REPEATS; k++) {
        device_wait();
        double begin = now();
        for (int i = 0; i < 5; i++) {
            device_copy(to, from, nbytes, NULL);
        }
        device_wait();
        double each = (now() - begin) / 5;
        best = each < best ? each : best;
    }
    device_free(from);
    device_free(to);
    return 2 * (double)nbytes / best;
}

static cn_operand of(cn_array *a)
{
    return (cn_operand){.array = a};
}

static cn_operand number(double x)
{
    return (cn_operand){.scalar = {.value = {.f64 = x}, .dtype = CN_FLOAT64}, .weak = CN_WEAK_FLOAT};
}

static cn_array *op2(const char *name, cn_operand a, cn_operand b)
{
    cn_operand in[2] = {a, b};
    cn_array *result;
    check(cn_elementwise(cn_op_find(name), in, NULL, NULL, &result));
    return result;
}

/* The same, the first operand given up. */
static cn_array *then(const char *name, cn_array *a, cn_operand b)
{
    cn_array *result = op2(name, of(a), b);
    cn_array_unref(a);
    return result;
}

static cn_array *total(cn_array *a, int axis)
{
    cn_reduce_options options = {.naxes = axis < 0 ? -1 : 1, .axes = &axis, .dtype = CN_DTYPE_NONE};
    cn_array *result;
    check(cn_reduce(cn_op_find("add"), a, &options, &result));
    cn_array_unref(a);
    return result;
}

static cn_array *view(cn_array *a, int64_t offset, int64_t rows, int64_t columns, int64_t row, int64_t column)
{
    int64_t shape[2] = {rows, columns}, strides[2] = {row * 8, column * 8};
    cn_array *result;
    check(cn_array_view(a, CN_FLOAT64, offset * 8, 2, shape, strides, true, &result));
    return result;
}

/* ---- Rows ---- */

static int64_t n, side;
static cn_array *x, *y, *grid;

static cn_array *triad(void)
{
    return then("add", op2("multiply", of(x), number(3)), of(y));
}

static cn_array *chain(void)
{
    return then("add",
                then("divide", then("subtract", then("multiply", op2("add", of(x), of(y)), of(x)), of(y)), number(3)),
                of(x));
}

static cn_array *sum(void)
{
    return total(cn_array_ref(x), -1);
}

static cn_array *mean_square(void)
{
    cn_array *d = op2("subtract", of(x), of(y)), *square;
    check(cn_elementwise(cn_op_find("square"), (cn_operand[]){of(d)}, NULL, NULL, &square));
    cn_array_unref(d);
    return then("divide", total(square, -1), number((double)n));
}

static cn_array *sum_rows(void)
{
    return total(view(x, 0, side, n / side, n / side, 1), 1);
}

static cn_array *sum_columns(void)
{
    return total(view(x, 0, side, n / side, n / side, 1), 0);
}

static cn_array *sum_thin(void)
{
    return total(view(x, 0, n / 32, 32, 32, 1), 0);
}

static cn_array *transpose(void)
{
    cn_array *turned = view(x, 0, n / side, side, 1, n / side), *result;
    check(cn_array_copy(turned, CN_FLOAT64, false, &result));
    cn_array_unref(turned);
    return result;
}

static cn_array *every_other(void)
{
    cn_array *a = view(x, 0, 1, n / 2, n, 2), *b = view(y, 0, 1, n / 2, n, 2);
    cn_array *result = op2("add", of(a), of(b));
    cn_array_unref(a);
    cn_array_unref(b);
    return result;
}

/* Of 4096 x 4096: 137 Gflop, no matter of bytes. */
static cn_array *product(void)
{
    cn_array *a = view(x, 0, 4096, 4096, 4096, 1), *b = view(y, 0, 4096, 4096, 4096, 1), *result;
    check(cn_matmul(a, b, NULL, &result));
    cn_array_unref(a);
    cn_array_unref(b);
    return result;
}

static cn_array *exponential(void)
{
    cn_array *result;
    check(cn_elementwise(cn_op_find("exp"), (cn_operand[]){of(x)}, NULL, NULL, &result));
    return result;
}

/* pn = p.copy(); p[1:-1, 1:-1] = 0.25 * (neighbours of pn) */
static cn_array *jacobi(void)
{
    int64_t m = side - 2;
    cn_array *old, *part[4], *inner = view(grid, side + 1, m, m, side, 1);
    check(cn_array_copy(grid, CN_FLOAT64, false, &old));
    static const int64_t from[4][2] = {{1, 2}, {1, 0}, {2, 1}, {0, 1}};
    for (int k = 0; k < 4; k++) {
        part[k] = view(old, from[k][0] * side + from[k][1], m, m, side, 1);
    }
    cn_array *sum4 = then("add", then("add", op2("add", of(part[0]), of(part[1])), of(part[2])), of(part[3]));
    cn_array *mean = then("multiply", sum4, number(0.25));
    check(cn_copy(inner, &(cn_operand){.array = mean}, CN_CAST_SAME_KIND));
    cn_array_unref(mean);
    for (int k = 0; k < 4; k++) {
        cn_array_unref(part[k]);
    }
    cn_array_unref(old);
    return inner;
}

static const struct {
    const char *name;
    cn_array *(*run)(void);
    double bytes; /* an element of x, or a point of the grid */
    bool on_grid;
} rows[] = {{"triad", triad, 24, false},
            {"chain of 5", chain, 24, false},
            {"jacobi", jacobi, 16, true},
            {"sum", sum, 8, false},
            {"mean((x-y)**2)", mean_square, 16, false},
            {"sum axis 1", sum_rows, 8, false},
            {"sum axis 0", sum_columns, 8, false},
            {"sum axis 0, 32 columns", sum_thin, 8, false},
            {"transpose", transpose, 16, false},
            {"x[::2] + y[::2]", every_other, 20, false},
            {"exp", exponential, 16, false},
            {"gemm 4096 (no limit)", product, 0, false}};

static void measure(int k, double rate)
{
    double best = 1e9, first = now();
    for (int i = 0; i < REPEATS + WARM; i++) {
        int times = i < WARM ? 1 : 5;
        device_wait();
        double begin = now();
        for (int j = 0; j < times; j++) {
            cn_array *result = rows[k].run();
            check(cn_flush());
            cn_array_unref(result);
        }
        device_wait();
        double each = (now() - begin) / times;
        best = each < best ? each : best;
        first = i == 0 ? each : first;
    }
    double bytes = rows[k].bytes * (double)(rows[k].on_grid ? side * side : n);
    printf("%-24s %8.3f ms  %7.1f GB/s  %.3f of the copy rate   (first %.0f ms)\n", rows[k].name, best * 1e3,
           bytes / best / 1e9, bytes / best / rate, first * 1e3);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    n = (int64_t)1 << (argc > 1 ? atoi(argv[1]) : 27);
    side = n >= (int64_t)1 << 26 ? 8192 : 1024;
    if (!open_driver()) {
        printf("no CUDA driver\n");
        return EXIT_SUCCESS;
    }
    cn_scalar start = {.value = {.f64 = 1}, .dtype = CN_FLOAT64}, step = {.value = {.f64 = 1e-7}, .dtype = CN_FLOAT64};
    int64_t shape[2] = {side, side};
    check(cn_arange(&start, &step, n, &x));
    check(cn_arange(&step, &step, n, &y));
    check(cn_array_empty(CN_FLOAT64, 2, shape, &grid));
    check(cn_copy(grid, &(cn_operand){.scalar = start, .weak = CN_WEAK_FLOAT}, CN_CAST_SAME_KIND));
    cn_array *warm = triad();
    check(cn_flush());
    cn_array_unref(warm);
    double rate = copy_rate((size_t)n * 8);
    printf("copy %.1f GB/s, %lld elements\n", rate / 1e9, (long long)n);
    int count = (int)(sizeof rows / sizeof *rows) - (n < 4096 * 4096);
    for (int k = 0; k < count; k++) {
        measure(k, rate);
    }
    cn_stats stats;
    cn_stats_get(&stats);
    printf("%llu moves, %llu bytes; %llu compilations; %llu plan misses\n", (unsigned long long)stats.moves,
           (unsigned long long)stats.move_bytes, (unsigned long long)stats.compilations,
           (unsigned long long)stats.plan_misses);
    return EXIT_SUCCESS;
}
