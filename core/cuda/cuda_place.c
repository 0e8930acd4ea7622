/* cuda_place.c - the GPU of this machine, or several that are linked, as one place. */
#include <stdio.h>

#include "base/memory.h"
#include "base/settings.h"
#include "base/status.h"
#include "cuda/cuda_carry.h"
#include "cuda/cuda_call.h"
#include "cuda/cuda_driver.h"
#include "cuda/cuda_graph.h"
#include "cuda/cuda_joint.h"
#include "cuda/cuda_join.h"
#include "cuda/cuda_kernel.h"
#include "cuda/cuda_layout.h"
#include "cuda/cuda_library.h"
#include "cuda/cuda_memory.h"
#include "cuda/cuda_small.h"
#include "cuda/cuda_turns.h"
#include "exec/place.h"

typedef struct part_binding {
    cni_cuda_group *group;
    cni_cuda_carry *carry;
    cni_cuda_library_binding *library;
    cni_cuda_join *join; /* of launches from the part's on */
    const cni_launch *launches;
} part_binding;

static bool supports(const cni_part *part, const cni_window *w, const cni_skeleton *s)
{
    (void)s;
    return part->kind != CNI_PART_LIBRARY || cni_cuda_library_supports(part, w);
}

static bool shares(const cni_part *part, const cni_window *w)
{
    return cni_cuda_library_shares(part, w);
}

static cn_status bind_parts(const cni_placed_part *parts, uint32_t count, const cni_skeleton *s, const cni_span *span,
                            uint32_t *taken, void **out)
{
    const cni_part *part = parts->part;
    const cni_window *w = parts->window;
    part_binding *b = cni_alloc_zero(1, sizeof *b);
    if (b == NULL) {
        return cni_fail_memory((int64_t)sizeof *b);
    }
    cn_status status;
    *taken = 1;
    if (!cni_cuda_enter() || cni_cuda_failure() != NULL) {
        status = CN_ERROR_UNSUPPORTED;
    } else if (part->kind == CNI_PART_GROUP) {
        status = cni_cuda_group_bind(parts, count, taken, &b->group);
    } else if (part->kind == CNI_PART_LIBRARY) {
        status = cni_cuda_library_bind(part, w, &b->library);
    } else {
        status = cni_cuda_carry_bind(part, w, s, span, &b->carry);
    }
    if (status != CN_OK) {
        cni_free(b);
        return status;
    }
    *out = b;
    return CN_OK;
}

static uint32_t join(const cni_launch *launches, uint32_t count, const cni_window *w, void **out)
{
    part_binding *b = cni_alloc_zero(1, sizeof *b);
    uint32_t n = b != NULL ? cni_cuda_join_bind(launches, count, w, &b->join) : 0;
    if (n == 0) {
        cni_free(b);
        return 0;
    }
    b->launches = launches;
    *out = b;
    return n;
}

static void unbind(void *opaque)
{
    part_binding *b = opaque;
    if (b->join != NULL) {
        cni_cuda_join_unbind(b->join);
    }
    if (b->group != NULL) {
        cni_cuda_group_unbind(b->group);
    }
    cni_free(b->carry);
    cni_cuda_library_unbind(b->library);
    cni_free(b);
}

static int64_t scratch(const void *opaque)
{
    const part_binding *b = opaque;
    return b->join != NULL      ? cni_cuda_join_scratch(b->join)
           : b->group != NULL   ? cni_cuda_group_scratch(b->group)
           : b->library != NULL ? cni_cuda_library_scratch(b->library)
                                : 0;
}

static void run_part(const cni_part *part, void *opaque, const cni_run *run)
{
    const part_binding *b = opaque;
    if (!cni_cuda_enter()) {
        return; /* reported when a value is read */
    }
    if (b->join != NULL) {
        cni_cuda_join_run(b->join, b->launches, run);
    } else if (b->group != NULL) {
        cni_cuda_group_run(b->group, run);
    } else if (b->carry != NULL) {
        cni_cuda_carry_run(part, b->carry, run);
    } else {
        cni_cuda_library_run(part, b->library, run);
    }
}

static cn_status call_library(cni_device_call *call)
{
    if (!cni_cuda_enter() || cni_cuda_failure() != NULL) {
        return CN_ERROR_UNSUPPORTED;
    }
    return call->kind == CNI_CALL_FACTOR ? cni_cuda_factorize(call) : cni_cuda_fourier(call);
}

static cn_status bind_range(const cni_part *part, const cni_window *w, void **out)
{
    part_binding *b = cni_alloc_zero(1, sizeof *b);
    if (b == NULL) {
        return cni_fail_memory((int64_t)sizeof *b);
    }
    bool usable = cni_cuda_enter() && cni_cuda_failure() == NULL;
    cn_status status = usable ? cni_cuda_range_bind(part, w, &b->group) : CN_ERROR_UNSUPPORTED;
    if (status != CN_OK) {
        cni_free(b);
        return status;
    }
    *out = b;
    return CN_OK;
}

static cn_status range(void *opaque, const cni_run *run, int64_t from, int64_t to, const cni_left **left)
{
    if (!cni_cuda_enter()) {
        return cni_fail(CN_ERROR_INTERNAL, "%s", cni_cuda_failure());
    }
    return cni_cuda_range_run(((const part_binding *)opaque)->group, run, from, to, left);
}

static cn_status bind_rows(const cni_part *part, const cni_window *w, const cni_chain_rule *rule, void **out)
{
    part_binding *b = cni_alloc_zero(1, sizeof *b);
    if (b == NULL) {
        return cni_fail_memory((int64_t)sizeof *b);
    }
    bool usable = cni_cuda_enter() && cni_cuda_failure() == NULL;
    cn_status status = !usable                          ? CN_ERROR_UNSUPPORTED
                       : part->kind == CNI_PART_LIBRARY ? cni_cuda_library_rows_bind(part, w, rule, &b->library)
                                                        : cni_cuda_rows_bind(part, w, rule->apart, &b->group);
    if (status != CN_OK) {
        cni_free(b);
        return status;
    }
    *out = b;
    return CN_OK;
}

static cn_status rows(const cni_part *part, void *opaque, const cni_run *run, int64_t before, cni_link_phase phase,
                      void *const *left)
{
    const part_binding *b = opaque;
    if (!cni_cuda_enter()) {
        return cni_fail(CN_ERROR_INTERNAL, "%s", cni_cuda_failure());
    }
    return b->library != NULL ? cni_cuda_library_rows(part, b->library, run, before, phase, left)
                              : cni_cuda_rows_run(b->group, run, before, left);
}

static char name[160]; /* 2 x NVIDIA H100 */

static const cni_place place = {.name = name,
                                .where = CNI_ON_DEVICE,
                                .supports = supports,
                                .bind_parts = bind_parts,
                                .join = join,
                                .bound = cni_cuda_modules_bound,
                                .unbind = unbind,
                                .scratch = scratch,
                                .run = run_part,
                                .shares = shares,
                                .joint = &cni_cuda_joint,
                                .turns = &cni_cuda_turns,
                                .bind_range = bind_range,
                                .range = range,
                                .bind_rows = bind_rows,
                                .rows = rows,
                                .plan_begin = cni_cuda_plan_begin,
                                .plan_end = cni_cuda_plan_end,
                                .plan_forget = cni_cuda_plan_forget,
                                .close = cni_cuda_modules_stop,
                                .call = call_library,
                                .together = cni_cuda_small_fits};

const cni_place *cni_cuda_place_open(void)
{
    if (!cni_cuda_open() || cni_cuda_compiler_get() == NULL) {
        return NULL;
    }
    snprintf(name, sizeof name, "%d x %s", cni_cuda_gpu.gpus, cni_cuda_gpu.name);
    cni_process_device = &cni_cuda_device;
    return &place;
}
