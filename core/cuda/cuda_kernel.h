/* cuda_kernel.h - text to a kernel of the device. See cuda_kernel.c. */
#ifndef CNI_CUDA_KERNEL_H
#define CNI_CUDA_KERNEL_H

#include "cuda/cuda_driver.h"
#include "exec/place.h"

/* One compiled text; lives as long as the process. */
typedef struct cni_cuda_module {
    struct cni_cuda_module *next;
    uint64_t hash;
    char *text;
    uint64_t wanted; /* the number of what was bound last of those that need it */
    bool compiles;   /* not yet: cni_cuda_modules_bound says when its functions are there */
    bool there;      /* it could be compiled, and is loaded */
    cni_cuda_handle module[CNI_CUDA_GPUS], kernel[CNI_CUDA_GPUS],
        finish[CNI_CUDA_GPUS]; /* by GPU; cni_kernel, cni_finish (NULL if it has none) */
} cni_cuda_module;

/*
 * The text compiled: from memory, from the disk, or behind, beside others. NULL if there is no compiler, no memory, or the
 * text is known not to compile (CNUMERIC_DEBUG is not asked: the log goes to cni_cuda_compile_log).
 */
const cni_cuda_module *cni_cuda_module_begin(const char *text);

/* place.h's `bound`: of the modules that were begun for what was bound since, or under that number. */
cni_bound_state cni_cuda_modules_bound(uint64_t *number, bool wait);

/* Is the module there by now? wait: it is waited for. */
bool cni_cuda_module_ready(const cni_cuda_module *module, bool wait);

/* The binding at hand does not need it: it is compiled behind. */
void cni_cuda_module_later(const cni_cuda_module *module);

/* Waits for what is being compiled, which is of use to the next process: the compiler does not bear the end of this one. */
void cni_cuda_modules_stop(void);

/* What the compiler said of the last text that failed; "" if none did. */
const char *cni_cuda_compile_log(void);

#endif
