/* notice.h - what the user should know once: something is missing or broken, and the program goes on without it. */
#ifndef CNI_NOTICE_H
#define CNI_NOTICE_H

#include <stdbool.h>

/* Keeps the text for cn_notice_take; the same text is kept once a process. Any thread. */
void cni_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

bool cni_notice_waits(void);

#endif
