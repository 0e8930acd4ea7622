/* random_fill.c - uniform numbers of PCG64: threads begin where a jump takes them. */
#include "cpu/library.h"
#include "op/random.h"

enum { CHUNK = 4096 };

typedef struct uniform {
    cni_library_operand out;
    cni_pcg64 generator;
    double low, range;
    int64_t count;
    bool dense;
} uniform;

/* The elements from `place` in C order, one by one. */
static void scatter(const uniform *u, int64_t place, int64_t n, const double *values)
{
    const cni_geometry *g = &u->out.g;
    for (int64_t i = 0; i < n; i++) {
        int64_t rest = place + i, offset = 0;
        for (int d = g->ndim - 1; d >= 0; d--) {
            offset += rest % g->shape[d] * g->strides[d];
            rest /= g->shape[d];
        }
        *(double *)(void *)(u->out.data + offset) = values[i];
    }
}

static void fill_chunks(void *context, int64_t first, int64_t end)
{
    const uniform *u = context;
    cni_pcg64 g = u->generator;
    double values[CHUNK];
    int64_t begin = first * CHUNK, count = (end * CHUNK < u->count ? end * CHUNK : u->count) - begin;
    cni_pcg64_advance(&g, (cni_uint128)begin);
    if (u->dense) {
        cni_pcg64_uniform(&g, count, u->low, u->range, (double *)(void *)u->out.data + begin);
        return;
    }
    for (int64_t at = 0; at < count; at += CHUNK) {
        int64_t n = count - at < CHUNK ? count - at : CHUNK;
        cni_pcg64_uniform(&g, n, u->low, u->range, values);
        scatter(u, begin + at, n, values);
    }
}

void cni_library_random_uniform(const cni_part *part, const cni_run *run)
{
    uint64_t words[4];
    for (int i = 0; i < 4; i++) {
        words[i] = cni_library_scalar(part, 1 + i, run)->value.u64;
    }
    uniform u = {.out = cni_library_operand_get(part, 0, run),
                 .generator = {cni_uint128_of(words[0], words[1]), cni_uint128_of(words[2], words[3])},
                 .low = cni_library_scalar(part, 5, run)->value.f64,
                 .range = cni_library_scalar(part, 6, run)->value.f64};
    u.count = cni_element_count(u.out.g.ndim, u.out.g.shape);
    u.dense = cni_is_contiguous(u.out.g.ndim, u.out.g.shape, u.out.g.strides, (int64_t)sizeof(double), false);
    cni_library_lines((u.count + CHUNK - 1) / CHUNK, CHUNK, fill_chunks, &u);
}
