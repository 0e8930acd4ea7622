/* complex.h - complex numbers and half floats as plain data, for every tier. */
#ifndef CNI_COMPLEX_H
#define CNI_COMPLEX_H

#include <stdint.h>

typedef struct {
    float re, im;
} cni_c64;

typedef struct {
    double re, im;
} cni_c128;

typedef struct {
    uint16_t bits;
} cni_f16;

#endif
