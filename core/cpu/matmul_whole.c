/*
 * matmul_whole.c - products of matrices of bools and integers, which wrap: any order of additions gives the same. Threads
 * share out the rows; panels of the second matrix stay in the cache while all rows take them.
 */
#include <string.h>

#include "cpu/group.h"
#include "cpu/library.h"
#include "cpu/loops.h"

enum { PANEL_ROWS = 128, PANEL_BYTES = 1 << 18 };

typedef struct whole_product {
    const cni_matrix *a, *b, *c;
    int64_t size;
} whole_product;

/* Rows of b, and of c, are runs. */
static void by_rows(const whole_product *p, int64_t first, int64_t end)
{
    const cni_matrix *a = p->a, *b = p->b, *c = p->c;
    const cni_combine_loop combine = cni_cpu_kernels_get()->combines[a->dtype];
    int64_t width = PANEL_BYTES / (PANEL_ROWS * p->size);
    for (int64_t i = first; i < end; i++) {
        memset(c->data + i * c->row_stride, 0, (size_t)(c->columns * p->size));
    }
    for (int64_t k = 0; k < a->columns; k += PANEL_ROWS) {
        int64_t rows = a->columns - k < PANEL_ROWS ? a->columns - k : PANEL_ROWS;
        for (int64_t j = 0; j < c->columns; j += width) {
            int64_t columns = c->columns - j < width ? c->columns - j : width;
            for (int64_t i = first; i < end; i++) {
                combine(columns, rows, a->data + i * a->row_stride + k * a->column_stride, a->column_stride,
                        b->data + k * b->row_stride + j * p->size, b->row_stride,
                        c->data + i * c->row_stride + j * p->size);
            }
        }
    }
}

static void by_elements(const whole_product *p, int64_t first, int64_t end)
{
    const cni_matrix *a = p->a, *b = p->b, *c = p->c;
    const cni_dot_loop dot = cni_cpu_kernels_get()->dots[a->dtype];
    for (int64_t i = first; i < end; i++) {
        for (int64_t j = 0; j < c->columns; j++) {
            dot(a->columns, a->data + i * a->row_stride, a->column_stride, b->data + j * b->column_stride,
                b->row_stride, c->data + i * c->row_stride + j * c->column_stride);
        }
    }
}

static void share(void *context, int64_t first, int64_t end)
{
    const whole_product *p = context;
    bool runs = p->b->column_stride == p->size && p->c->column_stride == p->size && p->c->columns > 1;
    if (runs) {
        by_rows(p, first, end);
    } else {
        by_elements(p, first, end);
    }
}

bool cni_multiply_whole(const cni_matrix *a, const cni_matrix *b, const cni_matrix *c)
{
    whole_product p = {a, b, c, (int64_t)cn_dtype_size(a->dtype)};
    if (a->dtype >= CN_FLOAT16) {
        return false;
    }
    cni_library_lines(c->rows, c->columns * (a->columns + 1), share, &p);
    return true;
}
