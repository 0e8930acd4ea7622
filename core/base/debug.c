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

void cni_debug(cni_debug_topic topic, const char *format, ...)
{
    if (!cni_debug_on(topic)) {
        return;
    }
    char head[64];
    if (own_rank < 0) {
        snprintf(head, sizeof head, "cnumeric %s: ", names[topic]);
    } else {
        snprintf(head, sizeof head, "cnumeric[%d] %s: ", own_rank, names[topic]);
    }
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    size_t before = strlen(head), length = before + (size_t)vsnprintf(NULL, 0, format, arguments);
    char *text = malloc(length + 2); /* not of the allocations that are counted: telling changes nothing */
    if (text != NULL) {
        memcpy(text, head, before);
        vsnprintf(text + before, length - before + 1, format, again);
        text[length] = '\n';
        fwrite(text, 1, length + 1, stderr);
        free(text);
    }
    va_end(again);
    va_end(arguments);
}
