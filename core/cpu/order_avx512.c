/* order_avx512.c - the kernels of order.h for one instruction set; CMakeLists.txt has the flags. */
#define CNI_KERNELS cni_order_avx512
#include "cpu/order_body.h"
