/* cuda_count.c - how often numbers occur (count.cuh): of all of a vector, or of what one of several places has of it. */
#include "base/text.h"
#include "cuda/cuda_library.h"

enum { THREADS = 256, TABLE = 8192, TABLES = 8 /* that blocks of a processor have, as many as there are */ };

typedef cni_cuda_library_binding binding;

bool cni_cuda_count_bind(const cni_part *part, const cni_window *w, binding *b)
{
    cni_geometry out = cni_cuda_operand(part, w, 0), numbers = cni_cuda_operand(part, w, 1);
    int64_t most = TABLES * (int64_t)cni_cuda_gpu.processors, n = numbers.shape[0];
    int64_t blocks = (n + THREADS - 1) / THREADS, size = out.shape[0];
    bool small = size <= TABLE;
    cni_text text = {0};
    b->p.count.n = n;
    b->p.count.size = size;
    b->blocks = blocks < most ? blocks : most;
    b->p.count.threads = b->blocks * THREADS;
    cni_text_add(&text, "%s#include \"cuda/prelude.cuh\"\n#define SMALL %d\n#include \"cuda/count.cuh\"\n",
                 small ? "#define CNI_COOPERATIVE\n" : "", (int)small);
    return numbers.strides[0] == numbers.itemsize && cni_cuda_library_compiled(b, &text);
}

static void count(const cni_part *part, binding *b, const cni_run *run, uint64_t table)
{
    b->p.count.numbers = cni_cuda_operand_address(part, run, 1);
    b->p.count.table = table;
    cni_cuda_fill(table, 0, (size_t)b->p.count.size * 8);
    cni_cuda_launch(b->module->kernel, b->blocks, THREADS, 1, &b->p, sizeof b->p.count);
}

void cni_cuda_count_run(const cni_part *part, binding *b, const cni_run *run)
{
    count(part, b, run, cni_cuda_operand_address(part, run, 0));
}

bool cni_cuda_count_rows_bind(const cni_part *part, const cni_window *w, const cni_chain_rule *rule, binding *b)
{
    b->scratch = 8 * cni_cuda_operand(part, w, 0).shape[0];
    return rule->apart && cni_cuda_count_bind(part, w, b);
}

cn_status cni_cuda_count_rows_run(const cni_part *part, binding *b, const cni_run *run, int64_t before,
                                  cni_link_phase phase, void *const *rows)
{
    uint64_t table = (uintptr_t)run->scratch;
    (void)before, (void)phase;
    count(part, b, run, table);
    return cni_cuda_library_link(table, rows[0], b->scratch, false);
}
