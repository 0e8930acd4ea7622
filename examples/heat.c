/*
 * heat.c - the heat equation on a plate, in C with cnumeric.h alone: record, let the library plan and fuse, read.
 *
 * Checks itself: the same steps as plain loops must give the same bits. Returns 0 if they do.
 */
#include "cnumeric.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 40, COLUMNS = 200, STEPS = 300 };

#define RATE 0.2

static cn_op add, multiply;

/* Stops with the library's message if a call has failed. */
static void check(cn_status status, const char *what)
{
    if (status != CN_OK) {
        fprintf(stderr, "heat: %s: %s\n", what, cn_error_message());
        exit(2);
    }
}

static cn_operand number(double value)
{
    return (cn_operand){.scalar = {.value.f64 = value, .dtype = CN_FLOAT64}, .weak = CN_WEAK_FLOAT};
}

/* a op b into a new array. */
static cn_array *apply(cn_op op, cn_operand a, cn_operand b)
{
    const cn_operand in[] = {a, b};
    cn_array *result;
    check(cn_elementwise(op, in, NULL, NULL, &result), cn_op_name(op));
    return result;
}

/* The inner part of the plate, moved by some rows and columns: a view. */
static cn_array *inner(cn_array *plate, int64_t down, int64_t right)
{
    const int64_t *strides = cn_array_strides(plate);
    const int64_t shape[] = {ROWS - 2, COLUMNS - 2};
    int64_t offset = cn_array_offset(plate) + (1 + down) * strides[0] + (1 + right) * strides[1];
    cn_array *view;
    check(cn_array_view(plate, CN_FLOAT64, offset, 2, shape, strides, true, &view), "view");
    return view;
}

/* plate[1:-1, 1:-1] += RATE * (four neighbours - 4 * plate[1:-1, 1:-1]); nothing is computed here. */
static void record_step(cn_array *plate)
{
    cn_array *centre = inner(plate, 0, 0), *sum = inner(plate, -1, 0);
    const int64_t others[3][2] = {{1, 0}, {0, -1}, {0, 1}};
    for (int k = 0; k < 3; k++) {
        cn_array *next = inner(plate, others[k][0], others[k][1]);
        cn_array *larger = apply(add, (cn_operand){.array = sum}, (cn_operand){.array = next});
        cn_array_unref(sum);
        cn_array_unref(next);
        sum = larger;
    }
    cn_array *four = apply(multiply, (cn_operand){.array = centre}, number(-4));
    cn_array *difference = apply(add, (cn_operand){.array = sum}, (cn_operand){.array = four});
    cn_array *change = apply(multiply, (cn_operand){.array = difference}, number(RATE));
    cn_array *after = apply(add, (cn_operand){.array = centre}, (cn_operand){.array = change});
    const cn_operand source = {.array = after};
    check(cn_copy(centre, &source, CN_CAST_SAME_KIND), "assignment");
    cn_array *const made[] = {centre, sum, four, difference, change, after};
    for (size_t k = 0; k < sizeof made / sizeof *made; k++) {
        cn_array_unref(made[k]);
    }
}

/* The same step as loops. */
static void plain_step(double *plate, double *old)
{
    memcpy(old, plate, sizeof(double) * ROWS * COLUMNS);
    for (int i = 1; i < ROWS - 1; i++) {
        for (int j = 1; j < COLUMNS - 1; j++) {
            const double *c = old + i * COLUMNS + j;
            double sum = c[-COLUMNS] + c[COLUMNS] + c[-1] + c[1];
            plate[i * COLUMNS + j] = c[0] + (sum + c[0] * -4) * RATE;
        }
    }
}

int main(void)
{
    static double expected[ROWS * COLUMNS], old[ROWS * COLUMNS], computed[ROWS * COLUMNS];
    const int64_t shape[] = {ROWS, COLUMNS};
    check(cn_net_open(), "start"); /* under mpirun the other ranks become workers here */
    add = cn_op_find("add");
    multiply = cn_op_find("multiply");

    for (int j = 0; j < COLUMNS; j++) {
        expected[j] = 100; /* the hot edge */
    }
    cn_array *plate;
    check(cn_array_from_memory(expected, CN_FLOAT64, 2, shape, &plate), "create");
    for (int step = 0; step < STEPS; step++) {
        record_step(plate);
        plain_step(expected, old);
    }
    check(cn_array_read(plate, computed, sizeof computed), "read");
    cn_array_unref(plate);
    check(cn_net_close(), "end");

    cn_stats stats;
    cn_stats_get(&stats);
    printf("temperature in the middle: %.15g\n", computed[ROWS / 2 * COLUMNS + COLUMNS / 2]);
    printf("%" PRIu64 " ops in %" PRIu64 " windows, %" PRIu64 " plans made, %" PRIu64 " launches\n", stats.ops,
           stats.windows, stats.plan_misses, stats.launches);
    if (memcmp(computed, expected, sizeof computed) != 0) {
        fprintf(stderr, "heat: the result differs from plain loops\n");
        return 1;
    }
    return 0;
}
