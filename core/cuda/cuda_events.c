/*
 * cuda_events.c - see cuda_events.h.
 *
 *     on the device   address of the signal below, 8 bytes free, a word of kinds for each op
 *     on the host     signals: 0, or 1 once a kernel has written into the table; its address (pinned, which kernels see)
 */
#include "cuda/cuda_events.h"

#include <string.h>

#include "base/memory.h"
#include "cuda/cuda_driver.h"
#include "cuda/cuda_memory.h"
#include "cuda/cuda_stream.h"

enum { SIGNALS = 4096, HEAD = 16 };

typedef struct signal {
    volatile uint32_t seen;
    uint64_t self;
} signal;

struct cni_cuda_table {
    uint32_t count;
    uint64_t address;
    signal *signal;
    cni_recorder *recorder; /* whose events they are */
    cn_fp_event *names;     /* by word */
    bool pending;           /* a kernel may have written */
    bool shared;            /* other places may have told the same */
    bool orphan;            /* its kernel is gone */
};

static struct {
    signal *all;
    uint32_t *words; /* room for a table's */
    uint16_t free[SIGNALS];
    int nfree;
} signals;

static cni_cuda_table **pending; /* in the order of their runs */
static size_t npending, capacity, nsent;
static bool held;

enum { WORDS_MOST = 4096 };

static bool signals_make(void)
{
    void *memory;
    if (signals.all == NULL && cni_cuda.memory_host(&memory, SIGNALS * sizeof(signal) + WORDS_MOST * 4) == 0) {
        signals.all = memory;
        signals.words = (uint32_t *)(void *)(signals.all + SIGNALS);
        for (signals.nfree = 0; signals.nfree < SIGNALS; signals.nfree++) {
            signals.free[signals.nfree] = (uint16_t)(SIGNALS - 1 - signals.nfree);
        }
    }
    return signals.all != NULL;
}

/* ---- Tables ---- */

static void table_free(cni_cuda_table *t)
{
    if (t->signal != NULL) {
        signals.free[signals.nfree++] = (uint16_t)(t->signal - signals.all);
    }
    if (t->address != 0) {
        cni_cuda_free((void *)(uintptr_t)t->address, HEAD + (int64_t)t->count * 4);
    }
    cni_free(t->names);
    cni_free(t);
}

/* Its words are 0, and its head names the signal, for all that is sent from now on. */
static bool table_begin(const cni_cuda_table *t)
{
    cni_cuda_step(1);
    cni_cuda_handle stream = cni_cuda_stream(0);
    return cni_cuda_check(cni_cuda.upload(t->address, &t->signal->self, sizeof t->signal->self, stream), "an upload") &&
           cni_cuda_check(cni_cuda.memory_fill(t->address + HEAD, 0, (size_t)t->count * 4, stream), "a fill");
}

static cni_cuda_table *table_make(uint32_t count)
{
    cni_cuda_table *t =
        count <= WORDS_MOST && signals_make() && signals.nfree > 0 ? cni_alloc_zero(1, sizeof *t) : NULL;
    if (t == NULL) {
        return NULL;
    }
    t->count = count;
    t->signal = &signals.all[signals.free[--signals.nfree]];
    *t->signal = (signal){.self = (uintptr_t)t->signal};
    t->names = cni_alloc_zero(count, sizeof *t->names);
    t->address = (uintptr_t)cni_cuda_alloc(HEAD + (int64_t)count * 4);
    if (t->names == NULL || t->address == 0 || !table_begin(t)) {
        table_free(t);
        return NULL;
    }
    return t;
}

bool cni_cuda_tables_make(cni_cuda_tables *t, uint32_t count, const uint32_t *ops)
{
    *t = (cni_cuda_tables){.count = count};
    if (count == 0) {
        return true;
    }
    t->ops = cni_alloc(count * sizeof *t->ops);
    if (t->ops == NULL || (t->of[0] = table_make(count)) == NULL) {
        cni_cuda_tables_free(t);
        return false;
    }
    memcpy(t->ops, ops, count * sizeof *ops);
    return true;
}

void cni_cuda_tables_free(cni_cuda_tables *t)
{
    for (int k = 0; k < CNI_CUDA_TABLES; k++) {
        if (t->of[k] != NULL && t->of[k]->pending) {
            t->of[k]->orphan = true;
        } else if (t->of[k] != NULL) {
            table_free(t->of[k]);
        }
    }
    cni_free(t->ops);
    *t = (cni_cuda_tables){0};
}

/* ---- Runs ---- */

/* Are the names those of the run; contexts: with the contexts of its calls, too? */
static bool names_fit(const cni_cuda_table *t, const uint32_t *ops, const cni_window *w, bool contexts)
{
    bool fit = t->recorder == w->recorder;
    for (uint32_t k = 0; k < t->count && fit; k++) {
        const cni_op *op = &w->ops[ops[k]];
        fit = t->names[k].site == op->site && (!contexts || t->names[k].context == op->fp_context);
    }
    return fit;
}

/*
 * One with the run's names, or one that is free; when all are pending, one of the same lines, whose calls had other contexts
 * (every `with errstate` makes a new one). NULL: all are pending with other names.
 */
static cni_cuda_table *table_find(cni_cuda_tables *t, const cni_window *w)
{
    cni_cuda_table *unused = NULL, *alike = NULL;
    for (int k = 0; k < CNI_CUDA_TABLES; k++) {
        if (t->of[k] == NULL && unused == NULL) {
            t->of[k] = table_make(t->count);
        }
        if (t->of[k] == NULL) {
            break;
        }
        if (names_fit(t->of[k], t->ops, w, true)) {
            return t->of[k];
        }
        unused = unused == NULL && !t->of[k]->pending ? t->of[k] : unused;
        alike = names_fit(t->of[k], t->ops, w, false) ? t->of[k] : alike;
    }
    return unused != NULL ? unused : alike;
}

static void names_set(cni_cuda_table *t, const uint32_t *ops, const cni_run *run)
{
    t->recorder = run->window->recorder;
    for (uint32_t k = 0; k < t->count; k++) {
        t->names[k] = cni_run_event_of(run->window, ops[k]);
    }
}

int64_t cni_cuda_events_begin(cni_cuda_tables *t, const cni_run *run)
{
    if (t->count == 0 || run->window->recorder->ran != NULL) { /* what runs again told all when it ran first */
        return 0;
    }
    cni_cuda_table *table = table_find(t, run->window);
    if (table == NULL && !held && cni_process_device->finish() == CN_OK) {
        table = table_find(t, run->window);
    }
    if (table == NULL || (!table->pending && !cni_grow((void **)&pending, &capacity, npending + 1, sizeof *pending))) {
        return 0; /* no memory: nothing is told */
    }
    if (!table->pending) {
        if (!names_fit(table, t->ops, run->window, true)) {
            names_set(table, t->ops, run);
        }
        table->pending = true;
        pending[npending++] = table;
        nsent = held ? nsent : npending;
    }
    table->shared |= run->told != NULL;
    return (int64_t)table->address;
}

void cni_cuda_events_hold(bool hold)
{
    held = hold;
    nsent = hold ? nsent : npending;
}

bool cni_cuda_events_pending(void)
{
    return npending > 0;
}

/* ---- Looking ---- */

static void tell(const cni_cuda_table *t, const uint32_t *words)
{
    static const uint32_t kinds[] = {CN_FP_DIVIDE, CN_FP_OVERFLOW, CN_FP_UNDERFLOW, CN_FP_INVALID};
    for (uint32_t k = 0; k < t->count; k++) {
        for (size_t e = 0; words[k] != 0 && e < sizeof kinds / sizeof *kinds; e++) {
            cn_fp_event event = t->names[k];
            event.kind = kinds[e];
            if ((words[k] & kinds[e]) != 0 && !(t->shared && cni_recorder_has_event(t->recorder, &event))) {
                cni_recorder_event(t->recorder, &event);
            }
        }
    }
}

static void fetch(cni_cuda_table *t)
{
    size_t nbytes = (size_t)t->count * 4;
    cni_cuda_step(1);
    cni_cuda_handle stream = cni_cuda_stream(0);
    if (cni_cuda_check(cni_cuda.download(signals.words, t->address + HEAD, nbytes, stream), "a download") &&
        cni_cuda_check(cni_cuda.memory_fill(t->address + HEAD, 0, nbytes, stream), "a fill") &&
        cni_cuda_check(cni_cuda.stream_wait(stream), "waiting")) {
        tell(t, signals.words);
    }
    t->signal->seen = 0;
}

void cni_cuda_events_look(void)
{
    size_t n = nsent;
    for (size_t k = 0; k < n; k++) {
        cni_cuda_table *t = pending[k];
        if (t->signal->seen != 0) {
            fetch(t);
        }
        t->pending = t->shared = false;
        if (t->orphan) {
            table_free(t);
        }
    }
    npending -= n;
    if (npending > 0) {
        memmove(pending, pending + n, npending * sizeof *pending);
    }
    nsent = 0;
}
