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

/* A box of the share as the round has it; its operand is a panel. */
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
    boxes[0].start[r->across] = boxes[r->access].start[r->dim] = from;
    boxes[0].stop[r->across] = boxes[r->access].stop[r->dim] = to;
    here.boxes = boxes;
    cni_local_part_make(shared->part, k->w, &here, 0, l);

    cni_geometry operand = cni_window_geometry(k->w, shared->part->access[r->access].view);
    int64_t *numbers = l->geometry + l->views[r->access].geometry;
    numbers[0] = 0;
    cni_rounds_view(r, &operand, to - from, numbers + 1);
    l->access[r->access].slot = k->plan->nslots + (uint32_t)round % CNI_PANELS;
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
        k->b->at[b->local].on_device[r->slot] |= b->place->where == CNI_ON_DEVICE;
    }
    out->panel_bytes = aligned(r->panel_bytes);
    out->panels_at = before;
    int64_t need = before + CNI_PANELS * out->panel_bytes;
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
    for (int panel = 0; panel < CNI_PANELS; panel++) {
        at->host[at->panels + (uint32_t)panel] = panel_at(x->run->scratch, x->bound, panel);
        at->device[at->panels + (uint32_t)panel] = panel_at(x->run->device_scratch, x->bound, panel);
    }
}

/* A place's panel of the round is where it multiplies; what the place has of it itself is there first. */
static void begin_panel(const rounds_run *x, int local, int round, uint8_t where)
{
    cni_place_slots *at = &x->run->b->at[local];
    uint32_t panel = at->panels + (uint32_t)round % CNI_PANELS;
    *at->valid[panel] = where;
    at->on_device[panel] = where == CNI_ON_DEVICE;
    for (uint32_t i = x->r->own_begin[round]; i < x->r->own_begin[round + 1]; i++) {
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
    return cni_place_bring(x->run->of[x->r->slot], local, where, &x->run->b->at[local].spans[x->r->slot]);
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

static cn_status begin_round(const rounds_run *x, int round)
{
    const cni_rounds *r = x->r;
    begin_panel(x, 0, round, where_of(x));
    return cni_exchange_begin(x->run->b->exchange, r->transfers + r->begin[round],
                              r->begin[round + 1] - r->begin[round], x->run->b->at, true);
}

static cn_status end_round(const rounds_run *x, int round)
{
    const cni_rounds *r = x->r;
    return cni_exchange_end(x->run->b->exchange, r->transfers + r->begin[round], r->begin[round + 1] - r->begin[round],
                            x->run->b->at);
}

/* The one place of a process among several. */
static cn_status run_between(const rounds_run *x)
{
    CN_TRY(bring(x, 0, where_of(x)));
    CN_TRY(begin_round(x, 0));
    CN_TRY(end_round(x, 0));
    for (int round = 0; round < x->r->n; round++) {
        bool more = round + 1 < x->r->n;
        CN_TRY(more ? begin_round(x, round + 1) : CN_OK);
        CN_TRY(x->bound->nbound > 0 ? multiply(x, boxes_of(x->bound->bound, round)) : CN_OK);
        CN_TRY(more ? end_round(x, round + 1) : CN_OK);
        cni_stats.overlapped += more;
    }
    return CN_OK;
}

/* A round of a place of this process, which alone has panels at the time. */
static cn_status run_round(const rounds_run *x, const cni_bound_share *boxes, int round)
{
    int place = x->run->world->first + boxes->local;
    CN_TRY(bring(x, boxes->local, boxes->place->where));
    begin_panel(x, boxes->local, round, boxes->place->where);
    for (uint32_t i = x->r->begin[round]; i < x->r->begin[round + 1]; i++) {
        const cni_transfer *t = &x->r->transfers[i];
        CN_TRY(t->to == place ? cni_exchange_run(x->run->b->exchange, t, 1, x->run->b->at) : CN_OK);
    }
    return multiply(x, boxes);
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
        for (int round = 0; round < x.r->n; round++) {
            CN_TRY(run_round(&x, boxes_of(first, round), round));
        }
    }
    return CN_OK;
}
