/* spread_rounds.c - see spread_rounds.h. */
#include "exec/spread_rounds.h"

#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "base/status.h"
#include "exec/direct.h"
#include "exec/spread_memory.h"
#include "plan/rounds.h"

enum { ALIGNMENT = 256 };

static int64_t aligned(int64_t nbytes)
{
    return (nbytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* ---- Binding ---- */

/* The access reads what is dense there. */
static void make_dense(const cni_binder *k, const cni_dense *dense, int panel, const cni_box *box, const cni_part *part,
                       cni_local_part *l)
{
    cni_geometry operand = cni_window_geometry(k->w, part->access[dense->access].view);
    int64_t *numbers = l->geometry + l->views[dense->access].geometry;
    numbers[0] = 0;
    cni_dense_strides(dense, &operand, box->stop[dense->dim] - box->start[dense->dim], numbers + 1);
    l->access[dense->access].slot = k->plan->nslots + (uint32_t)panel;
}

/* A box of the share as the round has it. */
static cn_status bind_box(cni_binder *k, const cni_shared_part *shared, const cni_share *share, int box, int round,
                          cni_bound_share *bound)
{
    const cni_rounds *r = shared->rounds;
    cni_box boxes[CNI_OP_ARGS];
    cni_share here = *share;
    int64_t from, to;
    cni_local_part *l = bound->part = cni_alloc(sizeof *l);
    if (l == NULL) {
        return cni_fail_memory((int64_t)sizeof *l);
    }
    cni_rounds_panel(r, share->place, round, &from, &to);
    memcpy(boxes, cni_share_box(share, box, 0), share->naccess * sizeof *boxes);
    boxes[0].start[r->across] = boxes[r->panels.access].start[r->panels.dim] = from;
    boxes[0].stop[r->across] = boxes[r->panels.access].stop[r->panels.dim] = to;
    here.boxes = boxes;
    cni_local_part_make(shared->part, k->w, &here, 0, l);
    make_dense(k, &r->panels, round % CNI_PANELS, &boxes[r->panels.access], shared->part, l);
    if (r->other.nbytes > 0) {
        make_dense(k, &r->other, CNI_PANELS, &boxes[r->other.access], shared->part, l);
    }
    cni_window local = cni_local_window(l, k->w);
    return cni_bind_alone(k, &l->part, &local, NULL, bound);
}

/* A share's panels are in one memory: what the device refuses a box of, the processor does all of. */
static cn_status keep_together(cni_binder *k, cni_bound_share *bound, int count)
{
    bool host = false;
    for (int i = 0; i < count; i++) {
        host |= bound[i].place == &cni_cpu_place;
    }
    for (int i = 0; i < count && host; i++) {
        if (bound[i].place != &cni_cpu_place) {
            cni_window local = cni_local_window(bound[i].part, k->w);
            bound[i].place->unbind(bound[i].binding);
            bound[i].binding = NULL;
            bound[i].place = &cni_cpu_place;
            CN_TRY(cni_bind_alone(k, &bound[i].part->part, &local, NULL, &bound[i]));
        }
    }
    return CN_OK;
}

/* Panels lie behind what the op itself needs. */
static void make_room(cni_binder *k, cni_bound_shared *out)
{
    const cni_rounds *r = out->shared->rounds;
    int64_t before = 0, *room[] = {&k->b->scratch, &k->b->device_scratch};
    bool device = false, host = out->nbound == 0;
    for (uint32_t i = 0; i < out->nbound; i++) {
        const cni_bound_share *b = &out->bound[i];
        int64_t scratch = aligned(b->place->scratch(b->binding));
        before = scratch > before ? scratch : before;
        device |= b->place->where == CNI_ON_DEVICE;
        host |= b->place->where == CNI_ON_HOST;
        k->b->at[b->local].on_device[r->panels.slot] |= b->place->where == CNI_ON_DEVICE;
        k->b->at[b->local].on_device[r->other.slot] |= r->other.nbytes > 0 && b->place->where == CNI_ON_DEVICE;
    }
    out->panel_bytes = aligned(r->panels.nbytes);
    out->panels_at = before;
    int64_t need = before + CNI_PANELS * out->panel_bytes + r->other.nbytes;
    for (int i = 0; i < 2; i++) {
        *room[i] = (i == 0 ? host : device) && need > *room[i] ? need : *room[i];
    }
}

cn_status cni_rounds_bind(cni_binder *k, cni_bound_shared *out)
{
    const cni_shared_part *shared = out->shared;
    for (uint32_t i = 0; i < shared->nshares; i++) {
        const cni_share *share = &shared->shares[i];
        int count = cni_world_has(k->world, share->place) ? shared->rounds->n * share->nboxes : 0;
        for (int n = 0; n < count; n++) {
            cni_bound_share *bound = &out->bound[out->nbound++];
            *bound = (cni_bound_share){
                .shared = shared, .local = share->place - k->world->first, .place = k->place, .share = share};
            CN_TRY(bind_box(k, shared, share, n % share->nboxes, n / share->nboxes, bound));
        }
        CN_TRY(keep_together(k, out->bound + out->nbound - count, count));
    }
    make_room(k, out);
    return CN_OK;
}

/* ---- Running ---- */

typedef struct rounds_run {
    cni_spread_run *run;
    const cni_bound_shared *bound;
    const cni_rounds *r;
} rounds_run;

static char *panel_at(void *scratch, const cni_bound_shared *bound, int panel)
{
    return scratch != NULL ? (char *)scratch + bound->panels_at + panel * bound->panel_bytes : NULL;
}

static void set_panels(const rounds_run *x, int local)
{
    cni_place_slots *at = &x->run->b->at[local];
    for (int panel = 0; panel < CNI_PANEL_SLOTS; panel++) {
        at->host[at->panels + (uint32_t)panel] = panel_at(x->run->scratch, x->bound, panel);
        at->device[at->panels + (uint32_t)panel] = panel_at(x->run->device_scratch, x->bound, panel);
    }
}

/* What an exchange brings is where the place multiplies; what the place has of it itself is there first. */
static void begin_dense(const rounds_run *x, int local, int exchange, uint8_t where)
{
    cni_place_slots *at = &x->run->b->at[local];
    uint32_t panel = at->panels + (uint32_t)(exchange < x->r->n ? exchange % CNI_PANELS : CNI_PANELS);
    *at->valid[panel] = where;
    at->on_device[panel] = where == CNI_ON_DEVICE;
    for (uint32_t i = x->r->own_begin[exchange]; i < x->r->own_begin[exchange + 1]; i++) {
        const cni_transfer *t = &x->r->own[i];
        if (t->to != x->run->world->first + local) {
            continue;
        }
        if (where == CNI_ON_DEVICE) {
            cni_cuda_direct()->pack(&t->region, (char *)at->device[panel] + t->at, at->device[t->slot]);
        } else {
            cni_region_pack(&t->region, (char *)at->host[panel] + t->at, at->host[t->slot]);
        }
    }
}

static cn_status bring(const rounds_run *x, int local, uint8_t where)
{
    const cni_dense *all[] = {&x->r->panels, &x->r->other};
    for (int i = 0; i < 2; i++) {
        uint32_t slot = all[i]->slot;
        bool there = all[i]->nbytes == 0;
        CN_TRY(there ? CN_OK : cni_place_bring(x->run->of[slot], local, where, &x->run->b->at[local].spans[slot]));
    }
    return CN_OK;
}

/* The boxes of the share that this is the first of, in a round. */
static const cni_bound_share *boxes_of(const cni_bound_share *first, int round)
{
    return first + round * first->share->nboxes;
}

/* Who has no share of the work gives what it has of panels. */
static uint8_t where_of(const rounds_run *x)
{
    return x->bound->nbound > 0 ? x->bound->bound->place->where : CNI_ON_HOST;
}

static cn_status multiply(const rounds_run *x, const cni_bound_share *boxes)
{
    for (int i = 0; i < boxes->share->nboxes; i++) {
        CN_TRY(cni_spread_run_share(x->run, &boxes[i]));
    }
    return CN_OK;
}

static cn_status begin_exchange(const rounds_run *x, int number)
{
    const cni_rounds *r = x->r;
    begin_dense(x, 0, number, where_of(x));
    return cni_exchange_begin(x->run->b->exchange, r->transfers + r->begin[number],
                              r->begin[number + 1] - r->begin[number], x->run->b->at, true);
}

static cn_status end_exchange(const rounds_run *x, int number)
{
    const cni_rounds *r = x->r;
    return cni_exchange_end(x->run->b->exchange, r->transfers + r->begin[number],
                            r->begin[number + 1] - r->begin[number], x->run->b->at);
}

static cn_status exchange_now(const rounds_run *x, int number)
{
    CN_TRY(begin_exchange(x, number));
    return end_exchange(x, number);
}

/* Does what an exchange brings come as work of the device that multiplies? */
static bool is_device_work(const rounds_run *x, int number)
{
    bool direct = false;
    for (uint32_t i = x->r->begin[number]; i < x->r->begin[number + 1] && !direct; i++) {
        direct = cni_direct_for(cni_region_size(&x->r->transfers[i].region)) != NULL;
    }
    return direct && where_of(x) == CNI_ON_DEVICE;
}

/* Multiplies one panel while the next one comes. */
static cn_status run_round(const rounds_run *x, int round)
{
    const cni_bound_share *boxes = x->bound->nbound > 0 ? boxes_of(x->bound->bound, round) : NULL;
    bool more = round + 1 < x->r->n, behind = more && is_device_work(x, round + 1);
    CN_TRY(more && !behind ? begin_exchange(x, round + 1) : CN_OK);
    CN_TRY(boxes != NULL ? multiply(x, boxes) : CN_OK);
    CN_TRY(behind ? begin_exchange(x, round + 1) : CN_OK);
    cni_stats.overlapped += more && !behind;
    return more ? end_exchange(x, round + 1) : CN_OK;
}

/* The one place of a process among several. */
static cn_status run_between(const rounds_run *x)
{
    CN_TRY(bring(x, 0, where_of(x)));
    CN_TRY(x->r->exchanges > x->r->n ? exchange_now(x, x->r->n) : CN_OK);
    CN_TRY(exchange_now(x, 0));
    for (int round = 0; round < x->r->n; round++) {
        CN_TRY(run_round(x, round));
    }
    return CN_OK;
}

/* What an exchange brings to a place of this process, which alone has panels at the time. */
static cn_status exchange_within(const rounds_run *x, const cni_bound_share *share, int number)
{
    int place = x->run->world->first + share->local;
    begin_dense(x, share->local, number, share->place->where);
    for (uint32_t i = x->r->begin[number]; i < x->r->begin[number + 1]; i++) {
        const cni_transfer *t = &x->r->transfers[i];
        CN_TRY(t->to == place ? cni_exchange_run(x->run->b->exchange, t, 1, x->run->b->at) : CN_OK);
    }
    return CN_OK;
}

static cn_status run_within(const rounds_run *x, const cni_bound_share *first)
{
    CN_TRY(bring(x, first->local, first->place->where));
    CN_TRY(x->r->exchanges > x->r->n ? exchange_within(x, first, x->r->n) : CN_OK);
    for (int round = 0; round < x->r->n; round++) {
        CN_TRY(exchange_within(x, first, round));
        CN_TRY(multiply(x, boxes_of(first, round)));
    }
    return CN_OK;
}

cn_status cni_rounds_run(cni_spread_run *run, const cni_bound_shared *bound)
{
    rounds_run x = {.run = run, .bound = bound, .r = bound->shared->rounds};
    for (int k = 0; k < run->world->local; k++) {
        set_panels(&x, k);
    }
    if (run->world->net->size > 1) {
        return run_between(&x);
    }
    const cni_bound_share *first = bound->bound, *end = first + bound->nbound;
    for (; first < end; first = boxes_of(first, x.r->n)) {
        CN_TRY(run_within(&x, first));
    }
    return CN_OK;
}
