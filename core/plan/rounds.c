/* rounds.c - see rounds.h. */
#include "plan/rounds.h"

#include <string.h>

#include "base/memory.h"
#include "plan/cuts.h"

/*
 * Beside spread_bytes, above which arrays are spread: panels of less than so many times as much are not worth a round, nor
 * results of less elements, which do not fill a GPU; more than MOST_BYTES is asked of nobody's memory for such reasons.
 */
enum { LEAST_BYTES = 16, LEAST_RESULT = 4, MOST_BYTES = 256 };

/* Rounds at least, where there is enough for each: what the first one brings is waited for. */
enum { LEAST_ROUNDS = 8 };

/* ---- Whether, and how many ---- */

/* Do all boxes of all places need the whole operand? */
static bool needed_whole(const cni_shared_part *shared, int k, const cni_geometry *g)
{
    if (shared->cut != NULL) {
        return shared->cut->follows[k] < 0;
    }
    for (uint32_t i = 0; i < shared->nshares; i++) {
        for (int b = 0; b < shared->shares[i].nboxes; b++) {
            const cni_box *box = cni_share_box(&shared->shares[i], b, (uint32_t)k);
            if (box->stop[0] - box->start[0] != g->shape[0] || box->stop[1] - box->start[1] != g->shape[1]) {
                return false;
            }
        }
    }
    return true;
}

/* The operand that places need whole, of two dimensions, one of which the result has; its elements upwards in memory. */
static bool find_operand(const cni_operands *o, const cni_work_axes *axes, const cni_shared_part *shared, cni_rounds *r,
                         cni_order *order)
{
    for (int k = 1; k < o->n; k++) {
        if (!o->array[k] || !o->spread[k] || o->g[k].ndim != 2 || !needed_whole(shared, k, &o->g[k])) {
            continue;
        }
        for (int d = 0; d < 2; d++) {
            int axis = axes->follows[k][d];
            if (axis >= 0 && !axes->uncut[axis] && cni_geometry_order(&o->g[k], order) && order->n == 2 &&
                !order->down[0] && !order->down[1]) {
                r->access = (uint32_t)k;
                r->dim = d;
                r->across = axis;
                return true;
            }
        }
    }
    return false;
}

static int64_t most_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* How many panels. */
static int count_of(const cni_partitioning *p, const cni_operands *o, const cni_work_axes *axes, const cni_rounds *r)
{
    int64_t unit = p->request->spread_bytes, inner = o->g[r->access].shape[1 - r->dim];
    int64_t column = inner * o->g[r->access].itemsize; /* bytes */
    int64_t rows = most_of(cni_element_count(o->g[0].ndim, o->g[0].shape) / r->extent / p->places, 1);
    int64_t worth = most_of(LEAST_BYTES * unit / column, LEAST_RESULT * unit / rows), most = MOST_BYTES * unit / column;
    int64_t same_bits = axes->least / (rows * inner) + 1;
    worth = most_of(worth < most ? worth : most, same_bits);
    int64_t least = (worth + r->piece - 1) / r->piece * r->piece, wanted = most_of(2 * p->places, LEAST_ROUNDS);
    return (int)(r->extent / least < wanted ? r->extent / least : wanted);
}

/* ---- Panels ---- */

/* Where a panel begins; that behind the last, where all end. */
static int64_t border(const cni_rounds *r, int panel)
{
    return panel < r->n ? r->extent / r->piece * panel / r->n * r->piece : r->extent;
}

static int first_panel(const cni_rounds *r, int place)
{
    int64_t begin = cni_layout_begin(r->layout, place) - r->low, index = begin > 0 ? begin / r->stride : 0;
    int panel = 0;
    while (r->turned && panel + 1 < r->n && border(r, panel + 1) <= index) {
        panel++;
    }
    return panel;
}

void cni_rounds_panel(const cni_rounds *r, int place, int round, int64_t *from, int64_t *to)
{
    int panel = (first_panel(r, place) + round) % r->n;
    *from = border(r, panel);
    *to = border(r, panel + 1);
}

void cni_rounds_view(const cni_rounds *r, const cni_geometry *operand, int64_t count, int64_t *strides)
{
    int64_t size = operand->itemsize, other = operand->shape[1 - r->dim];
    strides[r->dim] = r->turned ? other * size : size;
    strides[1 - r->dim] = r->turned ? size : count * size;
}

/* ---- What moves ---- */

typedef struct maker {
    cni_partitioning *p;
    const cni_shared_part *shared;
    const cni_order *order;
    int64_t itemsize;
    cni_rounds *r;
    cni_transfer *items[2]; /* from place to place; own */
    size_t count[2], capacity[2];
    uint32_t *begin[2];
    bool no_memory;
} maker;

static void add(maker *m, int to, int from, int round, const cni_region *region, int64_t at)
{
    int own = from == to;
    if (!cni_grow((void **)&m->items[own], &m->capacity[own], m->count[own] + 1, sizeof *m->items[own])) {
        m->no_memory = true;
        return;
    }
    m->items[own][m->count[own]++] = (cni_transfer){.slot = m->r->slot,
                                                    .from = from,
                                                    .to = to,
                                                    .region = *region,
                                                    .panel = 1 + (uint32_t)round % CNI_PANELS,
                                                    .packed = !m->r->turned,
                                                    .at = at};
}

/* What `from` has of the panel. */
static void add_pieces(maker *m, const cni_geometry *panel, int to, int from, int round)
{
    int64_t low = cni_layout_begin(m->r->layout, from), high = cni_layout_begin(m->r->layout, from + 1);
    cni_box boxes[CNI_CUT_BOXES];
    int n = cni_geometry_cut(panel, low, high, boxes);
    m->p->looked++;
    for (int i = 0; i < n && !m->no_memory; i++) {
        cni_region region;
        cni_region_make(panel, &boxes[i], &region);
        int64_t index = boxes[i].start[0] * panel->shape[1] + boxes[i].start[1];
        add(m, to, from, round, &region, index * m->itemsize);
    }
}

/* The place's panel of a round, in the order of its elements; works: it multiplies too. */
static void add_panel(maker *m, int place, int round, bool works)
{
    const cni_order *o = m->order;
    int64_t from, to, shape[2] = {o->shape[0], o->shape[1]}, strides[2] = {o->stride[0], o->stride[1]};
    int cut = o->dim[0] == m->r->dim ? 0 : 1, low, high;
    bool local = cni_partition_local(m->p, place);
    cni_rounds_panel(m->r, place, round, &from, &to);
    shape[cut] = to - from;
    cni_geometry panel = {2, (int32_t)m->itemsize, o->base + from * strides[cut], shape, strides};
    int64_t first, end;
    cni_geometry_range(&panel, &first, &end);
    low = cni_layout_owner(m->r->layout, first);
    high = cni_layout_owner(m->r->layout, end - 1) + 1;
    low = !local && low < m->p->first ? m->p->first : low;
    high = !local && high > m->p->end ? m->p->end : high;
    for (int q = low; q < high; q++) {
        if (works || (q == place && !m->r->turned)) { /* who has no share may have pieces for others */
            add_pieces(m, &panel, place, q, round);
        }
    }
}

static bool works(const maker *m, int place)
{
    cni_share share;
    cni_box boxes[CNI_OP_ARGS];
    if (m->shared->cut != NULL) {
        return cni_share_at(m->p, m->shared, place, &share, boxes);
    }
    for (uint32_t i = 0; i < m->shared->nshares; i++) {
        if (m->shared->shares[i].place == place) {
            return true;
        }
    }
    return false;
}

static bool add_rounds(maker *m)
{
    for (int i = 0; i < 2; i++) {
        m->begin[i] = cni_arena_alloc(m->p->arena, ((size_t)m->r->n + 1) * sizeof *m->begin[i]);
        if (m->begin[i] == NULL) {
            return false;
        }
    }
    for (int round = 0; round < m->r->n; round++) {
        m->begin[0][round] = (uint32_t)m->count[0];
        m->begin[1][round] = (uint32_t)m->count[1];
        for (int place = 0; place < m->p->places; place++) {
            add_panel(m, place, round, works(m, place));
        }
    }
    m->begin[0][m->r->n] = (uint32_t)m->count[0];
    m->begin[1][m->r->n] = (uint32_t)m->count[1];
    return !m->no_memory;
}

static bool transfers_make(maker *m)
{
    bool made = add_rounds(m);
    for (int i = 0; i < 2; i++) {
        cni_transfer *kept = made ? cni_arena_alloc(m->p->arena, (m->count[i] + 1) * sizeof *kept) : NULL;
        made = kept != NULL;
        if (made && m->count[i] > 0) {
            memcpy(kept, m->items[i], m->count[i] * sizeof *kept);
        }
        *(i == 0 ? &m->r->transfers : &m->r->own) = kept;
        *(i == 0 ? &m->r->begin : &m->r->own_begin) = m->begin[i];
        cni_free(m->items[i]);
    }
    return made;
}

bool cni_rounds_make(cni_partitioning *p, const cni_operands *o, const cni_work_axes *axes, cni_shared_part *out)
{
    cni_rounds r = {0};
    cni_order order;
    if (!axes->rounds || out->kind != CNI_SHARE_BOXES || !find_operand(o, axes, out, &r, &order)) {
        return true;
    }
    const cni_geometry *g = &o->g[r.access];
    r.extent = g->shape[r.dim];
    r.piece = axes->evenly;
    r.n = count_of(p, o, axes, &r);
    if (r.n < 2) {
        return true;
    }
    r.slot = out->part->access[r.access].slot;
    r.layout = o->layout[r.access];
    r.turned = order.dim[0] == r.dim;
    r.low = order.base;
    r.stride = g->strides[r.dim];
    for (int panel = 0; panel < r.n; panel++) {
        int64_t width = border(&r, panel + 1) - border(&r, panel);
        r.panel_bytes = most_of(r.panel_bytes, width * g->shape[1 - r.dim] * g->itemsize);
    }
    cni_rounds *kept = cni_arena_copy(p->arena, &r, sizeof r);
    out->rounds = kept;
    maker m = {.p = p, .shared = out, .order = &order, .itemsize = g->itemsize, .r = kept};
    return kept != NULL && transfers_make(&m);
}

/* ---- How much that is ---- */

/* Has the transfer's pair of places none before it in the round? */
static bool first_of_pair(const cni_transfer *begin, const cni_transfer *t)
{
    return t == begin || t[-1].from != t->from || t[-1].to != t->to; /* a pair's follow each other */
}

void cni_rounds_count(const cni_rounds *r, cni_partition *out)
{
    for (int round = 0; round < r->n; round++) {
        const cni_transfer *begin = r->transfers + r->begin[round], *end = r->transfers + r->begin[round + 1];
        for (const cni_transfer *t = begin; t < end; t++) {
            uint64_t size = (uint64_t)cni_region_size(&t->region);
            out->messages += first_of_pair(begin, t);
            out->message_bytes += size;
            out->root_bytes += t->to == 0 ? size : 0;
        }
    }
}
