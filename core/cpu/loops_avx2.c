/* loops_avx2.c - the loops of tier 0 for one instruction set; CMakeLists.txt has the flags. */
#define CNI_KERNELS cni_kernels_avx2
#define CNI_KERNELS_NAME "avx2"
#include "cpu/loops_body.h"
