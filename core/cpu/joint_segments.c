/*
 * joint_segments.c - reductions of a vector's segments by several places: each does some of the results, and the owners send
 * it the elements between the first and the last of its segments.
 *
 *   asked   | what others need of a round, by place |        heard   | what comes in a round
 *
 * A segment ends where the next begins, which may be the next place's: the places tell each other where theirs begin. What
 * comes lies where the elements belong (all places have the same addresses), so one place's segments are as a whole vector's.
 * That memory is known from values only: it is asked for here, before anything is written (record/reduction.c).
 */
#include <string.h>

#include "base/status.h"
#include "cpu/joint_ops.h"

enum { ROUND_BYTES = 1 << 24 };

/* Elements [low, high) that a place needs. */
typedef struct needed {
    int64_t low, high;
} needed;

typedef struct segments {
    const cni_joint *j;
    cni_geometry in, begins;
    int64_t round; /* elements that a place gets in one */
} segments;

static segments segments_of(const cni_joint *j)
{
    segments s = {.j = j,
                  .in = cni_window_geometry(j->window, j->part->access[1].view),
                  .begins = cni_window_geometry(j->window, j->part->access[2].view)};
    int64_t most = ROUND_BYTES / (s.in.itemsize * j->world->places);
    s.round = most < s.in.shape[0] ? most : s.in.shape[0];
    s.round = s.round < 1 ? 1 : s.round;
    return s;
}

void cni_segments_room(const cni_joint *j, int64_t *asked, int64_t *heard, int64_t *scratch)
{
    segments s = segments_of(j);
    int64_t numbers = j->world->places * (int64_t)sizeof(needed);
    *scratch = numbers;
    *asked = s.round * s.in.itemsize * j->world->places;
    *heard = s.round * s.in.itemsize;
    *asked = *asked > numbers ? *asked : numbers;
    *heard = *heard > numbers ? *heard : numbers;
}

static int64_t *begins_at(const segments *s, int local)
{
    return (int64_t *)(void *)cni_joint_data(s->j, 2, local);
}

/* Where the first segment behind each place's begins is known there. */
static cn_status exchange_begins(const segments *s)
{
    const cni_joint *j = s->j;
    for (int k = 0; k < j->world->local; k++) {
        const cni_share *share = cni_joint_share(j, k);
        int64_t first = share != NULL ? begins_at(s, k)[cni_share_box(share, 0, 0)->start[0]] : -1;
        memcpy(j->moves->asked[k], &first, sizeof first);
    }
    CN_TRY(cni_alltoall_tell(j->moves, sizeof(int64_t)));
    for (int k = 0; k < j->world->local; k++) {
        const cni_share *share = cni_joint_share(j, k);
        int64_t next = -1;
        for (int place = j->world->first + k + 1; place < j->world->places && next < 0; place++) {
            memcpy(&next, j->moves->heard[k] + place * (int64_t)sizeof next, sizeof next);
        }
        int64_t *end = share != NULL ? &begins_at(s, k)[cni_share_box(share, 0, 0)->stop[0]] : &next;
        if (next >= 0 && *end != next) { /* the root may have it in memory of others */
            *end = next;
        }
    }
    return CN_OK;
}

/* From the first element of the place's segments to the last. */
static needed needed_by(const segments *s, int local)
{
    const cni_share *share = cni_joint_share(s->j, local);
    needed n = {s->in.shape[0], 0};
    if (share == NULL) {
        return (needed){0, 0};
    }
    const cni_box *box = cni_share_box(share, 0, 0);
    const int64_t *begins = begins_at(s, local);
    for (int64_t i = box->start[0]; i < box->stop[0]; i++) {
        int64_t end = i + 1 < s->begins.shape[0] ? begins[i + 1] : s->in.shape[0];
        end = end > begins[i] ? end : begins[i] + 1;
        n.low = begins[i] < n.low ? begins[i] : n.low;
        n.high = end > n.high ? end : n.high;
    }
    return n;
}

/* Of elements that the place needs, those that the other owns. */
static needed meet_range(const segments *s, needed range, int place, int owner)
{
    const cni_layout *layout = cni_joint_layout(s->j, 1);
    int64_t begin = (cni_layout_begin(layout, owner) - s->in.offset + s->in.itemsize - 1) / s->in.itemsize;
    int64_t end = (cni_layout_begin(layout, owner + 1) - s->in.offset + s->in.itemsize - 1) / s->in.itemsize;
    int64_t low = range.low > begin ? range.low : begin, high = range.high < end ? range.high : end;
    return (needed){low, place != owner && high > low ? high : low};
}

/* Likewise, of those that it needs in the round. */
static needed meet(const segments *s, const needed *all, int place, int owner, int64_t round)
{
    int64_t low = all[place].low + round * s->round, high = low + s->round;
    return meet_range(s, (needed){low, high < all[place].high ? high : all[place].high}, place, owner);
}

/* Between the vector and what goes, or has come. */
static int64_t copy_piece(const segments *s, int local, needed piece, char *packed, bool out)
{
    int64_t size = (piece.high - piece.low) * s->in.itemsize;
    char *data = cni_joint_data(s->j, 1, local) + piece.low * s->in.itemsize;
    if (size > 0) {
        memcpy(out ? packed : data, out ? data : packed, (size_t)size);
    }
    return size;
}

static cn_status run_round(const segments *s, const needed *all, int64_t round)
{
    const cni_world *world = s->j->world;
    cni_alltoall *moves = s->j->moves;
    for (int k = 0; k < world->local; k++) {
        char *packed = moves->asked[k];
        for (int place = 0; place < world->places; place++) {
            needed goes = meet(s, all, place, world->first + k, round);
            needed comes = meet(s, all, world->first + k, place, round);
            moves->sent[k][place] = goes.high - goes.low;
            moves->received[k][place] = comes.high - comes.low;
            packed += copy_piece(s, k, goes, packed, true);
        }
    }
    CN_TRY(cni_alltoall_move(moves, false, 0, 0, s->in.itemsize));
    for (int k = 0; k < world->local; k++) {
        char *packed = moves->heard[k];
        for (int place = 0; place < world->places; place++) {
            packed += copy_piece(s, k, meet(s, all, world->first + k, place, round), packed, false);
        }
    }
    return CN_OK;
}

/* Bytes that places of this process need of others'. */
static int64_t not_owned(const segments *s, const needed *all)
{
    const cni_world *world = s->j->world;
    int64_t count = 0;
    for (int k = 0; k < world->local; k++) {
        for (int owner = 0; owner < world->places; owner++) {
            needed piece = meet_range(s, all[world->first + k], world->first + k, owner);
            count += piece.high - piece.low;
        }
    }
    return count * s->in.itemsize;
}

/* What every place needs is known to all. */
static cn_status fetch(const segments *s, needed *all)
{
    const cni_joint *j = s->j;
    int64_t rounds = 0;
    for (int k = 0; k < j->world->local; k++) {
        needed mine = needed_by(s, k);
        memcpy(j->moves->asked[k], &mine, sizeof mine);
    }
    CN_TRY(cni_alltoall_tell(j->moves, sizeof(needed)));
    memcpy(all, j->moves->heard[0], (size_t)j->world->places * sizeof *all);
    for (int place = 0; place < j->world->places; place++) {
        int64_t n = (all[place].high - all[place].low + s->round - 1) / s->round;
        rounds = n > rounds ? n : rounds;
    }
    CN_TRY(cni_joint_hold(j, 1, not_owned(s, all)));
    for (int64_t round = 0; round < rounds; round++) {
        CN_TRY(run_round(s, all, round));
    }
    return CN_OK;
}

cn_status cni_segments_run(const cni_joint *j)
{
    segments s = segments_of(j);
    CN_TRY(exchange_begins(&s));
    CN_TRY(fetch(&s, j->scratch));
    for (int k = 0; k < j->world->local; k++) {
        const cni_share *share = cni_joint_share(j, k);
        cni_run run = {.window = j->window, .slots = j->at[k].host, .told = j->told};
        if (share != NULL) {
            const cni_box *box = cni_share_box(share, 0, 0);
            cni_segments_range(j->part, &run, box->start[0], box->stop[0]);
        }
    }
    return CN_OK;
}
