/* memory_rate.h - how fast this machine walks over memory, by how much of it: the caches' share in a measured time. */
#ifndef CNI_MEMORY_RATE_H
#define CNI_MEMORY_RATE_H

#include <stdint.h>

/*
 * Seconds for each byte read or written of a loop that walks over so many bytes again and again, by the threads of a place,
 * while others on this machine do the same: as many walkers in all (no more than there are processors for). Measured at the
 * first call for a size (rounded to a power of two) and a number of walkers. 0 without memory or threads to measure with.
 */
double cni_memory_seconds(int64_t bytes, int walkers);

#endif
