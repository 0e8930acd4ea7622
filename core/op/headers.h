/* headers.h - the text of sources that are compiled at run time; made by tools/embed.cmake. */
#ifndef CNI_HEADERS_H
#define CNI_HEADERS_H

#include <stddef.h>

typedef struct cni_header {
    const char *name; /* "op/scalar.h"; NULL: the end */
    const char *text;
    size_t size;
} cni_header;

extern const cni_header cni_headers[];      /* core/op */
extern const cni_header cni_cuda_headers[]; /* core/cuda: what device code alone needs */
extern const cni_header cni_mpi_sources[];  /* core/net: the MPI module, with what it includes */

#endif
