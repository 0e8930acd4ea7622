/*
 * standin_graph.c - graphs of the stand-in driver. A launched graph's work is queued in any order that its nodes allow.
 */
#include "standin.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API __attribute__((visibility("default")))

int cuMemsetD8Async(uint64_t to, unsigned char byte, size_t n, void *stream);
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t n, void *stream);

typedef enum node_kind { KERNEL, FILL, COPY } node_kind;

/* As cuda.h has them. */
typedef struct kernel_parameters {
    void *function;
    unsigned grid[3], block[3], shared;
    void **parameters, **extra;
    void *kernel, *context;
} kernel_parameters;

typedef struct fill_parameters {
    uint64_t to;
    size_t pitch;
    unsigned value, item;
    size_t width, height;
} fill_parameters;

typedef struct side {
    size_t x, y, z, level;
    unsigned kind;
    void *host;
    uint64_t device;
    void *array, *reserved;
    size_t pitch, height;
} side;

typedef struct copy_parameters {
    side from, to;
    size_t width, height, depth;
} copy_parameters;

_Static_assert(sizeof(kernel_parameters) == 72 && sizeof(fill_parameters) == 40 && sizeof(copy_parameters) == 200,
               "the driver's structures have these sizes");

enum { BEFORE_MOST = 32 };

typedef struct node {
    struct node *next, *original;
    struct node *before[BEFORE_MOST];
    size_t nbefore;
    bool sent;
    node_kind kind;
    kernel_parameters kernel;
    size_t size; /* of the kernel's own parameters, a copy */
    void *bytes;
    fill_parameters fill;
    copy_parameters copy;
} node;

typedef struct graph {
    node *first, *last;
} graph;

static int take_kernel(node *n, const kernel_parameters *p)
{
    free(n->bytes);
    n->kernel = *p;
    n->size = *(size_t *)p->extra[3];
    n->bytes = malloc(n->size);
    memcpy(n->bytes, p->extra[1], n->size);
    return 0;
}

static int add(node **out, graph *g, node *const *before, size_t nbefore, node fresh)
{
    if (nbefore > BEFORE_MOST) {
        return 1;
    }
    node *n = malloc(sizeof *n);
    *n = fresh;
    n->nbefore = nbefore;
    for (size_t i = 0; i < nbefore; i++) {
        n->before[i] = before[i];
    }
    *(g->last != NULL ? &g->last->next : &g->first) = n;
    g->last = *out = n;
    return 0;
}

/* The copy of a graph's node in what was made of the graph. */
static node *copy_of(const graph *g, const node *original)
{
    node *n = g->first;
    while (n != NULL && n->original != original) {
        n = n->next;
    }
    return n;
}

API int cuGraphCreate(graph **out, unsigned flags)
{
    (void)flags;
    *out = calloc(1, sizeof **out);
    return 0;
}

API int cuGraphAddKernelNode_v2(node **out, graph *g, node *const *before, size_t nbefore, const kernel_parameters *p)
{
    node fresh = {.kind = KERNEL};
    take_kernel(&fresh, p);
    return add(out, g, before, nbefore, fresh);
}

API int cuGraphAddMemsetNode(node **out, graph *g, node *const *before, size_t nbefore, const fill_parameters *p,
                             void *context)
{
    if (context == NULL || p->item != 1 || p->height != 1) {
        return 1;
    }
    return add(out, g, before, nbefore, (node){.kind = FILL, .fill = *p});
}

API int cuGraphAddMemcpyNode(node **out, graph *g, node *const *before, size_t nbefore, const copy_parameters *p,
                             void *context)
{
    if (context == NULL || p->from.kind != 2 || p->to.kind != 2 || p->height != 1 || p->depth != 1) {
        return 1;
    }
    return add(out, g, before, nbefore, (node){.kind = COPY, .copy = *p});
}

API int cuGraphInstantiateWithFlags(graph **out, const graph *from, unsigned long long flags)
{
    (void)flags;
    if (standin_fails("instantiate")) {
        return 2;
    }
    graph *g = calloc(1, sizeof *g);
    for (node *n = from->first; n != NULL; n = n->next) {
        node *copy, fresh = *n, *before[BEFORE_MOST];
        fresh.next = NULL;
        fresh.original = n;
        if (n->kind == KERNEL) {
            fresh.bytes = malloc(n->size);
            memcpy(fresh.bytes, n->bytes, n->size);
        }
        for (size_t i = 0; i < n->nbefore; i++) {
            before[i] = copy_of(g, n->before[i]);
        }
        add(&copy, g, before, n->nbefore, fresh);
    }
    *out = g;
    return 0;
}

API int cuGraphExecKernelNodeSetParams_v2(graph *exec, const node *original, const kernel_parameters *p)
{
    if (standin_fails("set")) {
        return 1;
    }
    node *n = copy_of(exec, original);
    return n != NULL && n->kind == KERNEL ? take_kernel(n, p) : 1;
}

static bool ready(const node *n)
{
    bool all = !n->sent;
    for (size_t i = 0; i < n->nbefore; i++) {
        all &= n->before[i]->sent;
    }
    return all;
}

/* One of the nodes that may be next. */
static node *choose(const graph *g)
{
    node *chosen = NULL;
    unsigned found = 0;
    for (node *n = g->first; n != NULL; n = n->next) {
        if (ready(n) && standin_random(++found) == 0) {
            chosen = n;
        }
    }
    return chosen;
}

static int send(const node *n, void *stream)
{
    const kernel_parameters *k = &n->kernel;
    return n->kind == KERNEL ? standin_launch(k->function, k->grid[0], k->block[0], k->block[1], k->shared, stream, n->bytes, n->size)
           : n->kind == FILL ? cuMemsetD8Async(n->fill.to, (unsigned char)n->fill.value, n->fill.width, stream)
                             : cuMemcpyDtoDAsync_v2(n->copy.to.device, n->copy.from.device, n->copy.width, stream);
}

API int cuGraphLaunch(const graph *exec, void *stream)
{
    if (standin_fails("replay")) {
        return 1;
    }
    for (node *n = exec->first; n != NULL; n = n->next) {
        n->sent = false;
    }
    for (node *n = choose(exec); n != NULL; n = choose(exec)) {
        int code = send(n, stream);
        if (code != 0) {
            return code;
        }
        n->sent = true;
    }
    return 0;
}

static void destroy(graph *g)
{
    for (node *n = g->first; n != NULL; n = g->first) {
        g->first = n->next;
        free(n->bytes);
        free(n);
    }
    free(g);
}

API int cuGraphExecDestroy(graph *exec)
{
    destroy(exec);
    return 0;
}

API int cuGraphDestroy(graph *g)
{
    destroy(g);
    return 0;
}
