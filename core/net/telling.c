/* telling.c - see telling.h. */
#include "net/telling.h"

#include "base/debug.h"
#include "base/text.h"

static cni_net told; /* what does the work */

static cn_status log_send(const void *entry, int64_t nbytes)
{
    cni_debug(CNI_DEBUG_COMM, "log: an entry of %lld bytes to all", (long long)nbytes);
    return told.log_send(entry, nbytes);
}

static cn_status log_receive(const void **entry, int64_t *nbytes)
{
    cn_status status = told.log_receive(entry, nbytes);
    if (status == CN_OK) {
        cni_debug(CNI_DEBUG_COMM, "log: an entry of %lld bytes", (long long)*nbytes);
    }
    return status;
}

static void add_messages(cni_text *text, const char *word, int n, const cni_message *messages)
{
    for (int i = 0; i < n; i++) {
        cni_text_add(text, "%s%s %d: %lld", i == 0 ? "; " : ", ", i == 0 ? word : "", messages[i].peer,
                     (long long)messages[i].nbytes);
    }
}

static cn_status exchange_begin(int nreceives, const cni_message *receives, int nsends, const cni_message *sends)
{
    if (nreceives + nsends > 0) {
        cni_text text = {0};
        add_messages(&text, "bytes to", nsends, sends);
        add_messages(&text, "bytes from", nreceives, receives);
        cni_debug(CNI_DEBUG_COMM, "exchange%s", text.data != NULL ? text.data : "");
        cni_text_free(&text);
    }
    return told.exchange_begin(nreceives, receives, nsends, sends);
}

static cn_status agree(uint32_t mine, uint32_t *all)
{
    cn_status status = told.agree(mine, all);
    if (status == CN_OK) {
        cni_debug(CNI_DEBUG_COMM, "agreement: %x of all, %x of this", *all, mine);
    }
    return status;
}

static cn_status gather(const void *mine, int64_t nbytes, void *all)
{
    cni_debug(CNI_DEBUG_COMM, "gathering: %lld bytes of each to 0", (long long)nbytes);
    return told.gather(mine, nbytes, all);
}

void cni_net_tell(cni_net *net)
{
    cni_debug_rank(net->rank);
    if (cni_debug_on(CNI_DEBUG_COMM)) {
        told = *net;
        net->log_send = log_send;
        net->log_receive = log_receive;
        net->exchange_begin = exchange_begin;
        net->agree = agree;
        net->gather = gather;
    }
}
