/*
 * scan.c - accumulations along an axis, in order: NumPy's bits. Threads share out the lines; along an axis that is not
 * the innermost one, whole rows are accumulated at a time.
 */
#include <string.h>

#include "cpu/library.h"
#include "cpu/loops.h"
#include "op/op.h"

typedef struct scan {
    cni_library_operand out, in;
    int axis;
    int64_t length;
    cni_scan_loop loop;
    cni_loop rows;
    size_t itemsize;
} scan;

/* The place of line k: all axes but the scanned one, in C order. */
static void line_place(const scan *s, int64_t k, int64_t *out, int64_t *in)
{
    *out = *in = 0;
    for (int d = s->out.g.ndim - 1; d >= 0; d--) {
        if (d != s->axis) {
            int64_t i = k % s->out.g.shape[d];
            k /= s->out.g.shape[d];
            *out += i * s->out.g.strides[d];
            *in += i * s->in.g.strides[d];
        }
    }
}

static void scan_line(const scan *s, int64_t k)
{
    int64_t out_at, in_at, out_step = s->out.g.strides[s->axis], in_step = s->in.g.strides[s->axis];
    line_place(s, k, &out_at, &in_at);
    char *out = s->out.data + out_at;
    const char *in = s->in.data + in_at;
    unsigned char total[16];
    memcpy(total, in, s->itemsize);
    memcpy(out, in, s->itemsize);
    bool runs = out_step == (int64_t)s->itemsize && in_step == out_step;
    if (runs && s->length > 1) {
        s->loop(s->length - 1, in + in_step, out + out_step, total);
    }
    for (int64_t i = 1; i < s->length && !runs; i++) {
        s->loop(1, in + i * in_step, out + i * out_step, total);
    }
}

static void scan_lines(void *context, int64_t first, int64_t end)
{
    for (int64_t k = first; k < end; k++) {
        scan_line(context, k);
    }
}

/* Elements [first, end) of every row: row i is row i - 1 combined with the input's. The last axis is not scanned. */
static void scan_rows(void *context, int64_t first, int64_t end)
{
    const scan *s = context;
    int last = s->out.g.ndim - 1;
    int64_t width = s->out.g.shape[last], place = first;
    while (place < end) {
        int64_t column = place % width, n = width - column < end - place ? width - column : end - place, out_at, in_at;
        line_place(s, place, &out_at, &in_at);
        char *out = s->out.data + out_at;
        const char *in = s->in.data + in_at;
        memcpy(out, in, (size_t)n * s->itemsize);
        for (int64_t i = 1; i < s->length; i++) {
            char *row = out + i * s->out.g.strides[s->axis];
            void *p[3] = {row, row - s->out.g.strides[s->axis], (char *)(uintptr_t)in + i * s->in.g.strides[s->axis]};
            s->rows(n, p, 0);
        }
        place += n;
    }
}

void cni_library_scan(const cni_part *part, const cni_run *run)
{
    const cni_op *op = &run->window->ops[part->op];
    scan s = {.out = cni_library_operand_get(part, 0, run), .in = cni_library_operand_get(part, 1, run), .axis = op->parameter};
    int loop = cni_ops[op->opcode].first_loop + op->loop, last = s.out.g.ndim - 1;
    int64_t count = cni_element_count(s.out.g.ndim, s.out.g.shape);
    if (count == 0) {
        return;
    }
    s.itemsize = (size_t)s.out.g.itemsize;
    s.length = s.out.g.shape[s.axis];
    s.loop = cni_cpu_kernels_get()->scans[loop];
    s.rows = cni_cpu_kernels_get()->loops[loop];
    bool by_rows = s.axis != last && s.out.g.strides[last] == s.out.g.itemsize && s.in.g.strides[last] == s.out.g.itemsize;
    cni_library_lines(count / s.length, s.length, by_rows ? scan_rows : scan_lines, &s);
}
