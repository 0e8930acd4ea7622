/* cuda_wave.c - see cuda_wave.h. */
#include "cuda/cuda_wave.h"

#include "base/settings.h"
#include "cuda/cuda_graph.h"

enum {
    STEP_PART = 3 /* of what is worth several GPUs: what one reads in the time that a step costs more */,
    PIECES_MOST = 32
};

cni_cuda_wave cni_cuda_wave_of(const double *from, const double *to, int64_t rows)
{
    cni_cuda_wave w = {0};
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        int64_t first = (int64_t)(from[k] * (double)rows + 0.5), end = (int64_t)(to[k] * (double)rows + 0.5);
        int i = w.count;
        if (first >= end) {
            continue;
        }
        for (; i > 0 && w.from[i - 1] > first; i--) {
            w.gpu[i] = w.gpu[i - 1];
            w.from[i] = w.from[i - 1];
            w.to[i] = w.to[i - 1];
        }
        w.gpu[i] = k;
        w.from[i] = first;
        w.to[i] = end;
        w.count++;
    }
    return w;
}

/* n pieces take (n + count - 1) (T / n + s), where T is a GPU's time for all and s a step's: least where n^2 = T (count - 1) / s. */
int64_t cni_cuda_wave_pieces(const cni_cuda_wave *wave, int64_t bytes, int64_t blocks, int64_t least)
{
    int64_t step = cni_settings[CNI_SETTING_GPU_SPREAD_BYTES] / STEP_PART + 1, n = 1;
    int64_t square = wave->count > 0 ? bytes / wave->count * (wave->count - 1) / step : 0;
    while (n < PIECES_MOST && (n + 1) * (n + 1) <= square && blocks / (n + 1) >= least) {
        n++;
    }
    return wave->count > 1 ? n : 1;
}

void cni_cuda_wave_send(const cni_cuda_wave *wave, const cni_cuda_handle *functions, int64_t blocks, int64_t pieces,
                        unsigned x, unsigned y, const void *const *parameters, size_t size, cni_cuda_wave_set *set,
                        void *context)
{
    for (int64_t step = 0; step < pieces + wave->count - 1; step++) {
        int64_t counts[CNI_CUDA_GPUS] = {0};
        for (int i = 0; i < wave->count; i++) {
            int64_t piece = step - i;
            if (piece >= 0 && piece < pieces) {
                int64_t first = blocks * piece / pieces;
                counts[wave->gpu[i]] = blocks * (piece + 1) / pieces - first;
                set(context, i, first, counts[wave->gpu[i]]);
            }
        }
        cni_cuda_launch_each(functions, counts, x, y, parameters, size);
    }
}
