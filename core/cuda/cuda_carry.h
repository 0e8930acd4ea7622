/* cuda_carry.h - see cuda_carry.c. */
#ifndef CNI_CUDA_CARRY_H
#define CNI_CUDA_CARRY_H

#include "exec/place.h"

typedef struct cni_cuda_carry cni_cuda_carry; /* freed with cni_free */

/* span: bytes of the storage that are done; NULL: all. */
cn_status cni_cuda_carry_bind(const cni_part *part, const cni_window *w, const cni_skeleton *s, const cni_span *span,
                              cni_cuda_carry **out);
void cni_cuda_carry_run(const cni_part *part, cni_cuda_carry *carry, const cni_run *run);

#endif
