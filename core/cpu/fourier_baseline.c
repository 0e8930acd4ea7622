/* fourier_baseline.c - the kernels of fourier.h for one instruction set; CMakeLists.txt has the flags. */
#define CNI_KERNELS cni_fourier_baseline
#define VECTOR_BYTES 16
#include "cpu/fourier_body.h"
