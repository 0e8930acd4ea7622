/*
 * count.c - how often each number occurs, and sums of weights by number. Counts are of integers, so threads may count
 * apart; weights are added in the order in which they stand, by one thread.
 */
#include <string.h>

#include "base/threads.h"
#include "cpu/group.h"
#include "cpu/library.h"

enum {
    TABLES_MOST = 16,
    APART = 4096 /* numbers up to which a thread counts in several tables: equal neighbours need not wait */
};

typedef struct counting {
    const int64_t *numbers;
    int64_t n, size;
    int tables;
    int64_t *own; /* of each table, `size` counts */
    int64_t *out;
} counting;

static void count_share(void *context, int t)
{
    const counting *c = context;
    int64_t i = cni_lane_begin(c->n, t, c->tables), end = cni_lane_begin(c->n, t + 1, c->tables);
    int64_t *table = t == 0 ? c->out : c->own + (t - 1) * c->size;
    memset(table, 0, (size_t)c->size * sizeof *table);
    if (c->size <= APART && end - i > 8 * c->size) {
        uint32_t apart[4][APART] = {{0}};
        for (; end - i >= 4;) {
            int64_t stop = end - i > INT32_MAX ? i + INT32_MAX : end;
            for (; i + 4 <= stop; i += 4) {
                apart[0][c->numbers[i]]++;
                apart[1][c->numbers[i + 1]]++;
                apart[2][c->numbers[i + 2]]++;
                apart[3][c->numbers[i + 3]]++;
            }
            for (int64_t k = 0; k < c->size; k++) {
                table[k] += (int64_t)apart[0][k] + apart[1][k] + apart[2][k] + apart[3][k];
                apart[0][k] = apart[1][k] = apart[2][k] = apart[3][k] = 0;
            }
        }
    }
    for (; i < end; i++) {
        table[c->numbers[i]]++;
    }
}

/* Tables beside the output: as many as are worth clearing and adding up. */
static int64_t tables_most(int64_t n, int64_t size)
{
    int64_t most = size == 0 ? 1 : n / (2 * size);
    return most < 1 ? 1 : most > TABLES_MOST ? TABLES_MOST : most;
}

int64_t cni_library_count_scratch(const cni_part *part, const cni_window *w)
{
    int64_t size = cni_window_geometry(w, part->access[0].view).shape[0],
            n = cni_window_geometry(w, part->access[1].view).shape[0];
    return (tables_most(n, size) - 1) * size * (int64_t)sizeof(int64_t);
}

/* How many of the contiguous int64 numbers, all of them in range, are k. */
static void count_into(const cni_part *part, const cni_run *run, int64_t *to)
{
    cni_library_operand out = cni_library_operand_get(part, 0, run), numbers = cni_library_operand_get(part, 1, run);
    counting c = {.numbers = (const int64_t *)(const void *)numbers.data,
                  .n = numbers.g.shape[0],
                  .size = out.g.shape[0],
                  .own = run->scratch,
                  .out = to};
    c.tables = cni_library_threads(c.n, 1, (int)tables_most(c.n, c.size));
    cni_threads_run(c.tables, count_share, &c);
    for (int t = 1; t < c.tables; t++) {
        for (int64_t k = 0; k < c.size; k++) {
            c.out[k] += c.own[(t - 1) * c.size + k];
        }
    }
}

/* Adds the float64 weights to the sum with their number, in order. */
static void add_weights(const cni_part *part, const cni_run *run, double *sums)
{
    cni_library_operand numbers = cni_library_operand_get(part, 1, run),
                        weights = cni_library_operand_get(part, 2, run);
    const int64_t *k = (const int64_t *)(const void *)numbers.data;
    const double *w = (const double *)(const void *)weights.data;
    for (int64_t i = 0; i < numbers.g.shape[0]; i++) {
        sums[k[i]] += w[i];
    }
}

/* ---- The ops, as a whole and as a chain ---- */

static char *table_of(const cni_part *part, const cni_run *run, size_t *bytes)
{
    cni_library_operand out = cni_library_operand_get(part, 0, run);
    *bytes = (size_t)out.g.shape[0] * 8;
    return out.data;
}

static void link_tables(const cni_part *part, const cni_window *w, int64_t *own, int64_t *state)
{
    *own = *state = 8 * cni_window_geometry(w, part->access[0].view).shape[0];
}

void cni_library_count(const cni_part *part, const cni_run *run)
{
    size_t bytes;
    count_into(part, run, (int64_t *)(void *)table_of(part, run, &bytes));
}

cni_chain_rule cni_library_count_rule(const cni_part *part, const cni_window *w)
{
    (void)part, (void)w;
    return (cni_chain_rule){.may = true, .apart = true, .quantum = 1};
}

void cni_library_count_link(const cni_part *part, const cni_window *w, int64_t *own, int64_t *state)
{
    link_tables(part, w, own, state);
}

void cni_library_count_chain(const cni_part *part, const cni_run *run, const cni_link *link, cni_link_phase phase)
{
    size_t bytes;
    char *out = table_of(part, run, &bytes);
    int64_t *own = (int64_t *)(void *)link->own, *all = (int64_t *)(void *)link->state;
    if (phase == CNI_LINK_BEGIN) {
        count_into(part, run, own);
    } else if (phase == CNI_LINK_END && link->last) {
        memcpy(out, all, bytes);
    }
    for (size_t k = 0; k < bytes / 8 && phase == CNI_LINK_STEP; k++) {
        all[k] = own[k] + (link->first ? 0 : all[k]);
    }
}

void cni_library_count_weights(const cni_part *part, const cni_run *run)
{
    size_t bytes;
    char *out = table_of(part, run, &bytes);
    memset(out, 0, bytes);
    add_weights(part, run, (double *)(void *)out);
}

cni_chain_rule cni_library_count_weights_rule(const cni_part *part, const cni_window *w)
{
    (void)part, (void)w;
    return (cni_chain_rule){.may = true, .quantum = 1};
}

void cni_library_count_weights_link(const cni_part *part, const cni_window *w, int64_t *own, int64_t *state)
{
    link_tables(part, w, own, state);
    *own = 0;
}

void cni_library_count_weights_chain(const cni_part *part, const cni_run *run, const cni_link *link,
                                     cni_link_phase phase)
{
    size_t bytes;
    char *out = table_of(part, run, &bytes);
    if (phase == CNI_LINK_STEP) {
        memset(link->state, 0, link->first ? bytes : 0);
        add_weights(part, run, (double *)(void *)link->state);
    } else if (phase == CNI_LINK_END && link->last) {
        memcpy(out, link->state, bytes);
    }
}
