/* place.c - the CPU cores of this process as a place. */
#include "cpu/carry.h"
#include "cpu/unplanned_op.h"
#include "cpu/group.h"
#include "cpu/joint_ops.h"
#include "cpu/library.h"
#include "cpu/reduce_chain.h"
#include "exec/info.h"
#include "base/memory.h"
#include "base/status.h"

typedef struct part_binding {
    cni_group_binding *group;
    cni_carry_binding *carry;
    int64_t scratch; /* bytes */
} part_binding;

static cn_status bind(const cni_part *part, const cni_window *w, const cni_skeleton *s, const cni_span *span,
                      void **out)
{
    part_binding *b = cni_alloc_zero(1, sizeof *b);
    if (b == NULL) {
        return cni_fail_memory((int64_t)sizeof *b);
    }
    cn_status status = CN_OK;
    if (part->kind == CNI_PART_GROUP) {
        status = cni_group_bind(part, w, &b->group);
    } else if (part->kind == CNI_PART_LIBRARY) {
        b->scratch = cni_library_scratch(part, w);
    } else {
        status = cni_carry_bind(part, w, s, span, &b->carry);
    }
    if (status != CN_OK) {
        cni_free(b);
        return status;
    }
    *out = b;
    return CN_OK;
}

static cn_status rebind(const cni_part *part, const cni_window *w, const cni_skeleton *s, const cni_span *span,
                        void *opaque)
{
    part_binding *b = opaque;
    if (b->group != NULL) {
        return cni_group_rebind(part, w, b->group);
    }
    if (b->carry != NULL) {
        cni_carry_rebind(part, w, s, span, b->carry);
    } else {
        b->scratch = cni_library_scratch(part, w);
    }
    return CN_OK;
}

static void unbind(void *opaque)
{
    part_binding *b = opaque;
    if (b->group != NULL) {
        cni_group_unbind(b->group);
    }
    if (b->carry != NULL) {
        cni_carry_unbind(b->carry);
    }
    cni_free(b);
}

static void run_part(const cni_part *part, void *opaque, const cni_run *run)
{
    part_binding *b = opaque;
    switch ((cni_part_kind)part->kind) {
    case CNI_PART_GROUP:
        cni_group_run(part, b->group, run);
        break;
    case CNI_PART_CARRY:
    case CNI_PART_FILL:
        cni_carry_run(part, b->carry, run);
        break;
    default:
        cni_library_run(part, run);
        break;
    }
}

static int64_t scratch(const void *opaque)
{
    return ((const part_binding *)opaque)->scratch;
}

static int64_t quantum(const void *opaque)
{
    const part_binding *b = opaque;
    return b->group != NULL ? cni_reduce_quantum(b->group) : 0;
}

static int64_t partial_bytes(const void *opaque)
{
    return cni_reduce_partial_bytes(((const part_binding *)opaque)->group);
}

static void partial(const cni_part *part, void *opaque, const cni_run *run, int64_t from, int64_t to, void *state)
{
    cni_group_run_partial(part, ((part_binding *)opaque)->group, run, from, to, state);
}

static void take(void *opaque, const cni_run *run, int64_t from, const cni_left *left, void *state)
{
    cni_reduce_take_left(((part_binding *)opaque)->group, run, from, left, state);
}

static void finish(const cni_part *part, void *opaque, const cni_run *run, int n, const void *states)
{
    (void)part;
    cni_reduce_finish(((part_binding *)opaque)->group, run, n, states);
}

static cni_chain_rule chain_rule(const cni_part *part, const cni_window *w, const void *whole)
{
    if (part->kind == CNI_PART_LIBRARY) {
        return cni_library_chain_rule(part, w);
    }
    return cni_reduce_chain_rule(((const part_binding *)whole)->group);
}

static void chain_bind(const cni_part *part, const cni_window *w, void *opaque, const void *whole, int64_t *own,
                       int64_t *state)
{
    part_binding *b = opaque;
    if (b->group != NULL) {
        cni_reduce_chain_bind(b->group, ((const part_binding *)whole)->group, own, state);
    } else {
        cni_library_chain_bind(part, w, own, state);
    }
}

static void chain(const cni_part *part, void *opaque, const cni_run *run, const cni_link *link, cni_link_phase phase)
{
    part_binding *b = opaque;
    if (b->group != NULL) {
        cni_reduce_chain(part, b->group, run, link, phase);
    } else {
        cni_library_chain(part, run, link, phase);
    }
}

static void chain_rows(const cni_part *part, const cni_window *w, const void *opaque, const cni_link *link,
                       cni_link_phase phase, void **rows)
{
    const part_binding *b = opaque;
    if (b->group != NULL) {
        cni_reduce_chain_rows(b->group, link, rows);
    } else {
        cni_library_chain_rows(part, w, link, phase, rows);
    }
}

static void chain_left(const cni_part *part, const cni_window *w, const cni_link *link, cni_link_phase phase)
{
    if (part->kind == CNI_PART_LIBRARY && w->ops[part->op].kind == CNI_SCAN && phase == CNI_LINK_BEGIN) {
        cni_scan_chain_left(part, w, link);
    }
}

static const cni_sharing sharing = {.quantum = quantum,
                                    .partial_bytes = partial_bytes,
                                    .partial = partial,
                                    .finish = finish,
                                    .take = take,
                                    .chain_rule = chain_rule,
                                    .chain_bind = chain_bind,
                                    .chain = chain,
                                    .chain_rows = chain_rows,
                                    .chain_left = chain_left,
                                    .joint_room = cni_joint_measure,
                                    .joint = cni_joint_run};

const cni_place cni_cpu_place = {.name = "cpu",
                                 .where = CNI_ON_HOST,
                                 .bind = bind,
                                 .rebind = rebind,
                                 .unbind = unbind,
                                 .scratch = scratch,
                                 .run = run_part,
                                 .sharing = &sharing,
                                 .takes_op = cni_unplanned_op_takes,
                                 .run_op = cni_unplanned_op_run};

const char *cni_cpu_instruction_set(void)
{
    return cni_cpu_kernels_get()->name;
}
