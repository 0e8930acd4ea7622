/* alltoall.c - see alltoall.h. */
#include "exec/alltoall.h"

#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "base/status.h"

static cn_status alltoall_room(cni_alltoall *x)
{
    size_t local = (size_t)x->world->local, places = (size_t)x->world->places;
    x->numbers = cni_alloc_zero(5 * local + 2 * local * places, sizeof(int64_t));
    x->messages = cni_alloc(2 * places * sizeof *x->messages);
    if (x->numbers == NULL || x->messages == NULL) {
        return cni_fail_memory((int64_t)(local * places));
    }
    x->sent = x->numbers;
    x->received = x->sent + local;
    x->asked = (char **)(x->received + local);
    x->heard = x->asked + local;
    x->marks = x->heard + local;
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
        cni_free(x);
    }
}

static cn_status exchange(cni_alltoall *x, int nreceives, int nsends)
{
    const cni_net *net = x->world->net;
    if (nreceives + nsends == 0) {
        return CN_OK;
    }
    CN_TRY(net->exchange_begin(nreceives, x->messages, nsends, x->messages + x->world->places));
    return net->exchange_end();
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
    return exchange(x, n, n);
}

/* Messages for, or from, the others: one after the other in memory, as what is the place's own. */
static int lay_out(const cni_alltoall *x, const int64_t *counts, char *memory, int64_t size, cni_message *messages)
{
    int n = 0;
    for (int peer = 0; peer < x->world->places; peer++) {
        if (peer != x->world->first && counts[peer] > 0) {
            messages[n++] = (cni_message){peer, memory, counts[peer] * size};
        }
        memory += counts[peer] * size;
    }
    return n;
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
        size_t bytes = (size_t)(x->sent[from][me + to] * size);
        if (bytes > 0) {
            memcpy(back ? asked : heard[to], back ? heard[to] : asked, bytes);
            cni_stats.messages += from != to;
            cni_stats.message_bytes += from != to ? bytes : 0;
        }
        asked += bytes;
        heard[to] += bytes;
    }
}

cn_status cni_alltoall_move(cni_alltoall *x, bool back, int64_t asked_at, int64_t heard_at, int64_t size)
{
    for (int to = 0; to < x->world->local; to++) {
        x->marks[to] = x->heard[to] + heard_at + before(x->received[to], x->world->first) * size;
    }
    for (int from = 0; from < x->world->local; from++) {
        copy_items(x, from, back, x->asked[from] + asked_at, x->marks, size);
    }
    if (x->world->net->size == 1) {
        return CN_OK;
    }
    cni_message *receives = x->messages, *sends = x->messages + x->world->places;
    int nasked = lay_out(x, x->sent[0], x->asked[0] + asked_at, size, back ? receives : sends);
    int nheard = lay_out(x, x->received[0], x->heard[0] + heard_at, size, back ? sends : receives);
    for (int i = 0; i < (back ? nheard : nasked); i++) {
        cni_stats.messages++;
        cni_stats.message_bytes += (uint64_t)sends[i].nbytes;
    }
    return exchange(x, back ? nasked : nheard, back ? nheard : nasked);
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
