/*
 * joint_search.c - where values go in a sorted vector that places have pieces of: each value is sent to the one place whose
 * piece it may go into, which answers.
 *
 *   asked   | values, owner by owner | answers, in the same order |        in rounds of so many values that what all others
 *   heard   | values, from place to place | answers, likewise     |        may send to one place has room
 *
 * Whose piece that is follows from the first elements of all pieces: those are searched too, into the result, which has room
 * for it until the answer comes. Where a device does a place's work, what the place has itself it neither asks for nor sends.
 */
#include <string.h>

#include "base/status.h"
#include "cpu/joint_ops.h"
#include "cpu/library.h"

enum { HEARD_BYTES = 1 << 24, HEARD_DIRECT = 1 << 28 /* rounds that never leave devices */ };

typedef struct searching {
    const cni_joint *j;
    cni_geometry sorted;
    cn_dtype dtype;
    bool right;
    int64_t item;
    int64_t round, rounds, total;   /* values of a place in a round; of all places */
    int pieces;                     /* places that own some of the vector: */
    const cni_joint_device *device; /* does the places' work; NULL: the processor */
    int *place;                     /* which, and with which element each begins (scratch memory) */
    char *firsts;
} searching;

/* A share's values, which follow each other. */
typedef struct piece {
    int64_t first, count;
} piece;

static piece piece_of(const searching *s, const cni_share *share)
{
    cni_geometry out = cni_window_geometry(s->j->window, s->j->part->access[0].view);
    piece p = {0};
    for (int box = 0; share != NULL && box < share->nboxes; box++) {
        const cni_box *b = cni_share_box(share, box, 0);
        int64_t first = 0, count = 1;
        for (int d = 0; d < out.ndim; d++) {
            first = first * out.shape[d] + b->start[d];
            count *= b->stop[d] - b->start[d];
        }
        p.first = box == 0 ? first : p.first;
        p.count += count;
    }
    return p;
}

static searching searching_of(const cni_joint *j)
{
    const cni_view *view = &j->window->views[j->part->access[1].view];
    searching s = {.j = j,
                   .sorted = cni_window_geometry(j->window, j->part->access[1].view),
                   .dtype = (cn_dtype)view->dtype,
                   .device = j->there != NULL ? cni_device_place()->joint : NULL,
                   .right = (j->window->ops[j->part->op].flags & CNI_FLAG_RIGHT) != 0};
    int64_t most = 1;
    s.item = s.sorted.itemsize;
    for (uint32_t i = 0; i < j->shared->nshares; i++) {
        int64_t count = piece_of(&s, &j->shared->shares[i]).count;
        most = count > most ? count : most;
        s.total += count;
    }
    s.round = (j->direct ? HEARD_DIRECT : HEARD_BYTES) / (j->world->places * (s.item + (int64_t)sizeof(int64_t)));
    s.round = s.round < 1 ? 1 : s.round < most ? s.round : most;
    s.rounds = (most + s.round - 1) / s.round;
    s.place = j->scratch;
    s.firsts = (char *)j->scratch + (j->world->places + 3) / 4 * 4 * (int64_t)sizeof *s.place;
    return s;
}

/* Values that a place may hear in a round. */
static int64_t heard_most(const searching *s)
{
    int64_t all = s->round * s->j->world->places;
    return all < s->total ? all : s->total;
}

/* Where answers are, behind so many values. */
static int64_t answers_at(const searching *s, int64_t count)
{
    return (count * s->item + 15) / 16 * 16;
}

void cni_search_room(const cni_joint *j, int64_t *asked, int64_t *heard, int64_t *scratch)
{
    searching s = searching_of(j);
    int64_t firsts = j->world->places * s.item;
    *scratch = j->world->places * (int64_t)sizeof *s.place + 16 + firsts;
    *asked = answers_at(&s, s.round) + s.round * (int64_t)sizeof(int64_t);
    *heard = answers_at(&s, heard_most(&s)) + heard_most(&s) * (int64_t)sizeof(int64_t);
    *asked = *asked > firsts ? *asked : firsts;
    *heard = *heard > firsts ? *heard : firsts;
}

bool cni_search_may(const cni_joint *j)
{
    return searching_of(j).dtype < CN_COMPLEX64;
}

void cni_search_there(const cni_joint *j, const cni_joint_device *device, cni_joint_room *room)
{
    searching s = searching_of(j);
    int64_t memory = 0;
    room->there = device->search_bind(s.dtype, s.right, j->world->places, s.round, &memory);
    room->memory = memory;
}

/* The first of the vector's elements that begin at or behind the place's first byte. */
static int64_t owned_from(const searching *s, int place)
{
    const cni_layout *layout = cni_joint_layout(s->j, 1);
    int64_t first = (cni_layout_begin(layout, place) - s->sorted.offset + s->item - 1) / s->item;
    return place >= layout->places || first > s->sorted.shape[0] ? s->sorted.shape[0] : first < 0 ? 0 : first;
}

/* ---- Rounds ---- */

/* The values of the place's round, and its results. */
static int64_t round_of(const searching *s, int local, int64_t round, const char **values, int64_t **results)
{
    piece p = piece_of(s, cni_joint_share(s->j, local));
    int64_t left = p.count - round * s->round, first = p.first + round * s->round;
    if (left <= 0) {
        return 0;
    }
    *values = cni_joint_data(s->j, 2, local) + first * s->item;
    *results = (int64_t *)(void *)cni_joint_data(s->j, 0, local) + first;
    return left < s->round ? left : s->round;
}

static cni_searching there_of(const searching *s, int local, int64_t round)
{
    const cni_joint *j = s->j;
    int place = j->world->first + local;
    const char *values = NULL;
    cni_searching x = {.from = owned_from(s, place),
                       .pieces = s->pieces,
                       .me = place,
                       .asked = j->moves->device_asked[local],
                       .heard = j->moves->device_heard[local],
                       .memory = cni_joint_memory(j, local)};
    x.n = owned_from(s, place + 1) - x.from;
    x.sorted = cni_joint_data(j, 1, local) + x.from * s->item;
    x.count = round_of(s, local, round, &values, &x.results);
    x.values = values;
    x.asked_answers = x.asked + answers_at(s, s->round);
    x.heard_answers = x.heard + answers_at(s, heard_most(s));
    x.nheard = cni_alltoall_before(j->moves, local, j->world->places);
    return x;
}

/* ---- First elements ---- */

static cn_status find_first(const searching *s, int local)
{
    int64_t from = owned_from(s, s->j->world->first + local), to = owned_from(s, s->j->world->first + local + 1);
    char *first = s->j->moves->asked[local];
    memset(first, 0, (size_t)s->item);
    if (from == to) {
        return CN_OK;
    }
    if (s->device != NULL) {
        cni_searching x = there_of(s, local, 0);
        return s->device->search_first(s->j->there, &x, first);
    }
    memcpy(first, cni_joint_data(s->j, 1, local) + from * s->item, (size_t)s->item);
    return CN_OK;
}

/* All places know all first elements. What they tell each other of them is on the hosts. */
static cn_status exchange_firsts(searching *s)
{
    const cni_joint *j = s->j;
    for (int k = 0; k < j->world->local; k++) {
        CN_TRY(find_first(s, k));
    }
    j->moves->there = j->moves->direct = false;
    CN_TRY(cni_alltoall_tell(j->moves, s->item));
    j->moves->there = s->device != NULL;
    j->moves->direct = j->direct;
    for (int place = 0; place < j->world->places; place++) {
        if (owned_from(s, place) < owned_from(s, place + 1)) {
            s->place[s->pieces] = place;
            memcpy(s->firsts + s->pieces++ * s->item, j->moves->heard[0] + place * s->item, (size_t)s->item);
        }
    }
    for (int k = 0; k < j->world->local && s->device != NULL; k++) {
        cni_searching x = there_of(s, k, 0);
        CN_TRY(s->device->search_begin(j->there, &x, s->firsts, s->place));
    }
    return CN_OK;
}

/* ---- Rounds ---- */

static void ask_here(const searching *s, int local, int64_t round)
{
    const cni_alltoall *x = s->j->moves;
    const char *values;
    int64_t *owner, n = round_of(s, local, round, &values, &owner);
    memset(x->sent[local], 0, (size_t)x->world->places * sizeof **x->sent);
    if (n == 0) {
        return;
    }
    cni_search_sorted(s->dtype, s->firsts, s->pieces, values, n, s->right, owner);
    for (int64_t i = 0; i < n; i++) { /* the last piece that begins before the value; before all of them, the first */
        owner[i] = s->place[owner[i] > 0 ? owner[i] - 1 : 0];
        x->sent[local][owner[i]]++;
    }
    int64_t *marks = cni_alltoall_marks(x, local);
    for (int64_t i = 0; i < n; i++) {
        memcpy(x->asked[local] + marks[owner[i]]++ * s->item, values + i * s->item, (size_t)s->item);
    }
}

static cn_status ask(const searching *s, int local, int64_t round)
{
    if (s->device == NULL) {
        ask_here(s, local, round);
        return CN_OK;
    }
    cni_searching x = there_of(s, local, round);
    return s->device->search_ask(s->j->there, &x, s->j->moves->sent[local]);
}

static void answer(const searching *s, int local)
{
    const cni_alltoall *x = s->j->moves;
    if (s->device != NULL) {
        cni_searching there = there_of(s, local, 0);
        s->device->search_answer(s->j->there, &there);
        return;
    }
    int64_t from = owned_from(s, s->j->world->first + local), n = 0;
    int64_t own = owned_from(s, s->j->world->first + local + 1) - from;
    int64_t *answers = (int64_t *)(void *)(x->heard[local] + answers_at(s, heard_most(s)));
    for (int place = 0; place < x->world->places; place++) {
        n += x->received[local][place];
    }
    if (n > 0) {
        const char *sorted = cni_joint_data(s->j, 1, local) + from * s->item;
        cni_search_sorted(s->dtype, sorted, own, x->heard[local], n, s->right, answers);
    }
    for (int64_t i = 0; i < n; i++) {
        answers[i] += from;
    }
}

static void take(const searching *s, int local, int64_t round)
{
    const cni_alltoall *x = s->j->moves;
    if (s->device != NULL) {
        cni_searching there = there_of(s, local, round);
        s->device->search_take(s->j->there, &there);
        return;
    }
    const char *values;
    int64_t *owner, n = round_of(s, local, round, &values, &owner), *marks = cni_alltoall_marks(x, local);
    const int64_t *answers = (const int64_t *)(const void *)(x->asked[local] + answers_at(s, s->round));
    for (int64_t i = 0; i < n; i++) {
        owner[i] = answers[marks[owner[i]]++];
    }
}

cn_status cni_search_run(const cni_joint *j)
{
    searching s = searching_of(j);
    CN_TRY(exchange_firsts(&s));
    for (int64_t round = 0; round < s.rounds; round++) {
        for (int k = 0; k < j->world->local; k++) {
            CN_TRY(ask(&s, k, round));
        }
        CN_TRY(cni_alltoall_count(j->moves));
        CN_TRY(cni_alltoall_move(j->moves, false, 0, 0, s.item));
        for (int k = 0; k < j->world->local; k++) {
            answer(&s, k);
        }
        int64_t asked = answers_at(&s, s.round), heard = answers_at(&s, heard_most(&s));
        CN_TRY(cni_alltoall_move(j->moves, true, asked, heard, sizeof(int64_t)));
        for (int k = 0; k < j->world->local; k++) {
            take(&s, k, round);
        }
    }
    return CN_OK;
}
