/*
 * cuda_group.c - groups of one launch bound to one geometry: their compiled kernel, and the parameters that stay.
 *
 * Groups that do not reduce share a kernel, whose parameters are theirs one after the other; one that reduces has its
 * own.
 */
#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "base/status.h"
#include "cuda/cuda_events.h"
#include "cuda/cuda_graph.h"
#include "cuda/cuda_kernel.h"
#include "cuda/cuda_layout.h"
#include "cuda/cuda_split.h"
#include "cuda/cuda_trial.h"
#include "cuda/cuda_wave.h"
#include "exec/place.h"
#include "op/op.h"

enum { INSTRUCTIONS_MOST = 512 };
/* Ops that ask would take registers that the rest leaves: a thread with one element gets along with 40, but for so many ops. */
enum { EVENTS_MANY = 64 };

typedef struct member {
    cni_cuda_layout layout;
    int64_t blocks;
    uint32_t *scalars; /* of the window, by scalar of the program; CNI_NONE: any value */
} member;

struct cni_cuda_group {
    cni_arena arena;
    uint32_t count;
    member *members;
    cni_cuda_shape shape;
    const cni_cuda_module *module, *cold; /* cold: its cold form, until the module is there; else NULL */
    int64_t *words;                       /* parameters of all */
    int64_t *each[CNI_CUDA_GPUS];         /* the same, as each GPU gets them, if there are several */
    size_t size;                          /* bytes */
    int64_t *found;                       /* of a range: words as the device leaves them, by result */
    cni_left *left;                       /* the same for others, by result and reduction */
    cni_cuda_tables tables;               /* events of all members */
};

/* ---- What a reduction begins with, and its identity ---- */

static void set_begin(cni_cuda_layout *l, const cni_instr *x, uint32_t k, const cni_window *w)
{
    const cni_op *op = &w->ops[x->op];
    cn_scalar identity, value;
    int64_t *begin = l->words + cni_cuda_layout_scalar(l, l->nscalar + 2 * k);
    if (cni_op_identity((int)cni_op_of_loop(x->loop), &identity) &&
        cn_scalar_cast(&identity, CN_STRONG, (cn_dtype)x->dtype, &value) == CN_OK) {
        memcpy(begin, value.value.bytes, 16);
        memcpy(begin + 2, value.value.bytes, 16);
    }
    if ((op->flags & CNI_FLAG_INITIAL) != 0) {
        memcpy(begin, w->scalars[op->args[2] & ~CNI_SCALAR].value.bytes, 16);
    }
}

static void set_scalars(const member *m, const cni_window *w)
{
    const cni_cuda_layout *l = &m->layout;
    uint32_t reduction = 0;
    for (uint32_t k = 0; k < l->nscalar; k++) {
        if (m->scalars[k] != CNI_NONE) {
            memcpy(l->words + cni_cuda_layout_scalar(l, k), w->scalars[m->scalars[k]].value.bytes, 16);
        }
    }
    for (uint32_t i = 0; i < l->part->ninstr && l->nreduction > 0; i++) {
        if (l->part->instr[i].kind == CNI_INSTR_REDUCE) {
            const cni_op *op = &w->ops[l->part->instr[i].op];
            if ((op->flags & CNI_FLAG_INITIAL) != 0) {
                memcpy(l->words + cni_cuda_layout_scalar(l, l->nscalar + 2 * reduction),
                       w->scalars[op->args[2] & ~CNI_SCALAR].value.bytes, 16);
            }
            reduction++;
        }
    }
}

/* ---- Binding ---- */

static bool is_empty(const cni_cuda_layout *l)
{
    bool empty = false;
    for (int d = 0; d < l->nest.ndim; d++) {
        empty |= l->nest.shape[d] == 0;
    }
    return empty;
}

static bool member_make(cni_cuda_group *g, member *m, const cni_part *part, const cni_window *w)
{
    uint32_t n = 0, reduction = 0;
    cni_cuda_layout *l = &m->layout;
    if (!cni_cuda_layout_make(part, w, &g->arena, l) || (is_empty(l) && part->reduces) /* rare: the processor's */ ||
        (m->scalars = cni_arena_alloc(&g->arena, (l->nscalar + 1) * sizeof *m->scalars)) == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < part->ninstr; i++) {
        if (part->instr[i].kind == CNI_INSTR_SCALAR) {
            m->scalars[n++] = part->instr[i].access;
        } else if (part->instr[i].kind == CNI_INSTR_REDUCE) {
            set_begin(l, &part->instr[i], reduction++, w);
        }
    }
    return true;
}

/* The members' parameters become one run of words. */
static bool words_join(cni_cuda_group *g)
{
    size_t done = 0;
    for (uint32_t k = 0; k < g->count; k++) {
        g->size += g->members[k].layout.size;
    }
    if (g->size > cni_cuda_gpu.parameter_bytes || (g->words = cni_arena_alloc(&g->arena, g->size)) == NULL) {
        return false;
    }
    for (uint32_t k = 0; k < g->count; k++) {
        cni_cuda_layout *l = &g->members[k].layout;
        l->words = memcpy((char *)g->words + done, l->words, l->size);
        done += l->size;
    }
    bool fine = true;
    for (int k = 0; k < cni_cuda_gpu.gpus && cni_cuda_gpu.gpus > 1; k++) {
        fine = fine && (g->each[k] = cni_arena_alloc(&g->arena, g->size)) != NULL;
    }
    return fine;
}

/* Begins the member's statements; the words of its events are behind those of the members before. */
static bool statements_begin(cni_cuda_group *g, uint32_t k, cni_arena *work, uint32_t *nevents, cni_statements *x)
{
    cni_cuda_layout *l = &g->members[k].layout;
    bool made = cni_statements_begin(x, l->part, l->w, work) && cni_cuda_watch_make(x, *nevents, &g->arena, &l->watch);
    *nevents += l->watch.count;
    return made;
}

static bool write_map(cni_cuda_group *g, cni_arena *work, uint32_t *nevents, cni_text *functions, cni_text *kernel,
                      bool *headers)
{
    uint8_t *written = cni_arena_alloc(work, UINT16_MAX + 1);
    bool made = written != NULL;
    int64_t blocks = 0;
    for (uint32_t k = 0; k < g->count && made; k++) {
        cni_statements x;
        made = statements_begin(g, k, work, nevents, &x);
        if (made) {
            x.written = written;
            x.text = functions;
            cni_statements_functions(&x);
            cni_cuda_watch_functions(&g->members[k].layout.watch, functions);
            x.text = kernel;
            made = cni_cuda_text_map(&g->members[k].layout, &x, k, kernel, &g->shape);
            *headers |= x.headers;
            g->members[k].blocks = g->shape.blocks;
            blocks += g->shape.blocks;
        }
    }
    bool few = *nevents > 0 && *nevents <= EVENTS_MANY && !g->shape.several;
    cni_text_add(kernel, "%s", *nevents > EVENTS_MANY ? CNI_CUDA_FOUR_BLOCKS : few ? CNI_CUDA_SIX_BLOCKS : "");
    cni_cuda_text_map_end(g->count, kernel);
    g->shape.blocks = blocks;
    return made;
}

static bool write_reduction(cni_cuda_group *g, cni_arena *work, uint32_t *nevents, cni_text *functions,
                            cni_text *kernel, bool *headers)
{
    cni_statements x;
    if (!statements_begin(g, 0, work, nevents, &x)) {
        return false;
    }
    x.reductions = true;
    x.text = functions;
    cni_statements_functions(&x);
    cni_cuda_watch_functions(&g->members[0].layout.watch, functions);
    x.text = kernel;
    bool made = cni_cuda_text_reduce(&g->members[0].layout, &x, kernel, &g->shape);
    g->members[0].blocks = g->shape.blocks;
    *headers = x.headers;
    return made;
}

/* The words of all members' events have names from now on. */
static bool tables_make(cni_cuda_group *g, cni_arena *work, uint32_t nevents)
{
    uint32_t *ops = cni_arena_alloc(work, (nevents + 1) * sizeof *ops), n = 0;
    for (uint32_t k = 0; k < g->count && ops != NULL; k++) {
        const cni_cuda_watch *watch = &g->members[k].layout.watch;
        memcpy(ops + n, watch->ops, watch->count * sizeof *ops);
        n += watch->count;
    }
    return ops != NULL && cni_cuda_tables_make(&g->tables, nevents, ops);
}

static bool write_text(cni_cuda_group *g, cni_text *text)
{
    uint32_t nevents = 0;
    cni_arena work = {0};
    cni_text functions = {0}, kernel = {0};
    bool headers = false;
    bool made = g->members[0].layout.part->reduces ? write_reduction(g, &work, &nevents, &functions, &kernel, &headers)
                                                   : write_map(g, &work, &nevents, &functions, &kernel, &headers);
    made = made && tables_make(g, &work, nevents);
    if (made) {
        cni_text_add(text, "#include \"cuda/prelude.cuh\"\n");
        cni_cuda_layout_headers(headers, nevents > 0, text);
        cni_text_join(text, &functions);
        cni_text_join(text, &kernel);
        made = text->data != NULL;
    }
    cni_text_free(&functions);
    cni_text_free(&kernel);
    cni_arena_destroy(&work);
    return made;
}

static bool fill(cni_cuda_group *g, const cni_placed_part *parts)
{
    cni_text text = {0};
    bool made = (g->members = cni_arena_alloc(&g->arena, g->count * sizeof *g->members)) != NULL;
    for (uint32_t k = 0; k < g->count && made; k++) {
        made = member_make(g, &g->members[k], parts[k].part, parts[k].window);
    }
    made = made && words_join(g) && write_text(g, &text) && g->shape.blocks <= INT32_MAX &&
           (g->module = cni_cuda_module_begin(text.data)) != NULL;
    cni_text_free(&text);
    if (made && g->tables.count > 0 && !g->members[0].layout.part->reduces && !g->shape.no_trial) {
        g->cold = cni_cuda_trial_module(g->module);
    }
    for (uint32_t k = 0; k < g->count && made; k++) {
        g->members[k].layout.w = NULL; /* of this run alone */
    }
    return made;
}

/* How many of the parts may share a kernel. */
static uint32_t together(const cni_placed_part *parts, uint32_t count)
{
    uint32_t n = 0, ninstr = 0;
    while (n < count && n < CNI_PARTS_TOGETHER && parts[n].part->kind == CNI_PART_GROUP && !parts[n].part->reduces &&
           (n == 0 || ninstr + parts[n].part->ninstr <= INSTRUCTIONS_MOST)) {
        ninstr += parts[n++].part->ninstr;
    }
    return n > 0 ? n : 1;
}

/* n parts as one group of this shape; unsupported if they cannot be. */
static cn_status group_make(const cni_placed_part *parts, uint32_t n, cni_cuda_shape shape, cni_cuda_group **out)
{
    cni_cuda_group *g = cni_alloc_zero(1, sizeof *g);
    if (g == NULL) {
        return cni_fail_memory((int64_t)sizeof *g);
    }
    g->count = n;
    g->shape = shape;
    if (!fill(g, parts)) {
        cni_cuda_group_unbind(g);
        return CN_ERROR_UNSUPPORTED;
    }
    *out = g;
    return CN_OK;
}

cn_status cni_cuda_group_bind(const cni_placed_part *parts, uint32_t count, uint32_t *taken, cni_cuda_group **out)
{
    *taken = together(parts, count);
    cn_status status = group_make(parts, *taken, (cni_cuda_shape){0}, out);
    if (status == CN_ERROR_UNSUPPORTED && *taken > 1) {
        *taken = 1;
        status = group_make(parts, 1, (cni_cuda_shape){0}, out);
    }
    return status;
}

cn_status cni_cuda_range_bind(const cni_part *part, const cni_window *w, cni_cuda_group **out)
{
    cni_cuda_group *g;
    CN_TRY(group_make(&(cni_placed_part){part, w}, 1, (cni_cuda_shape){.range = true}, &g));
    const cni_cuda_left *l = &g->shape.left;
    g->found = cni_arena_alloc(&g->arena, (size_t)l->results * l->words * sizeof *g->found);
    g->left = cni_arena_alloc(&g->arena, (size_t)l->results * l->count * sizeof *g->left);
    if (g->found == NULL || g->left == NULL) {
        cni_cuda_group_unbind(g);
        return cni_fail_memory(l->results * (int64_t)sizeof *g->left);
    }
    *out = g;
    return CN_OK;
}

_Static_assert((int)CNI_CUDA_REDUCTIONS <= (int)CNI_ROWS_MOST, "who asks for rows has room for all of them");

cn_status cni_cuda_rows_bind(const cni_part *part, const cni_window *w, bool apart, cni_cuda_group **out)
{
    cni_cuda_shape shape = {.link = apart ? CNI_CUDA_APART : CNI_CUDA_ON};
    return group_make(&(cni_placed_part){part, w}, 1, shape, out);
}

void cni_cuda_group_unbind(cni_cuda_group *g)
{
    cni_cuda_tables_free(&g->tables);
    cni_arena_destroy(&g->arena);
    cni_free(g);
}

int64_t cni_cuda_group_scratch(const cni_cuda_group *g)
{
    return g->shape.scratch + g->shape.zeroed * (cni_cuda_gpu.gpus - 1);
}

/* ---- Running ---- */

static void set_parameters(cni_cuda_group *g, const cni_run *run)
{
    int64_t events = cni_cuda_events_begin(&g->tables, run);
    for (uint32_t k = 0; k < g->count; k++) {
        const cni_cuda_layout *l = &g->members[k].layout;
        set_scalars(&g->members[k], run->window);
        for (uint32_t a = 0; a < l->part->naccess; a++) {
            char *address = (char *)run->slots[l->part->access[a].slot] + l->nest.offsets[a];
            memcpy(&l->words[cni_cuda_layout_address(l, a)], &address, sizeof address);
        }
        l->words[CNI_CUDA_BLOCKS] = g->members[k].blocks;
        l->words[CNI_CUDA_FIRST] = l->words[CNI_CUDA_GPU] = 0;
        l->words[CNI_CUDA_PARTICIPANTS] = 1;
        l->words[CNI_CUDA_EVENTS] = events;
    }
    if (g->shape.scratch > 0) {
        g->words[CNI_CUDA_SCRATCH] = (int64_t)(uintptr_t)run->scratch;
    }
}

/* Every GPU's parameters, and how many blocks it does; a part whose memory is all the first GPU's is done there. */
static bool split(cni_cuda_group *g, const cni_run *run, int64_t *blocks)
{
    double from[CNI_CUDA_GPUS], to[CNI_CUDA_GPUS];
    int64_t first[CNI_CUDA_GPUS], count[CNI_CUDA_GPUS];
    bool any = false;
    memset(blocks, 0, CNI_CUDA_GPUS * sizeof *blocks);
    for (int gpu = 0; gpu < cni_cuda_gpu.gpus; gpu++) {
        memcpy(g->each[gpu], g->words, g->size);
    }
    for (uint32_t k = 0; k < g->count; k++) {
        const cni_cuda_layout *l = &g->members[k].layout;
        if (cni_cuda_split(l, run->slots, from, to)) {
            any = true;
            cni_cuda_split_blocks(g->members[k].blocks, from, to, first, count);
        } else {
            memset(first, 0, sizeof first);
            memset(count, 0, sizeof count);
            count[0] = g->members[k].blocks;
        }
        for (int gpu = 0; gpu < cni_cuda_gpu.gpus; gpu++) {
            int64_t *words = g->each[gpu] + (l->words - g->words);
            words[CNI_CUDA_BLOCKS] = count[gpu];
            words[CNI_CUDA_FIRST] = first[gpu];
            words[CNI_CUDA_GPU] = gpu;
            blocks[gpu] += count[gpu];
        }
    }
    return any;
}

/* Rows that GPUs do one after the other. */
typedef struct row_wave {
    cni_cuda_wave wave;
    int64_t *const *each;
} row_wave;

static void set_rows(void *context, int i, int64_t first, int64_t count)
{
    enum { FROM = 5, TO = 6 };
    const row_wave *x = context;
    int64_t *words = x->each[x->wave.gpu[i]];
    words[FROM] = x->wave.from[i];
    words[TO] = x->wave.to[i];
    words[CNI_CUDA_FIRST] = first;
    words[CNI_CUDA_BLOCKS] = count;
}

/* False: all of it is the first GPU's. */
static bool send_through(cni_cuda_group *g, const cni_cuda_module *module, const cni_run *run)
{
    double from[CNI_CUDA_GPUS], to[CNI_CUDA_GPUS];
    const void *parameters[CNI_CUDA_GPUS];
    if (g->shape.through == 0 || !cni_cuda_split(&g->members[0].layout, run->slots, from, to)) {
        return false;
    }
    row_wave x = {cni_cuda_wave_of(from, to, g->words[1]), g->each};
    int64_t pieces = cni_cuda_wave_pieces(&x.wave, g->shape.through, g->shape.blocks, cni_cuda_gpu.processors);
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        parameters[k] = memcpy(g->each[k], g->words, g->size);
    }
    cni_cuda_wave_send(&x.wave, module->kernel, g->shape.blocks, pieces, g->shape.x, g->shape.y, parameters, g->size,
                       set_rows, &x);
    return true;
}

static void send(cni_cuda_group *g, const cni_cuda_module *module, const cni_run *run)
{
    if (cni_cuda_gpu.gpus > 1 && send_through(g, module, run)) {
        return;
    }
    const void *parameters[CNI_CUDA_GPUS] = {g->words};
    int64_t blocks[CNI_CUDA_GPUS] = {g->shape.blocks};
    if (cni_cuda_gpu.gpus > 1) {
        g->words[CNI_CUDA_PARTICIPANTS] = g->shape.zeroed > 0 ? cni_cuda_gpu.gpus : 1;
        if (split(g, run, blocks)) {
            for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
                parameters[k] = g->each[k];
            }
        }
    }
    if (g->shape.zeroed > 0) {
        cni_cuda_fill((uintptr_t)run->scratch, 0, (size_t)(g->shape.zeroed * g->words[CNI_CUDA_PARTICIPANTS]));
    }
    cni_cuda_launch_each(module->kernel, blocks, g->shape.x, g->shape.y, parameters, g->size);
    if (g->shape.finish_blocks > 0) {
        cni_cuda_launch(module->finish, g->shape.finish_blocks, g->shape.finish_x, g->shape.finish_y, g->words,
                        g->size);
    }
}

static void set_events(cni_cuda_group *g, int64_t address)
{
    for (uint32_t k = 0; k < g->count; k++) {
        g->members[k].layout.words[CNI_CUDA_EVENTS] = address;
    }
}

/* Nothing is odd of what the group is about to store. */
static bool tried(cni_cuda_group *g, const cni_run *run)
{
    int64_t word = cni_cuda_trial_begin();
    set_events(g, word);
    if (word != 0) {
        send(g, g->cold, run);
    }
    return word != 0 && !cni_cuda_trial_end();
}

/* Runs the cold form; false: the whole form is there, and is to run. */
static bool cold_run(cni_cuda_group *g, const cni_run *run)
{
    int64_t table = g->words[CNI_CUDA_EVENTS];
    if (cni_cuda_module_ready(g->module, false)) {
        g->cold = NULL;
        return false;
    }
    cni_cuda_unsettled();
    if (table != 0 && !tried(g, run) && cni_cuda_module_ready(g->module, true)) {
        set_events(g, table);
        g->cold = NULL;
        return false;
    }
    set_events(g, 0);
    send(g, g->cold, run);
    return true;
}

void cni_cuda_group_run(cni_cuda_group *g, const cni_run *run)
{
    set_parameters(g, run);
    if (g->cold == NULL || !cold_run(g, run)) {
        send(g, g->module, run);
    }
}

/* The leaf that begins with this element. */
static int64_t leaf_of(const cni_cuda_group *g, int64_t element)
{
    enum { BLOCK = 2, IN_BLOCK = 4, LEAF = 1024 };
    const int64_t *words = g->words;
    return element == g->shape.left.elements ? g->shape.left.leaves
                                             : element / words[BLOCK] * words[IN_BLOCK] + element % words[BLOCK] / LEAF;
}

static void left_read(const cni_cuda_group *g)
{
    const cni_cuda_left *l = &g->shape.left;
    cni_left *out = g->left;
    for (int64_t r = 0; r < l->results; r++) {
        for (uint32_t k = 0; k < l->count; k++, out++) {
            const int64_t *words = g->found + r * l->words + l->word[k];
            *out = (cni_left){.begun = !l->sum[k] && words[2] != 0};
            if (l->sum[k]) {
                memcpy(out->exact, words, sizeof out->exact[0] * (l->parts[k] ? 2 : 1));
            } else {
                memcpy(out->value, words, sizeof out->value);
            }
        }
    }
}

cn_status cni_cuda_range_run(cni_cuda_group *g, const cni_run *run, int64_t from, int64_t to, const cni_left **left)
{
    enum { FIRST_LEAF = 1, LAST_LEAF = 6 };
    int64_t nbytes = g->shape.left.results * g->shape.left.words * 8;
    g->words[FIRST_LEAF] = leaf_of(g, from);
    g->words[LAST_LEAF] = leaf_of(g, to);
    cni_cuda_group_run(g, run);
    int64_t participants = g->words[CNI_CUDA_PARTICIPANTS];
    char *behind = (char *)run->scratch + g->shape.scratch + g->shape.zeroed * (participants - 1) - nbytes;
    CN_TRY(cni_process_device->download(g->found, behind, nbytes));
    cni_stats.moves++;
    cni_stats.move_bytes += (uint64_t)nbytes;
    left_read(g);
    *left = g->left;
    return CN_OK;
}

cn_status cni_cuda_rows_run(cni_cuda_group *g, const cni_run *run, int64_t before, void *const *rows)
{
    enum { BEFORE = 5, VALUE = 16 };
    const cni_cuda_rows *l = &g->shape.rows;
    char *left = run->scratch;
    int64_t step = VALUE * l->runs * l->results;
    g->words[BEFORE] = before;
    for (uint32_t k = 0; k < l->count && g->shape.link == CNI_CUDA_ON && before > 0; k++) {
        CN_TRY(cni_process_device->upload(left + k * step, rows[k], l->bytes[k]));
        cni_stats.moves++;
        cni_stats.move_bytes += (uint64_t)l->bytes[k];
    }
    cni_cuda_group_run(g, run);
    for (uint32_t k = 0; k < l->count; k++) {
        int64_t nbytes = l->bytes[k] * (l->apart[k] ? l->runs : 1);
        CN_TRY(cni_process_device->download(rows[k], left + k * step, nbytes));
        cni_stats.moves++;
        cni_stats.move_bytes += (uint64_t)nbytes;
    }
    return CN_OK;
}
