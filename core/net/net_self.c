/* net_self.c - the net of one process: what it sends itself, it receives. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "exec/net.h"

static cn_status log_send(const void *entry, int64_t nbytes)
{
    (void)entry;
    (void)nbytes;
    return CN_OK;
}

static cn_status log_receive(const void **entry, int64_t *nbytes)
{
    (void)entry;
    (void)nbytes;
    return cni_fail(CN_ERROR_INTERNAL, "rank 0 has no log to receive");
}

static cn_status exchange_begin(int nreceives, const cni_message *receives, int nsends, const cni_message *sends)
{
    CN_CHECK(nreceives == nsends);
    for (int i = 0; i < nsends; i++) {
        CN_CHECK(receives[i].peer == 0 && sends[i].peer == 0 && receives[i].nbytes == sends[i].nbytes);
        memmove(receives[i].data, sends[i].data, (size_t)sends[i].nbytes);
    }
    return CN_OK;
}

static cn_status exchange_end(void)
{
    return CN_OK;
}

static cn_status agree(uint32_t mine, uint32_t *all)
{
    *all = mine;
    return CN_OK;
}

static cn_status gather(const void *mine, int64_t nbytes, void *all)
{
    memcpy(all, mine, (size_t)nbytes);
    return CN_OK;
}

static void stop_all(const char *message)
{
    fprintf(stderr, "cnumeric: %s\n", message);
    _Exit(1);
}

static void close_net(void)
{
}

static const cni_net self = {
    .name = "self",
    .size = 1,
    .local_size = 1,
    .log_send = log_send,
    .log_receive = log_receive,
    .exchange_begin = exchange_begin,
    .exchange_end = exchange_end,
    .agree = agree,
    .gather = gather,
    .abort = stop_all,
    .close = close_net,
};

const cni_net *cni_process_net = &self;
