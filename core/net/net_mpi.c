/*
 * net_mpi.c - see net_mpi.h.
 *
 * The module is compiled once for each MPI and kept on disk, sealed (base/compiler_cache.h) with what it depends on: its
 * text, the wrapper's path, size and time. Ranks that start together on one machine or file system compile once: the
 * others wait for a lock. Without a cache every rank compiles into a folder of its own.
 */
#include "net/net_mpi.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/command.h"
#include "base/compiler_cache.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/settings.h"
#include "base/stats.h"
#include "base/status.h"
#include "base/text.h"
#include "net/mpi_module.h"
#include "op/headers.h"

/* By kind. Debian's names come first, since its plain mpicc is one of several that may be installed. */
static const char *const wrappers[][4] = {
    [CNI_MPI_ANY] = {"mpicc", "mpicc.openmpi", "mpicc.mpich", NULL},
    [CNI_MPI_OPEN_MPI] = {"mpicc.openmpi", "mpicc", NULL},
    [CNI_MPI_MPICH] = {"mpicc.mpich", "mpicc", "mpiicc", NULL},
};
static const char *const kind_names[] = {
    [CNI_MPI_ANY] = "MPI", [CNI_MPI_OPEN_MPI] = "Open MPI", [CNI_MPI_MPICH] = "MPICH"};

/* ---- Wrappers ---- */

static bool on_path(const char *name, char *path, size_t size)
{
    const char *folders = strchr(name, '/') != NULL ? "" : getenv("PATH");
    while (folders != NULL) {
        size_t length = strcspn(folders, ":");
        int used = snprintf(path, size, "%.*s%s%s", (int)length, folders, length > 0 ? "/" : "", name);
        if (used > 0 && (size_t)used < size && access(path, X_OK) == 0) {
            return true;
        }
        folders = folders[length] == ':' ? folders + length + 1 : NULL;
    }
    return false;
}

/* The n-th wrapper that is there; false: there are no more. */
static bool wrapper_find(cni_mpi_kind kind, int n, char *path, size_t size)
{
    const char *given = cni_text_settings[CNI_TEXT_SETTING_MPICC];
    if (given[0] != '\0') {
        return n == 0 && on_path(given, path, size);
    }
    for (const char *const *name = wrappers[kind]; *name != NULL; name++) {
        if (on_path(*name, path, size) && n-- == 0) {
            return true;
        }
    }
    return false;
}

const char *cni_net_mpi_compiler(cni_mpi_kind kind)
{
    static char path[PATH_MAX];
    return wrapper_find(kind, 0, path, sizeof path) ? path : "";
}

/* ---- Compiling ---- */

#define FLAGS "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-fPIC", "-shared", "-w", "-pthread"

typedef struct build {
    cni_mpi_kind kind;
    char wrapper[PATH_MAX], cache[PATH_MAX - 64], kept[PATH_MAX];
    char problem[256]; /* of the last wrapper tried */
    cni_text key;
} build;

static void make_key(build *b)
{
    static const char *const flags[] = {FLAGS};
    struct stat s = {0};
    uint64_t hash = 0;
    char real[PATH_MAX];
    cni_text_free(&b->key);
    if (realpath(b->wrapper, real) == NULL || stat(real, &s) != 0) {
        real[0] = '\0';
    }
    cni_text_add(&b->key, "%d %s %s %lld %lld.%09ld\n", (int)b->kind, b->wrapper, real, (long long)s.st_size,
                 (long long)s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        cni_text_add(&b->key, "%s ", flags[i]);
    }
    for (const cni_header *h = cni_mpi_sources; h->name != NULL; h++) {
        cni_text_add(&b->key, "%s\n", h->text);
    }
    for (size_t i = 0; i < b->key.length; i++) {
        hash = cni_hash_mix(hash, (uint64_t)(unsigned char)b->key.data[i]);
    }
    snprintf(b->kept, sizeof b->kept, "%s/mpi-%016llx.so", b->cache, (unsigned long long)hash);
}

/* The first line of a compiler's output that says what is wrong. */
static void read_problem(build *b, const char *path)
{
    FILE *file = fopen(path, "re");
    char line[256];
    snprintf(b->problem, sizeof b->problem, "it does not compile");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *error = strstr(line, "error");
        if (error != NULL) {
            snprintf(b->problem, sizeof b->problem, "%s", error);
            b->problem[strcspn(b->problem, "\n")] = '\0';
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

enum { SOURCES_MOST = 8 };

static bool compile(build *b, const char *folder, const char *output)
{
    static const char *const flags[] = {FLAGS};
    char sources[SOURCES_MOST][PATH_MAX], include[PATH_MAX], log[PATH_MAX];
    const char *argv[8 + sizeof flags / sizeof *flags + SOURCES_MOST] = {b->wrapper};
    size_t n = 1, nsources = 0;
    bool written = true;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        argv[n++] = flags[i];
    }
    for (const cni_header *h = cni_mpi_sources; h->name != NULL && written; h++) {
        written = cni_folder_write(folder, h->name, h->text, h->size);
        if (strcmp(strrchr(h->name, '.'), ".c") == 0 && nsources < SOURCES_MOST) {
            snprintf(sources[nsources], sizeof sources[nsources], "%s/%s", folder, h->name);
            argv[n++] = sources[nsources++];
        }
    }
    snprintf(include, sizeof include, "-I%s", folder);
    snprintf(log, sizeof log, "%s/log", folder);
    argv[n++] = include;
    argv[n++] = "-o";
    argv[n++] = output;
    if (b->kind != CNI_MPI_ANY) {
        argv[n++] = b->kind == CNI_MPI_OPEN_MPI ? "-DCN_WANTED_OPEN_MPI=1" : "-DCN_WANTED_OPEN_MPI=0";
    }
    if (!written) {
        snprintf(b->problem, sizeof b->problem, "there is no room for its source");
        return false;
    }
    if (!cni_command_run(argv, log, NULL)) {
        read_problem(b, log);
        return false;
    }
    return true;
}

static const char unkept[] = "module.so"; /* its name where there is no cache */

/* Into the cache, under another name first; without a cache the folder stays until cni_net_mpi_release. */
static bool compile_and_keep(build *b)
{
    char folder[PATH_MAX - 64], fresh[PATH_MAX];
    if (!cni_folder_make(folder, sizeof folder)) {
        snprintf(b->problem, sizeof b->problem, "there is no place for temporary files");
        return false;
    }
    bool caching = b->cache[0] != '\0';
    if (caching) {
        snprintf(fresh, sizeof fresh, "%s/.mpi-%d.so", b->cache, (int)getpid());
    } else {
        snprintf(fresh, sizeof fresh, "%s/%s", folder, unkept);
    }
    bool done = compile(b, folder, fresh);
    if (done && caching) {
        done = b->key.data != NULL && cni_cache_seal(fresh, b->key.data) && rename(fresh, b->kept) == 0;
        unlink(fresh);
    } else if (done) {
        snprintf(b->kept, sizeof b->kept, "%s", fresh);
        return true;
    }
    cni_folder_remove(folder);
    return done;
}

/* One process at a time looks into the cache and compiles; without the lock all would do the same work. */
static bool obtain(build *b)
{
    char path[PATH_MAX];
    make_key(b);
    if (b->cache[0] != '\0' && b->key.data != NULL && cni_cache_valid(b->kept, b->key.data)) {
        return true;
    }
    snprintf(path, sizeof path, "%s/mpi.lock", b->cache);
    int lock = b->cache[0] != '\0' ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (lock >= 0) {
        flock(lock, LOCK_EX);
    }
    bool done = (lock >= 0 && b->key.data != NULL && cni_cache_valid(b->kept, b->key.data)) || compile_and_keep(b);
    if (lock >= 0) {
        close(lock);
    }
    return done;
}

static cn_status no_module(const build *b, int tried)
{
    const char *kind = kind_names[b->kind], *given = cni_text_settings[CNI_TEXT_SETTING_MPICC];
    if (tried > 0) {
        return cni_fail(CN_ERROR_INTERNAL,
                        "no MPI module could be made with %s: %s; set CNUMERIC_MPICC to the mpicc of "
                        "the %s that launches the program",
                        b->wrapper, b->problem, kind);
    }
    if (given[0] != '\0') {
        return cni_fail(CN_ERROR_INTERNAL, "CNUMERIC_MPICC names %s, which is not a program", given);
    }
    return cni_fail(CN_ERROR_INTERNAL,
                    "the mpicc of %s is not on the PATH: install its development files (Debian: %s) or "
                    "set CNUMERIC_MPICC",
                    kind, b->kind == CNI_MPI_MPICH ? "libmpich-dev" : "libopenmpi-dev");
}

cn_status cni_net_mpi_module(cni_mpi_kind kind, char *path, size_t size)
{
    build *b = cni_alloc_zero(1, sizeof *b);
    int tried = 0;
    bool done = false;
    if (b == NULL) {
        return cni_fail_memory(sizeof *b);
    }
    b->kind = kind;
    cni_cache_directory(b->cache, sizeof b->cache);
    while (!done && wrapper_find(kind, tried, b->wrapper, sizeof b->wrapper)) {
        done = obtain(b);
        tried++;
    }
    cn_status status = done ? CN_OK : no_module(b, tried);
    if (done) {
        snprintf(path, size, "%s", b->kept);
    }
    cni_text_free(&b->key);
    cni_free(b);
    return status;
}

void cni_net_mpi_release(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash != NULL && strcmp(slash + 1, unkept) == 0) {
        *slash = '\0';
        cni_folder_remove(path);
    }
}

/* ---- Loading ---- */

static cn_status load(cni_mpi_kind kind, void **library)
{
    char path[PATH_MAX];
    CN_TRY(cni_net_mpi_module(kind, path, sizeof path));
    *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL); /* some MPIs load parts that look for the whole */
    cn_status status = CN_OK;
    if (*library == NULL) {
        status = cni_fail(CN_ERROR_INTERNAL, "the MPI module cannot be loaded: %s", dlerror());
        unlink(path); /* of an MPI that is no longer there */
    }
    cni_net_mpi_release(path);
    return status;
}

cn_status cni_net_mpi_open(const cni_launch *launch, const cni_net **net)
{
    static cni_mpi_host host;
    cni_mpi_module_open_function *open_module;
    int64_t most = cni_settings[CNI_SETTING_MESSAGE_BYTES];
    void *library;
    if (load(launch->kind, &library) != CN_OK) {
        CN_TRY(load(launch->kind, &library));
    }
    *(void **)&open_module = dlsym(library, CNI_MPI_MODULE_OPEN);
    CN_CHECK(open_module != NULL);
    host = (cni_mpi_host){.rank = launch->rank,
                          .size = launch->size,
                          .progress = cni_settings[CNI_SETTING_PROGRESS],
                          .carried = &cni_stats.carried,
                          .resize = cni_realloc,
                          .release = cni_free,
                          .fail = cni_fail,
                          .message_most = most < 1 || most > 1 << 30 ? 1 << 30 : most};
    return open_module(&host, net);
}
