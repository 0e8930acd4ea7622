/* cuda_looks.c - see cuda_looks.h. */
#include "cuda/cuda_looks.h"

#include <string.h>

#include "op/op.h"

enum { LOADS = 64 };

/* While registers are gone through; by register. */
typedef struct state {
    uint64_t *spread; /* loads that make it a NaN */
    uint64_t *excuse; /* loads that excuse all the events which it carries */
    bool *odd;        /* may it be not finite because of events that nobody has looked at? */
    bool *carried;    /* does an op hand them on? */
} state;

static bool is_real(uint8_t dtype)
{
    return cni_dtypes[dtype].family == CNI_FAMILY_REAL;
}

static bool is_complex(uint8_t dtype)
{
    return cni_dtypes[dtype].family == CNI_FAMILY_COMPLEX;
}

static bool is_inexact(uint8_t dtype)
{
    return cni_dtypes[dtype].family >= CNI_FAMILY_REAL;
}

static bool has_bit(const cni_instr *i, int k, bool spreads)
{
    const cni_op_info *op = &cni_ops[cni_op_of_loop(i->loop)];
    return ((spreads ? op->spreads : op->carries) >> k & 1) != 0;
}

/* Is the result not finite where source k is not? */
static bool carries(const cni_instr *i, int k)
{
    if (i->kind == CNI_INSTR_CAST) {
        return is_inexact(i->dtype) && (is_complex(i->dtype) || !is_complex(i->from));
    }
    return i->kind == CNI_INSTR_MOVE || (i->kind == CNI_INSTR_OP && has_bit(i, k, false));
}

/* What of its operands excuses an instruction, and makes its results NaNs: of one that spreads, or of all that are real. */
static uint64_t find_spread(state *s, const cni_statements *x, const cni_instr *i)
{
    uint64_t any = 0, one = 0, all = UINT64_MAX;
    for (int k = 0; k < i->nsrc; k++) {
        uint64_t spread = s->spread[i->src[k]];
        any |= spread;
        one |= i->kind == CNI_INSTR_OP && has_bit(i, k, true) ? spread : 0;
        all &= is_real(x->dtypes[i->src[k]]) ? spread : UINT64_MAX;
    }
    for (int k = 0; k < i->ndst; k++) {
        s->spread[i->dst[k]] = is_real(x->dtypes[i->dst[k]]) ? one | (all & any) : 0;
    }
    return any;
}

/* Hands on what its operands carry, where that does not take loads from its own excuse. */
static void carry(state *s, const cni_statements *x, const cni_instr *i, bool raises, uint64_t operands)
{
    bool odd = raises;
    uint64_t excuse = operands;
    for (int k = 0; k < i->nsrc; k++) {
        uint32_t source = i->src[k];
        if (carries(i, k) && s->odd[source]) {
            excuse = odd ? excuse : s->excuse[source];
            odd = true;
            s->carried[source] |= (excuse & ~s->excuse[source]) == 0;
        }
    }
    for (int k = 0; k < i->ndst; k++) {
        s->odd[i->dst[k]] = odd && is_inexact(x->dtypes[i->dst[k]]);
        s->excuse[i->dst[k]] = excuse;
    }
}

/* The number of the excuse, which is a new one if the register is the first to have it. */
static uint32_t number_of(cni_cuda_looks *looks, uint64_t loads, uint32_t reg)
{
    uint32_t base = CNI_NONE;
    for (uint32_t k = 0; k < looks->nexcuse; k++) {
        uint64_t other = looks->excuses[k].loads;
        if (other == loads) {
            return k;
        }
        bool part = other != 0 && (other & ~loads) == 0;
        bool more = part && (base == CNI_NONE || (looks->excuses[base].loads & ~other) == 0);
        base = more ? k : base;
    }
    looks->excuses[looks->nexcuse] = (cni_cuda_excuse){.loads = loads, .base = base, .at = reg};
    return looks->nexcuse++;
}

static bool make_state(state *s, uint32_t registers, cni_arena *arena)
{
    *s = (state){.spread = cni_arena_alloc(arena, registers * sizeof *s->spread),
                 .excuse = cni_arena_alloc(arena, registers * sizeof *s->excuse),
                 .odd = cni_arena_alloc(arena, registers),
                 .carried = cni_arena_alloc(arena, registers)};
    if (s->spread == NULL || s->excuse == NULL || s->odd == NULL || s->carried == NULL) {
        return false;
    }
    memset(s->spread, 0, registers * sizeof *s->spread);
    memset(s->odd, 0, registers);
    memset(s->carried, 0, registers);
    return true;
}

bool cni_cuda_looks_make(const cni_statements *x, const uint8_t *kinds, cni_arena *arena, cni_cuda_looks *out)
{
    const cni_part *part = x->part;
    state s;
    uint32_t nload = 0;
    out->nexcuse = 0;
    out->excuse = cni_arena_alloc(arena, (part->nregister + 1) * sizeof *out->excuse);
    out->excuses = cni_arena_alloc(arena, (part->nregister + 1) * sizeof *out->excuses);
    if (out->excuse == NULL || out->excuses == NULL || !make_state(&s, part->nregister + 1, arena)) {
        return false;
    }
    for (uint32_t i = 0; i < part->ninstr; i++) {
        const cni_instr *instr = &part->instr[i];
        uint64_t operands = find_spread(&s, x, instr);
        if (instr->kind == CNI_INSTR_LOAD && is_real(instr->dtype) && nload < LOADS) {
            s.spread[instr->dst[0]] = (uint64_t)1 << nload;
            out->registers[nload++] = instr->dst[0];
        }
        carry(&s, x, instr, kinds[i] != 0, operands);
    }
    for (uint32_t i = 0; i < part->ninstr; i++) { /* registers in the order in which they are written */
        for (int k = 0; k < part->instr[i].ndst; k++) {
            uint32_t reg = part->instr[i].dst[k];
            out->excuse[reg] = s.odd[reg] && !s.carried[reg] ? number_of(out, s.excuse[reg], reg) : CNI_NONE;
        }
    }
    return true;
}

/* ---- Text ---- */

static void write_excuse(const cni_cuda_looks *looks, const cni_statements *x, uint32_t number, cni_text *text)
{
    const cni_cuda_excuse *excuse = &looks->excuses[number];
    uint64_t rest = excuse->loads;
    cni_text_add(text, "const int n%u = ", number);
    if (excuse->base != CNI_NONE) {
        rest &= ~looks->excuses[excuse->base].loads;
        cni_text_add(text, "n%u | ", excuse->base);
    }
    for (int k = 0; k < LOADS; k++) {
        if ((rest >> k & 1) != 0) {
            uint32_t reg = looks->registers[k];
            rest &= rest - 1;
            cni_text_add(text, "CNI_NAN_%s(r%u)%s", cni_dtypes[x->dtypes[reg]].suffix, reg, rest != 0 ? " | " : ";\n");
        }
    }
}

void cni_cuda_look_write(const cni_cuda_looks *looks, const cni_statements *x, uint32_t reg, cni_text *text)
{
    uint32_t number = looks->excuse[reg];
    if (number == CNI_NONE) {
        return;
    }
    const char *suffix = cni_dtypes[x->dtypes[reg]].suffix;
    if (looks->excuses[number].loads == 0) {
        cni_text_add(text, "CNI_TOP_%s(r%u);\n", suffix, reg);
        return;
    }
    if (looks->excuses[number].at == reg) {
        write_excuse(looks, x, number, text);
    }
    cni_text_add(text, "if (!n%u) { CNI_TOP_%s(r%u); }\n", number, suffix, reg);
}
