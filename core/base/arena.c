/* arena.c - see arena.h. */
#include "base/arena.h"

#include <string.h>

#include "base/memory.h"

struct cni_arena_block {
    struct cni_arena_block *next;
    size_t padding;
    char data[];
};

enum { FIRST_BLOCK = 4096 };

void *cni_arena_raw(cni_arena *arena, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (arena->blocks == NULL || arena->used + size > arena->capacity) {
        size_t capacity = arena->capacity == 0 ? FIRST_BLOCK : arena->capacity * 2;
        capacity = capacity < size ? size : capacity;
        struct cni_arena_block *block = cni_alloc(sizeof *block + capacity);
        if (block == NULL) {
            return NULL;
        }
        block->next = arena->blocks;
        arena->blocks = block;
        arena->used = 0;
        arena->capacity = capacity;
    }
    char *memory = arena->blocks->data + arena->used;
    arena->used += size;
    return memory;
}

void *cni_arena_alloc(cni_arena *arena, size_t size)
{
    void *memory = cni_arena_raw(arena, size);
    return memory == NULL ? NULL : memset(memory, 0, size);
}

void *cni_arena_copy(cni_arena *arena, const void *data, size_t size)
{
    void *memory = cni_arena_raw(arena, size);
    return memory == NULL || size == 0 ? memory : memcpy(memory, data, size); /* data may be NULL then */
}

static void free_blocks(struct cni_arena_block *block)
{
    while (block != NULL) {
        struct cni_arena_block *next = block->next;
        cni_free(block);
        block = next;
    }
}

void cni_arena_destroy(cni_arena *arena)
{
    free_blocks(arena->blocks);
    *arena = (cni_arena){0};
}

void cni_arena_reset(cni_arena *arena)
{
    if (arena->blocks != NULL) { /* blocks grow: the newest is the largest */
        free_blocks(arena->blocks->next);
        arena->blocks->next = NULL;
    }
    arena->used = 0;
}
