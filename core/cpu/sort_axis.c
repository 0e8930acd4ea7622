/* sort_axis.c - sort, argsort and partition along an axis: blocks of lines, their memory and threads; see sort_axis.h. */
#include "cpu/sort_axis.h"

#include <string.h>
#include <unistd.h>

#include "base/threads.h"
#include "cpu/group.h"
#include "cpu/loops.h"
#include "op/op.h"

enum {
    STRIDED_LINES = 8,        /* that are taken together because they share cache lines */
    TOGETHER_LEAST = 1 << 16, /* elements of strided lines that all threads work on together */
    COUNT_8_LEAST = 256,      /* elements of a line that is sorted by counting its values */
    COUNT_16_LEAST = 1 << 17,
    VALUES_16 = 1 << 16,
    TURN = 64,
    WORK = 16 /* element operations that sorting a key counts for */
};

typedef cni_sort_shape shape;
typedef cni_sort_job job;
typedef cni_sort_block block;

/* ---- Memory ---- */

static int64_t take(int64_t *at, bool needed, int64_t nbytes)
{
    int64_t begin = *at;
    *at += needed ? (nbytes + 255) & ~INT64_C(63) : 0;
    return begin;
}

static int64_t processors(void)
{
    static int64_t known; /* not a setting: memory is declared once, settings change */
    if (known == 0) {
        int64_t count = sysconf(_SC_NPROCESSORS_CONF);
        known = count < 8 ? 8 : count > CNI_SORT_THREADS ? CNI_SORT_THREADS : count;
    }
    return known;
}

static void memory_layout(shape *s)
{
    int64_t n = s->count * s->length, at = 0, key = s->wide || s->indices ? 8 : 4;
    bool distributes = s->length >= CNI_DISTRIBUTE_LEAST && s->counting == 0;
    s->keys = take(&at, !s->direct && s->counting == 0, n * key);
    s->spare = take(&at, s->counting == 0, n * key);
    s->ranks = take(&at, s->indices, n * 8);
    s->ranks_low = take(&at, s->dtype == CN_COMPLEX128, n * 8);
    s->raw =
        take(&at, !s->in_runs || !s->out_runs, n * (int64_t)(s->itemsize > s->out_size ? s->itemsize : s->out_size));
    s->bucket = take(&at, distributes, n);
    int64_t tables = s->counting == 2                  ? (s->workers > 1 ? 1 : processors()) * VALUES_16
                     : distributes || s->counting == 1 ? processors() * CNI_BUCKETS
                                                       : 0;
    s->tables = take(&at, tables > 0, tables * (int64_t)sizeof(int64_t));
    s->worker_bytes = at;
}

/* ---- Shape ---- */

/* Do the block's lines follow each other without gaps? */
static bool lines_run(const shape *s, const cni_geometry *g, size_t itemsize)
{
    int64_t next = (int64_t)itemsize;
    bool innermost = true;
    for (int d = g->ndim - 1; d >= 0; d--) {
        if (g->shape[d] == 1) {
            continue;
        }
        if (innermost && d != s->axis) {
            return false;
        }
        innermost = false;
        if (g->strides[d] != next) {
            return d != s->axis && s->count == 1;
        }
        next *= g->shape[d];
    }
    return true;
}

static int64_t lines_in_block(const shape *s)
{
    int64_t count = s->length == 0 ? 1 : CNI_SORT_BLOCK / s->length;
    if (count < STRIDED_LINES && s->in.ndim > 1 && s->in.strides[s->axis] > s->in.itemsize) {
        count = STRIDED_LINES;
    }
    count = s->counting != 0 || count < 1 ? 1 : count;
    return count < s->lines || s->lines == 0 ? count : s->lines;
}

static shape shape_of(cni_sort_task task, cn_dtype dtype, cni_geometry out, cni_geometry in, int axis)
{
    shape s = {.task = task,
               .dtype = dtype,
               .out = out,
               .in = in,
               .axis = axis,
               .itemsize = (size_t)in.itemsize,
               .out_size = (size_t)out.itemsize,
               .length = in.shape[axis]};
    s.lines = s.length == 0 ? 0 : cni_element_count(in.ndim, in.shape) / s.length;
    s.complex = dtype == CN_COMPLEX64 || dtype == CN_COMPLEX128;
    s.indices = task == CNI_TASK_ARGSORT || s.complex;
    s.wide = cni_key_size(dtype) == 8;
    if (!s.indices &&
        ((s.itemsize == 1 && s.length >= COUNT_8_LEAST) || (s.itemsize == 2 && s.length >= COUNT_16_LEAST))) {
        s.counting = (int)s.itemsize;
    }
    s.count = lines_in_block(&s);
    s.in_runs = lines_run(&s, &in, s.itemsize);
    s.out_runs = lines_run(&s, &out, s.out_size);
    s.direct =
        s.out_runs && s.counting == 0 && (task == CNI_TASK_ARGSORT || (!s.indices && s.itemsize == (s.wide ? 8 : 4)));
    s.together = s.count > 1 && s.length >= TOGETHER_LEAST;
    int64_t blocks = (s.lines + s.count - 1) / s.count;
    s.workers = s.together || blocks < 1 ? 1 : blocks < processors() ? blocks : processors();
    memory_layout(&s);
    return s;
}

/* ---- Shares ---- */

typedef struct share {
    const block *b;
    cni_sort_step step;
    int64_t n;
} share;

static void run_share(void *context, int t)
{
    const share *x = context;
    int64_t first = cni_lane_begin(x->n, t, x->b->threads), end = cni_lane_begin(x->n, t + 1, x->b->threads);
    x->step(x->b, t, first, end - first);
}

void cni_sort_shared(const block *b, int64_t n, cni_sort_step step)
{
    share x = {b, step, n};
    cni_threads_run(b->threads, run_share, &x);
}

/* ---- Between strided memory and a block ---- */

static int64_t line_offset(const shape *s, const cni_geometry *g, int64_t line)
{
    int64_t offset = 0;
    for (int d = g->ndim - 1; d >= 0; d--) {
        if (d != s->axis) {
            offset += line % g->shape[d] * g->strides[d];
            line /= g->shape[d];
        }
    }
    return offset;
}

/* Elements [first, first + n) of each line, TURN at a time: neighbouring lines share cache lines. */
static void copy_lines(const block *b, const cni_geometry *g, char *strided, size_t size, bool into, int64_t first,
                       int64_t n)
{
    const shape *s = &b->j->s;
    const cni_copy_loop copy = cni_cpu_kernels_get()->copies[__builtin_ctzll(size)];
    int64_t stride = g->strides[s->axis], item = (int64_t)size, offsets[CNI_SORT_BLOCK];
    for (int64_t k = 0; k < b->count; k++) {
        offsets[k] = line_offset(s, g, b->line + k);
    }
    for (int64_t i = first; i < first + n; i += TURN) {
        int64_t some = first + n - i < TURN ? first + n - i : TURN;
        for (int64_t k = 0; k < b->count; k++) {
            char *outside = strided + offsets[k] + i * stride, *inside = b->raw + (k * s->length + i) * item;
            if (into) {
                copy(some, inside, item, outside, stride);
            } else {
                copy(some, outside, stride, inside, item);
            }
        }
    }
}

int64_t cni_sort_load_extent(const block *b)
{
    return b->j->s.in_runs ? b->count * b->j->s.length : b->j->s.length;
}

void cni_sort_load(const block *b, int t, int64_t first, int64_t n, cni_sort_step step)
{
    const shape *s = &b->j->s;
    if (s->in_runs) {
        step(b, t, first, n);
        return;
    }
    copy_lines(b, &s->in, b->j->in, s->itemsize, true, first, n);
    if (n == s->length) {
        step(b, t, 0, b->count * n);
        return;
    }
    for (int64_t k = 0; k < b->count; k++) {
        step(b, t, k * s->length + first, n);
    }
}

const char *cni_sort_source(const block *b, int64_t i)
{
    return (b->j->s.in_runs ? b->in : b->raw) + (size_t)i * b->j->s.itemsize;
}

char *cni_sort_result(const block *b, int64_t i)
{
    return (b->j->s.out_runs ? b->out : b->raw) + (size_t)i * b->j->s.out_size;
}

static void store_lines(const block *b, int t, int64_t first, int64_t n)
{
    (void)t;
    copy_lines(b, &b->j->s.out, b->j->out, b->j->s.out_size, false, first, n);
}

/* ---- Sort and partition by keys ---- */

typedef struct line_sort {
    const block *b;
    bool wide;
    cni_sort_load_keys load;
    cni_sort_step finish;
    int64_t first; /* of the line in the block */
} line_sort;

static void load_line(void *context, int64_t first, int64_t n, void *to)
{
    const line_sort *x = context;
    x->load(x->b, x->first + first, n, to);
}

static void finish_line(void *context, int64_t first, int64_t n)
{
    const line_sort *x = context;
    x->finish(x->b, 0, x->first + first, n);
}

static void sort_line(line_sort *x, int64_t line, int threads)
{
    const block *b = x->b;
    x->first = line * b->j->s.length;
    cni_sort_run run = {.wide = x->wide,
                        .keys = cni_key_at(b->keys, x->wide, x->first),
                        .spare = cni_key_at(b->spare, x->wide, x->first),
                        .n = b->j->s.length,
                        .load = x->load != NULL ? load_line : NULL,
                        .threads = threads,
                        .bucket = b->bucket + x->first,
                        .tally = b->tables,
                        .kth = b->j->kth,
                        .nkth = b->j->nkth,
                        .finish = x->finish != NULL ? finish_line : NULL,
                        .context = x};
    cni_sort_keys(&run);
}

static void sort_lines(void *context, int t)
{
    line_sort x = *(const line_sort *)context;
    const block *b = x.b;
    int64_t first = cni_lane_begin(b->count, t, b->threads), end = cni_lane_begin(b->count, t + 1, b->threads),
            length = b->j->s.length;
    for (int64_t k = first; k < end && length > CNI_SHORT_LINE; k++) {
        sort_line(&x, k, 1);
    }
    if (length <= CNI_SHORT_LINE && first < end) {
        if (length > 1) {
            cni_sort_key_kernels(b, x.wide)->lines(cni_key_at(b->keys, x.wide, first * length), end - first, length);
        }
        if (x.finish != NULL) {
            x.finish(b, t, first * length, (end - first) * length);
        }
    }
}

void cni_sort_block_lines(const block *b, bool wide, cni_sort_load_keys load, cni_sort_step finish)
{
    line_sort x = {.b = b, .wide = wide, .load = load, .finish = finish};
    if (b->count == 1) {
        sort_line(&x, 0, b->threads);
    } else {
        cni_threads_run(b->threads, sort_lines, &x);
    }
}

static void load_keys(const block *b, int64_t first, int64_t n, void *to)
{
    b->j->kernels->keys[b->j->s.dtype](n, cni_sort_source(b, first), to);
}

static void key_piece(const block *b, int t, int64_t first, int64_t n)
{
    (void)t;
    load_keys(b, first, n, cni_key_at(b->keys, b->j->s.wide, first));
}

static void make_keys(const block *b, int t, int64_t first, int64_t n)
{
    cni_sort_load(b, t, first, n, key_piece);
}

static void write_values(const block *b, int t, int64_t first, int64_t n)
{
    (void)t;
    b->j->kernels->values[b->j->s.dtype](n, cni_key_at(b->keys, b->j->s.wide, first), cni_sort_result(b, first));
}

static void sort_block(const block *b)
{
    bool load = b->j->s.in_runs && b->count == 1;
    if (!load) {
        cni_sort_shared(b, cni_sort_load_extent(b), make_keys);
    }
    cni_sort_block_lines(b, b->j->s.wide, load ? load_keys : NULL, write_values);
}

/* ---- Sort of small values by counting them ---- */

static void count_piece(const block *b, int t, int64_t first, int64_t n)
{
    int64_t values = b->j->s.counting == 1 ? CNI_BUCKETS : VALUES_16, *table = b->tables + t * values;
    memset(table, 0, (size_t)values * sizeof *table);
    if (b->j->s.counting == 2) {
        const uint16_t *v = (const uint16_t *)(const void *)cni_sort_source(b, first);
        for (int64_t i = 0; i < n; i++) {
            table[v[i]]++;
        }
        return;
    }
    const uint8_t *v = (const uint8_t *)cni_sort_source(b, first);
    int64_t apart[3][256] = {{0}}, i = 0; /* equal neighbours must not wait for each other */
    for (; i + 4 <= n; i += 4) {
        table[v[i]]++;
        apart[0][v[i + 1]]++;
        apart[1][v[i + 2]]++;
        apart[2][v[i + 3]]++;
    }
    for (; i < n; i++) {
        table[v[i]]++;
    }
    for (int k = 0; k < 256; k++) {
        table[k] += apart[0][k] + apart[1][k] + apart[2][k];
    }
}

static void count_values(const block *b, int t, int64_t first, int64_t n)
{
    cni_sort_load(b, t, first, n, count_piece);
}

/* Results [first, first + n): the values in order, each as often as it was counted (the first table has the sums). */
static void write_counted(const block *b, int t, int64_t first, int64_t n)
{
    (void)t;
    const shape *s = &b->j->s;
    int64_t before = 0, end = first + n;
    char *out = cni_sort_result(b, 0);
    uint32_t values = s->counting == 1 ? CNI_BUCKETS : VALUES_16;
    for (uint32_t k = 0; k < values && before < end; k += 256) {
        uint32_t keys[256];
        uint16_t words[256];
        const uint8_t *bytes = (const uint8_t *)words;
        for (uint32_t i = 0; i < 256; i++) {
            keys[i] = k + i;
        }
        b->j->kernels->values[s->dtype](256, keys, words);
        for (int v = 0; v < 256 && before < end; v++) {
            int64_t i = before > first ? before : first;
            before += b->tables[s->counting == 1 ? bytes[v] : words[v]];
            int64_t stop = before < end ? before : end;
            if (s->counting == 1 && i < stop) {
                memset(out + i, bytes[v], (size_t)(stop - i));
            }
            for (; s->counting == 2 && i < stop; i++) {
                ((uint16_t *)(void *)out)[i] = words[v];
            }
        }
    }
}

static void count_block(const block *b)
{
    int64_t values = b->j->s.counting == 1 ? CNI_BUCKETS : VALUES_16;
    cni_sort_shared(b, b->j->s.length, count_values);
    for (int t = 1; t < b->threads; t++) {
        for (int64_t k = 0; k < values; k++) {
            b->tables[k] += b->tables[t * values + k];
        }
    }
    cni_sort_shared(b, b->j->s.length, write_counted);
}

/* ---- Blocks ---- */

static void run_block(const job *j, int64_t index, int worker, int threads)
{
    const shape *s = &j->s;
    char *memory = j->scratch + worker * s->worker_bytes;
    block b = {.j = j,
               .line = index * s->count,
               .threads = threads,
               .keys = memory + s->keys,
               .spare = memory + s->spare,
               .ranks = memory + s->ranks,
               .ranks_low = (uint64_t *)(void *)(memory + s->ranks_low),
               .raw = memory + s->raw,
               .bucket = (uint8_t *)memory + s->bucket,
               .tables = (int64_t *)(void *)(memory + s->tables)};
    b.count = s->lines - b.line < s->count ? s->lines - b.line : s->count;
    b.in = j->in + line_offset(s, &s->in, b.line);
    b.out = j->out + line_offset(s, &s->out, b.line);
    if (s->direct) {
        b.keys = b.out;
    }
    if (s->counting != 0) {
        count_block(&b);
    } else if (s->indices) {
        cni_argsort_block(&b);
    } else {
        sort_block(&b);
    }
    if (!s->out_runs) {
        cni_sort_shared(&b, s->length, store_lines);
    }
}

static void run_blocks(void *context, int t)
{
    const job *j = context;
    int64_t blocks = (j->s.lines + j->s.count - 1) / j->s.count;
    int64_t first = cni_lane_begin(blocks, t, j->threads), end = cni_lane_begin(blocks, t + 1, j->threads);
    for (int64_t i = first; i < end; i++) {
        run_block(j, i, t, 1);
    }
}

static void run_job(job *j)
{
    const shape *s = &j->s;
    int64_t blocks = s->lines == 0 ? 0 : (s->lines + s->count - 1) / s->count;
    int all = cni_library_threads(s->lines * s->length, WORK, (int)processors());
    if (s->together || (s->count == 1 && blocks < all)) {
        int threads = s->length >= CNI_DISTRIBUTE_LEAST ? all : 1;
        threads = s->counting == 2 && s->workers > 1 ? 1 : threads; /* one table only */
        for (int64_t i = 0; i < blocks; i++) {
            run_block(j, i, 0, threads);
        }
    } else if (blocks > 0) {
        j->threads = all < s->workers ? all : (int)s->workers;
        cni_threads_run(j->threads, run_blocks, j);
    }
}

/* ---- One line ---- */

static shape line_shape(cni_sort_task task, cn_dtype dtype, const int64_t *n, const int64_t *strides)
{
    cni_geometry out = {1, task == CNI_TASK_ARGSORT ? 8 : (int64_t)cn_dtype_size(dtype), 0, n, strides};
    cni_geometry in = {1, (int64_t)cn_dtype_size(dtype), 0, n, strides + 1};
    return shape_of(task, dtype, out, in, 0);
}

int64_t cni_sort_line_scratch(cni_sort_task task, cn_dtype dtype, int64_t n)
{
    int64_t size = task == CNI_TASK_ARGSORT ? 8 : (int64_t)cn_dtype_size(dtype);
    const int64_t strides[2] = {size, -1}; /* in no order: it is brought to contiguous memory first */
    shape s = line_shape(task, dtype, &n, strides);
    return s.worker_bytes * s.workers;
}

void cni_sort_line(cni_sort_task task, cn_dtype dtype, int64_t n, const char *in, int64_t stride, void *out,
                   void *scratch)
{
    const int64_t strides[2] = {task == CNI_TASK_ARGSORT ? 8 : (int64_t)cn_dtype_size(dtype), stride};
    job j = {.s = line_shape(task, dtype, &n, strides),
             .kernels = cni_order_kernels_get(),
             .scratch = scratch,
             .in = (char *)(uintptr_t)in,
             .out = out};
    run_job(&j);
}

/* ---- The ops ---- */

static shape op_shape(cni_sort_task task, const cni_part *part, const cni_window *w)
{
    uint32_t out = part->access[0].view, in = part->access[1].view;
    return shape_of(task, (cn_dtype)w->views[in].dtype, cni_window_geometry(w, out), cni_window_geometry(w, in),
                    w->ops[part->op].parameter);
}

static int64_t op_scratch(cni_sort_task task, const cni_part *part, const cni_window *w)
{
    shape s = op_shape(task, part, w);
    return s.worker_bytes * s.workers;
}

static void op_run(cni_sort_task task, const cni_part *part, const cni_run *run)
{
    job j = {.s = op_shape(task, part, run->window), .kernels = cni_order_kernels_get(), .scratch = run->scratch};
    j.out = cni_library_operand_get(part, 0, run).data;
    j.in = cni_library_operand_get(part, 1, run).data;
    if (task == CNI_TASK_PARTITION && !j.s.complex) {
        cni_library_operand kth = cni_library_operand_get(part, 2, run);
        j.kth = (const int64_t *)(const void *)kth.data;
        j.nkth = kth.g.shape[0];
    }
    run_job(&j);
}

int64_t cni_library_sort_scratch(const cni_part *part, const cni_window *w)
{
    return op_scratch(CNI_TASK_SORT, part, w);
}

void cni_library_sort(const cni_part *part, const cni_run *run)
{
    op_run(CNI_TASK_SORT, part, run);
}

int64_t cni_library_argsort_scratch(const cni_part *part, const cni_window *w)
{
    return op_scratch(CNI_TASK_ARGSORT, part, w);
}

void cni_library_argsort(const cni_part *part, const cni_run *run)
{
    op_run(CNI_TASK_ARGSORT, part, run);
}

int64_t cni_library_partition_scratch(const cni_part *part, const cni_window *w)
{
    return op_scratch(CNI_TASK_PARTITION, part, w);
}

void cni_library_partition(const cni_part *part, const cni_run *run)
{
    op_run(CNI_TASK_PARTITION, part, run);
}
