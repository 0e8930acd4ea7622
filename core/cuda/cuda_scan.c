/* cuda_scan.c - accumulations, and the elements at which bytes are true: in one pass, by tiles that tell each other (tiles.cuh). */
#include <string.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/text.h"
#include "cuda/cuda_layout.h"
#include "cuda/cuda_library.h"
#include "cuda/cuda_split.h"
#include "cuda/cuda_wave.h"
#include "exec/scan_lines.h"
#include "exec/statement.h"
#include "op/op.h"

enum {
    THREADS = 256,
    SELECT_TILE = 4096,
    COUNT_BYTES = 8 * CNI_CUDA_GPUS,
    LINES_LEAST = 32 /* of a box of several places' */
};
enum { WHOLE, SUMS, BEFORE, TREE }; /* LINK, as scan_long.cuh has it */

typedef cni_cuda_library_binding binding;

/* What tiles.cuh keeps of so many tiles, zero before each run. */
static int64_t tiles_bytes(int64_t tiles)
{
    return 16 + 16 * tiles;
}

/* ---- Accumulations: those in NumPy's order along few lines are the processor's ---- */

/* #include lines, functions and the words that scan.cuh and scan_long.cuh want. */
static bool write_fold(const cni_part *part, const cni_window *w, int loop, cni_text *text)
{
    cni_arena work = {0};
    cni_text functions = {0};
    cn_dtype dtype = cni_cuda_operand_dtype(part, w, 0);
    cni_instr instr = {.kind = CNI_INSTR_OP, .loop = (uint16_t)loop, .dtype = (uint8_t)dtype};
    cni_part alone = {.ninstr = 1, .nregister = 1, .instr = &instr};
    cni_statements x;
    bool made = cni_statements_begin(&x, &alone, w, &work);
    if (made) {
        x.text = &functions;
        cni_statements_functions(&x);
        cni_text_add(text, "#include \"cuda/prelude.cuh\"\n#include \"op/%s.h\"\n", x.headers ? "convert" : "complex");
        cni_text_join(text, &functions);
        cni_text_add(text, "#define TYPE %s\n#define FOLD(a, b) loop_%d(a, b)\n", cni_dtypes[dtype].type, loop);
    }
    cni_text_free(&functions);
    cni_arena_destroy(&work);
    return made;
}

/* What the text and the parameters have of it, whatever is asked for; least: lines that are worth a thread each. */
static bool scan_lines(const cni_part *part, const cni_window *w, int64_t least, binding *b, bool *wide)
{
    cni_geometry out = cni_cuda_operand(part, w, 0), in = cni_cuda_operand(part, w, 1);
    cn_dtype dtype = cni_cuda_operand_dtype(part, w, 0);
    const cni_op *op = &w->ops[part->op];
    int axis = op->parameter;
    int64_t count = cni_element_count(in.ndim, in.shape);
    if (count == 0 || dtype != cni_cuda_operand_dtype(part, w, 1)) {
        return false;
    }
    int64_t length = in.shape[axis], lines = count / length, tiles = (length + CNI_SCAN_TILE - 1) / CNI_SCAN_TILE;
    *wide = cni_scan_by_tiles(op, dtype, lines);
    b->p.scan.length = length;
    b->p.scan.lines = lines;
    b->p.scan.in_step = in.strides[axis];
    b->p.scan.out_step = out.strides[axis];
    b->p.scan.per_line = tiles;
    b->blocks = *wide ? lines * tiles : (lines + THREADS - 1) / THREADS;
    cn_scalar identity, value;
    if (cni_op_identity(op->opcode, &identity) && cn_scalar_cast(&identity, CN_STRONG, dtype, &value) == CN_OK) {
        memcpy(&b->p.scan.identity, value.value.bytes, sizeof b->p.scan.identity);
    }
    return (*wide || lines >= least) && b->blocks <= INT32_MAX &&
           cni_cuda_outer_axes(&in, &out, axis, &b->p.scan.nouter, b->p.scan.outer, b->p.scan.in_outer,
                               b->p.scan.out_outer);
}

static bool scan_compiled(const cni_part *part, const cni_window *w, bool wide, int link, binding *b)
{
    const cni_op *op = &w->ops[part->op];
    cni_text text = {0};
    if (!write_fold(part, w, cni_ops[op->opcode].first_loop + op->loop, &text)) {
        cni_text_free(&text);
        return false;
    }
    cni_text_add(&text, "#define LINK %d\n%s#include \"cuda/scan%s.cuh\"\n", link,
                 wide ? "#define CNI_COOPERATIVE\n" : "", wide ? "_long" : "");
    return cni_cuda_library_compiled(b, &text);
}

/* What looks through the tiles of all lines, a thread each, for what stands before them. */
static int64_t tree_blocks(const binding *b)
{
    return b->p.scan.lines * ((b->p.scan.per_line + THREADS - 1) / THREADS);
}

/* Of lines on several GPUs each sums its tiles, the first finds what stands before them, then each does its own. */
static bool scan_bind_each(const cni_part *part, const cni_window *w, binding *b)
{
    b->marks = tiles_bytes(tree_blocks(b));
    b->scratch = b->marks + b->blocks * 8;
    if (!scan_compiled(part, w, true, BEFORE, b)) {
        return false;
    }
    b->third = b->module;
    if (!scan_compiled(part, w, true, TREE, b)) {
        return false;
    }
    b->second = b->module;
    return scan_compiled(part, w, true, SUMS, b);
}

bool cni_cuda_scan_bind(const cni_part *part, const cni_window *w, binding *b)
{
    bool wide;
    if (!scan_lines(part, w, CNI_SCAN_MANY_LINES, b, &wide)) {
        return false;
    }
    if (wide && cni_cuda_spread_wanted(b->p.scan.lines * b->p.scan.length * cni_cuda_operand(part, w, 1).itemsize)) {
        return scan_bind_each(part, w, b);
    }
    b->scratch = b->marks = wide ? tiles_bytes(b->blocks) : 0;
    return scan_compiled(part, w, wide, WHOLE, b);
}

static void scan_run_each(const binding *b)
{
    binding end = *b;
    end.module = b->third;
    cni_cuda_library_launch(b, sizeof b->p.scan, b->p.scan.in);
    cni_cuda_launch(b->second->kernel, tree_blocks(b), THREADS, 1, &b->p, sizeof b->p.scan);
    cni_cuda_library_launch(&end, sizeof b->p.scan, b->p.scan.out);
}

/* Lines of which each GPU has some rows. */
typedef struct line_wave {
    cni_cuda_wave wave;
    binding *each;
} line_wave;

static void set_lines(void *context, int i, int64_t first, int64_t count)
{
    const line_wave *x = context;
    binding *b = &x->each[x->wave.gpu[i]];
    (void)count;
    b->p.scan.begin = first;
}

/* What the results lie in, rows of them on several GPUs; NULL: it is not so. */
static const cni_cuda_spread *rows_memory(const binding *b)
{
    const cni_cuda_spread *memory = cni_cuda_spread_find(b->p.scan.out);
    bool cut = b->p.scan.out_step > 0 && b->p.scan.in_step > 0;
    for (int64_t d = 0; d < b->p.scan.nouter; d++) { /* rows lie one behind the other */
        int64_t step = b->p.scan.out_outer[d];
        cut = cut && step >= 0 && step * b->p.scan.outer[d] <= b->p.scan.out_step;
    }
    return cut ? memory : NULL;
}

/* False: it is all the first GPU's. */
static bool scan_run_wave(const binding *b)
{
    const cni_cuda_spread *memory = rows_memory(b);
    binding each[CNI_CUDA_GPUS];
    const void *parameters[CNI_CUDA_GPUS];
    double from[CNI_CUDA_GPUS], to[CNI_CUDA_GPUS], rows = (double)b->p.scan.length;
    if (memory == NULL) {
        return false;
    }
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        from[k] = k == 0 ? 0 : to[k - 1];
        double behind = (double)(int64_t)(memory->address + memory->begin[k + 1] - b->p.scan.out);
        double share = behind / ((double)b->p.scan.out_step * rows);
        to[k] = k + 1 == cni_cuda_gpu.gpus || share > 1 ? 1 : share > from[k] ? share : from[k];
    }
    line_wave x = {cni_cuda_wave_of(from, to, b->p.scan.length), each};
    for (int i = 0; i < x.wave.count; i++) {
        binding *mine = &each[x.wave.gpu[i]];
        *mine = *b;
        mine->p.scan.goes_on = x.wave.from[i] > 0;
        mine->p.scan.length = x.wave.to[i] - x.wave.from[i];
        mine->p.scan.in += (uint64_t)(x.wave.from[i] * b->p.scan.in_step);
        mine->p.scan.out += (uint64_t)(x.wave.from[i] * b->p.scan.out_step);
        parameters[x.wave.gpu[i]] = &mine->p;
    }
    int64_t bytes = 2 * b->p.scan.length * b->p.scan.out_step;
    int64_t pieces = cni_cuda_wave_pieces(&x.wave, bytes, b->blocks, cni_cuda_gpu.processors);
    cni_cuda_wave_send(&x.wave, b->module->kernel, b->blocks, pieces, THREADS, 1, parameters, sizeof b->p.scan,
                       set_lines, &x);
    return true;
}

void cni_cuda_scan_run(const cni_part *part, binding *b, const cni_run *run)
{
    b->p.scan.out = cni_cuda_operand_address(part, run, 0);
    b->p.scan.in = cni_cuda_operand_address(part, run, 1);
    b->p.scan.scratch = (uintptr_t)run->scratch;
    b->p.scan.link = b->p.scan.scratch + (uint64_t)b->marks;
    if (b->marks > 0) {
        cni_cuda_fill(b->p.scan.scratch, 0, (size_t)b->marks);
    }
    if (b->third != NULL) {
        scan_run_each(b);
    } else if (b->marks > 0) {
        cni_cuda_launch(b->module->kernel, b->blocks, THREADS, 1, &b->p, sizeof b->p.scan);
    } else if (!scan_run_wave(b)) {
        cni_cuda_library_launch(b, sizeof b->p.scan, b->p.scan.out);
    }
}

/* ---- The same of lines that go on at other places ---- */

bool cni_cuda_scan_rows_bind(const cni_part *part, const cni_window *w, const cni_chain_rule *rule, binding *b)
{
    bool wide;
    if (!scan_lines(part, w, LINES_LEAST, b, &wide) || (wide && !rule->apart)) {
        return false;
    }
    b->scratch = wide ? b->blocks * 8 : b->p.scan.lines * 16;
    if (!scan_compiled(part, w, wide, wide ? BEFORE : SUMS, b)) {
        return false;
    }
    b->second = wide ? b->module : NULL;
    return !wide || scan_compiled(part, w, wide, SUMS, b);
}

cn_status cni_cuda_scan_rows_run(const cni_part *part, binding *b, const cni_run *run, int64_t before,
                                 cni_link_phase phase, void *const *rows)
{
    bool tiles = b->second != NULL, ends = phase == CNI_LINK_END;
    int64_t itemsize = cni_cuda_operand(part, run->window, 0).itemsize;
    int64_t nbytes = (tiles ? b->p.scan.lines * b->p.scan.per_line : b->p.scan.lines) * itemsize;
    void *host = rows[tiles ? 1 : 0];
    b->p.scan.out = cni_cuda_operand_address(part, run, 0);
    b->p.scan.in = cni_cuda_operand_address(part, run, 1);
    b->p.scan.link = (uintptr_t)run->scratch;
    b->p.scan.goes_on = before > 0 && phase != CNI_LINK_BEGIN;
    if (ends && !tiles && before == 0) {
        return CN_OK; /* BEGIN has done it */
    }
    if (tiles ? ends : b->p.scan.goes_on != 0) {
        CN_TRY(cni_cuda_library_link(b->p.scan.link, host, nbytes, true));
    }
    const cni_cuda_module *module = tiles && ends ? b->second : b->module;
    cni_cuda_launch(module->kernel, b->blocks, THREADS, 1, &b->p, sizeof b->p.scan);
    return ends ? CN_OK : cni_cuda_library_link(b->p.scan.link, host, nbytes, false);
}

/* ---- Elements where bytes are true ---- */

/* scratch: counts by GPU, then for each what tiles.cuh keeps of its own */
bool cni_cuda_select_bind(const cni_part *part, const cni_window *w, binding *b)
{
    cni_geometry out = cni_cuda_operand(part, w, 0), truth = cni_cuda_operand(part, w, 1);
    cni_text text = {0};
    bool counted = cni_cuda_gpu.gpus > 1;
    b->p.select.n = cni_element_count(truth.ndim, truth.shape);
    b->blocks = (b->p.select.n + SELECT_TILE - 1) / SELECT_TILE;
    b->scratch = b->marks = COUNT_BYTES + cni_cuda_gpu.gpus * tiles_bytes(0) + tiles_bytes(b->blocks);
    cni_text_add(&text, "#define CNI_COOPERATIVE\n#include \"cuda/prelude.cuh\"\n#include \"op/complex.h\"\n");
    if (w->ops[part->op].kind == CNI_COMPRESS) {
        cni_text_add(&text, "#define TYPE %s\n", cni_cuda_word(out.itemsize));
    }
    cni_text_add(&text, "#define COUNTED %d\n#define PLACES 0\n#include \"cuda/select.cuh\"\n%s", (int)counted,
                 counted ? "/* CNI_FINISH */\n" : "");
    return b->blocks <= INT32_MAX && cni_cuda_library_compiled(b, &text);
}

/* What each GPU does, tiles [first[k], first[k] + blocks[k]); count: of their bytes it counts those that are true. */
static void select_each(const binding *b, const int64_t *first, const int64_t *blocks, bool count)
{
    binding each[CNI_CUDA_GPUS];
    const void *parameters[CNI_CUDA_GPUS];
    int64_t counting[CNI_CUDA_GPUS], most = 8 * (int64_t)cni_cuda_gpu.processors;
    uint64_t scratch = b->p.select.counts + COUNT_BYTES;
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        each[k] = *b;
        each[k].p.select.begin = first[k];
        each[k].p.select.stop = first[k] + blocks[k];
        each[k].p.select.gpu = k;
        each[k].p.select.scratch = scratch;
        scratch += (uint64_t)tiles_bytes(blocks[k]);
        counting[k] = blocks[k] < most ? blocks[k] : most;
        each[k].p.select.threads = counting[k] * THREADS;
        parameters[k] = &each[k].p;
    }
    cni_cuda_launch_each(count ? b->module->finish : b->module->kernel, count ? counting : blocks, THREADS, 1,
                         parameters, sizeof b->p.select);
}

void cni_cuda_select_run(const cni_part *part, binding *b, const cni_run *run)
{
    bool elements = run->window->ops[part->op].kind == CNI_COMPRESS;
    double from[CNI_CUDA_GPUS], to[CNI_CUDA_GPUS];
    int64_t first[CNI_CUDA_GPUS] = {0}, blocks[CNI_CUDA_GPUS] = {b->blocks};
    b->p.select.out = cni_cuda_operand_address(part, run, 0);
    b->p.select.truth = cni_cuda_operand_address(part, run, 1);
    b->p.select.array = elements ? cni_cuda_operand_address(part, run, 2) : 0;
    b->p.select.aligned = b->p.select.truth % 16 == 0;
    b->p.select.counts = (uintptr_t)run->scratch;
    const cni_cuda_spread *memory = cni_cuda_spread_find(elements ? b->p.select.array : b->p.select.truth);
    cni_cuda_fill(b->p.select.counts, 0, (size_t)b->marks);
    if (memory != NULL) {
        cni_cuda_split_memory(memory, from, to);
        cni_cuda_split_blocks(b->blocks, from, to, first, blocks);
        select_each(b, first, blocks, true);
    }
    select_each(b, first, blocks, false);
}
