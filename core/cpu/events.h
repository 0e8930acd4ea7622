/*
 * events.h - the floating-point events of the calling thread.
 *
 * Every loop computes in vector registers, so on x86-64 the flags are those of their control word alone: a word read,
 * where fenv.h would save and restore the old coprocessor's whole state. It is written only when an event is in it.
 */
#ifndef CNI_EVENTS_H
#define CNI_EVENTS_H

#include "cnumeric.h"

#if defined(__x86_64__)
#include <xmmintrin.h>

enum { CNI_EVENT_FLAGS = _MM_EXCEPT_INVALID | _MM_EXCEPT_DIV_ZERO | _MM_EXCEPT_OVERFLOW | _MM_EXCEPT_UNDERFLOW };

static inline void cni_events_clear(void)
{
    unsigned int word = _mm_getcsr();
    if ((word & CNI_EVENT_FLAGS) != 0) {
        _mm_setcsr(word & ~(unsigned int)CNI_EVENT_FLAGS);
    }
}

/* CN_FP_ bits of what was raised since the last clear. */
static inline uint32_t cni_events_seen(void)
{
    unsigned int word = _mm_getcsr();
    return ((word & _MM_EXCEPT_DIV_ZERO) != 0 ? CN_FP_DIVIDE : 0U) |
           ((word & _MM_EXCEPT_OVERFLOW) != 0 ? CN_FP_OVERFLOW : 0U) |
           ((word & _MM_EXCEPT_UNDERFLOW) != 0 ? CN_FP_UNDERFLOW : 0U) |
           ((word & _MM_EXCEPT_INVALID) != 0 ? CN_FP_INVALID : 0U);
}

#else
#include <fenv.h>

static inline void cni_events_clear(void)
{
    feclearexcept(FE_ALL_EXCEPT);
}

static inline uint32_t cni_events_seen(void)
{
    int flags = fetestexcept(FE_ALL_EXCEPT);
    return ((flags & FE_DIVBYZERO) != 0 ? CN_FP_DIVIDE : 0U) | ((flags & FE_OVERFLOW) != 0 ? CN_FP_OVERFLOW : 0U) |
           ((flags & FE_UNDERFLOW) != 0 ? CN_FP_UNDERFLOW : 0U) | ((flags & FE_INVALID) != 0 ? CN_FP_INVALID : 0U);
}

#endif
#endif
