/* compiler.c - see compiler.h. */
#include "cpu/compiler.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/command.h"
#include "base/debug.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/settings.h"
#include "base/stats.h"
#include "base/text.h"
#include "base/compiler_cache.h"
#include "exec/info.h"
#include "op/headers.h"
#include "cpu/loops.h"

enum { BUCKETS = 512, MOST = 4096, ARGUMENTS = 40 };

typedef enum state { PENDING, READY, FAILED } state;

struct cni_compiled {
    struct cni_compiled *next, *queued;
    uint64_t hash;
    char *source;
    _Atomic int state;
    void *function;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t asked, answered;
    pthread_t thread;
    bool started, stopping, registered;
    cni_compiled *table[BUCKETS], *first, *last;
    uint32_t count;
    _Atomic pid_t child;
    pid_t owner;                    /* of the directory */
    char directory[PATH_MAX - 128]; /* for sources; "" until the first compilation */
    char cache[PATH_MAX - 128];
    char version[256];
    char why[512];        /* the last time that no function came of a source; "": never */
    const char *compiler; /* NULL: not looked for; "": none */
    uint32_t serial;
} c = {.lock = PTHREAD_MUTEX_INITIALIZER, .asked = PTHREAD_COND_INITIALIZER, .answered = PTHREAD_COND_INITIALIZER};

/* gcc 12's vectoriser of straight code drops both of two casts beside each other, (double)(float)x: a rounding is lost. */
static const char *const common_flags[] = {"-std=gnu17",      "-O3",     "-fPIC",
                                           "-shared",         "-fwrapv", "-ffp-contract=off",
                                           "-fno-math-errno", "-w",      "-fno-tree-slp-vectorize"};
static const char *const avx2_flags[] = {"-mavx2", "-mfma", "-mf16c", "-mbmi", "-mbmi2", "-mlzcnt", "-mpopcnt"};
static const char *const avx512_flags[] = {"-mavx512f", "-mavx512vl", "-mavx512bw", "-mavx512dq",
                                           "-mprefer-vector-width=512"};

static int add_flags(const char **argv, int n, const char *const *flags, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        argv[n++] = flags[i];
    }
    return n;
}

/* What tier 0's loops of this instruction set are compiled with. */
static int flags_for_machine(const char **argv, int n)
{
    const char *set = cni_cpu_kernels_get()->name;
    bool wide = strcmp(set, "avx512") == 0;
    n = add_flags(argv, n, common_flags, sizeof common_flags / sizeof *common_flags);
    if (wide || strcmp(set, "avx2") == 0) {
        n = add_flags(argv, n, avx2_flags, sizeof avx2_flags / sizeof *avx2_flags);
    }
    return wide ? add_flags(argv, n, avx512_flags, sizeof avx512_flags / sizeof *avx512_flags) : n;
}

/* ---- Files ---- */

static void remove_directory(void)
{
    if (c.directory[0] != '\0' && c.owner == getpid()) {
        cni_folder_remove(c.directory);
        c.directory[0] = '\0';
    }
}

/* A directory with the headers that kernels include. */
static bool make_directory(void)
{
    if (c.directory[0] != '\0') {
        return true;
    }
    c.owner = getpid();
    bool made = cni_folder_make(c.directory, sizeof c.directory);
    for (const cni_header *h = cni_headers; h->name != NULL && made; h++) {
        made = cni_folder_write(c.directory, h->name, h->text, h->size);
    }
    if (!made) {
        remove_directory();
    }
    return made;
}

/* ---- The compiler ---- */

static bool try_compiler(const char *name)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/version", c.directory);
    if (name[0] == '\0' || !cni_command_run((const char *const[]){name, "--version", NULL}, path, &c.child)) {
        return false;
    }
    FILE *file = fopen(path, "re");
    if (file == NULL || fgets(c.version, sizeof c.version, file) == NULL) {
        c.version[0] = '\0';
    }
    if (file != NULL) {
        fclose(file);
    }
    c.version[strcspn(c.version, "\n")] = '\0';
    c.compiler = name;
    return true;
}

static void find_compiler(void)
{
    static const char *const usual[] = {"cc", "gcc", "clang"};
    const char *given = cni_text_settings[CNI_TEXT_SETTING_CC];
    c.compiler = "";
    if (given[0] != '\0') {
        try_compiler(given);
        return;
    }
    for (size_t i = 0; i < sizeof usual / sizeof *usual && !try_compiler(usual[i]); i++) {
    }
}

/* What a compiled file depends on: compiler, flags, headers, source. Caller frees with cni_text_free. */
static cni_text key_of(const char *source)
{
    const char *flags[ARGUMENTS];
    cni_text key = {0};
    uint64_t headers = 0;
    int n = flags_for_machine(flags, 0);
    for (const cni_header *h = cni_headers; h->name != NULL; h++) {
        for (size_t i = 0; i < h->size; i++) {
            headers = cni_hash_mix(headers, (uint64_t)(unsigned char)h->text[i]);
        }
    }
    cni_text_add(&key, "/* %s %016llx", c.version, (unsigned long long)headers);
    for (int i = 0; i < n; i++) {
        cni_text_add(&key, " %s", flags[i]);
    }
    cni_text_add(&key, " */\n%s", source);
    return key;
}

static void *load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *error = library == NULL ? dlerror() : NULL;
    void *function = library != NULL ? dlsym(library, "cni_kernel") : NULL;
    if (function == NULL) {
        snprintf(c.why, sizeof c.why, "what %s made does not load: %s", c.compiler,
                 error != NULL ? error : "no function");
    }
    return function;
}

/* The compiler failed: what it said first. */
static void keep_log(const char *path)
{
    char line[256] = "";
    FILE *file = fopen(path, "re");
    if (file != NULL && fgets(line, sizeof line, file) == NULL) {
        line[0] = '\0';
    }
    if (file != NULL) {
        fclose(file);
    }
    line[strcspn(line, "\n")] = '\0';
    snprintf(c.why, sizeof c.why, "%s fails, or takes too long%s%s", c.compiler, line[0] != '\0' ? ": " : "", line);
}

static bool compile(const char *source, const char *output)
{
    char from[PATH_MAX], include[PATH_MAX], log[PATH_MAX];
    const char *argv[ARGUMENTS];
    int n = 0;
    snprintf(log, sizeof log, "%s/log", c.directory);
    snprintf(from, sizeof from, "%s/kernel.c", c.directory);
    snprintf(include, sizeof include, "-I%s", c.directory);
    if (!cni_folder_write(c.directory, "kernel.c", source, strlen(source))) {
        snprintf(c.why, sizeof c.why, "no source can be written to %s", c.directory);
        return false;
    }
    argv[n++] = c.compiler;
    n = flags_for_machine(argv, n);
    n = add_flags(argv, n, (const char *const[]){include, "-o", output, from, "-lm"}, 5);
    argv[n] = NULL;
    __atomic_fetch_add(&cni_stats.compilations, 1, __ATOMIC_RELAXED);
    bool done = cni_command_run(argv, log, &c.child);
    if (!done) {
        keep_log(log);
    }
    return done;
}

/* From the cache, or compiled and kept there. */
static void *make(const char *source)
{
    char kept[PATH_MAX], fresh[PATH_MAX];
    if (!make_directory()) {
        snprintf(c.why, sizeof c.why, "there can be no temporary folder (TMPDIR)");
        return NULL;
    }
    if (c.compiler == NULL) {
        find_compiler();
        cni_cache_directory(c.cache, sizeof c.cache);
    }
    if (c.compiler[0] == '\0') {
        const char *given = cni_text_settings[CNI_TEXT_SETTING_CC];
        snprintf(c.why, sizeof c.why, "no compiler: %s", given[0] != '\0' ? given : "neither cc, gcc nor clang");
        return NULL;
    }
    cni_text key = key_of(source);
    uint64_t hash = 0;
    for (size_t i = 0; i < key.length; i++) {
        hash = cni_hash_mix(hash, (uint64_t)(unsigned char)key.data[i]);
    }
    void *function = NULL;
    bool caching = c.cache[0] != '\0' && key.data != NULL;
    snprintf(kept, sizeof kept, "%s/%016llx.so", c.cache, (unsigned long long)hash);
    if (caching && cni_cache_valid(kept, key.data)) {
        function = load(kept);
    }
    if (function == NULL) {
        snprintf(fresh, sizeof fresh, "%s/%s%d-%u.so", caching ? c.cache : c.directory, caching ? "." : "",
                 (int)getpid(), c.serial++);
        bool compiled = compile(source, fresh);
        if (compiled && caching && !(cni_cache_seal(fresh, key.data) && rename(fresh, kept) == 0)) {
            snprintf(c.why, sizeof c.why, "%s makes nothing that can be kept in %.200s", c.compiler, c.cache);
        } else if (compiled) {
            function = load(caching ? kept : fresh);
        }
        unlink(fresh);
    }
    cni_text_free(&key);
    return function;
}

static void *make_telling(const char *source, uint64_t hash)
{
    struct timespec began, ended;
    uint32_t compiled = c.serial;
    clock_gettime(CLOCK_MONOTONIC, &began);
    void *function = make(source);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    double ms = 1e3 * (double)(ended.tv_sec - began.tv_sec) + 1e-6 * (double)(ended.tv_nsec - began.tv_nsec);
    cni_debug(CNI_DEBUG_KERNEL, "%016llx %s in %.1f ms", (unsigned long long)hash,
              function == NULL       ? c.why
              : compiled == c.serial ? "found in the cache"
                                     : "compiled",
              ms);
    return function;
}

/* ---- The thread ---- */

static void *work(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&c.lock);
    while (!c.stopping) {
        cni_compiled *next = c.first;
        if (next == NULL) {
            pthread_cond_wait(&c.asked, &c.lock);
            continue;
        }
        pthread_mutex_unlock(&c.lock);
        next->function = make_telling(next->source, next->hash);
        pthread_mutex_lock(&c.lock);
        next->state = next->function != NULL ? READY : FAILED;
        c.first = next->queued;
        c.last = c.first == NULL ? NULL : c.last;
        pthread_cond_broadcast(&c.answered);
    }
    pthread_mutex_unlock(&c.lock);
    return NULL;
}

static void stop(void)
{
    pthread_mutex_lock(&c.lock);
    bool running = c.started;
    c.stopping = true;
    pthread_cond_signal(&c.asked);
    pthread_mutex_unlock(&c.lock);
    pid_t child = c.child;
    if (child > 0) {
        kill(child, SIGKILL);
    }
    if (running) {
        pthread_join(c.thread, NULL);
    }
    remove_directory();
}

/* The child of a fork has no thread; it starts its own for what is still in the queue. */
static void forked(void)
{
    pthread_mutex_init(&c.lock, NULL);
    pthread_cond_init(&c.asked, NULL);
    pthread_cond_init(&c.answered, NULL);
    c.started = false;
    c.child = 0;
    c.directory[0] = '\0';
}

static void start(void)
{
    if (c.started || c.stopping) {
        return;
    }
    sigset_t all, before;
    sigfillset(&all);
    if (!c.registered) {
        pthread_atfork(NULL, NULL, forked);
        atexit(stop);
        c.registered = true;
    }
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the program's */
    c.started = pthread_create(&c.thread, NULL, work, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- Asking ---- */

static cni_compiled *create(const char *source, uint64_t hash)
{
    cni_compiled *made = cni_alloc_zero(1, sizeof *made);
    if (made != NULL) {
        made->hash = hash;
        made->source = cni_alloc(strlen(source) + 1);
    }
    if (made == NULL || made->source == NULL) {
        cni_free(made);
        return NULL;
    }
    strcpy(made->source, source);
    made->next = c.table[hash % BUCKETS];
    c.table[hash % BUCKETS] = made;
    c.count++;
    *(c.last != NULL ? &c.last->queued : &c.first) = made;
    c.last = made;
    return made;
}

cni_compiled *cni_compiler_ask(const char *source, const char *what)
{
    uint64_t hash = 0;
    for (const char *s = source; *s != '\0'; s++) {
        hash = cni_hash_mix(hash, (uint64_t)(unsigned char)*s);
    }
    pthread_mutex_lock(&c.lock);
    cni_compiled *found = c.table[hash % BUCKETS];
    while (found != NULL && (found->hash != hash || strcmp(found->source, source) != 0)) {
        found = found->next;
    }
    if (found == NULL && c.count < MOST) {
        found = create(source, hash);
        cni_debug(CNI_DEBUG_KERNEL, "%016llx asked for: %s", (unsigned long long)hash, what);
    }
    start();
    pthread_cond_signal(&c.asked);
    bool possible = c.started;
    pthread_mutex_unlock(&c.lock);
    return possible ? found : NULL;
}

void *cni_compiler_result(cni_compiled *compiled, bool wait, bool *failed)
{
    if (compiled->state == PENDING && wait) {
        pthread_mutex_lock(&c.lock);
        while (compiled->state == PENDING && c.started) {
            pthread_cond_wait(&c.answered, &c.lock);
        }
        pthread_mutex_unlock(&c.lock);
    }
    *failed = compiled->state == FAILED;
    return compiled->state == READY ? compiled->function : NULL;
}

const char *cni_compiler_description(void)
{
    static char text[768];
    bool failed = true;
    cni_compiled *probe = cni_compiler_ask("void cni_kernel(void)\n{\n}\n", "a trial");
    void *function = probe != NULL ? cni_compiler_result(probe, true, &failed) : NULL;
    pthread_mutex_lock(&c.lock);
    snprintf(text, sizeof text, "%s%s", function != NULL ? c.version : "none: ",
             function != NULL   ? ""
             : c.why[0] != '\0' ? c.why
                                : "there can be no thread");
    pthread_mutex_unlock(&c.lock);
    return text;
}
