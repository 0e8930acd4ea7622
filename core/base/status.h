/*
 * status.h - failing: the thread-local error record and the macros that pass failures up.
 *
 * The function that decides on a failure calls cni_fail, everybody above it only passes the code on.
 */
#ifndef CNI_STATUS_H
#define CNI_STATUS_H

#include "cnumeric.h"

/* Stores the message (printf-style) in the thread's record and returns code. */
cn_status cni_fail(cn_status code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* cni_fail(CN_ERROR_MEMORY, ...) with the text that Python shows. */
cn_status cni_fail_memory(int64_t nbytes);

#define CN_TRY(call)                                                                                                   \
    do {                                                                                                               \
        cn_status cn_try_status = (call);                                                                              \
        if (cn_try_status != CN_OK) {                                                                                  \
            return cn_try_status;                                                                                      \
        }                                                                                                              \
    } while (0)

/* Needs a `cn_status status` in scope; the label frees in reverse and returns status. */
#define CN_TRY_GOTO(call, label)                                                                                       \
    do {                                                                                                               \
        status = (call);                                                                                               \
        if (status != CN_OK) {                                                                                         \
            goto label;                                                                                                \
        }                                                                                                              \
    } while (0)

/* Writes "(2,3,)"-style shape text as NumPy prints it in messages; returns text. */
const char *cni_shape_text(int ndim, const int64_t *shape, char *text, size_t size);

/* An invariant of the library, checked always: prints nothing, records CN_ERROR_INTERNAL. */
#define CN_CHECK(condition)                                                                                            \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            return cni_fail(CN_ERROR_INTERNAL, "internal error: %s (%s:%d)", #condition, __FILE__, __LINE__);          \
        }                                                                                                              \
    } while (0)

#ifdef CN_DEBUG
#include <assert.h>
#define CN_ASSERT(condition) assert(condition)
#else
#define CN_ASSERT(condition) ((void)0)
#endif

#endif
