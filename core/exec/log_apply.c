/* log_apply.c - what the other processes do about an entry of rank 0's log (log_entry.h). */
#include <string.h>

#include "base/memory.h"
#include "base/settings.h"
#include "base/status.h"
#include "exec/log_entry.h"
#include "exec/spread_memory.h"
#include "exec/trace.h"

/* ---- Arrays ---- */

/* To the root: from the device, where values are there and the message is a direct one. */
static cn_status send_part(cni_buffer *b, const cni_entry_head *head, const cni_message *part)
{
    const cni_direct *direct = cni_direct_for(part->nbytes);
    const cni_place_memory *at = &b->spread->at[0];
    if (direct == NULL) {
        CN_TRY(cni_place_show(b, 0, head->low, head->high));
        CN_TRY(cni_process_net->exchange_begin(0, NULL, 1, part));
        return cni_process_net->exchange_end();
    }
    int64_t offset = (char *)part->data - (char *)b->data;
    bool there = (at->valid & CNI_ON_DEVICE) != 0;
    cni_direct_message message = {
        .peer = 0, .device = there ? (char *)at->device + offset : NULL, .host = part->data, .nbytes = part->nbytes};
    CN_TRY(direct->exchange(0, NULL, 1, &message));
    direct->arrive();
    return CN_OK;
}

static cn_status apply_fetch(const cni_entry_head *head)
{
    cni_rank_memory memory;
    CN_TRY(cni_rank_memory_get(&memory));
    cni_buffer *b = cni_spread_find(head->number);
    cni_message message;
    if (b == NULL) {
        return cni_fail(CN_ERROR_INTERNAL, "a process does not know array %llu", (unsigned long long)head->number);
    }
    if (!head->have && cni_log_part(b, cni_process_net->rank, head->low, head->high, &message)) {
        CN_TRY(send_part(b, head, &message));
    }
    b->valid = head->alone ? CNI_ON_HOST : b->valid;
    return cni_log_events_gather(&memory);
}

static cn_status apply_file(const cni_entry_head *head, const char *path)
{
    cni_file f = {cni_spread_find(head->number), path, head->low, head->high, head->offset, head->have != 0};
    if (f.buffer == NULL) {
        return cni_fail(CN_ERROR_INTERNAL, "a process does not know array %llu", (unsigned long long)head->number);
    }
    cn_status mine = cni_file_part(&f), all = cni_spread_agree(mine);
    return all == CN_ERROR_FILE ? CN_OK : all; /* rank 0 raises it */
}

static cn_status apply_events(void)
{
    cni_rank_memory memory;
    CN_TRY(cni_rank_memory_get(&memory));
    return cni_log_events_gather(&memory);
}

/* ---- Windows ---- */

static cni_base **bases; /* by number */
static size_t bases_capacity;

static cn_status base_known(const cni_entry_base *b, const int64_t *home, cni_base **out)
{
    size_t before = bases_capacity;
    if (!cni_grow((void **)&bases, &bases_capacity, b->known + 1, sizeof(cni_base *))) {
        return cni_fail_memory((int64_t)sizeof(cni_base *));
    }
    if (bases_capacity > before) {
        memset(bases + before, 0, (bases_capacity - before) * sizeof(cni_base *));
    }
    cni_base *base = bases[b->known];
    if (base == NULL) {
        CN_TRY(cni_base_create(b->home_ndim, home, home + b->home_ndim, b->home_itemsize, b->nbytes, &base));
        base->arrays = 1; /* until rank 0 says that it is gone */
        bases[b->known] = base;
    } else {
        cni_base_set_home(base, b->home_ndim, home, home + b->home_ndim);
    }
    *out = base;
    return CN_OK;
}

/* Gives the base the buffer that it has at rank 0; what is not spread is only at the root. */
static void buffer_follow(cni_base *base, uint64_t number)
{
    const cni_buffer *old = base->buffer;
    bool spread = old != NULL && (old->valid & CNI_ON_PLACES) != 0;
    bool common = old != NULL && !spread && old->refs > 1; /* two arrays of the root need two copies */
    if ((spread ? old->spread->number : 0) == number && !common) {
        return;
    }
    cni_buffer *fresh = cni_spread_find(number);
    if (fresh != NULL) {
        fresh->refs++;
    }
    cni_buffer_unref(base->buffer);
    base->buffer = fresh;
}

typedef struct reader {
    const char *at;
} reader;

static const void *take(reader *r, size_t size)
{
    const void *data = r->at;
    r->at += size;
    return data;
}

/* Copies, so that everything is aligned and the entry may go. */
static bool take_into(reader *r, void **items, size_t *capacity, size_t count, size_t size)
{
    if (!cni_grow(items, capacity, count + 1, size)) {
        return false;
    }
    memcpy(*items, take(r, count * size), count * size);
    return true;
}

/* The window's fixed parts, from the block that its entry names. */
static bool take_block(const cni_entry_head *head, reader *r, cni_window *w)
{
    cni_log_block *b = &cni_log_blocks[head->block % CNI_LOG_BLOCKS];
    if (head->block_bytes > 0 && !cni_log_block_keep(b, take(r, head->block_bytes), head->block_bytes)) {
        return false;
    }
    reader fixed = {b->data};
    w->nops = head->nops;
    w->nviews = head->nviews;
    w->nbases = head->nbases;
    w->nshapes = head->nshapes;
    w->nscalars = head->nscalars;
    w->ngeometry = head->ngeometry;
    w->hash = head->hash;
    return take_into(&fixed, (void **)&w->geometry, &w->geometry_capacity, w->ngeometry, sizeof *w->geometry) &&
           take_into(&fixed, (void **)&w->views, &w->views_capacity, w->nviews, sizeof *w->views) &&
           take_into(&fixed, (void **)&w->ops, &w->ops_capacity, w->nops, sizeof *w->ops) &&
           take_into(&fixed, (void **)&w->shapes, &w->shapes_capacity, w->nshapes, sizeof *w->shapes) &&
           take_into(r, (void **)&w->scalars, &w->scalars_capacity, w->nscalars, sizeof *w->scalars);
}

/* Its bases; facts: the states that rank 0 knows of them, then which are alive. */
static cn_status take_bases(const cni_entry_head *head, reader *r, cni_window *w, uint8_t *facts)
{
    const int64_t *home = w->geometry + w->ngeometry - head->nhomes;
    for (size_t i = 0; i < w->nbases; i++) {
        cni_entry_base b;
        memcpy(&b, take(r, sizeof b), sizeof b);
        CN_TRY(base_known(&b, home, &w->bases[i]));
        buffer_follow(w->bases[i], b.number);
        home += 2 * b.home_ndim;
        facts[i] = b.state;
        facts[w->nbases + i] = b.live;
    }
    return CN_OK;
}

static cn_status apply_window(const cni_entry_head *head, reader *r)
{
    static cni_window w; /* memory is kept from window to window */
    static cni_skeleton skeleton;
    static uint8_t *facts;
    static size_t facts_capacity;
    if (!take_block(head, r, &w) || !cni_grow((void **)&w.bases, &w.bases_capacity, w.nbases + 1, sizeof *w.bases) ||
        !cni_grow((void **)&facts, &facts_capacity, 2 * w.nbases + 1, 1)) {
        return cni_fail_memory((int64_t)w.nbases);
    }
    CN_TRY(take_bases(head, r, &w, facts));
    w.ngeometry -= head->nhomes; /* appended again by the skeleton */
    CN_TRY(cni_recorder_get(&w.recorder));
    CN_TRY(cni_skeleton_build_as(&w, facts, facts + w.nbases, &skeleton));
    return cni_window_run_here(&w, &skeleton, head->agree != 0);
}

/* ---- Entries ---- */

static void apply_gone(const cni_entry_head *head, reader *r)
{
    for (uint32_t i = 0; i < head->nfree; i++) {
        uint64_t known;
        memcpy(&known, take(r, sizeof known), sizeof known);
        if (known < bases_capacity && bases[known] != NULL) {
            bases[known]->arrays--;
            cni_base_drop(bases[known]);
            bases[known] = NULL;
        }
    }
}

cn_status cni_log_apply(const void *data, int64_t nbytes, bool *stop)
{
    cni_entry_head head = {.kind = CNI_ENTRY_STOP};
    reader r = {data};
    *stop = nbytes < (int64_t)sizeof head;
    if (*stop) {
        return CN_OK;
    }
    memcpy(&head, take(&r, sizeof head), sizeof head);
    memcpy(cni_settings, take(&r, head.nsettings * sizeof *cni_settings), head.nsettings * sizeof *cni_settings);
    apply_gone(&head, &r);
    switch ((cni_entry_kind)head.kind) {
    case CNI_ENTRY_WINDOW:
        return apply_window(&head, &r);
    case CNI_ENTRY_FETCH:
        return apply_fetch(&head);
    case CNI_ENTRY_EVENTS:
        return apply_events();
    case CNI_ENTRY_FILE:
        return apply_file(&head, r.at);
    case CNI_ENTRY_TRACE:
        return cni_trace_send();
    default:
        *stop = true;
        return CN_OK;
    }
}
