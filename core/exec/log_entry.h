/*
 * log_entry.h - an entry of the log, as rank 0 writes it (log.c) and the others read it (log_apply.c).
 *
 *   entry  = head | settings that changed | bases that are gone | what the kind needs
 *   window = [block] | scalars | bases        block = geometry | views | ops | shapes: sent once, then known by its number
 *
 * Bases have a number that rank 0 gives when it first mentions them; spread buffers have one that every process counts
 * alike. An entry says which buffer a base has at rank 0, so that what happened there alone (a copy made for somebody else,
 * an array taken back) is known before it matters.
 */
#ifndef CNI_LOG_ENTRY_H
#define CNI_LOG_ENTRY_H

#include "exec/spread.h"

typedef enum cni_entry_kind {
    CNI_ENTRY_STOP,
    CNI_ENTRY_WINDOW,
    CNI_ENTRY_FETCH,
    CNI_ENTRY_EVENTS,
    CNI_ENTRY_FILE,
    CNI_ENTRY_TRACE
} cni_entry_kind;

typedef struct cni_entry_head {
    uint32_t kind, nsettings, nfree;
    uint32_t agree, alone, have;
    uint32_t nops, nviews, nbases, nshapes, nscalars, ngeometry, nhomes; /* window; nhomes: of ngeometry, at the end */
    uint32_t block, block_bytes; /* window; 0 bytes: the others have the block */
    uint64_t hash;               /* window */
    uint64_t number;             /* fetch, file */
    int64_t low, high;
    int64_t offset; /* file; have: it is written; the path follows */
} cni_entry_head;

typedef struct cni_entry_base {
    uint64_t known, number;
    int64_t nbytes;
    uint8_t state, live, home_ndim, home_itemsize;
} cni_entry_base;

/* Blocks that were sent, at both ends: one for each remainder of their hashes. */
enum { CNI_LOG_BLOCKS = 1024 };

typedef struct cni_log_block {
    char *data;
    size_t size, capacity;
} cni_log_block;

extern cni_log_block cni_log_blocks[CNI_LOG_BLOCKS];

/* Makes it the block with this content; false without memory. */
bool cni_log_block_keep(cni_log_block *block, const void *data, size_t size);

/* The owner's part of bytes [low, high), as a message; false: none. */
bool cni_log_part(const cni_buffer *buffer, int owner, int64_t low, int64_t high, cni_message *out);

/* Collective: rank 0 gets the floating-point events that the others saw, as if it had seen them. */
cn_status cni_log_events_gather(const cni_rank_memory *memory);

#endif
