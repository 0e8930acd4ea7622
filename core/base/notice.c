/* notice.c - see notice.h. */
#include "base/notice.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cnumeric.h"

enum { NOTICES = 8, LENGTH = 400 }; /* what does not fit is dropped */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char texts[NOTICES][LENGTH];
static _Atomic int written;
static int taken;

void cni_notice(const char *format, ...)
{
    char text[LENGTH];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&lock);
    bool known = written == NOTICES;
    for (int i = 0; i < written && !known; i++) {
        known = strcmp(texts[i], text) == 0;
    }
    if (!known) {
        strcpy(texts[written], text);
        written++;
    }
    pthread_mutex_unlock(&lock);
}

bool cni_notice_waits(void)
{
    return taken < atomic_load_explicit(&written, memory_order_relaxed);
}

const char *cn_notice_take(void)
{
    return taken < written ? texts[taken++] : NULL;
}
