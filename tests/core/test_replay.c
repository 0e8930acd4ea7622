/*
 * Windows that recur on the device: replayed as graphs once their addresses recur, with scalars that change, and the same
 * values whatever the driver refuses. Single elements of what is there are read and written alone. Without a device
 * there is nothing to do.
 */
#include "cnumeric.h"

#include <string.h>

#include "check.h"

enum { N = 5000, ROUNDS = 40 };

static cn_operand of(cn_array *a)
{
    return (cn_operand){.array = a};
}

static cn_operand number(double x)
{
    return (cn_operand){.scalar = {.value = {.f64 = x}, .dtype = CN_FLOAT64}, .weak = CN_WEAK_FLOAT};
}

static cn_array *apply(const char *name, cn_operand a, cn_operand b)
{
    cn_operand in[2] = {a, b};
    cn_array *result = NULL;
    EXPECT(cn_elementwise(cn_op_find(name), in, NULL, NULL, &result) == CN_OK);
    return result;
}

static cn_array *total(cn_array *a)
{
    cn_reduce_options options = {.naxes = -1, .dtype = CN_DTYPE_NONE};
    cn_array *result = NULL;
    EXPECT(cn_reduce(cn_op_find("add"), a, &options, &result) == CN_OK);
    return result;
}

/* x = x * k / sum(x * k) + its own mean square: three launches or more, that depend on each other. */
static cn_array *round_of(cn_array *x, double k)
{
    cn_array *scaled = apply("multiply", of(x), number(k)), *sum = total(scaled);
    cn_array *share = apply("divide", of(scaled), of(sum)), *square = apply("multiply", of(share), of(share));
    cn_array *most = total(square), *next = apply("add", of(share), of(most));
    EXPECT(cn_flush() == CN_OK);
    cn_array *gone[] = {scaled, sum, share, square, most, x};
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
        cn_array_unref(gone[i]);
    }
    return next;
}

static void run(bool device, double *values, cn_stats *used)
{
    cn_stats before, after;
    cn_array *x;
    for (int i = 0; i < N; i++) {
        values[i] = 1 + (double)(i % 97) / 64;
    }
    EXPECT(cn_setting_set("gpu", device) == CN_OK);
    EXPECT(cn_array_from_memory(values, CN_FLOAT64, 1, &(int64_t){N}, &x) == CN_OK);
    cn_stats_get(&before);
    for (int k = 0; k < ROUNDS; k++) {
        x = round_of(x, 1 + (k < 16 ? 0 : 0.125 * k)); /* the same number for a while, then others */
    }
    EXPECT(cn_array_read(x, values, N * (int64_t)sizeof *values) == CN_OK);
    cn_stats_get(&after);
    used->moves = after.moves - before.moves;
    used->graphs = after.graphs - before.graphs;
    used->device_launches = after.device_launches - before.device_launches;
    cn_array_unref(x);
}

/* An element that is read moves alone, and so does one that is written. */
static void elements(void)
{
    int64_t n = 1 << 16;
    cn_array *x;
    cn_scalar first = {.dtype = CN_FLOAT64}, step = {.value = {.f64 = 1}, .dtype = CN_FLOAT64}, got;
    cn_stats before, after;
    EXPECT(cn_arange(&first, &step, n, &x) == CN_OK);
    cn_array *y = apply("multiply", of(x), number(3));
    EXPECT(cn_flush() == CN_OK);
    cn_stats_get(&before);
    EXPECT(cn_array_item(y, 1000 * 8, &got) == CN_OK && got.value.f64 == 3000);
    got.value.f64 = -1;
    EXPECT(cn_array_store(y, 1001 * 8, &got) == CN_OK);
    EXPECT(cn_array_item(y, 1001 * 8, &got) == CN_OK && got.value.f64 == -1);
    EXPECT(cn_array_item(y, 1002 * 8, &got) == CN_OK && got.value.f64 == 3006);
    cn_stats_get(&after);
    EXPECT(after.move_bytes - before.move_bytes == 4 * 8);
    cn_array *sum = total(y);
    EXPECT(cn_array_item(sum, 0, &got) == CN_OK);
    EXPECT(got.value.f64 == 3.0 * (double)(n * (n - 1) / 2) - 3003 - 1);
    cn_array_unref(x);
    cn_array_unref(y);
    cn_array_unref(sum);
}

int main(int argc, char **argv)
{
    static double host[N], device[N];
    cn_stats used;
    bool refused = argc > 1 && strcmp(argv[1], "refused") == 0; /* the driver makes or runs no graph */
    EXPECT(cn_setting_set("gpu_bytes", 1) == CN_OK);
    run(false, host, &used);
    EXPECT(used.device_launches == 0);
    run(true, device, &used);
    EXPECT(memcmp(host, device, sizeof host) == 0);
    if (used.device_launches == 0) {
        printf("no device\n");
        return finish("replay");
    }
    printf("%llu graphs, %llu launches beside them\n", (unsigned long long)used.graphs,
           (unsigned long long)used.device_launches);
    EXPECT(refused || used.graphs > ROUNDS / 2);
    elements();
    return finish("replay");
}
