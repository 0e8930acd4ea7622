/* info.c - what `cnumeric info` prints of the core. */
#include <string.h>

#include "cnumeric.h"
#include "exec/place.h"
#include "exec/info.h"

const char *cn_info(const char *what)
{
    if (strcmp(what, "version") == 0) {
        return "0.1.0";
    }
    if (strcmp(what, "places") == 0) {
        return cni_cpu_place.name;
    }
    if (strcmp(what, "compiler") == 0) {
        return __VERSION__;
    }
    if (strcmp(what, "instruction_set") == 0) {
        return cni_cpu_instruction_set();
    }
    if (strcmp(what, "mpi") == 0) {
        return cni_net_description();
    }
    return strcmp(what, "blas") == 0 ? cni_blas_name() : NULL;
}
