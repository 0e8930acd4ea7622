/*
 * cuda_fft.c - Fourier transforms as calls, by cuFFT. What stands before the last axes is a batch. Axes that are not the last
 * are transformed where they lie: the elements behind them are the batch, those before them are runs of the plan. What a plan
 * works in is free for later work as soon as it has been sent.
 */
#include <string.h>

#include "base/status.h"
#include "cuda/cuda_call.h"
#include "cuda/cuda_fft_plan.h"
#include "cuda/cuda_graph.h"
#include "cuda/cuda_memory.h"
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

static bool run_all(const cni_device_call *call, const cni_fft_shape *s, const cni_fft_plan *plan, void *work)
{
    const cni_call_array *in = &call->arrays[0], *out = &call->arrays[1];
    int64_t runs = s->in_step == 1 ? 1 : count(in, 0, call->axis);
    int64_t in_step = count(in, call->axis, in->ndim) * (int64_t)cn_dtype_size(in->dtype),
            out_step = count(out, call->axis, out->ndim) * (int64_t)cn_dtype_size(out->dtype);
    bool fine = true;
    for (int64_t i = 0; i < runs && fine; i++) {
        fine = cni_fft_run(plan, work, (char *)in->data + i * in_step, (char *)out->data + i * out_step, call->inverse);
    }
    return fine;
}

cn_status cni_cuda_fourier(cni_device_call *call)
{
    cni_fft_shape s;
    int64_t bytes;
    if (!cni_fft_ready()) {
        return CN_ERROR_UNSUPPORTED;
    }
    int64_t type = cni_fft_type(call->arrays[0].dtype, call->arrays[1].dtype, call->inverse);
    if (type == 0 || !shape_of(call, type, &s) || count(&call->arrays[0], 0, call->arrays[0].ndim) == 0) {
        return CN_ERROR_UNSUPPORTED;
    }
    cni_fft_plan *plan = cni_fft_get(&s, &bytes);
    if (plan == NULL) {
        return CN_ERROR_UNSUPPORTED;
    }
    void *work = cni_device_take(bytes);
    if (work == NULL) {
        cni_fft_put(plan);
        return cni_fail_memory(bytes);
    }
    cni_cuda_foreign();
    bool fine = run_all(call, &s, plan, work);
    cni_fft_put(plan);
    cni_cuda_free(work, bytes);
    return fine ? CN_OK : CN_ERROR_UNSUPPORTED;
}
