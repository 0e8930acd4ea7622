/* log.c - what rank 0 tells the other processes (log_entry.h); what they do about it is log_apply.c's. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/settings.h"
#include "base/stats.h"
#include "base/status.h"
#include "exec/log_entry.h"
#include "exec/trace.h"

/* ---- Writing ---- */

static char *entry;
static size_t entry_capacity, entry_size;
static uint64_t *gone;
static size_t gone_count, gone_capacity;
static uint64_t last_known;
static uint64_t *unused; /* numbers of bases that are gone, which others hear before they are used again */
static size_t unused_count, unused_capacity;
static int64_t told[CNI_SETTING_COUNT]; /* settings that the others have */
static bool told_any;
static bool unheard; /* others may have seen floating-point events */

static bool put(const void *data, size_t size)
{
    if (!cni_grow((void **)&entry, &entry_capacity, entry_size + size, 1)) {
        return false;
    }
    if (size > 0) {
        memcpy(entry + entry_size, data, size);
    }
    entry_size += size;
    return true;
}

static bool put_head(cni_entry_head *head)
{
    bool changed = !told_any || memcmp(told, cni_settings, sizeof told) != 0;
    head->nsettings = changed ? CNI_SETTING_COUNT : 0;
    head->nfree = (uint32_t)gone_count;
    entry_size = 0;
    return put(head, sizeof *head) && put(cni_settings, head->nsettings * sizeof *cni_settings) &&
           put(gone, gone_count * sizeof *gone);
}

static cn_status send(void)
{
    CN_TRY(cni_process_net->log_send(entry, (int64_t)entry_size));
    memcpy(told, cni_settings, sizeof told);
    told_any = true;
    gone_count = 0;
    return CN_OK;
}

void cni_log_forget(cni_base *base)
{
    if (cni_grow((void **)&gone, &gone_capacity, gone_count + 1, sizeof *gone)) {
        gone[gone_count++] = base->known;
        if (cni_grow((void **)&unused, &unused_capacity, unused_count + 1, sizeof *unused)) {
            unused[unused_count++] = base->known;
        }
    }
    base->known = 0;
}

static bool put_base(cni_base *base, uint8_t state, uint8_t live)
{
    if (base->known == 0) {
        base->known = unused_count > 0 ? unused[--unused_count] : ++last_known;
    }
    bool spread = (state & CNI_BASE_SPREAD) != 0;
    cni_entry_base b = {.known = base->known,
                        .number = spread ? base->buffer->spread->number : 0,
                        .nbytes = base->nbytes,
                        .state = state,
                        .live = live,
                        .home_ndim = base->home_ndim,
                        .home_itemsize = base->home_itemsize};
    return put(&b, sizeof b);
}

cni_log_block cni_log_blocks[CNI_LOG_BLOCKS];

bool cni_log_block_keep(cni_log_block *b, const void *data, size_t size)
{
    if (!cni_grow((void **)&b->data, &b->capacity, size, 1)) {
        return false;
    }
    memcpy(b->data, data, size);
    b->size = size;
    return true;
}

static bool put_block(const cni_window *w)
{
    entry_size = 0;
    return put(w->geometry, w->ngeometry * sizeof *w->geometry) && put(w->views, w->nviews * sizeof *w->views) &&
           put(w->ops, w->nops * sizeof *w->ops) && put(w->shapes, w->nshapes * sizeof *w->shapes);
}

/* Writes the block, and says by which number it is known; *bytes = 0: it need not be sent. It is at the entry's start. */
static bool block_of(const cni_window *w, uint32_t *number, uint32_t *bytes)
{
    if (!put_block(w)) {
        return false;
    }
    uint64_t hash = entry_size;
    for (size_t i = 0; i + sizeof hash <= entry_size; i += sizeof hash) {
        uint64_t word;
        memcpy(&word, entry + i, sizeof word);
        hash = cni_hash_mix(hash, word);
    }
    *number = (uint32_t)(hash % CNI_LOG_BLOCKS);
    cni_log_block *b = &cni_log_blocks[*number];
    bool known = b->size == entry_size && memcmp(b->data, entry, entry_size) == 0;
    *bytes = known ? 0 : (uint32_t)entry_size;
    return known || cni_log_block_keep(b, entry, entry_size);
}

static bool put_window(const cni_window *w, const cni_skeleton *s, const uint8_t *live, cni_entry_head *head)
{
    if (!block_of(w, &head->block, &head->block_bytes)) {
        return false;
    }
    const cni_log_block *b = &cni_log_blocks[head->block];
    bool made = put_head(head) && put(b->data, head->block_bytes) && put(w->scalars, w->nscalars * sizeof *w->scalars);
    for (size_t i = 0; i < w->nbases && made; i++) {
        made = put_base(w->bases[i], s->states[i], live[i]);
    }
    return made;
}

cn_status cni_log_window(const cni_window *w, const cni_skeleton *s, const uint8_t *live, bool agree)
{
    uint32_t homes = w->nbases > 0 ? (uint32_t)w->ngeometry - s->homes[0] : 0;
    cni_entry_head head = {.kind = CNI_ENTRY_WINDOW,
                           .agree = agree,
                           .nops = (uint32_t)w->nops,
                           .nviews = (uint32_t)w->nviews,
                           .nbases = (uint32_t)w->nbases,
                           .nshapes = (uint32_t)w->nshapes,
                           .nscalars = (uint32_t)w->nscalars,
                           .ngeometry = (uint32_t)w->ngeometry,
                           .nhomes = homes,
                           .hash = w->hash};
    if (!put_window(w, s, live, &head)) {
        cni_log_blocks[head.block].size = 0; /* kept, perhaps, and not sent */
        return cni_fail_memory((int64_t)entry_size);
    }
    CN_TRY(send());
    for (size_t i = 0; i < w->nops; i++) {
        unheard |= w->ops[i].fp_kinds != 0;
    }
    return CN_OK;
}

/* ---- Floating-point events of other ranks ---- */

void cni_rank_events_take(cni_rank_events *mine)
{
    cn_fp_event event;
    *mine = (cni_rank_events){0};
    if (cni_process_device != NULL) {
        (void)cni_process_device->events(); /* a failure is told by who reads next */
    }
    while (cn_fp_event_take(&event)) {
        if (mine->count < CNI_EVENTS_A_RANK) {
            mine->events[mine->count++] = event;
        }
    }
}

/* What several ranks saw of one op is one event. */
static bool told_already(const cni_rank_events *all, int ranks, const cn_fp_event *event)
{
    for (int rank = 0; rank < ranks; rank++) {
        for (uint32_t i = 0; i < all[rank].count; i++) {
            const cn_fp_event *other = &all[rank].events[i];
            if (other->kind == event->kind && other->site == event->site && other->op == event->op &&
                other->context == event->context) {
                return true;
            }
        }
    }
    return false;
}

cn_status cni_rank_events_hear(const cni_rank_events *all, int ranks, bool of_all_ranks)
{
    cni_recorder *recorder;
    CN_TRY(cni_recorder_get(&recorder));
    for (int rank = 0; rank < ranks; rank++) {
        for (uint32_t i = 0; i < all[rank].count && i < CNI_EVENTS_A_RANK; i++) {
            const cn_fp_event *event = &all[rank].events[i];
            if (!cni_recorder_has_event(recorder, event) && !told_already(all, rank, event)) {
                cni_recorder_event(recorder, event);
            }
        }
    }
    unheard &= !of_all_ranks;
    return CN_OK;
}

cn_status cni_rank_memory_get(cni_rank_memory *out)
{
    static cni_rank_memory memory;
    size_t ranks = (size_t)cni_process_net->size;
    if (memory.messages == NULL) {
        cni_message *messages = cni_alloc(2 * ranks * sizeof *messages);
        cni_direct_message *direct = cni_alloc(ranks * sizeof *direct);
        cni_rank_events *events = cni_alloc_zero(ranks, sizeof *events);
        if (messages == NULL || direct == NULL || events == NULL) {
            cni_free(messages);
            cni_free(direct);
            cni_free(events);
            return cni_fail_memory((int64_t)(ranks * sizeof *events));
        }
        memory = (cni_rank_memory){messages, direct, events};
    }
    *out = memory;
    return CN_OK;
}

cn_status cni_log_events_gather(const cni_rank_memory *memory)
{
    const cni_net *net = cni_process_net;
    cni_rank_events mine = {0};
    if (net->rank != 0) {
        cni_rank_events_take(&mine);
    }
    CN_TRY(net->gather(&mine, sizeof mine, memory->events));
    return net->rank == 0 ? cni_rank_events_hear(memory->events, net->size, true) : CN_OK;
}

cn_status cni_log_settle(void)
{
    cni_entry_head head = {.kind = CNI_ENTRY_EVENTS};
    cni_rank_memory memory;
    if (!unheard || cni_process_net->size == 1) {
        return CN_OK;
    }
    CN_TRY(cni_rank_memory_get(&memory));
    CN_TRY(put_head(&head) ? send() : cni_fail_memory((int64_t)sizeof head));
    return cni_log_events_gather(&memory);
}

/* ---- Fetching ---- */

bool cni_log_part(const cni_buffer *b, int owner, int64_t low, int64_t high, cni_message *out)
{
    int64_t begin = cni_layout_begin(&b->spread->layout, owner), end = cni_layout_begin(&b->spread->layout, owner + 1);
    begin = begin > low ? begin : low;
    end = end < high ? end : high;
    *out = (cni_message){.data = (char *)b->data + begin, .nbytes = end - begin};
    return begin < end;
}

static cn_status receive_parts(const cni_buffer *b, int64_t low, int64_t high, const cni_rank_memory *memory)
{
    const cni_net *net = cni_process_net;
    const cni_direct *direct = NULL;
    int n = 0, ndirect = 0;
    for (int owner = cni_layout_owner(&b->spread->layout, low); owner < net->size; owner++) {
        cni_message part;
        if (owner == 0 || !cni_log_part(b, owner, low, high, &part)) {
            continue;
        }
        if (cni_direct_for(part.nbytes) != NULL) {
            direct = cni_direct_for(part.nbytes);
            memory->direct[ndirect++] = (cni_direct_message){.peer = owner, .host = part.data, .nbytes = part.nbytes};
            cni_stats.direct_messages++;
            cni_stats.direct_bytes += (uint64_t)part.nbytes;
        } else {
            memory->messages[n] = part;
            memory->messages[n++].peer = owner;
        }
    }
    CN_TRY(net->exchange_begin(n, memory->messages, 0, NULL));
    CN_TRY(direct != NULL ? direct->exchange(ndirect, memory->direct, 0, NULL) : CN_OK);
    return net->exchange_end();
}

cn_status cni_log_fetch(cni_buffer *b, int64_t low, int64_t high, bool alone)
{
    bool have = (b->valid & CNI_ON_HOST) != 0;
    cni_entry_head head = {
        .kind = CNI_ENTRY_FETCH, .alone = alone, .have = have, .number = b->spread->number, .low = low, .high = high};
    if (have && !alone) {
        return CN_OK;
    }
    cni_rank_memory memory;
    CN_TRY(cni_rank_memory_get(&memory));
    CN_TRY(put_head(&head) ? send() : cni_fail_memory((int64_t)sizeof head));
    cn_status status = have ? CN_OK : receive_parts(b, low, high, &memory);
    status = status == CN_OK ? cni_log_events_gather(&memory) : status;
    if (status != CN_OK && cni_process_net->size > 1) {
        cni_process_net->abort(cn_error_message()); /* a net or a device is lost: others would wait for ever */
    }
    return status;
}

/* ---- Files ---- */

cn_status cni_log_file(const cni_file *f)
{
    cni_entry_head head = {.kind = CNI_ENTRY_FILE,
                           .have = f->write,
                           .number = f->buffer->spread->number,
                           .low = f->low,
                           .high = f->high,
                           .offset = f->offset};
    bool made = put_head(&head) && put(f->path, strlen(f->path) + 1);
    return made ? send() : cni_fail_memory((int64_t)entry_size);
}

cn_status cni_log_trace(void)
{
    cni_entry_head head = {.kind = CNI_ENTRY_TRACE};
    return put_head(&head) ? send() : cni_fail_memory((int64_t)sizeof head);
}

cn_status cni_spread_agree(cn_status mine)
{
    uint32_t all;
    CN_TRY(cni_process_net->agree(mine == CN_OK ? 0 : 1U << (mine & 31), &all));
    if (all == 0 || mine != CN_OK) {
        return mine;
    }
    cn_status worst = (cn_status)__builtin_ctz(all);
    return cni_fail(worst, worst == CN_ERROR_MEMORY ? "another process has no memory for its part"
                                                    : "another process could not do its part");
}
