/* info.h - names that places give of what they found; implemented by core/cpu. */
#ifndef CNI_INFO_H
#define CNI_INFO_H

const char *cni_blas_name(void);
const char *cni_cpu_instruction_set(void);

#endif
