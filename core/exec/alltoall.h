/*
 * alltoall.h - items from every place to every place, as many as turn out to be needed: the places of this process by
 * copies, those of other processes by messages.
 *
 * A place asks: items lie in `asked`, by the place that they are for. They arrive in `heard` there, by the place that they
 * are from; what is sent back takes the same way. Room is made once, for the most that there can be.
 */
#ifndef CNI_ALLTOALL_H
#define CNI_ALLTOALL_H

#include "exec/world.h"

typedef struct cni_alltoall {
    const cni_world *world;
    int64_t **sent, **received; /* [local place][place]: items */
    char **asked, **heard;      /* by local place */
    char **marks;               /* likewise, of the move at hand */
    void *numbers;
    cni_message *messages;
    int64_t asked_bytes, heard_bytes;
} cni_alltoall;

cn_status cni_alltoall_create(const cni_world *world, int64_t asked_bytes, int64_t heard_bytes, cni_alltoall **out);
void cni_alltoall_destroy(cni_alltoall *x);

/* Collective: what every place has set as sent is known as received. */
cn_status cni_alltoall_count(cni_alltoall *x);

/*
 * Where the next item for each place goes in what is asked, by what was sent. Kept in what was received so far: it is not
 * needed yet, or no more.
 */
static inline int64_t *cni_alltoall_marks(const cni_alltoall *x, int local)
{
    int64_t at = 0, *marks = x->received[local];
    for (int place = 0; place < x->world->places; place++) {
        marks[place] = at;
        at += x->sent[local][place];
    }
    return marks;
}

/* Collective: the item of this size with which asked begins, for every place; heard has that of each, by place. Asked and
   heard have room for as many as there are places. */
cn_status cni_alltoall_tell(cni_alltoall *x, int64_t size);

/* Collective: `size` bytes an item, which begin at these bytes of asked and heard; back: from heard to asked. */
cn_status cni_alltoall_move(cni_alltoall *x, bool back, int64_t asked_at, int64_t heard_at, int64_t size);

#endif
