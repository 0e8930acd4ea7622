/*
 * cuda_kernel.c - see cuda_kernel.h.
 *
 * A text is compiled once for a machine: the machine code is kept on disk beside the processor's kernels, sealed with
 * everything it depends on (compiler_cache.h).
 */
#include "cuda/cuda_kernel.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler_cache.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/stats.h"
#include "base/text.h"
#include "op/headers.h"

enum { BUCKETS = 1024, HEADERS_MOST = 64, OPTIONS = 8 };

static cni_cuda_module *table[BUCKETS];
static char *last_log;

static uint64_t hash_text(uint64_t hash, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        hash = cni_hash_mix(hash, (uint64_t)(unsigned char)text[i]);
    }
    return hash;
}

/* ---- What a text includes: its names in the compiler's memory ---- */

typedef struct headers {
    int count;
    const char *names[HEADERS_MOST], *texts[HEADERS_MOST];
    uint64_t hash;
} headers;

/* The compiler has none of the standard ones: prelude.cuh says all that they would. */
static const char *const empty[] = {"fenv.h", "math.h", "stdbool.h", "stddef.h", "stdint.h", "string.h"};

static void headers_add(headers *h, const cni_header *from)
{
    for (; from->name != NULL && h->count < HEADERS_MOST; from++) {
        h->names[h->count] = from->name;
        h->texts[h->count++] = from->text;
        h->hash = hash_text(h->hash, from->text, from->size);
    }
}

static const headers *headers_get(void)
{
    static headers h;
    if (h.count == 0) {
        for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
            h.names[h.count] = empty[i];
            h.texts[h.count++] = "";
        }
        headers_add(&h, cni_headers);
        headers_add(&h, cni_cuda_headers);
    }
    return &h;
}

/* ---- Compiling ---- */

static void keep_log(const cni_cuda_compiler *c, cni_cuda_handle program, const char *text)
{
    size_t size = 0;
    if (c->log_size(program, &size) != 0 || size == 0) {
        return;
    }
    cni_free(last_log);
    last_log = cni_alloc(size + strlen(text) + 2);
    if (last_log != NULL && c->log(program, last_log) == 0) {
        strcat(last_log, "\n");
        strcat(last_log, text);
    }
}

/* The machine code; NULL if it does not compile. Caller frees with cni_free. */
static char *compile(const cni_cuda_compiler *c, const char *text, const char *arch, size_t *size)
{
    const headers *h = headers_get();
    const char *const options[] = {arch,
                                   "--fmad=false",
                                   "--device-as-default-execution-space",
                                   "--device-int128",
                                   "--std=c++17",
                                   "--diag-suppress=177,550,128,186,68",
                                   "--minimal"}; /* no headers of its own: 0.4 s less of a text; new in CUDA 12 */
    enum { ALL = sizeof options / sizeof *options, NO_SUCH_OPTION = 5 };
    cni_cuda_handle program;
    char *code = NULL;
    if (c->create(&program, text, "group.cu", h->count, h->texts, h->names) != 0) {
        return NULL;
    }
    __atomic_fetch_add(&cni_stats.compilations, 1, __ATOMIC_RELAXED);
    int status = c->compile(program, ALL, options);
    status = status == NO_SUCH_OPTION ? c->compile(program, ALL - 1, options) : status;
    if (status != 0) {
        keep_log(c, program, text);
    } else if (c->code_size(program, size) == 0 && *size > 0 && (code = cni_alloc(*size)) != NULL &&
               c->code(program, code) != 0) {
        cni_free(code);
        code = NULL;
    }
    c->destroy(&program);
    return code;
}

static void save(const char *directory, const char *path, const char *key, const char *code, size_t size)
{
    static unsigned serial;
    char fresh[PATH_MAX];
    if (snprintf(fresh, sizeof fresh, "%s/.%d-%u.cubin", directory, (int)getpid(), serial++) >= (int)sizeof fresh) {
        return;
    }
    FILE *file = fopen(fresh, "we");
    bool written = file != NULL && fwrite(code, 1, size, file) == size;
    written = file != NULL && fclose(file) == 0 && written;
    if (!written || !cni_cache_seal(fresh, key) || rename(fresh, path) != 0) {
        unlink(fresh);
    }
}

/* From the cache, or compiled and kept there. Caller frees with cni_free. */
static char *code_get(const char *text)
{
    static char directory[PATH_MAX - 128];
    static bool looked;
    char arch[64], path[PATH_MAX];
    const cni_cuda_compiler *c = cni_cuda_compiler_get();
    int major = 0, minor = 0;
    if (c == NULL || c->version(&major, &minor) != 0) {
        return NULL;
    }
    if (!looked) {
        looked = true;
        cni_cache_directory(directory, sizeof directory);
    }
    snprintf(arch, sizeof arch, "--gpu-architecture=sm_%d", cni_cuda_gpu.arch);
    cni_text key = {0};
    cni_text_add(&key, "// nvrtc %d.%d %s %016llx\n%s", major, minor, arch, (unsigned long long)headers_get()->hash,
                 text);
    bool caching = directory[0] != '\0' && key.data != NULL;
    char *code = NULL;
    size_t size = 0;
    if (caching) {
        snprintf(path, sizeof path, "%s/%016llx.cubin", directory,
                 (unsigned long long)hash_text(0, key.data, key.length));
        code = (char *)cni_cache_read(path, key.data, &size);
    }
    if (code == NULL) {
        code = compile(c, text, arch, &size);
        if (code != NULL && caching) {
            save(directory, path, key.data, code, size);
        }
    }
    cni_text_free(&key);
    return code;
}

/* The GPU's own functions; its context is the thread's. */
static bool load_at(cni_cuda_module *m, int gpu, const char *code, bool finishes)
{
    cni_cuda_handle module = NULL;
    bool fine = cni_cuda.module_load(&module, code) == 0 &&
                cni_cuda.module_function(&m->kernel[gpu], module, "cni_kernel") == 0;
    if (fine && (!finishes || cni_cuda.module_function(&m->finish[gpu], module, "cni_finish") != 0)) {
        m->finish[gpu] = NULL;
    }
    m->module = module;
    return fine;
}

static void load(cni_cuda_module *m)
{
    char *code = code_get(m->text);
    bool fine = code != NULL, finishes = strstr(m->text, "CNI_FINISH") != NULL;
    for (int gpu = 0; gpu < cni_cuda_gpu.gpus && fine; gpu++) {
        fine = gpu == 0 || cni_cuda.context_set(cni_cuda_gpu.contexts[gpu]) == 0;
        fine = fine && load_at(m, gpu, code, finishes);
    }
    if (cni_cuda_gpu.gpus > 1) {
        cni_cuda_check(cni_cuda.context_set(cni_cuda_gpu.context), "the context");
    }
    m->module = fine ? m->module : NULL;
    cni_free(code);
}

const cni_cuda_module *cni_cuda_module_get(const char *text)
{
    uint64_t hash = hash_text(0, text, strlen(text));
    cni_cuda_module **bucket = &table[hash % BUCKETS], *m = *bucket;
    while (m != NULL && (m->hash != hash || strcmp(m->text, text) != 0)) {
        m = m->next;
    }
    if (m == NULL) {
        m = cni_alloc_zero(1, sizeof *m);
        char *copy = cni_alloc(strlen(text) + 1);
        if (m == NULL || copy == NULL || !cni_cuda_enter()) {
            cni_free(m);
            cni_free(copy);
            return NULL;
        }
        strcpy(copy, text);
        *m = (cni_cuda_module){.next = *bucket, .hash = hash, .text = copy};
        load(m);
        *bucket = m;
    }
    return m->module != NULL ? m : NULL;
}

const char *cni_cuda_compile_log(void)
{
    return last_log != NULL ? last_log : "";
}
