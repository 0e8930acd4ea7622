/*
 * cuda_fft.c - Fourier transforms by cuFFT. What stands before the last axes is a batch. Axes that are not the last are
 * transformed where they lie: the elements behind them are the batch, those before them are runs of the plan. Plans are kept, with the stream's order for their
 * memory: what one works in is free for later work as soon as it has been sent.
 */
#include <string.h>

#include "base/settings.h"
#include "base/status.h"
#include "cuda/cuda_call.h"
#include "cuda/cuda_driver.h"
#include "cuda/cuda_graph.h"
#include "cuda/cuda_memory.h"
#include "op/op.h"

enum { PLANS = 16, MOST_AXES = 3 };

typedef int (*exec)(int plan, void *in, void *out);
typedef int (*exec_both_ways)(int plan, void *in, void *out, int direction);

#define FFT(X)                                                                                                         \
    X(create, "cufftCreate", (int *plan))                                                                              \
    X(destroy, "cufftDestroy", (int plan))                                                                             \
    X(set_stream, "cufftSetStream", (int plan, cni_cuda_handle stream))                                                \
    X(own_memory, "cufftSetAutoAllocation", (int plan, int its_own))                                                   \
    X(set_memory, "cufftSetWorkArea", (int plan, void *memory))                                                        \
    X(make, "cufftMakePlanMany64",                                                                                     \
      (int plan, int rank, long long *n, long long *in_extents, long long in_step, long long in_distance,              \
       long long *out_extents, long long out_step, long long out_distance, int type, long long batch, size_t *work))   \
    X(c64, "cufftExecC2C", (int plan, void *in, void *out, int direction))                                             \
    X(c128, "cufftExecZ2Z", (int plan, void *in, void *out, int direction))                                            \
    X(r32, "cufftExecR2C", (int plan, void *in, void *out))                                                            \
    X(r64, "cufftExecD2Z", (int plan, void *in, void *out))                                                            \
    X(back32, "cufftExecC2R", (int plan, void *in, void *out))                                                         \
    X(back64, "cufftExecZ2D", (int plan, void *in, void *out))

#define MEMBER(name, symbol, parameters) int(*name) parameters;
typedef struct entries {
    FFT(MEMBER)
} entries;
#define ENTRY(name, symbol, parameters) {symbol, offsetof(entries, name)},
static const cni_cuda_entry all_entries[] = {FFT(ENTRY)};

static entries fft;
static cni_cuda_opening opening = {.setting = CNI_TEXT_SETTING_CUDA_FFT,
                                   .names =
                                       (const char *const[]){"libcufft.so.12", "libcufft.so.11", "libcufft.so", NULL},
                                   .table = &fft,
                                   .entries = all_entries,
                                   .count = sizeof all_entries / sizeof *all_entries};

/* ---- Kinds of transforms ---- */

typedef struct kind {
    int type; /* cufftType; 0: none */
    exec_both_ways both;
    exec one;
} kind;

static kind kind_of(cn_dtype in, cn_dtype out, bool inverse)
{
    if (in == out) {
        return in == CN_COMPLEX64    ? (kind){0x29, fft.c64, NULL}
               : in == CN_COMPLEX128 ? (kind){0x69, fft.c128, NULL}
                                     : (kind){0};
    }
    if (inverse) {
        return in == CN_COMPLEX64 && out == CN_FLOAT32    ? (kind){0x2c, NULL, fft.back32}
               : in == CN_COMPLEX128 && out == CN_FLOAT64 ? (kind){0x6c, NULL, fft.back64}
                                                          : (kind){0};
    }
    return in == CN_FLOAT32 && out == CN_COMPLEX64    ? (kind){0x2a, NULL, fft.r32}
           : in == CN_FLOAT64 && out == CN_COMPLEX128 ? (kind){0x6a, NULL, fft.r64}
                                                      : (kind){0};
}

/* ---- Plans ---- */

/* What a plan is for; compared as bytes. */
typedef struct shape {
    int64_t type, naxes, step, batch; /* step: from an element of a line to the next */
    int64_t n[MOST_AXES], in[MOST_AXES], out[MOST_AXES];
} shape;

typedef struct plan {
    bool made;
    shape shape;
    uint64_t last_use;
    int number;
    size_t work;
} plan;

static plan plans[PLANS];

static bool plan_make(plan *p, const shape *s)
{
    long long n[MOST_AXES], in[MOST_AXES], out[MOST_AXES], in_all = 1, out_all = 1;
    for (int d = 0; d < s->naxes; d++) {
        n[d] = s->n[d];
        in[d] = s->in[d];
        out[d] = s->out[d];
        in_all *= in[d];
        out_all *= out[d];
    }
    if (fft.create(&p->number) != 0) {
        return false;
    }
    bool dense = s->step == 1; /* one behind the other, not side by side */
    bool fine = fft.own_memory(p->number, 0) == 0 &&
                fft.make(p->number, (int)s->naxes, n, in, s->step, dense ? in_all : 1, out, s->step,
                         dense ? out_all : 1, (int)s->type, s->batch, &p->work) == 0 &&
                fft.set_stream(p->number, cni_cuda_gpu.stream) == 0;
    if (!fine) {
        fft.destroy(p->number);
        return false;
    }
    p->shape = *s;
    p->made = true;
    return true;
}

/* The plan for this shape; NULL: cuFFT makes none. */
static plan *plan_get(const shape *s)
{
    static uint64_t clock;
    plan *oldest = &plans[0];
    for (int i = 0; i < PLANS; i++) {
        if (plans[i].made && memcmp(&plans[i].shape, s, sizeof *s) == 0) {
            plans[i].last_use = ++clock;
            return &plans[i];
        }
        oldest = plans[i].last_use < oldest->last_use ? &plans[i] : oldest;
    }
    if (oldest->made) {
        oldest->made = false;
        cni_cuda_device.finish();
        fft.destroy(oldest->number);
    }
    oldest->last_use = ++clock;
    return plan_make(oldest, s) ? oldest : NULL;
}

/* ---- A call ---- */

static int64_t count(const cni_call_array *a, int from, int end)
{
    int64_t n = 1;
    for (int d = from; d < end; d++) {
        n *= a->shape[d];
    }
    return n;
}

/* Extents agree, but that a real side has all of the last axis and the other its first half. */
static bool shape_of(const cni_device_call *call, int type, shape *s)
{
    const cni_call_array *in = &call->arrays[0], *out = &call->arrays[1];
    const cni_call_array *all = in->dtype < CN_COMPLEX64 ? in : out; /* the real one, if there is one */
    int end = call->axis + call->naxes;
    memset(s, 0, sizeof *s);
    s->type = type;
    s->naxes = call->naxes;
    s->step = count(in, end, in->ndim);
    s->batch = s->step == 1 ? count(in, 0, call->axis) : s->step;
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

static bool run_plan(const cni_device_call *call, const kind *k, const plan *p)
{
    const cni_call_array *in = &call->arrays[0], *out = &call->arrays[1];
    int64_t runs = p->shape.step == 1 ? 1 : count(in, 0, call->axis);
    int64_t in_step = count(in, call->axis, in->ndim) * (int64_t)cn_dtype_size(in->dtype),
            out_step = count(out, call->axis, out->ndim) * (int64_t)cn_dtype_size(out->dtype);
    bool fine = true;
    for (int64_t i = 0; i < runs && fine; i++) {
        void *from = (char *)in->data + i * in_step, *to = (char *)out->data + i * out_step;
        fine = k->both != NULL ? k->both(p->number, from, to, call->inverse ? 1 : -1) == 0
                               : k->one(p->number, from, to) == 0;
    }
    return fine;
}

cn_status cni_cuda_fourier(cni_device_call *call)
{
    shape s;
    if (!cni_cuda_ready(&opening)) {
        return CN_ERROR_UNSUPPORTED;
    }
    kind k = kind_of(call->arrays[0].dtype, call->arrays[1].dtype, call->inverse);
    if (k.type == 0 || !shape_of(call, k.type, &s) || count(&call->arrays[0], 0, call->arrays[0].ndim) == 0) {
        return CN_ERROR_UNSUPPORTED;
    }
    plan *p = plan_get(&s);
    if (p == NULL) {
        return CN_ERROR_UNSUPPORTED;
    }
    void *work = cni_device_take((int64_t)p->work);
    if (work == NULL) {
        return cni_fail_memory((int64_t)p->work);
    }
    cni_cuda_foreign();
    bool fine = fft.set_memory(p->number, work) == 0 && run_plan(call, &k, p);
    cni_cuda_free(work, (int64_t)p->work);
    return fine ? CN_OK : CN_ERROR_UNSUPPORTED;
}
