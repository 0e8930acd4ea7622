/*
 * cuda_kernel.c - see cuda_kernel.h.
 *
 * A text is compiled once for a machine: the machine code is kept on disk beside the processor's kernels, sealed with
 * everything it depends on (compiler_cache.h).
 */
#include "cuda/cuda_kernel.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler_cache.h"
#include "base/debug.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/stats.h"
#include "base/status.h"
#include "base/text.h"
#include "op/headers.h"

enum { BUCKETS = 1024, HEADERS_MOST = 128, OPTIONS = 8 };

static cni_cuda_module *table[BUCKETS];
static uint64_t bindings = 1; /* the number of what is being bound */
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
    for (; from->name != NULL; from++) {
        CN_ASSERT(h->count < HEADERS_MOST);
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

/*
 * A text that is being compiled, by a thread of its own: a plan that is new has many, and one takes 50 ms or more. The
 * thread does nothing else; whoever waits for it, or looks after it has ended, takes the result.
 */
typedef struct job {
    struct job *next;
    cni_cuda_module *module;
    const cni_cuda_compiler *compiler;
    cni_cuda_handle program;
    pthread_t thread;
    bool apart; /* the thread has been started and not been waited for */
    bool done;  /* said by the thread */
    int status;
    char arch[64], path[PATH_MAX]; /* path: where the code is kept; empty: nowhere */
    cni_text key;
} job;

static job *jobs, **jobs_end = &jobs; /* in the order in which they were asked for */
static int apart;                     /* threads */
static pid_t owner;                   /* of the jobs */

static void *job_compile(void *opaque)
{
    job *j = opaque;
    const char *const options[] = {j->arch,           "--fmad=false", "--device-as-default-execution-space",
                                   "--device-int128", "--std=c++17",  "--diag-suppress=177,550,128,186,68",
                                   "--minimal"}; /* no headers of its own: 0.4 s less of a text; new in CUDA 12 */
    enum { ALL = sizeof options / sizeof *options, NO_SUCH_OPTION = 5 };
    j->status = j->compiler->compile(j->program, ALL, options);
    if (j->status == NO_SUCH_OPTION) {
        j->status = j->compiler->compile(j->program, ALL - 1, options);
    }
    __atomic_store_n(&j->done, true, __ATOMIC_RELEASE);
    return NULL;
}

static bool job_done(const job *j)
{
    return __atomic_load_n(&j->done, __ATOMIC_ACQUIRE);
}

/* No signal is the thread's; without a thread the text is compiled now. */
static void job_start(job *j)
{
    sigset_t all, kept;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &kept);
    j->apart = pthread_create(&j->thread, NULL, job_compile, j) == 0;
    pthread_sigmask(SIG_SETMASK, &kept, NULL);
    apart += j->apart;
    if (!j->apart) {
        job_compile(j);
    }
}

/* As many at a time as there are processors; first those that somebody may wait for. */
static void jobs_start(void)
{
    int most = (int)sysconf(_SC_NPROCESSORS_ONLN);
    for (int later = 0; later < 2; later++) {
        for (job *j = jobs; j != NULL && apart < most; j = j->next) {
            if (!j->apart && !job_done(j) && (j->module->wanted == 0) == later) {
                job_start(j);
            }
        }
    }
}

static void job_wait(job *j)
{
    if (j->apart) {
        pthread_join(j->thread, NULL);
        j->apart = false;
        apart--;
    } else if (!job_done(j)) {
        job_compile(j);
    }
}

/* The machine code; NULL if the text does not compile. Caller frees with cni_free. */
static char *job_code(const job *j, size_t *size)
{
    const cni_cuda_compiler *c = j->compiler;
    char *code = NULL;
    if (j->status != 0) {
        keep_log(c, j->program, j->module->text);
    } else if (c->code_size(j->program, size) == 0 && *size > 0 && (code = cni_alloc(*size)) != NULL &&
               c->code(j->program, code) != 0) {
        cni_free(code);
        code = NULL;
    }
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

static const char *cache_directory(void)
{
    static char directory[PATH_MAX - 128];
    static bool looked;
    if (!looked) {
        looked = true;
        cni_cache_directory(directory, sizeof directory);
    }
    return directory;
}

/* Says what the job depends on, and where its code is kept. */
static bool job_describe(job *j)
{
    int major = 0, minor = 0;
    j->compiler = cni_cuda_compiler_get();
    if (j->compiler == NULL || j->compiler->version(&major, &minor) != 0) {
        return false;
    }
    snprintf(j->arch, sizeof j->arch, "--gpu-architecture=sm_%d", cni_cuda_gpu.arch);
    cni_text_add(&j->key, "// nvrtc %d.%d %s %016llx\n%s", major, minor, j->arch,
                 (unsigned long long)headers_get()->hash, j->module->text);
    if (cache_directory()[0] != '\0' && j->key.data != NULL) {
        snprintf(j->path, sizeof j->path, "%s/%016llx.cubin", cache_directory(),
                 (unsigned long long)hash_text(0, j->key.data, j->key.length));
    }
    return true;
}

static void job_free(job *j)
{
    cni_text_free(&j->key);
    cni_free(j);
}

/* The GPU's own functions; its context is the thread's. */
static bool load_at(cni_cuda_module *m, int gpu, const char *code, bool finishes)
{
    cni_cuda_handle *module = &m->module[gpu];
    bool fine = cni_cuda.module_load(module, code) == 0 &&
                cni_cuda.module_function(&m->kernel[gpu], *module, "cni_kernel") == 0;
    if (fine && (!finishes || cni_cuda.module_function(&m->finish[gpu], *module, "cni_finish") != 0)) {
        m->finish[gpu] = NULL;
    }
    return fine;
}

static void load(cni_cuda_module *m, const char *code)
{
    bool fine = code != NULL && cni_cuda_enter(), finishes = strstr(m->text, "CNI_FINISH") != NULL;
    for (int gpu = 0; gpu < cni_cuda_gpu.gpus && fine; gpu++) {
        fine = gpu == 0 || cni_cuda.context_set(cni_cuda_gpu.contexts[gpu]) == 0;
        fine = fine && load_at(m, gpu, code, finishes);
    }
    if (cni_cuda_gpu.gpus > 1) {
        cni_cuda_check(cni_cuda.context_set(cni_cuda_gpu.context), "the context");
    }
    m->there = fine;
}

static void job_save(const job *j, const char *code, size_t size)
{
    if (code != NULL && j->path[0] != '\0') {
        save(cache_directory(), j->path, j->key.data, code, size);
    }
}

void cni_cuda_modules_stop(void)
{
    for (job *j = jobs; j != NULL && getpid() == owner; j = j->next) {
        size_t size = 0;
        if (j->apart) {
            job_wait(j);
            char *code = job_code(j, &size);
            job_save(j, code, size);
            cni_free(code);
        }
    }
}

/* For programs that do not call cn_close: the compiler may have ended before, if it is at its first text. */
static void jobs_stop_at_exit(void)
{
    if (owner == 0) {
        owner = getpid();
        atexit(cni_cuda_modules_stop);
    }
}

/* From the disk, or a job. */
static void module_start(cni_cuda_module *m)
{
    job *j = cni_alloc_zero(1, sizeof *j);
    const headers *h = headers_get();
    size_t size;
    if (j == NULL) {
        return;
    }
    j->module = m;
    bool fine = job_describe(j);
    char *code = fine && j->path[0] != '\0' ? (char *)cni_cache_read(j->path, j->key.data, &size) : NULL;
    if (code != NULL) {
        load(m, code);
        cni_free(code);
        cni_debug(CNI_DEBUG_KERNEL, "%016llx of the GPU found in the cache", (unsigned long long)m->hash);
    }
    if (code != NULL || !fine ||
        j->compiler->create(&j->program, m->text, "group.cu", h->count, h->texts, h->names) != 0) {
        job_free(j);
        return;
    }
    __atomic_fetch_add(&cni_stats.compilations, 1, __ATOMIC_RELAXED);
    m->compiles = true;
    *jobs_end = j;
    jobs_end = &j->next;
    jobs_stop_at_exit();
}

/* Its thread has ended: the module takes the result, and the job is gone. */
static bool job_take(job *j)
{
    cni_cuda_module *m = j->module;
    size_t size = 0;
    char *code = job_code(j, &size);
    j->compiler->destroy(&j->program);
    load(m, code);
    cni_debug(CNI_DEBUG_KERNEL, "%016llx of the GPU %s", (unsigned long long)m->hash,
              code != NULL ? "compiled" : "does not compile");
    job_save(j, code, size);
    cni_free(code);
    m->compiles = false;
    job_free(j);
    return m->there;
}

cni_bound_state cni_cuda_modules_bound(uint64_t *number, bool wait)
{
    bool fine = true, later = false;
    *number = *number == 0 ? bindings++ : *number;
    if (!cni_cuda_enter()) { /* in the child of a fork there are no threads to wait for */
        return CNI_BOUND;
    }
    jobs_start();
    job **at = &jobs;
    while (*at != NULL) {
        job *j = *at;
        bool wanted = j->module->wanted == *number;
        if (job_done(j) || (wanted && wait)) {
            job_wait(j);
            *at = j->next;
            jobs_start();
            fine &= job_take(j) || !wanted;
        } else {
            later |= wanted;
            at = &j->next;
        }
    }
    jobs_end = at;
    jobs_start();
    return later ? CNI_BOUND_LATER : fine ? CNI_BOUND : CNI_BOUND_ANEW;
}

bool cni_cuda_module_ready(const cni_cuda_module *module, bool wait)
{
    cni_cuda_module *m = (cni_cuda_module *)module;
    uint64_t number = 0;
    if (m->compiles) {
        m->wanted = bindings;
        cni_cuda_modules_bound(&number, wait);
    }
    return m->there;
}

void cni_cuda_module_later(const cni_cuda_module *module)
{
    ((cni_cuda_module *)module)->wanted = 0;
}

const cni_cuda_module *cni_cuda_module_begin(const char *text)
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
        module_start(m);
        *bucket = m;
    }
    m->wanted = bindings;
    return m->there || m->compiles ? m : NULL;
}

const char *cni_cuda_compile_log(void)
{
    return last_log != NULL ? last_log : "";
}
