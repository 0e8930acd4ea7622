/*
 * memory.c - counted allocation with failure injection, and recycled array storage.
 *
 * Storage comes in size classes (multiples of 64 bytes up to 1 KiB, then eight classes to each power of two), and
 * every class keeps the blocks that were freed last: addresses recur, and a fresh page is touched once.
 *
 * Large storage begins anywhere in a huge page. A processor holds back a load behind a store whose physical address has the
 * same low 20 bits; the bits of a huge page are the program's own, so a loop over two arrays that both begin at a huge page
 * waits at every element (a Jacobi sweep over 1024 x 1024 took four times as long).
 */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/settings.h"
#include "cnumeric.h"

static uint64_t allocations;
static uint64_t fault_at;

/* One thread allocates, but for a few times where the net's does too: then a count may be lost. */
static int should_fail(void)
{
    uint64_t nth = __atomic_load_n(&allocations, __ATOMIC_RELAXED) + 1,
             fails = __atomic_load_n(&fault_at, __ATOMIC_RELAXED);
    __atomic_store_n(&allocations, nth, __ATOMIC_RELAXED);
    return fails != 0 && nth == fails;
}

uint64_t cn_fault_set(uint64_t nth_allocation)
{
    uint64_t made = __atomic_exchange_n(&allocations, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&fault_at, nth_allocation, __ATOMIC_RELAXED);
    return made;
}

void *cni_alloc(size_t size)
{
    return should_fail() ? NULL : malloc(size == 0 ? 1 : size);
}

void *cni_alloc_zero(size_t count, size_t size)
{
    return should_fail() ? NULL : calloc(count == 0 ? 1 : count, size);
}

void *cni_realloc(void *memory, size_t size)
{
    return should_fail() ? NULL : realloc(memory, size == 0 ? 1 : size);
}

void cni_free(void *memory)
{
    free(memory);
}

void cn_free(void *memory)
{
    cni_free(memory);
}

int cni_grow(void **items, size_t *capacity, size_t need, size_t item_size)
{
    if (need <= *capacity) {
        return 1;
    }
    size_t larger = *capacity < 16 ? 16 : *capacity * 2;
    while (larger < need) {
        larger *= 2;
    }
    void *moved = cni_realloc(*items, larger * item_size);
    if (moved == NULL) {
        return 0;
    }
    *items = moved;
    *capacity = larger;
    return 1;
}

/* ---- Array storage ---- */

enum { CLASS_COUNT = 16 + 8 * 54, ALIGNMENT = 64 };

#define HUGE_PAGE ((size_t)2 << 20)
#define LARGE HUGE_PAGE /* storage from this size on begins at a colour */
#define COLOURS ((size_t)1 << 20)
/* Freed storage is kept for the next array up to this share of what lives, or of the machine's memory if that is more. */
enum { KEEP_OF_LIVE = 2, KEEP_OF_MACHINE = 64 };

typedef struct free_block {
    struct free_block *next;
    size_t size;
} free_block;

/* Addresses that are reserved, of which a part is touched: kept, too, the oldest first given back. */
enum { RESERVED_KEPT = 64, RESERVED_SMALL = 1 << 20 };

typedef struct reserved_block {
    void *memory;
    int64_t nbytes, counted;
} reserved_block;

static free_block *free_blocks[CLASS_COUNT];
static reserved_block reserved[RESERVED_KEPT];
static int reserved_count;
static int64_t live_bytes, peak_bytes, kept_bytes, reserved_bytes;

/* Class of a size, and the size that blocks of the class have. */
static int size_class(int64_t nbytes, size_t *block_size)
{
    size_t size = nbytes < 1 ? 1 : (size_t)nbytes;
    if (size <= 1024) {
        size_t units = (size + 63) / 64;
        *block_size = units * 64;
        return (int)units - 1;
    }
    int exponent = 63 - __builtin_clzll(size - 1); /* 2^exponent < size <= 2^(exponent+1) */
    size_t step = (size_t)1 << (exponent - 3);
    size_t eighths = (size - ((size_t)1 << exponent) + step - 1) / step;
    *block_size = ((size_t)1 << exponent) + eighths * step;
    return 16 + 8 * (exponent - 10) + (int)eighths - 1;
}

/* ---- Large storage: behind its colour, in huge pages where it has whole ones ---- */

/* Where the next begins: multiples of the golden ratio are far from each other, and from those of a row's length. */
static size_t next_colour(void)
{
    static uint32_t drawn;
    drawn += 0x9e3779b9U; /* the golden ratio's part of 2^32 */
    return drawn % COLOURS / ALIGNMENT * ALIGNMENT;
}

static size_t large_size(size_t size)
{
    return (size + COLOURS + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

static void *map(size_t size, int more_flags)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | more_flags, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* Whole huge pages. What follows each other in a row is one mapping to the system, of which it has so many. */
static char *map_huge(size_t size, int more_flags)
{
    char *memory = map(size, more_flags);
    if (memory == NULL || (uintptr_t)memory % HUGE_PAGE == 0) {
        return memory;
    }
    munmap(memory, size);
    memory = map(size + HUGE_PAGE, more_flags);
    if (memory != NULL) {
        size_t before = HUGE_PAGE - (uintptr_t)memory % HUGE_PAGE;
        munmap(memory, before);
        memory += before;
        if (before < HUGE_PAGE) {
            munmap(memory + size, HUGE_PAGE - before);
        }
    }
    return memory;
}

static void *large_create(size_t size, int more_flags)
{
    char *memory = map_huge(large_size(size), more_flags);
    return memory != NULL ? memory + next_colour() : NULL;
}

static void large_destroy(void *memory, size_t size)
{
    munmap((void *)((uintptr_t)memory / HUGE_PAGE * HUGE_PAGE), large_size(size));
}

/* Bytes [low, high) will be in use. */
static void advise_huge(char *memory, int64_t low, int64_t high)
{
    uintptr_t first = ((uintptr_t)memory + (uintptr_t)low + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    uintptr_t end = ((uintptr_t)memory + (uintptr_t)high) / HUGE_PAGE * HUGE_PAGE;
    if (first < end) {
        madvise((void *)first, end - first, MADV_HUGEPAGE);
    }
}

/* ---- Blocks ---- */

static void *block_create(size_t size)
{
    if (size < LARGE) {
        return aligned_alloc(ALIGNMENT, size);
    }
    void *block = large_create(size, 0);
    if (block != NULL) {
        advise_huge(block, 0, (int64_t)size);
    }
    return block;
}

static void block_destroy(void *block, size_t size)
{
    if (size < LARGE) {
        free(block);
    } else {
        large_destroy(block, size);
    }
}

static bool over_limit(int64_t more)
{
    int64_t limit = cni_settings[CNI_SETTING_MEMORY];
    return limit > 0 && live_bytes + more > limit;
}

void *cni_storage_alloc(int64_t nbytes)
{
    size_t size;
    int index = nbytes > INT64_MAX / 4 ? 0 : size_class(nbytes, &size);
    if (should_fail() || nbytes > INT64_MAX / 4 || over_limit((int64_t)size)) {
        return NULL;
    }
    free_block *block = free_blocks[index];
    if (block != NULL) {
        free_blocks[index] = block->next;
        kept_bytes -= (int64_t)size;
    } else {
        block = block_create(size);
        if (block == NULL && kept_bytes + reserved_count > 0) {
            cni_storage_trim();
            block = block_create(size);
        }
        if (block == NULL) {
            return NULL;
        }
    }
    live_bytes += (int64_t)size;
    peak_bytes = live_bytes > peak_bytes ? live_bytes : peak_bytes;
    return block;
}

static int64_t machine_bytes(void)
{
    static int64_t known;
    if (known == 0) {
        known = (int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE);
    }
    return known;
}

static int64_t at_least_floor(int64_t keep)
{
    int64_t floor = machine_bytes() / KEEP_OF_MACHINE;
    return keep > floor ? keep : floor;
}

void cni_storage_free(void *memory, int64_t nbytes)
{
    if (memory == NULL) {
        return;
    }
    size_t size;
    int index = size_class(nbytes, &size);
    live_bytes -= (int64_t)size;
    if (kept_bytes + (int64_t)size > at_least_floor(live_bytes / KEEP_OF_LIVE)) {
        block_destroy(memory, size);
        return;
    }
    free_block *block = memory;
    *block = (free_block){free_blocks[index], size};
    free_blocks[index] = block;
    kept_bytes += (int64_t)size;
}

/* ---- Reserved addresses ---- */

static void reserved_take(int i)
{
    reserved_bytes -= reserved[i].counted;
    reserved_count--;
    memmove(&reserved[i], &reserved[i + 1], (size_t)(reserved_count - i) * sizeof *reserved);
}

/* Gives back the oldest until so many are left, which take so much. */
static void reserved_trim(int most, int64_t bytes_most)
{
    while (reserved_count > most || (reserved_count > 0 && reserved_bytes > bytes_most)) {
        large_destroy(reserved[0].memory, (size_t)reserved[0].nbytes);
        reserved_take(0);
    }
}

void cni_storage_trim(void)
{
    reserved_trim(0, 0);
    for (int i = 0; i < CLASS_COUNT; i++) {
        while (free_blocks[i] != NULL) {
            free_block *block = free_blocks[i];
            free_blocks[i] = block->next;
            block_destroy(block, block->size);
        }
    }
    kept_bytes = 0;
}

void *cni_storage_reserve(int64_t nbytes, int64_t low, int64_t high, int64_t counted, bool *fresh)
{
    if (nbytes < RESERVED_SMALL) {
        return cni_storage_alloc(nbytes);
    }
    if (should_fail() || over_limit(counted)) {
        return NULL;
    }
    void *memory = NULL;
    for (int i = reserved_count; i-- > 0 && memory == NULL;) {
        if (reserved[i].nbytes == nbytes) {
            memory = reserved[i].memory;
            reserved_take(i);
        }
    }
    if (memory == NULL) {
        *fresh = true;
        memory = large_create((size_t)nbytes, MAP_NORESERVE);
        if (memory == NULL) {
            cni_storage_trim();
            memory = large_create((size_t)nbytes, MAP_NORESERVE);
        }
    }
    if (memory != NULL) {
        advise_huge(memory, low, high);
        live_bytes += counted;
        peak_bytes = live_bytes > peak_bytes ? live_bytes : peak_bytes;
    }
    return memory;
}

void cni_storage_unreserve(void *memory, int64_t nbytes, int64_t counted)
{
    if (nbytes < RESERVED_SMALL) {
        cni_storage_free(memory, nbytes);
        return;
    }
    if (memory == NULL) {
        return;
    }
    live_bytes -= counted;
    reserved_trim(RESERVED_KEPT - 1, INT64_MAX);
    reserved[reserved_count++] = (reserved_block){memory, nbytes, counted};
    reserved_bytes += counted;
    reserved_trim(RESERVED_KEPT, at_least_floor(live_bytes));
}

bool cni_storage_touch(int64_t nbytes, int64_t more)
{
    if (nbytes < RESERVED_SMALL) { /* counts as a whole */
        return true;
    }
    if (more > 0 && over_limit(more)) {
        return false;
    }
    live_bytes += more;
    peak_bytes = live_bytes > peak_bytes ? live_bytes : peak_bytes;
    return true;
}

int64_t cni_storage_live(void)
{
    return live_bytes;
}

int64_t cni_storage_peak(void)
{
    return peak_bytes;
}

void cni_storage_reset_peak(void)
{
    peak_bytes = live_bytes;
}
