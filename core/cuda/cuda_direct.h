/* cuda_direct.h - calls that run when they are made (exec/direct.h), by cuSOLVER and cuFFT, loaded when first needed. */
#ifndef CNI_CUDA_DIRECT_H
#define CNI_CUDA_DIRECT_H

#include "cnumeric.h"
#include "exec/direct.h"

cn_status cni_cuda_factorize(cni_direct *call);
cn_status cni_cuda_fourier(cni_direct *call);

#endif
