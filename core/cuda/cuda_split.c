/* cuda_split.c - see cuda_split.h. */
#include "cuda/cuda_split.h"

#include <string.h>

#include "cuda/cuda_driver.h"

/* The share of the nest's elements that come before this byte of the operand's memory, if addresses grow in its order. */
static double before(const cni_nest *n, uint32_t access, int64_t byte)
{
    const int64_t *strides = n->strides + (size_t)access * CN_MAX_DIMS;
    int64_t rest = byte - n->offsets[access], last = INT64_MAX;
    double at = 0, weight = 1;
    if (strides[0] < 0) {
        rest -= strides[0] * (n->shape[0] - 1);
    }
    for (int d = 0; d < n->ndim && rest > 0; d++) {
        int64_t stride = d == 0 && strides[d] < 0 ? -strides[d] : strides[d];
        if (stride <= 0 || stride > last) {
            break;
        }
        int64_t index = rest / stride;
        if (index >= n->shape[d]) {
            return at + weight;
        }
        weight /= (double)n->shape[d];
        at += (double)index * weight;
        rest -= index * stride;
        last = stride;
    }
    return at;
}

static double span(const cni_nest *n, uint32_t access)
{
    int64_t stride = n->strides[(size_t)access * CN_MAX_DIMS];
    return (double)(stride < 0 ? -stride : stride) * (double)n->shape[0];
}

/* The largest operand that lies on several GPUs, of those that are written or of the others. */
typedef struct leader {
    const cni_cuda_spread *memory; /* NULL: there is none */
    double span;
    uint32_t access;
} leader;

static void find_leaders(const cni_cuda_layout *l, void *const *slots, leader *written, leader *read)
{
    for (uint32_t a = 0; a < l->part->naccess && l->nest.ndim > 0; a++) {
        const cni_access *access = &l->part->access[a];
        const cni_cuda_spread *s =
            access->slot != CNI_NONE ? cni_cuda_spread_find((uintptr_t)slots[access->slot]) : NULL;
        leader *best = access->written && !l->part->reduces ? written : read;
        if (s != NULL && span(&l->nest, a) > best->span) {
            *best = (leader){s, span(&l->nest, a), a};
        }
    }
}

/* Returns the largest share. */
static double shares_by(const cni_nest *n, const leader *x, double *from, double *to)
{
    bool down = n->strides[(size_t)x->access * CN_MAX_DIMS] < 0;
    double most = 0;
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        double low = k == 0 ? 0 : before(n, x->access, (int64_t)x->memory->begin[k]);
        double high = k == cni_cuda_gpu.gpus - 1 ? 1 : before(n, x->access, (int64_t)x->memory->begin[k + 1]);
        from[k] = down ? 1 - high : low;
        to[k] = down ? 1 - low : high;
        most = high - low > most ? high - low : most;
    }
    return most;
}

/* Of a matrix whose blocks go along the memory of what is loaded: rows of that. False: that is the first GPU's. */
static bool shares_pushed(const cni_cuda_layout *l, void *const *slots, double *from, double *to)
{
    const cni_nest *n = &l->nest;
    const cni_cuda_spread *memory = cni_cuda_spread_find((uintptr_t)slots[l->part->access[l->pushed].slot]);
    double rows = (double)n->strides[(size_t)l->pushed * CN_MAX_DIMS + 1] * (double)n->shape[1];
    for (int k = 0; memory != NULL && k < cni_cuda_gpu.gpus; k++) {
        double behind = ((double)memory->begin[k + 1] - (double)n->offsets[l->pushed]) / rows;
        from[k] = k == 0 ? 0 : to[k - 1];
        to[k] = k + 1 == cni_cuda_gpu.gpus || behind > 1 ? 1 : behind > from[k] ? behind : from[k];
    }
    return memory != NULL;
}

bool cni_cuda_split(const cni_cuda_layout *l, void *const *slots, double *from, double *to)
{
    leader written = {0}, read = {0};
    double others_from[CNI_CUDA_GPUS], others_to[CNI_CUDA_GPUS], most, uneven = 1.5 / cni_cuda_gpu.gpus;
    if (l->pushed != CNI_NONE && shares_pushed(l, slots, from, to)) {
        return true;
    }
    find_leaders(l, slots, &written, &read);
    if (written.memory == NULL && read.memory == NULL) {
        return false;
    }
    most = shares_by(&l->nest, written.memory != NULL ? &written : &read, from, to);
    bool better = written.memory != NULL && read.memory != NULL && most > uneven &&
                  shares_by(&l->nest, &read, others_from, others_to) < most;
    if (better) {
        memcpy(from, others_from, sizeof others_from);
        memcpy(to, others_to, sizeof others_to);
    }
    return true;
}

void cni_cuda_split_memory(const cni_cuda_spread *memory, double *from, double *to)
{
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        from[k] = (double)memory->begin[k] / (double)memory->nbytes;
        to[k] = (double)memory->begin[k + 1] / (double)memory->nbytes;
    }
}

void cni_cuda_split_blocks(int64_t blocks, const double *from, const double *to, int64_t *first, int64_t *count)
{
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        first[k] = (int64_t)(from[k] * (double)blocks + 0.5);
        count[k] = (int64_t)(to[k] * (double)blocks + 0.5) - first[k];
    }
}
