/* compiler_cache.h - the compiled kernels on disk. */
#ifndef CNI_COMPILER_CACHE_H
#define CNI_COMPILER_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A directory of mode 0700 that is the user's own, made if need be; "" if there can be none. */
void cni_cache_directory(char *path, size_t size);

/* Appends the key and a checksum to the library at the path. */
bool cni_cache_seal(const char *path, const char *key);

/* Is the file at the path ours, whole, and sealed with this key? */
bool cni_cache_valid(const char *path, const char *key);

/* The file's contents without what the seal appended, if it is valid; else NULL. Caller frees with cni_free. */
unsigned char *cni_cache_read(const char *path, const char *key, size_t *size);

#endif
