/* debug.c - see debug.h. */
#include "base/debug.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/notice.h"

unsigned cni_debug_topics;
static const char *const names[CNI_DEBUG_COUNT] = {"plan", "kernel", "comm"};
static int own_rank = -1;

static bool choose(const char *name, size_t length)
{
    for (int topic = 0; topic < CNI_DEBUG_COUNT; topic++) {
        if (strlen(names[topic]) == length && strncmp(names[topic], name, length) == 0) {
            cni_debug_topics |= 1U << topic;
            return true;
        }
    }
    return length == 0;
}

void cni_debug_choose(const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        if (!choose(text, length)) {
            cni_notice("CNUMERIC_DEBUG: there is no topic '%.*s', but plan, kernel and comm", (int)length, text);
        }
        text += length + (text[length] == ',');
    }
}

void cni_debug_rank(int rank)
{
    own_rank = rank;
}

/* Its length; text: NULL, or room for it. */
static size_t compose(char *text, size_t size, cni_debug_topic topic, const char *format, va_list arguments)
{
    size_t head = own_rank < 0 ? (size_t)snprintf(text, size, "cnumeric %s: ", names[topic])
                               : (size_t)snprintf(text, size, "cnumeric[%d] %s: ", own_rank, names[topic]);
    char *rest = text != NULL ? text + head : NULL;
    return head + (size_t)vsnprintf(rest, text != NULL ? size - head : 0, format, arguments);
}

void cni_debug(cni_debug_topic topic, const char *format, ...)
{
    if (!cni_debug_on(topic)) {
        return;
    }
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    size_t length = compose(NULL, 0, topic, format, arguments);
    char *text = malloc(length + 1); /* not of the allocations that are counted: telling changes nothing */
    if (text != NULL) {
        compose(text, length + 1, topic, format, again);
        text[length] = '\n';
        fwrite(text, 1, length + 1, stderr);
        free(text);
    }
    va_end(again);
    va_end(arguments);
}
