/*
 * select.c - the elements at which bytes are true, in order, or their places. Threads take shares; the counts of earlier
 * shares say where a share's results begin.
 */
#include <string.h>

#include "base/status.h"
#include "base/threads.h"
#include "cpu/group.h"
#include "cpu/joint_ops.h"
#include "cpu/library.h"
#include "record/record.h"

enum { SHARES_MOST = 64 };

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
    int64_t first = cni_lane_begin(s->n, t, s->shares), end = cni_lane_begin(s->n, t + 1, s->shares);
    s->counts[t] = cni_count_true(s->truth + s->first + first, end - first);
}

void cni_elements_of_true(int64_t size, int64_t room, const uint8_t *bytes, const void *in, void *out)
{
    cni_cpu_kernels_get()->selects[__builtin_ctzll((uint64_t)size)](room, bytes, in, out);
}

void cni_places_of_true(int64_t room, const uint8_t *bytes, int64_t first, int64_t *out)
{
    cni_cpu_kernels_get()->select_places(room, bytes, first, out);
}

static void select_share(void *context, int t)
{
    const selection *s = context;
    int64_t first = s->first + cni_lane_begin(s->n, t, s->shares), before = 0;
    for (int k = 0; k < t; k++) {
        before += s->counts[k];
    }
    char *out = s->out + (size_t)before * s->itemsize;
    if (s->array == NULL) {
        cni_places_of_true(s->counts[t], s->truth + first, first, (int64_t *)(void *)out);
    } else {
        cni_elements_of_true((int64_t)s->itemsize, s->counts[t], s->truth + first,
                             s->array + (size_t)first * s->itemsize, out);
    }
}

/* Returns how many; known: that, or negative. */
static int64_t select_all(selection *s, int64_t known)
{
    int64_t count = 0;
    s->shares = cni_library_threads(s->n, 2, SHARES_MOST);
    s->counts[0] = known;
    if (s->shares > 1 || known < 0) {
        cni_threads_run(s->shares, count_share, s);
    }
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
    select_all(&s, cni_element_count(out.g.ndim, out.g.shape));
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

/* Bytes that are true of a place's share, which follow each other. */
typedef struct bytes {
    int64_t first, n;
} bytes;

static bytes bytes_of(const cni_joint *j, const cni_share *share)
{
    cni_geometry truth = cni_window_geometry(j->window, j->part->access[1].view);
    bytes b = {0};
    for (int box = 0; share != NULL && box < share->nboxes; box++) { /* of what is contiguous: it is, too */
        const cni_box *at = cni_share_box(share, box, 1);
        int64_t first = 0;
        for (int d = 0; d < truth.ndim; d++) {
            first = first * truth.shape[d] + at->start[d];
        }
        b.first = box == 0 ? first : b.first;
        b.n += box_size(&truth, at);
    }
    return b;
}

void cni_select_room(const cni_joint *j, int64_t *asked, int64_t *heard, int64_t *scratch)
{
    (void)scratch;
    cni_geometry out = cni_window_geometry(j->window, j->part->access[0].view);
    *asked = *heard = 0;
    for (uint32_t i = 0; i < j->shared->nshares; i++) {
        int64_t n = bytes_of(j, &j->shared->shares[i]).n;
        *asked = n * out.itemsize > *asked ? n * out.itemsize : *asked;
    }
    for (int place = 0; place < j->world->places; place++) {
        int64_t own = (owned_from(j, &out, place + 1) - owned_from(j, &out, place)) * out.itemsize;
        *heard = own > *heard ? own : *heard;
    }
}

static bool chooses_places(const cni_joint *j)
{
    return j->part->naccess < 3;
}

void cni_select_there(const cni_joint *j, const cni_joint_device *device, cni_joint_room *room)
{
    int64_t most = 0, memory;
    for (uint32_t i = 0; i < j->shared->nshares; i++) {
        int64_t n = bytes_of(j, &j->shared->shares[i]).n;
        most = n > most ? n : most;
    }
    int64_t itemsize = cni_window_geometry(j->window, j->part->access[0].view).itemsize;
    room->there = device->choose_bind(itemsize, chooses_places(j), most, &memory);
    room->memory = memory;
    room->heard_there = 0; /* it comes to where it belongs */
}

/* ---- On the device: counted first, so that what the place owns goes to where it belongs ---- */

static cni_choosing choosing_of(const cni_joint *j, int local)
{
    bytes b = bytes_of(j, cni_joint_share(j, local));
    int64_t itemsize = cni_window_geometry(j->window, j->part->access[0].view).itemsize;
    cni_choosing x = {.truth = cni_joint_data(j, 1, local) + b.first, .n = b.n, .at = b.first};
    if (!chooses_places(j)) {
        x.array = cni_joint_data(j, 2, local) + b.first * itemsize;
    }
    x.out = cni_joint_data(j, 0, local);
    x.asked = j->moves->device_asked[local];
    x.memory = cni_joint_memory(j, local);
    return x;
}

static cn_status count_own(const cni_joint *j, const cni_joint_device *device, int local, int64_t *found)
{
    cni_choosing x = choosing_of(j, local);
    *found = 0;
    return x.n > 0 ? device->choose_count(j->there, &x, found) : CN_OK;
}

/* Elements [first, end) of all those selected are the place's, of which [own, own_end) belong to it. */
static void choose_own(const cni_joint *j, const cni_joint_device *device, int local, int64_t first, int64_t own,
                       int64_t own_end)
{
    cni_choosing x = choosing_of(j, local);
    x.first = first;
    x.low = own;
    x.high = own_end;
    if (x.n > 0) {
        device->choose(j->there, &x);
    }
}

/* ---- Both ---- */

/* The place's own elements, into what it asks; how many. */
static int64_t select_own(const cni_joint *j, int local)
{
    bytes b = bytes_of(j, cni_joint_share(j, local));
    selection s = {.truth = (const uint8_t *)cni_joint_data(j, 1, local),
                   .array = chooses_places(j) ? NULL : cni_joint_data(j, 2, local),
                   .out = j->moves->asked[local],
                   .first = b.first,
                   .n = b.n,
                   .itemsize = (size_t)cni_window_geometry(j->window, j->part->access[0].view).itemsize};
    return b.n > 0 ? select_all(&s, -1) : 0;
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

/* What every place has found is known to all, as received. */
static cn_status find(const cni_joint *j, const cni_joint_device *device)
{
    for (int k = 0; k < j->world->local; k++) {
        int64_t found = 0;
        if (device != NULL) {
            CN_TRY(count_own(j, device, k, &found));
        } else {
            found = select_own(j, k);
        }
        for (int place = 0; place < j->world->places; place++) {
            j->moves->sent[k][place] = found;
        }
    }
    return cni_alltoall_count(j->moves);
}

cn_status cni_select_run(const cni_joint *j)
{
    cni_geometry out = cni_window_geometry(j->window, j->part->access[0].view);
    const cni_joint_device *device = j->there != NULL ? cni_device_place()->joint : NULL;
    cni_alltoall *x = j->moves;
    CN_TRY(find(j, device));
    for (int k = 0; k < j->world->local; k++) {
        int place = j->world->first + k;
        int64_t first = cni_alltoall_before(x, k, place), own = owned_from(j, &out, place);
        send_selected(j, &out, k, first, first + x->received[k][place]);
        if (device != NULL) {
            choose_own(j, device, k, first, own, owned_from(j, &out, place + 1));
            x->device_heard[k] = cni_joint_data(j, 0, k) + own * out.itemsize;
        }
    }
    CN_TRY(cni_alltoall_count(x));
    x->settled = device != NULL;
    CN_TRY(cni_alltoall_move(x, false, 0, 0, out.itemsize));
    x->settled = false;
    for (int k = 0; k < j->world->local && device == NULL; k++) {
        int64_t from = owned_from(j, &out, j->world->first + k), to = owned_from(j, &out, j->world->first + k + 1);
        memcpy(cni_joint_data(j, 0, k) + from * out.itemsize, x->heard[k],
               (size_t)((to > from ? to - from : 0) * out.itemsize));
    }
    return CN_OK;
}
