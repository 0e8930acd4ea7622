/* planner.c - runs the passes over a draft, and keeps the plans that they make. */
#include <string.h>

#include "base/memory.h"
#include "base/settings.h"
#include "base/stats.h"
#include "base/status.h"
#include "plan/draft.h"

static bool draft_create(const cni_window *w, const cni_skeleton *s, cni_plan *plan, cni_draft *d)
{
    size_t ncontents = w->nbases + w->nops * CNI_MAX_NOUT;
    *d =
        (cni_draft){.w = w, .s = s, .plan = plan, .nops = (uint32_t)w->nops, .ngroups_most = 2 * (uint32_t)w->nops + 1};
    d->ops = cni_arena_alloc(&d->arena, w->nops * sizeof *d->ops);
    d->contents = cni_arena_alloc(&d->arena, ncontents * sizeof *d->contents);
    d->segments = cni_arena_alloc(&d->arena, ncontents * sizeof *d->segments);
    d->groups = cni_arena_alloc(&d->arena, d->ngroups_most * sizeof *d->groups);
    d->depends = cni_arena_alloc(&d->arena, (size_t)d->ngroups_most * d->ngroups_most);
    d->entry = cni_arena_alloc(&d->arena, w->nbases * sizeof *d->entry);
    d->final = cni_arena_alloc(&d->arena, w->nbases * sizeof *d->final);
    return d->ops != NULL && d->contents != NULL && d->segments != NULL && d->groups != NULL && d->depends != NULL &&
           d->entry != NULL && d->final != NULL;
}

static void draft_destroy(cni_draft *d)
{
    cni_arena_destroy(&d->arena);
    cni_free(d->guards);
    cni_free(d->cuts);
    cni_free(d->derived);
}

static cn_status passes_run(cni_draft *d)
{
    bool verify = cni_settings[CNI_SETTING_VERIFY] != 0;
    CN_TRY(cni_pass_versions(d));
    CN_TRY(verify ? cni_verify_versions(d) : CN_OK);
    CN_TRY(cni_pass_simplify(d));
    CN_TRY(verify ? cni_verify_simplify(d) : CN_OK);
    CN_TRY(cni_pass_fuse(d));
    CN_TRY(verify ? cni_verify_fuse(d) : CN_OK);
    CN_TRY(cni_pass_sink(d));
    CN_TRY(verify ? cni_verify_fuse(d) : CN_OK);
    return cni_pass_steps(d);
}

static bool plan_finish(cni_draft *d)
{
    cni_plan *plan = d->plan;
    const cni_skeleton *s = d->s;
    plan->live = cni_arena_copy(&plan->arena, s->live, d->w->nbases);
    plan->guards = cni_arena_copy(&plan->arena, d->guards, d->nguards * sizeof *d->guards);
    plan->nguards = (uint32_t)d->nguards;
    plan->cuts = cni_arena_copy(&plan->arena, d->cuts, d->ncuts * sizeof *d->cuts);
    plan->ncuts = (uint32_t)d->ncuts;
    plan->derived = cni_arena_copy(&plan->arena, d->derived, d->nderived * sizeof *d->derived);
    plan->nderived = (uint32_t)d->nderived;
    return !d->no_memory && plan->cuts != NULL && plan->derived != NULL && cni_skeleton_keep(plan, d->w, s) &&
           plan->live != NULL && plan->guards != NULL;
}

cn_status cni_plan_make(const cni_window *w, const cni_skeleton *s, cni_plan **out)
{
    cni_draft d;
    cni_plan *plan = cni_alloc_zero(1, sizeof *plan);
    if (plan == NULL) {
        return cni_fail_memory((int64_t)sizeof *plan);
    }
    cn_status status = CN_OK;
    if (!draft_create(w, s, plan, &d)) {
        status = cni_fail_memory((int64_t)w->nops);
    }
    if (status == CN_OK) {
        status = passes_run(&d);
    }
    if (status == CN_OK && !plan_finish(&d)) {
        status = cni_fail_memory((int64_t)w->nops);
    }
    if (status == CN_OK && cni_settings[CNI_SETTING_VERIFY] != 0) {
        status = cni_verify_plan(plan, w);
    }
    draft_destroy(&d);
    if (status != CN_OK) {
        cni_plan_destroy(plan);
        return status;
    }
    *out = plan;
    return CN_OK;
}

void cni_plan_destroy(cni_plan *plan)
{
    if (plan->binding_destroy != NULL) {
        plan->binding_destroy(plan->binding);
    }
    if (plan->spread_destroy != NULL) {
        plan->spread_destroy(plan->spread);
    }
    cni_arena_destroy(&plan->arena);
    cni_free(plan);
}

/* ---- The cache ---- */

enum { BUCKETS = 4096, LOOSE_MOST = 2 };

static cni_plan *buckets[BUCKETS];
static uint64_t cache_clock;

/* Plans that keep more than this window needs are right, but only so often in a row. */
static bool keeps_enough(const cni_plan *plan, const cni_skeleton *s, bool *exactly)
{
    *exactly = true;
    for (uint32_t b = 0; b < plan->nbases; b++) {
        if (s->live[b] && !plan->live[b]) {
            return false;
        }
        *exactly &= s->live[b] == plan->live[b];
    }
    return true;
}

cni_plan *cni_plan_find(const cni_window *w, const cni_skeleton *s, bool loosely,
                        bool (*geometry_unchanged)(const cni_plan *, const cni_window *))
{
    cni_plan *loose = NULL;
    for (cni_plan *plan = buckets[s->hash % BUCKETS]; plan != NULL; plan = plan->next) {
        bool exactly;
        if (plan->hash != s->hash || !cni_skeleton_equals(plan, w, s) || !keeps_enough(plan, s, &exactly)) {
            continue;
        }
        bool unchanged = !cni_settings[CNI_SETTING_RECHECK] && geometry_unchanged(plan, w);
        if (!unchanged && !cni_guards_hold(plan, w, s)) {
            continue;
        }
        if (exactly) {
            plan->hits++;
            plan->last_use = ++cache_clock;
            return plan;
        }
        loose = loosely ? plan : NULL;
    }
    if (loose != NULL && loose->loose_hits++ < LOOSE_MOST) {
        loose->hits++;
        loose->last_use = ++cache_clock;
        return loose;
    }
    return NULL;
}

static void evict_oldest(void)
{
    cni_plan **oldest = NULL;
    for (int b = 0; b < BUCKETS; b++) {
        for (cni_plan **link = &buckets[b]; *link != NULL; link = &(*link)->next) {
            oldest = oldest == NULL || (*link)->last_use < (*oldest)->last_use ? link : oldest;
        }
    }
    cni_plan *plan = *oldest;
    *oldest = plan->next;
    cni_plan_destroy(plan);
    cni_stats.plans--;
}

void cni_plan_keep(cni_plan *plan)
{
    while (cni_stats.plans > 0 && (int64_t)cni_stats.plans >= cni_settings[CNI_SETTING_PLANS]) {
        evict_oldest();
    }
    plan->last_use = ++cache_clock;
    plan->next = buckets[plan->hash % BUCKETS];
    buckets[plan->hash % BUCKETS] = plan;
    cni_stats.plans++;
}

void cni_plan_cache_clear(void)
{
    for (int b = 0; b < BUCKETS; b++) {
        while (buckets[b] != NULL) {
            cni_plan *next = buckets[b]->next;
            cni_plan_destroy(buckets[b]);
            buckets[b] = next;
        }
    }
    cni_stats.plans = 0;
}
