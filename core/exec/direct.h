/*
 * direct.h - calls that run when they are made, by a library of the device: factorisations and Fourier transforms. They
 * are no ops of a window: what they report decides what the program does next. See direct.c.
 */
#ifndef CNI_DIRECT_H
#define CNI_DIRECT_H

#include "cnumeric.h"

enum { CNI_DIRECT_ARRAYS = 4 };

typedef enum cni_direct_kind { CNI_DIRECT_FACTOR, CNI_DIRECT_FOURIER } cni_direct_kind;

typedef struct cni_direct_array {
    void *data; /* in the place's memory: whole, C order */
    cn_dtype dtype;
    int ndim;
    const int64_t *shape;
} cni_direct_array;

typedef struct cni_direct {
    cni_direct_kind kind;
    cn_factor factor;
    int option;
    int axis, naxes; /* CNI_DIRECT_FOURIER, from the first array to the second */
    bool inverse;
    int narrays;
    cni_direct_array arrays[CNI_DIRECT_ARRAYS];
    int64_t info; /* result */
} cni_direct;

#endif
