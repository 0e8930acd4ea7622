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
#define UNIT_MOST ((int64_t)1 << 40) /* so that none of them is beyond 64 bits */

/* Rounds at least, where there is enough for each: what the first one brings is waited for. */
enum { LEAST_ROUNDS = 8 };

/* Panels from this width on end where GPUs' tiles do, of which none is then for a few columns alone. */
enum { WIDE = 1024, TILES = 256 };

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

/* Its elements go upwards in memory. */
static bool dense_of(const cni_operands *o, const cni_shared_part *shared, int k, int dim, cni_dense *out,
                     cni_order *order)
{
    if (!cni_geometry_order(&o->g[k], order) || order->n != 2 || order->down[0] || order->down[1]) {
        return false;
    }
    *out = (cni_dense){.access = (uint32_t)k,
                       .slot = shared->part->access[k].slot,
                       .dim = dim,
                       .turned = order->dim[0] == dim,
                       .layout = o->layout[k]};
    return true;
}

/* The operand that places need whole, of two dimensions, one of which the result has. */
static bool find_panels(const cni_operands *o, const cni_work_axes *axes, const cni_shared_part *shared, cni_rounds *r,
                        cni_order *order)
{
    for (int k = 1; k < o->n; k++) {
        if (!o->array[k] || !o->spread[k] || o->g[k].ndim != 2 || !needed_whole(shared, k, &o->g[k])) {
            continue;
        }
        for (int d = 0; d < 2; d++) {
            int axis = axes->follows[k][d];
            if (axis >= 0 && !axes->uncut[axis] && dense_of(o, shared, k, d, &r->panels, order)) {
                r->across = axis;
                return true;
            }
        }
    }
    return false;
}

/* The one of which places need columns, if all of them have rows. */
static bool find_other(const cni_operands *o, const cni_shared_part *shared, cni_rounds *r, cni_order *order)
{
    for (int k = 1; k < o->n && shared->cut != NULL; k++) {
        int dim = shared->cut->follows[k];
        if (o->array[k] && o->spread[k] && o->g[k].ndim == 2 && dim >= 0 &&
            dense_of(o, shared, k, dim, &r->other, order) && !r->other.turned) {
            return true;
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
    int64_t spread = p->request->spread_bytes, unit = spread < UNIT_MOST ? spread : UNIT_MOST;
    int64_t inner = o->g[r->panels.access].shape[1 - r->panels.dim];
    int64_t column = inner * o->g[r->panels.access].itemsize; /* bytes */
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
    int64_t begin = cni_layout_begin(r->panels.layout, place) - r->low, index = begin > 0 ? begin / r->stride : 0;
    int panel = 0;
    while (r->panels.turned && panel + 1 < r->n && border(r, panel + 1) <= index) {
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

void cni_dense_strides(const cni_dense *d, const cni_geometry *operand, int64_t count, int64_t *strides)
{
    int64_t size = operand->itemsize;
    strides[d->dim] = d->turned ? operand->shape[1 - d->dim] * size : size;
    strides[1 - d->dim] = d->turned ? size : count * size;
}

/* ---- What moves ---- */

typedef struct maker {
    cni_partitioning *p;
    const cni_shared_part *shared;
    cni_rounds *r;
    int64_t itemsize;
    cni_transfer *items[2]; /* from place to place; own */
    size_t count[2], capacity[2];
    uint32_t *begin[2];
    int exchange; /* at hand, */
    const cni_dense *dense;
    const cni_order *order;
    bool no_memory;
} maker;

static void add(maker *m, int to, int from, const cni_region *region, int64_t at)
{
    int own = from == to, panel = m->exchange < m->r->n ? m->exchange % CNI_PANELS : CNI_PANELS;
    if (!cni_grow((void **)&m->items[own], &m->capacity[own], m->count[own] + 1, sizeof *m->items[own])) {
        m->no_memory = true;
        return;
    }
    m->items[own][m->count[own]++] = (cni_transfer){.slot = m->dense->slot,
                                                    .from = from,
                                                    .to = to,
                                                    .region = *region,
                                                    .panel = 1 + (uint32_t)panel,
                                                    .packed = m->exchange < m->r->n && !m->dense->turned,
                                                    .at = at};
}

/* What `from` has of the elements, which are in their order in memory. */
static void add_pieces(maker *m, const cni_geometry *elements, int to, int from)
{
    const cni_layout *layout = m->dense->layout;
    cni_box boxes[CNI_CUT_BOXES];
    int n = cni_geometry_cut(elements, cni_layout_begin(layout, from), cni_layout_begin(layout, from + 1), boxes);
    m->p->looked++;
    for (int i = 0; i < n && !m->no_memory; i++) {
        cni_region region;
        cni_region_make(elements, &boxes[i], &region);
        int64_t index = boxes[i].start[0] * elements->shape[1] + boxes[i].start[1];
        add(m, to, from, &region, index * m->itemsize);
    }
}

/* The operand's elements from one number to another of its dimension, for the place; works: else it sends alone. */
static void add_dense(maker *m, int place, int64_t from, int64_t to, bool works)
{
    const cni_order *o = m->order;
    const cni_layout *layout = m->dense->layout;
    int cut = m->dense->turned ? 0 : 1;
    int64_t shape[2] = {o->shape[0], o->shape[1]}, strides[2] = {o->stride[0], o->stride[1]}, low, high;
    shape[cut] = to - from;
    cni_geometry elements = {2, (int32_t)m->itemsize, o->base + from * strides[cut], shape, strides};
    bool local = cni_partition_local(m->p, place), gives = m->exchange < m->r->n && !m->dense->turned;
    cni_geometry_range(&elements, &low, &high);
    int first = cni_layout_owner(layout, low), end = cni_layout_owner(layout, high - 1) + 1;
    first = !local && first < m->p->first ? m->p->first : first;
    end = !local && end > m->p->end ? m->p->end : end;
    for (int q = first; q < end; q++) {
        if (works || (q == place && gives)) {
            add_pieces(m, &elements, place, q);
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

static void add_panel(maker *m, int place)
{
    int64_t from, to;
    cni_rounds_panel(m->r, place, m->exchange, &from, &to);
    add_dense(m, place, from, to, works(m, place));
}

/* What a place needs of the other operand. */
static void add_other(maker *m, int place)
{
    cni_share share;
    cni_box boxes[CNI_OP_ARGS];
    if (cni_share_at(m->p, m->shared, place, &share, boxes)) {
        int64_t from = boxes[m->dense->access].start[m->dense->dim], to = boxes[m->dense->access].stop[m->dense->dim];
        int64_t nbytes = (to - from) * m->order->shape[0] * m->itemsize;
        m->r->other.nbytes = most_of(m->r->other.nbytes, nbytes);
        add_dense(m, place, from, to, true);
    }
}

static bool add_exchanges(maker *m, const cni_order *panels, const cni_order *other)
{
    for (int i = 0; i < 2; i++) {
        m->begin[i] = cni_arena_alloc(m->p->arena, ((size_t)m->r->exchanges + 1) * sizeof *m->begin[i]);
        if (m->begin[i] == NULL) {
            return false;
        }
    }
    for (m->exchange = 0; m->exchange <= m->r->exchanges; m->exchange++) {
        m->begin[0][m->exchange] = (uint32_t)m->count[0];
        m->begin[1][m->exchange] = (uint32_t)m->count[1];
        m->dense = m->exchange < m->r->n ? &m->r->panels : &m->r->other;
        m->order = m->exchange < m->r->n ? panels : other;
        for (int place = 0; place < m->p->places && m->exchange < m->r->exchanges; place++) {
            (m->exchange < m->r->n ? add_panel : add_other)(m, place);
        }
    }
    return !m->no_memory;
}

static bool transfers_make(maker *m, const cni_order *panels, const cni_order *other)
{
    bool made = add_exchanges(m, panels, other);
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
    cni_order panels, other;
    if (!axes->rounds || out->kind != CNI_SHARE_BOXES || !find_panels(o, axes, out, &r, &panels)) {
        return true;
    }
    const cni_geometry *g = &o->g[r.panels.access];
    r.extent = g->shape[r.panels.dim];
    r.piece = axes->evenly;
    r.n = count_of(p, o, axes, &r);
    r.piece = r.n > 0 && r.extent / r.n >= WIDE ? TILES : r.piece;
    if (r.n < 2) {
        return true;
    }
    r.low = panels.base;
    r.stride = g->strides[r.panels.dim];
    for (int panel = 0; panel < r.n; panel++) {
        int64_t width = border(&r, panel + 1) - border(&r, panel);
        r.panels.nbytes = most_of(r.panels.nbytes, width * g->shape[1 - r.panels.dim] * g->itemsize);
    }
    r.exchanges = r.n + find_other(o, out, &r, &other);
    cni_rounds *kept = cni_arena_copy(p->arena, &r, sizeof r);
    out->rounds = kept;
    maker m = {.p = p, .shared = out, .itemsize = g->itemsize, .r = kept};
    return kept != NULL && transfers_make(&m, &panels, &other);
}

/* ---- How much that is ---- */

/* Has the transfer's pair of places none before it in the round? */
static bool first_of_pair(const cni_transfer *begin, const cni_transfer *t)
{
    return t == begin || t[-1].from != t->from || t[-1].to != t->to; /* a pair's follow each other */
}

void cni_rounds_count(const cni_rounds *r, cni_partition *out)
{
    for (int i = 0; i < r->exchanges; i++) {
        const cni_transfer *begin = r->transfers + r->begin[i], *end = r->transfers + r->begin[i + 1];
        for (const cni_transfer *t = begin; t < end; t++) {
            uint64_t size = (uint64_t)cni_region_size(&t->region);
            out->messages += first_of_pair(begin, t);
            out->message_bytes += size;
            out->root_bytes += t->to == 0 ? size : 0;
        }
    }
}
