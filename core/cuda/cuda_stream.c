/* cuda_stream.c - see cuda_stream.h. */
#include "cuda/cuda_stream.h"

enum { WITHOUT_TIMING = 2 };

static uint32_t unseen[CNI_CUDA_GPUS]; /* by GPU: those with work that its stream does not wait for yet */
static cni_cuda_handle events[CNI_CUDA_GPUS];
static int current; /* the GPU whose context is the thread's */

static void context_of(int gpu)
{
    if (current != gpu && cni_cuda_check(cni_cuda.context_set(cni_cuda_gpu.contexts[gpu]), "a context")) {
        current = gpu;
    }
}

/* The end of what the GPU's stream has. */
static void mark(int gpu)
{
    context_of(gpu);
    if (events[gpu] == NULL &&
        !cni_cuda_check(cni_cuda.event_create(&events[gpu], WITHOUT_TIMING), "making an event")) {
        return;
    }
    cni_cuda_check(cni_cuda.event_record(events[gpu], cni_cuda_gpu.streams[gpu]), "an event");
}

void cni_cuda_step(uint32_t set)
{
    uint32_t needed = 0;
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        needed |= (set >> k & 1) != 0 ? unseen[k] : 0;
    }
    for (int k = 0; needed >> k != 0; k++) {
        if ((needed >> k & 1) != 0) {
            mark(k);
        }
    }
    for (int k = 0; k < cni_cuda_gpu.gpus && needed != 0; k++) {
        for (int other = 0; (set >> k & 1) != 0 && unseen[k] >> other != 0; other++) {
            if ((unseen[k] >> other & 1) != 0) {
                context_of(k);
                cni_cuda_check(cni_cuda.stream_wait_event(cni_cuda_gpu.streams[k], events[other], 0), "a wait");
            }
        }
        unseen[k] = (set >> k & 1) != 0 ? 0 : unseen[k];
    }
}

cni_cuda_handle cni_cuda_stream(int gpu)
{
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        unseen[k] |= k != gpu ? 1u << gpu : 0;
    }
    context_of(gpu);
    return cni_cuda_gpu.streams[gpu];
}

void cni_cuda_step_end(void)
{
    context_of(0);
}
