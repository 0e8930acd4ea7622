/* fourier_avx2.c - the kernels of fourier.h for one instruction set; CMakeLists.txt has the flags. */
#define CNI_KERNELS cni_fourier_avx2
#define VECTOR_BYTES 32
#include "cpu/fourier_body.h"
