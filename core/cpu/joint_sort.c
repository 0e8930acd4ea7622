/*
 * joint_sort.c - a vector that places have pieces of, sorted: each sorts its own, they agree where the pieces of the result
 * begin, and what belongs to one of them goes there. Of several lines, one after the other, whose elements are rows apart.
 *
 *   asked  | values, sorted | their indices | numbers | tallies | answers | results of a line |
 *   heard  | values | indices |, or tallies
 *
 * The piece of place b begins with the element of a rank r that the layout says. Its key is found digit by digit: all tell b
 * how many of their elements have each digit, b says which digit it is. Of elements with that very key, those of earlier
 * places come first, so the result is stable, and pieces have the lengths they should have, whatever the values are.
 */
#include <string.h>

#include "base/status.h"
#include "cpu/joint_ops.h"
#include "cpu/sort_axis.h"

enum { TALLY_BYTES = 1 << 16 /* from all places to one */ };

typedef struct sorting {
    const cni_joint *j;
    cni_sort_task task;
    cn_dtype dtype;
    int axis, places;
    int64_t item, most, most_out; /* bytes of a value; elements of a place, before and after */
    int bits, digits;             /* of a digit; in a key */
    const cni_order_kernels *kernels;
    const cni_joint_device *device;                            /* does the places' work; NULL: the processor */
    int64_t indices, numbers, tallies, answers, heard_indices; /* where they are in asked, and in heard */
    int64_t results, asked;                                    /* likewise; what asked has */
    cni_geometry in, out;
    int64_t lines, step;   /* bytes from element to element of a result */
    int64_t in_at, out_at; /* where the line at hand begins */
} sorting;

/* Of a place, before the result is: its elements [first, first + n) and, by the place whose piece begins there, which of
   them may have the key that is looked for. */
typedef struct search {
    int64_t *rank; /* of the place's own piece, among the elements that may have it */
    int64_t *low, *high;
} search;

/* ---- Shapes ---- */

/* The first of the result's elements that belong to the place. */
static int64_t owned_from(const sorting *s, int place)
{
    const cni_layout *layout = cni_joint_layout(s->j, 0);
    int64_t count = s->out.shape[s->axis];
    int64_t first = (cni_layout_begin(layout, place) - s->out.offset + s->step - 1) / s->step;
    return place >= layout->places || first > count ? count : first < 0 ? 0 : first;
}

static int64_t owned(const sorting *s, int place)
{
    return owned_from(s, place + 1) - owned_from(s, place);
}

static int64_t share_begin(const sorting *s, const cni_share *share)
{
    return cni_share_box(share, 0, 1)->start[s->axis];
}

static int64_t share_count(const sorting *s, const cni_share *share)
{
    return share == NULL ? 0 : cni_share_box(share, 0, 1)->stop[s->axis] - share_begin(s, share);
}

/* Complex values have ranks, and no keys that they could be made of again. */
static bool by_rank(const sorting *s)
{
    return s->task == CNI_TASK_ARGSORT || s->dtype == CN_COMPLEX64 || s->dtype == CN_COMPLEX128;
}

static int64_t aligned(int64_t bytes)
{
    return (bytes + 15) / 16 * 16;
}

static sorting sorting_of(const cni_joint *j)
{
    const cni_op *op = &j->window->ops[j->part->op];
    sorting s = {.j = j,
                 .task = op->kind == CNI_ARGSORT ? CNI_TASK_ARGSORT : CNI_TASK_SORT, /* a partition, too */
                 .dtype = (cn_dtype)j->window->views[j->part->access[1].view].dtype,
                 .axis = op->parameter,
                 .places = j->world->places,
                 .kernels = cni_order_kernels_get(),
                 .device = j->there != NULL ? cni_device_place()->joint : NULL,
                 .out = cni_window_geometry(j->window, j->part->access[0].view),
                 .in = cni_window_geometry(j->window, j->part->access[1].view)};
    s.lines = cni_element_count(s.out.ndim, s.out.shape) / s.out.shape[s.axis];
    s.step = s.lines > 1 ? s.out.strides[s.axis] : s.out.itemsize;
    s.item = (int64_t)cn_dtype_size(s.dtype);
    s.bits = 8;
    while (s.bits > 1 && ((int64_t)s.places << s.bits) * (int64_t)sizeof(int64_t) > TALLY_BYTES) {
        s.bits /= 2;
    }
    s.digits = (s.dtype == CN_COMPLEX128 ? 128 : 8 * (int)cni_key_size(s.dtype)) / s.bits;
    for (uint32_t i = 0; i < j->shared->nshares; i++) {
        int64_t n = share_count(&s, &j->shared->shares[i]);
        s.most = n > s.most ? n : s.most;
    }
    for (int place = 0; place < s.places; place++) {
        s.most_out = owned(&s, place) > s.most_out ? owned(&s, place) : s.most_out;
    }
    bool indices = s.task == CNI_TASK_ARGSORT;
    int64_t number = (int64_t)sizeof(int64_t);
    s.indices = aligned(s.most * s.item);
    s.numbers = s.indices + (indices ? aligned(s.most * number) : 0);
    s.tallies = s.numbers + aligned((1 + 2 * s.places) * number);
    s.answers = s.tallies + ((int64_t)s.places << s.bits) * number;
    s.results = aligned(s.answers + s.places * number);
    s.asked = s.results + (s.lines > 1 ? s.most_out * s.out.itemsize : 0);
    s.heard_indices = aligned(s.most_out * s.item);
    return s;
}

void cni_sorted_room(const cni_joint *j, int64_t *asked, int64_t *heard, int64_t *scratch)
{
    sorting s = sorting_of(j);
    int64_t number = (int64_t)sizeof(int64_t), tallies = ((int64_t)s.places << s.bits) * number;
    int64_t most = s.most > s.most_out ? s.most : s.most_out;
    *asked = s.asked;
    *heard = s.heard_indices + (s.task == CNI_TASK_ARGSORT ? s.most_out * number : 0);
    *heard = *heard > tallies ? *heard : tallies;
    *scratch = cni_sort_line_scratch(s.task, s.dtype, most);
}

bool cni_sorted_may(const cni_joint *j)
{
    sorting s = sorting_of(j);
    return s.lines == 1 && s.dtype < CN_COMPLEX64 && s.in.strides[s.axis] == s.item;
}

void cni_sorted_there(const cni_joint *j, const cni_joint_device *device, cni_joint_room *room)
{
    sorting s = sorting_of(j);
    int64_t most = s.most > s.most_out ? s.most : s.most_out, memory = 0;
    room->there = device->sort_bind(s.dtype, s.task == CNI_TASK_ARGSORT, s.places, most, &memory);
    room->memory = memory;
    room->asked_there = s.numbers;
}

static search search_of(const sorting *s, int local)
{
    int64_t *numbers = (int64_t *)(void *)(s->j->moves->asked[local] + s->numbers);
    return (search){numbers, numbers + 1, numbers + 1 + s->places};
}

static int64_t *tally_of(const sorting *s, int local, int place)
{
    return (int64_t *)(void *)(s->j->moves->asked[local] + s->tallies) + ((int64_t)place << s->bits);
}

/* ---- A place's own elements ---- */

static cni_sorting there_of(const sorting *s, int local)
{
    const cni_joint *j = s->j;
    const cni_share *share = cni_joint_share(j, local);
    int place = j->world->first + local;
    cni_sorting x = {.n = share_count(s, share),
                     .asked = j->moves->device_asked[local],
                     .heard = j->moves->device_heard[local],
                     .runs = j->moves->received[local],
                     .memory = cni_joint_memory(j, local)};
    x.first = x.n > 0 ? share_begin(s, share) : 0;
    x.in = cni_joint_data(j, 1, local) + x.first * s->item;
    x.asked_indices = x.asked + s->indices;
    x.heard_indices = x.heard + s->heard_indices;
    x.out = cni_joint_data(j, 0, local) + owned_from(s, place) * s->step;
    return x;
}

static void sort_own(const sorting *s, int local)
{
    const cni_share *share = cni_joint_share(s->j, local);
    int64_t n = share_count(s, share);
    if (s->device != NULL) {
        cni_sorting x = there_of(s, local);
        s->device->sort_own(s->j->there, &x);
        return;
    }
    if (n == 0) {
        return;
    }
    int64_t first = share_begin(s, share);
    int64_t stride = s->in.strides[s->axis];
    const char *in = cni_joint_data(s->j, 1, local) + s->in_at + first * stride;
    char *values = s->j->moves->asked[local];
    if (s->task == CNI_TASK_SORT) {
        cni_sort_line(s->task, s->dtype, n, in, stride, values, s->j->scratch);
        return;
    }
    int64_t *index = (int64_t *)(void *)(values + s->indices);
    cni_sort_line(s->task, s->dtype, n, in, stride, index, s->j->scratch);
    for (int64_t i = 0; i < n; i++) {
        memcpy(values + i * s->item, in + index[i] * stride, (size_t)s->item);
        index[i] += first;
    }
}

/* ---- Where pieces begin ---- */

/* Bits of a key behind the digit. */
static int shift_of(const sorting *s, int digit)
{
    return 8 * (int)cni_key_size(s->dtype) - (digit + 1) * s->bits;
}

static unsigned digit_of(const sorting *s, const char *value, int digit)
{
    uint64_t key = 0, low = 0;
    uint32_t narrow;
    int bits = 8 * (int)cni_key_size(s->dtype), shift = shift_of(s, digit);
    void *to = bits == 32 ? (void *)&narrow : (void *)&key;
    if (by_rank(s)) {
        s->kernels->ranks[s->dtype](1, value, to, &low);
    } else {
        s->kernels->keys[s->dtype](1, value, to);
    }
    key = bits == 32 ? narrow : key;
    if (shift < 0) { /* of the second word */
        key = low;
        shift += 64;
    }
    return (unsigned)(key >> shift) & ((1U << s->bits) - 1);
}

/* The first of the sorted elements [low, high), which have the digits before this one in common, with a greater one. */
static int64_t behind(const sorting *s, const char *values, int64_t low, int64_t high, int digit, unsigned value)
{
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (digit_of(s, values + middle * s->item, digit) <= value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void tally(const sorting *s, int local, int place, int digit)
{
    search x = search_of(s, local);
    const char *values = s->j->moves->asked[local];
    int64_t at = x.low[place], high = x.high[place], *counts = tally_of(s, local, place);
    memset(counts, 0, sizeof *counts << s->bits);
    while (at < high) {
        unsigned value = digit_of(s, values + at * s->item, digit);
        int64_t next = behind(s, values, at, high, digit, value);
        counts[value] = next - at;
        at = next;
    }
}

/* What the place has to tell all others. */
static cn_status tally_all(const sorting *s, int local, int digit)
{
    if (s->device != NULL) {
        search x = search_of(s, local);
        cni_sorting there = there_of(s, local);
        return s->device->sort_tally(s->j->there, &there, x.low, x.high, shift_of(s, digit), s->bits,
                                     tally_of(s, local, 0));
    }
    for (int place = 1; place < s->places; place++) {
        tally(s, local, place, digit);
    }
    return CN_OK;
}

/* The digit of the element of the place's rank, by what all have told. */
static void choose(const sorting *s, int local)
{
    search x = search_of(s, local);
    int64_t *told = (int64_t *)(void *)s->j->moves->heard[local], count = 0;
    unsigned values = 1U << s->bits, value = 0;
    for (;; value++) {
        count = 0;
        for (int from = 0; from < s->places; from++) {
            count += told[((int64_t)from << s->bits) + value];
        }
        if (*x.rank < count || value + 1 == values) {
            break;
        }
        *x.rank -= count;
    }
    for (int from = 0; from < s->places; from++) {
        told[from] = value;
    }
}

static void narrow(const sorting *s, int local, int place)
{
    search x = search_of(s, local);
    const int64_t *counts = tally_of(s, local, place);
    int64_t value = ((const int64_t *)(const void *)(s->j->moves->asked[local] + s->answers))[place];
    for (int64_t k = 0; k < value; k++) {
        x.low[place] += counts[k];
    }
    x.high[place] = x.low[place] + counts[value];
}

/* Of elements with the key, as many from each place as the rank needs, in the order of places. */
static void share_equals(const sorting *s, int local)
{
    search x = search_of(s, local);
    int64_t *told = (int64_t *)(void *)s->j->moves->heard[local];
    for (int from = 0; from < s->places; from++) {
        told[from] = told[from] < *x.rank ? told[from] : *x.rank;
        *x.rank -= told[from];
    }
}

/* Every place has one item for every place but the first, whose piece begins where all begin. */
static void one_for_each(const sorting *s)
{
    for (int k = 0; k < s->j->world->local; k++) {
        for (int place = 0; place < s->places; place++) {
            s->j->moves->sent[k][place] = place > 0;
            s->j->moves->received[k][place] = s->j->world->first + k > 0;
        }
    }
}

static cn_status find_digits(const sorting *s)
{
    int local = s->j->world->local;
    for (int digit = 0; digit < s->digits; digit++) {
        for (int k = 0; k < local; k++) {
            CN_TRY(tally_all(s, k, digit));
        }
        int64_t size = (int64_t)sizeof(int64_t) << s->bits, skip = size; /* nothing is for place 0 */
        CN_TRY(cni_alltoall_move(s->j->moves, false, s->tallies + skip, 0, size));
        for (int k = 0; k < local; k++) {
            if (s->j->world->first + k > 0) {
                choose(s, k);
            }
        }
        CN_TRY(cni_alltoall_move(s->j->moves, true, s->answers + (int64_t)sizeof(int64_t), 0, sizeof(int64_t)));
        for (int k = 0; k < local; k++) {
            for (int place = 1; place < s->places; place++) {
                narrow(s, k, place);
            }
        }
    }
    return CN_OK;
}

/* Of every place's elements, where the piece of each place begins: in low. What places tell each other is on the hosts. */
static cn_status find_pieces(const sorting *s)
{
    int local = s->j->world->local;
    for (int k = 0; k < local; k++) {
        search x = search_of(s, k);
        *x.rank = owned_from(s, s->j->world->first + k);
        for (int place = 0; place < s->places; place++) {
            x.low[place] = 0;
            x.high[place] = share_count(s, cni_joint_share(s->j, k));
        }
    }
    one_for_each(s);
    CN_TRY(find_digits(s));
    for (int k = 0; k < local; k++) {
        search x = search_of(s, k);
        for (int place = 1; place < s->places; place++) {
            ((int64_t *)(void *)(s->j->moves->asked[k] + s->answers))[place] = x.high[place] - x.low[place];
        }
    }
    int64_t at = s->answers + (int64_t)sizeof(int64_t);
    CN_TRY(cni_alltoall_move(s->j->moves, false, at, 0, sizeof(int64_t)));
    for (int k = 0; k < local; k++) {
        if (s->j->world->first + k > 0) {
            share_equals(s, k);
        }
    }
    CN_TRY(cni_alltoall_move(s->j->moves, true, at, 0, sizeof(int64_t)));
    for (int k = 0; k < local; k++) {
        search x = search_of(s, k);
        for (int place = 1; place < s->places; place++) {
            x.low[place] += ((int64_t *)(void *)(s->j->moves->asked[k] + s->answers))[place];
        }
    }
    return CN_OK;
}

/* ---- Pieces ---- */

static void sort_piece(const sorting *s, int local)
{
    int place = s->j->world->first + local;
    int64_t n = owned(s, place), size = s->out.itemsize;
    const char *heard = s->j->moves->heard[local];
    char *out = cni_joint_data(s->j, 0, local) + s->out_at + owned_from(s, place) * s->step;
    char *to = s->lines > 1 ? s->j->moves->asked[local] + s->results : out;
    if (n == 0) {
        return;
    }
    if (s->device != NULL) {
        cni_sorting x = there_of(s, local);
        s->device->sort_merge(s->j->there, &x);
        return;
    }
    cni_sort_line(s->task, s->dtype, n, heard, s->item, to, s->j->scratch);
    if (s->task == CNI_TASK_ARGSORT) {
        const int64_t *index = (const int64_t *)(const void *)(heard + s->heard_indices);
        int64_t *at = (int64_t *)(void *)to;
        for (int64_t i = 0; i < n; i++) {
            at[i] = index[at[i]];
        }
    }
    for (int64_t i = 0; i < n && to != out; i++) {
        memcpy(out + i * s->step, to + i * size, (size_t)size);
    }
}

static cn_status sort_together(const sorting *s)
{
    const cni_joint *j = s->j;
    for (int k = 0; k < j->world->local; k++) {
        sort_own(s, k);
    }
    j->moves->there = j->moves->direct = false;
    CN_TRY(find_pieces(s));
    j->moves->there = s->device != NULL;
    j->moves->direct = j->direct;
    for (int k = 0; k < j->world->local; k++) {
        search x = search_of(s, k);
        for (int place = 0; place < s->places; place++) {
            int64_t end = place + 1 < s->places ? x.low[place + 1] : share_count(s, cni_joint_share(j, k));
            j->moves->sent[k][place] = end - x.low[place];
        }
    }
    CN_TRY(cni_alltoall_count(j->moves));
    CN_TRY(cni_alltoall_move(j->moves, false, 0, 0, s->item));
    if (s->task == CNI_TASK_ARGSORT) {
        CN_TRY(cni_alltoall_move(j->moves, false, s->indices, s->heard_indices, sizeof(int64_t)));
    }
    for (int k = 0; k < j->world->local; k++) {
        sort_piece(s, k);
    }
    return CN_OK;
}

/* Of several lines the axis is the first. */
cn_status cni_sorted_run(const cni_joint *j)
{
    sorting s = sorting_of(j);
    int64_t index[CN_MAX_DIMS] = {0};
    if (s.lines == 1) {
        return sort_together(&s);
    }
    do {
        s.in_at = cni_offset_of(s.in.ndim - 1, s.in.strides + 1, index);
        s.out_at = cni_offset_of(s.out.ndim - 1, s.out.strides + 1, index);
        CN_TRY(sort_together(&s));
    } while (cni_next_index(s.out.ndim - 1, s.out.shape + 1, index));
    return CN_OK;
}
