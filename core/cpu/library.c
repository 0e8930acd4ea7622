/*
 * library.c - ops that are a step of their own: what they share, and arange; the others have files.
 */
#include "cpu/library.h"

#include <string.h>

#include "base/settings.h"
#include "base/threads.h"
#include "cpu/group.h"
#include "cpu/loops.h"
#include "op/op.h"

typedef cni_library_operand operand;

cni_library_operand cni_library_operand_get(const cni_part *part, int k, const cni_run *run)
{
    const cni_access *a = &part->access[k];
    const cni_geometry g = cni_window_geometry(run->window, a->view);
    return (operand){.g = {g.ndim, g.itemsize, g.offset, g.shape, g.strides},
                     .dtype = (cn_dtype)run->window->views[a->view].dtype,
                     .data = (char *)run->slots[a->slot] + g.offset};
}

const cn_scalar *cni_library_scalar(const cni_part *part, int k, const cni_run *run)
{
    return &run->window->scalars[run->window->ops[part->op].args[k] & ~CNI_SCALAR];
}

typedef struct line_run {
    int64_t lines;
    int count;
    void (*run)(void *context, int64_t first, int64_t end);
    void *context;
} line_run;

static void run_share(void *context, int k)
{
    const line_run *r = context;
    r->run(r->context, cni_lane_begin(r->lines, k, r->count), cni_lane_begin(r->lines, k + 1, r->count));
}

int cni_library_threads(int64_t n, int64_t work, int most)
{
    int64_t pays = cni_settings[CNI_SETTING_THREAD_WORK] > 0 ? cni_settings[CNI_SETTING_THREAD_WORK] : 1;
    int64_t paid = (int64_t)((__int128)n * work / pays), threads = paid > 1 && most > 1 ? cni_threads_count() : 1;
    paid = paid < n ? paid : n;
    threads = threads < paid ? threads : paid;
    return threads < 1 ? 1 : threads < most ? (int)threads : most;
}

void cni_library_lines(int64_t lines, int64_t work, void (*run)(void *context, int64_t first, int64_t end),
                       void *context)
{
    line_run r = {.lines = lines, .count = cni_library_threads(lines, work, INT32_MAX), .run = run, .context = context};
    cni_threads_run(r.count, run_share, &r);
}

/* ---- arange ---- */

/* start + i * step in the dtype's own arithmetic: float16 steps in float32. */
static void arange_element(cn_dtype dtype, const cn_scalar *start, const cn_scalar *step, int64_t i, char *to)
{
    cn_scalar wide = {.dtype = CN_FLOAT64}, value, first, delta;
    switch (dtype) {
    case CN_FLOAT64:
        value.value.f64 = start->value.f64 + (double)i * step->value.f64;
        break;
    case CN_FLOAT32:
        value.value.f32 = start->value.f32 + (float)i * step->value.f32;
        break;
    case CN_FLOAT16:
        cn_scalar_cast(start, CN_STRONG, CN_FLOAT32, &first);
        cn_scalar_cast(step, CN_STRONG, CN_FLOAT32, &delta);
        first.value.f32 += (float)i * delta.value.f32;
        first.dtype = CN_FLOAT32;
        cn_scalar_cast(&first, CN_STRONG, CN_FLOAT16, &value);
        break;
    case CN_COMPLEX64:
        value.value.c64[0] = start->value.c64[0] + (float)i * step->value.c64[0];
        value.value.c64[1] = start->value.c64[1] + (float)i * step->value.c64[1];
        break;
    case CN_COMPLEX128:
        value.value.c128[0] = start->value.c128[0] + (double)i * step->value.c128[0];
        value.value.c128[1] = start->value.c128[1] + (double)i * step->value.c128[1];
        break;
    default:
        cn_scalar_cast(start, CN_STRONG, CN_INT64, &first);
        cn_scalar_cast(step, CN_STRONG, CN_INT64, &delta);
        wide.dtype = CN_INT64;
        wide.value.i64 = first.value.i64 + i * delta.value.i64;
        cn_scalar_cast(&wide, CN_STRONG, dtype, &value);
        break;
    }
    memcpy(to, value.value.bytes, cn_dtype_size(dtype));
}

void cni_library_arange(const cni_part *part, const cni_run *run)
{
    operand out = cni_library_operand_get(part, 0, run);
    const cn_scalar *start = cni_library_scalar(part, 1, run), *step = cni_library_scalar(part, 2, run);
    int64_t n = out.g.shape[0], stride = out.g.strides[0], at = run->box != NULL ? run->box->start[0] : 0;
    if (out.dtype == CN_FLOAT64 && stride == 8) {
        double *to = (double *)(void *)out.data, first = start->value.f64, delta = step->value.f64;
        for (int64_t i = 0; i < n; i++) {
            to[i] = first + (double)(at + i) * delta;
        }
    } else if (out.dtype == CN_INT64 && stride == 8) {
        int64_t *to = (int64_t *)(void *)out.data, first = start->value.i64, delta = step->value.i64;
        for (int64_t i = 0; i < n; i++) {
            to[i] = first + (at + i) * delta;
        }
    } else {
        for (int64_t i = 0; i < n; i++) {
            arange_element(out.dtype, start, step, at + i, out.data + i * stride);
        }
    }
}

/* ---- By op ---- */

typedef struct library_row {
    void (*run)(const cni_part *part, const cni_run *run);
    int64_t (*scratch)(const cni_part *part, const cni_window *w);
    cni_chain_rule (*rule)(const cni_part *part, const cni_window *w);
    void (*link)(const cni_part *part, const cni_window *w, int64_t *own, int64_t *state);
    void (*chain)(const cni_part *part, const cni_run *run, const cni_link *link, cni_link_phase phase);
} library_row;

#define SCRATCH_0(name) NULL
#define SCRATCH_1(name) cni_library_##name##_scratch
#define CHAIN_0(name) NULL, NULL, NULL
#define CHAIN_1(name) cni_library_##name##_rule, cni_library_##name##_link, cni_library_##name##_chain
static const library_row rows[CNI_KIND_COUNT] = {
#define CN_LIBRARY(id, name, scratch, share, chain)                                                                    \
    [CNI_##id] = {cni_library_##name, SCRATCH_##scratch(name), CHAIN_##chain(name)},
#include "op/library.def"
#undef CN_LIBRARY
};

int64_t cni_library_scratch(const cni_part *part, const cni_window *w)
{
    const library_row *row = &rows[w->ops[part->op].kind];
    return row->scratch != NULL ? row->scratch(part, w) : 0;
}

bool cni_library_takes_scratch(int kind)
{
    return rows[kind].scratch != NULL;
}

void cni_library_run(const cni_part *part, const cni_run *run)
{
    rows[run->window->ops[part->op].kind].run(part, run);
}

cni_chain_rule cni_library_chain_rule(const cni_part *part, const cni_window *w)
{
    const library_row *row = &rows[w->ops[part->op].kind];
    return row->chain != NULL ? row->rule(part, w) : (cni_chain_rule){0};
}

void cni_library_chain_bind(const cni_part *part, const cni_window *w, int64_t *own, int64_t *state)
{
    rows[w->ops[part->op].kind].link(part, w, own, state);
}

void cni_library_chain(const cni_part *part, const cni_run *run, const cni_link *link, cni_link_phase phase)
{
    rows[run->window->ops[part->op].kind].chain(part, run, link, phase);
}

void cni_library_chain_rows(const cni_part *part, const cni_window *w, const cni_link *link, cni_link_phase phase,
                            void **to)
{
    if (w->ops[part->op].kind == CNI_SCAN) {
        cni_scan_chain_rows(part, w, link, phase, to);
    } else {
        to[0] = phase == CNI_LINK_BEGIN ? link->own : link->state;
    }
}
