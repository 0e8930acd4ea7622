/*
 * cuda_watch.h - which values of a program are looked at for floating-point events, and the text that does it.
 *
 * A GPU keeps no flags. But what divisions by zero, overflows and invalid operations give is not finite, and most ops give
 * nothing finite of that (ops.def: carries). So a program first looks only at values that no later op of it carries on:
 * what is stored or reduced, divisors, what is compared, and at the operands of casts to integers and of integer
 * divisions. For an element where that finds something, which is rare, the program runs again and asks after every op:
 * before it stores, since its inputs may lie where it stores.
 *
 * An op of which an operand is no number has no events, and missing data are NaNs. So what is not finite counts only if
 * nothing was loaded that explains it: each value that is looked at has a set of loads (cuda_looks.h).
 *
 *     CNI_WATCH;  statements, each with cni_cuda_watch_value;  if (CNI_HIT) { ... }  stores
 *     cni_cuda_watch_begin;  statements by cni_cuda_watch_ask;  cni_cuda_watch_end
 */
#ifndef CNI_CUDA_WATCH_H
#define CNI_CUDA_WATCH_H

#include "cuda/cuda_looks.h"
#include "exec/statement.h"

typedef struct cni_cuda_watch {
    const cni_statements *x;
    uint32_t count, first; /* ops that can have events; the first one's word in the table */
    uint32_t *ops;         /* of the window, by word, from first on */
    uint32_t *word;        /* by instruction; CNI_NONE */
    uint8_t *kinds;        /* by instruction: those that are asked for */
    cni_cuda_looks looks;
} cni_cuda_watch;

/* Of the statements' program, whose words begin at `first`; false without memory. */
bool cni_cuda_watch_make(const cni_statements *x, uint32_t first, cni_arena *arena, cni_cuda_watch *out);

/* Appends the look at what instruction i needs and gives, behind its statement. */
void cni_cuda_watch_value(const cni_cuda_watch *watch, uint32_t i, cni_text *text);

/* Appends the functions that statements that ask call, each once in a text, behind those of the statements. */
void cni_cuda_watch_functions(const cni_cuda_watch *watch, cni_text *text);

/* Appends the statement of an OP, CAST or MOVE that asks for its events. */
void cni_cuda_watch_ask(const cni_cuda_watch *watch, cni_statements *x, uint32_t i, cni_text *text);

/* Around statements that ask: what was seen so far, and writing it into the table; table: an expression, its address. */
void cni_cuda_watch_begin(const cni_cuda_watch *watch, cni_text *text);
void cni_cuda_watch_end(const cni_cuda_watch *watch, const char *table, cni_text *text);

#endif
