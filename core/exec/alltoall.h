/*
 * alltoall.h - items from every place to every place, as many as turn out to be needed: the places of this process by
 * copies, those of other processes by messages, which go as those of exchanges do: through the hosts or, if they are
 * large enough and ranks can, from device to device (direct.h).
 *
 * A place asks: items lie in `asked`, by the place that they are for. They arrive in `heard` there, by the place that they
 * are from; what is sent back takes the same way. Room is made once, for the most that there can be. Where a device does the
 * work of this process's places, items lie in its memory, and the hosts' is for what goes through it.
 */
#ifndef CNI_ALLTOALL_H
#define CNI_ALLTOALL_H

#include "exec/direct.h"
#include "exec/world.h"

/* What goes, or what comes, of a move: messages through the net and direct ones. */
typedef struct cni_alltoall_side {
    char *host, *device; /* where all items are; device: NULL: on the host alone */
    cni_message *messages;
    cni_direct_message *direct;
    int n, ndirect;
    const cni_direct *by; /* that carries those; NULL: there are none */
    int64_t bytes;
} cni_alltoall_side;

typedef struct cni_alltoall {
    const cni_world *world;
    int64_t **sent, **received;          /* [local place][place]: items */
    char **asked, **heard;               /* by local place */
    char **device_asked, **device_heard; /* likewise */
    char **marks;                        /* likewise, of the move at hand */
    bool there;                          /* items are on the device */
    bool settled;                        /* what a place has for itself is where it belongs already */
    bool direct;                         /* large messages are, at all ranks */
    void *numbers;
    cni_message *messages;
    cni_direct_message *direct_messages;
    int64_t asked_bytes, heard_bytes;
    cni_alltoall_side in, out; /* of the move at hand */
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

/* Items that the place has received of all places before this one. */
static inline int64_t cni_alltoall_before(const cni_alltoall *x, int local, int place)
{
    int64_t sum = 0;
    for (int i = 0; i < place; i++) {
        sum += x->received[local][i];
    }
    return sum;
}

/* Collective: the item of this size with which asked begins, for every place; heard has that of each, by place. Asked and
   heard have room for as many as there are places. */
cn_status cni_alltoall_tell(cni_alltoall *x, int64_t size);

/*
 * Collective: `size` bytes an item, which begin at these bytes of asked and heard; back: from heard to asked. Between begin
 * and end items travel: the device may be given work meanwhile that neither writes what goes nor touches what comes.
 */
cn_status cni_alltoall_begin(cni_alltoall *x, bool back, int64_t asked_at, int64_t heard_at, int64_t size);
cn_status cni_alltoall_end(cni_alltoall *x);
cn_status cni_alltoall_move(cni_alltoall *x, bool back, int64_t asked_at, int64_t heard_at, int64_t size);

#endif
