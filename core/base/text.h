/* text.h - growing text. Without memory it is lost as a whole, and stays so: never text with a hole. */
#ifndef CNI_TEXT_H
#define CNI_TEXT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cni_text {
    char *data; /* NULL: nothing was added, or it is lost */
    size_t length, capacity;
    bool lost;
} cni_text;

void cni_text_free(cni_text *text);
void cni_text_add(cni_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cni_text_join(cni_text *text, const cni_text *more); /* lost if more is */

#endif
