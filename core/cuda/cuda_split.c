/* cuda_split.c - see cuda_split.h. */
#include "cuda/cuda_split.h"

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

bool cni_cuda_split(const cni_cuda_layout *l, void *const *slots, double *from, double *to)
{
    const cni_nest *n = &l->nest;
    const cni_cuda_spread *memory = NULL;
    double most = 0;
    bool written = false;
    uint32_t lead = 0;
    for (uint32_t a = 0; a < l->part->naccess && n->ndim > 0; a++) {
        const cni_access *access = &l->part->access[a];
        const cni_cuda_spread *s =
            access->slot != CNI_NONE ? cni_cuda_spread_find((uintptr_t)slots[access->slot]) : NULL;
        bool writes = access->written && !l->part->reduces, better = writes != written ? writes : span(n, a) > most;
        if (s != NULL && span(n, a) > 0 && better) {
            memory = s;
            most = span(n, a);
            written = writes;
            lead = a;
        }
    }
    if (memory == NULL) {
        return false;
    }
    bool down = n->strides[(size_t)lead * CN_MAX_DIMS] < 0;
    for (int k = 0; k < cni_cuda_gpu.gpus; k++) {
        double low = k == 0 ? 0 : before(n, lead, (int64_t)memory->begin[k]);
        double high = k == cni_cuda_gpu.gpus - 1 ? 1 : before(n, lead, (int64_t)memory->begin[k + 1]);
        from[k] = down ? 1 - high : low;
        to[k] = down ? 1 - low : high;
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
