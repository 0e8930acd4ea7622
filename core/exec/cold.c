/* cold.c - see cold.h. A wait that is worth it is many times as long as what rough figures miss. */
#include "exec/cold.h"

#include "base/settings.h"
#include "exec/costs.h"

enum { COMPILE_MICROSECONDS = 100000 };

/* The last bits of products are those of who does them, and who does them is no matter of time. */
static bool is_product(const cni_part *part, const cni_window *w)
{
    return part->kind == CNI_PART_LIBRARY && w->ops[part->op].kind == CNI_MATMUL;
}

bool cni_cold_runs_here(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, uint64_t bytes, int share)
{
    if (cni_settings[CNI_SETTING_GPU_COLD] == 0) {
        return false;
    }
    double units = 0, away = 0;
    for (uint32_t l = 0; l < plan->nlaunches; l++) {
        for (uint32_t k = 0; k < plan->launches[l].nparts; k++) {
            const cni_part *part = &plan->launches[l].parts[k];
            if (is_product(part, w)) {
                return false;
            }
            units += cni_part_units(part, w);
        }
    }
    for (uint32_t i = 0; i < plan->nslots; i++) {
        uint32_t base = plan->slots[i].base;
        bool there = plan->slots[i].entry && (s->states[base] & CNI_BASE_AWAY) != 0;
        away += there ? 2.0 * (double)w->bases[base]->nbytes : 0;
    }
    double ns =
        (units * cni_cost.unit + (double)bytes * cni_cost.byte) / cni_cost_threads() + away * cni_cost.moved_byte;
    return ns / share < COMPILE_MICROSECONDS * 1000.0;
}
