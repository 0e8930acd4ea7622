/*
 * select.c - the elements at which bytes are true, in order, or their places. Threads take shares; the counts of earlier
 * shares say where a share's results begin. Elements are copied to a chunk without branches, whether they count or not.
 */
#include <string.h>

#include "base/threads.h"
#include "cpu/group.h"
#include "cpu/library.h"

enum { CHUNK = 64, SHARES_MOST = 64 };

typedef struct selection {
    const uint8_t *truth;
    const char *array; /* NULL: places */
    char *out;
    int64_t n, counts[SHARES_MOST];
    size_t itemsize;
    int shares;
} selection;

static void count_share(void *context, int t)
{
    selection *s = context;
    int64_t i = cni_lane_begin(s->n, t, s->shares), end = cni_lane_begin(s->n, t + 1, s->shares), count = 0;
    for (; i < end; i++) {
        count += s->truth[i] != 0;
    }
    s->counts[t] = count;
}

/* Those of [first, end) to `out`; size is a constant where it is called. */
static inline __attribute__((always_inline)) void select_run(const selection *s, int64_t first, int64_t end, char *out,
                                                             size_t size)
{
    char chunk[(CHUNK + 1) * 16];
    for (int64_t i = first; i < end; i += CHUNK) {
        int64_t stop = end - i < CHUNK ? end : i + CHUNK;
        size_t here = 0;
        for (int64_t k = i; k < stop; k++) {
            memcpy(chunk + here, s->array != NULL ? s->array + (size_t)k * size : (const char *)&k, size);
            here += s->truth[k] != 0 ? size : 0;
        }
        memcpy(out, chunk, here);
        out += here;
    }
}

static void select_share(void *context, int t)
{
    const selection *s = context;
    int64_t first = cni_lane_begin(s->n, t, s->shares), end = cni_lane_begin(s->n, t + 1, s->shares), before = 0;
    for (int k = 0; k < t; k++) {
        before += s->counts[k];
    }
    char *out = s->out + (size_t)before * s->itemsize;
    switch (s->itemsize) {
    case 1:
        select_run(s, first, end, out, 1);
        break;
    case 2:
        select_run(s, first, end, out, 2);
        break;
    case 4:
        select_run(s, first, end, out, 4);
        break;
    case 8:
        select_run(s, first, end, out, 8);
        break;
    default:
        select_run(s, first, end, out, 16);
    }
}

static void run_selection(const cni_part *part, const cni_run *run, bool elements)
{
    cni_library_operand out = cni_library_operand_get(part, 0, run), truth = cni_library_operand_get(part, 1, run);
    selection s = {.truth = (const uint8_t *)truth.data,
                   .out = out.data,
                   .n = cni_element_count(truth.g.ndim, truth.g.shape),
                   .itemsize = (size_t)out.g.itemsize};
    s.array = elements ? cni_library_operand_get(part, 2, run).data : NULL;
    s.shares = cni_library_threads(s.n, 2, SHARES_MOST);
    cni_threads_run(s.shares, count_share, &s);
    cni_threads_run(s.shares, select_share, &s);
}

void cni_library_nonzero(const cni_part *part, const cni_run *run)
{
    run_selection(part, run, false);
}

void cni_library_compress(const cni_part *part, const cni_run *run)
{
    run_selection(part, run, true);
}
