/*
 * recorder.c - what a thread records into, and when its windows run: at a repeat, when full, before a read, and at
 * once for shared memory.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/notice.h"
#include "base/settings.h"
#include "base/stats.h"
#include "base/status.h"
#include "op/op.h"
#include "record/follow.h"
#include "record/intern.h"

_Thread_local cni_recorder *cni_my_recorder CNI_TLS_FAST;
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static cni_recorder *all_recorders;
static uint64_t next_serial = 1;
uint64_t cni_op_clock = 1;
static pthread_key_t thread_end;
static pthread_once_t thread_end_once = PTHREAD_ONCE_INIT;

static void recorder_orphan(void *recorder)
{
    pthread_mutex_lock(&list_lock);
    ((cni_recorder *)recorder)->orphan = true;
    pthread_mutex_unlock(&list_lock);
}

static void thread_end_create(void)
{
    pthread_key_create(&thread_end, recorder_orphan);
}

static cni_window *window_create(cni_recorder *recorder)
{
    cni_window *w = cni_alloc_zero(1, sizeof *w);
    if (w != NULL) {
        w->recorder = recorder;
        w->serial = next_serial++;
    }
    return w;
}

static cni_recorder *recorder_create(void)
{
    cni_recorder *r = cni_alloc_zero(1, sizeof *r);
    if (r == NULL) {
        return NULL;
    }
    r->current = window_create(r);
    r->spare = window_create(r);
    if (r->current == NULL || r->spare == NULL || !cni_repeat_create(&r->repeat)) {
        cni_window_destroy(r->current);
        cni_window_destroy(r->spare);
        cni_free(r);
        return NULL;
    }
    return r;
}

/* A recorder whose thread has ended serves again, with what is pending in it. */
static cni_recorder *recorder_adopt(void)
{
    for (cni_recorder *r = all_recorders; r != NULL; r = r->next) {
        if (r->orphan) {
            r->orphan = false;
            return r;
        }
    }
    return NULL;
}

cn_status cni_recorder_create(void)
{
    pthread_once(&thread_end_once, thread_end_create);
    pthread_mutex_lock(&list_lock);
    cni_recorder *r = recorder_adopt();
    if (r == NULL && (r = recorder_create()) != NULL) {
        r->next = all_recorders;
        all_recorders = r;
    }
    pthread_mutex_unlock(&list_lock);
    if (r == NULL) {
        return cni_fail_memory((int64_t)sizeof *r);
    }
    cni_my_recorder = r;
    pthread_setspecific(thread_end, r);
    return CN_OK;
}

void cn_set_site(uint32_t site)
{
    cni_recorder *r;
    if (cni_recorder_get(&r) == CN_OK) {
        r->site = site;
    }
}

void cn_set_fp_context(uint32_t kinds, uint32_t context)
{
    cni_recorder *r;
    if (cni_recorder_get(&r) == CN_OK) {
        r->fp_kinds = (uint8_t)kinds;
        r->fp_context = context;
    }
}

void cni_recorder_event(cni_recorder *r, const cn_fp_event *event)
{
    if (cni_grow((void **)&r->events, &r->event_capacity, r->nevents + 1, sizeof *r->events)) {
        r->events[r->nevents++] = *event;
    }
}

bool cni_recorder_has_event(const cni_recorder *r, const cn_fp_event *event)
{
    for (size_t i = 0; i < r->nevents; i++) {
        const cn_fp_event *known = &r->events[i];
        if (known->kind == event->kind && known->site == event->site && known->op == event->op &&
            known->context == event->context) {
            return true;
        }
    }
    return false;
}

bool cn_fp_event_take(cn_fp_event *event)
{
    cni_recorder *r = cni_my_recorder;
    if (r == NULL || r->nevents == 0) {
        return false;
    }
    *event = r->events[0];
    r->nevents--;
    memmove(r->events, r->events + 1, r->nevents * sizeof *r->events);
    return true;
}

bool cn_attention(void)
{
    return (cni_my_recorder != NULL && cni_my_recorder->nevents > 0) || cni_notice_waits();
}

/* ---- Running ---- */

/* Lets go of the bases of a window that has run, or whose only op is refused. */
static void window_release(cni_window *w)
{
    for (size_t i = 0; i < w->nbases; i++) {
        cni_base *base = w->bases[i];
        base->windows--;
        if (base->window == w) {
            if (base->pending_write) {
                base->pending_write = false;
                w->recorder->pending_bytes -= base->nbytes;
            }
            base->window = NULL;
        }
        cni_base_drop(base);
    }
    cni_window_clear(w, next_serial++);
}

/* Can the window run again: does it change nothing that was there, and does nobody else change what it reads? */
static bool runs_again(const cni_window *w)
{
    for (size_t i = 0; i < w->nbases; i++) {
        if (cni_base_shared(w->bases[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < w->nops; i++) {
        for (int k = 0; k < w->ops[i].nout; k++) {
            if (w->bases[w->views[w->ops[i].args[k]].base]->buffer != NULL) {
                return false;
            }
        }
    }
    return true;
}

/* The value that a flush may leave out: made in the current window, with one handle. */
static cni_base *fading_of(const cni_recorder *r)
{
    const cni_base *base = r->fading;
    bool fades = base != NULL && base->arrays == 1 && base->windows == 1 && runs_again(r->current);
    return fades ? r->fading : NULL;
}

static void ran_release(cni_recorder *r)
{
    window_release(r->ran);
    r->spare = r->ran;
    r->ran = NULL;
}

/* Stores what the window that ran last left out, if anybody can still use it. */
static cn_status settle(cni_recorder *r)
{
    if (r->ran == NULL) {
        return CN_OK;
    }
    CN_TRY(cni_window_run(r->ran));
    cni_stats.restored++;
    ran_release(r);
    return CN_OK;
}

void cni_window_base_forgotten(cni_base *base)
{
    cni_window *w = base->window;
    if (base->pending_write) {
        base->pending_write = false;
        w->recorder->pending_bytes -= base->nbytes;
    }
    if (w == NULL) {
        return;
    }
    if (base->buffer == NULL) {
        w->new_bytes -= base->nbytes; /* a temporary: most are never stored, others reuse what ended before */
    }
    if (w->recorder->fading == base) {
        w->recorder->fading = NULL;
    }
    if (w->ran && w->fading == base) {
        base->windows++; /* the caller drops it */
        ran_release(w->recorder);
        base->windows--;
    }
}

static cn_status run_sealed(cni_recorder *r)
{
    cni_window *w = r->sealed;
    if (w == NULL) {
        return CN_OK;
    }
    cn_status status = cni_window_run(w);
    if (status != CN_OK) {
        w->fading = NULL; /* who tries again is somebody else */
        return status;
    }
    r->sealed = NULL;
    if (w->fading != NULL && w->fading->buffer == NULL) {
        w->ran = true;
        r->ran = w;
        cni_stats.faded++;
        return CN_OK;
    }
    window_release(w);
    r->spare = w;
    return CN_OK;
}

/* Cuts the current window: it waits until the next cut, so that what its program rebinds is dead by then. */
static cn_status cut(cni_recorder *r)
{
    CN_TRY(run_sealed(r));
    CN_TRY(cni_follow_end(r->current, false));
    r->current->fading = fading_of(r);
    r->sealed = r->current;
    r->current = r->spare;
    r->spare = NULL;
    cni_follow_cut(r, r->sealed);
    return cni_settings[CNI_SETTING_DEFER] ? CN_OK : run_sealed(r);
}

cn_status cni_recorder_flush(cni_recorder *r)
{
    cn_status status = settle(r);
    if (status == CN_OK) {
        status = run_sealed(r);
    }
    if (status == CN_OK && r->current->nops > 0) {
        status = cut(r);
        if (status == CN_OK) {
            status = run_sealed(r);
        }
    }
    r->fading = NULL;
    return status;
}

cn_status cni_base_flush(const cni_base *base)
{
    while (base->window != NULL) {
        CN_TRY(cni_recorder_flush(base->window->recorder));
    }
    return CN_OK;
}

cn_status cni_base_compute(const cni_base *base)
{
    while (base->window != NULL && !(base->window->ran && base->window->fading != base)) {
        CN_TRY(cni_recorder_flush(base->window->recorder));
    }
    return CN_OK;
}

void cn_array_fade(const cn_array *array)
{
    cni_recorder *r = cni_my_recorder;
    if (r != NULL && array->base->window == r->current && array->base->buffer == NULL) {
        r->fading = array->base;
    }
}

cn_status cn_flush(void)
{
    cni_recorder *r;
    CN_TRY(cni_recorder_get(&r));
    return cni_recorder_flush(r);
}

cn_status cn_fp_events_wait(void)
{
    CN_TRY(cni_process_device != NULL ? cni_process_device->events() : CN_OK);
    return cni_places_settle();
}

cn_status cn_synchronize(void)
{
    for (cni_recorder *r = all_recorders; r != NULL; r = r->next) {
        CN_TRY(cni_recorder_flush(r));
    }
    CN_TRY(cni_process_device != NULL ? cni_process_device->finish() : CN_OK);
    return cni_places_settle();
}

/* ---- Recording ---- */

int64_t cni_pinned_limit(void)
{
    static int64_t memory;
    if (memory == 0) {
        memory = (int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE);
    }
    int64_t setting = cni_settings[CNI_SETTING_WINDOW_BYTES], device = cni_settings[CNI_SETTING_GPU_MEMORY];
    int64_t most = cni_process_device != NULL && device > 0 && device / 4 < memory / 8 ? device / 4 : memory / 8;
    return setting > 0 ? setting : most; /* a window whose values do not fit the device runs on the host */
}

typedef struct operand_facts {
    uint64_t hash; /* what the op does, and how long ago its operands were touched */
    bool shared;   /* some operand's memory is known to others */
    bool foreign;  /* some operand is pending in another thread's window */
} operand_facts;

static inline operand_facts look(const cni_recorder *r, const cni_op *op, const cni_operand *operands)
{
    operand_facts facts = {.hash = cni_op_word(op)};
    for (const cni_operand *o = operands, *end = operands + op->nout + op->nin; o < end; o++) {
        if (o->array != NULL) {
            const cni_base *base = o->array->base;
            facts.shared |= cni_base_shared(base);
            facts.foreign |= base->window != NULL && base->window->recorder != r;
        }
        facts.hash = cni_hash_mix(facts.hash, cni_operand_word(o));
    }
    return facts;
}

static cn_status flush_foreign(const cni_recorder *r, const cni_op *op, const cni_operand *operands)
{
    for (int i = 0; i < op->nout + op->nin; i++) {
        const cn_array *a = operands[i].array;
        if (a != NULL && a->base->window != NULL && a->base->window->recorder != r) {
            CN_TRY(cni_base_flush(a->base));
        }
    }
    return CN_OK;
}

/* Makes room: what must run before the op can be appended. */
static cn_status prepare(cni_recorder *r, const cni_op *op, const cni_operand *operands, operand_facts facts)
{
    if (facts.foreign) {
        CN_TRY(flush_foreign(r, op, operands));
    }
    CN_TRY(settle(r));
    cni_window *w = r->current;
    bool repeats = w->model != NULL ? cni_follow_cut_here(w) : cni_repeat_cut_here(&r->repeat);
    if (facts.shared || cni_window_pins_much(w, cni_pinned_limit())) {
        w->full = !facts.shared;
        CN_TRY(cni_recorder_flush(r));
    } else if (w->nops > 0 && (repeats || (int64_t)w->nops >= cni_settings[CNI_SETTING_WINDOW_OPS])) {
        w->repeats = repeats;
        w->full = !repeats;
        CN_TRY(cut(r));
    }
    return cni_window_reserve(r->current) ? CN_OK : cni_fail_memory((int64_t)sizeof *op);
}

static inline uint32_t append_operand(cni_recorder *r, cni_window *w, const cni_operand *operand, bool written)
{
    if (operand->array == NULL) {
        w->scalars[w->nscalars] = operand->scalar;
        return CNI_SCALAR | (uint32_t)w->nscalars++;
    }
    uint32_t view = cni_window_intern(w, operand);
    cni_base *base = operand->array->base;
    if (base->last_touch != 0) {
        cni_repeat_use(&r->repeat, cni_op_clock - base->last_touch, base->nbytes);
    }
    cni_touch(r, base, written);
    return view;
}

/* Field by field: a copy in wide words, or hashing them, would wait for the narrow stores that made the op. */
static void append(cni_recorder *r, const cni_op *op, uint64_t word, const cni_operand *operands)
{
    cni_window *w = r->current;
    w->words[w->nops] = word;
    cni_op *made = &w->ops[w->nops];
    int nout = op->nout, nargs = nout + op->nin;
    made->kind = op->kind;
    made->nout = op->nout;
    made->nin = op->nin;
    made->flags = op->flags;
    made->opcode = op->opcode;
    made->loop = op->loop;
    made->parameter = op->parameter;
    made->fp_kinds = r->fp_kinds;
    made->none = 0;
    made->fp_context = r->fp_context;
    made->site = r->site;
    made->choice = r->choice;
    for (int i = 0; i < CNI_OP_ARGS; i++) {
        made->args[i] = 0;
    }
    for (int i = 0; i < nargs; i++) {
        made->args[i] = append_operand(r, w, &operands[i], i < nout);
    }
    w->hash = cni_hash_mix(w->hash, cni_op_hash(made));
    cni_op_recorded(w);
}

cn_status cni_record(const cni_op *op, const cni_operand *operands)
{
    cni_recorder *r;
    CN_TRY(cni_recorder_get(&r));
    bool taken = false;
    if (cni_follow_next(r) != NULL) {
        CN_TRY(cni_follow(r, op, operands, &taken));
    }
    if (taken) {
        return CN_OK;
    }
    operand_facts facts = look(r, op, operands);
    CN_TRY(prepare(r, op, operands, facts));
    if (r->current->model != NULL) { /* a window that this op begins, or one that ends later than its model */
        CN_TRY(cni_follow(r, op, operands, &taken));
    }
    if (taken) {
        return CN_OK;
    }
    cni_repeat_append(&r->repeat, facts.hash, r->pending_bytes, (uint64_t)cni_settings[CNI_SETTING_PERIOD_OPS]);
    append(r, op, facts.hash, operands);
    if (facts.shared) {
        cn_status status = cni_recorder_flush(r);
        if (status != CN_OK) { /* the refused op is all there is */
            cni_window *refused = r->sealed != NULL ? r->sealed : r->current;
            window_release(refused);
            r->spare = r->sealed != NULL ? r->sealed : r->spare;
            r->sealed = NULL;
        }
        return status;
    }
    return CN_OK;
}
