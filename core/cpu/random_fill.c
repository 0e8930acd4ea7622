/* random_fill.c - uniform numbers of PCG64: threads begin where a jump takes them. */
#include "cpu/library.h"
#include "op/random.h"

enum { CHUNK = 4096 };

/* Elements that are drawn one after the other and lie in one run of the output: rows of its box. */
typedef struct uniform {
    cni_library_operand out;
    cni_pcg64 generator;
    double low, range;
    int ndim;             /* of the index of a row */
    int64_t count;        /* elements of a row */
    bool dense;           /* a row is contiguous */
    const int64_t *whole; /* shape whose elements are drawn, in C order */
    const cni_box *box;   /* those that are asked for; NULL: all */
} uniform;

/* The elements from `place` of a row in C order, one by one. */
static void scatter(const uniform *u, char *row, int64_t place, int64_t n, const double *values)
{
    const cni_geometry *g = &u->out.g;
    for (int64_t i = 0; i < n; i++) {
        int64_t rest = place + i, offset = 0;
        for (int d = g->ndim - 1; d >= u->ndim; d--) {
            offset += rest % g->shape[d] * g->strides[d];
            rest /= g->shape[d];
        }
        *(double *)(void *)(row + offset) = values[i];
    }
}

/* Elements [begin, begin + count) of a row whose first is number `first` of all. */
static void fill_run(const uniform *u, char *row, int64_t first, int64_t begin, int64_t count)
{
    cni_pcg64 g = u->generator;
    double values[CHUNK];
    cni_pcg64_advance(&g, (cni_uint128)(first + begin));
    if (u->dense) {
        cni_pcg64_uniform(&g, count, u->low, u->range, (double *)(void *)row + begin);
        return;
    }
    for (int64_t at = 0; at < count; at += CHUNK) {
        int64_t n = count - at < CHUNK ? count - at : CHUNK;
        cni_pcg64_uniform(&g, n, u->low, u->range, values);
        scatter(u, row, begin + at, n, values);
    }
}

/* The chunks [first, end) of all rows. */
static void fill_chunks(void *context, int64_t first, int64_t end)
{
    const uniform *u = context;
    const cni_geometry *g = &u->out.g;
    int64_t chunks = (u->count + CHUNK - 1) / CHUNK;
    while (first < end) {
        int64_t index[CN_MAX_DIMS], row = first / chunks, begin = first % chunks * CHUNK, number = 0;
        int64_t stop = (end - row * chunks) * CHUNK;
        for (int d = u->ndim - 1; d >= 0; d--) {
            index[d] = row % g->shape[d];
            row /= g->shape[d];
        }
        for (int d = 0; d < g->ndim; d++) {
            int64_t start = u->box != NULL ? u->box->start[d] : 0;
            number = number * u->whole[d] + start + (d < u->ndim ? index[d] : 0);
        }
        stop = stop < u->count ? stop : u->count;
        fill_run(u, u->out.data + cni_offset_of(u->ndim, g->strides, index), number, begin, stop - begin);
        first += (stop + CHUNK - 1) / CHUNK - begin / CHUNK;
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
                 .range = cni_library_scalar(part, 6, run)->value.f64,
                 .box = run->box};
    const cni_geometry *g = &u.out.g;
    u.whole = run->whole != NULL ? run->whole : g->shape;
    u.ndim = g->ndim;
    u.count = 1;
    while (u.ndim > 0) { /* axes that the box has as a whole, and one before them */
        u.ndim--;
        u.count *= g->shape[u.ndim];
        if (g->shape[u.ndim] != u.whole[u.ndim]) {
            break;
        }
    }
    u.dense =
        cni_is_contiguous(g->ndim - u.ndim, g->shape + u.ndim, g->strides + u.ndim, (int64_t)sizeof(double), false);
    int64_t rows = cni_element_count(u.ndim, g->shape);
    cni_library_lines(rows * ((u.count + CHUNK - 1) / CHUNK), CHUNK, fill_chunks, &u);
}
