/* costs.c - see costs.h. */
#include "exec/costs.h"

#include "base/threads.h"
#include "op/op.h"

enum { LIBRARY_UNITS = 100, THREADS_MOST = 16 }; /* units for each element */

const cni_costs cni_cost = {.unit = 0.25,
                            .byte = 0.15,
                            .multiplication = 0.05,
                            .moved_byte = 0.2,
                            .link_byte = 0.022,
                            .there_multiplication = 0.00004};

int cni_cost_threads(void)
{
    int threads = cni_threads_count();
    return threads < THREADS_MOST ? threads : THREADS_MOST;
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

double cni_part_units(const cni_part *part, const cni_window *w)
{
    double most = 0;
    for (uint32_t a = 0; a < part->naccess; a++) {
        if (part->access[a].slot != CNI_NONE) {
            double n = (double)w->views[part->access[a].view].size;
            most = n > most ? n : most;
        }
    }
    if (part->kind == CNI_PART_GROUP) {
        return most * group_units(part);
    }
    return part->kind == CNI_PART_LIBRARY ? most * LIBRARY_UNITS : 0; /* of others bytes count */
}

double cni_part_multiplications(const cni_part *part, const cni_window *w)
{
    static const double of_dtype[CN_DTYPE_COUNT] = {
        [CN_FLOAT32] = 0.5, [CN_FLOAT64] = 1, [CN_COMPLEX64] = 2, [CN_COMPLEX128] = 4};
    if (part->kind != CNI_PART_LIBRARY || w->ops[part->op].kind != CNI_MATMUL) {
        return 0;
    }
    const cni_view *out = &w->views[part->access[0].view];
    cni_geometry a = cni_window_geometry(w, part->access[1].view);
    return (double)out->size * (double)a.shape[a.ndim - 1] * of_dtype[out->dtype];
}
