/* order_baseline.c - the kernels of order.h for one instruction set; CMakeLists.txt has the flags. */
#define CNI_KERNELS cni_order_baseline
#include "cpu/order_body.h"
