/*
 * cuda_search.c - where values go in a sorted vector: one that the place has all of (search.cuh), or that several places have
 * pieces of (joint_search.cuh, exec/joint_device.h). Complex ones are the processor's.
 *
 *     memory of the latter: counts and cursors by place, first elements of pieces, their owners, where each value went
 */
#include <stdio.h>

#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"
#include "cuda/cuda_joint.h"
#include "cuda/cuda_library.h"

enum { THREADS = 256 };

typedef cni_cuda_library_binding binding;

static const cni_cuda_module *compiled(cn_dtype dtype, bool right, const char *words)
{
    cni_text kernels = {0}, text = {0};
    const cni_cuda_module *module = NULL;
    cni_text_add(&kernels, "#define RIGHT %d\n%s", (int)right, words);
    if (kernels.data != NULL) {
        cni_cuda_sort_text(dtype, (int64_t)cn_dtype_size(dtype), true, kernels.data, &text);
    }
    if (text.data != NULL) {
        module = cni_cuda_module_begin(text.data);
    }
    cni_text_free(&kernels);
    cni_text_free(&text);
    return module;
}

/* ---- Of a vector that is here ---- */

static bool is_dense(const cni_geometry *g)
{
    return cni_is_contiguous(g->ndim, g->shape, g->strides, g->itemsize, false);
}

bool cni_cuda_search_bind(const cni_part *part, const cni_window *w, binding *b)
{
    cni_geometry out = cni_cuda_operand(part, w, 0), sorted = cni_cuda_operand(part, w, 1),
                 values = cni_cuda_operand(part, w, 2);
    cn_dtype dtype = cni_cuda_operand_dtype(part, w, 1);
    bool right = (w->ops[part->op].flags & CNI_FLAG_RIGHT) != 0;
    b->p.search.n = sorted.shape[0];
    b->p.search.count = cni_element_count(values.ndim, values.shape);
    b->blocks = (b->p.search.count + THREADS - 1) / THREADS;
    if (dtype >= CN_COMPLEX64 || !is_dense(&out) || !is_dense(&sorted) || !is_dense(&values) || b->blocks > INT32_MAX) {
        return false;
    }
    b->module = compiled(dtype, right, "#include \"cuda/search.cuh\"\n");
    return b->module != NULL;
}

void cni_cuda_search_run(const cni_part *part, binding *b, const cni_run *run)
{
    b->p.search.out = cni_cuda_operand_address(part, run, 0);
    b->p.search.sorted = cni_cuda_operand_address(part, run, 1);
    b->p.search.values = cni_cuda_operand_address(part, run, 2);
    cni_cuda_library_launch(b, sizeof b->p.search, b->p.search.values);
}

/* ---- Of one that places have pieces of ---- */

typedef struct searching {
    const cni_cuda_module *module;
    int64_t item, places;
} searching;

/* As joint_search.cuh has it. */
typedef struct search_words {
    int64_t me, placing;
    uint64_t counts, cursors;
    uint64_t sorted, firsts, values, owners, results;
    int64_t n, from, pieces, count, nheard, takes;
    uint64_t asked, heard, asked_answers, heard_answers, positions;
} search_words;

void *cni_cuda_joint_search_bind(cn_dtype dtype, bool right, int places, int64_t most, int64_t *memory)
{
    searching *s = cni_alloc(sizeof *s);
    char words[80];
    if (s == NULL || !cni_cuda_enter() || cni_cuda_failure() != NULL || places > CNI_CUDA_ASKING_PLACES ||
        dtype >= CN_COMPLEX64 || most >= UINT32_MAX) {
        cni_free(s);
        return NULL;
    }
    snprintf(words, sizeof words, "#define PLACES %d\n#include \"cuda/joint_search.cuh\"\n/* CNI_FINISH */\n", places);
    *s = (searching){compiled(dtype, right, words), (int64_t)cn_dtype_size(dtype), places};
    if (s->module == NULL) {
        cni_free(s);
        return NULL;
    }
    *memory = 3 * cni_cuda_aligned(s->places * 4) + cni_cuda_aligned(s->places * s->item) + cni_cuda_aligned(most * 4);
    return s;
}

static search_words words_of(const searching *s, const cni_searching *x)
{
    search_words w = {.me = x->me,
                      .sorted = (uintptr_t)x->sorted,
                      .values = (uintptr_t)x->values,
                      .results = (uintptr_t)x->results,
                      .n = x->n,
                      .from = x->from,
                      .pieces = x->pieces,
                      .count = x->count,
                      .nheard = x->nheard,
                      .asked = (uintptr_t)x->asked,
                      .heard = (uintptr_t)x->heard,
                      .asked_answers = (uintptr_t)x->asked_answers,
                      .heard_answers = (uintptr_t)x->heard_answers};
    uint64_t numbers = (uint64_t)cni_cuda_aligned(s->places * 4);
    w.counts = (uintptr_t)x->memory;
    w.cursors = w.counts + numbers;
    w.owners = w.cursors + numbers;
    w.firsts = w.owners + numbers;
    w.positions = w.firsts + (uint64_t)cni_cuda_aligned(s->places * s->item);
    return w;
}

cn_status cni_cuda_joint_search_first(const void *there, const cni_searching *x, void *first)
{
    const searching *s = there;
    if (!cni_cuda_enter()) {
        return cni_fail(CN_ERROR_INTERNAL, "%s", cni_cuda_failure());
    }
    return cni_cuda_joint_fetch(first, (uintptr_t)x->sorted, s->item);
}

cn_status cni_cuda_joint_search_begin(const void *there, const cni_searching *x, const void *firsts, const int *owners)
{
    const searching *s = there;
    search_words w = words_of(s, x);
    if (!cni_cuda_enter()) {
        return cni_fail(CN_ERROR_INTERNAL, "%s", cni_cuda_failure());
    }
    CN_TRY(cni_cuda_joint_tell(w.owners, owners, x->pieces * (int64_t)sizeof *owners));
    return cni_cuda_joint_tell(w.firsts, firsts, x->pieces * s->item);
}

cn_status cni_cuda_joint_search_ask(const void *there, const cni_searching *x, int64_t *sent)
{
    const searching *s = there;
    search_words w = words_of(s, x);
    return cni_cuda_joint_ask(s->module, x->count, &w, sizeof w, &w.placing, w.counts, s->places, sent);
}

static void finish(const searching *s, const cni_searching *x, bool takes)
{
    search_words w = words_of(s, x);
    int64_t n = takes ? x->count : x->nheard;
    w.takes = takes;
    if (cni_cuda_enter()) {
        cni_cuda_launch(s->module->finish, (n + THREADS - 1) / THREADS, THREADS, 1, &w, sizeof w);
    }
}

void cni_cuda_joint_search_answer(const void *there, const cni_searching *x)
{
    finish(there, x, false);
}

void cni_cuda_joint_search_take(const void *there, const cni_searching *x)
{
    finish(there, x, true);
}
