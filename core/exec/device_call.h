/*
 * device_call.h - calls that run when they are made, by a library of the device: factorisations and Fourier transforms. They
 * are no ops of a window: what they report decides what the program does next. See device_call.c.
 */
#ifndef CNI_DEVICE_CALL_H
#define CNI_DEVICE_CALL_H

#include "cnumeric.h"

enum { CNI_CALL_ARRAYS = 4 };

typedef enum cni_call_kind { CNI_CALL_FACTOR, CNI_CALL_FOURIER } cni_call_kind;

typedef struct cni_call_array {
    void *data; /* in the place's memory: whole, C order */
    cn_dtype dtype;
    int ndim;
    const int64_t *shape;
} cni_call_array;

typedef struct cni_device_call {
    cni_call_kind kind;
    cn_factor factor;
    int option;
    int axis, naxes; /* CNI_CALL_FOURIER, from the first array to the second */
    bool inverse;
    int narrays;
    cni_call_array arrays[CNI_CALL_ARRAYS];
    int64_t info; /* result */
} cni_device_call;

#endif
