/*
 * Random programs against a mirror that executes every statement at once on plain memory: views of shared bases,
 * overlapping writes, copies, fills, masks, reductions, names that die, reads and flushes at random places, loops that
 * repeat. Values must be the mirror's, bit for bit, under every setting.
 */
#include "cnumeric.h"

#include <math.h>
#include <string.h>

#include "check.h"

enum { BASES = 64, NAMES = 10, ROWS = 7, COLUMNS = 9, LENGTH_MOST = 200 };

typedef struct mirror_base {
    double data[ROWS * COLUMNS];
    int refs;
} mirror_base;

typedef struct name {
    cn_array *array; /* NULL: free */
    int base;
    int64_t offset, shape[2], strides[2]; /* elements */
} name;

static mirror_base bases[BASES];
static name names[NAMES];
static bool told, silent; /* print statements; print nothing */
static cn_op op_add, op_subtract, op_maximum, op_multiply, op_less;

static int base_new(void)
{
    for (int i = 0; i < BASES; i++) {
        if (bases[i].refs == 0) {
            bases[i].refs = 1;
            return i;
        }
    }
    abort();
}

static void name_drop(name *x)
{
    if (x->array != NULL) {
        cn_array_unref(x->array);
        bases[x->base].refs--;
        x->array = NULL;
    }
}

static name *any_name(void)
{
    name *x;
    do {
        x = &names[below(NAMES)];
    } while (x->array == NULL);
    return x;
}

/* A place for a result: mostly a name that dies. */
static name *target(void)
{
    name *x = &names[below(NAMES)];
    name_drop(x);
    return x;
}

static double *at(const name *x, int64_t i, int64_t j)
{
    return &bases[x->base].data[x->offset + i * x->strides[0] + j * x->strides[1]];
}

static void check_status(cn_status status)
{
    if (status != CN_OK) {
        if (!silent) {
            fprintf(stderr, "%s\n", cn_error_message());
        }
        failures++;
    }
}

/* A whole new array, its name not yet entered. */
static name whole(const int64_t *shape)
{
    name x = {.base = base_new(), .shape = {shape[0], shape[1]}, .strides = {shape[1], 1}};
    return x;
}

static name create(void)
{
    int64_t shape[2] = {ROWS, COLUMNS};
    name x = whole(shape);
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        bases[x.base].data[i] = (double)(below(2001) - 1000) / 8;
    }
    check_status(cn_array_from_memory(bases[x.base].data, CN_FLOAT64, 2, shape, &x.array));
    return x;
}

static name slice(const name *of, int64_t rows, int64_t columns)
{
    name x = *of;
    int64_t want[2] = {rows, columns};
    for (int d = 0; d < 2; d++) {
        int64_t step = 1;
        if (want[d] > 0 && of->shape[d] >= 2 * want[d] && below(2) == 0) {
            step = 2;
        }
        int64_t slack = of->shape[d] - ((want[d] - 1) * step + 1);
        int64_t start = slack > 0 ? below(slack + 1) : 0;
        x.offset += start * of->strides[d];
        x.strides[d] = of->strides[d] * step;
        x.shape[d] = want[d];
        if (below(6) == 0 && want[d] > 0) {
            x.offset += x.strides[d] * (want[d] - 1);
            x.strides[d] = -x.strides[d];
        }
    }
    int64_t bytes[2] = {x.strides[0] * 8, x.strides[1] * 8};
    check_status(cn_array_view(of->array, CN_FLOAT64, x.offset * 8, 2, x.shape, bytes, true, &x.array));
    bases[x.base].refs++;
    return x;
}

static void tell_view(const name *x)
{
    fprintf(stderr, " base%d[%lld:%lldx%lld:%lld,%lld]", x->base, (long long)x->offset, (long long)x->shape[0],
            (long long)x->shape[1], (long long)x->strides[0], (long long)x->strides[1]);
}

static void tell(const char *what, const name *to, const name *a, const name *b, double scalar)
{
    if (!told) {
        return;
    }
    fprintf(stderr, "  %s", what);
    tell_view(to);
    fprintf(stderr, " =");
    if (a != NULL) {
        tell_view(a);
    }
    if (b != NULL) {
        tell_view(b);
    } else {
        fprintf(stderr, " %g", scalar);
    }
    fprintf(stderr, "\n");
}

static double apply(cn_op op, double a, double b)
{
    return op == op_add ? a + b : op == op_subtract ? a - b : op == op_multiply ? a * b : a > b || isnan(a) ? a : b;
}

/* target[...] = a op b, the right side first. */
static void mirror_write(const name *to, cn_op op, const name *a, const name *b, double scalar, const name *mask)
{
    double values[ROWS * COLUMNS];
    tell(mask != NULL ? "masked" : op < 0 ? "copy" : cn_op_name(op), to, a, b, scalar);
    for (int64_t i = 0; i < to->shape[0]; i++) {
        for (int64_t j = 0; j < to->shape[1]; j++) {
            double y = b != NULL ? *at(b, i, j) : scalar;
            double x = a != NULL ? *at(a, i, j) : y;
            bool keep = mask != NULL && !(*at(mask, i, j) < 0);
            values[i * COLUMNS + j] = keep ? *at(to, i, j) : op < 0 ? x : apply(op, x, y);
        }
    }
    for (int64_t i = 0; i < to->shape[0]; i++) {
        for (int64_t j = 0; j < to->shape[1]; j++) {
            *at(to, i, j) = values[i * COLUMNS + j];
        }
    }
}

static cn_operand number(double x)
{
    return (cn_operand){.scalar = {.value = {.f64 = x}, .dtype = CN_FLOAT64}, .weak = CN_WEAK_FLOAT};
}

/* c = a[index] along the rows, or a[index] = b: the last of equal indices wins. */
static void indexed(const name *a, const name *b)
{
    int64_t index[ROWS], count = 1 + below(a->shape[0] < b->shape[0] ? a->shape[0] : b->shape[0]);
    for (int64_t i = 0; i < count; i++) {
        index[i] = below(a->shape[0]);
    }
    cn_array *rows;
    check_status(cn_array_from_memory(index, CN_INT64, 1, &count, &rows));
    if (below(2) == 0) {
        int64_t shape[2] = {count, a->shape[1]};
        name made = whole(shape);
        check_status(cn_gather(a->array, 1, &rows, &made.array));
        tell("gather", &made, a, NULL, 0);
        for (int64_t i = 0; i < count; i++) {
            for (int64_t j = 0; j < shape[1]; j++) {
                *at(&made, i, j) = *at(a, index[i], j);
            }
        }
        *target() = made;
    } else {
        double values[ROWS * COLUMNS];
        name source = slice(b, count, b->shape[1]);
        check_status(cn_scatter(a->array, 1, &rows, &(cn_operand){.array = source.array}, CN_CAST_SAME_KIND));
        tell("scatter", a, &source, NULL, 0);
        for (int64_t i = 0; i < count; i++) {
            for (int64_t j = 0; j < a->shape[1]; j++) {
                values[i * COLUMNS + j] = *at(&source, i, j);
            }
        }
        for (int64_t i = 0; i < count; i++) {
            for (int64_t j = 0; j < a->shape[1]; j++) {
                *at(a, index[i], j) = values[i * COLUMNS + j];
            }
        }
        name_drop(&source);
    }
    cn_array_unref(rows);
}

/* c = full((rows, columns), number), which nothing has computed yet. */
static void filled(double scalar)
{
    int64_t shape[2] = {1 + below(ROWS), 1 + below(COLUMNS)};
    name made = whole(shape);
    cn_operand value = number(scalar);
    check_status(cn_array_empty(CN_FLOAT64, 2, shape, &made.array));
    check_status(cn_copy(made.array, &value, CN_CAST_SAME_KIND));
    mirror_write(&made, -1, NULL, NULL, scalar, NULL);
    *target() = made;
}

static void statement(void)
{
    cn_op ops[] = {op_add, op_subtract, op_maximum, op_multiply};
    cn_op op = ops[below(4)];
    double scalar = (double)(below(9) - 4) / 4;
    const name *x = any_name(), *y = any_name();
    int64_t rows = 1 + below(x->shape[0] < y->shape[0] ? x->shape[0] : y->shape[0]);
    int64_t columns = 1 + below(x->shape[1] < y->shape[1] ? x->shape[1] : y->shape[1]);
    if (below(3) == 0) { /* whole operands are the commonest case of all */
        rows = x->shape[0] < y->shape[0] ? x->shape[0] : y->shape[0];
        columns = x->shape[1] < y->shape[1] ? x->shape[1] : y->shape[1];
    }
    name a = slice(x, rows, columns), b = slice(y, rows, columns), made;
    bool with_scalar = below(4) == 0;
    cn_operand in[2] = {{.array = a.array}, with_scalar ? number(scalar) : (cn_operand){.array = b.array}};
    int64_t what = below(23);
    if (what < 6) { /* c = a op b */
        made = whole(a.shape);
        check_status(cn_elementwise(op, in, NULL, NULL, &made.array));
        mirror_write(&made, op, &a, with_scalar ? NULL : &b, scalar, NULL);
        *target() = made;
    } else if (what < 12) { /* view = a op b */
        const name *z = any_name();
        if (z->shape[0] >= rows && z->shape[1] >= columns) {
            name to = slice(z, rows, columns);
            cn_array *out = to.array, *result;
            check_status(cn_elementwise(op, in, &out, NULL, &result));
            cn_array_unref(result);
            mirror_write(&to, op, &a, with_scalar ? NULL : &b, scalar, NULL);
            name_drop(&to);
        }
    } else if (what < 14) { /* b = a.copy() */
        made = whole(x->shape);
        check_status(cn_array_copy(x->array, CN_FLOAT64, false, &made.array));
        mirror_write(&made, -1, x, NULL, 0, NULL);
        *target() = made;
    } else if (what < 15) { /* view = number */
        in[0] = number(scalar);
        check_status(cn_copy(a.array, &in[0], CN_CAST_SAME_KIND));
        mirror_write(&a, -1, NULL, NULL, scalar, NULL);
    } else if (what < 17) { /* view = view */
        check_status(cn_copy(a.array, &(cn_operand){.array = b.array}, CN_CAST_SAME_KIND));
        mirror_write(&a, -1, &b, NULL, 0, NULL);
    } else if (what < 18) { /* a[b < 0] = number */
        cn_array *mask;
        cn_operand sides[2] = {{.array = b.array}, number(0)};
        check_status(cn_elementwise(op_less, sides, NULL, NULL, &mask));
        in[0] = number(scalar);
        check_status(cn_copy_where(a.array, &in[0], mask, CN_CAST_SAME_KIND));
        cn_array_unref(mask);
        mirror_write(&a, -1, NULL, NULL, scalar, &b);
    } else if (what < 19) { /* c = max(a, axis), kept as a row or a column */
        int axis = (int)below(2);
        int64_t shape[2] = {axis == 0 ? 1 : rows, axis == 1 ? 1 : columns};
        made = whole(shape);
        cn_reduce_options options = {.naxes = 1, .axes = &axis, .keepdims = true, .dtype = CN_DTYPE_NONE};
        check_status(cn_reduce(op_maximum, a.array, &options, &made.array));
        tell("reduce", &made, &a, NULL, axis);
        for (int64_t i = 0; i < shape[0]; i++) {
            for (int64_t j = 0; j < shape[1]; j++) {
                double most = *at(&a, i, j);
                for (int64_t k = 1; k < a.shape[axis]; k++) {
                    most = apply(op_maximum, most, *at(&a, axis == 0 ? k : i, axis == 1 ? k : j));
                }
                *at(&made, i, j) = most;
            }
        }
        *target() = made;
    } else if (what < 21) {
        indexed(&a, &b);
    } else if (what < 22) {
        filled(scalar);
    } else { /* a view gets a name */
        made = slice(&a, 1 + below(rows), 1 + below(columns));
        *target() = made;
    }
    name_drop(&a);
    name_drop(&b);
}

static void check_name(const name *x)
{
    double values[ROWS * COLUMNS];
    check_status(cn_array_read(x->array, values, x->shape[0] * x->shape[1] * 8));
    for (int64_t i = 0; i < x->shape[0]; i++) {
        for (int64_t j = 0; j < x->shape[1]; j++) {
            double have = values[i * x->shape[1] + j], want = *at(x, i, j);
            if (memcmp(&have, &want, sizeof have) != 0 && !(isnan(have) && isnan(want))) {
                failures++;
                if (silent) {
                    return;
                }
                fprintf(stderr, "name %d: element %lld,%lld is %g, should be %g\n", (int)(x - names), (long long)i,
                        (long long)j, have, want);
                return;
            }
        }
    }
}

/* Keeps values from growing without bound. */
static void renew(void)
{
    for (int i = 0; i < NAMES; i++) {
        name_drop(&names[i]);
    }
    for (int i = 0; i < 3; i++) {
        names[i] = create();
    }
}

static void seed_numbers(uint64_t seed, uint64_t place)
{
    check_state = (seed * UINT64_C(0x9E3779B97F4A7C15) ^ place * UINT64_C(0xC2B2AE3D27D4EB4F)) | 1;
    for (int i = 0; i < 8; i++) {
        below(2);
    }
}

/* Every statement draws from numbers of its own, so that others can be left out. */
static bool program(uint64_t seed, int length, const bool *left_out)
{
    int before = failures;
    seed_numbers(seed, 0);
    renew();
    bool reads = below(2) == 0;
    int period = below(3) == 0 ? 0 : 4 + (int)below(20); /* statements of a loop body; 0: no loop */
    for (int i = 0; i < length; i++) {
        if (left_out[i]) {
            continue;
        }
        seed_numbers(seed, 1 + (uint64_t)(period > 0 ? i % period : i));
        bool any = false;
        for (int k = 0; k < NAMES; k++) {
            any |= names[k].array != NULL;
        }
        if (!any) {
            names[0] = create();
        }
        statement();
        if (reads && below(30) == 0) {
            check_name(any_name());
        }
        if (below(60) == 0) {
            check_status(cn_flush());
            if (told) {
                fprintf(stderr, "  flush\n");
            }
        }
    }
    for (int i = 0; i < NAMES; i++) {
        if (names[i].array != NULL) {
            check_name(&names[i]);
        }
    }
    return failures == before;
}

/* Leaves out what a failure does not need, and shows the rest. */
static void reduce_failure(uint64_t seed, int length)
{
    static bool left_out[LENGTH_MOST];
    memset(left_out, 0, sizeof left_out);
    int known = failures;
    silent = true;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = length - 1; i >= 0; i--) {
            left_out[i] = !left_out[i];
            if (program(seed, length, left_out)) {
                left_out[i] = !left_out[i];
            }
        }
    }
    silent = false;
    failures = known;
    told = true;
    cn_explain_start();
    fprintf(stderr, "program %llu of %d statements, those that matter:\n", (unsigned long long)seed, length);
    program(seed, length, left_out);
    told = false;
    char *plans;
    if (cn_explain(&plans) == CN_OK) {
        fprintf(stderr, "%s", plans);
        cn_free(plans);
    }
}

static void set(const char *setting, int64_t value)
{
    check_status(cn_setting_set(setting, value));
}

int main(int argc, char **argv)
{
    op_add = cn_op_find("add");
    op_subtract = cn_op_find("subtract");
    op_maximum = cn_op_find("maximum");
    op_multiply = cn_op_find("multiply");
    op_less = cn_op_find("less");
    set("verify", 1);
    set("threads", 3);
    uint64_t count = argc >= 2 ? strtoull(argv[1], NULL, 10) : 300, seed = 1;
    uint64_t longest = argc >= 3 ? strtoull(argv[2], NULL, 10) : LENGTH_MOST;
    static const struct {
        const char *name;
        int64_t value, otherwise;
    } variants[] = {{"fuse", 1, 1},          {"fuse", 0, 1},        {"rename", 0, 1},
                    {"defer", 0, 1},         {"recheck", 1, 0},     {"window_ops", 5, 2048},
                    {"window_ops", 1, 2048}, {"period_ops", 0, 24}, {"period_ops", 1, 24},
                    {"tile_max", 8, 2048},   {"tier", 2, 1},        {"thread_work", 1, 200000}};
    for (size_t v = 0; v < sizeof variants / sizeof *variants && failures == 0; v++) {
        set(variants[v].name, variants[v].value);
        bool compiles = strcmp(variants[v].name, "tier") == 0; /* each new group costs a compilation */
        for (uint64_t i = 0; i < (compiles ? 1 + count / 100 : count) && failures == 0; i++, seed++) {
            static const bool nothing[LENGTH_MOST];
            int length = 2 + (int)(i * (longest - 2) / count); /* short failures are found first */
            if (!program(seed, length, nothing)) {
                reduce_failure(seed, length);
            }
        }
        if (failures > 0) {
            fprintf(stderr, "with %s = %lld\n", variants[v].name, (long long)variants[v].value);
        }
        set(variants[v].name, variants[v].otherwise);
    }
    renew();
    return finish("programs");
}
