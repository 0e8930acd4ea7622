/* cuda_fft_plan.c - see cuda_fft_plan.h. Plans have the stream's order for their memory. */
#include "cuda/cuda_fft_plan.h"

#include <string.h>

#include "base/settings.h"
#include "cuda/cuda_driver.h"
#include "cuda/cuda_memory.h"
#include "cuda/cuda_stream.h"

enum { PLANS = 64 };

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

struct cni_fft_plan {
    bool made;
    cni_fft_shape shape;
    uint64_t last_use;
    int number, users;
    size_t work;
};

static cni_fft_plan plans[PLANS];

bool cni_fft_ready(void)
{
    return cni_cuda_ready(&opening);
}

/* ---- Kinds of transforms: cufftType ---- */

enum { C64 = 0x29, C128 = 0x69, BACK32 = 0x2c, BACK64 = 0x6c, R32 = 0x2a, R64 = 0x6a };

int64_t cni_fft_type(cn_dtype in, cn_dtype out, bool inverse)
{
    if (in == out) {
        return in == CN_COMPLEX64 ? C64 : in == CN_COMPLEX128 ? C128 : 0;
    }
    if (inverse) {
        return in == CN_COMPLEX64 && out == CN_FLOAT32 ? BACK32 : in == CN_COMPLEX128 && out == CN_FLOAT64 ? BACK64 : 0;
    }
    return in == CN_FLOAT32 && out == CN_COMPLEX64 ? R32 : in == CN_FLOAT64 && out == CN_COMPLEX128 ? R64 : 0;
}

static exec one_way(int64_t type)
{
    return type == R32 ? fft.r32 : type == R64 ? fft.r64 : type == BACK32 ? fft.back32 : fft.back64;
}

/* ---- Plans ---- */

static bool plan_make(cni_fft_plan *p, const cni_fft_shape *s)
{
    long long n[CNI_FFT_AXES], in[CNI_FFT_AXES], out[CNI_FFT_AXES];
    for (int d = 0; d < s->naxes; d++) {
        n[d] = s->n[d];
        in[d] = s->in[d];
        out[d] = s->out[d];
    }
    if (fft.create(&p->number) != 0) {
        return false;
    }
    bool fine = fft.own_memory(p->number, 0) == 0 &&
                fft.make(p->number, (int)s->naxes, n, in, s->in_step, s->in_distance, out, s->out_step, s->out_distance,
                         (int)s->type, s->batch, &p->work) == 0 &&
                fft.set_stream(p->number, cni_cuda_gpu.streams[s->gpu]) == 0;
    if (!fine) {
        fft.destroy(p->number);
        return false;
    }
    p->shape = *s;
    p->made = true;
    return true;
}

/* The one for this shape, else one to be made; NULL: none can be given up. */
static cni_fft_plan *find(const cni_fft_shape *s)
{
    cni_fft_plan *oldest = NULL;
    for (int i = 0; i < PLANS; i++) {
        cni_fft_plan *p = &plans[i];
        if (p->made && memcmp(&p->shape, s, sizeof *s) == 0) {
            return p;
        }
        if (p->users == 0 && (oldest == NULL || p->last_use < oldest->last_use)) {
            oldest = p;
        }
    }
    if (oldest != NULL && oldest->made) {
        oldest->made = false;
        cni_cuda_device.finish();
        cni_cuda_stream((int)oldest->shape.gpu);
        fft.destroy(oldest->number);
        cni_cuda_stream((int)s->gpu);
    }
    return oldest;
}

cni_fft_plan *cni_fft_get(const cni_fft_shape *s, int64_t *work)
{
    static uint64_t clock;
    cni_fft_plan *p = find(s);
    if (p == NULL || (!p->made && !plan_make(p, s))) {
        return NULL;
    }
    p->last_use = ++clock;
    p->users++;
    *work = (int64_t)p->work;
    return p;
}

void cni_fft_put(cni_fft_plan *p)
{
    p->users--;
}

bool cni_fft_run(const cni_fft_plan *p, void *work, void *from, void *to, bool inverse)
{
    enum { FORWARD = -1, BACKWARD = 1 };
    int64_t type = p->shape.type;
    if (fft.set_memory(p->number, work) != 0) {
        return false;
    }
    if (type == C64 || type == C128) {
        exec_both_ways both = type == C64 ? fft.c64 : fft.c128;
        return both(p->number, from, to, inverse ? BACKWARD : FORWARD) == 0;
    }
    return one_way(type)(p->number, from, to) == 0;
}
