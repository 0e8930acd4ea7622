/*
 * select.c - the elements at which bytes are true, in order, or their places. Threads take shares; the counts of earlier
 * shares say where a share's results begin. Elements are copied to a chunk without branches, whether they count or not.
 */
#include <string.h>

#include "base/status.h"
#include "base/threads.h"
#include "cpu/group.h"
#include "cpu/joint_ops.h"
#include "cpu/library.h"

enum { CHUNK = 64, SHARES_MOST = 64 };

typedef struct selection {
    const uint8_t *truth;
    const char *array; /* NULL: places */
    char *out;
    int64_t first, n, counts[SHARES_MOST]; /* elements [first, first + n) */
    size_t itemsize;
    int shares;
} selection;

static void count_share(void *context, int t)
{
    selection *s = context;
    int64_t i = s->first + cni_lane_begin(s->n, t, s->shares), count = 0;
    int64_t end = s->first + cni_lane_begin(s->n, t + 1, s->shares);
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
    int64_t first = s->first + cni_lane_begin(s->n, t, s->shares), before = 0;
    int64_t end = s->first + cni_lane_begin(s->n, t + 1, s->shares);
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

/* Returns how many. */
static int64_t select_all(selection *s)
{
    int64_t count = 0;
    s->shares = cni_library_threads(s->n, 2, SHARES_MOST);
    cni_threads_run(s->shares, count_share, s);
    cni_threads_run(s->shares, select_share, s);
    for (int t = 0; t < s->shares; t++) {
        count += s->counts[t];
    }
    return count;
}

static void run_selection(const cni_part *part, const cni_run *run, bool elements)
{
    cni_library_operand out = cni_library_operand_get(part, 0, run), truth = cni_library_operand_get(part, 1, run);
    selection s = {.truth = (const uint8_t *)truth.data,
                   .out = out.data,
                   .n = cni_element_count(truth.g.ndim, truth.g.shape),
                   .itemsize = (size_t)out.g.itemsize};
    s.array = elements ? cni_library_operand_get(part, 2, run).data : NULL;
    select_all(&s);
}

void cni_library_nonzero(const cni_part *part, const cni_run *run)
{
    run_selection(part, run, false);
}

void cni_library_compress(const cni_part *part, const cni_run *run)
{
    run_selection(part, run, true);
}

/* ---- Several places ---- */

static int64_t box_size(const cni_geometry *g, const cni_box *box)
{
    int64_t n = 1;
    for (int d = 0; d < g->ndim; d++) {
        n *= box->stop[d] - box->start[d];
    }
    return n;
}

/* The first of the selected elements that belong to the place. */
static int64_t owned_from(const cni_joint *j, const cni_geometry *out, int place)
{
    const cni_layout *layout = cni_joint_layout(j, 0);
    int64_t count = out->shape[0], first;
    if (layout == NULL) {
        return place == 0 ? 0 : count;
    }
    first = (cni_layout_begin(layout, place) - out->offset) / out->itemsize;
    return place >= layout->places || first > count ? count : first;
}

void cni_select_room(const cni_joint *j, int64_t *asked, int64_t *heard, int64_t *scratch)
{
    (void)scratch;
    cni_geometry out = cni_window_geometry(j->window, j->part->access[0].view),
                 truth = cni_window_geometry(j->window, j->part->access[1].view);
    *asked = *heard = 0;
    for (uint32_t i = 0; i < j->shared->nshares; i++) {
        const cni_share *share = &j->shared->shares[i];
        int64_t n = 0;
        for (int box = 0; box < share->nboxes; box++) {
            n += box_size(&truth, cni_share_box(share, box, 1));
        }
        *asked = n * out.itemsize > *asked ? n * out.itemsize : *asked;
    }
    for (int place = 0; place < j->world->places; place++) {
        int64_t own = (owned_from(j, &out, place + 1) - owned_from(j, &out, place)) * out.itemsize;
        *heard = own > *heard ? own : *heard;
    }
}

/* The place's own elements, into what it asks; how many. */
static int64_t select_own(const cni_joint *j, int local)
{
    const cni_share *share = cni_joint_share(j, local);
    cni_geometry truth = cni_window_geometry(j->window, j->part->access[1].view);
    int64_t found = 0;
    selection s = {.truth = (const uint8_t *)cni_joint_data(j, 1, local),
                   .array = j->part->naccess > 2 ? cni_joint_data(j, 2, local) : NULL,
                   .itemsize = (size_t)cni_window_geometry(j->window, j->part->access[0].view).itemsize};
    for (int box = 0; share != NULL && box < share->nboxes; box++) {
        const cni_box *b = cni_share_box(share, box, 1); /* of what is contiguous: it is, too */
        s.first = 0;
        for (int d = 0; d < truth.ndim; d++) {
            s.first = s.first * truth.shape[d] + b->start[d];
        }
        s.n = box_size(&truth, b);
        s.out = j->moves->asked[local] + (size_t)found * s.itemsize;
        found += select_all(&s);
    }
    return found;
}

/* Elements [first, end) of all those selected are the place's, and go to their owners. */
static void send_selected(const cni_joint *j, const cni_geometry *out, int local, int64_t first, int64_t end)
{
    for (int place = 0; place < j->world->places; place++) {
        int64_t from = owned_from(j, out, place), to = owned_from(j, out, place + 1);
        from = from > first ? from : first;
        to = to < end ? to : end;
        j->moves->sent[local][place] = to > from ? to - from : 0;
    }
}

cn_status cni_select_run(const cni_joint *j)
{
    cni_geometry out = cni_window_geometry(j->window, j->part->access[0].view);
    int64_t **sent = j->moves->sent, **received = j->moves->received;
    for (int k = 0; k < j->world->local; k++) {
        int64_t found = select_own(j, k);
        for (int place = 0; place < j->world->places; place++) {
            sent[k][place] = found;
        }
    }
    CN_TRY(cni_alltoall_count(j->moves));
    for (int k = 0; k < j->world->local; k++) {
        int64_t first = 0, me = j->world->first + k;
        for (int place = 0; place < me; place++) {
            first += received[k][place];
        }
        send_selected(j, &out, k, first, first + received[k][me]);
    }
    CN_TRY(cni_alltoall_count(j->moves));
    CN_TRY(cni_alltoall_move(j->moves, false, 0, 0, out.itemsize));
    for (int k = 0; k < j->world->local; k++) {
        int64_t from = owned_from(j, &out, j->world->first + k), to = owned_from(j, &out, j->world->first + k + 1);
        memcpy(cni_joint_data(j, 0, k) + from * out.itemsize, j->moves->heard[k],
               (size_t)((to > from ? to - from : 0) * out.itemsize));
    }
    return CN_OK;
}
