/* status.c - the thread-local error record. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char message[512];

cn_status cni_fail(cn_status code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return code;
}

cn_status cni_fail_memory(int64_t nbytes)
{
    return cni_fail(CN_ERROR_MEMORY, "Unable to allocate %lld bytes", (long long)nbytes);
}

const char *cn_error_message(void)
{
    return message;
}

const char *cni_shape_text(int ndim, const int64_t *shape, char *text, size_t size)
{
    size_t used = 0;
    used += (size_t)snprintf(text, size, "(");
    for (int d = 0; d < ndim && used < size; d++) {
        const char *tail = d + 1 < ndim || ndim == 1 ? "," : "";
        used += (size_t)snprintf(text + used, size - used, "%lld%s", (long long)shape[d], tail);
    }
    if (used < size) {
        snprintf(text + used, size - used, ")");
    }
    return text;
}
