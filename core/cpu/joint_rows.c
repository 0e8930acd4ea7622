/*
 * joint_rows.c - rows by index of an array that is spread: each place asks the owners for its rows, or sends them rows.
 *
 *   asked   | row numbers, owner by owner | rows, in the same order |        in rounds of so many rows that what all
 *   heard   | row numbers, from place to place | rows, likewise     |        others may ask of one place has room
 *
 * Rows that are put carry their number in program order: the last of equal ones wins, whatever round it comes in.
 */
#include <string.h>

#include "base/status.h"

#include "cpu/joint_ops.h"
#include "cpu/library.h"

enum { HEARD_BYTES = 1 << 24, ROWS_LEAST = 64 };

/* Operands: the array that is spread, the indices, and the rows that places have. */
typedef struct rows {
    const cni_joint *j;
    uint32_t array, index, own;
    cni_geometry array_g, index_g, own_g;
    int64_t row, step;     /* bytes: of a row, and from row to row of the array */
    int64_t count;         /* rows of the array */
    int64_t item;          /* bytes that an asked row needs beside itself */
    int64_t round, rounds; /* rows of a round */
    bool puts, orders;     /* puts come in another order than the program's */
} rows;

/* A place in the share's index boxes: rows come one after the other. */
typedef struct walk {
    const rows *r;
    const cni_share *share;
    int box;
    int64_t index[CNI_LATTICE_DIMS];
    char *indices, *own;
} walk;

static int64_t box_rows(const rows *r, const cni_share *share, int box)
{
    const cni_box *b = cni_share_box(share, box, r->index);
    int64_t count = 1;
    for (int d = 0; d < r->index_g.ndim; d++) {
        count *= b->stop[d] - b->start[d];
    }
    return count;
}

static int64_t share_rows(const rows *r, const cni_share *share)
{
    int64_t count = 0;
    for (int box = 0; share != NULL && box < share->nboxes; box++) {
        count += box_rows(r, share, box);
    }
    return count;
}

/* Do the shares, one after the other, have the rows in program order? */
static bool in_order(const rows *r)
{
    int64_t next = 0;
    for (uint32_t i = 0; i < r->j->shared->nshares; i++) {
        const cni_share *share = &r->j->shared->shares[i];
        for (int box = 0; box < share->nboxes; box++) {
            int64_t first = 0;
            for (int d = 0; d < r->index_g.ndim; d++) {
                first = first * r->index_g.shape[d] + cni_share_box(share, box, r->index)->start[d];
            }
            if (first != next) {
                return false;
            }
            next += box_rows(r, share, box);
        }
    }
    return true;
}

static rows rows_of(const cni_joint *j)
{
    const cni_op *op = &j->window->ops[j->part->op];
    rows r = {.j = j, .puts = op->kind == CNI_SCATTER};
    r.array = r.puts ? 0 : 1;
    r.index = r.puts ? 1 : 2;
    r.own = r.puts ? 2 : 0;
    r.array_g = cni_window_geometry(j->window, j->part->access[r.array].view);
    r.index_g = cni_window_geometry(j->window, j->part->access[r.index].view);
    r.own_g = cni_window_geometry(j->window, j->part->access[r.own].view);
    int nindex = op->parameter;
    r.row = r.array_g.itemsize * cni_element_count(r.array_g.ndim - nindex, r.array_g.shape + nindex);
    r.step = r.array_g.strides[nindex - 1];
    r.count = cni_element_count(nindex, r.array_g.shape);
    r.item = r.puts ? 2 * (int64_t)sizeof(int64_t) : (int64_t)sizeof(int64_t);
    int64_t most = 1;
    for (uint32_t i = 0; i < j->shared->nshares; i++) {
        int64_t n = share_rows(&r, &j->shared->shares[i]);
        most = n > most ? n : most;
    }
    r.round = HEARD_BYTES / (j->world->places * (r.row + r.item));
    r.round = r.round < ROWS_LEAST ? ROWS_LEAST : r.round;
    r.round = r.round < most ? r.round : most;
    r.rounds = (most + r.round - 1) / r.round;
    r.orders = r.puts && (r.rounds > 1 || !in_order(&r));
    return r;
}

/* Room for the rows of a round; and, where rows are put, for the number of the last one put into each. */
void cni_rows_room(const cni_joint *j, int64_t *asked, int64_t *heard, int64_t *scratch)
{
    (void)scratch;
    rows r = rows_of(j);
    int64_t total = cni_element_count(r.index_g.ndim, r.index_g.shape), from_all = r.round * j->world->places;
    *asked = r.round * (r.row + r.item);
    *heard = (from_all < total ? from_all : total) * (r.row + r.item);
    *asked = (*asked + 7) / 8 * 8 + (r.orders ? r.count * (int64_t)sizeof(int64_t) : 0);
}

/* The first of the array's rows that begin at or behind the place's first byte. */
static int64_t owned_from(const rows *r, int place)
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
    for (int d = r->index_g.ndim - 1; d >= 0; d--) {
        int64_t extent = b->stop[d] - b->start[d];
        w.index[d] = b->start[d] + place % extent;
        place /= extent;
    }
    return w;
}

static void walk_on(walk *w)
{
    const cni_box *b = cni_share_box(w->share, w->box, w->r->index);
    int d = w->r->index_g.ndim - 1;
    while (d >= 0 && ++w->index[d] == b->stop[d]) {
        w->index[d] = b->start[d];
        d--;
    }
    if (d < 0 && w->box + 1 < w->share->nboxes) {
        memcpy(w->index, cni_share_box(w->share, ++w->box, w->r->index)->start, sizeof w->index);
    }
}

static int64_t number_at(const walk *w)
{
    const cni_geometry *g = &w->r->index_g;
    return *(const int64_t *)(const void *)(w->indices + cni_offset_of(g->ndim, g->strides, w->index));
}

static char *own_at(const walk *w)
{
    return w->own + cni_offset_of(w->r->index_g.ndim, w->r->own_g.strides, w->index);
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

/* Rows [first, first + count) of the share in this round. */
static int64_t round_rows(const rows *r, const cni_share *share, int64_t round, int64_t *first)
{
    int64_t total = share_rows(r, share), left = total - round * r->round;
    *first = round * r->round;
    return left < 0 ? 0 : left < r->round ? left : r->round;
}

/* ---- Asking ---- */

/* Where the next row for each place goes in what is asked, kept in what was received so far: it is not needed yet. */
static void marks_set(const cni_alltoall *x, int local, int64_t *marks)
{
    int64_t at = 0;
    for (int place = 0; place < x->world->places; place++) {
        marks[place] = at;
        at += x->sent[local][place];
    }
}

static void ask(const rows *r, int local, int64_t round)
{
    const cni_alltoall *x = r->j->moves;
    const cni_share *share = cni_joint_share(r->j, local);
    int64_t first, n = round_rows(r, share, round, &first), *marks = x->received[local];
    memset(x->sent[local], 0, (size_t)x->world->places * sizeof **x->sent);
    if (n == 0) {
        return;
    }
    walk w = walk_at(r, local, share, first);
    for (int64_t i = 0; i < n; i++, walk_on(&w)) {
        x->sent[local][owner_of(r, number_at(&w))]++;
    }
    marks_set(x, local, marks);
    w = walk_at(r, local, share, first);
    for (int64_t i = 0; i < n; i++, walk_on(&w)) {
        int64_t number = number_at(&w), at = marks[owner_of(r, number)]++;
        int64_t *item = (int64_t *)(void *)(x->asked[local] + at * r->item);
        item[0] = number;
        if (r->puts) {
            item[1] = order_at(&w);
            memcpy(x->asked[local] + r->round * r->item + at * r->row, own_at(&w), (size_t)r->row);
        }
    }
}

static int64_t heard_rows(const cni_alltoall *x, int local)
{
    int64_t n = 0;
    for (int place = 0; place < x->world->places; place++) {
        n += x->received[local][place];
    }
    return n;
}

/* Where rows begin behind their numbers. */
static int64_t heard_at(const rows *r)
{
    return (r->j->moves->heard_bytes - 1) / (r->row + r->item) * r->item;
}

/* ---- Gather ---- */

static void answer(const rows *r, int local)
{
    const cni_alltoall *x = r->j->moves;
    const char *array = cni_joint_data(r->j, r->array, local);
    char *to = x->heard[local] + heard_at(r);
    const int64_t *numbers = (const int64_t *)(const void *)x->heard[local];
    for (int64_t i = 0, n = heard_rows(x, local); i < n; i++) {
        memcpy(to + i * r->row, array + numbers[i] * r->step, (size_t)r->row);
    }
}

static void take(const rows *r, int local, int64_t round)
{
    const cni_alltoall *x = r->j->moves;
    const cni_share *share = cni_joint_share(r->j, local);
    int64_t first, n = round_rows(r, share, round, &first), *marks = x->received[local];
    const char *from = x->asked[local] + r->round * r->item;
    if (n == 0) {
        return;
    }
    marks_set(x, local, marks);
    walk w = walk_at(r, local, share, first);
    for (int64_t i = 0; i < n; i++, walk_on(&w)) {
        int64_t at = marks[owner_of(r, number_at(&w))]++;
        memcpy(own_at(&w), from + at * r->row, (size_t)r->row);
    }
}

cn_status cni_gather_run(const cni_joint *j)
{
    rows r = rows_of(j);
    for (int64_t round = 0; round < r.rounds; round++) {
        for (int k = 0; k < j->world->local; k++) {
            ask(&r, k, round);
        }
        CN_TRY(cni_alltoall_count(j->moves));
        CN_TRY(cni_alltoall_move(j->moves, false, 0, 0, r.item));
        for (int k = 0; k < j->world->local; k++) {
            answer(&r, k);
        }
        CN_TRY(cni_alltoall_move(j->moves, true, r.round * r.item, heard_at(&r), r.row));
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
    return (int64_t *)(void *)(r->j->moves->asked[local] + (r->round * (r->row + r->item) + 7) / 8 * 8);
}

static void put(const rows *r, int local)
{
    const cni_alltoall *x = r->j->moves;
    char *array = cni_joint_data(r->j, r->array, local);
    const char *from = x->heard[local] + heard_at(r);
    const int64_t *items = (const int64_t *)(const void *)x->heard[local];
    int64_t *last = r->orders ? last_of(r, local) : NULL;
    for (int64_t i = 0, n = heard_rows(x, local); i < n; i++) {
        int64_t number = items[2 * i], order = items[2 * i + 1];
        if (last == NULL || order > last[number]) {
            memcpy(array + number * r->step, from + i * r->row, (size_t)r->row);
        }
        if (last != NULL && order > last[number]) {
            last[number] = order;
        }
    }
}

cn_status cni_scatter_run(const cni_joint *j)
{
    rows r = rows_of(j);
    for (int k = 0; k < j->world->local && r.orders; k++) {
        int64_t from = owned_from(&r, j->world->first + k), to = owned_from(&r, j->world->first + k + 1);
        memset(last_of(&r, k) + from, 0xFF, (size_t)(to - from) * sizeof(int64_t));
    }
    for (int64_t round = 0; round < r.rounds; round++) {
        for (int k = 0; k < j->world->local; k++) {
            ask(&r, k, round);
        }
        CN_TRY(cni_alltoall_count(j->moves));
        CN_TRY(cni_alltoall_move(j->moves, false, 0, 0, r.item));
        CN_TRY(cni_alltoall_move(j->moves, false, r.round * r.item, heard_at(&r), r.row));
        for (int k = 0; k < j->world->local; k++) {
            put(&r, k);
        }
    }
    return CN_OK;
}

/* ---- By op ---- */

typedef struct joint_row {
    void (*room)(const cni_joint *joint, int64_t *asked, int64_t *heard, int64_t *scratch);
    cn_status (*run)(const cni_joint *joint);
} joint_row;

static const joint_row ops[CNI_KIND_COUNT] = {[CNI_GATHER] = {cni_rows_room, cni_gather_run},
                                              [CNI_SCATTER] = {cni_rows_room, cni_scatter_run},
                                              [CNI_NONZERO] = {cni_select_room, cni_select_run},
                                              [CNI_COMPRESS] = {cni_select_room, cni_select_run},
                                              [CNI_SORT] = {cni_sorted_room, cni_sorted_run},
                                              [CNI_ARGSORT] = {cni_sorted_room, cni_sorted_run},
                                              [CNI_PARTITION] = {cni_sorted_room, cni_sorted_run}};

void cni_joint_room(const cni_joint *j, int64_t *asked, int64_t *heard, int64_t *scratch)
{
    *scratch = 0;
    ops[j->window->ops[j->part->op].kind].room(j, asked, heard, scratch);
}

cn_status cni_joint_run(const cni_joint *j)
{
    return ops[j->window->ops[j->part->op].kind].run(j);
}
