/*
 * joint_rows_there.c - rows by index of an array that is spread, with the places' work done by devices: the same rounds and
 * messages as those of joint_rows.c. What a place has itself it neither asks for nor sends. The last of rows that are put into
 * one wins by its number, as they come in any order.
 *
 * A device does shares whose pieces follow each other, of dense rows, by indices at equal distances.
 */
#include "base/status.h"
#include "cpu/joint_rows.h"

/* ---- Which ---- */

/* Bytes from index to index, in C order; false: they do not lie so. */
static bool index_step(const cni_geometry *g, int64_t *step)
{
    int64_t expected = 0;
    *step = 0;
    for (int d = g->ndim - 1; d >= 0; d--) {
        if (g->shape[d] == 1) {
            continue;
        }
        if (*step == 0) {
            *step = expected = g->strides[d];
        }
        if (g->strides[d] != expected || expected == 0) {
            return false;
        }
        expected *= g->shape[d];
    }
    return true;
}

static bool fits(const cni_rows *r)
{
    int64_t step;
    bool fine = !r->applies && r->moved == r->row && r->row > 0 && index_step(&r->index_g, &step) &&
                cni_is_contiguous(r->own_g.ndim, r->own_g.shape, r->own_g.strides, r->own_g.itemsize, false);
    for (uint32_t i = 0; i < r->j->shared->nshares && fine; i++) {
        fine = cni_rows_first(r, &r->j->shared->shares[i]) >= 0;
    }
    return fine;
}

bool cni_rows_may(const cni_joint *j)
{
    cni_rows r = cni_rows_of(j);
    return fits(&r);
}

void cni_rows_there(const cni_joint *j, const cni_joint_device *device, cni_joint_room *room)
{
    cni_rows r = cni_rows_of(j);
    int64_t owned = 0, memory = 0;
    for (int k = 0; k < j->world->local; k++) {
        int place = j->world->first + k;
        int64_t own = cni_rows_owned_from(&r, place + 1) - cni_rows_owned_from(&r, place);
        owned = own > owned ? own : owned;
    }
    room->there = device->move_bind(r.row, r.puts, j->world->places, r.round, owned, &memory);
    if (room->there != NULL) {
        room->memory = memory;
        room->asked_there = r.round * (r.moved + r.item);
        room->scratch = (j->world->places + 1) * (int64_t)sizeof(int64_t);
    }
}

/* ---- Rounds ---- */

static void find_cuts(const cni_rows *r)
{
    int64_t *cuts = r->j->scratch;
    for (int place = 0; place <= r->j->world->places; place++) {
        cuts[place] = cni_rows_owned_from(r, place);
    }
}

static cni_moving moving_of(const cni_rows *r, int local, int64_t round)
{
    const cni_joint *j = r->j;
    const cni_share *share = cni_joint_share(j, local);
    cni_moving x = {.array = cni_joint_data(j, r->array, local),
                    .step = r->step,
                    .bytes = r->row,
                    .pieces = r->pieces,
                    .me = j->world->first + local,
                    .cuts = j->scratch,
                    .asked = j->moves->device_asked[local],
                    .heard = j->moves->device_heard[local],
                    .memory = cni_joint_memory(j, local)};
    int64_t first = 0;
    x.count = share != NULL ? cni_rows_of_round(r, share, round, &first) : 0;
    x.nheard = cni_alltoall_before(j->moves, local, j->world->places);
    x.asked_rows = x.asked + r->round * r->item;
    x.heard_rows = x.heard + cni_rows_heard_at(r);
    index_step(&r->index_g, &x.index_step);
    if (x.count > 0) {
        int64_t at = cni_rows_first(r, share) + first;
        x.piece = at % r->pieces;
        x.order = at / r->pieces;
        x.index = cni_joint_data(j, r->index, local) + x.order * x.index_step;
        x.own = cni_joint_data(j, r->own, local) + at * r->moved;
    }
    return x;
}

static cn_status begin(const cni_rows *r, const cni_joint_device *device)
{
    find_cuts(r);
    for (int k = 0; k < r->j->world->local; k++) {
        cni_moving x = moving_of(r, k, 0);
        CN_TRY(device->move_begin(r->j->there, &x));
    }
    return CN_OK;
}

/* What goes through is sent: more can be done until it ends. */
static cn_status ask(const cni_rows *r, const cni_joint_device *device, int64_t round)
{
    cni_alltoall *x = r->j->moves;
    for (int k = 0; k < r->j->world->local; k++) {
        cni_moving m = moving_of(r, k, round);
        CN_TRY(device->ask(r->j->there, &m, x->sent[k]));
    }
    CN_TRY(cni_alltoall_count(x));
    return cni_alltoall_begin(x, false, 0, 0, r->item);
}

static void each(const cni_rows *r, const cni_joint_device *device, cni_moving_step step, int64_t round)
{
    for (int k = 0; k < r->j->world->local; k++) {
        cni_moving m = moving_of(r, k, round);
        device->move(r->j->there, &m, step);
    }
}

cn_status cni_rows_gather_there(const cni_rows *r)
{
    const cni_joint_device *device = cni_device_place()->joint;
    cni_alltoall *x = r->j->moves;
    CN_TRY(begin(r, device));
    for (int64_t round = 0; round < r->rounds; round++) {
        CN_TRY(ask(r, device, round));
        each(r, device, CNI_MOVE_OWN, round);
        CN_TRY(cni_alltoall_end(x));
        each(r, device, CNI_MOVE_ANSWER, round);
        CN_TRY(cni_alltoall_move(x, true, r->round * r->item, cni_rows_heard_at(r), r->row));
        each(r, device, CNI_MOVE_TAKE, round);
    }
    return CN_OK;
}

cn_status cni_rows_scatter_there(const cni_rows *r)
{
    const cni_joint_device *device = cni_device_place()->joint;
    cni_alltoall *x = r->j->moves;
    CN_TRY(begin(r, device));
    for (int64_t round = 0; round < r->rounds; round++) {
        CN_TRY(ask(r, device, round));
        each(r, device, CNI_MOVE_SEND, round);
        CN_TRY(cni_alltoall_end(x));
        CN_TRY(cni_alltoall_begin(x, false, r->round * r->item, cni_rows_heard_at(r), r->row));
        each(r, device, CNI_MOVE_LAST, round);
        CN_TRY(cni_alltoall_end(x));
        each(r, device, CNI_MOVE_PUT, round);
    }
    return CN_OK;
}
