/* cuda_trial.c - see cuda_trial.h. */
#include "cuda/cuda_trial.h"

#include "base/settings.h"
#include "base/text.h"
#include "cuda/cuda_stream.h"

static volatile uint32_t *said; /* memory of the host that kernels see */

const cni_cuda_module *cni_cuda_trial_module(const cni_cuda_module *whole)
{
    cni_text text = {0};
    if (!whole->compiles || cni_settings[CNI_SETTING_GPU_COLD] == 0) {
        return NULL;
    }
    cni_text_add(&text, "#define CNI_COLD\n%s", whole->text);
    const cni_cuda_module *cold = text.data != NULL ? cni_cuda_module_begin(text.data) : NULL;
    cni_text_free(&text);
    if (cold != NULL) {
        cni_cuda_module_later(whole);
    }
    return cold;
}

int64_t cni_cuda_trial_begin(void)
{
    void *memory;
    if (said == NULL && cni_cuda.memory_host(&memory, sizeof *said) == 0) {
        said = memory;
    }
    if (said != NULL) {
        *said = 0;
    }
    return (int64_t)(uintptr_t)said;
}

bool cni_cuda_trial_end(void)
{
    cni_cuda_step(1);
    return cni_cuda_check(cni_cuda.stream_wait(cni_cuda_stream(0)), "waiting") && *said != 0;
}
