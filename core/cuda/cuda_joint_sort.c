/*
 * cuda_joint_sort.c - a line that several places sort together (exec/joint_device.h): each sorts its own by radix.cuh, counts
 * digits where pieces may begin (joint_sort.cuh), and merges what it gets, run by run (merge.cuh).
 *
 *     memory: low, high and counts by place, then what sorting a line takes, or elements and numbers between merges
 */
#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"
#include "cuda/cuda_joint.h"
#include "cuda/cuda_library.h"

enum { THREADS = 256, MERGE_TILE = 4096, COUNTS_MOST = 1 << 12 /* a place's bytes, with two numbers */ };

typedef struct sorting {
    cni_cuda_library_binding line;
    const cni_cuda_module *merges, *looks;
    int64_t itemsize, places, most;
    bool indices;
} sorting;

/* As merge.cuh has it. */
typedef struct merge_words {
    uint64_t from, to, from_places, to_places, indices;
    int64_t begin, middle, end, first, stop, last;
} merge_words;

/* As joint_sort.cuh has it. */
typedef struct look_words {
    uint64_t values, low, high, counts;
    int64_t shift, digits;
    uint64_t from, to, places;
    int64_t n, first;
} look_words;

static const cni_cuda_module *compiled(const sorting *s, cn_dtype dtype, const char *kernels)
{
    cni_text text = {0};
    cni_cuda_sort_text(dtype, s->itemsize, s->indices, kernels, &text);
    const cni_cuda_module *module = text.data != NULL ? cni_cuda_module_begin(text.data) : NULL;
    cni_text_free(&text);
    return module;
}

void *cni_cuda_joint_sort_bind(cn_dtype dtype, bool indices, int places, int64_t most, int64_t *memory)
{
    sorting *s = cni_alloc_zero(1, sizeof *s);
    if (s == NULL || !cni_cuda_enter() || cni_cuda_failure() != NULL) {
        cni_free(s);
        return NULL;
    }
    s->itemsize = (int64_t)cn_dtype_size(dtype);
    s->places = places;
    s->most = most;
    s->indices = indices;
    bool fine = cni_cuda_sort_line_bind(dtype, indices, most, &s->line);
    s->merges = fine ? compiled(s, dtype, "#define RAW 1\n#include \"cuda/merge.cuh\"") : NULL;
    s->looks = fine ? compiled(s, dtype, "#include \"cuda/joint_sort.cuh\"\n/* CNI_FINISH */") : NULL;
    if (s->merges == NULL || s->looks == NULL) {
        cni_free(s);
        return NULL;
    }
    int64_t between = cni_cuda_aligned(most * s->itemsize) + (indices ? most * 8 : 0);
    *memory = places * COUNTS_MOST + (s->line.scratch > between ? s->line.scratch : between);
    return s;
}

static uint64_t behind_counts(const sorting *s, const cni_sorting *x)
{
    return (uintptr_t)x->memory + (uint64_t)(s->places * COUNTS_MOST);
}

void cni_cuda_joint_sort_own(const void *there, const cni_sorting *x)
{
    const sorting *s = there;
    cni_cuda_library_binding line = s->line;
    uint64_t to = (uintptr_t)(s->indices ? x->asked_indices : x->asked);
    if (x->n == 0 || !cni_cuda_enter()) {
        return;
    }
    line.p.sort.n = x->n;
    cni_cuda_sort_line(&line, (uintptr_t)x->in, to, behind_counts(s, x));
    if (s->indices) {
        look_words w = {
            .from = (uintptr_t)x->in, .to = (uintptr_t)x->asked, .places = to, .n = x->n, .first = x->first};
        cni_cuda_launch(s->looks->finish, (x->n + THREADS - 1) / THREADS, THREADS, 1, &w, sizeof w);
    }
}

cn_status cni_cuda_joint_sort_tally(const void *there, const cni_sorting *x, const int64_t *low, const int64_t *high,
                                    int shift, int bits, int64_t *counts)
{
    const sorting *s = there;
    int64_t size = s->places * 8;
    look_words w = {.values = (uintptr_t)x->asked, .shift = shift, .digits = (int64_t)1 << bits};
    w.low = (uintptr_t)x->memory;
    w.high = w.low + (uint64_t)size;
    w.counts = w.high + (uint64_t)size;
    if (!cni_cuda_enter()) {
        return cni_fail(CN_ERROR_INTERNAL, "%s", cni_cuda_failure());
    }
    CN_TRY(cni_cuda_joint_tell(w.low, low, size));
    CN_TRY(cni_cuda_joint_tell(w.high, high, size));
    cni_cuda_launch(s->looks->kernel, s->places, THREADS, 1, &w, sizeof w);
    return cni_cuda_joint_fetch(counts, w.counts, size << bits);
}

/* ---- Merges ---- */

/* Elements and their numbers. */
typedef struct run_at {
    uint64_t values, numbers;
} run_at;

/* Of `width` places' runs two become one, from one memory to the other; the last end in out. */
static void merge_level(const sorting *s, const cni_sorting *x, int64_t width, run_at from, run_at to)
{
    bool last = 2 * width >= s->places;
    int64_t at = 0;
    for (int64_t place = 0; place < s->places; place += 2 * width) {
        merge_words w = {.from = from.values, .from_places = from.numbers, .to = to.values, .to_places = to.numbers};
        w.indices = (uintptr_t)x->out;
        w.begin = w.first = w.middle = at;
        for (int64_t k = place; k < place + 2 * width && k < s->places; k++) {
            at += x->runs[k];
            w.middle += k < place + width ? x->runs[k] : 0;
        }
        w.end = w.stop = at;
        w.last = last;
        cni_cuda_launch(s->merges->kernel, (w.stop - w.first + MERGE_TILE - 1) / MERGE_TILE, THREADS, 1, &w, sizeof w);
    }
}

void cni_cuda_joint_sort_merge(const void *there, const cni_sorting *x)
{
    const sorting *s = there;
    run_at from = {(uintptr_t)x->heard, (uintptr_t)x->heard_indices}, to = {.values = behind_counts(s, x)};
    to.numbers = to.values + (uint64_t)cni_cuda_aligned(s->most * s->itemsize);
    if (!cni_cuda_enter()) {
        return;
    }
    for (int64_t width = 1; width < s->places; width *= 2) {
        bool last = 2 * width >= s->places;
        run_at turn = from;
        if (last && !s->indices) {
            to.values = (uintptr_t)x->out;
        }
        merge_level(s, x, width, from, to);
        from = to;
        to = turn;
    }
}
