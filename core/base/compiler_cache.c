/*
 * compiler_cache.c - see compiler_cache.h. A sealed file is a shared library, then the key's text, then a trailer;
 * loaders ignore what follows their own sections.
 */
#include "base/compiler_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/notice.h"
#include "base/settings.h"

enum { LARGEST_FILE = 64 << 20 };

static const char magic[8] = "cnkern1";

typedef struct trailer {
    char magic[8];
    uint64_t key_length, sum[2];
} trailer;

/* ---- The directory ---- */

static bool make_private(const char *path)
{
    struct stat status;
    if ((mkdir(path, 0700) != 0 && errno != EEXIST) || lstat(path, &status) != 0) {
        return false;
    }
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077) != 0) {
        cni_notice("cnumeric: '%s' is no private directory of yours: compiled kernels are not kept there. Make it one "
                   "(chmod 700), or name another one by CNUMERIC_CACHE",
                   path);
        return false;
    }
    return access(path, W_OK | X_OK) == 0;
}

void cni_cache_directory(char *path, size_t size)
{
    const char *given = cni_text_settings[CNI_TEXT_SETTING_CACHE], *xdg = getenv("XDG_CACHE_HOME"),
               *home = getenv("HOME");
    int used = -1;
    if (given[0] != '\0') {
        used = snprintf(path, size, "%s", given);
    } else if (xdg != NULL && xdg[0] == '/') {
        mkdir(xdg, 0700);
        used = snprintf(path, size, "%s/cnumeric", xdg);
    } else if (home != NULL && home[0] == '/') {
        snprintf(path, size, "%s/.cache", home);
        mkdir(path, 0700);
        used = snprintf(path, size, "%s/.cache/cnumeric", home);
    }
    if (used < 0 || (size_t)used >= size || !make_private(path)) {
        path[0] = '\0';
    }
}

/* ---- Seals ---- */

static void checksum(const unsigned char *data, size_t size, uint64_t *sum)
{
    sum[0] = cni_hash_mix(1, size);
    sum[1] = cni_hash_mix(2, size);
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = 0;
        memcpy(&word, data + i, size - i < 8 ? size - i : 8);
        sum[0] = cni_hash_mix(sum[0], word);
        sum[1] = cni_hash_mix(sum[1] + (sum[1] << 7), word ^ UINT64_C(0xA5A5A5A5A5A5A5A5));
    }
}

/* The whole file; NULL if it is not a plain file of the user's that nobody else can write. Caller frees. */
static unsigned char *read_file(const char *path, size_t *size)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    unsigned char *data = NULL;
    if (file < 0) {
        return NULL;
    }
    bool fine = fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
                (status.st_mode & 022) == 0 && status.st_size > 0 && status.st_size < LARGEST_FILE;
    if (fine && (data = cni_alloc((size_t)status.st_size)) != NULL) {
        size_t have = 0;
        ssize_t got = 1;
        while (have < (size_t)status.st_size && got > 0) {
            got = read(file, data + have, (size_t)status.st_size - have);
            have += got > 0 ? (size_t)got : 0;
        }
        *size = have;
        if (have != (size_t)status.st_size) {
            cni_free(data);
            data = NULL;
        }
    }
    close(file);
    return data;
}

static bool append(const char *path, const void *data, size_t size)
{
    int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    bool done = file >= 0 && write(file, data, size) == (ssize_t)size;
    return file >= 0 && close(file) == 0 && done;
}

bool cni_cache_seal(const char *path, const char *key)
{
    trailer t = {.key_length = strlen(key)};
    size_t size;
    memcpy(t.magic, magic, sizeof magic);
    if (chmod(path, 0600) != 0 || !append(path, key, t.key_length)) {
        return false;
    }
    unsigned char *data = read_file(path, &size);
    if (data == NULL) {
        return false;
    }
    checksum(data, size, t.sum);
    cni_free(data);
    return append(path, &t, sizeof t);
}

unsigned char *cni_cache_read(const char *path, const char *key, size_t *contents)
{
    size_t size, length = strlen(key);
    unsigned char *data = read_file(path, &size);
    bool valid = data != NULL && size > sizeof(trailer) + length;
    if (valid) {
        trailer t;
        uint64_t sum[2];
        size_t body = size - sizeof t;
        memcpy(&t, data + body, sizeof t);
        checksum(data, body, sum);
        valid = memcmp(t.magic, magic, sizeof magic) == 0 && t.key_length == length && sum[0] == t.sum[0] &&
                sum[1] == t.sum[1] && memcmp(data + body - length, key, length) == 0;
        *contents = body - length;
    }
    if (!valid) {
        cni_free(data);
        return NULL;
    }
    return data;
}

bool cni_cache_valid(const char *path, const char *key)
{
    size_t size;
    unsigned char *data = cni_cache_read(path, key, &size);
    cni_free(data);
    return data != NULL;
}
