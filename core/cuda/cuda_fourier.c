/*
 * cuda_fourier.c - Fourier transforms along an axis by cuFFT, as ops that several places share out: of the lines that one does.
 * (One place has them by calls, cuda_fft.c.) Lines that the library can take where they lie it takes there; others it finds
 * and leaves in memory of the binding (fourier.cuh).
 *
 *     scratch: lines to be transformed | transformed | what a plan works in
 */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cuda/cuda_fft_plan.h"
#include "cuda/cuda_graph.h"
#include "cuda/cuda_library.h"
#include "exec/world.h"
#include "op/op.h"

enum { THREADS = 256, RUNS_MOST = 64 /* of a plan, before lines are put side by side */ };

typedef cni_cuda_library_binding binding;

/* As fourier.cuh has it. */
typedef struct move_words {
    uint64_t from, to;
    int64_t lines, length, have, from_step, to_step;
    int64_t nouter, outer[CNI_CUDA_DIMS], from_outer[CNI_CUDA_DIMS], to_outer[CNI_CUDA_DIMS];
    int64_t across, conjugate, ends;
    double scale;
} move_words;

/* Lines in memory, of the operand or of the binding: steps in bytes. */
typedef struct side {
    cn_dtype dtype;
    int64_t itemsize, length, step, outer[CNI_CUDA_DIMS];
    bool direct; /* the library can take them there */
} side;

typedef struct transform {
    cni_fft_plan *plan;
    bool inverse, loads, stores, in_place;
    const cni_cuda_module *load, *store;
    move_words loading, storing;
    int64_t nruns, runs[CNI_CUDA_DIMS], in_step[CNI_CUDA_DIMS], out_step[CNI_CUDA_DIMS]; /* of the plan: bytes */
    int64_t out_at, work_at;
} transform;

/* The op: lines along an axis. */
typedef struct job {
    cni_geometry in, out;
    int axis;
    int64_t n, lines, nouter, outer[CNI_CUDA_DIMS];
    bool backward, half, real, odd; /* half: to half of a spectrum; real: from one */
    side memory[2], dense[2];       /* in, out */
} job;

static bool is_real(cn_dtype dtype)
{
    return dtype == CN_FLOAT32 || dtype == CN_FLOAT64;
}

static bool is_single(cn_dtype dtype)
{
    return dtype == CN_FLOAT32 || dtype == CN_COMPLEX64;
}

/* ---- Where lines are ---- */

static void find_direct(const job *j, const cni_geometry *g, side *s)
{
    int64_t aligned = is_single(s->dtype) ? 8 : 16; /* as complex numbers are */
    s->direct = g->offset % aligned == 0 && s->step > 0 && s->step % s->itemsize == 0;
    for (int d = 0; d < j->nouter; d++) {
        s->direct &= s->outer[d] > 0 && s->outer[d] % s->itemsize == 0;
    }
}

/* One behind the other, or side by side where they are so in memory. */
static side dense_of(const job *j, cn_dtype dtype, int64_t length, bool across)
{
    int64_t itemsize = (int64_t)cn_dtype_size(dtype), step = across ? itemsize : itemsize * length;
    side s = {.dtype = dtype, .itemsize = itemsize, .length = length, .direct = true};
    s.step = across ? itemsize * j->lines : itemsize;
    for (int64_t d = j->nouter - 1; d >= 0; d--) {
        s.outer[d] = step;
        step *= j->outer[d];
    }
    return s;
}

static bool is_across(const job *j, const side *s)
{
    return j->nouter > 0 && s->outer[j->nouter - 1] < s->step;
}

static bool job_of(const cni_part *part, const cni_window *w, job *j)
{
    const cni_op *op = &w->ops[part->op];
    *j = (job){.out = cni_cuda_operand(part, w, 0), .in = cni_cuda_operand(part, w, 1), .axis = op->parameter};
    cn_dtype out = cni_cuda_operand_dtype(part, w, 0), in = cni_cuda_operand_dtype(part, w, 1);
    j->backward = (op->flags & CNI_FLAG_BACKWARD) != 0;
    j->odd = (op->flags & CNI_FLAG_ODD) != 0;
    j->real = is_real(out);
    j->half = is_real(in) && (op->flags & CNI_FLAG_WHOLE) == 0;
    int64_t length = j->out.shape[j->axis], count = cni_element_count(j->out.ndim, j->out.shape);
    j->n = j->half ? 2 * (length - 1) + j->odd : length;
    j->lines = length > 0 ? count / length : 0;
    side *x = &j->memory[0], *y = &j->memory[1];
    *x = (side){.dtype = in, .itemsize = j->in.itemsize, .step = j->in.strides[j->axis]};
    *y = (side){.dtype = out, .itemsize = j->out.itemsize, .step = j->out.strides[j->axis], .length = length};
    x->length = j->real ? j->n / 2 + 1 : j->n;
    if (count == 0 || !cni_cuda_outer_axes(&j->in, &j->out, j->axis, &j->nouter, j->outer, x->outer, y->outer)) {
        return false;
    }
    find_direct(j, &j->in, x);
    find_direct(j, &j->out, y);
    /* what the library may not spoil, or has to find otherwise than it is in memory */
    x->direct &= !j->real && (is_real(in) == j->half) && j->in.shape[j->axis] >= x->length;
    cn_dtype complex = is_single(out) ? CN_COMPLEX64 : CN_COMPLEX128;
    j->dense[0] = dense_of(j, j->half ? in : complex, x->length, is_across(j, x));
    j->dense[1] = dense_of(j, out, length, is_across(j, y));
    return true;
}

/* ---- The plan ---- */

/* Of the other axes those along which both sides go on become one: how many are left, of which the longest is the batch. */
static int64_t axes_of_plan(const job *j, const side *in, const side *out, transform *t, int *batch)
{
    int kept = -1;
    for (int d = 0; d < j->nouter; d++) {
        bool joins = kept >= 0 && t->in_step[kept] == in->outer[d] * j->outer[d] &&
                     t->out_step[kept] == out->outer[d] * j->outer[d];
        kept += joins ? 0 : 1;
        t->runs[kept] = joins ? t->runs[kept] * j->outer[d] : j->outer[d];
        t->in_step[kept] = in->outer[d];
        t->out_step[kept] = out->outer[d];
    }
    *batch = kept < 0 ? -1 : 0;
    for (int d = 1; d <= kept; d++) {
        *batch = t->runs[d] > t->runs[*batch] ? d : *batch;
    }
    return kept + 1;
}

/* Leaves the runs, but those of the batch; false: there are too many, or they begin where the library cannot. */
static bool plan_shape(const job *j, const side *in, const side *out, transform *t, cni_fft_shape *s)
{
    int batch;
    int64_t axes = axes_of_plan(j, in, out, t, &batch), all = 1;
    memset(s, 0, sizeof *s);
    s->naxes = 1;
    s->n[0] = j->n;
    s->in[0] = in->length;
    s->out[0] = out->length;
    s->in_step = in->step / in->itemsize;
    s->out_step = out->step / out->itemsize;
    s->batch = batch >= 0 ? t->runs[batch] : 1;
    s->in_distance = batch >= 0 ? t->in_step[batch] / in->itemsize : s->in_step * s->in[0];
    s->out_distance = batch >= 0 ? t->out_step[batch] / out->itemsize : s->out_step * s->out[0];
    t->nruns = 0;
    for (int d = 0; d < axes; d++) {
        if (d != batch) {
            int64_t aligned = is_single(in->dtype) ? 8 : 16;
            all *= t->in_step[d] % aligned == 0 && t->out_step[d] % aligned == 0 ? t->runs[d] : RUNS_MOST + 1;
            t->runs[t->nruns] = t->runs[d];
            t->in_step[t->nruns] = t->in_step[d];
            t->out_step[t->nruns++] = t->out_step[d];
        }
        if (all > RUNS_MOST) {
            return false;
        }
    }
    return true;
}

static bool plan_of(const job *j, transform *t, int64_t *work)
{
    cni_fft_shape s;
    t->loads = !j->memory[0].direct;
    t->stores = !j->memory[1].direct;
    if (!plan_shape(j, &(t->loads ? j->dense : j->memory)[0], &(t->stores ? j->dense : j->memory)[1], t, &s)) {
        t->loads = t->stores = true;
        if (!plan_shape(j, &j->dense[0], &j->dense[1], t, &s)) {
            return false;
        }
    }
    t->inverse = j->real || (j->backward && !j->half);
    t->in_place = t->loads && t->stores && j->dense[0].step == j->dense[1].step && !j->real && !j->half;
    s.type = cni_fft_type(j->dense[0].dtype, j->dense[1].dtype, t->inverse);
    t->plan = s.type != 0 ? cni_fft_get(&s, work) : NULL;
    return t->plan != NULL;
}

/* ---- Moves ---- */

static const cni_cuda_module *move_compiled(const side *from, const side *to)
{
    cni_text text = {0};
    cni_text_add(&text,
                 "#include \"cuda/prelude.cuh\"\n#define NUMBER %s\n#define REAL_FROM %d\n#define REAL_TO %d\n"
                 "#include \"cuda/fourier.cuh\"\n",
                 is_single(from->dtype) ? "float" : "double", (int)is_real(from->dtype), (int)is_real(to->dtype));
    const cni_cuda_module *module = text.data != NULL ? cni_cuda_module_begin(text.data) : NULL;
    cni_text_free(&text);
    return module;
}

static move_words move_of(const job *j, const side *from, const side *to, int64_t have)
{
    move_words m = {.lines = j->lines, .length = to->length, .have = have, .nouter = j->nouter, .scale = 1};
    m.from_step = from->step;
    m.to_step = to->step;
    memcpy(m.outer, j->outer, sizeof m.outer);
    memcpy(m.from_outer, from->outer, sizeof m.from_outer);
    memcpy(m.to_outer, to->outer, sizeof m.to_outer);
    return m;
}

static bool moves_of(const job *j, transform *t)
{
    const side *in = j->memory, *dense = j->dense, *out = &j->memory[1];
    int64_t have = j->in.shape[j->axis];
    t->loading = move_of(j, in, &dense[0], have < dense[0].length ? have : dense[0].length);
    t->loading.across = is_across(j, in);
    t->loading.conjugate = j->real && !j->backward;
    t->loading.ends = !j->real ? 0 : j->n % 2 == 0 ? 2 : 1;
    t->storing = move_of(j, t->stores ? &dense[1] : out, out, out->length);
    t->storing.across = is_across(j, out);
    t->storing.conjugate = j->half && j->backward;
    t->load = t->loads ? move_compiled(in, &dense[0]) : NULL;
    t->store = move_compiled(out, out);
    int64_t most = (int64_t)INT32_MAX * THREADS / 2;
    return (!t->loads || t->load != NULL) && t->store != NULL && j->lines * dense[0].length <= most &&
           j->lines * out->length <= most;
}

bool cni_cuda_fourier_bind(const cni_part *part, const cni_window *w, binding *b)
{
    job j;
    int64_t work = 0;
    transform *t = cni_alloc_zero(1, sizeof *t);
    b->more = t;
    if (t == NULL || cni_world_get()->places == 1 || !cni_fft_ready() || !job_of(part, w, &j) ||
        !plan_of(&j, t, &work) || !moves_of(&j, t)) {
        return false;
    }
    int64_t in_bytes = t->loads ? cni_cuda_aligned(j.lines * j.dense[0].length * j.dense[0].itemsize) : 0;
    int64_t out_bytes =
        t->stores && !t->in_place ? cni_cuda_aligned(j.lines * j.dense[1].length * j.dense[1].itemsize) : 0;
    t->out_at = t->in_place ? 0 : in_bytes;
    t->work_at = in_bytes + out_bytes;
    b->scratch = t->work_at + (work > 0 ? work : 256);
    return true;
}

void cni_cuda_fourier_unbind(binding *b)
{
    transform *t = b->more;
    if (t != NULL && t->plan != NULL) {
        cni_fft_put(t->plan);
    }
    cni_free(t);
}

/* ---- Running ---- */

static void move(const cni_cuda_module *module, move_words *m, uint64_t from, uint64_t to)
{
    m->from = from;
    m->to = to;
    cni_cuda_launch(module->kernel, (m->lines * m->length + THREADS - 1) / THREADS, THREADS, 1, m, sizeof *m);
}

static void run_plan(const transform *t, void *work, uint64_t from, uint64_t to)
{
    int64_t all = 1;
    for (int d = 0; d < t->nruns; d++) {
        all *= t->runs[d];
    }
    cni_cuda_foreign();
    for (int64_t i = 0; i < all; i++) {
        int64_t rest = i;
        uint64_t x = from, y = to;
        for (int64_t d = t->nruns - 1; d >= 0; d--) {
            x += (uint64_t)(rest % t->runs[d] * t->in_step[d]);
            y += (uint64_t)(rest % t->runs[d] * t->out_step[d]);
            rest /= t->runs[d];
        }
        bool fine = cni_fft_run(t->plan, work, (void *)(uintptr_t)x, (void *)(uintptr_t)y, t->inverse);
        cni_cuda_check(fine ? 0 : 1, "a Fourier transform");
    }
}

void cni_cuda_fourier_run(const cni_part *part, binding *b, const cni_run *run)
{
    transform *t = b->more;
    const cni_op *op = &run->window->ops[part->op];
    uint64_t scratch = (uintptr_t)run->scratch, out = cni_cuda_operand_address(part, run, 0);
    uint64_t from = cni_cuda_operand_address(part, run, 1), to = t->stores ? scratch + (uint64_t)t->out_at : out;
    if (t->loads) {
        move(t->load, &t->loading, from, scratch);
        from = scratch;
    }
    run_plan(t, (char *)run->scratch + t->work_at, from, to);
    t->storing.scale = run->window->scalars[op->args[2] & ~CNI_SCALAR].value.f64;
    if (t->stores || t->storing.conjugate != 0 || t->storing.scale != 1) {
        move(t->store, &t->storing, to, out);
    }
}
