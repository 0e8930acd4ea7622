/* cuda_extreme.c - argmin and argmax (extreme.cuh): of all of an array, or of what one of several places has of its lines. */
#include "base/text.h"
#include "cuda/cuda_layout.h"
#include "cuda/cuda_library.h"
#include "cuda/cuda_spread.h"
#include "op/op.h"

enum { THREADS = 256, FOUND = 24 /* bytes of a line's index and value, as core/cpu/extreme.c hands them on */ };
enum { SHARES_MANY = 32 /* of a line, for one thread */ };

typedef cni_cuda_library_binding binding;

/* Do lines go over the memory of several GPUs, so that each has a share of every one? */
static bool goes_across(const cni_geometry *in, int axis)
{
    int64_t most = 0;
    for (int d = 0; d < in->ndim; d++) {
        int64_t step = in->strides[d] < 0 ? -in->strides[d] : in->strides[d];
        most = d != axis && in->shape[d] > 1 && step > most ? step : most;
    }
    int64_t step = in->strides[axis] < 0 ? -in->strides[axis] : in->strides[axis];
    return step > most && cni_cuda_spread_wanted(step * in->shape[axis]);
}

/* found: extremes are left with their indices. */
static bool extreme_bind(const cni_part *part, const cni_window *w, bool found, binding *b)
{
    cni_geometry out = cni_cuda_operand(part, w, 0), in = cni_cuda_operand(part, w, 1);
    const cni_op *op = &w->ops[part->op];
    cn_dtype dtype = cni_cuda_operand_dtype(part, w, 1);
    bool maximum = (op->flags & CNI_FLAG_MAXIMUM) != 0, all = op->parameter == CNI_FIRST_AXIS_ALL;
    int64_t count = cni_element_count(in.ndim, in.shape);
    cni_text text = {0};
    bool fits = count > 0 && (all || out.ndim == in.ndim);
    if (fits && all) {
        fits = cni_cuda_merge_axes(in.ndim, in.shape, in.strides, NULL, &b->p.extreme.ninner, b->p.extreme.inner,
                                   b->p.extreme.in_inner, NULL);
        b->p.extreme.length = count;
    } else if (fits) {
        fits = cni_cuda_outer_axes(&in, &out, op->parameter, &b->p.extreme.nouter, b->p.extreme.outer,
                                   b->p.extreme.in_outer, b->p.extreme.out_outer);
        b->p.extreme.ninner = 1;
        b->p.extreme.length = b->p.extreme.inner[0] = in.shape[op->parameter];
        b->p.extreme.in_inner[0] = in.strides[op->parameter];
    }
    if (!fits) {
        return false;
    }
    int64_t lines = count / b->p.extreme.length, wanted = ((int64_t)cni_cuda_gpu.processors * 8 + lines - 1) / lines;
    int64_t most = (b->p.extreme.length + 4 * THREADS - 1) / (4 * THREADS);
    if (!all && goes_across(&in, op->parameter) && b->p.extreme.length >= cni_cuda_gpu.gpus) {
        int64_t each = wanted / cni_cuda_gpu.gpus + 1; /* as many of every GPU */
        b->p.extreme.across = 1;
        wanted = most = each * cni_cuda_gpu.gpus < b->p.extreme.length ? each * cni_cuda_gpu.gpus : cni_cuda_gpu.gpus;
    }
    b->p.extreme.lines = lines;
    b->p.extreme.shares = wanted < most ? wanted : most;
    b->blocks = lines * b->p.extreme.shares;
    bool many = b->p.extreme.shares > SHARES_MANY;
    b->finish_blocks = b->p.extreme.shares == 1 ? 0 : many ? lines : (lines + THREADS - 1) / THREADS;
    b->scratch = b->blocks * 8;
    bool parts = dtype >= CN_COMPLEX64, half = dtype == CN_FLOAT16;
    cni_text_add(&text,
                 "#define FOUND %d\n#define CNI_COOPERATIVE\n#include \"cuda/prelude.cuh\"\n#include "
                 "\"op/%s.h\"\n#define TYPE %s\n",
                 (int)found, half ? "convert" : "complex", cni_dtypes[dtype].type);
    cni_text_add(&text, "#define VALUE_OF(x) %s\n#define IS_NAN(x) %s\n",
                 half               ? "half_to_float(x)"
                 : dtype == CN_BOOL ? "((x) != 0)"
                                    : "(x)",
                 parts ? "((x).re != (x).re || (x).im != (x).im)" : "(VALUE_OF(x) != VALUE_OF(x))");
    cni_text_add(&text, "#define MANY %d\n", (int)many);
    cni_text_add(&text, "#define BELOW(x, y) %s\n#define BEYOND(x, y) BELOW(%s)\n#include \"cuda/extreme.cuh\"\n",
                 parts ? "((x).re != (y).re ? (x).re < (y).re : (x).im < (y).im)" : "(VALUE_OF(x) < VALUE_OF(y))",
                 maximum ? "y, x" : "x, y");
    cni_text_add(&text, "/* CNI_FINISH */\n");
    return b->blocks <= INT32_MAX && cni_cuda_library_compiled(b, &text);
}

bool cni_cuda_extreme_bind(const cni_part *part, const cni_window *w, binding *b)
{
    return extreme_bind(part, w, false, b);
}

static void launch(const cni_part *part, binding *b, const cni_run *run, uint64_t out, uint64_t scratch)
{
    b->p.extreme.out = out;
    b->p.extreme.in = cni_cuda_operand_address(part, run, 1);
    b->p.extreme.found = scratch;
    cni_cuda_library_launch(b, sizeof b->p.extreme, b->p.extreme.in);
}

void cni_cuda_extreme_run(const cni_part *part, binding *b, const cni_run *run)
{
    launch(part, b, run, cni_cuda_operand_address(part, run, 0), (uintptr_t)run->scratch);
}

/* ---- Lines that go on at other places ---- */

bool cni_cuda_extreme_rows_bind(const cni_part *part, const cni_window *w, const cni_chain_rule *rule, binding *b)
{
    int64_t step = FOUND;
    if (!rule->apart || !extreme_bind(part, w, true, b)) {
        return false;
    }
    for (int64_t d = b->p.extreme.nouter - 1; d >= 0; d--) {
        b->p.extreme.out_outer[d] = step;
        step *= b->p.extreme.outer[d];
    }
    b->marks = b->p.extreme.lines * FOUND;
    b->scratch += b->marks;
    return true;
}

cn_status cni_cuda_extreme_rows_run(const cni_part *part, binding *b, const cni_run *run, int64_t before,
                                    cni_link_phase phase, void *const *rows)
{
    uint64_t found = (uintptr_t)run->scratch;
    (void)phase;
    b->p.extreme.before = before;
    cni_cuda_fill(found, 0, (size_t)b->marks);
    launch(part, b, run, found, found + (uint64_t)b->marks);
    return cni_cuda_library_link(found, rows[0], b->marks, false);
}
