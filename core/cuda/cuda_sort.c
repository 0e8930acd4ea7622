/*
 * cuda_sort.c - sort and argsort along an axis by radix.cuh: a line after the other, so long that it fills the device.
 * Other lines are the processor's.
 *
 *     scratch: counts, ticket and words of a pass (zeroed), keys between passes, places between passes
 */
#include "base/text.h"
#include "cuda/cuda_library.h"
#include "op/op.h"

enum { THREADS = 256, LENGTH_LEAST = 1 << 15, LENGTH_MOST = (1 << 30) - 1, LINES_MOST = 64, DIGITS = 256, WORD = 4 };

typedef cni_cuda_library_binding binding;

typedef struct parameters {
    uint64_t from, to, from_places, to_places, indices, counts, words, ticket;
    int64_t n, pass, first, last;
} parameters;

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

static void write_text(cn_dtype dtype, int64_t itemsize, bool indices, cni_text *text)
{
    static const char *const infinity[] = {"0", "0x7C00", "0x7F800000", "UINT64_C(0x7FF0000000000000)"};
    bool floating = dtype >= CN_FLOAT16;
    cni_text_add(
        text,
        "#define CNI_COOPERATIVE\n#include \"cuda/prelude.cuh\"\n#define BITS uint%d_t\n#define FLOATING %d\n"
        "#define SIGNED %d\n#define INFINITY_BITS ((BITS)%s)\n#define INDICES %d\n#include \"cuda/radix.cuh\"\n"
        "/* CNI_FINISH */\n",
        (int)itemsize * 8, (int)floating, (int)(cni_dtypes[dtype].family == CNI_FAMILY_SIGNED),
        infinity[__builtin_ctzll((uint64_t)itemsize)], (int)indices);
}

bool cni_cuda_sort_bind(const cni_part *part, const cni_window *w, binding *b)
{
    cni_geometry out = cni_cuda_operand(part, w, 0), in = cni_cuda_operand(part, w, 1);
    cn_dtype dtype = cni_cuda_operand_dtype(part, w, 1);
    const cni_op *op = &w->ops[part->op];
    int64_t n = in.shape[op->parameter], count = cni_element_count(in.ndim, in.shape);
    bool indices = op->kind == CNI_ARGSORT;
    cni_text text = {0}, start = {0};
    if (n < LENGTH_LEAST || n > LENGTH_MOST || count / n > LINES_MOST || dtype >= CN_COMPLEX64 ||
        !runs(&in, op->parameter) || !runs(&out, op->parameter) ||
        !cni_cuda_outer_axes(&in, &out, op->parameter, &b->p.sort.nouter, b->p.sort.outer, b->p.sort.in_outer,
                             b->p.sort.out_outer)) {
        return false;
    }
    b->p.sort.n = n;
    b->p.sort.lines = count / n;
    b->p.sort.itemsize = in.itemsize;
    b->p.sort.indices = indices;
    b->blocks = tiles_of(n, in.itemsize, indices);
    b->finish_blocks = b->blocks < 8 * cni_cuda_gpu.processors ? b->blocks : 8 * cni_cuda_gpu.processors;
    int64_t keys = (indices ? 2 : 1) * rounded(n * in.itemsize), places = indices ? 2 * rounded(n * 4) : 0;
    b->marks = 256 + b->blocks * DIGITS * WORD;
    b->scratch = 8 * DIGITS * 8 + rounded(b->marks) + keys + places;
    cni_text_add(&start, "#define CNI_COOPERATIVE\n#include \"cuda/prelude.cuh\"\n#include \"cuda/radix_start.cuh\"\n");
    b->second = start.data != NULL ? cni_cuda_module_begin(start.data) : NULL;
    cni_text_free(&start);
    write_text(dtype, in.itemsize, indices, &text);
    return cni_cuda_library_compiled(b, &text) && b->second != NULL;
}

/* One line: counts of all passes, then the passes, each from one buffer to the other; the last one ends in `to`. */
static void sort_line(const binding *b, uint64_t from, uint64_t to, uint64_t scratch)
{
    int64_t n = b->p.sort.n, itemsize = b->p.sort.itemsize;
    uint64_t counts = scratch, marks = counts + 8 * DIGITS * 8, keys = marks + (uint64_t)rounded(b->marks);
    uint64_t turn[2] = {keys, b->p.sort.indices ? keys + (uint64_t)rounded(n * itemsize) : to};
    uint64_t places = keys + (uint64_t)((b->p.sort.indices ? 2 : 1) * rounded(n * itemsize));
    uint64_t place_turn[2] = {places, places + (uint64_t)rounded(n * 4)};
    parameters p = {.from = from, .counts = counts, .ticket = marks, .words = marks + 256, .n = n};
    cni_cuda_fill(counts, 0, 8 * DIGITS * 8);
    p.pass = b->finish_blocks; /* of the counting kernel: its blocks */
    cni_cuda_launch(b->module->finish, b->finish_blocks, THREADS, 1, &p, sizeof p);
    cni_cuda_launch(b->second->kernel, itemsize, THREADS, 1, &counts, sizeof counts);
    for (int64_t pass = 0; pass < itemsize; pass++) {
        int side = (int)((itemsize - pass) % 2);
        p.pass = pass;
        p.first = pass == 0;
        p.last = pass == itemsize - 1;
        p.to = turn[side];
        p.to_places = place_turn[side];
        p.indices = to;
        cni_cuda_fill(marks, 0, (size_t)b->marks);
        cni_cuda_launch(b->module->kernel, b->blocks, THREADS, 1, &p, sizeof p);
        p.from = p.to;
        p.from_places = p.to_places;
    }
}

void cni_cuda_sort_run(const cni_part *part, binding *b, const cni_run *run)
{
    uint64_t to = cni_cuda_operand_address(part, run, 0), from = cni_cuda_operand_address(part, run, 1);
    for (int64_t line = 0; line < b->p.sort.lines; line++) {
        int64_t rest = line, in_at = 0, out_at = 0;
        for (int d = (int)b->p.sort.nouter - 1; d >= 0; d--) {
            in_at += rest % b->p.sort.outer[d] * b->p.sort.in_outer[d];
            out_at += rest % b->p.sort.outer[d] * b->p.sort.out_outer[d];
            rest /= b->p.sort.outer[d];
        }
        sort_line(b, from + (uint64_t)in_at, to + (uint64_t)out_at, (uintptr_t)run->scratch);
    }
}
