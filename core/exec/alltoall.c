/* alltoall.c - see alltoall.h. */
#include "exec/alltoall.h"

#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "base/status.h"

static cn_status alltoall_room(cni_alltoall *x)
{
    size_t local = (size_t)x->world->local, places = (size_t)x->world->places;
    x->numbers = cni_alloc_zero(7 * local + 2 * local * places, sizeof(int64_t));
    x->messages = cni_alloc(2 * places * sizeof *x->messages);
    x->direct_messages = cni_alloc(2 * places * sizeof *x->direct_messages);
    if (x->numbers == NULL || x->messages == NULL || x->direct_messages == NULL) {
        return cni_fail_memory((int64_t)(local * places));
    }
    x->sent = x->numbers;
    x->received = x->sent + local;
    x->asked = (char **)(x->received + local);
    x->heard = x->asked + local;
    x->device_asked = x->heard + local;
    x->device_heard = x->device_asked + local;
    x->marks = x->device_heard + local;
    for (size_t k = 0; k < local; k++) {
        x->sent[k] = (int64_t *)(x->marks + local) + k * places;
        x->received[k] = (int64_t *)(x->marks + local) + (local + k) * places;
        x->asked[k] = cni_storage_alloc(x->asked_bytes);
        x->heard[k] = cni_storage_alloc(x->heard_bytes);
        if (x->asked[k] == NULL || x->heard[k] == NULL) {
            return cni_fail_memory(x->asked_bytes + x->heard_bytes);
        }
    }
    return CN_OK;
}

cn_status cni_alltoall_create(const cni_world *world, int64_t asked_bytes, int64_t heard_bytes, cni_alltoall **out)
{
    cni_alltoall *x = cni_alloc_zero(1, sizeof *x);
    if (x == NULL) {
        return cni_fail_memory((int64_t)sizeof *x);
    }
    *x = (cni_alltoall){.world = world, .asked_bytes = asked_bytes + 1, .heard_bytes = heard_bytes + 1};
    cn_status status = alltoall_room(x);
    if (status != CN_OK) {
        cni_alltoall_destroy(x);
        return status;
    }
    *out = x;
    return CN_OK;
}

void cni_alltoall_destroy(cni_alltoall *x)
{
    for (int k = 0; x != NULL && x->numbers != NULL && x->asked != NULL && k < x->world->local; k++) {
        cni_storage_free(x->asked[k], x->asked_bytes);
        cni_storage_free(x->heard[k], x->heard_bytes);
    }
    if (x != NULL) {
        cni_free(x->numbers);
        cni_free(x->messages);
        cni_free(x->direct_messages);
        cni_free(x);
    }
}

cn_status cni_alltoall_count(cni_alltoall *x)
{
    int places = x->world->places, me = x->world->first, n = 0;
    for (int k = 0; k < x->world->local; k++) {
        for (int j = 0; j < x->world->local; j++) {
            x->received[j][me + k] = x->sent[k][me + j];
        }
    }
    for (int peer = 0; peer < places && x->world->net->size > 1; peer++) {
        if (peer != me) {
            x->messages[n] = (cni_message){peer, &x->received[0][peer], sizeof(int64_t)};
            x->messages[places + n++] = (cni_message){peer, &x->sent[0][peer], sizeof(int64_t)};
        }
    }
    if (n == 0) {
        return CN_OK;
    }
    CN_TRY(x->world->net->exchange_begin(n, x->messages, n, x->messages + places));
    return x->world->net->exchange_end();
}

typedef cni_alltoall_side side;

/* Messages for, or from, the others: one after the other in memory, as what is the place's own. */
static void lay_out(const cni_alltoall *x, const int64_t *counts, int64_t size, side *s)
{
    int64_t at = 0;
    for (int peer = 0; peer < x->world->places; peer++) {
        int64_t nbytes = counts[peer] * size;
        const cni_direct *by = x->direct && nbytes > 0 ? cni_direct_for(nbytes) : NULL;
        if (peer == x->world->first || nbytes == 0) {
            at += nbytes;
            continue;
        }
        if (by != NULL) {
            char *device = s->device != NULL ? s->device + at : NULL;
            s->direct[s->ndirect++] =
                (cni_direct_message){.peer = peer, .device = device, .host = s->host + at, .nbytes = nbytes};
            s->by = by;
        } else {
            s->messages[s->n++] = (cni_message){peer, s->host + at, nbytes};
        }
        s->bytes += nbytes;
        at += nbytes;
    }
}

/* Between the device and the messages' memory on the host. */
static cn_status pass(const side *s, bool out)
{
    for (int i = 0; i < s->n && s->device != NULL; i++) {
        char *host = s->messages[i].data, *device = s->device + (host - s->host);
        int64_t nbytes = s->messages[i].nbytes;
        cni_stats.moves++;
        cni_stats.move_bytes += (uint64_t)nbytes;
        CN_TRY(out ? cni_process_device->download(host, device, nbytes)
                   : cni_process_device->upload(device, host, nbytes));
    }
    return CN_OK;
}

static const cni_direct *carrier(const cni_alltoall *x)
{
    return x->out.by != NULL ? x->out.by : x->in.by;
}

static cn_status send(const cni_alltoall *x)
{
    const side *in = &x->in, *out = &x->out;
    CN_TRY(pass(out, true));
    if (in->n + out->n > 0) {
        CN_TRY(x->world->net->exchange_begin(in->n, in->messages, out->n, out->messages));
    }
    return carrier(x) == NULL ? CN_OK
                              : cni_direct_exchange(carrier(x), in->ndirect, in->direct, out->ndirect, out->direct);
}

cn_status cni_alltoall_end(cni_alltoall *x)
{
    if (x->in.n + x->out.n > 0) {
        CN_TRY(x->world->net->exchange_end());
    }
    if (carrier(x) != NULL) {
        carrier(x)->arrive();
    }
    return pass(&x->in, false);
}

static int64_t before(const int64_t *counts, int place)
{
    int64_t sum = 0;
    for (int i = 0; i < place; i++) {
        sum += counts[i];
    }
    return sum;
}

/* From one place of this process, or back to it; heard: where its items begin at each. */
static void copy_items(const cni_alltoall *x, int from, bool back, char *asked, char **heard, int64_t size)
{
    int me = x->world->first;
    asked += before(x->sent[from], me) * size;
    for (int to = 0; to < x->world->local; to++) {
        int64_t bytes = x->sent[from][me + to] * size;
        if (bytes > 0 && (from != to || !x->settled)) {
            char *target = back ? asked : heard[to], *source = back ? heard[to] : asked;
            if (x->there) {
                cni_process_device->copy(target, source, bytes);
            } else {
                memcpy(target, source, (size_t)bytes);
            }
            cni_stats.messages += from != to;
            cni_stats.message_bytes += from != to ? (uint64_t)bytes : 0;
        }
        asked += bytes;
        heard[to] += bytes;
    }
}

/* Messages to and from other processes. */
static cn_status begin_messages(cni_alltoall *x, bool back, int64_t asked_at, int64_t heard_at, int64_t size)
{
    int places = x->world->places;
    side a = {.host = x->asked[0] + asked_at, .messages = x->messages, .direct = x->direct_messages};
    side h = {.host = x->heard[0] + heard_at, .messages = x->messages + places, .direct = x->direct_messages + places};
    a.device = x->there ? x->device_asked[0] + asked_at : NULL;
    h.device = x->there ? x->device_heard[0] + heard_at : NULL;
    lay_out(x, x->sent[0], size, &a);
    lay_out(x, x->received[0], size, &h);
    x->in = back ? a : h;
    x->out = back ? h : a;
    cni_stats.messages += (uint64_t)(x->out.n + x->out.ndirect);
    cni_stats.message_bytes += (uint64_t)x->out.bytes;
    return send(x);
}

cn_status cni_alltoall_begin(cni_alltoall *x, bool back, int64_t asked_at, int64_t heard_at, int64_t size)
{
    char **asked = x->there ? x->device_asked : x->asked, **heard = x->there ? x->device_heard : x->heard;
    x->in = x->out = (side){0};
    if (x->world->net->size > 1) {
        CN_TRY(begin_messages(x, back, asked_at, heard_at, size));
    }
    for (int to = 0; to < x->world->local; to++) {
        x->marks[to] = heard[to] + heard_at + before(x->received[to], x->world->first) * size;
    }
    for (int from = 0; from < x->world->local; from++) {
        copy_items(x, from, back, asked[from] + asked_at, x->marks, size);
    }
    return CN_OK;
}

cn_status cni_alltoall_move(cni_alltoall *x, bool back, int64_t asked_at, int64_t heard_at, int64_t size)
{
    CN_TRY(cni_alltoall_begin(x, back, asked_at, heard_at, size));
    return cni_alltoall_end(x);
}

cn_status cni_alltoall_tell(cni_alltoall *x, int64_t size)
{
    for (int k = 0; k < x->world->local; k++) {
        for (int place = 0; place < x->world->places; place++) {
            x->sent[k][place] = x->received[k][place] = 1;
            memmove(x->asked[k] + place * size, x->asked[k], (size_t)size);
        }
    }
    return cni_alltoall_move(x, false, 0, 0, size);
}
