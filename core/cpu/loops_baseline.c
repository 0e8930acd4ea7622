/* loops_baseline.c - the loops of tier 0 for one instruction set; CMakeLists.txt has the flags. */
#define CNI_KERNELS cni_kernels_baseline
#define CNI_KERNELS_NAME "baseline"
#include "cpu/loops_body.h"
