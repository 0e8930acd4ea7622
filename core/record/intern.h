/* intern.h - between window.c (data) and recorder.c (when): how an operand gets its number. */
#ifndef CNI_INTERN_H
#define CNI_INTERN_H

#include "record/window.h"

/* Room for one more op with these operands; false without memory, then nothing has changed. */
bool cni_window_reserve(cni_window *w, const cni_op *op, const cni_operand *operands);

/* The number of an array operand's view; cannot fail after cni_window_reserve. */
uint32_t cni_window_intern(cni_window *w, const cni_operand *operand);

void cni_window_clear(cni_window *w, uint64_t serial);

uint64_t cni_view_hash(uint32_t base, uint8_t dtype, const cni_geometry *g);
void cni_window_table_put(cni_window *w, uint32_t view, uint64_t hash);

#endif
