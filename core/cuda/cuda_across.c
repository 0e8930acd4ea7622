/*
 * cuda_across.c - products whose sums several places have: what a place has of each sum, segment by segment, which their
 * processors add up in order. Those with a vector by across.cuh, of two matrices by cuBLAS (without
 * which all of them are the processor's: then no product has other bits than its). Segments are as long as the chain's
 * quantum, so what each comes to does not depend on the places.
 *
 *     scratch: results of the segments, dense; with a vector those of their parts; then what is handed on, in the same place
 */
#include "base/status.h"
#include "base/text.h"
#include "cuda/cuda_layout.h"
#include "cuda/cuda_library.h"
#include "cuda/cuda_product.h"
#include "op/op.h"

enum { THREADS = 256, PARTS = 8 /* of a segment */ };

typedef cni_cuda_library_binding binding;

/* As across_add.cuh has it. */
typedef struct add_words {
    uint64_t own, state;
    int64_t n, segments, goes_on;
} add_words;

/* What is multiplied: out[row][column] of so many; sums of `count`. Steps in bytes. */
typedef struct sums {
    int64_t rows, columns, count, itemsize;
    int64_t x_row, x_step, y_step, y_column; /* along a row of x, along a column of y */
} sums;

static sums sums_of(const cni_part *part, const cni_window *w)
{
    cni_geometry a = cni_cuda_operand(part, w, 1), b = cni_cuda_operand(part, w, 2);
    sums s = {.rows = 1, .columns = 1, .count = a.shape[a.ndim - 1], .itemsize = a.itemsize};
    s.x_step = a.strides[a.ndim - 1];
    s.y_step = b.strides[b.ndim > 1 ? b.ndim - 2 : 0];
    if (a.ndim > 1) {
        s.rows = a.shape[a.ndim - 2];
        s.x_row = a.strides[a.ndim - 2];
    }
    if (b.ndim > 1) {
        s.columns = b.shape[b.ndim - 1];
        s.y_column = b.strides[b.ndim - 1];
    }
    return s;
}

/* Of the results of all segments. */
static int64_t left_bytes(const sums *s, const binding *b)
{
    return b->blocks * s->rows * s->columns * s->itemsize;
}

/* Threads that have columns beside each other, where those are beside each other in memory. */
static int64_t width_of(int64_t columns, int64_t row_step, int64_t column_step)
{
    int64_t width = 1;
    while (width < columns && width < THREADS && column_step < row_step) {
        width *= 2;
    }
    return width;
}

static void write_type(cn_dtype dtype, const char *before, cni_text *text)
{
    cni_text_add(text, "%s#include \"cuda/prelude.cuh\"\n#include \"op/complex.h\"\n#define TYPE %s\n", before,
                 cni_dtypes[dtype].type);
    cni_text_add(text, "#define COMPLEX %d\n#include \"cuda/across_add.cuh\"\n", (int)(dtype >= CN_COMPLEX64));
}

/* What adds up segments: second. */
static bool add_bind(cn_dtype dtype, binding *b)
{
    cni_text text = {0};
    write_type(dtype, "#define ALONE 1\n", &text);
    bool made = cni_cuda_library_compiled(b, &text);
    b->second = b->module;
    b->module = NULL;
    return made;
}

static bool vector_bind(const sums *s, cn_dtype dtype, binding *b)
{
    cni_text text = {0};
    bool row = s->rows == 1; /* x is the vector */
    b->p.across.count = s->count;
    b->p.across.columns = row ? s->columns : s->rows;
    b->p.across.row_step = row ? s->y_step : s->x_step;
    b->p.across.column_step = row ? s->y_column : s->x_row;
    b->p.across.vector_step = row ? s->x_step : s->y_step;
    b->p.across.width = width_of(b->p.across.columns, b->p.across.row_step, b->p.across.column_step);
    write_type(dtype, "#define CNI_COOPERATIVE\n", &text);
    cni_text_add(&text, "#include \"cuda/across.cuh\"\n/* CNI_FINISH */\n");
    return cni_cuda_library_compiled(b, &text);
}

bool cni_cuda_across_bind(const cni_part *part, const cni_window *w, const cni_chain_rule *rule, binding *b)
{
    cni_geometry out = cni_cuda_operand(part, w, 0), x = cni_cuda_operand(part, w, 1), y = cni_cuda_operand(part, w, 2);
    cn_dtype dtype = cni_cuda_operand_dtype(part, w, 0);
    bool floating = dtype == CN_FLOAT32 || dtype == CN_FLOAT64 || dtype >= CN_COMPLEX64;
    if (!rule->apart || !floating || x.ndim > 2 || y.ndim > 2 || cni_element_count(out.ndim, out.shape) == 0) {
        return false;
    }
    sums s = sums_of(part, w);
    b->p.across.segment = rule->quantum;
    b->blocks = (s.count + rule->quantum - 1) / rule->quantum;
    int64_t left = left_bytes(&s, b);
    b->scratch = cni_cuda_aligned(left) + (s.rows == 1 || s.columns == 1 ? PARTS : 1) * left;
    bool fits = b->blocks > 0 && b->blocks <= INT32_MAX / PARTS;
    bool vector = s.rows == 1 || s.columns == 1;
    return fits && cni_cuda_multiplies(part, w) && add_bind(dtype, b) && (!vector || vector_bind(&s, dtype, b));
}

/* To what is handed on, or in place of it, the segments' results, one after the other. */
static cn_status add_own(const sums *s, const binding *b, uint64_t own, void *state, bool goes_on)
{
    int64_t n = s->rows * s->columns, nbytes = n * s->itemsize;
    add_words w = {.own = own, .state = own + (uint64_t)cni_cuda_aligned(left_bytes(s, b)), .n = n};
    w.segments = b->blocks;
    w.goes_on = goes_on;
    if (goes_on) {
        CN_TRY(cni_cuda_library_link(w.state, state, nbytes, true));
    }
    cni_cuda_launch(b->second->kernel, (n + THREADS - 1) / THREADS, THREADS, 1, &w, sizeof w);
    return cni_cuda_library_link(w.state, state, nbytes, false);
}

cn_status cni_cuda_across_run(const cni_part *part, binding *b, const cni_run *run, int64_t before,
                              cni_link_phase phase, void *const *rows)
{
    uint64_t to = (uintptr_t)run->scratch, x = cni_cuda_operand_address(part, run, 1),
             y = cni_cuda_operand_address(part, run, 2);
    sums s = sums_of(part, run->window);
    if (phase == CNI_LINK_STEP) {
        return add_own(&s, b, to, rows[0], before > 0);
    }
    if (b->module != NULL) {
        b->p.across.matrix = s.rows == 1 ? y : x;
        b->p.across.vector = s.rows == 1 ? x : y;
        b->p.across.out = to;
        b->p.across.parts = to + (uint64_t)cni_cuda_aligned(left_bytes(&s, b));
        int64_t all = b->blocks * b->p.across.columns;
        cni_cuda_launch(b->module->kernel, b->blocks * PARTS, THREADS, 1, &b->p, sizeof b->p.across);
        cni_cuda_launch(b->module->finish, (all + THREADS - 1) / THREADS, THREADS, 1, &b->p, sizeof b->p.across);
    } else {
        cni_cuda_multiply_segments(part, run, b->p.across.segment, to);
    }
    return rows[0] == NULL ? CN_OK : cni_cuda_library_link(to, rows[0], left_bytes(&s, b), false);
}
