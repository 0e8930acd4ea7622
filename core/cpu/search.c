/* search.c - where values go in a sorted array: threads share out the values. */
#include "cpu/joint_ops.h"
#include "cpu/library.h"
#include "cpu/order.h"
#include "record/window.h"

typedef struct search {
    const cni_order_kernels *kernels;
    cn_dtype dtype;
    const char *sorted, *values;
    int64_t n;
    size_t itemsize;
    bool right;
    int64_t *out;
} search;

static void search_values(void *context, int64_t first, int64_t end)
{
    const search *s = context;
    s->kernels->search[s->dtype](s->sorted, s->n, s->values + (size_t)first * s->itemsize, end - first, s->right,
                                 s->out + first);
}

void cni_search_sorted(cn_dtype dtype, const char *sorted, int64_t n, const char *values, int64_t count, bool right,
                       int64_t *out)
{
    search s = {.kernels = cni_order_kernels_get(),
                .dtype = dtype,
                .sorted = sorted,
                .values = values,
                .n = n,
                .itemsize = cn_dtype_size(dtype),
                .out = out,
                .right = right};
    int64_t work = 4;
    for (; n > 1; n /= 2) {
        work += 4;
    }
    if (count > 0) {
        cni_library_lines(count, work, search_values, &s);
    }
}

/* The operands are contiguous: the record function saw to it. */
void cni_library_search(const cni_part *part, const cni_run *run)
{
    cni_library_operand out = cni_library_operand_get(part, 0, run), sorted = cni_library_operand_get(part, 1, run),
                        values = cni_library_operand_get(part, 2, run);
    bool right = (run->window->ops[part->op].flags & CNI_FLAG_RIGHT) != 0;
    cni_search_sorted(sorted.dtype, sorted.data, sorted.g.shape[0], values.data,
                      cni_element_count(values.g.ndim, values.g.shape), right, (int64_t *)(void *)out.data);
}
