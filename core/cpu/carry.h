/* carry.h - see carry.c. */
#ifndef CNI_CARRY_H
#define CNI_CARRY_H

#include "exec/place.h"

typedef struct cni_carry_binding cni_carry_binding;

cn_status cni_carry_bind(const cni_part *part, const cni_window *w, const cni_skeleton *s, const cni_span *span,
                         cni_carry_binding **out);
/* The same binding for other geometry. */
void cni_carry_rebind(const cni_part *part, const cni_window *w, const cni_skeleton *s, const cni_span *span,
                      cni_carry_binding *binding);
void cni_carry_unbind(cni_carry_binding *binding);
void cni_carry_run(const cni_part *part, const cni_carry_binding *binding, const cni_run *run);

#endif
