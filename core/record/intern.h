/* intern.h - between window.c (data) and recorder.c (when): how an operand gets its number. */
#ifndef CNI_INTERN_H
#define CNI_INTERN_H

#include "record/window.h"

/* Room for one more op; false without memory, then nothing has changed. */
bool cni_window_reserve(cni_window *w);

/* Gives an array operand's view its number; cannot fail after cni_window_reserve. */
uint32_t cni_window_intern_new(cni_window *w, const cni_operand *operand);

/* The number of an array operand's view. */
static inline uint32_t cni_window_intern(cni_window *w, const cni_operand *operand)
{
    const cn_array *a = operand->array;
    return !operand->broadcast && a->window_serial == w->serial ? a->view_index : cni_window_intern_new(w, operand);
}

void cni_window_clear(cni_window *w, uint64_t serial);

#endif
