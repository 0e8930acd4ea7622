/* text.c - see text.h. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"

static void lose(cni_text *text)
{
    cni_text_free(text);
    text->lost = true;
}

void cni_text_add(cni_text *text, const char *format, ...)
{
    va_list arguments;
    if (text->lost) {
        return;
    }
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int need = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (need >= 0 && cni_grow((void **)&text->data, &text->capacity, text->length + (size_t)need + 1, 1)) {
        vsnprintf(text->data + text->length, (size_t)need + 1, format, again);
        text->length += (size_t)need;
    } else {
        lose(text);
    }
    va_end(again);
}

void cni_text_join(cni_text *text, const cni_text *more)
{
    if (more->lost) {
        lose(text);
    } else if (more->length > 0) {
        cni_text_add(text, "%s", more->data);
    }
}

void cni_text_free(cni_text *text)
{
    cni_free(text->data);
    *text = (cni_text){0};
}
