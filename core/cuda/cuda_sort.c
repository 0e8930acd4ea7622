/*
 * cuda_sort.c - sort and argsort along an axis by radix.cuh: a line after the other, so long that it fills the device.
 * Other lines are the processor's. Of a line that lies on several GPUs each sorts what it has; then runs are merged, two and
 * two (merge.cuh), and each GPU makes what it is to have of the result. Lines that a GPU has alone it sorts alone, beside others.
 *
 *     scratch: counts of each GPU, tickets and words of a pass (zeroed), keys between passes, places between passes
 */
#include "base/text.h"
#include "cuda/cuda_library.h"
#include "cuda/cuda_spread.h"
#include "cuda/cuda_stream.h"
#include "op/op.h"

enum { COUNT_BYTES = 8 * 256 * 8, TICKET_BYTES = 256, MERGE_TILE = 4096 };
enum { THREADS = 256, LENGTH_LEAST = 1 << 15, LENGTH_MOST = (1 << 30) - 1, LINES_MOST = 64, DIGITS = 256, WORD = 4 };

typedef cni_cuda_library_binding binding;

typedef struct parameters {
    uint64_t from, to, from_places, to_places, indices, counts, words, ticket;
    int64_t n, pass, first, last, offset;
} parameters;

/* As merge.cuh has it. */
typedef struct merge_parameters {
    uint64_t from, to, from_places, to_places, indices;
    int64_t begin, middle, end, first, stop, last;
} merge_parameters;

static bool runs(const cni_geometry *g, int axis)
{
    return g->shape[axis] == 1 || g->strides[axis] == g->itemsize;
}

static int64_t tiles_of(int64_t n, int64_t itemsize, bool indices)
{
    int64_t tile = THREADS * (itemsize == 8 && !indices ? 20 : 16);
    return (n + tile - 1) / tile;
}

void cni_cuda_sort_text(cn_dtype dtype, int64_t itemsize, bool indices, const char *kernels, cni_text *text)
{
    static const char *const infinity[] = {"0", "0x7C00", "0x7F800000", "UINT64_C(0x7FF0000000000000)"};
    bool floating = dtype >= CN_FLOAT16;
    cni_text_add(text,
                 "#define CNI_COOPERATIVE\n#include \"cuda/prelude.cuh\"\n#define BITS uint%d_t\n#define FLOATING %d\n"
                 "#define SIGNED %d\n#define INFINITY_BITS ((BITS)%s)\n#define INDICES %d\n%s\n",
                 (int)itemsize * 8, (int)floating, (int)(cni_dtypes[dtype].family == CNI_FAMILY_SIGNED),
                 infinity[__builtin_ctzll((uint64_t)itemsize)], (int)indices, kernels);
}

bool cni_cuda_sort_line_bind(cn_dtype dtype, bool indices, int64_t n, binding *b)
{
    cni_text text = {0}, start = {0}, merge = {0};
    int64_t itemsize = (int64_t)cn_dtype_size(dtype);
    if (n > LENGTH_MOST || dtype >= CN_COMPLEX64) {
        return false;
    }
    b->p.sort.n = n;
    b->p.sort.lines = 1;
    b->p.sort.itemsize = itemsize;
    b->p.sort.indices = indices;
    b->blocks = tiles_of(n, itemsize, indices) + cni_cuda_gpu.gpus - 1;
    int64_t keys = (indices ? 2 : 1) * cni_cuda_aligned(n * itemsize),
            places = indices ? 2 * cni_cuda_aligned(n * 4) : 0;
    b->marks = cni_cuda_gpu.gpus * TICKET_BYTES + b->blocks * DIGITS * WORD;
    b->scratch = cni_cuda_gpu.gpus * COUNT_BYTES + cni_cuda_aligned(b->marks) + keys + places;
    cni_text_add(&start, "#define CNI_COOPERATIVE\n#include \"cuda/prelude.cuh\"\n#include \"cuda/radix_start.cuh\"\n");
    b->second = start.data != NULL ? cni_cuda_module_begin(start.data) : NULL;
    cni_text_free(&start);
    if (cni_cuda_gpu.gpus > 1) {
        cni_cuda_sort_text(dtype, itemsize, indices, "#define RAW 0\n#include \"cuda/merge.cuh\"", &merge);
        if (!cni_cuda_library_compiled(b, &merge)) {
            return false;
        }
        b->third = b->module;
    }
    cni_cuda_sort_text(dtype, itemsize, indices, "#include \"cuda/radix.cuh\"\n/* CNI_FINISH */", &text);
    return cni_cuda_library_compiled(b, &text) && b->second != NULL;
}

bool cni_cuda_sort_bind(const cni_part *part, const cni_window *w, binding *b)
{
    cni_geometry out = cni_cuda_operand(part, w, 0), in = cni_cuda_operand(part, w, 1);
    const cni_op *op = &w->ops[part->op];
    int64_t n = in.shape[op->parameter], count = cni_element_count(in.ndim, in.shape);
    if (n < LENGTH_LEAST || count / n > LINES_MOST || !runs(&in, op->parameter) || !runs(&out, op->parameter) ||
        !cni_cuda_outer_axes(&in, &out, op->parameter, &b->p.sort.nouter, b->p.sort.outer, b->p.sort.in_outer,
                             b->p.sort.out_outer) ||
        !cni_cuda_sort_line_bind(cni_cuda_operand_dtype(part, w, 1), op->kind == CNI_ARGSORT, n, b)) {
        return false;
    }
    b->p.sort.lines = count / n;
    return true;
}

/*
 * What each GPU sorts: of one line elements [begin[k], begin[k + 1]), which are merged, or a line each. Where its keys and places
 * go, turn by turn.
 */
typedef struct line {
    const binding *b;
    uint64_t counts, from[CNI_CUDA_GPUS], to[CNI_CUDA_GPUS];
    uint64_t keys[2][CNI_CUDA_GPUS], places[2][CNI_CUDA_GPUS], marks[CNI_CUDA_GPUS];
    int64_t begin[CNI_CUDA_GPUS + 1], n[CNI_CUDA_GPUS];
    bool near;         /* marks are in each GPU's own memory: tiles ask each other often */
    int steps, merges; /* passes and merges, one after the other; the last merges */
} line;

/* GPUs have runs of the line, one after the other. */
static void share_out(line *l, uint64_t from)
{
    const cni_cuda_spread *memory = cni_cuda_spread_find(from);
    int64_t n = l->b->p.sort.n;
    int parts = 0;
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        int64_t behind = memory == NULL || k + 1 == cni_cuda_gpu.gpus
                             ? n
                             : (int64_t)(memory->address + memory->begin[k + 1] - from) / l->b->p.sort.itemsize;
        l->begin[k + 1] = behind < l->begin[k] ? l->begin[k] : behind < n ? behind : n;
        l->n[k] = l->begin[k + 1] - l->begin[k];
        parts += l->n[k] > 0;
    }
    while (parts > 1 && 1 << l->merges < cni_cuda_gpu.gpus) {
        l->merges++;
    }
    l->near = parts > 1;
}

static int64_t tiles_at(const line *l, int gpu)
{
    return tiles_of(l->n[gpu], l->b->p.sort.itemsize, l->b->p.sort.indices);
}

static int64_t marks_at(const line *l, int gpu)
{
    return cni_cuda_aligned(TICKET_BYTES + tiles_at(l, gpu) * DIGITS * WORD);
}

/* Memory of each GPU's own for marks, and so many bytes behind those; false: a GPU has none. */
static bool take_near(line *l, int64_t behind)
{
    bool fine = true;
    cni_cuda_foreign();
    for (int k = 0; k < cni_cuda_gpu.gpus && fine; k++) {
        cni_cuda_stream(k);
        l->marks[k] = cni_cuda_local(k, (size_t)(marks_at(l, k) + behind));
        fine = l->marks[k] != 0;
    }
    cni_cuda_step_end();
    return fine;
}

static void clear_marks(const line *l)
{
    if (!l->near) {
        cni_cuda_fill(l->marks[0], 0, (size_t)l->b->marks);
        return;
    }
    cni_cuda_step((1u << cni_cuda_gpu.gpus) - 1);
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        cni_cuda_handle stream = cni_cuda_stream(k);
        cni_cuda_check(cni_cuda.memory_fill(l->marks[k], 0, (size_t)marks_at(l, k), stream), "a fill");
    }
    cni_cuda_step_end();
}

static line line_of(const binding *b, uint64_t from, uint64_t to, uint64_t scratch)
{
    line l = {.b = b, .counts = scratch};
    bool indices = b->p.sort.indices;
    int64_t size = b->p.sort.itemsize;
    uint64_t bytes = (uint64_t)cni_cuda_aligned(b->p.sort.n * size),
             marks = scratch + (uint64_t)cni_cuda_gpu.gpus * COUNT_BYTES;
    uint64_t keys = marks + (uint64_t)cni_cuda_aligned(b->marks), places = keys + (indices ? 2 : 1) * bytes;
    share_out(&l, from);
    l.steps = (int)size + l.merges;
    l.near = l.near && take_near(&l, 0);
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        uint64_t at = (uint64_t)l.begin[k];
        l.from[k] = from + at * (uint64_t)size;
        l.to[k] = to + at * (uint64_t)(indices ? 8 : size);
        l.keys[0][k] = keys + at * (uint64_t)size;
        l.keys[1][k] = indices ? l.keys[0][k] + bytes : l.to[k];
        l.places[0][k] = places + at * 4;
        l.places[1][k] = l.places[0][k] + (uint64_t)cni_cuda_aligned(b->p.sort.n * 4);
        if (!l.near) {
            l.marks[k] = marks;
            marks += (uint64_t)marks_at(&l, k);
        }
    }
    return l;
}

/* A line for each GPU, or none (from[k] = 0), with all that it needs in memory of its own; false: there is no memory. */
static bool lines_of(const binding *b, const uint64_t *from, const uint64_t *to, uint64_t scratch, line *l)
{
    bool indices = b->p.sort.indices;
    int64_t bytes = cni_cuda_aligned(b->p.sort.n * b->p.sort.itemsize),
            places = indices ? 2 * cni_cuda_aligned(b->p.sort.n * 4) : 0;
    *l = (line){.b = b, .counts = scratch, .near = true, .steps = (int)b->p.sort.itemsize};
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        l->n[k] = from[k] != 0 ? b->p.sort.n : 0;
    }
    if (!take_near(l, (indices ? 2 : 1) * bytes + places)) {
        return false;
    }
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        l->from[k] = from[k];
        l->to[k] = to[k];
        l->keys[0][k] = l->marks[k] + (uint64_t)marks_at(l, k);
        l->keys[1][k] = indices ? l->keys[0][k] + (uint64_t)bytes : to[k];
        l->places[0][k] = l->keys[0][k] + (uint64_t)((indices ? 2 : 1) * bytes);
        l->places[1][k] = l->places[0][k] + (uint64_t)cni_cuda_aligned(b->p.sort.n * 4);
    }
    return true;
}

/* Every GPU's keys by one digit more; before the first pass: counts of all digits. */
static void radix_pass(const line *l, int pass, bool counts)
{
    parameters p[CNI_CUDA_GPUS];
    const void *each[CNI_CUDA_GPUS];
    int64_t blocks[CNI_CUDA_GPUS];
    int in = (l->steps - pass + 1) % 2, out = (l->steps - pass) % 2;
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        int64_t most = 8 * cni_cuda_gpu.processors;
        blocks[k] = tiles_at(l, k);
        p[k] = (parameters){.from = pass == 0 ? l->from[k] : l->keys[in][k],
                            .to = l->keys[out][k],
                            .from_places = l->places[in][k],
                            .to_places = l->places[out][k],
                            .indices = l->to[k],
                            .counts = l->counts + (uint64_t)k * COUNT_BYTES,
                            .words = l->marks[k] + TICKET_BYTES,
                            .ticket = l->marks[k],
                            .n = l->n[k],
                            .pass = pass,
                            .first = pass == 0,
                            .last = pass + 1 == l->steps,
                            .offset = l->begin[k]};
        if (counts) {
            p[k].pass = blocks[k] = blocks[k] < most ? blocks[k] : most;
        }
        each[k] = &p[k];
    }
    cni_cuda_launch_each(counts ? l->b->module->finish : l->b->module->kernel, blocks, THREADS, 1, each, sizeof *p);
}

/* Runs of 2^level GPUs' keys become runs of twice as many; each GPU makes what lies where its own keys did. */
static void merge_runs(const line *l, int level)
{
    merge_parameters p[CNI_CUDA_GPUS];
    const void *each[CNI_CUDA_GPUS];
    int64_t blocks[CNI_CUDA_GPUS];
    int step = (int)l->b->p.sort.itemsize + level, side = (l->steps - step) % 2, gpus = cni_cuda_gpu.gpus;
    for (int k = 0; k < gpus; k++) {
        int first = k >> (level + 1) << (level + 1), middle = first + (1 << level), end = middle + (1 << level);
        p[k] = (merge_parameters){.from = l->keys[1 - side][0],
                                  .to = l->keys[side][0],
                                  .from_places = l->places[1 - side][0],
                                  .to_places = l->places[side][0],
                                  .indices = l->to[0],
                                  .begin = l->begin[first],
                                  .middle = l->begin[middle < gpus ? middle : gpus],
                                  .end = l->begin[end < gpus ? end : gpus],
                                  .first = l->begin[k],
                                  .stop = l->begin[k + 1],
                                  .last = step + 1 == l->steps};
        blocks[k] = (p[k].stop - p[k].first + MERGE_TILE - 1) / MERGE_TILE;
        each[k] = &p[k];
    }
    cni_cuda_launch_each(l->b->third->kernel, blocks, THREADS, 1, each, sizeof *p);
}

/* Counts of all passes, then the passes, each from one buffer to the other, then merges; the last step ends in `to`. */
static void sort(const line *l)
{
    const binding *b = l->b;
    cni_cuda_fill(l->counts, 0, (size_t)cni_cuda_gpu.gpus * COUNT_BYTES);
    radix_pass(l, 0, true);
    cni_cuda_launch(b->second->kernel, 8 * cni_cuda_gpu.gpus, THREADS, 1, &l->counts, sizeof l->counts);
    for (int pass = 0; pass < b->p.sort.itemsize; pass++) {
        clear_marks(l);
        radix_pass(l, pass, false);
    }
    for (int level = 0; level < l->merges; level++) {
        merge_runs(l, level);
    }
}

void cni_cuda_sort_line(const binding *b, uint64_t from, uint64_t to, uint64_t scratch)
{
    line l = line_of(b, from, to, scratch);
    sort(&l);
}

static void line_at(const cni_part *part, const binding *b, const cni_run *run, int64_t number, uint64_t *from,
                    uint64_t *to)
{
    *to = cni_cuda_operand_address(part, run, 0);
    *from = cni_cuda_operand_address(part, run, 1);
    for (int d = (int)b->p.sort.nouter - 1; d >= 0; d--) {
        int64_t at = number % b->p.sort.outer[d];
        *from += (uint64_t)(at * b->p.sort.in_outer[d]);
        *to += (uint64_t)(at * b->p.sort.out_outer[d]);
        number /= b->p.sort.outer[d];
    }
}

/* The next line, from this one on, that the GPU has alone; b->p.sort.lines: none. */
static int64_t next_own(const cni_part *part, const binding *b, const cni_run *run, int gpu, int64_t number)
{
    size_t n = (size_t)(b->p.sort.n * b->p.sort.itemsize), here;
    for (uint64_t from, to; number < b->p.sort.lines; number++) {
        line_at(part, b, run, number, &from, &to);
        if (cni_cuda_spread_find(from) != NULL && cni_cuda_owner(from, n, &here) == gpu && here == n) {
            break;
        }
    }
    return number;
}

/* Sorts lines that GPUs have alone, one of each at a time, and says which; the others are none's. */
static uint64_t sort_own(const cni_part *part, const binding *b, const cni_run *run)
{
    int64_t next[CNI_CUDA_GPUS] = {0};
    uint64_t done = 0, from[CNI_CUDA_GPUS], to[CNI_CUDA_GPUS];
    for (bool any = b->p.sort.lines > 1 && cni_cuda_gpu.gpus > 1; any;) {
        uint64_t these = 0;
        line l;
        for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
            next[k] = next_own(part, b, run, k, next[k]);
            from[k] = to[k] = 0;
            if (next[k] < b->p.sort.lines) {
                line_at(part, b, run, next[k], &from[k], &to[k]);
                these |= (uint64_t)1 << next[k]++;
            }
        }
        any = (these & (these - 1)) != 0 && lines_of(b, from, to, (uintptr_t)run->scratch, &l);
        if (any) {
            sort(&l);
            done |= these;
        }
    }
    return done;
}

_Static_assert(LINES_MOST <= 64, "a bit for each line");

void cni_cuda_sort_run(const cni_part *part, binding *b, const cni_run *run)
{
    uint64_t done = sort_own(part, b, run);
    for (int64_t k = 0; k < b->p.sort.lines; k++) {
        uint64_t from, to;
        if ((done >> k & 1) == 0) {
            line_at(part, b, run, k, &from, &to);
            cni_cuda_sort_line(b, from, to, (uintptr_t)run->scratch);
        }
    }
}
