/* order_table.c - chooses the instruction set, as loops.c has done. */
#include "cpu/order.h"

#include <string.h>

#include "cpu/loops.h"

extern const cni_order_kernels cni_order_baseline;
#if defined(__x86_64__)
extern const cni_order_kernels cni_order_avx2, cni_order_avx512;
#endif

const cni_order_kernels *cni_order_kernels_get(void)
{
#if defined(__x86_64__)
    const char *name = cni_cpu_kernels_get()->name;
    if (strcmp(name, "avx512") == 0) {
        return &cni_order_avx512;
    }
    if (strcmp(name, "avx2") == 0) {
        return &cni_order_avx2;
    }
#endif
    return &cni_order_baseline;
}
