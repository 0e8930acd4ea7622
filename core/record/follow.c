/* follow.c - see follow.h. */
#include "record/follow.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/settings.h"
#include "base/stats.h"
#include "base/status.h"
#include "record/intern.h"

/* ---- Is it what comes next? ---- */

/* What operands of one op bring to the window: nothing is noted there before all are known to be the expected ones. */
typedef struct news {
    uint32_t nviews, nbases; /* with those that the window has */
    int count;
    const cni_base *bases[CNI_OP_ARGS];
} news;

/* Is the base the one of this number, in the window or among the op's new ones? */
static bool base_fits(const cni_window *w, const cni_base *base, uint32_t number, news *n)
{
    if (cni_base_shared(base)) {
        return false;
    }
    if (base->window == w) {
        return base->index == number;
    }
    if (base->window != NULL && base->window->recorder != w->recorder) {
        return false;
    }
    for (int k = 0; k < n->count; k++) {
        if (n->bases[k] == base) {
            return number == n->nbases - (uint32_t)(n->count - k);
        }
    }
    if (number != n->nbases) {
        return false;
    }
    n->bases[n->count++] = base;
    n->nbases++;
    return true;
}

static inline bool geometry_fits(const cni_model *m, const cni_view *v, const cni_geometry *g)
{
    const int64_t *numbers = m->geometry + v->geometry, *shape = m->geometry + m->shapes[v->shape].geometry;
    bool same = v->ndim == g->ndim && numbers[0] == g->offset;
    for (int d = 0; d < g->ndim && same; d++) {
        same = numbers[1 + d] == g->strides[d] && shape[d] == g->shape[d];
    }
    return same;
}

static inline bool operand_fits(const cni_window *w, uint32_t arg, const cni_operand *o, news *n)
{
    const cn_array *a = o->array;
    if (a == NULL || (arg & CNI_SCALAR) != 0) {
        return a == NULL && (arg & CNI_SCALAR) != 0;
    }
    if (!o->broadcast && a->window_serial == w->serial) {
        return a->view_index == arg;
    }
    const cni_view *v = &w->model->views[arg];
    cni_geometry g = {o->broadcast ? o->ndim : a->ndim, cni_dtype_size(a->dtype), a->offset,
                      o->broadcast ? o->shape : cni_shape(a), o->broadcast ? o->strides : cni_strides(a)};
    if (v->dtype != a->dtype || !geometry_fits(w->model, v, &g) || !base_fits(w, a->base, v->base, n)) {
        return false;
    }
    if (arg < n->nviews) {
        return true;
    }
    n->nviews++;
    return (g.offset == 0 && cni_view_is_whole(a->base, &g)) == v->whole;
}

static inline bool context_fits(const cni_recorder *r, const cni_op *next)
{
    return next->site == r->site && next->fp_kinds == r->fp_kinds && next->fp_context == r->fp_context;
}

const cni_op *cni_follow_next(const cni_recorder *r)
{
    const cni_window *w = r->current;
    bool cut_first = r->ran != NULL || cni_window_pins_much(w, r->pinned_limit);
    return w->model == NULL || w->nops >= w->model->nops || cut_first ? NULL : &w->model->ops[w->nops];
}

/* Is there room for the window to follow it? */
static bool can_follow(cni_window *w, const cni_model *m)
{
    return m != NULL && m->nops > 0 && (int64_t)m->nops <= cni_settings[CNI_SETTING_FOLLOW] &&
           m->fails < CNI_MODEL_FAILS && cni_window_room(w, m);
}

/* ---- Taking it ---- */

/* Notes what an operand brings, as appending does. */
static inline void take_operand(cni_recorder *r, cni_window *w, uint32_t arg, const cni_operand *o, bool written)
{
    cn_array *a = o->array;
    if (a == NULL) {
        w->scalars[w->nscalars++] = o->scalar;
        return;
    }
    if (a->base->window != w) {
        cni_window_intern_base(w, a->base);
        a->base->first_view = arg;
    }
    w->nviews += arg == w->nviews;
    if (!o->broadcast) {
        a->view_index = arg;
        a->window_serial = w->serial;
    }
    cni_touch(r, a->base, written);
}

static bool follow(cni_recorder *r, const cni_op *op, const cni_operand *operands)
{
    const cni_window *w = r->current;
    const cni_model *m = w->model;
    const cni_op *next = w->nops < m->nops ? &m->ops[w->nops] : NULL;
    bool fits = next != NULL && next->nout == op->nout && cni_op_word(next) == cni_op_word(op) && context_fits(r, next);
    news n = {.nviews = (uint32_t)w->nviews, .nbases = (uint32_t)w->nbases};
    for (int i = 0; fits && i < op->nout + op->nin; i++) {
        fits = operand_fits(w, next->args[i], &operands[i], &n);
    }
    if (!fits) {
        return false;
    }
    for (int i = 0; i < op->nout + op->nin; i++) {
        take_operand(r, r->current, next->args[i], &operands[i], i < op->nout);
    }
    cni_op_recorded(r->current);
    return true;
}

cn_status cni_follow(cni_recorder *r, const cni_op *op, const cni_operand *operands, bool *taken)
{
    cni_window *w = r->current;
    *taken = follow(r, op, operands);
    if (*taken) {
        return CN_OK;
    }
    if (w->nops == 0 && can_follow(w, r->other)) {
        cni_model *first = w->model;
        w->model = r->other;
        *taken = follow(r, op, operands);
        if (*taken) {
            return CN_OK;
        }
        w->model = first;
    }
    w->model->fails++;
    return cni_follow_end(w, true);
}

cn_array *cni_follow_new(cni_recorder *r, const cni_operand *inputs)
{
    cni_window *w = r->current;
    const cni_model *m = w->model;
    const cni_op *next = &m->ops[w->nops];
    const cni_view *v = &m->views[next->args[0]];
    const uint32_t *args = next->args + 1;
    bool fits =
        next->nout == 1 && next->args[0] == w->nviews && v->base == w->nbases && v->whole && context_fits(r, next);
    news n = {.nviews = (uint32_t)w->nviews + 1, .nbases = (uint32_t)w->nbases + 1, .count = 1};
    for (int i = 0; fits && i < next->nin; i++) {
        fits = operand_fits(w, args[i], &inputs[i], &n);
    }
    cni_geometry g = {v->ndim, cni_dtype_size(v->dtype), 0, m->geometry + m->shapes[v->shape].geometry,
                      m->geometry + v->geometry + 1};
    cn_array *made = fits ? cni_array_again(v->dtype, &g, v->size, m->orders[next->args[0]]) : NULL;
    if (made == NULL) {
        return NULL;
    }
    cni_window_intern_base(w, made->base);
    made->base->first_view = made->view_index = next->args[0];
    made->window_serial = w->serial;
    w->nviews++;
    cni_touch(r, made->base, true);
    for (int i = 0; i < next->nin; i++) {
        take_operand(r, w, args[i], &inputs[i], false);
    }
    cni_op_recorded(w);
    return made;
}

bool cni_follow_copy(cni_recorder *r, cn_array *destination, cn_array *source)
{
    const cni_op *next = cni_follow_next(r);
    static const cni_op copy = {.kind = CNI_COPY, .nout = 1, .nin = 1};
    if (next == NULL || destination->dtype != source->dtype || cni_op_word(next) != cni_op_word(&copy)) {
        return false;
    }
    const cni_operand operands[2] = {{.array = destination}, {.array = source}};
    return follow(r, &copy, operands);
}

/* ---- Beginning and ending ---- */

/* The detector of repeats hears of ops that were taken while it slept. */
static void tell(cni_recorder *r, const uint64_t *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        cni_repeat_append(&r->repeat, words[i], r->pending_bytes, (uint64_t)cni_settings[CNI_SETTING_PERIOD_OPS]);
    }
    cni_repeat_resume(&r->repeat);
}

/* Is the window what appending makes? */
static bool is_whole(const cni_window *w)
{
    bool right = w->hash == cni_window_hash(w);
    for (uint32_t i = 0; i < w->nbases && right; i++) {
        const cni_base *base = w->bases[i];
        right = base->window != w || (base->index == i && w->views[base->first_view].base == i);
    }
    return right;
}

cn_status cni_follow_end(cni_window *w, bool goes_on)
{
    cni_model *m = w->model;
    if (m == NULL) {
        return CN_OK;
    }
    w->model = NULL;
    if (w->nops == m->nops && !goes_on) {
        m->fails = 0;
        w->followed = m;
        w->content = m->content;
        cni_stats.followed++;
    } else {
        tell(w->recorder, m->words, w->nops);
    }
    memcpy(w->ops, m->ops, w->nops * sizeof *w->ops);
    memcpy(w->words, m->words, w->nops * sizeof *w->words);
    memcpy(w->views, m->views, w->nviews * sizeof *w->views);
    w->nshapes = w->ngeometry = 0;
    for (size_t i = 0; i < w->nviews; i++) {
        w->nshapes += w->views[i].shape == w->nshapes;
    }
    if (w->nviews > 0) {
        const cni_view *last = &w->views[w->nviews - 1];
        w->ngeometry = last->geometry + 1 + last->ndim;
    }
    memcpy(w->shapes, m->shapes, w->nshapes * sizeof *w->shapes);
    memcpy(w->geometry, m->geometry, w->ngeometry * sizeof *w->geometry);
    w->hash = w->nops == m->nops ? m->hash : cni_window_hash(w);
    if (goes_on) {
        cni_window_tabulate(w);
    }
    CN_CHECK(cni_settings[CNI_SETTING_VERIFY] == 0 || is_whole(w));
    return CN_OK;
}

/* ---- Which model ---- */

static void model_keep(cni_model *m, const cni_window *w)
{
    static _Atomic uint64_t contents;
    m->nops = 0; /* nothing to follow, if there is no memory */
    if ((int64_t)w->nops > cni_settings[CNI_SETTING_FOLLOW] || w->full ||
        !cni_grow((void **)&m->ops, &m->ops_capacity, w->nops, sizeof *m->ops) ||
        !cni_grow((void **)&m->words, &m->words_capacity, w->nops, sizeof *m->words) ||
        !cni_grow((void **)&m->views, &m->views_capacity, w->nviews, sizeof *m->views) ||
        !cni_grow((void **)&m->orders, &m->orders_capacity, w->nviews, sizeof *m->orders) ||
        !cni_grow((void **)&m->shapes, &m->shapes_capacity, w->nshapes, sizeof *m->shapes) ||
        !cni_grow((void **)&m->geometry, &m->geometry_capacity, w->ngeometry, sizeof *m->geometry)) {
        return;
    }
    memcpy(m->ops, w->ops, w->nops * sizeof *w->ops);
    memcpy(m->words, w->words, w->nops * sizeof *w->words);
    memcpy(m->views, w->views, w->nviews * sizeof *w->views);
    for (uint32_t i = 0; i < w->nviews; i++) {
        cni_geometry g = cni_window_geometry(w, i);
        m->orders[i] = cni_order_of(g.ndim, g.shape, g.strides, g.itemsize, w->views[i].size);
    }
    memcpy(m->shapes, w->shapes, w->nshapes * sizeof *w->shapes);
    memcpy(m->geometry, w->geometry, w->ngeometry * sizeof *w->geometry);
    m->content = ++contents;
    m->repeats = w->repeats;
    m->nops = w->nops;
    m->nviews = w->nviews;
    m->nbases = w->nbases;
    m->nshapes = w->nshapes;
    m->nscalars = w->nscalars;
    m->ngeometry = w->ngeometry;
}

/* Where the window's model is, or will be: in the place of the one that was used longest ago. */
static cni_model *place_of(cni_recorder *r, const cni_window *w)
{
    cni_model *set = &r->models[w->hash % (CNI_MODELS / CNI_MODEL_WAYS) * CNI_MODEL_WAYS], *oldest = set;
    for (cni_model *m = set; m < set + CNI_MODEL_WAYS; m++) {
        if (m->hash == w->hash) {
            return m;
        }
        oldest = m->used < oldest->used ? m : oldest;
    }
    return oldest;
}

/* The first sight of a window leaves a mark, the second a model; one that it did not fit is made anew. */
static cni_model *model_of(cni_recorder *r, const cni_window *w)
{
    cni_model *m = w->followed != NULL ? w->followed : place_of(r, w);
    m->used = w->serial;
    if (w->followed != NULL) {
        return m;
    }
    if (m->hash != w->hash) {
        m->hash = w->hash;
        m->sights = m->fails = 0;
        m->nops = 0;
        m->next = m->other = NULL;
    } else if (++m->sights % CNI_MODEL_AGAIN == 0 || m->fails < CNI_MODEL_FAILS) {
        m->fails = m->sights % CNI_MODEL_AGAIN == 0 ? 0 : m->fails;
        model_keep(m, w);
    }
    return m;
}

/* What came after the last one: the same again is expected next time, another one if that has failed twice. */
static void link(cni_model *last, cni_model *m)
{
    if (m == last->next) {
        last->doubt = false;
    } else if (last->next == NULL || (last->doubt && m == last->other)) {
        last->other = last->next;
        last->next = m;
        last->doubt = false;
    } else {
        last->other = m;
        last->doubt = true;
    }
}

void cni_follow_cut(cni_recorder *r, cni_window *cut)
{
    cni_model *m = model_of(r, cut);
    if (r->newest != NULL) {
        link(r->newest, m);
    }
    r->newest = m;
    r->pinned_limit = cni_pinned_limit();
    cni_model *next = can_follow(r->current, m->next) ? m->next : m->other;
    r->other = next == m->next ? m->other : NULL;
    r->current->model = can_follow(r->current, next) ? next : NULL;
}
