/* standin.h - what the parts of the stand-in driver share. */
#ifndef STANDIN_H
#define STANDIN_H

#include <stdbool.h>
#include <stddef.h>

/* A compiled text, loaded: its functions take the address of their parameters. */
typedef void (*standin_kernel)(const void *parameters);

typedef struct standin_hooks {
    unsigned thread[2], block, block_size[2], shared; /* shared: bytes */
    void (*barrier)(void);
    unsigned (*shuffle)(unsigned mask, unsigned word, int lane);
} standin_hooks;

typedef struct standin_function {
    standin_kernel kernel;
    standin_hooks *hooks;
    bool cooperative; /* threads of a block wait for each other */
    int device;
    unsigned shared; /* most bytes that a launch may give a block */
} standin_function;

/* Is this call to fail? */
bool standin_fails(const char *kind);

unsigned standin_random(unsigned n);

/* Queues the kernel, whichever device it was loaded for. */
int standin_launch(const standin_function *f, unsigned blocks, unsigned x, unsigned y, unsigned shared, void *stream,
                   const void *parameters, size_t size);

/* Runs all blocks, in some order. */
void standin_run(const standin_function *f, unsigned blocks, unsigned x, unsigned y, const void *parameters);

/* Queues job(context), which is called until it says that it is done, with the device's memory in reach; a thread sees to it. */
void standin_queue(void *stream, bool (*job)(void *context), void *context);

/* Calls job(context) when all that was queued in the stream (NULL: the first device's) has run, with the device's memory in reach; gives its result. */
int standin_now(void *stream, int (*job)(void *context), void *context);

#define STANDIN_API __attribute__((visibility("default")))

#endif
