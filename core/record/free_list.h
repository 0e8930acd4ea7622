/* free_list.h - what was let go, for who needs the same next: the link is the first word of an item. */
#ifndef CNI_FREE_LIST_H
#define CNI_FREE_LIST_H

#include <string.h>

#include "base/memory.h"

enum { CNI_FREE_LIST_MOST = 512 };

typedef struct cni_free_list {
    void *first;
    int count;
} cni_free_list;

/* NULL: there is none. */
static inline void *cni_free_list_pop(cni_free_list *list)
{
    void *item = list->first;
    if (item != NULL) {
        memcpy(&list->first, item, sizeof list->first);
        list->count--;
        for (int line = 0; line < 3; line++) {
            __builtin_prefetch((char *)list->first + line * 64, 1); /* the next: it was let go long ago */
        }
    }
    return item;
}

static inline void cni_free_list_push(cni_free_list *list, void *item)
{
    if (list->count >= CNI_FREE_LIST_MOST) {
        cni_free(item);
        return;
    }
    memcpy(item, &list->first, sizeof list->first);
    list->first = item;
    list->count++;
}

#endif
