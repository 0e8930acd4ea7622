/*
 * fourier.c - Fourier transforms along an axis: lines, their memory and threads; see fourier.h.
 *
 * Short lines are done several together by one thread each, long ones one after the other by all threads. Memory: room
 * for the plan, if the cache has none; then what making it takes or, of long lines, what is between; then planes, by thread.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/threads.h"
#include "cpu/fourier.h"
#include "cpu/group.h"
#include "cpu/joint_ops.h"
#include "cpu/library.h"
#include "op/op.h"

enum {
    CONTIGUOUS_LEAST = 64, /* points of a line that has vectors of its own */
    STACK = 48 << 10,      /* bytes of memory that small work finds on the stack */
    WORK = 24,             /* element operations that a point counts for */
    MOST_WORKERS = 256
};

typedef struct shape {
    cni_geometry out, in;
    int axis;
    cni_fourier_job job; /* but the plan and the scale */
    bool real;
    int64_t n, lines;
    cni_fourier_size size;
    int lanes;
    int64_t blocks, in_row; /* of lines; lines of a row of them, which are a stride apart */
    int workers;
    int64_t between, pairs; /* bytes: long lines */
    int64_t work;
    int order[CN_MAX_DIMS]; /* of the axes but that one: the last is the fastest */
} shape;

/* ---- Shape ---- */

/* Axes in C order, but last the one along which lines of the input are closest. */
static void order_lines(shape *s)
{
    int n = 0, closest = -1;
    for (int d = 0; d < s->in.ndim; d++) {
        bool candidate = d != s->axis && s->in.shape[d] > 1;
        if (candidate && (closest < 0 || llabs(s->in.strides[d]) <= llabs(s->in.strides[closest]))) {
            closest = d;
        }
    }
    for (int d = 0; d < s->in.ndim; d++) {
        if (d != s->axis && d != closest) {
            s->order[n++] = d;
        }
    }
    if (closest >= 0) {
        s->order[n++] = closest;
    }
    s->in_row = closest >= 0 ? s->in.shape[closest] : 1;
}

int cni_fourier_workers(void)
{
    static int known; /* not a setting: memory is declared once, settings change */
    if (known == 0) {
        long count = sysconf(_SC_NPROCESSORS_CONF);
        known = count < 8 ? 8 : count > MOST_WORKERS ? MOST_WORKERS : (int)count;
    }
    return known;
}

static void share_lines(shape *s)
{
    bool together = s->size.points < CONTIGUOUS_LEAST || s->in.strides[s->axis] != s->in.itemsize ||
                    s->out.strides[s->axis] != s->out.itemsize;
    s->lanes = together ? cni_fourier_lanes(s->size.inner) : 1;
    s->in_row = s->in_row < s->lanes / 4 ? s->lines : s->in_row; /* short rows: lines of several */
    s->lanes = s->lanes < s->in_row ? s->lanes : (int)s->in_row;
    int64_t in_row = (s->in_row + s->lanes - 1) / s->lanes;
    s->blocks = s->lines / s->in_row * in_row;
    s->workers = s->blocks < cni_fourier_workers() ? (int)s->blocks : cni_fourier_workers();
    s->work = cni_fourier_planes(s->size.inner, s->lanes);
}

static void share_long_lines(shape *s)
{
    const int64_t number = sizeof(double);
    s->lanes = cni_fourier_lanes(s->size.rows);
    s->workers = cni_fourier_workers();
    s->work = cni_fourier_planes(s->size.rows, s->lanes);
    s->pairs = 2 * (s->size.points + 1) * number;
    s->between = (s->size.inner != s->size.points ? 4 : 2) * s->size.inner * number;
}

cni_fourier_job cni_fourier_job_of(const cni_op *op, const cni_geometry *out, cn_dtype out_dtype,
                                   const cni_geometry *in, cn_dtype in_dtype, int64_t *n, bool *real)
{
    bool from_real = in_dtype == CN_FLOAT32 || in_dtype == CN_FLOAT64,
         to_real = out_dtype == CN_FLOAT32 || out_dtype == CN_FLOAT64,
         single = out_dtype == CN_COMPLEX64 || out_dtype == CN_FLOAT32;
    int axis = op->parameter;
    int64_t length = out->shape[axis], have = in->shape[axis];
    cni_fourier_kind kind = to_real                             ? CNI_FOURIER_REAL
                            : !from_real                        ? CNI_FOURIER_COMPLEX
                            : (op->flags & CNI_FLAG_WHOLE) != 0 ? CNI_FOURIER_WHOLE
                                                                : CNI_FOURIER_HALF;
    *real = from_real || to_real;
    *n = kind == CNI_FOURIER_HALF ? 2 * (length - 1) + ((op->flags & CNI_FLAG_ODD) != 0) : length;
    int64_t needs = kind == CNI_FOURIER_REAL ? *n / 2 + 1 : *n;
    return (cni_fourier_job){.kind = kind,
                             .backward = (op->flags & CNI_FLAG_BACKWARD) != 0,
                             .number = single ? sizeof(float) : sizeof(double),
                             .have = have < needs ? have : needs,
                             .in_stride = in->strides[axis],
                             .out_stride = out->strides[axis],
                             .in_size = in->itemsize,
                             .out_size = out->itemsize};
}

static shape shape_of(const cni_op *op, cni_geometry out, cn_dtype out_dtype, cni_geometry in, cn_dtype in_dtype)
{
    shape s = {.out = out, .in = in, .axis = op->parameter};
    s.job = cni_fourier_job_of(op, &out, out_dtype, &in, in_dtype, &s.n, &s.real);
    int64_t length = out.shape[s.axis];
    s.lines = length > 0 ? cni_element_count(out.ndim, out.shape) / length : 0;
    if (s.lines == 0) {
        return s;
    }
    s.size = cni_fourier_size_get(s.n, s.real);
    order_lines(&s);
    if (s.size.rows > 0) {
        share_long_lines(&s);
    } else {
        share_lines(&s);
    }
    return s;
}

/* What is beside the plan: while it is made, or of a long line. */
static int64_t beside_bytes(const shape *s)
{
    int64_t long_line = s->between + s->pairs;
    return ((long_line > s->size.spare ? long_line : s->size.spare) + 63) & ~INT64_C(63);
}

static int64_t memory_bytes(const shape *s, int workers)
{
    return s->size.bytes + beside_bytes(s) + workers * s->work + 64;
}

static bool is_small(const shape *s)
{
    return s->lines * s->n <= 4096 && memory_bytes(s, 1) <= STACK;
}

/* ---- Running ---- */

typedef struct run {
    const shape *s;
    cni_fourier_job job;
    const cni_fourier_kernels *kernels;
    const char *in;
    char *out, *work;
    int threads;
    cni_shared_events events;
} run;

static int64_t line_offset(const shape *s, const cni_geometry *g, int64_t line)
{
    int64_t offset = 0;
    for (int d = g->ndim - 2; d >= 0; d--) {
        int64_t extent = g->shape[s->order[d]];
        offset += line % extent * g->strides[s->order[d]];
        line /= extent;
    }
    return offset;
}

/* Where lines begin that a view has: bytes from each to the next, 0 if that differs. */
static int64_t lines_at(const shape *s, const cni_geometry *g, int64_t first, int lanes, int64_t *offsets)
{
    int last = g->ndim - 2;
    bool one_row = last >= 0 && s->in_row == g->shape[s->order[last]];
    int64_t step = one_row ? g->strides[s->order[last]] : 0, even = 0;
    offsets[0] = line_offset(s, g, first);
    for (int l = 1; l < lanes; l++) {
        offsets[l] = one_row ? offsets[l - 1] + step : line_offset(s, g, first + l);
        even = l == 1 || offsets[l] - offsets[l - 1] == even ? offsets[l] - offsets[l - 1] : 0;
    }
    return even;
}

/* Block k of the lines. */
static void lines_of(const run *r, int64_t k, cni_fourier_lines *lines)
{
    const shape *s = r->s;
    int64_t in_row = (s->in_row + s->lanes - 1) / s->lanes, row = k / in_row, at = k % in_row;
    int64_t begin = s->in_row * at / in_row, first = row * s->in_row + begin;
    int64_t in[CNI_FOURIER_LANES], out[CNI_FOURIER_LANES];
    lines->lanes = (int)(s->in_row * (at + 1) / in_row - begin);
    lines->in_apart = lines_at(s, &s->in, first, lines->lanes, in);
    lines->out_apart = lines_at(s, &s->out, first, lines->lanes, out);
    for (int l = 0; l < lines->lanes; l++) {
        lines->in[l] = r->in + in[l];
        lines->out[l] = r->out + out[l];
    }
}

static void run_blocks(void *context, int t)
{
    run *r = context;
    cni_fourier_lines lines;
    cni_shared_events_begin(&r->events);
    for (int64_t k = cni_lane_begin(r->s->blocks, t, r->threads); k < cni_lane_begin(r->s->blocks, t + 1, r->threads);
         k++) {
        lines_of(r, k, &lines);
        r->kernels->lines(&r->job, &lines, r->work + t * r->s->work);
    }
    cni_shared_events_note(&r->events);
}

static void run_long(run *r, char *beside)
{
    const shape *s = r->s;
    cni_fourier_crew crew = {
        .threads = r->threads, .work = r->work, .work_bytes = s->work, .kernels = r->kernels, .events = &r->events};
    for (int64_t k = 0; k < s->lines; k++) {
        cni_fourier_long_line(&crew, &r->job, r->in + line_offset(s, &s->in, k), r->out + line_offset(s, &s->out, k),
                              beside, beside + s->pairs);
    }
}

static void run_all(run *r, char *memory)
{
    const shape *s = r->s;
    char *beside = memory + s->size.bytes;
    cni_fourier *cached = cni_fourier_get(s->n, s->real);
    r->job.f = cached != NULL ? cached : cni_fourier_make(s->n, s->real, memory, beside);
    r->work = beside + beside_bytes(s);
    if (s->size.rows > 0) {
        run_long(r, beside);
    } else {
        cni_threads_run(r->threads, run_blocks, r);
    }
    if (cached != NULL) {
        cni_fourier_put(cached);
    }
}

static __attribute__((noinline)) void run_small(run *r)
{
    char memory[STACK] __attribute__((aligned(64)));
    r->threads = 1;
    run_all(r, memory);
}

static shape shape_in(const cni_part *part, const cni_window *w)
{
    uint32_t out = part->access[0].view, in = part->access[1].view;
    return shape_of(&w->ops[part->op], cni_window_geometry(w, out), (cn_dtype)w->views[out].dtype,
                    cni_window_geometry(w, in), (cn_dtype)w->views[in].dtype);
}

int64_t cni_library_fourier_scratch(const cni_part *part, const cni_window *w)
{
    shape s = shape_in(part, w);
    return s.lines == 0 || is_small(&s) ? 0 : memory_bytes(&s, s.workers);
}

void cni_library_fourier(const cni_part *part, const cni_run *context)
{
    shape s = shape_in(part, context->window);
    if (s.lines == 0) {
        return;
    }
    run r = {.s = &s,
             .kernels = cni_fourier_kernels_get(),
             .out = cni_library_operand_get(part, 0, context).data,
             .in = cni_library_operand_get(part, 1, context).data,
             .events = {.wanted = context->window->ops[part->op].fp_kinds}};
    r.job = s.job;
    r.job.scale = cni_library_scalar(part, 2, context)->value.f64;
    r.threads =
        cni_library_threads(s.size.rows > 0 ? s.size.rows : s.blocks,
                            WORK * (s.size.rows > 0 ? s.size.inner / s.size.rows : s.size.inner * s.lanes), s.workers);
    if (is_small(&s)) {
        run_small(&r);
    } else {
        run_all(&r, context->scratch);
    }
    cni_shared_events_report(&r.events, context, part->op);
}
