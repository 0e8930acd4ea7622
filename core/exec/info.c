/* info.c - what `cnumeric info` prints of the core. */
#include <stdio.h>
#include <string.h>

#include "base/settings.h"
#include "cnumeric.h"
#include "exec/direct.h"
#include "exec/info.h"
#include "exec/place.h"

/* "cpu", or "cpu, 2 x NVIDIA H100". */
static const char *places(void)
{
    static char text[256];
    const cni_place *device = cni_settings[CNI_SETTING_GPU] != 0 ? cni_device_place() : NULL;
    snprintf(text, sizeof text, "%s%s%s", cni_cpu_place.name, device != NULL ? ", " : "",
             device != NULL ? device->name : "");
    return text;
}

const char *cn_info(const char *what)
{
    if (strcmp(what, "version") == 0) {
        return "0.1.0";
    }
    if (strcmp(what, "places") == 0) {
        return places();
    }
    if (strcmp(what, "compiler") == 0) {
        return __VERSION__;
    }
    if (strcmp(what, "instruction_set") == 0) {
        return cni_cpu_instruction_set();
    }
    if (strcmp(what, "kernel_compiler") == 0) {
        return cni_compiler_description();
    }
    if (strcmp(what, "gpu") == 0) {
        return cni_cuda_description();
    }
    if (strcmp(what, "nccl") == 0) {
        return cni_direct_description();
    }
    if (strcmp(what, "mpi") == 0) {
        return cni_net_description();
    }
    return strcmp(what, "blas") == 0 ? cni_blas_name() : NULL;
}
