/*
 * cuda_driver.h - the CUDA driver, its run-time compiler and other libraries, loaded when first asked for: building needs no CUDA,
 * and a machine without a GPU goes on without.
 *
 * The entry points are rows here; types are as wide as the libraries' own. Of each GPU one context (its primary one, which
 * other libraries of the process use too) and one stream; everything runs in one order (cuda_stream.h).
 */
#ifndef CNI_CUDA_DRIVER_H
#define CNI_CUDA_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t cni_cuda_address;
typedef struct cni_cuda_opaque *cni_cuda_handle; /* context, stream, event, module, function, graph */

/* name, symbol, parameters. All return 0 when they succeed. */
#define CNI_CUDA_DRIVER(X)                                                                                             \
    X(init, "cuInit", (unsigned flags))                                                                                \
    X(version, "cuDriverGetVersion", (int *version))                                                                   \
    X(device_count, "cuDeviceGetCount", (int *count))                                                                  \
    X(device_get, "cuDeviceGet", (int *device, int ordinal))                                                           \
    X(device_name, "cuDeviceGetName", (char *name, int length, int device))                                            \
    X(memory_total, "cuDeviceTotalMem_v2", (size_t * nbytes, int device))                                              \
    X(device_attribute, "cuDeviceGetAttribute", (int *value, int attribute, int device))                               \
    X(device_identity, "cuDeviceGetUuid_v2", (unsigned char *sixteen, int device))                                     \
    X(context_retain, "cuDevicePrimaryCtxRetain", (cni_cuda_handle * context, int device))                             \
    X(context_set, "cuCtxSetCurrent", (cni_cuda_handle context))                                                       \
    X(peer_attribute, "cuDeviceGetP2PAttribute", (int *value, int attribute, int from, int to))                        \
    X(peer_enable, "cuCtxEnablePeerAccess", (cni_cuda_handle context, unsigned flags))                                 \
    X(context_wait, "cuCtxSynchronize", (void))                                                                        \
    X(stream_create, "cuStreamCreate", (cni_cuda_handle * stream, unsigned flags))                                     \
    X(stream_create_first, "cuStreamCreateWithPriority", (cni_cuda_handle * stream, unsigned flags, int priority))     \
    X(stream_wait, "cuStreamSynchronize", (cni_cuda_handle stream))                                                    \
    X(event_create, "cuEventCreate", (cni_cuda_handle * event, unsigned flags))                                        \
    X(event_record, "cuEventRecord", (cni_cuda_handle event, cni_cuda_handle stream))                                  \
    X(event_wait, "cuEventSynchronize", (cni_cuda_handle event))                                                       \
    X(event_query, "cuEventQuery", (cni_cuda_handle event))                                                            \
    X(stream_wait_event, "cuStreamWaitEvent", (cni_cuda_handle stream, cni_cuda_handle event, unsigned flags))         \
    X(memory_alloc, "cuMemAlloc_v2", (cni_cuda_address * address, size_t nbytes))                                      \
    X(memory_free, "cuMemFree_v2", (cni_cuda_address address))                                                         \
    X(memory_host, "cuMemAllocHost_v2", (void **memory, size_t nbytes))                                                \
    X(memory_host_free, "cuMemFreeHost", (void *memory))                                                               \
    X(addresses_reserve, "cuMemAddressReserve",                                                                        \
      (cni_cuda_address * address, size_t n, size_t alignment, cni_cuda_address at, unsigned long long flags))         \
    X(addresses_free, "cuMemAddressFree", (cni_cuda_address address, size_t n))                                        \
    X(pages_granularity, "cuMemGetAllocationGranularity", (size_t * n, const void *properties, int option))            \
    X(pages_create, "cuMemCreate",                                                                                     \
      (unsigned long long *pages, size_t n, const void *properties, unsigned long long flags))                         \
    X(pages_release, "cuMemRelease", (unsigned long long pages))                                                       \
    X(pages_map, "cuMemMap",                                                                                           \
      (cni_cuda_address at, size_t n, size_t offset, unsigned long long pages, unsigned long long flags))              \
    X(pages_unmap, "cuMemUnmap", (cni_cuda_address at, size_t n))                                                      \
    X(pages_access, "cuMemSetAccess", (cni_cuda_address at, size_t n, const void *access, size_t count))               \
    X(memory_fill, "cuMemsetD8Async", (cni_cuda_address to, unsigned char byte, size_t n, cni_cuda_handle stream))     \
    X(upload, "cuMemcpyHtoDAsync_v2", (cni_cuda_address to, const void *from, size_t n, cni_cuda_handle stream))       \
    X(download, "cuMemcpyDtoHAsync_v2", (void *to, cni_cuda_address from, size_t n, cni_cuda_handle stream))           \
    X(copy, "cuMemcpyDtoDAsync_v2", (cni_cuda_address to, cni_cuda_address from, size_t n, cni_cuda_handle stream))    \
    X(copy_rows, "cuMemcpy2DAsync_v2", (const void *rows, cni_cuda_handle stream))                                     \
    X(module_load, "cuModuleLoadData", (cni_cuda_handle * module, const void *image))                                  \
    X(module_function, "cuModuleGetFunction", (cni_cuda_handle * function, cni_cuda_handle module, const char *name))  \
    X(function_set, "cuFuncSetAttribute", (cni_cuda_handle function, int attribute, int value))                        \
    X(launch, "cuLaunchKernel",                                                                                        \
      (cni_cuda_handle function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,         \
       unsigned shared, cni_cuda_handle stream, void **parameters, void **extra))                                      \
    X(graph_create, "cuGraphCreate", (cni_cuda_handle * graph, unsigned flags))                                        \
    X(graph_kernel, "cuGraphAddKernelNode_v2",                                                                         \
      (cni_cuda_handle * node, cni_cuda_handle graph, const cni_cuda_handle *before, size_t nbefore,                   \
       const void *parameters))                                                                                        \
    X(graph_fill, "cuGraphAddMemsetNode",                                                                              \
      (cni_cuda_handle * node, cni_cuda_handle graph, const cni_cuda_handle *before, size_t nbefore,                   \
       const void *parameters, cni_cuda_handle context))                                                               \
    X(graph_copy, "cuGraphAddMemcpyNode",                                                                              \
      (cni_cuda_handle * node, cni_cuda_handle graph, const cni_cuda_handle *before, size_t nbefore,                   \
       const void *parameters, cni_cuda_handle context))                                                               \
    X(graph_kernel_set, "cuGraphExecKernelNodeSetParams_v2",                                                           \
      (cni_cuda_handle exec, cni_cuda_handle node, const void *parameters))                                            \
    X(graph_instantiate, "cuGraphInstantiateWithFlags",                                                                \
      (cni_cuda_handle * exec, cni_cuda_handle graph, unsigned long long flags))                                       \
    X(graph_launch, "cuGraphLaunch", (cni_cuda_handle exec, cni_cuda_handle stream))                                   \
    X(graph_exec_destroy, "cuGraphExecDestroy", (cni_cuda_handle exec))                                                \
    X(graph_destroy, "cuGraphDestroy", (cni_cuda_handle graph))

#define CNI_CUDA_COMPILER(X)                                                                                           \
    X(version, "nvrtcVersion", (int *major, int *minor))                                                               \
    X(create, "nvrtcCreateProgram",                                                                                    \
      (cni_cuda_handle * program, const char *text, const char *name, int nheaders, const char *const *headers,        \
       const char *const *names))                                                                                      \
    X(destroy, "nvrtcDestroyProgram", (cni_cuda_handle * program))                                                     \
    X(compile, "nvrtcCompileProgram", (cni_cuda_handle program, int noptions, const char *const *options))             \
    X(code_size, "nvrtcGetCUBINSize", (cni_cuda_handle program, size_t * size))                                        \
    X(code, "nvrtcGetCUBIN", (cni_cuda_handle program, char *code))                                                    \
    X(log_size, "nvrtcGetProgramLogSize", (cni_cuda_handle program, size_t * size))                                    \
    X(log, "nvrtcGetProgramLog", (cni_cuda_handle program, char *log))

#define CNI_CUDA_MEMBER(name, symbol, parameters) int(*name) parameters;
typedef struct cni_cuda_driver {
    CNI_CUDA_DRIVER(CNI_CUDA_MEMBER)
} cni_cuda_driver;
typedef struct cni_cuda_compiler {
    CNI_CUDA_COMPILER(CNI_CUDA_MEMBER)
} cni_cuda_compiler;

enum { CNI_CUDA_GPUS = 16 };

typedef struct cni_cuda_machine {
    cni_cuda_handle context, stream; /* of the first */
    int gpus;                        /* that work together: of one kind, each with access to the memory of all */
    cni_cuda_handle contexts[CNI_CUDA_GPUS], streams[CNI_CUDA_GPUS];
    int devices[CNI_CUDA_GPUS];
    int driver_version, arch;    /* 13000, 90 */
    int processors, cache_bytes; /* the second cache, which all processors have in common */
    int shared_bytes;            /* most memory of its own that a block can have */
    size_t parameter_bytes;      /* most that a kernel takes */
    char name[128];
} cni_cuda_machine;

extern cni_cuda_driver cni_cuda;
extern cni_cuda_machine cni_cuda_gpu;

/* Loads the driver and opens the devices; false without. */
bool cni_cuda_open(void);

/* Makes the first GPU's context the calling thread's; false in the child of a fork. To be called before anything else is. */
bool cni_cuda_enter(void);

/* Has nobody entered since all work was waited for (cni_cuda_idle)? Then there is none. */
bool cni_cuda_is_idle(void);
void cni_cuda_idle(void);

/* NULL if there is none. */
const cni_cuda_compiler *cni_cuda_compiler_get(void);

/* Remembers that a call failed, if it did: the next download reports it. Returns whether it succeeded. */
bool cni_cuda_check(int code, const char *what);

/* What was remembered; NULL: nothing. */
const char *cni_cuda_failure(void);

/* Loads the first library of these names, in the loader's folders and in those where CUDA is usually found. */
void *cni_cuda_library(const char *given, const char *const *names);

/* Fills a table of function pointers from the library's symbols; false if an entry is missing. */
typedef struct cni_cuda_entry {
    const char *symbol;
    size_t place;
} cni_cuda_entry;
bool cni_cuda_fill_table(void *library, void *table, const cni_cuda_entry *entries, size_t count);

/* A library that is opened when it is first asked for; begin (NULL: nothing) then makes what else its user needs. */
typedef struct cni_cuda_opening {
    int setting; /* which names it, if given: of cni_text_settings */
    const char *const *names;
    void *table;
    const cni_cuda_entry *entries;
    size_t count;
    bool (*begin)(void);
    bool looked, ready;
} cni_cuda_opening;

/* Is it there, with all entries, and begun? */
bool cni_cuda_ready(cni_cuda_opening *opening);

/* Parts of one piece of memory begin at such multiples. */
static inline int64_t cni_cuda_aligned(int64_t nbytes)
{
    return (nbytes + 255) / 256 * 256;
}

#endif
