/*
 * test_faults.c - the N-th allocation fails, for every N until none does: each call then fails with CN_ERROR_MEMORY and
 * has no effect, or succeeds; made again with memory, the program ends with the values it has without faults.
 */
#include "plan/plan.h"

#include <string.h>

#include "check.h"

enum { ROWS = 12, COLUMNS = 9, SIZE = ROWS * COLUMNS, ROUNDS = 30 };

typedef struct results {
    double plate[SIZE], gathered[COLUMNS], rows[ROWS], product[ROWS * ROWS];
    double element;
} results;

static int refused; /* calls that failed in this run */

/* Makes the call; if it lacks memory, makes it again with memory. */
#define AGAIN(call)                                                                                                    \
    do {                                                                                                               \
        cn_status status = (call);                                                                                     \
        if (status == CN_ERROR_MEMORY) {                                                                               \
            refused++;                                                                                                 \
            cn_fault_set(0);                                                                                           \
            status = (call);                                                                                           \
        }                                                                                                              \
        EXPECT(status == CN_OK);                                                                                       \
    } while (0)

static cn_array *apply(const char *name, cn_array *a, cn_array *b, double number)
{
    const cn_operand in[] = {
        {.array = a},
        {.array = b,
         .scalar = {.value.f64 = number, .dtype = CN_FLOAT64},
         .weak = b == NULL ? CN_WEAK_FLOAT : CN_STRONG},
    };
    cn_array *result = NULL;
    AGAIN(cn_elementwise(cn_op_find(name), in, NULL, NULL, &result));
    return result;
}

static void assign(cn_array *destination, cn_array *source)
{
    const cn_operand operand = {.array = source};
    AGAIN(cn_copy(destination, &operand, CN_CAST_SAME_KIND));
}

/* plate[1 + down : ROWS - 1 + down, :] */
static cn_array *rows(cn_array *plate, int64_t down)
{
    const int64_t shape[] = {ROWS - 2, COLUMNS};
    const int64_t *strides = cn_array_strides(plate);
    cn_array *view = NULL;
    AGAIN(cn_array_view(plate, CN_FLOAT64, (1 + down) * strides[0], 2, shape, strides, true, &view));
    return view;
}

static void smooth(cn_array *plate)
{
    cn_array *old = NULL;
    AGAIN(cn_array_copy(plate, CN_FLOAT64, true, &old));
    cn_array *up = rows(old, -1), *down = rows(old, 1), *middle = rows(plate, 0);
    cn_array *sum = apply("add", up, down, 0);
    cn_array *half = apply("multiply", sum, NULL, 0.5);
    assign(middle, half);
    cn_array *const made[] = {old, up, down, middle, sum, half};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        cn_array_unref(made[i]);
    }
}

static void run(results *r)
{
    double data[SIZE];
    const int64_t shape[] = {ROWS, COLUMNS}, indices[] = {3, 0, 7}, three[] = {3};
    for (int i = 0; i < SIZE; i++) {
        data[i] = (double)((i * 7) % 11);
    }
    refused = 0;
    cni_plan_cache_clear(); /* planning must fail too */
    cn_array *plate = NULL, *index = NULL, *taken = NULL, *transposed = NULL, *product = NULL, *by_row = NULL,
             *positive = NULL;
    AGAIN(cn_array_from_memory(data, CN_FLOAT64, 2, shape, &plate));
    for (int i = 0; i < ROUNDS; i++) {
        smooth(plate);
    }
    cn_scalar element = {0};
    AGAIN(cn_array_item(plate, 40 * (int64_t)sizeof(double), &element));
    r->element = element.value.f64;

    AGAIN(cn_array_from_memory(indices, CN_INT64, 1, three, &index));
    AGAIN(cn_gather(plate, 1, &index, &taken));
    const int axis = 0;
    const cn_reduce_options over = {.naxes = 1, .axes = &axis, .dtype = CN_DTYPE_NONE};
    cn_array *gathered = NULL;
    AGAIN(cn_reduce(cn_op_find("maximum"), taken, &over, &gathered));
    AGAIN(cn_array_read(gathered, r->gathered, sizeof r->gathered));

    const int last = 1;
    const cn_reduce_options along = {.naxes = 1, .axes = &last, .dtype = CN_DTYPE_NONE};
    AGAIN(cn_reduce(cn_op_find("add"), plate, &along, &by_row));
    AGAIN(cn_array_read(by_row, r->rows, sizeof r->rows));
    AGAIN(cn_array_transpose(plate, NULL, &transposed));
    AGAIN(cn_matmul(plate, transposed, NULL, &product));
    AGAIN(cn_array_read(product, r->product, sizeof r->product));
    positive = apply("greater", plate, NULL, 4);
    const cn_operand ten = {.scalar = {.value.f64 = 10, .dtype = CN_FLOAT64}, .weak = CN_WEAK_FLOAT};
    AGAIN(cn_copy_where(plate, &ten, positive, CN_CAST_SAME_KIND));
    AGAIN(cn_array_read(plate, r->plate, sizeof r->plate));

    cn_array *const made[] = {plate, index, taken, gathered, by_row, transposed, product, positive};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        cn_array_unref(made[i]);
    }
    AGAIN(cn_synchronize());
}

int main(void)
{
    static results expected, found;
    run(&expected);
    EXPECT(refused == 0);
    uint64_t nth = 0;
    bool failed; /* a call was refused, or did without what it could not have */
    do {
        nth++;
        memset(&found, 0, sizeof found);
        cn_fault_set(nth);
        run(&found);
        uint64_t made = cn_fault_set(0);
        failed = refused > 0 || made >= nth;
        EXPECT(memcmp(&found, &expected, sizeof found) == 0);
    } while (failed && failures == 0);
    printf("%llu allocations\n", (unsigned long long)nth - 1);
    EXPECT(nth > 100);
    return finish("faults");
}
