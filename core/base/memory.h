/*
 * memory.h - all memory of the core comes from here: counted, and made to fail by tests.
 *
 * Every function returns NULL when the N-th allocation is to fail (cn_fault_set) or the system has no memory; none
 * sets an error record. Sizes in bytes.
 */
#ifndef CNI_MEMORY_H
#define CNI_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *cni_alloc(size_t size);
void *cni_alloc_zero(size_t count, size_t size);
void *cni_realloc(void *memory, size_t size); /* memory stays valid on failure */
void cni_free(void *memory);

/*
 * Grows *items to hold at least need items of the given size, doubling; *capacity in items.
 * False, and nothing changed, without memory.
 */
int cni_grow(void **items, size_t *capacity, size_t need, size_t item_size);

/* Storage of arrays: 64-byte aligned, recycled by size class. Zero bytes give a valid address. */
void *cni_storage_alloc(int64_t nbytes);
void cni_storage_free(void *memory, int64_t nbytes);
void cni_storage_trim(void); /* gives recycled storage back to the system */

/*
 * Addresses for nbytes of which a part will be touched, most of [low, high): that part (counted) is what it is said to take.
 * Recycled by size; contents are unspecified. *fresh is set if the system was asked for much.
 */
void *cni_storage_reserve(int64_t nbytes, int64_t low, int64_t high, int64_t counted, bool *fresh);
void cni_storage_unreserve(void *memory, int64_t nbytes, int64_t counted);
/* Of such addresses so many bytes more are touched, or (negative) no longer. False: that would be over the limit. */
bool cni_storage_touch(int64_t nbytes, int64_t more);
int64_t cni_storage_live(void);
int64_t cni_storage_peak(void);
void cni_storage_reset_peak(void);

#endif
