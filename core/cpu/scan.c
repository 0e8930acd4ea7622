/*
 * scan.c - accumulations along an axis, and reductions of segments of it, in order: NumPy's bits; long sums of
 * floating-point numbers in the order of scan_tree.h. Threads share out the lines, or each of a few (scan_shared.h); along
 * an axis that is not the innermost one, whole rows are accumulated at a time.
 */
#include <string.h>

#include "cpu/group.h"
#include "cpu/scan_shared.h"
#include "op/op.h"

/* ---- Accumulation ---- */

/* The place of line k: all axes but the scanned one, in C order. */
static void line_place(const cni_scan *s, int64_t k, int64_t *out, int64_t *in)
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

static void scan_line(cni_scan *s, int64_t k)
{
    int64_t out_at, in_at, out_step = s->out.g.strides[s->axis], in_step = s->in.g.strides[s->axis];
    line_place(s, k, &out_at, &in_at);
    char *out = s->out.data + out_at;
    const char *in = s->in.data + in_at;
    unsigned char total[16];
    int64_t first = s->from == NULL;
    memcpy(total, first ? in : s->from + (size_t)k * s->itemsize, s->itemsize);
    if (first) {
        memcpy(out, in, s->itemsize);
    }
    bool runs = out_step == (int64_t)s->itemsize && in_step == out_step && s->loop != NULL;
    if (runs && s->length > first) {
        cni_scan_on(s, s->length - first, in + first * in_step, out + first * out_step, NULL, total);
    }
    for (int64_t i = first; i < s->length && !runs; i++) {
        void *p[3] = {out + i * out_step, total, (char *)(uintptr_t)in + i * in_step};
        if (s->loop != NULL) {
            s->loop(1, p[2], p[0], total);
        } else {
            s->rows(1, p, 0);
            memcpy(total, p[0], s->itemsize);
        }
    }
    if (s->left != NULL) {
        memcpy(s->left + (size_t)k * s->itemsize, total, s->itemsize);
    }
}

static void scan_line_tree(cni_scan *s, int64_t k)
{
    int64_t out_at, in_at;
    cni_scan_state state = {0};
    line_place(s, k, &out_at, &in_at);
    if (s->from != NULL) {
        memcpy(&state, s->from + (size_t)k * sizeof state, sizeof state);
    }
    cni_scan_on(s, s->length, s->in.data + in_at, s->out.data + out_at, &state, NULL);
    if (s->left != NULL) {
        memcpy(s->left + (size_t)k * sizeof state, &state, sizeof state);
    }
}

static void scan_lines(void *context, int64_t first, int64_t end)
{
    cni_scan *s = context;
    cni_shared_events_begin(&s->events);
    for (int64_t k = first; k < end; k++) {
        if (s->tree) {
            scan_line_tree(s, k);
        } else {
            scan_line(s, k);
        }
    }
    cni_shared_events_note(&s->events);
}

/* Elements [first, end) of every row: row i is row i - 1 combined with the input's. The last axis is not scanned. */
static void scan_rows(void *context, int64_t first, int64_t end)
{
    cni_scan *s = context;
    int last = s->out.g.ndim - 1;
    int64_t width = s->out.g.shape[last], place = first;
    cni_shared_events_begin(&s->events);
    while (place < end) {
        int64_t column = place % width, n = width - column < end - place ? width - column : end - place, out_at, in_at;
        line_place(s, place, &out_at, &in_at);
        char *out = s->out.data + out_at;
        const char *in = s->in.data + in_at;
        int64_t out_step = s->out.g.strides[s->axis];
        void *before = out;
        if (s->from == NULL) {
            memcpy(out, in, (size_t)n * s->itemsize);
        } else {
            before = (char *)(uintptr_t)s->from + (size_t)place * s->itemsize;
        }
        for (int64_t i = s->from == NULL; i < s->length; i++) {
            void *p[3] = {out + i * out_step, before, (char *)(uintptr_t)in + i * s->in.g.strides[s->axis]};
            s->rows(n, p, 0);
            before = p[0];
        }
        if (s->left != NULL) {
            memcpy(s->left + (size_t)place * s->itemsize, out + (s->length - 1) * out_step, (size_t)n * s->itemsize);
        }
        place += n;
    }
    cni_shared_events_note(&s->events);
}

void cni_scan_run(const cni_part *part, const cni_run *run, const char *from, char *left)
{
    const cni_op *op = &run->window->ops[part->op];
    cni_scan s = {.events = {.wanted = op->fp_kinds},
                  .out = cni_library_operand_get(part, 0, run),
                  .in = cni_library_operand_get(part, 1, run),
                  .axis = op->parameter,
                  .tree = (op->flags & CNI_FLAG_TREE) != 0,
                  .adds = cni_scan_totals_add(op),
                  .from = from,
                  .left = left};
    int loop = cni_ops[op->opcode].first_loop + op->loop, last = s.out.g.ndim - 1;
    int64_t count = cni_element_count(s.out.g.ndim, s.out.g.shape);
    if (count == 0) {
        return;
    }
    s.itemsize = (size_t)s.out.g.itemsize;
    s.length = s.out.g.shape[s.axis];
    s.loop = cni_cpu_kernels_get()->scans[loop];
    s.reduce = cni_cpu_kernels_get()->reduces[loop];
    s.rows = cni_cpu_kernels_get()->loops[loop];
    s.threads = cni_scan_shares(&s, count / s.length);
    bool by_rows =
        s.axis != last && s.out.g.strides[last] == s.out.g.itemsize && s.in.g.strides[last] == s.out.g.itemsize;
    if (s.threads > 1) {
        scan_lines(&s, 0, count / s.length);
    } else {
        cni_library_lines(count / s.length, s.length, by_rows && !s.tree ? scan_rows : scan_lines, &s);
    }
    cni_shared_events_report(&s.events, run, part->op);
}

/* ---- Segments: the input's axis is its last one, and contiguous ---- */

typedef struct segments {
    cni_shared_events events;
    cni_library_operand out, in;
    const int64_t *begins;
    int64_t count, length; /* segments, elements along the axis */
    int64_t first;         /* result that is computed */
    int axis;
    cni_reduce_loop loop; /* NULL: the op is no reduction */
    cni_loop fold;
    size_t itemsize;
} segments;

/* Segment j of line k. */
static void segment_reduce(const segments *s, int64_t k, int64_t j)
{
    int64_t out_at = j * s->out.g.strides[s->axis], in_at = 0, at = s->in.g.ndim - 2;
    for (int d = s->out.g.ndim - 1; d >= 0; d--) {
        if (d != s->axis) {
            int64_t i = k % s->out.g.shape[d];
            k /= s->out.g.shape[d];
            out_at += i * s->out.g.strides[d];
            in_at += i * s->in.g.strides[at--];
        }
    }
    int64_t begin = s->begins[j], end = j + 1 < s->count ? s->begins[j + 1] : s->length, size = (int64_t)s->itemsize;
    char *out = s->out.data + out_at, *in = s->in.data + in_at + begin * size;
    memcpy(out, in, s->itemsize);
    if (s->loop != NULL && end - begin > 1) {
        s->loop(end - begin - 1, in + size, out);
        return;
    }
    for (int64_t i = 1; i < end - begin; i++) {
        void *p[3] = {out, out, in + i * size};
        s->fold(1, p, 0);
    }
}

static void segments_share(void *context, int64_t first, int64_t end)
{
    segments *s = context;
    cni_shared_events_begin(&s->events);
    for (int64_t k = s->first + first; k < s->first + end; k++) {
        segment_reduce(s, k / s->count, k % s->count);
    }
    cni_shared_events_note(&s->events);
}

void cni_segments_range(const cni_part *part, const cni_run *run, int64_t first, int64_t end)
{
    const cni_op *op = &run->window->ops[part->op];
    cni_library_operand begins = cni_library_operand_get(part, 2, run);
    segments s = {.events = {.wanted = op->fp_kinds},
                  .out = cni_library_operand_get(part, 0, run),
                  .in = cni_library_operand_get(part, 1, run),
                  .axis = op->parameter,
                  .begins = (const int64_t *)(const void *)begins.data,
                  .count = begins.g.shape[0],
                  .first = first};
    int loop = cni_ops[op->opcode].first_loop + op->loop;
    s.itemsize = (size_t)s.out.g.itemsize;
    s.length = s.in.g.shape[s.in.g.ndim - 1];
    s.loop = cni_cpu_kernels_get()->reduces[loop];
    s.fold = cni_cpu_kernels_get()->loops[loop];
    cni_library_lines(end - first, s.length / s.count + 1, segments_share, &s);
    cni_shared_events_report(&s.events, run, part->op);
}

void cni_library_segments(const cni_part *part, const cni_run *run)
{
    cni_library_operand out = cni_library_operand_get(part, 0, run);
    int64_t results = cni_element_count(out.g.ndim, out.g.shape);
    if (results > 0) {
        cni_segments_range(part, run, 0, results);
    }
}

void cni_library_scan(const cni_part *part, const cni_run *run)
{
    cni_scan_run(part, run, NULL, NULL);
}
