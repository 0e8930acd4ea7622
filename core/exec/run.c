/*
 * run.c - runs a window: finds or makes its plan, gives it storage, runs its launches, and hands the results to their
 * bases. Decides nothing.
 *
 * All storage is taken before the first launch, so that a window either runs as a whole or leaves everything as it was.
 */
#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "base/status.h"
#include "exec/explain.h"
#include "exec/place.h"

/* The geometry a plan was last run with, and what follows from it. */
typedef struct binding {
    size_t ngeometry;
    int64_t *geometry;
    uint32_t nparts;
    void **parts;
    int64_t scratch;                    /* the most that a part takes */
    uint64_t bytes_read, bytes_written; /* of one run */
} binding;

static void binding_destroy(void *opaque)
{
    binding *b = opaque;
    for (uint32_t i = 0; b != NULL && i < b->nparts; i++) {
        cni_cpu_place.unbind(b->parts[i]);
    }
    if (b != NULL) {
        cni_free(b->geometry);
        cni_free(b->parts);
        cni_free(b);
    }
}

static bool geometry_unchanged(const cni_plan *plan, const cni_window *w)
{
    const binding *b = plan->binding;
    return b != NULL && b->ngeometry == w->ngeometry &&
           memcmp(b->geometry, w->geometry, w->ngeometry * sizeof *w->geometry) == 0;
}

static uint32_t part_count(const cni_plan *plan)
{
    uint32_t n = 0;
    for (uint32_t l = 0; l < plan->nlaunches; l++) {
        n += plan->launches[l].nparts;
    }
    return n;
}

static cn_status binding_fill(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, binding *b)
{
    uint32_t count = part_count(plan);
    b->geometry = cni_alloc(w->ngeometry * sizeof *b->geometry);
    b->parts = cni_alloc_zero(count, sizeof *b->parts);
    if (b->geometry == NULL || b->parts == NULL) {
        return cni_fail_memory((int64_t)count);
    }
    memcpy(b->geometry, w->geometry, w->ngeometry * sizeof *b->geometry);
    b->ngeometry = w->ngeometry;
    for (uint32_t l = 0; l < plan->nlaunches; l++) {
        const cni_launch *launch = &plan->launches[l];
        for (uint32_t k = 0; k < launch->nparts; k++) {
            CN_TRY(cni_cpu_place.bind(&launch->parts[k], w, s, &b->parts[b->nparts]));
            int64_t scratch = cni_cpu_place.scratch(b->parts[b->nparts]);
            b->scratch = scratch > b->scratch ? scratch : b->scratch;
            b->nparts++;
        }
        cni_launch_bytes(launch, plan, w, s, &b->bytes_read, &b->bytes_written);
    }
    return CN_OK;
}

static cn_status bind(cni_plan *plan, const cni_window *w, const cni_skeleton *s)
{
    if (geometry_unchanged(plan, w)) {
        return CN_OK;
    }
    binding *fresh = cni_alloc_zero(1, sizeof *fresh);
    if (fresh == NULL) {
        return cni_fail_memory((int64_t)sizeof *fresh);
    }
    cn_status status = binding_fill(plan, w, s, fresh);
    if (status != CN_OK) {
        binding_destroy(fresh);
        return status;
    }
    binding_destroy(plan->binding);
    plan->binding = fresh;
    plan->binding_destroy = binding_destroy;
    return CN_OK;
}

/* ---- Storage ---- */

typedef struct storage {
    void **data;           /* by slot */
    cni_buffer **buffers;  /* by slot; own reference unless entry */
    cni_buffer **idle;     /* of slots that have ended, for those that begin later */
    uint32_t nidle;
    void *scratch;
    int64_t scratch_bytes;
} storage;

static void storage_release(const cni_plan *plan, storage *s)
{
    for (uint32_t i = 0; s->buffers != NULL && i < plan->nslots; i++) {
        if (!plan->slots[i].entry) {
            cni_buffer_unref(s->buffers[i]);
        }
    }
    for (uint32_t i = 0; i < s->nidle; i++) {
        cni_buffer_unref(s->idle[i]);
    }
    cni_storage_free(s->scratch, s->scratch_bytes);
    cni_free(s->data);
}

static cn_status slot_begin(storage *s, uint32_t slot, int64_t nbytes)
{
    for (uint32_t i = 0; i < s->nidle; i++) {
        if (s->idle[i]->nbytes == nbytes) {
            s->buffers[slot] = s->idle[i];
            s->idle[i] = s->idle[--s->nidle];
            s->data[slot] = s->buffers[slot]->data;
            return CN_OK;
        }
    }
    CN_TRY(cni_buffer_create(nbytes, &s->buffers[slot]));
    s->data[slot] = s->buffers[slot]->data;
    return CN_OK;
}

static void slot_end(storage *s, uint32_t slot)
{
    s->idle[s->nidle++] = s->buffers[slot];
    s->buffers[slot] = NULL;
}

static cn_status storage_take(const cni_plan *plan, const cni_window *w, storage *s)
{
    *s = (storage){.scratch_bytes = ((const binding *)plan->binding)->scratch};
    s->data = cni_alloc_zero((size_t)plan->nslots * 3 + 1, sizeof(void *));
    if (s->data == NULL) {
        return cni_fail_memory((int64_t)plan->nslots);
    }
    s->buffers = (cni_buffer **)(s->data + plan->nslots);
    s->idle = (cni_buffer **)(s->data + 2 * (size_t)plan->nslots);
    for (uint32_t i = 0; i < plan->nslots; i++) {
        if (plan->slots[i].entry) {
            s->buffers[i] = w->bases[plan->slots[i].base]->buffer;
            s->data[i] = s->buffers[i]->data;
        }
    }
    if (s->scratch_bytes > 0 && (s->scratch = cni_storage_alloc(s->scratch_bytes)) == NULL) {
        return cni_fail_memory(s->scratch_bytes);
    }
    for (uint32_t l = 0; l < plan->nlaunches; l++) {
        for (uint32_t i = 0; i < plan->nslots; i++) {
            if (!plan->slots[i].entry && plan->slots[i].first == l) {
                CN_TRY(slot_begin(s, i, w->bases[plan->slots[i].base]->nbytes));
            }
        }
        for (uint32_t i = 0; i < plan->nslots; i++) {
            if (!plan->slots[i].entry && plan->slots[i].last == l) {
                slot_end(s, i);
            }
        }
    }
    return CN_OK;
}

static void commit(const cni_plan *plan, const cni_window *w, const storage *s)
{
    for (uint32_t i = 0; i < plan->ncommits; i++) {
        s->buffers[plan->commits[i].slot]->refs++;
    }
    for (uint32_t i = 0; i < plan->ncommits; i++) {
        cni_base *base = w->bases[plan->commits[i].base];
        cni_buffer *old = base->buffer;
        base->buffer = s->buffers[plan->commits[i].slot];
        cni_buffer_unref(old);
    }
}

/* ---- Running ---- */

void cni_run_event(const cni_run *run, uint32_t op, uint32_t kind)
{
    const cni_op *o = &run->window->ops[op];
    cni_recorder_event(run->window->recorder,
                       &(cn_fp_event){.kind = kind, .context = o->fp_context, .site = o->site, .op = o->opcode});
}

static void launch_all(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, const storage *store)
{
    const binding *b = plan->binding;
    cni_run run = {.window = w, .skeleton = s, .slots = store->data, .scratch = store->scratch};
    uint32_t part = 0;
    for (uint32_t l = 0; l < plan->nlaunches; l++) {
        for (uint32_t k = 0; k < plan->launches[l].nparts; k++) {
            cni_cpu_place.run(&plan->launches[l].parts[k], b->parts[part++], &run);
        }
    }
    cni_stats.windows++;
    cni_stats.launches += plan->nlaunches;
    cni_stats.groups += plan->ngroups;
    cni_stats.bytes_read += b->bytes_read;
    cni_stats.bytes_written += b->bytes_written;
}

static cn_status plan_run(cni_plan *plan, const cni_window *w, const cni_skeleton *s)
{
    storage store;
    CN_TRY(bind(plan, w, s));
    cn_status status = storage_take(plan, w, &store);
    if (status == CN_OK) {
        launch_all(plan, w, s, &store);
        commit(plan, w, &store);
        cni_explain_add(plan, w, s);
    }
    storage_release(plan, &store);
    return status;
}

static cn_status plan_get(cni_window *w, cni_skeleton *s, cni_plan **plan)
{
    *plan = cni_plan_find(w, s, geometry_unchanged);
    if (*plan != NULL) {
        cni_stats.plan_hits++;
        return CN_OK;
    }
    cni_stats.plan_misses++;
    CN_TRY(cni_plan_make(w, s, plan));
    cni_plan_keep(*plan);
    return CN_OK;
}

cn_status cni_window_run(cni_window *w)
{
    static cni_skeleton skeleton; /* memory is kept from window to window */
    size_t ngeometry = w->ngeometry;
    cni_plan *plan;
    cn_status status = cni_skeleton_build(w, &skeleton);
    if (status == CN_OK) {
        status = plan_get(w, &skeleton, &plan);
    }
    if (status == CN_OK) {
        status = plan_run(plan, w, &skeleton);
    }
    if (status != CN_OK) {
        w->ngeometry = ngeometry; /* without the homes: the next try appends them again */
    }
    return status;
}
