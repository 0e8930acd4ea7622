/* cuda_spread.c - see cuda_spread.h. */
#include "cuda/cuda_spread.h"

#include <string.h>

#include "base/memory.h"
#include "base/settings.h"
#include "cuda/cuda_memory.h"
#include "cuda/cuda_stream.h"

/* As the driver has them: pages pinned on a device; who may read and write them. */
typedef struct page_properties {
    int kind, handles, location, device;
    void *unused;
    uint64_t flags;
} page_properties;

typedef struct page_access {
    int location, device, rights;
} page_access;

enum { PINNED = 1, ON_DEVICE = 1, READ_WRITE = 3, RECOMMENDED = 1 };

static struct {
    cni_cuda_spread *list; /* by address */
    size_t count, capacity, granularity;
    int64_t taken[CNI_CUDA_GPUS];
} blocks;

static struct {
    cni_cuda_address address;
    size_t size;
} locals[CNI_CUDA_GPUS];

static page_properties properties_of(int gpu)
{
    return (page_properties){.kind = PINNED, .location = ON_DEVICE, .device = cni_cuda_gpu.devices[gpu]};
}

static bool granularity_known(void)
{
    page_properties properties = properties_of(0);
    return blocks.granularity > 0 ||
           (cni_cuda.pages_granularity(&blocks.granularity, &properties, RECOMMENDED) == 0 && blocks.granularity > 0);
}

bool cni_cuda_spread_wanted(int64_t nbytes)
{
    return cni_cuda_gpu.gpus > 1 && nbytes >= cni_settings[CNI_SETTING_GPU_SPREAD_BYTES] && granularity_known();
}

static size_t page_above(size_t n)
{
    return (n + blocks.granularity - 1) / blocks.granularity * blocks.granularity;
}

/* Where the GPUs' shares of [low, high) begin; the first and the last have what lies beside it. */
static void cut(cni_cuda_spread *s)
{
    size_t first = s->low / blocks.granularity, pages = page_above(s->high) / blocks.granularity - first;
    size_t gpus = (size_t)cni_cuda_gpu.gpus;
    for (size_t k = 1; k < gpus; k++) { /* nearest, halves down */
        s->begin[k] = (first + (2 * pages * k + gpus - 1) / (2 * gpus)) * blocks.granularity;
    }
    s->begin[0] = 0;
    s->begin[gpus] = s->nbytes;
}

/* ---- Pages ---- */

static void unmap(cni_cuda_spread *s)
{
    for (size_t i = 0; i < s->npages; i++) {
        const cni_cuda_pages *p = &s->pages[i];
        cni_cuda_check(cni_cuda.pages_unmap(s->address + p->begin, p->end - p->begin), "unmapping");
        blocks.taken[p->gpu] -= (int64_t)(p->end - p->begin);
    }
    cni_free(s->pages);
    s->pages = NULL;
    s->npages = s->capacity = 0;
    cni_cuda_check(cni_cuda.addresses_free(s->address, s->nbytes), "giving addresses back");
}

static bool access_allow(cni_cuda_address address, size_t n)
{
    page_access access[CNI_CUDA_GPUS];
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        access[k] = (page_access){ON_DEVICE, cni_cuda_gpu.devices[k], READ_WRITE};
    }
    return cni_cuda.pages_access(address, n, access, (size_t)cni_cuda_gpu.gpus) == 0;
}

/* Pages of the GPU for bytes of the block; they live until they are unmapped. */
static bool map_pages(cni_cuda_spread *s, size_t begin, size_t end, int gpu)
{
    page_properties properties = properties_of(gpu);
    int64_t n = (int64_t)(end - begin);
    unsigned long long pages;
    if (!cni_cuda_may_take(gpu, n) || !cni_grow((void **)&s->pages, &s->capacity, s->npages + 1, sizeof *s->pages) ||
        cni_cuda.pages_create(&pages, end - begin, &properties, 0) != 0) {
        return false;
    }
    bool mapped = cni_cuda.pages_map(s->address + begin, end - begin, 0, pages, 0) == 0;
    cni_cuda_check(cni_cuda.pages_release(pages), "releasing pages");
    if (mapped && !access_allow(s->address + begin, end - begin)) {
        cni_cuda_check(cni_cuda.pages_unmap(s->address + begin, end - begin), "unmapping");
        mapped = false;
    }
    if (mapped) {
        s->pages[s->npages++] = (cni_cuda_pages){begin, end, gpu};
        blocks.taken[gpu] += n;
    }
    return mapped;
}

/* What is missing of [at, end) from its start on: up to what is there, or to another GPU's share. Empty: something is there. */
static size_t missing(const cni_cuda_spread *s, size_t at, size_t end, size_t *next)
{
    *next = end;
    for (size_t i = 0; i < s->npages; i++) {
        const cni_cuda_pages *p = &s->pages[i];
        if (p->begin <= at && at < p->end) {
            *next = p->end < end ? p->end : end;
            return at;
        }
        *next = at < p->begin && p->begin < *next ? p->begin : *next;
    }
    return *next;
}

static bool map(cni_cuda_spread *s, size_t low, size_t high)
{
    size_t end = page_above(high), next;
    for (size_t at = low / blocks.granularity * blocks.granularity; at < end; at = next) {
        int gpu = 0;
        while (at >= s->begin[gpu + 1]) {
            gpu++;
        }
        size_t border = s->begin[gpu + 1] < end ? s->begin[gpu + 1] : end, stop = missing(s, at, border, &next);
        if (stop > at && !map_pages(s, at, stop, gpu)) {
            return false;
        }
    }
    return true;
}

/* ---- Blocks ---- */

/* The number of blocks that begin at the address or before it. */
static size_t rank_of(cni_cuda_address address)
{
    size_t low = 0, high = blocks.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (blocks.list[middle].address <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static cni_cuda_spread *block_at(cni_cuda_address address)
{
    size_t at = rank_of(address);
    return at > 0 && blocks.list[at - 1].address == address ? &blocks.list[at - 1] : NULL;
}

static cni_cuda_address take_free(const cni_cuda_spread *like)
{
    for (size_t i = 0; i < blocks.count; i++) {
        cni_cuda_spread *s = &blocks.list[i];
        if (s->free && s->nbytes == like->nbytes && s->low == like->low && s->high == like->high) {
            s->free = false;
            return s->address;
        }
    }
    return 0;
}

static cni_cuda_address make(cni_cuda_spread fresh)
{
    cut(&fresh);
    if (!cni_grow((void **)&blocks.list, &blocks.capacity, blocks.count + 1, sizeof *blocks.list) ||
        cni_cuda.addresses_reserve(&fresh.address, fresh.nbytes, 0, 0, 0) != 0) {
        return 0;
    }
    size_t at = rank_of(fresh.address);
    memmove(blocks.list + at + 1, blocks.list + at, (blocks.count - at) * sizeof *blocks.list);
    blocks.list[at] = fresh;
    blocks.count++;
    return fresh.address;
}

cni_cuda_address cni_cuda_spread_reserve(int64_t nbytes, int64_t low, int64_t high)
{
    if (!granularity_known()) {
        return 0;
    }
    cni_cuda_spread like = {.nbytes = page_above((size_t)nbytes), .low = (size_t)low, .high = (size_t)high};
    cni_cuda_address address = take_free(&like);
    return address != 0 ? address : make(like);
}

bool cni_cuda_spread_touch(cni_cuda_address address, int64_t low, int64_t high)
{
    cni_cuda_spread *s = block_at(address);
    return s != NULL && (low >= high || map(s, (size_t)low, (size_t)high));
}

cni_cuda_address cni_cuda_spread_alloc(int64_t nbytes)
{
    int64_t size = (int64_t)page_above((size_t)nbytes);
    cni_cuda_address address = cni_cuda_spread_reserve(size, 0, size);
    if (address != 0 && !cni_cuda_spread_touch(address, 0, size)) {
        cni_cuda_spread_free(address);
        return 0;
    }
    return address;
}

bool cni_cuda_spread_free(cni_cuda_address address)
{
    cni_cuda_spread *s = block_at(address);
    if (s != NULL) {
        s->free = true;
    }
    return s != NULL;
}

static void local_free(int gpu)
{
    if (locals[gpu].address != 0) {
        cni_cuda_check(cni_cuda.memory_free(locals[gpu].address), "freeing memory");
        blocks.taken[gpu] -= (int64_t)locals[gpu].size;
    }
    locals[gpu].address = 0;
    locals[gpu].size = 0;
}

cni_cuda_address cni_cuda_local(int gpu, size_t n)
{
    if (locals[gpu].size >= n) {
        return locals[gpu].address;
    }
    local_free(gpu);
    if (!cni_cuda_may_take(gpu, (int64_t)n) || cni_cuda.memory_alloc(&locals[gpu].address, n) != 0) {
        locals[gpu].address = 0;
        return 0;
    }
    locals[gpu].size = n;
    blocks.taken[gpu] += (int64_t)n;
    return locals[gpu].address;
}

void cni_cuda_spread_trim(void)
{
    size_t kept = 0;
    if (blocks.count == 0) {
        return;
    }
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        cni_cuda_check(cni_cuda.stream_wait(cni_cuda_stream(k)), "waiting");
    }
    cni_cuda_step_end();
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        local_free(k);
    }
    for (size_t i = 0; i < blocks.count; i++) {
        if (blocks.list[i].free) {
            unmap(&blocks.list[i]);
        } else {
            blocks.list[kept++] = blocks.list[i];
        }
    }
    blocks.count = kept;
}

const cni_cuda_spread *cni_cuda_spread_find(cni_cuda_address address)
{
    size_t at = rank_of(address);
    const cni_cuda_spread *s = at > 0 ? &blocks.list[at - 1] : NULL;
    return s != NULL && address - s->address < s->nbytes ? s : NULL;
}

int64_t cni_cuda_spread_taken(int gpu)
{
    return blocks.taken[gpu];
}

int64_t cni_cuda_spread_end(const cni_cuda_spread *memory, int gpu, cni_cuda_address address, int64_t step,
                            int64_t from, int64_t n)
{
    int64_t behind = (int64_t)(memory->address + memory->begin[gpu + 1] - address) / step;
    return gpu == cni_cuda_gpu.gpus - 1 || behind > n ? n : behind > from ? behind : from;
}

int cni_cuda_owner(cni_cuda_address address, size_t n, size_t *here)
{
    const cni_cuda_spread *s = cni_cuda_spread_find(address);
    *here = n;
    if (s == NULL) {
        return 0;
    }
    int gpu = 0;
    while (address - s->address >= s->begin[gpu + 1]) {
        gpu++;
    }
    size_t left = s->address + s->begin[gpu + 1] - address;
    *here = n < left ? n : left;
    return gpu;
}

void cni_cuda_copy_owned(cni_cuda_address to, cni_cuda_address from, size_t n, cni_cuda_handle stream)
{
    for (size_t done = 0, here; done < n; done += here) {
        cni_cuda_owner(from + done, n - done, &here);
        cni_cuda_owner(to + done, here, &here);
        cni_cuda_check(cni_cuda.copy(to + done, from + done, here, stream), "a copy");
    }
}
