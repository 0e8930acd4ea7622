/*
 * What ops.def says of operands that are not finite, asked of every real loop for all pairs of special values: results of
 * NaNs that spread are NaNs, those of NaNs alone too, and what is carried is not finite.
 */
#include <math.h>

#include "cnumeric.h"
#include "op/op.h"

#include "check.h"

enum { POINTS = 14, COUNT = POINTS * POINTS };

static const double points[POINTS] = {0, -0.0, 1, -1, 0.5, -3, 200, 1e5, -6e4, 5e-324, 1e308, INFINITY, -INFINITY, NAN};

static bool is_real(uint8_t dtype)
{
    return cni_dtypes[dtype].family == CNI_FAMILY_REAL;
}

/* Operand k of the pairs; a third one is some of them again. */
static cn_array *operand(cn_dtype dtype, int k, double *values)
{
    int64_t count = COUNT;
    cn_array *wide, *made;
    for (int i = 0; i < COUNT; i++) {
        values[i] = points[k == 0 ? i / POINTS : k == 1 ? i % POINTS : i * 5 % POINTS];
    }
    EXPECT(cn_array_from_memory(values, CN_FLOAT64, 1, &count, &wide) == CN_OK);
    EXPECT(cn_array_copy(wide, dtype, false, &made) == CN_OK);
    EXPECT(cn_flush() == CN_OK);
    cn_array_unref(wide);
    return made;
}

static void read_wide(cn_array *a, double *values)
{
    cn_array *wide;
    EXPECT(cn_array_copy(a, CN_FLOAT64, false, &wide) == CN_OK);
    EXPECT(cn_array_read(wide, values, COUNT * (int64_t)sizeof *values) == CN_OK);
    cn_array_unref(wide);
}

/* The operands' values of element e: is a result of them bound to be a NaN, or not finite? */
static void expected(const cni_op_info *op, const uint8_t *d, double in[3][COUNT], int e, bool *number, bool *finite)
{
    bool all = true;
    *number = *finite = true;
    for (int k = 0; k < op->nin; k++) {
        double x = in[k][e];
        *number &= !(is_real(d[k]) && isnan(x) && (op->spreads >> k & 1) != 0);
        *finite &= !(is_real(d[k]) && !isfinite(x) && (op->carries >> k & 1) != 0);
        all &= !is_real(d[k]) || isnan(x);
    }
    *number &= !all;
}

static int check_loop(int op, const uint8_t *d)
{
    const cni_op_info *info = &cni_ops[op];
    static double source[COUNT], in[3][COUNT], out[COUNT];
    cn_operand operands[3] = {0};
    cn_array *results[2] = {NULL, NULL};
    int bound = 0;
    for (int k = 0; k < info->nin; k++) {
        operands[k].array = operand((cn_dtype)d[k], k, source);
        read_wide(operands[k].array, in[k]);
    }
    EXPECT(cn_elementwise(op, operands, NULL, NULL, results) == CN_OK);
    for (int r = 0; r < info->nout; r++) {
        uint8_t dtype = d[info->nin + r];
        EXPECT(cn_array_dtype(results[r]) == (cn_dtype)dtype);
        if (is_real(dtype)) {
            read_wide(results[r], out);
        }
        for (int e = 0; e < COUNT && is_real(dtype); e++) {
            bool number, finite;
            expected(info, d, in, e, &number, &finite);
            bound += !number;
            if ((!number && !isnan(out[e])) || (!finite && isfinite(out[e]))) {
                fprintf(stderr, "%s of %s: %g, %g gives %g\n", info->name, cni_dtypes[d[0]].suffix, in[0][e], in[1][e],
                        out[e]);
                failures++;
            }
        }
        cn_array_unref(results[r]);
    }
    for (int k = 0; k < info->nin; k++) {
        cn_array_unref(operands[k].array);
    }
    return bound;
}

int main(void)
{
    int bound = 0, loops = 0;
    for (int op = 0; op < CNI_OP_COUNT; op++) {
        for (int l = 0; l < cni_ops[op].nloops; l++) {
            const uint8_t *d = cni_ops[op].signatures[l].dtypes;
            bool real = false;
            for (int k = 0; k < cni_ops[op].nin; k++) {
                real |= is_real(d[k]);
            }
            bound += real ? check_loop(op, d) : 0;
            loops += real;
        }
    }
    printf("%d loops, %d results bound to be NaNs\n", loops, bound);
    EXPECT(loops > 150 && bound > 3000);
    return finish("spreads");
}
