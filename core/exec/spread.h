/*
 * spread.h - runs plans over several places: of this process, or one in each process of the program.
 *
 * Every process runs the same plans in the same order with the same partitions, and does its places' shares. The root
 * (place 0) has whatever is not spread, and everything that is not shared out.
 */
#ifndef CNI_SPREAD_H
#define CNI_SPREAD_H

#include "exec/direct.h"
#include "exec/world.h"

/* Does the window concern more than the root? */
bool cni_spread_wanted(const cni_window *w, const cni_skeleton *s);

/* Bytes [low, high) of a buffer, in a file at this offset. (shards.c) */
typedef struct cni_file {
    cni_buffer *buffer;
    const char *path;
    int64_t low, high, offset;
    bool write;
} cni_file;

/* Writes or reads what places of this process have of it. */
cn_status cni_file_part(const cni_file *file);

/* Rank 0: the others do their parts too, and then agree. */
cn_status cni_log_file(const cni_file *file);

/* Floating-point events that a rank saw and has not told; more of them are dropped. */
enum { CNI_EVENTS_A_RANK = 8 };

typedef struct cni_rank_events {
    uint32_t count;
    cn_fp_event events[CNI_EVENTS_A_RANK];
} cni_rank_events;

/* Room for two messages, a direct one and the events of every rank; had once, it is there for good. */
typedef struct cni_rank_memory {
    cni_message *messages;
    cni_direct_message *direct;
    cni_rank_events *events;
} cni_rank_memory;

/* A plan made ready for a window: all that can fail has been done. */
typedef struct cni_spread_run {
    cni_plan *plan;
    const cni_window *w;
    const cni_skeleton *s;
    const struct cni_spread_binding *b;
    const cni_world *world;
    cni_buffer **buffers; /* by slot, of those that live on; own reference unless entry */
    cni_buffer **of;      /* by slot, whether it has ended or not */
    cni_buffer **idle;
    uint32_t nidle;
    void ***addresses; /* [local place][slot], on the host */
    void *scratch, *device_scratch;
    bool no_room; /* on the device */
    bool refused; /* by an op that learns while it runs what memory it needs; at all processes, before it has begun */
    cni_rank_memory ranks;
} cni_spread_run;

/* *fresh: something was made or asked of the system, so that another process may have failed. */
cn_status cni_spread_prepare(cni_plan *plan, const cni_window *w, const cni_skeleton *s, cni_spread_run *out,
                             bool *fresh);

/* Runs it; the bases have their results. Fails only if the net does, or `refused`. */
cn_status cni_spread_go(cni_spread_run *run);

void cni_spread_finish(cni_spread_run *run); /* after go, or instead of it */

/* The spread buffer with this number; NULL: none. The same number means the same buffer at every process. */
cni_buffer *cni_spread_find(uint64_t number);

/* Gives the buffer what this process's places need to have of it. */
cn_status cni_spread_attach(cni_buffer *buffer);

/* Its values are at places from now on: it gets a number, in the order of windows that run, the same everywhere. */
void cni_spread_name(cni_buffer *buffer);
void cni_spread_forget(cni_buffer *buffer); /* it has none any more */

/* cni_places.fetch: bytes [low, high) come to the root; alone: its copy is the only one then. */
cn_status cni_spread_fetch(cni_buffer *buffer, int64_t low, int64_t high, bool alone);

/* Implemented by run.c: a window that rank 0 has sent. */
cn_status cni_window_run_here(cni_window *w, const cni_skeleton *s, bool agree);

/* Does the plan have a partition for the window's geometry? */
bool cni_spread_unchanged(const cni_plan *plan, const cni_window *w);

/* ---- The log (log.c) ---- */

/* Rank 0: the others do the window too, with a plan that keeps what lives. agree: they first say whether they can
   (cni_spread_agree). */
cn_status cni_log_window(const cni_window *w, const cni_skeleton *s, const uint8_t *live, bool agree);

/* Collective: CN_OK if every process says so; else the failure of one, by name. */
cn_status cni_spread_agree(cn_status mine);

/* Rank 0: fetches from the other processes. */
cn_status cni_log_fetch(cni_buffer *buffer, int64_t low, int64_t high, bool alone);

void cni_rank_events_take(cni_rank_events *mine);

/* Had once, it is there for good. */
cn_status cni_rank_memory_get(cni_rank_memory *out);

/* Rank 0: takes them as its own, what several ranks saw of one op once. of_all_ranks: nobody has more to tell. */
cn_status cni_rank_events_hear(const cni_rank_events *all, int ranks, bool of_all_ranks);

/* cni_places.settle: rank 0 hears of all events so far. */
cn_status cni_log_settle(void);

/* cni_places.forget: the others let go of the base before the next entry. */
void cni_log_forget(cni_base *base);

#endif
