/*
 * standin_threads.c - the threads of a block, one after the other; where they wait for each other, as fibers.
 *
 * A barrier is passed when every thread that has not ended waits at it; a shuffle when all threads of its mask do.
 */
#include "standin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum { THREADS = 1024, STACK = 128 << 10, WARP = 32 };

typedef enum state { READY, AT_BARRIER, AT_SHUFFLE, ENDED } state;

typedef struct fiber {
    ucontext_t context;
    char *stack;
    state state;
    unsigned mask, word, result;
    int lane;
} fiber;

static fiber fibers[THREADS];
static ucontext_t scheduler;
static int current;
static const standin_function *running;
static const void *running_parameters;

static void give_way(state s)
{
    fibers[current].state = s;
    swapcontext(&fibers[current].context, &scheduler);
}

static void barrier(void)
{
    give_way(AT_BARRIER);
}

static unsigned shuffle(unsigned mask, unsigned word, int lane)
{
    fiber *f = &fibers[current];
    if ((mask >> (current % WARP) & 1) == 0) {
        fprintf(stderr, "standin: a thread shuffles outside of its mask\n");
        abort();
    }
    f->mask = mask;
    f->word = word;
    f->lane = lane;
    give_way(AT_SHUFFLE);
    return f->result;
}

static void body(void)
{
    running->kernel(running_parameters);
    fibers[current].state = ENDED;
    swapcontext(&fibers[current].context, &scheduler);
}

static void place(standin_hooks *hooks, int thread, unsigned x)
{
    hooks->thread[0] = (unsigned)thread % x;
    hooks->thread[1] = (unsigned)thread / x;
}

/* A bit for each word of the warp that is not 0. */
static unsigned ballot(int warp)
{
    unsigned bits = 0;
    for (int k = 0; k < WARP; k++) {
        bits |= (unsigned)(fibers[warp + k].word != 0) << k;
    }
    return bits;
}

/* All of the mask of some waiting thread are there: their values are exchanged. */
static bool pass_shuffles(int count)
{
    bool any = false;
    for (int t = 0; t < count; t++) {
        unsigned mask = fibers[t].mask;
        int warp = t / WARP * WARP;
        bool there = fibers[t].state == AT_SHUFFLE;
        for (int k = 0; k < WARP && there; k++) {
            there = (mask >> k & 1) == 0 ||
                    (warp + k < count && fibers[warp + k].state == AT_SHUFFLE && fibers[warp + k].mask == mask);
        }
        for (int k = 0; k < WARP && there; k++) {
            if ((mask >> k & 1) != 0) {
                fiber *f = &fibers[warp + k];
                f->result = f->lane >= 0 ? fibers[warp + f->lane % WARP].word : ballot(warp);
            }
        }
        for (int k = 0; k < WARP && there; k++) {
            fibers[warp + k].state = (mask >> k & 1) != 0 ? READY : fibers[warp + k].state;
        }
        any |= there;
    }
    return any;
}

static bool pass_barrier(int count)
{
    bool all = true, any = false;
    for (int t = 0; t < count; t++) {
        all &= fibers[t].state == AT_BARRIER || fibers[t].state == ENDED;
        any |= fibers[t].state == AT_BARRIER;
    }
    for (int t = 0; t < count && all; t++) {
        fibers[t].state = fibers[t].state == AT_BARRIER ? READY : fibers[t].state;
    }
    return all && any;
}

static void run_together(const standin_function *f, int count, unsigned x)
{
    volatile int ended = 0;
    for (int t = 0; t < count; t++) {
        fiber *b = &fibers[t];
        b->stack = b->stack != NULL ? b->stack : malloc(STACK);
        getcontext(&b->context);
        b->context.uc_stack = (stack_t){.ss_sp = b->stack, .ss_size = STACK};
        b->context.uc_link = &scheduler;
        makecontext(&b->context, body, 0);
        b->state = READY;
    }
    while (ended < count) {
        bool any = false;
        for (int k = 0; k < count; k++) {
            int t = count - 1 - k; /* not the order that code might hope for */
            if (fibers[t].state == READY) {
                any = true;
                current = t;
                place(f->hooks, t, x);
                swapcontext(&scheduler, &fibers[t].context);
                ended = ended + (fibers[t].state == ENDED);
            }
        }
        bool passed = pass_shuffles(count);
        passed = pass_barrier(count) || passed;
        if (!any && !passed && ended < count) {
            fprintf(stderr, "standin: the threads of a block wait for each other for ever\n");
            abort();
        }
    }
}

void standin_run(const standin_function *f, unsigned blocks, unsigned x, unsigned y, const void *parameters)
{
    int count = (int)(x * y);
    running = f;
    running_parameters = parameters;
    f->hooks->barrier = barrier;
    f->hooks->shuffle = shuffle;
    f->hooks->block_size[0] = x;
    f->hooks->block_size[1] = y;
    for (unsigned k = 0; k < blocks; k++) {
        f->hooks->block = blocks - 1 - k;
        if (f->cooperative) {
            run_together(f, count, x);
            continue;
        }
        for (int t = 0; t < count; t++) {
            place(f->hooks, t, x);
            f->kernel(parameters);
        }
    }
}
