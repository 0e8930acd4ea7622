/* cuda_turns.h - copies in both directions beside the work (exec/turn_copies.h). */
#ifndef CNI_CUDA_TURNS_H
#define CNI_CUDA_TURNS_H

#include "exec/turn_copies.h"

extern const cni_turn_device cni_cuda_turns;

#endif
