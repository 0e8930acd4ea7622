/* direct.c - see direct.h: how the ranks decide. */
#include "exec/direct.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/debug.h"
#include "base/memory.h"
#include "base/notice.h"
#include "base/settings.h"
#include "base/stats.h"
#include "base/status.h"
#include "exec/place.h"

/* Ranks tell each other every now and then how far they are with opening; after so many times nobody waits longer. */
enum { TELL_NANOSECONDS = 20000000, TELLS = 6000 };

typedef enum answer { YES, NO_DEVICE, SHARED, NO_LIBRARY, VERSIONS, FAILED, ANSWERS } answer;

static const char *const reasons[] = {
    [YES] = "in use",
    [NO_DEVICE] = "not in use: a rank has no GPU",
    [SHARED] = "not in use: ranks share a GPU",
    [NO_LIBRARY] = "not in use: a rank has none",
    [VERSIONS] = "not in use: ranks have several versions",
    [FAILED] = "not in use: it did not start",
};
_Static_assert(sizeof reasons / sizeof *reasons == ANSWERS, "a reason is missing");

/* What rank 0 tells the others. */
typedef struct decision {
    answer answer;
    uint8_t id[CNI_DIRECT_ID];
} decision;

static const cni_direct *direct; /* open */
static bool decided;
static answer decided_so;

static const cni_direct *table(void)
{
    return cni_settings[CNI_SETTING_GPU] != 0 && cni_device_place() != NULL ? cni_cuda_direct() : NULL;
}

const cni_direct *cni_direct_for(int64_t nbytes)
{
    int64_t least = cni_settings[CNI_SETTING_NCCL_BYTES];
    return least > 0 && nbytes >= least ? direct : NULL;
}

bool cni_direct_open(void)
{
    return direct != NULL;
}

static void count(const char *way, int n, const cni_direct_message *messages)
{
    for (int i = 0; i < n; i++) {
        cni_stats.direct_messages++;
        cni_stats.direct_bytes += (uint64_t)messages[i].nbytes;
        cni_debug(CNI_DEBUG_COMM, "direct: %lld bytes %s %d%s", (long long)messages[i].nbytes, way, messages[i].peer,
                  messages[i].device == NULL ? ", at this host" : "");
    }
}

cn_status cni_direct_exchange(const cni_direct *by, int nreceives, const cni_direct_message *receives, int nsends,
                              const cni_direct_message *sends)
{
    count("to", nsends, sends);
    count("from", nreceives, receives);
    return by->exchange(nreceives, receives, nsends, sends);
}

const char *cni_direct_description(void)
{
    static char text[96];
    cni_direct_self self = {0};
    if (table() != NULL) {
        table()->self(&self);
    }
    if (self.version == 0) {
        return self.has_device ? "none" : "none: there is no GPU";
    }
    snprintf(text, sizeof text, "%d.%d.%d%s%s", self.version / 10000, self.version / 100 % 100, self.version % 100,
             decided ? ", " : "", decided ? reasons[decided_so] : "");
    return text;
}

/* ---- Deciding ---- */

/* Of ranks that all have what it takes. */
static answer compare(const cni_direct_self *all, int ranks)
{
    answer found = YES;
    for (int r = 0; r < ranks; r++) {
        found = all[r].version != all[0].version ? VERSIONS : found;
        for (int other = 0; other < r; other++) {
            if (memcmp(all[r].device, all[other].device, sizeof all[r].device) == 0) {
                return SHARED;
            }
        }
    }
    return found;
}

/* What rank 0 needs for it. */
typedef struct hearing {
    cni_direct_self *all;
    cni_message *messages;
} hearing;

static bool hearing_make(hearing *h, int ranks)
{
    h->all = cni_alloc_zero((size_t)ranks, sizeof *h->all);
    h->messages = cni_alloc_zero((size_t)ranks, sizeof *h->messages);
    return h->all != NULL && h->messages != NULL;
}

static void hearing_free(hearing *h)
{
    cni_free(h->all);
    cni_free(h->messages);
}

static cn_status rank_0_decides(const cni_net *net, const cni_direct *mine, const cni_direct_self *self,
                                const hearing *h, decision *out)
{
    CN_TRY(net->gather(self, sizeof *self, h->all));
    out->answer = compare(h->all, net->size);
    if (out->answer == YES && !mine->id(out->id)) {
        out->answer = FAILED;
    }
    for (int r = 1; r < net->size; r++) {
        h->messages[r] = (cni_message){r, out, sizeof *out};
    }
    CN_TRY(net->exchange_begin(0, NULL, net->size - 1, h->messages + 1));
    return net->exchange_end();
}

static cn_status hear_decision(const cni_net *net, const cni_direct_self *self, decision *out)
{
    cni_message message = {0, out, sizeof *out};
    CN_TRY(net->gather(self, sizeof *self, NULL));
    CN_TRY(net->exchange_begin(1, &message, 0, NULL));
    return net->exchange_end();
}

/* The first answer that some rank has, of those that say what it lacks. */
static answer what_lacks(uint32_t all)
{
    all &= ~(1U << YES);
    return all != 0 ? (answer)__builtin_ctz(all) : YES;
}

static cn_status ask(const cni_net *net, const cni_direct *mine, decision *out)
{
    cni_direct_self self = {0};
    hearing h = {0};
    uint32_t all = 0;
    if (mine != NULL) {
        mine->self(&self);
    }
    answer mine_lacks = !self.has_device ? NO_DEVICE : self.version == 0 ? NO_LIBRARY : YES;
    if (net->rank == 0 && mine_lacks == YES && !hearing_make(&h, net->size)) {
        mine_lacks = FAILED;
    }
    cn_status status = net->agree(1U << mine_lacks, &all);
    out->answer = what_lacks(all);
    if (status == CN_OK && out->answer == YES) {
        status = net->rank == 0 ? rank_0_decides(net, mine, &self, &h, out) : hear_decision(net, &self, out);
    }
    hearing_free(&h);
    return status;
}

static cni_direct_state wait_some(const cni_direct *mine)
{
    cni_direct_state state = mine->opened();
    for (int i = 0; i < 20 && state == CNI_DIRECT_OPENING; i++) {
        nanosleep(&(struct timespec){.tv_nsec = TELL_NANOSECONDS / 20}, NULL);
        state = mine->opened();
    }
    return state;
}

/* All have opened it, or nobody uses it. */
static cn_status open_together(const cni_net *net, const cni_direct *mine, const void *id, bool *open)
{
    cni_direct_state state = mine->open(id, net->rank, net->size) ? CNI_DIRECT_OPENING : CNI_DIRECT_FAILED;
    uint32_t all;
    for (int i = 0;; i++) { /* as often everywhere: all see the same */
        CN_TRY(net->agree(1U << state, &all));
        if (all == 1U << CNI_DIRECT_OPEN || (all >> CNI_DIRECT_FAILED & 1) != 0 || i == TELLS) {
            break;
        }
        state = state == CNI_DIRECT_OPENING ? wait_some(mine) : state;
    }
    *open = all == 1U << CNI_DIRECT_OPEN;
    if (!*open) {
        mine->close();
    }
    return CN_OK;
}

static cn_status decide(const cni_net *net)
{
    const cni_direct *mine = table();
    decision d = {.answer = FAILED};
    CN_TRY(ask(net, mine, &d));
    if (d.answer == YES) {
        bool open;
        CN_TRY(open_together(net, mine, d.id, &open));
        direct = open ? mine : NULL;
        d.answer = open ? YES : FAILED;
    }
    decided_so = d.answer;
    cni_debug(CNI_DEBUG_COMM, "messages from GPU to GPU: NCCL is %s", reasons[d.answer]);
    if (net->rank == 0 && d.answer > SHARED) {
        cni_notice("cnumeric: messages between GPUs go through the hosts' memory (NCCL is %s)", reasons[d.answer]);
    }
    return CN_OK;
}

cn_status cni_direct_decide(int64_t nbytes)
{
    const cni_net *net = cni_process_net;
    bool large = nbytes >= cni_settings[CNI_SETTING_GPU_BYTES] / CNI_REPEATED_PART;
    if (decided || net->size == 1 || cni_settings[CNI_SETTING_NCCL_BYTES] <= 0 || !large) {
        return CN_OK;
    }
    decided = true;
    return decide(net);
}
