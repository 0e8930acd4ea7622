/*
 * standin.c - a CUDA driver and run-time compiler for machines without a GPU: tests only.
 *
 * Device memory cannot be touched but while queued work runs; nothing runs before somebody waits for it. STANDIN_DEVICES
 * devices have a stream each, one for messages, and two for copies, whose work is done in any order that events allow:
 * messages, and what they wait for, by a thread too, as other processes wait for them (standin_nccl.c). Kernels are compiled for the host by
 * cc, from the very text that a GPU would get; only prelude.cuh is another.
 * CNUMERIC_CUDA_DRIVER and CNUMERIC_CUDA_COMPILER name this library. STANDIN_NVRTC, the path of a real run-time
 * compiler, has it compile every text too.
 */
#include "standin.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#define API __attribute__((visibility("default")))

static const char prelude[] =
    "#include <stdint.h>\n#include <math.h>\n#include <string.h>\n#include <stdbool.h>\n"
    "typedef struct { unsigned thread[2], block, block_size[2], shared; void (*barrier)(void); unsigned (*shuffle)(unsigned, "
    "unsigned, int); } hooks_;\n"
    "__attribute__((visibility(\"default\"))) hooks_ cni_hooks;\n"
    "typedef struct { unsigned x, y; } pair_;\n"
    "#define threadIdx ((pair_){cni_hooks.thread[0], cni_hooks.thread[1]})\n"
    "#define blockIdx ((pair_){cni_hooks.block, 0})\n"
    "#define blockDim ((pair_){cni_hooks.block_size[0], cni_hooks.block_size[1]})\n"
    "#define CNI_KERNEL(name, type) static void name##_body(const type p); \\\n"
    "    __attribute__((visibility(\"default\"))) void name(const void *q) { name##_body(*(const type *)q); } static "
    "void name##_body(const type p)\n"
    "#define CNI_INLINE static inline\n#define CNI_CALLED static\n#define CNI_ALIGN(n) "
    "__attribute__((aligned(n)))\n#define CNI_UNROLL\n#define "
    "CNI_UNROLL_4\n#define CNI_UNROLL_16\n#define CNI_ROLLED\n"
    "#define CNI_SHARED_MORE(type, name, count) static type name[count]; if (sizeof name > cni_hooks.shared) "
    "__builtin_trap()\n"
    "#define CNI_SHARED static\n#define CNI_BARRIER() cni_hooks.barrier()\n#define CNI_WARP_BARRIER() "
    "((void)cni_hooks.shuffle(0xFFFFFFFFu, 0, 0))\n"
    "static inline void cni_atomic_add(int64_t *to, int64_t value) { *to += value; }\n"
    "static inline void cni_atomic_or(int64_t *to, int64_t value) { *to |= value; }\n"
    "static inline void cni_word_or(unsigned *to, unsigned bits) { *to |= bits; }\n"
    "static inline void cni_atomic_max(int64_t *to, int64_t value) { *to = *to > value ? *to : value; }\n"
    "static inline unsigned cni_shuffle_word(unsigned mask, unsigned word, int lane) { return cni_hooks.shuffle(mask, "
    "word, lane); }\n"
    "static inline unsigned cni_ballot(int word) { return cni_hooks.shuffle(0xFFFFFFFFu, word != 0, -1); }\n"
    "static inline unsigned cni_alike(unsigned word, unsigned bit) { return (word & bit) != 0 ? cni_ballot(1) : "
    "~cni_ballot(0); }\n"
    "static inline void cni_shared_add(unsigned *to, unsigned value) { *to += value; }\n"
    "static inline unsigned cni_ticket(unsigned *counter) { return (*counter)++; }\n"
    "static inline unsigned cni_take(unsigned *counter, unsigned count) { return (*counter += count) - count; }\n"
    "static inline void cni_publish(void *to, uint64_t first, uint64_t second) { ((uint64_t *)to)[0] = first; "
    "((uint64_t *)to)[1] = second; }\n"
    "static inline uint64_t cni_observe(const void *from, uint64_t *second) { *second = ((const uint64_t *)from)[1]; "
    "return *(const uint64_t *)from; }\n"
    "static inline void cni_publish_word(unsigned *to, unsigned word) { *to = word; }\n"
    "static inline void cni_pause(void) {}\nstatic inline int64_t cni_nothing(void) { return 0; }\n"
    "static inline unsigned cni_observe_word(const unsigned *from) { return *from; }\n"
    "#include \"cuda/shuffle.cuh\"\n";

/* ---- Failures on demand ---- */

/* STANDIN_FAIL=launch:3 has the third call of that kind fail; launch:3+ all from then on. */
bool standin_fails(const char *kind)
{
    static int count;
    const char *wish = getenv("STANDIN_FAIL"), *colon = wish != NULL ? strchr(wish, ':') : NULL;
    if (colon == NULL || strlen(kind) != (size_t)(colon - wish) || strncmp(kind, wish, strlen(kind)) != 0) {
        return false;
    }
    int n = atoi(colon + 1);
    count++;
    return count == n || (count > n && strchr(colon, '+') != NULL);
}

/* ---- Memory ---- */

#define REGION ((size_t)64 << 30)

static char *region;
static size_t used;

/* Ranges that are mapped, besides the region. */
enum { RANGES = 4096 };
static struct {
    uint64_t at;
    size_t n;
} ranges[RANGES];
static int nranges;

static pthread_mutex_t turn = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

/* Whoever has it open is alone. */
static void unlock(bool open)
{
    int rights = open ? PROT_READ | PROT_WRITE : PROT_NONE;
    if (open) {
        pthread_mutex_lock(&turn);
    }
    if (region != NULL && used > 0) {
        mprotect(region, used, rights);
    }
    for (int i = 0; i < nranges; i++) {
        mprotect((void *)(uintptr_t)ranges[i].at, ranges[i].n, rights);
    }
    if (!open) {
        pthread_mutex_unlock(&turn);
    }
}

static bool range_add(uint64_t at, size_t n)
{
    if (nranges == RANGES) {
        return false;
    }
    pthread_mutex_lock(&turn);
    ranges[nranges].at = at;
    ranges[nranges++].n = n;
    unlock(true);
    memset((void *)(uintptr_t)at, 0xA5, n);
    unlock(false);
    pthread_mutex_unlock(&turn);
    return true;
}

static bool range_remove(uint64_t at, size_t n)
{
    bool found = false;
    pthread_mutex_lock(&turn);
    for (int i = 0; i < nranges && !found; i++) {
        found = ranges[i].at == at && ranges[i].n == n;
        if (found) {
            ranges[i] = ranges[--nranges];
        }
    }
    pthread_mutex_unlock(&turn);
    return found;
}

API int cuMemAlloc_v2(uint64_t *address, size_t nbytes)
{
    if (region == NULL) {
        region = mmap(NULL, REGION, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    size_t size = (nbytes + 4095) / 4096 * 4096 + 4096; /* a page between blocks */
    if (region == MAP_FAILED || used + size > REGION || standin_fails("alloc")) {
        return 2;
    }
    pthread_mutex_lock(&turn);
    *address = (uint64_t)(uintptr_t)(region + used);
    used += size;
    unlock(true);
    memset(region + used - size, 0xA5, nbytes < 1 << 20 ? nbytes : 1 << 20);
    unlock(false);
    pthread_mutex_unlock(&turn);
    return 0;
}

API int cuMemAllocHost_v2(void **memory, size_t nbytes)
{
    *memory = standin_fails("pinned") ? NULL : malloc(nbytes);
    return *memory != NULL ? 0 : 2;
}

API int cuMemFreeHost(void *memory)
{
    free(memory);
    return 0;
}

/* ---- Devices, their streams and the order of work ---- */

enum { DEVICES_MOST = 8, STREAMS = 4 };

typedef enum work_kind { COPY, FILL, KERNEL, JOB, WAIT } work_kind;

typedef struct stream stream;

typedef struct work {
    struct work *next;
    work_kind kind;
    char *to;
    const char *from;
    size_t n;
    unsigned char byte;
    const standin_function *function;
    unsigned blocks, x, y, shared;
    bool (*job)(void *context); /* JOB */
    void *context;
    stream *other; /* WAIT: until that stream has done so much */
    uint64_t until;
    _Alignas(16) char parameters[];
} work;

/* Four a device: the address is the stream's handle, and the device's context is its own. */
struct stream {
    work *first, **last;
    uint64_t queued, done;
    int device;
};

typedef struct event {
    stream *stream;
    uint64_t until;
} event;

static stream streams[STREAMS * DEVICES_MOST]; /* all first ones, all for messages, two for copies each */
static int contexts[DEVICES_MOST];       /* the address is the handle */
static int first_device = -1;            /* that this process opened */
static _Thread_local int current_device;

static int device_count(void)
{
    const char *wish = getenv("STANDIN_DEVICES");
    int n = wish != NULL ? atoi(wish) : 1;
    return n < 1 ? 1 : n > DEVICES_MOST ? DEVICES_MOST : n;
}

static void complain(const char *what)
{
    fprintf(stderr, "standin: %s\n", what);
    abort();
}

/* False: it is not done yet. */
static bool run(const work *w)
{
    if (w->kind == JOB) {
        return w->job(w->context);
    }
    if (w->kind == COPY) {
        memmove(w->to, w->from, w->n);
    } else if (w->kind == FILL) {
        memset(w->to, w->byte, w->n);
    } else if (w->kind == KERNEL) {
        w->function->hooks->shared = w->shared;
        standin_run(w->function, w->blocks, w->x, w->y, w->parameters);
    }
    return true;
}

unsigned standin_random(unsigned n)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % n;
}

/* One piece of work of the stream, or, if it waits for another stream, one of that; false: it waits for another process. */
static bool advance(stream *s)
{
    while (s->first->kind == WAIT && s->first->other->done < s->first->until) {
        s = s->first->other;
    }
    work *w = s->first;
    if (!run(w)) {
        return false;
    }
    s->done++;
    s->first = w->next;
    if (s->first == NULL) {
        s->last = &s->first;
    }
    free(w);
    return true;
}

/* Runs the stream's work; of other streams what it waits for, and whatever chance has it. */
static int drain(stream *s, uint64_t until)
{
    unlock(true);
    while (s->done < until) {
        unsigned k = standin_random(STREAMS * (unsigned)device_count());
        stream *other = &streams[k / STREAMS + (k % STREAMS) * DEVICES_MOST];
        if (!advance(other->first != NULL && standin_random(2) == 0 ? other : s)) {
            unlock(false);
            usleep(500);
            unlock(true);
        }
    }
    unlock(false);
    return 0;
}

/* Not ready, or ready; asking is waiting a little. */
static int query(stream *s, uint64_t until)
{
    pthread_mutex_lock(&turn);
    if (s->done < until) {
        unlock(true);
        advance(s);
        unlock(false);
    }
    int code = s->done < until ? 600 : 0;
    pthread_mutex_unlock(&turn);
    return code;
}

static int drain_all(void)
{
    for (int k = 0; k < STREAMS * DEVICES_MOST; k++) {
        drain(&streams[k], streams[k].queued);
    }
    return 0;
}

static work *add(void *to, work_kind kind, const void *parameters, size_t nbytes)
{
    stream *s = to != NULL ? to : &streams[current_device];
    work *w = calloc(1, sizeof *w + nbytes);
    if (s->device != current_device) {
        complain("the stream is not the current context's");
    }
    w->kind = kind;
    w->n = nbytes;
    if (nbytes > 0) {
        memcpy(w->parameters, parameters, nbytes);
    }
    return w;
}

/* It is complete, and may run. */
static int queue(void *to, work *w)
{
    stream *s = to != NULL ? to : &streams[current_device];
    pthread_mutex_lock(&turn);
    if (s->first == NULL) {
        s->last = &s->first;
    }
    *s->last = w;
    s->last = &w->next;
    s->queued++;
    pthread_mutex_unlock(&turn);
    return 0;
}

/* Messages, and what they wait for, whatever this process does. */
static void *carry_on(void *opaque)
{
    stream *s = opaque;
    for (;;) {
        usleep(200);
        pthread_mutex_lock(&turn);
        if (s->first != NULL) {
            unlock(true);
            for (int i = 0; i < 8 && s->first != NULL && advance(s); i++) {
            }
            unlock(false);
        }
        pthread_mutex_unlock(&turn);
    }
    return NULL;
}

void standin_queue(void *to, bool (*job)(void *context), void *context)
{
    static bool started;
    pthread_t thread;
    work *w = add(to, JOB, NULL, 0);
    w->job = job;
    w->context = context;
    queue(to, w);
    if (!started) {
        started = pthread_create(&thread, NULL, carry_on, to) == 0;
    }
}

static int add_copy(void *s, void *to, const void *from, size_t n)
{
    work *w = add(s, COPY, NULL, 0);
    w->to = to;
    w->from = from;
    w->n = n;
    return queue(s, w);
}

API int cuMemFree_v2(uint64_t address)
{
    (void)address;
    return drain_all();
}

API int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t n, void *s)
{
    return standin_fails("upload") ? 1 : add_copy(s, (void *)(uintptr_t)to, from, n);
}

API int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t n, void *s)
{
    return standin_fails("download") ? 1 : add_copy(s, to, (void *)(uintptr_t)from, n);
}

API int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t n, void *s)
{
    return add_copy(s, (void *)(uintptr_t)to, (void *)(uintptr_t)from, n);
}

typedef struct copy_side {
    size_t x, y;
    int kind;
    char *host;
    uint64_t device;
    void *array;
    size_t pitch;
} copy_side;

typedef struct copy_rows {
    copy_side from, to;
    size_t width, height;
} copy_rows;

API int cuMemcpy2DAsync_v2(const copy_rows *c, void *s)
{
    if (c->from.pitch < c->width || c->to.pitch < c->width || c->from.x + c->from.y + c->to.x + c->to.y > 0 ||
        standin_fails("rows")) {
        return 1;
    }
    char *from = c->from.kind == 1 ? c->from.host : (char *)(uintptr_t)c->from.device;
    char *to = c->to.kind == 1 ? c->to.host : (char *)(uintptr_t)c->to.device;
    for (size_t i = 0; i < c->height; i++) {
        add_copy(s, to + i * c->to.pitch, from + i * c->from.pitch, c->width);
    }
    return 0;
}

API int cuMemsetD8Async(uint64_t to, unsigned char byte, size_t n, void *s)
{
    work *w = add(s, FILL, NULL, 0);
    w->to = (void *)(uintptr_t)to;
    w->byte = byte;
    w->n = n;
    return queue(s, w);
}

int standin_launch(const standin_function *function, unsigned gx, unsigned bx, unsigned by, unsigned shared, void *s,
                   const void *parameters, size_t size)
{
    if (bx * by > 1024 || bx * by == 0 || gx == 0 || gx > INT32_MAX || shared > function->shared) {
        return 1;
    }
    if (standin_fails("launch")) {
        return 719;
    }
    work *w = add(s, KERNEL, parameters, size);
    w->function = function;
    w->blocks = gx;
    w->x = bx;
    w->y = by;
    w->shared = shared;
    return queue(s, w);
}

API int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                       unsigned shared, void *s, void **parameters, void **extra)
{
    const standin_function *f = function;
    (void)gy, (void)gz, (void)bz, (void)parameters;
    if (f->device != ((stream *)s)->device) {
        complain("the kernel is not the stream's device's");
    }
    return standin_launch(f, gx, bx, by, shared, s, extra[1], *(size_t *)extra[3]);
}

int standin_now(void *of, int (*job)(void *context), void *context)
{
    stream *s = of != NULL ? of : &streams[first_device];
    if (standin_fails("library")) {
        return 1;
    }
    if (current_device != s->device) {
        complain("a library is called in another device's context");
    }
    drain(s, s->queued);
    unlock(true);
    int status = job(context);
    unlock(false);
    return status;
}

API int cuCtxSynchronize(void)
{
    return drain(&streams[current_device], streams[current_device].queued);
}

API int cuStreamSynchronize(void *s)
{
    return drain(s, ((stream *)s)->queued);
}

API int cuEventCreate(event **out, unsigned flags)
{
    (void)flags;
    *out = calloc(1, sizeof **out);
    return 0;
}

API int cuEventRecord(event *e, stream *s)
{
    if (s->device != current_device) {
        complain("the event's stream is not the current context's");
    }
    *e = (event){s, s->queued};
    return 0;
}

API int cuEventSynchronize(const event *e)
{
    return e->stream != NULL ? drain(e->stream, e->until) : 0;
}

API int cuEventQuery(const event *e)
{
    return e->stream != NULL ? query(e->stream, e->until) : 0;
}

API int cuStreamWaitEvent(void *s, const event *e, unsigned flags)
{
    (void)flags;
    if (e->stream != NULL) {
        work *w = add(s, WAIT, NULL, 0);
        w->other = e->stream;
        w->until = e->until;
        queue(s, w);
    }
    return 0;
}

/* ---- Pages: cuMemCreate and what belongs to it ---- */

enum { PAGE = 4096 };

typedef struct page_properties {
    int kind, handles, location, device;
    void *unused;
    uint64_t flags;
} page_properties;

API int cuMemGetAllocationGranularity(size_t *n, const page_properties *p, int option)
{
    (void)option;
    *n = PAGE;
    return p->kind == 1 && p->location == 1 && p->device < device_count() ? 0 : 1;
}

API int cuMemAddressReserve(uint64_t *address, size_t n, size_t alignment, uint64_t at, unsigned long long flags)
{
    (void)alignment, (void)flags;
    void *memory = at != 0 || n % PAGE != 0 ? MAP_FAILED : mmap(NULL, n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *address = (uint64_t)(uintptr_t)memory;
    return memory != MAP_FAILED ? 0 : 2;
}

API int cuMemAddressFree(uint64_t address, size_t n)
{
    return munmap((void *)(uintptr_t)address, n);
}

API int cuMemCreate(unsigned long long *pages, size_t n, const page_properties *p, unsigned long long flags)
{
    (void)flags;
    *pages = (unsigned long long)p->device + 1;
    return n % PAGE != 0 || p->device >= device_count() || standin_fails("pages") ? 2 : 0;
}

API int cuMemRelease(unsigned long long pages)
{
    return pages > 0 ? 0 : 1;
}

API int cuMemMap(uint64_t at, size_t n, size_t offset, unsigned long long pages, unsigned long long flags)
{
    (void)flags;
    if (at % PAGE != 0) {
        return 1;
    }
    return offset != 0 || n == 0 || pages == 0 ? 1 : range_add(at, n) ? 0 : 2;
}

API int cuMemUnmap(uint64_t at, size_t n)
{
    for (int k = 0; k < DEVICES_MOST; k++) {
        if (streams[k].first != NULL) {
            complain("pages are unmapped while there is work");
        }
    }
    return range_remove(at, n) ? 0 : 1;
}

API int cuMemSetAccess(uint64_t at, size_t n, const void *access, size_t count)
{
    (void)at, (void)n, (void)access;
    return count == (size_t)device_count() || count > 0 ? 0 : 1;
}

/* ---- The rest of the driver ---- */

API int cuInit(unsigned flags)
{
    for (int k = 0; k < STREAMS * DEVICES_MOST; k++) {
        streams[k].device = k % DEVICES_MOST;
    }
    return (int)flags;
}

API int cuDriverGetVersion(int *version)
{
    *version = 13000;
    return 0;
}

API int cuDeviceGetCount(int *count)
{
    *count = device_count();
    return 0;
}

API int cuDeviceGet(int *device, int ordinal)
{
    *device = ordinal;
    return 0;
}

API int cuDeviceGetName(char *name, int length, int device)
{
    (void)device;
    snprintf(name, (size_t)length, "stand-in");
    return 0;
}

/* Bytes of a block: what any kernel has, and what it can have if it is said before. STANDIN_SHARED: the latter. */
enum { SHARED = 48 << 10, SHARED_MOST = 227 << 10 };

static int shared_most(void)
{
    const char *given = getenv("STANDIN_SHARED");
    return given != NULL ? atoi(given) : SHARED_MOST;
}

API int cuFuncSetAttribute(standin_function *f, int attribute, int value)
{
    if (attribute != 8 || value > shared_most()) {
        return 1;
    }
    f->shared = (unsigned)value;
    return 0;
}

API int cuDeviceGetAttribute(int *value, int attribute, int device)
{
    const struct {
        int attribute, value;
    } known[] = {{75, 9}, {76, 0}, {38, 32 << 10}, {97, shared_most()}}; /* generation, a small cache, memory of a block */
    (void)device;
    *value = 2;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        *value = known[k].attribute == attribute ? known[k].value : *value;
    }
    return 0;
}

API int cuDeviceTotalMem_v2(size_t *nbytes, int device)
{
    (void)device;
    *nbytes = REGION;
    return 0;
}

API int cuDeviceGetUuid_v2(char *sixteen, int device)
{
    snprintf(sixteen, 16, "stand-in %d", device);
    return 0;
}

/* STANDIN_UNLINKED: devices that do not see each other's memory. */
API int cuDeviceGetP2PAttribute(int *value, int attribute, int from, int to)
{
    (void)attribute;
    *value = from != to && getenv("STANDIN_UNLINKED") == NULL;
    return 0;
}

API int cuCtxEnablePeerAccess(const int *context, unsigned flags)
{
    return flags != 0 || context - contexts == current_device ? 1 : 0;
}

/* STANDIN_TELL: which devices are used. */
API int cuDevicePrimaryCtxRetain(void **context, int device)
{
    if (getenv("STANDIN_TELL") != NULL) {
        fprintf(stderr, "standin: opens device %d\n", device);
    }
    first_device = first_device < 0 ? device : first_device;
    *context = &contexts[device];
    return 0;
}

API int cuCtxSetCurrent(const int *context)
{
    if (context < contexts || context >= contexts + DEVICES_MOST) {
        return 1;
    }
    current_device = (int)(context - contexts);
    return 0;
}

API int cuStreamCreate(void **s, unsigned flags)
{
    static int made[DEVICES_MOST];
    int number = made[current_device]++, row = number == 0 ? 0 : number + 1;
    (void)flags;
    *s = &streams[current_device + (row < STREAMS ? row : 0) * DEVICES_MOST];
    return row < STREAMS ? 0 : 2;
}

API int cuStreamCreateWithPriority(void **s, unsigned flags, int priority)
{
    (void)flags, (void)priority;
    *s = &streams[current_device + DEVICES_MOST];
    return standin_fails("stream") ? 2 : 0;
}

/* ---- Compiling ---- */

typedef struct program {
    char *text, *code, *log;
    size_t size;
    int nheaders;
    char **names, **headers;
} program;

static char *copy_text(const char *text)
{
    return strcpy(malloc(strlen(text) + 1), text);
}

API int nvrtcVersion(int *major, int *minor)
{
    *major = 0;
    *minor = 1;
    return 0;
}

API int nvrtcCreateProgram(program **out, const char *text, const char *name, int nheaders, const char *const *headers,
                           const char *const *names)
{
    program *p = calloc(1, sizeof *p);
    (void)name;
    p->text = copy_text(text);
    p->log = copy_text("");
    p->nheaders = nheaders;
    p->headers = malloc((size_t)nheaders * sizeof(char *) + 1);
    p->names = malloc((size_t)nheaders * sizeof(char *) + 1);
    for (int i = 0; i < nheaders; i++) {
        p->headers[i] = copy_text(headers[i]);
        p->names[i] = copy_text(names[i]);
    }
    *out = p;
    return 0;
}

API int nvrtcDestroyProgram(program **p)
{
    for (int i = 0; i < (*p)->nheaders; i++) {
        free((*p)->headers[i]);
        free((*p)->names[i]);
    }
    free((*p)->headers);
    free((*p)->names);
    free((*p)->text);
    free((*p)->code);
    free((*p)->log);
    free(*p);
    return 0;
}

static void write_file(const char *path, const char *text, size_t size)
{
    FILE *file = fopen(path, "w");
    if (file == NULL || fwrite(text, 1, size, file) != size || fclose(file) != 0) {
        fprintf(stderr, "standin: cannot write %s\n", path);
        abort();
    }
}

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        *size = 0;
        return copy_text("");
    }
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *data = malloc(*size + 1);
    *size = fread(data, 1, *size, file);
    data[*size] = '\0';
    fclose(file);
    return data;
}

static char folder[64];
static pthread_mutex_t compiling = PTHREAD_MUTEX_INITIALIZER;
static bool cleaned;

/* Also while a thread compiles. */
static void clean(void)
{
    char command[128];
    pthread_mutex_lock(&compiling);
    cleaned = true;
    pthread_mutex_unlock(&compiling);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (folder[0] != '\0' && getenv("STANDIN_KEEP") == NULL && system(command) != 0) {
        fprintf(stderr, "standin: %s is left\n", folder);
    }
}

static void make_folder(const program *p)
{
    char path[512];
    if (folder[0] != '\0') {
        return;
    }
    snprintf(folder, sizeof folder, "/tmp/standin-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        abort();
    }
    atexit(clean);
    for (int i = 0; i < p->nheaders; i++) {
        const char *slash = strchr(p->names[i], '/');
        if (slash == NULL) {
            continue; /* the host has its own */
        }
        snprintf(path, sizeof path, "%s/%.*s", folder, (int)(slash - p->names[i]), p->names[i]);
        mkdir(path, 0700);
        snprintf(path, sizeof path, "%s/%s", folder, p->names[i]);
        bool ours = strcmp(p->names[i], "cuda/prelude.cuh") == 0;
        write_file(path, ours ? prelude : p->headers[i], strlen(ours ? prelude : p->headers[i]));
    }
}

/* The real compiler's opinion. */
static bool real_agrees(program *p, int noptions, const char *const *options)
{
    const char *path = getenv("STANDIN_NVRTC");
    void *library = path != NULL ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    int (*create)(void **, const char *, const char *, int, const char *const *, const char *const *);
    int (*compile)(void *, int, const char *const *), (*log_size)(void *, size_t *), (*log)(void *, char *),
        (*destroy)(void **);
    if (library == NULL) {
        return true;
    }
    void *symbols[] = {dlsym(library, "nvrtcCreateProgram"), dlsym(library, "nvrtcCompileProgram"),
                       dlsym(library, "nvrtcGetProgramLogSize"), dlsym(library, "nvrtcGetProgramLog"),
                       dlsym(library, "nvrtcDestroyProgram")};
    memcpy(&create, &symbols[0], sizeof create);
    memcpy(&compile, &symbols[1], sizeof compile);
    memcpy(&log_size, &symbols[2], sizeof log_size);
    memcpy(&log, &symbols[3], sizeof log);
    memcpy(&destroy, &symbols[4], sizeof destroy);
    void *real;
    size_t size = 0;
    if (create(&real, p->text, "group.cu", p->nheaders, (const char *const *)p->headers,
               (const char *const *)p->names) != 0) {
        return false;
    }
    bool fine = compile(real, noptions, options) == 0;
    if (!fine && log_size(real, &size) == 0) {
        free(p->log);
        p->log = malloc(size + 1);
        log(real, p->log);
    }
    destroy(&real);
    return fine;
}

/* STANDIN_TEXTS names a folder for every text, with its headers: tools/cuda_texts.py compiles them. */
static void keep_text(const program *p)
{
    const char *to = getenv("STANDIN_TEXTS");
    char path[512];
    uint64_t hash = 1469598103934665603u;
    if (to == NULL) {
        return;
    }
    for (const char *c = p->text; *c != '\0'; c++) {
        hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    }
    for (int i = 0; i < p->nheaders; i++) {
        const char *slash = strchr(p->names[i], '/');
        if (slash != NULL) {
            snprintf(path, sizeof path, "%s/%.*s", to, (int)(slash - p->names[i]), p->names[i]);
            mkdir(path, 0700);
        }
        snprintf(path, sizeof path, "%s/%s", to, p->names[i]);
        if (access(path, F_OK) != 0) {
            write_file(path, p->headers[i], strlen(p->headers[i]));
        }
    }
    snprintf(path, sizeof path, "%s/%016llx.cu", to, (unsigned long long)hash);
    write_file(path, p->text, strlen(p->text));
}

static int compile_program(program *p, int noptions, const char *const *options)
{
    static unsigned serial;
    char source[128], library[128], command[1024];
    if (standin_fails("compile")) {
        return 6;
    }
    make_folder(p);
    if (!real_agrees(p, noptions, options)) {
        fprintf(stderr, "standin: the real compiler refuses:\n%s\n%s\n", p->log, p->text);
        return 6;
    }
    keep_text(p);
    snprintf(source, sizeof source, "%s/k%u.c", folder, serial);
    snprintf(library, sizeof library, "%s/k%u.so", folder, serial++);
    write_file(source, p->text, strlen(p->text));
    snprintf(command, sizeof command,
             "cc -std=gnu17 -O1 -g0 -w -fPIC -shared -fvisibility=hidden -mfma -fwrapv -ffp-contract=off "
             "-fno-math-errno -I%s -o %s %s -lm 2>%s/log",
             folder, library, source, folder);
    if (system(command) != 0) {
        snprintf(command, sizeof command, "%s/log", folder);
        free(p->log);
        p->log = read_file(command, &p->size);
        fprintf(stderr, "standin: cc refuses:\n%s\n%s\n", p->log, p->text);
        return 6;
    }
    p->code = read_file(library, &p->size);
    bool cooperative = strstr(p->text, "CNI_COOPERATIVE") != NULL; /* told to the loader behind the library's own end */
    p->code = realloc(p->code, p->size + 16);
    memcpy(p->code + p->size, cooperative ? "COOPERATIVE....." : "ALONE...........", 16);
    p->size += 16;
    unlink(library);
    return 0;
}

/* Threads may come together; here they take turns. */
API int nvrtcCompileProgram(program *p, int noptions, const char *const *options)
{
    bool cold = strstr(p->text, "#define CNI_COLD") != NULL;
    const char *gate = getenv(cold ? "STANDIN_GATE_COLD" : "STANDIN_GATE");
    while (gate != NULL && access(gate, F_OK) != 0) {
        usleep(1000);
    }
    pthread_mutex_lock(&compiling);
    int status = cleaned ? 6 : compile_program(p, noptions, options);
    pthread_mutex_unlock(&compiling);
    return status;
}

API int nvrtcGetCUBINSize(const program *p, size_t *size)
{
    *size = p->size;
    return 0;
}

API int nvrtcGetCUBIN(const program *p, char *code)
{
    memcpy(code, p->code, p->size);
    return 0;
}

API int nvrtcGetProgramLogSize(const program *p, size_t *size)
{
    *size = strlen(p->log) + 1;
    return 0;
}

API int nvrtcGetProgramLog(const program *p, char *log)
{
    strcpy(log, p->log);
    return 0;
}

/* The size of an ELF file: its section headers come last. */
static size_t elf_size(const unsigned char *image)
{
    uint64_t sections;
    uint16_t size, count;
    memcpy(&sections, image + 40, sizeof sections);
    memcpy(&size, image + 58, sizeof size);
    memcpy(&count, image + 60, sizeof count);
    return (size_t)sections + (size_t)size * count;
}

typedef struct module {
    void *library;
    bool cooperative;
    int device;
} module;

API int cuModuleLoadData(module **out, const void *image)
{
    char path[64] = "/tmp/standin-kernel-XXXXXX";
    size_t size = elf_size(image);
    int file = mkstemp(path);
    if (file < 0 || write(file, image, size) != (ssize_t)size || close(file) != 0) {
        return 1;
    }
    module *m = calloc(1, sizeof *m);
    m->device = current_device;
    m->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    m->cooperative = memcmp((const char *)image + size, "COOPERATIVE.....", 16) == 0;
    unlink(path);
    *out = m;
    return m->library != NULL ? 0 : 1;
}

API int cuModuleGetFunction(standin_function **out, module *m, const char *name)
{
    void *symbol = dlsym(m->library, name);
    if (symbol == NULL) {
        return 500;
    }
    standin_function *f = calloc(1, sizeof *f);
    memcpy(&f->kernel, &symbol, sizeof symbol);
    f->hooks = dlsym(m->library, "cni_hooks");
    f->cooperative = m->cooperative;
    f->device = m->device;
    f->shared = SHARED;
    *out = f;
    return 0;
}
