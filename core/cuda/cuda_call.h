/* cuda_call.h - calls that run when they are made (exec/device_call.h), by cuSOLVER and cuFFT, loaded when first needed. */
#ifndef CNI_CUDA_CALL_H
#define CNI_CUDA_CALL_H

#include "cnumeric.h"
#include "exec/device_call.h"

cn_status cni_cuda_factorize(cni_device_call *call);
cn_status cni_cuda_fourier(cni_device_call *call);

#endif
