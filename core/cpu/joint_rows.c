/*
 * joint_rows.c - rows by index of an array that is spread: each place asks the owners for its rows, or sends them rows.
 *
 *   asked   | row numbers, owner by owner | rows, in the same order |        in rounds of so many rows that what all
 *   heard   | row numbers, from place to place | rows, likewise     |        others may ask of one place has room
 *
 * Rows that are put carry their number in program order: the last of equal ones wins, whatever round it comes in. What is
 * applied (ufunc.at) comes in that order: a round is of so many rows of all, whichever places have them.
 *
 * Where places cut rows, the pieces that none of them cuts are what is said of rows here.
 */
#include <string.h>

#include "base/settings.h"
#include "base/status.h"
#include "cpu/joint_rows.h"
#include "cpu/library.h"
#include "plan/library_axes.h"

enum { HEARD_BYTES = 1 << 24, DIRECT_BYTES = 1 << 29 };

typedef cni_rows rows;

/* A place in the share's index boxes: pieces come one after the other. */
typedef struct walk {
    const rows *r;
    const cni_share *share;
    int box;
    int64_t index[CNI_LATTICE_DIMS];
    int64_t piece, first, end; /* of the row, in this box */
    char *indices, *own;
} walk;

/* The pieces of a row [*first, *end) that the box has: elements of a row in a box follow each other. */
static void box_pieces(const rows *r, const cni_share *share, int box, int64_t *first, int64_t *end)
{
    *first = 0;
    *end = r->pieces;
    if (r->pieces > 1 && r->own != r->index) {
        const cni_box *b = cni_share_box(share, box, r->own);
        int64_t start = 0, count = 1;
        for (int d = r->index_g.ndim; d < r->own_g.ndim; d++) {
            start = start * r->own_g.shape[d] + b->start[d];
            count *= b->stop[d] - b->start[d];
        }
        *first = start / r->piece;
        *end = *first + count / r->piece;
    }
}

static int64_t box_rows(const rows *r, const cni_share *share, int box)
{
    const cni_box *b = cni_share_box(share, box, r->index);
    int64_t first, end, count = 1;
    box_pieces(r, share, box, &first, &end);
    for (int d = 0; d < r->index_g.ndim; d++) {
        count *= b->stop[d] - b->start[d];
    }
    return count * (end - first);
}

int64_t cni_rows_of_share(const rows *r, const cni_share *share)
{
    int64_t count = 0;
    for (int box = 0; share != NULL && box < share->nboxes; box++) {
        count += box_rows(r, share, box);
    }
    return count;
}

/* Do the box's pieces follow each other: of one index of the axes before one that it has in part, all of those behind? */
static bool box_in_order(const rows *r, const cni_share *share, int box)
{
    const cni_box *b = cni_share_box(share, box, r->index);
    int64_t first, end;
    box_pieces(r, share, box, &first, &end);
    bool part = end - first < r->pieces, fine = true;
    for (int d = r->index_g.ndim - 1; d >= 0 && fine; d--) {
        int64_t n = b->stop[d] - b->start[d];
        fine = !part || n == 1;
        part |= n < r->index_g.shape[d];
    }
    return fine;
}

int64_t cni_rows_first(const rows *r, const cni_share *share)
{
    int64_t begin = 0, next = -1;
    for (int box = 0; box < share->nboxes; box++) {
        int64_t first = 0, piece, end;
        for (int d = 0; d < r->index_g.ndim; d++) {
            first = first * r->index_g.shape[d] + cni_share_box(share, box, r->index)->start[d];
        }
        box_pieces(r, share, box, &piece, &end);
        first = first * r->pieces + piece;
        if ((next >= 0 && first != next) || !box_in_order(r, share, box)) {
            return -1;
        }
        begin = next < 0 ? first : begin;
        next = first + box_rows(r, share, box);
    }
    return begin;
}

/* Do the shares, one after the other, have the rows in program order? */
static bool in_order(const rows *r)
{
    int64_t next = 0;
    for (uint32_t i = 0; i < r->j->shared->nshares; i++) {
        const cni_share *share = &r->j->shared->shares[i];
        if (share->nboxes > 0 && cni_rows_first(r, share) != next) { /* or they do not follow each other */
            return false;
        }
        next += cni_rows_of_share(r, share);
    }
    return true;
}

/* What moves together: of the array, and of the rows that places have. */
static void pieces_of(rows *r, int nindex)
{
    int64_t row = cni_element_count(r->array_g.ndim - nindex, r->array_g.shape + nindex);
    r->piece = cni_row_piece(&r->array_g, nindex, cni_joint_layout(r->j, r->array));
    if (r->own != r->index) {
        int64_t own = cni_row_piece(&r->own_g, r->index_g.ndim, cni_joint_layout(r->j, r->own));
        if (own < row && r->own_g.ndim > r->index_g.ndim + 1) { /* boxes of places end where the last axis does */
            own = cni_gcd(own, r->own_g.shape[r->own_g.ndim - 1]);
        }
        bool gaps = r->array_g.strides[nindex - 1] != row * r->array_g.itemsize; /* shares have whole rows */
        r->piece = gaps ? r->piece : cni_gcd(r->piece, own);
        r->moved = r->piece * r->own_g.itemsize;
    }
    r->pieces = row / r->piece;
    r->row = r->piece * r->array_g.itemsize;
    r->step = r->pieces > 1 ? r->row : r->array_g.strides[nindex - 1];
    r->count = cni_element_count(nindex, r->array_g.shape) * r->pieces;
}

/* Rounds of as many as all others may ask of one place; of what is applied, as many as there are of all. */
static void rounds_of(rows *r)
{
    int64_t most = 1;
    for (uint32_t i = 0; i < r->j->shared->nshares; i++) {
        int64_t n = cni_rows_of_share(r, &r->j->shared->shares[i]);
        most = n > most ? n : most;
        r->total += n;
    }
    most = r->applies && r->total > 0 ? r->total : most;
    r->round =
        (r->j->direct ? DIRECT_BYTES : HEARD_BYTES) / ((r->applies ? 1 : r->j->world->places) * (r->moved + r->item));
    r->round = r->round < 1 ? 1 : r->round < most ? r->round : most;
    r->rounds = (most + r->round - 1) / r->round;
}

cni_rows cni_rows_of(const cni_joint *j)
{
    const cni_op *op = &j->window->ops[j->part->op];
    rows r = {.j = j, .puts = op->kind != CNI_GATHER, .applies = op->kind == CNI_APPLY};
    r.array = r.puts ? 0 : 1;
    r.index = r.puts ? 1 : 2;
    r.own = !r.puts ? 0 : j->part->naccess > 2 ? 2 : 1; /* an op of one operand has no rows */
    r.array_g = cni_window_geometry(j->window, j->part->access[r.array].view);
    r.index_g = cni_window_geometry(j->window, j->part->access[r.index].view);
    r.own_g = cni_window_geometry(j->window, j->part->access[r.own].view);
    r.item = (r.puts && !r.applies ? 2 : 1) * (int64_t)sizeof(int64_t);
    pieces_of(&r, op->parameter);
    rounds_of(&r);
    /* a device sends what it puts in any order */
    r.orders = r.puts && !r.applies && (cni_settings[CNI_SETTING_GPU] != 0 || r.rounds > 1 || !in_order(&r));
    return r;
}

/* Room for the rows of a round; and, where rows are put, for the number of the last one put into each. */
void cni_rows_room(const cni_joint *j, int64_t *asked, int64_t *heard, int64_t *scratch)
{
    (void)scratch;
    rows r = cni_rows_of(j);
    int64_t from_all = r.applies ? r.round : r.round * j->world->places;
    *asked = r.round * (r.moved + r.item);
    *heard = (from_all < r.total ? from_all : r.total) * (r.moved + r.item);
    *asked = (*asked + 7) / 8 * 8 + (r.orders ? r.count * (int64_t)sizeof(int64_t) : 0);
}

/* The first of the array's pieces that begin at or behind the place's first byte. */
int64_t cni_rows_owned_from(const rows *r, int place)
{
    const cni_layout *layout = cni_joint_layout(r->j, r->array);
    int64_t begin = cni_layout_begin(layout, place) - r->array_g.offset;
    int64_t first = begin <= 0 ? 0 : (begin + r->step - 1) / r->step;
    return place >= layout->places || first > r->count ? r->count : first;
}

static int owner_of(const rows *r, int64_t row)
{
    return cni_layout_owner(cni_joint_layout(r->j, r->array), r->array_g.offset + row * r->step);
}

/* ---- Walking ---- */

static walk walk_at(const rows *r, int local, const cni_share *share, int64_t place)
{
    walk w = {.r = r,
              .share = share,
              .indices = cni_joint_data(r->j, r->index, local),
              .own = cni_joint_data(r->j, r->own, local)};
    while (w.box + 1 < share->nboxes && place >= box_rows(r, share, w.box)) {
        place -= box_rows(r, share, w.box++);
    }
    const cni_box *b = cni_share_box(share, w.box, r->index);
    box_pieces(r, share, w.box, &w.first, &w.end);
    w.piece = w.first + place % (w.end - w.first);
    place /= w.end - w.first;
    for (int d = r->index_g.ndim - 1; d >= 0; d--) {
        int64_t extent = b->stop[d] - b->start[d];
        w.index[d] = b->start[d] + place % extent;
        place /= extent;
    }
    return w;
}

static void walk_on(walk *w)
{
    if (++w->piece < w->end) {
        return;
    }
    const cni_box *b = cni_share_box(w->share, w->box, w->r->index);
    int d = w->r->index_g.ndim - 1;
    while (d >= 0 && ++w->index[d] == b->stop[d]) {
        w->index[d] = b->start[d];
        d--;
    }
    if (d < 0 && w->box + 1 < w->share->nboxes) {
        memcpy(w->index, cni_share_box(w->share, ++w->box, w->r->index)->start, sizeof w->index);
        box_pieces(w->r, w->share, w->box, &w->first, &w->end);
    }
    w->piece = w->first;
}

static int64_t number_at(const walk *w)
{
    const cni_geometry *g = &w->r->index_g;
    int64_t row = *(const int64_t *)(const void *)(w->indices + cni_offset_of(g->ndim, g->strides, w->index));
    return row * w->r->pieces + w->piece;
}

static char *own_at(const walk *w)
{
    return w->own + cni_offset_of(w->r->index_g.ndim, w->r->own_g.strides, w->index) + w->piece * w->r->moved;
}

/* The number of the row at hand in program order. */
static int64_t order_at(const walk *w)
{
    int64_t order = 0;
    for (int d = 0; d < w->r->index_g.ndim; d++) {
        order = order * w->r->index_g.shape[d] + w->index[d];
    }
    return order;
}

/* Pieces of all shares before this one. */
static int64_t rows_before(const rows *r, const cni_share *share)
{
    int64_t before = 0;
    for (const cni_share *s = r->j->shared->shares; s < share; s++) {
        before += cni_rows_of_share(r, s);
    }
    return before;
}

/* Pieces [first, first + count) of the share in this round: rounds of what is applied go through all shares. */
int64_t cni_rows_of_round(const rows *r, const cni_share *share, int64_t round, int64_t *first)
{
    int64_t total = cni_rows_of_share(r, share), from = round * r->round, to = from + r->round;
    if (r->applies && total > 0) {
        int64_t before = rows_before(r, share);
        from -= before;
        to -= before;
    }
    *first = from > 0 ? from : 0;
    to = to < total ? to : total;
    return to > *first ? to - *first : 0;
}

/* ---- Asking ---- */

static void ask(const rows *r, int local, int64_t round)
{
    const cni_alltoall *x = r->j->moves;
    const cni_share *share = cni_joint_share(r->j, local);
    int64_t first, n = cni_rows_of_round(r, share, round, &first);
    memset(x->sent[local], 0, (size_t)x->world->places * sizeof **x->sent);
    if (n == 0) {
        return;
    }
    walk w = walk_at(r, local, share, first);
    for (int64_t i = 0; i < n; i++, walk_on(&w)) {
        x->sent[local][owner_of(r, number_at(&w))]++;
    }
    int64_t *marks = cni_alltoall_marks(x, local);
    w = walk_at(r, local, share, first);
    for (int64_t i = 0; i < n; i++, walk_on(&w)) {
        int64_t number = number_at(&w), at = marks[owner_of(r, number)]++;
        int64_t *item = (int64_t *)(void *)(x->asked[local] + at * r->item);
        item[0] = number;
        if (r->puts && !r->applies) {
            item[1] = order_at(&w);
        }
        if (r->puts) {
            memcpy(x->asked[local] + r->round * r->item + at * r->moved, own_at(&w), (size_t)r->moved);
        }
    }
}

/* Where rows begin behind their numbers. */
int64_t cni_rows_heard_at(const rows *r)
{
    return (r->j->moves->heard_bytes - 1) / (r->moved + r->item) * r->item;
}

/* ---- Gather ---- */

static void answer(const rows *r, int local)
{
    const cni_alltoall *x = r->j->moves;
    const char *array = cni_joint_data(r->j, r->array, local);
    char *to = x->heard[local] + cni_rows_heard_at(r);
    const int64_t *numbers = (const int64_t *)(const void *)x->heard[local];
    for (int64_t i = 0, n = cni_alltoall_before(x, local, x->world->places); i < n; i++) {
        memcpy(to + i * r->row, array + numbers[i] * r->step, (size_t)r->row);
    }
}

static void take(const rows *r, int local, int64_t round)
{
    const cni_alltoall *x = r->j->moves;
    const cni_share *share = cni_joint_share(r->j, local);
    int64_t first, n = cni_rows_of_round(r, share, round, &first);
    const char *from = x->asked[local] + r->round * r->item;
    if (n == 0) {
        return;
    }
    int64_t *marks = cni_alltoall_marks(x, local);
    walk w = walk_at(r, local, share, first);
    for (int64_t i = 0; i < n; i++, walk_on(&w)) {
        int64_t at = marks[owner_of(r, number_at(&w))]++;
        memcpy(own_at(&w), from + at * r->row, (size_t)r->row);
    }
}

cn_status cni_gather_run(const cni_joint *j)
{
    rows r = cni_rows_of(j);
    if (j->there != NULL) {
        return cni_rows_gather_there(&r);
    }
    for (int64_t round = 0; round < r.rounds; round++) {
        for (int k = 0; k < j->world->local; k++) {
            ask(&r, k, round);
        }
        CN_TRY(cni_alltoall_count(j->moves));
        CN_TRY(cni_alltoall_move(j->moves, false, 0, 0, r.item));
        for (int k = 0; k < j->world->local; k++) {
            answer(&r, k);
        }
        CN_TRY(cni_alltoall_move(j->moves, true, r.round * r.item, cni_rows_heard_at(&r), r.row));
        for (int k = 0; k < j->world->local; k++) {
            take(&r, k, round);
        }
    }
    return CN_OK;
}

/* ---- Scatter ---- */

/* By row of the array: the number of the last row put into it, -1 none; behind what is asked. */
static int64_t *last_of(const rows *r, int local)
{
    return (int64_t *)(void *)(r->j->moves->asked[local] + (r->round * (r->moved + r->item) + 7) / 8 * 8);
}

static void put(const rows *r, int local)
{
    const cni_alltoall *x = r->j->moves;
    char *array = cni_joint_data(r->j, r->array, local);
    const char *from = x->heard[local] + cni_rows_heard_at(r);
    const int64_t *items = (const int64_t *)(const void *)x->heard[local];
    int64_t *last = r->orders ? last_of(r, local) : NULL;
    for (int64_t i = 0, n = cni_alltoall_before(x, local, x->world->places); i < n; i++) {
        int64_t number = items[2 * i], order = items[2 * i + 1];
        if (last == NULL || order > last[number]) {
            memcpy(array + number * r->step, from + i * r->row, (size_t)r->row);
        }
        if (last != NULL && order > last[number]) {
            last[number] = order;
        }
    }
}

/* Asks of all places, and takes what they put. */
static cn_status put_round(const rows *r, int64_t round)
{
    const cni_joint *j = r->j;
    for (int k = 0; k < j->world->local; k++) {
        ask(r, k, round);
    }
    CN_TRY(cni_alltoall_count(j->moves));
    CN_TRY(cni_alltoall_move(j->moves, false, 0, 0, r->item));
    return r->moved > 0 ? cni_alltoall_move(j->moves, false, r->round * r->item, cni_rows_heard_at(r), r->moved)
                        : CN_OK;
}

cn_status cni_scatter_run(const cni_joint *j)
{
    rows r = cni_rows_of(j);
    if (j->there != NULL) {
        return cni_rows_scatter_there(&r);
    }
    for (int k = 0; k < j->world->local && r.orders; k++) {
        int64_t from = cni_rows_owned_from(&r, j->world->first + k),
                to = cni_rows_owned_from(&r, j->world->first + k + 1);
        memset(last_of(&r, k) + from, 0xFF, (size_t)(to - from) * sizeof(int64_t));
    }
    for (int64_t round = 0; round < r.rounds; round++) {
        CN_TRY(put_round(&r, round));
        for (int k = 0; k < j->world->local; k++) {
            put(&r, k);
        }
    }
    return CN_OK;
}

/* ---- ufunc.at ---- */

/* The pieces of the array and those that came, as what the op is applied to. */
static void apply(const rows *r, int local)
{
    int64_t n = cni_alltoall_before(r->j->moves, local, r->j->world->places);
    int64_t array_shape[2] = {r->count, r->piece}, array_strides[2] = {r->step, r->array_g.itemsize};
    int64_t own_shape[2] = {n, r->piece}, own_strides[2] = {r->moved, r->own_g.itemsize},
            step = (int64_t)sizeof(int64_t);
    int ndim = r->piece > 1 ? 2 : 1;
    const cni_view *views = r->j->window->views;
    const cni_access *access = r->j->part->access;
    cni_library_operand array = {.g = {ndim, r->array_g.itemsize, 0, array_shape, array_strides},
                                 .dtype = (cn_dtype)views[access[r->array].view].dtype,
                                 .data = cni_joint_data(r->j, r->array, local)};
    cni_library_operand values = {.g = {ndim, r->own_g.itemsize, 0, own_shape, own_strides},
                                  .dtype = (cn_dtype)views[access[r->own].view].dtype,
                                  .data = r->j->moves->heard[local] + cni_rows_heard_at(r)};
    cni_library_operand numbers = {.g = {1, step, 0, &n, &step}, .dtype = CN_INT64, .data = r->j->moves->heard[local]};
    cni_run run = {.window = r->j->window, .told = r->j->told};
    cni_apply_rows(r->j->part, &run, &array, r->moved > 0 ? &values : NULL, &numbers, 1);
}

cn_status cni_apply_run(const cni_joint *j)
{
    rows r = cni_rows_of(j);
    for (int64_t round = 0; round < r.rounds; round++) {
        CN_TRY(put_round(&r, round));
        for (int k = 0; k < j->world->local; k++) {
            apply(&r, k);
        }
    }
    return CN_OK;
}
