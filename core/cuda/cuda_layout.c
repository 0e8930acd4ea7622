/* cuda_layout.c - see cuda_layout.h. */
#include "cuda/cuda_layout.h"

#include <stdio.h>
#include <string.h>

#include "cuda/cuda_driver.h"
#include "op/op.h"

static uint32_t at_least_one(uint32_t n)
{
    return n > 0 ? n : 1;
}

static uint32_t scalar_slots(const cni_cuda_layout *l)
{
    return at_least_one(l->nscalar + 2 * l->nreduction);
}

static uint32_t dims(const cni_cuda_layout *l)
{
    return at_least_one((uint32_t)l->nest.ndim);
}

size_t cni_cuda_layout_scalar(const cni_cuda_layout *l, uint32_t scalar)
{
    (void)l;
    return CNI_CUDA_COUNTS + 2 * (size_t)scalar;
}

size_t cni_cuda_layout_address(const cni_cuda_layout *l, uint32_t access)
{
    return CNI_CUDA_COUNTS + 2 * (size_t)scalar_slots(l) + access;
}

int64_t cni_cuda_layout_inner(const cni_cuda_layout *l, uint32_t access)
{
    return l->nest.ndim > 0 ? l->nest.strides[(size_t)access * CN_MAX_DIMS + (size_t)l->nest.ndim - 1] : 0;
}

const char *cni_cuda_word(int64_t itemsize)
{
    static const char *const words[] = {"uint8_t", "uint16_t", "uint32_t", "uint64_t", "cni_c128"};
    return words[__builtin_ctzll((uint64_t)itemsize)];
}

const char *cni_cuda_type(const cni_cuda_layout *l, uint32_t access)
{
    return cni_dtypes[l->w->views[l->part->access[access].view].dtype].type;
}

static void find_classes(cni_cuda_layout *l)
{
    size_t row = (size_t)l->nest.ndim * sizeof(int64_t);
    for (uint32_t a = 0; a < l->part->naccess; a++) {
        const int64_t *strides = &l->nest.strides[(size_t)a * CN_MAX_DIMS];
        uint32_t k = 0;
        while (k < l->nclass && memcmp(strides, &l->nest.strides[(size_t)l->member[k] * CN_MAX_DIMS], row) != 0) {
            k++;
        }
        if (k == l->nclass) {
            l->member[l->nclass++] = a;
        }
        l->class_of[a] = k;
    }
}

static bool fill_words(cni_cuda_layout *l, cni_arena *arena)
{
    size_t strides = CNI_CUDA_COUNTS + 2 * (size_t)scalar_slots(l) + at_least_one(l->part->naccess) + dims(l);
    l->size = (strides + (size_t)at_least_one(l->nclass) * dims(l)) * sizeof(int64_t);
    l->words = cni_arena_alloc(arena, l->size);
    if (l->words == NULL || l->size > cni_cuda_gpu.parameter_bytes) {
        return false;
    }
    memcpy(l->words + strides - dims(l), l->nest.shape, (size_t)l->nest.ndim * sizeof(int64_t));
    for (uint32_t k = 0; k < l->nclass; k++) {
        memcpy(l->words + strides + (size_t)k * dims(l), &l->nest.strides[(size_t)l->member[k] * CN_MAX_DIMS],
               (size_t)l->nest.ndim * sizeof(int64_t));
    }
    return true;
}

bool cni_cuda_layout_make(const cni_part *part, const cni_window *w, cni_arena *arena, cni_cuda_layout *l)
{
    *l = (cni_cuda_layout){.part = part, .w = w, .pushed = CNI_NONE};
    l->class_of = cni_arena_alloc(arena, (part->naccess + 1) * sizeof *l->class_of);
    l->member = cni_arena_alloc(arena, (part->naccess + 1) * sizeof *l->member);
    if (l->class_of == NULL || l->member == NULL || !cni_nest_make(part, w, arena, &l->nest)) {
        return false;
    }
    for (uint32_t i = 0; i < part->ninstr; i++) {
        l->nscalar += part->instr[i].kind == CNI_INSTR_SCALAR;
        l->nreduction += part->instr[i].kind == CNI_INSTR_REDUCE;
    }
    find_classes(l);
    int64_t count = 1;
    for (int d = 0; d < l->nest.ndim; d++) {
        count *= l->nest.shape[d];
    }
    l->wide = count > INT32_MAX / 2;
    return l->nreduction <= CNI_CUDA_REDUCTIONS && fill_words(l, arena);
}

bool cni_cuda_loads_what_it_stored(const cni_part *part)
{
    for (uint32_t i = 0; i < part->ninstr; i++) {
        for (uint32_t k = 0; k < i && part->instr[i].kind == CNI_INSTR_LOAD; k++) {
            if (part->instr[k].kind == CNI_INSTR_STORE &&
                part->access[part->instr[k].access].slot == part->access[part->instr[i].access].slot) {
                return true;
            }
        }
    }
    return false;
}

void cni_cuda_layout_names(uint32_t number, cni_text *text)
{
    static const char *const names[] = {"parameters", "index_t"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cni_text_add(text, "#undef %s\n#define %s %s_%u\n", names[i], names[i], names[i], number);
    }
}

void cni_cuda_layout_headers(bool headers, bool events, cni_text *text)
{
    cni_text_add(text, "#include \"op/%s.h\"\n%s%s\n", headers ? "convert" : "complex",
                 events && headers ? "#define CNI_COMPLEX_EVENTS\n" : "",
                 events ? "#include \"cuda/events.cuh\"\n" : "");
}

void cni_cuda_layout_write(const cni_cuda_layout *l, cni_text *text)
{
    cni_text_add(text, "typedef %s index_t;\n", l->wide ? "uint64_t" : "uint32_t");
    cni_text_add(text,
                 "typedef struct parameters {\n    int64_t n[%d];\n    uint64_t scalars[%u][2];\n    char *a[%u];\n    "
                 "int64_t shape[%u];\n"
                 "    int64_t strides[%u][%u];\n} parameters;\n\n",
                 (int)CNI_CUDA_COUNTS, scalar_slots(l), at_least_one(l->part->naccess), dims(l),
                 at_least_one(l->nclass), dims(l));
}

void cni_cuda_index_write(int d, cni_text *text)
{
    cni_text_add(text, "    const index_t i%d = rest %% (index_t)p->shape[%d];\n    rest /= (index_t)p->shape[%d];\n",
                 d, d, d);
}

void cni_cuda_statement(const cni_cuda_layout *l, cni_statements *x, uint32_t i, bool ask, cni_text *text)
{
    if (ask) {
        cni_cuda_watch_ask(&l->watch, x, i, text);
    } else {
        cni_statement(x, &l->part->instr[i]);
        cni_cuda_watch_value(&l->watch, i, text);
    }
}

void cni_cuda_events_write(const cni_cuda_layout *l, cni_text *text)
{
    char table[32];
    snprintf(table, sizeof table, "p->n[%d]", CNI_CUDA_EVENTS);
    cni_cuda_watch_end(&l->watch, table, text);
}

void cni_cuda_scalars_write(const cni_cuda_layout *l, const char *p, cni_text *text)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->part->ninstr; i++) {
        const cni_instr *x = &l->part->instr[i];
        if (x->kind == CNI_INSTR_SCALAR) {
            const char *type = cni_dtypes[x->dtype].type;
            cni_text_add(text, "    const %s r%u = *(const %s *)%sscalars[%u];\n", type, x->dst[0], type, p, n++);
        }
    }
}
