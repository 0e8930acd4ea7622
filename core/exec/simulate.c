/*
 * simulate.c - see simulate.h.
 *
 *   time of a window = most over places of
 *       launches * launch + (serial - launches * launch - saved) * share of the work
 *       + for each exchange: messages in and out * alpha + the greater of bytes in and out * beta
 *         (of rounds behind the first, what is more than the work, while which they travel)
 *   saved = bytes that launches move * (seconds for a byte here - seconds for a byte where a place has its share)
 *
 * serial is the least time that the window took here, at one place. Seconds for a byte are measured (memory_rate.h), over
 * as much memory as the window's storage takes, and over a share of it: what does not fit in a cache here may fit there.
 * Machines are thought to be like this one, with so many places each (simulate_node), which take from each other's memory:
 * the share is walked over by as many at once. What chains hand on and joint ops send, and that they wait for it, is not in
 * it.
 */
#include "exec/simulate.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/settings.h"
#include "base/status.h"
#include "exec/explain.h"
#include "exec/imagined.h"
#include "exec/memory_rate.h"
#include "exec/place.h"
#include "exec/world.h"
#include "plan/match.h"

enum { STEADY = 3, PLACES_MOST = 65536 };

/* ---- Windows met ---- */

typedef struct met {
    uint64_t key;
    uint64_t runs;
    cni_slot_layout *slots;
    bool *written; /* by slot */
    bool planned;
    double work, comm;      /* of the slowest place: share of the work, seconds */
    double hidden;          /* likewise, of exchanges that travel while it works */
    int64_t storage, moved; /* bytes: of all slots, of all launches */
    cn_simulated result;
} met;

static met *windows;
static size_t nwindows, windows_capacity;

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int place_count(void)
{
    int64_t n = cni_settings[CNI_SETTING_SIMULATE];
    return n > PLACES_MOST ? PLACES_MOST : (int)n;
}

bool cni_simulate_wanted(void)
{
    return cni_settings[CNI_SETTING_SIMULATE] > 1 && cni_world_get()->places == 1;
}

/* Of what the plan is, not of where: plans come and go. */
static uint64_t plan_key(const cni_plan *plan)
{
    uint64_t key = cni_hash_mix(plan->hash, (uint64_t)plan->nslots << 32 | plan->nlaunches);
    for (uint32_t i = 0; i < plan->nslots; i++) {
        const cni_slot *slot = &plan->slots[i];
        key = cni_hash_mix(cni_hash_mix(key, (uint64_t)slot->base << 1 | slot->entry),
                           (uint64_t)slot->first << 32 | slot->last);
    }
    for (uint32_t i = 0; i < plan->ncommits; i++) {
        key = cni_hash_mix(key, (uint64_t)plan->commits[i].base << 32 | plan->commits[i].slot);
    }
    for (uint32_t i = 0; i < plan->nguards; i++) {
        key = cni_hash_mix(key, (uint64_t)plan->guards[i].kind << 1 | plan->guards[i].holds);
    }
    return key;
}

static uint64_t key_of(const cni_plan *plan, const cni_window *w, const cni_skeleton *s)
{
    uint64_t key = cni_hash_mix(plan_key(plan), (uint64_t)place_count());
    key = cni_hash_mix(key, (uint64_t)cni_settings[CNI_SETTING_SPREAD_BYTES]);
    for (size_t i = 0; i < w->ngeometry; i++) {
        key = cni_hash_mix(key, (uint64_t)w->geometry[i]);
    }
    for (size_t i = 0; i < w->nbases; i++) {
        key = cni_hash_mix(key, s->states[i]);
    }
    return key;
}

static met *met_before(uint64_t key)
{
    for (size_t i = 0; i < nwindows; i++) {
        if (windows[i].key == key) {
            return &windows[i];
        }
    }
    if (!cni_grow((void **)&windows, &windows_capacity, nwindows + 1, sizeof *windows)) {
        return NULL;
    }
    windows[nwindows] = (met){.key = key};
    return &windows[nwindows++];
}

/* ---- What a place does ---- */

typedef struct simulation {
    cni_partition_request request;
    cni_match *match;
    cni_traffic *traffic; /* of the place at hand, by exchange */
    int64_t *partial;     /* by part of the plan: bytes that a share of a reduction leaves */
    double *planning;     /* by place: seconds */
    int64_t *messages, *bytes, *looked;
    double all_work;
} simulation;

static int64_t accesses_bytes(const cni_window *w, const cni_part *part)
{
    int64_t bytes = 0;
    for (uint32_t a = 0; a < part->naccess; a++) {
        if (part->access[a].view != CNI_NONE) { /* operands that a call leaves out */
            const cni_view *v = &w->views[part->access[a].view];
            bytes += v->size * (int64_t)cn_dtype_size((cn_dtype)v->dtype);
        }
    }
    return bytes;
}

static double part_work(const cni_window *w, const cni_part *part)
{
    bool bytewise = part->kind == CNI_PART_CARRY || part->kind == CNI_PART_FILL;
    return (double)(bytewise ? w->bases[part->base]->nbytes : accesses_bytes(w, part));
}

/* Which part of the work is the share? */
static double share_of(const cni_window *w, const cni_shared_part *shared, const cni_share *share)
{
    const cni_shape_entry *shape = &w->shapes[shared->part->shape];
    if (shared->kind == CNI_SHARE_ROOT) {
        return 1;
    }
    if (shared->kind == CNI_SHARE_BYTES) {
        return (double)(share->to - share->from) / (double)w->bases[shared->part->base]->nbytes;
    }
    double count = 0, all = (double)cni_element_count(shape->ndim, w->geometry + shape->geometry);
    for (int i = 0; i < share->nboxes; i++) {
        double box = 1;
        for (int d = 0; d < shape->ndim; d++) {
            const cni_box *b = cni_share_box(share, i, 0);
            box *= (double)(b->stop[d] - b->start[d]);
        }
        count += box;
    }
    return count / all;
}

static double work_at(const simulation *sim, const cni_partition *p)
{
    double work = 0;
    for (uint32_t l = 0; l < p->nstages; l++) {
        for (uint32_t k = 0; k < p->stages[l].nparts; k++) {
            const cni_shared_part *shared = &p->stages[l].parts[k];
            for (uint32_t i = 0; i < shared->nshares; i++) {
                if (shared->shares[i].place == p->first) {
                    work += part_work(sim->request.window, shared->part) *
                            share_of(sim->request.window, shared, &shared->shares[i]);
                }
            }
        }
    }
    return work;
}

/* What shares of reductions leave goes to the root. */
static void add_reductions(const simulation *sim, const cni_partition *p, cni_traffic *traffic)
{
    for (uint32_t l = 0; l < p->nstages; l++) {
        for (uint32_t k = 0; k < p->stages[l].nparts; k++) {
            const cni_shared_part *shared = &p->stages[l].parts[k];
            cni_traffic *t = &traffic[2 + 2 * l];
            for (uint32_t i = 0; i < shared->nshares && shared->kind == CNI_SHARE_RANGE; i++) {
                bool mine = shared->shares[i].place == p->first;
                if (p->first == 0 ? !mine : mine) {
                    *(p->first == 0 ? &t->receives : &t->sends) += 1;
                    *(p->first == 0 ? &t->received : &t->sent) += sim->partial[shared->origin];
                }
            }
        }
    }
}

static double seconds_of(const cni_traffic *t)
{
    double alpha = 1e-9 * (double)cni_settings[CNI_SETTING_SIMULATE_ALPHA];
    double beta = 1e-12 * (double)cni_settings[CNI_SETTING_SIMULATE_BETA];
    return alpha * (double)(t->sends + t->receives) + beta * (double)(t->sent > t->received ? t->sent : t->received);
}

/* Of the place's panels, all but the first. */
static double seconds_hidden(const cni_partition *p, const cni_rounds *r)
{
    double sum = 0;
    for (int round = 1; round < r->n; round++) {
        cni_traffic t = {0};
        const cni_transfer *begin = r->transfers + r->begin[round], *end = r->transfers + r->begin[round + 1];
        for (const cni_transfer *x = begin; x < end; x++) {
            bool sending = x->from == p->first;
            *(sending ? &t.sends : &t.receives) += x == begin || x[-1].from != x->from || x[-1].to != x->to;
            *(sending ? &t.sent : &t.received) += cni_region_size(&x->region);
        }
        sum += seconds_of(&t);
    }
    return sum;
}

static double all_hidden(const cni_partition *p)
{
    double sum = 0;
    for (uint32_t l = 0; l < p->nstages; l++) {
        for (uint32_t k = 0; k < p->stages[l].nparts; k++) {
            const cni_rounds *rounds = p->stages[l].parts[k].rounds;
            sum += rounds != NULL ? seconds_hidden(p, rounds) : 0;
        }
    }
    return sum;
}

static cn_status place_plan(simulation *sim, int place, met *m)
{
    cni_partition *p;
    double began = seconds(CLOCK_THREAD_CPUTIME_ID), comm = 0;
    sim->request.first = place;
    sim->request.end = place + 1;
    CN_TRY(cni_partition_make(&sim->request, &p));
    sim->planning[place] = seconds(CLOCK_THREAD_CPUTIME_ID) - began;
    sim->looked[place] = (int64_t)p->looked;
    cni_match_partition(sim->match, p, sim->traffic);
    add_reductions(sim, p, sim->traffic);
    for (uint32_t e = 0; e < cni_exchange_count(p->nstages); e++) {
        const cni_traffic *t = &sim->traffic[e];
        sim->messages[place] += t->sends + t->receives;
        sim->bytes[place] += t->sent + t->received;
        m->result.messages += t->sends;
        m->result.message_bytes += (uint64_t)t->sent;
        comm += seconds_of(t);
    }
    double work = work_at(sim, p), hidden = all_hidden(p);
    comm -= hidden;
    m->hidden = hidden > m->hidden ? hidden : m->hidden;
    m->work = work > m->work ? work : m->work;
    m->comm = comm > m->comm ? comm : m->comm;
    sim->all_work += work;
    cni_partition_destroy(p);
    return CN_OK;
}

/* ---- All places ---- */

static int compare_numbers(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int compare_seconds(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void most_and_median(simulation *sim, cn_simulated *out)
{
    size_t n = (size_t)sim->request.places;
    qsort(sim->messages, n, sizeof *sim->messages, compare_numbers);
    qsort(sim->bytes, n, sizeof *sim->bytes, compare_numbers);
    qsort(sim->looked, n, sizeof *sim->looked, compare_numbers);
    qsort(sim->planning, n, sizeof *sim->planning, compare_seconds);
    out->messages_most = (uint64_t)sim->messages[n - 1];
    out->messages_median = (uint64_t)sim->messages[n / 2];
    out->bytes_most = (uint64_t)sim->bytes[n - 1];
    out->bytes_median = (uint64_t)sim->bytes[n / 2];
    out->looked_most = (uint64_t)sim->looked[n - 1];
    out->looked_median = (uint64_t)sim->looked[n / 2];
    out->planning_most = sim->planning[n - 1];
    out->planning_median = sim->planning[n / 2];
}

static cn_status all_places(simulation *sim, met *m)
{
    size_t n = (size_t)sim->request.places, nexchanges = cni_exchange_count(sim->request.plan->nlaunches);
    sim->traffic = cni_alloc_zero(nexchanges, sizeof *sim->traffic);
    sim->planning = cni_alloc_zero(n, sizeof *sim->planning);
    sim->messages = cni_alloc_zero(3 * n, sizeof *sim->messages);
    if (sim->traffic == NULL || sim->planning == NULL || sim->messages == NULL) {
        return cni_fail_memory((int64_t)n);
    }
    sim->bytes = sim->messages + n;
    sim->looked = sim->bytes + n;
    CN_TRY(cni_match_create(sim->request.places, sim->request.plan->nlaunches, &sim->match));
    for (int place = 0; place < sim->request.places; place++) {
        CN_TRY(place_plan(sim, place, m));
    }
    m->work = sim->all_work > 0 ? m->work / sim->all_work : 1;
    m->planned = true;
    most_and_median(sim, &m->result);
    return cni_match_end(sim->match);
}

static void part_writes(const cni_part *part, bool *written)
{
    for (uint32_t a = 0; a < part->naccess; a++) {
        if (part->access[a].written && part->access[a].slot != CNI_NONE) {
            written[part->access[a].slot] = true;
        }
    }
    if (part->kind == CNI_PART_CARRY || part->kind == CNI_PART_FILL) {
        written[part->slot] = true;
    }
}

/* The layouts of the plan's slots, from the root's partition. */
static cn_status layouts_find(const cni_partition_request *request, met *m)
{
    cni_partition_request root = *request;
    cni_partition *p;
    size_t n = request->plan->nslots;
    root.first = 0;
    root.end = 1;
    CN_TRY(cni_partition_make(&root, &p));
    m->slots = cni_alloc(n * sizeof *m->slots + 1);
    m->written = cni_alloc_zero(n + 1, 1);
    if (m->slots != NULL && m->written != NULL) {
        memcpy(m->slots, p->slots, n * sizeof *m->slots);
        for (uint32_t l = 0; l < p->nstages; l++) {
            for (uint32_t k = 0; k < p->stages[l].nparts; k++) {
                part_writes(p->stages[l].parts[k].part, m->written);
            }
        }
    }
    cni_partition_destroy(p);
    return m->slots != NULL && m->written != NULL ? CN_OK : cni_fail_memory((int64_t)n);
}

/* ---- One window ---- */

/* How the places may share out reductions is the processor's to say. */
static cn_status ask_place(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, int64_t *quantum,
                           int64_t *partial, cni_chain_rule *chains)
{
    const cni_sharing *sharing = cni_cpu_place.sharing;
    uint32_t n = 0;
    for (uint32_t l = 0; l < plan->nlaunches; l++) {
        const cni_launch *launch = &plan->launches[l];
        for (uint32_t i = 0; i < launch->nparts; i++, n++) {
            const cni_part *part = &launch->parts[i];
            if (part->kind == CNI_PART_LIBRARY) {
                chains[n] = sharing->chain_rule(part, w, NULL);
            } else if (part->reduces) {
                void *binding;
                CN_TRY(cni_cpu_place.bind(part, w, s, NULL, &binding));
                quantum[n] = sharing->quantum(binding);
                partial[n] = sharing->partial_bytes(binding);
                chains[n] = sharing->chain_rule(part, w, binding);
                cni_cpu_place.unbind(binding);
            }
        }
    }
    return CN_OK;
}

/* What is spread where once the window has run. */
static cn_status bases_follow(const cni_plan *plan, const cni_window *w, const uint8_t *states, const met *m)
{
    for (uint32_t i = 0; i < plan->nslots; i++) {
        bool whole = m->slots[i].adopted || (states[plan->slots[i].base] & CNI_BASE_WHOLE) != 0;
        if (plan->slots[i].entry && w->bases[plan->slots[i].base]->buffer != NULL) {
            CN_TRY(cni_imagined_set(w->bases[plan->slots[i].base], &m->slots[i], whole && !m->written[i]));
        }
    }
    for (uint32_t i = 0; i < plan->ncommits; i++) {
        CN_TRY(cni_imagined_set(w->bases[plan->commits[i].base], &m->slots[plan->commits[i].slot], false));
    }
    return CN_OK;
}

static cn_status simulate(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, const cni_layout **layouts,
                          met *m, int64_t *quantum, int64_t *partial, cni_chain_rule *chains)
{
    simulation sim = {.request = {.plan = plan,
                                  .window = w,
                                  .skeleton = s,
                                  .layouts = layouts,
                                  .places = place_count(),
                                  .spread_bytes = cni_settings[CNI_SETTING_SPREAD_BYTES],
                                  .quantum = quantum,
                                  .chains = chains},
                      .partial = partial};
    CN_TRY(ask_place(plan, w, s, quantum, partial, chains));
    CN_TRY(m->slots == NULL ? layouts_find(&sim.request, m) : CN_OK);
    cn_status status = m->runs + 1 >= STEADY && !m->planned ? all_places(&sim, m) : CN_OK;
    cni_match_destroy(sim.match);
    cni_free(sim.traffic);
    cni_free(sim.planning);
    cni_free(sim.messages);
    return status;
}

/* Bytes that the window touches, and moves. Slots that follow each other in one buffer count once. */
static void bytes_note(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, met *m)
{
    int64_t live = 0, most = 0;
    uint64_t read = 0, written = 0;
    if (m->storage > 0) {
        return;
    }
    for (uint32_t l = 0; l < plan->nlaunches; l++) {
        for (uint32_t i = 0; i < plan->nslots; i++) {
            const cni_slot *slot = &plan->slots[i];
            int64_t bytes = w->bases[slot->base]->nbytes;
            live += (slot->entry ? l == 0 : slot->first == l) ? bytes : 0;
        }
        most = live > most ? live : most;
        for (uint32_t i = 0; i < plan->nslots; i++) {
            const cni_slot *slot = &plan->slots[i];
            live -= slot->last == l && !slot->entry ? w->bases[slot->base]->nbytes : 0;
        }
        cni_launch_bytes(&plan->launches[l], plan, w, s, &read, &written);
    }
    m->storage = most;
    m->moved = (int64_t)(read + written);
}

static cn_status simulate_as(const cni_plan *plan, const cni_window *w, cni_skeleton *s, const cni_layout **layouts,
                             size_t *number)
{
    cni_imagined_states(w, s->states, layouts);
    met *m = met_before(key_of(plan, w, s));
    size_t norigins = 0;
    for (uint32_t l = 0; l < plan->nlaunches; l++) {
        norigins += plan->launches[l].nparts;
    }
    int64_t *quantum = cni_alloc_zero(2 * norigins + 1, sizeof *quantum);
    cni_chain_rule *chains = cni_alloc_zero(norigins + 1, sizeof *chains);
    cn_status status = m != NULL && quantum != NULL && chains != NULL ? CN_OK : cni_fail_memory((int64_t)norigins);
    if (status == CN_OK && (m->slots == NULL || !m->planned)) {
        status = simulate(plan, w, s, layouts, m, quantum, quantum + norigins, chains);
    }
    cni_free(quantum);
    cni_free(chains);
    CN_TRY(status);
    bytes_note(plan, w, s, m);
    m->runs++;
    m->result.launches = plan->nlaunches;
    *number = (size_t)(m - windows);
    return bases_follow(plan, w, s->states, m);
}

static cn_status imagine(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, size_t *number)
{
    cni_skeleton copy = *s;
    const cni_layout **layouts = cni_alloc_zero(w->nbases + 1, sizeof(void *));
    copy.states = cni_alloc(w->nbases + 1);
    cn_status status = layouts != NULL && copy.states != NULL ? CN_OK : cni_fail_memory((int64_t)w->nbases);
    if (status == CN_OK) {
        memcpy(copy.states, s->states, w->nbases);
        status = simulate_as(plan, w, &copy, layouts, number);
    }
    cni_free(layouts);
    cni_free(copy.states);
    return status;
}

cn_status cni_simulate(cni_plan *plan, const cni_window *w, const cni_skeleton *s,
                       cn_status (*run)(cni_plan *plan, const cni_window *w, const cni_skeleton *s))
{
    size_t number = 0;
    CN_TRY(imagine(plan, w, s, &number));
    double began = seconds(CLOCK_MONOTONIC);
    CN_TRY(run(plan, w, s));
    double took = seconds(CLOCK_MONOTONIC) - began;
    cn_simulated *result = &windows[number].result;
    result->serial = result->serial == 0 || took < result->serial ? took : result->serial;
    return CN_OK;
}

/* See above. What is saved, or lost, is of what memory alone takes here. */
static double predict(const met *m, double launch)
{
    double fixed = launch * (double)m->result.launches, serial = m->result.serial;
    int64_t node = cni_settings[CNI_SETTING_SIMULATE_NODE];
    int walkers = node < place_count() ? (int)node : place_count();
    fixed = fixed < serial ? fixed : serial;
    double here = cni_memory_seconds(m->storage, 1);
    double there = cni_memory_seconds((int64_t)((double)m->storage * m->work), walkers);
    double moved =
        (double)m->moved * here < serial - fixed ? (double)m->moved : (serial - fixed) / (here > 0 ? here : 1);
    double saved = here > 0 && there > 0 ? moved * (here - there) : 0;
    double work = (serial - fixed - saved) * m->work;
    return fixed + work + (m->hidden > work ? m->hidden - work : 0) + m->comm;
}

size_t cn_simulation_get(size_t count, cn_simulated *out)
{
    size_t n = 0;
    for (size_t i = 0; i < nwindows; i++) {
        const met *m = &windows[i];
        if (!m->planned) {
            continue;
        }
        if (n < count) {
            out[n] = m->result;
            out[n].runs = m->runs;
            out[n].places = (uint64_t)place_count();
            out[n].predicted = predict(m, 1e-9 * (double)cni_settings[CNI_SETTING_SIMULATE_LAUNCH]);
        }
        n++;
    }
    return n;
}
