/*
 * arena.h - memory that is freed together: one arena a plan.
 */
#ifndef CNI_ARENA_H
#define CNI_ARENA_H

#include <stddef.h>

typedef struct cni_arena {
    struct cni_arena_block *blocks;
    size_t used, capacity; /* of the newest block */
} cni_arena;

/* Zeroed memory, 16-byte aligned; NULL without memory. */
void *cni_arena_alloc(cni_arena *arena, size_t size);
void *cni_arena_raw(cni_arena *arena, size_t size); /* the same, not zeroed */
void *cni_arena_copy(cni_arena *arena, const void *data, size_t size);
void cni_arena_destroy(cni_arena *arena); /* frees all; the arena is empty and usable again */
void cni_arena_reset(cni_arena *arena);   /* the same, but the largest block is kept for what comes */

#endif
