/*
 * cuda_graph.c - see cuda_graph.h.
 *
 *     a key of addresses      seen first: remembered; the work goes to the stream at once
 *                             seen again: written down too, then made a graph
 *                             with a graph: nothing is sent, parameters that differ are set in it; then it is launched
 *
 * A graph is a list of steps, each behind all of the level before its own (cuda_stream.h): steps of one level are one
 * launch's, on several GPUs. What the list has is all it needs: when the driver refuses the graph, the steps are sent one
 * by one.
 */
#include "cuda/cuda_graph.h"

#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "cuda/cuda_events.h"
#include "cuda/cuda_spread.h"
#include "cuda/cuda_stream.h"

enum { GRAPHS = 8, KEYS = 16, LEAST_STEPS = 3, UNUSED_RUNS = 64, LEVEL_MOST = 2 * CNI_CUDA_GPUS };

typedef enum step_kind { KERNEL, FILL, COPY } step_kind;

typedef struct step {
    step_kind kind;
    unsigned char byte;
    int gpu;
    uint32_t set;                  /* the GPUs of its level, at the level's first step; else 0 */
    unsigned blocks, x, y, shared; /* shared: bytes */
    cni_cuda_handle function, node;
    cni_cuda_address to, from;
    size_t size, at; /* bytes: of the fill or copy; of the parameters, which begin there */
} step;

typedef struct steps {
    step *list;
    unsigned char *bytes; /* parameters */
    size_t count, capacity, nbytes, bytes_capacity;
} steps;

typedef struct graph {
    uint64_t key, last_use;
    cni_cuda_handle graph, exec;
    steps steps;
} graph;

typedef struct plan_memory {
    bool never;          /* libraries send work, or the driver makes no graph */
    uint64_t keys[KEYS]; /* seen, the newest first */
    uint64_t clock;
    graph graphs[GRAPHS];
} plan_memory;

typedef enum mode { PLAIN, WRITE_DOWN, REPLAY } mode;

static mode now;
static bool foreign, unsettled;
static steps written;  /* WRITE_DOWN */
static graph *current; /* REPLAY; the one to be made */
static size_t next;
static bool refused;

/* ---- Sending ---- */

static void send_kernel(const step *s, const void *parameters, cni_cuda_handle stream)
{
    size_t size = s->size;
    void *extra[] = {(void *)1 /* the parameters */, (void *)(uintptr_t)parameters, (void *)2 /* their size */, &size,
                     NULL};
    cni_stats.device_launches++;
    cni_cuda_check(cni_cuda.launch(s->function, s->blocks, 1, 1, s->x, s->y, 1, s->shared, stream, NULL, extra),
                   "a launch");
}

/* In the order of levels; the thread's context is the step's GPU's behind it. */
static void send(const step *s, const void *parameters)
{
    if (s->set != 0) {
        cni_cuda_step(s->set);
    }
    cni_cuda_handle stream = cni_cuda_stream(s->gpu);
    if (s->kind == KERNEL) {
        send_kernel(s, parameters, stream);
    } else if (s->kind == FILL) {
        cni_cuda_check(cni_cuda.memory_fill(s->to, s->byte, s->size, stream), "a fill");
    } else {
        cni_cuda_check(cni_cuda.copy(s->to, s->from, s->size, stream), "a copy");
    }
}

/* ---- Steps ---- */

static void steps_free(steps *s)
{
    cni_free(s->list);
    cni_free(s->bytes);
    *s = (steps){0};
}

static void write_down(step s, const void *parameters)
{
    steps *w = &written;
    size_t nbytes = s.kind == KERNEL ? (s.size + 15) / 16 * 16 : 0;
    if (!cni_grow((void **)&w->list, &w->capacity, w->count + 1, sizeof *w->list) ||
        !cni_grow((void **)&w->bytes, &w->bytes_capacity, w->nbytes + nbytes + 1, 1)) {
        foreign = true;
        return;
    }
    s.at = w->nbytes;
    if (nbytes > 0) {
        memcpy(w->bytes + s.at, parameters, s.size);
    }
    w->nbytes += nbytes;
    w->list[w->count++] = s;
}

typedef struct kernel_node {
    cni_cuda_handle function;
    unsigned grid[3], block[3], shared;
    void **parameters, **extra;
    void *kernel, *context;
} kernel_node;

/* CUDA_KERNEL_NODE_PARAMS of the step; extra has room for five. */
static kernel_node kernel_node_of(step *s, unsigned char *bytes, void **extra)
{
    extra[0] = (void *)1;
    extra[1] = bytes + s->at;
    extra[2] = (void *)2;
    extra[3] = &s->size;
    extra[4] = NULL;
    return (kernel_node){.function = s->function,
                         .grid = {s->blocks, 1, 1},
                         .block = {s->x, s->y, 1},
                         .shared = s->shared,
                         .extra = extra};
}

/* The parameters are as in the graph, or are set in it. */
static void replay_kernel(const void *parameters)
{
    steps *w = &current->steps;
    step *s = &w->list[next++];
    if (memcmp(w->bytes + s->at, parameters, s->size) == 0) {
        return;
    }
    void *extra[5];
    memcpy(w->bytes + s->at, parameters, s->size);
    kernel_node node = kernel_node_of(s, w->bytes, extra);
    refused = refused || cni_cuda.graph_kernel_set(current->exec, s->node, &node) != 0;
}

static void do_step(step s, const void *parameters)
{
    if (now == REPLAY && s.kind == KERNEL) {
        replay_kernel(parameters);
        return;
    }
    if (now == REPLAY) {
        next++; /* addresses and sizes are the key's and the binding's */
        return;
    }
    send(&s, parameters);
    if (now == WRITE_DOWN) {
        write_down(s, parameters);
    }
}

static void launch(const cni_cuda_handle *functions, const int64_t *blocks, step each, const void *const *parameters)
{
    uint32_t set = 0;
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        set |= blocks[k] > 0 ? 1u << k : 0;
    }
    cni_stats.shared_launches += (set & (set - 1)) != 0;
    for (int k = 0; set >> k != 0; k++) {
        if ((set >> k & 1) != 0) {
            bool first = (set & ((1u << k) - 1)) == 0;
            each.gpu = k;
            each.set = first ? set : 0;
            each.function = functions[k];
            each.blocks = (unsigned)blocks[k];
            do_step(each, parameters[k]);
        }
    }
    cni_cuda_step_end();
}

void cni_cuda_launch_each(const cni_cuda_handle *functions, const int64_t *blocks, unsigned x, unsigned y,
                          const void *const *parameters, size_t size)
{
    launch(functions, blocks, (step){.kind = KERNEL, .x = x, .y = y, .size = size}, parameters);
}

void cni_cuda_launch(const cni_cuda_handle *functions, int64_t blocks, unsigned x, unsigned y, const void *parameters,
                     size_t size)
{
    int64_t of_gpus[CNI_CUDA_GPUS] = {blocks};
    cni_cuda_launch_each(functions, of_gpus, x, y, &parameters, size);
}

void cni_cuda_launch_shared(const cni_cuda_handle *functions, int64_t blocks, unsigned x, unsigned shared,
                            const void *parameters, size_t size)
{
    int64_t of_gpus[CNI_CUDA_GPUS] = {blocks};
    launch(functions, of_gpus, (step){.kind = KERNEL, .x = x, .y = 1, .shared = shared, .size = size}, &parameters);
}

/* A fill or copy, by those that have what it writes. */
static void move(step whole)
{
    uint32_t set = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t done = 0, n; done < whole.size; done += n) {
            step s = whole;
            s.gpu = cni_cuda_owner(whole.to + done, whole.size - done, &n);
            s.to += done;
            if (whole.kind == COPY) {
                s.from += done;
                cni_cuda_owner(s.from, n, &n);
            }
            s.size = n;
            s.set = done == 0 ? set : 0;
            if (pass == 1) {
                do_step(s, NULL);
            } else {
                set |= 1u << s.gpu;
            }
        }
    }
    cni_cuda_step_end();
}

void cni_cuda_fill(cni_cuda_address to, unsigned char byte, size_t n)
{
    move((step){.kind = FILL, .to = to, .byte = byte, .size = n});
}

void cni_cuda_copy(cni_cuda_address to, cni_cuda_address from, size_t n)
{
    move((step){.kind = COPY, .to = to, .from = from, .size = n});
}

void cni_cuda_foreign(void)
{
    foreign = true;
    cni_cuda_step(1);
    cni_cuda_stream(0);
}

void cni_cuda_unsettled(void)
{
    unsettled = true;
}

/* ---- Graphs ---- */

static bool add_fill(graph *g, step *s, const cni_cuda_handle *before, size_t nbefore)
{
    const struct {
        cni_cuda_address to;
        size_t pitch;
        unsigned value, item;
        size_t width, height;
    } node = {s->to, s->size, s->byte, 1, s->size, 1};
    return cni_cuda.graph_fill(&s->node, g->graph, before, nbefore, &node, cni_cuda_gpu.contexts[s->gpu]) == 0;
}

static bool add_copy(graph *g, step *s, const cni_cuda_handle *before, size_t nbefore)
{
    enum { DEVICE = 2 };
    typedef struct side {
        size_t x, y, z, level;
        unsigned kind;
        void *host;
        cni_cuda_address device;
        void *array, *reserved;
        size_t pitch, height;
    } side;
    const struct {
        side from, to;
        size_t width, height, depth;
    } node = {.from = {.kind = DEVICE, .device = s->from, .pitch = s->size, .height = 1},
              .to = {.kind = DEVICE, .device = s->to, .pitch = s->size, .height = 1},
              .width = s->size,
              .height = 1,
              .depth = 1};
    return cni_cuda.graph_copy(&s->node, g->graph, before, nbefore, &node, cni_cuda_gpu.contexts[s->gpu]) == 0;
}

static bool add_kernel(graph *g, step *s, const cni_cuda_handle *before, size_t nbefore)
{
    void *extra[5];
    kernel_node node = kernel_node_of(s, g->steps.bytes, extra);
    return cni_cuda.graph_kernel(&s->node, g->graph, before, nbefore, &node) == 0;
}

static void graph_free(graph *g)
{
    bool usable = cni_cuda_enter(); /* not in the child of a fork */
    if (usable && g->exec != NULL) {
        cni_cuda.graph_exec_destroy(g->exec);
    }
    if (usable && g->graph != NULL) {
        cni_cuda.graph_destroy(g->graph);
    }
    steps_free(&g->steps);
    *g = (graph){0};
}

/* From what was written down, which it takes. */
static bool graph_make(graph *g, uint64_t key)
{
    static bool (*const add[])(graph *, step *, const cni_cuda_handle *,
                               size_t) = {[KERNEL] = add_kernel, [FILL] = add_fill, [COPY] = add_copy};
    *g = (graph){.key = key, .steps = written};
    written = (steps){0};
    bool made = cni_cuda.graph_create(&g->graph, 0) == 0;
    cni_cuda_handle before[LEVEL_MOST] = {0}, level[LEVEL_MOST] = {0}; /* nodes of the level before, and of this one */
    size_t nbefore = 0, nlevel = 0;
    for (size_t i = 0; i < g->steps.count && made; i++) {
        step *s = &g->steps.list[i];
        if (s->set != 0) {
            memcpy(before, level, sizeof before);
            nbefore = nlevel;
            nlevel = 0;
        }
        made = add[s->kind](g, s, before, nbefore);
        level[nlevel++] = s->node;
    }
    made = made && cni_cuda.graph_instantiate(&g->exec, g->graph, 0) == 0;
    if (!made) {
        graph_free(g);
    }
    return made;
}

static graph *graph_find(plan_memory *m, uint64_t key)
{
    for (int i = 0; i < GRAPHS; i++) {
        if (m->graphs[i].exec != NULL && m->graphs[i].key == key) {
            return &m->graphs[i];
        }
    }
    return NULL;
}

/* A free one, or one out of use; NULL: more addresses recur than there are graphs. */
static graph *graph_free_one(plan_memory *m)
{
    graph *oldest = &m->graphs[0];
    for (int i = 1; i < GRAPHS; i++) {
        oldest = m->graphs[i].last_use < oldest->last_use ? &m->graphs[i] : oldest;
    }
    if (oldest->exec != NULL && m->clock - oldest->last_use < UNUSED_RUNS) {
        return NULL;
    }
    graph_free(oldest);
    return oldest;
}

/* ---- Plans ---- */

/* Was the key seen before? It is the newest now. */
static bool key_seen(plan_memory *m, uint64_t key)
{
    int k = 0;
    while (k < KEYS - 1 && m->keys[k] != key) {
        k++;
    }
    bool seen = m->keys[k] == key;
    memmove(m->keys + 1, m->keys, (size_t)k * sizeof *m->keys);
    m->keys[0] = key;
    return seen;
}

void cni_cuda_plan_begin(void **memory, uint64_t key)
{
    plan_memory *m = *memory;
    if (m == NULL) {
        *memory = m = cni_alloc_zero(1, sizeof *m);
    }
    now = PLAIN;
    foreign = unsettled = false;
    cni_cuda_events_hold(true);
    if (m == NULL || m->never) {
        return;
    }
    m->clock++;
    current = graph_find(m, key);
    if (current != NULL) {
        now = REPLAY;
        next = 0;
        refused = false;
        current->last_use = m->clock;
    } else if (key_seen(m, key) && (current = graph_free_one(m)) != NULL) {
        now = WRITE_DOWN;
        written.count = written.nbytes = 0;
    }
}

static void replay_end(plan_memory *m)
{
    cni_cuda_step(1);
    if (!refused && cni_cuda.graph_launch(current->exec, cni_cuda_stream(0)) == 0) {
        cni_stats.graphs++;
        return;
    }
    for (size_t i = 0; i < current->steps.count; i++) {
        send(&current->steps.list[i], current->steps.bytes + current->steps.list[i].at);
    }
    cni_cuda_step_end();
    m->never = true;
}

void cni_cuda_plan_end(void **memory)
{
    plan_memory *m = *memory;
    if (now == REPLAY) {
        replay_end(m);
    } else if (now == WRITE_DOWN && !unsettled) {
        m->never = foreign || written.count < LEAST_STEPS || !graph_make(current, m->keys[0]);
        current->last_use = m->clock;
    }
    now = PLAIN;
    cni_cuda_events_hold(false);
}

void cni_cuda_plan_forget(void *memory)
{
    plan_memory *m = memory;
    for (int i = 0; m != NULL && i < GRAPHS; i++) {
        graph_free(&m->graphs[i]);
    }
    cni_free(m);
}
