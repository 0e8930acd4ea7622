/*
 * cuda_sort.c - sort and argsort along an axis by radix.cuh: a line after the other, so long that it fills the device.
 * Other lines are the processor's. Of a line that lies on several GPUs each sorts what it has; then runs are merged, two and
 * two (merge.cuh), and each GPU makes what it is to have of the result.
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

static int64_t rounded(int64_t nbytes)
{
    return (nbytes + 255) / 256 * 256;
}

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
    int64_t keys = (indices ? 2 : 1) * rounded(n * itemsize), places = indices ? 2 * rounded(n * 4) : 0;
    b->marks = cni_cuda_gpu.gpus * TICKET_BYTES + b->blocks * DIGITS * WORD;
    b->scratch = cni_cuda_gpu.gpus * COUNT_BYTES + rounded(b->marks) + keys + places;
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

/* A line: what each GPU has of it, elements [begin[k], begin[k + 1]); and where keys and places go, turn by turn. */
typedef struct line {
    const binding *b;
    uint64_t from, to, counts, keys[2], places[2];
    int64_t begin[CNI_CUDA_GPUS + 1];
    uint64_t marks[CNI_CUDA_GPUS];
    bool near;         /* marks are in each GPU's own memory: tiles ask each other often */
    int steps, merges; /* passes and merges, one after the other; the last merges */
} line;

/* GPUs have runs of the line, one after the other. */
static void share_out(line *l)
{
    const cni_cuda_spread *memory = cni_cuda_spread_find(l->from);
    int64_t n = l->b->p.sort.n;
    int parts = 0;
    l->begin[0] = 0;
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        int64_t behind = memory == NULL || k + 1 == cni_cuda_gpu.gpus
                             ? n
                             : (int64_t)(memory->address + memory->begin[k + 1] - l->from) / l->b->p.sort.itemsize;
        l->begin[k + 1] = behind < l->begin[k] ? l->begin[k] : behind < n ? behind : n;
        parts += l->begin[k + 1] > l->begin[k];
    }
    while (parts > 1 && 1 << l->merges < cni_cuda_gpu.gpus) {
        l->merges++;
    }
}

static int64_t tiles_at(const line *l, int gpu)
{
    return tiles_of(l->begin[gpu + 1] - l->begin[gpu], l->b->p.sort.itemsize, l->b->p.sort.indices);
}

static int64_t marks_at(const line *l, int gpu)
{
    return TICKET_BYTES + tiles_at(l, gpu) * DIGITS * WORD;
}

static void place_marks(line *l, uint64_t scratch)
{
    l->near = l->merges > 0;
    if (l->near) {
        cni_cuda_foreign();
    }
    for (int k = 0; k < cni_cuda_gpu.gpus && l->near; k++) {
        cni_cuda_stream(k);
        l->marks[k] = cni_cuda_local(k, (size_t)marks_at(l, k));
        l->near = l->marks[k] != 0;
    }
    cni_cuda_step_end();
    for (int k = 0; k < cni_cuda_gpu.gpus && !l->near; k++) {
        l->marks[k] = scratch;
        scratch += (uint64_t)marks_at(l, k);
    }
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
    line l = {.b = b, .from = from, .to = to, .counts = scratch};
    uint64_t bytes = (uint64_t)rounded(b->p.sort.n * b->p.sort.itemsize),
             marks = l.counts + (uint64_t)cni_cuda_gpu.gpus * COUNT_BYTES;
    l.keys[0] = marks + (uint64_t)rounded(b->marks);
    l.keys[1] = b->p.sort.indices ? l.keys[0] + bytes : to;
    l.places[0] = l.keys[0] + (b->p.sort.indices ? 2 : 1) * bytes;
    l.places[1] = l.places[0] + (uint64_t)rounded(b->p.sort.n * 4);
    share_out(&l);
    l.steps = (int)b->p.sort.itemsize + l.merges;
    place_marks(&l, marks);
    return l;
}

/* Every GPU's keys by one digit more; before the first pass: counts of all digits. */
static void radix_pass(const line *l, int pass, bool counts)
{
    parameters p[CNI_CUDA_GPUS];
    const void *each[CNI_CUDA_GPUS];
    int64_t blocks[CNI_CUDA_GPUS], itemsize = l->b->p.sort.itemsize;
    uint64_t from = pass == 0 ? l->from : l->keys[(l->steps - pass + 1) % 2], to = l->keys[(l->steps - pass) % 2];
    uint64_t from_places = l->places[(l->steps - pass + 1) % 2], to_places = l->places[(l->steps - pass) % 2];
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        int64_t begin = l->begin[k], n = l->begin[k + 1] - begin, most = 8 * cni_cuda_gpu.processors;
        blocks[k] = tiles_at(l, k);
        p[k] = (parameters){.from = from + (uint64_t)(begin * itemsize),
                            .to = to + (uint64_t)(begin * itemsize),
                            .from_places = from_places + (uint64_t)begin * 4,
                            .to_places = to_places + (uint64_t)begin * 4,
                            .indices = l->to + (uint64_t)begin * 8,
                            .counts = l->counts + (uint64_t)k * COUNT_BYTES,
                            .words = l->marks[k] + TICKET_BYTES,
                            .ticket = l->marks[k],
                            .n = n,
                            .pass = pass,
                            .first = pass == 0,
                            .last = pass + 1 == l->steps,
                            .offset = begin};
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
        p[k] = (merge_parameters){.from = l->keys[1 - side],
                                  .to = l->keys[side],
                                  .from_places = l->places[1 - side],
                                  .to_places = l->places[side],
                                  .indices = l->to,
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
void cni_cuda_sort_line(const binding *b, uint64_t from, uint64_t to, uint64_t scratch)
{
    line l = line_of(b, from, to, scratch);
    uint64_t counts = l.counts;
    cni_cuda_fill(l.counts, 0, (size_t)cni_cuda_gpu.gpus * COUNT_BYTES);
    radix_pass(&l, 0, true);
    cni_cuda_launch(b->second->kernel, 8 * cni_cuda_gpu.gpus, THREADS, 1, &counts, sizeof counts);
    for (int pass = 0; pass < b->p.sort.itemsize; pass++) {
        clear_marks(&l);
        radix_pass(&l, pass, false);
    }
    for (int level = 0; level < l.merges; level++) {
        merge_runs(&l, level);
    }
}

void cni_cuda_sort_run(const cni_part *part, binding *b, const cni_run *run)
{
    uint64_t to = cni_cuda_operand_address(part, run, 0), from = cni_cuda_operand_address(part, run, 1);
    for (int64_t k = 0; k < b->p.sort.lines; k++) {
        int64_t rest = k, in_at = 0, out_at = 0;
        for (int d = (int)b->p.sort.nouter - 1; d >= 0; d--) {
            in_at += rest % b->p.sort.outer[d] * b->p.sort.in_outer[d];
            out_at += rest % b->p.sort.outer[d] * b->p.sort.out_outer[d];
            rest /= b->p.sort.outer[d];
        }
        cni_cuda_sort_line(b, from + (uint64_t)in_at, to + (uint64_t)out_at, (uintptr_t)run->scratch);
    }
}
