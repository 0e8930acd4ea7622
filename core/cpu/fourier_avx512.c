/* fourier_avx512.c - the kernels of fourier.h for one instruction set; CMakeLists.txt has the flags. */
#define CNI_KERNELS cni_fourier_avx512
#define VECTOR_BYTES 64
#include "cpu/fourier_body.h"
