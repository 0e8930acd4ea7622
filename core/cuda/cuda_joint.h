/* cuda_joint.h - the device's part of what places do together (exec/joint_device.h). */
#ifndef CNI_CUDA_JOINT_H
#define CNI_CUDA_JOINT_H

#include "exec/joint_device.h"

extern const cni_joint_device cni_cuda_joint;

#endif
