/*
 * log.c - what rank 0 tells the other processes, and what they do about it.
 *
 *   entry  = head | settings that changed | bases that are gone | what the kind needs
 *   window = [block] | scalars | bases        block = geometry | views | ops | shapes: sent once, then known by its number
 *
 * Bases have a number that rank 0 gives when it first mentions them; spread buffers have one that every process counts
 * alike. An entry says which buffer a base has at rank 0, so that what happened there alone (a copy made for somebody else,
 * an array taken back) is known before it matters.
 */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/settings.h"
#include "base/status.h"
#include "exec/spread.h"

typedef enum entry_kind { ENTRY_STOP, ENTRY_WINDOW, ENTRY_FETCH, ENTRY_EVENTS, ENTRY_FILE } entry_kind;

typedef struct entry_head {
    uint32_t kind, nsettings, nfree;
    uint32_t agree, alone, have;
    uint32_t nops, nviews, nbases, nshapes, nscalars, ngeometry, nhomes; /* window; nhomes: of ngeometry, at the end */
    uint32_t block, block_bytes; /* window; 0 bytes: the others have the block */
    uint64_t hash;               /* window */
    uint64_t number;             /* fetch, file */
    int64_t low, high;
    int64_t offset;              /* file; have: it is written; the path follows */
} entry_head;

typedef struct entry_base {
    uint64_t known, number;
    int64_t nbytes;
    uint8_t state, live, home_ndim, home_itemsize;
} entry_base;

/* ---- Rank 0: writing ---- */

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

static bool put_head(entry_head *head)
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
    entry_base b = {.known = base->known,
                    .number = spread ? base->buffer->spread->number : 0,
                    .nbytes = base->nbytes,
                    .state = state,
                    .live = live,
                    .home_ndim = base->home_ndim,
                    .home_itemsize = base->home_itemsize};
    return put(&b, sizeof b);
}

/* Blocks that were sent, at both ends: one for each remainder of their hashes. */
enum { BLOCKS = 1024 };

typedef struct block {
    char *data;
    size_t size, capacity;
} block;

static block blocks[BLOCKS];

static bool block_keep(block *b, const void *data, size_t size)
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
    *number = (uint32_t)(hash % BLOCKS);
    block *b = &blocks[*number];
    bool known = b->size == entry_size && memcmp(b->data, entry, entry_size) == 0;
    *bytes = known ? 0 : (uint32_t)entry_size;
    return known || block_keep(b, entry, entry_size);
}

static bool put_window(const cni_window *w, const cni_skeleton *s, const uint8_t *live, entry_head *head)
{
    if (!block_of(w, &head->block, &head->block_bytes)) {
        return false;
    }
    const block *b = &blocks[head->block];
    bool made = put_head(head) && put(b->data, head->block_bytes) && put(w->scalars, w->nscalars * sizeof *w->scalars);
    for (size_t i = 0; i < w->nbases && made; i++) {
        made = put_base(w->bases[i], s->states[i], live[i]);
    }
    return made;
}

cn_status cni_log_window(const cni_window *w, const cni_skeleton *s, const uint8_t *live, bool agree)
{
    uint32_t homes = w->nbases > 0 ? (uint32_t)w->ngeometry - s->homes[0] : 0;
    entry_head head = {.kind = ENTRY_WINDOW,
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
        blocks[head.block].size = 0; /* kept, perhaps, and not sent */
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
        cni_rank_events *events = cni_alloc_zero(ranks, sizeof *events);
        if (messages == NULL || events == NULL) {
            cni_free(messages);
            cni_free(events);
            return cni_fail_memory((int64_t)(ranks * sizeof *events));
        }
        memory = (cni_rank_memory){messages, events};
    }
    *out = memory;
    return CN_OK;
}

/* Collective: rank 0 gets what the others saw, as if it had seen it. */
static cn_status events_gather(const cni_rank_memory *memory)
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
    entry_head head = {.kind = ENTRY_EVENTS};
    cni_rank_memory memory;
    if (!unheard || cni_process_net->size == 1) {
        return CN_OK;
    }
    CN_TRY(cni_rank_memory_get(&memory));
    CN_TRY(put_head(&head) ? send() : cni_fail_memory((int64_t)sizeof head));
    return events_gather(&memory);
}

/* ---- Fetching ---- */

/* The owner's part of bytes [low, high), as a message; false: none. */
static bool part_of(const cni_buffer *b, int owner, int64_t low, int64_t high, cni_message *out)
{
    int64_t begin = cni_layout_begin(&b->spread->layout, owner), end = cni_layout_begin(&b->spread->layout, owner + 1);
    begin = begin > low ? begin : low;
    end = end < high ? end : high;
    *out = (cni_message){.data = (char *)b->data + begin, .nbytes = end - begin};
    return begin < end;
}

static cn_status receive_parts(const cni_buffer *b, int64_t low, int64_t high, cni_message *receives)
{
    const cni_net *net = cni_process_net;
    int n = 0;
    for (int owner = cni_layout_owner(&b->spread->layout, low); owner < net->size; owner++) {
        if (owner > 0 && part_of(b, owner, low, high, &receives[n])) {
            receives[n++].peer = owner;
        }
    }
    CN_TRY(net->exchange_begin(n, receives, 0, NULL));
    return net->exchange_end();
}

cn_status cni_log_fetch(cni_buffer *b, int64_t low, int64_t high, bool alone)
{
    bool have = (b->valid & CNI_ON_HOST) != 0;
    entry_head head = {
        .kind = ENTRY_FETCH, .alone = alone, .have = have, .number = b->spread->number, .low = low, .high = high};
    if (have && !alone) {
        return CN_OK;
    }
    cni_rank_memory memory;
    CN_TRY(cni_rank_memory_get(&memory));
    CN_TRY(put_head(&head) ? send() : cni_fail_memory((int64_t)sizeof head));
    CN_TRY(have ? CN_OK : receive_parts(b, low, high, memory.messages));
    return events_gather(&memory);
}

static cn_status apply_fetch(const entry_head *head)
{
    cni_rank_memory memory;
    CN_TRY(cni_rank_memory_get(&memory));
    cni_buffer *b = cni_spread_find(head->number);
    cni_message message;
    if (b == NULL) {
        return cni_fail(CN_ERROR_INTERNAL, "a process does not know array %llu", (unsigned long long)head->number);
    }
    if (!head->have && part_of(b, cni_process_net->rank, head->low, head->high, &message)) {
        CN_TRY(cni_process_net->exchange_begin(0, NULL, 1, &message)); /* to peer 0 */
        CN_TRY(cni_process_net->exchange_end());
    }
    b->valid = head->alone ? CNI_ON_HOST : b->valid;
    return events_gather(&memory);
}

/* ---- Files ---- */

cn_status cni_log_file(const cni_file *f)
{
    entry_head head = {.kind = ENTRY_FILE,
                       .have = f->write,
                       .number = f->buffer->spread->number,
                       .low = f->low,
                       .high = f->high,
                       .offset = f->offset};
    bool made = put_head(&head) && put(f->path, strlen(f->path) + 1);
    return made ? send() : cni_fail_memory((int64_t)entry_size);
}

static cn_status apply_file(const entry_head *head, const char *path)
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
    return events_gather(&memory);
}

/* ---- The others: windows ---- */

static cni_base **bases; /* by number */
static size_t bases_capacity;

static cn_status base_known(const entry_base *b, const int64_t *home, cni_base **out)
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
static bool take_block(const entry_head *head, reader *r, cni_window *w)
{
    block *b = &blocks[head->block % BLOCKS];
    if (head->block_bytes > 0 && !block_keep(b, take(r, head->block_bytes), head->block_bytes)) {
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
static cn_status take_bases(const entry_head *head, reader *r, cni_window *w, uint8_t *facts)
{
    const int64_t *home = w->geometry + w->ngeometry - head->nhomes;
    for (size_t i = 0; i < w->nbases; i++) {
        entry_base b;
        memcpy(&b, take(r, sizeof b), sizeof b);
        CN_TRY(base_known(&b, home, &w->bases[i]));
        buffer_follow(w->bases[i], b.number);
        home += 2 * b.home_ndim;
        facts[i] = b.state;
        facts[w->nbases + i] = b.live;
    }
    return CN_OK;
}

static cn_status apply_window(const entry_head *head, reader *r)
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

/* ---- The others: entries ---- */

static void apply_gone(const entry_head *head, reader *r)
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
    entry_head head = {.kind = ENTRY_STOP};
    reader r = {data};
    *stop = nbytes < (int64_t)sizeof head;
    if (*stop) {
        return CN_OK;
    }
    memcpy(&head, take(&r, sizeof head), sizeof head);
    memcpy(cni_settings, take(&r, head.nsettings * sizeof *cni_settings), head.nsettings * sizeof *cni_settings);
    apply_gone(&head, &r);
    switch ((entry_kind)head.kind) {
    case ENTRY_WINDOW:
        return apply_window(&head, &r);
    case ENTRY_FETCH:
        return apply_fetch(&head);
    case ENTRY_EVENTS:
        return apply_events();
    case ENTRY_FILE:
        return apply_file(&head, r.at);
    default:
        *stop = true;
        return CN_OK;
    }
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
