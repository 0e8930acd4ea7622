/* info.h - what places and the net tell of themselves; implemented by core/cpu and core/net. */
#ifndef CNI_INFO_H
#define CNI_INFO_H

#include <stdbool.h>

const char *cni_blas_name(void);
const char *cni_cpu_instruction_set(void);
const char *cni_net_description(void);

/* The compiler of groups, tried out: its version, or "none: " and why. */
const char *cni_compiler_description(void);

/* The GPUs: "2 x NVIDIA H100, CUDA 13.0", or "none: " and why. */
const char *cni_cuda_description(void);

/* What cn_blas_set was last given, for other processes to use as well; path "": nothing. */
typedef struct cni_blas_choice {
    char path[1024], prefix[32], suffix[32];
    bool ilp64;
} cni_blas_choice;
void cni_blas_choice_get(cni_blas_choice *choice);

#endif
