/* search.c - where values go in a sorted array: threads share out the values. */
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

/* The operands are contiguous: the record function saw to it. */
void cni_library_search(const cni_part *part, const cni_run *run)
{
    cni_library_operand out = cni_library_operand_get(part, 0, run), sorted = cni_library_operand_get(part, 1, run),
                        values = cni_library_operand_get(part, 2, run);
    search s = {.kernels = cni_order_kernels_get(),
                .dtype = sorted.dtype,
                .sorted = sorted.data,
                .values = values.data,
                .n = sorted.g.shape[0],
                .itemsize = (size_t)sorted.g.itemsize,
                .out = (int64_t *)(void *)out.data,
                .right = (run->window->ops[part->op].flags & CNI_FLAG_RIGHT) != 0};
    int64_t count = cni_element_count(values.g.ndim, values.g.shape), work = 4;
    for (int64_t n = s.n; n > 1; n /= 2) {
        work += 4;
    }
    if (count > 0) {
        cni_library_lines(count, work, search_values, &s);
    }
}
