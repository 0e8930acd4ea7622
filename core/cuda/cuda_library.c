/* cuda_library.c - see cuda_library.h: arange, gather, scatter; the table. */
#include "cuda/cuda_library.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "base/status.h"
#include "base/text.h"
#include "cuda/cuda_graph.h"
#include "cuda/cuda_split.h"
#include "exec/statement.h"
#include "op/op.h"

enum { THREADS = 256, GATHER_ITEMS = 4, LINE_BYTES = 64 /* that the memory reads for one element */ };
enum { REGION_TILE = 4096, REGION_TILES = 32, REGIONS_FEW = 128, REGIONS_MANY = 256 }; /* gather_regions.cuh's */

typedef cni_cuda_library_binding binding;

static int64_t blocks_for(int64_t threads)
{
    return (threads + THREADS - 1) / THREADS;
}

bool cni_cuda_library_compiled(binding *b, cni_text *text)
{
    b->module = text->data != NULL ? cni_cuda_module_begin(text->data) : NULL;
    cni_text_free(text);
    return b->module != NULL;
}

/* A kernel whose blocks go through this memory in order: where it lies on several GPUs, each does its part. */
static void launch(const binding *b, const cni_cuda_handle *functions, int64_t all, size_t size, uint64_t through)
{
    const cni_cuda_spread *memory = cni_cuda_spread_find(through);
    binding each[CNI_CUDA_GPUS];
    const void *parameters[CNI_CUDA_GPUS];
    double from[CNI_CUDA_GPUS], to[CNI_CUDA_GPUS];
    int64_t first[CNI_CUDA_GPUS], blocks[CNI_CUDA_GPUS];
    if (memory == NULL) {
        cni_cuda_launch(functions, all, THREADS, 1, &b->p, size);
        return;
    }
    cni_cuda_split_memory(memory, from, to);
    cni_cuda_split_blocks(all, from, to, first, blocks);
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        each[k] = *b;
        each[k].p.begin = first[k];
        parameters[k] = &each[k].p;
    }
    cni_cuda_launch_each(functions, blocks, THREADS, 1, parameters, size);
}

void cni_cuda_library_launch(const binding *b, size_t size, uint64_t through)
{
    launch(b, b->module->kernel, b->blocks, size, through);
    if (b->finish_blocks > 0) {
        cni_cuda_launch(b->module->finish, b->finish_blocks, THREADS, 1, &b->p, size);
    }
}

/* ---- arange ---- */

static const char *arange_value(cn_dtype dtype)
{
    switch (dtype) {
    case CN_FLOAT64:
        return "(FIRST(double)[0] + (double)(i) * STEP(double)[0])";
    case CN_FLOAT32:
        return "(FIRST(float)[0] + (float)(i) * STEP(float)[0])";
    case CN_FLOAT16:
        return "float_to_half(FIRST(float)[0] + (float)(i) * STEP(float)[0])";
    case CN_COMPLEX64:
        return "cni_make_c64(FIRST(float)[0] + (float)(i) * STEP(float)[0], FIRST(float)[1] + (float)(i) * "
               "STEP(float)[1])";
    case CN_COMPLEX128:
        return "cni_make_c128(FIRST(double)[0] + (double)(i) * STEP(double)[0], FIRST(double)[1] + (double)(i) * "
               "STEP(double)[1])";
    case CN_BOOL:
        return "((FIRST(int64_t)[0] + (i) * STEP(int64_t)[0]) != 0)";
    default:
        return "((TYPE)(FIRST(int64_t)[0] + (i) * STEP(int64_t)[0]))";
    }
}

static bool arange_bind(const cni_part *part, const cni_window *w, binding *b)
{
    cni_geometry out = cni_cuda_operand(part, w, 0);
    cn_dtype dtype = cni_cuda_operand_dtype(part, w, 0);
    cni_text text = {0};
    b->p.arange.n = out.shape[0];
    b->p.arange.stride = out.strides[0];
    b->blocks = blocks_for(out.shape[0]);
    cni_text_add(&text,
                 "#include \"cuda/prelude.cuh\"\n#include \"op/convert.h\"\n#define TYPE %s\n#define VALUE(i) "
                 "%s\n#include \"cuda/arange.cuh\"\n",
                 cni_dtypes[dtype].type, arange_value(dtype));
    return cni_cuda_library_compiled(b, &text);
}

static void arange_run(const cni_part *part, binding *b, const cni_run *run)
{
    const cni_op *op = &run->window->ops[part->op];
    cn_dtype dtype = cni_cuda_operand_dtype(part, run->window, 0), wide = dtype == CN_FLOAT16  ? CN_FLOAT32
                                                                          : dtype < CN_FLOAT16 ? CN_INT64
                                                                                               : dtype;
    cn_scalar first, step;
    if (cn_scalar_cast(&run->window->scalars[op->args[1] & ~CNI_SCALAR], CN_STRONG, wide, &first) != CN_OK ||
        cn_scalar_cast(&run->window->scalars[op->args[2] & ~CNI_SCALAR], CN_STRONG, wide, &step) != CN_OK) {
        return;
    }
    memcpy(b->p.arange.first, first.value.bytes, 16);
    memcpy(b->p.arange.step, step.value.bytes, 16);
    b->p.arange.at = run->box != NULL ? run->box->start[0] : 0;
    b->p.arange.out = cni_cuda_operand_address(part, run, 0);
    cni_cuda_library_launch(b, sizeof b->p.arange, b->p.arange.out);
}

/* ---- gather, scatter ---- */

bool cni_cuda_merge_axes(int n, const int64_t *shape, const int64_t *a, const int64_t *b, int64_t *count,
                         int64_t *to_shape, int64_t *to_a, int64_t *to_b)
{
    int64_t kept = 0;
    for (int d = 0; d < n; d++) {
        if (shape[d] == 1) {
            continue;
        }
        bool joins = kept > 0 && to_a[kept - 1] == a[d] * shape[d] && (b == NULL || to_b[kept - 1] == b[d] * shape[d]);
        if (!joins && kept == CNI_CUDA_DIMS) {
            return false;
        }
        kept += joins ? 0 : 1;
        to_shape[kept - 1] = joins ? to_shape[kept - 1] * shape[d] : shape[d];
        to_a[kept - 1] = a[d];
        if (to_b != NULL) {
            to_b[kept - 1] = b != NULL ? b[d] : 0;
        }
    }
    *count = kept;
    return true;
}

/* Is it worth the bytes to go through the array region by region? It does not fit into the cache, and lines are wanted twice. */
static bool by_regions(const binding *b, int64_t named, int64_t itemsize)
{
    return itemsize <= 8 && b->p.gather.index.b[0] == itemsize && b->p.gather.named.a[0] == itemsize &&
           named <= UINT32_MAX && named * itemsize >= 4 * (int64_t)cni_cuda_gpu.cache_bytes &&
           b->p.gather.count * LINE_BYTES >= 2 * named * itemsize;
}

static bool regions_bind(int64_t named, int64_t itemsize, binding *b)
{
    int64_t count = b->p.gather.count, flat_step = b->p.gather.index.a[0];
    int64_t tiles = (count + REGION_TILE - 1) / REGION_TILE, groups = (tiles + REGION_TILES - 1) / REGION_TILES;
    bool few = named * itemsize <= REGIONS_FEW * (int64_t)cni_cuda_gpu.cache_bytes / 8;
    int64_t regions = few ? REGIONS_FEW : REGIONS_MANY, shift = 0;
    while ((named - 1) >> shift >= regions) {
        shift++;
    }
    memset(&b->p, 0, sizeof b->p);
    b->p.regions.count = count;
    b->p.regions.tiles = tiles;
    b->p.regions.groups = groups;
    b->p.regions.shift = shift;
    b->p.regions.flat_step = flat_step;
    b->blocks = b->finish_blocks = tiles;
    b->second_blocks = groups * regions;
    b->scratch = tiles * (REGION_TILE * 6 + regions * 4);
    for (int fetch = 1; fetch >= 0; fetch--) {
        cni_text text = {0};
        cni_text_add(&text,
                     "#define CNI_COOPERATIVE\n#include \"cuda/prelude.cuh\"\n#define TYPE %s\n#define REGIONS %d\n"
                     "#define FETCH %d\n#include \"cuda/gather_regions.cuh\"\n%s",
                     cni_cuda_word(itemsize), (int)regions, fetch, fetch ? "" : "/* CNI_FINISH */\n");
        b->second = b->module;
        if (!cni_cuda_library_compiled(b, &text)) {
            return false;
        }
    }
    return true;
}

static void regions_run(binding *b, const cni_run *run)
{
    size_t size = sizeof b->p.regions;
    b->p.regions.kept = (uintptr_t)run->scratch;
    b->p.regions.runs = b->p.regions.kept + (uint64_t)(b->p.regions.tiles * REGION_TILE * 6);
    launch(b, b->module->kernel, b->blocks, size, b->p.regions.side);
    launch(b, b->second->kernel, b->second_blocks, size, b->p.regions.array);
    launch(b, b->module->finish, b->finish_blocks, size, b->p.regions.side);
}

/* array: the indexed operand, side: the other, flat: the indices. */
static bool indexed_bind(const cni_part *part, const cni_window *w, int array, int side, int flat, bool put, binding *b)
{
    cni_geometry x = cni_cuda_operand(part, w, array), s = cni_cuda_operand(part, w, side),
                 f = cni_cuda_operand(part, w, flat);
    int nindex = w->ops[part->op].parameter, nd = f.ndim, rest = x.ndim - nindex;
    cni_text text = {0};
    b->p.gather.count = cni_element_count(nd, f.shape);
    b->p.gather.row = cni_element_count(rest, x.shape + nindex);
    int64_t named = cni_element_count(nindex, x.shape), all = b->p.gather.count * b->p.gather.row;
    if (!cni_cuda_merge_axes(nd, f.shape, f.strides, s.strides, &b->p.gather.index.n, b->p.gather.index.shape,
                             b->p.gather.index.a, b->p.gather.index.b) ||
        !cni_cuda_merge_axes(rest, x.shape + nindex, x.strides + nindex, s.strides + nd, &b->p.gather.rest.n,
                             b->p.gather.rest.shape, b->p.gather.rest.a, b->p.gather.rest.b) ||
        !cni_cuda_merge_axes(nindex, x.shape, x.strides, NULL, &b->p.gather.named.n, b->p.gather.named.shape,
                             b->p.gather.named.a, b->p.gather.named.b)) {
        return false;
    }
    bool wide = all > INT32_MAX / 2 || named > INT32_MAX / 2;
    bool vectors = !put && b->p.gather.row == 1 && b->p.gather.index.n == 1 && b->p.gather.named.n == 1;
    if (vectors && by_regions(b, named, x.itemsize)) {
        return regions_bind(named, x.itemsize, b);
    }
    cni_text_add(&text,
                 "#include \"cuda/prelude.cuh\"\n#include \"op/complex.h\"\n#define TYPE %s\n#define PUT %d\n#define "
                 "VECTORS %d\ntypedef %s index_t;\n#include \"cuda/gather.cuh\"\n%s",
                 cni_cuda_word(x.itemsize), (int)put, (int)vectors, wide ? "uint64_t" : "uint32_t",
                 put ? "/* CNI_FINISH */\n" : "");
    b->blocks = blocks_for(!put ? (all + GATHER_ITEMS - 1) / GATHER_ITEMS : all > 0 ? b->p.gather.count : 0);
    b->finish_blocks = put ? blocks_for(all) : 0;
    b->scratch = b->marks = put ? named * 8 : 0;
    return cni_cuda_library_compiled(b, &text);
}

static void indexed_run(const cni_part *part, binding *b, const cni_run *run, int array, int side, int flat)
{
    b->p.gather.array = cni_cuda_operand_address(part, run, array);
    b->p.gather.side = cni_cuda_operand_address(part, run, side);
    b->p.gather.flat = cni_cuda_operand_address(part, run, flat);
    b->p.gather.winners = (uintptr_t)run->scratch;
    if (b->marks > 0) {
        cni_cuda_fill((uintptr_t)run->scratch, 0xFF, (size_t)b->marks);
    }
    size_t size = sizeof b->p.gather;
    bool put = b->finish_blocks > 0;
    launch(b, b->module->kernel, b->blocks, size, put ? b->p.gather.array : b->p.gather.side);
    if (put) {
        launch(b, b->module->finish, b->finish_blocks, size, b->p.gather.array);
    }
}

static bool gather_bind(const cni_part *part, const cni_window *w, binding *b)
{
    return indexed_bind(part, w, 1, 0, 2, false, b);
}

static void gather_run(const cni_part *part, binding *b, const cni_run *run)
{
    if (b->second == NULL) {
        indexed_run(part, b, run, 1, 0, 2);
        return;
    }
    b->p.regions.array = cni_cuda_operand_address(part, run, 1);
    b->p.regions.side = cni_cuda_operand_address(part, run, 0);
    b->p.regions.flat = cni_cuda_operand_address(part, run, 2);
    regions_run(b, run);
}

static bool scatter_bind(const cni_part *part, const cni_window *w, binding *b)
{
    return indexed_bind(part, w, 0, 2, 1, true, b);
}

static void scatter_run(const cni_part *part, binding *b, const cni_run *run)
{
    indexed_run(part, b, run, 0, 2, 1);
}

bool cni_cuda_outer_axes(const cni_geometry *in, const cni_geometry *out, int axis, int64_t *n, int64_t *shape,
                         int64_t *in_strides, int64_t *out_strides)
{
    int64_t kept = 0;
    for (int d = 0; d < in->ndim; d++) {
        if (d != axis && in->shape[d] != 1) {
            if (kept == CNI_CUDA_DIMS) {
                return false;
            }
            shape[kept] = in->shape[d];
            in_strides[kept] = in->strides[d];
            out_strides[kept++] = out->strides[d];
        }
    }
    *n = kept;
    return true;
}

/* ---- The table ---- */

static const cni_cuda_library_row rows[CNI_KIND_COUNT] = {
    [CNI_ARANGE] = {arange_bind, arange_run, true},
    [CNI_GATHER] = {gather_bind, gather_run, true},
    [CNI_SCATTER] = {scatter_bind, scatter_run},
    [CNI_ARG_REDUCE] = {cni_cuda_extreme_bind, cni_cuda_extreme_run, true, NULL, cni_cuda_extreme_rows_bind,
                        cni_cuda_extreme_rows_run},
    [CNI_SCAN] = {cni_cuda_scan_bind, cni_cuda_scan_run, true, NULL, cni_cuda_scan_rows_bind, cni_cuda_scan_rows_run},
    [CNI_MATMUL] = {cni_cuda_matmul_bind, cni_cuda_matmul_run, true, NULL, cni_cuda_across_bind, cni_cuda_across_run},
    [CNI_COUNT] = {cni_cuda_count_bind, cni_cuda_count_run, false, NULL, cni_cuda_count_rows_bind,
                   cni_cuda_count_rows_run},
    [CNI_SORT] = {cni_cuda_sort_bind, cni_cuda_sort_run, true},
    [CNI_ARGSORT] = {cni_cuda_sort_bind, cni_cuda_sort_run, true},
    [CNI_NONZERO] = {cni_cuda_select_bind, cni_cuda_select_run},
    [CNI_COMPRESS] = {cni_cuda_select_bind, cni_cuda_select_run},
    [CNI_SEARCH] = {cni_cuda_search_bind, cni_cuda_search_run, true},
    [CNI_FOURIER] = {cni_cuda_fourier_bind, cni_cuda_fourier_run, true, cni_cuda_fourier_unbind},
};

bool cni_cuda_library_supports(const cni_part *part, const cni_window *w)
{
    return rows[w->ops[part->op].kind].bind != NULL;
}

bool cni_cuda_library_shares(const cni_part *part, const cni_window *w)
{
    return rows[w->ops[part->op].kind].shares;
}

cn_status cni_cuda_library_bind(const cni_part *part, const cni_window *w, binding **out)
{
    binding *b = cni_alloc_zero(1, sizeof *b);
    if (b == NULL) {
        return cni_fail_memory((int64_t)sizeof *b);
    }
    b->row = &rows[w->ops[part->op].kind];
    if (!b->row->bind(part, w, b)) {
        cni_cuda_library_unbind(b);
        return CN_ERROR_UNSUPPORTED;
    }
    *out = b;
    return CN_OK;
}

cn_status cni_cuda_library_rows_bind(const cni_part *part, const cni_window *w, const cni_chain_rule *rule,
                                     binding **out)
{
    binding *b = cni_alloc_zero(1, sizeof *b);
    if (b == NULL) {
        return cni_fail_memory((int64_t)sizeof *b);
    }
    b->row = &rows[w->ops[part->op].kind];
    if (b->row->bind_rows == NULL || !b->row->bind_rows(part, w, rule, b)) {
        cni_cuda_library_unbind(b);
        return CN_ERROR_UNSUPPORTED;
    }
    *out = b;
    return CN_OK;
}

cn_status cni_cuda_library_rows(const cni_part *part, binding *b, const cni_run *run, int64_t before,
                                cni_link_phase phase, void *const *to)
{
    return b->row->rows(part, b, run, before, phase, to);
}

cn_status cni_cuda_library_link(uint64_t there, void *host, int64_t nbytes, bool up)
{
    void *device = (void *)(uintptr_t)there;
    cni_stats.moves++;
    cni_stats.move_bytes += (uint64_t)nbytes;
    return up ? cni_process_device->upload(device, host, nbytes) : cni_process_device->download(host, device, nbytes);
}

void cni_cuda_library_unbind(binding *b)
{
    if (b != NULL && b->row != NULL && b->row->unbind != NULL) {
        b->row->unbind(b);
    }
    cni_free(b);
}

int64_t cni_cuda_library_scratch(const binding *b)
{
    return b->scratch;
}

void cni_cuda_library_run(const cni_part *part, binding *b, const cni_run *run)
{
    b->row->run(part, b, run);
}
