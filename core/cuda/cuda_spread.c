/* cuda_spread.c - see cuda_spread.h. */
#include "cuda/cuda_spread.h"

#include <string.h>

#include "base/memory.h"
#include "base/settings.h"
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
    int64_t taken;
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

/* Where the GPUs' shares begin, of so many pages. */
static void cut(cni_cuda_spread *s)
{
    size_t pages = s->nbytes / blocks.granularity, gpus = (size_t)cni_cuda_gpu.gpus;
    for (size_t k = 0; k <= gpus; k++) {
        s->begin[k] = (2 * pages * k + gpus - 1) / (2 * gpus) * blocks.granularity; /* nearest, halves down */
    }
}

/* ---- Pages ---- */

static void unmap(const cni_cuda_spread *s, int gpus)
{
    for (int k = 0; k < gpus; k++) {
        if (s->begin[k] < s->begin[k + 1]) {
            cni_cuda_check(cni_cuda.pages_unmap(s->address + s->begin[k], s->begin[k + 1] - s->begin[k]), "unmapping");
        }
    }
    cni_cuda_check(cni_cuda.addresses_free(s->address, s->nbytes), "giving addresses back");
}

/* The GPU's pages, at their addresses; they live until they are unmapped. */
static bool map_pages(const cni_cuda_spread *s, int gpu)
{
    page_properties properties = properties_of(gpu);
    size_t n = s->begin[gpu + 1] - s->begin[gpu];
    unsigned long long pages;
    if (n == 0) {
        return true;
    }
    if (cni_cuda.pages_create(&pages, n, &properties, 0) != 0) {
        return false;
    }
    bool mapped = cni_cuda.pages_map(s->address + s->begin[gpu], n, 0, pages, 0) == 0;
    cni_cuda_check(cni_cuda.pages_release(pages), "releasing pages");
    return mapped;
}

static bool map(cni_cuda_spread *s)
{
    page_access access[CNI_CUDA_GPUS];
    int mapped = 0, gpus = cni_cuda_gpu.gpus;
    if (cni_cuda.addresses_reserve(&s->address, s->nbytes, 0, 0, 0) != 0) {
        return false;
    }
    for (; mapped < gpus && map_pages(s, mapped); mapped++) {
        access[mapped] = (page_access){ON_DEVICE, cni_cuda_gpu.devices[mapped], READ_WRITE};
    }
    if (mapped == gpus && cni_cuda.pages_access(s->address, s->nbytes, access, (size_t)gpus) == 0) {
        return true;
    }
    unmap(s, mapped);
    return false;
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

static int64_t most_of_a_gpu(const cni_cuda_spread *s)
{
    size_t most = 0;
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        most = s->begin[k + 1] - s->begin[k] > most ? s->begin[k + 1] - s->begin[k] : most;
    }
    return (int64_t)most;
}

static cni_cuda_address take_free(size_t nbytes)
{
    for (size_t i = 0; i < blocks.count; i++) {
        if (blocks.list[i].free && blocks.list[i].nbytes == nbytes) {
            blocks.list[i].free = false;
            return blocks.list[i].address;
        }
    }
    return 0;
}

static cni_cuda_address make(size_t nbytes)
{
    cni_cuda_spread fresh = {.nbytes = nbytes};
    cut(&fresh);
    int64_t most = most_of_a_gpu(&fresh), limit = cni_settings[CNI_SETTING_GPU_MEMORY];
    if ((limit > 0 && blocks.taken + most > limit) ||
        !cni_grow((void **)&blocks.list, &blocks.capacity, blocks.count + 1, sizeof *blocks.list) || !map(&fresh)) {
        return 0;
    }
    size_t at = rank_of(fresh.address);
    memmove(blocks.list + at + 1, blocks.list + at, (blocks.count - at) * sizeof *blocks.list);
    blocks.list[at] = fresh;
    blocks.count++;
    blocks.taken += most;
    return fresh.address;
}

cni_cuda_address cni_cuda_spread_alloc(int64_t nbytes)
{
    size_t size = ((size_t)nbytes + blocks.granularity - 1) / blocks.granularity * blocks.granularity;
    cni_cuda_address address = take_free(size);
    return address != 0 ? address : make(size);
}

bool cni_cuda_spread_free(cni_cuda_address address)
{
    size_t at = rank_of(address);
    if (at == 0 || blocks.list[at - 1].address != address) {
        return false;
    }
    blocks.list[at - 1].free = true;
    return true;
}

static void local_free(int gpu)
{
    if (locals[gpu].address != 0) {
        cni_cuda_check(cni_cuda.memory_free(locals[gpu].address), "freeing memory");
        blocks.taken -= gpu == 0 ? (int64_t)locals[gpu].size : 0;
    }
    locals[gpu].address = 0;
    locals[gpu].size = 0;
}

cni_cuda_address cni_cuda_local(int gpu, size_t n)
{
    int64_t limit = cni_settings[CNI_SETTING_GPU_MEMORY];
    if (locals[gpu].size >= n) {
        return locals[gpu].address;
    }
    local_free(gpu);
    if ((limit > 0 && blocks.taken + (int64_t)n > limit) || cni_cuda.memory_alloc(&locals[gpu].address, n) != 0) {
        locals[gpu].address = 0;
        return 0;
    }
    locals[gpu].size = n;
    blocks.taken += gpu == 0 ? (int64_t)n : 0;
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
            blocks.taken -= most_of_a_gpu(&blocks.list[i]);
            unmap(&blocks.list[i], cni_cuda_gpu.gpus);
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

int64_t cni_cuda_spread_taken(void)
{
    return blocks.taken;
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
