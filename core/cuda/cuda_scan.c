/* cuda_scan.c - accumulations, and the elements at which bytes are true: in one pass, by tiles that tell each other (tiles.cuh). */
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "cuda/cuda_layout.h"
#include "cuda/cuda_library.h"
#include "exec/statement.h"
#include "op/op.h"

enum { THREADS = 256, LINES_LEAST = 1024, SELECT_TILE = 4096 };

typedef cni_cuda_library_binding binding;

/* What tiles.cuh keeps of so many tiles, zero before each run. */
static int64_t tiles_bytes(int64_t tiles)
{
    return 16 + 16 * tiles;
}

/* ---- Accumulations: those in NumPy's order along few lines are the processor's ---- */

static bool any_order(int loop, cn_dtype dtype)
{
    const cni_op_info *op = &cni_ops[cni_op_of_loop((uint16_t)loop)];
    return dtype < CN_FLOAT16 && cni_op_identity((int)(op - cni_ops), &(cn_scalar){0});
}

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

bool cni_cuda_scan_bind(const cni_part *part, const cni_window *w, binding *b)
{
    cni_geometry out = cni_cuda_operand(part, w, 0), in = cni_cuda_operand(part, w, 1);
    const cni_op *op = &w->ops[part->op];
    int axis = op->parameter, loop = cni_ops[op->opcode].first_loop + op->loop;
    int64_t count = cni_element_count(in.ndim, in.shape);
    if (count == 0 || cni_cuda_operand_dtype(part, w, 0) != cni_cuda_operand_dtype(part, w, 1)) {
        return false;
    }
    cni_text text = {0};
    int64_t length = in.shape[axis], lines = count / length, tiles = (length + CNI_SCAN_TILE - 1) / CNI_SCAN_TILE;
    bool tree = (op->flags & CNI_FLAG_TREE) != 0;
    bool wide = tree || (lines < LINES_LEAST && any_order(loop, cni_cuda_operand_dtype(part, w, 0)));
    if ((!wide && lines < LINES_LEAST) ||
        !cni_cuda_outer_axes(&in, &out, axis, &b->p.scan.nouter, b->p.scan.outer, b->p.scan.in_outer,
                             b->p.scan.out_outer) ||
        !write_fold(part, w, loop, &text)) {
        return false;
    }
    cni_text_add(&text, "%s#include \"cuda/scan%s.cuh\"\n", wide ? "#define CNI_COOPERATIVE\n" : "",
                 wide ? "_long" : "");
    b->p.scan.length = length;
    b->p.scan.lines = lines;
    b->p.scan.in_step = in.strides[axis];
    b->p.scan.out_step = out.strides[axis];
    b->p.scan.per_line = tiles;
    b->blocks = wide ? lines * tiles : (lines + THREADS - 1) / THREADS;
    b->scratch = b->marks = wide ? tiles_bytes(lines * tiles) : 0;
    return b->blocks <= INT32_MAX && cni_cuda_library_compiled(b, &text);
}

void cni_cuda_scan_run(const cni_part *part, binding *b, const cni_run *run)
{
    b->p.scan.out = cni_cuda_operand_address(part, run, 0);
    b->p.scan.in = cni_cuda_operand_address(part, run, 1);
    b->p.scan.scratch = (uintptr_t)run->scratch;
    if (b->marks > 0) {
        cni_cuda_fill(b->p.scan.scratch, 0, (size_t)b->marks);
    }
    cni_cuda_launch(b->module->kernel, b->blocks, THREADS, 1, &b->p, sizeof b->p.scan);
}

/* ---- Elements where bytes are true ---- */

bool cni_cuda_select_bind(const cni_part *part, const cni_window *w, binding *b)
{
    cni_geometry out = cni_cuda_operand(part, w, 0), truth = cni_cuda_operand(part, w, 1);
    cni_text text = {0};
    b->p.select.n = cni_element_count(truth.ndim, truth.shape);
    b->p.select.tiles = (b->p.select.n + SELECT_TILE - 1) / SELECT_TILE;
    b->blocks = b->p.select.tiles;
    b->scratch = b->marks = tiles_bytes(b->blocks);
    cni_text_add(&text, "#define CNI_COOPERATIVE\n#include \"cuda/prelude.cuh\"\n#include \"op/complex.h\"\n");
    if (w->ops[part->op].kind == CNI_COMPRESS) {
        cni_text_add(&text, "#define TYPE %s\n", cni_cuda_word(out.itemsize));
    }
    cni_text_add(&text, "#include \"cuda/select.cuh\"\n");
    return b->blocks <= INT32_MAX && cni_cuda_library_compiled(b, &text);
}

void cni_cuda_select_run(const cni_part *part, binding *b, const cni_run *run)
{
    bool elements = run->window->ops[part->op].kind == CNI_COMPRESS;
    b->p.select.out = cni_cuda_operand_address(part, run, 0);
    b->p.select.truth = cni_cuda_operand_address(part, run, 1);
    b->p.select.array = elements ? cni_cuda_operand_address(part, run, 2) : 0;
    b->p.select.aligned = b->p.select.truth % 16 == 0;
    b->p.select.scratch = (uintptr_t)run->scratch;
    cni_cuda_fill(b->p.select.scratch, 0, (size_t)b->marks);
    cni_cuda_launch(b->module->kernel, b->blocks, THREADS, 1, &b->p, sizeof b->p.select);
}
