/*
 * cuda_graph.c - see cuda_graph.h.
 *
 *     a key of addresses      seen first: remembered; the work goes to the stream at once
 *                             seen again: written down too, then made a graph
 *                             with a graph: nothing is sent, parameters that differ are set in it; then it is launched
 *
 * A graph is a list of steps, each behind the one before it. What the list has is all it needs: when the driver refuses
 * the graph, the steps go to the stream one by one.
 */
#include "cuda/cuda_graph.h"

#include <string.h>

#include "base/memory.h"
#include "base/stats.h"

enum { GRAPHS = 8, KEYS = 16, LEAST_STEPS = 3, UNUSED_RUNS = 64 };

typedef enum step_kind { KERNEL, FILL, COPY } step_kind;

typedef struct step {
    step_kind kind;
    unsigned char byte;
    unsigned blocks, x, y;
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
static bool foreign;
static steps written;  /* WRITE_DOWN */
static graph *current; /* REPLAY; the one to be made */
static size_t next;
static bool refused;

/* ---- Sending ---- */

static bool send_kernel(cni_cuda_handle function, unsigned blocks, unsigned x, unsigned y, const void *parameters,
                        size_t size)
{
    void *extra[] = {(void *)1 /* the parameters */, (void *)(uintptr_t)parameters, (void *)2 /* their size */, &size,
                     NULL};
    cni_stats.device_launches++;
    return cni_cuda_check(cni_cuda.launch(function, blocks, 1, 1, x, y, 1, 0, cni_cuda_gpu.stream, NULL, extra),
                          "a launch");
}

static void send(const step *s, const unsigned char *bytes)
{
    if (s->kind == KERNEL) {
        send_kernel(s->function, s->blocks, s->x, s->y, bytes + s->at, s->size);
    } else if (s->kind == FILL) {
        cni_cuda_check(cni_cuda.memory_fill(s->to, s->byte, s->size, cni_cuda_gpu.stream), "a fill");
    } else {
        cni_cuda_check(cni_cuda.copy(s->to, s->from, s->size, cni_cuda_gpu.stream), "a copy");
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
    return (kernel_node){.function = s->function, .grid = {s->blocks, 1, 1}, .block = {s->x, s->y, 1}, .extra = extra};
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

void cni_cuda_launch(cni_cuda_handle function, int64_t blocks, unsigned x, unsigned y, const void *parameters,
                     size_t size)
{
    if (blocks <= 0) {
        return;
    }
    if (now == REPLAY) {
        replay_kernel(parameters);
        return;
    }
    send_kernel(function, (unsigned)blocks, x, y, parameters, size);
    if (now == WRITE_DOWN) {
        write_down(
            (step){.kind = KERNEL, .function = function, .blocks = (unsigned)blocks, .x = x, .y = y, .size = size},
            parameters);
    }
}

static void do_step(step s)
{
    if (now == REPLAY) {
        next++; /* addresses and sizes are the key's and the binding's */
        return;
    }
    send(&s, NULL);
    if (now == WRITE_DOWN) {
        write_down(s, NULL);
    }
}

void cni_cuda_fill(cni_cuda_address to, unsigned char byte, size_t n)
{
    do_step((step){.kind = FILL, .to = to, .byte = byte, .size = n});
}

void cni_cuda_copy(cni_cuda_address to, cni_cuda_address from, size_t n)
{
    do_step((step){.kind = COPY, .to = to, .from = from, .size = n});
}

void cni_cuda_foreign(void)
{
    foreign = true;
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
    return cni_cuda.graph_fill(&s->node, g->graph, before, nbefore, &node, cni_cuda_gpu.context) == 0;
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
    return cni_cuda.graph_copy(&s->node, g->graph, before, nbefore, &node, cni_cuda_gpu.context) == 0;
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
    for (size_t i = 0; i < g->steps.count && made; i++) {
        made = add[g->steps.list[i].kind](g, &g->steps.list[i], i > 0 ? &g->steps.list[i - 1].node : NULL, i > 0);
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
    foreign = false;
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
    if (!refused && cni_cuda.graph_launch(current->exec, cni_cuda_gpu.stream) == 0) {
        cni_stats.graphs++;
        return;
    }
    for (size_t i = 0; i < current->steps.count; i++) {
        send(&current->steps.list[i], current->steps.bytes);
    }
    m->never = true;
}

void cni_cuda_plan_end(void **memory)
{
    plan_memory *m = *memory;
    if (now == REPLAY) {
        replay_end(m);
    } else if (now == WRITE_DOWN) {
        m->never = foreign || written.count < LEAST_STEPS || !graph_make(current, m->keys[0]);
        current->last_use = m->clock;
    }
    now = PLAIN;
}

void cni_cuda_plan_forget(void *memory)
{
    plan_memory *m = memory;
    for (int i = 0; m != NULL && i < GRAPHS; i++) {
        graph_free(&m->graphs[i]);
    }
    cni_free(m);
}
