/*
 * cuda_looks.h - at which values of a program a kernel looks for floating-point events (cuda_watch.h), and what excuses one
 * that is not finite.
 *
 * What an event makes is not finite, and is handed on until an op hands nothing on (ops.def: carries) or nobody uses it: there
 * it is looked at. A NaN that was loaded spreads (ops.def: spreads), and an op of which an operand is a NaN has no event. So a
 * look has a set of loads: if one of them is a NaN, then so is an operand of each op that the look stands for, and it counts
 * nothing. What an op takes in from other loads would hide the ops before it; so they are looked at by themselves:
 *
 *     a * b + c     a * b, unless a or b is a NaN; the sum, unless a, b or c is
 *     a * b + a     the sum, unless a or b is a NaN
 */
#ifndef CNI_CUDA_LOOKS_H
#define CNI_CUDA_LOOKS_H

#include "exec/statement.h"

typedef struct cni_cuda_excuse {
    uint64_t loads; /* bit k: registers[k] */
    uint32_t base;  /* another one, a part of it; CNI_NONE */
    uint32_t at;    /* the register behind whose statement it is first used */
} cni_cuda_excuse;

typedef struct cni_cuda_looks {
    uint32_t *excuse; /* by register; CNI_NONE: it is not looked at */
    cni_cuda_excuse *excuses;
    uint32_t nexcuse;
    uint32_t registers[64]; /* what is loaded, as far as it has a bit */
} cni_cuda_looks;

/* kinds: by instruction, the events that are asked for. False without memory. */
bool cni_cuda_looks_make(const cni_statements *x, const uint8_t *kinds, cni_arena *arena, cni_cuda_looks *out);

/* Appends the look at the register, if there is one; in the order of the program. */
void cni_cuda_look_write(const cni_cuda_looks *looks, const cni_statements *x, uint32_t reg, cni_text *text);

#endif
