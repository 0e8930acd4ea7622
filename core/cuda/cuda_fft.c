/*
 * cuda_fft.c - Fourier transforms as calls, by cuFFT. What stands before the last axes is a batch. Axes that are not the last
 * are transformed where they lie: the elements behind them are the batch, those before them are runs of the plan. What a plan
 * works in is free for later work as soon as it has been sent. Of lines that lie on several GPUs each does those of which it
 * has the results, and works in memory of its own.
 */
#include <string.h>

#include "base/status.h"
#include "cuda/cuda_call.h"
#include "cuda/cuda_fft_plan.h"
#include "cuda/cuda_graph.h"
#include "cuda/cuda_memory.h"
#include "cuda/cuda_spread.h"
#include "cuda/cuda_stream.h"
#include "op/op.h"

static int64_t count(const cni_call_array *a, int from, int end)
{
    int64_t n = 1;
    for (int d = from; d < end; d++) {
        n *= a->shape[d];
    }
    return n;
}

/* Extents agree, but that a real side has all of the last axis and the other its first half. */
static bool shape_of(const cni_device_call *call, int64_t type, cni_fft_shape *s)
{
    const cni_call_array *in = &call->arrays[0], *out = &call->arrays[1];
    const cni_call_array *all = in->dtype < CN_COMPLEX64 ? in : out; /* the real one, if there is one */
    int end = call->axis + call->naxes;
    int64_t behind = count(in, end, in->ndim);
    memset(s, 0, sizeof *s);
    s->type = type;
    s->naxes = call->naxes;
    s->in_step = s->out_step = behind;
    s->batch = behind == 1 ? count(in, 0, call->axis) : behind; /* one behind the other, or side by side */
    s->in_distance = behind == 1 ? count(in, call->axis, end) : 1;
    s->out_distance = behind == 1 ? count(out, call->axis, end) : 1;
    for (int d = 0; d < in->ndim; d++) {
        bool halved = d == end - 1 && in->dtype != out->dtype;
        int64_t expected = halved ? all->shape[d] / 2 + 1 : in->shape[d];
        int64_t other = all == in ? out->shape[d] : in->shape[d];
        if (halved ? other != expected : in->shape[d] != out->shape[d]) {
            return false;
        }
        if (d >= call->axis && d < end) {
            s->n[d - call->axis] = all->shape[d];
            s->in[d - call->axis] = in->shape[d];
            s->out[d - call->axis] = out->shape[d];
        }
    }
    return true;
}

/* Lines of the batch from this one on, if they lie one behind the other. */
static bool run_all(const cni_device_call *call, const cni_fft_shape *s, const cni_fft_plan *plan, void *work,
                    int64_t first)
{
    const cni_call_array *in = &call->arrays[0], *out = &call->arrays[1];
    int64_t runs = s->in_step == 1 ? 1 : count(in, 0, call->axis);
    int64_t in_step = count(in, call->axis, in->ndim) * (int64_t)cn_dtype_size(in->dtype),
            out_step = count(out, call->axis, out->ndim) * (int64_t)cn_dtype_size(out->dtype);
    bool fine = true;
    for (int64_t i = first; i < first + runs && fine; i++) {
        fine = cni_fft_run(plan, work, (char *)in->data + i * in_step, (char *)out->data + i * out_step, call->inverse);
    }
    return fine;
}

/* A GPU's lines, what it does them with, and memory for that. */
typedef struct lines {
    cni_fft_plan *plan;
    void *work;
    int64_t first, count;
} lines;

static bool lines_plan(const cni_fft_shape *all, int gpu, lines *x)
{
    cni_fft_shape s = *all;
    int64_t bytes = 0;
    s.gpu = gpu;
    s.batch = x->count;
    cni_cuda_stream(gpu);
    x->plan = cni_fft_get(&s, &bytes);
    x->work = x->plan != NULL ? (void *)(uintptr_t)cni_cuda_local(gpu, bytes > 0 ? (size_t)bytes : 1) : NULL;
    return x->work != NULL;
}

/* False: the lines are not on several GPUs, or one of those cannot do its own. */
static bool plan_each(const cni_device_call *call, const cni_fft_shape *s, lines *each)
{
    const cni_call_array *out = &call->arrays[1];
    const cni_cuda_spread *memory = cni_cuda_spread_find((uintptr_t)out->data);
    int64_t step = count(out, call->axis, out->ndim) * (int64_t)cn_dtype_size(out->dtype), from = 0;
    bool fine = cni_cuda_gpu.gpus > 1 && memory != NULL && s->in_step == 1 && s->batch > 1;
    for (int k = 0; k < cni_cuda_gpu.gpus && fine; k++) {
        int64_t to = cni_cuda_spread_end(memory, k, (uintptr_t)out->data, step, from, s->batch);
        each[k] = (lines){.first = from, .count = to - from};
        fine = to == from || lines_plan(s, k, &each[k]);
        from = to;
    }
    cni_cuda_step_end();
    return fine;
}

static bool run_each(const cni_device_call *call, const cni_fft_shape *s, const lines *each)
{
    bool fine = true;
    cni_cuda_foreign();
    cni_cuda_step((1u << cni_cuda_gpu.gpus) - 1);
    for (int k = 0; k < cni_cuda_gpu.gpus && fine; k++) {
        cni_cuda_stream(k);
        fine = each[k].count == 0 || run_all(call, s, each[k].plan, each[k].work, each[k].first);
    }
    cni_cuda_step_end();
    return fine;
}

/* All of it by the first GPU. */
static cn_status run_whole(const cni_device_call *call, const cni_fft_shape *s)
{
    int64_t bytes;
    cni_fft_plan *plan = cni_fft_get(s, &bytes);
    if (plan == NULL) {
        return CN_ERROR_UNSUPPORTED;
    }
    void *work = cni_device_take(bytes);
    if (work == NULL) {
        cni_fft_put(plan);
        return cni_fail_memory(bytes);
    }
    cni_cuda_foreign();
    bool fine = run_all(call, s, plan, work, 0);
    cni_fft_put(plan);
    cni_cuda_free(work, bytes);
    return fine ? CN_OK : CN_ERROR_UNSUPPORTED;
}

cn_status cni_cuda_fourier(cni_device_call *call)
{
    cni_fft_shape s;
    if (!cni_fft_ready()) {
        return CN_ERROR_UNSUPPORTED;
    }
    int64_t type = cni_fft_type(call->arrays[0].dtype, call->arrays[1].dtype, call->inverse);
    if (type == 0 || !shape_of(call, type, &s) || count(&call->arrays[0], 0, call->arrays[0].ndim) == 0) {
        return CN_ERROR_UNSUPPORTED;
    }
    lines each[CNI_CUDA_GPUS] = {0};
    bool planned = plan_each(call, &s, each), done = planned && run_each(call, &s, each);
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        if (each[k].plan != NULL) {
            cni_fft_put(each[k].plan);
        }
    }
    return planned ? (done ? CN_OK : CN_ERROR_UNSUPPORTED) : run_whole(call, &s);
}
