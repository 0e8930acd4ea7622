/* cuda_driver.c - see cuda_driver.h. */
#include "cuda/cuda_driver.h"

#include <dlfcn.h>
#include <glob.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/notice.h"
#include "base/settings.h"
#include "exec/info.h"
#include "exec/net.h"
#include "exec/place.h"

enum {
    COMPUTE_MAJOR = 75,
    COMPUTE_MINOR = 76,
    MULTIPROCESSORS = 16,
    CACHE_BYTES = 38,
    SHARED_BYTES = 97, /* that a kernel can ask for */
    NON_BLOCKING = 1,
    LEAST_ARCH = 70
};
enum { PEER_ACCESS = 2, PEER_ATOMICS = 3, ALREADY_ENABLED = 704, NO_DEVICE = 100 };

cni_cuda_driver cni_cuda;
cni_cuda_machine cni_cuda_gpu;

static bool forked;
static char failure[256];
static _Thread_local bool entered;
static bool busy; /* somebody has entered since all work was waited for */

/* ---- Why there is no GPU ---- */

static char reason[200] = "no CUDA driver";

/* A GPU may be there, and cannot be used: the user is told once. */
static void because(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    cni_notice("cnumeric: the GPU is not used (%s); the processor does its work", reason);
}

const char *cni_cuda_description(void)
{
    static char text[256];
    if (cni_settings[CNI_SETTING_GPU] == 0) {
        snprintf(text, sizeof text, "none: %.200s", failure[0] != '\0' ? failure : "CNUMERIC_GPU is 0");
        return text;
    }
    if (cni_device_place() == NULL) {
        snprintf(text, sizeof text, "none: %s", reason);
    } else {
        snprintf(text, sizeof text, "%d x %s, CUDA %d.%d", cni_cuda_gpu.gpus, cni_cuda_gpu.name,
                 cni_cuda_gpu.driver_version / 1000, cni_cuda_gpu.driver_version % 1000 / 10);
    }
    return text;
}

/* ---- Libraries ---- */

static const char *const folders[] = {
    "",
    "/usr/local/cuda/lib64/",
    "/usr/local/cuda/targets/*/lib/",
    "/opt/cuda/lib64/",
    "/usr/lib/x86_64-linux-gnu/",
    /* wheels, in the folders of the Python that runs */
    "%s/nvidia/cu13/lib/",
    "%s/nvidia/cuda_nvrtc/lib/",
    "%s/nvidia/cublas/lib/",
    "%s/nvidia/cusolver/lib/",
    "%s/nvidia/cufft/lib/",
    "%s/nvidia/nccl/lib/",
};

static void *load_from(const char *folder, const char *name)
{
    char pattern[2 * PATH_MAX];
    snprintf(pattern, sizeof pattern, "%s%s", folder, name);
    if (strchr(pattern, '*') == NULL) {
        return dlopen(pattern, RTLD_NOW | RTLD_LOCAL);
    }
    glob_t found;
    void *library = NULL;
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc && library == NULL; i++) {
            library = dlopen(found.gl_pathv[i], RTLD_NOW | RTLD_LOCAL);
        }
        globfree(&found);
    }
    return library;
}

/* The folder two above this library's: a Python's site-packages, if we are in a package. */
static void packages_folder(char *path, size_t size)
{
    Dl_info info;
    path[0] = '\0';
    if (dladdr((void *)&failure, &info) == 0 || info.dli_fname == NULL || strlen(info.dli_fname) >= size) {
        return;
    }
    strcpy(path, info.dli_fname);
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(path, '/');
        if (slash == NULL) {
            path[0] = '\0';
            return;
        }
        *slash = '\0';
    }
}

void *cni_cuda_library(const char *given, const char *const *names)
{
    char packages[PATH_MAX], folder[PATH_MAX + 64];
    if (given[0] != '\0') {
        return dlopen(given, RTLD_NOW | RTLD_LOCAL);
    }
    packages_folder(packages, sizeof packages);
    for (size_t f = 0; f < sizeof folders / sizeof *folders; f++) {
        bool wheel = folders[f][0] == '%';
        if (wheel && packages[0] == '\0') {
            continue;
        }
        snprintf(folder, sizeof folder, "%s%s", wheel ? packages : folders[f], wheel ? folders[f] + 2 : "");
        for (const char *const *name = names; *name != NULL; name++) {
            void *library = load_from(folder, *name);
            if (library != NULL) {
                return library;
            }
        }
    }
    return NULL;
}

bool cni_cuda_fill_table(void *library, void *table, const cni_cuda_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        void *symbol = dlsym(library, entries[i].symbol);
        if (symbol == NULL) {
            because("the library of CUDA is too old: it has no %s", entries[i].symbol);
            return false;
        }
        memcpy((char *)table + entries[i].place, &symbol, sizeof symbol); /* POSIX lets a symbol be a function */
    }
    return true;
}

bool cni_cuda_ready(cni_cuda_opening *o)
{
    if (!o->looked) {
        o->looked = true;
        void *library = cni_cuda_library(cni_text_settings[o->setting], o->names);
        o->ready = library != NULL && cni_cuda_fill_table(library, o->table, o->entries, o->count) &&
                   (o->begin == NULL || o->begin());
    }
    return o->ready;
}

#define DRIVER_ENTRY(name, symbol, parameters) {symbol, offsetof(cni_cuda_driver, name)},
#define COMPILER_ENTRY(name, symbol, parameters) {symbol, offsetof(cni_cuda_compiler, name)},
static const cni_cuda_entry driver_entries[] = {CNI_CUDA_DRIVER(DRIVER_ENTRY)};
static const cni_cuda_entry compiler_entries[] = {CNI_CUDA_COMPILER(COMPILER_ENTRY)};

const cni_cuda_compiler *cni_cuda_compiler_get(void)
{
    static const char *const names[] = {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so", NULL};
    static cni_cuda_compiler table;
    static bool looked, found;
    if (!looked) {
        looked = true;
        void *library = cni_cuda_library(cni_text_settings[CNI_TEXT_SETTING_CUDA_COMPILER], names);
        found = library != NULL && cni_cuda_fill_table(library, &table, compiler_entries,
                                                       sizeof compiler_entries / sizeof *compiler_entries);
        if (library == NULL) {
            because("NVRTC, the run-time compiler of CUDA, is not found; the package nvidia-cuda-nvrtc has it");
        }
    }
    return found ? &table : NULL;
}

/* ---- The device ---- */

static void in_child(void)
{
    forked = cni_cuda_gpu.context != NULL;
}

static int arch_of(int device)
{
    int major = 0, minor = 0;
    bool fine = cni_cuda.device_attribute(&major, COMPUTE_MAJOR, device) == 0 &&
                cni_cuda.device_attribute(&minor, COMPUTE_MINOR, device) == 0;
    return fine ? 10 * major + minor : 0;
}

/* Context and stream of the device, as the GPU with this number; its context is the thread's. */
static bool gpu_open(int device, int number)
{
    cni_cuda_machine *gpu = &cni_cuda_gpu;
    gpu->devices[number] = device;
    return cni_cuda.context_retain(&gpu->contexts[number], device) == 0 &&
           cni_cuda.context_set(gpu->contexts[number]) == 0 &&
           cni_cuda.stream_create(&gpu->streams[number], NON_BLOCKING) == 0;
}

/* Do both have access to each other's memory, with atomic operations (a link of their own, no bus)? */
static bool linked(int a, int b)
{
    int forth = 0, back = 0, atomics = 0;
    return cni_cuda.peer_attribute(&forth, PEER_ACCESS, a, b) == 0 &&
           cni_cuda.peer_attribute(&back, PEER_ACCESS, b, a) == 0 &&
           cni_cuda.peer_attribute(&atomics, PEER_ATOMICS, a, b) == 0 && forth != 0 && back != 0 && atomics != 0;
}

static bool peers_enable(int number)
{
    cni_cuda_machine *gpu = &cni_cuda_gpu;
    bool fine = true;
    for (int k = 0; k < number && fine; k++) {
        for (int back = 0; back < 2 && fine; back++) {
            int to = back ? k : number, from = back ? number : k;
            int code = cni_cuda.context_set(gpu->contexts[to]);
            code = code == 0 ? cni_cuda.peer_enable(gpu->contexts[from], 0) : code;
            fine = code == 0 || code == ALREADY_ENABLED;
        }
    }
    return fine;
}

/* The devices that this process may use: all or, where several processes share a machine, its share. */
static void choose_devices(int count, int *first, int *end)
{
    const cni_net *net = cni_process_net;
    int64_t wanted = cni_settings[CNI_SETTING_GPUS], share = count / net->local_size;
    int64_t n = wanted > 0 ? wanted : share > 0 ? share : 1;
    n = n < CNI_CUDA_GPUS ? n : CNI_CUDA_GPUS;
    *first = (int)(n * net->local_rank % count);
    *end = *first + (int)n < count ? *first + (int)n : count;
}

/* The other devices that can work with the first as if their memory were one. */
static void others_open(int first, int end)
{
    cni_cuda_machine *gpu = &cni_cuda_gpu;
    for (int device = first + 1; device < end; device++) {
        bool fits = arch_of(device) == gpu->arch;
        for (int k = 0; k < gpu->gpus && fits; k++) {
            fits = linked(gpu->devices[k], device);
        }
        if (fits && gpu_open(device, gpu->gpus) && peers_enable(gpu->gpus)) {
            gpu->gpus++;
        }
    }
}

static bool device_open(void)
{
    int count = 0, first, end, device = 0, code = cni_cuda.init(0);
    cni_cuda_machine *gpu = &cni_cuda_gpu;
    if (code == NO_DEVICE || (code == 0 && cni_cuda.device_count(&count) == 0 && count == 0)) {
        snprintf(reason, sizeof reason, "the CUDA driver sees none");
        return false;
    }
    bool fine = code == 0 && cni_cuda.version(&gpu->driver_version) == 0 && count > 0;
    choose_devices(fine ? count : 1, &first, &end);
    fine = fine && cni_cuda.device_get(&device, first) == 0 &&
           cni_cuda.device_name(gpu->name, sizeof gpu->name, device) == 0;
    fine = fine && cni_cuda.device_attribute(&gpu->processors, MULTIPROCESSORS, device) == 0 &&
           cni_cuda.device_attribute(&gpu->cache_bytes, CACHE_BYTES, device) == 0 &&
           cni_cuda.device_attribute(&gpu->shared_bytes, SHARED_BYTES, device) == 0;
    gpu->arch = fine ? arch_of(device) : 0;
    gpu->parameter_bytes = gpu->driver_version >= 12010 ? 32764 : 4096;
    if (fine && gpu->arch < LEAST_ARCH) {
        because("%s is too old", gpu->name);
        return false;
    }
    if (!fine || !gpu_open(device, 0)) {
        because("the CUDA driver does not start: error %d", code);
        return false;
    }
    gpu->context = gpu->contexts[0];
    gpu->stream = gpu->streams[0];
    gpu->gpus = 1;
    others_open(first, end);
    return cni_cuda.context_set(gpu->context) == 0 && pthread_atfork(NULL, NULL, in_child) == 0;
}

bool cni_cuda_open(void)
{
    static const char *const names[] = {"libcuda.so.1", NULL};
    void *library = cni_cuda_library(cni_text_settings[CNI_TEXT_SETTING_CUDA_DRIVER], names);
    bool filled = library != NULL && cni_cuda_fill_table(library, &cni_cuda, driver_entries,
                                                         sizeof driver_entries / sizeof *driver_entries);
    return filled && device_open();
}

bool cni_cuda_enter(void)
{
    if (forked) {
        return false;
    }
    busy = true;
    if (!entered) {
        entered = cni_cuda_check(cni_cuda.context_set(cni_cuda_gpu.context), "the context");
    }
    return entered;
}

bool cni_cuda_is_idle(void)
{
    return !busy && !forked;
}

void cni_cuda_idle(void)
{
    busy = false;
}

bool cni_cuda_check(int code, const char *what)
{
    if (code != 0 && failure[0] == '\0') {
        snprintf(failure, sizeof failure, "CUDA error %d in %s", code, what);
        cni_notice("cnumeric: the GPU failed (%s); the processor does what comes", failure);
        cni_settings[CNI_SETTING_GPU] = 0; /* plans are bound anew */
    }
    return code == 0;
}

const char *cni_cuda_failure(void)
{
    if (forked) {
        return "the GPU cannot be used in the child of a fork";
    }
    return failure[0] != '\0' ? failure : NULL;
}
