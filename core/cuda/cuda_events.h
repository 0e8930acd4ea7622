/*
 * cuda_events.h - floating-point events from the device to the program: tables that kernels write into, and who looks at
 * them.
 *
 * Every kernel whose ops can have events has a table, as long as it is bound: its address is a parameter that stays, so
 * that graphs stay as they are. What is in a table is told whenever somebody waits for the device anyway: then the host
 * sees, in its own memory, whether there is anything. What ran several times since is told once; a kernel that runs for
 * other lines of the program meanwhile has another table for them.
 */
#ifndef CNI_CUDA_EVENTS_H
#define CNI_CUDA_EVENTS_H

#include "exec/place.h"

enum { CNI_CUDA_TABLES = 4 };

typedef struct cni_cuda_table cni_cuda_table;

/* Those of one kernel. */
typedef struct cni_cuda_tables {
    uint32_t count; /* words */
    uint32_t *ops;  /* of the window, by word */
    cni_cuda_table *of[CNI_CUDA_TABLES];
} cni_cuda_tables;

/* False without memory. */
bool cni_cuda_tables_make(cni_cuda_tables *t, uint32_t count, const uint32_t *ops);
void cni_cuda_tables_free(cni_cuda_tables *t);

/* The address of the run's table: a parameter. 0: nobody asks. */
int64_t cni_cuda_events_begin(cni_cuda_tables *t, const cni_run *run);

/* While a plan is being run (hold), its kernels may not have been sent: nobody looks at their tables. */
void cni_cuda_events_hold(bool hold);

/* Is there a table that nobody has looked at since its kernel was sent? */
bool cni_cuda_events_pending(void);

/* After all work was waited for: tells what is in the tables. */
void cni_cuda_events_look(void);

#endif
