/*
 * cuda_joint.c - see cuda_joint.h. What several places choose by masks (select.cuh), and rows by index that they fetch or
 * put (joint_rows.cuh). All kernels are the first GPU's.
 *
 *     memory, choosing: count, tiles (tiles.cuh)
 *     moving: counts, cursors and cuts by place, where each piece went, and of what is put the last row of each piece owned
 */
#include "cuda/cuda_joint.h"

#include "base/memory.h"
#include "base/stats.h"
#include "base/status.h"
#include "base/text.h"
#include "cuda/cuda_graph.h"
#include "cuda/cuda_kernel.h"
#include "cuda/cuda_layout.h"

enum { THREADS = 256, ITEMS = 4, SELECT_TILE = 4096, COUNT_BYTES = 16, WORD_MOST = 8 };
enum { ANSWER, TAKE_OWN, TAKE, SEND, PUT_HEARD, PUT_OWN }; /* as joint_rows.cuh has them */

static bool usable(void)
{
    return cni_cuda_enter() && cni_cuda_failure() == NULL;
}

static const cni_cuda_module *compiled(cni_text *text)
{
    const cni_cuda_module *module = text->data != NULL ? cni_cuda_module_begin(text->data) : NULL;
    cni_text_free(text);
    return module;
}

cn_status cni_cuda_joint_fetch(void *host, uint64_t device, int64_t nbytes)
{
    cni_stats.moves++;
    cni_stats.move_bytes += (uint64_t)nbytes;
    return cni_process_device->download(host, (const void *)(uintptr_t)device, nbytes);
}

cn_status cni_cuda_joint_tell(uint64_t device, const void *host, int64_t nbytes)
{
    cni_stats.moves++;
    cni_stats.move_bytes += (uint64_t)nbytes;
    return cni_process_device->upload((void *)(uintptr_t)device, host, nbytes);
}

cn_status cni_cuda_joint_ask(const cni_cuda_module *kernels, int64_t count, const void *words, size_t size,
                             int64_t *placing, uint64_t counts, int64_t places, int64_t *sent)
{
    enum { OF_BLOCK = CNI_CUDA_ASKING_THREADS * CNI_CUDA_ASKING_ITEMS };
    unsigned found[CNI_CUDA_ASKING_PLACES] = {0};
    int64_t blocks = (count + OF_BLOCK - 1) / OF_BLOCK;
    if (!cni_cuda_enter()) {
        return cni_fail(CN_ERROR_INTERNAL, "%s", cni_cuda_failure());
    }
    if (count > 0) {
        cni_cuda_fill(counts, 0, (size_t)(2 * cni_cuda_aligned(places * 4)));
        cni_cuda_launch(kernels->kernel, blocks, CNI_CUDA_ASKING_THREADS, 1, words, size);
        CN_TRY(cni_cuda_joint_fetch(found, counts, places * 4));
        *placing = 1;
        cni_cuda_launch(kernels->kernel, blocks, CNI_CUDA_ASKING_THREADS, 1, words, size);
    }
    for (int64_t place = 0; place < places; place++) {
        sent[place] = found[place];
    }
    return CN_OK;
}

/* ---- By mask ---- */

typedef struct choosing {
    const cni_cuda_module *module;
    int64_t itemsize;
} choosing;

/* As select.cuh has it. */
typedef struct choosing_words {
    uint64_t truth, array, out, scratch;
    int64_t n, aligned, begin, stop;
    uint64_t counts;
    int64_t gpu, threads;
    uint64_t asked;
    int64_t at, before, low, high;
} choosing_words;

static int64_t select_tiles(int64_t n)
{
    return (n + SELECT_TILE - 1) / SELECT_TILE;
}

static int64_t tiles_bytes(int64_t n)
{
    return 16 + 16 * select_tiles(n);
}

static void *choose_bind(int64_t itemsize, bool places, int64_t n, int64_t *memory)
{
    choosing *c = cni_alloc(sizeof *c);
    cni_text text = {0};
    if (c == NULL || !usable() || select_tiles(n) > INT32_MAX) {
        cni_free(c);
        return NULL;
    }
    cni_text_add(&text, "#define CNI_COOPERATIVE\n#include \"cuda/prelude.cuh\"\n#include \"op/complex.h\"\n");
    if (!places) {
        cni_text_add(&text, "#define TYPE %s\n", cni_cuda_word(itemsize));
    }
    cni_text_add(&text, "#define COUNTED 1\n#define PLACES 1\n#include \"cuda/select.cuh\"\n/* CNI_FINISH */\n");
    *c = (choosing){compiled(&text), itemsize};
    *memory = COUNT_BYTES + tiles_bytes(n);
    if (c->module == NULL) {
        cni_free(c);
        return NULL;
    }
    return c;
}

static choosing_words choosing_of(const cni_choosing *x)
{
    uint64_t memory = (uintptr_t)x->memory;
    return (choosing_words){.truth = (uintptr_t)x->truth,
                            .array = (uintptr_t)x->array,
                            .scratch = memory + COUNT_BYTES,
                            .n = x->n,
                            .aligned = (uintptr_t)x->truth % 16 == 0,
                            .stop = select_tiles(x->n),
                            .counts = memory,
                            .at = x->at};
}

static cn_status choose_count(const void *there, const cni_choosing *x, int64_t *count)
{
    const choosing *c = there;
    choosing_words words = choosing_of(x);
    int64_t most = 8 * (int64_t)cni_cuda_gpu.processors, blocks = words.stop < most ? words.stop : most;
    if (!cni_cuda_enter()) {
        return cni_fail(CN_ERROR_INTERNAL, "%s", cni_cuda_failure());
    }
    words.threads = blocks * THREADS;
    cni_cuda_fill(words.counts, 0, COUNT_BYTES);
    cni_cuda_launch(c->module->finish, blocks, THREADS, 1, &words, sizeof words);
    return cni_cuda_joint_fetch(count, words.counts, sizeof *count);
}

static void choose(const void *there, const cni_choosing *x)
{
    const choosing *c = there;
    choosing_words words = choosing_of(x);
    if (!cni_cuda_enter()) {
        return;
    }
    words.before = x->first;
    words.low = x->low;
    words.high = x->high;
    words.out = (uintptr_t)x->out;
    /* those before the place's own part come first, then those behind it */
    words.asked = (uintptr_t)x->asked - (uint64_t)(x->first * c->itemsize);
    cni_cuda_fill(words.scratch, 0, (size_t)tiles_bytes(x->n));
    cni_cuda_launch(c->module->kernel, words.stop, THREADS, 1, &words, sizeof words);
}

/* ---- By index ---- */

typedef struct moving {
    const cni_cuda_module *asks, *moves;
    int64_t word, places, most, owned;
    bool puts;
} moving;

/* As joint_rows.cuh has it. */
typedef struct moving_words {
    int64_t mode, placing;
    uint64_t array, own, index;
    int64_t index_step, step, words, piece, pieces, count, order, me, first, nheard;
    uint64_t cuts, counts, cursors, positions, last, asked, heard, asked_rows, heard_rows;
} moving_words;

static int64_t counts_bytes(const moving *m)
{
    return cni_cuda_aligned(m->places * 4);
}

static void *move_bind(int64_t bytes, bool puts, int places, int64_t most, int64_t owned, int64_t *memory)
{
    moving *m = cni_alloc(sizeof *m);
    cni_text asks = {0}, moves = {0};
    int64_t word = bytes > 0 ? bytes & -bytes : 1;
    word = word < WORD_MOST ? word : WORD_MOST;
    if (m == NULL || !usable() || places > CNI_CUDA_ASKING_PLACES || bytes == 0 || most >= UINT32_MAX) {
        cni_free(m);
        return NULL;
    }
    bool wide = most > INT32_MAX / 2 / places / (bytes / word);
    *m = (moving){.word = word, .places = places, .most = most, .owned = owned, .puts = puts};
    cni_text_add(
        &asks,
        "#define CNI_COOPERATIVE\n#include \"cuda/prelude.cuh\"\n#define ASK 1\n#define PUTS %d\n#define PLACES %d\n"
        "typedef %s index_t;\n#include \"cuda/joint_rows.cuh\"\n",
        (int)puts, places, wide ? "uint64_t" : "uint32_t");
    cni_text_add(&moves,
                 "#include \"cuda/prelude.cuh\"\n#define ASK 0\n#define PUTS %d\n#define TYPE %s\ntypedef %s index_t;\n"
                 "#include \"cuda/joint_rows.cuh\"\n%s",
                 (int)puts, cni_cuda_word(word), wide ? "uint64_t" : "uint32_t", puts ? "/* CNI_FINISH */\n" : "");
    m->asks = compiled(&asks);
    m->moves = compiled(&moves);
    *memory =
        2 * counts_bytes(m) + cni_cuda_aligned((places + 1) * 8) + cni_cuda_aligned(most * 4) + (puts ? owned * 8 : 0);
    if (m->asks == NULL || m->moves == NULL) {
        cni_free(m);
        return NULL;
    }
    return m;
}

static moving_words moving_of(const moving *m, const cni_moving *x, int64_t mode)
{
    moving_words w = {.mode = mode,
                      .array = (uintptr_t)x->array,
                      .own = (uintptr_t)x->own,
                      .index = (uintptr_t)x->index,
                      .index_step = x->index_step,
                      .step = x->step,
                      .words = x->bytes / m->word,
                      .piece = x->piece,
                      .pieces = x->pieces,
                      .count = x->count,
                      .order = x->order,
                      .me = x->me,
                      .first = x->cuts[x->me],
                      .nheard = x->nheard,
                      .asked = (uintptr_t)x->asked,
                      .heard = (uintptr_t)x->heard,
                      .asked_rows = (uintptr_t)x->asked_rows,
                      .heard_rows = (uintptr_t)x->heard_rows};
    w.counts = (uintptr_t)x->memory;
    w.cursors = w.counts + (uint64_t)counts_bytes(m);
    w.cuts = w.cursors + (uint64_t)counts_bytes(m);
    w.positions = w.cuts + (uint64_t)cni_cuda_aligned((m->places + 1) * 8);
    w.last = w.positions + (uint64_t)cni_cuda_aligned(m->most * 4);
    return w;
}

static cn_status move_begin(const void *there, const cni_moving *x)
{
    const moving *m = there;
    moving_words w = moving_of(m, x, 0);
    if (!cni_cuda_enter()) {
        return cni_fail(CN_ERROR_INTERNAL, "%s", cni_cuda_failure());
    }
    if (m->puts) {
        cni_cuda_fill(w.last, 0xFF, (size_t)(x->cuts[x->me + 1] - x->cuts[x->me]) * 8);
    }
    return cni_cuda_joint_tell(w.cuts, x->cuts, (m->places + 1) * 8);
}

static void launch(const moving *m, const moving_words *w)
{
    int64_t n = (w->mode == ANSWER || w->mode == PUT_HEARD ? w->nheard : w->count) * w->words;
    cni_cuda_launch(m->moves->kernel, (n + THREADS * ITEMS - 1) / (THREADS * ITEMS), THREADS, 1, w, sizeof *w);
}

static cn_status ask(const void *there, const cni_moving *x, int64_t *sent)
{
    const moving *m = there;
    moving_words w = moving_of(m, x, SEND);
    return cni_cuda_joint_ask(m->asks, x->count, &w, sizeof w, &w.placing, w.counts, m->places, sent);
}

static void find_last(const moving *m, const cni_moving *x, int64_t mode)
{
    moving_words w = moving_of(m, x, mode);
    int64_t n = mode == PUT_OWN ? x->count : x->nheard;
    cni_cuda_launch(m->moves->finish, (n + THREADS - 1) / THREADS, THREADS, 1, &w, sizeof w);
}

static void move(const void *there, const cni_moving *x, cni_moving_step step)
{
    static const int64_t modes[] = {[CNI_MOVE_OWN] = TAKE_OWN, [CNI_MOVE_ANSWER] = ANSWER,  [CNI_MOVE_TAKE] = TAKE,
                                    [CNI_MOVE_SEND] = SEND,    [CNI_MOVE_LAST] = PUT_HEARD, [CNI_MOVE_PUT] = PUT_HEARD};
    const moving *m = there;
    moving_words w = moving_of(m, x, modes[step]);
    if (!cni_cuda_enter()) {
        return;
    }
    if (step == CNI_MOVE_LAST) {
        find_last(m, x, PUT_HEARD);
        find_last(m, x, PUT_OWN);
        return;
    }
    launch(m, &w);
    if (step == CNI_MOVE_PUT) {
        w.mode = PUT_OWN;
        launch(m, &w);
    }
}

const cni_joint_device cni_cuda_joint = {.choose_bind = choose_bind,
                                         .choose_count = choose_count,
                                         .choose = choose,
                                         .move_bind = move_bind,
                                         .move_begin = move_begin,
                                         .ask = ask,
                                         .move = move,
                                         .sort_bind = cni_cuda_joint_sort_bind,
                                         .sort_own = cni_cuda_joint_sort_own,
                                         .sort_tally = cni_cuda_joint_sort_tally,
                                         .sort_merge = cni_cuda_joint_sort_merge,
                                         .search_bind = cni_cuda_joint_search_bind,
                                         .search_first = cni_cuda_joint_search_first,
                                         .search_begin = cni_cuda_joint_search_begin,
                                         .search_ask = cni_cuda_joint_search_ask,
                                         .search_answer = cni_cuda_joint_search_answer,
                                         .search_take = cni_cuda_joint_search_take};
