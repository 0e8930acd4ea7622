/* cold.c - see cold.h. Rough figures: a wait that is worth it is many times as long as what they miss. */
#include "exec/cold.h"

#include "base/settings.h"
#include "base/threads.h"
#include "op/op.h"

/* Units are of cost in ops.def, for one element; of library ops a guess. */
enum { COMPILE_MICROSECONDS = 100000, LIBRARY_UNITS = 100, THREADS_MOST = 16 };

static const double unit_ns = 0.5, byte_ns = 0.15, linked_byte_ns = 0.2; /* the first two for each thread */

static double elements_of(const cni_window *w, uint32_t view)
{
    return (double)w->views[view].size;
}

/* Units for each element of the group's iteration space. */
static double group_units(const cni_part *part)
{
    double units = 0;
    for (uint32_t i = 0; i < part->ninstr; i++) {
        const cni_instr *x = &part->instr[i];
        units += x->kind == CNI_INSTR_OP ? cni_ops[cni_op_of_loop(x->loop)].cost : 1;
    }
    return units;
}

/* The last bits of products are those of who does them, and who does them is no matter of time. */
static bool is_product(const cni_part *part, const cni_window *w)
{
    return part->kind == CNI_PART_LIBRARY && w->ops[part->op].kind == CNI_MATMUL;
}

static double part_units(const cni_part *part, const cni_window *w)
{
    double most = 0;
    for (uint32_t a = 0; a < part->naccess; a++) {
        if (part->access[a].slot != CNI_NONE) {
            double n = elements_of(w, part->access[a].view);
            most = n > most ? n : most;
        }
    }
    if (part->kind == CNI_PART_GROUP) {
        return most * group_units(part);
    }
    if (part->kind != CNI_PART_LIBRARY) {
        return 0; /* its bytes count */
    }
    return most * LIBRARY_UNITS;
}

bool cni_cold_runs_here(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, uint64_t bytes, int share)
{
    if (cni_settings[CNI_SETTING_GPU_COLD] == 0) {
        return false;
    }
    int threads = cni_threads_count();
    double units = 0, away = 0;
    for (uint32_t l = 0; l < plan->nlaunches; l++) {
        for (uint32_t k = 0; k < plan->launches[l].nparts; k++) {
            const cni_part *part = &plan->launches[l].parts[k];
            if (is_product(part, w)) {
                return false;
            }
            units += part_units(part, w);
        }
    }
    for (uint32_t i = 0; i < plan->nslots; i++) {
        uint32_t base = plan->slots[i].base;
        bool there = plan->slots[i].entry && (s->states[base] & CNI_BASE_AWAY) != 0;
        away += there ? 2.0 * (double)w->bases[base]->nbytes : 0;
    }
    threads = threads < THREADS_MOST ? threads : THREADS_MOST;
    double ns = (units * unit_ns + (double)bytes * byte_ns) / threads + away * linked_byte_ns;
    return ns / share < COMPILE_MICROSECONDS * 1000.0;
}
