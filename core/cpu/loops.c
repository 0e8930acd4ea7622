/* loops.c - chooses the instruction set, once. */
#include "cpu/loops.h"

#include "base/settings.h"

extern cni_cpu_kernels cni_kernels_baseline;
#if defined(__x86_64__)
extern cni_cpu_kernels cni_kernels_avx2, cni_kernels_avx512;
#endif

enum { ISA_BEST, ISA_BASELINE, ISA_AVX2, ISA_AVX512 };

static const cni_cpu_kernels *choose(int64_t wanted)
{
#if defined(__x86_64__)
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                  __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    if (avx512 && (wanted == ISA_BEST || wanted == ISA_AVX512)) {
        return &cni_kernels_avx512;
    }
    if (avx2 && wanted != ISA_BASELINE) {
        return &cni_kernels_avx2;
    }
#endif
    (void)wanted;
    return &cni_kernels_baseline;
}

const cni_cpu_kernels *cni_cpu_kernels_get(void)
{
    static const cni_cpu_kernels *chosen;
    if (chosen == NULL) {
        chosen = choose(cni_settings[CNI_SETTING_INSTRUCTION_SET]);
    }
    return chosen;
}
