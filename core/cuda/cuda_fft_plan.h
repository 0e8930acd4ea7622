/* cuda_fft_plan.h - cuFFT, loaded when first needed, and its plans: kept, since making one takes long. */
#ifndef CNI_CUDA_FFT_PLAN_H
#define CNI_CUDA_FFT_PLAN_H

#include "cnumeric.h"

enum { CNI_FFT_AXES = 3 };

/* What a plan is for; compared as bytes. Extents, steps and distances are elements of each side. */
typedef struct cni_fft_shape {
    int64_t gpu, type, naxes, batch;
    int64_t n[CNI_FFT_AXES], in[CNI_FFT_AXES], out[CNI_FFT_AXES]; /* lengths; extents that lie in memory */
    int64_t in_step, out_step, in_distance, out_distance;         /* of a line's elements; of the batch's lines */
} cni_fft_shape;

typedef struct cni_fft_plan cni_fft_plan;

/* Is the library there? */
bool cni_fft_ready(void);

/* What shapes have as type; 0: there is no such transform. */
int64_t cni_fft_type(cn_dtype in, cn_dtype out, bool inverse);

/* The plan, of a GPU whose context is the thread's, which stays until it is put back; *work: bytes that it works in. NULL: the
   library makes none, or all that are kept are in use. */
cni_fft_plan *cni_fft_get(const cni_fft_shape *shape, int64_t *work);
void cni_fft_put(cni_fft_plan *plan);

/* Transforms on its GPU's stream, with that memory; false: the library refuses. */
bool cni_fft_run(const cni_fft_plan *plan, void *work, void *from, void *to, bool inverse);

#endif
