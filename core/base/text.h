/* text.h - growing text; running out of memory only cuts it short. */
#ifndef CNI_TEXT_H
#define CNI_TEXT_H

#include <stddef.h>

typedef struct cni_text {
    char *data;
    size_t length, capacity;
} cni_text;

void cni_text_free(cni_text *text);
void cni_text_add(cni_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
