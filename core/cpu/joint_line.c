/* joint_line.c - see joint_line.h. */
#include "cpu/joint_line.h"

#include <string.h>

#include "base/status.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- Sides ---- */

static cni_line_span even_span(int64_t n, int place, int places)
{
    return (cni_line_span){cni_line_cut(n, place, places), cni_line_cut(n, place + 1, places)};
}

static void add_span(cni_line_side *s, cni_line_span points)
{
    cni_line_span x = {2 * points.begin, 2 * most(points.begin, points.end)};
    s->base[s->n] = s->n > 0 ? s->base[s->n - 1] + (s->at[s->n - 1].end - s->at[s->n - 1].begin) + 2 : 0;
    s->at[s->n++] = x;
}

static cni_line_side no_spans(void)
{
    return (cni_line_side){.wide = INT64_MAX, .high = INT64_MAX};
}

/* Numbers that the spans take. */
static int64_t side_room(const cni_line_side *s)
{
    return s->base[s->n - 1] + s->at[s->n - 1].end - (s->at[s->n - 1].begin & ~INT64_C(1)) + 4;
}

/* The line's elements that lie at a place. */
static cni_line_span elements_at(const cni_layout *layout, const cni_geometry *g, int axis, int64_t at, int64_t count,
                                 int place)
{
    if (layout == NULL) {
        return (cni_line_span){0, place == 0 ? count : 0};
    }
    int64_t ends[2], step = g->strides[axis];
    for (int i = 0; i < 2; i++) {
        int64_t bytes = cni_layout_begin(layout, place + i) - g->offset - at;
        ends[i] = bytes <= 0 ? 0 : least((bytes + step - 1) / step, count);
    }
    return (cni_line_span){ends[0], place + 1 == layout->places ? count : ends[1]};
}

static cni_line_span owned_in(const cni_line *f, int place)
{
    return elements_at(cni_joint_layout(f->j, 1), &f->in, f->axis, f->in_at, f->job.have, place);
}

cni_line_span cni_line_owned(const cni_line *f, int place)
{
    return elements_at(cni_joint_layout(f->j, 0), &f->out, f->axis, f->out_at, f->out.shape[f->axis], place);
}

void cni_line_in(const cni_line *f, int place, cni_line_side *s)
{
    cni_line_span own = owned_in(f, place);
    *s = no_spans();
    if (f->even && f->job.kind != CNI_FOURIER_REAL) {
        s->n = 1;
        s->at[0] = own;
        return;
    }
    add_span(s, own);
    if (!f->even && f->job.kind == CNI_FOURIER_REAL) { /* the other half is conjugate */
        add_span(s, (cni_line_span){most(f->n - own.end, f->n / 2) + 1, least(f->n - own.begin + 1, f->n)});
    }
}

void cni_line_even(const cni_line *f, int place, cni_line_side *s)
{
    *s = no_spans();
    if (f->even && f->job.kind == CNI_FOURIER_REAL) {
        int64_t h = f->n / 2;
        cni_line_span own = even_span(h + 1, place, f->places);
        add_span(s, own);
        add_span(s, (cni_line_span){h - own.end + 1, h - own.begin + 1});
    } else {
        add_span(s, even_span(f->size.points, place, f->places));
    }
}

void cni_line_points(const cni_line *f, int place, cni_line_side *s)
{
    cni_line_even(f, place, s);
    s->n = 1;
    s->at[0].end = least(s->at[0].end, 2 * f->size.points);
}

void cni_line_inner(const cni_line *f, int place, cni_line_side *s)
{
    *s = no_spans();
    add_span(s, even_span(f->size.inner, place, f->places));
}

void cni_line_columns(const cni_line *f, int place, cni_line_side *s)
{
    *s = (cni_line_side){.n = 1, .at = {{0, 2 * f->size.inner}}, .wide = 2 * f->columns};
    s->low = 2 * cni_line_cut(f->columns, place, f->places);
    s->high = 2 * cni_line_cut(f->columns, place + 1, f->places);
}

void cni_line_rows(const cni_line *f, int place, cni_line_side *s)
{
    *s = (cni_line_side){.n = 1, .at = {{0, 2 * f->size.inner}}, .wide = 2 * f->rows};
    s->low = 2 * cni_line_cut(f->rows, place, f->places);
    s->high = 2 * cni_line_cut(f->rows, place + 1, f->places);
}

void cni_line_halves(const cni_line *f, int place, cni_line_span *direct, cni_line_span *conjugate)
{
    int64_t half = f->n / 2;
    cni_line_span own = cni_line_owned(f, place);
    *direct = (cni_line_span){own.begin, most(own.begin, least(own.end, half + 1))};
    *conjugate = (cni_line_span){f->n - own.end + 1, f->n - most(own.begin, half + 1) + 1};
    if (conjugate->end <= conjugate->begin) {
        *conjugate = (cni_line_span){0, 0};
    }
}

void cni_line_out(const cni_line *f, int place, cni_line_side *s)
{
    cni_line_span own = cni_line_owned(f, place), parts[2];
    int64_t h = f->n / 2;
    *s = no_spans();
    if (f->job.kind == CNI_FOURIER_COMPLEX || f->job.kind == CNI_FOURIER_REAL) {
        add_span(s, f->even ? (cni_line_span){own.begin / 2, (own.end + 1) / 2} : own);
        return;
    }
    cni_line_halves(f, place, &parts[0], &parts[1]);
    for (int i = 0; i < 2; i++) {
        if (f->even && parts[i].begin < parts[i].end) {
            add_span(s, (cni_line_span){parts[i].begin, least(parts[i].end, h)});
            add_span(s, (cni_line_span){h - parts[i].end + 1, least(h - parts[i].begin + 1, h)});
        } else if (f->even) {
            add_span(s, (cni_line_span){0, 0});
            add_span(s, (cni_line_span){0, 0});
        } else {
            add_span(s, parts[i]);
        }
    }
}

/* What it sends goes to as many places as have spans for it. */
int64_t cni_line_room(const cni_line *f, int place)
{
    cni_line_side in, even, inner, out;
    cni_line_in(f, place, &in), cni_line_even(f, place, &even), cni_line_inner(f, place, &inner),
        cni_line_out(f, place, &out);
    int64_t taken = most(most(side_room(&in) * even.n, side_room(&even)), most(side_room(&inner), side_room(&out)));
    return most(taken, f->strip / CNI_LINE_NUMBER * out.n);
}

/* ---- Exchanges ---- */

typedef enum walk_action { COUNT, PACK, UNPACK } walk_action;

static int64_t number_at(const cni_line_side *s, int i, int64_t x)
{
    int64_t row = x / s->wide;
    return s->wide == INT64_MAX ? s->base[i] + x - (s->at[i].begin & ~INT64_C(1))
                                : row * (s->high - s->low) + x - row * s->wide - s->low;
}

/* What one side has and the other is to have, run by run. Returns how many numbers these are. */
static int64_t walk(const cni_line_side *from, const cni_line_side *to, walk_action action, double *memory,
                    double *packed)
{
    const cni_line_side *strip = from->wide < to->wide ? from : to;
    int64_t sum = 0;
    for (int i = 0; i < to->n * from->n; i++) {
        int t = i / from->n, s = i % from->n;
        int64_t low = most(from->at[s].begin, to->at[t].begin), high = least(from->at[s].end, to->at[t].end);
        for (int64_t row = low / strip->wide; low < high && row <= (high - 1) / strip->wide; row++) {
            int64_t begin = most(low, row * strip->wide + strip->low),
                    end = least(high, strip->wide == INT64_MAX ? high : row * strip->wide + strip->high);
            if (begin >= end) {
                continue;
            }
            size_t bytes = (size_t)(end - begin) * CNI_LINE_NUMBER;
            if (action == PACK) {
                memcpy(packed + sum, memory + number_at(from, s, begin), bytes);
            } else if (action == UNPACK) {
                memcpy(memory + number_at(to, t, begin), packed + sum, bytes);
            }
            sum += end - begin;
        }
    }
    return sum;
}

static void swap_memory(cni_alltoall *x)
{
    for (int k = 0; k < x->world->local; k++) {
        char *asked = x->asked[k];
        x->asked[k] = x->heard[k];
        x->heard[k] = asked;
    }
}

cn_status cni_line_exchange(const cni_line *f, cni_line_side_of from, cni_line_side_of to, bool clear)
{
    cni_alltoall *x = f->j->moves;
    int me = x->world->first;
    cni_line_side a, b;
    for (int k = 0; k < x->world->local; k++) {
        double *packed = cni_line_numbers(x->heard[k]);
        for (int place = 0; place < f->places; place++) {
            from(f, place, &a), to(f, me + k, &b);
            x->received[k][place] = walk(&a, &b, COUNT, NULL, NULL);
            from(f, me + k, &a), to(f, place, &b);
            x->sent[k][place] = walk(&a, &b, PACK, cni_line_numbers(x->asked[k]), packed);
            packed += x->sent[k][place];
        }
    }
    swap_memory(x);
    CN_TRY(cni_alltoall_move(x, false, 0, 0, CNI_LINE_NUMBER));
    for (int k = 0; k < x->world->local; k++) {
        double *packed = cni_line_numbers(x->heard[k]);
        to(f, me + k, &b);
        if (clear) {
            memset(x->asked[k], 0, (size_t)x->asked_bytes);
        }
        for (int place = 0; place < f->places; place++) {
            from(f, place, &a);
            packed += walk(&a, &b, UNPACK, cni_line_numbers(x->asked[k]), packed);
        }
    }
    return CN_OK;
}

cn_status cni_line_exchange_rows(const cni_line *f)
{
    cni_alltoall *x = f->j->moves;
    for (int k = 0; k < x->world->local; k++) {
        cni_line_side mine_columns, mine_rows, rows, columns;
        cni_line_columns(f, x->world->first + k, &mine_columns), cni_line_rows(f, x->world->first + k, &mine_rows);
        for (int place = 0; place < f->places; place++) {
            cni_line_columns(f, place, &columns), cni_line_rows(f, place, &rows);
            x->sent[k][place] = (rows.high - rows.low) * (mine_columns.high - mine_columns.low) / 2;
            x->received[k][place] = (mine_rows.high - mine_rows.low) * (columns.high - columns.low) / 2;
        }
    }
    return cni_alltoall_move(x, false, 0, 0, CNI_LINE_NUMBER);
}
